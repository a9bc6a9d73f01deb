//! What always holds, whatever was seen.

use std::collections::{BTreeMap, BTreeSet};

use gde_habits::{APPS, Frame, Habits, Initiative, Moment, Place, SESSIONS, SETS, Seen, Session, Spot, To, Together, View};
use gde_layout::{Area, Layout, Rect, Size, State, Window, Zone};
use proptest::prelude::*;

fn spot() -> impl Strategy<Value = Spot> {
    let free = (any::<i16>(), any::<i16>(), any::<i16>(), any::<i16>()).prop_map(|(x, y, w, h)| Spot::Free(Frame { x, y, w, h }));
    let sane = (0i16..800, 0i16..800, 100i16..900, 100i16..900).prop_map(|(x, y, w, h)| Spot::Free(Frame { x, y, w, h }));
    prop_oneof![4 => Just(Spot::Left), 4 => Just(Spot::Right), 1 => Just(Spot::TopLeft), 1 => Just(Spot::Maximized), 1 => Just(Spot::Tile), 1 => free, 2 => sane]
}

fn place() -> impl Strategy<Value = Place> {
    (prop_oneof![8 => Just("A"), 1 => Just("B"), 1 => Just("")], 0u8..12, spot()).prop_map(|(output, workspace, spot)| Place { output: output.into(), workspace, spot })
}

fn app() -> impl Strategy<Value = String> {
    prop_oneof![8 => "[a-d]", 1 => ".{0,4}", 1 => Just("x".repeat(200))]
}

fn session() -> impl Strategy<Value = Session> {
    let together = (proptest::collection::btree_map(app(), place(), 0..10), 0u32..500).prop_map(|(apps, seconds)| Together { apps, seconds });
    (prop_oneof![9 => 0i64..5_000_000, 1 => any::<i64>()], proptest::collection::vec(together, 0..12)).prop_map(|(began, together)| Session { began: Moment(began), together })
}

/// Sessions of someone with habits, so that there is something to offer.
fn sessions() -> impl Strategy<Value = Vec<Session>> {
    let habit = proptest::collection::btree_map("[a-d]", place(), 2..4);
    (habit, proptest::collection::vec(session(), 0..12), 0usize..10).prop_map(|(apps, mut all, times)| {
        all.extend((0..times).map(|at| Session { began: Moment(4_000_000 + at as i64 * 10_000), together: vec![Together { apps: apps.clone(), seconds: 100 }] }));
        all
    })
}

fn view() -> impl Strategy<Value = View> {
    (proptest::collection::vec((app(), place()), 0..7), any::<prop::sample::Index>()).prop_map(|(windows, focus)| {
        let focus = if windows.is_empty() { 0 } else { focus.index(windows.len() + 1) };
        let one = |(at, (app, place)): (usize, (String, Place))| Seen { window: at as u64, app, place: Place { workspace: 0, ..place }, is_focused: at == focus };
        View { workspace: 0, outputs: vec!["A".into()], windows: windows.into_iter().enumerate().map(one).collect() }
    })
}

fn is_absurd(session: &Session) -> bool {
    session.summary().together.is_empty()
}

/// A window of the layout.
struct Fake(u64);

impl Window for Fake {
    type Id = u64;
    fn id(&self) -> u64 {
        self.0
    }
    fn min_size(&self) -> Size {
        Size { w: 10, h: 10 }
    }
    fn max_size(&self) -> Size {
        Size::default()
    }
}

