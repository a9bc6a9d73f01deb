//! What public test suites found: each case was once different from Linux.

use std::time::Duration;

use super::util::*;
use crate::{cases, sys};


/// `adjtimex(2)` with these modes and words; gives the structure and the result.
fn adjust(modes: u64, words: &[(usize, i64)]) -> (i64, [i64; 26]) {
    let mut timex = [0i64; 26];
    timex[0] = modes as i64;
    for (place, value) in words {
        timex[*place] = *value;
    }
    let result = sys!(SYS_adjtimex, timex.as_mut_ptr());
    (result, timex)
}

fn sysctl(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|_| error()).trim().to_owned()
}

fn set_sysctl(path: &str, value: &str) -> bool {
    std::fs::write(path, value).is_ok()
}

fn pause(ms: u64) {
    std::thread::sleep(Duration::from_millis(ms));
}

extern "C" fn count_signal(_: i32) {
    COUNT.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
}
static COUNT: std::sync::atomic::AtomicI32 = std::sync::atomic::AtomicI32::new(0);

fn handle(signal: i32, flags: i32) {
    // SAFETY: the handler only counts.
    unsafe {
        let mut action: sigaction = std::mem::zeroed();
        action.sa_sigaction = count_signal as *const () as usize;
        action.sa_flags = flags;
        sigaction(signal, &raw const action, std::ptr::null_mut());
    }
}

/// The wait status of a child that runs `f`.
fn status_of(f: impl FnOnce() -> i32) -> i32 {
    let pid = spawn(f);
    let mut status = 0;
    // SAFETY: plain call.
    unsafe { waitpid(pid, &raw mut status, 0) };
    status
}

fn record(fd: i32, cmd: i32, kind: i32, start: i64, len: i64) -> (i64, flock) {
    // SAFETY: a plain structure.
    let mut l: flock = unsafe { std::mem::zeroed() };
    (l.l_type, l.l_start, l.l_len) = (kind as i16, start, len);
    let result = sys!(SYS_fcntl, fd, cmd, &raw mut l);
    (result, l)
}

