//! Between the structures of schemes and the kernel's.

use alloc::vec::Vec;

use scheme_abi::fs::{NodeAttr, Time};
use scheme_abi::sqe::decode_result;
use scheme_abi::{EventFlags, Stat, StatVfs};

use crate::error::*;
use crate::fs::{Attr, DirSink, Events, FileType, StatFs};

/// Largest errno of Linux. What a daemon says beyond it is nonsense, among it the kernel's internal restart codes.
const LAST_ERRNO: i32 = 133;

/// The value or error in a `Cqe`.
pub fn result(word: u64) -> Result<u64> {
    decode_result(word).map_err(|errno| if errno <= LAST_ERRNO { Errno(errno) } else { EIO })
}

/// Nanoseconds since the epoch; times that do not fit end at the limits.
pub fn nanoseconds(seconds: i64, nanoseconds: u32) -> i64 {
    seconds.saturating_mul(1_000_000_000).saturating_add(i64::from(nanoseconds.min(999_999_999)))
}

/// Seconds and nanoseconds.
pub fn time(ns: i64) -> Time {
    Time { seconds: ns.div_euclid(1_000_000_000), nanoseconds: ns.rem_euclid(1_000_000_000) as u32 }
}

/// What `Fstat` says, as attributes of a file on device `dev`.
pub fn attr_of_stat(stat: &Stat, dev: u64, block_device: bool) -> Attr {
    let mut mode = u32::from(stat.st_mode);
    if block_device && FileType::from_mode(mode) != Some(FileType::Directory) {
        mode = mode & 0o7777 | FileType::BlockDevice as u32;
    }
    if FileType::from_mode(mode).is_none() {
        mode = mode & 0o7777 | FileType::Regular as u32;
    }
    let seconds = |s: u64| i64::try_from(s).unwrap_or(i64::MAX);
    Attr {
        dev,
        ino: stat.st_ino,
        mode,
        nlink: stat.st_nlink.max(1),
        uid: stat.st_uid,
        gid: stat.st_gid,
        rdev: if block_device { block_number(dev, stat.st_ino) } else { stat.st_dev },
        size: stat.st_size.min(i64::MAX as u64),
        blksize: if stat.st_blksize == 0 { 4096 } else { stat.st_blksize },
        blocks: stat.st_blocks,
        atime_ns: nanoseconds(seconds(stat.st_atime), stat.st_atime_nsec),
        mtime_ns: nanoseconds(seconds(stat.st_mtime), stat.st_mtime_nsec),
        ctime_ns: nanoseconds(seconds(stat.st_ctime), stat.st_ctime_nsec),
    }
}

/// Device number of handle `ino` of a block device scheme: major 259 (dynamic block numbers), 256 minors a scheme.
pub fn block_number(dev: u64, ino: u64) -> u64 {
    let scheme = (dev & 0xff) | (dev >> 12 & !0xff);
    let minor = scheme << 8 | (ino & 0xff);
    (minor & 0xff) | 0x103 << 8 | (minor & !0xff) << 12
}

/// What a filesystem scheme says about a node.
///
/// # Errors
/// `EIO` for a mode without a type, or a size beyond what offsets can express.
pub fn attr_of_node(node: &NodeAttr, dev: u64) -> Result<Attr> {
    FileType::from_mode(node.mode).ok_or(EIO)?;
    if node.size > i64::MAX as u64 {
        return Err(EIO);
    }
    let ns = |t: Time| nanoseconds(t.seconds, t.nanoseconds);
    Ok(Attr {
        dev,
        ino: node.node,
        mode: node.mode,
        nlink: node.nlink,
        uid: node.uid,
        gid: node.gid,
        rdev: node.rdev,
        size: node.size,
        blksize: 4096,
        blocks: node.blocks512,
        atime_ns: ns(node.atime),
        mtime_ns: ns(node.mtime),
        ctime_ns: ns(node.ctime),
    })
}

/// What `Fstatvfs` says.
pub fn statfs(vfs: &StatVfs, magic: u64) -> StatFs {
    StatFs {
        magic,
        block_size: u64::from(vfs.f_bsize.max(512)),
        blocks: vfs.f_blocks,
        blocks_free: vfs.f_bfree,
        blocks_available: vfs.f_bavail,
        name_max: 255,
        ..StatFs::default()
    }
}

/// Redox's event flags as poll events.
pub fn events_from(flags: u64) -> Events {
    let flags = EventFlags::from_bits_truncate(flags as usize);
    let mut events = Events::empty();
    if flags.contains(EventFlags::EVENT_READ) {
        events |= Events::IN | Events::RDNORM;
    }
    if flags.contains(EventFlags::EVENT_WRITE) {
        events |= Events::OUT | Events::WRNORM;
    }
    events
}

/// Gives `Getdents` records to a sink. Returns whether the sink still has room, and the cookie to go on from.
///
/// # Errors
/// `EIO` where a record is malformed, or the cookies do not advance.
pub fn entries(records: &Vec<u8>, from: u64, sink: &mut DirSink<'_>) -> Result<(bool, u64)> {
    let mut last = from;
    for entry in scheme_abi::dirent::DirentReader::new(records) {
        let entry = entry.map_err(|_| EIO)?;
        if entry.next == last {
            return Err(EIO);
        }
        let file_type = FileType::from_mode(u32::from(entry.kind) << 12);
        if !sink(entry.inode, entry.next, file_type, entry.name) {
            return Ok((false, last));
        }
        last = entry.next;
    }
    Ok((true, last))
}
