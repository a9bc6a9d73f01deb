//! Pictures on the device, and what has to be carried over to them.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use gde_raster::Pixmap;
use smithay::backend::renderer::Texture as _;
use smithay::utils::{Buffer, Rectangle};
use vulkano::descriptor_set::allocator::StandardDescriptorSetAllocator;
use vulkano::descriptor_set::layout::DescriptorSetLayout;
use vulkano::descriptor_set::{DescriptorSet, WriteDescriptorSet};
use vulkano::device::DeviceOwned;
use vulkano::format::Format;
use vulkano::image::view::ImageView;
use vulkano::image::{Image, ImageCreateInfo, ImageUsage};
use vulkano::memory::allocator::{AllocationCreateInfo, StandardMemoryAllocator};

use super::Error;
use crate::render::mirror::{Mirror, Stale};
use crate::render::texture::Texture;

/// A picture on the device. Its pixels are integers there: they are computed with as such.
#[derive(Debug)]
pub struct DeviceImage {
    /// The picture.
    pub image: Arc<Image>,
    /// What shaders read it by.
    pub set: Arc<DescriptorSet>,
}

/// Parts of a texture that are to be carried over.
#[derive(Debug)]
pub struct Upload {
    /// From.
    pub texture: Texture,
    /// To.
    pub image: Arc<DeviceImage>,
    /// What.
    pub parts: Vec<Rectangle<i32, Buffer>>,
    mirror: Arc<Mirror>,
}

impl Upload {
    /// It was done.
    pub fn done(&self) {
        let mut state = self.mirror.state();
        // A buffer that is not the newest one is good for its own frame only.
        state.stale = if is_newest(&self.texture, state.newest.as_ref()) { Stale::Parts(Vec::new()) } else { Stale::All };
    }
}

fn is_newest(texture: &Texture, newest: Option<&smithay::reexports::wayland_server::protocol::wl_buffer::WlBuffer>) -> bool {
    match texture {
        Texture::Shm { buffer, .. } => newest.is_none_or(|newest| newest == buffer),
        Texture::Memory { .. } => true,
    }
}

/// The pictures on the device.
#[derive(Debug)]
pub struct Images {
    allocator: Arc<StandardMemoryAllocator>,
    sets: Arc<StandardDescriptorSetAllocator>,
    layout: Arc<DescriptorSetLayout>,
    /// Of our own pictures, by their address; what is weakly held keeps the address from being another's.
    of_ours: HashMap<usize, (Weak<Pixmap>, Arc<Mirror>)>,
    frame: u64,
}

impl Images {
    /// None yet. The layout is that of a set with a texture.
    pub fn new(allocator: Arc<StandardMemoryAllocator>, sets: Arc<StandardDescriptorSetAllocator>, layout: Arc<DescriptorSetLayout>) -> Self {
        Images { allocator, sets, layout, of_ours: HashMap::new(), frame: 0 }
    }

    /// Another frame begins: pictures of ours that are gone go from the device too.
    pub fn begin_frame(&mut self) {
        self.frame += 1;
        self.of_ours.retain(|_, (pixmap, _)| pixmap.strong_count() > 0);
    }

    /// A texture on the device. What is to be carried over to it first is added to the list, once in a frame.
    ///
    /// # Errors
    /// Where the texture is too large for the device, or it has no room.
    pub fn get(&mut self, texture: &Texture, uploads: &mut Vec<Upload>) -> Result<Arc<DeviceImage>, Error> {
        let mirror = match texture {
            Texture::Shm { mirror, .. } => mirror.clone(),
            Texture::Memory { pixmap, .. } => {
                let kept = self.of_ours.entry(Arc::as_ptr(pixmap) as usize);
                kept.or_insert_with(|| (Arc::downgrade(pixmap), Arc::default())).1.clone()
            }
        };
        let mut state = mirror.state();
        let image = match &state.image {
            Some(image) if image.image.device() == self.allocator.device() => image.clone(),
            _ => {
                // What another device had is of no use.
                let image = Arc::new(self.new_image((texture.width(), texture.height()))?);
                state.image = Some(image.clone());
                state.stale = Stale::All;
                image
            }
        };
        let parts = match &state.stale {
            // Parts are counted from the newest buffer.
            Stale::Parts(parts) if is_newest(texture, state.newest.as_ref()) => parts.clone(),
            _ => vec![Rectangle::from_size((texture.width() as i32, texture.height() as i32).into())],
        };
        let is_under_way = std::mem::replace(&mut state.frame, self.frame) == self.frame;
        drop(state);
        if !parts.is_empty() && !is_under_way {
            uploads.push(Upload { texture: texture.clone(), image: image.clone(), parts, mirror });
        }
        Ok(image)
    }

    fn new_image(&self, (width, height): (u32, u32)) -> Result<DeviceImage, Error> {
        let limit = self.allocator.device().physical_device().properties().max_image_dimension2_d;
        if width == 0 || height == 0 || width > limit || height > limit {
            return Err(Error::Unsuitable(format!("a picture of {width}x{height} pixels is too large for the device")));
        }
        let image = Image::new(
            self.allocator.clone(),
            ImageCreateInfo {
                format: Format::R32_UINT,
                extent: [width, height, 1],
                usage: ImageUsage::STORAGE | ImageUsage::TRANSFER_DST | ImageUsage::TRANSFER_SRC,
                ..ImageCreateInfo::default()
            },
            AllocationCreateInfo::default(),
        )?;
        let view = ImageView::new_default(image.clone())?;
        let set = DescriptorSet::new(self.sets.clone(), self.layout.clone(), [WriteDescriptorSet::image_view(0, view)], [])?;
        Ok(DeviceImage { image, set })
    }
}
