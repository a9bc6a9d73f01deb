//! The units of GCI, process 1 of GenAI OS: what is to run, written as `.gcservice` and `.gctarget` files, and in which order.
//!
//! A unit file has sections of `Key=Value` lines (`docs/src/init.md` has all keys):
//!
//! ```
//! use gci_units::{Unit, UnitName};
//!
//! let text = "\
//! [GenAI Service]
//! Description=Answers on a socket
//! Type=ai notify
//! ExecStart=/usr/bin/answerd --port 80
//! Restart=on-failure
//!
//! [Dependencies]
//! Requires=storaged
//! After=storaged
//!
//! [Installation]
//! WantedBy=console.target
//! ";
//! let parsed = Unit::parse(UnitName::new("answerd").unwrap(), "answerd.gcservice", text);
//! assert!(parsed.problems.is_empty());
//! assert_eq!(parsed.unit.unwrap().class.priority(), 2);
//! ```
//!
//! * [`name`]: names of units; [`problem`]: what is wrong with a file, and what to do about it;
//! * [`syntax`], [`values`], [`command`]: lines, values, command lines; [`unit`]: a unit as a typed struct;
//! * [`set`]: all units of a system, from their folders; [`conditions`]: whether a unit is for this boot;
//! * [`graph`]: which units a request takes, in which order, and loops of dependencies.
//!
//! Nothing here starts anything or panics on any input; everything is bounded.

#![forbid(unsafe_code)]

pub mod command;
pub mod conditions;
pub mod graph;
pub mod name;
pub mod problem;
pub mod set;
pub mod syntax;
pub mod unit;
pub mod values;

mod keys;

pub use conditions::{Circumstances, Skip};
pub use graph::{Loop, Plan};
pub use name::{Kind, UnitName};
pub use problem::{Problem, Severity};
pub use set::UnitSet;
pub use unit::{Activation, Class, Integration, Parsed, Readiness, Restart, Unit};
