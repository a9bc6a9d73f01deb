//! The software renderer: integer SIMD on mapped memory.
//!
//! Clients' buffers are not copied: a texture of one is the buffer itself, which the client must not change until it is released. Every access
//! checks its bounds again, and smithay's guard makes an error of the client's out of memory that is gone.

use std::marker::PhantomData;
use std::sync::Arc;

use gde_raster::sample::{self, Source, Walk};
use gde_raster::{Kernels, Pixmap};
use smithay::backend::allocator::Fourcc;
use smithay::backend::allocator::dmabuf::Dmabuf;
use smithay::backend::renderer::sync::SyncPoint;
use smithay::backend::renderer::{
    Bind, Color32F, ContextId, DebugFlags, Frame as FrameTrait, ImportDma, ImportDmaWl, ImportMem, ImportMemWl, Renderer, RendererSuper,
    Texture as TextureTrait, TextureFilter,
};
use smithay::reexports::wayland_server::protocol::{wl_buffer::WlBuffer, wl_shm};
use smithay::utils::{Buffer, Physical, Point, Rectangle, Size, Transform};
use smithay::wayland::compositor::SurfaceData;
use smithay::wayland::shm::{BufferAccessError, BufferData, with_buffer_contents};

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A client's buffer cannot be read.
    #[error("a client's buffer cannot be read: {0}")]
    Access(#[from] BufferAccessError),
    /// A client's buffer does not lie within its pool.
    #[error("a client's buffer does not lie within its pool")]
    Bounds,
    /// A format that was not announced.
    #[error("the pixel format {0} is not supported")]
    Format(String),
    /// There are no such buffers here.
    #[error("buffers of a graphics card are not supported")]
    Dmabuf,
    /// Pictures are not changed once they are textures.
    #[error("a texture cannot be changed")]
    Fixed,
    /// Screens are turned by the display, not here.
    #[error("a turned screen is not supported")]
    Turned,
}

/// Something to draw from.
#[derive(Debug, Clone)]
pub enum Texture {
    /// A client's shared memory.
    Shm {
        /// The buffer.
        buffer: WlBuffer,
        /// Its extent.
        size: (u32, u32),
        /// Whether its alpha counts.
        has_alpha: bool,
    },
    /// A picture of ours.
    Memory {
        /// The picture.
        pixmap: Arc<Pixmap>,
        /// Whether all of it is opaque.
        is_opaque: bool,
    },
}

impl TextureTrait for Texture {
    fn width(&self) -> u32 {
        match self {
            Texture::Shm { size, .. } => size.0,
            Texture::Memory { pixmap, .. } => pixmap.width() as u32,
        }
    }

    fn height(&self) -> u32 {
        match self {
            Texture::Shm { size, .. } => size.1,
            Texture::Memory { pixmap, .. } => pixmap.height() as u32,
        }
    }

    fn format(&self) -> Option<Fourcc> {
        Some(if self.is_opaque() { Fourcc::Xrgb8888 } else { Fourcc::Argb8888 })
    }
}

impl Texture {
    fn is_opaque(&self) -> bool {
        match self {
            Texture::Shm { has_alpha, .. } => !has_alpha,
            Texture::Memory { is_opaque, .. } => *is_opaque,
        }
    }

    /// Calls with the pixels.
    fn with_pixels<T>(&self, then: impl FnOnce(Source) -> T) -> Result<T, Error> {
        match self {
            Texture::Shm { buffer, size, has_alpha } => with_buffer_contents(buffer, |pool, len, data| {
                let (width, height, offset, stride) = checked(&data, len)?;
                if (width as u32, height as u32) != *size {
                    return Err(Error::Bounds);
                }
                let or = if *has_alpha { 0 } else { 0xff00_0000 };
                // The offset is within the pool.
                let pixels = pool.wrapping_add(offset).cast();
                Ok(then(Source { pixels, width, height, stride, or }))
            })?,
            Texture::Memory { pixmap, .. } => Ok(then(Source {
                pixels: pixmap.pixels().as_ptr(),
                width: pixmap.width() as i32,
                height: pixmap.height() as i32,
                stride: pixmap.width() * 4,
                or: 0,
            })),
        }
    }
}

