//! A picture in memory, and shapes on it.

use crate::kernel::Kernels;
use crate::scale::Scale;

/// A picture: premultiplied pixels, row by row. Shapes and text on it are measured in units, of which its [`Scale`] says how many pixels they have; usually one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pixmap {
    width: usize,
    height: usize,
    scale: Scale,
    pixels: Vec<u32>,
}

/// Samples a pixel and side for edges.
const SAMPLES: i32 = 4;

impl Pixmap {
    /// A transparent picture.
    pub fn new(width: usize, height: usize) -> Self {
        Pixmap { width, height, scale: Scale::ONE, pixels: vec![0; width * height] }
    }

    /// A transparent picture of so many units.
    pub fn scaled(width: i32, height: i32, scale: Scale) -> Self {
        let pixels = |units: i32| scale.pixels(units).max(1) as usize;
        Pixmap { scale, ..Self::new(pixels(width), pixels(height)) }
    }

    /// The same pixels, as so many units.
    #[must_use]
    pub fn with_scale(self, scale: Scale) -> Self {
        Pixmap { scale, ..self }
    }

    /// How many pixels a unit has.
    pub fn scale(&self) -> Scale {
        self.scale
    }

    /// Width and height in units.
    pub fn units(&self) -> (i32, i32) {
        (self.scale.units(self.width as i32), self.scale.units(self.height as i32))
    }

    /// A picture of these pixels, where there are enough of them.
    pub fn from_pixels(width: usize, height: usize, pixels: Vec<u32>) -> Option<Self> {
        (pixels.len() == width.checked_mul(height)?).then_some(Pixmap { width, height, scale: Scale::ONE, pixels })
    }

    /// Pixels a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// All pixels.
    pub fn pixels(&self) -> &[u32] {
        &self.pixels
    }

    /// All pixels.
    pub fn pixels_mut(&mut self) -> &mut [u32] {
        &mut self.pixels
    }

    /// A row's pixels.
    pub fn row_mut(&mut self, y: usize) -> &mut [u32] {
        &mut self.pixels[y * self.width..(y + 1) * self.width]
    }

    /// Lays a colour over one unit as far as `cover` (0 to 255) says; outside the picture nothing happens.
    pub fn cover(&mut self, x: i32, y: i32, colour: u32, cover: u8) {
        if self.scale == Scale::ONE {
            return self.cover_pixel(x, y, colour, cover);
        }
        for row in self.scale.pixels(y)..self.scale.pixels(y.saturating_add(1)) {
            for column in self.scale.pixels(x)..self.scale.pixels(x.saturating_add(1)) {
                self.cover_pixel(column, row, colour, cover);
            }
        }
    }

    /// The same over one pixel.
    pub(crate) fn cover_pixel(&mut self, x: i32, y: i32, colour: u32, cover: u8) {
        if x >= 0 && y >= 0 && (x as usize) < self.width && (y as usize) < self.height {
            let at = y as usize * self.width + x as usize;
            // SAFETY: one pixel and one byte, both of which there are.
            unsafe { Kernels::best().mask(&mut self.pixels[at], &cover, 1, colour) };
        }
    }

    /// A rectangle in pixels: its edges are where those of its neighbours are.
    fn rect(&self, x: i32, y: i32, w: i32, h: i32) -> (i32, i32, i32, i32) {
        let scale = self.scale;
        let (left, top) = (scale.pixels(x), scale.pixels(y));
        (left, top, scale.pixels(x.saturating_add(w)).saturating_sub(left), scale.pixels(y.saturating_add(h)).saturating_sub(top))
    }

    /// Lays a colour over a rectangle.
    pub fn fill(&mut self, x: i32, y: i32, w: i32, h: i32, colour: u32) {
        let (x, y, w, h) = self.rect(x, y, w, h);
        self.fill_pixels(x, y, w, h, colour);
    }

    fn fill_pixels(&mut self, x: i32, y: i32, w: i32, h: i32, colour: u32) {
        let (left, right) = (x.max(0) as usize, x.saturating_add(w).clamp(0, self.width as i32) as usize);
        for row in y.max(0)..y.saturating_add(h).clamp(0, self.height as i32) {
            if left < right {
                let row = &mut self.row_mut(row as usize)[left..right];
                // SAFETY: the slice is that long.
                unsafe { Kernels::best().colour(row.as_mut_ptr(), row.len(), colour) };
            }
        }
    }

    /// Lays a colour over a rectangle with round corners, of one radius above and one below.
    pub fn fill_rounded(&mut self, x: i32, y: i32, w: i32, h: i32, radius: (i32, i32), colour: u32) {
        let (x, y, w, h) = self.rect(x, y, w, h);
        let radius = (self.scale.pixels(radius.0), self.scale.pixels(radius.1));
        let (above, below) = (radius.0.clamp(0, w.min(h) / 2), radius.1.clamp(0, w.min(h) / 2));
        for row in 0..h {
            let (radius, from_edge) = if row < above {
                (above, row)
            } else if row >= h - below {
                (below, h - 1 - row)
            } else {
                (0, 0)
            };
            self.fill_pixels(x + radius, y + row, w - 2 * radius, 1, colour);
            for column in 0..radius {
                let cover = corner(radius, column, from_edge);
                self.cover_pixel(x + column, y + row, colour, cover);
                self.cover_pixel(x + w - 1 - column, y + row, colour, cover);
            }
        }
    }

