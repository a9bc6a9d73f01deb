//! The control socket: who may ask is root, for the state everybody.

use crate::manager::{Loaded, Manager, Outcome};
use crate::poll::Wanted;
use crate::protocol::{Answer, MAX_REQUEST, Request};
use crate::shutdown::Ending;
use crate::sys;
use gci_units::graph::{self, Strictness};
use gci_units::{Kind, UnitName};
use std::fs;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};

/// The most who may be connected at a time.
const MAX_CLIENTS: usize = 32;

/// The listening socket, and who is connected.
pub struct Control {
    listener: UnixListener,
    clients: Vec<Client>,
    folders: Vec<PathBuf>,
    loading: Option<Loading>,
}

struct Loading {
    loaded: Receiver<Loaded>,
    done: OwnedFd,
}

/// What a client's answer waits for.
enum Wait {
    Starts(Vec<UnitName>),
    Stops(Vec<UnitName>),
    Load,
}

struct Client {
    stream: UnixStream,
    user: u32,
    input: Vec<u8>,
    output: Vec<u8>,
    wait: Option<Wait>,
    is_gone: bool,
}

/// Units by their names.
fn names(texts: &[String], manager: &Manager) -> Result<Vec<UnitName>, String> {
    let parse = |text: &String| {
        let name = UnitName::new(text).map_err(|error| format!("{text:?}: {error}"))?;
        if !manager.set().contains(&name) {
            return Err(format!("there is no unit {name}; `gci list` shows all"));
        }
        if name.is_template() {
            return Err(format!("{name} is a template: say which instance, {name}NAME"));
        }
        Ok(name)
    };
    if texts.is_empty() {
        return Err("say which units".into());
    }
    texts.iter().map(parse).collect()
}

impl Control {
    /// Listens at `path`. Unit files are in `folders`.
    pub fn listen(path: &Path, folders: Vec<PathBuf>) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(path)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o666))?;
        listener.set_nonblocking(true)?;
        Ok(Control { listener, clients: Vec::new(), folders, loading: None })
    }

    /// What to listen to.
    pub fn wanted(&self) -> Vec<Wanted> {
        let mut wanted = Vec::new();
        if self.clients.len() < MAX_CLIENTS {
            wanted.push(Wanted::read(self.listener.as_raw_fd()));
        }
        wanted.extend(self.loading.iter().map(|loading| Wanted::read(loading.done.as_raw_fd())));
        wanted.extend(self.clients.iter().map(|client| {
            let descriptor = client.stream.as_raw_fd();
            if client.output.is_empty() { Wanted::read(descriptor) } else { Wanted::write(descriptor) }
        }));
        wanted
    }

    /// Hears and answers. How the system is to end, where somebody asked for that.
    pub fn serve(&mut self, manager: &mut Manager) -> Option<Ending> {
        while self.clients.len() < MAX_CLIENTS
            && let Ok((stream, _)) = self.listener.accept()
        {
            let user = sys::peer_user(stream.as_raw_fd());
            if let (Ok(()), Ok(user)) = (stream.set_nonblocking(true), user) {
                self.clients.push(Client { stream, user, input: Vec::new(), output: Vec::new(), wait: None, is_gone: false });
            }
        }
        let is_loaded = self.take_loaded(manager);
        let mut ending = None;
        let mut clients = std::mem::take(&mut self.clients);
        for client in &mut clients {
            if let Some(request) = client.read() {
                match request {
                    Ok(request) => match self.handle(client, request, manager) {
                        Ok(end) => ending = ending.or(end),
                        Err(error) => client.answer(&Answer::error(error)),
                    },
                    Err(error) => client.answer(&Answer::error(error)),
                }
            }
            let answer = client.wait.as_ref().and_then(|wait| finished(wait, is_loaded, manager));
            if let Some(mut answer) = answer {
                client.wait = None;
                answer.notes.extend(manager.take_left_out());
                client.answer(&answer);
            }
            client.write();
        }
        clients.retain(|client| !client.is_gone);
        self.clients = clients;
        ending
    }

    fn handle(&mut self, client: &mut Client, request: Request, manager: &mut Manager) -> Result<Option<Ending>, String> {
        let is_question = matches!(request, Request::Status | Request::Plan { .. });
        if !is_question && client.user != 0 && client.user != sys::own_user() {
            return Err("only root may do that".into());
        }
        // Nobody else's.
        manager.take_left_out();
        match request {
            Request::Status => client.answer(&Answer { report: Some(manager.report()), ..Answer::default() }),
            Request::Plan { units } => {
                let roots = names(&units, manager)?;
                let plan = graph::start(manager.set(), &roots, &manager.active(), Strictness::LeaveOut).map_err(|error| error.to_string())?;
                let active = manager.active();
                let stops = plan.stops.iter().map(|name| format!("stop {name}"));
                let starts = plan.starts.iter().filter(|name| !active.contains(name)).map(|name| format!("start {name}"));
                let left_out = plan.left_out.iter().map(|(name, reason)| format!("leave out {name}: {reason}"));
                client.answer(&Answer { notes: stops.chain(starts).chain(left_out).collect(), ..Answer::default() });
            }
            Request::Start { units } => {
                let roots = names(&units, manager)?;
                manager.start(&roots, Strictness::Refuse).map_err(|error| error.to_string())?;
                client.wait = Some(Wait::Starts(roots));
            }
            Request::Stop { units } => {
                let roots = names(&units, manager)?;
                manager.stop(&roots);
                client.wait = Some(Wait::Stops(roots));
            }
            Request::Restart { units } => {
                let roots = names(&units, manager)?;
                manager.restart(&roots).map_err(|error| error.to_string())?;
                client.wait = Some(Wait::Starts(roots));
            }
            Request::Reload { units } => {
                for name in names(&units, manager)? {
                    manager.reload(&name)?;
                }
                client.answer(&Answer::default());
            }
            Request::Isolate { target } => {
                let roots = names(&[target], manager)?;
                if roots[0].kind() != Kind::Target {
                    return Err(format!("{} is no target", roots[0]));
                }
                manager.isolate(&roots[0], Strictness::LeaveOut).map_err(|error| error.to_string())?;
                client.wait = Some(Wait::Starts(roots));
            }
            Request::Load => {
                self.load().map_err(|error| format!("unit files cannot be read: {error}"))?;
                client.wait = Some(Wait::Load);
            }
            Request::Shutdown { ending } => {
                client.answer(&Answer::default());
                client.write();
                return Ok(Some(ending));
            }
        }
        Ok(None)
    }

    /// Reads the unit files, in a thread.
    fn load(&mut self) -> io::Result<()> {
        let (done, end) = sys::pipe()?;
        let (sender, loaded) = channel();
        let folders = self.folders.clone();
        std::thread::Builder::new().name("load".into()).stack_size(256 << 10).spawn(move || {
            // Nobody waits where another load has begun since.
            let _ = sender.send(Loaded::read(&folders));
            drop(end);
        })?;
        self.loading = Some(Loading { loaded, done });
        Ok(())
    }

    fn take_loaded(&mut self, manager: &mut Manager) -> bool {
        let loaded = self.loading.as_ref().and_then(|loading| loading.loaded.try_recv().ok());
        let is_loaded = loaded.is_some();
        if let Some(loaded) = loaded {
            self.loading = None;
            manager.take(loaded);
        }
        is_loaded
    }
}

