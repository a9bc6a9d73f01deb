//! Where windows are. No Wayland objects: a window is whatever implements [`Window`], and sizes are logical pixels.
//!
//! * [`geometry`]: rectangles.
//! * [`zone`]: halves and quarters of the screen, and which one a key or a drag means.
//! * [`tiling`]: a main window and a stack beside it.
//! * [`placement`]: where a new window goes.
//! * [`layout`]: [`Layout`], all windows on all workspaces.
//! * [`history`]: every change can be undone.
//!
//! A frame is a window with its decoration. A new window never moves another one, unless its workspace is tiled.

pub mod geometry;
pub mod history;
pub mod layout;
pub mod placement;
pub mod tiling;
pub mod verify;
pub mod zone;

pub use geometry::{Point, Rect, Size};
pub use layout::{Area, Edges, Layout, Mode, Place, State, Window};
pub use zone::{Direction, Zone};

/// How many workspaces there are: one for each of the keys 1 to 9.
pub const WORKSPACES: usize = 9;
/// Pixels between tiled windows, and around them.
pub const GAP: i32 = 8;
