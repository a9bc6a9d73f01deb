//! Keys to the bytes that programs expect: US layout, xterm's sequences.
//!
//! Source: XTerm Control Sequences, "PC-Style Function Keys".

use input_event::key::*;

/// What a key press asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Bytes for the program.
    Send(Vec<u8>),
    /// Show older output (positive) or newer, in pages.
    Scroll(i32),
    /// Show another virtual terminal.
    Switch(u32),
    /// Restart the machine.
    Reboot,
}

/// The keyboard's state.
#[derive(Default)]
pub struct Keymap {
    left_shift: bool,
    right_shift: bool,
    left_ctrl: bool,
    right_ctrl: bool,
    left_alt: bool,
    right_alt: bool,
    caps_lock: bool,
    is_num_lock_off: bool,
}

/// The letters, digits and signs, plain and with shift.
const CHARACTERS: [(u16, u8, u8); 48] = [
    (NUM_1, b'1', b'!'),
    (NUM_2, b'2', b'@'),
    (NUM_3, b'3', b'#'),
    (NUM_4, b'4', b'$'),
    (NUM_5, b'5', b'%'),
    (NUM_6, b'6', b'^'),
    (NUM_7, b'7', b'&'),
    (NUM_8, b'8', b'*'),
    (NUM_9, b'9', b'('),
    (NUM_0, b'0', b')'),
    (MINUS, b'-', b'_'),
    (EQUAL, b'=', b'+'),
    (Q, b'q', b'Q'),
    (W, b'w', b'W'),
    (E, b'e', b'E'),
    (R, b'r', b'R'),
    (T, b't', b'T'),
    (Y, b'y', b'Y'),
    (U, b'u', b'U'),
    (I, b'i', b'I'),
    (O, b'o', b'O'),
    (P, b'p', b'P'),
    (LEFT_BRACE, b'[', b'{'),
    (RIGHT_BRACE, b']', b'}'),
    (A, b'a', b'A'),
    (S, b's', b'S'),
    (D, b'd', b'D'),
    (F, b'f', b'F'),
    (G, b'g', b'G'),
    (H, b'h', b'H'),
    (J, b'j', b'J'),
    (K, b'k', b'K'),
    (L, b'l', b'L'),
    (SEMICOLON, b';', b':'),
    (APOSTROPHE, b'\'', b'"'),
    (GRAVE, b'`', b'~'),
    (BACKSLASH, b'\\', b'|'),
    (KEY_102ND, b'<', b'>'),
    (Z, b'z', b'Z'),
    (X, b'x', b'X'),
    (C, b'c', b'C'),
    (V, b'v', b'V'),
    (B, b'b', b'B'),
    (N, b'n', b'N'),
    (M, b'm', b'M'),
    (COMMA, b',', b'<'),
    (DOT, b'.', b'>'),
    (SLASH, b'/', b'?'),
];

/// Keypad keys: with Num Lock a character, without it another key (0: none).
const KEYPAD: [(u16, u8, u16); 11] = [
    (KP_0, b'0', INSERT),
    (KP_1, b'1', END),
    (KP_2, b'2', DOWN),
    (KP_3, b'3', PAGE_DOWN),
    (KP_4, b'4', LEFT),
    (KP_5, b'5', 0),
    (KP_6, b'6', RIGHT),
    (KP_7, b'7', HOME),
    (KP_8, b'8', UP),
    (KP_9, b'9', PAGE_UP),
    (KP_DOT, b'.', DELETE),
];

/// How a function key's sequence ends.
enum Sequence {
    /// `ESC [ <letter>`, with modifiers `ESC [ 1 ; <m> <letter>`; cursor keys have `ESC O <letter>` in application mode.
    Cursor(u8),
    /// `ESC O <letter>`, with modifiers as above.
    Function(u8),
    /// `ESC [ <number> ~`, with modifiers `ESC [ <number> ; <m> ~`.
    Number(u8),
}

fn sequence_of(code: u16) -> Option<Sequence> {
    use Sequence::{Cursor, Function, Number};
    Some(match code {
        UP => Cursor(b'A'),
        DOWN => Cursor(b'B'),
        RIGHT => Cursor(b'C'),
        LEFT => Cursor(b'D'),
        HOME => Cursor(b'H'),
        END => Cursor(b'F'),
        INSERT => Number(2),
        DELETE => Number(3),
        PAGE_UP => Number(5),
        PAGE_DOWN => Number(6),
        F1 => Function(b'P'),
        F2 => Function(b'Q'),
        F3 => Function(b'R'),
        F4 => Function(b'S'),
        F5 => Number(15),
        F6..=F10 => Number(17 + (code - F6) as u8),
        F11 => Number(23),
        F12 => Number(24),
        _ => return None,
    })
}

