//! Which packages of Debian's main archive can be installed: our solver is asked about each, and must say what `dose-debcheck` says.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use gpm::solver::{Policy, Resolver};

use crate::{children_time, debian, print, thread_time};

/// Panics where a verdict differs.
pub fn measure() {
    let index = debian::index().expect("apt has no index of Debian's main archive: apt-get update fetches it");
    // One after the other, so that neither slows the other down.
    let before = children_time();
    let checker = debian::Checker::start(&index).expect("dose-debcheck is missing: it is in Debian's package dose-distcheck");
    let theirs = checker.broken();
    let their_time = children_time() - before;

    let packages = debian::packages(&index);
    let begin = thread_time();
    let policy = Policy::default();
    let resolver = Resolver::new(&packages, &policy, &|| false);
    let made = thread_time() - begin;
    let (mut times, mut passed) = (Vec::new(), Vec::new());
    let mut ours = BTreeSet::new();
    for (number, package) in packages.iter().enumerate() {
        let (begin, watch) = (thread_time(), Instant::now());
        let installable = resolver.installable(number).expect("nobody stops it");
        times.push(thread_time() - begin);
        passed.push(watch.elapsed());
        if !installable {
            ours.insert(debian::name(package));
        }
    }
    let differ: Vec<&String> = ours.symmetric_difference(&theirs).collect();
    let whole: Duration = times.iter().sum();
    print("solver: packages judged", "packages", packages.len() as f64, None);
    print("solver: verdicts other than dose's", "packages", differ.len() as f64, None);
    print("solver: packages not installable", "packages", ours.len() as f64, Some(theirs.len() as f64));
    let milliseconds = |it: Duration| it.as_secs_f64() * 1000.0;
    print("solver: making the index", "ms", milliseconds(made), None);
    for (what, times) in [("processor time", &mut times), ("passed", &mut passed)] {
        times.sort();
        let at = |share: f64| milliseconds(times[((times.len() - 1) as f64 * share) as usize]);
        print(&format!("solver: one package, median, {what}"), "ms", at(0.5), None);
        print(&format!("solver: one package, p99, {what}"), "ms", at(0.99), None);
        print(&format!("solver: one package, longest, {what}"), "ms", at(1.0), None);
    }
    // Dose solves all at once and reads the index as well.
    print("solver: all packages, processor time", "s", whole.as_secs_f64(), Some(their_time.as_secs_f64()));
    assert!(differ.is_empty(), "judged otherwise than by dose-debcheck: {differ:?}");
}
