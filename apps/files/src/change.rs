//! Changing what is in folders.

use file_operations::names;
use file_operations::transfer::{self, Collision, Progress, Way};
use file_operations::undo::Done;
use genai_ui::{Task, parts};
use genai_ui::runtime::clipboard;
use genai_ui::runtime::widget::operation;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::message::{Asking, Doomed, Message};
use crate::places::{self, Place};
use crate::{Files, Working, view, work};

impl Files {
    fn begin(&mut self, label: String) -> Arc<AtomicBool> {
        let cancelled: Arc<AtomicBool> = Arc::default();
        self.said = None;
        self.working = Some(Working { label, progress: Progress::default(), cancelled: Arc::clone(&cancelled) });
        cancelled
    }

    /// What is chosen is to be copied or moved; its paths go to the clipboard, where other programs can take them.
    pub(crate) fn take(&mut self, way: Way) -> Task<Message> {
        let chosen = self.chosen();
        if chosen.is_empty() || self.place == Place::Trash {
            return Task::none();
        }
        let verb = if way == Way::Copy { "copied" } else { "moved" };
        self.said = Some(format!("{} to be {verb}: paste where to.", work::items(chosen.len())));
        let text = chosen.iter().map(|it| it.to_string_lossy()).collect::<Vec<_>>().join("\n");
        (self.taken, self.was_left) = (Some((way, chosen, text.clone())), false);
        clipboard::write(text)
    }

    /// Puts here what is on the clipboard: what was taken in this window, or paths of another program's.
    pub(crate) fn paste(&mut self, text: Option<String>) -> Task<Message> {
        if self.working.is_some() || self.asking.is_some() || self.folder().is_none() {
            return Task::none();
        }
        let (way, sources) = match (&self.taken, text) {
            (Some((way, sources, own)), text) if text.as_ref().is_none_or(|text| text == own) => (*way, sources.clone()),
            (_, text) => (Way::Copy, work::paths(text.as_deref().unwrap_or_default())),
        };
        if sources.is_empty() {
            self.said = Some("The clipboard holds no files.".to_owned());
            return Task::none();
        }
        self.put(way, sources, None)
    }

    pub(crate) fn put(&mut self, way: Way, sources: Vec<PathBuf>, collision: Option<Collision>) -> Task<Message> {
        let Some(folder) = self.folder().map(Path::to_owned) else { return Task::none() };
        let is_taken = |it: &PathBuf| it.parent() != Some(&folder) && it.file_name().is_some_and(|name| folder.join(name).symlink_metadata().is_ok());
        if collision.is_none() && sources.iter().any(is_taken) {
            self.asking = Some(Asking::Collision(way, sources));
            return parts::unfocus();
        }
        if way == Way::Move {
            self.taken = None;
        }
        let label = format!("{} {}", if way == Way::Copy { "Copying" } else { "Moving" }, work::items(sources.len()));
        let cancelled = self.begin(label);
        work::transfer(sources, folder, way, collision.unwrap_or_default(), cancelled)
    }

    pub(crate) fn extract(&mut self) -> Task<Message> {
        let Some(path) = self.single().map(|it| it.path.clone()).filter(|it| work::is_archive(it)) else { return Task::none() };
        let (Some(folder), None) = (path.parent().map(Path::to_owned), &self.working) else { return Task::none() };
        let cancelled = self.begin("Unpacking".to_owned());
        work::extract(path, folder, cancelled)
    }

    /// Keeps a change, to be taken back.
    pub(crate) fn keep(&mut self, what: &str, done: Vec<Done>, outcome: &Result<(), String>) {
        self.said = Some(match outcome {
            Ok(()) => format!("{what}."),
            Err(error) if done.is_empty() => format!("Not {}: {error}.", what.to_lowercase()),
            Err(error) => format!("Not all {}: {error}.", what.to_lowercase()),
        });
        // What came last is chosen.
        let places = done.iter().filter_map(|it| match it {
            Done::Copied { to } | Done::Moved { to, .. } => Some(to.clone()),
            Done::Trashed(_) => None,
        });
        let new: std::collections::BTreeSet<PathBuf> = places.collect();
        if !new.is_empty() {
            self.chosen = new;
        }
        if !done.is_empty() {
            self.done.push(done);
        }
    }

