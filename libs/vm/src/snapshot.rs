//! A running machine's whole state, kept under a name in its disk image: memory, devices, disk. Going back to it takes a fraction of a second.
//!
//! The exec channel survives it: the guest is, again, in the session that it was in. Commands that ran are lost, and told so.

use serde_json::json;

use crate::dir::VmDir;
use crate::error::{Error, Result};

/// Whether QEMU knows the name for a snapshot; it must not look like a number, an option or two words.
fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.len() <= 64
        && name.chars().all(|character| character.is_ascii_alphanumeric() || "-_.".contains(character))
}

impl VmDir {
    /// Keeps the machine's state under a name, in place of what was kept under it before.
    ///
    /// # Errors
    /// [`Error::NoVm`]; [`Error::Input`] for a name that is none; [`Error::Refused`] with QEMU's reason, for example where a disk is a raw file.
    pub fn save(&self, name: &str) -> Result<()> {
        self.snapshot("savevm", name)
    }

    /// Goes back to a state that was kept.
    ///
    /// # Errors
    /// As [`VmDir::save`]; [`Error::Refused`] where nothing is kept under that name.
    pub fn load(&self, name: &str) -> Result<()> {
        self.snapshot("loadvm", name)?;
        Ok(self.exec().lose_commands("the machine has gone back to an earlier state")?)
    }

    fn snapshot(&self, verb: &str, name: &str) -> Result<()> {
        if !is_name(name) {
            return Err(Error::Input(format!("{name:?} is no name for a snapshot: a letter, then letters, digits, '-', '_' and '.'")));
        }
        // The command of QEMU's own protocol is a job to be watched; the monitor's waits. It says nothing where all went well.
        let mut qmp = self.qmp()?;
        let was_running = qmp.execute("query-status", json!({}))?["running"] == json!(true);
        let said = qmp.execute("human-monitor-command", json!({"command-line": format!("{verb} {name}")}))?;
        // QEMU leaves the machine stopped when there is nothing to go back to.
        if was_running {
            qmp.execute("cont", json!({}))?;
        }
        match said.as_str().map(str::trim) {
            Some("") => Ok(()),
            Some(reason) => Err(Error::Refused { command: verb.into(), reason: reason.trim_start_matches("Error: ").to_owned() }),
            None => Err(Error::Answer(said.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_be_taken_for_anything_else() {
        assert!(is_name("ready") && is_name("a-1_b.c"));
        for name in ["", "1", "-a", "a b", "a;quit", &"a".repeat(65)] {
            assert!(!is_name(name), "{name:?}");
        }
    }
}
