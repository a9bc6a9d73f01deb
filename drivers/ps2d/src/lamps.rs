//! The lamps of a keyboard.

use input_event::code::{LED_CAPS_LOCK, LED_NUM_LOCK, LED_SCROLL_LOCK};

/// Which are on, as the keyboard's command ED takes them.
#[derive(Debug, Default)]
pub struct Lamps(u8);

impl Lamps {
    /// Turns a lamp (`LED_*`) on or off.
    pub fn set(&mut self, code: u16, on: bool) {
        let bit = match code {
            LED_SCROLL_LOCK => 1,
            LED_NUM_LOCK => 2,
            LED_CAPS_LOCK => 4,
            _ => return,
        };
        self.0 = if on { self.0 | bit } else { self.0 & !bit };
    }

    /// The command's argument.
    pub fn bits(&self) -> u8 {
        self.0
    }
}
