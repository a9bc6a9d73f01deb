//! The loop: requests in an open transaction, committed when a program asks for it, when a second has passed, or when
//! the changes fill their memory. For an fsync, a record of the log may do instead.

use crate::cache::CachedDisk;
use crate::device::Device;
use crate::recovery;
use crate::session::{Lost, Session, State};
use anyhow::Context;
use redoxfs::FileSystem;
use scheme::abi::fs::FS_BATCH;
use scheme::abi::{Opcode, Sqe};
use scheme::{Errno, Fs, Request, Server};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;
use syscall::error::{EIO, Error};

/// Longest time from a change to its commit, unless told otherwise: what a power cut may take with it.
pub const COMMIT_AFTER: Duration = Duration::from_secs(1);

/// Serves until the scheme ends, then writes everything. Returns the filesystem for another use of its device.
///
/// # Errors
///
/// Where the scheme's socket fails. Errors of the disk are the callers', and make the filesystem read-only.
pub fn serve<D: Device + Clone>(
    mut fs: FileSystem<CachedDisk<D>>,
    mut server: Server,
    commit_after: Duration,
) -> anyhow::Result<FileSystem<CachedDisk<D>>> {
    let mut state = State::new(commit_after);
    // For the log, which is written while a transaction is open.
    let mut device = fs.disk.device().clone();
    recovery::recover(&mut fs, &mut state, |position| server.socket().mounted(position))
        .context("looking for nodes that were unlinked but open")?;
    let mut ended = Ok(false);
    while matches!(ended, Ok(false)) {
        state.space.refresh(fs.allocator());
        state.intents.begin(&fs.header, fs.allocator());
        let generation = fs.header.generation();
        let closed = catch_unwind(AssertUnwindSafe(|| {
            fs.tx(|tx| {
                let mut session = Session {
                    tx,
                    state: &mut state,
                };
                ended = session.serve(&mut server, &mut device);
                session.before_commit();
                // The kernel has all answers to what is committed now, and keeps the rest for a successor.
                if let (Ok(false), Err(error)) = (&ended, server.flush()) {
                    ended = Err(error);
                }
                server.socket().committing(session.state.intents.position(generation));
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
        if committed {
            server.socket().committed();
        } else {
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
    // To the crate, nodes without names that nobody uses are to be freed, which leaves the last record of each: the next mount does it whole.
    fs.node_usages.extend(state.unlinked().map(|id| (id, 1)));
    // The log of allocations is rewritten short: the next mount reads it whole.
    if !state.is_read_only() && fs.cleanup().is_err() {
        tracing::warn!("the allocation log could not be shortened");
    }
    Ok(fs)
}

impl<D: Device> Session<'_, '_, D> {
    /// The next request: the rest of a batch, where one was answered in part, else the oldest.
    fn next(&mut self, server: &mut Server) -> std::io::Result<Option<Request>> {
        if self.state.owes_rest {
            server.flush()?;
            let is_batch = |sqe: &Sqe| sqe.opcode == Opcode::Call as u8 && sqe.args[3] == FS_BATCH;
            if let Some(request) = server.next_request_of(is_batch)? {
                self.state.owes_rest = false;
                return Ok(Some(request));
            }
            self.state.owes_rest = false;
        }
        Ok(server.next_request())
    }

    /// Serves until the transaction has to be closed; true where the scheme has ended.
    fn serve(&mut self, server: &mut Server, device: &mut impl Device) -> std::io::Result<bool> {
        loop {
            let wake = server.wait(&[], self.state.commit_within())?;
            while let Some(request) = self.next(server)? {
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
            self.log(server, device)?;
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
