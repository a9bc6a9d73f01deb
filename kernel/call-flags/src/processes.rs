//! Processes and threads.

use crate::errno::Errno::{EINVAL, EIO, ENODEV};
use crate::set::{Entry, Flags, Unknown, Values, idle, no, on};
use crate::sets;

const NO_NAMESPACES: &str = "there is one of this kind (the error of a Linux without them)";
const NO_CGROUPS: &str = "there are no cgroups";

const VM: Entry = on("CLONE_VM", 0x100);
const FS: Entry = on("CLONE_FS", 0x200);
const FILES: Entry = on("CLONE_FILES", 0x400);
const SIGHAND: Entry = on("CLONE_SIGHAND", 0x800);
const PIDFD: Entry = on("CLONE_PIDFD", 0x1000);
const PTRACE: Entry = on("CLONE_PTRACE", 0x2000);
const VFORK: Entry = on("CLONE_VFORK", 0x4000);
const PARENT: Entry = on("CLONE_PARENT", 0x8000);
const THREAD: Entry = on("CLONE_THREAD", 0x1_0000);
const NEWNS: Entry = on("CLONE_NEWNS", 0x2_0000);
const SYSVSEM: Entry = on("CLONE_SYSVSEM", 0x4_0000);
const SETTLS: Entry = on("CLONE_SETTLS", 0x8_0000);
const PARENT_SETTID: Entry = on("CLONE_PARENT_SETTID", 0x10_0000);
const CHILD_CLEARTID: Entry = on("CLONE_CHILD_CLEARTID", 0x20_0000);
const UNTRACED: Entry = on("CLONE_UNTRACED", 0x80_0000);
const CHILD_SETTID: Entry = on("CLONE_CHILD_SETTID", 0x100_0000);
const NEWCGROUP: Entry = on("CLONE_NEWCGROUP", 0x200_0000);
const NEWUTS: Entry = on("CLONE_NEWUTS", 0x400_0000);
const NEWIPC: Entry = on("CLONE_NEWIPC", 0x800_0000);
const NEWUSER: Entry = on("CLONE_NEWUSER", 0x1000_0000);
const NEWPID: Entry = on("CLONE_NEWPID", 0x2000_0000);
const NEWNET: Entry = on("CLONE_NEWNET", 0x4000_0000);
const NEWTIME: Entry = no("CLONE_NEWTIME", 0x80, EINVAL, NO_NAMESPACES);
const IO: Entry = idle("CLONE_IO", 0x8000_0000, "the priority of disk access belongs to threads");

const WAIT_THREADS: Entry = on("__WNOTHREAD", 0x2000_0000);
const WAIT_ALL: Entry = on("__WALL", 0x4000_0000);
const WAIT_CLONE: Entry = on("__WCLONE", 0x8000_0000);

