//! What is told while an installation goes on.

use serde::Serialize;

/// A step of an installation, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// The old partition table goes, the mark comes.
    Mark,
    /// The root filesystem, which takes nearly all of the time.
    Root,
    /// The boot loader for BIOS, and the EFI system partition.
    Boot,
    /// The partition table and the first sector: from here on the disk starts.
    Table,
}

impl Step {
    /// What a person reads.
    pub fn text(self) -> &'static str {
        match self {
            Step::Mark => "Marking the disk as unfinished",
            Step::Root => "Copying the system",
            Step::Boot => "Installing the boot loader",
            Step::Table => "Writing the partition table",
        }
    }
}

/// What has happened. As JSON an object with `event`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum Event {
    /// A step has begun.
    Step {
        /// Which.
        step: Step,
    },
    /// So many of the current step's entries are done.
    Progress {
        /// Entries that are done.
        done: usize,
        /// All of them.
        total: usize,
    },
    /// All is written.
    Done,
}
