//! Glyphs of a font file, drawn once and kept. Left to right, with kerning, without shaping: titles and labels.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::rc::Rc;

use ab_glyph::{Font as _, FontVec, GlyphId, PxScale, ScaleFont};

use crate::pixmap::Pixmap;
use crate::scale::Scale;

/// How many glyphs are kept; clients choose the text.
const KEPT: usize = 2048;

struct Glyph {
    left: i32,
    top: i32,
    width: usize,
    cover: Vec<u8>,
}

/// A font at any size.
pub struct Font {
    font: FontVec,
    /// By their sizes in 120ths of pixels.
    glyphs: RefCell<HashMap<(GlyphId, u32), Rc<Glyph>>>,
}

impl std::fmt::Debug for Font {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Font")
    }
}

impl Font {
    /// The first of these files that is a font.
    pub fn first_of(paths: &[impl AsRef<Path>]) -> Option<Self> {
        paths.iter().find_map(|path| Self::from_bytes(fs::read(path).ok()?))
    }

    /// A font in memory.
    pub fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        let font = FontVec::try_from_vec(bytes).ok()?;
        Some(Font { font, glyphs: RefCell::default() })
    }

    /// `parts` are 120ths of pixels.
    fn scale(&self, parts: u32) -> PxScale {
        // Sizes are of the em, as in CSS.
        let height = self.font.height_unscaled();
        let em = self.font.units_per_em().unwrap_or(height);
        PxScale::from(parts as f32 / Scale::ONE.parts() as f32 * height / em)
    }

    /// How wide a line of text is, in units.
    pub fn width(&self, text: &str, size: u32) -> i32 {
        self.walk(text, size * Scale::ONE.parts(), |_, _| {})
    }

    /// Calls for every glyph with its position in 1/64 pixel; the width of all in pixels.
    fn walk(&self, text: &str, parts: u32, mut each: impl FnMut(GlyphId, i32)) -> i32 {
        let scaled = self.font.as_scaled(self.scale(parts));
        let mut at = 0.0f32;
        let mut last = None;
        for c in text.chars().filter(|c| !c.is_control()) {
            let id = scaled.glyph_id(c);
            if let Some(last) = last {
                at += scaled.kern(last, id);
            }
            each(id, (at * 64.0) as i32);
            at += scaled.h_advance(id);
            last = Some(id);
        }
        at.ceil() as i32
    }

    fn glyph(&self, id: GlyphId, parts: u32) -> Rc<Glyph> {
        if let Some(glyph) = self.glyphs.borrow().get(&(id, parts)) {
            return glyph.clone();
        }
        let outlined = self.font.outline_glyph(id.with_scale(self.scale(parts)));
        let glyph = Rc::new(match outlined {
            None => Glyph { left: 0, top: 0, width: 0, cover: Vec::new() },
            Some(outlined) => {
                let bounds = outlined.px_bounds();
                let (width, height) = (bounds.width().max(0.0) as usize, bounds.height().max(0.0) as usize);
                let mut cover = vec![0u8; width * height];
                outlined.draw(|x, y, c| {
                    if let Some(byte) = cover.get_mut(y as usize * width + x as usize) {
                        *byte = (c.clamp(0.0, 1.0) * 255.0) as u8;
                    }
                });
                Glyph { left: bounds.min.x as i32, top: bounds.min.y as i32, width, cover }
            }
        });
        let mut glyphs = self.glyphs.borrow_mut();
        if glyphs.len() >= KEPT {
            glyphs.clear();
        }
        glyphs.insert((id, parts), glyph.clone());
        glyph
    }

    /// Draws a line of text; `y` is the base line. Its width. All in the picture's units.
    pub fn draw(&self, pixmap: &mut Pixmap, x: i32, y: i32, text: &str, size: u32, colour: u32) -> i32 {
        let scale = pixmap.scale();
        let parts = size * scale.parts();
        let (x, y) = (scale.pixels(x), scale.pixels(y));
        let width = self.walk(text, parts, |id, at| {
            let glyph = self.glyph(id, parts);
            let left = x + (at + 32 >> 6) + glyph.left;
            for (index, cover) in glyph.cover.iter().enumerate().filter(|(_, cover)| **cover != 0) {
                let (column, row) = (index % glyph.width, index / glyph.width);
                pixmap.cover_pixel(left + column as i32, y + glyph.top + row as i32, colour, *cover);
            }
        });
        (f64::from(width) / scale.factor()).ceil() as i32
    }

    /// As much of a text as fits, with an ellipsis where it does not all.
    pub fn fitted(&self, text: &str, size: u32, width: i32) -> String {
        // What a client calls its window may be megabytes long.
        let text: String = text.chars().take(512).collect();
        if self.width(&text, size) <= width {
            return text;
        }
        let mut chars: Vec<char> = text.chars().collect();
        while !chars.is_empty() {
            chars.pop();
            let short: String = chars.iter().collect::<String>().trim_end().to_owned() + "…";
            if self.width(&short, size) <= width {
                return short;
            }
        }
        String::new()
    }
}
