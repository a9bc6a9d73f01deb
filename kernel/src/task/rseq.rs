//! Restartable sequences, rseq(2): a thread's area in user memory says on which CPU it runs, and which piece of code must be begun anew when the thread was
//! preempted, moved to another CPU or interrupted by a signal in it. Layout and checks are those of Linux 6.1 (`include/uapi/linux/rseq.h`, `kernel/rseq.c`).

use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

use frame::mm::USER_END;
use frame::user::UserContext;
use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::signal::{self, SIGSEGV, SigInfo};
use super::Thread;
use crate::error::*;
use crate::user;

/// Bytes of the area, and its alignment.
pub const AREA_BYTES: u32 = 32;
/// What `cpu_id` says where no area is registered.
const UNINITIALIZED: u32 = u32::MAX;

// Offsets in the area.
const CPU_ID_START: usize = 0;
const CPU_ID: usize = 4;
const CRITICAL_SECTION: usize = 8;
const FLAGS: usize = 16;

/// `struct rseq_cs`: a critical section.
#[repr(C)]
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
struct CriticalSection {
    version: u32,
    flags: u32,
    start_ip: u64,
    post_commit_offset: u64,
    abort_ip: u64,
}

impl CriticalSection {
    fn contains(&self, ip: u64) -> bool {
        ip.wrapping_sub(self.start_ip) < self.post_commit_offset
    }

    fn check(&self) -> Result {
        let end = self.start_ip.checked_add(self.post_commit_offset).ok_or(EINVAL)?;
        let outside = self.start_ip >= USER_END || end >= USER_END || self.abort_ip >= USER_END;
        if outside || self.version > 0 || self.contains(self.abort_ip) {
            return Err(EINVAL);
        }
        Ok(())
    }
}

/// What a thread has registered.
#[derive(Default)]
pub struct Rseq {
    /// Address of the area, or 0.
    area: AtomicUsize,
    /// The four bytes before each abort handler.
    signature: AtomicU32,
    /// Something has happened since the thread was last in user mode.
    due: AtomicBool,
}

impl Rseq {
    /// Whether [`before_user_mode`] must be called.
    #[inline]
    pub fn is_due(&self) -> bool {
        self.due.load(Ordering::Relaxed)
    }

    /// The thread was switched to, or is asked to begin its critical section anew.
    #[inline]
    pub fn touch(&self) {
        if self.area.load(Ordering::Relaxed) != 0 {
            self.due.store(true, Ordering::Relaxed);
        }
    }

    /// Forgets the area: of a new program.
    pub fn clear(&self) {
        self.area.store(0, Ordering::Relaxed);
        self.signature.store(0, Ordering::Relaxed);
        self.due.store(false, Ordering::Relaxed);
    }

    /// Takes over what `parent` has: of a new process, whose memory is a copy.
    pub fn inherit(&self, parent: &Rseq) {
        self.area.store(parent.area.load(Ordering::Relaxed), Ordering::Relaxed);
        self.signature.store(parent.signature.load(Ordering::Relaxed), Ordering::Relaxed);
        self.touch();
    }

    /// Address and signature, for a tracer. The address is 0 where none is registered.
    pub fn registration(&self) -> (usize, u32) {
        (self.area.load(Ordering::Relaxed), self.signature.load(Ordering::Relaxed))
    }

    /// Registers an area, of the calling thread.
    ///
    /// # Errors
    /// `EBUSY` and `EPERM` (another signature) where this area is registered already; `EINVAL`, `EFAULT`.
    pub fn register(&self, area: usize, len: u32, signature: u32) -> Result {
        let (registered, with) = self.registration();
        if registered != 0 {
            return Err(match () {
                () if registered != area || len != AREA_BYTES => EINVAL,
                () if with != signature => EPERM,
                () => EBUSY,
            });
        }
        if !area.is_multiple_of(AREA_BYTES as usize) || len != AREA_BYTES {
            return Err(EINVAL);
        }
        if area as u64 >= USER_END {
            return Err(EFAULT);
        }
        self.signature.store(signature, Ordering::Relaxed);
        self.area.store(area, Ordering::Relaxed);
        self.touch();
        Ok(())
    }

    /// Ends the registration, of the calling thread.
    ///
    /// # Errors
    /// `EINVAL` where it is not this area that is registered, `EPERM` for another signature, `EFAULT`.
    pub fn unregister(&self, area: usize, len: u32, signature: u32) -> Result {
        let (registered, with) = self.registration();
        if registered == 0 || registered != area || len != AREA_BYTES {
            return Err(EINVAL);
        }
        if with != signature {
            return Err(EPERM);
        }
        user::write(area + CPU_ID_START, &0u32)?;
        user::write(area + CPU_ID, &UNINITIALIZED)?;
        self.clear();
        Ok(())
    }

    /// Begins a critical section anew that `context` is in.
    fn fix_up(&self, area: usize, context: &mut UserContext) -> Result {
        let pointer: u64 = user::read(area + CRITICAL_SECTION)?;
        if pointer == 0 {
            return Ok(());
        }
        if pointer >= USER_END {
            return Err(EINVAL);
        }
        let section: CriticalSection = user::read(pointer as usize)?;
        section.check()?;
        let before_abort: u32 = user::read((section.abort_ip as usize).checked_sub(4).ok_or(EINVAL)?)?;
        if before_abort != self.signature.load(Ordering::Relaxed) {
            return Err(EINVAL);
        }
        let inside = section.contains(context.regs.rip);
        // The flags that once asked for no restart are refused since Linux 5.19.
        if inside && (section.flags != 0 || user::read::<u32>(area + FLAGS)? != 0) {
            return Err(EINVAL);
        }
        user::write(area + CRITICAL_SECTION, &0u64)?;
        if inside {
            context.regs.rip = section.abort_ip;
        }
        Ok(())
    }
}

/// Before user mode after [`Rseq::touch`], and before a signal's handler is entered: begins a critical section anew, and says on which CPU the thread runs.
/// An area that cannot be used is the thread's fault: SIGSEGV.
pub fn before_user_mode(thread: &Arc<Thread>, context: &mut UserContext) {
    let area = thread.rseq.area.load(Ordering::Relaxed);
    // Taken before the CPU is asked: what happens from here on is seen again.
    thread.rseq.due.store(false, Ordering::SeqCst);
    if area == 0 {
        return;
    }
    let cpu = frame::cpu::id() as u32;
    let outcome = thread.rseq.fix_up(area, context).and_then(|()| user::write(area + CPU_ID_START, &cpu)).and_then(|()| user::write(area + CPU_ID, &cpu));
    if outcome.is_err() {
        signal::force(thread, SigInfo::kernel(SIGSEGV));
    }
}
