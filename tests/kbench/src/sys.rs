//! The system calls that std has no plain function for.

use std::io;

/// A process that runs `body` and exits; killed and waited for when dropped.
pub struct Child(libc::pid_t);

/// Turns a system call's result into a number or errno.
pub fn check<T: PartialOrd + Default>(result: T) -> io::Result<T> {
    if result < T::default() { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Forks; the child runs `body` and exits.
pub fn fork(body: impl FnOnce()) -> io::Result<Child> {
    // SAFETY: this program forks only while it has no second thread, so the child may do whatever the parent may.
    match check(unsafe { libc::fork() })? {
        0 => {
            body();
            // SAFETY: ends the child without running the parent's exit handlers.
            unsafe { libc::_exit(0) }
        }
        pid => Ok(Child(pid)),
    }
}

impl Child {
    /// Waits for its end.
    pub fn wait(self) -> io::Result<()> {
        let mut status = 0;
        // SAFETY: `status` is valid for the call.
        check(unsafe { libc::waitpid(self.0, &mut status, 0) })?;
        std::mem::forget(self);
        if status == 0 { Ok(()) } else { Err(io::Error::other(format!("the child ended with {status:#x}"))) }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // SAFETY: plain calls on our own child, which has not been waited for.
        unsafe {
            libc::kill(self.0, libc::SIGKILL);
            libc::waitpid(self.0, std::ptr::null_mut(), 0);
        }
    }
}

/// Pins the calling thread to the first CPU; undone when dropped.
pub struct Pinned(libc::cpu_set_t);

impl Pinned {
    /// Pins the calling thread.
    pub fn new() -> io::Result<Self> {
        // SAFETY: cpu_set_t is plain data, and both sets are valid for the calls.
        unsafe {
            let mut old: libc::cpu_set_t = std::mem::zeroed();
            check(libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &mut old))?;
            let mut one: libc::cpu_set_t = std::mem::zeroed();
            libc::CPU_SET(0, &mut one);
            check(libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &one))?;
            Ok(Pinned(old))
        }
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        // SAFETY: the set came from the kernel.
        unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &self.0) };
    }
}

/// An anonymous private mapping; unmapped when dropped.
pub struct Mapping {
    start: *mut u8,
    len: usize,
}

impl Mapping {
    /// Maps `len` bytes, none of them touched.
    pub fn new(len: usize) -> io::Result<Self> {
        let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: the kernel chooses the place of a new mapping.
        let start = unsafe { libc::mmap(std::ptr::null_mut(), len, protection, flags, -1, 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        // Huge pages would make one fault of 512. Kernels without them refuse, which is as good.
        // SAFETY: the range was just mapped.
        unsafe { libc::madvise(start, len, libc::MADV_NOHUGEPAGE) };
        Ok(Mapping { start: start.cast(), len })
    }

    /// Writes a byte of each page.
    pub fn touch(&mut self) {
        for offset in (0..self.len).step_by(4096) {
            // SAFETY: within the mapping, which is writable and ours alone.
            unsafe { self.start.add(offset).write_volatile(1) };
        }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and nothing refers to it any more.
        unsafe { libc::munmap(self.start.cast(), self.len) };
    }
}

/// `futex(2)` on a word of this process.
pub fn futex(word: &std::sync::atomic::AtomicU32, operation: libc::c_int, value: u32) -> io::Result<()> {
    let null = std::ptr::null::<libc::timespec>();
    // SAFETY: the word outlives the call; there is no time-out.
    let result = unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation | libc::FUTEX_PRIVATE_FLAG, value, null) };
    match check(result) {
        Err(error) if matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::EINTR)) => Ok(()),
        other => other.map(drop),
    }
}
