//! Manual pages and shell completions, made of the description of the command line.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::CommandFactory;
use clap_complete::Shell;

use crate::args::Args;

/// Where each shell looks for them.
const COMPLETIONS: [(Shell, &str); 3] = [
    (Shell::Bash, "usr/share/bash-completion/completions/gpm"),
    (Shell::Zsh, "usr/share/zsh/vendor-completions/_gpm"),
    (Shell::Fish, "usr/share/fish/vendor_completions.d/gpm.fish"),
];

/// Writes `usr/share/man/man1/gpm*.1` and the completions below `folder`.
pub fn write(folder: &Path) -> Result<ExitCode> {
    let manual = folder.join("usr/share/man/man1");
    fs::create_dir_all(&manual).with_context(|| format!("cannot make {}", manual.display()))?;
    clap_mangen::generate_to(Args::command(), &manual).with_context(|| format!("cannot write into {}", manual.display()))?;
    for (shell, path) in COMPLETIONS {
        let path = folder.join(path);
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Args::command(), "gpm", &mut script);
        path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, script)).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}
