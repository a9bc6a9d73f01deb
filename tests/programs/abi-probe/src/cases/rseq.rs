//! Restartable sequences, rseq(2), on the area that glibc has registered for the main thread.

use std::arch::asm;
use std::sync::atomic::{AtomicI32, Ordering};

use super::util::*;
use crate::{cases, sys};
use libc::*;

unsafe extern "C" {
    /// Where glibc's area is, from the thread pointer (glibc 2.35).
    static __rseq_offset: isize;
}

/// What glibc puts before abort handlers on x86.
const SIGNATURE: u32 = 0x5305_3053;

/// `struct rseq`.
#[repr(C, align(32))]
struct Area {
    cpu_id_start: u32,
    cpu_id: u32,
    section: u64,
    flags: u32,
}

fn glibc_area() -> *mut Area {
    let thread: usize;
    // SAFETY: the thread pointer is the first word of the thread's block, on x86-64.
    unsafe {
        asm!("mov {}, fs:0", out(reg) thread);
        (thread as isize + __rseq_offset) as *mut Area
    }
}

fn register(area: *mut Area, len: u32, flags: u32, signature: u32) -> i64 {
    sys!(SYS_rseq, area, len, flags, signature)
}

fn pin(cpu: usize) -> i64 {
    let set = [1u64 << cpu];
    sys!(SYS_sched_setaffinity, 0, 8, set.as_ptr())
}

/// Spins in a critical section until the kernel begins it anew, which ends at its abort handler.
#[inline(never)]
fn spin(area: *mut Area) {
    // SAFETY: the section touches nothing; the words before the handler are an instruction that nobody executes, as the ABI asks.
    unsafe {
        asm!(
            ".pushsection __rseq_cs, \"aw\", @progbits",
            ".balign 32",
            "66:",
            ".long 0, 0",
            ".quad 77f, 88f - 77f, 99f",
            ".popsection",
            "lea {scratch}, [rip + 66b]",
            "mov [{section}], {scratch}",
            "77:",
            "pause",
            "jmp 77b",
            "88:",
            ".byte 0x0f, 0xb9, 0x3d",
            ".long 0x53053053",
            "99:",
            scratch = out(reg) _,
            section = in(reg) &raw mut (*area).section,
        );
    }
}

static TICKS: AtomicI32 = AtomicI32::new(0);

extern "C" fn on_alarm(_: i32) {
    TICKS.fetch_add(1, Ordering::SeqCst);
}

fn alarm_in(ms: i64) {
    let it = itimerval { it_interval: timeval { tv_sec: 0, tv_usec: 0 }, it_value: timeval { tv_sec: 0, tv_usec: ms * 1000 } };
    sys!(SYS_setitimer, ITIMER_REAL, &raw const it, 0);
}

cases! { "rseq";
    "registration" => |o| {
        let area = glibc_area();
        o.v(register(area, 32, 0, SIGNATURE)); o.v(register(area, 32, 0, 1)); o.v(register(area, 31, 0, SIGNATURE)); o.v(register(area, 32, 2, SIGNATURE));
        o.v(register(area, 32, 1, 1)); o.v(register(area, 31, 1, SIGNATURE)); o.v(register(std::ptr::null_mut(), 32, 1, SIGNATURE)); o.v(register(area, 32, 1, SIGNATURE));
        // SAFETY: glibc's area, which stays mapped.
        unsafe { o.s((*area).cpu_id as i32); o.s((*area).cpu_id_start); }
        o.v(register(area, 32, 1, SIGNATURE)); o.v(register(area.cast::<u8>().wrapping_add(8).cast(), 32, 0, SIGNATURE)); o.v(register(area, 33, 0, SIGNATURE));
        o.v(register((1u64 << 63) as *mut Area, 32, 0, SIGNATURE)); o.v(register(area, 32, 0, 7)); o.v(register(area, 32, 0, SIGNATURE));
    }
    "cpu" => |o| {
        let area = glibc_area();
        for cpu in [0, 1, 0] {
            o.v(pin(cpu));
            // SAFETY: glibc's area.
            unsafe { o.s((*area).cpu_id); o.s((*area).cpu_id_start); }
        }
        let child = child(|| {
            pin(1);
            // SAFETY: the child's copy of it.
            unsafe { (*glibc_area()).cpu_id as i32 }
        });
        o.s(child);
    }
    "signal" => |o| {
        // SAFETY: the handler only counts.
        unsafe { signal(SIGALRM, on_alarm as *const () as usize); }
        let area = glibc_area();
        alarm_in(20);
        // A preemption ends the section, too.
        while TICKS.load(Ordering::SeqCst) == 0 { spin(area); }
        // SAFETY: glibc's area.
        o.s(TICKS.load(Ordering::SeqCst)); unsafe { o.s((*area).section); }
    }
    "preemption" => |o| {
        let area = glibc_area();
        pin(0);
        // SAFETY: the child only spins, until the case ends.
        let busy = unsafe { fork() };
        if busy == 0 { loop { std::hint::spin_loop(); } }
        spin(area);
        // SAFETY: glibc's area.
        unsafe { o.s((*area).section); kill(busy, SIGKILL); }
    }
    "membarrier" => |o| {
        const RSEQ: i32 = 128; const REGISTER: i32 = 256;
        o.v(sys!(SYS_membarrier, RSEQ, 0, 0)); o.v(sys!(SYS_membarrier, REGISTER, 1, 0)); o.v(sys!(SYS_membarrier, REGISTER, 0, 0)); o.v(sys!(SYS_membarrier, 8, 1, 0));
        let other = std::thread::spawn(|| spin(glibc_area()));
        // It may not be there yet.
        while !other.is_finished() { sys!(SYS_membarrier, RSEQ, 0, 0); }
        o.v(sys!(SYS_membarrier, RSEQ, 1, 0)); o.s(other.join().is_ok());
    }
    "bad-section" => |o| {
        for (start, length, abort, flags) in [(0x1000u64, 16u64, 1u64 << 63, 0u32), (1 << 63, 1, 0x1000, 0), (0x1000, 16, 0x1008, 0), (0x1000, u64::MAX, 0x2000, 0), (0, 1 << 46, 1 << 46, 1)] {
            o.s(child(|| {
                #[repr(C, align(32))]
                struct Section(u32, u32, u64, u64, u64);
                let section = Section(0, flags, start, length, abort);
                // SAFETY: glibc's area; the kernel ends this process.
                unsafe { (*glibc_area()).section = &raw const section as u64; }
                pin(0); pin(1);
                0
            }));
        }
        o.s(child(|| {
            // SAFETY: as above.
            unsafe { (*glibc_area()).section = 1 << 63; }
            pin(0); pin(1);
            0
        }));
    }
}
