//! A text that is edited: lines, the place where is written, what is selected, and what was done, to be taken back.

use crate::columns;

/// A place between two letters. Places are in order of the text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line, from 0.
    pub line: usize,
    /// The byte in the line.
    pub byte: usize,
}

/// Where the cursor may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Motion {
    /// A letter.
    Left,
    /// A letter.
    Right,
    /// So many lines up (less than 0) or down.
    Lines(isize),
    /// The beginning of a word.
    WordLeft,
    /// The end of a word.
    WordRight,
    /// The first letter of the line that is no space, or its beginning.
    Home,
    /// The line's end.
    End,
    /// The text's beginning.
    First,
    /// The text's end.
    Last,
}

/// A change of a text, for taking it back: `removed` was at `at`, where `inserted` is now.
#[derive(Debug, Clone)]
struct Change {
    at: Place,
    removed: String,
    inserted: String,
}

/// What is taken back at once.
#[derive(Debug, Clone)]
struct Step {
    changes: Vec<Change>,
    /// Cursor and anchor before.
    before: (Place, Option<Place>),
    after: (Place, Option<Place>),
    /// Whether letters typed next belong to it.
    is_typing: bool,
}

/// A text. It always has one line at least.
#[derive(Debug, Clone)]
pub struct Buffer {
    lines: Vec<String>,
    cursor: Place,
    anchor: Option<Place>,
    /// The cell to which moving up and down tries to come.
    goal: Option<usize>,
    done: Vec<Step>,
    undone: Vec<Step>,
    /// How many steps were done when the text was as on the disk; none where it cannot be so again.
    saved: Option<usize>,
    /// The first line that has changed since that was asked.
    touched: Option<usize>,
}

impl Buffer {
    /// A text that is on the disk so.
    pub fn new(text: &str) -> Self {
        let lines = text.split('\n').map(str::to_owned).collect();
        Buffer { lines, cursor: Place::default(), anchor: None, goal: None, done: Vec::new(), undone: Vec::new(), saved: Some(0), touched: Some(0) }
    }

    /// All of it, lines parted by line feeds.
    pub fn text(&self) -> String {
        self.lines.join("\n")
    }

    /// Its lines, without their ends.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// Where is written.
    pub fn cursor(&self) -> Place {
        self.cursor
    }

    /// What is selected: from, to.
    pub fn selection(&self) -> Option<(Place, Place)> {
        let anchor = self.anchor.filter(|it| *it != self.cursor)?;
        Some((anchor.min(self.cursor), anchor.max(self.cursor)))
    }

    /// The text that is selected.
    pub fn selected(&self) -> Option<String> {
        self.selection().map(|(from, to)| self.between(from, to))
    }

    /// Whether it differs from what is on the disk.
    pub fn is_changed(&self) -> bool {
        self.saved != Some(self.done.len())
    }

    /// It is on the disk as it is now.
    pub fn mark_saved(&mut self) {
        self.saved = Some(self.done.len());
        self.end_typing();
    }

    /// It is on the disk in another way than it ever was here.
    pub fn mark_unsaved(&mut self) {
        self.saved = None;
    }

    /// Whether something can be taken back, and done again.
    pub fn can(&self) -> (bool, bool) {
        (!self.done.is_empty(), !self.undone.is_empty())
    }

    /// The first line that has changed since this was asked last.
    pub fn take_touched(&mut self) -> Option<usize> {
        self.touched.take()
    }

    /// Whether something has changed since [`Buffer::take_touched`].
    pub fn has_touched(&self) -> bool {
        self.touched.is_some()
    }

    /// The nearest place that there is.
    pub fn clamp(&self, place: Place) -> Place {
        let line = place.line.min(self.lines.len() - 1);
        let text = &self.lines[line];
        let mut byte = place.byte.min(text.len());
        while !text.is_char_boundary(byte) {
            byte -= 1;
        }
        Place { line, byte }
    }

    /// The text between two places.
    pub fn between(&self, from: Place, to: Place) -> String {
        if from.line == to.line {
            return self.lines[from.line][from.byte..to.byte].to_owned();
        }
        let mut out = self.lines[from.line][from.byte..].to_owned();
        for line in &self.lines[from.line + 1..to.line] {
            out.push('\n');
            out.push_str(line);
        }
        out.push('\n');
        out.push_str(&self.lines[to.line][..to.byte]);
        out
    }

    /// The text's end.
    fn end(&self) -> Place {
        let line = self.lines.len() - 1;
        Place { line, byte: self.lines[line].len() }
    }

    /// The cursor goes to a place; what lies between is selected where that is wanted.
    pub fn go(&mut self, to: Place, selects: bool) {
        self.goal = None;
        self.set_cursor(to, selects);
    }

    fn set_cursor(&mut self, to: Place, selects: bool) {
        let to = self.clamp(to);
        self.anchor = if selects { self.anchor.or(Some(self.cursor)) } else { None };
        self.cursor = to;
        self.end_typing();
    }

    /// Selects what is between two places; the cursor is at the second.
    pub fn select(&mut self, from: Place, to: Place) {
        self.go(from, false);
        self.go(to, true);
    }

