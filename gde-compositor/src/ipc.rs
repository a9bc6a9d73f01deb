//! Other programs' requests, and events for them. None of them can hold the desktop up: who does not read is left out.

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use anyhow::Context;
use gde_ipc::{Answer, Event, Output, Reason, Request, Window, Workspace};
use gde_layout::Mode;
use smithay::reexports::calloop::generic::Generic;
use smithay::reexports::calloop::{Interest, Mode as Trigger, PostAction};

use crate::actions::part_of;
use crate::state::Gde;

/// The longest request.
const LONGEST: usize = 64 << 10;
/// How much may wait for a client that does not read.
const MOST: usize = 1 << 20;

/// Who hears events.
#[derive(Debug, Default)]
pub struct Ipc {
    listeners: Vec<UnixStream>,
    askers: u64,
    socket: Option<PathBuf>,
}

impl Drop for Ipc {
    fn drop(&mut self) {
        if let Some(path) = &self.socket {
            // It may be gone already.
            let _ = fs::remove_file(path);
        }
    }
}

/// A program that asks.
struct Asker {
    stream: UnixStream,
    number: u64,
    input: Vec<u8>,
    output: Vec<u8>,
}

fn one_mode(mode: crate::backend::DisplayMode) -> gde_ipc::Mode {
    gde_ipc::Mode { width: mode.width, height: mode.height, refresh_mhz: mode.refresh_mhz, is_preferred: mode.is_preferred }
}

impl Gde {
    /// Listens for other programs at a path.
    ///
    /// # Errors
    /// Those of making the socket.
    pub fn listen(&mut self, path: &Path) -> anyhow::Result<()> {
        // What a predecessor left behind.
        let _ = fs::remove_file(path);
        let listener = UnixListener::bind(path).with_context(|| format!("listening at {}", path.display()))?;
        listener.set_nonblocking(true)?;
        self.ipc.socket = Some(path.to_owned());
        let source = Generic::new(listener, Interest::READ, Trigger::Level);
        let added = self.events.insert_source(source, |_, listener, gde| {
            while let Ok((stream, _)) = listener.accept() {
                gde.add_asker(stream);
            }
            Ok(PostAction::Continue)
        });
        added.map(drop).map_err(|error| anyhow::anyhow!("waiting for programs: {error}"))
    }

    /// Answers a program at the other end of a socket.
    pub fn add_asker(&mut self, stream: UnixStream) {
        if stream.set_nonblocking(true).is_err() {
            return;
        }
        let Ok(watched) = stream.try_clone() else { return };
        self.ipc.askers += 1;
        let mut asker = Asker { stream, number: self.ipc.askers, input: Vec::new(), output: Vec::new() };
        let source = Generic::new(watched, Interest::READ, Trigger::Level);
        let added = self.events.insert_source(source, move |_, _, gde| {
            if gde.serve(&mut asker) {
                return Ok(PostAction::Continue);
            }
            gde.tray_owner_gone(asker.number);
            gde.menu_owner_gone(asker.number);
            gde.lesson_owner_gone(asker.number);
            Ok(PostAction::Remove)
        });
        if let Err(error) = added {
            tracing::warn!("waiting for a program: {error}");
        }
    }

