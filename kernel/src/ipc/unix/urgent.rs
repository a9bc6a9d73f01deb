//! Urgent data (MSG_OOB) on streams: the last byte of what is sent is a message of its own, at which reading stops. Its reader gets it by MSG_OOB, passes it
//! by, or reads it with the rest (SO_OOBINLINE).

use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use super::inbox::{Ancillary, CHUNK, Inbox, Message, Queue};
use super::{Kind, Socket};
use crate::error::*;
use crate::fs::sigio::Settings;
use crate::fs::{Events, IoSink, IoSource};

/// What a reader finds at the head of the queue.
pub(super) enum Head {
    /// Nothing.
    Empty,
    /// Something to read.
    Ordinary,
    /// Urgent data, which a read that has got something stops at.
    Urgent,
}

impl Queue {
    /// What comes first; what has been passed by is dropped, unless it is only looked at.
    pub(super) fn head(&mut self, is_inline: bool, has_read: bool, peek: bool) -> Head {
        match self.messages.front_mut() {
            None => Head::Empty,
            Some(message) if !message.is_urgent => Head::Ordinary,
            Some(_) if has_read => Head::Urgent,
            Some(message) if is_inline => {
                message.is_urgent = peek;
                Head::Ordinary
            }
            Some(_) if peek => if self.messages.len() > 1 { Head::Ordinary } else { Head::Empty },
            Some(_) => {
                self.take_urgent();
                self.head(is_inline, has_read, peek)
            }
        }
    }

    fn take_urgent(&mut self) -> Option<u8> {
        let at = self.messages.iter().position(|message| message.is_urgent)?;
        let message = self.messages.remove(at)?;
        self.bytes -= 1;
        message.data.first().copied()
    }
}

impl Inbox {
    /// As [`Inbox::send`]; the last byte is urgent.
    pub(super) fn send_urgent(&self, src: &mut IoSource<'_>, ancillary: Ancillary, nonblocking: bool, deadline: Option<u64>) -> Result<usize> {
        let mut done = 0;
        // Files go with the first part; all have the same sender.
        let sender = Ancillary { files: Vec::new(), ..ancillary.clone() };
        let mut ancillary = Some(ancillary);
        while src.remaining() > 1 {
            let mut piece = alloc::vec![0; (src.remaining() - 1).min(CHUNK)];
            src.read(&mut piece)?;
            match self.send(&mut IoSource::kernel(&piece), ancillary.take().unwrap_or_else(|| sender.clone()), nonblocking, deadline) {
                Ok(sent) if sent == piece.len() => done += sent,
                Ok(sent) => return Ok(done + sent),
                Err(_) if done > 0 => return Ok(done),
                Err(error) => return Err(error),
            }
        }
        let mut data = alloc::vec![0; 1];
        src.read(&mut data)?;
        {
            let mut queue = self.queue.lock();
            if queue.reader_closed || queue.writer_closed {
                return if done > 0 { Ok(done) } else { Err(EPIPE) };
            }
            // The one before is read with the rest.
            queue.messages.iter_mut().for_each(|message| message.is_urgent = false);
            queue.bytes += 1;
            queue.messages.push_back(Message { data, start: 0, ancillary: ancillary.take().unwrap_or(sender), is_urgent: true });
        }
        let owner = *self.urgent_owner.lock();
        owner.tell_of_urgent_data();
        self.read_event.wake_events_sync(Events::IN | Events::RDNORM | Events::PRI);
        Ok(done + 1)
    }
}

impl Socket {
    /// The urgent byte (MSG_OOB): whether there was room for it.
    ///
    /// # Errors
    /// `EOPNOTSUPP` where it is no stream; `EINVAL` where there is none, or it is read with the rest.
    pub fn receive_urgent(&self, dst: &mut IoSink<'_>, peek: bool) -> Result<Option<usize>> {
        if self.kind != Kind::Stream {
            return Err(EOPNOTSUPP);
        }
        let byte = {
            let mut queue = self.inbox.queue.lock();
            let there = queue.messages.iter().find(|message| message.is_urgent).and_then(|message| message.data.first().copied());
            let byte = there.filter(|_| !self.inbox.is_inline.load(Ordering::Relaxed)).ok_or(EINVAL)?;
            if !peek {
                queue.take_urgent();
            }
            byte
        };
        if dst.remaining() == 0 {
            return Ok(None);
        }
        dst.write(&[byte]).map(Some)
    }

    /// Whether what would be read next is urgent (SIOCATMARK).
    pub(super) fn is_at_mark(&self) -> bool {
        self.inbox.queue.lock().messages.front().is_some_and(|message| message.is_urgent)
    }

    /// Whether urgent data are read with the rest (SO_OOBINLINE).
    pub fn is_inline(&self) -> bool {
        self.inbox.is_inline.load(Ordering::Relaxed)
    }

    /// Lets urgent data be read with the rest, or not.
    pub fn set_inline(&self, is_inline: bool) {
        self.inbox.is_inline.store(is_inline, Ordering::Relaxed);
    }

    /// Whom SIGURG goes to.
    pub(super) fn set_urgent_owner(&self, owner: Settings) {
        *self.inbox.urgent_owner.lock() = owner;
    }
}
