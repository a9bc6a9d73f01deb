//! The compositor and real clients in one process, joined by socket pairs, with a clock that is set by hand.

#![allow(dead_code, reason = "each test file uses a part of it")]

pub mod client;
pub mod x11;

use std::cell::Cell;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::time::Duration;

use gde_compositor::backend::{Backend, headless::Headless};
use gde_compositor::clock::Clock;
use gde_compositor::input::Input;
use gde_compositor::input::touch::Touch;
use gde_compositor::screen::Redraw;
use gde_compositor::{Gde, server};
use gde_raster::{Kernels, Pixmap};
use smithay::reexports::calloop::EventLoop;
use smithay::reexports::wayland_server::Display;

pub use client::{Client, Toplevel};

/// Codes of keys (`linux/input-event-codes.h`).
pub mod key {
    pub const ESC: u16 = 1;
    pub const ONE: u16 = 2;
    pub const TWO: u16 = 3;
    pub const TAB: u16 = 15;
    pub const Q: u16 = 16;
    pub const A: u16 = 30;
    pub const Z: u16 = 44;
    pub const ALT: u16 = 56;
    pub const LEFT: u16 = 105;
    pub const RIGHT: u16 = 106;
    pub const SUPER: u16 = 125;
}

pub const BUTTON: u16 = 0x110;

/// A compositor with one screen of 1280 x 800.
pub struct Fixture {
    pub events: EventLoop<'static, Gde>,
    pub gde: Gde,
    time: Rc<Cell<Duration>>,
    /// A client that is served with each frame.
    pub attended: Option<Client>,
}

impl Fixture {
    pub fn new() -> Self {
        let events: EventLoop<'static, Gde> = EventLoop::try_new().unwrap();
        let display: Display<Gde> = Display::new().unwrap();
        let (clock, time) = Clock::manual(Duration::from_secs(1000));
        let mut gde = Gde::new(&display, events.handle(), clock, Backend::Headless(Headless::default()), Kernels::best()).unwrap();
        gde.panel.is_shown = false;
        gde.has_animations = false;
        server::serve(display, &events).unwrap();
        gde.add_screen("TEST-1", (1280, 800), 60_000, (0, 0), 1.0);
        let mut fixture = Fixture { events, gde, time, attended: None };
        fixture.settle();
        fixture
    }

    /// A client whose requests are served.
    pub fn client(&mut self) -> Client {
        let (ours, theirs) = UnixStream::pair().unwrap();
        self.gde.add_client(ours);
        let mut client = Client::new(theirs);
        self.sync(&mut client);
        client
    }

    /// A decorated window of a client's whose content has this size and one colour.
    pub fn open(&mut self, client: &mut Client, size: (i32, i32), pixel: u32) -> Toplevel {
        let window = client.toplevel();
        client.decorate(&window);
        window.surface.commit();
        self.sync(client);
        client.show(&window.surface, size.0, size.1, pixel);
        self.sync(client);
        window
    }

    /// The other end of a connection that is no Wayland client.
    pub fn raw_client(&mut self) -> UnixStream {
        let (ours, theirs) = UnixStream::pair().unwrap();
        theirs.set_nonblocking(true).unwrap();
        self.gde.add_client(ours);
        theirs
    }

    /// Serves what has come, and draws. Frames are not shown by that.
    pub fn dispatch(&mut self) {
        self.events.dispatch(Some(Duration::ZERO), &mut self.gde).unwrap();
        server::after_events(&mut self.gde);
    }

    /// Serves until a client has heard everything.
    pub fn sync(&mut self, client: &mut Client) {
        let done = client.begin_sync();
        for _ in 0..1000 {
            client.flush();
            self.dispatch();
            client.receive();
            if done.get() || client.is_dead() {
                return;
            }
        }
        panic!("a client gets no answer");
    }

    /// A frame's time passes: what was drawn is shown.
    pub fn frame(&mut self) {
        self.dispatch();
        if let Some(client) = &mut self.attended {
            client.flush();
            client.receive();
        }
        self.time.set(self.time.get() + Duration::from_micros(16_667));
        let waiting = std::mem::take(&mut self.headless().waiting);
        let now = self.time.get();
        let shown: Vec<_> = waiting.into_iter().collect();
        let outputs: Vec<_> = self.gde.screens.iter().filter(|screen| !matches!(screen.redraw, Redraw::Idle)).map(|screen| screen.output.clone()).collect();
        for output in outputs {
            let at = shown.contains(&output).then_some((now, 1));
            self.gde.frame_done(&output, at);
        }
        server::after_events(&mut self.gde);
    }

