//! Windows that are used together are learnt of, and an arrangement is offered.

mod common;

use std::path::{Path, PathBuf};
use std::time::Duration;

use common::{Client, Fixture, client::Toplevel, key};
use desktop_settings::Settings;
use gde_compositor::theme;
use gde_habits::Initiative;
use gde_layout::{Rect, State, Zone};

const ENTER: u16 = 28;
const LEFT_HALF: Rect = Rect { x: 0, y: 0, w: 640, h: 800 };

fn window(fixture: &mut Fixture, app: &str, pixel: u32) -> (Client, Toplevel, u64) {
    let mut client = fixture.client();
    let window = client.toplevel();
    client.decorate(&window);
    window.toplevel.set_title(app.into());
    window.toplevel.set_app_id(app.into());
    window.surface.commit();
    fixture.sync(&mut client);
    client.show(&window.surface, 500, 400, pixel);
    fixture.sync(&mut client);
    fixture.settle();
    let id = fixture.gde.layout.focus().expect("a window");
    (client, window, id)
}

struct World {
    fixture: Fixture,
    /// The program that is arranged, and the one beside it, which has the keyboard.
    left: (Client, Toplevel, u64),
    right: (Client, Toplevel, u64),
}

impl World {
    fn new(path: Option<&Path>) -> World {
        let mut fixture = Fixture::new();
        if let Some(path) = path {
            fixture.gde.remember_arrangements(path.to_owned());
        }
        let left = window(&mut fixture, "org.example.Writer", 0xffe8_e4da);
        let right = window(&mut fixture, "reader", 0xff28_3040);
        World { fixture, left, right }
    }

    fn put(&mut self, id: u64, state: State) {
        self.fixture.gde.layout.set_state(id, state);
        self.fixture.gde.layout_changed();
        self.fixture.settle();
    }

    /// The user works for a while, with the windows where they are wanted, and comes back after a pause.
    fn session(&mut self) {
        self.put(self.left.2, State::Snapped(Zone::Left));
        self.put(self.right.2, State::Snapped(Zone::Right));
        self.pause();
    }

    fn pause(&mut self) {
        self.fixture.pass(Duration::from_secs(3600));
        self.fixture.press(key::A);
        self.fixture.release(key::A);
        self.fixture.settle();
    }

    /// After so many sessions the windows are elsewhere.
    fn after(sessions: usize, path: Option<&Path>) -> World {
        let mut world = World::new(path);
        (0..sessions).for_each(|_| world.session());
        world.put(world.left.2, State::Free);
        world.put(world.right.2, State::Free);
        world
    }

    fn look(&mut self) -> bool {
        self.fixture.gde.look_for_offer();
        self.fixture.settle();
        self.fixture.gde.arrangement.notice().is_some()
    }

    fn frame(&self, id: u64) -> Rect {
        self.fixture.gde.layout.frame(id).expect("a window")
    }
}

fn file() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gde/habits.json");
    (folder, path)
}

#[test]
fn an_offer_is_shown_accepted_and_undone() {
    let mut world = World::after(4, None);
    world.fixture.gde.panel.is_shown = true;
    world.fixture.gde.screens_changed();
    let (before, beside) = (world.frame(world.left.2), world.frame(world.right.2));
    assert!(world.look());
    let seen = world.fixture.gde.notices.seen();
    assert_eq!(seen[0].1, "Put Writer left?");
    assert_eq!(world.frame(world.left.2), before, "nothing moves before the user says so");
    // The sketch shows where.
    let accent = theme::colours().accent & 0xff_ffff;
    let picture = world.fixture.picture();
    let coloured = picture.pixels().iter().enumerate().filter(|(at, it)| **it & 0xff_ffff == accent && at % 1280 > 900 && at / 1280 > 40).count();
    assert!((200..800).contains(&coloured), "{coloured}");
    common::save(&mut world.fixture, "offer.png");
    let depth = world.fixture.gde.layout.undo_depth();
    world.fixture.chord(key::SUPER, ENTER);
    world.fixture.settle();
    let left = world.fixture.gde.layout.areas()[0].usable;
    assert_eq!(world.frame(world.left.2), Rect { w: 640, ..left });
    assert_eq!(world.frame(world.right.2), beside, "the window with the keyboard stays");
    assert!(world.fixture.gde.notices.seen().is_empty());
    assert_eq!(world.fixture.gde.layout.undo_depth(), depth + 1, "it is one change");
    world.fixture.chord(key::SUPER, key::Z);
    assert_eq!(world.frame(world.left.2), before);
    assert!(!world.look(), "what was taken back is not offered again at once");
    assert!(world.fixture.gde.arrangement.habits().reluctance("org.example.Writer", world.fixture.gde.clock.wall()) > 0.5);
}

