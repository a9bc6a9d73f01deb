//! A picture in memory, with halves, quarters and so on of its size, so that a part of it is shown quickly at any size. Integers only: in an emulated machine floats are dear.

/// A picture of one size, premultiplied pixels `0xAARRGGBB`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Level {
    width: usize,
    height: usize,
    pixels: Vec<u32>,
}

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// The first one is as large as it is, each further one half of that.
    levels: Vec<Level>,
}

/// Sizes below this are not kept, pixels.
const SMALLEST: usize = 64;
/// A square of the ground behind what can be seen through, pixels.
const SQUARE: usize = 8;
const SQUARES: [u32; 2] = [0x6a, 0x8a];

/// What of a picture is shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View {
    /// Pixels of the screen for one of the picture.
    pub zoom: f64,
    /// What is in the middle, pixels of the picture.
    pub middle: (f64, f64),
}

/// A quarter turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// With the clock.
    Right,
    /// Against it.
    Left,
}

fn premultiplied([r, g, b, a]: [u8; 4]) -> u32 {
    let alpha = u32::from(a);
    let one = |it: u8| (u32::from(it) * alpha + 127) / 255;
    alpha << 24 | one(r) << 16 | one(g) << 8 | one(b)
}

/// The middle of four pixels.
fn average(four: [u32; 4]) -> u32 {
    let even: u32 = four.iter().map(|it| (it & 0x00ff_00ff) >> 2 & 0x003f_003f).sum::<u32>() + (four.iter().map(|it| it & 0x0003_0003).sum::<u32>() >> 2 & 0x0003_0003);
    let odd: u32 = four.iter().map(|it| (it >> 8 & 0x00ff_00ff) >> 2 & 0x003f_003f).sum::<u32>() + (four.iter().map(|it| it >> 8 & 0x0003_0003).sum::<u32>() >> 2 & 0x0003_0003);
    odd << 8 | even
}

/// Between two pixels: `part` of 256 of the other.
fn between(one: u32, other: u32, part: u32) -> u32 {
    let channels = |it: u32| (it & 0x00ff_00ff, it >> 8 & 0x00ff_00ff);
    let ((a, b), (c, d)) = (channels(one), channels(other));
    let mixed = |one: u32, other: u32| (one * (256 - part) + other * part) >> 8 & 0x00ff_00ff;
    mixed(b, d) << 8 | mixed(a, c)
}

impl Picture {
    /// Of pixels red, green, blue, alpha, not premultiplied; nothing where there are not as many as the size says.
    pub fn from_rgba(width: u32, height: u32, bytes: &[u8]) -> Option<Self> {
        let pixels: Vec<u32> = bytes.chunks_exact(4).map(|it| premultiplied([it[0], it[1], it[2], it[3]])).collect();
        Picture::from_pixels(width as usize, height as usize, pixels)
    }

    /// Of premultiplied pixels `0xAARRGGBB`.
    pub fn from_pixels(width: usize, height: usize, pixels: Vec<u32>) -> Option<Self> {
        if width == 0 || height == 0 || pixels.len() != width.checked_mul(height)? {
            return None;
        }
        let mut levels = vec![Level { width, height, pixels }];
        while let Some(last) = levels.last().filter(|it| it.width.min(it.height) >= 2 * SMALLEST) {
            let half = last.half();
            levels.push(half);
        }
        Some(Picture { levels })
    }

    /// Its size, pixels.
    pub fn size(&self) -> (usize, usize) {
        (self.levels[0].width, self.levels[0].height)
    }

    /// The picture turned by a quarter.
    pub fn turned(&self, turn: Turn) -> Self {
        let Level { width, height, pixels } = &self.levels[0];
        let (new_width, new_height) = (*height, *width);
        let mut out = Vec::with_capacity(pixels.len());
        for y in 0..new_height {
            for x in 0..new_width {
                let (from_x, from_y) = match turn {
                    Turn::Right => (y, height - 1 - x),
                    Turn::Left => (width - 1 - y, x),
                };
                out.push(pixels[from_y * width + from_x]);
            }
        }
        Picture::from_pixels(new_width, new_height, out).unwrap_or_else(|| self.clone())
    }

    /// The zoom at which all of it is in sight of so many pixels; small ones are not made larger.
    pub fn fit(&self, (width, height): (usize, usize)) -> f64 {
        let (w, h) = self.size();
        (width as f64 / w as f64).min(height as f64 / h as f64).min(1.0)
    }

