//! Flags of calls on files.

use super::super::util::*;
use super::{bits, made, then, values};
use crate::{cases, sys};

/// A path that does not exist: what is refused is refused before it is looked for.
const NONE: &std::ffi::CStr = c"none";
const DIRECT: u32 = O_DIRECT as u32;

fn how(flags: u64, mode: u64, resolve: u64) -> [u64; 3] {
    [flags, mode, resolve]
}

cases! { "flags-files";
    "openat" => |o| { file(c"f", b"x"); bits(o, DIRECT, |f| made(sys!(SYS_openat, AT_FDCWD, c"f", f, 0))); bits(o, DIRECT, |f| made(sys!(SYS_openat, AT_FDCWD, c".", f | O_PATH as u32, 0))); }
    "openat2" => |o| { file(c"f", b"x"); bits(o, DIRECT, |f| { let h = how(f.into(), 0, 0); made(sys!(SYS_openat2, AT_FDCWD, c"f", h.as_ptr(), 24)) }); bits(o, 0, |f| { let h = how(u64::from(f) << 32, 0, 0); made(sys!(SYS_openat2, AT_FDCWD, c"f", h.as_ptr(), 24)) }); }
    "openat2-resolve" => |o| { file(c"f", b"x"); bits(o, 32, |f| { let h = how(0, 0, f.into()); made(sys!(SYS_openat2, AT_FDCWD, c"f", h.as_ptr(), 24)) }); }
    "openat2-path" => |o| { bits(o, 0, |f| { let h = how(u64::from(f | O_PATH as u32), 0, 0); made(sys!(SYS_openat2, AT_FDCWD, c".", h.as_ptr(), 24)) }); }
    "close-range" => |o| { bits(o, 0, |f| sys!(SYS_close_range, 900, 901, f)); }
    "dup3" => |o| { let p = pipe(0); bits(o, 0, |f| made(sys!(SYS_dup3, p[0], 90, f))); }
    "memfd-create" => |o| { bits(o, MFD_HUGETLB, |f| made(sys!(SYS_memfd_create, c"m", f))); }
    "pipe2" => |o| { bits(o, O_EXCL as u32, |f| { let mut p = [0i32; 2]; let made = sys!(SYS_pipe2, p.as_mut_ptr(), f); if made == 0 { close(p[0]); close(p[1]); } made }); }
    "pipe-packets" => |o| { let p = pipe(O_DIRECT); write(p[1], b"one"); write(p[1], b"two"); o.s(read(p[0])); let mut b = [0u8; 2]; o.v(sys!(SYS_read, p[0], b.as_mut_ptr(), 2)); write(p[1], b"three"); o.s(read(p[0])); sys!(SYS_fcntl, p[1], F_SETFL, 0); write(p[1], b"a"); write(p[1], b"b"); o.s(read(p[0])); }
    "setfl" => |o| { let p = pipe(0); bits(o, 0, |f| sys!(SYS_fcntl, p[0], F_SETFL, f)); let mut kept = 0; for bit in 0..32 { sys!(SYS_fcntl, p[0], F_SETFL, 1u32 << bit); kept |= sys!(SYS_fcntl, p[0], F_GETFL); } o.s(format_args!("{kept:x}")); }
    "setfd" => |o| { let p = pipe(0); for bit in 0..32 { sys!(SYS_fcntl, p[0], F_SETFD, 1u32 << bit); if sys!(SYS_fcntl, p[0], F_GETFD) != 0 { o.s(bit); } } }
    "seals" => |o| { bits(o, 0x20, |f| { let m = sys!(SYS_memfd_create, c"m", MFD_ALLOW_SEALING) as i32; then(sys!(SYS_fcntl, m, F_ADD_SEALS, f), || { close(m); }) }); }
    "flock" => |o| { let f = file(c"f", b""); bits(o, 0, |operation| sys!(SYS_flock, f, operation)); }
    "lseek" => |o| { let f = file(c"f", b"x"); values(o, &[], |whence| sys!(SYS_lseek, f, 0, whence)); }
    "fstatat" => |o| { let mut st = [0u64; 32]; bits(o, 0, |f| sys!(SYS_newfstatat, AT_FDCWD, c".", st.as_mut_ptr(), f)); }
    "statx" => |o| { let mut st = [0u64; 32]; bits(o, 0, |f| sys!(SYS_statx, AT_FDCWD, c".", f, 0, st.as_mut_ptr())); o.v(sys!(SYS_statx, AT_FDCWD, c".", 0x6000, 0, st.as_mut_ptr())); bits(o, 0, |m| sys!(SYS_statx, AT_FDCWD, c".", 0, m, st.as_mut_ptr())); }
    "faccessat2" => |o| { bits(o, 0, |f| sys!(SYS_faccessat2, AT_FDCWD, c".", 0, f)); bits(o, 0, |mode| sys!(SYS_faccessat2, AT_FDCWD, c".", mode, 0)); }
    "fchownat" => |o| { bits(o, 0, |f| sys!(SYS_fchownat, AT_FDCWD, c".", -1, -1, f)); }
    "utimensat" => |o| { let f = file(c"f", b""); bits(o, 0, |flag| sys!(SYS_utimensat, AT_FDCWD, c"f", 0, flag)); bits(o, 0, |flag| sys!(SYS_utimensat, f, 0, 0, flag)); }
    "linkat" => |o| { bits(o, 0, |f| sys!(SYS_linkat, AT_FDCWD, NONE, AT_FDCWD, c"other", f)); }
    "unlinkat" => |o| { bits(o, 0, |f| sys!(SYS_unlinkat, AT_FDCWD, NONE, f)); }
    "renameat2" => |o| { bits(o, 4, |f| sys!(SYS_renameat2, AT_FDCWD, NONE, AT_FDCWD, c"other", f)); o.v(sys!(SYS_renameat2, AT_FDCWD, NONE, AT_FDCWD, c"other", 3)); }
    "name-to-handle-at" => |o| { let mut handle = [0u64; 4]; let mut mount = 0i32; bits(o, 0x203, |f| sys!(SYS_name_to_handle_at, AT_FDCWD, NONE, handle.as_mut_ptr(), &raw mut mount, f)); }
    "execveat" => |o| { bits(o, 0, |f| sys!(SYS_execveat, AT_FDCWD, NONE, 0, 0, f)); }
    "fsetxattr" => |o| { let f = file(c"f", b""); bits(o, 0, |flag| sys!(SYS_fsetxattr, f, BAD, 0, 0, flag)); }
    "fallocate" => |o| { file(c"f", b"x"); let f = open(c"f", O_RDONLY); bits(o, 0x68, |mode| sys!(SYS_fallocate, f, mode, 0, 1)); }
    "inotify-init1" => |o| { bits(o, 0, |f| made(sys!(SYS_inotify_init1, f))); }
    "inotify-add-watch" => |o| { bits(o, 0, |mask| { let i = sys!(SYS_inotify_init1, 0) as i32; then(sys!(SYS_inotify_add_watch, i, c".", mask), || { close(i); }) }); }
    "mount" => |o| { std::fs::create_dir("d").unwrap(); bits(o, 0, |f| sys!(SYS_mount, c"none", c"d", c"nosuchfs", f, 0)); }
    "umount2" => |o| { bits(o, 0, |f| sys!(SYS_umount2, NONE, f)); }
    "swapon" => |o| { bits(o, 0, |f| sys!(SYS_swapon, NONE, f)); }
    "preadv2" => |o| { let f = file(c"f", b"text"); let mut b = [0u8; 4]; let iov = [b.as_mut_ptr() as usize, 4]; bits(o, 8, |flag| sys!(SYS_preadv2, f, iov.as_ptr(), 1, 0, 0, flag)); o.v(sys!(SYS_preadv2, -1, iov.as_ptr(), 1, 0, 0, 1 << 30)); }
    "pwritev2" => |o| { let f = file(c"f", b"text"); let iov = [b"x".as_ptr() as usize, 1]; bits(o, 8, |flag| sys!(SYS_pwritev2, f, iov.as_ptr(), 1, 0, 0, flag)); o.s(pread(f, 0)); }
    "copy-file-range" => |o| { let f = file(c"f", b"text"); let g = file(c"g", b""); bits(o, 0, |flag| sys!(SYS_copy_file_range, f, 0, g, 0, 1, flag)); }
    "splice" => |o| { let (p, q) = (pipe(O_NONBLOCK), pipe(O_NONBLOCK)); bits(o, 0, |f| sys!(SYS_splice, p[0], 0, q[1], 0, 1, f)); bits(o, 0, |f| sys!(SYS_splice, p[0], 0, q[1], 0, 0, f)); }
    "tee" => |o| { let (p, q) = (pipe(O_NONBLOCK), pipe(O_NONBLOCK)); bits(o, 0, |f| sys!(SYS_tee, p[0], q[1], 1, f)); bits(o, 0, |f| sys!(SYS_tee, p[0], q[1], 0, f)); }
    "vmsplice" => |o| { let p = pipe(O_NONBLOCK); bits(o, 0, |f| sys!(SYS_vmsplice, p[1], 0, 0, f)); }
    "sync-file-range" => |o| { let f = file(c"f", b"text"); bits(o, 0, |flag| sys!(SYS_sync_file_range, f, 0, 0, flag)); }
    "fadvise" => |o| { let f = file(c"f", b"text"); values(o, &[], |advice| sys!(SYS_fadvise64, f, 0, 0, advice)); }
}
