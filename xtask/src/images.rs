//! Images: the programs built, then handed to the image builder.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Context, Result};
use image_builder::build::{BootOptions, Builder, default_missing};
use image_builder::formats::Format;
use image_builder::recipe::{Linkage, Project as Contents, Target};
use image_builder::{Event, Report};

use crate::cargo;
use crate::project::Project;

/// What starts our kernel.
pub struct Genai {
    /// The kernel's ELF file.
    pub kernel: PathBuf,
    /// Its first module.
    pub initfs: PathBuf,
    /// The disk with GRUB and the root.
    pub disk: PathBuf,
    /// The boot CD, where asked for.
    pub iso: Option<PathBuf>,
    /// The disk in the other formats that were asked for, in their order.
    pub converted: Vec<PathBuf>,
    /// The edition's own boot parameters.
    pub command_line: String,
}

/// What starts the Linux reference.
pub struct Linux {
    /// Debian's kernel.
    pub kernel: PathBuf,
    /// What it starts from.
    pub initramfs: PathBuf,
    /// The same root on ext4.
    pub disk: PathBuf,
    /// What it must be told.
    pub command_line: String,
}

/// Whether the boot CD is wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Cd {
    Make,
    Skip,
}

/// Builds everything for our kernel.
pub fn genai(project: &Project, edition: &str, cd: Cd) -> Result<Genai> {
    genai_as(project, edition, cd, &[])
}

/// The same, and the disk in other formats.
pub fn genai_as(project: &Project, edition: &str, cd: Cd, formats: &[Format]) -> Result<Genai> {
    let kernel = cargo::build_kernel(project)?;
    with_builder(project, edition, |builder| {
        let boot = BootOptions::default();
        let disk = builder.disk(&kernel, &boot).context("the disk image cannot be made")?;
        let converted = formats.iter().map(|format| builder.convert(&disk, *format)).collect::<Result<_, _>>();
        Ok(Genai {
            converted: converted.context("the disk image cannot be converted")?,
            disk,
            initfs: builder.initfs().context("the initfs cannot be made")?,
            iso: match cd {
                Cd::Make => Some(builder.iso(&kernel, &boot).context("the boot CD cannot be made")?),
                Cd::Skip => None,
            },
            kernel: kernel.clone(),
            command_line: builder.project.edition.cmdline.clone(),
        })
    })
}

/// Builds everything for the Linux reference.
pub fn linux(project: &Project, edition: &str) -> Result<Linux> {
    with_builder(project, edition, |builder| {
        let reference = builder.linux().context("the Linux reference cannot be made")?;
        Ok(Linux {
            kernel: reference.kernel,
            initramfs: reference.initramfs,
            disk: reference.disk,
            // The last console is the one that init talks to.
            command_line: "root=/dev/vda rw console=tty0 console=ttyS0,115200 loglevel=4".into(),
        })
    })
}

/// Tells whoever runs `./gos` what happens.
pub fn report() -> Report {
    Report::new(|event| match event {
        Event::Step(text) => eprintln!("gos: {text}"),
        Event::Notice(text) => eprintln!("gos: note: {text}"),
    })
}

fn with_builder<T>(project: &Project, edition: &str, make: impl FnOnce(&Builder<'_>) -> Result<T>) -> Result<T> {
    let contents = Contents::load(&project.root, edition)?;
    let programs = programs(project, &contents)?;
    with_builder_of(project, &contents, project.build().join(edition), programs, make)
}

/// Has `make` build of these contents, with these programs, in the folder `out`, which is locked meanwhile.
pub fn with_builder_of<T>(
    project: &Project,
    contents: &Contents,
    out: PathBuf,
    programs: BTreeMap<String, PathBuf>,
    make: impl FnOnce(&Builder<'_>) -> Result<T>,
) -> Result<T> {
    let report = report();
    let _lock = project.lock_images(&out)?;
    let builder = Builder {
        project: contents,
        out,
        cache: project.cache.clone(),
        missing: default_missing(),
        programs: programs.clone(),
        static_programs: programs,
        report: &report,
    };
    make(&builder)
}

/// Builds the programs of the recipes, and gives the copies by binary name.
pub fn programs(project: &Project, contents: &Contents) -> Result<BTreeMap<String, PathBuf>> {
    let targets = [Target::Root, Target::Initfs, Target::Initramfs, Target::Live];
    let wanted = |linkage: Linkage| -> BTreeSet<String> {
        let programs = targets.iter().flat_map(|target| contents.programs(*target));
        programs.filter(|program| program.linkage == linkage).map(|program| program.package.clone()).collect()
    };
    let mut programs = cargo::build_static(project, &wanted(Linkage::Static), &project.build().join("programs"))?;
    programs.extend(cargo::build_dynamic(project, &wanted(Linkage::Dynamic), &project.build().join("programs"))?);
    Ok(programs)
}
