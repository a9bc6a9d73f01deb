//! `setns(2)`.

use call_flags::processes;

use super::Cx;
use crate::error::*;
use crate::ipc::pidfd::PidFd;
use crate::proc::namespaces;

/// setns(2)
pub fn sys_setns(cx: &Cx<'_>, fd: i32, kind: u32) -> Result<usize> {
    let file = cx.process.files().get(fd)?;
    let kind = u64::from(kind);
    processes::SETNS.check(kind)?;
    if let Some(pidfd) = file.downcast::<PidFd>() {
        // The namespaces of a process: which of them has to be said.
        if kind == 0 {
            return Err(EINVAL);
        }
        namespaces::join_those_of(&pidfd.0, kind, cx.thread)?;
        return Ok(0);
    }
    namespaces::join(&file, kind, cx.thread)?;
    Ok(0)
}
