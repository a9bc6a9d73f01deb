//! The scheduler: fair by virtual run time, one queue a CPU, idle CPUs steal.
//!
//! A thread is *runnable* (running or queued) or *sleeping*. It goes to sleep in two steps, so that no wake-up is lost:
//! [`prepare_to_sleep`] marks it sleeping while it still runs; it then looks at its condition once more; [`sleep`] gives the CPU away
//! unless a wake-up has marked it runnable again in between. Whether it is on a queue (`on_queue`, true also while running)
//! changes only under the lock of its CPU's queue.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use frame::cpu::{self, MAX_CPUS};

use super::{Thread, current};
use crate::sync::SpinLock;
use crate::time::{stops, timer};

/// A thread keeps the CPU this long while others wait.
const SLICE_NS: u64 = 4_000_000;
/// A woken thread preempts one that is ahead of it by this much virtual time.
const WAKEUP_GRANULARITY_NS: u64 = 1_000_000;
/// A woken thread is placed at most this far before the queue's minimum.
const SLEEPER_CREDIT_NS: u64 = 3_000_000;

const RUNNABLE: u8 = 0;
const SLEEPING: u8 = 1;
const SLEEPING_UNINTERRUPTIBLE: u8 = 2;
const STOPPED: u8 = 3;
const DEAD: u8 = 4;

/// Weight of nice 0.
const NICE_0_WEIGHT: u64 = 1024;
/// Weights of nice -20..=19: each step is about 1.25, as in Linux (`sched(7)`: nice values).
const WEIGHTS: [u64; 40] = [
    88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916, 9548, 7620, 6100, 4904, 3906, 3121, 2501, 1991, 1586,
    1277, 1024, 820, 655, 526, 423, 335, 272, 215, 172, 137, 110, 87, 70, 56, 45, 36, 29, 23, 18, 15,
];

/// The scheduler's data of a thread.
pub struct SchedEntity {
    state: AtomicU8,
    /// Sleeping for what only SIGKILL interrupts: woken as others are, but shown as "disk sleep".
    killable_only: AtomicBool,
    on_queue: AtomicBool,
    cpu: AtomicUsize,
    vruntime: AtomicU64,
    /// -20..=19.
    pub nice: AtomicI32,
    /// CPUs it may run on, a bit each.
    pub affinity: AtomicU64,
    /// `SCHED_OTHER` 0, `SCHED_FIFO` 1, `SCHED_RR` 2, `SCHED_BATCH` 3, `SCHED_IDLE` 5.
    pub policy: AtomicU32,
    /// Real-time priority 1..=99 for FIFO and RR.
    pub rt_priority: AtomicU32,
    /// `SCHED_RESET_ON_FORK`: children begin without a real-time policy and without a negative nice value.
    pub reset_on_fork: AtomicBool,
    started_ns: AtomicU64,
    /// Time on a CPU in all, ns.
    pub runtime_ns: AtomicU64,
}

impl SchedEntity {
    /// A sleeping entity: the thread starts when it is first woken.
    pub fn new() -> Self {
        Self {
            state: AtomicU8::new(SLEEPING_UNINTERRUPTIBLE),
            killable_only: AtomicBool::new(false),
            on_queue: AtomicBool::new(false),
            cpu: AtomicUsize::new(cpu::id()),
            vruntime: AtomicU64::new(0),
            nice: AtomicI32::new(0),
            affinity: AtomicU64::new(u64::MAX),
            policy: AtomicU32::new(0),
            rt_priority: AtomicU32::new(0),
            reset_on_fork: AtomicBool::new(false),
            started_ns: AtomicU64::new(0),
            runtime_ns: AtomicU64::new(0),
        }
    }

