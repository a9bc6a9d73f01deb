//! One look for all apps: colours, light and dark, with an accent; measures and text sizes.

use desktop_settings::{Appearance, Contrast, Scheme};
use iced_core::theme::Palette;
use iced_core::{Background, Border, Color, Font, Shadow, Theme, Vector, color};
use iced_widget::{button, container, text, text_input, toggler};

use crate::appearance;

/// What text is set in: the desktop's font, where it is installed.
pub const FONT: Font = Font::with_name("Inter");

/// What titles and names are set in.
pub const STRONG: Font = Font { weight: iced_core::font::Weight::Semibold, ..FONT };

/// Between things that belong together, logical pixels.
pub const GAP: f32 = 8.0;
/// Between groups of things, and at the edges of a window.
pub const MARGIN: f32 = 16.0;
/// Radius of the corners of buttons and fields.
pub const RADIUS: f32 = 8.0;
/// Radius of the corners of cards.
pub const CARD_RADIUS: f32 = 12.0;

/// Sizes of text, logical pixels.
pub mod size {
    /// Explanations.
    pub const SMALL: f32 = 12.0;
    /// Everything that is read.
    pub const BODY: f32 = 14.0;
    /// Names of things.
    pub const NAME: f32 = 16.0;
    /// Titles of pages.
    pub const TITLE: f32 = 24.0;
}

/// The default accent.
pub const ACCENT: Color = color!(0x4c8dff);

/// The look that the user has chosen.
pub fn current() -> Theme {
    chosen(appearance::current())
}

/// The look of an appearance.
pub fn chosen(appearance: Appearance) -> Theme {
    let [red, green, blue] = appearance.accent.channels();
    let accent = Color::from_rgb8(red, green, blue);
    match (appearance.scheme, appearance.contrast) {
        (Scheme::Dark, Contrast::Normal) => dark(accent),
        (Scheme::Light, Contrast::Normal) => light(accent),
        (Scheme::Dark, Contrast::High) => high(dark(accent), Color::BLACK, Color::WHITE),
        (Scheme::Light, Contrast::High) => high(light(accent), Color::WHITE, Color::BLACK),
    }
}

/// The light look, or the one that the user has chosen.
pub fn light_or_current(is_light: bool) -> Theme {
    if is_light { chosen(Appearance { scheme: Scheme::Light, ..appearance::current() }) } else { current() }
}

/// The dark look.
pub fn dark(accent: Color) -> Theme {
    let palette = Palette {
        background: color!(0x16181d),
        text: color!(0xe6e8ec),
        primary: accent,
        success: color!(0x3fb27f),
        warning: color!(0xe0a13c),
        danger: color!(0xe5596b),
    };
    Theme::custom("GenAI dark", palette)
}

/// The light look.
pub fn light(accent: Color) -> Theme {
    let palette = Palette {
        background: color!(0xf6f7f9),
        text: color!(0x1d2026),
        primary: accent,
        success: color!(0x1f8a5b),
        warning: color!(0xa86a00),
        danger: color!(0xc62f45),
    };
    Theme::custom("GenAI light", palette)
}

/// A look with as much contrast as there is.
fn high(theme: Theme, background: Color, text: Color) -> Theme {
    Theme::custom(format!("{theme}, high contrast"), Palette { background, text, ..theme.palette() })
}

fn is_high(theme: &Theme) -> bool {
    let palette = theme.palette();
    [Color::BLACK, Color::WHITE].contains(&palette.background) && [Color::BLACK, Color::WHITE].contains(&palette.text)
}

/// A line of so much of the text's colour; one that can be seen clearly where the contrast is high.
fn line(theme: &Theme, part: f32) -> Color {
    mix(theme, if is_high(theme) { part.max(0.55) } else { part })
}

/// Between the background and the text: what lines and surfaces are made of.
fn mix(theme: &Theme, part: f32) -> Color {
    let palette = theme.palette();
    let one = |a: f32, b: f32| a + (b - a) * part;
    let (a, b) = (palette.background, palette.text);
    Color::from_rgb(one(a.r, b.r), one(a.g, b.g), one(a.b, b.b))
}

/// A surface that lies on the window: a card.
pub fn card(theme: &Theme) -> container::Style {
    let dark = theme.extended_palette().is_dark;
    container::Style {
        background: Some(Background::Color(if dark { mix(theme, 0.05) } else { Color::WHITE })),
        border: Border { color: line(theme, 0.12), width: 1.0, radius: CARD_RADIUS.into() },
        shadow: Shadow { color: Color { a: if dark { 0.0 } else { 0.06 }, ..Color::BLACK }, offset: Vector::new(0.0, 1.0), blur_radius: 4.0 },
        ..container::Style::default()
    }
}

/// The card that the keyboard is at.
pub fn chosen_card(theme: &Theme) -> container::Style {
    let card = card(theme);
    container::Style { border: Border { color: theme.palette().primary, ..card.border }, ..card }
}

/// The strip at a window's side.
pub fn sidebar(theme: &Theme) -> container::Style {
    container::Style { background: Some(Background::Color(mix(theme, 0.03))), ..container::Style::default() }
}

