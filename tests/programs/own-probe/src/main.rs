//! Uses of what only our kernel has: one a run, named by the argument.

mod late_scheme;
mod ports;

use std::io;

fn main() -> io::Result<()> {
    match std::env::args().nth(1).as_deref() {
        Some("late-scheme") => late_scheme::run(),
        Some("ports") => ports::run(),
        other => Err(io::Error::other(format!("no such use: {other:?}"))),
    }
}
