//! What the window shows.

mod processes;
mod resources;
mod services;

use genai_ui::core::{Alignment, Length, Padding};
use genai_ui::parts::{self, action, heading};
use genai_ui::widget::{Column, button, column, container, row, rule, scrollable, space, stack, text};
use genai_ui::{Element, theme};

use crate::services::Verb;
use crate::{Asking, Force, Message, Monitor, Page};

/// The field for letters of names.
pub const SEARCH: &str = "search";
/// The list.
pub const LIST: &str = "list";
/// A line's height, with the space below.
pub const ROW: f32 = 32.0;
/// Room for the scroll bar.
const BAR: f32 = 14.0;

const SIDEBAR_WIDTH: f32 = 176.0;
const DIALOG_WIDTH: f32 = 440.0;

/// The window.
pub fn window(monitor: &Monitor) -> Element<'_, Message> {
    let page = match monitor.page {
        Page::Processes => processes::page(monitor),
        Page::Resources => resources::page(monitor),
        Page::Services => services::page(monitor),
    };
    let body = column![page, status(monitor)].spacing(theme::GAP + 2.0).padding(Padding::new(theme::MARGIN).bottom(theme::GAP));
    let below = row![sidebar(monitor), body].height(Length::Fill);
    stack![below].push(monitor.asking.as_ref().map(question)).into()
}

fn sidebar(monitor: &Monitor) -> Element<'_, Message> {
    let page = |name: &'static str, page: Page| {
        button(text(name)).width(Length::Fill).padding([8.0, 12.0]).style(theme::entry(monitor.page == page)).on_press(Message::Go(page))
    };
    let title = container(text("Monitor").size(theme::size::TITLE).font(theme::STRONG)).padding(Padding::new(8.0).left(12.0));
    let pages = column![title, page("Processes", Page::Processes), page("Resources", Page::Resources), page("Services", Page::Services)];
    container(pages.spacing(2.0)).width(SIDEBAR_WIDTH).height(Length::Fill).padding(theme::GAP).style(theme::sidebar).into()
}

fn status(monitor: &Monitor) -> Element<'_, Message> {
    let small = |words: String| text(words).size(theme::size::SMALL).style(theme::faint);
    let sample = &monitor.sample;
    let now = monitor.history.back().copied().unwrap_or_default();
    let load = format!("{} processes, processors {:.0}%, memory {} of {}", sample.processes.len(), now.processor, parts::bytes(sample.used), parts::bytes(sample.memory));
    let line = row![small(load), space::horizontal()].push(monitor.said.clone().map(small)).align_y(Alignment::Center);
    column![rule::horizontal(1), container(line).height(24.0).align_y(Alignment::Center)].spacing(4.0).into()
}

fn question(asking: &Asking) -> Element<'_, Message> {
    let (title, words, confirm) = match asking {
        Asking::End(process, Force::Asked) => {
            (format!("End {}?", process.name), "It is asked to end. What is not saved in it may be lost.".to_owned(), "End")
        }
        Asking::End(process, Force::Killed) => {
            (format!("End {} by force?", process.name), "It ends at once, and cannot save anything.".to_owned(), "End by force")
        }
        Asking::Stop(service, verb) => {
            let then = if *verb == Verb::Restart { ", and is started again" } else { "" };
            let title = format!("{} {}?", if *verb == Verb::Restart { "Restart" } else { "Stop" }, service.name);
            (title, format!("It is stopped with all services that require it{then}. Parts of the system may not work meanwhile."), if *verb == Verb::Restart { "Restart" } else { "Stop" })
        }
    };
    let buttons = row![space::horizontal(), action("Cancel", theme::secondary, Some(Message::Cancel)), action(confirm, theme::danger, Some(Message::Confirm))];
    let inside: Column<'_, Message, _, _> = column![heading(title), text(words).style(theme::faint), buttons.spacing(theme::GAP)].spacing(theme::MARGIN);
    parts::dialog(inside, DIALOG_WIDTH)
}

/// What scrolls, with room for its bar.
fn scrolling<'a>(inside: impl Into<Element<'a, Message>>) -> Element<'a, Message> {
    scrollable(container(inside).padding(Padding::ZERO.right(BAR))).height(Length::Fill).width(Length::Fill).id(LIST).into()
}
