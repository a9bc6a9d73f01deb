//! Sources in memory, and a small repository.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::{Sources, Update, find_in};
use crate::debian::control::Package;
use crate::debian::fetch::Archive;
use crate::debian::lock::Lock;
use crate::debian::resolve::Source;
use crate::error::{Error, Result};
use crate::pypi::Index;
use crate::report::{Event, Report};

#[derive(Clone)]
struct Debian {
    packages: Vec<Package>,
    of_release: bool,
}

fn package(name: &str, version: &str, depends: &[&str]) -> Package {
    let sum = crate::host::hex(&<sha2::Sha256 as sha2::Digest>::digest(format!("{name} {version}")));
    let depends = depends.iter().map(|it| vec![(*it).to_owned()]).collect();
    Package { name: name.into(), version: version.into(), architecture: "all".into(), sha256: sum, size: 1, depends, provides: Vec::new() }
}

impl Source for Debian {
    fn describe(&mut self, names: &[String]) -> Result<Vec<Package>> {
        Ok(self.packages.iter().filter(|it| names.contains(&it.name)).cloned().collect())
    }
}

impl Archive for Debian {
    fn exact(&mut self, _: &[Package]) -> Result<Vec<Package>> {
        unreachable!("nothing is downloaded")
    }

    fn is_of_release(&mut self, _: &Package) -> Result<bool> {
        Ok(self.of_release)
    }

    fn update(&mut self) -> Result<()> {
        Ok(())
    }

    fn download(&mut self, _: &[Package], _: &Path) -> Result<()> {
        unreachable!("nothing is downloaded")
    }
}

