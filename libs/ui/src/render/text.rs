//! Text: laid out by cosmic-text, its glyphs drawn by swash once and kept as masks.

use iced_core::text::Alignment;
use iced_core::{Color, Point, Rectangle, Transformation, alignment};
use iced_graphics::text::{Text, cache, cosmic_text, font_system};
use std::collections::HashMap;

use super::canvas::{Area, Canvas, pixel};
use super::cells::{Letters, Line};

/// Glyphs that are kept while they are not drawn.
const MOST_GLYPHS: usize = 8192;

enum Glyph {
    /// How much of each pixel is covered.
    Mask(Vec<u8>),
    /// Premultiplied pixels, of an emoji.
    Colour(Vec<u32>),
}

struct Drawn {
    glyph: Glyph,
    left: i32,
    top: i32,
    width: usize,
}

/// The glyphs and lines drawn lately.
pub struct TextCache {
    glyphs: HashMap<cosmic_text::CacheKey, Option<Drawn>>,
    swash: cosmic_text::SwashCache,
    lines: cache::Cache,
    letters: Letters,
}

impl std::fmt::Debug for TextCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TextCache({} glyphs)", self.glyphs.len())
    }
}

impl Default for TextCache {
    fn default() -> Self {
        TextCache { glyphs: HashMap::new(), swash: cosmic_text::SwashCache::new(), lines: cache::Cache::new(), letters: Letters::default() }
    }
}

impl TextCache {
    /// Forgets what was not needed for long. After each frame.
    pub fn trim(&mut self) {
        self.lines.trim();
        self.letters.trim();
        if self.glyphs.len() > MOST_GLYPHS {
            self.glyphs.clear();
        }
    }

