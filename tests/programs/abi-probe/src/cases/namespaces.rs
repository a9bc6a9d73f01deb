//! Namespaces of users, processes, IPC, networks and control groups (`namespaces(7)`).

use std::ffi::CString;
use std::time::Duration;

use super::util::*;
use crate::harness::errno_name;
use crate::{cases, sys};

/// What `f` says in a child.
fn told(f: impl FnOnce() -> String) -> String {
    let p = pipe(0);
    let pid = spawn(|| {
        write(p[1], f().as_bytes());
        0
    });
    heard(p, pid)
}

/// What a child has written into a pipe until it ended.
fn heard(p: [i32; 2], pid: i32) -> String {
    close(p[1]);
    let text = whole(p[0]);
    match reap(pid) {
        0 => text,
        code => format!("{text} ended with {code}"),
    }
}

/// All that can be read from a descriptor.
fn whole(fd: i32) -> String {
    let mut text = Vec::new();
    let mut buf = [0u8; 512];
    while let n @ 1.. = sys!(SYS_read, fd, buf.as_mut_ptr(), buf.len()) {
        text.extend_from_slice(&buf[..n as usize]);
    }
    close(fd);
    String::from_utf8_lossy(&text).into_owned()
}

/// What `f` says as user and group 1000, whom nothing keeps from looking at itself.
fn by_user(f: impl FnOnce() -> String) -> String {
    told(|| {
        sys!(SYS_setgroups, 0, 0);
        sys!(SYS_setresgid, 1000, 1000, 1000);
        sys!(SYS_setresuid, 1000, 1000, 1000);
        sys!(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0);
        f()
    })
}

/// What `f` says as user 1000 who is root in a user namespace of its own, with further namespaces.
fn as_own_root(more: i32, f: impl FnOnce() -> String) -> String {
    by_user(|| {
        let made = named(sys!(SYS_unshare, CLONE_NEWUSER | more));
        let mapped = [put("/proc/self/setgroups", "deny"), put("/proc/self/gid_map", "0 1000 1"), put("/proc/self/uid_map", "0 1000 1")];
        if made != "0" || mapped.iter().any(|m| m != "ok") {
            return format!("no namespace: {made} {mapped:?}");
        }
        f()
    })
}

/// The value of a call, or its error's name.
fn named(result: i64) -> String {
    if result == -1 { error() } else { result.to_string() }
}

/// `ok`, or the error's name.
fn done(result: i64) -> String {
    if result == -1 { error() } else { "ok".into() }
}

/// Writes a file in one piece.
fn put(path: &str, text: &str) -> String {
    let path = CString::new(path).expect("a path");
    let fd = open(&path, O_WRONLY);
    if fd < 0 {
        return format!("open {}", error());
    }
    let result = write(fd, text.as_bytes());
    let outcome = if result == text.len() as i64 { "ok".into() } else { error() };
    close(fd);
    outcome
}

/// A file's text without superfluous blanks.
fn text(path: &str) -> String {
    match std::fs::read_to_string(path) {
        Ok(text) => text.split_whitespace().collect::<Vec<_>>().join(" "),
        Err(e) => errno_name(e.raw_os_error().unwrap_or(0)),
    }
}

/// The number of a namespace of the caller.
fn number(kind: &str) -> u64 {
    let path = CString::new(format!("/proc/self/ns/{kind}")).expect("a path");
    let fd = open(&path, O_RDONLY);
    let ino = fstat(fd).st_ino;
    close(fd);
    ino
}

/// The ids of the caller.
fn ids() -> String {
    format!("{}/{} {}/{}", sys!(SYS_getuid), sys!(SYS_geteuid), sys!(SYS_getgid), sys!(SYS_getegid))
}

fn line(path: &str, name: &str) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().find(|l| l.starts_with(name)).unwrap_or("none").split_whitespace().collect::<Vec<_>>().join(" ")
}

fn pause(ms: u64) {
    std::thread::sleep(Duration::from_millis(ms));
}

const NS_GET_USERNS: i32 = 0xb701;
const NS_GET_PARENT: i32 = 0xb702;
const NS_GET_NSTYPE: i32 = 0xb703;
const NS_GET_OWNER_UID: i32 = 0xb704;

/// A `struct sockaddr_in`.
fn internet(ip: [u8; 4], port: u16) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[0] = AF_INET as u8;
    bytes[2..4].copy_from_slice(&port.to_be_bytes());
    bytes[4..8].copy_from_slice(&ip);
    bytes
}

/// How a connection with a machine ends.
fn to_tcp(ip: [u8; 4], port: u16) -> String {
    let fd = sys!(SYS_socket, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0) as i32;
    let to = internet(ip, port);
    let mut outcome = done(sys!(SYS_connect, fd, to.as_ptr(), 16));
    if outcome == "EINPROGRESS" {
        let mut p = pollfd { fd, events: POLLOUT, revents: 0 };
        sys!(SYS_poll, &raw mut p, 1, 2000);
        outcome = done(sys!(SYS_connect, fd, to.as_ptr(), 16));
    }
    close(fd);
    outcome
}

fn to_udp(ip: [u8; 4]) -> String {
    let fd = sys!(SYS_socket, AF_INET, SOCK_DGRAM, 0) as i32;
    let to = internet(ip, 9);
    let outcome = done(sys!(SYS_sendto, fd, c"x", 1, 0, to.as_ptr(), 16));
    close(fd);
    outcome
}

fn bound(ip: [u8; 4], port: u16) -> String {
    let fd = sys!(SYS_socket, AF_INET, SOCK_STREAM, 0) as i32;
    let at = internet(ip, port);
    let outcome = done(sys!(SYS_bind, fd, at.as_ptr(), 16));
    close(fd);
    outcome
}

/// The flags of the loop-back device, or sets them.
fn lo_flags(to: Option<u16>) -> Result<u16, String> {
    let fd = sys!(SYS_socket, AF_INET, SOCK_DGRAM, 0) as i32;
    let mut request = [0u8; 40];
    request[..2].copy_from_slice(b"lo");
    request[16..18].copy_from_slice(&to.unwrap_or(0).to_le_bytes());
    let result = sys!(SYS_ioctl, fd, if to.is_some() { 0x8914 } else { 0x8913 }, request.as_mut_ptr());
    let outcome = if result == -1 { Err(error()) } else { Ok(u16::from_le_bytes([request[16], request[17]])) };
    close(fd);
    outcome
}

/// Sends a word over a connection with oneself.
fn echo() -> String {
    let Ok(listener) = std::net::TcpListener::bind("127.0.0.1:0") else { return error() };
    let Ok(address) = listener.local_addr() else { return error() };
    let Ok(mut client) = std::net::TcpStream::connect(address) else { return error() };
    let Ok((mut server, _)) = listener.accept() else { return error() };
    use std::io::{Read, Write};
    let mut word = [0; 4];
    if client.write_all(b"word").is_err() || server.read_exact(&mut word).is_err() {
        return error();
    }
    String::from_utf8_lossy(&word).into_owned()
}

