//! Moving through lists, and choosing from them.

use file_operations::entry::{self, Entry, Kind};
use file_operations::trash::Item;
use genai_ui::Task;
use std::time::{Duration, Instant};

use crate::message::Message;
use crate::places::Place;
use crate::{Files, view, work};

/// Two clicks within this time are a double click.
const DOUBLE: Duration = Duration::from_millis(400);

impl Files {
    /// Orders what is shown, and forgets what is chosen no more.
    pub(crate) fn arrange(&mut self) {
        let (has_hidden, words) = (self.has_hidden || !self.words.is_empty(), self.words.trim().to_lowercase());
        // The trash is searched here; folders are by `work::search`.
        let choice = self.choice.as_ref();
        let is_meant = |it: &&Entry| choice.is_none_or(|choice| choice.shows(it)) && (has_hidden || !it.is_hidden()) && (self.place != Place::Trash || it.name.to_lowercase().contains(&words));
        self.shown = self.all.iter().filter(is_meant).cloned().collect();
        if self.place != Place::Trash {
            entry::sort(&mut self.shown, self.sorting);
        }
        let shown: std::collections::HashSet<_> = self.shown.iter().map(|it| &it.path).collect();
        self.chosen.retain(|path| shown.contains(path));
        let last = self.shown.len().saturating_sub(1);
        (self.cursor, self.anchor) = (self.cursor.min(last), self.anchor.min(last));
    }

    /// Puts the keyboard where the first of what is chosen is.
    pub(crate) fn find_cursor(&mut self) {
        if let Some(index) = self.shown.iter().position(|it| self.chosen.contains(&it.path)) {
            (self.cursor, self.anchor) = (index, index);
            self.portion = self.portion.max(index + 1);
        }
    }

    /// The one that is chosen, where it is only one.
    pub(crate) fn single(&self) -> Option<&Entry> {
        if self.chosen.len() != 1 {
            return None;
        }
        self.shown.iter().find(|it| self.chosen.contains(&it.path))
    }

    /// What is chosen in the trash.
    pub(crate) fn chosen_items(&self) -> Vec<Item> {
        self.items.iter().filter(|it| self.chosen.contains(&it.path())).cloned().collect()
    }

    /// Looks into the chosen file.
    pub(crate) fn look(&mut self) -> Task<Message> {
        match self.single().map(|it| (it.kind, it.path.clone())) {
            Some((Kind::File, path)) => work::look(path),
            _ => {
                self.seen = None;
                Task::none()
            }
        }
    }

    /// Chooses one alone.
    pub(crate) fn choose(&mut self, index: usize) -> Task<Message> {
        let Some(entry) = self.shown.get(index) else { return Task::none() };
        self.chosen = [entry.path.clone()].into();
        (self.cursor, self.anchor) = (index, index);
        self.look()
    }

    /// Chooses all from where the range began up to this one.
    fn choose_to(&mut self, index: usize) -> Task<Message> {
        let range = self.anchor.min(index)..=self.anchor.max(index);
        self.chosen = self.shown.get(range).into_iter().flatten().map(|it| it.path.clone()).collect();
        self.cursor = index;
        self.look()
    }

    pub(crate) fn click(&mut self, index: usize) -> Task<Message> {
        let now = Instant::now();
        let is_double = self.clicked.replace((index, now)).is_some_and(|(last, then)| last == index && now - then < DOUBLE);
        let Some(path) = self.shown.get(index).map(|it| it.path.clone()) else { return Task::none() };
        let is_many = self.may_choose_many();
        if self.held.shift() && is_many {
            return self.choose_to(index);
        }
        if self.held.control() && is_many {
            if !self.chosen.remove(&path) {
                self.chosen.insert(path);
            }
            (self.cursor, self.anchor) = (index, index);
            return self.look();
        }
        if is_double {
            self.clicked = None;
            self.chosen = [path].into();
            return self.open();
        }
        let look = self.choose(index);
        self.name_from_list();
        look
    }

    pub(crate) fn step(&mut self, by: isize, extends: bool) -> Task<Message> {
        if self.shown.is_empty() || self.asking.is_some() {
            return Task::none();
        }
        let last = self.shown.len() - 1;
        // The first key shows where one is.
        let next = if self.chosen.is_empty() && by.unsigned_abs() == 1 { self.cursor } else { self.cursor.saturating_add_signed(by).min(last) };
        self.portion = self.portion.max(next + 1);
        let look = if extends && self.may_choose_many() { self.choose_to(next) } else { self.choose(next) };
        Task::batch([look, view::scroll_to(self.layout, next)])
    }

    pub(crate) fn open(&mut self) -> Task<Message> {
        let Some(entry) = self.single().cloned() else { return Task::none() };
        match entry.kind {
            _ if self.place == Place::Trash => self.said = Some("What is in the trash has to be restored first.".to_owned()),
            Kind::Folder => return self.visit(Place::Folder(entry.path)),
            Kind::File if self.choice.is_some() => {
                self.name_from_list();
                return self.accept();
            }
            Kind::File if work::is_archive(&entry.path) => return self.extract(),
            Kind::File => {
                self.said = None;
                return work::open(entry.path);
            }
            Kind::Broken => self.said = Some(format!("{} leads nowhere.", entry.name)),
            Kind::Special => self.said = Some(format!("{} is no file that could be opened.", entry.name)),
        }
        Task::none()
    }
}
