//! What keys mean while no field has them.

use file_operations::transfer::Way;
use genai_ui::core::keyboard::key::Named;
use genai_ui::core::keyboard::{Event, Key, Modifiers};
use genai_ui::futures::{Subscription, keyboard};

use crate::{Layout, Message};

/// Lines that the keys for pages go.
const PAGE: isize = 12;
const FAR: isize = isize::MAX / 2;

/// All keys.
pub fn listen() -> Subscription<Message> {
    keyboard::listen().filter_map(|event| match event {
        Event::ModifiersChanged(modifiers) => Some(Message::Held(modifiers)),
        Event::KeyPressed { key, modifiers, text, .. } => meaning(&key, text.as_deref(), modifiers),
        Event::KeyReleased { .. } => None,
    })
}

/// What a key means.
pub fn meaning(key: &Key, text: Option<&str>, modifiers: Modifiers) -> Option<Message> {
    let adds = modifiers.shift();
    Some(match (key.as_ref(), modifiers.control(), modifiers.alt()) {
        (Key::Named(Named::ArrowUp), false, true) | (Key::Named(Named::Backspace), false, false) => Message::Up,
        (Key::Named(Named::ArrowLeft), false, true) => Message::Back,
        (Key::Named(Named::ArrowRight), false, true) => Message::Forward,
        (Key::Named(Named::ArrowDown), false, true) => Message::Open,
        (Key::Named(Named::Home), false, true) => Message::GoNumber(0),
        (Key::Character(digit), false, true) => Message::GoNumber(digit.parse::<usize>().ok()?.checked_sub(1)?),
        (Key::Named(Named::ArrowDown | Named::ArrowRight), false, false) => Message::Step(1, adds),
        (Key::Named(Named::ArrowUp | Named::ArrowLeft), false, false) => Message::Step(-1, adds),
        (Key::Named(Named::PageDown), false, false) => Message::Step(PAGE, adds),
        (Key::Named(Named::PageUp), false, false) => Message::Step(-PAGE, adds),
        (Key::Named(Named::Home), false, false) => Message::Step(-FAR, adds),
        (Key::Named(Named::End), false, false) => Message::Step(FAR, adds),
        (Key::Named(Named::Enter), false, false) => Message::Open,
        (Key::Named(Named::Escape), false, false) => Message::Cancel,
        (Key::Named(Named::Delete), false, false) if adds => Message::Delete,
        (Key::Named(Named::Delete), false, false) => Message::Throw,
        (Key::Named(Named::F2), false, false) => Message::Name,
        (Key::Named(Named::F3), false, false) => Message::Find,
        (Key::Named(Named::F5), false, false) => Message::Changed,
        (Key::Character(letter), true, false) => match (letter.to_lowercase().as_str(), modifiers.shift()) {
            ("n", true) => Message::NewFolder,
            ("a", false) => Message::All,
            ("c", false) => Message::Take(Way::Copy),
            ("x", false) => Message::Take(Way::Move),
            ("v", false) => Message::Put,
            ("z", false) => Message::Undo,
            ("f", false) => Message::Find,
            ("h", false) => Message::Hidden,
            ("l", false) => Message::GoTo,
            ("w" | "q", false) => Message::Close,
            ("1", false) => Message::Show(Layout::List),
            ("2", false) => Message::Show(Layout::Grid),
            _ => return None,
        },
        (Key::Character(_), false, false) => Message::Letter(text?.to_owned()),
        _ => return None,
    })
}
