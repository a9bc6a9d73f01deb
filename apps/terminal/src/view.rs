//! What the window shows: tabs where there are several, the screen in front, and a question before something is lost.

use genai_ui::core::{Alignment, Length, Padding};
use genai_ui::widget::text::Wrapping;
use genai_ui::widget::{Column, Row, button, column, container, row, space, stack, text};
use genai_ui::{Element, parts, theme};

use crate::screen::Screen;
use crate::{Closing, Message, Tab, Terminal};

/// A tab's width at most, and of the question.
const TAB_WIDTH: f32 = 220.0;
const DIALOG_WIDTH: f32 = 420.0;

/// The window.
pub fn window(terminal: &Terminal) -> Element<'_, Message> {
    let front = match terminal.tabs.get(terminal.front) {
        Some(Tab { session: Ok(session), .. }) => Screen::new(session, terminal.size, terminal.cell, terminal.closing.is_none()).into(),
        Some(Tab { session: Err(error), .. }) => failed(error),
        None => space().width(Length::Fill).height(Length::Fill).into(),
    };
    let tabs = (terminal.tabs.len() > 1).then(|| strip(terminal));
    let below = Column::new().push(tabs).push(front);
    let dialog = terminal.closing.map(|closing| question(terminal, closing));
    stack![below].push(dialog).into()
}

fn strip(terminal: &Terminal) -> Element<'_, Message> {
    let tabs = terminal.tabs.iter().enumerate().map(|(index, tab)| {
        let name = text(tab.name()).size(theme::size::SMALL + 1.0).wrapping(Wrapping::None);
        let name = if tab.has_rung { name.style(text::primary) } else { name };
        let close = button(text("×").size(theme::size::BODY)).padding([0.0, 6.0]).style(theme::entry(false)).on_press(Message::Close(tab.number));
        let inside = row![container(name).width(Length::Fill).clip(true), close].align_y(Alignment::Center).spacing(4.0);
        let tab = button(inside).width(Length::Fill).padding(Padding::new(4.0).left(12.0)).style(theme::entry(index == terminal.front)).on_press(Message::Show(tab.number));
        container(tab).max_width(TAB_WIDTH).into()
    });
    let more = button(text("+").size(theme::size::NAME)).padding([2.0, 10.0]).style(theme::entry(false)).on_press(Message::Open);
    container(Row::with_children(tabs).push(more).spacing(4.0).align_y(Alignment::Center)).width(Length::Fill).padding(4.0).style(theme::sidebar).into()
}

fn failed(error: &str) -> Element<'_, Message> {
    let words = column![parts::heading("The shell could not be started"), text(error).style(theme::faint)];
    let close = parts::action("Close", theme::primary, Some(Message::CloseThis));
    container(words.push(close).spacing(theme::MARGIN)).center(Length::Fill).into()
}

fn question(terminal: &Terminal, closing: Closing) -> Element<'_, Message> {
    let programs = terminal.endangered(closing);
    let what = if closing == Closing::Window { "window" } else { "tab" };
    let warning = match programs.as_slice() {
        [] => "What ran has ended.".to_owned(),
        [one] => format!("{one} is running, and would be ended."),
        several => format!("These are running, and would be ended: {}.", several.join(", ")),
    };
    let buttons = row![
        space::horizontal(),
        parts::action("Cancel", theme::secondary, Some(Message::Cancel)),
        parts::action("Close", theme::danger, Some(Message::Confirm))
    ];
    let inside = column![
        parts::heading(format!("Close the {what}?")),
        text(warning).style(theme::faint),
        buttons.spacing(theme::GAP)
    ];
    parts::dialog(inside.spacing(theme::MARGIN), DIALOG_WIDTH)
}
