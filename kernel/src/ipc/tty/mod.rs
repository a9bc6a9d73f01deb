//! Terminals: the line discipline with job control over a driver (the serial line, a pseudo-terminal).

pub mod devices;
mod ldisc;
pub mod pty;
pub mod serial;
mod termios;
pub mod vt;

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::any::Any;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::error::*;
use crate::fs::{Attr, Events, FileOps, IoSink, IoSource, OpenFile, OpenFlags};
use crate::sync::{PollTable, SpinLock, WaitQueue};
use crate::task::signal::{self, SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU, SIGWINCH, SigInfo};
use crate::task::{self, lifecycle, process};
use crate::user;
use ldisc::{Effects, Ldisc, TypedSignal};
use termios::{ICANON, TOSTOP, Termio, Termios, VMIN, VTIME};

/// Where a terminal's output goes.
pub trait Driver: Send + Sync {
    /// Takes output; returns how many bytes it took (fewer where it is full).
    fn write(&self, bytes: &[u8]) -> usize;
    /// Room for output without waiting.
    fn room(&self) -> usize;
    /// Woken when there is room again.
    fn room_event(&self) -> Option<WaitQueue> {
        None
    }
    /// The other side is gone (a closed pty master): reads end, writes fail.
    fn hung_up(&self) -> bool {
        false
    }
    /// Input was taken: the other side may send more.
    fn input_taken(&self) {}
    /// Throws output away that has not left yet.
    fn flush_output(&self) {}
}

/// `struct winsize`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
#[allow(missing_docs)]
pub struct WinSize {
    pub rows: u16,
    pub columns: u16,
    pub width_px: u16,
    pub height_px: u16,
}

/// A terminal.
pub struct Terminal {
    this: Weak<Terminal>,
    /// Device number, `makedev(3)`.
    device: AtomicU32,
    /// Path as `ttyname(3)` expects it, for messages.
    name: SpinLock<String>,
    /// The virtual terminal that it is, 0 for none.
    number: AtomicU32,
    driver: Arc<dyn Driver>,
    state: SpinLock<(Termios, Ldisc)>,
    size: SpinLock<WinSize>,
    /// The session it controls, 0 for none.
    session: AtomicU32,
    foreground: AtomicU32,
    /// Output stopped by VSTOP or `tcflow(3)`.
    stopped: AtomicBool,
    hung_up: AtomicBool,
    exclusive: AtomicBool,
    /// Woken when input comes.
    input_event: WaitQueue,
    /// Woken when output goes on.
    output_event: WaitQueue,
    /// Output that has not fitted into the driver: echo of typed characters.
    echo_backlog: SpinLock<VecDeque<u8>>,
}

/// Most echoed bytes kept while the driver is full.
const ECHO_BACKLOG: usize = 8192;