impl Keymap {
    /// Takes a key event (value 0 released, 1 pressed, 2 repeated). `is_application`: cursor keys send application sequences.
    pub fn key(&mut self, code: u16, value: i32, is_application: bool) -> Option<Action> {
        let is_down = value != 0;
        match code {
            LEFT_SHIFT => self.left_shift = is_down,
            RIGHT_SHIFT => self.right_shift = is_down,
            LEFT_CTRL => self.left_ctrl = is_down,
            RIGHT_CTRL => self.right_ctrl = is_down,
            LEFT_ALT => self.left_alt = is_down,
            RIGHT_ALT => self.right_alt = is_down,
            CAPS_LOCK if value == 1 => self.caps_lock = !self.caps_lock,
            NUM_LOCK if value == 1 => self.is_num_lock_off = !self.is_num_lock_off,
            _ if is_down => return self.press(code, is_application),
            _ => {}
        }
        None
    }

    fn press(&self, code: u16, is_application: bool) -> Option<Action> {
        let shift = self.left_shift || self.right_shift;
        let ctrl = self.left_ctrl || self.right_ctrl;
        let alt = self.left_alt || self.right_alt;
        let code = match KEYPAD.iter().find(|(keypad, ..)| *keypad == code) {
            Some((_, character, _)) if !(self.is_num_lock_off || ctrl && alt) => {
                return Some(Action::Send(with_alt(alt, vec![*character])));
            }
            Some((_, _, other)) => *other,
            None => code,
        };
        match code {
            DELETE if ctrl && alt => return Some(Action::Reboot),
            F1..=F10 if alt => return Some(Action::Switch(u32::from(code - F1) + 1)),
            PAGE_UP if shift => return Some(Action::Scroll(1)),
            PAGE_DOWN if shift => return Some(Action::Scroll(-1)),
            _ => {}
        }
        if let Some(sequence) = sequence_of(code) {
            let modifiers = 1 + u8::from(shift) + 2 * u8::from(alt) + 4 * u8::from(ctrl);
            return Some(Action::Send(function_key(
                &sequence,
                modifiers,
                is_application,
            )));
        }
        let bytes = match code {
            ENTER | KP_ENTER => vec![b'\r'],
            // Terminals since the VT220: the erase character is DEL, and Ctrl gives the other one.
            BACKSPACE => vec![if ctrl { 0x08 } else { 0x7f }],
            TAB if shift => b"\x1b[Z".to_vec(),
            TAB => vec![b'\t'],
            ESC => vec![0x1b],
            SPACE => vec![if ctrl { 0 } else { b' ' }],
            KP_PLUS => vec![b'+'],
            KP_MINUS => vec![b'-'],
            KP_ASTERISK => vec![b'*'],
            KP_SLASH => vec![b'/'],
            _ => {
                let (_, plain, shifted) = CHARACTERS.iter().find(|(key, ..)| *key == code)?;
                let is_shifted = shift ^ (self.caps_lock && plain.is_ascii_lowercase());
                let character = if is_shifted { *shifted } else { *plain };
                vec![if ctrl { control(character)? } else { character }]
            }
        };
        Some(Action::Send(with_alt(alt, bytes)))
    }
}

/// Alt puts an escape before the key's bytes.
fn with_alt(alt: bool, mut bytes: Vec<u8>) -> Vec<u8> {
    if alt {
        bytes.insert(0, 0x1b);
    }
    bytes
}

/// The control character of a key, as xterm has them.
fn control(character: u8) -> Option<u8> {
    Some(match character {
        b'a'..=b'z' | b'A'..=b'Z' | b'[' | b'\\' | b']' | b'^' | b'_' | b'@' => character & 0x1f,
        b'2' => 0x00,
        b'3' | b'{' => 0x1b,
        b'4' | b'|' => 0x1c,
        b'5' | b'}' => 0x1d,
        b'6' => 0x1e,
        b'7' | b'/' | b'-' => 0x1f,
        b'8' | b'?' => 0x7f,
        b' '..=b'~' => character,
        _ => return None,
    })
}

