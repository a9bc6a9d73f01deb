//! The table of system calls. A line: number, name, argument types, function. `raw` calls get the registers.

use frame::user::UserContext;

use super::{Arg, Cx, Outcome, unknown};

macro_rules! invoke {
    ($cx:expr, $r:expr, $f:path,) => { $f($cx) };
    ($cx:expr, $r:expr, $f:path, $a:ty) => { $f($cx, <$a>::from_reg($r.rdi)) };
    ($cx:expr, $r:expr, $f:path, $a:ty, $b:ty) => { $f($cx, <$a>::from_reg($r.rdi), <$b>::from_reg($r.rsi)) };
    ($cx:expr, $r:expr, $f:path, $a:ty, $b:ty, $c:ty) => {
        $f($cx, <$a>::from_reg($r.rdi), <$b>::from_reg($r.rsi), <$c>::from_reg($r.rdx))
    };
    ($cx:expr, $r:expr, $f:path, $a:ty, $b:ty, $c:ty, $d:ty) => {
        $f($cx, <$a>::from_reg($r.rdi), <$b>::from_reg($r.rsi), <$c>::from_reg($r.rdx), <$d>::from_reg($r.r10))
    };
    ($cx:expr, $r:expr, $f:path, $a:ty, $b:ty, $c:ty, $d:ty, $e:ty) => {
        $f($cx, <$a>::from_reg($r.rdi), <$b>::from_reg($r.rsi), <$c>::from_reg($r.rdx), <$d>::from_reg($r.r10), <$e>::from_reg($r.r8))
    };
    ($cx:expr, $r:expr, $f:path, $a:ty, $b:ty, $c:ty, $d:ty, $e:ty, $g:ty) => {
        $f(
            $cx,
            <$a>::from_reg($r.rdi),
            <$b>::from_reg($r.rsi),
            <$c>::from_reg($r.rdx),
            <$d>::from_reg($r.r10),
            <$e>::from_reg($r.r8),
            <$g>::from_reg($r.r9),
        )
    };
}

macro_rules! table {
    (raw { $($raw_nr:literal $raw_name:ident => $raw:path;)* } $($nr:literal $name:ident ($($arg:ty),*) => $f:path;)*) => {
        /// Calls the function for `number`.
        pub(super) fn call(cx: &Cx<'_>, context: &mut UserContext, number: u64) -> Outcome {
            match number {
                $($raw_nr => $raw(cx, context),)*
                $($nr => {
                    let r = &context.regs;
                    let _ = r;
                    invoke!(cx, r, $f, $($arg),*).into()
                })*
                _ => unknown(cx.thread, number),
            }
        }
    };
}