    /// The state letter of `/proc/<pid>/stat`.
    pub fn letter(&self) -> char {
        match self.state.load(Ordering::Relaxed) {
            RUNNABLE => 'R',
            SLEEPING if self.killable_only.load(Ordering::Relaxed) => 'D',
            SLEEPING => 'S',
            SLEEPING_UNINTERRUPTIBLE => 'D',
            STOPPED => 'T',
            _ => 'X',
        }
    }

    /// The CPU it last ran on.
    pub fn last_cpu(&self) -> usize {
        self.cpu.load(Ordering::Relaxed)
    }

    fn weight(&self) -> u64 {
        let nice = self.nice.load(Ordering::Relaxed).clamp(-20, 19);
        if self.policy.load(Ordering::Relaxed) == 5 { 3 } else { WEIGHTS[(nice + 20) as usize] }
    }

    fn may_run_on(&self, cpu: usize) -> bool {
        self.affinity.load(Ordering::Relaxed) & (1 << cpu) != 0
    }

    fn is_realtime(&self) -> bool {
        matches!(self.policy.load(Ordering::Relaxed), 1 | 2)
    }

    /// Its real-time priority; 0 where it has none.
    pub fn realtime_priority(&self) -> u32 {
        if self.is_realtime() { self.rt_priority.load(Ordering::Relaxed) } else { 0 }
    }
}

impl Default for SchedEntity {
    fn default() -> Self {
        Self::new()
    }
}

/// Real-time threads come first (higher priority first), then the smallest virtual run time; the counter keeps keys unique.
type Key = (u8, u64, u64);

struct RunQueue {
    ready: BTreeMap<Key, Arc<Thread>>,
    current: Option<Arc<Thread>>,
    idle: Option<Arc<Thread>>,
    min_vruntime: u64,
    sequence: u64,
}

struct Cpu {
    queue: SpinLock<RunQueue>,
    load: AtomicUsize,
    resched: AtomicBool,
    idle: AtomicBool,
    online: AtomicBool,
    slice_end_ns: AtomicU64,
    /// When its timer will fire.
    armed_ns: AtomicU64,
    /// How many scopes want interrupts to other CPUs held back until they end.
    defers: AtomicUsize,
    /// CPUs to be interrupted then, a bit each.
    deferred: AtomicU64,
    /// Time spent idle, ns.
    idle_ns: AtomicU64,
}

static CPUS: [Cpu; MAX_CPUS] = [const {
    Cpu {
        queue: SpinLock::new(RunQueue { ready: BTreeMap::new(), current: None, idle: None, min_vruntime: 0, sequence: 0 }),
        load: AtomicUsize::new(0),
        resched: AtomicBool::new(false),
        idle: AtomicBool::new(false),
        online: AtomicBool::new(false),
        slice_end_ns: AtomicU64::new(0),
        armed_ns: AtomicU64::new(u64::MAX),
        defers: AtomicUsize::new(0),
        deferred: AtomicU64::new(0),
        idle_ns: AtomicU64::new(0),
    }
}; MAX_CPUS];

/// Context switches since boot, for `/proc/stat`.
pub static SWITCHES: AtomicU64 = AtomicU64::new(0);

/// Nanoseconds that a CPU was idle.
pub fn idle_ns(cpu: usize) -> u64 {
    CPUS.get(cpu).map_or(0, |c| c.idle_ns.load(Ordering::Relaxed))
}

/// Threads that are running or ready on all CPUs.
pub fn runnable_count() -> usize {
    CPUS.iter().map(|c| c.load.load(Ordering::Relaxed) + usize::from(c.online.load(Ordering::Relaxed) && !c.idle.load(Ordering::Relaxed))).sum()
}

/// Makes `idle` (the thread that is executing) this CPU's idle thread.
pub fn adopt_idle(idle: Arc<Thread>) {
    let me = &CPUS[cpu::id()];
    idle.sched.state.store(RUNNABLE, Ordering::Relaxed);
    idle.sched.cpu.store(cpu::id(), Ordering::Relaxed);
    idle.sched.started_ns.store(frame::time::now_ns(), Ordering::Relaxed);
    let mut queue = me.queue.lock();
    queue.current = Some(idle.clone());
    queue.idle = Some(idle);
    me.idle.store(true, Ordering::SeqCst);
    me.online.store(true, Ordering::SeqCst);
}

