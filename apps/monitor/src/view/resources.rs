//! Plots of what the system has done lately.

use genai_ui::core::{Alignment, Length, Padding};
use genai_ui::parts::bytes;
use genai_ui::plot::Plot;
use genai_ui::widget::{Column, column, container, progress_bar, row, scrollable, space, text};
use genai_ui::{Element, theme};

use crate::storage::Storage;
use crate::{FIRST, HISTORY, Message, Moment, Monitor, SECOND};

const HEIGHT: f32 = 92.0;
/// The least that the top of a plot of bytes stands for, so that nothing looks like much: 64 KiB a second.
const LEAST: f32 = 65_536.0;
/// From here on a filesystem is as good as full.
const FULL: f32 = 0.92;

/// The page.
pub fn page(monitor: &Monitor) -> Element<'_, Message> {
    let now = monitor.history.back().copied().unwrap_or_default();
    let sample = &monitor.sample;
    let of = |get: fn(&Moment) -> f32| monitor.history.iter().map(get).collect::<Vec<f32>>();
    let processors = if sample.processors == 1 { "1 processor".to_owned() } else { format!("{} processors", sample.processors) };
    let rate = |value: f32| format!("{}/s", bytes(value as u64));
    let mut all = Column::new().spacing(theme::GAP + 4.0).padding(Padding::ZERO.right(super::BAR));
    all = all.push(card("Processors", format!("{:.0}% of {processors}", now.processor), Plot::new(100.0, HISTORY, HEIGHT).row(of(|it| it.processor), FIRST)));
    let memory = format!("{} of {} in use, {:.0}%", bytes(sample.used), bytes(sample.memory), now.memory);
    all = all.push(card("Memory", memory, Plot::new(100.0, HISTORY, HEIGHT).row(of(|it| it.memory), FIRST)));
    let two = |name, came: (&str, fn(&Moment) -> f32), went: (&str, fn(&Moment) -> f32)| {
        let (first, second) = (of(came.1), of(went.1));
        let most = first.iter().chain(&second).copied().fold(LEAST, f32::max);
        let words = format!("{} {}, {} {}; top {}", came.0, rate(came.1(&now)), went.0, rate(went.1(&now)), rate(most));
        card(name, words, Plot::new(most, HISTORY, HEIGHT).row(first, FIRST).row(second, SECOND))
    };
    all = all.push(two("Network", ("received", |it| it.received), ("sent", |it| it.sent)));
    all = if sample.read.is_some() {
        all.push(two("Disks", ("read", |it| it.read), ("written", |it| it.written)))
    } else {
        all.push(text("This system does not count what its disks read and write.").size(theme::size::SMALL).style(theme::faint))
    };
    all = all.push(storage(&sample.storage));
    scrollable(all).height(Length::Fill).width(Length::Fill).id(super::LIST).into()
}

/// One line and one bar for each filesystem.
fn storage(all: &[Storage]) -> Element<'_, Message> {
    let line = |it: &Storage| {
        let words = format!("{} of {} in use, {} free", bytes(it.used), bytes(it.size), bytes(it.size - it.used));
        let small = |words: String| text(words).size(theme::size::SMALL).style(theme::faint);
        let head = row![text(it.place.clone()), small(it.kind.clone()), space::horizontal(), small(words)].spacing(10.0).align_y(Alignment::Center);
        let part = it.used as f32 / it.size as f32;
        let bar = progress_bar(0.0..=1.0, part).girth(6.0).style(if part > FULL { progress_bar::danger } else { progress_bar::primary });
        column![head, bar].spacing(6.0).into()
    };
    let lines = Column::with_children(all.iter().map(line)).spacing(theme::GAP + 4.0);
    container(column![text("Storage").font(theme::STRONG), lines].spacing(theme::GAP)).padding(theme::GAP + 4.0).width(Length::Fill).style(theme::card).into()
}

fn card(name: &str, words: String, plot: Plot) -> Element<'_, Message> {
    let head = row![text(name).font(theme::STRONG), space::horizontal(), text(words).size(theme::size::SMALL).style(theme::faint)];
    container(column![head, plot].spacing(theme::GAP)).padding(theme::GAP + 4.0).width(Length::Fill).style(theme::card).into()
}
