//! The Vulkan renderer. It draws what the software renderer draws, within rounding.
//!
//! * [`device`]: finding a device; [`pipelines`]: what it runs; [`raw`]: all that is unsafe.
//! * [`images`]: textures on the device; [`targets`]: what is drawn into.
//! * [`plan`]: what is copied and what is drawn; [`record`]: the commands for that.
//!
//! A frame is one submission, and the host waits for it: the display is shown it at once.

mod device;
mod error;
mod images;
mod pipelines;
mod plan;
mod raw;
mod record;
mod targets;

use std::path::Path;
use std::sync::Arc;

use smithay::utils::{Physical, Rectangle};
use vulkano::buffer::{Buffer, BufferCreateInfo, BufferUsage, Subbuffer};
use vulkano::command_buffer::allocator::StandardCommandBufferAllocator;
use vulkano::command_buffer::{AutoCommandBufferBuilder, CommandBufferUsage};
use vulkano::descriptor_set::allocator::StandardDescriptorSetAllocator;
use vulkano::descriptor_set::{DescriptorSet, WriteDescriptorSet};
use vulkano::device::physical::PhysicalDeviceType;
use vulkano::device::{Device, Queue};
use vulkano::memory::allocator::{AllocationCreateInfo, MemoryTypeFilter, StandardMemoryAllocator};

use super::Target;
use super::op::Op;
use images::{Images, Upload};
use pipelines::Pipelines;
use plan::Plan;
use record::Rows;
use targets::{Screen, Targets};

pub use device::Devices;
pub use error::Error;
pub use images::DeviceImage;

/// A device that draws.
pub struct Vulkan {
    device: Arc<Device>,
    queue: Arc<Queue>,
    allocator: Arc<StandardMemoryAllocator>,
    commands: Arc<StandardCommandBufferAllocator>,
    sets: Arc<StandardDescriptorSetAllocator>,
    pipelines: Pipelines,
    images: Images,
    targets: Targets,
    /// Pixels on their way to the device.
    staging: Option<Subbuffer<[u32]>>,
    /// What shaders look up.
    words: Option<(Subbuffer<[i32]>, Arc<DescriptorSet>)>,
    frames: u64,
    fails_in: Option<u64>,
}

impl std::fmt::Debug for Vulkan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Vulkan({}, {} frames)", self.device_name(), self.frames)
    }
}

impl Vulkan {
    /// The best of these devices. What is compiled for it is kept in the directory, where there is one.
    ///
    /// # Errors
    /// [`Error::Missing`] where there is no loader or no device; the device's.
    pub fn open(devices: Devices, kept: Option<&Path>) -> Result<Self, Error> {
        let device::Opened { device, queue } = device::open(devices)?;
        let allocator = Arc::new(StandardMemoryAllocator::new_default(device.clone()));
        let sets = Arc::new(StandardDescriptorSetAllocator::new(device.clone(), Default::default()));
        let pipelines = Pipelines::new(&device, kept)?;
        let texture_set = pipelines.layout.set_layouts().first().cloned().ok_or_else(|| Error::Failed("the shaders have no texture".into()))?;
        let is_cpu = device.physical_device().properties().device_type == PhysicalDeviceType::Cpu;
        Ok(Vulkan {
            commands: Arc::new(StandardCommandBufferAllocator::new(device.clone(), Default::default())),
            images: Images::new(allocator.clone(), sets.clone(), texture_set),
            targets: Targets::new(device.clone(), allocator.clone(), is_cpu),
            device,
            queue,
            allocator,
            sets,
            pipelines,
            staging: None,
            words: None,
            frames: 0,
            fails_in: None,
        })
    }

    /// What the device is called.
    pub fn device_name(&self) -> &str {
        &self.device.physical_device().properties().device_name
    }

    /// Whether the device is the processor.
    pub fn is_cpu(&self) -> bool {
        self.device.physical_device().properties().device_type == PhysicalDeviceType::Cpu
    }

    /// Frames drawn so far.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// How many targets' memory is drawn into directly, and how many are copied out to.
    pub fn target_count(&self) -> (usize, usize) {
        self.targets.count()
    }

    /// For tests: after so many frames the device is lost while it draws one.
    pub fn fail_after(&mut self, frames: u64) {
        self.fails_in = Some(frames);
    }

    /// Gives back what is kept for targets.
    pub fn forget_targets(&mut self) {
        self.targets.clear();
    }

    /// Draws a frame.
    ///
    /// # Errors
    /// [`Error::Unsuitable`] where another renderer has to draw this frame, others where it has to from now on. The target may be half drawn.
    pub fn draw(&mut self, target: &mut Target<'_>, ops: &[Op]) -> Result<(), Error> {
        let Some(parts) = changed(ops) else { return Ok(()) };
        self.images.begin_frame();
        let (screen, lacks_memory) = self.targets.get(target)?;
        let mut plan = Plan::new(target.size());
        let mut uploads = Vec::new();
        for op in ops {
            let image = match op {
                Op::Texture(picture) => Some(self.images.get(&picture.texture, &mut uploads)?),
                Op::Solid { .. } | Op::Shadow { .. } => None,
            };
            plan.add(op, image)?;
        }
        let rows = self.stage(&uploads, lacks_memory.then_some(&mut *target))?;
        self.write_words(&plan.words)?;
        self.run(&plan, &screen, &uploads, &rows, &parts)?;
        uploads.iter().for_each(Upload::done);
        if let Some(readback) = &screen.readback {
            let pixels = readback.read()?;
            parts.iter().for_each(|part| target.write(*part, &pixels));
        }
        self.frames += 1;
        Ok(())
    }

