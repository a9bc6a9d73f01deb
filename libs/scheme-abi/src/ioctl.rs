//! ioctl numbers: Linux's `_IOC` encoding, and which buffer a number carries.
//!
//! Numbers made since about 1993 say the size and direction of their argument in themselves; the older
//! ones (terminals, frame buffers, consoles, blocks, sockets) do not and stand in a table here.
//! Sources: `ioctl(2)`, `ioctl_tty(2)`, `ioctl_console(2)` and the kernel's user headers (x86-64).

/// Which way the data behind an ioctl's pointer moves, seen from the file: `In` is read from the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// No data: the argument, if any, is a number.
    None,
    /// From the caller to the file (`_IOW`).
    In,
    /// From the file to the caller (`_IOR`).
    Out,
    /// Both (`_IOWR`).
    InOut,
}

impl Direction {
    /// True if the caller's bytes travel to the file.
    pub const fn reads_caller(self) -> bool {
        matches!(self, Self::In | Self::InOut)
    }

    /// True if the file's bytes travel to the caller.
    pub const fn writes_caller(self) -> bool {
        matches!(self, Self::Out | Self::InOut)
    }
}

/// What the third argument of an ioctl is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument {
    /// A number, or nothing.
    Value,
    /// A pointer to `len` bytes.
    Buffer {
        /// Bytes behind the pointer.
        len: usize,
        /// Which way they travel; never `Direction::None`.
        direction: Direction,
    },
}

impl Argument {
    /// Bytes behind the pointer; 0 for a value.
    pub const fn len(self) -> usize {
        match self {
            Self::Value => 0,
            Self::Buffer { len, .. } => len,
        }
    }

