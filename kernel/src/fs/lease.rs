//! Leases (`fcntl(2)`, F_SETLEASE): who holds one is told before somebody else opens the file in a way that does not go with it, and may finish first.

use alloc::collections::BTreeMap;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::sync::atomic::{AtomicUsize, Ordering};

use super::file::{OpenFile, OpenFlags};
use super::inode::InodeRef;
use super::notify::{self, FileKey};
use super::stat::FileType;
use super::text;
use crate::error::*;
use crate::sync::{Once, SpinLock, WaitQueue};
use crate::task::{self, Capability, process};

/// What a lease is for: a reader is told of writers, a writer of everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `F_RDLCK`
    Read,
    /// `F_WRLCK`
    Write,
}

struct Lease {
    /// Its description, as an address; the lease goes before the description does.
    owner: usize,
    file: Weak<OpenFile>,
    /// Of the process that took it.
    pid: u32,
    kind: Kind,
    /// While it is being broken: what it must become (`None`: nothing), and when it becomes that by itself, on the monotonic clock.
    breaking: Option<(Option<Kind>, u64)>,
}

impl Lease {
    fn goes_with(&self, writes: bool) -> bool {
        self.kind == Kind::Read && !writes
    }
}

static LEASES: SpinLock<BTreeMap<FileKey, Vec<Lease>>> = SpinLock::new(BTreeMap::new());
/// While there is none, opening files costs nothing.
static COUNT: AtomicUsize = AtomicUsize::new(0);
/// Seconds that a holder has (`/proc/sys/fs/lease-break-time`).
pub static BREAK_TIME_S: AtomicUsize = AtomicUsize::new(45);

fn changed() -> &'static WaitQueue {
    static QUEUE: Once<WaitQueue> = Once::new();
    QUEUE.get_or_init(WaitQueue::new)
}

/// Changes the leases of a file; those whose time has run out have become what they must become.
fn update<R>(key: FileKey, change: impl FnOnce(&mut Vec<Lease>) -> R) -> R {
    let now = frame::time::now_ns();
    let mut all = LEASES.lock();
    let leases = all.entry(key).or_default();
    leases.retain_mut(|lease| match lease.breaking {
        Some((to, until)) if until <= now => {
            lease.breaking = None;
            lease.kind = to.unwrap_or(lease.kind);
            to.is_some()
        }
        _ => true,
    });
    let result = change(leases);
    if leases.is_empty() {
        all.remove(&key);
    }
    COUNT.store(all.values().map(Vec::len).sum(), Ordering::Release);
    result
}

/// Descriptions of the file that are open, but for this one.
fn others(key: FileKey, but: &OpenFile) -> usize {
    let mut seen: Vec<*const OpenFile> = Vec::new();
    for process in process::all() {
        for (_, file, _) in process.files().list() {
            let at = Arc::as_ptr(&file);
            let is_other = !core::ptr::eq(at, but) && !seen.contains(&at) && !file.flags().contains(OpenFlags::PATH);
            if is_other && file.ops.inode().is_some_and(|inode| notify::key_of(&inode).is_ok_and(|it| it == key)) {
                seen.push(at);
            }
        }
    }
    seen.len()
}

/// Takes, changes or (`None`) gives up the lease of a description.
///
/// # Errors
/// `EINVAL` for what is no regular file, `EACCES` for others' files without `CAP_LEASE`, `EAGAIN` where the file is open in a way that does not go with it, or
/// there is no lease to give up.
pub fn set(file: &Arc<OpenFile>, fd: i32, wanted: Option<Kind>) -> Result {
    // By the place, where there is one: who has it open for writing is known by that inode.
    let inode = file.path.as_ref().map(|place| place.inode().clone()).or_else(|| file.ops.inode()).ok_or(EINVAL)?;
    let attr = inode.attr()?;
    let thread = task::current();
    if thread.creds().fsuid != attr.uid && !thread.has(Capability::LEASE) {
        return Err(EACCES);
    }
    if attr.file_type() != FileType::Regular {
        return Err(EINVAL);
    }
    let key = notify::key_of(&inode)?;
    let owner = Arc::as_ptr(file) as usize;
    let Some(kind) = wanted else {
        let had = update(key, |leases| {
            let before = leases.len();
            leases.retain(|lease| lease.owner != owner);
            leases.len() < before
        });
        changed().wake_all();
        return if had { Ok(()) } else { Err(EAGAIN) };
    };
    let is_free = match kind {
        Kind::Read => !text::is_written(&inode),
        Kind::Write => others(key, file) == 0,
    };
    if !is_free {
        return Err(EAGAIN);
    }
    update(key, |leases| {
        let in_the_way = |lease: &Lease| lease.owner != owner && (kind == Kind::Write || matches!(lease.breaking, Some((None, _))));
        if leases.iter().any(in_the_way) {
            return Err(EAGAIN);
        }
        leases.retain(|lease| lease.owner != owner);
        leases.push(Lease { owner, file: Arc::downgrade(file), pid: thread.process.pid, kind, breaking: None });
        Ok(())
    })?;
    file.signals.own_lease(fd);
    changed().wake_all();
    Ok(())
}

