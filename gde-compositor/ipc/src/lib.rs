//! The messages between GDE and other programs: JSON, one object a line, over a socket in the runtime directory, which only its owner reaches.
//!
//! A client sends [`Request`]s and gets an [`Answer`] to each, in order. After [`Request::Events`] it gets [`Event`]s instead.

mod habits;
mod menu;
mod picture;
mod quick;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use actions::desktop::{DesktopAction, Part};
pub use habits::{Habit, Habits, Usual};
pub use menu::{Mark, Menu, MenuItem};
pub use picture::Picture;
pub use quick::QuickControl;
use serde::{Deserialize, Serialize};

/// The environment variable that names the socket.
pub const SOCKET: &str = "GDE_SOCKET";

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "kebab-case")]
pub enum Request {
    /// All windows, the topmost first.
    Windows,
    /// All workspaces.
    Workspaces,
    /// All screens.
    Outputs,
    /// Do something.
    Action {
        /// What.
        action: DesktopAction,
    },
    /// Give a screen another size, until the settings say so again.
    Mode {
        /// The screen's name.
        output: String,
        /// Pixels a row.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// Use a screen otherwise, until the settings say so again.
    Screen {
        /// The screen's name.
        output: String,
        /// How large everything on it is, in per cent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scale_percent: Option<u16>,
        /// Whether it shows something. The last one that does stays on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        is_on: Option<bool>,
    },
    /// Write the picture of a screen into a file that must be there: rows of pixels, each four bytes, blue, green, red and nothing.
    Screenshot {
        /// The screen's name; without it the first one.
        output: Option<String>,
        /// Where to.
        path: PathBuf,
    },
    /// From now on tell what happens.
    Events,
    /// Show a notice.
    Notify {
        /// What it says.
        notice: Notice,
        /// The number of one whose place it takes, where that is still there.
        replaces: Option<u32>,
    },
    /// Take a notice away.
    CloseNotice {
        /// Its number.
        id: u32,
    },
    /// The notices that are seen.
    Notices,
    /// What is in the quick settings.
    QuickSettings,
    /// A learning session begins, and lasts until this connection ends.
    Lesson {
        /// What it wants; without it what the user's settings say of learning, also where they change meanwhile.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lesson: Option<Lesson>,
    },
    /// What was learnt of windows that are used together.
    Habits,
    /// Forget it.
    ForgetHabits {
        /// Only what is about this program.
        app: Option<String>,
    },
    /// The variables that programs of the session have.
    Environment,
    /// Show pictures of programs at the right of the panel, instead of others, until this connection ends. There is room for 16, of 20 x 20 pixels each.
    ShowTray {
        /// From the left.
        items: Vec<TrayItem>,
    },
    /// What is at the right of the panel.
    Tray,
    /// Show a menu below the panel, where the pointer is, until something is chosen or this connection ends.
    ShowMenu {
        /// The menu.
        menu: Menu,
    },
}

/// What a learning session wants. What the user has chosen is never made less.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lesson {
    /// Text of this size at least, in per cent.
    pub text_percent: Option<u16>,
    /// As much contrast as there is.
    pub high_contrast: bool,
    /// All but the focused window dimmed, and only urgent notices.
    pub focus: bool,
}

/// A program at the right of the panel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrayItem {
    /// What clicks on it are told by.
    pub id: u32,
    /// What it is called.
    pub title: String,
    /// What is seen of it.
    pub picture: Picture,
}

/// A button of the mouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrayButton {
    /// The first one.
    Left,
    /// Any other one.
    Middle,
    /// The second one.
    Right,
}

/// How much a notice matters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Urgency {
    /// It goes soon.
    Low,
    /// As most.
    #[default]
    Normal,
    /// It stays, and is seen also where others are not wanted.
    Critical,
}

