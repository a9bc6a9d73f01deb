//! The software renderer: integer SIMD on mapped memory.

use gde_raster::Kernels;
use gde_raster::sample::{self, Source};
use smithay::utils::{Physical, Rectangle};

use super::op::{Op, Picture, within_texture};
use super::shadow;
use super::texture::{Error, Target};

/// The renderer.
#[derive(Debug)]
pub struct Software {
    kernels: Kernels,
    scratch: Vec<u32>,
    mask: Vec<u8>,
}

impl Software {
    /// A renderer with these row operations.
    pub fn new(kernels: Kernels) -> Self {
        Software { kernels, scratch: Vec::new(), mask: Vec::new() }
    }

    /// What it draws with.
    pub fn kernels(&self) -> Kernels {
        self.kernels
    }

    /// Draws.
    ///
    /// # Errors
    /// Where a client's memory is gone.
    pub fn draw(&mut self, target: &mut Target<'_>, op: &Op) -> Result<(), Error> {
        match op {
            Op::Solid { parts, pixel } => self.solid(target, parts, *pixel),
            Op::Shadow { dst, parts, strength } => self.shadow(target, *dst, parts, *strength),
            Op::Texture(picture) => match picture.corner() {
                Some(corner) => self.same(target, picture, corner)?,
                None => self.sampled(target, picture)?,
            },
        }
        Ok(())
    }

    fn solid(&self, target: &mut Target<'_>, parts: &[Rectangle<i32, Physical>], pixel: u32) {
        for part in parts {
            for y in part.loc.y..part.loc.y + part.size.h {
                let row = target.row(part.loc.x, y);
                // SAFETY: the part lies within the target.
                unsafe { self.kernels.colour(row, part.size.w as usize, pixel) };
            }
        }
    }

    fn shadow(&mut self, target: &mut Target<'_>, dst: Rectangle<i32, Physical>, parts: &[Rectangle<i32, Physical>], strength: u8) {
        for part in parts {
            self.mask.resize(part.size.w as usize, 0);
            for y in part.loc.y..part.loc.y + part.size.h {
                if shadow::mask(dst.size, part.loc.x - dst.loc.x, y - dst.loc.y, &mut self.mask) {
                    let row = target.row(part.loc.x, y);
                    // SAFETY: the part lies within the target; the mask is as wide as the part.
                    unsafe { self.kernels.mask(row, self.mask.as_ptr(), self.mask.len(), u32::from(strength) << 24) };
                }
            }
        }
    }

    /// Draws a texture pixel for pixel.
    fn same(&self, target: &mut Target<'_>, picture: &Picture, corner: (i32, i32)) -> Result<(), Error> {
        let is_opaque = picture.texture.is_opaque();
        picture.texture.with_pixels(|source| {
            for part in &picture.parts {
                let Some((part, (x, y))) = within_texture(*part, picture.dst.loc, corner, (source.width, source.height)) else { continue };
                for row in 0..part.size.h {
                    let from = source.pixels.wrapping_byte_add((y + row) as usize * source.stride).wrapping_add(x as usize);
                    let to = target.row(part.loc.x, part.loc.y + row);
                    // SAFETY: the row lies within the source, whose bounds were checked, and within the target. They are different memory: a
                    // client's buffer is never a target.
                    unsafe { self.lay(to, from, part.size.w as usize, picture.alpha, is_opaque) };
                }
            }
        })
    }

    /// Lays a row of pixels over another one.
    ///
    /// # Safety
    /// As for [`Kernels::copy`].
    unsafe fn lay(&self, to: *mut u32, from: *const u32, width: usize, alpha: u8, is_opaque: bool) {
        // SAFETY: as the caller promises; parts of the rows are within them.
        unsafe {
            match (is_opaque, alpha) {
                (true, 255) => self.kernels.copy(to, from, width),
                (false, 255) => self.kernels.blend(to, from, width),
                (true, _) => {
                    // The alpha byte of such a format means nothing.
                    let mut some = [0u32; 256];
                    let mut done = 0;
                    while done < width {
                        let count = some.len().min(width - done);
                        for (index, pixel) in some[..count].iter_mut().enumerate() {
                            *pixel = from.add(done + index).read_unaligned() | 0xff00_0000;
                        }
                        self.kernels.blend_alpha(to.add(done), some.as_ptr(), count, alpha);
                        done += count;
                    }
                }
                (false, _) => self.kernels.blend_alpha(to, from, width, alpha),
            }
        }
    }

    /// Draws a texture scaled or turned.
    fn sampled(&mut self, target: &mut Target<'_>, picture: &Picture) -> Result<(), Error> {
        let sampling = picture.sampling();
        let (kernels, scratch) = (self.kernels, &mut self.scratch);
        picture.texture.with_pixels(|source: Source| {
            for part in &picture.parts {
                scratch.resize(part.size.w as usize, 0);
                for y in part.loc.y..part.loc.y + part.size.h {
                    let to = target.row(part.loc.x, y);
                    // SAFETY: the source's bounds were checked; the part lies within the target.
                    unsafe {
                        sample::row(scratch, &source, sampling.walk(part.loc.x, y));
                        if picture.alpha == 255 {
                            kernels.blend(to, scratch.as_ptr(), scratch.len());
                        } else {
                            kernels.blend_alpha(to, scratch.as_ptr(), scratch.len(), picture.alpha);
                        }
                    }
                }
            }
        })
    }
}
