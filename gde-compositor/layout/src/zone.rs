//! Halves and quarters of the screen.

use crate::geometry::{Point, Rect};
use crate::layout::State;

/// A part of the usable area that a window is snapped to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// The left half.
    Left,
    /// The right half.
    Right,
    /// A quarter.
    TopLeft,
    /// A quarter.
    TopRight,
    /// A quarter.
    BottomLeft,
    /// A quarter.
    BottomRight,
}

/// An arrow key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To the left.
    Left,
    /// To the right.
    Right,
    /// Up.
    Up,
    /// Down.
    Down,
}

/// What an arrow key does to a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It gets this state.
    Become(State),
    /// It is minimised.
    Minimize,
}

/// How near the screen's edge a drag must end to snap.
const EDGE: i32 = 12;
/// How near a corner it must end for a quarter.
const CORNER: i32 = 96;

impl Zone {
    /// The zone's part of an area. Opposite zones meet without a gap or an overlap.
    pub fn rect(self, area: &Rect) -> Rect {
        let (left, top) = (area.w / 2, area.h / 2);
        let (right, bottom) = (area.w - left, area.h - top);
        let (x, w) = match self {
            Zone::Left | Zone::TopLeft | Zone::BottomLeft => (area.x, left),
            Zone::Right | Zone::TopRight | Zone::BottomRight => (area.x + left, right),
        };
        let (y, h) = match self {
            Zone::Left | Zone::Right => (area.y, area.h),
            Zone::TopLeft | Zone::TopRight => (area.y, top),
            Zone::BottomLeft | Zone::BottomRight => (area.y + top, bottom),
        };
        Rect::new(x, y, w, h)
    }
}

/// What a window becomes by an arrow key.
pub fn step(state: State, direction: Direction) -> Step {
    use Direction::{Down, Left, Right, Up};
    use State::{Free, Fullscreen, Maximized, Snapped};
    Step::Become(match (state, direction) {
        (Fullscreen, _) => Fullscreen,
        (Free | Maximized | Snapped(Zone::Left), Left) => Snapped(Zone::Left),
        (Free | Maximized | Snapped(Zone::Right), Right) => Snapped(Zone::Right),
        (Snapped(Zone::Right), Left) | (Snapped(Zone::Left), Right) => Free,
        (Snapped(Zone::TopLeft | Zone::TopRight), Left) => Snapped(Zone::TopLeft),
        (Snapped(Zone::TopLeft | Zone::TopRight), Right) => Snapped(Zone::TopRight),
        (Snapped(Zone::BottomLeft | Zone::BottomRight), Left) => Snapped(Zone::BottomLeft),
        (Snapped(Zone::BottomLeft | Zone::BottomRight), Right) => Snapped(Zone::BottomRight),
        (Free | Maximized | Snapped(Zone::TopLeft | Zone::TopRight), Up) => Maximized,
        (Snapped(Zone::Left), Up) => Snapped(Zone::TopLeft),
        (Snapped(Zone::Right), Up) => Snapped(Zone::TopRight),
        (Snapped(Zone::BottomLeft), Up) | (Snapped(Zone::TopLeft), Down) => Snapped(Zone::Left),
        (Snapped(Zone::BottomRight), Up) | (Snapped(Zone::TopRight), Down) => Snapped(Zone::Right),
        (Snapped(Zone::Left), Down) => Snapped(Zone::BottomLeft),
        (Snapped(Zone::Right), Down) => Snapped(Zone::BottomRight),
        (Maximized, Down) => Free,
        (Free | Snapped(Zone::BottomLeft | Zone::BottomRight), Down) => return Step::Minimize,
    })
}

/// What a window becomes that is let go with the pointer here.
pub fn at_pointer(area: &Rect, pointer: Point) -> Option<State> {
    let left = pointer.x < area.x + EDGE;
    let right = pointer.x >= area.right() - EDGE;
    let upper = pointer.y < area.y + CORNER;
    let lower = pointer.y >= area.bottom() - CORNER;
    Some(match (left, right) {
        (true, _) if upper => State::Snapped(Zone::TopLeft),
        (true, _) if lower => State::Snapped(Zone::BottomLeft),
        (true, _) => State::Snapped(Zone::Left),
        (_, true) if upper => State::Snapped(Zone::TopRight),
        (_, true) if lower => State::Snapped(Zone::BottomRight),
        (_, true) => State::Snapped(Zone::Right),
        _ if pointer.y < area.y + EDGE => State::Maximized,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_and_quarters_meet() {
        let area = Rect::new(3, 5, 1281, 799);
        let quarters = [Zone::TopLeft, Zone::TopRight, Zone::BottomLeft, Zone::BottomRight].map(|zone| zone.rect(&area));
        assert_eq!(quarters.iter().map(Rect::pixels).sum::<i64>(), area.pixels());
        assert!(quarters.iter().enumerate().all(|(i, a)| quarters[i + 1..].iter().all(|b| !a.overlaps(b))));
        assert_eq!(Zone::Left.rect(&area).pixels() + Zone::Right.rect(&area).pixels(), area.pixels());
    }

    #[test]
    fn arrows_lead_everywhere_and_back() {
        let go = |state, direction| match step(state, direction) {
            Step::Become(state) => state,
            Step::Minimize => panic!("minimised"),
        };
        let left = go(State::Free, Direction::Left);
        assert_eq!(left, State::Snapped(Zone::Left));
        let corner = go(left, Direction::Up);
        assert_eq!(corner, State::Snapped(Zone::TopLeft));
        assert_eq!(go(go(corner, Direction::Right), Direction::Down), State::Snapped(Zone::Right));
        assert_eq!(go(left, Direction::Right), State::Free);
        assert_eq!(step(State::Free, Direction::Down), Step::Minimize);
    }
}
