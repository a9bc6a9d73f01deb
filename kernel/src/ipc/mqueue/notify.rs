//! `mq_notify(3)`: one process is told when a message comes into an empty queue that nobody waits for.

use alloc::sync::{Arc, Weak};

use super::Queue;
use crate::error::*;
use crate::ipc::netlink;
use crate::task::signal::{self, SigInfo};
use crate::task::{self, Process};

/// `si_code` of such a signal.
const SI_MESGQ: i32 = -3;
/// Bytes of the datagram that a thread is told by; the last is why it comes.
pub const COOKIE: usize = 32;
const WOKEN: u8 = 1;
const REMOVED: u8 = 2;

/// How to tell.
pub enum How {
    /// `SIGEV_NONE`: not at all, but nobody else can be told meanwhile.
    Silently,
    /// `SIGEV_SIGNAL`: by this signal (0: none) with this value.
    Signal(u32, u64),
    /// `SIGEV_THREAD`: by a datagram to a netlink socket, where the C library waits.
    Datagram(Arc<netlink::Socket>, [u8; COOKIE]),
}

/// Who is to be told.
pub struct Registration {
    process: Weak<Process>,
    /// The process's id.
    pub pid: u32,
    how: How,
}

fn datagram(socket: &netlink::Socket, mut cookie: [u8; COOKIE], why: u8) {
    cookie[COOKIE - 1] = why;
    socket.tell(&cookie);
}

impl Registration {
    /// The process is still there.
    fn holds(&self) -> bool {
        self.process.upgrade().is_some_and(|process| !process.is_zombie())
    }

    /// What `read(2)` of the queue shows: how, and by which signal.
    pub fn shown(&self) -> (u32, u32) {
        match self.how {
            How::Signal(signal, _) => (0, signal),
            How::Silently => (1, 0),
            How::Datagram(..) => (2, 0),
        }
    }

    /// A message has come.
    pub(super) fn fire(self) {
        match self.how {
            How::Silently | How::Signal(0, _) => {}
            How::Signal(signal, value) => {
                let (pid, uid) = task::with_current(|t| (t.process.pid, t.creds().uid));
                if let Some(process) = self.process.upgrade() {
                    // A process with too many signals is not told.
                    let _ = signal::send_process(&process, SigInfo { signal, code: SI_MESGQ, pid, uid, value, ..SigInfo::default() });
                }
            }
            How::Datagram(socket, cookie) => datagram(&socket, cookie, WOKEN),
        }
    }

    fn remove(self) {
        if let How::Datagram(socket, cookie) = self.how {
            datagram(&socket, cookie, REMOVED);
        }
    }
}

impl Queue {
    /// Registers the caller's process.
    ///
    /// # Errors
    /// `EBUSY` where another is registered.
    pub fn register(&self, process: &Arc<Process>, how: How) -> Result {
        let old = {
            let mut state = self.state.lock();
            if state.notify.as_ref().is_some_and(Registration::holds) {
                return Err(EBUSY);
            }
            state.notify.replace(Registration { process: Arc::downgrade(process), pid: process.pid, how })
        };
        drop(old);
        self.touch();
        Ok(())
    }

    /// Takes the registration of a process back, if it has one.
    pub fn unregister(&self, pid: u32) {
        let gone = {
            let mut state = self.state.lock();
            if state.notify.as_ref().is_some_and(|registration| registration.pid == pid) { state.notify.take() } else { None }
        };
        if let Some(registration) = gone {
            registration.remove();
        }
    }
}
