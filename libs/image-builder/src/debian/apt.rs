//! The host's apt: descriptions and downloads, verified by the archive's signatures.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::debian::control::{Package, parse_stanzas};
use crate::debian::fetch::Archive;
use crate::debian::resolve::Source;
use crate::error::{Error, IoContext, Result};
use crate::host;
use crate::report::Report;

/// The Debian release that packages come from.
pub const RELEASE: &str = "bookworm";

/// The host's apt, checked to be of our release.
pub struct Apt<'r> {
    report: &'r Report,
    updated: bool,
    /// What apt said about a package, so that it is asked once.
    described: BTreeMap<String, Option<Package>>,
    /// `apt-cache policy`'s answers by package. A call costs a second, however many names it has.
    policies: BTreeMap<String, String>,
}

impl<'r> Apt<'r> {
    /// Checks that the host's apt serves our release; fetches its package lists where there are none.
    pub fn new(report: &'r Report) -> Result<Self> {
        let path = Path::new("/etc/os-release");
        let os_release = fs::read_to_string(path).on("read", path)?;
        let field = |name: &str| {
            os_release
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
                .unwrap_or("unknown")
                .trim_matches('"')
        };
        if field("VERSION_CODENAME") != RELEASE {
            return Err(Error::Packages(format!(
                "the image's packages come from Debian 12 ({RELEASE}) through the host's apt, but this host is {}; build on \
                 Debian 12 (a container will do)",
                field("PRETTY_NAME")
            )));
        }
        let mut apt = Self {
            report,
            updated: false,
            described: BTreeMap::new(),
            policies: BTreeMap::new(),
        };
        // `base-files` is in every archive; an installed one has no checksum in apt's answer.
        if apt.show(&["base-files".into()])?.is_empty() {
            apt.update()?;
        }
        Ok(apt)
    }

    /// `apt-cache show` of names or `name=version`s; unknown ones are left out.
    fn show(&self, specs: &[String]) -> Result<Vec<Package>> {
        let mut command = Command::new("apt-cache");
        command
            .args(["-q", "show", "--no-all-versions"])
            .args(specs);
        // apt fails where it knows none of them, which is an answer too; other failures show as an unreadable answer.
        let output = command.output().map_err(|error| Error::Command {
            command: "apt-cache show".into(),
            reason: error.to_string(),
        })?;
        parse_stanzas(&String::from_utf8_lossy(&output.stdout))
    }

    fn try_download(&self, packages: &[Package], dir: &Path) -> Result<()> {
        let specs = packages
            .iter()
            .map(|package| format!("{}={}", package.name, package.version));
        // As root apt would drop to a user who may not write to our cache.
        let mut command = Command::new("apt-get");
        command
            .args(["-qq", "-o", "APT::Sandbox::User=root", "download"])
            .args(specs)
            .current_dir(dir);
        host::run(&mut command).map(|_| ())
    }
}

impl Archive for Apt<'_> {
    fn exact(&mut self, packages: &[Package]) -> Result<Vec<Package>> {
        if packages.is_empty() {
            return Ok(Vec::new());
        }
        let specs: Vec<String> = packages
            .iter()
            .map(|package| format!("{}={}", package.name, package.version))
            .collect();
        self.show(&specs)
    }

    fn is_of_release(&mut self, package: &Package) -> Result<bool> {
        if !self.policies.contains_key(&package.name) {
            let known = self.described.values().flatten();
            let names = known.map(|known| &known.name).chain([&package.name]);
            let output = host::run(Command::new("apt-cache").args(["-q", "policy"]).args(names))?;
            self.policies = policies(&String::from_utf8_lossy(&output));
        }
        let policy = self.policies.get(&package.name);
        Ok(policy.is_some_and(|policy| policy_has_release(policy, &package.version)))
    }

    fn download(&mut self, packages: &[Package], folder: &Path) -> Result<()> {
        let first = self.try_download(packages, folder);
        if first.is_ok() || self.updated {
            return first;
        }
        self.update()?;
        self.try_download(packages, folder)
    }

    fn update(&mut self) -> Result<()> {
        if std::mem::replace(&mut self.updated, true) {
            return Ok(());
        }
        self.report
            .step("fetching Debian's package lists (apt-get update)");
        self.described.clear();
        self.policies.clear();
        // The owner of /proc/self is the effective user.
        let root = fs::metadata("/proc/self")
            .is_ok_and(|metadata| std::os::unix::fs::MetadataExt::uid(&metadata) == 0);
        let mut command = if root {
            Command::new("apt-get")
        } else {
            Command::new("sudo")
        };
        if !root {
            command.arg("apt-get");
        }
        host::run(command.args(["-qq", "update"])).map(|_| ())
    }
}