#[test]
fn what_is_dismissed_is_offered_less() {
    let mut world = World::after(4, None);
    let mut offers = 0;
    for _ in 0..8 {
        if world.look() {
            offers += 1;
            world.fixture.chord(key::SUPER, key::ESC);
            world.fixture.settle();
            assert!(world.fixture.gde.notices.seen().is_empty());
            assert!(!world.look(), "not again in this session");
        }
        // Another session begins; nobody has arranged anything in the one before.
        world.pause();
    }
    assert!((1..=3).contains(&offers), "{offers} offers in 8 sessions");
    assert_ne!(world.frame(world.left.2), LEFT_HALF);
}

#[test]
fn keys_of_offers_belong_to_programs_otherwise() {
    let mut world = World::after(1, None);
    let client = &mut world.right.0;
    client.bind::<wayland_client::protocol::wl_seat::WlSeat>().get_keyboard(&client.qh, ());
    world.fixture.sync(client);
    client.heard.keys.clear();
    world.fixture.chord(key::SUPER, ENTER);
    world.fixture.sync(&mut world.right.0);
    assert!(world.right.0.heard.keys.contains(&(ENTER.into(), true)));
    assert!(world.fixture.gde.accept_offer().is_err() && world.fixture.gde.dismiss_offer().is_err());
}

#[test]
fn levels_and_settings_say_whether_there_are_offers() {
    let mut world = World::after(5, None);
    world.fixture.gde.arrangement.initiative = Initiative::of(100);
    assert!(!world.look(), "a low level is silent");
    world.fixture.gde.arrangement.initiative = Initiative::of(500);
    let mut settings = Settings::default();
    settings.arrangement.offer = false;
    world.fixture.gde.apply_settings(&settings);
    assert!(!world.look());
    settings.arrangement.offer = true;
    world.fixture.gde.apply_settings(&settings);
    world.fixture.gde.set_quiet(true);
    assert!(!world.look(), "only urgent notices are wanted");
    world.fixture.gde.set_quiet(false);
    assert!(world.look());
    // Off means also what is there now.
    settings.arrangement.learn = false;
    world.fixture.gde.apply_settings(&settings);
    assert!(world.fixture.gde.arrangement.notice().is_none() && world.fixture.gde.notices.seen().is_empty());
    let known = world.fixture.gde.list_habits();
    assert!(!known.learns && !known.offers);
    (0..3).for_each(|_| world.session());
    assert_eq!(world.fixture.gde.list_habits().sessions, known.sessions, "nothing is learnt");
}

#[test]
fn an_offer_goes_when_it_is_of_no_use_any_more() {
    let mut world = World::after(4, None);
    assert!(world.look());
    // The window that would be moved gets the keyboard.
    world.fixture.gde.activate(world.left.2);
    assert!(world.fixture.gde.arrangement.notice().is_none(), "the window with the keyboard is not moved");
    world.fixture.gde.activate(world.right.2);
    assert!(world.look(), "that was no wish of the user's");
    world.put(world.left.2, State::Snapped(Zone::Left));
    assert!(world.fixture.gde.arrangement.notice().is_none(), "the user has done it");
    world.put(world.left.2, State::Free);
    assert!(world.look());
    world.left.1.toplevel.destroy();
    world.left.1.xdg_surface.destroy();
    let World { fixture, left, .. } = &mut world;
    fixture.sync(&mut left.0);
    fixture.settle();
    assert!(world.fixture.gde.arrangement.notice().is_none(), "the window is gone");
}

#[test]
fn it_is_kept_and_can_be_forgotten() {
    let (_folder, path) = file();
    let mut world = World::after(4, Some(&path));
    world.fixture.gde.end_arrangements();
    let kept = std::fs::read_to_string(&path).unwrap();
    assert!(kept.contains("org.example.Writer") && kept.len() < 4000, "{kept}");
    drop(world);
    let mut world = World::new(Some(&path));
    let known = world.fixture.gde.list_habits();
    assert_eq!((known.sessions, known.habits[0].windows.len(), known.habits[0].times), (4, 2, 4));
    assert!(world.look(), "what was learnt before counts");
    assert!(world.fixture.gde.forget_habits(Some("nobody")).is_err());
    world.fixture.gde.forget_habits(Some("org.example.Writer")).unwrap();
    assert!(!world.look());
    world.fixture.gde.forget_habits(None).unwrap();
    assert!(world.fixture.gde.list_habits().habits.is_empty());
    world.fixture.gde.end_arrangements();
    assert!(!std::fs::read_to_string(&path).unwrap().contains("Writer"));
}
