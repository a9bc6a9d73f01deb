//! From plain English to a typed plan.
//!
//! The pipeline: the request is split into tokens and typed entities ([`mod@request`], [`entity`]); a linear classifier
//! over hashed features names the likely intents ([`model`], [`features`]); each one's builder in the [`catalogue`] fills
//! its slots and makes a command line; [`engine`] ranks the readings by the classifier and by how much of the request
//! they account for, checks the command (it parses, its programs exist) and puts the risk class on it.
//!
//! Before it, rules read what goes on from the last plan ([`follow`]), what is about windows ([`windows`]), whole sentences (`free`) and what is put together of parts (`compose`); where the classifier is unsure,
//! the command of the most similar known request is adapted ([`recall`]). Among the readings of all stages, [`chosen`] takes another one first where it clearly goes better with the wording ([`likely`]).
//!
//! Slots copy words of the request or name what exists; no text is ever made up.

pub mod catalogue;
pub mod chosen;
mod compose;
mod free;
pub mod engine;
pub mod entity;
pub mod features;
pub mod follow;
pub mod likely;
mod guard;
mod located;
mod lost;
pub mod model;
mod prompted;
pub mod recall;
pub mod request;
pub mod text;
pub mod train;
pub mod vocabulary;
pub mod windows;
pub mod world;

pub use engine::{Answer, Context, Reading, Stages, ask};
pub use world::{LiveWorld, World};
