//! Each kind of fault in a small repository of its own.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::{Finding, lint};
use crate::workspace::Programs;

/// A repository in which nothing is wrong: the recipes `one` and `two`, and an edition with both.
struct Repository(tempfile::TempDir);

const ONE: &str = "summary = \"One\"\nlicense = \"MIT\"\ndepends = [\"two\"]\n";
const TWO: &str = "summary = \"Two\"\nlicense = \"MIT\"\ndebian = [\"demo\"]\n";
const PIN: &str = "architecture = \"all\"\nsha256 = \"0000000000000000000000000000000000000000000000000000000000000000\"\nsize = 1\n";

impl Repository {
    fn new() -> Self {
        let this = Self(tempfile::tempdir().expect("a folder"));
        this.write("filesystem.toml", "recipes = [\"two\"]\n[disk]\nsize_mib = 1\nesp_mib = 1\n[trim]\nremove = []\nkeep = []\n[linux]\npackage = \"linux\"\nmodules = []\n");
        this.write("editions/small.toml", "summary = \"x\"\nadd = [\"one\"]\n");
        this.write("recipes/debian.toml", "[exclude]\ndpkg = \"not here\"\n");
        this.write("recipes/lock.toml", &format!("[[package]]\nname = \"demo\"\nversion = \"1\"\n{PIN}depends = [\"libdemo\"]\n[[package]]\nname = \"libdemo\"\nversion = \"1\"\n{PIN}"));
        this.write("recipes/one/recipe.toml", ONE);
        this.write("recipes/two/recipe.toml", TWO);
        this
    }

    fn root(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    }

    fn lint(&self, names: &[&str]) -> Vec<String> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let programs = Programs::from([("tool".to_owned(), ["tool".to_owned(), "toolctl".to_owned()].into())]);
        lint(self.root(), &names, Some(&programs)).expect("looked at").iter().map(Finding::to_string).collect()
    }

    /// Whether linting all gives exactly the findings that have these beginnings and parts.
    #[track_caller]
    fn finds(&self, wanted: &[(&str, &str)]) {
        let found = self.lint(&[]);
        let same = found.len() == wanted.len() && found.iter().zip(wanted).all(|(it, (place, part))| it.strip_prefix(place).is_some_and(|it| it.starts_with(": ") && it.contains(part)));
        assert!(same, "{found:#?}");
    }
}

/// A recipe `two` with more in it.
#[track_caller]
fn two(more: &str, wanted: &[(&str, &str)]) {
    let repository = Repository::new();
    repository.write("recipes/two/recipe.toml", &format!("{TWO}{more}"));
    let wanted: Vec<(String, &str)> = wanted.iter().map(|(place, part)| (format!("recipes/two/recipe.toml:{place}"), *part)).collect();
    repository.finds(&wanted.iter().map(|(place, part)| (place.as_str(), *part)).collect::<Vec<_>>());
}

#[test]
fn nothing_is_found_where_nothing_is_wrong() {
    two("[[program]]\npackage = \"tool\"\nbinary = \"toolctl\"\npath = \"/bin/tool\"\nimage = \"root\"\n[[generated]]\nprogram = \"toolctl\"\n", &[]);
}

#[test]
fn keys_and_types() {
    two("version = 1\nflavour = \"tea\"\n", &[("4:11", "integer `1`"), ("5:1", "unknown field `flavour`")]);
    two("[[program]]\npackage = \"tool\"\nimage = \"root\"\n", &[("4:1", "missing field `path`")]);
    two("debian = [\"demo\"]\n", &[("4:1", "duplicate key")]);
    two("this is no TOML\nflavour = 1\n", &[("4:6", ""), ("5:1", "unknown field `flavour`")]);
}

#[test]
fn licence_and_version_and_summary() {
    let repository = Repository::new();
    repository.write("recipes/two/recipe.toml", "summary = \" \"\nlicense = \"MIT/Beer\"\nversion = \"one\"\n");
    repository.finds(&[
        ("recipes/two/recipe.toml:1:11", "one line"),
        ("recipes/two/recipe.toml:2:11", "no SPDX expression"),
        ("recipes/two/recipe.toml:3:11", "does not begin with a digit"),
    ]);
}

