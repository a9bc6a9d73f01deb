//! Headers of the filesystem calls.

use super::attr::{NodeAttr, Time, decode_times, encode_times};
use crate::wire::{Malformed, Reader, Writer, short_len};

/// Payload of `FS_LOOKUP`: path length (u16), 6 zero bytes, then names joined by single slashes. `.` and `..`
/// are not names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LookupRequest<'a> {
    /// One or more names joined by `/`.
    pub path: &'a [u8],
}

impl<'a> LookupRequest<'a> {
    /// Bytes before the path.
    pub const HEADER_BYTES: usize = 8;

    /// Reads the request from the front of `bytes`.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(bytes);
        let path_len = r.u16()?;
        r.array::<6>()?;
        let path = r.bytes(usize::from(path_len))?;
        Ok(Self { path })
    }

    /// Writes the request to the front of `bytes`; returns its size.
    pub fn encode(&self, bytes: &mut [u8]) -> Result<usize, Malformed> {
        let mut w = Writer::new(bytes);
        w.u16(short_len(self.path)?)?;
        w.bytes(&[0; 6])?;
        w.bytes(self.path)?;
        Ok(w.written())
    }
}

/// Why an `FS_LOOKUP` resolved no more names than it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookupStop {
    /// All names are resolved.
    Complete,
    /// The name after the last one resolved does not exist (worth a negative cache entry).
    Missing,
    /// Names remain after one that is no directory (a symlink, for example).
    NotDirectory,
    /// The buffer has no room for another `NodeAttr`.
    Full,
}

impl LookupStop {
    const fn code(self) -> u32 {
        match self {
            Self::Complete => 0,
            Self::Missing => 2,
            Self::NotDirectory => 20,
            Self::Full => 75,
        }
    }

    const fn of_code(code: u32) -> Result<Self, Malformed> {
        Ok(match code {
            0 => Self::Complete,
            2 => Self::Missing,
            20 => Self::NotDirectory,
            75 => Self::Full,
            _ => return Err(Malformed),
        })
    }
}

/// Answer of `FS_LOOKUP`: count (u32), stop reason (u32: 0, ENOENT, ENOTDIR or EOVERFLOW), then `count`
/// encoded [`NodeAttr`]s.
#[derive(Clone, Copy, Debug)]
pub struct LookupAnswer<'a> {
    /// Why it stopped.
    pub stop: LookupStop,
    attrs: &'a [u8],
}

impl<'a> LookupAnswer<'a> {
    /// Reads an answer from the front of `bytes`.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(bytes);
        let count = r.u32()?;
        let stop = LookupStop::of_code(r.u32()?)?;
        let len = (count as usize).checked_mul(NodeAttr::BYTES);
        let attrs = r.bytes(len.ok_or(Malformed)?)?;
        Ok(Self { stop, attrs })
    }

    /// Names resolved.
    pub const fn len(&self) -> usize {
        self.attrs.len() / NodeAttr::BYTES
    }

    /// True if not even the first name was resolved.
    pub const fn is_empty(&self) -> bool {
        self.attrs.is_empty()
    }

    /// The nodes of the names resolved, in the path's order.
    pub fn attrs(&self) -> impl Iterator<Item = NodeAttr> + use<'a> {
        let chunks = self.attrs.chunks_exact(NodeAttr::BYTES);
        chunks.filter_map(|chunk| NodeAttr::decode(chunk).ok())
    }
}

/// Writes an answer of `FS_LOOKUP`.
#[derive(Debug)]
pub struct LookupWriter<'a> {
    buffer: &'a mut [u8],
    count: u32,
}

impl<'a> LookupWriter<'a> {
    /// Bytes before the attributes.
    pub const HEADER_BYTES: usize = 8;

    /// A writer at the start of `buffer`. The path of the request lies there too: copy it away before.
    pub const fn new(buffer: &'a mut [u8]) -> Self {
        Self { buffer, count: 0 }
    }

    fn end(&self) -> usize {
        Self::HEADER_BYTES + self.count as usize * NodeAttr::BYTES
    }

