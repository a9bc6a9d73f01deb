//! How the pages of a file come from the daemon and go to it: one request for up to 256 KiB, one copy.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::sync::atomic::Ordering;

use frame::mm::{Frame, PAGE_SIZE};
use scheme_abi::sqe;

use super::state::NodeState;
use crate::error::*;
use crate::fs::pagecache::{Fill, PageBackend};
use crate::scheme::handle::buffer;
use crate::scheme::user::{Completion, Reply, Wait};

/// Pages of a request that nobody waits for.
struct Ahead(Fill);

impl Completion for Ahead {
    fn answered(self: Box<Self>, reply: Result<Reply>) {
        let fill = self.0;
        if let Ok(len) = reply.and_then(|reply| copy_out(&reply, fill.frames())) {
            fill.done(len);
        }
    }
}

/// Copies the answer to a read into pages; returns its length in bytes.
fn copy_out(reply: &Reply, pages: &[Frame]) -> Result<usize> {
    let len = reply.len()?;
    let slot = reply.slot()?;
    for (i, page) in pages.iter().enumerate() {
        let here = len.saturating_sub(i * PAGE_SIZE).min(PAGE_SIZE);
        if here == 0 {
            break;
        }
        page.copy_range_from(0, &slot.frame(i).ok_or(EIO)?, 0, here);
    }
    Ok(len)
}

/// The pages of a node.
pub(super) struct Backend(pub(super) Arc<NodeState>);

impl PageBackend for Backend {
    fn read_pages(&self, first: u64, pages: &[Frame]) -> Result<usize> {
        let state = &self.0;
        let scheme = &state.fs.scheme;
        state.fs.settle_node(state.id)?;
        let (want, offset) = (pages.len() * PAGE_SIZE, first * PAGE_SIZE as u64);
        let slot = scheme.buffer(want, Wait::Killable)?;
        let reply = scheme.submit(sqe::read(state.id, buffer(want), offset, 0), Some(slot), 0)?.wait(Wait::Killable)?;
        copy_out(&reply, pages)
    }

    fn read_ahead(&self, fill: Fill) {
        let state = &self.0;
        let scheme = &state.fs.scheme;
        let want = fill.frames().len() * PAGE_SIZE;
        if state.fs.settle_node(state.id).is_err() {
            return;
        }
        if let Some(slot) = scheme.spare_buffer(want) {
            let sqe = sqe::read(state.id, buffer(want), fill.first() * PAGE_SIZE as u64, 0);
            // Refused: then the pages are read when they are wanted.
            let _ = scheme.submit_detached(sqe, slot, Box::new(Ahead(fill)));
        }
    }

    fn read_unit(&self) -> u64 {
        self.0.read_unit.load(Ordering::Relaxed)
    }

    fn write_pages(&self, first: u64, pages: &[Frame], len: usize) -> Result {
        let state = &self.0;
        let scheme = &state.fs.scheme;
        let offset = first * PAGE_SIZE as u64;
        let slot = scheme.buffer(len, Wait::Uninterruptible)?;
        let _order = state.order.lock();
        // The file may have become shorter since: what lies behind its end must not make it longer again.
        let size = state.cache().map_or(u64::MAX, |cache| cache.size());
        let len = (len as u64).min(size.saturating_sub(offset)) as usize;
        if len == 0 {
            return Ok(());
        }
        for (i, page) in pages.iter().take(len.div_ceil(PAGE_SIZE)).enumerate() {
            let here = (len - i * PAGE_SIZE).min(PAGE_SIZE);
            slot.frame(i).ok_or(EIO)?.copy_range_from(0, page, 0, here);
        }
        let mut sqe = sqe::write(state.id, buffer(len), offset, 0);
        let mtime_ns = state.attr().mtime_ns;
        sqe.args[5] = mtime_ns as u64;
        state.fs.settle_node(state.id)?;
        let number = scheme.changes.note_write(state.id, offset, len, mtime_ns, &pages[..len.div_ceil(PAGE_SIZE)]);
        let reply = scheme.submit_write(sqe, slot, number).and_then(|ticket| ticket.wait(Wait::Uninterruptible));
        if reply.is_err() {
            scheme.changes.write_done(number, false);
        }
        let reply = reply?;
        state.mark_stale();
        if reply.value == len as u64 { Ok(()) } else { Err(EIO) }
    }
}
