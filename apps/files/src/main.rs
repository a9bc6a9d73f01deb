//! The file manager's window.

use anyhow::Context;
use clap::Parser;
use files::places::{self, Place};
use std::path::PathBuf;

/// Shows folders, and changes what is in them.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// The folder to show; the user's home otherwise
    #[arg(value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// Shows what was thrown away
    #[arg(long, conflicts_with = "folder")]
    trash: bool,
    /// Dark letters on a light ground
    #[arg(long)]
    light: bool,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let place = if args.trash {
        Place::Trash
    } else {
        let folder = args.folder.unwrap_or_else(places::home);
        let folder = std::fs::canonicalize(&folder).with_context(|| format!("cannot show {}", folder.display()))?;
        anyhow::ensure!(folder.is_dir(), "{} is no folder", folder.display());
        Place::Folder(folder)
    };
    let (app, start) = files::Files::new(place, args.light);
    Ok(genai_ui::run(app, start)?)
}
