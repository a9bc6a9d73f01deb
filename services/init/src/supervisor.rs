//! Starting processes, noticing their end, starting them again.

use crate::backoff::Backoff;
use crate::signals::Signals;
use crate::sys;
use crate::watchdog::Running;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What a service's process gets as its standard streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Streams {
    /// Nothing to read, the kernel log to write to.
    Log,
    /// A terminal, with a session of its own.
    Terminal(String),
}

/// What is to run.
#[derive(Clone, Debug)]
pub struct Service {
    /// Its name in messages.
    pub name: String,
    /// Program and arguments.
    pub command: Vec<String>,
    /// `argv[0]` where it is not the program's path.
    pub argv0: Option<String>,
    /// Environment; nothing else is in it.
    pub environment: Vec<(String, String)>,
    /// Working directory.
    pub directory: Option<String>,
    /// Its standard streams.
    pub streams: Streams,
    /// When to start it again.
    pub backoff: Backoff,
    /// Whether the system runs on it: it is left alone until the very end of a shutdown.
    pub is_essential: bool,
}

/// A service and what became of it.
pub struct Supervised {
    /// The service.
    pub service: Service,
    /// Its process, while it runs.
    pub pid: Option<u32>,
    launches: u32,
    started: Instant,
    due: Option<Instant>,
}

impl Supervised {
    /// How often it was started again.
    pub fn restarts(&self) -> u32 {
        self.launches.saturating_sub(1)
    }
}

/// All services, and the signals of process 1.
pub struct Supervisor {
    services: Vec<Supervised>,
    signals: Signals,
    /// Opened once: starting a driver again must not look up a path on the disk it drives.
    null: OwnedFd,
    log: OwnedFd,
    /// Signals other than SIGCHLD that nobody has looked at.
    requests: Vec<libc::c_int>,
    is_stopping: bool,
}

impl Supervisor {
    /// A supervisor without services; handles SIGCHLD and the signals that ask for a shutdown.
    pub fn new() -> io::Result<Self> {
        let signals = [
            libc::SIGCHLD,
            libc::SIGTERM,
            libc::SIGINT,
            libc::SIGUSR1,
            libc::SIGUSR2,
            libc::SIGHUP,
        ];
        let null: OwnedFd = File::options()
            .read(true)
            .write(true)
            .open("/dev/null")?
            .into();
        let log = match File::options().write(true).open("/dev/kmsg") {
            Ok(file) => file.into(),
            Err(_) => null.try_clone()?,
        };
        Ok(Supervisor {
            services: Vec::new(),
            signals: Signals::handle(&signals)?,
            null,
            log,
            requests: Vec::new(),
            is_stopping: false,
        })
    }

    /// Adds a service and starts it. A failure to start counts as its end: it is tried again.
    pub fn start(&mut self, service: Service) {
        let now = Instant::now();
        self.services.push(Supervised {
            service,
            pid: None,
            launches: 0,
            started: now,
            due: Some(now),
        });
        self.start_due();
    }

    /// The services.
    pub fn services(&self) -> &[Supervised] {
        &self.services
    }