/// The answer, where what it waits for has come.
fn finished(wait: &Wait, is_loaded: bool, manager: &Manager) -> Option<Answer> {
    match wait {
        Wait::Load => is_loaded.then(|| Answer { notes: manager.set().problems.iter().map(ToString::to_string).collect(), ..Answer::default() }),
        Wait::Stops(names) => (!names.iter().any(|name| manager.is_pending(name))).then(Answer::default),
        Wait::Starts(names) => {
            if names.iter().any(|name| manager.is_pending(name)) {
                return None;
            }
            let failed = names.iter().filter(|name| matches!(manager.outcome(name), Some(Outcome::Failed | Outcome::Skipped)));
            let failed: Vec<String> = failed.map(|name| manager.describe(name)).collect();
            Some(if failed.is_empty() { Answer::default() } else { Answer::error(failed.join("\n")) })
        }
    }
}

impl Client {
    /// A request, where one has come whole.
    fn read(&mut self) -> Option<Result<Request, String>> {
        let mut buffer = [0; 4096];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => {
                    self.is_gone = true;
                    break;
                }
                Ok(len) => self.input.extend_from_slice(&buffer[..len]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => {
                    self.is_gone = true;
                    break;
                }
            }
            if self.input.len() > MAX_REQUEST {
                self.is_gone = true;
                return None;
            }
        }
        // One after the other.
        if self.wait.is_some() || !self.output.is_empty() {
            return None;
        }
        let end = self.input.iter().position(|byte| *byte == b'\n')?;
        let line: Vec<u8> = self.input.drain(..=end).collect();
        Some(serde_json::from_slice(&line).map_err(|error| format!("this is no request: {error}")))
    }

    fn answer(&mut self, answer: &Answer) {
        if let Ok(text) = serde_json::to_vec(answer) {
            self.output.extend(text);
            self.output.push(b'\n');
        }
    }

    fn write(&mut self) {
        while !self.output.is_empty() {
            match self.stream.write(&self.output) {
                Ok(len) if len > 0 => drop(self.output.drain(..len)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                _ => {
                    self.is_gone = true;
                    return;
                }
            }
        }
    }
}
