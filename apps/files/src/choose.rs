//! Choosing for another program: what it may be, and what it was. The program is `desktopd`, which does it for all others.

use desktop_entries::mime;
use file_operations::entry::{Entry, Kind};
use genai_ui::Task;
use genai_ui::runtime::widget::operation;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::message::{Asking, Message};
use crate::places::Place;
use crate::{Files, view};

/// What is to be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Files that are there.
    Files,
    /// Folders.
    Folders,
    /// A name for a file that may not be there yet.
    Save,
}

/// Files of some kinds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// For people.
    pub name: String,
    /// Names with `*` and `?`, and kinds of MIME: those have a `/`.
    pub patterns: Vec<String>,
}

impl Filter {
    /// Of lines: the name, then the patterns.
    pub fn parse(lines: &str) -> Self {
        let mut lines = lines.lines();
        let name = lines.next().unwrap_or_default().to_owned();
        Filter { name, patterns: lines.filter(|it| !it.is_empty()).map(str::to_owned).collect() }
    }

    /// Whether a file is of it.
    pub fn takes(&self, path: &Path) -> bool {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        self.patterns.iter().any(|pattern| {
            if pattern.contains('/') {
                let kind = mime::by_name(path).unwrap_or_else(|| mime::of(path));
                mime::wider(kind).iter().any(|it| fits(pattern, it))
            } else {
                fits(pattern, &name)
            }
        })
    }
}

/// Whether a text is what a pattern says; small and capital letters are the same.
fn fits(pattern: &str, text: &str) -> bool {
    let letters = |it: &str| it.chars().flat_map(char::to_lowercase).collect::<Vec<_>>();
    let (pattern, text) = (letters(pattern), letters(text));
    // Where the last `*` stands, and how far it has reached.
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        if pattern.get(p).is_some_and(|it| *it == '?' || (*it == text[t] && *it != '*')) {
            (p, t) = (p + 1, t + 1);
        } else if pattern.get(p) == Some(&'*') {
            star = Some((p, t));
            p += 1;
        } else if let Some((at, reached)) = star {
            (p, t) = (at + 1, reached + 1);
            star = Some((at, reached + 1));
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|it| *it == '*')
}

/// What was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// The filter that held, by its number.
    pub filter: Option<usize>,
    /// Absolute paths.
    pub paths: Vec<PathBuf>,
}

/// Where the answer is, once the window is closed: nothing where nothing was chosen.
pub type Outcome = Arc<Mutex<Option<Chosen>>>;

/// A choice that another program has asked for.
#[derive(Debug, Clone)]
pub struct Choice {
    /// What is to be chosen.
    pub what: What,
    /// Whether it may be several.
    pub is_many: bool,
    /// The window's title.
    pub title: String,
    /// The words on the button that ends it.
    pub accept: String,
    /// The name of the file that is saved.
    pub name: String,
    /// What files may be; all where there is none.
    pub filters: Vec<Filter>,
    /// The one that holds, by its number.
    pub filter: usize,
    /// Gets the answer.
    pub outcome: Outcome,
}

impl Choice {
    /// Whether an entry is to be seen.
    pub(crate) fn shows(&self, entry: &Entry) -> bool {
        match entry.kind {
            Kind::Folder => true,
            _ if self.what == What::Folders => false,
            Kind::File => self.filters.get(self.filter).is_none_or(|it| it.takes(&entry.path)),
            // Nobody can read or write these as a file.
            Kind::Broken | Kind::Special => false,
        }
    }
}

/// Whether a message is for who changes folders, not for who chooses from them.
pub(crate) fn is_left_out(message: &Message) -> bool {
    use Message::{Delete, Empty, Extract, Go, Put, Restore, Take, Throw};
    matches!(message, Take(_) | Put | Throw | Delete | Restore | Empty | Extract | Go(Place::Trash))
}

impl Files {
    /// Lets somebody choose, beginning in a folder.
    pub fn choosing(folder: PathBuf, choice: Choice, is_light: bool) -> (Self, Task<Message>) {
        let is_save = choice.what == What::Save;
        let (mut files, start) = Files::new(Place::Folder(folder), is_light);
        files.choice = Some(choice);
        // What is before the ending of the name is what people change.
        let focus = if is_save { Task::batch([operation::focus(view::SAVE), operation::select_all(view::SAVE)]) } else { Task::none() };
        (files, Task::batch([start, focus]))
    }

