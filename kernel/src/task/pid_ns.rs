//! PID namespaces (`pid_namespaces(7)`).
//!
//! The kernel itself only knows ids of the first one. A process of another has numbers in that and in all above it, by which those who are there know it: what a
//! program gives or gets goes through its namespace's numbers on the way ([`meant`], [`seen`]).

use alloc::collections::BTreeMap;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, Ordering};

use super::ns_count::Counted;
use super::process::{self, Process};
use super::signal::SIGKILL;
use super::thread::Thread;
use super::user_ns::UserNamespace;
use super::{lifecycle, uts};
use crate::error::*;
use crate::sync::{Once, SpinLock, WaitQueue};

/// A PID namespace.
pub struct PidNamespace {
    /// Its number in `/proc/<pid>/ns`.
    pub ino: u64,
    /// Whose it is.
    pub user: Arc<UserNamespace>,
    /// That in which it was made; `None` for the first.
    pub parent: Option<Arc<PidNamespace>>,
    level: u32,
    numbers: SpinLock<Numbers>,
    init: SpinLock<Weak<Process>>,
    /// Its first process has ended or is about to: there will be no other.
    is_over: AtomicBool,
    /// Woken when a process in it has ended.
    ended: WaitQueue,
    /// Its place among its user's; the first has none.
    _count: Option<Counted>,
}

/// Numbers of processes, threads, groups and sessions, both ways.
#[derive(Default)]
struct Numbers {
    inside: BTreeMap<u32, u32>,
    outside: BTreeMap<u32, u32>,
    next: u32,
    /// Ids of groups and sessions that have outlived their leader.
    left: Vec<u32>,
}

impl Numbers {
    fn assign(&mut self, id: u32) {
        let most = process::PID_MAX.load(Ordering::Relaxed) as u32;
        loop {
            self.next = if self.next + 1 >= most { 300 } else { self.next + 1 };
            if !self.outside.contains_key(&self.next) {
                break;
            }
        }
        self.inside.insert(id, self.next);
        self.outside.insert(self.next, id);
    }

    fn release(&mut self, id: u32) {
        if let Some(number) = self.inside.remove(&id) {
            self.outside.remove(&number);
        }
    }
}

/// The number that Linux gives to the first.
const FIRST: u64 = 0xeffffffc;

/// The deepest that another can be made in.
const MAX_LEVEL: u32 = 32;

impl PidNamespace {
    /// That of the first process.
    pub fn first() -> Arc<Self> {
        static FIRST_ONE: Once<Arc<PidNamespace>> = Once::new();
        FIRST_ONE.get_or_init(|| Self::build(FIRST, UserNamespace::first(), None, 0, None)).clone()
    }

    fn build(ino: u64, user: Arc<UserNamespace>, parent: Option<Arc<PidNamespace>>, level: u32, count: Option<Counted>) -> Arc<Self> {
        Arc::new(Self {
            ino,
            user,
            parent,
            level,
            numbers: SpinLock::new(Numbers::default()),
            init: SpinLock::new(Weak::new()),
            is_over: AtomicBool::new(false),
            ended: WaitQueue::new(),
            _count: count,
        })
    }

    /// A new one below this.
    ///
    /// # Errors
    /// `ENOSPC` where there are too many above it, `EINVAL` where `user` does not lie in this one's.
    pub fn below(self: &Arc<Self>, user: &Arc<UserNamespace>, count: Counted) -> Result<Arc<Self>> {
        if !self.user.is_above(user) {
            return Err(EINVAL);
        }
        if self.level > MAX_LEVEL {
            return Err(ENOSPC);
        }
        Ok(Self::build(uts::next_ino(), user.clone(), Some(self.clone()), self.level + 1, Some(count)))
    }

    /// Whether it is the first.
    pub fn is_first(&self) -> bool {
        self.parent.is_none()
    }

    /// This and those above it, but for the first, from the innermost.
    fn numbered(self: &Arc<Self>) -> impl Iterator<Item = &Arc<PidNamespace>> {
        core::iter::successors(Some(self), |at| at.parent.as_ref()).filter(|at| !at.is_first())
    }

    /// Whether `other` is this namespace or lies below it.
    pub fn is_above(self: &Arc<Self>, other: &Arc<PidNamespace>) -> bool {
        core::iter::successors(Some(other), |at| at.parent.as_ref()).any(|at| Arc::ptr_eq(at, self))
    }

    /// `top` and what lies below it down to this; nothing where this does not lie in it.
    pub fn down_from(self: &Arc<Self>, top: &Arc<PidNamespace>) -> Vec<Arc<PidNamespace>> {
        let mut chain: Vec<_> = core::iter::successors(Some(self), |at| at.parent.as_ref()).take_while(|at| at.level >= top.level).cloned().collect();
        chain.reverse();
        chain
    }

    /// Whether its first process has ended or is about to.
    pub fn is_over(&self) -> bool {
        self.is_over.load(Ordering::SeqCst)
    }

    /// Whether nothing has been started in it yet.
    pub fn is_empty(&self) -> bool {
        !self.is_first() && self.numbers.lock().next == 0
    }

