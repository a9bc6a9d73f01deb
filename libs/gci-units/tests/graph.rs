//! Plans: order, loops, conflicts, what is missing.

use gci_units::graph::{self, Reason, Strictness};
use gci_units::{Unit, UnitName, UnitSet};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn name(text: &str) -> UnitName {
    UnitName::new(text).unwrap()
}

fn unit(unit_name: &str, rest: &str) -> Unit {
    let text = format!("[GenAI Service]\nExecStart=/bin/true\n{rest}");
    let parsed = Unit::parse(name(unit_name), "test", &text);
    parsed.unit.unwrap_or_else(|| panic!("{:?}", parsed.problems))
}

fn set(units: &[(&str, &str)]) -> UnitSet {
    let mut set = UnitSet::new();
    units.iter().for_each(|(name, rest)| set.add(unit(name, rest)));
    set
}

fn starts(set: &UnitSet, root: &str) -> Vec<String> {
    let plan = graph::start(set, &[name(root)], &BTreeSet::new(), Strictness::LeaveOut).unwrap();
    plan.starts.iter().map(ToString::to_string).collect()
}

#[test]
fn the_order_is_that_of_dependencies_then_of_importance() {
    let set = set(&[
        ("late", "Type=user\n[Dependencies]\nAfter=mind\n[Installation]\nWantedBy=console.target"),
        ("mind", "Type=consciousness\n[Dependencies]\nRequires=store\nAfter=store\n[Installation]\nWantedBy=console.target"),
        ("store", "[Dependencies]\nBefore=nothing-of-that-name"),
        ("lesson", "Type=education\n[Installation]\nWantedBy=console.target"),
        ("other", "[Installation]\nWantedBy=desktop.target"),
        ("off", "[Installation]\nWantedBy=console.target\nEnabled=no"),
    ]);
    assert_eq!(starts(&set, "console.target"), ["lesson", "store", "mind", "late", "console.target"]);
    assert_eq!(starts(&set, "desktop.target").last().map(String::as_str), Some("desktop.target"));
}

#[test]
fn a_loop_is_shown_whole_and_costs_one_unit_at_boot() {
    let wanted = "[Installation]\nWantedBy=console.target";
    let set = set(&[
        ("a", &format!("[Dependencies]\nAfter=b\n{wanted}")),
        ("b", &format!("[Dependencies]\nAfter=c\n{wanted}")),
        ("c", &format!("Type=user\n[Dependencies]\nAfter=a\n{wanted}")),
        ("d", &format!("[Dependencies]\nRequires=c\n{wanted}")),
        ("e", wanted),
    ]);
    let plan = graph::start(&set, &[name("console.target")], &BTreeSet::new(), Strictness::LeaveOut).unwrap();
    assert_eq!(plan.starts.iter().map(UnitName::as_str).collect::<Vec<_>>(), ["b", "a", "e", "console.target"]);
    let left: Vec<_> = plan.left_out.iter().map(|(name, reason)| format!("{name}: {reason}")).collect();
    let cycle = "it is in a loop, in which each waits for the next: a -> b -> c -> a";
    assert_eq!(left, [format!("c: {cycle}"), format!("d: it requires c: {cycle}")]);
    let error = graph::start(&set, &[name("a"), name("b"), name("c")], &BTreeSet::new(), Strictness::Refuse).unwrap_err();
    assert_eq!(error.to_string(), format!("a cannot be started: {cycle}"));
    assert_eq!(graph::loops(&set).len(), 1);
}

#[test]
fn what_is_missing_takes_with_it_what_requires_it() {
    let set = set(&[
        ("a", "[Dependencies]\nRequires=gone\n[Installation]\nWantedBy=console.target"),
        ("b", "[Dependencies]\nWants=gone\n[Installation]\nWantedBy=console.target"),
    ]);
    assert_eq!(starts(&set, "console.target"), ["b", "console.target"]);
    let error = graph::start(&set, &[name("a")], &BTreeSet::new(), Strictness::LeaveOut).unwrap_err();
    assert!(matches!(&error.reason, Reason::Requires(gone, _) if *gone == name("gone")), "{error}");
    assert!(graph::start(&set, &[name("gone")], &BTreeSet::new(), Strictness::LeaveOut).is_err());
}

#[test]
fn conflicts_stop_what_runs_with_all_that_requires_it() {
    let set = set(&[("a", "[Dependencies]\nConflicts=b"), ("b", ""), ("c", "[Dependencies]\nRequires=b\nAfter=b"), ("d", "")]);
    let active = BTreeSet::from([name("b"), name("c"), name("d")]);
    let plan = graph::start(&set, &[name("a")], &active, Strictness::Refuse).unwrap();
    assert_eq!(plan.stops, [name("c"), name("b")]);
    let error = graph::start(&set, &[name("a"), name("b")], &active, Strictness::LeaveOut).unwrap_err();
    assert!(error.to_string().contains("conflicts with"), "{error}");
}

fn any_units() -> impl Strategy<Value = Vec<(u8, Vec<(u8, u8)>)>> {
    prop::collection::vec((0u8..5, prop::collection::vec((0u8..6, 0u8..16), 0..5)), 1..16)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever units there are, a boot gets a plan in which nobody starts before what it waits for, and nobody without what it requires.
    #[test]
    fn a_boot_always_has_a_sound_plan(units in any_units()) {
        let mut set = UnitSet::new();
        for (index, (class, links)) in units.iter().enumerate() {
            let class = ["consciousness", "ai", "education", "system", "user"][*class as usize];
            let mut text = format!("Type={class}\n[Installation]\nWantedBy=console.target\n[Dependencies]\n");
            for (kind, to) in links {
                let key = ["Requires", "Wants", "After", "Before", "Conflicts", "After"][*kind as usize];
                // Not both: that is an error of the file.
                if key == "Conflicts" && links.contains(&(0, *to)) { continue; }
                text.push_str(&format!("{key}=u{to}\n"));
            }
            set.add(unit(&format!("u{index}"), &text));
        }
        let target = name("console.target");
        let plan = graph::start(&set, std::slice::from_ref(&target), &BTreeSet::new(), Strictness::LeaveOut).unwrap();
        let position = |name: &UnitName| plan.starts.iter().position(|it| it == name);
        prop_assert!(position(&target).is_some());
        for name in &plan.starts {
            let unit = set.get(name).unwrap();
            for before in &plan.waits[name] {
                prop_assert!(position(before).unwrap() < position(name).unwrap());
            }
            for required in &unit.requires {
                prop_assert!(position(required).is_some(), "{name} starts without {required}");
            }
            for other in &unit.conflicts {
                prop_assert!(position(other).is_none());
            }
        }
    }
}
