//! Xwayland is started when the first program connects, and again after its end.

use std::io::{self, Read};
use std::net::Shutdown;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command as Process, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use smithay::reexports::calloop::channel::{self, Sender};
use smithay::reexports::calloop::generic::Generic;
use smithay::reexports::calloop::timer::{TimeoutAction, Timer};
use smithay::reexports::calloop::{Interest, Mode, PostAction, RegistrationToken};
use smithay::reexports::wayland_server::backend::DisconnectReason;
use smithay::reexports::wayland_server::{Client, Resource};
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;

use super::message::Command;
use super::sockets::Display;
use crate::state::{ClientState, Gde};

/// The X server.
const PROGRAM: &str = "Xwayland";
/// One that lives no longer is not started again at once.
const SHORT: Duration = Duration::from_secs(5);
/// It is started again after this time at the latest.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// So much may wait to be heard from the window manager's thread; then it waits.
const QUEUE: usize = 64;
/// For the window manager's thread, which has a part of what is pasted on it.
const STACK: usize = 512 << 10;

/// Xwayland while it runs.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// What it is for the compositor.
    pub(super) client: Client,
    commands: Sender<Command>,
    /// The window manager's connection, by which its thread is woken up at the end.
    socket: UnixStream,
    /// What the window manager's thread has done, and what it was told to do.
    handled: Arc<AtomicU64>,
    told: u64,
    watch: Option<RegistrationToken>,
    sources: Vec<RegistrationToken>,
    began: Instant,
}