fn function_key(sequence: &Sequence, modifiers: u8, is_application: bool) -> Vec<u8> {
    let plain = modifiers == 1;
    match sequence {
        Sequence::Cursor(letter) if plain && is_application => vec![0x1b, b'O', *letter],
        Sequence::Cursor(letter) if plain => vec![0x1b, b'[', *letter],
        Sequence::Function(letter) if plain => vec![0x1b, b'O', *letter],
        Sequence::Cursor(letter) | Sequence::Function(letter) => {
            format!("\x1b[1;{modifiers}{}", *letter as char).into_bytes()
        }
        Sequence::Number(number) if plain => format!("\x1b[{number}~").into_bytes(),
        Sequence::Number(number) => format!("\x1b[{number};{modifiers}~").into_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(keymap: &mut Keymap, codes: &[u16]) -> Option<Action> {
        let mut last = None;
        for code in codes {
            last = keymap.key(*code, 1, false);
        }
        for code in codes.iter().rev() {
            keymap.key(*code, 0, false);
        }
        last
    }

    fn bytes(codes: &[u16]) -> Vec<u8> {
        match press(&mut Keymap::default(), codes) {
            Some(Action::Send(bytes)) => bytes,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn characters_shift_and_control() {
        assert_eq!(bytes(&[A]), b"a");
        assert_eq!(bytes(&[RIGHT_SHIFT, NUM_2]), b"@");
        assert_eq!(bytes(&[LEFT_CTRL, C]), b"\x03");
        assert_eq!(bytes(&[LEFT_CTRL, BACKSLASH]), b"\x1c");
        assert_eq!(bytes(&[LEFT_CTRL, SPACE]), b"\0");
        assert_eq!(bytes(&[LEFT_ALT, B]), b"\x1bb");
        assert_eq!(bytes(&[ENTER]), b"\r");
        assert_eq!(bytes(&[BACKSPACE]), b"\x7f");
    }

    #[test]
    fn caps_lock_affects_letters_only() {
        let mut keymap = Keymap::default();
        press(&mut keymap, &[CAPS_LOCK]);
        assert_eq!(press(&mut keymap, &[A]), Some(Action::Send(b"A".to_vec())));
        assert_eq!(
            press(&mut keymap, &[LEFT_SHIFT, A]),
            Some(Action::Send(b"a".to_vec()))
        );
        assert_eq!(
            press(&mut keymap, &[NUM_1]),
            Some(Action::Send(b"1".to_vec()))
        );
    }

    #[test]
    fn function_keys_are_xterms() {
        assert_eq!(bytes(&[UP]), b"\x1b[A");
        assert_eq!(bytes(&[LEFT_CTRL, RIGHT]), b"\x1b[1;5C");
        assert_eq!(bytes(&[F1]), b"\x1bOP");
        assert_eq!(bytes(&[LEFT_SHIFT, F5]), b"\x1b[15;2~");
        assert_eq!(bytes(&[F10]), b"\x1b[21~");
        assert_eq!(bytes(&[F12]), b"\x1b[24~");
        assert_eq!(bytes(&[DELETE]), b"\x1b[3~");
        assert_eq!(bytes(&[HOME]), b"\x1b[H");
        assert_eq!(
            Keymap::default().key(LEFT, 2, true),
            Some(Action::Send(b"\x1bOD".to_vec()))
        );
    }

    #[test]
    fn the_keypad_follows_num_lock() {
        let mut keymap = Keymap::default();
        assert_eq!(
            press(&mut keymap, &[KP_8]),
            Some(Action::Send(b"8".to_vec()))
        );
        press(&mut keymap, &[NUM_LOCK]);
        assert_eq!(
            press(&mut keymap, &[KP_8]),
            Some(Action::Send(b"\x1b[A".to_vec()))
        );
        assert_eq!(press(&mut keymap, &[KP_5]), None);
    }

    #[test]
    fn scrolling_and_restarting_are_not_sent() {
        let mut keymap = Keymap::default();
        assert_eq!(
            press(&mut keymap, &[LEFT_SHIFT, PAGE_UP]),
            Some(Action::Scroll(1))
        );
        assert_eq!(
            press(&mut keymap, &[LEFT_CTRL, LEFT_ALT, DELETE]),
            Some(Action::Reboot)
        );
        let mut keymap = Keymap::default();
        assert_eq!(
            press(&mut keymap, &[LEFT_CTRL, LEFT_ALT, F2]),
            Some(Action::Switch(2))
        );
        let mut keymap = Keymap::default();
        assert_eq!(keymap.key(A, 0, false), None);
        assert_eq!(press(&mut keymap, &[LEFT_META]), None);
    }
}
