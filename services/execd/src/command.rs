//! One command, from its start to its end.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use exec_protocol::{Message, Outcome, Spawn, Stream};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::link::Link;
use crate::streams::{self, Credit, Input, Pipe, Readers};
use crate::{Config, lock};

/// A command, as its threads and the port's reader see it.
pub(crate) struct Running {
    pub id: u32,
    pub link: Arc<Link>,
    pub stdin: Input,
    pub readers: Readers,
    stdout: Credit,
    stderr: Credit,
    state: Mutex<State>,
    ended: Condvar,
    /// Set once the end has been reported: no output may follow. Held while output is sent.
    reported: Mutex<bool>,
}

#[derive(Default)]
struct State {
    group: Option<Pid>,
    abandoned: bool,
    timed_out: bool,
    ended: bool,
}

impl Running {
    pub fn new(id: u32, link: Arc<Link>) -> Self {
        Running {
            id,
            link,
            stdin: Input::new(),
            readers: Readers::new(),
            stdout: Credit::new(),
            stderr: Credit::new(),
            state: Mutex::default(),
            ended: Condvar::new(),
            reported: Mutex::new(false),
        }
    }

    pub fn output(&self, stream: Stream) -> &Credit {
        match stream {
            Stream::Stdout => &self.stdout,
            Stream::Stderr => &self.stderr,
        }
    }

    /// Sends a signal to the process group.
    pub fn signal(&self, number: u8) {
        let Some(signal) = Signal::from_named_raw(i32::from(number)) else {
            tracing::warn!("the host asked for signal {number}, which has no name");
            return;
        };
        if let Some(group) = lock(&self.state).group {
            send_signal(group, signal);
        }
    }

    /// Nobody waits any more: kills the process group and lets its output go.
    pub fn abandon(&self) {
        let mut state = lock(&self.state);
        state.abandoned = true;
        if let Some(group) = state.group {
            send_signal(group, Signal::KILL);
        }
        drop(state);
        self.stdin.finish();
        self.stdout.lift();
        self.stderr.lift();
    }

    /// Sends output unless the end has been reported.
    pub fn send_output(&self, stream: Stream, data: &[u8]) {
        let reported = lock(&self.reported);
        if !*reported {
            // A failure closes the link, which ends the session.
            let _ = self.link.send(self.id, Message::Output(stream, data.to_vec()));
        }
    }

    fn report(&self, outcome: Outcome) {
        let mut reported = lock(&self.reported);
        *reported = true;
        let _ = self.link.send(self.id, Message::Exit(outcome));
    }

    /// Kills the process group when the time is up, unless the command ends first.
    fn guard_time(&self, timeout: Duration) {
        let state = lock(&self.state);
        let (mut state, waited) = self
            .ended
            .wait_timeout_while(state, timeout, |state| !state.ended)
            .unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() && !state.ended {
            state.timed_out = true;
            if let Some(group) = state.group {
                send_signal(group, Signal::KILL);
            }
        }
    }
}

fn send_signal(group: Pid, signal: Signal) {
    // ESRCH: all of the group have ended, which is as good.
    let _ = kill_process_group(group, signal);
}

/// Runs a command to its end and reports it.
pub(crate) fn run(running: &Arc<Running>, spawn: Spawn, config: &Config) {
    let outcome = match start(&spawn, config) {
        Ok(child) => supervise(running, child, &spawn, config),
        Err(error) => Outcome::NotStarted(error.raw_os_error().unwrap_or(0)),
    };
    running.report(outcome);
    running.stdin.finish();
    // What background processes still write is read and dropped, so that they do not block or die of SIGPIPE.
    running.stdout.lift();
    running.stderr.lift();
}

fn start(spawn: &Spawn, config: &Config) -> std::io::Result<Child> {
    let text = |bytes| OsStr::from_bytes(bytes);
    let mut command = Command::new(text(&spawn.argv[0]));
    command.args(spawn.argv[1..].iter().map(|arg| text(arg)));
    command.env_clear().envs(config.env.iter().map(|(name, value)| (name, value)));
    command.envs(spawn.env.iter().map(|(name, value)| (text(name), text(value))));
    let home = Path::new(&config.home);
    match &spawn.cwd {
        Some(cwd) => command.current_dir(text(cwd)),
        None => command.current_dir(if home.is_dir() { home } else { Path::new("/") }),
    };
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0).spawn()
}

fn supervise(running: &Arc<Running>, mut child: Child, spawn: &Spawn, config: &Config) -> Outcome {
    // Whoever abandoned the command before it had a group is served now.
    let abandoned = {
        let mut state = lock(&running.state);
        state.group = Pid::from_raw(child.id() as i32);
        state.abandoned
    };
    if abandoned {
        running.abandon();
    }
    let mut threads = Ok(());
    if let Some(pipe) = child.stdin.take() {
        let running = Arc::clone(running);
        threads = threads.and(streams::thread("stdin", move || streams::feed(&running, pipe)).map(drop));
    }
    for pipe in [child.stdout.take().map(Pipe::Stdout), child.stderr.take().map(Pipe::Stderr)].into_iter().flatten() {
        let reader = Arc::clone(running);
        let started = streams::thread("output", move || streams::forward(&reader, pipe)).map(drop);
        if started.is_err() {
            running.readers.note_end();
        }
        threads = threads.and(started);
    }
    if spawn.timeout_ms > 0 {
        let (running, timeout) = (Arc::clone(running), Duration::from_millis(spawn.timeout_ms));
        threads = threads.and(streams::thread("timeout", move || running.guard_time(timeout)).map(drop));
    }
    if let Err(error) = threads {
        tracing::warn!("no threads for a command's streams: {error}");
        running.abandon();
    }
    let status = child.wait();
    let timed_out = {
        let mut state = lock(&running.state);
        state.ended = true;
        state.timed_out
    };
    running.ended.notify_all();
    running.readers.wait(running, config.linger);
    match status {
        _ if timed_out => Outcome::TimedOut,
        Ok(status) => match (status.code(), status.signal()) {
            (Some(code), _) => Outcome::Code(code as u8),
            (None, signal) => Outcome::Signal(signal.unwrap_or(0) as u8),
        },
        Err(error) => {
            tracing::warn!("waiting for a command: {error}");
            Outcome::NotStarted(error.raw_os_error().unwrap_or(0))
        }
    }
}
