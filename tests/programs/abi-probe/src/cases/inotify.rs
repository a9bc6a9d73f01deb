//! inotify.

use super::util::*;
use crate::{cases, sys};

fn init() -> i32 {
    sys!(SYS_inotify_init1, IN_NONBLOCK) as i32
}
fn watch(fd: i32, path: &std::ffi::CStr, mask: u32) -> i64 {
    sys!(SYS_inotify_add_watch, fd, path, mask)
}
/// All events: watch, mask, number of the cookie (0 none, else by order of appearance), name.
fn events(fd: i32) -> String {
    let mut buf = [0u8; 8192];
    let n = sys!(SYS_read, fd, buf.as_mut_ptr(), buf.len());
    if n < 0 { return error(); }
    let word = |at: usize| u32::from_ne_bytes(buf[at..at + 4].try_into().unwrap());
    let (mut at, mut list, mut cookies) = (0, Vec::new(), Vec::new());
    while at < n as usize {
        let (wd, mask, cookie, len) = (word(at) as i32, word(at + 4), word(at + 8), word(at + 12) as usize);
        let name = String::from_utf8_lossy(&buf[at + 16..at + 16 + len]).trim_end_matches('\0').to_owned();
        let number = if cookie == 0 { 0 } else { cookies.iter().position(|c| *c == cookie).unwrap_or_else(|| { cookies.push(cookie); cookies.len() - 1 }) + 1 };
        list.push(format!("{wd}:{mask:x}:{number}:{name}:{len}"));
        at += 16 + len;
    }
    list.join(",")
}