/// Width, height, offset and stride of a buffer that lies within its pool.
fn checked(data: &BufferData, len: usize) -> Result<(i32, i32, usize, usize), Error> {
    let (offset, stride) = (usize::try_from(data.offset), usize::try_from(data.stride));
    let (Ok(offset), Ok(stride)) = (offset, stride) else { return Err(Error::Bounds) };
    if data.width <= 0 || data.height <= 0 || stride < data.width as usize * 4 {
        return Err(Error::Bounds);
    }
    let end = stride.checked_mul(data.height as usize).and_then(|bytes| bytes.checked_add(offset));
    if end.is_none_or(|end| end > len) {
        return Err(Error::Bounds);
    }
    Ok((data.width, data.height, offset, stride))
}

/// Memory to draw into.
#[derive(Debug)]
pub struct Target<'a> {
    pixels: *mut u32,
    stride: usize,
    size: (i32, i32),
    memory: PhantomData<&'a mut [u32]>,
}

impl<'a> Target<'a> {
    /// Mapped memory with `stride` bytes a row. Where it is too small for these sizes there is no target.
    pub fn new(memory: &'a mut [u8], size: (i32, i32), stride: usize) -> Option<Self> {
        let (width, height) = (usize::try_from(size.0).ok()?, usize::try_from(size.1).ok()?);
        let is_enough = stride >= width.checked_mul(4)? && memory.len() >= stride.checked_mul(height)?;
        let pixels = memory.as_mut_ptr().cast();
        is_enough.then_some(Target { pixels, stride, size, memory: PhantomData })
    }

    /// A picture.
    pub fn of_pixmap(pixmap: &'a mut Pixmap) -> Self {
        let size = (pixmap.width() as i32, pixmap.height() as i32);
        Target { stride: pixmap.width() * 4, pixels: pixmap.pixels_mut().as_mut_ptr(), size, memory: PhantomData }
    }

    /// The pixels of a row from `x` on; `x` and `y` are within.
    fn row(&mut self, x: i32, y: i32) -> *mut u32 {
        debug_assert!(x >= 0 && y >= 0 && x <= self.size.0 && y < self.size.1);
        self.pixels.wrapping_byte_add(y as usize * self.stride).wrapping_add(x as usize)
    }
}

impl TextureTrait for Target<'_> {
    fn width(&self) -> u32 {
        self.size.0 as u32
    }

    fn height(&self) -> u32 {
        self.size.1 as u32
    }

    fn format(&self) -> Option<Fourcc> {
        Some(Fourcc::Xrgb8888)
    }
}

/// The renderer.
#[derive(Debug)]
pub struct Software {
    kernels: Kernels,
    context: ContextId<Texture>,
    scratch: Vec<u32>,
    flags: DebugFlags,
}

impl Software {
    /// A renderer with these row operations.
    pub fn new(kernels: Kernels) -> Self {
        Software { kernels, context: ContextId::new(), scratch: Vec::new(), flags: DebugFlags::empty() }
    }

    /// What it draws with.
    pub fn kernels(&self) -> Kernels {
        self.kernels
    }
}

impl RendererSuper for Software {
    type Error = Error;
    type TextureId = Texture;
    type Framebuffer<'buffer> = Target<'buffer>;
    type Frame<'frame, 'buffer>
        = Frame<'frame, 'buffer>
    where
        'buffer: 'frame,
        Self: 'frame;
}

impl Renderer for Software {
    fn context_id(&self) -> ContextId<Texture> {
        self.context.clone()
    }

    // There is one filter for each direction.
    fn downscale_filter(&mut self, _filter: TextureFilter) -> Result<(), Error> {
        Ok(())
    }

    fn upscale_filter(&mut self, _filter: TextureFilter) -> Result<(), Error> {
        Ok(())
    }

    fn set_debug_flags(&mut self, flags: DebugFlags) {
        self.flags = flags;
    }

    fn debug_flags(&self) -> DebugFlags {
        self.flags
    }

