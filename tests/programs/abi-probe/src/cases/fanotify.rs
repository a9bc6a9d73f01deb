//! fanotify: events by descriptors, marks, permission events.

use std::ffi::CStr;

use super::util::*;
use crate::{cases, sys};

const ALL: u64 = FAN_ACCESS | FAN_MODIFY | FAN_CLOSE | FAN_OPEN;

fn init(flags: u32) -> i32 {
    sys!(SYS_fanotify_init, flags | FAN_NONBLOCK, O_RDONLY) as i32
}

fn mark(fd: i32, flags: u32, mask: u64, path: &CStr) -> i64 {
    sys!(SYS_fanotify_mark, fd, flags, mask, AT_FDCWD, path)
}

/// All events: mask, and the name of the file; descriptors are closed.
fn events(fd: i32) -> String {
    let mut buf = [0u8; 4096];
    let n = sys!(SYS_read, fd, buf.as_mut_ptr(), buf.len());
    if n < 0 {
        return error();
    }
    let word = |at: usize| u32::from_ne_bytes(buf[at..at + 4].try_into().unwrap());
    let mut list = Vec::new();
    for at in (0..n as usize).step_by(24) {
        let (mask, file, pid) = (word(at + 8), word(at + 16) as i32, word(at + 20) as i32);
        let name = std::fs::read_link(format!("/proc/self/fd/{file}")).map_or(String::new(), |path| path.file_name().map_or("/".into(), |name| name.to_string_lossy().into_owned()));
        let mine = i64::from(pid) == sys!(SYS_getpid);
        list.push(format!("{mask:x}:{name}:{}", if mine { "own" } else { "other" }));
        close(file);
    }
    format!("[{}]", list.join(","))
}

/// Waits for a question of `fd`, and answers it: what was asked.
fn answer(fd: i32, with: u32) -> String {
    let mut event = [0u8; 24];
    let mut p = pollfd { fd, events: POLLIN, revents: 0 };
    sys!(SYS_poll, &raw mut p, 1, 10_000);
    if sys!(SYS_read, fd, event.as_mut_ptr(), 24) < 0 {
        return error();
    }
    let word = |at: usize| u32::from_ne_bytes(event[at..at + 4].try_into().unwrap());
    let response = [word(16), with];
    let wrote = sys!(SYS_write, fd, response.as_ptr(), 8);
    close(word(16) as i32);
    format!("{:x}:{wrote}", word(8))
}

