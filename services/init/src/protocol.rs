//! What `gci` and process 1 say to each other: a JSON line each way, on a unix socket.

use serde::{Deserialize, Serialize};

/// Where process 1 listens.
pub const SOCKET: &str = "/run/gci.sock";
/// The longest request, in bytes.
pub const MAX_REQUEST: usize = 64 << 10;

/// What is asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// The state of all units.
    Status,
    /// Starts units; the answer comes when they are ready or have failed.
    Start { units: Vec<String> },
    /// Stops units; the answer comes when they have.
    Stop { units: Vec<String> },
    /// Stops and starts units.
    Restart { units: Vec<String> },
    /// Lets units read their configuration anew.
    Reload { units: Vec<String> },
    /// Starts a target, and stops what it does not take.
    Isolate { target: String },
    /// What a start would do.
    Plan { units: Vec<String> },
    /// Reads the unit files anew.
    Load,
    /// Ends the system.
    Shutdown { ending: crate::shutdown::Ending },
}

/// The answer.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Answer {
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What there is to say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The state, to `Status`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<Report>,
}

impl Answer {
    /// An error.
    pub fn error(error: impl ToString) -> Self {
        Answer { error: Some(error.to_string()), ..Answer::default() }
    }
}

/// The state of the system.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// What is to be reached.
    pub target: String,
    /// Whether it has been, and when (microseconds after the first instruction of GCI).
    pub reached_us: Option<u64>,
    /// Whether anything is still to start.
    pub is_starting: bool,
    /// The units.
    pub units: Vec<UnitReport>,
}

/// The state of a unit.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct UnitReport {
    /// Its name.
    pub name: String,
    /// What it is.
    pub description: String,
    /// inactive, waiting, starting, active, stopping, restarting, failed, skipped, listening.
    pub state: String,
    /// Why, where there is more to say.
    pub detail: String,
    /// Its process.
    pub pid: Option<u32>,
    /// How often it was started again.
    pub restarts: u32,
    /// The priority of its class, 1 to 5.
    pub priority: u8,
    /// Whether its targets start it.
    pub is_enabled: bool,
    /// When it was asked for, its process began, it was ready: microseconds after the first instruction of GCI.
    pub asked_us: Option<u64>,
    /// See above.
    pub started_us: Option<u64>,
    /// See above.
    pub ready_us: Option<u64>,
    /// What it waited for.
    pub after: Vec<String>,
    /// Its command.
    pub command: String,
    /// Its file.
    pub file: String,
}