/// `bind(2)` or `connect(2)` of a socket of AF_UNIX.
fn unix_call(fd: i32, name: &[u8], connects: bool) -> i64 {
    let mut at = vec![AF_UNIX as u8, 0];
    at.extend_from_slice(name);
    if connects { sys!(SYS_connect, fd, at.as_ptr(), at.len()) } else { sys!(SYS_bind, fd, at.as_ptr(), at.len()) }
}

fn unix_at(name: &[u8]) -> i32 {
    let fd = sys!(SYS_socket, AF_UNIX, SOCK_STREAM, 0) as i32;
    if unix_call(fd, name, false) == 0 { fd } else { -1 }
}

fn unix_to(name: &[u8]) -> String {
    let fd = sys!(SYS_socket, AF_UNIX, SOCK_STREAM, 0) as i32;
    let outcome = done(unix_call(fd, name, true));
    close(fd);
    outcome
}

/// Asks NETLINK_ROUTE: how many messages of the asked kind come, or which error.
fn asked(kind: u16, flags: u16, body: &[u8]) -> String {
    let fd = sys!(SYS_socket, AF_NETLINK, SOCK_RAW, 0) as i32;
    let mut request = Vec::new();
    request.extend_from_slice(&(16 + body.len() as u32).to_le_bytes());
    request.extend_from_slice(&kind.to_le_bytes());
    request.extend_from_slice(&(flags | 1).to_le_bytes());
    request.extend_from_slice(&[1, 0, 0, 0, 0, 0, 0, 0]);
    request.extend_from_slice(body);
    sys!(SYS_sendto, fd, request.as_ptr(), request.len(), 0, 0, 0);
    let mut count = 0;
    let limit = [2i64, 0];
    sys!(SYS_setsockopt, fd, SOL_SOCKET, SO_RCVTIMEO, limit.as_ptr(), 16);
    let outcome = 'all: loop {
        let mut answer = vec![0u8; 16384];
        let n = sys!(SYS_recvfrom, fd, answer.as_mut_ptr(), answer.len(), 0, 0, 0);
        if n <= 0 {
            break error();
        }
        let mut at = 0;
        while at + 16 <= n as usize {
            let word = |i: usize| u32::from_le_bytes([answer[i], answer[i + 1], answer[i + 2], answer[i + 3]]);
            match word(at + 4) & 0xffff {
                3 => break 'all count.to_string(),
                2 => break 'all if word(at + 16) == 0 { "ok".into() } else { errno_name(-(word(at + 16) as i32)) },
                _ => count += 1,
            }
            at += (word(at) as usize).next_multiple_of(4).max(16);
        }
    };
    close(fd);
    outcome
}

/// Starts `f` as the first process of a new PID namespace.
fn start_in_new_pids(f: impl FnOnce() -> i32) -> i32 {
    let pid = sys!(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0) as i32;
    assert!(pid >= 0, "a PID namespace: {}", error());
    if pid == 0 {
        let code = f();
        sys!(SYS_exit_group, code);
    }
    pid
}

/// What `f` says as the first process of a new PID namespace.
fn in_new_pids(f: impl FnOnce() -> String) -> String {
    let p = pipe(0);
    let pid = start_in_new_pids(|| {
        write(p[1], f().as_bytes());
        0
    });
    heard(p, pid)
}

