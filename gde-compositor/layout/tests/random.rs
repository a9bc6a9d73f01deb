//! Random operations; after each everything must hold that always holds. `GDE_LAYOUT_CASES` asks for more of them.

use gde_layout::{Area, Direction, Edges, Layout, Mode, Point, Rect, Size, State, Window, Zone};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

#[derive(Debug, Clone)]
struct Fake {
    id: u32,
    min: Size,
    max: Size,
}

impl Window for Fake {
    type Id = u32;
    fn id(&self) -> u32 {
        self.id
    }
    fn min_size(&self) -> Size {
        self.min
    }
    fn max_size(&self) -> Size {
        self.max
    }
}

#[derive(Debug, Clone)]
enum Op {
    Open(u32, i32, i32, (i32, i32), (i32, i32), Option<u32>),
    Close(u32),
    Activate(u32),
    Switch(usize),
    MoveTo(u32, usize),
    SetState(u32, State),
    Step(u32, Direction),
    Minimize(u32, bool),
    Sticky(u32),
    Floating(u32),
    ScratchpadOf(u32),
    Scratchpad,
    SetMode(usize, Mode),
    Share(i32),
    Swap(u32, u32),
    SetFrame(u32, i32, i32, i32, i32),
    ResizedItself(u32, i32, i32),
    Begin(u32, i32, i32, [bool; 4]),
    DragTo(i32, i32),
    EndDrag(i32, i32),
    CancelDrag,
    Undo,
    Redo,
    BeginTogether,
    EndTogether,
    Areas(Vec<(i32, i32, i32, i32)>),
}

fn ops() -> impl Strategy<Value = Op> {
    let id = || 0u32..8;
    let at = || -3000i32..5000;
    let extent = || prop_oneof![0i32..3000, Just(i32::MAX), Just(-5)];
    let zone = prop_oneof![
        Just(Zone::Left),
        Just(Zone::Right),
        Just(Zone::TopLeft),
        Just(Zone::TopRight),
        Just(Zone::BottomLeft),
        Just(Zone::BottomRight)
    ];
    let state = prop_oneof![Just(State::Free), zone.prop_map(State::Snapped), Just(State::Maximized), Just(State::Fullscreen)];
    let direction = prop_oneof![Just(Direction::Left), Just(Direction::Right), Just(Direction::Up), Just(Direction::Down)];
    let mode = prop_oneof![Just(Mode::Floating), Just(Mode::Tiling)];
    prop_oneof![
        6 => (id(), extent(), extent(), (0i32..400, 0i32..400), (0i32..900, 0i32..900), proptest::option::of(id())).prop_map(|(a, b, c, d, e, f)| Op::Open(a, b, c, d, e, f)),
        1 => id().prop_map(Op::Close),
        2 => id().prop_map(Op::Activate),
        1 => (0usize..11).prop_map(Op::Switch),
        1 => (id(), 0usize..11).prop_map(|(a, b)| Op::MoveTo(a, b)),
        2 => (id(), state).prop_map(|(a, b)| Op::SetState(a, b)),
        3 => (id(), direction).prop_map(|(a, b)| Op::Step(a, b)),
        1 => (id(), any::<bool>()).prop_map(|(a, b)| Op::Minimize(a, b)),
        1 => id().prop_map(Op::Sticky),
        1 => id().prop_map(Op::Floating),
        1 => id().prop_map(Op::ScratchpadOf),
        1 => Just(Op::Scratchpad),
        1 => (0usize..11, mode).prop_map(|(a, b)| Op::SetMode(a, b)),
        1 => (-900i32..900).prop_map(Op::Share),
        1 => (id(), id()).prop_map(|(a, b)| Op::Swap(a, b)),
        1 => (id(), at(), at(), extent(), extent()).prop_map(|(a, b, c, d, e)| Op::SetFrame(a, b, c, d, e)),
        1 => (id(), extent(), extent()).prop_map(|(a, b, c)| Op::ResizedItself(a, b, c)),
        2 => (id(), at(), at(), any::<[bool; 4]>()).prop_map(|(a, b, c, d)| Op::Begin(a, b, c, d)),
        3 => (at(), at()).prop_map(|(a, b)| Op::DragTo(a, b)),
        2 => (at(), at()).prop_map(|(a, b)| Op::EndDrag(a, b)),
        1 => Just(Op::CancelDrag),
        3 => Just(Op::Undo),
        2 => Just(Op::Redo),
        1 => Just(Op::BeginTogether),
        2 => Just(Op::EndTogether),
        1 => proptest::collection::vec((0i32..3000, 0i32..3000, 320i32..3000, 200i32..3000), 0..3).prop_map(Op::Areas),
    ]
}

