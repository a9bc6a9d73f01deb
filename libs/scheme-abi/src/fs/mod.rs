//! The filesystem calls of CACHEABLE schemes: `Call`s with one of the `FS_*` numbers as `metadata0` and the
//! caller's ids as `metadata2`. A fixed header, then names without separators; the answer overwrites the
//! payload from its start. The buffer's length is the room for both.
//!
//! Beside them such a scheme answers `Read` (of a symlink: its target), `Write`, `UnlinkAt`, `Getdents`, `Fsync`,
//! `Fstatvfs` and `Close`.

mod attr;
mod batch;
mod request;

pub use attr::{NodeAttr, Time};
pub use batch::{Change, MOST_STEPS, Step, StepAnswer};
pub use request::{
    CreateRequest, LinkRequest, LookupAnswer, LookupRequest, LookupStop, LookupWriter, RenameFlags,
    RenameRequest, SetAttr, SetAttrMask, SetTime, SetXattr,
};

/// The numbers lie above every 32-bit ioctl number, so a `Call` is one or the other.
const BASE: u64 = 0x4653_0000_0000;

/// [`LookupRequest`] in, [`LookupAnswer`] out. On a directory node.
pub const FS_LOOKUP: u64 = BASE + 1;
/// [`CreateRequest`] in, [`NodeAttr`] out. On a directory node.
pub const FS_CREATE: u64 = BASE + 2;
/// [`RenameRequest`] in, nothing out. On the old directory's node.
pub const FS_RENAME: u64 = BASE + 3;
/// [`LinkRequest`] in, [`NodeAttr`] out. On the node that gets one more name.
pub const FS_LINK: u64 = BASE + 4;
/// [`SetAttr`] in, [`NodeAttr`] out.
pub const FS_SETATTR: u64 = BASE + 5;
/// Nothing in, [`NodeAttr`] out.
pub const FS_GETATTR: u64 = BASE + 6;
/// Nothing in, nothing out: all changes of the filesystem are on disk.
pub const FS_SYNC: u64 = BASE + 7;
/// Several [`Step`]s in, a [`StepAnswer`] for each out. On any node.
pub const FS_BATCH: u64 = BASE + 8;
/// How many (u32) in; their number (u32), zero (u32) and node ids (u64 each) out: ids for `Create` steps, with the room on the disk that
/// those will need. They count only for this kernel's boot and this daemon.
pub const FS_GRANT: u64 = BASE + 9;
/// The name of an extended attribute and a NUL in, its value out; ERANGE where the buffer has no room for it, ENODATA where there is no such one.
pub const FS_GETXATTR: u64 = BASE + 10;
/// Nothing in, the names of all extended attributes out, each with a NUL behind it; ERANGE where the buffer has no room.
pub const FS_LISTXATTR: u64 = BASE + 11;

/// Longest value of an extended attribute, and longest list of their names, as on Linux.
pub const XATTR_BYTES: usize = 65536;
/// Longest name of an extended attribute.
pub const XATTR_NAME: usize = 255;

/// The node id of the root directory.
pub const ROOT_NODE: u64 = 1;
