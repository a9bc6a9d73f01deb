//! What programs say of their windows, read from properties of theirs. Nothing of it is believed further than it makes sense.

use gde_layout::{Size, State};
use x11rb::connection::RequestConnection;
use x11rb::errors::{ConnectionError, ReplyError};
use x11rb::properties::{WmHints, WmHintsState, WmSizeHints};
use x11rb::protocol::xproto::{Atom, AtomEnum, ConnectionExt, GetPropertyReply};

use super::atoms::Atoms;
use crate::x11::message::{Facts, XWindow};

/// How much of a property is read: words of four bytes. A title that is longer is cut off.
const LONGEST: u32 = 1024;
/// The largest side of a window.
const LARGEST: i32 = 32767;

/// What a window's properties say.
#[derive(Debug, Clone)]
pub struct Read {
    /// For the desktop.
    pub facts: Facts,
    /// It takes the keyboard when it is given it.
    pub takes_input: bool,
    /// It wants to be told that it may take the keyboard.
    pub wants_focus_message: bool,
    /// It closes when it is told to.
    pub can_be_closed: bool,
}

/// Whether the change of a property can change what is read here.
pub fn is_of_interest(atoms: &Atoms, atom: Atom) -> bool {
    let standard = [AtomEnum::WM_NAME, AtomEnum::WM_CLASS, AtomEnum::WM_HINTS, AtomEnum::WM_NORMAL_HINTS, AtomEnum::WM_TRANSIENT_FOR];
    let others = [atoms._NET_WM_NAME, atoms.WM_PROTOCOLS, atoms._NET_WM_WINDOW_TYPE, atoms._MOTIF_WM_HINTS];
    standard.iter().any(|it| u32::from(*it) == atom) || others.contains(&atom)
}

/// An answer, or none where the window is gone.
///
/// # Errors
/// Those of the connection.
pub fn unless_gone<T>(answer: Result<T, ReplyError>) -> Result<Option<T>, ConnectionError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(ReplyError::X11Error(_)) => Ok(None),
        Err(ReplyError::ConnectionError(error)) => Err(error),
    }
}

/// Reads what a window's properties say.
///
/// # Errors
/// Those of the connection.
pub fn read(conn: &impl RequestConnection, atoms: &Atoms, window: XWindow) -> Result<Read, ConnectionError> {
    // All questions are asked before the first answer is waited for.
    let ask = |property: Atom| conn.get_property(false, window, property, AtomEnum::ANY, 0, LONGEST);
    let (net_name, name) = (ask(atoms._NET_WM_NAME)?, ask(AtomEnum::WM_NAME.into())?);
    let (class, hints, sizes) = (ask(AtomEnum::WM_CLASS.into())?, ask(AtomEnum::WM_HINTS.into())?, ask(AtomEnum::WM_NORMAL_HINTS.into())?);
    let (parent, protocols) = (ask(AtomEnum::WM_TRANSIENT_FOR.into())?, ask(atoms.WM_PROTOCOLS)?);
    let (kind, motif, states) = (ask(atoms._NET_WM_WINDOW_TYPE)?, ask(atoms._MOTIF_WM_HINTS)?, ask(atoms._NET_WM_STATE)?);
    let net_name = unless_gone(net_name.reply())?.and_then(|it| text(atoms, &it));
    let name = unless_gone(name.reply())?.and_then(|it| text(atoms, &it));
    let class = unless_gone(class.reply())?.map(|it| class_of(&it.value)).unwrap_or_default();
    let hints = unless_gone(hints.reply())?.and_then(|it| WmHints::from_reply(&it).ok().flatten());
    let sizes = unless_gone(sizes.reply())?.and_then(|it| WmSizeHints::from_reply(&it).ok().flatten());
    let parent = unless_gone(parent.reply())?.and_then(|it| words(&it).first().copied()).filter(|it| *it != 0 && *it != window);
    let protocols = unless_gone(protocols.reply())?.map(|it| words(&it)).unwrap_or_default();
    let kind = unless_gone(kind.reply())?.map(|it| words(&it)).unwrap_or_default();
    let motif = unless_gone(motif.reply())?.map(|it| words(&it)).unwrap_or_default();
    let states = unless_gone(states.reply())?.map(|it| words(&it)).unwrap_or_default();
    let state = if states.contains(&atoms._NET_WM_STATE_FULLSCREEN) {
        State::Fullscreen
    } else if states.contains(&atoms._NET_WM_STATE_MAXIMIZED_HORZ) && states.contains(&atoms._NET_WM_STATE_MAXIMIZED_VERT) {
        State::Maximized
    } else {
        State::Free
    };
    let facts = Facts {
        title: net_name.or(name).unwrap_or_default(),
        class,
        parent,
        min: sizes.and_then(|it| it.min_size.or(it.base_size)).map(size).unwrap_or_default(),
        max: sizes.and_then(|it| it.max_size).map(size).unwrap_or_default(),
        has_decoration: has_decoration(atoms, &kind, &motif),
        state,
        is_minimized: hints.is_some_and(|it| matches!(it.initial_state, Some(WmHintsState::Iconic))),
    };
    Ok(Read {
        facts,
        takes_input: hints.and_then(|it| it.input).unwrap_or(true),
        wants_focus_message: protocols.contains(&atoms.WM_TAKE_FOCUS),
        can_be_closed: protocols.contains(&atoms.WM_DELETE_WINDOW),
    })
}

