//! Urgent data (RFC 6093): the last byte of what is sent with MSG_OOB. It stays in its place in the stream, as a mark at which reading stops; its reader
//! gets it by MSG_OOB, passes it by, or reads it with the rest (SO_OOBINLINE).

use alloc::vec::Vec;

use super::{CHUNK, Queue, Stream};
use crate::error::*;
use crate::fs::sigio::Settings;
use crate::fs::{Events, IoSink, IoSource};

/// The last urgent byte that came.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    /// Its place, counted from the beginning of the stream.
    at: u64,
    /// It has not been read by MSG_OOB.
    is_unread: bool,
}

impl Queue {
    /// How many bytes there are before the mark.
    pub(super) fn before_mark(&self) -> Option<usize> {
        self.mark.and_then(|mark| mark.at.checked_sub(self.position)).and_then(|n| usize::try_from(n).ok()).filter(|n| *n < self.bytes)
    }

    /// The byte at the mark comes first, and is not read with the rest.
    pub(super) fn is_at_hidden(&self) -> bool {
        !self.is_inline && self.before_mark() == Some(0)
    }

    /// Bytes that can be read without coming past the mark.
    pub(super) fn readable(&self) -> usize {
        match self.before_mark() {
            Some(0) if self.is_inline => self.bytes,
            Some(0) => self.bytes - 1,
            Some(n) => n,
            None => self.bytes,
        }
    }

    /// Drops the first byte.
    pub(super) fn skip_one(&mut self) {
        self.start += 1;
        self.bytes -= 1;
        self.position += 1;
        if self.chunks.front().is_some_and(|chunk| chunk.len() == self.start) {
            self.chunks.pop_front();
            self.start = 0;
        }
        self.forget_passed();
    }

    /// A mark that has been read past is none.
    pub(super) fn forget_passed(&mut self) {
        if self.mark.is_some_and(|mark| mark.at < self.position) {
            self.mark = None;
        }
    }

    fn byte_at(&self, mut offset: usize) -> Option<u8> {
        offset += self.start;
        for chunk in &self.chunks {
            match chunk.get(offset) {
                Some(byte) => return Some(*byte),
                None => offset -= chunk.len(),
            }
        }
        None
    }
}

impl Stream {
    /// As [`Stream::send`]; the last byte is urgent.
    ///
    /// # Errors
    /// As [`Stream::send`]; `EOPNOTSUPP` to another machine, because `netd`'s TCP has no urgent data.
    pub fn send_urgent(&self, src: &mut IoSource<'_>, capacity: usize, nonblocking: bool, deadline: Option<u64>) -> Result<usize> {
        if self.shown.is_none() {
            return Err(EOPNOTSUPP);
        }
        let mut done = 0;
        while src.remaining() > 1 {
            let mut piece = alloc::vec![0; (src.remaining() - 1).min(CHUNK)];
            src.read(&mut piece)?;
            match self.send(&mut IoSource::kernel(&piece), capacity, nonblocking, deadline) {
                Ok(sent) if sent == piece.len() => done += sent,
                Ok(sent) => return Ok(done + sent),
                Err(_) if done > 0 => return Ok(done),
                Err(error) => return Err(error),
            }
        }
        let mut last = [0u8; 1];
        if src.remaining() == 0 {
            return Ok(0);
        }
        src.read(&mut last)?;
        if let Some(shown) = &self.shown {
            shown.send(&last);
        }
        let owner = {
            let mut queue = self.queue.lock();
            if queue.unread || queue.finished {
                return if done > 0 { Ok(done) } else { Err(EPIPE) };
            }
            if queue.is_at_hidden() {
                // One that nobody has read yet goes where it would be in the way of this one; else it is read with the rest.
                queue.skip_one();
            }
            queue.mark = Some(Mark { at: queue.position + queue.bytes as u64, is_unread: true });
            queue.bytes += 1;
            queue.chunks.push_back(last.to_vec());
            queue.owner
        };
        owner.tell_of_urgent_data();
        self.readers.wake_events_sync(Events::IN | Events::RDNORM | Events::PRI);
        Ok(done + 1)
    }

    /// The urgent byte (MSG_OOB).
    ///
    /// # Errors
    /// `EINVAL` where there is none, or it is read with the rest.
    pub fn receive_urgent(&self, dst: &mut IoSink<'_>, peek: bool) -> Result<Option<usize>> {
        let byte = {
            let mut queue = self.queue.lock();
            let offset = queue.before_mark().filter(|_| !queue.is_inline && queue.mark.is_some_and(|mark| mark.is_unread));
            let byte = offset.and_then(|offset| queue.byte_at(offset)).ok_or(EINVAL)?;
            if let (Some(mark), false) = (&mut queue.mark, peek) {
                mark.is_unread = false;
            }
            byte
        };
        if dst.remaining() == 0 {
            return Ok(None);
        }
        dst.write(&[byte]).map(Some)
    }

    /// Whether what would be read next is the urgent byte (SIOCATMARK).
    pub fn is_at_mark(&self) -> bool {
        self.queue.lock().before_mark() == Some(0)
    }

    /// `POLLPRI` where there is an urgent byte that has not been read.
    pub(super) fn urgent_state(queue: &Queue) -> Events {
        if queue.mark.is_some_and(|mark| mark.is_unread) { Events::PRI } else { Events::empty() }
    }

    /// Lets urgent data be read with the rest, or not (SO_OOBINLINE).
    pub fn set_inline(&self, is_inline: bool) {
        self.queue.lock().is_inline = is_inline;
    }

    /// Whom SIGURG goes to.
    pub fn set_owner(&self, owner: Settings) {
        self.queue.lock().owner = owner;
    }

    /// Copies of what can be read without coming past the mark, at most `most` bytes.
    pub(super) fn readable_bytes(&self, most: usize) -> Vec<u8> {
        let queue = self.queue.lock();
        let most = most.min(queue.readable());
        let mut start = queue.start + usize::from(queue.is_at_hidden());
        let mut bytes = Vec::new();
        for chunk in &queue.chunks {
            let rest = chunk.get(start..).unwrap_or_default();
            start = start.saturating_sub(chunk.len());
            bytes.extend_from_slice(&rest[..rest.len().min(most - bytes.len())]);
            if bytes.len() == most {
                break;
            }
        }
        bytes
    }
}
