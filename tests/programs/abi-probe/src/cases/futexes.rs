//! Futexes.

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use super::util::*;
use crate::{cases, sys};

fn shared() -> &'static [AtomicU32; 16] {
    let m = sys!(SYS_mmap, 0, 4096, 3, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    // SAFETY: a page of zeroes for this process and its children.
    unsafe { &*(m as *const [AtomicU32; 16]) }
}
fn futex(word: &AtomicU32, op: i32, value: u32, timeout: usize) -> i64 {
    sys!(SYS_futex, word.as_ptr(), op, value, timeout, 0, 0)
}

/// Gives a process this real-time priority.
fn fifo(pid: i32, priority: i32) -> i64 {
    sys!(SYS_sched_setscheduler, pid, SCHED_FIFO, &raw const priority)
}

cases! { "futexes";
    "woken-by-priority" => |o| { let words = shared(); let mut pids = Vec::new(); for (n, priority) in [0, 10, 30, 20, 30].into_iter().enumerate() { pids.push(spawn(|| { if priority > 0 { fifo(0, priority); } words[1].fetch_add(1, SeqCst); sys!(SYS_futex, words.as_ptr(), FUTEX_WAIT, 0, 0); let place = words[2].fetch_add(1, SeqCst) as usize; words[3 + place].store(n as u32, SeqCst); 0 })); eventually(|| words[1].load(SeqCst) == n as u32 + 1); std::thread::sleep(std::time::Duration::from_millis(100)); } for n in 1..=5u32 { sys!(SYS_futex, words.as_ptr(), FUTEX_WAKE, 1); eventually(|| words[2].load(SeqCst) == n); } o.s(words[3..8].iter().map(|word| word.load(SeqCst).to_string()).collect::<String>()); for pid in pids { reap(pid); } }
    "raised-above-who-raises-it" => |o| { let words = shared(); let one = 1u64; sys!(SYS_sched_setaffinity, 0, 8, &raw const one); let p = pipe(0); let pid = spawn(|| { close(p[1]); read(p[0]); words[0].store(1, SeqCst); 0 }); std::thread::sleep(std::time::Duration::from_millis(200)); o.v(fifo(0, 10)); o.v(fifo(pid, 5)); close(p[1]); o.s(words[0].load(SeqCst)); let raised = 20i32; o.v(sys!(SYS_sched_setparam, pid, &raw const raised)); o.s(words[0].load(SeqCst)); reap(pid); }
    "wait-errors" => |o| { let w = shared(); o.v(futex(&w[0], FUTEX_WAIT, 1, 0)); let t = ms(5); o.v(futex(&w[0], FUTEX_WAIT, 0, &raw const t as usize)); let t = timespec { tv_sec: 0, tv_nsec: -1 }; o.v(futex(&w[0], FUTEX_WAIT, 0, &raw const t as usize)); o.v(sys!(SYS_futex, w[0].as_ptr() as usize + 1, FUTEX_WAIT, 0, 0)); o.v(sys!(SYS_futex, BAD, FUTEX_WAIT, 0, 0)); o.v(sys!(SYS_futex, w[0].as_ptr(), 77, 0, 0)); o.v(sys!(SYS_futex, w[0].as_ptr(), FUTEX_WAIT_BITSET, 0, 0, 0, 0)); o.v(sys!(SYS_futex, w[0].as_ptr(), FUTEX_FD, 0, 0)); }
    "wake" => |o| { let w = shared(); o.v(futex(&w[0], FUTEX_WAKE, 1, 0)); let pid = spawn(|| code(futex(&w[0], FUTEX_WAIT, 0, 0))); o.s(eventually(|| futex(&w[0], FUTEX_WAKE, 1, 0) == 1)); o.s(reap(pid)); }
    "bitset" => |o| { let w = shared(); let pid = spawn(|| code(sys!(SYS_futex, w[0].as_ptr(), FUTEX_WAIT_BITSET, 0, 0, 0, 2))); std::thread::sleep(std::time::Duration::from_millis(100)); o.v(sys!(SYS_futex, w[0].as_ptr(), FUTEX_WAKE_BITSET, 1, 0, 0, 4)); o.s(eventually(|| sys!(SYS_futex, w[0].as_ptr(), FUTEX_WAKE_BITSET, 1, 0, 0, 2) == 1)); o.s(reap(pid)); }
    "requeue" => |o| { let w = shared(); let a = spawn(|| code(futex(&w[0], FUTEX_WAIT, 0, 0))); o.s(eventually(|| sys!(SYS_futex, w[0].as_ptr(), FUTEX_CMP_REQUEUE, 0, 1, w[1].as_ptr(), 0) == 1)); o.v(futex(&w[0], FUTEX_WAKE, 1, 0)); o.v(futex(&w[1], FUTEX_WAKE, 1, 0)); o.s(reap(a)); o.v(sys!(SYS_futex, w[0].as_ptr(), FUTEX_CMP_REQUEUE, 0, 1, w[1].as_ptr(), 9)); }
    "wake-op" => |o| { let w = shared(); w[1].store(5, SeqCst); o.v(sys!(SYS_futex, w[0].as_ptr(), FUTEX_WAKE_OP, 1, 1, w[1].as_ptr(), 1 << 28 | 3 << 12)); o.s(w[1].load(SeqCst)); o.v(sys!(SYS_futex, w[0].as_ptr(), FUTEX_WAKE_OP, 1, 1, w[1].as_ptr(), 7 << 28)); }
    "pi-uncontended" => |o| { let w = shared(); o.v(futex(&w[0], FUTEX_LOCK_PI, 0, 0)); o.s(i64::from(w[0].load(SeqCst)) == sys!(SYS_gettid)); o.v(futex(&w[0], FUTEX_LOCK_PI, 0, 0)); o.v(futex(&w[0], FUTEX_TRYLOCK_PI, 0, 0)); o.v(futex(&w[0], FUTEX_UNLOCK_PI, 0, 0)); o.s(w[0].load(SeqCst)); o.v(futex(&w[0], FUTEX_UNLOCK_PI, 0, 0)); o.v(futex(&w[0], FUTEX_TRYLOCK_PI, 0, 0)); }
    "pi-contended" => |o| { let w = shared(); futex(&w[0], FUTEX_LOCK_PI, 0, 0); let pid = spawn(|| { let r = code(futex(&w[0], FUTEX_LOCK_PI, 0, 0)); let held = i64::from(w[0].load(SeqCst) & 0x3fff_ffff) == sys!(SYS_gettid); futex(&w[0], FUTEX_UNLOCK_PI, 0, 0); r + i32::from(!held) }); o.s(eventually(|| w[0].load(SeqCst) >> 31 == 1)); o.v(futex(&w[0], FUTEX_UNLOCK_PI, 0, 0)); o.s(reap(pid)); o.s(w[0].load(SeqCst)); }
    "pi-timeout" => |o| { let w = shared(); futex(&w[0], FUTEX_LOCK_PI, 0, 0); let t = timespec { tv_sec: 1, tv_nsec: 0 }; o.s(child(|| code(futex(&w[0], FUTEX_LOCK_PI, 0, &raw const t as usize))) == ETIMEDOUT); w[1].store(3_999_999, SeqCst); o.v(futex(&w[1], FUTEX_LOCK_PI, 0, 0)); o.s(child(|| code(futex(&w[0], FUTEX_UNLOCK_PI, 0, 0)))); }
    "waitv" => |o| { let w = shared(); let v = |value: u64, flags: u64| [value, w[0].as_ptr() as u64, flags]; let one = v(1, 2); o.v(sys!(SYS_futex_waitv, one.as_ptr(), 1, 0, 0, 0)); let one = v(0, 2); o.v(sys!(SYS_futex_waitv, one.as_ptr(), 0, 0, 0, 0)); o.v(sys!(SYS_futex_waitv, one.as_ptr(), 129, 0, 0, 0)); o.v(sys!(SYS_futex_waitv, one.as_ptr(), 1, 1, 0, 0)); let t = ms(1); o.v(sys!(SYS_futex_waitv, one.as_ptr(), 1, 0, &raw const t, CLOCK_MONOTONIC)); o.v(sys!(SYS_futex_waitv, one.as_ptr(), 1, 0, &raw const t, 99)); let bad = v(0, 0); o.v(sys!(SYS_futex_waitv, bad.as_ptr(), 1, 0, 0, 0)); let pid = spawn(|| { let two = [0, w[0].as_ptr() as u64, 2, 0, w[1].as_ptr() as u64, 2]; sys!(SYS_futex_waitv, two.as_ptr(), 2, 0, 0, 0) as i32 }); o.s(eventually(|| futex(&w[1], FUTEX_WAKE, 1, 0) == 1)); o.s(reap(pid)); }
    "robust-death" => |o| { let w = shared(); o.s(child(|| { let me = sys!(SYS_gettid) as u32; w[4].store(me, SeqCst); let head = w.as_ptr() as usize + 32; let entry = w.as_ptr() as usize + 24; unsafe { (entry as *mut u64).write(head as u64); (head as *mut [u64; 3]).write([entry as u64, (16i64 - 24) as u64, 0]) }; code(sys!(SYS_set_robust_list, head, 24)) })); o.s(format_args!("{:x}", w[4].load(SeqCst))); }
}
