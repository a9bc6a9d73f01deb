//! Pictures of our own as elements: title bars, the wallpaper, the cursor, panels.

use std::sync::Arc;

use gde_raster::Pixmap;
use smithay::backend::renderer::Frame as _;
use smithay::backend::renderer::element::{Element, Id, Kind, RenderElement};
use smithay::backend::renderer::utils::{CommitCounter, OpaqueRegions};
use smithay::utils::{Buffer, Physical, Point, Rectangle, Scale, Size};

use super::renderer::{Frame, Renderer};
use super::texture::{Error, Texture};

/// A picture that is kept and now and then replaced.
#[derive(Debug, Clone)]
pub struct Canvas {
    id: Id,
    commit: CommitCounter,
    pixmap: Arc<Pixmap>,
    is_opaque: bool,
}

impl Canvas {
    /// A canvas with a picture on it.
    pub fn new(pixmap: Pixmap) -> Self {
        let is_opaque = is_opaque(&pixmap);
        Canvas { id: Id::new(), commit: CommitCounter::default(), pixmap: Arc::new(pixmap), is_opaque }
    }

    /// Another picture.
    pub fn replace(&mut self, pixmap: Pixmap) {
        self.is_opaque = is_opaque(&pixmap);
        self.pixmap = Arc::new(pixmap);
        self.commit.increment();
    }

    /// The picture.
    pub fn pixmap(&self) -> &Pixmap {
        &self.pixmap
    }

    /// Its extent.
    pub fn size(&self) -> Size<i32, Physical> {
        (self.pixmap.width() as i32, self.pixmap.height() as i32).into()
    }

    /// Its extent on a screen of this scale.
    fn size_at(&self, scale: Scale<f64>) -> Size<i32, Physical> {
        let ratio = scale.x / self.pixmap.scale().factor();
        // Copied where it was drawn for that, without rounding.
        if (ratio - 1.0).abs() < 1e-6 {
            return self.size();
        }
        self.size().to_f64().upscale(ratio).to_i32_round()
    }

    /// The canvas as an element with its upper left corner here.
    pub fn at(&self, location: Point<i32, Physical>, alpha: f32) -> Picture {
        Picture { canvas: self.clone(), location, alpha, kind: Kind::Unspecified }
    }
}

fn is_opaque(pixmap: &Pixmap) -> bool {
    pixmap.pixels().iter().all(|pixel| pixel >> 24 == 255)
}

/// A canvas in a scene.
#[derive(Debug, Clone)]
pub struct Picture {
    canvas: Canvas,
    location: Point<i32, Physical>,
    alpha: f32,
    kind: Kind,
}

impl Picture {
    /// The same as the pointer's image.
    pub fn as_cursor(self) -> Self {
        Picture { kind: Kind::Cursor, ..self }
    }
}

impl Element for Picture {
    fn id(&self) -> &Id {
        &self.canvas.id
    }

    fn current_commit(&self) -> CommitCounter {
        self.canvas.commit
    }

    fn src(&self) -> Rectangle<f64, Buffer> {
        Rectangle::from_size((self.canvas.pixmap.width() as f64, self.canvas.pixmap.height() as f64).into())
    }

    fn geometry(&self, scale: Scale<f64>) -> Rectangle<i32, Physical> {
        Rectangle::new(self.location, self.canvas.size_at(scale))
    }

    fn opaque_regions(&self, scale: Scale<f64>) -> OpaqueRegions<i32, Physical> {
        if self.canvas.is_opaque && self.alpha >= 1.0 {
            OpaqueRegions::from_slice(&[Rectangle::from_size(self.canvas.size_at(scale))])
        } else {
            OpaqueRegions::default()
        }
    }

    fn alpha(&self) -> f32 {
        self.alpha
    }

    fn kind(&self) -> Kind {
        self.kind
    }
}

impl RenderElement<Renderer> for Picture {
    fn draw(
        &self,
        frame: &mut Frame<'_, '_>,
        src: Rectangle<f64, Buffer>,
        dst: Rectangle<i32, Physical>,
        damage: &[Rectangle<i32, Physical>],
        opaque_regions: &[Rectangle<i32, Physical>],
    ) -> Result<(), Error> {
        let texture = Texture::Memory { pixmap: self.canvas.pixmap.clone(), is_opaque: self.canvas.is_opaque };
        frame.render_texture_from_to(&texture, src, dst, damage, opaque_regions, self.transform(), self.alpha)
    }
}
