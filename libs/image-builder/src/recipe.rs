//! What an image is made of, as people write it: `recipes/<name>/recipe.toml`, `recipes/debian.toml`, `filesystem.toml` and
//! `editions/<name>.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use gpm::dependency::Dependency;
use gpm::manifest::Optional;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::bounds::Bounds;
use crate::debian::lock::Lock;
use crate::error::{Error, IoContext, Result};
use crate::lint;
use crate::pypi::FromPypi;

/// One package of the image.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// One line on what it is.
    pub summary: String,
    /// The licence of what it installs (SPDX).
    pub license: String,
    /// The version of its package; the project's where not given.
    #[serde(default)]
    pub version: Option<String>,
    /// The packages of other recipes that it needs, as in a package's manifest. Those of `debian` need not be named.
    #[serde(default)]
    pub depends: Vec<String>,
    /// Packages that help, as in a package's manifest. They need not be in the image.
    #[serde(default)]
    pub optional: Vec<Optional>,
    /// Whether nothing works without it: gpm does not remove it without a word that says so.
    #[serde(default)]
    pub essential: bool,
    /// Binary packages of Debian.
    #[serde(default)]
    pub debian: Vec<String>,
    /// Programs of this workspace.
    #[serde(default)]
    pub program: Vec<Program>,
    /// Files of Python's package index.
    #[serde(default)]
    pub pypi: Vec<FromPypi>,
    /// Files that programs write about themselves.
    #[serde(default)]
    pub generated: Vec<Generated>,
    /// Single files of Debian packages for the initfs or the initramfs.
    #[serde(default)]
    pub extract: Vec<Extract>,
    /// Symbolic links to make in the initfs.
    #[serde(default)]
    pub initfs_symlink: Vec<Symlink>,
    /// Directories to make.
    #[serde(default)]
    pub directory: Vec<Directory>,
    /// Symbolic links to make.
    #[serde(default)]
    pub symlink: Vec<Symlink>,
    /// Owners and modes of files that come from `files/`.
    #[serde(default)]
    pub permission: Vec<Permission>,
    /// The recipe's folder; what is in its `files/` goes into the root as it lies there, what is in its `initfs/` into the initfs, what is in its `live/` into that of live media.
    #[serde(skip)]
    pub folder: PathBuf,
    /// The folder's name.
    #[serde(skip)]
    pub name: String,
}

/// A program of this workspace and where it goes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// The cargo package.
    pub package: String,
    /// The binary's name; the package's where not given.
    #[serde(default)]
    binary: Option<String>,
    /// Its absolute path in the image.
    pub path: String,
    /// Which image it goes into.
    pub image: Target,
    /// Permission bits in octal; 755 where not given.
    #[serde(default)]
    mode: Option<Mode>,
    /// How it is linked.
    #[serde(default)]
    pub linkage: Linkage,
}

/// How a program is linked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Linkage {
    /// It needs nothing but a kernel.
    #[default]
    Static,
    /// It needs libraries that the recipe's Debian packages bring; the image's C library is that of the builder's release.
    Dynamic,
}

impl Program {
    /// The binary's name.
    pub fn binary(&self) -> &str {
        self.binary.as_deref().unwrap_or(&self.package)
    }

    pub(crate) fn mode(&self) -> u16 {
        self.mode.map_or(0o755, |mode| mode.0)
    }
}

/// A program of the recipe that is run on the builder's machine with a folder as its last argument; what it writes there goes into the root.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Generated {
    /// The binary's name.
    pub program: String,
    /// What comes before the folder.
    #[serde(default)]
    pub arguments: Vec<String>,
}

/// A file of a Debian package that goes into the initfs or the initramfs (of which no package is installed). It must be
/// statically linked.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extract {
    /// The Debian package.
    pub package: String,
    /// The file's absolute path in the package.
    pub file: String,
    /// Its absolute path in the image.
    pub path: String,
    /// Which image it goes into.
    pub image: Target,
}

/// Which image a program goes into. Those outside the root must be static-pie: there is no `ld.so` beside them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// The root filesystem.
    Root,
    /// The initfs, from which our kernel starts.
    Initfs,
    /// The initramfs of the Linux reference.
    Initramfs,
    /// What a live medium's initfs has besides.
    Live,
}

/// Permission bits, written as a string of octal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Mode(pub u16);

impl TryFrom<String> for Mode {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Self, String> {
        match u16::from_str_radix(&text, 8) {
            Ok(mode) if mode <= 0o7777 => Ok(Self(mode)),
            _ => Err(format!("mode \"{text}\" is not an octal number up to 7777")),
        }
    }
}

/// A directory to make.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Directory {
    /// Its absolute path.
    pub path: String,
    /// Permission bits.
    pub mode: Mode,
    /// The owner's number.
    #[serde(default)]
    pub uid: u32,
    /// The group's number.
    #[serde(default)]
    pub gid: u32,
}

/// A symbolic link to make; replaces what a package has there.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Symlink {
    /// Its absolute path.
    pub path: String,
    /// What it points to.
    pub target: String,
}

