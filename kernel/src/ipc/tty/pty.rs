//! Pseudo-terminals (`pty(7)`).

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::any::Any;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::{Driver, TCSBRK, TCSBRKP, Terminal, TerminalFile, vt};
use crate::error::*;
use crate::fs::{Attr, Events, FdFlags, FileOps, IoSink, IoSource, OpenFile, OpenFlags};
use crate::sync::{PollTable, SpinLock, WaitQueue};
use crate::{task, user};

/// Output that waits for the master.
const OUTPUT_MAX: usize = 64 << 10;
/// Most pseudo-terminals (`/proc/sys/kernel/pty/max`).
const PTY_MAX: u32 = 4096;
/// Major number of slaves.
const SLAVE_MAJOR: u32 = 136;

/// What the slave's output goes into and the master reads.
struct Pipe {
    output: SpinLock<VecDeque<u8>>,
    master_gone: AtomicBool,
    /// Woken when output comes, or the slave closes.
    output_event: WaitQueue,
    /// Woken when the master has read.
    room_event: WaitQueue,
    /// Woken when the slave's reader has taken input.
    input_event: WaitQueue,
}

impl Driver for Pipe {
    fn write(&self, bytes: &[u8]) -> usize {
        let taken = {
            let mut output = self.output.lock();
            let taken = bytes.len().min(OUTPUT_MAX.saturating_sub(output.len()));
            output.extend(&bytes[..taken]);
            taken
        };
        self.output_event.wake_events(Events::IN | Events::RDNORM);
        taken
    }

    fn room(&self) -> usize {
        OUTPUT_MAX.saturating_sub(self.output.lock().len())
    }

    fn room_event(&self) -> Option<WaitQueue> {
        Some(self.room_event.clone())
    }

    fn hung_up(&self) -> bool {
        self.master_gone.load(Ordering::SeqCst)
    }

    fn input_taken(&self) {
        self.input_event.wake_events(Events::OUT | Events::WRNORM);
    }

    fn flush_output(&self) {
        self.output.lock().clear();
        self.room_event.wake_all();
    }
}

struct Pty {
    number: u32,
    pipe: Arc<Pipe>,
    terminal: Arc<Terminal>,
    locked: AtomicBool,
    /// Open slave files; the master reads EIO when there were some and none is left.
    slaves: SpinLock<(usize, bool)>,
    owner: (u32, u32),
    /// Changes of virtual terminals that the master has seen (`VT_STATE`); 0 where it is none.
    seen: AtomicU64,
}

static PTYS: SpinLock<BTreeMap<u32, Arc<Pty>>> = SpinLock::new(BTreeMap::new());
/// The pseudo-terminal whose slave is the virtual terminal `/dev/tty<n>` (`VT_BIND`).
static VIRTUAL: SpinLock<BTreeMap<u32, u32>> = SpinLock::new(BTreeMap::new());

/// Opens `/dev/ptmx`: a new pseudo-terminal's master.
///
/// # Errors
/// `ENOSPC` where there are too many.
pub fn open_master() -> Result<Arc<dyn FileOps>> {
    let pipe = Arc::new(Pipe {
        output: SpinLock::new(VecDeque::new()),
        master_gone: AtomicBool::new(false),
        output_event: WaitQueue::new(),
        room_event: WaitQueue::new(),
        input_event: WaitQueue::new(),
    });
    let creds = task::with_current(|t| t.creds());
    let mut ptys = PTYS.lock();
    let number = (0..PTY_MAX).find(|n| !ptys.contains_key(n)).ok_or(ENOSPC)?;
    let device = (SLAVE_MAJOR + number / 256) << 8 | number % 256;
    let terminal = Terminal::new(device, alloc::format!("/dev/pts/{number}"), pipe.clone());
    let pty = Arc::new(Pty {
        number,
        pipe,
        terminal,
        locked: AtomicBool::new(true),
        slaves: SpinLock::new((0, false)),
        owner: (creds.fsuid, 5),
        seen: AtomicU64::new(0),
    });
    ptys.insert(number, pty.clone());
    Ok(Arc::new(Master(pty)))
}

/// Opens the slave `/dev/pts/<number>`.
///
/// # Errors
/// `EIO` while it is locked or after the master closed, `ENOENT` where there is none.
pub fn open_slave(number: u32, flags: OpenFlags) -> Result<Arc<dyn FileOps>> {
    let pty = PTYS.lock().get(&number).cloned().ok_or(ENOENT)?;
    if pty.locked.load(Ordering::SeqCst) {
        return Err(EIO);
    }
    slave_file(&pty, flags)
}

fn slave_file(pty: &Arc<Pty>, flags: OpenFlags) -> Result<Arc<dyn FileOps>> {
    pty.terminal.open(flags)?;
    {
        let mut slaves = pty.slaves.lock();
        *slaves = (slaves.0 + 1, true);
    }
    Ok(Arc::new(Slave { file: TerminalFile(pty.terminal.clone()), pty: Arc::downgrade(pty) }))
}

