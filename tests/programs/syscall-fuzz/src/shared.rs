//! What children tell their parent, in memory that both see.

use std::io;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

/// Calls of one round's last moments that are kept.
const LAST: usize = 16;
/// Call numbers that are counted each for itself.
pub const NUMBERS: usize = 512;

/// Counters and the last calls. Children may overwrite it with anything: nothing in it is trusted, only reported.
#[repr(C)]
pub struct Shared {
    made: AtomicU64,
    succeeded: AtomicU64,
    results: [[AtomicU64; 2]; NUMBERS],
    next: AtomicU64,
    last: [Entry; LAST],
}

#[repr(C)]
struct Entry {
    number: AtomicU64,
    args: [AtomicU64; 6],
    result: AtomicI64,
}

/// Marks a call that has not returned.
const RUNNING: i64 = i64::MIN;

impl Shared {
    /// Maps it. It is never unmapped.
    pub fn new() -> io::Result<&'static Shared> {
        // SAFETY: a fresh mapping, checked below.
        let at = unsafe {
            let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_ANONYMOUS);
            libc::mmap(std::ptr::null_mut(), size_of::<Shared>(), protection, flags, -1, 0)
        };
        if at == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let at = NonNull::new(at.cast::<Shared>()).ok_or_else(|| io::Error::other("mapped at 0"))?;
        // SAFETY: mapped for good, zeroed, aligned to a page, and all fields are atomic.
        Ok(unsafe { at.as_ref() })
    }

    /// Calls made so far.
    pub fn made(&self) -> u64 {
        self.made.load(Relaxed)
    }

    /// Calls that succeeded so far.
    pub fn succeeded(&self) -> u64 {
        self.succeeded.load(Relaxed)
    }

    /// Before a call. Gives its slot.
    pub fn begin(&self, number: u64, args: [u64; 6]) -> usize {
        let slot = self.next.fetch_add(1, Relaxed) as usize % LAST;
        let entry = &self.last[slot];
        entry.number.store(number, Relaxed);
        for (kept, arg) in entry.args.iter().zip(args) {
            kept.store(arg, Relaxed);
        }
        entry.result.store(RUNNING, Relaxed);
        self.made.fetch_add(1, Relaxed);
        slot
    }

    /// After a call.
    pub fn end(&self, slot: usize, number: u64, result: i64) {
        self.last[slot % LAST].result.store(result, Relaxed);
        if result >= 0 {
            self.succeeded.fetch_add(1, Relaxed);
        }
        if let Some([total, missing]) = self.results.get(number as usize) {
            total.fetch_add(1, Relaxed);
            if result == -i64::from(libc::ENOSYS) {
                missing.fetch_add(1, Relaxed);
            }
        }
    }

    /// Numbers of calls that were made and answered ENOSYS each time.
    pub fn missing(&self) -> impl Iterator<Item = usize> {
        let results = self.results.iter().map(|[total, missing]| (total.load(Relaxed), missing.load(Relaxed)));
        results.enumerate().filter(|(_, (total, missing))| *total > 0 && total == missing).map(|(number, _)| number)
    }

    /// The last calls, oldest first, a line each.
    pub fn last_calls(&self) -> String {
        let next = self.next.load(Relaxed) as usize;
        let mut text = String::new();
        for entry in (0..LAST).map(|n| &self.last[next.wrapping_add(n) % LAST]) {
            let args: Vec<_> = entry.args.iter().map(|arg| format!("{:#x}", arg.load(Relaxed))).collect();
            let result = match entry.result.load(Relaxed) {
                RUNNING => "?".to_owned(),
                result => result.to_string(),
            };
            let number = entry.number.load(Relaxed);
            text += &format!("    {}({}) = {result}\n", crate::calls::name(number), args.join(", "));
        }
        text
    }
}