const NOW: Moment = Moment(5_000_000);

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn offers_spare_the_keyboard_and_can_be_taken_back(sessions in sessions(), view in view(), level in 0u16..1200, spared in proptest::collection::btree_set("[a-d]", 0..2)) {
        let habits = Habits::of(sessions);
        let Some(offer) = habits.offer(&view, Initiative::of(level), &spared, NOW) else { return Ok(()) };
        prop_assert!(level >= 300, "a low level is silent");
        prop_assert!(!offer.moves.is_empty() && offer.times <= offer.of && offer.of >= 3);
        let area = Rect::new(0, 0, 1000, 1000);
        let mut layout: Layout<Fake> = Layout::new(vec![Area { full: area, usable: area }]);
        for seen in &view.windows {
            layout.open(Fake(seen.window), Size { w: 300, h: 300 }, None);
        }
        let before: Vec<_> = view.windows.iter().map(|seen| layout.place(seen.window).copied()).collect();
        let depth = layout.undo_depth();
        for it in &offer.moves {
            let seen = view.windows.iter().find(|seen| seen.window == it.window).expect("it is there");
            prop_assert!(!seen.is_focused, "the window with the keyboard is not moved");
            prop_assert!(!spared.contains(&it.app) && seen.app == it.app);
            // Each move is one that the layout knows how to take back.
            match &it.to {
                To::Workspace(workspace) => drop(layout.move_to(it.window, usize::from(*workspace))),
                To::Spot { output, spot } => {
                    prop_assert_eq!(output, "A", "it goes to a screen that is there");
                    match spot {
                        Spot::Tile => prop_assert!(false, "tiles follow from each other"),
                        Spot::Left => drop(layout.set_state(it.window, State::Snapped(Zone::Left))),
                        Spot::Free(frame) => {
                            prop_assert!(frame.is_usable());
                            layout.set_frame(it.window, Rect::new(frame.x.into(), frame.y.into(), frame.w.into(), frame.h.into()));
                        }
                        _ => drop(layout.set_state(it.window, State::Maximized)),
                    }
                }
            }
            layout.verify_invariants().map_err(TestCaseError::fail)?;
        }
        while layout.undo_depth() > depth {
            layout.undo();
        }
        let after: Vec<_> = view.windows.iter().map(|seen| layout.place(seen.window).copied()).collect();
        prop_assert_eq!(before, after);
        let words = offer.why(str::to_owned);
        prop_assert!(words.starts_with("You had ") && words.ends_with('.') && words.contains(&format!("{} of the last {}", offer.times, offer.of)), "{}", words);
    }

    #[test]
    fn what_is_learnt_does_not_depend_on_order_or_nonsense(sessions in sessions(), seed in any::<u64>(), view in view()) {
        let habits = Habits::of(sessions.clone());
        let sane: Vec<Session> = sessions.iter().filter(|it| !is_absurd(it)).cloned().collect();
        let mut mixed = sessions;
        // Any other order.
        let mut state = seed | 1;
        for at in (1..mixed.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            mixed.swap(at, (state >> 33) as usize % (at + 1));
        }
        prop_assert_eq!(&Habits::of(mixed), &habits);
        prop_assert_eq!(&Habits::of(sane), &habits);
        let read = Habits::from_json(&habits.to_json().expect("JSON")).expect("habits");
        prop_assert_eq!(&read, &habits);
        let asked = |habits: &Habits| habits.offer(&view, Initiative::of(1000), &BTreeSet::new(), NOW);
        prop_assert_eq!(asked(&read), asked(&habits));
    }

    #[test]
    fn memory_is_bounded(seed in proptest::collection::vec(session(), 1..10), views in proptest::collection::vec(view(), 1..30), names in "[a-z]{1,3}") {
        let mut habits = Habits::default();
        for round in 0..20i64 {
            for (at, it) in seed.iter().enumerate() {
                habits.add(&Session { began: Moment(it.began.0.wrapping_add(round * 100 + at as i64)), ..it.clone() });
            }
        }
        let mut session = Session::new(NOW);
        for round in 0..20 {
            for (at, view) in views.iter().enumerate() {
                let mut view = view.clone();
                view.windows.iter_mut().for_each(|it| it.app = format!("{names}{}", (round + at) % 40));
                session.saw(&view, 70);
            }
        }
        habits.add(&session);
        prop_assert!(session.together.len() <= 64);
        prop_assert!(habits.sessions().len() <= SESSIONS);
        for it in habits.sessions() {
            prop_assert!(it.together.len() <= SETS && it.together.iter().all(|it| (1..=APPS).contains(&it.apps.len())));
        }
    }

    #[test]
    fn more_evidence_never_lessens_an_offer(times in 3usize..20, level in 300u16..1000) {
        let apps: BTreeMap<String, Place> = [("a", Spot::Left), ("b", Spot::Right)].map(|(app, spot)| (app.to_owned(), Place { output: "A".into(), workspace: 0, spot })).into();
        let of = |times: usize| Habits::of((0..times).map(|at| Session { began: Moment(NOW.0 - at as i64 * 100), together: vec![Together { apps: apps.clone(), seconds: 100 }] }));
        let seen = |window, app: &str, is_focused| Seen { window, app: app.into(), place: Place { output: "A".into(), workspace: 0, spot: Spot::Maximized }, is_focused };
        let view = View { workspace: 0, outputs: vec!["A".into()], windows: vec![seen(1, "a", true), seen(2, "b", false)] };
        let is_offered = |times| of(times).offer(&view, Initiative::of(level), &BTreeSet::new(), NOW).is_some();
        prop_assert!(!is_offered(times) || is_offered(times + 1));
    }
}
