//! Copying and filling memory, and the `mem*` functions the compiler calls.
//!
//! Real CPUs (and virtualised ones) run `rep movsb` and `rep stosb` at full speed. QEMU's emulator runs one step of a string instruction at a time, so there unrolled 64-bit
//! moves are several times faster. The choice is made by a flag that is set once at boot.

use core::arch::global_asm;
use core::sync::atomic::AtomicU8;

use super::PAGE_SIZE;

/// 1: string instructions are slow. Read by the assembly below.
#[unsafe(no_mangle)]
pub static frame_slow_strings: AtomicU8 = AtomicU8::new(0);

unsafe extern "C" {
    fn memcpy(dst: *mut u8, src: *const u8, len: usize) -> *mut u8;
    fn memset(dst: *mut u8, value: i32, len: usize) -> *mut u8;
}

/// Copies bytes that other CPUs may be changing meanwhile (the result is any mixture then).
///
/// # Safety
/// `len` bytes at `src` are readable, at `dst` writable and not part of a Rust object that is in use. The memory is accessed by assembly, so a race with user
/// programs is not a data race of the language.
#[inline]
pub unsafe fn copy(dst: *mut u8, src: *const u8, len: usize) {
    // SAFETY: the caller vouches for the ranges.
    unsafe { memcpy(dst, src, len) };
}

/// Fills with zeros.
///
/// # Safety
/// As for `dst` of [`copy`].
#[inline]
pub unsafe fn zero(dst: *mut u8, len: usize) {
    // SAFETY: the caller vouches for the range.
    unsafe { memset(dst, 0, len) };
}

/// Copies a page.
///
/// # Safety
/// As for [`copy`].
#[inline]
pub unsafe fn copy_page(dst: *mut u8, src: *const u8) {
    // SAFETY: the caller vouches for the ranges.
    unsafe { copy(dst, src, PAGE_SIZE) };
}

/// Fills a page with zeros.
///
/// # Safety
/// As for `dst` of [`copy`].
#[inline]
pub unsafe fn zero_page(dst: *mut u8) {
    // SAFETY: the caller vouches for the range.
    unsafe { zero(dst, PAGE_SIZE) };
}

global_asm!(include_str!("mem.s"));