/// The idle thread's life: run what is ready, steal, or halt.
pub fn idle_loop() -> ! {
    let me = &CPUS[cpu::id()];
    loop {
        if me.load.load(Ordering::Relaxed) > 0 || steal() {
            schedule();
            continue;
        }
        rearm_timer(me);
        let before = frame::time::now_ns();
        frame::cpu::halt_until_interrupt(|| me.load.load(Ordering::SeqCst) > 0 || me.resched.swap(false, Ordering::SeqCst));
        me.idle_ns.fetch_add(frame::time::now_ns() - before, Ordering::Relaxed);
    }
}

fn key(queue: &mut RunQueue, thread: &Thread) -> Key {
    queue.sequence += 1;
    let entity = &thread.sched;
    if entity.is_realtime() {
        (0, 99 - u64::from(entity.rt_priority.load(Ordering::Relaxed).min(99)), queue.sequence)
    } else {
        (1, entity.vruntime.load(Ordering::Relaxed), queue.sequence)
    }
}

fn enqueue(cpu_id: usize, queue: &mut RunQueue, thread: Arc<Thread>) {
    let key = key(queue, &thread);
    queue.ready.insert(key, thread);
    CPUS[cpu_id].load.store(queue.ready.len(), Ordering::SeqCst);
}

fn pick(cpu_id: usize, queue: &mut RunQueue) -> Option<Arc<Thread>> {
    let (_, thread) = queue.ready.pop_first()?;
    CPUS[cpu_id].load.store(queue.ready.len(), Ordering::SeqCst);
    Some(thread)
}

/// Charges the running thread for its time since it was last charged.
fn charge(queue: &mut RunQueue, thread: &Thread, now: u64) {
    let entity = &thread.sched;
    let ran = now.saturating_sub(entity.started_ns.swap(now, Ordering::Relaxed));
    entity.runtime_ns.fetch_add(ran, Ordering::Relaxed);
    let vruntime = entity.vruntime.load(Ordering::Relaxed) + ran * NICE_0_WEIGHT / entity.weight().max(1);
    entity.vruntime.store(vruntime, Ordering::Relaxed);
    let least = match queue.ready.first_key_value() {
        Some((key, _)) if key.0 == 1 => vruntime.min(key.1),
        _ => vruntime,
    };
    queue.min_vruntime = queue.min_vruntime.max(least);
}

fn choose_cpu(thread: &Thread) -> usize {
    let ok = |c: usize| thread.sched.may_run_on(c) && CPUS[c].online.load(Ordering::Relaxed);
    let last = thread.sched.cpu.load(Ordering::Relaxed);
    // This one is idle but for the interrupt that wakes the thread: no other has to be woken, too.
    let here = cpu::id();
    if ok(here) && CPUS[here].idle.load(Ordering::Relaxed) && CPUS[here].load.load(Ordering::Relaxed) == 0 {
        return here;
    }
    if ok(last) && (CPUS[last].idle.load(Ordering::Relaxed) && CPUS[last].load.load(Ordering::Relaxed) == 0) {
        return last;
    }
    let mut best = if ok(last) { last } else { cpu::id() };
    let mut best_load = if ok(best) { CPUS[best].load.load(Ordering::Relaxed) + usize::from(!CPUS[best].idle.load(Ordering::Relaxed)) } else { usize::MAX };
    for c in 0..cpu::count() {
        let load = CPUS[c].load.load(Ordering::Relaxed) + usize::from(!CPUS[c].idle.load(Ordering::Relaxed));
        if ok(c) && load < best_load {
            best = c;
            best_load = load;
        }
    }
    best
}

