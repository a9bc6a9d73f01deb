//! What may leave the machine, and the list of what did.
//!
//! Without a rule nothing leaves. Before anything does, it is in the audit log, on the disk; where that cannot be written
//! nothing leaves either.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use genai_protocol::ErrorCode;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::engine::Failure;

/// The rules.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// The first that fits lets a request leave.
    #[serde(default)]
    pub allow: Vec<Rule>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The user by name or number, or `*`.
    pub user: String,
    /// What the request says it is for, or `*`.
    pub purpose: String,
    /// Most bytes of text in it.
    #[serde(default = "default_bytes")]
    pub max_bytes: usize,
}

fn default_bytes() -> usize {
    4096
}

impl Policy {
    /// Reads the rules; without a file there are none. Others must not be able to write them.
    pub fn read(path: &Path) -> Result<Policy> {
        use std::os::unix::fs::MetadataExt;
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Policy::default()),
            Err(e) => return Err(e).with_context(|| format!("reading the rules {}", path.display())),
        };
        let mode = std::fs::metadata(path)?.mode();
        ensure!(mode & 0o022 == 0, "the rules {} can be written by others (mode {:o}): chmod go-w", path.display(), mode & 0o777);
        toml::from_str(&text).with_context(|| format!("reading the rules {}", path.display()))
    }

    /// The number (from 1) of the rule that lets it leave.
    pub fn allows(&self, uid: u32, user: &str, purpose: &str, bytes: usize) -> Result<usize, Failure> {
        let number = uid.to_string();
        let fits = |r: &Rule| (r.user == "*" || r.user == user || r.user == number) && (r.purpose == "*" || r.purpose == purpose) && bytes <= r.max_bytes;
        self.allow.iter().position(fits).map(|n| n + 1).ok_or_else(|| Failure::new(ErrorCode::Denied, format!("no rule lets {bytes} bytes of {user} leave this machine for the purpose {purpose}")))
    }
}

/// A line of the audit log.
#[derive(Debug, Serialize)]
pub struct Leaving<'a> {
    pub uid: u32,
    pub user: &'a str,
    pub purpose: &'a str,
    pub endpoint: &'a str,
    pub model: &'a str,
    /// The rule that let it.
    pub rule: usize,
    pub bytes: usize,
    /// SHA-256 of what was sent.
    pub sha256: String,
}

#[derive(Serialize)]
struct Stamped<'a> {
    /// Milliseconds since 1970.
    time_ms: u64,
    #[serde(flatten)]
    leaving: &'a Leaving<'a>,
}

/// The audit log: a JSON object a line, appended only.
pub struct Audit {
    path: PathBuf,
    file: Mutex<Option<File>>,
}

impl Audit {
    pub fn new(path: &Path) -> Audit {
        Audit { path: path.to_owned(), file: Mutex::new(None) }
    }

    /// Writes a line and waits until it is on the disk.
    pub fn record(&self, leaving: &Leaving<'_>) -> Result<(), Failure> {
        let write = || -> std::io::Result<()> {
            let mut file = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if file.is_none() {
                if let Some(dir) = self.path.parent() {
                    std::fs::create_dir_all(dir)?;
                }
                *file = Some(OpenOptions::new().append(true).create(true).mode(0o600).open(&self.path)?);
            }
            let time_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64);
            let mut line = serde_json::to_vec(&Stamped { time_ms, leaving })?;
            line.push(b'\n');
            if let Some(f) = file.as_mut() {
                f.write_all(&line)?;
                f.sync_data()?;
            }
            Ok(())
        };
        write().map_err(|e| Failure::new(ErrorCode::Denied, format!("the audit log {} cannot be written ({e}), so nothing leaves", self.path.display())))
    }
}

/// SHA-256 in hexadecimal.
pub fn sha256(data: &[u8]) -> String {
    Sha256::digest(data).iter().map(|b| format!("{b:02x}")).collect()
}

/// The name of a user, from `/etc/passwd`; its number where there is none.
pub fn user_name(uid: u32) -> String {
    let number = uid.to_string();
    std::fs::read_to_string("/etc/passwd")
        .ok()
        .and_then(|t| t.lines().find(|l| l.split(':').nth(2) == Some(&number)).and_then(|l| l.split(':').next().map(str::to_owned)))
        .unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_without_a_rule() {
        assert_eq!(Policy::default().allows(0, "root", "chat", 1).unwrap_err().code, ErrorCode::Denied);
        let p: Policy = toml::from_str("[[allow]]\nuser = \"eve\"\npurpose = \"chat\"\nmax_bytes = 10\n[[allow]]\nuser = \"1000\"\npurpose = \"*\"").unwrap();
        assert_eq!(p.allows(5, "eve", "chat", 10).unwrap(), 1);
        assert!(p.allows(5, "eve", "chat", 11).is_err());
        assert!(p.allows(5, "eve", "mail", 1).is_err());
        assert!(p.allows(5, "bob", "chat", 1).is_err());
        assert_eq!(p.allows(1000, "bob", "mail", 4096).unwrap(), 2);
        assert!(toml::from_str::<Policy>("[[allow]]\nuser = \"a\"").is_err());
        assert!(toml::from_str::<Policy>("[[deny]]\nuser = \"a\"").is_err());
    }

    #[test]
    fn rules_that_anybody_can_write_count_for_nothing() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("policy.toml");
        assert_eq!(Policy::read(&path).unwrap(), Policy::default());
        std::fs::write(&path, "[[allow]]\nuser=\"*\"\npurpose=\"*\"").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(Policy::read(&path).unwrap().allow.len(), 1);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
        assert!(Policy::read(&path).is_err());
    }

    #[test]
    fn an_audit_log_that_cannot_be_written_is_a_no() {
        let leaving = Leaving { uid: 1, user: "u", purpose: "p", endpoint: "e", model: "m", rule: 1, bytes: 3, sha256: sha256(b"abc") };
        assert_eq!(Audit::new(Path::new("/proc/nowhere/audit")).record(&leaving).unwrap_err().code, ErrorCode::Denied);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log/audit.jsonl");
        let audit = Audit::new(&path);
        audit.record(&leaving).unwrap();
        audit.record(&leaving).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 2);
        assert!(text.contains("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"), "{text}");
    }
}
