//! X11 programs by a real Xwayland: their windows are as others, they copy and paste, and neither their end nor Xwayland's nor anything that
//! they do is the desktop's.

mod common;

use std::time::{Duration, Instant};

use common::x11::{X, beside, serve};
use common::{Fixture, key, until};
use gde_compositor::theme::TITLE_HEIGHT;
use gde_layout::State;
use x11rb::connection::Connection;
use x11rb::properties::WmSizeHints;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{AtomEnum, ClientMessageEvent, ConfigureWindowAux, ConnectionExt as _, EventMask, PropMode};
use x11rb::wrapper::ConnectionExt as _;

const RED: u32 = 0xff_0000;
const GREEN: u32 = 0x00_ff00;

/// The colour in the middle of the window that has the keyboard.
fn middle(fixture: &mut Fixture) -> u32 {
    let at = fixture.frame_of_focus().centre();
    fixture.pixel(at.x as usize, at.y as usize)
}

#[test]
fn xwayland_is_started_by_the_first_program_only() {
    let mut fixture = Fixture::new();
    let display = serve(&mut fixture);
    assert!(display.starts_with(':'));
    fixture.settle();
    assert_eq!(fixture.gde.x11_process(), None);
    let _x = X::connect(&mut fixture, &display);
    assert!(fixture.gde.x11_process().is_some());
    let other = Fixture::new().gde.serve_x11().unwrap();
    assert_ne!(other, Some(display), "each desktop has its own");
}

#[test]
fn a_window_is_decorated_named_drawn_and_closed() {
    let mut fixture = Fixture::new();
    let display = serve(&mut fixture);
    let x = X::connect(&mut fixture, &display);
    let (protocols, delete) = (x.atom(&mut fixture, "WM_PROTOCOLS"), x.atom(&mut fixture, "WM_DELETE_WINDOW"));
    let window = x.shown(&mut fixture, (600, 400), RED, "caf\u{e9}");
    x.conn.change_property32(PropMode::REPLACE, window, protocols, AtomEnum::ATOM, &[delete]).unwrap();
    x.conn.change_property8(PropMode::REPLACE, window, AtomEnum::WM_NAME, AtomEnum::STRING, b"caf\xe9").unwrap();
    x.conn.flush().unwrap();
    let frame = fixture.frame_of_focus();
    assert_eq!((frame.w, frame.h), (600, 400 + TITLE_HEIGHT));
    until(&mut fixture, "the window is drawn", |fixture| middle(fixture) == RED);
    assert_eq!(fixture.pixel(frame.x as usize + 300, frame.y as usize + 4), gde_compositor::theme::colours().title_focused & 0xff_ffff);
    until(&mut fixture, "the window is named", |fixture| fixture.gde.layout.windows().next().unwrap().names() == ("café".to_owned(), "GdeTest".to_owned()));
    // The program knows where it is.
    let place = x.clone();
    let at = beside(&mut fixture, move || place.conn.translate_coordinates(window, place.root, 0, 0).unwrap().reply().unwrap());
    assert_eq!((i32::from(at.dst_x), i32::from(at.dst_y)), (frame.x, frame.y + TITLE_HEIGHT));
    let (extents, list, active) =
        (x.atom(&mut fixture, "_NET_FRAME_EXTENTS"), x.atom(&mut fixture, "_NET_CLIENT_LIST"), x.atom(&mut fixture, "_NET_ACTIVE_WINDOW"));
    assert_eq!(x.words(&mut fixture, window, extents), [0, 0, TITLE_HEIGHT as u32, 0]);
    let root = x.root;
    assert_eq!(x.words(&mut fixture, root, list), [window]);
    assert_eq!(x.words(&mut fixture, root, active), [window]);
    fixture.chord(key::SUPER, key::Q);
    x.hear(&mut fixture, "that it is to be closed", |event| match event {
        Event::ClientMessage(it) => (it.type_ == protocols && it.data.as_data32()[0] == delete).then_some(()),
        _ => None,
    });
    x.conn.destroy_window(window).unwrap();
    x.conn.flush().unwrap();
    until(&mut fixture, "the window is gone", |fixture| fixture.gde.layout.windows().count() == 0);
    assert_eq!(x.words(&mut fixture, root, list), [0; 0]);
}

#[test]
fn a_program_that_cannot_be_asked_to_close_is_ended() {
    let mut fixture = Fixture::new();
    let display = serve(&mut fixture);
    let x = X::connect(&mut fixture, &display);
    x.shown(&mut fixture, (300, 200), RED, "deaf");
    fixture.chord(key::SUPER, key::Q);
    until(&mut fixture, "the window is gone", |fixture| fixture.gde.layout.windows().count() == 0);
    assert!(fixture.gde.x11_process().is_some(), "it was the program's end, not Xwayland's");
}

