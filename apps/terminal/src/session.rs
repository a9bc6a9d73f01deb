//! A program on a pseudoterminal, and what it has written.

use alacritty_terminal::Term;
use alacritty_terminal::event::{Event, EventListener, Notify, WindowSize};
use alacritty_terminal::event_loop::{EventLoop, EventLoopSender, Msg, Notifier};
use alacritty_terminal::grid::{Dimensions, Scroll};
use alacritty_terminal::index::{Column, Line, Point};
use alacritty_terminal::sync::FairMutex;
use alacritty_terminal::term::{ClipboardType, Config, TermMode};
use alacritty_terminal::tty::{self, Options, Shell};
use alacritty_terminal::vte::ansi::Rgb;
use genai_ui::futures::futures::channel::mpsc;
use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Instant;

/// Lines above the screen that are kept.
const HISTORY: usize = 10_000;
/// The shell of this system.
const OWN_SHELL: &str = "/bin/gcs";

/// What is run in a tab.
#[derive(Debug, Clone, Default)]
pub struct Program {
    /// Its name and arguments; the user's shell where there are none.
    pub words: Vec<String>,
    /// Where it begins; the user's home where left out.
    pub folder: Option<PathBuf>,
}

impl Program {
    fn shell(&self) -> Shell {
        if let Some((name, arguments)) = self.words.split_first() {
            return Shell::new(name.clone(), arguments.to_vec());
        }
        let asked = || std::env::var("SHELL").ok().filter(|it| !it.is_empty());
        let name = if Path::new(OWN_SHELL).exists() { OWN_SHELL.to_owned() } else { asked().unwrap_or_else(|| "/bin/sh".to_owned()) };
        Shell::new(name, Vec::new())
    }

    fn folder(&self) -> Option<PathBuf> {
        self.folder.clone().or_else(|| std::env::var_os("HOME").map(PathBuf::from))
    }
}

/// What a session tells.
#[derive(Clone)]
pub enum Happening {
    /// The screen is another one.
    Changed,
    /// The program calls itself so; nothing: as it did at first.
    Title(Option<String>),
    /// It rings.
    Bell,
    /// It copies a text.
    Copy(ClipboardType, String),
    /// It asks for a colour; what the answer is made by.
    Colour(usize, Arc<dyn Fn(Rgb) -> String + Send + Sync>),
    /// It asks for the window's size; what the answer is made by.
    Size(Arc<dyn Fn(WindowSize) -> String + Send + Sync>),
    /// It has ended.
    Ended(Option<ExitStatus>),
}

impl std::fmt::Debug for Happening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Happening::Changed => "Changed",
            Happening::Title(_) => "Title",
            Happening::Bell => "Bell",
            Happening::Copy(..) => "Copy",
            Happening::Colour(..) => "Colour",
            Happening::Size(_) => "Size",
            Happening::Ended(_) => "Ended",
        })
    }
}

/// Takes what the emulation tells.
#[derive(Clone)]
pub struct Listener {
    told: mpsc::UnboundedSender<Happening>,
    /// Whether a change has been told that nobody has looked at yet: more need not be told.
    is_changed: Arc<AtomicBool>,
    /// Where answers go, once there is somebody to be answered.
    input: Arc<OnceLock<EventLoopSender>>,
}

impl EventListener for Listener {
    fn send_event(&self, event: Event) {
        let happening = match event {
            Event::Wakeup if self.is_changed.swap(true, Ordering::AcqRel) => return,
            Event::Wakeup => Happening::Changed,
            Event::Title(title) => Happening::Title(Some(title)),
            Event::ResetTitle => Happening::Title(None),
            Event::Bell => Happening::Bell,
            Event::ClipboardStore(kind, text) => Happening::Copy(kind, text),
            Event::ColorRequest(number, answer) => Happening::Colour(number, answer),
            Event::TextAreaSizeRequest(answer) => Happening::Size(answer),
            // At once: programs do not wait for long, and the window may be busy.
            Event::PtyWrite(text) => {
                if let Some(input) = self.input.get() {
                    let _ = input.send(Msg::Input(text.into_bytes().into()));
                }
                return;
            }
            Event::ChildExit(status) => Happening::Ended(Some(status)),
            Event::Exit => Happening::Ended(None),
            // A program may not read what was copied elsewhere.
            Event::ClipboardLoad(..) | Event::MouseCursorDirty | Event::CursorBlinkingChange => return,
        };
        // Where nobody listens any more the tab is closed.
        let _ = self.told.unbounded_send(happening);
    }
}

/// Columns and lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// Columns.
    pub columns: usize,
    /// Lines.
    pub lines: usize,
    /// A cell's pixels: width, height.
    pub cell: (u16, u16),
}

impl Grid {
    fn window(self) -> WindowSize {
        WindowSize { num_lines: self.lines as u16, num_cols: self.columns as u16, cell_width: self.cell.0, cell_height: self.cell.1 }
    }
}

