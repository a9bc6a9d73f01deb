//! The loop: requests in an open transaction, committed when a program asks for it, when a second has passed, or when
//! the changes fill their memory.

use crate::cache::CachedDisk;
use crate::device::Device;
use crate::mount::look;
use crate::session::{Lost, Session, State};
use crate::visit::{Visitor, walk_lists};
use anyhow::Context;
use redoxfs::{BlockAddr, FileSystem, Node};
use scheme::{Errno, Fs, Server};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;
use syscall::error::{EIO, Error, Result};

/// Longest time from a change to its commit, unless told otherwise: what a power cut may take with it.
pub const COMMIT_AFTER: Duration = Duration::from_secs(1);

/// Serves until the scheme ends, then writes everything. Returns the filesystem for another use of its device.
///
/// # Errors
///
/// Where the scheme's socket fails. Errors of the disk are the callers', and make the filesystem read-only.
pub fn serve<D: Device>(
    mut fs: FileSystem<CachedDisk<D>>,
    mut server: Server,
    commit_after: Duration,
) -> anyhow::Result<FileSystem<CachedDisk<D>>> {
    let mut state = State::new(commit_after);
    reclaim(&mut fs, &mut state).context("freeing nodes that were unlinked but open")?;
    let mut ended = Ok(false);
    while matches!(ended, Ok(false)) {
        state.space.refresh(fs.allocator());
        let closed = catch_unwind(AssertUnwindSafe(|| {
            fs.tx(|tx| {
                let mut session = Session {
                    tx,
                    state: &mut state,
                };
                ended = session.serve(&mut server);
                session.before_commit();
                match session.state.lost() {
                    Some(Lost::Transaction) => Err(Error::new(EIO)),
                    None => Ok(()),
                }
            })
        }));
        if let Some(tag) = state.interrupted() {
            server.outbox().fail(tag, Errno::IO);
        }
        let committed = matches!(closed, Ok(Ok(())));
        if !committed {
            tracing::error!(
                "changes since the last commit are lost; the filesystem is read-only now"
            );
        }
        for tag in state.closed(committed) {
            let result = if committed { Ok(0) } else { Err(Errno::IO) };
            server.outbox().answer(tag, result);
        }
        server.flush().context("answering")?;
    }
    ended.context("the scheme's socket")?;
    // The log of allocations is rewritten short: the next mount reads it whole.
    if !state.is_read_only() && fs.cleanup().is_err() {
        tracing::warn!("the allocation log could not be shortened");
    }
    Ok(fs)
}

impl<D: Device> Session<'_, '_, D> {
    /// Serves until the transaction has to be closed; true where the scheme has ended.
    fn serve(&mut self, server: &mut Server) -> std::io::Result<bool> {
        loop {
            let wake = server.wait(&[], self.state.commit_within())?;
            while let Some(request) = server.next_request() {
                self.state.handle(request.sqe().tag);
                if let Some(request) = server.handle(&mut Fs(&mut *self), request) {
                    if self.state.again() {
                        server.put_back(request);
                        return Ok(false);
                    }
                    server.refuse(request, Errno::NOSPC);
                }
                self.state.handled();
                if self.state.lost().is_some() {
                    return Ok(false);
                }
            }
            let overdue = self
                .state
                .commit_within()
                .is_some_and(|left| left.is_zero());
            if wake.ended || overdue || self.state.must_commit() {
                return Ok(wake.ended);
            }
        }
    }
}

/// Frees the nodes that had no names but users when the system went down.
fn reclaim<D: Device>(fs: &mut FileSystem<CachedDisk<D>>, state: &mut State) -> anyhow::Result<()> {
    struct Ignore;
    impl Visitor for Ignore {
        fn block(&mut self, _: BlockAddr) -> Result<()> {
            Ok(())
        }
        fn node(&mut self, _: u32, _: &Node) -> Result<()> {
            Ok(())
        }
        fn unreadable(&mut self, _: &str, _: BlockAddr, error: Error) -> Result<()> {
            Err(error)
        }
    }
    let orphans = look(fs, |tx| walk_lists(tx, &mut Ignore))?;
    if orphans.is_empty() {
        return Ok(());
    }
    tracing::info!(
        "freeing {} files that were deleted while open",
        orphans.len()
    );
    state.space.refresh(fs.allocator());
    let freed = fs.tx(|tx| {
        let mut session = Session {
            tx,
            state: &mut *state,
        };
        session.free_orphans(&orphans).map_err(|_| Error::new(EIO))
    });
    let waiting = state.closed(true);
    debug_assert!(waiting.is_empty());
    if freed.is_err() {
        // They only take space; the next mount tries again.
        tracing::warn!("not all of them could be freed");
    }
    Ok(())
}
