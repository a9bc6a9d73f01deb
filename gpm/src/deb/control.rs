//! Debian's control files (deb-control(5)), and what their fields are in a manifest.

use std::collections::BTreeMap;

use crate::dependency::{Dependency, DependencyError, Relation};
use crate::manifest::{Architecture, Manifest, Optional};
use crate::version::Version;

use super::DebError;

/// The origin of packages that were made of Debian's.
pub const ORIGIN: &str = "debian";

/// The fields of one stanza.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stanza(BTreeMap<String, String>);

impl Stanza {
    /// The first stanza of a text.
    pub fn parse(text: &str) -> Stanza {
        let mut fields = BTreeMap::new();
        let mut current = String::new();
        for line in text.lines().skip_while(|line| line.trim().is_empty()) {
            if line.trim().is_empty() {
                break;
            }
            if line.starts_with([' ', '\t']) {
                if let Some(value) = fields.get_mut(&current) {
                    let value: &mut String = value;
                    value.push('\n');
                    value.push_str(line.trim());
                }
            } else if let Some((name, value)) = line.split_once(':') {
                current = name.to_ascii_lowercase();
                fields.insert(current.clone(), value.trim().to_owned());
            }
        }
        Stanza(fields)
    }

    /// A field; its name's case does not matter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(&name.to_ascii_lowercase()).map(String::as_str)
    }

    fn need(&self, name: &'static str) -> Result<&str, DebError> {
        self.get(name).ok_or(DebError::Field { name, reason: "is missing".into() })
    }
}

/// All stanzas of a text, such as an index of packages.
pub fn stanzas(text: &str) -> impl Iterator<Item = Stanza> + '_ {
    text.split("\n\n").filter(|it| !it.trim().is_empty()).map(Stanza::parse)
}

/// What a qualifier after a package's name may say here: `any` and `native` are about this machine, which has no other's packages.
const OURS: [&str; 4] = ["any", "native", "all", "amd64"];

/// A relation as we write it, without the qualifier and the old operators `<` and `>`; `None` where it is about another machine's packages.
fn plain(relation: &str) -> Option<String> {
    let (name, version) = relation.find('(').map_or((relation, ""), |at| relation.split_at(at));
    let (name, machine) = name.split_once(':').unwrap_or((name, OURS[0]));
    if !OURS.contains(&machine.trim()) {
        return None;
    }
    let old = |operator: char| version.get(1..)?.trim_start().strip_prefix(operator).filter(|it| !it.starts_with([operator, '=']));
    Some(if let Some(version) = old('<') {
        format!("{name} (<= {version}")
    } else if let Some(version) = old('>') {
        format!("{name} (>= {version}")
    } else {
        format!("{name} {version}")
    })
}

/// The alternatives of each dependency in a field. Those about other machines' packages are left out; none may be left.
fn alternatives(stanza: &Stanza, name: &'static str) -> Result<Vec<Vec<Relation>>, DebError> {
    let text = stanza.get(name).unwrap_or_default().replace('\n', " ");
    let parts = text.split(',').filter(|it| !it.trim().is_empty());
    let parsed: Result<_, _> = parts.map(|part| part.split('|').filter_map(plain).map(|it| it.parse()).collect()).collect();
    parsed.map_err(|error: DependencyError| DebError::Field { name, reason: error.to_string() })
}

/// What must be there.
fn needed(stanza: &Stanza, name: &'static str) -> Result<Vec<Dependency>, DebError> {
    let all = alternatives(stanza, name)?;
    if all.iter().any(Vec::is_empty) {
        return Err(DebError::Field { name, reason: "it needs a package of another machine".into() });
    }
    Ok(all.into_iter().map(|alternatives| Dependency { alternatives }).collect())
}

/// What would be good to have.
fn wanted(stanza: &Stanza, name: &'static str) -> Result<impl Iterator<Item = Dependency>, DebError> {
    Ok(alternatives(stanza, name)?.into_iter().filter(|it| !it.is_empty()).map(|alternatives| Dependency { alternatives }))
}

fn relations(stanza: &Stanza, name: &'static str) -> Result<Vec<Relation>, DebError> {
    Ok(alternatives(stanza, name)?.into_iter().flatten().collect())
}

