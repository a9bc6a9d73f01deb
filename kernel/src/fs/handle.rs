//! File handles (`name_to_handle_at(2)`, `open_by_handle_at(2)`): names of inodes for good, for programs that keep one for longer than any path stays true.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::dentry::Dentry;
use super::file::{OpenFile, OpenFlags};
use super::inode::InodeRef;
use super::lookup;
use super::mount::{Mount, SuperBlock};
use super::path::Path;
use super::stat::FileType;
use crate::error::*;

/// An inode's number, and what tells it from those that had the number before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileHandle {
    /// The number.
    pub ino: u64,
    /// Differs between inodes that had the number one after the other.
    pub generation: u32,
}

impl FileHandle {
    /// Bytes of an encoded handle: generation (u32), number (u64).
    pub const BYTES: usize = 12;
    /// Its type for programs: Linux's `FILEID_INO32_GEN`, under which its tmpfs gives handles of this form.
    pub const TYPE: i32 = 1;

    /// As bytes.
    pub fn encode(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..4].copy_from_slice(&self.generation.to_le_bytes());
        bytes[4..].copy_from_slice(&self.ino.to_le_bytes());
        bytes
    }

    /// From bytes; `None` where they are too few, or of another type.
    pub fn decode(kind: i32, bytes: &[u8]) -> Option<Self> {
        let (generation, rest) = bytes.split_first_chunk()?;
        let ino = rest.first_chunk()?;
        (kind == Self::TYPE).then_some(Self { ino: u64::from_le_bytes(*ino), generation: u32::from_le_bytes(*generation) })
    }

    /// What it names, seen through `mount`.
    ///
    /// # Errors
    /// `ESTALE` where it is gone, `EINTR`.
    pub fn find(self, mount: &Arc<Mount>) -> Result<Path> {
        let sb = &mount.sb;
        let inode = sb.root.inode().by_handle(self).map_err(|error| if error == EINTR { error } else { ESTALE })?;
        let dentry = if inode.file_type() == FileType::Directory {
            find_directory(sb, &inode)?
        } else {
            // Its names are not known; it is open as if it had none.
            let dentry = Dentry::child(&sb.root, alloc::format!("#{}", self.ino).as_bytes(), inode);
            dentry.set_gone();
            dentry
        };
        Ok(Path { mount: mount.clone(), dentry })
    }
}

/// The entry of a directory, which must be that of the tree, as names below it are remembered there. It is searched for from the root on: inodes do
/// not know where they are.
fn find_directory(sb: &SuperBlock, wanted: &InodeRef) -> Result<Arc<Dentry>> {
    let ino = wanted.attr()?.ino;
    if sb.root.inode().attr()?.ino == ino {
        return Ok(sb.root.clone());
    }
    let mut left = VecDeque::from([sb.root.clone()]);
    while let Some(dir) = left.pop_front() {
        if crate::task::with_current(|thread| thread.has_pending_signal()) {
            return Err(EINTR);
        }
        // One that was removed meanwhile, or does not read, holds nothing that can be found.
        for (number, name) in directories_in(&dir).unwrap_or_default() {
            let Ok(child) = lookup::child_dentry(&dir, &name, &[]) else { continue };
            if !child.is_dir() {
                continue;
            }
            if number == ino {
                return Ok(child);
            }
            left.push_back(child);
        }
    }
    Err(ESTALE)
}

/// Inode numbers and names of the directories in a directory.
fn directories_in(dir: &Arc<Dentry>) -> Result<Vec<(u64, Vec<u8>)>> {
    let flags = OpenFlags::DIRECTORY | OpenFlags::NOATIME;
    let file = OpenFile::new(dir.inode().clone().open(flags)?, flags);
    let mut found = Vec::new();
    let mut from = 0;
    loop {
        let mut next = from;
        file.ops.getdents(&file, from, &mut |ino, cookie, kind, name| {
            if matches!(kind, Some(FileType::Directory) | None) && name != b"." && name != b".." {
                found.push((ino, name.to_vec()));
            }
            next = cookie;
            true
        })?;
        if next == from {
            return Ok(found);
        }
        from = next;
    }
}
