//! Package stanzas (deb-control(5)) and dependency fields (Debian Policy, chapter 7).

use crate::error::{Error, Result};

/// What we need to know of a binary package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version, with epoch.
    pub version: String,
    /// `amd64` or `all`.
    pub architecture: String,
    /// The .deb's SHA-256 in hexadecimal.
    pub sha256: String,
    /// The .deb's size in bytes.
    pub size: u64,
    /// `Pre-Depends` and `Depends`: all of these, of each one of the alternatives. Version bounds are left out: within one
    /// release the archive is consistent.
    pub depends: Vec<Vec<String>>,
    /// Virtual packages it stands for.
    pub provides: Vec<String>,
}

impl Package {
    /// The name that apt gives the downloaded file: `:` of an epoch is written `%3a`.
    pub fn file_name(&self) -> String {
        format!(
            "{}_{}_{}.deb",
            self.name,
            self.version.replace(':', "%3a"),
            self.architecture
        )
    }
}

/// Parses the stanzas of `apt-cache show`. Stanzas without a checksum (installed but in no archive) are left out.
pub fn parse_stanzas(text: &str) -> Result<Vec<Package>> {
    text.split("\n\n")
        .filter(|stanza| !stanza.trim().is_empty())
        .filter_map(|stanza| parse(stanza).transpose())
        .collect()
}

fn parse(stanza: &str) -> Result<Option<Package>> {
    // Continuation lines begin with a blank; no field that we read has any.
    let field = |name: &str| {
        stanza
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
            .map(str::trim)
    };
    let need = |name: &str| {
        field(name).ok_or_else(|| Error::Packages(format!("a stanza has no {name}: {stanza}")))
    };
    let Some(sha256) = field("SHA256") else {
        return Ok(None);
    };
    let mut depends = relations(field("Pre-Depends").unwrap_or_default());
    depends.extend(relations(field("Depends").unwrap_or_default()));
    let name = need("Package")?;
    let size = need("Size")?
        .parse()
        .map_err(|error| Error::Packages(format!("size of {name}: {error}")))?;
    Ok(Some(Package {
        name: name.to_owned(),
        version: need("Version")?.to_owned(),
        architecture: need("Architecture")?.to_owned(),
        sha256: sha256.to_owned(),
        size,
        depends,
        provides: relations(field("Provides").unwrap_or_default())
            .into_iter()
            .flatten()
            .collect(),
    }))
}

/// The names in a relation field: `a (>= 1), b:any | c` is `[[a], [b, c]]`.
fn relations(field: &str) -> Vec<Vec<String>> {
    let name = |text: &str| {
        let end = text.find([' ', '(', '[', '<', ':']).unwrap_or(text.len());
        text[..end].to_owned()
    };
    let groups = field
        .split(',')
        .map(str::trim)
        .filter(|group| !group.is_empty());
    groups
        .map(|group| group.split('|').map(|text| name(text.trim())).collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stanza_is_read() {
        let text = "Package: demo\nVersion: 1:2.0-1\nArchitecture: amd64\nPre-Depends: libc6 (>= 2.36), a:any | b (<< 3)\n\
                    Depends: c\nProvides: virt (= 1), other\nSize: 42\nSHA256: ab\nDescription: x\n Depends: not me\n\n\
                    Package: local\nVersion: 1\nStatus: install ok installed\n";
        let packages = parse_stanzas(text).expect("parses");
        assert_eq!(packages.len(), 1, "what no archive has is left out");
        let demo = &packages[0];
        assert_eq!(
            demo.depends,
            [
                vec!["libc6".to_owned()],
                vec!["a".into(), "b".into()],
                vec!["c".into()]
            ]
        );
        assert_eq!(demo.provides, ["virt", "other"]);
        assert_eq!(demo.file_name(), "demo_1%3a2.0-1_amd64.deb");
    }

    #[test]
    fn a_stanza_without_version_is_an_error() {
        let error = parse_stanzas("Package: demo\nSHA256: ab\nSize: 1\n").expect_err("no version");
        assert!(error.to_string().contains("Version"), "{error}");
    }
}
