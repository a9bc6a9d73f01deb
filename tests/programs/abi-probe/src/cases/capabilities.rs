//! Capabilities: the sets, what changes them, and what each is asked for.

use super::util::*;
use crate::harness::errno_name;
use crate::{cases, sys};

const VERSION_3: u32 = 0x2008_0522;
const CHOWN: u32 = 0;
const DAC_OVERRIDE: u32 = 1;
const DAC_READ_SEARCH: u32 = 2;
const FOWNER: u32 = 3;
const FSETID: u32 = 4;
const KILL: u32 = 5;
const SETGID: u32 = 6;
const SETUID: u32 = 7;
const SETPCAP: u32 = 8;
const NET_BIND_SERVICE: u32 = 10;
const NET_ADMIN: u32 = 12;
const NET_RAW: u32 = 13;
const IPC_LOCK: u32 = 14;
const IPC_OWNER: u32 = 15;
const SYS_CHROOT: u32 = 18;
const SYS_PTRACE: u32 = 19;
const SYS_PACCT: u32 = 20;
const SYS_ADMIN: u32 = 21;
const SYS_BOOT: u32 = 22;
const SYS_NICE: u32 = 23;
const SYS_RESOURCE: u32 = 24;
const SYS_TIME: u32 = 25;
const MKNOD: u32 = 27;
const SETFCAP: u32 = 31;
const SYSLOG: u32 = 34;

/// Sets a set: effective, permitted, inheritable.
fn capset(effective: u64, permitted: u64, inheritable: u64) -> i64 {
    let head = [VERSION_3, 0];
    let low = |set: u64| set as u32;
    let high = |set: u64| (set >> 32) as u32;
    let data = [low(effective), low(permitted), low(inheritable), high(effective), high(permitted), high(inheritable)];
    sys!(SYS_capset, head.as_ptr(), data.as_ptr())
}

/// The five sets, as `/proc` shows them.
fn shown() -> String {
    let text = std::fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
    let of = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map_or(0, |set| u64::from_str_radix(set.trim(), 16).unwrap_or(99));
    ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"].map(|name| format!("{:x}", of(name))).join(",")
}

/// What a child sees that `f` prepares.
fn seen(f: impl FnOnce()) -> String {
    let p = pipe(0);
    child(|| {
        f();
        write(p[1], format!("{}\0", shown()).as_bytes());
        0
    });
    close(p[1]);
    all(p[0])
}

/// Everything up to the end, without the NUL.
fn all(fd: i32) -> String {
    let mut text = String::new();
    let mut buf = [0u8; 512];
    loop {
        let n = sys!(SYS_read, fd, buf.as_mut_ptr(), buf.len());
        if n <= 0 {
            break;
        }
        text.push_str(&String::from_utf8_lossy(&buf[..n as usize]));
    }
    close(fd);
    text.trim_end_matches('\0').to_string()
}

fn set(list: &[u32]) -> u64 {
    list.iter().map(|n| 1u64 << n).sum()
}

/// Becomes user 1000 with these capabilities in effect.
fn become_user(list: &[u32]) {
    sys!(SYS_prctl, PR_SET_KEEPCAPS, 1);
    sys!(SYS_setgroups, 0, 0);
    sys!(SYS_setresgid, 1000, 1000, 1000);
    sys!(SYS_setresuid, 1000, 1000, 1000);
    capset(set(list), set(list), 0);
}

/// How `f` ends for user 1000 without capabilities, and with these.
fn without_and_with(list: &[u32], f: impl Fn() -> i64) -> String {
    let run = |list: &[u32]| {
        let code = child(|| {
            become_user(list);
            code(f())
        });
        if code == 0 { "ok".into() } else { errno_name(code) }
    };
    format!("{}/{}", run(&[]), run(list))
}

