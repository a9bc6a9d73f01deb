//! Memory.

use crate::errno::Errno::{EINVAL, ENOMEM, EOPNOTSUPP};
use crate::set::{Entry, Flags, Unknown, Values, idle, no, on};
use crate::sets;

const OLD: &str = "as on Linux: from other systems";
const NO_HUGE: &str = "there is no pool of huge pages";
const MAP_FLAGS: &[Entry] = &[
    on("MAP_SHARED", 1),
    on("MAP_PRIVATE", 2),
    on("MAP_SHARED_VALIDATE", 3),
    on("MAP_FIXED", 0x10),
    on("MAP_ANONYMOUS", 0x20),
    on("MAP_32BIT", 0x40),
    on("MAP_GROWSDOWN", 0x100),
    idle("MAP_DENYWRITE", 0x800, OLD),
    idle("MAP_EXECUTABLE", 0x1000, OLD),
    on("MAP_LOCKED", 0x2000),
    idle("MAP_NORESERVE", 0x4000, "memory is never reserved"),
    on("MAP_POPULATE", 0x8000),
    on("MAP_NONBLOCK", 0x1_0000),
    idle("MAP_STACK", 0x2_0000, "as on Linux"),
    no("MAP_HUGETLB", 0x4_0000, ENOMEM, NO_HUGE),
    on("MAP_FIXED_NOREPLACE", 0x10_0000),
    idle("MAP_UNINITIALIZED", 0x400_0000, "as on Linux with an MMU: memory is always zero"),
];
/// The flags that `MAP_SHARED_VALIDATE` lets through (Linux 6.1's `LEGACY_MAP_MASK`), with the sizes of huge pages.
const OLD_MAP_FLAGS: u64 = 0x3 | 0x10 | 0x20 | 0x40 | 0x100 | 0x800 | 0x1000 | 0x2000 | 0x4000 | 0x8000 | 0x1_0000 | 0x2_0000 | 0x4_0000 | 0x7c00_0000;
const HINT: &str = "a hint that changes nothing: what is asked is whether the range is mapped";

