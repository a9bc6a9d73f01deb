//! Parts that all apps' windows are made of.

use iced_core::{Background, Color, Length};
use iced_widget::{button, container, opaque, text};

use crate::{Element, Task, Theme, theme};

/// How a button looks.
pub type ButtonStyle = fn(&Theme, button::Status) -> button::Style;

/// A button with words; without a message it cannot be pressed.
pub fn action<'a, M: Clone + 'a>(label: impl text::IntoFragment<'a>, style: ButtonStyle, message: Option<M>) -> Element<'a, M> {
    button(text(label)).padding([10.0, 18.0]).style(style).on_press_maybe(message).into()
}

/// A smaller one, for bars.
pub fn small_action<'a, M: Clone + 'a>(label: impl text::IntoFragment<'a>, style: ButtonStyle, message: Option<M>) -> Element<'a, M> {
    button(text(label).size(theme::size::SMALL + 1.0)).padding([6.0, 12.0]).style(style).on_press_maybe(message).into()
}

/// A question over the window, which is dark and takes no clicks meanwhile. The width is in logical pixels.
pub fn dialog<'a, M: 'a>(inside: impl Into<Element<'a, M>>, width: f32) -> Element<'a, M> {
    let card = container(inside).width(width).padding(theme::MARGIN + 4.0).style(theme::card);
    let shade = |theme: &Theme| container::Style {
        background: Some(Background::Color(Color { a: 0.55, ..if theme.extended_palette().is_dark { Color::BLACK } else { theme.palette().text } })),
        ..container::Style::default()
    };
    opaque(container(card).center(Length::Fill).style(shade))
}

/// What a dialog or a page asks or says, in large letters.
pub fn heading<'a, M: 'a>(words: impl text::IntoFragment<'a>) -> Element<'a, M> {
    text(words).size(theme::size::NAME + 4.0).font(theme::STRONG).into()
}

/// Takes the keys from all fields, so that the next one is for what is shown.
pub fn unfocus<M>() -> Task<M> {
    iced_runtime::task::effect(iced_runtime::Action::widget(iced_core::widget::operation::focusable::unfocus()))
}

/// Bytes for people, by powers of ten.
pub fn bytes(count: u64) -> String {
    match count {
        1 => "1 byte".to_owned(),
        0..1000 => format!("{count} bytes"),
        1000..1_000_000 => format!("{} kB", count.div_ceil(1000)),
        1_000_000..1_000_000_000 => format!("{:.1} MB", count as f64 / 1e6),
        _ => format!("{:.1} GB", count as f64 / 1e9),
    }
}
