//! Places that people go to.

use std::path::{Path, PathBuf};

use file_operations::trash::Trash;

/// What is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A folder.
    Folder(PathBuf),
    /// What was thrown away.
    Trash,
}

/// The user's home.
pub fn home() -> PathBuf {
    std::env::var_os("HOME").map_or_else(|| PathBuf::from("/"), PathBuf::from)
}

/// The user's own trash.
pub fn trash() -> Trash {
    Trash::home()
}

/// What somebody types for a folder: `~` is the home.
pub fn typed(words: &str) -> PathBuf {
    match words.trim().strip_prefix('~') {
        Some("") => home(),
        Some(rest) if rest.starts_with('/') => home().join(rest.trim_start_matches('/')),
        _ => Path::new("/").join(words.trim()),
    }
}

/// Places with their names: home, the folders in it that have a use by the XDG user directories' common names, the system, the trash.
pub fn all() -> Vec<(String, Place)> {
    const USUAL: [&str; 6] = ["Desktop", "Documents", "Downloads", "Music", "Pictures", "Videos"];
    let home = home();
    let usual = USUAL.iter().map(|name| (*name, home.join(name))).filter(|(_, path)| path.is_dir());
    let mut places = vec![("Home".to_owned(), Place::Folder(home.clone()))];
    places.extend(usual.map(|(name, path)| (name.to_owned(), Place::Folder(path))));
    places.push(("System".to_owned(), Place::Folder(PathBuf::from("/"))));
    places.push(("Trash".to_owned(), Place::Trash));
    places
}

/// The folders that lead to one, with their names: the home stands for all above it.
pub fn crumbs(folder: &Path) -> Vec<(String, PathBuf)> {
    let home = home();
    let mut crumbs: Vec<(String, PathBuf)> = Vec::new();
    for it in folder.ancestors() {
        if it == home && home != Path::new("/") {
            crumbs.push(("Home".to_owned(), it.to_owned()));
            break;
        }
        let name = it.file_name().map_or_else(|| "System".to_owned(), |it| it.to_string_lossy().into_owned());
        crumbs.push((name, it.to_owned()));
    }
    crumbs.reverse();
    crumbs
}
