//! The Linux reference (`--kernel linux`): Debian's kernel, an initramfs of our own, and the same root on ext4.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use object::{Object, ObjectSection};

use crate::base;
use crate::build::Builder;
use crate::cpio;
use crate::disk::Layout;
use crate::error::{Error, IoContext, Result};
use crate::ext4;
use crate::host::{self, Key};
use crate::recipe::Target;
use crate::tree::{Entry, Kind, Tree};

/// What QEMU needs to boot the reference: `-kernel`, `-initrd`, and a raw virtio disk whose whole is the root
/// (`root=/dev/vda`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinuxReference {
    /// Debian's kernel image.
    pub kernel: PathBuf,
    /// Our initramfs.
    pub initramfs: PathBuf,
    /// The root as ext4.
    pub disk: PathBuf,
}

/// Folders of modules (below `kernel/`) that are kept for dependencies; the rest of the package is 300 MB.
const MODULE_FOLDERS: &[&str] = &[
    "arch/x86/crypto/",
    "crypto/",
    "drivers/block/virtio_blk",
    "drivers/char/hw_random/",
    "drivers/char/virtio_console",
    "drivers/gpu/drm/drm",
    "drivers/gpu/drm/virtio/",
    "drivers/input/evdev",
    "drivers/net/net_failover",
    "drivers/net/virtio_net",
    "drivers/virtio/",
    "fs/ext4/",
    "fs/jbd2/",
    "fs/mbcache",
    "lib/",
    "net/core/",
];

impl Builder<'_> {
    /// Makes the reference, in `linux/` of the output folder.
    pub fn linux(&self) -> Result<LinuxReference> {
        let folder = self.out.join("linux");
        let (kernel_tree, kernel_key) = self.kernel_files()?;
        let kernel = folder.join("vmlinuz");
        host::make_once(&kernel, &kernel_key, |temporary| {
            let image = kernel_tree
                .iter()
                .find(|(path, _)| path.starts_with("boot/vmlinuz-"));
            let Some((
                _,
                Entry {
                    kind: Kind::File(content),
                    ..
                },
            )) = image
            else {
                return Err(Error::Packages(
                    "the kernel package holds no boot/vmlinuz".into(),
                ));
            };
            fs::write(temporary, content.read()?).on("write", temporary)
        })?;
        Ok(LinuxReference {
            kernel,
            initramfs: self.initramfs(&folder, &kernel_tree, &kernel_key)?,
            disk: self.linux_root(&folder)?,
        })
    }

    /// The kernel image and the modules that may be needed, out of Debian's package, kept in the cache.
    fn kernel_files(&self) -> Result<(Tree, String)> {
        let package = &self.project.filesystem.linux.package;
        let packages = self.packages(std::slice::from_ref(package))?;
        // The metapackage brings the one that holds the kernel.
        let image = packages
            .iter()
            .find(|fetched| fetched.package.name != *package);
        let image = image
            .or(packages.first())
            .ok_or_else(|| Error::Packages(format!("{package} is empty")))?;
        let mut key = Key::new("linux kernel 1");
        key.add(&image.package.sha256).add(MODULE_FOLDERS.join(" "));
        let key = key.finish();
        let archive = self.cache.join("linux").join(format!(
            "{}_{}.tar",
            image.package.name, image.package.version
        ));
        let tree = base::cached(&archive, &key, || {
            self.report.step(format!(
                "unpacking {} {}",
                image.package.name, image.package.version
            ));
            let mut tree = Tree::default();
            base::unpack(&image.path, &mut tree, wanted)?;
            Ok(tree)
        })?;
        Ok((tree, key))
    }

    fn initramfs(&self, folder: &Path, kernel: &Tree, kernel_key: &str) -> Result<PathBuf> {
        let output = folder.join("initramfs.cpio");
        let modules = &self.project.filesystem.linux.modules;
        let mut key = Key::new("initramfs 1");
        key.add(kernel_key).add(modules.join(" "));
        self.key_of_programs(Target::Initramfs, &self.static_programs, &mut key)?;
        host::make_once(&output, &key.finish(), |temporary| {
            let mut tree = self.early_tree(Target::Initramfs)?;
            let mut list = String::new();
            for (name, entry) in load_order(kernel, modules)? {
                let path = format!("modules/{name}.ko");
                list.push_str(&format!("/{path}\n"));
                tree.insert(&path, entry)?;
            }
            // The first program reads this list; it is in the order of loading.
            tree.insert(
                "modules/list",
                Entry::new(Kind::File(list.into_bytes().into()), 0o644, 0),
            )?;
            fs::write(temporary, cpio::archive(&tree)?).on("write", temporary)
        })?;
        Ok(output)
    }

    fn linux_root(&self, folder: &Path) -> Result<PathBuf> {
        let output = folder.join("root.ext4");
        let (root, root_key) = self.root()?;
        let size = Layout::new(self.project.filesystem.disk)?.root.1;
        let mut key = Key::new("ext4 1");
        key.add(root_key).add(size.to_le_bytes());
        host::make_once(&output, &key.finish(), |temporary| {
            self.report.step(format!(
                "writing {} ({} entries)",
                output.display(),
                root.len()
            ));
            ext4::create(temporary, size, &root)
        })?;
        Ok(output)
    }
}

