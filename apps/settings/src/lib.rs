//! Settings: how the desktop looks and works, what is connected, and who may use the machine.
//!
//! Each page of [`pages`] says by a [`form`] what there is, and what its messages do; the window is one for all (`view`), and so are the keys (`update`).
//! What the desktop itself reads is kept by the crate `desktop-settings`; for the rest the system's own commands and files are used.

pub mod command;
pub mod form;
pub mod pages;
mod update;
mod view;

use std::path::PathBuf;

use genai_ui::Task;
use pages::{about, ai, appearance, display, keyboard, network, updates, users};

/// Where what is changed is kept.
#[derive(Debug, Clone)]
pub struct Places {
    /// The user's settings of the desktop.
    pub settings: PathBuf,
    /// The machine's: `/etc`.
    pub etc: PathBuf,
    /// XKB's list of layouts.
    pub layouts: PathBuf,
    /// `/proc`.
    pub proc: PathBuf,
    /// `/sys`.
    pub sys: PathBuf,
}

impl Places {
    /// Those of the system, and of this user.
    pub fn of_system() -> Self {
        Places {
            settings: desktop_settings::path().unwrap_or_else(|| "/root/.config/genai/desktop.toml".into()),
            etc: "/etc".into(),
            layouts: "/usr/share/X11/xkb/rules/base.lst".into(),
            proc: "/proc".into(),
            sys: "/sys".into(),
        }
    }
}

/// What the window shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Page {
    /// Colours, text, animations.
    Appearance,
    /// Sizes of screens.
    Display,
    /// The keyboard's layout.
    Keyboard,
    /// Addresses and name servers.
    Network,
    /// Who may use the machine.
    Users,
    /// Who answers questions, and what leaves the machine.
    Ai,
    /// Newer versions of what is installed.
    Updates,
    /// What this machine is.
    About,
}

impl Page {
    /// All, in their order.
    pub const ALL: [Page; 8] = [Page::Appearance, Page::Display, Page::Keyboard, Page::Network, Page::Users, Page::Ai, Page::Updates, Page::About];

    /// Its title.
    pub fn title(self) -> &'static str {
        match self {
            Page::Appearance => "Appearance",
            Page::Display => "Display",
            Page::Keyboard => "Keyboard",
            Page::Network => "Network",
            Page::Users => "Users",
            Page::Ai => "AI and privacy",
            Page::Updates => "Updates",
            Page::About => "About",
        }
    }
}

/// What happens.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub enum Message {
    /// Another page.
    Go(Page),
    /// So many pages on.
    Turn(isize),
    /// So many rows on.
    Step(isize),
    /// An arrow to the side.
    Beside(isize),
    /// Enter or the space bar.
    Press,
    /// Escape.
    Leave,
    /// The question is answered so.
    Confirm,
    /// A second has passed while a question waits that answers itself.
    Tick,
    /// Something was done, or could not be: it is said, and the page read again.
    Finished(Result<String, String>),
    /// What the page shows cannot be read.
    Failed(String),
    Appearance(appearance::Message),
    Display(display::Message),
    Keyboard(keyboard::Message),
    Network(network::Message),
    Users(users::Message),
    Ai(ai::Message),
    Updates(updates::Message),
    About(about::Message),
}

/// A question.
#[derive(Debug, Clone)]
pub struct Question {
    /// In a few words.
    pub title: String,
    /// What follows.
    pub words: String,
    /// The button.
    pub confirm: &'static str,
    /// Whether that takes something away.
    pub is_danger: bool,
    /// What then happens.
    pub message: Message,
    /// What happens where it is not meant.
    pub otherwise: Option<Message>,
    /// Seconds after which it is not meant.
    pub seconds: Option<u32>,
}

/// The app.
pub struct Settings {
    places: Places,
    page: Page,
    /// The row that the keys are at, of those where they stop.
    at: Option<usize>,
    asking: Option<Question>,
    /// What was said last: of success, or of trouble.
    said: Option<Result<String, String>>,
    is_busy: bool,
    is_light: bool,
    appearance: appearance::State,
    display: display::State,
    keyboard: keyboard::State,
    network: network::State,
    users: users::State,
    ai: ai::State,
    updates: updates::State,
    about: about::State,
}

impl Settings {
    /// An app that shows a page, and what it does first.
    pub fn new(places: Places, page: Page, is_light: bool) -> (Self, Task<Message>) {
        let app = Settings {
            places,
            page,
            at: None,
            asking: None,
            said: None,
            is_busy: false,
            is_light,
            appearance: Default::default(),
            display: Default::default(),
            keyboard: Default::default(),
            network: Default::default(),
            users: Default::default(),
            ai: Default::default(),
            updates: Default::default(),
            about: Default::default(),
        };
        let start = app.load();
        (app, start)
    }

    /// What was said last.
    pub fn said(&self) -> Option<&Result<String, String>> {
        self.said.as_ref()
    }

    /// Reads what the page shows.
    fn load(&self) -> Task<Message> {
        let places = self.places.clone();
        match self.page {
            Page::Appearance => appearance::load(places),
            Page::Display => display::load(),
            Page::Keyboard => keyboard::load(places),
            Page::Network => network::load(places),
            Page::Users => users::load(places),
            Page::Ai => ai::load(places),
            Page::Updates => Task::none(),
            Page::About => about::load(places),
        }
    }

    /// What the page shows.
    pub fn sections(&self) -> Vec<form::Section> {
        match self.page {
            Page::Appearance => self.appearance.sections(),
            Page::Display => self.display.sections(),
            Page::Keyboard => self.keyboard.sections(),
            Page::Network => self.network.sections(),
            Page::Users => self.users.sections(),
            Page::Ai => self.ai.sections(),
            Page::Updates => self.updates.sections(self.is_busy),
            Page::About => self.about.sections(),
        }
    }
}
