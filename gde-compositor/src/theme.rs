//! How everything of ours looks: the [`Palette`] that the user has chosen, a few measures, the font.

mod palette;

use gde_raster::text::Font;
use gde_raster::{Pixmap, Scale};

pub use palette::{Palette, colours, ink_on, set_colours};

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

/// Corners of the wallpaper: upper left, upper right, lower left, lower right.
pub const WALLPAPER: [u32; 4] = [0x17_2a4d, 0x2f_6f8f, 0x2b_1f4a, 0x8a_4f7d];

thread_local! {
    /// As for colours: all drawing is done by one thread.
    static SCALE: std::cell::Cell<Scale> = const { std::cell::Cell::new(Scale::ONE) };
}

/// The scale that our pictures are drawn in: that of the screen where everything is largest. Others show them smaller.
pub fn scale() -> Scale {
    SCALE.get()
}

/// From now on this one. What was drawn before stays as it is.
pub fn set_scale(scale: Scale) {
    SCALE.set(scale);
}

/// An empty picture of so many units.
pub fn picture(width: i32, height: i32) -> Pixmap {
    Pixmap::scaled(width, height, scale())
}

/// Draws a box such as the launcher: its ground and a line around it.
pub fn draw_box(pixmap: &mut Pixmap, (x, y, w, h): (i32, i32, i32, i32), radius: i32) {
    let colours = colours();
    pixmap.fill_rounded(x, y, w, h, (radius, radius), colours.box_line);
    pixmap.fill_rounded(x + 1, y + 1, w - 2, h - 2, (radius - 1, radius - 1), colours.ground);
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
