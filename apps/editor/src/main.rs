//! The editor's window.

use clap::Parser;
use std::path::PathBuf;

/// Edits texts.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// The files to edit; one that is not there is made when it is saved
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The line to go to in the last one, from 1
    #[arg(long, short, value_name = "NUMBER")]
    line: Option<usize>,
    /// Dark letters on a light ground
    #[arg(long)]
    light: bool,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let (app, start) = editor::Editor::new(args.files, args.line, args.light);
    Ok(genai_ui::run(app, start)?)
}
