//! What `wait4(2)` finds of traced threads.

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::sync::SpinLock;
use crate::task::Thread;
use crate::task::lifecycle::{WaitOptions, WaitTarget, Waited};
use crate::task::process::{Process, Usage, thread_usage};

/// Most ends of threads that a tracer which never waits is remembered.
const MAX_DEAD: usize = 65_536;

/// The end of a traced thread that is no child's.
#[derive(Clone, Copy, Debug)]
pub struct Dead {
    /// Thread id.
    pub id: u32,
    /// As the tracer knows it.
    pub number: u32,
    #[allow(missing_docs)]
    pub pgid: u32,
    #[allow(missing_docs)]
    pub uid: u32,
    /// In `wait4(2)`'s encoding.
    pub status: i32,
}

/// What a process traces.
#[derive(Default)]
pub struct Tracees {
    threads: SpinLock<Vec<Arc<Thread>>>,
    dead: SpinLock<Vec<Dead>>,
}

impl Tracees {
    pub(super) fn add(&self, thread: &Arc<Thread>) {
        self.threads.lock().push(thread.clone());
    }

    pub(super) fn remove(&self, thread: &Arc<Thread>) {
        self.threads.lock().retain(|t| !Arc::ptr_eq(t, thread));
    }

    pub(super) fn take_all(&self) -> Vec<Arc<Thread>> {
        core::mem::take(&mut *self.threads.lock())
    }

    pub(super) fn add_dead(&self, dead: Dead) {
        let mut list = self.dead.lock();
        if list.len() < MAX_DEAD {
            list.push(dead);
        }
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.threads.lock().is_empty() && self.dead.lock().is_empty()
    }
}

fn matches(target: WaitTarget, id: u32, pgid: u32) -> bool {
    match target {
        WaitTarget::Any => true,
        WaitTarget::Pid(pid) => id == pid,
        WaitTarget::Group(group) => pgid == group,
    }
}

/// Looks for something to tell of the threads that a process traces: (whether there are any that fit, what there is).
pub fn look(tracer: &Process, target: WaitTarget, options: WaitOptions) -> (bool, Option<Waited>) {
    if tracer.tracees.is_empty() {
        return (false, None);
    }
    let peek = options.contains(WaitOptions::NOWAIT);
    let mut any = false;
    if options.contains(WaitOptions::EXITED) {
        let mut dead = tracer.tracees.dead.lock();
        if let Some(at) = dead.iter().position(|dead| matches(target, dead.id, dead.pgid)) {
            let found = dead[at];
            if !peek {
                dead.remove(at);
            }
            return (true, Some(Waited { pid: found.number, uid: found.uid, status: found.status, is_trap: false, usage: Usage::default() }));
        }
    }
    let threads = tracer.tracees.threads.lock().clone();
    for thread in threads {
        if !matches(target, thread.tid(), thread.process.pgid()) {
            continue;
        }
        any = true;
        let code = {
            let mut slot = thread.tracing.state.lock();
            let stop = slot.as_mut().and_then(|state| state.stop.as_mut()).filter(|stop| !stop.reported);
            stop.map(|stop| {
                stop.reported = !peek;
                stop.code
            })
        };
        if let Some(code) = code {
            let status = (code << 8 | 0x7f) as i32;
            return (true, Some(Waited { pid: tracer.pid_ns.number(thread.tid()), uid: thread.process.creds().uid, status, is_trap: true, usage: thread_usage(&thread) }));
        }
    }
    (any, None)
}
