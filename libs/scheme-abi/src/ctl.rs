//! ioctl numbers of our own (magic `G`) between daemons and the kernel, and their structures.

use crate::ioctl::{Direction, encode};
use crate::wire::{Malformed, Reader, Writer};

const MAGIC: u8 = b'G';

/// On a scheme socket, right after creation: sets [`SchemeFlags`]; the argument is the bits themselves.
pub const SCHEME_SET_FLAGS: u32 = encode(Direction::None, MAGIC, 1, 0);
/// On a scheme socket: [`PhysQuery`] in and out, the physical address of memory in the transfer area.
pub const SCHEME_PHYS: u32 = encode(Direction::InOut, MAGIC, 2, PhysQuery::BYTES as u32);
/// On a descriptor of `/scheme/memory/dma/...`: a `u64` out, the physical address of its first byte.
pub const MEM_PHYS: u32 = encode(Direction::Out, MAGIC, 3, 8);
/// On a descriptor of `/scheme/irq/msi`: [`MsiMessage`] out.
pub const IRQ_MSI: u32 = encode(Direction::Out, MAGIC, 4, MsiMessage::BYTES as u32);
/// On `/scheme/memory/framebuffer`: [`FbInfo`] out.
pub const FB_INFO: u32 = encode(Direction::Out, MAGIC, 5, FbInfo::BYTES as u32);
/// On a pty master: the argument is the number n of the `/dev/tty<n>` that its slave becomes.
pub const VT_BIND: u32 = encode(Direction::None, MAGIC, 6, 0);
/// On a scheme socket: [`TransferArea`] out, where the area is mapped in the daemon.
pub const SCHEME_AREA: u32 = encode(Direction::Out, MAGIC, 7, TransferArea::BYTES as u32);
/// On the socket of a RESTARTABLE and CACHEABLE scheme, before its first `read`: the argument is the generation of the filesystem's state on
/// disk. The answer is 1 for the successor of a daemon that died, else 0.
pub const SCHEME_MOUNTED: u32 = encode(Direction::None, MAGIC, 8, 0);
/// On such a socket, when all changes of the next commit are answered and no other is made before it: the argument is the generation that it replaces.
pub const SCHEME_COMMITTING: u32 = encode(Direction::None, MAGIC, 9, 0);
/// On such a socket: the commit is on stable storage.
pub const SCHEME_COMMITTED: u32 = encode(Direction::None, MAGIC, 10, 0);
/// On the socket of a CALLER_MEMORY scheme: [`CallerCopy`] in, copies to or from the memory of the process whose request is in flight.
pub const SCHEME_COPY: u32 = encode(Direction::In, MAGIC, 16, CallerCopy::BYTES as u32);
/// On a pty master: [`VtState`] out. From then on `poll(2)` reports POLLPRI when it has changed.
pub const VT_STATE: u32 = encode(Direction::Out, MAGIC, 17, VtState::BYTES as u32);
/// On a pty master: the argument is the number of the virtual terminal to show, as if by VT_ACTIVATE.
pub const VT_REQUEST: u32 = encode(Direction::None, MAGIC, 18, 0);
/// On `/dev/port`: [`PortSequence`] in; accesses to ports, one right after the other, while all other CPUs stand still.
pub const PORT_SEQUENCE: u32 = encode(Direction::In, MAGIC, 19, PortSequence::BYTES as u32);

/// What a scheme declares about itself, as the argument of [`SCHEME_SET_FLAGS`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SchemeFlags(u64);

impl SchemeFlags {
    /// Nothing declared.
    pub const NONE: Self = Self(0);
    /// Names, attributes and data may be cached; the scheme speaks the calls of [`crate::fs`].
    pub const CACHEABLE: Self = Self(1);
    /// When the daemon dies, its requests wait for a successor of the same name.
    pub const RESTARTABLE: Self = Self(2);
    /// Handles look like block devices.
    pub const BLOCK_DEVICE: Self = Self(4);
    /// While a request is in flight its daemon may reach the caller's memory by [`SCHEME_COPY`].
    pub const CALLER_MEMORY: Self = Self(16);

    const ALL: u64 = 7 | 16;

    /// The flags in `bits`; `None` where an unknown bit is set.
    pub const fn from_bits(bits: u64) -> Option<Self> {
        if bits & !Self::ALL == 0 {
            Some(Self(bits))
        } else {
            None
        }
    }

    /// The flags as bits.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// These flags and `other`.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// True if all of `other` are set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl core::ops::BitOr for SchemeFlags {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        self.union(other)
    }
}

