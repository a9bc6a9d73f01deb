//! Focus mode, and learning sessions.

mod common;

use std::path::Path;
use std::time::{Duration, Instant};

use common::{Client, Fixture, ask, client::Toplevel, connect, key};
use desktop_settings::{Contrast, Settings};
use gde_compositor::theme::colours;
use gde_ipc::{Answer, Lesson, Notice, Request, Urgency};

const D: u16 = 32;
const RED: u32 = 0xffff_0000;
const GREEN: u32 = 0xff00_ff00;

fn window(fixture: &mut Fixture, pixel: u32) -> (Client, Toplevel, u64) {
    let mut client = fixture.client();
    let window = client.toplevel();
    window.surface.commit();
    fixture.sync(&mut client);
    client.show(&window.surface, 400, 300, pixel);
    fixture.sync(&mut client);
    fixture.settle();
    let id = fixture.gde.layout.focus().unwrap();
    (client, window, id)
}

/// What is seen of a window in its middle.
fn seen(fixture: &mut Fixture, id: u64) -> u32 {
    let at = fixture.gde.layout.frame(id).unwrap().centre();
    fixture.pixel(at.x as usize, at.y as usize)
}

/// How bright a pixel is, of 765.
fn light(pixel: u32) -> u32 {
    [16, 8, 0].iter().map(|shift| pixel >> shift & 255).sum()
}

fn notice(title: &str, urgency: Urgency) -> Notice {
    Notice { title: title.into(), urgency, timeout_ms: Some(0), ..Notice::default() }
}

fn titles(fixture: &Fixture) -> Vec<String> {
    fixture.gde.notices.seen().into_iter().map(|it| it.1.to_owned()).collect()
}

#[test]
fn others_are_dimmed_and_quiet_until_it_is_left() {
    let mut fixture = Fixture::new();
    let (_a, _first, other) = window(&mut fixture, RED);
    let (mut client, parent, focused) = window(&mut fixture, GREEN);
    let ground = fixture.pixel(5, 790);
    fixture.gde.notify(notice("before", Urgency::Normal), None);
    fixture.chord(key::SUPER, D);
    fixture.settle();
    assert!(titles(&fixture).is_empty());
    assert_eq!(seen(&mut fixture, focused), GREEN & 0xff_ffff);
    assert!(light(seen(&mut fixture, other)) < 120, "the other window is dimmed");
    assert!(light(fixture.pixel(5, 790)) < light(ground) / 2, "and what is behind");
    common::save(&mut fixture, "focus.png");
    // A dialog belongs to its window.
    let dialog = client.toplevel();
    dialog.toplevel.set_parent(Some(&parent.toplevel));
    dialog.surface.commit();
    fixture.sync(&mut client);
    client.show(&dialog.surface, 60, 40, RED);
    fixture.sync(&mut client);
    fixture.settle();
    let frame = fixture.gde.layout.frame(focused).unwrap();
    assert_eq!(fixture.pixel(frame.x as usize + 5, frame.y as usize + 5), GREEN & 0xff_ffff);
    fixture.gde.notify(notice("meanwhile", Urgency::Normal), None);
    fixture.gde.notify(notice("urgent", Urgency::Critical), None);
    fixture.settle();
    assert_eq!(titles(&fixture), ["urgent"]);
    // Whoever looks at the other one has that bright.
    fixture.gde.activate(other);
    assert_eq!(seen(&mut fixture, other), RED & 0xff_ffff);
    fixture.chord(key::SUPER, D);
    fixture.settle();
    assert_eq!(titles(&fixture), ["before", "meanwhile", "urgent"], "nothing is lost");
    assert_eq!((seen(&mut fixture, other), fixture.pixel(5, 790)), (RED & 0xff_ffff, ground));
}

#[test]
fn what_was_quiet_stays_so() {
    let mut fixture = Fixture::new();
    fixture.gde.set_quiet(true);
    fixture.gde.set_focus_mode(true);
    fixture.gde.set_focus_mode(false);
    assert!(fixture.gde.notices.is_quiet);
    fixture.gde.set_focus_mode(true);
    fixture.gde.set_quiet(false);
    fixture.gde.set_focus_mode(false);
    assert!(!fixture.gde.notices.is_quiet, "what was said meanwhile holds");
}