    fn render<'frame, 'buffer>(
        &'frame mut self,
        target: &'frame mut Target<'buffer>,
        _size: Size<i32, Physical>,
        transform: Transform,
    ) -> Result<Frame<'frame, 'buffer>, Error>
    where
        'buffer: 'frame,
    {
        if transform != Transform::Normal {
            return Err(Error::Turned);
        }
        Ok(Frame { renderer: self, target })
    }

    fn wait(&mut self, _sync: &SyncPoint) -> Result<(), Error> {
        Ok(())
    }
}

impl<'a> Bind<Target<'a>> for Software {
    fn bind<'b>(&mut self, target: &'b mut Target<'a>) -> Result<Target<'b>, Error> {
        Ok(Target { pixels: target.pixels, stride: target.stride, size: target.size, memory: PhantomData })
    }
}

impl ImportMem for Software {
    fn import_memory(&mut self, data: &[u8], format: Fourcc, size: Size<i32, Buffer>, flipped: bool) -> Result<Texture, Error> {
        let is_opaque = match format {
            Fourcc::Argb8888 => false,
            Fourcc::Xrgb8888 => true,
            other => return Err(Error::Format(other.to_string())),
        };
        let (width, height) = (size.w.max(0) as usize, size.h.max(0) as usize);
        let bytes = data.get(..width * height * 4).ok_or(Error::Bounds)?;
        let mut rows: Vec<&[u8]> = bytes.chunks_exact((width * 4).max(1)).collect();
        if flipped {
            rows.reverse();
        }
        let or = if is_opaque { 0xff00_0000 } else { 0 };
        let pixels = rows.iter().flat_map(|row| row.chunks_exact(4)).map(|p| u32::from_le_bytes([p[0], p[1], p[2], p[3]]) | or).collect();
        let pixmap = Pixmap::from_pixels(width, height, pixels).ok_or(Error::Bounds)?;
        Ok(Texture::Memory { pixmap: Arc::new(pixmap), is_opaque })
    }

    fn update_memory(&mut self, _texture: &Texture, _data: &[u8], _region: Rectangle<i32, Buffer>) -> Result<(), Error> {
        Err(Error::Fixed)
    }

    fn mem_formats(&self) -> Box<dyn Iterator<Item = Fourcc>> {
        Box::new([Fourcc::Argb8888, Fourcc::Xrgb8888].into_iter())
    }
}

impl ImportMemWl for Software {
    fn import_shm_buffer(&mut self, buffer: &WlBuffer, _surface: Option<&SurfaceData>, _damage: &[Rectangle<i32, Buffer>]) -> Result<Texture, Error> {
        with_buffer_contents(buffer, |_, len, data| {
            let (width, height, ..) = checked(&data, len)?;
            let has_alpha = match data.format {
                wl_shm::Format::Argb8888 => true,
                wl_shm::Format::Xrgb8888 => false,
                other => return Err(Error::Format(format!("{other:?}"))),
            };
            Ok(Texture::Shm { buffer: buffer.clone(), size: (width as u32, height as u32), has_alpha })
        })?
    }
}

impl ImportDma for Software {
    fn import_dmabuf(&mut self, _dmabuf: &Dmabuf, _damage: Option<&[Rectangle<i32, Buffer>]>) -> Result<Texture, Error> {
        Err(Error::Dmabuf)
    }
}

impl ImportDmaWl for Software {}

/// A frame in the making.
#[derive(Debug)]
pub struct Frame<'frame, 'buffer> {
    renderer: &'frame mut Software,
    target: &'frame mut Target<'buffer>,
}

/// A colour as a pixel.
pub fn pixel(colour: Color32F) -> u32 {
    let byte = |value: f32| (value.clamp(0.0, 1.0) * 255.0 + 0.5) as u32;
    byte(colour.a()) << 24 | byte(colour.r()) << 16 | byte(colour.g()) << 8 | byte(colour.b())
}

impl Frame<'_, '_> {
    /// The parts of `damage`, which counts from `dst`'s corner, that are on `dst` and on the target.
    fn parts(&self, dst: Rectangle<i32, Physical>, damage: &[Rectangle<i32, Physical>]) -> Vec<Rectangle<i32, Physical>> {
        let screen = Rectangle::from_size(Size::from(self.target.size));
        let Some(within) = dst.intersection(screen) else { return Vec::new() };
        let parts = damage.iter().filter_map(|rect| Rectangle::new(rect.loc + dst.loc, rect.size).intersection(within));
        parts.filter(|rect| !rect.is_empty()).collect()
    }

