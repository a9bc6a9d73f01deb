//! The builder: from a project and its built programs to images in a folder. What has not changed is not made again.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::base;
use crate::cpio;
use crate::debian::fetch::{self, Fetched, Missing};
use crate::debian::lock::Lock;
use crate::disk;
use crate::error::{Error, IoContext, Result};
use crate::grub;
use crate::host::{self, Key};
use crate::packages::{self, Descriptions, Distribution};
use crate::recipe::{Extract, Project, Target};
use crate::report::Report;
use crate::tree::{Content, Entry, Kind, Tree};

/// What the boot menu of an image does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootOptions {
    /// Seconds until the default entry starts; 0 in tests.
    pub timeout_s: u32,
    /// The default entry's id (`full`, `educational`, `safe`, `console`, `recovery`).
    pub default_entry: String,
    /// Parameters after those of the entry and the edition.
    pub cmdline: String,
}

impl Default for BootOptions {
    fn default() -> Self {
        Self {
            timeout_s: 2,
            default_entry: "full".into(),
            cmdline: String::new(),
        }
    }
}

/// Makes the images of one edition.
pub struct Builder<'a> {
    /// What the repository says.
    pub project: &'a Project,
    /// Where images go.
    pub out: PathBuf,
    /// Where downloads and what is shared by editions stay: [`default_cache`].
    pub cache: PathBuf,
    /// What to do where a locked package is gone.
    pub missing: Missing,
    /// The workspace's programs by binary name, for the root (dynamic).
    pub programs: BTreeMap<String, PathBuf>,
    /// The same for initfs and initramfs (static-pie).
    pub static_programs: BTreeMap<String, PathBuf>,
    /// Who hears what happens.
    pub report: &'a Report,
}

/// A package file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadePackage {
    /// The package's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The file.
    pub path: PathBuf,
    /// The file's size.
    pub bytes: u64,
}

/// `$GOS_CACHE`, else `~/.cache/genai-os`.
pub fn default_cache() -> PathBuf {
    let home = || {
        PathBuf::from(std::env::var_os("HOME").unwrap_or_else(|| "/root".into()))
            .join(".cache/genai-os")
    };
    std::env::var_os("GOS_CACHE").map_or_else(home, PathBuf::from)
}

/// Strict where `GOS_STRICT` is set to something but `0`.
pub fn default_missing() -> Missing {
    match std::env::var_os("GOS_STRICT") {
        Some(value) if !value.is_empty() && value != "0" => Missing::Fail,
        _ => Missing::Replace,
    }
}

/// Zstandard's level for live media: the next ones take longer and save little.
const LIVE_LEVEL: i32 = 6;

/// Changes with the code here that decides what images look like, so that older ones count as stale.
const VERSION: &str = "4";

