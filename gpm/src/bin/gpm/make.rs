//! Commands that make packages and keys.

use std::fs;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
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
    let preset = match args.preset {
        PresetName::Quick => Preset::Quick,
        PresetName::Balanced => Preset::Balanced,
        PresetName::Small => Preset::Small,
    };
    let path = args.output.join(manifest.file_name());
    let mut builder = Builder::new(manifest).preset(preset);
    builder.add_tree(&args.folder, args.source_date)?;
    // Written beside it first: a failure leaves no half of a package.
    let part = path.with_extension("part");
    let mut file = fs::File::create(&part).with_context(|| format!("cannot write {}", part.display()))?;
    let written = builder.write(&mut file, &keys.iter().collect::<Vec<_>>()).map_err(anyhow::Error::from);
    let digest = written.and_then(|digest| fs::rename(&part, &path).context("cannot rename the package").map(|()| digest));
    if digest.is_err() {
        let _ = fs::remove_file(&part);
    }
    let digest = digest?;
    output.say(&path.display().to_string(), &json!({ "path": path, "sha512": digest }));
    Ok(ExitCode::SUCCESS)
}

pub fn key(args: &args::Key, output: &Output) -> Result<ExitCode> {
    let key = SecretKey::generate()?;
    let public = key.write(&args.file)?;
    let text = format!("{} signs; put {} into /etc/gpm/keys where its packages are to be trusted", args.file.display(), public.display());
    output.say(&text, &json!({ "secret": args.file, "public": public, "id": key.public().id() }));
    Ok(ExitCode::SUCCESS)
}