fn until_kept(fixture: &mut Fixture, path: &Path, is_so: impl Fn(&Settings) -> bool) -> Settings {
    let limit = Instant::now() + Duration::from_secs(20);
    loop {
        fixture.dispatch();
        let settings = Settings::read(path).unwrap();
        if is_so(&settings) {
            return settings;
        }
        assert!(Instant::now() < limit, "never kept");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_learning_session_lasts_as_long_as_its_program() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("desktop.toml");
    Settings::change(&path, |it| it.appearance.text_percent = 110).unwrap();
    let mut fixture = Fixture::new();
    fixture.gde.follow_settings(&path);
    let plain = colours();
    let mut learner = connect(&mut fixture);
    let lesson = Lesson { text_percent: Some(125), high_contrast: true, focus: true };
    assert_eq!(ask(&mut fixture, &mut learner, &Request::Lesson { lesson: Some(lesson) }), Answer::Lesson { lesson });
    assert!(fixture.gde.focus_mode.is_on());
    assert_ne!(colours(), plain);
    let kept = until_kept(&mut fixture, &path, |it| it.lesson.is_some());
    assert_eq!((kept.look().text_percent, kept.look().contrast), (125, Contrast::High));
    assert_eq!((kept.appearance.text_percent, kept.appearance.contrast), (110, Contrast::Normal), "the user's choice is kept");
    let mut other = connect(&mut fixture);
    assert!(matches!(ask(&mut fixture, &mut other, &Request::Lesson { lesson: Some(lesson) }), Answer::Failed { .. }), "there is one at a time");
    drop(learner);
    let kept = until_kept(&mut fixture, &path, |it| it.lesson.is_none());
    assert_eq!(kept.look().text_percent, 110);
    assert!(!fixture.gde.focus_mode.is_on());
    assert_eq!(colours(), plain);
    // A user who was in it before, or has left it, decides.
    fixture.gde.set_focus_mode(true);
    assert_eq!(ask(&mut fixture, &mut other, &Request::Lesson { lesson: Some(lesson) }), Answer::Lesson { lesson });
    drop(other);
    until_kept(&mut fixture, &path, |it| it.lesson.is_none());
    common::until(&mut fixture, "the end of the session", |fixture| fixture.gde.chosen.lesson.is_none());
    assert!(fixture.gde.focus_mode.is_on());
    fixture.gde.focus_mode.has_lessons = false;
    let mut third = connect(&mut fixture);
    assert!(matches!(ask(&mut fixture, &mut third, &Request::Lesson { lesson: Some(lesson) }), Answer::Failed { .. }));
}

#[test]
fn a_session_that_wants_nothing_of_its_own_is_as_the_user_has_set() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("desktop.toml");
    Settings::change(&path, |it| it.learning.text_percent = Some(150)).unwrap();
    let mut fixture = Fixture::new();
    fixture.gde.follow_settings(&path);
    let mut learner = connect(&mut fixture);
    let lesson = Lesson { text_percent: Some(150), high_contrast: false, focus: true };
    assert_eq!(ask(&mut fixture, &mut learner, &Request::Lesson { lesson: None }), Answer::Lesson { lesson });
    assert!(fixture.gde.focus_mode.is_on());
    assert_eq!(until_kept(&mut fixture, &path, |it| it.lesson.is_some()).look().text_percent, 150);
    // Other settings hold at once; what the user has switched by hand stays.
    fixture.gde.set_focus_mode(false);
    Settings::change(&path, |it| it.learning.contrast = Contrast::High).unwrap();
    let kept = until_kept(&mut fixture, &path, |it| it.lesson.is_some_and(|it| it.contrast == Contrast::High));
    assert_eq!((kept.look().text_percent, fixture.gde.focus_mode.is_on()), (150, false));
    Settings::change(&path, |it| (it.learning.focus, it.learning.text_percent) = (false, None)).unwrap();
    until_kept(&mut fixture, &path, |it| it.lesson.is_some_and(|it| it.text_percent.is_none()));
    drop(learner);
    let kept = until_kept(&mut fixture, &path, |it| it.lesson.is_none());
    assert_eq!((kept.look(), kept.learning.contrast), (kept.appearance, Contrast::High));
}

#[test]
fn what_a_dead_desktop_has_left_goes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("desktop.toml");
    std::fs::write(&path, "[lesson]\ntext_percent = 150\ncontrast = \"high\"\n").unwrap();
    let mut fixture = Fixture::new();
    let plain = colours();
    fixture.gde.follow_settings(&path);
    assert_ne!(colours(), plain);
    fixture.gde.forget_lesson();
    until_kept(&mut fixture, &path, |it| it.lesson.is_none());
    assert_eq!(colours(), plain);
}
