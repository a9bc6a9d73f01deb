//! Landlock: what a thread gives up. Linux 6.1 has version 2 of the interface, so truncation is not asked about.

use std::ffi::CStr;

use super::util::*;
use crate::{cases, sys};

const EXECUTE: u64 = 1;
const WRITE: u64 = 2;
const READ: u64 = 4;
const READ_DIR: u64 = 8;
const REMOVE_DIR: u64 = 0x10;
const REMOVE_FILE: u64 = 0x20;
const MAKE_DIR: u64 = 0x80;
const MAKE_REG: u64 = 0x100;
const MAKE_SOCK: u64 = 0x200;
const MAKE_FIFO: u64 = 0x400;
const MAKE_SYM: u64 = 0x1000;
const REFER: u64 = 0x2000;

fn ruleset(handled: u64) -> i64 {
    sys!(SYS_landlock_create_ruleset, &raw const handled, 8, 0)
}

fn add(set: i64, fd: i32, allowed: u64) -> i64 {
    // struct landlock_path_beneath_attr is packed.
    let mut attr = [0u8; 12];
    attr[..8].copy_from_slice(&allowed.to_ne_bytes());
    attr[8..].copy_from_slice(&fd.to_ne_bytes());
    sys!(SYS_landlock_add_rule, set, 1, attr.as_ptr(), 0)
}

