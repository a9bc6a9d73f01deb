//! Files and buffers that a program has registered with a ring (`io_uring_register(2)`), and buffers from which requests choose themselves one.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::error::*;
use crate::fs::OpenFile;
use crate::sync::SpinLock;
use crate::user;

/// Most registered files and buffers.
pub const MOST_FILES: usize = 1 << 15;
#[allow(missing_docs)]
pub const MOST_BUFFERS: usize = 1 << 14;
/// Largest buffer, bytes.
const LARGEST: usize = 1 << 30;
/// Buffers of a group, and groups, at most.
const MOST_IN_GROUP: usize = 1 << 16;
/// `struct io_uring_buf`, and where in the first of a ring its tail is.
const RING_ENTRY: usize = 16;
const RING_TAIL: usize = 14;

/// A buffer that a request has chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chosen {
    #[allow(missing_docs)]
    pub address: usize,
    #[allow(missing_docs)]
    pub len: usize,
    /// Its number.
    pub id: u16,
}

enum Group {
    List(VecDeque<Chosen>),
    /// A ring in the program's memory: where, how many, and how many were taken.
    Ring { at: usize, entries: u16, head: u16 },
}

#[derive(Default)]
struct Inner {
    files: Option<Vec<Option<Arc<OpenFile>>>>,
    buffers: Option<Vec<(usize, usize)>>,
    groups: BTreeMap<u16, Group>,
}

/// The tables.
#[derive(Default)]
pub struct Tables(SpinLock<Inner>);

