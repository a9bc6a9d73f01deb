//! Requests for whose answers nobody sleeps: what they are for is brought to its end where the daemon answers.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use scheme_abi::Sqe;

use super::{Answer, Link, Part, Pending, Reply, SILENCE_NS, UserScheme};
use crate::error::*;
use crate::scheme::transfer::Slot;
use crate::time::stops::running_since;

/// What such a request is for. Dropped where no answer comes (the daemon died or is silent): the drop must say so to whoever counts on it.
pub trait Completion: Send {
    /// The daemon has answered. Called on its thread, without locks of the scheme.
    fn answered(self: Box<Self>, reply: Result<Reply>);
}

impl UserScheme {
    /// A buffer for a request that can as well be left undone: `None` unless several others are free.
    pub fn spare_buffer(&self, bytes: usize) -> Option<Slot> {
        self.area.acquire_spare(bytes)
    }

    /// Puts a request into the queue, of which `completion` gets the answer.
    ///
    /// # Errors
    /// `EAGAIN` where no daemon takes requests now, `ENOMEM` where the table is full; `completion` is dropped.
    pub fn submit_detached(self: &Arc<Self>, sqe: Sqe, slot: Slot, completion: Box<dyn Completion>) -> Result {
        let mut pending = Pending { sqe, slot: Some(slot), client: None, part: Part::Nothing, input: Vec::new(), epoch: 0, memory: None, completion: Some(completion) };
        let mut inner = self.inner.lock();
        pending.epoch = inner.epoch;
        let refused = if !matches!(inner.link, Link::Up(_)) || inner.awaited || inner.recovering {
            Err((pending, EAGAIN))
        } else {
            inner.table.submit(pending, true).map_err(|pending| (pending, ENOMEM))
        };
        if let Err((pending, error)) = refused {
            drop(inner);
            drop(pending);
            return Err(error);
        }
        inner.unread_since.get_or_insert_with(frame::time::now_ns);
        drop(inner);
        // The caller has other things to do.
        self.wake_daemon(false);
        Ok(())
    }

    /// Gives up all of them: the scheme is silent, or its daemon is gone. The daemon keeps their buffers as long as it has the requests.
    pub(super) fn give_up_detached(&self) {
        let mut gone = Vec::new();
        self.inner.lock().table.for_each_detached(|pending| gone.extend(pending.completion.take()));
        drop(gone);
    }

    /// As [`UserScheme::give_up_detached`], where nothing was answered for too long.
    pub(super) fn give_up_detached_if_silent(&self) {
        if frame::time::now_ns() >= running_since(self.last_answer_ns.load(Ordering::Relaxed)) + SILENCE_NS {
            self.give_up_detached();
        }
    }
}

/// Hands the answer to a request's completion.
pub(super) fn complete(mut pending: Pending, answer: Answer) {
    let Some(completion) = pending.completion.take() else { return };
    completion.answered(match answer {
        Answer::Value(value, _) => Ok(Reply { value, slot: pending.slot.take() }),
        Answer::Error(error) => Err(error),
        _ => Err(EIO),
    });
}