impl Builder<'_> {
    /// The packages of these names with all they need, verified in the cache.
    pub(crate) fn packages(&self, names: &[String]) -> Result<Vec<Fetched>> {
        let lock = Lock::read(&self.project.lock_path())?;
        fetch::fetch(
            names,
            &self.project.excluded,
            &lock,
            &self.cache.join("debs"),
            self.missing,
            self.report,
        )
    }

    /// The root tree without our own programs, the manifests of Debian's packages in it, and its key.
    fn base(&self) -> Result<(Tree, Descriptions, String)> {
        let packages = self.packages(&self.project.debian_packages())?;
        let mut key = Key::new("base");
        key.add(VERSION)
            .add(format!("{:?}", self.project.filesystem.trim));
        for fetched in &packages {
            key.add(&fetched.package.sha256);
        }
        base::key_of_recipes(&self.project.recipes, &mut key)?;
        let key = key.finish();
        let archive = self.out.join("base.tar");
        let (tree, manifests) = base::cached_with_owners(&archive, &key, || {
            let tree = base::assemble(
                &packages,
                &self.project.recipes,
                &self.project.filesystem.trim,
                self.report,
            )?;
            let manifests = packages::describe(&packages, &tree)?;
            Ok((tree, manifests))
        })?;
        Ok((tree, manifests, key))
    }

    /// What the recipes put into the root with whose it is, and what [`Self::base`] tells with it; and the time of what has none of its own.
    fn contents(&self) -> Result<(Tree, Descriptions, String, u64)> {
        let (mut tree, debian, base_key) = self.base()?;
        let stripped = self.out.join("programs");
        // Not when they were built: the same program gives the same package.
        let time = tree.iter().map(|(_, entry)| entry.mtime).max().unwrap_or_default();
        for recipe in &self.project.recipes {
            tree.own(&recipe.name);
            base::add_programs(
                recipe.program.iter().filter(|program| program.image == Target::Root),
                &self.programs,
                &stripped,
                Some(time),
                &mut tree,
                self.report,
            )?;
            for file in &recipe.pypi {
                let content = Content::Host(file.fetch(&self.cache, self.report)?);
                tree.insert(&file.path, Entry::new(Kind::File(content), 0o644, time))?;
            }
            for generated in &recipe.generated {
                base::generate(generated, &self.programs, time, &mut tree)?;
            }
        }
        tree.owners.current = None;
        Ok((tree, debian, base_key, time))
    }

    /// Makes the packages of the recipes in `folder`, and nothing of the edition's own. Tells the files of the recipes and their Debian packages.
    ///
    /// # Errors
    /// What the recipes ask for cannot be had, or contradicts itself.
    pub fn packages_of_recipes(&self, folder: &Path) -> Result<Vec<MadePackage>> {
        let (tree, debian, base_key, _) = self.contents()?;
        let edition = packages::edition_package(&self.project.edition_name);
        let manifests = packages::all(self.project, &debian, &tree)?;
        let mut parts = packages::split(&tree, &manifests, &edition, |name| !debian.contains_key(name))?;
        parts.retain(|part| part.manifest.name != edition);
        let keys = parts.iter().map(|part| part.key(&base_key)).collect::<Result<Vec<_>>>()?;
        let signers = packages::signers(&packages::keys(&self.cache)?)?;
        let paths = packages::write(&parts, &keys, &signers, folder)?;
        let made = parts.into_iter().zip(paths).map(|(part, path)| {
            let bytes = fs::metadata(&path).on("examine", &path)?.len();
            Ok(MadePackage { name: part.manifest.name, version: part.manifest.version.as_str().to_owned(), path, bytes })
        });
        made.collect()
    }

    /// The whole root tree as gpm has installed it, and its key.
    pub fn root(&self) -> Result<(Tree, String)> {
        let (mut tree, debian, base_key, time) = self.contents()?;
        let keys = packages::keys(&self.cache)?;
        let distribution = Distribution { out: &self.out, keys: &keys, report: self.report, time };
        let trust = |tree: &mut Tree| {
            let files = distribution.trusted()?;
            files.into_iter().try_for_each(|(path, text)| tree.insert(path, Entry::new(Kind::File(text.into()), 0o644, time)))
        };
        trust(&mut tree)?;
        self.install(&distribution, &tree, &debian, &base_key).or_else(|error| {
            // Whatever an older or interrupted build has left there: it can all be made again.
            self.report.notice(format!("{error}: the root is made anew"));
            distribution.forget()?;
            trust(&mut tree)?;
            self.install(&distribution, &tree, &debian, &base_key)
        })
    }

    /// Makes the packages of a tree and installs them where they are not installed already; what is installed then, and its key.
    fn install(&self, distribution: &Distribution<'_>, tree: &Tree, debian: &Descriptions, base_key: &str) -> Result<(Tree, String)> {
        let edition = packages::edition_package(&self.project.edition_name);
        let manifests = packages::all(self.project, debian, tree)?;
        let parts = packages::split(tree, &manifests, &edition, |name| !debian.contains_key(name))?;
        let keys = parts.iter().map(|part| part.key(base_key)).collect::<Result<Vec<_>>>()?;
        let mut key = Key::new("root");
        for part in &keys {
            key.add(part);
        }
        let key = key.finish();
        let stamp = self.out.join("root.key");
        let is_there = self.out.join("root").join(gpm::path::STATE).join("policy.json").exists();
        if is_there && fs::read_to_string(&stamp).is_ok_and(|old| old == key) {
            return Ok((packages::read_back(distribution)?, key));
        }
        let _ = fs::remove_file(&stamp);
        self.report.step(format!("installing {} packages", parts.len()));
        let files = packages::write(&parts, &keys, &distribution.signers()?, &self.out.join("packages"))?;
        let recipes = self.project.recipes.iter().flat_map(|recipe| recipe.debian.iter().chain([&recipe.name]));
        let manual = recipes.chain([&edition]).filter(|name| manifests.contains_key(*name)).cloned().collect();
        packages::install(distribution, &parts, &files, &manual)?;
        let installed = packages::read_back(distribution)?;
        packages::compare(tree, &installed)?;
        fs::write(&stamp, &key).on("write", &stamp)?;
        Ok((installed, key))
    }

    pub(crate) fn key_of_programs(
        &self,
        target: Target,
        built: &BTreeMap<String, PathBuf>,
        key: &mut Key,
    ) -> Result<()> {
        for program in self.project.programs(target) {
            key.add(format!("{program:?}"));
            if let Some(path) = built.get(program.binary()) {
                key.add_file(path)?;
            }
        }
        Ok(())
    }

    /// The tree of the initfs or the initramfs: our programs, and the mount points that a start needs.
    pub(crate) fn early_tree(&self, target: Target) -> Result<Tree> {
        let mut tree = Tree::default();
        let time = 0;
        for directory in [
            "bin", "dev", "etc", "proc", "root", "run", "sbin", "scheme", "sys", "tmp",
        ] {
            tree.insert(directory, Entry::new(Kind::Directory, 0o755, time))?;
        }
        let stripped = self.out.join("programs-static");
        base::add_programs(
            self.project.programs(target),
            &self.static_programs,
            &stripped,
            None,
            &mut tree,
            self.report,
        )?;
        Ok(tree)
    }

    /// The packages of which single files go into `target`.
    fn extracted_packages(&self, target: Target) -> Result<Vec<(&Extract, Fetched)>> {
        let extracts = self.project.extracts(target);
        let packages = |extract: &'_ Extract| self.packages(std::slice::from_ref(&extract.package));
        extracts
            .map(|extract| {
                let found = packages(extract)?
                    .into_iter()
                    .find(|fetched| fetched.package.name == extract.package);
                let missing = || Error::Packages(format!("{} is not to be had", extract.package));
                Ok((extract, found.ok_or_else(missing)?))
            })
            .collect()
    }

    /// Makes the initfs, `initfs.cpio`.
    pub fn initfs(&self) -> Result<PathBuf> {
        let output = self.out.join("initfs.cpio");
        let extracted = self.extracted_packages(Target::Initfs)?;
        let symlinks: Vec<_> = self
            .project
            .recipes
            .iter()
            .flat_map(|recipe| &recipe.initfs_symlink)
            .collect();
        let mut key = Key::new("initfs");
        key.add(VERSION).add(format!("{symlinks:?}"));
        for (extract, fetched) in &extracted {
            key.add(format!("{extract:?}")).add(&fetched.package.sha256);
        }
        base::key_of_recipes(&self.project.recipes, &mut key)?;
        self.key_of_programs(Target::Initfs, &self.static_programs, &mut key)?;
        host::make_once(&output, &key.finish(), |temporary| {
            let bytes = cpio::archive(&self.initfs_tree(&extracted)?)?;
            fs::write(temporary, bytes).on("write", temporary)
        })?;
        Ok(output)
    }

    /// What the initfs holds.
    fn initfs_tree(&self, extracted: &[(&Extract, Fetched)]) -> Result<Tree> {
        let mut tree = self.early_tree(Target::Initfs)?;
        for (extract, fetched) in extracted {
            base::extract(&fetched.path, &extract.file, &extract.path, &mut tree)?;
        }
        for recipe in &self.project.recipes {
            for symlink in &recipe.initfs_symlink {
                let entry = Entry::new(Kind::Symlink(symlink.target.clone()), 0o777, 0);
                tree.insert(&symlink.path, entry)?;
            }
        }
        for recipe in &self.project.recipes {
            base::add_initfs_files(recipe, Target::Initfs, &mut tree)?;
        }
        Ok(tree)
    }

    /// The initfs of a live medium, `live-initfs.cpio`: with a disk, compressed, and what serves it.
    pub(crate) fn live_initfs(&self, disk: &Path) -> Result<PathBuf> {
        let compressed = self.out.join("live.disk");
        let mut key = Key::new("live disk 1");
        key.add_file(disk)?;
        host::make_once(&compressed, &key.finish(), |temporary| {
            self.report.step(format!("compressing {}", disk.display()));
            let mut from = fs::File::open(disk).on("open", disk)?;
            let bytes = from.metadata().on("examine", disk)?.len();
            let mut to = fs::File::create(temporary).on("create", temporary)?;
            live_disk::write(&mut from, bytes, LIVE_LEVEL, &mut to).on("write", temporary)
        })?;
        let output = self.out.join("live-initfs.cpio");
        let initfs = self.initfs()?;
        let mut key = Key::new("live initfs 1");
        key.add_file(&compressed)?.add_file(&initfs)?;
        self.key_of_programs(Target::Live, &self.static_programs, &mut key)?;
        base::key_of_recipes(&self.project.recipes, &mut key)?;
        host::make_once(&output, &key.finish(), |temporary| {
            let mut tree = self.initfs_tree(&self.extracted_packages(Target::Initfs)?)?;
            let programs = self.project.programs(Target::Live);
            base::add_programs(programs, &self.static_programs, &self.out.join("programs-static"), None, &mut tree, self.report)?;
            for recipe in &self.project.recipes {
                base::add_initfs_files(recipe, Target::Live, &mut tree)?;
            }
            tree.insert("live.disk", Entry::new(Kind::File(Content::Host(compressed.clone())), 0o600, 0))?;
            fs::write(temporary, cpio::archive(&tree)?).on("write", temporary)
        })?;
        Ok(output)
    }

    /// Makes the disk, `disk.img`, around a kernel ELF.
    pub fn disk(&self, kernel: &Path, boot: &BootOptions) -> Result<PathBuf> {
        let output = self.out.join("disk.img");
        let initfs = self.initfs()?;
        let (root, root_key) = self.root()?;
        self.project.edition.bounds.check_size(&self.project.edition_name, &root)?;
        let esp = self.esp(kernel, &initfs, boot)?;
        let core = self.out.join("grub/core.img");
        host::make_once(&core, &grub_key("i386-pc")?, grub::bios_core)?;
        let sizes = self.project.filesystem.disk;
        let mut key = Key::new("disk");
        key.add(VERSION).add(&root_key).add(format!(
            "{sizes:?} {boot:?} {} {:?}",
            self.project.edition.cmdline, self.project.edition.bounds
        ));
        key.add_file(kernel)?
            .add_file(&initfs)?
            .add_file(&core)?
            .add_file(&self.out.join("grub/BOOTX64.EFI"))?;
        key_of_grub_files(&self.project.root, &mut key)?;
        let time = root
            .iter()
            .map(|(_, entry)| entry.mtime)
            .max()
            .unwrap_or_default();
        let key = key.finish();
        let read_core = || fs::read(&core).on("read", &core);
        // The root takes nearly all the time and changes seldom: where it is the same only the rest is written. That happens in place, so
        // the disk has no key meanwhile.
        let root_stamp = host::with_suffix(&output, ".root-key");
        let mut root_key_of_disk = Key::new("disk's root");
        root_key_of_disk
            .add(VERSION)
            .add(root_key)
            .add(format!("{sizes:?}"));
        let root_key = root_key_of_disk.finish();
        let has_root = |stamp: &Path| fs::read_to_string(stamp).is_ok_and(|old| old == root_key);
        if output.exists() && has_root(&root_stamp) {
            let stamp = host::with_suffix(&output, ".key");
            if !fs::read_to_string(&stamp).is_ok_and(|old| old == key) {
                let _ = fs::remove_file(&stamp);
                disk::rewrite_boot_parts(&output, sizes, &esp, read_core()?)?;
                fs::write(&stamp, &key).on("write", &stamp)?;
            }
            return Ok(output);
        }
        let _ = fs::remove_file(&root_stamp);
        host::make_once(&output, &key, |temporary| {
            self.report.step(format!(
                "writing {} ({} entries)",
                output.display(),
                root.len()
            ));
            disk::write(
                temporary,
                sizes,
                disk::Parts {
                    root: &root,
                    esp: &esp,
                    core: read_core()?,
                    time,
                },
            )
        })?;
        fs::write(&root_stamp, root_key).on("write", &root_stamp)?;
        Ok(output)
    }

    /// The files of the EFI system partition.
    fn esp(&self, kernel: &Path, initfs: &Path, boot: &BootOptions) -> Result<Tree> {
        let efi = self.out.join("grub/BOOTX64.EFI");
        host::make_once(&efi, &grub_key("x86_64-efi")?, grub::efi_image)?;
        let mut tree = self.boot_files(kernel, initfs, boot)?;
        tree.insert(
            "EFI/BOOT/BOOTX64.EFI",
            Entry::new(Kind::File(Content::Host(efi)), 0o644, 0),
        )?;
        Ok(tree)
    }

    /// `/boot` of the ESP and of the ISO: kernel, initfs, GRUB's menu with its font.
    pub(crate) fn boot_files(
        &self,
        kernel: &Path,
        initfs: &Path,
        boot: &BootOptions,
    ) -> Result<Tree> {
        let mut tree = Tree::default();
        let mut add = |path: &str, content: Content| {
            tree.insert(path, Entry::new(Kind::File(content), 0o644, 0))
        };
        add("boot/genai-kernel", Content::Host(kernel.to_path_buf()))?;
        add("boot/initfs.cpio", Content::Host(initfs.to_path_buf()))?;
        add(
            "boot/grub/unicode.pf2",
            Content::Host(PathBuf::from("/usr/share/grub/unicode.pf2")),
        )?;
        add(
            "boot/grub/options.cfg",
            Content::from(options_cfg(&self.project.edition.cmdline, boot)?.into_bytes()),
        )?;
        for (inside, path) in grub_files(&self.project.root)? {
            if inside == "boot/grub/grub.cfg" {
                let menu = fs::read_to_string(&path).on("read", &path)?;
                add(&inside, Content::from(self.project.edition.bounds.limit_menu(&menu).into_bytes()))?;
            } else {
                add(&inside, Content::Host(path))?;
            }
        }
        Ok(tree)
    }
}