impl Tables {
    /// A registered file.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn file(&self, number: usize) -> Result<Arc<OpenFile>> {
        let inner = self.0.lock();
        inner.files.as_ref().and_then(|files| files.get(number)?.clone()).ok_or(EBADF)
    }

    /// Registers files.
    ///
    /// # Errors
    /// `EBUSY` where there are some.
    pub fn set_files(&self, files: Vec<Option<Arc<OpenFile>>>) -> Result {
        let mut inner = self.0.lock();
        if inner.files.is_some() {
            return Err(EBUSY);
        }
        inner.files = Some(files);
        Ok(())
    }

    /// Forgets all files.
    ///
    /// # Errors
    /// `ENXIO` where there are none.
    pub fn remove_files(&self) -> Result {
        let old = self.0.lock().files.take();
        old.map(drop).ok_or(ENXIO)
    }

    /// Puts a file in a place, or empties it.
    ///
    /// # Errors
    /// `ENXIO` without a table, `EINVAL` beyond it.
    pub fn replace_file(&self, number: usize, file: Option<Arc<OpenFile>>) -> Result<Option<Arc<OpenFile>>> {
        let mut inner = self.0.lock();
        let place = inner.files.as_mut().ok_or(ENXIO)?.get_mut(number).ok_or(EINVAL)?;
        Ok(core::mem::replace(place, file))
    }

    /// Empties a place.
    ///
    /// # Errors
    /// As [`Tables::replace_file`]; `EBADF` where it is empty.
    pub fn take_file(&self, number: usize) -> Result<Arc<OpenFile>> {
        self.replace_file(number, None)?.ok_or(EBADF)
    }

    /// Puts a file in the first empty place; its number.
    ///
    /// # Errors
    /// `ENXIO` without a table, `ENFILE` where all are full.
    pub fn add_file(&self, file: Arc<OpenFile>) -> Result<usize> {
        let mut inner = self.0.lock();
        let files = inner.files.as_mut().ok_or(ENXIO)?;
        let at = files.iter().position(Option::is_none).ok_or(ENFILE)?;
        files[at] = Some(file);
        Ok(at)
    }

    /// Registers buffers: addresses and lengths.
    ///
    /// # Errors
    /// `EBUSY` where there are some, `EFAULT` for one that is too large or nowhere.
    pub fn set_buffers(&self, buffers: Vec<(usize, usize)>) -> Result {
        if buffers.iter().any(|(at, len)| *len > LARGEST || (*at == 0 && *len > 0)) {
            return Err(EFAULT);
        }
        let mut inner = self.0.lock();
        if inner.buffers.is_some() {
            return Err(EBUSY);
        }
        inner.buffers = Some(buffers);
        Ok(())
    }

    /// Forgets all buffers.
    ///
    /// # Errors
    /// `ENXIO` where there are none.
    pub fn remove_buffers(&self) -> Result {
        self.0.lock().buffers.take().map(drop).ok_or(ENXIO)
    }

    /// Whether a range lies in a registered buffer.
    ///
    /// # Errors
    /// `EFAULT`.
    pub fn check_buffer(&self, number: usize, at: usize, len: usize) -> Result {
        let inner = self.0.lock();
        let (first, size) = inner.buffers.as_ref().and_then(|buffers| buffers.get(number).copied()).ok_or(EFAULT)?;
        let fits = at >= first && at.checked_add(len).is_some_and(|end| end <= first.saturating_add(size));
        if fits { Ok(()) } else { Err(EFAULT) }
    }

    /// Adds buffers to a group.
    ///
    /// # Errors
    /// `EINVAL` where the group is a ring, `E2BIG` for too many.
    pub fn provide(&self, group: u16, buffers: impl Iterator<Item = Chosen>) -> Result {
        let mut inner = self.0.lock();
        let Group::List(list) = inner.groups.entry(group).or_insert_with(|| Group::List(VecDeque::new())) else { return Err(EINVAL) };
        for buffer in buffers {
            if list.len() >= MOST_IN_GROUP {
                return Err(E2BIG);
            }
            list.push_back(buffer);
        }
        Ok(())
    }

    /// Takes buffers of a group away; how many.
    ///
    /// # Errors
    /// `ENOENT` without such a group, `EINVAL` where it is a ring.
    pub fn remove_provided(&self, group: u16, count: usize) -> Result<usize> {
        let mut inner = self.0.lock();
        let Group::List(list) = inner.groups.get_mut(&group).ok_or(ENOENT)? else { return Err(EINVAL) };
        let count = count.min(list.len());
        list.drain(..count);
        Ok(count)
    }

    /// Makes a group of a ring in the program's memory.
    ///
    /// # Errors
    /// `EEXIST`.
    pub fn add_ring(&self, group: u16, at: usize, entries: u16) -> Result {
        let mut inner = self.0.lock();
        if matches!(inner.groups.get(&group), Some(Group::List(list)) if list.is_empty()) {
            inner.groups.remove(&group);
        }
        if inner.groups.contains_key(&group) {
            return Err(EEXIST);
        }
        inner.groups.insert(group, Group::Ring { at, entries, head: 0 });
        Ok(())
    }

    /// Forgets such a group.
    ///
    /// # Errors
    /// `ENOENT`, `EINVAL` where it is no ring.
    pub fn remove_ring(&self, group: u16) -> Result {
        let mut inner = self.0.lock();
        match inner.groups.get(&group) {
            None => Err(ENOENT),
            Some(Group::List(_)) => Err(EINVAL),
            Some(Group::Ring { .. }) => {
                inner.groups.remove(&group);
                Ok(())
            }
        }
    }

    /// Takes a buffer out of a group. To be called where user memory can be read.
    ///
    /// # Errors
    /// `ENOBUFS`, `EFAULT`.
    pub fn choose(&self, group: u16) -> Result<Chosen> {
        let (at, entries, head) = {
            let mut inner = self.0.lock();
            match inner.groups.get_mut(&group).ok_or(ENOBUFS)? {
                Group::List(list) => return list.pop_front().ok_or(ENOBUFS),
                Group::Ring { at, entries, head } => (*at, *entries, *head),
            }
        };
        let tail: u16 = user::read(at.checked_add(RING_TAIL).ok_or(EFAULT)?)?;
        if tail == head {
            return Err(ENOBUFS);
        }
        let entry = at.checked_add(usize::from(head & (entries - 1)) * RING_ENTRY).ok_or(EFAULT)?;
        let [address, rest]: [u64; 2] = user::read(entry)?;
        let mut inner = self.0.lock();
        // Another thread may have taken the same one meanwhile.
        match inner.groups.get_mut(&group) {
            Some(Group::Ring { head: now, .. }) if *now == head => *now = head.wrapping_add(1),
            _ => return Err(ENOBUFS),
        }
        Ok(Chosen { address: address as usize, len: rest as u32 as usize, id: (rest >> 32) as u16 })
    }

    /// Gives back a buffer that was chosen and not used.
    pub fn give_back(&self, group: u16, chosen: Chosen) {
        let mut inner = self.0.lock();
        match inner.groups.get_mut(&group) {
            Some(Group::List(list)) => list.push_front(chosen),
            Some(Group::Ring { head, .. }) => *head = head.wrapping_sub(1),
            None => {}
        }
    }

    /// Forgets everything.
    pub fn clear(&self) {
        let old = core::mem::take(&mut *self.0.lock());
        drop(old);
    }
}
