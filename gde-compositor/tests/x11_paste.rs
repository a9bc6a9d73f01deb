//! Copy and paste between X11 programs and Wayland programs, both ways, small and large.

mod common;

use std::io::Read;
use std::os::fd::AsFd;
use std::time::Duration;

use common::x11::{X, beside, serve};
use common::{Client, Fixture, client::Toplevel, until};
use wayland_client::protocol::wl_data_device_manager::WlDataDeviceManager;
use wayland_client::protocol::wl_seat::WlSeat;
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    AtomEnum, ChangeWindowAttributesAux, ConnectionExt as _, EventMask, PropMode, Property, SELECTION_NOTIFY_EVENT, SelectionNotifyEvent, SelectionRequestEvent,
};
use x11rb::wrapper::ConnectionExt as _;

/// More than goes in one part.
const LARGE: usize = 300_000;
const WORDS: &str = "text/plain;charset=utf-8";

fn large() -> Vec<u8> {
    (0..LARGE).map(|index| b'a' + (index % 26) as u8).collect()
}

/// A Wayland program with the keyboard.
fn wayland(fixture: &mut Fixture) -> (Client, Toplevel) {
    let mut client = fixture.client();
    let window = client.toplevel();
    window.surface.commit();
    fixture.sync(&mut client);
    client.bind::<WlSeat>().get_keyboard(&client.qh, ());
    client.show(&window.surface, 300, 200, 0xff00_00ff);
    fixture.sync(&mut client);
    fixture.settle();
    assert!(client.heard.has_keyboard);
    (client, window)
}

/// An X11 program copies something: it answers who asks.
fn give(x: &X, request: &SelectionRequestEvent, targets: u32, utf8: u32, incr: u32, data: &[u8]) {
    let conn = &x.conn;
    let mut property = request.property;
    if request.target == targets {
        conn.change_property32(PropMode::REPLACE, request.requestor, property, AtomEnum::ATOM, &[targets, utf8]).unwrap();
    } else if request.target == utf8 && data.len() <= 1000 {
        conn.change_property8(PropMode::REPLACE, request.requestor, property, utf8, data).unwrap();
    } else if request.target == utf8 {
        conn.change_window_attributes(request.requestor, &ChangeWindowAttributesAux::new().event_mask(EventMask::PROPERTY_CHANGE)).unwrap();
        conn.change_property32(PropMode::REPLACE, request.requestor, property, incr, &[data.len() as u32]).unwrap();
    } else {
        property = 0;
    }
    let notify = SelectionNotifyEvent {
        response_type: SELECTION_NOTIFY_EVENT,
        sequence: 0,
        time: request.time,
        requestor: request.requestor,
        selection: request.selection,
        target: request.target,
        property,
    };
    conn.send_event(false, request.requestor, EventMask::NO_EVENT, notify).unwrap();
    conn.flush().unwrap();
}

/// What comes out of a pipe, while an X11 program gives it.
fn paste_from_x(data: &[u8]) {
    let mut fixture = Fixture::new();
    let display = serve(&mut fixture);
    let (mut client, _window) = wayland(&mut fixture);
    client.bind::<WlDataDeviceManager>().get_data_device(&client.bind::<WlSeat>(), &client.qh, ());
    fixture.sync(&mut client);
    let x = X::connect(&mut fixture, &display);
    let names = ["CLIPBOARD", "TARGETS", "UTF8_STRING", "INCR"];
    let [clipboard, targets, utf8, incr] = names.map(|name| x.atom(&mut fixture, name));
    // As xclip does: without a window that is shown.
    let owner = x.window((1, 1), 0, false);
    x.conn.set_selection_owner(owner, clipboard, 0u32).unwrap();
    x.conn.flush().unwrap();
    let request = x.hear(&mut fixture, "what forms there are", |event| match event {
        Event::SelectionRequest(it) => Some(*it),
        _ => None,
    });
    give(&x, &request, targets, utf8, incr, data);
    until(&mut fixture, "the Wayland program hears of it", |fixture| {
        fixture.sync(&mut client);
        client.heard.offers.iter().any(|it| it == WORDS)
    });
    let (mut from, to) = std::io::pipe().unwrap();
    client.heard.offer.clone().unwrap().receive(WORDS.into(), to.as_fd());
    fixture.sync(&mut client);
    drop(to);
    let reader = std::thread::spawn(move || {
        let mut got = Vec::new();
        from.read_to_end(&mut got).unwrap();
        got
    });
    let (mut sent, mut transfer) = (0, None);
    let begin = std::time::Instant::now();
    while !reader.is_finished() {
        assert!(begin.elapsed() < Duration::from_secs(60), "it never comes");
        while let Some(event) = x.conn.poll_for_event().unwrap() {
            match event {
                Event::SelectionRequest(it) => {
                    give(&x, &it, targets, utf8, incr, data);
                    transfer = Some(it);
                }
                Event::PropertyNotify(it) if it.state == Property::DELETE && data.len() > 1000 => {
                    let Some(request) = transfer.filter(|request| request.requestor == it.window && request.property == it.atom) else { continue };
                    let end = data.len().min(sent + 70_000);
                    x.conn.change_property8(PropMode::REPLACE, request.requestor, request.property, utf8, &data[sent..end]).unwrap();
                    x.conn.flush().unwrap();
                    sent = end;
                }
                _ => {}
            }
        }
        fixture.frame();
    }
    assert!(reader.join().unwrap() == data);
    // When its program ends, there is nothing to paste.
    drop(x);
    until(&mut fixture, "the offer is gone", |fixture| {
        fixture.sync(&mut client);
        client.heard.offer.is_none()
    });
}

