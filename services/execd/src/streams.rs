//! The three streams of a command: bounded by credit, each with a thread that may block.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::process::{ChildStderr, ChildStdin, ChildStdout};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use exec_protocol::{CHUNK, Message, Stream, WINDOW};

use crate::command::Running;
use crate::lock;

/// Starts a thread with a small stack: there are several for each command.
pub(crate) fn thread(name: &str, body: impl FnOnce() + Send + 'static) -> io::Result<thread::JoinHandle<()>> {
    thread::Builder::new().name(name.into()).stack_size(256 << 10).spawn(body)
}

/// How much of an output stream the host will take.
pub(crate) struct Credit {
    state: Mutex<CreditState>,
    changed: Condvar,
}

struct CreditState {
    bytes: usize,
    /// Nobody listens: data is dropped, and always welcome.
    unlimited: bool,
}

impl Credit {
    pub fn new() -> Self {
        let state = CreditState { bytes: WINDOW, unlimited: false };
        Credit { state: Mutex::new(state), changed: Condvar::new() }
    }

    pub fn grant(&self, bytes: usize) {
        let mut state = lock(&self.state);
        // More than a window was never taken from us.
        state.bytes = state.bytes.saturating_add(bytes).min(WINDOW);
        self.changed.notify_all();
    }

    pub fn lift(&self) {
        lock(&self.state).unlimited = true;
        self.changed.notify_all();
    }

    /// Waits until at least one byte may be sent, and gives the number.
    fn wait(&self) -> usize {
        let state = lock(&self.state);
        let state = self
            .changed
            .wait_while(state, |state| state.bytes == 0 && !state.unlimited)
            .unwrap_or_else(PoisonError::into_inner);
        if state.unlimited { CHUNK } else { state.bytes.min(CHUNK) }
    }

    fn spend(&self, bytes: usize) {
        let mut state = lock(&self.state);
        state.bytes = state.bytes.saturating_sub(bytes);
    }

    fn is_exhausted(&self) -> bool {
        let state = lock(&self.state);
        state.bytes == 0 && !state.unlimited
    }
}

/// Standard input on its way to the command.
pub(crate) struct Input {
    state: Mutex<InputState>,
    changed: Condvar,
}

#[derive(Default)]
struct InputState {
    queue: VecDeque<Vec<u8>>,
    bytes: usize,
    ended: bool,
}

impl Input {
    pub fn new() -> Self {
        Input { state: Mutex::default(), changed: Condvar::new() }
    }

    pub fn push(&self, data: Vec<u8>) {
        let mut state = lock(&self.state);
        if state.bytes + data.len() > WINDOW {
            // The host broke the rules; memory matters more than its data.
            tracing::warn!("standard input beyond the window: dropped, and ended");
            state.ended = true;
        } else if !state.ended {
            state.bytes += data.len();
            state.queue.push_back(data);
        }
        self.changed.notify_all();
    }

    pub fn finish(&self) {
        lock(&self.state).ended = true;
        self.changed.notify_all();
    }

    /// The next piece; `None` at the end.
    fn next(&self) -> Option<Vec<u8>> {
        let state = lock(&self.state);
        let mut state = self
            .changed
            .wait_while(state, |state| state.queue.is_empty() && !state.ended)
            .unwrap_or_else(PoisonError::into_inner);
        let data = state.queue.pop_front()?;
        state.bytes -= data.len();
        Some(data)
    }
}

/// Feeds the command until its input ends or it takes no more; then drops what still comes.
pub(crate) fn feed(running: &Running, pipe: ChildStdin) {
    let mut pipe = Some(pipe);
    while let Some(data) = running.stdin.next() {
        if pipe.as_mut().is_some_and(|pipe| pipe.write_all(&data).is_err()) {
            pipe = None;
        }
        if running.link.send(running.id, Message::StdinCredit(data.len() as u32)).is_err() {
            return;
        }
    }
}

/// Counts the output threads that are still reading, and knows when something came last.
pub(crate) struct Readers {
    state: Mutex<ReadersState>,
    changed: Condvar,
}

struct ReadersState {
    open: usize,
    /// Readers that hold data and wait for the port.
    sending: usize,
    last_data: Instant,
}

impl Readers {
    pub fn new() -> Self {
        let state = ReadersState { open: 2, sending: 0, last_data: Instant::now() };
        Readers { state: Mutex::new(state), changed: Condvar::new() }
    }

    fn sending<T>(&self, send: impl FnOnce() -> T) -> T {
        lock(&self.state).sending += 1;
        let sent = send();
        let mut state = lock(&self.state);
        state.sending -= 1;
        state.last_data = Instant::now();
        sent
    }

    pub fn note_end(&self) {
        lock(&self.state).open -= 1;
        self.changed.notify_all();
    }

    /// Waits until all output has been read, or nothing has come for `linger` from now on though the host would take it.
    pub fn wait(&self, running: &Running, linger: Duration) {
        let mut state = lock(&self.state);
        state.last_data = Instant::now();
        while state.open > 0 {
            let slow_host = [Stream::Stdout, Stream::Stderr].iter().any(|&stream| running.output(stream).is_exhausted());
            if slow_host || state.sending > 0 {
                state.last_data = Instant::now();
            }
            let Some(rest) = linger.checked_sub(state.last_data.elapsed()) else { return };
            state = self.changed.wait_timeout(state, rest).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// An output pipe of the command.
pub(crate) enum Pipe {
    Stdout(ChildStdout),
    Stderr(ChildStderr),
}

impl Pipe {
    fn stream(&self) -> Stream {
        match self {
            Pipe::Stdout(_) => Stream::Stdout,
            Pipe::Stderr(_) => Stream::Stderr,
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Pipe::Stdout(pipe) => pipe.read(buffer),
            Pipe::Stderr(pipe) => pipe.read(buffer),
        }
    }
}

/// Sends a stream's data to the host, to the end of the stream.
pub(crate) fn forward(running: &Arc<Running>, mut pipe: Pipe) {
    let stream = pipe.stream();
    let credit = running.output(stream);
    let mut buffer = vec![0; CHUNK];
    loop {
        let room = credit.wait();
        match pipe.read(&mut buffer[..room]) {
            Ok(0) => break,
            Ok(len) => {
                credit.spend(len);
                running.readers.sending(|| running.send_output(stream, &buffer[..len]));
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                tracing::warn!("reading a command's output: {error}");
                break;
            }
        }
    }
    running.readers.note_end();
}
