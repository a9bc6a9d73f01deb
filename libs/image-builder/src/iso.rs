//! `boot.iso`: a hybrid image (CD, USB stick) that boots kernel and initfs by BIOS and UEFI.
//!
//! It runs live: its initfs holds the edition's disk, compressed, and the daemon that serves it as `/scheme/disk.live`. What is written stays in memory.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::build::{BootOptions, Builder, key_of_grub_files};
use crate::error::{IoContext, Result};
use crate::host::{self, Key};
use crate::tree::Kind;

/// The root of a system that runs live.
const LIVE_ROOT: &str = "root=/scheme/disk.live/3";

impl Builder<'_> {
    /// Makes `boot.iso` around a kernel ELF.
    pub fn iso(&self, kernel: &Path, boot: &BootOptions) -> Result<PathBuf> {
        let output = self.out.join("boot.iso");
        let initfs = self.live_initfs(&self.disk(kernel, boot)?)?;
        // The parameters of a disk's menu would find whichever disk has a system.
        let boot = &BootOptions { cmdline: format!("{} {LIVE_ROOT}", boot.cmdline), ..boot.clone() };
        let files = self.boot_files(kernel, &initfs, boot)?;
        let mut key = Key::new("iso 2");
        key.add_file(kernel)?
            .add_file(&initfs)?
            .add(format!("{boot:?} {} {:?}", self.project.edition.cmdline, self.project.edition.bounds));
        key_of_grub_files(&self.project.root, &mut key)?;
        host::make_once(&output, &key.finish(), |temporary| {
            self.report.step(format!("writing {}", output.display()));
            let scratch = tempfile::tempdir().on("create", Path::new("a temporary directory"))?;
            for (path, entry) in files.iter() {
                let path = scratch.path().join(path);
                match &entry.kind {
                    Kind::Directory => fs::create_dir_all(&path).on("create", &path)?,
                    Kind::File(content) => fs::write(&path, content.read()?).on("write", &path)?,
                    Kind::Symlink(_) | Kind::HardLink(_) => {}
                }
            }
            let mut command = Command::new("grub-mkrescue");
            command.args([
                "--product-name=GenAI OS",
                "--locales=",
                "--themes=",
                "--fonts=",
            ]);
            command.arg(format!(
                "--install-modules={}",
                crate::grub::MODULES.join(" ")
            ));
            command.arg("--output").arg(temporary).arg(scratch.path());
            // For xorriso: the volume's name.
            command.args(["--", "-volid", "GENAI_OS"]);
            host::run(&mut command).map(|_| ())
        })?;
        Ok(output)
    }
}
