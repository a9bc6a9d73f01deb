//! Random system calls with plausible and with senseless arguments, to show that nothing a program does harms the kernel.
//!
//! A round is a forked child with a scratch directory, limits, and a seed of its own, so that any round can be run again alone
//! (`--seed S --first N --rounds 1 --trace`). Rounds alternate between root and uid 1000. As root, what would end the test on purpose is left
//! out (see [`calls::Rule`]); the user may try everything, for it must be refused. A child that makes no progress is killed; one that
//! cannot be killed is the kernel's fault, and ends the run with status 1.

mod args;
mod calls;
mod child;
mod parent;
mod shared;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// Makes random system calls. For virtual machines only: run as root, it might do harm.
#[derive(Parser)]
#[command(name = "syscall-fuzz")]
pub struct Options {
    /// How many calls to make, at least
    #[arg(long, value_name = "N", default_value_t = 60_000)]
    calls: u64,
    /// The first seed; each round's is made of it and of the round's number
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// The number of the first round
    #[arg(long, value_name = "N", default_value_t = 0)]
    first: u64,
    /// End after so many rounds, however few calls were made
    #[arg(long, value_name = "N")]
    rounds: Option<u64>,
    /// Say each call on standard error before it is made
    #[arg(long)]
    trace: bool,
    /// Where children may write; made, and emptied after each round
    #[arg(long, value_name = "DIR", default_value = "/tmp/syscall-fuzz")]
    scratch: PathBuf,
}

fn main() -> anyhow::Result<ExitCode> {
    let options = Options::parse();
    parent::run(&options)
}