    /// Lays a colour over the parts of a rectangle as far as masks say: `mask` fills one for a row and the columns from `x` on, all counting from
    /// `dst`'s corner, and says whether there is anything in it.
    pub fn draw_masked(&mut self, dst: Rectangle<i32, Physical>, damage: &[Rectangle<i32, Physical>], colour: u32, mut mask: impl FnMut(i32, i32, &mut [u8]) -> bool) {
        let kernels = self.renderer.kernels;
        let mut bytes = Vec::new();
        for part in self.parts(dst, damage) {
            bytes.resize(part.size.w as usize, 0);
            for y in part.loc.y..part.loc.y + part.size.h {
                if mask(part.loc.x - dst.loc.x, y - dst.loc.y, &mut bytes) {
                    let row = self.target.row(part.loc.x, y);
                    // SAFETY: the part lies within the target; the mask is as wide as the part.
                    unsafe { kernels.mask(row, bytes.as_ptr(), bytes.len(), colour) };
                }
            }
        }
    }

    /// Draws a texture pixel for pixel.
    fn draw_same(&mut self, texture: &Texture, corner: (i32, i32), dst: Rectangle<i32, Physical>, parts: &[Rectangle<i32, Physical>], alpha: u8) -> Result<(), Error> {
        let kernels = self.renderer.kernels;
        let is_opaque = texture.is_opaque();
        let target = &mut *self.target;
        texture.with_pixels(|source| {
            for part in parts {
                let (x, y) = (part.loc.x - dst.loc.x + corner.0, part.loc.y - dst.loc.y + corner.1);
                let (left, top) = ((-x).max(0), (-y).max(0));
                let width = (source.width - x).min(part.size.w) - left;
                let height = (source.height - y).min(part.size.h) - top;
                if width <= 0 || height <= 0 {
                    continue;
                }
                for row in 0..height {
                    let from = source.pixels.wrapping_byte_add((y + top + row) as usize * source.stride).wrapping_add((x + left) as usize);
                    let to = target.row(part.loc.x + left, part.loc.y + top + row);
                    // SAFETY: the row lies within the source, whose bounds were checked, and within the target. They are different memory: a
                    // client's buffer is never a target.
                    unsafe {
                        match (is_opaque, alpha) {
                            (true, 255) => kernels.copy(to, from, width as usize),
                            (false, 255) => kernels.blend(to, from, width as usize),
                            (true, _) => {
                                // The alpha byte of such a format means nothing.
                                let mut some = [0u32; 256];
                                let mut done = 0;
                                while done < width as usize {
                                    let count = some.len().min(width as usize - done);
                                    for (index, pixel) in some[..count].iter_mut().enumerate() {
                                        *pixel = from.add(done + index).read_unaligned() | 0xff00_0000;
                                    }
                                    kernels.blend_alpha(to.add(done), some.as_ptr(), count, alpha);
                                    done += count;
                                }
                            }
                            (false, _) => kernels.blend_alpha(to, from, width as usize, alpha),
                        }
                    }
                }
            }
        })
    }

