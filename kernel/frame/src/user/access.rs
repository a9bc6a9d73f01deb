//! Reading and writing user memory.

use alloc::vec::Vec;
use core::arch::global_asm;
use core::sync::atomic::{AtomicU8, Ordering};

use crate::cpu::features::FEATURES;
use crate::mm::{PAGE_SIZE, USER_END};

global_asm!(include_str!("access.s"));

/// 1: SMAP is on, user memory must be opened for each access. Read by the assembly.
#[unsafe(no_mangle)]
static frame_smap: AtomicU8 = AtomicU8::new(0);

/// A value, and 1 if there was a fault.
#[repr(C)]
struct Outcome {
    value: u64,
    fault: u64,
}

unsafe extern "C" {
    static frame_user_access_start: u8;
    static frame_user_access_end: u8;
    static frame_user_landing: u8;
    fn frame_user_copy(dst: u64, src: u64, len: usize) -> Outcome;
    fn frame_user_zero(dst: u64, len: usize) -> Outcome;
    fn frame_user_read_u8(address: u64) -> Outcome;
    fn frame_user_read_u32(address: u64) -> Outcome;
    fn frame_user_read_u64(address: u64) -> Outcome;
    fn frame_user_write_u8(address: u64, value: u64) -> Outcome;
    fn frame_user_write_u32(address: u64, value: u64) -> Outcome;
    fn frame_user_write_u64(address: u64, value: u64) -> Outcome;
    fn frame_user_cmpxchg_u32(address: u64, old: u64, new: u64) -> Outcome;
}

/// Tells the assembly about the CPU.
pub fn init() {
    frame_smap.store(FEATURES.smap.load(Ordering::Relaxed) as u8, Ordering::Relaxed);
}

/// Whether the instruction is one of those that access user memory.
pub fn is_access(rip: u64) -> bool {
    // Only the addresses of these symbols mean something.
    (&raw const frame_user_access_start as u64..&raw const frame_user_access_end as u64).contains(&rip)
}

/// Where such an instruction continues after a fault.
pub fn fault_landing() -> u64 {
    &raw const frame_user_landing as u64
}

/// The user address is not mapped (EFAULT), or could not be accessed with interrupts off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserFault;

impl Outcome {
    #[inline]
    fn ok(self) -> Result<u64, UserFault> {
        if self.fault == 0 { Ok(self.value) } else { Err(UserFault) }
    }
}

/// Checks that a range is in the user half.
#[inline]
fn check(uaddr: u64, len: usize) -> Result<(), UserFault> {
    match uaddr.checked_add(len as u64) {
        Some(end) if end <= USER_END => Ok(()),
        _ => Err(UserFault),
    }
}

/// Copies from user memory to kernel memory.
///
/// # Safety
/// `len` bytes at `dst` are writable and not a Rust object in use.
#[inline]
pub unsafe fn copy_raw_from_user(dst: *mut u8, uaddr: u64, len: usize) -> Result<(), UserFault> {
    check(uaddr, len)?;
    // SAFETY: the source is in the user half, where faults are handled; the destination by the caller.
    unsafe { frame_user_copy(dst as u64, uaddr, len) }.ok().map(drop)
}

/// Copies from kernel memory to user memory.
///
/// # Safety
/// `len` bytes at `src` are readable.
#[inline]
pub unsafe fn copy_raw_to_user(uaddr: u64, src: *const u8, len: usize) -> Result<(), UserFault> {
    check(uaddr, len)?;
    // SAFETY: the destination is in the user half, where there are no Rust objects and faults are handled; the source by the caller.
    unsafe { frame_user_copy(uaddr, src as u64, len) }.ok().map(drop)
}

/// Copies from user memory. On a fault a part may have been copied.
#[inline]
pub fn copy_from_user(dst: &mut [u8], uaddr: u64) -> Result<(), UserFault> {
    // SAFETY: the destination is a Rust slice.
    unsafe { copy_raw_from_user(dst.as_mut_ptr(), uaddr, dst.len()) }
}

/// Copies to user memory. On a fault a part may have been written.
#[inline]
pub fn copy_to_user(uaddr: u64, src: &[u8]) -> Result<(), UserFault> {
    // SAFETY: the source is a Rust slice.
    unsafe { copy_raw_to_user(uaddr, src.as_ptr(), src.len()) }
}

