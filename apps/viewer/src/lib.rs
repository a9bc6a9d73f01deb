//! The picture viewer: a picture, and those beside it in its folder.
//!
//! [`load`] reads files, [`picture`] is a picture in memory that is shown at any size, `canvas` the widget that shows it, and `view` the window.

mod canvas;
mod keys;
pub mod load;
pub mod picture;
mod view;

use canvas::Drawn;
use file_operations::names;
use genai_ui::core::{Event, event::Status, keyboard, time::Duration, window};
use genai_ui::futures::{Subscription, event};
use genai_ui::{App, Element, Task, Theme, job, runtime, theme};
use load::Loaded;
use picture::{Turn, View};
use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Pixels of the screen for one of the picture: the least and the most.
const ZOOMS: (f64, f64) = (0.01, 40.0);
/// How much a key makes larger, and how far one moves, of the room.
const STEP: f64 = 1.25;
const MOVE: f32 = 0.125;

/// What happens.
#[derive(Debug, Clone)]
pub enum Message {
    /// A picture was read, or could not be.
    Loaded(u64, Result<Arc<Loaded>, String>),
    /// The one so many further on.
    Turn(isize),
    /// The first one of the folder, or the last.
    End(bool),
    /// Larger by a factor; what is so far from the middle stays where it is.
    Zoom(f64, (f32, f32)),
    /// All of it, or each pixel as one: the other.
    Whole,
    /// All of it.
    Fit,
    /// Each pixel as one.
    Real,
    /// By so many pixels of the screen.
    Move(f32, f32),
    /// By parts of the room.
    Step(f32, f32),
    /// A quarter turn.
    Rotate(Turn),
    /// The next one of a picture that moves.
    Next(u64),
    /// It stands, or moves again.
    Pause,
    /// The window alone on the screen, or not.
    Full,
    /// The bar below is there, or not.
    Bar,
    /// The window is wanted away.
    Close,
    /// Back to a window; away from there.
    Escape,
}

/// What is shown of the file.
enum Shown {
    Loading,
    Picture(Box<Loaded>),
    Failed(String),
}

/// The app.
pub struct Viewer {
    files: Vec<PathBuf>,
    at: usize,
    shown: Shown,
    kind: &'static str,
    /// What was asked for last: other answers are not for us.
    asked: u64,
    frame: usize,
    /// Tells pictures from each other.
    number: u64,
    is_paused: bool,
    /// As large as all of it is in sight with; then the zoom does not count.
    fits: bool,
    zoom: f64,
    middle: (f64, f64),
    room: Cell<(usize, usize)>,
    drawn: Drawn,
    is_full: bool,
    has_bar: bool,
    is_light: bool,
}

/// Whether a file's name says that it is a picture that can be shown.
fn is_picture(path: &Path) -> bool {
    const KINDS: [&str; 5] = ["image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml"];
    desktop_entries::mime::by_name(path).is_some_and(|it| KINDS.contains(&it))
}

/// The pictures of a folder, in the order in which people count.
fn pictures(folder: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|it| it.path()).filter(|it| is_picture(it) && it.is_file()).collect();
    let name = |it: &PathBuf| it.file_name().unwrap_or_default().to_string_lossy().into_owned();
    all.sort_by(|a, b| names::compare(&name(a), &name(b)));
    all
}

impl Viewer {
    /// Shows a file with those beside it, the first one of a folder, or several files.
    pub fn new(paths: Vec<PathBuf>, is_light: bool) -> (Self, Task<Message>) {
        let (files, at) = match paths.as_slice() {
            [folder] if folder.is_dir() => (pictures(folder), 0),
            [one] => {
                let one = std::path::absolute(one).unwrap_or_else(|_| one.clone());
                let mut all = one.parent().map(pictures).unwrap_or_default();
                // What its name does not tell is shown too.
                let at = all.iter().position(|it| *it == one).unwrap_or_else(|| {
                    all.insert(0, one);
                    0
                });
                (all, at)
            }
            _ => (paths, 0),
        };
        let mut viewer = Viewer {
            files,
            at,
            shown: Shown::Failed("There are no pictures here. Open one from Files.".to_owned()),
            kind: "",
            asked: 0,
            frame: 0,
            number: 0,
            is_paused: false,
            fits: true,
            zoom: 1.0,
            middle: (0.0, 0.0),
            room: Cell::new((960, 600)),
            drawn: Drawn::default(),
            is_full: false,
            has_bar: true,
            is_light,
        };
        let start = viewer.read();
        (viewer, start)
    }

