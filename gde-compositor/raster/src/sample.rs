//! Rows of a picture that is scaled, cropped or turned. Positions are in 16.16 fixed point.

/// A picture in memory that others may write to.
#[derive(Debug, Clone, Copy)]
pub struct Source {
    /// The first pixel.
    pub pixels: *const u32,
    /// Pixels a row.
    pub width: i32,
    /// Rows.
    pub height: i32,
    /// Bytes from a row to the next.
    pub stride: usize,
    /// What is or'ed to each pixel: the alpha where the format has none.
    pub or: u32,
}

impl Source {
    /// A pixel; outside the picture the nearest one.
    ///
    /// # Safety
    /// `pixels` must be valid for `height` rows.
    #[inline]
    unsafe fn at(&self, x: i32, y: i32) -> u32 {
        let (x, y) = (x.clamp(0, self.width - 1) as usize, y.clamp(0, self.height - 1) as usize);
        // SAFETY: within the picture, as the caller promises.
        unsafe { self.pixels.byte_add(y * self.stride).add(x).read_unaligned() | self.or }
    }
}

/// Where a row begins in the source and how it goes on, in 16.16.
#[derive(Debug, Clone, Copy)]
pub struct Walk {
    /// Of the first pixel's middle.
    pub x: i64,
    /// Of the first pixel's middle.
    pub y: i64,
    /// For each pixel.
    pub dx: i64,
    /// For each pixel.
    pub dy: i64,
}

/// Between two pixels; `by` is 0 to 256.
#[inline]
fn mix(a: u32, b: u32, by: u32) -> u32 {
    let even = |v: u32| v & 0x00ff_00ff;
    let odd = |v: u32| v >> 8 & 0x00ff_00ff;
    let low = (even(a) * (256 - by) + even(b) * by) >> 8 & 0x00ff_00ff;
    let high = (odd(a) * (256 - by) + odd(b) * by) & 0xff00_ff00;
    low | high
}

/// The mean of four pixels.
#[inline]
fn mean(p: [u32; 4]) -> u32 {
    let even: u32 = p.iter().map(|v| v & 0x00ff_00ff).sum::<u32>() + 0x0002_0002;
    let odd: u32 = p.iter().map(|v| v >> 8 & 0x00ff_00ff).sum::<u32>() + 0x0002_0002;
    (even >> 2 & 0x00ff_00ff) | (odd << 6 & 0xff00_ff00)
}

/// Fills a row with the pixels on a walk over the source: bilinear, and for much smaller pictures the mean of four samples.
///
/// # Safety
/// The source must be as [`Source`] says.
pub unsafe fn row(out: &mut [u32], source: &Source, walk: Walk) {
    let (mut x, mut y) = (walk.x, walk.y);
    let step = walk.dx.abs().max(walk.dy.abs());
    let is_exact = |v: i64| v & 0xffff == 0x8000;
    if step == 1 << 16 && is_exact(x) && is_exact(y) {
        for pixel in out {
            // SAFETY: as the caller promises.
            *pixel = unsafe { source.at((x >> 16) as i32, (y >> 16) as i32) };
            (x, y) = (x + walk.dx, y + walk.dy);
        }
        return;
    }
    let far = step / 4;
    for pixel in out {
        // SAFETY: as the caller promises.
        *pixel = unsafe {
            if step > 3 << 15 {
                let at = |dx: i64, dy: i64| source.at(((x + dx) >> 16) as i32, ((y + dy) >> 16) as i32);
                mean([at(-far, -far), at(far, -far), at(-far, far), at(far, far)])
            } else {
                let (left, top) = (x - 0x8000, y - 0x8000);
                let (bx, by) = ((left >> 8 & 255) as u32, (top >> 8 & 255) as u32);
                let (left, top) = ((left >> 16) as i32, (top >> 16) as i32);
                let upper = mix(source.at(left, top), source.at(left + 1, top), bx);
                let lower = mix(source.at(left, top + 1), source.at(left + 1, top + 1), bx);
                mix(upper, lower, by)
            }
        };
        (x, y) = (x + walk.dx, y + walk.dy);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_picture_stays_flat_at_every_scale() {
        let pixels = vec![0x8040_2010u32; 64];
        let source = Source { pixels: pixels.as_ptr(), width: 8, height: 8, stride: 32, or: 0 };
        for dx in [1 << 14, 1 << 16, 3 << 15, 5 << 16] {
            let mut out = [0; 20];
            // SAFETY: the source is the vector above.
            unsafe { row(&mut out, &source, Walk { x: 1 << 15, y: 1 << 15, dx, dy: 0 }) };
            assert_eq!(out, [0x8040_2010; 20], "{dx}");
        }
    }

    #[test]
    fn between_two_pixels_is_their_mean() {
        let pixels = [0xff00_0000u32, 0xffff_ffff];
        let source = Source { pixels: pixels.as_ptr(), width: 2, height: 1, stride: 8, or: 0 };
        let mut out = [0; 1];
        // SAFETY: the source is the array above.
        unsafe { row(&mut out, &source, Walk { x: 1 << 16, y: 1 << 15, dx: 1 << 14, dy: 0 }) };
        assert_eq!(out, [0xff7f_7f7f]);
    }
}
