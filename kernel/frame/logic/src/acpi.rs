//! The few ACPI tables the frame needs. Source: ACPI Specification 6.5, chapter 5.

use crate::bytes::{u8_at, u16_at, u32_at, u64_at};

/// Whether the bytes sum to 0, as all ACPI structures do.
pub fn checksum_ok(data: &[u8]) -> bool {
    data.iter().fold(0u8, |sum, &byte| sum.wrapping_add(byte)) == 0
}

/// Address of the root table and the size of its entries (4 or 8), from the first 36 bytes at the root pointer.
pub fn root_table(rsdp: &[u8]) -> Option<(u64, usize)> {
    if rsdp.get(..8)? != b"RSD PTR " || !checksum_ok(rsdp.get(..20)?) {
        return None;
    }
    match (u8_at(rsdp, 15)?, u64_at(rsdp, 24)) {
        (2.., Some(xsdt)) if xsdt != 0 => Some((xsdt, 8)),
        _ => Some((u32_at(rsdp, 16)? as u64, 4)),
    }
}

/// Signature and length of a table, from its header's first 8 bytes.
pub fn header(data: &[u8]) -> Option<(&str, usize)> {
    let name = core::str::from_utf8(data.get(..4)?).ok()?;
    let len = u32_at(data, 4)? as usize;
    (len >= 36).then_some((name, len))
}

/// The tables' addresses in the root table.
pub fn root_entries(table: &[u8], entry_size: usize) -> impl Iterator<Item = u64> + '_ {
    table.get(36..).unwrap_or(&[]).chunks_exact(entry_size).filter_map(move |entry| {
        if entry_size == 8 { u64_at(entry, 0) } else { u32_at(entry, 0).map(u64::from) }
    })
}

/// An entry of the MADT (`APIC`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MadtEntry {
    /// A processor that may be started.
    LocalApic {
        /// Its APIC id.
        id: u32,
    },
    /// An I/O APIC.
    IoApic {
        /// Physical address.
        address: u32,
        /// First global interrupt.
        base: u32,
    },
    /// An ISA interrupt that is wired unusually.
    Override {
        /// ISA interrupt.
        isa: u8,
        /// Global interrupt.
        global: u32,
        /// Polarity and trigger mode.
        flags: u16,
    },
    /// The local APICs' physical address.
    LocalApicAddress(u64),
}

/// Physical address of the local APICs by the MADT's header.
pub fn madt_apic_address(madt: &[u8]) -> Option<u32> {
    u32_at(madt, 36)
}

/// The entries of the MADT that matter here.
pub fn madt_entries(madt: &[u8]) -> impl Iterator<Item = MadtEntry> + '_ {
    let mut rest = madt.get(44..).unwrap_or(&[]);
    core::iter::from_fn(move || {
        loop {
            let len = u8_at(rest, 1)? as usize;
            if len < 2 || len > rest.len() {
                return None;
            }
            let (entry, after) = rest.split_at(len);
            rest = after;
            if let Some(known) = madt_entry(entry) {
                return Some(known);
            }
        }
    })
}

fn madt_entry(entry: &[u8]) -> Option<MadtEntry> {
    // Enabled, or (ACPI 6.3) online capable.
    const USABLE: u32 = 0b11;
    match entry[0] {
        0 if u32_at(entry, 4)? & USABLE != 0 => Some(MadtEntry::LocalApic { id: entry[3] as u32 }),
        1 => Some(MadtEntry::IoApic { address: u32_at(entry, 4)?, base: u32_at(entry, 8)? }),
        2 => Some(MadtEntry::Override { isa: u8_at(entry, 3)?, global: u32_at(entry, 4)?, flags: u16_at(entry, 8)? }),
        5 => Some(MadtEntry::LocalApicAddress(u64_at(entry, 4)?)),
        9 if u32_at(entry, 8)? & USABLE != 0 => Some(MadtEntry::LocalApic { id: u32_at(entry, 4)? }),
        _ => None,
    }
}

/// What the FADT (`FACP`) says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fadt {
    /// Physical address of the DSDT.
    pub dsdt: u64,
    /// Port of the SMI command register, 0 where there is none.
    pub smi_command: u16,
    /// What to write there to enable ACPI.
    pub acpi_enable: u8,
    /// Port of the PM1a control register.
    pub pm1a_control: u16,
    /// Port of the PM1b control register, or 0.
    pub pm1b_control: u16,
    /// Port and value that reset the machine.
    pub reset: Option<(u16, u8)>,
    /// CMOS register that holds the century, or 0.
    pub century: u8,
}

