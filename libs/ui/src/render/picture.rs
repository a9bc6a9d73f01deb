//! Pictures: decoded, or drawn from SVG, and scaled to the size they are shown at once, then kept.

use gde_raster::Pixmap;
use iced_core::image::{self as raster, FilterMethod};
use iced_core::{Size, svg};
use resvg::{tiny_skia, usvg};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use super::canvas::{Area, Canvas, pixel};

/// Bytes of scaled pictures that are kept; beyond that all are forgotten.
const MOST_BYTES: usize = 64 << 20;
/// The longest side of a picture that is drawn, pixels: more is a mistake, and would take all memory.
const LONGEST: u32 = 8192;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Raster(raster::Id, u32, u32),
    Svg(u64, u32, u32, Option<u32>),
}

/// The pictures shown lately.
#[derive(Debug, Default)]
pub struct Pictures {
    decoded: RefCell<HashMap<raster::Id, Result<Arc<iced_graphics::image::Buffer>, raster::Error>>>,
    trees: RefCell<HashMap<u64, Option<Arc<usvg::Tree>>>>,
    /// Of the size they are shown at.
    scaled: HashMap<Key, Option<Pixmap>>,
}

impl Pictures {
    /// Forgets pictures where they have become too many. After each frame.
    pub fn trim(&mut self) {
        let bytes: usize = self.scaled.values().flatten().map(|it| it.pixels().len() * 4).sum();
        if bytes > MOST_BYTES {
            self.scaled.clear();
            self.decoded.get_mut().clear();
        }
    }

    /// A picture's pixels.
    ///
    /// # Errors
    /// Where the file cannot be read or holds no picture that is understood.
    pub fn decode(&self, handle: &raster::Handle) -> Result<Arc<iced_graphics::image::Buffer>, raster::Error> {
        let load = || iced_graphics::image::load(handle).map(Arc::new);
        self.decoded.borrow_mut().entry(handle.id()).or_insert_with(load).clone()
    }

    fn tree(&self, handle: &svg::Handle) -> Option<Arc<usvg::Tree>> {
        let load = || {
            // Icons hold no text: no fonts are looked for.
            let options = usvg::Options::default();
            let bytes = match handle.data() {
                svg::Data::Path(path) => std::fs::read(path).ok()?.into(),
                svg::Data::Bytes(bytes) => bytes.clone(),
            };
            usvg::Tree::from_data(&bytes, &options).ok().map(Arc::new)
        };
        self.trees.borrow_mut().entry(handle.id()).or_insert_with(load).clone()
    }

    /// The size that an SVG asks for; none where it is not one.
    pub fn svg_size(&self, handle: &svg::Handle) -> Size<u32> {
        self.tree(handle).map_or(Size::new(0, 0), |tree| Size::new(tree.size().width().ceil() as u32, tree.size().height().ceil() as u32))
    }

    /// Draws a picture; rotation is not supported, and left out.
    pub fn draw(&mut self, canvas: &mut Canvas<'_>, image: &iced_graphics::Image, scale: f32) {
        match image {
            iced_graphics::Image::Raster { image, bounds, clip_bounds } => {
                let area = Area::nearest(*bounds * scale);
                let Some((width, height)) = drawable(area) else { return };
                let key = Key::Raster(image.handle.id(), width, height);
                if !self.scaled.contains_key(&key) {
                    let scaled = self.decode(&image.handle).ok().and_then(|from| resize(&from, width, height, image.filter_method));
                    self.scaled.insert(key.clone(), scaled);
                }
                self.show(&mut canvas.within(Area::around(*clip_bounds * scale)), &key, area, image.opacity);
            }
            iced_graphics::Image::Vector { svg, bounds, clip_bounds } => {
                let area = Area::nearest(*bounds * scale);
                let Some((width, height)) = drawable(area) else { return };
                let key = Key::Svg(svg.handle.id(), width, height, svg.color.map(pixel));
                if !self.scaled.contains_key(&key) {
                    let scaled = self.tree(&svg.handle).and_then(|tree| render(&tree, width, height, svg.color.map(pixel)));
                    self.scaled.insert(key.clone(), scaled);
                }
                self.show(&mut canvas.within(Area::around(*clip_bounds * scale)), &key, area, svg.opacity);
            }
        }
    }

    fn show(&self, canvas: &mut Canvas<'_>, key: &Key, area: Area, opacity: f32) {
        let Some(Some(scaled)) = self.scaled.get(key) else { return };
        let alpha = (opacity.clamp(0.0, 1.0) * 255.0).round() as u8;
        (area.top..).zip(scaled.pixels().chunks_exact(scaled.width())).for_each(|(y, row)| canvas.pixels(y, area.left, row, alpha));
    }
}

fn drawable(area: Area) -> Option<(u32, u32)> {
    let side = |v: i32| u32::try_from(v).ok().filter(|v| (1..=LONGEST).contains(v));
    Some((side(area.width())?, side(area.height())?))
}

fn resize(from: &iced_graphics::image::Buffer, width: u32, height: u32, filter: FilterMethod) -> Option<Pixmap> {
    let view = image::ImageBuffer::<image::Rgba<u8>, &[u8]>::from_raw(from.width(), from.height(), from.as_raw())?;
    let filter = match filter {
        FilterMethod::Nearest => image::imageops::FilterType::Nearest,
        FilterMethod::Linear => image::imageops::FilterType::Triangle,
    };
    let premultiplied = |bytes: &[u8]| bytes.chunks_exact(4).map(|c| gde_raster::argb(c[3], c[0], c[1], c[2])).collect();
    let pixels = if view.dimensions() == (width, height) { premultiplied(from.as_raw()) } else { premultiplied(&image::imageops::resize(&view, width, height, filter)) };
    Pixmap::from_pixels(width as usize, height as usize, pixels)
}

fn render(tree: &usvg::Tree, width: u32, height: u32, colour: Option<u32>) -> Option<Pixmap> {
    let mut pixmap = tiny_skia::Pixmap::new(width, height)?;
    let size = tree.size();
    let transform = tiny_skia::Transform::from_scale(width as f32 / size.width(), height as f32 / size.height());
    resvg::render(tree, transform, &mut pixmap.as_mut());
    let pixels = pixmap.pixels().iter().map(|p| match colour {
        Some(colour) => super::canvas::faded(colour, p.alpha()),
        None => u32::from_be_bytes([p.alpha(), p.red(), p.green(), p.blue()]),
    });
    Pixmap::from_pixels(width as usize, height as usize, pixels.collect())
}
