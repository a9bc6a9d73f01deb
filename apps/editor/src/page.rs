//! The widget that shows a text in lines of cells, with their numbers, and gives it keys and mouse.

use genai_ui::core::clipboard::Kind as Board;
use genai_ui::core::keyboard::key::Named;
use genai_ui::core::keyboard::{self, Key, Modifiers};
use genai_ui::core::mouse::{self, Click, ScrollDelta, click};
use genai_ui::core::widget::{Operation, Tree, Widget, operation::Focusable, tree};
use genai_ui::core::{Background, Border, Clipboard, Color, Event, InputMethod, Layout, Length, Point, Rectangle, Shell, Size, input_method, layout, renderer, window};
use genai_ui::{Element, Renderer, Theme, cells};
use std::cell::Cell;
use std::sync::Arc;

use crate::buffer::{Motion, Place};
use crate::document::Document;
use crate::find::Query;
use crate::look::{self, Look};
use crate::{Message, columns};

/// Between the edge and the letters, pixels.
const PADDING: f32 = 6.0;
/// Cells beside the numbers, to the left and to the right.
const BESIDE: (usize, usize) = (1, 2);
/// Lines a notch of the wheel goes.
const WHEEL: f32 = 3.0;
/// Of the scroll bar, pixels.
const BAR: f32 = 6.0;

/// What a person does with a text.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// Letters are written.
    Type(String),
    /// A text comes from the clipboard.
    Paste(String),
    /// A new line.
    Break,
    /// What is selected goes, or what a motion goes over.
    Erase(Motion),
    /// The cursor moves, and selects where it does.
    Step(Motion, bool),
    /// Lines move in, or out.
    Indent(bool),
    /// All is selected.
    All,
    /// The cursor goes to a place, and selects where it does.
    Go(Place, bool),
    /// The word there is selected.
    Word(Place),
    /// That line is selected.
    Line(usize),
    /// What is in sight moves by lines and cells.
    Scroll(isize, isize),
    /// Nothing but the focus came.
    Focus,
}

/// A text on the screen.
pub struct Page<'a> {
    document: &'a Document,
    query: Option<&'a Query>,
    size: f32,
    cell: Size,
    /// Lines and cells that are in sight.
    sight: &'a Cell<(usize, usize)>,
}

impl<'a> Page<'a> {
    /// With letters of a size, whose cells have another. How much is in sight is told in `sight`.
    pub fn new(document: &'a Document, query: Option<&'a Query>, size: f32, cell: Size, sight: &'a Cell<(usize, usize)>) -> Self {
        Page { document, query, size, cell, sight }
    }

    /// Digits of the largest number.
    fn digits(&self) -> usize {
        (self.document.buffer.lines().len().ilog10() as usize + 1).max(3)
    }

    /// Where the letters begin.
    fn text_start(&self, bounds: Rectangle) -> Point {
        let beside = (BESIDE.0 + self.digits() + BESIDE.1) as f32 * self.cell.width;
        Point::new((bounds.x + PADDING + beside).round(), (bounds.y + PADDING).round())
    }

    fn in_sight(&self, bounds: Rectangle) -> (usize, usize) {
        let start = self.text_start(bounds);
        let many = |length: f32, each: f32| (length / each).floor().max(1.0) as usize;
        (many(bounds.y + bounds.height - start.y, self.cell.height), many(bounds.x + bounds.width - start.x - BAR, self.cell.width))
    }

    /// The place below a point.
    fn place(&self, at: Point, bounds: Rectangle) -> Place {
        let start = self.text_start(bounds);
        let (top, left) = self.document.start.get();
        let lines = self.document.buffer.lines();
        let line = (top as f32 + (at.y - start.y) / self.cell.height).floor().max(0.0) as usize;
        if line >= lines.len() {
            return Place { line: lines.len() - 1, byte: lines[lines.len() - 1].len() };
        }
        let cell = (left as f32 + (at.x - start.x) / self.cell.width).max(0.0).round() as usize;
        Place { line, byte: columns::byte_of(&lines[line], cell) }
    }