    /// Selects all.
    pub fn select_all(&mut self) {
        let end = self.end();
        self.select(Place::default(), end);
    }

    /// Selects the word at a place.
    pub fn select_word(&mut self, at: Place) {
        let at = self.clamp(at);
        let (start, end) = columns::word_at(&self.lines[at.line], at.byte);
        self.select(Place { byte: start, ..at }, Place { byte: end, ..at });
    }

    /// Selects a line with its end.
    pub fn select_line(&mut self, line: usize) {
        let start = self.clamp(Place { line, byte: 0 });
        let end = if start.line + 1 < self.lines.len() { Place { line: start.line + 1, byte: 0 } } else { self.end() };
        self.select(start, end);
    }

    /// Moves the cursor.
    pub fn step(&mut self, motion: Motion, selects: bool) {
        // Without Shift a selection is left at its end.
        if let (Some((from, to)), false, Motion::Left | Motion::Right) = (self.selection(), selects, motion) {
            return self.go(if motion == Motion::Left { from } else { to }, false);
        }
        if let Motion::Lines(by) = motion {
            let goal = self.goal.unwrap_or_else(|| columns::cell_of(&self.lines[self.cursor.line], self.cursor.byte));
            let to = match self.cursor.line.checked_add_signed(by) {
                None => Place::default(),
                Some(line) if line >= self.lines.len() => self.end(),
                Some(line) => Place { line, byte: columns::byte_of(&self.lines[line], goal) },
            };
            self.set_cursor(to, selects);
            self.goal = Some(goal);
            return;
        }
        let to = self.after(motion);
        self.go(to, selects);
    }

    fn after(&self, motion: Motion) -> Place {
        let Place { line, byte } = self.cursor;
        let text = &self.lines[line];
        let before = line.checked_sub(1).map(|line| Place { line, byte: self.lines[line].len() });
        let below = (line + 1 < self.lines.len()).then_some(Place { line: line + 1, byte: 0 });
        let here = |byte| Place { line, byte };
        match motion {
            Motion::Left if byte == 0 => before.unwrap_or(self.cursor),
            Motion::Left => here(columns::previous(text, byte)),
            Motion::Right if byte == text.len() => below.unwrap_or(self.cursor),
            Motion::Right => here(columns::next(text, byte)),
            Motion::WordLeft if byte == 0 => before.unwrap_or(self.cursor),
            Motion::WordLeft => here(columns::previous_word(text, byte)),
            Motion::WordRight if byte == text.len() => below.unwrap_or(self.cursor),
            Motion::WordRight => here(columns::next_word(text, byte)),
            Motion::Home => {
                let start = text.len() - text.trim_start().len();
                here(if byte == start { 0 } else { start })
            }
            Motion::End => here(text.len()),
            Motion::First => Place::default(),
            Motion::Last => self.end(),
            Motion::Lines(_) => self.cursor,
        }
    }

    /// Letters come in place of what is selected; those that follow each other are taken back together, word by word.
    pub fn type_text(&mut self, text: &str) {
        let (from, to) = self.selection().unwrap_or((self.cursor, self.cursor));
        let is_typing = from == to && !text.contains('\n');
        // A space behind a word begins what is taken back next.
        let begins = |step: &Step| text.starts_with(char::is_whitespace) && step.changes.last().is_some_and(|it| !it.inserted.ends_with(char::is_whitespace));
        let merges = is_typing && self.done.last().is_some_and(|it| it.is_typing && it.after.0 == from && !begins(it));
        if merges && self.saved != Some(self.done.len()) && self.undone.is_empty() {
            let end = self.put(from, from, text);
            (self.cursor, self.anchor, self.goal) = (end, None, None);
            if let Some(step) = self.done.last_mut() {
                step.after = (end, None);
                if let Some(change) = step.changes.last_mut() {
                    change.inserted.push_str(text);
                }
            }
            return;
        }
        self.change(&[(from, to, text)]);
        if let Some(step) = self.done.last_mut() {
            step.is_typing = is_typing;
        }
    }

    /// Takes away what is selected, or what a motion goes over.
    pub fn erase(&mut self, motion: Motion) {
        let (from, to) = self.selection().unwrap_or_else(|| {
            let other = self.after(motion);
            (other.min(self.cursor), other.max(self.cursor))
        });
        if from != to {
            self.change(&[(from, to, "")]);
        }
    }

    /// A new line that begins as this one does.
    pub fn break_line(&mut self) {
        let from = self.selection().map_or(self.cursor, |(from, _)| from);
        let line = &self.lines[from.line];
        let indent = (line.len() - line.trim_start_matches([' ', '\t']).len()).min(from.byte);
        let text = format!("\n{}", &line[..indent]);
        self.type_text(&text);
    }