cases! { "inotify";
    "init" => |o| { let i = init(); o.ok(i.into()); o.s(events(i)); o.v(sys!(SYS_inotify_init1, 1)); o.ok(sys!(SYS_inotify_init)); let c = sys!(SYS_inotify_init1, IN_CLOEXEC); o.v(sys!(SYS_fcntl, c, F_GETFD)); o.s(std::fs::read_link(format!("/proc/self/fd/{i}")).unwrap().display()); }
    "watch-errors" => |o| { let i = init(); o.v(watch(i, c"none", IN_ALL_EVENTS)); o.v(watch(i, c".", 0)); o.v(watch(999, c".", 1)); o.v(watch(0, c".", 1)); file(c"f", b""); o.v(watch(i, c"f", IN_ONLYDIR | 1)); o.v(sys!(SYS_inotify_add_watch, i, BAD, 1)); o.v(sys!(SYS_inotify_rm_watch, i, 77)); o.v(sys!(SYS_inotify_rm_watch, 0, 1)); o.v(watch(i, c".", IN_MASK_ADD | IN_MASK_CREATE | 1)); }
    "watch-numbers" => |o| { let i = init(); sys!(SYS_mkdir, c"d", 0o755); o.v(watch(i, c".", IN_CREATE)); o.v(watch(i, c"d", IN_CREATE)); o.v(watch(i, c".", IN_DELETE)); o.v(sys!(SYS_inotify_rm_watch, i, 1)); o.s(events(i)); o.v(watch(i, c".", IN_CREATE)); o.v(watch(i, c".", IN_MASK_CREATE | IN_CREATE)); }
    "create-write-close" => |o| { let i = init(); watch(i, c".", IN_ALL_EVENTS); let f = file(c"f", b"abc"); close(f); o.s(events(i)); }
    "open-read" => |o| { close(file(c"f", b"abc")); let i = init(); watch(i, c"f", IN_ALL_EVENTS); let f = open(c"f", O_RDONLY); o.s(events(i)); read(f); read(f); o.s(events(i)); close(f); o.s(events(i)); }
    "merge" => |o| { let f = file(c"f", b""); let i = init(); watch(i, c"f", IN_MODIFY); write(f, b"a"); write(f, b"b"); o.s(events(i)); }
    "truncate" => |o| { let f = file(c"f", b"abc"); let i = init(); watch(i, c"f", IN_ALL_EVENTS); sys!(SYS_ftruncate, f, 0); o.s(events(i)); sys!(SYS_truncate, c"f", 3); o.s(events(i)); close(open(c"f", O_TRUNC | O_WRONLY)); o.s(events(i)); }
    "attrib" => |o| { file(c"f", b""); let i = init(); watch(i, c".", IN_ATTRIB); sys!(SYS_chmod, c"f", 0o600); o.s(events(i)); sys!(SYS_chown, c"f", 1, 1); o.s(events(i)); sys!(SYS_utimensat, AT_FDCWD, c"f", 0, 0); o.s(events(i)); sys!(SYS_link, c"f", c"g"); o.s(events(i)); }
    "rename-within" => |o| { close(file(c"f", b"")); let i = init(); watch(i, c".", IN_ALL_EVENTS); sys!(SYS_rename, c"f", c"g"); o.s(events(i)); }
    "rename-between" => |o| { sys!(SYS_mkdir, c"d", 0o755); sys!(SYS_mkdir, c"e", 0o755); close(file(c"d/f", b"")); let i = init(); watch(i, c"d", IN_ALL_EVENTS); watch(i, c"e", IN_ALL_EVENTS); sys!(SYS_rename, c"d/f", c"e/g"); o.s(events(i)); }
    "rename-self" => |o| { close(file(c"f", b"")); let i = init(); watch(i, c"f", IN_ALL_EVENTS); sys!(SYS_rename, c"f", c"g"); o.s(events(i)); }
    "rename-over" => |o| { close(file(c"a", b"")); close(file(c"b", b"")); let i = init(); watch(i, c"b", IN_ALL_EVENTS); sys!(SYS_rename, c"a", c"b"); o.s(events(i)); }
    "rename-directory" => |o| { sys!(SYS_mkdir, c"d", 0o755); let i = init(); watch(i, c".", IN_MOVE); sys!(SYS_rename, c"d", c"e"); o.s(events(i)); }
    "rename-exchange" => |o| { close(file(c"a", b"")); close(file(c"b", b"")); let i = init(); watch(i, c".", IN_MOVE); sys!(SYS_renameat2, AT_FDCWD, c"a", AT_FDCWD, c"b", 2); o.s(events(i)); }
    "delete" => |o| { close(file(c"f", b"")); let i = init(); watch(i, c".", IN_DELETE); sys!(SYS_unlink, c"f"); o.s(events(i)); sys!(SYS_mkdir, c"d", 0o755); sys!(SYS_rmdir, c"d"); o.s(events(i)); }
    "delete-self" => |o| { close(file(c"f", b"")); let i = init(); watch(i, c"f", IN_ALL_EVENTS); sys!(SYS_unlink, c"f"); o.s(events(i)); o.v(sys!(SYS_inotify_rm_watch, i, 1)); }
    "delete-self-directory" => |o| { sys!(SYS_mkdir, c"d", 0o755); let i = init(); watch(i, c"d", IN_ALL_EVENTS); sys!(SYS_rmdir, c"d"); o.s(events(i)); }
    "delete-open" => |o| { let f = file(c"f", b""); let i = init(); watch(i, c"f", IN_ALL_EVENTS); sys!(SYS_unlink, c"f"); o.s(events(i)); close(f); o.s(events(i)); }
    "oneshot" => |o| { let i = init(); watch(i, c".", IN_CREATE | IN_ONESHOT); close(file(c"f", b"")); close(file(c"g", b"")); o.s(events(i)); }
    "mask-add" => |o| { let i = init(); watch(i, c".", IN_CREATE); o.v(watch(i, c".", IN_DELETE | IN_MASK_ADD)); close(file(c"f", b"")); sys!(SYS_unlink, c"f"); o.s(events(i)); }
    "symlink-mknod-link" => |o| { close(file(c"f", b"")); let i = init(); watch(i, c".", IN_CREATE); sys!(SYS_symlink, c"f", c"l"); sys!(SYS_mknod, c"p", S_IFIFO, 0); sys!(SYS_link, c"f", c"h"); sys!(SYS_mkdir, c"d", 0o755); o.s(events(i)); }
    "dont-follow" => |o| { close(file(c"f", b"")); sys!(SYS_symlink, c"f", c"l"); let i = init(); o.v(watch(i, c"l", IN_ALL_EVENTS)); o.v(watch(i, c"l", IN_ALL_EVENTS | IN_DONT_FOLLOW)); o.v(watch(i, c"f", IN_ALL_EVENTS)); }
    "short-buffer" => |o| { let i = init(); watch(i, c".", IN_CREATE); close(file(c"f", b"")); let mut b = [0u8; 64]; o.v(sys!(SYS_read, i, b.as_mut_ptr(), 16)); o.v(sys!(SYS_read, i, b.as_mut_ptr(), 32)); }
    "fionread-poll" => |o| { let i = init(); watch(i, c".", IN_CREATE); let mut p = pollfd { fd: i, events: POLLIN, revents: 0 }; o.v(sys!(SYS_poll, &raw mut p, 1, 0)); close(file(c"f", b"")); let mut n = 0i32; o.v(sys!(SYS_ioctl, i, FIONREAD, &raw mut n)); o.s(n); o.v(sys!(SYS_poll, &raw mut p, 1, 0)); o.v(sys!(SYS_write, i, c"x", 1)); }
    "blocking" => |o| { let i = sys!(SYS_inotify_init1, 0) as i32; watch(i, c".", IN_CREATE); let pid = spawn(|| { std::thread::sleep(std::time::Duration::from_millis(50)); close(file(c"f", b"")); 0 }); o.s(events(i)); reap(pid); }
    "read-directory" => |o| { let i = init(); watch(i, c".", IN_ALL_EVENTS); let _ = std::fs::read_dir(".").unwrap().count(); o.s(events(i)); }
    "excl-unlink" => |o| { let f = file(c"f", b""); let i = init(); watch(i, c".", IN_MODIFY | IN_EXCL_UNLINK); sys!(SYS_unlink, c"f"); write(f, b"x"); o.s(events(i)); }
    "overflow" => |o| {
        let before = std::fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap_or_default(); o.s(before.trim());
        let _ = std::fs::write("/proc/sys/fs/inotify/max_queued_events", "4"); let i = init(); let _ = std::fs::write("/proc/sys/fs/inotify/max_queued_events", &before);
        watch(i, c".", IN_CREATE); for n in [c"1", c"2", c"3", c"4", c"5", c"6"] { close(file(n, b"")); } o.s(events(i));
    }
    "limits" => |o| { for n in ["max_user_instances", "max_queued_events"] { o.s(std::fs::read_to_string(format!("/proc/sys/fs/inotify/{n}")).unwrap_or_default().trim()); } o.s(as_user(|| { for _ in 0..128 { if init() < 0 { return -2 } } init().into() })); }
    "fork-shares" => |o| { let i = init(); watch(i, c".", IN_CREATE); o.s(child(|| { close(file(c"f", b"")); 0 })); o.s(events(i)); }
}