#[test]
fn a_wayland_program_pastes_what_an_x11_program_has_copied() {
    paste_from_x("Gr\u{fc}\u{df}e".as_bytes());
}

#[test]
fn a_wayland_program_pastes_much_of_an_x11_program() {
    paste_from_x(&large());
}

/// What an X11 program gets, in a form.
fn get(fixture: &mut Fixture, x: &X, window: u32, selection: u32, target: u32) -> Option<Vec<u8>> {
    let (property, incr) = (x.atom(fixture, "PASTED"), x.atom(fixture, "INCR"));
    x.conn.convert_selection(window, selection, target, property, 0u32).unwrap();
    x.conn.flush().unwrap();
    let got = x.hear(fixture, "an answer", |event| match event {
        Event::SelectionNotify(it) => Some(it.property),
        _ => None,
    });
    if got == 0 {
        return None;
    }
    let read = |fixture: &mut Fixture| {
        let x = x.clone();
        beside(fixture, move || x.conn.get_property(true, window, property, AtomEnum::ANY, 0, 1 << 20).unwrap().reply().unwrap())
    };
    let first = read(fixture);
    if first.type_ != incr {
        return Some(first.value);
    }
    let mut all = Vec::new();
    loop {
        x.hear(fixture, "a part", |event| match event {
            Event::PropertyNotify(it) => (it.window == window && it.atom == property && it.state == Property::NEW_VALUE).then_some(()),
            _ => None,
        });
        let part = read(fixture);
        if part.value.is_empty() {
            return Some(all);
        }
        all.extend(part.value);
    }
}

/// An X11 program pastes what a Wayland program has copied.
fn paste_from_wayland(data: &[u8]) {
    let mut fixture = Fixture::new();
    let display = serve(&mut fixture);
    let (mut client, _window) = wayland(&mut fixture);
    // Before Xwayland is there.
    client.heard.copied = data.to_vec();
    let manager = client.bind::<WlDataDeviceManager>();
    let device = manager.get_data_device(&client.bind::<WlSeat>(), &client.qh, ());
    let source = manager.create_data_source(&client.qh, ());
    source.offer(WORDS.into());
    device.set_selection(Some(&source), client.heard.serial);
    fixture.sync(&mut client);
    fixture.attended = Some(client);
    let x = X::connect(&mut fixture, &display);
    let names = ["CLIPBOARD", "TARGETS", "UTF8_STRING", "image/x-test"];
    let [clipboard, targets, utf8, image] = names.map(|name| x.atom(&mut fixture, name));
    let hidden = x.window((1, 1), 0, false);
    until(&mut fixture, "the desktop owns the clipboard", |fixture| {
        let x = x.clone();
        beside(fixture, move || x.conn.get_selection_owner(clipboard).unwrap().reply().unwrap().owner) != 0
    });
    // Who has not the keyboard gets nothing.
    assert_eq!(get(&mut fixture, &x, hidden, clipboard, utf8), Some(Vec::new()));
    let window = x.shown(&mut fixture, (300, 200), 0xff_0000, "paste");
    let list = get(&mut fixture, &x, window, clipboard, targets).unwrap();
    let list: Vec<u32> = list.chunks_exact(4).map(|word| u32::from_ne_bytes(word.try_into().unwrap())).collect();
    assert!(list.contains(&utf8) && list.contains(&AtomEnum::STRING.into()) && !list.contains(&image), "{list:?}");
    assert!(get(&mut fixture, &x, window, clipboard, utf8).unwrap() == data);
    let latin: Vec<u8> = String::from_utf8_lossy(data).chars().map(|c| c as u8).collect();
    assert!(get(&mut fixture, &x, window, clipboard, AtomEnum::STRING.into()).unwrap() == latin);
    assert_eq!(get(&mut fixture, &x, window, clipboard, image), None, "it is not offered");
}

#[test]
fn an_x11_program_pastes_what_a_wayland_program_has_copied() {
    paste_from_wayland("Gr\u{fc}\u{df}e".as_bytes());
}

#[test]
fn an_x11_program_pastes_much_of_a_wayland_program() {
    paste_from_wayland(&large());
}
