//! The rings of users: they belong to the user namespace, and are made when they are first asked for.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicUsize, Ordering};

use super::quota::Quota;
use super::{Key, Permissions};
use crate::error::*;
use crate::sync::SpinLock;
use crate::task::Credentials;

/// For how many seconds a ring that outlasts its user's sessions is kept when it is not asked for.
pub static PERSISTENT_S: AtomicUsize = AtomicUsize::new(3 * 24 * 3600);

/// Two rings of a user.
#[derive(Clone)]
pub struct UserRings {
    /// For all that the user runs.
    pub user: Arc<Key>,
    /// What is a session's ring where it has no other; it links to the first.
    pub session: Arc<Key>,
}

/// A user namespace's rings, by user.
#[derive(Default)]
pub struct Register {
    rings: SpinLock<BTreeMap<u32, UserRings>>,
    persistent: SpinLock<BTreeMap<u32, Arc<Key>>>,
}

fn all_but_attributes() -> Permissions {
    Permissions::of_possessor(Permissions::all_rights().difference(Permissions::SET_ATTRIBUTES))
}

/// The rings of who has these credentials, where they have been made.
pub fn existing(creds: &Credentials) -> Option<UserRings> {
    creds.user.keys.rings.lock().get(&creds.uid).cloned()
}

/// The rings of who has these credentials.
///
/// # Errors
/// `EDQUOT`.
pub fn of(creds: &Credentials) -> Result<UserRings> {
    if let Some(rings) = existing(creds) {
        return Ok(rings);
    }
    let (uid, shown) = (creds.uid, creds.user.uid_out(creds.uid));
    let permissions = all_but_attributes() | Permissions::of_owner(Permissions::all_rights());
    let make = |name: &str| Key::ring(format!("{name}.{shown}").as_bytes(), creds, (uid, None), permissions, Quota::Counted);
    let made = UserRings { user: make("_uid")?, session: make("_uid_ses")? };
    made.session.add_link(&made.user)?;
    // Somebody else may have been faster. What was made in vain goes after the lock.
    let rings = creds.user.keys.rings.lock().entry(uid).or_insert_with(|| made.clone()).clone();
    Ok(rings)
}

/// The ring of a user that outlasts sessions; asking for it lets it stay for another while.
///
/// # Errors
/// `EDQUOT`.
pub fn persistent(creds: &Credentials, uid: u32) -> Result<Arc<Key>> {
    let register = &creds.user.keys.persistent;
    let there = register.lock().get(&uid).cloned().filter(|ring| ring.check().is_ok());
    let ring = match there {
        Some(ring) => ring,
        None => {
            let permissions = all_but_attributes() | Permissions::of_owner(Permissions::VIEW | Permissions::READ);
            let name = format!("_persistent.{}", creds.user.uid_out(uid));
            let made = Key::ring(name.as_bytes(), creds, (uid, None), permissions, Quota::Free)?;
            let _old = register.lock().insert(uid, made.clone());
            made
        }
    };
    ring.set_timeout(u32::try_from(PERSISTENT_S.load(Ordering::Relaxed)).unwrap_or(u32::MAX));
    Ok(ring)
}
