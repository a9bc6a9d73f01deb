//! Running commands in a guest, through its broker.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use exec_protocol::{CHUNK, Decoder, Frame, Message, Outcome, Spawn, Stream, WINDOW, encode};

/// How long the guest may take to accept a command. An emulated guest under load may be slow.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// How long after its time-out a command's end may take to arrive.
const TIMEOUT_SLACK: Duration = Duration::from_secs(60);

/// Why a command's end is not known. None of these is the command's own failure.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// No broker listens there.
    #[error("no virtual machine is up (nothing answers at {path}: {source})")]
    NoVm {
        /// The broker's socket.
        path: PathBuf,
        /// Why it could not be reached.
        source: io::Error,
    },
    /// The guest did not take the command.
    #[error("the guest has not answered for {} s; it may still be booting, or hang", .0.as_secs())]
    NoAnswer(Duration),
    /// The connection ended early.
    #[error("the command's end is not known: {0}")]
    Lost(String),
    /// The request is too long, or the like.
    #[error(transparent)]
    Protocol(#[from] exec_protocol::Error),
    /// The caller's own input or output failed.
    #[error("{0}: {1}")]
    Local(&'static str, io::Error),
}

/// The captured result of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// How it ended.
    pub outcome: Outcome,
    /// What it wrote to standard output.
    pub stdout: Vec<u8>,
    /// What it wrote to standard error.
    pub stderr: Vec<u8>,
}

/// A way to reach commands in one guest.
#[derive(Debug, Clone)]
pub struct Exec {
    socket: PathBuf,
}

impl Exec {
    /// Commands through the broker at this socket.
    pub fn new(socket: impl Into<PathBuf>) -> Self {
        Exec { socket: socket.into() }
    }

    /// Waits until the guest's command server answers.
    ///
    /// # Errors
    /// [`ExecError::NoVm`], or [`ExecError::NoAnswer`] after `limit`.
    pub fn wait_ready(&self, limit: Duration) -> Result<(), ExecError> {
        self.greet(Connection::open(&self.socket)?, limit)
    }

    /// Tells everybody who waits for a command that its end will never be known, and waits until that is done.
    ///
    /// # Errors
    /// As [`Exec::wait_ready`].
    pub(crate) fn lose_commands(&self, reason: &str) -> Result<(), ExecError> {
        let connection = Connection::open(&self.socket)?;
        connection.sender.send(Message::Lost(reason.into()))?;
        // The broker takes a client's messages one after the other.
        self.greet(connection, ANSWER_LIMIT)
    }

    fn greet(&self, mut connection: Connection, limit: Duration) -> Result<(), ExecError> {
        connection.sender.send(Message::Hello { nonce: 1 })?;
        match connection.next(Some(Instant::now() + limit))? {
            Some(Message::Welcome { .. }) => Ok(()),
            Some(Message::Lost(reason)) => Err(ExecError::Lost(reason)),
            Some(_) => Err(ExecError::Lost("the broker gave a wrong answer".into())),
            None => Err(ExecError::NoAnswer(limit)),
        }
    }

    /// Starts a command. Its streams and its end are handled by [`Command::run`].
    ///
    /// # Errors
    /// [`ExecError::NoVm`] and [`ExecError::NoAnswer`].
    pub fn start(&self, spawn: Spawn) -> Result<Command, ExecError> {
        let mut connection = Connection::open(&self.socket)?;
        let timeout = (spawn.timeout_ms > 0).then(|| Duration::from_millis(spawn.timeout_ms) + TIMEOUT_SLACK);
        connection.sender.send(Message::Spawn(spawn))?;
        match connection.next(Some(Instant::now() + ANSWER_LIMIT))? {
            Some(Message::Accepted) => {}
            Some(Message::Exit(outcome)) => {
                // Only where the guest could not even make a thread for it.
                connection.early_end = Some(outcome);
            }
            Some(Message::Lost(reason)) => return Err(ExecError::Lost(reason)),
            Some(_) => return Err(ExecError::Lost("the guest gave a wrong answer".into())),
            None => return Err(ExecError::NoAnswer(ANSWER_LIMIT)),
        }
        let deadline = timeout.map(|timeout| Instant::now() + timeout);
        Ok(Command { connection, deadline, credit: Arc::default() })
    }

