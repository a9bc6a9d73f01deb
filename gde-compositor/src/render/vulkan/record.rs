//! From a plan to a command buffer.

use std::sync::Arc;

use smithay::utils::{Physical, Rectangle};
use vulkano::buffer::Subbuffer;
use vulkano::command_buffer::{
    AutoCommandBufferBuilder, BufferImageCopy, CopyBufferToImageInfo, CopyImageInfo, CopyImageToBufferInfo, ImageCopy, PrimaryAutoCommandBuffer,
    RenderingAttachmentInfo, RenderingInfo,
};
use vulkano::descriptor_set::DescriptorSet;
use vulkano::image::Image;
use vulkano::pipeline::PipelineBindPoint;
use vulkano::pipeline::graphics::viewport::Viewport;
use vulkano::render_pass::{AttachmentLoadOp, AttachmentStoreOp};

use super::pipelines::{Kind, Pipelines};
use super::plan::{Phase, Plan};
use super::targets::Screen;
use super::{Error, raw};

/// The commands of a frame in the making.
pub type Commands = AutoCommandBufferBuilder<PrimaryAutoCommandBuffer>;

/// Rows of pixels in a buffer that belong into a picture: where they begin, counted in pixels, and where they go.
#[derive(Debug, Clone, Copy)]
pub struct Rows {
    /// The first one.
    pub first: usize,
    /// Where they go.
    pub at: (i32, i32),
    /// How many a row, and how many rows.
    pub size: (i32, i32),
}

fn place((x, y): (i32, i32)) -> [u32; 3] {
    [x as u32, y as u32, 0]
}

fn extent((w, h): (i32, i32)) -> [u32; 3] {
    [w as u32, h as u32, 1]
}

/// Carries rows over to a picture.
///
/// # Errors
/// The device's.
pub fn upload(commands: &mut Commands, from: &Subbuffer<[u32]>, to: &Arc<Image>, rows: &[Rows]) -> Result<(), Error> {
    let region = |rows: &Rows| BufferImageCopy {
        buffer_offset: rows.first as u64 * 4,
        image_subresource: to.subresource_layers(),
        image_offset: place(rows.at),
        image_extent: extent(rows.size),
        ..BufferImageCopy::default()
    };
    let regions = rows.iter().map(region).collect();
    commands.copy_buffer_to_image(CopyBufferToImageInfo { regions, ..CopyBufferToImageInfo::buffer_image(from.clone(), to.clone()) })?;
    Ok(())
}

/// Copies and draws.
///
/// # Errors
/// The device's.
pub fn phases(commands: &mut Commands, plan: &Plan, screen: &Screen, pipelines: &Pipelines, words: Option<&Arc<DescriptorSet>>) -> Result<(), Error> {
    for phase in &plan.phases {
        copies(commands, phase, screen)?;
        draws(commands, phase, screen, pipelines, words)?;
    }
    Ok(())
}

fn copies(commands: &mut Commands, phase: &Phase, screen: &Screen) -> Result<(), Error> {
    for copy in &phase.copies {
        let from = &copy.image.image;
        let region = |((x, y), to): &((i32, i32), Rectangle<i32, Physical>)| ImageCopy {
            src_subresource: from.subresource_layers(),
            src_offset: place((*x, *y)),
            dst_subresource: screen.image.subresource_layers(),
            dst_offset: place(to.loc.into()),
            extent: extent(to.size.into()),
            ..ImageCopy::default()
        };
        let regions = copy.parts.iter().map(region).collect();
        commands.copy_image(CopyImageInfo { regions, ..CopyImageInfo::images(from.clone(), screen.image.clone()) })?;
    }
    Ok(())
}

fn draws(commands: &mut Commands, phase: &Phase, screen: &Screen, pipelines: &Pipelines, words: Option<&Arc<DescriptorSet>>) -> Result<(), Error> {
    if phase.quads.is_empty() {
        return Ok(());
    }
    let attachment = RenderingAttachmentInfo {
        load_op: AttachmentLoadOp::Load,
        store_op: AttachmentStoreOp::Store,
        ..RenderingAttachmentInfo::image_view(screen.view.clone())
    };
    commands.begin_rendering(RenderingInfo { color_attachments: vec![Some(attachment)], ..RenderingInfo::default() })?;
    let [width, height, _] = screen.image.extent();
    let viewport = Viewport { offset: [0.0, 0.0], extent: [width as f32, height as f32], depth_range: 0.0..=1.0 };
    commands.set_viewport(0, [viewport].into_iter().collect())?;
    let layout = &pipelines.layout;
    if let Some(words) = words {
        commands.bind_descriptor_sets(PipelineBindPoint::Graphics, layout.clone(), 1, words.clone())?;
    }
    let (mut kind, mut set): (Option<Kind>, Option<&Arc<DescriptorSet>>) = (None, None);
    for quad in &phase.quads {
        if kind.replace(quad.kind) != Some(quad.kind) {
            commands.bind_pipeline_graphics(pipelines.of(quad.kind).clone())?;
        }
        if let Some(image) = &quad.image
            && set.is_none_or(|set| !Arc::ptr_eq(set, &image.set))
        {
            commands.bind_descriptor_sets(PipelineBindPoint::Graphics, layout.clone(), 0, image.set.clone())?;
            set = Some(&image.set);
        }
        commands.push_constants(layout.clone(), 0, quad.constants)?;
        raw::draw(commands)?;
    }
    commands.end_rendering()?;
    Ok(())
}

/// Copies parts of a target's picture to the same places in a buffer.
///
/// # Errors
/// The device's.
pub fn read_back(commands: &mut Commands, screen: &Screen, to: &Subbuffer<[u32]>, parts: &[Rectangle<i32, Physical>]) -> Result<(), Error> {
    let [width, height, _] = screen.image.extent();
    let region = |part: &Rectangle<i32, Physical>| BufferImageCopy {
        buffer_offset: (part.loc.y as u64 * u64::from(width) + part.loc.x as u64) * 4,
        buffer_row_length: width,
        buffer_image_height: height,
        image_subresource: screen.image.subresource_layers(),
        image_offset: place(part.loc.into()),
        image_extent: extent(part.size.into()),
        ..BufferImageCopy::default()
    };
    let regions = parts.iter().map(region).collect();
    commands.copy_image_to_buffer(CopyImageToBufferInfo { regions, ..CopyImageToBufferInfo::image_buffer(screen.image.clone(), to.clone()) })?;
    Ok(())
}
