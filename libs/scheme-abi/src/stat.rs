//! `Stat` (104 bytes) and `StatVfs` (32 bytes) at the offsets that `repr(C)` gives them on x86-64,
//! padding zero: what `Fstat` and `Fstatvfs` put in their buffers.

use crate::wire::{Malformed, Reader, Writer};
use crate::{Stat, StatVfs};

/// Bytes of an encoded [`Stat`].
pub const STAT_BYTES: usize = 104;
/// Bytes of an encoded [`StatVfs`].
pub const STATVFS_BYTES: usize = 32;

const _: () = assert!(size_of::<Stat>() == STAT_BYTES && size_of::<StatVfs>() == STATVFS_BYTES);

/// Writes `stat` to the front of `bytes`; returns its size.
pub fn encode_stat(stat: &Stat, bytes: &mut [u8]) -> Result<usize, Malformed> {
    let mut w = Writer::new(bytes);
    w.u64(stat.st_dev)?;
    w.u64(stat.st_ino)?;
    w.u32(u32::from(stat.st_mode))?; // 2 bytes and 2 of padding
    w.u32(stat.st_nlink)?;
    w.u32(stat.st_uid)?;
    w.u32(stat.st_gid)?;
    w.u64(stat.st_size)?;
    w.u64(u64::from(stat.st_blksize))?; // 4 bytes and 4 of padding, as the nanoseconds below
    w.u64(stat.st_blocks)?;
    w.u64(stat.st_mtime)?;
    w.u64(u64::from(stat.st_mtime_nsec))?;
    w.u64(stat.st_atime)?;
    w.u64(u64::from(stat.st_atime_nsec))?;
    w.u64(stat.st_ctime)?;
    w.u64(u64::from(stat.st_ctime_nsec))?;
    Ok(w.written())
}

/// Reads a `Stat` from the front of `bytes`.
pub fn decode_stat(bytes: &[u8]) -> Result<Stat, Malformed> {
    let mut r = Reader::new(bytes);
    Ok(Stat {
        st_dev: r.u64()?,
        st_ino: r.u64()?,
        st_mode: r.u32()? as u16,
        st_nlink: r.u32()?,
        st_uid: r.u32()?,
        st_gid: r.u32()?,
        st_size: r.u64()?,
        st_blksize: r.u64()? as u32,
        st_blocks: r.u64()?,
        st_mtime: r.u64()?,
        st_mtime_nsec: r.u64()? as u32,
        st_atime: r.u64()?,
        st_atime_nsec: r.u64()? as u32,
        st_ctime: r.u64()?,
        st_ctime_nsec: r.u64()? as u32,
    })
}

/// Writes `vfs` to the front of `bytes`; returns its size.
pub fn encode_statvfs(vfs: &StatVfs, bytes: &mut [u8]) -> Result<usize, Malformed> {
    let mut w = Writer::new(bytes);
    w.u64(u64::from(vfs.f_bsize))?; // 4 bytes and 4 of padding
    w.u64(vfs.f_blocks)?;
    w.u64(vfs.f_bfree)?;
    w.u64(vfs.f_bavail)?;
    Ok(w.written())
}

/// Reads a `StatVfs` from the front of `bytes`.
pub fn decode_statvfs(bytes: &[u8]) -> Result<StatVfs, Malformed> {
    let mut r = Reader::new(bytes);
    Ok(StatVfs {
        f_bsize: r.u64()? as u32,
        f_blocks: r.u64()?,
        f_bfree: r.u64()?,
        f_bavail: r.u64()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::mem::offset_of;

    #[test]
    fn offsets_are_those_of_repr_c() {
        let mut bytes = [0; STAT_BYTES];
        let stat = Stat {
            st_mode: 0x1111,
            st_nlink: 0x2222,
            st_blksize: 0x3333,
            st_blocks: 0x4444,
            st_ctime_nsec: 0x5555,
            ..Stat::default()
        };
        assert_eq!(encode_stat(&stat, &mut bytes), Ok(STAT_BYTES));
        let at = |offset: usize| u16::from_le_bytes([bytes[offset], bytes[offset + 1]]);
        assert_eq!(at(offset_of!(Stat, st_mode)), 0x1111);
        assert_eq!(at(offset_of!(Stat, st_nlink)), 0x2222);
        assert_eq!(at(offset_of!(Stat, st_blksize)), 0x3333);
        assert_eq!(at(offset_of!(Stat, st_blocks)), 0x4444);
        assert_eq!(at(offset_of!(Stat, st_ctime_nsec)), 0x5555);
    }
}
