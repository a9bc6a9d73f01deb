//! The quick settings, by keys, by the mouse and as other programs see them.

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use common::{Fixture, key, until};
use desktop_settings::{Appearance, Scheme, Settings};
use gde_compositor::quick::facts::{Battery, Card, Facts, Link};
use gde_compositor::theme::colours;
use gde_ipc::{Answer, Notice, QuickControl, Request, Urgency};
use gde_layout::Rect;
use wayland_client::protocol::wl_seat::WlSeat;

const ENTER: u16 = 28;
const SPACE: u16 = 57;
const DOWN: u16 = 108;
const PAGE_UP: u16 = 104;
const HOME: u16 = 102;
const L: u16 = 38;

/// What other programs see.
fn controls(fixture: &mut Fixture) -> Vec<QuickControl> {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    fixture.gde.add_asker(ours);
    theirs.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    theirs.write_all((serde_json::to_string(&Request::QuickSettings).unwrap() + "\n").as_bytes()).unwrap();
    fixture.dispatch();
    let mut line = String::new();
    BufReader::new(theirs).read_line(&mut line).unwrap();
    match serde_json::from_str(&line).unwrap() {
        Answer::QuickSettings { controls } => controls,
        other => panic!("{other:?}"),
    }
}

fn control(fixture: &mut Fixture, name: &str) -> QuickControl {
    controls(fixture).into_iter().find(|it| it.name == name).unwrap_or_else(|| panic!("there is no {name}"))
}

fn chosen(fixture: &mut Fixture) -> Option<String> {
    controls(fixture).into_iter().find(|it| it.is_chosen).map(|it| it.name)
}

fn tap(fixture: &mut Fixture, code: u16) {
    fixture.press(code);
    fixture.release(code);
}

fn click(fixture: &mut Fixture, name: &str) {
    let it = control(fixture, name);
    fixture.point(it.x + it.width / 2, it.y + it.height / 2);
    fixture.button(true);
    fixture.button(false);
}

fn open(fixture: &mut Fixture) {
    fixture.gde.act(&"quick-settings".parse().unwrap()).unwrap();
    until(fixture, "the machine was looked at", |fixture| control(fixture, "network").detail != "One moment");
    // From now on nothing but what a test says.
    fixture.gde.take_facts(facts(Link::Connected, None));
    fixture.settle();
}

fn facts(link: Link, battery: Option<Battery>) -> Facts {
    let address = (link == Link::Connected).then(|| "192.0.2.7".parse().unwrap());
    Facts { cards: vec![Card { name: "eth7".into(), address, link }], battery }
}

fn at_home() -> (Fixture, tempfile::TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("genai/desktop.toml");
    let mut fixture = Fixture::new();
    fixture.gde.follow_settings(&path);
    // Nothing of what a test presses is to end this machine.
    let mark = |name: &str| format!("touch {}", home.path().join(name).display());
    fixture.gde.quick.commands.restart = mark("restart");
    fixture.gde.quick.commands.power_off = mark("power-off");
    fixture.gde.quick.commands.settings = mark("settings");
    fixture.gde.quick.commands.network = mark("network");
    (fixture, home, path)
}

/// The pixels of a part of the screen.
fn part(fixture: &mut Fixture, area: Rect) -> Vec<u32> {
    let picture = fixture.picture();
    let row = |y: i32| picture.pixels()[y as usize * picture.width() + area.x as usize..][..area.w as usize].to_vec();
    (area.y..area.bottom()).flat_map(row).collect()
}

fn place(it: &QuickControl) -> Rect {
    Rect::new(it.x, it.y, it.width, it.height)
}

