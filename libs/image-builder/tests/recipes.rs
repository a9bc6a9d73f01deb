//! The recipes of this repository.

use std::path::Path;

use image_builder::{lint, workspace};

#[test]
fn nothing_is_wrong_with_recipes_editions_and_pins() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let programs = workspace::programs(&root).expect("cargo knows the workspace");
    assert!(programs.get("init").is_some_and(|it| it.contains("init")), "{programs:?}");
    let findings = lint::lint(&root, &[], Some(&programs)).expect("readable");
    let findings: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert!(findings.is_empty(), "./gos recipe lint:\n{}", findings.join("\n"));
    assert!(lint::recipes(&root).expect("readable").len() > 50);
}
