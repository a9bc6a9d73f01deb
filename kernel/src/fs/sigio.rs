//! Signal-driven input and output (`fcntl(2)`, O_ASYNC): a file that becomes ready sends its owner a signal.
//!
//! A file's wake-ups come with locks held, under which no signal can be sent: the notifier sends it from a timer that is due at once. Wake-ups until then are
//! one signal.

use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::file::Events;
use super::dnotify::DirectoryWatch;
use super::{FileOps, OpenFile};
use crate::error::*;
use crate::sync::{PollTable, SpinLock, WaitEntry, Wake};
use crate::task::process;
use crate::task::signal::{self, NSIG, SIGIO, SIGURG, SigInfo};
use crate::task::{self, Process, Thread};
use crate::time::timer::{Expire, Timer};

/// Whom a file's signals go to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Owner {
    #[default]
    #[allow(missing_docs)]
    Nobody,
    /// `F_OWNER_TID`
    Thread(u32),
    /// `F_OWNER_PID`
    Process(u32),
    /// `F_OWNER_PGRP`
    Group(u32),
}

/// Whom to tell, and how.
#[derive(Clone, Copy, Default)]
pub struct Settings {
    owner: Owner,
    /// Who said so: real and effective user.
    by: (u32, u32),
    /// `F_SETSIG`; 0: SIGIO, without saying what happened.
    signal: u32,
    fd: i32,
}

/// A file's settings for signals, and its registration while O_ASYNC is on.
#[derive(Default)]
pub struct SignalDriven {
    settings: SpinLock<Settings>,
    registration: SpinLock<Option<Registration>>,
    /// Of a directory (F_NOTIFY).
    watch: SpinLock<Option<Arc<DirectoryWatch>>>,
}

struct Registration {
    notifier: Arc<Notifier>,
    _entries: Vec<WaitEntry>,
}

struct Notifier {
    this: Weak<Notifier>,
    settings: SpinLock<Settings>,
    pending: AtomicBool,
    events: AtomicU32,
    timer: SpinLock<Option<Timer>>,
}

impl SignalDriven {
    /// Whom the signals go to.
    pub fn owner(&self) -> Owner {
        self.settings.lock().owner
    }

    /// Sets whom the file's signals go to, in the caller's name (`F_SETOWN`, `F_SETOWN_EX`).
    ///
    /// # Errors
    /// `ESRCH` where there is no such thread, process or group.
    pub fn set_owner(&self, file: &OpenFile, owner: Owner) -> Result {
        let is_there = match owner {
            Owner::Nobody => true,
            Owner::Thread(tid) => process::find_thread(tid).is_some(),
            Owner::Process(pid) => process::find(pid).is_some(),
            Owner::Group(group) => process::all().iter().any(|it| it.pgid() == group),
        };
        if !is_there {
            return Err(ESRCH);
        }
        let creds = task::current().creds();
        self.change(|settings| (settings.owner, settings.by) = (owner, (creds.uid, creds.euid)));
        let settings = *self.settings.lock();
        file.ops.set_signal_owner(settings);
        Ok(())
    }

    /// The signal that was set, or 0.
    pub fn signal(&self) -> u32 {
        self.settings.lock().signal
    }

    /// Sets the signal (`F_SETSIG`); 0 is SIGIO.
    ///
    /// # Errors
    /// `EINVAL` for a number that no signal has.
    pub fn set_signal(&self, signal: u32) -> Result {
        if signal > NSIG {
            return Err(EINVAL);
        }
        self.change(|settings| settings.signal = signal);
        Ok(())
    }

    fn change(&self, change: impl FnOnce(&mut Settings)) {
        let settings = {
            let mut settings = self.settings.lock();
            change(&mut settings);
            *settings
        };
        if let Some(registration) = &*self.registration.lock() {
            *registration.notifier.settings.lock() = settings;
        }
        if let Some(watch) = &*self.watch.lock() {
            watch.set(settings);
        }
    }

    /// Tells the calling process of what happens in the directory (F_NOTIFY with `DN_*`); 0 ends it.
    ///
    /// # Errors
    /// `ENOTDIR`; the filesystem's.
    pub fn notify(&self, file: &OpenFile, fd: i32, wanted: u32) -> Result {
        // DN_MULTISHOT alone asks for nothing either.
        if wanted & 0x7fff_ffff == 0 {
            drop(self.watch.lock().take());
            return Ok(());
        }
        let thread = task::current();
        let creds = thread.creds();
        self.change(|settings| {
            settings.fd = fd;
            (settings.owner, settings.by) = (Owner::Process(thread.process.pid), (creds.uid, creds.euid));
        });
        let known = self.watch.lock().clone();
        match known {
            Some(watch) => watch.add(wanted),
            None => {
                // Not in the call itself: it may ask a daemon, and no lock is held meanwhile.
                let settings = *self.settings.lock();
                let watch = DirectoryWatch::new(file, wanted, settings)?;
                *self.watch.lock() = Some(watch);
            }
        }
        Ok(())
    }

