//! The window manager of X11 programs, on a thread of its own: whoever asks the X server something waits as long as that is busy with its
//! programs, or hangs. The desktop does not: it tells this thread what to do, and hears what programs want.
//!
//! * [`facts`]: what programs say of their windows.
//! * [`windows`]: windows appear, change and go.
//! * [`selection`]: copy and paste, both ways.

mod atoms;
mod facts;
mod selection;
mod windows;

use std::collections::HashMap;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use smithay::reexports::calloop::channel::{self, Channel, SyncSender};
use smithay::reexports::calloop::generic::Generic;
use smithay::reexports::calloop::{EventLoop, Interest, LoopHandle, Mode, PostAction};
use smithay::wayland::selection::SelectionTarget;
use x11rb::connection::{Connection, RequestConnection};
use x11rb::protocol::composite::{self, ConnectionExt as _, Redirect};
use x11rb::protocol::res::{self, ConnectionExt as _};
use x11rb::protocol::xfixes::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{AtomEnum, ChangeWindowAttributesAux, ConnectionExt as _, CreateWindowAux, EventMask, PropMode, WindowClass};
use x11rb::rust_connection::{DefaultStream, RustConnection};
use x11rb::wrapper::ConnectionExt as _;

use crate::x11::message::{Command, Event, XWindow};
use atoms::Atoms;
use selection::Selection;
use windows::Known;

/// The window manager.
struct Wm {
    conn: RustConnection,
    atoms: Atoms,
    root: XWindow,
    /// Ours, by which programs see that there is a window manager.
    own: XWindow,
    out: SyncSender<Event>,
    events: LoopHandle<'static, Wm>,
    windows: HashMap<XWindow, Known>,
    /// Managed windows that are shown, in the order in which they appeared.
    list: Vec<XWindow>,
    focus: Option<XWindow>,
    clipboard: Selection,
    primary: Selection,
    handled: Arc<AtomicU64>,
    is_over: bool,
}

/// Manages the windows of the server at the other end of a socket until that or the desktop is gone. For each command that is done, and
/// once for the beginning, `handled` is one more. When no program has been there for as long as `idle`, it says so.
pub fn run(socket: UnixStream, commands: Channel<Command>, out: &SyncSender<Event>, handled: Arc<AtomicU64>, idle: Duration) {
    let reason = match manage(socket, commands, out, handled, idle) {
        Ok(()) => "the desktop has ended it".to_owned(),
        Err(error) => format!("{error:#}"),
    };
    // Nobody hears it where the desktop has gone.
    let _ = out.send(Event::Ended(reason));
}

fn manage(socket: UnixStream, commands: Channel<Command>, out: &SyncSender<Event>, handled: Arc<AtomicU64>, idle: Duration) -> Result<()> {
    let readable = socket.try_clone().context("watching the X server")?;
    let stream = DefaultStream::from_unix_stream(socket).context("connecting to the X server")?.0;
    // The server answers when it is ready.
    let conn = RustConnection::connect_to_stream(stream, 0).context("connecting to the X server")?;
    let mut events: EventLoop<'static, Wm> = EventLoop::try_new().context("making an event loop")?;
    let handle = events.handle();
    let source = Generic::new(readable, Interest::READ, Mode::Level);
    // What has come is read after each turn of the loop.
    handle.insert_source(source, |_, _, _| Ok(PostAction::Continue)).map_err(|error| anyhow::anyhow!("waiting for the X server: {error}"))?;
    let added = handle.insert_source(commands, |event, (), wm: &mut Wm| match event {
        channel::Event::Msg(command) => wm.command(command),
        channel::Event::Closed => wm.is_over = true,
    });
    added.map_err(|error| anyhow::anyhow!("waiting for the desktop: {error}"))?;
    let mut wm = Wm::new(conn, out.clone(), handle, handled)?;
    wm.say(Event::Ready);
    wm.handled.fetch_add(1, Ordering::Release);
    loop {
        wm.handle_events()?;
        if wm.is_over {
            return Ok(());
        }
        let patience = wm.windows.is_empty().then_some(idle);
        let before = std::time::Instant::now();
        events.dispatch(patience, &mut wm).context("waiting for the X server")?;
        if patience.is_some_and(|patience| before.elapsed() >= patience) && wm.is_alone()? {
            wm.say(Event::Idle);
        }
    }
}

