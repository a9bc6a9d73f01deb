//! Handle numbers for open files.

use crate::error::Errno;

/// A table from handle numbers to what they stand for. Numbers start at 0 and are reused.
#[derive(Clone, Debug)]
pub struct Handles<T> {
    slots: Vec<Option<T>>,
    free: Vec<usize>,
}

impl<T> Default for Handles<T> {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
        }
    }
}

impl<T> Handles<T> {
    /// An empty table.
    pub fn new() -> Self {
        Self::default()
    }

    /// Stores `value` under a free number and returns the number.
    pub fn insert(&mut self, value: T) -> u64 {
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        self.slots[index] = Some(value);
        index as u64
    }

    fn slot(&mut self, handle: u64) -> Option<&mut Option<T>> {
        self.slots.get_mut(usize::try_from(handle).ok()?)
    }

    /// The value of a handle; EBADF where there is none.
    pub fn get(&mut self, handle: u64) -> Result<&mut T, Errno> {
        let slot = self.slot(handle).and_then(Option::as_mut);
        slot.ok_or(Errno::BADF)
    }

    /// Takes a handle's value out and frees the number.
    pub fn remove(&mut self, handle: u64) -> Option<T> {
        let value = self.slot(handle)?.take()?;
        self.free.push(handle as usize);
        Some(value)
    }

    /// All handles and their values.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (u64, &mut T)> {
        self.slots
            .iter_mut()
            .enumerate()
            .filter_map(|(index, slot)| Some((index as u64, slot.as_mut()?)))
    }
}
