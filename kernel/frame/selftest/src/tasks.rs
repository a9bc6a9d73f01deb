//! Context switches, clock, timer, interrupts.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use frame::sync::SpinLock;
use frame::task::{self, Task, TaskContext};
use frame::{cpu, irq, time, trap};

/// The thread type of this kernel.
pub struct Thread {
    context: TaskContext,
    pub number: usize,
}

impl Task for Thread {
    fn context(&self) -> &TaskContext {
        &self.context
    }
}

/// Threads of these tests never come to their end.
fn over() -> ! {
    panic!("a thread's function returned");
}

impl Thread {
    pub fn new(number: usize, entry: impl FnOnce() + Send + 'static) -> Arc<Thread> {
        Arc::new(Thread { context: TaskContext::new(Box::new(move || {
            entry();
            over as fn() -> !
        })).expect("a stack"), number })
    }

    /// Becomes this CPU's first thread.
    pub fn adopt(number: usize) -> Arc<Thread> {
        let thread = Arc::new(Thread { context: TaskContext::for_running(), number });
        task::adopt(thread.clone());
        thread
    }
}

static TIMER_FIRED: AtomicUsize = AtomicUsize::new(0);

pub fn init() {
    Thread::adopt(0);
    trap::set_hooks(trap::Hooks {
        kernel_page_fault: crate::user_mode::resolve_fault,
        timer: || {
            TIMER_FIRED.fetch_add(1, Ordering::Relaxed);
        },
        resched_ipi: crate::threads::resched,
    });
}

pub fn clock_and_timer() {
    // The real-time clock ticks in seconds: 1 s between two of its ticks is 1 s of ours, within what polling costs.
    let tick = || {
        let second = time::rtc_unix_seconds();
        while time::rtc_unix_seconds() == second {
            cpu::pause();
        }
        time::now_ns()
    };
    // On a busy host a poll can come late and spoil two neighbouring seconds; a clock that is wrong is wrong in all of them.
    let mut before = tick();
    let right = (0..8).any(|_| {
        let now = tick();
        let elapsed = now - core::mem::replace(&mut before, now);
        frame::println!("selftest:   one second of the real-time clock is {elapsed} ns");
        (980_000_000..1_020_000_000).contains(&elapsed)
    });
    assert!(right, "the clock is wrong");

    for delay in [100_000u64, 1_000_000, 5_000_000] {
        let (fired, start) = (TIMER_FIRED.load(Ordering::Relaxed), time::now_ns());
        time::arm_timer(start + delay);
        while TIMER_FIRED.load(Ordering::Relaxed) == fired {
            cpu::halt_until_interrupt(|| TIMER_FIRED.load(Ordering::Relaxed) != fired);
        }
        let took = time::now_ns() - start;
        assert!(took + delay / 50 + 10_000 > delay, "{took} ns instead of {delay}");
        frame::println!("selftest:   a timer of {delay} ns took {took} ns");
    }
    time::arm_timer(u64::MAX);
}

/// Two threads that hand a number back and forth, then exit; their stacks and contexts must be freed.
pub fn switching() {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    struct Dropped(Arc<AtomicBool>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let main: Arc<Thread> = task::current();
    let dropped = Arc::new(AtomicBool::new(false));
    let guard = Dropped(dropped.clone());
    let home = main.clone();
    let thread = Thread::new(7, move || {
        {
            let _guard = guard;
            for i in 0..1000 {
                assert_eq!(task::with_current(|t: &Arc<Thread>| t.number), 7);
                assert_eq!(COUNT.fetch_add(1, Ordering::Relaxed), 2 * i);
                task::switch_to(home.clone());
            }
        }
        task::exit_to(home)
    });
    for i in 0..1000 {
        task::switch_to(thread.clone());
        assert_eq!(COUNT.fetch_add(1, Ordering::Relaxed), 2 * i + 1);
    }
    assert!(!dropped.load(Ordering::Relaxed));
    task::switch_to(thread.clone());
    assert!(dropped.load(Ordering::Relaxed));
    assert_eq!(Arc::strong_count(&thread), 1, "an exited thread is still referenced");
    assert!(!thread.context().is_running());
    // `main` and the CPU's own reference, which was the exited thread's `home`.
    assert_eq!(Arc::strong_count(&main), 2, "a switch leaks a reference");
}

/// The real-time clock's periodic interrupt through the I/O APIC.
pub fn isa_interrupt() {
    const RTC: u8 = 8;
    static TICKS: AtomicUsize = AtomicUsize::new(0);
    static LOG: SpinLock<Vec<u64>> = SpinLock::new(Vec::new());
    let register = |index: u8, value: u8| {
        frame::io::outb(0x70, index);
        frame::io::outb(0x71, value);
    };
    let read = |index: u8| {
        frame::io::outb(0x70, index);
        frame::io::inb(0x71)
    };
    let vector = irq::alloc_vector().expect("a vector");
    irq::register(
        vector,
        Box::new(move || {
            TICKS.fetch_add(1, Ordering::Relaxed);
            LOG.lock().push(time::now_ns());
            read(0x0c);
        }),
    );
    irq::route_isa(RTC, vector, 0).expect("the line");
    let old = read(0x0b);
    register(0x0b, old | 0x40);
    read(0x0c);
    irq::unmask_isa(RTC);
    while TICKS.load(Ordering::Relaxed) < 5 {
        cpu::halt_until_interrupt(|| false);
    }
    irq::mask_isa(RTC);
    register(0x0b, old);
    irq::unregister(vector);
    irq::free_vector(vector);
    assert!(irq::counts().iter().any(|(v, n)| *v == vector.number() && *n >= 5));
    assert!(irq::msi_message(vector, 0).is_ok_and(|(address, data)| address & 0xfff0_0000 == 0xfee0_0000 && data == vector.number() as u32));
    assert!(irq::msi_message(vector, 99).is_err());
}
