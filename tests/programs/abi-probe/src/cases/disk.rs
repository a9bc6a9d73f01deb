//! What a filesystem on a disk has to do, in a directory of the root filesystem: `/tmp`, where the other cases work, is in memory.

use super::util::*;
use crate::{cases, sys};
use std::ffi::CStr;
use std::os::unix::process::CommandExt;

/// Goes to an empty directory on the disk while `f` runs.
fn on_disk(f: impl FnOnce()) {
    let dir = format!("/var/abi-probe-{}", std::process::id());
    std::fs::create_dir_all(&dir).expect("a directory on the disk");
    std::env::set_current_dir(&dir).expect("to go there");
    f();
    std::env::set_current_dir("/").expect("to leave");
    std::fs::remove_dir_all(&dir).expect("to remove it");
}

fn set(path: &CStr, name: &CStr, value: &str, flags: i32) -> i64 {
    sys!(SYS_lsetxattr, path, name, value.as_ptr(), value.len(), flags)
}

fn get(path: &CStr, name: &CStr) -> String {
    let mut bytes = [0u8; 64];
    let len = sys!(SYS_lgetxattr, path, name, bytes.as_mut_ptr(), 64);
    if len < 0 { error() } else { String::from_utf8_lossy(&bytes[..len as usize]).into_owned() }
}

/// The names, in order: filesystems list them in orders of their own. (`security.selinux` and the like are the system's.)
fn list(path: &CStr) -> String {
    let mut bytes = [0u8; 1024];
    let len = sys!(SYS_llistxattr, path, bytes.as_mut_ptr(), 1024);
    if len < 0 {
        return error();
    }
    let text = String::from_utf8_lossy(&bytes[..len as usize]).into_owned();
    let mut names: Vec<&str> = text.split_terminator('\0').collect();
    names.sort_unstable();
    names.join(",")
}

/// A file with capabilities: CAP_NET_RAW, permitted and effective.
fn with_capabilities(path: &CStr) -> i64 {
    let value = [0x0200_0001u32, 1 << 13, 0, 0, 0];
    sys!(SYS_setxattr, path, c"security.capability", value.as_ptr(), 20, 0)
}

/// The capabilities that the program `cat` here has when user 1000 runs it.
fn permitted() -> String {
    let output = std::process::Command::new("./cat").arg("/proc/self/status").uid(1000).gid(1000).output();
    let text = output.map_or_else(|error| error.to_string(), |output| String::from_utf8_lossy(&output.stdout).into_owned());
    text.lines().find_map(|line| line.strip_prefix("CapPrm:")).unwrap_or("none").trim().to_owned()
}

/// A file without a name.
fn tmpfile(flags: i32) -> i32 {
    sys!(SYS_openat, AT_FDCWD, c".", O_TMPFILE | O_RDWR | flags, 0o640) as i32
}

/// Gives an open file a name.
fn link_open(fd: i32, name: &CStr) -> i64 {
    let path = std::ffi::CString::new(format!("/proc/self/fd/{fd}")).unwrap();
    sys!(SYS_linkat, AT_FDCWD, path.as_c_str(), AT_FDCWD, name, AT_SYMLINK_FOLLOW)
}

/// `struct file_handle`, with room, and where the mount's number goes.
#[repr(C)]
struct Handle {
    len: u32,
    kind: i32,
    bytes: [u8; 128],
    mount: i32,
}

impl Default for Handle {
    fn default() -> Self {
        Self { len: 128, kind: 0, bytes: [0; 128], mount: 0 }
    }
}

impl Handle {
    fn of(&mut self, path: &CStr, flags: i32) -> i64 {
        self.len = 128;
        let this: *mut Self = self;
        // SAFETY: the field of a structure that is there.
        let mount = unsafe { &raw mut (*this).mount };
        sys!(SYS_name_to_handle_at, AT_FDCWD, path, this, mount, flags)
    }

    fn open(&self, mount: i32, flags: i32) -> i64 {
        let this: *const Self = self;
        sys!(SYS_open_by_handle_at, mount, this, flags)
    }
}

