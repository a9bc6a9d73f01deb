//! The monitor's window.

use clap::Parser;

/// Shows what the system does, and ends processes and services.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// Dark letters on a light ground
    #[arg(long)]
    light: bool,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let (app, start) = monitor::Monitor::new(args.light);
    Ok(genai_ui::run(app, start)?)
}
