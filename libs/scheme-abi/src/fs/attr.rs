//! Attributes of a node.

use crate::wire::{Malformed, Reader, Writer};

/// A point in time since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time {
    /// Seconds.
    pub seconds: i64,
    /// Nanoseconds, below 1,000,000,000 (decoders do not check it).
    pub nanoseconds: u32,
}

/// Attributes of a node, 104 bytes:
/// node 0, generation 8, mode 12, nlink 16, uid 20, gid 24, flags 28, rdev 32, size 40, blocks512 48,
/// seconds of atime 56, mtime 64, ctime 72, nanoseconds of the same 80, 84, 88, nanoseconds 92 and seconds 96 of birth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeAttr {
    /// Node id: the handle of later requests. The root is `ROOT_NODE`.
    pub node: u64,
    /// Differs between the nodes that had the same id one after the other.
    pub generation: u32,
    /// Type and permission bits, as in `stat(2)`.
    pub mode: u32,
    /// Names of the node.
    pub nlink: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// [`NodeAttr::XATTRS`], [`NodeAttr::CAPABILITIES`], and the [`NodeAttr::read_unit`]; other bits mean nothing.
    pub flags: u32,
    /// Device number of a device node, in Linux's `dev_t` encoding.
    pub rdev: u64,
    /// Bytes.
    pub size: u64,
    /// Units of 512 bytes that it uses on disk.
    pub blocks512: u64,
    /// Last access.
    pub atime: Time,
    /// Last change of data.
    pub mtime: Time,
    /// Last change of data or attributes.
    pub ctime: Time,
    /// When it was made.
    pub birth: Time,
}

impl NodeAttr {
    /// Bytes of the encoded structure.
    pub const BYTES: usize = 104;
    /// In `flags`: the node has extended attributes. Without it the kernel does not ask for any.
    pub const XATTRS: u32 = 1 << 0;
    /// In `flags`: one of them is `security.capability`, which a write takes away.
    pub const CAPABILITIES: u32 = 1 << 1;
    /// Where in `flags` the binary logarithm of the read unit stands, in five bits.
    const UNIT: u32 = 8;

    /// `flags` for a node whose data is read in pieces of 4 KiB times two to the `level`.
    pub const fn read_unit_flags(level: u32) -> u32 {
        (level & 0x1f) << Self::UNIT
    }

    /// How many pages of 4 KiB the filesystem reads at least where one of them is wanted (a compressed record, say): the kernel then takes them all. The pieces begin at
    /// multiples of it.
    pub const fn read_unit(&self) -> u64 {
        1 << (self.flags >> Self::UNIT & 0x1f)
    }

    /// The generation of a node that was made `at` this time: two nodes with one id, one after the other, were made at different times.
    pub const fn generation_of(at: Time) -> u32 {
        (at.seconds as u32).wrapping_mul(0x9e37_79b1) ^ at.nanoseconds
    }

    /// Reads the structure from the front of `bytes`.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(bytes);
        let mut attr = Self {
            node: r.u64()?,
            generation: r.u32()?,
            mode: r.u32()?,
            nlink: r.u32()?,
            uid: r.u32()?,
            gid: r.u32()?,
            flags: r.u32()?,
            ..Self::default()
        };
        attr.rdev = r.u64()?;
        attr.size = r.u64()?;
        attr.blocks512 = r.u64()?;
        let times = [&mut attr.atime, &mut attr.mtime, &mut attr.ctime];
        decode_times(&mut r, times)?;
        (attr.birth.nanoseconds, attr.birth.seconds) = (r.u32()?, r.i64()?);
        Ok(attr)
    }

    /// Writes the structure to the front of `bytes`; returns its size.
    pub fn encode(&self, bytes: &mut [u8]) -> Result<usize, Malformed> {
        let mut w = Writer::new(bytes);
        w.u64(self.node)?;
        w.u32(self.generation)?;
        w.u32(self.mode)?;
        w.u32(self.nlink)?;
        w.u32(self.uid)?;
        w.u32(self.gid)?;
        w.u32(self.flags)?;
        w.u64(self.rdev)?;
        w.u64(self.size)?;
        w.u64(self.blocks512)?;
        encode_times(&mut w, [self.atime, self.mtime, self.ctime])?;
        w.u32(self.birth.nanoseconds)?;
        w.i64(self.birth.seconds)?;
        Ok(w.written())
    }
}

/// Three times: all seconds, then all nanoseconds.
pub(super) fn decode_times(r: &mut Reader<'_>, times: [&mut Time; 3]) -> Result<(), Malformed> {
    let [a, b, c] = times;
    (a.seconds, b.seconds, c.seconds) = (r.i64()?, r.i64()?, r.i64()?);
    (a.nanoseconds, b.nanoseconds, c.nanoseconds) = (r.u32()?, r.u32()?, r.u32()?);
    Ok(())
}

/// The reverse of [`decode_times`].
pub(super) fn encode_times(w: &mut Writer<'_>, times: [Time; 3]) -> Result<(), Malformed> {
    for time in times {
        w.i64(time.seconds)?;
    }
    for time in times {
        w.u32(time.nanoseconds)?;
    }
    Ok(())
}
