//! The widget that shows a session, and gives it keys and mouse.

use alacritty_terminal::grid::{Dimensions, Scroll};
use alacritty_terminal::index::{Column, Point as Place, Side};
use alacritty_terminal::selection::{Selection, SelectionType};
use alacritty_terminal::term::{TermMode, viewport_to_point};
use alacritty_terminal::vte::ansi::CursorShape;
use genai_ui::core::clipboard::Kind;
use genai_ui::core::keyboard::key::Named;
use genai_ui::core::keyboard::{self, Key, Modifiers};
use genai_ui::core::mouse::{self, Click, ScrollDelta, click};
use genai_ui::core::widget::{Tree, Widget, tree};
use genai_ui::core::{Background, Border, Clipboard, Color, Event, Layout, Length, Point, Rectangle, Shell, Size, layout, renderer, window};
use genai_ui::{Element, Renderer, Theme, cells};
use std::time::{Duration, Instant};

use crate::colours::Palette;
use crate::mouse::{Done, report};
use crate::session::{Grid, Session};
use crate::{Message, contents, keys};

/// Between the window's edge and the letters, pixels.
const PADDING: f32 = 8.0;
/// How long a bell is seen.
const FLASH: Duration = Duration::from_millis(150);
/// Lines a notch of the wheel goes.
const WHEEL: f32 = 3.0;

/// A session on the screen.
pub struct Screen<'a> {
    session: &'a Session,
    size: f32,
    cell: Size,
    /// Whether it gets the keys.
    has_keys: bool,
}

impl<'a> Screen<'a> {
    /// With letters of a size, whose cells have another.
    pub fn new(session: &'a Session, size: f32, cell: Size, has_keys: bool) -> Self {
        Screen { session, size, cell, has_keys }
    }

    fn grid(&self, bounds: Rectangle) -> Grid {
        let many = |length: f32, each: f32, least: usize| (((length - 2.0 * PADDING) / each).floor().max(0.0) as usize).clamp(least, 1000);
        Grid {
            columns: many(bounds.width, self.cell.width, 2),
            lines: many(bounds.height, self.cell.height, 1),
            cell: (self.cell.width as u16, self.cell.height as u16),
        }
    }

    /// The cell below a point, and the half of it.
    fn place(&self, at: Point, bounds: Rectangle) -> ((usize, usize), Side) {
        let grid = self.session.grid();
        let (x, y) = ((at.x - bounds.x - PADDING).max(0.0), (at.y - bounds.y - PADDING).max(0.0));
        let (column, line) = ((x / self.cell.width) as usize, (y / self.cell.height) as usize);
        let side = if column < grid.columns && x % self.cell.width < self.cell.width / 2.0 { Side::Left } else { Side::Right };
        ((column.min(grid.columns - 1), line.min(grid.lines - 1)), side)
    }

    fn select(&self, kind: Option<SelectionType>, at: Point, bounds: Rectangle) {
        let ((column, line), side) = self.place(at, bounds);
        self.session.with_term(|term| {
            let place = viewport_to_point(term.grid().display_offset(), Place::new(line, Column(column)));
            match (kind, &mut term.selection) {
                (Some(kind), selection) => *selection = Some(Selection::new(kind, place, side)),
                (None, Some(selection)) => selection.update(place, side),
                (None, None) => {}
            }
        });
    }

    fn scroll(&self, scroll: Scroll) {
        self.session.with_term(|term| term.scroll_display(scroll));
    }

    /// Tells the program of the mouse; whether it wants to know. Shift keeps the mouse for the terminal.
    fn tell(&self, done: Done, at: (usize, usize), modifiers: Modifiers) -> bool {
        if modifiers.shift() {
            return false;
        }
        let mode = self.session.mode();
        if let Some(bytes) = report(done, at, modifiers, mode) {
            self.session.write(bytes);
        }
        mode.intersects(TermMode::MOUSE_MODE)
    }

    fn wheel(&self, state: &mut State, delta: ScrollDelta, at: (usize, usize)) {
        state.rest += match delta {
            ScrollDelta::Lines { y, .. } => y * WHEEL,
            ScrollDelta::Pixels { y, .. } => y / self.cell.height,
        };
        let lines = state.rest.trunc() as i32;
        state.rest -= lines as f32;
        if lines == 0 {
            return;
        }
        let done = if lines > 0 { Done::WheelUp } else { Done::WheelDown };
        if self.tell(done, at, state.modifiers) {
            return;
        }
        // Programs that fill the screen have nothing above it: they get arrow keys.
        let mode = self.session.mode();
        if mode.contains(TermMode::ALT_SCREEN | TermMode::ALTERNATE_SCROLL) {
            let key = Key::Named(if lines > 0 { Named::ArrowUp } else { Named::ArrowDown });
            let bytes = keys::encode(&key, None, Modifiers::empty(), mode).unwrap_or_default();
            self.session.write(bytes.repeat(lines.unsigned_abs() as usize));
        } else {
            self.scroll(Scroll::Delta(lines));
        }
    }

    fn paste(&self, text: Option<String>) {
        if let Some(text) = text {
            let bytes = keys::pasted(&text, self.session.mode());
            self.session.type_bytes(bytes);
        }
    }

