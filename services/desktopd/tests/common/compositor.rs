//! A compositor that shows nothing: it answers as GDE does, keeps what it is asked, and does what a test wants.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use gde_ipc::{Answer, Event, Menu, Notice, Reason, Request, TrayButton, TrayItem};

/// How it behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// As GDE.
    Usual,
    /// Notices go before their number is told.
    ClosesAtOnce,
    /// It takes requests and does not answer.
    Hangs,
}

#[derive(Debug)]
struct State {
    manner: Manner,
    shown: Vec<(u32, Notice)>,
    last: u32,
    longest: usize,
    connections: Vec<UnixStream>,
    listeners: Vec<UnixStream>,
    is_alive: bool,
    /// With the number of the connection that has sent them.
    tray: Option<(usize, Vec<TrayItem>)>,
    menu: Option<Menu>,
}

impl State {
    fn tell(&mut self, event: &Event) {
        let line = serde_json::to_string(event).expect("JSON") + "\n";
        self.listeners.retain_mut(|it| it.write_all(line.as_bytes()).is_ok());
    }

    fn answer(&mut self, request: Request, connection: usize) -> Answer {
        match request {
            Request::ShowTray { items } => {
                self.tray = Some((connection, items));
                Answer::Done
            }
            Request::ShowMenu { menu } => {
                self.menu = Some(menu);
                Answer::Done
            }
            Request::Notify { notice, replaces } => {
                let old = self.shown.iter().position(|it| Some(it.0) == replaces);
                let id = match old {
                    Some(at) => {
                        self.shown[at].1 = notice;
                        self.shown[at].0
                    }
                    None => {
                        self.last += 1;
                        self.shown.push((self.last, notice));
                        self.last
                    }
                };
                if self.manner == Manner::ClosesAtOnce {
                    self.close(id, Reason::Expired);
                    // So that it is there first.
                    thread::sleep(Duration::from_millis(50));
                }
                Answer::Notified { id }
            }
            Request::CloseNotice { id } if self.close(id, Reason::Closed) => Answer::Done,
            Request::Environment => Answer::Environment { variables: [("WAYLAND_DISPLAY".to_owned(), "wayland-test".to_owned())].into() },
            other => Answer::Failed { problem: format!("not here: {other:?}") },
        }
    }

    fn close(&mut self, id: u32, reason: Reason) -> bool {
        let count = self.shown.len();
        self.shown.retain(|it| it.0 != id);
        self.tell(&Event::NoticeClosed { id, reason });
        self.shown.len() < count
    }
}

/// It.
#[derive(Debug, Clone)]
pub struct Fake {
    state: Arc<Mutex<State>>,
    path: PathBuf,
}

impl Fake {
    /// Listens at a path. Its first notice has the number after `last`.
    pub fn start(path: &Path, last: u32, manner: Manner) -> Self {
        let _ = std::fs::remove_file(path);
        let listener = UnixListener::bind(path).expect("a socket");
        let state = State { manner, shown: Vec::new(), last, longest: 0, connections: Vec::new(), listeners: Vec::new(), is_alive: true, tray: None, menu: None };
        let fake = Fake { state: Arc::new(Mutex::new(state)), path: path.to_owned() };
        let server = fake.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let mut state = server.lock();
                if !state.is_alive {
                    return;
                }
                state.connections.push(stream.try_clone().expect("a copy"));
                let (server, number) = (server.clone(), state.connections.len());
                thread::spawn(move || {
                    server.serve(stream, number);
                    // Pictures in the panel go with their connection.
                    server.lock().tray.take_if(|it| it.0 == number);
                });
            }
        });
        fake
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test has failed in there")
    }

    fn serve(&self, mut stream: UnixStream, number: usize) {
        let mut lines = BufReader::new(stream.try_clone().expect("a copy"));
        let mut line = String::new();
        while lines.read_line(&mut line).is_ok_and(|count| count > 0) {
            let mut state = self.lock();
            state.longest = state.longest.max(line.len());
            if state.manner == Manner::Hangs {
                line.clear();
                continue;
            }
            let request: Request = serde_json::from_str(&line).expect("a request");
            line.clear();
            let answer = if request == Request::Events { Answer::Done } else { state.answer(request.clone(), number) };
            let mut text = serde_json::to_string(&answer).expect("JSON") + "\n";
            if request == Request::Events {
                text += &(serde_json::to_string(&Event::Windows { windows: Vec::new(), workspace: 1 }).expect("JSON") + "\n");
                let _ = stream.write_all(text.as_bytes());
                state.listeners.push(stream);
                return;
            }
            let _ = stream.write_all(text.as_bytes());
        }
    }

    /// What is shown, the oldest first.
    pub fn shown(&self) -> Vec<(u32, Notice)> {
        self.lock().shown.clone()
    }

    /// The length of the longest request.
    pub fn longest(&self) -> usize {
        self.lock().longest
    }

    /// Whether somebody hears events.
    pub fn has_listeners(&self) -> bool {
        let mut state = self.lock();
        // One that is gone does not take this.
        state.tell(&Event::Windows { windows: Vec::new(), workspace: 1 });
        !state.listeners.is_empty()
    }

    /// A notice goes.
    pub fn close(&self, id: u32, reason: Reason) {
        assert!(self.lock().close(id, reason), "there is no notice {id}");
    }

    /// An action is chosen.
    pub fn act(&self, id: u32, action: &str) {
        let mut state = self.lock();
        state.tell(&Event::NoticeAction { id, action: action.to_owned(), token: format!("token-{id}") });
        state.close(id, Reason::Dismissed);
    }

    /// What is at the right of the panel.
    pub fn tray(&self) -> Vec<TrayItem> {
        self.lock().tray.as_ref().map(|it| it.1.clone()).unwrap_or_default()
    }

    /// The menu that is shown.
    pub fn menu(&self) -> Option<Menu> {
        self.lock().menu.clone()
    }

    /// Something is chosen from it, or not.
    pub fn close_menu(&self, item: Option<i32>) {
        let mut state = self.lock();
        let id = state.menu.take().expect("a menu").id;
        state.tell(&Event::MenuClosed { id, item });
    }

    /// Whether somebody shows something there.
    pub fn has_tray_owner(&self) -> bool {
        self.lock().tray.is_some()
    }

    /// Somebody clicks there.
    pub fn click(&self, id: u32, button: TrayButton, (x, y): (i32, i32)) {
        self.lock().tell(&Event::TrayClicked { id, button, x, y });
    }

    /// Who hears events is left out.
    pub fn drop_listeners(&self) {
        for listener in std::mem::take(&mut self.lock().listeners) {
            let _ = listener.shutdown(std::net::Shutdown::Both);
        }
    }

    /// It dies with all its connections.
    pub fn die(&self) {
        let mut state = self.lock();
        state.is_alive = false;
        for connection in state.connections.drain(..) {
            let _ = connection.shutdown(std::net::Shutdown::Both);
        }
        drop(state);
        // The thread that listens looks whether it is to go on.
        let _ = UnixStream::connect(&self.path);
        let _ = std::fs::remove_file(&self.path);
    }
}
