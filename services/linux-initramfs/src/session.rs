//! A session on a console: the shell with the terminal as its own.

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

/// Shells by preference, with arguments.
const SHELLS: [(&str, &[&str]); 2] = [("/bin/gcs", &[]), ("/bin/bash", &["-l"])];

/// Becomes the session on `tty`. Returns only on failure.
pub(crate) fn run(tty: &Path, term: &OsStr) -> Result<()> {
    rustix::process::setsid().context("cannot start a session")?;
    // Without O_NOCTTY the terminal would become ours by opening it; say it anyway, as for our own kernel.
    let terminal = File::options()
        .read(true)
        .write(true)
        .open(tty)
        .with_context(|| format!("cannot open {}", tty.display()))?;
    let _ = rustix::process::ioctl_tiocsctty(&terminal);
    rustix::stdio::dup2_stdin(&terminal).context("cannot set standard input")?;
    rustix::stdio::dup2_stdout(&terminal).context("cannot set standard output")?;
    rustix::stdio::dup2_stderr(&terminal).context("cannot set standard error")?;
    drop(terminal);
    let (shell, args) = SHELLS
        .into_iter()
        .find(|(path, _)| Path::new(path).exists())
        .context("no shell: neither /bin/gcs nor /bin/bash")?;
    let mut command = Command::new(shell);
    command.args(args).current_dir("/root").env_clear();
    command
        .env("HOME", "/root")
        .env("USER", "root")
        .env("LOGNAME", "root")
        .env("SHELL", "/bin/bash")
        .env("TERM", term);
    command
        .env(
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        )
        .env("LANG", "C.UTF-8");
    Err(command.exec()).with_context(|| format!("cannot start {shell}"))
}
