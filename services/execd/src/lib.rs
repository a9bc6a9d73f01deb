//! The command server of a guest: takes commands from the exec channel, runs them, and sends back their output and their end.
//!
//! One call of [`serve`] is one session (see `exec_protocol`). The caller's thread reads the port and never blocks on anything else. Each
//! command has a thread of its own that waits for its end ([`command`]), and one for each of its three streams ([`streams`]).
//! Only ordinary system calls are used, so the same binary serves on Linux.

mod command;
mod link;
mod streams;

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use exec_protocol::{Decoder, Frame, Message, Outcome};
use tracing::warn;

use command::Running;
use link::Link;

/// What commands find, and how long their output is waited for.
#[derive(Debug, Clone)]
pub struct Config {
    /// Variables of every command.
    pub env: Vec<(String, String)>,
    /// Working directory where the host names none; `/` where it does not exist.
    pub home: String,
    /// A command that has ended while others (its background processes) still hold its output open is reported as ended once
    /// nothing has come for so long. What comes later is dropped.
    pub linger: Duration,
}

impl Default for Config {
    fn default() -> Self {
        let env = [
            ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
            ("HOME", "/root"),
            ("USER", "root"),
            ("LOGNAME", "root"),
            ("SHELL", "/bin/bash"),
            ("TERM", "linux"),
        ];
        Config {
            env: env.map(|(name, value)| (name.into(), value.into())).into(),
            home: "/root".into(),
            linger: Duration::from_secs(2),
        }
    }
}

type Commands = Arc<Mutex<BTreeMap<u32, Arc<Running>>>>;

/// Serves one session, until the port ends (`Ok`) or fails. Commands still running then are killed.
///
/// # Errors
/// Those of reading and writing the port.
pub fn serve(mut reader: impl Read, writer: impl Write + Send + 'static, config: &Config) -> io::Result<()> {
    let link = Arc::new(Link::new(Box::new(writer)));
    let commands = Commands::default();
    let served = link.send(0, Message::Welcome { nonce: 0 }).and_then(|()| read_frames(&mut reader, &link, &commands, config));
    link.close();
    for running in lock(&commands).values() {
        running.abandon();
    }
    served
}

fn read_frames(reader: &mut impl Read, link: &Arc<Link>, commands: &Commands, config: &Config) -> io::Result<()> {
    let mut decoder = Decoder::new();
    let mut buffer = vec![0; 32 << 10];
    loop {
        let len = match reader.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(len) => len,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        decoder.push(&buffer[..len]);
        while let Some(frame) = decoder.next_frame() {
            handle(frame, link, commands, config)?;
        }
        if link.is_closed() {
            return Err(io::Error::new(io::ErrorKind::BrokenPipe, "a write to the port failed"));
        }
    }
}

fn handle(frame: Frame, link: &Arc<Link>, commands: &Commands, config: &Config) -> io::Result<()> {
    let Frame { session, command: id, message } = frame;
    if let Message::Hello { nonce } = message {
        return link.send(0, Message::Welcome { nonce });
    }
    if session != link.session() {
        return Ok(());
    }
    if let Message::Spawn(spawn) = message {
        link.send(id, Message::Accepted)?;
        let running = Arc::new(Running::new(id, Arc::clone(link)));
        lock(commands).insert(id, Arc::clone(&running));
        let (config, table) = (config.clone(), Arc::clone(commands));
        let started = streams::thread("command", move || {
            command::run(&running, spawn, &config);
            lock(&table).remove(&id);
        });
        if let Err(error) = started {
            warn!("no thread for a command: {error}");
            lock(commands).remove(&id);
            link.send(id, Message::Exit(Outcome::NotStarted(error.raw_os_error().unwrap_or(0))))?;
        }
        return Ok(());
    }
    // A command that has just ended may still get messages; they mean nothing any more.
    let Some(running) = lock(commands).get(&id).cloned() else { return Ok(()) };
    match message {
        Message::Stdin(data) => running.stdin.push(data),
        Message::StdinEof => running.stdin.finish(),
        Message::Signal(signal) => running.signal(signal),
        Message::Credit { stream, bytes } => running.output(stream).grant(bytes as usize),
        Message::Abandon => running.abandon(),
        other => warn!("the host sent a guest's message: {other:?}"),
    }
    Ok(())
}

/// A lock whose holder panicked still guards sound data here: all updates are single steps.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
