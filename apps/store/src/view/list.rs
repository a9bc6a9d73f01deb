//! Lists of entries, and of what was changed.

use genai_ui::core::{Alignment, Background, Border, Color, Length, Padding};
use genai_ui::widget::{Column, button, column, container, image, row, scrollable, space, text};
use genai_ui::{Element, Theme, theme};
use gpm::database::Past;

use super::LIST;
use crate::catalogue::Entry;
use crate::worker::Wish;
use crate::{Message, Page, Store};

/// A page of entries.
pub fn page(store: &Store) -> Element<'_, Message> {
    let listed = store.listed();
    let heading = match &store.page {
        Page::Section(name) => *name,
        Page::Installed => "Installed",
        Page::Updates => "Updates",
        _ if store.words.trim().is_empty() => "Explore",
        _ => "Found",
    };
    let count = if store.catalogue.is_none() { String::new() } else if listed.len() == 1 { "1 entry".to_owned() } else { format!("{} entries", listed.len()) };
    let all = (store.page == Page::Updates && !listed.is_empty())
        .then(|| button(text("Update everything")).padding([8.0, 14.0]).style(theme::primary).on_press(Message::Want(Wish::UpgradeAll)));
    let head = row![text(heading).size(theme::size::TITLE).font(theme::STRONG), text(count).size(theme::size::SMALL).style(theme::faint), space::horizontal()]
        .push(all)
        .spacing(theme::GAP + 4.0)
        .align_y(Alignment::Center);
    let further = store.may_look_further().then(|| {
        let look = button(text("Look among all packages")).padding([8.0, 14.0]).style(theme::secondary).on_press(Message::Everywhere);
        container(look).center_x(Length::Fill).padding(theme::GAP)
    });
    if listed.is_empty() {
        return column![head, empty(store)].push(further).spacing(theme::GAP).height(Length::Fill).into();
    }
    let mut entries = Column::new().spacing(6.0).padding(Padding::ZERO.right(14.0));
    for (number, entry) in listed.iter().enumerate().take(store.portion) {
        entries = entries.push(line(entry, store.chosen == Some(number)));
    }
    if listed.len() > store.portion {
        let more = button(text("Show more")).padding([8.0, 14.0]).style(theme::secondary).on_press(Message::More);
        entries = entries.push(container(more).center_x(Length::Fill).padding(theme::GAP));
    }
    let entries = entries.push(further);
    column![head, scrollable(entries).id(LIST).height(Length::Fill)].spacing(theme::GAP + 2.0).into()
}

fn empty(store: &Store) -> Element<'_, Message> {
    let said = match &store.page {
        _ if store.is_loading && store.everywhere.is_some() => "Looking among all packages",
        _ if store.is_loading && store.has_asked => "Asking the repositories what they have",
        _ if store.is_loading => "Reading the catalogue",
        _ if !store.words.trim().is_empty() => "Nothing was found by these words.",
        Page::Updates => "Everything is up to date.",
        Page::Installed => "No package is installed.",
        _ => "The repositories that this system knows have no programs here. 'gpm repo' adds repositories; 'Check for updates' asks them.",
    };
    container(text(said).style(theme::faint)).center(Length::Fill).into()
}

/// An entry, to be clicked on.
fn line(entry: &Entry, is_chosen: bool) -> Element<'_, Message> {
    let names = column![text(&entry.title).size(theme::size::NAME).font(theme::STRONG), text(&entry.summary).size(theme::size::SMALL).style(theme::faint)].spacing(2.0);
    let state = match (&entry.installed, entry.has_update()) {
        (Some(_), true) => text("Update").style(text::primary),
        (Some(_), false) => text("Installed").style(text::success),
        (None, _) => text(entry.offered.clone().unwrap_or_default()).style(theme::faint),
    };
    let inside = row![picture(entry, 40.0), names.width(Length::Fill), state.size(theme::size::SMALL)].spacing(12.0).align_y(Alignment::Center);
    let card = container(inside).padding([10.0, 14.0]).style(if is_chosen { theme::chosen_card } else { theme::card });
    button(card).width(Length::Fill).padding(0).style(theme::entry(false)).on_press(Message::Show(entry.name.clone())).into()
}

/// The entry's picture, or its first letter.
pub fn picture(entry: &Entry, side: f32) -> Element<'_, Message> {
    if let Some(path) = &entry.icon {
        return match path.extension().and_then(|it| it.to_str()) {
            Some("svg") => genai_ui::widget::svg(genai_ui::core::svg::Handle::from_path(path)).width(side).height(side).into(),
            _ => image(genai_ui::core::image::Handle::from_path(path)).width(side).height(side).into(),
        };
    }
    let letter = entry.title.chars().next().unwrap_or('?').to_uppercase().to_string();
    let colour = hue(&entry.name);
    let tile = move |_: &Theme| container::Style {
        background: Some(Background::Color(colour)),
        text_color: Some(Color::WHITE),
        border: Border { radius: (side / 4.0).into(), ..Border::default() },
        ..container::Style::default()
    };
    container(text(letter).size(side * 0.48)).center(side).style(tile).into()
}

/// A colour that belongs to a name.
fn hue(name: &str) -> Color {
    const COLOURS: [u32; 8] = [0x3f66c4, 0x2f8f83, 0x8a55b8, 0xb3564a, 0x4d7f3a, 0xa06a1e, 0x3d7fa6, 0xa8477f];
    let hash = name.bytes().fold(5381u32, |hash, byte| hash.wrapping_mul(33) ^ u32::from(byte));
    let colour = COLOURS[hash as usize % COLOURS.len()];
    Color::from_rgb8((colour >> 16) as u8, (colour >> 8) as u8, colour as u8)
}

/// What was changed, the last first.
pub fn history(store: &Store) -> Element<'_, Message> {
    let mut all = Column::new().spacing(6.0).padding(Padding::ZERO.right(14.0));
    for past in &store.history {
        all = all.push(transaction(past));
    }
    if store.history.is_empty() {
        all = all.push(container(text("Nothing has been changed yet.").style(theme::faint)).center_x(Length::Fill).padding(theme::MARGIN));
    }
    column![text("History").size(theme::size::TITLE).font(theme::STRONG), scrollable(all).id(LIST).height(Length::Fill)].spacing(theme::GAP + 2.0).into()
}

fn transaction(past: &Past) -> Element<'_, Message> {
    let version = |it: &Option<(String, gpm::digest::Digest)>| it.as_ref().map(|(version, _)| version.clone());
    let change = |it: &gpm::database::PastChange| match (version(&it.from), version(&it.to)) {
        (None, Some(to)) => format!("{} {to} came", it.name),
        (Some(from), None) => format!("{} {from} went", it.name),
        (from, to) => format!("{} {} became {}", it.name, from.unwrap_or_default(), to.unwrap_or_default()),
    };
    const SHOWN: usize = 4;
    let mut changes: Vec<_> = past.changes.iter().take(SHOWN).map(change).collect();
    if past.changes.len() > SHOWN {
        changes.push(format!("and {} more", past.changes.len() - SHOWN));
    }
    let words = column![
        text(&past.what).size(theme::size::NAME),
        text(format!("{}: {}", past.id, changes.join(", "))).size(theme::size::SMALL).style(theme::faint)
    ];
    let undo = button(text("Undo")).padding([8.0, 14.0]).style(theme::secondary).on_press(Message::Want(Wish::Undo(past.id)));
    container(row![words.spacing(2.0).width(Length::Fill), undo].spacing(12.0).align_y(Alignment::Center)).padding([10.0, 14.0]).style(theme::card).into()
}