#[test]
fn keys_go_to_the_window_that_has_the_keyboard() {
    let mut fixture = Fixture::new();
    let display = serve(&mut fixture);
    let x = X::connect(&mut fixture, &display);
    let first = x.shown(&mut fixture, (300, 200), RED, "first");
    let second = x.shown(&mut fixture, (300, 200), GREEN, "second");
    for window in [second, first] {
        let focus = x.clone();
        until(&mut fixture, "the window has the X server's focus", |fixture| {
            let x = focus.clone();
            beside(fixture, move || x.conn.get_input_focus().unwrap().reply().unwrap().focus) == window
        });
        fixture.press(key::A);
        fixture.release(key::A);
        let heard = x.hear(&mut fixture, "a key", |event| match event {
            // X's numbers of keys are larger by 8; Alt is heard, too.
            Event::KeyPress(it) if it.detail == key::A as u8 + 8 => Some(it.event),
            _ => None,
        });
        assert_eq!(heard, window);
        fixture.chord(key::ALT, key::TAB);
    }
}

#[test]
fn menus_place_themselves_and_get_the_pointer() {
    let mut fixture = Fixture::new();
    let display = serve(&mut fixture);
    let x = X::connect(&mut fixture, &display);
    x.shown(&mut fixture, (600, 400), RED, "below");
    let menu = x.window((120, 80), GREEN, true);
    x.conn.configure_window(menu, &ConfigureWindowAux::new().x(700).y(300)).unwrap();
    x.show(menu);
    until(&mut fixture, "the menu is drawn", |fixture| fixture.pixel(710, 310) == GREEN);
    assert_eq!(fixture.gde.layout.windows().count(), 1, "it is no window of the layout");
    x.conn.configure_window(menu, &ConfigureWindowAux::new().x(900).y(500)).unwrap();
    x.conn.flush().unwrap();
    until(&mut fixture, "the menu is elsewhere", |fixture| fixture.pixel(910, 510) == GREEN && fixture.pixel(710, 310) != GREEN);
    fixture.point(905, 507);
    fixture.settle();
    fixture.button(true);
    let at = x.hear(&mut fixture, "a click", |event| match event {
        Event::ButtonPress(it) if it.event == menu => Some((it.event_x, it.event_y)),
        _ => None,
    });
    assert_eq!(at, (5, 7));
    fixture.button(false);
    x.conn.unmap_window(menu).unwrap();
    x.conn.flush().unwrap();
    until(&mut fixture, "the menu is gone", |fixture| fixture.pixel(910, 510) != GREEN);
}

#[test]
fn states_and_sizes_are_as_the_desktop_says() {
    let mut fixture = Fixture::new();
    let display = serve(&mut fixture);
    let x = X::connect(&mut fixture, &display);
    let window = x.shown(&mut fixture, (600, 400), RED, "states");
    let start = fixture.frame_of_focus();
    let names = ["_NET_WM_STATE", "_NET_WM_STATE_MAXIMIZED_HORZ", "_NET_WM_STATE_MAXIMIZED_VERT", "_NET_WM_STATE_FULLSCREEN", "WM_CHANGE_STATE", "WM_STATE"];
    let [state, horizontal, vertical, fullscreen, change, wm_state] = names.map(|name| x.atom(&mut fixture, name));
    let size = |fixture: &mut Fixture, wanted: (u16, u16)| {
        x.hear(fixture, "a size", |event| match event {
            Event::ConfigureNotify(it) => ((it.width, it.height) == wanted).then_some(()),
            _ => None,
        });
    };
    fixture.chord(key::SUPER, key::LEFT);
    size(&mut fixture, (640, 800 - TITLE_HEIGHT as u16));
    until(&mut fixture, "it is drawn in that size", |fixture| fixture.pixel(0, 799) == RED && fixture.pixel(639, 400) == RED);
    x.ask(window, state, [1, horizontal, vertical, 1, 0]);
    size(&mut fixture, (1280, 800 - TITLE_HEIGHT as u16));
    x.ask(window, state, [2, fullscreen, 0, 1, 0]);
    size(&mut fixture, (1280, 800));
    until(&mut fixture, "its states are told", |fixture| x.words(fixture, window, state).contains(&fullscreen));
    until(&mut fixture, "it fills the screen", |fixture| fixture.pixel(0, 0) == RED);
    x.ask(window, state, [0, fullscreen, 0, 1, 0]);
    size(&mut fixture, (1280, 800 - TITLE_HEIGHT as u16));
    x.ask(window, state, [0, vertical, horizontal, 1, 0]);
    size(&mut fixture, (600, 400));
    assert_eq!(fixture.frame_of_focus(), start);
    // A program chooses its size, and waits for an answer where it gets the same.
    for wanted in [(500, 300), (500, 300), (700, 410)] {
        x.conn.configure_window(window, &ConfigureWindowAux::new().width(u32::from(wanted.0)).height(u32::from(wanted.1))).unwrap();
        x.conn.flush().unwrap();
        size(&mut fixture, wanted);
    }
    assert_eq!(fixture.frame_of_focus(), gde_layout::Rect::new(start.x, start.y, 700, 410 + TITLE_HEIGHT));
    let hints = WmSizeHints { min_size: Some((650, 350)), max_size: Some((800, 450)), ..WmSizeHints::default() };
    hints.set_normal_hints(&*x.conn, window).unwrap();
    x.conn.configure_window(window, &ConfigureWindowAux::new().width(10).height(3000)).unwrap();
    x.conn.flush().unwrap();
    size(&mut fixture, (650, 450));
    x.ask(window, change, [3, 0, 0, 0, 0]);
    until(&mut fixture, "it is minimised", |fixture| x.words(fixture, window, wm_state).first() == Some(&3));
    assert_eq!(fixture.gde.layout.focus(), None);
}

