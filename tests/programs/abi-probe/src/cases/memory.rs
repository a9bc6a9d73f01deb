//! Memory: mmap and its family.

use super::util::*;
use crate::{cases, sys};

const ANON: i32 = MAP_PRIVATE | MAP_ANONYMOUS;
const RW: i32 = PROT_READ | PROT_WRITE;
fn map(len: i64) -> i64 {
    sys!(SYS_mmap, 0, len, RW, ANON, -1, 0)
}
fn poke(at: i64) {
    // SAFETY: mapped by the case, or the fault is what is looked at.
    unsafe { (at as *mut u8).write_volatile(5) }
}
fn peek(at: i64) -> u8 {
    // SAFETY: as `poke`.
    unsafe { (at as *const u8).read_volatile() }
}

cases! { "memory";
    "mmap-errors" => |o| { o.v(sys!(SYS_mmap, 0, 0, RW, ANON, -1, 0)); o.v(sys!(SYS_mmap, 0, 4096, RW, MAP_ANONYMOUS, -1, 0)); o.v(sys!(SYS_mmap, 0, 4096, RW, MAP_PRIVATE, 999, 0)); o.v(sys!(SYS_mmap, 0, 4096, RW, MAP_PRIVATE, -1, 5)); o.v(sys!(SYS_mmap, 0x1001, 4096, RW, ANON | MAP_FIXED, -1, 0)); o.v(sys!(SYS_mmap, 0, i64::MAX, RW, ANON, -1, 0)); o.v(sys!(SYS_mmap, -4096i64, 4096, RW, ANON | MAP_FIXED, -1, 0)); let d = open(c".", O_RDONLY); o.v(sys!(SYS_mmap, 0, 4096, PROT_READ, MAP_PRIVATE, d, 0)); let p = pipe(0); o.v(sys!(SYS_mmap, 0, 4096, PROT_READ, MAP_PRIVATE, p[0], 0)); o.v(sys!(SYS_mmap, 0, 4096, RW, ANON | MAP_HUGETLB, -1, 0)); }
    "mmap-file-rights" => |o| { file(c"f", &[1; 4096]); let r = open(c"f", O_RDONLY); let w = open(c"f", O_WRONLY); o.ok(sys!(SYS_mmap, 0, 4096, RW, MAP_PRIVATE, r, 0)); o.v(sys!(SYS_mmap, 0, 4096, RW, MAP_SHARED, r, 0)); o.v(sys!(SYS_mmap, 0, 4096, PROT_READ, MAP_PRIVATE, w, 0)); let m = sys!(SYS_mmap, 0, 4096, PROT_READ, MAP_SHARED, r, 0); o.v(sys!(SYS_mprotect, m, 4096, RW)); o.v(sys!(SYS_mmap, 0, 4096, RW, MAP_SHARED_VALIDATE | 0x800_0000, r, 0)); }
    "mmap-shared-file" => |o| { let f = file(c"f", b"abcd"); let m = sys!(SYS_mmap, 0, 4096, RW, MAP_SHARED, f, 0); poke(m); o.s(pread(f, 0)); sys!(SYS_pwrite64, f, c"Z", 1, 1); o.s(peek(m + 1)); o.s(peek(m + 100)); o.v(sys!(SYS_msync, m, 4096, MS_SYNC)); o.s(stat(c"f").st_size); }
    "mmap-private-file" => |o| { let f = file(c"f", b"abcd"); let m = sys!(SYS_mmap, 0, 4096, RW, MAP_PRIVATE, f, 0); poke(m); o.s(pread(f, 0)); }
    "mmap-beyond-end" => |o| { let f = file(c"f", b"abcd"); let m = sys!(SYS_mmap, 0, 8192, RW, MAP_SHARED, f, 0); o.s(child(|| peek(m + 4096).into())); sys!(SYS_ftruncate, f, 8192); o.s(peek(m + 4096)); sys!(SYS_ftruncate, f, 0); o.s(child(|| peek(m).into())); }
    // Neighbours of two kinds, so that each stays an area by itself; what is free is taken from above.
    "mmap-takes-the-highest-gap" => |o| { let at: Vec<i64> = (0..64).map(|i| sys!(SYS_mmap, 0, 4096, if i % 2 == 0 { RW } else { PROT_READ }, ANON, -1, 0)).collect(); let free = |i: usize| sys!(SYS_munmap, at[i], 4096); o.s(at[63] < at[40]); free(40); o.s(map(4096) == at[40]); free(40); free(41); o.s(map(8192) == at[41].min(at[40])); free(50); o.s(map(8192) < at[63]); o.s(map(4096) == at[50]); free(20); free(10); free(11); o.s(map(4096) == at[10].max(at[11])); o.s(map(8192) < at[63]); free(30); o.s(map(4096) == at[10].min(at[11])); o.s(map(4096) == at[20]); o.s(map(4096) == at[30]); }
    "noreplace" => |o| { let m = map(4096); o.v(sys!(SYS_mmap, m, 4096, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0)); sys!(SYS_munmap, m, 4096); o.s(sys!(SYS_mmap, m, 4096, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0) == m); }
    "munmap" => |o| { let m = map(12288); o.v(sys!(SYS_munmap, m + 4096, 4096)); poke(m); poke(m + 8192); o.s(child(|| peek(m + 4096).into())); o.v(sys!(SYS_munmap, m + 1, 1)); o.v(sys!(SYS_munmap, m, 0)); o.v(sys!(SYS_munmap, m, 12288)); o.v(sys!(SYS_munmap, m, 12288)); }
    "mprotect" => |o| { let m = map(8192); poke(m); o.v(sys!(SYS_mprotect, m, 4096, PROT_READ)); o.s(peek(m)); o.s(child(|| { poke(m); 0 })); o.s(child(|| { poke(m + 4096); 0 })); o.v(sys!(SYS_mprotect, m, 4096, PROT_NONE)); o.s(child(|| peek(m).into())); o.v(sys!(SYS_mprotect, m + 1, 1, 1)); o.v(sys!(SYS_mprotect, m, 4096, 0x100)); o.v(sys!(SYS_mprotect, 0x10000, 4096, 1)); o.v(sys!(SYS_mprotect, m, 0, 1)); let holed = map(12288); sys!(SYS_munmap, holed + 4096, 4096); o.v(sys!(SYS_mprotect, holed, 12288, RW)); }
    "mremap" => |o| { let m = map(8192); poke(m); o.s(sys!(SYS_mremap, m, 8192, 4096, 0) == m); let n = sys!(SYS_mremap, m, 4096, 1 << 20, MREMAP_MAYMOVE); o.ok(n); o.s(peek(n)); o.v(sys!(SYS_mremap, n, 4096, 0, MREMAP_MAYMOVE)); o.v(sys!(SYS_mremap, n + 1, 4096, 4096, 0)); o.v(sys!(SYS_mremap, n, 4096, 4096, 8)); o.v(sys!(SYS_mremap, n, 4096, 4096, MREMAP_FIXED, n)); o.v(sys!(SYS_mremap, 0x10000, 4096, 8192, 1)); o.v(sys!(SYS_mremap, n, 8192, 8192, 3, n + 4096)); }
    "mremap-dontunmap" => |o| { let m = map(4096); poke(m); let n = sys!(SYS_mremap, m, 4096, 4096, MREMAP_MAYMOVE | 4, 0); o.ok(n); o.s(n != m); o.s(peek(n)); o.s(peek(m)); }
    "mremap-duplicate" => |o| { let m = sys!(SYS_mmap, 0, 4096, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0); poke(m); let n = sys!(SYS_mremap, m, 0, 4096, MREMAP_MAYMOVE); o.ok(n); o.s(peek(n)); let p = map(4096); o.v(sys!(SYS_mremap, p, 0, 4096, MREMAP_MAYMOVE)); }
    "madvise" => |o| { let m = map(8192); poke(m); for a in [0, 1, 2, 3, 8, 10, 11, 12, 13, 14, 15, 16, 17, 20, 21, 22, 23] { o.v(sys!(SYS_madvise, m, 8192, a)); } o.v(sys!(SYS_madvise, m, 8192, 99)); o.v(sys!(SYS_madvise, m + 1, 1, 0)); o.v(sys!(SYS_madvise, 0x10000, 4096, 0)); o.v(sys!(SYS_madvise, m, 0, 0)); o.v(sys!(SYS_madvise, m, 4096, 9)); }
    "madvise-dontneed" => |o| { let m = map(4096); poke(m); o.v(sys!(SYS_madvise, m, 4096, MADV_DONTNEED)); o.s(peek(m)); }
    "madvise-fork" => |o| { let m = map(4096); poke(m); o.v(sys!(SYS_madvise, m, 4096, 18)); o.s(child(|| peek(m).into())); o.v(sys!(SYS_madvise, m, 4096, 19)); o.s(child(|| peek(m).into())); o.v(sys!(SYS_madvise, m, 4096, MADV_DONTFORK)); o.s(child(|| peek(m).into())); let s = sys!(SYS_mmap, 0, 4096, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0); o.v(sys!(SYS_madvise, s, 4096, 18)); }
    "process-madvise" => |o| { let me = sys!(SYS_pidfd_open, sys!(SYS_getpid), 0); let m = map(4096); let iov = [iovec { iov_base: m as *mut _, iov_len: 4096 }]; o.v(sys!(SYS_process_madvise, me, iov.as_ptr(), 1, 20, 0)); o.v(sys!(SYS_process_madvise, me, iov.as_ptr(), 1, 4, 0)); o.v(sys!(SYS_process_madvise, me, iov.as_ptr(), 1, 20, 1)); o.v(sys!(SYS_process_madvise, 0, iov.as_ptr(), 1, 20, 0)); }
    "mincore" => |o| { let m = map(8192); poke(m); let mut v = [9u8; 2]; o.v(sys!(SYS_mincore, m, 8192, v.as_mut_ptr())); o.s(format_args!("{v:?}")); o.v(sys!(SYS_mincore, m + 1, 1, v.as_mut_ptr())); o.v(sys!(SYS_mincore, 0x10000, 4096, v.as_mut_ptr())); o.v(sys!(SYS_mincore, m, 4096, BAD)); }
    "msync-errors" => |o| { let m = map(4096); o.v(sys!(SYS_msync, m, 4096, 0)); o.v(sys!(SYS_msync, m, 4096, MS_ASYNC | MS_SYNC)); o.v(sys!(SYS_msync, m + 1, 1, MS_ASYNC)); o.v(sys!(SYS_msync, 0x10000, 4096, MS_ASYNC)); o.v(sys!(SYS_msync, m, 4096, 0x80)); }
    "mlock" => |o| { let m = map(8192); o.v(sys!(SYS_mlock, m, 8192)); o.v(sys!(SYS_munlock, m, 8192)); o.v(sys!(SYS_mlock, 0x10000, 4096)); o.v(sys!(SYS_mlock2, m, 4096, 1)); o.v(sys!(SYS_mlock2, m, 4096, 2)); o.v(sys!(SYS_mlockall, 0)); o.v(sys!(SYS_mlockall, 8)); o.v(sys!(SYS_munlockall)); }
    "remap-file-pages" => |o| {
        let fd = file(c"f", &[[1u8; 4096], [2; 4096], [3; 4096], [4; 4096]].concat());
        let m = sys!(SYS_mmap, 0, 16384, RW, MAP_SHARED, fd, 0);
        o.v(sys!(SYS_remap_file_pages, m, 4096, 0, 3, 0)); o.v(sys!(SYS_remap_file_pages, m + 4096, 8192, 0, 0, 0)); o.s(format_args!("{:?}", [0, 4096, 8192, 12288].map(|at| peek(m + at))));
        poke(m + 4096); o.s(pread(fd, 0).chars().take(12).collect::<String>());
        o.v(sys!(SYS_remap_file_pages, m, 16384, 0, 0, 0)); o.s(format_args!("{:?}", [4096, 12288].map(|at| peek(m + at))));
        o.v(sys!(SYS_remap_file_pages, m, 4096, 1, 0, 0)); o.v(sys!(SYS_remap_file_pages, m, 0, 0, 0, 0)); o.v(sys!(SYS_remap_file_pages, m, 4096, 0, -1, 0)); o.v(sys!(SYS_remap_file_pages, m + 1, 4097, 0, 1, MAP_NONBLOCK)); o.s(peek(m));
        let p = map(4096); o.v(sys!(SYS_remap_file_pages, p, 4096, 0, 0, 0)); o.v(sys!(SYS_remap_file_pages, 0x10000, 4096, 0, 0, 0));
        let s = sys!(SYS_mmap, 0, 8192, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0); poke(s); o.v(sys!(SYS_remap_file_pages, s + 4096, 4096, 0, 0, 0)); o.s(peek(s + 4096) == peek(s));
    }
    "mlock-limit" => |o| { let l = [8192u64; 2]; sys!(SYS_setrlimit, RLIMIT_MEMLOCK, l.as_ptr()); let m = map(16384); o.s(as_user(|| sys!(SYS_mlock, m, 8192))); o.s(as_user(|| sys!(SYS_mlock, m, 16384))); o.s(as_user(|| { sys!(SYS_mlock, m, 8192); sys!(SYS_mlock, m + 8192, 4096) })); o.s(as_user(|| { sys!(SYS_mlock, m, 8192); sys!(SYS_mlock, m, 8192) })); o.s(as_user(|| sys!(SYS_mlockall, 1))); o.s(as_user(|| sys!(SYS_mmap, 0, 16384, RW, ANON | MAP_LOCKED, -1, 0))); }
    "mlock-status" => |o| { let m = map(8192); sys!(SYS_mlock, m, 8192); o.s(std::fs::read_to_string("/proc/self/status").unwrap().lines().find(|l| l.starts_with("VmLck")).unwrap_or("none").split_whitespace().nth(1).unwrap_or("?")); }
    "brk" => |o| { let b = sys!(SYS_brk, 0); o.s(sys!(SYS_brk, b + 8192) == b + 8192); poke(b + 4096); o.s(sys!(SYS_brk, b) == b); o.s(sys!(SYS_brk, 1) == b); }
    "growsdown" => |o| { let m = sys!(SYS_mmap, 0, 4096, RW, ANON | MAP_GROWSDOWN, -1, 0); o.ok(m); poke(m); }
    "zero-pages" => |o| { let z = open(c"/dev/zero", O_RDWR); let m = sys!(SYS_mmap, 0, 4096, RW, MAP_PRIVATE, z, 0); o.ok(m); o.s(peek(m)); poke(m); o.s(peek(m)); }
}