cases! { "namespaces";
    "links" => |o| {
        for kind in ["cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "user", "uts"] {
            let path = format!("/proc/self/ns/{kind}");
            let link = std::fs::read_link(&path).map(|l| l.to_string_lossy().into_owned()).unwrap_or_default();
            o.s(link == format!("{}:[{}]", kind.trim_end_matches("_for_children"), number(kind)));
            let fd = open(&CString::new(path).expect("a path"), O_RDONLY);
            o.s(format_args!("{:x}", sys!(SYS_ioctl, fd, NS_GET_NSTYPE)));
        }
    }
    "user-ids" => |o| {
        o.s(by_user(|| {
            let before = ids();
            let made = named(sys!(SYS_unshare, CLONE_NEWUSER));
            let unmapped = ids();
            let maps = [put("/proc/self/gid_map", "0 1000 1"), put("/proc/self/setgroups", "deny"), put("/proc/self/gid_map", "0 1000 1\n"), put("/proc/self/uid_map", "0 1000 1\n")];
            let again = [put("/proc/self/uid_map", "0 1000 1"), put("/proc/self/gid_map", "0 1000 1"), put("/proc/self/setgroups", "allow")];
            let shown = [text("/proc/self/uid_map"), text("/proc/self/gid_map"), text("/proc/self/setgroups")];
            format!("{before} {made} {unmapped} {maps:?} {} {again:?} {shown:?}", ids())
        }));
    }
    "user-changes-of-ids" => |o| {
        o.s(as_own_root(0, || {
            let list = [1u32];
            let calls = [sys!(SYS_setuid, 0), sys!(SYS_setuid, 1), sys!(SYS_setresuid, 0, 7, -1), sys!(SYS_setresuid, -1, -1, -1), sys!(SYS_setreuid, 5, 0), sys!(SYS_setgid, 0), sys!(SYS_setresgid, 3, 0, 0)].map(|r| r == 0);
            let error_of = [named(sys!(SYS_setuid, 1)), named(sys!(SYS_setgid, 1)), named(sys!(SYS_setgroups, 0, 0)), named(sys!(SYS_setgroups, 1, list.as_ptr())), named(sys!(SYS_getgroups, 0, 0)), named(sys!(SYS_setfsuid, 1)), named(sys!(SYS_setfsuid, 0))];
            format!("{calls:?} {error_of:?} {} {}", line("/proc/self/status", "Uid:"), line("/proc/self/status", "Gid:"))
        }));
    }
    "user-map-rules" => |o| {
        let try_one = |file: &'static str, map: &'static str| by_user(move || { sys!(SYS_unshare, CLONE_NEWUSER); put("/proc/self/setgroups", "deny"); put(&format!("/proc/self/{file}"), map) });
        for map in ["0 1000 1", "5 1000 1", "0 1000 2", "0 0 1", "0 1001 1", "0 1000 0", "0 1000", "", "\n", "x", "0 1000 1 1", "0 1000 1\n1 1000 1", "0 1000 1\n\n", "  0   1000  1  ", "4294967295 1000 1", "0 1000 4294967295"] { o.s(try_one("uid_map", map)); }
        for map in ["0 1000 1", "0 1001 1"] { o.s(try_one("gid_map", map)); }
        o.s(try_one("projid_map", "0 0 1"));
        o.s(by_user(|| { sys!(SYS_unshare, CLONE_NEWUSER); put("/proc/self/gid_map", "0 1000 1") }));
        o.s(by_user(|| { sys!(SYS_unshare, CLONE_NEWUSER); [put("/proc/self/setgroups", "perhaps"), put("/proc/self/setgroups", "allow"), put("/proc/self/setgroups", "deny"), put("/proc/self/setgroups", "deny"), put("/proc/self/setgroups", "allow")].join(" ") }));
        o.s(put("/proc/self/uid_map", "0 0 1")); o.s(text("/proc/self/uid_map"));
        o.s(by_user(|| { sys!(SYS_unshare, CLONE_NEWUSER); let fd = open(c"/proc/self/uid_map", O_RDWR); sys!(SYS_lseek, fd, 1, SEEK_SET); named(sys!(SYS_write, fd, c"0 1000 1", 8)) }));
    }
    "user-map-from-outside" => |o| {
        // The administrator maps a run of ids for somebody.
        o.s(told(|| {
            let (up, down) = (pipe(0), pipe(0));
            let pid = spawn(|| {
                sys!(SYS_setresgid, 1000, 1000, 1000); sys!(SYS_setresuid, 1000, 1000, 1000);
                sys!(SYS_unshare, CLONE_NEWUSER); write(up[1], b"x"); read(down[0]);
                let list = [3u32, 4]; let mut got = [0u32; 2];
                let set = named(sys!(SYS_setgroups, 2, list.as_ptr())); sys!(SYS_getgroups, 2, got.as_mut_ptr());
                write(up[1], format!("{} {} {set} {got:?} {} {}", ids(), text("/proc/self/uid_map"), named(sys!(SYS_setresuid, 5, 6, 7)), ids()).as_bytes()); 0
            });
            read(up[0]); let of = |file: &str| format!("/proc/{pid}/{file}");
            let outcome = [put(&of("uid_map"), "0 1000 1\n1 100000 10\n"), put(&of("gid_map"), "0 1000 1\n1 200000 10\n"), text(&of("uid_map"))];
            write(down[1], b"x"); close(up[1]); let inside = whole(up[0]); reap(pid);
            format!("{outcome:?} {inside}")
        }));
    }
    "user-capabilities" => |o| {
        o.s(as_own_root(0, || line("/proc/self/status", "CapEff:") + " " + &line("/proc/self/status", "CapInh:")));
        o.s(as_own_root(0, || [named(sys!(SYS_sethostname, c"x", 1)), named(sys!(SYS_mount, c"x", c"/tmp", c"tmpfs", 0, 0)), named(sys!(SYS_unshare, CLONE_NEWUTS)), named(sys!(SYS_sethostname, c"x", 1)), named(sys!(SYS_chroot, c"/"))].join(" ")));
        o.s(as_own_root(0, || {
            let time = [0i64, 0]; let limit = [1u64 << 40, 1 << 40];
            sys!(SYS_prlimit64, 0, RLIMIT_CORE, [0u64, 0].as_ptr(), 0);
            [named(sys!(SYS_mknodat, AT_FDCWD, c"/tmp/abi-probe-node", S_IFCHR | 0o600, 0x103)), named(sys!(SYS_clock_settime, CLOCK_REALTIME, time.as_ptr())), named(sys!(SYS_prlimit64, 0, RLIMIT_CORE, limit.as_ptr(), 0)),
             named(sys!(SYS_setpriority, 0, 0, -5)), named(sys!(SYS_reboot, 0xfee1_deadu32, 672274793, 0, 0)), named(sys!(SYS_syslog, 5, 0, 0)), named(sys!(SYS_swapon, c"/x", 0))].join(" ")
        }));
        o.s(by_user(|| [named(sys!(SYS_unshare, CLONE_NEWUTS)), named(sys!(SYS_unshare, CLONE_NEWUSER | CLONE_NEWUTS)), named(sys!(SYS_sethostname, c"x", 1))].join(" ")));
    }
    "user-clone" => |o| {
        o.v(sys!(SYS_clone, CLONE_NEWUSER | CLONE_FS | SIGCHLD, 0, 0, 0, 0)); o.v(sys!(SYS_clone, CLONE_NEWUSER | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM, 0, 0, 0, 0));
        o.s(by_user(|| {
            let p = pipe(0);
            let pid = sys!(SYS_clone, CLONE_NEWUSER | CLONE_NEWUTS | SIGCHLD, 0, 0, 0, 0);
            if pid == 0 { write(p[1], format!("{} {}", ids(), named(sys!(SYS_sethostname, c"x", 1))).as_bytes()); sys!(SYS_exit_group, 0); }
            close(p[1]); let inside = whole(p[0]); reap(pid as i32); format!("{inside} {}", ids())
        }));
        o.s(by_user(|| { let second = std::thread::spawn(|| pause(300)); pause(50); let r = named(sys!(SYS_unshare, CLONE_NEWUSER)); let _ = second.join(); r }));
    }
    "user-chroot" => |o| { o.s(told(|| { sys!(SYS_mkdir, c"d", 0o755); sys!(SYS_chroot, c"d"); named(sys!(SYS_unshare, CLONE_NEWUSER)) })); }
    "user-depth" => |o| {
        o.s(told(|| { let mut depth = 0; loop { if sys!(SYS_unshare, CLONE_NEWUSER) != 0 { break format!("{depth} {}", error()); } put("/proc/self/setgroups", "deny"); let mapped = put("/proc/self/uid_map", "0 0 1") + &put("/proc/self/gid_map", "0 0 1"); if mapped != "okok" { break format!("{depth} {mapped}"); } depth += 1; } }));
        o.s(by_user(|| { sys!(SYS_unshare, CLONE_NEWUSER); named(sys!(SYS_unshare, CLONE_NEWUSER)) }));
    }
    "user-files" => |o| {
        sys!(SYS_chmod, c".", 0o777); close(file(c"roots", b"secret")); sys!(SYS_chmod, c"roots", 0o600); close(file(c"other", b"x")); sys!(SYS_chown, c"other", 1001, 1001); sys!(SYS_chmod, c"other", 0o600);
        close(file(c"mine", b"x")); sys!(SYS_chown, c"mine", 1000, 1000); sys!(SYS_chmod, c"mine", 0);
        o.s(as_own_root(0, || {
            let owner = |path| { let s = stat(path); format!("{}:{}", s.st_uid, s.st_gid) };
            let seen = [owner(c"roots"), owner(c"other"), owner(c"mine")];
            let opened = [c"roots", c"other", c"mine"].map(|path| done(open(path, O_RDONLY).into()));
            let changed = [named(sys!(SYS_chown, c"mine", 0, 0)), named(sys!(SYS_chown, c"mine", 1, 0)), named(sys!(SYS_chown, c"mine", 1000, 0)), named(sys!(SYS_chown, c"mine", -1, 5)), named(sys!(SYS_chmod, c"roots", 0o666)), named(sys!(SYS_chown, c"roots", 0, 0))];
            close(file(c"new", b"")); let new = owner(c"new");
            format!("{seen:?} {opened:?} {changed:?} {new}")
        }));
        let s = stat(c"new"); o.s(s.st_uid); o.s(s.st_gid);
    }
    "user-set-user-id" => |o| {
        // What belongs to nobody inside does not change who runs it.
        let me = std::env::current_exe().expect("a path"); std::fs::copy(me, "suid").expect("a copy"); sys!(SYS_chmod, c".", 0o755); sys!(SYS_chmod, c"suid", 0o4755);
        let run = || std::process::Command::new("./suid").arg("ids").output().map(|out| String::from_utf8_lossy(&out.stdout).trim().to_owned()).unwrap_or_else(|e| e.to_string());
        o.s(by_user(run)); o.s(as_own_root(0, run));
    }
    "user-signals" => |o| {
        // From inside to outside and back: who may, and what is told of the sender.
        o.s(told(|| {
            block(&[SIGUSR1]); let roots = spawn(|| { pause(2000); 0 });
            let text = by_user(move || {
                let before = named(sys!(SYS_kill, roots, 0)); sys!(SYS_unshare, CLONE_NEWUSER); put("/proc/self/setgroups", "deny"); put("/proc/self/uid_map", "0 1000 1");
                let mine = spawn(|| { pause(2000); 0 });
                let after = [named(sys!(SYS_kill, roots, 0)), named(sys!(SYS_kill, mine, SIGKILL))]; reap(mine); format!("{before} {after:?}")
            });
            sys!(SYS_kill, roots, SIGKILL); reap(roots); text
        }));
        o.s(told(|| {
            block(&[SIGUSR1]); let me = sys!(SYS_getpid) as i32;
            let sent = told(move || { sys!(SYS_setresuid, 1000, 0, 0); sys!(SYS_unshare, CLONE_NEWUSER); named(sys!(SYS_kill, me, SIGUSR1)) });
            let mut info = [0i32; 32]; let set = 1u64 << (SIGUSR1 - 1); let limit = ms(1000);
            let got = named(sys!(SYS_rt_sigtimedwait, &raw const set, info.as_mut_ptr(), &raw const limit, 8)); format!("{sent} {got} {}", info[5])
        }));
        o.s(told(|| {
            let p = pipe(0);
            let pid = spawn(|| {
                block(&[SIGUSR1]); sys!(SYS_unshare, CLONE_NEWUSER); write(p[1], b"x");
                let mut info = [0i32; 32]; let set = 1u64 << (SIGUSR1 - 1); let limit = ms(2000);
                sys!(SYS_rt_sigtimedwait, &raw const set, info.as_mut_ptr(), &raw const limit, 8); write(p[1], info[5].to_string().as_bytes()); 0
            });
            read(p[0]); sys!(SYS_kill, pid, SIGUSR1); reap(pid); read(p[0])
        }));
    }
    "user-sockets" => |o| {
        let mut s = [0i32; 2]; sys!(SYS_socketpair, AF_UNIX, SOCK_DGRAM, 0, s.as_mut_ptr()); let on = 1i32;
        for fd in s { sys!(SYS_setsockopt, fd, SOL_SOCKET, SO_PASSCRED, &raw const on, 4); }
        let peer = |fd: i32| { let mut c = [0u32; 3]; let mut len = 12u32; sys!(SYS_getsockopt, fd, SOL_SOCKET, SO_PEERCRED, c.as_mut_ptr(), &raw mut len); format!("{}:{}", c[1], c[2]) };
        let take = |fd: i32| {
            let mut byte = [0u8; 1]; let mut control = [0u32; 16]; let mut iov = iovec { iov_base: byte.as_mut_ptr().cast(), iov_len: 1 };
            // SAFETY: a plain structure of integers and pointers.
            let mut m: msghdr = unsafe { std::mem::zeroed() };
            m.msg_iov = &raw mut iov; m.msg_iovlen = 1; m.msg_control = control.as_mut_ptr().cast(); m.msg_controllen = 64;
            sys!(SYS_recvmsg, fd, &raw mut m, MSG_DONTWAIT); format!("{}:{}", control[5], control[6])
        };
        let give = |fd: i32, uid: u32, gid: u32| {
            let byte = [0u8; 1]; let mut iov = iovec { iov_base: byte.as_ptr().cast_mut().cast(), iov_len: 1 };
            let control = [28u32, 0, SOL_SOCKET as u32, SCM_CREDENTIALS as u32, sys!(SYS_getpid) as u32, uid, gid, 0];
            // SAFETY: a plain structure of integers and pointers.
            let mut m: msghdr = unsafe { std::mem::zeroed() };
            m.msg_iov = &raw mut iov; m.msg_iovlen = 1; m.msg_control = control.as_ptr().cast_mut().cast(); m.msg_controllen = 32;
            named(sys!(SYS_sendmsg, fd, &raw const m, 0))
        };
        o.s(as_own_root(0, || { let sent = [named(write(s[0], b"x")), give(s[0], 0, 0), give(s[0], 1000, 1000), give(s[0], 1, 0)]; format!("{} {sent:?}", peer(s[0])) }));
        o.s(take(s[1])); o.s(take(s[1])); write(s[0], b"x");
        o.s(as_own_root(0, || take(s[1]))); o.s(peer(s[0]));
    }
    "user-shared-memory" => |o| {
        let id = sys!(SYS_shmget, IPC_PRIVATE, 4096, 0o600) as i32;
        let owner = move || { let mut s = [0u32; 28]; let r = named(sys!(SYS_shmctl, id, IPC_STAT, s.as_mut_ptr())); format!("{r} {}:{} {}:{}", s[1], s[2], s[3], s[4]) };
        let mut s = [0u32; 28]; sys!(SYS_shmctl, id, IPC_STAT, s.as_mut_ptr()); (s[1], s[2]) = (1000, 1000); o.v(sys!(SYS_shmctl, id, IPC_SET, s.as_ptr()));
        o.s(owner()); o.s(as_own_root(0, move || { let first = owner(); let mut s = [0u32; 28]; s[1] = 7; format!("{first} {}", named(sys!(SYS_shmctl, id, IPC_SET, s.as_ptr()))) })); o.v(sys!(SYS_shmctl, id, IPC_RMID, 0));
    }
    "user-mounts" => |o| {
        sys!(SYS_mkdir, c"d", 0o777); sys!(SYS_mkdir, c"e", 0o777); sys!(SYS_mkdir, c"b", 0o777); sys!(SYS_chmod, c".", 0o777);
        o.s(told(|| {
            sys!(SYS_unshare, CLONE_NEWNS); sys!(SYS_mount, c"none", c"/", 0, MS_PRIVATE | MS_REC, 0);
            sys!(SYS_mount, c"x", c"d", c"tmpfs", MS_NOSUID | MS_RDONLY, 0); sys!(SYS_mount, c"x", c"e", c"tmpfs", 0, 0); sys!(SYS_mount, c"y", c"e", c"tmpfs", 0, 0);
            as_own_root(CLONE_NEWNS, || {
                let locked = [named(sys!(SYS_mount, 0, c"d", 0, MS_REMOUNT | MS_BIND, 0)), named(sys!(SYS_mount, 0, c"d", 0, MS_REMOUNT | MS_BIND | MS_NOSUID | MS_RDONLY | MS_NOEXEC, 0)), named(sys!(SYS_mount, 0, c"d", 0, MS_REMOUNT | MS_RDONLY, 0)), named(sys!(SYS_umount2, c"e", 0)), named(sys!(SYS_umount2, c"e", MNT_DETACH)), named(sys!(SYS_mount, c"e", c"b", 0, MS_MOVE, 0))];
                let own = [named(sys!(SYS_mount, c"x", c"b", c"tmpfs", 0, c"mode=0700,uid=0")), named(sys!(SYS_mount, c"x", c"b", c"tmpfs", 0, c"uid=1")), named(sys!(SYS_mkdir, c"b/in", 0o755)), named(sys!(SYS_mount, c"/", c"b/in", 0, MS_BIND, 0)), named(sys!(SYS_mount, c"/", c"b/in", 0, MS_BIND | MS_REC, 0)), named(sys!(SYS_umount2, c"b/in", MNT_DETACH)), named(sys!(SYS_umount2, c"b", 0))];
                format!("{locked:?} {own:?} {}", named(sys!(SYS_mount, c"x", c"b", c"no such type", 0, 0)))
            })
        }));
    }
    "user-enter" => |o| {
        // Its own, one above and one below; what is asked of the files.
        let outer = open(c"/proc/self/ns/user", O_RDONLY); let uts = open(c"/proc/self/ns/uts", O_RDONLY);
        o.v(sys!(SYS_setns, outer, CLONE_NEWUSER)); o.v(sys!(SYS_setns, outer, CLONE_NEWUTS)); o.v(sys!(SYS_ioctl, outer, NS_GET_PARENT)); o.v(sys!(SYS_ioctl, outer, NS_GET_USERNS)); o.v(sys!(SYS_ioctl, uts, NS_GET_PARENT)); o.v(sys!(SYS_ioctl, uts, NS_GET_OWNER_UID, 0)); o.v(sys!(SYS_ioctl, uts, 0xb7ff));
        let user = sys!(SYS_ioctl, uts, NS_GET_USERNS) as i32; o.s(fstat(user).st_ino == number("user")); o.s(sys!(SYS_fcntl, user, F_GETFD, 0));
        o.s(as_own_root(0, || [named(sys!(SYS_setns, outer, 0)), named(sys!(SYS_setns, outer, CLONE_NEWUSER)), named(sys!(SYS_setns, uts, 0)), named(sys!(SYS_ioctl, uts, NS_GET_USERNS)), named(sys!(SYS_ioctl, outer, NS_GET_PARENT))].join(" ")));
        o.s(by_user(|| {
            let (up, down) = (pipe(0), pipe(0));
            let pid = spawn(|| { sys!(SYS_unshare, CLONE_NEWUSER | CLONE_NEWUTS); put("/proc/self/setgroups", "deny"); put("/proc/self/gid_map", "0 1000 1"); put("/proc/self/uid_map", "0 1000 1"); sys!(SYS_sethostname, c"inside", 6); write(up[1], b"x"); read(down[0]); 0 });
            read(up[0]); let at = |kind: &str| open(&CString::new(format!("/proc/{pid}/ns/{kind}")).expect("a path"), O_RDONLY);
            let (user, uts) = (at("user"), at("uts")); let mut owner = 77u32;
            let asked = [named(sys!(SYS_ioctl, user, NS_GET_OWNER_UID, &raw mut owner)), owner.to_string(), (fstat(sys!(SYS_ioctl, user, NS_GET_PARENT) as i32).st_ino == number("user")).to_string(), (fstat(sys!(SYS_ioctl, uts, NS_GET_USERNS) as i32).st_ino == fstat(user).st_ino).to_string()];
            let by_one = told(|| { let first = named(sys!(SYS_setns, uts, 0)); let r = [named(sys!(SYS_setns, user, CLONE_NEWUSER)), named(sys!(SYS_setns, uts, CLONE_NEWUTS))]; format!("{first} {r:?} {} {}", ids(), text("/proc/sys/kernel/hostname")) });
            let by_process = told(|| { let fd = sys!(SYS_pidfd_open, pid, 0) as i32; let r = [named(sys!(SYS_setns, fd, 0)), named(sys!(SYS_setns, fd, CLONE_NEWUTS)), named(sys!(SYS_setns, fd, CLONE_NEWUSER | CLONE_NEWUTS))]; format!("{r:?} {} {}", ids(), text("/proc/sys/kernel/hostname")) });
            write(down[1], b"x"); reap(pid); format!("{asked:?} {by_one} {by_process}")
        }));
    }
    "user-looking" => |o| {
        // Who made a namespace may look at what is in it; who is in it not at what is outside.
        o.s(by_user(|| {
            let (up, down) = (pipe(0), pipe(0)); let outside = sys!(SYS_getpid) as i32;
            let pid = spawn(|| { sys!(SYS_unshare, CLONE_NEWUSER); put("/proc/self/uid_map", "0 1000 1"); write(up[1], b"x"); read(down[0]); let cwd = std::fs::read_link(format!("/proc/{outside}/cwd")); write(up[1], if cwd.is_ok() { b"seen" } else { b"hidden" }); 0 });
            read(up[0]); let seen = std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok(); let status = line(&format!("/proc/{pid}/status"), "Uid:"); write(down[1], b"x"); let inside = read(up[0]); reap(pid); format!("{seen} {status} {inside}")
        }));
    }
    "pid-numbers" => |o| {
        o.s(in_new_pids(|| {
            let own = format!("{} {} {} {} {}", sys!(SYS_getpid), sys!(SYS_gettid), sys!(SYS_getppid), sys!(SYS_getpgid, 0), sys!(SYS_getsid, 0));
            let child = spawn(|| { pause(100); 0 }); let group = [named(sys!(SYS_setpgid, child, 0)), named(sys!(SYS_getpgid, child)), named(sys!(SYS_getpgid, 1))]; let ended = reap(child);
            let from_child = told(|| format!("{} {} {}", sys!(SYS_getpid), sys!(SYS_getppid), named(sys!(SYS_setsid))));
            let second = std::thread::spawn(|| sys!(SYS_gettid)).join().unwrap_or(0);
            format!("{own} | {child} {group:?} {ended} | {from_child} | {second}")
        }));
    }
    "pid-wait" => |o| {
        o.s(in_new_pids(|| {
            let pid = spawn(|| 7); let mut status = 0i32; let got = sys!(SYS_wait4, pid, &raw mut status, 0, 0);
            let other = spawn(|| 3); let mut info = [0i32; 32]; sys!(SYS_waitid, P_PID, other, info.as_mut_ptr(), WEXITED, 0);
            let mut set_tid = 0i32; let mut parent_tid = 0i32;
            let pid2 = sys!(SYS_clone, CLONE_CHILD_SETTID | CLONE_PARENT_SETTID | SIGCHLD, 0, &raw mut parent_tid, &raw mut set_tid, 0);
            if pid2 == 0 { sys!(SYS_exit_group, i32::from(i64::from(set_tid) != sys!(SYS_getpid))); }
            format!("{pid} {got} {} {other} {} {} {pid2} {parent_tid} {} {}", WEXITSTATUS(status), info[3], info[6], reap(pid2 as i32), named(sys!(SYS_wait4, 1, 0, WNOHANG, 0)))
        }));
    }
    "pid-signals-to-the-first" => |o| {
        // From inside it only gets what it handles; from outside SIGKILL ends it.
        o.s(in_new_pids(|| {
            let to_init = |n: i32| told(move || named(sys!(SYS_kill, 1, n)));
            let sent = [to_init(SIGTERM), to_init(SIGKILL), to_init(SIGSTOP), to_init(0)]; let itself = [named(sys!(SYS_kill, 1, SIGKILL)), named(sys!(SYS_kill, 1, SIGTERM))];
            block(&[SIGUSR1]); let r = to_init(SIGUSR1); let mut info = [0i32; 32]; let set = 1u64 << (SIGUSR1 - 1); let limit = ms(1000);
            let got = named(sys!(SYS_rt_sigtimedwait, &raw const set, info.as_mut_ptr(), &raw const limit, 8));
            format!("{sent:?} {itself:?} {r} {got} {}", info[4] > 1)
        }));
        for n in [SIGTERM, SIGKILL, SIGSTOP] {
            let pid = start_in_new_pids(|| { pause(600); 5 }); pause(100); o.v(sys!(SYS_kill, pid, n)); let mut status = 0i32;
            if n == SIGSTOP { o.s(sys!(SYS_wait4, pid, &raw mut status, WUNTRACED, 0) == i64::from(pid)); o.s(status); sys!(SYS_kill, pid, SIGCONT); }
            o.s(reap(pid));
        }
        let p = pipe(0);
        let pid = start_in_new_pids(|| {
            block(&[SIGUSR1]); write(p[1], b"x"); let mut info = [0i32; 32]; let set = 1u64 << (SIGUSR1 - 1); let limit = ms(2000);
            sys!(SYS_rt_sigtimedwait, &raw const set, info.as_mut_ptr(), &raw const limit, 8); info[4]
        });
        read(p[0]); o.v(sys!(SYS_kill, pid, SIGUSR1)); o.s(reap(pid));
        // A fault is its own.
        let pid = start_in_new_pids(|| { sys!(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0); let at = std::hint::black_box(8usize) as *const i32;
            // SAFETY: none: it is to fault.
            unsafe { at.read_volatile() } }); o.s(reap(pid));
    }
    "pid-end" => |o| {
        // With the first all others end, and what has lost its parent is the first one's.
        let p = pipe(0); let t = std::time::Instant::now();
        let pid = start_in_new_pids(|| { for _ in 0..3 { spawn(|| { write(p[1], b"x"); spawn(|| { pause(20_000); 0 }); pause(20_000); 0 }); } for _ in 0..3 { let mut b = [0u8; 1]; sys!(SYS_read, p[0], b.as_mut_ptr(), 1); } 9 });
        close(p[1]); o.s(reap(pid)); o.s(whole(p[0]).len()); o.s(t.elapsed() < Duration::from_secs(10));
        o.s(in_new_pids(|| {
            let p = pipe(0);
            let middle = spawn(|| { spawn(|| { pause(150); write(p[1], sys!(SYS_getppid).to_string().as_bytes()); 4 }); 0 }); reap(middle);
            close(p[1]); let parent = whole(p[0]); let mut status = 0i32; let orphan = sys!(SYS_wait4, -1, &raw mut status, 0, 0); format!("{parent} {} {}", orphan > 1, WEXITSTATUS(status))
        }));
        o.s(told(|| { sys!(SYS_unshare, CLONE_NEWPID); let first = child(|| 0); let p = unsafe { fork() }; if p == 0 { unsafe { _exit(0) } } format!("{first} {}", named(p.into())) }));
    }
    "pid-unshare" => |o| {
        o.s(told(|| {
            let before = number("pid"); let r = named(sys!(SYS_unshare, CLONE_NEWPID)); let same = number("pid") == before; let link = std::fs::read_link("/proc/self/ns/pid_for_children").map(|_| "there".into()).unwrap_or_else(|e| errno_name(e.raw_os_error().unwrap_or(0)));
            let again = named(sys!(SYS_unshare, CLONE_NEWPID)); let thread = named(sys!(SYS_clone, CLONE_VM | CLONE_SIGHAND | CLONE_THREAD, 0, 0, 0, 0));
            let q = pipe(0); let first = spawn(|| { let mut b = [0u8; 1]; sys!(SYS_read, q[0], b.as_mut_ptr(), 1); i32::from(sys!(SYS_getpid) != 1) });
            let differs = number("pid_for_children") != before; let second = told(|| sys!(SYS_getpid).to_string()); write(q[1], b"x");
            format!("{r} {same} {link} {again} {thread} {differs} {second} {}", reap(first))
        }));
        o.v(sys!(SYS_clone, CLONE_NEWPID | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM, 0, 0, 0, 0)); o.s(as_user(|| sys!(SYS_unshare, CLONE_NEWPID)));
        o.s(as_own_root(CLONE_NEWPID, || told(|| format!("{} {}", sys!(SYS_getpid), ids()))));
    }
    "pid-enter" => |o| {
        let p = pipe(0); let q = pipe(0); let outer = open(c"/proc/self/ns/pid", O_RDONLY);
        let pid = start_in_new_pids(|| { write(p[1], b"x"); let mut b = [0u8; 1]; sys!(SYS_read, q[0], b.as_mut_ptr(), 1); 0 }); read(p[0]);
        let ns = open(&CString::new(format!("/proc/{pid}/ns/pid")).expect("a path"), O_RDONLY);
        o.s(told(|| { let r = named(sys!(SYS_setns, ns, CLONE_NEWPID)); let inside = told(|| { let back = named(sys!(SYS_setns, outer, 0)); format!("{} {} {back}", sys!(SYS_getpid), sys!(SYS_getppid)) }); let back = named(sys!(SYS_setns, outer, 0)); format!("{r} {inside} {back} {}", told(|| (sys!(SYS_getppid) != 0).to_string())) }));
        o.s(fstat(sys!(SYS_ioctl, ns, NS_GET_PARENT) as i32).st_ino == number("pid")); o.v(sys!(SYS_ioctl, outer, NS_GET_PARENT)); o.v(sys!(SYS_ioctl, ns, NS_GET_OWNER_UID, 0));
        o.s(line(&format!("/proc/{pid}/status"), "NSpid:").ends_with(" 1")); o.s(line(&format!("/proc/{pid}/status"), "NSpid:").split(' ').count());
        write(q[1], b"x"); o.s(reap(pid));
    }
    "pid-proc" => |o| {
        sys!(SYS_mkdir, c"p", 0o755);
        o.s(told(|| {
            sys!(SYS_unshare, CLONE_NEWPID | CLONE_NEWNS); sys!(SYS_mount, c"none", c"/", 0, MS_PRIVATE | MS_REC, 0);
            told(|| {
                let mounted = named(sys!(SYS_mount, c"proc", c"p", c"proc", 0, 0)); let pid = spawn(|| { pause(400); 0 }); pause(50);
                let mut seen: Vec<i32> = std::fs::read_dir("p").expect("a directory").filter_map(|e| e.ok()?.file_name().to_str()?.parse().ok()).collect(); seen.sort_unstable();
                let own = std::fs::read_link("p/self").map(|l| l.display().to_string()).unwrap_or_default(); let outer = std::fs::read_link("/proc/self").map(|l| l.display().to_string()).unwrap_or_default();
                let told_of = [line("p/1/status", "Pid:"), line("p/1/status", "PPid:"), line("p/1/status", "NSpid:"), line("p/2/status", "PPid:"), line("p/2/stat", "2").split(' ').filter(|w| w.parse::<i32>().is_ok()).take(3).collect::<Vec<_>>().join(",")];
                reap(pid); format!("{mounted} {seen:?} {own} {} {told_of:?}", outer == "1")
            })
        }));
    }
    "pid-credentials" => |o| {
        let mut s = [0i32; 2]; sys!(SYS_socketpair, AF_UNIX, SOCK_DGRAM, 0, s.as_mut_ptr()); let on = 1i32;
        for fd in s { sys!(SYS_setsockopt, fd, SOL_SOCKET, SO_PASSCRED, &raw const on, 4); }
        let take = |fd: i32| {
            let mut byte = [0u8; 1]; let mut control = [0u32; 16]; let mut iov = iovec { iov_base: byte.as_mut_ptr().cast(), iov_len: 1 };
            // SAFETY: a plain structure of integers and pointers.
            let mut m: msghdr = unsafe { std::mem::zeroed() };
            m.msg_iov = &raw mut iov; m.msg_iovlen = 1; m.msg_control = control.as_mut_ptr().cast(); m.msg_controllen = 64;
            sys!(SYS_recvmsg, fd, &raw mut m, 0); control[4]
        };
        let lock = file(c"lock", b"x"); let region = |kind: i32| [kind as u64 & 0xffff, 0, 0, 0];
        o.v(sys!(SYS_fcntl, lock, F_SETLK, region(F_WRLCK).as_ptr()));
        let pid = start_in_new_pids(|| { write(s[0], b"x"); let outer = take(s[0]); let mut at = region(F_WRLCK); sys!(SYS_fcntl, lock, F_GETLK, at.as_mut_ptr()); (outer * 2 + at[3] as u32) as i32 });
        o.s(take(s[1]) == pid as u32); write(s[1], b"x"); o.s(reap(pid));
    }
    "limits-of-ipc" => |o| {
        let own = || ["kernel/shmmni", "kernel/msgmax", "kernel/sem", "fs/mqueue/msg_max"].map(|name| text(&format!("/proc/sys/{name}")).trim().replace('\t', " ")).join(" ");
        o.s(told(|| {
            sys!(SYS_unshare, CLONE_NEWIPC);
            let before = own();
            let puts = [put("/proc/sys/kernel/shmmni", "1"), put("/proc/sys/kernel/msgmax", "100"), put("/proc/sys/fs/mqueue/msg_max", "20")].join(" ");
            let made = [sys!(SYS_shmget, 0, 4096, 0o1600), sys!(SYS_shmget, 0, 4096, 0o1600)].map(done).join(" ");
            let within = own();
            let inner = told(|| { sys!(SYS_unshare, CLONE_NEWIPC); own() });
            format!("{before} | {puts} | {made} | {within} | {inner}")
        }));
        o.s(own());
    }
    "ipc" => |o| {
        let key = 0x6e73_0001; let id = sys!(SYS_shmget, key, 4096, IPC_CREAT | 0o600) as i32; let sem = sys!(SYS_semget, key, 1, IPC_CREAT | 0o600) as i32; let msg = sys!(SYS_msgget, key, IPC_CREAT | 0o600) as i32;
        let outer = open(c"/proc/self/ns/ipc", O_RDONLY); sys!(SYS_mq_unlink, c"abi-probe-ns"); let queue = sys!(SYS_mq_open, c"abi-probe-ns", O_CREAT | O_RDWR, 0o600, 0) as i32;
        o.v(sys!(SYS_clone, CLONE_NEWIPC | CLONE_SYSVSEM | SIGCHLD, 0, 0, 0, 0));
        o.s(told(|| {
            let undo = [0u16, 3, SEM_UNDO as u16]; sys!(SYS_semop, sem, undo.as_ptr(), 1); let before = named(sys!(SYS_semctl, sem, 0, GETVAL, 0));
            let made = named(sys!(SYS_unshare, CLONE_NEWIPC));
            let missing = [named(sys!(SYS_shmget, key, 4096, 0)), named(sys!(SYS_semget, key, 1, 0)), named(sys!(SYS_msgget, key, 0)), named(sys!(SYS_shmat, id, 0, 0)), named(sys!(SYS_msgctl, msg, IPC_STAT, 0)), named(sys!(SYS_mq_open, c"abi-probe-ns", O_RDWR, 0, 0))];
            let own = [done(sys!(SYS_shmget, key, 4096, IPC_CREAT | IPC_EXCL | 0o600)), done(sys!(SYS_mq_open, c"abi-probe-ns", O_CREAT | O_EXCL | O_RDWR, 0o600, 0))];
            let held = [done(sys!(SYS_mq_timedsend, queue, c"x", 1, 0, 0))]; let lines = std::fs::read_to_string("/proc/sysvipc/shm").unwrap_or_default().lines().count();
            let back = named(sys!(SYS_setns, outer, CLONE_NEWIPC)); let after = [named(sys!(SYS_semctl, sem, 0, GETVAL, 0)), done(sys!(SYS_shmget, key, 4096, 0))];
            format!("{before} {made} {missing:?} {own:?} {held:?} {lines} {back} {after:?}")
        }));
        sys!(SYS_mkdir, c"q", 0o755);
        o.s(told(|| { sys!(SYS_unshare, CLONE_NEWIPC | CLONE_NEWNS); sys!(SYS_mount, c"none", c"/", 0, MS_PRIVATE | MS_REC, 0); let r = named(sys!(SYS_mount, c"mq", c"q", c"mqueue", 0, 0)); sys!(SYS_mq_open, c"own", O_CREAT | O_RDWR, 0o600, 0); let names: Vec<String> = std::fs::read_dir("q").expect("a directory").filter_map(|e| Some(e.ok()?.file_name().to_string_lossy().into_owned())).collect(); format!("{r} {names:?}") }));
        o.s(as_user(|| sys!(SYS_unshare, CLONE_NEWIPC))); o.s(as_own_root(CLONE_NEWIPC, || done(sys!(SYS_shmget, IPC_PRIVATE, 4096, 0o600))));
        sys!(SYS_mq_unlink, c"abi-probe-ns"); sys!(SYS_shmctl, id, IPC_RMID, 0); sys!(SYS_semctl, sem, 0, IPC_RMID, 0); sys!(SYS_msgctl, msg, IPC_RMID, 0);
    }
    "net-loopback" => |o| {
        o.s(told(|| {
            let made = named(sys!(SYS_unshare, CLONE_NEWNET));
            let down = [to_tcp([127, 0, 0, 1], 9), to_tcp([0, 0, 0, 0], 9), to_tcp([192, 0, 2, 1], 9), to_udp([127, 0, 0, 1]), to_udp([192, 0, 2, 1]), bound([127, 0, 0, 1], 0), bound([0, 0, 0, 0], 0), bound([192, 0, 2, 1], 0)];
            let flags = format!("{:x}", lo_flags(None).unwrap_or(0)); let devices = text("/proc/net/dev").matches("lo:").count() * 10 + text("/proc/net/dev").matches(':').count();
            let up = lo_flags(Some(1)).map_or_else(|e| e, |_| "up".into()); let after = format!("{:x}", lo_flags(None).unwrap_or(0));
            let now = [to_tcp([127, 0, 0, 1], 9), to_tcp([192, 0, 2, 1], 9), to_udp([127, 0, 0, 1]), bound([127, 0, 0, 1], 0), bound([127, 0, 0, 1], 80), echo()];
            let again = [lo_flags(Some(0)).map_or_else(|e| e, |_| "down".into()), format!("{:x}", lo_flags(None).unwrap_or(0))];
            format!("{made} {down:?} {flags} {devices} {up} {after} {now:?} {again:?}")
        }));
    }
    "net-names" => |o| {
        let listener = unix_at(b"\0abi-probe-net"); o.v(sys!(SYS_listen, listener, 5)); let by_path = unix_at(b"sock"); sys!(SYS_listen, by_path, 5); sys!(SYS_chmod, c"sock", 0o777);
        let outer = open(c"/proc/self/ns/net", O_RDONLY);
        o.s(told(|| {
            let before = unix_to(b"\0abi-probe-net"); let kept = sys!(SYS_socket, AF_UNIX, SOCK_STREAM, 0) as i32; sys!(SYS_unshare, CLONE_NEWNET);
            let inside = [unix_to(b"\0abi-probe-net"), unix_to(b"sock")]; let old = done(unix_call(kept, b"\0abi-probe-net", true));
            let own = unix_at(b"\0abi-probe-net"); let lines = std::fs::read_to_string("/proc/net/unix").unwrap_or_default().matches("abi-probe-net").count();
            let back = named(sys!(SYS_setns, outer, CLONE_NEWNET)); format!("{before} {inside:?} {old} {} {lines} {back} {}", own >= 0, unix_to(b"\0abi-probe-net"))
        }));
    }
    "net-ports" => |o| {
        let l = sys!(SYS_socket, AF_INET, SOCK_STREAM, 0) as i32; let mut a = internet([127, 0, 0, 1], 0); sys!(SYS_bind, l, a.as_ptr(), 16); sys!(SYS_listen, l, 5); let mut len = 16u32; sys!(SYS_getsockname, l, a.as_mut_ptr(), &raw mut len); let port = u16::from_be_bytes([a[2], a[3]]);
        o.s(told(|| {
            let kept = sys!(SYS_socket, AF_INET, SOCK_STREAM, 0) as i32; sys!(SYS_unshare, CLONE_NEWNET); let _ = lo_flags(Some(1));
            let inside = [to_tcp([127, 0, 0, 1], port), bound([127, 0, 0, 1], port)]; let to = internet([127, 0, 0, 1], port); let old = done(sys!(SYS_connect, kept, to.as_ptr(), 16));
            let tcp = std::fs::read_to_string("/proc/net/tcp").unwrap_or_default().lines().count(); let outer = std::fs::read_to_string(format!("/proc/{}/net/tcp", sys!(SYS_getppid))).unwrap_or_default().lines().count(); format!("{inside:?} {old} {tcp} {}", outer > 1)
        }));
    }
    "net-routes" => |o| {
        o.s(told(|| {
            sys!(SYS_unshare, CLONE_NEWNET);
            let before = [asked(18, 0x300, &[0; 16]), asked(22, 0x300, &[0; 16]), asked(26, 0x300, &[0; 16])];
            let mut address = vec![2u8, 8, 0x80, 254, 1, 0, 0, 0, 8, 0, 2, 0, 127, 0, 0, 1]; address.extend_from_slice(&[8, 0, 1, 0, 127, 0, 0, 1]);
            let given = [asked(20, 0x604, &address), asked(20, 0x604, &address)];
            let up = asked(16, 4, &[0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]); format!("{before:?} {given:?} {up} {} {}", to_tcp([127, 0, 0, 1], 9), asked(22, 0x300, &[2, 0, 0, 0, 0, 0, 0, 0]))
        }));
    }
    "net-privileges" => |o| {
        o.s(as_user(|| sys!(SYS_unshare, CLONE_NEWNET)));
        o.s(as_own_root(CLONE_NEWNET, || [lo_flags(Some(1)).map_or_else(|e| e, |_| "up".into()), echo(), bound([0, 0, 0, 0], 80), done(sys!(SYS_socket, AF_INET, SOCK_RAW, 1))].join(" ")));
        o.s(as_own_root(0, || [bound([0, 0, 0, 0], 81), done(sys!(SYS_socket, AF_INET, SOCK_RAW, 1))].join(" ")));
    }
    "limits" => |o| {
        // They are there, and only the administrator's to change.
        for kind in ["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"] {
            let path = format!("/proc/sys/user/max_{kind}_namespaces"); o.s(text(&path).parse::<u32>().is_ok_and(|most| most > 0)); o.s(by_user(|| put(&path, "5")));
        }
    }
    "cgroup" => |o| {
        let before = number("cgroup"); let fd = open(c"/proc/self/ns/cgroup", O_RDONLY);
        o.s(told(|| { let r = named(sys!(SYS_unshare, CLONE_NEWCGROUP)); let other = number("cgroup") != before; let back = named(sys!(SYS_setns, fd, CLONE_NEWCGROUP)); format!("{r} {other} {back} {}", number("cgroup") == before) }));
        o.s(as_user(|| sys!(SYS_unshare, CLONE_NEWCGROUP)));
    }
}