    /// The descriptor `fd` has taken a lease: who broke it is told to the calling process, where nobody else was named.
    pub fn own_lease(&self, fd: i32) {
        let thread = task::current();
        let creds = thread.creds();
        self.change(|settings| {
            settings.fd = fd;
            if settings.owner == Owner::Nobody {
                (settings.owner, settings.by) = (Owner::Process(thread.process.pid), (creds.uid, creds.euid));
            }
        });
    }

    /// Tells that somebody else wants the file.
    pub fn tell_of_lease(&self) {
        let settings = *self.settings.lock();
        settings.tell();
    }

    /// O_ASYNC is on or off now, set by the descriptor `fd`.
    pub fn switch(&self, file: &OpenFile, fd: i32, is_on: bool) {
        if self.registration.lock().is_some() == is_on {
            return;
        }
        self.settings.lock().fd = fd;
        let settings = *self.settings.lock();
        let new = is_on.then(|| Registration::new(file, settings));
        let old = core::mem::replace(&mut *self.registration.lock(), new);
        drop(old);
    }
}

impl Registration {
    fn new(file: &OpenFile, settings: Settings) -> Self {
        let notifier = Arc::new_cyclic(|this| Notifier {
            this: this.clone(),
            settings: SpinLock::new(settings),
            pending: AtomicBool::new(false),
            events: AtomicU32::new(0),
            timer: SpinLock::new(None),
        });
        let waker: Arc<dyn Wake> = notifier.clone();
        let mut table = PollTable::with(&waker);
        let ops: &dyn FileOps = &*file.ops;
        // What it is ready for already is no news.
        let _ = ops.poll(file, &mut table);
        Self { notifier, _entries: table.into_entries() }
    }
}

impl Wake for Notifier {
    fn wake(&self, events: Events) -> bool {
        self.events.fetch_or(events.bits(), Ordering::Relaxed);
        if !self.pending.swap(true, Ordering::SeqCst) {
            if let Some(this) = self.this.upgrade() {
                let timer = Timer::new(frame::time::now_ns(), this);
                // The one before has expired, or this would still be pending.
                drop(self.timer.lock().replace(timer));
            }
        }
        false
    }
}

impl Expire for Notifier {
    fn expire(self: Arc<Self>) {
        self.pending.store(false, Ordering::SeqCst);
        let events = Events::from_bits_retain(self.events.swap(0, Ordering::Relaxed));
        let settings = *self.settings.lock();
        settings.deliver(settings.info(events));
    }
}

impl Settings {
    /// Tells that something happened in a directory, or to a lease.
    pub fn tell(&self) {
        /// `POLL_MSG`, and its band.
        const MESSAGE: (i32, u64) = (3, 0x441);
        let info = match self.signal {
            0 => SigInfo::kernel(SIGIO),
            signal => SigInfo { signal, code: MESSAGE.0, value: MESSAGE.1, timer_id: self.fd, ..SigInfo::default() },
        };
        self.deliver(info);
    }

    /// Tells that urgent data have come to a socket, with or without O_ASYNC.
    pub fn tell_of_urgent_data(&self) {
        self.deliver(SigInfo::kernel(SIGURG));
    }

    fn deliver(&self, info: SigInfo) {
        match self.owner {
            Owner::Nobody => {}
            Owner::Thread(tid) => {
                if let Some(thread) = process::find_thread(tid).filter(|thread| self.may_signal(thread)) {
                    let _ = signal::send_thread(&thread, info);
                }
            }
            Owner::Process(pid) => process::find(pid).iter().for_each(|it| self.send(it, info)),
            Owner::Group(group) => process::all().iter().filter(|it| it.pgid() == group).for_each(|it| self.send(it, info)),
        }
    }
}

impl Settings {
    fn send(&self, process: &Arc<Process>, info: SigInfo) {
        if process.main_thread().is_some_and(|thread| self.may_signal(&thread)) {
            let _ = signal::send_process(process, info);
        }
    }

    /// As `kill(2)` would for who set the owner.
    fn may_signal(&self, thread: &Thread) -> bool {
        let (uid, euid) = self.by;
        let theirs = thread.creds();
        euid == 0 || [euid, uid].iter().any(|mine| [theirs.uid, theirs.suid].contains(mine))
    }

    fn info(&self, events: Events) -> SigInfo {
        /// What happened, the most urgent first, with `si_code` and `si_band` (`sigaction(2)`).
        const CODES: [(Events, i32, u64); 4] =
            [(Events::HUP, 6, 0x18), (Events::ERR, 4, 0x8), (Events::IN, 1, 0x41), (Events::OUT, 2, 0x304)];
        if self.signal == 0 {
            return SigInfo::kernel(SIGIO);
        }
        // Who does not know what happened says everything: then it is most likely that there is something to read.
        let is_known = events != Events::all();
        let (_, code, band) = CODES.into_iter().find(|(happened, ..)| is_known && events.intersects(*happened)).unwrap_or(CODES[2]);
        SigInfo { signal: self.signal, code, value: band, timer_id: self.fd, ..SigInfo::default() }
    }
}