/// Releases with the files in them, the newest first; a name that ends in `rc1` is a pre-release.
struct Pypi(BTreeMap<&'static str, Vec<(&'static str, &'static str)>>);

impl Index for Pypi {
    fn versions(&mut self, name: &str, with_pre_releases: bool) -> Result<Vec<String>> {
        let releases = self.0.get(name).ok_or_else(|| Error::Packages(format!("no {name}")))?;
        Ok(releases.iter().map(|(version, _)| (*version).to_owned()).filter(|it| with_pre_releases || !it.ends_with("rc1")).collect())
    }

    fn wheel(&mut self, release: &str, folder: &Path) -> Result<(String, PathBuf)> {
        let (name, version) = release.split_once("==").expect("a release");
        let (_, file) = self.0[name].iter().find(|(it, _)| *it == version).expect("offered");
        fs::create_dir_all(folder.join("model")).expect("made");
        fs::write(folder.join("model").join(file), version).expect("written");
        Ok((crate::host::hex(&<sha2::Sha256 as sha2::Digest>::digest(release)), folder.to_owned()))
    }
}

struct World {
    folder: tempfile::TempDir,
    debian: Debian,
    pypi: Pypi,
    said: Arc<Mutex<String>>,
}

const MODEL: &str = "# What it is for.\nsummary   = \"A model\"\nlicense = 'MIT'\nversion = \"1.0-3\" # ours\n\n[[pypi]]\n# Why this one.\nsha256 = \"0000000000000000000000000000000000000000000000000000000000000000\"\n\
                     release=\"model==1.0\"\nmember = \"model/it\"\npath = \"/it\"   # there\n";

impl World {
    /// Recipes that name `tool` and `server`; both need `libc`, and `tool` needs `libold`. Locked at the versions that the archive offers.
    fn new() -> Self {
        let packages = vec![package("tool", "1", &["libc", "libold"]), package("server", "1", &["libc"]), package("libc", "1", &[]), package("libold", "1", &[]), package("linux", "1", &[])];
        let this = Self {
            folder: tempfile::tempdir().expect("a folder"),
            debian: Debian { packages, of_release: true },
            pypi: Pypi(BTreeMap::from([("model", vec![("1.0", "it")])])),
            said: Arc::default(),
        };
        let recipe = |name: &str, text: &str| {
            fs::create_dir_all(this.root().join("recipes").join(name)).expect("made");
            fs::write(this.path(name), text).expect("written");
        };
        recipe("tool", "summary = \"x\"\nlicense = \"MIT\"\ndebian = [\"tool\"]\n");
        recipe("server", "summary = \"x\"\nlicense = \"MIT\"\n[[extract]]\npackage = \"server\"\nfile = \"/s\"\npath = \"/s\"\nimage = \"initfs\"\n");
        recipe("model", MODEL);
        recipe("own", "summary = \"x\"\nlicense = \"MIT\"\n");
        fs::write(this.root().join("filesystem.toml"), "recipes = []\n[disk]\nsize_mib = 1\nesp_mib = 1\n[trim]\nremove = []\nkeep = []\n[linux]\npackage = \"linux\"\nmodules = []\n").expect("written");
        fs::write(this.root().join("recipes/debian.toml"), "[exclude]\n").expect("written");
        let locked = this.debian.packages.iter().map(|it| crate::debian::lock::Locked::of(it, it.depends.concat()));
        Lock::new(locked.collect()).expect("a lock").write(&this.lock_path()).expect("written");
        this
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    fn path(&self, recipe: &str) -> PathBuf {
        self.root().join("recipes").join(recipe).join("recipe.toml")
    }

    fn lock_path(&self) -> PathBuf {
        self.root().join("recipes/lock.toml")
    }

    fn offer(&mut self, name: &str, version: &str, depends: &[&str]) {
        self.debian.packages.retain(|it| it.name != name);
        self.debian.packages.push(package(name, version, depends));
    }

    fn report(&self) -> Report {
        let said = Arc::clone(&self.said);
        Report::new(move |event| {
            if let Event::Notice(text) = event {
                said.lock().expect("sound").push_str(&text);
            }
        })
    }

    fn said(&self) -> String {
        self.said.lock().expect("sound").clone()
    }

    fn find(&mut self, names: &[&str]) -> Result<Update> {
        let names: Vec<String> = names.iter().map(|it| (*it).to_owned()).collect();
        let (report, debian) = (self.report(), self.debian.clone());
        let mut archive = || Ok(Box::new(debian.clone()) as Box<dyn Archive>);
        let root = self.folder.path().to_owned();
        find_in(&root, &names, Sources { archive: &mut archive, index: &mut self.pypi }, &report)
    }

    #[track_caller]
    fn finds(&mut self, names: &[&str], wanted: &[&str]) -> Update {
        let update = self.find(names).expect("found");
        assert_eq!(update.changes.iter().map(ToString::to_string).collect::<Vec<_>>(), wanted);
        update
    }

    fn write(&mut self, update: &Update) -> Result<Vec<PathBuf>> {
        let report = self.report();
        update.write_from(&mut self.pypi, &report)
    }

    fn pins(&self) -> Vec<String> {
        Lock::read(&self.lock_path()).expect("a lock").iter().map(|it| format!("{} {}", it.name, it.version)).collect()
    }

    /// All files with their texts.
    fn texts(&self) -> BTreeMap<PathBuf, String> {
        let mut files: Vec<PathBuf> = ["tool", "server", "model", "own"].iter().map(|it| self.path(it)).collect();
        files.push(self.lock_path());
        files.into_iter().map(|it| (it.clone(), fs::read_to_string(it).expect("there"))).collect()
    }
}

#[test]
fn nothing_is_newer() {
    let mut world = World::new();
    let before = world.texts();
    let update = world.finds(&[], &[]);
    assert_eq!((world.write(&update).expect("nothing to do"), world.texts()), (vec![], before));
    world.finds(&["own"], &[]);
    assert!(world.said().contains("own takes nothing from Debian or PyPI"), "{}", world.said());
}

#[test]
fn a_recipe_gets_newer_pins_of_what_it_needs() {
    let mut world = World::new();
    world.offer("tool", "2", &["libc", "libnew"]);
    world.offer("libnew", "1", &[]);
    world.offer("server", "2", &["libc"]);
    let before = world.texts();
    let update = world.finds(&["tool"], &["libnew 1 (Debian, not pinned yet)", "libold 1 (Debian, no longer needed)", "tool 1 -> 2 (Debian)"]);
    assert_eq!(world.texts(), before, "looking changes nothing");
    assert_eq!(world.write(&update).expect("written"), [world.lock_path()]);
    assert_eq!(world.pins(), ["libc 1", "libnew 1", "linux 1", "server 1", "tool 2"]);
    let lock = Lock::read(&world.lock_path()).expect("a lock");
    let tool = lock.get("tool").expect("pinned");
    assert!(tool.sha256 == package("tool", "2", &[]).sha256 && tool.depends == ["libc", "libnew"]);
    world.finds(&["tool"], &[]);
    world.finds(&[], &["server 1 -> 2 (Debian)"]);
}

#[test]
fn who_needs_what_is_newer_gets_newer_too() {
    let mut world = World::new();
    world.offer("libc", "2", &[]);
    world.offer("server", "2", &["libc"]);
    world.finds(&["tool"], &["libc 1 -> 2 (Debian)", "server 1 -> 2 (Debian)"]);
}

#[test]
fn what_debian_should_not_offer_is_refused() {
    let mut world = World::new();
    world.offer("libc", "0.9", &[]);
    world.finds(&["tool"], &[]);
    world.offer("libc", "2", &[]);
    world.debian.of_release = false;
    assert!(world.find(&["tool"]).expect_err("of another release").to_string().contains("only from outside"));
    let mut world = World::new();
    world.debian.packages[0].sha256 = "1".repeat(64);
    assert!(world.find(&["tool"]).expect_err("other content").to_string().contains("another file as tool 1"));
    world.debian.packages.remove(0);
    assert!(world.find(&["server"]).expect_err("gone").to_string().contains("no package tool"));
    assert!(world.find(&["serve"]).expect_err("no recipe").to_string().contains("there is no recipe \"serve\"; there is server"));
}

#[test]
fn a_release_is_pinned_and_the_rest_of_the_recipe_stays() {
    let mut world = World::new();
    world.pypi.0.insert("model", vec![("1.2rc1", "it"), ("1.1", "it"), ("1.0", "it")]);
    let update = world.finds(&["model"], &["model 1.0 -> 1.1 (PyPI)"]);
    assert_eq!(world.write(&update).expect("written"), [world.path("model")]);
    let sum = crate::host::hex(&<sha2::Sha256 as sha2::Digest>::digest("model==1.1"));
    let wanted = MODEL.replace("1.0-3", "1.1-1").replace("model==1.0", "model==1.1").replace(&"0".repeat(64), &sum);
    assert_eq!(fs::read_to_string(world.path("model")).expect("there"), wanted);
    assert_eq!(world.said(), "");
    world.finds(&["model"], &[]);
}

#[test]
fn a_version_of_the_recipes_own_stays() {
    let mut world = World::new();
    fs::write(world.path("model"), MODEL.replace("1.0-3", "7")).expect("written");
    world.pypi.0.insert("model", vec![("1.1", "it"), ("1.0", "it")]);
    let update = world.finds(&["model"], &["model 1.0 -> 1.1 (PyPI)"]);
    world.write(&update).expect("written");
    assert!(fs::read_to_string(world.path("model")).expect("there").contains("version = \"7\" # ours"));
    assert!(world.said().contains("does not follow that of model"), "{}", world.said());
}

#[test]
fn pins_that_the_index_does_not_list() {
    let mut world = World::new();
    world.pypi.0.insert("model", vec![("0.9", "it")]);
    world.finds(&["model"], &["model 1.0 -> 0.9 (PyPI)"]);
    assert!(world.said().contains("model 1.0 is no longer offered"), "{}", world.said());
    fs::write(world.path("model"), MODEL.replace("model==1.0", "model==1.2rc1")).expect("written");
    world.pypi.0.insert("model", vec![("1.2rc1", "it"), ("1.1", "it")]);
    world.finds(&["model"], &[]);
    world.pypi.0.insert("model", vec![("1.2", "it"), ("1.2rc1", "it")]);
    world.finds(&["model"], &["model 1.2rc1 -> 1.2 (PyPI)"]);
    world.pypi.0.insert("model", vec![]);
    assert!(world.find(&["model"]).expect_err("nothing").to_string().contains("no release of model"));
}

#[test]
fn what_goes_wrong_changes_nothing() {
    let mut world = World::new();
    world.offer("tool", "2", &["libc"]);
    world.pypi.0.insert("model", vec![("1.1", "other"), ("1.0", "it")]);
    let before = world.texts();
    let update = world.find(&[]).expect("found");
    let error = world.write(&update).expect_err("the wheel lacks the file").to_string();
    assert!(error.contains("model==1.1 has no file model/it"), "{error}");
    assert_eq!(world.texts(), before);
    world.pypi.0.insert("model", vec![("1.1", "it"), ("1.0", "it")]);
    let update = world.find(&[]).expect("found");
    fs::write(world.path("model"), MODEL.replace("1.0\"", "0.9\"")).expect("written");
    let before = world.texts();
    assert!(world.write(&update).expect_err("changed").to_string().contains("has changed meanwhile"));
    assert_eq!(world.texts(), before);
    let names: BTreeSet<_> = fs::read_dir(world.root().join("recipes")).expect("there").map(|it| it.expect("there").file_name()).collect();
    assert_eq!(names.len(), 6, "no temporary files are left: {names:?}");
}
