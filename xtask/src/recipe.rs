//! `./gos recipe`: what people do with recipes.

use anyhow::Result;
use image_builder::{lint, workspace};

use crate::cli::RecipeVerb;
use crate::project::Project;

pub fn run(project: &Project, verb: &RecipeVerb) -> Result<u8> {
    match verb {
        RecipeVerb::Lint { names } => check(project, names),
    }
}

fn check(project: &Project, names: &[String]) -> Result<u8> {
    let programs = workspace::programs(&project.root)?;
    let findings = lint::lint(&project.root, names, Some(&programs))?;
    for finding in &findings {
        println!("{finding}");
    }
    let count = if names.is_empty() { lint::recipes(&project.root)?.len() } else { names.len() };
    let recipes = if count == 1 { "1 recipe".into() } else { format!("{count} recipes") };
    match findings.len() {
        0 => eprintln!("gos: {recipes}, nothing wrong"),
        1 => eprintln!("gos: {recipes}, 1 mistake"),
        found => eprintln!("gos: {recipes}, {found} mistakes"),
    }
    Ok(u8::from(!findings.is_empty()))
}
