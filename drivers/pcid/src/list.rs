//! `pcid --list`: the functions of a running system.

use crate::names;
use anyhow::{Context, bail};
use driver::address::PciAddress;
use driver::config::{self, ConfigFile, ConfigSpace};
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

/// A running pcid, and Linux's own view.
const ROOTS: [&str; 2] = [driver::pci::PCI_ROOT, "/sys/bus/pci/devices"];

/// Writes one line for each function, as `lspci -n` begins it.
pub fn print(out: &mut dyn Write) -> anyhow::Result<()> {
    let Some(root) = ROOTS.into_iter().find(|root| Path::new(root).is_dir()) else {
        bail!(
            "no PCI functions to list: neither {} nor {} is there",
            ROOTS[0],
            ROOTS[1]
        );
    };
    let mut addresses: Vec<PciAddress> = fs::read_dir(root)
        .with_context(|| format!("listing {root}"))?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    addresses.sort();
    for address in addresses {
        let path = format!("{root}/{address}/config");
        let config = ConfigFile(File::open(&path).with_context(|| format!("opening {path}"))?);
        let read = || -> std::io::Result<String> {
            let word = config.read32(config::REVISION)?.to_le_bytes();
            let class = [word[3], word[2], word[1]];
            Ok(names::describe(
                config.read16(config::VENDOR_ID)?,
                config.read16(config::DEVICE_ID)?,
                class,
            ))
        };
        writeln!(
            out,
            "{address} {}",
            read().with_context(|| format!("reading {path}"))?
        )?;
    }
    Ok(())
}