    /// Appends a resolved name's node. Fails where there is no room: finish with `LookupStop::Full` then.
    pub fn push(&mut self, attr: &NodeAttr) -> Result<(), Malformed> {
        let end = self.end();
        attr.encode(self.buffer.get_mut(end..).ok_or(Malformed)?)?;
        self.count += 1;
        Ok(())
    }

    /// Writes the header; returns the size of the answer.
    pub fn finish(self, stop: LookupStop) -> Result<usize, Malformed> {
        let end = self.end();
        let mut w = Writer::new(self.buffer);
        w.u32(self.count)?;
        w.u32(stop.code())?;
        Ok(end)
    }
}

/// Payload of `FS_CREATE`: mode, uid, gid (u32 each), name length, target length (u16 each), rdev (u64), then
/// the name and the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreateRequest<'a> {
    /// Type and permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Device number, for device nodes.
    pub rdev: u64,
    /// The new name. Empty: a regular file without a name (`O_TMPFILE`), which goes when the kernel forgets it, unless a link names it before.
    pub name: &'a [u8],
    /// What a symlink points to; empty for other types.
    pub target: &'a [u8],
}

impl<'a> CreateRequest<'a> {
    /// Bytes before the name.
    pub const HEADER_BYTES: usize = 24;

    /// Reads the request from the front of `bytes`.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(bytes);
        let (mode, uid, gid) = (r.u32()?, r.u32()?, r.u32()?);
        let (name_len, target_len) = (r.u16()?, r.u16()?);
        let rdev = r.u64()?;
        Ok(Self {
            mode,
            uid,
            gid,
            rdev,
            name: r.bytes(usize::from(name_len))?,
            target: r.bytes(usize::from(target_len))?,
        })
    }

    /// Writes the request to the front of `bytes`; returns its size.
    pub fn encode(&self, bytes: &mut [u8]) -> Result<usize, Malformed> {
        let mut w = Writer::new(bytes);
        w.u32(self.mode)?;
        w.u32(self.uid)?;
        w.u32(self.gid)?;
        w.u16(short_len(self.name)?)?;
        w.u16(short_len(self.target)?)?;
        w.u64(self.rdev)?;
        w.bytes(self.name)?;
        w.bytes(self.target)?;
        Ok(w.written())
    }
}

/// What to do where the new name of an `FS_RENAME` exists, see `rename(2)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RenameFlags {
    /// Replace it.
    #[default]
    Replace,
    /// `RENAME_NOREPLACE`: EEXIST.
    NoReplace,
    /// `RENAME_EXCHANGE`: swap the two; both must exist.
    Exchange,
}

/// Payload of `FS_RENAME`: new directory (u64), flags (u32: `RENAME_*` of Linux), old name length, new name
/// length (u16 each), then both names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RenameRequest<'a> {
    /// Node of the directory of the new name.
    pub new_dir: u64,
    /// What to do where the new name exists.
    pub flags: RenameFlags,
    /// The name in the old directory, which is the call's handle.
    pub old_name: &'a [u8],
    /// The name in the new directory.
    pub new_name: &'a [u8],
}

impl<'a> RenameRequest<'a> {
    /// Bytes before the names.
    pub const HEADER_BYTES: usize = 16;

    /// Reads the request from the front of `bytes`.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(bytes);
        let new_dir = r.u64()?;
        let flags = match r.u32()? {
            0 => RenameFlags::Replace,
            1 => RenameFlags::NoReplace,
            2 => RenameFlags::Exchange,
            _ => return Err(Malformed),
        };
        let (old_len, new_len) = (r.u16()?, r.u16()?);
        Ok(Self {
            new_dir,
            flags,
            old_name: r.bytes(usize::from(old_len))?,
            new_name: r.bytes(usize::from(new_len))?,
        })
    }

    /// Writes the request to the front of `bytes`; returns its size.
    pub fn encode(&self, bytes: &mut [u8]) -> Result<usize, Malformed> {
        let mut w = Writer::new(bytes);
        w.u64(self.new_dir)?;
        w.u32(match self.flags {
            RenameFlags::Replace => 0,
            RenameFlags::NoReplace => 1,
            RenameFlags::Exchange => 2,
        })?;
        w.u16(short_len(self.old_name)?)?;
        w.u16(short_len(self.new_name)?)?;
        w.bytes(self.old_name)?;
        w.bytes(self.new_name)?;
        Ok(w.written())
    }
}