    fn key(&self, event: &keyboard::Event, clipboard: &mut dyn Clipboard) -> Option<Act> {
        let keyboard::Event::KeyPressed { key, text, modifiers, .. } = event else { return None };
        let page = self.sight.get().0.saturating_sub(1).max(1) as isize;
        let buffer = &self.document.buffer;
        let copies = |clipboard: &mut dyn Clipboard| {
            let selected = buffer.selected();
            if let Some(text) = &selected {
                clipboard.write(Board::Standard, text.clone());
            }
            selected.is_some()
        };
        let pastes = |clipboard: &mut dyn Clipboard| clipboard.read(Board::Standard).map_or(Act::Focus, Act::Paste);
        let (control, shift) = (modifiers.control(), modifiers.shift());
        if modifiers.alt() || modifiers.logo() {
            return None;
        }
        Some(match key.as_ref() {
            Key::Named(Named::ArrowLeft) => Act::Step(if control { Motion::WordLeft } else { Motion::Left }, shift),
            Key::Named(Named::ArrowRight) => Act::Step(if control { Motion::WordRight } else { Motion::Right }, shift),
            Key::Named(Named::ArrowUp) if control => Act::Scroll(-1, 0),
            Key::Named(Named::ArrowDown) if control => Act::Scroll(1, 0),
            Key::Named(Named::ArrowUp) => Act::Step(Motion::Lines(-1), shift),
            Key::Named(Named::ArrowDown) => Act::Step(Motion::Lines(1), shift),
            Key::Named(Named::PageUp) if !control => Act::Step(Motion::Lines(-page), shift),
            Key::Named(Named::PageDown) if !control => Act::Step(Motion::Lines(page), shift),
            Key::Named(Named::Home) => Act::Step(if control { Motion::First } else { Motion::Home }, shift),
            Key::Named(Named::End) => Act::Step(if control { Motion::Last } else { Motion::End }, shift),
            Key::Named(Named::Enter) if !control => Act::Break,
            Key::Named(Named::Backspace) => Act::Erase(if control { Motion::WordLeft } else { Motion::Left }),
            Key::Named(Named::Delete) if shift && copies(clipboard) => Act::Erase(Motion::Right),
            Key::Named(Named::Delete) => Act::Erase(if control { Motion::WordRight } else { Motion::Right }),
            Key::Named(Named::Insert) if shift => pastes(clipboard),
            Key::Named(Named::Insert) if control => {
                copies(clipboard);
                Act::Focus
            }
            Key::Named(Named::Tab) if !control => Act::Indent(shift),
            Key::Character(letter) if control && !shift => match letter.to_lowercase().as_str() {
                "a" => Act::All,
                "c" => {
                    copies(clipboard);
                    Act::Focus
                }
                "x" if copies(clipboard) => Act::Erase(Motion::Right),
                "v" => pastes(clipboard),
                _ => return None,
            },
            _ if control => return None,
            _ => {
                let text: String = text.as_deref()?.chars().filter(|it| !it.is_control()).collect();
                if text.is_empty() {
                    return None;
                }
                Act::Type(text)
            }
        })
    }

    fn mouse(&self, state: &mut State, event: &mouse::Event, cursor: mouse::Cursor, bounds: Rectangle, clipboard: &mut dyn Clipboard) -> Option<Act> {
        let at = cursor.position()?;
        let is_over = cursor.is_over(bounds);
        match event {
            mouse::Event::ButtonPressed(mouse::Button::Left) if is_over => {
                let click = Click::new(at, mouse::Button::Left, state.click);
                (state.click, state.is_held, state.is_focused) = (Some(click), true, true);
                let place = self.place(at, bounds);
                let is_number = at.x < self.text_start(bounds).x - self.cell.width;
                Some(match click.kind() {
                    _ if is_number => Act::Line(place.line),
                    click::Kind::Single => Act::Go(place, state.modifiers.shift()),
                    click::Kind::Double => Act::Word(place),
                    click::Kind::Triple => Act::Line(place.line),
                })
            }
            mouse::Event::ButtonPressed(mouse::Button::Middle) if is_over => {
                state.is_focused = true;
                clipboard.read(Board::Primary).map(Act::Paste)
            }
            mouse::Event::ButtonPressed(_) => {
                state.is_focused = false;
                None
            }
            mouse::Event::ButtonReleased(mouse::Button::Left) if state.is_held => {
                state.is_held = false;
                if let Some(text) = self.document.buffer.selected() {
                    clipboard.write(Board::Primary, text);
                }
                None
            }
            // A word or a line that is selected stays so while the hand trembles.
            mouse::Event::CursorMoved { .. } if state.is_held && state.click.is_some_and(|it| it.kind() == click::Kind::Single) => Some(Act::Go(self.place(at, bounds), true)),
            mouse::Event::WheelScrolled { delta } if is_over => {
                let (x, y) = match delta {
                    ScrollDelta::Lines { x, y } => (x * WHEEL, y * WHEEL),
                    ScrollDelta::Pixels { x, y } => (x / self.cell.width, y / self.cell.height),
                };
                let (x, y) = if state.modifiers.shift() { (y, x) } else { (x, y) };
                state.rest = (state.rest.0 - x, state.rest.1 - y);
                let (cells, lines) = (state.rest.0.trunc(), state.rest.1.trunc());
                state.rest = (state.rest.0 - cells, state.rest.1 - lines);
                (cells != 0.0 || lines != 0.0).then_some(Act::Scroll(lines as isize, cells as isize))
            }
            _ => None,
        }
    }
}

/// What the widget remembers between events.
#[derive(Debug, Default)]
struct State {
    is_focused: bool,
    is_away: bool,
    modifiers: Modifiers,
    click: Option<Click>,
    is_held: bool,
    /// Parts of cells and lines that the wheel has turned.
    rest: (f32, f32),
}

impl Focusable for State {
    fn is_focused(&self) -> bool {
        self.is_focused
    }

    fn focus(&mut self) {
        self.is_focused = true;
    }

    fn unfocus(&mut self) {
        self.is_focused = false;
    }
}

