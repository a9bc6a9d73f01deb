//! Makes GenAI OS's images from the command line; `./gos` calls the library instead.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use image_builder::build::{self, BootOptions, Builder};
use image_builder::debian::fetch::{self, Missing};
use image_builder::recipe::{self, Project};
use image_builder::{Report, redoxfs};

/// Makes GenAI OS's images: disk, initfs, boot ISO, and the Linux reference.
#[derive(Parser)]
struct Cli {
    /// The repository's folder.
    #[arg(long, default_value = ".")]
    root: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Renews recipes/lock.toml: all packages at the archive's current versions.
    Lock,
    /// Makes disk.img with GRUB, the kernel and the initfs.
    Disk(Make),
    /// Makes initfs.cpio.
    Initfs(Make),
    /// Makes boot.iso, which boots the kernel and the initfs by BIOS and UEFI.
    Iso(Make),
    /// Makes what `--kernel linux` boots: Debian's kernel, an initramfs, and the root as ext4.
    Linux(Make),
    /// Lists what is in the RedoxFS of a disk image, verifying all checksums.
    List {
        /// The image.
        image: PathBuf,
    },
}

#[derive(Args)]
struct Make {
    /// The edition.
    #[arg(long, default_value = "desktop")]
    edition: String,
    /// The folder for what is made [default: build/EDITION].
    #[arg(long)]
    out: Option<PathBuf>,
    /// The kernel's ELF.
    #[arg(long, default_value = "kernel.elf")]
    kernel: PathBuf,
    /// Folder of the built programs for the root.
    #[arg(long)]
    programs: Option<PathBuf>,
    /// Folder of the built static programs for initfs and initramfs.
    #[arg(long)]
    static_programs: Option<PathBuf>,
    /// Fail where a locked package version is gone [also: GOS_STRICT=1].
    #[arg(long)]
    strict: bool,
    /// Seconds of the boot menu.
    #[arg(long, default_value_t = BootOptions::default().timeout_s)]
    timeout: u32,
    /// The boot menu's default entry.
    #[arg(long, default_value_t = BootOptions::default().default_entry)]
    entry: String,
    /// More boot parameters.
    #[arg(long, default_value = "")]
    cmdline: String,
}

impl Make {
    fn run<T>(
        &self,
        root: &std::path::Path,
        make: impl FnOnce(&Builder<'_>, &BootOptions) -> image_builder::Result<T>,
    ) -> Result<T> {
        let project = Project::load(root, &self.edition)?;
        let report = Report::stderr();
        let builder = Builder {
            project: &project,
            out: self
                .out
                .clone()
                .unwrap_or_else(|| root.join("build").join(&self.edition)),
            cache: build::default_cache(),
            missing: if self.strict {
                Missing::Fail
            } else {
                build::default_missing()
            },
            programs: programs_in(self.programs.as_deref())?,
            static_programs: programs_in(self.static_programs.as_deref())?,
            report: &report,
        };
        let boot = BootOptions {
            timeout_s: self.timeout,
            default_entry: self.entry.clone(),
            cmdline: self.cmdline.clone(),
        };
        Ok(make(&builder, &boot)?)
    }
}

/// The files of a folder by name.
fn programs_in(folder: Option<&std::path::Path>) -> Result<BTreeMap<String, PathBuf>> {
    let Some(folder) = folder else {
        return Ok(BTreeMap::new());
    };
    let mut found = BTreeMap::new();
    for entry in
        std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?
    {
        let entry = entry?;
        if entry.path().is_file() {
            found.insert(
                entry.file_name().to_string_lossy().into_owned(),
                entry.path(),
            );
        }
    }
    Ok(found)
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    let start = Instant::now();
    match &cli.command {
        Command::Lock => {
            let (names, excluded) = recipe::all_debian_packages(&cli.root)?;
            let lock = fetch::renew(&names, &excluded, &Report::stderr())?;
            let path = cli.root.join("recipes/lock.toml");
            lock.write(&path)?;
            println!("{}: {} packages", path.display(), lock.iter().count());
        }
        Command::Disk(make) => println!(
            "{}",
            make.run(&cli.root, |builder, boot| builder.disk(&make.kernel, boot))?
                .display()
        ),
        Command::Initfs(make) => println!(
            "{}",
            make.run(&cli.root, |builder, _| builder.initfs())?
                .display()
        ),
        Command::Iso(make) => println!(
            "{}",
            make.run(&cli.root, |builder, boot| builder.iso(&make.kernel, boot))?
                .display()
        ),
        Command::Linux(make) => {
            let made = make.run(&cli.root, |builder, _| builder.linux())?;
            for path in [made.kernel, made.initramfs, made.disk] {
                println!("{}", path.display());
            }
        }
        Command::List { image } => {
            let tree = redoxfs::read(image_builder::disk::open_root(image)?, Some(0))?;
            for (path, entry) in tree.iter() {
                println!(
                    "{:04o} {:>5}:{:<5} /{path}",
                    entry.mode, entry.uid, entry.gid
                );
            }
        }
    }
    eprintln!("  done in {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}