    /// Frames pass until nothing changes any more.
    pub fn settle(&mut self) {
        for _ in 0..100 {
            self.frame();
            if self.gde.screens.iter().all(|screen| matches!(screen.redraw, Redraw::Idle)) {
                return;
            }
        }
        panic!("the screen does not come to rest");
    }

    pub fn headless(&mut self) -> &mut Headless {
        match &mut self.gde.backend {
            Backend::Headless(headless) => headless,
            Backend::Kms(_) | Backend::Nested(_) => panic!("a display in a test"),
        }
    }

    /// What the screen shows.
    pub fn picture(&mut self) -> Pixmap {
        let output = self.gde.screens[0].output.clone();
        self.settle();
        self.headless().picture(&output).unwrap().clone()
    }

    /// A pixel of the screen, without its alpha.
    pub fn pixel(&mut self, x: usize, y: usize) -> u32 {
        let picture = self.picture();
        picture.pixels()[y * picture.width() + x] & 0xff_ffff
    }

    fn input(&mut self, input: Input) {
        let now = self.time.get();
        self.gde.input(input, now);
        self.dispatch();
    }

    pub fn press(&mut self, code: u16) {
        self.input(Input::Key { code, is_pressed: true });
    }

    pub fn release(&mut self, code: u16) {
        self.input(Input::Key { code, is_pressed: false });
    }

    /// A key, with another one held.
    pub fn chord(&mut self, held: u16, code: u16) {
        self.press(held);
        self.press(code);
        self.release(code);
        self.release(held);
    }

    pub fn point(&mut self, x: i32, y: i32) {
        self.input(Input::Position { x: f64::from(x) / 1280.0 + 1e-6, y: f64::from(y) / 800.0 + 1e-6 });
    }

    pub fn button(&mut self, is_pressed: bool) {
        self.input(Input::Button { code: BUTTON, is_pressed });
    }

    pub fn touch(&mut self, touch: Touch) {
        self.input(Input::Touch(touch));
    }

    /// The frame of the only window, or of the focused one.
    pub fn frame_of_focus(&self) -> gde_layout::Rect {
        let focus = self.gde.layout.focus().expect("a window has the focus");
        self.gde.layout.frame(focus).unwrap()
    }

    /// Waits a moment, so that a second click is not a double click.
    pub fn pass(&mut self, time: Duration) {
        self.time.set(self.time.get() + time);
    }
}

/// Serves until something is so.
#[allow(dead_code)]
pub fn until(fixture: &mut Fixture, what: &str, mut is_so: impl FnMut(&mut Fixture) -> bool) {
    let limit = std::time::Instant::now() + Duration::from_secs(60);
    while !is_so(fixture) {
        assert!(std::time::Instant::now() < limit, "never: {what}");
        fixture.dispatch();
        std::thread::sleep(Duration::from_millis(2));
    }
    fixture.settle();
}

/// A program that asks the desktop.
pub fn connect(fixture: &mut Fixture) -> BufReader<UnixStream> {
    let (ours, theirs) = UnixStream::pair().unwrap();
    fixture.gde.add_asker(ours);
    theirs.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    BufReader::new(theirs)
}

/// Asks, and has it served.
pub fn ask(fixture: &mut Fixture, stream: &mut BufReader<UnixStream>, request: &gde_ipc::Request) -> gde_ipc::Answer {
    let line = serde_json::to_string(request).unwrap() + "\n";
    // Longer than what is read at once.
    for part in line.as_bytes().chunks(2000) {
        stream.get_mut().write_all(part).unwrap();
        fixture.dispatch();
    }
    let mut answer = String::new();
    stream.read_line(&mut answer).unwrap();
    serde_json::from_str(&answer).unwrap()
}

/// What is seen can be looked at: `GDE_TEST_PICTURES` names a folder for it.
pub fn save(fixture: &mut Fixture, name: &str) {
    let Some(folder) = std::env::var_os("GDE_TEST_PICTURES") else { return };
    let picture = fixture.picture();
    let file = std::fs::File::create(std::path::Path::new(&folder).join(name)).unwrap();
    let mut encoder = png::Encoder::new(file, picture.width() as u32, picture.height() as u32);
    encoder.set_color(png::ColorType::Rgb);
    let bytes: Vec<u8> = picture.pixels().iter().flat_map(|it| [(it >> 16) as u8, (it >> 8) as u8, *it as u8]).collect();
    encoder.write_header().unwrap().write_image_data(&bytes).unwrap();
}
