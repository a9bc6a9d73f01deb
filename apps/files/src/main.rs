//! The file manager's window.

use anyhow::Context;
use clap::{Parser, ValueEnum};
use files::choose::{Choice, Chosen, Filter, Outcome, What};
use files::places::{self, Place};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::PoisonError;

/// Shows folders, and changes what is in them.
///
/// With --choose it lets somebody choose for another program, and writes what was chosen: each path with a zero byte behind it; before them, where
/// there are filters, the number of the one that held, in the same way. It ends with 1 where nothing was chosen.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// The folder to show; the user's home otherwise
    #[arg(value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// Shows what was thrown away
    #[arg(long, conflicts_with = "folder")]
    trash: bool,
    /// What is to be chosen
    #[arg(long, value_name = "WHAT", conflicts_with = "trash")]
    choose: Option<Wanted>,
    /// Several may be chosen
    #[arg(long, requires = "choose")]
    many: bool,
    /// The window's title
    #[arg(long, requires = "choose", value_name = "WORDS")]
    title: Option<String>,
    /// The words on the button that ends it
    #[arg(long, requires = "choose", value_name = "WORDS")]
    accept: Option<String>,
    /// The name of what is saved
    #[arg(long, requires = "choose", value_name = "NAME", default_value = "")]
    name: String,
    /// Files of some kinds; may be given several times. The first line is its name, the others are names with * and ?, or kinds of MIME such as image/*
    #[arg(long = "filter", requires = "choose", value_name = "LINES")]
    filters: Vec<String>,
    /// The number of the filter that holds at first, from 0
    #[arg(long, requires = "choose", value_name = "NUMBER", default_value_t = 0)]
    filter_number: usize,
    /// The window that it belongs to, as its program has exported it (xdg-foreign)
    #[arg(long, requires = "choose", value_name = "HANDLE")]
    parent: Option<String>,
    /// Dark letters on a light ground
    #[arg(long)]
    light: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Wanted {
    /// Files that are there
    Files,
    /// Folders
    Folders,
    /// A name for a file
    Save,
}

fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    if args.trash {
        let (app, start) = files::Files::new(Place::Trash, args.light);
        genai_ui::run(app, start)?;
        return Ok(ExitCode::SUCCESS);
    }
    let folder = args.folder.clone().unwrap_or_else(places::home);
    let folder = std::fs::canonicalize(&folder).with_context(|| format!("cannot show {}", folder.display()))?;
    anyhow::ensure!(folder.is_dir(), "{} is no folder", folder.display());
    let Some(wanted) = args.choose else {
        let (app, start) = files::Files::new(Place::Folder(folder), args.light);
        genai_ui::run(app, start)?;
        return Ok(ExitCode::SUCCESS);
    };
    let outcome = Outcome::default();
    let choice = choice(wanted, &args, outcome.clone());
    let (app, start) = files::Files::choosing(folder, choice, args.light);
    let start = match args.parent {
        Some(parent) => genai_ui::Task::batch([start, genai_ui::parent::set(parent)]),
        None => start,
    };
    genai_ui::run(app, start)?;
    let chosen = outcome.lock().unwrap_or_else(PoisonError::into_inner).take();
    match chosen {
        Some(chosen) => {
            tell(&chosen).context("telling what was chosen")?;
            Ok(ExitCode::SUCCESS)
        }
        None => Ok(ExitCode::FAILURE),
    }
}

fn choice(wanted: Wanted, args: &Args, outcome: Outcome) -> Choice {
    let (what, title, accept) = match wanted {
        Wanted::Files => (What::Files, "Choose files", "Open"),
        Wanted::Folders => (What::Folders, "Choose a folder", "Choose"),
        Wanted::Save => (What::Save, "Save as", "Save"),
    };
    let words = |given: &Option<String>, usual: &str| given.clone().filter(|it| !it.trim().is_empty()).unwrap_or_else(|| usual.to_owned());
    Choice {
        what,
        is_many: args.many,
        title: words(&args.title, title),
        accept: words(&args.accept, accept),
        name: args.name.clone(),
        filters: args.filters.iter().map(|it| Filter::parse(it)).collect(),
        filter: args.filter_number,
        outcome,
    }
}

fn tell(chosen: &Chosen) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    if let Some(filter) = chosen.filter {
        write!(out, "{filter}\0")?;
    }
    for path in &chosen.paths {
        out.write_all(path.as_os_str().as_bytes())?;
        out.write_all(b"\0")?;
    }
    out.flush()
}
