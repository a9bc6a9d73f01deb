//! What the window shows.

mod detail;
mod dialog;
mod list;

use genai_ui::core::{Alignment, Length, Padding};
use genai_ui::widget::{Column, button, column, container, row, rule, space, stack, text, text_input};
use genai_ui::{Element, theme};

use crate::catalogue::SECTIONS;
use crate::{Doing, Message, Page, SearchField, Store};

/// The search field.
pub const SEARCH: &str = "search";
/// The list.
pub const LIST: &str = "list";
/// From one entry of the list to the next, logical pixels.
pub const ROW_HEIGHT: f32 = 68.0;

const SIDEBAR_WIDTH: f32 = 208.0;

/// The window.
pub fn window(store: &Store) -> Element<'_, Message> {
    let entry = store.shown.as_ref().and_then(|name| store.catalogue.as_ref()?.get(name));
    let main = match (entry, &store.page) {
        (Some(entry), _) => detail::page(entry, &store.gallery, store.program.is_some(), matches!(store.doing, Doing::Nothing)),
        (None, Page::History) => list::history(store),
        (None, _) => list::page(store),
    };
    let body = column![top(store), main].push(status(store)).spacing(theme::MARGIN - 2.0).padding(Padding::new(theme::MARGIN).bottom(theme::GAP));
    let below = row![sidebar(store), body].height(Length::Fill);
    match dialog::over(store) {
        Some(dialog) => stack![below, dialog].into(),
        None => below.into(),
    }
}

fn top(store: &Store) -> Element<'_, Message> {
    let field: SearchField<'_> = text_input("Search programs and packages", &store.words);
    let field = field.id(SEARCH).on_input(Message::Search).on_submit(Message::Enter).padding([10.0, 14.0]).size(theme::size::BODY).style(theme::field);
    let refresh = button(text("Check for updates")).padding([10.0, 14.0]).style(theme::secondary);
    let refresh = refresh.on_press_maybe((!store.is_loading).then_some(Message::Refresh));
    row![field, refresh].spacing(theme::GAP).align_y(Alignment::Center).into()
}

fn sidebar(store: &Store) -> Element<'_, Message> {
    let page = |name: &'static str, page: Page, count: usize| {
        let count = (count > 0).then(|| text(count).size(theme::size::SMALL).style(theme::faint));
        let line = row![text(name)].push(space::horizontal()).push(count).align_y(Alignment::Center);
        let is_chosen = store.page == page && store.shown.is_none();
        button(line).width(Length::Fill).padding([8.0, 12.0]).style(theme::entry(is_chosen)).on_press(Message::Go(page))
    };
    let heading = |name| container(text(name).size(theme::size::SMALL).style(theme::faint)).padding(Padding::new(4.0).left(12.0).top(14.0));
    let installed = store.catalogue.as_ref().map_or(0, |it| it.entries().iter().filter(|it| it.installed.is_some()).count());
    let pages = column![
        container(text("Store").size(theme::size::TITLE).font(theme::STRONG)).padding(Padding::new(8.0).left(12.0)),
        page("Explore", Page::Explore, 0),
        page("Installed", Page::Installed, installed),
        page("Updates", Page::Updates, store.updates()),
        page("History", Page::History, 0),
        heading("Sections"),
    ];
    let sections = SECTIONS.iter().fold(pages, |column, (name, _)| column.push(page(name, Page::Section(name), 0)));
    container(sections.spacing(2.0)).width(SIDEBAR_WIDTH).height(Length::Fill).padding(theme::GAP).style(theme::sidebar).into()
}

/// The line below: what goes on, what was done, what is wrong.
fn status(store: &Store) -> Option<Element<'_, Message>> {
    let said = match &store.doing {
        Doing::Planning(wish) => format!("{}: finding out what that takes", store.words(wish)),
        _ if store.is_loading => "Reading the catalogue".to_owned(),
        _ => match &store.said {
            Some(said) => said.clone(),
            None if !store.unreachable.is_empty() => format!("Not everything could be asked. {}", store.unreachable.join("; ")),
            None => return None,
        },
    };
    let line = container(text(said).size(theme::size::SMALL).style(theme::faint)).padding(Padding::new(0.0).top(4.0));
    Some(Column::new().push(rule::horizontal(1)).push(line).into())
}
