//! Colours of cells as 0xRRGGBB.

use alacritty_terminal::term::cell::{Cell, Flags};
use alacritty_terminal::term::color::Colors;
use alacritty_terminal::vte::ansi::{Color, NamedColor, Rgb};

/// The sixteen named colours: normal, then bright.
const NAMED: [u32; 16] = [
    0x000000, 0xcc3b3b, 0x3fa648, 0xc7a13a, 0x4a7fd6, 0xa65fc4, 0x3fa9b5, 0xc8c8c8, // normal
    0x6c6c6c, 0xff6b6b, 0x6fd979, 0xf2d06b, 0x7fb0ff, 0xd491ee, 0x6fdbe6, 0xffffff, // bright
];
const FOREGROUND: u32 = 0xd0d0d0;
const BACKGROUND: u32 = 0x0c0f14;

/// Foreground and background of a cell as drawn.
pub fn colours_of(cell: &Cell, changed: &Colors) -> (u32, u32) {
    // There is no bold font: bold is bright, as on every console.
    let is_bold = cell.flags.contains(Flags::BOLD);
    let foreground = match cell.fg {
        Color::Named(name) if is_bold => Color::Named(name.to_bright()),
        Color::Indexed(index @ 0..8) if is_bold => Color::Indexed(index + 8),
        other => other,
    };
    let mut foreground = resolve(foreground, changed);
    let background = resolve(cell.bg, changed);
    if cell.flags.contains(Flags::DIM) {
        foreground = dim(foreground);
    }
    let (foreground, background) = if cell.flags.contains(Flags::INVERSE) {
        (background, foreground)
    } else {
        (foreground, background)
    };
    if cell.flags.contains(Flags::HIDDEN) {
        (background, background)
    } else {
        (foreground, background)
    }
}

fn pack(colour: Rgb) -> u32 {
    u32::from(colour.r) << 16 | u32::from(colour.g) << 8 | u32::from(colour.b)
}

/// Two thirds of the brightness.
fn dim(colour: u32) -> u32 {
    let part = |shift: u32| ((colour >> shift & 0xff) * 2 / 3) << shift;
    part(16) | part(8) | part(0)
}

fn resolve(colour: Color, changed: &Colors) -> u32 {
    let index = match colour {
        Color::Spec(colour) => return pack(colour),
        Color::Indexed(index) => usize::from(index),
        Color::Named(name) => name as usize,
    };
    // Programs may change colours (OSC 4, 10, 11).
    if let Some(colour) = changed[index] {
        return pack(colour);
    }
    match index {
        0..16 => NAMED[index],
        16..232 => {
            let level = |value: usize| {
                if value == 0 {
                    0
                } else {
                    55 + 40 * value as u32
                }
            };
            let cube = index - 16;
            level(cube / 36) << 16 | level(cube / 6 % 6) << 8 | level(cube % 6)
        }
        232..256 => (8 + 10 * (index as u32 - 232)) * 0x01_0101,
        _ if index == NamedColor::Background as usize => BACKGROUND,
        _ if index == NamedColor::BrightForeground as usize => NAMED[15],
        _ if index == NamedColor::DimForeground as usize => dim(FOREGROUND),
        _ if (NamedColor::DimBlack as usize..=NamedColor::DimWhite as usize).contains(&index) => {
            dim(NAMED[index - NamedColor::DimBlack as usize])
        }
        _ => FOREGROUND,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_change_colours() {
        let changed = Colors::default();
        let mut cell = Cell {
            fg: Color::Named(NamedColor::Red),
            ..Cell::default()
        };
        assert_eq!(colours_of(&cell, &changed), (NAMED[1], BACKGROUND));
        cell.flags = Flags::BOLD;
        assert_eq!(colours_of(&cell, &changed), (NAMED[9], BACKGROUND));
        cell.flags = Flags::INVERSE;
        assert_eq!(colours_of(&cell, &changed), (BACKGROUND, NAMED[1]));
        cell.flags = Flags::HIDDEN;
        assert_eq!(colours_of(&cell, &changed), (BACKGROUND, BACKGROUND));
    }

    #[test]
    fn the_256_colours_are_xterms() {
        let changed = Colors::default();
        let colour = |index| resolve(Color::Indexed(index), &changed);
        assert_eq!(
            (colour(16), colour(21), colour(196), colour(231)),
            (0, 0x0000ff, 0xff0000, 0xffffff)
        );
        assert_eq!(
            (colour(232), colour(255), colour(67)),
            (0x080808, 0xeeeeee, 0x5f87af)
        );
    }
}