    /// A key; whether it was for the terminal or its program.
    fn key(&self, event: &keyboard::Event, clipboard: &mut dyn Clipboard, shell: &mut Shell<'_, Message>) -> bool {
        let keyboard::Event::KeyPressed { key, text, modifiers, .. } = event else { return false };
        if let Some(message) = crate::shortcut(key, *modifiers) {
            shell.publish(message);
            return true;
        }
        let is_full = self.session.mode().contains(TermMode::ALT_SCREEN);
        match (key.as_ref(), modifiers.shift(), modifiers.control()) {
            (Key::Character(letter), true, true) if letter.eq_ignore_ascii_case("c") => {
                if let Some(text) = self.session.with_term(|term| term.selection_to_string()).filter(|it| !it.is_empty()) {
                    clipboard.write(Kind::Standard, text);
                }
            }
            (Key::Character(letter), true, true) if letter.eq_ignore_ascii_case("v") => self.paste(clipboard.read(Kind::Standard)),
            (Key::Named(Named::Insert), true, false) => self.paste(clipboard.read(Kind::Primary)),
            (Key::Named(Named::PageUp), true, false) if !is_full => self.scroll(Scroll::PageUp),
            (Key::Named(Named::PageDown), true, false) if !is_full => self.scroll(Scroll::PageDown),
            (Key::Named(Named::Home), true, false) if !is_full => self.scroll(Scroll::Top),
            (Key::Named(Named::End), true, false) if !is_full => self.scroll(Scroll::Bottom),
            _ => match keys::encode(key, text.as_deref(), *modifiers, self.session.mode()) {
                Some(bytes) => self.session.type_bytes(bytes),
                None => return false,
            },
        }
        shell.request_redraw();
        true
    }

    fn mouse(&self, state: &mut State, event: &mouse::Event, cursor: mouse::Cursor, bounds: Rectangle, clipboard: &mut dyn Clipboard) -> bool {
        let Some(at) = cursor.position() else { return false };
        let (place, _) = self.place(at, bounds);
        match event {
            mouse::Event::ButtonPressed(button) if bounds.contains(at) => {
                state.held = Some(*button);
                if self.tell(Done::Pressed(*button), place, state.modifiers) {
                    state.is_told = true;
                    return true;
                }
                state.is_told = false;
                match button {
                    mouse::Button::Left => {
                        let click = Click::new(at, mouse::Button::Left, state.click);
                        let kind = match click.kind() {
                            click::Kind::Single if state.modifiers.control() => SelectionType::Block,
                            click::Kind::Single => SelectionType::Simple,
                            click::Kind::Double => SelectionType::Semantic,
                            click::Kind::Triple => SelectionType::Lines,
                        };
                        state.click = Some(click);
                        self.select(Some(kind), at, bounds);
                    }
                    mouse::Button::Middle => self.paste(clipboard.read(Kind::Primary)),
                    _ => return false,
                }
                true
            }
            mouse::Event::ButtonReleased(button) if state.held == Some(*button) => {
                state.held = None;
                if state.is_told {
                    return self.tell(Done::Released(*button), place, state.modifiers);
                }
                if *button == mouse::Button::Left
                    && let Some(text) = self.session.with_term(|term| term.selection_to_string()).filter(|it| !it.is_empty())
                {
                    clipboard.write(Kind::Primary, text);
                }
                true
            }
            mouse::Event::CursorMoved { .. } => {
                if state.held.is_none() || state.is_told {
                    let is_new = state.place.replace(place) != Some(place);
                    return is_new && self.tell(Done::Moved(state.held), place, state.modifiers);
                }
                if state.held != Some(mouse::Button::Left) {
                    return false;
                }
                // Beyond the edges what is not in sight is selected too.
                if at.y < bounds.y {
                    self.scroll(Scroll::Delta(1));
                } else if at.y > bounds.y + bounds.height {
                    self.scroll(Scroll::Delta(-1));
                }
                self.select(None, at, bounds);
                true
            }
            mouse::Event::WheelScrolled { delta } if bounds.contains(at) => {
                self.wheel(state, *delta, place);
                true
            }
            _ => false,
        }
    }
}

/// What the widget remembers between events.
#[derive(Debug, Default)]
struct State {
    modifiers: Modifiers,
    click: Option<Click>,
    held: Option<mouse::Button>,
    /// Whether the button that is held was told to the program.
    is_told: bool,
    place: Option<(usize, usize)>,
    /// Parts of lines that the wheel has turned.
    rest: f32,
    is_away: bool,
    now: Option<Instant>,
}

