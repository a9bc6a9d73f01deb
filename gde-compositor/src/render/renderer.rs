//! The renderer behind smithay's traits, so that smithay's damage tracker, its elements for surfaces, and its occlusion culling work with it.
//!
//! It draws in software, or has Vulkan draw. Vulkan gets a frame at once, when all of it is known; what it cannot draw, or was drawing when it
//! failed, is drawn in software from the same list, so that a frame is always whole.

use gde_raster::{Kernels, Pixmap};
use smithay::backend::allocator::Fourcc;
use smithay::backend::allocator::dmabuf::Dmabuf;
use smithay::backend::renderer::sync::SyncPoint;
use smithay::backend::renderer::{
    Bind, Color32F, ContextId, DebugFlags, Frame as FrameTrait, ImportDma, ImportDmaWl, ImportMem, ImportMemWl, Renderer as RendererTrait,
    RendererSuper, TextureFilter,
};
use smithay::reexports::wayland_server::protocol::{wl_buffer::WlBuffer, wl_shm};
use smithay::utils::{Buffer, Physical, Rectangle, Size, Transform};
use smithay::wayland::compositor::SurfaceData;
use smithay::wayland::shm::with_buffer_contents;

use std::sync::Arc;

use super::mirror::Mirror;
use super::op::{Op, Picture};
use super::software::Software;
use super::texture::{Error, Target, Texture, checked};
use super::vulkan::{self, Vulkan};

/// What draws.
#[derive(Debug)]
pub struct Renderer {
    software: Software,
    vulkan: Option<Box<Vulkan>>,
    context: ContextId<Texture>,
    flags: DebugFlags,
}

impl Renderer {
    /// The software renderer, with these row operations.
    pub fn new(kernels: Kernels) -> Self {
        Renderer { software: Software::new(kernels), vulkan: None, context: ContextId::new(), flags: DebugFlags::empty() }
    }

    /// Has Vulkan draw from now on.
    pub fn set_vulkan(&mut self, vulkan: Vulkan) {
        self.vulkan = Some(Box::new(vulkan));
    }

    /// Vulkan, while it draws.
    pub fn vulkan(&mut self) -> Option<&mut Vulkan> {
        self.vulkan.as_deref_mut()
    }

    /// What it draws with in software.
    pub fn kernels(&self) -> Kernels {
        self.software.kernels()
    }

    /// What draws, in words.
    pub fn describe(&self) -> String {
        match &self.vulkan {
            Some(vulkan) => format!("Vulkan on {}", vulkan.device_name()),
            None => format!("software, {:?}", self.software.kernels()),
        }
    }

    /// Nothing is kept for targets any more: to be called before memory that was drawn into goes.
    pub fn forget_targets(&mut self) {
        if let Some(vulkan) = &mut self.vulkan {
            vulkan.forget_targets();
        }
    }

    /// Draws a frame's list.
    fn draw(&mut self, target: &mut Target<'_>, ops: &[Op]) -> Result<(), Error> {
        if let Some(vulkan) = &mut self.vulkan {
            match vulkan.draw(target, ops) {
                Ok(()) => return Ok(()),
                Err(vulkan::Error::Unsuitable(reason)) => {
                    tracing::debug!("a frame is drawn in software: {reason}");
                    vulkan.forget_targets();
                }
                Err(error) => {
                    tracing::warn!("Vulkan fails: {error}; the desktop is drawn in software from now on");
                    self.vulkan = None;
                }
            }
        }
        ops.iter().try_for_each(|op| self.software.draw(target, op))
    }
}

impl RendererSuper for Renderer {
    type Error = Error;
    type TextureId = Texture;
    type Framebuffer<'buffer> = Target<'buffer>;
    type Frame<'frame, 'buffer>
        = Frame<'frame, 'buffer>
    where
        'buffer: 'frame,
        Self: 'frame;
}

impl RendererTrait for Renderer {
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
        // What is drawn into once is not worth a picture on the card.
        let is_listed = self.vulkan.is_some() && target.id().is_some();
        Ok(Frame { renderer: self, target, list: is_listed.then(Vec::new) })
    }

    fn wait(&mut self, _sync: &SyncPoint) -> Result<(), Error> {
        Ok(())
    }
}

impl<'a> Bind<Target<'a>> for Renderer {
    fn bind<'b>(&mut self, target: &'b mut Target<'a>) -> Result<Target<'b>, Error> {
        Ok(target.again())
    }
}

