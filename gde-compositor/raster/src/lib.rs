//! Pixels in software. A pixel is a `u32` as DRM's ARGB8888 has it: alpha in the highest byte, blue in the lowest, premultiplied.
//!
//! * [`kernel`]: rows of pixels, with one implementation for each level of SIMD; all give the same bits.
//! * [`pixmap`]: a picture in memory, and shapes on it.
//! * [`scale`]: how many pixels a unit of a picture has.
//! * [`sample`]: rows of a scaled, cropped or turned picture.
//! * [`text`]: glyphs of a font file.
//!
//! Only integers touch pixels at run time: emulated machines are twenty times slower with floats.

pub mod kernel;
pub mod pixmap;
pub mod sample;
pub mod scale;
pub mod text;

pub use kernel::Kernels;
pub use pixmap::Pixmap;
pub use scale::Scale;

/// A colour from straight components.
pub const fn argb(a: u8, r: u8, g: u8, b: u8) -> u32 {
    (a as u32) << 24 | mul_div_255(r as u32, a as u32) << 16 | mul_div_255(g as u32, a as u32) << 8 | mul_div_255(b as u32, a as u32)
}

/// `a * b / 255`, rounded, for values up to 255.
pub const fn mul_div_255(a: u32, b: u32) -> u32 {
    let t = a * b + 128;
    (t + (t >> 8)) >> 8
}

/// An opaque colour from `0xRRGGBB`.
pub const fn rgb(value: u32) -> u32 {
    0xff00_0000 | value
}