    /// Draws a texture scaled or turned.
    fn draw_sampled(
        &mut self,
        texture: &Texture,
        src: Rectangle<f64, Buffer>,
        dst: Rectangle<i32, Physical>,
        parts: &[Rectangle<i32, Physical>],
        transform: Transform,
        alpha: u8,
    ) -> Result<(), Error> {
        let kernels = self.renderer.kernels;
        let scratch = &mut self.renderer.scratch;
        let target = &mut *self.target;
        // The unit square of the destination, in the source.
        let unit: Size<f64, Buffer> = (1.0, 1.0).into();
        let map = |x: f64, y: f64| {
            let at = transform.transform_point_in(Point::<f64, Buffer>::from((x, y)), &unit);
            (src.loc.x + at.x * src.size.w, src.loc.y + at.y * src.size.h)
        };
        let fixed = |value: f64| (value * 65536.0).round() as i64;
        let (w, h) = (f64::from(dst.size.w), f64::from(dst.size.h));
        let (ox, oy) = map(0.0, 0.0);
        let ((rx, ry), (dx, dy)) = (map(1.0, 0.0), map(0.0, 1.0));
        let (right, down) = (((rx - ox) / w, (ry - oy) / w), ((dx - ox) / h, (dy - oy) / h));
        texture.with_pixels(|source| {
            for part in parts {
                scratch.resize(part.size.w as usize, 0);
                for row in 0..part.size.h {
                    let (u, v) = (f64::from(part.loc.x - dst.loc.x) + 0.5, f64::from(part.loc.y + row - dst.loc.y) + 0.5);
                    let walk = Walk {
                        x: fixed(ox + u * right.0 + v * down.0),
                        y: fixed(oy + u * right.1 + v * down.1),
                        dx: fixed(right.0),
                        dy: fixed(right.1),
                    };
                    let to = target.row(part.loc.x, part.loc.y + row);
                    // SAFETY: the source's bounds were checked; the part lies within the target.
                    unsafe {
                        sample::row(scratch, &source, walk);
                        if alpha == 255 {
                            kernels.blend(to, scratch.as_ptr(), scratch.len());
                        } else {
                            kernels.blend_alpha(to, scratch.as_ptr(), scratch.len(), alpha);
                        }
                    }
                }
            }
        })
    }
}

impl FrameTrait for Frame<'_, '_> {
    type Error = Error;
    type TextureId = Texture;

    fn context_id(&self) -> ContextId<Texture> {
        self.renderer.context.clone()
    }

    fn clear(&mut self, color: Color32F, at: &[Rectangle<i32, Physical>]) -> Result<(), Error> {
        let whole = Rectangle::from_size(Size::from(self.target.size));
        let opaque = pixel(color) | 0xff00_0000;
        for part in self.parts(whole, at) {
            for y in part.loc.y..part.loc.y + part.size.h {
                let row = self.target.row(part.loc.x, y);
                // SAFETY: the part lies within the target.
                unsafe { self.renderer.kernels.colour(row, part.size.w as usize, opaque) };
            }
        }
        Ok(())
    }

    fn draw_solid(&mut self, dst: Rectangle<i32, Physical>, damage: &[Rectangle<i32, Physical>], color: Color32F) -> Result<(), Error> {
        for part in self.parts(dst, damage) {
            for y in part.loc.y..part.loc.y + part.size.h {
                let row = self.target.row(part.loc.x, y);
                // SAFETY: the part lies within the target.
                unsafe { self.renderer.kernels.colour(row, part.size.w as usize, pixel(color)) };
            }
        }
        Ok(())
    }

    fn render_texture_from_to(
        &mut self,
        texture: &Texture,
        src: Rectangle<f64, Buffer>,
        dst: Rectangle<i32, Physical>,
        damage: &[Rectangle<i32, Physical>],
        _opaque_regions: &[Rectangle<i32, Physical>],
        src_transform: Transform,
        alpha: f32,
    ) -> Result<(), Error> {
        let alpha = (alpha.clamp(0.0, 1.0) * 255.0 + 0.5) as u8;
        let parts = self.parts(dst, damage);
        if parts.is_empty() || alpha == 0 {
            return Ok(());
        }
        let is_whole = |value: f64| value.fract() == 0.0;
        let is_same = src_transform == Transform::Normal
            && src.size.w == f64::from(dst.size.w)
            && src.size.h == f64::from(dst.size.h)
            && is_whole(src.loc.x)
            && is_whole(src.loc.y);
        if is_same {
            self.draw_same(texture, (src.loc.x as i32, src.loc.y as i32), dst, &parts, alpha)
        } else {
            self.draw_sampled(texture, src, dst, &parts, src_transform, alpha)
        }
    }

    fn transformation(&self) -> Transform {
        Transform::Normal
    }

    fn wait(&mut self, _sync: &SyncPoint) -> Result<(), Error> {
        Ok(())
    }

    fn finish(self) -> Result<SyncPoint, Error> {
        Ok(SyncPoint::signaled())
    }
}
