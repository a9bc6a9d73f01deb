//! Rows of pixels. The best implementation is chosen at run time; `GDE_SIMD` (`scalar`, `sse2`, `sse4.1`, `avx2`) asks for another one.

mod avx2;
mod scalar;
mod sse2;
mod sse41;

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

/// Which instructions are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// None but ordinary ones.
    Scalar,
    /// What every x86-64 processor has.
    Sse2,
    /// Since 2008; with SSSE3.
    Sse41,
    /// Since 2013.
    Avx2,
}

impl Level {
    /// All, from the slowest to the fastest.
    pub const ALL: [Level; 4] = [Level::Scalar, Level::Sse2, Level::Sse41, Level::Avx2];

    /// Whether this processor has it.
    pub fn is_supported(self) -> bool {
        match self {
            Level::Scalar | Level::Sse2 => true,
            Level::Sse41 => is_x86_feature_detected!("sse4.1") && is_x86_feature_detected!("ssse3"),
            Level::Avx2 => is_x86_feature_detected!("avx2"),
        }
    }

    /// The best one that this processor has.
    pub fn best() -> Self {
        Self::ALL.into_iter().rev().find(|level| level.is_supported()).unwrap_or(Level::Scalar)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Level::Scalar => "scalar",
            Level::Sse2 => "sse2",
            Level::Sse41 => "sse4.1",
            Level::Avx2 => "avx2",
        })
    }
}

impl FromStr for Level {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|level| level.to_string() == text).ok_or_else(|| format!("{text:?} is none of scalar, sse2, sse4.1 and avx2"))
    }
}

type BlendRow = unsafe fn(dst: *mut u32, src: *const u32, count: usize);
type BlendRowAlpha = unsafe fn(dst: *mut u32, src: *const u32, count: usize, alpha: u8);
type MaskRow = unsafe fn(dst: *mut u32, mask: *const u8, count: usize, colour: u32);
type ColourRow = unsafe fn(dst: *mut u32, count: usize, colour: u32);

/// The operations on rows.
///
/// All take raw pointers: the source may be memory that a client writes to at the same time, of which there must be no reference.
#[derive(Clone, Copy)]
pub struct Kernels {
    level: Level,
    blend: BlendRow,
    blend_alpha: BlendRowAlpha,
    mask: MaskRow,
    colour: ColourRow,
}

impl fmt::Debug for Kernels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kernels({})", self.level)
    }
}

impl Kernels {
    /// Those of a level, where this processor has it.
    pub fn of(level: Level) -> Option<Self> {
        level.is_supported().then_some(match level {
            Level::Scalar => {
                Kernels { level, blend: scalar::blend, blend_alpha: scalar::blend_alpha, mask: scalar::mask, colour: scalar::colour }
            }
            Level::Sse2 => Kernels { level, blend: sse2::blend, blend_alpha: sse2::blend_alpha, mask: sse2::mask, colour: sse2::colour },
            Level::Sse41 => Kernels { level, blend: sse41::blend, blend_alpha: sse41::blend_alpha, mask: sse41::mask, colour: sse2::colour },
            Level::Avx2 => Kernels { level, blend: avx2::blend, blend_alpha: avx2::blend_alpha, mask: avx2::mask, colour: avx2::colour },
        })
    }

    /// The best ones, or those that the environment asks for.
    ///
    /// # Errors
    /// Where `GDE_SIMD` names none that there are.
    pub fn from_environment() -> Result<Self, String> {
        let level = match std::env::var("GDE_SIMD") {
            Ok(text) => text.parse().map_err(|error| format!("GDE_SIMD: {error}"))?,
            Err(_) => Level::best(),
        };
        Self::of(level).ok_or_else(|| format!("GDE_SIMD: this processor has no {level}"))
    }

    /// The best ones.
    pub fn best() -> Self {
        static BEST: OnceLock<Kernels> = OnceLock::new();
        *BEST.get_or_init(|| Self::of(Level::best()).or(Self::of(Level::Scalar)).expect("every processor has the scalar kernels"))
    }

    /// What they use.
    pub fn level(&self) -> Level {
        self.level
    }

