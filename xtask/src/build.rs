//! `./gos build`.

use anyhow::Result;

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
    let images = images::genai(project, &options.edition, Cd::Make)?;
    println!("{}", images.disk.display());
    if let Some(iso) = &images.iso {
        println!("{}", iso.display());
    }
    if options.linux {
        let linux = images::linux(project, &options.edition)?;
        println!("{}", linux.disk.display());
    }
    Ok(())
}
