//! Virtual machines of GenAI OS: start, commands, screen, input.

pub mod broker;
pub mod exec;
