//! Message queues (`msgget(2)`).

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, Ordering};

use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::{IPC_NOWAIT, Object, Perm, Table, now_s};
use crate::error::*;
use crate::ipc::limits;
use crate::ipc::namespace::here;
use crate::sync::{SpinLock, WaitQueue};
use crate::task::{Capability, Credentials};

const MSG_NOERROR: u32 = 0o10000;
const MSG_EXCEPT: u32 = 0o20000;
const MSG_COPY: u32 = 0o40000;

struct Message {
    kind: i64,
    text: Vec<u8>,
}

struct State {
    perm: Perm,
    messages: VecDeque<Message>,
    bytes: usize,
    max_bytes: usize,
    send_s: i64,
    receive_s: i64,
    change_s: i64,
    sender: u32,
    receiver: u32,
}

struct Shared {
    state: SpinLock<State>,
    removed: AtomicBool,
    event: WaitQueue,
}

/// A queue.
pub struct Queue(Arc<Shared>);

impl Object for Queue {
    fn limit() -> usize {
        limits::get(|it| &it.msg_queues)
    }

    fn perm(&self) -> Perm {
        self.0.state.lock().perm
    }
    fn set_seq(&mut self, seq: u16) {
        self.0.state.lock().perm.seq = seq;
    }
}

/// Those of an IPC namespace.
pub type Queues = SpinLock<Table<Queue>>;

/// `struct msqid64_ds`.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Status {
    /// Identity and rights.
    pub perm: Perm,
    times: [i64; 3],
    bytes: u64,
    count: u64,
    /// The most bytes it may hold.
    pub max_bytes: u64,
    sender: i32,
    receiver: i32,
    unused: [u64; 2],
}

fn find(id: i32) -> Result<Arc<Shared>> {
    here().msg.lock().find(id).map(|q| q.0.clone())
}

/// msgget(2)
///
/// # Errors
/// As there.
pub fn get(key: i32, flags: u32, creds: &Credentials) -> Result<usize> {
    here().msg.lock().get(key, flags, creds, |_| Ok(()), |perm| {
        let state = State {
            perm,
            messages: VecDeque::new(),
            bytes: 0,
            max_bytes: limits::get(|it| &it.msg_max_queue),
            send_s: 0,
            receive_s: 0,
            change_s: now_s(),
            sender: 0,
            receiver: 0,
        };
        Ok(Queue(Arc::new(Shared { state: SpinLock::new(state), removed: AtomicBool::new(false), event: WaitQueue::new() })))
    })
}

fn wait<T>(queue: &Shared, flags: u32, none: Errno, mut attempt: impl FnMut(&mut State) -> Option<Result<T>>) -> Result<T> {
    let mut attempt = || {
        if queue.removed.load(Ordering::SeqCst) {
            return Some(Err(EIDRM));
        }
        attempt(&mut queue.state.lock())
    };
    match attempt() {
        Some(outcome) => outcome,
        None if flags & IPC_NOWAIT != 0 => Err(none),
        None => queue.event.wait_until(attempt).map_err(|_| ERESTARTNOHAND)?,
    }
}

/// msgsnd(2)
///
/// # Errors
/// As there.
pub fn send(id: i32, kind: i64, text: Vec<u8>, flags: u32, creds: &Credentials, pid: u32) -> Result {
    let queue = find(id)?;
    let mut message = Some(Message { kind, text });
    wait(&queue, flags, EAGAIN, |state| {
        if let Err(error) = state.perm.check(creds, 2) {
            return Some(Err(error));
        }
        let len = message.as_ref().map_or(0, |m| m.text.len());
        if state.bytes + len > state.max_bytes || state.messages.len() + 1 > state.max_bytes {
            return None;
        }
        state.messages.extend(message.take());
        state.bytes += len;
        state.send_s = now_s();
        state.sender = pid;
        Some(Ok(()))
    })?;
    queue.event.wake_all();
    Ok(())
}

/// Which message `msgrcv(2)` takes.
fn choose(messages: &VecDeque<Message>, kind: i64, flags: u32) -> Option<usize> {
    match kind {
        0 => (!messages.is_empty()).then_some(0),
        1.. if flags & MSG_EXCEPT != 0 => messages.iter().position(|m| m.kind != kind),
        1.. => messages.iter().position(|m| m.kind == kind),
        _ => {
            let most = kind.checked_neg().unwrap_or(i64::MAX);
            let best = messages.iter().enumerate().filter(|(_, m)| m.kind <= most).min_by_key(|(i, m)| (m.kind, *i));
            best.map(|(i, _)| i)
        }
    }
}

