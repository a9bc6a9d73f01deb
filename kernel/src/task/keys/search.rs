//! Finding keys from rings: breadth first, at most [`MAX_DEPTH`] below the ring where it begins.

use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{Found, Index, Key, MAX_DEPTH, Permissions, Rings, users};
use crate::error::*;
use crate::task::Credentials;

/// What is looked for.
#[derive(Clone, Copy)]
pub enum Wanted<'a> {
    /// A key that can be used.
    Named(&'a Index),
    /// As [`Wanted::Named`], where one that has run out is as good as none.
    NamedAndFresh(&'a Index),
    /// This one, in whatever state.
    Itself(&'a Arc<Key>),
}

impl Wanted<'_> {
    /// What a ring has of it.
    fn find_in(self, ring: &Key) -> Option<Arc<Key>> {
        match self {
            Self::Named(index) | Self::NamedAndFresh(index) => ring.link(index),
            Self::Itself(key) => ring.link(&key.index).filter(|found| Arc::ptr_eq(found, key)),
        }
    }

    fn is(self, key: &Arc<Key>) -> bool {
        match self {
            Self::Named(index) | Self::NamedAndFresh(index) => key.index == *index,
            Self::Itself(wanted) => Arc::ptr_eq(wanted, key),
        }
    }

    /// Whether a key that is it can be given.
    ///
    /// # Errors
    /// `EACCES`, `EKEYREVOKED`, `EKEYEXPIRED`; `EAGAIN` where it is as good as not there.
    fn check(self, found: &Found, creds: &Credentials) -> Result {
        match (self, found.key.check()) {
            (Self::Itself(_), _) | (_, Ok(())) => found.check(creds, Permissions::SEARCH),
            (Self::NamedAndFresh(_), Err(EKEYEXPIRED)) => Err(EAGAIN),
            (_, Err(ENOKEY)) => Err(EKEYREVOKED),
            (_, Err(error)) => Err(error),
        }
    }
}

/// The wanted key in a ring or in those below it.
///
/// # Errors
/// `ENOTDIR` where this is no ring; `EACCES` where it may not be searched. Where there is nothing: why what there is cannot be given, or `EAGAIN`.
pub fn below(top: &Found, creds: &Credentials, wanted: Wanted<'_>) -> Result<Found> {
    if !top.key.is_ring() {
        return Err(ENOTDIR);
    }
    top.check(creds, Permissions::SEARCH)?;
    let of = |key| Found { key, is_possessed: top.is_possessed };
    let mut error = EAGAIN;
    let mut give = |found: Found| match wanted.check(&found, creds) {
        Ok(()) => Some(found),
        Err(why) => {
            error = why;
            None
        }
    };
    if wanted.is(&top.key) {
        if let Some(found) = give(top.clone()) {
            return Ok(found);
        }
    }
    let mut seen = BTreeSet::from([top.key.serial]);
    let mut level = alloc::vec![top.key.clone()];
    for _ in 0..=MAX_DEPTH {
        let mut next = Vec::new();
        for ring in &level {
            if let Some(found) = wanted.find_in(ring).and_then(|key| give(of(key))) {
                return Ok(found);
            }
            next.extend(ring.inner_rings().into_iter().filter(|inner| inner.gives(creds, top.is_possessed, Permissions::SEARCH) && seen.insert(inner.serial)));
        }
        level = next;
    }
    Err(error)
}

/// The wanted key in what a thread with these rings possesses.
///
/// # Errors
/// As [`below`].
pub fn possessed(rings: &Rings, creds: &Credentials, wanted: Wanted<'_>) -> Result<Found> {
    let session = rings.session.clone().or_else(|| users::existing(creds).map(|rings| rings.session.clone()));
    let (mut is_missing, mut error) = (false, EAGAIN);
    for ring in [rings.thread.clone(), rings.process.clone(), session].into_iter().flatten() {
        match below(&Found { key: ring, is_possessed: true }, creds, wanted) {
            Err(EAGAIN) => is_missing = true,
            Err(why) => error = why,
            found => return found,
        }
    }
    Err(if is_missing { EAGAIN } else { error })
}

/// Whether `ring` can be linked to `key`, a ring as well.
///
/// # Errors
/// `EDEADLK` where it is in there, or is it; `ELOOP` where there are rings deeper than this.
pub(super) fn check_circle(ring: &Arc<Key>, key: &Arc<Key>, depth: usize) -> Result {
    let mut seen = BTreeSet::from([key.serial]);
    let mut level = alloc::vec![key.clone()];
    for _ in 0..=depth {
        if level.iter().any(|inner| Arc::ptr_eq(inner, ring)) {
            return Err(EDEADLK);
        }
        level = level.iter().flat_map(|inner| inner.inner_rings()).filter(|inner| seen.insert(inner.serial)).collect();
        if level.is_empty() {
            return Ok(());
        }
    }
    Err(ELOOP)
}
