//! Memory that a card shows.

use std::fmt;
use std::io;

use drm_client::buffer::{Buffer as _, DrmFourcc};
use drm_client::control::Device as _;
use drm_client::control::dumbbuffer::{DumbBuffer, DumbMapping};
use drm_client::control::framebuffer;

use super::Card;
use crate::render::{Target, TargetId};

/// A dumb buffer that stays mapped.
pub struct Buffer {
    // Unmapped before the buffer is destroyed.
    mapping: DumbMapping<'static>,
    dumb: DumbBuffer,
    framebuffer: Option<framebuffer::Handle>,
    id: TargetId,
    /// The number of the frame that was drawn into it last; 0 for none.
    pub frame: u64,
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Buffer({:?}, frame {})", self.framebuffer, self.frame)
    }
}

impl Buffer {
    /// A buffer of this size; one for a screen is a framebuffer too.
    ///
    /// # Errors
    /// The card's: it may have no room.
    pub fn new(card: &Card, size: (u32, u32), format: DrmFourcc, is_screen: bool) -> io::Result<Self> {
        let mut dumb = card.create_dumb_buffer(size, format, 32)?;
        let framebuffer = if is_screen { Some(card.add_framebuffer(&dumb, 24, 32)?) } else { None };
        let mapping = card.map_dumb_buffer(&mut dumb)?;
        // SAFETY: the lifetime is that of a borrow of the description, of which nothing is used: the mapping is its own memory, and ends when
        // it is dropped, which is before the buffer is destroyed.
        let mapping = unsafe { std::mem::transmute::<DumbMapping<'_>, DumbMapping<'static>>(mapping) };
        Ok(Buffer { mapping, dumb, framebuffer, id: TargetId::next(), frame: 0 })
    }

    /// Its framebuffer.
    pub fn framebuffer(&self) -> Option<framebuffer::Handle> {
        self.framebuffer
    }

    /// What the card calls it.
    pub fn dumb(&self) -> &DumbBuffer {
        &self.dumb
    }

    /// Bytes a row.
    pub fn pitch(&self) -> usize {
        self.dumb.pitch() as usize
    }

    /// Its memory.
    pub fn bytes(&mut self) -> &mut [u8] {
        &mut self.mapping
    }

    /// It as something to draw into, where it is large enough.
    pub fn target(&mut self, size: (i32, i32)) -> Option<Target<'_>> {
        let (pitch, id) = (self.pitch(), self.id);
        Target::new(self.bytes(), size, pitch).map(|target| target.named(id))
    }

    /// Gives it back. The renderer must have forgotten it.
    pub fn destroy(self, card: &Card) {
        let Buffer { mapping, dumb, framebuffer, .. } = self;
        drop(mapping);
        // Where the card is gone, so is the buffer.
        if let Some(framebuffer) = framebuffer {
            let _ = card.destroy_framebuffer(framebuffer);
        }
        let _ = card.destroy_dumb_buffer(dumb);
    }
}