    /// Whether several may be chosen.
    pub(crate) fn may_choose_many(&self) -> bool {
        self.choice.as_ref().is_none_or(|it| it.is_many && it.what != What::Save)
    }

    /// The button that ends it can be pressed.
    pub(crate) fn may_accept(&self) -> bool {
        match self.choice.as_ref().map(|it| (&it.what, &it.name)) {
            Some((What::Save, name)) => !name.trim().is_empty(),
            Some((What::Folders, _)) => self.folder().is_some(),
            Some((What::Files, _)) => !self.chosen.is_empty(),
            None => false,
        }
    }

    /// A file was chosen in the list: its name is the one to save as.
    pub(crate) fn name_from_list(&mut self) {
        let name = self.single().filter(|it| it.kind == Kind::File).map(|it| it.name.clone());
        if let (Some(choice), Some(name)) = (&mut self.choice, name)
            && choice.what == What::Save
        {
            choice.name = name;
        }
    }

    /// It is chosen.
    pub(crate) fn accept(&mut self) -> Task<Message> {
        let (Some(choice), true) = (self.choice.clone(), self.may_accept()) else { return Task::none() };
        self.said = None;
        match choice.what {
            What::Save => self.accept_name(choice.name.trim()),
            What::Folders => {
                let mut folders = self.chosen();
                if folders.is_empty() {
                    folders.extend(self.folder().map(Path::to_owned));
                }
                self.answer(folders)
            }
            What::Files => {
                let (folders, files): (Vec<_>, Vec<_>) = self.shown.iter().filter(|it| self.chosen.contains(&it.path)).partition(|it| it.kind == Kind::Folder);
                match (folders.first().map(|it| it.path.clone()), files.is_empty()) {
                    (Some(folder), true) => self.visit(Place::Folder(folder)),
                    _ => {
                        let files = files.into_iter().map(|it| it.path.clone()).collect();
                        self.answer(files)
                    }
                }
            }
        }
    }

    fn accept_name(&mut self, name: &str) -> Task<Message> {
        let Some(folder) = self.folder().map(Path::to_owned) else { return Task::none() };
        if matches!(name, "." | "..") || name.contains('/') || name.len() > 255 {
            self.said = Some(format!("A file cannot be called {name:.60}."));
            return Task::none();
        }
        let path = folder.join(name);
        if path.is_dir() {
            return self.visit(Place::Folder(path));
        }
        if path.symlink_metadata().is_ok() {
            self.asking = Some(Asking::Replace(path));
            return Task::none();
        }
        self.answer(vec![path])
    }

    /// Tells what was chosen, and ends.
    pub(crate) fn answer(&mut self, paths: Vec<PathBuf>) -> Task<Message> {
        let Some(choice) = &self.choice else { return Task::none() };
        let filter = (choice.filter < choice.filters.len()).then_some(choice.filter);
        *choice.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(Chosen { filter, paths });
        genai_ui::runtime::exit()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_of_whole_names() {
        for (pattern, text) in [("*.png", "a.PNG"), ("*", ""), ("a*b*c", "axxbyybc"), ("?.txt", "é.txt"), ("**x", "x"), ("image/*", "image/png")] {
            assert!(fits(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("*.png", "png"), ("?", ""), ("a*b", "abc"), ("", "x"), ("*.tar.gz", "a.tar.gz.sig")] {
            assert!(!fits(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn filters_take_names_and_kinds() {
        let filter = Filter::parse("Pictures\n*.xcf\nimage/*\n");
        assert_eq!((filter.name.as_str(), filter.patterns.len()), ("Pictures", 2));
        for (name, is_taken) in [("/a/b.xcf", true), ("/a/b.png", true), ("/a/b.txt", false)] {
            assert_eq!(filter.takes(Path::new(name)), is_taken, "{name}");
        }
        assert!(!Filter::parse("").takes(Path::new("/x")));
    }
}
