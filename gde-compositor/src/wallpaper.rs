//! The wallpaper: a gradient between four colours with a soft light in it, dithered so that it shows no bands.

use gde_raster::Pixmap;

use crate::theme;

/// Noise of -1 to 1 in 1/256, the same for the same place.
fn noise(x: u32, y: u32) -> i32 {
    let mut v = x.wrapping_mul(0x9e37_79b1) ^ y.wrapping_mul(0x85eb_ca77);
    v ^= v >> 15;
    v = v.wrapping_mul(0x2c1b_3c6d);
    v ^= v >> 12;
    (v & 0x1ff) as i32 - 256
}

/// From 0 to 65536, slowly at both ends.
fn smooth(t: i64) -> i64 {
    let t = t.clamp(0, 65536);
    (t * t >> 16) * (3 * 65536 - 2 * t) >> 16
}

/// A wallpaper for a screen of this size.
pub fn wallpaper(width: usize, height: usize) -> Pixmap {
    let mut pixmap = Pixmap::new(width, height);
    let channels = theme::WALLPAPER.map(|colour| [16, 8, 0].map(|shift| i64::from(colour >> shift & 255)));
    let columns: Vec<i64> = (0..width).map(|x| smooth((x as i64 * 65536) / width.max(1) as i64)).collect();
    let (lx, ly) = (width as i64 * 68 / 100, height as i64 * 30 / 100);
    let radius2 = (width as i64 * 60 / 100).pow(2).max(1);
    for y in 0..height {
        let v = smooth(y as i64 * 65536 / height.max(1) as i64);
        let row = pixmap.row_mut(y);
        for (x, pixel) in row.iter_mut().enumerate() {
            let u = columns[x];
            let (dx, dy) = (x as i64 - lx, y as i64 - ly);
            let near = (65536 - (dx * dx + dy * dy) * 65536 / radius2).max(0);
            let light = (near * near >> 16) * 34 >> 8;
            let mut out = 0xff00_0000;
            for (index, shift) in [16, 8, 0].into_iter().enumerate() {
                let above = channels[0][index] * (65536 - u) + channels[1][index] * u;
                let below = channels[2][index] * (65536 - u) + channels[3][index] * u;
                let mixed = ((above >> 8) * (65536 - v) + (below >> 8) * v) >> 16;
                // In 1/256 of a step.
                let value = mixed + light + i64::from(noise(x as u32, y as u32)) / 2;
                out |= ((value + 128 >> 8).clamp(0, 255) as u32) << shift;
            }
            *pixel = out;
        }
    }
    pixmap
}
