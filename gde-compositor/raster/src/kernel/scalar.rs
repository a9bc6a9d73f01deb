//! What the others must agree with.

use crate::mul_div_255;

#[inline]
fn over(dst: u32, src: u32) -> u32 {
    let keep = 255 - (src >> 24);
    let channel = |shift: u32| {
        let sum = (src >> shift & 255) + mul_div_255(dst >> shift & 255, keep);
        // A client's pixels need not be premultiplied.
        sum.min(255) << shift
    };
    channel(24) | channel(16) | channel(8) | channel(0)
}

#[inline]
pub(super) fn faded(src: u32, alpha: u32) -> u32 {
    let channel = |shift: u32| mul_div_255(src >> shift & 255, alpha) << shift;
    channel(24) | channel(16) | channel(8) | channel(0)
}

/// SAFETY: see [`super::Kernels::blend`].
pub unsafe fn blend(dst: *mut u32, src: *const u32, count: usize) {
    for index in 0..count {
        // SAFETY: below `count`, as the caller promises.
        unsafe { dst.add(index).write_unaligned(over(dst.add(index).read_unaligned(), src.add(index).read_unaligned())) }
    }
}

/// SAFETY: see [`super::Kernels::blend_alpha`].
pub unsafe fn blend_alpha(dst: *mut u32, src: *const u32, count: usize, alpha: u8) {
    for index in 0..count {
        // SAFETY: below `count`, as the caller promises.
        unsafe {
            let src = faded(src.add(index).read_unaligned(), alpha.into());
            dst.add(index).write_unaligned(over(dst.add(index).read_unaligned(), src));
        }
    }
}

/// SAFETY: see [`super::Kernels::mask`].
pub unsafe fn mask(dst: *mut u32, mask: *const u8, count: usize, colour: u32) {
    for index in 0..count {
        // SAFETY: below `count`, as the caller promises.
        unsafe {
            let src = faded(colour, mask.add(index).read().into());
            dst.add(index).write_unaligned(over(dst.add(index).read_unaligned(), src));
        }
    }
}

/// SAFETY: see [`super::Kernels::colour`].
pub unsafe fn colour(dst: *mut u32, count: usize, colour: u32) {
    for index in 0..count {
        // SAFETY: below `count`, as the caller promises.
        unsafe { dst.add(index).write_unaligned(over(dst.add(index).read_unaligned(), colour)) }
    }
}