table! {
    raw {
        15 rt_sigreturn => super::signal::sys_rt_sigreturn;
        56 clone => super::process::sys_clone;
        57 fork => super::process::sys_fork;
        58 vfork => super::process::sys_vfork;
        59 execve => super::process::sys_execve;
        131 sigaltstack => super::signal::sys_sigaltstack;
        158 arch_prctl => super::process::sys_arch_prctl;
        322 execveat => super::process::sys_execveat;
        435 clone3 => super::process::sys_clone3;
    }
    9 mmap (usize, usize, u32, u32, i32, u64) => super::mm::sys_mmap;
    10 mprotect (usize, usize, u32) => super::mm::sys_mprotect;
    11 munmap (usize, usize) => super::mm::sys_munmap;
    12 brk (usize) => super::mm::sys_brk;
    25 mremap (usize, usize, usize, u32, usize) => super::mm::sys_mremap;
    26 msync (usize, usize, u32) => super::mm::sys_msync;
    27 mincore (usize, usize, usize) => super::mm::sys_mincore;
    28 madvise (usize, usize, i32) => super::mm::sys_madvise;
    149 mlock (usize, usize) => super::mm::sys_mlock;
    150 munlock (usize, usize) => super::mm::sys_munlock;
    151 mlockall (u32) => super::mm::sys_mlockall;
    152 munlockall () => super::mm::sys_munlockall;
    216 remap_file_pages (usize, usize, u32, u64, u32) => super::mm::sys_remap_file_pages;
    325 mlock2 (usize, usize, u32) => super::mm::sys_mlock2;

    13 rt_sigaction (i32, usize, usize, usize) => super::signal::sys_rt_sigaction;
    14 rt_sigprocmask (i32, usize, usize, usize) => super::signal::sys_rt_sigprocmask;
    34 pause () => super::signal::sys_pause;
    62 kill (i32, i32) => super::signal::sys_kill;
    127 rt_sigpending (usize, usize) => super::signal::sys_rt_sigpending;
    128 rt_sigtimedwait (usize, usize, usize, usize) => super::signal::sys_rt_sigtimedwait;
    129 rt_sigqueueinfo (i32, i32, usize) => super::signal::sys_rt_sigqueueinfo;
    130 rt_sigsuspend (usize, usize) => super::signal::sys_rt_sigsuspend;
    200 tkill (i32, i32) => super::signal::sys_tkill;
    219 restart_syscall () => super::signal::sys_restart_syscall;
    234 tgkill (i32, i32, i32) => super::signal::sys_tgkill;
    297 rt_tgsigqueueinfo (i32, i32, i32, usize) => super::signal::sys_rt_tgsigqueueinfo;
    424 pidfd_send_signal (i32, i32, usize, u32) => super::signal::sys_pidfd_send_signal;

    39 getpid () => super::process::sys_getpid;
    60 exit (i32) => super::process::sys_exit;
    61 wait4 (i32, usize, u32, usize) => super::process::sys_wait4;
    109 setpgid (i32, i32) => super::process::sys_setpgid;
    110 getppid () => super::process::sys_getppid;
    111 getpgrp () => super::process::sys_getpgrp;
    112 setsid () => super::process::sys_setsid;
    121 getpgid (i32) => super::process::sys_getpgid;
    124 getsid (i32) => super::process::sys_getsid;
    157 prctl (i32, usize, usize, usize, usize) => super::process::sys_prctl;
    317 seccomp (u32, u32, usize) => super::seccomp::sys_seccomp;
    186 gettid () => super::process::sys_gettid;
    218 set_tid_address (usize) => super::process::sys_set_tid_address;
    231 exit_group (i32) => super::process::sys_exit_group;
    240 mq_open (usize, u32, u32, usize) => super::mqueue::sys_mq_open;
    241 mq_unlink (usize) => super::mqueue::sys_mq_unlink;
    242 mq_timedsend (i32, usize, usize, u32, usize) => super::mqueue::sys_mq_timedsend;
    243 mq_timedreceive (i32, usize, usize, usize, usize) => super::mqueue::sys_mq_timedreceive;
    244 mq_notify (i32, usize) => super::mqueue::sys_mq_notify;
    245 mq_getsetattr (i32, usize, usize) => super::mqueue::sys_mq_getsetattr;
    247 waitid (i32, i32, usize, u32, usize) => super::process::sys_waitid;
    272 unshare (u64) => super::process::sys_unshare;
    308 setns (i32, u32) => super::namespaces::sys_setns;
    153 vhangup () => super::admin::sys_vhangup;
    179 quotactl (u32, usize, u32, usize) => super::admin::sys_quotactl;
    443 quotactl_fd (i32, u32, u32, usize) => super::admin::sys_quotactl_fd;
    175 init_module (usize, usize, usize) => super::admin::sys_init_module;
    176 delete_module (usize, u32) => super::admin::sys_delete_module;
    313 finit_module (i32, usize, u32) => super::admin::sys_finit_module;
    273 set_robust_list (usize, usize) => super::process::sys_set_robust_list;
    274 get_robust_list (i32, usize, usize) => super::process::sys_get_robust_list;
    434 pidfd_open (i32, u32) => super::process::sys_pidfd_open;
    438 pidfd_getfd (i32, i32, u32) => super::process::sys_pidfd_getfd;

    102 getuid () => super::creds::sys_getuid;
    104 getgid () => super::creds::sys_getgid;
    105 setuid (u32) => super::creds::sys_setuid;
    106 setgid (u32) => super::creds::sys_setgid;
    107 geteuid () => super::creds::sys_geteuid;
    108 getegid () => super::creds::sys_getegid;
    113 setreuid (u32, u32) => super::creds::sys_setreuid;
    114 setregid (u32, u32) => super::creds::sys_setregid;
    115 getgroups (i32, usize) => super::creds::sys_getgroups;
    116 setgroups (i32, usize) => super::creds::sys_setgroups;
    117 setresuid (u32, u32, u32) => super::creds::sys_setresuid;
    118 getresuid (usize, usize, usize) => super::creds::sys_getresuid;
    119 setresgid (u32, u32, u32) => super::creds::sys_setresgid;
    120 getresgid (usize, usize, usize) => super::creds::sys_getresgid;
    122 setfsuid (u32) => super::creds::sys_setfsuid;
    123 setfsgid (u32) => super::creds::sys_setfsgid;
    125 capget (usize, usize) => super::capability::sys_capget;
    126 capset (usize, usize) => super::capability::sys_capset;

    24 sched_yield () => super::sched::sys_sched_yield;
    140 getpriority (i32, i32) => super::sched::sys_getpriority;
    141 setpriority (i32, i32, i32) => super::sched::sys_setpriority;
    142 sched_setparam (i32, usize) => super::sched::sys_sched_setparam;
    143 sched_getparam (i32, usize) => super::sched::sys_sched_getparam;
    144 sched_setscheduler (i32, i32, usize) => super::sched::sys_sched_setscheduler;
    145 sched_getscheduler (i32) => super::sched::sys_sched_getscheduler;
    146 sched_get_priority_max (i32) => super::sched::sys_sched_get_priority_max;
    147 sched_get_priority_min (i32) => super::sched::sys_sched_get_priority_min;
    148 sched_rr_get_interval (i32, usize) => super::sched::sys_sched_rr_get_interval;
    203 sched_setaffinity (i32, usize, usize) => super::sched::sys_sched_setaffinity;
    204 sched_getaffinity (i32, usize, usize) => super::sched::sys_sched_getaffinity;
    309 getcpu (usize, usize) => super::sched::sys_getcpu;
    334 rseq (usize, u32, u32, u32) => super::sched::sys_rseq;

    35 nanosleep (usize, usize) => super::time::sys_nanosleep;
    36 getitimer (i32, usize) => super::time::sys_getitimer;
    37 alarm (u32) => super::time::sys_alarm;
    38 setitimer (i32, usize, usize) => super::time::sys_setitimer;
    96 gettimeofday (usize, usize) => super::time::sys_gettimeofday;
    100 times (usize) => super::time::sys_times;
    164 settimeofday (usize, usize) => super::time::sys_settimeofday;
    201 time (usize) => super::time::sys_time;
    222 timer_create (i32, usize, usize) => super::time::sys_timer_create;
    223 timer_settime (i32, i32, usize, usize) => super::time::sys_timer_settime;
    224 timer_gettime (i32, usize) => super::time::sys_timer_gettime;
    225 timer_getoverrun (i32) => super::time::sys_timer_getoverrun;
    226 timer_delete (i32) => super::time::sys_timer_delete;
    227 clock_settime (i32, usize) => super::time::sys_clock_settime;
    228 clock_gettime (i32, usize) => super::time::sys_clock_gettime;
    229 clock_getres (i32, usize) => super::time::sys_clock_getres;
    230 clock_nanosleep (i32, u32, usize, usize) => super::time::sys_clock_nanosleep;

    7 poll (usize, usize, i32) => super::event::sys_poll;
    22 pipe (usize) => super::event::sys_pipe;
    23 select (i32, usize, usize, usize, usize) => super::event::sys_select;
    213 epoll_create (i32) => super::event::sys_epoll_create;
    232 epoll_wait (i32, usize, i32, i32) => super::event::sys_epoll_wait;
    233 epoll_ctl (i32, i32, i32, usize) => super::event::sys_epoll_ctl;
    270 pselect6 (i32, usize, usize, usize, usize, usize) => super::event::sys_pselect6;
    271 ppoll (usize, usize, usize, usize, usize) => super::event::sys_ppoll;
    281 epoll_pwait (i32, usize, i32, i32, usize, usize) => super::event::sys_epoll_pwait;
    282 signalfd (i32, usize, usize) => super::event::sys_signalfd;
    283 timerfd_create (i32, u32) => super::event::sys_timerfd_create;
    284 eventfd (u32) => super::event::sys_eventfd;
    286 timerfd_settime (i32, u32, usize, usize) => super::event::sys_timerfd_settime;
    287 timerfd_gettime (i32, usize) => super::event::sys_timerfd_gettime;
    289 signalfd4 (i32, usize, usize, u32) => super::event::sys_signalfd4;
    290 eventfd2 (u32, u32) => super::event::sys_eventfd2;
    291 epoll_create1 (u32) => super::event::sys_epoll_create1;
    293 pipe2 (usize, u32) => super::event::sys_pipe2;
    441 epoll_pwait2 (i32, usize, i32, usize, usize, usize) => super::event::sys_epoll_pwait2;

    41 socket (i32, u32, i32) => super::socket::sys_socket;
    42 connect (i32, usize, u32) => super::socket::sys_connect;
    43 accept (i32, usize, usize) => super::socket::sys_accept;
    44 sendto (i32, usize, usize, u32, usize, u32) => super::socket::sys_sendto;
    45 recvfrom (i32, usize, usize, u32, usize, usize) => super::socket::sys_recvfrom;
    46 sendmsg (i32, usize, u32) => super::socket::sys_sendmsg;
    47 recvmsg (i32, usize, u32) => super::socket::sys_recvmsg;
    48 shutdown (i32, i32) => super::socket::sys_shutdown;
    49 bind (i32, usize, u32) => super::socket::sys_bind;
    50 listen (i32, i32) => super::socket::sys_listen;
    51 getsockname (i32, usize, usize) => super::socket::sys_getsockname;
    52 getpeername (i32, usize, usize) => super::socket::sys_getpeername;
    53 socketpair (i32, u32, i32, usize) => super::socket::sys_socketpair;
    54 setsockopt (i32, i32, i32, usize, u32) => super::socket::sys_setsockopt;
    55 getsockopt (i32, i32, i32, usize, usize) => super::socket::sys_getsockopt;
    288 accept4 (i32, usize, usize, u32) => super::socket::sys_accept4;
    299 recvmmsg (i32, usize, u32, u32, usize) => super::socket::sys_recvmmsg;
    307 sendmmsg (i32, usize, u32, u32) => super::socket::sys_sendmmsg;

    253 inotify_init () => super::inotify::sys_inotify_init;
    254 inotify_add_watch (i32, usize, u32) => super::inotify::sys_inotify_add_watch;
    255 inotify_rm_watch (i32, i32) => super::inotify::sys_inotify_rm_watch;
    300 fanotify_init (u32, u32) => super::fanotify::sys_fanotify_init;
    301 fanotify_mark (i32, u32, u64, i32, usize) => super::fanotify::sys_fanotify_mark;
    294 inotify_init1 (u32) => super::inotify::sys_inotify_init1;

    275 splice (i32, usize, i32, usize, usize, u32) => super::splice::sys_splice;
    276 tee (i32, i32, usize, u32) => super::splice::sys_tee;
    278 vmsplice (i32, usize, usize, u32) => super::splice::sys_vmsplice;

    101 ptrace (i64, i32, u64, u64) => super::ptrace::sys_ptrace;
    310 process_vm_readv (i32, usize, usize, usize, usize, u64) => super::remote::sys_process_vm_readv;
    311 process_vm_writev (i32, usize, usize, usize, usize, u64) => super::remote::sys_process_vm_writev;
    312 kcmp (i32, i32, i32, usize, usize) => super::remote::sys_kcmp;
    324 membarrier (u32, u32, i32) => super::remote::sys_membarrier;
    440 process_madvise (i32, usize, usize, i32, u32) => super::remote::sys_process_madvise;
    448 process_mrelease (i32, u32) => super::remote::sys_process_mrelease;
    449 futex_waitv (usize, u32, u32, usize, i32) => super::misc::sys_futex_waitv;

    159 adjtimex (usize) => super::admin::sys_adjtimex;
    163 acct (usize) => super::admin::sys_acct;
    167 swapon (usize, u32) => super::admin::sys_swapon;
    168 swapoff (usize) => super::admin::sys_swapoff;
    303 name_to_handle_at (i32, usize, usize, usize, u32) => super::handle::sys_name_to_handle_at;
    304 open_by_handle_at (i32, usize, u32) => super::handle::sys_open_by_handle_at;
    305 clock_adjtime (i32, usize) => super::admin::sys_clock_adjtime;

    237 mbind (usize, usize, u32, usize, usize, u32) => super::policy::sys_mbind;
    238 set_mempolicy (u32, usize, usize) => super::policy::sys_set_mempolicy;
    239 get_mempolicy (usize, usize, usize, usize, u32) => super::policy::sys_get_mempolicy;
    251 ioprio_set (i32, i32, i32) => super::policy::sys_ioprio_set;
    252 ioprio_get (i32, i32) => super::policy::sys_ioprio_get;
    314 sched_setattr (i32, usize, u32) => super::policy::sys_sched_setattr;
    315 sched_getattr (i32, usize, u32, u32) => super::policy::sys_sched_getattr;
    329 pkey_mprotect (usize, usize, u32, i32) => super::policy::sys_pkey_mprotect;
    330 pkey_alloc (u64, u64) => super::policy::sys_pkey_alloc;
    331 pkey_free (i32) => super::policy::sys_pkey_free;

    29 shmget (i32, usize, u32) => super::sysv::sys_shmget;
    30 shmat (i32, usize, u32) => super::sysv::sys_shmat;
    31 shmctl (i32, u32, usize) => super::sysv::sys_shmctl;
    64 semget (i32, i32, u32) => super::sysv::sys_semget;
    65 semop (i32, usize, usize) => super::sysv::sys_semop;
    66 semctl (i32, i32, u32, usize) => super::sysv::sys_semctl;
    67 shmdt (usize) => super::sysv::sys_shmdt;
    68 msgget (i32, u32) => super::sysv::sys_msgget;
    69 msgsnd (i32, usize, usize, u32) => super::sysv::sys_msgsnd;
    70 msgrcv (i32, usize, usize, i64, u32) => super::sysv::sys_msgrcv;
    71 msgctl (i32, u32, usize) => super::sysv::sys_msgctl;
    220 semtimedop (i32, usize, usize, usize) => super::sysv::sys_semtimedop;

    248 add_key (usize, usize, usize, usize, i32) => super::keys::sys_add_key;
    249 request_key (usize, usize, usize, i32) => super::keys::sys_request_key;
    250 keyctl (u32, usize, usize, usize, usize) => super::keys::sys_keyctl;

    444 landlock_create_ruleset (usize, usize, u32) => super::landlock::sys_landlock_create_ruleset;
    445 landlock_add_rule (i32, u32, usize, u32) => super::landlock::sys_landlock_add_rule;
    446 landlock_restrict_self (i32, u32) => super::landlock::sys_landlock_restrict_self;

    63 uname (usize) => super::misc::sys_uname;
    97 getrlimit (u32, usize) => super::misc::sys_getrlimit;
    98 getrusage (i32, usize) => super::misc::sys_getrusage;
    99 sysinfo (usize) => super::misc::sys_sysinfo;
    103 syslog (i32, usize, i32) => super::misc::sys_syslog;
    135 personality (u32) => super::misc::sys_personality;
    160 setrlimit (u32, usize) => super::misc::sys_setrlimit;
    169 reboot (u32, u32, u32, usize) => super::misc::sys_reboot;
    170 sethostname (usize, usize) => super::misc::sys_sethostname;
    171 setdomainname (usize, usize) => super::misc::sys_setdomainname;
    202 futex (usize, u32, u32, usize, usize, u32) => super::misc::sys_futex;
    302 prlimit64 (i32, u32, usize, usize) => super::misc::sys_prlimit64;
    318 getrandom (usize, usize, u32) => super::misc::sys_getrandom;

    0 read (i32, usize, usize) => super::rw::sys_read;
    1 write (i32, usize, usize) => super::rw::sys_write;
    8 lseek (i32, i64, u32) => super::rw::sys_lseek;
    17 pread64 (i32, usize, usize, i64) => super::rw::sys_pread64;
    18 pwrite64 (i32, usize, usize, i64) => super::rw::sys_pwrite64;
    19 readv (i32, usize, usize) => super::rw::sys_readv;
    20 writev (i32, usize, usize) => super::rw::sys_writev;
    40 sendfile (i32, i32, usize, usize) => super::rw::sys_sendfile;
    295 preadv (i32, usize, usize, u64, u64) => super::rw::sys_preadv;
    296 pwritev (i32, usize, usize, u64, u64) => super::rw::sys_pwritev;
    326 copy_file_range (i32, usize, i32, usize, usize, u32) => super::rw::sys_copy_file_range;
    327 preadv2 (i32, usize, usize, u64, u64, u32) => super::rw::sys_preadv2;
    328 pwritev2 (i32, usize, usize, u64, u64, u32) => super::rw::sys_pwritev2;

    2 open (usize, u32, u32) => super::open::sys_open;
    3 close (i32) => super::open::sys_close;
    32 dup (i32) => super::open::sys_dup;
    33 dup2 (i32, i32) => super::open::sys_dup2;
    85 creat (usize, u32) => super::open::sys_creat;
    257 openat (i32, usize, u32, u32) => super::open::sys_openat;
    292 dup3 (i32, i32, u32) => super::open::sys_dup3;
    319 memfd_create (usize, u32) => super::open::sys_memfd_create;
    436 close_range (u32, u32, u32) => super::open::sys_close_range;
    437 openat2 (i32, usize, usize, usize) => super::open::sys_openat2;

    16 ioctl (i32, u32, usize) => super::fcntl::sys_ioctl;
    72 fcntl (i32, u32, usize) => super::fcntl::sys_fcntl;
    73 flock (i32, u32) => super::fcntl::sys_flock;

    4 stat (usize, usize) => super::stat::sys_stat;
    5 fstat (i32, usize) => super::stat::sys_fstat;
    6 lstat (usize, usize) => super::stat::sys_lstat;
    21 access (usize, u32) => super::stat::sys_access;
    78 getdents (i32, usize, u32) => super::stat::sys_getdents;
    89 readlink (usize, usize, i32) => super::stat::sys_readlink;
    137 statfs (usize, usize) => super::stat::sys_statfs;
    138 fstatfs (i32, usize) => super::stat::sys_fstatfs;
    206 io_setup (u32, usize) => super::aio::sys_io_setup;
    207 io_destroy (usize) => super::aio::sys_io_destroy;
    208 io_getevents (usize, i64, i64, usize, usize) => super::aio::sys_io_getevents;
    209 io_submit (usize, i64, usize) => super::aio::sys_io_submit;
    210 io_cancel (usize, usize, usize) => super::aio::sys_io_cancel;
    333 io_pgetevents (usize, i64, i64, usize, usize, usize) => super::aio::sys_io_pgetevents;
    217 getdents64 (i32, usize, u32) => super::stat::sys_getdents64;
    262 newfstatat (i32, usize, usize, u32) => super::stat::sys_newfstatat;
    267 readlinkat (i32, usize, usize, i32) => super::stat::sys_readlinkat;
    269 faccessat (i32, usize, u32) => super::stat::sys_faccessat;
    332 statx (i32, usize, u32, u32, usize) => super::stat::sys_statx;
    439 faccessat2 (i32, usize, u32, u32) => super::stat::sys_faccessat2;

    79 getcwd (usize, usize) => super::path::sys_getcwd;
    80 chdir (usize) => super::path::sys_chdir;
    81 fchdir (i32) => super::path::sys_fchdir;
    82 rename (usize, usize) => super::path::sys_rename;
    83 mkdir (usize, u32) => super::path::sys_mkdir;
    84 rmdir (usize) => super::path::sys_rmdir;
    86 link (usize, usize) => super::path::sys_link;
    87 unlink (usize) => super::path::sys_unlink;
    88 symlink (usize, usize) => super::path::sys_symlink;
    95 umask (u32) => super::path::sys_umask;
    133 mknod (usize, u32, u64) => super::path::sys_mknod;
    155 pivot_root (usize, usize) => super::path::sys_pivot_root;
    161 chroot (usize) => super::path::sys_chroot;
    258 mkdirat (i32, usize, u32) => super::path::sys_mkdirat;
    259 mknodat (i32, usize, u32, u64) => super::path::sys_mknodat;
    263 unlinkat (i32, usize, u32) => super::path::sys_unlinkat;
    264 renameat (i32, usize, i32, usize) => super::path::sys_renameat;
    265 linkat (i32, usize, i32, usize, u32) => super::path::sys_linkat;
    266 symlinkat (usize, i32, usize) => super::path::sys_symlinkat;
    316 renameat2 (i32, usize, i32, usize, u32) => super::path::sys_renameat2;

    74 fsync (i32) => super::attr::sys_fsync;
    75 fdatasync (i32) => super::attr::sys_fdatasync;
    76 truncate (usize, i64) => super::attr::sys_truncate;
    77 ftruncate (i32, i64) => super::attr::sys_ftruncate;
    90 chmod (usize, u32) => super::attr::sys_chmod;
    91 fchmod (i32, u32) => super::attr::sys_fchmod;
    92 chown (usize, u32, u32) => super::attr::sys_chown;
    93 fchown (i32, u32, u32) => super::attr::sys_fchown;
    94 lchown (usize, u32, u32) => super::attr::sys_lchown;
    132 utime (usize, usize) => super::attr::sys_utime;
    162 sync () => super::attr::sys_sync;
    187 readahead (i32, i64, usize) => super::attr::sys_readahead;
    221 fadvise64 (i32, i64, i64, u32) => super::attr::sys_fadvise64;
    235 utimes (usize, usize) => super::attr::sys_utimes;
    260 fchownat (i32, usize, u32, u32, u32) => super::attr::sys_fchownat;
    261 futimesat (i32, usize, usize) => super::attr::sys_futimesat;
    268 fchmodat (i32, usize, u32) => super::attr::sys_fchmodat;
    277 sync_file_range (i32, i64, i64, u32) => super::attr::sys_sync_file_range;
    280 utimensat (i32, usize, usize, u32) => super::attr::sys_utimensat;
    285 fallocate (i32, u32, i64, i64) => super::attr::sys_fallocate;
    306 syncfs (i32) => super::attr::sys_syncfs;

    425 io_uring_setup (u32, usize) => super::uring::sys_io_uring_setup;
    426 io_uring_enter (i32, u32, u32, u32, usize, usize) => super::uring::sys_io_uring_enter;
    427 io_uring_register (i32, u32, usize, u32) => super::uring::sys_io_uring_register;

    165 mount (usize, usize, usize, u64, usize) => super::mount::sys_mount;
    166 umount2 (usize, u32) => super::mount::sys_umount2;

    188 setxattr (usize, usize, usize, usize, u32) => super::xattr::sys_setxattr;
    189 lsetxattr (usize, usize, usize, usize, u32) => super::xattr::sys_lsetxattr;
    190 fsetxattr (i32, usize, usize, usize, u32) => super::xattr::sys_fsetxattr;
    191 getxattr (usize, usize, usize, usize) => super::xattr::sys_getxattr;
    192 lgetxattr (usize, usize, usize, usize) => super::xattr::sys_lgetxattr;
    193 fgetxattr (i32, usize, usize, usize) => super::xattr::sys_fgetxattr;
    194 listxattr (usize, usize, usize) => super::xattr::sys_listxattr;
    195 llistxattr (usize, usize, usize) => super::xattr::sys_llistxattr;
    196 flistxattr (i32, usize, usize) => super::xattr::sys_flistxattr;
    197 removexattr (usize, usize) => super::xattr::sys_removexattr;
    198 lremovexattr (usize, usize) => super::xattr::sys_lremovexattr;
    199 fremovexattr (i32, usize) => super::xattr::sys_fremovexattr;
}