/// What handles do on the filesystem of the working directory, which is mounted at or above `mount`.
fn handles(o: &mut crate::harness::Out, mount: &CStr) {
    let at = open(mount, O_RDONLY | O_DIRECTORY);
    close(file(c"f", b"content"));
    sys!(SYS_mkdir, c"d", 0o755);
    sys!(SYS_mkdir, c"d/e", 0o755);
    let mut h = Handle { len: 0, ..Handle::default() };
    o.v(sys!(SYS_name_to_handle_at, AT_FDCWD, c"f", &raw mut h, &raw mut h.mount, 0));
    let needed = h.len;
    o.s(needed > 0);
    let (mut f, mut d) = (Handle::default(), Handle::default());
    o.v(f.of(c"f", 0));
    o.s(f.len == needed && f.mount == h.mount);
    o.s(std::fs::read_to_string("/proc/self/mountinfo").unwrap().lines().any(|line| line.starts_with(&format!("{} ", f.mount))));
    o.v(d.of(c"d/e", 0));
    o.s(f.bytes != d.bytes);
    // The name may change, the handle does not.
    sys!(SYS_rename, c"f", c"g");
    let by_handle = f.open(at, O_RDWR) as i32;
    o.s(read(by_handle));
    o.v(write(by_handle, b"!"));
    o.s(stat(c"g").st_size);
    o.s(fstat(by_handle).st_ino == stat(c"g").st_ino);
    let mut again = Handle::default();
    o.v(sys!(SYS_name_to_handle_at, by_handle, c"", &raw mut again, &raw mut again.mount, AT_EMPTY_PATH));
    o.s(again.bytes == f.bytes);
    // A directory: what is made in it is seen by its name, and the other way round.
    sys!(SYS_rename, c"d", c"moved");
    let dir = d.open(at, O_RDONLY | O_DIRECTORY) as i32;
    o.ok(dir.into());
    let new = sys!(SYS_openat, dir, c"new", O_CREAT | O_WRONLY, 0o644) as i32;
    o.ok(new.into());
    close(new);
    o.s(std::path::Path::new("moved/e/new").exists());
    sys!(SYS_unlink, c"moved/e/new");
    o.v(sys!(SYS_openat, dir, c"new", O_RDONLY));
    o.s(std::fs::read_link(format!("/proc/self/fd/{dir}")).unwrap().ends_with("moved/e"));
    o.s(as_user(|| f.open(at, O_RDONLY)));
    // Gone, but open; then gone.
    sys!(SYS_unlink, c"g");
    let second = f.open(at, O_RDONLY) as i32;
    o.s(read(second));
    close(second);
    close(by_handle);
    o.v(f.open(at, O_RDONLY));
    for n in 0..20 {
        std::fs::write(format!("other{n}"), b"").unwrap();
    }
    o.v(f.open(at, O_RDONLY));
    close(dir);
    sys!(SYS_rmdir, c"moved/e");
    o.v(d.open(at, O_RDONLY));
}

/// When a file was made, in nanoseconds; 0 where that is not told.
fn birth(path: &CStr) -> i128 {
    // SAFETY: a plain structure of integers.
    let mut statx: libc::statx = unsafe { std::mem::zeroed() };
    sys!(SYS_statx, AT_FDCWD, path, 0, STATX_BTIME, &raw mut statx);
    if statx.stx_mask & STATX_BTIME == 0 { 0 } else { i128::from(statx.stx_btime.tv_sec) * 1_000_000_000 + i128::from(statx.stx_btime.tv_nsec) }
}