    /// Runs a command with the given input and captures what it writes.
    ///
    /// # Errors
    /// As [`Exec::start`] and [`Command::run`].
    pub fn output(&self, spawn: Spawn, stdin: &[u8]) -> Result<Output, ExecError> {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let input = io::Cursor::new(stdin.to_vec());
        let outcome = self.start(spawn)?.run(input, &mut stdout, &mut stderr)?;
        Ok(Output { outcome, stdout, stderr })
    }

    /// Runs a line of shell, within so many seconds.
    ///
    /// # Errors
    /// As [`Exec::output`].
    pub fn shell(&self, script: &str, timeout: Duration) -> Result<Output, ExecError> {
        self.output(command(["/bin/bash", "-c", script], timeout), &[])
    }
}

/// A request for these arguments; the time is unlimited where `timeout` is zero.
pub fn command<A: AsRef<[u8]>>(argv: impl IntoIterator<Item = A>, timeout: Duration) -> Spawn {
    Spawn {
        argv: argv.into_iter().map(|arg| arg.as_ref().to_vec()).collect(),
        timeout_ms: timeout.as_millis() as u64,
        ..Spawn::default()
    }
}

/// A command that has been accepted. Dropping it kills the command.
pub struct Command {
    connection: Connection,
    deadline: Option<Instant>,
    credit: Arc<StdinCredit>,
}

impl Command {
    /// Something to send signals to the command with, from another thread.
    pub fn signaller(&self) -> Signaller {
        Signaller(self.connection.sender.clone())
    }

    /// Feeds and drains the streams until the command ends. `stdin` is read by a thread of its own, which may outlive the command while it
    /// blocks in a read.
    ///
    /// # Errors
    /// [`ExecError::Lost`], [`ExecError::NoAnswer`], and [`ExecError::Local`] where the outputs cannot be written (the command is killed then).
    pub fn run(
        mut self,
        stdin: impl Read + Send + 'static,
        stdout: &mut dyn Write,
        stderr: &mut dyn Write,
    ) -> Result<Outcome, ExecError> {
        if let Some(outcome) = self.connection.early_end.take() {
            return Ok(outcome);
        }
        let (sender, credit) = (self.connection.sender.clone(), Arc::clone(&self.credit));
        thread::Builder::new()
            .name("stdin".into())
            .spawn(move || feed(stdin, &sender, &credit))
            .map_err(|error| ExecError::Local("standard input", error))?;
        let ended = self.drain(stdout, stderr);
        self.credit.close();
        ended
    }

    fn drain(&mut self, stdout: &mut dyn Write, stderr: &mut dyn Write) -> Result<Outcome, ExecError> {
        loop {
            match self.connection.next(self.deadline)? {
                Some(Message::Output(stream, data)) => {
                    let (name, out): (_, &mut dyn Write) = match stream {
                        Stream::Stdout => ("standard output", stdout),
                        Stream::Stderr => ("standard error", stderr),
                    };
                    out.write_all(&data).and_then(|()| out.flush()).map_err(|error| ExecError::Local(name, error))?;
                    let credit = Message::Credit { stream, bytes: data.len() as u32 };
                    // Failing means that the broker has gone; what it still sent is read first.
                    let _ = self.connection.sender.send(credit);
                }
                Some(Message::StdinCredit(bytes)) => self.credit.grant(bytes as usize),
                Some(Message::Exit(outcome)) => return Ok(outcome),
                Some(Message::Lost(reason)) => return Err(ExecError::Lost(reason)),
                Some(_) => {}
                None => return Err(ExecError::NoAnswer(TIMEOUT_SLACK)),
            }
        }
    }
}

/// Sends signals to a command.
#[derive(Clone)]
pub struct Signaller(Sender);

impl Signaller {
    /// Sends a signal (Linux number) to the command's process group.
    ///
    /// # Errors
    /// [`ExecError::Lost`] where the broker has gone.
    pub fn signal(&self, signal: u8) -> Result<(), ExecError> {
        self.0.send(Message::Signal(signal))
    }
}

