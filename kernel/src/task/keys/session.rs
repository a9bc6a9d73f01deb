//! Sessions: the ring that a thread and what it starts have in common.

use alloc::sync::Arc;

use super::quota::Quota;
use super::{Asker, Key, Permissions, table};
use crate::error::*;
use crate::sync::{Mutex, Once};
use crate::task::{Credentials, Thread};

/// Held while a ring is looked for by name, so that two at once do not both make it.
fn joining() -> &'static Mutex<()> {
    static JOINING: Once<Mutex<()>> = Once::new();
    JOINING.get_or_init(Mutex::default)
}

fn make(name: &[u8], creds: &Credentials, owner_rights: Permissions, quota: Quota) -> Result<Arc<Key>> {
    let permissions = Permissions::of_possessor(Permissions::all_rights()) | Permissions::of_owner(owner_rights);
    Key::ring(name, creds, (creds.fsuid, Some(creds.fsgid)), permissions, quota)
}

/// Gives a thread a session's ring of its own.
///
/// # Errors
/// `EDQUOT`.
pub(super) fn install_new_session(thread: &Thread, creds: &Credentials) -> Result<Arc<Key>> {
    // The first is never refused: whoever logs in needs it.
    let quota = if thread.rings().session.is_some() { Quota::Counted } else { Quota::Overrun };
    let ring = make(b"_ses", creds, Permissions::VIEW | Permissions::READ, quota)?;
    thread.change_rings(|rings| rings.session = Some(ring.clone()));
    Ok(ring)
}

/// Goes over to another session's ring: a new one without a name, or that of this name, which is made where there is none that may be searched.
///
/// # Errors
/// `EDQUOT`.
pub fn join_session(asker: &Asker<'_>, name: Option<&[u8]>) -> Result<Arc<Key>> {
    let Some(name) = name else { return install_new_session(asker.thread, &asker.creds) };
    let _joining = joining().lock();
    let is_it = |key: &Arc<Key>| key.is_ring() && *key.index.name == *name && key.namespace == asker.creds.user.ino && key.check() != Err(EKEYREVOKED);
    let there = table::all().into_iter().find(|key| is_it(key) && key.gives(&asker.creds, false, Permissions::SEARCH));
    let ring = match there {
        Some(ring) => ring,
        None => make(name, &asker.creds, Permissions::VIEW | Permissions::READ | Permissions::LINK, Quota::Counted)?,
    };
    asker.thread.change_rings(|rings| rings.session = Some(ring.clone()));
    Ok(ring)
}

/// Gives the caller's session's ring to its parent.
///
/// # Errors
/// `ENOKEY` where it has none; `EACCES` where that may not be linked to; `EPERM` where the parent is another user's, has several threads, or its ring is not its user's.
pub fn session_to_parent(asker: &Asker<'_>) -> Result {
    let mine = asker.with(-3, false, Permissions::LINK)?.key;
    let parent = asker.thread.process.parent().filter(|parent| parent.pid > 1 && !parent.is_zombie()).ok_or(EPERM)?;
    let threads = parent.threads();
    let [thread] = &threads[..] else { return Err(EPERM) };
    let theirs = thread.rings().session;
    if theirs.as_ref().is_some_and(|ring| Arc::ptr_eq(ring, &mine)) {
        return Ok(());
    }
    let (me, they) = (&asker.creds, thread.creds());
    let owned = |ring: &Arc<Key>| ring.attributes().0 == me.euid;
    let same = [they.uid, they.euid, they.suid].iter().all(|uid| *uid == me.euid) && [they.gid, they.egid, they.sgid].iter().all(|gid| *gid == me.egid);
    if !same || !owned(&mine) || theirs.is_some_and(|ring| !owned(&ring)) {
        return Err(EPERM);
    }
    thread.change_rings(|rings| rings.session = Some(mine));
    Ok(())
}
