//! Draws cells, only those that differ from what is on the surface already.

use crate::font::{self, Font};
use crate::surface::Surface;

/// A cell as drawn: everything that changes its pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// The character.
    pub character: char,
    /// Foreground, 0xRRGGBB.
    pub foreground: u32,
    /// Background, 0xRRGGBB.
    pub background: u32,
    /// A line below.
    pub is_underlined: bool,
    /// A line through.
    pub is_struck: bool,
}

impl Drawn {
    /// An empty cell of one colour.
    pub const fn blank(background: u32) -> Self {
        Drawn {
            character: ' ',
            foreground: background,
            background,
            is_underlined: false,
            is_struck: false,
        }
    }
}

/// Rows, within a cell, of the lines below and through it.
const UNDERLINE_ROW: usize = 14;
const STRIKE_ROW: usize = 8;

/// Draws on a surface.
pub struct Renderer<S> {
    surface: S,
    font: Font,
    columns: usize,
    lines: usize,
    /// What each cell shows; `None` where that is not known.
    shown: Vec<Option<Drawn>>,
    /// Sixteen rows of pixels of a run of cells, filled before they go to the surface in one piece each.
    rows: Vec<u32>,
}

impl<S: Surface> Renderer<S> {
    /// A renderer for as many whole cells as the surface has room for.
    pub fn new(surface: S, font: Font) -> Self {
        let (width, height) = surface.size();
        let (columns, lines) = (width / font::WIDTH, height / font::HEIGHT);
        let rows = vec![0; width * font::HEIGHT];
        Renderer {
            surface,
            font,
            columns,
            lines,
            shown: vec![None; columns * lines],
            rows,
        }
    }

    /// Columns and lines.
    pub fn size(&self) -> (usize, usize) {
        (self.columns, self.lines)
    }

    /// The surface.
    pub fn surface(&mut self) -> &mut S {
        &mut self.surface
    }

    /// Takes another surface, whose contents are not known.
    pub fn replace_surface(&mut self, surface: S) {
        let (width, height) = surface.size();
        (self.columns, self.lines) = (width / font::WIDTH, height / font::HEIGHT);
        self.rows = vec![0; width * font::HEIGHT];
        self.shown = vec![None; self.columns * self.lines];
        self.surface = surface;
    }

    /// Fills the surface with one colour, also where no cells fit.
    pub fn clear(&mut self, colour: u32) {
        let (width, height) = self.surface.size();
        let row = vec![self.surface.pixel(colour); width];
        for y in 0..height {
            self.surface.put(0, y, &row);
        }
        self.shown.fill(Some(Drawn::blank(colour)));
    }

    /// Makes the cells of a line from `column` on show these.
    pub fn draw(&mut self, line: usize, column: usize, cells: &[Drawn]) {
        if line >= self.lines || column >= self.columns {
            return;
        }
        let cells = &cells[..cells.len().min(self.columns - column)];
        let first = line * self.columns + column;
        let mut at = 0;
        while at < cells.len() {
            if self.shown[first + at] == Some(cells[at]) {
                at += 1;
                continue;
            }
            // A few cells that need not be drawn cost less than a run of their own.
            let start = at;
            let mut end = at + 1;
            while at < cells.len() && at < end + 4 {
                if self.shown[first + at] != Some(cells[at]) {
                    end = at + 1;
                }
                at += 1;
            }
            at = end;
            self.draw_run(line, column + start, &cells[start..end]);
            for (shown, cell) in self.shown[first + start..]
                .iter_mut()
                .zip(&cells[start..end])
            {
                *shown = Some(*cell);
            }
        }
    }

    fn draw_run(&mut self, line: usize, column: usize, cells: &[Drawn]) {
        let width = cells.len() * font::WIDTH;
        let mut colours = None;
        let mut table = [[0u32; 4]; 16];
        for (index, cell) in cells.iter().enumerate() {
            let pair = (cell.foreground, cell.background);
            if colours != Some(pair) {
                // Four pixels for each four bits of a glyph's row.
                let (set, unset) = (self.surface.pixel(pair.0), self.surface.pixel(pair.1));
                for (bits, pixels) in table.iter_mut().enumerate() {
                    *pixels = [8, 4, 2, 1].map(|bit| if bits & bit != 0 { set } else { unset });
                }
                colours = Some(pair);
            }
            let glyph = self.font.glyph(cell.character);
            for (y, bits) in glyph.iter().enumerate() {
                let has_line =
                    cell.is_underlined && y == UNDERLINE_ROW || cell.is_struck && y == STRIKE_ROW;
                let bits = if has_line { 0xff } else { *bits };
                let at = y * width + index * font::WIDTH;
                self.rows[at..at + 4].copy_from_slice(&table[usize::from(bits >> 4)]);
                self.rows[at + 4..at + 8].copy_from_slice(&table[usize::from(bits & 15)]);
            }
        }
        let (x, y) = (column * font::WIDTH, line * font::HEIGHT);
        for row in 0..font::HEIGHT {
            self.surface
                .put(x, y + row, &self.rows[row * width..][..width]);
        }
    }
}