/// Owner and mode of a file or directory that is there.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Permission {
    /// Its absolute path.
    pub path: String,
    /// Permission bits.
    pub mode: Mode,
    /// The owner's number.
    #[serde(default)]
    pub uid: u32,
    /// The group's number.
    #[serde(default)]
    pub gid: u32,
    /// A program's capabilities, as setcap(8) is given them: `cap_net_raw+ep`.
    #[serde(default)]
    pub capabilities: Option<String>,
}

/// `recipes/debian.toml`: what is left out of Debian's dependencies, each with the reason.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Debian {
    pub exclude: BTreeMap<String, String>,
}

/// `filesystem.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filesystem {
    /// The recipes of every edition.
    pub recipes: Vec<String>,
    /// Sizes of the disk.
    pub disk: DiskSizes,
    /// What of the packages is left out.
    pub trim: Trim,
    /// What `--kernel linux` boots.
    pub linux: Linux,
}

/// Sizes in MiB.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiskSizes {
    /// The whole disk; the root partition takes what is left.
    pub size_mib: u64,
    /// The EFI system partition.
    pub esp_mib: u64,
}

/// Path patterns (`*` within a component, `**` across); a directory's pattern takes what is below it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trim {
    /// What is left out.
    pub remove: Vec<String>,
    /// What stays all the same.
    pub keep: Vec<String>,
}

/// The Linux reference.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Linux {
    /// Debian's kernel package (a metapackage).
    pub package: String,
    /// The modules that the initramfs loads, what they need is added.
    pub modules: Vec<String>,
}

/// `editions/<name>.toml`: how an edition differs from `filesystem.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edition {
    /// One line on whom it is for.
    pub summary: String,
    /// Recipes beyond those of `filesystem.toml`.
    #[serde(default)]
    pub add: Vec<String>,
    /// Recipes of `filesystem.toml` that it leaves out.
    #[serde(default)]
    pub remove: Vec<String>,
    /// Boot parameters after those of the menu entry.
    #[serde(default)]
    pub cmdline: String,
    /// The whole disk in MiB, where it differs.
    #[serde(default)]
    pub size_mib: Option<u64>,
    /// Patterns of what stays although `filesystem.toml` leaves it out.
    #[serde(default)]
    pub keep: Vec<String>,
    /// The limits that it keeps.
    #[serde(default)]
    pub bounds: Bounds,
}

/// Everything read and checked, for one edition.
#[derive(Debug)]
pub struct Project {
    /// The repository's folder.
    pub root: PathBuf,
    /// The edition's name.
    pub edition_name: String,
    /// The edition.
    pub edition: Edition,
    /// The image.
    pub filesystem: Filesystem,
    /// The edition's recipes, in the order in which they are installed.
    pub recipes: Vec<Recipe>,
    /// Debian packages that no dependency brings in.
    pub excluded: BTreeSet<String>,
    /// Packages that are not made here, but that dependencies may name: none where the recipes are all of an edition.
    pub beside: BTreeSet<String>,
}

impl Project {
    /// Reads what the repository at `root` says about an edition.
    pub fn load(root: &Path, edition_name: &str) -> Result<Self> {
        let (mut this, names) = Self::without_recipes(root, edition_name)?;
        this.recipes = names
            .iter()
            .map(|name| Recipe::load(root, name))
            .collect::<Result<Vec<_>>>()?;
        Ok(this)
    }

    /// Reads a recipe with the recipes that it depends on, as the first edition has them that has it.
    ///
    /// # Errors
    /// There is no such recipe, no edition has it, or one of these files is wrong.
    pub fn load_recipe(root: &Path, name: &str) -> Result<Self> {
        let all = lint::recipes(root)?;
        if !all.contains(name) {
            return Err(lint::unknown_recipe(root, name, &all));
        }
        for edition in Self::editions(root)? {
            let (mut this, names) = Self::without_recipes(root, &edition)?;
            if !names.iter().any(|it| it == name) {
                continue;
            }
            let mut found: BTreeMap<String, Recipe> = BTreeMap::new();
            let mut next = vec![name.to_owned()];
            while let Some(name) = next.pop() {
                let recipe = Recipe::load(root, &name)?;
                for dependency in recipe.depends.iter().filter_map(|it| it.parse::<Dependency>().ok()) {
                    let there = dependency.alternatives.into_iter().map(|it| it.name).filter(|it| names.contains(it));
                    next.extend(there.filter(|it| *it != name && !found.contains_key(it)));
                }
                found.insert(name, recipe);
            }
            this.recipes = names.iter().filter_map(|name| found.remove(name)).collect();
            this.beside = names.into_iter().collect();
            this.beside.extend(Lock::read(&this.lock_path())?.iter().map(|it| it.name.clone()));
            return Ok(this);
        }
        Err(Error::config(root.join("recipes").join(name), "neither filesystem.toml nor an edition has this recipe"))
    }

