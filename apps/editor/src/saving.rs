//! Saving and closing, and the questions before something is lost.

use genai_ui::runtime::widget::operation;
use genai_ui::{Task, parts, runtime};
use std::path::{Path, PathBuf};

use crate::document::Document;
use crate::{Asking, Editor, Message, Then, recent, view};

/// A path as people type it.
pub(crate) fn typed(words: &str, beside: Option<&Path>) -> PathBuf {
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_else(|| PathBuf::from("/"));
    let words = words.trim();
    let path = match words.strip_prefix('~') {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => home.join(rest.trim_start_matches('/')),
        _ => PathBuf::from(words),
    };
    let base = beside.and_then(Path::parent).map_or_else(|| std::env::current_dir().unwrap_or(home), Path::to_owned);
    base.join(path)
}

impl Editor {
    /// Asks in a field that holds the words already.
    pub(crate) fn ask(&mut self, asking: Asking) -> Task<Message> {
        let selects = matches!(asking, Asking::Line(_));
        let has_field = matches!(asking, Asking::Open(_) | Asking::SaveAs(_) | Asking::Line(_));
        self.asking = Some(asking);
        match (has_field, selects) {
            (false, _) => parts::unfocus(),
            (true, true) => Task::batch([operation::focus(view::FIELD), operation::select_all(view::FIELD)]),
            (true, false) => Task::batch([operation::focus(view::FIELD), operation::move_cursor_to_end(view::FIELD)]),
        }
    }

    /// The folder where files are looked for first, as it is typed.
    pub(crate) fn folder(&self) -> String {
        let folder = self.front().path.as_deref().and_then(Path::parent).map(Path::to_owned);
        let folder = folder.or_else(|| std::env::var_os("HOME").map(PathBuf::from)).unwrap_or_default();
        format!("{}/", folder.display().to_string().trim_end_matches('/'))
    }

    /// The text in front goes to its file.
    pub(crate) fn save(&mut self) -> Task<Message> {
        let Some(path) = self.front().path.clone() else { return self.ask_where() };
        if self.front().is_overtaken() && self.front().stamp.is_some() {
            let number = self.front().number;
            return self.ask(Asking::Overtaken(number));
        }
        self.write(&path)
    }

    pub(crate) fn ask_where(&mut self) -> Task<Message> {
        let path = self.front().path.as_ref().map_or_else(|| self.folder(), |it| it.display().to_string());
        self.ask(Asking::SaveAs(path))
    }

    /// Writes the text in front, and does what was to be done then.
    pub(crate) fn write(&mut self, path: &Path) -> Task<Message> {
        if let Err(error) = self.front_mut().save(path) {
            self.then = Then::Nothing;
            return self.ask(Asking::Wrong(format!("{} cannot be written: {error}. Nothing of the text is lost: it can be saved elsewhere.", path.display())));
        }
        recent::add(path);
        self.said = Some("Saved.".to_owned());
        self.refind();
        match self.then {
            Then::Nothing => operation::focus(view::PAGE),
            Then::CloseTab => self.remove(self.front().number),
            Then::Quit => self.quit(),
        }
    }

    /// A text is wanted away: what was changed is asked about.
    pub(crate) fn close(&mut self, number: u64) -> Task<Message> {
        let Some(at) = self.documents.iter().position(|it| it.number == number) else { return Task::none() };
        if self.documents[at].buffer.is_changed() {
            (self.front, self.then) = (at, Then::CloseTab);
            return self.ask(Asking::Lose(number));
        }
        self.remove(number)
    }

    /// A text goes; with the last one the window.
    pub(crate) fn remove(&mut self, number: u64) -> Task<Message> {
        self.then = Then::Nothing;
        let Some(at) = self.documents.iter().position(|it| it.number == number) else { return Task::none() };
        if self.documents.len() == 1 {
            return runtime::exit();
        }
        self.documents.remove(at);
        if self.front > at || self.front == self.documents.len() {
            self.front -= 1;
        }
        self.refind();
        operation::focus(view::PAGE)
    }

