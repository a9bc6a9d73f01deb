//! What is drawn from, and what is drawn into: memory, of ours, of clients, or of a display.
//!
//! Clients' buffers are not copied: a texture of one is the buffer itself, which the client must not change until it is released. Every access
//! checks its bounds again, and smithay's guard makes an error of the client's out of memory that is gone.

use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use gde_raster::Pixmap;
use gde_raster::sample::Source;
use smithay::backend::allocator::Fourcc;
use smithay::backend::renderer::Texture as TextureTrait;
use smithay::reexports::wayland_server::protocol::wl_buffer::WlBuffer;
use smithay::utils::{Physical, Rectangle};
use smithay::wayland::shm::{BufferAccessError, BufferData, with_buffer_contents};

use super::mirror::Mirror;

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
        /// What a graphics card has of it.
        mirror: Arc<Mirror>,
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
    /// Whether nothing shines through.
    pub fn is_opaque(&self) -> bool {
        match self {
            Texture::Shm { has_alpha, .. } => !has_alpha,
            Texture::Memory { is_opaque, .. } => *is_opaque,
        }
    }

    /// Reads a part, which lies within, row by row; the alpha of formats without one is 255.
    ///
    /// # Errors
    /// Where the client's memory is gone, or the part does not lie within.
    pub fn read(&self, part: Rectangle<i32, smithay::utils::Buffer>, out: &mut [u32]) -> Result<(), Error> {
        self.with_pixels(|source| {
            let whole = Rectangle::from_size((source.width, source.height).into());
            let (w, h) = (part.size.w.max(0) as usize, part.size.h.max(0) as usize);
            if !whole.contains_rect(part) || out.len() != w * h {
                return Err(Error::Bounds);
            }
            for (y, row) in out.chunks_exact_mut(w.max(1)).enumerate() {
                let from = source.pixels.wrapping_byte_add((part.loc.y as usize + y) * source.stride).wrapping_add(part.loc.x as usize);
                // SAFETY: the row lies within the source, whose bounds were checked; bytes need no alignment, and the client's memory is not ours.
                unsafe { std::ptr::copy_nonoverlapping(from.cast::<u8>(), row.as_mut_ptr().cast::<u8>(), w * 4) };
                if source.or != 0 {
                    row.iter_mut().for_each(|pixel| *pixel |= source.or);
                }
            }
            Ok(())
        })?
    }

    /// Calls with the pixels.
    pub(super) fn with_pixels<T>(&self, then: impl FnOnce(Source) -> T) -> Result<T, Error> {
        match self {
            Texture::Shm { buffer, size, has_alpha, .. } => with_buffer_contents(buffer, |pool, len, data| {
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
pub(super) fn checked(data: &BufferData, len: usize) -> Result<(i32, i32, usize, usize), Error> {
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

/// Which memory a target is, for what renderers keep for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TargetId(u64);

impl TargetId {
    /// One that no other memory has had.
    pub fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        TargetId(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// Memory to draw into.
#[derive(Debug)]
pub struct Target<'a> {
    pixels: *mut u32,
    /// Bytes there are.
    len: usize,
    stride: usize,
    size: (i32, i32),
    id: Option<TargetId>,
    memory: PhantomData<&'a mut [u32]>,
}

impl<'a> Target<'a> {
    /// Mapped memory with `stride` bytes a row. Where it is too small for these sizes there is no target.
    pub fn new(memory: &'a mut [u8], size: (i32, i32), stride: usize) -> Option<Self> {
        let (width, height) = (usize::try_from(size.0).ok()?, usize::try_from(size.1).ok()?);
        let is_enough = stride >= width.checked_mul(4)? && memory.len() >= stride.checked_mul(height)?;
        let (pixels, len) = (memory.as_mut_ptr().cast(), memory.len());
        is_enough.then_some(Target { pixels, len, stride, size, id: None, memory: PhantomData })
    }

    /// A picture.
    pub fn of_pixmap(pixmap: &'a mut Pixmap) -> Self {
        let size = (pixmap.width() as i32, pixmap.height() as i32);
        let pixels = pixmap.pixels_mut();
        Target { stride: size.0 as usize * 4, len: pixels.len() * 4, pixels: pixels.as_mut_ptr(), size, id: None, memory: PhantomData }
    }

    /// The same as memory that will be drawn into again. Renderers keep things for it by this name, until they are told to forget them: before
    /// the memory goes ([`super::Renderer::forget_targets`]). Nobody else may write to it in between.
    pub fn named(self, id: TargetId) -> Self {
        Target { id: Some(id), ..self }
    }

    /// The same memory once more, while this one is not used.
    pub(super) fn again<'b>(&'b mut self) -> Target<'b> {
        Target { pixels: self.pixels, len: self.len, stride: self.stride, size: self.size, id: self.id, memory: PhantomData }
    }

    /// Its name.
    pub fn id(&self) -> Option<TargetId> {
        self.id
    }

    /// Pixels a row, and rows.
    pub fn size(&self) -> (i32, i32) {
        self.size
    }

    /// Bytes from a row to the next.
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// All of the memory: where it begins, and how many bytes it has.
    pub fn memory(&mut self) -> (*mut u32, usize) {
        (self.pixels, self.len)
    }

    /// The pixels of a row from `x` on; `x` and `y` are within.
    pub(super) fn row(&mut self, x: i32, y: i32) -> *mut u32 {
        debug_assert!(x >= 0 && y >= 0 && x <= self.size.0 && y < self.size.1);
        self.pixels.wrapping_byte_add(y as usize * self.stride).wrapping_add(x as usize)
    }

    /// The rows of a part, as far as it lies within: the row's number, its first column, and its length.
    fn rows(&self, part: Rectangle<i32, Physical>) -> impl Iterator<Item = (i32, i32, usize)> + use<> {
        let within = Rectangle::from_size(self.size.into()).intersection(part).unwrap_or_default();
        (within.loc.y..within.loc.y + within.size.h).map(move |y| (y, within.loc.x, within.size.w as usize))
    }

    /// Writes a part from a picture that is as large as the target.
    pub fn write(&mut self, part: Rectangle<i32, Physical>, picture: &[u32]) {
        let width = self.size.0 as usize;
        for (y, x, count) in self.rows(part) {
            let Some(from) = picture.get(y as usize * width + x as usize..).and_then(|rest| rest.get(..count)) else { return };
            // SAFETY: the row lies within the target.
            unsafe { std::ptr::copy_nonoverlapping(from.as_ptr().cast::<u8>(), self.row(x, y).cast::<u8>(), count * 4) };
        }
    }

    /// Reads all of it, row by row.
    pub fn read(&mut self, out: &mut [u32]) {
        let whole = Rectangle::from_size(self.size.into());
        for ((y, x, count), to) in self.rows(whole).zip(out.chunks_exact_mut(self.size.0.max(1) as usize)) {
            // SAFETY: the row lies within the target, and the other is as long.
            unsafe { std::ptr::copy_nonoverlapping(self.row(x, y).cast::<u8>(), to.as_mut_ptr().cast::<u8>(), count * 4) };
        }
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
