//! Names in a tree.

use std::fs;
use std::path::Path;

use crate::entry::Entry;

/// Tells of everything below a folder whose name holds `words`, without regard to case, folder by folder. Ends when `tell` says so. Links are
/// not followed, and what cannot be read is left out.
pub fn search(folder: &Path, words: &str, tell: &mut dyn FnMut(Entry) -> std::ops::ControlFlow<()>) {
    let words = words.to_lowercase();
    let mut folders = std::collections::VecDeque::from([folder.to_owned()]);
    while let Some(folder) = folders.pop_front() {
        for it in fs::read_dir(&folder).into_iter().flatten().flatten() {
            if it.file_type().is_ok_and(|it| it.is_dir()) {
                folders.push_back(it.path());
            }
            if it.file_name().to_string_lossy().to_lowercase().contains(&words)
                && let Ok(entry) = Entry::of(&it.path())
                && tell(entry).is_break()
            {
                return;
            }
        }
    }
}
