//! System V IPC (`sysvipc(7)`): objects with a key and a number, which live until they are removed.

pub mod msg;
pub mod sem;
pub mod shm;

use alloc::vec::Vec;

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::error::*;
use crate::ipc::namespace::here;
use crate::task::{Capability, Credentials};

/// The key that never finds anything.
const IPC_PRIVATE: i32 = 0;
const IPC_CREAT: u32 = 0o1000;
const IPC_EXCL: u32 = 0o2000;
/// `IPC_NOWAIT` of the operations.
pub const IPC_NOWAIT: u32 = 0o4000;
/// Objects of a kind at once, however much its limit is raised.
pub const MAX_OBJECTS: usize = 32_000;
/// Numbers are a place in the table and, above it, how often the place was used.
const PLACE_BITS: u32 = 15;

/// `struct ipc64_perm` of x86-64.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Perm {
    /// The key.
    pub key: i32,
    /// Owner.
    pub uid: u32,
    #[allow(missing_docs)]
    pub gid: u32,
    /// Maker.
    pub cuid: u32,
    #[allow(missing_docs)]
    pub cgid: u32,
    /// Permission bits, and flags of the kind.
    pub mode: u32,
    /// The upper part of the number.
    pub seq: u16,
    pad: [u16; 3],
    unused: [u64; 2],
}

impl Perm {
    fn new(key: i32, flags: u32, creds: &Credentials) -> Self {
        Self { key, uid: creds.euid, gid: creds.egid, cuid: creds.euid, cgid: creds.egid, mode: flags & 0o777, ..Self::default() }
    }

    /// Checks access: `want` is 4 to read, 2 to change, in any of the three places of a mode.
    ///
    /// # Errors
    /// `EACCES`.
    pub fn check(&self, creds: &Credentials, want: u32) -> Result {
        let want = (want >> 6 | want >> 3 | want) & 7;
        let granted = if creds.euid == self.uid || creds.euid == self.cuid {
            self.mode >> 6
        } else if creds.in_group(self.gid) || creds.in_group(self.cgid) {
            self.mode >> 3
        } else {
            self.mode
        };
        if want & !granted != 0 && !creds.has_in(Capability::IPC_OWNER, &here().user) { Err(EACCES) } else { Ok(()) }
    }

    /// Checks the right to remove it or to change its owner and mode.
    ///
    /// # Errors
    /// `EPERM`.
    pub fn check_owner(&self, creds: &Credentials) -> Result {
        if creds.euid == self.uid || creds.euid == self.cuid || creds.has_in(Capability::SYS_ADMIN, &here().user) { Ok(()) } else { Err(EPERM) }
    }

    /// `IPC_SET`: owner and mode.
    ///
    /// # Errors
    /// `EINVAL` for ids that stand for nothing in the caller's user namespace.
    pub fn set(&mut self, to: &Perm) -> Result {
        let user = crate::task::user_ns::current();
        let (uid, gid) = (user.uid_in(to.uid).ok_or(EINVAL)?, user.gid_in(to.gid).ok_or(EINVAL)?);
        (self.uid, self.gid) = (uid, gid);
        self.mode = self.mode & !0o777 | to.mode & 0o777;
        Ok(())
    }

    /// With the ids that the caller knows.
    pub fn shown(self) -> Self {
        let user = crate::task::user_ns::current();
        Self { uid: user.uid_out(self.uid), gid: user.gid_out(self.gid), cuid: user.uid_out(self.cuid), cgid: user.gid_out(self.cgid), ..self }
    }
}

/// What a table holds.
pub trait Object {
    /// Objects of this kind that there may be at once.
    fn limit() -> usize;
    /// Its identity.
    fn perm(&self) -> Perm;
    /// Gives it its number's upper part.
    fn set_seq(&mut self, seq: u16);
    /// Whether it is still there: a removed segment of shared memory goes with its last mapping.
    fn alive(&self) -> bool {
        true
    }
    /// Whether its key still finds it.
    fn findable(&self) -> bool {
        true
    }
}

/// The objects of one kind.
pub struct Table<T> {
    places: Vec<Option<T>>,
    seq: u16,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { places: Vec::new(), seq: 0 }
    }
}