    /// Lays a colour over a disc; all in quarter units.
    pub fn fill_disc(&mut self, centre: (i32, i32), radius: i32, colour: u32) {
        let (centre, radius) = ((self.scale.pixels(centre.0), self.scale.pixels(centre.1)), self.scale.pixels(radius));
        let around = |c: i32| ((c - radius) / SAMPLES - 1, (c + radius) / SAMPLES + 1);
        let ((left, right), (top, bottom)) = (around(centre.0), around(centre.1));
        for y in top..=bottom {
            for x in left..=right {
                let cover = samples(|sx, sy| {
                    // Twice as fine, for the middles of samples.
                    let dx = 2 * (x * SAMPLES + sx) + 1 - 2 * centre.0;
                    let dy = 2 * (y * SAMPLES + sy) + 1 - 2 * centre.1;
                    dx * dx + dy * dy <= 4 * radius * radius
                });
                self.cover_pixel(x, y, colour, cover);
            }
        }
    }

    /// Draws a straight line; all in quarter units.
    pub fn line(&mut self, from: (i32, i32), to: (i32, i32), width: i32, colour: u32) {
        let place = |(x, y)| (self.scale.pixels(x), self.scale.pixels(y));
        let (from, to, width) = (place(from), place(to), self.scale.pixels(width));
        let span = |a: i32, b: i32| ((a.min(b) - width) / SAMPLES - 1, (a.max(b) + width) / SAMPLES + 1);
        let ((left, right), (top, bottom)) = (span(from.0, to.0), span(from.1, to.1));
        let (dx, dy) = (i64::from(to.0 - from.0), i64::from(to.1 - from.1));
        let length2 = dx * dx + dy * dy;
        let limit = i64::from(width) * i64::from(width);
        for y in top..=bottom {
            for x in left..=right {
                let cover = samples(|sx, sy| {
                    // In eighths, from the line's beginning.
                    let (px, py) = (i64::from(2 * (x * SAMPLES + sx) + 1 - 2 * from.0), i64::from(2 * (y * SAMPLES + sy) + 1 - 2 * from.1));
                    let along = px * dx + py * dy;
                    if along < 0 || length2 == 0 {
                        return px * px + py * py <= limit;
                    }
                    if along > 2 * length2 {
                        let (ex, ey) = (px - 2 * dx, py - 2 * dy);
                        return ex * ex + ey * ey <= limit;
                    }
                    let across = px * dy - py * dx;
                    across * across <= limit * length2
                });
                self.cover_pixel(x, y, colour, cover);
            }
        }
    }

    /// Lays another picture upon this one. One of another scale is made larger or smaller, softly.
    pub fn draw(&mut self, x: i32, y: i32, other: &Pixmap) {
        let (left, top) = (self.scale.pixels(x), self.scale.pixels(y));
        if other.scale == self.scale {
            return self.draw_pixels(left, top, other);
        }
        let (w, h) = other.units();
        let (_, _, w, h) = self.rect(x, y, w, h);
        self.draw_pixels(left, top, &other.resized(w.max(1) as usize, h.max(1) as usize));
    }

    /// The picture in another size, each pixel between the four that lie around its place.
    fn resized(&self, width: usize, height: usize) -> Pixmap {
        let mut out = Pixmap::new(width, height);
        if self.width == 0 || self.height == 0 {
            return out;
        }
        // The middle of a pixel of the new picture, in 1/256 pixel of this one, from the middle of its first.
        let place = |at: usize, new: usize, old: usize| {
            let middle = ((2 * at + 1) * old * 128 / new).saturating_sub(128).min((old - 1) * 256);
            (middle / 256, (middle / 256 + 1).min(old - 1), (middle % 256) as u32)
        };
        for y in 0..height {
            let (above, below, down) = place(y, height, self.height);
            for x in 0..width {
                let (left, right, across) = place(x, width, self.width);
                let pixel = |x: usize, y: usize| self.pixels[y * self.width + x];
                let four = [pixel(left, above), pixel(right, above), pixel(left, below), pixel(right, below)];
                out.pixels[y * width + x] = [24, 16, 8, 0].into_iter().fold(0, |all, shift| {
                    let part = |index: usize| four[index] >> shift & 255;
                    let row = |a: usize| part(a) * (256 - across) + part(a + 1) * across;
                    all | ((row(0) * (256 - down) + row(2) * down + 32768) >> 16) << shift
                });
            }
        }
        out
    }

    fn draw_pixels(&mut self, x: i32, y: i32, other: &Pixmap) {
        for row in 0..other.height as i32 {
            let (left, right) = (x.max(0), (x + other.width as i32).min(self.width as i32));
            if y + row < 0 || y + row >= self.height as i32 || left >= right {
                continue;
            }
            let count = (right - left) as usize;
            let from = &other.pixels[row as usize * other.width + (left - x) as usize..][..count];
            let to = &mut self.row_mut((y + row) as usize)[left as usize..][..count];
            // SAFETY: both slices are that long.
            unsafe { Kernels::best().blend(to.as_mut_ptr(), from.as_ptr(), count) };
        }
    }
}

