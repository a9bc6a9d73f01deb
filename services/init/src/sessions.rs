//! Sessions on the terminals.

use crate::backoff::Backoff;
use crate::supervisor::{Service, Streams};
use std::path::Path;

/// Where programs are looked for.
pub const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A session on a terminal: the natural-language shell where it is installed, else a login shell.
pub fn session(terminal: &str) -> Service {
    let has_gcs = Path::new("/bin/gcs").exists();
    let (command, argv0): (&[&str], Option<&str>) = if has_gcs {
        (&["/bin/gcs"], None)
    } else {
        (&["/bin/bash", "-l"], Some("-bash"))
    };
    shell(terminal, command, argv0)
}

/// The initfs's shell, for repairs; `None` where the initfs has none.
pub fn rescue(terminal: &str, initfs: &str) -> Option<Service> {
    let candidates = ["bin/bash", "bin/sh", "sbin/gcs", "bin/gcs"];
    let program = candidates
        .into_iter()
        .map(|name| format!("{initfs}/{name}"))
        .find(|path| Path::new(path).exists())?;
    Some(shell(terminal, &[&program], None))
}

fn shell(terminal: &str, command: &[&str], argv0: Option<&str>) -> Service {
    let home = if Path::new("/root").is_dir() {
        "/root"
    } else {
        "/"
    };
    let environment = [
        ("HOME", home),
        ("LANG", "C.UTF-8"),
        ("LOGNAME", "root"),
        ("PATH", PATH),
        ("SHELL", "/bin/bash"),
        ("TERM", "xterm-256color"),
        ("USER", "root"),
    ];
    Service {
        name: format!("session on {terminal}"),
        command: command.iter().map(|word| (*word).to_owned()).collect(),
        argv0: argv0.map(str::to_owned),
        environment: environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        directory: Some(home.to_owned()),
        streams: Streams::Terminal(terminal.to_owned()),
        backoff: Backoff::session(),
        is_essential: false,
    }
}
