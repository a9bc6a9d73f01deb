//! The terminal: what it can do, and single keys.

use std::io::{IsTerminal, Read, Write};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use anyhow::Result;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, sigprocmask};
use nix::sys::termios::{self, InputFlags, SetArg, Termios};

/// Whether colours are wanted: on a terminal that is not dumb, unless `NO_COLOR` is set.
pub fn colours() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() && std::env::var("TERM").is_ok_and(|t| t != "dumb")
}

/// Signals of the terminal must not reach this process: it moves between foreground and background by itself.
pub fn block_terminal_signals() {
    let mut set = SigSet::empty();
    for s in [Signal::SIGTTOU, Signal::SIGTTIN, Signal::SIGTSTP, Signal::SIGINT, Signal::SIGQUIT] {
        set.add(s);
    }
    let _ = sigprocmask(SigmaskHow::SIG_BLOCK, Some(&set), None);
}

/// The signals that are blocked now.
pub fn signal_mask() -> SigSet {
    SigSet::thread_get_mask().unwrap_or_else(|_| SigSet::empty())
}

/// Blocks these and no others.
pub fn set_signal_mask(mask: &SigSet) {
    let _ = sigprocmask(SigmaskHow::SIG_SETMASK, Some(mask), None);
}

/// Raw mode until dropped.
struct Raw(Termios);

impl Raw {
    fn enter() -> Result<Raw> {
        let before = termios::tcgetattr(std::io::stdin())?;
        let mut raw = before.clone();
        termios::cfmakeraw(&mut raw);
        // Output stays as it was: a new line still goes to the first column.
        raw.output_flags = before.output_flags;
        // So does Enter: what is typed ahead of the next line ends that line, though it comes in before its mode is back.
        raw.input_flags |= before.input_flags & (InputFlags::ICRNL | InputFlags::INLCR | InputFlags::IGNCR);
        termios::tcsetattr(std::io::stdin(), SetArg::TCSADRAIN, &raw)?;
        Ok(Raw(before))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = termios::tcsetattr(std::io::stdin(), SetArg::TCSADRAIN, &self.0);
    }
}

fn ready(wait: Duration) -> bool {
    let stdin = std::io::stdin();
    let mut fds = [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
    let ms = u16::try_from(wait.as_millis()).unwrap_or(u16::MAX);
    poll(&mut fds, PollTimeout::from(ms)).is_ok_and(|n| n > 0)
}

/// One byte, without std's buffer: what follows belongs to others.
fn byte() -> Option<u8> {
    let mut b = [0u8];
    match nix::unistd::read(std::io::stdin(), &mut b) {
        Ok(1) => Some(b[0]),
        _ => None,
    }
}

/// What a terminal said when asked where its cursor is.
pub struct Probe {
    /// It answered: a line editor that moves the cursor can be used.
    pub answers: bool,
    /// What was typed in the meantime.
    pub typed: String,
}

/// Asks the terminal for the cursor's position (DSR, `ESC [ 6 n`), and waits at most `patience`.
///
/// A serial line that nobody reads, or a test's pipe, does not answer: then the plain line reader is used.
pub fn probe(patience: Duration) -> Probe {
    let none = Probe { answers: false, typed: String::new() };
    let Ok(_raw) = Raw::enter() else { return none };
    let mut out = std::io::stdout();
    if out.write_all(b"\x1b[6n").and_then(|()| out.flush()).is_err() {
        return none;
    }
    let mut seen: Vec<u8> = Vec::new();
    let end = Instant::now() + patience;
    while Instant::now() < end {
        if !ready(end.saturating_duration_since(Instant::now())) {
            break;
        }
        let Some(b) = byte() else { break };
        seen.push(b);
        if b == b'R'
            && let Some(start) = seen.windows(2).rposition(|w| w == b"\x1b[")
            && seen[start + 2..seen.len() - 1].iter().all(|b| b.is_ascii_digit() || *b == b';')
        {
            seen.truncate(start);
            return Probe { answers: true, typed: String::from_utf8_lossy(&seen).into_owned() };
        }
    }
    Probe { answers: false, typed: String::from_utf8_lossy(&seen).into_owned() }
}

/// A key that was pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// Enter.
    Enter,
    /// Escape, Ctrl-C or Ctrl-D: away with it.
    Escape,
    /// A letter or digit.
    Char(char),
    /// Anything else.
    Other,
}

/// Waits for one key.
pub fn key() -> Result<Key> {
    let _raw = Raw::enter()?;
    Ok(match byte() {
        None | Some(3 | 4) => Key::Escape,
        Some(b'\r' | b'\n') => Key::Enter,
        Some(0x1b) => {
            // A cursor key sends more bytes at once; Escape alone does not.
            let mut more = false;
            while ready(Duration::from_millis(60)) {
                more = true;
                if byte().is_none() {
                    break;
                }
            }
            if more { Key::Other } else { Key::Escape }
        }
        Some(b) if b.is_ascii_graphic() => Key::Char(b as char),
        Some(_) => Key::Other,
    })
}

/// A line in the terminal's own editing; `None` at the end of input. Reads byte by byte: what follows is for the programs.
pub fn plain_line(prompt: &str) -> Result<Option<String>> {
    if !prompt.is_empty() {
        let mut out = std::io::stdout();
        out.write_all(prompt.as_bytes())?;
        out.flush()?;
    }
    let mut line = Vec::new();
    let mut one = [0u8];
    loop {
        match nix::unistd::read(std::io::stdin(), &mut one) {
            Ok(0) => {
                if line.is_empty() {
                    return Ok(None);
                }
                break;
            }
            Ok(_) if one[0] == b'\n' => break,
            Ok(_) => line.push(one[0]),
            Err(nix::errno::Errno::EINTR) => {}
            Err(e) => return Err(e.into()),
        }
    }
    Ok(Some(String::from_utf8_lossy(&line).into_owned()))
}

/// All of standard input, for `gcs ask -`.
pub fn all_input() -> Result<String> {
    let mut s = String::new();
    std::io::stdin().read_to_string(&mut s)?;
    Ok(s)
}
