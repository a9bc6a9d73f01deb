//! Where things are.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use rustix::fs::{FlockOperation, flock};

pub const DEFAULT_EDITION: &str = "desktop";

/// The edition with compilers, servers and interpreters, for tests of these.
pub const DEVELOPER_EDITION: &str = "developer";

/// The edition without a display.
pub const SERVER_EDITION: &str = "server";

/// The checkout and the cache beside it.
pub struct Project {
    /// The checkout.
    pub root: PathBuf,
    /// Downloads, build results that checkouts share, findings about the host.
    pub cache: PathBuf,
    /// Cargo's target directory for everything but the kernel.
    pub target: PathBuf,
}

impl Project {
    /// `./gos` starts us in the checkout.
    pub fn find() -> Result<Self> {
        let here = std::env::current_dir().context("cannot tell the working directory")?;
        let is_root = |dir: &&Path| dir.join("xtask/Cargo.toml").is_file();
        let Some(root) = here.ancestors().find(is_root) else { bail!("{} is not in a checkout of GenAI OS", here.display()) };
        let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_else(|| "/root".into())).join(".cache/genai-os");
        let cache = std::env::var_os("GOS_CACHE").map_or_else(home, PathBuf::from);
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        fs::create_dir_all(&cache).with_context(|| format!("cannot create {}", cache.display()))?;
        fs::create_dir_all(&target).with_context(|| format!("cannot create {}", target.display()))?;
        Ok(Project { root: root.to_owned(), cache, target })
    }

    /// Results of this checkout.
    pub fn build(&self) -> PathBuf {
        self.root.join("build")
    }

    /// Keeps other checkouts and other calls of ours from building at the same time: what lies in the shared target directory might be
    /// theirs when we copy it.
    pub fn lock_target(&self) -> Result<File> {
        lock(&self.target.join(".gos-lock"), "another ./gos is building")
    }

    /// Keeps two calls from writing the same images.
    pub fn lock_images(&self, dir: &Path) -> Result<File> {
        fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
        lock(&dir.join(".lock"), "another ./gos is making images")
    }
}

fn lock(path: &Path, busy: &str) -> Result<File> {
    let file = File::options().write(true).create(true).truncate(false).open(path);
    let file = file.with_context(|| format!("cannot create {}", path.display()))?;
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        eprintln!("gos: {busy}; waiting for it");
        flock(&file, FlockOperation::LockExclusive).with_context(|| format!("cannot lock {}", path.display()))?;
    }
    Ok(file)
}

/// The owner's name for a file that is replaced whole: readers see the old one or the new one.
pub fn replace(from: &Path, to: &Path) -> Result<()> {
    let same = || Some(fs::read(from).ok()? == fs::read(to).ok()?);
    // Untouched, what depends on it by its time need not be made again.
    if same() == Some(true) {
        return Ok(());
    }
    let mut name = to.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = to.with_file_name(name);
    let context = || format!("cannot copy {} to {}", from.display(), to.display());
    if let Some(dir) = to.parent() {
        fs::create_dir_all(dir).with_context(context)?;
    }
    fs::copy(from, &new).with_context(context)?;
    fs::rename(&new, to).with_context(context)
}
