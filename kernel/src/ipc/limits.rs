//! The limits of an IPC namespace: `/proc/sys/kernel/{shm,msg,sem}*` and `/proc/sys/fs/mqueue`.

use core::sync::atomic::{AtomicUsize, Ordering};

use super::namespace::here;

/// As Linux says "no limit", so that sums of it do not overflow.
const UNLIMITED: usize = usize::MAX - (1 << 24);

/// What there may be.
pub struct Limits {
    /// Bytes of a segment of shared memory.
    pub shm_max: AtomicUsize,
    /// Pages of all segments.
    pub shm_all: AtomicUsize,
    /// Segments.
    pub shm_segments: AtomicUsize,
    /// Bytes of a message of System V.
    pub msg_max: AtomicUsize,
    /// Bytes in a new queue of System V.
    pub msg_max_queue: AtomicUsize,
    /// Queues of System V.
    pub msg_queues: AtomicUsize,
    /// Sets of semaphores.
    pub sem_sets: AtomicUsize,
    /// POSIX message queues.
    pub queues_max: AtomicUsize,
    /// Messages a POSIX queue may be asked for.
    pub queue_messages: AtomicUsize,
    /// Bytes of a message a POSIX queue may be asked for.
    pub queue_length: AtomicUsize,
    /// Messages where nothing is asked for.
    pub default_messages: AtomicUsize,
    /// Bytes of a message where nothing is asked for.
    pub default_length: AtomicUsize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            shm_max: AtomicUsize::new(UNLIMITED),
            shm_all: AtomicUsize::new(UNLIMITED),
            shm_segments: AtomicUsize::new(4096),
            msg_max: AtomicUsize::new(8192),
            msg_max_queue: AtomicUsize::new(16_384),
            msg_queues: AtomicUsize::new(32_000),
            sem_sets: AtomicUsize::new(32_000),
            queues_max: AtomicUsize::new(256),
            queue_messages: AtomicUsize::new(10),
            queue_length: AtomicUsize::new(8192),
            default_messages: AtomicUsize::new(10),
            default_length: AtomicUsize::new(8192),
        }
    }
}

/// Which limit is meant.
pub type Which = fn(&Limits) -> &AtomicUsize;

/// A limit of the executing thread's namespace.
pub fn get(which: Which) -> usize {
    which(&here().limits).load(Ordering::Relaxed)
}

/// Sets a limit of the executing thread's namespace.
pub fn set(which: Which, to: usize) {
    which(&here().limits).store(to, Ordering::Relaxed);
}
