//! What cargo says of the workspace.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::host;

/// The binaries of each package.
pub type Programs = BTreeMap<String, BTreeSet<String>>;

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

/// A package of the workspace.
#[derive(Deserialize)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its specification for cargo: names alone can be those of dependencies too.
    pub id: String,
    targets: Vec<Target>,
}

/// Something that cargo builds of a package.
#[derive(Deserialize)]
pub struct Target {
    /// Its name; a program's file is called so.
    pub name: String,
    kind: Vec<String>,
    /// Features without which it is not built.
    #[serde(default, rename = "required-features")]
    required_features: Vec<String>,
}

impl Package {
    /// Its programs.
    pub fn binaries(&self) -> impl Iterator<Item = &Target> {
        self.targets.iter().filter(|target| target.kind.iter().any(|kind| kind == "bin"))
    }

    /// The features that its programs need.
    pub fn features(&self) -> BTreeSet<&str> {
        self.binaries().flat_map(|target| &target.required_features).map(String::as_str).collect()
    }
}

/// The packages of the workspace in this folder, by `$CARGO` or cargo.
///
/// # Errors
/// cargo fails, or is not there.
pub fn packages(folder: &Path) -> Result<Vec<Package>> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["metadata", "--format-version", "1", "--no-deps"]).current_dir(folder);
    let metadata: Metadata = serde_json::from_slice(&host::run(&mut command)?).map_err(|error| Error::config(folder.join("Cargo.toml"), error))?;
    Ok(metadata.packages)
}

/// The programs of the workspace in this folder.
///
/// # Errors
/// As [`packages`].
pub fn programs(folder: &Path) -> Result<Programs> {
    let of = |package: Package| (package.name.clone(), package.binaries().map(|it| it.name.clone()).collect());
    Ok(packages(folder)?.into_iter().map(of).collect())
}
