//! The engine below the prompt: one long-lived bash that runs every command line.
//!
//! bash reads command lines from a pipe (its standard input) and shares the terminal with us. Each line we send runs
//! `eval` on the user's text with the real terminal as standard input, so that state (variables, directory, functions,
//! jobs) persists and interactive programs work. It is an interactive bash (`-i`): it has job control, puts every
//! pipeline into a process group of its own and hands it the terminal. Before it reads the next line it runs
//! `PROMPT_COMMAND`, also after an interrupt or a stopped job; there it reports status and directory on a second pipe.
//!
//! While a line runs, bash's process group owns the terminal; while the editor runs, ours does.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use actions::quote::quote_ansi;
use anyhow::{Context, Result, bail};
use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::sys::termios::{self, LocalFlags, SetArg, Termios};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::{Pid, getpgrp, pipe2, tcsetpgrp};

use crate::capture::{Capture, Kept};

/// What bash said after a command line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Exit status of the line, 0 to 255.
    pub status: i32,
    /// The working directory.
    pub cwd: PathBuf,
    /// The search path.
    pub path: String,
    /// The home directory.
    pub home: String,
    /// Aliases and functions the user has.
    pub names: Vec<String>,
}

/// How a command line ended.
#[derive(Debug)]
pub enum Outcome {
    /// bash is ready for the next one.
    Ready(Report),
    /// bash has exited, with this status: so do we.
    Exited(i32),
}

/// A running bash.
pub struct Bash {
    child: Child,
    commands: File,
    reports: File,
    pending: Vec<u8>,
    /// A descriptor of the terminal, where there is one.
    terminal: Option<OwnedFd>,
    sane: Option<Termios>,
    /// Descriptor numbers inside bash.
    tty_fd: i32,
    report_fd: i32,
    status: i32,
    /// Where there is a terminal, and a second one can be made.
    capture: Option<Capture>,
    /// What the last line printed, if that was caught.
    printed: Option<Kept>,
}

/// How to start.
pub struct Options {
    /// Read `/etc/profile` first, as a login shell does.
    pub login: bool,
    /// Give bash the terminal and job control.
    pub terminal: bool,
}

fn inherit(fd: &OwnedFd) -> Result<()> {
    fcntl(fd, FcntlArg::F_SETFD(FdFlag::empty()))?;
    Ok(())
}

/// Moves a descriptor to 50 or above, where no script uses it.
fn high(fd: impl AsFd) -> Result<OwnedFd> {
    Ok(rustix::io::fcntl_dupfd_cloexec(fd, 50)?)
}

