//! The two connections to a compositor: one for requests, one for what happens.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::time::Duration;

use gde_ipc::{Answer, Event, Request};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

/// No line of a compositor's is longer, bytes: it lists all windows.
const LONGEST: usize = 4 << 20;
/// Events that wait at most.
const WAITING: usize = 4096;

/// Lines from a socket. A read that is given up loses nothing.
#[derive(Debug)]
struct Lines {
    stream: BufReader<UnixStream>,
    line: Vec<u8>,
}

impl Lines {
    async fn connect(path: &Path) -> io::Result<Self> {
        Ok(Lines { stream: BufReader::new(UnixStream::connect(path).await?), line: Vec::new() })
    }

    async fn send(&mut self, request: &Request) -> io::Result<()> {
        let mut line = serde_json::to_vec(request)?;
        line.push(b'\n');
        self.stream.get_mut().write_all(&line).await
    }

    async fn next(&mut self) -> io::Result<Vec<u8>> {
        loop {
            let chunk = self.stream.fill_buf().await?;
            if chunk.is_empty() {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the connection is closed"));
            }
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let len = end.map_or(chunk.len(), |end| end + 1);
            self.line.extend_from_slice(&chunk[..len]);
            self.stream.consume(len);
            if end.is_some() {
                return Ok(std::mem::take(&mut self.line));
            }
            if self.line.len() > LONGEST {
                return Err(io::Error::new(io::ErrorKind::InvalidData, format!("a line of more than {LONGEST} bytes")));
            }
        }
    }
}

/// A compositor that is there.
#[derive(Debug)]
pub struct Session {
    requests: Lines,
    events: Lines,
    /// What has come while an answer was waited for.
    early: VecDeque<Event>,
}

impl Session {
    /// Connects, and hears of all that happens from now on.
    ///
    /// # Errors
    /// Where nobody listens at the path, or does not answer as a compositor.
    pub async fn connect(path: &Path) -> io::Result<Self> {
        let mut events = Lines::connect(path).await?;
        events.send(&Request::Events).await?;
        match serde_json::from_slice(&events.next().await?)? {
            Answer::Done => {}
            other => return Err(io::Error::other(format!("an answer to another question: {other:?}"))),
        }
        Ok(Session { requests: Lines::connect(path).await?, events, early: VecDeque::new() })
    }

    /// Asks. What happens meanwhile is told later: an event about a notice may come before the answer with its number.
    ///
    /// # Errors
    /// Where the compositor is gone or its answer is none; then this is of no use any more.
    pub async fn ask(&mut self, request: &Request) -> io::Result<Answer> {
        self.requests.send(request).await?;
        loop {
            tokio::select! {
                answer = self.requests.next() => return Ok(serde_json::from_slice(&answer?)?),
                event = self.events.next() => {
                    if self.early.len() >= WAITING {
                        return Err(io::Error::other("events without an answer"));
                    }
                    self.early.extend(parse(&event?));
                }
            }
        }
    }

    /// What happens next. Giving up loses nothing.
    ///
    /// # Errors
    /// Where the compositor is gone.
    pub async fn next_event(&mut self) -> io::Result<Event> {
        loop {
            if let Some(event) = self.early.pop_front() {
                return Ok(event);
            }
            let line = self.events.next().await?;
            self.early.extend(parse(&line));
        }
    }

    /// Asks for something whose answer does not matter, and ends.
    pub async fn end(mut self, requests: &[Request], limit: Duration) {
        let all = async {
            for request in requests {
                self.requests.send(request).await?;
                self.requests.next().await?;
            }
            io::Result::Ok(())
        };
        // A compositor that is gone has nothing to take away.
        let _ = tokio::time::timeout(limit, all).await;
    }
}

/// Those that are about programs' notices, pictures and menus. Others, and those that a later compositor may tell of, are no matter.
fn parse(line: &[u8]) -> Option<Event> {
    serde_json::from_slice(line).ok().filter(|event| matches!(event, Event::NoticeClosed { .. } | Event::NoticeAction { .. } | Event::TrayClicked { .. } | Event::MenuClosed { .. }))
}
