//! A desktop in a window of another one.

mod common;

use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use common::{Client, Fixture, key};
use gde_compositor::backend::nested::{self, Nested};
use gde_compositor::backend::Backend;
use gde_compositor::clock::Clock;
use gde_compositor::{Gde, server};
use gde_layout::State;
use gde_raster::Kernels;
use smithay::reexports::calloop::EventLoop;
use smithay::reexports::wayland_server::Display;
use wayland_client::Connection;
use wayland_client::protocol::wl_seat::WlSeat;

const RED: u32 = 0xffff_0000;
const GREEN: u32 = 0xff00_ff00;

/// A desktop, and another one in its window.
struct Both {
    host: Fixture,
    events: EventLoop<'static, Gde>,
    inner: Gde,
}

impl Both {
    fn new() -> Both {
        let mut host = Fixture::new();
        let (ours, theirs) = UnixStream::pair().unwrap();
        host.gde.add_client(ours);
        let events: EventLoop<'static, Gde> = EventLoop::try_new().unwrap();
        let display: Display<Gde> = Display::new().unwrap();
        let backend = Backend::Nested(Box::new(Nested::new(Connection::from_socket(theirs).unwrap(), (700, 500))));
        let mut inner = Gde::new(&display, events.handle(), Clock::system(), backend, Kernels::best()).unwrap();
        inner.panel.is_shown = false;
        inner.has_animations = false;
        server::serve(display, &events).unwrap();
        nested::start(&mut inner).unwrap();
        let mut both = Both { host, events, inner };
        both.until("a window", |both| both.host.gde.layout.focus().is_some() && both.inner.screens.first().is_some_and(|screen| screen.frames > 0));
        both
    }

    fn step(&mut self) {
        self.host.frame();
        self.events.dispatch(Some(Duration::ZERO), &mut self.inner).unwrap();
        server::after_events(&mut self.inner);
    }

