//! The pages: what each shows and does.

pub mod about;
pub mod ai;
pub mod appearance;
pub mod display;
pub mod keyboard;
pub mod network;
pub mod updates;
pub mod users;
