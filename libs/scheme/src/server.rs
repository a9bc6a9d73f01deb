//! The loop of a daemon.

use crate::area::Range;
use crate::dispatch::{Reply, dispatch};
use crate::error::{Errno, Fail};
use crate::outbox::Outbox;
use crate::scheme::Scheme;
use crate::socket::SchemeSocket;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use scheme_abi::{Opcode, SQE_BYTES, Sqe, SqeFlags, sqe};
use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

/// Most requests taken with one read: as many as the transfer area has slots.
const BATCH: usize = scheme_abi::area::SLOT_COUNT;

/// A request that was read and not yet handled.
#[derive(Clone, Copy, Debug)]
pub struct Request(Sqe);

impl Request {
    /// The request as the kernel sent it.
    pub const fn sqe(&self) -> &Sqe {
        &self.0
    }
}

/// Why [`Server::wait`] returned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wake {
    /// Requests are there: take them with [`Server::next_request`].
    pub requests: bool,
    /// The kernel ended the scheme: no more requests will come.
    pub ended: bool,
    /// Indices of the other descriptors that are readable, in error or hung up.
    pub others: Vec<usize>,
}

/// Reads requests, hands them to a scheme, sends the answers.
#[derive(Debug)]
pub struct Server {
    socket: SchemeSocket,
    inbox: VecDeque<Request>,
    out: Outbox,
    raw: Box<[u8]>,
    /// Bytes at the front of `raw` that make no whole request yet (byte streams in tests).
    partial: usize,
}

impl Server {
    /// A server for the scheme of `socket`.
    pub fn new(socket: SchemeSocket) -> io::Result<Self> {
        let out = Outbox::new(socket.area()?);
        Ok(Self {
            socket,
            inbox: VecDeque::new(),
            out,
            raw: vec![0; BATCH * SQE_BYTES].into(),
            partial: 0,
        })
    }

    /// The scheme's socket.
    pub const fn socket(&self) -> &SchemeSocket {
        &self.socket
    }

    /// Where answers are put that do not come from handling a request.
    pub const fn outbox(&mut self) -> &mut Outbox {
        &mut self.out
    }

    /// Serves `scheme` until the kernel ends the scheme.
    ///
    /// # Errors
    ///
    /// What `read(2)` and `write(2)` on the socket return.
    pub fn run(mut self, scheme: &mut impl Scheme) -> io::Result<()> {
        loop {
            if self.wait(&[], None)?.ended {
                return Ok(());
            }
            self.handle_all(scheme);
        }
    }

