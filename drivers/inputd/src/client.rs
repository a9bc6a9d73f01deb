//! A reader of an event device: its queue, its clock, what it hides.

use input_event::producer::Change;
use input_event::{EV_SYN, EVENT_BYTES, InputEvent, SYN_DROPPED, SYN_REPORT};
use rustix::time::{ClockId, clock_gettime};
use scheme::EventFlags;
use std::collections::VecDeque;

/// Events that a reader may be behind.
const QUEUE: usize = 256;

/// The clocks that a reader can choose from (`EVIOCSCLOCKID`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    #[allow(missing_docs)]
    Realtime,
    #[allow(missing_docs)]
    Monotonic,
    #[allow(missing_docs)]
    Boottime,
}

impl Clock {
    /// By its number (`clock_gettime(2)`).
    pub fn from_number(number: i32) -> Option<Self> {
        match number {
            0 => Some(Clock::Realtime),
            1 => Some(Clock::Monotonic),
            7 => Some(Clock::Boottime),
            _ => None,
        }
    }
}

/// A moment on all clocks, in microseconds.
#[derive(Clone, Copy, Debug)]
pub struct Moment([u64; 3]);

impl Moment {
    /// Now.
    pub fn now() -> Self {
        let read = |clock| {
            let time = clock_gettime(clock);
            time.tv_sec as u64 * 1_000_000 + time.tv_nsec as u64 / 1000
        };
        Moment([read(ClockId::Realtime), read(ClockId::Monotonic), read(ClockId::Boottime)])
    }

    /// By one clock.
    pub fn on(self, clock: Clock) -> u64 {
        self.0[clock as usize]
    }
}

/// A reader.
pub struct Client {
    /// The device, by its number; `None` for the keys of all keyboards.
    pub device: Option<usize>,
    /// Its clock.
    pub clock: Clock,
    /// `O_NONBLOCK`.
    pub is_nonblocking: bool,
    /// It hears nothing any more (`EVIOCREVOKE`).
    pub is_revoked: bool,
    /// Reads that wait: tag and length.
    pub waiting: VecDeque<(u32, usize)>,
    /// What the kernel wants to be told of.
    pub interest: EventFlags,
    queue: VecDeque<InputEvent>,
    /// Events at the front that make whole groups: only these are given away.
    complete: usize,
}

impl Client {
    /// A reader with nothing to read.
    pub fn new(device: Option<usize>, is_nonblocking: bool) -> Self {
        Client {
            device,
            clock: Clock::Realtime,
            is_nonblocking,
            is_revoked: false,
            waiting: VecDeque::new(),
            interest: EventFlags::empty(),
            queue: VecDeque::new(),
            complete: 0,
        }
    }

    /// Whether a read would give something.
    pub fn is_readable(&self) -> bool {
        self.complete > 0
    }

    /// A group of events happened. Where the queue is full, all is dropped but the newest, and the reader is told.
    pub fn push(&mut self, group: &[Change], moment: Moment) {
        let time_us = moment.on(self.clock);
        for (kind, code, value) in group.iter().copied().chain([(EV_SYN, SYN_REPORT, 0)]) {
            let event = InputEvent { time_us, kind, code, value };
            if self.queue.len() + 1 >= QUEUE {
                self.queue.clear();
                self.queue.push_back(InputEvent { time_us, kind: EV_SYN, code: SYN_DROPPED, value: 0 });
            }
            self.queue.push_back(event);
        }
        self.complete = self.queue.len();
    }

    /// As many whole events as fit `len` bytes.
    pub fn take(&mut self, len: usize) -> Vec<u8> {
        let count = self.complete.min(len / EVENT_BYTES);
        self.complete -= count;
        self.queue.drain(..count).flat_map(|event| event.encode()).collect()
    }

    /// Changes the clock. What waits has times of the old one, so it is dropped, and the reader is told.
    pub fn set_clock(&mut self, clock: Clock) {
        if clock == self.clock {
            return;
        }
        self.clock = clock;
        if !self.queue.is_empty() {
            let time_us = Moment::now().on(clock);
            self.queue.clear();
            self.queue.push_back(InputEvent { time_us, kind: EV_SYN, code: SYN_DROPPED, value: 0 });
            self.queue.push_back(InputEvent { time_us, kind: EV_SYN, code: SYN_REPORT, value: 0 });
            self.complete = self.queue.len();
        }
    }

    /// Drops what waits of a type: the reader is given the state of it all. Groups that become empty go, too.
    pub fn forget(&mut self, kind: u16) {
        let mut in_group = 0;
        self.queue.retain(|event| {
            if event.kind == kind {
                return false;
            }
            if event.kind == EV_SYN && event.code == SYN_REPORT {
                return std::mem::take(&mut in_group) > 0;
            }
            in_group += 1;
            true
        });
        self.complete = self.queue.len();
    }

    /// Drops everything.
    pub fn clear(&mut self) {
        self.queue.clear();
        self.complete = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use input_event::{EV_KEY, EV_REL, REL_X, key};

    fn kinds(client: &mut Client) -> Vec<(u16, u16, i32)> {
        let bytes = client.take(1 << 20);
        let (events, _) = bytes.as_chunks::<EVENT_BYTES>();
        events.iter().map(InputEvent::decode).map(|event| (event.kind, event.code, event.value)).collect()
    }

    #[test]
    fn a_slow_reader_is_told_that_it_lost_something() {
        let mut client = Client::new(Some(0), true);
        for value in 0..QUEUE as i32 {
            client.push(&[(EV_REL, REL_X, value + 1)], Moment::now());
        }
        let all = kinds(&mut client);
        assert_eq!(all[0], (EV_SYN, SYN_DROPPED, 0));
        assert_eq!(all[all.len() - 2..], [(EV_REL, REL_X, QUEUE as i32), (EV_SYN, SYN_REPORT, 0)]);
        assert!(all.len() < QUEUE && !client.is_readable());
    }

    #[test]
    fn asking_for_a_state_drops_its_events() {
        let mut client = Client::new(Some(0), true);
        client.push(&[(EV_KEY, key::A, 1)], Moment::now());
        client.push(&[(EV_KEY, key::B, 1), (EV_REL, REL_X, 3)], Moment::now());
        client.forget(EV_KEY);
        assert_eq!(kinds(&mut client), [(EV_REL, REL_X, 3), (EV_SYN, SYN_REPORT, 0)]);
    }

    #[test]
    fn another_clock_drops_what_has_the_old_one() {
        let mut client = Client::new(Some(0), true);
        client.set_clock(Clock::Monotonic);
        assert!(!client.is_readable());
        client.push(&[(EV_KEY, key::A, 1)], Moment::now());
        client.set_clock(Clock::Boottime);
        assert_eq!(kinds(&mut client), [(EV_SYN, SYN_DROPPED, 0), (EV_SYN, SYN_REPORT, 0)]);
    }

    #[test]
    fn short_reads_give_whole_events() {
        let mut client = Client::new(Some(0), true);
        client.push(&[(EV_KEY, key::A, 1)], Moment::now());
        assert_eq!(client.take(2 * EVENT_BYTES - 1).len(), EVENT_BYTES);
        assert_eq!(kinds(&mut client), [(EV_SYN, SYN_REPORT, 0)]);
    }
}
