//! Parts of `/sys` that are views of the kernel: CPUs and ACPI tables. The rest is in `devices`.

use alloc::format;
use alloc::vec::Vec;

use super::node::{Text, fixed};
use crate::error::*;
use crate::fs::{FileType, InodeRef};
use crate::scheme::pseudo::{Bytes, Dir, Entries, attr, ino};

const FILE: FileType = FileType::Regular;
const DIR: FileType = FileType::Directory;

/// `/sys/firmware`.
pub fn firmware() -> InodeRef {
    fixed(&[("acpi", DIR, || fixed(&[("tables", DIR, || Dir::of(AcpiTables, 8))]))])
}

/// `/sys/devices/system`.
pub fn system() -> InodeRef {
    fixed(&[("cpu", DIR, || Dir::of(Cpus, 7)), ("node", DIR, || fixed(&[]))])
}

struct AcpiTables;

impl Entries for AcpiTables {
    fn find(&self, name: &[u8]) -> Result<InodeRef> {
        let signature = core::str::from_utf8(name).map_err(|_| ENOENT)?;
        let bytes = frame::phys::acpi_table(signature).ok_or(ENOENT)?;
        Ok(alloc::sync::Arc::new(Bytes { bytes, attr: attr(FILE, 0o400, ino(name)) }))
    }

    fn list(&self) -> Vec<(Vec<u8>, FileType)> {
        let mut names: Vec<(Vec<u8>, FileType)> = Vec::new();
        for (signature, _) in frame::phys::acpi_tables() {
            let name = signature.as_bytes().to_vec();
            if !names.iter().any(|(n, _)| *n == name) {
                names.push((name, FILE));
            }
        }
        names
    }
}

struct Cpus;

fn range() -> Vec<u8> {
    match frame::cpu::count() {
        1 => b"0\n".to_vec(),
        n => format!("0-{}\n", n - 1).into_bytes(),
    }
}

const RANGES: [&str; 3] = ["online", "present", "possible"];

impl Entries for Cpus {
    fn find(&self, name: &[u8]) -> Result<InodeRef> {
        let text = core::str::from_utf8(name).map_err(|_| ENOENT)?;
        if RANGES.contains(&text) {
            return Ok(Text::new(range));
        }
        match text {
            "offline" => return Ok(Text::new(|| b"\n".to_vec())),
            "kernel_max" => return Ok(Text::new(|| format!("{}\n", frame::cpu::MAX_CPUS - 1).into_bytes())),
            _ => {}
        }
        let number: usize = text.strip_prefix("cpu").and_then(|n| n.parse().ok()).ok_or(ENOENT)?;
        if number < frame::cpu::count() { Ok(Dir::of(Cpu(number), 100 + number as u64)) } else { Err(ENOENT) }
    }

    fn list(&self) -> Vec<(Vec<u8>, FileType)> {
        let mut names: Vec<(Vec<u8>, FileType)> =
            (0..frame::cpu::count()).map(|n| (format!("cpu{n}").into_bytes(), DIR)).collect();
        names.extend(RANGES.iter().chain(&["offline", "kernel_max"]).map(|n| (n.as_bytes().to_vec(), FILE)));
        names
    }
}

struct Cpu(usize);

impl Entries for Cpu {
    fn find(&self, name: &[u8]) -> Result<InodeRef> {
        match name {
            b"online" => Ok(Text::new(|| b"1\n".to_vec())),
            b"topology" => Ok(Dir::of(Topology(self.0), 200 + self.0 as u64)),
            _ => Err(ENOENT),
        }
    }

    fn list(&self) -> Vec<(Vec<u8>, FileType)> {
        alloc::vec![(b"online".to_vec(), FILE), (b"topology".to_vec(), DIR)]
    }
}

struct Topology(usize);

const TOPOLOGY: [&str; 6] = ["core_id", "physical_package_id", "core_siblings", "thread_siblings", "core_siblings_list", "thread_siblings_list"];

impl Entries for Topology {
    fn find(&self, name: &[u8]) -> Result<InodeRef> {
        let cpu = self.0;
        let text = core::str::from_utf8(name).map_err(|_| ENOENT)?;
        let line = match text {
            "core_id" => format!("0\n"),
            "physical_package_id" | "core_siblings_list" | "thread_siblings_list" => format!("{cpu}\n"),
            "core_siblings" | "thread_siblings" => format!("{:x}\n", 1u64 << cpu),
            _ => return Err(ENOENT),
        };
        Ok(Text::new(move || line.clone().into_bytes()))
    }

    fn list(&self) -> Vec<(Vec<u8>, FileType)> {
        TOPOLOGY.iter().map(|n| (n.as_bytes().to_vec(), FILE)).collect()
    }
}
