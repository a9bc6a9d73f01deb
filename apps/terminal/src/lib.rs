//! The terminal: shells in tabs, on alacritty's emulation, drawn as cells by the integer renderer.

mod colours;
mod contents;
mod keys;
mod mouse;
mod screen;
pub mod session;
mod view;

use alacritty_terminal::term::ClipboardType;
use alacritty_terminal::vte::ansi::Rgb;
use genai_ui::core::Size;
use genai_ui::core::keyboard::key::Named;
use genai_ui::core::keyboard::{Key, Modifiers};
use genai_ui::futures::Subscription;
use genai_ui::futures::futures::StreamExt;
use genai_ui::runtime::{clipboard, window};
use genai_ui::{App, Element, Task, Theme, cells, theme};
use std::ops::RangeInclusive;

use session::{Grid, Happening, Program, Session};

/// The letters' size at first, pixels.
pub const SIZE: f32 = 14.0;
/// The sizes that they may have.
pub const SIZES: RangeInclusive<f32> = 7.0..=48.0;
/// How much a key changes it.
const STEP: f32 = 1.0;
/// The screen's size before the window's is known.
const FIRST: (usize, usize) = (80, 24);

/// What happens.
#[derive(Debug, Clone)]
pub enum Message {
    /// A session tells something.
    Told(u64, Happening),
    /// Another tab is wanted.
    Open,
    /// The tab of this number is wanted away.
    Close(u64),
    /// The tab in front is wanted away.
    CloseThis,
    /// The window is wanted away.
    CloseAll,
    /// It is meant.
    Confirm,
    /// It is not.
    Cancel,
    /// The tab of this number is wanted in front.
    Show(u64),
    /// The tab so many further on.
    Turn(isize),
    /// Letters of another size: larger or smaller.
    Larger,
    /// Smaller ones.
    Smaller,
    /// Those of the beginning.
    Reset,
}

/// A shell and its place among the others.
struct Tab {
    number: u64,
    session: Result<Session, String>,
    title: Option<String>,
    /// Whether it has rung while another one was in front.
    has_rung: bool,
}

impl Tab {
    fn name(&self) -> String {
        let running = || self.session.as_ref().ok()?.running();
        self.title.clone().or_else(running).unwrap_or_else(|| "Terminal".to_owned())
    }
}

/// What is to be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closing {
    Tab(u64),
    Window,
}

/// The app.
pub struct Terminal {
    program: Program,
    tabs: Vec<Tab>,
    front: usize,
    opened: u64,
    size: f32,
    first_size: f32,
    cell: Size,
    closing: Option<Closing>,
    is_light: bool,
}

/// The keys that are for the terminal itself.
fn shortcut(key: &Key, modifiers: Modifiers) -> Option<Message> {
    match (key.as_ref(), modifiers.control(), modifiers.shift()) {
        _ if modifiers.alt() || modifiers.logo() => None,
        (Key::Character(letter), true, true) if letter.eq_ignore_ascii_case("t") => Some(Message::Open),
        (Key::Character(letter), true, true) if letter.eq_ignore_ascii_case("w") => Some(Message::CloseThis),
        (Key::Character("+" | "="), true, _) => Some(Message::Larger),
        (Key::Character("-"), true, false) => Some(Message::Smaller),
        (Key::Character("0"), true, false) => Some(Message::Reset),
        (Key::Named(Named::Tab | Named::PageDown), true, false) => Some(Message::Turn(1)),
        (Key::Named(Named::Tab), true, true) | (Key::Named(Named::PageUp), true, false) => Some(Message::Turn(-1)),
        _ => None,
    }
}

impl Terminal {
    /// A window with one tab, in which the program runs.
    pub fn new(program: Program, size: f32, is_light: bool) -> (Self, Task<Message>) {
        let cell = cells::cell_size(size);
        let mut terminal = Terminal { program, tabs: Vec::new(), front: 0, opened: 0, size, first_size: size, cell, closing: None, is_light };
        let start = terminal.open(terminal.program.clone());
        (terminal, start)
    }

    /// The session in front.
    pub fn session(&self) -> Option<&Session> {
        self.tabs.get(self.front)?.session.as_ref().ok()
    }

    /// How many tabs there are, and which is in front.
    pub fn tabs(&self) -> (usize, usize) {
        (self.tabs.len(), self.front)
    }

    fn open(&mut self, program: Program) -> Task<Message> {
        self.opened += 1;
        let number = self.opened;
        let cell = (self.cell.width as u16, self.cell.height as u16);
        let grid = self.session().map_or(Grid { columns: FIRST.0, lines: FIRST.1, cell }, Session::grid);
        let (session, told) = match Session::start(&program, grid, number) {
            Ok((session, happenings)) => (Ok(session), Task::stream(happenings.map(move |it| Message::Told(number, it)))),
            Err(error) => (Err(error.to_string()), Task::none()),
        };
        let at = if self.tabs.is_empty() { 0 } else { self.front + 1 };
        self.tabs.insert(at, Tab { number, session, title: None, has_rung: false });
        self.front = at;
        told
    }

    fn show(&mut self, index: usize) {
        self.front = index;
        if let Some(tab) = self.tabs.get_mut(index) {
            tab.has_rung = false;
        }
    }

