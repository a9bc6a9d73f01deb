//! The Store's window.

use clap::Parser;
use std::path::PathBuf;

/// Looks for programs, installs, updates and removes them.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// The tree to manage
    #[arg(long, default_value = "/", value_name = "DIR")]
    root: PathBuf,
    /// Dark letters on a light ground
    #[arg(long)]
    light: bool,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let store = store::Store::new(args.root, args.light);
    let start = store.start();
    Ok(genai_ui::run(store, start)?)
}
