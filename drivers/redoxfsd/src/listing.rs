//! Directories by cursor.
//!
//! A cursor is a hash of the name, and entries are listed in its order: so an entry keeps its place whatever happens
//! to others between two calls. Names with the same hash are listed together or not at all.

use std::collections::{BTreeMap, HashMap};

/// Directories held at most, and entries in all of them together.
const MAX_DIRECTORIES: usize = 32;
const MAX_ENTRIES: usize = 300_000;

/// The cursor of a name: 1 to 2^63 - 1, so that it is a file offset for programs.
pub fn cursor(name: &str) -> u64 {
    // FNV-1a, then the finaliser of splitmix64: cheap, and the low bits spread.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in name.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash = (hash ^ hash >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ hash >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((hash ^ hash >> 31) >> 1).max(1)
}

/// A name and its node.
pub type Name = (Box<str>, u32);

/// The entries of one directory.
#[derive(Debug, Default)]
pub struct Listing {
    by_cursor: BTreeMap<u64, Vec<Name>>,
    len: usize,
    used: u64,
}

impl Listing {
    /// Adds a name.
    pub fn insert(&mut self, name: &str, node: u32) {
        let group = self.by_cursor.entry(cursor(name)).or_default();
        group.push((name.into(), node));
        self.len += 1;
    }

    fn remove(&mut self, name: &str) {
        let at = cursor(name);
        if let Some(group) = self.by_cursor.get_mut(&at) {
            let before = group.len();
            group.retain(|(other, _)| **other != *name);
            self.len -= before - group.len();
            if group.is_empty() {
                self.by_cursor.remove(&at);
            }
        }
    }

    /// The node of a name.
    pub fn get(&self, name: &str) -> Option<u32> {
        let group = self.by_cursor.get(&cursor(name))?;
        let entry = group.iter().find(|(other, _)| **other == *name);
        entry.map(|(_, node)| *node)
    }

    /// The first group of entries after cursor `from`: their cursor, names and nodes.
    pub fn after(&self, from: u64) -> Option<(u64, &[Name])> {
        let mut rest = self.by_cursor.range(from.checked_add(1)?..);
        rest.next().map(|(at, group)| (*at, group.as_slice()))
    }
}

/// The listings in memory, kept up to date with every change.
#[derive(Debug, Default)]
pub struct Listings {
    by_dir: HashMap<u32, Listing>,
    entries: usize,
    clock: u64,
}

impl Listings {
    /// The listing of a directory, if it is held.
    pub fn get(&mut self, dir: u32) -> Option<&Listing> {
        self.clock += 1;
        let listing = self.by_dir.get_mut(&dir)?;
        listing.used = self.clock;
        Some(listing)
    }

    /// Holds a directory's listing, and lets go of those used longest ago.
    pub fn put(&mut self, dir: u32, mut listing: Listing) {
        self.clock += 1;
        listing.used = self.clock;
        self.entries += listing.len;
        if let Some(old) = self.by_dir.insert(dir, listing) {
            self.entries -= old.len;
        }
        while self.by_dir.len() > 1
            && (self.by_dir.len() > MAX_DIRECTORIES || self.entries > MAX_ENTRIES)
        {
            let oldest = self.by_dir.iter().min_by_key(|(_, listing)| listing.used);
            let Some(oldest) = oldest.map(|(dir, _)| *dir) else {
                return;
            };
            self.forget(oldest);
        }
    }

    /// Lets go of a directory's listing.
    pub fn forget(&mut self, dir: u32) {
        if let Some(old) = self.by_dir.remove(&dir) {
            self.entries -= old.len;
        }
    }

    /// A name was added.
    pub fn added(&mut self, dir: u32, name: &str, node: u32) {
        if let Some(listing) = self.by_dir.get_mut(&dir) {
            listing.insert(name, node);
            self.entries += 1;
        }
    }

    /// A name was removed.
    pub fn removed(&mut self, dir: u32, name: &str) {
        if let Some(listing) = self.by_dir.get_mut(&dir) {
            let before = listing.len;
            listing.remove(name);
            self.entries -= before - listing.len;
        }
    }

    /// Lets go of all.
    pub fn clear(&mut self) {
        self.by_dir.clear();
        self.entries = 0;
    }
}
