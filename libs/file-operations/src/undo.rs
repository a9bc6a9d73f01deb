//! What was done, and how it is taken back.

use std::path::PathBuf;

use crate::error::Tried;
use crate::transfer::rename_to_free;
use crate::trash::{Item, Trash};
use crate::{Error, Result};

/// A change that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// Something new is there.
    Copied {
        /// Where.
        to: PathBuf,
    },
    /// Something is elsewhere, or has another name.
    Moved {
        /// Where it was.
        from: PathBuf,
        /// Where it is.
        to: PathBuf,
    },
    /// Things lie in the trash.
    Trashed(Vec<Item>),
}

/// Takes changes back, the last first. Nothing is lost by that: what was new goes into the trash. What could not be taken back is kept, to be
/// tried again.
///
/// # Errors
/// Beside what is left: why.
pub fn undo(mut changes: Vec<Done>) -> (Vec<Done>, Result<()>) {
    while let Some(last) = changes.pop() {
        if let Err(error) = one(&last) {
            changes.push(last);
            return (changes, Err(error));
        }
    }
    (changes, Ok(()))
}

fn one(change: &Done) -> Result<()> {
    match change {
        Done::Copied { to } => Trash::of(to)?.throw(to).map(drop),
        Done::Moved { from, to } => match rename_to_free(to, from) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Err(Error::Exists(from.clone())),
            other => other.tried("move back", to),
        },
        Done::Trashed(items) => items.iter().try_for_each(|item| item.restore().map(drop)),
    }
}