/// How much of a pixel is within, 0 to 255.
fn samples(is_within: impl Fn(i32, i32) -> bool) -> u8 {
    let mut count = 0;
    for sy in 0..SAMPLES {
        for sx in 0..SAMPLES {
            count += i32::from(is_within(sx, sy));
        }
    }
    (count * 255 / (SAMPLES * SAMPLES)) as u8
}

/// How much of a pixel of a round corner is covered, 0 to 255; `x` and `y` count from the corner.
pub fn corner(radius: i32, x: i32, y: i32) -> u8 {
    samples(|sx, sy| {
        let distance = |v: i32, s: i32| 2 * radius * SAMPLES - (2 * (v * SAMPLES + s) + 1);
        let (dx, dy) = (distance(x, sx), distance(y, sy));
        dx * dx + dy * dy <= (2 * radius * SAMPLES).pow(2)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_have_their_areas() {
        let mut pixmap = Pixmap::new(64, 64);
        pixmap.fill_disc((32 * 4, 32 * 4), 20 * 4, 0xffff_ffff);
        let area: u32 = pixmap.pixels().iter().map(|p| p >> 24).sum::<u32>() / 255;
        // 3.1416 * 20 * 20.
        assert!((1245..=1268).contains(&area), "{area}");
        let mut pixmap = Pixmap::new(64, 64);
        pixmap.fill_rounded(2, 2, 40, 30, (10, 0), 0xffff_ffff);
        let area: u32 = pixmap.pixels().iter().map(|p| p >> 24).sum::<u32>() / 255;
        // Two corners lose 21.46 each.
        assert!((1150..=1162).contains(&area), "{area}");
        let mut pixmap = Pixmap::new(64, 64);
        pixmap.line((8 * 4, 8 * 4), (48 * 4, 8 * 4), 4, 0xffff_ffff);
        let area: u32 = pixmap.pixels().iter().map(|p| p >> 24).sum::<u32>() / 255;
        assert!((36..=48).contains(&area), "{area}");
    }

    #[test]
    fn shapes_are_larger_on_a_scaled_picture() {
        let area = |scale: Scale, draw: fn(&mut Pixmap)| {
            let mut pixmap = Pixmap::scaled(64, 64, scale);
            draw(&mut pixmap);
            f64::from(pixmap.pixels().iter().map(|p| p >> 24).sum::<u32>()) / 255.0
        };
        let shapes: [fn(&mut Pixmap); 4] = [
            |it| it.fill(3, 5, 20, 30, 0xffff_ffff),
            |it| it.fill_rounded(2, 2, 40, 30, (10, 4), 0xffff_ffff),
            |it| it.fill_disc((32 * 4, 32 * 4), 20 * 4, 0xffff_ffff),
            |it| it.line((8 * 4, 8 * 4), (48 * 4, 8 * 4), 8, 0xffff_ffff),
        ];
        for scale in [Scale::of(1.25), Scale::of(1.5), Scale::of(2.0)] {
            for (index, draw) in shapes.into_iter().enumerate() {
                let (once, scaled) = (area(Scale::ONE, draw), area(scale, draw));
                let ratio = scaled / once / scale.factor().powi(2);
                assert!((0.9..1.1).contains(&ratio), "shape {index} at {scale:?}: {ratio}");
            }
            // Neighbours leave no gap and do not overlap.
            let mut pixmap = Pixmap::scaled(30, 1, scale);
            (0..30).for_each(|x| pixmap.fill(x, 0, 1, 1, 0x80_00_00_80));
            assert!(pixmap.pixels().iter().all(|it| *it == pixmap.pixels()[0] && *it != 0), "{scale:?}");
            assert_eq!(pixmap.units(), (30, 1));
        }
        // A picture of one colour stays of that colour, in any size.
        let mut one = Pixmap::new(3, 3);
        one.fill(0, 0, 3, 3, 0xff12_3456);
        let mut pixmap = Pixmap::scaled(3, 3, Scale::of(2.0));
        pixmap.draw(0, 0, &one);
        assert!(pixmap.pixels().iter().all(|it| *it == 0xff12_3456) && pixmap.pixels().len() == 36);
    }

    #[test]
    fn what_is_outside_is_left_alone() {
        let mut pixmap = Pixmap::new(8, 8);
        pixmap.fill(-100, -100, 1000, 1000, 0xff00_0000);
        pixmap.fill(7, 7, i32::MAX, i32::MAX, 0xffff_ffff);
        pixmap.fill_rounded(-3, -3, 20, 20, (5, 5), 0xff00_00ff);
        pixmap.draw(-2, 6, &Pixmap::new(20, 20));
        pixmap.cover(8, 0, 0xffff_ffff, 255);
        assert_eq!(pixmap.pixels()[63], 0xff00_00ff);
    }
}
