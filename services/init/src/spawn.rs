//! Starting a process without waiting for anything: process 1 must not, since the program may lie on a disk whose driver process 1 has to start
//! again. What goes wrong before the program runs is told by the status, in the numbers of systemd.exec(5).

use crate::sys;
use gci_units::unit::Limits;
use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::RawFd;

/// Who a process runs as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// Other groups.
    pub groups: Vec<u32>,
}

/// What its standard streams are.
#[derive(Clone, Debug)]
pub enum Streams {
    /// Input, output and errors: descriptors of this process.
    Descriptors([RawFd; 3]),
    /// A terminal, which becomes the controlling one.
    Terminal(CString),
}

/// A process to be.
pub struct Launch {
    /// Where the program may be, in order.
    pub programs: Vec<CString>,
    /// `argv`.
    pub words: Vec<CString>,
    /// `NAME=value`.
    pub environment: Vec<CString>,
    /// Its streams.
    pub streams: Streams,
    /// Sockets that it gets as descriptors from 3 on.
    pub sockets: Vec<RawFd>,
    /// Working directory.
    pub directory: Option<CString>,
    /// Who it runs as.
    pub identity: Option<Identity>,
    /// Its nice value.
    pub nice: i32,
    /// The system runs on it: when memory runs out, others end first.
    pub is_essential: bool,
    /// Its limits.
    pub limits: Limits,
    /// Is told the status of what went wrong before the program runs, one byte; above all sockets, and closed by the program's start.
    pub failure: Option<RawFd>,
}

/// `oom_score_adj` of what the system runs on (`proc(5)`): among the last to be chosen, but not exempt, since it may be what takes all memory.
const LAST_TO_END: &CStr = c"-900";
/// The room of `LISTEN_PID=` and a number.
const PID_TEXT: usize = 24;
/// The number of the last signal (signal(7)).
const SIGNALS: libc::c_int = 64;
const PID_NAME: &[u8] = b"LISTEN_PID=";

mod status {
    pub const DIRECTORY: i32 = 200;
    pub const PROGRAM: i32 = 203;
    pub const LIMITS: i32 = 205;
    pub const STREAMS: i32 = 208;
    pub const NICE: i32 = 201;
    pub const GROUP: i32 = 216;
    pub const USER: i32 = 217;
}

/// What a status means that [`Launch::start`] gives.
pub fn reason(status: i32) -> Option<&'static str> {
    Some(match status {
        status::DIRECTORY => "its WorkingDirectory cannot be entered",
        status::PROGRAM => "its program is missing or cannot be executed",
        status::LIMITS => "its limits cannot be set",
        status::STREAMS => "its terminal or its streams cannot be opened",
        status::NICE => "its Nice cannot be set",
        status::GROUP => "its groups cannot be set",
        status::USER => "its User cannot be set",
        _ => return None,
    })
}

/// What the child needs, allocated before the fork.
struct Prepared<'a> {
    launch: &'a Launch,
    words: Vec<*const libc::c_char>,
    environment: Vec<*const libc::c_char>,
    pid_text: [u8; PID_TEXT],
    limits: Vec<(libc::__rlimit_resource_t, u64)>,
}

fn pointers(texts: &[CString]) -> Vec<*const libc::c_char> {
    texts.iter().map(|text| text.as_ptr()).chain([std::ptr::null(), std::ptr::null()]).collect()
}

impl Launch {
    /// Starts it. Returns as soon as there is a process.
    ///
    /// # Errors
    /// Those of fork(2).
    pub fn start(&self) -> io::Result<u32> {
        let limits = &self.limits;
        let limits = [
            (libc::RLIMIT_NOFILE, limits.open_files),
            (libc::RLIMIT_NPROC, limits.processes),
            (libc::RLIMIT_AS, limits.address_space),
            (libc::RLIMIT_CORE, limits.core),
            (libc::RLIMIT_MEMLOCK, limits.locked_memory),
            (libc::RLIMIT_CPU, limits.processor_seconds),
        ];
        let limits = limits.into_iter().filter_map(|(resource, limit)| Some((resource, limit?))).collect();
        let mut prepared = Prepared {
            launch: self,
            words: pointers(&self.words),
            environment: pointers(&self.environment),
            pid_text: [0; PID_TEXT],
            limits,
        };
        // SAFETY: the child makes only async-signal-safe calls (`in_child`), on memory that was prepared before; the masks are live.
        unsafe {
            // A signal to the child must not reach our handlers: they would tell us that it was for us, and the child would go on.
            let (mut all, mut before): (libc::sigset_t, libc::sigset_t) = (std::mem::zeroed(), std::mem::zeroed());
            libc::sigfillset(&mut all);
            libc::sigprocmask(libc::SIG_SETMASK, &all, &mut before);
            let pid = libc::fork();
            if pid == 0 {
                let status = in_child(&mut prepared);
                if let Some(failure) = self.failure {
                    libc::write(failure, (&raw const status).cast(), 1);
                }
                // Without running anything of the parent's.
                libc::_exit(status);
            }
            let error = io::Error::last_os_error();
            libc::sigprocmask(libc::SIG_SETMASK, &before, std::ptr::null_mut());
            if pid > 0 { Ok(pid as u32) } else { Err(error) }
        }
    }
}

