//! What the desktop does for the session: pictures of the screen, notices, the lock.

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use common::{Fixture, key, until};
use gde_ipc::{Event, Notice, Picture, Reason, Urgency};
use wayland_client::protocol::wl_seat::WlSeat;
use wayland_protocols::xdg::activation::v1::client::xdg_activation_v1::XdgActivationV1;

const RED: u32 = 0xffff_0000;
const PRINT: u16 = 99;
const SHIFT: u16 = 42;
const ENTER: u16 = 28;
const B: u16 = 48;
const L: u16 = 38;

/// A desktop whose user has a home.
fn at_home() -> (Fixture, tempfile::TempDir) {
    let home = tempfile::tempdir().unwrap();
    let mut fixture = Fixture::new();
    fixture.gde.environment.push(("HOME".into(), home.path().into()));
    (fixture, home)
}

fn shots(home: &tempfile::TempDir) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = fs::read_dir(home.path().join("Pictures/Screenshots")).into_iter().flatten().flatten().map(|it| it.path()).collect();
    all.sort();
    all
}

fn size_of(path: &PathBuf) -> (u32, u32) {
    let reader = png::Decoder::new(BufReader::new(fs::File::open(path).unwrap())).read_info().unwrap();
    (reader.info().width, reader.info().height)
}

fn seen(fixture: &Fixture) -> Vec<String> {
    fixture.gde.notices.seen().into_iter().map(|it| it.1.to_owned()).collect()
}

#[test]
fn keys_take_pictures() {
    let (mut fixture, home) = at_home();
    fixture.press(PRINT);
    fixture.release(PRINT);
    until(&mut fixture, "a notice", |fixture| !seen(fixture).is_empty());
    assert_eq!(seen(&fixture), ["Picture of the screen taken"]);
    let all = shots(&home);
    assert_eq!((all.len(), size_of(&all[0])), (1, (1280, 800)));
    // A part: from corner to corner, whichever.
    fixture.press(SHIFT);
    fixture.press(PRINT);
    fixture.release(PRINT);
    fixture.release(SHIFT);
    assert!(fixture.gde.region.is_some());
    let dark = fixture.pixel(100, 700);
    fixture.point(500, 400);
    fixture.button(true);
    fixture.point(300, 250);
    assert_ne!(fixture.pixel(400, 300), dark);
    fixture.button(false);
    assert!(fixture.gde.region.is_none());
    until(&mut fixture, "another file", |fixture| shots(&home).len() == 2 && seen(fixture).len() == 2);
    assert_eq!(shots(&home).iter().filter(|it| size_of(it) == (201, 151)).count(), 1);
    fixture.chord(key::ALT, PRINT);
    fixture.settle();
    assert_eq!(shots(&home).len(), 2, "there is no window");
}

#[test]
fn a_choice_can_be_left() {
    let (mut fixture, home) = at_home();
    let mut client = fixture.client();
    client.bind::<WlSeat>().get_keyboard(&client.qh, ());
    let window = client.toplevel();
    window.surface.commit();
    fixture.sync(&mut client);
    client.show(&window.surface, 600, 400, RED);
    fixture.sync(&mut client);
    fixture.gde.act(&"screenshot region".parse().unwrap()).unwrap();
    fixture.chord(key::SUPER, key::Q);
    fixture.press(key::ESC);
    fixture.release(key::ESC);
    fixture.sync(&mut client);
    assert!(fixture.gde.region.is_none() && !client.heard.is_closed && client.heard.keys.iter().all(|it| it.0 != u32::from(key::ESC)));
    fixture.gde.act(&"screenshot window".parse().unwrap()).unwrap();
    until(&mut fixture, "a file", |fixture| shots(&home).len() == 1 && !seen(fixture).is_empty());
    let frame = fixture.frame_of_focus();
    assert_eq!(size_of(&shots(&home)[0]), (frame.w as u32, frame.h as u32));
    // A folder that cannot be made is told.
    fs::remove_dir_all(home.path().join("Pictures")).unwrap();
    fs::write(home.path().join("Pictures"), "").unwrap();
    fixture.gde.act(&"screenshot".parse().unwrap()).unwrap();
    until(&mut fixture, "a complaint", |fixture| seen(fixture).len() == 2);
    assert!(seen(&fixture)[1].contains("could not be saved"));
}

/// The other end of a connection that hears events.
fn listener(fixture: &mut Fixture) -> BufReader<UnixStream> {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    fixture.gde.add_asker(ours);
    theirs.write_all(b"{\"request\":\"events\"}\n").unwrap();
    fixture.dispatch();
    fixture.dispatch();
    theirs.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    BufReader::new(theirs)
}