/// Payload of `FS_LINK`: directory (u64), name length (u16), whether the node may have no name yet (u8), 5 zero bytes, then the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkRequest<'a> {
    /// Node of the directory of the new name.
    pub dir: u64,
    /// The node may be one that was made without a name; else one without names is refused with ENOENT.
    pub unnamed: bool,
    /// The new name.
    pub name: &'a [u8],
}

impl<'a> LinkRequest<'a> {
    /// Bytes before the name.
    pub const HEADER_BYTES: usize = 16;

    /// Reads the request from the front of `bytes`.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(bytes);
        let (dir, name_len) = (r.u64()?, r.u16()?);
        let unnamed = match r.array::<6>()?[0] {
            0 => false,
            1 => true,
            _ => return Err(Malformed),
        };
        let name = r.bytes(usize::from(name_len))?;
        Ok(Self { dir, unnamed, name })
    }

    /// Writes the request to the front of `bytes`; returns its size.
    pub fn encode(&self, bytes: &mut [u8]) -> Result<usize, Malformed> {
        let mut w = Writer::new(bytes);
        w.u64(self.dir)?;
        w.u16(short_len(self.name)?)?;
        w.bytes(&[u8::from(self.unnamed), 0, 0, 0, 0, 0])?;
        w.bytes(self.name)?;
        Ok(w.written())
    }
}

/// A new value for one of a node's times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetTime {
    /// The daemon's clock.
    Now,
    /// This time.
    To(Time),
}

/// Bits of the mask of `FS_SETATTR`.
pub struct SetAttrMask;

impl SetAttrMask {
    /// Set the permission bits.
    pub const MODE: u32 = 1 << 0;
    /// Set the owner.
    pub const UID: u32 = 1 << 1;
    /// Set the group.
    pub const GID: u32 = 1 << 2;
    /// Cut or grow to a size.
    pub const SIZE: u32 = 1 << 3;
    /// Set the access time.
    pub const ATIME: u32 = 1 << 4;
    /// Set the modification time.
    pub const MTIME: u32 = 1 << 5;
    /// Set the change time; without it, it becomes the daemon's clock.
    pub const CTIME: u32 = 1 << 6;
    /// With `ATIME`: to the daemon's clock.
    pub const ATIME_NOW: u32 = 1 << 7;
    /// With `MTIME`: to the daemon's clock.
    pub const MTIME_NOW: u32 = 1 << 8;

    const ALL: u32 = (1 << 9) - 1;
}

/// Payload of `FS_SETATTR`, 64 bytes: mask, mode, uid, gid (u32), size (u64), seconds of atime, mtime, ctime
/// (i64), nanoseconds of the same (u32), zero (u32). Fields outside the mask are ignored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SetAttr {
    /// New permission bits.
    pub mode: Option<u32>,
    /// New owner.
    pub uid: Option<u32>,
    /// New group.
    pub gid: Option<u32>,
    /// New size.
    pub size: Option<u64>,
    /// New access time.
    pub atime: Option<SetTime>,
    /// New modification time.
    pub mtime: Option<SetTime>,
    /// New change time; where absent, it becomes the daemon's clock.
    pub ctime: Option<Time>,
}

impl SetAttr {
    /// Bytes of the encoded structure.
    pub const BYTES: usize = 64;