sets! {
    /// `clone(2)`, without the signal in the low byte.
    CLONE: Flags = Flags::new(&["clone"], "flags without the signal", Unknown::Refused(EINVAL), &[
        VM, FS, FILES, SIGHAND, PIDFD, PTRACE, VFORK, PARENT, THREAD, NEWNS, SYSVSEM, SETTLS, PARENT_SETTID, CHILD_CLEARTID,
        idle("CLONE_DETACHED", 0x40_0000, "as on Linux: every thread is"),
        UNTRACED, CHILD_SETTID, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET, IO,
    ]);
    /// `clone3(2)`
    CLONE3: Flags = Flags::new(&["clone3"], "flags", Unknown::Refused(EINVAL), &[
        VM, FS, FILES, SIGHAND, PIDFD, PTRACE, VFORK, PARENT, THREAD, NEWNS, SYSVSEM, SETTLS, PARENT_SETTID, CHILD_CLEARTID,
        UNTRACED, CHILD_SETTID, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET, NEWTIME, IO,
        on("CLONE_CLEAR_SIGHAND", 0x1_0000_0000),
        no("CLONE_INTO_CGROUP", 0x2_0000_0000, EINVAL, NO_CGROUPS),
    ]);
    /// `unshare(2)`: the first three only where nothing is shared.
    UNSHARE: Flags = Flags::new(&["unshare"], "flags", Unknown::Refused(EINVAL), &[
        VM, SIGHAND, THREAD, FS, FILES, SYSVSEM, NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET, NEWTIME,
    ]);
    /// `setns(2)`: of times there is one namespace, in which the caller is already.
    SETNS: Flags = Flags::new(&["setns"], "nstype", Unknown::Refused(EINVAL), &[
        on("CLONE_NEWNS", 0x2_0000),
        on("CLONE_NEWCGROUP", 0x200_0000),
        on("CLONE_NEWUTS", 0x400_0000),
        on("CLONE_NEWIPC", 0x800_0000),
        on("CLONE_NEWUSER", 0x1000_0000),
        on("CLONE_NEWPID", 0x2000_0000),
        on("CLONE_NEWNET", 0x4000_0000),
        on("CLONE_NEWTIME", 0x80),
    ]);
    /// `finit_module(2)`
    FINIT_MODULE: Flags = Flags::new(&["finit_module"], "flags", Unknown::Refused(EINVAL), &[
        on("MODULE_INIT_IGNORE_MODVERSIONS", 1),
        on("MODULE_INIT_IGNORE_VERMAGIC", 2),
        no("MODULE_INIT_COMPRESSED_FILE", 4, EINVAL, "there is no module that could be loaded"),
    ]);
    /// `execveat(2)`
    EXECVEAT: Flags = Flags::new(&["execveat"], "flags", Unknown::Refused(EINVAL), &[on("AT_SYMLINK_NOFOLLOW", 0x100), on("AT_EMPTY_PATH", 0x1000)]);
    /// `wait4(2)`
    WAIT4: Flags = Flags::new(&["wait4"], "options", Unknown::Refused(EINVAL), &[on("WNOHANG", 1), on("WUNTRACED", 2), on("WCONTINUED", 8), WAIT_THREADS, WAIT_ALL, WAIT_CLONE]);
    /// `waitid(2)`: at least one of the first three must be given.
    WAITID: Flags = Flags::new(&["waitid"], "options", Unknown::Refused(EINVAL), &[
        on("WEXITED", 4),
        on("WSTOPPED", 2),
        on("WCONTINUED", 8),
        on("WNOHANG", 1),
        on("WNOWAIT", 0x100_0000),
        WAIT_THREADS,
        WAIT_ALL,
        WAIT_CLONE,
    ]);
    /// `waitid(2)`
    WAITID_KIND: Values = Values::new(&["waitid"], "kind of id", EINVAL, &[on("P_ALL", 0), on("P_PID", 1), on("P_PGID", 2), on("P_PIDFD", 3)]);
    /// `pidfd_open(2)`
    PIDFD_OPEN: Flags = Flags::new(&["pidfd_open"], "flags", Unknown::Refused(EINVAL), &[on("PIDFD_NONBLOCK", crate::files::NONBLOCK)]);
    /// `pidfd_getfd(2)`
    PIDFD_GETFD: Flags = Flags::none(&["pidfd_getfd"], "flags");
    /// `prctl(2)`
    PRCTL: Values = Values::new(&["prctl"], "option", EINVAL, &[
        on("PR_SET_PDEATHSIG", 1),
        on("PR_GET_PDEATHSIG", 2),
        on("PR_GET_DUMPABLE", 3),
        on("PR_SET_DUMPABLE", 4),
        no("PR_GET_UNALIGN", 5, EINVAL, "as on Linux on this architecture"),
        no("PR_SET_UNALIGN", 6, EINVAL, "as on Linux on this architecture"),
        on("PR_GET_KEEPCAPS", 7),
        on("PR_SET_KEEPCAPS", 8),
        no("PR_GET_FPEMU", 9, EINVAL, "as on Linux on this architecture"),
        no("PR_SET_FPEMU", 10, EINVAL, "as on Linux on this architecture"),
        no("PR_GET_FPEXC", 11, EINVAL, "as on Linux on this architecture"),
        no("PR_SET_FPEXC", 12, EINVAL, "as on Linux on this architecture"),
        no("PR_GET_TIMING", 13, EINVAL, "not there"),
        no("PR_SET_TIMING", 14, EINVAL, "not there"),
        on("PR_SET_NAME", 15),
        on("PR_GET_NAME", 16),
        no("PR_GET_ENDIAN", 19, EINVAL, "as on Linux on this architecture"),
        no("PR_SET_ENDIAN", 20, EINVAL, "as on Linux on this architecture"),
        on("PR_GET_SECCOMP", 21),
        on("PR_SET_SECCOMP", 22),
        on("PR_CAPBSET_READ", 23),
        on("PR_CAPBSET_DROP", 24),
        on("PR_GET_TSC", 25),
        idle("PR_SET_TSC", 26, "the time-stamp counter can always be read: PR_TSC_SIGSEGV is EINVAL"),
        on("PR_GET_SECUREBITS", 27),
        on("PR_SET_SECUREBITS", 28),
        idle("PR_SET_TIMERSLACK", 29, "kept for PR_GET_TIMERSLACK: timers are as exact as can be"),
        on("PR_GET_TIMERSLACK", 30),
        idle("PR_TASK_PERF_EVENTS_DISABLE", 31, "there is no perf_event_open(2), and so no event"),
        idle("PR_TASK_PERF_EVENTS_ENABLE", 32, "there is no perf_event_open(2), and so no event"),
        idle("PR_MCE_KILL", 33, "kept for PR_MCE_KILL_GET: machine checks stop the machine"),
        on("PR_MCE_KILL_GET", 34),
        no("PR_SET_MM", 35, EINVAL, "for checkpoints of processes"),
        on("PR_SET_CHILD_SUBREAPER", 36),
        on("PR_GET_CHILD_SUBREAPER", 37),
        on("PR_SET_NO_NEW_PRIVS", 38),
        on("PR_GET_NO_NEW_PRIVS", 39),
        on("PR_GET_TID_ADDRESS", 40),
        idle("PR_SET_THP_DISABLE", 41, "kept for PR_GET_THP_DISABLE: there are no transparent huge pages"),
        on("PR_GET_THP_DISABLE", 42),
        no("PR_SET_FP_MODE", 45, EINVAL, "as on Linux on this architecture"),
        no("PR_GET_FP_MODE", 46, EINVAL, "as on Linux on this architecture"),
        on("PR_CAP_AMBIENT", 47),
        no("PR_SVE_SET_VL", 50, EINVAL, "as on Linux on this architecture"),
        no("PR_SVE_GET_VL", 51, EINVAL, "as on Linux on this architecture"),
        no("PR_GET_SPECULATION_CTRL", 52, EINVAL, "no mitigation can be switched"),
        no("PR_SET_SPECULATION_CTRL", 53, EINVAL, "no mitigation can be switched"),
        no("PR_PAC_RESET_KEYS", 54, EINVAL, "as on Linux on this architecture"),
        no("PR_SET_TAGGED_ADDR_CTRL", 55, EINVAL, "as on Linux on this architecture"),
        no("PR_GET_TAGGED_ADDR_CTRL", 56, EINVAL, "as on Linux on this architecture"),
        no("PR_SET_IO_FLUSHER", 57, EINVAL, "drivers of disks are not paged out"),
        no("PR_GET_IO_FLUSHER", 58, EINVAL, "drivers of disks are not paged out"),
        no("PR_SET_SYSCALL_USER_DISPATCH", 59, EINVAL, "not there yet"),
        no("PR_PAC_SET_ENABLED_KEYS", 60, EINVAL, "as on Linux on this architecture"),
        no("PR_PAC_GET_ENABLED_KEYS", 61, EINVAL, "as on Linux on this architecture"),
        no("PR_SCHED_CORE", 62, EINVAL, "there is no core scheduling"),
        no("PR_SME_SET_VL", 63, EINVAL, "as on Linux on this architecture"),
        no("PR_SME_GET_VL", 64, EINVAL, "as on Linux on this architecture"),
        no("PR_SET_VMA", 0x5356_4d41, EINVAL, "as on a Linux without CONFIG_ANON_VMA_NAME, such as Debian's"),
        idle("PR_SET_PTRACER", 0x5961_6d61, "who may trace a process is not narrowed down (kernel.yama.ptrace_scope 0)"),
    ]);
    /// `prctl(2)` with PR_CAP_AMBIENT
    CAP_AMBIENT: Values = Values::new(&["prctl"], "operation of PR_CAP_AMBIENT", EINVAL, &[
        on("PR_CAP_AMBIENT_IS_SET", 1),
        on("PR_CAP_AMBIENT_RAISE", 2),
        on("PR_CAP_AMBIENT_LOWER", 3),
        on("PR_CAP_AMBIENT_CLEAR_ALL", 4),
    ]);
    /// `arch_prctl(2)`
    ARCH_PRCTL: Values = Values::new(&["arch_prctl"], "operation", EINVAL, &[
        on("ARCH_SET_GS", 0x1001),
        on("ARCH_SET_FS", 0x1002),
        on("ARCH_GET_FS", 0x1003),
        on("ARCH_GET_GS", 0x1004),
        on("ARCH_GET_CPUID", 0x1011),
        no("ARCH_SET_CPUID", 0x1012, ENODEV, "cpuid cannot be made to fault"),
        no("ARCH_GET_XCOMP_SUPP", 0x1021, EINVAL, "there are no features to ask for (AMX)"),
        no("ARCH_GET_XCOMP_PERM", 0x1022, EINVAL, "there are no features to ask for (AMX)"),
        no("ARCH_REQ_XCOMP_PERM", 0x1023, EINVAL, "there are no features to ask for (AMX)"),
        no("ARCH_GET_XCOMP_GUEST_PERM", 0x1024, EINVAL, "there are no features to ask for (AMX)"),
        no("ARCH_REQ_XCOMP_GUEST_PERM", 0x1025, EINVAL, "there are no features to ask for (AMX)"),
        no("ARCH_MAP_VDSO_X32", 0x2001, EINVAL, "for checkpoints of processes"),
        no("ARCH_MAP_VDSO_32", 0x2002, EINVAL, "for checkpoints of processes"),
        no("ARCH_MAP_VDSO_64", 0x2003, EINVAL, "for checkpoints of processes"),
    ]);
    /// `personality(2)`; 0xffffffff asks and changes nothing.
    PERSONALITY: Flags = Flags::new(&["personality"], "persona", Unknown::Ignored, &[
        on("PER_LINUX", 0),
        on("PER_LINUX32", 8),
        on("UNAME26", 0x2_0000),
        on("ADDR_NO_RANDOMIZE", 0x4_0000),
        idle("MMAP_PAGE_ZERO", 0x10_0000, "as on Linux, where no program may have what is below mmap_min_addr"),
        idle("ADDR_COMPAT_LAYOUT", 0x20_0000, "there is one layout"),
        on("READ_IMPLIES_EXEC", 0x40_0000),
        idle("ADDR_LIMIT_32BIT", 0x80_0000, "as on Linux for programs of 64 bits"),
        idle("SHORT_INODE", 0x100_0000, "as on Linux"),
        idle("WHOLE_SECONDS", 0x200_0000, "as on Linux"),
        on("STICKY_TIMEOUTS", 0x400_0000),
        idle("ADDR_LIMIT_3GB", 0x800_0000, "as on Linux for programs of 64 bits"),
        idle("other personalities", 0xf7, "as on Linux, which remembers them"),
    ]);
    /// `seccomp(2)`
    SECCOMP: Values = Values::new(&["seccomp"], "operation", EINVAL, &[
        on("SECCOMP_SET_MODE_STRICT", 0),
        on("SECCOMP_SET_MODE_FILTER", 1),
        on("SECCOMP_GET_ACTION_AVAIL", 2),
        no("SECCOMP_GET_NOTIF_SIZES", 3, EINVAL, "there are no notifications"),
    ]);
    /// `seccomp(2)` with SECCOMP_SET_MODE_FILTER
    SECCOMP_FILTER: Flags = Flags::new(&["seccomp"], "flags of SECCOMP_SET_MODE_FILTER", Unknown::Refused(EINVAL), &[
        on("SECCOMP_FILTER_FLAG_TSYNC", 1),
        on("SECCOMP_FILTER_FLAG_LOG", 2),
        idle("SECCOMP_FILTER_FLAG_SPEC_ALLOW", 4, "no mitigation of speculation is tied to filters"),
        no("SECCOMP_FILTER_FLAG_NEW_LISTENER", 8, EINVAL, "there are no notifications"),
        on("SECCOMP_FILTER_FLAG_TSYNC_ESRCH", 16),
        no("SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", 32, EINVAL, "there are no notifications"),
    ]);
    /// `seccomp(2)` with other operations
    SECCOMP_OTHERS: Flags = Flags::none(&["seccomp"], "flags of other operations");
    /// `kcmp(2)`
    KCMP: Values = Values::new(&["kcmp"], "type", EINVAL, &[
        on("KCMP_FILE", 0),
        on("KCMP_VM", 1),
        on("KCMP_FILES", 2),
        on("KCMP_FS", 3),
        on("KCMP_SIGHAND", 4),
        on("KCMP_IO", 5),
        on("KCMP_SYSVSEM", 6),
        on("KCMP_EPOLL_TFD", 7),
    ]);
    /// `ptrace(2)`
    PTRACE_REQUEST: Values = Values::new(&["ptrace"], "request", EIO, &[
        on("PTRACE_TRACEME", 0),
        on("PTRACE_PEEKTEXT", 1),
        on("PTRACE_PEEKDATA", 2),
        on("PTRACE_PEEKUSR", 3),
        on("PTRACE_POKETEXT", 4),
        on("PTRACE_POKEDATA", 5),
        on("PTRACE_POKEUSR", 6),
        on("PTRACE_CONT", 7),
        on("PTRACE_KILL", 8),
        on("PTRACE_SINGLESTEP", 9),
        on("PTRACE_GETREGS", 12),
        on("PTRACE_SETREGS", 13),
        on("PTRACE_GETFPREGS", 14),
        on("PTRACE_SETFPREGS", 15),
        on("PTRACE_ATTACH", 16),
        on("PTRACE_DETACH", 17),
        on("PTRACE_SYSCALL", 24),
        no("PTRACE_GET_THREAD_AREA", 25, EIO, "for 32-bit programs"),
        no("PTRACE_SET_THREAD_AREA", 26, EIO, "for 32-bit programs"),
        on("PTRACE_ARCH_PRCTL", 30),
        on("PTRACE_SYSEMU", 31),
        on("PTRACE_SYSEMU_SINGLESTEP", 32),
        no("PTRACE_SINGLEBLOCK", 33, EIO, "stepping from branch to branch is not there"),
        on("PTRACE_SETOPTIONS", 0x4200),
        on("PTRACE_GETEVENTMSG", 0x4201),
        on("PTRACE_GETSIGINFO", 0x4202),
        on("PTRACE_SETSIGINFO", 0x4203),
        on("PTRACE_GETREGSET", 0x4204),
        on("PTRACE_SETREGSET", 0x4205),
        on("PTRACE_SEIZE", 0x4206),
        on("PTRACE_INTERRUPT", 0x4207),
        on("PTRACE_LISTEN", 0x4208),
        no("PTRACE_PEEKSIGINFO", 0x4209, EIO, "for checkpoints of processes"),
        on("PTRACE_GETSIGMASK", 0x420a),
        on("PTRACE_SETSIGMASK", 0x420b),
        no("PTRACE_SECCOMP_GET_FILTER", 0x420c, EIO, "for checkpoints of processes"),
        no("PTRACE_SECCOMP_GET_METADATA", 0x420d, EIO, "for checkpoints of processes"),
        on("PTRACE_GET_SYSCALL_INFO", 0x420e),
        on("PTRACE_GET_RSEQ_CONFIGURATION", 0x420f),
    ]);
    /// `ptrace(2)` with PTRACE_SETOPTIONS; with PTRACE_SEIZE what is refused is EIO.
    PTRACE_OPTIONS: Flags = Flags::new(&["ptrace"], "options (with PTRACE_SEIZE the error is EIO)", Unknown::Refused(EINVAL), &[
        on("PTRACE_O_TRACESYSGOOD", 1),
        on("PTRACE_O_TRACEFORK", 2),
        on("PTRACE_O_TRACEVFORK", 4),
        on("PTRACE_O_TRACECLONE", 8),
        on("PTRACE_O_TRACEEXEC", 16),
        on("PTRACE_O_TRACEVFORKDONE", 32),
        on("PTRACE_O_TRACEEXIT", 64),
        on("PTRACE_O_TRACESECCOMP", 128),
        on("PTRACE_O_EXITKILL", 1 << 20),
        no("PTRACE_O_SUSPEND_SECCOMP", 1 << 21, EINVAL, "for checkpoints of processes"),
    ]);
}
