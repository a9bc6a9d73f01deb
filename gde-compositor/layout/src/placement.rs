//! Where a new window goes: where it covers least of the others, and of such places the one nearest to the middle.

use crate::geometry::{Rect, Size};

/// A place in `area` for a window of this size among `others`.
pub fn place(area: &Rect, size: Size, others: &[Rect]) -> Rect {
    let room = Rect::new(area.x, area.y, (area.w - size.w).max(0), (area.h - size.h).max(0));
    let fits = |x: i32, y: i32| Rect::new(x.clamp(room.x, room.right()), y.clamp(room.y, room.bottom()), size.w, size.h);
    // Above the middle by a third of what is left looks centred.
    let middle = fits(room.x + room.w / 2, room.y + room.h * 2 / 5);
    let mut xs = vec![middle.x, room.x, room.right()];
    let mut ys = vec![middle.y, room.y, room.bottom()];
    // More candidates than these are not worth their time.
    for other in others.iter().rev().take(12) {
        xs.extend([other.x - size.w, other.right(), other.x + 32]);
        ys.extend([other.y - size.h, other.bottom(), other.y + 32]);
    }
    let covered = |rect: &Rect| others.iter().map(|other| rect.intersection(other).pixels()).sum::<i64>();
    // A window that lies exactly upon another hides it.
    let hides = |rect: &Rect| others.iter().any(|other| (rect.x, rect.y) == (other.x, other.y));
    let distance = |rect: &Rect| i64::from(rect.x - middle.x).pow(2) + i64::from(rect.y - middle.y).pow(2);
    let candidates = xs.iter().flat_map(|&x| ys.iter().map(move |&y| (x, y))).map(|(x, y)| fits(x, y));
    candidates.min_by_key(|rect| (hides(rect), covered(rect), distance(rect))).unwrap_or(middle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_in_the_middle_and_the_second_beside_it() {
        let area = Rect::new(0, 32, 1280, 768);
        let size = Size { w: 600, h: 400 };
        let first = place(&area, size, &[]);
        assert_eq!(first.x, 340);
        assert!(first.y > area.y && first.bottom() < area.bottom());
        let other = Rect::new(0, 32, 600, 400);
        assert!(!place(&area, size, &[other]).overlaps(&other));
        // Nothing is free: not exactly on top.
        let again = place(&area, Size { w: 1000, h: 700 }, &[place(&area, Size { w: 1000, h: 700 }, &[])]);
        assert_ne!(again, place(&area, Size { w: 1000, h: 700 }, &[]));
    }
}
