//! Packages that are made of a delta and of what is here already, instead of being fetched whole.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use super::{Error, Gpm};
use crate::database::Record;
use crate::digest::Digest;
use crate::observer::Event;
use crate::package::delta::{self, DeltaError, MAX_CONTENTS};
use crate::package::{Kind, Package, Trust};
use crate::repository::{Client, Delta, Offer, RepositoryError};

impl Gpm<'_> {
    /// What must be fetched to have a package's file: the smallest delta whose base seems to be here, or the whole.
    pub(super) fn download(&self, offer: &Offer, installed: Option<&Record>) -> u64 {
        let is_here = |it: &&Delta| installed.is_some_and(|record| record.sha512 == it.base) || self.cached_base(it).is_some();
        offer.deltas.iter().filter(is_here).map(|it| it.length).min().unwrap_or(offer.length).min(offer.length)
    }

    fn cached_base(&self, delta: &Delta) -> Option<PathBuf> {
        let prefix = &delta.base.to_string()[..16];
        let entries = fs::read_dir(self.root.join("var/cache/gpm")).ok()?;
        let mut paths = entries.filter_map(Result::ok).map(|it| it.path());
        paths.find(|it| it.file_name().and_then(|it| it.to_str()).is_some_and(|it| it.starts_with(prefix) && it.ends_with(".gcpkg")))
    }

    /// The contents that a delta begins with: of a package in the cache, or of the installed files where they are as delivered.
    fn base(&self, name: &str, delta: &Delta) -> Option<Vec<u8>> {
        let cached = || delta::contents(&mut Package::open(&self.cached_base(delta)?, Trust::Digest(&delta.base)).ok()?).ok();
        let right = |contents: &Vec<u8>| Digest::of(contents) == delta.contents;
        cached().filter(right).or_else(|| self.installed_contents(name, &delta.base).filter(right))
    }

    fn installed_contents(&self, name: &str, package: &Digest) -> Option<Vec<u8>> {
        let records = self.database.records().ok()?;
        records.get(name).filter(|it| it.sha512 == *package)?;
        let mut contents = Vec::new();
        for entry in self.database.files(name).ok()? {
            let Kind::Regular { size, .. } = entry.kind else { continue };
            let place = self.root.resolve(&entry.path).ok()?;
            // A device or a pipe in its place would be waited for for ever.
            fs::symlink_metadata(&place).ok().filter(|it| it.is_file() && it.len() == size)?;
            let before = contents.len() as u64;
            fs::File::open(&place).ok()?.take(size.saturating_add(1)).read_to_end(&mut contents).ok()?;
            if contents.len() as u64 != before + size || before + size > MAX_CONTENTS {
                return None;
            }
        }
        Some(contents)
    }

    /// Makes a package's file at `path` by a delta; false where there is none that helps: then the whole must be fetched.
    ///
    /// # Errors
    /// Only when somebody stops it.
    pub(super) fn bring_by_delta(&self, client: &Client<'_>, repository: &str, offer: &Offer, path: &Path) -> Result<bool, Error> {
        let mut deltas: Vec<&Delta> = offer.deltas.iter().filter(|it| it.length < offer.length).collect();
        deltas.sort_by_key(|it| it.length);
        let _one_at_a_time = self.delta.lock().unwrap_or_else(PoisonError::into_inner);
        let name = &offer.manifest.name;
        let Some((delta, base)) = deltas.into_iter().find_map(|it| Some((it, self.base(name, it)?))) else { return Ok(false) };
        let mut part = path.as_os_str().to_owned();
        part.push(format!(".{}.delta.part", std::process::id()));
        let (part, whole) = (PathBuf::from(&part), path.with_extension(format!("{}.made.part", std::process::id())));
        let made = || -> Result<(), Failure> {
            client.fetch_delta(offer, delta, &part)?;
            if delta::apply_file(&part, &base, &whole)? != offer.sha512 {
                return Err(Failure::Other);
            }
            fs::rename(&whole, path).map_err(|error| Failure::Delta(DeltaError::Write(error)))
        };
        let result = made();
        let _ = fs::remove_file(&part);
        let _ = fs::remove_file(&whole);
        match result {
            Ok(()) => Ok(true),
            Err(Failure::Fetch(source @ RepositoryError::Cancelled)) => Err(Error::Repository { name: repository.into(), source }),
            Err(error) => {
                self.observer.event(&Event::Note { text: &format!("the delta of {} is of no use: {error}; the whole package is fetched", offer.manifest.id()) });
                Ok(false)
            }
        }
    }
}

/// Why a delta has not given the package.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Fetch(#[from] RepositoryError),
    #[error(transparent)]
    Delta(#[from] DeltaError),
    #[error("what it gives is not the package that the repository signed")]
    Other,
}
