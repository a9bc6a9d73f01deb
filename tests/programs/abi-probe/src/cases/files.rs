//! Files: opening, reading, writing, sizes, attributes.

use super::util::*;
use crate::{cases, sys};

fn lseek(fd: i32, at: i64, whence: i32) -> i64 {
    sys!(SYS_lseek, fd, at, whence)
}

cases! { "files";
    "open-missing" => |o| { o.v(open(c"none", O_RDONLY).into()); }
    "open-empty-path" => |o| { o.v(open(c"", O_RDONLY).into()); }
    "open-bad-address" => |o| { o.v(sys!(SYS_openat, AT_FDCWD, BAD, O_RDONLY, 0)); }
    "open-bad-directory" => |o| { o.v(sys!(SYS_openat, 999, c"x", O_RDONLY, 0)); o.ok(sys!(SYS_openat, 999, c"/", O_RDONLY, 0)); }
    "open-relative-to-file" => |o| { let f = file(c"f", b""); o.v(sys!(SYS_openat, f, c"x", O_RDONLY, 0)); }
    "open-through-file" => |o| { file(c"f", b""); o.v(open(c"f/x", O_RDONLY).into()); o.v(open(c"f/", O_RDONLY).into()); }
    "open-exclusive" => |o| { file(c"f", b""); o.v(open(c"f", O_CREAT | O_EXCL | O_RDWR).into()); }
    "open-directory-for-writing" => |o| { o.v(open(c".", O_WRONLY).into()); o.v(open(c".", O_RDWR).into()); o.v(open(c".", O_CREAT).into()); }
    "open-directory-flag" => |o| { file(c"f", b""); o.v(open(c"f", O_DIRECTORY).into()); o.ok(open(c".", O_DIRECTORY).into()); }
    "open-nofollow" => |o| { sys!(SYS_symlink, c"x", c"l"); o.v(open(c"l", O_NOFOLLOW).into()); o.ok(open(c"l", O_NOFOLLOW | O_PATH).into()); }
    "open-loop" => |o| { sys!(SYS_symlink, c"b", c"a"); sys!(SYS_symlink, c"a", c"b"); o.v(open(c"a", O_RDONLY).into()); }
    "open-dangling-create" => |o| { sys!(SYS_symlink, c"t", c"l"); o.ok(open(c"l", O_CREAT | O_RDWR).into()); o.s(stat(c"t").st_size); }
    "open-dangling-exclusive" => |o| { sys!(SYS_symlink, c"t", c"l"); o.v(open(c"l", O_CREAT | O_EXCL | O_RDWR).into()); }
    "open-create-slash" => |o| { o.v(open(c"x/", O_CREAT | O_RDWR).into()); }
    "open-long-name" => |o| {
        let name = std::ffi::CString::new("n".repeat(256)).unwrap();
        o.v(open(&name, O_CREAT).into());
        let path = std::ffi::CString::new("./".repeat(2100)).unwrap();
        o.v(open(&path, O_RDONLY).into());
    }
    "open-umask" => |o| { sys!(SYS_umask, 0o027); let fd = sys!(SYS_openat, AT_FDCWD, c"f", O_CREAT | O_RDWR, 0o666) as i32; o.s(format_args!("{:o}", fstat(fd).st_mode)); }
    "open-truncate" => |o| { file(c"f", b"hello"); o.ok(open(c"f", O_TRUNC | O_WRONLY).into()); o.s(stat(c"f").st_size); }
    "open-access-modes" => |o| {
        file(c"f", b"abc");
        let r = open(c"f", O_RDONLY);
        let w = open(c"f", O_WRONLY);
        o.v(write(r, b"x")); o.s(read(w));
    }
    "open-mode-three" => |o| { file(c"f", b"abc"); let fd = open(c"f", O_ACCMODE); o.ok(fd.into()); o.s(read(fd)); o.v(write(fd, b"x")); }
    "open-path" => |o| { file(c"f", b"abc"); let fd = open(c"f", O_PATH); o.s(read(fd)); o.v(lseek(fd, 0, SEEK_SET)); o.v(sys!(SYS_fchmod, fd, 0o600)); o.s(fstat(fd).st_size); }
    "open-tmpfile" => |o| {
        let fd = sys!(SYS_openat, AT_FDCWD, c".", O_TMPFILE | O_RDWR, 0o600) as i32;
        o.ok(fd.into()); o.v(write(fd, b"abc")); o.s(fstat(fd).st_nlink);
        let path = std::ffi::CString::new(format!("/proc/self/fd/{fd}")).unwrap();
        o.v(sys!(SYS_linkat, AT_FDCWD, path.as_c_str(), AT_FDCWD, c"named", AT_SYMLINK_FOLLOW));
        o.s(fstat(fd).st_nlink); o.s(stat(c"named").st_size);
    }
    "open-tmpfile-errors" => |o| { file(c"f", b""); o.v(sys!(SYS_openat, AT_FDCWD, c".", O_TMPFILE, 0o600)); o.v(sys!(SYS_openat, AT_FDCWD, c"f", O_TMPFILE | O_RDWR, 0o600)); }
    "open-tmpfile-exclusive" => |o| {
        let fd = sys!(SYS_openat, AT_FDCWD, c".", O_TMPFILE | O_RDWR | O_EXCL, 0o600) as i32;
        let path = std::ffi::CString::new(format!("/proc/self/fd/{fd}")).unwrap();
        o.v(sys!(SYS_linkat, AT_FDCWD, path.as_c_str(), AT_FDCWD, c"named", AT_SYMLINK_FOLLOW));
    }
    "linkat-empty-path" => |o| {
        let fd = file(c"f", b"abc");
        o.v(sys!(SYS_linkat, fd, c"", AT_FDCWD, c"g", AT_EMPTY_PATH)); o.s(stat(c"g").st_nlink);
        o.v(sys!(SYS_linkat, fd, c"", AT_FDCWD, c"h", 0));
        o.v(sys!(SYS_linkat, fd, c"", AT_FDCWD, c"h", 0x4000_0000));
    }
    "creat" => |o| { let fd = sys!(SYS_creat, c"f", 0o600) as i32; o.ok(fd.into()); o.v(write(fd, b"x")); o.s(read(fd)); }
    "openat2-resolve" => |o| {
        file(c"f", b""); sys!(SYS_symlink, c"f", c"l");
        let how = |flags: u64, mode: u64, resolve: u64| [flags, mode, resolve];
        let open2 = |path: &std::ffi::CStr, how: &[u64; 3]| sys!(SYS_openat2, AT_FDCWD, path, how.as_ptr(), 24);
        o.ok(open2(c"f", &how(0, 0, 0)));
        o.v(open2(c"l", &how(0, 0, 4)));
        o.v(open2(c"/etc", &how(0, 0, 8)));
        o.v(open2(c"../x", &how(0, 0, 8)));
        o.v(open2(c"f", &how(0, 0o644, 0)));
        o.v(open2(c"f", &how(1 << 40, 0, 0)));
        o.v(open2(c"f", &how(0, 0, 0x100)));
        o.v(open2(c"..", &how(0, 0, 0x18)));
    }
    "openat2-size" => |o| {
        let big = [0u64, 0, 0, 1];
        o.v(sys!(SYS_openat2, AT_FDCWD, c".", big.as_ptr(), 32)); o.v(sys!(SYS_openat2, AT_FDCWD, c".", big.as_ptr(), 8));
        let big = [0u64; 4];
        o.ok(sys!(SYS_openat2, AT_FDCWD, c".", big.as_ptr(), 32));
    }
    "read-directory" => |o| { let fd = open(c".", O_RDONLY); o.s(read(fd)); }
    "read-bad-buffer" => |o| { let fd = file(c"f", b"abc"); o.v(sys!(SYS_pread64, fd, BAD, 3, 0)); o.v(sys!(SYS_pread64, fd, BAD, 3, 10)); o.v(sys!(SYS_write, fd, BAD, 3)); }
    "read-zero" => |o| { let fd = file(c"f", b"abc"); o.v(sys!(SYS_read, fd, BAD, 0)); o.v(sys!(SYS_read, 999, 0, 0)); }
    "read-past-end" => |o| { let fd = file(c"f", b"abc"); o.v(lseek(fd, 10, SEEK_SET)); o.s(read(fd)); o.s(pread(fd, 2)); o.s(pread(fd, -1)); }
    "write-append" => |o| { file(c"f", b"abc"); let fd = open(c"f", O_RDWR | O_APPEND); o.v(write(fd, b"d")); o.v(lseek(fd, 0, SEEK_CUR)); o.v(sys!(SYS_pwrite64, fd, c"ZZ", 2, 0)); o.s(pread(fd, 0)); }
    "write-hole" => |o| { let fd = file(c"f", b""); o.v(sys!(SYS_pwrite64, fd, c"x", 1, 9000)); o.s(fstat(fd).st_size); o.s(pread(fd, 8998)); }
    "lseek-whence" => |o| { let fd = file(c"f", b"abc"); o.v(lseek(fd, -1, SEEK_SET)); o.v(lseek(fd, -1, SEEK_END)); o.v(lseek(fd, 5, SEEK_CUR)); o.v(lseek(fd, 0, 9)); o.v(lseek(fd, i64::MAX, SEEK_SET)); }
    "lseek-data-hole" => |o| {
        let fd = file(c"f", b""); sys!(SYS_ftruncate, fd, 1 << 20); sys!(SYS_pwrite64, fd, c"x", 1, 500_000);
        o.v(lseek(fd, 0, SEEK_HOLE)); o.v(lseek(fd, 1 << 20, SEEK_DATA)); o.v(lseek(fd, 600_000, SEEK_DATA));
    }
    "readv-writev" => |o| {
        let fd = file(c"f", b"");
        let iov = [iovec { iov_base: c"ab".as_ptr() as *mut _, iov_len: 2 }, iovec { iov_base: c"cde".as_ptr() as *mut _, iov_len: 3 }];
        o.v(sys!(SYS_writev, fd, iov.as_ptr(), 2)); o.s(pread(fd, 0)); o.v(sys!(SYS_writev, fd, iov.as_ptr(), 1025)); o.v(sys!(SYS_writev, fd, iov.as_ptr(), 0));
        o.v(sys!(SYS_writev, fd, BAD, 1)); o.v(sys!(SYS_writev, fd, iov.as_ptr(), -1));
        let bad = [iovec { iov_base: std::ptr::null_mut(), iov_len: usize::MAX }];
        o.v(sys!(SYS_writev, fd, bad.as_ptr(), 1));
    }
    "preadv2-flags" => |o| {
        let fd = file(c"f", b"abc");
        let mut buf = [0u8; 8];
        let iov = [iovec { iov_base: buf.as_mut_ptr().cast(), iov_len: 8 }];
        o.v(sys!(SYS_preadv2, fd, iov.as_ptr(), 1, 0, 0, 0)); o.v(sys!(SYS_preadv2, fd, iov.as_ptr(), 1, 1, 0, 1)); o.v(sys!(SYS_preadv2, fd, iov.as_ptr(), 1, 0, 0, 0x8000));
        o.v(sys!(SYS_preadv2, fd, iov.as_ptr(), 1, -1, 0, 0)); o.v(sys!(SYS_preadv2, fd, iov.as_ptr(), 1, -2, 0, 0));
        o.v(sys!(SYS_pwritev2, fd, iov.as_ptr(), 1, 0, 0, 16)); o.s(fstat(fd).st_size);
    }
    "truncate" => |o| { let fd = file(c"f", b"hello"); o.v(sys!(SYS_truncate, c"f", 2)); o.s(pread(fd, 0)); o.v(sys!(SYS_ftruncate, fd, 4)); o.s(pread(fd, 0)); o.v(sys!(SYS_truncate, c"f", -1)); o.v(sys!(SYS_truncate, c".", 0)); o.v(sys!(SYS_truncate, c"none", 0)); }
    "ftruncate-errors" => |o| { file(c"f", b"x"); let r = open(c"f", O_RDONLY); o.v(sys!(SYS_ftruncate, r, 0)); let p = pipe(0); o.v(sys!(SYS_ftruncate, p[1], 0)); o.v(sys!(SYS_ftruncate, 999, 0)); let d = open(c".", O_RDONLY); o.v(sys!(SYS_ftruncate, d, 0)); }
    "fallocate" => |o| {
        let fd = file(c"f", b"abc");
        o.v(sys!(SYS_fallocate, fd, 0, 0, 8192)); o.s(fstat(fd).st_size); o.v(sys!(SYS_fallocate, fd, 1, 0, 20000)); o.s(fstat(fd).st_size);
        o.v(sys!(SYS_fallocate, fd, 3, 0, 4096)); o.s(pread(fd, 0) == format!("{:?}", "\0".repeat(64)));
        o.v(sys!(SYS_fallocate, fd, 2, 0, 1)); o.v(sys!(SYS_fallocate, fd, 0, 0, 0)); o.v(sys!(SYS_fallocate, fd, 0, -1, 5)); o.v(sys!(SYS_fallocate, fd, 0x800, 0, 5));
    }
    "fallocate-other" => |o| { let p = pipe(0); o.v(sys!(SYS_fallocate, p[1], 0, 0, 1)); o.v(sys!(SYS_fallocate, p[0], 0, 0, 1)); let d = open(c".", O_RDONLY); o.v(sys!(SYS_fallocate, d, 0, 0, 1)); }
    "sendfile" => |o| {
        let a = file(c"a", b"hello"); let b = file(c"b", b"");
        let mut at = 1i64;
        o.v(sys!(SYS_sendfile, b, a, &raw mut at, 3)); o.s(at); o.s(pread(b, 0)); o.v(lseek(a, 0, SEEK_SET)); o.v(sys!(SYS_sendfile, b, a, 0, 100)); o.s(pread(b, 0));
        o.v(sys!(SYS_sendfile, a, 999, 0, 1)); let p = pipe(0); o.v(sys!(SYS_sendfile, p[1], a, 0, 1)); o.v(sys!(SYS_sendfile, b, open(c"b", O_WRONLY), 0, 1));
    }
    "sendfile-to-itself" => |o| {
        let a = file(c"a", b"hello"); lseek(a, 1, SEEK_SET);
        o.v(sys!(SYS_sendfile, a, a, 0, 3)); o.v(lseek(a, 0, SEEK_CUR)); o.s(pread(a, 0));
        // Beyond the end the result depends on the size of the pieces that are copied at once.
        let mut at = 0i64; o.v(sys!(SYS_sendfile, a, a, &raw mut at, 1)); o.s(at); o.v(lseek(a, 0, SEEK_CUR)); o.s(pread(a, 0));
    }
    "copy-file-range" => |o| {
        let a = file(c"a", b"hello"); let b = file(c"b", b"");
        let (mut from, mut to) = (1i64, 2i64);
        o.v(sys!(SYS_copy_file_range, a, &raw mut from, b, &raw mut to, 3, 0)); o.s(from); o.s(to); o.s(pread(b, 0));
        o.v(sys!(SYS_copy_file_range, a, &raw mut from, b, &raw mut to, 3, 1)); let p = pipe(0); o.v(sys!(SYS_copy_file_range, a, 0, p[1], 0, 3, 0));
        let d = open(c".", O_RDONLY); o.v(sys!(SYS_copy_file_range, d, 0, b, 0, 3, 0));
        let (mut from, mut to) = (0i64, 2i64); o.v(sys!(SYS_copy_file_range, a, &raw mut from, a, &raw mut to, 4, 0));
    }
    "fsync" => |o| { let fd = file(c"f", b"x"); o.v(sys!(SYS_fsync, fd)); o.v(sys!(SYS_fdatasync, fd)); let p = pipe(0); o.v(sys!(SYS_fsync, p[0])); o.v(sys!(SYS_fsync, 999)); o.v(sys!(SYS_syncfs, fd)); o.v(sys!(SYS_syncfs, 999)); }
    "sync-file-range" => |o| { let fd = file(c"f", b"x"); o.v(sys!(SYS_sync_file_range, fd, 0, 0, 7)); o.v(sys!(SYS_sync_file_range, fd, 0, 0, 8)); o.v(sys!(SYS_sync_file_range, fd, -1, 0, 1)); let p = pipe(0); o.v(sys!(SYS_sync_file_range, p[0], 0, 0, 1)); }
    "fadvise" => |o| { let fd = file(c"f", b"x"); for a in 0..7 { o.v(sys!(SYS_fadvise64, fd, 0, 0, a)); } let p = pipe(0); o.v(sys!(SYS_fadvise64, p[0], 0, 0, 0)); o.v(sys!(SYS_fadvise64, 999, 0, 0, 0)); o.v(sys!(SYS_fadvise64, fd, 0, -1, 0)); }
    "readahead" => |o| { let fd = file(c"f", b"x"); o.v(sys!(SYS_readahead, fd, 0, 4096)); let p = pipe(0); o.v(sys!(SYS_readahead, p[0], 0, 1)); let w = open(c"f", O_WRONLY); o.v(sys!(SYS_readahead, w, 0, 1)); }
    "utimensat" => |o| {
        file(c"f", b"x");
        let set = |a: (i64, i64), m: (i64, i64)| { let t = [timespec { tv_sec: a.0, tv_nsec: a.1 }, timespec { tv_sec: m.0, tv_nsec: m.1 }]; sys!(SYS_utimensat, AT_FDCWD, c"f", t.as_ptr(), 0) };
        o.v(set((100, 5), (200, 6))); let s = stat(c"f"); o.s(s.st_atime); o.s(s.st_mtime); o.s(s.st_mtime_nsec);
        o.v(set((0, UTIME_OMIT), (300, 0))); let s = stat(c"f"); o.s(s.st_atime); o.s(s.st_mtime);
        o.v(set((0, 1_000_000_000), (0, 0))); o.v(sys!(SYS_utimensat, AT_FDCWD, c"f", 0, 1)); o.v(sys!(SYS_utimensat, AT_FDCWD, 0, 0, 0));
        o.v(sys!(SYS_utimensat, AT_FDCWD, c"none", 0, 0));
    }
    "utimes-other" => |o| { file(c"f", b"x"); let t = [1i64, 2]; o.v(sys!(SYS_utime, c"f", t.as_ptr())); o.s(stat(c"f").st_mtime); let t = [5i64, 0, 6, 1_000_000]; o.v(sys!(SYS_utimes, c"f", t.as_ptr())); let t = [5i64, 0, 6, 1]; o.v(sys!(SYS_futimesat, AT_FDCWD, c"f", t.as_ptr())); o.s(stat(c"f").st_mtime_nsec); }
    "stat-kinds" => |o| {
        file(c"f", b"x"); sys!(SYS_symlink, c"f", c"l"); sys!(SYS_mknod, c"p", S_IFIFO | 0o600, 0); sys!(SYS_mkdir, c"d", 0o755);
        for n in [c"f", c"l", c"p", c"d", c"/dev/null"] { let s = stat(n); o.s(format_args!("{:o}/{}/{:x}", s.st_mode, s.st_nlink, s.st_rdev)); }
    }
    "stat-flags" => |o| {
        let fd = file(c"f", b"x");
        // SAFETY: a plain structure.
        let mut s: libc::stat = unsafe { std::mem::zeroed() };
        o.v(sys!(SYS_newfstatat, fd, c"", &raw mut s, AT_EMPTY_PATH)); o.v(sys!(SYS_newfstatat, fd, c"", &raw mut s, 0)); o.v(sys!(SYS_newfstatat, AT_FDCWD, c"f", &raw mut s, 1)); o.v(sys!(SYS_newfstatat, AT_FDCWD, c"f", BAD, 0)); o.v(sys!(SYS_fstat, 999, &raw mut s));
        o.v(sys!(SYS_newfstatat, AT_FDCWD, c"f", &raw mut s, AT_NO_AUTOMOUNT));
    }
    "statx" => |o| {
        let fd = file(c"f", b"abc");
        // SAFETY: a plain structure.
        let mut s: statx = unsafe { std::mem::zeroed() };
        o.v(sys!(SYS_statx, AT_FDCWD, c"f", 0, 0xfff, &raw mut s)); o.s(format_args!("{:x}", s.stx_mask & 0x7ff)); o.s(s.stx_size); o.s(s.stx_nlink); o.s(format_args!("{:o}", s.stx_mode)); o.s(s.stx_uid);
        o.v(sys!(SYS_statx, fd, c"", AT_EMPTY_PATH, 0x7ff, &raw mut s)); o.v(sys!(SYS_statx, fd, c"", 0, 0x7ff, &raw mut s)); o.v(sys!(SYS_statx, AT_FDCWD, c"f", 0x6000, 0x7ff, &raw mut s)); o.v(sys!(SYS_statx, AT_FDCWD, c"f", 0, 0x8000_0000u32, &raw mut s)); o.v(sys!(SYS_statx, AT_FDCWD, c"f", 1, 0x7ff, &raw mut s));
    }
    "statfs" => |o| {
        let fd = file(c"f", b"");
        // SAFETY: a plain structure.
        let mut s: statfs = unsafe { std::mem::zeroed() };
        o.v(sys!(SYS_fstatfs, fd, &raw mut s)); o.s(format_args!("{:x}", s.f_type)); o.s(s.f_bsize); o.s(s.f_namelen); let p = pipe(0); o.v(sys!(SYS_fstatfs, p[0], &raw mut s)); o.s(format_args!("{:x}", s.f_type));
        o.v(sys!(SYS_statfs, c"/proc", &raw mut s)); o.s(format_args!("{:x}", s.f_type)); o.v(sys!(SYS_statfs, c"none", &raw mut s)); o.v(sys!(SYS_statfs, c".", BAD));
    }
    "etxtbsy" => |o| {
        std::fs::copy("/proc/self/exe", "prog").unwrap();
        std::fs::set_permissions("prog", std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let w = open(c"prog", O_WRONLY);
        // Where it is run after all it must not print the names of cases.
        let argv = [c"prog".as_ptr(), c"nothing".as_ptr(), std::ptr::null()];
        o.s(crate::harness::errno_name(child(|| code(sys!(SYS_execve, c"prog", argv.as_ptr(), 0)))));
        close(w);
        let p = pipe(0);
        let pid = spawn(|| { sys!(SYS_dup2, p[1], 1); close(p[0]); let argv = [c"prog".as_ptr(), c"list".as_ptr(), std::ptr::null()]; code(sys!(SYS_execve, c"prog", argv.as_ptr(), 0)) });
        let mut byte = 0u8;
        sys!(SYS_read, p[0], &raw mut byte, 1);
        o.v(open(c"prog", O_WRONLY).into()); o.v(open(c"prog", O_RDWR).into()); o.ok(open(c"prog", O_RDONLY).into()); o.v(sys!(SYS_truncate, c"prog", 0));
        sys!(SYS_kill, pid, SIGKILL); reap(pid);
        o.ok(open(c"prog", O_WRONLY).into());
    }
    "fsize-limit" => |o| {
        let fd = file(c"f", b"");
        let l = [10u64, 10]; block(&[SIGXFSZ]);
        o.v(sys!(SYS_setrlimit, RLIMIT_FSIZE, l.as_ptr())); o.v(write(fd, b"0123456789abc")); o.v(write(fd, b"x")); o.v(sys!(SYS_ftruncate, fd, 11)); o.v(sys!(SYS_ftruncate, fd, 5));
    }
    "file-handles" => |o| {
        file(c"f", b"x");
        let mut h = [0u32; 34]; let mut id = 0i32;
        o.v(sys!(SYS_name_to_handle_at, AT_FDCWD, c"f", h.as_mut_ptr(), &raw mut id, 0)); h[0] = 1000; o.v(sys!(SYS_name_to_handle_at, AT_FDCWD, c"f", h.as_mut_ptr(), &raw mut id, 0)); h[0] = 128;
        o.v(sys!(SYS_name_to_handle_at, AT_FDCWD, c"f", h.as_mut_ptr(), &raw mut id, 7)); o.v(sys!(SYS_name_to_handle_at, AT_FDCWD, c"none", h.as_mut_ptr(), &raw mut id, 0)); o.v(sys!(SYS_name_to_handle_at, AT_FDCWD, c"/proc/self", h.as_mut_ptr(), &raw mut id, 0));
        h[0] = 0; o.v(sys!(SYS_open_by_handle_at, AT_FDCWD, h.as_mut_ptr(), O_RDONLY)); o.s(as_user(|| sys!(SYS_open_by_handle_at, AT_FDCWD, h.as_ptr(), O_RDONLY)));
    }
    "getdents" => |o| {
        for n in [c"a", c"b", c"c"] { file(n, b""); } sys!(SYS_mkdir, c"d", 0o755); sys!(SYS_symlink, c"a", c"l");
        let mut names: Vec<String> = std::fs::read_dir(".").unwrap().map(|e| { let e = e.unwrap(); format!("{}:{:?}", e.file_name().display(), e.file_type().unwrap().is_dir()) }).collect(); names.sort(); o.s(names.join(","));
        let d = open(c".", O_RDONLY); let mut buf = [0u8; 8]; o.v(sys!(SYS_getdents64, d, buf.as_mut_ptr(), 8)); o.v(sys!(SYS_getdents64, 999, buf.as_mut_ptr(), 8)); let f = open(c"a", O_RDONLY); o.v(sys!(SYS_getdents64, f, buf.as_mut_ptr(), 8));
        sys!(SYS_rmdir, c"d"); sys!(SYS_mkdir, c"e", 0o755); let e = open(c"e", O_RDONLY); sys!(SYS_rmdir, c"e"); let mut buf = [0u8; 512]; o.v(sys!(SYS_getdents64, e, buf.as_mut_ptr(), 512));
    }
    "ioctl-common" => |o| { let fd = file(c"f", b"abc"); let mut n = 0i32; o.v(sys!(SYS_ioctl, fd, FIONREAD, &raw mut n)); o.v(sys!(SYS_ioctl, fd, TCGETS, &raw mut n)); o.v(sys!(SYS_ioctl, fd, 0x1234_5678, 0)); o.v(sys!(SYS_ioctl, 999, FIONREAD, &raw mut n)); o.v(sys!(SYS_ioctl, fd, FIOCLEX, 0)); o.v(sys!(SYS_fcntl, fd, F_GETFD)); o.v(sys!(SYS_ioctl, fd, FIONBIO, BAD)); }
    "device-nodes" => |o| { o.ok(open(c"/dev/full", O_WRONLY).into()); o.v(write(open(c"/dev/full", O_WRONLY), b"x")); o.s(read(open(c"/dev/null", O_RDONLY))); o.v(write(open(c"/dev/null", O_WRONLY), b"xyz")); let z = open(c"/dev/zero", O_RDONLY); let mut b = [1u8; 4]; o.v(sys!(SYS_read, z, b.as_mut_ptr(), 4)); o.s(b[3]); sys!(SYS_mknod, c"n", S_IFCHR | 0o600, 0x9999); o.v(open(c"n", O_RDONLY).into()); }
}
