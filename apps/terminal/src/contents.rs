//! What a session's screen holds, as cells to draw.

use alacritty_terminal::Term;
use alacritty_terminal::event::EventListener;
use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::Point;
use alacritty_terminal::term::cell::{Cell as Held, Flags};
use alacritty_terminal::term::color::Colors;
use alacritty_terminal::term::{RenderableContent, point_to_viewport};
use alacritty_terminal::vte::ansi::{Color, CursorShape, NamedColor};
use genai_ui::cells::{Cell, Rgb, Underline};
use std::sync::Arc;

use crate::colours::Palette;

/// All of the screen.
#[derive(Debug)]
pub struct Contents {
    /// From above.
    pub lines: Vec<Arc<[Cell]>>,
    /// The cursor's shape, its column and line, and how many cells it covers; none where it is not in sight.
    pub cursor: Option<(CursorShape, usize, usize, usize)>,
    /// Its colour.
    pub cursor_colour: Rgb,
}

/// What a terminal shows. `has_focus`: whether it has the keyboard.
pub fn of<T: EventListener>(term: &Term<T>, palette: &Palette, has_focus: bool) -> Contents {
    let (columns, count) = (term.columns(), term.screen_lines());
    let RenderableContent { display_iter, selection, cursor, display_offset, colors, .. } = term.renderable_content();
    let cursor_colour = colors[NamedColor::Cursor as usize].map_or(palette.cursor, |it| [it.r, it.g, it.b]);
    let shape = match cursor.shape {
        CursorShape::Block if !has_focus => CursorShape::HollowBlock,
        shape => shape,
    };
    let seen = point_to_viewport(display_offset, cursor.point).filter(|it| it.line < count && shape != CursorShape::Hidden);
    let is_wide = |point: Point| term.grid()[point].flags.contains(Flags::WIDE_CHAR);
    let mut lines: Vec<Vec<Cell>> = (0..count).map(|_| Vec::with_capacity(columns)).collect();
    for held in display_iter {
        let Some(at) = point_to_viewport(display_offset, held.point).filter(|it| it.line < count) else { continue };
        let mut cell = cell(held.cell, colors, palette);
        if selection.is_some_and(|it| it.contains(held.point)) {
            cell.ground = Some(palette.selection);
        }
        // A block takes both halves of a wide letter.
        let is_cursor = |seen: Point<usize>| at.line == seen.line && (at.column == seen.column || is_wide(cursor.point) && at.column == seen.column + 1);
        if shape == CursorShape::Block && seen.is_some_and(is_cursor) {
            (cell.ink, cell.ground) = (cell.ground.unwrap_or(palette.ground), Some(cursor_colour));
        }
        lines[at.line].push(cell);
    }
    let cursor = seen.map(|it| (shape, it.column.0, it.line, if is_wide(cursor.point) { 2 } else { 1 }));
    Contents { lines: lines.into_iter().map(Arc::from).collect(), cursor, cursor_colour }
}

fn cell(held: &Held, colors: &Colors, palette: &Palette) -> Cell {
    let flags = held.flags;
    let mut ink = palette.resolve(held.fg, colors);
    if flags.contains(Flags::DIM) {
        ink = palette.dim(ink);
    }
    let is_plain = held.bg == Color::Named(NamedColor::Background) && colors[NamedColor::Background as usize].is_none();
    let mut ground = (!is_plain).then(|| palette.resolve(held.bg, colors));
    if flags.contains(Flags::INVERSE) {
        (ink, ground) = (ground.unwrap_or(palette.ground), Some(ink));
    }
    let is_empty = flags.intersects(Flags::HIDDEN | Flags::WIDE_CHAR_SPACER | Flags::LEADING_WIDE_CHAR_SPACER);
    // Tabs and the like are kept as letters, for copying.
    let letter = (!is_empty && !held.c.is_control()).then_some(held.c);
    Cell {
        letter,
        marks: held.zerowidth().filter(|it| !it.is_empty()).map(Arc::from),
        ink,
        ground,
        bold: flags.contains(Flags::BOLD),
        italic: flags.contains(Flags::ITALIC),
        struck: flags.contains(Flags::STRIKEOUT),
        underline: match flags {
            _ if held.hyperlink().is_some() && !flags.intersects(Flags::ALL_UNDERLINES) => Underline::Dotted,
            _ if flags.contains(Flags::UNDERCURL) => Underline::Curl,
            _ if flags.contains(Flags::DOUBLE_UNDERLINE) => Underline::Double,
            _ if flags.contains(Flags::DOTTED_UNDERLINE) => Underline::Dotted,
            _ if flags.contains(Flags::DASHED_UNDERLINE) => Underline::Dashed,
            _ if flags.contains(Flags::UNDERLINE) => Underline::Single,
            _ => Underline::None,
        },
        line: held.underline_color().map(|it| palette.resolve(it, colors)),
    }
}
