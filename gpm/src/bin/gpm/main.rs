//! `gpm`: the package manager's command.

mod args;
mod documents;
mod make;
mod repo;
mod show;
mod wish;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use gpm::Gpm;
use gpm::transaction::Recovered;

use args::{Args, Command};
use show::{Output, Progress};

fn main() -> ExitCode {
    let args = Args::parse();
    let output = Output::new(args.json);
    match run(&args, &output) {
        Ok(code) => code,
        Err(error) => {
            output.error(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args, output: &Output) -> Result<ExitCode> {
    let progress = Progress::new(output);
    // What needs no tree.
    match &args.command {
        Command::Build(build) => return make::build(build, output),
        Command::Key(key) => return make::key(key, output),
        Command::Documents { folder } => return documents::write(folder),
        Command::Import { from } => return make::import(from, output),
        Command::Repo { command } if repo::needs_no_tree(command) => return repo::look_after(command, output),
        _ => {}
    }
    let gpm = Gpm::new(&args.root, &progress)?;
    match &args.command {
        Command::Install(wish) => wish::install(&gpm, wish, output),
        Command::Remove(wish) => wish::remove(&gpm, wish, output),
        Command::Upgrade(wish) => wish::upgrade(&gpm, wish, output),
        Command::Downgrade(wish) => wish::downgrade(&gpm, wish, output),
        Command::Autoremove(consent) => wish::autoremove(&gpm, consent, output),
        Command::Undo { id, consent } => wish::undo(&gpm, *id, consent, output),
        Command::Rollback { id, consent } => wish::rollback(&gpm, *id, consent, output),
        Command::Update => repo::update(&gpm, output),
        Command::Search { words } => show::search(&gpm, words, output),
        Command::Info { name } => show::info(&gpm, name, output),
        Command::List => show::list(&gpm, output),
        Command::Files { name } => show::files(&gpm, name, output),
        Command::Owns { path } => show::owns(&gpm, path, output),
        Command::Why { name } => show::why(&gpm, name, output),
        Command::History => show::history(&gpm, output),
        Command::Verify { names } => show::verify(&gpm, names, output),
        Command::Pin { relation } => wish::pin(&gpm, relation, output),
        Command::Unpin { name } => wish::unpin(&gpm, name, output),
        Command::Hold { names } => wish::hold(&gpm, names, output),
        Command::Unhold { names } => wish::unhold(&gpm, names, output),
        Command::Clean { all } => {
            let freed = gpm.clean(*all)?;
            output.say(&format!("{} freed", show::bytes(freed)), &serde_json::json!({ "freed": freed }));
            Ok(ExitCode::SUCCESS)
        }
        Command::Recover => {
            let (text, word) = match gpm.recover()? {
                Recovered::Nothing => ("nothing was interrupted", "nothing"),
                Recovered::Old => ("an interrupted transaction was dropped: the system is the old one", "old"),
                Recovered::New => ("an interrupted transaction was completed: the system is the new one", "new"),
            };
            output.say(text, &serde_json::json!({ "recovered": word }));
            Ok(ExitCode::SUCCESS)
        }
        Command::Repo { command } => repo::use_one(&gpm, command, output),
        Command::Build(_) | Command::Import { .. } | Command::Key(_) | Command::Documents { .. } => unreachable!("done above"),
    }
}
