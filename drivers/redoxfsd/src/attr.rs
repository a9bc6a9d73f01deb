//! Nodes as attributes, and what the format has no field for.
//!
//! RedoxFS nodes have no change time and no device number. Both are kept in the node's unused bytes, behind a mark;
//! Redox's own tools copy those bytes and ignore them. A node without the mark (made by such a tool) shows the later
//! of its birth and modification as its change time.

use redoxfs::Node;
use scheme::abi::fs::{NodeAttr, Time};

const MARK: &[u8; 4] = b"GOS1";
const S_IFMT: u32 = 0o170000;
const S_IFCHR: u32 = 0o020000;
const S_IFBLK: u32 = 0o060000;
const S_IFREG: u32 = 0o100000;
const S_IFDIR: u32 = 0o040000;
const S_IFLNK: u32 = 0o120000;

/// The kinds of nodes that there are; `None` for mode bits that mean none.
pub const fn is_known_type(mode: u32) -> bool {
    matches!(
        mode & S_IFMT,
        S_IFREG | S_IFDIR | S_IFLNK | S_IFCHR | S_IFBLK | 0o010000 | 0o140000
    )
}

/// True for a device node's mode.
pub const fn is_device(mode: u32) -> bool {
    matches!(mode & S_IFMT, S_IFCHR | S_IFBLK)
}

/// True for a directory's mode.
pub const fn is_dir(mode: u32) -> bool {
    mode & S_IFMT == S_IFDIR
}

/// True for a symlink's mode.
pub const fn is_symlink(mode: u32) -> bool {
    mode & S_IFMT == S_IFLNK
}

/// True for a regular file's mode.
pub const fn is_file(mode: u32) -> bool {
    mode & S_IFMT == S_IFREG
}

/// What is kept in a node's unused bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extra {
    /// Last change of data or attributes.
    pub ctime: Time,
    /// Device number.
    pub rdev: u64,
}

impl Extra {
    /// Reads it; `None` without the mark.
    pub fn load(node: &Node) -> Option<Self> {
        let bytes = node.padding.strip_prefix(MARK)?;
        let mut reader = scheme::abi::wire::Reader::new(bytes);
        let ctime = Time {
            seconds: reader.i64().ok()?,
            nanoseconds: reader.u32().ok()?,
        };
        let rdev = reader.u64().ok()?;
        Some(Self { ctime, rdev })
    }

    /// Writes it.
    pub fn store(self, node: &mut Node) {
        node.padding[..4].copy_from_slice(MARK);
        node.padding[4..12].copy_from_slice(&self.ctime.seconds.to_le_bytes());
        node.padding[12..16].copy_from_slice(&self.ctime.nanoseconds.to_le_bytes());
        node.padding[16..24].copy_from_slice(&self.rdev.to_le_bytes());
    }
}

/// The format's times are unsigned; earlier ones than 1970 are kept as two's complement.
fn time((seconds, nanoseconds): (u64, u32)) -> Time {
    Time {
        seconds: seconds.cast_signed(),
        nanoseconds,
    }
}

/// Sets the change time.
pub fn set_ctime(node: &mut Node, ctime: Time) {
    let extra = Extra::load(node).unwrap_or_default();
    Extra { ctime, ..extra }.store(node);
}

/// Sets the modification time.
pub fn set_mtime(node: &mut Node, mtime: Time) {
    node.set_mtime(mtime.seconds.cast_unsigned(), mtime.nanoseconds);
}

/// Sets the access time.
pub fn set_atime(node: &mut Node, atime: Time) {
    node.set_atime(atime.seconds.cast_unsigned(), atime.nanoseconds);
}

/// A node's attributes.
pub fn of_node(id: u32, node: &Node) -> NodeAttr {
    let (birth, mtime) = (time(node.ctime()), time(node.mtime()));
    let extra = Extra::load(node);
    let mode = u32::from(node.mode());
    let has_size = is_file(mode) || is_symlink(mode) || is_dir(mode);
    // Two nodes with one id, one after the other, were born at different times.
    let generation = NodeAttr::generation_of(birth);
    NodeAttr {
        node: u64::from(id),
        generation,
        mode,
        nlink: node.links(),
        uid: node.uid(),
        gid: node.gid(),
        rdev: extra.map_or(0, |extra| extra.rdev),
        size: if has_size { node.size() } else { 0 },
        blocks512: node.blocks() * (redoxfs::BLOCK_SIZE / 512),
        atime: time(node.atime()),
        mtime,
        ctime: extra.map_or(birth.max(mtime), |extra| extra.ctime),
    }
}

/// The clock.
pub fn now() -> Time {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let since = since.unwrap_or_default();
    Time {
        seconds: since.as_secs().cast_signed(),
        nanoseconds: since.subsec_nanos(),
    }
}