    /// The file that is shown.
    pub fn file(&self) -> Option<&Path> {
        self.files.get(self.at).map(PathBuf::as_path)
    }

    /// Why nothing is shown.
    pub fn failed(&self) -> Option<&str> {
        match &self.shown {
            Shown::Failed(words) => Some(words),
            _ => None,
        }
    }

    /// The picture's size, pixels.
    pub fn size(&self) -> Option<(usize, usize)> {
        match &self.shown {
            Shown::Picture(it) => it.frames.get(self.frame).map(|it| it.0.size()),
            _ => None,
        }
    }

    /// Pixels of the screen for one of the picture.
    pub fn zoom(&self) -> f64 {
        match &self.shown {
            Shown::Picture(it) if self.fits => it.frames[self.frame].0.fit(self.room.get()),
            _ => self.zoom,
        }
    }

    fn view_of(&self) -> View {
        let middle = if self.fits { self.size().map_or((0.0, 0.0), |(w, h)| (w as f64 / 2.0, h as f64 / 2.0)) } else { self.middle };
        View { zoom: self.zoom(), middle }
    }

    fn read(&mut self) -> Task<Message> {
        let Some(path) = self.file().map(Path::to_owned) else { return Task::none() };
        self.asked += 1;
        let asked = self.asked;
        (self.shown, self.fits, self.frame, self.is_paused) = (Shown::Loading, true, 0, false);
        job::start(move |_| {
            // A decoder that fails on what is damaged must not end the window.
            let loaded = std::panic::catch_unwind(|| load::load(&path)).unwrap_or_else(|_| Err(load::Error::Broken("the decoder gave up".to_owned())));
            Message::Loaded(asked, loaded.map(Arc::new).map_err(|error| format!("{} cannot be shown: {error}.", path.file_name().unwrap_or_default().to_string_lossy())))
        })
    }

    fn go(&mut self, at: usize) -> Task<Message> {
        if at == self.at && !matches!(self.shown, Shown::Failed(_)) {
            return Task::none();
        }
        self.at = at;
        self.read()
    }

    /// Has the next picture of a moving one come.
    fn wait(&self) -> Task<Message> {
        let Shown::Picture(it) = &self.shown else { return Task::none() };
        if it.frames.len() < 2 || self.is_paused {
            return Task::none();
        }
        let (delay, asked): (Duration, u64) = (it.frames[self.frame].1, self.asked);
        job::start(move |_| {
            std::thread::sleep(delay);
            Message::Next(asked)
        })
    }

    /// A zoom of its own from now on.
    fn set_zoom(&mut self, zoom: f64, (x, y): (f32, f32)) {
        let view = self.view_of();
        let zoom = zoom.clamp(ZOOMS.0, ZOOMS.1);
        // What is below that point stays there.
        let shift = |middle: f64, at: f32| middle + f64::from(at) / view.zoom - f64::from(at) / zoom;
        (self.fits, self.zoom) = (false, zoom);
        self.middle = (shift(view.middle.0, x), shift(view.middle.1, y));
        self.hold();
    }

    /// The picture does not leave the room.
    fn hold(&mut self) {
        let Some((width, height)) = self.size() else { return };
        let room = self.room.get();
        let held = |middle: f64, whole: usize, room: usize| {
            let half = room as f64 / self.zoom / 2.0;
            if half * 2.0 >= whole as f64 { whole as f64 / 2.0 } else { middle.clamp(half, whole as f64 - half) }
        };
        self.middle = (held(self.middle.0, width, room.0), held(self.middle.1, height, room.1));
    }