#[test]
fn a_dialog_belongs_to_its_window_and_what_wants_no_title_bar_has_none() {
    let mut fixture = Fixture::new();
    let display = serve(&mut fixture);
    let x = X::connect(&mut fixture, &display);
    let motif = x.atom(&mut fixture, "_MOTIF_WM_HINTS");
    let first = x.shown(&mut fixture, (600, 400), RED, "first");
    let dialog = x.window((200, 100), GREEN, false);
    x.conn.change_property32(PropMode::REPLACE, dialog, AtomEnum::WM_TRANSIENT_FOR, AtomEnum::WINDOW, &[first]).unwrap();
    x.conn.change_property32(PropMode::REPLACE, dialog, motif, motif, &[2, 0, 0, 0, 0]).unwrap();
    x.show(dialog);
    until(&mut fixture, "the dialog is shown", |fixture| fixture.gde.layout.windows().count() == 2);
    let id = fixture.gde.window_of_x11(dialog).unwrap();
    let window = fixture.gde.layout.window(id).unwrap();
    assert_eq!(fixture.gde.parent_of(&window.client), fixture.gde.window_of_x11(first));
    assert_eq!(fixture.frame_of_focus().size(), gde_layout::Size { w: 200, h: 100 });
    // Programs may tell their windows to come to the front while one of theirs has the keyboard.
    let activate = x.atom(&mut fixture, "_NET_ACTIVE_WINDOW");
    x.ask(first, activate, [1, 0, 0, 0, 0]);
    until(&mut fixture, "the first one has the keyboard", |fixture| fixture.gde.layout.focus() == fixture.gde.window_of_x11(first));
    // But not from a Wayland program.
    let mut client = fixture.client();
    let other = client.toplevel();
    other.surface.commit();
    fixture.sync(&mut client);
    client.show(&other.surface, 300, 200, 0xff00_00ff);
    fixture.sync(&mut client);
    let focus = fixture.gde.layout.focus();
    assert_ne!(focus, fixture.gde.window_of_x11(first));
    x.ask(first, activate, [1, 0, 0, 0, 0]);
    x.words(&mut fixture, first, activate);
    fixture.settle();
    assert_eq!(fixture.gde.layout.focus(), focus);
}

