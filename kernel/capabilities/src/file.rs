//! The capabilities of a file: the extended attribute `security.capability`, `struct vfs_cap_data`.

use crate::Set;

const REVISION_MASK: u32 = 0xff00_0000;
const REVISION_2: u32 = 0x0200_0000;
const REVISION_3: u32 = 0x0300_0000;
const FLAG_EFFECTIVE: u32 = 1;
const SIZE_2: usize = 20;
const SIZE_3: usize = 24;

/// What `execve(2)` adds for a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileCapabilities {
    /// Given to whoever runs it, within the bounding set.
    pub permitted: Set,
    /// Kept of the thread's inheritable set.
    pub inheritable: Set,
    /// Everything that is permitted is in effect, too.
    pub effective: bool,
    /// The user id of the namespace's root that it is for.
    root: u32,
}

fn word(bytes: &[u8], i: usize) -> u32 {
    bytes.get(i * 4..i * 4 + 4).map_or(0, |b| b.iter().rev().fold(0, |v, b| v << 8 | u32::from(*b)))
}

impl FileCapabilities {
    /// Whether the bytes have the form that can be set: revision 2, or 3 with a root's user id.
    #[must_use]
    pub fn is_valid(bytes: &[u8]) -> bool {
        matches!((bytes.len(), word(bytes, 0) & REVISION_MASK), (SIZE_2, REVISION_2) | (SIZE_3, REVISION_3))
    }

    /// Reads an attribute. `None` where it is not valid.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        if !Self::is_valid(bytes) {
            return None;
        }
        let set = |low: usize| Set::from_bits(u64::from(word(bytes, low)) | u64::from(word(bytes, low + 2)) << 32);
        Some(Self { permitted: set(1), inheritable: set(2), effective: word(bytes, 0) & FLAG_EFFECTIVE != 0, root: word(bytes, 5) })
    }

    /// Whether it counts in the one user namespace that there is.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.root == 0
    }

    /// How many bytes of an attribute `getxattr(2)` gives: one of revision 3 that is for this namespace reads as revision 2 ([`FileCapabilities::as_read`]).
    #[must_use]
    pub fn as_read(bytes: &mut [u8]) -> usize {
        if bytes.len() == SIZE_3 && Self::parse(bytes).is_some_and(|caps| caps.is_ours()) {
            let magic = REVISION_2 | word(bytes, 0) & !REVISION_MASK;
            bytes[..4].copy_from_slice(&magic.to_le_bytes());
            return SIZE_2;
        }
        bytes.len()
    }
}
