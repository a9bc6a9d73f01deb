//! Process file descriptors (`pidfd_open(2)`): readable once the process has ended.

use alloc::string::String;
use alloc::sync::Arc;
use core::any::Any;

use crate::error::*;
use crate::fs::{Attr, Events, FdFlags, FileOps, OpenFile, OpenFlags};
use crate::sync::PollTable;
use crate::task::{self, Process, pid_ns};

/// The file behind a process file descriptor.
pub struct PidFd(pub Arc<Process>);

impl FileOps for PidFd {
    fn poll(&self, _file: &OpenFile, table: &mut PollTable<'_>) -> Events {
        table.register(&self.0.exit_event);
        if self.0.is_zombie() { Events::IN | Events::RDNORM } else { Events::empty() }
    }

    fn attr(&self) -> Result<Attr> {
        Ok(Attr { mode: 0o600, nlink: 1, blksize: 4096, ..Attr::default() })
    }

    fn describe(&self) -> String {
        "anon_inode:[pidfd]".into()
    }

    fn details(&self) -> String {
        let pid = if self.0.is_zombie() { -1 } else { pid_ns::seen(self.0.pid) as i32 };
        alloc::format!("Pid:\t{pid}\nNSpid:\t{pid}\n")
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Opens a descriptor for `process` in the current process, close-on-exec as Linux does.
///
/// # Errors
/// `EMFILE`.
pub fn open(process: &Arc<Process>, nonblock: bool) -> Result<u32> {
    let flags = OpenFlags::RDWR | if nonblock { OpenFlags::NONBLOCK } else { OpenFlags::empty() };
    let file = OpenFile::new(Arc::new(PidFd(process.clone())), flags);
    let fd = task::with_current(|t| t.process.files().insert(file, FdFlags::CLOEXEC))?;
    Ok(fd as u32)
}