sets! {
    /// `mmap(2)`: with `MAP_SHARED` and `MAP_PRIVATE` other bits are not looked at; with `MAP_SHARED_VALIDATE` see [`MMAP_VALIDATE`]. `MAP_HUGETLB` of a file is EINVAL.
    MMAP: Flags = Flags::new(&["mmap"], "flags", Unknown::Ignored, MAP_FLAGS);
    /// `mmap(2)` with `MAP_SHARED_VALIDATE`, of files only.
    MMAP_VALIDATE: Flags = Flags::new(&["mmap"], "flags with MAP_SHARED_VALIDATE: only those that are older than it", Unknown::Refused(EOPNOTSUPP), &[
        idle("most of the flags above", OLD_MAP_FLAGS, "as above"),
        no("MAP_SYNC", 0x8_0000, EOPNOTSUPP, "no file is persistent memory"),
        no("MAP_FIXED_NOREPLACE", 0x10_0000, EOPNOTSUPP, "as on Linux"),
    ]);
    /// `mmap(2)`
    MMAP_PROT: Flags = Flags::new(&["mmap"], "prot", Unknown::Ignored, &[on("PROT_NONE", 0), on("PROT_READ", 1), on("PROT_WRITE", 2), on("PROT_EXEC", 4)]);
    /// `mprotect(2)`
    MPROTECT: Flags = Flags::new(&["mprotect", "pkey_mprotect"], "prot", Unknown::Refused(EINVAL), &[
        on("PROT_NONE", 0),
        on("PROT_READ", 1),
        on("PROT_WRITE", 2),
        on("PROT_EXEC", 4),
        idle("PROT_SEM", 8, "as on Linux: atomic operations work on all memory"),
        on("PROT_GROWSDOWN", 0x100_0000),
        no("PROT_GROWSUP", 0x200_0000, EINVAL, "as on Linux: no stack of this architecture grows up"),
    ]);
    /// `mremap(2)`
    MREMAP: Flags = Flags::new(&["mremap"], "flags", Unknown::Refused(EINVAL), &[
        on("MREMAP_MAYMOVE", 1),
        on("MREMAP_FIXED", 2),
        on("MREMAP_DONTUNMAP", 4),
    ]);
    /// `remap_file_pages(2)`
    REMAP_FILE_PAGES: Flags = Flags::new(&["remap_file_pages"], "flags", Unknown::Ignored, &[on("MAP_NONBLOCK", 0x1_0000)]);
    /// `msync(2)`
    MSYNC: Flags = Flags::new(&["msync"], "flags", Unknown::Refused(EINVAL), &[
        idle("MS_ASYNC", 1, "as on Linux: what is changed is written in time anyway"),
        idle("MS_INVALIDATE", 2, "mappings of a file are one with it"),
        on("MS_SYNC", 4),
    ]);
    /// `madvise(2)`
    MADVISE: Values = Values::new(&["madvise"], "advice", EINVAL, &[
        idle("MADV_NORMAL", 0, HINT),
        idle("MADV_RANDOM", 1, HINT),
        idle("MADV_SEQUENTIAL", 2, HINT),
        idle("MADV_WILLNEED", 3, HINT),
        on("MADV_DONTNEED", 4),
        on("MADV_FREE", 8),
        no("MADV_REMOVE", 9, EINVAL, "fallocate(2) punches holes"),
        on("MADV_DONTFORK", 10),
        on("MADV_DOFORK", 11),
        idle("MADV_MERGEABLE", 12, HINT),
        idle("MADV_UNMERGEABLE", 13, HINT),
        idle("MADV_HUGEPAGE", 14, HINT),
        idle("MADV_NOHUGEPAGE", 15, HINT),
        on("MADV_DONTDUMP", 16),
        on("MADV_DODUMP", 17),
        on("MADV_WIPEONFORK", 18),
        on("MADV_KEEPONFORK", 19),
        idle("MADV_COLD", 20, "nothing is swapped out"),
        idle("MADV_PAGEOUT", 21, "nothing is swapped out"),
        on("MADV_POPULATE_READ", 22),
        on("MADV_POPULATE_WRITE", 23),
        on("MADV_DONTNEED_LOCKED", 24),
        no("MADV_COLLAPSE", 25, EINVAL, "there are no transparent huge pages"),
        no("MADV_HWPOISON", 100, EINVAL, "for tests of Linux's handling of bad memory"),
        no("MADV_SOFT_OFFLINE", 101, EINVAL, "for tests of Linux's handling of bad memory"),
    ]);
    /// `process_mrelease(2)`
    PROCESS_MRELEASE: Flags = Flags::none(&["process_mrelease"], "flags");
    /// `process_madvise(2)`
    PROCESS_MADVISE: Values = Values::new(&["process_madvise"], "advice", EINVAL, &[
        idle("MADV_WILLNEED", 3, HINT),
        idle("MADV_COLD", 20, "nothing is swapped out"),
        idle("MADV_PAGEOUT", 21, "nothing is swapped out"),
        no("MADV_COLLAPSE", 25, EINVAL, "there are no transparent huge pages"),
    ]);
    /// `process_madvise(2)`
    PROCESS_MADVISE_FLAGS: Flags = Flags::none(&["process_madvise"], "flags");
    /// `mlock2(2)`
    MLOCK2: Flags = Flags::new(&["mlock2"], "flags", Unknown::Refused(EINVAL), &[on("MLOCK_ONFAULT", 1)]);
    /// `mlockall(2)`: neither nothing nor `MCL_ONFAULT` alone.
    MLOCKALL: Flags = Flags::new(&["mlockall"], "flags", Unknown::Refused(EINVAL), &[on("MCL_CURRENT", 1), on("MCL_FUTURE", 2), on("MCL_ONFAULT", 4)]);
    /// `mbind(2)`
    MBIND: Flags = Flags::new(&["mbind"], "flags", Unknown::Refused(EINVAL), &[
        idle("MPOL_MF_STRICT", 1, "with one node every page is where it should be"),
        idle("MPOL_MF_MOVE", 2, "with one node every page is where it should be"),
        idle("MPOL_MF_MOVE_ALL", 4, "with one node every page is where it should be; for privileged callers"),
    ]);
    /// `set_mempolicy(2)`, `mbind(2)`
    MEMPOLICY_MODE: Values = Values::new(&["set_mempolicy", "mbind"], "mode without its flags", EINVAL, &[
        on("MPOL_DEFAULT", 0),
        on("MPOL_PREFERRED", 1),
        on("MPOL_BIND", 2),
        on("MPOL_INTERLEAVE", 3),
        on("MPOL_LOCAL", 4),
        on("MPOL_PREFERRED_MANY", 5),
    ]);
    /// `set_mempolicy(2)`, `mbind(2)`
    MEMPOLICY_FLAGS: Flags = Flags::new(&["set_mempolicy", "mbind"], "flags of the mode", Unknown::Refused(EINVAL), &[
        on("MPOL_F_STATIC_NODES", 0x8000),
        on("MPOL_F_RELATIVE_NODES", 0x4000),
        no("MPOL_F_NUMA_BALANCING", 0x2000, EINVAL, "for more than one node"),
    ]);
    /// `get_mempolicy(2)`
    GET_MEMPOLICY: Flags = Flags::new(&["get_mempolicy"], "flags", Unknown::Refused(EINVAL), &[on("MPOL_F_NODE", 1), on("MPOL_F_ADDR", 2), on("MPOL_F_MEMS_ALLOWED", 4)]);
    /// `pkey_alloc(2)`
    PKEY_ALLOC: Flags = Flags::none(&["pkey_alloc"], "flags");
    /// `pkey_alloc(2)`; afterwards the call gives ENOSPC, there are no keys.
    PKEY_ALLOC_RIGHTS: Flags = Flags::new(&["pkey_alloc"], "access rights", Unknown::Refused(EINVAL), &[on("PKEY_DISABLE_ACCESS", 1), on("PKEY_DISABLE_WRITE", 2)]);
    /// `process_vm_readv(2)`, `process_vm_writev(2)`
    PROCESS_VM: Flags = Flags::none(&["process_vm_readv", "process_vm_writev"], "flags");
    /// `membarrier(2)`
    MEMBARRIER: Values = Values::new(&["membarrier"], "command", EINVAL, &[
        on("MEMBARRIER_CMD_QUERY", 0),
        on("MEMBARRIER_CMD_GLOBAL", 1),
        on("MEMBARRIER_CMD_GLOBAL_EXPEDITED", 2),
        on("MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED", 4),
        on("MEMBARRIER_CMD_PRIVATE_EXPEDITED", 8),
        on("MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED", 16),
        on("MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE", 32),
        on("MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE", 64),
        on("MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ", 128),
        on("MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ", 256),
    ]);
    /// `membarrier(2)` with MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ
    MEMBARRIER_RSEQ: Flags = Flags::new(&["membarrier"], "flags of MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ", Unknown::Refused(EINVAL), &[on("MEMBARRIER_CMD_FLAG_CPU", 1)]);
    /// `membarrier(2)` with other commands
    MEMBARRIER_OTHERS: Flags = Flags::none(&["membarrier"], "flags of other commands");
    /// `swapon(2)`: memory is never swapped out, nothing is fit for it.
    SWAPON: Flags = Flags::new(&["swapon"], "flags", Unknown::Refused(EINVAL), &[
        idle("SWAP_FLAG_PREFER and a priority", 0xffff, "the call refuses every file with EINVAL"),
        idle("SWAP_FLAG_DISCARD", 0x1_0000, "the call refuses every file with EINVAL"),
        idle("SWAP_FLAG_DISCARD_ONCE", 0x2_0000, "the call refuses every file with EINVAL"),
        idle("SWAP_FLAG_DISCARD_PAGES", 0x4_0000, "the call refuses every file with EINVAL"),
    ]);
}