    /// Reads and answers; whether the program is still to be served.
    fn serve(&mut self, asker: &mut Asker) -> bool {
        let mut buffer = [0; 4096];
        match asker.stream.read(&mut buffer) {
            Ok(0) => return false,
            Ok(count) => asker.input.extend(&buffer[..count]),
            Err(error) => return error.kind() == io::ErrorKind::WouldBlock || error.kind() == io::ErrorKind::Interrupted,
        }
        while let Some(end) = asker.input.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = asker.input.drain(..=end).collect();
            let request = serde_json::from_slice::<Request>(&line);
            if let Ok(Request::Events) = request {
                return self.add_listener(asker);
            }
            let answer = match request {
                Ok(request) => self.answer(request, asker.number),
                Err(error) => Answer::Failed { problem: format!("that is no request: {error}") },
            };
            if let Ok(mut bytes) = serde_json::to_vec(&answer) {
                bytes.push(b'\n');
                asker.output.extend(bytes);
            }
        }
        // Answers are short, and a socket takes more than one of them: who asks on without reading is not served any more.
        while !asker.output.is_empty() {
            match asker.stream.write(&asker.output) {
                Ok(count) => drop(asker.output.drain(..count)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
        asker.input.len() <= LONGEST && asker.output.len() <= MOST
    }

    fn add_listener(&mut self, asker: &mut Asker) -> bool {
        let Ok(mut stream) = asker.stream.try_clone() else { return false };
        let first = [serde_json::to_vec(&Answer::Done).unwrap_or_default(), serde_json::to_vec(&self.windows_event()).unwrap_or_default()];
        let text: Vec<u8> = first.into_iter().flat_map(|mut line| {
            line.push(b'\n');
            line
        }).collect();
        if stream.write_all(&text).is_ok() {
            self.ipc.listeners.push(stream);
        }
        // What it says from now on is not listened to.
        false
    }

    fn windows_event(&self) -> Event {
        Event::Windows { windows: self.list_windows(), workspace: self.layout.active() + 1 }
    }

    /// Tells listeners what the windows are now.
    pub fn windows_changed(&mut self) {
        if !self.ipc.listeners.is_empty() {
            let event = self.windows_event();
            self.tell_listeners(&event);
        }
    }

    /// Tells listeners what has happened.
    pub fn tell_listeners(&mut self, event: &Event) {
        let Ok(mut line) = serde_json::to_vec(event) else { return };
        line.push(b'\n');
        // A part of a line would be nonsense to its reader: who cannot take all of it now is left out.
        self.ipc.listeners.retain_mut(|stream| matches!(stream.write(&line), Ok(count) if count == line.len()));
    }

    fn answer(&mut self, request: Request, asker: u64) -> Answer {
        match request {
            Request::Windows => Answer::Windows { windows: self.list_windows() },
            Request::Workspaces => Answer::Workspaces { workspaces: self.list_workspaces() },
            Request::Outputs => Answer::Outputs { outputs: self.list_outputs() },
            Request::Action { action } => match self.act(&action) {
                Ok(()) => Answer::Done,
                Err(problem) => Answer::Failed { problem },
            },
            Request::Mode { output, width, height } => match self.set_mode(&output, desktop_settings::Size { width, height }) {
                Ok(()) => Answer::Done,
                Err(problem) => Answer::Failed { problem },
            },
            Request::Screen { output, scale_percent, is_on } => match self.set_screen(&output, scale_percent, is_on) {
                Ok(()) => Answer::Done,
                Err(problem) => Answer::Failed { problem },
            },
            Request::Screenshot { output, path } => self.screenshot(output.as_deref(), &path).unwrap_or_else(|error| Answer::Failed { problem: format!("{error:#}") }),
            Request::Events => Answer::Done,
            Request::Notify { notice, replaces } => Answer::Notified { id: self.notify(notice, replaces) },
            Request::CloseNotice { id } if self.close_notice(id, Reason::Closed) => Answer::Done,
            Request::CloseNotice { id } => Answer::Failed { problem: format!("there is no notice {id}") },
            Request::Notices => Answer::Notices { titles: self.notices.seen().into_iter().map(|it| it.1.to_owned()).collect() },
            Request::ShowTray { items } => match self.set_tray(items, asker) {
                Ok(()) => Answer::Done,
                Err(problem) => Answer::Failed { problem },
            },
            Request::ShowMenu { menu } => match self.show_menu(menu, asker) {
                Ok(()) => Answer::Done,
                Err(problem) => Answer::Failed { problem },
            },
            Request::Tray => Answer::Tray { titles: self.tray.titles() },
            Request::QuickSettings => Answer::QuickSettings { controls: self.list_quick() },
            Request::Lesson { lesson } => match self.begin_lesson(lesson, asker) {
                Ok(lesson) => Answer::Lesson { lesson },
                Err(problem) => Answer::Failed { problem },
            },
            Request::Habits => Answer::Habits { habits: self.list_habits() },
            Request::ForgetHabits { app } => match self.forget_habits(app.as_deref()) {
                Ok(()) => Answer::Done,
                Err(problem) => Answer::Failed { problem },
            },
            Request::Environment => {
                // What is no text cannot be told.
                let variables = self.environment.iter().filter_map(|(name, value)| Some((name.clone(), value.to_str()?.to_owned())));
                Answer::Environment { variables: variables.collect() }
            }
        }
    }

    fn screenshot(&mut self, name: Option<&str>, path: &Path) -> anyhow::Result<Answer> {
        let screen = self.screens.iter().find(|screen| name.is_none_or(|name| screen.output.name() == name));
        let output = screen.map(|screen| screen.output.clone()).with_context(|| format!("there is no screen {}", name.unwrap_or("at all")))?;
        anyhow::ensure!(!self.lock.is_locked, "the session is locked");
        let picture = self.picture_of(&output, true).context("it cannot be drawn")?;
        let bytes: Vec<u8> = picture.pixels().iter().flat_map(|pixel| pixel.to_le_bytes()).collect();
        // Only into a file that the asker has made: not a new one, in our name.
        let mut file = fs::File::options().write(true).open(path).with_context(|| format!("opening {}", path.display()))?;
        file.write_all(&bytes).with_context(|| format!("writing {}", path.display()))?;
        Ok(Answer::Screenshot { width: picture.width(), height: picture.height() })
    }

    fn list_windows(&self) -> Vec<Window> {
        let focus = self.layout.focus();
        let stack = self.layout.stack().iter().rev();
        let window = |id: &u64| {
            let (it, place) = self.window_and_place(*id)?;
            let frame = self.layout.frame(*id)?;
            let (title, app_id) = it.names();
            Some(Window {
                id: *id,
                title,
                app_id,
                x: frame.x,
                y: frame.y,
                width: frame.w,
                height: frame.h,
                workspace: place.workspace + 1,
                part: part_of(place.state),
                is_focused: focus == Some(*id),
                is_visible: self.layout.is_visible(*id),
                is_minimized: place.is_minimized,
                is_sticky: place.is_sticky,
            })
        };
        stack.filter_map(window).collect()
    }

    fn list_workspaces(&self) -> Vec<Workspace> {
        let count = |workspace| self.layout.windows().filter(|it| self.layout.place(it.number()).is_some_and(|place| place.workspace == workspace)).count();
        let one = |workspace| Workspace {
            number: workspace + 1,
            is_active: workspace == self.layout.active(),
            is_tiled: self.layout.mode(workspace) == Mode::Tiling,
            windows: count(workspace),
        };
        (0..gde_layout::WORKSPACES).map(one).collect()
    }

    fn list_outputs(&self) -> Vec<Output> {
        let one = |output: &smithay::output::Output, frames: Option<u64>| {
            let location = output.current_location();
            let mode = output.current_mode();
            let size = mode.map(|mode| mode.size).unwrap_or_default();
            Output {
                name: output.name(),
                x: location.x,
                y: location.y,
                width: size.w,
                height: size.h,
                refresh_mhz: mode.map_or(0, |mode| mode.refresh),
                scale: output.current_scale().fractional_scale(),
                frames: frames.unwrap_or(0),
                modes: self.backend.modes(output).into_iter().map(one_mode).collect(),
                is_on: frames.is_some(),
            }
        };
        let on = self.screens.iter().map(|screen| one(&screen.output, Some(screen.frames)));
        on.chain(self.dark.iter().map(|output| one(output, None))).collect()
    }
}