/// Declares a `repr(C)` structure of unpadded integers with its bytes: one list for layout and codec.
macro_rules! plain {
    ($(#[$meta:meta])* $name:ident [$bytes:literal] { $($(#[$field_meta:meta])* $field:ident: $ty:ident),* $(,)? }) => {
        $(#[$meta])*
        #[repr(C)]
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $ty,)*
        }

        impl $name {
            /// Size of the structure in bytes.
            pub const BYTES: usize = $bytes;

            /// Reads the structure from the front of `bytes`.
            pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
                let mut reader = Reader::new(bytes);
                Ok(Self { $($field: reader.$ty()?,)* })
            }

            /// Writes the structure to the front of `bytes`; returns its size.
            pub fn encode(&self, bytes: &mut [u8]) -> Result<usize, Malformed> {
                let mut writer = Writer::new(bytes);
                $(writer.$ty(self.$field)?;)*
                Ok(writer.written())
            }
        }

        const _: () = assert!(size_of::<$name>() == $bytes);
    };
}

plain! {
    /// Question and answer of [`SCHEME_PHYS`].
    PhysQuery [32] {
        /// In: address in the daemon, inside the transfer area.
        addr: u64,
        /// In: bytes of interest from `addr` on.
        len: u64,
        /// Out: physical address of the byte at `addr`.
        phys: u64,
        /// Out: how many bytes from `phys` on are contiguous, at most `len`.
        contiguous_len: u64,
    }
}

plain! {
    /// Answer of [`IRQ_MSI`]: what to program into an MSI-X table entry.
    MsiMessage [16] {
        /// Message address.
        address: u64,
        /// Message data.
        data: u32,
        /// Zero.
        reserved: u32,
    }
}

plain! {
    /// Answer of [`FB_INFO`]. The framebuffer is linear, `pitch * height` bytes.
    FbInfo [32] {
        /// Pixels in a row.
        width: u32,
        /// Rows.
        height: u32,
        /// Bytes from a row to the next.
        pitch: u32,
        /// Bits of a pixel.
        bpp: u32,
        /// Lowest bit of red in a pixel.
        red_shift: u32,
        /// Lowest bit of green in a pixel.
        green_shift: u32,
        /// Lowest bit of blue in a pixel.
        blue_shift: u32,
        /// Zero.
        reserved: u32,
    }
}

plain! {
    /// Answer of [`SCHEME_AREA`].
    TransferArea [16] {
        /// Address of the area's first byte in the daemon, page aligned.
        addr: u64,
        /// Bytes of the area.
        len: u64,
    }
}

plain! {
    /// Answer of [`VT_STATE`]: of the virtual terminal that is shown.
    VtState [16] {
        /// Its number.
        active: u32,
        /// 0: text (KD_TEXT); 1: a program draws (KD_GRAPHICS).
        mode: u32,
        /// How its keyboard is read: K_XLATE 1, K_MEDIUMRAW 2, K_UNICODE 3, K_OFF 4.
        keyboard: u32,
        /// Lamps: 1 scroll lock, 2 num lock, 4 caps lock.
        leds: u32,
    }
}

plain! {
    /// Argument of [`SCHEME_COPY`].
    CallerCopy [40] {
        /// Tag of a request that is not answered yet.
        tag: u32,
        /// [`CallerCopy::READ`] or [`CallerCopy::WRITE`].
        direction: u32,
        /// Address in the caller.
        caller: u64,
        /// Address in the daemon.
        daemon: u64,
        /// Bytes, at most [`CallerCopy::MOST`].
        len: u64,
        /// Zero.
        reserved: u64,
    }
}

impl CallerCopy {
    /// From the caller to the daemon.
    pub const READ: u32 = 0;
    /// From the daemon to the caller.
    pub const WRITE: u32 = 1;
    /// Most bytes of one copy.
    pub const MOST: u64 = 16 << 20;
}

plain! {
    /// Argument of [`PORT_SEQUENCE`].
    PortSequence [16] {
        /// Address of `count` times [`PortAccess`], in which what was read is put.
        accesses: u64,
        /// How many, at most [`PortSequence::MOST`].
        count: u32,
        /// Zero.
        reserved: u32,
    }
}

impl PortSequence {
    /// Most accesses of one sequence: other CPUs are not to stand still for long.
    pub const MOST: u32 = 128;
}

plain! {
    /// One access of a [`PortSequence`].
    PortAccess [8] {
        /// The port.
        port: u16,
        /// Its width in bytes (1, 2 or 4), with [`PortAccess::WRITE`] for a write.
        kind: u16,
        /// What is written; what was read, in the low bytes.
        value: u32,
    }
}

impl PortAccess {
    /// In `kind`: a write.
    pub const WRITE: u16 = 0x100;

    /// A read of `width` bytes.
    pub const fn read(port: u16, width: u16) -> Self {
        Self { port, kind: width, value: 0 }
    }

    /// A write of the low `width` bytes of `value`.
    pub const fn write(port: u16, width: u16, value: u32) -> Self {
        Self { port, kind: width | Self::WRITE, value }
    }
}