cases! { "disk";
    "user-xattrs" => |o| { on_disk(|| { file(c"f", b""); o.v(set(c"f", c"user.a", "one", 0)); o.s(get(c"f", c"user.a")); o.v(set(c"f", c"user.a", "x", XATTR_CREATE)); o.v(set(c"f", c"user.b", "x", XATTR_REPLACE)); o.v(set(c"f", c"user.a", "two", XATTR_REPLACE)); o.v(set(c"f", c"user.empty", "", XATTR_CREATE)); o.s(get(c"f", c"user.a")); o.s(list(c"f")); o.v(sys!(SYS_removexattr, c"f", c"user.a")); o.v(sys!(SYS_removexattr, c"f", c"user.a")); o.s(get(c"f", c"user.a")); o.s(list(c"f")); o.v(sys!(SYS_removexattr, c"f", c"user.empty")); o.s(list(c"f")); }); }
    "user-xattrs-of-types" => |o| { on_disk(|| { sys!(SYS_mkdir, c"d", 0o777); sys!(SYS_symlink, c"d", c"l"); sys!(SYS_mknod, c"p", S_IFIFO | 0o666, 0); for path in [c"d", c"l", c"p"] { o.v(set(path, c"user.a", "v", 0)); o.s(get(path, c"user.a")); o.v(set(path, c"trusted.a", "v", 0)); o.s(get(path, c"trusted.a")); } o.s(as_user(|| set(c"d", c"user.b", "v", 0))); sys!(SYS_chmod, c"d", 0o1777); o.s(as_user(|| set(c"d", c"user.b", "v", 0))); o.s(list(c"d")); }); }
    "xattr-permissions" => |o| { on_disk(|| { file(c"f", b""); set(c"f", c"user.a", "1", 0); set(c"f", c"trusted.a", "2", 0); o.s(as_user(|| set(c"f", c"user.a", "x", 0))); o.s(as_user(|| set(c"f", c"trusted.a", "x", 0))); o.s(as_user(|| set(c"f", c"security.a", "x", 0))); o.s(as_user(|| sys!(SYS_getxattr, c"f", c"user.a", 0, 0))); o.s(as_user(|| sys!(SYS_getxattr, c"f", c"trusted.a", 0, 0))); sys!(SYS_chmod, c"f", 0o600); o.s(as_user(|| sys!(SYS_getxattr, c"f", c"user.a", 0, 0))); }); }
    "xattr-sizes" => |o| { on_disk(|| { file(c"f", b""); let value = [7u8; 70_000]; let of = |len: usize| sys!(SYS_setxattr, c"f", c"user.a", value.as_ptr(), len, 0); o.v(of(70_000)); o.v(of(2000)); let mut b = [0u8; 2000]; o.v(sys!(SYS_getxattr, c"f", c"user.a", 0, 0)); o.v(sys!(SYS_getxattr, c"f", c"user.a", b.as_mut_ptr(), 1999)); o.v(sys!(SYS_getxattr, c"f", c"user.a", b.as_mut_ptr(), 2000)); o.s(b == [7; 2000]); o.v(sys!(SYS_listxattr, c"f", b.as_mut_ptr(), 3)); let long = std::ffi::CString::new(format!("user.{}", "n".repeat(250))).unwrap(); o.v(set(c"f", &long, "v", 0)); o.s(get(c"f", &long)); let long = std::ffi::CString::new(format!("user.{}", "n".repeat(251))).unwrap(); o.v(set(c"f", &long, "v", 0)); o.v(set(c"f", c"user.", "v", 0)); o.v(set(c"f", c"bogus.a", "v", 0)); }); }
    "xattrs-and-names" => |o| { on_disk(|| { file(c"f", b"data"); set(c"f", c"user.a", "v", 0); sys!(SYS_link, c"f", c"g"); set(c"g", c"user.b", "w", 0); o.s(list(c"f")); sys!(SYS_rename, c"f", c"h"); o.s(get(c"h", c"user.a")); sys!(SYS_unlink, c"h"); o.s(list(c"g")); file(c"n", b""); sys!(SYS_rename, c"n", c"g"); o.s(list(c"g")); let f = open(c"g", O_RDWR); sys!(SYS_unlink, c"g"); o.v(sys!(SYS_fsetxattr, f, c"user.open", c"v", 1, 0)); o.v(sys!(SYS_fgetxattr, f, c"user.open", 0, 0)); }); }
    "xattr-ctime" => |o| { on_disk(|| { file(c"f", b""); let before = stat(c"f"); std::thread::sleep(std::time::Duration::from_millis(30)); set(c"f", c"user.a", "v", 0); let after = stat(c"f"); o.s((after.st_ctime, after.st_ctime_nsec) > (before.st_ctime, before.st_ctime_nsec)); o.s((after.st_mtime, after.st_mtime_nsec) == (before.st_mtime, before.st_mtime_nsec)); }); }
    "xattr-capability" => |o| { on_disk(|| { let f = file(c"f", b""); o.v(with_capabilities(c"f")); o.v(sys!(SYS_getxattr, c"f", c"security.capability", 0, 0)); o.v(write(f, b"x")); o.s(get(c"f", c"security.capability")); with_capabilities(c"f"); sys!(SYS_chown, c"f", 1, 1); o.s(get(c"f", c"security.capability")); with_capabilities(c"f"); sys!(SYS_truncate, c"f", 0); o.s(get(c"f", c"security.capability")); }); }
    "capability-of-program" => |o| { on_disk(|| { std::fs::copy("/bin/cat", "cat").unwrap(); o.s(permitted()); with_capabilities(c"cat"); o.s(permitted()); sys!(SYS_removexattr, c"cat", c"security.capability"); o.s(permitted()); }); }
    "tmpfile" => |o| { on_disk(|| { let fd = tmpfile(0); o.ok(fd.into()); o.v(write(fd, &[7; 5000])); o.s(fstat(fd).st_nlink); o.s(fstat(fd).st_size); o.v(sys!(SYS_fsetxattr, fd, c"user.a", c"v", 1, 0)); o.v(sys!(SYS_fsync, fd)); o.s(std::fs::read_dir(".").unwrap().count()); o.v(link_open(fd, c"named")); o.s(stat(c"named").st_size); o.s(stat(c"named").st_mode); o.s(get(c"named", c"user.a")); o.s(fstat(fd).st_nlink); o.v(link_open(fd, c"again")); o.s(fstat(fd).st_nlink); sys!(SYS_unlink, c"named"); sys!(SYS_unlink, c"again"); o.s(fstat(fd).st_nlink); o.v(link_open(fd, c"late")); }); }
    "tmpfile-by-descriptor" => |o| { on_disk(|| { let fd = tmpfile(0); write(fd, b"abc"); o.v(sys!(SYS_linkat, fd, c"", AT_FDCWD, c"named", AT_EMPTY_PATH)); close(fd); o.s(read(open(c"named", O_RDONLY))); let fd = tmpfile(0); o.v(sys!(SYS_linkat, fd, c"", AT_FDCWD, c"named", AT_EMPTY_PATH)); o.s(fstat(fd).st_nlink); }); }
    "tmpfile-exclusive" => |o| { on_disk(|| { let fd = tmpfile(O_EXCL); o.v(write(fd, b"abc")); o.v(link_open(fd, c"named")); o.s(fstat(fd).st_nlink); }); }
    "tmpfile-errors" => |o| { on_disk(|| { file(c"f", b""); o.v(sys!(SYS_openat, AT_FDCWD, c".", O_TMPFILE, 0o600)); o.v(sys!(SYS_openat, AT_FDCWD, c"f", O_TMPFILE | O_RDWR, 0o600)); o.s(as_user(|| sys!(SYS_openat, AT_FDCWD, c".", O_TMPFILE | O_RDWR, 0o600))); }); }
    "tmpfile-in-set-group-directory" => |o| { on_disk(|| { sys!(SYS_mkdir, c"d", 0o755); sys!(SYS_chown, c"d", 0, 7); sys!(SYS_chmod, c"d", 0o2755); let fd = sys!(SYS_openat, AT_FDCWD, c"d", O_TMPFILE | O_RDWR, 0o640) as i32; o.s(fstat(fd).st_gid); o.s(fstat(fd).st_mode); }); }
    "birth" => |o| { on_disk(|| { file(c"f", b""); let first = birth(c"f"); std::thread::sleep(std::time::Duration::from_millis(30)); write(open(c"f", O_WRONLY), b"x"); sys!(SYS_chmod, c"f", 0o600); sys!(SYS_rename, c"f", c"g"); o.s(first > 0); o.s(birth(c"g") == first); file(c"h", b""); o.s(birth(c"h") > first); }); }
    "handle" => |o| { on_disk(|| { handles(o, c"/var"); }); }
    "handle-in-memory" => |o| { handles(o, c"/tmp"); }
    "handle-errors" => |o| { on_disk(|| { file(c"f", b""); sys!(SYS_symlink, c"f", c"l"); let mut h = Handle::default(); o.v(h.of(c"l", 0)); o.v(h.open(AT_FDCWD, O_RDONLY)); o.ok(h.open(AT_FDCWD, O_PATH)); o.v(h.of(c"l", AT_SYMLINK_FOLLOW)); o.ok(h.open(AT_FDCWD, O_RDONLY)); o.v(h.of(c"", 0)); o.v(h.open(999, O_RDONLY)); let p = open(c".", O_PATH); o.v(h.open(p, O_RDONLY)); o.v(h.open(AT_FDCWD, O_RDONLY | O_DIRECTORY)); h.kind ^= 0x55; o.v(h.open(AT_FDCWD, O_RDONLY)); h.kind ^= 0x55; h.len = 0; o.v(h.open(AT_FDCWD, O_RDONLY)); h.len = 129; o.v(h.open(AT_FDCWD, O_RDONLY)); o.v(sys!(SYS_open_by_handle_at, AT_FDCWD, BAD, O_RDONLY)); let f = open(c"f", O_RDONLY); o.v(sys!(SYS_name_to_handle_at, f, c"", &raw mut h, BAD, AT_EMPTY_PATH)); o.v(sys!(SYS_name_to_handle_at, f, c"", BAD, &raw mut h.mount, AT_EMPTY_PATH)); }); }
}
