//! The interface that leads to other machines, as the stack has described it; and changes of it.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use core::net::IpAddr;
use core::sync::atomic::{AtomicU64, Ordering};

use net_abi::{Change, Configuration, ToStack};

use crate::error::*;
use crate::sync::{Once, SpinLock, WaitQueue};

static CURRENT: SpinLock<Option<Arc<Configuration>>> = SpinLock::new(None);

/// The interface; none where there has not been a stack yet. It stays while the stack is started again.
pub fn configuration() -> Option<Arc<Configuration>> {
    CURRENT.lock().clone()
}

/// Asks the interface something.
pub fn with<T>(ask: impl FnOnce(&Configuration) -> T) -> Option<T> {
    configuration().map(|it| ask(&it))
}

/// Whether an address is this machine's among others.
pub fn is_own(ip: IpAddr) -> bool {
    with(|it| it.has(ip)).unwrap_or(false)
}

/// The own address that packets to another machine come from; none where no route leads there.
pub fn source_for(to: IpAddr) -> Option<IpAddr> {
    with(|it| {
        let reaches = it.route(to).is_some() || (it.is_up && (it.is_broadcast(to) || to.is_multicast()));
        it.source(to).filter(|_| reaches)
    })
    .flatten()
}

/// The stack tells of the interface.
pub fn set(new: Configuration) {
    let new = Arc::new(new);
    let old = CURRENT.lock().replace(new.clone());
    crate::ipc::netlink::route::interface_changed(old.as_deref(), &new);
}

/// Answers to changes that were asked for: none yet, or an error number.
static ASKED: SpinLock<BTreeMap<u64, Option<u32>>> = SpinLock::new(BTreeMap::new());
static NEXT: AtomicU64 = AtomicU64::new(1);
/// For how long the stack may think about a change.
const LIMIT_NS: u64 = 5_000_000_000;

fn answers() -> &'static WaitQueue {
    static ANSWERS: Once<WaitQueue> = Once::new();
    ANSWERS.get_or_init(WaitQueue::new)
}

/// Has the stack change the interface.
///
/// # Errors
/// The stack's; `ENETDOWN` where there is none.
pub fn change(change: &Change) -> Result {
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    ASKED.lock().insert(id, None);
    let outcome = if super::post(id, &ToStack::Configure(*change)) {
        let deadline = frame::time::now_ns().saturating_add(LIMIT_NS);
        answers().wait_deadline(Some(deadline), || ASKED.lock().get(&id).copied().flatten())
    } else {
        Err(ENETDOWN)
    };
    ASKED.lock().remove(&id);
    match outcome {
        Ok(0) => Ok(()),
        Ok(errno) => Err(Errno(errno as i32)),
        Err(error) => Err(error),
    }
}

/// The stack has answered.
pub fn done(id: u64, errno: u32) {
    if let Some(answer) = ASKED.lock().get_mut(&id) {
        *answer = Some(errno);
    }
    answers().wake_all();
}

/// It will answer no more.
pub fn stack_gone() {
    for answer in ASKED.lock().values_mut().filter(|it| it.is_none()) {
        *answer = Some(ENETDOWN.0 as u32);
    }
    answers().wake_all();
}