impl Terminal {
    /// A terminal over a driver.
    pub fn new(device: u32, name: String, driver: Arc<dyn Driver>) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            this: this.clone(),
            device: AtomicU32::new(device),
            name: SpinLock::new(name),
            number: AtomicU32::new(0),
            driver,
            state: SpinLock::new((Termios::default(), Ldisc::default())),
            size: SpinLock::new(WinSize::default()),
            session: AtomicU32::new(0),
            foreground: AtomicU32::new(0),
            stopped: AtomicBool::new(false),
            hung_up: AtomicBool::new(false),
            exclusive: AtomicBool::new(false),
            input_event: WaitQueue::new(),
            output_event: WaitQueue::new(),
            echo_backlog: SpinLock::new(VecDeque::new()),
        })
    }

    /// It is the virtual terminal `/dev/tty<number>` from now on.
    pub fn become_virtual(&self, number: u32) {
        self.device.store(4 << 8 | number, Ordering::SeqCst);
        *self.name.lock() = alloc::format!("/dev/tty{number}");
        self.number.store(number, Ordering::SeqCst);
    }

    /// Sets the window size; the foreground group hears of a change.
    pub fn set_size(&self, size: WinSize) {
        let before = core::mem::replace(&mut *self.size.lock(), size);
        let foreground = self.foreground.load(Ordering::SeqCst);
        if before != size && foreground != 0 {
            signal::send_group(foreground, SigInfo::kernel(SIGWINCH));
        }
    }

    /// The window size.
    pub fn size(&self) -> WinSize {
        *self.size.lock()
    }

    /// Bytes the line discipline can still take.
    pub fn input_room(&self) -> usize {
        self.state.lock().1.room()
    }

    /// Bytes from the terminal's other side. May be called from interrupt handlers.
    pub fn receive(&self, bytes: &[u8]) {
        let mut effects = Effects::default();
        {
            let mut state = self.state.lock();
            let (termios, ldisc) = &mut *state;
            for byte in bytes {
                ldisc.receive(termios, *byte, &mut effects);
            }
        }
        if let Some(stop) = effects.flow {
            self.stopped.store(stop, Ordering::SeqCst);
            if !stop {
                self.output_event.wake_all();
            }
        }
        if !effects.echo.is_empty() {
            self.echo(&effects.echo);
        }
        let foreground = self.foreground.load(Ordering::SeqCst);
        for typed in effects.signals {
            let number = match typed {
                TypedSignal::Interrupt => SIGINT,
                TypedSignal::Quit => SIGQUIT,
                TypedSignal::Suspend => SIGTSTP,
            };
            if foreground != 0 {
                signal::send_group(foreground, SigInfo::kernel(number));
            }
        }
        if effects.readable {
            self.input_event.wake_events(Events::IN | Events::RDNORM);
        }
    }

    fn echo(&self, bytes: &[u8]) {
        let mut backlog = self.echo_backlog.lock();
        if backlog.is_empty() {
            let taken = self.driver.write(bytes);
            backlog.extend(&bytes[taken..]);
        } else if backlog.len() + bytes.len() <= ECHO_BACKLOG {
            backlog.extend(bytes);
        }
    }

    fn drain_backlog(&self) {
        let mut backlog = self.echo_backlog.lock();
        while !backlog.is_empty() {
            let (first, _) = backlog.as_slices();
            let taken = self.driver.write(first);
            if taken == 0 {
                break;
            }
            backlog.drain(..taken);
        }
    }

    /// The other side has closed: readers get end of file, the session SIGHUP.
    pub fn hang_up(&self) {
        if self.hung_up.swap(true, Ordering::SeqCst) {
            return;
        }
        let session = self.session.load(Ordering::SeqCst);
        let foreground = self.foreground.load(Ordering::SeqCst);
        if session != 0 {
            if let Some(leader) = process::find(session) {
                let _ = signal::send_process(&leader, SigInfo::kernel(SIGHUP));
                let _ = signal::send_process(&leader, SigInfo::kernel(SIGCONT));
            }
            if foreground != 0 {
                signal::send_group(foreground, SigInfo::kernel(SIGHUP));
            }
        }
        self.input_event.wake_all();
        self.output_event.wake_all();
    }

    fn is_hung_up(&self) -> bool {
        self.hung_up.load(Ordering::SeqCst) || self.driver.hung_up()
    }

    /// Job control for a process that uses its controlling terminal from the background.
    fn check_background(&self, number: u32) -> Result {
        let thread = task::current();
        let process = &thread.process;
        let mine = process.sid() == self.session.load(Ordering::SeqCst) && self.session.load(Ordering::SeqCst) != 0;
        let foreground = self.foreground.load(Ordering::SeqCst);
        if !mine || foreground == 0 || process.pgid() == foreground {
            return Ok(());
        }
        let blocked = thread.signals.lock().blocked & signal::bit(number) != 0;
        let ignored = process.signals.lock().ignores(number);
        if blocked || ignored {
            return if number == SIGTTIN { Err(EIO) } else { Ok(()) };
        }
        if lifecycle::group_is_orphaned(process) {
            return Err(EIO);
        }
        signal::send_group(process.pgid(), SigInfo::kernel(number));
        Err(ERESTARTSYS)
    }

    /// Makes it the controlling terminal of the calling session leader, if it may be. `steal`: root may take it from another session.
    fn acquire(&self, steal: bool) -> Result {
        let process = task::with_current(|t| t.process.clone());
        let session = process.session();
        if session.sid != process.pid {
            return Err(EPERM);
        }
        let owner = self.session.load(Ordering::SeqCst);
        if owner == session.sid {
            return Ok(());
        }
        if session.tty.lock().is_some() {
            return Err(EPERM);
        }
        if owner != 0 {
            if !steal || !task::capable(task::Capability::SYS_ADMIN) {
                return Err(EPERM);
            }
            for other in process::all().iter().filter(|p| p.sid() == owner) {
                *other.session().tty.lock() = None;
            }
        }
        self.session.store(session.sid, Ordering::SeqCst);
        self.foreground.store(process.pgid(), Ordering::SeqCst);
        if let Some(this) = self.this.upgrade() {
            *session.tty.lock() = Some(this);
        }
        Ok(())
    }

    /// What opening does: `EBUSY` under TIOCEXCL; a session leader without a terminal gets it, unless `O_NOCTTY`.
    ///
    /// # Errors
    /// `EBUSY`, `EIO` after a hang-up.
    pub fn open(self: &Arc<Self>, flags: OpenFlags) -> Result<Arc<dyn FileOps>> {
        if self.is_hung_up() {
            return Err(EIO);
        }
        let privileged = task::capable(task::Capability::SYS_ADMIN);
        if self.exclusive.load(Ordering::SeqCst) && !privileged {
            return Err(EBUSY);
        }
        if !flags.contains(OpenFlags::NOCTTY) && flags.readable() && self.session.load(Ordering::SeqCst) == 0 {
            // Not being able to is no error of open(2).
            let _ = self.acquire(false);
        }
        Ok(Arc::new(TerminalFile(self.clone())))
    }

    /// Writes with output processing; waits for room.
    fn write_out(&self, file: Option<&OpenFile>, bytes: &[u8]) -> Result<usize> {
        let mut done = 0;
        while done < bytes.len() {
            if self.is_hung_up() {
                return Err(EIO);
            }
            self.drain_backlog();
            // Output processing at most doubles (or, for tabs, times eight) a byte: small pieces fit or wait.
            let piece = &bytes[done..(done + 256).min(bytes.len())];
            let room = if self.stopped.load(Ordering::SeqCst) { 0 } else { self.driver.room() };
            let fitting = piece.len().min(room / 8);
            if fitting == 0 {
                if file.is_some_and(|f| f.nonblocking()) {
                    return if done > 0 { Ok(done) } else { Err(EAGAIN) };
                }
                let event = if self.stopped.load(Ordering::SeqCst) { self.output_event.clone() } else { self.driver.room_event().unwrap_or_default() };
                let waited = event.wait_until(|| {
                    let ready = !self.stopped.load(Ordering::SeqCst) && self.driver.room() >= 8;
                    (ready || self.is_hung_up()).then_some(())
                });
                if let Err(error) = waited {
                    return if done > 0 { Ok(done) } else { Err(error) };
                }
                continue;
            }
            let mut out = Vec::with_capacity(fitting * 2);
            {
                let mut state = self.state.lock();
                let (termios, ldisc) = &mut *state;
                ldisc.output(termios, &piece[..fitting], &mut out);
            }
            let mut rest = &out[..];
            while !rest.is_empty() {
                let taken = self.driver.write(rest);
                rest = &rest[taken..];
                if taken == 0 {
                    // Another writer was quicker; what is processed must not be lost.
                    self.echo_backlog.lock().extend(rest);
                    break;
                }
            }
            done += fitting;
        }
        Ok(done)
    }

    fn read_in(&self, file: &OpenFile, dst: &mut IoSink<'_>) -> Result<usize> {
        let max = dst.remaining().min(4096);
        if max == 0 {
            return Ok(0);
        }
        loop {
            self.check_background(SIGTTIN)?;
            let (taken, termios) = {
                let mut state = self.state.lock();
                let (termios, ldisc) = &mut *state;
                (ldisc.readable(termios).then(|| ldisc.take(termios, max)), *termios)
            };
            if let Some(bytes) = taken {
                self.driver.input_taken();
                return dst.write(&bytes);
            }
            if self.is_hung_up() {
                return Ok(0);
            }
            let raw = !termios.local(ICANON);
            if raw && termios.cc[VMIN] == 0 && termios.cc[VTIME] == 0 {
                let bytes = {
                    let mut state = self.state.lock();
                    let (termios, ldisc) = &mut *state;
                    ldisc.take(termios, max)
                };
                return dst.write(&bytes);
            }
            if file.nonblocking() {
                return Err(EAGAIN);
            }
            // VTIME counts tenths of a second; with VMIN 0 from the call, otherwise from the first byte (a short read then ends it).
            let deadline = (raw && termios.cc[VTIME] > 0 && termios.cc[VMIN] == 0)
                .then(|| frame::time::now_ns() + u64::from(termios.cc[VTIME]) * 100_000_000);
            let waited = self.input_event.wait_deadline(deadline, || {
                let state = self.state.lock();
                let changed = state.0.lflag != termios.lflag;
                (state.1.readable(&state.0) || changed || self.is_hung_up()).then_some(())
            });
            match waited {
                Ok(()) => {}
                Err(ETIMEDOUT) => return Ok(0),
                Err(error) => return Err(error),
            }
        }
    }

    fn set_attributes(&self, new: Termios, flush: bool) {
        {
            let mut state = self.state.lock();
            let (termios, ldisc) = &mut *state;
            *termios = new;
            if flush {
                ldisc.flush_input();
            }
            ldisc.mode_changed(termios);
        }
        self.input_event.wake_all();
    }

    fn control(&self, cmd: u32, arg: usize) -> Result<usize> {
        match cmd {
            TCGETS => user::write(arg, &{ self.state.lock().0 })?,
            TCSETS | TCSETSW | TCSETSF => {
                self.check_background(SIGTTOU)?;
                let new: Termios = user::read(arg)?;
                self.set_attributes(new, cmd == TCSETSF);
            }
            TCGETA => {
                let termio = Termio::from(&self.state.lock().0);
                user::write(arg, &termio)?;
            }
            TCSETA | TCSETAW | TCSETAF => {
                self.check_background(SIGTTOU)?;
                let new: Termio = user::read(arg)?;
                let merged = new.merged(self.state.lock().0);
                self.set_attributes(merged, cmd == TCSETAF);
            }
            TCGETS2 => {
                let termios = self.state.lock().0;
                user::write(arg, &termios)?;
                user::write(arg + 36, &[38_400u32; 2])?;
            }
            TCSETS2 | TCSETSW2 | TCSETSF2 => {
                self.check_background(SIGTTOU)?;
                let new: Termios = user::read(arg)?;
                self.set_attributes(new, cmd == TCSETSF2);
            }
            TCSBRK | TCSBRKP => self.drain_backlog(),
            TCXONC => match arg {
                0 | 1 => {
                    self.stopped.store(arg == 0, Ordering::SeqCst);
                    self.output_event.wake_all();
                }
                2 | 3 => {}
                _ => return Err(EINVAL),
            },
            TCFLSH => {
                if arg > 2 {
                    return Err(EINVAL);
                }
                if arg != 1 {
                    self.state.lock().1.flush_input();
                }
                if arg != 0 {
                    self.echo_backlog.lock().clear();
                    self.driver.flush_output();
                }
            }
            TIOCEXCL => self.exclusive.store(true, Ordering::SeqCst),
            TIOCNXCL => self.exclusive.store(false, Ordering::SeqCst),
            TIOCSCTTY => self.acquire(arg == 1)?,
            TIOCNOTTY => {
                let process = task::with_current(|t| t.process.clone());
                let session = process.session();
                if session.sid != self.session.load(Ordering::SeqCst) {
                    return Err(ENOTTY);
                }
                let was = session.tty.lock().take();
                drop(was);
                if session.sid == process.pid {
                    let foreground = self.foreground.swap(0, Ordering::SeqCst);
                    self.session.store(0, Ordering::SeqCst);
                    signal::send_group(foreground, SigInfo::kernel(SIGHUP));
                    signal::send_group(foreground, SigInfo::kernel(SIGCONT));
                }
            }
            TIOCGPGRP => {
                self.require_own_session()?;
                user::write(arg, &task::pid_ns::seen(self.foreground.load(Ordering::SeqCst)))?;
            }
            TIOCSPGRP => {
                self.require_own_session()?;
                self.check_background(SIGTTOU)?;
                let pgid: i32 = user::read(arg)?;
                let pgid = task::pid_ns::meant(u32::try_from(pgid).map_err(|_| EINVAL)?)?;
                let session = self.session.load(Ordering::SeqCst);
                let members: Vec<_> = process::all().into_iter().filter(|p| p.pgid() == pgid).collect();
                if members.is_empty() {
                    return Err(ESRCH);
                }
                if !members.iter().any(|p| p.sid() == session) {
                    return Err(EPERM);
                }
                self.foreground.store(pgid, Ordering::SeqCst);
            }
            TIOCGSID => {
                self.require_own_session()?;
                user::write(arg, &self.session.load(Ordering::SeqCst))?;
            }
            TIOCOUTQ => {
                let waiting = self.echo_backlog.lock().len() as u32;
                user::write(arg, &waiting)?;
            }
            TIOCSTI => {
                let byte = frame::user::read_u8(arg as u64)?;
                if !task::capable(task::Capability::SYS_ADMIN) {
                    return Err(EPERM);
                }
                self.receive(&[byte]);
            }
            TIOCGWINSZ => user::write(arg, &self.size())?,
            TIOCSWINSZ => self.set_size(user::read(arg)?),
            FIONREAD => {
                let count = {
                    let state = self.state.lock();
                    state.1.available(&state.0) as u32
                };
                user::write(arg, &count)?;
            }
            // TIOCMGET: data set ready, carrier, clear to send
            0x5415 => user::write(arg, &0x166u32)?,
            // TIOCMBIS, TIOCMBIC, TIOCMSET
            0x5416..=0x5418 => {}
            _ => match self.number.load(Ordering::SeqCst) {
                0 => return Err(ENOTTY),
                number => {
                    let may_change = self.require_own_session().is_ok() || task::capable(task::Capability::SYS_TTY_CONFIG);
                    return vt::control(number, cmd, arg, may_change);
                }
            },
        }
        Ok(0)
    }

    /// Terminal ioctls on a pty's master act on the slave's terminal, without job control.
    fn control_from_master(&self, cmd: u32, arg: usize) -> Result<usize> {
        match cmd {
            TCSETS | TCSETSW | TCSETSF => self.set_attributes(user::read(arg)?, cmd == TCSETSF),
            TCSETA | TCSETAW | TCSETAF => {
                let new: Termio = user::read(arg)?;
                let merged = new.merged(self.state.lock().0);
                self.set_attributes(merged, cmd == TCSETAF);
            }
            TIOCGPGRP => user::write(arg, &task::pid_ns::seen(self.foreground.load(Ordering::SeqCst)))?,
            TIOCGSID => user::write(arg, &task::pid_ns::seen(self.session.load(Ordering::SeqCst)))?,
            TCGETS | TCGETA | TCFLSH | TIOCGWINSZ | TIOCSWINSZ | TIOCOUTQ => return self.control(cmd, arg),
            _ => return Err(ENOTTY),
        }
        Ok(0)
    }

    fn require_own_session(&self) -> Result {
        let sid = task::with_current(|t| t.process.sid());
        if sid != 0 && sid == self.session.load(Ordering::SeqCst) { Ok(()) } else { Err(ENOTTY) }
    }

    fn poll_state(&self, table: &mut PollTable<'_>) -> Events {
        table.register(&self.input_event);
        table.register(&self.output_event);
        if let Some(event) = self.driver.room_event() {
            table.register(&event);
        }
        let mut events = Events::empty();
        {
            let state = self.state.lock();
            if state.1.readable(&state.0) {
                events |= Events::IN | Events::RDNORM;
            }
        }
        if self.is_hung_up() {
            return events | Events::IN | Events::HUP | Events::ERR;
        }
        if !self.stopped.load(Ordering::SeqCst) && self.driver.room() >= 8 {
            events |= Events::OUT | Events::WRNORM;
        }
        events
    }
}

