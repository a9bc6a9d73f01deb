//! Lines of a grid of letters, as terminals have them: each letter is shaped once, and stands in its cell whatever stands beside it.

use iced_core::{Color, Point, Rectangle, Size};
use iced_graphics::text::{cosmic_text, font_system};
use std::collections::HashMap;
use std::sync::Arc;

use super::canvas::{Area, Canvas};

/// Fonts whose letters are all of one width, the preferred one first.
const FAMILIES: [&str; 5] = ["DejaVu Sans Mono", "Noto Sans Mono", "Liberation Mono", "Source Code Pro", "FreeMono"];
/// Height of a line as a part of the letters' size.
const LINE_HEIGHT: f32 = 1.25;
/// Shaped letters that are kept; beyond that all are forgotten.
const MOST_LETTERS: usize = 8192;

/// A colour: red, green, blue.
pub type Rgb = [u8; 3];

/// Of a number: `0xrrggbb`.
pub fn rgb(colour: u32) -> Rgb {
    let [_, r, g, b] = colour.to_be_bytes();
    [r, g, b]
}

/// Of a theme's colour, whose transparency is left out.
pub fn rgb_of(colour: Color) -> Rgb {
    let [r, g, b, _] = colour.into_rgba8();
    [r, g, b]
}

/// Between two colours: `part` of 255 of the other.
pub fn mix(one: Rgb, other: Rgb, part: u32) -> Rgb {
    std::array::from_fn(|at| ((u32::from(one[at]) * (255 - part) + u32::from(other[at]) * part) / 255) as u8)
}

/// A line below a letter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Underline {
    /// None.
    #[default]
    None,
    /// One.
    Single,
    /// Two.
    Double,
    /// A wave.
    Curl,
    /// Dots.
    Dotted,
    /// Dashes.
    Dashed,
}

/// A place of the grid.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cell {
    /// Its letter; a space, or nothing for the second half of a wide one.
    pub letter: Option<char>,
    /// What is laid over the letter: accents.
    pub marks: Option<Arc<[char]>>,
    /// The letter's colour.
    pub ink: Rgb,
    /// The colour behind it, where it differs from that of the grid.
    pub ground: Option<Rgb>,
    /// Whether the letter is bold.
    pub bold: bool,
    /// Whether it is slanted.
    pub italic: bool,
    /// Whether it is struck through.
    pub struck: bool,
    /// The line below.
    pub underline: Underline,
    /// Its colour, where it is not the letter's.
    pub line: Option<Rgb>,
}

/// A line of the grid.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Its upper left corner, logical pixels.
    pub position: Point,
    /// A cell's size, logical pixels.
    pub cell: Size,
    /// The letters' size, logical pixels.
    pub size: f32,
    /// From left to right.
    pub cells: Arc<[Cell]>,
}

impl Line {
    /// What it covers.
    pub(super) fn bounds(&self) -> Rectangle {
        Rectangle::new(self.position, Size::new(self.cell.width * self.cells.len() as f32, self.cell.height))
    }

    /// What has to be drawn anew where `other` was shown in the same place; nothing where it was elsewhere or of another measure.
    pub(super) fn difference(&self, other: &Line) -> Option<Rectangle> {
        if (self.position, self.cell, self.size, self.cells.len()) != (other.position, other.cell, other.size, other.cells.len()) {
            return None;
        }
        let differs = |(a, b): (&Cell, &Cell)| a != b;
        let first = self.cells.iter().zip(&*other.cells).position(differs)?;
        let last = self.cells.iter().zip(&*other.cells).rposition(differs)?;
        // Letters reach into their neighbours' cells.
        let (left, right) = (first.saturating_sub(1), (last + 3).min(self.cells.len()));
        let x = self.position.x + left as f32 * self.cell.width;
        Some(Rectangle::new(Point::new(x, self.position.y), Size::new((right - left) as f32 * self.cell.width, self.cell.height)))
    }
}