impl Widget<Message, Theme, Renderer> for Page<'_> {
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
        let node = layout::Node::new(limits.max());
        self.sight.set(self.in_sight(node.bounds()));
        node
    }

    fn operate(&mut self, tree: &mut Tree, layout: Layout<'_>, _: &Renderer, operation: &mut dyn Operation) {
        operation.focusable(Some(&crate::view::PAGE.into()), layout.bounds(), tree.state.downcast_mut::<State>());
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
        let act = match event {
            Event::Window(window::Event::Focused | window::Event::Unfocused) => {
                state.is_away = matches!(event, Event::Window(window::Event::Unfocused));
                shell.request_redraw();
                None
            }
            Event::Window(window::Event::RedrawRequested(_)) => {
                if state.is_focused && !state.is_away {
                    let cursor = Rectangle::new(self.cursor_at(bounds), Size::new(1.0, self.cell.height));
                    shell.request_input_method::<&str>(&InputMethod::Enabled { cursor, purpose: input_method::Purpose::Normal, preedit: None });
                }
                None
            }
            Event::InputMethod(input_method::Event::Commit(text)) if state.is_focused => Some(Act::Type(text.clone())),
            Event::Keyboard(keyboard::Event::ModifiersChanged(modifiers)) => {
                state.modifiers = *modifiers;
                None
            }
            Event::Keyboard(event) if state.is_focused => self.key(event, clipboard),
            Event::Mouse(event) => self.mouse(state, event, cursor, bounds, clipboard),
            _ => None,
        };
        if let Some(act) = act {
            shell.publish(Message::Page(act));
            shell.capture_event();
        }
    }

    fn mouse_interaction(&self, _: &Tree, layout: Layout<'_>, cursor: mouse::Cursor, _: &Rectangle, _: &Renderer) -> mouse::Interaction {
        let is_text = cursor.position_over(layout.bounds()).is_some_and(|at| at.x >= self.text_start(layout.bounds()).x - self.cell.width);
        if is_text { mouse::Interaction::Text } else { mouse::Interaction::default() }
    }

    fn draw(&self, tree: &Tree, renderer: &mut Renderer, theme: &Theme, _: &renderer::Style, layout: Layout<'_>, _: mouse::Cursor, _: &Rectangle) {
        use genai_ui::core::Renderer as _;
        let state = tree.state.downcast_ref::<State>();
        let bounds = layout.bounds();
        let look = Look::of(theme);
        let lines = self.document.buffer.lines();
        let (top, left) = self.document.start.get();
        let text = self.text_start(bounds);
        let (height, width) = self.in_sight(bounds);
        let digits = self.digits();
        renderer.with_layer(bounds, |renderer| {
            // One more than fit, of which a part is seen.
            for (row, number) in (top..lines.len().min(top + height + 1)).enumerate() {
                let y = text.y + row as f32 * self.cell.height;
                let is_here = number == self.document.buffer.cursor().line;
                let line = |x: f32, cells: Arc<[cells::Cell]>| cells::Line { position: Point::new(x, y), cell: self.cell, size: self.size, cells };
                renderer.fill_cells(line(text.x - (digits + BESIDE.1) as f32 * self.cell.width, look::number(number + 1, digits, is_here, &look)));
                let cells = look::cells(self.document, self.query, number, left, width + 1, &look);
                renderer.fill_cells(line(text.x, cells));
            }
            let mut quad = |bounds: Rectangle, colour: Color, radius: f32| {
                let quad = renderer::Quad { bounds, border: Border { radius: radius.into(), ..Border::default() }, ..renderer::Quad::default() };
                renderer.fill_quad(quad, Background::Color(colour));
            };
            let at = self.cursor_at(bounds);
            let cursor = self.document.buffer.cursor();
            if state.is_focused && (top..=top + height).contains(&cursor.line) && at.x >= text.x {
                let faded = if state.is_away { 0.4 } else { 1.0 };
                quad(Rectangle::new(at, Size::new(2.0, self.cell.height)), Color { a: faded, ..theme.palette().primary }, 0.0);
            }
            if lines.len() > height {
                let long = (bounds.height * height as f32 / lines.len() as f32).max(24.0);
                let y = bounds.y + (bounds.height - long) * (top as f32 / (lines.len() - height) as f32).min(1.0);
                quad(Rectangle::new(Point::new(bounds.x + bounds.width - BAR, y), Size::new(4.0, long)), Color { a: 0.3, ..theme.palette().text }, 2.0);
            }
        });
    }
}

impl Page<'_> {
    /// The upper left corner of the cell that is written in.
    fn cursor_at(&self, bounds: Rectangle) -> Point {
        let (top, left) = self.document.start.get();
        let (text, cursor) = (self.text_start(bounds), self.document.buffer.cursor());
        let cell = columns::cell_of(&self.document.buffer.lines()[cursor.line], cursor.byte);
        Point::new(text.x + (cell as f32 - left as f32) * self.cell.width, text.y + (cursor.line as f32 - top as f32) * self.cell.height)
    }
}

impl<'a> From<Page<'a>> for Element<'a, Message> {
    fn from(page: Page<'a>) -> Self {
        Element::new(page)
    }
}