impl super::Tty for Terminal {
    fn device(&self) -> u32 {
        self.device.load(Ordering::SeqCst)
    }

    fn foreground_group(&self) -> u32 {
        self.foreground.load(Ordering::SeqCst)
    }

    fn session_ended(&self) {
        self.session.store(0, Ordering::SeqCst);
        self.foreground.store(0, Ordering::SeqCst);
    }

    fn open_self(&self) -> Result<Arc<dyn FileOps>> {
        let this = self.this.upgrade().ok_or(EIO)?;
        Ok(Arc::new(TerminalFile(this)))
    }
}

/// A terminal as a file.
pub struct TerminalFile(pub Arc<Terminal>);

impl FileOps for TerminalFile {
    fn read(&self, file: &OpenFile, _pos: u64, dst: &mut IoSink<'_>) -> Result<usize> {
        self.0.read_in(file, dst)
    }

    fn write(&self, file: &OpenFile, _pos: u64, src: &mut IoSource<'_>) -> Result<usize> {
        if self.0.state.lock().0.lflag & TOSTOP != 0 {
            self.0.check_background(SIGTTOU)?;
        }
        let mut done = 0;
        let mut buffer = [0u8; 512];
        while src.remaining() > 0 {
            let len = src.read(&mut buffer)?;
            match self.0.write_out(Some(file), &buffer[..len]) {
                Ok(written) => {
                    done += written;
                    if written < len {
                        return Ok(done);
                    }
                }
                Err(error) => return if done > 0 { Ok(done) } else { Err(error) },
            }
        }
        Ok(done)
    }

