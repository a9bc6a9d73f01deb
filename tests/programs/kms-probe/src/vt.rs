//! Virtual terminals by `ioctl_console(2)`: what is printed is the same on every kernel.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::time::Duration;

const KDGKBTYPE: u64 = 0x4b33;
const KDSETMODE: u64 = 0x4b3a;
const KDGETMODE: u64 = 0x4b3b;
const KDGKBMODE: u64 = 0x4b44;
const KDSKBMODE: u64 = 0x4b45;
const VT_OPENQRY: u64 = 0x5600;
const VT_GETMODE: u64 = 0x5601;
const VT_SETMODE: u64 = 0x5602;
const VT_GETSTATE: u64 = 0x5603;
const VT_RELDISP: u64 = 0x5605;
const VT_ACTIVATE: u64 = 0x5606;
const VT_WAITACTIVE: u64 = 0x5607;
const VT_DISALLOCATE: u64 = 0x5608;

#[derive(Clone, Copy, Default, Debug)]
#[repr(C)]
struct Mode {
    mode: u8,
    waitv: u8,
    release: u16,
    acquire: u16,
    force: u16,
}

#[derive(Clone, Copy, Default)]
#[repr(C)]
struct Stat {
    active: u16,
    signal: u16,
    state: u16,
}

struct Tty(File);

impl Tty {
    fn open(path: &str) -> io::Result<Self> {
        Ok(Tty(File::options().read(true).write(true).custom_flags(libc::O_NOCTTY | libc::O_NONBLOCK).open(path)?))
    }

    /// With a number as the argument.
    fn number(&self, request: u64, value: u64) -> String {
        // SAFETY: these requests take a number and touch no memory.
        let result = unsafe { libc::ioctl(self.0.as_raw_fd(), request, value) };
        outcome(result)
    }

    /// With a pointer as the argument.
    fn pointer<T>(&self, request: u64, value: &mut T) -> String {
        // SAFETY: callers pass the structure of the request.
        let result = unsafe { libc::ioctl(self.0.as_raw_fd(), request, value) };
        outcome(result)
    }

    fn get(&self, request: u64) -> u32 {
        let mut value = 0u32;
        self.pointer(request, &mut value);
        value
    }

    fn state(&self) -> Stat {
        let mut stat = Stat::default();
        self.pointer(VT_GETSTATE, &mut stat);
        stat
    }
}

fn outcome(result: i32) -> String {
    if result < 0 { format!("errno {}", io::Error::last_os_error().raw_os_error().unwrap_or(0)) } else { "ok".into() }
}

/// Waits for a signal that is blocked.
fn wait_for(signal: i32) -> bool {
    let time = Duration::from_secs(20);
    let limit = libc::timespec { tv_sec: time.as_secs() as i64, tv_nsec: 0 };
    // SAFETY: all pointers are to values on this stack; a zeroed set is valid for sigemptyset.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        libc::sigaddset(&mut set, signal);
        libc::sigtimedwait(&set, std::ptr::null_mut(), &limit) == signal
    }
}

fn block_signals() {
    // SAFETY: as in `wait_for`.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        libc::sigaddset(&mut set, libc::SIGUSR1);
        libc::sigaddset(&mut set, libc::SIGUSR2);
        libc::sigprocmask(libc::SIG_BLOCK, &set, std::ptr::null_mut());
    }
}

pub fn run() -> io::Result<()> {
    block_signals();
    let zero = Tty::open("/dev/tty0")?;
    let mut kind = 0u8;
    let result = zero.pointer(KDGKBTYPE, &mut kind);
    println!("keyboard: {result} {kind}");
    println!("active {} mode {} keyboard {}", zero.state().active, zero.get(KDGETMODE), zero.get(KDGKBMODE));
    let free = zero.get(VT_OPENQRY);
    println!("free is another: {}", free != u32::MAX && free != 1);
    let other = Tty::open(&format!("/dev/tty{free}"))?;
    println!("in use: {}", zero.state().state >> free & 1);
    println!("activate: {} {}", zero.number(VT_ACTIVATE, free.into()), zero.number(VT_WAITACTIVE, free.into()));
    println!("active is it: {}", u32::from(zero.state().active) == free);
    let mut process = Mode { mode: 1, waitv: 0, release: libc::SIGUSR1 as u16, acquire: libc::SIGUSR2 as u16, force: 0 };
    println!("process mode: {}", other.pointer(VT_SETMODE, &mut process));
    let mut read = Mode::default();
    let result = other.pointer(VT_GETMODE, &mut read);
    println!("read back: {result} {read:?}");
    println!("graphics: {} {}", other.number(KDSETMODE, 1), other.get(KDGETMODE));
    println!("keyboard off: {} {}", other.number(KDSKBMODE, 4), other.get(KDGKBMODE));
    println!("nothing to release: {}", other.number(VT_RELDISP, 1));
    println!("leave: {} asked {}", zero.number(VT_ACTIVATE, 1), wait_for(libc::SIGUSR1));
    println!("still there: {}", u32::from(zero.state().active) == free);
    println!("refuse: {} {}", other.number(VT_RELDISP, 0), u32::from(zero.state().active) == free);
    println!("leave: {} asked {}", zero.number(VT_ACTIVATE, 1), wait_for(libc::SIGUSR1));
    println!("agree: {} {}", other.number(VT_RELDISP, 1), zero.number(VT_WAITACTIVE, 1));
    println!("the first one: mode {} keyboard {}", zero_of(1)?.get(KDGETMODE), zero_of(1)?.get(KDGKBMODE));
    println!("return: {} told {}", zero.number(VT_ACTIVATE, free.into()), wait_for(libc::SIGUSR2));
    println!("acknowledge: {}", other.number(VT_RELDISP, 2));
    println!("text: {} {}", other.number(KDSETMODE, 0), other.number(KDSKBMODE, 3));
    println!("automatic: {}", other.pointer(VT_SETMODE, &mut Mode::default()));
    println!("home: {} {}", zero.number(VT_ACTIVATE, 1), zero.number(VT_WAITACTIVE, 1));
    println!("busy: {} {}", zero.number(VT_DISALLOCATE, 1), zero.number(VT_DISALLOCATE, free.into()));
    println!("no such terminal: {} {}", zero.number(VT_ACTIVATE, 0), zero.number(VT_ACTIVATE, 64));
    println!("no such mode: {} {}", zero.number(KDSETMODE, 9), zero.number(KDSKBMODE, 9));
    println!("no such mode: {}", zero.pointer(VT_SETMODE, &mut Mode { mode: 7, ..Mode::default() }));
    println!("no virtual terminal: {}", Tty::open("/dev/ptmx")?.number(VT_ACTIVATE, 1));
    println!("== end");
    Ok(())
}

fn zero_of(number: u32) -> io::Result<Tty> {
    Tty::open(&format!("/dev/tty{number}"))
}
