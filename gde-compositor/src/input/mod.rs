//! Keys and pointers, wherever they come from.
//!
//! * [`evdev`]: event devices, read without libinput.
//! * [`keys`]: which keys mean which actions.
//! * [`layout`]: the keyboard's layout, as the machine has it.
//! * [`pointer`]: where the pointer is and what it does.
//! * [`touch`]: fingers on a screen; [`slots`]: as event devices tell of them.

pub mod evdev;
pub mod keys;
pub mod layout;
pub mod pointer;
pub mod slots;
pub mod touch;

use std::time::Duration;

/// Something that the user does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Input {
    /// A key by its evdev code.
    Key {
        /// `KEY_*`.
        code: u16,
        /// Pressed or released.
        is_pressed: bool,
    },
    /// The pointer moves by so many units.
    Motion {
        /// To the right.
        dx: f64,
        /// Down.
        dy: f64,
    },
    /// The pointer is at this part of all screens' width and height, 0 to 1.
    Position {
        /// From the left.
        x: f64,
        /// From the top.
        y: f64,
    },
    /// A button by its evdev code.
    Button {
        /// `BTN_*`.
        code: u16,
        /// Pressed or released.
        is_pressed: bool,
    },
    /// The wheel, in 1/120 of a click.
    Wheel {
        /// To the right.
        horizontal: i32,
        /// Down.
        vertical: i32,
    },
    /// Fingers do something.
    Touch(touch::Touch),
}

impl crate::state::Gde {
    /// The user has done something at this time.
    pub fn input(&mut self, input: Input, time: Duration) {
        let seat = self.seat.clone();
        self.protocols.idle.notify_activity(&seat);
        let now = self.clock.now();
        self.pause_noticed(now.saturating_sub(self.last_input));
        self.last_input = now;
        let time_ms = time.as_millis() as u32;
        match input {
            Input::Key { code, is_pressed } => self.key(code, is_pressed, time_ms),
            Input::Motion { dx, dy } => self.pointer_moved(dx, dy, time),
            Input::Position { x, y } => self.pointer_at(x, y, time_ms),
            Input::Button { code, is_pressed } => self.button(code, is_pressed, time_ms),
            Input::Wheel { horizontal, vertical } => self.wheel(horizontal, vertical, time_ms),
            Input::Touch(touch) => self.touch(touch, time),
        }
    }
}
