//! Colours: what programs ask for by number, as the theme has them.

use alacritty_terminal::term::color::Colors;
use alacritty_terminal::vte::ansi::{Color, NamedColor, Rgb as Asked};
use genai_ui::Theme;
use genai_ui::cells::{Rgb, mix, rgb, rgb_of};

/// The colours of a theme.
#[derive(Debug, Clone, PartialEq)]
pub struct Palette {
    /// Behind everything.
    pub ground: Rgb,
    /// Letters.
    pub ink: Rgb,
    /// The place where is written.
    pub cursor: Rgb,
    /// Behind what is selected.
    pub selection: Rgb,
    /// Black, red, green, yellow, blue, magenta, cyan, white, and the same bright.
    named: [u32; 16],
}

const DARK: [u32; 16] = [
    0x24272e, 0xe5484d, 0x5bb98b, 0xe2b45c, 0x4c9aff, 0xb48ead, 0x5bb8c9, 0xc9ced6, 0x6b7380, 0xff6b6f, 0x7fd6a9, 0xf2cc7d, 0x7db6ff, 0xcba6d9, 0x82d3e0, 0xffffff,
];
/// Dark enough to be read on a light ground.
const LIGHT: [u32; 16] = [
    0x1d2026, 0xb4232f, 0x1a7048, 0x855400, 0x1f5fc4, 0x873f94, 0x0f6b7a, 0x5d6470, 0x4a505b, 0xc62f45, 0x1f8a5b, 0x9a6200, 0x2f74e0, 0xa04fae, 0x15808f, 0x2b2f36,
];

impl Palette {
    /// Of a theme.
    pub fn of(theme: &Theme) -> Self {
        let it = theme.palette();
        let (ground, ink) = (rgb_of(it.background), rgb_of(it.text));
        let named = if theme.extended_palette().is_dark { DARK } else { LIGHT };
        Palette { ground, ink, cursor: ink, selection: mix(ground, rgb_of(it.primary), 96), named }
    }

    /// One of the 256, and of those beyond that have names.
    pub fn numbered(&self, number: usize) -> Rgb {
        /// How bright the six steps of the cube are.
        const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];
        match number {
            0..16 => rgb(self.named[number]),
            16..232 => {
                let it = number - 16;
                [STEPS[it / 36], STEPS[it / 6 % 6], STEPS[it % 6]]
            }
            232..256 => [8 + 10 * (number - 232) as u8; 3],
            _ if number == NamedColor::Background as usize => self.ground,
            _ if number == NamedColor::Cursor as usize => self.cursor,
            _ if (NamedColor::DimBlack as usize..=NamedColor::DimWhite as usize).contains(&number) => {
                self.dim(rgb(self.named[number - NamedColor::DimBlack as usize]))
            }
            _ if number == NamedColor::DimForeground as usize => self.dim(self.ink),
            _ => self.ink,
        }
    }

    /// Less of a colour.
    pub fn dim(&self, colour: Rgb) -> Rgb {
        mix(colour, self.ground, 90)
    }

    /// What a program asked for; `own` are the colours that it has set itself.
    pub fn resolve(&self, colour: Color, own: &Colors) -> Rgb {
        let number = match colour {
            Color::Spec(Asked { r, g, b }) => return [r, g, b],
            Color::Indexed(number) => usize::from(number),
            Color::Named(name) => name as usize,
        };
        own[number].map_or_else(|| self.numbered(number), |Asked { r, g, b }| [r, g, b])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use genai_ui::theme;

    fn luminance(colour: Rgb) -> f32 {
        genai_ui::core::Color::from_rgb8(colour[0], colour[1], colour[2]).relative_luminance()
    }

    #[test]
    fn every_colour_can_be_read() {
        for theme in [theme::dark(theme::ACCENT), theme::light(theme::ACCENT)] {
            let palette = Palette::of(&theme);
            let ground = luminance(palette.ground);
            // All but black, which is for grounds.
            for number in 1..16 {
                let it = luminance(palette.numbered(number));
                let contrast = (it.max(ground) + 0.05) / (it.min(ground) + 0.05);
                assert!(contrast >= 3.4, "colour {number} of {theme}: {contrast}");
            }
        }
    }

    #[test]
    fn the_cube_and_the_greys() {
        let palette = Palette::of(&theme::dark(theme::ACCENT));
        assert_eq!(palette.numbered(16), [0, 0, 0]);
        assert_eq!(palette.numbered(196), [255, 0, 0]);
        assert_eq!(palette.numbered(231), [255, 255, 255]);
        assert_eq!((palette.numbered(232), palette.numbered(255)), ([8; 3], [238; 3]));
        assert_eq!(palette.numbered(NamedColor::Background as usize), palette.ground);
    }
}
