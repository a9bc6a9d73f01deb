//! The windows that are seen now.

use std::collections::BTreeMap;

use crate::{APPS, Place, is_name};

/// A window that is seen: no dialog, and nothing that covers the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its number.
    pub window: u64,
    /// What its program calls itself.
    pub app: String,
    /// Where it is.
    pub place: Place,
    /// Whether it has the keyboard.
    pub is_focused: bool,
}

/// What is seen on the present workspace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// From 0.
    pub workspace: u8,
    /// The screens that are there.
    pub outputs: Vec<String>,
    /// The windows.
    pub windows: Vec<Seen>,
}

impl View {
    /// The programs that have one window here; of several it is not known which one is meant.
    pub fn by_app(&self) -> BTreeMap<&str, &Seen> {
        let mut found: BTreeMap<&str, Vec<&Seen>> = BTreeMap::new();
        for seen in &self.windows {
            found.entry(&seen.app).or_default().push(seen);
        }
        let single = found.into_iter().filter(|(_, seen)| seen.len() == 1).map(|(app, seen)| (app, seen[0]));
        single.filter(|(app, seen)| is_name(app) && seen.place.is_good()).take(APPS).collect()
    }
}
