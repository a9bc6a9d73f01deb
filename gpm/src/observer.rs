//! How the library tells what it is doing, and is told to stop.

use crate::manifest::Moment;

/// Something that happens.
#[derive(Clone, Debug, PartialEq)]
pub enum Event<'a> {
    /// Bytes of a download have come.
    Fetch {
        /// What is fetched.
        name: &'a str,
        /// Bytes so far.
        done: u64,
        /// Bytes in all, where that is known.
        total: Option<u64>,
    },
    /// A package is being verified.
    Verify {
        /// Its name.
        name: &'a str,
    },
    /// A package's files are being laid out beside the system.
    Unpack {
        /// Its name.
        name: &'a str,
        /// How many packages have been laid out before.
        done: usize,
        /// How many packages there are.
        total: usize,
    },
    /// One step of the switch to the new system is about to be made.
    Step {
        /// What it does to which file.
        what: &'a str,
        /// How many have been made.
        done: usize,
        /// How many there are; 0 while that is not known yet.
        total: usize,
    },
    /// A scriptlet or a trigger begins.
    Script {
        /// The package it is from.
        package: &'a str,
        /// When it runs; `None` for a trigger.
        moment: Option<Moment>,
    },
    /// A line that a scriptlet or a trigger has written.
    Output {
        /// The package it is from.
        package: &'a str,
        /// The line.
        line: &'a str,
    },
    /// Something that its owner should know, such as a configuration file that has been kept.
    Note {
        /// In words.
        text: &'a str,
    },
}

/// Who is told. All methods may be called from several threads at once.
pub trait Observer: Sync {
    /// Told of an event.
    fn event(&self, event: &Event<'_>) {
        let _ = event;
    }

    /// Whether to stop. Asked often until the switch to the new system begins; from then on nothing can be stopped half-way.
    fn cancelled(&self) -> bool {
        false
    }
}

/// One who hears nothing and never stops anything.
pub struct Silent;

impl Observer for Silent {}
