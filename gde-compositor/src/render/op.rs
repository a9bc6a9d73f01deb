//! What a frame is made of. Renderers get these one after the other, the lowest first.

use gde_raster::sample::Walk;
use smithay::utils::{Buffer, Physical, Point, Rectangle, Size, Transform};

use super::texture::Texture;

/// Something to draw. All parts lie on the target.
#[derive(Debug, Clone)]
pub enum Op {
    /// One colour, laid over what is there.
    Solid {
        /// Where.
        parts: Vec<Rectangle<i32, Physical>>,
        /// The colour.
        pixel: u32,
    },
    /// A picture.
    Texture(Picture),
    /// A window's shadow: black, as [`super::shadow`] says how much.
    Shadow {
        /// The shadow's rectangle.
        dst: Rectangle<i32, Physical>,
        /// What is drawn of it.
        parts: Vec<Rectangle<i32, Physical>>,
        /// The alpha where it is darkest.
        strength: u8,
    },
}

impl Op {
    /// What it draws on.
    pub fn parts(&self) -> &[Rectangle<i32, Physical>] {
        match self {
            Op::Solid { parts, .. } | Op::Shadow { parts, .. } => parts,
            Op::Texture(picture) => &picture.parts,
        }
    }
}

/// A picture that is drawn.
#[derive(Debug, Clone)]
pub struct Picture {
    /// What from.
    pub texture: Texture,
    /// The part of it.
    pub src: Rectangle<f64, Buffer>,
    /// What the part fills.
    pub dst: Rectangle<i32, Physical>,
    /// What is drawn of that.
    pub parts: Vec<Rectangle<i32, Physical>>,
    /// Where nothing shines through it.
    pub opaque: Vec<Rectangle<i32, Physical>>,
    /// How it is turned.
    pub transform: Transform,
    /// How much of it is seen.
    pub alpha: u8,
}

impl Picture {
    /// Which pixel of the texture is at `dst`'s corner, where it is drawn pixel for pixel.
    pub fn corner(&self) -> Option<(i32, i32)> {
        let is_whole = |value: f64| value.fract() == 0.0;
        let is_same = self.transform == Transform::Normal
            && self.src.size.w == f64::from(self.dst.size.w)
            && self.src.size.h == f64::from(self.dst.size.h)
            && is_whole(self.src.loc.x)
            && is_whole(self.src.loc.y);
        is_same.then_some((self.src.loc.x as i32, self.src.loc.y as i32))
    }

    /// Where it is in the texture, where it is scaled or turned.
    pub fn sampling(&self) -> Sampling {
        let unit: Size<f64, Buffer> = (1.0, 1.0).into();
        // The unit square of the destination, in the source.
        let map = |x: f64, y: f64| {
            let at = self.transform.transform_point_in(Point::<f64, Buffer>::from((x, y)), &unit);
            (self.src.loc.x + at.x * self.src.size.w, self.src.loc.y + at.y * self.src.size.h)
        };
        let (w, h) = (f64::from(self.dst.size.w), f64::from(self.dst.size.h));
        let (ox, oy) = map(0.0, 0.0);
        let ((rx, ry), (dx, dy)) = (map(1.0, 0.0), map(0.0, 1.0));
        Sampling { dst: self.dst.loc, origin: (ox, oy), right: ((rx - ox) / w, (ry - oy) / w), down: ((dx - ox) / h, (dy - oy) / h) }
    }
}

/// How the target's pixels lie on a texture.
#[derive(Debug, Clone, Copy)]
pub struct Sampling {
    dst: Point<i32, Physical>,
    origin: (f64, f64),
    right: (f64, f64),
    down: (f64, f64),
}

impl Sampling {
    /// The walk over the texture for the target's row `y`, from the column `x` on.
    pub fn walk(&self, x: i32, y: i32) -> Walk {
        let fixed = |value: f64| (value * 65536.0).round() as i64;
        let (u, v) = (f64::from(x - self.dst.x) + 0.5, f64::from(y - self.dst.y) + 0.5);
        Walk {
            x: fixed(self.origin.0 + u * self.right.0 + v * self.down.0),
            y: fixed(self.origin.1 + u * self.right.1 + v * self.down.1),
            dx: fixed(self.right.0),
            dy: fixed(self.right.1),
        }
    }
}

/// What of a part has pixels in a texture of this size that is drawn pixel for pixel, and which of them is the first.
pub fn within_texture(
    part: Rectangle<i32, Physical>,
    dst: Point<i32, Physical>,
    corner: (i32, i32),
    size: (i32, i32),
) -> Option<(Rectangle<i32, Physical>, (i32, i32))> {
    let (x, y) = (part.loc.x - dst.x + corner.0, part.loc.y - dst.y + corner.1);
    let (left, top) = ((-x).max(0), (-y).max(0));
    let (width, height) = ((size.0 - x).min(part.size.w) - left, (size.1 - y).min(part.size.h) - top);
    let within = Rectangle::new((part.loc.x + left, part.loc.y + top).into(), (width, height).into());
    (width > 0 && height > 0).then_some((within, (x + left, y + top)))
}
