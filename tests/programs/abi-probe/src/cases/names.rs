//! Names: directories, rename, links, working directory.

use std::ffi::CStr;

use super::util::*;
use crate::{cases, sys};

fn mkdir(path: &CStr) -> i64 {
    sys!(SYS_mkdir, path, 0o755)
}
fn rename(a: &CStr, b: &CStr) -> i64 {
    sys!(SYS_rename, a, b)
}
fn rename2(a: &CStr, b: &CStr, flags: u32) -> i64 {
    sys!(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, flags)
}
fn exists(path: &CStr) -> bool {
    sys!(SYS_access, path, F_OK) == 0
}

cases! { "names";
    "mkdir" => |o| { o.v(mkdir(c"d")); o.v(mkdir(c"d")); o.v(mkdir(c"x/y")); o.v(mkdir(c"e/")); o.v(mkdir(c"")); o.v(mkdir(c".")); o.v(mkdir(c"/")); o.v(mkdir(c"d/..")); }
    "mkdir-mode" => |o| { sys!(SYS_mkdir, c"d", 0o7777); o.s(format_args!("{:o}", stat(c"d").st_mode)); }
    "mkdir-setgid" => |o| { mkdir(c"d"); sys!(SYS_chown, c"d", 0, 77); sys!(SYS_chmod, c"d", 0o2755); mkdir(c"d/e"); let s = stat(c"d/e"); o.s(format_args!("{:o} {}", s.st_mode, s.st_gid)); file(c"d/f", b""); o.s(stat(c"d/f").st_gid); }
    "mkdir-in-removed" => |o| { mkdir(c"d"); let d = open(c"d", O_RDONLY); sys!(SYS_rmdir, c"d"); o.v(sys!(SYS_mkdirat, d, c"x", 0o755)); o.v(sys!(SYS_openat, d, c"x", O_CREAT | O_RDWR, 0o644)); o.s(fstat(d).st_nlink); }
    "rmdir" => |o| { mkdir(c"d"); file(c"d/f", b""); file(c"g", b""); o.v(sys!(SYS_rmdir, c"d")); o.v(sys!(SYS_rmdir, c"g")); o.v(sys!(SYS_rmdir, c"none")); o.v(sys!(SYS_rmdir, c".")); o.v(sys!(SYS_rmdir, c"d/..")); o.v(sys!(SYS_rmdir, c"/")); sys!(SYS_unlink, c"d/f"); o.v(sys!(SYS_rmdir, c"d/")); }
    "rmdir-proc" => |o| { o.v(sys!(SYS_rmdir, c"/proc")); o.v(mkdir(c"/proc/x")); o.v(sys!(SYS_unlink, c"/proc/version")); }
    "unlink" => |o| { mkdir(c"d"); file(c"f", b""); o.v(sys!(SYS_unlink, c"d")); o.v(sys!(SYS_unlink, c"f/")); o.v(sys!(SYS_unlink, c"none")); o.v(sys!(SYS_unlink, c"f")); o.v(sys!(SYS_unlinkat, AT_FDCWD, c"d", 1)); o.v(sys!(SYS_unlinkat, AT_FDCWD, c"d", AT_REMOVEDIR)); }
    "unlink-open" => |o| { let fd = file(c"f", b"abc"); o.v(sys!(SYS_unlink, c"f")); o.s(fstat(fd).st_nlink); o.s(pread(fd, 0)); }
    "rename-file" => |o| { file(c"a", b"1"); file(c"b", b"22"); o.v(rename(c"a", c"b")); o.s(stat(c"b").st_size); o.s(exists(c"a")); o.v(rename(c"a", c"b")); }
    "rename-same" => |o| { file(c"a", b"1"); o.v(rename(c"a", c"a")); sys!(SYS_link, c"a", c"b"); o.v(rename(c"a", c"b")); o.s(exists(c"a")); }
    "rename-kinds" => |o| { file(c"f", b""); mkdir(c"d"); mkdir(c"e"); file(c"e/x", b""); o.v(rename(c"f", c"d")); o.v(rename(c"d", c"f")); o.v(rename(c"d", c"e")); o.v(rename(c"e", c"d")); o.s(exists(c"d/x")); }
    "rename-into-itself" => |o| { mkdir(c"d"); mkdir(c"d/e"); o.v(rename(c"d", c"d/e/f")); o.v(rename(c"d/e", c"d")); o.v(rename(c"d/.", c"x")); o.v(rename(c"d", c"d/.")); o.v(rename(c"d", c"d/..")); }
    "rename-slash" => |o| { file(c"f", b""); mkdir(c"d"); o.v(rename(c"f/", c"g")); o.v(rename(c"f", c"g/")); o.v(rename(c"d/", c"e/")); o.s(exists(c"e")); }
    "rename-noreplace" => |o| { file(c"a", b"1"); file(c"b", b""); o.v(rename2(c"a", c"b", 1)); o.v(rename2(c"a", c"c", 1)); o.v(rename2(c"a", c"c", 1)); o.v(rename2(c"c", c"c", 1)); }
    "rename-exchange" => |o| { file(c"a", b"1"); mkdir(c"d"); o.v(rename2(c"a", c"d", 2)); o.s(stat(c"d").st_size); o.v(rename2(c"a", c"none", 2)); o.v(rename2(c"a", c"d", 3)); o.v(rename2(c"a", c"d", 8)); }
    "rename-whiteout" => |o| { file(c"a", b"1"); o.v(rename2(c"a", c"b", 6)); }
    "rename-across" => |o| { file(c"a", b"1"); o.v(rename(c"a", c"/proc/x")); o.v(rename(c"a", c"/dev/shm/../shm/x-abi")); o.v(sys!(SYS_link, c"a", c"/dev/shm/y-abi")); }
    "rename-empty" => |o| { o.v(rename(c"", c"x")); file(c"a", b""); o.v(rename(c"a", c"")); o.v(rename(c"a", c"none/x")); o.v(rename(c"a", c"a/x")); o.v(sys!(SYS_renameat, 999, c"a", AT_FDCWD, c"b")); }
    "rename-directory-links" => |o| { mkdir(c"a"); mkdir(c"b"); mkdir(c"a/s"); o.s(stat(c"a").st_nlink); o.v(rename(c"a/s", c"b/s")); o.s(stat(c"a").st_nlink); o.s(stat(c"b").st_nlink); }
    "link" => |o| { file(c"a", b"1"); o.v(sys!(SYS_link, c"a", c"b")); o.s(stat(c"a").st_nlink); o.v(sys!(SYS_link, c"a", c"b")); o.v(sys!(SYS_link, c"none", c"c")); mkdir(c"d"); o.v(sys!(SYS_link, c"d", c"e")); o.v(sys!(SYS_link, c"a", c"c/")); o.v(sys!(SYS_link, c"a", c"")); }
    "link-symlink" => |o| { file(c"a", b"1"); sys!(SYS_symlink, c"a", c"l"); o.v(sys!(SYS_link, c"l", c"m")); o.s(format_args!("{:o}", stat(c"m").st_mode)); o.v(sys!(SYS_linkat, AT_FDCWD, c"l", AT_FDCWD, c"n", AT_SYMLINK_FOLLOW)); o.s(format_args!("{:o}", stat(c"n").st_mode)); }
    "symlink" => |o| { o.v(sys!(SYS_symlink, c"target", c"l")); o.v(sys!(SYS_symlink, c"x", c"l")); o.v(sys!(SYS_symlink, c"", c"m")); o.v(sys!(SYS_symlink, c"x", c"n/")); o.s(stat(c"l").st_size); let long = std::ffi::CString::new("x".repeat(4096)).unwrap(); o.v(sys!(SYS_symlink, long.as_c_str(), c"k")); }
    "readlink" => |o| { sys!(SYS_symlink, c"target", c"l"); let mut b = [0u8; 64]; o.v(sys!(SYS_readlink, c"l", b.as_mut_ptr(), 64)); o.v(sys!(SYS_readlink, c"l", b.as_mut_ptr(), 3)); o.v(sys!(SYS_readlink, c"l", b.as_mut_ptr(), 0)); o.v(sys!(SYS_readlink, c".", b.as_mut_ptr(), 64)); o.v(sys!(SYS_readlink, c"none", b.as_mut_ptr(), 64)); let fd = open(c"l", O_PATH | O_NOFOLLOW); o.v(sys!(SYS_readlinkat, fd, c"", b.as_mut_ptr(), 64)); let f = file(c"f", b""); o.v(sys!(SYS_readlinkat, f, c"", b.as_mut_ptr(), 64)); }
    "symlink-depth" => |o| { file(c"l0", b""); for i in 1..=41 { let _ = std::os::unix::fs::symlink(format!("l{}", i - 1), format!("l{i}")); } o.ok(open(c"l40", O_RDONLY).into()); o.v(open(c"l41", O_RDONLY).into()); }
    "dotdot" => |o| { mkdir(c"d"); sys!(SYS_symlink, c"d", c"l"); o.ok(open(c"l/../d", O_RDONLY).into()); o.v(open(c"d/none/../x", O_RDONLY).into()); o.ok(open(c"/../../tmp", O_RDONLY).into()); o.ok(open(c"d//.//../d/", O_RDONLY).into()); }
    "chdir" => |o| { file(c"f", b""); o.v(sys!(SYS_chdir, c"f")); o.v(sys!(SYS_chdir, c"none")); mkdir(c"d"); o.v(sys!(SYS_chdir, c"d")); o.v(sys!(SYS_fchdir, 999)); let f = file(c"f", b""); o.v(sys!(SYS_fchdir, f)); let p = open(c"..", O_PATH); o.v(sys!(SYS_fchdir, p)); o.s(exists(c"d/f")); }
    "getcwd" => |o| { let mut b = [0u8; 4096]; sys!(SYS_chdir, c"/tmp"); o.v(sys!(SYS_getcwd, b.as_mut_ptr(), 4096)); o.v(sys!(SYS_getcwd, b.as_mut_ptr(), 3)); o.v(sys!(SYS_getcwd, BAD, 4096)); o.v(sys!(SYS_getcwd, 0, 0)); }
    "getcwd-removed" => |o| { mkdir(c"d"); sys!(SYS_chdir, c"d"); sys!(SYS_rmdir, c"../d"); let mut b = [0u8; 4096]; o.v(sys!(SYS_getcwd, b.as_mut_ptr(), 4096)); o.v(open(c"x", O_CREAT | O_RDWR).into()); o.ok(open(c".", O_RDONLY).into()); o.ok(open(c"..", O_RDONLY).into()); }
    "mknod" => |o| { o.v(sys!(SYS_mknod, c"f", S_IFREG | 0o600, 0)); o.v(sys!(SYS_mknod, c"g", 0o600, 0)); o.v(sys!(SYS_mknod, c"p", S_IFIFO | 0o600, 0)); o.v(sys!(SYS_mknod, c"s", S_IFSOCK | 0o600, 0)); o.v(sys!(SYS_mknod, c"d", S_IFDIR | 0o600, 0)); o.v(sys!(SYS_mknod, c"l", S_IFLNK | 0o600, 0)); o.v(sys!(SYS_mknod, c"x", 0o150000, 0)); o.v(sys!(SYS_mknod, c"c", S_IFCHR | 0o600, 0x103)); o.s(format_args!("{:x}", stat(c"c").st_rdev)); o.ok(open(c"c", O_RDONLY).into()); o.v(open(c"s", O_RDONLY).into()); }
    "chroot" => |o| { file(c"f", b""); o.v(sys!(SYS_chroot, c"f")); o.v(sys!(SYS_chroot, c"none")); mkdir(c"d"); o.v(sys!(SYS_chroot, c"d")); o.s(exists(c"/f")); sys!(SYS_chdir, c"/"); o.s(exists(c"../f")); let mut b = [0u8; 64]; o.v(sys!(SYS_getcwd, b.as_mut_ptr(), 64)); }
    "chroot-outside" => |o| { mkdir(c"d"); sys!(SYS_chroot, c"d"); let mut b = [0u8; 4096]; let n = sys!(SYS_getcwd, b.as_mut_ptr(), 4096); o.s(n > 0 && b.starts_with(b"(unreachable)/")); }
    "chroot-user" => |o| { mkdir(c"d"); o.s(as_user(|| sys!(SYS_chroot, c"d"))); }
    "pivot-root-errors" => |o| { mkdir(c"d"); o.v(sys!(SYS_pivot_root, c"d", c"d")); o.v(sys!(SYS_pivot_root, c"none", c"d")); o.v(sys!(SYS_pivot_root, c"/", c"/")); o.s(as_user(|| sys!(SYS_pivot_root, c".", c"."))); }
    "proc-fd-links" => |o| { let fd = file(c"f", b"abc"); let p = std::ffi::CString::new(format!("/proc/self/fd/{fd}")).unwrap(); let again = open(&p, O_RDONLY); o.s(read(again)); let t = std::fs::read_link(p.to_str().unwrap()).unwrap(); o.s(t.ends_with("f")); sys!(SYS_unlink, c"f"); let t = std::fs::read_link(p.to_str().unwrap()).unwrap(); o.s(t.to_string_lossy().ends_with("f (deleted)")); o.ok(open(&p, O_RDONLY).into()); }
    "many-entries" => |o| { for i in 0..700 { std::fs::write(format!("n{i}"), b"").unwrap(); } o.s(std::fs::read_dir(".").unwrap().count()); for e in std::fs::read_dir(".").unwrap() { std::fs::remove_file(e.unwrap().path()).unwrap(); } o.s(std::fs::read_dir(".").unwrap().count()); }
}