    /// The window is wanted away: each text with changes is asked about.
    pub(crate) fn quit(&mut self) -> Task<Message> {
        let Some(at) = self.documents.iter().position(|it| it.buffer.is_changed()) else { return runtime::exit() };
        (self.front, self.then) = (at, Then::Quit);
        self.ask(Asking::Lose(self.documents[at].number))
    }

    /// The answer to a question is yes.
    pub(crate) fn confirm(&mut self) -> Task<Message> {
        let beside = self.front().path.clone();
        match self.asking.take() {
            None => Task::none(),
            Some(Asking::Open(words)) => {
                let path = typed(&words, beside.as_deref());
                if path.is_dir() {
                    return self.ask(Asking::Open(format!("{}/", path.display().to_string().trim_end_matches('/'))));
                }
                self.open(path);
                if self.asking.is_some() { parts::unfocus() } else { operation::focus(view::PAGE) }
            }
            Some(Asking::SaveAs(words)) => {
                let path = typed(&words, beside.as_deref());
                if path.is_dir() || words.trim().ends_with('/') {
                    self.said = Some("The name is missing.".to_owned());
                    return self.ask(Asking::SaveAs(words));
                }
                if path.exists() && self.front().path.as_ref() != Some(&path) {
                    return self.ask(Asking::Replace(path));
                }
                self.write(&path)
            }
            Some(Asking::Line(words)) => {
                if let Ok(line) = words.trim().parse() {
                    self.go_to_line(line);
                }
                operation::focus(view::PAGE)
            }
            Some(Asking::Lose(_)) => self.save(),
            // What is here is what is wanted.
            Some(Asking::Overtaken(_)) => match self.front().path.clone() {
                Some(path) => self.write(&path),
                None => Task::none(),
            },
            Some(Asking::Replace(path)) => self.write(&path),
            Some(Asking::Wrong(_)) => operation::focus(view::PAGE),
        }
    }

    /// The answer is no.
    pub(crate) fn decline(&mut self) -> Task<Message> {
        match self.asking.take() {
            Some(Asking::Lose(number)) => match self.then {
                Then::Quit => {
                    // It is given up, and not asked about again.
                    self.documents.retain(|it| it.number != number);
                    if self.documents.is_empty() {
                        return runtime::exit();
                    }
                    self.front = 0;
                    self.quit()
                }
                _ => self.remove(number),
            },
            Some(Asking::Overtaken(number)) => {
                self.then = Then::Nothing;
                if let Some(document) = self.documents.iter_mut().find(|it| it.number == number) {
                    match document.reload() {
                        Ok(()) => self.said = Some("Read anew.".to_owned()),
                        Err(error) => return self.ask(Asking::Wrong(format!("It cannot be read: {error}."))),
                    }
                }
                self.changed();
                operation::focus(view::PAGE)
            }
            other => {
                self.asking = other;
                Task::none()
            }
        }
    }

    /// Files may have changed while the window was not looked at.
    pub(crate) fn returned(&mut self) -> Task<Message> {
        if self.asking.is_some() {
            return Task::none();
        }
        let mut in_question = None;
        for (at, document) in self.documents.iter_mut().enumerate().filter(|(_, it)| it.stamp.is_some() && it.is_overtaken()) {
            let is_there = document.path.as_deref().is_some_and(Path::exists);
            if !is_there {
                document.buffer.mark_unsaved();
                document.stamp = None;
                self.said = Some(format!("{} is no longer on the disk.", document.name()));
            } else if document.buffer.is_changed() {
                in_question = Some(at);
            } else if document.reload().is_ok() {
                self.said = Some(format!("{} has changed on the disk, and was read anew.", document.name()));
            }
        }
        self.documents.iter_mut().for_each(Document::settle);
        self.refind();
        let Some(at) = in_question else { return Task::none() };
        self.front = at;
        self.ask(Asking::Overtaken(self.documents[at].number))
    }
}