fn feed(mut stdin: impl Read, sender: &Sender, credit: &StdinCredit) {
    let mut buffer = vec![0; CHUNK];
    loop {
        let Some(room) = credit.wait() else { return };
        let sent = match stdin.read(&mut buffer[..room]) {
            Ok(0) => break,
            Ok(len) => {
                credit.spend(len);
                sender.send(Message::Stdin(buffer[..len].to_vec()))
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                // As a closed standard input: EBADF, or EIO of a terminal in the background.
                tracing::debug!("standard input: {error}");
                break;
            }
        };
        if sent.is_err() {
            return;
        }
    }
    let _ = sender.send(Message::StdinEof);
}

/// How much standard input the guest will take.
struct StdinCredit {
    /// `None` once the command has ended.
    bytes: Mutex<Option<usize>>,
    changed: Condvar,
}

impl Default for StdinCredit {
    fn default() -> Self {
        StdinCredit { bytes: Mutex::new(Some(WINDOW)), changed: Condvar::new() }
    }
}

impl StdinCredit {
    fn update(&self, update: impl FnOnce(&mut Option<usize>)) {
        update(&mut self.bytes.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }

    fn grant(&self, more: usize) {
        self.update(|bytes| *bytes = bytes.map(|bytes| (bytes + more).min(WINDOW)));
    }

    fn spend(&self, less: usize) {
        self.update(|bytes| *bytes = bytes.map(|bytes| bytes.saturating_sub(less)));
    }

    fn close(&self) {
        self.update(|bytes| *bytes = None);
    }

    fn wait(&self) -> Option<usize> {
        let bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes =
            self.changed.wait_while(bytes, |bytes| *bytes == Some(0)).unwrap_or_else(PoisonError::into_inner);
        bytes.map(|bytes| bytes.min(CHUNK))
    }
}

/// The sending half of a connection to the broker.
#[derive(Clone)]
struct Sender(Arc<Mutex<UnixStream>>);

impl Sender {
    fn send(&self, message: Message) -> Result<(), ExecError> {
        let bytes = encode(&Frame { session: 0, command: 1, message })?;
        let mut socket = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        socket.write_all(&bytes).map_err(|error| ExecError::Lost(format!("the broker has gone ({error})")))
    }
}

struct Connection {
    socket: UnixStream,
    sender: Sender,
    decoder: Decoder,
    buffer: Vec<u8>,
    early_end: Option<Outcome>,
}

impl Drop for Connection {
    /// The sender's clones may live on in a thread that reads standard input; the broker must see the end all the same.
    fn drop(&mut self) {
        let _ = self.socket.shutdown(std::net::Shutdown::Both);
    }
}

impl Connection {
    fn open(path: &Path) -> Result<Self, ExecError> {
        let connect = || {
            let socket = UnixStream::connect(path)?;
            let sender = Sender(Arc::new(Mutex::new(socket.try_clone()?)));
            Ok((socket, sender))
        };
        let (socket, sender) = connect().map_err(|source| ExecError::NoVm { path: path.into(), source })?;
        Ok(Connection { socket, sender, decoder: Decoder::new(), buffer: vec![0; 64 << 10], early_end: None })
    }

    /// The next message; `None` when the deadline has passed.
    fn next(&mut self, deadline: Option<Instant>) -> Result<Option<Message>, ExecError> {
        let lost = |error: io::Error| ExecError::Lost(format!("the broker has gone ({error})"));
        loop {
            if let Some(frame) = self.decoder.next_frame() {
                return Ok(Some(frame.message));
            }
            let rest = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if rest.is_some_and(|rest| rest.is_zero()) {
                return Ok(None);
            }
            self.socket.set_read_timeout(rest).map_err(lost)?;
            match self.socket.read(&mut self.buffer) {
                Ok(0) => return Err(ExecError::Lost("the virtual machine has stopped".into())),
                Ok(len) => self.decoder.push(&self.buffer[..len]),
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
                Err(error) => return Err(lost(error)),
            }
        }
    }
}
