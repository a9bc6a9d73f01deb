//! The machine's screen as a picture.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::Path;

use serde_json::json;

use crate::dir::VmDir;
use crate::error::{Error, IoContext, Result};

/// A picture: rows from the top, 3 bytes (red, green, blue) a pixel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Pixels a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// `width * height * 3` bytes.
    pub pixels: Vec<u8>,
}

impl Picture {
    /// What the machine shows now.
    ///
    /// # Errors
    /// Those of QEMU, and of a scratch file in the machine's directory.
    pub fn of(vm: &VmDir) -> Result<Self> {
        let scratch = vm.file(&format!("screen-{}.ppm", std::process::id()));
        vm.qmp()?.execute("screendump", json!({"filename": scratch}))?;
        let bytes = fs::read(&scratch).on("read", &scratch)?;
        let _ = fs::remove_file(&scratch);
        Self::from_ppm(&bytes).ok_or_else(|| {
            let head = String::from_utf8_lossy(&bytes[..bytes.len().min(20)]).into_owned();
            Error::Answer(format!("the screenshot is no PPM picture: {} bytes, from {head:?}", bytes.len()))
        })
    }

    /// Reads a binary PPM (P6) with 8 bits a channel.
    fn from_ppm(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(b"P6")?;
        let mut number = || {
            rest = rest.trim_ascii_start();
            let len = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let (digits, tail) = rest.split_at(len);
            rest = tail;
            std::str::from_utf8(digits).ok()?.parse::<u32>().ok()
        };
        let (width, height, maximum) = (number()?, number()?, number()?);
        let pixels = rest.get(1..)?;
        let row = (width as usize).checked_mul(3)?;
        let len = row.checked_mul(height as usize)?;
        // QEMU 7.2 writes rows of a multiple of four bytes, whatever the format says.
        let padded = row.checked_next_multiple_of(4)?;
        let pixels = match pixels.len() {
            found if found == len => pixels.to_vec(),
            found if Some(found) == padded.checked_mul(height as usize) => pixels.chunks_exact(padded).flat_map(|line| &line[..row]).copied().collect(),
            _ => return None,
        };
        (maximum == 255).then_some(Picture { width, height, pixels })
    }

    /// Writes it as PNG.
    ///
    /// # Errors
    /// Those of the file.
    pub fn save(&self, path: &Path) -> Result<()> {
        let file = BufWriter::new(File::create(path).on("create", path)?);
        let mut encoder = png::Encoder::new(file, self.width, self.height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let written = encoder.write_header().and_then(|mut writer| {
            writer.write_image_data(&self.pixels)?;
            writer.finish()
        });
        written.map_err(std::io::Error::other).on("write", path)
    }

    /// A pixel: red, green, blue.
    ///
    /// # Panics
    /// Outside of the picture.
    pub fn pixel(&self, x: u32, y: u32) -> [u8; 3] {
        let at = 3 * (y as usize * self.width as usize + x as usize);
        [self.pixels[at], self.pixels[at + 1], self.pixels[at + 2]]
    }

    /// How many different colours it has: a blank screen has one.
    pub fn colours(&self) -> usize {
        self.pixels.chunks_exact(3).collect::<std::collections::BTreeSet<_>>().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ppm_becomes_a_picture() {
        let picture = Picture::from_ppm(b"P6\n2 1\n255\nabcdef").unwrap();
        assert_eq!(picture, Picture { width: 2, height: 1, pixels: b"abcdef".to_vec() });
        assert_eq!(picture.colours(), 2);
    }

    #[test]
    fn padding_of_rows_is_left_out() {
        let picture = Picture::from_ppm(b"P6\n1 2\n255\nabc.def.").unwrap();
        assert_eq!(picture, Picture { width: 1, height: 2, pixels: b"abcdef".to_vec() });
    }

    #[test]
    fn damaged_pictures_are_refused() {
        for bytes in [&b""[..], b"P6", b"P6\n2 1\n255\nabcde", b"P6\n2 1\n65535\nabcdef", b"P6\n4294967295 4294967295\n255\n", b"P5\n1 1\n255\na"] {
            assert_eq!(Picture::from_ppm(bytes), None);
        }
    }
}
