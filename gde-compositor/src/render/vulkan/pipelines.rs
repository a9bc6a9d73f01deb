//! What the device runs for each kind of draw, and the file that keeps it compiled.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use vulkano::device::Device;
use vulkano::format::Format;
use vulkano::pipeline::cache::PipelineCache;
use vulkano::pipeline::graphics::GraphicsPipelineCreateInfo;
use vulkano::pipeline::graphics::color_blend::{AttachmentBlend, BlendFactor, BlendOp, ColorBlendAttachmentState, ColorBlendState};
use vulkano::pipeline::graphics::input_assembly::{InputAssemblyState, PrimitiveTopology};
use vulkano::pipeline::graphics::multisample::MultisampleState;
use vulkano::pipeline::graphics::rasterization::RasterizationState;
use vulkano::pipeline::graphics::subpass::PipelineRenderingCreateInfo;
use vulkano::pipeline::graphics::vertex_input::VertexInputState;
use vulkano::pipeline::graphics::viewport::ViewportState;
use vulkano::pipeline::layout::PipelineDescriptorSetLayoutCreateInfo;
use vulkano::pipeline::{DynamicState, GraphicsPipeline, PipelineLayout, PipelineShaderStageCreateInfo};

use super::{Error, raw};

/// What targets are: DRM's XRGB8888 and ARGB8888.
pub const TARGET: Format = Format::B8G8R8A8_UNORM;

/// Kinds of draws, by the names of their shaders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One colour.
    Solid,
    /// A texture, pixel for pixel.
    Plain,
    /// The same, with less than all of its alpha.
    Same,
    /// A texture, scaled or turned.
    Sampled,
    /// A shadow.
    Shadow,
}

impl Kind {
    const ALL: [Kind; 5] = [Kind::Solid, Kind::Plain, Kind::Same, Kind::Sampled, Kind::Shadow];

    fn shader(self) -> &'static str {
        match self {
            Kind::Solid => "solid",
            Kind::Plain => "plain",
            Kind::Same => "same",
            Kind::Sampled => "sampled",
            Kind::Shadow => "shadow",
        }
    }
}

/// One pipeline for each kind. They have the same layout.
#[derive(Debug)]
pub struct Pipelines {
    /// Set 0 is a texture, set 1 the words.
    pub layout: Arc<PipelineLayout>,
    pipelines: Vec<Arc<GraphicsPipeline>>,
}

impl Pipelines {
    /// Compiles them, or takes them from the file where they are kept.
    ///
    /// # Errors
    /// The device's. Without the file they are compiled again.
    pub fn new(device: &Arc<Device>, kept: Option<&Path>) -> Result<Self, Error> {
        let module = raw::shaders(device)?;
        let stage = |name: &str| {
            let entry = module.entry_point(name).ok_or_else(|| Error::Failed(format!("there is no shader {name}")))?;
            Ok::<_, Error>(PipelineShaderStageCreateInfo::new(entry))
        };
        let vertex = stage("corners")?;
        let fragments = Kind::ALL.iter().map(|kind| stage(kind.shader())).collect::<Result<Vec<_>, Error>>()?;
        let all = std::iter::once(&vertex).chain(&fragments);
        let layout = PipelineDescriptorSetLayoutCreateInfo::from_stages(all).into_pipeline_layout_create_info(device.clone());
        let layout = PipelineLayout::new(device.clone(), layout.map_err(|error| Error::Failed(error.to_string()))?)?;
        let file = kept.map(|dir| dir.join(file_name(device)));
        let cache = raw::pipeline_cache(device, file.as_deref().and_then(load).unwrap_or_default())?;
        let build = |fragment: &PipelineShaderStageCreateInfo| {
            let info = create_info(layout.clone(), [vertex.clone(), fragment.clone()]);
            GraphicsPipeline::new(device.clone(), Some(cache.clone()), info).map_err(Error::from)
        };
        let pipelines = fragments.iter().map(build).collect::<Result<Vec<_>, Error>>()?;
        if let Some(file) = file {
            save(&cache, &file);
        }
        Ok(Pipelines { layout, pipelines })
    }

