//! Before anything is served: what the log holds and no commit is made again, and nodes that nobody can use any more are freed.

use crate::cache::CachedDisk;
use crate::device::Device;
use crate::intent_log::Log;
use crate::mount::{Strict, look};
use crate::session::{Lost, Session, State, position};
use crate::visit::{Tx, walk_lists};
use redoxfs::FileSystem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use syscall::error::{EIO, Error};

/// The records of the log behind the header of `fs`.
pub fn records<D: Device>(fs: &mut FileSystem<CachedDisk<D>>) -> Vec<Vec<u8>> {
    let mut log = Log::behind(&fs.header, fs.allocator());
    std::iter::from_fn(|| log.as_mut()?.read(fs.disk.device())).collect()
}

/// Brings the filesystem to where the daemon before left it. `mounted` tells the kernel at which point of its history it is found,
/// and returns whether the kernel is the same as then: to it, what is in the log is as good as committed.
///
/// Nodes without names that had users are freed; they are taken over where only a daemon went down.
///
/// # Errors
///
/// Where the list of unlinked nodes does not read.
pub fn recover<D: Device>(
    fs: &mut FileSystem<CachedDisk<D>>,
    state: &mut State,
    mounted: impl FnOnce(u64) -> bool,
) -> anyhow::Result<()> {
    let records = records(fs);
    let is_successor = mounted(position(fs.header.generation(), records.len() as u32));
    let orphans = look(fs, |tx| walk_lists(tx, &mut Strict))?;
    state.is_encrypted = fs.header.encrypted();
    state.adopt(orphans.iter().map(redoxfs::TreePtr::id), is_successor);
    if !records.is_empty() {
        let mut made = 0;
        let replayed = commit(fs, state, |session| {
            made = session.replay(&records);
            if !is_successor {
                session.state.orphan_all();
            }
        });
        match replayed {
            true => tracing::info!("{made} changes made again from {} records of the log", records.len()),
            // The log stays as it is: the next mount tries again.
            false => tracing::error!("what the log holds could not be made again: the filesystem is read-only, as of the commit before"),
        }
    } else if !is_successor {
        state.orphan_all();
    }
    if is_successor || !state.has_nodes_to_free() || state.is_read_only() {
        return Ok(());
    }
    tracing::info!("freeing {} files that were deleted while open", state.unlinked().count());
    while state.has_nodes_to_free() {
        // As many at a time as there is room for; each commit makes more.
        let before = state.unlinked().count();
        let freed = commit(fs, state, |_| {});
        if !freed || state.unlinked().count() == before {
            // They only take space; later commits, or the next mount, try again.
            tracing::warn!("not all of them could be freed");
            break;
        }
    }
    Ok(())
}

/// A transaction of its own; false where it is lost.
fn commit<D: Device>(
    fs: &mut FileSystem<CachedDisk<D>>,
    state: &mut State,
    work: impl FnOnce(&mut Session<'_, '_, D>),
) -> bool {
    state.space.refresh(fs.allocator());
    // The crate asserts where a tree contradicts itself: an error here, not a daemon that cannot start.
    let closed = catch_unwind(AssertUnwindSafe(|| {
        fs.tx(|tx: &mut Tx<'_, D>| {
            let mut session = Session { tx, state: &mut *state };
            work(&mut session);
            session.before_commit();
            match session.state.lost() {
                Some(Lost::Transaction) => Err(Error::new(EIO)),
                None => Ok(()),
            }
        })
    }));
    let committed = matches!(closed, Ok(Ok(())));
    let waiting = state.closed(committed);
    debug_assert!(waiting.is_empty());
    committed
}
