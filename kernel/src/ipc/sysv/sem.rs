//! Semaphore sets (`semget(2)`).

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, Ordering};

use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::{IPC_NOWAIT, Object, Perm, Table, now_s};
use crate::error::*;
use crate::ipc::limits;
use crate::ipc::namespace::here;
use crate::sync::{SpinLock, WaitQueue};
use crate::task::Credentials;

/// Semaphores in a set.
pub const SEM_MAX_SET: usize = 32_000;
/// Operations in one call.
pub const SEM_MAX_OPS: usize = 500;
/// Largest value.
pub const SEM_MAX_VALUE: i32 = 32_767;
const SEM_UNDO: u32 = 0x1000;

/// `struct sembuf`.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Op {
    num: u16,
    op: i16,
    flags: i16,
}

impl Op {
    fn has(&self, flag: u32) -> bool {
        self.flags as u32 & flag != 0
    }
}

#[derive(Clone, Copy, Default)]
struct Sem {
    value: i32,
    pid: u32,
    /// Threads that wait for it to grow, and to be 0.
    growing: u32,
    zero: u32,
}

struct State {
    perm: Perm,
    sems: Vec<Sem>,
    op_s: i64,
    change_s: i64,
}

struct Shared {
    state: SpinLock<State>,
    removed: AtomicBool,
    event: WaitQueue,
}

/// A set.
pub struct Set(Arc<Shared>);

impl Object for Set {
    fn limit() -> usize {
        limits::get(|it| &it.sem_sets)
    }

    fn perm(&self) -> Perm {
        self.0.state.lock().perm
    }
    fn set_seq(&mut self, seq: u16) {
        self.0.state.lock().perm.seq = seq;
    }
}

/// Those of an IPC namespace.
#[derive(Default)]
pub struct Sets {
    table: SpinLock<Table<Set>>,
    undo: SpinLock<Undo>,
}
/// What to add when a process ends, by process, set and semaphore.
type Undo = BTreeMap<(u32, i32, u16), i32>;

/// `struct semid64_ds`.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Status {
    /// Identity and rights.
    pub perm: Perm,
    op_s: i64,
    unused1: u64,
    change_s: i64,
    unused2: u64,
    /// Semaphores.
    pub count: u64,
    unused3: [u64; 2],
}

fn find(id: i32) -> Result<Arc<Shared>> {
    here().sem.table.lock().find(id).map(|s| s.0.clone())
}

/// semget(2)
///
/// # Errors
/// As there.
pub fn get(key: i32, count: i32, flags: u32, creds: &Credentials) -> Result<usize> {
    let count = usize::try_from(count).ok().filter(|n| *n <= SEM_MAX_SET).ok_or(EINVAL)?;
    let fits = |s: &Set| if count > s.0.state.lock().sems.len() { Err(EINVAL) } else { Ok(()) };
    here().sem.table.lock().get(key, flags, creds, fits, |perm| {
        if count == 0 {
            return Err(EINVAL);
        }
        let state = State { perm, sems: alloc::vec![Sem::default(); count], op_s: 0, change_s: now_s() };
        Ok(Set(Arc::new(Shared { state: SpinLock::new(state), removed: AtomicBool::new(false), event: WaitQueue::new() })))
    })
}

/// What hinders a list of operations.
enum Blocked {
    Error(Errno),
    /// The operation that would wait.
    At(usize),
}

impl State {
    /// Does all operations, or none.
    fn perform(&mut self, ops: &[Op], pid: u32) -> core::result::Result<(), Blocked> {
        for (i, op) in ops.iter().enumerate() {
            let value = self.sems[usize::from(op.num)].value;
            let new = value + i32::from(op.op);
            let outcome = if op.op == 0 && value != 0 || new < 0 {
                Err(Blocked::At(i))
            } else if new > SEM_MAX_VALUE {
                Err(Blocked::Error(ERANGE))
            } else {
                Ok(())
            };
            if outcome.is_err() {
                for done in ops[..i].iter().rev() {
                    self.sems[usize::from(done.num)].value -= i32::from(done.op);
                }
                return outcome;
            }
            self.sems[usize::from(op.num)].value = new;
        }
        for op in ops {
            self.sems[usize::from(op.num)].pid = pid;
        }
        self.op_s = now_s();
        Ok(())
    }

