//! `setns(2)`: there is one namespace of each kind, and who may join it is in it already.

use call_flags::processes;

use super::Cx;
use crate::error::*;
use crate::ipc::pidfd::PidFd;
use crate::proc::namespaces;
use crate::task::Capability;

/// setns(2)
pub fn sys_setns(cx: &Cx<'_>, fd: i32, kind: u32) -> Result<usize> {
    let file = cx.process.files().get(fd)?;
    let kind = u64::from(kind);
    processes::SETNS.check(kind)?;
    if file.ops.as_any().is::<PidFd>() {
        // The namespaces of a process: which of them has to be said.
        if kind == 0 {
            return Err(EINVAL);
        }
        return if cx.thread.has(Capability::SYS_ADMIN) { Ok(0) } else { Err(EPERM) };
    }
    namespaces::join(&file, kind, cx.thread)?;
    Ok(0)
}
