//! What the desktop has learnt of windows that are used together.

use serde::{Deserialize, Serialize};

/// All that was learnt.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Habits {
    /// Whether more is learnt.
    pub learns: bool,
    /// Whether arrangements are offered.
    pub offers: bool,
    /// How many sessions are remembered, without the present one.
    pub sessions: usize,
    /// The most frequent first.
    pub habits: Vec<Habit>,
}

/// Programs that were used together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Habit {
    /// Their windows, where they were last.
    pub windows: Vec<Usual>,
    /// In how many sessions they were there.
    pub times: usize,
    /// Of how many in which they were together.
    pub of: usize,
}

/// Where a program's window was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usual {
    /// What the program calls itself.
    pub app: String,
    /// The screen's name.
    pub output: String,
    /// From 1.
    pub workspace: usize,
    /// The part of the screen, in words.
    pub place: String,
}
