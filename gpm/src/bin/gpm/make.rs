//! Commands that make packages and keys.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use gpm::deb::{self, Unknown};
use gpm::digest::Digest;
use gpm::keys::SecretKey;
use gpm::manifest::Manifest;
use gpm::package::{Builder, Preset};
use serde_json::json;

use crate::args::{self, PresetName};
use crate::show::Output;

pub fn build(args: &args::Build, output: &Output) -> Result<ExitCode> {
    let text = fs::read_to_string(&args.manifest).with_context(|| format!("cannot read {}", args.manifest.display()))?;
    let manifest: Manifest = toml::from_str(&text).with_context(|| args.manifest.display().to_string())?;
    if manifest.state_checksum.is_some() {
        bail!("{}: state_checksum is filled in by gpm", args.manifest.display());
    }
    let keys: Vec<SecretKey> = args.key.iter().map(|it| SecretKey::read(it)).collect::<Result<_, _>>()?;
    let path = args.output.join(manifest.file_name());
    let mut builder = Builder::new(manifest).preset(preset(args.preset));
    builder.add_tree(&args.folder, args.source_date)?;
    let digest = write(builder, &path, &keys)?;
    output.say(&path.display().to_string(), &json!({ "path": path, "sha512": digest }));
    Ok(ExitCode::SUCCESS)
}

fn preset(name: PresetName) -> Preset {
    match name {
        PresetName::Quick => Preset::Quick,
        PresetName::Balanced => Preset::Balanced,
        PresetName::Small => Preset::Small,
    }
}

/// Written beside it first: a failure leaves no half of a package.
fn write(builder: Builder, path: &Path, keys: &[SecretKey]) -> Result<Digest> {
    let part = path.with_extension("part");
    let mut file = fs::File::create(&part).with_context(|| format!("cannot write {}", part.display()))?;
    let written = builder.write(&mut file, &keys.iter().collect::<Vec<_>>()).map_err(anyhow::Error::from);
    let digest = written.and_then(|digest| fs::rename(&part, path).context("cannot rename the package").map(|()| digest));
    if digest.is_err() {
        let _ = fs::remove_file(&part);
    }
    digest
}

pub fn import(from: &args::Import, output: &Output) -> Result<ExitCode> {
    let args::Import::Deb { packages, output: folder, key, drop_scripts, preset: name } = from;
    let keys: Vec<SecretKey> = key.iter().map(|it| SecretKey::read(it)).collect::<Result<_, _>>()?;
    let unknown = if *drop_scripts { Unknown::Drop } else { Unknown::Refuse };
    let (mut lines, mut list) = (Vec::new(), Vec::new());
    for package in packages {
        // Kept until the package has been read.
        let downloads = tempfile::tempdir().context("cannot make a folder for downloads")?;
        let path = if package.ends_with(".deb") { PathBuf::from(package) } else { download(package, downloads.path())? };
        let imported = deb::import(&path, unknown).with_context(|| package.clone())?;
        let target = folder.join(imported.manifest.file_name());
        let digest = write(imported.builder.preset(preset(*name)), &target, &keys)?;
        lines.push(target.display().to_string());
        lines.extend(imported.notes.iter().map(|it| format!("    {it}")));
        list.push(json!({ "path": target, "sha512": digest, "notes": imported.notes }));
    }
    output.say(&lines.join("\n"), &json!(list));
    Ok(ExitCode::SUCCESS)
}

/// Has apt download a package, which verifies the archive's signatures.
fn download(name: &str, folder: &Path) -> Result<PathBuf> {
    let done = Command::new("apt-get").args(["-qq", "-o", "APT::Sandbox::User=root", "download", name]).current_dir(folder).output();
    let done = done.context("apt-get is needed to download packages by name; name .deb files instead")?;
    if !done.status.success() {
        bail!("apt-get cannot download {name}: {}", String::from_utf8_lossy(&done.stderr).trim());
    }
    let file = fs::read_dir(folder)?.filter_map(Result::ok).map(|it| it.path()).find(|it| it.extension().is_some_and(|it| it == "deb"));
    file.with_context(|| format!("apt-get has downloaded nothing for {name}"))
}

pub fn key(args: &args::Key, output: &Output) -> Result<ExitCode> {
    let key = SecretKey::generate()?;
    let public = key.write(&args.file)?;
    let text = format!("{} signs; put {} into /etc/gpm/keys where its packages are to be trusted", args.file.display(), public.display());
    output.say(&text, &json!({ "secret": args.file, "public": public, "id": key.public().id() }));
    Ok(ExitCode::SUCCESS)
}
