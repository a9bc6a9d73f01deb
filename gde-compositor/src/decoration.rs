//! Title bars that we draw, for windows that do not draw their own.

use gde_raster::{Pixmap, Scale};

use crate::render::picture::Canvas;
use crate::theme::{self, Fonts};

/// A title bar's button.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Button {
    /// Hides the window.
    Minimize,
    /// Makes it as large as the screen, or back.
    Maximize,
    /// Asks it to close.
    Close,
}

/// From the left to the right.
const BUTTONS: [Button; 3] = [Button::Minimize, Button::Maximize, Button::Close];

/// All that a title bar's picture depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// What it is drawn in.
    pub colours: theme::Palette,
    /// In how many pixels.
    pub scale: Scale,
    /// Of the window.
    pub width: i32,
    /// What the window calls itself.
    pub title: String,
    /// Whether it has the keyboard.
    pub is_focused: bool,
    /// The button under the pointer.
    pub hover: Option<Button>,
    /// Whether it fills the screen or a part of it: then its corners are not round.
    pub is_filling: bool,
    /// Whether the second button goes back.
    pub is_maximized: bool,
}

/// A title bar and what it was drawn for.
#[derive(Debug)]
pub struct TitleBar {
    look: Look,
    canvas: Canvas,
}

impl TitleBar {
    /// A title bar that looks so.
    pub fn new(look: Look, fonts: &Fonts) -> Self {
        let canvas = Canvas::new(draw(&look, fonts));
        TitleBar { look, canvas }
    }

    /// Draws it anew where it must look otherwise.
    pub fn update(&mut self, look: Look, fonts: &Fonts) {
        if look != self.look {
            self.canvas.replace(draw(&look, fonts));
            self.look = look;
        }
    }

    /// Its picture.
    pub fn canvas(&self) -> &Canvas {
        &self.canvas
    }
}

/// The left edge of a button in a title bar of this width.
fn left_of(index: usize, width: i32) -> i32 {
    let from_right = (BUTTONS.len() - index) as i32;
    width - theme::BUTTON_MARGIN - from_right * theme::BUTTON - (from_right - 1) * theme::BUTTON_GAP
}

/// The button at a place in a title bar of this width. The gaps belong to the buttons, and so does the screen's edge.
pub fn button_at(width: i32, x: i32, y: i32) -> Option<Button> {
    if !(0..theme::TITLE_HEIGHT).contains(&y) || x >= width {
        return None;
    }
    let half = theme::BUTTON_GAP / 2;
    let edges = (0..BUTTONS.len()).map(|index| left_of(index, width) - half);
    let index = edges.enumerate().filter(|(_, left)| x >= *left).last()?.0;
    Some(BUTTONS[index])
}

fn draw(look: &Look, fonts: &Fonts) -> Pixmap {
    let (w, h) = (look.width.clamp(1, 16384), theme::TITLE_HEIGHT);
    let mut pixmap = Pixmap::scaled(w, h, look.scale);
    let radius = if look.is_filling { 0 } else { theme::CORNER };
    let ground = if look.is_focused { theme::colours().title_focused } else { theme::colours().title };
    pixmap.fill_rounded(0, 0, w, h, (radius, 0), ground);
    pixmap.fill(radius, 0, w - 2 * radius, 1, theme::colours().title_light);
    pixmap.fill(0, h - 1, w, 1, theme::colours().title_line);
    let colour = if look.is_focused { theme::colours().text } else { theme::colours().text_dim };
    for (index, button) in BUTTONS.into_iter().enumerate() {
        draw_button(&mut pixmap, left_of(index, w), button, look, colour);
    }
    if let Some(font) = &fonts.bold {
        // In the middle of the window where that is free, else in the middle of what is.
        let free = left_of(0, w) - 12 - 14;
        let title = font.fitted(&look.title, theme::TEXT_SIZE, free);
        let width = font.width(&title, theme::TEXT_SIZE);
        let x = ((w - width) / 2).min(14 + free - width).max(14);
        font.draw(&mut pixmap, x, h / 2 + 5, &title, theme::TEXT_SIZE, colour);
    }
    pixmap
}

fn draw_button(pixmap: &mut Pixmap, left: i32, button: Button, look: &Look, colour: u32) {
    let (cx, cy) = (left + theme::BUTTON / 2, theme::TITLE_HEIGHT / 2);
    let is_hovered = look.hover == Some(button);
    if is_hovered {
        let ground = if button == Button::Close { theme::colours().danger } else { theme::colours().hover };
        pixmap.fill_disc((cx * 4, cy * 4), theme::BUTTON * 2, ground);
    }
    let colour = match button {
        Button::Close if is_hovered => 0xffff_ffff,
        _ if is_hovered => theme::colours().text,
        _ => colour,
    };
    // In quarter pixels, around the middle.
    let at = |x: i32, y: i32| (cx * 4 + x, cy * 4 + y);
    const WIDTH: i32 = 5;
    match button {
        Button::Minimize => pixmap.line(at(-16, 0), at(16, 0), WIDTH, colour),
        Button::Maximize if look.is_maximized => {
            for (from, to) in [((-16, -7), (7, -7)), ((7, -7), (7, 16)), ((7, 16), (-16, 16)), ((-16, 16), (-16, -7)), ((-8, -15), (15, -15)), ((15, -15), (15, 8))] {
                pixmap.line(at(from.0, from.1), at(to.0, to.1), WIDTH, colour);
            }
        }
        Button::Maximize => {
            for (from, to) in [((-15, -15), (15, -15)), ((15, -15), (15, 15)), ((15, 15), (-15, 15)), ((-15, 15), (-15, -15))] {
                pixmap.line(at(from.0, from.1), at(to.0, to.1), WIDTH, colour);
            }
        }
        Button::Close => {
            pixmap.line(at(-14, -14), at(14, 14), WIDTH, colour);
            pixmap.line(at(14, -14), at(-14, 14), WIDTH, colour);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buttons_are_where_they_are_drawn() {
        let width = 600;
        for (index, button) in BUTTONS.into_iter().enumerate() {
            let middle = left_of(index, width) + theme::BUTTON / 2;
            assert_eq!(button_at(width, middle, 18), Some(button));
        }
        // The corner of a maximised window closes it.
        assert_eq!(button_at(width, width - 1, 0), Some(Button::Close));
        assert_eq!(button_at(width, 100, 18), None);
        assert_eq!(button_at(width, width - 20, theme::TITLE_HEIGHT), None);
    }

    #[test]
    fn absurd_titles_and_widths_are_drawn() {
        let look = |width, title: &str| Look { colours: theme::colours(), scale: Scale::ONE, width, title: title.into(), is_focused: true, hover: Some(Button::Close), is_filling: false, is_maximized: true };
        for width in [-5, 0, 1, 20, 16384] {
            let bar = TitleBar::new(look(width, &"x\u{0}\u{202e}\n".repeat(5000)), &Fonts::load());
            assert_eq!(bar.canvas().pixmap().height(), 36);
        }
    }
}