    /// A part of it for the screen: bytes red, green, blue, alpha. Where it is not there is nothing.
    pub fn draw(&self, view: View, width: usize, height: usize) -> Vec<u8> {
        // The smallest one that is not smaller than what is wanted.
        let number = (0..self.levels.len()).rev().find(|it| view.zoom * f64::from(1u32 << it) <= 1.0 + 1e-9).unwrap_or(0);
        let level = &self.levels[number];
        // Halves of odd sizes lose a line: what counts is the real ratio.
        let (all_width, all_height) = self.size();
        let ratio = (level.width as f64 / all_width as f64, level.height as f64 / all_height as f64);
        let fixed = |it: f64| (it * 65536.0).round() as i64;
        let step = (fixed(ratio.0 / view.zoom), fixed(ratio.1 / view.zoom));
        let middle = (fixed(view.middle.0 * ratio.0), fixed(view.middle.1 * ratio.1));
        // The middles of pixels are a half away from their corners.
        let start = |middle: i64, step: i64, count: usize| middle - step * count as i64 / 2 + step / 2;
        let (left, top) = (start(middle.0, step.0, width), start(middle.1, step.1, height));
        let is_smooth = view.zoom < 2.0 && (step.0 != 65536 || step.1 != 65536);
        let mut out = Vec::with_capacity(width * height * 4);
        for row in 0..height {
            let y = top + step.1 * row as i64;
            let line = usize::try_from(y >> 16).ok().filter(|it| *it < level.height && y >= 0);
            for column in 0..width {
                let x = left + step.0 * column as i64;
                let inside = line.zip(usize::try_from(x >> 16).ok().filter(|it| *it < level.width && x >= 0));
                let Some((line, at)) = inside else {
                    out.extend_from_slice(&[0; 4]);
                    continue;
                };
                let pixel = if is_smooth { level.smooth(x - 32768, y - 32768) } else { level.pixels[line * level.width + at] };
                let alpha = pixel >> 24;
                let ground = SQUARES[(row / SQUARE + column / SQUARE) & 1] * (255 - alpha) / 255;
                let byte = |shift: u32| (pixel >> shift & 0xff) as u8;
                if alpha == 255 {
                    out.extend_from_slice(&[byte(16), byte(8), byte(0), 255]);
                } else {
                    out.extend_from_slice(&[byte(16).saturating_add(ground as u8), byte(8).saturating_add(ground as u8), byte(0).saturating_add(ground as u8), 255]);
                }
            }
        }
        out
    }
}

impl Level {
    fn half(&self) -> Level {
        let (width, height) = (self.width / 2, self.height / 2);
        let mut pixels = Vec::with_capacity(width * height);
        for y in 0..height {
            let rows = [&self.pixels[2 * y * self.width..][..self.width], &self.pixels[(2 * y + 1) * self.width..][..self.width]];
            pixels.extend((0..width).map(|x| average([rows[0][2 * x], rows[0][2 * x + 1], rows[1][2 * x], rows[1][2 * x + 1]])));
        }
        Level { width, height, pixels }
    }

    /// Between the four pixels around a place: 16 bits are the part of a pixel.
    fn smooth(&self, x: i64, y: i64) -> u32 {
        let clamp = |it: i64, most: usize| it.clamp(0, most as i64 - 1) as usize;
        let (x0, x1) = (clamp(x >> 16, self.width), clamp((x >> 16) + 1, self.width));
        let (y0, y1) = (clamp(y >> 16, self.height), clamp((y >> 16) + 1, self.height));
        let (part_x, part_y) = ((x >> 8 & 0xff) as u32, (y >> 8 & 0xff) as u32);
        let at = |x: usize, y: usize| self.pixels[y * self.width + x];
        between(between(at(x0, y0), at(x1, y0), part_x), between(at(x0, y1), at(x1, y1), part_x), part_y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(width: usize, height: usize, pixel: impl Fn(usize, usize) -> u32) -> Picture {
        Picture::from_pixels(width, height, (0..width * height).map(|it| pixel(it % width, it / width)).collect()).expect("a picture")
    }

    #[test]
    fn pixels_are_shown_as_they_are() {
        let picture = of(2, 2, |x, y| 0xff00_0000 | (x as u32) << 16 | y as u32);
        let all = picture.draw(View { zoom: 1.0, middle: (1.0, 1.0) }, 2, 2);
        assert_eq!(all, [0, 0, 0, 255, 1, 0, 0, 255, 0, 0, 1, 255, 1, 0, 1, 255]);
        let large = picture.draw(View { zoom: 4.0, middle: (1.0, 1.0) }, 8, 8);
        assert_eq!((&large[..4], &large[4 * 7..4 * 8], &large[4 * 63..]), (&[0, 0, 0, 255][..], &[1, 0, 0, 255][..], &[1, 0, 1, 255][..]));
        let beside = picture.draw(View { zoom: 1.0, middle: (-5.0, -5.0) }, 2, 2);
        assert!(beside.iter().all(|it| *it == 0));
    }

    #[test]
    fn four_turns_are_none() {
        let picture = of(3, 2, |x, y| (10 * y + x) as u32);
        let turned = picture.turned(Turn::Right);
        assert_eq!((turned.size(), turned.levels[0].pixels.as_slice()), ((2, 3), &[10, 0, 11, 1, 12, 2][..]));
        assert_eq!(turned.turned(Turn::Left), picture);
        assert_eq!((0..4).fold(picture.clone(), |it, _| it.turned(Turn::Left)), picture);
    }

    #[test]
    fn small_ones_are_even() {
        let picture = of(1000, 700, |_, _| 0xff40_80c0);
        for zoom in [0.9, 0.5, 0.31, 0.1] {
            let out = picture.draw(View { zoom, middle: (500.0, 350.0) }, 40, 30);
            assert!(out.chunks_exact(4).all(|it| it == [0x40, 0x80, 0xc0, 255]), "{zoom}: {:?}", &out[..4]);
        }
        assert_eq!((picture.fit((500, 500)), picture.fit((5000, 5000))), (0.5, 1.0));
    }

    proptest! {
        #[test]
        fn any_view(width in 1usize..300, height in 1usize..300, zoom in 0.001f64..50.0, x in -1000.0f64..1000.0, y in -1000.0f64..1000.0) {
            let picture = of(width, height, |x, y| premultiplied([x as u8, y as u8, 7, (x + y) as u8]));
            prop_assert_eq!(picture.draw(View { zoom, middle: (x, y) }, 31, 17).len(), 31 * 17 * 4);
        }

        #[test]
        fn averages(four in prop::array::uniform4(any::<u32>())) {
            let mixed = average(four);
            for shift in [0, 8, 16, 24] {
                let sum: u32 = four.iter().map(|it| it >> shift & 0xff).sum();
                prop_assert_eq!(mixed >> shift & 0xff, sum / 4);
            }
        }
    }
}