/// Makes a sleeping thread runnable. Returns whether it was asleep. May be called from interrupt handlers.
pub fn wake(thread: &Arc<Thread>) -> bool {
    wake_from(thread, false, |state| matches!(state, SLEEPING | SLEEPING_UNINTERRUPTIBLE))
}

/// As [`wake`], for a caller that is about to sleep itself: where nobody else waits for this CPU the thread takes it over, without an interrupt to another CPU
/// and with warm caches.
pub fn wake_successor(thread: &Arc<Thread>) -> bool {
    wake_from(thread, true, |state| matches!(state, SLEEPING | SLEEPING_UNINTERRUPTIBLE))
}

/// Wakes a thread out of an interruptible sleep only (a signal arrived).
pub fn wake_interruptible(thread: &Arc<Thread>) -> bool {
    wake_from(thread, false, |state| state == SLEEPING)
}

/// Lets a stopped thread go on (SIGCONT, SIGKILL).
pub fn wake_stopped(thread: &Arc<Thread>) -> bool {
    wake_from(thread, false, |state| state == STOPPED)
}

fn wake_from(thread: &Arc<Thread>, here: bool, from: impl Fn(u8) -> bool) -> bool {
    let entity = &thread.sched;
    loop {
        let state = entity.state.load(Ordering::SeqCst);
        if !from(state) {
            return false;
        }
        if entity.state.compare_exchange(state, RUNNABLE, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
            break;
        }
    }
    loop {
        let home = entity.cpu.load(Ordering::SeqCst);
        let home_queue = CPUS[home].queue.lock();
        if entity.cpu.load(Ordering::SeqCst) != home {
            continue;
        }
        if entity.on_queue.load(Ordering::SeqCst) {
            // Still running on its way to sleep: `sleep` will see that it is runnable.
            return true;
        }
        // It saw that it is runnable without our help, ran on, and has gone to sleep again or has exited: no business of this wake-up.
        if entity.state.load(Ordering::SeqCst) != RUNNABLE {
            return true;
        }
        // From here on it is ours: nobody else sees it until it is on a queue.
        entity.on_queue.store(true, Ordering::SeqCst);
        drop(home_queue);
        break;
    }
    place(thread.clone(), here);
    true
}

/// Puts a thread that is marked `on_queue` but is on none onto the best queue, or on this CPU's (`here`) if that is empty.
fn place(thread: Arc<Thread>, here: bool) {
    let me = cpu::id();
    let alone = CPUS[me].load.load(Ordering::Relaxed) == 0 && thread.sched.may_run_on(me);
    let target = if here && alone { me } else { choose_cpu(&thread) };
    let cpu = &CPUS[target];
    let mut queue = cpu.queue.lock();
    thread.sched.cpu.store(target, Ordering::SeqCst);
    let floor = queue.min_vruntime.saturating_sub(SLEEPER_CREDIT_NS);
    // The clocks of different CPUs differ: a thread may neither hoard credit nor be punished for where it ran.
    let vruntime = thread.sched.vruntime.load(Ordering::Relaxed).clamp(floor, queue.min_vruntime + SLICE_NS);
    thread.sched.vruntime.store(vruntime, Ordering::Relaxed);
    let preempt = match &queue.current {
        _ if cpu.idle.load(Ordering::SeqCst) => true,
        _ if thread.sched.is_realtime() => true,
        Some(current) => {
            let now = frame::time::now_ns();
            let running = current.sched.vruntime.load(Ordering::Relaxed)
                + now.saturating_sub(current.sched.started_ns.load(Ordering::Relaxed)) * NICE_0_WEIGHT / current.sched.weight().max(1);
            !current.sched.is_realtime() && vruntime + WAKEUP_GRANULARITY_NS < running
        }
        None => true,
    };
    enqueue(target, &mut queue, thread);
    drop(queue);
    if preempt {
        cpu.resched.store(true, Ordering::SeqCst);
    }
    if target != cpu::id() {
        // Where it does not take over at once the end of the running thread's slice is soon enough.
        if preempt {
            send_resched(target);
        }
    } else if !preempt {
        // The running thread may have had the CPU for itself, without a timer.
        cpu.slice_end_ns.fetch_min(frame::time::now_ns() + SLICE_NS, Ordering::Relaxed);
        rearm_timer(cpu);
    }
}

