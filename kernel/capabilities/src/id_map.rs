//! How the ids of a user namespace stand for those of another (`user_namespaces(7)`, User and group ID mappings).

use alloc::vec::Vec;

/// A run of ids that stands for one of the same length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Its first id inside.
    pub first: u32,
    /// What that stands for outside.
    pub lower: u32,
    /// How many there are.
    pub count: u32,
}

impl Extent {
    fn overlaps(&self, other: &Extent) -> bool {
        let meets = |a: u32, b: u32| a < b.saturating_add(other.count) && b < a.saturating_add(self.count);
        meets(self.first, other.first) || meets(self.lower, other.lower)
    }
}

/// Which ids of a namespace stand for which outside. An empty one is not set yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdMap(Vec<Extent>);

/// Most lines that can be written (Linux's `UID_GID_MAP_MAX_EXTENTS`).
const MAX_EXTENTS: usize = 340;

impl IdMap {
    /// One that has no extents: nothing stands for anything.
    pub const EMPTY: IdMap = IdMap(Vec::new());

    /// Every id stands for itself.
    #[must_use]
    pub fn identity() -> Self {
        IdMap(alloc::vec![Extent { first: 0, lower: 0, count: u32::MAX }])
    }

    /// The lines that were written to `uid_map`: first id, first outside, how many. `None` where one is malformed, empty, too long or meets
    /// another, or where there is none or too many.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text = core::str::from_utf8(text).ok()?;
        let mut extents: Vec<Extent> = Vec::new();
        for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
            let mut numbers = line.split_ascii_whitespace().map(|word| word.parse::<u32>().ok());
            let mut next = || numbers.next().flatten();
            let extent = Extent { first: next()?, lower: next()?, count: next()? };
            let fits = |from: u32| from != u32::MAX && extent.count != 0 && from.checked_add(extent.count).is_some();
            if numbers.next().is_some() || !fits(extent.first) || !fits(extent.lower) || extents.len() == MAX_EXTENTS {
                return None;
            }
            if extents.iter().any(|other| other.overlaps(&extent)) {
                return None;
            }
            extents.push(extent);
        }
        Some(IdMap(extents))
    }

    /// Whether it is not set yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Its runs, in the order they were written.
    #[must_use]
    pub fn extents(&self) -> &[Extent] {
        &self.0
    }

    /// What an id inside stands for outside.
    #[must_use]
    pub fn down(&self, id: u32) -> Option<u32> {
        self.down_range(id, 1)
    }

    fn down_range(&self, first: u32, count: u32) -> Option<u32> {
        let extent = self.0.iter().find(|e| first >= e.first && first - e.first < e.count)?;
        let at = first - extent.first;
        (count <= extent.count - at).then(|| extent.lower + at)
    }

    /// The id inside that stands for one outside.
    #[must_use]
    pub fn up(&self, id: u32) -> Option<u32> {
        let extent = self.0.iter().find(|e| id >= e.lower && id - e.lower < e.count)?;
        Some(extent.first + (id - extent.lower))
    }

    /// This map of a namespace's ids to its parent's as one to what the parent's stand for. `None` where a run of them stands for nothing.
    #[must_use]
    pub fn through(&self, parent: &IdMap) -> Option<Self> {
        let through = |e: &Extent| Some(Extent { lower: parent.down_range(e.lower, e.count)?, ..*e });
        self.0.iter().map(through).collect::<Option<Vec<_>>>().map(IdMap)
    }

    /// Whether a run begins at the outer user 0.
    #[must_use]
    pub fn has_outer_root(&self) -> bool {
        self.0.iter().any(|extent| extent.lower == 0)
    }

    /// The one id outside, where the map is of one id.
    #[must_use]
    pub fn single(&self) -> Option<u32> {
        match self.0.as_slice() {
            [Extent { lower, count: 1, .. }] => Some(*lower),
            _ => None,
        }
    }
}
