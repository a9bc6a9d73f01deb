//! The writing. Until the first write the disk is as it was; from then on its first sector is the mark of an unfinished installation, and it has no
//! partition table; the real first sector is the last thing that is written.

use crate::error::{Error, IoContext, Result};
use crate::marker;
use crate::plan::Plan;
use crate::progress::{Event, Step};
use crate::source::{BootParts, options_for};
use crate::users::{set_text, text_of};
use crate::window::Window;
use image_builder::disk::{Layout, fat};
use image_builder::grub;
use image_builder::redoxfs::{self, Options};
use image_builder::table::{Identifiers, table};
use image_builder::tree::Tree;
use redoxfsd::cache::CachedDisk;
use redoxfsd::device::Device;

/// Bytes written at once.
const CHUNK: usize = 1 << 20;
/// Sectors at either end of a disk that hold partition tables.
const TABLE_SECTORS: u64 = 34;

/// Installs `system`, with boot parts of its own, as planned.
///
/// # Errors
/// [`Error::Interrupted`] once something has been written: the disk is marked then. Any other error leaves the disk as it was.
pub fn install<D: Device>(
    device: &mut D,
    plan: &Plan,
    mut parts: BootParts,
    system: &Tree,
    identifiers: Identifiers,
    tell: &mut dyn FnMut(Event),
) -> Result<()> {
    let bytes = device.size().on(|| "ask the disk for its size".into())?;
    if bytes != plan.disk.bytes {
        return Err(Error::Disk(format!("the disk has {bytes} bytes, the plan is for one of {}", plan.disk.bytes)));
    }
    // All that can fail without the disk comes first.
    let layout = plan.layout;
    const OPTIONS: &str = "boot/grub/options.cfg";
    let options = options_for(&text_of(&parts.esp, OPTIONS)?, &identifiers.root())?;
    set_text(&mut parts.esp, OPTIONS, options)?;
    let esp = fat(&parts.esp, layout.esp.1)?;
    parts.esp = Tree::default();
    let core_sector = layout.bios.0 / grub::SECTOR;
    grub::install_block_list(&mut parts.core, core_sector)?;
    let mut runs = table(bytes, layout, identifiers)?;
    if let Some(first) = runs.last_mut().filter(|run| run.offset == 0 && run.bytes.len() == marker::SECTOR) {
        let mut sector = [0; marker::SECTOR];
        sector.copy_from_slice(&first.bytes);
        grub::install_boot_sector(&mut sector, &parts.sector, core_sector)?;
        first.bytes.copy_from_slice(&sector);
    }
    let mut work = || {
        tell(Event::Step { step: Step::Mark });
        mark(device, bytes)?;
        tell(Event::Step { step: Step::Root });
        write_root(device, layout, system, plan, tell)?;
        tell(Event::Step { step: Step::Boot });
        write(device, layout.bios.0, &parts.core, "GRUB")?;
        write(device, layout.esp.0, &esp, "the EFI system partition")?;
        flush(device)?;
        tell(Event::Step { step: Step::Table });
        for run in &runs {
            write(device, run.offset, &run.bytes, "the partition table")?;
            flush(device)?;
        }
        Ok(())
    };
    work().map_err(|error| Error::Interrupted(Box::new(error)))?;
    tell(Event::Done);
    Ok(())
}

fn flush<D: Device>(device: &mut D) -> Result<()> {
    device.flush().on(|| "flush the disk".into())
}

fn write<D: Device>(device: &mut D, start: u64, bytes: &[u8], what: &str) -> Result<()> {
    for (number, chunk) in bytes.chunks(CHUNK).enumerate() {
        device.write_at(start + (number * CHUNK) as u64, chunk).on(|| format!("write {what}"))?;
    }
    Ok(())
}

/// The mark first: whatever comes between it and the end of the old tables is a marked disk already.
fn mark<D: Device>(device: &mut D, bytes: u64) -> Result<()> {
    write(device, 0, &marker::sector(), "the mark")?;
    flush(device)?;
    let zeroes = vec![0; (TABLE_SECTORS * grub::SECTOR) as usize];
    write(device, grub::SECTOR, &zeroes[marker::SECTOR..], "over the old partition table")?;
    let end = bytes - bytes % grub::SECTOR;
    write(device, end - zeroes.len() as u64, &zeroes, "over the old partition table")?;
    flush(device)
}

fn write_root<D: Device>(device: &mut D, layout: Layout, system: &Tree, plan: &Plan, tell: &mut dyn FnMut(Event)) -> Result<()> {
    let (start, len) = layout.root;
    // An older filesystem's headers would count as newer than the new one's.
    let ring = (::redoxfsd::BLOCK * 256) as u64;
    write(device, start, &vec![0; ring.min(len) as usize], "over the old filesystem")?;
    let time = system.iter().map(|(_, entry)| entry.mtime).max().unwrap_or_default();
    let mut disk = CachedDisk::new(Window { device, start, len }).on(|| "ask the disk for its size".into())?;
    // Each header is written between two flushes.
    disk.set_ring(0, u64::MAX);
    let total = plan.entries;
    let mut progress = |done: usize| tell(Event::Progress { done, total });
    redoxfs::create(disk, system, Options { time, password: plan.disk_password(), progress: Some(&mut progress) })?;
    Ok(())
}
