//! The tool behind `./gos`: builds, starts machines, tests, measures.

mod bench;
mod bench_desktop;
mod build;
mod cargo;
mod cli;
mod images;
mod models;
mod project;
mod recipe;
mod run;
mod test;
mod vm_verbs;

use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use cli::{Cli, Verb};
use project::Project;

fn main() -> ExitCode {
    let filter = EnvFilter::try_from_env("GOS_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).without_time().init();
    let cli = Cli::parse();
    // Failures of ours, as opposed to those of a command in the guest.
    let failure = if matches!(cli.verb, Verb::Vm { verb: cli::VmVerb::Exec { .. } }) { 125 } else { 1 };
    match dispatch(cli) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("gos: {error:#}");
            ExitCode::from(failure)
        }
    }
}

fn dispatch(cli: Cli) -> anyhow::Result<u8> {
    let project = Project::find()?;
    match cli.verb {
        Verb::Build(options) => build::build(&project, &options).map(|()| 0),
        Verb::Run(options) => run::run(&project, &options),
        Verb::Test { filter } => test::test(&project, filter.as_deref()),
        Verb::Bench { name, edition, json } => bench::bench(&project, name.as_deref(), edition.as_deref(), json).map(|()| 0),
        Verb::Recipe { verb } => recipe::run(&project, &verb),
        Verb::Vm { verb } => vm_verbs::run(&project, verb),
        Verb::Keep { dir, machine } => run::keep(&dir, &machine).map(|()| 0),
    }
}
