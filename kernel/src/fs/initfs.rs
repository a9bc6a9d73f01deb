//! The initfs: the cpio archive that the loader gave us, as a read-only tree. File data stay in the archive's memory; pages are copied on demand
//! and can be evicted.

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;

use frame::mm::{Frame, PAGE_SIZE};

use super::inode::{Inode, SetAttr};
use super::mount::SuperBlock;
use super::pagecache::{PageBackend, PageCache};
use super::stat::FileType;
use super::tmpfs::{TmpFs, TmpInode};
use crate::error::*;

/// Mount points that must exist before `init` runs.
const DIRECTORIES: &[&[u8]] = &[b"dev", b"proc", b"run", b"scheme", b"sys", b"tmp"];

struct ArchivedFile(&'static [u8]);

impl PageBackend for ArchivedFile {
    fn read_pages(&self, first: u64, pages: &[Frame]) -> Result<usize> {
        let start = (first as usize).saturating_mul(PAGE_SIZE).min(self.0.len());
        let end = (start + pages.len() * PAGE_SIZE).min(self.0.len());
        for (page, data) in pages.iter().zip(self.0[start..end].chunks(PAGE_SIZE)) {
            page.write(0, data);
        }
        Ok(end - start)
    }

    fn write_pages(&self, _first: u64, _pages: &[Frame], _len: usize) -> Result {
        Err(EROFS)
    }
}

/// Builds the filesystem. What cannot be read of the archive is logged and left out.
///
/// # Errors
/// `ENOMEM`.
pub fn build(archive: &'static [u8]) -> Result<Arc<SuperBlock>> {
    let fs = TmpFs::new("initfs", 0, u64::MAX, false);
    let root = fs.make_root(0o755, 0, 0)?;
    let mut linked: BTreeMap<u32, Arc<TmpInode>> = BTreeMap::new();
    let mut files = 0;
    for entry in cpio::Archive::new(archive) {
        let outcome = match entry {
            Ok(entry) => add(&root, &entry, &mut linked).map_err(|e| alloc::format!("{}: {e:?}", name(entry.name))),
            Err(error) => Err(alloc::format!("{error}")),
        };
        match outcome {
            Ok(()) => files += 1,
            Err(message) => crate::log::warning!("initfs: {message}"),
        }
    }
    for directory in DIRECTORIES {
        if root.child(directory).is_none() {
            root.add_kernel(directory, FileType::Directory as u32 | 0o755, 0, 0, 0)?;
        }
    }
    fs.freeze();
    crate::log::info!("initfs: {files} entries, {} KiB", archive.len() / 1024);
    Ok(SuperBlock::new("initfs", root, b"ro".to_vec()))
}

fn name(bytes: &[u8]) -> Cow<'_, str> {
    alloc::string::String::from_utf8_lossy(bytes)
}

fn add(root: &Arc<TmpInode>, entry: &cpio::Entry<'static>, linked: &mut BTreeMap<u32, Arc<TmpInode>>) -> Result {
    let kind = FileType::from_mode(entry.mode).ok_or(EINVAL)?;
    let time = SetAttr { mtime_ns: Some(i64::from(entry.mtime) * 1_000_000_000), ..SetAttr::default() };
    if entry.name.is_empty() {
        return root.set_attr(&SetAttr { mode: Some(entry.mode & 0o7777), ..time });
    }
    let (dir, last) = parent(root, entry.name)?;
    let inode = match kind {
        FileType::Symlink => return dir.add_kernel_link(last, entry.data),
        FileType::Directory => match dir.child(last) {
            Some(there) if there.file_type() == FileType::Directory => there,
            Some(_) => return Err(EEXIST),
            None => dir.add_kernel(last, entry.mode, 0, entry.uid, entry.gid)?,
        },
        FileType::Regular => return add_file(&dir, last, entry, &time, linked),
        _ => dir.add_kernel(last, entry.mode, super::makedev(entry.rdev.0, entry.rdev.1), entry.uid, entry.gid)?,
    };
    inode.set_attr(&SetAttr { mode: Some(entry.mode & 0o7777), ..time })
}

/// Hard links come as several entries with one inode number; the data may be with any of them.
fn add_file(
    dir: &TmpInode,
    last: &[u8],
    entry: &cpio::Entry<'static>,
    time: &SetAttr,
    linked: &mut BTreeMap<u32, Arc<TmpInode>>,
) -> Result {
    if entry.nlink > 1 {
        if let Some(first) = linked.get(&entry.ino) {
            if entry.data.is_empty() || first.attr()?.size > 0 {
                return dir.link(last, &(first.clone() as super::InodeRef));
            }
        }
    }
    let cache = PageCache::new(Arc::new(ArchivedFile(entry.data)), entry.data.len() as u64);
    let inode = dir.add_kernel_file(last, entry.mode, entry.uid, entry.gid, cache)?;
    inode.set_attr(time)?;
    if entry.nlink > 1 {
        linked.insert(entry.ino, inode);
    }
    Ok(())
}

/// The directory of a path's last component, made where it is missing.
fn parent<'n>(root: &Arc<TmpInode>, path: &'n [u8]) -> Result<(Arc<TmpInode>, &'n [u8])> {
    let mut parts = path.split(|b| *b == b'/').filter(|p| !p.is_empty() && *p != b".").peekable();
    let mut dir = root.clone();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return Ok((dir, part));
        }
        dir = match dir.child(part) {
            Some(child) => child,
            None => dir.add_kernel(part, FileType::Directory as u32 | 0o755, 0, 0, 0)?,
        };
    }
    Err(EINVAL)
}
