//! RedoxFS behind a scheme.
//!
//! The crate `redoxfs` knows the format: copy-on-write trees with a checksum in every pointer, and a ring of 256
//! headers, of which the newest names the roots. This crate makes a daemon of it, from the bottom up:
//!
//! * [`device`]: a file or block device; [`cache`]: the `redoxfs::Disk` over it, with a block cache, read-ahead, writes
//!   joined to large ones, and flushes around every header;
//! * [`mount`]: finds the newest generation whose last transaction is whole; [`visit`] walks trees for it and for
//!   [`check`];
//! * [`intent_log`]: a log beside the trees, so that an fsync need not be a commit;
//! * [`password`]: where the password of an encrypted filesystem comes from; [`rekey`]: another one in its place;
//! * [`free_map`]: opens a generation with its map of free blocks;
//! * [`space`]: admits an operation only if it cannot run out of blocks half-way, where the crate could not go back;
//! * [`nodes`], [`directory`]: nodes and names, in memory until the commit;
//! * [`attr`], [`listing`], [`records`], [`write`](mod@write): nodes as attributes, directories by cursor, freeing and writing a file's records;
//! * [`xattrs`]: extended attributes, a block for each node that has some;
//! * [`recovery`]: what is made again from the log, and freed, before anything is served;
//! * [`session`]: the filesystem calls within one open transaction; [`serve`]: the loop that opens and commits them.
#![warn(missing_docs)]

pub mod attr;
pub mod cache;
pub mod check;
pub mod device;
pub mod directory;
pub mod free_map;
pub mod intent_log;
pub mod listing;
pub mod password;
pub mod mount;
pub mod nodes;
pub mod prefetch;
pub mod records;
pub mod recovery;
pub mod rekey;
pub mod serve;
pub mod session;
pub mod space;
pub mod visit;
pub mod write;
pub mod xattrs;

/// Bytes of a block.
pub const BLOCK: usize = redoxfs::BLOCK_SIZE as usize;