/// Marks the current thread as going to sleep. `interruptible`: signals may wake it.
pub fn prepare_to_sleep(thread: &Thread, interruptible: bool) {
    thread.sched.killable_only.store(false, Ordering::Relaxed);
    thread.sched.state.store(if interruptible { SLEEPING } else { SLEEPING_UNINTERRUPTIBLE }, Ordering::SeqCst);
}

/// As [`prepare_to_sleep`], for a sleep that signals wake but only SIGKILL ends.
pub fn prepare_to_sleep_killable(thread: &Thread) {
    thread.sched.killable_only.store(true, Ordering::Relaxed);
    thread.sched.state.store(SLEEPING, Ordering::SeqCst);
}

/// Takes [`prepare_to_sleep`] back.
pub fn cancel_sleep(thread: &Thread) {
    thread.sched.state.store(RUNNABLE, Ordering::SeqCst);
}

/// Sleeps until woken, or until the monotonic clock reaches the deadline. The thread must have been marked by [`prepare_to_sleep`].
pub fn sleep(deadline_ns: Option<u64>) {
    let _timer = deadline_ns.map(|at| timer::Timer::wake_thread(at, current()));
    schedule();
}

/// Stops the current thread (job control) until [`wake_stopped`].
/// `still` is asked after the thread is marked, so that a SIGCONT in between is not lost.
pub fn stop_current(thread: &Arc<Thread>, still: impl FnOnce() -> bool) {
    thread.sched.state.store(STOPPED, Ordering::SeqCst);
    if !still() {
        cancel_sleep(thread);
        return;
    }
    schedule();
}

/// Ends the current thread for good. It must be in no list any more.
pub fn exit_current() -> ! {
    current().sched.state.store(DEAD, Ordering::SeqCst);
    loop {
        schedule();
    }
}

/// Gives other threads a turn.
pub fn yield_now() {
    let thread = current();
    // To the end of the line: as far as the last of the others.
    let me = &CPUS[cpu::id()];
    if me.load.load(Ordering::Relaxed) == 0 && !steal_wanted() {
        return;
    }
    let mut queue = me.queue.lock();
    let last = queue.ready.last_key_value().map_or(0, |(key, _)| if key.0 == 1 { key.1 } else { 0 });
    charge(&mut queue, &thread, frame::time::now_ns());
    thread.sched.vruntime.fetch_max(last + 1, Ordering::Relaxed);
    drop(queue);
    schedule();
}

fn steal_wanted() -> bool {
    false
}

/// Whether another thread should run: checked before returning to user space.
pub fn need_resched() -> bool {
    CPUS[cpu::id()].resched.load(Ordering::Relaxed)
}

