//! Fingers on a screen. Clients get them as touches; over what we draw ourselves, and where a menu of a client's is open, the first finger is the pointer with its
//! left button.

use std::collections::BTreeMap;
use std::time::Duration;

use gde_layout::Point;
use smithay::backend::input::TouchSlot;
use smithay::input::touch::{DownEvent, MotionEvent, TouchHandle, UpEvent};
use smithay::utils::{Logical, Point as At, SERIAL_COUNTER};

use crate::hit::Hit;
use crate::state::Gde;

const BTN_LEFT: u16 = 0x110;
const BTN_TOUCH: u16 = 0x14a;

/// What fingers do. Places are parts of all screens' width and height, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs)]
pub enum Touch {
    /// One comes.
    Down { slot: u32, x: f64, y: f64 },
    /// One moves.
    Motion { slot: u32, x: f64, y: f64 },
    /// One goes.
    Up { slot: u32 },
    /// What came since the last time belongs together.
    Frame,
    /// What was begun is to be forgotten.
    Cancel,
}

/// Fingers that are on the screen.
#[derive(Debug, Default)]
pub struct Fingers {
    /// The one that is the pointer.
    pointing: Option<u32>,
    /// Those that clients have, and where they are.
    touching: BTreeMap<u32, At<f64, Logical>>,
}

fn slot_of(slot: u32) -> TouchSlot {
    Some(slot).into()
}

impl Gde {
    /// There is a touch screen: clients are told.
    pub fn add_touch_screen(&mut self) -> TouchHandle<Gde> {
        self.seat.get_touch().unwrap_or_else(|| self.seat.add_touch())
    }

    /// Fingers do something.
    pub fn touch(&mut self, touch: Touch, time: Duration) {
        let time_ms = time.as_millis() as u32;
        let handle = self.add_touch_screen();
        match touch {
            Touch::Down { slot, x, y } => self.finger_down(&handle, slot, (x, y), time_ms),
            Touch::Motion { slot, x, y } if self.fingers.pointing == Some(slot) => self.pointer_at(x, y, time_ms),
            Touch::Motion { slot, x, y } => {
                let at = self.part_of_screens(x, y);
                let Some(known) = self.fingers.touching.get_mut(&slot) else { return };
                *known = at;
                let focus = self.hit(at).focus();
                handle.motion(self, focus, &MotionEvent { slot: slot_of(slot), location: at, time: time_ms });
            }
            Touch::Up { slot } if self.fingers.pointing == Some(slot) => {
                self.fingers.pointing = None;
                self.button(BTN_LEFT, false, time_ms);
            }
            Touch::Up { slot } => {
                if self.fingers.touching.remove(&slot).is_some() {
                    handle.up(self, &UpEvent { slot: slot_of(slot), serial: SERIAL_COUNTER.next_serial(), time: time_ms });
                }
            }
            Touch::Frame => handle.frame(self),
            Touch::Cancel => self.cancel_touches(&handle, time_ms),
        }
    }

    fn finger_down(&mut self, handle: &TouchHandle<Gde>, slot: u32, (x, y): (f64, f64), time_ms: u32) {
        let at = self.part_of_screens(x, y);
        let hit = self.hit(at);
        let is_held = self.pointer.is_grabbed() || self.popup_grab.is_some();
        let Hit::Surface(surface, origin) = hit else { return self.point_by(slot, (x, y), time_ms) };
        if is_held {
            // A press beside a client's menu closes it: that is the pointer's matter.
            return self.point_by(slot, (x, y), time_ms);
        }
        if self.pressed(at, Point { x: at.x as i32, y: at.y as i32 }, BTN_TOUCH, time_ms) {
            self.fingers.touching.insert(slot, at);
            let event = DownEvent { slot: slot_of(slot), location: at, serial: SERIAL_COUNTER.next_serial(), time: time_ms };
            handle.down(self, Some((surface, origin)), &event);
        }
    }

    /// The finger is the pointer, where none is yet and clients have none.
    fn point_by(&mut self, slot: u32, (x, y): (f64, f64), time_ms: u32) {
        if self.fingers.pointing.is_none() && self.fingers.touching.is_empty() {
            self.fingers.pointing = Some(slot);
            self.pointer_at(x, y, time_ms);
            self.button(BTN_LEFT, true, time_ms);
        }
    }

    fn cancel_touches(&mut self, handle: &TouchHandle<Gde>, time_ms: u32) {
        if self.fingers.pointing.take().is_some() {
            self.button(BTN_LEFT, false, time_ms);
        }
        let touching = std::mem::take(&mut self.fingers.touching);
        if touching.is_empty() {
            return;
        }
        for (slot, at) in touching {
            // smithay passes over touches of which nothing has been heard since the last frame.
            handle.motion(self, None, &MotionEvent { slot: slot_of(slot), location: at, time: time_ms });
        }
        handle.cancel(self);
    }
}
