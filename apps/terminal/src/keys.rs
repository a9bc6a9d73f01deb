//! What keys send to programs: xterm's sequences.

use alacritty_terminal::term::TermMode;
use genai_ui::core::keyboard::key::Named;
use genai_ui::core::keyboard::{Key, Modifiers};

/// The bytes of a key; none where it sends nothing. `text` is what it types by the keyboard's layout.
pub fn encode(key: &Key, text: Option<&str>, modifiers: Modifiers, mode: TermMode) -> Option<Vec<u8>> {
    if let Key::Named(named) = key
        && let Some(bytes) = self::named(*named, modifiers, mode)
    {
        return Some(bytes);
    }
    let mut bytes = match (key, modifiers.control()) {
        (Key::Character(letter), true) => vec![control(letter)?],
        (Key::Named(Named::Space), true) => vec![0],
        _ => text.filter(|it| !it.is_empty())?.as_bytes().to_vec(),
    };
    if modifiers.alt() {
        bytes.insert(0, 0x1b);
    }
    Some(bytes)
}

/// The control character of a letter.
fn control(letter: &str) -> Option<u8> {
    let mut letters = letter.chars();
    let (Some(letter), None) = (letters.next(), letters.next()) else { return None };
    Some(match letter.to_ascii_lowercase() {
        it @ 'a'..='z' => it as u8 - b'a' + 1,
        '@' | '2' | ' ' | '`' => 0,
        '[' | '3' => 0x1b,
        '\\' | '4' => 0x1c,
        ']' | '5' => 0x1d,
        '^' | '6' | '~' => 0x1e,
        '_' | '7' | '/' | '-' => 0x1f,
        '8' | '?' => 0x7f,
        _ => return None,
    })
}

/// Keys without a letter.
fn named(key: Named, modifiers: Modifiers, mode: TermMode) -> Option<Vec<u8>> {
    let number = 1 + u8::from(modifiers.shift()) + 2 * u8::from(modifiers.alt()) + 4 * u8::from(modifiers.control());
    let is_plain = number == 1;
    // CSI 1 ; modifiers letter, or without modifiers CSI letter (SS3 letter where the program wants that).
    let letter = |letter: char, is_application: bool| {
        Some(match (is_plain, is_application) {
            (true, true) => format!("\x1bO{letter}"),
            (true, false) => format!("\x1b[{letter}"),
            (false, _) => format!("\x1b[1;{number}{letter}"),
        })
    };
    let tilde = |code: u8| Some(if is_plain { format!("\x1b[{code}~") } else { format!("\x1b[{code};{number}~") });
    let is_application = mode.contains(TermMode::APP_CURSOR);
    let alt = |text: &str| Some(if modifiers.alt() { format!("\x1b{text}") } else { text.to_owned() });
    let text = match key {
        Named::Enter if mode.contains(TermMode::LINE_FEED_NEW_LINE) => alt("\r\n"),
        Named::Enter => alt("\r"),
        Named::Backspace => alt(if modifiers.control() { "\x08" } else { "\x7f" }),
        Named::Tab if modifiers.shift() => alt("\x1b[Z"),
        Named::Tab => alt("\t"),
        Named::Escape => alt("\x1b"),
        Named::ArrowUp => letter('A', is_application),
        Named::ArrowDown => letter('B', is_application),
        Named::ArrowRight => letter('C', is_application),
        Named::ArrowLeft => letter('D', is_application),
        Named::Home => letter('H', is_application),
        Named::End => letter('F', is_application),
        Named::Insert => tilde(2),
        Named::Delete => tilde(3),
        Named::PageUp => tilde(5),
        Named::PageDown => tilde(6),
        Named::F1 => letter('P', true),
        Named::F2 => letter('Q', true),
        Named::F3 => letter('R', true),
        Named::F4 => letter('S', true),
        Named::F5 => tilde(15),
        Named::F6 => tilde(17),
        Named::F7 => tilde(18),
        Named::F8 => tilde(19),
        Named::F9 => tilde(20),
        Named::F10 => tilde(21),
        Named::F11 => tilde(23),
        Named::F12 => tilde(24),
        _ => None,
    };
    text.map(String::into_bytes)
}