/// Switches to the next thread. Returns when the current thread runs again.
pub fn schedule() {
    let guard = frame::sync::IrqGuard::new();
    let cpu_id = cpu::id();
    let me = &CPUS[cpu_id];
    me.resched.store(false, Ordering::SeqCst);
    let now = frame::time::now_ns();
    let mut queue = me.queue.lock();
    let Some(previous) = queue.current.clone() else { return };
    let is_idle = me.idle.load(Ordering::Relaxed);
    charge(&mut queue, &previous, now);
    let runnable = previous.sched.state.load(Ordering::SeqCst) == RUNNABLE;
    // It may not stay: another CPU takes it when this one has left it.
    let moves = runnable && !is_idle && !previous.sched.may_run_on(cpu_id);
    if !is_idle && !moves {
        if runnable {
            enqueue(cpu_id, &mut queue, previous.clone());
        } else {
            previous.sched.on_queue.store(false, Ordering::SeqCst);
        }
    }
    let next = match pick(cpu_id, &mut queue) {
        Some(next) => next,
        None => match &queue.idle {
            Some(idle) => idle.clone(),
            None => previous.clone(),
        },
    };
    let to_idle = queue.idle.as_ref().is_some_and(|idle| Arc::ptr_eq(idle, &next));
    me.idle.store(to_idle, Ordering::SeqCst);
    next.sched.started_ns.store(now, Ordering::Relaxed);
    if Arc::ptr_eq(&next, &previous) {
        drop(queue);
        me.slice_end_ns.store(now + SLICE_NS, Ordering::Relaxed);
        rearm_timer(me);
        drop(guard);
        return;
    }
    next.sched.cpu.store(cpu_id, Ordering::SeqCst);
    next.rseq.touch();
    queue.current = Some(next.clone());
    drop(queue);
    me.slice_end_ns.store(now + SLICE_NS, Ordering::Relaxed);
    rearm_timer(me);
    SWITCHES.fetch_add(1, Ordering::Relaxed);
    let counter = if runnable { &previous.nivcsw } else { &previous.nvcsw };
    counter.fetch_add(1, Ordering::Relaxed);
    let dead = previous.sched.state.load(Ordering::SeqCst) == DEAD;
    if moves {
        place(previous, false);
    } else {
        drop(previous);
    }
    // The frame holds interrupts off itself. In between only the queue is ahead of what runs, which interrupt handlers can live with.
    drop(guard);
    super::switch(next, dead);
}

/// Takes a thread from the busiest other CPU into this one's queue.
fn steal() -> bool {
    let me = cpu::id();
    let mut busiest = None;
    let mut most = 0;
    for c in 0..cpu::count() {
        let load = CPUS[c].load.load(Ordering::Relaxed);
        if c != me && load > most {
            most = load;
            busiest = Some(c);
        }
    }
    let Some(victim) = busiest else { return false };
    let thread = {
        let mut queue = CPUS[victim].queue.lock();
        let wanted = queue.ready.iter().find(|(_, t)| t.sched.may_run_on(me)).map(|(k, _)| *k);
        let Some(key) = wanted else { return false };
        let thread = queue.ready.remove(&key);
        CPUS[victim].load.store(queue.ready.len(), Ordering::SeqCst);
        let Some(thread) = thread else { return false };
        // Relative to the victim's clock; added to ours below.
        let lead = thread.sched.vruntime.load(Ordering::Relaxed).saturating_sub(queue.min_vruntime);
        thread.sched.vruntime.store(lead, Ordering::Relaxed);
        // Its home changes under the lock of the old home, so that `wake_from` never misses it.
        thread.sched.cpu.store(me, Ordering::SeqCst);
        thread
    };
    let mut queue = CPUS[me].queue.lock();
    let vruntime = thread.sched.vruntime.load(Ordering::Relaxed) + queue.min_vruntime;
    thread.sched.vruntime.store(vruntime, Ordering::Relaxed);
    enqueue(me, &mut queue, thread);
    true
}

/// The timer interrupt: expired timers, then the running thread's slice.
pub fn timer_interrupt() {
    let me = &CPUS[cpu::id()];
    let now = frame::time::now_ns();
    // It has fired.
    stops::looked_at_timer(me.armed_ns.swap(u64::MAX, Ordering::Relaxed), now);
    timer::expire();
    account_tick(me);
    if me.load.load(Ordering::Relaxed) > 0 && now >= me.slice_end_ns.load(Ordering::Relaxed) {
        me.resched.store(true, Ordering::SeqCst);
    }
    rearm_timer(me);
}

