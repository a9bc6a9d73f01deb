//! Scancodes to key codes.
//!
//! Linux numbered its keys after set 1, so most of set 1 stands for itself; set 2 is brought to set 1 first, as an i8042 does.
//! Source: Microsoft Keyboard Scan Code Specification, appendix A.

use input_event::key;

/// A key going up or down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stroke {
    /// `KEY_*`.
    pub code: u16,
    /// Pressed (or repeated), else released.
    pub is_down: bool,
}

/// What a keyboard sends, byte by byte.
#[derive(Debug, Default)]
pub struct Decoder {
    is_set_2: bool,
    is_extended: bool,
    is_release: bool,
    /// Bytes left of the Pause key's sequence, which begins with E1 and has no release.
    pause_left: u8,
}

/// Set 2 codes in the order of set 1's 0x01 to 0x58; 0 where set 1 has none.
const SET_2: [u8; 0x58] = [
    0x76, 0x16, 0x1e, 0x26, 0x25, 0x2e, 0x36, 0x3d, 0x3e, 0x46, 0x45, 0x4e, 0x55, 0x66,
    0x0d, // Esc to Tab
    0x15, 0x1d, 0x24, 0x2d, 0x2c, 0x35, 0x3c, 0x43, 0x44, 0x4d, 0x54, 0x5b, 0x5a,
    0x14, // Q to Ctrl
    0x1c, 0x1b, 0x23, 0x2b, 0x34, 0x33, 0x3b, 0x42, 0x4b, 0x4c, 0x52, 0x0e, 0x12,
    0x5d, // A to backslash
    0x1a, 0x22, 0x21, 0x2a, 0x32, 0x31, 0x3a, 0x41, 0x49, 0x4a, 0x59, 0x7c, 0x11, 0x29,
    0x58, // Z to Caps Lock
    0x05, 0x06, 0x04, 0x0c, 0x03, 0x0b, 0x83, 0x0a, 0x01, 0x09, 0x77,
    0x7e, // F1 to Scroll Lock
    0x6c, 0x75, 0x7d, 0x7b, 0x6b, 0x73, 0x74, 0x79, 0x69, 0x72, 0x7a, 0x70, 0x71, // keypad
    0x00, 0x00, 0x61, 0x78, 0x07, // the 102nd key, F11, F12
];

/// Extended codes (after E0) of both sets, and their keys.
const EXTENDED: [(u8, u8, u16); 26] = [
    (0x1c, 0x5a, key::KP_ENTER),
    (0x1d, 0x14, key::RIGHT_CTRL),
    (0x20, 0x23, key::MUTE),
    (0x2e, 0x21, key::VOLUME_DOWN),
    (0x30, 0x32, key::VOLUME_UP),
    (0x35, 0x4a, key::KP_SLASH),
    (0x37, 0x7c, key::SYSRQ),
    (0x38, 0x11, key::RIGHT_ALT),
    (0x46, 0x7e, key::PAUSE),
    (0x47, 0x6c, key::HOME),
    (0x48, 0x75, key::UP),
    (0x49, 0x7d, key::PAGE_UP),
    (0x4b, 0x6b, key::LEFT),
    (0x4d, 0x74, key::RIGHT),
    (0x4f, 0x69, key::END),
    (0x50, 0x72, key::DOWN),
    (0x51, 0x7a, key::PAGE_DOWN),
    (0x52, 0x70, key::INSERT),
    (0x53, 0x71, key::DELETE),
    (0x5b, 0x1f, key::LEFT_META),
    (0x5c, 0x27, key::RIGHT_META),
    (0x5d, 0x2f, key::COMPOSE),
    (0x5e, 0x37, key::POWER),
    (0x5f, 0x3f, key::SLEEP),
    (0x63, 0x5e, key::WAKE_UP),
    (0x54, 0x84, key::SYSRQ),
];

/// All keys that a decoder can give.
pub fn keys() -> impl Iterator<Item = u16> {
    let plain = (0x01..=0x53).chain(0x56..=0x58);
    plain.chain(EXTENDED.iter().map(|entry| entry.2))
}

impl Decoder {
    /// A decoder of set 2, or of set 1.
    pub fn new(is_set_2: bool) -> Self {
        Decoder {
            is_set_2,
            ..Decoder::default()
        }
    }

