//! A text that is open: its file, its form, and what is in sight of it.

use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};

use crate::buffer::Buffer;
use crate::columns;
use crate::file::{self, Error, Form, Loaded, Stamp};
use crate::syntax::{self, Language, Open, Span};

/// Lines between the cursor and the edge, where there are so many.
const MARGIN: usize = 2;

/// An open text.
pub struct Document {
    /// Tells it from others, for as long as the window is there.
    pub number: u64,
    /// Its file; none before it is saved first.
    pub path: Option<PathBuf>,
    /// What is edited.
    pub buffer: Buffer,
    /// How it is written.
    pub form: Form,
    /// What the file was when it was read or written last.
    pub stamp: Option<Stamp>,
    /// Whether the file may be written.
    pub is_writable: bool,
    /// What its words look like.
    pub language: Option<&'static Language>,
    /// The first line in sight, and the first cell.
    pub(crate) start: Cell<(usize, usize)>,
    /// What each line finds open, as far as that is known.
    open: RefCell<Vec<Open>>,
    /// Its indent.
    unit: String,
}

impl Document {
    /// One without a file.
    pub fn new(number: u64) -> Self {
        Document {
            number,
            path: None,
            buffer: Buffer::new(""),
            form: Form::default(),
            stamp: None,
            is_writable: true,
            language: None,
            start: Cell::default(),
            open: RefCell::default(),
            unit: "    ".to_owned(),
        }
    }

    /// That of a file; where there is none yet it is made when it is saved.
    ///
    /// # Errors
    /// As [`file::load`].
    pub fn open(number: u64, path: PathBuf) -> Result<Self, Error> {
        let path = std::path::absolute(path)?;
        let mut document = Document { path: Some(path.clone()), ..Document::new(number) };
        match file::load(&path) {
            Ok(loaded) => document.take(loaded),
            Err(Error::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => document.learn(""),
            Err(error) => return Err(error),
        }
        Ok(document)
    }

    fn take(&mut self, loaded: Loaded) {
        self.learn(&loaded.text);
        self.buffer = Buffer::new(&loaded.text);
        (self.form, self.stamp, self.is_writable) = (loaded.form, Some(loaded.stamp), loaded.is_writable);
        self.open.get_mut().clear();
    }

    /// Finds out the language and how lines are indented.
    fn learn(&mut self, text: &str) {
        self.language = self.path.as_deref().and_then(|path| syntax::of(path, text));
        let indent = text.lines().take(2000).map(|line| &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]).find(|it| it.starts_with('\t') || it.len() >= 2);
        let is_make = self.language.is_some_and(|it| it.name == "Make");
        self.unit = match indent {
            Some(it) if it.starts_with('\t') => "\t".to_owned(),
            None if is_make => "\t".to_owned(),
            Some(it) if it.len() % 4 != 0 => "  ".to_owned(),
            _ => "    ".to_owned(),
        };
    }

    /// Reads the file anew; the cursor stays as near as can be.
    ///
    /// # Errors
    /// As [`file::load`].
    pub fn reload(&mut self) -> Result<(), Error> {
        let Some(path) = self.path.clone() else { return Ok(()) };
        let cursor = self.buffer.cursor();
        self.take(file::load(&path)?);
        self.buffer.go(cursor, false);
        Ok(())
    }

    /// Writes it to a file, which is its own from now on.
    ///
    /// # Errors
    /// As [`file::save`].
    pub fn save(&mut self, path: &Path) -> Result<(), Error> {
        let text = self.buffer.text();
        self.stamp = Some(file::save(path, &text, self.form)?);
        if self.path.as_deref() != Some(path) {
            self.path = Some(path.to_owned());
            self.learn(&text);
            self.open.get_mut().clear();
        }
        self.is_writable = true;
        self.buffer.mark_saved();
        Ok(())
    }

    /// Whether others have changed the file since it was read or written.
    pub fn is_overtaken(&self) -> bool {
        self.path.as_deref().is_some_and(|path| Stamp::at(path) != self.stamp)
    }

    /// Whether nothing would be lost with it, nor is missed.
    pub fn is_blank(&self) -> bool {
        self.path.is_none() && !self.buffer.is_changed() && self.buffer.lines().iter().all(String::is_empty)
    }

    /// What it is called.
    pub fn name(&self) -> String {
        self.path.as_ref().and_then(|it| it.file_name()).map_or_else(|| "Untitled".to_owned(), |it| it.to_string_lossy().into_owned())
    }

    /// What an indent adds, at the cursor.
    pub fn unit(&self) -> &str {
        &self.unit
    }

    /// Scrolls so that the cursor is in a sight of so many lines and cells.
    pub fn reveal(&self, (height, width): (usize, usize)) {
        let (mut top, mut left) = self.start.get();
        let cursor = self.buffer.cursor();
        let margin = MARGIN.min(height.saturating_sub(1) / 2);
        let lowest = (cursor.line + margin + 1).saturating_sub(height);
        // Far away it comes to the middle.
        if cursor.line + height < top || cursor.line > top + 2 * height {
            top = cursor.line.saturating_sub(height / 2);
        }
        top = top.clamp(lowest.min(cursor.line), cursor.line.saturating_sub(margin).max(lowest));
        let cell = columns::cell_of(&self.buffer.lines()[cursor.line], cursor.byte);
        if cell < left || cell + 1 > left + width {
            left = if cell < width { 0 } else { (cell + 1 + width / 4).saturating_sub(width) };
        }
        self.start.set((top.min(self.buffer.lines().len() - 1), left));
    }

    /// Scrolls by lines and cells.
    pub fn scroll(&self, (lines, cells): (isize, isize), height: usize) {
        let (top, left) = self.start.get();
        let last = self.buffer.lines().len().saturating_sub(height.saturating_sub(MARGIN).max(1));
        let widest = 10_000_000;
        self.start.set((top.saturating_add_signed(lines).min(last.max(top.min(last))), left.saturating_add_signed(cells).min(widest)));
    }

    /// Forgets colours from the first line on that has changed.
    pub fn settle(&mut self) {
        if let Some(line) = self.buffer.take_touched() {
            self.open.get_mut().truncate(line + 1);
        }
    }

    /// The colours of a line.
    pub fn colours(&self, line: usize) -> Vec<Span> {
        let Some(language) = self.language else { return Vec::new() };
        let mut open = self.open.borrow_mut();
        if open.is_empty() {
            open.push(Open::None);
        }
        while open.len() <= line {
            let known = open.len() - 1;
            let (_, next) = syntax::line(language, &self.buffer.lines()[known], open[known]);
            open.push(next);
        }
        syntax::line(language, &self.buffer.lines()[line], open[line]).0
    }
}
