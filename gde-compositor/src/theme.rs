//! How everything of ours looks: one palette, a few measures, the font.

use gde_raster::text::Font;
use gde_raster::{Pixmap, argb, rgb};

/// Height of a title bar.
pub const TITLE_HEIGHT: i32 = 36;
/// Radius of a window's upper corners.
pub const CORNER: i32 = 10;
/// Side of a title bar's button.
pub const BUTTON: i32 = 22;
/// Pixels between buttons.
pub const BUTTON_GAP: i32 = 8;
/// Pixels beside the last button.
pub const BUTTON_MARGIN: i32 = 9;
/// How far outside a window its edge can still be taken.
pub const GRIP: i32 = 8;
/// Height of the panel at the top.
pub const PANEL_HEIGHT: i32 = 30;

/// Title bar of the window that has the keyboard.
pub const TITLE_FOCUSED: u32 = rgb(0x2d_3139);
/// Title bar of the others.
pub const TITLE: u32 = rgb(0x24_272e);
/// The line along a title bar's upper edge.
pub const TITLE_LIGHT: u32 = argb(26, 255, 255, 255);
/// The line between title and content.
pub const TITLE_LINE: u32 = rgb(0x1a_1c21);
/// Text.
pub const TEXT: u32 = rgb(0xe8_eaed);
/// Text that matters less.
pub const TEXT_DIM: u32 = rgb(0x9a_a0ab);
/// What is chosen, and what can be done.
pub const ACCENT: u32 = rgb(0x4c_9aff);
/// The button that closes, under the pointer.
pub const DANGER: u32 = rgb(0xe5_484d);
/// A button under the pointer.
pub const HOVER: u32 = argb(36, 255, 255, 255);
/// Panels that lie upon the screen.
pub const PANEL: u32 = argb(224, 0x16, 0x18, 0x1d);
/// Boxes such as the launcher.
pub const BOX: u32 = rgb(0x1f_2229);
/// The line around boxes.
pub const BOX_LINE: u32 = rgb(0x3c_414b);
/// The line around windows, which tells dark ones apart.
pub const WINDOW_LINE: u32 = argb(44, 255, 255, 255);
/// Where a dragged window would snap to.
pub const PREVIEW: u32 = argb(70, 0x4c, 0x9a, 0xff);
/// What darkens the screen behind an overview.
pub const SHADE: u32 = argb(150, 8, 10, 16);
/// Behind a client that is smaller than its frame.
pub const BACKING: u32 = rgb(0x12_1419);
/// Corners of the wallpaper: upper left, upper right, lower left, lower right.
pub const WALLPAPER: [u32; 4] = [0x17_2a4d, 0x2f_6f8f, 0x2b_1f4a, 0x8a_4f7d];

/// Draws a box such as the launcher: its ground and a line around it.
pub fn draw_box(pixmap: &mut Pixmap, (x, y, w, h): (i32, i32, i32, i32), radius: i32) {
    pixmap.fill_rounded(x, y, w, h, (radius, radius), BOX_LINE);
    pixmap.fill_rounded(x + 1, y + 1, w - 2, h - 2, (radius - 1, radius - 1), BOX);
}

/// Size of titles and labels, in pixels of the em.
pub const TEXT_SIZE: u32 = 13;

/// Where fonts may be, the preferred one first: as regular, and as bold.
const FONTS: [(&str, &str); 3] = [
    ("/usr/share/fonts/opentype/inter/Inter-Regular.otf", "/usr/share/fonts/opentype/inter/Inter-SemiBold.otf"),
    ("/usr/share/fonts/opentype/cantarell/Cantarell-VF.otf", "/usr/share/fonts/opentype/cantarell/Cantarell-VF.otf"),
    ("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf"),
];

/// The fonts. Without any there is no text, and everything else works.
#[derive(Debug, Default)]
pub struct Fonts {
    /// For text.
    pub regular: Option<Font>,
    /// For titles.
    pub bold: Option<Font>,
}

impl Fonts {
    /// Those that this system has.
    pub fn load() -> Self {
        let regular = Font::first_of(&FONTS.map(|(regular, _)| regular));
        let bold = Font::first_of(&FONTS.map(|(_, bold)| bold));
        if regular.is_none() {
            tracing::warn!("no font is installed: titles and labels are not shown");
        }
        Fonts { regular, bold }
    }
}