    fn until(&mut self, what: &str, mut is_so: impl FnMut(&mut Self) -> bool) {
        let limit = Instant::now() + Duration::from_secs(30);
        while !is_so(self) {
            assert!(Instant::now() < limit, "never: {what}");
            self.step();
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn sync(&mut self, client: &mut Client) {
        let done = client.begin_sync();
        self.until("an answer", |both| {
            client.flush();
            both.step();
            client.receive();
            done.get() || client.is_dead()
        });
    }

    /// A client of the inner desktop with a window of 300 x 200.
    fn client(&mut self, pixel: u32) -> (Client, common::client::Toplevel) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        self.inner.add_client(ours);
        let mut client = Client::new(theirs);
        self.sync(&mut client);
        let window = client.toplevel();
        client.decorate(&window);
        window.surface.commit();
        self.sync(&mut client);
        client.show(&window.surface, 300, 200, pixel);
        self.sync(&mut client);
        (client, window)
    }

    /// Where a place of the inner desktop is on the host's screen.
    fn outside(&self, x: i32, y: i32) -> (i32, i32) {
        let id = self.host.gde.layout.focus().expect("the window");
        let at = self.host.gde.content_location(id).expect("its content");
        (at.x + x, at.y + y)
    }

    /// A pixel of the host's screen at a place of the inner desktop.
    fn pixel(&mut self, x: i32, y: i32) -> u32 {
        let (x, y) = self.outside(x, y);
        let output = self.host.gde.screens[0].output.clone();
        let picture = self.host.headless().picture(&output).expect("a picture");
        picture.pixels()[y as usize * picture.width() + x as usize] & 0xff_ffff
    }

    fn inner_size(&self) -> (i32, i32) {
        let rect = self.inner.screen_rect(&self.inner.screens[0]);
        (rect.w, rect.h)
    }
}

#[test]
fn a_clients_window_is_seen_in_the_window() {
    let mut both = Both::new();
    assert_eq!(both.inner_size(), (700, 500));
    let (mut client, window) = both.client(RED);
    let frame = both.inner.layout.frame(both.inner.layout.focus().unwrap()).unwrap();
    let (x, y) = (frame.x + 150, frame.y + 136);
    both.until("its colour", |both| both.pixel(x, y) == RED & 0xff_ffff);
    assert_ne!(both.pixel(2, 498), RED & 0xff_ffff, "beside it is the wallpaper");
    // Another picture of it, again and again: buffers come back.
    for round in 0..12 {
        let pixel = if round % 2 == 0 { GREEN } else { RED };
        client.show(&window.surface, 300, 200, pixel);
        both.sync(&mut client);
        both.until("another colour", |both| both.pixel(x, y) == pixel & 0xff_ffff);
    }
    // While nothing changes nothing is sent.
    let before = both.inner.screens[0].frames;
    (0..50).for_each(|_| both.step());
    assert!(both.inner.screens[0].frames - before <= 1, "{} frames", both.inner.screens[0].frames - before);
}

#[test]
fn the_screen_is_as_large_as_the_window() {
    let mut both = Both::new();
    let (_client, _window) = both.client(RED);
    let id = both.host.gde.layout.focus().unwrap();
    both.host.gde.layout.set_state(id, State::Maximized);
    both.host.gde.layout_changed();
    both.until("another size", |both| both.inner_size().0 == 1280);
    assert_eq!(both.inner_size(), (1280, 800 - gde_compositor::theme::TITLE_HEIGHT));
    let frame = both.inner.layout.frame(both.inner.layout.focus().unwrap()).unwrap();
    both.until("the client's colour", |both| both.pixel(frame.x + 150, frame.y + 136) == RED & 0xff_ffff);
}

#[test]
fn keys_and_the_pointer_go_to_the_inner_client() {
    let mut both = Both::new();
    let (mut client, _window) = both.client(RED);
    let seat: WlSeat = client.bind();
    seat.get_keyboard(&client.qh, ());
    seat.get_pointer(&client.qh, ());
    both.sync(&mut client);
    let frame = both.inner.layout.frame(both.inner.layout.focus().unwrap()).unwrap();
    let (x, y) = both.outside(frame.x + 20, frame.y + gde_compositor::theme::TITLE_HEIGHT + 30);
    both.host.point(x, y);
    both.host.button(true);
    both.host.button(false);
    both.sync(&mut client);
    both.until("the pointer", |both| {
        both.sync(&mut client);
        client.heard.buttons == [true, false]
    });
    let (x, y) = client.heard.pointer.expect("the pointer is there");
    assert!((x - 20.0).abs() < 1.0 && (y - 30.0).abs() < 1.0, "{x} {y}");
    both.host.press(key::A);
    both.until("a key", |both| {
        both.sync(&mut client);
        client.heard.keys.contains(&(key::A.into(), true))
    });
    // Whoever looks elsewhere holds nothing here any more.
    let elsewhere = both.host.client();
    let other = elsewhere.toplevel();
    other.surface.commit();
    let mut elsewhere = elsewhere;
    both.host.sync(&mut elsewhere);
    elsewhere.show(&other.surface, 100, 100, GREEN);
    both.host.sync(&mut elsewhere);
    both.until("its release", |both| {
        both.sync(&mut client);
        client.heard.keys.contains(&(key::A.into(), false))
    });
}

#[test]
fn it_ends_with_its_window_and_with_its_host() {
    let mut both = Both::new();
    both.host.gde.act(&"close".parse().unwrap()).unwrap();
    both.until("the end", |both| both.inner.is_stopping);
    let Both { host, mut events, mut inner } = Both::new();
    drop(host);
    let limit = Instant::now() + Duration::from_secs(30);
    while !inner.is_stopping {
        assert!(Instant::now() < limit, "never: the end");
        events.dispatch(Some(Duration::from_millis(10)), &mut inner).unwrap();
        server::after_events(&mut inner);
    }
}
