//! What keys mean.

use genai_ui::core::keyboard::key::Named;
use genai_ui::core::keyboard::{Key, Modifiers};

use crate::picture::Turn;
use crate::{Message, STEP};

/// What a key means.
pub fn meaning(key: &Key, modifiers: Modifiers) -> Option<Message> {
    let (control, shift) = (modifiers.control(), modifiers.shift());
    if modifiers.alt() || modifiers.logo() {
        return None;
    }
    Some(match key.as_ref() {
        Key::Named(Named::ArrowLeft) if shift => Message::Step(-1.0, 0.0),
        Key::Named(Named::ArrowRight) if shift => Message::Step(1.0, 0.0),
        Key::Named(Named::ArrowUp) => Message::Step(0.0, -1.0),
        Key::Named(Named::ArrowDown) => Message::Step(0.0, 1.0),
        Key::Named(Named::ArrowRight | Named::PageDown | Named::Enter) => Message::Turn(1),
        Key::Named(Named::ArrowLeft | Named::PageUp | Named::Backspace) => Message::Turn(-1),
        Key::Named(Named::Home) => Message::End(false),
        Key::Named(Named::End) => Message::End(true),
        Key::Named(Named::Space) => Message::Pause,
        Key::Named(Named::F11) => Message::Full,
        Key::Named(Named::Escape) => Message::Escape,
        Key::Character(letter) => match (letter.to_lowercase().as_str(), control) {
            ("+" | "=", _) => Message::Zoom(STEP, (0.0, 0.0)),
            ("-" | "_", _) => Message::Zoom(1.0 / STEP, (0.0, 0.0)),
            ("0", _) => Message::Fit,
            ("1", _) => Message::Real,
            ("r", false) => Message::Rotate(if shift { Turn::Left } else { Turn::Right }),
            ("f", false) => Message::Full,
            ("b", false) => Message::Bar,
            ("q" | "w", true) => Message::Close,
            _ => return None,
        },
        _ => return None,
    })
}