    /// Draws a text.
    pub fn draw(&mut self, canvas: &mut Canvas<'_>, text: &Text, scale: f32) {
        let Ok(mut fonts) = font_system().write() else { return };
        let fonts = fonts.raw();
        match text {
            Text::Paragraph { paragraph, position, color, clip_bounds, transformation } => {
                let Some(paragraph) = paragraph.upgrade() else { return };
                let to_screen = Transformation::scale(scale) * *transformation;
                self.draw_buffer(canvas, *clip_bounds, fonts, paragraph.buffer(), *position, *color, to_screen);
            }
            Text::Editor { editor, position, color, clip_bounds, transformation } => {
                let Some(editor) = editor.upgrade() else { return };
                let to_screen = Transformation::scale(scale) * *transformation;
                self.draw_buffer(canvas, *clip_bounds, fonts, editor.buffer(), *position, *color, to_screen);
            }
            Text::Raw { raw, transformation } => {
                let Some(buffer) = raw.buffer.upgrade() else { return };
                let to_screen = Transformation::scale(scale) * *transformation;
                self.draw_buffer(canvas, raw.clip_bounds, fonts, &buffer, raw.position, raw.color, to_screen);
            }
            Text::Cached { content, bounds, color, size, line_height, font, align_x, align_y, shaping, clip_bounds } => {
                let key = cache::Key {
                    content,
                    size: size.0,
                    line_height: line_height.0,
                    font: *font,
                    bounds: bounds.size(),
                    shaping: *shaping,
                    align_x: *align_x,
                };
                let (key, entry) = self.lines.allocate(fonts, key);
                let position = anchored(*bounds, entry.min_bounds, *align_x, *align_y);
                // Lent out, for the glyphs' cache is used while it is read.
                let lines = std::mem::take(&mut self.lines);
                if let Some(entry) = lines.get(&key) {
                    self.draw_buffer(canvas, *clip_bounds, fonts, &entry.buffer, position, *color, Transformation::scale(scale));
                }
                self.lines = lines;
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn draw_buffer(
        &mut self,
        canvas: &mut Canvas<'_>,
        clip: Rectangle,
        fonts: &mut cosmic_text::FontSystem,
        buffer: &cosmic_text::Buffer,
        position: Point,
        colour: Color,
        to_screen: Transformation,
    ) {
        let mut canvas = canvas.within(Area::around(clip * to_screen));
        let origin = position * to_screen;
        let scale = to_screen.scale_factor();
        let clip = canvas.clip();
        for run in buffer.layout_runs() {
            let top = origin.y + run.line_top * scale;
            if top > clip.bottom as f32 || top + run.line_height * scale < clip.top as f32 {
                continue;
            }
            for glyph in run.glyphs {
                let physical = glyph.physical((origin.x, origin.y), scale);
                let at = (physical.x, physical.y + (run.line_y * scale).round() as i32);
                self.draw_glyph(&mut canvas, fonts, physical.cache_key, at, pixel(glyph.color_opt.map_or(colour, from_cosmic)));
            }
        }
    }

    /// Draws a line of a grid.
    pub fn draw_line(&mut self, canvas: &mut Canvas<'_>, line: &Line, scale: f32) {
        // Lent out, for the glyphs' cache is used while it is read.
        let mut letters = std::mem::take(&mut self.letters);
        letters.draw(canvas, line, scale, |canvas, fonts, key, at, pixel| self.draw_glyph(canvas, fonts, key, at, pixel));
        self.letters = letters;
    }

    /// Draws a glyph whose origin is at a place of the canvas.
    fn draw_glyph(&mut self, canvas: &mut Canvas<'_>, fonts: &mut cosmic_text::FontSystem, key: cosmic_text::CacheKey, (x, y): (i32, i32), pixel: u32) {
        let Some(drawn) = self.glyph(fonts, key) else { return };
        let (left, above) = (x + drawn.left, y - drawn.top);
        match &drawn.glyph {
            Glyph::Mask(mask) => {
                (above..).zip(mask.chunks_exact(drawn.width)).for_each(|(y, row)| canvas.mask(y, left, row, pixel));
            }
            Glyph::Colour(pixels) => {
                (above..).zip(pixels.chunks_exact(drawn.width)).for_each(|(y, row)| canvas.pixels(y, left, row, (pixel >> 24) as u8));
            }
        }
    }

    fn glyph(&mut self, fonts: &mut cosmic_text::FontSystem, key: cosmic_text::CacheKey) -> Option<&Drawn> {
        let swash = &mut self.swash;
        self.glyphs.entry(key).or_insert_with(|| {
            let image = swash.get_image_uncached(fonts, key)?;
            let width = image.placement.width as usize;
            let glyph = match image.content {
                cosmic_text::SwashContent::Mask => Glyph::Mask(image.data),
                cosmic_text::SwashContent::Color => {
                    Glyph::Colour(image.data.chunks_exact(4).map(|c| gde_raster::argb(c[3], c[0], c[1], c[2])).collect())
                }
                // Asked for by nobody here: the middle one of three covers.
                cosmic_text::SwashContent::SubpixelMask => Glyph::Mask(image.data.chunks_exact(4).map(|c| c[1]).collect()),
            };
            (width > 0).then_some(Drawn { glyph, left: image.placement.left, top: image.placement.top, width })
        });
        self.glyphs.get(&key)?.as_ref()
    }
}

fn from_cosmic(colour: cosmic_text::Color) -> Color {
    Color::from_rgba8(colour.r(), colour.g(), colour.b(), f32::from(colour.a()) / 255.0)
}

/// Where a text begins whose bounds begin at its anchor.
fn anchored(bounds: Rectangle, size: iced_core::Size, align_x: Alignment, align_y: alignment::Vertical) -> Point {
    let x = match align_x {
        Alignment::Default | Alignment::Left | Alignment::Justified => bounds.x,
        Alignment::Center => bounds.x - size.width / 2.0,
        Alignment::Right => bounds.x - size.width,
    };
    let y = match align_y {
        alignment::Vertical::Top => bounds.y,
        alignment::Vertical::Center => bounds.y - size.height / 2.0,
        alignment::Vertical::Bottom => bounds.y - size.height,
    };
    Point::new(x, y)
}
