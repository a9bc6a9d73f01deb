//! The solver against Debian's own: which packages of Debian's main archive can be installed.

mod debian;

use gpm::solver::{Policy, Resolver};

/// Each so manyth package is asked about, and all that the other one calls broken. `./gos bench packages` asks about all.
const EACH: usize = 16;

#[test]
fn verdicts_on_debian_equal_those_of_its_own_checker() {
    let Some(index) = debian::index() else {
        eprintln!("left out: this host's apt has no index of Debian's main archive");
        return;
    };
    let Some(checker) = debian::Checker::start(&index) else {
        eprintln!("left out: this host has no {}", debian::CHECKER);
        return;
    };
    let packages = debian::packages(&index);
    let policy = Policy::default();
    let resolver = Resolver::new(&packages, &policy, &|| false);
    let verdict = |number: usize| resolver.installable(number).unwrap();
    let sample: Vec<(usize, bool)> = (0..packages.len()).step_by(EACH).map(|number| (number, verdict(number))).collect();
    let broken = checker.broken();
    assert!(!broken.is_empty() && broken.len() < packages.len() / 100, "{} of {} packages", broken.len(), packages.len());
    let others = (0..packages.len()).filter(|number| broken.contains(&debian::name(&packages[*number])));
    let others: Vec<(usize, bool)> = others.map(|number| (number, verdict(number))).collect();
    assert_eq!(others.len(), broken.len());
    let differs = |(number, installable): &(usize, bool)| broken.contains(&debian::name(&packages[*number])) == *installable;
    let wrong: Vec<String> = sample.iter().chain(&others).filter(|it| differs(it)).map(|(number, _)| debian::name(&packages[*number])).collect();
    assert!(wrong.is_empty(), "of {} packages these are judged otherwise: {wrong:?}", sample.len() + others.len());
}