/// Opens the virtual terminal `/dev/tty<n>`, if a terminal emulator has bound it.
///
/// # Errors
/// `ENXIO` where none has.
pub fn open_virtual(number: u32, flags: OpenFlags) -> Result<Arc<dyn FileOps>> {
    let bound = VIRTUAL.lock().get(&number).copied().ok_or(ENXIO)?;
    let pty = PTYS.lock().get(&bound).cloned().ok_or(ENXIO)?;
    slave_file(&pty, flags)
}

/// Numbers of the slaves there are, with owner (uid, gid), for the devpts directory.
pub fn list() -> Vec<(u32, (u32, u32))> {
    PTYS.lock().values().map(|p| (p.number, p.owner)).collect()
}

/// The virtual terminals that are bound.
pub fn virtual_list() -> Vec<u32> {
    VIRTUAL.lock().keys().copied().collect()
}

/// Whether anyone but the terminal emulator, which keeps one file of it open, has a virtual terminal open.
pub fn virtual_is_used(number: u32) -> bool {
    let bound = VIRTUAL.lock().get(&number).copied();
    let pty = bound.and_then(|bound| PTYS.lock().get(&bound).cloned());
    pty.is_some_and(|pty| pty.slaves.lock().0 > 1)
}

/// The master's side.
pub struct Master(Arc<Pty>);

impl Drop for Master {
    fn drop(&mut self) {
        self.0.pipe.master_gone.store(true, Ordering::SeqCst);
        PTYS.lock().remove(&self.0.number);
        VIRTUAL.lock().retain(|_, n| *n != self.0.number);
        self.0.terminal.hang_up();
        self.0.pipe.room_event.wake_all();
    }
}

impl Master {
    fn slave_closed(&self) -> bool {
        *self.0.slaves.lock() == (0, true)
    }
}

impl FileOps for Master {
    fn read(&self, file: &OpenFile, _pos: u64, dst: &mut IoSink<'_>) -> Result<usize> {
        let pipe = &self.0.pipe;
        loop {
            let bytes: Vec<u8> = {
                let mut output = pipe.output.lock();
                let len = dst.remaining().min(output.len()).min(16 << 10);
                output.drain(..len).collect()
            };
            if !bytes.is_empty() || dst.remaining() == 0 {
                pipe.room_event.wake_events(Events::OUT | Events::WRNORM);
                return dst.write(&bytes);
            }
            if self.slave_closed() {
                return Err(EIO);
            }
            if file.nonblocking() {
                return Err(EAGAIN);
            }
            pipe.output_event.wait_until(|| (!pipe.output.lock().is_empty() || self.slave_closed()).then_some(()))?;
        }
    }

    fn write(&self, file: &OpenFile, _pos: u64, src: &mut IoSource<'_>) -> Result<usize> {
        let terminal = &self.0.terminal;
        let mut done = 0;
        let mut buffer = [0u8; 512];
        while src.remaining() > 0 {
            let room = terminal.input_room();
            if room <= 1 && !self.slave_closed() {
                // A full canonical line still takes the character that ends it.
                if file.nonblocking() {
                    return if done > 0 { Ok(done) } else { Err(EAGAIN) };
                }
                let len = src.read(&mut buffer[..1])?;
                terminal.receive(&buffer[..len]);
                done += len;
                if src.remaining() == 0 {
                    break;
                }
                let waited = self.0.pipe.input_event.wait_until(|| (terminal.input_room() > 1 || self.slave_closed()).then_some(()));
                if let Err(error) = waited {
                    return if done > 0 { Ok(done) } else { Err(error) };
                }
                continue;
            }
            let len = src.read(&mut buffer[..room.clamp(1, 512)])?;
            terminal.receive(&buffer[..len]);
            done += len;
        }
        Ok(done)
    }

    fn poll(&self, _file: &OpenFile, table: &mut PollTable<'_>) -> Events {
        let pipe = &self.0.pipe;
        table.register(&pipe.output_event);
        table.register(&pipe.input_event);
        let mut events = Events::empty();
        if !pipe.output.lock().is_empty() {
            events |= Events::IN | Events::RDNORM;
        }
        if self.slave_closed() {
            events |= Events::HUP;
        }
        let seen = self.0.seen.load(Ordering::SeqCst);
        if seen != 0 {
            table.register(&vt::changed());
            if seen != vt::generation() {
                events |= Events::PRI;
            }
        }
        if self.0.terminal.input_room() > 1 {
            events |= Events::OUT | Events::WRNORM;
        }
        events
    }

