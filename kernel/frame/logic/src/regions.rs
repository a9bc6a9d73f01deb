//! Sets of physical address ranges, without a heap.

/// Bytes from `start` up to, not including, `end`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Region {
    /// First byte.
    pub start: u64,
    /// Byte after the last.
    pub end: u64,
}

impl Region {
    /// `len` bytes from `start`, cut at the end of the address space.
    pub fn new(start: u64, len: u64) -> Region {
        Region { start, end: start.saturating_add(len) }
    }

    /// Number of bytes.
    pub fn len(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.end <= self.start
    }

    /// Whether both have a byte in common.
    pub fn overlaps(&self, other: &Region) -> bool {
        !self.is_empty() && !other.is_empty() && self.start < other.end && other.start < self.end
    }
}

/// Most regions a set holds; more are dropped (memory the kernel does not use then).
pub const MAX_REGIONS: usize = 128;

/// A set of regions, sorted, disjoint, merged where they touch.
#[derive(Clone, Copy, Debug)]
pub struct RegionSet {
    regions: [Region; MAX_REGIONS],
    len: usize,
}

impl Default for RegionSet {
    fn default() -> Self {
        Self::new()
    }
}

impl RegionSet {
    /// The empty set.
    pub const fn new() -> Self {
        RegionSet { regions: [Region { start: 0, end: 0 }; MAX_REGIONS], len: 0 }
    }

    /// The regions in order.
    pub fn as_slice(&self) -> &[Region] {
        &self.regions[..self.len]
    }

    /// Adds a region; false where the set is full.
    pub fn add(&mut self, mut region: Region) -> bool {
        if region.is_empty() {
            return true;
        }
        // Swallow all that touch the new one, then insert it in order.
        let mut kept = 0;
        for i in 0..self.len {
            let old = self.regions[i];
            if old.start <= region.end && region.start <= old.end {
                region = Region { start: region.start.min(old.start), end: region.end.max(old.end) };
            } else {
                self.regions[kept] = old;
                kept += 1;
            }
        }
        self.len = kept;
        self.insert(region)
    }

    fn insert(&mut self, region: Region) -> bool {
        if self.len == MAX_REGIONS {
            return false;
        }
        let at = self.as_slice().iter().position(|r| r.start > region.start).unwrap_or(self.len);
        self.regions.copy_within(at..self.len, at + 1);
        self.regions[at] = region;
        self.len += 1;
        true
    }

    /// Removes all bytes of a region. Where the set is too full to split one, its upper part is lost.
    pub fn remove(&mut self, hole: Region) {
        if hole.is_empty() {
            return;
        }
        let old = *self;
        self.len = 0;
        for region in old.as_slice() {
            if !region.overlaps(&hole) {
                self.insert(*region);
                continue;
            }
            for part in [Region { start: region.start, end: hole.start.max(region.start) }, Region { start: hole.end.min(region.end), end: region.end }] {
                if !part.is_empty() {
                    self.insert(part);
                }
            }
        }
    }

    /// Cuts regions down to multiples of `align` (a power of two); what becomes empty goes.
    pub fn shrink_to(&mut self, align: u64) {
        let old = *self;
        self.len = 0;
        for region in old.as_slice() {
            let start = region.start.checked_next_multiple_of(align).unwrap_or(region.end);
            let part = Region { start, end: region.end & !(align - 1) };
            if !part.is_empty() {
                self.insert(part);
            }
        }
    }

    /// Takes `len` bytes, aligned to `align` (a power of two), below `limit`: the highest that fit. Gives their address.
    pub fn take_top(&mut self, len: u64, align: u64, limit: u64) -> Option<u64> {
        for i in (0..self.len).rev() {
            let region = self.regions[i];
            let Some(start) = region.end.min(limit).checked_sub(len) else { continue };
            let start = start & !(align - 1);
            if start >= region.start {
                self.remove(Region::new(start, len));
                return Some(start);
            }
        }
        None
    }

    /// Whether any byte of `region` is in the set.
    pub fn overlaps(&self, region: &Region) -> bool {
        self.as_slice().iter().any(|r| r.overlaps(region))
    }

    /// Sum of the lengths in bytes.
    pub fn total(&self) -> u64 {
        self.as_slice().iter().map(Region::len).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(list: &[(u64, u64)]) -> RegionSet {
        let mut set = RegionSet::new();
        for &(start, end) in list {
            assert!(set.add(Region { start, end }));
        }
        set
    }

    fn list(set: &RegionSet) -> Vec<(u64, u64)> {
        set.as_slice().iter().map(|r| (r.start, r.end)).collect()
    }

    #[test]
    fn adding_sorts_and_merges() {
        assert_eq!(list(&set(&[(10, 20), (0, 5), (5, 7), (15, 30), (40, 40)])), [(0, 7), (10, 30)]);
        assert_eq!(list(&set(&[(0, 1), (2, 3), (4, 5), (0, 9)])), [(0, 9)]);
    }

    #[test]
    fn removing_splits() {
        let mut s = set(&[(0, 100), (200, 300)]);
        s.remove(Region { start: 10, end: 20 });
        s.remove(Region { start: 90, end: 250 });
        assert_eq!(list(&s), [(0, 10), (20, 90), (250, 300)]);
        s.remove(Region { start: 0, end: u64::MAX });
        assert_eq!(list(&s), []);
    }

    #[test]
    fn shrinking_aligns_inwards() {
        let mut s = set(&[(1, 4095), (4097, 12288), (20480, 24576)]);
        s.shrink_to(4096);
        assert_eq!(list(&s), [(8192, 12288), (20480, 24576)]);
    }

    #[test]
    fn taking_from_the_top_respects_the_limit() {
        let mut s = set(&[(0, 0x1000), (0x4000, 0x9000), (0x10000, 0x20000)]);
        assert_eq!(s.take_top(0x2000, 0x1000, 0x8800), Some(0x6000));
        assert_eq!(s.take_top(0x2000, 0x2000, 0x8800), Some(0x4000));
        assert_eq!(s.take_top(0x2000, 0x1000, 0x8800), None);
        assert_eq!(s.take_top(0x100000, 1, u64::MAX), None);
        assert_eq!(list(&s), [(0, 0x1000), (0x8000, 0x9000), (0x10000, 0x20000)]);
    }

    #[test]
    fn a_full_set_refuses() {
        let mut s = RegionSet::new();
        for i in 0..MAX_REGIONS as u64 {
            assert!(s.add(Region::new(i * 10, 5)));
        }
        assert!(!s.add(Region::new(100_000, 5)));
        s.remove(Region::new(1, 1));
        assert_eq!(s.as_slice().len(), MAX_REGIONS);
    }
}
