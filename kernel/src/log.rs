//! The kernel log: levels, a ring that `/dev/kmsg` and `dmesg` read, the serial line.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use crate::sync::{SpinLock, WaitQueue};

/// Bytes kept.
pub const CAPACITY: usize = 256 << 10;

/// Syslog levels (`syslog(2)`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum Level {
    Error = 3,
    Warning = 4,
    Info = 6,
    Debug = 7,
}

/// One line of the log.
#[derive(Clone, Debug)]
pub struct Record {
    /// Counts from 0 without gaps.
    pub sequence: u64,
    /// Facility * 8 + level.
    pub priority: u8,
    /// Since boot.
    pub time_us: u64,
    /// Without newline.
    pub text: String,
}

struct Ring {
    records: VecDeque<Record>,
    bytes: usize,
    next: u64,
    /// Woken when a record comes; made with the first.
    event: Option<WaitQueue>,
}

static RING: SpinLock<Ring> = SpinLock::new(Ring { records: VecDeque::new(), bytes: 0, next: 0, event: None });
/// Lines of this level and more important ones go to the serial line.
static CONSOLE_LEVEL: AtomicU8 = AtomicU8::new(Level::Info as u8);

/// Sets which levels reach the serial line (`loglevel=`): those below `level`, as on Linux.
pub fn set_console_level(level: u8) {
    SAVED_LEVEL.store(0, Ordering::Relaxed);
    CONSOLE_LEVEL.store(level.saturating_sub(1), Ordering::Relaxed);
}

/// The level below which lines reach the serial line.
pub fn console_level() -> u8 {
    CONSOLE_LEVEL.load(Ordering::Relaxed).saturating_add(1)
}

/// What `syslog(2)` showed last before it was told to clear: the sequence number of the first record that it shows now.
static CLEARED: AtomicU64 = AtomicU64::new(0);
/// The level that [`console_on`] brings back, plus one; 0 where the line is on.
static SAVED_LEVEL: AtomicU8 = AtomicU8::new(0);

/// `syslog(2)` shows no more what is there now; `/dev/kmsg` does.
pub fn clear() {
    CLEARED.store(RING.lock().next, Ordering::Relaxed);
}

/// Only the most important lines go to the serial line from now on.
pub fn console_off() {
    let level = CONSOLE_LEVEL.swap(0, Ordering::Relaxed);
    let _ = SAVED_LEVEL.compare_exchange(0, level + 1, Ordering::Relaxed, Ordering::Relaxed);
}

/// Undoes [`console_off`].
pub fn console_on() {
    let saved = SAVED_LEVEL.swap(0, Ordering::Relaxed);
    if saved > 0 {
        CONSOLE_LEVEL.store(saved - 1, Ordering::Relaxed);
    }
}

/// Adds a line; `priority` is facility * 8 + level.
pub fn write(priority: u8, text: &str) {
    let time_us = frame::time::now_ns() / 1000;
    if priority & 7 <= CONSOLE_LEVEL.load(Ordering::Relaxed) {
        frame::log::write_str(&format!("[{:5}.{:06}] {text}\n", time_us / 1_000_000, time_us % 1_000_000));
    }
    let event = {
        let mut ring = RING.lock();
        let sequence = ring.next;
        ring.next += 1;
        ring.bytes += text.len();
        ring.records.push_back(Record { sequence, priority, time_us, text: text.into() });
        while ring.bytes > CAPACITY {
            let Some(gone) = ring.records.pop_front() else { break };
            ring.bytes -= gone.text.len();
        }
        ring.event.clone()
    };
    if let Some(event) = event {
        event.wake_all();
    }
}

/// For the macros.
pub fn log(level: Level, args: fmt::Arguments<'_>) {
    write(level as u8, &format!("{args}"));
}

/// The first record at or after `sequence`.
pub fn record(sequence: u64) -> Option<Record> {
    let ring = RING.lock();
    let first = ring.records.front()?.sequence;
    let at = sequence.saturating_sub(first) as usize;
    ring.records.get(at).cloned()
}

/// The sequence number of the first record kept, and the one the next will get.
pub fn bounds() -> (u64, u64) {
    let ring = RING.lock();
    (ring.records.front().map_or(ring.next, |r| r.sequence), ring.next)
}

/// Woken when a record comes.
pub fn event() -> WaitQueue {
    RING.lock().event.get_or_insert_with(WaitQueue::new).clone()
}

/// The log since it was cleared, as `dmesg` without /dev/kmsg sees it.
pub fn text() -> Vec<u8> {
    let ring = RING.lock();
    let mut out = Vec::new();
    let cleared = CLEARED.load(Ordering::Relaxed);
    for r in ring.records.iter().filter(|r| r.sequence >= cleared) {
        out.extend_from_slice(format!("<{}>[{:5}.{:06}] {}\n", r.priority, r.time_us / 1_000_000, r.time_us % 1_000_000, r.text).as_bytes());
    }
    out
}

macro_rules! error { ($($t:tt)*) => { $crate::log::log($crate::log::Level::Error, format_args!($($t)*)) }; }
macro_rules! warning { ($($t:tt)*) => { $crate::log::log($crate::log::Level::Warning, format_args!($($t)*)) }; }
macro_rules! info { ($($t:tt)*) => { $crate::log::log($crate::log::Level::Info, format_args!($($t)*)) }; }
macro_rules! debug { ($($t:tt)*) => { $crate::log::log($crate::log::Level::Debug, format_args!($($t)*)) }; }
pub(crate) use {debug, error, info, warning};