/// Interrupts another CPU, at the end of the scope where [`DeferInterrupts`] is in force: such an interrupt takes long on a machine that is emulated, and nobody should wait for a lock meanwhile.
fn send_resched(target: usize) {
    let _irq = frame::sync::IrqGuard::new();
    let me = &CPUS[cpu::id()];
    if me.defers.load(Ordering::Relaxed) > 0 {
        me.deferred.fetch_or(1 << target, Ordering::Relaxed);
    } else {
        frame::cpu::send_resched(target);
    }
}

/// Holds interrupts to other CPUs back until it is dropped. Take it before the lock under which threads are woken, so that it ends after it.
pub struct DeferInterrupts {
    _irq: frame::sync::IrqGuard,
}

impl DeferInterrupts {
    /// From now on.
    pub fn new() -> Self {
        let irq = frame::sync::IrqGuard::new();
        CPUS[cpu::id()].defers.fetch_add(1, Ordering::Relaxed);
        Self { _irq: irq }
    }
}

impl Drop for DeferInterrupts {
    fn drop(&mut self) {
        let me = &CPUS[cpu::id()];
        if me.defers.fetch_sub(1, Ordering::Relaxed) > 1 {
            return;
        }
        let mut targets = me.deferred.swap(0, Ordering::Relaxed);
        while targets != 0 {
            frame::cpu::send_resched(targets.trailing_zeros() as usize);
            targets &= targets - 1;
        }
    }
}

/// Arms this CPU's timer for whatever comes first: a timer, the end of the slice, the accounting tick. One that fires earlier anyway is left as it is, since it arms itself again:
/// access to the timer is slow, and there is one for each switch of threads.
fn rearm_timer(me: &Cpu) {
    let _irq = frame::sync::IrqGuard::new();
    let mut at = timer::next_deadline().unwrap_or(u64::MAX);
    if !me.idle.load(Ordering::Relaxed) {
        let now = frame::time::now_ns();
        let slice = me.slice_end_ns.load(Ordering::Relaxed);
        at = at.min(if slice <= now { now + SLICE_NS } else { slice });
    }
    let armed = me.armed_ns.load(Ordering::Relaxed);
    if armed != u64::MAX {
        let now = frame::time::now_ns();
        if armed <= at && now < armed {
            return;
        }
        stops::looked_at_timer(armed, now);
    } else if at == u64::MAX {
        return;
    }
    me.armed_ns.store(at, Ordering::Relaxed);
    frame::time::arm_timer(at);
}

/// Looks whether a timer should have fired long ago, see [`stops`].
pub fn look_at_timers(now_ns: u64) {
    for cpu in CPUS.iter().take(cpu::count()) {
        stops::looked_at_timer(cpu.armed_ns.load(Ordering::Relaxed), now_ns);
    }
}

/// Called when a timer was added to this CPU's list and comes first.
pub fn timers_changed() {
    rearm_timer(&CPUS[cpu::id()]);
}

/// Asks every CPU to look at its queue (a thread's affinity or signals changed).
pub fn kick(thread: &Thread) {
    let home = thread.sched.cpu.load(Ordering::SeqCst);
    if home != cpu::id() {
        frame::cpu::send_resched(home);
    }
}

/// The reschedule interrupt of another CPU: leaving to user space looks at the queue and at signals.
pub fn resched_interrupt() {
    let me = &CPUS[cpu::id()];
    if me.load.load(Ordering::Relaxed) > 0 {
        me.slice_end_ns.fetch_min(frame::time::now_ns() + SLICE_NS, Ordering::Relaxed);
        rearm_timer(me);
    }
}