    /// Records a frame and has it drawn.
    fn run(&mut self, plan: &Plan, screen: &Screen, uploads: &[Upload], rows: &[Vec<Rows>], parts: &[Rectangle<i32, Physical>]) -> Result<(), Error> {
        let family = self.queue.queue_family_index();
        let mut commands = AutoCommandBufferBuilder::primary(self.commands.clone(), family, CommandBufferUsage::OneTimeSubmit)?;
        if let Some(staging) = &self.staging {
            let images = uploads.iter().map(|upload| &upload.image.image).chain([&screen.image]);
            for (image, rows) in images.zip(rows).filter(|(_, rows)| !rows.is_empty()) {
                record::upload(&mut commands, staging, image, rows)?;
            }
        }
        let words = self.words.as_ref().map(|(_, set)| set);
        record::phases(&mut commands, plan, screen, &self.pipelines, words)?;
        if let Some(readback) = &screen.readback {
            record::read_back(&mut commands, screen, readback, parts)?;
        }
        raw::run(&self.queue, commands.build()?)?;
        match &mut self.fails_in {
            Some(0) => Err(Error::Failed("the device is lost, as a test wants it".into())),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Puts what has to be carried over where the device finds it: the rows of each upload, and those of the target where it is new.
    fn stage(&mut self, uploads: &[Upload], target: Option<&mut Target<'_>>) -> Result<Vec<Vec<Rows>>, Error> {
        let mut len = 0;
        let mut take = |size: (i32, i32), at: (i32, i32)| {
            let first = len;
            len += size.0 as usize * size.1 as usize;
            Rows { first, at, size }
        };
        let rows_of = |upload: &Upload| upload.parts.iter().map(|part| take(part.size.into(), part.loc.into())).collect();
        let mut rows: Vec<Vec<Rows>> = uploads.iter().map(rows_of).collect();
        rows.push(target.iter().map(|target| take(target.size(), (0, 0))).collect());
        if len == 0 {
            return Ok(rows);
        }
        if self.staging.as_ref().is_none_or(|staging| staging.len() < len as u64) {
            self.staging = None;
            self.staging = Some(self.host_buffer(BufferUsage::TRANSFER_SRC, len)?);
        }
        let Some(staging) = &self.staging else { return Ok(rows) };
        let mut pixels = staging.write()?;
        for (upload, rows) in uploads.iter().zip(&rows) {
            for (part, rows) in upload.parts.iter().zip(rows) {
                let to = &mut pixels[rows.first..][..rows.size.0 as usize * rows.size.1 as usize];
                upload.texture.read(*part, to).map_err(|error| Error::Unsuitable(error.to_string()))?;
            }
        }
        if let (Some(target), Some([rows])) = (target, rows.last().map(Vec::as_slice)) {
            target.read(&mut pixels[rows.first..][..rows.size.0 as usize * rows.size.1 as usize]);
        }
        drop(pixels);
        Ok(rows)
    }

    fn write_words(&mut self, words: &[i32]) -> Result<(), Error> {
        if words.is_empty() {
            return Ok(());
        }
        if self.words.as_ref().is_none_or(|(buffer, _)| buffer.len() < words.len() as u64) {
            self.words = None;
            let limit = self.device.physical_device().properties().max_storage_buffer_range as usize / 4;
            if words.len() > limit {
                return Err(Error::Unsuitable("too much is scaled at once for the device".into()));
            }
            let buffer = self.host_buffer::<i32>(BufferUsage::STORAGE_BUFFER, words.len().next_power_of_two().clamp(4096, limit.max(4096)))?;
            let layout = self.pipelines.layout.set_layouts().get(1).cloned().ok_or_else(|| Error::Failed("the shaders have no words".into()))?;
            let set = DescriptorSet::new(self.sets.clone(), layout, [WriteDescriptorSet::buffer(0, buffer.clone())], [])?;
            self.words = Some((buffer, set));
        }
        if let Some((buffer, _)) = &self.words {
            buffer.write()?[..words.len()].copy_from_slice(words);
        }
        Ok(())
    }

    /// A buffer that the host writes and the device reads.
    fn host_buffer<T: vulkano::buffer::BufferContents>(&self, usage: BufferUsage, len: usize) -> Result<Subbuffer<[T]>, Error> {
        let buffer = Buffer::new_slice::<T>(
            self.allocator.clone(),
            BufferCreateInfo { usage, ..BufferCreateInfo::default() },
            AllocationCreateInfo {
                memory_type_filter: MemoryTypeFilter::PREFER_HOST | MemoryTypeFilter::HOST_SEQUENTIAL_WRITE,
                ..AllocationCreateInfo::default()
            },
            len as u64,
        )?;
        Ok(buffer)
    }
}

/// What a list draws on, without what lies within others, or one rectangle around it where that is less; nothing where it draws nothing.
fn changed(ops: &[Op]) -> Option<Vec<Rectangle<i32, Physical>>> {
    let mut parts: Vec<Rectangle<i32, Physical>> = Vec::new();
    for part in ops.iter().flat_map(Op::parts) {
        if !parts.iter().any(|other| other.contains_rect(*part)) {
            parts.retain(|other| !part.contains_rect(*other));
            parts.push(*part);
        }
    }
    let around = parts.iter().copied().reduce(Rectangle::merge)?;
    let area = |rect: &Rectangle<i32, Physical>| i64::from(rect.size.w) * i64::from(rect.size.h);
    Some(if parts.iter().map(area).sum::<i64>() > area(&around) { vec![around] } else { parts })
}