/// A cell's size for letters of a size, logical pixels: whole ones, so that all columns are alike.
pub fn cell_size(size: f32) -> Size {
    let mut fonts = font_system().write().unwrap_or_else(std::sync::PoisonError::into_inner);
    let shaped = shape(fonts.raw(), "M", size, false, false);
    Size::new(shaped.advance.round().max(1.0), (size * LINE_HEIGHT).round().max(1.0))
}

/// A letter's glyphs, their places from the cell's left edge and the line's base.
type Glyphs = Vec<(cosmic_text::CacheKey, i32, i32)>;

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    letter: char,
    marks: Option<Arc<[char]>>,
    size: u32,
    bold: bool,
    italic: bool,
}

/// The letters shaped lately.
#[derive(Default)]
pub(super) struct Letters {
    shaped: HashMap<Key, Glyphs>,
    /// Where the line's base is, by size: pixels below its upper edge.
    bases: HashMap<u32, i32>,
}

struct Shaped {
    advance: f32,
    /// Where the line's base is: pixels below its upper edge.
    base: i32,
    glyphs: Glyphs,
}

fn shape(fonts: &mut cosmic_text::FontSystem, text: &str, size: f32, bold: bool, italic: bool) -> Shaped {
    use cosmic_text::{Attrs, Buffer, Family, Metrics, Shaping, Style, Weight, Wrap};
    let has = |fonts: &cosmic_text::FontSystem, name: &str| fonts.db().faces().any(|face| face.families.iter().any(|(it, _)| it == name));
    let family = FAMILIES.into_iter().find(|name| has(fonts, name)).map_or(Family::Monospace, Family::Name);
    let mut attributes = Attrs::new().family(family);
    if bold {
        attributes = attributes.weight(Weight::BOLD);
    }
    if italic {
        attributes = attributes.style(Style::Italic);
    }
    let mut buffer = Buffer::new(fonts, Metrics::new(size, (size * LINE_HEIGHT).round().max(1.0)));
    buffer.set_wrap(fonts, Wrap::None);
    buffer.set_size(fonts, None, None);
    buffer.set_text(fonts, text, &attributes, Shaping::Advanced, None);
    buffer.shape_until_scroll(fonts, false);
    let mut shaped = Shaped { advance: 0.0, base: 0, glyphs: Vec::new() };
    for run in buffer.layout_runs() {
        (shaped.advance, shaped.base) = (run.line_w, run.line_y.round() as i32);
        shaped.glyphs.extend(run.glyphs.iter().map(|glyph| glyph.physical((0.0, 0.0), 1.0)).map(|it| (it.cache_key, it.x, it.y)));
    }
    shaped
}

impl Letters {
    /// Forgets letters where they have become too many.
    pub fn trim(&mut self) {
        if self.shaped.len() > MOST_LETTERS {
            self.shaped.clear();
        }
    }

    fn base(&mut self, fonts: &mut cosmic_text::FontSystem, size: f32) -> i32 {
        *self.bases.entry(size.to_bits()).or_insert_with(|| shape(fonts, "M", size, false, false).base)
    }