/// What a shell, run by execve after `f`, finds in its status: inheritable, permitted, effective, bounding, ambient. Or the error's name.
fn after_exec(program: &std::ffi::CStr, f: impl FnOnce()) -> String {
    let p = pipe(0);
    let ended = child(|| {
        f();
        sys!(SYS_dup2, p[1], 1);
        let script = c"while read k v; do case $k in Cap*) printf %s, ${v##*(0)};; esac; done < /proc/self/status";
        let argv = [c"sh".as_ptr(), c"-c".as_ptr(), script.as_ptr(), std::ptr::null()];
        code(sys!(SYS_execve, program, argv.as_ptr(), 0))
    });
    close(p[1]);
    let text = all(p[0]);
    if ended != 0 { return errno_name(ended) }
    text.trim_end_matches(',').split(',').map(|set| format!("{:x}", u64::from_str_radix(set, 16).unwrap_or(99))).collect::<Vec<_>>().join(",")
}

/// A copy of the shell on a filesystem with attributes, where they count.
fn shell_with(capability: &[u32]) -> &'static std::ffi::CStr {
    sys!(SYS_mkdir, c"d", 0o755);
    sys!(SYS_mount, c"none", c"d", c"tmpfs", 0, 0);
    let bytes = std::fs::read("/bin/sh").expect("a shell");
    std::fs::write("d/sh", bytes).expect("a copy");
    sys!(SYS_chmod, c"d/sh", 0o755);
    sys!(SYS_setxattr, c"d/sh", c"security.capability", capability.as_ptr(), capability.len() * 4, 0);
    c"d/sh"
}

fn bind_port(port: u16) -> i64 {
    let s = sys!(SYS_socket, AF_INET, SOCK_STREAM, 0);
    let address = [AF_INET as u16, port.to_be(), 0x007f_u16, 0x0100, 0, 0, 0, 0];
    sys!(SYS_bind, s, address.as_ptr(), 16)
}

