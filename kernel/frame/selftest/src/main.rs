//! A kernel that tests the frame crate in a virtual machine, and measures it.
//!
//! Boots like the real one. Prints a line a test, at the end `selftest: all passed`, and leaves QEMU with code 0x10; a failure panics (exit code 0x7f with `debug-exit`
//! on the command line).
#![no_std]
#![no_main]
#![deny(unsafe_code)]

extern crate alloc;

mod measure;
mod memory;
mod page_tables;
mod tasks;
mod threads;
mod user_mode;

use frame::{BootInfo, cpu, println};

frame::entry!(start);

/// Exit code of success for isa-debug-exit.
const EXIT_PASSED: u8 = 0x10;

fn start(boot: &'static BootInfo) -> ! {
    println!("selftest: {:?}, command line {:?}", boot.source, boot.cmdline);
    println!("selftest: {} KiB, initfs {} bytes, framebuffer {:?}", boot.memory_kib, boot.initfs.len(), boot.framebuffer);
    let info = cpu::info();
    println!("selftest: {} {} family {} model {}", info.vendor, info.model_name, info.family, info.model);
    println!("selftest: tsc {} kHz, unix time {}", frame::time::tsc_khz(), frame::time::rtc_unix_seconds());
    println!("selftest: {} ACPI tables, {:?}", frame::phys::acpi_tables().len(), frame::mm::stats());
    tasks::init();
    run("heap", memory::heap);
    run("frames", memory::frames);
    run("clock and timer", tasks::clock_and_timer);
    run("context switches", tasks::switching);
    run("page tables", page_tables::maps);
    run("fork-like copies", page_tables::copies);
    run("user mode", user_mode::system_calls);
    run("user faults", user_mode::faults);
    run("user memory", user_mode::memory);
    run("fpu state", user_mode::fpu);
    run("ports and interrupts", tasks::isa_interrupt);
    run("other CPUs", threads::start);
    run("locks on all CPUs", threads::locks);
    run("frames and heap on all CPUs", threads::allocation);
    run("threads over all CPUs", threads::migration);
    run("shootdowns", threads::shootdown);
    if boot.cmdline.split_ascii_whitespace().any(|word| word == "measure") {
        measure::all();
    }
    let expect = |word: &str| boot.cmdline.split_ascii_whitespace().any(|w| w == word);
    if expect("panic") {
        panic!("asked for");
    }
    if expect("overflow") {
        println!("{}", overflow(1));
    }
    println!("selftest: all passed");
    if expect("poweroff") {
        frame::power::poweroff();
    }
    if expect("reboot") {
        frame::power::reboot();
    }
    frame::power::exit_qemu(EXIT_PASSED)
}

/// Uses up the kernel stack: the guard page must catch it.
fn overflow(depth: u64) -> u64 {
    let pad = core::hint::black_box([depth; 64]);
    if depth == u64::MAX { 0 } else { overflow(depth + 1) + pad[3] }
}

fn run(name: &str, test: fn()) {
    let start = frame::time::now_ns();
    test();
    println!("selftest: {name}: ok ({} us)", (frame::time::now_ns() - start) / 1000);
}
