//! From a frame's list to what the device does.
//!
//! Regions that are opaque and not scaled are copied, the rest is drawn. Copies come before draws, as many as possible at once: a device cannot
//! copy while it draws. What lies below an opaque region is not drawn at all (the damage tracker sees to that), so that a copy can nearly
//! always come first; where it would cover what was drawn before, another phase begins.

use std::sync::Arc;

use gde_raster::sample::Walk;
use smithay::utils::{Physical, Point, Rectangle};

use super::Error;
use super::images::DeviceImage;
use super::pipelines::Kind;
use crate::render::op::{Op, Picture, within_texture};
use crate::render::shadow;

/// Copies of a texture's pixels.
#[derive(Debug)]
pub struct Copy {
    /// The texture.
    pub image: Arc<DeviceImage>,
    /// Where from, and where to.
    pub parts: Vec<((i32, i32), Rectangle<i32, Physical>)>,
}

/// A rectangle that is drawn.
#[derive(Debug)]
pub struct Quad {
    /// How.
    pub kind: Kind,
    /// From what.
    pub image: Option<Arc<DeviceImage>>,
    /// `Draw` of the shaders.
    pub constants: [i32; 16],
}

/// Copies, and then draws.
#[derive(Debug, Default)]
pub struct Phase {
    /// They do not touch what this phase draws before them in the list.
    pub copies: Vec<Copy>,
    /// In their order.
    pub quads: Vec<Quad>,
    drawn: Vec<Rectangle<i32, Physical>>,
}

/// What the device does for a frame.
#[derive(Debug)]
pub struct Plan {
    /// One after the other.
    pub phases: Vec<Phase>,
    /// What shaders look up: places on textures, and the shadow's table.
    pub words: Vec<i32>,
    screen: (i32, i32),
    shadow: Option<i32>,
}

/// More opaque regions of a picture than these are not worth a copy each.
const REGIONS: usize = 16;

impl Plan {
    /// For a target of this size.
    pub fn new(screen: (i32, i32)) -> Self {
        Plan { phases: vec![Phase::default()], words: Vec::new(), screen, shadow: None }
    }

    /// Adds what comes on top. Pictures need their texture.
    ///
    /// # Errors
    /// [`Error::Unsuitable`] where the numbers are too large.
    pub fn add(&mut self, op: &Op, image: Option<Arc<DeviceImage>>) -> Result<(), Error> {
        match (op, image) {
            (Op::Solid { parts, pixel }, _) => {
                for part in parts {
                    self.quad(Kind::Solid, None, *part, Values { colour: *pixel, ..Values::default() });
                }
            }
            (Op::Shadow { dst, parts, strength }, _) => self.shadow(*dst, parts, *strength),
            (Op::Texture(picture), Some(image)) => match picture.corner() {
                Some(corner) => self.same(picture, image, corner),
                None => self.sampled(picture, image)?,
            },
            (Op::Texture(_), None) => return Err(Error::Unsuitable("a picture without a texture".into())),
        }
        Ok(())
    }

    fn phase(&mut self) -> &mut Phase {
        if self.phases.is_empty() {
            self.phases.push(Phase::default());
        }
        let last = self.phases.len() - 1;
        &mut self.phases[last]
    }

    fn copy(&mut self, image: &Arc<DeviceImage>, parts: Vec<((i32, i32), Rectangle<i32, Physical>)>) {
        if parts.is_empty() {
            return;
        }
        let covers = |phase: &Phase| parts.iter().any(|(_, part)| phase.drawn.iter().any(|drawn| drawn.overlaps(*part)));
        if self.phases.last().is_some_and(covers) {
            self.phases.push(Phase::default());
        }
        self.phase().copies.push(Copy { image: image.clone(), parts });
    }

    fn quad(&mut self, kind: Kind, image: Option<&Arc<DeviceImage>>, part: Rectangle<i32, Physical>, values: Values) {
        let Values { offset, step, size, first, alpha, colour, mode } = values;
        let constants = [
            part.loc.x,
            part.loc.y,
            part.size.w,
            part.size.h,
            self.screen.0,
            self.screen.1,
            offset.0,
            offset.1,
            step.0,
            step.1,
            size.0,
            size.1,
            first,
            i32::from(alpha),
            colour.cast_signed(),
            mode,
        ];
        let phase = self.phase();
        phase.drawn.push(part);
        phase.quads.push(Quad { kind, image: image.cloned(), constants });
    }

