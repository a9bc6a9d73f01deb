//! Permission events: whoever opens, reads or executes a marked file waits until the groups that want to be asked have answered.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicU8, Ordering};

use super::{LISTENING, interested};
use crate::error::*;
use crate::fs::OpenFile;
use crate::sync::WaitQueue;

/// What is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Answer {
    /// `FAN_ALLOW`
    Allowed = 1,
    /// `FAN_DENY`
    Denied = 2,
}

/// A question that somebody waits with.
pub(super) struct Question {
    /// 0: none yet; else an [`Answer`].
    answer: AtomicU8,
    event: WaitQueue,
}

impl Question {
    /// Answers it; the first answer counts.
    pub(super) fn answer(&self, answer: Answer) {
        let _ = self.answer.compare_exchange(0, answer as u8, Ordering::SeqCst, Ordering::SeqCst);
        self.event.wake_all();
    }

    /// Waits for the answer, or until the thread is killed.
    fn wait(&self) -> Result {
        let ready = || match self.answer.load(Ordering::SeqCst) {
            0 => None,
            1 => Some(Ok(())),
            _ => Some(Err(EPERM)),
        };
        self.event.wait_killable(ready)?
    }
}

/// Whether the executing thread may do this with an open file: waits for those who want to be asked.
///
/// # Errors
/// `EPERM` where one of them denies it.
pub fn may(file: &OpenFile, what: u64) -> Result {
    if LISTENING.load(Ordering::Relaxed) == 0 || file.is_quiet() {
        return Ok(());
    }
    for (group, mask) in interested(file, what) {
        let question = Arc::new(Question { answer: AtomicU8::new(0), event: WaitQueue::new() });
        group.push(file, mask, Some(question.clone()));
        drop(group);
        question.wait()?;
    }
    Ok(())
}
