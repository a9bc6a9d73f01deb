//! What there is to press, where it is, and what the keyboard comes to next. All places count from the box's corner.

use desktop_settings::Appearance;
use gde_layout::{Direction, Rect};

/// Between the box's edge and what is in it.
pub const PADDING: i32 = 16;
/// Width of the month's part without its edges: seven columns.
const MONTH: i32 = 7 * CELL;
/// Width of the controls without their edges.
const INNER: i32 = 316;
/// Width of a day.
pub const CELL: i32 = 34;
/// Height of a week.
pub const WEEK: i32 = 34;
/// Where the weeks begin.
pub const WEEKS: i32 = 142;
/// Height of a row of controls.
pub const ROW: i32 = 40;
/// Height of a network card's two lines.
pub const CARD: i32 = 44;
/// How many cards are shown.
pub const CARDS: usize = 2;
const GAP: i32 = 8;

/// Something that can be pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// Opens the program Settings.
    Settings,
    /// Dark or light.
    Dark,
    /// Urgent notices only.
    Quiet,
    /// Windows appear gradually.
    Animations,
    /// Smaller text.
    Smaller,
    /// Larger text.
    Larger,
    /// One of [`Appearance::ACCENTS`].
    Accent(usize),
    /// Opens the network's settings.
    Network,
    /// Locks the session.
    Lock,
    /// Ends the session.
    LogOut,
    /// Starts the machine again.
    Restart,
    /// Ends the machine.
    PowerOff,
    /// The month before.
    Earlier,
    /// This month.
    Today,
    /// The next month.
    Later,
}

impl Control {
    /// What other programs call it.
    pub fn name(self) -> String {
        let name = match self {
            Control::Settings => "settings",
            Control::Dark => "dark",
            Control::Quiet => "do-not-disturb",
            Control::Animations => "animations",
            Control::Smaller => "smaller-text",
            Control::Larger => "larger-text",
            Control::Accent(index) => return Appearance::ACCENTS.get(index).map(|it| format!("accent-{}", it.1.to_lowercase())).unwrap_or_default(),
            Control::Network => "network",
            Control::Lock => "lock",
            Control::LogOut => "log-out",
            Control::Restart => "restart",
            Control::PowerOff => "power-off",
            Control::Earlier => "earlier-month",
            Control::Today => "this-month",
            Control::Later => "later-month",
        };
        name.to_owned()
    }

    /// Whether it has to be pressed twice, as what is not saved would be lost.
    pub fn is_grave(self) -> bool {
        matches!(self, Control::LogOut | Control::Restart | Control::PowerOff)
    }
}

/// Where everything is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    /// Of the box.
    pub width: i32,
    /// Of the box.
    pub height: i32,
    /// In the order of the key Tab.
    pub controls: Vec<(Control, Rect)>,
    /// Where the controls' column begins.
    pub left: i32,
    /// How wide it is.
    pub inner: i32,
    /// Whether the month is shown.
    pub has_month: bool,
    /// Where the battery is shown.
    pub battery: Option<Rect>,
    /// Heights of the lines between groups of controls.
    pub lines: Vec<i32>,
}

impl Places {
    /// Arranges all for this many network cards, within a width and a height. Where there is no room for the month or a second card, it is left out.
    pub fn new(cards: usize, has_battery: bool, room: (i32, i32)) -> Self {
        let all = Self::with(cards.clamp(1, CARDS), has_battery, room.0);
        if all.height <= room.1 { all } else { Self::with(1, has_battery, room.0) }
    }

    fn with(cards: usize, has_battery: bool, room: i32) -> Self {
        let with_month = 2 * PADDING + MONTH + 1 + 2 * PADDING + INNER;
        let has_month = with_month <= room;
        let left = if has_month { 2 * PADDING + MONTH + 1 + PADDING } else { PADDING };
        let mut controls = Vec::new();
        let mut lines = Vec::new();
        let right = left + INNER;
        let settings = (Control::Settings, Rect::new(right - 36, PADDING + 2, 36, 36));
        let mut y = PADDING + 40 + 16;
        let row = |y: i32, height: i32, all: &[Control]| -> Vec<(Control, Rect)> {
            let count = all.len() as i32;
            let width = (INNER - (count - 1) * GAP) / count;
            let place = |(index, it): (usize, &Control)| (*it, Rect::new(left + index as i32 * (width + GAP), y, width, height));
            all.iter().enumerate().map(place).collect()
        };
        controls.extend(row(y, 68, &[Control::Dark, Control::Quiet, Control::Animations]));
        y += 68 + 12;
        controls.push((Control::Smaller, Rect::new(right - 128, y + 4, 32, 32)));
        controls.push((Control::Larger, Rect::new(right - 32, y + 4, 32, 32)));
        y += ROW;
        let count = Appearance::ACCENTS.len() as i32;
        controls.extend((0..count).map(|index| (Control::Accent(index as usize), Rect::new(right - (count - index) * 30 + 2, y + 6, 28, 28))));
        y += ROW + 6;
        lines.push(y);
        y += 7;
        let cards = CARD * cards as i32;
        controls.push((Control::Network, Rect::new(left - 8, y, INNER + 16, cards)));
        y += cards;
        let battery = has_battery.then(|| Rect::new(left, y, INNER, ROW));
        y += battery.map_or(0, |it| it.h) + 6;
        lines.push(y);
        y += 13;
        controls.extend(row(y, 60, &[Control::Lock, Control::LogOut, Control::Restart, Control::PowerOff]));
        y += 60;
        if has_month {
            let top = WEEKS - 58;
            controls.push((Control::Earlier, Rect::new(PADDING + MONTH - 60, top, 28, 28)));
            controls.push((Control::Today, Rect::new(PADDING, top, MONTH - 68, 28)));
            controls.push((Control::Later, Rect::new(PADDING + MONTH - 28, top, 28, 28)));
        }
        controls.push(settings);
        Places { width: right + PADDING, height: y + PADDING, controls, left, inner: INNER, has_month, battery, lines }
    }

