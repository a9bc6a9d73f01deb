//! The pixels of a window, and rows laid over a part of them.

use gde_raster::Kernels;
use iced_core::{Color, Rectangle};

/// A rectangle of whole pixels; the right and lower edges are outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Area {
    pub left: i32,
    pub top: i32,
    pub right: i32,
    pub bottom: i32,
}

impl Area {
    /// The pixels whose edges are nearest to those of a rectangle.
    pub fn nearest(it: Rectangle) -> Self {
        Area { left: round(it.x), top: round(it.y), right: round(it.x + it.width), bottom: round(it.y + it.height) }
    }

    /// The pixels that a rectangle touches.
    pub fn around(it: Rectangle) -> Self {
        let up = |v: f32| round(v.ceil());
        Area { left: round(it.x.floor()), top: round(it.y.floor()), right: up(it.x + it.width), bottom: up(it.y + it.height) }
    }

    /// What is in both.
    pub fn intersection(self, other: Area) -> Area {
        Area {
            left: self.left.max(other.left),
            top: self.top.max(other.top),
            right: self.right.min(other.right),
            bottom: self.bottom.min(other.bottom),
        }
    }

    /// Smaller by so many pixels at each side.
    pub fn inset(self, by: i32) -> Area {
        Area { left: self.left + by, top: self.top + by, right: self.right - by, bottom: self.bottom - by }
    }

    /// Columns.
    pub fn width(self) -> i32 {
        self.right - self.left
    }

    /// Rows.
    pub fn height(self) -> i32 {
        self.bottom - self.top
    }

    /// Whether there is no pixel in it.
    pub fn is_empty(self) -> bool {
        self.left >= self.right || self.top >= self.bottom
    }
}

/// Far enough for every screen, and far from overflow.
fn round(v: f32) -> i32 {
    v.round().clamp(-1e6, 1e6) as i32
}

/// A premultiplied pixel.
pub fn pixel(colour: Color) -> u32 {
    let [r, g, b, a] = colour.into_rgba8();
    gde_raster::argb(a, r, g, b)
}

/// A premultiplied pixel with all its parts lessened: `cover` from 0 (nothing) to 255.
pub fn faded(pixel: u32, cover: u8) -> u32 {
    let part = |shift: u32| gde_raster::mul_div_255(pixel >> shift & 0xff, cover.into()) << shift;
    part(24) | part(16) | part(8) | part(0)
}

/// The pixels of a window, of which a part may be drawn on.
pub struct Canvas<'a> {
    pixels: &'a mut [u32],
    width: i32,
    clip: Area,
}

impl<'a> Canvas<'a> {
    /// All of these pixels, `width` a row.
    pub fn new(pixels: &'a mut [u32], width: usize) -> Self {
        let height = pixels.len().checked_div(width).unwrap_or(0);
        let clip = Area { left: 0, top: 0, right: width as i32, bottom: height as i32 };
        Canvas { pixels, width: width as i32, clip }
    }

    /// Where may be drawn.
    pub fn clip(&self) -> Area {
        self.clip
    }

    /// Draws within an area only.
    pub fn within(&mut self, area: Area) -> Canvas<'_> {
        Canvas { pixels: self.pixels, width: self.width, clip: self.clip.intersection(area) }
    }

    /// The pixels of a row between two columns that may be drawn on, and the first one's column.
    fn row(&mut self, y: i32, left: i32, right: i32) -> Option<(&mut [u32], i32)> {
        let (left, right) = (left.max(self.clip.left), right.min(self.clip.right));
        if left >= right || y < self.clip.top || y >= self.clip.bottom {
            return None;
        }
        let at = |x: i32| (y * self.width + x) as usize;
        Some((&mut self.pixels[at(left)..at(right)], left))
    }

    /// Sets pixels, whatever was there.
    pub fn clear(&mut self, area: Area, pixel: u32) {
        for y in area.top.max(self.clip.top)..area.bottom.min(self.clip.bottom) {
            if let Some((row, _)) = self.row(y, area.left, area.right) {
                row.fill(pixel);
            }
        }
    }

    /// Lays a pixel over those of a row.
    pub fn span(&mut self, y: i32, left: i32, right: i32, pixel: u32) {
        if pixel >> 24 == 0 {
            return;
        }
        if let Some((row, _)) = self.row(y, left, right) {
            // SAFETY: the slice is that long.
            unsafe { Kernels::best().colour(row.as_mut_ptr(), row.len(), pixel) };
        }
    }

    /// Lays a pixel over one.
    pub fn dot(&mut self, x: i32, y: i32, pixel: u32) {
        self.span(y, x, x + 1, pixel);
    }

    /// Lays a pixel over those of a row as far as `mask` says, whose first byte is of column `left`.
    pub fn mask(&mut self, y: i32, left: i32, mask: &[u8], pixel: u32) {
        if let Some((row, first)) = self.row(y, left, left + mask.len() as i32) {
            let mask = &mask[(first - left) as usize..][..row.len()];
            // SAFETY: both slices are that long.
            unsafe { Kernels::best().mask(row.as_mut_ptr(), mask.as_ptr(), row.len(), pixel) };
        }
    }

    /// Lays premultiplied pixels over those of a row from column `left` on.
    pub fn pixels(&mut self, y: i32, left: i32, pixels: &[u32], alpha: u8) {
        if let Some((row, first)) = self.row(y, left, left + pixels.len() as i32) {
            let pixels = &pixels[(first - left) as usize..][..row.len()];
            // SAFETY: both slices are that long, and do not overlap: one is borrowed mutably.
            unsafe { Kernels::best().blend_alpha(row.as_mut_ptr(), pixels.as_ptr(), row.len(), alpha) };
        }
    }
}