    fn count_waiter(&mut self, op: &Op, change: i32) {
        let sem = &mut self.sems[usize::from(op.num)];
        let counter = if op.op == 0 { &mut sem.zero } else { &mut sem.growing };
        *counter = counter.saturating_add_signed(change);
    }
}

/// semop(2), semtimedop(2).
///
/// # Errors
/// As there.
pub fn operate(id: i32, ops: &[Op], deadline_ns: Option<u64>, creds: &Credentials, pid: u32) -> Result {
    let set = find(id)?;
    {
        let state = set.state.lock();
        if ops.iter().any(|op| usize::from(op.num) >= state.sems.len()) {
            return Err(EFBIG);
        }
        let want = if ops.iter().any(|op| op.op != 0) { 2 } else { 4 };
        state.perm.check(creds, want)?;
    }
    let attempt = || -> Option<Result<Option<usize>>> {
        if set.removed.load(Ordering::SeqCst) {
            return Some(Err(EIDRM));
        }
        match set.state.lock().perform(ops, pid) {
            Ok(()) => Some(Ok(None)),
            Err(Blocked::Error(error)) => Some(Err(error)),
            Err(Blocked::At(i)) if ops[i].has(IPC_NOWAIT) => Some(Err(EAGAIN)),
            Err(Blocked::At(_)) => None,
        }
    };
    let outcome = match attempt() {
        Some(outcome) => outcome,
        None => {
            let waits_for = {
                let mut state = set.state.lock();
                let at = ops.iter().position(|op| {
                    let value = state.sems[usize::from(op.num)].value;
                    if op.op == 0 { value != 0 } else { value + i32::from(op.op) < 0 }
                });
                let op = ops[at.unwrap_or(0)];
                state.count_waiter(&op, 1);
                op
            };
            let waited = set.event.wait_deadline(deadline_ns, attempt);
            set.state.lock().count_waiter(&waits_for, -1);
            match waited {
                Ok(outcome) => outcome,
                Err(ETIMEDOUT) => return Err(EAGAIN),
                // Never restarted (signal(7)).
                Err(_) => return Err(EINTR),
            }
        }
    };
    outcome?;
    set.event.wake_all();
    let undone: Vec<&Op> = ops.iter().filter(|op| op.has(SEM_UNDO) && op.op != 0).collect();
    if !undone.is_empty() {
        let here = here();
        let mut undo = here.sem.undo.lock();
        for op in undone {
            *undo.entry((pid, id, op.num)).or_insert(0) -= i32::from(op.op);
        }
    }
    Ok(())
}

/// Whether a process has done anything that its end takes back.
pub fn has_undo(pid: u32) -> bool {
    here().sem.undo.lock().range((pid, i32::MIN, 0)..=(pid, i32::MAX, u16::MAX)).next().is_some()
}

/// A process ends: what it did with `SEM_UNDO` is taken back.
pub fn process_exit(pid: u32) {
    let mine: Vec<((u32, i32, u16), i32)> = {
        let here = here();
        let mut undo = here.sem.undo.lock();
        if undo.is_empty() {
            return;
        }
        let keys: Vec<_> = undo.range((pid, i32::MIN, 0)..=(pid, i32::MAX, u16::MAX)).map(|(k, _)| *k).collect();
        keys.into_iter().filter_map(|k| undo.remove_entry(&k)).collect()
    };
    for ((_, id, num), change) in mine {
        let Ok(set) = find(id) else { continue };
        {
            let mut state = set.state.lock();
            if let Some(sem) = state.sems.get_mut(usize::from(num)) {
                sem.value = (sem.value + change).clamp(0, SEM_MAX_VALUE);
                sem.pid = pid;
            }
        }
        set.event.wake_all();
    }
}

/// What `semctl(2)` asks of one semaphore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Query {
    #[allow(missing_docs)]
    Value,
    /// The last process that changed it.
    Pid,
    /// How many wait for it to grow.
    Growing,
    /// How many wait for it to be 0.
    Zero,
}

/// `GETVAL`, `GETPID`, `GETNCNT`, `GETZCNT`.
///
/// # Errors
/// `EINVAL`, `EACCES`.
pub fn query(id: i32, num: i32, what: Query, creds: &Credentials) -> Result<usize> {
    let set = find(id)?;
    let state = set.state.lock();
    state.perm.check(creds, 4)?;
    let sem = usize::try_from(num).ok().and_then(|n| state.sems.get(n)).ok_or(EINVAL)?;
    Ok(match what {
        Query::Value => sem.value as usize,
        Query::Pid => crate::task::pid_ns::seen(sem.pid) as usize,
        Query::Growing => sem.growing as usize,
        Query::Zero => sem.zero as usize,
    })
}

