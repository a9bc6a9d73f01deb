//! Signals.

use std::sync::atomic::{AtomicI32, Ordering::SeqCst};

use super::util::*;
use crate::{cases, sys};

static COUNT: AtomicI32 = AtomicI32::new(0);
extern "C" fn count(_: i32) {
    COUNT.fetch_add(1, SeqCst);
}
fn handle(signal: i32, flags: i32) {
    // SAFETY: the handler only counts.
    unsafe {
        let mut a: sigaction = std::mem::zeroed();
        a.sa_sigaction = count as *const () as usize;
        a.sa_flags = flags;
        sigaction(signal, &raw const a, std::ptr::null_mut());
    }
}
fn me() -> i64 {
    sys!(SYS_getpid)
}
fn unblock() {
    let set = u64::MAX;
    sys!(SYS_rt_sigprocmask, SIG_UNBLOCK, &raw const set, 0, 8);
}

cases! { "signals";
    "kill-errors" => |o| { o.v(sys!(SYS_kill, me(), 0)); o.v(sys!(SYS_kill, me(), 65)); o.v(sys!(SYS_kill, me(), -1)); o.v(sys!(SYS_kill, 3_999_999, 0)); o.v(sys!(SYS_kill, -3_999_999, 0)); o.s(as_user(|| sys!(SYS_kill, 1, 0))); o.v(sys!(SYS_tgkill, me(), me(), 0)); o.v(sys!(SYS_tgkill, 0, me(), 0)); o.v(sys!(SYS_tgkill, me(), 1, 0)); o.v(sys!(SYS_tkill, 0, 0)); o.v(sys!(SYS_tkill, 3_999_999, 0)); }
    "sigaction-errors" => |o| { let a = [0u64; 4]; o.v(sys!(SYS_rt_sigaction, SIGKILL, a.as_ptr(), 0, 8)); o.v(sys!(SYS_rt_sigaction, SIGSTOP, a.as_ptr(), 0, 8)); o.v(sys!(SYS_rt_sigaction, 0, 0, 0, 8)); o.v(sys!(SYS_rt_sigaction, 65, 0, 0, 8)); o.v(sys!(SYS_rt_sigaction, SIGUSR1, 0, 0, 4)); o.v(sys!(SYS_rt_sigaction, SIGUSR1, BAD, 0, 8)); o.v(sys!(SYS_rt_sigaction, SIGKILL, 0, 0, 8)); }
    "sigprocmask-errors" => |o| { let s = 1u64; o.v(sys!(SYS_rt_sigprocmask, 9, &raw const s, 0, 8)); o.v(sys!(SYS_rt_sigprocmask, 0, &raw const s, 0, 4)); o.v(sys!(SYS_rt_sigprocmask, 9, 0, 0, 8)); o.v(sys!(SYS_rt_sigprocmask, 0, BAD, 0, 8)); let all = u64::MAX; let mut got = 0u64; sys!(SYS_rt_sigprocmask, 2, &raw const all, 0, 8); sys!(SYS_rt_sigprocmask, 0, 0, &raw mut got, 8); o.s(format_args!("{got:x}")); }
    "defaults" => |o| { for s in [SIGTERM, SIGUSR1, SIGCHLD, SIGWINCH, SIGURG, SIGSEGV, SIGQUIT, SIGPIPE, 34, 64, SIGIO, SIGPWR, SIGSTKFLT, SIGCONT] { let r = child(|| { let l = [0u64; 2]; sys!(SYS_setrlimit, RLIMIT_CORE, l.as_ptr()); sys!(SYS_kill, me(), s); 3 }); o.s(r); } }
    "pending" => |o| { block(&[SIGUSR1, SIGUSR2]); sys!(SYS_kill, me(), SIGUSR1); sys!(SYS_kill, me(), SIGUSR1); let mut p = 0u64; o.v(sys!(SYS_rt_sigpending, &raw mut p, 8)); o.s(format_args!("{p:x}")); handle(SIGUSR1, 0); unblock(); o.s(COUNT.load(SeqCst)); o.v(sys!(SYS_rt_sigpending, &raw mut p, 9)); }
    "realtime-queue" => |o| { block(&[40]); for i in 1..4 { let info = [40i32, 0, SI_QUEUE, 0, me() as i32, 0, i, 0]; let mut full = [0i32; 32]; full[..8].copy_from_slice(&info); o.v(sys!(SYS_rt_sigqueueinfo, me(), 40, full.as_ptr())); } let set = 1u64 << 39; for _ in 0..4 { let mut i = [0i32; 32]; let t = ms(0); o.v(sys!(SYS_rt_sigtimedwait, &raw const set, i.as_mut_ptr(), &raw const t, 8)); o.s(i[6]); } }
    "sigqueue-forge" => |o| { let mut i = [0i32; 32]; i[2] = SI_USER; let parent = sys!(SYS_getppid); o.v(sys!(SYS_rt_sigqueueinfo, parent, 0, i.as_ptr())); i[2] = 5; o.v(sys!(SYS_rt_sigqueueinfo, parent, 0, i.as_ptr())); }
    "restart-read" => |o| { let p = pipe(0); handle(SIGUSR1, SA_RESTART); let parent = me(); let pid = spawn(|| { std::thread::sleep(std::time::Duration::from_millis(100)); sys!(SYS_kill, parent, SIGUSR1); std::thread::sleep(std::time::Duration::from_millis(100)); write(p[1], b"x"); 0 }); o.s(read(p[0])); reap(pid); o.s(COUNT.load(SeqCst)); }
    "interrupted-read" => |o| { let p = pipe(0); handle(SIGUSR1, 0); let parent = me(); let pid = spawn(|| { for _ in 0..50 { std::thread::sleep(std::time::Duration::from_millis(50)); if sys!(SYS_kill, parent, SIGUSR1) < 0 { break; } } 0 }); o.s(read(p[0])); sys!(SYS_kill, pid, SIGKILL); reap(pid); }
    "pause-suspend" => |o| { handle(SIGALRM, 0); unsafe { alarm(1) }; o.v(sys!(SYS_pause)); block(&[SIGUSR1]); handle(SIGUSR1, 0); sys!(SYS_kill, me(), SIGUSR1); let none = 0u64; o.v(sys!(SYS_rt_sigsuspend, &raw const none, 8)); o.v(sys!(SYS_rt_sigsuspend, &raw const none, 4)); o.s(COUNT.load(SeqCst)); }
    "nodefer-resethand" => |o| { handle(SIGUSR1, SA_RESETHAND); sys!(SYS_kill, me(), SIGUSR1); let mut a = [1u64; 4]; sys!(SYS_rt_sigaction, SIGUSR1, 0, a.as_mut_ptr(), 8); o.s(a[0]); o.s(COUNT.load(SeqCst)); }
    "sigaltstack" => |o| { let mut s = [0u64; 3]; o.v(sys!(SYS_sigaltstack, 0, s.as_mut_ptr())); let small = [0x1000u64, 0, 100]; o.v(sys!(SYS_sigaltstack, small.as_ptr(), 0)); let bad = [0x1000u64, 99, 65536]; o.v(sys!(SYS_sigaltstack, bad.as_ptr(), 0)); o.v(sys!(SYS_sigaltstack, BAD, 0)); }
    "timedwait" => |o| { let s = block(&[SIGUSR1]); let t = ms(10); o.v(sys!(SYS_rt_sigtimedwait, &raw const s, 0, &raw const t, 8)); let t = timespec { tv_sec: 0, tv_nsec: -1 }; o.v(sys!(SYS_rt_sigtimedwait, &raw const s, 0, &raw const t, 8)); o.v(sys!(SYS_rt_sigtimedwait, &raw const s, 0, 0, 4)); }
    "stop-continue" => |o| { let pid = spawn(|| { loop { std::thread::sleep(std::time::Duration::from_millis(10)); } }); let mut st = 0; sys!(SYS_kill, pid, SIGSTOP); o.s(unsafe { waitpid(pid, &raw mut st, WUNTRACED) } == pid); o.s(format_args!("{st:x}")); sys!(SYS_kill, pid, SIGCONT); o.s(unsafe { waitpid(pid, &raw mut st, WCONTINUED) } == pid); o.s(format_args!("{st:x}")); sys!(SYS_kill, pid, SIGKILL); o.s(reap(pid)); }
    "exec-resets" => |o| { handle(SIGUSR1, 0); block(&[SIGUSR2]); unsafe { signal(SIGHUP, SIG_IGN) }; let out = std::process::Command::new("/bin/sh").args(["-c", "grep -E 'Sig(Blk|Ign|Cgt)' /proc/self/status | head -c 200"]).output(); o.s(out.map(|x| String::from_utf8_lossy(&x.stdout).split_whitespace().collect::<Vec<_>>().join(" ")).unwrap_or_default()); }
    "fault-info" => |o| { o.s(child(|| { unsafe { std::ptr::null_mut::<u8>().wrapping_add(8).write_volatile(1) }; 0 })); }
    "pidfd-send" => |o| { let pid = spawn(|| { std::thread::sleep(std::time::Duration::from_secs(20)); 0 }); let f = sys!(SYS_pidfd_open, pid, 0); o.v(sys!(SYS_pidfd_send_signal, f, 0, 0, 0)); o.v(sys!(SYS_pidfd_send_signal, f, 0, 0, 1)); o.v(sys!(SYS_pidfd_send_signal, 0, 0, 0, 0)); o.v(sys!(SYS_pidfd_send_signal, f, SIGTERM, 0, 0)); o.s(reap(pid)); o.v(sys!(SYS_pidfd_send_signal, f, 0, 0, 0)); }
}
