//! What is in a folder, as lines or tiles.

use file_operations::entry::{Entry, Kind, Order};
use genai_ui::core::{Alignment, Length, Padding};
use genai_ui::parts::{bytes, small_action};
use genai_ui::widget::text::Wrapping;
use genai_ui::widget::{Column, button, column, container, row, space, text};
use genai_ui::{Element, theme};
use std::time::SystemTime;

use super::{BAR, icons, scrolling};
use crate::places::Place;
use crate::{Files, Layout, Message};

/// A line's height, with the space below.
pub const ROW: f32 = 36.0;
/// A tile's, and its width.
pub const TILE: f32 = 112.0;

const SIZE_WIDTH: f32 = 84.0;
const TIME_WIDTH: f32 = 128.0;

/// The entries of the place.
pub fn entries(files: &Files) -> Element<'_, Message> {
    if let Some(error) = &files.error {
        return container(text(format!("{error}.")).style(theme::faint)).center(Length::Fill).into();
    }
    if files.shown.is_empty() {
        let words = match (&files.place, files.words.is_empty()) {
            (_, false) if files.searching.is_some() => "Searching",
            (_, false) => "Nothing has such a name.",
            _ if !files.is_listed => "",
            (Place::Trash, _) => "The trash is empty.",
            _ => "This folder is empty.",
        };
        return container(text(words).style(theme::faint)).center(Length::Fill).into();
    }
    let seen = files.shown.iter().enumerate().take(files.portion);
    let more = (files.shown.len() > files.portion)
        .then(|| container(small_action("Show more", theme::secondary, Some(Message::More))).center_x(Length::Fill).padding(theme::GAP));
    match files.layout {
        Layout::List => {
            let lines = seen.map(|(index, entry)| line(files, index, entry));
            column![head(files), scrolling(Column::with_children(lines).push(more).spacing(2.0))].spacing(4.0).width(Length::Fill).into()
        }
        Layout::Grid => {
            let tiles = seen.map(|(index, entry)| tile(files, index, entry));
            let tiles = genai_ui::widget::Row::with_children(tiles).spacing(theme::GAP).wrap();
            container(scrolling(Column::new().push(tiles).push(more))).width(Length::Fill).into()
        }
    }
}

fn head(files: &Files) -> Element<'_, Message> {
    let by = |name: &'static str, order: Order| {
        let is_it = files.sorting.order == order;
        // Names go up from the first letter; sizes and times down from the largest.
        let is_up = (order == Order::Name) != files.sorting.is_reversed;
        let label = text(if is_it { format!("{name} {}", if is_up { "↑" } else { "↓" }) } else { name.to_owned() }).size(theme::size::SMALL);
        let label = if is_it { label.style(text::primary) } else { label.style(theme::faint) };
        button(label).padding([3.0, 8.0]).style(theme::entry(false)).on_press(Message::Sort(order))
    };
    let right = |it, width| container(it).width(width).align_x(Alignment::End);
    // The buttons' own distances, and the room for the scroll bar.
    row![by("Name", Order::Name), space::horizontal(), right(by("Size", Order::Size), SIZE_WIDTH + 10.0), right(by("Changed", Order::Modified), TIME_WIDTH + 10.0)]
        .padding(Padding::ZERO.left(2.0).right(BAR + 2.0))
        .into()
}

fn line<'a>(files: &Files, index: usize, entry: &'a Entry) -> Element<'a, Message> {
    let small = |words: String, width: f32| container(text(words).size(theme::size::SMALL).style(theme::faint).wrapping(Wrapping::None)).width(width).align_x(Alignment::End);
    let name = container(text(&entry.name).wrapping(Wrapping::None)).width(Length::Fill).clip(true);
    let size = if entry.kind == Kind::File { bytes(entry.size) } else { String::new() };
    let inside = row![icons::of(entry, 22.0), name, small(size, SIZE_WIDTH), small(time(entry.modified), TIME_WIDTH)].spacing(10.0).align_y(Alignment::Center);
    let is_chosen = files.chosen.contains(&entry.path);
    button(inside).width(Length::Fill).height(ROW - 2.0).padding([5.0, 10.0]).style(theme::entry(is_chosen)).on_press(Message::Click(index)).into()
}

fn tile<'a>(files: &Files, index: usize, entry: &'a Entry) -> Element<'a, Message> {
    let name = text(&entry.name).size(theme::size::SMALL).align_x(Alignment::Center).wrapping(Wrapping::WordOrGlyph);
    let name = container(name).center_x(Length::Fill).height(32.0).clip(true);
    let inside = column![container(icons::of(entry, 48.0)).center_x(Length::Fill), name].spacing(6.0);
    let is_chosen = files.chosen.contains(&entry.path);
    button(inside).width(TILE).height(TILE - theme::GAP).padding(8.0).style(theme::entry(is_chosen)).on_press(Message::Click(index)).into()
}

/// When, for people: how long ago, or the day (UTC) where that is long.
pub fn time(then: Option<SystemTime>) -> String {
    let Some(then) = then else { return String::new() };
    let ago = SystemTime::now().duration_since(then).unwrap_or_default().as_secs();
    match ago {
        0..60 => "just now".to_owned(),
        60..3600 => format!("{} min ago", ago / 60),
        3600..86_400 => format!("{} h ago", ago / 3600),
        86_400..2_592_000 => format!("{} days ago", ago / 86_400),
        _ => date(then.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs() / 86_400),
    }
}

/// The day so many days after 1 January 1970, in the Gregorian calendar.
fn date(days: u64) -> String {
    let is_leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let (mut year, mut days) = (1970, days);
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let mut month = 1;
    for length in [31, 28 + u64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    format!("{year}-{month:02}-{:02}", days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_dates() {
        assert_eq!([0, 58, 59, 11_016, 11_017, 20_783].map(date), ["1970-01-01", "1970-02-28", "1970-03-01", "2000-02-29", "2000-03-01", "2026-11-26"]);
    }
}