/// msgrcv(2): type and text, at most `size` bytes.
///
/// # Errors
/// As there.
pub fn receive(id: i32, size: usize, kind: i64, flags: u32, creds: &Credentials, pid: u32) -> Result<(i64, Vec<u8>)> {
    if flags & MSG_COPY != 0 {
        if flags & MSG_EXCEPT != 0 || flags & IPC_NOWAIT == 0 {
            return Err(EINVAL);
        }
    }
    let queue = find(id)?;
    let taken = wait(&queue, flags, ENOMSG, |state| {
        if let Err(error) = state.perm.check(creds, 4) {
            return Some(Err(error));
        }
        if flags & MSG_COPY != 0 {
            // The type is a place in the queue, and the message stays there.
            let message = usize::try_from(kind).ok().and_then(|place| state.messages.get(place))?;
            let is_too_long = message.text.len() > size && flags & MSG_NOERROR == 0;
            return Some(if is_too_long { Err(E2BIG) } else { Ok(Message { kind: message.kind, text: message.text.clone() }) });
        }
        let at = choose(&state.messages, kind, flags)?;
        if state.messages[at].text.len() > size && flags & MSG_NOERROR == 0 {
            return Some(Err(E2BIG));
        }
        let message = state.messages.remove(at)?;
        state.bytes -= message.text.len();
        state.receive_s = now_s();
        state.receiver = pid;
        Some(Ok(message))
    })?;
    queue.event.wake_all();
    let Message { kind, mut text } = taken;
    text.truncate(size);
    Ok((kind, text))
}

/// `IPC_STAT`; with `any` also without the right to read.
///
/// # Errors
/// `EINVAL`, `EACCES`.
pub fn status(id: i32, creds: &Credentials, any: bool) -> Result<Status> {
    let queue = find(id)?;
    let s = queue.state.lock();
    if !any {
        s.perm.check(creds, 4)?;
    }
    Ok(Status {
        perm: s.perm.shown(),
        times: [s.send_s, s.receive_s, s.change_s],
        bytes: s.bytes as u64,
        count: s.messages.len() as u64,
        max_bytes: s.max_bytes as u64,
        sender: s.sender as i32,
        receiver: s.receiver as i32,
        unused: [0; 2],
    })
}

/// The number of the queue at a place of the table.
///
/// # Errors
/// `EINVAL`.
pub fn at_place(place: i32) -> Result<i32> {
    here().msg.lock().at_place(place)
}

/// Highest place, queues, messages, bytes.
pub fn totals() -> (usize, usize, usize, usize) {
    let here = here();
    let table = here.msg.lock();
    let (mut messages, mut bytes) = (0, 0);
    for (_, queue) in table.iter() {
        let state = queue.0.state.lock();
        messages += state.messages.len();
        bytes += state.bytes;
    }
    (table.highest(), table.iter().count(), messages, bytes)
}

/// `IPC_SET`: also the most bytes in the queue; more than the default only for root.
///
/// # Errors
/// `EINVAL`, `EPERM`.
pub fn set(id: i32, to: &Status, creds: &Credentials) -> Result {
    let queue = find(id)?;
    {
        let mut state = queue.state.lock();
        state.perm.check_owner(creds)?;
        if to.max_bytes as usize > limits::get(|it| &it.msg_max_queue) && !creds.has(Capability::SYS_RESOURCE) {
            return Err(EPERM);
        }
        state.perm.set(&to.perm)?;
        state.max_bytes = to.max_bytes as usize;
        state.change_s = now_s();
    }
    queue.event.wake_all();
    Ok(())
}

/// `IPC_RMID`: who waits gets `EIDRM`.
///
/// # Errors
/// `EINVAL`, `EPERM`.
pub fn remove(id: i32, creds: &Credentials) -> Result {
    let here = here();
    let mut table = here.msg.lock();
    table.find(id)?.0.state.lock().perm.check_owner(creds)?;
    let queue = table.remove(id)?;
    drop(table);
    queue.0.removed.store(true, Ordering::SeqCst);
    queue.0.event.wake_all();
    Ok(())
}

/// `/proc/sysvipc/msg`.
pub fn listing() -> Vec<u8> {
    let mut text = alloc::string::String::from(
        "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid      stime      rtime      ctime\n",
    );
    for (id, queue) in here().msg.lock().iter() {
        let s = queue.0.state.lock();
        let p = s.perm.shown();
        text += &alloc::format!(
            "{:10} {:10}  {:4o}  {:10} {:10} {:5} {:5} {:5} {:5} {:5} {:5} {:10} {:10} {:10}\n",
            p.key, id, p.mode, s.bytes, s.messages.len(), s.sender, s.receiver, p.uid, p.gid, p.cuid, p.cgid, s.send_s, s.receive_s, s.change_s
        );
    }
    text.into_bytes()
}