cases! { "fanotify";
    "init" => |o| { o.ok(init(0).into()); for flags in [FAN_CLOEXEC, FAN_CLASS_CONTENT, FAN_CLASS_PRE_CONTENT, FAN_CLASS_CONTENT | FAN_CLASS_PRE_CONTENT, FAN_UNLIMITED_QUEUE | FAN_UNLIMITED_MARKS, FAN_REPORT_TID, 1 << 20] { o.ok(sys!(SYS_fanotify_init, flags, O_RDONLY)); } for event_flags in [O_RDWR, O_WRONLY, 3, O_CLOEXEC | O_LARGEFILE, O_CREAT, O_APPEND | O_SYNC | O_NOATIME, 1 << 30] { o.ok(sys!(SYS_fanotify_init, 0, event_flags)); } let f = sys!(SYS_fanotify_init, FAN_CLOEXEC, O_RDONLY); o.v(sys!(SYS_fcntl, f, F_GETFD)); o.v(sys!(SYS_fcntl, f, F_GETFL)); o.s(as_user(|| i64::from(init(0)))); }
    "mark-errors" => |o| { close(file(c"f", b"")); let f = init(0); o.v(mark(f, FAN_MARK_ADD, 0, c"f")); o.v(mark(f, 0, FAN_OPEN, c"f")); o.v(mark(f, FAN_MARK_ADD | FAN_MARK_REMOVE, FAN_OPEN, c"f")); o.v(mark(f, FAN_MARK_ADD, FAN_OPEN, c"none")); o.v(mark(0, FAN_MARK_ADD, FAN_OPEN, c"f")); o.v(mark(999, FAN_MARK_ADD, FAN_OPEN, c"f")); o.v(mark(f, FAN_MARK_ADD | FAN_MARK_ONLYDIR, FAN_OPEN, c"f")); o.v(mark(f, FAN_MARK_ADD, FAN_OPEN_PERM, c"f")); o.v(mark(f, FAN_MARK_ADD, FAN_CREATE, c".")); o.v(mark(f, FAN_MARK_ADD, 1 << 40, c"f")); o.v(mark(f, FAN_MARK_ADD, 1 << 25, c"f")); o.v(mark(f, FAN_MARK_ADD | 1 << 20, FAN_OPEN, c"f")); o.v(mark(f, FAN_MARK_REMOVE, FAN_OPEN, c"f")); o.v(mark(f, FAN_MARK_FLUSH, 0, c"f")); o.v(mark(f, FAN_MARK_FLUSH | FAN_MARK_ONLYDIR, 0, c"f")); o.v(mark(f, FAN_MARK_ADD | FAN_MARK_MOUNT | FAN_MARK_FILESYSTEM, FAN_OPEN, c"f")); o.v(sys!(SYS_fanotify_mark, f, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, BAD)); o.v(sys!(SYS_fanotify_mark, f, FAN_MARK_ADD, FAN_OPEN, 999, 0)); o.v(sys!(SYS_fanotify_mark, f, FAN_MARK_ADD, FAN_OPEN, open(c"f", O_RDONLY), 0)); }
    "a-file" => |o| { close(file(c"f", b"abc")); let f = init(0); o.v(mark(f, FAN_MARK_ADD, ALL, c"f")); o.s(events(f)); let fd = open(c"f", O_RDWR); o.s(events(f)); read(fd); o.s(events(f)); write(fd, b"x"); o.s(events(f)); close(fd); o.s(events(f)); close(open(c"f", O_RDONLY)); close(open(c"f", O_RDONLY)); o.s(events(f)); o.s(events(f)); }
    "what-the-reader-does-is-not-told" => |o| { close(file(c"f", b"abc")); let f = init(0); mark(f, FAN_MARK_ADD, ALL, c"f"); close(open(c"f", O_RDONLY)); let mut event = [0u32; 6]; o.v(sys!(SYS_read, f, event.as_mut_ptr(), 24)); o.s(event[0]); o.s(event[1]); let fd = event[4] as i32; o.s(read(fd)); o.v(sys!(SYS_fcntl, fd, F_GETFL) & 0o3); o.v(write(fd, b"x")); close(fd); o.s(events(f)); }
    "several-files" => |o| { for name in [c"a", c"b", c"c"] { close(file(name, b"x")); } let f = init(0); mark(f, FAN_MARK_ADD, FAN_OPEN, c"a"); mark(f, FAN_MARK_ADD, FAN_CLOSE, c"b"); for name in [c"b", c"a", c"c", c"b"] { close(open(name, O_RDONLY)); } let mut n = 0i32; o.v(sys!(SYS_ioctl, f, FIONREAD, &raw mut n)); o.s(n); o.s(events(f)); }
    "read-into-little" => |o| { for name in [c"a", c"b"] { close(file(name, b"x")); } let f = init(0); mark(f, FAN_MARK_ADD, FAN_OPEN, c"a"); mark(f, FAN_MARK_ADD, FAN_OPEN, c"b"); close(open(c"a", O_RDONLY)); close(open(c"b", O_RDONLY)); let mut buf = [0u8; 64]; for len in [0, 23, 30, 64] { o.v(sys!(SYS_read, f, buf.as_mut_ptr(), len)); } o.v(sys!(SYS_write, f, buf.as_ptr(), 8)); }
    "a-directory" => |o| { sys!(SYS_mkdir, c"d", 0o755); close(file(c"d/f", b"x")); let list = || { let fd = open(c"d", O_RDONLY | O_DIRECTORY); let mut buf = [0u8; 512]; sys!(SYS_getdents64, fd, buf.as_mut_ptr(), buf.len()); close(fd); }; let f = init(0); mark(f, FAN_MARK_ADD, ALL, c"d"); close(open(c"d/f", O_RDONLY)); list(); o.s(events(f)); mark(f, FAN_MARK_ADD, FAN_ONDIR, c"d"); list(); o.s(events(f)); close(open(c"d/f", O_RDONLY)); o.s(events(f)); mark(f, FAN_MARK_ADD, FAN_EVENT_ON_CHILD, c"d"); close(open(c"d/f", O_RDONLY)); o.s(events(f)); sys!(SYS_mkdir, c"d/sub", 0o755); close(file(c"d/sub/f", b"x")); o.s(events(f)); }
    "a-mount" => |o| { sys!(SYS_mkdir, c"d", 0o755); o.v(sys!(SYS_mount, c"none", c"d", c"tmpfs", 0, 0)); close(file(c"d/f", b"x")); close(file(c"f", b"x")); let f = init(0); o.v(mark(f, FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_OPEN | FAN_CLOSE, c"d")); close(open(c"d/f", O_RDONLY)); close(open(c"f", O_RDONLY)); sys!(SYS_mkdir, c"e", 0o755); sys!(SYS_mount, c"d", c"e", 0, MS_BIND, 0); o.s(events(f)); close(open(c"e/f", O_RDONLY)); o.s(events(f)); o.v(mark(f, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_OPEN, c"d")); close(open(c"e/f", O_RDONLY)); o.s(events(f)); o.v(mark(f, FAN_MARK_FLUSH | FAN_MARK_FILESYSTEM, 0, c"d")); close(open(c"e/f", O_RDONLY)); o.s(events(f)); o.v(sys!(SYS_umount2, c"d", 0)); }
    "ignored" => |o| { close(file(c"f", b"x")); let f = init(0); mark(f, FAN_MARK_ADD, FAN_OPEN | FAN_MODIFY, c"f"); o.v(mark(f, FAN_MARK_ADD | FAN_MARK_IGNORED_MASK, FAN_OPEN, c"f")); close(open(c"f", O_RDONLY)); o.s(events(f)); let fd = open(c"f", O_WRONLY); write(fd, b"y"); close(fd); o.s(events(f)); close(open(c"f", O_RDONLY)); o.s(events(f)); o.v(mark(f, FAN_MARK_ADD | FAN_MARK_IGNORED_MASK | FAN_MARK_IGNORED_SURV_MODIFY, FAN_OPEN, c"f")); let fd = open(c"f", O_WRONLY); write(fd, b"y"); close(fd); close(open(c"f", O_RDONLY)); o.s(events(f)); o.v(mark(f, FAN_MARK_REMOVE | FAN_MARK_IGNORED_MASK, FAN_OPEN, c"f")); close(open(c"f", O_RDONLY)); o.s(events(f)); }
    "removed" => |o| { close(file(c"f", b"x")); let f = init(0); mark(f, FAN_MARK_ADD, FAN_OPEN | FAN_CLOSE, c"f"); o.v(mark(f, FAN_MARK_REMOVE, FAN_OPEN, c"f")); close(open(c"f", O_RDONLY)); o.s(events(f)); o.v(mark(f, FAN_MARK_REMOVE, FAN_CLOSE, c"f")); o.v(mark(f, FAN_MARK_REMOVE, FAN_CLOSE, c"f")); close(open(c"f", O_RDONLY)); o.s(events(f)); mark(f, FAN_MARK_ADD, FAN_OPEN, c"f"); o.v(mark(f, FAN_MARK_FLUSH, 0, c"f")); close(open(c"f", O_RDONLY)); o.s(events(f)); }
    "others-and-threads" => |o| { close(file(c"f", b"x")); let f = init(0); mark(f, FAN_MARK_ADD, FAN_OPEN, c"f"); close(open(c"f", O_RDONLY)); child(|| { close(open(c"f", O_RDONLY)); 0 }); o.s(events(f)); let t = init(FAN_REPORT_TID); mark(t, FAN_MARK_ADD, FAN_OPEN, c"f"); std::thread::spawn(|| close(open(c"f", O_RDONLY))).join().unwrap(); o.s(events(t)); o.s(events(f)); }
    "executed" => |o| { std::fs::copy("/bin/true", "t").unwrap(); let f = init(0); o.v(mark(f, FAN_MARK_ADD, FAN_OPEN | FAN_OPEN_EXEC | FAN_CLOSE, c"t")); o.s(child(|| { let argv = [c"t".as_ptr(), std::ptr::null()]; sys!(SYS_execve, c"t", argv.as_ptr(), [std::ptr::null::<u8>()].as_ptr()) as i32 })); o.s(events(f)); }
    "asked-to-open" => |o| { close(file(c"f", b"abc")); let f = init(FAN_CLASS_CONTENT); o.v(mark(f, FAN_MARK_ADD, FAN_OPEN_PERM, c"f")); let pid = spawn(|| code(open(c"f", O_RDONLY).into())); o.s(answer(f, FAN_ALLOW)); o.s(reap(pid)); let pid = spawn(|| code(open(c"f", O_RDWR | O_TRUNC).into())); o.s(answer(f, FAN_DENY)); o.s(reap(pid)); mark(f, FAN_MARK_FLUSH, 0, c"f"); o.s(stat(c"f").st_size); o.s(events(f)); }
    "asked-to-read" => |o| { close(file(c"f", b"abc")); let f = init(FAN_CLASS_CONTENT); mark(f, FAN_MARK_ADD, FAN_ACCESS_PERM | FAN_CLOSE, c"f"); let fd = open(c"f", O_RDONLY); let pid = spawn(|| i32::from(read(fd) != "\"abc\"")); o.s(answer(f, FAN_ALLOW)); o.s(reap(pid)); let pid = spawn(|| i32::from(pread(fd, 0) != "EPERM")); o.s(answer(f, FAN_DENY)); o.s(reap(pid)); close(fd); o.s(events(f)); }
    "asked-to-execute" => |o| { std::fs::copy("/bin/true", "t").unwrap(); let f = init(FAN_CLASS_CONTENT); o.v(mark(f, FAN_MARK_ADD, FAN_OPEN_EXEC_PERM, c"t")); close(open(c"t", O_RDONLY)); let pid = spawn(|| { let argv = [c"t".as_ptr(), std::ptr::null()]; code(sys!(SYS_execve, c"t", argv.as_ptr(), [std::ptr::null::<u8>()].as_ptr())) }); o.s(answer(f, FAN_DENY)); o.s(reap(pid)); }
    "wrong-answers" => |o| { close(file(c"f", b"abc")); let f = init(FAN_CLASS_CONTENT); mark(f, FAN_MARK_ADD, FAN_OPEN_PERM, c"f"); let respond = |fd: i32, with: u32, len: usize| { let response = [fd as u32, with]; sys!(SYS_write, f, response.as_ptr(), len) }; o.v(respond(0, FAN_ALLOW, 8)); o.v(respond(-1, FAN_ALLOW, 8)); o.v(respond(0, 7, 8)); o.v(respond(0, FAN_ALLOW, 4)); o.v(respond(999, FAN_DENY, 16)); }
    "nobody-left-to-answer" => |o| { close(file(c"f", b"abc")); let f = init(FAN_CLASS_CONTENT); mark(f, FAN_MARK_ADD, FAN_OPEN_PERM, c"f"); let pid = spawn(|| { close(f); code(open(c"f", O_RDONLY).into()) }); std::thread::sleep(std::time::Duration::from_millis(300)); close(f); o.s(reap(pid)); let f = init(FAN_CLASS_CONTENT); mark(f, FAN_MARK_ADD, FAN_OPEN_PERM, c"f"); let pid = spawn(|| code(open(c"f", O_RDONLY).into())); std::thread::sleep(std::time::Duration::from_millis(300)); sys!(SYS_kill, pid, SIGKILL); o.s(reap(pid)); }
}
