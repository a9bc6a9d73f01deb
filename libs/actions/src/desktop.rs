//! What can be asked of the desktop. Every action has a form in words, which is what `gdectl action` takes: `snap left`, `close 12`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A window, by the number that the compositor gave it.
pub type WindowNumber = u64;

/// Where to: an arrow key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum Side {
    Left,
    Right,
    Up,
    Down,
}

/// What part of the screen a window takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum Part {
    /// Its own rectangle.
    Free,
    Left,
    Right,
    TopLeft,
    TopRight,
    BottomLeft,
    BottomRight,
    /// All but the panels.
    Maximized,
    /// All of it.
    Fullscreen,
}

/// What a picture of the screen shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum Shot {
    /// All of it.
    Screen,
    /// The focused window.
    Window,
    /// A part that is chosen then.
    Region,
}

/// Something the desktop can be asked to do. Without a window the focused one is meant. Workspaces count from 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum DesktopAction {
    /// Show a window above the others and give it the keyboard.
    Focus { window: WindowNumber },
    /// Ask a window to close.
    Close { window: Option<WindowNumber> },
    /// What Super and an arrow key do.
    Snap { window: Option<WindowNumber>, side: Side },
    /// Give a window a part of the screen.
    Put { window: Option<WindowNumber>, part: Part },
    /// Give a window a rectangle of its own.
    Frame { window: Option<WindowNumber>, x: i32, y: i32, width: i32, height: i32 },
    /// As large as the screen, or back.
    ToggleMaximized { window: Option<WindowNumber> },
    /// The whole screen, or back.
    ToggleFullscreen { window: Option<WindowNumber> },
    /// Hide a window.
    Minimize { window: Option<WindowNumber> },
    /// On all workspaces, or on one.
    ToggleSticky { window: Option<WindowNumber> },
    /// In the tiles, or above them.
    ToggleFloating { window: Option<WindowNumber> },
    /// Into the scratchpad, or out of it.
    ToScratchpad { window: Option<WindowNumber> },
    /// Call for the scratchpad, or put it away.
    Scratchpad,
    /// Exchange two windows.
    Swap { window: WindowNumber, other: WindowNumber },
    /// Move a window to a workspace.
    MoveTo { window: Option<WindowNumber>, workspace: usize },
    /// Show a workspace.
    Workspace { workspace: usize },
    /// Tile the present workspace, or let its windows float.
    ToggleTiling,
    /// Give the main tile more of the width, in thousandths.
    Share { by: i32 },
    /// The window used before this one; again for the one before that.
    NextWindow,
    /// The other way round.
    PreviousWindow,
    /// Take back the last change of the layout.
    Undo,
    /// Make it again.
    Redo,
    /// Open a terminal.
    Terminal,
    /// Open or close the launcher.
    Launcher,
    /// Open or close the overview.
    Overview,
    /// Open or close the quick settings: switches, the network, the month, the ways to end the session.
    QuickSettings,
    /// Take a picture of the screen, of the focused window, or of a part that is chosen then.
    Screenshot { shot: Shot },
    /// Lock the session.
    Lock,
    /// Put the notices away.
    DismissNotices,
    /// Show only urgent notices, or all again.
    ToggleQuiet,
    /// Dim all but the focused window and show only urgent notices, or all again.
    ToggleFocusMode,
    /// Arrange windows as the desktop offers it now.
    AcceptOffer,
    /// Put away what the desktop offers now; such things are offered less.
    DismissOffer,
    /// Start a program by its command line.
    Run { command: String },
    /// End the desktop.
    Quit,
}

/// A text that is no action.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no action of the desktop: {problem}. Examples: snap left, put 3 top-right, close, workspace 2, undo, run foot")]
pub struct UnknownAction {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    pub problem: String,
}

fn named<T: for<'a> Deserialize<'a>>(word: &str) -> Option<T> {
    T::deserialize(serde::de::value::StrDeserializer::<serde::de::value::Error>::new(word)).ok()
}

impl FromStr for DesktopAction {
    type Err = UnknownAction;

