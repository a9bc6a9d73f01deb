//! The text editor.
//!
//! [`buffer`] is a text that is edited, [`file`] brings it from the disk and back, [`document`] is both with what is in sight. `page` draws it as cells, coloured by
//! [`syntax`]; `update` is what follows from what happens, and `view` the window.

pub mod buffer;
pub mod columns;
pub mod document;
pub mod file;
pub mod find;
mod keys;
mod look;
mod page;
mod recent;
mod saving;
mod searching;
pub mod syntax;
mod update;
mod view;

pub use page::Act;

use document::Document;
use find::Query;
use genai_ui::core::Size;
use genai_ui::runtime::widget::operation;
use genai_ui::{Task, cells};
use std::cell::Cell;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use buffer::Place;

/// The letters' size at first, pixels.
pub const SIZE: f32 = 14.0;
/// The sizes that they may have.
pub const SIZES: RangeInclusive<f32> = 8.0..=40.0;

/// What happens.
#[derive(Debug, Clone)]
pub enum Message {
    /// Something is done with the text in front.
    Page(Act),
    /// A text without a file is wanted.
    New,
    /// A file is wanted: which is asked.
    Open,
    /// This one is wanted.
    OpenPath(PathBuf),
    /// What is in front goes to its file.
    Save,
    /// It goes to another file.
    SaveAs,
    /// The text of this number is wanted away.
    Close(u64),
    /// That in front.
    CloseThis,
    /// The window is wanted away.
    Quit,
    /// The text of this number is wanted in front.
    Show(u64),
    /// The one so many further on.
    Turn(isize),
    /// Taken back.
    Undo,
    /// Done again.
    Redo,
    /// The bar for finding; with the field for what comes instead.
    Find(bool),
    /// What is looked for.
    Words(String),
    /// What comes instead.
    Replacement(String),
    /// Whether large and small letters differ.
    Exact,
    /// The next one, or the one before.
    Next(bool),
    /// This one is replaced.
    Replace,
    /// All are.
    ReplaceAll,
    /// A line's number is asked.
    GoTo,
    /// What is written into a question's field.
    Field(String),
    /// The answer is yes.
    Confirm,
    /// The answer is no.
    Decline,
    /// There is no answer; the nearest thing ends.
    Cancel,
    /// Letters of another size: larger by so much; that of the beginning.
    Larger(f32),
    /// The size of the beginning.
    Reset,
    /// Lines become comments, or again what they were.
    Comment,
    /// A line goes, or comes twice.
    Line(bool),
    /// The window is looked at again: files may have changed.
    Returned,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Asking {
    /// Which file to open.
    Open(String),
    /// To which file to write.
    SaveAs(String),
    /// Which line to go to.
    Line(String),
    /// Whether changes of a text may be lost.
    Lose(u64),
    /// Whether what others changed may be lost.
    Overtaken(u64),
    /// Whether a file may be replaced.
    Replace(PathBuf),
    /// Nothing: something went wrong.
    Wrong(String),
}

/// What is looked for.
#[derive(Debug, Default)]
struct Finding {
    query: Query,
    replacement: String,
    replaces: bool,
    all: Vec<(Place, Place)>,
}

/// The app.
pub struct Editor {
    documents: Vec<Document>,
    front: usize,
    opened: u64,
    finding: Option<Finding>,
    asking: Option<Asking>,
    /// What is done after the text in question is saved or given up.
    then: Then,
    said: Option<String>,
    size: f32,
    cell: Size,
    sight: Cell<(usize, usize)>,
    is_light: bool,
}

/// What is done after a question is answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Then {
    #[default]
    Nothing,
    CloseTab,
    Quit,
}

impl Editor {
    /// A window with these files, or with a text without one.
    pub fn new(files: Vec<PathBuf>, line: Option<usize>, is_light: bool) -> (Self, Task<Message>) {
        let mut editor = Editor {
            documents: Vec::new(),
            front: 0,
            opened: 0,
            finding: None,
            asking: None,
            then: Then::default(),
            said: None,
            size: SIZE,
            cell: cells::cell_size(SIZE),
            sight: Cell::new((30, 80)),
            is_light,
        };
        for file in files {
            editor.open(file);
        }
        if editor.documents.is_empty() {
            editor.add(Document::new(0));
        }
        if let Some(line) = line {
            editor.go_to_line(line);
        }
        let focus = if editor.asking.is_some() { Task::none() } else { operation::focus(view::PAGE) };
        (editor, focus)
    }

    /// The text in front.
    pub fn front(&self) -> &Document {
        &self.documents[self.front]
    }

    fn front_mut(&mut self) -> &mut Document {
        &mut self.documents[self.front]
    }

    /// The texts that are open, from the left.
    pub fn names(&self) -> Vec<String> {
        self.documents.iter().map(Document::name).collect()
    }

    /// What was said last of what was done.
    pub fn said(&self) -> Option<&str> {
        self.said.as_deref()
    }

    fn add(&mut self, document: Document) {
        self.opened += 1;
        let mut document = document;
        document.number = self.opened;
        // An empty text that nobody has touched makes room.
        if self.documents.len() == 1 && self.documents[0].is_blank() {
            self.documents.clear();
        }
        self.documents.push(document);
        self.front = self.documents.len() - 1;
    }

    /// Opens a file, or shows it where it is open already.
    fn open(&mut self, path: PathBuf) {
        let path = std::path::absolute(&path).unwrap_or(path);
        let is_same = |it: &Document| it.path.as_ref().is_some_and(|other| *other == path || std::fs::canonicalize(other).ok().is_some_and(|it| std::fs::canonicalize(&path).ok() == Some(it)));
        if let Some(at) = self.documents.iter().position(is_same) {
            self.front = at;
            return;
        }
        match Document::open(0, path.clone()) {
            Ok(document) => {
                if document.stamp.is_some() {
                    recent::add(&path);
                }
                self.said = (!document.is_writable).then(|| "This file may not be written: save it under another name.".to_owned());
                self.add(document);
                self.refind();
            }
            Err(error) => self.asking = Some(Asking::Wrong(format!("{} cannot be edited: {error}.", path.display()))),
        }
    }

    fn go_to_line(&mut self, line: usize) {
        self.front_mut().buffer.go(Place { line: line.saturating_sub(1), byte: 0 }, false);
        self.front().reveal(self.sight.get());
    }
}