cases! { "capabilities";
    "root" => |o| { o.s(seen(|| {})); o.s(seen(|| { sys!(SYS_setresuid, 0, 1000, 0); })); o.s(seen(|| { sys!(SYS_setresuid, 0, 1000, 0); sys!(SYS_setresuid, 0, 0, 0); })); o.s(seen(|| { sys!(SYS_setresuid, 1000, 1000, 1000); })); }
    "versions" => |o| { for version in [0x1998_0330u32, 0x2007_1026, VERSION_3, 0, 7] { let mut h = [version, 0]; let mut d = [9u32; 6]; o.v(sys!(SYS_capget, h.as_mut_ptr(), d.as_mut_ptr())); o.s(format_args!("{:x}", h[0])); o.s(d[3] == 9); h[0] = version; o.v(sys!(SYS_capget, h.as_mut_ptr(), 0)); } o.v(sys!(SYS_capget, BAD, 0)); let h = [VERSION_3, 0]; o.v(sys!(SYS_capget, h.as_ptr(), BAD)); o.v(sys!(SYS_capset, h.as_ptr(), BAD)); let h = [0u32, 0]; o.v(sys!(SYS_capset, h.as_ptr(), 0)); let h = [VERSION_3, 1]; o.v(sys!(SYS_capset, h.as_ptr(), BAD)); }
    "capset" => |o| { o.s(seen(|| { capset(set(&[KILL]), set(&[KILL, CHOWN]), set(&[CHOWN])); })); o.s(child(|| { let a = capset(set(&[KILL]), set(&[KILL, CHOWN]), 0); let b = code(capset(0, set(&[SETUID]), 0)); let c = code(capset(set(&[SETUID]), set(&[KILL]), 0)); let d = code(capset(0, set(&[KILL]), set(&[SETUID]))); let e = code(capset(0, set(&[KILL]), set(&[CHOWN]))); a as i32 + b * 1 + c * 2 + d * 4 + e * 8 })); o.s(seen(|| { capset(u64::MAX, u64::MAX, u64::MAX); })); o.s(as_user(|| capset(0, 0, 0))); o.s(as_user(|| capset(1, 1, 0))); o.s(as_user(|| capset(0, 0, 1))); }
    "capget-others" => |o| { let pid = spawn(|| { capset(set(&[KILL]), set(&[KILL, CHOWN]), 0); sys!(SYS_pause); 0 }); let mut d = [0u32; 6]; let h = [VERSION_3, pid as u32]; let same = eventually(|| { sys!(SYS_capget, h.as_ptr(), d.as_mut_ptr()); d[0] == 32 }); o.s(same); o.s(d[1]); sys!(SYS_kill, pid, SIGKILL); o.s(reap(pid)); o.v(sys!(SYS_capget, h.as_ptr(), d.as_mut_ptr())); }
    "keep-caps" => |o| { o.s(seen(|| { sys!(SYS_prctl, PR_SET_KEEPCAPS, 1); sys!(SYS_setresuid, 1000, 1000, 1000); })); o.s(seen(|| become_user(&[NET_RAW, KILL]))); o.s(child(|| { sys!(SYS_prctl, PR_SET_KEEPCAPS, 1); sys!(SYS_prctl, PR_GET_KEEPCAPS) as i32 })); o.v(sys!(SYS_prctl, PR_SET_KEEPCAPS, 2)); o.s(after_exec(c"/bin/sh", || become_user(&[NET_RAW]))); }
    "bounding" => |o| { o.s(child(|| { let a = sys!(SYS_prctl, PR_CAPBSET_READ, NET_RAW); let b = sys!(SYS_prctl, PR_CAPBSET_DROP, NET_RAW); let c = sys!(SYS_prctl, PR_CAPBSET_READ, NET_RAW); (a * 100 + b * 10 + c) as i32 })); o.s(seen(|| { sys!(SYS_prctl, PR_CAPBSET_DROP, NET_RAW); })); o.s(after_exec(c"/bin/sh", || { sys!(SYS_prctl, PR_CAPBSET_DROP, NET_RAW); sys!(SYS_prctl, PR_CAPBSET_DROP, KILL); })); o.v(sys!(SYS_prctl, PR_CAPBSET_READ, 41)); o.v(sys!(SYS_prctl, PR_CAPBSET_DROP, 41)); o.s(without_and_with(&[SETPCAP], || sys!(SYS_prctl, PR_CAPBSET_DROP, NET_RAW))); o.s(child(|| { sys!(SYS_prctl, PR_CAPBSET_DROP, NET_RAW); code(capset(u64::MAX, u64::MAX, set(&[NET_RAW]))) })); }
    "ambient" => |o| { let ambient = |op: i32, cap: u32| sys!(SYS_prctl, PR_CAP_AMBIENT, op, cap, 0, 0); o.v(ambient(1, CHOWN)); o.v(ambient(2, CHOWN)); o.v(ambient(2, 41)); o.v(ambient(9, CHOWN)); o.v(sys!(SYS_prctl, PR_CAP_AMBIENT, 2, CHOWN, 1, 0)); o.v(sys!(SYS_prctl, PR_CAP_AMBIENT, 4, 1, 0, 0)); o.v(ambient(4, 0)); o.s(seen(|| { capset(u64::MAX, u64::MAX, set(&[CHOWN])); ambient(2, CHOWN); })); o.s(seen(|| { capset(u64::MAX, u64::MAX, set(&[CHOWN])); ambient(2, CHOWN); ambient(3, CHOWN); })); o.s(seen(|| { capset(u64::MAX, u64::MAX, set(&[CHOWN])); ambient(2, CHOWN); capset(u64::MAX, u64::MAX, 0); })); o.s(after_exec(c"/bin/sh", || { become_user(&[CHOWN, KILL]); capset(0, set(&[CHOWN, KILL]), set(&[CHOWN])); ambient(2, CHOWN); })); }
    "secure-bits" => |o| { o.v(sys!(SYS_prctl, PR_GET_SECUREBITS)); o.v(sys!(SYS_prctl, PR_SET_SECUREBITS, 1 << 20)); o.s(as_user(|| sys!(SYS_prctl, PR_SET_SECUREBITS, 1))); o.s(child(|| { sys!(SYS_prctl, PR_SET_SECUREBITS, 3); let a = code(sys!(SYS_prctl, PR_SET_SECUREBITS, 0)); let b = code(sys!(SYS_prctl, PR_SET_SECUREBITS, 2)); a * 10 + b + sys!(SYS_prctl, PR_GET_SECUREBITS) as i32 * 20 })); o.s(after_exec(c"/bin/sh", || { sys!(SYS_prctl, PR_SET_SECUREBITS, 1); })); o.s(seen(|| { sys!(SYS_prctl, PR_SET_SECUREBITS, 4); sys!(SYS_setresuid, 1000, 1000, 1000); })); o.s(child(|| { sys!(SYS_prctl, PR_SET_SECUREBITS, 0x20); code(sys!(SYS_prctl, PR_SET_KEEPCAPS, 1)) })); o.s(child(|| { sys!(SYS_prctl, PR_SET_SECUREBITS, 0x40); capset(u64::MAX, u64::MAX, 1); code(sys!(SYS_prctl, PR_CAP_AMBIENT, 2, CHOWN, 0, 0)) })); }
    "fsuid" => |o| { o.s(seen(|| { sys!(SYS_setfsuid, 1000); })); o.s(seen(|| { sys!(SYS_setfsuid, 1000); sys!(SYS_setfsuid, 0); })); o.s(seen(|| { sys!(SYS_setresuid, -1, 1000, -1); sys!(SYS_setfsuid, 0); })); }
    "real-root-only" => |o| { o.s(after_exec(c"/bin/sh", || { sys!(SYS_setresuid, 0, 1000, 1000); })); }
    "dumpable" => |o| { o.s(child(|| { sys!(SYS_setresuid, 1000, 1000, 1000); sys!(SYS_prctl, PR_GET_DUMPABLE) as i32 })); o.s(child(|| { capset(0, 0, 0); sys!(SYS_prctl, PR_GET_DUMPABLE) as i32 })); o.s(child(|| { sys!(SYS_prctl, PR_SET_PDEATHSIG, SIGUSR1); sys!(SYS_setresgid, 5, 5, 5); let mut s = 9i32; sys!(SYS_prctl, PR_GET_PDEATHSIG, &raw mut s); s })); }
    "threads" => |o| { o.s(child(|| { let other = std::thread::spawn(|| { sys!(SYS_setresuid, 1000, 1000, 1000); sys!(SYS_geteuid) as i32 + i32::from(shown().starts_with("0,0,0")) }).join().unwrap(); let mine = sys!(SYS_geteuid) as i32; (other == 1001) as i32 * 10 + (mine == 0) as i32 + i32::from(shown().starts_with("0,0,0")) * 100 })); }
    "file-permitted" => |o| { let sh = shell_with(&[0x0200_0001, 1 << NET_RAW, 0, 0, 0]); o.s(after_exec(sh, || become_user(&[]))); o.s(after_exec(sh, || { sys!(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); become_user(&[]); })); o.s(after_exec(sh, || { sys!(SYS_prctl, PR_CAPBSET_DROP, NET_RAW); become_user(&[]); })); o.s(after_exec(sh, || {})); let quiet = [0x0200_0000u32, 1 << NET_RAW, 0, 0, 0]; sys!(SYS_setxattr, sh, c"security.capability", quiet.as_ptr(), 20, 0); o.s(after_exec(sh, || become_user(&[]))); o.s(after_exec(sh, || { sys!(SYS_prctl, PR_CAPBSET_DROP, NET_RAW); become_user(&[]); })); }
    "file-inheritable" => |o| { let sh = shell_with(&[0x0200_0001, 0, 1 << NET_RAW | 1 << KILL, 0, 0]); o.s(after_exec(sh, || become_user(&[]))); o.s(after_exec(sh, || { become_user(&[NET_RAW]); capset(0, set(&[NET_RAW]), set(&[NET_RAW])); })); }
    "file-nosuid" => |o| { let sh = shell_with(&[0x0200_0001, 1 << NET_RAW, 0, 0, 0]); o.v(sys!(SYS_mount, c"none", c"d", 0, MS_REMOUNT | MS_NOSUID, 0)); o.s(after_exec(sh, || become_user(&[]))); }
    "file-and-ambient" => |o| { let sh = shell_with(&[0x0200_0001, 1 << NET_RAW, 0, 0, 0]); o.s(after_exec(sh, || { become_user(&[CHOWN]); capset(0, 1, 1); sys!(SYS_prctl, PR_CAP_AMBIENT, 2, CHOWN, 0, 0); })); }
    "file-revision-3" => |o| { let sh = shell_with(&[0x0300_0001, 1 << NET_RAW, 0, 0, 0, 0]); let mut b = [0u32; 8]; o.v(sys!(SYS_getxattr, sh, c"security.capability", b.as_mut_ptr(), 32)); o.s(format_args!("{:x} {:x}", b[0], b[1])); o.s(after_exec(sh, || become_user(&[]))); }
    "file-forms" => |o| { let sh = shell_with(&[0x0200_0000, 1, 0, 0, 0]); for (magic, len) in [(0x0100_0000u32, 12), (0x0200_0000, 19), (0x0200_0000, 24), (0x0300_0000, 20), (0x0400_0000, 20), (0x0200_0001, 20)] { let v = [magic, 1, 0, 0, 0, 0]; o.v(sys!(SYS_setxattr, sh, c"security.capability", v.as_ptr(), len, 0)); } o.v(sys!(SYS_removexattr, sh, c"security.capability")); }
    "file-lost-by-write" => |o| { let sh = shell_with(&[0x0200_0001, 1, 0, 0, 0]); let has = |o: &mut crate::harness::Out| { o.v(sys!(SYS_getxattr, sh, c"security.capability", 0, 0)); }; has(o); write(open(sh, O_RDWR), b"x"); has(o); let v = [0x0200_0001u32, 1, 0, 0, 0]; sys!(SYS_setxattr, sh, c"security.capability", v.as_ptr(), 20, 0); sys!(SYS_chown, sh, 5, 5); has(o); sys!(SYS_setxattr, sh, c"security.capability", v.as_ptr(), 20, 0); sys!(SYS_truncate, sh, 100); has(o); }
    "setfcap" => |o| { shell_with(&[0x0200_0001, 1, 0, 0, 0]); sys!(SYS_chmod, c"d", 0o777); let v = [0x0200_0001u32, 1, 0, 0, 0]; o.s(without_and_with(&[SETFCAP], || { sys!(SYS_setxattr, c"d/sh", c"security.capability", v.as_ptr(), 20, 0) })); o.s(without_and_with(&[SYS_ADMIN], || sys!(SYS_setxattr, c"d/sh", c"trusted.other", v.as_ptr(), 20, 0))); }
    "chown" => |o| { file(c"f", b""); o.s(without_and_with(&[CHOWN], || sys!(SYS_chown, c"f", 7, 7))); o.s(without_and_with(&[FOWNER], || sys!(SYS_chown, c"f", 7, 7))); }
    "dac" => |o| { file(c"f", b""); sys!(SYS_chmod, c"f", 0o600); sys!(SYS_mkdir, c"d", 0o700); file(c"d/f", b""); for caps in [DAC_OVERRIDE, DAC_READ_SEARCH] { o.s(without_and_with(&[caps], || open(c"f", O_RDONLY).into())); o.s(without_and_with(&[caps], || open(c"f", O_RDWR).into())); o.s(without_and_with(&[caps], || open(c"d", O_RDONLY).into())); o.s(without_and_with(&[caps], || open(c"d/f", O_RDONLY).into())); o.s(without_and_with(&[caps], || sys!(SYS_mknod, c"d/n", S_IFIFO, 0))); sys!(SYS_unlink, c"d/n"); o.s(without_and_with(&[caps], || sys!(SYS_access, c"f", R_OK))); o.s(without_and_with(&[caps], || sys!(SYS_faccessat2, AT_FDCWD, c"f", R_OK, AT_EACCESS))); o.s(without_and_with(&[caps], || sys!(SYS_faccessat2, AT_FDCWD, c"f", X_OK, AT_EACCESS))); } }
    "root-without-dac" => |o| { file(c"f", b""); sys!(SYS_chmod, c"f", 0); o.s(child(|| { capset(0, 0, 0); code(open(c"f", O_RDONLY).into()) })); sys!(SYS_chmod, c"f", 0o400); o.s(child(|| { capset(0, 0, 0); code(open(c"f", O_RDONLY).into()) })); sys!(SYS_chown, c"f", 5, 5); o.s(child(|| { capset(0, 0, 0); code(open(c"f", O_RDONLY).into()) })); o.s(child(|| { capset(0, 0, 0); code(sys!(SYS_chmod, c"f", 0)) })); o.s(child(|| { capset(0, 0, 0); code(sys!(SYS_setresuid, 5, 5, 5)) })); }
    "fowner" => |o| { file(c"f", b""); o.s(without_and_with(&[FOWNER], || sys!(SYS_chmod, c"f", 0o644))); o.s(without_and_with(&[FOWNER], || open(c"f", O_RDONLY | O_NOATIME).into())); let times = [libc::timespec { tv_sec: 1, tv_nsec: 0 }; 2]; o.s(without_and_with(&[FOWNER], || sys!(SYS_utimensat, AT_FDCWD, c"f", times.as_ptr(), 0))); sys!(SYS_mkdir, c"d", 0o777); sys!(SYS_chmod, c"d", 0o1777); file(c"d/f", b""); o.s(without_and_with(&[FOWNER], || sys!(SYS_unlink, c"d/f"))); }
    "fsetid" => |o| { for caps in [&[][..], &[FSETID]] { file(c"f", b""); sys!(SYS_chmod, c"f", 0o6777); child(|| { become_user(caps); write(open(c"f", O_RDWR), b"x"); 0 }); o.s(format_args!("{:o}", stat(c"f").st_mode)); sys!(SYS_chown, c"f", 1000, 5); child(|| { become_user(caps); code(sys!(SYS_chmod, c"f", 0o2755)) }); o.s(format_args!("{:o}", stat(c"f").st_mode)); sys!(SYS_unlink, c"f"); } }
    "kill" => |o| { o.s(without_and_with(&[KILL], || sys!(SYS_kill, 1, 0))); }
    "set-ids" => |o| { o.s(without_and_with(&[SETUID], || sys!(SYS_setuid, 0))); o.s(without_and_with(&[SETUID], || sys!(SYS_setresuid, 5, 6, 7))); o.s(without_and_with(&[SETUID], || sys!(SYS_setgid, 0))); o.s(without_and_with(&[SETGID], || sys!(SYS_setgid, 0))); o.s(without_and_with(&[SETGID], || sys!(SYS_setgroups, 0, 0))); o.s(without_and_with(&[SETGID], || sys!(SYS_setuid, 0))); o.s(seen(|| { become_user(&[SETUID, KILL]); sys!(SYS_setresuid, 0, 0, 0); })); }
    "net" => |o| { o.s(without_and_with(&[NET_BIND_SERVICE], || bind_port(81))); o.s(without_and_with(&[NET_RAW], || sys!(SYS_socket, AF_INET, SOCK_RAW, 1))); o.s(without_and_with(&[NET_ADMIN], || sys!(SYS_socket, AF_INET, SOCK_RAW, 1))); }
    "ipc" => |o| { let limit = [0u64; 2]; o.s(without_and_with(&[IPC_LOCK], || { sys!(SYS_setrlimit, RLIMIT_MEMLOCK, limit.as_ptr()); let page = sys!(SYS_mmap, 0, 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); sys!(SYS_mlock, page, 4096) })); let id = sys!(SYS_msgget, 0, 0o600); o.s(without_and_with(&[IPC_OWNER], || { let mut b = [0u64; 16]; sys!(SYS_msgctl, id, 2, b.as_mut_ptr()) })); o.s(without_and_with(&[IPC_OWNER], || sys!(SYS_msgctl, id, 0, 0))); o.s(without_and_with(&[SYS_ADMIN], || sys!(SYS_msgctl, id, 0, 0))); }
    "system" => |o| { o.s(without_and_with(&[SYS_CHROOT], || sys!(SYS_chroot, c"."))); o.s(without_and_with(&[SYS_ADMIN], || sys!(SYS_sethostname, BAD, 65))); o.s(without_and_with(&[SYS_BOOT], || sys!(SYS_reboot, 1, 2, 3, 0))); o.s(without_and_with(&[SYS_TIME], || sys!(SYS_settimeofday, 0, 0))); o.s(without_and_with(&[SYS_PACCT], || sys!(SYS_acct, 0))); o.s(without_and_with(&[SYSLOG], || sys!(SYS_syslog, 9, 0, 0).min(0))); o.s(without_and_with(&[SYS_ADMIN], || sys!(SYS_mount, c"none", c".", c"nosuch", 0, 0))); o.s(without_and_with(&[SYS_ADMIN], || sys!(SYS_umount2, c".", 0))); }
    "nice" => |o| { let zero = [0u64; 2]; o.s(without_and_with(&[SYS_NICE], || { sys!(SYS_setrlimit, 13, zero.as_ptr()); sys!(SYS_setpriority, 0, 0, -5) })); o.s(without_and_with(&[SYS_NICE], || { let priority = 5i32; sys!(SYS_setrlimit, 14, zero.as_ptr()); sys!(SYS_sched_setscheduler, 0, 1, &raw const priority) })); o.s(without_and_with(&[SYS_NICE], || sys!(SYS_setpriority, 0, 1, 0))); o.s(without_and_with(&[SYS_NICE], || sys!(SYS_ioprio_set, 1, 0, 1 << 13))); }
    "resource" => |o| { o.s(without_and_with(&[SYS_RESOURCE], || { let low = [5u64; 2]; let high = [6u64; 2]; sys!(SYS_setrlimit, RLIMIT_CORE, low.as_ptr()); sys!(SYS_setrlimit, RLIMIT_CORE, high.as_ptr()) })); o.s(without_and_with(&[SYS_RESOURCE], || sys!(SYS_prlimit64, 1, RLIMIT_CORE, 0, 0))); o.s(without_and_with(&[SYS_RESOURCE], || { let p = pipe(0); sys!(SYS_fcntl, p[0], F_SETPIPE_SZ, 2 << 20).min(0) })); }
    "mknod" => |o| { sys!(SYS_mkdir, c"e", 0o777); sys!(SYS_chmod, c"e", 0o777); o.s(without_and_with(&[MKNOD], || sys!(SYS_mknod, c"e/n", S_IFCHR, 0x103))); o.s(without_and_with(&[], || sys!(SYS_mknod, c"e/p", S_IFIFO, 0))); }
    "ptrace" => |o| { o.s(without_and_with(&[SYS_PTRACE], || { let mut b = [0u8; 64]; sys!(SYS_readlink, c"/proc/1/exe", b.as_mut_ptr(), 64).min(0) })); o.s(without_and_with(&[SYS_PTRACE], || { let (mut head, mut len) = (0u64, 0u64); sys!(SYS_get_robust_list, 1, &raw mut head, &raw mut len) })); }
    "ptrace-covers" => |o| { let run = |mine: &[u32], theirs: &[u32]| { let p = pipe(0); let target = spawn(|| { become_user(theirs); sys!(SYS_prctl, PR_SET_DUMPABLE, 1); write(p[1], b"r"); sys!(SYS_pause); 0 }); read(p[0]); let r = child(|| { become_user(mine); let (mut head, mut len) = (0u64, 0u64); code(sys!(SYS_get_robust_list, target, &raw mut head, &raw mut len)) }); sys!(SYS_kill, target, SIGKILL); reap(target); r }; o.s(run(&[], &[])); o.s(run(&[], &[KILL])); o.s(run(&[KILL], &[KILL])); o.s(run(&[SYS_PTRACE], &[KILL])); }
}