    /// True for a value.
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// `_IOC(direction, magic, number, size)`; `size` is cut to its 14 bits.
pub const fn encode(direction: Direction, magic: u8, number: u8, size: u32) -> u32 {
    let direction_bits: u32 = match direction {
        Direction::None => 0,
        Direction::In => 1,
        Direction::Out => 2,
        Direction::InOut => 3,
    };
    direction_bits << 30 | (size & 0x3fff) << 16 | (magic as u32) << 8 | number as u32
}

/// What the argument of the ioctl `number` is: by the table of old numbers, else by its encoding. A number
/// that is neither (no direction, not in the table) has a value.
pub const fn argument(number: u32) -> Argument {
    if let Some(known) = old_style(number) {
        return known;
    }
    let len = (number >> 16 & 0x3fff) as usize;
    let direction = match number >> 30 {
        1 => Direction::In,
        2 => Direction::Out,
        3 => Direction::InOut,
        _ => return Argument::Value,
    };
    if len == 0 {
        return Argument::Value;
    }
    Argument::Buffer { len, direction }
}

const fn input(len: usize) -> Option<Argument> {
    let direction = Direction::In;
    Some(Argument::Buffer { len, direction })
}

const fn output(len: usize) -> Option<Argument> {
    let direction = Direction::Out;
    Some(Argument::Buffer { len, direction })
}

const fn both(len: usize) -> Option<Argument> {
    let direction = Direction::InOut;
    Some(Argument::Buffer { len, direction })
}

/// Sizes on x86-64 of the structures in the table.
mod size {
    pub const TERMIOS: usize = 36;
    pub const TERMIO: usize = 18;
    pub const WINSIZE: usize = 8;
    pub const SERIAL_STRUCT: usize = 72;
    pub const SERIAL_ICOUNTER: usize = 80;
    pub const FB_VAR_SCREENINFO: usize = 160;
    pub const FB_FIX_SCREENINFO: usize = 80;
    pub const VT_MODE: usize = 8;
    pub const VT_STAT: usize = 6;
    pub const VT_SIZES: usize = 6;
    pub const KBENTRY: usize = 4;
    pub const HD_GEOMETRY: usize = 16;
    pub const IFREQ: usize = 40;
    pub const INT: usize = 4;
    pub const LONG: usize = 8;
}

/// The table: numbers that do not say, or say wrongly, what they carry.
const fn old_style(number: u32) -> Option<Argument> {
    match number {
        // Terminals, ioctl_tty(2): magic 'T', written as plain numbers.
        0x5401 => output(size::TERMIOS),         // TCGETS
        0x5402..=0x5404 => input(size::TERMIOS), // TCSETS, TCSETSW, TCSETSF
        0x5405 => output(size::TERMIO),          // TCGETA
        0x5406..=0x5408 => input(size::TERMIO),  // TCSETA, TCSETAW, TCSETAF
        0x540f => output(size::INT),             // TIOCGPGRP
        0x5410 => input(size::INT),              // TIOCSPGRP
        0x5411 => output(size::INT),             // TIOCOUTQ
        0x5412 => input(1),                      // TIOCSTI
        0x5413 => output(size::WINSIZE),         // TIOCGWINSZ
        0x5414 => input(size::WINSIZE),          // TIOCSWINSZ
        0x5415 => output(size::INT),             // TIOCMGET
        0x5416..=0x5418 => input(size::INT),     // TIOCMBIS, TIOCMBIC, TIOCMSET
        0x5419 => output(size::INT),             // TIOCGSOFTCAR
        0x541a => input(size::INT),              // TIOCSSOFTCAR
        0x541b => output(size::INT),             // FIONREAD, TIOCINQ
        0x541c => both(1),                       // TIOCLINUX
        0x541e => output(size::SERIAL_STRUCT),   // TIOCGSERIAL
        0x541f => input(size::SERIAL_STRUCT),    // TIOCSSERIAL
        0x5420 | 0x5421 => input(size::INT),     // TIOCPKT, FIONBIO
        0x5423 => input(size::INT),              // TIOCSETD
        0x5424 => output(size::INT),             // TIOCGETD
        0x5429 => output(size::INT),             // TIOCGSID
        0x5452 => input(size::INT),              // FIOASYNC
        0x545d => output(size::SERIAL_ICOUNTER), // TIOCGICOUNT
        0x5460 => output(size::LONG),            // FIOQSIZE
        // Frame buffers.
        0x4600 => output(size::FB_VAR_SCREENINFO), // FBIOGET_VSCREENINFO
        0x4601 => both(size::FB_VAR_SCREENINFO),   // FBIOPUT_VSCREENINFO
        0x4602 => output(size::FB_FIX_SCREENINFO), // FBIOGET_FSCREENINFO
        0x4606 => both(size::FB_VAR_SCREENINFO),   // FBIOPAN_DISPLAY
        // Virtual terminals and the console, ioctl_console(2).
        0x5600 => output(size::INT),                   // VT_OPENQRY
        0x5601 => output(size::VT_MODE),               // VT_GETMODE
        0x5602 => input(size::VT_MODE),                // VT_SETMODE
        0x5603 => output(size::VT_STAT),               // VT_GETSTATE
        0x5609 => input(size::VT_SIZES),               // VT_RESIZE
        0x4b31 | 0x4b33 | 0x4b64 => output(1),         // KDGETLED, KDGKBTYPE, KDGKBLED
        0x4b3b | 0x4b44 | 0x4b62 => output(size::INT), // KDGETMODE, KDGKBMODE, KDGKBMETA
        0x4b46 => both(size::KBENTRY),                 // KDGKBENT
        0x4b47 => input(size::KBENTRY),                // KDSKBENT
        // Blocks: these have `_IO` numbers though they carry data. BLKGETSIZE64 is encoded rightly.
        0x0301 => output(size::HD_GEOMETRY), // HDIO_GETGEO
        0x125d => input(size::INT),          // BLKROSET
        0x125e => output(size::INT),         // BLKROGET
        0x1260 | 0x1263 | 0x1265 => output(size::LONG), // BLKGETSIZE, BLKRAGET, BLKFRAGET
        0x1267 => output(2),                 // BLKSECTGET
        0x1268 => output(size::INT),         // BLKSSZGET
        0x1277 | 0x127d | 0x127f => input(2 * size::LONG), // BLKDISCARD, BLKSECDISCARD, BLKZEROOUT
        0x1278..=0x127c | 0x127e => output(size::INT), // BLKIOMIN .. BLKDISCARDZEROES, BLKROTATIONAL
        // Event devices: EVIOCGRAB and EVIOCREVOKE say `int` but carry the number itself.
        0x4004_4590 | 0x4004_4591 => Some(Argument::Value),
        // Sockets and network interfaces, socket(7) and netdevice(7).
        0x8903..=0x8905 => output(size::INT), // FIOGETOWN, SIOCGPGRP, SIOCATMARK
        0x8901 | 0x8902 => input(size::INT),  // FIOSETOWN, SIOCSPGRP
        0x8910 | 0x8913..=0x8939 => both(size::IFREQ), // SIOCGIFNAME, SIOCGIFFLAGS, ...
        // TUNSETIFF and TUNGETIFF say `int` but carry an ifreq.
        0x4004_54ca | 0x8004_54d2 => both(size::IFREQ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_numbers() {
        let out = |len| Argument::Buffer {
            len,
            direction: Direction::Out,
        };
        assert_eq!(argument(0x5401), out(36)); // TCGETS
        assert_eq!(argument(0x5413), out(8)); // TIOCGWINSZ
        assert_eq!(argument(0x8008_1272), out(8)); // BLKGETSIZE64
        assert_eq!(argument(0x1268), out(4)); // BLKSSZGET
        assert_eq!(argument(0x8004_5430), out(4)); // TIOCGPTN
        assert_eq!(argument(0x802c_542a), out(44)); // TCGETS2
        assert_eq!(argument(0x540e), Argument::Value); // TIOCSCTTY
        assert_eq!(argument(0x5606), Argument::Value); // VT_ACTIVATE
        assert_eq!(argument(0x4b3a), Argument::Value); // KDSETMODE
        assert_eq!(argument(0x4004_4590), Argument::Value); // EVIOCGRAB
        let resources = argument(0xc040_64a0); // DRM_IOCTL_MODE_GETRESOURCES
        assert_eq!(resources.len(), 64);
    }
}
