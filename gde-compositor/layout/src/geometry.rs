//! Points, sizes and rectangles in logical pixels. All arithmetic saturates: clients choose some of the numbers.

/// A position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Point {
    /// From the left.
    pub x: i32,
    /// From the top.
    pub y: i32,
}

/// An extent; not negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Size {
    /// Width.
    pub w: i32,
    /// Height.
    pub h: i32,
}

/// A rectangle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rect {
    /// Left edge.
    pub x: i32,
    /// Upper edge.
    pub y: i32,
    /// Width.
    pub w: i32,
    /// Height.
    pub h: i32,
}

impl Rect {
    /// A rectangle by its upper left corner and extent; negative extents are empty.
    pub fn new(x: i32, y: i32, w: i32, h: i32) -> Self {
        Rect { x, y, w: w.max(0), h: h.max(0) }
    }

    /// The edge behind the last column.
    pub fn right(&self) -> i32 {
        self.x.saturating_add(self.w)
    }

    /// The edge behind the last row.
    pub fn bottom(&self) -> i32 {
        self.y.saturating_add(self.h)
    }

    /// Its extent.
    pub fn size(&self) -> Size {
        Size { w: self.w, h: self.h }
    }

    /// Its middle.
    pub fn centre(&self) -> Point {
        Point { x: self.x.saturating_add(self.w / 2), y: self.y.saturating_add(self.h / 2) }
    }

    /// Whether it has no pixel.
    pub fn is_empty(&self) -> bool {
        self.w <= 0 || self.h <= 0
    }

    /// Whether a point is in it.
    pub fn contains(&self, point: Point) -> bool {
        point.x >= self.x && point.y >= self.y && point.x < self.right() && point.y < self.bottom()
    }

    /// Whether all of another is in it.
    pub fn contains_rect(&self, other: &Rect) -> bool {
        other.x >= self.x && other.y >= self.y && other.right() <= self.right() && other.bottom() <= self.bottom()
    }

    /// What both have in common; empty where nothing.
    pub fn intersection(&self, other: &Rect) -> Rect {
        let (x, y) = (self.x.max(other.x), self.y.max(other.y));
        let (right, bottom) = (self.right().min(other.right()), self.bottom().min(other.bottom()));
        Rect::new(x, y, right.saturating_sub(x), bottom.saturating_sub(y))
    }

    /// Whether they have a pixel in common.
    pub fn overlaps(&self, other: &Rect) -> bool {
        !self.intersection(other).is_empty()
    }

    /// Its pixels.
    pub fn pixels(&self) -> i64 {
        i64::from(self.w) * i64::from(self.h)
    }

    /// Smaller by `by` pixels on each side.
    pub fn inset(&self, by: i32) -> Rect {
        Rect::new(self.x.saturating_add(by), self.y.saturating_add(by), self.w.saturating_sub(2 * by), self.h.saturating_sub(2 * by))
    }

    /// The same extent elsewhere.
    pub fn at(&self, x: i32, y: i32) -> Rect {
        Rect { x, y, ..*self }
    }

    /// Moved so that it lies within `area`, with its upper left corner where it cannot.
    pub fn pushed_into(&self, area: &Rect) -> Rect {
        let x = self.x.min(area.right().saturating_sub(self.w)).max(area.x);
        let y = self.y.min(area.bottom().saturating_sub(self.h)).max(area.y);
        self.at(x, y)
    }
}