#[test]
fn checksums_and_pins_of_pypi() {
    let file = |release: &str, sum: &str, member: &str| format!("[[pypi]]\nrelease = \"{release}\"\nsha256 = \"{sum}\"\nmember = \"{member}\"\npath = \"/usr/share/it\"\n");
    two(&file("a==1", &"0".repeat(64), "a/it"), &[]);
    two(&file("a", &"0".repeat(63), "../it"), &[("5:11", "name==version"), ("6:10", "64 lower-case"), ("7:10", "no path inside")]);
    two("[[pypi]]\nrelease = \"a==1\"\nmember = \"it\"\npath = \"/it\"\n", &[("4:1", "missing field `sha256`")]);
}

#[test]
fn pins_of_debian() {
    let repository = Repository::new();
    repository.write("recipes/two/recipe.toml", "summary = \"Two\"\nlicense = \"MIT\"\ndebian = [\"demo\", \"other\", \"demo=1\", \"demo\"]\n[[extract]]\npackage = \"third\"\nfile = \"/a\"\npath = \"/a\"\nimage = \"initfs\"\n");
    repository.finds(&[
        ("recipes/two/recipe.toml:3:19", "other is not pinned"),
        ("recipes/two/recipe.toml:3:28", "versions are pinned in recipes/lock.toml"),
        ("recipes/two/recipe.toml:3:38", "named twice"),
        ("recipes/two/recipe.toml:5:11", "third is not pinned"),
    ]);
    let repository = Repository::new();
    repository.write("recipes/lock.toml", &format!("[[package]]\nname = \"demo\"\nversion = \"1\"\n{PIN}depends = [\"libdemo\", \"dpkg\"]\n"));
    repository.finds(&[("recipes/two/recipe.toml:3:11", "demo needs libdemo, which is not pinned")]);
    repository.write("recipes/lock.toml", &format!("[[package]]\nname = \"demo\"\nversion = \"1\"\n{PIN}[[package]]\nname = \"demo\"\nversion = \"\"\n{}", PIN.replace('0', "X")));
    repository.finds(&[
        ("recipes/lock.toml:8:8", "locked twice"),
        ("recipes/lock.toml:9:11", "is empty"),
        ("recipes/lock.toml:11:10", "64 lower-case"),
    ]);
}

#[test]
fn dependencies() {
    let repository = Repository::new();
    repository.write("recipes/one/recipe.toml", "summary = \"One\"\nlicense = \"MIT\"\ndepends = [\"two\", \"three\", \"Two!\", \"two (> 1)\", \"two\", \"libdemo\"]\n");
    repository.finds(&[
        ("recipes/one/recipe.toml:3:19", "\"three\" is neither a recipe nor a Debian package"),
        ("recipes/one/recipe.toml:3:28", "no package name"),
        ("recipes/one/recipe.toml:3:36", "is no dependency"),
        ("recipes/one/recipe.toml:3:49", "named twice"),
    ]);
    let repository = Repository::new();
    repository.write("recipes/two/recipe.toml", &format!("{TWO}depends = [\"two | one\"]\n"));
    repository.write("editions/other.toml", "summary = \"x\"\nadd = [\"one\"]\nremove = [\"two\"]\n");
    repository.finds(&[
        ("recipes/one/recipe.toml:3:12", "depends on itself: one -> two -> one"),
        ("recipes/one/recipe.toml:3:12", "the edition of editions/other.toml has one, but not \"two\""),
        ("recipes/two/recipe.toml:4:12", "depends on itself: two -> two"),
    ]);
}