/// The files of `boot/grub/` with their paths in an image.
fn grub_files(root: &Path) -> Result<Vec<(String, PathBuf)>> {
    fn walk(folder: &Path, inside: &str, found: &mut Vec<(String, PathBuf)>) -> Result<()> {
        for entry in fs::read_dir(folder).on("read", folder)? {
            let entry = entry.on("read", folder)?;
            let inside = format!("{inside}/{}", entry.file_name().to_string_lossy());
            match entry.path() {
                path if path.is_dir() => walk(&path, &inside, found)?,
                path => found.push((inside, path)),
            }
        }
        Ok(())
    }
    let mut found = Vec::new();
    walk(&root.join("boot/grub"), "boot/grub", &mut found)?;
    found.sort();
    Ok(found)
}

pub(crate) fn key_of_grub_files(root: &Path, key: &mut Key) -> Result<()> {
    for (inside, path) in grub_files(root)? {
        key.add(inside).add(fs::read(&path).on("read", &path)?);
    }
    Ok(())
}

/// The state of the host's GRUB for one platform.
fn grub_key(platform: &str) -> Result<String> {
    let mut key = Key::new("grub");
    key.add(VERSION)
        .add_file(&Path::new("/usr/lib/grub").join(platform).join("normal.mod"))?;
    Ok(key.finish())
}

