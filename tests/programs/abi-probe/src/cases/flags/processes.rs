//! Flags of calls on processes, signals, scheduling and the system.

use super::super::util::*;
use super::{bits, fail, made, values};
use crate::{cases, sys};

/// The namespaces, which are missing.
const NAMESPACES: u32 = 0x80 | 0x2_0000 | 0x7e00_0000;
const RESET_ON_FORK: i32 = 0x4000_0000;

fn self_pid() -> i64 {
    sys!(SYS_getpid)
}

/// A call made in a child, so that its effect is not seen by others.
fn apart(call: impl FnOnce() -> i64) -> i64 {
    fail(child(|| code(call())), 0)
}

cases! { "flags-processes";
    "wait4" => |o| { bits(o, 0, |f| sys!(SYS_wait4, -1, 0, f | WNOHANG as u32, 0)); }
    "waitid" => |o| { bits(o, 0, |f| sys!(SYS_waitid, 0, 0, 0, f | (WNOHANG | WEXITED) as u32, 0)); bits(o, 0, |f| sys!(SYS_waitid, 0, 0, 0, f, 0)); values(o, &[], |kind| sys!(SYS_waitid, kind, 0, 0, WNOHANG | WEXITED, 0)); }
    "wait-own-children" => |o| { let pid = spawn(|| { sys!(SYS_pause); 0 }); o.v(sys!(SYS_wait4, -1, 0, WNOHANG | __WNOTHREAD, 0)); let other = std::thread::spawn(|| { let r = sys!(SYS_wait4, -1, 0, WNOHANG | __WNOTHREAD, 0); if r < 0 { error() } else { r.to_string() } }); o.s(other.join().unwrap()); sys!(SYS_kill, pid, SIGKILL); o.s(reap(pid)); }
    "unshare" => |o| { bits(o, NAMESPACES, |f| apart(|| sys!(SYS_unshare, f))); }
    "pidfd-open" => |o| { bits(o, 0, |f| made(sys!(SYS_pidfd_open, self_pid(), f))); }
    "pidfd-getfd" => |o| { let p = sys!(SYS_pidfd_open, self_pid(), 0) as i32; bits(o, 0, |f| made(sys!(SYS_pidfd_getfd, p, 0, f))); }
    "pidfd-send-signal" => |o| { let p = sys!(SYS_pidfd_open, self_pid(), 0) as i32; bits(o, 0, |f| sys!(SYS_pidfd_send_signal, p, 0, 0, f)); }
    "timer-slack" => |o| { o.v(sys!(SYS_prctl, PR_GET_TIMERSLACK)); o.v(sys!(SYS_prctl, PR_SET_TIMERSLACK, 7)); o.v(sys!(SYS_prctl, PR_GET_TIMERSLACK)); o.s(child(|| sys!(SYS_prctl, PR_GET_TIMERSLACK) as i32)); o.v(sys!(SYS_prctl, PR_SET_TIMERSLACK, 0)); o.v(sys!(SYS_prctl, PR_GET_TIMERSLACK)); }
    "huge-pages" => |o| { o.v(sys!(SYS_prctl, PR_GET_THP_DISABLE, 0, 0, 0, 0)); o.v(sys!(SYS_prctl, PR_GET_THP_DISABLE, 1, 0, 0, 0)); o.v(sys!(SYS_prctl, PR_SET_THP_DISABLE, 1, 1, 0, 0)); o.v(sys!(SYS_prctl, PR_SET_THP_DISABLE, 1, 0, 0, 0)); o.v(sys!(SYS_prctl, PR_GET_THP_DISABLE, 0, 0, 0, 0)); o.s(child(|| sys!(SYS_prctl, PR_GET_THP_DISABLE, 0, 0, 0, 0) as i32)); }
    "arch-prctl" => |o| { bits(o, 0, |operation| sys!(SYS_arch_prctl, operation, 0)); }
    "seccomp" => |o| { values(o, &[0, 1, 2, 3], |operation| sys!(SYS_seccomp, operation, 0, 0)); bits(o, 8, |f| sys!(SYS_seccomp, 1, f, 0)); bits(o, 0, |f| sys!(SYS_seccomp, 2, f, 0)); bits(o, 0, |f| sys!(SYS_seccomp, 0, f, 0)); }
    "kcmp" => |o| { values(o, &[], |kind| sys!(SYS_kcmp, self_pid(), self_pid(), kind, 0, 0)); }
    "sigaction" => |o| { let action = [1u64, u64::MAX, 0, 0]; let mut old = [0u64; 4]; o.v(sys!(SYS_rt_sigaction, SIGUSR1, action.as_ptr(), 0, 8)); o.v(sys!(SYS_rt_sigaction, SIGUSR1, 0, old.as_mut_ptr(), 8)); o.s(format_args!("{:x}", old[1])); }
    "sigprocmask" => |o| { let set = 0u64; values(o, &[], |how| sys!(SYS_rt_sigprocmask, how, &raw const set, 0, 8)); }
    "sigaltstack" => |o| { let area = [0u64; 4096]; bits(o, 0, |f| { let stack = [area.as_ptr() as u64, f.into(), 32768]; sys!(SYS_sigaltstack, stack.as_ptr(), 0) }); let off = [0u64, 2, 0]; sys!(SYS_sigaltstack, off.as_ptr(), 0); o.v({ let stack = [area.as_ptr() as u64, 3, 32768]; sys!(SYS_sigaltstack, stack.as_ptr(), 0) }); }
    "futex" => |o| { let mut words = [0u32; 2]; let second = &raw mut words[1]; bits(o, 0, |operation| sys!(SYS_futex, words.as_mut_ptr(), operation, 7, 0, second, 7)); }
    "futex-waitv" => |o| { let word = 1u32; let waits = [0u64, &raw const word as u64, 2]; bits(o, 0, |f| sys!(SYS_futex_waitv, waits.as_ptr(), 1, f, 0, 0)); bits(o, 0, |f| { let waits = [0u64, &raw const word as u64, u64::from(f | 2)]; sys!(SYS_futex_waitv, waits.as_ptr(), 1, 0, 0, 0) }); }
    "sched-policies" => |o| { let zero = 0i32; values(o, &[7], |policy| sys!(SYS_sched_setscheduler, 0, policy, &raw const zero)); values(o, &[7], |policy| sys!(SYS_sched_get_priority_max, policy)); values(o, &[7], |policy| sys!(SYS_sched_get_priority_min, policy)); }
    "sched-reset-on-fork" => |o| {
        let zero = 0i32; o.v(sys!(SYS_sched_setscheduler, 0, SCHED_BATCH | RESET_ON_FORK, &raw const zero)); o.v(sys!(SYS_sched_getscheduler, 0)); o.v(sys!(SYS_sched_setparam, 0, &raw const zero)); o.v(sys!(SYS_sched_getscheduler, 0));
        o.s(child(|| sys!(SYS_sched_getscheduler, 0) as i32)); o.s(as_user(|| { sys!(SYS_sched_setscheduler, 0, RESET_ON_FORK, &raw const zero); sys!(SYS_sched_setscheduler, 0, 0, &raw const zero) })); o.v(sys!(SYS_sched_setscheduler, 0, SCHED_OTHER, &raw const zero)); o.v(sys!(SYS_sched_getscheduler, 0));
    }
    "sched-setattr" => |o| { for half in [0, 32] { bits(o, 0, |f| { let attr = [48u64, u64::from(f) << half, 0, 0, 0, 0]; sys!(SYS_sched_setattr, 0, attr.as_ptr(), 0) }); } let attr = [48u64, 0, 0, 0, 0, 0]; bits(o, 0, |f| sys!(SYS_sched_setattr, 0, attr.as_ptr(), f)); let mut attr = attr; bits(o, 0, |f| sys!(SYS_sched_getattr, 0, attr.as_mut_ptr(), 48, f)); }
    "which" => |o| { values(o, &[], |which| sys!(SYS_getpriority, which, 0)); values(o, &[], |which| sys!(SYS_ioprio_get, which, 0)); let mut usage = [0u64; 18]; values(o, &[], |who| sys!(SYS_getrusage, who, usage.as_mut_ptr())); let mut limit = [0u64; 2]; values(o, &[], |which| sys!(SYS_getrlimit, which, limit.as_mut_ptr())); }
    "getrandom" => |o| { let mut b = [0u8; 4]; bits(o, 0, |f| sys!(SYS_getrandom, b.as_mut_ptr(), 4, f)); o.v(sys!(SYS_getrandom, b.as_mut_ptr(), 4, 6)); }
    "shmget" => |o| { bits(o, 0x800, |f| { let id = sys!(SYS_shmget, IPC_PRIVATE, 4096, f); if id >= 0 { sys!(SYS_shmctl, id, IPC_RMID, 0); } id }); }
}
