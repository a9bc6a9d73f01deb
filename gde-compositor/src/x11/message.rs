//! What the desktop and the window manager's thread tell each other.

use std::os::fd::OwnedFd;

use gde_layout::{Edges, Rect, Size, State};
use smithay::wayland::selection::SelectionTarget;

/// The number of a window at the X server.
pub type XWindow = u32;

/// What an X11 program says of its window.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// What it is called.
    pub title: String,
    /// The program: the class of WM_CLASS.
    pub class: String,
    /// The window that it belongs to.
    pub parent: Option<XWindow>,
    /// The smallest size that it may have; 0 is no limit.
    pub min: Size,
    /// The largest size that it may have; 0 is no limit.
    pub max: Size,
    /// Whether it wants a title bar.
    pub has_decoration: bool,
    /// What it wants to be when it appears.
    pub state: State,
    /// Whether it wants to be minimised when it appears.
    pub is_minimized: bool,
}

/// What a window is told that it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct States {
    /// As large as the screen.
    pub is_maximized: bool,
    /// All of the screen.
    pub is_fullscreen: bool,
    /// Put away by the user.
    pub is_minimized: bool,
    /// It has the keyboard.
    pub is_focused: bool,
}

/// How a state is to be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is to be so.
    Set,
    /// It is not to be so.
    Unset,
    /// The other way round.
    Toggle,
}

/// What a program wants for its window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// A size of its content.
    Size(Size),
    /// To be maximised or fullscreen, or not to be.
    State(State, Change),
    /// To be put away.
    Minimize,
    /// To be shown and to get the keyboard.
    Activate,
    /// To be closed.
    Close,
    /// To be moved by the pointer, or resized by these edges.
    Drag(Edges),
}

/// What the desktop says.
#[derive(Debug)]
pub enum Command {
    /// A window is there, with a title bar of this height above.
    Place(XWindow, Rect, i32),
    /// A window is so.
    States(XWindow, States),
    /// A window has the keyboard, or none of X11 programs.
    Focus(Option<XWindow>),
    /// A window is to be closed.
    Close(XWindow),
    /// The order of windows, the lowest first.
    Stack(Vec<XWindow>),
    /// Something can be pasted, in these forms; in none where there is nothing.
    Offer(SelectionTarget, Vec<String>),
    /// What an X11 program offers is to be written to a descriptor in this form.
    Receive(SelectionTarget, String, OwnedFd),
}

/// What the window manager's thread says.
#[derive(Debug)]
pub enum Event {
    /// Programs are served.
    Ready,
    /// A window is shown; its picture is the surface of this number.
    Shown(XWindow, u32, Box<Facts>),
    /// Something that places itself, such as a menu, is shown there; its picture is the surface of this number.
    ShownUnmanaged(XWindow, u32, Rect),
    /// It is elsewhere.
    Moved(XWindow, Rect),
    /// A window has another title, or other limits.
    Changed(XWindow, Box<Facts>),
    /// A window is not shown any more.
    Hidden(XWindow),
    /// A program wants something for its window.
    Wants(XWindow, Wish),
    /// A program offers something to paste, in these forms; in none where it does not any more.
    Offers(SelectionTarget, Vec<String>),
    /// A program pastes: what can be pasted is to be written to a descriptor in this form.
    Asks(SelectionTarget, String, OwnedFd),
    /// No programs are there, for some time.
    Idle,
    /// The server does not answer any more.
    Ended(String),
}
