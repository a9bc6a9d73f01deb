//! Calls of cargo: the kernel, programs for images, programs for this host.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
pub use image_builder::workspace::Package;
use image_builder::workspace;

use crate::project::{Project, replace};

/// The target of all programs.
const TARGET: &str = "x86_64-unknown-linux-gnu";
const KERNEL_TARGET: &str = "x86_64-unknown-none";

/// Cargo as `./gos` chose it.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Flags of the caller would replace ours.
    command.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS").stdin(Stdio::null());
    command
}

/// Runs a command whose output the user may see.
pub fn run(command: &mut Command, what: &str) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot run {:?}", command.get_program()))?;
    if !status.success() {
        bail!("{what} failed ({status})");
    }
    Ok(())
}

/// The packages of the workspace in this folder of the checkout.
pub fn packages(project: &Project, folder: &str) -> Result<Vec<Package>> {
    Ok(workspace::packages(&project.root.join(folder))?)
}

/// How programs are linked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Link {
    /// With this host's C library.
    Dynamic,
    /// With everything in them: they need no `ld.so`.
    Static,
}

/// Builds packages as static programs, which need no `ld.so`, and gives the copies in `dir` by binary name. Packages that the
/// workspace lacks are left out.
pub fn build_static(project: &Project, wanted: &BTreeSet<String>, dir: &Path) -> Result<BTreeMap<String, PathBuf>> {
    build_all(project, |package| wanted.contains(&package.name), Link::Static, dir)
}

/// Builds packages as programs that need the C library of this host's release, and gives the copies in `dir` by binary name.
pub fn build_dynamic(project: &Project, wanted: &BTreeSet<String>, dir: &Path) -> Result<BTreeMap<String, PathBuf>> {
    build_all(project, |package| wanted.contains(&package.name), Link::Dynamic, dir)
}

/// Builds every program of the workspace for this host, into `dir`, but those that are dear: the ones that need features.
pub fn build_host(project: &Project, dir: &Path) -> Result<BTreeMap<String, PathBuf>> {
    build_all(project, |package| package.name != "xtask" && package.features().is_empty(), Link::Dynamic, dir)
}

/// Builds packages with the features that their programs need. A package with such features is built by itself: with others its
/// features would change what they have in common, and that would be built twice.
fn build_all(project: &Project, wanted: impl Fn(&Package) -> bool, link: Link, dir: &Path) -> Result<BTreeMap<String, PathBuf>> {
    let mut packages = packages(project, "")?;
    packages.retain(|package| wanted(package) && package.binaries().next().is_some());
    let (plain, special): (Vec<Package>, Vec<Package>) = packages.into_iter().partition(|package| package.features().is_empty());
    let mut built = build_plain(project, &plain, link, dir)?;
    for package in special {
        built.extend(build_special(project, &package, link, dir)?);
    }
    Ok(built)
}

/// Builds programs of the workspace with the features that the whole workspace asks of its dependencies, whichever programs are wanted:
/// with the features that only these ask for, each set of programs would build its dependencies anew.
fn build_plain(project: &Project, packages: &[Package], link: Link, dir: &Path) -> Result<BTreeMap<String, PathBuf>> {
    let binaries: Vec<&str> = packages.iter().flat_map(Package::binaries).map(|target| target.name.as_str()).collect();
    if binaries.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut command = cargo();
    command.args(["build", "--release", "--workspace"]);
    command.args(binaries.iter().flat_map(|binary| ["--bin", binary]));
    if link == Link::Static {
        command.env("RUSTC_WORKSPACE_WRAPPER", project.root.join("xtask/static-program"));
    }
    build_and_copy(project, &mut command, &binaries, &project.target.join("release"), dir)
}

fn build_special(project: &Project, package: &Package, link: Link, dir: &Path) -> Result<BTreeMap<String, PathBuf>> {
    let binaries: Vec<&str> = package.binaries().map(|target| target.name.as_str()).collect();
    let mut command = cargo();
    command.args(["build", "--release", "--bins", "--package", &package.id]);
    command.args(package.features().iter().flat_map(|feature| ["--features", feature]));
    let mut from = project.target.clone();
    if link == Link::Static {
        // Its libraries in other languages ask how they will be linked.
        let flags = format!("target.{TARGET}.rustflags=[\"-C\",\"target-feature=+crt-static\"]");
        command.args(["--target", TARGET, "--config", &flags]);
        from.push(TARGET);
    }
    build_and_copy(project, &mut command, &binaries, &from.join("release"), dir)
}

/// Runs cargo and copies what it has built: the next build may put another program of the same name there.
fn build_and_copy(project: &Project, command: &mut Command, binaries: &[&str], from: &Path, dir: &Path) -> Result<BTreeMap<String, PathBuf>> {
    let _lock = project.lock_target()?;
    command.current_dir(&project.root).env("CARGO_TARGET_DIR", &project.target);
    run(command, "building the programs")?;
    let mut built = BTreeMap::new();
    for binary in binaries {
        let copy = dir.join(binary);
        replace(&from.join(binary), &copy)?;
        built.insert((*binary).to_owned(), copy);
    }
    Ok(built)
}

/// Has cargo's tests use the dependencies as they are compiled for programs, but compile the workspace's own crates with what finds faults.
/// Cargo.toml says what holds for dependencies whatever is said here.
pub fn with_checks(command: &mut Command) {
    command.arg("--release");
    for option in ["opt-level=1", "debug-assertions=true", "overflow-checks=true"] {
        command.args(["--config", &format!("profile.release.{option}")]);
    }
}

/// Cargo for the kernel: the toolchain that has its target, or Debian's, which builds the target's library from source.
pub fn kernel_cargo(project: &Project, verb: &str) -> Command {
    let mut command = if !has_target() {
        let mut command = Command::new("/usr/bin/cargo");
        command.env("RUSTC", "/usr/bin/rustc").env("RUSTC_BOOTSTRAP", "1").env_remove("RUSTUP_TOOLCHAIN");
        command.args([verb, "-Z", "build-std=core,alloc,compiler_builtins", "-Z", "build-std-features=compiler-builtins-mem"]);
        command
    } else {
        let mut command = cargo();
        command.arg(verb);
        command
    };
    command.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS").stdin(Stdio::null());
    command.env("CARGO_TARGET_DIR", project.target.join("kernel")).current_dir(project.root.join("kernel"));
    command
}

fn has_target() -> bool {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).args(["--print", "target-libdir", "--target", KERNEL_TARGET]).output();
    output.is_ok_and(|output| output.status.success() && Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir())
}

/// Builds the kernel and gives its ELF file.
pub fn build_kernel(project: &Project) -> Result<PathBuf> {
    build_for_kernel_target(project, "kernel", "genai-kernel")
}

/// Builds the kernel that tests the frame crate and gives its ELF file.
pub fn build_frame_selftest(project: &Project) -> Result<PathBuf> {
    build_for_kernel_target(project, "frame-selftest", "frame-selftest")
}

fn build_for_kernel_target(project: &Project, package: &str, name: &str) -> Result<PathBuf> {
    let _lock = project.lock_target()?;
    let mut command = kernel_cargo(project, "build");
    command.args(["--release", "--target", KERNEL_TARGET, "--package", package]);
    run(&mut command, &format!("building the {package}"))?;
    let elf = project.target.join("kernel").join(KERNEL_TARGET).join("release").join(package);
    let copy = project.build().join("kernel").join(name);
    fs::create_dir_all(project.build().join("kernel")).context("cannot create build/kernel")?;
    replace(&elf, &copy)?;
    Ok(copy)
}
