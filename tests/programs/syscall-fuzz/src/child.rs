//! A child: what it may use, and its loop of calls.

use std::arch::asm;
use std::ffi::CString;
use std::io;
use std::path::Path;

use crate::args::Maker;
use crate::calls::{self, Call};
use crate::shared::Shared;

/// Calls of a round.
const CALLS: usize = 400;
/// Calls of a child's child, which it ends after.
const GRANDCHILD_CALLS: usize = 24;
/// How often a blocking call is interrupted, in microseconds.
const TICK_US: i64 = 10_000;
const MIB: u64 = 1 << 20;

/// What a round is.
#[derive(Clone, Copy)]
pub struct Plan {
    /// The run's seed.
    pub seed: u64,
    /// The round's number.
    pub round: u64,
    /// Whether it runs as root.
    pub root: bool,
    /// Whether calls are said before they are made.
    pub trace: bool,
}

impl Plan {
    fn random(&self, thread: u64) -> fastrand::Rng {
        fastrand::Rng::with_seed((self.seed << 40) ^ (self.round << 4) ^ thread)
    }
}

/// Starts the child of a round, and gives its number.
pub fn start(plan: &Plan, scratch: &Path, shared: &'static Shared) -> io::Result<i32> {
    // SAFETY: this process has one thread, so the child may do anything.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            let code = match enter(plan, scratch) {
                Ok(trace) => {
                    live(plan, trace, shared);
                    0
                }
                Err(error) => {
                    eprintln!("round {}: {error}", plan.round);
                    3
                }
            };
            // SAFETY: ends this process.
            unsafe { libc::_exit(code) }
        }
        pid => Ok(pid),
    }
}

fn check(result: i32) -> io::Result<i32> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

extern "C" fn on_tick(_: i32) {}

/// Sets up session, directory, limits, user and descriptors. Gives the descriptor that calls are said on.
fn enter(plan: &Plan, scratch: &Path) -> io::Result<Option<i32>> {
    std::env::set_current_dir(scratch)?;
    // SAFETY: the structures are ours and whole; the handler does nothing.
    unsafe {
        check(libc::setsid())?;
        // Out of the way of descriptors that calls may close.
        let trace = if plan.trace { Some(check(libc::fcntl(2, libc::F_DUPFD_CLOEXEC, 900))?) } else { None };
        let null = check(libc::open(c"/dev/null".as_ptr(), libc::O_RDWR))?;
        for fd in 0..3 {
            check(libc::dup2(null, fd))?;
        }
        let processes = if plan.root { 4096 } else { 32 };
        let limits = [
            (libc::RLIMIT_AS, 256 * MIB),
            (libc::RLIMIT_FSIZE, 4 * MIB),
            (libc::RLIMIT_NOFILE, 1024),
            (libc::RLIMIT_CPU, 10),
            (libc::RLIMIT_CORE, 0),
            (libc::RLIMIT_NPROC, processes),
        ];
        for (resource, limit) in limits {
            check(libc::setrlimit(resource, &libc::rlimit { rlim_cur: limit, rlim_max: limit }))?;
        }
        if !plan.root {
            check(libc::setgroups(0, std::ptr::null()))?;
            check(libc::setresgid(1000, 1000, 1000))?;
            check(libc::setresuid(1000, 1000, 1000))?;
        }
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = on_tick as extern "C" fn(i32) as usize;
        check(libc::sigaction(libc::SIGALRM, &action, std::ptr::null_mut()))?;
        let tick = libc::timeval { tv_sec: 0, tv_usec: TICK_US };
        let timer = libc::itimerval { it_interval: tick, it_value: tick };
        check(libc::setitimer(libc::ITIMER_REAL, &timer, std::ptr::null_mut()))?;
        descriptors(plan.root);
        Ok(trace)
    }
}