/// All values (`GETALL`).
///
/// # Errors
/// `EINVAL`, `EACCES`.
pub fn values(id: i32, creds: &Credentials) -> Result<Vec<u16>> {
    let set = find(id)?;
    let state = set.state.lock();
    state.perm.check(creds, 4)?;
    Ok(state.sems.iter().map(|s| s.value as u16).collect())
}

/// `SETVAL` and `SETALL`: values from the semaphore `first` on. What processes had to take back of them is forgotten.
///
/// # Errors
/// `EINVAL`, `EACCES`, `ERANGE`.
pub fn set_values(id: i32, first: usize, values: &[i32], creds: &Credentials, pid: u32) -> Result {
    let set = find(id)?;
    {
        let mut state = set.state.lock();
        if first + values.len() > state.sems.len() {
            return Err(EINVAL);
        }
        if values.iter().any(|v| !(0..=SEM_MAX_VALUE).contains(v)) {
            return Err(ERANGE);
        }
        state.perm.check(creds, 2)?;
        for (sem, value) in state.sems[first..].iter_mut().zip(values) {
            sem.value = *value;
            sem.pid = pid;
        }
        state.change_s = now_s();
    }
    let nums = first..first + values.len();
    here().sem.undo.lock().retain(|(_, of, num), _| *of != id || !nums.contains(&usize::from(*num)));
    set.event.wake_all();
    Ok(())
}

/// Number of semaphores in a set.
///
/// # Errors
/// `EINVAL`.
pub fn len(id: i32) -> Result<usize> {
    Ok(find(id)?.state.lock().sems.len())
}

/// `IPC_STAT`; with `any` also without the right to read.
///
/// # Errors
/// `EINVAL`, `EACCES`.
pub fn status(id: i32, creds: &Credentials, any: bool) -> Result<Status> {
    let set = find(id)?;
    let s = set.state.lock();
    if !any {
        s.perm.check(creds, 4)?;
    }
    Ok(Status { perm: s.perm.shown(), op_s: s.op_s, unused1: 0, change_s: s.change_s, unused2: 0, count: s.sems.len() as u64, unused3: [0; 2] })
}

/// The number of the set at a place of the table.
///
/// # Errors
/// `EINVAL`.
pub fn at_place(place: i32) -> Result<i32> {
    here().sem.table.lock().at_place(place)
}

/// Highest place, sets, semaphores.
pub fn totals() -> (usize, usize, usize) {
    let here = here();
    let table = here.sem.table.lock();
    let sems = table.iter().map(|(_, s)| s.0.state.lock().sems.len()).sum();
    (table.highest(), table.iter().count(), sems)
}

/// `IPC_SET`.
///
/// # Errors
/// `EINVAL`, `EPERM`.
pub fn set(id: i32, to: &Perm, creds: &Credentials) -> Result {
    let set = find(id)?;
    let mut state = set.state.lock();
    state.perm.check_owner(creds)?;
    state.perm.set(to)?;
    state.change_s = now_s();
    Ok(())
}

/// `IPC_RMID`: who waits gets `EIDRM`.
///
/// # Errors
/// `EINVAL`, `EPERM`.
pub fn remove(id: i32, creds: &Credentials) -> Result {
    let here = here();
    let mut table = here.sem.table.lock();
    table.find(id)?.0.state.lock().perm.check_owner(creds)?;
    let set = table.remove(id)?;
    drop(table);
    set.0.removed.store(true, Ordering::SeqCst);
    set.0.event.wake_all();
    here.sem.undo.lock().retain(|(_, of, _), _| *of != id);
    Ok(())
}

/// `/proc/sysvipc/sem`.
pub fn listing() -> Vec<u8> {
    let mut text = alloc::string::String::from("       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n");
    for (id, set) in here().sem.table.lock().iter() {
        let s = set.0.state.lock();
        let p = s.perm.shown();
        text += &alloc::format!(
            "{:10} {:10}  {:4o} {:10} {:5} {:5} {:5} {:5} {:10} {:10}\n",
            p.key, id, p.mode, s.sems.len(), p.uid, p.gid, p.cuid, p.cgid, s.op_s, s.change_s
        );
    }
    text.into_bytes()
}