#[test]
fn a_window_may_begin_maximised_and_come_back() {
    let mut fixture = Fixture::new();
    let display = serve(&mut fixture);
    let x = X::connect(&mut fixture, &display);
    let names = ["_NET_WM_STATE", "_NET_WM_STATE_MAXIMIZED_HORZ", "_NET_WM_STATE_MAXIMIZED_VERT"];
    let [state, horizontal, vertical] = names.map(|name| x.atom(&mut fixture, name));
    let window = x.window((300, 200), RED, false);
    x.conn.change_property32(PropMode::REPLACE, window, state, AtomEnum::ATOM, &[horizontal, vertical]).unwrap();
    x.show(window);
    until(&mut fixture, "it is maximised", |fixture| fixture.pixel(1279, 799) == RED);
    let id = fixture.gde.layout.focus().unwrap();
    assert_eq!(fixture.gde.layout.place(id).unwrap().state, State::Maximized);
    for _ in 0..5 {
        x.conn.unmap_window(window).unwrap();
        x.conn.flush().unwrap();
        until(&mut fixture, "it is hidden", |fixture| fixture.gde.layout.windows().count() == 0);
        x.show(window);
        until(&mut fixture, "it is shown again", |fixture| fixture.gde.layout.windows().count() == 1);
    }
    // Faster than anyone can follow.
    for _ in 0..50 {
        x.conn.unmap_window(window).unwrap();
        x.conn.map_window(window).unwrap();
    }
    x.conn.flush().unwrap();
    until(&mut fixture, "it is shown at last", |fixture| fixture.gde.layout.windows().count() == 1 && middle(fixture) == RED);
}

#[test]
fn when_xwayland_dies_the_next_program_gets_another_one() {
    let mut fixture = Fixture::new();
    let display = serve(&mut fixture);
    let mut client = fixture.client();
    let other = client.toplevel();
    other.surface.commit();
    fixture.sync(&mut client);
    client.show(&other.surface, 300, 200, 0xff00_00ff);
    fixture.sync(&mut client);
    let x = X::connect(&mut fixture, &display);
    x.shown(&mut fixture, (600, 400), RED, "victim");
    let menu = x.window((120, 80), GREEN, true);
    x.show(menu);
    until(&mut fixture, "the menu is there", |fixture| fixture.gde.x11.unmanaged.len() == 1);
    let pid = fixture.gde.x11_process().unwrap();
    // SAFETY: the process is ours.
    unsafe { libc::kill(pid as i32, libc::SIGKILL) };
    until(&mut fixture, "Xwayland is gone", |fixture| fixture.gde.x11_process().is_none());
    assert_eq!(fixture.gde.layout.windows().count(), 1, "the Wayland program's window stays");
    assert!(fixture.gde.x11.unmanaged.is_empty());
    fixture.sync(&mut client);
    assert!(!client.is_dead());
    drop(x);
    let x = X::connect(&mut fixture, &display);
    x.shown(&mut fixture, (600, 400), GREEN, "heir");
    assert_ne!(fixture.gde.x11_process(), Some(pid));
    until(&mut fixture, "it is drawn", |fixture| middle(fixture) == GREEN);
}

#[test]
fn a_program_that_holds_the_server_does_not_hold_the_desktop() {
    let mut fixture = Fixture::new();
    let display = serve(&mut fixture);
    let x = X::connect(&mut fixture, &display);
    let window = x.shown(&mut fixture, (600, 400), RED, "holder");
    x.conn.grab_server().unwrap();
    x.name(window, "another");
    x.conn.flush().unwrap();
    until(&mut fixture, "its new title is seen", |fixture| fixture.gde.layout.windows().next().unwrap().names().0 == "another");
    fixture.chord(key::SUPER, key::LEFT);
    x.hear(&mut fixture, "a size", |event| match event {
        Event::ConfigureNotify(it) => (it.width == 640).then_some(()),
        _ => None,
    });
}

