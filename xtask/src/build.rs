//! `./gos build`.

use anyhow::Result;
use image_builder::formats::Format;

use crate::cargo;
use crate::cli::BuildOptions;
use crate::images::{self, Cd};
use crate::project::Project;

pub fn build(project: &Project, options: &BuildOptions) -> Result<()> {
    if options.host {
        let programs = cargo::build_host(project, &project.build().join("host"))?;
        for path in programs.values() {
            println!("{}", path.display());
        }
        return Ok(());
    }
    let formats: Vec<Format> = options.format.iter().filter_map(|format| format.converted()).collect();
    let images = images::genai_as(project, &options.edition, Cd::Make, &formats)?;
    println!("{}", images.disk.display());
    for path in images.iso.iter().chain(&images.converted) {
        println!("{}", path.display());
    }
    if options.linux {
        let linux = images::linux(project, &options.edition)?;
        println!("{}", linux.disk.display());
    }
    Ok(())
}