impl Dimensions for Grid {
    fn total_lines(&self) -> usize {
        self.lines
    }

    fn screen_lines(&self) -> usize {
        self.lines
    }

    fn columns(&self) -> usize {
        self.columns
    }
}

/// A program and its screen.
pub struct Session {
    term: Arc<FairMutex<Term<Listener>>>,
    input: Notifier,
    /// The terminal's own end, to ask who has it.
    master: File,
    child: u32,
    is_shell: bool,
    is_changed: Arc<AtomicBool>,
    grid: Mutex<Grid>,
    rang: Mutex<Option<Instant>>,
}

impl Session {
    /// Starts a program; what it tells comes by the channel. `number` tells windows of one process apart.
    ///
    /// # Errors
    /// Where there is no pseudoterminal, or no such program.
    pub fn start(program: &Program, grid: Grid, number: u64) -> io::Result<(Self, mpsc::UnboundedReceiver<Happening>)> {
        let (told, happenings) = mpsc::unbounded();
        let is_changed = Arc::new(AtomicBool::new(false));
        let listener = Listener { told, is_changed: Arc::clone(&is_changed), input: Arc::default() };
        let answers = Arc::clone(&listener.input);
        let env = [("TERM", "xterm-256color"), ("COLORTERM", "truecolor"), ("TERM_PROGRAM", "genai-terminal")];
        let options = Options {
            shell: Some(program.shell()),
            working_directory: program.folder(),
            drain_on_exit: true,
            env: env.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        };
        let pty = tty::new(&options, grid.window(), number)?;
        let (master, child) = (pty.file().try_clone()?, pty.child().id());
        let config = Config { scrolling_history: HISTORY, ..Config::default() };
        let term = Arc::new(FairMutex::new(Term::new(config, &grid, listener.clone())));
        let events = EventLoop::new(Arc::clone(&term), listener, pty, true, false)?;
        let input = Notifier(events.channel());
        // Nothing has been read from the program yet.
        let _ = answers.set(events.channel());
        events.spawn();
        let is_shell = program.words.is_empty();
        let session = Session { term, input, master, child, is_shell, is_changed, grid: Mutex::new(grid), rang: Mutex::new(None) };
        Ok((session, happenings))
    }

    /// The screen, for as long as it is held.
    pub fn with_term<T>(&self, look: impl FnOnce(&mut Term<Listener>) -> T) -> T {
        look(&mut self.term.lock())
    }

    /// How it takes keys, and the like.
    pub fn mode(&self) -> TermMode {
        *self.term.lock().mode()
    }

    /// The change that was told is being looked at.
    pub fn look(&self) {
        self.is_changed.store(false, Ordering::Release);
    }

    /// Sends bytes to the program.
    pub fn write(&self, bytes: impl Into<Cow<'static, [u8]>>) {
        self.input.notify(bytes);
    }

    /// Sends what somebody types or pastes: what is typed is to be seen.
    pub fn type_bytes(&self, bytes: Vec<u8>) {
        {
            let mut term = self.term.lock();
            term.selection = None;
            term.scroll_display(Scroll::Bottom);
        }
        self.write(bytes);
    }

    /// Its size.
    pub fn grid(&self) -> Grid {
        *self.grid.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The size that answers a program which asks for it.
    pub fn window(&self) -> WindowSize {
        self.grid().window()
    }

    /// Makes it another size.
    pub fn resize(&self, grid: Grid) {
        let mut now = self.grid.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if *now != grid {
            *now = grid;
            self.term.lock().resize(grid);
            let _ = self.input.0.send(Msg::Resize(grid.window()));
        }
    }

    /// It rings now.
    pub fn ring(&self) {
        *self.rang.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(Instant::now());
    }

    /// When it rang last.
    pub fn rang(&self) -> Option<Instant> {
        *self.rang.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The program that closing would end: what the shell has started, or what was asked for in its place.
    pub fn running(&self) -> Option<String> {
        let group = rustix::termios::tcgetpgrp(&self.master).ok()?.as_raw_nonzero().get().unsigned_abs();
        if group == self.child && self.is_shell {
            return None;
        }
        // It may just have ended.
        let name = std::fs::read_to_string(format!("/proc/{group}/comm")).ok()?;
        Some(name.trim_end().to_owned())
    }

    /// Where its shell is.
    pub fn folder(&self) -> Option<PathBuf> {
        std::fs::read_link(format!("/proc/{}/cwd", self.child)).ok()
    }

    /// What stands on the screen, line by line without the spaces at their ends.
    pub fn text(&self) -> String {
        let term = self.term.lock();
        let last = Point::new(term.bottommost_line(), term.last_column());
        let text = term.bounds_to_string(Point::new(Line(0), Column(0)), last);
        text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
    }

    fn sender(&self) -> &EventLoopSender {
        &self.input.0
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // The thread ends, and with it the terminal: programs get a hang-up.
        let _ = self.sender().send(Msg::Shutdown);
    }
}