    /// Where a control is.
    pub fn of(&self, control: Control) -> Option<Rect> {
        self.controls.iter().find(|it| it.0 == control).map(|it| it.1)
    }

    /// The control after this one in the order of the key Tab, or before it.
    pub fn next(&self, from: Option<Control>, is_back: bool) -> Option<Control> {
        let count = self.controls.len();
        let at = from.and_then(|from| self.controls.iter().position(|it| it.0 == from));
        let index = match (at, is_back) {
            (None, false) => 0,
            (None, true) => count.checked_sub(1)?,
            (Some(at), false) => (at + 1) % count,
            (Some(at), true) => (at + count - 1) % count,
        };
        self.controls.get(index).map(|it| it.0)
    }

    /// The control that an arrow key leads to: the nearest one on that side, best straight ahead.
    pub fn beside(&self, from: Option<Control>, direction: Direction) -> Option<Control> {
        let Some(place) = from.and_then(|from| self.of(from)) else { return self.next(None, false) };
        let distance = |it: &Rect| {
            // How far ahead it begins, and how far beside.
            let apart = |low: i32, high: i32, other_low: i32, other_high: i32| (other_low - high).max(low - other_high).max(0);
            let across = apart(place.x, place.right(), it.x, it.right());
            let along = apart(place.y, place.bottom(), it.y, it.bottom());
            let (dx, dy) = (it.centre().x - place.centre().x, it.centre().y - place.centre().y);
            let (ahead, beside, is_there) = match direction {
                Direction::Left => (across, along, it.right() <= place.x),
                Direction::Right => (across, along, it.x >= place.right()),
                Direction::Up => (along, across, it.bottom() <= place.y),
                Direction::Down => (along, across, it.y >= place.bottom()),
            };
            let middle = if matches!(direction, Direction::Left | Direction::Right) { dy.abs() } else { dx.abs() };
            is_there.then_some(((ahead + 4 * beside), middle))
        };
        let all = self.controls.iter().filter(|it| Some(it.0) != from);
        all.filter_map(|(control, place)| Some((distance(place)?, *control))).min_by_key(|it| it.0).map(|it| it.1).or(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Places> {
        let rooms = [320, 600, 640, 1280, 3840];
        rooms.into_iter().flat_map(|room| (0..4).flat_map(move |cards| [false, true].map(|has_battery| Places::new(cards, has_battery, (room, room))))).collect()
    }

    #[test]
    fn nothing_lies_upon_another_or_outside() {
        for places in all() {
            let whole = Rect::new(0, 0, places.width, places.height);
            for (index, (control, place)) in places.controls.iter().enumerate() {
                assert!(whole.contains_rect(place), "{control:?}");
                assert!(places.controls[index + 1..].iter().all(|it| !it.1.overlaps(place)), "{control:?} {places:?}");
                assert!(places.battery.is_none_or(|it| !it.overlaps(place)));
            }
        }
        assert!(!Places::new(1, false, (600, 700)).has_month && Places::new(1, false, (640, 700)).has_month);
        // The smallest screen that there is has 480 rows.
        assert!(Places::new(9, true, (624, 434)).height <= 434);
    }

    #[test]
    fn keys_come_to_everything() {
        for places in all() {
            let mut tabbed = Vec::new();
            let mut at = None;
            for _ in 0..places.controls.len() {
                at = places.next(at, false);
                tabbed.extend(at);
            }
            assert_eq!(tabbed, places.controls.iter().map(|it| it.0).collect::<Vec<_>>());
            assert_eq!(places.next(at, false), Some(tabbed[0]));
            assert_eq!(places.next(Some(tabbed[0]), true), at);
            // By arrows alone, from any of them.
            for start in &tabbed {
                let mut seen = vec![*start];
                let mut index = 0;
                while index < seen.len() {
                    for direction in [Direction::Left, Direction::Right, Direction::Up, Direction::Down] {
                        let next = places.beside(Some(seen[index]), direction).unwrap();
                        if !seen.contains(&next) {
                            seen.push(next);
                        }
                    }
                    index += 1;
                }
                assert_eq!(seen.len(), tabbed.len(), "from {start:?} only {seen:?}");
            }
        }
    }

    #[test]
    fn arrows_go_where_they_point() {
        let places = Places::new(1, false, (1264, 754));
        for (from, direction, to) in [
            (Control::Dark, Direction::Right, Control::Quiet),
            (Control::Quiet, Direction::Left, Control::Dark),
            (Control::Larger, Direction::Down, Control::Accent(5)),
            (Control::Network, Direction::Down, Control::Restart),
            (Control::PowerOff, Direction::Right, Control::PowerOff),
            (Control::Accent(2), Direction::Left, Control::Accent(1)),
            (Control::Dark, Direction::Left, Control::Later),
        ] {
            assert_eq!(places.beside(Some(from), direction), Some(to), "{from:?} {direction:?}");
        }
    }
}
