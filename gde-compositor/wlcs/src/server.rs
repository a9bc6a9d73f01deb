//! The compositor, on a thread of its own, and what it is told.

use std::collections::HashMap;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::mpsc::{Sender as Answer, channel as answers};
use std::thread::JoinHandle;
use std::time::Duration;

use gde_compositor::backend::{Backend, headless};
use gde_compositor::clock::Clock;
use gde_compositor::input::Input;
use gde_compositor::state::ClientState;
use gde_compositor::{Gde, server};
use gde_layout::Rect;
use gde_raster::Kernels;
use smithay::reexports::calloop::EventLoop;
use smithay::reexports::calloop::channel::{Channel, Event, Sender, channel};
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::reexports::wayland_server::{Client, Display};
use smithay::wayland::compositor::with_states;
use smithay::wayland::shell::wlr_layer::{Anchor, LayerSurfaceCachedState, Margins};

/// The screen. Parts of its sides are exact: a place goes through [`Input::Position`] without a loss.
const SIZE: (i32, i32) = (2048, 1024);
/// Nothing that is told takes as long.
const LIMIT: Duration = Duration::from_secs(20);

/// Tells that something is done.
pub type Done = Answer<()>;

/// Something that wlcs wants.
pub enum Order {
    /// A client comes, whose own end has this descriptor.
    Connect { stream: UnixStream, fd: RawFd, done: Done },
    /// The window of a client's surface is to be at a place.
    Position { fd: RawFd, surface: u32, at: (i32, i32), done: Done },
    /// The pointer is to be at a place.
    PointAt { x: f64, y: f64, done: Done },
    /// Somebody does something.
    Input { input: Input, done: Done },
    /// It ends.
    Stop,
}

/// Where orders go.
#[derive(Clone, Default)]
pub struct Orders(Option<Sender<Order>>);

impl Orders {
    /// Has something done, and waits for it.
    pub fn tell(&self, order: impl FnOnce(Done) -> Order) {
        let (done, wait) = answers();
        let is_sent = self.0.as_ref().is_some_and(|orders| orders.send(order(done)).is_ok());
        if is_sent && wait.recv_timeout(LIMIT).is_err() {
            eprintln!("GDE does not do what it is told");
        }
    }
}

/// A compositor.
#[derive(Default)]
pub struct Server {
    orders: Orders,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts it.
    pub fn start(&mut self) {
        let (orders, theirs) = channel();
        self.orders = Orders(Some(orders));
        self.thread = Some(std::thread::spawn(move || run(theirs)));
    }

    /// Ends it, and waits for that.
    pub fn stop(&mut self) {
        if let Some(orders) = self.orders.0.take() {
            // It may have ended by itself.
            let _ = orders.send(Order::Stop);
        }
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            eprintln!("GDE has panicked");
        }
    }

    /// A client's end of a new connection.
    pub fn connect(&self) -> Option<OwnedFd> {
        let (ours, theirs) = UnixStream::pair().ok()?;
        let fd = theirs.as_raw_fd();
        self.tell(|done| Order::Connect { stream: ours, fd, done });
        Some(theirs.into())
    }

    /// Has something done, and waits for it.
    pub fn tell(&self, order: impl FnOnce(Done) -> Order) {
        self.orders.tell(order);
    }

    /// Where orders go.
    pub fn orders(&self) -> Orders {
        self.orders.clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

fn run(orders: Channel<Order>) {
    let mut events: EventLoop<'static, Gde> = EventLoop::try_new().expect("an event loop can be made");
    let display: Display<Gde> = Display::new().expect("a display can be made");
    let backend = Backend::Headless(headless::Headless::default());
    let mut gde = Gde::new(&display, events.handle(), Clock::system(), backend, Kernels::best()).expect("xkb-data is installed");
    server::serve(display, &events).expect("clients can be waited for");
    gde.panel.is_shown = false;
    gde.has_animations = false;
    gde.add_screen("WLCS-1", SIZE, 60_000, (0, 0), 1.0);
    gde.headless_frames = Some(Box::new(headless::pace));
    let mut clients = HashMap::new();
    let added = events.handle().insert_source(orders, move |event, (), gde| match event {
        Event::Msg(order) => obey(gde, order, &mut clients),
        Event::Closed => gde.is_stopping = true,
    });
    added.expect("orders can be waited for");
    if let Err(error) = server::run(&mut events, &mut gde) {
        eprintln!("GDE: {error:#}");
    }
}

fn obey(gde: &mut Gde, order: Order, clients: &mut HashMap<RawFd, Client>) {
    let done = match order {
        Order::Connect { stream, fd, done } => {
            match gde.display.insert_client(stream, Arc::new(ClientState::default())) {
                Ok(client) => drop(clients.insert(fd, client)),
                Err(error) => eprintln!("a client cannot be added: {error}"),
            }
            done
        }
        Order::Position { fd, surface, at, done } => {
            if let Some(client) = clients.get(&fd) {
                position(gde, client, surface, at);
            }
            done
        }
        Order::PointAt { x, y, done } => {
            let now = gde.clock.now();
            gde.input(Input::Position { x: x / f64::from(SIZE.0), y: y / f64::from(SIZE.1) }, now);
            done
        }
        Order::Input { input, done } => {
            let now = gde.clock.now();
            gde.input(input, now);
            done
        }
        Order::Stop => {
            gde.is_stopping = true;
            return;
        }
    };
    // Who waits may have given up.
    let _ = done.send(());
}

/// Puts a panel at a place: it is there as if its client had asked for that.
fn position_layer(gde: &mut Gde, surface: &WlSurface, at: (i32, i32)) {
    with_states(surface, |states| {
        let mut state = states.cached_state.get::<LayerSurfaceCachedState>();
        let state = state.current();
        state.anchor = Anchor::TOP | Anchor::LEFT;
        state.margin = Margins { left: at.0, top: at.1, right: 0, bottom: 0 };
    });
    gde.screens_changed();
}

/// Puts the content of a client's window at a place.
fn position(gde: &mut Gde, client: &Client, surface: u32, at: (i32, i32)) {
    let Ok(surface) = client.object_from_protocol_id::<WlSurface>(&gde.display, surface) else { return eprintln!("there is no surface {surface}") };
    if gde.is_layer(&surface).is_some() {
        return position_layer(gde, &surface, at);
    }
    let Some(id) = gde.window_of(&surface) else { return eprintln!("the surface has no window") };
    let (Some(frame), Some(window)) = (gde.layout.frame(id), gde.layout.window(id)) else { return };
    let title = window.title_height();
    gde.layout.set_frame(id, Rect::new(at.0, at.1 - title, frame.w, frame.h));
    gde.layout_changed();
}
