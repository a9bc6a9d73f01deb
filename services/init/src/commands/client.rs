//! The client's end of the socket.

use crate::protocol::{Answer, Report, Request};
use anyhow::{Context, bail};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The way to a manager.
pub struct Client {
    socket: PathBuf,
    /// Whether to print JSON.
    pub json: bool,
}

impl Client {
    /// The way by this socket.
    pub fn new(socket: &Path, json: bool) -> Self {
        Client { socket: socket.to_owned(), json }
    }

    /// Asks, and waits for the answer.
    pub fn ask(&self, request: &Request) -> anyhow::Result<Answer> {
        let mut stream = UnixStream::connect(&self.socket).with_context(|| format!("no manager answers at {}", self.socket.display()))?;
        let mut text = serde_json::to_vec(request)?;
        text.push(b'\n');
        stream.write_all(&text)?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line)?;
        if line.is_empty() {
            bail!("the manager ended the connection without an answer");
        }
        Ok(serde_json::from_str(&line)?)
    }

    /// The state of everything.
    pub fn report(&self) -> anyhow::Result<Report> {
        let answer = self.ask(&Request::Status)?;
        answer.report.context("the manager's answer has no report")
    }

    /// Asks for something to be done, and prints what there is to say.
    pub fn tell(&self, request: &Request) -> anyhow::Result<ExitCode> {
        let answer = self.ask(request)?;
        if self.json {
            println!("{}", serde_json::to_string(&answer)?);
        } else {
            answer.notes.iter().for_each(|note| println!("{note}"));
        }
        match answer.error {
            Some(_) if self.json => Ok(ExitCode::FAILURE),
            Some(error) => bail!("{error}"),
            None => Ok(ExitCode::SUCCESS),
        }
    }
}
