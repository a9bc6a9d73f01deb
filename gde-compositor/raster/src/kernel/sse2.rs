//! Four pixels at a time.

use super::scalar;
use std::arch::x86_64::*;

/// `x * y / 255`, rounded, in eight 16-bit lanes.
#[inline(always)]
pub(super) fn mul_div_255(x: __m128i, y: __m128i) -> __m128i {
    // SAFETY: SSE2 is part of x86-64.
    unsafe {
        let t = _mm_add_epi16(_mm_mullo_epi16(x, y), _mm_set1_epi16(128));
        _mm_srli_epi16::<8>(_mm_add_epi16(t, _mm_srli_epi16::<8>(t)))
    }
}

/// The alpha of each pixel in all its lanes.
#[inline(always)]
fn alphas(x: __m128i) -> __m128i {
    // SAFETY: SSE2 is part of x86-64.
    unsafe { _mm_shufflehi_epi16::<0xff>(_mm_shufflelo_epi16::<0xff>(x)) }
}

/// `src` over `dst`.
#[inline(always)]
fn over(dst: __m128i, src: __m128i) -> __m128i {
    // SAFETY: SSE2 is part of x86-64.
    unsafe {
        let zero = _mm_setzero_si128();
        let all = _mm_set1_epi16(255);
        let keep_low = _mm_sub_epi16(all, alphas(_mm_unpacklo_epi8(src, zero)));
        let keep_high = _mm_sub_epi16(all, alphas(_mm_unpackhi_epi8(src, zero)));
        let low = mul_div_255(_mm_unpacklo_epi8(dst, zero), keep_low);
        let high = mul_div_255(_mm_unpackhi_epi8(dst, zero), keep_high);
        _mm_adds_epu8(src, _mm_packus_epi16(low, high))
    }
}

/// All of `src` times `alpha`, which is in every 16-bit lane.
#[inline(always)]
fn faded(src: __m128i, low: __m128i, high: __m128i) -> __m128i {
    // SAFETY: SSE2 is part of x86-64.
    unsafe {
        let zero = _mm_setzero_si128();
        _mm_packus_epi16(mul_div_255(_mm_unpacklo_epi8(src, zero), low), mul_div_255(_mm_unpackhi_epi8(src, zero), high))
    }
}

/// SAFETY: see [`super::Kernels::blend`].
pub unsafe fn blend(dst: *mut u32, src: *const u32, count: usize) {
    let mut index = 0;
    // SAFETY: below `count`, as the caller promises.
    unsafe {
        let alpha = _mm_set1_epi32(0xff00_0000u32 as i32);
        while index + 4 <= count {
            let from = _mm_loadu_si128(src.add(index).cast());
            let to = dst.add(index).cast::<__m128i>();
            let bits = _mm_and_si128(from, alpha);
            if _mm_movemask_epi8(_mm_cmpeq_epi32(bits, alpha)) == 0xffff {
                _mm_storeu_si128(to, from);
            } else if _mm_movemask_epi8(_mm_cmpeq_epi32(from, _mm_setzero_si128())) != 0xffff {
                _mm_storeu_si128(to, over(_mm_loadu_si128(to), from));
            }
            index += 4;
        }
        scalar::blend(dst.add(index), src.add(index), count - index);
    }
}

/// SAFETY: see [`super::Kernels::blend_alpha`].
pub unsafe fn blend_alpha(dst: *mut u32, src: *const u32, count: usize, alpha: u8) {
    let mut index = 0;
    // SAFETY: below `count`, as the caller promises.
    unsafe {
        let by = _mm_set1_epi16(alpha.into());
        while index + 4 <= count {
            let from = faded(_mm_loadu_si128(src.add(index).cast()), by, by);
            let to = dst.add(index).cast::<__m128i>();
            _mm_storeu_si128(to, over(_mm_loadu_si128(to), from));
            index += 4;
        }
        scalar::blend_alpha(dst.add(index), src.add(index), count - index, alpha);
    }
}

/// SAFETY: see [`super::Kernels::mask`].
pub unsafe fn mask(dst: *mut u32, mask: *const u8, count: usize, colour: u32) {
    let mut index = 0;
    // SAFETY: below `count`, as the caller promises.
    unsafe {
        let pixel = _mm_set1_epi32(colour as i32);
        while index + 4 <= count {
            let four = mask.add(index).cast::<u32>().read_unaligned();
            if four != 0 {
                let bytes = _mm_cvtsi32_si128(four as i32);
                // m0 m0 m1 m1 m2 m2 m3 m3, then each four times.
                let pairs = _mm_unpacklo_epi8(bytes, bytes);
                let quads = _mm_unpacklo_epi16(pairs, pairs);
                let zero = _mm_setzero_si128();
                let from = faded(pixel, _mm_unpacklo_epi8(quads, zero), _mm_unpackhi_epi8(quads, zero));
                let to = dst.add(index).cast::<__m128i>();
                _mm_storeu_si128(to, over(_mm_loadu_si128(to), from));
            }
            index += 4;
        }
        scalar::mask(dst.add(index), mask.add(index), count - index, colour);
    }
}

/// SAFETY: see [`super::Kernels::colour`].
pub unsafe fn colour(dst: *mut u32, count: usize, colour: u32) {
    let mut index = 0;
    // SAFETY: below `count`, as the caller promises.
    unsafe {
        let from = _mm_set1_epi32(colour as i32);
        let is_opaque = colour >> 24 == 255;
        while index + 4 <= count {
            let to = dst.add(index).cast::<__m128i>();
            _mm_storeu_si128(to, if is_opaque { from } else { over(_mm_loadu_si128(to), from) });
            index += 4;
        }
        scalar::colour(dst.add(index), count - index, colour);
    }
}