fn apply(layout: &mut Layout<Fake>, op: Op) {
    match op {
        Op::Open(id, w, h, min, max, parent) => {
            let window = Fake { id, min: Size { w: min.0, h: min.1 }, max: Size { w: max.0, h: max.1 } };
            layout.open(window, Size { w, h }, parent);
        }
        Op::Close(id) => drop(layout.close(id)),
        Op::Activate(id) => layout.activate(id),
        Op::Switch(to) => drop(layout.switch_to(to)),
        Op::MoveTo(id, to) => drop(layout.move_to(id, to)),
        Op::SetState(id, state) => drop(layout.set_state(id, state)),
        Op::Step(id, direction) => drop(layout.step(id, direction)),
        Op::Minimize(id, yes) => drop(layout.set_minimized(id, yes)),
        Op::Sticky(id) => drop(layout.toggle_sticky(id)),
        Op::Floating(id) => drop(layout.toggle_floating(id)),
        Op::ScratchpadOf(id) => drop(layout.toggle_scratchpad_of(id)),
        Op::Scratchpad => drop(layout.toggle_scratchpad()),
        Op::SetMode(workspace, mode) => drop(layout.set_mode(workspace, mode)),
        Op::Share(by) => drop(layout.change_share(by)),
        Op::Swap(a, b) => drop(layout.swap(a, b)),
        Op::SetFrame(id, x, y, w, h) => drop(layout.set_frame(id, Rect::new(x, y, w, h))),
        Op::ResizedItself(id, w, h) => layout.resized_itself(id, Size { w, h }, Edges { right: w % 2 == 0, ..Edges::default() }),
        Op::Begin(id, x, y, [left, right, top, bottom]) => drop(layout.begin_drag(id, Point { x, y }, Edges { left, right, top, bottom })),
        Op::DragTo(x, y) => layout.drag_to(Point { x, y }),
        Op::EndDrag(x, y) => layout.end_drag(Point { x, y }),
        Op::CancelDrag => layout.cancel_drag(),
        Op::Undo => drop(layout.undo()),
        Op::Redo => drop(layout.redo()),
        Op::BeginTogether => layout.begin_together(),
        Op::EndTogether => layout.end_together(),
        Op::Areas(areas) => {
            // Screens lie beside each other.
            let mut right = 0;
            let mut beside = |(x, y, w, h): (i32, i32, i32, i32)| {
                let left = right + x % 100;
                right = left + w;
                area(Rect::new(left, y, w, h))
            };
            layout.set_areas(areas.into_iter().map(&mut beside).collect());
        }
    }
}

fn area(full: Rect) -> Area {
    Area { full, usable: Rect::new(full.x, full.y + 32, full.w, full.h - 32) }
}

fn screen() -> Layout<Fake> {
    Layout::new(vec![area(Rect::new(0, 0, 1280, 800))])
}

fn runner() -> TestRunner {
    let cases = std::env::var("GDE_LAYOUT_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(5000);
    TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() })
}

#[test]
fn invariants_hold_after_every_operation() {
    runner()
        .run(&proptest::collection::vec(ops(), 1..40), |ops| {
            let mut layout = screen();
            for op in ops {
                apply(&mut layout, op);
                prop_assert_eq!(layout.verify_invariants(), Ok(()));
            }
            Ok(())
        })
        .unwrap();
}

/// Frames of all windows, in the order of their names.
fn frames(layout: &Layout<Fake>) -> Vec<(u32, Option<Rect>, bool)> {
    let mut out: Vec<_> = layout.windows().map(|it| (it.id, layout.frame(it.id), layout.is_visible(it.id))).collect();
    out.sort_by_key(|it| it.0);
    out
}

