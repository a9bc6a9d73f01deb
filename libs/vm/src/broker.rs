//! Many clients on the one port of the guest.
//!
//! The broker owns the host's end of the exec channel. Clients connect to a socket and speak frames with command numbers of their own;
//! the broker gives each command a number that is unique in the guest's session and passes the frames on. Credit passes through, so
//! what waits here for a slow client is at most a window per stream; a thread per client writes it out, so nobody else
//! waits.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use exec_protocol::{Decoder, Frame, Message, Stream, WINDOW, encode};
use tracing::{debug, warn};

/// How often the guest is asked whether it is there: while it is not known to be, and while commands run.
const ASK_EVERY: Duration = Duration::from_millis(500);
const ASK_BUSY_EVERY: Duration = Duration::from_secs(10);

/// Commands are given up when the guest has said nothing for so long. An emulated guest under load may be slow.
const SILENCE_LIMIT: Duration = Duration::from_secs(120);

/// Serves clients until the port ends, that is, until the VM is gone.
///
/// # Errors
/// Those of setting up threads and sockets. A failing client is that client's matter.
pub fn serve(port: UnixStream, clients: UnixListener) -> io::Result<()> {
    let broker = Arc::new(Broker {
        port: Mutex::new(port.try_clone()?),
        state: Mutex::new(State { next_command: first_command(), heard: Instant::now(), ..State::default() }),
        changed: Condvar::new(),
    });
    let acceptor = Arc::clone(&broker);
    thread::Builder::new().name("clients".into()).spawn(move || acceptor.accept(&clients))?;
    let asker = Arc::clone(&broker);
    thread::Builder::new().name("ask".into()).spawn(move || asker.ask())?;
    let ended = broker.route_output(port);
    broker.end("the virtual machine has stopped");
    ended
}

/// Commands of an earlier broker may still run in the guest: theirs are other numbers.
fn first_command() -> u32 {
    let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(1, |age| age.as_nanos());
    (nanos as u32) | 1
}

struct Broker {
    port: Mutex<UnixStream>,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    /// The guest's session, once it has answered.
    session: Option<u32>,
    next_command: u32,
    routes: BTreeMap<u32, Route>,
    /// When the guest last said something, or was first asked for something again: nothing is heard of one that nobody asks.
    heard: Instant,
    ended: bool,
}

impl Default for State {
    fn default() -> Self {
        State { session: None, next_command: 1, routes: BTreeMap::new(), heard: Instant::now(), ended: false }
    }
}

impl State {
    /// Adds a command, and gives its number in the guest.
    fn add(&mut self, route: Route, now: Instant) -> u32 {
        if self.routes.is_empty() {
            self.heard = now;
        }
        let command = self.next_command;
        self.next_command = command.wrapping_add(1).max(1);
        self.routes.insert(command, route);
        command
    }

    /// Whether the guest has been silent for too long while commands wait for it.
    fn is_silent(&self, now: Instant) -> bool {
        !self.routes.is_empty() && now.saturating_duration_since(self.heard) > SILENCE_LIMIT
    }
}

/// Where a command's frames go.
struct Route {
    client: Sender<Frame>,
    /// The client's own number of it.
    number: u32,
    /// Bytes of stdout and stderr that the client has not taken yet.
    outstanding: [usize; 2],
}

impl Route {
    fn tell(&self, message: Message) {
        // A client that has gone is noticed by its own reader.
        let _ = self.client.send(Frame { session: 0, command: self.number, message });
    }
}

fn index(stream: Stream) -> usize {
    match stream {
        Stream::Stdout => 0,
        Stream::Stderr => 1,
    }
}

impl Broker {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends to the guest; blocks while it takes nothing.
    fn send(&self, session: u32, command: u32, message: Message) -> io::Result<()> {
        let bytes = encode(&Frame { session, command, message }).map_err(io::Error::other)?;
        self.port.lock().unwrap_or_else(PoisonError::into_inner).write_all(&bytes)
    }

