//! Files that were edited lately.

use std::path::{Path, PathBuf};

/// So many are remembered.
const MOST: usize = 20;

fn list() -> Option<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME").filter(|it| !it.is_empty()).map(PathBuf::from);
    Some(state.or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".local/state")))?.join("genai/editor-recent"))
}

/// The last ones that are still there, the latest first.
pub fn files() -> Vec<PathBuf> {
    let text = list().and_then(|it| std::fs::read_to_string(it).ok()).unwrap_or_default();
    text.lines().map(PathBuf::from).filter(|it| it.is_file()).take(MOST).collect()
}

/// Remembers one. Where that is not possible it is forgotten: nothing depends on it.
pub fn add(path: &Path) {
    // A line is a path: those with line feeds are not remembered.
    let (Some(list), Some(text)) = (list(), path.to_str().filter(|it| !it.contains('\n'))) else { return };
    let all = std::iter::once(text.to_owned()).chain(files().into_iter().filter(|it| it != path).map(|it| it.to_string_lossy().into_owned()));
    let all: Vec<String> = all.take(MOST).collect();
    if let Some(folder) = list.parent() {
        let _ = std::fs::create_dir_all(folder);
    }
    let _ = std::fs::write(list, all.join("\n") + "\n");
}
