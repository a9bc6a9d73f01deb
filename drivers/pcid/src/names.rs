//! Short names for logs and `--list`. Not a database: only what helps to read a virtual machine's log.

/// What a class code means (PCI Code and ID Assignment Specification).
pub fn class_name(class: [u8; 3]) -> &'static str {
    match (class[0], class[1]) {
        (0x01, 0x00) => "SCSI controller",
        (0x01, 0x01) => "IDE interface",
        (0x01, 0x06) => "SATA controller",
        (0x01, 0x08) => "NVMe controller",
        (0x01, _) => "mass storage controller",
        (0x02, 0x00) => "Ethernet controller",
        (0x02, _) => "network controller",
        (0x03, 0x00) => "VGA controller",
        (0x03, _) => "display controller",
        (0x04, _) => "multimedia device",
        (0x05, _) => "memory controller",
        (0x06, 0x00) => "host bridge",
        (0x06, 0x01) => "ISA bridge",
        (0x06, 0x04) => "PCI bridge",
        (0x06, _) => "bridge",
        (0x07, _) => "communication controller",
        (0x09, _) => "input device",
        (0x0c, 0x03) => "USB controller",
        (0x0c, 0x05) => "SMBus",
        (0x0c, _) => "serial bus controller",
        (0xff, _) => "unclassified device",
        _ => "device",
    }
}

/// Vendors met in virtual machines.
pub fn vendor_name(vendor: u16) -> Option<&'static str> {
    Some(match vendor {
        0x1002 => "AMD/ATI",
        0x1022 => "AMD",
        0x10de => "NVIDIA",
        0x10ec => "Realtek",
        0x1234 => "QEMU",
        0x144d => "Samsung",
        0x15ad => "VMware",
        0x1af4 => "Virtio",
        0x1b36 => "Red Hat/QEMU",
        0x8086 => "Intel",
        _ => return None,
    })
}

/// One line about a function: what it is, its vendor's name where known, vendor and device ID.
pub fn describe(vendor: u16, device: u16, class: [u8; 3]) -> String {
    let name = vendor_name(vendor)
        .map(|name| format!(" ({name})"))
        .unwrap_or_default();
    format!(
        "{:02x}{:02x}: {vendor:04x}:{device:04x} {}{name}",
        class[0],
        class[1],
        class_name(class)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_starts_like_lspci_n() {
        assert_eq!(
            describe(0x1af4, 0x1042, [1, 0, 0]),
            "0100: 1af4:1042 SCSI controller (Virtio)"
        );
        assert_eq!(describe(0x9999, 1, [0x42, 0, 0]), "4200: 9999:0001 device");
    }
}