    /// Reads the port to its end.
    fn route_output(&self, mut port: UnixStream) -> io::Result<()> {
        let mut decoder = Decoder::new();
        let mut buffer = vec![0; 64 << 10];
        let mut skipped = 0;
        loop {
            let len = match port.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(len) => len,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(()),
                Err(error) => return Err(error),
            };
            decoder.push(&buffer[..len]);
            loop {
                let frame = decoder.next_frame();
                // What was skipped came before this frame: noise ahead of a Welcome harms no command that starts after it.
                if decoder.skipped() > skipped {
                    warn!("{} bytes from the guest made no sense", decoder.skipped() - skipped);
                    skipped = decoder.skipped();
                    self.lose_all("data from the guest was damaged");
                }
                let Some(frame) = frame else { break };
                self.take(frame);
            }
        }
    }

    /// One frame from the guest. Never blocks.
    fn take(&self, frame: Frame) {
        let mut state = self.state();
        state.heard = Instant::now();
        if let Message::Welcome { .. } = frame.message {
            if state.session != Some(frame.session) {
                debug!("session {:08x}", frame.session);
                lose(&mut state.routes, "the guest's command server has restarted");
                state.session = Some(frame.session);
                self.changed.notify_all();
            }
            return;
        }
        if state.session != Some(frame.session) {
            return;
        }
        let Some(route) = state.routes.get_mut(&frame.command) else { return };
        if let Message::Output(stream, data) = &frame.message {
            let outstanding = &mut route.outstanding[index(*stream)];
            *outstanding += data.len();
            if *outstanding > WINDOW {
                route.tell(Message::Lost("the guest sent more than was asked for".into()));
                state.routes.remove(&frame.command);
                return;
            }
        }
        let last = matches!(frame.message, Message::Exit(_));
        route.tell(frame.message);
        if last {
            state.routes.remove(&frame.command);
        }
    }

    fn lose_all(&self, reason: &str) {
        lose(&mut self.state().routes, reason);
    }

    fn end(&self, reason: &str) {
        let mut state = self.state();
        lose(&mut state.routes, reason);
        state.ended = true;
        self.changed.notify_all();
    }

    /// Asks the guest whether it is there, and gives its commands up when it stays silent.
    fn ask(&self) {
        let mut asked: Option<Instant> = None;
        loop {
            let (wanted, session) = {
                let mut state = self.state();
                if state.ended {
                    return;
                }
                if state.is_silent(Instant::now()) {
                    lose(&mut state.routes, "the guest does not answer any more");
                }
                (state.session.is_none() || !state.routes.is_empty(), state.session)
            };
            let every = if session.is_some() { ASK_BUSY_EVERY } else { ASK_EVERY };
            if wanted && asked.is_none_or(|asked| asked.elapsed() >= every) {
                asked = Some(Instant::now());
                // Busy: somebody is sending. Then the guest either takes data, or is asked later.
                if let Ok(mut port) = self.port.try_lock() {
                    let hello = Frame { session: 0, command: 0, message: Message::Hello { nonce: 0 } };
                    if encode(&hello).map_err(io::Error::other).and_then(|bytes| port.write_all(&bytes)).is_err() {
                        return;
                    }
                }
            }
            let state = self.state();
            drop(self.changed.wait_timeout(state, ASK_EVERY).unwrap_or_else(PoisonError::into_inner));
        }
    }

    fn accept(self: &Arc<Self>, clients: &UnixListener) {
        for client in clients.incoming() {
            let broker = Arc::clone(self);
            let served = client.and_then(|client| {
                thread::Builder::new().name("client".into()).spawn(move || {
                    if let Err(error) = broker.serve_client(client) {
                        debug!("client: {error}");
                    }
                })
            });
            if let Err(error) = served {
                warn!("a client cannot be served: {error}");
                thread::sleep(ASK_EVERY);
            }
        }
    }

    /// Waits for the guest's session.
    fn session(&self) -> Option<u32> {
        let state = self
            .changed
            .wait_while(self.state(), |state| state.session.is_none() && !state.ended)
            .unwrap_or_else(PoisonError::into_inner);
        state.session.filter(|_| !state.ended)
    }

    fn serve_client(&self, client: UnixStream) -> io::Result<()> {
        let (sender, receiver) = mpsc::channel::<Frame>();
        let mut out = client.try_clone()?;
        thread::Builder::new().name("client output".into()).spawn(move || {
            for frame in receiver {
                let Ok(bytes) = encode(&frame) else { continue };
                if out.write_all(&bytes).is_err() {
                    break;
                }
            }
            let _ = out.shutdown(std::net::Shutdown::Both);
        })?;
        let mut commands = BTreeMap::new();
        let ended = self.take_requests(client, &sender, &mut commands);
        for command in commands.into_values() {
            let (running, session) = {
                let mut state = self.state();
                (state.routes.remove(&command).is_some(), state.session)
            };
            if let (true, Some(session)) = (running, session) {
                self.send(session, command, Message::Abandon)?;
            }
        }
        ended
    }

    /// Reads a client's frames to their end. `commands` maps its numbers to the guest's.
    fn take_requests(
        &self,
        mut client: UnixStream,
        sender: &Sender<Frame>,
        commands: &mut BTreeMap<u32, u32>,
    ) -> io::Result<()> {
        let mut decoder = Decoder::new();
        let mut buffer = vec![0; 64 << 10];
        loop {
            let len = match client.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(len) => len,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            decoder.push(&buffer[..len]);
            while let Some(frame) = decoder.next_frame() {
                self.take_request(frame, sender, commands)?;
            }
        }
    }

    fn take_request(&self, frame: Frame, sender: &Sender<Frame>, commands: &mut BTreeMap<u32, u32>) -> io::Result<()> {
        let Frame { command: number, message, .. } = frame;
        let answer = |message| {
            let _ = sender.send(Frame { session: 0, command: number, message });
        };
        match message {
            Message::Hello { nonce } => match self.session() {
                Some(_) => answer(Message::Welcome { nonce }),
                None => answer(Message::Lost("the virtual machine has stopped".into())),
            },
            Message::Spawn(spawn) => {
                let Some(session) = self.session() else {
                    answer(Message::Lost("the virtual machine has stopped".into()));
                    return Ok(());
                };
                let route = Route { client: sender.clone(), number, outstanding: [0; 2] };
                let command = self.state().add(route, Instant::now());
                commands.insert(number, command);
                self.send(session, command, Message::Spawn(spawn))?;
            }
            // Whoever has changed the machine's state under its commands.
            Message::Lost(reason) => lose(&mut self.state().routes, &reason),
            message => {
                let Some(&command) = commands.get(&number) else { return Ok(()) };
                let session = {
                    let mut state = self.state();
                    let session = state.session;
                    let Some(route) = state.routes.get_mut(&command) else {
                        commands.remove(&number);
                        return Ok(());
                    };
                    if let Message::Credit { stream, bytes } = message {
                        let outstanding = &mut route.outstanding[index(stream)];
                        *outstanding = outstanding.saturating_sub(bytes as usize);
                    }
                    session
                };
                if let Some(session) = session {
                    self.send(session, command, message)?;
                }
            }
        }
        Ok(())
    }
}

fn lose(routes: &mut BTreeMap<u32, Route>, reason: &str) {
    for route in std::mem::take(routes).into_values() {
        route.tell(Message::Lost(reason.into()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route() -> Route {
        Route { client: mpsc::channel().0, number: 1, outstanding: [0; 2] }
    }

    #[test]
    fn only_a_guest_that_is_asked_can_be_silent() {
        let begun = Instant::now();
        let mut state = State { heard: begun, ..State::default() };
        let later = begun + 2 * SILENCE_LIMIT;
        assert!(!state.is_silent(later), "nobody waits");
        state.add(route(), later);
        assert!(!state.is_silent(later), "the guest had no time to answer");
        assert!(!state.is_silent(later + SILENCE_LIMIT));
        // A second command gives a silent guest no more time.
        state.add(route(), later + SILENCE_LIMIT);
        assert!(state.is_silent(later + SILENCE_LIMIT + Duration::from_millis(1)));
    }
}
