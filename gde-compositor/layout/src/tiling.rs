//! Tiles: the first window is the main one on the left, the others are stacked beside it.

use crate::geometry::Rect;

/// The smallest and largest share of the main window, in thousandths.
pub const SHARE: std::ops::RangeInclusive<i32> = 200..=800;

/// The tiles of `count` windows. `share` is the main window's, in thousandths of the width. They never overlap.
pub fn tiles(area: &Rect, count: usize, share: i32, gap: i32) -> Vec<Rect> {
    let share = share.clamp(*SHARE.start(), *SHARE.end());
    let inner = Rect::new(area.x + gap, area.y + gap, area.w - 2 * gap, area.h - 2 * gap);
    if count == 0 {
        return Vec::new();
    }
    if count == 1 {
        return vec![inner];
    }
    let width = inner.w.saturating_sub(gap).max(0);
    let main = (i64::from(width) * i64::from(share) / 1000) as i32;
    let mut out = vec![Rect::new(inner.x, inner.y, main, inner.h)];
    let stack = (count - 1) as i32;
    let height = (inner.h - gap * (stack - 1)).max(0);
    let mut y = inner.y;
    for index in 0..stack {
        // What does not divide evenly goes to the first ones.
        let h = height / stack + i32::from(index < height % stack);
        out.push(Rect::new(inner.x + main + gap, y, width - main, h));
        y += h + gap;
    }
    out
}
