//! Installed programs: the desktop entries of the freedesktop.org specification.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::exec;

/// A program that can be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// The file's name without its ending.
    pub id: String,
    /// What it calls itself.
    pub name: String,
    /// What it is for.
    pub comment: String,
    /// Words that it can be found by.
    pub keywords: String,
    /// What it opens, by the names of MIME.
    pub mime_types: Vec<String>,
    /// Whether launchers show it; others only open files.
    pub is_shown: bool,
    exec: String,
    needs_terminal: bool,
}

impl App {
    /// Reads an entry; nothing where it was taken away or cannot be started.
    pub fn parse(id: &str, text: &str) -> Option<Self> {
        let mut lines = text.lines().map(str::trim).skip_while(|line| *line != "[Desktop Entry]");
        lines.next()?;
        let entries: HashMap<&str, &str> =
            lines.take_while(|line| !line.starts_with('[')).filter_map(|line| line.split_once('=')).map(|(key, value)| (key.trim(), value.trim())).collect();
        let get = |key: &str| entries.get(key).copied().unwrap_or("");
        let is = |key: &str| get(key) == "true";
        if get("Type") != "Application" || is("Hidden") || get("Exec").is_empty() || get("Name").is_empty() {
            return None;
        }
        Some(App {
            id: id.to_owned(),
            name: get("Name").to_owned(),
            comment: get("Comment").to_owned(),
            keywords: get("Keywords").to_owned(),
            mime_types: get("MimeType").split(';').map(str::trim).filter(|it| !it.is_empty()).map(str::to_owned).collect(),
            is_shown: !is("NoDisplay"),
            exec: get("Exec").to_owned(),
            needs_terminal: is("Terminal"),
        })
    }

    /// The command line for a shell, without files to open; in this terminal where it needs one.
    pub fn command(&self, terminal: &str) -> String {
        let mut out = String::new();
        let mut chars = self.exec.chars();
        while let Some(c) = chars.next() {
            if c != '%' {
                out.push(c);
                continue;
            }
            // Field codes stand for files, icons and the like; two signs for one.
            if let Some('%') = chars.next() {
                out.push('%');
            }
        }
        let out = out.trim().to_owned();
        if self.needs_terminal { format!("{terminal} -e {out}") } else { out }
    }

    /// The program and its arguments that open these files; in this terminal where it needs one.
    pub fn opening(&self, terminal: &str, files: &[&Path]) -> Vec<OsString> {
        let prefix = if self.needs_terminal { vec![terminal.into(), "-e".into()] } else { Vec::new() };
        prefix.into_iter().chain(exec::arguments(&self.exec, files)).collect()
    }
}

/// Where desktop entries are, the most important place first.
pub(crate) fn directories() -> Vec<PathBuf> {
    let home = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".local/share")));
    let system = std::env::var_os("XDG_DATA_DIRS").filter(|dirs| !dirs.is_empty()).unwrap_or_else(|| OsString::from("/usr/local/share:/usr/share"));
    home.into_iter().chain(std::env::split_paths(&system)).map(|dir| dir.join("applications")).collect()
}

/// The programs that launchers show, by name.
pub fn installed() -> Vec<App> {
    all().into_iter().filter(|app| app.is_shown).collect()
}

/// All programs that can be started, by name.
pub fn all() -> Vec<App> {
    let mut apps: HashMap<String, Option<App>> = HashMap::new();
    for entry in directories().into_iter().filter_map(|dir| fs::read_dir(dir).ok()).flatten().flatten() {
        let path = entry.path();
        if path.extension().is_none_or(|ending| ending != "desktop") {
            continue;
        }
        let id = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        // An entry in an earlier place hides one in a later, also to take it away.
        apps.entry(id.clone()).or_insert_with(|| App::parse(&id, &fs::read_to_string(&path).ok()?));
    }
    let mut apps: Vec<App> = apps.into_values().flatten().collect();
    apps.sort_by_key(|app| app.name.to_lowercase());
    apps
}

/// The programs that a text means, the best first.
pub fn search<'a>(apps: &'a [App], text: &str) -> Vec<&'a App> {
    let text = text.trim().to_lowercase();
    let rank = |app: &App| {
        let name = app.name.to_lowercase();
        let words = |of: &str| of.split(|c: char| !c.is_alphanumeric()).any(|word| word.starts_with(&text));
        Some(match () {
            () if text.is_empty() => 0,
            () if name.starts_with(&text) => 0,
            () if words(&name) => 1,
            () if app.id.to_lowercase().contains(&text) || name.contains(&text) => 2,
            () if words(&app.keywords.to_lowercase()) => 3,
            () if words(&app.comment.to_lowercase()) => 4,
            () => return None,
        })
    };
    let mut found: Vec<(u8, &App)> = apps.iter().filter_map(|app| Some((rank(app)?, app))).collect();
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().map(|(_, app)| app).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOOT: &str = "# comment\n[Desktop Entry]\nType=Application\nExec=foot %F\nTerminal=false\nKeywords=shell;prompt;command;\nName=Foot\nComment=A terminal\n[Desktop Action x]\nName=Other\n";

    #[test]
    fn entries_are_read() {
        let app = App::parse("foot", FOOT).unwrap();
        assert_eq!((app.name.as_str(), app.command("foot").as_str()), ("Foot", "foot"));
        assert!(!App::parse("x", &FOOT.replace("Type=", "NoDisplay=true\nType=")).unwrap().is_shown);
        assert!(App::parse("x", &FOOT.replace("Type=", "Hidden=true\nType=")).is_none());
        assert!(App::parse("x", "no entry").is_none());
        let htop = App::parse("htop", "[Desktop Entry]\nType=Application\nName=Htop\nExec=htop -d 10%% %u\nTerminal=true").unwrap();
        assert_eq!(htop.command("foot"), "foot -e htop -d 10%");
        assert_eq!(htop.opening("foot", &[Path::new("/a")]), ["foot", "-e", "htop", "-d", "10%", "file:///a"]);
    }

    #[test]
    fn the_best_is_found_first() {
        let app = |id: &str, name: &str, comment: &str| App { id: id.into(), name: name.into(), comment: comment.into(), keywords: String::new(), mime_types: Vec::new(), is_shown: true, exec: "x".into(), needs_terminal: false };
        let apps = [app("a", "Files", "Look at files"), app("b", "Text Editor", "Edit files"), app("c", "Profiler", "")];
        let names: Vec<&str> = search(&apps, "file").into_iter().map(|app| app.name.as_str()).collect();
        assert_eq!(names, ["Files", "Profiler", "Text Editor"]);
        assert_eq!(search(&apps, "edit")[0].name, "Text Editor");
        assert!(search(&apps, "zzz").is_empty());
    }
}
