//! Process 1's services.

use genai_ui::core::{Alignment, Length};
use genai_ui::parts::small_action;
use genai_ui::widget::text::Wrapping;
use genai_ui::widget::{Column, button, column, container, row, space, text};
use genai_ui::{Element, theme};

use super::{ROW, scrolling};
use crate::services::{Service, Verb};
use crate::{Message, Monitor};

const NAME: f32 = 190.0;
const STATE: f32 = 84.0;

/// The page.
pub fn page(monitor: &Monitor) -> Element<'_, Message> {
    if let (Some(trouble), true) = (&monitor.trouble, monitor.services.is_empty()) {
        return container(text(format!("{trouble}.")).style(theme::faint)).center(Length::Fill).into();
    }
    let chosen = monitor.chosen_service().filter(|_| !monitor.is_acting);
    let act = |label: &'static str, style, is_possible: bool, verb| small_action(label, style, is_possible.then_some(Message::Do(verb)));
    let is_up = chosen.is_some_and(Service::is_up);
    let said = chosen.map(|it| if it.detail.is_empty() { it.description.clone() } else { format!("{}: {}", it.description, it.detail) }).unwrap_or_default();
    let top = row![
        container(text(said).size(theme::size::SMALL).style(theme::faint).wrapping(Wrapping::None)).width(Length::Fill).clip(true),
        act("Start", theme::secondary, chosen.is_some() && !is_up, Verb::Start),
        act("Restart", theme::secondary, is_up, Verb::Restart),
        act("Stop", theme::danger, is_up, Verb::Stop)
    ];
    let lines = Column::with_children(monitor.services.iter().map(|it| line(monitor, it))).spacing(2.0);
    column![top.spacing(theme::GAP).align_y(Alignment::Center), scrolling(lines)].spacing(theme::GAP + 2.0).height(Length::Fill).into()
}

fn line<'a>(monitor: &Monitor, service: &'a Service) -> Element<'a, Message> {
    let state = text(&service.state).size(theme::size::SMALL);
    let state = match service.state.as_str() {
        "active" | "listening" => state.style(text::success),
        "failed" => state.style(text::danger),
        _ => state.style(theme::faint),
    };
    let description = text(&service.description).size(theme::size::SMALL).style(theme::faint).wrapping(Wrapping::None);
    let pid = service.pid.map(|it| text(it.to_string()).size(theme::size::SMALL).style(theme::faint));
    let inside = row![
        container(text(&service.name).wrapping(Wrapping::None)).width(NAME).clip(true),
        container(state).width(STATE),
        container(description).width(Length::Fill).clip(true)
    ];
    let inside = inside.push(pid).push(space::horizontal().width(4.0)).spacing(10.0).align_y(Alignment::Center);
    let is_chosen = monitor.service.as_ref() == Some(&service.name);
    button(inside).width(Length::Fill).height(ROW - 2.0).padding([4.0, 10.0]).style(theme::entry(is_chosen)).on_press(Message::ChooseService(service.name.clone())).into()
}
