//! The terminal's window.

use clap::Parser;
use std::ffi::OsString;
use std::path::PathBuf;
use terminal::session::Program;

/// Shells in tabs.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// Where the shell begins; the user's home otherwise
    #[arg(short = 'D', long, value_name = "DIR")]
    working_directory: Option<PathBuf>,
    /// Size of the letters, pixels
    #[arg(long, value_name = "PIXELS", default_value_t = terminal::SIZE, value_parser = size)]
    font_size: f32,
    /// Dark letters on a light ground
    #[arg(long)]
    light: bool,
    /// Runs a program and its arguments in place of the shell
    #[arg(short, long, value_name = "COMMAND", num_args = 1.., allow_hyphen_values = true)]
    execute: Vec<OsString>,
}

fn size(text: &str) -> Result<f32, String> {
    let size: f32 = text.parse().map_err(|_| format!("{text:?} is no number"))?;
    if terminal::SIZES.contains(&size) { Ok(size) } else { Err(format!("letters have {} to {} pixels", terminal::SIZES.start(), terminal::SIZES.end())) }
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let words: Result<Vec<String>, _> = args.execute.into_iter().map(OsString::into_string).collect();
    let words = words.map_err(|word| anyhow::anyhow!("{} is no UTF-8", word.display()))?;
    if let Some(dir) = args.working_directory.as_ref().filter(|it| !it.is_dir()) {
        anyhow::bail!("{} is no folder", dir.display());
    }
    let program = Program { words, folder: args.working_directory };
    let (app, start) = terminal::Terminal::new(program, args.font_size, args.light);
    Ok(genai_ui::run(app, start)?)
}
