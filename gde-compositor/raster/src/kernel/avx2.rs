//! Eight pixels at a time.

use super::{sse2, sse41};
use std::arch::x86_64::*;

#[inline]
#[target_feature(enable = "avx2")]
fn mul_div_255(x: __m256i, y: __m256i) -> __m256i {
    let t = _mm256_add_epi16(_mm256_mullo_epi16(x, y), _mm256_set1_epi16(128));
    _mm256_srli_epi16::<8>(_mm256_add_epi16(t, _mm256_srli_epi16::<8>(t)))
}

#[inline]
#[target_feature(enable = "avx2")]
fn over(dst: __m256i, src: __m256i) -> __m256i {
    let zero = _mm256_setzero_si256();
    let not = _mm256_xor_si256(src, _mm256_set1_epi8(-1));
    let low = _mm256_broadcastsi128_si256(_mm_setr_epi8(3, -1, 3, -1, 3, -1, 3, -1, 7, -1, 7, -1, 7, -1, 7, -1));
    let high = _mm256_broadcastsi128_si256(_mm_setr_epi8(11, -1, 11, -1, 11, -1, 11, -1, 15, -1, 15, -1, 15, -1, 15, -1));
    let low = mul_div_255(_mm256_unpacklo_epi8(dst, zero), _mm256_shuffle_epi8(not, low));
    let high = mul_div_255(_mm256_unpackhi_epi8(dst, zero), _mm256_shuffle_epi8(not, high));
    _mm256_adds_epu8(src, _mm256_packus_epi16(low, high))
}

#[inline]
#[target_feature(enable = "avx2")]
fn faded(src: __m256i, low: __m256i, high: __m256i) -> __m256i {
    let zero = _mm256_setzero_si256();
    _mm256_packus_epi16(mul_div_255(_mm256_unpacklo_epi8(src, zero), low), mul_div_255(_mm256_unpackhi_epi8(src, zero), high))
}

/// SAFETY: see [`super::Kernels::blend`].
#[target_feature(enable = "avx2")]
pub unsafe fn blend(dst: *mut u32, src: *const u32, count: usize) {
    let mut index = 0;
    // SAFETY: below `count`, as the caller promises; who has AVX2 has SSE4.1.
    unsafe {
        let alpha = _mm256_set1_epi32(0xff00_0000u32 as i32);
        while index + 8 <= count {
            let from = _mm256_loadu_si256(src.add(index).cast());
            let to = dst.add(index).cast::<__m256i>();
            if _mm256_testc_si256(from, alpha) != 0 {
                _mm256_storeu_si256(to, from);
            } else if _mm256_testz_si256(from, from) == 0 {
                _mm256_storeu_si256(to, over(_mm256_loadu_si256(to), from));
            }
            index += 8;
        }
        sse41::blend(dst.add(index), src.add(index), count - index);
    }
}

/// SAFETY: see [`super::Kernels::blend_alpha`].
#[target_feature(enable = "avx2")]
pub unsafe fn blend_alpha(dst: *mut u32, src: *const u32, count: usize, alpha: u8) {
    let mut index = 0;
    // SAFETY: as in `blend`.
    unsafe {
        let by = _mm256_set1_epi16(alpha.into());
        while index + 8 <= count {
            let from = faded(_mm256_loadu_si256(src.add(index).cast()), by, by);
            let to = dst.add(index).cast::<__m256i>();
            _mm256_storeu_si256(to, over(_mm256_loadu_si256(to), from));
            index += 8;
        }
        sse41::blend_alpha(dst.add(index), src.add(index), count - index, alpha);
    }
}

/// SAFETY: see [`super::Kernels::mask`].
#[target_feature(enable = "avx2")]
pub unsafe fn mask(dst: *mut u32, mask: *const u8, count: usize, colour: u32) {
    let mut index = 0;
    // SAFETY: as in `blend`.
    unsafe {
        let pixel = _mm256_set1_epi32(colour as i32);
        let low = _mm256_setr_epi8(
            0, -1, 0, -1, 0, -1, 0, -1, 1, -1, 1, -1, 1, -1, 1, -1, 4, -1, 4, -1, 4, -1, 4, -1, 5, -1, 5, -1, 5, -1, 5, -1,
        );
        let high = _mm256_setr_epi8(
            2, -1, 2, -1, 2, -1, 2, -1, 3, -1, 3, -1, 3, -1, 3, -1, 6, -1, 6, -1, 6, -1, 6, -1, 7, -1, 7, -1, 7, -1, 7, -1,
        );
        while index + 8 <= count {
            let eight = mask.add(index).cast::<u64>().read_unaligned();
            if eight != 0 {
                let bytes = _mm256_broadcastsi128_si256(_mm_cvtsi64_si128(eight as i64));
                let from = faded(pixel, _mm256_shuffle_epi8(bytes, low), _mm256_shuffle_epi8(bytes, high));
                let to = dst.add(index).cast::<__m256i>();
                _mm256_storeu_si256(to, over(_mm256_loadu_si256(to), from));
            }
            index += 8;
        }
        sse41::mask(dst.add(index), mask.add(index), count - index, colour);
    }
}

/// SAFETY: see [`super::Kernels::colour`].
#[target_feature(enable = "avx2")]
pub unsafe fn colour(dst: *mut u32, count: usize, colour: u32) {
    let mut index = 0;
    // SAFETY: as in `blend`.
    unsafe {
        let from = _mm256_set1_epi32(colour as i32);
        let is_opaque = colour >> 24 == 255;
        while index + 8 <= count {
            let to = dst.add(index).cast::<__m256i>();
            _mm256_storeu_si256(to, if is_opaque { from } else { over(_mm256_loadu_si256(to), from) });
            index += 8;
        }
        sse2::colour(dst.add(index), count - index, colour);
    }
}
