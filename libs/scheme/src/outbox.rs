//! Answers on their way to the kernel.

use crate::area::{Area, Range};
use crate::error::Errno;
use crate::socket::SchemeSocket;
use scheme_abi::{CQE_BYTES, Cqe, EventFlags, sqe};
use std::collections::HashMap;
use std::os::fd::{AsRawFd, OwnedFd};

/// Collects answers and news of readiness; the server sends them in batches.
#[derive(Debug)]
pub struct Outbox {
    pub(crate) area: Area,
    bytes: Vec<u8>,
    /// Descriptors in answers of `bytes`: closed once the kernel has its duplicates.
    fds: Vec<OwnedFd>,
    /// Requests that a method will answer later, with their buffers.
    later: HashMap<u32, Range>,
}

impl Outbox {
    pub(crate) fn new(area: Area) -> Self {
        Self {
            area,
            bytes: Vec::new(),
            fds: Vec::new(),
            later: HashMap::new(),
        }
    }

    fn push(&mut self, cqe: &Cqe) {
        self.bytes.extend_from_slice(&sqe::encode_cqe(cqe));
    }

    pub(crate) fn push_answer(&mut self, tag: u32, result: Result<u64, Errno>) {
        self.push(&sqe::answer(tag, result.map_err(Errno::raw_os_error)));
    }

    pub(crate) fn push_fd(&mut self, tag: u32, fd: OwnedFd) {
        self.push(&sqe::answer_fd(tag, fd.as_raw_fd() as u64));
        self.fds.push(fd);
    }

    pub(crate) fn defer(&mut self, tag: u32, buffer: Range) {
        self.later.insert(tag, buffer);
    }

    /// True if request `tag` still waits for its answer.
    pub fn is_waiting(&self, tag: u32) -> bool {
        self.later.contains_key(&tag)
    }

    /// Answers a request that its method left for later. Returns false where it waits no more (it was cancelled).
    pub fn answer(&mut self, tag: u32, result: Result<u64, Errno>) -> bool {
        let waiting = self.later.remove(&tag).is_some();
        if waiting {
            self.push_answer(tag, result);
        }
        waiting
    }

    /// Answers a request whose handler panicked: nobody else will. The tag must be that of a request not yet answered.
    pub fn fail(&mut self, tag: u32, errno: Errno) {
        self.later.remove(&tag);
        self.push_answer(tag, Err(errno));
    }

    /// Answers a waiting read (or call) with as much of `data` as fits; returns how many bytes that was, or `None`
    /// where the request waits no more.
    pub fn answer_bytes(&mut self, tag: u32, data: &[u8]) -> Option<usize> {
        let range = self.later.remove(&tag)?;
        let copied = self.area.bytes(range).map(|buffer| {
            let len = data.len().min(buffer.len());
            buffer[..len].copy_from_slice(&data[..len]);
            len
        });
        self.push_answer(tag, copied.map(|len| len as u64));
        copied.ok()
    }

    /// Answers a waiting open with a descriptor of this process. Returns false where it waits no more.
    pub fn answer_fd(&mut self, tag: u32, fd: OwnedFd) -> bool {
        let waiting = self.later.remove(&tag).is_some();
        if waiting {
            self.push_fd(tag, fd);
        }
        waiting
    }

    /// Address and length of a waiting request's buffer in the transfer area: for DMA straight into it, with
    /// [`SchemeSocket::physical`].
    pub fn buffer_address(&self, tag: u32) -> Option<(u64, usize)> {
        self.later.get(&tag).map(|range| range.parts())
    }

    /// Tells the kernel that `events` are ready on `handle`.
    pub fn notify(&mut self, handle: u64, events: EventFlags) {
        match u32::try_from(handle) {
            Ok(handle) => self.push(&sqe::send_fevent(handle, events.bits() as u64)),
            Err(_) => tracing::error!(handle, "handles with events must be below 2^32"),
        }
    }

    pub(crate) fn cancel(&mut self, tag: u32) {
        self.answer(tag, Err(Errno::INTR));
    }

    /// Sends everything. An answer that the kernel rejects is logged and dropped.
    pub(crate) fn flush(&mut self, socket: &SchemeSocket) -> std::io::Result<()> {
        let mut sent = 0;
        while sent < self.bytes.len() {
            match socket.write(&self.bytes[sent..]) {
                Ok(written) => sent += written - written % CQE_BYTES,
                Err(Errno::INTR) => {}
                Err(Errno::INVAL) => {
                    let rejected = &self.bytes[sent..sent + CQE_BYTES];
                    tracing::error!(?rejected, "the kernel rejected an answer");
                    sent += CQE_BYTES;
                }
                Err(errno) => return Err(errno.into()),
            }
        }
        self.bytes.clear();
        socket.release(&mut self.fds);
        Ok(())
    }
}