#[test]
fn the_keyboard_reaches_everything() {
    let (mut fixture, _home, path) = at_home();
    let mut client = fixture.client();
    client.bind::<WlSeat>().get_keyboard(&client.qh, ());
    let window = client.toplevel();
    window.surface.commit();
    fixture.sync(&mut client);
    client.show(&window.surface, 600, 400, 0xffff_0000);
    fixture.sync(&mut client);
    assert!(client.heard.has_keyboard && controls(&mut fixture).is_empty());
    fixture.chord(key::SUPER, key::A);
    fixture.sync(&mut client);
    assert!(!client.heard.has_keyboard && !controls(&mut fixture).is_empty());
    let before = client.heard.keys.len();
    assert_eq!(chosen(&mut fixture), None);
    let all: Vec<String> = controls(&mut fixture).into_iter().map(|it| it.name).collect();
    for name in &all {
        tap(&mut fixture, key::TAB);
        assert_eq!(chosen(&mut fixture).as_ref(), Some(name));
    }
    tap(&mut fixture, key::TAB);
    assert_eq!(chosen(&mut fixture).as_deref(), Some("dark"));
    tap(&mut fixture, key::RIGHT);
    assert_eq!(chosen(&mut fixture).as_deref(), Some("do-not-disturb"));
    tap(&mut fixture, ENTER);
    assert!(fixture.gde.notices.is_quiet && control(&mut fixture, "do-not-disturb").is_on == Some(true));
    tap(&mut fixture, key::LEFT);
    tap(&mut fixture, SPACE);
    until(&mut fixture, "it is kept", |_| Settings::read(&path).is_ok_and(|it| it.appearance.scheme == Scheme::Light));
    assert_eq!(control(&mut fixture, "dark").is_on, Some(false));
    for _ in 0..20 {
        tap(&mut fixture, DOWN);
    }
    assert!(["lock", "log-out", "restart", "power-off"].contains(&chosen(&mut fixture).unwrap().as_str()));
    tap(&mut fixture, key::ESC);
    fixture.sync(&mut client);
    assert!(controls(&mut fixture).is_empty() && client.heard.has_keyboard);
    assert_eq!(client.heard.keys.len(), before, "a client has heard keys that were not for it");
    // A key that is about windows is done, and the box goes.
    open(&mut fixture);
    fixture.chord(key::SUPER, key::LEFT);
    assert!(controls(&mut fixture).is_empty() && fixture.frame_of_focus().x == 0);
}

#[test]
fn the_mouse_reaches_everything() {
    let (mut fixture, _home, path) = at_home();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, "[later]\nthing = 1\n").unwrap();
    open(&mut fixture);
    // As quickly as one likes: what is kept is the last.
    for _ in 0..3 {
        click(&mut fixture, "larger-text");
    }
    click(&mut fixture, "smaller-text");
    click(&mut fixture, "animations");
    click(&mut fixture, "accent-green");
    let now = fixture.gde.chosen.appearance;
    assert_eq!((now.text_percent, now.animations, now.accent), (125, false, Appearance::ACCENTS[2].0));
    assert_eq!(colours().accent, 0xff00_0000 | now.accent.0);
    until(&mut fixture, "it is kept", |_| Settings::read(&path).is_ok_and(|it| it.appearance == now));
    until(&mut fixture, "and heard of", |_| true);
    assert_eq!(fixture.gde.chosen.appearance, now);
    assert!(fs::read_to_string(&path).unwrap().contains("thing = 1"));
    let on: Vec<String> = controls(&mut fixture).into_iter().filter(|it| it.is_on == Some(true)).map(|it| it.name).collect();
    assert_eq!(on, ["dark", "accent-green", "network"]);
    for _ in 0..9 {
        click(&mut fixture, "larger-text");
    }
    assert_eq!(fixture.gde.chosen.appearance.text_percent, Appearance::TEXT.1);
    // A file that is not understood is left alone: it is said, and what holds is what held.
    until(&mut fixture, "all is kept", |_| Settings::read(&path).is_ok_and(|it| it.appearance.text_percent == Appearance::TEXT.1));
    until(&mut fixture, "and heard of", |_| true);
    std::thread::sleep(Duration::from_millis(20));
    fixture.dispatch();
    fs::write(&path, "[appearance").unwrap();
    fixture.dispatch();
    click(&mut fixture, "accent-rose");
    until(&mut fixture, "a complaint", |fixture| !fixture.gde.notices.seen().is_empty());
    assert_eq!(fixture.gde.notices.seen()[0].1, "This setting could not be kept");
    assert_eq!((fixture.gde.chosen.appearance.accent, fs::read_to_string(&path).unwrap().as_str()), (Appearance::ACCENTS[2].0, "[appearance"));
    // Beside the box: it goes.
    let area = fixture.gde.quick.area().unwrap();
    fixture.point(area.x - 20, area.bottom() + 20);
    fixture.button(true);
    fixture.button(false);
    assert!(controls(&mut fixture).is_empty());
}