/// What lease a description has: while it is being broken, what it must become (`F_GETLEASE`).
///
/// # Errors
/// The filesystem's.
pub fn get(file: &OpenFile) -> Result<Option<Kind>> {
    if COUNT.load(Ordering::Acquire) == 0 {
        return Ok(None);
    }
    let Some(inode) = file.ops.inode() else { return Ok(None) };
    let owner = core::ptr::from_ref(file) as usize;
    Ok(update(notify::key_of(&inode)?, |leases| {
        let own = leases.iter().find(|lease| lease.owner == owner);
        own.and_then(|lease| lease.breaking.map_or(Some(lease.kind), |(to, _)| to))
    }))
}

/// Somebody opens or truncates the file: holders of leases that do not go with it are told, and waited for.
///
/// # Errors
/// `EAGAIN` (EWOULDBLOCK) instead of waiting, `ERESTARTSYS` on a signal.
pub fn break_for(inode: &InodeRef, writes: bool, may_wait: bool) -> Result {
    if COUNT.load(Ordering::Acquire) == 0 {
        return Ok(());
    }
    let key = notify::key_of(inode)?;
    if !LEASES.lock().contains_key(&key) {
        return Ok(());
    }
    loop {
        let until = frame::time::now_ns().saturating_add((BREAK_TIME_S.load(Ordering::Relaxed) as u64).saturating_mul(1_000_000_000));
        let to = if writes { None } else { Some(Kind::Read) };
        let (holders, next) = update(key, |leases| {
            let mut holders = Vec::new();
            for lease in leases.iter_mut().filter(|lease| !lease.goes_with(writes)) {
                let is_news = match &mut lease.breaking {
                    // More is asked for than before, within the same time.
                    Some((before, _)) if before.is_some() && to.is_none() => {
                        *before = None;
                        true
                    }
                    Some(_) => false,
                    none => {
                        *none = Some((to, until));
                        true
                    }
                };
                if is_news {
                    holders.extend(lease.file.upgrade());
                }
            }
            let next = leases.iter().filter(|lease| !lease.goes_with(writes)).filter_map(|lease| lease.breaking).map(|(_, at)| at).min();
            (holders, next)
        });
        holders.iter().for_each(|file| file.signals.tell_of_lease());
        let Some(next) = next else { return Ok(()) };
        if !may_wait {
            return Err(EAGAIN);
        }
        let is_over = || LEASES.lock().get(&key).is_none_or(|leases| leases.iter().all(|lease| lease.goes_with(writes))).then_some(());
        match changed().wait_deadline(Some(next), is_over) {
            Ok(()) | Err(ETIMEDOUT) => {}
            Err(error) => return Err(error),
        }
    }
}

/// An open file description is gone: so is its lease.
pub(super) fn description_closed(file: &OpenFile) {
    if COUNT.load(Ordering::Acquire) == 0 {
        return;
    }
    let owner = core::ptr::from_ref(file) as usize;
    let mut all = LEASES.lock();
    all.retain(|_, leases| {
        leases.retain(|lease| lease.owner != owner);
        !leases.is_empty()
    });
    COUNT.store(all.values().map(Vec::len).sum(), Ordering::Release);
    drop(all);
    changed().wake_all();
}

/// The leases of all files, for `/proc/locks`: kind, whether it is being broken, who took it, file.
pub(super) fn list() -> Vec<(Kind, bool, u32, FileKey)> {
    let all = LEASES.lock();
    let of = |(key, leases): (&FileKey, &Vec<Lease>)| leases.iter().map(|it| (it.kind, it.breaking.is_some(), it.pid, *key)).collect::<Vec<_>>();
    all.iter().flat_map(of).collect()
}