    /// Takes a byte; the stroke that it completes.
    pub fn feed(&mut self, byte: u8) -> Option<Stroke> {
        if self.pause_left > 0 {
            self.pause_left -= 1;
            return (self.pause_left == 0).then_some(Stroke {
                code: key::PAUSE,
                is_down: true,
            });
        }
        match byte {
            0xe0 => {
                self.is_extended = true;
                return None;
            }
            0xe1 => {
                // E1 1D 45 E1 9D C5, or E1 14 77 E1 F0 14 F0 77.
                self.pause_left = if self.is_set_2 { 7 } else { 5 };
                return None;
            }
            0xf0 if self.is_set_2 => {
                self.is_release = true;
                return None;
            }
            // Errors and answers of the keyboard.
            0x00 | 0xfa | 0xfe | 0xff => {
                self.is_extended = false;
                self.is_release = false;
                return None;
            }
            _ => {}
        }
        let is_extended = std::mem::take(&mut self.is_extended);
        let is_release = std::mem::take(&mut self.is_release);
        let (scancode, is_down) = if self.is_set_2 {
            (byte, !is_release)
        } else {
            (byte & 0x7f, byte & 0x80 == 0)
        };
        let code = if is_extended {
            self.extended(scancode)
        } else {
            self.plain(scancode)
        }?;
        Some(Stroke { code, is_down })
    }

    fn extended(&self, scancode: u8) -> Option<u16> {
        // Unknown ones include the shifts that keyboards make up around navigation keys.
        let matches =
            |entry: &&(u8, u8, u16)| scancode == if self.is_set_2 { entry.1 } else { entry.0 };
        EXTENDED.iter().find(matches).map(|entry| entry.2)
    }

    fn plain(&self, scancode: u8) -> Option<u16> {
        let set_1 = if !self.is_set_2 {
            scancode
        } else if scancode == 0x84 {
            0x54
        } else {
            SET_2.iter().position(|code| *code == scancode)? as u8 + 1
        };
        match set_1 {
            0x54 => Some(key::SYSRQ),
            0x01..=0x53 | 0x56..=0x58 => Some(u16::from(set_1)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(is_set_2: bool, bytes: &[u8]) -> Vec<(u16, bool)> {
        let mut decoder = Decoder::new(is_set_2);
        bytes
            .iter()
            .filter_map(|byte| decoder.feed(*byte))
            .map(|stroke| (stroke.code, stroke.is_down))
            .collect()
    }

    #[test]
    fn both_sets_give_the_same_keys() {
        let expected = [
            (key::A, true),
            (key::A, false),
            (key::UP, true),
            (key::UP, false),
            (key::F7, true),
        ];
        assert_eq!(
            decode(false, &[0x1e, 0x9e, 0xe0, 0x48, 0xe0, 0xc8, 0x41]),
            expected
        );
        assert_eq!(
            decode(
                true,
                &[0x1c, 0xf0, 0x1c, 0xe0, 0x75, 0xe0, 0xf0, 0x75, 0x83]
            ),
            expected
        );
    }

    #[test]
    fn every_plain_key_of_set_2_has_its_place() {
        for (index, code) in SET_2.iter().enumerate().filter(|(_, code)| **code != 0) {
            let set_1 = index as u8 + 1;
            assert_eq!(decode(true, &[*code]), decode(false, &[set_1]), "{code:#x}");
        }
        assert_eq!(decode(true, &[0x07]), [(key::F12, true)]);
        assert_eq!(decode(true, &[0x58]), [(key::CAPS_LOCK, true)]);
        assert_eq!(decode(true, &[0x71]), [(key::KP_DOT, true)]);
    }

    #[test]
    fn made_up_shifts_pause_and_answers() {
        assert_eq!(
            decode(false, &[0xe0, 0x2a, 0xe0, 0x53]),
            [(key::DELETE, true)]
        );
        assert_eq!(
            decode(false, &[0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5, 0x1e]),
            [(key::PAUSE, true), (key::A, true)]
        );
        assert_eq!(
            decode(
                true,
                &[0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77, 0x1c]
            ),
            [(key::PAUSE, true), (key::A, true)]
        );
        assert_eq!(decode(false, &[0xfa, 0xe0, 0xfe, 0x1e]), [(key::A, true)]);
    }
}
