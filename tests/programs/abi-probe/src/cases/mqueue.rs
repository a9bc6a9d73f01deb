//! POSIX message queues, by the system calls themselves (names without their slash).

use super::util::*;
use crate::harness::Out;
use crate::{cases, sys};

const Q: &std::ffi::CStr = c"abi-probe";

/// Opens the queue, made anew with room for so many messages of so many bytes.
fn queue(flags: i32, messages: i64, size: i64) -> i32 {
    sys!(SYS_mq_unlink, Q);
    mq_open(Q, flags | O_CREAT, 0o600, &[0, messages, size])
}

fn mq_open(name: &std::ffi::CStr, flags: i32, mode: u32, attr: &[i64; 3]) -> i32 {
    let attr = [attr[0], attr[1], attr[2], 0, 0, 0, 0, 0];
    sys!(SYS_mq_open, name, flags, mode, attr.as_ptr()) as i32
}

fn send(q: i32, text: &[u8], priority: u32) -> i64 {
    sys!(SYS_mq_timedsend, q, text.as_ptr(), text.len(), priority, 0)
}

/// Length, text and priority of what is received, or the error.
fn receive(q: i32) -> String {
    let (mut buf, mut priority) = ([0u8; 64], 99u32);
    let n = sys!(SYS_mq_timedreceive, q, buf.as_mut_ptr(), 64, &raw mut priority, 0);
    if n < 0 { error() } else { format!("{}@{priority}", String::from_utf8_lossy(&buf[..n as usize])) }
}

fn attr(q: i32) -> String {
    let mut a = [9i64; 8];
    let r = sys!(SYS_mq_getsetattr, q, 0, a.as_mut_ptr());
    if r < 0 { error() } else { format!("{:?}", &a[..4]) }
}

fn state(q: i32) -> String {
    let mut buf = [0u8; 100];
    let n = sys!(SYS_pread64, q, buf.as_mut_ptr(), 100, 0);
    let text = String::from_utf8_lossy(&buf[..n.max(0) as usize]).into_owned();
    text.replace(&format!("NOTIFY_PID:{:<6}", sys!(SYS_getpid)), "NOTIFY_PID:me").replace(' ', "_").trim().to_string()
}

fn poll_events(q: i32) -> i16 {
    let mut p = pollfd { fd: q, events: POLLIN | POLLOUT, revents: 0 };
    sys!(SYS_poll, &raw mut p, 1, 0);
    p.revents
}

/// `struct sigevent`: value, signal, how.
fn notify(q: i32, value: u64, signal: u32, how: u32) -> i64 {
    let event = [value, u64::from(signal) | u64::from(how) << 32, 0, 0, 0, 0, 0, 0];
    sys!(SYS_mq_notify, q, event.as_ptr())
}

fn sizes(o: &mut Out, list: &[(i64, i64)]) {
    for (messages, size) in list {
        o.ok(queue(O_RDWR, *messages, *size).into());
    }
}

