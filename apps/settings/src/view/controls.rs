//! Controls at the right of rows.

use desktop_settings::Colour;
use genai_ui::core::{Background, Border, Color, Length};
use genai_ui::parts::small_action;
use genai_ui::widget::{Row, button, container, row, space, text, text_input, toggler};
use genai_ui::{Element, Theme, theme};

use crate::Message;
use crate::form::{Control, Weight};

const FIELD_WIDTH: f32 = 260.0;
/// Side of a colour.
const SWATCH: f32 = 24.0;

/// What a click anywhere on the row means, where that is so.
pub fn pick(control: &Control) -> Option<Option<Message>> {
    match control {
        Control::Pick { message, .. } => Some(message.clone()),
        _ => None,
    }
}

/// A control.
pub fn control(control: Control) -> Element<'static, Message> {
    match control {
        Control::Shown(value) => text(value).style(theme::faint).into(),
        Control::Choice { options, chosen } => {
            let part = |(index, (label, message)): (usize, (&'static str, Message))| segment(label, Some(index) == chosen, message);
            let parts = Row::with_children(options.into_iter().enumerate().map(part)).spacing(2.0);
            container(parts).padding(2.0).style(groove).into()
        }
        Control::Colours { options, chosen } => {
            let one = |(index, (colour, message)): (usize, (Colour, Message))| swatch(colour, Some(index) == chosen, message);
            Row::with_children(options.into_iter().enumerate().map(one)).spacing(6.0).into()
        }
        Control::Switch { is_on, message } => {
            let toggle = toggler(is_on).size(20.0).style(theme::switch);
            match message {
                Some(message) => toggle.on_toggle(move |_| message.clone()).into(),
                None => toggle.into(),
            }
        }
        Control::Button { label, weight, message } => {
            let style = match weight {
                Weight::First => theme::primary,
                Weight::Usual => theme::secondary,
            };
            small_action(label, style, message)
        }
        Control::Pick { is_chosen: true, .. } => text("✓").font(theme::STRONG).style(text::primary).into(),
        Control::Pick { .. } => space::horizontal().width(0.0).into(),
        Control::Field { id, hint, value, is_secret, input, submit } => {
            let field = text_input(hint, &value).id(id).on_input(input).secure(is_secret);
            let field = field.width(FIELD_WIDTH).padding([6.0, 10.0]).size(theme::size::BODY).style(theme::field);
            match submit {
                Some(message) => field.on_submit(message).into(),
                None => field.into(),
            }
        }
    }
}

/// What the parts of a choice lie in.
fn groove(theme: &Theme) -> container::Style {
    let colour = theme.palette().text.scale_alpha(0.07);
    container::Style { background: Some(Background::Color(colour)), border: Border { radius: theme::RADIUS.into(), ..Border::default() }, ..container::Style::default() }
}

fn segment(label: &'static str, is_chosen: bool, message: Message) -> Element<'static, Message> {
    let style = move |theme: &Theme, status| {
        let style = if is_chosen { theme::primary(theme, status) } else { theme::entry(false)(theme, status) };
        button::Style { border: Border { radius: (theme::RADIUS - 2.0).into(), ..Border::default() }, ..style }
    };
    button(text(label).size(theme::size::SMALL + 1.0)).padding([5.0, 12.0]).style(style).on_press(message).into()
}

fn swatch(colour: Colour, is_chosen: bool, message: Message) -> Element<'static, Message> {
    let [r, g, b] = colour.channels();
    let fill = container(space::horizontal().width(SWATCH)).width(SWATCH).height(SWATCH).style(move |_: &Theme| container::Style {
        background: Some(Background::Color(Color::from_rgb8(r, g, b))),
        border: Border { radius: (SWATCH / 2.0).into(), ..Border::default() },
        ..container::Style::default()
    });
    // A ring around the one that holds.
    let style = move |theme: &Theme, status| {
        let alpha = match status {
            _ if is_chosen => 0.9,
            button::Status::Hovered | button::Status::Pressed => 0.35,
            _ => 0.0,
        };
        button::Style {
            background: None,
            border: Border { color: theme.palette().text.scale_alpha(alpha), width: 2.0, radius: (SWATCH / 2.0 + 4.0).into() },
            ..button::Style::default()
        }
    };
    button(row![fill].width(Length::Shrink)).padding(4.0).style(style).on_press(message).into()
}