/// A text from the clipboard as a program wants it: marked where it asks for that, and never able to end the mark itself.
pub fn pasted(text: &str, mode: TermMode) -> Vec<u8> {
    if mode.contains(TermMode::BRACKETED_PASTE) {
        let text: String = text.chars().filter(|it| !matches!(it, '\x1b' | '\x03')).collect();
        format!("\x1b[200~{text}\x1b[201~").into_bytes()
    } else {
        text.replace("\r\n", "\r").replace('\n', "\r").into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn send(key: Key, text: Option<&str>, modifiers: Modifiers, mode: TermMode) -> String {
        String::from_utf8(encode(&key, text, modifiers, mode).unwrap_or_default()).expect("UTF-8")
    }

    fn character(letter: &str) -> Key {
        Key::Character(letter.into())
    }

    #[test]
    fn letters() {
        let none = TermMode::default();
        assert_eq!(send(character("a"), Some("A"), Modifiers::SHIFT, none), "A");
        assert_eq!(send(character("ä"), Some("ä"), Modifiers::empty(), none), "ä");
        assert_eq!(send(character("c"), Some("\x03"), Modifiers::CTRL, none), "\x03");
        assert_eq!(send(character("b"), Some("b"), Modifiers::ALT, none), "\x1bb");
        assert_eq!(send(Key::Named(Named::Space), Some(" "), Modifiers::empty(), none), " ");
        assert_eq!(send(Key::Named(Named::Space), Some(" "), Modifiers::CTRL, none), "\0");
        assert_eq!(send(Key::Named(Named::Shift), None, Modifiers::SHIFT, none), "");
        assert_eq!(send(character("["), None, Modifiers::CTRL, none), "\x1b");
    }

    #[test]
    fn keys_without_letters() {
        let (none, application) = (TermMode::default(), TermMode::APP_CURSOR);
        let key = |named, modifiers, mode| send(Key::Named(named), None, modifiers, mode);
        assert_eq!(key(Named::ArrowUp, Modifiers::empty(), none), "\x1b[A");
        assert_eq!(key(Named::ArrowUp, Modifiers::empty(), application), "\x1bOA");
        assert_eq!(key(Named::ArrowLeft, Modifiers::CTRL | Modifiers::SHIFT, application), "\x1b[1;6D");
        assert_eq!(key(Named::Delete, Modifiers::empty(), none), "\x1b[3~");
        assert_eq!(key(Named::PageUp, Modifiers::CTRL, none), "\x1b[5;5~");
        assert_eq!(key(Named::F1, Modifiers::empty(), none), "\x1bOP");
        assert_eq!(key(Named::F5, Modifiers::ALT, none), "\x1b[15;3~");
        assert_eq!(key(Named::Backspace, Modifiers::ALT, none), "\x1b\x7f");
        assert_eq!(key(Named::Tab, Modifiers::SHIFT, none), "\x1b[Z");
    }

    #[test]
    fn what_is_pasted_cannot_end_the_mark() {
        let marked = pasted("echo\n\x1b[201~rm", TermMode::BRACKETED_PASTE);
        assert_eq!(String::from_utf8(marked).expect("UTF-8"), "\x1b[200~echo\n[201~rm\x1b[201~");
        assert_eq!(pasted("a\r\nb\nc", TermMode::default()), b"a\rb\rc");
    }

    proptest::proptest! {
        #[test]
        fn no_text_ends_the_mark(text in ".*") {
            let marked = String::from_utf8(pasted(&text, TermMode::BRACKETED_PASTE)).expect("UTF-8");
            proptest::prop_assert_eq!(marked.matches("\x1b[201~").count(), 1);
            proptest::prop_assert!(marked.ends_with("\x1b[201~"));
        }
    }
}
