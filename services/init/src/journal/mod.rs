//! The journal: a record a line, in JSON, in a folder whose size is bounded.
//!
//! A thread of its own reads what services write, and the kernel's log, and writes records. So process 1 never waits for a disk. A record that a
//! power cut has torn is not read; the next one begins a new line.

pub mod reader;
mod store;
mod writer;

pub use writer::{Journal, Kernel};

use serde::{Deserialize, Serialize};

/// Where it lies.
pub const FOLDER: &str = "/var/log/gci";

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// When: microseconds since 1970.
    #[serde(rename = "t")]
    pub time_us: u64,
    /// Which start of the system.
    #[serde(rename = "b")]
    pub boot: String,
    /// Whose message it is; `kernel` is the kernel's.
    #[serde(rename = "u")]
    pub unit: String,
    /// syslog's number: 0 (emergency) to 7 (debug).
    #[serde(rename = "p")]
    pub priority: u8,
    /// The text.
    #[serde(rename = "m")]
    pub message: String,
}

/// syslog's names of priorities.
pub const PRIORITIES: [&str; 8] = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];

/// A text's priority where it begins with `<N>`, and the rest.
pub fn split_priority(text: &str, default: u8) -> (u8, &str) {
    let found = text.strip_prefix('<').and_then(|rest| {
        let (number, rest) = rest.split_once('>')?;
        Some((number.parse::<u8>().ok().filter(|number| *number < 8)?, rest))
    });
    found.unwrap_or((default, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn priorities() {
        assert_eq!(split_priority("<3>bad", 6), (3, "bad"));
        assert_eq!(split_priority("<9>x", 6), (6, "<9>x"));
        assert_eq!(split_priority("<html>", 5), (5, "<html>"));
    }
}