#[test]
fn xwayland_ends_when_no_program_has_been_there_for_some_time() {
    let mut fixture = Fixture::new();
    fixture.gde.x11.idle = Duration::from_millis(1500);
    let display = serve(&mut fixture);
    let x = X::connect(&mut fixture, &display);
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(4) {
        fixture.frame();
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(fixture.gde.x11_process().is_some(), "a program without windows is there");
    drop(x);
    until(&mut fixture, "it has ended", |fixture| fixture.gde.x11_process().is_none());
    let x = X::connect(&mut fixture, &display);
    x.shown(&mut fixture, (600, 400), GREEN, "again");
}

#[test]
fn an_xwayland_that_hangs_is_ended() {
    let mut fixture = Fixture::new();
    fixture.gde.x11.patience = Duration::from_secs(3);
    let display = serve(&mut fixture);
    let x = X::connect(&mut fixture, &display);
    x.shown(&mut fixture, (600, 400), RED, "victim");
    let mut client = fixture.client();
    // What the window manager has to ask about, so that it waits.
    x.show(x.window((10, 10), RED, false));
    // SAFETY: the process is ours.
    unsafe { libc::kill(fixture.gde.x11_process().unwrap() as i32, libc::SIGSTOP) };
    let begin = Instant::now();
    let mut longest = Duration::ZERO;
    while fixture.gde.x11_process().is_some() {
        assert!(begin.elapsed() < Duration::from_secs(60), "it is never ended");
        let turn = Instant::now();
        fixture.chord(key::SUPER, key::LEFT);
        fixture.chord(key::SUPER, key::RIGHT);
        fixture.sync(&mut client);
        fixture.frame();
        longest = longest.max(turn.elapsed());
        std::thread::sleep(Duration::from_millis(2));
    }
    assert!(begin.elapsed() >= Duration::from_secs(3), "not before its time");
    assert!(longest < Duration::from_secs(1), "the desktop was held up for {longest:?}");
    assert_eq!(fixture.gde.layout.windows().count(), 0);
    assert_eq!(fixture.gde.notices.seen().len(), 1, "the user is told");
    drop(x);
    let x = X::connect(&mut fixture, &display);
    x.shown(&mut fixture, (600, 400), GREEN, "heir");
}

#[test]
fn nonsense_of_programs_is_nobodys_end() {
    let mut fixture = Fixture::new();
    let display = serve(&mut fixture);
    let x = X::connect(&mut fixture, &display);
    let mut client = fixture.client();
    let good = X::connect(&mut fixture, &display);
    let window = good.shown(&mut fixture, (300, 200), GREEN, "good");
    let kinds = ["WL_SURFACE_ID", "_NET_WM_STATE", "_NET_WM_MOVERESIZE", "WM_CHANGE_STATE", "_NET_ACTIVE_WINDOW", "_NET_FRAME_EXTENTS", "WM_PROTOCOLS"];
    let kinds = kinds.map(|name| x.atom(&mut fixture, name));
    let names: Vec<u32> = ["_NET_WM_NAME", "WM_NORMAL_HINTS", "WM_HINTS", "WM_CLASS", "WM_TRANSIENT_FOR", "_NET_WM_WINDOW_TYPE", "_MOTIF_WM_HINTS", "WM_PROTOCOLS"]
        .into_iter()
        .map(|name| x.atom(&mut fixture, name))
        .collect();
    let utf8 = x.atom(&mut fixture, "UTF8_STRING");
    // Bytes that mean nothing, always the same ones.
    let mut seed = 1u32;
    let mut random = move || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        seed >> 8
    };
    let title = "\u{202e}x\n".repeat(100_000);
    for round in 0..60 {
        let bad = x.window(([0, 1, 65535, 300][round % 4].max(1), [1, 65535, 1, 200][round % 4]), RED, round % 5 == 0);
        for name in &names {
            let bytes: Vec<u8> = (0..random() % 200).map(|_| random() as u8).collect();
            let kind = if random() % 2 == 0 { utf8 } else { AtomEnum::ATOM.into() };
            x.conn.change_property8(PropMode::REPLACE, bad, *name, kind, &bytes).unwrap();
            let words: Vec<u32> = (0..random() % 20).map(|_| random() << 8).collect();
            x.conn.change_property32(PropMode::REPLACE, bad, *name, kind, &words).unwrap();
        }
        x.conn.change_property8(PropMode::REPLACE, bad, names[0], utf8, title.as_bytes()).unwrap();
        x.conn.change_property32(PropMode::REPLACE, bad, AtomEnum::WM_TRANSIENT_FOR, AtomEnum::WINDOW, &[bad]).unwrap();
        if round % 3 != 0 {
            x.conn.map_window(bad).unwrap();
        }
        for kind in kinds {
            for target in [bad, window, x.root, random()] {
                let event = ClientMessageEvent::new(32, target, kind, [random() % 12, random(), kinds[1], random() % 12, 0]);
                x.conn.send_event(false, x.root, EventMask::SUBSTRUCTURE_REDIRECT | EventMask::SUBSTRUCTURE_NOTIFY, event).unwrap();
            }
        }
        x.conn.configure_window(bad, &ConfigureWindowAux::new().x(-30000).y(30000).width(1 + random() % 65535).height(1 + random() % 100)).unwrap();
        x.conn.reparent_window(bad, if round % 7 == 0 { window } else { x.root }, 5, 5).unwrap();
        if round % 4 == 0 {
            x.conn.destroy_window(bad).unwrap();
        }
        x.conn.flush().unwrap();
        fixture.frame();
        fixture.sync(&mut client);
    }
    // Errors are all that comes of it.
    drop(x);
    until(&mut fixture, "only the good program's window is there", |fixture| fixture.gde.layout.windows().count() <= 1 && fixture.gde.x11.unmanaged.is_empty());
    assert!(!client.is_dead());
    let x = X::connect(&mut fixture, &display);
    x.shown(&mut fixture, (600, 400), GREEN, "still served");
}