/// A notice: short words at a corner of the screen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Notice {
    /// Who says it; empty for the desktop itself.
    pub app: String,
    /// In large letters.
    pub title: String,
    /// More words.
    pub body: String,
    /// What can be done: a name for programs, and a label. The one named `default` is that of a click on the words.
    pub actions: Vec<(String, String)>,
    /// How much it matters.
    pub urgency: Urgency,
    /// When it goes, milliseconds; 0 where it stays, none where that is left to the desktop.
    pub timeout_ms: Option<u32>,
    /// Beside the words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<Picture>,
}

/// Why a notice has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// Its time was over.
    Expired,
    /// The user has put it away.
    Dismissed,
    /// Its program has.
    Closed,
    /// There were too many.
    Undefined,
}

/// A window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Its number, which is never used again.
    pub id: u64,
    /// What it calls itself.
    pub title: String,
    /// What its program calls itself.
    pub app_id: String,
    /// Left edge with its title bar, in logical pixels.
    pub x: i32,
    /// Upper edge.
    pub y: i32,
    /// Width.
    pub width: i32,
    /// Height.
    pub height: i32,
    /// Its workspace, from 1.
    pub workspace: usize,
    /// What part of the screen it takes.
    pub part: Part,
    /// Whether it has the keyboard.
    pub is_focused: bool,
    /// Whether it is shown.
    pub is_visible: bool,
    /// Whether it is hidden by the user.
    pub is_minimized: bool,
    /// Whether it is on all workspaces.
    pub is_sticky: bool,
}

/// A workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workspace {
    /// From 1.
    pub number: usize,
    /// Whether it is shown.
    pub is_active: bool,
    /// Whether its windows are tiled.
    pub is_tiled: bool,
    /// How many windows are on it.
    pub windows: usize,
}

/// A screen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// The connector's name.
    pub name: String,
    /// Where it is, in logical pixels.
    pub x: i32,
    /// Where it is, in logical pixels.
    pub y: i32,
    /// Its pixels.
    pub width: i32,
    /// Its pixels.
    pub height: i32,
    /// Frames a second, in thousandths.
    pub refresh_mhz: i32,
    /// Pixels a logical pixel.
    pub scale: f64,
    /// Frames shown so far.
    pub frames: u64,
    /// What it can show: each size once, the largest first.
    #[serde(default)]
    pub modes: Vec<Mode>,
    /// Whether it shows something; where it does not, its size is the one that it had last, or prefers.
    #[serde(default = "yes")]
    pub is_on: bool,
}

fn yes() -> bool {
    true
}

/// What a screen can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mode {
    /// Pixels a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Frames a second, in thousandths.
    pub refresh_mhz: i32,
    /// Whether the screen wants it.
    pub is_preferred: bool,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum Answer {
    /// It is done.
    Done,
    /// It cannot be done.
    Failed {
        /// Why.
        problem: String,
    },
    /// The windows.
    Windows {
        /// All.
        windows: Vec<Window>,
    },
    /// The workspaces.
    Workspaces {
        /// All.
        workspaces: Vec<Workspace>,
    },
    /// The screens.
    Outputs {
        /// All.
        outputs: Vec<Output>,
    },
    /// A notice is shown, or waits.
    Notified {
        /// Its number.
        id: u32,
    },
    /// What is in the quick settings.
    QuickSettings {
        /// In the order of the key Tab; none while they are closed.
        controls: Vec<QuickControl>,
    },
    /// A learning session has begun.
    Lesson {
        /// What it wants.
        lesson: Lesson,
    },
    /// What was learnt.
    Habits {
        /// All of it.
        habits: Habits,
    },
    /// The variables.
    Environment {
        /// By their names.
        variables: BTreeMap<String, String>,
    },
    /// What is at the right of the panel.
    Tray {
        /// From the left.
        titles: Vec<String>,
    },
    /// What is seen.
    Notices {
        /// From above.
        titles: Vec<String>,
    },
    /// The picture is in the file.
    Screenshot {
        /// Pixels a row.
        width: usize,
        /// Rows.
        height: usize,
    },
}

