//! Runs a GGUF model for genaid, by llama.cpp: genaid's protocol on standard input and output, one request at a time.
//!
//! What the model has read stays in its memory: of the next prompt only what differs is read. The beginning of a prompt that
//! the system message makes is also kept on disk, so that a new process need not read it again.

pub mod kept;
pub mod text;

#[cfg(feature = "llama")]
mod choice;
#[cfg(feature = "llama")]
mod model;
#[cfg(feature = "llama")]
mod runner;

#[cfg(feature = "llama")]
pub use runner::run;
