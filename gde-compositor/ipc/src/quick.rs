//! The quick settings, as other programs see them.

use serde::{Deserialize, Serialize};

/// Something in the quick settings that can be pressed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuickControl {
    /// What it is called here: `dark`, `power-off`.
    pub name: String,
    /// The words on it.
    pub label: String,
    /// More words; may be empty.
    pub detail: String,
    /// Left edge, in logical pixels.
    pub x: i32,
    /// Upper edge.
    pub y: i32,
    /// Width.
    pub width: i32,
    /// Height.
    pub height: i32,
    /// Whether what it stands for holds; none where it is no switch.
    pub is_on: Option<bool>,
    /// Whether the keyboard is at it.
    pub is_chosen: bool,
}
