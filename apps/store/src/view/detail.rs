//! All about a package.

use genai_ui::core::image::Handle;
use genai_ui::core::{Alignment, ContentFit, Length, Padding};
use genai_ui::parts::{self, bytes};
use genai_ui::widget::{Column, Row, button, column, container, image, row, scrollable, text};
use genai_ui::{Element, theme};

use super::list::picture;
use crate::Message;
use crate::catalogue::Entry;
use crate::pictures::{Gallery, Offer};
use crate::worker::Wish;

/// The page of an entry. It may have a program to be opened, and its buttons work where nothing else is being done.
pub fn page<'a>(entry: &'a Entry, gallery: &'a Gallery, has_program: bool, is_free: bool) -> Element<'a, Message> {
    let back = button(text("Back")).padding([8.0, 14.0]).style(theme::secondary).on_press(Message::Back);
    let wish = |label, style: fn(&genai_ui::Theme, button::Status) -> button::Style, wish: Wish| {
        button(text(label)).padding([10.0, 18.0]).style(style).on_press_maybe(is_free.then_some(Message::Want(wish)))
    };
    let mut buttons = Row::new().spacing(theme::GAP);
    if entry.installed.is_none() && entry.offered.is_some() {
        buttons = buttons.push(wish("Install", theme::primary, Wish::Install(entry.name.clone())));
    }
    if has_program {
        buttons = buttons.push(parts::action("Open", if entry.has_update() { theme::secondary } else { theme::primary }, is_free.then_some(Message::Open)));
    }
    if entry.has_update() {
        buttons = buttons.push(wish("Update", theme::primary, Wish::Upgrade(entry.name.clone())));
    }
    if entry.installed.is_some() && !entry.is_essential {
        buttons = buttons.push(wish("Remove", theme::danger, Wish::Remove(entry.name.clone())));
    }
    let names = column![text(&entry.title).size(theme::size::TITLE).font(theme::STRONG), text(&entry.summary).style(theme::faint)].spacing(4.0);
    let head = row![picture(entry, 72.0), names.width(Length::Fill), buttons].spacing(theme::MARGIN).align_y(Alignment::Center);
    let description = if entry.description.is_empty() { "There is no description." } else { entry.description.as_str() };
    let about = container(text(description)).padding(theme::MARGIN).width(Length::Fill).style(theme::card);
    let body = column![head].push(pictures(gallery)).push(about).push(facts(entry)).spacing(theme::MARGIN).padding(Padding::ZERO.right(14.0));
    column![back, scrollable(body).height(Length::Fill)].spacing(theme::MARGIN).into()
}

/// Pictures of it at work, and the offer to bring those that are not here.
fn pictures(gallery: &Gallery) -> Option<Element<'_, Message>> {
    let offer = match &gallery.offer {
        Some(it) => Some(offer(it)),
        None if gallery.awaited > 0 => Some(text("Pictures are on their way").size(theme::size::SMALL).style(theme::faint).into()),
        None => None,
    };
    let strip = strip(gallery);
    (offer.is_some() || strip.is_some()).then(|| Column::new().push(strip).push(offer).spacing(theme::GAP).into())
}

/// Nothing is brought before somebody says so: whose server it is, and what it learns by that.
fn offer(Offer { server, count }: &Offer) -> Element<'_, Message> {
    let (these, they) = if *count == 1 { ("1 picture".to_owned(), "is") } else { (format!("{count} pictures"), "are") };
    let words = column![
        text(format!("{these} of it at work {they} kept by {server}")),
        text("Showing them tells that server what you look at").size(theme::size::SMALL).style(theme::faint)
    ];
    let buttons = row![
        parts::small_action("Always show", theme::secondary, Some(Message::AlwaysShowPictures)),
        parts::small_action("Show pictures", theme::primary, Some(Message::ShowPictures))
    ];
    let line = row![words.spacing(2.0).width(Length::Fill), buttons.spacing(theme::GAP)].spacing(theme::MARGIN).align_y(Alignment::Center);
    container(line).padding(theme::MARGIN).width(Length::Fill).style(theme::card).into()
}

/// Those that are here, beside each other.
fn strip(gallery: &Gallery) -> Option<Element<'_, Message>> {
    const HEIGHT: f32 = 220.0;
    let brought: Vec<Element<'_, Message>> = gallery.files.iter().flatten().map(|path| image(Handle::from_path(path)).height(HEIGHT).content_fit(ContentFit::Contain).into()).collect();
    let bar = scrollable::Direction::Horizontal(scrollable::Scrollbar::new().width(6).scroller_width(6));
    // Below the pictures is the bar's room.
    let row = Row::with_children(brought).spacing(theme::GAP + 4.0).padding(Padding::ZERO.bottom(10.0));
    gallery.files.iter().any(Option::is_some).then(|| scrollable(row).direction(bar).width(Length::Fill).into())
}

fn facts(entry: &Entry) -> Element<'_, Message> {
    let none = || "none".to_owned();
    let mut facts: Vec<(&str, String)> = vec![
        ("Package", entry.name.clone()),
        ("Installed version", entry.installed.clone().unwrap_or_else(none)),
        ("Available version", entry.offered.clone().unwrap_or_else(none)),
        ("Licence", entry.licence.clone()),
    ];
    if let Some(size) = entry.size {
        facts.push(("Size", bytes(size)));
    }
    if let Some(repository) = &entry.repository {
        facts.push(("Repository", repository.clone()));
    }
    if !entry.homepage.is_empty() {
        facts.push(("Home page", entry.homepage.clone()));
    }
    if !entry.sections.is_empty() {
        facts.push(("Sections", entry.sections.join(", ")));
    }
    let rights = if entry.rights.is_empty() { "nothing beyond its own files".to_owned() } else { entry.rights.join("; ") };
    facts.push(("Its set-up may", rights));
    if entry.is_essential {
        facts.push(("Essential", "the system would not work without it".to_owned()));
    }
    let line = |(name, value): (&'static str, String)| row![text(name).style(theme::faint).width(160.0), text(value).width(Length::Fill)].into();
    container(Column::with_children(facts.into_iter().map(line)).spacing(theme::GAP)).padding(theme::MARGIN).width(Length::Fill).style(theme::card).into()
}