/// One of each kind, as far as the kernel has it: numbers 3 and up.
fn descriptors(root: bool) {
    let paths = [
        "f0", "f1", "f2", "d0", ".", "/dev/null", "/dev/zero", "/dev/full", "/dev/urandom", "/dev/ptmx", "/proc/self/maps", "/proc/self/stat",
        // Root could change their modes, and make files in them.
        "/proc", "/sys", "/", "/scheme",
    ];
    let paths = if root { &paths[..12] } else { &paths[..] };
    // SAFETY: paths are C strings, arrays are big enough. Failures leave fewer descriptors, which is no harm.
    unsafe {
        for &path in paths {
            let Ok(name) = CString::new(path) else { continue };
            let writable = path.starts_with('f') || path == "/dev/ptmx";
            libc::open(name.as_ptr(), if writable { libc::O_RDWR } else { libc::O_RDONLY } | libc::O_NONBLOCK);
        }
        let mut pair = [0; 2];
        libc::pipe2(pair.as_mut_ptr(), libc::O_NONBLOCK);
        libc::pipe(pair.as_mut_ptr());
        for kind in [libc::SOCK_STREAM, libc::SOCK_DGRAM, libc::SOCK_SEQPACKET] {
            libc::socketpair(libc::AF_UNIX, kind, 0, pair.as_mut_ptr());
        }
        libc::socket(libc::AF_UNIX, libc::SOCK_STREAM, 0);
        libc::eventfd(1, 0);
        libc::epoll_create1(0);
        libc::timerfd_create(libc::CLOCK_MONOTONIC, 0);
        libc::memfd_create(c"fuzz".as_ptr(), libc::MFD_ALLOW_SEALING);
        libc::inotify_init1(0);
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigaddset(&mut set, libc::SIGUSR1);
        libc::signalfd(-1, &set, 0);
        libc::syscall(libc::SYS_pidfd_open, libc::getpid(), 0);
    }
}

fn live(plan: &Plan, trace: Option<i32>, shared: &'static Shared) {
    // In a quarter of the rounds two threads race for the same memory and descriptors.
    let second = plan.round % 4 >= 2 && plan.round % 8 < 4;
    if second {
        let plan = *plan;
        let racer = move || calls_of(&plan, 1, CALLS / 2, trace, shared);
        let _ = std::thread::Builder::new().stack_size(64 << 10).spawn(racer);
    }
    calls_of(plan, 0, if second { CALLS / 2 } else { CALLS }, trace, shared);
}

fn calls_of(plan: &Plan, thread: u64, count: usize, trace: Option<i32>, shared: &Shared) {
    let Ok(mut maker) = Maker::new(plan.random(thread), plan.root) else { return };
    // Nothing below allocates: the heap may be gone by then.
    let menu = calls::menu(plan.root);
    let me = raw(libc::SYS_getpid as u64, [0; 6]);
    let mut left = count;
    let mut grandchild = false;
    while left > 0 {
        left -= 1;
        let (number, args) = if maker.random.u32(..64) == 0 {
            maker.senseless_call(plan.root)
        } else {
            let Some(call) = menu.get(maker.random.usize(..menu.len())) else { return };
            if grandchild && call.forks() {
                continue;
            }
            (call.number, make(&mut maker, call))
        };
        if let Some(fd) = trace {
            say(fd, plan.round, number, args);
        }
        let slot = shared.begin(number, args);
        let result = raw(number, args);
        shared.end(slot, number, result);
        if !grandchild && raw(libc::SYS_getpid as u64, [0; 6]) != me {
            grandchild = true;
            left = left.min(GRANDCHILD_CALLS);
            maker.random = fastrand::Rng::with_seed(maker.random.u64(..) ^ 1);
        }
        maker.learn(call_result(number, result));
    }
    if grandchild {
        raw(libc::SYS_exit_group as u64, [0; 6]);
    }
}

fn make(maker: &mut Maker, call: &Call) -> [u64; 6] {
    let mut args = [0; 6];
    for (arg, kind) in args.iter_mut().zip(call.kinds.bytes()) {
        *arg = maker.make(kind);
    }
    maker.tame(call, &mut args);
    args
}

/// An address that later calls may use.
fn call_result(number: u64, result: i64) -> Option<u64> {
    let maps = number == libc::SYS_mmap as u64 || number == libc::SYS_mremap as u64;
    (maps && result > 0).then_some(result as u64)
}

/// One line, without allocating.
fn say(fd: i32, round: u64, number: u64, args: [u64; 6]) {
    use io::Write;
    let mut line = [0u8; 256];
    let mut rest = &mut line[..];
    let [a, b, c, d, e, f] = args;
    let _ = writeln!(rest, "{round}: {}({a:#x}, {b:#x}, {c:#x}, {d:#x}, {e:#x}, {f:#x})", calls::name(number));
    let left = rest.len();
    // SAFETY: the line is ours.
    unsafe { libc::write(fd, line.as_ptr().cast(), line.len() - left) };
}

/// A system call without libc, whose `errno` would need thread-local storage, which calls may take away.
fn raw(number: u64, args: [u64; 6]) -> i64 {
    let result;
    // SAFETY: whatever the call does to this process is what is wanted; a crash is no failure.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number => result,
            in("rdi") args[0], in("rsi") args[1], in("rdx") args[2], in("r10") args[3], in("r8") args[4], in("r9") args[5],
            lateout("rcx") _, lateout("r11") _,
        );
    }
    result
}