/// The manifest that a stanza of a control file or an index makes. Licence and the store's words are not in it.
///
/// # Errors
/// When a field that must be there is not, or one cannot be understood.
pub fn manifest(stanza: &Stanza) -> Result<Manifest, DebError> {
    let version = Version::new(stanza.need("Version")?).map_err(|error| DebError::Field { name: "Version", reason: error.to_string() })?;
    let description = stanza.get("Description").unwrap_or_default();
    let (summary, body) = description.split_once('\n').unwrap_or((description, ""));
    let summary = if summary.is_empty() { "A package of Debian" } else { summary };
    let mut manifest = Manifest::new(stanza.need("Package")?, version, summary, "LicenseRef-Debian-copyright");
    manifest.architecture = match stanza.need("Architecture")? {
        "all" => Architecture::All,
        "amd64" => Architecture::X86_64,
        other => return Err(DebError::Field { name: "Architecture", reason: format!("{other:?} is for other machines") }),
    };
    // A line with a single full stop is an empty one.
    manifest.description = body.lines().map(|line| if line == "." { "" } else { line }).collect::<Vec<_>>().join("\n");
    manifest.homepage = stanza.get("Homepage").unwrap_or_default().into();
    manifest.maintainer = stanza.get("Maintainer").unwrap_or_default().into();
    manifest.origin = ORIGIN.into();
    manifest.essential = stanza.get("Essential") == Some("yes");
    manifest.depends = needed(stanza, "Pre-Depends")?;
    manifest.depends.extend(needed(stanza, "Depends")?);
    for (field, default) in [("Recommends", true), ("Suggests", false)] {
        manifest.optional.extend(wanted(stanza, field)?.map(|dependency| Optional { dependency, reason: String::new(), default }));
    }
    manifest.provides = relations(stanza, "Provides")?;
    manifest.conflicts = relations(stanza, "Conflicts")?;
    // To break a package is to conflict with it; what differs is only the order in which dpkg unpacks.
    manifest.conflicts.extend(relations(stanza, "Breaks")?);
    manifest.replaces = relations(stanza, "Replaces")?;
    Ok(manifest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_become_a_manifest() {
        let text = "Package: demo\nVersion: 1:2.0-1+b2\nArchitecture: amd64\nMaintainer: Some One <s@example.org>\n\
                    Pre-Depends: libc6 (>= 2.36)\nDepends: python3:any (>= 3.9~), default-mta | mail-transport-agent,\n perl:native (> 5)\n\
                    Recommends: less\nSuggests: xz\nBreaks: old (< 1)\nConflicts: other\nReplaces: old (<< 1)\nProvides: virt (= 2)\n\
                    Description: does things\n well\n .\n indeed\n\nPackage: next\n";
        let it = manifest(&Stanza::parse(text)).unwrap();
        assert_eq!((it.name.as_str(), it.version.epoch(), it.architecture), ("demo", 1, Architecture::X86_64));
        let texts: Vec<String> = it.depends.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["libc6 (>= 2.36)", "python3 (>= 3.9~)", "default-mta | mail-transport-agent", "perl (>= 5)"]);
        assert_eq!(it.conflicts.iter().map(ToString::to_string).collect::<Vec<_>>(), ["other", "old (<= 1)"]);
        assert_eq!((it.optional[0].default, it.optional[1].default), (true, false));
        assert_eq!((it.summary.as_str(), it.description.as_str()), ("does things", "well\n\nindeed"));
        it.check().unwrap();
        assert_eq!(stanzas(text).count(), 2);
    }

    #[test]
    fn relations_to_packages_of_other_machines() {
        let manifest = |fields: &str| manifest(&Stanza::parse(&format!("Package: demo\nVersion: 1\nArchitecture: amd64\n{fields}")));
        let it = manifest("Depends: cross | gcc:i386 (>= 4), perl:any | python3:i386\nConflicts: demo:i386, twin:x32 (<< 2), rival:amd64\nRecommends: wine32:i386, wine64\n").unwrap();
        assert_eq!(it.depends.iter().map(ToString::to_string).collect::<Vec<_>>(), ["cross", "perl"]);
        assert_eq!(it.conflicts.iter().map(ToString::to_string).collect::<Vec<_>>(), ["rival"]);
        assert_eq!(it.optional.iter().map(|it| it.dependency.to_string()).collect::<Vec<_>>(), ["wine64"]);
        let error = manifest("Depends: gcc:i386 | gcc:x32\n").unwrap_err();
        assert!(error.to_string().contains("another machine"), "{error}");
        assert!(manifest("Depends: a1 | \n").is_err() && manifest("Depends: (>= 1)\n").is_err() && manifest("Depends: aa (\n").is_err());
    }

    #[test]
    fn other_machines_are_refused() {
        let text = "Package: demo\nVersion: 1\nArchitecture: arm64\n";
        assert!(manifest(&Stanza::parse(text)).is_err());
        assert!(manifest(&Stanza::parse("Package: demo\nArchitecture: all\n")).is_err());
    }
}
