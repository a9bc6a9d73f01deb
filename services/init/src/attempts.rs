//! How many starts in a row did not reach their target.

use std::fs;
use std::io;

/// Where it is kept.
const FILE: &str = "/var/lib/gci/failed-starts";
/// After so many the recovery target is started.
pub const LIMIT: u32 = 3;

fn read() -> u32 {
    fs::read_to_string(FILE).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

fn write(count: u32) -> io::Result<()> {
    fs::create_dir_all("/var/lib/gci")?;
    let new = format!("{FILE}.new");
    fs::write(&new, format!("{count}\n"))?;
    fs::rename(new, FILE)
}

/// A start begins: how many before it failed. It counts as failed until [`succeeded`].
pub fn begin() -> u32 {
    let failed = read();
    // The one after the limit is of its own kind: it does not count.
    if let Err(error) = write(failed.saturating_add(1).min(LIMIT)) {
        tracing::warn!("{FILE} cannot be written: {error}");
    }
    failed
}

/// The start has reached its target.
pub fn succeeded() {
    if let Err(error) = write(0) {
        tracing::warn!("{FILE} cannot be written: {error}");
    }
}
