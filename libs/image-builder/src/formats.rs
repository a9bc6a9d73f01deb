//! The disk for other emulators, by `qemu-img`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::build::Builder;
use crate::error::Result;
use crate::host::{self, Key};

/// A format of disk images beside the raw one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// QEMU's, compressed.
    Qcow2,
    /// VMware's.
    Vmdk,
    /// VirtualBox's.
    Vdi,
}

impl Format {
    /// All of them.
    pub const ALL: [Format; 3] = [Format::Qcow2, Format::Vmdk, Format::Vdi];

    /// Its name, which is the file's extension too.
    pub fn name(self) -> &'static str {
        match self {
            Format::Qcow2 => "qcow2",
            Format::Vmdk => "vmdk",
            Format::Vdi => "vdi",
        }
    }

    fn options(self) -> &'static [&'static str] {
        match self {
            Format::Qcow2 => &["-c", "-o", "compression_type=zstd"],
            // What VMware's and VirtualBox's importers read; compressed.
            Format::Vmdk => &["-o", "subformat=streamOptimized"],
            Format::Vdi => &[],
        }
    }
}

impl Builder<'_> {
    /// Makes `disk.qcow2` and the like of a raw disk image.
    pub fn convert(&self, disk: &Path, format: Format) -> Result<PathBuf> {
        let output = disk.with_extension(format.name());
        let mut key = Key::new("format 1");
        key.add(format.name()).add_file(disk)?;
        host::make_once(&output, &key.finish(), |temporary| {
            self.report.step(format!("writing {}", output.display()));
            let mut command = Command::new("qemu-img");
            command.args(["convert", "-f", "raw", "-O", format.name()]).args(format.options()).arg(disk).arg(temporary);
            host::run(&mut command).map(drop)
        })?;
        Ok(output)
    }
}
