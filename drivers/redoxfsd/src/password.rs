//! The password of an encrypted filesystem: from the memory that the service manager keeps for us, or asked for on the machine's terminals.

use anyhow::{Context, bail};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use service_notify::Manager;
use std::collections::VecDeque;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::time::Duration;

/// The longest password, in bytes.
pub const LONGEST: usize = 1024;
/// How often terminals that were not there are tried again, and the manager is told that we still wait.
const PERIOD: Duration = Duration::from_secs(1);
/// What the manager is asked for each time.
const PATIENCE: Duration = Duration::from_secs(60);

/// A descriptor whose content outlives us: what is put there, the next process of this service reads.
pub struct Memory(File);

impl Memory {
    /// The standard input, where it is a file.
    pub fn of_input() -> Option<Self> {
        let input = std::io::stdin().as_fd().try_clone_to_owned().ok()?;
        let kind = rustix::fs::fstat(&input).map(|stat| FileType::from_raw_mode(stat.st_mode)).ok()?;
        (kind == FileType::RegularFile).then(|| Memory(File::from(input)))
    }

    /// What was put there; empty where nothing was.
    ///
    /// # Errors
    /// Those of reading.
    pub fn get(&self) -> std::io::Result<Vec<u8>> {
        let mut text = vec![0; LONGEST];
        let len = self.0.read_at(&mut text, 0)?;
        text.truncate(len);
        Ok(text)
    }

    /// Puts something there.
    ///
    /// # Errors
    /// Those of writing, as where it is open for reading alone.
    pub fn put(&self, text: &[u8]) -> std::io::Result<()> {
        self.0.set_len(0)?;
        self.0.write_all_at(text, 0)
    }
}

/// A terminal on which is asked; as it was when it goes.
struct Asked {
    terminal: OwnedFd,
    before: Termios,
    typed: Vec<u8>,
}

impl Asked {
    fn open(path: &str, question: &str) -> Option<Self> {
        let terminal = rustix::fs::open(path, OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty()).ok()?;
        let before = tcgetattr(&terminal).ok()?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO | LocalModes::ECHOE | LocalModes::ECHOK);
        silent.local_modes.insert(LocalModes::ICANON | LocalModes::ECHONL);
        tcsetattr(&terminal, OptionalActions::Flush, &silent).ok()?;
        let asked = Asked { terminal, before, typed: Vec::new() };
        asked.say(question);
        Some(asked)
    }

    fn say(&self, text: &str) {
        // One that is gone is noticed by reading.
        let _ = rustix::io::write(&self.terminal, text.as_bytes());
    }

    /// A line, once there is a whole one. `None` where the terminal has gone.
    fn line(&mut self) -> Option<Option<Vec<u8>>> {
        let mut buffer = [0; 256];
        match rustix::io::read(&self.terminal, &mut buffer) {
            // The end of input key: an empty line.
            Ok(0) => return Some(Some(std::mem::take(&mut self.typed))),
            Ok(len) => self.typed.extend_from_slice(&buffer[..len]),
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {}
            Err(_) => return None,
        }
        let Some(end) = self.typed.iter().position(|byte| *byte == b'\n') else {
            // Nobody has such a password.
            self.typed.truncate(LONGEST);
            return Some(None);
        };
        let line = self.typed[..end].to_vec();
        self.typed.clear();
        Some(Some(line))
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        let _ = tcsetattr(&self.terminal, OptionalActions::Flush, &self.before);
    }
}

/// Asks on all of these terminals at once, until somebody types what `is_right`. The manager is told that this may take long.
///
/// # Errors
/// Where no terminal is named, or polling fails.
pub fn ask(terminals: &[String], disk: &str, manager: &Manager, mut is_right: impl FnMut(&[u8]) -> anyhow::Result<bool>) -> anyhow::Result<Vec<u8>> {
    if terminals.is_empty() {
        bail!("the filesystem is encrypted, and there is nobody to ask for its password");
    }
    let question = format!("\r\nThe filesystem on {disk} is encrypted. Its password: ");
    let mut missing: VecDeque<&String> = terminals.iter().collect();
    let mut asked: Vec<Asked> = Vec::new();
    loop {
        // A screen may come later than a serial line.
        missing.retain(|path| match Asked::open(path, &question) {
            Some(terminal) => {
                asked.push(terminal);
                false
            }
            None => true,
        });
        manager.say(&format!("STATUS=waiting for the password of {disk}\nEXTEND_TIMEOUT_USEC={}", PATIENCE.as_micros()));
        let mut polled: Vec<PollFd<'_>> = asked.iter().map(|it| PollFd::new(&it.terminal, PollFlags::IN)).collect();
        let period = Timespec { tv_sec: PERIOD.as_secs() as i64, tv_nsec: 0 };
        match poll(&mut polled, Some(&period)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error).context("waiting for somebody to type"),
        }
        let ready: Vec<bool> = polled.iter().map(|it| !it.revents().is_empty()).collect();
        let mut index = 0;
        let mut answer = None;
        asked.retain_mut(|terminal| {
            let is_ready = ready[index];
            index += 1;
            if !is_ready || answer.is_some() {
                return true;
            }
            match terminal.line() {
                Some(line) => {
                    answer = line;
                    true
                }
                None => false,
            }
        });
        let Some(answer) = answer else { continue };
        if answer.is_empty() {
            asked.iter().for_each(|it| it.say(&question));
            continue;
        }
        asked.iter().for_each(|it| it.say("\r\nTrying it ...\r\n"));
        if is_right(&answer)? {
            return Ok(answer);
        }
        asked.iter().for_each(|it| it.say(&format!("That is not the password.{question}")));
    }
}

/// The first line of a file, without its end; `-` is the standard input.
///
/// # Errors
/// Those of reading.
pub fn from_file(path: &str) -> anyhow::Result<Vec<u8>> {
    let mut text = Vec::new();
    if path == "-" {
        std::io::stdin().lock().take(LONGEST as u64 + 1).read_to_end(&mut text).context("reading the password")?;
    } else {
        File::open(path).and_then(|file| file.take(LONGEST as u64 + 1).read_to_end(&mut text)).with_context(|| format!("reading {path}"))?;
    }
    if let Some(end) = text.iter().position(|byte| *byte == b'\n') {
        text.truncate(end);
    }
    Ok(text)
}
