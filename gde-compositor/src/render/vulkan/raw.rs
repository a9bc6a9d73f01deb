//! All that the Vulkan renderer does on its own responsibility: what vulkano cannot check, or does not wrap.

use std::ptr::NonNull;
use std::sync::Arc;
use std::time::Duration;

use ash::vk;
use vulkano::VulkanObject;
use vulkano::command_buffer::{AutoCommandBufferBuilder, CommandBufferSubmitInfo, PrimaryAutoCommandBuffer, SubmitInfo};
use vulkano::device::{Device, Queue};
use vulkano::image::sys::RawImage;
use vulkano::image::{Image, ImageAspect, ImageCreateInfo, ImageTiling, ImageUsage};
use vulkano::memory::{DedicatedAllocation, DeviceMemory, ExternalMemoryHandleTypes, MemoryAllocateInfo, ResourceMemory};
use vulkano::pipeline::cache::{PipelineCache, PipelineCacheCreateInfo};
use vulkano::shader::{ShaderModule, ShaderModuleCreateInfo, spirv};
use vulkano::sync::fence::{Fence, FenceCreateInfo};

use super::Error;
use super::pipelines::TARGET;
use crate::render::Target;

/// The compiled shaders (`build.rs`).
pub const SHADERS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/shaders.spv"));

/// How long a frame may take before the device counts as lost: in emulated machines they take seconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// The shaders.
///
/// # Errors
/// The device's.
pub fn shaders(device: &Arc<Device>) -> Result<Arc<ShaderModule>, Error> {
    let words = spirv::bytes_to_words(SHADERS).map_err(|error| Error::Failed(format!("the shaders: {error}")))?;
    // SAFETY: the code was validated when it was compiled.
    let module = unsafe { ShaderModule::new(device.clone(), ShaderModuleCreateInfo::new(&words)) };
    Ok(module?)
}

/// A cache of pipelines with what was kept of an earlier one, or with nothing.
///
/// # Errors
/// The device's.
pub fn pipeline_cache(device: &Arc<Device>, kept: Vec<u8>) -> Result<Arc<PipelineCache>, Error> {
    let info = PipelineCacheCreateInfo { initial_data: kept, ..PipelineCacheCreateInfo::default() };
    // SAFETY: what was kept came from a cache of a device with the same UUID, and its checksum is right.
    Ok(unsafe { PipelineCache::new(device.clone(), info) }?)
}

/// Draws a rectangle with what is bound.
///
/// # Errors
/// Where something is not bound.
pub fn draw(commands: &mut AutoCommandBufferBuilder<PrimaryAutoCommandBuffer>) -> Result<(), Error> {
    // SAFETY: the shaders end; they clamp places on textures, and `plan.rs` gives them only indices that it has written words at.
    unsafe { commands.draw(4, 1, 0, 0) }?;
    Ok(())
}

/// Has the device do something, and waits until it is done.
///
/// # Errors
/// The device's, and where it does not answer for long. Then nothing that it may still use is given back.
pub fn run(queue: &Arc<Queue>, commands: Arc<PrimaryAutoCommandBuffer>) -> Result<(), Error> {
    let fence = Arc::new(Fence::new(queue.device().clone(), FenceCreateInfo::default())?);
    let info = SubmitInfo { command_buffers: vec![CommandBufferSubmitInfo::new(commands.clone())], ..SubmitInfo::default() };
    // SAFETY: the commands were checked when they were recorded, what they use lives until they are done, as does the fence, and nobody uses
    // any of it in the meantime: nothing else is submitted, and the host waits.
    let submitted = unsafe { queue.with(|mut queue| queue.submit(&[info], Some(&fence))) };
    let done = submitted.map_err(Error::from).and_then(|()| fence.wait(Some(PATIENCE)).map_err(Error::from));
    if done.is_err() {
        // The device may be at it still.
        std::mem::forget((commands, fence));
    }
    done
}