    fn close(&mut self, number: u64) -> Task<Message> {
        if let Some(index) = self.tabs.iter().position(|it| it.number == number) {
            self.tabs.remove(index);
            if index < self.front || self.front == self.tabs.len() {
                self.show(self.front.saturating_sub(1));
            } else {
                self.show(self.front);
            }
        }
        if self.closing == Some(Closing::Tab(number)) {
            self.closing = None;
        }
        if self.tabs.is_empty() { genai_ui::runtime::exit() } else { Task::none() }
    }

    /// The programs that closing would end.
    fn endangered(&self, closing: Closing) -> Vec<String> {
        let tabs = self.tabs.iter().filter(|it| closing == Closing::Window || closing == Closing::Tab(it.number));
        tabs.filter_map(|it| it.session.as_ref().ok()?.running()).collect()
    }

    fn want_closed(&mut self, closing: Closing) -> Task<Message> {
        if self.endangered(closing).is_empty() {
            return self.close_all(closing);
        }
        self.closing = Some(closing);
        Task::none()
    }

    fn close_all(&mut self, closing: Closing) -> Task<Message> {
        match closing {
            Closing::Tab(number) => self.close(number),
            Closing::Window => {
                self.tabs.clear();
                genai_ui::runtime::exit()
            }
        }
    }

    fn resize(&mut self, size: f32) {
        self.size = size.clamp(*SIZES.start(), *SIZES.end());
        self.cell = cells::cell_size(self.size);
    }

    fn told(&mut self, number: u64, happening: Happening) -> Task<Message> {
        let theme = self.theme();
        let front = self.tabs.get(self.front).map(|it| it.number);
        let Some(tab) = self.tabs.iter_mut().find(|it| it.number == number) else { return Task::none() };
        let Ok(session) = &tab.session else { return Task::none() };
        match happening {
            Happening::Changed => session.look(),
            Happening::Title(title) => tab.title = title.filter(|it| !it.trim().is_empty()),
            Happening::Bell => {
                session.ring();
                tab.has_rung = front != Some(number);
            }
            Happening::Copy(ClipboardType::Clipboard, text) => return clipboard::write(text),
            Happening::Copy(ClipboardType::Selection, text) => return clipboard::write_primary(text),
            Happening::Colour(index, answer) => {
                let own = session.with_term(|term| term.colors()[index]);
                let [r, g, b] = colours::Palette::of(&theme).numbered(index);
                session.write(answer(own.unwrap_or(Rgb { r, g, b })).into_bytes());
            }
            Happening::Size(answer) => session.write(answer(session.window()).into_bytes()),
            Happening::Ended(_) => return self.close(number),
        }
        Task::none()
    }
}

impl App for Terminal {
    type Message = Message;

    const ID: &'static str = "org.genai.Terminal";
    const SIZE: (f32, f32) = (820.0, 520.0);
    const CLOSES: bool = false;

    fn title(&self) -> String {
        self.tabs.get(self.front).map_or_else(|| "Terminal".to_owned(), Tab::name)
    }

    fn update(&mut self, message: Message) -> Task<Message> {
        match message {
            Message::Told(number, happening) => return self.told(number, happening),
            Message::Open => {
                // Where the shell in front is; a program of its own is run once only.
                let folder = self.session().and_then(Session::folder).or_else(|| self.program.folder.clone());
                return self.open(Program { words: Vec::new(), folder });
            }
            Message::Close(number) => return self.want_closed(Closing::Tab(number)),
            Message::CloseThis => {
                if let Some(tab) = self.tabs.get(self.front) {
                    return self.want_closed(Closing::Tab(tab.number));
                }
            }
            Message::CloseAll => return self.want_closed(Closing::Window),
            Message::Confirm => {
                if let Some(closing) = self.closing.take() {
                    return self.close_all(closing);
                }
            }
            Message::Cancel => self.closing = None,
            Message::Show(number) => {
                if let Some(index) = self.tabs.iter().position(|it| it.number == number) {
                    self.show(index);
                }
            }
            Message::Turn(by) => {
                let count = self.tabs.len() as isize;
                self.show((self.front as isize + by).rem_euclid(count.max(1)) as usize);
            }
            Message::Larger => self.resize(self.size + STEP),
            Message::Smaller => self.resize(self.size - STEP),
            Message::Reset => self.resize(self.first_size),
        }
        Task::none()
    }

    fn view(&self) -> Element<'_, Message> {
        view::window(self)
    }

    fn subscription(&self) -> Subscription<Message> {
        use genai_ui::core::keyboard::Event;
        let closes = window::close_requests().map(|_| Message::CloseAll);
        if self.closing.is_none() {
            return closes;
        }
        let keys = genai_ui::futures::keyboard::listen().filter_map(|event| match event {
            Event::KeyPressed { key: Key::Named(Named::Enter), .. } => Some(Message::Confirm),
            Event::KeyPressed { key: Key::Named(Named::Escape), .. } => Some(Message::Cancel),
            _ => None,
        });
        Subscription::batch([closes, keys])
    }

    fn theme(&self) -> Theme {
        theme::light_or_current(self.is_light)
    }
}
