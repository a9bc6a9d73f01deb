//! The settings: `/etc/genaid/genaid.toml`. Each has a default; an unknown one is an error.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use genai_protocol::Route;
use serde::Deserialize;

/// All settings.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where answers come from when a request does not say. Without it `GENAI_AI`, the boot parameter `ai=`, says.
    pub mode: Option<Route>,
    /// Where to listen.
    pub socket: PathBuf,
    /// For the cache, prefilled prompts and learning progress.
    pub state: PathBuf,
    /// Rules on what may leave the machine.
    pub policy: PathBuf,
    /// The list of all that left.
    pub audit: PathBuf,
    pub local: Local,
    pub cloud: Cloud,
    pub cache: Cache,
    pub limits: Limits,
}

/// The model on this machine.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Local {
    /// A model in GGUF, or a text (`.txt`) from which a small n-gram model is made.
    pub model: PathBuf,
    /// The text of a small n-gram model that answers where `model` is not installed; empty: none.
    pub fallback: PathBuf,
    /// Adapter (LoRA, GGUF) to put on the model.
    pub adapter: Option<PathBuf>,
    /// Folder of the programs that run GGUF models.
    pub runners: PathBuf,
    /// Threads; 0: processors less one.
    pub threads: u32,
    /// Tokens that prompt and answer may have together.
    pub context: u32,
    /// Most memory of the model's process, in MiB.
    pub memory_mib: u64,
    /// Seconds without a request after which the model is taken out of memory; 0: never.
    pub idle_seconds: u64,
    /// Below this confidence, mode `hybrid` asks the endpoint.
    pub unsure_below: f32,
}

/// The endpoint. Without `endpoint` there is none.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cloud {
    /// Base address of an OpenAI-compatible service, e.g. `https://example.org/v1`.
    pub endpoint: String,
    /// The model's name there.
    pub model: String,
    /// File that holds the key, readable by its owner only.
    pub key_file: Option<PathBuf>,
    /// Seconds to wait for an answer; 0: 60.
    pub timeout_seconds: u64,
}

/// Answers kept.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cache {
    /// Most answers; 0: no cache.
    pub entries: u64,
    /// Most of their size, in KiB.
    pub kib: u64,
    /// Cosine from which a request is nearly the same as one before; above 1: never.
    pub near: f32,
}

/// What is too much.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Connections at a time.
    pub connections: usize,
    /// Requests that wait, of all.
    pub waiting: usize,
    /// Requests that wait, of one user.
    pub waiting_per_user: usize,
    /// Bytes of text in a request.
    pub request_bytes: usize,
    /// Tokens in an answer.
    pub tokens: u32,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            mode: None,
            socket: genai_protocol::SOCKET.into(),
            state: "/var/lib/genaid".into(),
            policy: "/etc/genaid/policy.toml".into(),
            audit: "/var/log/genaid/audit.jsonl".into(),
            local: Local::default(),
            cloud: Cloud::default(),
            cache: Cache::default(),
            limits: Limits::default(),
        }
    }
}

impl Default for Local {
    fn default() -> Self {
        Local {
            model: "/usr/share/genai/models/smollm2-135m-instruct.q4_1.gguf".into(),
            fallback: PathBuf::new(),
            adapter: None,
            runners: "/usr/lib/genaid".into(),
            threads: 0,
            context: 2048,
            memory_mib: 384,
            idle_seconds: 300,
            unsure_below: 0.5,
        }
    }
}

impl Default for Cache {
    fn default() -> Self {
        Cache { entries: 2000, kib: 4096, near: 0.95 }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits { connections: 64, waiting: 64, waiting_per_user: 16, request_bytes: 64 << 10, tokens: 2048 }
    }
}

impl Config {
    /// Reads a file; without one, the defaults.
    pub fn read(path: &Path) -> Result<Config> {
        let config: Config = match std::fs::read_to_string(path) {
            Ok(text) => toml::from_str(&text).with_context(|| format!("reading the settings {}", path.display()))?,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Config::default(),
            Err(e) => return Err(e).with_context(|| format!("reading the settings {}", path.display())),
        };
        ensure!((256..=131_072).contains(&config.local.context), "local.context is {}: 256 to 131072 is possible", config.local.context);
        ensure!(config.local.memory_mib >= 16, "local.memory_mib is {}: at least 16 is needed", config.local.memory_mib);
        Ok(config)
    }

    /// Where answers come from, by the file, then the boot parameter, which every entry of the boot menu has; local where neither says.
    pub fn mode(&self, boot: Option<&str>) -> Route {
        let boot = boot.and_then(|boot| Route::ALL.into_iter().find(|route| route.name() == boot));
        self.mode.or(boot).unwrap_or(Route::Local)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_file_says_what_the_defaults_are() {
        let shipped: Config = toml::from_str(include_str!("../../../recipes/genaid/files/etc/genaid/genaid.toml")).unwrap();
        assert_eq!(Config { mode: None, ..shipped }, Config::default());
    }

    #[test]
    fn mistakes_are_errors() {
        assert!(toml::from_str::<Config>("mod = \"local\"").is_err());
        assert!(toml::from_str::<Config>("[local]\nthread = 3").is_err());
        assert_eq!(Config::default().mode(Some("hybrid")), Route::Hybrid);
        assert_eq!(Config::default().mode(None), Route::Local);
        assert_eq!(Config { mode: Some(Route::Cloud), ..Config::default() }.mode(Some("hybrid")), Route::Cloud);
    }
}
