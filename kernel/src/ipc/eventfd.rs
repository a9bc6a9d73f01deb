//! `eventfd(2)`: a counter as a file.

use alloc::string::String;
use alloc::sync::Arc;
use core::any::Any;

use crate::error::*;
use crate::fs::{Attr, Events, FileOps, IoSink, IoSource, OpenFile, OpenFlags};
use crate::sync::{PollTable, SpinLock, WaitQueue};

/// An event counter.
pub struct EventFd {
    count: SpinLock<u64>,
    semaphore: bool,
    event: WaitQueue,
}

impl EventFd {
    /// A counter that starts at `initial`. `semaphore`: reads take one.
    pub fn new(initial: u64, semaphore: bool) -> Arc<Self> {
        Arc::new(Self { count: SpinLock::new(initial), semaphore, event: WaitQueue::new() })
    }

    /// Adds one, unless it is full, and wakes who waits.
    pub fn signal(&self) {
        let _ = self.add(1);
        self.event.wake_events(Events::IN | Events::RDNORM);
    }

    fn take(&self) -> Option<u64> {
        let mut count = self.count.lock();
        if *count == 0 {
            return None;
        }
        let value = if self.semaphore { 1 } else { *count };
        *count -= value;
        Some(value)
    }

    fn add(&self, value: u64) -> Option<()> {
        let mut count = self.count.lock();
        *count = count.checked_add(value).filter(|sum| *sum < u64::MAX)?;
        Some(())
    }
}

impl FileOps for EventFd {
    fn read(&self, file: &OpenFile, _pos: u64, dst: &mut IoSink<'_>) -> Result<usize> {
        if dst.remaining() < 8 {
            return Err(EINVAL);
        }
        let value = match self.take() {
            Some(value) => value,
            None if file.nonblocking() => return Err(EAGAIN),
            None => self.event.wait_until(|| self.take())?,
        };
        self.event.wake_events(Events::OUT | Events::WRNORM);
        dst.write(&value.to_le_bytes())
    }

    fn write(&self, file: &OpenFile, _pos: u64, src: &mut IoSource<'_>) -> Result<usize> {
        let mut bytes = [0; 8];
        if src.remaining() < 8 {
            return Err(EINVAL);
        }
        src.read(&mut bytes)?;
        let value = u64::from_le_bytes(bytes);
        if value == u64::MAX {
            return Err(EINVAL);
        }
        match self.add(value) {
            Some(()) => {}
            None if file.nonblocking() => return Err(EAGAIN),
            None => self.event.wait_until(|| self.add(value))?,
        }
        self.event.wake_events(Events::IN | Events::RDNORM);
        Ok(8)
    }

    fn poll(&self, _file: &OpenFile, table: &mut PollTable<'_>) -> Events {
        table.register(&self.event);
        let count = *self.count.lock();
        let mut events = Events::empty();
        if count > 0 {
            events |= Events::IN;
        }
        if count < u64::MAX - 1 {
            events |= Events::OUT;
        }
        events
    }

    fn has_no_positions(&self) -> bool {
        true
    }

    fn attr(&self) -> Result<Attr> {
        Ok(Attr { mode: 0o600, nlink: 1, blksize: 4096, ..Attr::default() })
    }

    fn describe(&self) -> String {
        "anon_inode:[eventfd]".into()
    }

    fn details(&self) -> String {
        alloc::format!("eventfd-count: {:16x}\n", *self.count.lock())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// The open flags of an `eventfd2` file.
pub fn open_flags(nonblock: bool) -> OpenFlags {
    OpenFlags::RDWR | if nonblock { OpenFlags::NONBLOCK } else { OpenFlags::empty() }
}