    pub(crate) fn ask_name(&mut self) -> Task<Message> {
        let (Some(entry), true) = (self.single(), self.place != Place::Trash) else { return Task::none() };
        let (path, name) = (entry.path.clone(), entry.name.clone());
        let length = names::split(name.as_ref()).0.to_string_lossy().chars().count();
        self.asking = Some(Asking::Name(Some(path), name));
        Task::batch([operation::focus(view::NAME), operation::select_range(view::NAME, 0, length)])
    }

    pub(crate) fn ask_folder(&mut self) -> Task<Message> {
        if self.folder().is_none() {
            return Task::none();
        }
        self.asking = Some(Asking::Name(None, "New folder".to_owned()));
        Task::batch([operation::focus(view::NAME), operation::select_all(view::NAME)])
    }

    pub(crate) fn ask_path(&mut self) -> Task<Message> {
        let here = self.folder().map(|it| it.display().to_string()).unwrap_or_default();
        self.asking = Some(Asking::Path(here));
        Task::batch([operation::focus(view::NAME), operation::select_all(view::NAME)])
    }

    /// A name or a path is complete.
    pub(crate) fn named(&mut self) -> Task<Message> {
        let (path, name) = match self.asking.take() {
            Some(Asking::Name(path, name)) => (path, name),
            Some(Asking::Path(words)) => return self.go_to(words),
            other => {
                self.asking = other;
                return Task::none();
            }
        };
        let outcome = match (&path, self.folder()) {
            (Some(path), _) if path.file_name().is_some_and(|it| it == name.as_str()) => return Task::none(),
            (Some(path), _) => transfer::rename(path, &name),
            (None, Some(folder)) => transfer::make_folder(folder, &name),
            (None, None) => return Task::none(),
        };
        match outcome {
            Ok(done) => {
                self.keep(if path.is_some() { "Renamed" } else { "Folder made" }, vec![done], &Ok(()));
                return Task::batch([parts::unfocus(), self.refresh()]);
            }
            Err(error) => {
                self.said = Some(format!("{error}."));
                self.asking = Some(Asking::Name(path, name));
            }
        }
        Task::none()
    }

    fn go_to(&mut self, words: String) -> Task<Message> {
        let path = places::typed(&words);
        // What is a file is shown where it is.
        match path.metadata() {
            Ok(it) if it.is_dir() => self.visit(Place::Folder(path)),
            Ok(_) => {
                let task = path.parent().map_or_else(Task::none, |above| self.visit(Place::Folder(above.to_owned())));
                self.chosen = [path].into();
                task
            }
            Err(_) => {
                self.said = Some(format!("{} is not there.", path.display()));
                self.asking = Some(Asking::Path(words));
                Task::none()
            }
        }
    }

    /// Into the trash; what is there already is asked about.
    pub(crate) fn throw(&mut self) -> Task<Message> {
        if self.place == Place::Trash {
            return self.ask_delete();
        }
        let chosen = self.chosen();
        if chosen.is_empty() || self.working.is_some() {
            return Task::none();
        }
        self.begin(format!("Moving {} to the trash", work::items(chosen.len())));
        work::throw(chosen)
    }

    /// Asks whether what is chosen is to go for ever.
    pub(crate) fn ask_delete(&mut self) -> Task<Message> {
        let doomed = if self.place == Place::Trash { Doomed::Items(self.chosen_items()) } else { Doomed::Paths(self.chosen()) };
        if doomed.len() > 0 && self.working.is_none() {
            self.asking = Some(Asking::Delete(doomed));
        }
        parts::unfocus()
    }

    pub(crate) fn confirm(&mut self) -> Task<Message> {
        match self.asking.take() {
            Some(Asking::Delete(doomed)) => {
                let cancelled = self.begin(format!("Deleting {}", work::items(doomed.len())));
                work::delete(doomed, cancelled)
            }
            Some(Asking::Collision(way, sources)) => self.put(way, sources, Some(Collision::KeepBoth)),
            Some(Asking::Replace(path)) => self.answer(vec![path]),
            other => {
                self.asking = other;
                self.named()
            }
        }
    }

    pub(crate) fn restore(&mut self) -> Task<Message> {
        let items = self.chosen_items();
        if items.is_empty() || self.working.is_some() {
            return Task::none();
        }
        self.begin(format!("Restoring {}", work::items(items.len())));
        work::restore(items)
    }

    pub(crate) fn undo(&mut self) -> Task<Message> {
        if self.working.is_some() {
            return Task::none();
        }
        let Some(changes) = self.done.pop() else { return Task::none() };
        self.begin("Taking back the last change".to_owned());
        work::undo(changes)
    }
}
