//! How much is read from and written to block devices: the numbers of `/proc/diskstats` and `/sys/block/<name>/stat` (Linux's
//! `Documentation/admin-guide/iostats.rst`).
//!
//! Counted where programs and filesystems ask the disk's scheme, by its name: a driver that is started again goes on counting. Requests are not merged, so those
//! fields stay 0; what a partition is asked for counts for the disk, too.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::sync::SpinLock;

/// Bytes of the sectors that are counted, whatever the disk's are.
const SECTOR: u64 = 512;
const NS_PER_MS: u64 = 1_000_000;

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    #[allow(missing_docs)]
    Read,
    #[allow(missing_docs)]
    Write,
    /// Of the disk's cache.
    Flush,
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    requests: u64,
    bytes: u64,
    ns: u64,
}

#[derive(Debug, Default)]
struct Counters {
    /// By [`Kind`].
    counts: [Count; 3],
    in_flight: u64,
    /// When `in_flight` changed last, ns since the start.
    changed: u64,
    /// How long it was not 0.
    busy_ns: u64,
    /// The integral of `in_flight` over time.
    weighted_ns: u64,
}

impl Counters {
    /// Brings the times up to `now`.
    fn advance(&mut self, now: u64) {
        let passed = now.saturating_sub(self.changed);
        self.changed = now;
        self.weighted_ns += passed * self.in_flight;
        self.busy_ns += if self.in_flight > 0 { passed } else { 0 };
    }
}

/// The numbers of a disk or partition.
#[derive(Default)]
pub struct DiskStats {
    counters: SpinLock<Counters>,
    /// Of a partition.
    disk: Option<Arc<DiskStats>>,
}

/// By the scheme's name and the handle: 0 is the disk, others are its partitions.
static ALL: SpinLock<BTreeMap<(String, u64), Arc<DiskStats>>> = SpinLock::new(BTreeMap::new());

/// The counters of the handle `number` of the scheme `name`. They stay.
pub fn of(name: &str, number: u64) -> Arc<DiskStats> {
    let mut all = ALL.lock();
    let disk = all.entry((name.into(), 0)).or_default().clone();
    if number == 0 {
        return disk;
    }
    all.entry((name.into(), number)).or_insert_with(|| Arc::new(DiskStats { disk: Some(disk), ..DiskStats::default() })).clone()
}

/// Bytes read from and written to all disks.
pub fn totals() -> (u64, u64) {
    let disks: Vec<_> = ALL.lock().iter().filter(|((_, number), _)| *number == 0).map(|(_, stats)| stats.clone()).collect();
    disks.iter().fold((0, 0), |(read, written), disk| {
        let counts = disk.counters.lock().counts;
        (read + counts[Kind::Read as usize].bytes, written + counts[Kind::Write as usize].bytes)
    })
}

/// Those of what the path `/scheme/<name>[/<number>]` stands for.
pub fn at(target: &[u8]) -> Option<Arc<DiskStats>> {
    let rest = core::str::from_utf8(target).ok()?.strip_prefix("/scheme/")?;
    let (name, number) = match rest.split_once('/') {
        None => (rest, 0),
        Some((name, number)) => (name, number.parse().ok()?),
    };
    Some(of(name, number))
}

/// A request under way; ends where it is dropped or [`finished`](Self::finish).
pub struct Request<'a> {
    stats: &'a DiskStats,
    kind: Kind,
    started: u64,
    bytes: u64,
}

impl DiskStats {
    /// Counts a request from now on.
    pub fn begin(&self, kind: Kind) -> Request<'_> {
        let started = frame::time::now_ns();
        for stats in self.and_disk() {
            let mut counters = stats.counters.lock();
            counters.advance(started);
            counters.in_flight += 1;
        }
        Request { stats: self, kind, started, bytes: 0 }
    }

    fn and_disk(&self) -> impl Iterator<Item = &DiskStats> {
        core::iter::once(self).chain(self.disk.as_deref())
    }

    /// The fields in the order of `iostats.rst`, without a newline.
    pub fn fields(&self) -> String {
        let mut counters = self.counters.lock();
        counters.advance(frame::time::now_ns());
        let [read, write, flush] = &counters.counts;
        let ms = |ns: u64| ns / NS_PER_MS;
        let both = |count: &Count| format!("{} 0 {} {}", count.requests, count.bytes / SECTOR, ms(count.ns));
        format!(
            "{} {} {} {} {} 0 0 0 0 {} {}",
            both(read),
            both(write),
            counters.in_flight,
            ms(counters.busy_ns),
            ms(counters.weighted_ns),
            flush.requests,
            ms(flush.ns)
        )
    }
}

impl Request<'_> {
    /// It has read or written so many bytes.
    pub fn finish(mut self, bytes: usize) {
        self.bytes = bytes as u64;
    }
}

impl Drop for Request<'_> {
    fn drop(&mut self) {
        let now = frame::time::now_ns();
        for stats in self.stats.and_disk() {
            let mut counters = stats.counters.lock();
            counters.advance(now);
            counters.in_flight -= 1;
            let count = &mut counters.counts[self.kind as usize];
            count.requests += 1;
            count.bytes += self.bytes;
            count.ns += now.saturating_sub(self.started);
        }
    }
}
