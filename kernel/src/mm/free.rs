//! Where a mapping goes that asks for no address.

use super::space::Areas;
use super::{Area, MAX_ADDRESS, MIN_ADDRESS, PAGE};

/// Unmapped space kept below a growing stack.
const STACK_GUARD: usize = 256 * PAGE;

/// What searches downwards have learnt, so that programs with many areas do not pay for all of them at each mapping.
pub(super) struct FreeSearch {
    /// Above this address, up to `mmap_top`, no gap has more than `largest_above` bytes.
    from: usize,
    largest_above: usize,
}

impl Default for FreeSearch {
    fn default() -> Self {
        Self { from: usize::MAX, largest_above: 0 }
    }
}

/// Where others may reach to below an area.
fn room_below(area: &Area) -> usize {
    if area.grows_down { area.start.saturating_sub(STACK_GUARD) } else { area.start }
}

impl Areas {
    /// To be called when areas up to `end` have been taken away: the gap there may be larger than any that is known.
    pub fn freed(&mut self, end: usize) {
        let gap_end = self.map.range(end..).next().map_or(usize::MAX, |(start, _)| *start);
        self.search.from = self.search.from.max(gap_end);
    }

    /// As [`Self::find_free`], within what `MAP_32BIT` means on Linux.
    pub fn find_low(&self, hint: usize, len: usize) -> Option<usize> {
        const FIRST: usize = 0x4000_0000;
        const END: usize = 0x8000_0000;
        let hint = hint & !(PAGE - 1);
        let fits = |start: usize| start >= FIRST && start.checked_add(len).is_some_and(|end| end <= END);
        if fits(hint) && !self.overlaps(hint, hint + len) {
            return Some(hint);
        }
        let mut start = self.map.range(..FIRST).next_back().map_or(FIRST, |(_, area)| area.end.max(FIRST));
        for area in self.map.range(FIRST..END).map(|(_, area)| area) {
            if room_below(area).checked_sub(start).is_some_and(|room| room >= len) {
                break;
            }
            start = start.max(area.end);
        }
        fits(start).then_some(start)
    }

    /// A free range: at the hint, else the highest below `mmap_top`, else anywhere.
    pub fn find_free(&mut self, hint: usize, len: usize) -> Option<usize> {
        let hint = hint & !(PAGE - 1);
        let fits = hint >= MIN_ADDRESS && hint.checked_add(len).is_some_and(|end| end <= MAX_ADDRESS) && !self.overlaps(hint, hint + len);
        if fits && self.map.range(hint..).next().is_none_or(|(_, next)| room_below(next) >= hint + len) {
            return Some(hint);
        }
        if let Some(found) = self.find_below_top(len) {
            return Some(found);
        }
        // Above mmap_top.
        let mut start = self.mmap_top;
        for area in self.map.range(self.mmap_top..).map(|(_, a)| a) {
            if room_below(area).checked_sub(start).is_some_and(|room| room >= len) {
                return Some(start);
            }
            start = start.max(area.end);
        }
        (MAX_ADDRESS.saturating_sub(start) >= len).then_some(start)
    }

    fn find_below_top(&mut self, len: usize) -> Option<usize> {
        let known = &self.search;
        let (mut end, mut largest) = if len > known.largest_above { (known.from.min(self.mmap_top), known.largest_above) } else { (self.mmap_top, 0) };
        for area in self.map.range(..end).rev().map(|(_, a)| a) {
            let gap = end.saturating_sub(area.end);
            if gap >= len {
                self.search = FreeSearch { from: end, largest_above: largest };
                return Some(end - len);
            }
            largest = largest.max(gap);
            end = end.min(room_below(area));
        }
        self.search = FreeSearch { from: end, largest_above: largest };
        (end >= MIN_ADDRESS + len).then(|| end - len)
    }
}