    /// All but the recipes, and the names of these in the order in which they are installed.
    fn without_recipes(root: &Path, edition_name: &str) -> Result<(Self, Vec<String>)> {
        let mut filesystem: Filesystem = read(&root.join("filesystem.toml"))?;
        let edition_path = root.join("editions").join(format!("{edition_name}.toml"));
        if !edition_path.exists() {
            let known = Self::editions(root)?.join(", ");
            return Err(Error::config(
                edition_path,
                format!("there is no edition {edition_name}; there are: {known}"),
            ));
        }
        let edition: Edition = read(&edition_path)?;
        edition.bounds.check(&edition_path, &edition.cmdline)?;
        if let Some(size) = edition.size_mib {
            filesystem.disk.size_mib = size;
        }
        filesystem.trim.keep.extend(edition.keep.iter().cloned());
        let mut names = filesystem.recipes.clone();
        if let Some(name) = edition.remove.iter().find(|name| !names.contains(name)) {
            return Err(Error::config(
                edition_path,
                format!("removes recipe {name}, which filesystem.toml does not have"),
            ));
        }
        names.retain(|name| !edition.remove.contains(name));
        names.extend(edition.add.iter().cloned());
        let this = Self {
            excluded: excluded(root)?,
            root: root.to_path_buf(),
            edition_name: edition_name.to_owned(),
            edition,
            filesystem,
            recipes: Vec::new(),
            beside: BTreeSet::new(),
        };
        Ok((this, names))
    }

    /// The names of all editions.
    pub fn editions(root: &Path) -> Result<Vec<String>> {
        let folder = root.join("editions");
        let mut names = Vec::new();
        for entry in fs::read_dir(&folder).on("read", &folder)? {
            let path = entry.on("read", &folder)?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "toml")
            {
                names.extend(
                    path.file_stem()
                        .map(|stem| stem.to_string_lossy().into_owned()),
                );
            }
        }
        names.sort();
        Ok(names)
    }

    /// The workspace's programs that go into `target`, with where they go. A caller builds these.
    pub fn programs(&self, target: Target) -> impl Iterator<Item = &Program> {
        self.recipes
            .iter()
            .flat_map(|recipe| &recipe.program)
            .filter(move |program| program.image == target)
    }

    /// The files of Debian packages that go into `target`.
    pub fn extracts(&self, target: Target) -> impl Iterator<Item = &Extract> {
        self.recipes
            .iter()
            .flat_map(|recipe| &recipe.extract)
            .filter(move |extract| extract.image == target)
    }

    /// The Debian packages that the root's recipes name.
    pub fn debian_packages(&self) -> Vec<String> {
        self.recipes
            .iter()
            .flat_map(|recipe| recipe.debian.iter().cloned())
            .collect()
    }

    /// The lock file.
    pub fn lock_path(&self) -> PathBuf {
        self.root.join("recipes/lock.toml")
    }
}

/// What `recipes/debian.toml` leaves out.
fn excluded(root: &Path) -> Result<BTreeSet<String>> {
    let path = root.join("recipes/debian.toml");
    let debian: Debian = read(&path)?;
    match debian
        .exclude
        .iter()
        .find(|(_, reason)| reason.trim().is_empty())
    {
        Some((name, _)) => Err(Error::config(
            path,
            format!("exclusion of {name} has no reason"),
        )),
        None => Ok(debian.exclude.into_keys().collect()),
    }
}

/// The Debian packages that any edition's recipes name, and the reference's kernel: what a lock file covers.
pub fn all_debian_packages(root: &Path) -> Result<(Vec<String>, BTreeSet<String>)> {
    let mut names = BTreeSet::new();
    let folder = root.join("recipes");
    for entry in fs::read_dir(&folder).on("read", &folder)? {
        let entry = entry.on("read", &folder)?;
        if entry.path().join("recipe.toml").exists() {
            let recipe = Recipe::load(root, &entry.file_name().to_string_lossy())?;
            names.extend(recipe.debian);
            names.extend(recipe.extract.into_iter().map(|extract| extract.package));
        }
    }
    let filesystem: Filesystem = read(&root.join("filesystem.toml"))?;
    names.insert(filesystem.linux.package);
    Ok((names.into_iter().collect(), excluded(root)?))
}

impl Recipe {
    /// Reads the recipe of this name in the repository at `root`.
    ///
    /// # Errors
    /// It is not there, or wrong.
    pub fn load(root: &Path, name: &str) -> Result<Self> {
        let folder = root.join("recipes").join(name);
        let path = folder.join("recipe.toml");
        let text = fs::read_to_string(&path).on("read", &path)?;
        let mut recipe = lint::read_recipe(&text).map_err(|problems| {
            let more = match problems.len() {
                0 | 1 => String::new(),
                count => format!(" (and {} more: `./gos recipe lint {name}`)", count - 1),
            };
            let first = problems.into_iter().next().map(|(line, column, message)| format!("line {line}, column {column}: {message}"));
            Error::config(&path, format!("{}{more}", first.unwrap_or_default()))
        })?;
        name.clone_into(&mut recipe.name);
        recipe.folder = folder;
        Ok(recipe)
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = fs::read_to_string(path).on("read", path)?;
    toml::from_str(&text).map_err(|error| Error::config(path, error))
}
