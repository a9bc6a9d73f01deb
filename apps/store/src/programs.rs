//! The programs of an installed package, and starting them.

use desktop_entries::App;
use gpm::Gpm;
use gpm::observer::Silent;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

const TERMINAL: &str = "terminal";

/// The program that people mean by the name of a package: of those that it has for launchers, that of this title, or the first.
pub fn of(root: &Path, package: &str, title: &str) -> Option<App> {
    let gpm = Gpm::new(root, &Silent).ok()?;
    let files = gpm.database().files(package).ok()?;
    let entries = files.iter().filter(|it| it.path.starts_with("usr/share/applications/") && it.path.ends_with(".desktop"));
    let app = |path: &str| {
        let id = Path::new(path).file_stem()?.to_str()?;
        App::parse(id, &fs::read_to_string(gpm.root().join(path)).ok()?).filter(|it| it.is_shown)
    };
    let mut apps: Vec<App> = entries.filter_map(|it| app(&it.path)).collect();
    apps.sort_by_key(|it| (it.name != title, it.id.clone()));
    apps.into_iter().next()
}

/// Starts a program beside the Store.
///
/// # Errors
/// When it does not start: why, in words.
pub fn start(app: &App) -> Result<(), String> {
    let words = app.opening(TERMINAL, &[]);
    let (program, arguments) = words.split_first().ok_or_else(|| format!("{} does not say how it is started.", app.name))?;
    let started = Command::new(program).args(arguments).stdin(Stdio::null()).process_group(0).spawn();
    let mut child = started.map_err(|error| format!("{} does not start: {}: {error}.", app.name, program.display()))?;
    // Somebody has to take its exit status.
    std::thread::spawn(move || child.wait());
    Ok(())
}