    /// Draws a line; `glyph` draws one of its glyphs at a place of the canvas.
    pub fn draw(
        &mut self,
        canvas: &mut Canvas<'_>,
        line: &Line,
        scale: f32,
        mut glyph: impl FnMut(&mut Canvas<'_>, &mut cosmic_text::FontSystem, cosmic_text::CacheKey, (i32, i32), u32),
    ) {
        let Ok(mut fonts) = font_system().write() else { return };
        let fonts = fonts.raw();
        let size = line.size * scale;
        let base = self.base(fonts, size);
        let (left, top) = ((line.position.x * scale).round() as i32, (line.position.y * scale).round() as i32);
        let (width, height) = ((line.cell.width * scale).round() as i32, (line.cell.height * scale).round() as i32);
        let clip = canvas.clip();
        if top >= clip.bottom || top + height <= clip.top {
            return;
        }
        let opaque = |[r, g, b]: Rgb| gde_raster::argb(255, r, g, b);
        for (number, cell) in (0i32..).zip(&*line.cells) {
            let x = left + number * width;
            if let Some(ground) = cell.ground {
                canvas.clear(Area { left: x, top, right: x + width, bottom: top + height }, opaque(ground));
            }
        }
        for (number, cell) in (0i32..).zip(&*line.cells) {
            let x = left + number * width;
            // Wide letters reach into the next cell, slanted ones a little further.
            if x - width >= clip.right || x + 3 * width <= clip.left {
                continue;
            }
            let ink = opaque(cell.ink);
            if let Some(letter) = cell.letter.filter(|it| *it != ' ' || cell.marks.is_some()) {
                let key = Key { letter, marks: cell.marks.clone(), size: size.to_bits(), bold: cell.bold, italic: cell.italic };
                let glyphs = self.shaped.entry(key).or_insert_with(|| {
                    let text: String = std::iter::once(letter).chain(cell.marks.iter().flat_map(|it| it.iter().copied())).collect();
                    shape(fonts, &text, size, cell.bold, cell.italic).glyphs
                });
                for (key, right, below) in glyphs {
                    glyph(canvas, fonts, *key, (x + *right, top + base + *below), ink);
                }
            }
            lines(canvas, cell, Area { left: x, top, right: x + width, bottom: top + height }, base, ink, cell.line.map_or(ink, opaque));
        }
    }
}

/// The lines below and through a letter.
fn lines(canvas: &mut Canvas<'_>, cell: &Cell, area: Area, base: i32, ink: u32, line: u32) {
    let thick = (area.height() / 16).max(1);
    let below = (area.top + base + 1 + thick).min(area.bottom - thick);
    let mut bar = |top: i32, left: i32, right: i32, pixel: u32| canvas.clear(Area { left, top, right, bottom: top + thick }, pixel);
    match cell.underline {
        Underline::None => {}
        Underline::Single => bar(below, area.left, area.right, line),
        Underline::Double => {
            bar(below - 2 * thick, area.left, area.right, line);
            bar(below, area.left, area.right, line);
        }
        Underline::Curl => (area.left..area.right).for_each(|x| bar(below - [0, 1, 1, 0][(x & 3) as usize] * thick, x, x + 1, line)),
        Underline::Dotted => (area.left..area.right).filter(|x| x & 1 == 0).for_each(|x| bar(below, x, x + 1, line)),
        Underline::Dashed => bar(below, area.left, area.right - area.width() / 3, line),
    }
    if cell.struck {
        bar(area.top + base - area.height() / 4, area.left, area.right, ink);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Line {
        let cells = text.chars().map(|letter| Cell { letter: Some(letter), ..Cell::default() }).collect();
        Line { position: Point::new(10.0, 20.0), cell: Size::new(8.0, 16.0), size: 13.0, cells }
    }

    #[test]
    fn only_what_differs_is_drawn_anew() {
        let before = line("echo hello world");
        assert_eq!(before.difference(&before.clone()), None);
        let changed = line("echo hallo world").difference(&before).expect("a difference");
        assert_eq!((changed.x, changed.width), (10.0 + 5.0 * 8.0, 4.0 * 8.0), "the cell, the one before and two after it");
        assert_eq!(line("Echo hello worlD").difference(&before), Some(before.bounds()));
        assert_eq!(line("shorter").difference(&before), None);
    }

    #[test]
    fn cells_are_whole_pixels() {
        for size in [9.0, 13.0, 14.5, 32.0] {
            let cell = cell_size(size);
            assert_eq!((cell.width.fract(), cell.height.fract()), (0.0, 0.0));
            assert!(cell.width < cell.height);
        }
    }
}