impl SchedEntity {
    /// A child starts where its parent is, so that forking gains nothing.
    pub fn inherit_vruntime(&self, parent: &SchedEntity) {
        self.vruntime.store(parent.vruntime.load(Ordering::Relaxed), Ordering::Relaxed);
        self.cpu.store(parent.cpu.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

/// After a thread's affinity changed: it goes to another CPU if it may not stay. One that sleeps is woken onto an allowed one.
pub fn affinity_changed(thread: &Arc<Thread>) {
    if Arc::ptr_eq(thread, &current()) {
        if !thread.sched.may_run_on(cpu::id()) {
            schedule();
        }
        return;
    }
    place_anew(thread, |home| thread.sched.may_run_on(home));
}

/// After a thread's policy or priority changed: one that waits for a CPU gets its new place, and perhaps the CPU; one that runs may have to give it away.
pub fn policy_changed(thread: &Arc<Thread>) {
    place_anew(thread, |_| false);
}

/// Finds a new place for a thread that waits for a CPU, and has the one that it runs on look again; unless `is_right` says that it may stay there.
fn place_anew(thread: &Arc<Thread>, is_right: impl Fn(usize) -> bool) {
    loop {
        let home = thread.sched.cpu.load(Ordering::SeqCst);
        let mut queue = CPUS[home].queue.lock();
        if thread.sched.cpu.load(Ordering::SeqCst) != home {
            continue;
        }
        if is_right(home) {
            return;
        }
        let waiting = queue.ready.iter().find(|(_, it)| Arc::ptr_eq(it, thread)).map(|(key, _)| *key);
        if let Some(waiting) = waiting.and_then(|key| queue.ready.remove(&key)) {
            CPUS[home].load.store(queue.ready.len(), Ordering::SeqCst);
            drop(queue);
            return place(waiting, false);
        }
        let is_running = queue.current.as_ref().is_some_and(|it| Arc::ptr_eq(it, thread));
        drop(queue);
        if is_running {
            CPUS[home].resched.store(true, Ordering::SeqCst);
            if home != cpu::id() {
                send_resched(home);
            }
        }
        return;
    }
}

/// Brings the current thread's run time up to date.
pub fn charge_current() {
    let thread = current();
    let _guard = frame::sync::IrqGuard::new();
    let mut queue = CPUS[cpu::id()].queue.lock();
    charge(&mut queue, &thread, frame::time::now_ns());
}

/// Attributes the time since the last tick to user or kernel mode of the running thread.
fn account_tick(me: &Cpu) {
    if me.idle.load(Ordering::Relaxed) {
        return;
    }
    let Some(thread) = frame::task::try_current::<Thread>() else { return };
    let counter = if thread.in_user.load(Ordering::Relaxed) { &thread.utime_ns } else { &thread.stime_ns };
    counter.fetch_add(SLICE_NS, Ordering::Relaxed);
    // Limits and timers go by the time that a thread has run, which is else counted when it stops running.
    charge_current();
    thread.process.timers.tick(&thread.process);
}

/// Load averages over 1, 5 and 15 minutes, as 16.16 fixed point (`sysinfo(2)`).
static LOADS: [AtomicU64; 3] = [const { AtomicU64::new(0) }; 3];
static LAST_LOAD_NS: AtomicU64 = AtomicU64::new(0);

/// The load averages, brought up to date: exponentially decayed in steps of five seconds.
pub fn load_averages() -> [u64; 3] {
    const STEP_NS: u64 = 5_000_000_000;
    /// exp(-5 s / period) as 16.16 fixed point for 1, 5 and 15 minutes.
    const DECAY: [u64; 3] = [60_296, 64_453, 65_173];
    let now = frame::time::now_ns();
    let last = LAST_LOAD_NS.load(Ordering::Relaxed);
    let steps = (now.saturating_sub(last) / STEP_NS).min(1000);
    if steps > 0 && LAST_LOAD_NS.compare_exchange(last, last + steps * STEP_NS, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
        let active = (runnable_count() as u64) << 16;
        for (load, decay) in LOADS.iter().zip(DECAY) {
            let mut value = load.load(Ordering::Relaxed);
            for _ in 0..steps {
                value = (value * decay + active * (65_536 - decay)) >> 16;
            }
            load.store(value, Ordering::Relaxed);
        }
    }
    [0, 1, 2].map(|i| LOADS[i].load(Ordering::Relaxed))
}
