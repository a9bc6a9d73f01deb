//! A client that asks one thing at a time.

use std::io::BufReader;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::types::{Completed, Completion, ErrorCode, Event, Op, Reply, Request, Status};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The service cannot be reached.
    #[error("the AI service at {path} does not answer ({source}); is genaid running? (gci status genaid)")]
    Connect {
        /// Its socket.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The connection broke.
    #[error("the connection to the AI service broke: {0}")]
    Broken(#[from] std::io::Error),
    /// It answered with something that is no reply to this.
    #[error("the AI service answered with something unexpected: {0}")]
    Unexpected(String),
    /// It said no.
    #[error("{message}")]
    Refused {
        /// What kind of no.
        code: ErrorCode,
        /// Its words.
        message: String,
    },
}

/// A connection to genaid.
pub struct Client {
    reader: BufReader<UnixStream>,
    writer: UnixStream,
    next: u64,
}

impl Client {
    /// Connects to the socket that `GENAI_SOCKET` names, else to the usual one.
    pub fn connect() -> Result<Client, ClientError> {
        Client::connect_to(std::env::var_os(crate::SOCKET_VARIABLE).map_or_else(|| PathBuf::from(crate::SOCKET), PathBuf::from))
    }

    /// Connects to a socket.
    pub fn connect_to(path: impl AsRef<Path>) -> Result<Client, ClientError> {
        let path = path.as_ref();
        let fail = |source| ClientError::Connect { path: path.to_owned(), source };
        let writer = UnixStream::connect(path).map_err(fail)?;
        let reader = BufReader::new(writer.try_clone().map_err(fail)?);
        Ok(Client { reader, writer, next: 1 })
    }

    /// How long to wait for each piece of an answer; `None`: for ever.
    pub fn set_timeout(&self, timeout: Option<Duration>) -> Result<(), ClientError> {
        Ok(self.writer.set_read_timeout(timeout)?)
    }

    /// Sends a request without waiting; its number.
    pub fn send(&mut self, op: Op) -> Result<u64, ClientError> {
        let id = self.next;
        self.next += 1;
        crate::write_line(&mut self.writer, &Request { id, op })?;
        Ok(id)
    }

    /// The next reply to any request.
    pub fn receive(&mut self) -> Result<Reply, ClientError> {
        let line = crate::read_line(&mut self.reader)?.ok_or_else(|| std::io::Error::from(std::io::ErrorKind::UnexpectedEof))?;
        serde_json::from_slice(&line).map_err(|e| ClientError::Unexpected(format!("{e}: {}", String::from_utf8_lossy(&line))))
    }

    /// Asks and waits; `on_token` gets the pieces of an answer that is streamed.
    pub fn ask(&mut self, op: Op, mut on_token: impl FnMut(&str)) -> Result<Event, ClientError> {
        let id = self.send(op)?;
        loop {
            let reply = self.receive()?;
            if reply.id != id {
                continue;
            }
            match reply.event {
                Event::Token { text } => on_token(&text),
                Event::Error { code, message } => return Err(ClientError::Refused { code, message }),
                event => return Ok(event),
            }
        }
    }

    /// Has a text completed.
    pub fn complete(&mut self, completion: Completion, on_token: impl FnMut(&str)) -> Result<Completed, ClientError> {
        match self.ask(Op::Complete(Box::new(completion)), on_token)? {
            Event::Done(done) => Ok(done),
            other => Err(ClientError::Unexpected(format!("{other:?}"))),
        }
    }

    /// Vectors for texts.
    pub fn embed(&mut self, texts: Vec<String>) -> Result<Vec<Vec<f32>>, ClientError> {
        match self.ask(Op::Embed { texts }, |_| {})? {
            Event::Embeddings { vectors, .. } => Ok(vectors),
            other => Err(ClientError::Unexpected(format!("{other:?}"))),
        }
    }

    /// How the service is.
    pub fn status(&mut self) -> Result<Status, ClientError> {
        match self.ask(Op::Status, |_| {})? {
            Event::Status(status) => Ok(*status),
            other => Err(ClientError::Unexpected(format!("{other:?}"))),
        }
    }
}
