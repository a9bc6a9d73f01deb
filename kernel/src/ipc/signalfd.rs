//! `signalfd(2)`: pending signals as a file.

use alloc::string::String;
use alloc::sync::Arc;
use core::any::Any;
use core::sync::atomic::{AtomicU64, Ordering};

use crate::error::*;
use crate::fs::{Attr, Events, FileOps, IoSink, OpenFile};
use crate::sync::PollTable;
use crate::task::signal::{SIGKILL, SIGSTOP, SigInfo, SigSet, bit};
use crate::task::{self};

/// A signal file. It shows the signals of whoever reads it.
pub struct SignalFd(AtomicU64);

impl SignalFd {
    /// For the signals of `mask`.
    pub fn new(mask: SigSet) -> Arc<Self> {
        let fd = Arc::new(Self(AtomicU64::new(0)));
        fd.set_mask(mask);
        fd
    }

    /// Changes the signals.
    pub fn set_mask(&self, mask: SigSet) {
        self.0.store(mask & !(bit(SIGKILL) | bit(SIGSTOP)), Ordering::Relaxed);
    }

    fn take(&self) -> Option<SigInfo> {
        let mask = self.0.load(Ordering::Relaxed);
        task::with_current(|thread| {
            let mut shared = thread.process.signals.lock();
            let mut own = thread.signals.lock();
            own.pending.take(mask).or_else(|| shared.pending.take(mask))
        })
    }
}

/// `struct signalfd_siginfo`, 128 bytes.
fn record(info: &SigInfo) -> [u8; 128] {
    let mut b = [0u8; 128];
    let mut put = |at: usize, bytes: &[u8]| b[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &info.signal.to_le_bytes());
    put(8, &info.code.to_le_bytes());
    put(12, &info.pid.to_le_bytes());
    put(16, &info.uid.to_le_bytes());
    put(24, &(info.timer_id as u32).to_le_bytes());
    put(40, &info.status.to_le_bytes());
    put(44, &(info.value as u32).to_le_bytes());
    put(48, &info.value.to_le_bytes());
    put(56, &info.utime.to_le_bytes());
    put(64, &info.stime.to_le_bytes());
    if info.code > 0 {
        put(72, &info.value.to_le_bytes());
    }
    b
}

impl FileOps for SignalFd {
    fn read(&self, file: &OpenFile, _pos: u64, dst: &mut IoSink<'_>) -> Result<usize> {
        if dst.remaining() < 128 {
            return Err(EINVAL);
        }
        let first = match self.take() {
            Some(info) => info,
            None if file.nonblocking() => return Err(EAGAIN),
            None => {
                let event = task::with_current(|t| t.process.signal_event.clone());
                event.wait_until(|| self.take())?
            }
        };
        let mut done = dst.write(&record(&first))?;
        while dst.remaining() >= 128 {
            let Some(info) = self.take() else { break };
            done += dst.write(&record(&info))?;
        }
        Ok(done)
    }

    fn poll(&self, _file: &OpenFile, table: &mut PollTable<'_>) -> Events {
        let mask = self.0.load(Ordering::Relaxed);
        task::with_current(|thread| {
            table.register(&thread.process.signal_event);
            let pending = thread.process.signals.lock().pending.set | thread.signals.lock().pending.set;
            if pending & mask != 0 { Events::IN } else { Events::empty() }
        })
    }

    fn has_no_positions(&self) -> bool {
        true
    }

    fn attr(&self) -> Result<Attr> {
        Ok(Attr { mode: 0o600, nlink: 1, blksize: 4096, ..Attr::default() })
    }

    fn describe(&self) -> String {
        "anon_inode:[signalfd]".into()
    }

    fn details(&self) -> String {
        alloc::format!("sigmask:\t{:016x}\n", self.0.load(core::sync::atomic::Ordering::Relaxed))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
