//! Nodes as attributes, and what the format has no field for.
//!
//! RedoxFS nodes have no change time, no device number and no extended attributes. The first two are kept in the node's unused bytes,
//! behind a mark, and a pointer to a block with the third, see [`crate::xattrs`]; Redox's own tools copy those bytes and ignore them. A node without the mark (made by such a tool) shows the later
//! of its birth and modification as its change time.

use redoxfs::{BlockPtr, Node, RecordRaw};
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
        if !node.padding.starts_with(MARK) {
            // What stands there is not ours.
            node.padding.fill(0);
        }
        node.padding[..4].copy_from_slice(MARK);
        node.padding[4..12].copy_from_slice(&self.ctime.seconds.to_le_bytes());
        node.padding[12..16].copy_from_slice(&self.ctime.nanoseconds.to_le_bytes());
        node.padding[16..24].copy_from_slice(&self.rdev.to_le_bytes());
    }
}

/// Bytes of the pointer to a node's extended attributes, and the byte behind it with their flags.
const XATTRS: std::ops::Range<usize> = 24..40;
const XATTR_FLAGS: usize = XATTRS.end;

type XattrPtr = BlockPtr<RecordRaw>;
const _: () = assert!(size_of::<XattrPtr>() == XATTRS.end - XATTRS.start);

/// Where a node's extended attributes are; a null pointer where it has none.
pub fn xattrs(node: &Node) -> XattrPtr {
    let mut bytes = [0; size_of::<XattrPtr>()];
    if node.padding.starts_with(MARK) {
        bytes.copy_from_slice(&node.padding[XATTRS]);
    }
    // SAFETY: two little-endian words without padding, for which all bytes are valid.
    unsafe { std::mem::transmute::<[u8; size_of::<XattrPtr>()], XattrPtr>(bytes) }
}

/// Sets where a node's extended attributes are, and whether `security.capability` is among them.
pub fn set_xattrs(node: &mut Node, ptr: XattrPtr, has_capabilities: bool) {
    if !node.padding.starts_with(MARK) {
        let ctime = of_node(0, node).ctime;
        Extra { ctime, rdev: 0 }.store(node);
    }
    // SAFETY: as above: no byte of it is padding.
    let bytes = unsafe { std::mem::transmute::<XattrPtr, [u8; size_of::<XattrPtr>()]>(ptr) };
    node.padding[XATTRS].copy_from_slice(&bytes);
    node.padding[XATTR_FLAGS] = u8::from(has_capabilities);
}

/// What the kernel is told of a node's extended attributes.
fn flags(node: &Node) -> u32 {
    match xattrs(node).is_null() {
        true => 0,
        false if node.padding[XATTR_FLAGS] & 1 != 0 => NodeAttr::XATTRS | NodeAttr::CAPABILITIES,
        false => NodeAttr::XATTRS,
    }
}

/// What the kernel is told of a node's records: one is read, checked and unpacked as a whole.
fn read_unit(node: &Node) -> u32 {
    match crate::records::has_records(node) {
        true => NodeAttr::read_unit_flags(node.record_level().bytes().ilog2() - redoxfs::BLOCK_SIZE.ilog2()),
        false => 0,
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
        flags: flags(node) | read_unit(node),
        rdev: extra.map_or(0, |extra| extra.rdev),
        size: if has_size { node.size() } else { 0 },
        blocks512: node.blocks() * (redoxfs::BLOCK_SIZE / 512),
        atime: time(node.atime()),
        mtime,
        ctime: extra.map_or(birth.max(mtime), |extra| extra.ctime),
        birth,
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
