//! Linux's `struct input_event` (`linux/input.h`) and the codes that our drivers and consoles use
//! (`linux/input-event-codes.h`).

pub mod bits;
pub mod code;
pub mod description;
pub mod key;
pub mod producer;

pub use bits::Bits;
pub use description::{AbsInfo, Description, DeviceId};

/// Bytes of an event on x86-64.
pub const EVENT_BYTES: usize = 24;

/// Ends a group of events that belong together.
pub const EV_SYN: u16 = 0;
/// A key or button; the value is 0 for released, 1 for pressed, 2 for repeated.
pub const EV_KEY: u16 = 1;
/// Relative motion.
pub const EV_REL: u16 = 2;

/// `EV_SYN`: the group is complete.
pub const SYN_REPORT: u16 = 0;
/// `EV_SYN`: the reader was too slow, events were lost.
pub const SYN_DROPPED: u16 = 3;

/// `EV_REL`: motion to the right.
pub const REL_X: u16 = 0;
/// `EV_REL`: motion down.
pub const REL_Y: u16 = 1;
/// `EV_REL`: wheel, away from the user.
pub const REL_WHEEL: u16 = 8;

/// An input event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputEvent {
    /// Time in microseconds since 1970.
    pub time_us: u64,
    /// `EV_*`.
    pub kind: u16,
    /// `KEY_*`, `REL_*`, ...
    pub code: u16,
    /// Depends on the kind.
    pub value: i32,
}

impl InputEvent {
    /// The event's bytes.
    pub fn encode(&self) -> [u8; EVENT_BYTES] {
        let mut bytes = [0; EVENT_BYTES];
        bytes[..8].copy_from_slice(&(self.time_us / 1_000_000).to_le_bytes());
        bytes[8..16].copy_from_slice(&(self.time_us % 1_000_000).to_le_bytes());
        bytes[16..18].copy_from_slice(&self.kind.to_le_bytes());
        bytes[18..20].copy_from_slice(&self.code.to_le_bytes());
        bytes[20..].copy_from_slice(&self.value.to_le_bytes());
        bytes
    }

    /// The event in these bytes.
    pub fn decode(bytes: &[u8; EVENT_BYTES]) -> Self {
        let word = |at: usize| {
            (at..at + 8)
                .rev()
                .fold(0, |value, index| value << 8 | u64::from(bytes[index]))
        };
        InputEvent {
            time_us: word(0).wrapping_mul(1_000_000).wrapping_add(word(8)),
            kind: u16::from_le_bytes([bytes[16], bytes[17]]),
            code: u16::from_le_bytes([bytes[18], bytes[19]]),
            value: i32::from_le_bytes([bytes[20], bytes[21], bytes[22], bytes[23]]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_round_trip_in_linux_layout() {
        let event = InputEvent {
            time_us: 5_000_007,
            kind: EV_KEY,
            code: key::A,
            value: -1,
        };
        let bytes = event.encode();
        assert_eq!(
            (bytes[0], bytes[8], bytes[16], bytes[18], bytes[23]),
            (5, 7, 1, 30, 0xff)
        );
        assert_eq!(InputEvent::decode(&bytes), event);
    }
}