    /// Reads the structure from the front of `bytes`; unknown mask bits are malformed.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(bytes);
        let mask = r.u32()?;
        if mask & !SetAttrMask::ALL != 0 {
            return Err(Malformed);
        }
        let has = |bit: u32| mask & bit != 0;
        let (mode, uid, gid, size) = (r.u32()?, r.u32()?, r.u32()?, r.u64()?);
        let (mut atime, mut mtime, mut ctime) = Default::default();
        decode_times(&mut r, [&mut atime, &mut mtime, &mut ctime])?;
        r.u32()?;
        let time = |bit, now, time| match (has(bit), has(now)) {
            (false, _) => None,
            (true, true) => Some(SetTime::Now),
            (true, false) => Some(SetTime::To(time)),
        };
        Ok(Self {
            mode: has(SetAttrMask::MODE).then_some(mode),
            uid: has(SetAttrMask::UID).then_some(uid),
            gid: has(SetAttrMask::GID).then_some(gid),
            size: has(SetAttrMask::SIZE).then_some(size),
            atime: time(SetAttrMask::ATIME, SetAttrMask::ATIME_NOW, atime),
            mtime: time(SetAttrMask::MTIME, SetAttrMask::MTIME_NOW, mtime),
            ctime: has(SetAttrMask::CTIME).then_some(ctime),
        })
    }

    fn mask(&self) -> u32 {
        let mut mask = 0;
        let mut set = |present: bool, bit: u32| {
            if present {
                mask |= bit;
            }
        };
        set(self.mode.is_some(), SetAttrMask::MODE);
        set(self.uid.is_some(), SetAttrMask::UID);
        set(self.gid.is_some(), SetAttrMask::GID);
        set(self.size.is_some(), SetAttrMask::SIZE);
        set(self.atime.is_some(), SetAttrMask::ATIME);
        set(self.mtime.is_some(), SetAttrMask::MTIME);
        set(self.ctime.is_some(), SetAttrMask::CTIME);
        set(self.atime == Some(SetTime::Now), SetAttrMask::ATIME_NOW);
        set(self.mtime == Some(SetTime::Now), SetAttrMask::MTIME_NOW);
        mask
    }

    /// Writes the structure to the front of `bytes`; returns its size.
    pub fn encode(&self, bytes: &mut [u8]) -> Result<usize, Malformed> {
        let explicit = |time: Option<SetTime>| match time {
            Some(SetTime::To(time)) => time,
            _ => Time::default(),
        };
        let mut w = Writer::new(bytes);
        w.u32(self.mask())?;
        w.u32(self.mode.unwrap_or(0))?;
        w.u32(self.uid.unwrap_or(0))?;
        w.u32(self.gid.unwrap_or(0))?;
        w.u64(self.size.unwrap_or(0))?;
        let ctime = self.ctime.unwrap_or_default();
        encode_times(&mut w, [explicit(self.atime), explicit(self.mtime), ctime])?;
        w.u32(0)?;
        Ok(w.written())
    }
}

/// Extended attribute of a `SetXattr` step: flags (u32: `XATTR_CREATE` 1, `XATTR_REPLACE` 2), name length (u16), 2 zero bytes,
/// then the name and the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetXattr<'a> {
    /// Refuse with EEXIST where it is there.
    pub create: bool,
    /// Refuse with ENODATA where it is not there.
    pub replace: bool,
    /// Its name, with the namespace.
    pub name: &'a [u8],
    /// Its new value.
    pub value: &'a [u8],
}

impl<'a> SetXattr<'a> {
    /// Bytes before the name.
    pub const HEADER_BYTES: usize = 8;

    /// Reads the request from `bytes`: the value reaches to their end.
    ///
    /// # Errors
    /// [`Malformed`] where it is too short, or has unknown flags.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(bytes);
        let flags = r.u32()?;
        if flags & !3 != 0 {
            return Err(Malformed);
        }
        let name_len = usize::from(r.u16()?);
        r.array::<2>()?;
        let name = r.bytes(name_len)?;
        let value = bytes.get(Self::HEADER_BYTES + name_len..).ok_or(Malformed)?;
        Ok(Self { create: flags & 1 != 0, replace: flags & 2 != 0, name, value })
    }

    /// Writes the request to the front of `bytes`; returns its size.
    ///
    /// # Errors
    /// [`Malformed`] where it does not fit, or the name is too long.
    pub fn encode(&self, bytes: &mut [u8]) -> Result<usize, Malformed> {
        let mut w = Writer::new(bytes);
        w.u32(u32::from(self.create) | u32::from(self.replace) << 1)?;
        w.u16(short_len(self.name)?)?;
        w.bytes(&[0; 2])?;
        w.bytes(self.name)?;
        w.bytes(self.value)?;
        Ok(w.written())
    }
}
