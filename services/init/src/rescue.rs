//! Shells for repairs: units that are built in, so that no broken file can take them away.

use crate::boot::INITFS;
use crate::manager::Loaded;
use gci_units::{Unit, UnitName};
use std::fs;
use std::path::{Path, PathBuf};

/// Terminals of text consoles.
const TERMINALS: [&str; 2] = ["ttyS0", "tty1"];

/// The best shell there is; `PATH` has the initfs after the root.
const SHELL: &str = r#"[GenAI Service]
Description=Shell for repairs on %i
Type=simple user
ExecStart=sh -c "cd; command -v bash >/dev/null && exec bash -l; exec sh"
Restart=always
RestartSec=500ms
RestartMaxDelaySec=10s
RestartForgiveSec=3s
StartLimitBurst=0
Terminal=/dev/%i
Environment=HOME=/root LANG=C.UTF-8 LOGNAME=root SHELL=/bin/sh TERM=xterm-256color USER=root
Environment=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/scheme/initfs/sbin:/scheme/initfs/bin
"#;

const RECOVERY: &str = "[GenAI Service]\nDescription=A shell on the root filesystem, and nothing else\n[Dependencies]\nWants=execd rescue@ttyS0 rescue@tty1\n";
const EMERGENCY: &str = "[GenAI Service]\nDescription=A shell without the root filesystem\n[Dependencies]\nWants=rescue@ttyS0 rescue@tty1\n";

/// Units of these folders, with the ones that are built in instead of files of their names.
pub fn loaded(folders: &[PathBuf]) -> Loaded {
    let mut loaded = Loaded::read(folders);
    for (name, text) in [("rescue@", SHELL), ("recovery.target", RECOVERY), ("emergency.target", EMERGENCY)] {
        let unit = UnitName::new(name).ok().and_then(|name| Unit::parse(name, "", text).unit);
        unit.into_iter().for_each(|unit| loaded.set.add(unit));
    }
    loaded
}

/// The units of the shells.
pub fn shells() -> Vec<UnitName> {
    TERMINALS.iter().filter_map(|terminal| UnitName::new(&format!("rescue@{terminal}")).ok()).collect()
}

/// Whether there is a shell without the root filesystem.
pub fn has_shell() -> bool {
    Path::new(INITFS).join("bin/sh").exists() || Path::new("/bin/sh").exists()
}

/// Says something on all terminals: the log may not reach them.
pub fn tell(text: &str) {
    for terminal in TERMINALS.iter().map(|name| format!("/dev/{name}")).filter(|path| crate::sys::is_terminal_ready(path)) {
        let _ = fs::write(terminal, format!("\r\n{text}\r\n"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_in_is_there() {
        let loaded = loaded(&[]);
        let unit = loaded.set.get(&shells()[0]).expect("the shell");
        assert_eq!(unit.exec_start[0].words.len(), 3);
        let target = loaded.set.get(&UnitName::new("recovery.target").expect("a name")).expect("the target");
        assert_eq!(target.wants.len(), 3);
    }
}
