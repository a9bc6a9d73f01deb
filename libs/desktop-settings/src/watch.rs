//! Hearing of changes, by inotify(7). Nothing wakes up while nothing changes.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};

use crate::{Problem, Settings};

/// Who waits for other settings. The descriptor can be read once something may have changed.
#[derive(Debug)]
pub struct Watch {
    path: PathBuf,
    name: OsString,
    events: OwnedFd,
}

impl Watch {
    /// Watches a file of settings, which need not be there; its folder is made.
    ///
    /// # Errors
    /// Where the folder cannot be made or watched.
    pub fn new(path: &Path) -> io::Result<Self> {
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return Err(io::ErrorKind::InvalidInput.into()) };
        fs::create_dir_all(folder)?;
        let events = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        // The file itself is another one after each change.
        inotify::add_watch(&events, folder, WatchFlags::MOVED_TO | WatchFlags::CLOSE_WRITE | WatchFlags::DELETE | WatchFlags::ONLYDIR)?;
        Ok(Watch { path: path.to_owned(), name: name.to_owned(), events })
    }

    /// What the settings are now, where something has happened to the file since the last time. Does not wait.
    pub fn changed(&self) -> Option<Result<Settings, Problem>> {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = inotify::Reader::new(&self.events, &mut buffer);
        let mut is_touched = false;
        while let Ok(event) = reader.next() {
            let is_ours = event.file_name().is_some_and(|name| name.to_bytes() == self.name.as_bytes());
            // Events that were lost may have been about it.
            is_touched |= is_ours || event.events().contains(inotify::ReadFlags::QUEUE_OVERFLOW);
        }
        is_touched.then(|| Settings::read(&self.path))
    }

    /// Waits for a change.
    ///
    /// # Errors
    /// Where the kernel does not let wait.
    pub fn wait(&self) -> io::Result<Result<Settings, Problem>> {
        loop {
            match poll(&mut [PollFd::new(&self.events, PollFlags::IN)], None) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            if let Some(settings) = self.changed() {
                return Ok(settings);
            }
        }
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.events.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_heard_of() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("genai/desktop.toml");
        let watch = Watch::new(&path).expect("watched");
        assert!(watch.changed().is_none());
        fs::write(path.with_file_name("other"), "x").expect("written");
        assert!(watch.changed().is_none(), "another file is no matter");
        for percent in [80, 150] {
            let settings = Settings::change(&path, |it| it.appearance.text_percent = percent).expect("changed");
            assert_eq!(watch.wait().expect("an event").expect("settings"), settings);
        }
        fs::write(&path, "nonsense").expect("written");
        assert!(watch.wait().expect("an event").is_err());
        fs::remove_file(&path).expect("removed");
        assert_eq!(watch.wait().expect("an event").expect("settings"), Settings::default());
    }
}