/// Becomes the program; returns with the status of what went wrong. Between fork and exec: no allocation, no locks.
fn in_child(prepared: &mut Prepared<'_>) -> i32 {
    let launch = prepared.launch;
    // SAFETY: plain system calls on live memory; see each step.
    unsafe {
        // Rust ignores SIGPIPE, which programs do not expect, and we handle some; an empty mask and default actions are what they do.
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = libc::SIG_DFL;
        for signal in 1..=SIGNALS {
            libc::sigaction(signal, &action, std::ptr::null_mut());
        }
        let mut mask: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut mask);
        libc::sigprocmask(libc::SIG_SETMASK, &mask, std::ptr::null_mut());
        match &launch.streams {
            Streams::Descriptors(descriptors) => {
                libc::setsid();
                for (target, descriptor) in descriptors.iter().enumerate() {
                    if libc::dup2(*descriptor, target as i32) < 0 {
                        return status::STREAMS;
                    }
                }
            }
            Streams::Terminal(path) => {
                let terminal = libc::open(path.as_ptr(), libc::O_RDWR | libc::O_NOCTTY);
                if terminal < 0 || sys::take_terminal(terminal).is_err() {
                    return status::STREAMS;
                }
            }
        }
        if !pass_sockets(&launch.sockets) {
            return status::STREAMS;
        }
        for (resource, limit) in &prepared.limits {
            let limit = libc::rlimit { rlim_cur: *limit, rlim_max: *limit };
            if libc::setrlimit(*resource, &limit) < 0 {
                return status::LIMITS;
            }
        }
        // Nobody but root may lower it: as a user's manager it stays what it is.
        if launch.nice != 0 && libc::setpriority(libc::PRIO_PROCESS, 0, launch.nice) < 0 && libc::geteuid() == 0 {
            return status::NICE;
        }
        if launch.is_essential {
            // Where there is no /proc yet it stays as it is.
            let file = libc::open(c"/proc/self/oom_score_adj".as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC);
            if file >= 0 {
                libc::write(file, LAST_TO_END.as_ptr().cast(), LAST_TO_END.count_bytes());
                libc::close(file);
            }
        }
        if let Some(identity) = &launch.identity {
            if libc::setgroups(identity.groups.len(), identity.groups.as_ptr()) < 0 || libc::setgid(identity.gid) < 0 {
                return status::GROUP;
            }
            if libc::setuid(identity.uid) < 0 {
                return status::USER;
            }
        }
        if let Some(directory) = &launch.directory
            && libc::chdir(directory.as_ptr()) < 0
        {
            return status::DIRECTORY;
        }
        if !launch.sockets.is_empty() {
            write_pid(&mut prepared.pid_text, libc::getpid() as u32);
            let end = prepared.environment.len() - 2;
            prepared.environment[end] = prepared.pid_text.as_ptr().cast();
        }
        for program in &launch.programs {
            libc::execve(program.as_ptr(), prepared.words.as_ptr(), prepared.environment.as_ptr());
        }
    }
    status::PROGRAM
}

/// Makes the sockets descriptors 3, 4 and so on.
///
/// # Safety
/// To be called between fork and exec.
unsafe fn pass_sockets(sockets: &[RawFd]) -> bool {
    /// Above all that they may become.
    const FREE: i32 = 64;
    let mut copies = [-1; 32];
    for (copy, socket) in copies.iter_mut().zip(sockets) {
        // SAFETY: no memory.
        *copy = unsafe { libc::fcntl(*socket, libc::F_DUPFD_CLOEXEC, FREE) };
    }
    copies.iter().zip(3..).take(sockets.len()).all(|(copy, target)| {
        // SAFETY: no memory; the new descriptor stays open in the program.
        unsafe { libc::dup2(*copy, target) >= 0 }
    })
}

fn write_pid(text: &mut [u8; PID_TEXT], mut pid: u32) {
    let mut digits = [0; 10];
    let mut count = 0;
    loop {
        digits[count] = b'0' + (pid % 10) as u8;
        pid /= 10;
        count += 1;
        if pid == 0 {
            break;
        }
    }
    for (place, byte) in text.iter_mut().zip(PID_NAME) {
        *place = *byte;
    }
    for index in 0..count {
        text[PID_NAME.len() + index] = digits[count - 1 - index];
    }
    text[PID_NAME.len() + count] = 0;
}
