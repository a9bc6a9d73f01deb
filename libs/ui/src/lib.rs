//! What GenAI OS's apps share: [iced](https://iced.rs) widgets on a renderer that only blends integers ([`Renderer`]), one look ([`theme`], [`parts`]), the way to run
//! a program in a window ([`run`]), and without any for tests ([`headless`]).

mod app;
pub mod appearance;
pub mod headless;
pub mod job;
pub mod parent;
pub mod parts;
pub mod plot;
mod render;
pub mod theme;

pub use app::{App, run};
pub use iced_core as core;
pub use iced_futures as futures;
pub use iced_runtime as runtime;
pub use iced_widget as widget;
pub use render::{Compositor, Renderer, cells, rgba};

pub use iced_core::Theme;
pub use iced_runtime::Task;

/// An element of a program's view.
pub type Element<'a, Message> = iced_core::Element<'a, Message, Theme, Renderer>;