/// Reads the FADT.
pub fn fadt(table: &[u8]) -> Option<Fadt> {
    const RESET_SUPPORTED: u32 = 1 << 10;
    const IO_SPACE: u8 = 1;
    let dsdt = match u64_at(table, 140) {
        Some(address) if address != 0 => address,
        _ => u32_at(table, 40)? as u64,
    };
    let flags = u32_at(table, 112).unwrap_or(0);
    let reset = (flags & RESET_SUPPORTED != 0 && u8_at(table, 116) == Some(IO_SPACE))
        .then(|| Some((u16::try_from(u64_at(table, 120)?).ok()?, u8_at(table, 128)?)))
        .flatten();
    Some(Fadt {
        dsdt,
        smi_command: u32_at(table, 48)? as u16,
        acpi_enable: u8_at(table, 52)?,
        pm1a_control: u32_at(table, 64)? as u16,
        pm1b_control: u32_at(table, 68)? as u16,
        reset,
        century: u8_at(table, 108).unwrap_or(0),
    })
}

/// The sleep types of S5 for PM1a and PM1b, found by looking for the name `_S5_` and the package of constants after it (an AML interpreter for two
/// numbers would be out of proportion; the package is always constant).
pub fn s5_sleep_types(aml: &[u8]) -> Option<(u8, u8)> {
    const NAME_OP: u8 = 0x08;
    const PACKAGE_OP: u8 = 0x12;
    let at = aml.windows(5).position(|w| &w[..4] == b"_S5_" && w[4] == PACKAGE_OP)?;
    // Name() puts its opcode (and perhaps a root prefix) before.
    if !(aml.get(at.checked_sub(1)?) == Some(&NAME_OP) || aml.get(at.checked_sub(2)?..at)? == [NAME_OP, b'\\']) {
        return None;
    }
    let lead = u8_at(aml, at + 5)?;
    // The length takes 1 byte and as many more as its top bits say; then comes the number of elements.
    let mut cursor = at + 5 + 1 + (lead >> 6) as usize + 1;
    let mut constant = || {
        let (value, len) = match u8_at(aml, cursor)? {
            op @ (0x00 | 0x01) => (op, 1),
            0x0a => (u8_at(aml, cursor + 1)?, 2),
            0x0b => (u8_at(aml, cursor + 1)?, 3),
            0x0c => (u8_at(aml, cursor + 1)?, 5),
            _ => return None,
        };
        cursor += len;
        Some(value)
    };
    Some((constant()?, constant()?))
}

/// Physical address of the HPET's registers, from its table.
pub fn hpet_address(table: &[u8]) -> Option<u64> {
    const MEMORY_SPACE: u8 = 0;
    (u8_at(table, 40)? == MEMORY_SPACE).then(|| u64_at(table, 44)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn madt_entries_are_found_and_broken_ones_end_the_list() {
        let mut madt = vec![0u8; 44];
        madt[36..40].copy_from_slice(&0xfee0_0000u32.to_le_bytes());
        madt.extend([0, 8, 0, 3, 1, 0, 0, 0]);
        madt.extend([0, 8, 1, 4, 0, 0, 0, 0]);
        madt.extend([1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0]);
        madt.extend([2, 10, 0, 9, 9, 0, 0, 0, 0x0d, 0]);
        madt.extend([4, 6, 0xff, 0, 0, 1]);
        let want = [MadtEntry::LocalApic { id: 3 }, MadtEntry::IoApic { address: 0xfec0_0000, base: 0 }, MadtEntry::Override { isa: 9, global: 9, flags: 0x0d }];
        assert_eq!(madt_entries(&madt).collect::<Vec<_>>(), want);
        madt.extend([2, 200, 0, 0]);
        assert_eq!(madt_entries(&madt).count(), 3);
        madt.truncate(10);
        assert_eq!(madt_entries(&madt).count(), 0);
    }

    #[test]
    fn s5_is_found() {
        let aml = [b"....\x08_S4_\x12\x06\x04\x00\x00\x00\x00".as_slice(), b"\x08_S5_\x12\x06\x04\x0a\x05\x01\x00\x00"].concat();
        assert_eq!(s5_sleep_types(&aml), Some((5, 1)));
        assert_eq!(s5_sleep_types(b"\x08_S5_\x12\x06\x04"), None);
        assert_eq!(s5_sleep_types(b"_S5_\x12"), None);
        assert_eq!(s5_sleep_types(b""), None);
    }

    #[test]
    fn the_root_pointer_is_checked() {
        let mut rsdp = [0u8; 36];
        rsdp[..8].copy_from_slice(b"RSD PTR ");
        rsdp[16..20].copy_from_slice(&0x1234u32.to_le_bytes());
        assert_eq!(root_table(&rsdp), None);
        rsdp[8] = 0u8.wrapping_sub(rsdp[..20].iter().fold(0u8, |a, b| a.wrapping_add(*b)));
        assert_eq!(root_table(&rsdp), Some((0x1234, 4)));
    }
}