    /// The services that run.
    pub fn running(&self) -> Vec<Running<'_>> {
        let running = |it: &'_ Supervised| Some((it.pid?, it.started.elapsed()));
        let services = self.services.iter();
        services
            .filter_map(|it| {
                let (pid, age) = running(it)?;
                Some(Running { name: &it.service.name, pid, age })
            })
            .collect()
    }

    /// Ends the process of a service that hangs; its successor is started when it has ended. Other processes are left alone.
    pub fn end_hung(&mut self, pid: u32, scheme: &str) {
        let Some(hung) = self.services.iter().find(|it| it.pid == Some(pid)) else {
            return;
        };
        if self.is_stopping {
            return;
        }
        tracing::warn!("{} takes no requests for {scheme}; ending it", hung.service.name);
        if let Err(error) = sys::kill(pid as i32, libc::SIGKILL) {
            tracing::error!("cannot end {}: {error}", hung.service.name);
        }
    }

    /// No service is started again from now on.
    pub fn stop_restarting(&mut self) {
        self.is_stopping = true;
    }

    /// Requests by signal that came since the last call.
    pub fn take_requests(&mut self) -> Vec<libc::c_int> {
        std::mem::take(&mut self.requests)
    }

    /// Waits for events up to `limit`, and does what they ask for: reaps, restarts. Returns after one round; at once where
    /// `other` is readable.
    pub fn pump(&mut self, other: Option<i32>, limit: Duration) {
        self.start_due();
        let now = Instant::now();
        let due = self.services.iter().filter_map(|service| service.due).min();
        let timeout = due
            .filter(|_| !self.is_stopping)
            .map_or(limit, |due| limit.min(due.saturating_duration_since(now)));
        for signal in self.signals.wait(other, timeout) {
            if signal != libc::SIGCHLD {
                self.requests.push(signal);
            }
        }
        while let Some((pid, status)) = sys::reap() {
            self.ended(pid, status);
        }
        self.start_due();
    }

    /// Pumps until `condition` holds (true) or the time is over (false).
    pub fn wait_until(
        &mut self,
        limit: Duration,
        mut condition: impl FnMut(&Self) -> bool,
    ) -> bool {
        let start = Instant::now();
        let mut pause = Duration::from_millis(1);
        loop {
            if condition(self) {
                return true;
            }
            let left = limit.saturating_sub(start.elapsed());
            if left.is_zero() {
                return false;
            }
            self.pump(None, pause.min(left));
            pause = (pause * 2).min(Duration::from_millis(50));
        }
    }

    fn ended(&mut self, pid: u32, status: i32) {
        // Others are orphans that were left to us: reaping them is all.
        let Some(supervised) = self
            .services
            .iter_mut()
            .find(|service| service.pid == Some(pid))
        else {
            return;
        };
        supervised.pid = None;
        if self.is_stopping {
            return;
        }
        let now = Instant::now();
        let next = supervised
            .service
            .backoff
            .next_start(supervised.started, now);
        supervised.due = Some(next);
        let when = in_words(next - now);
        let message = format!(
            "{} {}; starting it again {when}",
            supervised.service.name,
            sys::describe_status(status)
        );
        match supervised.service.streams {
            // Leaving a shell is no failure.
            Streams::Terminal(_) => tracing::info!("{message}"),
            Streams::Log => tracing::warn!("{message}"),
        }
    }

    fn start_due(&mut self) {
        if self.is_stopping {
            return;
        }
        let now = Instant::now();
        for index in 0..self.services.len() {
            if self.services[index].due.is_some_and(|due| due <= now) {
                self.start_one(index);
            }
        }
    }

    fn start_one(&mut self, index: usize) {
        let result = self.spawn(&self.services[index].service);
        let supervised = &mut self.services[index];
        supervised.due = None;
        supervised.started = Instant::now();
        supervised.launches += 1;
        match result {
            Ok(pid) => supervised.pid = Some(pid),
            Err(error) => {
                let now = Instant::now();
                let next = supervised
                    .service
                    .backoff
                    .next_start(supervised.started, now);
                supervised.due = Some(next);
                tracing::error!(
                    "cannot start {} ({}): {error}; next try {}",
                    supervised.service.name,
                    supervised.service.command[0],
                    in_words(next - now)
                );
            }
        }
    }

    fn spawn(&self, service: &Service) -> io::Result<u32> {
        let mut command = Command::new(&service.command[0]);
        command
            .args(&service.command[1..])
            .env_clear()
            .envs(service.environment.iter().cloned());
        if let Some(argv0) = &service.argv0 {
            command.arg0(argv0);
        }
        if let Some(directory) = &service.directory {
            command.current_dir(directory);
        }
        match &service.streams {
            Streams::Log => {
                command.stdin(Stdio::from(self.null.try_clone()?));
                command.stdout(Stdio::from(self.log.try_clone()?));
                command.stderr(Stdio::from(self.log.try_clone()?));
                // A session of its own: no terminal's Ctrl-C reaches it.
                // SAFETY: setsid is async-signal-safe and touches no memory.
                unsafe {
                    command.pre_exec(|| {
                        if libc::setsid() < 0 {
                            Err(io::Error::last_os_error())
                        } else {
                            Ok(())
                        }
                    })
                };
            }
            Streams::Terminal(path) => {
                use std::os::unix::fs::OpenOptionsExt;
                let terminal = File::options()
                    .read(true)
                    .write(true)
                    .custom_flags(libc::O_NOCTTY)
                    .open(path)?;
                let fd = terminal.as_raw_fd();
                // SAFETY: `take_terminal` makes only async-signal-safe calls, on a descriptor that is open in the child.
                unsafe { command.pre_exec(move || sys::take_terminal(fd)) };
                let child = command.spawn()?;
                drop(terminal);
                return Ok(child.id());
            }
        }
        Ok(command.spawn()?.id())
    }
}

/// When something happens that is this far away.
fn in_words(delay: Duration) -> String {
    if delay.is_zero() {
        "now".to_owned()
    } else {
        format!("in {delay:?}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(name: &str, script: &str) -> Service {
        Service {
            name: name.to_owned(),
            command: vec!["/bin/sh".to_owned(), "-c".to_owned(), script.to_owned()],
            argv0: None,
            environment: vec![("ANSWER".to_owned(), "42".to_owned())],
            directory: None,
            streams: Streams::Log,
            backoff: Backoff::driver(),
            is_essential: false,
        }
    }

    /// One test for all: the supervisor reaps every child of the process.
    #[test]
    fn services_are_started_again_and_killed_ones_at_once() {
        let mut supervisor = Supervisor::new().unwrap();
        supervisor.start(service(
            "steady",
            "test \"$ANSWER\" = 42 && exec sleep 1000",
        ));
        supervisor.start(service("failing", "exit 3"));
        let mut missing = service("missing", "");
        missing.command = vec!["/does/not/exist".to_owned()];
        supervisor.start(missing);

        let first = supervisor.services()[0].pid.unwrap();
        let killed = Instant::now();
        sys::kill(first as i32, libc::SIGKILL).unwrap();
        let is_back =
            |supervisor: &Supervisor| supervisor.services()[0].pid.is_some_and(|pid| pid != first);
        assert!(supervisor.wait_until(Duration::from_secs(20), is_back));
        let took = killed.elapsed();
        assert!(
            took < Duration::from_millis(500),
            "restarting took {took:?}"
        );

        let has_failed = |supervisor: &Supervisor| supervisor.services()[1].restarts() >= 6;
        assert!(supervisor.wait_until(Duration::from_secs(20), has_failed));
        assert!(supervisor.services()[2].pid.is_none());
        assert!(
            supervisor.services()[2].restarts() >= 1,
            "it is tried again"
        );
        assert_eq!(supervisor.services()[0].restarts(), 1);

        let second = supervisor.services()[0].pid.unwrap();
        supervisor.stop_restarting();
        sys::kill(second as i32, libc::SIGTERM).unwrap();
        let is_gone = |supervisor: &Supervisor| supervisor.services()[0].pid.is_none();
        assert!(supervisor.wait_until(Duration::from_secs(20), is_gone));

        sys::kill(std::process::id() as i32, libc::SIGUSR2).unwrap();
        supervisor.pump(None, Duration::from_millis(10));
        assert_eq!(supervisor.take_requests(), [libc::SIGUSR2]);
    }
}
