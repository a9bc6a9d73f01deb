//! The pointer's image: from a cursor theme, else one that we draw.

use std::collections::HashMap;
use std::fs;

use gde_raster::Pixmap;
use smithay::input::pointer::CursorIcon;
use xcursor::CursorTheme;

use crate::render::picture::Canvas;
use crate::theme;

/// Side of the images, in units.
const SIZE: u32 = 24;
/// Most pixels of a side: what every cursor plane takes.
const MOST: u32 = 64;

/// An image of the pointer.
#[derive(Debug, Clone)]
pub struct Image {
    /// The image.
    pub canvas: Canvas,
    /// The place in it that points, in its pixels.
    pub hotspot: (i32, i32),
}

/// Images by name, read when first wanted.
pub struct Cursors {
    theme: CursorTheme,
    images: HashMap<&'static str, Image>,
    fallback: Image,
}

impl std::fmt::Debug for Cursors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cursors({})", self.images.len())
    }
}

impl Default for Cursors {
    fn default() -> Self {
        let name = std::env::var("XCURSOR_THEME").unwrap_or_else(|_| "default".into());
        Cursors { theme: CursorTheme::load(&name), images: HashMap::new(), fallback: fallback() }
    }
}

fn fallback() -> Image {
    let at = theme::scale().pixels(1);
    Image { canvas: Canvas::new(arrow()), hotspot: (at, at) }
}

impl Cursors {
    /// All are read and drawn anew when they are next wanted.
    pub fn forget(&mut self) {
        self.images.clear();
        self.fallback = fallback();
    }

    /// The image for an icon, where it was asked for before.
    pub fn known(&self, icon: CursorIcon) -> Option<&Image> {
        self.images.get(icon.name())
    }

    /// The image for an icon.
    pub fn image(&mut self, icon: CursorIcon) -> &Image {
        let name = icon.name();
        if !self.images.contains_key(name) {
            let names = std::iter::once(name).chain(icon.alt_names().iter().copied()).chain(["default", "left_ptr"]);
            let found = names.into_iter().find_map(|name| load(&self.theme, name));
            self.images.insert(name, found.unwrap_or_else(|| self.fallback.clone()));
        }
        &self.images[name]
    }
}

fn load(theme: &CursorTheme, name: &str) -> Option<Image> {
    let bytes = fs::read(theme.load_icon(name)?).ok()?;
    let images = xcursor::parser::parse_xcursor(&bytes)?;
    let scale = theme::scale();
    let wanted = (scale.pixels(SIZE as i32).unsigned_abs()).min(MOST);
    let image = images.iter().filter(|image| image.width <= MOST && image.height <= MOST).min_by_key(|image| image.size.abs_diff(wanted))?;
    let pixels = image.pixels_argb.chunks_exact(4).map(|p| u32::from_be_bytes([p[0], p[1], p[2], p[3]])).collect();
    let pixmap = Pixmap::from_pixels(image.width as usize, image.height as usize, pixels)?.with_scale(scale);
    Some(Image { canvas: Canvas::new(pixmap), hotspot: (image.xhot as i32, image.yhot as i32) })
}

/// A white arrow with a dark edge.
fn arrow() -> Pixmap {
    let mut pixmap = theme::picture(SIZE as i32, SIZE as i32);
    // Its left edge is straight, its right edge falls to the waist, and a stem goes on below.
    let rows: Vec<(i32, i32)> = (0..17).map(|y| (0, if y < 12 { y } else { (17 - y).max(0) })).collect();
    let is_inside = |x: i32, y: i32| rows.get(y as usize).is_some_and(|(left, right)| y >= 0 && x >= *left && x <= *right && y < 17);
    for y in -1..19 {
        for x in -1..14 {
            let near = |d: i32| (-d..=d).any(|dy| (-d..=d).any(|dx| is_inside(x + dx, y + dy)));
            if is_inside(x, y) {
                pixmap.cover(x + 1, y + 1, 0xffff_ffff, 255);
            } else if near(1) {
                pixmap.cover(x + 1, y + 1, 0xff10_1216, 255);
            }
        }
    }
    pixmap
}