/// The target's memory itself as an image of the device's, where it fits: for devices that are the processor.
///
/// What the memory shows is not what the image shows at first: that must be carried over. The caller must drop it before the memory goes.
///
/// # Errors
/// [`Error::Unsuitable`] where it does not fit, or the device does not take it.
pub fn import(device: &Arc<Device>, target: &mut Target<'_>) -> Result<Arc<Image>, Error> {
    let unsuitable = |reason: &str| Error::Unsuitable(reason.into());
    let properties = device.physical_device().properties();
    let Some(alignment) = properties.min_imported_host_pointer_alignment else { return Err(unsuitable("the device imports no memory")) };
    let ((width, height), stride) = (target.size(), target.stride() as u64);
    let (pixels, len) = target.memory();
    let (address, len) = (pixels as u64, len as u64);
    if address % alignment != 0 || len % alignment != 0 {
        return Err(unsuitable("the memory does not begin or end with a page"));
    }
    let image = RawImage::new(
        device.clone(),
        ImageCreateInfo {
            format: TARGET,
            extent: [width as u32, height as u32, 1],
            tiling: ImageTiling::Linear,
            usage: ImageUsage::COLOR_ATTACHMENT | ImageUsage::TRANSFER_DST | ImageUsage::TRANSFER_SRC,
            external_memory_handle_types: ExternalMemoryHandleTypes::HOST_ALLOCATION,
            ..ImageCreateInfo::default()
        },
    );
    let image = image.map_err(|error| Error::Unsuitable(super::error::reason(error)))?;
    let layout = image.subresource_layout(ImageAspect::Color, 0, 0)?;
    if layout.offset != 0 || layout.row_pitch != stride {
        return Err(unsuitable("the device's rows are of another length"));
    }
    let needs = image.memory_requirements().first().copied().ok_or_else(|| unsuitable("the image has no memory"))?;
    if needs.layout.size() > len {
        return Err(unsuitable("the device wants more memory"));
    }
    let pointer = NonNull::new(pixels).ok_or_else(|| unsuitable("there is no memory"))?.as_ptr().cast();
    let mut host = vk::MemoryHostPointerPropertiesEXT::default();
    // SAFETY: the pointer is to mapped memory, and the extension is enabled: `min_imported_host_pointer_alignment` was there.
    let result = unsafe {
        (device.fns().ext_external_memory_host.get_memory_host_pointer_properties_ext)(
            device.handle(),
            vk::ExternalMemoryHandleTypeFlags::HOST_ALLOCATION_EXT,
            pointer,
            &mut host,
        )
    };
    result.result().map_err(|error| Error::Unsuitable(format!("the memory cannot be imported: {error}")))?;
    let types = host.memory_type_bits & needs.memory_type_bits;
    if types == 0 {
        return Err(unsuitable("no kind of memory fits"));
    }
    let memory_type_index = types.trailing_zeros();
    let mut import =
        vk::ImportMemoryHostPointerInfoEXT::default().handle_type(vk::ExternalMemoryHandleTypeFlags::HOST_ALLOCATION_EXT).host_pointer(pointer);
    let mut dedicated = vk::MemoryDedicatedAllocateInfo::default().image(image.handle());
    let info = vk::MemoryAllocateInfo::default().allocation_size(len).memory_type_index(memory_type_index).push_next(&mut import);
    let info = if needs.requires_dedicated_allocation { info.push_next(&mut dedicated) } else { info };
    let mut handle = vk::DeviceMemory::null();
    // SAFETY: the memory is mapped for `len` bytes, its address and length are aligned, and its type is one of those that were named for it.
    let result = unsafe { (device.fns().v1_0.allocate_memory)(device.handle(), &info, std::ptr::null(), &mut handle) };
    result.result().map_err(|error| Error::Unsuitable(format!("the memory cannot be imported: {error}")))?;
    let info = MemoryAllocateInfo {
        allocation_size: len,
        memory_type_index,
        dedicated_allocation: needs.requires_dedicated_allocation.then_some(DedicatedAllocation::Image(&image)),
        ..MemoryAllocateInfo::default()
    };
    // SAFETY: the handle was just made, of this device, with these values.
    let memory = unsafe { DeviceMemory::from_handle(device.clone(), handle, info) };
    let memory = ResourceMemory::new_dedicated(memory);
    let image = image.bind_memory([memory]).map_err(|(error, _, _)| Error::Unsuitable(super::error::reason(error)))?;
    Ok(Arc::new(image))
}
