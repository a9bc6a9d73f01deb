//! An X11 program for tests, by a real Xwayland.

use std::sync::Arc;
use std::time::{Duration, Instant};

use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{AtomEnum, ClientMessageEvent, ConnectionExt as _, CreateWindowAux, EventMask, PropMode, WindowClass};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

use super::Fixture;

/// How long anything may take.
const LIMIT: Duration = Duration::from_secs(60);

/// Serves while a thread of its own does something that waits for the X server.
pub fn beside<T: Send + 'static>(fixture: &mut Fixture, work: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = std::thread::spawn(work);
    let begin = Instant::now();
    while !thread.is_finished() {
        assert!(begin.elapsed() < LIMIT, "the X server does not answer");
        fixture.frame();
        std::thread::sleep(Duration::from_millis(1));
    }
    thread.join().unwrap()
}

/// Begins to serve X11 programs; the display's name.
pub fn serve(fixture: &mut Fixture) -> String {
    fixture.gde.serve_x11().unwrap().expect("Xwayland must be installed for this test: Debian's package xwayland")
}

/// A program's connection.
#[derive(Clone)]
pub struct X {
    pub conn: Arc<RustConnection>,
    pub root: u32,
}

impl X {
    pub fn connect(fixture: &mut Fixture, display: &str) -> X {
        let name = display.to_owned();
        let conn = beside(fixture, move || x11rb::connect(Some(&name)).unwrap().0);
        let root = conn.setup().roots[0].root;
        X { conn: Arc::new(conn), root }
    }

    pub fn atom(&self, fixture: &mut Fixture, name: &str) -> u32 {
        let (x, name) = (self.clone(), name.to_owned());
        beside(fixture, move || x.conn.intern_atom(false, name.as_bytes()).unwrap().reply().unwrap().atom)
    }

    /// A window of one colour that is not shown yet.
    pub fn window(&self, size: (u16, u16), pixel: u32, is_unmanaged: bool) -> u32 {
        let window = self.conn.generate_id().unwrap();
        let mask = EventMask::KEY_PRESS | EventMask::BUTTON_PRESS | EventMask::STRUCTURE_NOTIFY | EventMask::FOCUS_CHANGE | EventMask::PROPERTY_CHANGE;
        let aux = CreateWindowAux::new().background_pixel(pixel & 0xff_ffff).event_mask(mask).override_redirect(u32::from(is_unmanaged));
        let screen = &self.conn.setup().roots[0];
        let (depth, visual) = (screen.root_depth, screen.root_visual);
        self.conn.create_window(depth, window, self.root, 40, 50, size.0, size.1, 0, WindowClass::INPUT_OUTPUT, visual, &aux).unwrap();
        window
    }

    /// Names it as programs do.
    pub fn name(&self, window: u32, title: &str) {
        self.conn.change_property8(PropMode::REPLACE, window, AtomEnum::WM_NAME, AtomEnum::STRING, title.as_bytes()).unwrap();
        self.conn.change_property8(PropMode::REPLACE, window, AtomEnum::WM_CLASS, AtomEnum::STRING, b"test\0GdeTest\0").unwrap();
    }

    pub fn show(&self, window: u32) {
        self.conn.map_window(window).unwrap();
        self.conn.flush().unwrap();
    }

    /// A window of one colour, when the desktop shows it.
    pub fn shown(&self, fixture: &mut Fixture, size: (u16, u16), pixel: u32, title: &str) -> u32 {
        let before = fixture.gde.layout.windows().count();
        let window = self.window(size, pixel, false);
        self.name(window, title);
        self.show(window);
        super::until(fixture, "the window is shown", |fixture| {
            fixture.frame();
            fixture.gde.layout.windows().count() > before
        });
        window
    }

    /// Tells the window manager something.
    pub fn ask(&self, window: u32, kind: u32, data: [u32; 5]) {
        let event = ClientMessageEvent::new(32, window, kind, data);
        self.conn.send_event(false, self.root, EventMask::SUBSTRUCTURE_REDIRECT | EventMask::SUBSTRUCTURE_NOTIFY, event).unwrap();
        self.conn.flush().unwrap();
    }

    /// Serves until an event comes that means something.
    pub fn hear<T>(&self, fixture: &mut Fixture, what: &str, mut meaning: impl FnMut(&Event) -> Option<T>) -> T {
        let begin = Instant::now();
        loop {
            while let Some(event) = self.conn.poll_for_event().unwrap() {
                if let Some(it) = meaning(&event) {
                    return it;
                }
            }
            assert!(begin.elapsed() < LIMIT, "never heard: {what}");
            fixture.frame();
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// The words of a property.
    pub fn words(&self, fixture: &mut Fixture, window: u32, property: u32) -> Vec<u32> {
        let x = self.clone();
        beside(fixture, move || {
            let reply = x.conn.get_property(false, window, property, AtomEnum::ANY, 0, 1024).unwrap().reply().unwrap();
            reply.value32().map(Iterator::collect).unwrap_or_default()
        })
    }
}