    fn poll(&self, _file: &OpenFile, table: &mut PollTable<'_>) -> Events {
        self.0.poll_state(table)
    }

    fn ioctl(&self, _file: &OpenFile, cmd: u32, arg: usize) -> Result<usize> {
        self.0.control(cmd, arg)
    }

    fn attr(&self) -> Result<Attr> {
        Ok(Attr { mode: 0o020620, nlink: 1, rdev: self.0.device.load(Ordering::SeqCst).into(), blksize: 1024, ..Attr::default() })
    }

    fn describe(&self) -> String {
        self.0.name.lock().clone()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

const TCGETS: u32 = 0x5401;
const TCSETS: u32 = 0x5402;
const TCSETSW: u32 = 0x5403;
const TCSETSF: u32 = 0x5404;
const TCGETA: u32 = 0x5405;
const TCSETA: u32 = 0x5406;
const TCSETAW: u32 = 0x5407;
const TCSETAF: u32 = 0x5408;
pub(super) const TCSBRK: u32 = 0x5409;
const TCXONC: u32 = 0x540a;
const TCFLSH: u32 = 0x540b;
const TIOCEXCL: u32 = 0x540c;
const TIOCNXCL: u32 = 0x540d;
const TIOCSCTTY: u32 = 0x540e;
const TIOCGPGRP: u32 = 0x540f;
const TIOCSPGRP: u32 = 0x5410;
const TIOCOUTQ: u32 = 0x5411;
const TIOCSTI: u32 = 0x5412;
const TIOCGWINSZ: u32 = 0x5413;
const TIOCSWINSZ: u32 = 0x5414;
const FIONREAD: u32 = 0x541b;
const TIOCNOTTY: u32 = 0x5422;
pub(super) const TCSBRKP: u32 = 0x5425;
const TIOCGSID: u32 = 0x5429;
const TCGETS2: u32 = 0x802c_542a;
const TCSETS2: u32 = 0x402c_542b;
const TCSETSW2: u32 = 0x402c_542c;
const TCSETSF2: u32 = 0x402c_542d;
