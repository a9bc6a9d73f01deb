//! From bytes to groups of events.

use crate::scancode::{self, Decoder};
use input_event::code::{BUS_I8042, EV_LED, LED_CAPS_LOCK, LED_NUM_LOCK, LED_SCROLL_LOCK};
use input_event::producer::Change;
use input_event::{Description, DeviceId, EV_KEY, EV_REL, REL_WHEEL, REL_X, REL_Y, key};

/// What a keyboard is to inputd.
pub fn describe_keyboard(is_translated: bool) -> Description {
    // As Linux's atkbd: the vendor 1, the product 1, the version of set 2 translated, or raw.
    let id = DeviceId { bus: BUS_I8042, vendor: 1, product: 1, version: if is_translated { 0xab41 } else { 0xab83 } };
    let name = if is_translated { "AT Translated Set 2 keyboard" } else { "AT Raw Set 2 keyboard" };
    let mut device = Description::new(name, "isa0060/serio0/input0", id);
    device.parent = "/devices/platform/i8042/serio0".to_owned();
    device.add_all(EV_KEY, scancode::keys());
    device.add_all(EV_LED, [LED_NUM_LOCK, LED_CAPS_LOCK, LED_SCROLL_LOCK]);
    device.add_repeat();
    device
}

/// What a mouse is to inputd.
pub fn describe_mouse(packet_bytes: u8) -> Description {
    let has_wheel = packet_bytes > 3;
    let id = DeviceId { bus: BUS_I8042, vendor: 2, product: if has_wheel { 5 } else { 1 }, version: 0 };
    let name = if has_wheel { "ImPS/2 Generic Wheel Mouse" } else { "PS/2 Generic Mouse" };
    let mut device = Description::new(name, "isa0060/serio1/input0", id);
    device.parent = "/devices/platform/i8042/serio1".to_owned();
    device.add_all(EV_KEY, [key::BUTTON_LEFT, key::BUTTON_RIGHT, key::BUTTON_MIDDLE]);
    device.add_all(EV_REL, [REL_X, REL_Y]);
    if has_wheel {
        device.add(EV_REL, REL_WHEEL);
    }
    // INPUT_PROP_POINTER: it moves something on the screen.
    device.properties.set(0, true);
    device
}

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
            (true, false) => 0,
            // Keys repeat by inputd's clock, not by the keyboard's.
            (true, true) | (false, false) => return Vec::new(),
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
    fn only_changes_of_keys_are_told() {
        let mut keyboard = Keyboard::new(false);
        assert_eq!(keyboard.feed(0x9e), []);
        assert_eq!(keyboard.feed(0x1e), [(EV_KEY, key::A, 1)]);
        assert_eq!(keyboard.feed(0x1e), []);
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