impl<T: Object> Table<T> {
    /// Finds or makes the object of `key` (`shmget(2)` and its like): its number. `fits` checks one that is there.
    ///
    /// # Errors
    /// `ENOENT`, `EEXIST`, `EACCES`, `ENOSPC`, and those of `fits` and `make`.
    pub fn get(&mut self, key: i32, flags: u32, creds: &Credentials, fits: impl FnOnce(&T) -> Result, make: impl FnOnce(Perm) -> Result<T>) -> Result<usize> {
        self.sweep();
        if key != IPC_PRIVATE {
            if let Some((id, found)) = self.iter().find(|(_, o)| o.findable() && o.perm().key == key) {
                if flags & (IPC_CREAT | IPC_EXCL) == IPC_CREAT | IPC_EXCL {
                    return Err(EEXIST);
                }
                fits(found)?;
                found.perm().check(creds, flags & 0o777)?;
                return Ok(id as usize);
            }
            if flags & IPC_CREAT == 0 {
                return Err(ENOENT);
            }
        }
        if self.places.iter().flatten().count() >= T::limit().min(MAX_OBJECTS) {
            return Err(ENOSPC);
        }
        let place = match self.places.iter().position(Option::is_none) {
            Some(place) => place,
            None => {
                self.places.push(None);
                self.places.len() - 1
            }
        };
        let mut made = make(Perm::new(key, flags, creds))?;
        self.seq = self.seq.wrapping_add(1) & 0x7fff;
        made.set_seq(self.seq);
        self.places[place] = Some(made);
        Ok((usize::from(self.seq) << PLACE_BITS) | place)
    }

    fn place(&self, id: i32) -> Result<usize> {
        let id = u32::try_from(id).map_err(|_| EINVAL)?;
        let place = (id & ((1 << PLACE_BITS) - 1)) as usize;
        match self.places.get(place) {
            Some(Some(object)) if object.alive() && u32::from(object.perm().seq) == id >> PLACE_BITS => Ok(place),
            _ => Err(EINVAL),
        }
    }

    /// The object with this number.
    ///
    /// # Errors
    /// `EINVAL`.
    pub fn find(&self, id: i32) -> Result<&T> {
        self.places[self.place(id)?].as_ref().ok_or(EINVAL)
    }

    /// As [`Table::find`], to change it.
    ///
    /// # Errors
    /// `EINVAL`.
    pub fn find_mut(&mut self, id: i32) -> Result<&mut T> {
        let place = self.place(id)?;
        self.places[place].as_mut().ok_or(EINVAL)
    }

    /// The number of the object at a place (`SHM_STAT` and its like).
    ///
    /// # Errors
    /// `EINVAL`.
    pub fn at_place(&self, place: i32) -> Result<i32> {
        let found = self.iter().find(|(id, _)| id & ((1 << PLACE_BITS) - 1) == place).ok_or(EINVAL)?;
        Ok(found.0)
    }

    /// Takes an object out.
    ///
    /// # Errors
    /// `EINVAL`.
    pub fn remove(&mut self, id: i32) -> Result<T> {
        let place = self.place(id)?;
        self.places[place].take().ok_or(EINVAL)
    }

    /// All with their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (i32, &T)> {
        let number = |(place, o): (usize, &'_ Option<T>)| o.as_ref().map(|o| i32::from(o.perm().seq) << PLACE_BITS | place as i32);
        self.places.iter().enumerate().filter_map(move |p| Some((number((p.0, p.1))?, p.1.as_ref()?))).filter(|(_, o)| o.alive())
    }

    /// The highest place in use, 0 where none is.
    pub fn highest(&self) -> usize {
        self.places.iter().rposition(|p| p.as_ref().is_some_and(Object::alive)).unwrap_or(0)
    }

    fn sweep(&mut self) {
        for place in &mut self.places {
            if place.as_ref().is_some_and(|o| !o.alive()) {
                *place = None;
            }
        }
    }
}

/// Now, in seconds since 1970, as the structures tell it.
fn now_s() -> i64 {
    crate::fs::now_ns() / 1_000_000_000
}
