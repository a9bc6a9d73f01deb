//! What can be said, and how each message's payload is laid out (little-endian, lengths as u32).

use crate::Error;

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Host: who is there? Answered by [`Message::Welcome`] with the same nonce.
    Hello {
        /// Any number.
        nonce: u64,
    },
    /// Host: run a command.
    Spawn(Spawn),
    /// Host: data for the command's standard input.
    Stdin(Vec<u8>),
    /// Host: no more standard input.
    StdinEof,
    /// Host: send a signal (Linux number) to the command's process group.
    Signal(u8),
    /// Host: so many more bytes of that stream may be sent.
    Credit {
        /// Which stream.
        stream: Stream,
        /// Bytes.
        bytes: u32,
    },
    /// Host: nobody waits for the command any more; kill its process group and forget it.
    Abandon,
    /// Guest: `execd` is there. Sent at its start with nonce 0, and as the answer to [`Message::Hello`].
    Welcome {
        /// The nonce of the question.
        nonce: u64,
    },
    /// Guest: the command has been taken.
    Accepted,
    /// Guest: output of the command.
    Output(Stream, Vec<u8>),
    /// Guest: so many more bytes of standard input may be sent.
    StdinCredit(u32),
    /// Guest: the command has ended; its last frame.
    Exit(Outcome),
    /// Broker to client: the command's end will never be known (UTF-8 reason). Client to broker: that of no running command will.
    Lost(String),
}

/// An output stream of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// What to run. Strings are bytes, as in the system calls, without NUL.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Spawn {
    /// Program and arguments; the program is looked up in PATH. Not empty.
    pub argv: Vec<Vec<u8>>,
    /// Variables on top of execd's own.
    pub env: Vec<(Vec<u8>, Vec<u8>)>,
    /// Working directory; execd's choice where absent.
    pub cwd: Option<Vec<u8>>,
    /// The process group is killed after so many milliseconds; 0 means never.
    pub timeout_ms: u64,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// `exit(code)`.
    Code(u8),
    /// Killed by a signal.
    Signal(u8),
    /// Killed because its time was up.
    TimedOut,
    /// Never started; Linux errno.
    NotStarted(i32),
}

impl Outcome {
    /// The exit status a shell would give: 128 + n for a signal, 124 for a time-out (as `timeout(1)`), 127 and 126 for a program
    /// that is missing or cannot be run.
    pub fn exit_status(&self) -> u8 {
        const ENOENT: i32 = 2;
        match *self {
            Outcome::Code(code) => code,
            Outcome::Signal(signal) => 128u8.wrapping_add(signal),
            Outcome::TimedOut => 124,
            Outcome::NotStarted(ENOENT) => 127,
            Outcome::NotStarted(_) => 126,
        }
    }
}

impl Message {
    /// The number of the kind in the header.
    pub(crate) fn kind(&self) -> u8 {
        match self {
            Message::Hello { .. } => 1,
            Message::Spawn(_) => 2,
            Message::Stdin(_) => 3,
            Message::StdinEof => 4,
            Message::Signal(_) => 5,
            Message::Credit { .. } => 6,
            Message::Abandon => 7,
            Message::Welcome { .. } => 16,
            Message::Accepted => 17,
            Message::Output(Stream::Stdout, _) => 18,
            Message::Output(Stream::Stderr, _) => 19,
            Message::StdinCredit(_) => 20,
            Message::Exit(_) => 21,
            Message::Lost(_) => 32,
        }
    }

