//! Tells which packages of a Debian index cannot be installed, one a line, and how long the solver took.
//!
//!     /usr/lib/apt/apt-helper cat-file /var/lib/apt/lists/*_bookworm_main_binary-amd64_Packages* > Packages
//!     cargo run --release -p gpm --example distcheck -- Packages > ours
//!     dose-debcheck --deb-native-arch=amd64 --failures Packages      # the same list, from the package dose-distcheck

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use gpm::deb::control;
use gpm::solver::{Available, Policy, Resolver};

fn main() -> Result<()> {
    let path = PathBuf::from(std::env::args_os().nth(1).context("which index?")?);
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut packages = Vec::new();
    for stanza in control::stanzas(&text) {
        let manifest = control::manifest(&stanza).with_context(|| format!("{:?}", stanza.get("Package")))?;
        packages.push(Available { manifest: Arc::new(manifest), repository: Some("debian".into()), priority: 0, installed: false });
    }
    ensure!(!packages.is_empty(), "{} has no packages", path.display());
    let begin = Instant::now();
    let policy = Policy::default();
    let resolver = Resolver::new(&packages, &policy, &|| false);
    let made = begin.elapsed();
    let mut times: Vec<Duration> = Vec::new();
    let mut broken = Vec::new();
    for (number, package) in packages.iter().enumerate() {
        let begin = Instant::now();
        if !resolver.installable(number)? {
            broken.push(format!("{} {}", package.manifest.name, package.manifest.version));
        }
        times.push(begin.elapsed());
    }
    times.sort();
    broken.sort();
    for name in &broken {
        println!("{name}");
    }
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    eprintln!(
        "{} packages, {} not installable; index {made:?}; a solve: median {:?}, p99 {:?}, longest {:?}",
        packages.len(), broken.len(), at(0.5), at(0.99), at(1.0)
    );
    Ok(())
}
