//! What clients read from their descriptor.

use crate::uapi::{EventHeader, EventSequence, EventVblank, event};
use std::collections::VecDeque;
use zerocopy::IntoBytes;

/// Bytes that a client's events may take, with those that are still to come.
const SPACE: usize = 4096;

/// Events of a client, whole records.
#[derive(Debug, Default)]
pub struct EventQueue {
    ready: VecDeque<Vec<u8>>,
    /// Bytes of `ready` and of what was reserved.
    used: usize,
}

impl EventQueue {
    /// Keeps room for an event that will come later. False where the client does not read what it has.
    #[must_use]
    pub fn reserve(&mut self) -> bool {
        let has_room = self.used + size_of::<EventVblank>() <= SPACE;
        if has_room {
            self.used += size_of::<EventVblank>();
        }
        has_room
    }

    /// Gives back the room of an event that will not come.
    pub fn release(&mut self) {
        self.used = self.used.saturating_sub(size_of::<EventVblank>());
    }

    /// Adds an event for which room was reserved.
    pub fn push_reserved(&mut self, record: Vec<u8>) {
        self.ready.push_back(record);
    }

    /// Adds an event, unless one of the same type waits already or there is no room.
    pub fn push_once(&mut self, kind: u32) {
        let record = EventHeader { kind, length: size_of::<EventHeader>() as u32 };
        if self.used + size_of::<EventHeader>() <= SPACE && !self.ready.iter().any(|r| r[..4] == kind.to_ne_bytes()) {
            self.used += size_of::<EventHeader>();
            self.ready.push_back(record.as_bytes().to_vec());
        }
    }

    /// Whether there is nothing to read.
    pub fn is_empty(&self) -> bool {
        self.ready.is_empty()
    }

    /// Takes as many whole events as fit; 0 where not even the first does.
    pub fn read(&mut self, buffer: &mut [u8]) -> usize {
        let mut at = 0;
        while let Some(record) = self.ready.front().filter(|r| at + r.len() <= buffer.len()) {
            buffer[at..at + record.len()].copy_from_slice(record);
            at += record.len();
            self.used = self.used.saturating_sub(record.len());
            self.ready.pop_front();
        }
        at
    }
}

/// What becomes of a vertical blank that a client waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `DRM_EVENT_FLIP_COMPLETE`.
    Flip,
    /// `DRM_EVENT_VBLANK`.
    Vblank,
    /// `DRM_EVENT_CRTC_SEQUENCE`.
    Sequence,
}

/// The record of an event at vertical blank `count`, at `time_ns`.
pub fn record(kind: Kind, user_data: u64, crtc_id: u32, count: u64, time_ns: u64) -> Vec<u8> {
    let length = size_of::<EventVblank>() as u32;
    if kind == Kind::Sequence {
        let event = EventSequence { kind: event::CRTC_SEQUENCE, length, user_data, time_ns: time_ns as i64, sequence: count };
        return event.as_bytes().to_vec();
    }
    let event = EventVblank {
        kind: if kind == Kind::Flip { event::FLIP_COMPLETE } else { event::VBLANK },
        length,
        user_data,
        tv_sec: (time_ns / 1_000_000_000) as u32,
        tv_usec: (time_ns % 1_000_000_000 / 1000) as u32,
        sequence: count as u32,
        crtc_id,
    };
    event.as_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_events_are_read() {
        let mut queue = EventQueue::default();
        for user_data in [1, 2] {
            assert!(queue.reserve());
            queue.push_reserved(record(Kind::Flip, user_data, 40, 7, 1_500_000_000));
        }
        let mut buffer = [0; 63];
        assert_eq!(queue.read(&mut buffer[..31]), 0);
        assert_eq!(queue.read(&mut buffer), 32);
        assert_eq!(buffer[..4], 2u32.to_ne_bytes());
        assert_eq!(buffer[8..16], 1u64.to_ne_bytes());
        assert_eq!(buffer[16..24], [1, 0, 0, 0, 0x20, 0xa1, 0x07, 0]);
        assert!(!queue.is_empty());
    }

    #[test]
    fn a_client_that_does_not_read_gets_no_more() {
        let mut queue = EventQueue::default();
        let reserved = (0..200).take_while(|_| queue.reserve()).count();
        assert_eq!(reserved, 128);
        queue.release();
        assert!(queue.reserve() && !queue.reserve());
    }
}