#[test]
fn paths_and_programs() {
    two("[[directory]]\npath = \"usr\"\nmode = \"0755\"\n[[symlink]]\npath = \"/a/../b\"\ntarget = \"\"\n", &[("5:8", "must be absolute"), ("8:8", "`..`"), ("9:10", "points to something")]);
    two(
        "[[program]]\npackage = \"tool\"\npath = \"/a\"\nimage = \"initfs\"\nlinkage = \"dynamic\"\n[[program]]\npackage = \"gone\"\npath = \"/a\"\nimage = \"root\"\n\
         [[program]]\npackage = \"tool\"\nbinary = \"toold\"\npath = \"/a\"\nimage = \"root\"\n[[generated]]\nprogram = \"toolctl\"\n",
        &[("8:11", "there is no ld.so"), ("10:11", "the workspace has no package gone"), ("15:10", "has no program toold"), ("16:8", "/a of the root is named twice"), ("19:11", "no program of this recipe")],
    );
    two("[[extract]]\npackage = \"demo\"\nfile = \"x\"\npath = \"/x\"\nimage = \"root\"\n", &[("6:8", "must be absolute"), ("8:9", "extract is for the initfs")]);
}

#[test]
fn files_beside_a_recipe() {
    let repository = Repository::new();
    repository.write("recipes/two/recipe.toml", &format!("{TWO}[[symlink]]\npath = \"/etc/link\"\ntarget = \"x\"\n"));
    repository.write("recipes/two/NOTES", "");
    repository.write("recipes/two/files/etc/link", "");
    repository.write("recipes/two/initfs/etc/link", "");
    repository.write("recipes/elsewhere/it", "");
    let folder = repository.root().join("recipes/two");
    symlink("../elsewhere", folder.join("live")).expect("linked");
    symlink("../../etc", folder.join("files/etc/up")).expect("linked");
    symlink("../etc", folder.join("files/etc/fine")).expect("linked");
    let socket = std::os::unix::net::UnixListener::bind(folder.join("files/socket"));
    fs::create_dir_all(repository.root().join("recipes/one/files/usr")).expect("made");
    repository.finds(&[
        ("recipes/elsewhere", "no recipe.toml"),
        ("recipes/one/files", "has no files"),
        ("recipes/two/NOTES", "is not used"),
        ("recipes/two/files/etc/link", "line 5 of the recipe"),
        ("recipes/two/files/etc/up", "outside of the image"),
        ("recipes/two/files/socket", "neither a file"),
        ("recipes/two/live", "outside of the recipe's folder"),
    ]);
    drop(socket);
}

#[test]
fn editions_and_the_filesystem() {
    let repository = Repository::new();
    repository.write("editions/small.toml", "summary = \"x\"\nadd = [\"gone\",\n    \"two\"]\nremove = [\"none\"]\n");
    repository.write("recipes/debian.toml", "[exclude]\ndpkg = \"\"\n");
    repository.finds(&[
        ("editions/small.toml:2:8", "there is no recipe gone"),
        ("editions/small.toml:3:5", "filesystem.toml has two already"),
        ("editions/small.toml:4:11", "removes recipe none"),
        ("recipes/debian.toml:2:8", "exclusion of dpkg has no reason"),
        ("recipes/one/recipe.toml:1:1", "is not used"),
    ]);
}

#[test]
fn only_what_is_asked_for_is_looked_at() {
    let repository = Repository::new();
    repository.write("recipes/one/recipe.toml", "license = 1\n");
    repository.write("recipes/debian.toml", "x = 1\n");
    assert_eq!(repository.lint(&["two"]), [""; 0]);
    assert_eq!(repository.lint(&["one"]).len(), 2);
    let error = lint(repository.root(), &["tw".into()], None).expect_err("unknown").to_string();
    assert!(error.contains("there is no recipe \"tw\"; there is two"), "{error}");
}

#[test]
fn a_build_refuses_what_is_found_in_a_recipe() {
    let repository = Repository::new();
    repository.write("recipes/one/recipe.toml", "summary = \"x\"\nlicense = \"Beer\"\ncolour = 1\n");
    let error = crate::recipe::Recipe::load(repository.root(), "one").expect_err("wrong").to_string();
    assert!(error.contains("line 2, column 11") && error.contains("SPDX") && error.contains("and 1 more"), "{error}");
}