/// The words of a property; none where it is of another format.
pub fn words(reply: &GetPropertyReply) -> Vec<u32> {
    reply.value32().map(Iterator::collect).unwrap_or_default()
}

/// A limit of a size: nothing negative, and no more than X has.
fn size((w, h): (i32, i32)) -> Size {
    Size { w: w.clamp(0, LARGEST), h: h.clamp(0, LARGEST) }
}

/// A property's text. Without a format that says otherwise it is ISO 8859-1, whose characters are the first of Unicode's.
fn text(atoms: &Atoms, reply: &GetPropertyReply) -> Option<String> {
    if reply.format != 8 {
        return None;
    }
    if reply.type_ == atoms.UTF8_STRING {
        return Some(String::from_utf8_lossy(&reply.value).into_owned());
    }
    (reply.type_ == u32::from(AtomEnum::STRING)).then(|| reply.value.iter().copied().map(char::from).collect())
}

/// The second of WM_CLASS's two texts: the program; the first where there is no other.
fn class_of(value: &[u8]) -> String {
    let mut parts = value.split(|byte| *byte == 0);
    let (instance, class) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let chosen = if class.is_empty() { instance } else { class };
    chosen.iter().copied().map(char::from).collect()
}

/// Whether a window wants a title bar: most do, unless they say that they do not, or are no windows that one works in.
fn has_decoration(atoms: &Atoms, kind: &[Atom], motif: &[u32]) -> bool {
    // Of the hints' five words the first says which others are meant; the third are the decorations.
    const DECORATIONS: u32 = 1 << 1;
    if motif.len() >= 3 && motif[0] & DECORATIONS != 0 && motif[2] == 0 {
        return false;
    }
    let bare = [
        atoms._NET_WM_WINDOW_TYPE_COMBO,
        atoms._NET_WM_WINDOW_TYPE_DND,
        atoms._NET_WM_WINDOW_TYPE_DOCK,
        atoms._NET_WM_WINDOW_TYPE_DESKTOP,
        atoms._NET_WM_WINDOW_TYPE_DROPDOWN_MENU,
        atoms._NET_WM_WINDOW_TYPE_NOTIFICATION,
        atoms._NET_WM_WINDOW_TYPE_POPUP_MENU,
        atoms._NET_WM_WINDOW_TYPE_SPLASH,
        atoms._NET_WM_WINDOW_TYPE_TOOLTIP,
    ];
    // The first kind is the preferred one.
    !kind.first().is_some_and(|first| bare.contains(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_of_any_form() {
        assert_eq!(class_of(b"xterm\0XTerm\0"), "XTerm");
        assert_eq!(class_of(b"xterm\0"), "xterm");
        assert_eq!(class_of(b"xterm"), "xterm");
        assert_eq!(class_of(b""), "");
        assert_eq!(class_of(b"\0\0\0"), "");
        assert_eq!(class_of(b"a\0caf\xe9\0"), "café");
    }

    #[test]
    fn limits_make_sense() {
        assert_eq!(size((-5, i32::MAX)), Size { w: 0, h: LARGEST });
    }
}