    /// Serves `scheme`, and calls `on_ready` with an index into `others` for each descriptor that is readable.
    /// Level-triggered: the callback has to read.
    ///
    /// # Errors
    ///
    /// What `poll(2)`, `read(2)` and `write(2)` on the socket return, and what `on_ready` returns.
    pub fn run_with<S: Scheme>(
        mut self,
        scheme: &mut S,
        others: &[BorrowedFd<'_>],
        mut on_ready: impl FnMut(&mut S, &mut Outbox, usize) -> io::Result<()>,
    ) -> io::Result<()> {
        loop {
            let wake = self.wait(others, None)?;
            if wake.ended {
                return Ok(());
            }
            for index in wake.others {
                on_ready(scheme, &mut self.out, index)?;
            }
            self.handle_all(scheme);
        }
    }

    fn handle_all(&mut self, scheme: &mut impl Scheme) {
        while let Some(request) = self.next_request() {
            if let Some(request) = self.handle(scheme, request) {
                self.refuse(request, Errno::AGAIN);
            }
        }
    }

    /// Sends what is in the outbox, then waits for requests, for one of `others`, or for `timeout` (`None`: for
    /// ever). Returns at once while requests are left.
    pub fn wait(
        &mut self,
        others: &[BorrowedFd<'_>],
        timeout: Option<Duration>,
    ) -> io::Result<Wake> {
        self.out.flush(&self.socket)?;
        let mut wake = Wake {
            requests: !self.inbox.is_empty(),
            ..Wake::default()
        };
        if others.is_empty() && timeout.is_none() {
            if !wake.requests {
                self.receive(&mut wake)?;
            }
            return Ok(wake);
        }
        let timeout = if wake.requests {
            Some(Duration::ZERO)
        } else {
            timeout
        };
        if self.poll(others, timeout, &mut wake)? {
            self.receive(&mut wake)?;
        }
        Ok(wake)
    }

    /// Fills `wake.others`; returns true where the socket is readable.
    fn poll(
        &self,
        others: &[BorrowedFd<'_>],
        timeout: Option<Duration>,
        wake: &mut Wake,
    ) -> io::Result<bool> {
        let mut fds: Vec<PollFd<'_>> =
            vec![PollFd::from_borrowed_fd(self.socket.as_fd(), PollFlags::IN)];
        fds.extend(
            others
                .iter()
                .map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN)),
        );
        let timeout = timeout.map(|timeout| Timespec {
            tv_sec: timeout.as_secs().min(i64::MAX as u64) as i64,
            tv_nsec: timeout.subsec_nanos().into(),
        });
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) => {}
            Err(Errno::INTR) => return Ok(false),
            Err(errno) => return Err(errno.into()),
        }
        let ready = |fd: &PollFd<'_>| !fd.revents().is_empty();
        let others = fds[1..].iter().enumerate().filter(|(_, fd)| ready(fd));
        wake.others = others.map(|(index, _)| index).collect();
        Ok(ready(&fds[0]))
    }

    /// Reads one batch of requests.
    fn receive(&mut self, wake: &mut Wake) -> io::Result<()> {
        loop {
            let len = match self.socket.read(&mut self.raw[self.partial..]) {
                Ok(0) => {
                    wake.ended = true;
                    return Ok(());
                }
                Ok(len) => self.partial + len,
                Err(Errno::INTR | Errno::AGAIN) => return Ok(()),
                Err(errno) => return Err(errno.into()),
            };
            let (whole, rest) = self.raw[..len].as_chunks::<SQE_BYTES>();
            self.inbox
                .extend(whole.iter().map(|bytes| Request(sqe::decode(bytes))));
            let (whole_bytes, rest_len) = (whole.len() * SQE_BYTES, rest.len());
            self.raw.copy_within(whole_bytes..whole_bytes + rest_len, 0);
            self.partial = rest_len;
            if whole_bytes > 0 {
                wake.requests = true;
                return Ok(());
            }
        }
    }

    /// The oldest request not yet handled.
    pub fn next_request(&mut self) -> Option<Request> {
        self.inbox.pop_front()
    }

    /// The oldest request not yet handled that `wanted` holds for, also one that is on its way: it is handled before older ones. `None` where there is
    /// none now.
    ///
    /// # Errors
    ///
    /// What `poll(2)` and `read(2)` on the socket return.
    pub fn next_request_of(
        &mut self,
        wanted: impl Fn(&Sqe) -> bool,
    ) -> io::Result<Option<Request>> {
        let mut wake = Wake::default();
        loop {
            if let Some(at) = self.inbox.iter().position(|request| wanted(&request.0)) {
                return Ok(self.inbox.remove(at));
            }
            if !self.poll(&[], Some(Duration::ZERO), &mut wake)? {
                return Ok(None);
            }
            self.receive(&mut wake)?;
            if wake.ended {
                return Ok(None);
            }
        }
    }

    /// Puts a request back, to be the next one again.
    pub fn put_back(&mut self, request: Request) {
        self.inbox.push_front(request);
    }

    /// Answers a request with an error without asking a scheme.
    pub fn refuse(&mut self, request: Request, errno: Errno) {
        if !request.0.sqe_flags.contains(SqeFlags::ONEWAY) {
            self.out.push_answer(request.0.tag, Err(errno));
        }
    }

    /// Handles one request. Returns it where the scheme's method failed with [`Fail::Retry`].
    #[must_use = "a request that is returned was not answered"]
    pub fn handle(&mut self, scheme: &mut impl Scheme, request: Request) -> Option<Request> {
        let sqe = &request.0;
        if sqe.opcode == Opcode::Cancel as u8 {
            if self.out.is_waiting(sqe.tag) && scheme.cancel(sqe.tag) {
                self.out.cancel(sqe.tag);
            }
            return None;
        }
        let mut buffer = Range::default();
        let reply = dispatch(scheme, sqe, &mut self.out, &mut buffer);
        let oneway = sqe.sqe_flags.contains(SqeFlags::ONEWAY);
        match reply {
            Err(Fail::Retry) => return Some(request),
            _ if oneway => {}
            Ok(Reply::Value(value)) => self.out.push_answer(sqe.tag, Ok(value)),
            Ok(Reply::Fd(fd)) => self.out.push_fd(sqe.tag, fd),
            Err(Fail::Errno(errno)) => self.out.push_answer(sqe.tag, Err(errno)),
            Err(Fail::Later) => self.out.defer(sqe.tag, buffer),
        }
        None
    }

    /// Sends the answers collected so far.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush(&self.socket)
    }
}
