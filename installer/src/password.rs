//! Another password for the encrypted disk of an installed system.

use crate::answers::check_disk_password;
use crate::disks::{self, Disk};
use crate::error::{Error, IoContext, Result};
use crate::source::partitions_of;
use redoxfsd::device::Window;
use redoxfsd::rekey;

/// The name of the partition with the root filesystem.
const ROOT: &str = "genai-root";

/// Makes `new` the only password of an installed system's disk. What is on it stays as it is.
///
/// # Errors
/// [`Error::Answers`] where the new password is none that an installation would take, [`Error::Disk`] where the disk is in use, has no such system,
/// is not encrypted or `old` is not its password.
pub fn change(disk: &Disk, old: &str, new: &str) -> Result<()> {
    check_disk_password(new).map_err(|problem| Error::Answers(vec![problem]))?;
    let of_disk = |reason: String| Error::Disk(format!("{}: {reason}", disk.path.display()));
    let mut file = disks::open(disk)?;
    let partitions = partitions_of(&mut file).map_err(|error| of_disk(error.to_string()))?;
    let root = partitions.iter().find(|it| it.name == ROOT).ok_or_else(|| of_disk(format!("it has no partition {ROOT}")))?;
    let mut window = Window::new(file, root.start, Some(root.len)).on(|| format!("read {}", disk.path.display()))?;
    rekey::change_password(&mut window, old.as_bytes(), new.as_bytes()).map_err(|error| of_disk(format!("{error:#}")))
}