impl Widget<Message, Theme, Renderer> for Screen<'_> {
    fn tag(&self) -> tree::Tag {
        tree::Tag::of::<State>()
    }

    fn state(&self) -> tree::State {
        tree::State::new(State::default())
    }

    fn size(&self) -> Size<Length> {
        Size::new(Length::Fill, Length::Fill)
    }

    fn layout(&mut self, _: &mut Tree, _: &Renderer, limits: &layout::Limits) -> layout::Node {
        layout::Node::new(limits.max())
    }

    fn update(
        &mut self,
        tree: &mut Tree,
        event: &Event,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        _: &Renderer,
        clipboard: &mut dyn Clipboard,
        shell: &mut Shell<'_, Message>,
        _: &Rectangle,
    ) {
        let state = tree.state.downcast_mut::<State>();
        let bounds = layout.bounds();
        match event {
            Event::Window(window::Event::RedrawRequested(now)) => {
                state.now = Some(*now);
                self.session.resize(self.grid(bounds));
                if let Some(end) = self.session.rang().map(|it| it + FLASH).filter(|end| end > now) {
                    shell.request_redraw_at(window::RedrawRequest::At(end));
                }
            }
            Event::Window(window::Event::Focused | window::Event::Unfocused) => {
                state.is_away = matches!(event, Event::Window(window::Event::Unfocused));
                if self.session.mode().contains(TermMode::FOCUS_IN_OUT) {
                    self.session.write(if state.is_away { &b"\x1b[O"[..] } else { b"\x1b[I" });
                }
                shell.request_redraw();
            }
            Event::Keyboard(keyboard::Event::ModifiersChanged(modifiers)) => state.modifiers = *modifiers,
            Event::Keyboard(event) if self.has_keys && self.key(event, clipboard, shell) => shell.capture_event(),
            Event::Mouse(event) if self.has_keys && self.mouse(state, event, cursor, bounds, clipboard) => {
                shell.capture_event();
                shell.request_redraw();
            }
            _ => {}
        }
    }

    fn mouse_interaction(&self, _: &Tree, layout: Layout<'_>, cursor: mouse::Cursor, _: &Rectangle, _: &Renderer) -> mouse::Interaction {
        let is_told = || self.session.mode().intersects(TermMode::MOUSE_MODE);
        if cursor.is_over(layout.bounds()) && !is_told() { mouse::Interaction::Text } else { mouse::Interaction::default() }
    }

    fn draw(&self, tree: &Tree, renderer: &mut Renderer, theme: &Theme, _: &renderer::Style, layout: Layout<'_>, _: mouse::Cursor, _: &Rectangle) {
        use genai_ui::core::Renderer as _;
        let state = tree.state.downcast_ref::<State>();
        let bounds = layout.bounds();
        let palette = Palette::of(theme);
        let colour = |[r, g, b]: cells::Rgb| Color::from_rgb8(r, g, b);
        let start = Point::new((bounds.x + PADDING).round(), (bounds.y + PADDING).round());
        let has_focus = self.has_keys && !state.is_away;
        let (content, above) = self.session.with_term(|term| (contents::of(term, &palette, has_focus), (term.grid().history_size(), term.grid().display_offset())));
        for (number, line) in content.lines.into_iter().enumerate() {
            let position = Point::new(start.x, start.y + number as f32 * self.cell.height);
            renderer.fill_cells(cells::Line { position, cell: self.cell, size: self.size, cells: line });
        }
        let mut quad = |bounds: Rectangle, fill: Option<Color>, border: Border| {
            let quad = renderer::Quad { bounds, border, ..renderer::Quad::default() };
            renderer.fill_quad(quad, fill.map_or(Background::Color(Color::TRANSPARENT), Background::Color));
        };
        if let Some((shape, column, line, width)) = content.cursor {
            let at = Point::new(start.x + column as f32 * self.cell.width, start.y + line as f32 * self.cell.height);
            let cell = Size::new(self.cell.width * width as f32, self.cell.height);
            let ink = colour(content.cursor_colour);
            match shape {
                CursorShape::Beam => quad(Rectangle::new(at, Size::new(2.0, cell.height)), Some(ink), Border::default()),
                CursorShape::Underline => quad(Rectangle::new(at + genai_ui::core::Vector::new(0.0, cell.height - 2.0), Size::new(cell.width, 2.0)), Some(ink), Border::default()),
                CursorShape::HollowBlock => quad(Rectangle::new(at, cell), None, Border { color: ink, width: 1.0, ..Border::default() }),
                // A block is drawn by its cell's colours.
                CursorShape::Block | CursorShape::Hidden => {}
            }
        }
        let (history, offset) = above;
        if offset > 0 {
            let all = (history + self.session.grid().lines) as f32;
            let height = (bounds.height * self.session.grid().lines as f32 / all).max(24.0);
            let y = bounds.y + (bounds.height - height) * (history - offset) as f32 / history.max(1) as f32;
            let bar = Rectangle::new(Point::new(bounds.x + bounds.width - 6.0, y), Size::new(4.0, height));
            quad(bar, Some(Color { a: 0.35, ..theme.palette().text }), Border { radius: 2.0.into(), ..Border::default() });
        }
        let is_ringing = self.session.rang().zip(state.now).is_some_and(|(rang, now)| now < rang + FLASH);
        if is_ringing {
            quad(bounds, None, Border { color: theme.palette().primary, width: 2.0, ..Border::default() });
        }
    }
}

impl<'a> From<Screen<'a>> for Element<'a, Message> {
    fn from(screen: Screen<'a>) -> Self {
        Element::new(screen)
    }
}
