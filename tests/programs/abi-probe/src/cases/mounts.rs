//! Mounts.

use super::util::*;
use crate::{cases, sys};

fn mount(source: &std::ffi::CStr, target: &std::ffi::CStr, kind: &std::ffi::CStr, flags: u64) -> i64 {
    sys!(SYS_mount, source, target, kind, flags, 0)
}
fn umount(target: &std::ffi::CStr) -> i64 {
    sys!(SYS_umount2, target, 0)
}

fn make(target: &std::ffi::CStr, kind: u64) -> i64 {
    mount(c"", target, c"", kind)
}
/// Directories, with a tmpfs of directories on the first.
fn shared_tree(names: &[&std::ffi::CStr]) {
    for name in names {
        sys!(SYS_mkdir, *name, 0o755);
    }
    mount(c"x", names[0], c"tmpfs", 0);
}
/// The optional fields of a mount, its groups without their numbers.
fn part(target: &str) -> String {
    let list = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    let line = list.lines().rev().find(|line| line.split(' ').nth(4).is_some_and(|it| it.ends_with(target))).unwrap_or("");
    let fields: Vec<&str> = line.split(' ').skip(6).take_while(|it| *it != "-").map(|it| it.split(':').next().unwrap_or("")).collect();
    if fields.is_empty() { "private".into() } else { fields.join("+") }
}
fn exists(path: &std::ffi::CStr) -> bool {
    sys!(SYS_faccessat, AT_FDCWD, path, F_OK) == 0
}
/// A tmpfs with a file "here".
fn mark(path: &std::ffi::CStr) -> i64 {
    let result = mount(c"m", path, c"tmpfs", 0);
    close(file(&std::ffi::CString::new(format!("{}/here", path.to_str().unwrap())).unwrap(), b""));
    result
}

