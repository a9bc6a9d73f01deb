//! Debian's index of packages, as this host's apt has it, and what Debian's own checker says of it.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use gpm::deb::control;
use gpm::solver::Available;
use tempfile::NamedTempFile;

/// The checker, of Debian's package `dose-distcheck`.
pub const CHECKER: &str = "dose-debcheck";

/// The index of this release's main archive; `None` where apt has none.
pub fn index() -> Option<String> {
    let system = std::fs::read_to_string("/etc/os-release").ok()?;
    let codename = system.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="))?.trim_matches('"').to_owned();
    let mut which = Command::new("apt-get");
    which.args(["indextargets", "--format", "$(FILENAME)", "Created-By: Packages", "Component: main", "Architecture: amd64", "Origin: Debian"]);
    let output = which.arg(format!("Codename: {codename}")).output().ok().filter(|it| it.status.success())?;
    let path = String::from_utf8(output.stdout).ok()?.lines().next()?.to_owned();
    let output = Command::new("/usr/lib/apt/apt-helper").args(["cat-file", &path]).output().ok().filter(|it| it.status.success())?;
    String::from_utf8(output.stdout).ok().filter(|it| !it.is_empty())
}

/// All packages of an index.
pub fn packages(index: &str) -> Vec<Available> {
    let available = |stanza: control::Stanza| {
        let manifest = control::manifest(&stanza).unwrap_or_else(|error| panic!("{:?}: {error}", stanza.get("Package")));
        Available { manifest: Arc::new(manifest), repository: Some("debian".into()), priority: 0, installed: false }
    };
    control::stanzas(index).map(available).collect()
}

/// How the checker names a package.
pub fn name(package: &Available) -> String {
    format!("{} {}", package.manifest.name, package.manifest.version)
}

/// The checker at work.
pub struct Checker {
    process: Child,
    // It reads it until it ends.
    _index: NamedTempFile,
}

impl Checker {
    /// Lets it look at an index; `None` where this host does not have it.
    pub fn start(index: &str) -> Option<Checker> {
        let mut file = NamedTempFile::new().expect("a temporary file");
        file.write_all(index.as_bytes()).expect("a place for the index");
        let mut command = Command::new(CHECKER);
        command.args(["--deb-native-arch=amd64", "--failures"]).arg(file.path()).stdout(Stdio::piped()).stderr(Stdio::null());
        match command.spawn() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            process => Some(Checker { process: process.expect(CHECKER), _index: file }),
        }
    }

    /// The packages that cannot be installed, each with its version.
    pub fn broken(self) -> BTreeSet<String> {
        let output = self.process.wait_with_output().expect(CHECKER);
        // 1: some are broken. From 64 on it has not got through.
        assert!(output.status.code().is_some_and(|it| it < 64), "{CHECKER}: {}", output.status);
        let text = String::from_utf8(output.stdout).expect("text");
        let mut broken = BTreeSet::new();
        let mut package = "";
        for line in text.lines().map(str::trim) {
            if let Some(name) = line.strip_prefix("package: ") {
                package = name;
            } else if let Some(version) = line.strip_prefix("version: ") {
                broken.insert(format!("{package} {version}"));
            }
        }
        let count: Option<usize> = text.lines().find_map(|line| line.strip_prefix("broken-packages: ")?.parse().ok());
        assert_eq!(count, Some(broken.len()), "{text}");
        broken
    }
}