    fn ioctl(&self, _file: &OpenFile, cmd: u32, arg: usize) -> Result<usize> {
        const TIOCGPTN: u32 = 0x8004_5430;
        const TIOCSPTLCK: u32 = 0x4004_5431;
        const TIOCGPTLCK: u32 = 0x8004_5439;
        const TIOCGPTPEER: u32 = 0x5441;
        const TIOCSIG: u32 = 0x4004_5436;
        const FIONREAD: u32 = 0x541b;
        match cmd {
            TIOCGPTN => user::write(arg, &self.0.number)?,
            TIOCSPTLCK => self.0.locked.store(user::read::<u32>(arg)? != 0, Ordering::SeqCst),
            TIOCGPTLCK => user::write(arg, &u32::from(self.0.locked.load(Ordering::SeqCst)))?,
            TIOCGPTPEER => {
                let flags = OpenFlags::from_bits_retain(arg as u32);
                let ops = slave_file(&self.0, flags)?;
                let fd_flags = if flags.contains(OpenFlags::CLOEXEC) { FdFlags::CLOEXEC } else { FdFlags::empty() };
                let file = OpenFile::new(ops, flags);
                return Ok(task::with_current(|t| t.process.files().insert(file, fd_flags))? as usize);
            }
            TIOCSIG => {
                let foreground = super::super::Tty::foreground_group(&*self.0.terminal);
                if foreground != 0 && (1..=64).contains(&arg) {
                    task::signal::send_group(foreground, task::signal::SigInfo::kernel(arg as u32));
                }
            }
            // tcsendbreak(3), tcdrain(3): this side has no line that could be broken, and nothing is on its way.
            TCSBRK | TCSBRKP => {}
            FIONREAD => {
                // No lock is held where memory is written: the page may have to be brought in.
                let waiting = self.0.pipe.output.lock().len() as u32;
                user::write(arg, &waiting)?;
            }
            _ if cmd == scheme_abi::VT_BIND as u32 => {
                if !task::capable(task::Capability::SYS_ADMIN) {
                    return Err(EPERM);
                }
                let number = u32::try_from(arg).ok().filter(|n| (1..=vt::LAST).contains(n)).ok_or(EINVAL)?;
                VIRTUAL.lock().insert(number, self.0.number);
                self.0.terminal.become_virtual(number);
                self.0.locked.store(false, Ordering::SeqCst);
            }
            _ if cmd == scheme_abi::VT_STATE => {
                let ([active, mode, keyboard, leds], generation) = vt::snapshot();
                let state = scheme_abi::VtState { active, mode, keyboard, leds };
                let mut bytes = [0; scheme_abi::VtState::BYTES];
                state.encode(&mut bytes).map_err(|_| EIO)?;
                user::write(arg, &bytes)?;
                self.0.seen.store(generation, Ordering::SeqCst);
            }
            _ if cmd == scheme_abi::VT_REQUEST => {
                if !task::capable(task::Capability::SYS_ADMIN) {
                    return Err(EPERM);
                }
                vt::activate(u32::try_from(arg).map_err(|_| ENXIO)?)?;
            }
            _ => return self.0.terminal.control_from_master(cmd, arg),
        }
        Ok(0)
    }

    fn attr(&self) -> Result<Attr> {
        Ok(Attr { mode: 0o020666, nlink: 1, rdev: 5 << 8 | 2, blksize: 1024, ..Attr::default() })
    }

    fn describe(&self) -> String {
        "/dev/ptmx".into()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// An open slave; counts itself so that the master notices the last close.
struct Slave {
    file: TerminalFile,
    pty: Weak<Pty>,
}

impl Drop for Slave {
    fn drop(&mut self) {
        let Some(pty) = self.pty.upgrade() else { return };
        let last = {
            let mut slaves = pty.slaves.lock();
            slaves.0 = slaves.0.saturating_sub(1);
            slaves.0 == 0
        };
        if last {
            pty.pipe.output_event.wake_all();
        }
    }
}

impl FileOps for Slave {
    fn read(&self, file: &OpenFile, pos: u64, dst: &mut IoSink<'_>) -> Result<usize> {
        self.file.read(file, pos, dst)
    }

    fn write(&self, file: &OpenFile, pos: u64, src: &mut IoSource<'_>) -> Result<usize> {
        self.file.write(file, pos, src)
    }

    fn poll(&self, file: &OpenFile, table: &mut PollTable<'_>) -> Events {
        self.file.poll(file, table)
    }

    fn ioctl(&self, file: &OpenFile, cmd: u32, arg: usize) -> Result<usize> {
        self.file.ioctl(file, cmd, arg)
    }

    fn attr(&self) -> Result<Attr> {
        match self.pty.upgrade() {
            Some(pty) => super::devices::slave_attr(pty.number).or_else(|_| self.file.attr()),
            None => self.file.attr(),
        }
    }

    fn describe(&self) -> String {
        self.file.describe()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
