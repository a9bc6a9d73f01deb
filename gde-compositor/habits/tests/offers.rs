//! What is offered after which sessions.

use std::collections::{BTreeMap, BTreeSet};

use gde_habits::{Habits, Initiative, Moment, Offer, Place, Seen, Session, Spot, To, Together, View, When};

const DAY: i64 = 86_400;
/// Friday, 27 November 2026, ten o'clock.
const NOW: Moment = Moment(1_795_773_600);

fn place(spot: Spot, workspace: u8) -> Place {
    Place { output: "DP-1".into(), workspace, spot }
}

fn session(began: i64, apps: &[(&str, Spot, u8)]) -> Session {
    let apps: BTreeMap<String, Place> = apps.iter().map(|(app, spot, workspace)| ((*app).to_owned(), place(*spot, *workspace))).collect();
    Session { began: Moment(began), together: vec![Together { apps, seconds: 600 }] }
}

fn view(windows: &[(&str, Spot, bool)]) -> View {
    let seen = |(at, (app, spot, is_focused)): (usize, &(&str, Spot, bool))| Seen { window: at as u64 + 1, app: (*app).to_owned(), place: place(*spot, 0), is_focused: *is_focused };
    View { workspace: 0, outputs: vec!["DP-1".into()], windows: windows.iter().enumerate().map(seen).collect() }
}

const FREE: Spot = Spot::Free(gde_habits::Frame { x: 300, y: 200, w: 400, h: 500 });

/// Nine days; on seven of them the terminal was left and the browser right.
fn nine_days() -> Habits {
    Habits::of((1..=9).map(|day| {
        let terminal = if day == 4 || day == 6 { Spot::Right } else { Spot::Left };
        session(NOW.0 - day * DAY, &[("terminal", terminal, 0), ("firefox", Spot::Right, 0)])
    }))
}

fn offered(habits: &Habits, view: &View, level: u16) -> Option<Offer> {
    habits.offer(view, Initiative::of(level), &BTreeSet::new(), NOW)
}

fn name(app: &str) -> String {
    app[..1].to_uppercase() + &app[1..]
}

#[test]
fn an_arrangement_that_is_usual_is_offered_with_its_reason() {
    let habits = nine_days();
    let now = view(&[("terminal", FREE, false), ("firefox", FREE, true)]);
    let offer = offered(&habits, &now, 500).expect("an offer");
    assert_eq!(offer.why(name), "You had Firefox right and Terminal left in 7 of the last 9 sessions.");
    assert_eq!(offer.question(name), "Put Terminal left?");
    assert_eq!(offer.moves.len(), 1, "the window with the keyboard stays");
    assert_eq!((offer.moves[0].window, &offer.moves[0].to), (1, &To::Spot { output: "DP-1".into(), spot: Spot::Left }));
    // With another window between them as well.
    let more = view(&[("terminal", FREE, false), ("firefox", FREE, false), ("notes", FREE, true)]);
    assert_eq!(offered(&habits, &more, 500).expect("an offer").question(name), "Put Firefox right and Terminal left?");
}

#[test]
fn nothing_is_offered_without_reason() {
    let habits = nine_days();
    let now = view(&[("terminal", FREE, false), ("firefox", FREE, true)]);
    assert!(offered(&Habits::default(), &now, 1000).is_none());
    assert!(offered(&habits, &now, 200).is_none(), "a low level is silent");
    assert!(offered(&habits, &view(&[("terminal", Spot::Left, false), ("firefox", FREE, true)]), 1000).is_none(), "it is as usual");
    assert!(offered(&habits, &view(&[("terminal", FREE, false)]), 1000).is_none(), "the other one is not there");
    assert!(offered(&habits, &view(&[("terminal", FREE, false), ("terminal", FREE, false), ("firefox", FREE, true)]), 1000).is_none(), "which of the two?");
    let elsewhere = View { outputs: vec!["DP-2".into()], ..now.clone() };
    assert!(offered(&habits, &elsewhere, 1000).is_none(), "that screen is not there");
    let two = Habits::of((1..=2).map(|day| session(NOW.0 - day * DAY, &[("terminal", Spot::Left, 0), ("firefox", Spot::Right, 0)])));
    assert!(offered(&two, &now, 1000).is_none(), "two sessions prove nothing");
    // Half of the sessions prove something only to who is bold.
    let half = Habits::of((1..=8).map(|day| session(NOW.0 - day * DAY, &[("terminal", if day % 2 == 0 { Spot::Left } else { Spot::Right }, 0), ("firefox", Spot::Right, 0)])));
    assert!(offered(&half, &now, 500).is_none());
}

