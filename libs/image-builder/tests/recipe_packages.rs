//! Packages of single recipes of a small repository.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use gpm::package::{Kind, Package, Trust};
use image_builder::build::{Builder, MadePackage};
use image_builder::debian::fetch::Missing;
use image_builder::recipe::Project;
use image_builder::{Report, Result};

struct Repository(tempfile::TempDir);

impl Repository {
    fn new() -> Self {
        let this = Self(tempfile::tempdir().expect("a folder"));
        this.write("filesystem.toml", "recipes = [\"two\", \"broken\", \"early\"]\n[disk]\nsize_mib = 1\nesp_mib = 1\n[trim]\nremove = []\nkeep = []\n[linux]\npackage = \"linux\"\nmodules = []\n");
        this.write("editions/a.toml", "summary = \"x\"\nremove = [\"two\"]\n");
        this.write("editions/b.toml", "summary = \"x\"\nadd = [\"one\"]\n");
        this.write("recipes/debian.toml", "[exclude]\n");
        this.write("recipes/lock.toml", "package = []\n");
        this.write(
            "recipes/one/recipe.toml",
            "summary = \"One\"\nlicense = \"MIT\"\nversion = \"1.2-1\"\ndepends = [\"two\"]\noptional = [{ dependency = \"idle\", reason = \"is idle\" }]\n[[program]]\npackage = \"true\"\npath = \"/bin/one\"\nimage = \"root\"\n\
             [[permission]]\npath = \"/etc/one.conf\"\nmode = \"0640\"\ngid = 7\n",
        );
        this.write("recipes/one/files/etc/one.conf", "level = 1\n");
        this.write("recipes/two/recipe.toml", "summary = \"Two\"\nlicense = \"MIT\"\n[[symlink]]\npath = \"/usr/bin/second\"\ntarget = \"one\"\n");
        this.write("recipes/two/files/usr/share/two/text", "two\n");
        this.write("recipes/broken/recipe.toml", "colour = 1\n");
        this.write("recipes/early/recipe.toml", "summary = \"x\"\nlicense = \"MIT\"\n");
        this.write("recipes/early/initfs/lib/it", "x");
        this.write("recipes/idle/recipe.toml", "summary = \"x\"\nlicense = \"MIT\"\n");
        this
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    }

    fn folder(&self) -> PathBuf {
        self.0.path().join("out")
    }

    fn build(&self, name: &str) -> Result<Vec<MadePackage>> {
        let project = Project::load_recipe(self.0.path(), name)?;
        let report = Report::new(|_| {});
        let programs = BTreeMap::from([("true".to_owned(), PathBuf::from("/bin/true"))]);
        let (out, cache) = (self.0.path().join("work"), self.0.path().join("cache"));
        let builder = Builder { project: &project, out, cache, missing: Missing::Fail, programs: programs.clone(), static_programs: programs, report: &report };
        builder.packages_of_recipes(&self.folder())
    }
}

fn names(made: &[MadePackage]) -> Vec<&str> {
    made.iter().map(|it| it.name.as_str()).collect()
}

fn modes(path: &Path) -> BTreeMap<String, (u32, u32)> {
    let package = Package::open(path, Trust::Anyone).expect("a sound package");
    let files = package.header().files.iter().filter(|it| !matches!(it.kind, Kind::Directory));
    files.map(|it| (it.path.clone(), (it.mode, it.gid))).collect()
}

#[test]
fn a_recipe_is_built_with_what_it_depends_on() {
    let repository = Repository::new();
    let project = Project::load_recipe(repository.0.path(), "one").expect("fine");
    assert_eq!(project.edition_name, "b", "the first that has it");
    let made = repository.build("one").expect("builds");
    assert_eq!(names(&made), ["one", "two"], "neither what is broken beside it, nor the edition's own");
    let one = &made[0];
    assert!(one.version == "1.2-1" && one.path.starts_with(repository.folder()) && one.bytes == fs::metadata(&one.path).expect("there").len());
    assert_eq!(modes(&one.path), BTreeMap::from([("usr/bin/one".into(), (0o755, 0)), ("etc/one.conf".into(), (0o640, 7))]));
    assert_eq!(modes(&made[1].path).into_keys().collect::<Vec<_>>(), ["usr/bin/second", "usr/share/two/text"]);
    let package = Package::open(&one.path, Trust::Anyone).expect("a sound package");
    let manifest = &package.header().manifest;
    assert_eq!(manifest.depends.iter().map(ToString::to_string).collect::<Vec<_>>(), ["two"]);
    let optional: Vec<_> = manifest.optional.iter().map(|it| (it.dependency.to_string(), it.reason.as_str(), it.default)).collect();
    assert_eq!(optional, [("idle".to_owned(), "is idle", false)]);
    assert_eq!(manifest.config, BTreeSet::from(["etc/one.conf".to_owned()]));
}

#[test]
fn what_has_not_changed_is_not_made_again() {
    let repository = Repository::new();
    let times = |made: &[MadePackage]| -> Vec<_> { made.iter().map(|it| fs::metadata(&it.path).and_then(|it| it.modified()).expect("there")).collect() };
    let first = times(&repository.build("one").expect("builds"));
    assert_eq!(times(&repository.build("one").expect("builds")), first);
    repository.write("recipes/two/files/usr/share/two/text", "other\n");
    let made = repository.build("one").expect("builds");
    assert!(times(&made)[1] > first[1]);
    assert!(names(&repository.build("two").expect("builds")) == ["two"] && !made[0].path.exists(), "packages of what is no part go");
}

#[test]
fn what_cannot_be_built_is_said() {
    let repository = Repository::new();
    let said = |name: &str| repository.build(name).expect_err("nothing to build").to_string();
    assert!(said("on").contains("there is no recipe \"on\"; there is one"));
    assert!(said("idle").contains("neither filesystem.toml nor an edition has"));
    assert!(said("broken").contains("line 1, column 1"), "{}", said("broken"));
    repository.write("recipes/two/recipe.toml", "summary = \"Two\"\nlicense = \"MIT\"\n[[permission]]\npath = \"/etc/nosuch\"\nmode = \"0600\"\n");
    assert!(said("one").contains("/etc/nosuch, which is not there"));
    assert!(!repository.folder().exists(), "nothing is written");
    assert_eq!(repository.build("early").expect("builds"), [], "the initfs has no packages");
}
