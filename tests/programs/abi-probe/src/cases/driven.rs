//! What a process is told without asking: readiness of files by signals, the end of its processor time; and control messages of datagrams.

use std::sync::atomic::{AtomicI32, Ordering::SeqCst};

use super::util::*;
use crate::harness::Out;
use crate::{cases, sys};

const F_SETSIG: i32 = 10;
const F_GETSIG: i32 = 11;
const F_SETOWN_EX: i32 = 15;
const F_GETOWN_EX: i32 = 16;
const REALTIME: i32 = 40;

static COUNT: AtomicI32 = AtomicI32::new(0);

extern "C" fn count(_: i32) {
    COUNT.fetch_add(1, SeqCst);
}

fn handle(signal: i32) {
    // SAFETY: the handler only counts.
    unsafe {
        let mut action: sigaction = std::mem::zeroed();
        action.sa_sigaction = count as *const () as usize;
        sigaction(signal, &raw const action, std::ptr::null_mut());
    }
}

fn me() -> i64 {
    sys!(SYS_getpid)
}

/// Waits for a blocked signal: its number, code, and where a file sent it with all it has to say, the band and whether the descriptor is `fd`.
fn take(o: &mut Out, signal: i32, wait_ms: i64, fd: i32) {
    let (set, mut info, time) = (1u64 << (signal - 1), [0i32; 32], ms(wait_ms));
    let taken = sys!(SYS_rt_sigtimedwait, &raw const set, info.as_mut_ptr(), &raw const time, 8);
    o.v(taken);
    if taken > 0 {
        o.s(info[2]);
        if signal >= REALTIME {
            o.s(format_args!("{:x} {}", info[4], info[6] == fd));
        }
    }
}

fn switch_on(fd: i32) -> i64 {
    sys!(SYS_fcntl, fd, F_SETFL, O_ASYNC | O_NONBLOCK)
}

fn socket_pair() -> [i32; 2] {
    let mut fds = [0; 2];
    assert_eq!(sys!(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, fds.as_mut_ptr()), 0, "a pair");
    fds
}

fn spin_until(mut done: impl FnMut() -> bool) {
    while !done() {
        std::hint::spin_loop();
    }
}