    /// Replaces several parts in one step: places as they are before, in order, without overlap. The cursor goes behind the last one.
    pub fn change(&mut self, parts: &[(Place, Place, &str)]) {
        let before = (self.cursor, self.anchor);
        let (mut changes, mut cursor) = (Vec::new(), None);
        // From the end, so that the places before stay what they are.
        for (from, to, text) in parts.iter().rev() {
            let removed = self.between(*from, *to);
            let end = self.put(*from, *to, text);
            changes.push(Change { at: *from, removed, inserted: (*text).to_owned() });
            cursor.get_or_insert((end, *to));
        }
        let Some((end, was)) = cursor else { return };
        // What came before it on other lines has moved it.
        let moved: isize = parts[..parts.len() - 1].iter().map(|(from, to, text)| text.matches('\n').count() as isize - (to.line - from.line) as isize).sum();
        let on_line: isize = parts[..parts.len() - 1]
            .iter()
            .filter(|(from, to, text)| from.line == was.line && to.line == was.line && !text.contains('\n'))
            .map(|(from, to, text)| text.len() as isize - (to.byte - from.byte) as isize)
            .sum();
        let byte = if end.line == parts[parts.len() - 1].0.line { end.byte.saturating_add_signed(on_line) } else { end.byte };
        self.cursor = self.clamp(Place { line: end.line.saturating_add_signed(moved), byte });
        (self.anchor, self.goal) = (None, None);
        // What was on the disk lies on a way that is left.
        if self.saved.is_some_and(|it| it > self.done.len()) {
            self.saved = None;
        }
        self.undone.clear();
        self.done.push(Step { changes, before, after: (self.cursor, None), is_typing: false });
    }

    /// Moves lines that are selected, or that of the cursor, in or out by `unit`.
    pub fn indent(&mut self, unit: &str, is_out: bool) {
        let (from, to) = self.selection().unwrap_or((self.cursor, self.cursor));
        let last = if to.line > from.line && to.byte == 0 { to.line - 1 } else { to.line };
        let parts: Vec<(Place, Place, &str)> = (from.line..=last)
            .filter_map(|line| {
                let (text, start) = (&self.lines[line], Place { line, byte: 0 });
                if !is_out {
                    return (!text.is_empty()).then_some((start, start, unit));
                }
                let off = if text.starts_with('\t') { 1 } else { text.bytes().take(unit.len().max(1)).take_while(|it| *it == b' ').count() };
                (off > 0).then_some((start, Place { line, byte: off }, ""))
            })
            .collect();
        if parts.is_empty() {
            return;
        }
        let (cursor, anchor, before) = (self.cursor, self.anchor, self.lines.iter().map(String::len).skip(from.line).take(last + 1 - from.line).collect::<Vec<_>>());
        self.change(&parts);
        // What was selected stays so.
        let moved = |it: Place| {
            let Some(then) = it.line.checked_sub(from.line).and_then(|at| before.get(at)) else { return it };
            let by = self.lines[it.line].len() as isize - *then as isize;
            if it.byte == 0 && by > 0 && anchor.is_some() { it } else { Place { byte: it.byte.saturating_add_signed(by), ..it } }
        };
        let (cursor, anchor) = (moved(cursor), anchor.map(moved));
        (self.cursor, self.anchor) = (self.clamp(cursor), anchor.map(|it| self.clamp(it)));
        if let Some(step) = self.done.last_mut() {
            step.after = (self.cursor, self.anchor);
        }
    }

    /// Takes back the last step.
    pub fn undo(&mut self) {
        let Some(step) = self.done.pop() else { return };
        for change in step.changes.iter().rev() {
            let end = advanced(change.at, &change.inserted);
            self.put(change.at, end, &change.removed);
        }
        ((self.cursor, self.anchor), self.goal) = (step.before, None);
        self.undone.push(step);
    }

    /// Does again what was taken back.
    pub fn redo(&mut self) {
        let Some(mut step) = self.undone.pop() else { return };
        for change in &step.changes {
            let end = advanced(change.at, &change.removed);
            self.put(change.at, end, &change.inserted);
        }
        ((self.cursor, self.anchor), self.goal) = (step.after, None);
        step.is_typing = false;
        self.done.push(step);
    }

    fn end_typing(&mut self) {
        if let Some(step) = self.done.last_mut() {
            step.is_typing = false;
        }
    }

    /// Puts a text in the place of what is between; where it ends.
    fn put(&mut self, from: Place, to: Place, text: &str) -> Place {
        self.touched = Some(self.touched.map_or(from.line, |it| it.min(from.line)));
        if from.line == to.line && !text.contains('\n') {
            self.lines[from.line].replace_range(from.byte..to.byte, text);
            return Place { line: from.line, byte: from.byte + text.len() };
        }
        let tail = self.lines[to.line][to.byte..].to_owned();
        let mut new: Vec<String> = text.split('\n').map(str::to_owned).collect();
        new[0].insert_str(0, &self.lines[from.line][..from.byte]);
        let last = new.len() - 1;
        let end = Place { line: from.line + last, byte: new[last].len() };
        new[last].push_str(&tail);
        self.lines.splice(from.line..=to.line, new);
        end
    }
}

/// Where a text ends that begins at a place.
fn advanced(at: Place, text: &str) -> Place {
    match text.rsplit_once('\n') {
        None => Place { byte: at.byte + text.len(), ..at },
        Some((before, last)) => Place { line: at.line + before.matches('\n').count() + 1, byte: last.len() },
    }
}
