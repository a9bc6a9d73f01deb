//! An area of an address space: a range of pages with the same protection and backing.

use alloc::sync::Arc;

use bitflags::bitflags;
use frame::paging::PteFlags;

use super::{MemoryObject, PAGE};

bitflags! {
    /// `PROT_*` of `mmap(2)`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
    pub struct Prot: u32 {
        #[allow(missing_docs)] const READ = 1;
        #[allow(missing_docs)] const WRITE = 2;
        #[allow(missing_docs)] const EXEC = 4;
    }
}

impl Prot {
    /// As page-table flags. x86 cannot map write-only or execute-only pages.
    pub fn pte(self) -> PteFlags {
        let mut flags = PteFlags::empty();
        if !self.is_empty() {
            flags |= PteFlags::READ;
        }
        if self.contains(Prot::WRITE) {
            flags |= PteFlags::WRITE;
        }
        if self.contains(Prot::EXEC) {
            flags |= PteFlags::EXEC;
        }
        flags
    }
}

/// Where an area's contents come from.
#[derive(Clone)]
pub enum Backing {
    /// Zero-filled private memory.
    Anonymous,
    /// Pages of an object, from the page `first` on.
    Object {
        /// The object.
        object: Arc<dyn MemoryObject>,
        /// The object's page at the area's start.
        first: u64,
        /// The open file, for `/proc/<pid>/maps`.
        file: Option<Arc<crate::fs::OpenFile>>,
    },
}

/// A range of pages.
#[derive(Clone)]
pub struct Area {
    /// First address.
    pub start: usize,
    /// One past the last address.
    pub end: usize,
    /// What is allowed.
    pub prot: Prot,
    /// The most that mprotect may allow (a shared mapping of a file opened read-only may not become writable).
    pub max_prot: Prot,
    /// MAP_SHARED: writes reach the object.
    pub shared: bool,
    /// A stack that grows down on faults below it.
    pub grows_down: bool,
    /// `mlock(2)`ed.
    pub locked: bool,
    /// Not copied by fork (`MADV_DONTFORK`).
    pub dont_fork: bool,
    /// Zero-filled in the child (`MADV_WIPEONFORK`).
    pub wipe_on_fork: bool,
    /// Not in core dumps (`MADV_DONTDUMP`).
    pub dont_dump: bool,
    /// What the kernel put there, shown in maps: `[stack]`, `[heap]`, `[vdso]`.
    pub label: Option<&'static str>,
    /// Contents.
    pub backing: Backing,
}

impl Area {
    /// Whether it shows the same object as another.
    pub fn shows_same(&self, other: &Area) -> bool {
        match &other.backing {
            Backing::Object { object, .. } => self.first_page_of(&**object).is_some(),
            Backing::Anonymous => false,
        }
    }

    /// Which page of `wanted` it starts with, where it shows that object.
    pub fn first_page_of(&self, wanted: &dyn MemoryObject) -> Option<u64> {
        match &self.backing {
            Backing::Object { object, first, .. } if core::ptr::addr_eq(Arc::as_ptr(object), wanted) => Some(*first),
            _ => None,
        }
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.end - self.start
    }

    /// The object's page shown at `addr`.
    pub fn object_page(&self, addr: usize) -> u64 {
        match &self.backing {
            Backing::Anonymous => 0,
            Backing::Object { first, .. } => first + ((addr - self.start) / PAGE) as u64,
        }
    }

    /// Cuts the area at `at` (strictly inside); `self` keeps the lower part, the upper one is returned.
    pub fn split_off(&mut self, at: usize) -> Area {
        let mut upper = self.clone();
        upper.start = at;
        if let Backing::Object { first, .. } = &mut upper.backing {
            *first += ((at - self.start) / PAGE) as u64;
        }
        self.end = at;
        upper
    }

    /// Whether `next`, which begins where this ends, continues it.
    pub fn joins(&self, next: &Area) -> bool {
        self.end == next.start
            && self.prot == next.prot
            && self.max_prot == next.max_prot
            && self.shared == next.shared
            && self.grows_down == next.grows_down
            && self.locked == next.locked
            && self.dont_fork == next.dont_fork
            && self.wipe_on_fork == next.wipe_on_fork
            && self.dont_dump == next.dont_dump
            && self.label == next.label
            && match (&self.backing, &next.backing) {
                (Backing::Anonymous, Backing::Anonymous) => true,
                (Backing::Object { object: a, first, .. }, Backing::Object { object: b, first: next_first, .. }) => {
                    Arc::ptr_eq(a, b) && first + (self.len() / PAGE) as u64 == *next_first
                }
                _ => false,
            }
    }
}
