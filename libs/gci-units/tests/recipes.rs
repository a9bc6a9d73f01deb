//! The unit files that packages bring.

use std::path::{Path, PathBuf};

use gci_units::{Unit, UnitName};

/// The files of all recipes' folders for units.
fn files() -> Vec<PathBuf> {
    let recipes = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recipes");
    let folders = std::fs::read_dir(&recipes).expect("the recipes").filter_map(Result::ok);
    let folders = folders.flat_map(|it| ["files/usr/lib/gci", "initfs/lib/gci"].map(|folder| it.path().join(folder)));
    folders.filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().filter_map(Result::ok).map(|it| it.path()).collect()
}

#[test]
fn packages_have_units_without_mistakes() {
    let files = files();
    assert!(files.len() > 10, "{files:?}");
    for file in files {
        let text = std::fs::read(&file).expect("read");
        let name = file.file_name().and_then(|it| it.to_str()).expect("a name");
        let name = match name.strip_suffix(".gctarget") {
            Some(target) => format!("{target}.target"),
            None => name.strip_suffix(".gcservice").expect("a unit").to_owned(),
        };
        let parsed = Unit::parse_bytes(UnitName::new(&name).expect("a unit's name"), &file.display().to_string(), &text);
        assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
        assert!(parsed.unit.is_some(), "{}", file.display());
    }
}
