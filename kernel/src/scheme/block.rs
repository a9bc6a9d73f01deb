//! ioctls of block devices that the kernel answers itself, from a disk's size (`ioctl_blk`: `<linux/fs.h>`).

use crate::error::*;
use crate::fs::Attr;
use crate::user;

const BLKROGET: u32 = 0x125e;
const BLKGETSIZE: u32 = 0x1260;
const BLKFLSBUF: u32 = 0x1261;
const BLKSSZGET: u32 = 0x1268;
const BLKPBSZGET: u32 = 0x127b;
const BLKIOMIN: u32 = 0x1278;
const BLKIOOPT: u32 = 0x1279;
const BLKBSZGET: u32 = 0x8008_1270;
const BLKGETSIZE64: u32 = 0x8008_1272;

/// Bytes of a sector as programs see it.
const SECTOR: u64 = 512;

/// Answers `cmd`; `None` where it is none of these.
pub fn ioctl(cmd: u32, arg: usize, attr: &dyn Fn() -> Result<Attr>) -> Option<Result<usize>> {
    let give32 = |value: u32| user::write(arg, &value).map(|()| 0);
    let give64 = |value: u64| user::write(arg, &value).map(|()| 0);
    Some(match cmd {
        BLKROGET => give32(0),
        BLKSSZGET | BLKIOMIN => give32(SECTOR as u32),
        BLKPBSZGET => give32(4096),
        BLKIOOPT => give32(0),
        BLKBSZGET => give32(4096),
        BLKGETSIZE => attr().and_then(|a| give64(a.size / SECTOR)),
        BLKGETSIZE64 => attr().and_then(|a| give64(a.size)),
        // Nothing of a disk is cached here.
        BLKFLSBUF => {
            if crate::task::capable(crate::task::Capability::SYS_ADMIN) { Ok(0) } else { Err(EACCES) }
        }
        _ => return None,
    })
}