cases! { "found";
    "timer-overruns" => |o| { block(&[SIGUSR1]); let mut event = [0u64; 8]; event[1] = SIGUSR1 as u64; let mut id = 0i32; o.v(sys!(SYS_timer_create, CLOCK_REALTIME, event.as_mut_ptr(), &raw mut id)); let mut now = ms(0); sys!(SYS_clock_gettime, CLOCK_REALTIME, &raw mut now); now.tv_sec -= 4; let spec = [timespec { tv_sec: 0, tv_nsec: 1 }, now]; o.v(sys!(SYS_timer_settime, id, 1, spec.as_ptr(), 0)); let (set, mut info) = (1u64 << (SIGUSR1 - 1), [0i32; 32]); o.v(sys!(SYS_rt_sigtimedwait, &raw const set, info.as_mut_ptr(), 0, 8)); o.v(sys!(SYS_timer_getoverrun, id)); o.s(info[5]); let off = [ms(0), ms(0)]; sys!(SYS_timer_settime, id, 0, off.as_ptr(), 0); o.v(sys!(SYS_timer_delete, id)); }
    "adjtimex" => |o| {
        let (_, before) = adjust(0, &[]);
        o.v(adjust(0x403f, &[(2, 100), (5, 0x41), (6, 3), (11, 10_000)]).0);
        let (_, t) = adjust(0, &[]);
        o.s(format_args!("{} {:#x} {} {} {} {}", t[2], t[5], t[6], t[7], t[8], t[11]));
        o.v(adjust(0x4000, &[(11, 8_000)]).0); o.v(adjust(0x4000, &[(11, 12_000)]).0); o.v(adjust(0x8000, &[]).0);
        o.v(adjust(0x8001, &[(1, 500)]).0); o.s(adjust(0xa001, &[]).1[1] > 0); adjust(0x8001, &[(1, 0)]);
        adjust(0x2000, &[]); o.s(format_args!("{:#x}", adjust(0, &[]).1[5] & 0x2000)); adjust(0x1000, &[]); o.s(format_args!("{:#x}", adjust(0, &[]).1[5] & 0x2000));
        adjust(0x80, &[(6, 37)]); o.s(adjust(0, &[]).1[20] as i32);
        let (mut utc, mut tai) = ([0i64; 2], [0i64; 2]);
        sys!(SYS_clock_gettime, CLOCK_REALTIME, utc.as_mut_ptr()); sys!(SYS_clock_gettime, CLOCK_TAI, tai.as_mut_ptr());
        o.s((36..=38).contains(&(tai[0] - utc[0]))); adjust(0x80, &[(6, 0)]);
        o.s(as_user(|| adjust(2, &[(2, 5)]).0)); o.s(as_user(|| adjust(0x8001, &[(1, 5)]).0)); o.s(as_user(|| if adjust(0, &[]).0 >= 0 { 0 } else { -1 }));
        adjust(0x403f, &[(2, before[2]), (3, before[3]), (4, before[4]), (5, before[5]), (6, 2), (11, before[11])]);
    }
    "chmod-keeps-no-foreign-group" => |o| {
        sys!(SYS_mkdir, c"d", 0o777); sys!(SYS_chown, c"d", 1000, 2000);
        o.s(as_user(|| sys!(SYS_chmod, c"d", 0o2777))); o.s(format_args!("{:o}", stat(c"d").st_mode));
        close(file(c"f", b"")); sys!(SYS_chown, c"f", 1000, 2000); o.s(as_user(|| sys!(SYS_chmod, c"f", 0o2777))); o.s(format_args!("{:o}", stat(c"f").st_mode));
    }
    "record-locks-in-order" => |o| {
        let a = file(c"f", b""); record(a, F_SETLK, F_WRLCK, 20, 5); record(a, F_SETLK, F_RDLCK, 1, 5); record(a, F_SETLK, F_WRLCK, 40, 5);
        o.s(child(|| { let l = record(a, F_GETLK, F_WRLCK, 0, 0).1; i32::from((l.l_type, l.l_start, l.l_len) == (F_RDLCK as i16, 1, 5)) }));
        o.s(child(|| { let l = record(a, F_GETLK, F_RDLCK, 0, 0).1; i32::from((l.l_type, l.l_start, l.l_len) == (F_WRLCK as i16, 20, 5)) }));
    }
    "leases" => |o| {
        close(file(c"f", b"x")); let w = open(c"f", O_RDWR);
        o.v(sys!(SYS_fcntl, w, F_SETLEASE, F_RDLCK)); o.v(sys!(SYS_fcntl, w, F_SETLEASE, F_UNLCK)); o.v(sys!(SYS_fcntl, w, F_SETLEASE, F_WRLCK)); o.v(sys!(SYS_fcntl, w, F_GETLEASE));
        handle(SIGIO, SA_RESTART); COUNT.store(0, std::sync::atomic::Ordering::SeqCst);
        o.s(child(|| code(open(c"f", O_RDONLY | O_NONBLOCK).into())) == EWOULDBLOCK);
        pause(30); o.s(COUNT.load(std::sync::atomic::Ordering::SeqCst)); o.v(sys!(SYS_fcntl, w, F_GETLEASE));
        let pid = spawn(|| code(open(c"f", O_RDWR).into())); pause(60); o.v(sys!(SYS_fcntl, w, F_SETLEASE, F_UNLCK)); o.s(reap(pid)); o.v(sys!(SYS_fcntl, w, F_GETLEASE)); close(w);
        let r = open(c"f", O_RDONLY); o.v(sys!(SYS_fcntl, r, F_SETLEASE, F_RDLCK)); o.s(child(|| code(open(c"f", O_RDONLY).into()))); o.s(child(|| code(open(c"f", O_WRONLY | O_NONBLOCK).into())) == EWOULDBLOCK);
        close(r); o.s(child(|| code(open(c"f", O_WRONLY | O_NONBLOCK).into()))); o.s(as_user(|| { let r = open(c"f", O_RDONLY); sys!(SYS_fcntl, r, F_SETLEASE, F_RDLCK) }));
        let d = open(c".", O_RDONLY); o.v(sys!(SYS_fcntl, d, F_SETLEASE, F_RDLCK));
    }
    "epoll-exclusive" => |o| {
        let p = pipe(0); let told = pipe(0);
        let waiters: Vec<i32> = (0..4).map(|_| spawn(|| {
            let e = sys!(SYS_epoll_create1, 0) as i32; let event = [(EPOLLIN | EPOLLET | EPOLLEXCLUSIVE) as u32, 0, 0];
            sys!(SYS_epoll_ctl, e, EPOLL_CTL_ADD, p[0], event.as_ptr()); let mut got = [0u32; 3];
            if sys!(SYS_epoll_wait, e, got.as_mut_ptr(), 1, 1500) == 1 { write(told[1], b"x"); }
            0
        })).collect();
        pause(300); write(p[1], b"x"); pause(300); o.s(read(told[0])); write(p[1], b"x"); pause(300); o.s(read(told[0]));
        for pid in waiters { reap(pid); }
    }
    "epoll-of-what-is-always-ready" => |o| {
        let e = sys!(SYS_epoll_create1, 0) as i32; let event = [EPOLLIN as u32, 0, 0];
        let place = open(c".", O_PATH); o.v(sys!(SYS_epoll_ctl, e, EPOLL_CTL_ADD, place, event.as_ptr()));
        for device in [c"/dev/zero", c"/dev/null", c"/dev/full"] { let fd = open(device, O_RDWR); o.v(sys!(SYS_epoll_ctl, e, EPOLL_CTL_ADD, fd, event.as_ptr())); }
        let fd = open(c"/dev/urandom", O_RDONLY); o.v(sys!(SYS_epoll_ctl, e, EPOLL_CTL_ADD, fd, event.as_ptr()));
    }
    "mounts-are-watched" => |o| {
        let fd = open(c"/proc/self/mounts", O_RDONLY); let mut p = pollfd { fd, events: POLLPRI, revents: 0 };
        o.v(sys!(SYS_poll, &raw mut p, 1, 0)); sys!(SYS_mkdir, c"d", 0o755); sys!(SYS_mount, c"x", c"d", c"tmpfs", 0, 0);
        o.v(sys!(SYS_poll, &raw mut p, 1, 0)); o.s(p.revents & POLLPRI != 0); o.v(sys!(SYS_poll, &raw mut p, 1, 0)); sys!(SYS_umount2, c"d", 0); o.v(sys!(SYS_poll, &raw mut p, 1, 0));
    }
    "mount-namespace" => |o| {
        sys!(SYS_mkdir, c"d", 0o755); let ns = open(c"/proc/self/ns/mnt", O_RDONLY); let outside = fstat(ns).st_ino;
        o.s(child(|| {
            if sys!(SYS_unshare, CLONE_NEWNS) != 0 { return 1; }
            if sys!(SYS_mount, c"none", c"/", 0, MS_PRIVATE | MS_REC, 0) != 0 { return 2; }
            let inside = fstat(open(c"/proc/self/ns/mnt", O_RDONLY)).st_ino;
            if inside == outside { return 3; }
            if sys!(SYS_mount, c"x", c"d", c"tmpfs", 0, 0) != 0 { return 4; }
            close(file(c"d/f", b"x"));
            if sys!(SYS_setns, ns, CLONE_NEWNS) != 0 { return 5; }
            if fstat(open(c"/proc/self/ns/mnt", O_RDONLY)).st_ino != outside { return 6; }
            0
        }));
        o.v(open(c"d/f", O_RDONLY).into());
        o.s(child(|| {
            sys!(SYS_unshare, CLONE_NEWNS); sys!(SYS_mount, c"none", c"/", 0, MS_PRIVATE | MS_REC, 0);
            sys!(SYS_mount, c"x", c"d", c"tmpfs", 0, 0); sys!(SYS_mkdir, c"d/old", 0o755); sys!(SYS_mkdir, c"d/here", 0o755);
            if sys!(SYS_pivot_root, c"d", c"d/old") != 0 { return code(-1); }
            sys!(SYS_chdir, c"/");
            if sys!(SYS_umount2, c"/old", MNT_DETACH) != 0 { return 100 + code(-1); }
            i32::from(std::fs::read_dir("/").map(|dir| dir.count()).unwrap_or(0) != 2)
        }));
        o.s(stat(c"/proc").st_mode & S_IFMT == S_IFDIR); o.s(as_user(|| sys!(SYS_unshare, CLONE_NEWNS))); o.v(sys!(SYS_clone, CLONE_NEWNS | CLONE_FS | SIGCHLD, 0, 0, 0, 0));
    }
    "uts-namespace" => |o| {
        let name = || sysctl("/proc/sys/kernel/hostname"); let before = name();
        o.s(child(|| { sys!(SYS_unshare, CLONE_NEWUTS); let kept = name() == before; sys!(SYS_sethostname, c"elsewhere", 9); i32::from(kept && name() == "elsewhere") })); o.s(name() == before);
        o.s(as_user(|| sys!(SYS_unshare, CLONE_NEWUTS)));
    }
    "core-dump" => |o| {
        let status = status_of(|| {
            let limits = [u64::MAX; 2]; sys!(SYS_prlimit64, 0, RLIMIT_CORE, limits.as_ptr(), 0);
            let second = std::thread::spawn(|| pause(10_000)); pause(50);
            // SAFETY: ends the process.
            unsafe { abort() }
            #[allow(unreachable_code)]
            { let _ = second.join(); 0 }
        });
        o.s(WTERMSIG(status)); o.s(WCOREDUMP(status));
        let cores: Vec<Vec<u8>> = std::fs::read_dir(".").unwrap().filter_map(|e| e.ok()).filter(|e| e.file_name().to_string_lossy().starts_with("core")).filter_map(|e| std::fs::read(e.path()).ok()).collect();
        o.s(cores.len());
        if let Some(core) = cores.first() {
            o.s(format_args!("{:?} type {}", core.get(..4), core.get(16).copied().unwrap_or(0)));
            let word = |at: usize, len: usize| core.get(at..at + len).map_or(0, |b| b.iter().rev().fold(0usize, |v, b| v << 8 | usize::from(*b)));
            // The notes are the first segment: kinds of those named CORE, and how many threads there were.
            let (at, len) = (word(64 + 8, 8), word(64 + 32, 8)); let mut kinds = Vec::new(); let mut here = at;
            while here + 12 <= at + len { let (n, d, kind) = (word(here, 4), word(here + 4, 4), word(here + 8, 4)); kinds.push(kind); here += 12 + n.next_multiple_of(4) + d.next_multiple_of(4); }
            o.s(format_args!("threads {}", kinds.iter().filter(|k| **k == 1).count()));
            for kind in [2, 3, 6, 0x5349_4749, 0x4649_4c45] { o.s(kinds.contains(&kind)); }
        }
        o.s(WCOREDUMP(status_of(|| unsafe { abort() })));
    }
    "personality" => |o| {
        let machine = || { let mut u = [0u8; 390]; sys!(SYS_uname, u.as_mut_ptr()); let text = |at: usize| String::from_utf8_lossy(&u[at..]).split('\0').next().unwrap_or("").to_owned(); (text(130).starts_with("2.6."), text(260)) };
        o.s(format_args!("{:?}", machine())); o.v(sys!(SYS_personality, 8)); o.s(format_args!("{:?}", machine())); o.v(sys!(SYS_personality, 0x2_0000)); o.s(format_args!("{:?}", machine()));
        o.v(sys!(SYS_personality, 0x400_0000)); let mut t = [0i64, 20_000]; o.v(sys!(SYS_select, 0, 0, 0, 0, t.as_mut_ptr())); o.s(t[1]); o.v(sys!(SYS_personality, 0)); o.v(sys!(SYS_select, 0, 0, 0, 0, t.as_mut_ptr())); o.s(t[1]);
        o.v(sys!(SYS_personality, 0x80_0004)); o.v(sys!(SYS_personality, 0xffff_ffffu32)); sys!(SYS_personality, 0);
    }
    "messages-copied" => |o| {
        let q = sys!(SYS_msgget, 0, 0o600); let put = |kind: i64, byte: u8| { let m = (kind, [byte; 8]); sys!(SYS_msgsnd, q, &raw const m, 4, 0) }; put(3, b'a'); put(5, b'b');
        let mut m = (0i64, [0u8; 8]); const COPY: i32 = 0o40000;
        o.v(sys!(SYS_msgrcv, q, &raw mut m, 8, 1, COPY | IPC_NOWAIT)); o.s(format_args!("{} {}", m.0, m.1[0])); o.v(sys!(SYS_msgrcv, q, &raw mut m, 8, 2, COPY | IPC_NOWAIT)); o.v(sys!(SYS_msgrcv, q, &raw mut m, 2, 0, COPY | IPC_NOWAIT));
        o.v(sys!(SYS_msgrcv, q, &raw mut m, 8, 0, COPY)); o.v(sys!(SYS_msgrcv, q, &raw mut m, 8, 0, 0)); o.s(m.0); sys!(SYS_msgctl, q, IPC_RMID, 0);
    }
    "limits-are-settings" => |o| {
        for path in ["kernel/msgmni", "kernel/msgmax", "kernel/shmmni", "kernel/pid_max", "vm/max_map_count", "fs/nr_open", "fs/pipe-max-size", "fs/lease-break-time"] {
            let path = format!("/proc/sys/{path}"); let before = sysctl(&path); o.s(set_sysctl(&path, &before)); o.s(set_sysctl(&path, "x"));
        }
        let before = sysctl("/proc/sys/kernel/shmmax"); set_sysctl("/proc/sys/kernel/shmmax", "8192"); o.v(sys!(SYS_shmget, 0, 8193, 0o600)); set_sysctl("/proc/sys/kernel/shmmax", &before);
        let before = sysctl("/proc/sys/fs/pipe-max-size"); set_sysctl("/proc/sys/fs/pipe-max-size", "4096"); o.s(as_user(|| if sys!(SYS_fcntl, pipe(0)[0], F_GETPIPE_SZ) == 4096 { 0 } else { -1 })); set_sysctl("/proc/sys/fs/pipe-max-size", &before);
    }
    "splice-ends" => |o| {
        let p = pipe(0); let event = sys!(SYS_eventfd2, 0, 0); o.v(sys!(SYS_splice, p[0], 0, event, 0, 8, 0)); o.v(sys!(SYS_splice, event, 0, p[1], 0, 8, 0));
        let big = map(1 << 17); let v = [big, 1 << 17]; o.v(sys!(SYS_vmsplice, p[1], v.as_ptr(), 1, 0));
        let e = sys!(SYS_epoll_create1, 0); o.v(sys!(SYS_readahead, e, 0, 10)); let iov = [big, 1]; o.v(sys!(SYS_pwritev2, p[0], iov.as_ptr(), 1, 0, 0, 0));
    }
    "futexes-by-page" => |o| {
        let at = map(4096); sys!(SYS_mprotect, at, 4096, PROT_NONE); o.v(sys!(SYS_futex, at, FUTEX_WAKE, 1, 0, 0, 0)); o.v(sys!(SYS_futex, at, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, 0, 0, 0));
        let words = map(4096); o.v(sys!(SYS_futex, words, FUTEX_CMP_REQUEUE, -1, 1usize, words + 4, 0)); o.v(sys!(SYS_futex, words, FUTEX_CMP_REQUEUE, 1, -1isize, words + 4, 0)); o.v(sys!(SYS_futex, words, FUTEX_CMP_REQUEUE, 1, 1usize, at, 0));
    }
    "page-map" => |o| {
        let at = map(8192); sys!(SYS_madvise, at, 8192, MADV_DONTNEED);
        // SAFETY: the first page of the mapping.
        unsafe { *(at as *mut u8) = 1 };
        let fd = open(c"/proc/self/pagemap", O_RDONLY); let mut e = [0u64; 2]; o.v(sys!(SYS_pread64, fd, e.as_mut_ptr(), 16, at / 4096 * 8)); o.s(e[0] >> 63); o.s(e[1] >> 63); o.v(sys!(SYS_pread64, fd, e.as_mut_ptr(), 16, at / 4096 * 8 + 1)); o.v(sys!(SYS_pread64, fd, e.as_mut_ptr(), 9, 0));
    }
    "memory-errors" => |o| {
        let fd = file(c"f", &[1; 4096]); let at = sys!(SYS_mmap, 0, 4096, PROT_READ, MAP_SHARED | MAP_LOCKED, fd, 0) as usize; o.v(sys!(SYS_msync, at, 4096, MS_INVALIDATE)); sys!(SYS_munlock, at, 4096); o.v(sys!(SYS_msync, at, 4096, MS_INVALIDATE));
        o.v(sys!(SYS_mmap, 0, 0, PROT_READ, MAP_SHARED, 999, 0)); o.v(sys!(SYS_mmap, 0, 0, PROT_READ, MAP_SHARED, fd, 0));
        let other = sys!(SYS_mmap, 0, 4096, PROT_READ, MAP_PRIVATE, fd, 0) as usize; let mut there = [0u8; 1]; o.v(sys!(SYS_mincore, other, 4096, there.as_mut_ptr())); o.s(there[0] & 1);
    }
    "memfd-truncated-by-name" => |o| {
        let fd = sys!(SYS_memfd_create, c"m", MFD_ALLOW_SEALING) as i32; write(fd, b"hello"); let name = std::ffi::CString::new(format!("/proc/self/fd/{fd}")).unwrap();
        let again = open(&name, O_RDWR | O_CREAT | O_TRUNC); o.ok(again.into()); o.s(fstat(fd).st_size);
    }
    "signals-refused" => |o| {
        // SAFETY: a plain call.
        let own = unsafe { gettid() }; let mut info = [0i32; 32]; info[0] = SIGUSR1; info[2] = -1;
        let me = sys!(SYS_pidfd_open, own, 0); handle(SIGUSR1, 0); o.v(sys!(SYS_pidfd_send_signal, me, SIGUSR2, info.as_ptr(), 0)); o.v(sys!(SYS_pidfd_send_signal, me, SIGUSR1, info.as_ptr(), 0));
        o.s(child(|| { block(&[SIGRTMIN()]); let none = [0u64; 2]; sys!(SYS_prlimit64, 0, RLIMIT_SIGPENDING, none.as_ptr(), 0); code(sys!(SYS_tgkill, getpid(), gettid(), SIGRTMIN())) }) == EAGAIN);
        o.s(child(|| { let other = std::thread::spawn(|| { pause(400); }); let tid: i32 = std::fs::read_dir("/proc/self/task").unwrap().filter_map(|e| e.ok()?.file_name().to_str()?.parse().ok()).find(|t| *t != gettid()).unwrap_or(0); let r = code(sys!(SYS_kill, tid, 0)); let _ = other.join(); r }));
        let ended = spawn(|| 0); let fd = sys!(SYS_pidfd_open, ended, 0); reap(ended); o.v(sys!(SYS_pidfd_getfd, fd, 0, 0));
        let waits = spawn(|| { pause(200); 0 }); let fd = sys!(SYS_pidfd_open, waits, PIDFD_NONBLOCK as i32); let mut i = [0i32; 32]; o.v(sys!(SYS_waitid, P_PIDFD, fd, i.as_mut_ptr(), WEXITED, 0)); reap(waits);
    }
    "handler-without-stack" => |o| {
        o.s(child(|| {
            let stack = map(16384); sys!(SYS_mprotect, stack, 16384, PROT_READ); let s = [stack, 0, 16384]; sys!(SYS_sigaltstack, s.as_ptr(), 0);
            handle(SIGSEGV, 0); handle(SIGUSR1, SA_ONSTACK); COUNT.store(0, std::sync::atomic::Ordering::SeqCst); sys!(SYS_tgkill, getpid(), gettid(), SIGUSR1);
            COUNT.load(std::sync::atomic::Ordering::SeqCst)
        }));
    }
    "sched-arguments" => |o| {
        o.v(sys!(SYS_sched_getparam, 0, 0)); o.v(sys!(SYS_getpriority, PRIO_PROCESS, -1)); o.v(sys!(SYS_setpriority, PRIO_PROCESS, -1, 0)); let mut t = [9i64; 2];
        o.s(child(|| { let p = [5i32]; sys!(SYS_sched_setscheduler, 0, SCHED_FIFO, p.as_ptr()); let mut t = [9i64; 2]; sys!(SYS_sched_rr_get_interval, 0, t.as_mut_ptr()); i32::from(t == [0, 0]) })); o.v(sys!(SYS_sched_rr_get_interval, -1, t.as_mut_ptr()));
        o.v(sys!(SYS_ioprio_set, 1, 0, 2 << 13 | 8)); o.v(sys!(SYS_timer_settime, 0, 0, 0, 0));
    }
    "nothing-sent" => |o| {
        let mut p = [0i32; 2]; o.v(sys!(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, p.as_mut_ptr())); o.v(sys!(SYS_write, p[0], c"", 0)); o.v(sys!(SYS_sendto, p[0], c"", 0, 0, 0, 0));
        let mut b = [0u8; 4]; o.v(sys!(SYS_recvfrom, p[1], b.as_mut_ptr(), 4, MSG_DONTWAIT, 0, 0)); close(p[1]); o.v(sys!(SYS_sendto, p[0], c"", 0, MSG_NOSIGNAL, 0, 0)); o.v(sys!(SYS_sendto, p[0], c"x", 1, MSG_NOSIGNAL, 0, 0));
        let mut d = [0i32; 2]; sys!(SYS_socketpair, AF_UNIX, SOCK_DGRAM, 0, d.as_mut_ptr()); o.v(sys!(SYS_write, d[0], c"", 0)); o.v(sys!(SYS_recvfrom, d[1], b.as_mut_ptr(), 4, MSG_DONTWAIT, 0, 0));
    }
    "socket-errors" => |o| {
        let s = sys!(SYS_socket, AF_INET, SOCK_STREAM, 0); let mut len = 16u32; o.v(sys!(SYS_getsockname, s, 0, &raw mut len)); let mut v = 0i32; let mut n = 4u32; o.v(sys!(SYS_getsockopt, s, 500, 1, &raw mut v, &raw mut n)); o.v(sys!(SYS_getsockopt, s, IPPROTO_UDP, 1, &raw mut v, &raw mut n));
        let mut pair = [0i32; 2]; o.v(sys!(SYS_socketpair, AF_INET, SOCK_DGRAM, 6, pair.as_mut_ptr())); o.v(sys!(SYS_socketpair, AF_INET, SOCK_STREAM, 6, pair.as_mut_ptr())); let force = 100_000i32; o.v(sys!(SYS_setsockopt, s, SOL_SOCKET, 32, &raw const force, 4)); o.s(as_user(|| sys!(SYS_setsockopt, s, SOL_SOCKET, 32, &raw const force, 4)));
        let u = sys!(SYS_socket, AF_INET, SOCK_DGRAM, 0); o.v(sys!(SYS_ioctl, s, SIOCATMARK, &raw mut v)); o.v(sys!(SYS_ioctl, u, SIOCATMARK, &raw mut v));
    }
    "terminals-as-in-system-v" => |o| {
        let m = open(c"/dev/ptmx", O_RDWR | O_NOCTTY); let mut t = [0u8; 18]; let unlock = 0i32; sys!(SYS_ioctl, m, TIOCSPTLCK, &raw const unlock); let mut n = 0i32; sys!(SYS_ioctl, m, TIOCGPTN, &raw mut n);
        let s = open(&std::ffi::CString::new(format!("/dev/pts/{n}")).unwrap(), O_RDWR | O_NOCTTY); o.v(sys!(SYS_ioctl, s, 0x5405, t.as_mut_ptr())); o.s(format_args!("{t:?}")); t[6] &= !8; o.v(sys!(SYS_ioctl, s, 0x5406, t.as_ptr()));
        let mut full = [0u8; 64]; sys!(SYS_ioctl, s, TCGETS, full.as_mut_ptr()); o.s(full[12] & 8); o.v(sys!(SYS_ioctl, s, 0x5405, BAD));
    }
    "directory-signals" => |o| {
        sys!(SYS_mkdir, c"d", 0o755); close(file(c"f", b"")); close(file(c"g", b"")); let d = open(c".", O_RDONLY); handle(SIGIO, 0); COUNT.store(0, std::sync::atomic::Ordering::SeqCst);
        o.v(sys!(SYS_fcntl, d, F_NOTIFY, 0x8000_0010u32)); sys!(SYS_rename, c"f", c"d/f"); pause(20); o.s(COUNT.load(std::sync::atomic::Ordering::SeqCst)); sys!(SYS_rename, c"g", c"h"); pause(20); o.s(COUNT.load(std::sync::atomic::Ordering::SeqCst));
    }
}

fn getpid() -> i32 {
    sys!(SYS_getpid) as i32
}

fn gettid() -> i32 {
    sys!(SYS_gettid) as i32
}

const SIOCATMARK: u64 = 0x8905;

/// New private memory.
fn map(len: usize) -> usize {
    sys!(SYS_mmap, 0, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) as usize
}
