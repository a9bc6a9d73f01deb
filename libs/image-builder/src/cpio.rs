//! The initfs: an uncompressed cpio archive in the `newc` format (cpio(5): "New ASCII Format").

use crate::error::{Error, Result};
use crate::tree::{Kind, Tree};

/// Writes a tree as a `newc` archive. Deterministic: entries in path order, inode numbers counted from 1, times as in the
/// tree. Fails on a file of 4 GiB or more, which the format cannot hold.
pub fn archive(tree: &Tree) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    for (number, (path, entry)) in (1u32..).zip(tree.iter()) {
        let (kind, data) = match &entry.kind {
            Kind::Directory => (0o040000, Vec::new()),
            Kind::File(content) => (0o100000, content.read()?),
            Kind::Symlink(target) => (0o120000, target.clone().into_bytes()),
            // Hard links in cpio share an inode number and need the reader's help: the initfs has no use for them.
            Kind::HardLink(_) => {
                return Err(Error::tree(path, "hard links cannot be put into an initfs"));
            }
        };
        let links = if matches!(entry.kind, Kind::Directory) {
            2
        } else {
            1
        };
        let header = Header {
            inode: number,
            mode: kind | u32::from(entry.mode),
            uid: entry.uid,
            gid: entry.gid,
            links,
            // The format's 32 bits end in 2106.
            mtime: u32::try_from(entry.mtime).unwrap_or(u32::MAX),
        };
        header.write(&mut out, path, &data)?;
    }
    Header {
        inode: 0,
        mode: 0,
        uid: 0,
        gid: 0,
        links: 1,
        mtime: 0,
    }
    .write(&mut out, "TRAILER!!!", &[])?;
    Ok(out)
}

struct Header {
    inode: u32,
    mode: u32,
    uid: u32,
    gid: u32,
    links: u32,
    mtime: u32,
}

impl Header {
    fn write(&self, out: &mut Vec<u8>, name: &str, data: &[u8]) -> Result<()> {
        let size = u32::try_from(data.len())
            .map_err(|_| Error::tree(name, "is too large for an initfs"))?;
        let name_size =
            u32::try_from(name.len() + 1).map_err(|_| Error::tree(name, "has too long a name"))?;
        // Fields: inode, mode, uid, gid, nlink, mtime, file size, device major and minor, rdev major and minor, name size
        // with its NUL, and a checksum that this variant leaves zero.
        let fields = [
            self.inode, self.mode, self.uid, self.gid, self.links, self.mtime, size, 0, 0, 0, 0,
            name_size, 0,
        ];
        out.extend_from_slice(b"070701");
        for field in fields {
            out.extend_from_slice(format!("{field:08X}").as_bytes());
        }
        out.extend_from_slice(name.as_bytes());
        out.push(0);
        pad(out);
        out.extend_from_slice(data);
        pad(out);
        Ok(())
    }
}

/// Header with name, and data, each end at a multiple of four bytes.
fn pad(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(4), 0);
}
