//! The viewer's window.

use clap::Parser;
use std::path::PathBuf;

/// Shows pictures: PNG, JPEG, GIF, WebP and SVG.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// A picture, which is shown with those beside it, or a folder, or several pictures
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Dark letters on a light ground
    #[arg(long)]
    light: bool,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let (app, start) = viewer::Viewer::new(args.files, args.light);
    Ok(genai_ui::run(app, start)?)
}
