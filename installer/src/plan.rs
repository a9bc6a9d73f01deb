//! What an installation will do: made from answers, the disk and the system, before anything is written.

use crate::answers::{Answers, Console};
use crate::disks::Disk;
use crate::error::{Error, Result};
use image_builder::disk::Layout;
use image_builder::recipe::DiskSizes;
use image_builder::tree::{Kind, Tree};
use std::fmt;

const MIB: u64 = 1 << 20;
/// The EFI system partition, in MiB: as large as an image's.
const ESP_MIB: u64 = 96;
/// What each entry takes besides its content, and what the filesystem itself does.
const ENTRY_BYTES: u64 = 8 << 10;
const SPARE_BYTES: u64 = 32 << 20;

/// A plan.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where to.
    pub disk: Disk,
    /// Where the partitions will be.
    pub layout: Layout,
    /// Bytes of the system's files.
    pub content_bytes: u64,
    /// Files, directories and links.
    pub entries: usize,
    answers: Answers,
}

impl Plan {
    /// Checks answers, disk and system, and tells what will be done. `esp_bytes` is what the boot files have.
    ///
    /// # Errors
    /// [`Error::Answers`] with all that is wrong with the answers, [`Error::Disk`] where the disk is in use or too small.
    pub fn new(answers: &Answers, disk: Disk, system: &Tree, esp: &Tree) -> Result<Self> {
        answers.check(system)?;
        if let Some(reason) = &disk.unusable {
            return Err(Error::Disk(format!("{}: {reason}", disk.path.display())));
        }
        let content_bytes = bytes_of(system)?;
        let esp_bytes = bytes_of(esp)?;
        if esp_bytes > (ESP_MIB - 4) * MIB {
            return Err(Error::Source(format!("its boot files have {} MiB, the partition for them {ESP_MIB}", esp_bytes / MIB)));
        }
        let needed = (content_bytes + system.len() as u64 * ENTRY_BYTES + SPARE_BYTES).max(64 * MIB);
        let size_mib = disk.bytes / MIB;
        let needed_mib = needed.div_ceil(MIB) + ESP_MIB + 3;
        if size_mib < needed_mib {
            return Err(Error::Disk(format!("{} has {size_mib} MiB, the system needs {needed_mib}", disk.path.display())));
        }
        let layout = Layout::new(DiskSizes { size_mib, esp_mib: ESP_MIB })?;
        Ok(Self { disk, layout, content_bytes, entries: system.len(), answers: answers.clone() })
    }

    /// What the root filesystem is encrypted with, if it is to be.
    pub fn disk_password(&self) -> Option<&[u8]> {
        self.answers.disk_password.as_ref().map(String::as_bytes)
    }

    /// Whether the answers say that this very disk may be erased.
    ///
    /// # Errors
    /// [`Error::Answers`] where they do not, with what they would have to say.
    pub fn confirm(&self) -> Result<()> {
        let id = &self.disk.id;
        match &self.answers.erase {
            Some(erase) if erase == id => Ok(()),
            Some(erase) => Err(Error::Answers(vec![format!("erase = {erase:?} is not this disk, which is {id:?}")])),
            None => Err(Error::Answers(vec![format!("everything on {} would be erased: say so by erase = {id:?}", self.disk.path.display())])),
        }
    }
}

fn bytes_of(tree: &Tree) -> Result<u64> {
    let mut bytes = 0;
    for (_, entry) in tree.iter() {
        if let Kind::File(content) = &entry.kind {
            bytes += content.len()?;
        }
    }
    Ok(bytes)
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Plan { disk, layout, answers, .. } = self;
        let model = if disk.model.is_empty() { String::new() } else { format!(", {}", disk.model) };
        writeln!(f, "Disk      {} ({}{model})", disk.path.display(), disk.id)?;
        writeln!(f, "Erased    {}", disk.content)?;
        for (number, name, (start, len)) in [(1, "GRUB for BIOS", layout.bios), (2, "EFI system partition", layout.esp), (3, "RedoxFS, the root", layout.root)] {
            writeln!(f, "Part {number}    {name}, {} MiB from MiB {} on", len / MIB, start / MIB)?;
        }
        writeln!(f, "Encrypted {}", if answers.disk_password.is_some() { "yes: the password is asked for at each start" } else { "no" })?;
        writeln!(f, "System    {} MiB in {} entries", self.content_bytes.div_ceil(MIB), self.entries)?;
        writeln!(f, "Name      {}", answers.hostname)?;
        writeln!(f, "Time      {}", answers.timezone)?;
        writeln!(f, "Keyboard  {}", answers.keyboard)?;
        let console = match answers.console {
            Console::Login => "log-in on text consoles",
            Console::Shell => "a shell of root's on text consoles",
        };
        writeln!(f, "Console   {console}")?;
        let has_root = answers.root_password.is_some() || answers.root_password_hash.is_some();
        writeln!(f, "Root      {}", if has_root { "with a password" } else { "cannot log in" })?;
        for user in &answers.users {
            let full = if user.full_name.is_empty() { String::new() } else { format!(", {}", user.full_name) };
            let role = if user.administrator { ", administrator" } else { "" };
            let locked = if user.password.is_none() && user.password_hash.is_none() { ", cannot log in" } else { "" };
            writeln!(f, "User      {}{full}{role}{locked}", user.name)?;
        }
        Ok(())
    }
}
