//! Pixel formats, named by four characters (`drm_fourcc.h`).

/// A format's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fourcc(pub u32);

const fn code(text: [u8; 4]) -> Fourcc {
    Fourcc(u32::from_le_bytes(text))
}

/// 32 bits: blue in the lowest byte, then green, red, and a byte without meaning.
pub const XRGB8888: Fourcc = code(*b"XR24");
/// As [`XRGB8888`], with alpha in the highest byte.
pub const ARGB8888: Fourcc = code(*b"AR24");
/// 24 bits.
pub const RGB888: Fourcc = code(*b"RG24");
/// 16 bits.
pub const RGB565: Fourcc = code(*b"RG16");
/// 16 bits, the highest without meaning.
pub const XRGB1555: Fourcc = code(*b"XR15");
/// 8 bits, an index.
pub const C8: Fourcc = code(*b"C8  ");

/// The format that `ADDFB` means by bits per pixel and depth.
pub fn of_depth(bpp: u32, depth: u32) -> Option<Fourcc> {
    Some(match (bpp, depth) {
        (32, 24) => XRGB8888,
        (32, 32) => ARGB8888,
        (24, 24) => RGB888,
        (16, 16) => RGB565,
        (16, 15) => XRGB1555,
        (8, 8) => C8,
        _ => return None,
    })
}

impl Fourcc {
    /// Bytes of a pixel, and depth as `GETFB` tells it; `None` for a format that this crate does not know.
    pub fn layout(self) -> Option<(u32, u32)> {
        Some(match self {
            XRGB8888 => (4, 24),
            ARGB8888 => (4, 32),
            RGB888 => (3, 24),
            RGB565 => (2, 16),
            XRGB1555 => (2, 15),
            C8 => (1, 8),
            _ => return None,
        })
    }
}
