//! Glyphs: the Spleen font, 8 by 16 pixels, one byte a row.

use spleen_font::FONT_8X16;
use std::collections::HashMap;

/// Width of a cell in pixels.
pub const WIDTH: usize = 8;
/// Height of a cell in pixels.
pub const HEIGHT: usize = 16;

/// Rows of a glyph from top to bottom; the highest bit is the leftmost pixel.
pub type Glyph = [u8; HEIGHT];

/// What a character without a glyph looks like: a box.
const MISSING: Glyph = [
    0, 0, 0x7e, 0x42, 0x42, 0x42, 0x42, 0x42, 0x42, 0x42, 0x42, 0x42, 0x7e, 0, 0, 0,
];

/// The font file is not what it should be.
#[derive(Debug, PartialEq, Eq)]
pub struct BadFont;

/// A font with its characters.
pub struct Font {
    ascii: [Glyph; 128],
    others: HashMap<char, Glyph>,
}

impl Font {
    /// Loads the built-in font.
    pub fn new() -> Result<Self, BadFont> {
        Self::parse(FONT_8X16)
    }

    /// Reads a PC Screen Font of version 1: a header (magic, mode, bytes of a glyph), the glyphs, and for each glyph its
    /// characters as UTF-16 units, ended by 0xffff; 0xfffe begins combinations, which a grid of cells has no use for.
    fn parse(file: &[u8]) -> Result<Self, BadFont> {
        let (header, rest) = file.split_first_chunk::<4>().ok_or(BadFont)?;
        let [0x36, 0x04, mode, height] = *header else {
            return Err(BadFont);
        };
        let count = if mode & 1 != 0 { 512 } else { 256 };
        if usize::from(height) != HEIGHT || mode & 2 == 0 {
            return Err(BadFont);
        }
        let (glyphs, table) = rest.split_at_checked(count * HEIGHT).ok_or(BadFont)?;
        let (glyphs, _) = glyphs.as_chunks::<HEIGHT>();
        let mut font = Font {
            ascii: [MISSING; 128],
            others: HashMap::new(),
        };
        let units: Vec<u16> = table
            .as_chunks::<2>()
            .0
            .iter()
            .map(|unit| u16::from_le_bytes(*unit))
            .collect();
        for (glyph, characters) in glyphs.iter().zip(units.split(|unit| *unit == 0xffff)) {
            for unit in characters.iter().take_while(|unit| **unit != 0xfffe) {
                let Some(character) = char::from_u32(u32::from(*unit)) else {
                    continue;
                };
                match font.ascii.get_mut(character as usize) {
                    Some(place) => *place = *glyph,
                    None => {
                        font.others.insert(character, *glyph);
                    }
                }
            }
        }
        Ok(font)
    }

    /// The glyph of a character; a box where the font has none.
    pub fn glyph(&self, character: char) -> &Glyph {
        match self.ascii.get(character as usize) {
            Some(glyph) => glyph,
            None => self.others.get(&character).unwrap_or(&MISSING),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_lines_and_unknown_characters() {
        let font = Font::new().unwrap();
        assert_eq!(*font.glyph(' '), [0; HEIGHT]);
        let a = *font.glyph('A');
        assert_ne!(a, *font.glyph('B'));
        for character in ['é', 'ß', '─', '│', '┌', '█', '▒'] {
            assert_ne!(*font.glyph(character), MISSING, "{character}");
        }
        assert_eq!(*font.glyph('漢'), MISSING);
        // A vertical line runs through the whole cell, or boxes would have gaps.
        assert!(font.glyph('│').iter().all(|row| *row != 0));
    }

    #[test]
    fn damaged_files_are_refused() {
        assert_eq!(Font::parse(&FONT_8X16[..3]).err(), Some(BadFont));
        assert_eq!(Font::parse(&FONT_8X16[..4000]).err(), Some(BadFont));
        assert_eq!(Font::parse(&[0; 9000]).err(), Some(BadFont));
    }
}
