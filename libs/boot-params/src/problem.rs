//! What was wrong with a command line, in words for the user.

use core::fmt;

/// How many problems are kept in full; further ones are only counted.
const MAX_PROBLEMS: usize = 16;

/// One parameter whose value was not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Problem<'a> {
    /// The parameter, as written.
    pub name: &'a str,
    /// Its value, as written.
    pub value: Option<&'a str>,
    /// Why, and what is used instead.
    pub reason: Reason,
}

/// Why a value was not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The value is none of the allowed ones.
    NotAllowed {
        /// What is allowed, in words.
        allowed: &'static str,
        /// What is used instead.
        default: &'static str,
    },
    /// The parameter needs a value and has none.
    NoValue {
        /// What is allowed, in words.
        allowed: &'static str,
        /// What is used instead.
        default: &'static str,
    },
    /// The parameter takes no value; it counts as given without one.
    UnwantedValue,
}

impl Reason {
    pub(crate) const BAD_FLAG: Self = Self::NotAllowed {
        allowed: "no value, on or off",
        default: "off",
    };
    pub(crate) const BAD_DEBUG_EXIT: Self = Self::NotAllowed {
        allowed: "no value or an I/O port from 0x1 to 0xffff",
        default: "0xf4",
    };
    pub(crate) const BAD_CONSOLE: Self = Self::NotAllowed {
        allowed: CONSOLES,
        default: ALL_CONSOLES,
    };
    pub(crate) const NO_CONSOLE: Self = Self::NoValue {
        allowed: CONSOLES,
        default: ALL_CONSOLES,
    };
    pub(crate) const UNWANTED_VALUE: Self = Self::UnwantedValue;
}

const CONSOLES: &str = "ttyS0, ttyS0,BAUD, tty0 or tty1";
const ALL_CONSOLES: &str = "the other consoles named, or all";

impl fmt::Display for Problem<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.reason, self.value) {
            (Reason::NotAllowed { allowed, default }, value) => write!(
                f,
                "boot parameter {}: bad value \"{}\" (allowed: {allowed}); using {default}",
                self.name,
                value.unwrap_or_default()
            ),
            (Reason::NoValue { allowed, default }, _) => {
                write!(
                    f,
                    "boot parameter {}: needs a value (allowed: {allowed}); using {default}",
                    self.name
                )
            }
            (Reason::UnwantedValue, value) => write!(
                f,
                "boot parameter {}: takes no value; ignoring \"{}\"",
                self.name,
                value.unwrap_or_default()
            ),
        }
    }
}

/// The problems of a command line, in the order found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems<'a> {
    kept: [Option<Problem<'a>>; MAX_PROBLEMS],
    count: usize,
}

impl<'a> Problems<'a> {
    /// The problems; at most 16, see [`Problems::count`].
    pub fn iter(&self) -> impl Iterator<Item = &Problem<'a>> {
        self.kept.iter().flatten()
    }

    /// How many there were, also those not kept.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Whether the command line was fine.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(crate) fn push(&mut self, problem: Problem<'a>) {
        if let Some(slot) = self.kept.get_mut(self.count) {
            *slot = Some(problem);
        }
        self.count = self.count.saturating_add(1);
    }
}
