//! Fingers on a touch screen.

mod common;

use common::client::{Finger, Toplevel};
use common::{Client, Fixture};
use gde_compositor::input::touch::Touch;
use gde_compositor::theme::TITLE_HEIGHT;
use wayland_client::protocol::wl_seat::WlSeat;

fn window(fixture: &mut Fixture) -> (Client, Toplevel, u64) {
    let mut client = fixture.client();
    client.bind::<WlSeat>().get_touch(&client.qh, ());
    let window = fixture.open(&mut client, (400, 300), 0xffff_0000);
    fixture.settle();
    let id = fixture.gde.layout.focus().unwrap();
    (client, window, id)
}

fn part(x: i32, y: i32) -> (f64, f64) {
    (f64::from(x) / 1280.0 + 1e-6, f64::from(y) / 800.0 + 1e-6)
}

fn down(fixture: &mut Fixture, slot: u32, x: i32, y: i32) {
    let (x, y) = part(x, y);
    fixture.touch(Touch::Down { slot, x, y });
    fixture.touch(Touch::Frame);
}

fn motion(fixture: &mut Fixture, slot: u32, x: i32, y: i32) {
    let (x, y) = part(x, y);
    fixture.touch(Touch::Motion { slot, x, y });
    fixture.touch(Touch::Frame);
}

fn up(fixture: &mut Fixture, slot: u32) {
    fixture.touch(Touch::Up { slot });
    fixture.touch(Touch::Frame);
}

/// What a client has heard since, with places in whole pixels.
fn heard(fixture: &mut Fixture, client: &mut Client) -> Vec<(Finger, i32, (i32, i32))> {
    fixture.sync(client);
    std::mem::take(&mut client.heard.touches).into_iter().map(|(what, id, (x, y))| (what, id, (x.round() as i32, y.round() as i32))).collect()
}

const FRAME: (Finger, i32, (i32, i32)) = (Finger::Frame, -1, (0, 0));

#[test]
fn clients_get_all_fingers() {
    let mut fixture = Fixture::new();
    fixture.gde.add_touch_screen();
    let (mut other, _o, _) = window(&mut fixture);
    let (mut client, _w, id) = window(&mut fixture);
    let frame = fixture.gde.layout.frame(id).unwrap();
    let (x, y) = (frame.x, frame.y + TITLE_HEIGHT);
    down(&mut fixture, 0, x + 50, y + 60);
    down(&mut fixture, 1, x + 100, y + 60);
    assert_eq!(heard(&mut fixture, &mut client), [(Finger::Down, 0, (50, 60)), FRAME, (Finger::Down, 1, (100, 60)), FRAME]);
    // A finger stays with the surface that it came to, also beyond its edge.
    motion(&mut fixture, 1, x + 500, y + 70);
    up(&mut fixture, 0);
    up(&mut fixture, 1);
    assert_eq!(heard(&mut fixture, &mut client), [(Finger::Motion, 1, (500, 70)), FRAME, (Finger::Up, 0, (0, 0)), FRAME, (Finger::Up, 1, (0, 0)), FRAME]);
    assert!(heard(&mut fixture, &mut other).is_empty());
    // What the device has lost is cancelled, also after a frame.
    down(&mut fixture, 3, x + 10, y + 10);
    fixture.touch(Touch::Cancel);
    let end = heard(&mut fixture, &mut client);
    assert!(end.contains(&(Finger::Cancel, -1, (0, 0))) && !end.iter().any(|it| it.0 == Finger::Up), "{end:?}");
    up(&mut fixture, 3);
    assert!(!heard(&mut fixture, &mut client).iter().any(|it| it.0 == Finger::Up));
}

#[test]
fn a_finger_raises_a_window_and_moves_it_by_its_title() {
    let mut fixture = Fixture::new();
    fixture.gde.add_touch_screen();
    let (mut first, _f, below) = window(&mut fixture);
    let (_second, _s, above) = window(&mut fixture);
    assert_eq!(fixture.gde.layout.focus(), Some(above));
    let frame = fixture.gde.layout.frame(below).unwrap();
    down(&mut fixture, 0, frame.x + 20, frame.y + TITLE_HEIGHT + 20);
    up(&mut fixture, 0);
    assert_eq!(fixture.gde.layout.focus(), Some(below));
    heard(&mut fixture, &mut first);
    down(&mut fixture, 0, frame.x + 100, frame.y + 15);
    motion(&mut fixture, 0, frame.x + 140, frame.y + 45);
    // Another finger is of no matter meanwhile.
    down(&mut fixture, 1, frame.x + 200, frame.y + 200);
    up(&mut fixture, 1);
    motion(&mut fixture, 0, frame.x + 160, frame.y + 55);
    up(&mut fixture, 0);
    fixture.settle();
    let moved = fixture.gde.layout.frame(below).unwrap();
    assert_eq!((moved.x - frame.x, moved.y - frame.y), (60, 40));
    assert!(fixture.gde.layout.dragged().is_none());
    let id = fixture.gde.layout.focus().unwrap();
    let frame = fixture.gde.layout.frame(id).unwrap();
    // A tap on the button closes.
    down(&mut fixture, 0, frame.right() - 18, frame.y + 18);
    up(&mut fixture, 0);
    fixture.sync(&mut first);
    assert!(first.heard.is_closed);
}

#[test]
fn nonsense_of_a_device_harms_nobody() {
    let mut fixture = Fixture::new();
    for touch in [Touch::Up { slot: 9 }, Touch::Cancel, Touch::Frame, Touch::Motion { slot: 2, x: f64::NAN, y: 7.0 }, Touch::Down { slot: 1, x: -5.0, y: f64::INFINITY }, Touch::Up { slot: 1 }] {
        fixture.touch(touch);
    }
    let (mut client, _w, _) = window(&mut fixture);
    fixture.sync(&mut client);
    assert!(!client.is_dead());
}