impl Bash {
    /// Starts bash and waits until it is ready.
    pub fn start(options: &Options) -> Result<(Bash, Outcome)> {
        let (command_read, command_write) = pipe2(OFlag::O_CLOEXEC).context("making a pipe")?;
        let (report_read, report_write) = pipe2(OFlag::O_CLOEXEC).context("making a pipe")?;
        let report_write = high(report_write)?;
        let input = high(std::io::stdin())?;
        inherit(&report_write)?;
        inherit(&input)?;
        let (tty_fd, report_fd) = (input.as_raw_fd(), report_write.as_raw_fd());
        let terminal = if options.terminal { Some(high(std::io::stdin())?) } else { None };
        let sane = terminal.as_ref().and_then(|t| termios::tcgetattr(t).ok());
        let mut command = Command::new("/bin/bash");
        command.args(["--norc", "--noprofile", "--noediting"]);
        if options.terminal {
            command.arg("-i");
        }
        // No prompt of its own; the start-up files see one below.
        // Made before bash starts, which inherits the one end; its thread must not get the terminal's signals, but bash must.
        let (mut capture, mask) = (None, crate::terminal::signal_mask());
        if options.terminal {
            crate::terminal::block_terminal_signals();
            // Without it the shell works all the same: it only does not know what was printed.
            capture = terminal.as_ref().and_then(|t| Capture::new(t.try_clone().ok()?).ok());
            crate::terminal::set_signal_mask(&mask);
        }
        if let Some(c) = &capture {
            inherit(c.slave())?;
        }
        let child = command.env("PS1", "").stdin(Stdio::from(command_read)).spawn().context("starting /bin/bash")?;
        if let Some(c) = &capture {
            fcntl(c.slave(), FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
        }
        if options.terminal {
            // Only now: a child inherits the mask, and its programs must get Ctrl-C.
            crate::terminal::block_terminal_signals();
        }
        drop(report_write);
        drop(input);
        let mut bash = Bash {
            child,
            commands: File::from(command_write),
            reports: File::from(report_read),
            pending: Vec::new(),
            terminal,
            sane,
            tty_fd,
            report_fd,
            status: 0,
            capture,
            printed: None,
        };
        // bash takes the terminal itself while it starts: it must find it with our group, which is its own until then.
        let opening = bash.opening(options);
        let ready = match bash.commands.write_all(opening.as_bytes()) {
            Ok(()) => bash.wait(),
            Err(_) => bash.exited(),
        };
        if let Some(c) = &mut bash.capture
            && c.end().is_none()
        {
            bash.capture = None;
        }
        bash.give_terminal(false);
        Ok((bash, ready?))
    }

    /// What bash is told first.
    fn opening(&self, options: &Options) -> String {
        let fd = self.report_fd;
        let mut code = String::new();
        if options.terminal {
            code.push_str("PS1='$ '\n");
            if options.login {
                code.push_str("[ -r /etc/profile ] && . /etc/profile\n");
            }
            code.push_str("[ -r /etc/bash.bashrc ] && . /etc/bash.bashrc\n[ -r ~/.bashrc ] && . ~/.bashrc\n");
        }
        code.push_str("PS1= PS2= PS0=\nset +o histexpand\nshopt -s expand_aliases\nunset HISTFILE\n");
        code.push_str("__gcs_line() { history -s -- \"$1\"; return \"$2\"; }\n");
        let mark = self.capture.as_ref().map_or_else(String::new, |c| format!("printf %s {} >&{}; ", quote_ansi(c.mark()), c.number()));
        code.push_str(&format!(
            "__gcs_report() {{ local s=$?; {mark}{{ printf '%s\\0' \"$s\" \"$PWD\" \"$PATH\" \"${{HOME-}}\"; compgen -A alias; compgen -A function; printf '\\0E\\0'; }} >&{fd}; }}\n"
        ));
        // Whatever the user traces, this stays quiet.
        code.push_str("PROMPT_COMMAND='{ __gcs_report; } 2>/dev/null'\n");
        let run = format!("eval {} <&{} {}<&-\n", quote_ansi(&code), self.tty_fd, self.tty_fd);
        if options.terminal { run } else { format!("{run}eval \"$PROMPT_COMMAND\"\n") }
    }

    /// Runs a command line and waits until bash reads the next. `catch`: keep what it prints, where that is possible.
    pub fn run(&mut self, line: &str, catch: bool) -> Result<Outcome> {
        let quoted = quote_ansi(line);
        let (tty, report) = (self.tty_fd, self.report_fd);
        let (through, close) = match &self.capture {
            Some(c) if catch => (format!(">&{0} 2>&{0} ", c.number()), format!(" {}>&-", c.number())),
            Some(c) => (String::new(), format!(" {}>&-", c.number())),
            None => (String::new(), String::new()),
        };
        // The user's commands see none of our descriptors. `$?` is what the last line left.
        let mut text = format!("__gcs_line {quoted} {}; eval {quoted} <&{tty} {through}{tty}<&- {report}>&-{close}\n", self.status);
        self.printed = None;
        if self.terminal.is_none() {
            // No prompts, so no PROMPT_COMMAND.
            text.push_str("eval \"$PROMPT_COMMAND\"\n");
        }
        if let Some(c) = &mut self.capture {
            c.begin();
        }
        let outcome = self.send(&text)?;
        if !catch {
            self.printed = None;
        }
        Ok(outcome)
    }

    /// What the last line printed, where it was caught.
    pub fn printed(&self) -> Option<&Kept> {
        self.printed.as_ref()
    }

    fn send(&mut self, text: &str) -> Result<Outcome> {
        self.give_terminal(true);
        let written = self.commands.write_all(text.as_bytes());
        let outcome = match written {
            Ok(()) => self.wait(),
            // It is gone; the wait says how.
            Err(_) => self.exited(),
        };
        self.give_terminal(false);
        let outcome = outcome?;
        if let Outcome::Ready(r) = &outcome {
            self.status = r.status;
            // All that it printed is on the screen before a prompt is.
            self.printed = self.capture.as_mut().and_then(Capture::end);
            self.mend_terminal();
        }
        Ok(outcome)
    }

    fn exited(&mut self) -> Result<Outcome> {
        use std::os::unix::process::ExitStatusExt;
        let status = self.child.wait().context("waiting for bash")?;
        Ok(Outcome::Exited(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))))
    }

    fn wait(&mut self) -> Result<Outcome> {
        loop {
            if let Some(report) = self.take_report() {
                return Ok(Outcome::Ready(report));
            }
            let ready = {
                let mut fds = [PollFd::new(self.reports.as_fd(), PollFlags::POLLIN)];
                // The time-out is for a bash that was stopped or killed while somebody else holds the pipe open.
                match poll(&mut fds, PollTimeout::from(500u16)) {
                    Ok(n) => n > 0,
                    Err(nix::errno::Errno::EINTR) => continue,
                    Err(e) => bail!("waiting for bash: {e}"),
                }
            };
            if ready {
                let mut buffer = [0u8; 16384];
                let n = self.reports.read(&mut buffer).context("reading from bash")?;
                if n == 0 {
                    return self.exited();
                }
                self.pending.extend_from_slice(&buffer[..n]);
                continue;
            }
            let pid = Pid::from_raw(self.child.id() as i32);
            match waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WSTOPPED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT) {
                Ok(WaitStatus::Exited(..) | WaitStatus::Signaled(..)) => return self.exited(),
                Ok(WaitStatus::Stopped(..)) => {
                    // `suspend`: there is no shell below us to go back to.
                    let _ = waitid(Id::Pid(pid), WaitPidFlag::WSTOPPED | WaitPidFlag::WNOHANG);
                    eprintln!("gcs: this shell cannot be suspended");
                    let _ = kill(pid, Signal::SIGCONT);
                }
                _ => {}
            }
        }
    }

    /// A complete report from what has been read.
    fn take_report(&mut self) -> Option<Report> {
        let end = self.pending.windows(3).position(|w| w == b"\0E\0")?;
        let text = String::from_utf8_lossy(&self.pending[..end]).into_owned();
        self.pending.drain(..end + 3);
        let mut parts = text.splitn(5, '\0');
        let status = parts.next()?.parse().ok()?;
        let cwd = PathBuf::from(parts.next()?);
        let path = parts.next()?.to_owned();
        let home = parts.next()?.to_owned();
        let names = parts.next().unwrap_or("").lines().filter(|l| !l.starts_with("__gcs_")).map(str::to_owned).collect();
        Some(Report { status, cwd, path, home, names })
    }

    /// Hands the terminal to bash (`true`) or takes it back.
    fn give_terminal(&self, to_bash: bool) {
        if let Some(t) = &self.terminal {
            let group = if to_bash { Pid::from_raw(self.child.id() as i32) } else { getpgrp() };
            // Fails before bash has made its group, and where we never had the terminal: then nothing has to change.
            let _ = tcsetpgrp(t, group);
        }
    }

    /// After a program that died or stopped without tidying up: the modes from before.
    fn mend_terminal(&mut self) {
        let Some(t) = &self.terminal else { return };
        let Ok(now) = termios::tcgetattr(t) else { return };
        let healthy = now.local_flags.contains(LocalFlags::ICANON | LocalFlags::ECHO | LocalFlags::ISIG);
        if healthy && self.status < 128 {
            self.sane = Some(now);
        } else if let Some(sane) = &self.sane {
            let _ = termios::tcsetattr(t, SetArg::TCSADRAIN, sane);
        }
    }
}
