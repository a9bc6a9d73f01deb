//! `/scheme/acpi/<SIGNATURE>`: the firmware's ACPI tables, also shown in `/sys/firmware/acpi/tables`.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::pseudo::{self, Bytes, Dir, Entries};
use crate::error::*;
use crate::fs::{FileType, InodeRef};

struct Tables;

/// The table with a signature, as a read-only file for root.
fn table(signature: &[u8]) -> Option<InodeRef> {
    let signature = core::str::from_utf8(signature).ok()?;
    let bytes = frame::phys::acpi_table(signature)?;
    Some(Arc::new(Bytes { bytes, attr: pseudo::attr(FileType::Regular, 0o400, pseudo::ino(signature.as_bytes())) }))
}

impl Entries for Tables {
    fn find(&self, name: &[u8]) -> Result<InodeRef> {
        table(name).ok_or(ENOENT)
    }

    fn list(&self) -> Vec<(Vec<u8>, FileType)> {
        let mut names: Vec<Vec<u8>> = frame::phys::acpi_tables().iter().map(|(name, _)| name.as_bytes().to_vec()).collect();
        names.sort_unstable();
        names.dedup();
        names.into_iter().map(|name| (name, FileType::Regular)).collect()
    }
}

/// The directory of all tables.
pub fn root() -> InodeRef {
    Dir::of(Tables, pseudo::ino(b"acpi"))
}
