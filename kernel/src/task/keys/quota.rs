//! How many keys each user has, and may have (`/proc/sys/kernel/keys`).

use alloc::collections::BTreeMap;
use alloc::string::String;
use core::fmt::Write;
use core::sync::atomic::{AtomicUsize, Ordering};

use crate::error::*;
use crate::sync::SpinLock;
use crate::task::Credentials;

/// Most keys of a user.
pub static MAX_KEYS: AtomicUsize = AtomicUsize::new(200);
/// Most bytes of a user's keys.
pub static MAX_BYTES: AtomicUsize = AtomicUsize::new(20_000);
/// Most keys of root.
pub static ROOT_MAX_KEYS: AtomicUsize = AtomicUsize::new(1_000_000);
/// Most bytes of root's keys.
pub static ROOT_MAX_BYTES: AtomicUsize = AtomicUsize::new(25_000_000);

/// How a new key counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quota {
    /// It is refused where there are too many.
    Counted,
    /// It counts, but is not refused.
    Overrun,
    /// It does not count.
    Free,
}

#[derive(Clone, Copy, Default)]
struct Had {
    /// Keys in all.
    keys: usize,
    /// Those that count.
    counted: usize,
    /// What these are, bytes.
    bytes: usize,
}

static USERS: SpinLock<BTreeMap<u32, Had>> = SpinLock::new(BTreeMap::new());

/// Keys and bytes that a user may have.
fn most(uid: u32) -> (usize, usize) {
    let (keys, bytes) = if uid == 0 { (&ROOT_MAX_KEYS, &ROOT_MAX_BYTES) } else { (&MAX_KEYS, &MAX_BYTES) };
    (keys.load(Ordering::Relaxed), bytes.load(Ordering::Relaxed))
}

/// Counts a new key.
///
/// # Errors
/// `EDQUOT`.
pub(super) fn take(uid: u32, bytes: usize, quota: Quota) -> Result {
    let mut users = USERS.lock();
    let had = users.get(&uid).copied().unwrap_or_default();
    let mut has = Had { keys: had.keys + 1, ..had };
    if quota != Quota::Free {
        has.counted += 1;
        has.bytes += bytes;
    }
    let (max_keys, max_bytes) = most(uid);
    if quota == Quota::Counted && (has.counted > max_keys || has.bytes > max_bytes) {
        return Err(EDQUOT);
    }
    users.insert(uid, has);
    Ok(())
}

/// Counts a key no more.
pub(super) fn give(uid: u32, bytes: usize, is_counted: bool) {
    let mut users = USERS.lock();
    let Some(had) = users.get_mut(&uid) else { return };
    had.keys -= 1;
    if is_counted {
        had.counted -= 1;
        had.bytes -= bytes;
    }
    if had.keys == 0 {
        users.remove(&uid);
    }
}

/// Counts a key's content as `to` bytes instead of `from`.
///
/// # Errors
/// `EDQUOT`.
pub(super) fn change(uid: u32, from: usize, to: usize) -> Result {
    let mut users = USERS.lock();
    let had = users.entry(uid).or_default();
    let bytes = had.bytes - from + to;
    if to > from && bytes > most(uid).1 {
        return Err(EDQUOT);
    }
    had.bytes = bytes;
    Ok(())
}

/// Counts less of a key's content.
pub(super) fn give_bytes(uid: u32, bytes: usize) {
    if let Some(had) = USERS.lock().get_mut(&uid) {
        had.bytes -= bytes;
    }
}

/// `/proc/key-users`, as somebody with these credentials sees it.
pub fn show(reader: &Credentials) -> String {
    let users = USERS.lock().clone();
    let mut out = String::new();
    for (uid, had) in users {
        let Some(known) = reader.user.uid_known(uid) else { continue };
        let (max_keys, max_bytes) = most(uid);
        let Had { keys, counted, bytes } = had;
        let _ = writeln!(out, "{known:5}: {keys:5} {keys}/{keys} {counted}/{max_keys} {bytes}/{max_bytes}");
    }
    out
}