cases! { "mounts";
    "kinds" => |o| { shared_tree(&[c"d"]); o.s(part("/d")); o.v(make(c"d", MS_SHARED)); o.s(part("/d")); o.v(make(c"d", MS_SLAVE)); o.s(part("/d")); o.v(make(c"d", MS_UNBINDABLE)); o.s(part("/d")); sys!(SYS_mkdir, c"e", 0o755); o.v(mount(c"d", c"e", c"", MS_BIND)); o.v(make(c"d", MS_SHARED)); o.v(mount(c"d", c"e", c"", MS_BIND)); o.s(part("/e")); o.v(make(c"e", MS_SLAVE)); o.s(part("/e")); o.v(make(c"e", MS_SHARED)); o.s(part("/e")); o.v(make(c"e", MS_PRIVATE)); o.s(part("/e")); o.v(make(c"d", MS_SHARED | MS_PRIVATE)); o.v(make(c"none", MS_SHARED)); sys!(SYS_mkdir, c"d/x", 0o755); o.v(make(c"d/x", MS_SHARED)); umount(c"e"); umount(c"d"); }
    "shared" => |o| { shared_tree(&[c"d", c"e"]); make(c"d", MS_SHARED); sys!(SYS_mkdir, c"d/x", 0o755); mount(c"d", c"e", c"", MS_BIND); o.v(mark(c"d/x")); o.s(exists(c"e/x/here")); o.s(part("/e/x")); o.v(umount(c"e/x")); o.s(exists(c"d/x/here")); o.v(mark(c"e/x")); o.s(exists(c"d/x/here")); sys!(SYS_mkdir, c"d/x/y", 0o755); o.v(mark(c"d/x/y")); o.s(exists(c"e/x/y/here")); o.v(umount(c"d/x")); o.v(sys!(SYS_umount2, c"d/x", MNT_DETACH)); o.s(exists(c"e/x/here")); o.v(umount(c"e")); o.v(umount(c"d")); }
    "slaves" => |o| { shared_tree(&[c"d", c"e", c"f"]); make(c"d", MS_SHARED); sys!(SYS_mkdir, c"d/x", 0o755); sys!(SYS_mkdir, c"d/y", 0o755); mount(c"d", c"e", c"", MS_BIND); make(c"e", MS_SLAVE); o.v(mark(c"d/x")); o.s(exists(c"e/x/here")); o.s(part("/e/x")); o.v(mark(c"e/y")); o.s(exists(c"d/y/here")); umount(c"e/y"); make(c"e", MS_SHARED); o.s(part("/e")); mount(c"e", c"f", c"", MS_BIND); o.s(part("/f")); o.v(mark(c"d/y")); o.s(exists(c"e/y/here") && exists(c"f/y/here")); o.s(part("/f/y")); umount(c"d/y"); o.s(exists(c"e/y/here") || exists(c"f/y/here")); o.v(mark(c"f/y")); o.s(exists(c"e/y/here")); o.s(exists(c"d/y/here")); for m in [c"f/y", c"d/x", c"f", c"e", c"d"] { o.v(umount(m)); } }
    "parts" => |o| { shared_tree(&[c"d", c"e"]); make(c"d", MS_SHARED); sys!(SYS_mkdir, c"d/a", 0o755); sys!(SYS_mkdir, c"d/a/b", 0o755); sys!(SYS_mkdir, c"d/c", 0o755); mount(c"d/a", c"e", c"", MS_BIND); o.v(mark(c"d/a/b")); o.s(exists(c"e/b/here")); o.v(mark(c"d/c")); o.s(exists(c"e/c/here")); umount(c"d/c"); umount(c"e/b"); o.s(exists(c"d/a/b/here")); umount(c"e"); umount(c"d"); }
    "trees" => |o| { shared_tree(&[c"d", c"e", c"t"]); make(c"d", MS_SHARED); sys!(SYS_mkdir, c"d/x", 0o755); mount(c"d", c"e", c"", MS_BIND); mark(c"t"); sys!(SYS_mkdir, c"t/in", 0o755); mark(c"t/in"); o.v(mount(c"t", c"d/x", c"", MS_BIND | MS_REC)); o.s(exists(c"e/x/in/here")); o.s(part("/e/x/in")); o.v(mount(c"d/x", c"t", c"", MS_MOVE)); sys!(SYS_umount2, c"d/x", MNT_DETACH); o.s(exists(c"e/x/in/here")); o.v(mount(c"t", c"d/x", c"", MS_MOVE)); o.s(exists(c"e/x/in/here")); make(c"d/x/in", MS_UNBINDABLE); sys!(SYS_mkdir, c"u", 0o755); o.v(mount(c"d/x", c"u", c"", MS_BIND | MS_REC)); o.s(exists(c"u/here")); o.s(exists(c"u/in/here")); for m in [c"u", c"d/x", c"e", c"d"] { o.v(sys!(SYS_umount2, m, MNT_DETACH)); } }
    "nested" => |o| { shared_tree(&[c"d"]); make(c"d", MS_SHARED); sys!(SYS_mkdir, c"d/a", 0o755); sys!(SYS_mkdir, c"d/b", 0o755); let count = || std::fs::read_to_string("/proc/self/mountinfo").unwrap().lines().filter(|line| line.split(' ').nth(4).is_some_and(|at| at.contains("/abi-probe-"))).count(); let before = count(); o.v(mount(c"d", c"d/a", c"", MS_BIND)); o.s(count() - before); o.v(mark(c"d/b")); o.s(exists(c"d/a/b/here")); o.s(count() - before); o.v(umount(c"d/a/b")); o.s(count() - before); o.v(mount(c"d/b", c"d/b", c"", MS_BIND)); o.s(count() - before); o.v(mark(c"d/b")); o.s(count() - before); o.v(umount(c"d/b")); o.v(umount(c"d/b")); o.s(count() - before); o.v(umount(c"d/a")); o.s(count() - before); o.v(umount(c"d")); }
    "moved-into-itself" => |o| { shared_tree(&[c"d", c"e"]); make(c"d", MS_SHARED); sys!(SYS_mkdir, c"d/a", 0o755); sys!(SYS_mkdir, c"d/b", 0o755); mount(c"d", c"e", c"", MS_BIND); o.v(mount(c"d", c"e/a", c"", MS_MOVE)); o.s(exists(c"e/a/a/b")); o.v(mark(c"e/b")); o.s(exists(c"e/a/b/here")); o.s(exists(c"e/a/a/b/here")); o.v(umount(c"e/a/b")); o.s(exists(c"e/b/here")); o.v(umount(c"e/a/a")); o.v(umount(c"e")); }
    "namespaces" => |o| { shared_tree(&[c"d"]); make(c"d", MS_SHARED); sys!(SYS_mkdir, c"d/x", 0o755); sys!(SYS_mkdir, c"d/y", 0o755); let p = pipe(0); let q = pipe(0); let c = spawn(|| { sys!(SYS_unshare, CLONE_NEWNS); write(p[1], b"1"); read(q[0]); let seen = exists(c"d/x/here"); mark(c"d/y"); i32::from(seen) }); read(p[0]); o.v(mark(c"d/x")); write(q[1], b"1"); o.s(reap(c)); o.s(exists(c"d/y/here")); umount(c"d/y"); umount(c"d/x"); let c = spawn(|| { sys!(SYS_unshare, CLONE_NEWNS); make(c"d", MS_SLAVE | MS_REC); mark(c"d/x"); 0 }); reap(c); o.s(exists(c"d/x/here")); umount(c"d"); }
    "tmpfs" => |o| { sys!(SYS_mkdir, c"d", 0o755); o.v(mount(c"x", c"d", c"tmpfs", 0)); close(file(c"d/f", b"x")); o.v(umount(c"d")); o.v(open(c"d/f", O_RDONLY).into()); o.v(umount(c"d")); }
    "errors" => |o| { sys!(SYS_mkdir, c"d", 0o755); o.v(mount(c"x", c"d", c"nofs", 0)); o.v(mount(c"x", c"none", c"tmpfs", 0)); file(c"f", b""); o.v(mount(c"x", c"f", c"tmpfs", 0)); o.v(umount(c"none")); o.v(sys!(SYS_umount2, c"d", 0x80)); o.s(as_user(|| mount(c"x", c"d", c"tmpfs", 0))); o.s(as_user(|| umount(c"d"))); }
    "bind" => |o| { sys!(SYS_mkdir, c"d", 0o755); sys!(SYS_mkdir, c"e", 0o755); file(c"d/f", b"x"); o.v(mount(c"d", c"e", c"", MS_BIND)); o.s(stat(c"e/f").st_size); o.v(sys!(SYS_rename, c"d/f", c"e/g")); o.v(sys!(SYS_link, c"d/f", c"e/g")); o.v(sys!(SYS_rmdir, c"e")); o.v(umount(c"e")); o.v(mount(c"none", c"e", c"", MS_BIND)); file(c"h", b"yy"); file(c"i", b""); o.v(mount(c"h", c"i", c"", MS_BIND)); o.s(stat(c"i").st_size); o.v(umount(c"i")); o.v(mount(c"h", c"e", c"", MS_BIND)); }
    "read-only" => |o| { sys!(SYS_mkdir, c"d", 0o755); mount(c"x", c"d", c"tmpfs", 0); close(file(c"d/f", b"x")); o.v(mount(c"", c"d", c"", MS_REMOUNT | MS_RDONLY)); o.v(open(c"d/g", O_CREAT | O_RDWR).into()); o.v(open(c"d/f", O_RDWR).into()); o.v(sys!(SYS_mkdir, c"d/x", 0)); o.v(sys!(SYS_unlink, c"d/f")); o.v(sys!(SYS_chmod, c"d/f", 0)); o.v(sys!(SYS_utimensat, AT_FDCWD, c"d/f", 0, 0)); o.v(sys!(SYS_access, c"d/f", W_OK)); o.v(mount(c"", c"d", c"", MS_REMOUNT)); o.ok(open(c"d/f", O_RDWR).into()); o.v(sys!(SYS_umount2, c"d", MNT_DETACH)); }
    "bind-read-only" => |o| { sys!(SYS_mkdir, c"d", 0o755); sys!(SYS_mkdir, c"e", 0o755); mount(c"d", c"e", c"", MS_BIND); o.v(mount(c"", c"e", c"", MS_REMOUNT | MS_BIND | MS_RDONLY)); o.v(open(c"e/f", O_CREAT | O_RDWR).into()); o.ok(open(c"d/f", O_CREAT | O_RDWR).into()); umount(c"e"); }
    "busy" => |o| { sys!(SYS_mkdir, c"d", 0o755); mount(c"x", c"d", c"tmpfs", 0); let f = file(c"d/f", b"x"); o.v(umount(c"d")); o.v(mount(c"", c"d", c"", MS_REMOUNT | MS_RDONLY)); o.v(sys!(SYS_umount2, c"d", MNT_DETACH)); o.s(pread(f, 0)); o.v(open(c"d/f", O_RDONLY).into()); }
    "noexec-nodev" => |o| { sys!(SYS_mkdir, c"d", 0o755); mount(c"x", c"d", c"tmpfs", MS_NOEXEC | MS_NODEV | MS_NOSUID); file(c"d/f", b"#!/bin/sh\n"); sys!(SYS_chmod, c"d/f", 0o755); o.s(child(|| code(sys!(SYS_execve, c"d/f", 0, 0)))); sys!(SYS_mknod, c"d/n", S_IFCHR | 0o600, 0x103); o.v(open(c"d/n", O_RDONLY).into()); umount(c"d"); }
    "propagation" => |o| { sys!(SYS_mkdir, c"d", 0o755); o.v(mount(c"", c"d", c"", MS_PRIVATE)); mount(c"x", c"d", c"tmpfs", 0); o.v(mount(c"", c"d", c"", MS_PRIVATE)); o.v(mount(c"", c"d", c"", MS_PRIVATE | MS_REC)); o.v(mount(c"", c"d", c"", MS_PRIVATE | MS_SHARED)); umount(c"d"); }
    "move" => |o| { sys!(SYS_mkdir, c"d", 0o755); sys!(SYS_mkdir, c"e", 0o755); mount(c"x", c"d", c"tmpfs", 0); file(c"d/f", b"x"); o.v(mount(c"d", c"e", c"", MS_MOVE)); o.s(stat(c"e/f").st_size); o.v(mount(c"d", c"e", c"", MS_MOVE)); umount(c"e"); umount(c"d"); }
    "tmpfs-size" => |o| { sys!(SYS_mkdir, c"d", 0o755); o.v(sys!(SYS_mount, c"x", c"d", c"tmpfs", 0, c"size=64k,mode=700")); o.s(format_args!("{:o}", stat(c"d").st_mode)); let f = open(c"d/f", O_CREAT | O_RDWR); o.v(write(f, &vec![1u8; 100_000])); o.v(write(f, b"x")); umount(c"d"); close(f); umount(c"d"); o.v(sys!(SYS_mount, c"x", c"d", c"tmpfs", 0, c"bogus=1")); }
}
