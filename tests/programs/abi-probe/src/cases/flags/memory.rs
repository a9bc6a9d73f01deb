//! Flags of calls on memory.

use super::super::util::*;
use super::{bits, values};
use crate::{cases, sys};

const PAGE: usize = 4096;

fn map() -> usize {
    sys!(SYS_mmap, 0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) as usize
}

/// Maps a page and takes it away.
fn mapped(prot: u32, flags: u32, fd: i32, at: usize) -> i64 {
    let start = sys!(SYS_mmap, at, PAGE, prot, flags, fd, 0);
    if start != -1 {
        sys!(SYS_munmap, start, PAGE);
        return 0;
    }
    -1
}

cases! { "flags-memory";
    "mmap-anonymous" => |o| { bits(o, 0x8_0000, |f| mapped(1, f | (MAP_PRIVATE | MAP_ANONYMOUS) as u32, -1, 0x7000_0000_0000)); }
    "mmap-shared-anonymous" => |o| { bits(o, 0x8_0000, |f| mapped(1, f | (MAP_SHARED | MAP_ANONYMOUS) as u32, -1, 0x7000_0000_0000)); }
    "mmap-file" => |o| { let f = file(c"f", &[1; PAGE]); bits(o, 0x8_0000, |flag| mapped(1, flag | MAP_PRIVATE as u32, f, 0x7000_0000_0000)); bits(o, 0x8_0000, |flag| mapped(1, flag | MAP_SHARED as u32, f, 0x7000_0000_0000)); }
    "mmap-validate" => |o| { let f = file(c"f", &[1; PAGE]); bits(o, 0, |flag| mapped(1, flag | MAP_SHARED_VALIDATE as u32, f, 0x7000_0000_0000)); o.ok(mapped(1, (MAP_SHARED_VALIDATE | MAP_ANONYMOUS) as u32, -1, 0)); }
    "mmap-prot" => |o| { bits(o, 0, |prot| mapped(prot, (MAP_PRIVATE | MAP_ANONYMOUS) as u32, -1, 0)); }
    "mmap-32bit" => |o| { for len in [PAGE, 1 << 20] { let at = sys!(SYS_mmap, 0, len, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0); o.s((0x4000_0000..0x8000_0000).contains(&at)); } o.ok(sys!(SYS_mmap, 0, 1usize << 30 | 1, 0, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT | MAP_NORESERVE, -1, 0)); }
    "mprotect" => |o| { let page = map(); bits(o, 0, |prot| sys!(SYS_mprotect, page, PAGE, prot)); }
    "mremap" => |o| { let page = map(); bits(o, 0, |f| sys!(SYS_mremap, page, PAGE, PAGE, f, 0)); }
    "msync" => |o| { let page = map(); bits(o, 0, |f| sys!(SYS_msync, page, PAGE, f)); o.v(sys!(SYS_msync, page, PAGE, MS_SYNC | MS_ASYNC)); }
    "madvise" => |o| { let page = map(); values(o, &[9, 10, 18, 25], |advice| sys!(SYS_madvise, page, PAGE, advice)); }
    "mlock2" => |o| { let page = map(); bits(o, 0, |f| sys!(SYS_mlock2, page, PAGE, f)); sys!(SYS_munlock, page, PAGE); }
    "mlockall" => |o| { bits(o, 1, |f| sys!(SYS_mlockall, f)); sys!(SYS_munlockall); }
    "mlockall-future" => |o| {
        let resident = |at: usize| { let mut page = [0u8; 1]; sys!(SYS_mincore, at, PAGE, page.as_mut_ptr()); page[0] & 1 };
        o.s(resident(map())); o.v(sys!(SYS_mlockall, MCL_FUTURE)); o.s(resident(map())); o.v(sys!(SYS_mlockall, MCL_FUTURE | MCL_ONFAULT)); o.s(resident(map()));
        o.v(sys!(SYS_munlockall)); o.s(resident(map()));
    }
    "mbind" => |o| { let page = map(); bits(o, 0, |f| sys!(SYS_mbind, page, PAGE, 0, 0, 0, f)); }
    "set-mempolicy" => |o| { values(o, &[], |mode| sys!(SYS_set_mempolicy, mode, 0, 0)); bits(o, 0x2007, |mode| sys!(SYS_set_mempolicy, mode, 0, 0)); }
    "get-mempolicy" => |o| { bits(o, 0, |f| sys!(SYS_get_mempolicy, 0, 0, 0, 0, f)); }
    "pkey-alloc" => |o| { bits(o, 0, |f| sys!(SYS_pkey_alloc, f, 0)); }
    "process-vm" => |o| { bits(o, 0, |f| sys!(SYS_process_vm_readv, sys!(SYS_getpid), 0, 0, 0, 0, f)); }
    "process-madvise" => |o| { bits(o, 0, |f| sys!(SYS_process_madvise, -1, 0, 0, 0, f)); }
    "membarrier" => |o| { bits(o, 0, |f| sys!(SYS_membarrier, 0, f, 0)); }
}
