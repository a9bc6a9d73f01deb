//! Menus of programs at the right of the panel.

mod common;

use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixStream;

use common::{Fixture, ask, connect};
use gde_ipc::{Answer, Event, Mark, Menu, MenuItem, Request};

const ESCAPE: u16 = 1;
const ENTER: u16 = 28;
const SPACE: u16 = 57;
const UP: u16 = 103;
const LEFT: u16 = 105;
const RIGHT: u16 = 106;
const DOWN: u16 = 108;

/// The next end of a menu that a listener hears of.
fn closed(listener: &mut BufReader<UnixStream>) -> (u32, Option<i32>) {
    loop {
        let mut line = String::new();
        listener.read_line(&mut line).unwrap();
        if let Event::MenuClosed { id, item } = serde_json::from_str(&line).unwrap() {
            return (id, item);
        }
    }
}

fn line(id: i32, label: &str) -> MenuItem {
    MenuItem { id, label: label.into(), ..MenuItem::default() }
}

fn menu(id: u32) -> Menu {
    let items = vec![
        line(1, "Open"),
        line(2, ""),
        MenuItem { is_enabled: false, ..line(3, "Not now") },
        MenuItem { mark: Mark::Check, ..line(4, "Sound") },
        MenuItem { items: vec![line(6, "Deep"), line(7, "Deeper")], ..line(5, "More") },
    ];
    Menu { id, items }
}

struct World {
    fixture: Fixture,
    listener: BufReader<UnixStream>,
    owner: BufReader<UnixStream>,
}

impl World {
    fn new() -> World {
        let mut fixture = Fixture::new();
        fixture.gde.panel.is_shown = true;
        let mut listener = connect(&mut fixture);
        assert_eq!(ask(&mut fixture, &mut listener, &Request::Events), Answer::Done);
        let owner = connect(&mut fixture);
        World { fixture, listener, owner }
    }

    fn show(&mut self, menu: Menu) -> Answer {
        let answer = ask(&mut self.fixture, &mut self.owner, &Request::ShowMenu { menu });
        self.fixture.settle();
        answer
    }

    fn key(&mut self, code: u16) {
        self.fixture.press(code);
        self.fixture.release(code);
        self.fixture.settle();
    }

    /// Upper left corner, and size.
    fn area(&self) -> (i32, i32, i32, i32) {
        let it = self.fixture.gde.menu.as_ref().expect("it is open").area();
        (it.x, it.y, it.w, it.h)
    }

    fn press(&mut self, x: i32, y: i32) {
        self.fixture.point(x, y);
        self.fixture.button(true);
        self.fixture.button(false);
        self.fixture.settle();
    }
}

#[test]
fn items_are_chosen_by_keys() {
    let mut world = World::new();
    assert_eq!(world.show(menu(1)), Answer::Done);
    for key in [DOWN, DOWN, ENTER] {
        world.key(key);
    }
    assert_eq!(closed(&mut world.listener), (1, Some(4)), "what cannot be chosen is passed over");
    // Into the menu behind the last one, back, and in again.
    world.show(menu(2));
    for key in [UP, RIGHT, LEFT, ENTER, DOWN, SPACE] {
        world.key(key);
    }
    assert_eq!(closed(&mut world.listener), (2, Some(7)));
    world.show(menu(3));
    for key in [UP, RIGHT, ESCAPE, ESCAPE] {
        world.key(key);
    }
    assert_eq!(closed(&mut world.listener), (3, None));
}

#[test]
fn items_are_chosen_by_the_pointer() {
    let mut world = World::new();
    world.fixture.point(1200, 10);
    world.show(menu(1));
    let (x, y, w, h) = world.area();
    assert!(x + w <= 1280 - 6 && x > 800 && y == 36, "{x} {y} {w} {h}");
    // What cannot be chosen does nothing; a line with a menu leads there.
    world.press(x + 40, y + 6 + 30 + 9 + 15);
    world.press(x + 40, y + h - 20);
    let (x, y, _, inside) = world.area();
    assert_eq!(inside, 6 + 3 * 30 + 6);
    world.press(x + 40, y + 6 + 30 + 15);
    assert_eq!(closed(&mut world.listener), (1, Some(6)));
    world.show(menu(2));
    world.press(100, 600);
    assert_eq!(closed(&mut world.listener), (2, None));
    assert!(world.fixture.gde.menu.is_none());
}

#[test]
fn long_menus_are_moved_through() {
    let mut world = World::new();
    let items = (0..100).map(|id| line(id, "One of many")).collect();
    world.show(Menu { id: 1, items });
    let (_, y, _, h) = world.area();
    assert!(y + h <= 800, "it stays on the screen");
    for _ in 0..100 {
        world.key(DOWN);
    }
    world.key(ENTER);
    assert_eq!(closed(&mut world.listener), (1, Some(99)));
}

#[test]
fn menus_end_with_their_owner() {
    let mut world = World::new();
    for bad in [Menu::default(), Menu { id: 1, items: (0..600).map(|id| line(id, "x")).collect() }] {
        assert!(matches!(world.show(bad), Answer::Failed { .. }));
    }
    world.show(menu(1));
    world.show(menu(2));
    assert_eq!(closed(&mut world.listener), (1, None), "one takes the place of another");
    let (ours, theirs) = UnixStream::pair().unwrap();
    drop(ours);
    drop(std::mem::replace(&mut world.owner, BufReader::new(theirs)));
    world.fixture.dispatch();
    assert_eq!(closed(&mut world.listener), (2, None));
    assert!(world.fixture.gde.menu.is_none());
}
