//! GCS, the shell of GenAI OS: bash's command lines and plain English on one prompt.

mod bash;
mod capture;
mod desktop;
mod diagnose;
mod editor;
mod lessons;
mod model;
mod packages;
mod plan;
mod recognise;
mod repair;
mod repl;
mod special;
mod suggest;
mod terminal;

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use actions::RiskContext;
use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};
use intent::{Answer, Context, LiveWorld};
use serde::Serialize;

/// Like `println!`, but a reader that has gone away (`gcs intents | head`) is no reason to panic.
macro_rules! say {
    ($($a:tt)*) => {{
        use std::io::Write;
        let _ = writeln!(std::io::stdout(), $($a)*);
    }};
}

macro_rules! say_raw {
    ($($a:tt)*) => {{
        use std::io::Write;
        let _ = write!(std::io::stdout(), $($a)*);
    }};
}

const AFTER_HELP: &str = "\
Without arguments: an interactive shell. Command lines run as in bash. A line of plain English, or one
that begins with `?`, becomes a plan: the command, why, and how careful to be. Nothing runs unseen.

gcs -c COMMAND [NAME [ARG...]] and gcs SCRIPT [ARG...] run as with bash.

Exit status of `gcs ask`: 0 understood, 2 unsure or something is missing, 3 out of scope.";

#[derive(Parser)]
#[command(name = "gcs", version, about = "The shell of GenAI OS: command lines and plain English on one prompt", after_help = AFTER_HELP)]
struct Cli {
    /// Act as a login shell: read /etc/profile first
    #[arg(long, short)]
    login: bool,
    #[command(subcommand)]
    command: Option<Sub>,
}

