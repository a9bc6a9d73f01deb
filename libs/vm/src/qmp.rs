//! QEMU's control socket (QMP: one JSON object a line).

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::error::{Error, IoContext, Result};

/// QEMU answers at once unless it hangs; a screenshot of a loaded machine takes longest.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);

/// A connection. QEMU serves one at a time; others wait for it to close.
pub struct Qmp {
    lines: BufReader<UnixStream>,
}

impl Qmp {
    /// Connects and leaves the negotiation mode.
    ///
    /// # Errors
    /// [`Error::NoVm`] where nobody listens.
    pub fn connect(path: &Path) -> Result<Self> {
        let socket = UnixStream::connect(path).map_err(|_| Error::NoVm)?;
        socket.set_read_timeout(Some(ANSWER_LIMIT)).on("use", path)?;
        let mut qmp = Qmp { lines: BufReader::new(socket) };
        // The greeting.
        qmp.read()?;
        qmp.execute("qmp_capabilities", json!({}))?;
        Ok(qmp)
    }

    /// Runs one command and gives what it returns.
    ///
    /// # Errors
    /// [`Error::Refused`] with QEMU's reason; [`Error::Ended`] where QEMU goes away.
    pub fn execute(&mut self, command: &str, arguments: Value) -> Result<Value> {
        let mut line = json!({"execute": command, "arguments": arguments}).to_string();
        line.push('\n');
        self.lines.get_mut().write_all(line.as_bytes()).map_err(|error| gone(&error))?;
        loop {
            let mut answer = self.read()?;
            if let Some(error) = answer.get("error") {
                let reason = error["desc"].as_str().unwrap_or_default().to_owned();
                return Err(Error::Refused { command: command.into(), reason });
            }
            // Events come in between.
            if let Some(result) = answer.get_mut("return") {
                return Ok(result.take());
            }
        }
    }

    fn read(&mut self) -> Result<Value> {
        let mut line = String::new();
        match self.lines.read_line(&mut line) {
            Ok(0) => Err(Error::Ended { status: "its control socket is closed".into(), log: String::new() }),
            Ok(_) => serde_json::from_str(&line).map_err(|_| Error::Answer(line)),
            Err(error) => Err(gone(&error)),
        }
    }
}

fn gone(error: &std::io::Error) -> Error {
    Error::Ended { status: format!("or hangs: {error}"), log: String::new() }
}
