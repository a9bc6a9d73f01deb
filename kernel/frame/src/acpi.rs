//! ACPI tables.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use frame_logic::acpi::{self, Fadt};

use crate::mm::DIRECT_MAP;
use crate::sync::Once;

type Tables = Vec<(String, &'static [u8])>;
static TABLES: Once<Tables> = Once::new();

/// Physical memory below this is in the direct map in any case.
const ALWAYS_MAPPED: u64 = 4 << 30;

/// Firmware memory.
fn memory(paddr: u64, len: usize) -> Option<&'static [u8]> {
    if paddr == 0 || paddr.checked_add(len as u64)? > ALWAYS_MAPPED {
        return None;
    }
    // SAFETY: mapped, and firmware tables do not change; they are in memory the firmware reserved, which is never handed out.
    Some(unsafe { core::slice::from_raw_parts((DIRECT_MAP + paddr) as *const u8, len) })
}

fn table(paddr: u64) -> Option<(&'static str, &'static [u8])> {
    let (name, len) = acpi::header(memory(paddr, 8)?)?;
    let data = memory(paddr, len)?;
    acpi::checksum_ok(data).then_some((name, data))
}

/// Finds the tables; without a root pointer it looks where PC firmware has it.
pub fn init(rsdp: Option<u64>) {
    TABLES.get_or_init(|| rsdp.or_else(search).and_then(read).unwrap_or_default());
}

/// The root pointer is on a 16-byte boundary in the BIOS's read-only memory.
fn search() -> Option<u64> {
    (0xe0000..0x100000).step_by(16).find(|&at| memory(at, 36).and_then(acpi::root_table).is_some())
}

fn read(rsdp: u64) -> Option<Tables> {
    let (root, entry_size) = acpi::root_table(memory(rsdp, 36)?)?;
    let (name, root) = table(root)?;
    let mut tables: Tables = [(name.to_string(), root)].into();
    for (name, data) in acpi::root_entries(root, entry_size).filter_map(table) {
        tables.push((name.to_string(), data));
        if name == "FACP" {
            let dsdt = acpi::fadt(data).and_then(|fadt| table(fadt.dsdt));
            tables.extend(dsdt.map(|(name, data)| (name.to_string(), data)));
        }
    }
    Some(tables)
}

/// All ACPI tables by signature.
pub fn acpi_tables() -> &'static [(String, &'static [u8])] {
    TABLES.get().map_or(&[], |tables| tables)
}

/// The ACPI table with a signature (`FACP`, `APIC`, `MCFG`, `DSDT`, ...), header included; the first of that name. Its checksum was verified.
pub fn acpi_table(signature: &str) -> Option<&'static [u8]> {
    acpi_tables().iter().find(|(name, _)| name == signature).map(|(_, table)| *table)
}

/// The FADT.
pub fn fadt() -> Option<Fadt> {
    acpi::fadt(acpi_table("FACP")?)
}

/// The sleep types of S5, from whichever table defines them.
pub fn s5_sleep_types() -> Option<(u8, u8)> {
    acpi_tables().iter().filter(|(name, _)| name == "DSDT" || name == "SSDT").find_map(|(_, aml)| acpi::s5_sleep_types(aml))
}