#[test]
fn the_time_of_day_and_the_day_of_the_week_count() {
    // Mornings of each day so, evenings otherwise.
    let both = (1..=6).flat_map(|day| {
        let morning = session(NOW.0 - day * DAY, &[("terminal", Spot::Left, 0), ("firefox", Spot::Right, 0)]);
        let evening = session(NOW.0 - day * DAY + 10 * 3600, &[("terminal", Spot::Right, 0), ("firefox", Spot::Left, 0)]);
        [morning, evening]
    });
    let habits = Habits::of(both);
    let now = view(&[("terminal", FREE, false), ("firefox", FREE, true)]);
    let offer = offered(&habits, &now, 500).expect("an offer");
    assert_eq!(offer.when, When::TimeOfDay);
    assert_eq!(offer.why(name), "You had Firefox right and Terminal left in 6 of the last 6 sessions at this time of day.");
    let evening = habits.offer(&now, Initiative::of(500), &BTreeSet::new(), Moment(NOW.0 + 10 * 3600)).expect("an offer");
    assert_eq!(evening.question(name), "Put Terminal right?");
    // Fridays so, and other days otherwise.
    let weeks = (1..=4).flat_map(|week| {
        let friday = session(NOW.0 - week * 7 * DAY, &[("terminal", Spot::Left, 0), ("firefox", Spot::Right, 0)]);
        let others = [1, 2, 3].map(|day| session(NOW.0 - week * 7 * DAY + day * DAY, &[("terminal", Spot::Right, 0), ("firefox", Spot::Right, 0)]));
        std::iter::once(friday).chain(others)
    });
    let offer = offered(&Habits::of(weeks), &now, 800).expect("an offer");
    assert_eq!(offer.why(name), "You had Firefox right and Terminal left in 4 of the last 4 sessions on a Friday.");
}

#[test]
fn a_program_goes_to_its_workspace() {
    let habits = Habits::of((1..=6).map(|day| session(NOW.0 - day * DAY, &[("mail", Spot::Maximized, 2)])));
    let now = view(&[("mail", FREE, false), ("firefox", FREE, true)]);
    let offer = offered(&habits, &now, 500).expect("an offer");
    assert_eq!(offer.moves[0].to, To::Workspace(2));
    assert_eq!(offer.question(name), "Put Mail on workspace 3?");
    assert_eq!(offer.why(name), "You had Mail on workspace 3 in 6 of the last 6 sessions.");
    assert!(offered(&habits, &view(&[("mail", FREE, true)]), 1000).is_none());
}

#[test]
fn what_was_dismissed_is_offered_less() {
    let mut habits = nine_days();
    let now = view(&[("terminal", FREE, false), ("firefox", FREE, true)]);
    let offer = offered(&habits, &now, 1000).expect("an offer");
    // Not again in this session.
    assert!(habits.offer(&now, Initiative::of(1000), &BTreeSet::from(["terminal".to_owned()]), NOW).is_none());
    let mut later = None;
    for count in 1..=8 {
        habits.dismissed(&offer, 1.0, NOW);
        if offered(&habits, &now, 1000).is_none() {
            later = Some(count);
            break;
        }
    }
    let count = later.expect("not for ever");
    assert!((1..=3).contains(&count), "{count}");
    let week = Moment(NOW.0 + 200 * DAY);
    assert!(habits.reluctance("terminal", week) < 0.1, "and that is forgotten, too");
    // Who accepts takes it back.
    for _ in 0..count {
        habits.accepted(&offer, NOW);
    }
    assert!(offered(&habits, &now, 1000).is_some());
}

#[test]
fn what_is_learnt_can_be_seen_and_forgotten() {
    let mut habits = nine_days();
    let known = habits.known();
    assert_eq!(known.len(), 1);
    assert_eq!((known[0].times, known[0].of, known[0].apps.len()), (7, 9, 2));
    assert!(habits.forget_app("terminal") && !habits.forget_app("terminal"));
    assert!(habits.known().iter().all(|it| it.apps.iter().all(|(app, _)| app == "firefox")));
    habits.forget();
    assert_eq!(habits, Habits::default());
}

#[test]
fn what_is_kept_is_read_and_nonsense_is_told() {
    let mut habits = nine_days();
    let offer = offered(&habits, &view(&[("terminal", FREE, false), ("firefox", FREE, true)]), 500).expect("an offer");
    habits.dismissed(&offer, 1.0, NOW);
    let text = habits.to_json().expect("JSON");
    assert_eq!(Habits::from_json(&text).expect("habits"), habits);
    for bad in [&b""[..], b"{}", b"[1]", b"\xff\x00", br#"{"version":9,"sessions":[],"opinions":{}}"#] {
        assert!(Habits::from_json(bad).is_err());
    }
}