impl Wm {
    /// Becomes the window manager of a server.
    fn new(conn: RustConnection, out: SyncSender<Event>, events: LoopHandle<'static, Wm>, handled: Arc<AtomicU64>) -> Result<Wm> {
        let atoms = Atoms::new(&conn)?.reply().context("asking the X server for names")?;
        for extension in [composite::X11_EXTENSION_NAME, xfixes::X11_EXTENSION_NAME] {
            ensure!(conn.extension_information(extension)?.is_some(), "the X server has no {extension}");
        }
        conn.xfixes_query_version(5, 0)?.reply()?;
        let screen = &conn.setup().roots[0];
        let (root, depth, visual) = (screen.root, screen.root_depth, screen.root_visual);
        let mask = EventMask::SUBSTRUCTURE_REDIRECT | EventMask::SUBSTRUCTURE_NOTIFY;
        conn.change_window_attributes(root, &ChangeWindowAttributesAux::new().event_mask(mask))?.check().context("becoming the window manager")?;
        conn.composite_redirect_subwindows(root, Redirect::MANUAL)?.check().context("having windows drawn apart")?;
        let own = conn.generate_id()?;
        conn.create_window(depth, own, root, -1, -1, 1, 1, 0, WindowClass::INPUT_OUTPUT, visual, &CreateWindowAux::new())?;
        for (window, name) in [(root, atoms._NET_SUPPORTING_WM_CHECK), (own, atoms._NET_SUPPORTING_WM_CHECK)] {
            conn.change_property32(PropMode::REPLACE, window, name, AtomEnum::WINDOW, &[own])?;
        }
        conn.change_property8(PropMode::REPLACE, own, atoms._NET_WM_NAME, atoms.UTF8_STRING, b"GDE")?;
        let supported = [
            atoms._NET_SUPPORTED,
            atoms._NET_SUPPORTING_WM_CHECK,
            atoms._NET_ACTIVE_WINDOW,
            atoms._NET_CLIENT_LIST,
            atoms._NET_CLIENT_LIST_STACKING,
            atoms._NET_CLOSE_WINDOW,
            atoms._NET_FRAME_EXTENTS,
            atoms._NET_WM_MOVERESIZE,
            atoms._NET_WM_NAME,
            atoms._NET_WM_STATE,
            atoms._NET_WM_STATE_FOCUSED,
            atoms._NET_WM_STATE_FULLSCREEN,
            atoms._NET_WM_STATE_HIDDEN,
            atoms._NET_WM_STATE_MAXIMIZED_HORZ,
            atoms._NET_WM_STATE_MAXIMIZED_VERT,
            atoms._NET_WM_WINDOW_TYPE,
        ];
        conn.change_property32(PropMode::REPLACE, root, atoms._NET_SUPPORTED, AtomEnum::ATOM, &supported)?;
        let clipboard = Selection::new(&conn, SelectionTarget::Clipboard, atoms.CLIPBOARD)?;
        let primary = Selection::new(&conn, SelectionTarget::Primary, AtomEnum::PRIMARY.into())?;
        // The server serves programs from here on.
        for name in [atoms._NET_WM_CM_S0, atoms.WM_S0] {
            conn.set_selection_owner(own, name, x11rb::CURRENT_TIME)?;
        }
        let mut wm = Wm {
            conn,
            atoms,
            root,
            own,
            out,
            events,
            windows: HashMap::new(),
            list: Vec::new(),
            focus: None,
            clipboard,
            primary,
            handled,
            is_over: false,
        };
        wm.show_lists(&[])?;
        wm.show_focus()?;
        wm.conn.flush()?;
        Ok(wm)
    }

    /// Tells the desktop something. It waits where the desktop has much to do; where that has ended, so does this thread.
    fn say(&mut self, event: Event) {
        if self.out.send(event).is_err() {
            self.is_over = true;
        }
    }

    /// Whether no program is connected but this one.
    fn is_alone(&self) -> Result<bool> {
        if self.conn.extension_information(res::X11_EXTENSION_NAME)?.is_none() {
            return Ok(false);
        }
        // The server itself is among them, with the numbers from 0.
        let own = self.conn.setup().resource_id_base;
        let clients = self.conn.res_query_clients()?.reply()?.clients;
        Ok(clients.iter().all(|client| client.resource_base == 0 || client.resource_base == own))
    }

    /// Does what the desktop says. What cannot be done any more, as the window is gone, is no matter; that the server is gone is seen by
    /// reading from it.
    fn command(&mut self, command: Command) {
        let done = match command {
            Command::Place(window, rect, title) => self.place(window, rect, title),
            Command::States(window, states) => self.set_states(window, states),
            Command::Focus(window) => self.set_focus(window),
            Command::Close(window) => self.close(window),
            Command::Stack(order) => self.stack(&order),
            Command::Offer(target, forms) => self.offer(target, forms),
            Command::Receive(target, form, to) => self.receive(target, &form, to),
        };
        if let Err(error) = done {
            tracing::debug!("telling the X server: {error:#}");
        }
        self.handled.fetch_add(1, Ordering::Release);
    }

    /// Does everything about what has come from the server.
    fn handle_events(&mut self) -> Result<()> {
        loop {
            while let Some(event) = self.conn.poll_for_event().context("hearing the X server")? {
                self.handle_event(event)?;
                if self.is_over {
                    return Ok(());
                }
            }
            if !self.refresh_facts()? {
                self.conn.flush().context("telling the X server")?;
                return Ok(());
            }
        }
    }
}
