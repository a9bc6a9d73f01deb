//! Colours, dark and light.

use std::cell::Cell;

use desktop_settings::{Appearance, Contrast, Scheme};
use gde_raster::{argb, rgb};

/// The colours of what we draw ourselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Palette {
    /// Title bar of the window that has the keyboard.
    pub title_focused: u32,
    /// Title bar of the others.
    pub title: u32,
    /// The line along a title bar's upper edge.
    pub title_light: u32,
    /// The line between title and content.
    pub title_line: u32,
    /// Text.
    pub text: u32,
    /// Text that matters less.
    pub text_dim: u32,
    /// Text that only completes other text, such as days of another month.
    pub text_faint: u32,
    /// What is chosen, and what can be done.
    pub accent: u32,
    /// The button that closes, under the pointer.
    pub danger: u32,
    /// A button under the pointer.
    pub hover: u32,
    /// Panels that lie upon the screen.
    pub panel: u32,
    /// Boxes such as the launcher.
    pub ground: u32,
    /// The line around boxes.
    pub box_line: u32,
    /// The line around windows, which tells them apart.
    pub window_line: u32,
    /// Where a dragged window would snap to.
    pub preview: u32,
    /// What covers the screen behind an overview.
    pub shade: u32,
    /// Behind a client that is smaller than its frame.
    pub backing: u32,
}

/// Light letters on dark ground.
const DARK: Palette = Palette {
    title_focused: rgb(0x2d_3139),
    title: rgb(0x24_272e),
    title_light: argb(26, 255, 255, 255),
    title_line: rgb(0x1a_1c21),
    text: rgb(0xe8_eaed),
    text_dim: rgb(0x9a_a0ab),
    text_faint: rgb(0x70_7681),
    accent: rgb(0x4c_8dff),
    danger: rgb(0xe5_484d),
    hover: argb(36, 255, 255, 255),
    panel: argb(224, 0x16, 0x18, 0x1d),
    ground: rgb(0x1f_2229),
    box_line: rgb(0x3c_414b),
    window_line: argb(44, 255, 255, 255),
    preview: argb(70, 0x4c, 0x8d, 0xff),
    shade: argb(150, 8, 10, 16),
    backing: rgb(0x12_1419),
};

/// Dark letters on light ground.
const LIGHT: Palette = Palette {
    title_focused: rgb(0xe9_ebef),
    title: rgb(0xf3_f4f6),
    title_light: argb(20, 0, 0, 0),
    title_line: rgb(0xd7_dae0),
    text: rgb(0x1d_2026),
    text_dim: rgb(0x5c_626d),
    text_faint: rgb(0x85_8b96),
    accent: rgb(0x4c_8dff),
    danger: rgb(0xe5_484d),
    hover: argb(26, 0, 0, 0),
    panel: argb(232, 0xf2, 0xf3, 0xf6),
    ground: rgb(0xfb_fbfc),
    box_line: rgb(0xc9_cdd4),
    window_line: argb(60, 0, 0, 0),
    preview: argb(70, 0x4c, 0x8d, 0xff),
    shade: argb(190, 0xe4, 0xe7, 0xec),
    backing: rgb(0xff_ffff),
};

/// White letters on black ground.
const DARK_HIGH: Palette = Palette {
    title_focused: rgb(0x1c_2027),
    title: rgb(0x0a_0b0d),
    title_light: argb(110, 255, 255, 255),
    title_line: rgb(0x9a_a0ab),
    text: rgb(0xff_ffff),
    text_dim: rgb(0xd4_d8de),
    text_faint: rgb(0xb4_b9c2),
    hover: argb(64, 255, 255, 255),
    panel: rgb(0x00_0000),
    ground: rgb(0x00_0000),
    box_line: rgb(0xb4_b9c2),
    window_line: argb(170, 255, 255, 255),
    backing: rgb(0x00_0000),
    ..DARK
};