/// The next event about notices.
fn next(listener: &mut BufReader<UnixStream>) -> Event {
    loop {
        let mut line = String::new();
        listener.read_line(&mut line).unwrap();
        match serde_json::from_str(&line) {
            Ok(Event::Windows { .. }) | Err(_) => {}
            Ok(event) => return event,
        }
    }
}

fn notice(title: &str) -> Notice {
    Notice { app: "Test".into(), title: title.into(), body: "Some <words> ".repeat(20), ..Notice::default() }
}

#[test]
fn notices_come_and_go() {
    let mut fixture = Fixture::new();
    let mut listener = listener(&mut fixture);
    let before = fixture.pixel(1100, 60);
    let first = fixture.gde.notify(notice("first"), None);
    assert_ne!(fixture.pixel(1100, 60), before, "it is seen");
    let again = fixture.gde.notify(notice("other words"), Some(first));
    assert_eq!((again, seen(&fixture)), (first, vec!["other words".to_owned()]));
    let urgent = fixture.gde.notify(Notice { urgency: Urgency::Critical, ..notice("urgent") }, None);
    fixture.pass(Duration::from_secs(7));
    fixture.gde.expire_notices();
    assert_eq!(next(&mut listener), Event::NoticeClosed { id: first, reason: Reason::Expired });
    assert_eq!(seen(&fixture), ["urgent"], "what is urgent stays");
    fixture.gde.close_notice(urgent, Reason::Closed);
    assert_eq!(next(&mut listener), Event::NoticeClosed { id: urgent, reason: Reason::Closed });
    assert_eq!(fixture.pixel(1100, 60), before);
    // Many wait for room, and too many go.
    (0..200).for_each(|number| {
        fixture.gde.notify(notice(&number.to_string()), None);
    });
    assert!((1..=4).contains(&seen(&fixture).len()));
    fixture.gde.act(&"toggle-quiet".parse().unwrap()).unwrap();
    assert_eq!(seen(&fixture).len(), 0);
    fixture.gde.notify(Notice { urgency: Urgency::Critical, ..notice("fire") }, None);
    assert_eq!(seen(&fixture), ["fire"], "also where others are not wanted");
}

#[test]
fn actions_are_chosen_by_clicks() {
    let mut fixture = Fixture::new();
    let mut listener = listener(&mut fixture);
    let actions = vec![("default".to_owned(), "Open".to_owned()), ("later".to_owned(), "Later".to_owned())];
    let id = fixture.gde.notify(Notice { actions: actions.clone(), body: String::new(), ..notice("a mail") }, None);
    fixture.settle();
    // On the words; then on the button below.
    fixture.point(1100, 60);
    fixture.button(true);
    fixture.button(false);
    assert_eq!(chosen(&mut listener).0, (id, "default".to_owned()));
    assert_eq!(next(&mut listener), Event::NoticeClosed { id, reason: Reason::Dismissed });
    let id = fixture.gde.notify(Notice { actions, body: String::new(), ..notice("a mail") }, None);
    fixture.settle();
    fixture.point(1100, 40 + 14 + 36 + 25);
    fixture.button(true);
    fixture.button(false);
    assert_eq!(chosen(&mut listener).0, (id, "later".to_owned()));
}

/// The next action: its notice, its name, and its token.
fn chosen(listener: &mut BufReader<UnixStream>) -> ((u32, String), String) {
    match next(listener) {
        Event::NoticeAction { id, action, token } => ((id, action), token),
        other => panic!("no action: {other:?}"),
    }
}

/// Whose notice was clicked on may come to the front, once.
#[test]
fn actions_bring_windows_to_the_front() {
    let mut fixture = Fixture::new();
    let mut listener = listener(&mut fixture);
    let mut client = fixture.client();
    let activation: XdgActivationV1 = client.bind();
    let windows = [client.toplevel(), client.toplevel()];
    for window in &windows {
        window.surface.commit();
        fixture.sync(&mut client);
        client.show(&window.surface, 300, 200, RED);
        fixture.sync(&mut client);
    }
    let second = fixture.gde.layout.focus();
    let mut click = |fixture: &mut Fixture| {
        fixture.gde.notify(Notice { actions: vec![("default".to_owned(), String::new())], ..notice("a mail") }, None);
        fixture.settle();
        fixture.point(1100, 60);
        fixture.button(true);
        fixture.button(false);
        let token = chosen(&mut listener).1;
        assert!(matches!(next(&mut listener), Event::NoticeClosed { .. }));
        token
    };
    let activate = |fixture: &mut Fixture, client: &mut common::client::Client, token: &str, window: usize| {
        activation.activate(token.to_owned(), &windows[window].surface);
        fixture.sync(client);
        fixture.gde.layout.focus()
    };
    assert_eq!(activate(&mut fixture, &mut client, "made-up", 0), second);
    let token = click(&mut fixture);
    let first = activate(&mut fixture, &mut client, &token, 0);
    assert_ne!(first, second);
    assert_eq!(activate(&mut fixture, &mut client, &token, 1), first, "it holds once");
    let token = click(&mut fixture);
    assert_eq!(activate(&mut fixture, &mut client, &token, 1), second);
}

