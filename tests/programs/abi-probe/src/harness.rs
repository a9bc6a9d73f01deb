//! Runs cases, each in a child of its own, and prints what they found.

use std::fmt::Display;
use std::io::{Read, Write};
use std::os::fd::FromRawFd;
use std::process::ExitCode;

/// A case: its name and what it does.
pub type Case = (&'static str, fn(&mut Out));

/// Cases on one subject.
pub struct Group {
    pub name: &'static str,
    pub cases: &'static [Case],
}

/// Longest time a case may take, in seconds. SIGALRM ends it, which the output then shows.
const LIMIT_S: u32 = 30;

/// Collects what a case observes.
#[derive(Default)]
pub struct Out(String);

impl Out {
    /// Anything that prints.
    pub fn s(&mut self, value: impl Display) {
        self.0.push(' ');
        self.0.push_str(&value.to_string());
    }

    /// The result of a call: its value, or its error's name.
    pub fn v(&mut self, result: i64) -> i64 {
        if result == -1 { self.error() } else { self.s(result) }
        result
    }

    /// The result of a call whose value says nothing (a descriptor, an address): `ok`, or its error's name.
    pub fn ok(&mut self, result: i64) -> i64 {
        if result == -1 { self.error() } else { self.s("ok") }
        result
    }

    fn error(&mut self) {
        let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
        self.s(errno_name(errno));
    }
}

/// `EINVAL` and so on; the number for those without a name here.
pub fn errno_name(errno: i32) -> String {
    macro_rules! names {
        ($($name:ident)*) => { match errno { $(libc::$name => stringify!($name).to_owned(),)* other => format!("E#{other}") } };
    }
    names!(EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT ENOTBLK EBUSY EEXIST EXDEV ENODEV
        ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS EMLINK EPIPE EDOM ERANGE EDEADLK ENAMETOOLONG
        ENOLCK ENOSYS ENOTEMPTY ELOOP ENOMSG EIDRM ENODATA ETIME EPROTO EBADMSG EOVERFLOW EILSEQ EUSERS ENOTSOCK EDESTADDRREQ EMSGSIZE
        EPROTOTYPE ENOPROTOOPT EPROTONOSUPPORT ESOCKTNOSUPPORT EOPNOTSUPP EAFNOSUPPORT EADDRINUSE EADDRNOTAVAIL ENETDOWN ENETUNREACH
        ECONNABORTED ECONNRESET ENOBUFS EISCONN ENOTCONN ETIMEDOUT ECONNREFUSED EHOSTUNREACH EALREADY EINPROGRESS ESTALE ECANCELED
        EOWNERDEAD ENOTRECOVERABLE)
}

/// A system-call argument.
pub trait Arg {
    fn arg(self) -> usize;
}
macro_rules! int_args {
    ($($t:ty)*) => { $(impl Arg for $t { fn arg(self) -> usize { self as isize as usize } })* };
}
int_args!(i32 u32 i64 u64 usize isize);
impl Arg for &std::ffi::CStr {
    fn arg(self) -> usize {
        self.as_ptr() as usize
    }
}
impl<T> Arg for *const T {
    fn arg(self) -> usize {
        self as usize
    }
}
impl<T> Arg for *mut T {
    fn arg(self) -> usize {
        self as usize
    }
}

/// A system call by its number's name in the crate `libc`; -1 and errno on failure.
#[macro_export]
macro_rules! sys {
    ($nr:ident $(, $arg:expr)* $(,)?) => {
        // SAFETY: the cases pass buffers of their own, or addresses that the kernel must refuse.
        unsafe { libc::syscall(libc::$nr $(, $crate::harness::Arg::arg($arg))*) }
    };
}

/// Defines the `GROUP` of a module.
#[macro_export]
macro_rules! cases {
    ($group:literal; $($name:literal => |$o:ident| $body:block)*) => {
        pub const GROUP: $crate::harness::Group = $crate::harness::Group { name: $group, cases: &[$(($name, |$o: &mut $crate::harness::Out| $body)),*] };
    };
}

/// Runs the wanted cases (all where none is named).
pub fn run(groups: &[Group], wanted: &[String]) -> ExitCode {
    let scratch = format!("/tmp/abi-probe-{}", std::process::id());
    let mut ran = 0;
    for group in groups {
        for (name, case) in group.cases {
            let full = format!("{}/{name}", group.name);
            if !wanted.is_empty() && !wanted.iter().any(|w| *w == group.name || *w == full) {
                continue;
            }
            std::fs::create_dir_all(&scratch).expect("a scratch directory");
            println!("{full}{}", isolated(&scratch, *case));
            ran += 1;
            unmount_below(&scratch);
            if std::fs::remove_dir_all(&scratch).is_err() {
                println!("{full} left something that cannot be removed");
            }
        }
    }
    println!("== {ran} cases");
    if ran == 0 { ExitCode::from(2) } else { ExitCode::SUCCESS }
}

/// Takes away what cases mounted and left, whatever it is.
fn unmount_below(scratch: &str) {
    for name in ["d", "e", "i"] {
        let path = std::ffi::CString::new(format!("{scratch}/{name}")).expect("no NUL");
        // SAFETY: plain call.
        while unsafe { libc::umount2(path.as_ptr(), libc::MNT_DETACH | libc::UMOUNT_NOFOLLOW) } == 0 {}
    }
}

/// What a case printed, run in a child.
fn isolated(scratch: &str, case: fn(&mut Out)) -> String {
    let mut pipe = [0; 2];
    // SAFETY: plain calls; this program has one thread, so that the child may do anything.
    let child = unsafe {
        assert_eq!(libc::pipe2(pipe.as_mut_ptr(), libc::O_CLOEXEC), 0, "a pipe");
        // A group of its own, so that whatever the case leaves running can be ended.
        let child = libc::fork();
        assert!(child >= 0, "fork");
        if child == 0 {
            libc::setpgid(0, 0);
            libc::umask(0o022);
            libc::alarm(LIMIT_S);
            // Far from the numbers that cases get.
            let report = libc::fcntl(pipe[1], libc::F_DUPFD_CLOEXEC, 700);
            libc::close(pipe[0]);
            libc::close(pipe[1]);
            std::env::set_current_dir(scratch).expect("the scratch directory");
            let mut out = Out::default();
            case(&mut out);
            let mut file = std::fs::File::from_raw_fd(report);
            let _ = file.write_all(out.0.as_bytes());
            libc::_exit(0);
        }
        libc::close(pipe[1]);
        child
    };
    let mut text = Vec::new();
    // SAFETY: the reading end is ours.
    let mut reader = unsafe { std::fs::File::from_raw_fd(pipe[0]) };
    let _ = reader.read_to_end(&mut text);
    let mut status = 0;
    // SAFETY: waits for our child, then ends what it left behind.
    unsafe {
        libc::waitpid(child, &raw mut status, 0);
        libc::kill(-child, libc::SIGKILL);
        while libc::waitpid(-1, std::ptr::null_mut(), 0) > 0 {}
    }
    let mut text = String::from_utf8_lossy(&text).into_owned();
    if status != 0 {
        text.push_str(&format!(" (ended with status {status:#x})"));
    }
    text
}
