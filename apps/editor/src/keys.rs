//! What keys mean wherever the focus is.

use genai_ui::core::keyboard::key::Named;
use genai_ui::core::keyboard::{Key, Modifiers};

use crate::Message;

/// What a key means. `is_taken` tells that a field has taken it for itself.
pub fn meaning(key: &Key, modifiers: Modifiers, is_taken: bool) -> Option<Message> {
    let (control, shift) = (modifiers.control(), modifiers.shift());
    if modifiers.alt() || modifiers.logo() {
        return None;
    }
    Some(match key.as_ref() {
        // A field only lets go of the keys then.
        Key::Named(Named::Escape) => Message::Cancel,
        Key::Named(Named::Enter) if !control && !is_taken => Message::Confirm,
        Key::Named(Named::F3) => Message::Next(shift),
        Key::Named(Named::Tab | Named::PageDown) if control && !shift => Message::Turn(1),
        Key::Named(Named::Tab | Named::PageUp) if control => Message::Turn(-1),
        Key::Character("d" | "D") if !control && !is_taken => Message::Decline,
        Key::Character(letter) if control => match (letter.to_lowercase().as_str(), shift) {
            ("s", false) => Message::Save,
            ("s", true) => Message::SaveAs,
            ("o", false) => Message::Open,
            ("n" | "t", false) => Message::New,
            ("w", false) => Message::CloseThis,
            ("q", false) => Message::Quit,
            ("z", false) => Message::Undo,
            ("z", true) | ("y", false) => Message::Redo,
            ("f", false) => Message::Find(false),
            ("h" | "r", false) => Message::Find(true),
            ("g", shift) if shift => Message::Next(false),
            ("g" | "l", false) => Message::GoTo,
            ("/", _) => Message::Comment,
            ("k", true) => Message::Line(true),
            ("d", false) => Message::Line(false),
            ("+" | "=", _) => Message::Larger(1.0),
            ("-", _) => Message::Larger(-1.0),
            ("0", false) => Message::Reset,
            _ => return None,
        },
        _ => return None,
    })
}
