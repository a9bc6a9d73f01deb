//! `./gos recipe`: what people do with recipes.

use anyhow::{Result, bail};
use image_builder::lint::{self, Finding};
use image_builder::recipe::{Project as Contents, Recipe};
use image_builder::{update, workspace};

use crate::cli::RecipeVerb;
use crate::images;
use crate::project::Project;

pub fn run(project: &Project, verb: &RecipeVerb) -> Result<u8> {
    match verb {
        RecipeVerb::Lint { names } => check(project, names),
        RecipeVerb::Update { names, write } => bring_up_to_date(project, names, *write).map(|()| 0),
        RecipeVerb::Build { names } => {
            // Before anything is built: a mistake in the last name should not come after minutes.
            let findings = mistakes(project, names)?;
            if !findings.is_empty() {
                bail!("nothing is built");
            }
            names.iter().try_for_each(|name| build(project, name)).map(|()| 0)
        }
    }
}

/// Prints what is wrong with recipes.
fn mistakes(project: &Project, names: &[String]) -> Result<Vec<Finding>> {
    let programs = workspace::programs(&project.root)?;
    let findings = lint::lint(&project.root, names, Some(&programs))?;
    for finding in &findings {
        println!("{finding}");
    }
    Ok(findings)
}

fn check(project: &Project, names: &[String]) -> Result<u8> {
    let findings = mistakes(project, names)?;
    let count = if names.is_empty() { lint::recipes(&project.root)?.len() } else { names.len() };
    let recipes = if count == 1 { "1 recipe".into() } else { format!("{count} recipes") };
    match findings.len() {
        0 => eprintln!("gos: {recipes}, nothing wrong"),
        1 => eprintln!("gos: {recipes}, 1 mistake"),
        found => eprintln!("gos: {recipes}, {found} mistakes"),
    }
    Ok(u8::from(!findings.is_empty()))
}

fn build(project: &Project, name: &str) -> Result<()> {
    let contents = Contents::load_recipe(&project.root, name)?;
    let programs = images::programs(project, &contents)?;
    let wanted = contents.recipes.iter().flat_map(|recipe| recipe.program.iter().map(move |program| (recipe, program)));
    for (recipe, program) in wanted {
        // An image goes without; a package would be wrong.
        if !programs.contains_key(program.binary()) {
            bail!("the program {} of recipe {} is not built", program.binary(), recipe.name);
        }
    }
    // What packages are made from stays beside them, so that the next build is quick.
    let out = project.build().join("recipes").join(name);
    let folder = project.build().join("packages").join(name);
    let made = images::with_builder_of(project, &contents, out, programs, |builder| Ok(builder.packages_of_recipes(&folder)?))?;
    println!("{name}, as edition {} has it:", contents.edition_name);
    for package in &made {
        println!("{:>10}  {}", size(package.bytes), package.path.display());
    }
    if !made.is_empty() {
        println!("{:>10}  in {}", size(made.iter().map(|it| it.bytes).sum()), if made.len() == 1 { "1 package".into() } else { format!("{} packages", made.len()) });
    }
    for recipe in contents.recipes.iter().filter(|recipe| !made.iter().any(|it| it.name == recipe.name)) {
        println!("{} has no package: nothing of it goes into the root{}", recipe.name, early(recipe));
    }
    Ok(())
}

fn bring_up_to_date(project: &Project, names: &[String], write: bool) -> Result<()> {
    let report = images::report();
    let found = update::find(&project.root, names, &report)?;
    for change in &found.changes {
        println!("{change}");
    }
    match found.changes.len() {
        0 => eprintln!("gos: nothing is newer"),
        _ if !write => eprintln!("gos: --write pins {}", if found.changes.len() == 1 { "it" } else { "them" }),
        _ => {
            for path in found.write(&report)? {
                println!("{}", path.display());
            }
        }
    }
    Ok(())
}

/// Where the programs of a recipe go that has none for the root.
fn early(recipe: &Recipe) -> String {
    let programs: Vec<String> = recipe.program.iter().map(|it| format!("{} ({}) is in build/programs/{}", it.path, it.image, it.binary())).collect();
    if programs.is_empty() { String::new() } else { format!("; {}", programs.join(", ")) }
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}
