//! Which key a number means to a thread: that of a key, or one of the names for its own rings.

use alloc::sync::Arc;

use super::quota::Quota;
use super::search::{self, Wanted};
use super::session::install_new_session;
use super::{Found, Index, Key, Permissions, table, users};
use crate::error::*;
use crate::task::{Credentials, Thread};

/// `KEY_SPEC_...`
mod own {
    pub const THREAD: i32 = -1;
    pub const PROCESS: i32 = -2;
    pub const SESSION: i32 = -3;
    pub const USER: i32 = -4;
    pub const USER_SESSION: i32 = -5;
    /// Those of a thread that makes a key for another's request: nobody does.
    pub const OF_REQUESTS: core::ops::RangeInclusive<i32> = -8..=-7;
}

/// What somebody wants to do with a key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// What these rights are for.
    Rights(Permissions),
    /// What needs none, in whatever state it is.
    Nothing,
}

/// A thread that does something with keys.
pub struct Asker<'a> {
    /// It.
    pub thread: &'a Arc<Thread>,
    /// Who it is.
    pub creds: Arc<Credentials>,
}

impl<'a> Asker<'a> {
    /// The executing thread.
    pub fn new(thread: &'a Arc<Thread>) -> Self {
        Self { thread, creds: thread.creds() }
    }

    /// The key that a number means, with what is needed. With `create`, the thread's own rings are made where they are not there.
    ///
    /// # Errors
    /// `EINVAL` for no possible number; `ENOKEY`; `EKEYREVOKED`, `EKEYEXPIRED`; `EACCES`; `EDQUOT`.
    pub fn find(&self, id: i32, create: bool, need: Need) -> Result<Found> {
        let found = match id {
            own::THREAD | own::PROCESS | own::SESSION | own::USER | own::USER_SESSION => Found { key: self.own_ring(id, create)?, is_possessed: true },
            id if own::OF_REQUESTS.contains(&id) => return Err(ENOKEY),
            id if id < 1 => return Err(EINVAL),
            id => self.as_possessed(table::get(id).ok_or(ENOKEY)?),
        };
        if let Need::Rights(rights) = need {
            found.key.check()?;
            found.check(&self.creds, rights)?;
        }
        Ok(found)
    }

    /// As [`Asker::find`], with these rights.
    ///
    /// # Errors
    /// As [`Asker::find`].
    pub fn with(&self, id: i32, create: bool, rights: Permissions) -> Result<Found> {
        self.find(id, create, Need::Rights(rights))
    }

    /// A key as the thread has it.
    pub fn as_possessed(&self, key: Arc<Key>) -> Found {
        let is_possessed = search::possessed(&self.thread.rings(), &self.creds, Wanted::Itself(&key)).is_ok();
        Found { key, is_possessed }
    }

    /// A key of this kind and name that the thread possesses.
    ///
    /// # Errors
    /// `EAGAIN` where there is none; why what there is cannot be had.
    pub fn request(&self, index: &Index) -> Result<Found> {
        search::possessed(&self.thread.rings(), &self.creds, Wanted::NamedAndFresh(index))
    }

    fn own_ring(&self, id: i32, create: bool) -> Result<Arc<Key>> {
        let rings = self.thread.rings();
        match id {
            own::THREAD => match rings.thread {
                Some(ring) => Ok(ring),
                None if create => self.install(b"_tid", |rings, ring| rings.thread = Some(ring)),
                None => Err(ENOKEY),
            },
            own::PROCESS => match rings.process {
                Some(ring) => Ok(ring),
                None if create => self.install(b"_pid", |rings, ring| rings.process = Some(ring)),
                None => Err(ENOKEY),
            },
            own::SESSION => {
                let of_user = users::of(&self.creds)?.session;
                match rings.session {
                    Some(ring) if !(create && Arc::ptr_eq(&ring, &of_user)) => Ok(ring),
                    _ if create => install_new_session(self.thread, &self.creds),
                    _ => {
                        self.thread.change_rings(|rings| rings.session = Some(of_user.clone()));
                        Ok(of_user)
                    }
                }
            }
            own::USER => Ok(users::of(&self.creds)?.user),
            _ => Ok(users::of(&self.creds)?.session),
        }
    }

    fn install(&self, name: &[u8], put: impl FnOnce(&mut super::Rings, Arc<Key>)) -> Result<Arc<Key>> {
        let permissions = Permissions::of_possessor(Permissions::all_rights()) | Permissions::of_owner(Permissions::VIEW);
        let ring = Key::ring(name, &self.creds, (self.creds.fsuid, Some(self.creds.fsgid)), permissions, Quota::Overrun)?;
        self.thread.change_rings(|rings| put(rings, ring.clone()));
        Ok(ring)
    }
}
