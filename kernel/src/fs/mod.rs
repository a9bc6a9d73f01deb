//! Files: open file descriptions, descriptors, inodes, path lookup, mounts.

mod file;
mod inode;
mod io;
mod stat;

pub use file::{Events, FdFlags, FileOps, OpenFile, OpenFlags};
pub use inode::{DirSink, Inode, InodeRef, RenameFlags, SetAttr};
pub use io::{IoSink, IoSource};
pub use stat::{Attr, FileType, StatFs};