/// What `boot/grub/grub.cfg` reads from the image's builder.
fn options_cfg(edition: &str, boot: &BootOptions) -> Result<String> {
    let cmdline = format!("{edition} {}", boot.cmdline);
    for (what, text) in [
        ("boot parameters", &cmdline),
        ("default entry", &boot.default_entry),
    ] {
        if text.contains(['\'', '\n', '\0']) {
            return Err(Error::image(
                "GRUB",
                format!(
                    "{what} {text:?}: quotes and line breaks cannot be written into GRUB's menu"
                ),
            ));
        }
    }
    Ok(format!(
        "set gos_timeout={}\nset gos_default='{}'\nset gos_extra='{}'\n",
        boot.timeout_s,
        boot.default_entry,
        cmdline.trim()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_quoted_for_grub() {
        let boot = BootOptions {
            timeout_s: 0,
            default_entry: "console".into(),
            cmdline: "loglevel=7 debug-exit".into(),
        };
        let text = options_cfg("ai=local", &boot).expect("fine");
        assert_eq!(
            text,
            "set gos_timeout=0\nset gos_default='console'\nset gos_extra='ai=local loglevel=7 debug-exit'\n"
        );
        let bad = BootOptions {
            cmdline: "x'; halt; '".into(),
            ..boot
        };
        assert!(options_cfg("", &bad).is_err());
    }
}