#[test]
fn notices_have_pictures() {
    let mut fixture = Fixture::new();
    let before = fixture.pixel(1280 - 10 - 360 + 14 + 24, 30 + 10 + 14 + 24);
    let pixels = [0x20, 0xc0, 0x40, 0xff].repeat(48 * 48);
    let id = fixture.gde.notify(Notice { picture: Picture::new(48, 48, pixels), body: String::new(), ..notice("green") }, None);
    let at = |fixture: &mut Fixture, y: usize| fixture.pixel(1280 - 10 - 360 + 14 + 24, y) & 0xff_ffff;
    let rows = (30..200).filter(|y| at(&mut fixture, *y) == 0x20_c040).count();
    assert_eq!(rows, 48);
    fixture.gde.close_notice(id, Reason::Closed);
    assert_eq!(fixture.pixel(1280 - 10 - 360 + 14 + 24, 30 + 10 + 14 + 24), before);
}

/// A notice goes by itself; one that has changed has only its last time.
#[test]
fn time_takes_notices_away() {
    let mut fixture = Fixture::new();
    let short = Notice { timeout_ms: Some(30), ..notice("short") };
    let id = fixture.gde.notify(short.clone(), None);
    for _ in 0..100 {
        assert_eq!(fixture.gde.notify(short.clone(), Some(id)), id);
    }
    let long = fixture.gde.notify(short, None);
    fixture.gde.notify(Notice { timeout_ms: Some(0), ..notice("stays") }, Some(long));
    // The clock of the tests is set by hand; the timers are not.
    fixture.pass(Duration::from_secs(1));
    until(&mut fixture, "one is left", |fixture| seen(fixture).len() == 1);
    std::thread::sleep(Duration::from_millis(60));
    fixture.dispatch();
    assert_eq!(seen(&fixture), ["stays"]);
}

#[test]
fn the_lock_wants_the_password() {
    let mut fixture = Fixture::new();
    let mut client = fixture.client();
    client.bind::<WlSeat>().get_keyboard(&client.qh, ());
    let window = client.toplevel();
    window.surface.commit();
    fixture.sync(&mut client);
    client.show(&window.surface, 1280, 800, RED);
    fixture.sync(&mut client);
    fixture.gde.lock_now();
    if let Some(lock) = &mut fixture.gde.lock.own {
        lock.check = |_, password| Some(password == b"aab");
    }
    assert_ne!(fixture.pixel(640, 400), RED & 0xff_ffff);
    assert_ne!(fixture.pixel(640, 500), 0, "there is a field");
    let type_in = |fixture: &mut Fixture, keys: &[u16]| keys.iter().for_each(|code| {
        fixture.press(*code);
        fixture.release(*code);
    });
    type_in(&mut fixture, &[key::A, B, ENTER]);
    let checking = Instant::now();
    until(&mut fixture, "an answer", |_| checking.elapsed() > Duration::from_secs(3));
    assert!(fixture.gde.lock.is_locked, "another password does not open");
    fixture.chord(key::SUPER, key::Q);
    fixture.gde.act(&"close".parse().unwrap()).expect_err("locked");
    fixture.sync(&mut client);
    assert!(client.heard.keys.is_empty() && !client.heard.is_closed && !client.heard.has_keyboard);
    type_in(&mut fixture, &[B, key::ESC, key::A, key::A, B, ENTER]);
    until(&mut fixture, "open", |fixture| !fixture.gde.lock.is_locked);
    assert_eq!(fixture.pixel(640, 400), RED & 0xff_ffff);
    fixture.sync(&mut client);
    assert!(client.heard.has_keyboard && client.heard.keys.is_empty());
}

#[test]
fn a_lock_outlives_the_desktop() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = Fixture::new();
    first.gde.runtime_dir = Some(folder.path().to_owned());
    first.gde.lock_now();
    drop(first);
    let mut second = Fixture::new();
    second.gde.runtime_dir = Some(folder.path().to_owned());
    second.gde.resume_lock();
    assert!(second.gde.lock.is_locked);
    second.gde.end_lock();
    let mut third = Fixture::new();
    third.gde.runtime_dir = Some(folder.path().to_owned());
    third.gde.resume_lock();
    assert!(!third.gde.lock.is_locked);
    // Whoever has no password could not open it again.
    if gde_compositor::lockscreen::password_of("root") == gde_compositor::lockscreen::Password::Barred && std::env::var("USER").is_ok_and(|it| it == "root") {
        third.chord(key::SUPER, L);
        assert!(!third.gde.lock.is_locked);
        assert_eq!(seen(&third), ["The screen is not locked"]);
    }
}