/// One undo takes back exactly one change, and redo makes it again.
#[test]
fn undo_takes_back_each_change() {
    let is_change = |op: &Op| {
        matches!(
            op,
            Op::MoveTo(..) | Op::SetState(..) | Op::Step(..) | Op::Minimize(..) | Op::Floating(_) | Op::SetMode(..) | Op::Share(_) | Op::Swap(..) | Op::SetFrame(..)
        )
    };
    let opens = proptest::collection::vec((100i32..900, 100i32..700), 1..6);
    let changes = proptest::collection::vec(ops(), 1..30);
    runner()
        .run(&(opens, changes), |(opens, changes)| {
            let mut layout = screen();
            for (id, (w, h)) in opens.into_iter().enumerate() {
                layout.open(Fake { id: id as u32, min: Size { w: 50, h: 50 }, max: Size::default() }, Size { w, h }, None);
            }
            for op in changes.into_iter().filter(is_change) {
                let (before, depth) = (frames(&layout), layout.undo_depth());
                apply(&mut layout, op);
                let after = frames(&layout);
                if layout.undo_depth() == depth {
                    prop_assert_eq!(&before, &after, "a change that cannot be undone");
                    continue;
                }
                prop_assert!(layout.undo());
                prop_assert_eq!(&frames(&layout), &before);
                prop_assert!(layout.redo());
                prop_assert_eq!(&frames(&layout), &after);
            }
            Ok(())
        })
        .unwrap();
}

/// Changes that belong together are taken back at once.
#[test]
fn changes_together_are_one_for_undo() {
    let is_change = |op: &Op| matches!(op, Op::MoveTo(..) | Op::SetState(..) | Op::Step(..) | Op::Minimize(..) | Op::SetFrame(..) | Op::Swap(..));
    runner()
        .run(&proptest::collection::vec(ops(), 1..30), |changes| {
            let mut layout = screen();
            for id in 0..4 {
                layout.open(Fake { id, min: Size { w: 50, h: 50 }, max: Size::default() }, Size { w: 500, h: 400 }, None);
            }
            let before = frames(&layout);
            layout.begin_together();
            changes.into_iter().filter(is_change).for_each(|op| apply(&mut layout, op));
            layout.end_together();
            let after = frames(&layout);
            prop_assert!(layout.undo_depth() <= 1);
            if layout.undo() {
                prop_assert_eq!(&frames(&layout), &before);
                prop_assert!(layout.redo());
            }
            prop_assert_eq!(&frames(&layout), &after);
            Ok(())
        })
        .unwrap();
}

/// A drag is one change.
#[test]
fn a_drag_to_the_edge_snaps_and_is_undone_at_once() {
    let mut layout = screen();
    layout.open(Fake { id: 1, min: Size::default(), max: Size::default() }, Size { w: 600, h: 400 }, None);
    let start = layout.frame(1).unwrap();
    let grip = Point { x: start.x + 100, y: start.y + 10 };
    assert!(layout.begin_drag(1, grip, Edges::default()));
    for x in (0..grip.x).rev().step_by(40) {
        layout.drag_to(Point { x, y: 300 });
    }
    assert_eq!(layout.drag_preview(Point { x: 2, y: 300 }).unwrap().0, State::Snapped(Zone::Left));
    layout.end_drag(Point { x: 2, y: 300 });
    assert_eq!(layout.frame(1), Some(Rect::new(0, 32, 640, 768)));
    assert!(layout.undo());
    assert_eq!(layout.frame(1), Some(start));
    assert!(!layout.undo());
}

/// A new window moves no other one, and a dialog lies on its parent's middle.
#[test]
fn a_new_window_moves_no_other() {
    let mut layout = screen();
    for id in 0..12 {
        let before = frames(&layout);
        layout.open(Fake { id, min: Size::default(), max: Size::default() }, Size { w: 500, h: 300 }, None);
        assert_eq!(frames(&layout)[..before.len()], before);
        assert_eq!(layout.focus(), Some(id));
    }
    layout.open(Fake { id: 99, min: Size::default(), max: Size::default() }, Size { w: 100, h: 60 }, Some(3));
    let (dialog, parent) = (layout.frame(99).unwrap(), layout.frame(3).unwrap());
    assert_eq!(dialog.centre(), parent.centre());
}