/// What happens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// Something about windows or workspaces has changed: they are so now.
    Windows {
        /// All, the topmost first.
        windows: Vec<Window>,
        /// The workspace that is shown, from 1.
        workspace: usize,
    },
    /// A notice has gone.
    NoticeClosed {
        /// Its number.
        id: u32,
        /// Why.
        reason: Reason,
    },
    /// The user has chosen an action of a notice.
    NoticeAction {
        /// Its number.
        id: u32,
        /// The action's name.
        action: String,
        /// With this the program may give a window of its the keyboard (xdg-activation), for some seconds.
        #[serde(default)]
        token: String,
    },
    /// The user has clicked on a program at the right of the panel.
    TrayClicked {
        /// Which.
        id: u32,
        /// By what.
        button: TrayButton,
        /// Where, in logical pixels.
        x: i32,
        /// Where, in logical pixels.
        y: i32,
    },
    /// A menu has gone.
    MenuClosed {
        /// Its number.
        id: u32,
        /// The item that was chosen.
        item: Option<i32>,
    },
}

/// The socket of this session's desktop, else of the one of the system's own session.
pub fn socket() -> PathBuf {
    std::env::var_os(SOCKET).map(PathBuf::from).unwrap_or_else(|| {
        let dir = std::env::var_os("XDG_RUNTIME_DIR").map_or_else(|| PathBuf::from("/run/user/0"), PathBuf::from);
        dir.join("gde.socket")
    })
}

/// A connection to GDE.
pub struct Client {
    stream: BufReader<UnixStream>,
}

impl Client {
    /// Connects to the desktop of this session, else to the one of the system's own session.
    ///
    /// # Errors
    /// Where no desktop runs.
    pub fn connect() -> std::io::Result<Self> {
        Self::at(&socket())
    }

    /// Connects to a socket.
    ///
    /// # Errors
    /// Where nobody listens there.
    pub fn at(path: &Path) -> std::io::Result<Self> {
        let stream = UnixStream::connect(path).map_err(|error| std::io::Error::new(error.kind(), format!("no desktop answers at {}: {error}", path.display())))?;
        Ok(Client { stream: BufReader::new(stream) })
    }

    /// Waits no longer than this for an answer.
    ///
    /// # Errors
    /// For no time at all.
    pub fn wait_at_most(&self, time: std::time::Duration) -> std::io::Result<()> {
        self.stream.get_ref().set_read_timeout(Some(time))?;
        self.stream.get_ref().set_write_timeout(Some(time))
    }

    /// Asks.
    ///
    /// # Errors
    /// Where the desktop is gone, or its answer is none.
    pub fn ask(&mut self, request: &Request) -> std::io::Result<Answer> {
        let mut line = serde_json::to_vec(request)?;
        line.push(b'\n');
        self.stream.get_mut().write_all(&line)?;
        Ok(serde_json::from_str(&self.line()?)?)
    }

    /// The next event.
    ///
    /// # Errors
    /// Where the desktop is gone.
    pub fn next_event(&mut self) -> std::io::Result<Event> {
        Ok(serde_json::from_str(&self.line()?)?)
    }

    fn line(&mut self) -> std::io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_as_documented() {
        let request = Request::Action { action: "snap left".parse().unwrap() };
        assert_eq!(serde_json::to_string(&request).unwrap(), r#"{"request":"action","action":{"do":"snap","window":null,"side":"left"}}"#);
        assert_eq!(serde_json::to_string(&Request::Lesson { lesson: None }).unwrap(), r#"{"request":"lesson"}"#);
        assert_eq!(serde_json::to_string(&Request::Windows).unwrap(), r#"{"request":"windows"}"#);
        assert_eq!(serde_json::to_string(&Answer::Failed { problem: "x".into() }).unwrap(), r#"{"answer":"failed","problem":"x"}"#);
    }
}
