//! All CPUs at once.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use frame::mm::Frame;
use frame::paging::{self, MapTarget, PageTable};
use frame::sync::{Lazy, PerCpu, SpinLock};
use frame::{cpu, task, time, user};

use crate::page_tables::RW;
use crate::tasks::Thread;

type Job = Arc<dyn Fn(usize) + Send + Sync>;

/// What all CPUs are to do, and its number.
static JOB: SpinLock<(usize, Option<Job>)> = SpinLock::new((0, None));
static DONE: AtomicUsize = AtomicUsize::new(0);
static WOKEN: Lazy<PerCpu<AtomicUsize>> = Lazy::new(|| PerCpu::new(|_| AtomicUsize::new(0)));

/// The frame's hook.
pub fn resched() {
    WOKEN.get().fetch_add(1, Ordering::Relaxed);
}

pub fn start() {
    WOKEN.get();
    let count = cpu::start_others(worker);
    assert_eq!(count, cpu::possible());
    frame::println!("selftest:   {count} CPUs run");
}

fn worker(cpu: usize) -> ! {
    Thread::adopt(cpu);
    let mut last = 0;
    loop {
        let (number, job) = JOB.lock().clone();
        if number != last && let Some(job) = job {
            last = number;
            job(cpu);
            DONE.fetch_add(1, Ordering::AcqRel);
        }
        let woken = WOKEN.get().load(Ordering::Relaxed);
        cpu::halt_until_interrupt(|| JOB.lock().0 != last || WOKEN.get().load(Ordering::Relaxed) != woken);
    }
}

/// Runs `job(cpu)` on all CPUs.
pub fn on_all(job: impl Fn(usize) + Send + Sync + 'static) {
    let job: Job = Arc::new(job);
    DONE.store(0, Ordering::Release);
    {
        let mut slot = JOB.lock();
        *slot = (slot.0 + 1, Some(job.clone()));
    }
    (1..cpu::count()).for_each(cpu::send_resched);
    job(0);
    while DONE.load(Ordering::Acquire) != cpu::count() - 1 {
        cpu::pause();
    }
}

pub fn locks() {
    const ROUNDS: usize = 20_000;
    static COUNTER: SpinLock<(usize, usize)> = SpinLock::new((0, 0));
    on_all(|_| {
        for _ in 0..ROUNDS {
            let mut counter = COUNTER.lock();
            counter.0 += 1;
            counter.1 += 1;
            assert_eq!(counter.0, counter.1);
        }
    });
    assert_eq!(COUNTER.lock().0, ROUNDS * cpu::count());
}

pub fn allocation() {
    on_all(|cpu| {
        crate::memory::heap_round(cpu as u64 + 10, 3_000);
        let mut frames: Vec<Frame> = Vec::new();
        for i in 0..3_000u64 {
            let frame = Frame::alloc().expect("a frame");
            frame.write_u64(0, i << 8 | cpu as u64);
            frames.push(frame);
            if frames.len() > 500 {
                let frame = frames.swap_remove(i as usize * 7 % 500);
                assert_eq!((frame.read_u64(0) & 0xff, frame.refcount()), (cpu as u64, 1));
            }
        }
    });
}

/// Threads that move over all CPUs by a shared queue, the way a scheduler would: each CPU takes one, runs it for a moment, puts it back.
pub fn migration() {
    const THREADS: usize = 20;
    const STEPS: usize = 200;
    static QUEUE: SpinLock<Vec<Arc<Thread>>> = SpinLock::new(Vec::new());
    static IDLE: SpinLock<Vec<Arc<Thread>>> = SpinLock::new(Vec::new());
    static ALIVE: AtomicUsize = AtomicUsize::new(THREADS);
    static STEPPED: AtomicUsize = AtomicUsize::new(0);

    fn idle() -> Arc<Thread> {
        let me = cpu::id();
        IDLE.lock().iter().find(|t| t.number == me).cloned().expect("this CPU's idle thread")
    }
    fn body() {
        for _ in 0..STEPS {
            STEPPED.fetch_add(1, Ordering::Relaxed);
            let me: Arc<Thread> = task::current();
            // Another CPU may take it from the queue at once, before this one has left it.
            QUEUE.lock().insert(0, me);
            task::switch_to(idle());
        }
        ALIVE.fetch_sub(1, Ordering::AcqRel);
        task::exit_to(idle())
    }
    for i in 0..THREADS {
        QUEUE.lock().push(Thread::new(100 + i, body));
    }
    on_all(|_| {
        IDLE.lock().push(task::current());
        while ALIVE.load(Ordering::Acquire) > 0 {
            let next = QUEUE.lock().pop();
            match next {
                Some(thread) => task::switch_to(thread),
                None => cpu::pause(),
            }
        }
    });
    assert_eq!(STEPPED.load(Ordering::Relaxed), THREADS * STEPS);
    QUEUE.lock().clear();
    IDLE.lock().clear();
}

/// One CPU remaps a page while the others read it: they never see a page after it was given up. Half of them read with interrupts off.
pub fn shootdown() {
    const PAGE: u64 = 0x70_0000;
    static TABLE: SpinLock<Option<Arc<PageTable>>> = SpinLock::new(None);
    static STOP: AtomicBool = AtomicBool::new(false);
    static READS: AtomicUsize = AtomicUsize::new(0);
    static VALID: AtomicUsize = AtomicUsize::new(0);
    let table = Arc::new(PageTable::new().expect("a table"));
    *TABLE.lock() = Some(table.clone());
    let map = |value: u64| {
        let frame = Frame::alloc().expect("a frame");
        frame.write_u64(0, value);
        let mut tlb = table.gather();
        let old = table.map(PAGE, MapTarget::Ram(frame), RW, &mut tlb).expect("memory");
        tlb.flush();
        // Nobody can read the old value any more.
        VALID.store(value as usize, Ordering::Release);
        old
    };
    map(1);
    on_all(|cpu| {
        let table = TABLE.lock().clone().expect("a table");
        table.activate();
        if cpu == 0 {
            let end = time::now_ns() + 200_000_000;
            let mut value = 1;
            while time::now_ns() < end {
                value += 1;
                let frame = Frame::alloc().expect("a frame");
                frame.write_u64(0, value);
                let mut tlb = table.gather();
                let old = table.map(PAGE, MapTarget::Ram(frame), RW, &mut tlb).expect("memory");
                tlb.flush();
                VALID.store(value as usize, Ordering::Release);
                drop(old);
            }
            STOP.store(true, Ordering::Release);
            frame::println!("selftest:   {value} shootdowns");
        }
        while !STOP.load(Ordering::Acquire) {
            let least = VALID.load(Ordering::Acquire);
            let seen = if cpu % 2 == 0 {
                user::read_u64(PAGE)
            } else {
                let _off = frame::sync::IrqGuard::new();
                cpu::relax();
                user::read_u64(PAGE)
            };
            assert!(seen.is_ok_and(|seen| seen as usize >= least), "a stale page was read");
            READS.fetch_add(1, Ordering::Relaxed);
        }
        paging::activate_none();
    });
    *TABLE.lock() = None;
    assert!(cpu::count() == 1 || READS.load(Ordering::Relaxed) > 0);
}