/// A timer on a CPU clock that sends SIGUSR1.
fn cpu_timer(o: &mut Out, clock: i32, value_ms: i64, interval_ms: i64) -> i32 {
    let event = [0u32, 0, SIGUSR1 as u32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let mut timer = 0i32;
    o.v(sys!(SYS_timer_create, clock, event.as_ptr(), &raw mut timer));
    let times = [ms(interval_ms), ms(value_ms)];
    o.v(sys!(SYS_timer_settime, timer, 0, times.as_ptr(), 0));
    timer
}

/// Sends a datagram to itself on a socket that asks for these options, with a control message; shows the control messages that come.
fn with_control(o: &mut Out, family: i32, asked: &[(i32, i32)], message: (i32, i32, &[u8])) {
    let fd = sys!(SYS_socket, family, SOCK_DGRAM, 0) as i32;
    let mut address = [0u8; 28];
    address[..2].copy_from_slice(&(family as u16).to_le_bytes());
    if family == AF_INET {
        address[4..8].copy_from_slice(&[127, 0, 0, 1]);
    } else {
        address[23] = 1;
    }
    let mut len = if family == AF_INET { 16 } else { 28u32 };
    sys!(SYS_bind, fd, address.as_ptr(), len);
    sys!(SYS_getsockname, fd, address.as_mut_ptr(), &raw mut len);
    let on = 1i32;
    for (level, option) in asked {
        o.v(sys!(SYS_setsockopt, fd, *level, *option, &raw const on, 4));
    }
    let (level, kind, data) = message;
    let mut control = Vec::new();
    control.extend_from_slice(&(16 + data.len()).to_le_bytes());
    control.extend_from_slice(&level.to_le_bytes());
    control.extend_from_slice(&kind.to_le_bytes());
    control.extend_from_slice(data);
    control.resize(control.len().next_multiple_of(8), 0);
    let piece = [b"x".as_ptr() as usize, 1];
    let header = [address.as_ptr() as usize, len as usize, piece.as_ptr() as usize, 1, control.as_ptr() as usize, control.len(), 0];
    if o.v(sys!(SYS_sendmsg, fd, header.as_ptr(), 0)) < 0 {
        return;
    }
    let mut room = [0u8; 256];
    let mut byte = [0u8; 1];
    let piece = [byte.as_mut_ptr() as usize, 1];
    let mut header = [0, 0, piece.as_ptr() as usize, 1, room.as_mut_ptr() as usize, room.len(), 0];
    // A datagram to oneself may take a moment.
    if o.v(sys!(SYS_recvmsg, fd, header.as_mut_ptr(), 0)) < 0 {
        return;
    }
    let word = |at: usize| i32::from_le_bytes([room[at], room[at + 1], room[at + 2], room[at + 3]]);
    let mut at = 0;
    while at + 16 <= header[5] {
        let len = word(at) as usize;
        o.s(format_args!("{}/{}:{:?}", word(at + 8), word(at + 12), &room[at + 16..at + len]));
        at += len.next_multiple_of(8);
    }
}

/// `struct ifreq` with a name.
fn interface(name: &[u8]) -> [u8; 40] {
    let mut request = [0; 40];
    request[..name.len()].copy_from_slice(name);
    request
}

cases! { "driven";
    "sigio-pipe" => |o| {
        let p = pipe(0);
        block(&[SIGIO]);
        o.v(sys!(SYS_fcntl, p[0], F_SETOWN, me()));
        o.v(switch_on(p[0]));
        write(p[1], b"x");
        take(o, SIGIO, 3000, p[0]);
        take(o, SIGIO, 20, p[0]);
        o.s(read(p[0]));
        o.v(sys!(SYS_fcntl, p[0], F_SETFL, O_NONBLOCK));
        write(p[1], b"y");
        take(o, SIGIO, 50, p[0]);
    }
    "sigio-nobody" => |o| {
        let p = pipe(0);
        block(&[SIGIO]);
        o.v(switch_on(p[0]));
        write(p[1], b"x");
        take(o, SIGIO, 50, p[0]);
    }
    "sigio-setsig" => |o| {
        let s = socket_pair();
        block(&[REALTIME]);
        o.v(sys!(SYS_fcntl, s[0], F_SETSIG, REALTIME));
        o.v(sys!(SYS_fcntl, s[0], F_GETSIG));
        let owner = [0i32, me() as i32];
        o.v(sys!(SYS_fcntl, s[0], F_SETOWN_EX, owner.as_ptr()));
        o.v(switch_on(s[0]));
        write(s[1], b"x");
        take(o, REALTIME, 3000, s[0]);
    }
    "sigio-ioctl" => |o| {
        let s = socket_pair();
        block(&[SIGIO]);
        let (on, who) = (1i32, me() as i32);
        o.v(sys!(SYS_ioctl, s[0], 0x8901, &raw const who));
        o.v(sys!(SYS_ioctl, s[0], FIOASYNC, &raw const on));
        write(s[1], b"x");
        take(o, SIGIO, 3000, s[0]);
        let mut shown = 0i32;
        o.v(sys!(SYS_ioctl, s[0], 0x8904, &raw mut shown));
        o.s(shown == who);
        o.s(sys!(SYS_fcntl, s[0], F_GETFL) & i64::from(O_ASYNC) != 0);
    }
    "sigio-owners" => |o| {
        let p = pipe(0);
        o.v(sys!(SYS_fcntl, p[0], F_GETOWN));
        o.v(sys!(SYS_fcntl, p[0], F_SETOWN, 3_999_999));
        o.v(sys!(SYS_fcntl, p[0], F_SETSIG, 65));
        o.v(sys!(SYS_fcntl, p[0], F_SETSIG, 0));
        let mut owner = [9i32, 9];
        o.v(sys!(SYS_fcntl, p[0], F_GETOWN_EX, owner.as_mut_ptr()));
        o.s(format_args!("{owner:?}"));
        for kind in 0..4 {
            let wanted = [kind, me() as i32];
            sys!(SYS_setpgid, 0, 0);
            o.v(sys!(SYS_fcntl, p[0], F_SETOWN_EX, wanted.as_ptr()));
            o.v(sys!(SYS_fcntl, p[0], F_GETOWN_EX, owner.as_mut_ptr()));
            o.s(format_args!("{} {}", owner[0], i64::from(owner[1]) == me()));
        }
        o.v(sys!(SYS_fcntl, p[0], F_SETOWN_EX, BAD));
    }
    "cpu-timer-process" => |o| {
        handle(SIGUSR1);
        let timer = cpu_timer(o, CLOCK_PROCESS_CPUTIME_ID, 20, 0);
        spin_until(|| COUNT.load(SeqCst) > 0);
        let mut left = [ms(1), ms(1)];
        o.v(sys!(SYS_timer_gettime, timer, left.as_mut_ptr()));
        o.s(format_args!("{} {}", left[1].tv_sec, left[1].tv_nsec));
        o.v(sys!(SYS_timer_delete, timer));
    }
    "cpu-timer-thread" => |o| {
        handle(SIGUSR1);
        let timer = cpu_timer(o, CLOCK_THREAD_CPUTIME_ID, 10, 10);
        spin_until(|| COUNT.load(SeqCst) > 2);
        o.v(sys!(SYS_timer_delete, timer));
        o.v(sys!(SYS_timer_delete, timer));
    }
    "cpu-limit" => |o| {
        let limit = |soft: u64, hard: u64| { let both = [soft, hard]; sys!(SYS_setrlimit, RLIMIT_CPU, both.as_ptr()) };
        o.s(child(|| { limit(1, 3); spin_until(|| false); 0 }));
        o.s(child(|| { handle(SIGXCPU); limit(1, 3); spin_until(|| COUNT.load(SeqCst) > 1); 7 }));
        o.s(child(|| { limit(1, 1); spin_until(|| false); 0 }));
    }
    "close-while-listing" => |o| {
        let fds: Vec<i32> = (0..40).map(|_| open(c"/dev/null", O_RDONLY)).collect();
        let dir = open(c"/proc/self/fd", O_RDONLY | O_DIRECTORY);
        let mut records = [0u8; 120];
        loop {
            let len = sys!(SYS_getdents64, dir, records.as_mut_ptr(), records.len());
            if len <= 0 { break; }
            let mut at = 0;
            while at < len as usize {
                let size = usize::from(u16::from_le_bytes([records[at + 16], records[at + 17]]));
                let name = records[at + 19..at + size].split(|byte| *byte == 0).next().unwrap_or_default();
                let fd: i32 = std::str::from_utf8(name).ok().and_then(|name| name.parse().ok()).unwrap_or(-1);
                if fds.contains(&fd) { close(fd); }
                at += size;
            }
        }
        o.s(fds.iter().filter(|fd| sys!(SYS_fcntl, **fd, F_GETFD) >= 0).count());
    }
    "fifo-meetings" => |o| {
        o.v(sys!(SYS_mknodat, AT_FDCWD, c"fifo".as_ptr(), S_IFIFO | 0o600, 0));
        let reader = spawn(|| { for _ in 0..300 { close(open(c"fifo", O_RDONLY)); } 0 });
        let writer = spawn(|| { loop { close(open(c"fifo", O_WRONLY)); } });
        o.s(reap(reader));
        sys!(SYS_kill, writer, SIGKILL);
        o.s(reap(writer));
    }
    "interfaces-of-any-socket" => |o| {
        for (family, kind) in [(AF_UNIX, SOCK_DGRAM), (AF_UNIX, SOCK_STREAM), (AF_INET, SOCK_DGRAM), (AF_NETLINK, SOCK_RAW)] {
            let fd = sys!(SYS_socket, family, kind, 0);
            let mut request = interface(b"lo");
            o.v(sys!(SYS_ioctl, fd, 0x8933, request.as_mut_ptr()));
            o.s(request[16]);
            let mut nobody = interface(b"nobody0");
            o.v(sys!(SYS_ioctl, fd, 0x8933, nobody.as_mut_ptr()));
        }
    }
    "control-v4" => |o| {
        let asked = [(IPPROTO_IP, IP_RECVTTL), (IPPROTO_IP, IP_RECVTOS)];
        with_control(o, AF_INET, &asked, (IPPROTO_IP, IP_TTL, &7i32.to_le_bytes()));
        with_control(o, AF_INET, &asked, (IPPROTO_IP, IP_TOS, &[0x10]));
        with_control(o, AF_INET, &asked, (IPPROTO_IP, IP_TTL, &0i32.to_le_bytes()));
        with_control(o, AF_INET, &asked, (IPPROTO_IP, IP_TTL, &[1, 2]));
        with_control(o, AF_INET, &asked, (SOL_SOCKET, 77, &[0; 4]));
        with_control(o, AF_INET, &asked, (IPPROTO_TCP, 1, &[0; 4]));
    }
    "control-v6" => |o| {
        let asked = [(IPPROTO_IPV6, IPV6_RECVHOPLIMIT), (IPPROTO_IPV6, IPV6_RECVTCLASS)];
        with_control(o, AF_INET6, &asked, (IPPROTO_IPV6, IPV6_HOPLIMIT, &2i32.to_le_bytes()));
        with_control(o, AF_INET6, &asked, (IPPROTO_IPV6, IPV6_TCLASS, &0x20i32.to_le_bytes()));
        with_control(o, AF_INET6, &asked, (IPPROTO_IPV6, IPV6_HOPLIMIT, &(-1i32).to_le_bytes()));
        with_control(o, AF_INET6, &asked, (IPPROTO_IPV6, IPV6_HOPLIMIT, &256i32.to_le_bytes()));
        with_control(o, AF_INET6, &asked, (IPPROTO_IPV6, IPV6_TCLASS, &[1]));
    }
    "pidfd-of-proc" => |o| {
        let fd = open(c"/proc/self", O_RDONLY | O_DIRECTORY);
        o.v(sys!(SYS_pidfd_send_signal, fd, 0, 0, 0));
        handle(SIGUSR1);
        o.v(sys!(SYS_pidfd_send_signal, fd, SIGUSR1, 0, 0));
        o.s(COUNT.load(SeqCst));
        let other = open(c"/proc", O_RDONLY | O_DIRECTORY);
        o.v(sys!(SYS_pidfd_send_signal, other, 0, 0, 0));
    }
    "fdinfo" => |o| {
        let fds = [sys!(SYS_eventfd2, 5, 0), sys!(SYS_pidfd_open, me(), 0)];
        for fd in fds {
            let text = std::fs::read_to_string(format!("/proc/self/fdinfo/{fd}")).unwrap_or_default();
            let keys: Vec<_> = text.lines().filter_map(|line| line.split(':').next()).filter(|key| *key != "eventfd-id").collect();
            o.s(keys.join(","));
        }
    }
    "namespaces" => |o| {
        for name in ["user", "uts", "ipc", "pid", "cgroup", "time"] {
            o.s(std::fs::read_link(format!("/proc/self/ns/{name}")).map_or_else(|error| error.to_string(), |it| it.display().to_string()));
        }
        o.s(std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(","));
    }
}