    /// The pipeline of a kind.
    pub fn of(&self, kind: Kind) -> &Arc<GraphicsPipeline> {
        &self.pipelines[kind as usize]
    }
}

fn create_info(layout: Arc<PipelineLayout>, stages: [PipelineShaderStageCreateInfo; 2]) -> GraphicsPipelineCreateInfo {
    // Pixels are premultiplied.
    let over = AttachmentBlend {
        src_color_blend_factor: BlendFactor::One,
        dst_color_blend_factor: BlendFactor::OneMinusSrcAlpha,
        color_blend_op: BlendOp::Add,
        src_alpha_blend_factor: BlendFactor::One,
        dst_alpha_blend_factor: BlendFactor::OneMinusSrcAlpha,
        alpha_blend_op: BlendOp::Add,
    };
    let attachment = ColorBlendAttachmentState { blend: Some(over), ..ColorBlendAttachmentState::default() };
    GraphicsPipelineCreateInfo {
        stages: stages.into_iter().collect(),
        vertex_input_state: Some(VertexInputState::default()),
        input_assembly_state: Some(InputAssemblyState { topology: PrimitiveTopology::TriangleStrip, ..InputAssemblyState::default() }),
        viewport_state: Some(ViewportState::default()),
        rasterization_state: Some(RasterizationState::default()),
        multisample_state: Some(MultisampleState::default()),
        color_blend_state: Some(ColorBlendState::with_attachment_states(1, attachment)),
        dynamic_state: [DynamicState::Viewport].into_iter().collect(),
        subpass: Some(PipelineRenderingCreateInfo { color_attachment_formats: vec![Some(TARGET)], ..PipelineRenderingCreateInfo::default() }.into()),
        ..GraphicsPipelineCreateInfo::layout(layout)
    }
}

/// The compiled pipelines' file: drivers' files are of no use for other ones, or for other shaders.
fn file_name(device: &Device) -> PathBuf {
    let properties = device.physical_device().properties();
    let mut name = String::from("pipelines-");
    for byte in properties.pipeline_cache_uuid {
        name.push_str(&format!("{byte:02x}"));
    }
    name.push_str(&format!("-{:08x}", checksum(raw::SHADERS)));
    name.into()
}

/// FNV-1a.
fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |sum, byte| (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

/// What was kept, where the file is whole: drivers need not notice that it is not.
fn load(file: &Path) -> Option<Vec<u8>> {
    let mut bytes = std::fs::read(file).ok()?;
    let data = bytes.len().checked_sub(4)?;
    let sum = checksum(&bytes[..data]).to_le_bytes();
    if bytes[data..] != sum {
        tracing::warn!("{} is damaged: the shaders are compiled again", file.display());
        return None;
    }
    bytes.truncate(data);
    Some(bytes)
}

/// Keeps what was compiled, unless it is there already. Not being able to costs only time at the next start.
fn save(cache: &PipelineCache, file: &Path) {
    let write = || -> anyhow::Result<()> {
        let mut bytes = cache.get_data()?;
        bytes.extend(checksum(&bytes).to_le_bytes());
        if std::fs::read(file).is_ok_and(|kept| kept == bytes) {
            return Ok(());
        }
        if let Some(dir) = file.parent() {
            std::fs::create_dir_all(dir)?;
        }
        let new = file.with_extension(format!("{}.new", std::process::id()));
        std::fs::write(&new, bytes)?;
        std::fs::rename(new, file)?;
        Ok(())
    };
    if let Err(error) = write() {
        tracing::info!("the compiled shaders are not kept in {}: {error}", file.display());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_file_is_not_used() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("pipelines");
        let mut bytes = b"something compiled".to_vec();
        bytes.extend(checksum(&bytes).to_le_bytes());
        std::fs::write(&file, &bytes).unwrap();
        assert_eq!(load(&file).unwrap(), b"something compiled");
        for index in 0..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[index] ^= 4;
            std::fs::write(&file, &bytes).unwrap();
            assert_eq!(load(&file), None, "byte {index}");
        }
        std::fs::write(&file, b"ab").unwrap();
        assert_eq!(load(&file), None);
    }
}
