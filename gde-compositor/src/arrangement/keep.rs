//! What was learnt, in a file: `$XDG_STATE_HOME/gde/habits.json`, else in `~/.local/state`, which only the user can read.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::thread::JoinHandle;

use gde_habits::Habits;

/// The largest file that is read: far more than there ever is.
const LARGEST: u64 = 4 << 20;

/// Where it is kept; `home` where the environment names none.
pub fn path(home: &Path) -> PathBuf {
    let of = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|it| it.is_absolute());
    let state = of("XDG_STATE_HOME").unwrap_or_else(|| of("HOME").unwrap_or_else(|| home.to_owned()).join(".local/state"));
    state.join("gde/habits.json")
}

/// With another ending.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().map_or_else(OsString::new, OsString::from);
    name.push(ending);
    path.with_file_name(name)
}

/// Reads what was learnt; nothing where there is no file. One that is not understood is put aside, and it is said.
pub fn read(path: &Path) -> Habits {
    let text = match fs::metadata(path).and_then(|it| if it.len() > LARGEST { Err(io::Error::other("it is too large")) } else { fs::read(path) }) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Habits::default(),
        Err(error) => {
            tracing::warn!("{}: {error}; it is learnt anew", path.display());
            put_aside(path);
            return Habits::default();
        }
    };
    Habits::from_json(&text).unwrap_or_else(|problem| {
        tracing::warn!("{}: {problem}; it is learnt anew", path.display());
        put_aside(path);
        Habits::default()
    })
}

fn put_aside(path: &Path) {
    let aside = beside(path, ".bad");
    match fs::rename(path, &aside) {
        Ok(()) => tracing::warn!("what was there is in {}", aside.display()),
        Err(error) => tracing::warn!("putting {} aside: {error}", path.display()),
    }
}

/// Keeps it: who reads meanwhile, or after a crash, sees the old file or the new one.
///
/// # Errors
/// Those of the disk; then the file is as before.
pub fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    let new = beside(path, ".new");
    let write = || {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        // One that was left behind may be anybody's.
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = fs::File::options().write(true).create_new(true).mode(0o600).open(&new)?;
        file.write_all(text)?;
        file.sync_all()?;
        fs::rename(&new, path)
    };
    write().inspect_err(|_| {
        // What is left of it is of no use.
        let _ = fs::remove_file(&new);
    })
}

/// Keeps it on a thread of its own: a disk may take its time. What waits is done when this goes.
#[derive(Debug)]
pub struct Keeper {
    sender: Option<Sender<Vec<u8>>>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// One for a file.
    ///
    /// # Errors
    /// Where no thread can be started.
    pub fn start(path: PathBuf) -> io::Result<Self> {
        let (sender, texts) = std::sync::mpsc::channel::<Vec<u8>>();
        let work = move || {
            while let Ok(text) = texts.recv() {
                // Only the newest matters.
                let text = texts.try_iter().last().unwrap_or(text);
                if let Err(error) = write(&path, &text) {
                    tracing::warn!("keeping {}: {error}", path.display());
                }
            }
        };
        let thread = std::thread::Builder::new().name("habits".into()).stack_size(256 << 10).spawn(work)?;
        Ok(Keeper { sender: Some(sender), thread: Some(thread) })
    }

    /// Keeps this.
    pub fn keep(&self, text: Vec<u8>) {
        if let Some(sender) = &self.sender {
            // Its thread does not end before this does.
            let _ = sender.send(text);
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.sender = None;
        if let Some(thread) = self.thread.take() {
            // It has said what went wrong.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn files_are_whole_and_private_and_bad_ones_are_put_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gde/habits.json");
        assert_eq!(read(&path), Habits::default());
        let text = Habits::default().to_json().unwrap();
        let keeper = Keeper::start(path.clone()).unwrap();
        keeper.keep(b"older".to_vec());
        keeper.keep(text.clone());
        drop(keeper);
        assert_eq!(fs::read(&path).unwrap(), text);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(&path, "nonsense").unwrap();
        assert_eq!(read(&path), Habits::default());
        assert_eq!(fs::read(folder.path().join("gde/habits.json.bad")).unwrap(), b"nonsense");
        assert!(!path.exists());
        // A disk that takes nothing changes nothing.
        fs::write(&path, &text).unwrap();
        fs::create_dir(folder.path().join("gde/habits.json.new")).unwrap();
        assert!(write(&path, b"other").is_err());
        assert_eq!(fs::read(&path).unwrap(), text);
    }
}
