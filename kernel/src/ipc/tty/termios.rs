//! Terminal attributes (`termios(3)`), in the kernel's layout.

use zerocopy::{FromBytes, Immutable, IntoBytes};

/// `struct termios` of the kernel: 36 bytes.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
#[allow(missing_docs)]
pub struct Termios {
    pub iflag: u32,
    pub oflag: u32,
    pub cflag: u32,
    pub lflag: u32,
    pub line: u8,
    pub cc: [u8; 19],
}

/// `struct termio` of `ioctl_tty(2)`: the same in System V's size.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Termio {
    flags: [u16; 4],
    line: u8,
    cc: [u8; 8],
    pad: u8,
}

impl From<&Termios> for Termio {
    fn from(full: &Termios) -> Self {
        let mut cc = [0; 8];
        cc.copy_from_slice(&full.cc[..8]);
        Self { flags: [full.iflag, full.oflag, full.cflag, full.lflag].map(|it| it as u16), line: full.line, cc, pad: 0 }
    }
}

impl Termio {
    /// What it says, and of the old settings what it has no room for.
    pub fn merged(&self, mut old: Termios) -> Termios {
        let low = |old: u32, new: u16| old & 0xffff_0000 | u32::from(new);
        let [iflag, oflag, cflag, lflag] = self.flags;
        (old.iflag, old.oflag, old.cflag, old.lflag) = (low(old.iflag, iflag), low(old.oflag, oflag), low(old.cflag, cflag), low(old.lflag, lflag));
        old.line = self.line;
        old.cc[..8].copy_from_slice(&self.cc);
        old
    }
}

pub const VINTR: usize = 0;
pub const VQUIT: usize = 1;
pub const VERASE: usize = 2;
pub const VKILL: usize = 3;
pub const VEOF: usize = 4;
pub const VTIME: usize = 5;
pub const VMIN: usize = 6;
pub const VSTART: usize = 8;
pub const VSTOP: usize = 9;
pub const VSUSP: usize = 10;
pub const VEOL: usize = 11;
pub const VREPRINT: usize = 12;
pub const VWERASE: usize = 14;
pub const VLNEXT: usize = 15;
pub const VEOL2: usize = 16;

pub const ISTRIP: u32 = 0o40;
pub const INLCR: u32 = 0o100;
pub const IGNCR: u32 = 0o200;
pub const ICRNL: u32 = 0o400;
pub const IUCLC: u32 = 0o1000;
pub const IXON: u32 = 0o2000;
pub const IXANY: u32 = 0o4000;
pub const IMAXBEL: u32 = 0o20000;
pub const IUTF8: u32 = 0o40000;

pub const OPOST: u32 = 0o1;
pub const OLCUC: u32 = 0o2;
pub const ONLCR: u32 = 0o4;
pub const OCRNL: u32 = 0o10;
pub const ONOCR: u32 = 0o20;
pub const ONLRET: u32 = 0o40;
pub const TABDLY: u32 = 0o14000;
pub const XTABS: u32 = 0o14000;

pub const ISIG: u32 = 0o1;
pub const ICANON: u32 = 0o2;
pub const ECHO: u32 = 0o10;
pub const ECHOE: u32 = 0o20;
pub const ECHOK: u32 = 0o40;
pub const ECHONL: u32 = 0o100;
pub const NOFLSH: u32 = 0o200;
pub const TOSTOP: u32 = 0o400;
pub const ECHOCTL: u32 = 0o1000;
pub const ECHOKE: u32 = 0o4000;
pub const IEXTEN: u32 = 0o100000;

/// A control character that is off (`_POSIX_VDISABLE`).
pub const DISABLED: u8 = 0;

impl Default for Termios {
    /// As Linux sets up a terminal.
    fn default() -> Self {
        let mut cc = [0; 19];
        cc[VINTR] = 3;
        cc[VQUIT] = 28;
        cc[VERASE] = 127;
        cc[VKILL] = 21;
        cc[VEOF] = 4;
        cc[VMIN] = 1;
        cc[VSTART] = 17;
        cc[VSTOP] = 19;
        cc[VSUSP] = 26;
        cc[VREPRINT] = 18;
        cc[13] = 15;
        cc[VWERASE] = 23;
        cc[VLNEXT] = 22;
        Self {
            iflag: ICRNL | IXON,
            oflag: OPOST | ONLCR,
            // B38400 | CS8 | CREAD
            cflag: 0o17 | 0o60 | 0o200,
            lflag: ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
            line: 0,
            cc,
        }
    }
}

impl Termios {
    /// Whether `byte` is this control character.
    pub fn is(&self, which: usize, byte: u8) -> bool {
        self.cc[which] != DISABLED && self.cc[which] == byte
    }

    /// Whether a local flag is set.
    pub fn local(&self, flag: u32) -> bool {
        self.lflag & flag != 0
    }
}
