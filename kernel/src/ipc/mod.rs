//! Ways for threads and processes to talk: futexes, pipes, terminals, sockets, event files.

pub mod aio;
pub mod epoll;
pub mod eventfd;
pub mod fanotify;
pub mod futex;
pub mod inet;
pub mod futex_pi;
pub mod inotify;
pub mod limits;
pub mod mqueue;
pub mod namespace;
pub mod netdev;
pub mod netlink;
pub mod network;
pub mod packet;
pub mod pidfd;
pub mod pipe;
pub mod signalfd;
pub mod sysv;
pub mod timerfd;
pub mod tty;
pub mod unix;
pub mod uring;

use core::sync::atomic::{AtomicU64, Ordering};

/// When a wait ends that may take as long as a socket's time-out (SO_RCVTIMEO, SO_SNDTIMEO) says, in ns; 0 says for ever.
fn deadline(timeout_ns: &AtomicU64) -> Option<u64> {
    match timeout_ns.load(Ordering::Relaxed) {
        0 => None,
        ns => Some(frame::time::now_ns().saturating_add(ns)),
    }
}

/// A terminal, as sessions see it.
pub trait Tty: Send + Sync {
    /// Device number (`/proc/<pid>/stat`, field 7).
    fn device(&self) -> u32;
    /// The foreground process group, 0 for none.
    fn foreground_group(&self) -> u32;
    /// The session whose controlling terminal it is has lost its leader.
    fn session_ended(&self);
    /// For the `/dev/tty` alias: the terminal itself as a file.
    fn open_self(&self) -> crate::error::Result<alloc::sync::Arc<dyn crate::fs::FileOps>>;
}

/// Registers what this layer serves: terminals, FIFOs.
pub fn init() {
    crate::fs::device::set_fifo_maker(pipe::make_fifo);
    tty::devices::init();
    inet::outside::init();
    mqueue::names::init();
}
