//! From windows to pixels.
//!
//! * [`software`]: the renderer, behind smithay's traits, so that smithay's damage tracker, its elements for surfaces, and its occlusion
//!   culling work with it, and another renderer can take its place.
//! * [`picture`]: pictures of our own as elements.
//! * [`shadow`]: soft shadows, without a picture of them.
//! * [`scene`]: what a screen shows, from the topmost to the lowest.

pub mod picture;
pub mod scene;
pub mod shadow;
pub mod software;

pub use picture::Picture;
pub use scene::SceneElement;
pub use software::{Software, Target};
