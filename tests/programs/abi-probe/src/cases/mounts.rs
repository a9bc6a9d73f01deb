//! Mounts.

use super::util::*;
use crate::{cases, sys};

fn mount(source: &std::ffi::CStr, target: &std::ffi::CStr, kind: &std::ffi::CStr, flags: u64) -> i64 {
    sys!(SYS_mount, source, target, kind, flags, 0)
}
fn umount(target: &std::ffi::CStr) -> i64 {
    sys!(SYS_umount2, target, 0)
}

cases! { "mounts";
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
