//! Packages that others do not do their work without here, though Debian asks for less: its programs find an X server and the like by themselves.

use crate::dependency::{Dependency, Relation};
use crate::manifest::Manifest;

/// A package, and what it needs.
const NEEDED: [(&str, &str); 4] = [
    ("libgtk-3-0", "librsvg2-common"), // its buttons' pictures are SVG
    ("libgtk-4-1", "librsvg2-common"), // as above
    ("libqt5gui5", "qtwayland5"),      // the desktop is Wayland's
    ("libqt6gui6", "qt6-wayland"),     // as above
];

/// Makes a dependency of what a package needs here, where it had none or one that may be left out.
pub fn add(manifest: &mut Manifest) {
    // Since 2024 libraries with 64-bit times are called so.
    let name = manifest.name.strip_suffix("t64").unwrap_or(&manifest.name);
    for (_, needed) in NEEDED.iter().filter(|(it, _)| *it == name) {
        let names = |it: &Dependency| it.alternatives.iter().any(|it| it.name == *needed);
        manifest.optional.retain(|it| !names(&it.dependency));
        if !manifest.depends.iter().any(names) {
            manifest.depends.push(Dependency { alternatives: vec![Relation { name: (*needed).to_owned(), version: None }] });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Optional;

    #[test]
    fn programs_have_what_they_need_here() {
        let optional = |text: &str| Optional { dependency: text.parse().unwrap(), reason: String::new(), default: true };
        for name in ["libqt5gui5", "libqt5gui5t64"] {
            let mut manifest = Manifest::new(name, "5.15".parse().unwrap(), "x", "MIT");
            manifest.depends = vec!["libc6".parse().unwrap()];
            manifest.optional = vec![optional("libqt5svg5"), optional("qtwayland5")];
            add(&mut manifest);
            add(&mut manifest);
            assert_eq!(manifest.depends.iter().map(ToString::to_string).collect::<Vec<_>>(), ["libc6", "qtwayland5"]);
            assert_eq!(manifest.optional.iter().map(|it| it.dependency.to_string()).collect::<Vec<_>>(), ["libqt5svg5"]);
        }
    }
}