impl Drop for Server {
    fn drop(&mut self) {
        // Each may be gone already. The thread is not waited for.
        let _ = self.socket.shutdown(Shutdown::Both);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Gde {
    /// Begins to listen for X11 programs; what they find us by, for `DISPLAY`. None where Xwayland is not installed.
    ///
    /// # Errors
    /// Where no display is free.
    pub fn serve_x11(&mut self) -> anyhow::Result<Option<String>> {
        if !crate::actions::is_program(PROGRAM) {
            return Ok(None);
        }
        let display = Display::take().context("taking a display for X11 programs")?;
        let name = display.name();
        self.x11.display = Some(display);
        self.listen_for_x11()?;
        Ok(Some(name))
    }

    /// The process of Xwayland, while it runs.
    pub fn x11_process(&self) -> Option<u32> {
        self.x11.server.as_ref().map(|server| server.child.id())
    }

    /// Starts Xwayland when a program connects.
    fn listen_for_x11(&mut self) -> anyhow::Result<()> {
        let Some(display) = &self.x11.display else { return Ok(()) };
        for listener in &display.listeners {
            let source = Generic::new(listener.try_clone().context("watching a display")?, Interest::READ, Mode::Level);
            // All such sources go when one of them has something.
            let added = self.events.insert_source(source, |_, _, gde| {
                gde.x11_wanted();
                Ok(PostAction::Continue)
            });
            self.x11.listeners.push(added.map_err(|error| anyhow::anyhow!("waiting for X11 programs: {error}"))?);
        }
        Ok(())
    }

    fn x11_wanted(&mut self) {
        for token in std::mem::take(&mut self.x11.listeners) {
            self.events.remove(token);
        }
        if self.x11.server.is_some() {
            return;
        }
        let began = Instant::now();
        if let Err(error) = self.start_x11() {
            self.end_x11(&format!("it cannot be started: {error:#}"), began);
        }
    }

    fn start_x11(&mut self) -> anyhow::Result<()> {
        let screen = self.x11.display.as_ref().context("there is no display")?;
        let (wayland, their_wayland) = UnixStream::pair().context("making sockets")?;
        let (manager, their_manager) = UnixStream::pair().context("making sockets")?;
        let (log, their_log) = UnixStream::pair().context("making sockets")?;
        log.set_nonblocking(true)?;
        let kept: Vec<i32> = screen.listeners.iter().map(AsRawFd::as_raw_fd).chain([their_wayland.as_raw_fd(), their_manager.as_raw_fd()]).collect();
        let mut process = Process::new(PROGRAM);
        // Without -shm it looks for a graphics card first, which we do not offer; it ends when the window manager and all programs have gone.
        process.arg(screen.name()).args(["-rootless", "-shm", "-terminate", "-wm"]).arg(their_manager.as_raw_fd().to_string());
        for listener in &screen.listeners {
            process.arg("-listenfd").arg(listener.as_raw_fd().to_string());
        }
        process.env_clear();
        process.envs(std::env::vars_os().filter(|(name, _)| name == "PATH" || name == "XDG_RUNTIME_DIR"));
        process.env("WAYLAND_SOCKET", their_wayland.as_raw_fd().to_string());
        process.stdin(Stdio::null()).stdout(Stdio::null()).stderr(OwnedFd::from(their_log)).process_group(0);
        // SAFETY: what is called after fork changes the mask of signals and flags of descriptors only.
        unsafe {
            process.pre_exec(move || {
                crate::sys::release_signals()?;
                kept.iter().try_for_each(|fd| crate::sys::keep_over_exec(*fd))
            });
        }
        let name = screen.name();
        let child = process.spawn().with_context(|| format!("starting {PROGRAM}"))?;
        // What only it may hold is closed here, so that its end is seen.
        drop((process, their_wayland, their_manager));
        let client = self.display.insert_client(wayland, Arc::new(ClientState::default())).context("adding it as a client")?;
        let (commands, theirs) = channel::channel();
        let (out, events) = channel::sync_channel(QUEUE);
        let handled = Arc::new(AtomicU64::new(0));
        let began = Instant::now();
        // The beginning is the first thing that the window manager has to do.
        let mut server = Server { child, client, commands, socket: manager.try_clone()?, handled: Arc::clone(&handled), told: 1, watch: None, sources: Vec::new(), began };
        let idle = self.x11.idle;
        let work = move || super::wm::run(manager, theirs, &out, handled, idle);
        std::thread::Builder::new().name("x11".into()).stack_size(STACK).spawn(work).context("starting the window manager")?;
        let added = self.events.insert_source(events, |event, (), gde| {
            if let channel::Event::Msg(event) = event {
                gde.x11_event(event);
            }
        });
        server.sources.push(added.map_err(|error| anyhow::anyhow!("waiting for the window manager: {error}"))?);
        let added = self.events.insert_source(Generic::new(log, Interest::READ, Mode::Level), |_, log, gde| {
            if is_at_end(log) {
                gde.x11_over("Xwayland has ended");
            }
            Ok(PostAction::Continue)
        });
        server.sources.push(added.map_err(|error| anyhow::anyhow!("watching it: {error}"))?);
        tracing::info!("Xwayland is started for X11 programs on {name}");
        self.x11.server = Some(server);
        self.watch_x11();
        Ok(())
    }

    /// Tells the window manager something, where X11 programs run.
    pub fn tell_x11(&mut self, command: Command) {
        let Some(server) = &mut self.x11.server else { return };
        server.told += 1;
        // Where it has ended, we hear of that.
        let _ = server.commands.send(command);
        self.watch_x11();
    }

    /// Sees to it that what the window manager was told is done within some time.
    fn watch_x11(&mut self) {
        let patience = self.x11.patience;
        let Some(server) = &mut self.x11.server else { return };
        if server.watch.is_some() {
            return;
        }
        let mut expected = server.told;
        let added = self.events.insert_source(Timer::from_duration(patience), move |_, (), gde| {
            let Some(server) = &mut gde.x11.server else { return TimeoutAction::Drop };
            let handled = server.handled.load(Ordering::Acquire);
            if handled < expected {
                // The source goes with the server.
                gde.x11_over("it does not answer any more");
                gde.tell("X11 programs did not answer any more", "They were ended.");
                return TimeoutAction::Drop;
            }
            if handled < server.told {
                expected = server.told;
                return TimeoutAction::ToDuration(patience);
            }
            server.watch = None;
            TimeoutAction::Drop
        });
        match added {
            Ok(token) => server.watch = Some(token),
            Err(error) => tracing::warn!("watching Xwayland: {error}"),
        }
    }

    /// Xwayland has ended, or is ended now.
    pub(super) fn x11_over(&mut self, reason: &str) {
        let Some(mut server) = self.x11.server.take() else { return };
        for token in server.sources.drain(..).chain(server.watch.take()) {
            self.events.remove(token);
        }
        self.display.backend_handle().kill_client(server.client.id(), DisconnectReason::ConnectionClosed);
        let began = server.began;
        drop(server);
        self.x11_windows_gone();
        self.x11_paste_gone();
        self.end_x11(reason, began);
    }

    /// Waits for programs again: at once, or after a pause where it has ended soon after its beginning.
    fn end_x11(&mut self, reason: &str, began: Instant) {
        self.x11.failures = if began.elapsed() < SHORT { self.x11.failures + 1 } else { 0 };
        let pause = match self.x11.failures {
            0 => Duration::ZERO,
            failures => Duration::from_secs(1 << (failures - 1).min(6)).min(LONGEST_PAUSE),
        };
        tracing::info!("X11 programs: {reason}; the next one is served in {} s", pause.as_secs());
        let added = self.events.insert_source(Timer::from_duration(pause), |_, (), gde| {
            if let Err(error) = gde.listen_for_x11() {
                tracing::warn!("X11 programs are not served any more: {error:#}");
            }
            TimeoutAction::Drop
        });
        if let Err(error) = added {
            tracing::warn!("X11 programs are not served any more: {error}");
        }
    }

    /// Whether a surface is one of Xwayland's.
    pub fn is_x11(&self, surface: &WlSurface) -> bool {
        let Some(server) = &self.x11.server else { return false };
        surface.client().is_some_and(|client| client.id() == server.client.id())
    }
}

/// Logs what Xwayland says; whether it has ended.
fn is_at_end(mut log: &UnixStream) -> bool {
    let mut buffer = [0; 2048];
    match log.read(&mut buffer) {
        Ok(0) => true,
        Ok(count) => {
            for line in String::from_utf8_lossy(&buffer[..count]).lines() {
                tracing::debug!("Xwayland: {line}");
            }
            false
        }
        Err(error) => !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted),
    }
}
