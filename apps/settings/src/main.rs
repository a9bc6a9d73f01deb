//! The window of Settings.

use clap::Parser;
use settings::{Page, Places, Settings};

/// Shows and changes how the desktop looks and works, what is connected, and who may use the machine.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// Dark letters on a light ground
    #[arg(long)]
    light: bool,
    /// The page to begin with
    #[arg(value_enum, default_value_t = Page::Appearance)]
    page: Page,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let (app, start) = Settings::new(Places::of_system(), args.page, args.light);
    Ok(genai_ui::run(app, start)?)
}
