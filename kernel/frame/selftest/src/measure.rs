//! What things cost, printed in nanoseconds.

use alloc::boxed::Box;
use alloc::sync::Arc;

use frame::mm::Frame;
use frame::paging::{self, CopyMode, MapTarget, PageTable};
use frame::sync::SpinLock;
use frame::{println, task, time, user};

use crate::page_tables::RW;
use crate::tasks::Thread;
use crate::user_mode::{DATA, GETPPID_LOOP, program};

fn measure(name: &str, rounds: u64, mut f: impl FnMut()) {
    // Short batches, so that some are not interrupted on a busy host: the best one counts.
    let rounds = rounds / 20;
    let best = (0..100)
        .map(|_| {
            let start = time::now_ns();
            (0..rounds).for_each(|_| f());
            (time::now_ns() - start) * 10 / rounds
        })
        .min()
        .unwrap_or(0);
    println!("measure: {name}: {}.{} ns", best / 10, best % 10);
}

pub fn all() {
    measure("now_ns", 100_000, || {
        core::hint::black_box(time::now_ns());
    });
    let lock = SpinLock::new(0u64);
    measure("spin lock", 100_000, || *lock.lock() += 1);
    measure("box of 64 bytes", 100_000, || {
        core::hint::black_box(Box::new([0u64; 8]));
    });
    measure("frame", 100_000, || drop(core::hint::black_box(Frame::alloc())));
    measure("zeroed frame", 10_000, || drop(core::hint::black_box(Frame::alloc_zeroed())));
    let (a, b) = (Frame::alloc_zeroed().expect("a frame"), Frame::alloc_zeroed().expect("a frame"));
    measure("copy of a page", 10_000, || a.copy_from(&b));

    let (_table, mut context) = program(GETPPID_LOOP);
    measure("null system call", 100_000, || {
        context.run();
        context.regs.rax = 1;
    });
    measure("null system call, iret", 20_000, || {
        context.run();
        context.regs.rcx = 1;
    });
    let mut buffer = [0; 4096];
    measure("copy_from_user of 16 bytes", 50_000, || assert!(user::copy_from_user(&mut buffer[..16], DATA).is_ok()));
    measure("copy_from_user of a page", 10_000, || assert!(user::copy_from_user(&mut buffer, DATA).is_ok()));
    measure("read_u32", 50_000, || assert!(user::read_u32(DATA).is_ok()));

    let main: Arc<Thread> = task::current();
    let home = main.clone();
    let thread = Thread::new(1, move || loop {
        task::switch_to(home.clone());
    });
    measure("two context switches, kernel threads", 20_000, || task::switch_to(thread.clone()));
    measure("two context switches and a system call", 20_000, || {
        context.run();
        task::switch_to(thread.clone());
    });

    const PAGES: u64 = 512;
    let parent = PageTable::new().expect("a table");
    let mut tlb = parent.gather();
    for i in 0..PAGES {
        let frame = Frame::alloc_zeroed().expect("a frame");
        assert!(parent.map(0x100_0000 + i * 4096, MapTarget::Ram(frame), RW, &mut tlb).is_ok());
    }
    measure("fork-like copy and drop of 512 pages", 200, || {
        let child = PageTable::new().expect("a table");
        assert!(parent.copy_range(0, 0x1000_0000, &child, CopyMode::CopyOnWrite, &mut tlb).is_ok());
        tlb.flush();
    });
    let other = PageTable::new().expect("a table");
    measure("two activations", 20_000, || {
        parent.activate();
        other.activate();
    });
    paging::activate_none();
    let frame = Frame::alloc_zeroed().expect("a frame");
    measure("map and unmap", 20_000, || {
        let mut tlb = other.gather();
        assert!(other.map(0x1000, MapTarget::Ram(frame.clone()), RW, &mut tlb).is_ok());
        assert!(other.unmap(0x1000, &mut tlb).is_some());
    });
}