    fn shift(&mut self, x: f32, y: f32) {
        let view = self.view_of();
        if self.fits {
            return;
        }
        self.middle = (view.middle.0 + f64::from(x) / view.zoom, view.middle.1 + f64::from(y) / view.zoom);
        self.hold();
    }

    fn full(&mut self, is_full: bool) -> Task<Message> {
        self.is_full = is_full;
        let mode = if is_full { window::Mode::Fullscreen } else { window::Mode::Windowed };
        runtime::window::latest().and_then(move |id| runtime::window::set_mode(id, mode))
    }
}

impl App for Viewer {
    type Message = Message;

    const ID: &'static str = "org.genai.Viewer";

    fn title(&self) -> String {
        self.file().and_then(Path::file_name).map_or_else(|| "Pictures".to_owned(), |it| it.to_string_lossy().into_owned())
    }

    fn update(&mut self, message: Message) -> Task<Message> {
        match message {
            Message::Loaded(asked, loaded) if asked == self.asked => {
                self.number += 1;
                match loaded {
                    Ok(loaded) => {
                        self.kind = loaded.kind;
                        self.shown = Shown::Picture(Box::new(Arc::unwrap_or_clone(loaded)));
                        return self.wait();
                    }
                    Err(words) => self.shown = Shown::Failed(words),
                }
            }
            Message::Turn(by) if !self.files.is_empty() => {
                let at = (self.at as isize + by).rem_euclid(self.files.len() as isize) as usize;
                return self.go(at);
            }
            Message::End(is_last) if !self.files.is_empty() => return self.go(if is_last { self.files.len() - 1 } else { 0 }),
            Message::Zoom(by, at) => self.set_zoom(self.zoom() * by, at),
            Message::Whole if self.fits => self.set_zoom(1.0, (0.0, 0.0)),
            Message::Whole | Message::Fit => self.fits = true,
            Message::Real => self.set_zoom(1.0, (0.0, 0.0)),
            Message::Move(x, y) => self.shift(x, y),
            Message::Step(x, y) => {
                let room = self.room.get();
                self.shift(x * MOVE * room.0 as f32, y * MOVE * room.1 as f32);
            }
            Message::Rotate(turn) => {
                if let Shown::Picture(it) = &mut self.shown {
                    it.frames.iter_mut().for_each(|it| it.0 = it.0.turned(turn));
                    (self.number, self.fits) = (self.number + 1, true);
                }
            }
            Message::Next(asked) if asked == self.asked && !self.is_paused => {
                if let Shown::Picture(it) = &self.shown {
                    (self.frame, self.number) = ((self.frame + 1) % it.frames.len(), self.number + 1);
                }
                return self.wait();
            }
            Message::Pause => {
                self.is_paused = !self.is_paused;
                // Who waits still must not come beside the new one.
                if !self.is_paused {
                    self.asked += 1;
                }
                return self.wait();
            }
            Message::Full => return self.full(!self.is_full),
            Message::Escape if self.is_full => return self.full(false),
            Message::Bar => self.has_bar = !self.has_bar,
            Message::Close | Message::Escape => return runtime::exit(),
            Message::Loaded(..) | Message::Turn(_) | Message::End(_) | Message::Next(_) => {}
        }
        Task::none()
    }

    fn view(&self) -> Element<'_, Message> {
        view::window(self)
    }

    fn subscription(&self) -> Subscription<Message> {
        event::listen_with(|event, status, _| match event {
            Event::Keyboard(keyboard::Event::KeyPressed { key, modifiers, .. }) if status == Status::Ignored => keys::meaning(&key, modifiers),
            _ => None,
        })
    }

    fn theme(&self) -> Theme {
        theme::light_or_current(self.is_light)
    }
}