    /// Copies pixels.
    ///
    /// # Safety
    /// `dst` must be valid for writing and `src` for reading `count` pixels, and they must not overlap.
    pub unsafe fn copy(&self, dst: *mut u32, src: *const u32, count: usize) {
        // SAFETY: as the caller promises.
        unsafe { std::ptr::copy_nonoverlapping(src.cast::<u8>(), dst.cast::<u8>(), count * 4) }
    }

    /// Lays pixels over others: `dst = src + dst * (1 - src.alpha)`.
    ///
    /// # Safety
    /// As for [`Kernels::copy`].
    pub unsafe fn blend(&self, dst: *mut u32, src: *const u32, count: usize) {
        // SAFETY: as the caller promises; the level is supported, or there would be no such value.
        unsafe { (self.blend)(dst, src, count) }
    }

    /// As [`Kernels::blend`], with all of the source faded.
    ///
    /// # Safety
    /// As for [`Kernels::copy`].
    pub unsafe fn blend_alpha(&self, dst: *mut u32, src: *const u32, count: usize, alpha: u8) {
        // SAFETY: as in `blend`.
        unsafe { (self.blend_alpha)(dst, src, count, alpha) }
    }

    /// Lays one colour over pixels as far as a mask says.
    ///
    /// # Safety
    /// `dst` must be valid for writing `count` pixels and `mask` for reading `count` bytes.
    pub unsafe fn mask(&self, dst: *mut u32, mask: *const u8, count: usize, colour: u32) {
        // SAFETY: as in `blend`.
        unsafe { (self.mask)(dst, mask, count, colour) }
    }

    /// Lays one colour over pixels.
    ///
    /// # Safety
    /// `dst` must be valid for writing `count` pixels.
    pub unsafe fn colour(&self, dst: *mut u32, count: usize, colour: u32) {
        // SAFETY: as in `blend`.
        unsafe { (self.colour)(dst, count, colour) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A premultiplied pixel, often opaque or transparent.
    fn pixel() -> impl Strategy<Value = u32> {
        let alpha = prop_oneof![Just(0u8), Just(255), any::<u8>()];
        (alpha, any::<[u8; 3]>()).prop_map(|(a, [r, g, b])| crate::argb(a, r, g, b))
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        /// Every level gives the bits of the scalar one, at any length and alignment.
        #[test]
        fn levels_agree(
            src in proptest::collection::vec(pixel(), 1..70),
            background in proptest::collection::vec(pixel(), 70),
            mask in proptest::collection::vec(prop_oneof![Just(0u8), Just(255), any::<u8>()], 70),
            skip in 0usize..4, alpha in any::<u8>(), colour in pixel(),
        ) {
            let count = src.len() - skip.min(src.len());
            let start = src.len() - count;
            let run = |kernels: Kernels| {
                let mut out = [background.clone(), background.clone(), background.clone(), background.clone()];
                // SAFETY: all vectors have at least `start + count` elements.
                unsafe {
                    kernels.blend(out[0].as_mut_ptr().add(start), src.as_ptr().add(start), count);
                    kernels.blend_alpha(out[1].as_mut_ptr().add(start), src.as_ptr().add(start), count, alpha);
                    kernels.mask(out[2].as_mut_ptr().add(start), mask.as_ptr().add(start), count, colour);
                    kernels.colour(out[3].as_mut_ptr().add(start), count, colour);
                }
                out
            };
            let expected = run(Kernels::of(Level::Scalar).unwrap());
            for level in Level::ALL {
                if let Some(kernels) = Kernels::of(level) {
                    prop_assert_eq!(&run(kernels), &expected, "{}", level);
                }
            }
        }
    }

    #[test]
    fn blending_is_exact_at_the_ends() {
        let kernels = Kernels::best();
        let blend = |dst: u32, src: u32| {
            let mut out = [dst];
            // SAFETY: one pixel each.
            unsafe { kernels.blend(out.as_mut_ptr(), [src].as_ptr(), 1) };
            out[0]
        };
        assert_eq!(blend(0xff12_3456, 0), 0xff12_3456);
        assert_eq!(blend(0xff12_3456, 0xff65_4321), 0xff65_4321);
        assert_eq!(blend(0xff00_0000, 0x8080_8080), 0xff80_8080);
    }
}