impl Source for Apt<'_> {
    fn describe(&mut self, names: &[String]) -> Result<Vec<Package>> {
        let unknown: Vec<String> = names
            .iter()
            .filter(|name| !self.described.contains_key(*name))
            .cloned()
            .collect();
        if !unknown.is_empty() {
            let mut found: BTreeMap<String, Package> = self
                .show(&unknown)?
                .into_iter()
                .map(|package| (package.name.clone(), package))
                .collect();
            for name in unknown {
                let package = found.remove(&name);
                self.described.insert(name, package);
            }
        }
        Ok(names
            .iter()
            .filter_map(|name| self.described.get(name).cloned().flatten())
            .collect())
    }
}

/// Takes `apt-cache policy`'s answer apart by package: a name and a colon at the beginning of a line open its part.
fn policies(output: &str) -> BTreeMap<String, String> {
    let mut parts: BTreeMap<String, String> = BTreeMap::new();
    let mut name = String::new();
    for line in output.lines() {
        if let Some(package) = line.strip_suffix(':').filter(|it| !it.starts_with(' ')) {
            package.clone_into(&mut name);
        }
        parts.entry(name.clone()).or_default().extend([line, "\n"]);
    }
    parts
}

/// Reads `apt-cache policy`: is `version` offered by an archive of our release?
fn policy_has_release(policy: &str, version: &str) -> bool {
    let mut inside = false;
    for line in policy.lines() {
        let indent = line.len() - line.trim_start().len();
        let words: Vec<&str> = line.split_whitespace().collect();
        // A version stands at indent 1 or 5 (`***` marks the installed one), its archives at 8 or more.
        if indent < 8 {
            // Epochs hold a colon: apt's own fields end in one.
            let is_field = words.first().is_some_and(|word| word.ends_with(':'));
            inside = !is_field && words.contains(&version);
        } else if inside {
            let of_release = |suite: &&str| {
                suite.split('/').next().is_some_and(|suite| {
                    suite == RELEASE || suite.starts_with(&format!("{RELEASE}-"))
                })
            };
            if words.get(2).is_some_and(of_release) {
                return true;
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = "bash:\n  Installed: 5.2.15-2+b8\n  Candidate: 1:5.2.15-3\n  Version table:\n     1:5.2.15-3 500\n        \
                          500 http://mirror/debian-security bookworm-security/main amd64 Packages\n     5.2.15-2+b13 500\n        \
                          500 http://mirror/debian trixie/main amd64 Packages\n *** 5.2.15-2+b8 100\n        100 /var/lib/dpkg/status\n";

    #[test]
    fn an_answer_on_many_packages_is_taken_apart() {
        let parts = policies(&format!("{POLICY}dash:\n  Installed: 1\n"));
        assert_eq!(parts.keys().collect::<Vec<_>>(), ["bash", "dash"]);
        assert_eq!(parts["bash"], POLICY);
    }

    #[test]
    fn only_versions_of_the_release_count() {
        assert!(policy_has_release(POLICY, "1:5.2.15-3"));
        assert!(
            !policy_has_release(POLICY, "5.2.15-2+b13"),
            "of another release"
        );
        assert!(!policy_has_release(POLICY, "5.2.15-2+b8"), "only installed");
        assert!(!policy_has_release(POLICY, "9"));
    }
}
