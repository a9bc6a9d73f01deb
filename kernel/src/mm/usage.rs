//! How much of an area is in memory, and whose it is.

use alloc::vec::Vec;

use frame::paging::{EntryInfo, PteFlags};

use super::{AddressSpace, Area, PAGE};

/// What of an area is in memory, in pages (`/proc/<pid>/smaps`, `proc(5)`).
#[derive(Clone, Copy, Debug, Default)]
pub struct AreaUsage {
    /// All of it.
    pub resident: usize,
    /// Each page divided by how many map it, in bytes.
    pub proportional_bytes: usize,
    /// Those of `proportional_bytes` that were written to.
    pub proportional_dirty_bytes: usize,
    /// Not of a file: zero-filled, or copied by a write.
    pub anonymous: usize,
    /// Mapped by others, too, and only read.
    pub shared_clean: usize,
    /// Mapped by others, too, and written to.
    pub shared_dirty: usize,
    /// Mapped here only, and only read.
    pub private_clean: usize,
    /// Mapped here only, and written to.
    pub private_dirty: usize,
    /// Used since they were mapped or the mark was taken.
    pub referenced: usize,
}

impl AreaUsage {
    /// Counts a page that is mapped.
    fn add(&mut self, page: &EntryInfo) {
        let is_own = page.flags.contains(PteFlags::SOFT_A);
        // The cache of a file has its pages, too.
        let others = usize::from(!is_own);
        let mappers = (page.refcount as usize).saturating_sub(others).max(1);
        let is_dirty = page.dirty || is_own;
        self.resident += 1;
        self.anonymous += usize::from(is_own);
        self.referenced += usize::from(page.accessed);
        self.proportional_bytes += PAGE / mappers;
        self.proportional_dirty_bytes += if is_dirty { PAGE / mappers } else { 0 };
        let class = match (mappers > 1, is_dirty) {
            (true, false) => &mut self.shared_clean,
            (true, true) => &mut self.shared_dirty,
            (false, false) => &mut self.private_clean,
            (false, true) => &mut self.private_dirty,
        };
        *class += 1;
    }

    /// Both together.
    pub fn and(self, other: Self) -> Self {
        Self {
            resident: self.resident + other.resident,
            proportional_bytes: self.proportional_bytes + other.proportional_bytes,
            proportional_dirty_bytes: self.proportional_dirty_bytes + other.proportional_dirty_bytes,
            anonymous: self.anonymous + other.anonymous,
            shared_clean: self.shared_clean + other.shared_clean,
            shared_dirty: self.shared_dirty + other.shared_dirty,
            private_clean: self.private_clean + other.private_clean,
            private_dirty: self.private_dirty + other.private_dirty,
            referenced: self.referenced + other.referenced,
        }
    }
}

impl AddressSpace {
    /// What of an area is in memory.
    pub fn area_usage(&self, area: &Area) -> AreaUsage {
        let mut usage = AreaUsage::default();
        self.table.for_each_present(area.start as u64, area.end as u64, |_, info| usage.add(info));
        usage
    }

    /// The entries of `/proc/<pid>/pagemap` for `count` pages from the page `first` on; the frames' numbers where `with_places`.
    pub fn page_map(&self, first: usize, count: usize, with_places: bool) -> Vec<u64> {
        const SOFT_DIRTY: u64 = 1 << 55;
        const EXCLUSIVE: u64 = 1 << 56;
        const OF_FILE: u64 = 1 << 61;
        const PRESENT: u64 = 1 << 63;
        let start = (first * PAGE) as u64;
        let mut map = alloc::vec![0; count];
        self.table.for_each_present(start, start + (count * PAGE) as u64, |va, page| {
            let is_own = page.flags.contains(PteFlags::SOFT_A);
            // The cache of a file has its pages, too.
            let is_exclusive = page.refcount <= 1 + u32::from(!is_own);
            let place = if with_places { page.paddr / PAGE as u64 } else { 0 };
            let bit = |is_set: bool, bit: u64| if is_set { bit } else { 0 };
            map[((va - start) as usize) / PAGE] = place | PRESENT | SOFT_DIRTY | bit(is_exclusive, EXCLUSIVE) | bit(!is_own, OF_FILE);
        });
        map
    }
}