/// Whether a file of the kernel package is kept.
fn wanted(path: &str) -> bool {
    let module = path
        .strip_prefix("lib/modules/")
        .and_then(|rest| rest.split_once('/'))
        .map(|(_, rest)| rest);
    match module.map(|rest| (rest, rest.strip_prefix("kernel/"))) {
        Some((_, Some(inside))) => {
            MODULE_FOLDERS
                .iter()
                .any(|folder| inside.starts_with(folder))
                && inside.ends_with(".ko")
        }
        Some((file, None)) => file == "modules.builtin",
        None => path.starts_with("boot/vmlinuz-"),
    }
}

/// Module names are the same with `-` and `_`.
fn module_name(path: &str) -> String {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.strip_suffix(".ko").unwrap_or(file).replace('-', "_")
}

/// The modules asked for with all that they depend on, each after what it needs; those built into the kernel are left out.
fn load_order(kernel: &Tree, names: &[String]) -> Result<Vec<(String, Entry)>> {
    let modules: BTreeMap<String, &Entry> = kernel
        .iter()
        .filter(|(path, _)| path.ends_with(".ko"))
        .map(|(path, entry)| (module_name(path), entry))
        .collect();
    let mut built_in = BTreeSet::new();
    for (_, entry) in kernel
        .iter()
        .filter(|(path, _)| path.ends_with("/modules.builtin"))
    {
        if let Kind::File(content) = &entry.kind {
            built_in.extend(
                String::from_utf8_lossy(&content.read()?)
                    .lines()
                    .map(module_name),
            );
        }
    }
    let mut order = Vec::new();
    let mut done = BTreeSet::new();
    for name in names {
        visit(
            &module_name(name),
            &modules,
            &built_in,
            &mut done,
            &mut order,
        )?;
    }
    Ok(order)
}

fn visit(
    name: &str,
    modules: &BTreeMap<String, &Entry>,
    built_in: &BTreeSet<String>,
    done: &mut BTreeSet<String>,
    order: &mut Vec<(String, Entry)>,
) -> Result<()> {
    if built_in.contains(name) || !done.insert(name.to_owned()) {
        return Ok(());
    }
    let Some(Entry {
        kind: Kind::File(content),
        mtime,
        ..
    }) = modules.get(name)
    else {
        return Err(Error::Packages(format!(
            "the kernel package has no module {name} in the folders that are looked into"
        )));
    };
    let bytes = content.read()?;
    for needed in dependencies(&bytes)
        .map_err(|reason| Error::Packages(format!("module {name}: {reason}")))?
    {
        visit(&module_name(&needed), modules, built_in, done, order)?;
    }
    order.push((
        name.to_owned(),
        Entry::new(Kind::File(bytes.into()), 0o644, *mtime),
    ));
    Ok(())
}

/// What a module says it depends on: `depends=a,b` among the NUL-separated strings of its section `.modinfo`.
/// Soft dependencies (ext4 wants `crc32c`) are named in `filesystem.toml`.
fn dependencies(module: &[u8]) -> std::result::Result<Vec<String>, String> {
    let elf = object::File::parse(module).map_err(|error| error.to_string())?;
    let section = elf
        .section_by_name(".modinfo")
        .ok_or("no section .modinfo")?;
    let data = section.data().map_err(|error| error.to_string())?;
    let mut names = Vec::new();
    for text in data.split(|byte| *byte == 0).map(String::from_utf8_lossy) {
        if let Some(list) = text.strip_prefix("depends=") {
            names.extend(
                list.split(',')
                    .filter(|name| !name.is_empty())
                    .map(String::from),
            );
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_be_needed_is_kept() {
        assert!(wanted("boot/vmlinuz-6.1.0-1-amd64"));
        assert!(wanted("lib/modules/6.1.0-1-amd64/kernel/fs/ext4/ext4.ko"));
        assert!(wanted("lib/modules/6.1.0-1-amd64/modules.builtin"));
        assert!(!wanted(
            "lib/modules/6.1.0-1-amd64/kernel/drivers/gpu/drm/amd/amdgpu/amdgpu.ko"
        ));
        assert!(!wanted("usr/share/doc/x"));
        assert_eq!(
            module_name("kernel/crypto/crc32c-generic.ko"),
            "crc32c_generic"
        );
    }

    #[test]
    fn a_file_that_is_no_module_is_refused() {
        assert!(dependencies(b"not an ELF").is_err());
    }
}
