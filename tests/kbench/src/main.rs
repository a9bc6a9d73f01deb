//! Times what programs ask of a kernel. Prints one JSON object a line: `{"name": ..., "unit": ..., "value": ...}`.
//!
//! `kbench [FILTER]` takes the measurements whose name contains FILTER. Each runs in batches of some tens of milliseconds, and the best batch
//! counts: on a busy host the others measure the host.

mod clock;
mod files;
mod memory;
mod pairs;
mod processes;
mod sys;

use std::io::{self, Write};

/// A measurement: its name, its unit, and how it is taken.
pub struct Measurement {
    name: &'static str,
    unit: &'static str,
    take: fn() -> io::Result<f64>,
}

const fn measure(name: &'static str, unit: &'static str, take: fn() -> io::Result<f64>) -> Measurement {
    Measurement { name, unit, take }
}

const MEASUREMENTS: &[Measurement] = &[
    measure("getppid", "ns", processes::getppid),
    measure("read a byte", "ns", files::read_byte),
    measure("write a byte", "ns", files::write_byte),
    measure("open and close", "ns", files::open_close),
    measure("stat", "ns", files::stat),
    measure("context switch", "us", pairs::context_switch),
    measure("pipe latency", "us", pairs::pipe_latency),
    measure("pipe bandwidth", "MB/s", pairs::pipe_bandwidth),
    measure("AF_UNIX latency", "us", pairs::unix_latency),
    measure("AF_UNIX bandwidth", "MB/s", pairs::unix_bandwidth),
    measure("fork and exit", "us", processes::fork_exit),
    measure("fork and exec", "us", processes::fork_exec),
    measure("mmap and munmap", "us", memory::map_unmap),
    measure("page fault", "ns", memory::page_fault),
    measure("file re-read", "MB/s", files::reread),
    measure("create and delete", "us", files::create_delete),
    measure("create and delete 200 files, each", "us", files::create_delete_many),
    measure("futex wake, nobody waits", "ns", pairs::futex_wake),
    measure("futex round trip", "us", pairs::futex_round_trip),
    measure("create and join a thread", "us", processes::thread),
    measure("scheme round trip", "us", files::scheme_round_trip),
];

fn main() -> std::process::ExitCode {
    let filter = std::env::args().nth(1).unwrap_or_default();
    if filter == processes::EXIT_AT_ONCE {
        return std::process::ExitCode::SUCCESS;
    }
    for measurement in MEASUREMENTS.iter().filter(|measurement| measurement.name.contains(&filter)) {
        let Measurement { name, unit, take } = measurement;
        let written = match take() {
            Ok(value) => writeln!(io::stdout(), "{{\"name\": \"{name}\", \"unit\": \"{unit}\", \"value\": {value:.4}}}"),
            // The rest is of use all the same.
            Err(error) => writeln!(io::stderr(), "{name}: {error}"),
        };
        if written.is_err() {
            return std::process::ExitCode::FAILURE;
        }
    }
    std::process::ExitCode::SUCCESS
}
