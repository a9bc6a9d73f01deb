//! What happens, and what is asked.

use file_operations::entry::{Entry, Order};
use file_operations::preview::Preview;
use file_operations::transfer::{Collision, Progress, Way};
use file_operations::trash::Item;
use file_operations::undo::Done;
use genai_ui::core::keyboard::Modifiers;
use std::path::PathBuf;
use std::sync::Arc;

use crate::places::Place;

/// How folders are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// A line for each entry.
    List,
    /// A tile.
    Grid,
}

/// What was read of a place.
#[derive(Debug)]
pub struct Listing {
    /// All that is there, or why that is not known.
    pub entries: Result<Vec<Entry>, String>,
    /// In the trash: what the entries were.
    pub items: Vec<Item>,
    /// Bytes that its filesystem has room for.
    pub free: Option<u64>,
}

/// A look into a file.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Which.
    pub path: PathBuf,
    /// What can be shown of it.
    pub preview: Preview,
    /// What kind it is, as MIME names it.
    pub mime: &'static str,
}

/// What happens.
#[derive(Debug, Clone)]
pub enum Message {
    /// Another place.
    Go(Place),
    /// The place of that number at the side.
    GoNumber(usize),
    /// The place before.
    Back,
    /// The one that was left by going back.
    Forward,
    /// The folder that this one is in.
    Up,
    /// A path is to be typed.
    GoTo,
    /// What is there may be otherwise now.
    Changed,
    /// What is there was read.
    Listed(u64, Arc<Listing>),
    /// Something was found by its name.
    Found(u64, Vec<Entry>),
    /// Nothing more will be.
    FoundAll(u64),
    /// Names with these words are looked for.
    Search(String),
    /// A letter was typed beside all fields.
    Letter(String),
    /// The field for words is to have the keys.
    Find,
    /// A click on an entry.
    Click(usize),
    /// The keyboard goes to another entry, so many further on; all up to it are chosen, or it alone.
    Step(isize, bool),
    /// All are chosen.
    All,
    /// The chosen one is opened.
    Open,
    /// The chosen archive is unpacked.
    Extract,
    /// Keys such as Ctrl are held.
    Held(Modifiers),
    /// How folders are shown.
    Show(Layout),
    /// By what they are ordered; the same again turns the order round.
    Sort(Order),
    /// What begins with a dot is shown or not.
    Hidden,
    /// More of a long list.
    More,
    /// The chosen ones are to be copied or moved.
    Take(Way),
    /// To here.
    Put,
    /// What the clipboard holds, to here.
    Pasted(Option<String>),
    /// What to do with names that are taken.
    Collide(Collision),
    /// Into the trash, or out of it for ever.
    Throw,
    /// For ever.
    Delete,
    /// It is meant.
    Confirm,
    /// Back to where they were.
    Restore,
    /// The whole trash goes for ever.
    Empty,
    /// The chosen one is to get another name.
    Name,
    /// A new folder.
    NewFolder,
    /// Letters of a name or a path.
    Naming(String),
    /// It is complete.
    Named,
    /// Not so; stop.
    Cancel,
    /// The last change is taken back.
    Undo,
    /// Work goes on.
    Progress(Progress),
    /// It is done, as far as that was possible.
    Did(Arc<(String, Vec<Done>, Result<(), String>)>),
    /// Changes were taken back; what is left.
    Undid(Arc<(Vec<Done>, Result<(), String>)>),
    /// A file was looked into.
    Looked(Seen),
    /// The window has the keys no more: others may use the clipboard.
    Left,
    /// A program was started for a file, or why none was.
    Opened(Result<(), String>),
    /// What is saved for another program is to be called so.
    Saving(String),
    /// All filters are to be seen.
    Filters,
    /// Files are to be of another kind.
    Filter(usize),
    /// It is chosen.
    Accept,
    /// The window is to be closed.
    Close,
}

/// What waits for an answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Asking {
    /// A name: of this entry, or of a new folder.
    Name(Option<PathBuf>, String),
    /// A path to go to.
    Path(String),
    /// What to do with names that are taken.
    Collision(Way, Vec<PathBuf>),
    /// Whether these are to go for ever.
    Delete(Doomed),
    /// Whether another program may write over a file.
    Replace(PathBuf),
    /// What kind of files is to be seen.
    Filter,
}

/// What is to go for ever.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Doomed {
    /// What lies in the trash.
    Items(Vec<Item>),
    /// What does not.
    Paths(Vec<PathBuf>),
}

impl Doomed {
    /// How many.
    pub(crate) fn len(&self) -> usize {
        match self {
            Doomed::Items(items) => items.len(),
            Doomed::Paths(paths) => paths.len(),
        }
    }
}
