//! What tests and measurements of language models need: the programs that run them, and a model.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{Context, Result};
use image_builder::recipe::Recipe;

use crate::cargo;
use crate::images;
use crate::project::Project;

/// The package whose tests need a model where its feature `model-tests` is on.
pub const SERVICE: &str = "genaid";
/// The package of the programs.
const RUNNER: &str = "genaid-llama";
/// The recipe of the model.
const MODEL: &str = "model-smollm2-135m";

/// Has cargo's tests or measurements use the programs and the model as images have them. The programs take minutes to build, and are built once.
pub fn add_to(project: &Project, command: &mut Command) -> Result<()> {
    let runners = project.build().join("programs");
    cargo::build_static(project, &BTreeSet::from([RUNNER.to_owned()]), &runners)?;
    let recipe = Recipe::load(&project.root, MODEL)?;
    let model = recipe.pypi.first().with_context(|| format!("the recipe {MODEL} names no file"))?;
    command.args(["--features", &format!("{SERVICE}/model-tests")]).env("GENAID_RUNNERS", &runners);
    command.env("GENAID_MODEL", model.fetch(&project.cache, &images::report())?);
    Ok(())
}
