//! The virtual terminal that the desktop is on: the text consoles give the screen up to it and take it back.

use std::fs::File;
use std::io;
use std::os::unix::fs::OpenOptionsExt;

use crate::sys::{ioctl_number, ioctl_pointer};

const VT_OPENQRY: u64 = 0x5600;
const VT_SETMODE: u64 = 0x5602;
const VT_GETSTATE: u64 = 0x5603;
const VT_RELDISP: u64 = 0x5605;
const VT_ACTIVATE: u64 = 0x5606;
const VT_WAITACTIVE: u64 = 0x5607;
const KDSETMODE: u64 = 0x4b3a;
const KDSKBMODE: u64 = 0x4b45;
const KD_TEXT: u64 = 0;
const KD_GRAPHICS: u64 = 1;
const K_UNICODE: u64 = 3;
const K_OFF: u64 = 4;
const VT_AUTO: u8 = 0;
const VT_PROCESS: u8 = 1;
const VT_ACKACQ: u64 = 2;

/// The signal that asks for the screen.
pub const RELEASE: i32 = libc::SIGUSR1;
/// The signal that gives it back.
pub const ACQUIRE: i32 = libc::SIGUSR2;

/// `struct vt_mode`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct VtMode {
    mode: u8,
    waitv: u8,
    release: u16,
    acquire: u16,
    free: u16,
}

/// `struct vt_stat`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct VtState {
    active: u16,
    signal: u16,
    state: u16,
}

/// A virtual terminal of ours.
#[derive(Debug)]
pub struct Vt {
    terminal: File,
    before: u16,
}

fn open(number: u32) -> io::Result<File> {
    File::options().read(true).write(true).custom_flags(libc::O_NOCTTY | libc::O_CLOEXEC | libc::O_NONBLOCK).open(format!("/dev/tty{number}"))
}

impl Vt {
    /// Goes to a free terminal and takes its screen and its keys.
    ///
    /// # Errors
    /// The kernel's; there may be no virtual terminals at all.
    pub fn take() -> io::Result<Self> {
        // The first one is a text console's anyway. Asked at /dev/tty0 the active one would be in use by the question itself: after a crash of
        // the desktop that is the one to go on with.
        let console = open(1)?;
        let mut state = VtState::default();
        ioctl_pointer(&console, VT_GETSTATE, &mut state)?;
        let mut number = 0i32;
        ioctl_pointer(&console, VT_OPENQRY, &mut number)?;
        let number = u32::try_from(number).ok().filter(|number| *number > 0).ok_or_else(|| io::Error::other("no virtual terminal is free"))?;
        let terminal = open(number)?;
        ioctl_number(&terminal, VT_ACTIVATE, number.into())?;
        ioctl_number(&terminal, VT_WAITACTIVE, number.into())?;
        let before = if u32::from(state.active) == number { 1 } else { state.active };
        let vt = Vt { terminal, before };
        let mut mode = VtMode { mode: VT_PROCESS, release: RELEASE as u16, acquire: ACQUIRE as u16, ..VtMode::default() };
        ioctl_pointer(&vt.terminal, VT_SETMODE, &mut mode)?;
        ioctl_number(&vt.terminal, KDSETMODE, KD_GRAPHICS)?;
        ioctl_number(&vt.terminal, KDSKBMODE, K_OFF)?;
        tracing::info!("on virtual terminal {number}");
        Ok(vt)
    }

    /// Goes to another terminal; the screen is asked for first, by a signal.
    ///
    /// # Errors
    /// The kernel's.
    pub fn switch(&self, number: u32) -> io::Result<()> {
        ioctl_number(&self.terminal, VT_ACTIVATE, number.into())
    }

    /// The screen may be taken.
    ///
    /// # Errors
    /// The kernel's.
    pub fn release(&self) -> io::Result<()> {
        ioctl_number(&self.terminal, VT_RELDISP, 1)
    }

    /// We know that the screen is ours again.
    ///
    /// # Errors
    /// The kernel's.
    pub fn acquire(&self) -> io::Result<()> {
        ioctl_number(&self.terminal, VT_RELDISP, VT_ACKACQ)
    }
}

impl Drop for Vt {
    fn drop(&mut self) {
        let results = [
            ioctl_number(&self.terminal, KDSKBMODE, K_UNICODE),
            ioctl_number(&self.terminal, KDSETMODE, KD_TEXT),
            ioctl_pointer(&self.terminal, VT_SETMODE, &mut VtMode { mode: VT_AUTO, ..VtMode::default() }),
            ioctl_number(&self.terminal, VT_ACTIVATE, self.before.into()),
        ];
        for error in results.into_iter().filter_map(Result::err) {
            tracing::warn!("giving the terminal back: {error}");
        }
    }
}