    /// The number of a process, thread, group or session in it; 0 where it has none.
    pub fn number(&self, id: u32) -> u32 {
        if self.is_first() { id } else { self.numbers.lock().inside.get(&id).copied().unwrap_or(0) }
    }

    /// Whose number this is in it.
    pub fn id(&self, number: u32) -> Option<u32> {
        if self.is_first() { Some(number) } else { self.numbers.lock().outside.get(&number).copied() }
    }

    /// The process of this number.
    pub fn find(&self, number: u32) -> Option<Arc<Process>> {
        self.id(number).and_then(process::find)
    }

    /// The thread of this number.
    pub fn find_thread(&self, number: u32) -> Option<Arc<Thread>> {
        self.id(number).and_then(process::find_thread)
    }

    /// Gives a new process or thread its numbers.
    ///
    /// # Errors
    /// `ENOMEM` where the first process has ended.
    pub fn admit(self: &Arc<Self>, id: u32) -> Result {
        if self.is_over.load(Ordering::SeqCst) {
            return Err(ENOMEM);
        }
        for namespace in self.numbered() {
            namespace.numbers.lock().assign(id);
        }
        Ok(())
    }

    /// Takes the numbers of one that has ended back, once no group or session is named by it.
    pub fn dismiss(self: &Arc<Self>, id: u32) {
        if self.is_first() {
            return;
        }
        let in_use = process::group_exists(id);
        for namespace in self.numbered() {
            let old: Vec<u32> = {
                let mut numbers = namespace.numbers.lock();
                if in_use {
                    numbers.left.push(id);
                } else {
                    numbers.release(id);
                }
                numbers.left.clone()
            };
            let gone: Vec<u32> = old.into_iter().filter(|id| !process::group_exists(*id)).collect();
            let mut numbers = namespace.numbers.lock();
            for id in gone {
                numbers.release(id);
                numbers.left.retain(|other| *other != id);
            }
        }
        self.tell();
    }

    /// Wakes who waits for processes in it to end.
    pub fn tell(self: &Arc<Self>) {
        self.numbered().for_each(|namespace| namespace.ended.wake_all());
    }

    /// Makes this process the first of the namespace if there was none.
    pub fn begin(&self, process: &Arc<Process>) {
        if !self.is_first() && self.number(process.pid) == 1 {
            *self.init.lock() = Arc::downgrade(process);
        }
    }

    /// Its first process.
    pub fn init(&self) -> Option<Arc<Process>> {
        if self.is_first() { process::find(1) } else { self.init.lock().upgrade() }
    }

    fn members(self: &Arc<Self>, but: &Process) -> Vec<Arc<Process>> {
        process::all().into_iter().filter(|p| p.pid != but.pid && self.is_above(&p.pid_ns)).collect()
    }

    /// Its first process ends: so do all others in it. Returns when they have.
    pub fn end(self: &Arc<Self>, init: &Arc<Process>) {
        self.is_over.store(true, Ordering::SeqCst);
        self.ended.wait_uninterruptible(|| {
            let others = self.members(init);
            others.iter().filter(|p| !p.is_zombie() && !p.exiting.load(Ordering::SeqCst)).for_each(|p| lifecycle::kill_threads(p, SIGKILL as i32));
            others.iter().all(|p| p.is_zombie()).then_some(())
        });
    }
}

impl Process {
    /// Whether it is the first of its PID namespace, which all others there depend on.
    pub fn is_init(&self) -> bool {
        self.pid == 1 || !self.pid_ns.is_first() && self.pid_ns.number(self.pid) == 1
    }

    /// Its number as it knows it itself.
    pub fn own_pid(&self) -> u32 {
        self.pid_ns.number(self.pid)
    }
}

impl Thread {
    /// Its number as it knows it itself.
    pub fn own_tid(&self) -> u32 {
        self.process.pid_ns.number(self.tid())
    }
}

/// The executing thread's PID namespace.
pub fn current() -> Arc<PidNamespace> {
    super::with_current(|thread| thread.process.pid_ns.clone())
}

/// What the executing thread knows a process, thread, group or session by; 0 for one that it does not know.
pub fn seen(id: u32) -> u32 {
    super::with_current(|thread| thread.process.pid_ns.number(id))
}

/// Whom the executing thread means by a number.
///
/// # Errors
/// `ESRCH`.
pub fn meant(number: u32) -> Result<u32> {
    super::with_current(|thread| thread.process.pid_ns.id(number)).ok_or(ESRCH)
}

/// The process that the executing thread means by a number.
pub fn find(number: u32) -> Option<Arc<Process>> {
    super::with_current(|thread| thread.process.pid_ns.find(number))
}

/// The thread that the executing thread means by a number.
pub fn find_thread(number: u32) -> Option<Arc<Thread>> {
    super::with_current(|thread| thread.process.pid_ns.find_thread(number))
}

/// All processes that the executing thread knows.
pub fn all() -> Vec<Arc<Process>> {
    let namespace = current();
    if namespace.is_first() { process::all() } else { process::all().into_iter().filter(|p| namespace.is_above(&p.pid_ns)).collect() }
}