#[test]
fn the_clock_opens_and_closes_it() {
    let (mut fixture, _home, _path) = at_home();
    fixture.gde.panel.is_shown = true;
    fixture.settle();
    fixture.point(400, 700);
    // Right of the clock, whatever that says.
    let panel = Rect::new(1268, 8, 4, 14);
    let closed = part(&mut fixture, panel);
    for is_open in [true, false, true] {
        fixture.point(1240, 15);
        fixture.button(true);
        fixture.button(false);
        assert_eq!(fixture.gde.quick.is_open(), is_open);
        // The pointer is drawn, too.
        fixture.point(400, 700);
        assert_eq!(part(&mut fixture, panel) != closed, is_open);
    }
    // Other things that take all input, and the lock, put it away.
    fixture.gde.act(&"launcher".parse().unwrap()).unwrap();
    assert!(!fixture.gde.quick.is_open() && fixture.gde.launcher.is_some());
    open(&mut fixture);
    assert!(fixture.gde.launcher.is_none());
    fixture.gde.lock_now();
    assert!(!fixture.gde.quick.is_open());
    fixture.chord(key::SUPER, key::A);
    assert!(!fixture.gde.quick.is_open() && fixture.gde.act(&"quick-settings".parse().unwrap()).is_err());
}

#[test]
fn what_is_grave_is_pressed_twice() {
    let (mut fixture, home, _path) = at_home();
    let is_there = |name: &str| home.path().join(name).exists();
    open(&mut fixture);
    click(&mut fixture, "power-off");
    assert_eq!(control(&mut fixture, "power-off").label, "Press again");
    // A double click is no decision; something else takes it back; so does time.
    click(&mut fixture, "power-off");
    assert!(fixture.gde.quick.is_open());
    click(&mut fixture, "restart");
    assert_eq!(control(&mut fixture, "power-off").label, "Power off");
    fixture.pass(Duration::from_secs(6));
    fixture.gde.expire_armed();
    assert_eq!(control(&mut fixture, "restart").label, "Restart");
    click(&mut fixture, "restart");
    fixture.pass(Duration::from_secs(1));
    click(&mut fixture, "animations");
    click(&mut fixture, "restart");
    assert!(fixture.gde.quick.is_open());
    fixture.pass(Duration::from_secs(1));
    click(&mut fixture, "restart");
    assert!(!fixture.gde.quick.is_open());
    until(&mut fixture, "the command", |_| is_there("restart"));
    open(&mut fixture);
    click(&mut fixture, "settings");
    until(&mut fixture, "the command", |_| is_there("settings"));
    assert!(!fixture.gde.quick.is_open() && !is_there("power-off") && !is_there("network"));
    // What is not there is said.
    fixture.gde.quick.commands.power_off = "surely-no-program".into();
    open(&mut fixture);
    click(&mut fixture, "power-off");
    fixture.pass(Duration::from_secs(1));
    click(&mut fixture, "power-off");
    assert_eq!(fixture.gde.notices.seen()[0].1, "The machine cannot be switched off");
    open(&mut fixture);
    click(&mut fixture, "log-out");
    assert!(!fixture.gde.is_stopping);
    fixture.pass(Duration::from_secs(1));
    click(&mut fixture, "log-out");
    assert!(fixture.gde.is_stopping);
}

#[test]
fn nothing_is_drawn_while_nothing_changes() {
    let (mut fixture, _home, _path) = at_home();
    open(&mut fixture);
    fixture.settle();
    let frames = fixture.gde.screens[0].frames;
    for _ in 0..50 {
        fixture.gde.take_facts(facts(Link::Connected, None));
        fixture.frame();
    }
    assert_eq!(fixture.gde.screens[0].frames, frames);
    let network = place(&control(&mut fixture, "network"));
    let connected = part(&mut fixture, network);
    fixture.gde.take_facts(facts(Link::NoLink, None));
    assert_eq!(control(&mut fixture, "network").detail, "No cable");
    assert_ne!(part(&mut fixture, network), connected);
    // A battery makes the box higher, and moves what is below.
    let (before, lock) = (fixture.gde.quick.area().unwrap(), control(&mut fixture, "lock").y);
    fixture.gde.take_facts(facts(Link::Connected, Some(Battery { percent: 40, is_charging: true })));
    let after = fixture.gde.quick.area().unwrap();
    assert!(after.h > before.h && control(&mut fixture, "lock").y - lock == after.h - before.h);
    assert_eq!(part(&mut fixture, network), connected);
}