/// Binds the process; the error of the first call that fails.
fn bind(handled: u64, rules: &[(&CStr, u64)]) -> i64 {
    sys!(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    let set = ruleset(handled);
    for (path, allowed) in rules {
        let fd = open(path, O_PATH);
        let added = add(set, fd, *allowed);
        if added != 0 {
            return added;
        }
        sys!(SYS_close, fd);
    }
    let bound = sys!(SYS_landlock_restrict_self, set, 0);
    sys!(SYS_close, set);
    bound
}

/// What becomes of `f` in a child that is bound.
fn bound(handled: u64, rules: &[(&CStr, u64)], f: impl FnOnce() -> i64) -> String {
    let code = child(|| match bind(handled, rules) {
        0 => code(f()),
        failed => 500 + code(failed),
    });
    match code {
        0 => "ok".into(),
        1000.. => format!("signal {}", code - 1000),
        500.. => format!("not bound: {}", crate::harness::errno_name(code - 500)),
        _ => crate::harness::errno_name(code),
    }
}

/// A directory `d` with a file, one `e`, a file beside them.
fn tree() {
    sys!(SYS_mkdir, c"d", 0o755);
    sys!(SYS_mkdir, c"d/sub", 0o755);
    sys!(SYS_mkdir, c"e", 0o755);
    for path in [c"f", c"d/f", c"d/sub/f", c"e/f"] {
        file(path, b"x");
    }
}

cases! { "landlock";
    "ruleset-errors" => |o| { let two = [READ, 1]; o.s(sys!(SYS_landlock_create_ruleset, 0, 0, 1) >= 2); o.v(sys!(SYS_landlock_create_ruleset, &raw const two, 8, 1)); o.v(sys!(SYS_landlock_create_ruleset, 0, 0, 0x80)); o.v(sys!(SYS_landlock_create_ruleset, 0, 8, 0)); o.v(sys!(SYS_landlock_create_ruleset, &raw const two, 4, 0)); o.v(sys!(SYS_landlock_create_ruleset, &raw const two, 16, 0)); o.v(sys!(SYS_landlock_create_ruleset, &raw const two, 5000, 0)); o.v(ruleset(0)); o.v(ruleset(1 << 40)); o.ok(ruleset(READ)); }
    "rule-errors" => |o| { file(c"f", b""); let set = ruleset(READ | MAKE_REG); let here = open(c".", O_PATH); let f = open(c"f", O_PATH); o.v(add(set, here, READ)); o.v(add(set, here, 0)); o.v(add(set, here, WRITE)); o.v(add(set, f, READ)); o.v(add(set, f, MAKE_REG)); o.v(add(set, 999, READ)); o.v(add(set, pipe(0)[0], READ)); o.v(add(set, set as i32, READ)); o.v(add(f.into(), here, READ)); o.v(add(999, here, READ)); o.v(sys!(SYS_landlock_add_rule, set, 0, BAD, 0)); o.v(sys!(SYS_landlock_add_rule, set, 1, BAD, 0)); o.v(sys!(SYS_landlock_add_rule, set, 1, BAD, 1)); o.v(sys!(SYS_landlock_restrict_self, set, 1)); o.v(sys!(SYS_landlock_restrict_self, 999, 0)); o.v(sys!(SYS_landlock_restrict_self, f, 0)); o.s(as_user(|| sys!(SYS_landlock_restrict_self, set, 0))); }
    "reading" => |o| { tree(); let d: &[(&CStr, u64)] = &[(c"d", READ | READ_DIR)]; let all = READ | READ_DIR; for path in [c"f", c"d/f", c"d/sub/f", c"e/f", c".", c"d", c"d/sub", c"e", c"d/../f", c"/dev/null"] { o.s(bound(all, d, || open(path, O_RDONLY).into())); } o.s(bound(all, d, || open(c"f", O_PATH).into())); o.s(bound(all, d, || open(c"f", O_WRONLY).into())); o.s(bound(all, d, || sys!(SYS_access, c"f", R_OK))); o.s(bound(all, d, || open(c"none", O_RDONLY).into())); o.s(bound(all, &[(c"f", READ)], || open(c"f", O_RDONLY).into())); o.s(bound(all, &[(c"/", all)], || open(c"e/f", O_RDONLY).into())); }
    "writing" => |o| { tree(); let d: &[(&CStr, u64)] = &[(c"d", WRITE)]; for path in [c"f", c"d/f"] { o.s(bound(WRITE, d, || open(path, O_WRONLY).into())); o.s(bound(WRITE, d, || open(path, O_RDWR | O_APPEND).into())); o.s(bound(WRITE, d, || open(path, O_RDONLY).into())); } o.s(bound(WRITE, d, || open(c"new", O_CREAT | O_WRONLY).into())); o.s(bound(WRITE, d, || open(c"d/new", O_CREAT | O_WRONLY).into())); o.s(bound(WRITE, d, || sys!(SYS_chmod, c"f", 0o600))); o.s(bound(WRITE, d, || sys!(SYS_mkdir, c"other", 0o700))); }
    "what-is-open-stays" => |o| { tree(); let f = open(c"f", O_RDWR); o.s(bound(READ | WRITE, &[], || write(f, b"yy"))); o.s(bound(READ | WRITE, &[], || { let mut b = [0u8; 1]; sys!(SYS_read, f, b.as_mut_ptr(), 1) - 1 })); o.s(bound(READ | WRITE, &[], || { let p = pipe(0); let path = std::ffi::CString::new(format!("/proc/self/fd/{}", p[1])).unwrap(); open(&path, O_WRONLY).into() })); }
    "making" => |o| { tree(); let all = MAKE_DIR | MAKE_REG | MAKE_SOCK | MAKE_FIFO | MAKE_SYM; let d: &[(&CStr, u64)] = &[(c"d", all)]; for (there, here) in [(c"d/1", c"1"), (c"d/sub/1", c"e/1")] { for path in [there, here] { o.s(bound(all, d, || sys!(SYS_mkdir, path, 0o755))); sys!(SYS_rmdir, path); o.s(bound(all, d, || sys!(SYS_mknod, path, S_IFREG | 0o644, 0))); sys!(SYS_unlink, path); o.s(bound(all, d, || sys!(SYS_mknod, path, S_IFIFO | 0o644, 0))); sys!(SYS_unlink, path); o.s(bound(all, d, || sys!(SYS_mknod, path, S_IFSOCK | 0o644, 0))); sys!(SYS_unlink, path); o.s(bound(all, d, || sys!(SYS_symlink, c"x", path))); sys!(SYS_unlink, path); o.s(bound(all, d, || open(path, O_CREAT | O_RDWR).into())); sys!(SYS_unlink, path); } } o.s(bound(MAKE_DIR, &[], || sys!(SYS_mknod, c"2", S_IFREG | 0o644, 0))); o.s(bound(all, d, || open(c"f", O_CREAT | O_RDWR).into())); }
    "removing" => |o| { tree(); let all = REMOVE_DIR | REMOVE_FILE; let d: &[(&CStr, u64)] = &[(c"d", all)]; o.s(bound(all, d, || sys!(SYS_unlink, c"f"))); o.s(bound(all, d, || sys!(SYS_unlink, c"e/f"))); o.s(bound(all, d, || sys!(SYS_unlink, c"none"))); o.s(bound(all, d, || sys!(SYS_unlink, c"d/sub/f"))); o.s(bound(all, d, || sys!(SYS_rmdir, c"d/sub"))); o.s(bound(all, d, || sys!(SYS_rmdir, c"e"))); o.s(bound(REMOVE_DIR, &[], || sys!(SYS_unlink, c"f"))); }
    "executing" => |o| { let argv = [c"/bin/true".as_ptr(), std::ptr::null()]; let run = || sys!(SYS_execve, c"/bin/true", argv.as_ptr(), 0); o.s(bound(EXECUTE, &[], run)); o.s(bound(EXECUTE, &[(c"/", EXECUTE)], run)); o.s(bound(EXECUTE | READ, &[(c"/", EXECUTE)], run)); o.s(bound(WRITE, &[], run)); }
    "renaming-in-a-directory" => |o| { tree(); let all = MAKE_REG | MAKE_DIR | REMOVE_FILE | REMOVE_DIR; o.s(bound(all, &[], || sys!(SYS_rename, c"f", c"g"))); o.s(bound(all, &[(c"d", all)], || sys!(SYS_rename, c"d/f", c"d/g"))); o.s(bound(all, &[(c"d", MAKE_REG)], || sys!(SYS_rename, c"d/g", c"d/f"))); o.s(bound(all, &[(c"d", MAKE_REG | REMOVE_FILE)], || sys!(SYS_rename, c"d/sub", c"d/pub"))); o.s(bound(WRITE, &[], || sys!(SYS_rename, c"f", c"g"))); }
    "moving-elsewhere" => |o| { tree(); let all = MAKE_REG | REMOVE_FILE; let both: &[(&CStr, u64)] = &[(c"d", all), (c"e", all)]; o.s(bound(all, both, || sys!(SYS_rename, c"d/f", c"e/g"))); o.s(bound(WRITE, &[], || sys!(SYS_rename, c"d/f", c"e/g"))); o.s(bound(WRITE, &[], || sys!(SYS_link, c"d/f", c"e/g"))); o.s(bound(WRITE, &[], || sys!(SYS_link, c"d/f", c"d/g"))); let all = all | REFER; let both: &[(&CStr, u64)] = &[(c"d", all), (c"e", all)]; o.s(bound(all, &[(c"d", all)], || sys!(SYS_rename, c"d/f", c"e/g"))); o.s(bound(all, &[(c"d", all), (c"e", all & !REFER)], || sys!(SYS_rename, c"d/f", c"e/g"))); o.s(bound(all, &[(c"d", all), (c"e", REFER)], || sys!(SYS_rename, c"d/f", c"e/g"))); o.s(bound(all, both, || sys!(SYS_link, c"d/f", c"e/h"))); o.s(bound(all, both, || sys!(SYS_rename, c"d/f", c"e/g"))); o.s(bound(all, both, || sys!(SYS_rename, c"e/g", c"d/sub/g"))); }
    "moving-gains-nothing" => |o| { tree(); let all = MAKE_REG | REMOVE_FILE | REFER | READ | WRITE; let less = all & !WRITE; let rules: &[(&CStr, u64)] = &[(c"d", less), (c"e", all)]; o.s(bound(all, rules, || sys!(SYS_rename, c"d/f", c"e/g"))); o.s(bound(all, rules, || sys!(SYS_link, c"d/f", c"e/g"))); o.s(bound(all, rules, || sys!(SYS_rename, c"e/f", c"d/g"))); o.s(bound(all, rules, || sys!(SYS_renameat2, AT_FDCWD, c"d/f", AT_FDCWD, c"d/sub/f", 2))); }
    "a-rule-follows-its-directory" => |o| { tree(); o.s(bound(READ, &[(c"d", READ)], || { sys!(SYS_rename, c"d", c"moved"); open(c"moved/f", O_RDONLY).into() })); o.s(bound(READ, &[(c"e", READ)], || { sys!(SYS_rename, c"e", c"moved/e"); open(c"moved/e/f", O_RDONLY).into() })); o.s(bound(READ, &[(c"moved", READ)], || open(c"moved/e/f", O_RDONLY).into())); }
    "layers" => |o| { tree(); o.s(bound(READ, &[(c"d", READ)], || { let second = bind(READ, &[(c"d/sub", READ)]); if second != 0 { return second; } open(c"d/sub/f", O_RDONLY).into() })); o.s(bound(READ, &[(c"d", READ)], || { bind(READ, &[(c"e", READ)]); open(c"e/f", O_RDONLY).into() })); o.s(bound(READ, &[(c"d", READ)], || { bind(WRITE, &[]); open(c"d/f", O_RDONLY).into() })); o.s(bound(READ, &[(c"/", READ)], || { for _ in 0..15 { let more = bind(READ, &[(c"/", READ)]); if more != 0 { return more; } } 0 })); o.s(bound(READ, &[(c"/", READ)], || { for _ in 0..15 { bind(READ, &[(c"/", READ)]); } bind(READ, &[(c"/", READ)]) })); }
    "those-it-starts" => |o| { tree(); o.s(bound(READ, &[], || child(|| code(open(c"f", O_RDONLY).into())).into())); }
    "mounts" => |o| { sys!(SYS_mkdir, c"m", 0o755); o.s(bound(READ, &[(c"/", READ)], || sys!(SYS_mount, c"none", c"m", c"tmpfs", 0, 0))); o.s(bound(READ, &[(c"/", READ)], || sys!(SYS_umount2, c"/proc", 0))); }
    "tracing" => |o| { let parent = sys!(SYS_getpid); let mut byte = [0u8; 1]; let iov = [iovec { iov_base: byte.as_mut_ptr().cast(), iov_len: 1 }]; o.s(bound(READ, &[(c"/", READ)], || sys!(SYS_ptrace, 0x4206, parent, 0, 0))); o.s(bound(READ, &[(c"/", READ)], || sys!(SYS_process_vm_readv, parent, iov.as_ptr(), 1, iov.as_ptr(), 1, 0) - 1)); o.s(bound(READ, &[(c"/", READ)], || { let pid = spawn(|| { sys!(SYS_pause); 0 }); let seized = sys!(SYS_ptrace, 0x4206, pid, 0, 0); sys!(SYS_kill, pid, SIGKILL); seized })); }
}