#[derive(Subcommand)]
enum Sub {
    /// Say what a request in English would run, without running it
    Ask {
        /// The request
        #[arg(required = true, trailing_var_arg = false)]
        text: Vec<String>,
        /// One JSON object: plan, confidence, source
        #[arg(long)]
        json: bool,
        /// Run it if it is understood and only looks
        #[arg(long)]
        run: bool,
        /// Switch a stage off, to measure it: follow, windows, compose, intents, guard, recall, questions, model
        #[arg(long, hide = true)]
        without: Vec<String>,
    },
    /// Say what each part of a command line means
    Explain {
        /// The command line, in quotes
        #[arg(required = true, allow_hyphen_values = true, trailing_var_arg = true)]
        command: Vec<String>,
    },
    /// Answer a question about this machine from what is measured, with the figures
    Diagnose {
        /// What is asked about
        subject: diagnose::Subject,
        /// One JSON object: answer, evidence, next
        #[arg(long)]
        json: bool,
    },
    /// Say why a command failed, and what may put it right, without running anything
    ///
    /// The error text is the last argument, or comes on standard input. Exit status 3: not understood.
    Repair {
        /// One JSON object: problem, evidence, repairs
        #[arg(long)]
        json: bool,
        /// The command line, in quotes
        #[arg(allow_hyphen_values = true)]
        command: String,
        /// What it printed on standard error
        #[arg(allow_hyphen_values = true)]
        error: Option<String>,
    },
    /// Learn the shell by exercises: without a topic, list the lessons
    Learn {
        /// Only the exercises
        #[arg(long)]
        quiz: bool,
        /// List the lessons as JSON
        #[arg(long, conflicts_with_all = ["quiz", "topic"])]
        json: bool,
        /// What about: pipes, grep, git, ...
        topic: Vec<String>,
    },
    /// List what can be asked for, with examples
    Intents {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

fn main() -> ExitCode {
    let args: Vec<std::ffi::OsString> = std::env::args_os().collect();
    // bash's own ways of being called go to bash: nothing stands between.
    match args.get(1).and_then(|a| a.to_str()) {
        Some("-c" | "-s" | "-lc") => return exec_bash(&args[1..]),
        Some(a) if !a.starts_with('-') && !matches!(a, "ask" | "explain" | "diagnose" | "repair" | "learn" | "intents" | "help") => return exec_bash(&args[1..]),
        None if args.len() > 1 => return exec_bash(&args[1..]),
        _ => {}
    }
    // A login shell by name: `-gcs`.
    let dash = args.first().is_some_and(|a| a.as_encoded_bytes().first() == Some(&b'-'));
    match run(Cli::parse(), dash) {
        Ok(status) => ExitCode::from(status.clamp(0, 255) as u8),
        Err(e) => {
            eprintln!("gcs: {e:#}");
            ExitCode::FAILURE
        }
    }
}

fn exec_bash(args: &[std::ffi::OsString]) -> ExitCode {
    let e = Command::new("/bin/bash").args(args).exec();
    eprintln!("gcs: starting /bin/bash: {e}");
    ExitCode::from(127)
}

fn run(cli: Cli, dash: bool) -> Result<i32> {
    match cli.command {
        None => {
            // The first program of a terminal's session is its login shell.
            let leader = nix::unistd::getsid(None).is_ok_and(|s| s == nix::unistd::getpid());
            repl::run(cli.login || dash || leader)
        }
        Some(Sub::Ask { text, json, run, without }) => ask(&text.join(" "), json, run, &without),
        Some(Sub::Explain { command }) => {
            let command = command.join(" ");
            actions::shell::parse(&command).with_context(|| format!("reading `{command}`"))?;
            say_raw!("{}", plan::explanation(&command));
            say!("  Risk: {}", actions::classify(&command, &RiskContext::current()));
            Ok(0)
        }
        Some(Sub::Diagnose { subject, json }) => diagnose::run(subject, json),
        Some(Sub::Repair { json, command, error }) => repair::command(&command, error.as_deref(), json),
        Some(Sub::Learn { json, topic, .. }) if topic.is_empty() => lessons::list(json),
        Some(Sub::Learn { quiz, topic, .. }) => lessons::teach(&topic.join(" "), quiz),
        Some(Sub::Intents { json }) => intents(json),
    }
}

/// The answer as other programs read it.
#[derive(Serialize)]
struct Json<'a> {
    plan: &'a [actions::Step],
    confidence: f32,
    source: String,
    /// Further readings, the likelier first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    alternatives: Vec<&'a actions::Plan>,
    /// What to ask back, when something was not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    question: Option<&'a str>,
}

fn ask(text: &str, json: bool, run: bool, without: &[String]) -> Result<i32> {
    let text = if text == "-" { terminal::all_input()? } else { text.to_owned() };
    let world = LiveWorld::current();
    let mut context = Context { risk: RiskContext::current(), windows: desktop::windows(), ..Default::default() };
    let (mut questions, mut model) = (true, true);
    for stage in without {
        if stage == "questions" {
            questions = false;
        } else if stage == "model" {
            model = false;
        } else if !context.stages.switch_off(stage) {
            anyhow::bail!("there is no stage {stage}");
        }
    }
    let text = text.trim().trim_start_matches('?');
    let special = if questions { special::answer(text, &context.risk, intent::World::has_command(&world, "gpm")) } else { None };
    let mut answer = special.unwrap_or_else(|| intent::ask(text, &world, &context));
    answer = packages::known(answer, &context.risk);
    if model {
        answer = model::or_ask(answer, text, &context.risk);
    }
    let status = match &answer {
        Answer::Plan { .. } => 0,
        Answer::Unsure { .. } | Answer::Missing { .. } => 2,
        Answer::OutOfScope { .. } => 3,
    };
    if json {
        let readings = answer.readings();
        let (plan, rest): (&[actions::Step], &[&intent::Reading]) = match &answer {
            Answer::Plan { best, .. } => (&best.plan.plan, &readings[1..]),
            Answer::Unsure { .. } => (&readings[0].plan.plan, &readings[1..]),
            _ => (&[], &readings[..]),
        };
        let (source, question) = match &answer {
            Answer::Missing { intent, question, .. } => (format!("intent:{intent}"), Some(*question)),
            Answer::OutOfScope { .. } => ("none".to_owned(), None),
            _ => (readings[0].plan.source.clone(), None),
        };
        let out = Json { plan, confidence: answer.confidence(), source, alternatives: rest.iter().map(|r| &r.plan).collect(), question };
        say!("{}", serde_json::to_string(&out)?);
    } else {
        match &answer {
            Answer::Plan { best, .. } => say!("{}", plan::describe(&best.plan)),
            Answer::Unsure { readings } => {
                say!("Not sure. Perhaps:");
                for r in readings {
                    say!("{}", plan::describe(&r.plan));
                }
            }
            Answer::Missing { question, .. } => say!("{question}"),
            Answer::OutOfScope { .. } => say!("That is nothing this shell can do. `gcs intents` lists what it can."),
        }
    }
    if run && let Answer::Plan { best, .. } = &answer {
        if best.plan.risk() != actions::Risk::Safe {
            anyhow::bail!("not run: it is more than looking ({}); run it from the shell, where it can be confirmed", best.plan.risk());
        }
        let e = Command::new("/bin/bash").arg("-c").arg(plan::commands(&best.plan)).exec();
        return Err(e).context("starting /bin/bash");
    }
    if run && status != 0 {
        eprintln!("gcs: not run: it is not certain what was meant");
    }
    Ok(status)
}

#[derive(Serialize)]
struct IntentInfo {
    id: &'static str,
    about: &'static str,
    example: &'static str,
}

fn intents(json: bool) -> Result<i32> {
    let all: Vec<IntentInfo> = intent::catalogue::all().map(|i| IntentInfo { id: i.id, about: i.about, example: i.example }).collect();
    if json {
        say!("{}", serde_json::to_string(&all)?);
        return Ok(0);
    }
    say!("{} kinds of requests are understood, in any wording. Examples:\n", all.len());
    let mut domain = "";
    for i in &all {
        let d = i.id.split('.').next().unwrap_or("");
        if d != domain {
            say!("{d}");
            domain = d;
        }
        say!("  {:<52} {}", i.example, i.about);
    }
    Ok(0)
}
