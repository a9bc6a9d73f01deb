//! Which programs open a kind of files: what the user or the system has chosen (`mimeapps.list`), then who says that it can.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::app::{self, App};
use crate::mime;

/// The lists of choices, the most important first.
fn lists() -> Vec<PathBuf> {
    let home = |inside: &str| env::var_os("HOME").map(|home| Path::new(&home).join(inside));
    let own = env::var_os("XDG_CONFIG_HOME").filter(|it| !it.is_empty()).map(PathBuf::from).or_else(|| home(".config"));
    let system = env::var_os("XDG_CONFIG_DIRS").filter(|it| !it.is_empty()).unwrap_or_else(|| OsString::from("/etc/xdg"));
    let config = own.into_iter().chain(env::split_paths(&system));
    config.chain(app::directories()).map(|folder| folder.join("mimeapps.list")).collect()
}

/// The entries that a list's group names for a kind.
fn chosen(list: &str, group: &str, kind: &str) -> Vec<String> {
    let lines = list.lines().map(str::trim).skip_while(|line| line.strip_prefix('[').and_then(|it| it.strip_suffix(']')) != Some(group)).skip(1);
    lines
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split_once('='))
        .filter(|(key, _)| key.trim() == kind)
        .flat_map(|(_, value)| value.split(';'))
        .filter_map(|id| id.trim().strip_suffix(".desktop"))
        .map(str::to_owned)
        .collect()
}

/// The programs of `apps` that open a kind by these lists, the best first.
pub fn ranked<'a>(apps: &'a [App], lists: &[String], kind: &str) -> Vec<&'a App> {
    let mut found: Vec<&App> = Vec::new();
    for kind in mime::wider(kind) {
        let named = |group: &str| lists.iter().flat_map(|list| chosen(list, group, kind)).collect::<Vec<_>>();
        let removed = named("Removed Associations");
        let defaults = named("Default Applications");
        let added = named("Added Associations");
        let by_list = defaults.iter().chain(&added).filter_map(|id| apps.iter().find(|app| app.id == *id));
        let by_entry = apps.iter().filter(|app| app.mime_types.iter().any(|it| it == kind) && !removed.contains(&app.id));
        for app in by_list.chain(by_entry) {
            if !found.iter().any(|it| it.id == app.id) {
                found.push(app);
            }
        }
    }
    found
}

/// The installed programs that open a file, the best first.
pub fn with(path: &Path) -> Vec<App> {
    let apps = app::all();
    let lists: Vec<String> = lists().iter().filter_map(|it| fs::read_to_string(it).ok()).collect();
    ranked(&apps, &lists, mime::of(path)).into_iter().cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_chosen_comes_first() {
        let app = |id: &str, types: &str| App::parse(id, &format!("[Desktop Entry]\nType=Application\nName={id}\nExec={id} %f\nMimeType={types}\nNoDisplay=true")).expect("an entry");
        let apps = [app("edit", "text/plain;"), app("rusty", "text/rust;text/plain"), app("view", "image/png;image/jpeg;")];
        let ids = |lists: &[&str], kind: &str| {
            let lists: Vec<String> = lists.iter().map(|it| (*it).to_owned()).collect();
            ranked(&apps, &lists, kind).into_iter().map(|it| it.id.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(ids(&[], "text/plain"), ["edit", "rusty"]);
        assert_eq!(ids(&[], "text/rust"), ["rusty", "edit"]);
        assert_eq!(ids(&["[Default Applications]\ntext/plain=gone.desktop;rusty.desktop\n[Other]\ntext/plain=edit.desktop"], "text/plain"), ["rusty", "edit"]);
        assert_eq!(ids(&["[Removed Associations]\ntext/plain=edit.desktop;"], "text/plain"), ["rusty"]);
        assert_eq!(ids(&["[Added Associations]\nimage/gif=view.desktop"], "image/gif"), ["view"]);
        assert!(ids(&[], "audio/ogg").is_empty());
    }
}