/// Text of less weight.
pub fn faint(theme: &Theme) -> text::Style {
    text::Style { color: Some(mix(theme, if is_high(theme) { 0.8 } else { 0.62 })) }
}

/// A field to write in.
pub fn field(theme: &Theme, status: text_input::Status) -> text_input::Style {
    let palette = theme.palette();
    let edge = match status {
        text_input::Status::Focused { .. } => palette.primary,
        text_input::Status::Hovered => line(theme, 0.3),
        _ => line(theme, 0.16),
    };
    text_input::Style {
        background: Background::Color(if theme.extended_palette().is_dark { mix(theme, 0.06) } else { Color::WHITE }),
        border: Border { color: edge, width: 1.0, radius: RADIUS.into() },
        icon: line(theme, 0.62),
        placeholder: line(theme, 0.5),
        value: palette.text,
        selection: Color { a: 0.35, ..palette.primary },
    }
}

/// What is done most.
pub fn primary(theme: &Theme, status: button::Status) -> button::Style {
    let accent = theme.palette().primary;
    let on_accent = if accent.relative_luminance() > 0.4 { color!(0x10131a) } else { Color::WHITE };
    plain_button(theme, status, accent, on_accent)
}

/// Other buttons.
pub fn secondary(theme: &Theme, status: button::Status) -> button::Style {
    plain_button(theme, status, mix(theme, 0.10), theme.palette().text)
}

/// What destroys.
pub fn danger(theme: &Theme, status: button::Status) -> button::Style {
    plain_button(theme, status, theme.palette().danger, Color::WHITE)
}

fn plain_button(theme: &Theme, status: button::Status, colour: Color, text: Color) -> button::Style {
    let towards = if theme.extended_palette().is_dark { Color::WHITE } else { Color::BLACK };
    let lifted = |part: f32| {
        let one = |a: f32, b: f32| a + (b - a) * part;
        Color { r: one(colour.r, towards.r), g: one(colour.g, towards.g), b: one(colour.b, towards.b), a: colour.a }
    };
    let (colour, text) = match status {
        button::Status::Active => (colour, text),
        button::Status::Hovered => (lifted(0.08), text),
        button::Status::Pressed => (lifted(0.16), text),
        button::Status::Disabled => (Color { a: 0.5, ..colour }, Color { a: 0.5, ..text }),
    };
    button::Style {
        background: Some(Background::Color(colour)),
        text_color: text,
        border: Border { radius: RADIUS.into(), ..Border::default() },
        ..button::Style::default()
    }
}

/// A switch: a light knob, whatever the accent is.
pub fn switch(theme: &Theme, status: toggler::Status) -> toggler::Style {
    let style = toggler::default(theme, status);
    let is_on = matches!(status, toggler::Status::Active { is_toggled: true } | toggler::Status::Hovered { is_toggled: true });
    let ground = if is_on { theme.palette().primary } else { theme.palette().text.scale_alpha(0.28) };
    toggler::Style { foreground: Background::Color(Color::WHITE), background: Background::Color(ground), ..style }
}

/// An entry of a list that can be chosen; `is_chosen` marks the one that is.
pub fn entry(is_chosen: bool) -> impl Fn(&Theme, button::Status) -> button::Style {
    move |theme, status| {
        let part = match status {
            _ if is_chosen => 0.12,
            button::Status::Hovered => 0.07,
            button::Status::Pressed => 0.14,
            _ => 0.0,
        };
        button::Style {
            background: (part > 0.0).then(|| Background::Color(mix(theme, part))),
            text_color: theme.palette().text,
            border: Border { radius: RADIUS.into(), ..Border::default() },
            ..button::Style::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// WCAG 2.1, 1.4.3: text and background differ by 4.5 at least.
    fn contrast(a: Color, b: Color) -> f32 {
        let (a, b) = (a.relative_luminance(), b.relative_luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn high_contrast_is_high() {
        for scheme in [Scheme::Dark, Scheme::Light] {
            let theme = chosen(Appearance { scheme, contrast: Contrast::High, ..Appearance::default() });
            let background = theme.palette().background;
            assert!(contrast(theme.palette().text, background) >= 20.0);
            // WCAG 2.1, 1.4.6 and 1.4.11.
            assert!(contrast(faint(&theme).color.expect("a colour"), background) >= 7.0);
            assert!(contrast(card(&theme).border.color, background) >= 3.0);
            assert!(!is_high(&dark(ACCENT)) && !is_high(&light(ACCENT)));
        }
    }

    #[test]
    fn text_can_be_read() {
        for theme in [dark(ACCENT), light(ACCENT)] {
            let background = theme.palette().background;
            assert!(contrast(theme.palette().text, background) >= 7.0);
            assert!(contrast(faint(&theme).color.expect("a colour"), background) >= 4.5);
            for style in [primary, secondary, danger] {
                let style = style(&theme, button::Status::Active);
                let Some(Background::Color(colour)) = style.background else { panic!("no colour") };
                assert!(contrast(style.text_color, colour) >= 3.0, "{theme}: {:?} on {colour:?}", style.text_color);
            }
        }
    }
}
