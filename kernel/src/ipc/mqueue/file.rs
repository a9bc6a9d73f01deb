//! A queue as an inode and as an open file.

use alloc::string::String;
use alloc::sync::Arc;
use core::any::Any;

use super::{Queue, names};
use crate::error::*;
use crate::fs::{Attr, Events, FileOps, FileType, Inode, InodeRef, IoSink, OpenFile, OpenFlags, SetAttr, StatFs};
use crate::sync::PollTable;
use crate::task;

/// What `stat(2)` tells of a queue's size: the bytes of its state as text, at most.
const STATE_SIZE: u64 = 80;

impl Inode for Queue {
    fn attr(&self) -> Result<Attr> {
        let meta = self.meta.lock();
        Ok(Attr {
            dev: names::device(),
            ino: self.ino,
            mode: FileType::Regular as u32 | meta.mode,
            nlink: meta.names,
            uid: meta.uid,
            gid: meta.gid,
            size: STATE_SIZE,
            blksize: 4096,
            atime_ns: meta.atime_ns,
            mtime_ns: meta.mtime_ns,
            ctime_ns: meta.ctime_ns,
            ..Attr::default()
        })
    }

    fn file_type(&self) -> FileType {
        FileType::Regular
    }

    fn set_attr(&self, change: &SetAttr) -> Result {
        // Truncating one changes nothing.
        self.change(change);
        Ok(())
    }

    fn open(self: Arc<Self>, _flags: OpenFlags) -> Result<Arc<dyn FileOps>> {
        Ok(Arc::new(QueueFile(self)))
    }

    fn statfs(&self) -> Result<StatFs> {
        Ok(names::statfs())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A message queue descriptor.
pub struct QueueFile(pub Arc<Queue>);

impl FileOps for QueueFile {
    fn has_readiness(&self) -> bool {
        true
    }

    fn read(&self, _file: &OpenFile, pos: u64, dst: &mut IoSink<'_>) -> Result<usize> {
        let text = {
            let state = self.0.state.lock();
            let (how, signal) = state.notify.as_ref().map_or((0, 0), |registration| registration.shown());
            let pid = state.notify.as_ref().map_or(0, |registration| crate::task::pid_ns::seen(registration.pid));
            alloc::format!("QSIZE:{:<10} NOTIFY:{how:<5} SIGNO:{signal:<5} NOTIFY_PID:{pid:<6}\n", state.bytes)
        };
        dst.write(text.as_bytes().get(usize::try_from(pos).unwrap_or(usize::MAX)..).unwrap_or_default())
    }

    fn seekable(&self) -> bool {
        true
    }

    fn poll(&self, _file: &OpenFile, table: &mut PollTable<'_>) -> Events {
        table.register(&self.0.event);
        let count = self.0.len();
        let mut events = Events::empty();
        if count > 0 {
            events |= Events::IN | Events::RDNORM;
        }
        if count < self.0.max_messages {
            events |= Events::OUT | Events::WRNORM;
        }
        events
    }

    fn attr(&self) -> Result<Attr> {
        Inode::attr(&*self.0)
    }

    fn statfs(&self) -> Result<StatFs> {
        Ok(names::statfs())
    }

    fn inode(&self) -> Option<InodeRef> {
        Some(self.0.clone())
    }

    fn flush(&self, _file: &OpenFile) -> Result {
        // Closing any descriptor of the queue ends the registration.
        self.0.unregister(task::with_current(|t| t.process.pid));
        Ok(())
    }

    fn describe(&self) -> String {
        let gone = if self.0.meta.lock().names == 0 { " (deleted)" } else { "" };
        alloc::format!("/{}{gone}", String::from_utf8_lossy(&self.0.name))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
