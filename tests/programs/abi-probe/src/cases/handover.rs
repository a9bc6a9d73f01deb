//! Locks that are handed over, memory that is left behind, programs that are written to: newer neighbours of older calls.

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use super::util::*;
use crate::{cases, sys};

const WAIT_REQUEUE_PI: i32 = 11;
const CMP_REQUEUE_PI: i32 = 12;
const DONTUNMAP: i32 = MREMAP_MAYMOVE | 4;
const DONTNEED_LOCKED: i32 = 24;
const EPOLL_TFD: i32 = 7;
const RW: i32 = PROT_READ | PROT_WRITE;

fn shared() -> &'static [AtomicU32; 16] {
    let m = sys!(SYS_mmap, 0, 4096, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    // SAFETY: a page of zeroes for this process and its children.
    unsafe { &*(m as *const [AtomicU32; 16]) }
}
fn futex(word: &AtomicU32, op: i32, value: u32, timeout: usize) -> i64 {
    sys!(SYS_futex, word.as_ptr(), op, value, timeout, 0, 0)
}
/// Moves waiters of the first word to the lock in the second.
fn move_waiters(w: &[AtomicU32; 16], count: i32, expected: u32) -> i64 {
    sys!(SYS_futex, w[0].as_ptr(), CMP_REQUEUE_PI, 1, count, w[1].as_ptr(), expected)
}
/// Waits at the first word for the lock in the second; gives 100 where the lock is held at the end, else the error.
fn wait_for_move(w: &[AtomicU32; 16], timeout: usize) -> i32 {
    let r = code(sys!(SYS_futex, w[0].as_ptr(), WAIT_REQUEUE_PI, 0, timeout, w[1].as_ptr(), 0));
    let held = i64::from(w[1].load(SeqCst) & 0x3fff_ffff) == sys!(SYS_gettid);
    if held {
        futex(&w[1], FUTEX_UNLOCK_PI, 0, 0);
    }
    r + if held { 100 } else { 0 }
}
fn map(len: i64) -> i64 {
    sys!(SYS_mmap, 0, len, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
}
fn poke(at: i64) {
    // SAFETY: mapped by the case.
    unsafe { (at as *mut u8).write_volatile(5) }
}
fn peek(at: i64) -> u8 {
    // SAFETY: as `poke`.
    unsafe { (at as *const u8).read_volatile() }
}
fn watch(epoll: i64, fd: i64) {
    let mut event = epoll_event { events: EPOLLIN as u32, u64: 0 };
    sys!(SYS_epoll_ctl, epoll, EPOLL_CTL_ADD, fd, &raw mut event);
}

cases! { "handover";
    "requeue-pi-free" => |o| { let w = shared(); let pid = spawn(|| wait_for_move(w, 0)); o.s(eventually(|| move_waiters(w, 0, 0) == 1)); o.s(reap(pid)); o.s(w[1].load(SeqCst)); }
    "requeue-pi-held" => |o| { let w = shared(); futex(&w[1], FUTEX_LOCK_PI, 0, 0); let a = spawn(|| wait_for_move(w, 0)); let b = spawn(|| wait_for_move(w, 0)); let mut moved = 0; o.s(eventually(|| { moved += move_waiters(w, 1, 0).max(0); moved == 2 })); o.s(w[1].load(SeqCst) >> 31); o.v(futex(&w[1], FUTEX_UNLOCK_PI, 0, 0)); o.s(reap(a)); o.s(reap(b)); o.s(w[1].load(SeqCst)); }
    "requeue-pi-errors" => |o| { let w = shared(); o.v(move_waiters(w, 0, 7)); o.v(move_waiters(w, 0, 0)); o.v(sys!(SYS_futex, w[0].as_ptr(), CMP_REQUEUE_PI, 2, 0, w[1].as_ptr(), 0)); o.v(sys!(SYS_futex, w[0].as_ptr(), CMP_REQUEUE_PI, 1, 0, w[0].as_ptr(), 0)); o.v(sys!(SYS_futex, w[0].as_ptr(), CMP_REQUEUE_PI, 1, -1, w[1].as_ptr(), 0)); o.v(sys!(SYS_futex, w[0].as_ptr(), WAIT_REQUEUE_PI, 7, 0, w[1].as_ptr(), 0)); o.v(sys!(SYS_futex, w[0].as_ptr(), WAIT_REQUEUE_PI, 0, 0, w[0].as_ptr(), 0)); let past = timespec { tv_sec: 0, tv_nsec: 1 }; o.v(sys!(SYS_futex, w[0].as_ptr(), WAIT_REQUEUE_PI, 0, &raw const past, w[1].as_ptr(), 0)); o.v(sys!(SYS_futex, w[0].as_ptr(), WAIT_REQUEUE_PI | FUTEX_CLOCK_REALTIME, 0, &raw const past, w[1].as_ptr(), 0)); o.v(sys!(SYS_futex, w[0].as_ptr(), CMP_REQUEUE_PI | FUTEX_CLOCK_REALTIME, 1, 0, w[1].as_ptr(), 0)); }
    "requeue-pi-not-woken" => |o| { let w = shared(); let pid = spawn(|| wait_for_move(w, 0)); o.s(eventually(|| futex(&w[0], FUTEX_WAKE, 1, 0) == -1)); o.v(futex(&w[0], FUTEX_WAKE, 1, 0)); o.v(sys!(SYS_futex, w[0].as_ptr(), FUTEX_CMP_REQUEUE, 0, 1, w[2].as_ptr(), 0)); o.v(sys!(SYS_futex, w[0].as_ptr(), CMP_REQUEUE_PI, 1, 0, w[2].as_ptr(), 0)); o.v(move_waiters(w, 0, 0)); o.s(reap(pid)); }
    "requeue-pi-other-kind" => |o| { let w = shared(); let pid = spawn(|| code(futex(&w[0], FUTEX_WAIT, 0, 0))); o.s(eventually(|| move_waiters(w, 0, 0) == -1)); o.v(move_waiters(w, 0, 0)); futex(&w[0], FUTEX_WAKE, 1, 0); o.s(reap(pid)); }
    "requeue-pi-timeout-on-lock" => |o| { let w = shared(); futex(&w[1], FUTEX_LOCK_PI, 0, 0); let pid = spawn(|| { let mut t = ms(0); sys!(SYS_clock_gettime, CLOCK_MONOTONIC, &raw mut t); t.tv_sec += 1; wait_for_move(w, &raw const t as usize) }); o.s(eventually(|| move_waiters(w, 0, 0) == 1)); o.s(reap(pid) == ETIMEDOUT); o.v(futex(&w[1], FUTEX_UNLOCK_PI, 0, 0)); }
    "requeue-pi-dead-owner" => |o| { let w = shared(); let p = pipe(0); let owner = spawn(|| { futex(&w[1], FUTEX_LOCK_PI, 0, 0); write(p[1], b"r"); sys!(SYS_pause); 0 }); read(p[0]); let pid = spawn(|| { let r = code(sys!(SYS_futex, w[0].as_ptr(), WAIT_REQUEUE_PI, 0, 0, w[1].as_ptr(), 0)); r + i32::from(w[1].load(SeqCst) & 0x4000_0000 != 0) * 100 }); o.s(eventually(|| move_waiters(w, 0, 0) == 1)); sys!(SYS_kill, owner, SIGKILL); reap(owner); o.s(reap(pid)); }
    "dontunmap" => |o| { let m = map(8192); poke(m); poke(m + 4096); let n = sys!(SYS_mremap, m, 4096, 4096, DONTUNMAP, 0); o.ok(n); o.s(peek(n)); o.s(peek(m)); o.s(peek(m + 4096)); poke(m); o.s(peek(n)); o.v(sys!(SYS_munmap, n, 4096)); }
    "dontunmap-fixed" => |o| { let m = map(4096); let to = map(4096); poke(m); o.s(sys!(SYS_mremap, m, 4096, 4096, DONTUNMAP | MREMAP_FIXED, to) == to); o.s(peek(to)); o.s(peek(m)); }
    "dontunmap-errors" => |o| { let m = map(8192); o.v(sys!(SYS_mremap, m, 4096, 4096, 4, 0)); o.v(sys!(SYS_mremap, m, 4096, 8192, DONTUNMAP, 0)); o.v(sys!(SYS_mremap, m, 0, 0, DONTUNMAP, 0)); o.v(sys!(SYS_mremap, m, 4096, 4096, DONTUNMAP, 1)); o.v(sys!(SYS_mremap, m, 8192, 8192, DONTUNMAP | MREMAP_FIXED, m + 4096)); o.v(sys!(SYS_mremap, m + 1, 4096, 4096, DONTUNMAP, 0)); sys!(SYS_munmap, m, 8192); o.v(sys!(SYS_mremap, m, 4096, 4096, DONTUNMAP, 0)); }
    "dontunmap-file" => |o| { let f = file(c"f", b"abcd"); let m = sys!(SYS_mmap, 0, 4096, RW, MAP_SHARED, f, 0); let n = sys!(SYS_mremap, m, 4096, 4096, DONTUNMAP, 0); o.ok(n); o.s(peek(n)); o.s(peek(m)); poke(m); o.s(peek(n)); let q = sys!(SYS_mmap, 0, 4096, RW, MAP_PRIVATE, f, 0); poke(q + 1); let r = sys!(SYS_mremap, q, 4096, 4096, DONTUNMAP, 0); o.s(peek(r + 1)); o.s(peek(q + 1)); }
    "dontneed-locked" => |o| { let m = map(4096); poke(m); sys!(SYS_mlock, m, 4096); o.v(sys!(SYS_madvise, m, 4096, MADV_DONTNEED)); o.s(peek(m)); o.v(sys!(SYS_madvise, m, 4096, DONTNEED_LOCKED)); o.s(peek(m)); poke(m); sys!(SYS_munlock, m, 4096); o.v(sys!(SYS_madvise, m, 4096, DONTNEED_LOCKED)); o.s(peek(m)); sys!(SYS_munmap, m, 4096); o.v(sys!(SYS_madvise, m, 4096, DONTNEED_LOCKED)); }
    "kcmp-epoll" => |o| { let me = sys!(SYS_getpid); let p = pipe(0); let e = sys!(SYS_epoll_create1, 0); watch(e, p[0].into()); let kcmp = |fd: i32, slot: [u32; 3]| sys!(SYS_kcmp, me, me, EPOLL_TFD, fd, slot.as_ptr()); o.v(kcmp(p[0], [e as u32, p[0] as u32, 0])); o.s(kcmp(p[1], [e as u32, p[0] as u32, 0]) > 0); o.v(kcmp(p[0], [e as u32, p[0] as u32, 1])); o.v(kcmp(p[0], [e as u32, p[1] as u32, 0])); o.v(kcmp(999, [e as u32, p[0] as u32, 0])); o.v(kcmp(p[0], [999, p[0] as u32, 0])); o.v(kcmp(p[0], [p[1] as u32, p[0] as u32, 0])); o.v(sys!(SYS_kcmp, me, me, EPOLL_TFD, p[0], BAD)); }
    "mrelease" => |o| { let pid = spawn(|| { sys!(SYS_pause); 0 }); let fd = sys!(SYS_pidfd_open, pid, 0); o.v(sys!(SYS_process_mrelease, fd, 1)); o.v(sys!(SYS_process_mrelease, fd, 0)); o.v(sys!(SYS_process_mrelease, 999, 0)); o.v(sys!(SYS_process_mrelease, 0, 0)); sys!(SYS_kill, pid, SIGKILL); let r = sys!(SYS_process_mrelease, fd, 0); o.s(r == 0 || error() == "ESRCH"); o.s(reap(pid)); o.v(sys!(SYS_process_mrelease, fd, 0)); }
    "etxtbsy-tmpfile" => |o| { std::fs::copy("/bin/true", "t").unwrap(); sys!(SYS_chmod, c"t", 0o755); let run = || child(|| { let argv = [c"t".as_ptr(), std::ptr::null()]; code(sys!(SYS_execve, c"t", argv.as_ptr(), 0)) }); o.s(run()); let w = open(c"t", O_RDWR); o.s(run()); let d = sys!(SYS_dup, w) as i32; close(w); o.s(run()); close(d); o.s(run()); o.s(child(|| { let m = open(c"t", O_RDWR); sys!(SYS_mmap, 0, 4096, RW, MAP_SHARED, m, 0); close(m); code(sys!(SYS_execve, c"t", 0, 0)) })); }
    "etxtbsy-script" => |o| { file(c"s", b"#!/bin/true\n"); sys!(SYS_chmod, c"s", 0o755); let run = || child(|| { let argv = [c"s".as_ptr(), std::ptr::null()]; code(sys!(SYS_execve, c"s", argv.as_ptr(), 0)) }); let w = open(c"s", O_WRONLY); o.s(run()); close(w); o.s(run()); }
}
