//! The window: pages at the side, the page's rows beside them, a question over both.

mod controls;

use genai_ui::core::{Alignment, Background, Border, Length, Padding};
use genai_ui::parts::{self, action, heading};
use genai_ui::widget::text::Wrapping;
use genai_ui::widget::{Column, button, column, container, row, rule, scrollable, space, stack, text};
use genai_ui::{Element, Theme, theme};

use crate::form::{Row, Section};
use crate::{Message, Page, Question, Settings};

/// What scrolls.
pub const LIST: &str = "list";

const SIDEBAR_WIDTH: f32 = 184.0;
const DIALOG_WIDTH: f32 = 440.0;
/// Lines that are longer are hard to follow with the eyes.
const CONTENT_WIDTH: f32 = 700.0;
/// Room for the scroll bar.
const BAR: f32 = 14.0;

/// The window.
pub fn window(app: &Settings) -> Element<'_, Message> {
    stack![row![sidebar(app), page(app)].height(Length::Fill)].push(app.asking.as_ref().map(question)).into()
}

fn sidebar(app: &Settings) -> Element<'_, Message> {
    let page = |page: Page| button(text(page.title())).width(Length::Fill).padding([8.0, 12.0]).style(theme::entry(app.page == page)).on_press(Message::Go(page)).into();
    let title = container(text("Settings").size(theme::size::TITLE).font(theme::STRONG)).padding(Padding::new(8.0).left(12.0));
    let pages = column![title, Column::with_children(Page::ALL.map(page)).spacing(2.0)].spacing(2.0);
    container(pages).width(SIDEBAR_WIDTH).height(Length::Fill).padding(theme::GAP).style(theme::sidebar).into()
}

fn page(app: &Settings) -> Element<'_, Message> {
    let mut all = Column::new().spacing(theme::MARGIN).max_width(CONTENT_WIDTH);
    let mut first = 0;
    for section in app.sections() {
        let active = section.rows.iter().filter(|it| it.is_active()).count();
        all = all.push(one_section(section, app.at.and_then(|at| at.checked_sub(first))));
        first += active;
    }
    let inside = container(all).width(Length::Fill).padding(Padding::ZERO.right(BAR));
    let list = scrollable(inside).height(Length::Fill).width(Length::Fill).id(LIST);
    let title = row![text(app.page.title()).size(theme::size::TITLE).font(theme::STRONG), space::horizontal(), said(app)].align_y(Alignment::Center).spacing(theme::MARGIN);
    container(column![title, list].spacing(theme::MARGIN)).padding(Padding::new(theme::MARGIN + 4.0).top(theme::MARGIN)).width(Length::Fill).height(Length::Fill).into()
}

/// What was said last, beside the title.
fn said(app: &Settings) -> Option<Element<'_, Message>> {
    let words = match (&app.said, app.is_busy) {
        (_, true) => text("Working ...").style(theme::faint),
        (Some(Ok(words)), _) => text(words).style(text::success),
        (Some(Err(words)), _) => text(words).style(text::danger),
        (None, _) => return None,
    };
    Some(container(words.size(theme::size::SMALL)).max_width(460.0).into())
}

fn one_section(section: Section, at: Option<usize>) -> Element<'static, Message> {
    let mut rows = Column::new();
    let mut active = 0;
    let count = section.rows.len();
    for (index, it) in section.rows.into_iter().enumerate() {
        let is_at = it.is_active() && at == Some(active);
        active += usize::from(it.is_active());
        rows = rows.push(one_row(it, is_at));
        if index + 1 < count {
            rows = rows.push(container(rule::horizontal(1).style(line)).padding([0.0, theme::MARGIN - 2.0]));
        }
    }
    let card = container(rows).width(Length::Fill).padding(3.0).style(theme::card);
    if section.title.is_empty() {
        return card.into();
    }
    column![container(text(section.title).size(theme::size::SMALL + 1.0).font(theme::STRONG).style(theme::faint)).padding(Padding::ZERO.left(2.0)), card].spacing(theme::GAP - 2.0).into()
}

fn line(theme: &Theme) -> rule::Style {
    rule::Style { color: theme.palette().text.scale_alpha(0.08), radius: 0.0.into(), fill_mode: rule::FillMode::Full, snap: true }
}

fn one_row(it: Row, is_at: bool) -> Element<'static, Message> {
    let pick = controls::pick(&it.control);
    let control = controls::control(it.control);
    let mut words = Column::new().push(text(it.name)).spacing(2.0);
    if !it.detail.is_empty() {
        words = words.push(text(it.detail).size(theme::size::SMALL).style(theme::faint).wrapping(Wrapping::WordOrGlyph));
    }
    let inside = row![container(words).width(Length::Fill), control].spacing(theme::MARGIN).align_y(Alignment::Center);
    let inside = container(inside).padding([9.0, theme::MARGIN - 3.0]).width(Length::Fill);
    let around = move |theme: &Theme| container::Style {
        border: Border { color: if is_at { theme.palette().primary } else { genai_ui::core::Color::TRANSPARENT }, width: 2.0, radius: (theme::CARD_RADIUS - 3.0).into() },
        background: is_at.then(|| Background::Color(theme.palette().text.scale_alpha(0.04))),
        ..container::Style::default()
    };
    match pick {
        // All of the row can be clicked on.
        Some(message) => container(button(inside).padding(0).width(Length::Fill).style(theme::entry(false)).on_press_maybe(message)).style(around).into(),
        None => container(inside).style(around).into(),
    }
}

fn question(it: &Question) -> Element<'_, Message> {
    let words = match it.seconds {
        Some(seconds) => format!("{} {seconds} seconds are left.", it.words),
        None => it.words.clone(),
    };
    let style = if it.is_danger { theme::danger } else { theme::primary };
    let cancel = if it.otherwise.is_some() { "Go back" } else { "Cancel" };
    let buttons = row![space::horizontal(), action(cancel, theme::secondary, Some(Message::Leave)), action(it.confirm, style, Some(Message::Confirm))];
    let inside: Column<'_, Message, _, _> = column![heading(it.title.clone()), text(words).style(theme::faint), buttons.spacing(theme::GAP)].spacing(theme::MARGIN);
    parts::dialog(inside, DIALOG_WIDTH)
}