    fn from_str(text: &str) -> Result<Self, UnknownAction> {
        let fail = |problem: &str| UnknownAction { text: text.to_owned(), problem: problem.to_owned() };
        let mut words: Vec<&str> = text.split_whitespace().collect();
        if words.is_empty() {
            return Err(fail("it is empty"));
        }
        let name = words.remove(0);
        if name == "run" {
            let command = text.trim_start()["run".len()..].trim().to_owned();
            return if command.is_empty() { Err(fail("what to run is missing")) } else { Ok(DesktopAction::Run { command }) };
        }
        // A number first is the window, except where it cannot be left out.
        let mut next = || if words.is_empty() { None } else { Some(words.remove(0)) };
        let number = |word: Option<&str>| word.and_then(|word| word.parse::<u64>().ok()).ok_or_else(|| fail("a number is missing"));
        let small = |word: Option<&str>| word.and_then(|word| word.parse::<i32>().ok()).ok_or_else(|| fail("a number is missing"));
        let action = match name {
            "focus" => DesktopAction::Focus { window: number(next())? },
            "swap" => DesktopAction::Swap { window: number(next())?, other: number(next())? },
            "workspace" => DesktopAction::Workspace { workspace: number(next())? as usize },
            "share" => DesktopAction::Share { by: small(next())? },
            "scratchpad" => DesktopAction::Scratchpad,
            "toggle-tiling" => DesktopAction::ToggleTiling,
            "next-window" => DesktopAction::NextWindow,
            "previous-window" => DesktopAction::PreviousWindow,
            "undo" => DesktopAction::Undo,
            "redo" => DesktopAction::Redo,
            "terminal" => DesktopAction::Terminal,
            "launcher" => DesktopAction::Launcher,
            "overview" => DesktopAction::Overview,
            "quick-settings" => DesktopAction::QuickSettings,
            "lock" => DesktopAction::Lock,
            "dismiss-notices" => DesktopAction::DismissNotices,
            "toggle-quiet" => DesktopAction::ToggleQuiet,
            "toggle-focus-mode" => DesktopAction::ToggleFocusMode,
            "accept-offer" => DesktopAction::AcceptOffer,
            "dismiss-offer" => DesktopAction::DismissOffer,
            "screenshot" => {
                let shot = next().map_or(Some(Shot::Screen), named).ok_or_else(|| fail("screen, window or region is needed"))?;
                DesktopAction::Screenshot { shot }
            }
            "quit" => DesktopAction::Quit,
            "frame" => {
                let mut values = Vec::new();
                while let Some(word) = next() {
                    values.push(small(Some(word))?);
                }
                let (window, rest) = match values.len() {
                    4 => (None, &values[..]),
                    5 => (Some(values[0].max(0) as u64), &values[1..]),
                    _ => return Err(fail("x, y, width and height are needed")),
                };
                DesktopAction::Frame { window, x: rest[0], y: rest[1], width: rest[2], height: rest[3] }
            }
            "move-to" => {
                let first = number(next())?;
                match next() {
                    Some(second) => DesktopAction::MoveTo { window: Some(first), workspace: number(Some(second))? as usize },
                    None => DesktopAction::MoveTo { window: None, workspace: first as usize },
                }
            }
            "snap" | "put" => {
                let first = next().ok_or_else(|| fail("where to is missing"))?;
                let (window, place) = match first.parse() {
                    Ok(window) => (Some(window), next().ok_or_else(|| fail("where to is missing"))?),
                    Err(_) => (None, first),
                };
                if name == "snap" {
                    DesktopAction::Snap { window, side: named(place).ok_or_else(|| fail("left, right, up or down is needed"))? }
                } else {
                    DesktopAction::Put { window, part: named(place).ok_or_else(|| fail("there is no such part of the screen"))? }
                }
            }
            _ => {
                let window = match next() {
                    Some(word) => Some(number(Some(word))?),
                    None => None,
                };
                match name {
                    "close" => DesktopAction::Close { window },
                    "toggle-maximized" => DesktopAction::ToggleMaximized { window },
                    "toggle-fullscreen" => DesktopAction::ToggleFullscreen { window },
                    "minimize" => DesktopAction::Minimize { window },
                    "toggle-sticky" => DesktopAction::ToggleSticky { window },
                    "toggle-floating" => DesktopAction::ToggleFloating { window },
                    "to-scratchpad" => DesktopAction::ToScratchpad { window },
                    _ => return Err(fail("there is no action of this name")),
                }
            }
        };
        if words.is_empty() { Ok(action) } else { Err(fail("there are words too many")) }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

impl fmt::Display for Shot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

impl fmt::Display for DesktopAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut with = |name: &str, window: &Option<u64>| match window {
            Some(window) => write!(f, "{name} {window}"),
            None => f.write_str(name),
        };
        match self {
            DesktopAction::Focus { window } => with("focus", &Some(*window)),
            DesktopAction::Close { window } => with("close", window),
            DesktopAction::Snap { window, side } => {
                with("snap", window)?;
                write!(f, " {side}")
            }
            DesktopAction::Put { window, part } => {
                with("put", window)?;
                write!(f, " {part}")
            }
            DesktopAction::Frame { window, x, y, width, height } => {
                with("frame", window)?;
                write!(f, " {x} {y} {width} {height}")
            }
            DesktopAction::ToggleMaximized { window } => with("toggle-maximized", window),
            DesktopAction::ToggleFullscreen { window } => with("toggle-fullscreen", window),
            DesktopAction::Minimize { window } => with("minimize", window),
            DesktopAction::ToggleSticky { window } => with("toggle-sticky", window),
            DesktopAction::ToggleFloating { window } => with("toggle-floating", window),
            DesktopAction::ToScratchpad { window } => with("to-scratchpad", window),
            DesktopAction::Scratchpad => f.write_str("scratchpad"),
            DesktopAction::Swap { window, other } => write!(f, "swap {window} {other}"),
            DesktopAction::MoveTo { window, workspace } => {
                with("move-to", window)?;
                write!(f, " {workspace}")
            }
            DesktopAction::Workspace { workspace } => write!(f, "workspace {workspace}"),
            DesktopAction::ToggleTiling => f.write_str("toggle-tiling"),
            DesktopAction::Share { by } => write!(f, "share {by}"),
            DesktopAction::NextWindow => f.write_str("next-window"),
            DesktopAction::PreviousWindow => f.write_str("previous-window"),
            DesktopAction::Undo => f.write_str("undo"),
            DesktopAction::Redo => f.write_str("redo"),
            DesktopAction::Terminal => f.write_str("terminal"),
            DesktopAction::Launcher => f.write_str("launcher"),
            DesktopAction::Overview => f.write_str("overview"),
            DesktopAction::QuickSettings => f.write_str("quick-settings"),
            DesktopAction::Screenshot { shot } => write!(f, "screenshot {shot}"),
            DesktopAction::Lock => f.write_str("lock"),
            DesktopAction::DismissNotices => f.write_str("dismiss-notices"),
            DesktopAction::ToggleQuiet => f.write_str("toggle-quiet"),
            DesktopAction::ToggleFocusMode => f.write_str("toggle-focus-mode"),
            DesktopAction::AcceptOffer => f.write_str("accept-offer"),
            DesktopAction::DismissOffer => f.write_str("dismiss-offer"),
            DesktopAction::Run { command } => write!(f, "run {command}"),
            DesktopAction::Quit => f.write_str("quit"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_actions_are_the_same() {
        for text in [
            "focus 3", "close", "close 12", "snap left", "snap 4 down", "put top-right", "put 7 fullscreen", "frame 1 2 300 400", "frame 9 -1 2 300 400",
            "toggle-maximized", "minimize 2", "move-to 3", "move-to 5 3", "workspace 2", "swap 1 2", "share -50", "undo", "run foot -e htop", "toggle-tiling", "quick-settings", "accept-offer", "dismiss-offer", "toggle-focus-mode", "quit",
        ] {
            let action: DesktopAction = text.parse().unwrap();
            assert_eq!(action.to_string(), text);
            let json = serde_json::to_string(&action).unwrap();
            assert_eq!(serde_json::from_str::<DesktopAction>(&json).unwrap(), action, "{json}");
        }
        assert_eq!(serde_json::to_string(&"snap left".parse::<DesktopAction>().unwrap()).unwrap(), r#"{"do":"snap","window":null,"side":"left"}"#);
    }

    #[test]
    fn what_is_no_action_is_said() {
        for text in ["", "snap", "snap 3", "snap sideways", "focus", "focus x", "undo 3", "frame 1 2 3", "run  ", "fly", "close 1 2"] {
            let error = text.parse::<DesktopAction>().unwrap_err();
            assert!(error.to_string().contains("Examples"), "{error}");
        }
    }
}
