//! Menus of other programs that GDE shows for them.

use serde::{Deserialize, Serialize};

/// A menu.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Menu {
    /// What its end is told by.
    pub id: u32,
    /// What is in it, from above.
    pub items: Vec<MenuItem>,
}

/// A line of a menu.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MenuItem {
    /// What it is told by when it is chosen.
    pub id: i32,
    /// In words; a line between others where there are none.
    pub label: String,
    /// Whether it can be chosen.
    pub is_enabled: bool,
    /// What stands before the words.
    pub mark: Mark,
    /// The menu behind it, where it has one: then it is not chosen itself.
    pub items: Vec<MenuItem>,
}

impl Default for MenuItem {
    fn default() -> Self {
        MenuItem { id: 0, label: String::new(), is_enabled: true, mark: Mark::None, items: Vec::new() }
    }
}

/// What stands before the words of a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// Nothing.
    #[default]
    None,
    /// That it is on.
    Check,
    /// That it is the one of several.
    Dot,
}
