//! Free blocks, counted so that an operation that starts can finish.
//!
//! When the crate runs out of blocks in the middle of an operation, blocks are left that are freed though still in
//! use. So every operation asks here first, with an upper bound of the blocks it may allocate. What is given back
//! within a transaction is not counted; after a commit the count is exact again.

use redoxfs::Allocator;
use scheme::{Errno, Fail};

/// Entries of one block of the allocation log.
const LOG_ENTRIES: u64 = redoxfs::ALLOC_LIST_ENTRIES as u64;
/// Blocks that only operations which free space may use.
const KEPT_FOR_FREEING: u64 = 192;
/// Record levels of the format: 4 KiB to 128 KiB.
const LEVELS: usize = redoxfs::RECORD_LEVEL + 1;

/// What an operation may allocate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Need {
    /// Blocks, at most.
    pub blocks: u64,
    /// Level and number of aligned runs of blocks among them.
    pub runs: (usize, u64),
    /// The operation frees space in the end.
    pub frees: bool,
    /// Blocks that it is likely to leave in memory until the commit.
    pub likely: u64,
}

impl Need {
    /// A number of single blocks, of which few are changed as a rule.
    pub const fn blocks(blocks: u64) -> Self {
        Self {
            blocks,
            runs: (0, 0),
            frees: false,
            likely: blocks.div_ceil(8),
        }
    }

    /// A number of single blocks for an operation that frees space.
    pub const fn to_free(blocks: u64) -> Self {
        Self {
            blocks,
            runs: (0, 0),
            frees: true,
            likely: blocks.div_ceil(8),
        }
    }
}

/// The count.
#[derive(Clone, Debug, Default)]
pub struct Space {
    free: u64,
    /// Free runs by the allocator's own count: `runs[l]` aligned ones of `2^l` blocks.
    runs: [u64; LEVELS],
    /// Separate free areas, thus entries that a squashed log would have.
    areas: u64,
    /// Blocks kept back for operations to come.
    promised: u64,
    /// Blocks that operations since the last commit may have allocated, and in how many pieces.
    used: u64,
    pieces: u64,
}

impl Space {
    /// Takes over the exact state of the allocator.
    pub fn refresh(&mut self, allocator: &Allocator) {
        let levels = allocator.levels();
        self.free = allocator.free();
        self.areas = levels.iter().map(|level| level.len() as u64).sum();
        (self.used, self.pieces) = (0, 0);
        for (wanted, runs) in self.runs.iter_mut().enumerate() {
            let larger = levels.iter().enumerate().skip(wanted);
            *runs = larger
                .map(|(level, set)| (set.len() as u64) << (level - wanted))
                .sum();
        }
    }

    /// Blocks that the commit itself will need for the allocation log: each block allocated or freed makes an entry.
    const fn log_reserve(&self, more: u64) -> u64 {
        (self.areas + 3 * (self.used + more) + 4096) / LOG_ENTRIES + 8
    }

    /// Admits an operation, or fails with `Retry` where a commit may help and ENOSPC where not.
    pub fn admit(&mut self, need: Need, commit_may_help: bool) -> Result<(), Fail> {
        let kept = if need.frees { 0 } else { KEPT_FOR_FREEING };
        let more = need.blocks + self.promised;
        let wanted = self.used + more + self.log_reserve(more) + kept;
        // Each allocation breaks up at most one run of every size.
        let (level, runs) = need.runs;
        let pieces = need.blocks.saturating_sub(runs << level) + runs;
        let runs_left = self
            .runs
            .get(level)
            .map_or(0, |left| left.saturating_sub(self.pieces));
        if wanted > self.free || (runs > 0 && pieces > runs_left) {
            let hopeless = self.used == 0 && !commit_may_help;
            return Err(if hopeless {
                Errno::NOSPC.into()
            } else {
                Fail::Retry
            });
        }
        self.used += need.blocks;
        self.pieces += pieces;
        Ok(())
    }

    /// Keeps `blocks` back for operations that were promised room; false where they are not there.
    pub fn promise(&mut self, blocks: u64) -> bool {
        let more = blocks + self.promised;
        let fits = self.used + more + self.log_reserve(more) + 2 * KEPT_FOR_FREEING <= self.free;
        if fits {
            self.promised += blocks;
        }
        fits
    }

    /// An operation that was promised room asks for it now, or never will.
    pub const fn keep_promise(&mut self, blocks: u64) {
        self.promised = self.promised.saturating_sub(blocks);
    }

    /// True if operations were admitted since the last commit.
    pub const fn has_used(&self) -> bool {
        self.used > 0
    }

    /// Free blocks at the last commit.
    pub const fn free(&self) -> u64 {
        self.free
    }

    /// Free blocks that programs can have.
    pub const fn available(&self) -> u64 {
        let kept = self.log_reserve(0) + KEPT_FOR_FREEING;
        self.free.saturating_sub(self.used + self.promised + kept)
    }
}
