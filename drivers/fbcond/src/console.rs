//! The terminal: bytes from programs in, cells on the surface and answers to programs out.

use crate::palette::colours_of;
use crate::renderer::{Drawn, Renderer};
use crate::surface::Surface;
use alacritty_terminal::Term;
use alacritty_terminal::event::{Event, EventListener, WindowSize};
use alacritty_terminal::grid::{Dimensions, Scroll};
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::cell::{Cell, Flags};
use alacritty_terminal::term::{Config, TermDamage, TermMode};
use alacritty_terminal::vte::ansi::{Processor, StdSyncHandler};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Instant;

/// Lines kept above the screen.
const SCROLLBACK: usize = 2000;

/// What the terminal sends back to programs (answers to questions about it).
#[derive(Clone, Default)]
struct Answers {
    bytes: Rc<RefCell<Vec<u8>>>,
    /// Columns and lines.
    window: Rc<SharedSize>,
}

/// A size that may change.
type SharedSize = std::cell::Cell<(u16, u16)>;

impl EventListener for Answers {
    fn send_event(&self, event: Event) {
        match event {
            Event::PtyWrite(text) => self.bytes.borrow_mut().extend(text.bytes()),
            Event::TextAreaSizeRequest(format) => {
                let size = WindowSize {
                    num_cols: self.window.get().0,
                    num_lines: self.window.get().1,
                    cell_width: crate::font::WIDTH as u16,
                    cell_height: crate::font::HEIGHT as u16,
                };
                self.bytes.borrow_mut().extend(format(size).bytes());
            }
            _ => {}
        }
    }
}

/// Columns and lines.
struct Size(usize, usize);

impl Dimensions for Size {
    fn total_lines(&self) -> usize {
        self.1
    }
    fn screen_lines(&self) -> usize {
        self.1
    }
    fn columns(&self) -> usize {
        self.0
    }
}

/// A terminal on a surface.
pub struct Console<S> {
    term: Term<Answers>,
    parser: Processor<StdSyncHandler>,
    answers: Answers,
    renderer: Renderer<S>,
    line: Vec<Drawn>,
}

impl<S: Surface> Console<S> {
    /// An empty terminal that fills the renderer's surface.
    pub fn new(mut renderer: Renderer<S>) -> Self {
        let (columns, lines) = renderer.size();
        let answers = Answers {
            bytes: Rc::default(),
            window: Rc::new(SharedSize::new((columns as u16, lines as u16))),
        };
        let config = Config {
            scrolling_history: SCROLLBACK,
            ..Config::default()
        };
        let term = Term::new(config, &Size(columns, lines), answers.clone());
        renderer.clear(colours_of(&Cell::default(), term.colors()).1);
        Console {
            term,
            parser: Processor::new(),
            answers,
            renderer,
            line: Vec::new(),
        }
    }

    /// Shows everything on another surface, with as many columns and lines as that has room for.
    pub fn replace_surface(&mut self, surface: S) {
        self.renderer.replace_surface(surface);
        let (columns, lines) = self.renderer.size();
        self.answers.window.set((columns as u16, lines as u16));
        self.term.resize(Size(columns, lines));
        let background = colours_of(&Cell::default(), self.term.colors()).1;
        self.renderer.clear(background);
        self.redraw_all();
    }

    /// Draws everything, whatever is shown.
    fn redraw_all(&mut self) {
        let (columns, lines) = self.size();
        self.term.reset_damage();
        for line in 0..lines {
            self.draw_line(line, 0, columns - 1);
        }
        self.renderer.surface().flush();
    }

    /// The surface.
    pub fn surface(&mut self) -> &mut S {
        self.renderer.surface()
    }

    /// Columns and lines.
    pub fn size(&self) -> (usize, usize) {
        self.renderer.size()
    }

    /// Takes what a program has written.
    pub fn write(&mut self, bytes: &[u8]) {
        self.parser.advance(&mut self.term, bytes);
    }

    /// What the terminal wants to tell programs.
    pub fn take_answers(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.answers.bytes.borrow_mut())
    }

    /// Whether cursor keys send application sequences.
    pub fn has_application_cursor(&self) -> bool {
        self.term.mode().contains(TermMode::APP_CURSOR)
    }

    /// Shows older output (positive) or newer, in pages.
    pub fn scroll_pages(&mut self, pages: i32) {
        let page = (self.size().1 as i32 - 1).max(1);
        self.term.scroll_display(Scroll::Delta(pages * page));
    }

    /// Shows the newest output.
    pub fn scroll_to_bottom(&mut self) {
        self.term.scroll_display(Scroll::Bottom);
    }

    /// When a program's synchronised update has to be shown although it did not end.
    pub fn update_deadline(&self) -> Option<Instant> {
        self.parser.sync_timeout().sync_timeout()
    }

    /// Draws what has changed.
    pub fn redraw(&mut self) {
        if self
            .update_deadline()
            .is_some_and(|deadline| deadline <= Instant::now())
        {
            self.parser.stop_sync(&mut self.term);
        }
        let (columns, lines) = self.size();
        let damaged: Vec<(usize, usize, usize)> = match self.term.damage() {
            TermDamage::Full => (0..lines).map(|line| (line, 0, columns - 1)).collect(),
            TermDamage::Partial(damage) => damage
                .map(|bounds| (bounds.line, bounds.left, bounds.right))
                .collect(),
        };
        self.term.reset_damage();
        for (line, left, right) in damaged {
            self.draw_line(line, left, right.min(columns - 1));
        }
        self.renderer.surface().flush();
    }

    /// Draws columns `left` to `right` of a line of the screen.
    fn draw_line(&mut self, line: usize, left: usize, right: usize) {
        let grid = self.term.grid();
        let offset = grid.display_offset();
        let row = &grid[Line(line as i32 - offset as i32)];
        let cursor = grid.cursor.point;
        let has_cursor = self.term.mode().contains(TermMode::SHOW_CURSOR)
            && cursor.line.0 + offset as i32 == line as i32;
        let cursor_column = has_cursor.then_some(cursor.column.0);
        self.line.clear();
        for column in left..=right {
            let cell = &row[Column(column)];
            let (foreground, background) = colours_of(cell, self.term.colors());
            let is_cursor = cursor_column == Some(column);
            let (foreground, background) = if is_cursor {
                (background, foreground)
            } else {
                (foreground, background)
            };
            let is_spacer = cell
                .flags
                .intersects(Flags::WIDE_CHAR_SPACER | Flags::LEADING_WIDE_CHAR_SPACER);
            let character = if is_spacer || cell.c < ' ' {
                ' '
            } else {
                cell.c
            };
            let is_underlined = cell.flags.intersects(Flags::ALL_UNDERLINES);
            let is_struck = cell.flags.contains(Flags::STRIKEOUT);
            // The foreground of an empty cell cannot be seen: cells that look alike should compare equal.
            let is_empty = character == ' ' && !is_underlined && !is_struck;
            let foreground = if is_empty { background } else { foreground };
            self.line.push(Drawn {
                character,
                foreground,
                background,
                is_underlined,
                is_struck,
            });
        }
        self.renderer.draw(line, left, &self.line);
    }

    #[cfg(test)]
    pub fn renderer(&mut self) -> &mut Renderer<S> {
        &mut self.renderer
    }
}

#[cfg(test)]
#[path = "console_tests.rs"]
mod tests;