impl ImportMem for Renderer {
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

impl ImportMemWl for Renderer {
    fn import_shm_buffer(&mut self, buffer: &WlBuffer, surface: Option<&SurfaceData>, damage: &[Rectangle<i32, Buffer>]) -> Result<Texture, Error> {
        let (size, has_alpha) = with_buffer_contents(buffer, |_, len, data| {
            let (width, height, ..) = checked(&data, len)?;
            let has_alpha = match data.format {
                wl_shm::Format::Argb8888 => true,
                wl_shm::Format::Xrgb8888 => false,
                other => return Err(Error::Format(format!("{other:?}"))),
            };
            Ok(((width as u32, height as u32), has_alpha))
        })??;
        let mirror = Mirror::of_surface(&self.context, surface, buffer, size, has_alpha, damage);
        Ok(Texture::Shm { buffer: buffer.clone(), size, has_alpha, mirror })
    }
}

impl ImportDma for Renderer {
    fn import_dmabuf(&mut self, _dmabuf: &Dmabuf, _damage: Option<&[Rectangle<i32, Buffer>]>) -> Result<Texture, Error> {
        Err(Error::Dmabuf)
    }
}

impl ImportDmaWl for Renderer {}

/// A frame in the making.
#[derive(Debug)]
pub struct Frame<'frame, 'buffer> {
    renderer: &'frame mut Renderer,
    target: &'frame mut Target<'buffer>,
    /// What Vulkan is to draw; in software it is drawn at once.
    list: Option<Vec<Op>>,
}

/// A colour as a pixel.
pub fn pixel(colour: Color32F) -> u32 {
    let byte = |value: f32| (value.clamp(0.0, 1.0) * 255.0 + 0.5) as u32;
    byte(colour.a()) << 24 | byte(colour.r()) << 16 | byte(colour.g()) << 8 | byte(colour.b())
}

impl Frame<'_, '_> {
    /// The parts of `damage`, which counts from `dst`'s corner, that are on `dst` and on the target.
    fn parts(&self, dst: Rectangle<i32, Physical>, damage: &[Rectangle<i32, Physical>]) -> Vec<Rectangle<i32, Physical>> {
        let screen = Rectangle::from_size(Size::from(self.target.size()));
        let Some(within) = dst.intersection(screen) else { return Vec::new() };
        let parts = damage.iter().filter_map(|rect| Rectangle::new(rect.loc + dst.loc, rect.size).intersection(within));
        parts.filter(|rect| !rect.is_empty()).collect()
    }

    fn draw(&mut self, op: Op) -> Result<(), Error> {
        if op.parts().is_empty() {
            return Ok(());
        }
        match &mut self.list {
            Some(list) => list.push(op),
            None => self.renderer.software.draw(self.target, &op)?,
        }
        Ok(())
    }

    /// Draws the shadow that fills a rectangle.
    ///
    /// # Errors
    /// None that it has itself.
    pub fn draw_shadow(&mut self, dst: Rectangle<i32, Physical>, damage: &[Rectangle<i32, Physical>], strength: u8) -> Result<(), Error> {
        let parts = self.parts(dst, damage);
        self.draw(Op::Shadow { dst, parts, strength })
    }
}

impl FrameTrait for Frame<'_, '_> {
    type Error = Error;
    type TextureId = Texture;

    fn context_id(&self) -> ContextId<Texture> {
        self.renderer.context.clone()
    }

    fn clear(&mut self, color: Color32F, at: &[Rectangle<i32, Physical>]) -> Result<(), Error> {
        let whole = Rectangle::from_size(Size::from(self.target.size()));
        let parts = self.parts(whole, at);
        self.draw(Op::Solid { parts, pixel: pixel(color) | 0xff00_0000 })
    }

    fn draw_solid(&mut self, dst: Rectangle<i32, Physical>, damage: &[Rectangle<i32, Physical>], color: Color32F) -> Result<(), Error> {
        let parts = self.parts(dst, damage);
        self.draw(Op::Solid { parts, pixel: pixel(color) })
    }

    fn render_texture_from_to(
        &mut self,
        texture: &Texture,
        src: Rectangle<f64, Buffer>,
        dst: Rectangle<i32, Physical>,
        damage: &[Rectangle<i32, Physical>],
        opaque_regions: &[Rectangle<i32, Physical>],
        src_transform: Transform,
        alpha: f32,
    ) -> Result<(), Error> {
        let alpha = (alpha.clamp(0.0, 1.0) * 255.0 + 0.5) as u8;
        if alpha == 0 {
            return Ok(());
        }
        let (parts, opaque) = (self.parts(dst, damage), self.parts(dst, opaque_regions));
        self.draw(Op::Texture(Picture { texture: texture.clone(), src, dst, parts, opaque, transform: src_transform, alpha }))
    }

    fn transformation(&self) -> Transform {
        Transform::Normal
    }

    fn wait(&mut self, _sync: &SyncPoint) -> Result<(), Error> {
        Ok(())
    }

    fn finish(mut self) -> Result<SyncPoint, Error> {
        if let Some(list) = self.list.take() {
            self.renderer.draw(self.target, &list)?;
        }
        Ok(SyncPoint::signaled())
    }
}