    /// Appends the payload.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Message::Hello { nonce } | Message::Welcome { nonce } => out.extend(nonce.to_le_bytes()),
            Message::Spawn(spawn) => spawn.write(out),
            Message::Stdin(data) | Message::Output(_, data) => out.extend_from_slice(data),
            Message::StdinEof | Message::Abandon | Message::Accepted => {}
            Message::Signal(signal) => out.push(*signal),
            Message::Credit { stream, bytes } => {
                out.push(matches!(stream, Stream::Stderr) as u8);
                out.extend(bytes.to_le_bytes());
            }
            Message::StdinCredit(bytes) => out.extend(bytes.to_le_bytes()),
            Message::Exit(outcome) => {
                let (tag, value) = match *outcome {
                    Outcome::Code(code) => (0, i32::from(code)),
                    Outcome::Signal(signal) => (1, i32::from(signal)),
                    Outcome::TimedOut => (2, 0),
                    Outcome::NotStarted(errno) => (3, errno),
                };
                out.push(tag);
                out.extend(value.to_le_bytes());
            }
            Message::Lost(reason) => out.extend_from_slice(reason.as_bytes()),
        }
    }

    /// Reads the payload of a message of this kind.
    pub(crate) fn read(kind: u8, payload: &[u8]) -> Result<Self, Error> {
        let mut fields = Fields { rest: payload };
        let message = Self::read_fields(kind, &mut fields)?;
        match fields.rest {
            [] => Ok(message),
            _ => Err(Error::Malformed(kind)),
        }
    }

    fn read_fields(kind: u8, fields: &mut Fields) -> Result<Self, Error> {
        let bad = || Error::Malformed(kind);
        Ok(match kind {
            1 => Message::Hello { nonce: fields.u64().ok_or_else(bad)? },
            2 => Message::Spawn(Spawn::read(fields).ok_or_else(bad)?),
            3 => Message::Stdin(fields.all()),
            4 => Message::StdinEof,
            5 => Message::Signal(fields.u8().ok_or_else(bad)?),
            6 => Message::Credit {
                stream: match fields.u8() {
                    Some(0) => Stream::Stdout,
                    Some(1) => Stream::Stderr,
                    _ => return Err(bad()),
                },
                bytes: fields.u32().ok_or_else(bad)?,
            },
            7 => Message::Abandon,
            16 => Message::Welcome { nonce: fields.u64().ok_or_else(bad)? },
            17 => Message::Accepted,
            18 => Message::Output(Stream::Stdout, fields.all()),
            19 => Message::Output(Stream::Stderr, fields.all()),
            20 => Message::StdinCredit(fields.u32().ok_or_else(bad)?),
            21 => {
                let tag = fields.u8().ok_or_else(bad)?;
                let value = fields.u32().ok_or_else(bad)? as i32;
                let byte = || u8::try_from(value).map_err(|_| bad());
                Message::Exit(match tag {
                    0 => Outcome::Code(byte()?),
                    1 => Outcome::Signal(byte()?),
                    2 if value == 0 => Outcome::TimedOut,
                    3 => Outcome::NotStarted(value),
                    _ => return Err(bad()),
                })
            }
            32 => Message::Lost(String::from_utf8(fields.all()).map_err(|_| bad())?),
            other => return Err(Error::UnknownKind(other)),
        })
    }
}

impl Spawn {
    fn write(&self, out: &mut Vec<u8>) {
        let string = |out: &mut Vec<u8>, bytes: &[u8]| {
            out.extend((bytes.len() as u32).to_le_bytes());
            out.extend_from_slice(bytes);
        };
        out.extend(self.timeout_ms.to_le_bytes());
        out.extend((self.argv.len() as u32).to_le_bytes());
        out.extend((self.env.len() as u32).to_le_bytes());
        out.push(self.cwd.is_some() as u8);
        for arg in &self.argv {
            string(out, arg);
        }
        for (name, value) in &self.env {
            string(out, name);
            string(out, value);
        }
        if let Some(cwd) = &self.cwd {
            string(out, cwd);
        }
    }

    fn read(fields: &mut Fields) -> Option<Self> {
        let timeout_ms = fields.u64()?;
        let argc = fields.u32()?;
        let envc = fields.u32()?;
        let has_cwd = match fields.u8()? {
            0 => false,
            1 => true,
            _ => return None,
        };
        // No capacity is reserved from the counts: they are not to be trusted before the strings are there.
        let argv = (0..argc).map(|_| fields.string()).collect::<Option<Vec<_>>>()?;
        let env = (0..envc).map(|_| Some((fields.string()?, fields.string()?))).collect::<Option<Vec<_>>>()?;
        let cwd = if has_cwd { Some(fields.string()?) } else { None };
        (!argv.is_empty()).then_some(Spawn { argv, env, cwd, timeout_ms })
    }
}

/// A reader of payload fields; `None` where the payload ends too soon.
struct Fields<'a> {
    rest: &'a [u8],
}

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*head)
    }

    fn u8(&mut self) -> Option<u8> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    /// A string as the system calls take it: without NUL.
    fn string(&mut self) -> Option<Vec<u8>> {
        let len = self.u32()? as usize;
        let (head, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        (!head.contains(&0)).then(|| head.to_vec())
    }

    fn all(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.rest).to_vec()
    }
}
