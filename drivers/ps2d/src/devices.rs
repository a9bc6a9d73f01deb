//! From bytes to groups of events.

use crate::scancode::Decoder;
use input_event::{EV_KEY, EV_REL, REL_WHEEL, REL_X, REL_Y, key};

/// An event without its time: kind, code, value.
pub type Change = (u16, u16, i32);

/// A keyboard.
pub struct Keyboard {
    decoder: Decoder,
    is_down: [bool; 256],
}

impl Keyboard {
    /// A keyboard whose scancodes arrive in set 1, or in set 2.
    pub fn new(is_set_2: bool) -> Self {
        Keyboard {
            decoder: Decoder::new(is_set_2),
            is_down: [false; 256],
        }
    }

    /// Takes a byte; the group of events that it completes, or nothing.
    pub fn feed(&mut self, byte: u8) -> Vec<Change> {
        let Some(stroke) = self.decoder.feed(byte) else {
            return Vec::new();
        };
        // Pause has no release of its own.
        if stroke.code == key::PAUSE && stroke.is_down {
            return vec![(EV_KEY, key::PAUSE, 1), (EV_KEY, key::PAUSE, 0)];
        }
        let Some(state) = self.is_down.get_mut(usize::from(stroke.code)) else {
            return Vec::new();
        };
        let was_down = std::mem::replace(state, stroke.is_down);
        let value = match (was_down, stroke.is_down) {
            (false, true) => 1,
            (true, true) => 2,
            (true, false) => 0,
            (false, false) => return Vec::new(),
        };
        vec![(EV_KEY, stroke.code, value)]
    }
}

/// A mouse.
pub struct Mouse {
    packet: Vec<u8>,
    len: usize,
    buttons: u8,
}

impl Mouse {
    /// A mouse with packets of 3 bytes, or of 4 with a wheel.
    pub fn new(packet_bytes: u8) -> Self {
        Mouse {
            packet: Vec::new(),
            len: usize::from(packet_bytes),
            buttons: 0,
        }
    }

    /// Takes a byte; the group of events that it completes, or nothing.
    pub fn feed(&mut self, byte: u8) -> Vec<Change> {
        // Bit 3 of a packet's first byte is always set: this finds the start again after a lost byte.
        if self.packet.is_empty() && byte & 0x08 == 0 {
            return Vec::new();
        }
        self.packet.push(byte);
        if self.packet.len() < self.len {
            return Vec::new();
        }
        let packet = std::mem::take(&mut self.packet);
        let mut changes = Vec::new();
        for (bit, code) in [
            (0, key::BUTTON_LEFT),
            (1, key::BUTTON_RIGHT),
            (2, key::BUTTON_MIDDLE),
        ] {
            if (self.buttons ^ packet[0]) >> bit & 1 == 1 {
                changes.push((EV_KEY, code, i32::from(packet[0] >> bit & 1)));
            }
        }
        self.buttons = packet[0];
        // Overflowed motion is meaningless.
        if packet[0] & 0xc0 == 0 {
            let signed =
                |byte: u8, sign: u8| i32::from(byte) - (i32::from(packet[0] >> sign & 1) << 8);
            let motion = [
                (REL_X, signed(packet[1], 4)),
                (REL_Y, -signed(packet[2], 5)),
            ];
            changes.extend(
                motion
                    .into_iter()
                    .filter(|(_, value)| *value != 0)
                    .map(|(code, value)| (EV_REL, code, value)),
            );
        }
        if let Some(wheel) = packet
            .get(3)
            .map(|byte| -i32::from((byte << 4) as i8 >> 4))
            .filter(|value| *value != 0)
        {
            changes.push((EV_REL, REL_WHEEL, wheel));
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn held_keys_repeat_and_stray_releases_are_dropped() {
        let mut keyboard = Keyboard::new(false);
        assert_eq!(keyboard.feed(0x9e), []);
        assert_eq!(keyboard.feed(0x1e), [(EV_KEY, key::A, 1)]);
        assert_eq!(keyboard.feed(0x1e), [(EV_KEY, key::A, 2)]);
        assert_eq!(keyboard.feed(0x9e), [(EV_KEY, key::A, 0)]);
    }

    #[test]
    fn packets_become_motion_buttons_and_wheel() {
        let mut mouse = Mouse::new(4);
        let mut feed = |bytes: &[u8]| {
            bytes
                .iter()
                .flat_map(|byte| mouse.feed(*byte))
                .collect::<Vec<_>>()
        };
        // Out of step, then: left button, 5 right, 3 up, wheel away from the user.
        let expected = [
            (EV_KEY, key::BUTTON_LEFT, 1),
            (EV_REL, REL_X, 5),
            (EV_REL, REL_Y, -3),
            (EV_REL, REL_WHEEL, 1),
        ];
        assert_eq!(feed(&[0x00, 0x09, 5, 3, 0x0f]), expected);
        assert_eq!(
            feed(&[0x38, 0xfe, 0xff, 0]),
            [
                (EV_KEY, key::BUTTON_LEFT, 0),
                (EV_REL, REL_X, -2),
                (EV_REL, REL_Y, 1)
            ]
        );
        assert_eq!(feed(&[0xc8, 1, 1, 0]), []);
    }
}