cases! { "mqueue";
    "open" => |o| { sys!(SYS_mq_unlink, Q); o.v(sys!(SYS_mq_open, Q, O_RDWR, 0, 0)); o.ok(sys!(SYS_mq_open, Q, O_RDWR | O_CREAT | O_EXCL, 0o600, 0)); o.ok(sys!(SYS_mq_open, Q, O_RDWR | O_CREAT | O_EXCL, 0o600, 0)); o.ok(sys!(SYS_mq_open, Q, O_RDONLY, 0, 0)); o.ok(sys!(SYS_mq_open, Q, 3, 0, 0)); o.v(sys!(SYS_mq_unlink, Q)); o.v(sys!(SYS_mq_unlink, Q)); }
    "names" => |o| { o.v(sys!(SYS_mq_open, c"", O_RDWR | O_CREAT, 0o600, 0)); o.v(sys!(SYS_mq_open, c"a/b", O_RDWR | O_CREAT, 0o600, 0)); o.v(sys!(SYS_mq_open, c"/a", O_RDWR | O_CREAT, 0o600, 0)); o.v(sys!(SYS_mq_open, c".", O_RDWR, 0, 0)); o.v(sys!(SYS_mq_open, c"..", O_RDWR, 0, 0)); let long = std::ffi::CString::new("n".repeat(256)).unwrap(); o.v(sys!(SYS_mq_open, &*long, O_RDWR | O_CREAT, 0o600, 0)); o.v(sys!(SYS_mq_open, BAD, O_RDWR, 0, 0)); o.v(sys!(SYS_mq_open, Q, O_RDWR | O_CREAT, 0o600, BAD)); o.v(sys!(SYS_mq_unlink, c"a/b")); o.v(sys!(SYS_mq_unlink, c"")); o.v(sys!(SYS_mq_unlink, BAD)); }
    "sizes" => |o| { sizes(o, &[(0, 1), (1, 0), (-1, 1), (1, -1), (65537, 1), (1, (16 << 20) + 1), (11, 8192), (10, 8193), (65536, 16 << 20)]); o.s(child(|| { sys!(SYS_setresuid, 1000, 1000, 1000); let mut bits = 0; for (i, (messages, size)) in [(10i64, 8192i64), (11, 1), (1, 8193)].into_iter().enumerate() { let q = mq_open(c"abi-probe-user", O_RDWR | O_CREAT, 0o600, &[0, messages, size]); bits |= i32::from(q >= 0) << i; close(q); sys!(SYS_mq_unlink, c"abi-probe-user"); } bits })); sys!(SYS_mq_unlink, Q); }
    "limit" => |o| { sys!(SYS_mq_unlink, Q); o.s(child(|| { let l = [10 * 8192u64, 10 * 8192]; sys!(SYS_setrlimit, 12, l.as_ptr()); code(queue(O_RDWR, 10, 8192).into()) })); o.s(child(|| { let l = [10 * 8192u64 + 960; 2]; sys!(SYS_setrlimit, 12, l.as_ptr()); code(queue(O_RDWR, 10, 8192).into()) })); o.s(child(|| { let l = [10 * 8192u64 + 959; 2]; sys!(SYS_setrlimit, 12, l.as_ptr()); code(queue(O_RDWR, 10, 8192).into()) })); sys!(SYS_mq_unlink, Q); }
    "descriptor" => |o| { let q = queue(O_RDWR | O_NONBLOCK, 3, 16); o.v(sys!(SYS_fcntl, q, F_GETFD)); o.s(format_args!("{:o}", sys!(SYS_fcntl, q, F_GETFL) & !0o100000 & !0o300)); let s = fstat(q); o.s(format_args!("{:o} {} {}", s.st_mode, s.st_size, s.st_nlink)); o.s(state(q)); o.v(write(q, b"x")); sys!(SYS_mq_unlink, Q); o.s(fstat(q).st_nlink); o.s(attr(q)); }
    "attributes" => |o| { let q = queue(O_RDWR, 3, 16); o.s(attr(q)); send(q, b"x", 0); let new = [i64::from(O_NONBLOCK), 7, 7, 7, 0, 0, 0, 0]; let mut old = [0i64; 8]; o.v(sys!(SYS_mq_getsetattr, q, new.as_ptr(), old.as_mut_ptr())); o.s(format_args!("{:?}", &old[..4])); o.s(attr(q)); let bad = [1i64, 0, 0, 0, 0, 0, 0, 0]; o.v(sys!(SYS_mq_getsetattr, q, bad.as_ptr(), 0)); o.v(sys!(SYS_mq_getsetattr, q, BAD, 0)); o.v(sys!(SYS_mq_getsetattr, q, 0, BAD)); o.v(sys!(SYS_mq_getsetattr, 999, 0, 0)); o.v(sys!(SYS_mq_getsetattr, 0, 0, 0)); sys!(SYS_mq_unlink, Q); }
    "default-attributes" => |o| { sys!(SYS_mq_unlink, Q); let q = sys!(SYS_mq_open, Q, O_RDWR | O_CREAT, 0o600, 0) as i32; o.s(attr(q)); for name in ["msg_default", "msg_max", "msgsize_default", "msgsize_max", "queues_max"] { o.s(std::fs::read_to_string(format!("/proc/sys/fs/mqueue/{name}")).unwrap_or_default().trim()); } sys!(SYS_mq_unlink, Q); }
    "order" => |o| { let q = queue(O_RDWR | O_NONBLOCK, 8, 16); for (text, priority) in [("a", 1), ("b", 5), ("c", 1), ("d", 5), ("e", 0), ("", 32767)] { o.v(send(q, text.as_bytes(), priority)); } for _ in 0..7 { o.s(receive(q)); } sys!(SYS_mq_unlink, Q); }
    "errors" => |o| { let q = queue(O_RDWR | O_NONBLOCK, 2, 16); o.v(send(q, b"x", 32768)); o.v(send(q, &[0; 17], 0)); o.v(send(q, &[0; 16], 0)); o.v(send(q, b"x", 0)); o.v(send(q, b"x", 0)); let mut b = [0u8; 16]; o.v(sys!(SYS_mq_timedreceive, q, b.as_mut_ptr(), 15, 0, 0)); o.v(sys!(SYS_mq_timedreceive, q, b.as_mut_ptr(), 16, 0, 0)); o.v(sys!(SYS_mq_timedsend, q, BAD, 1, 0, 0)); o.v(sys!(SYS_mq_timedreceive, q, BAD, 16, 0, 0)); o.s(receive(q)); o.v(sys!(SYS_mq_timedsend, 999, b.as_ptr(), 1, 0, 0)); o.v(sys!(SYS_mq_timedsend, 0, b.as_ptr(), 1, 0, 0)); let r = sys!(SYS_mq_open, Q, O_RDONLY, 0, 0) as i32; o.v(send(r, b"x", 0)); let w = sys!(SYS_mq_open, Q, O_WRONLY, 0, 0) as i32; o.s(receive(w)); sys!(SYS_mq_unlink, Q); }
    "time-outs" => |o| { let q = queue(O_RDWR, 1, 16); let mut b = [0u8; 16]; let past = timespec { tv_sec: 1, tv_nsec: 0 }; o.v(sys!(SYS_mq_timedreceive, q, b.as_mut_ptr(), 16, 0, &raw const past)); send(q, b"x", 0); o.v(sys!(SYS_mq_timedsend, q, b.as_ptr(), 1, 0, &raw const past)); let bad = timespec { tv_sec: 1, tv_nsec: -1 }; o.v(sys!(SYS_mq_timedsend, q, b.as_ptr(), 1, 0, &raw const bad)); o.v(sys!(SYS_mq_timedsend, q, b.as_ptr(), 1, 0, BAD)); o.v(sys!(SYS_mq_timedsend, 999, b.as_ptr(), 1, 0, &raw const bad)); let mut now = past; sys!(SYS_clock_gettime, CLOCK_REALTIME, &raw mut now); now.tv_nsec += 30_000_000; if now.tv_nsec >= 1_000_000_000 { now.tv_nsec -= 1_000_000_000; now.tv_sec += 1; } o.v(sys!(SYS_mq_timedsend, q, b.as_ptr(), 1, 0, &raw const now)); o.s(attr(q)); sys!(SYS_mq_unlink, Q); }
    "waiting-receiver" => |o| { let q = queue(O_RDWR, 2, 16); let p = pipe(0); let pid = spawn(|| { write(p[1], b"r"); write(p[1], receive(q).as_bytes()); 0 }); read(p[0]); std::thread::sleep(std::time::Duration::from_millis(50)); o.v(send(q, b"hello", 3)); o.s(reap(pid)); o.s(read(p[0])); o.s(attr(q)); sys!(SYS_mq_unlink, Q); }
    "waiting-sender" => |o| { let q = queue(O_RDWR, 1, 16); send(q, b"one", 0); let pid = spawn(|| code(send(q, b"two", 9))); std::thread::sleep(std::time::Duration::from_millis(50)); o.s(attr(q)); o.s(receive(q)); o.s(reap(pid)); o.s(receive(q)); sys!(SYS_mq_unlink, Q); }
    "interrupted" => |o| { let q = queue(O_RDWR, 1, 64); let pid = spawn(|| { unsafe extern "C" fn nothing(_: i32) {} unsafe { let mut a: sigaction = std::mem::zeroed(); a.sa_sigaction = nothing as *const () as usize; sigaction(SIGUSR1, &raw const a, std::ptr::null_mut()); } let mut b = [0u8; 64]; code(sys!(SYS_mq_timedreceive, q, b.as_mut_ptr(), 64, 0, 0)) }); std::thread::sleep(std::time::Duration::from_millis(100)); sys!(SYS_kill, pid, SIGUSR1); o.s(reap(pid)); o.v(send(q, b"x", 0)); o.s(receive(q)); sys!(SYS_mq_unlink, Q); }
    "poll" => |o| { let q = queue(O_RDWR, 2, 16); o.s(poll_events(q)); send(q, b"x", 0); o.s(poll_events(q)); send(q, b"x", 0); o.s(poll_events(q)); let e = sys!(SYS_epoll_create1, 0) as i32; let mut event = epoll_event { events: (EPOLLIN | EPOLLET) as u32, u64: 5 }; o.v(sys!(SYS_epoll_ctl, e, EPOLL_CTL_ADD, q, &raw mut event)); o.v(sys!(SYS_epoll_wait, e, &raw mut event, 1, 0)); o.v(sys!(SYS_epoll_wait, e, &raw mut event, 1, 0)); receive(q); receive(q); send(q, b"x", 0); o.v(sys!(SYS_epoll_wait, e, &raw mut event, 1, 0)); sys!(SYS_mq_unlink, Q); }
    "notify-signal" => |o| { block(&[SIGUSR1]); let q = queue(O_RDWR | O_NONBLOCK, 2, 16); o.v(notify(q, 77, SIGUSR1 as u32, 0)); o.s(state(q)); o.v(notify(q, 77, SIGUSR1 as u32, 0)); o.s(child(|| code(notify(q, 1, SIGUSR2 as u32, 0)))); send(q, b"x", 0); let set = 1u64 << (SIGUSR1 - 1); let mut info = [0i32; 32]; let t = ms(1000); o.v(sys!(SYS_rt_sigtimedwait, &raw const set, info.as_mut_ptr(), &raw const t, 8)); o.s(info[2]); o.s(i64::from(info[4]) == sys!(SYS_getpid)); o.s(info[6]); o.s(state(q)); send(q, b"x", 0); receive(q); receive(q); send(q, b"x", 0); let t = ms(0); o.v(sys!(SYS_rt_sigtimedwait, &raw const set, 0, &raw const t, 8)); sys!(SYS_mq_unlink, Q); }
    "notify-others" => |o| { let q = queue(O_RDWR | O_NONBLOCK, 2, 16); o.v(notify(q, 0, 0, 9)); o.v(notify(q, 0, 65, 0)); o.v(notify(q, 0, 0, 1)); o.s(state(q)); o.v(sys!(SYS_mq_notify, q, 0)); o.s(state(q)); o.v(sys!(SYS_mq_notify, q, 0)); o.v(sys!(SYS_mq_notify, q, BAD)); o.v(sys!(SYS_mq_notify, 0, 0)); o.v(sys!(SYS_mq_notify, 999, 0)); o.v(notify(q, 0, 0, 1)); send(q, b"x", 0); o.s(state(q)); receive(q); o.v(notify(q, 0, SIGUSR1 as u32, 0)); let d = sys!(SYS_dup, q) as i32; close(d); o.s(state(q)); sys!(SYS_mq_unlink, Q); }
    "notify-not-with-receiver" => |o| { block(&[SIGUSR1]); let q = queue(O_RDWR, 2, 16); o.v(notify(q, 0, SIGUSR1 as u32, 0)); let pid = spawn(|| { receive(q); 0 }); std::thread::sleep(std::time::Duration::from_millis(100)); send(q, b"x", 0); o.s(reap(pid)); o.s(state(q)); sys!(SYS_mq_unlink, Q); }
    "notify-thread" => |o| { let q = queue(O_RDWR | O_NONBLOCK, 2, 16); let s = sys!(SYS_socket, AF_NETLINK, SOCK_RAW, 0) as i32; let cookie = [7u8; 32]; o.v(notify(q, cookie.as_ptr() as u64, s as u32, 2)); o.v(notify(q, BAD as u64, s as u32, 2)); o.v(notify(q, cookie.as_ptr() as u64, 999, 2)); o.v(notify(q, cookie.as_ptr() as u64, 0, 2)); send(q, b"x", 0); let mut b = [0u8; 64]; o.v(sys!(SYS_recvfrom, s, b.as_mut_ptr(), 64, MSG_DONTWAIT, 0, 0)); o.s(b[0]); o.s(b[31]); receive(q); o.v(notify(q, cookie.as_ptr() as u64, s as u32, 2)); o.v(sys!(SYS_mq_notify, q, 0)); o.v(sys!(SYS_recvfrom, s, b.as_mut_ptr(), 64, MSG_DONTWAIT, 0, 0)); o.s(b[31]); sys!(SYS_mq_unlink, Q); }
    "permissions" => |o| { let q = queue(O_RDWR, 2, 16); o.ok(q.into()); o.s(as_user(|| sys!(SYS_mq_open, Q, O_RDONLY, 0, 0))); o.s(as_user(|| sys!(SYS_mq_unlink, Q))); o.v(sys!(SYS_fchmod, q, 0o604)); o.s(as_user(|| sys!(SYS_mq_open, Q, O_RDONLY, 0, 0))); o.s(as_user(|| sys!(SYS_mq_open, Q, O_RDWR, 0, 0))); o.v(sys!(SYS_fchown, q, 1000, 1000)); o.s(as_user(|| sys!(SYS_mq_open, Q, O_RDWR, 0, 0))); o.s(as_user(|| sys!(SYS_mq_unlink, Q))); }
    "filesystem" => |o| { sys!(SYS_mkdir, c"d", 0o755); o.v(sys!(SYS_mount, c"none", c"d", c"mqueue", 0, 0)); let q = queue(O_RDWR, 2, 16); let s = stat(c"d/abi-probe"); o.s(format_args!("{:o} {}", s.st_mode, s.st_size)); o.s(s.st_ino == fstat(q).st_ino && s.st_dev == fstat(q).st_dev); o.s(std::fs::read_dir("d").unwrap().any(|e| e.unwrap().file_name() == "abi-probe")); o.s(format_args!("{:o}", stat(c"d").st_mode)); send(q, b"abc", 0); let f = open(c"d/abi-probe", O_RDONLY); o.s(state(f)); o.s(receive(f).starts_with("abc")); o.v(sys!(SYS_unlink, c"d/abi-probe")); o.v(sys!(SYS_mq_open, Q, O_RDWR, 0, 0)); o.ok(open(c"d/new", O_RDWR | O_CREAT).into()); o.ok(sys!(SYS_mq_open, c"new", O_RDWR, 0, 0)); o.v(sys!(SYS_mkdir, c"d/sub", 0o755)); o.v(sys!(SYS_rename, c"d/new", c"d/old")); o.v(sys!(SYS_unlink, c"d/new")); }
}
