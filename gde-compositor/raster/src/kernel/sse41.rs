//! Four pixels at a time, with one shuffle for the alphas and one test for what needs no blending.

use super::scalar;
use super::sse2::mul_div_255;
use std::arch::x86_64::*;

#[inline]
#[target_feature(enable = "sse4.1,ssse3")]
fn over(dst: __m128i, src: __m128i) -> __m128i {
    let zero = _mm_setzero_si128();
    // 255 - alpha, as a byte, is its complement.
    let not = _mm_xor_si128(src, _mm_set1_epi8(-1));
    let keep_low = _mm_shuffle_epi8(not, _mm_setr_epi8(3, -1, 3, -1, 3, -1, 3, -1, 7, -1, 7, -1, 7, -1, 7, -1));
    let keep_high = _mm_shuffle_epi8(not, _mm_setr_epi8(11, -1, 11, -1, 11, -1, 11, -1, 15, -1, 15, -1, 15, -1, 15, -1));
    let low = mul_div_255(_mm_cvtepu8_epi16(dst), keep_low);
    let high = mul_div_255(_mm_unpackhi_epi8(dst, zero), keep_high);
    _mm_adds_epu8(src, _mm_packus_epi16(low, high))
}

#[inline]
#[target_feature(enable = "sse4.1,ssse3")]
fn faded(src: __m128i, low: __m128i, high: __m128i) -> __m128i {
    let zero = _mm_setzero_si128();
    _mm_packus_epi16(mul_div_255(_mm_cvtepu8_epi16(src), low), mul_div_255(_mm_unpackhi_epi8(src, zero), high))
}

/// SAFETY: see [`super::Kernels::blend`].
#[target_feature(enable = "sse4.1,ssse3")]
pub unsafe fn blend(dst: *mut u32, src: *const u32, count: usize) {
    let mut index = 0;
    // SAFETY: below `count`, as the caller promises.
    unsafe {
        let alpha = _mm_set1_epi32(0xff00_0000u32 as i32);
        while index + 4 <= count {
            let from = _mm_loadu_si128(src.add(index).cast());
            let to = dst.add(index).cast::<__m128i>();
            if _mm_testc_si128(from, alpha) != 0 {
                _mm_storeu_si128(to, from);
            } else if _mm_testz_si128(from, from) == 0 {
                _mm_storeu_si128(to, over(_mm_loadu_si128(to), from));
            }
            index += 4;
        }
        scalar::blend(dst.add(index), src.add(index), count - index);
    }
}

/// SAFETY: see [`super::Kernels::blend_alpha`].
#[target_feature(enable = "sse4.1,ssse3")]
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
#[target_feature(enable = "sse4.1,ssse3")]
pub unsafe fn mask(dst: *mut u32, mask: *const u8, count: usize, colour: u32) {
    let mut index = 0;
    // SAFETY: below `count`, as the caller promises.
    unsafe {
        let pixel = _mm_set1_epi32(colour as i32);
        let low = _mm_setr_epi8(0, -1, 0, -1, 0, -1, 0, -1, 1, -1, 1, -1, 1, -1, 1, -1);
        let high = _mm_setr_epi8(2, -1, 2, -1, 2, -1, 2, -1, 3, -1, 3, -1, 3, -1, 3, -1);
        while index + 4 <= count {
            let four = mask.add(index).cast::<u32>().read_unaligned();
            if four != 0 {
                let bytes = _mm_cvtsi32_si128(four as i32);
                let from = faded(pixel, _mm_shuffle_epi8(bytes, low), _mm_shuffle_epi8(bytes, high));
                let to = dst.add(index).cast::<__m128i>();
                _mm_storeu_si128(to, over(_mm_loadu_si128(to), from));
            }
            index += 4;
        }
        scalar::mask(dst.add(index), mask.add(index), count - index, colour);
    }
}
