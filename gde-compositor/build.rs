//! Compiles the Vulkan renderer's shaders to SPIR-V.

use std::error::Error;
use std::path::PathBuf;

use naga::back::spv;
use naga::valid::{Capabilities, ValidationFlags, Validator};

const SHADERS: &str = "src/render/vulkan/shaders.wgsl";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={SHADERS}");
    let source = std::fs::read_to_string(SHADERS)?;
    let module = naga::front::wgsl::parse_str(&source).map_err(|error| error.emit_to_string_with_path(&source, SHADERS))?;
    let checked = Validator::new(ValidationFlags::all(), Capabilities::PUSH_CONSTANT).validate(&module);
    let info = checked.map_err(|error| error.emit_to_string_with_path(&source, SHADERS))?;
    // Vulkan's coordinates are meant as they are written, and every index is checked by who writes it.
    let options = spv::Options { lang_version: (1, 3), flags: spv::WriterFlags::empty(), ..spv::Options::default() };
    let words = spv::write_vec(&module, &info, &options, None)?;
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo gives no OUT_DIR")?);
    std::fs::write(out.join("shaders.spv"), bytes)?;
    Ok(())
}
