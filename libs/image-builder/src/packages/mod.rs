//! Images are made by installing packages: a tree becomes packages, each with the files that are its own; these become a signed repository;
//! and gpm installs all of it into an empty root, which is what the image holds.
//!
//! Below an edition's folder: `packages/*.gcpkg`, `repository/` and `root/`. The next build brings the root up to date by a transaction of
//! gpm's in which only those packages change that have changed.

mod describe;
mod install;
mod split;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, thread};

use gpm::keys::SecretKey;
use gpm::package::{Builder as PackageBuilder, Preset};

pub(crate) use describe::{Descriptions, all, describe};
pub use install::installed;
pub(crate) use install::{Distribution, compare, install, keys, read_back, signers};
pub(crate) use split::{Part, split};

use crate::error::{Error, IoContext, Result};
use crate::host::{self, Key};
use crate::tree::Content;

/// Changes with the code that decides what packages look like.
const VERSION: &str = "1";

/// The recipe whose package has what belongs to every image: the links of a merged `/usr`.
pub(crate) const BASE: &str = "genai-base";

/// The package of what is made from all packages of an edition: caches and bundles, and the keys that are trusted.
pub(crate) fn edition_package(edition: &str) -> String {
    format!("edition-{edition}")
}

impl Part {
    /// Names its state: base contents by the key of the tree that they are from.
    pub(crate) fn key(&self, base: &str) -> Result<String> {
        let mut key = Key::new("gcpkg");
        key.add(VERSION).add(serde_json::to_vec(&self.manifest).map_err(|error| Error::image("packages", error))?);
        for (entry, content) in &self.files {
            key.add(serde_json::to_vec(entry).map_err(|error| Error::image("packages", error))?);
            match content {
                None => {}
                Some(Content::Slice { offset, .. }) => drop(key.add(base).add(offset.to_le_bytes())),
                Some(Content::Host(path)) => drop(key.add_file(path)?),
                Some(Content::Bytes(bytes)) => drop(key.add(bytes)),
            }
        }
        Ok(key.finish())
    }
}

/// Writes the packages into `folder`, those that have changed, with all processors; other packages in it go. Tells where each is.
pub(crate) fn write(parts: &[Part], keys: &[String], signers: &[SecretKey], folder: &Path) -> Result<Vec<PathBuf>> {
    fs::create_dir_all(folder).on("create", folder)?;
    let paths: Vec<PathBuf> = parts.iter().map(|part| folder.join(part.manifest.file_name())).collect();
    for entry in fs::read_dir(folder).on("read", folder)? {
        let path = entry.on("read", folder)?.path();
        let package = path.with_extension("");
        if !paths.contains(&path) && !paths.contains(&package) {
            fs::remove_file(&path).on("remove", &path)?;
        }
    }
    let next = AtomicUsize::new(0);
    let work = || -> Result<()> {
        while let Some(((part, key), path)) = {
            let number = next.fetch_add(1, Ordering::Relaxed);
            parts.get(number).zip(keys.get(number)).zip(paths.get(number))
        } {
            host::make_once(path, key, |temporary| write_one(part, signers, temporary))?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let count = thread::available_parallelism().map_or(1, usize::from);
        let workers: Vec<_> = (0..count).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })?;
    Ok(paths)
}

fn write_one(part: &Part, signers: &[SecretKey], path: &Path) -> Result<()> {
    // Read once more by this machine only: time matters more than size.
    let mut builder = PackageBuilder::new(part.manifest.clone()).preset(Preset::Quick);
    for (entry, content) in &part.files {
        let bytes = content.as_ref().map(Content::read).transpose()?;
        builder.add(entry.clone(), bytes.unwrap_or_default());
    }
    let mut file = fs::File::create(path).on("create", path)?;
    let signers: Vec<&SecretKey> = signers.iter().collect();
    builder.write(&mut file, &signers).map(drop).map_err(|error| Error::image("packages", format!("{}: {error}", part.manifest.name)))
}
