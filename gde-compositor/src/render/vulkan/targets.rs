//! What is drawn into: a target's own memory, where the device is the processor and can have it, else a picture on the device whose changes are
//! copied out.

use std::collections::HashMap;
use std::sync::Arc;

use vulkano::buffer::{Buffer, BufferCreateInfo, BufferUsage, Subbuffer};
use vulkano::device::Device;
use vulkano::image::view::ImageView;
use vulkano::image::{Image, ImageCreateInfo, ImageUsage};
use vulkano::memory::allocator::{AllocationCreateInfo, MemoryTypeFilter, StandardMemoryAllocator};

use super::pipelines::TARGET;
use super::{Error, raw};
use crate::render::Target;
use crate::render::texture::TargetId;

/// The device's side of a target.
#[derive(Debug, Clone)]
pub struct Screen {
    /// What is drawn into.
    pub image: Arc<Image>,
    /// The same, to draw by.
    pub view: Arc<ImageView>,
    /// Where changes are copied to, where the picture is not the target's memory: as large as the target, without gaps between rows.
    pub readback: Option<Subbuffer<[u32]>>,
    size: (i32, i32),
}

/// The targets that were drawn into.
#[derive(Debug)]
pub struct Targets {
    device: Arc<Device>,
    allocator: Arc<StandardMemoryAllocator>,
    may_import: bool,
    known: HashMap<TargetId, Screen>,
}

impl Targets {
    /// None yet. Memory is imported only where `may_import`: devices that are not the processor draw slowly into it.
    pub fn new(device: Arc<Device>, allocator: Arc<StandardMemoryAllocator>, may_import: bool) -> Self {
        Targets { device, allocator, may_import, known: HashMap::new() }
    }

    /// Gives back what is kept.
    pub fn clear(&mut self) {
        self.known.clear();
    }

    /// How many targets' memory is drawn into directly, and how many have a picture of their own.
    pub fn count(&self) -> (usize, usize) {
        let direct = self.known.values().filter(|screen| screen.readback.is_none()).count();
        (direct, self.known.len() - direct)
    }

    /// The device's side of a target, and whether it is new and lacks what the memory shows.
    ///
    /// # Errors
    /// Where the device has no room, or the target is too large for it.
    pub fn get(&mut self, target: &mut Target<'_>) -> Result<(Screen, bool), Error> {
        let id = target.id().ok_or_else(|| Error::Unsuitable("memory that is drawn into once".into()))?;
        if let Some(screen) = self.known.get(&id).filter(|screen| screen.size == target.size()) {
            return Ok((screen.clone(), false));
        }
        let screen = self.make(target)?;
        self.known.insert(id, screen.clone());
        Ok((screen, true))
    }

    fn make(&self, target: &mut Target<'_>) -> Result<Screen, Error> {
        let (width, height) = target.size();
        let limit = self.device.physical_device().properties().max_image_dimension2_d;
        if width <= 0 || height <= 0 || width as u32 > limit || height as u32 > limit {
            return Err(Error::Unsuitable(format!("a screen of {width}x{height} pixels is too large for the device")));
        }
        if self.may_import {
            match raw::import(&self.device, target) {
                Ok(image) => {
                    let view = ImageView::new_default(image.clone())?;
                    return Ok(Screen { image, view, readback: None, size: (width, height) });
                }
                Err(error) => tracing::debug!("a target's memory cannot be drawn into directly: {error}"),
            }
        }
        let image = Image::new(
            self.allocator.clone(),
            ImageCreateInfo {
                format: TARGET,
                extent: [width as u32, height as u32, 1],
                usage: ImageUsage::COLOR_ATTACHMENT | ImageUsage::TRANSFER_DST | ImageUsage::TRANSFER_SRC,
                ..ImageCreateInfo::default()
            },
            AllocationCreateInfo::default(),
        )?;
        let view = ImageView::new_default(image.clone())?;
        let readback = Buffer::new_slice::<u32>(
            self.allocator.clone(),
            BufferCreateInfo { usage: BufferUsage::TRANSFER_DST, ..BufferCreateInfo::default() },
            AllocationCreateInfo { memory_type_filter: MemoryTypeFilter::PREFER_HOST | MemoryTypeFilter::HOST_RANDOM_ACCESS, ..AllocationCreateInfo::default() },
            width as u64 * height as u64,
        )?;
        Ok(Screen { image, view, readback: Some(readback), size: (width, height) })
    }
}
