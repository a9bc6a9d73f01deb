//! From windows to pixels.
//!
//! * [`renderer`]: what draws, behind smithay's traits; [`op`]: what a frame is made of.
//! * [`software`] and [`vulkan`]: who draws it; [`choice`]: which of them.
//! * [`texture`]: what is drawn from and into; [`mirror`]: what a graphics card has of it.
//! * [`picture`]: pictures of our own as elements.
//! * [`shadow`]: soft shadows, without a picture of them.
//! * [`scene`]: what a screen shows, from the topmost to the lowest.

pub mod choice;
pub mod mirror;
pub mod op;
pub mod picture;
pub mod renderer;
pub mod scene;
pub mod shadow;
pub mod software;
pub mod texture;
pub mod vulkan;

pub use picture::Picture;
pub use renderer::Renderer;
pub use scene::SceneElement;
pub use texture::{Target, TargetId};
