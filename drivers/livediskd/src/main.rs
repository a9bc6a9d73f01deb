//! `livediskd IMAGE NAME` serves the disk of a live medium as `/scheme/disk.NAME`, with its partitions. The image lies compressed in the initfs, in
//! memory; what is written to the disk goes to memory too, and is gone with the machine.

mod overlay;
mod serve;

use anyhow::Context;
use clap::Parser;
use live_disk::LiveDisk;
use overlay::Overlay;
use scheme::{SchemeFlags, SchemeSocket, Server};
use std::fs::File;
use std::path::PathBuf;

/// Serves a compressed disk image as /scheme/disk.NAME; writes stay in memory.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The image.
    image: PathBuf,
    /// The disk's name, like live.
    name: String,
}

fn main() -> anyhow::Result<()> {
    kernel_log::init("livediskd");
    let arguments = Arguments::parse();
    kernel_log::logged(arguments.name.clone(), run(&arguments))
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let image = File::open(&arguments.image).with_context(|| format!("opening {}", arguments.image.display()))?;
    let image = LiveDisk::open(image).with_context(|| format!("reading {}", arguments.image.display()))?;
    let bytes = image.bytes();
    let mut disk = Overlay::new(image);
    let partitions = partitions::read(&mut disk, bytes, 512).context("reading the partition table")?;
    tracing::info!("{}: {} MiB, {} partitions; what is written stays in memory", arguments.name, bytes >> 20, partitions.len());
    // Not restartable: a successor would not know what was written.
    let socket = SchemeSocket::create(&format!("disk.{}", arguments.name), SchemeFlags::BLOCK_DEVICE).context("creating the scheme")?;
    Ok(Server::new(socket)?.run(&mut serve::Live::new(disk, &partitions))?)
}
