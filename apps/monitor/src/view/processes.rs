//! All processes.

use genai_ui::core::{Alignment, Length, Padding};
use genai_ui::parts::{bytes, small_action};
use genai_ui::widget::text::Wrapping;
use genai_ui::widget::{Column, button, column, container, row, space, text, text_input};
use genai_ui::{Element, theme};

use super::{BAR, ROW, SEARCH, scrolling};
use crate::sample::Process;
use crate::{Column as By, Force, Message, Monitor};

const PID: f32 = 64.0;
const SHARE: f32 = 84.0;
const MEMORY: f32 = 92.0;

/// The page.
pub fn page(monitor: &Monitor) -> Element<'_, Message> {
    let field = text_input("Search by name, command or number", &monitor.words).id(SEARCH).on_input(Message::Search);
    let field = field.width(Length::Fill).padding([8.0, 12.0]).size(theme::size::BODY).style(theme::field);
    let is_chosen = monitor.chosen_process().is_some();
    let end = small_action("End", theme::secondary, is_chosen.then_some(Message::End(Force::Asked)));
    let kill = small_action("End by force", theme::danger, is_chosen.then_some(Message::End(Force::Killed)));
    let top = row![field, end, kill].spacing(theme::GAP).align_y(Alignment::Center);
    let lines = Column::with_children(monitor.shown.iter().map(|it| line(monitor, it))).spacing(2.0);
    column![top, head(monitor), scrolling(lines)].spacing(theme::GAP - 2.0).height(Length::Fill).into()
}

fn head(monitor: &Monitor) -> Element<'_, Message> {
    let by = |name: &'static str, column: By| {
        let (order, is_reversed) = monitor.order;
        let is_up = matches!(column, By::Name | By::Pid) != is_reversed;
        let label = text(if order == column { format!("{name} {}", if is_up { "↑" } else { "↓" }) } else { name.to_owned() }).size(theme::size::SMALL);
        let label = if order == column { label.style(text::primary) } else { label.style(theme::faint) };
        button(label).padding([3.0, 8.0]).style(theme::entry(false)).on_press(Message::Sort(column))
    };
    let right = |it, width| container(it).width(width + 10.0).align_x(Alignment::End);
    row![by("Name", By::Name), space::horizontal(), right(by("Number", By::Pid), PID), right(by("Processor", By::Processor), SHARE), right(by("Memory", By::Memory), MEMORY)]
        .padding(Padding::ZERO.left(2.0).right(BAR + 2.0))
        .into()
}

fn line<'a>(monitor: &Monitor, process: &'a Process) -> Element<'a, Message> {
    let small = |words: String, width: f32| container(text(words).size(theme::size::SMALL).style(theme::faint).wrapping(Wrapping::None)).width(width).align_x(Alignment::End);
    let command = text(&process.command).size(theme::size::SMALL).style(theme::faint).wrapping(Wrapping::None);
    let name = row![text(&process.name).wrapping(Wrapping::None), command].spacing(10.0).align_y(Alignment::Center);
    let name = container(name).width(Length::Fill).clip(true);
    let share = monitor.share(process);
    let share = if share >= 0.05 { format!("{share:.1}%") } else { String::new() };
    let inside = row![name, small(process.pid.to_string(), PID), small(share, SHARE), small(bytes(process.memory), MEMORY)].spacing(10.0).align_y(Alignment::Center);
    let is_chosen = monitor.chosen == Some(process.pid);
    button(inside).width(Length::Fill).height(ROW - 2.0).padding([4.0, 10.0]).style(theme::entry(is_chosen)).on_press(Message::Choose(process.pid)).into()
}