    fn same(&mut self, picture: &Picture, image: Arc<DeviceImage>, corner: (i32, i32)) {
        let size = extent(&image);
        let within = |part: Rectangle<i32, Physical>| within_texture(part, picture.dst.loc, corner, size);
        let mut rest: Vec<_> = picture.parts.clone();
        if picture.alpha == 255 {
            let mut copies = Vec::new();
            if picture.texture.is_opaque() {
                copies.append(&mut rest);
            } else if picture.opaque.len() <= REGIONS {
                for region in &picture.opaque {
                    copies.extend(rest.iter().filter_map(|part| part.intersection(*region)).filter(|part| !part.is_empty()));
                    rest = Rectangle::subtract_rects_many_in_place(rest, [*region]);
                }
            }
            self.copy(&image, copies.into_iter().filter_map(within).map(|(part, from)| (from, part)).collect());
        }
        for (part, from) in rest.into_iter().filter_map(within) {
            let offset = (from.0 - part.loc.x, from.1 - part.loc.y);
            let kind = if picture.alpha == 255 { Kind::Plain } else { Kind::Same };
            self.quad(kind, Some(&image), part, Values { offset, size, alpha: picture.alpha, ..Values::default() });
        }
    }

    fn sampled(&mut self, picture: &Picture, image: Arc<DeviceImage>) -> Result<(), Error> {
        let sampling = picture.sampling();
        let size = extent(&image);
        for part in &picture.parts {
            let first = self.words.len() as i32;
            let mut is_exact = true;
            let (mut dx, mut dy) = (0, 0);
            for y in part.loc.y..part.loc.y + part.size.h {
                let walk = sampling.walk(part.loc.x, y);
                let words = words(&walk, part.size.w).ok_or_else(|| Error::Unsuitable("a picture is too large to be scaled by the device".into()))?;
                let is_middle = |place: i64| place & 0xffff == 0x8000;
                is_exact &= walk.dx.abs().max(walk.dy.abs()) == 1 << 16 && is_middle(walk.x) && is_middle(walk.y);
                (dx, dy) = (words[2], words[3]);
                self.words.extend(&words[..2]);
            }
            // The same choice as the software renderer's (`gde_raster::sample::row`).
            let mode = match dx.abs().max(dy.abs()) {
                _ if is_exact => 0,
                ..=0x1_8000 => 1,
                _ => 2,
            };
            let values = Values { offset: (part.loc.x, part.loc.y), step: (dx, dy), size, first, alpha: picture.alpha, mode, ..Values::default() };
            self.quad(Kind::Sampled, Some(&image), *part, values);
        }
        Ok(())
    }

    fn shadow(&mut self, dst: Rectangle<i32, Physical>, parts: &[Rectangle<i32, Physical>], strength: u8) {
        let table = match self.shadow {
            Some(table) => table,
            None => {
                let table = self.words.len() as i32;
                self.words.extend(shadow::corner().iter().flatten().map(|dark| i32::from(*dark)));
                *self.shadow.insert(table)
            }
        };
        let fade = shadow::FADE as i32;
        let colour = u32::from(strength) << 24;
        let values = Values { offset: (dst.loc.x, dst.loc.y), step: (dst.size.w, dst.size.h), first: table, colour, mode: fade, ..Values::default() };
        // Most of it is as dark as can be, and needs no table.
        let middle = Rectangle::new(dst.loc + Point::from((fade, fade)), (dst.size.w - 2 * fade, dst.size.h - 2 * fade).into());
        let middle = if dst.size.w > 2 * fade && dst.size.h > 2 * fade { middle } else { Rectangle::default() };
        for part in parts {
            if let Some(dark) = part.intersection(middle).filter(|dark| !dark.is_empty()) {
                self.quad(Kind::Solid, None, dark, Values { colour, ..Values::default() });
            }
            for edge in part.subtract_rect(middle) {
                self.quad(Kind::Shadow, None, edge, values);
            }
        }
    }
}

/// What a draw is told, but for where.
#[derive(Debug, Clone, Copy)]
struct Values {
    offset: (i32, i32),
    step: (i32, i32),
    size: (i32, i32),
    first: i32,
    alpha: u8,
    colour: u32,
    mode: i32,
}

impl Default for Values {
    fn default() -> Self {
        Values { offset: (0, 0), step: (0, 0), size: (1, 1), first: 0, alpha: 255, colour: 0, mode: 0 }
    }
}

fn extent(image: &DeviceImage) -> (i32, i32) {
    let [width, height, _] = image.image.extent();
    (width as i32, height as i32)
}

/// A walk of so many pixels, where all of it, and what is looked at around it, fits into the shader's numbers.
fn words(walk: &Walk, count: i32) -> Option<[i32; 4]> {
    let around = walk.dx.abs().max(walk.dy.abs()) / 4 + 0x2_0000;
    let fits = |from: i64, step: i64| {
        let to = from.checked_add(step.checked_mul(i64::from(count))?)?;
        (i32::try_from(from.min(to) - around).is_ok() && i32::try_from(from.max(to) + around).is_ok()).then_some(())
    };
    fits(walk.x, walk.dx)?;
    fits(walk.y, walk.dy)?;
    Some([walk.x as i32, walk.y as i32, i32::try_from(walk.dx).ok()?, i32::try_from(walk.dy).ok()?])
}
