//! Dependencies: from the packages that recipes name to all that they need.

use std::collections::{BTreeMap, BTreeSet};

use crate::debian::control::Package;
use crate::error::{Error, Result};

/// Where package descriptions come from: the names asked for, those known in the answer.
pub trait Source {
    /// Describes the packages of these names; leaves out those it does not know.
    fn describe(&mut self, names: &[String]) -> Result<Vec<Package>>;
}

/// Packages with what each needs, both by name.
pub type Closure = BTreeMap<String, (Package, Vec<String>)>;

/// The closure of `roots` over `Pre-Depends` and `Depends`, without the `excluded` packages.
///
/// Of alternatives the one already chosen wins, or what a chosen package provides, else the first that exists. Groups
/// that only a virtual package could satisfy are decided last, when all providers are known.
pub fn closure(
    roots: &[String],
    excluded: &BTreeSet<String>,
    source: &mut dyn Source,
) -> Result<Closure> {
    let mut chosen: BTreeMap<String, Package> = BTreeMap::new();
    let mut wanted: BTreeSet<String> = roots.iter().cloned().collect();
    while !wanted.is_empty() {
        let names: Vec<String> = wanted.into_iter().collect();
        let found = source.describe(&names)?;
        for package in found {
            chosen.entry(package.name.clone()).or_insert(package);
        }
        if let Some(missing) = roots.iter().find(|name| !chosen.contains_key(*name)) {
            return Err(Error::Packages(format!(
                "no package {missing} in the archive that apt knows"
            )));
        }
        wanted = next_wanted(&chosen, excluded, source)?;
    }
    let needs: BTreeMap<String, Vec<String>> = chosen
        .values()
        .map(|package| {
            let names = package
                .depends
                .iter()
                .filter_map(|group| satisfier(group, &chosen));
            let unique: BTreeSet<&String> = names.filter(|name| **name != package.name).collect();
            (package.name.clone(), unique.into_iter().cloned().collect())
        })
        .collect();
    Ok(chosen
        .into_iter()
        .map(|(name, package)| (name.clone(), (package, needs[&name].clone())))
        .collect())
}

/// The names to describe next: the first alternative that exists of every unsatisfied group.
fn next_wanted(
    chosen: &BTreeMap<String, Package>,
    excluded: &BTreeSet<String>,
    source: &mut dyn Source,
) -> Result<BTreeSet<String>> {
    let open: Vec<(&Package, &Vec<String>)> = chosen
        .values()
        .flat_map(|package| package.depends.iter().map(move |group| (package, group)))
        .filter(|(_, group)| {
            satisfier(group, chosen).is_none() && !group.iter().any(|name| excluded.contains(name))
        })
        .collect();
    let candidates: BTreeSet<String> = open
        .iter()
        .flat_map(|(_, group)| group.iter().cloned())
        .collect();
    if candidates.is_empty() {
        return Ok(BTreeSet::new());
    }
    let names: Vec<String> = candidates.into_iter().collect();
    let known: BTreeSet<String> = source
        .describe(&names)?
        .into_iter()
        .map(|package| package.name)
        .collect();
    let real: BTreeSet<String> = open
        .iter()
        .filter_map(|(_, group)| group.iter().find(|name| known.contains(*name)).cloned())
        .collect();
    match open.first() {
        // Only virtual packages are left and nobody provides them.
        Some((package, group)) if real.is_empty() => Err(Error::Packages(format!(
            "{} needs {}, which only virtual packages provide: name a provider in a recipe, or exclude it in \
             recipes/debian.toml",
            package.name,
            group.join(" or ")
        ))),
        _ => Ok(real),
    }
}

/// The chosen package that satisfies a group of alternatives.
fn satisfier<'c>(group: &[String], chosen: &'c BTreeMap<String, Package>) -> Option<&'c String> {
    let by_name = group
        .iter()
        .find_map(|name| chosen.get_key_value(name).map(|(name, _)| name));
    by_name.or_else(|| {
        chosen
            .values()
            .find(|package| group.iter().any(|name| package.provides.contains(name)))
            .map(|package| &package.name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Archive(Vec<Package>);

    impl Source for Archive {
        fn describe(&mut self, names: &[String]) -> Result<Vec<Package>> {
            Ok(self
                .0
                .iter()
                .filter(|package| names.contains(&package.name))
                .cloned()
                .collect())
        }
    }

    fn package(name: &str, depends: &[&str], provides: &[&str]) -> Package {
        Package {
            name: name.into(),
            version: "1".into(),
            architecture: "amd64".into(),
            sha256: String::new(),
            size: 0,
            depends: depends
                .iter()
                .map(|group| group.split('|').map(String::from).collect())
                .collect(),
            provides: provides.iter().map(|name| name.to_string()).collect(),
        }
    }

    fn names(roots: &[&str], excluded: &[&str], archive: Vec<Package>) -> Result<Vec<String>> {
        let roots: Vec<String> = roots.iter().map(|name| name.to_string()).collect();
        let excluded = excluded.iter().map(|name| name.to_string()).collect();
        Ok(closure(&roots, &excluded, &mut Archive(archive))?
            .into_keys()
            .collect())
    }

    #[test]
    fn dependencies_are_followed_through_cycles() {
        let archive = vec![
            package("a", &["b"], &[]),
            package("b", &["c", "a"], &[]),
            package("c", &[], &[]),
            package("d", &[], &[]),
        ];
        assert_eq!(
            names(&["a"], &[], archive).expect("resolves"),
            ["a", "b", "c"]
        );
    }

    #[test]
    fn a_chosen_alternative_or_provider_wins() {
        let archive = vec![
            package("base", &["awk"], &[]),
            package("gawk", &[], &["awk"]),
            package("mawk", &[], &["awk"]),
            package("x", &["mawk|gawk"], &[]),
        ];
        assert_eq!(
            names(&["base", "gawk", "x"], &[], archive).expect("resolves"),
            ["base", "gawk", "x"]
        );
    }

    #[test]
    fn the_first_alternative_that_exists_is_taken() {
        let archive = vec![
            package("a", &["gone|real|other"], &[]),
            package("real", &[], &[]),
            package("other", &[], &[]),
        ];
        assert_eq!(
            names(&["a"], &[], archive).expect("resolves"),
            ["a", "real"]
        );
    }

    #[test]
    fn exclusions_are_left_out_and_gaps_are_named() {
        let archive = || {
            vec![
                package("a", &["debconf|debconf-2.0", "virt"], &[]),
                package("debconf", &[], &[]),
            ]
        };
        let error = names(&["a"], &["debconf"], archive())
            .expect_err("virt is missing")
            .to_string();
        assert!(error.contains("a needs virt"), "{error}");
        assert_eq!(
            names(&["a"], &["debconf", "virt"], archive()).expect("resolves"),
            ["a"]
        );
        let error = names(&["nosuch"], &[], archive())
            .expect_err("unknown root")
            .to_string();
        assert!(error.contains("nosuch"), "{error}");
    }
}
