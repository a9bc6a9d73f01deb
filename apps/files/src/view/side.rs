//! The strips at both sides: places to go to, and what the chosen thing is.

use file_operations::entry::Kind;
use file_operations::preview::Preview;
use genai_ui::core::{Alignment, ContentFit, Font, Length, Padding, image, svg};
use genai_ui::parts::{action, bytes};
use genai_ui::widget::text::Wrapping;
use genai_ui::widget::{Column, button, column, container, row, text};
use genai_ui::{Element, theme};

use super::icons;
use super::list::time;
use crate::places::{self, Place};
use crate::{Files, Message};

const PLACES_WIDTH: f32 = 176.0;
const PREVIEW_WIDTH: f32 = 236.0;
const PICTURE_HEIGHT: f32 = 180.0;
/// Lines of a text that are shown.
const LINES: usize = 24;

/// Where one can go to.
pub fn places(files: &Files) -> Element<'_, Message> {
    let is_choosing = files.choice.is_some();
    let title = container(text("Files").size(theme::size::TITLE).font(theme::STRONG)).padding(Padding::new(8.0).left(12.0));
    let all = places::all().into_iter().filter(|(_, place)| !is_choosing || *place != Place::Trash).fold(Column::new().push(title), |column, (name, place)| {
        let is_here = files.place == place;
        let inside = row![icons::place(&name), text(name)].spacing(10.0).align_y(Alignment::Center);
        column.push(button(inside).width(Length::Fill).padding([7.0, 12.0]).style(theme::entry(is_here)).on_press(Message::Go(place)))
    });
    container(all.spacing(2.0)).width(PLACES_WIDTH).height(Length::Fill).padding(theme::GAP).style(theme::sidebar).into()
}

/// What is chosen, where that is one thing.
pub fn preview(files: &Files) -> Option<Element<'_, Message>> {
    let entry = files.single()?;
    let looked = files.seen.as_ref().filter(|it| it.path == entry.path);
    let seen: Element<'_, Message> = match looked.map(|it| &it.preview) {
        Some(Preview::Picture) => {
            genai_ui::widget::image(image::Handle::from_path(&entry.path)).width(Length::Fill).height(PICTURE_HEIGHT).content_fit(ContentFit::ScaleDown).into()
        }
        Some(Preview::Drawing) => {
            genai_ui::widget::svg(svg::Handle::from_path(&entry.path)).width(Length::Fill).height(PICTURE_HEIGHT).content_fit(ContentFit::Contain).into()
        }
        Some(Preview::Text(words)) if !words.trim().is_empty() => {
            let start: String = words.lines().take(LINES).map(|line| line.chars().take(80).collect::<String>() + "\n").collect();
            let words = text(start.replace('\t', "    ")).size(11.0).font(Font::with_name("DejaVu Sans Mono")).wrapping(Wrapping::None);
            container(words).width(Length::Fill).padding(10.0).clip(true).style(theme::card).into()
        }
        _ => container(icons::of(entry, 96.0)).center_x(Length::Fill).padding(theme::MARGIN).into(),
    };
    let what = match (entry.kind, looked) {
        (Kind::Folder, _) => "Folder",
        (Kind::File, None) => "File",
        (Kind::File, Some(seen)) => seen.mime,
        (Kind::Broken, _) => "Link that leads nowhere",
        (Kind::Special, _) => "Device, socket or pipe",
    };
    let mut facts = vec![("Kind", if entry.is_link && entry.kind != Kind::Broken { format!("{what}, by a link") } else { what.to_owned() })];
    if entry.kind == Kind::File {
        facts.push(("Size", bytes(entry.size)));
    }
    facts.push(("Changed", time(entry.modified)));
    if let Some(item) = files.items.iter().find(|it| it.path() == entry.path) {
        facts.push(("Was in", item.origin.parent().map(|it| it.display().to_string()).unwrap_or_default()));
        facts.push(("Deleted", item.deleted.replace('T', " ")));
    } else if !files.words.is_empty() {
        facts.push(("In", entry.path.parent().map(|it| it.display().to_string()).unwrap_or_default()));
    }
    let fact = |(name, value): (&'static str, String)| {
        let value = text(value).size(theme::size::SMALL).width(Length::Fill).wrapping(Wrapping::WordOrGlyph);
        row![text(name).size(theme::size::SMALL).style(theme::faint).width(60.0), value].into()
    };
    let act = if files.place == Place::Trash {
        Some(action("Restore", theme::primary, Some(Message::Restore)))
    } else {
        crate::work::is_archive(&entry.path).then(|| action("Unpack here", theme::primary, files.working.is_none().then_some(Message::Extract)))
    };
    let facts = Column::with_children(facts.into_iter().map(fact)).spacing(4.0);
    let all = column![seen, text(&entry.name).font(theme::STRONG).wrapping(Wrapping::WordOrGlyph), facts].push(act).spacing(theme::GAP + 4.0);
    Some(container(all).width(PREVIEW_WIDTH).height(Length::Fill).clip(true).into())
}
