//! Where a window is, in terms that outlive the window and other sizes of the screen.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A rectangle, in thousandths of what panels leave of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Frame {
    /// From the left.
    pub x: i16,
    /// From the top.
    pub y: i16,
    /// Width.
    pub w: i16,
    /// Height.
    pub h: i16,
}

impl Frame {
    /// Two frames that people would call the same: what they have in common is most of both.
    pub fn is_like(&self, other: &Frame) -> bool {
        let common = |a: i16, length_a: i16, b: i16, length_b: i16| {
            let (a, b, length_a, length_b) = (i64::from(a), i64::from(b), i64::from(length_a.max(0)), i64::from(length_b.max(0)));
            ((a + length_a).min(b + length_b) - a.max(b)).max(0)
        };
        let area = |it: &Frame| i64::from(it.w.max(0)) * i64::from(it.h.max(0));
        let both = common(self.x, self.w, other.x, other.w) * common(self.y, self.h, other.y, other.h);
        let either = area(self) + area(other) - both;
        both > 0 && both * 10 >= either * 7
    }

    /// Whether it has room for a window, and its title bar can be reached.
    pub fn is_usable(&self) -> bool {
        (20..=1000).contains(&self.w) && (20..=1000).contains(&self.h) && (-900..=950).contains(&self.x) && (0..=950).contains(&self.y)
    }
}

/// What part of the screen a window takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum Spot {
    Left,
    Right,
    TopLeft,
    TopRight,
    BottomLeft,
    BottomRight,
    Maximized,
    /// Among the tiles, whose places follow from each other.
    Tile,
    /// Where it was put.
    Free(Frame),
}

impl Spot {
    /// Two spots that people would call the same.
    pub fn is_like(&self, other: &Spot) -> bool {
        match (self, other) {
            (Spot::Free(one), Spot::Free(other)) => one.is_like(other),
            (one, other) => one == other,
        }
    }
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Spot::Left => "left",
            Spot::Right => "right",
            Spot::TopLeft => "at the top left",
            Spot::TopRight => "at the top right",
            Spot::BottomLeft => "at the bottom left",
            Spot::BottomRight => "at the bottom right",
            Spot::Maximized => "maximised",
            Spot::Tile => "in a tile",
            Spot::Free(frame) => match (frame.x + frame.w / 2, frame.y + frame.h / 2) {
                (x, _) if x < 400 => "on the left side",
                (x, _) if x > 600 => "on the right side",
                (_, y) if y < 400 => "in the upper half",
                (_, y) if y > 600 => "in the lower half",
                _ => "in the middle",
            },
        })
    }
}

/// Where a window is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The screen's name.
    pub output: String,
    /// From 0.
    pub workspace: u8,
    /// The part of the screen.
    pub spot: Spot,
}

impl Place {
    /// Whether it can be remembered.
    pub fn is_good(&self) -> bool {
        crate::is_name(&self.output) && self.workspace < 9 && !matches!(self.spot, Spot::Free(frame) if !frame.is_usable())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_that_are_about_the_same() {
        let frame = Frame { x: 100, y: 100, w: 500, h: 500 };
        assert!(frame.is_like(&Frame { x: 120, y: 90, ..frame }));
        assert!(!frame.is_like(&Frame { x: 400, ..frame }));
        assert!(!frame.is_like(&Frame { w: 200, ..frame }));
        assert!(!Spot::Free(frame).is_like(&Spot::Left));
        let broken = Frame { x: i16::MIN, y: i16::MAX, w: -1, h: 0 };
        assert!(!broken.is_like(&broken) && !broken.is_usable());
    }
}
