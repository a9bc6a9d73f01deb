//! Fingers on a touch screen: the kernel's multi-touch protocol with slots (Documentation/input/multi-touch-protocol.rst of Linux, type B).

use super::touch::Touch;

/// The axis that chooses a slot, the two of places, and the one that tells fingers apart.
pub const ABS_MT_SLOT: u16 = 0x2f;
/// From the left.
pub const ABS_MT_POSITION_X: u16 = 0x35;
/// From the top.
pub const ABS_MT_POSITION_Y: u16 = 0x36;
/// Which finger: -1 where none is.
pub const ABS_MT_TRACKING_ID: u16 = 0x39;

/// Fingers that are followed.
const MOST: usize = 16;

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    finger: Option<i32>,
    at: (i32, i32),
    /// Whether it was told that there is a finger.
    is_told: bool,
    /// Another finger than was told.
    is_other: bool,
    has_moved: bool,
}

/// What a touch screen has told.
#[derive(Debug)]
pub struct Slots {
    slots: [Slot; MOST],
    /// None where it is one that is not followed.
    current: Option<usize>,
}

impl Slots {
    /// No finger; events are for the slot that the device says.
    pub fn new(current: i32) -> Self {
        let mut slots = Slots { slots: [Slot::default(); MOST], current: None };
        slots.choose(current);
        slots
    }

    fn choose(&mut self, slot: i32) {
        self.current = usize::try_from(slot).ok().filter(|it| *it < MOST);
    }

    /// An absolute axis has this value.
    pub fn axis(&mut self, code: u16, value: i32) {
        if code == ABS_MT_SLOT {
            return self.choose(value);
        }
        let Some(slot) = self.current.map(|it| &mut self.slots[it]) else { return };
        match code {
            ABS_MT_TRACKING_ID => {
                let finger = (value >= 0).then_some(value);
                slot.is_other |= slot.is_told && finger.is_some() && finger != slot.finger;
                slot.finger = finger;
            }
            ABS_MT_POSITION_X => (slot.at.0, slot.has_moved) = (value, true),
            ABS_MT_POSITION_Y => (slot.at.1, slot.has_moved) = (value, true),
            _ => {}
        }
    }

    /// The group of events is complete; `place` makes of a place the parts of the screen's width and height.
    pub fn report(&mut self, place: impl Fn((i32, i32)) -> (f64, f64), mut each: impl FnMut(Touch)) {
        let mut has_told = false;
        for (index, slot) in self.slots.iter_mut().enumerate() {
            let number = index as u32;
            let (x, y) = place(slot.at);
            if slot.is_told && (slot.finger.is_none() || slot.is_other) {
                each(Touch::Up { slot: number });
                (slot.is_told, has_told) = (false, true);
            }
            if slot.finger.is_some() && !slot.is_told {
                each(Touch::Down { slot: number, x, y });
                (slot.is_told, has_told) = (true, true);
            } else if slot.is_told && slot.has_moved {
                each(Touch::Motion { slot: number, x, y });
                has_told = true;
            }
            (slot.is_other, slot.has_moved) = (false, false);
        }
        if has_told {
            each(Touch::Frame);
        }
    }

    /// Nothing is known any more; fingers that are there count when they come again. Whether there was one.
    pub fn forget(&mut self) -> bool {
        let was_there = self.slots.iter().any(|it| it.is_told);
        self.slots = [Slot::default(); MOST];
        was_there
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn told(slots: &mut Slots, events: &[(u16, i32)]) -> Vec<Touch> {
        events.iter().for_each(|(code, value)| slots.axis(*code, *value));
        let mut all = Vec::new();
        slots.report(|(x, y)| (f64::from(x) / 100.0, f64::from(y) / 100.0), |it| all.push(it));
        all
    }

    #[test]
    fn fingers_come_move_and_go() {
        let mut slots = Slots::new(0);
        let down = told(&mut slots, &[(ABS_MT_TRACKING_ID, 7), (ABS_MT_POSITION_X, 50), (ABS_MT_POSITION_Y, 20)]);
        assert_eq!(down, [Touch::Down { slot: 0, x: 0.5, y: 0.2 }, Touch::Frame]);
        let second = told(&mut slots, &[(ABS_MT_POSITION_X, 60), (ABS_MT_SLOT, 1), (ABS_MT_TRACKING_ID, 8), (ABS_MT_POSITION_X, 10), (ABS_MT_POSITION_Y, 10)]);
        assert_eq!(second, [Touch::Motion { slot: 0, x: 0.6, y: 0.2 }, Touch::Down { slot: 1, x: 0.1, y: 0.1 }, Touch::Frame]);
        assert_eq!(told(&mut slots, &[]), []);
        // One goes, and another one comes in the same group.
        let other = told(&mut slots, &[(ABS_MT_TRACKING_ID, 9)]);
        assert_eq!(other, [Touch::Up { slot: 1 }, Touch::Down { slot: 1, x: 0.1, y: 0.1 }, Touch::Frame]);
        assert_eq!(told(&mut slots, &[(ABS_MT_TRACKING_ID, -1), (ABS_MT_SLOT, 0), (ABS_MT_TRACKING_ID, -1)]), [Touch::Up { slot: 0 }, Touch::Up { slot: 1 }, Touch::Frame]);
        assert!(!slots.forget());
    }

    proptest! {
        /// Whatever a device says: each finger that goes has come, and none comes twice.
        #[test]
        fn fingers_are_there_once(events in proptest::collection::vec((prop_oneof![Just(ABS_MT_SLOT), Just(ABS_MT_TRACKING_ID), Just(ABS_MT_POSITION_X), any::<u16>()], prop_oneof![-2i32..20, any::<i32>()], any::<bool>()), 0..60)) {
            let mut slots = Slots::new(-1);
            let mut there = std::collections::BTreeSet::new();
            for (code, value, is_complete) in events {
                slots.axis(code, value);
                if !is_complete {
                    continue;
                }
                let mut all = Vec::new();
                slots.report(|_| (0.0, 0.0), |it| all.push(it));
                for it in all {
                    match it {
                        Touch::Down { slot, .. } => prop_assert!(there.insert(slot)),
                        Touch::Up { slot } => prop_assert!(there.remove(&slot)),
                        Touch::Motion { slot, .. } => prop_assert!(there.contains(&slot)),
                        Touch::Frame | Touch::Cancel => {}
                    }
                }
            }
            prop_assert_eq!(slots.forget(), !there.is_empty());
        }
    }
}