/// Fills user memory with zeros.
pub fn zero_user(uaddr: u64, len: usize) -> Result<(), UserFault> {
    check(uaddr, len)?;
    // SAFETY: the range is in the user half.
    unsafe { frame_user_zero(uaddr, len) }.ok().map(drop)
}

macro_rules! scalar {
    ($read:ident, $write:ident, $asm_read:ident, $asm_write:ident, $type:ty) => {
        #[doc = concat!("Reads a `", stringify!($type), "` (atomically if aligned).")]
        #[inline]
        pub fn $read(uaddr: u64) -> Result<$type, UserFault> {
            check(uaddr, size_of::<$type>())?;
            // SAFETY: the address is in the user half.
            unsafe { $asm_read(uaddr) }.ok().map(|value| value as $type)
        }
        #[doc = concat!("Writes a `", stringify!($type), "` (atomically if aligned).")]
        #[inline]
        pub fn $write(uaddr: u64, value: $type) -> Result<(), UserFault> {
            check(uaddr, size_of::<$type>())?;
            // SAFETY: the address is in the user half.
            unsafe { $asm_write(uaddr, value as u64) }.ok().map(drop)
        }
    };
}

scalar!(read_u8, write_u8, frame_user_read_u8, frame_user_write_u8, u8);
scalar!(read_u32, write_u32, frame_user_read_u32, frame_user_write_u32, u32);
scalar!(read_u64, write_u64, frame_user_read_u64, frame_user_write_u64, u64);

/// Why a string could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StrError {
    /// Not mapped.
    Fault,
    /// No NUL byte in the first `max` bytes.
    TooLong,
}

/// Reads a NUL-terminated string of at most `max` bytes (NUL included); the NUL is not part of the result.
pub fn strncpy_from_user(uaddr: u64, max: usize) -> Result<Vec<u8>, StrError> {
    const CHUNK: usize = 128;
    let mut out = Vec::new();
    while out.len() < max {
        let from = uaddr.checked_add(out.len() as u64).ok_or(StrError::Fault)?;
        // Never beyond the page: the next one may not be mapped, and need not be.
        let in_page = PAGE_SIZE - from as usize % PAGE_SIZE;
        let chunk = CHUNK.min(in_page).min(max - out.len());
        let before = out.len();
        out.resize(before + chunk, 0);
        copy_from_user(&mut out[before..], from).map_err(|UserFault| StrError::Fault)?;
        if let Some(nul) = out[before..].iter().position(|&byte| byte == 0) {
            out.truncate(before + nul);
            return Ok(out);
        }
    }
    Err(StrError::TooLong)
}

/// Compare and exchange; gives the value found (the exchange happened if that is `old`). `uaddr` is aligned to 4, or it is a fault.
pub fn atomic_cmpxchg_u32(uaddr: u64, old: u32, new: u32) -> Result<u32, UserFault> {
    check(uaddr, 4)?;
    if !uaddr.is_multiple_of(4) {
        return Err(UserFault);
    }
    // SAFETY: the address is in the user half.
    unsafe { frame_user_cmpxchg_u32(uaddr, old as u64, new as u64) }.ok().map(|found| found as u32)
}

/// Operations of [`atomic_op_u32`] (`FUTEX_WAKE_OP`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtomicOp {
    /// Stores the operand.
    Set,
    /// Adds it.
    Add,
    /// Ors it.
    Or,
    /// Ands its complement.
    AndNot,
    /// Xors it.
    Xor,
}

/// Applies an operation atomically; gives the value before. `uaddr` is aligned to 4, or it is a fault. Fails too if other threads keep changing the word (a user program
/// must not hold up the kernel).
pub fn atomic_op_u32(uaddr: u64, op: AtomicOp, operand: u32) -> Result<u32, UserFault> {
    const ATTEMPTS: usize = 10_000;
    let mut old = read_u32(uaddr)?;
    for _ in 0..ATTEMPTS {
        let new = match op {
            AtomicOp::Set => operand,
            AtomicOp::Add => old.wrapping_add(operand),
            AtomicOp::Or => old | operand,
            AtomicOp::AndNot => old & !operand,
            AtomicOp::Xor => old ^ operand,
        };
        let found = atomic_cmpxchg_u32(uaddr, old, new)?;
        if found == old {
            return Ok(old);
        }
        old = found;
    }
    Err(UserFault)
}