#[test]
fn what_is_drawn_is_what_holds() {
    let (mut fixture, _home, _path) = at_home();
    open(&mut fixture);
    let count = |pixels: &[u32], colour: u32| pixels.iter().filter(|pixel| **pixel & 0xff_ffff == colour & 0xff_ffff).count();
    for light in [false, true] {
        if light {
            click(&mut fixture, "dark");
        }
        fixture.point(20, 780);
        let (accent, ground) = (colours().accent, colours().ground);
        for name in ["dark", "do-not-disturb", "animations"] {
            let it = control(&mut fixture, name);
            let area = place(&it);
            let filled = count(&part(&mut fixture, area), accent);
            // Most of a switch that is on has the accent's colour, and nothing of one that is off.
            let most = (area.w * area.h) as usize * 3 / 4;
            assert!(if it.is_on == Some(true) { filled > most } else { filled == 0 }, "{name}: {filled} of {most}");
        }
        let area = fixture.gde.quick.area().unwrap();
        let whole = part(&mut fixture, area);
        assert!(count(&whole, ground) > whole.len() / 2, "light: {light}");
        // Under the pointer a control looks otherwise, and where the keyboard is.
        let lock = control(&mut fixture, "lock");
        let calm = part(&mut fixture, place(&lock).inset(-4));
        fixture.point(lock.x + 5, lock.y + 40);
        fixture.point(lock.x + 6, lock.y + lock.height - 4);
        assert_ne!(part(&mut fixture, Rect::new(lock.x, lock.y, lock.width, 12)), part(&mut fixture, Rect::new(lock.x, lock.y - 20, lock.width, 12)));
        fixture.point(20, 780);
        assert_eq!(part(&mut fixture, place(&lock).inset(-4)), calm);
    }
}

#[test]
fn months_are_turned_over() {
    let (mut fixture, _home, _path) = at_home();
    open(&mut fixture);
    let month = |fixture: &mut Fixture| control(fixture, "this-month").label;
    let (first, area) = (month(&mut fixture), fixture.gde.quick.area().unwrap());
    let days = Rect::new(area.x + 10, area.y + 140, 245, 200);
    let picture = part(&mut fixture, days);
    tap(&mut fixture, PAGE_UP);
    assert!(month(&mut fixture) != first && part(&mut fixture, days) != picture);
    click(&mut fixture, "later-month");
    assert_eq!(month(&mut fixture), first);
    for _ in 0..30 {
        click(&mut fixture, "later-month");
    }
    assert_ne!(month(&mut fixture), first);
    tap(&mut fixture, HOME);
    fixture.point(20, 780);
    assert_eq!((month(&mut fixture), part(&mut fixture, days)), (first, picture));
}

#[test]
fn notices_make_room() {
    let (mut fixture, _home, _path) = at_home();
    let id = fixture.gde.notify(Notice { title: "urgent".into(), urgency: Urgency::Critical, ..Notice::default() }, None);
    open(&mut fixture);
    let area = fixture.gde.quick.area().unwrap();
    assert_eq!(fixture.gde.notices.at(gde_layout::Point { x: area.x - 30, y: area.y + 20 }), Some(id));
    assert_eq!(fixture.gde.notices.at(gde_layout::Point { x: area.x + 30, y: area.y + 20 }), None);
    tap(&mut fixture, key::ESC);
    assert_eq!(fixture.gde.notices.at(gde_layout::Point { x: 1200, y: area.y + 20 }), Some(id));
    // On a small screen the box has no room for the month, and stays on it.
    fixture.gde.set_mode("TEST-1", desktop_settings::Size { width: 800, height: 600 }).unwrap();
    open(&mut fixture);
    assert!(Rect::new(0, 0, 800, 600).contains_rect(&fixture.gde.quick.area().unwrap()));
    fixture.chord(key::SUPER, L);
}