/// Black letters on white ground.
const LIGHT_HIGH: Palette = Palette {
    title_focused: rgb(0xdc_e0e7),
    title: rgb(0xff_ffff),
    title_light: argb(90, 0, 0, 0),
    title_line: rgb(0x4a_4f59),
    text: rgb(0x00_0000),
    text_dim: rgb(0x2c_3038),
    text_faint: rgb(0x4a_4f59),
    hover: argb(48, 0, 0, 0),
    panel: rgb(0xff_ffff),
    ground: rgb(0xff_ffff),
    box_line: rgb(0x4a_4f59),
    window_line: argb(200, 0, 0, 0),
    ..LIGHT
};

impl Palette {
    /// The colours of what the user has chosen.
    pub fn of(appearance: &Appearance) -> Self {
        let [r, g, b] = appearance.accent.channels();
        let colours = match (appearance.scheme, appearance.contrast) {
            (Scheme::Dark, Contrast::Normal) => DARK,
            (Scheme::Light, Contrast::Normal) => LIGHT,
            (Scheme::Dark, Contrast::High) => DARK_HIGH,
            (Scheme::Light, Contrast::High) => LIGHT_HIGH,
        };
        Palette { accent: rgb(appearance.accent.0 & 0xff_ffff), preview: argb(70, r, g, b), ..colours }
    }
}

thread_local! {
    /// All drawing is done by one thread; tests have a desktop each.
    static COLOURS: Cell<Palette> = const { Cell::new(DARK) };
}

/// The colours that hold now.
pub fn colours() -> Palette {
    COLOURS.get()
}

/// From now on these hold. What was drawn before stays as it is.
pub fn set_colours(palette: Palette) {
    COLOURS.set(palette);
}

/// WCAG's relative luminance of a colour that covers, 0 to 1.
fn luminance(colour: u32) -> f64 {
    let one = |shift: u32| {
        let value = f64::from(colour >> shift & 255) / 255.0;
        if value <= 0.03928 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * one(16) + 0.7152 * one(8) + 0.0722 * one(0)
}

/// WCAG's contrast of two colours, 1 to 21.
fn contrast(a: u32, b: u32) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// What can be read on a ground of any colour: nearly black or white.
pub fn ink_on(ground: u32) -> u32 {
    let (dark, light) = (rgb(0x10_1218), rgb(0xff_ffff));
    if contrast(dark, ground) >= contrast(light, ground) { dark } else { light }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_can_be_read() {
        for colours in [DARK, LIGHT] {
            for ground in [colours.title_focused, colours.title, colours.ground, colours.panel, colours.shade] {
                assert!(contrast(colours.text, ground) >= 7.0, "{ground:x}");
            }
            for ground in [colours.title, colours.ground, colours.panel] {
                assert!(contrast(colours.text_dim, ground) >= 4.5, "{ground:x}");
            }
            assert!(contrast(colours.text_faint, colours.ground) >= 3.0);
        }
    }

    #[test]
    fn high_contrast_is_high() {
        for colours in [DARK_HIGH, LIGHT_HIGH] {
            for ground in [colours.title_focused, colours.title, colours.ground, colours.panel] {
                assert!(contrast(colours.text, ground) >= 14.0, "{ground:x}");
                // WCAG 2.1, 1.4.6.
                assert!(contrast(colours.text_dim, ground) >= 7.0, "{ground:x}");
            }
            assert!(contrast(colours.text_faint, colours.ground) >= 7.0);
            assert!(contrast(colours.box_line, colours.ground) >= 3.0);
        }
    }

    #[test]
    fn accents_can_be_written_on() {
        let accents = Appearance::ACCENTS.map(|it| rgb(it.0.0));
        for ground in accents.into_iter().chain([DARK.danger, 0xff00_0000, 0xffff_ffff, 0xff80_8080]) {
            assert!(contrast(ink_on(ground), ground) >= 4.5, "{ground:x}");
        }
    }
}
