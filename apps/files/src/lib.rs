//! Files: folders to look at, and what is in them to copy, move, rename, throw away and bring back.
//!
//! [`message`] is what can happen, `update` what follows from it: `select` moves through lists, `change` changes what is in them. `work` does
//! on threads of its own what takes time, `watch` hears of what others change, and `view` is the window.
//! [`choose`] is the same for other programs: their questions for files.

mod change;
pub mod choose;
mod keys;
pub mod message;
pub mod places;
mod select;
mod update;
mod view;
pub mod watch;
mod work;

pub use message::{Layout, Message};

use file_operations::entry::{Entry, Sorting};
use file_operations::transfer::{Progress, Way};
use file_operations::trash::Item;
use file_operations::undo::Done;
use genai_ui::{Task, parts};
use genai_ui::core::keyboard::Modifiers;
use genai_ui::runtime::widget::operation;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use choose::Choice;
use message::{Asking, Seen};
use places::Place;

/// Entries that are shown at first, and how many more at each time.
const PORTION: usize = 200;

/// Work that goes on.
struct Working {
    label: String,
    progress: Progress,
    cancelled: Arc<AtomicBool>,
}

/// The app.
pub struct Files {
    place: Place,
    before: Vec<Place>,
    after: Vec<Place>,
    /// All that is there; in the trash the entries of its items.
    all: Vec<Entry>,
    items: Vec<Item>,
    /// What is shown of it, in order.
    shown: Vec<Entry>,
    error: Option<String>,
    free: Option<u64>,
    sorting: Sorting,
    layout: Layout,
    has_hidden: bool,
    portion: usize,
    words: String,
    /// What was asked for last: answers to older questions are not for us.
    asked: u64,
    is_listed: bool,
    searching: Option<Arc<AtomicBool>>,
    chosen: BTreeSet<PathBuf>,
    cursor: usize,
    /// Where a range of chosen ones began.
    anchor: usize,
    clicked: Option<(usize, Instant)>,
    held: Modifiers,
    /// What is to be copied or moved, and the text on the clipboard that stands for it.
    taken: Option<(Way, Vec<PathBuf>, String)>,
    /// Whether the clipboard may hold something else by now.
    was_left: bool,
    asking: Option<Asking>,
    working: Option<Working>,
    is_closing: bool,
    done: Vec<Vec<Done>>,
    said: Option<String>,
    seen: Option<Seen>,
    /// What another program wants to be chosen.
    choice: Option<Choice>,
    is_light: bool,
}

impl Files {
    /// Shows a place.
    pub fn new(place: Place, is_light: bool) -> (Self, Task<Message>) {
        let mut files = Files {
            place,
            before: Vec::new(),
            after: Vec::new(),
            all: Vec::new(),
            items: Vec::new(),
            shown: Vec::new(),
            error: None,
            free: None,
            sorting: Sorting::default(),
            layout: Layout::List,
            has_hidden: false,
            portion: PORTION,
            words: String::new(),
            asked: 0,
            is_listed: false,
            searching: None,
            chosen: BTreeSet::new(),
            cursor: 0,
            anchor: 0,
            clicked: None,
            held: Modifiers::empty(),
            taken: None,
            was_left: false,
            asking: None,
            working: None,
            is_closing: false,
            done: Vec::new(),
            said: None,
            seen: None,
            choice: None,
            is_light,
        };
        let start = files.read();
        (files, start)
    }

    /// The names that are shown, in order.
    pub fn names(&self) -> Vec<&str> {
        self.shown.iter().map(|it| it.name.as_str()).collect()
    }

    /// What is chosen, in order.
    pub fn chosen(&self) -> Vec<PathBuf> {
        self.shown.iter().map(|it| &it.path).filter(|it| self.chosen.contains(*it)).cloned().collect()
    }

    /// Whether work goes on.
    pub fn is_working(&self) -> bool {
        self.working.is_some()
    }

    /// What was said last of what was done.
    pub fn said(&self) -> Option<&str> {
        self.said.as_deref()
    }

    /// The folder that is shown; none in the trash.
    pub fn folder(&self) -> Option<&Path> {
        match &self.place {
            Place::Folder(path) => Some(path),
            Place::Trash => None,
        }
    }

    /// Reads what is there anew.
    fn read(&mut self) -> Task<Message> {
        self.stop_search();
        self.asked += 1;
        work::list(self.asked, self.place.clone())
    }

    /// Shows what is there now: as [`Files::read`], or by searching again.
    fn refresh(&mut self) -> Task<Message> {
        if self.words.trim().is_empty() { self.read() } else { self.search() }
    }

    fn go(&mut self, place: Place) -> Task<Message> {
        (self.place, self.words, self.error, self.said, self.seen) = (place, String::new(), None, None, None);
        (self.cursor, self.anchor, self.portion, self.is_listed, self.clicked) = (0, 0, PORTION, false, None);
        (self.all, self.items, self.shown) = (Vec::new(), Vec::new(), Vec::new());
        self.chosen.clear();
        let list = self.read();
        Task::batch([list, parts::unfocus(), operation::snap_to(view::LIST, operation::RelativeOffset::START)])
    }

    fn visit(&mut self, place: Place) -> Task<Message> {
        if place != self.place {
            self.after.clear();
            self.before.push(self.place.clone());
        }
        self.go(place)
    }

    fn go_up(&mut self) -> Task<Message> {
        let Some(from) = self.folder().map(Path::to_owned) else { return Task::none() };
        let Some(above) = from.parent() else { return Task::none() };
        let task = self.visit(Place::Folder(above.to_owned()));
        // Where one came from is where one goes on.
        self.chosen.insert(from);
        task
    }

    fn stop_search(&mut self) {
        if let Some(flag) = self.searching.take() {
            flag.store(true, Ordering::Relaxed);
        }
    }

    /// Looks for the words below the folder; in the trash among its entries.
    fn search(&mut self) -> Task<Message> {
        let words = self.words.trim().to_owned();
        let Some(folder) = self.folder().map(Path::to_owned) else {
            self.arrange();
            return Task::none();
        };
        if words.is_empty() {
            return self.read();
        }
        self.stop_search();
        self.asked += 1;
        self.all.clear();
        self.arrange();
        let stopped: Arc<AtomicBool> = Arc::default();
        self.searching = Some(Arc::clone(&stopped));
        work::search(self.asked, folder, words, stopped)
    }
}
