//! What language, key bindings, menus and IPC may ask the system to do, as typed values.
//!
//! * [`Action`]: the one enum of everything that can be asked for.
//! * [`Plan`]: actions in order, each with one line of why and a [`Risk`].
//! * [`desktop`]: what can be asked of the desktop, also in words.
//! * [`risk`]: the risk class of a command line, read from its syntax tree. It never comes from a model.
//! * [`shell`]: a command line as a flat list of the programs it would start.
//! * [`explain`]: what each part of a command line means, in words.
//! * [`quote`]: words for the shell that mean exactly themselves.

pub mod action;
pub mod desktop;
pub mod explain;
pub mod quote;
pub mod risk;
pub mod shell;

pub use action::{Action, Plan, Step};
pub use desktop::DesktopAction;
pub use quote::quote;
pub use risk::{Risk, RiskContext, classify};
