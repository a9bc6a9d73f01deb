//! The solver: by example, and against a search through all subsets.

use proptest::prelude::*;

use super::*;

fn package(text: &str) -> Available {
    // name version [depends: a, b] [conflicts: c] [provides: d] [replaces: e] [optional: f] [priority: 1]
    let mut fields = text.split('[');
    let mut words = fields.next().unwrap().split_whitespace();
    let (name, version) = (words.next().unwrap(), words.next().unwrap());
    let mut manifest = Manifest::new(name, Version::new(version).unwrap(), "Test", "MIT");
    let mut priority = 0;
    for field in fields {
        let (key, value) = field.trim_end().trim_end_matches(']').split_once(':').unwrap();
        let list = || crate::dependency::parse_list(value).unwrap();
        let relations = || list().into_iter().map(|it| it.alternatives[0].clone()).collect();
        match key {
            "depends" => manifest.depends = list(),
            "conflicts" => manifest.conflicts = relations(),
            "provides" => manifest.provides = relations(),
            "replaces" => manifest.replaces = relations(),
            "optional" => {
                manifest.optional =
                    list().into_iter().map(|dependency| crate::manifest::Optional { dependency, reason: String::new(), default: true }).collect();
            }
            "priority" => priority = value.trim().parse().unwrap(),
            _ => panic!("{key}"),
        }
    }
    Available { manifest: Arc::new(manifest), repository: None, priority, installed: false }
}

struct World {
    packages: Vec<Available>,
    policy: Policy,
}

impl World {
    /// `installed` names `name version`; a `*` after it: somebody asked for it.
    fn new(packages: &[&str], installed: &[&str]) -> World {
        let mut world = World { packages: packages.iter().map(|it| package(it)).collect(), policy: Policy::default() };
        for text in installed {
            let (id, manual) = text.strip_suffix('*').map_or((*text, false), |id| (id, true));
            let package = world.packages.iter_mut().find(|it| it.manifest.id() == id).unwrap();
            package.installed = true;
            if manual {
                world.policy.manual.insert(package.manifest.name.clone());
            }
        }
        world
    }

    fn solve(&self, request: &Request) -> Result<String, SolveError> {
        let changes = Resolver::new(&self.packages, &self.policy, &|| false).solve(request)?;
        let texts = changes.iter().map(|change| match change {
            Change::Install { name, version, .. } => format!("+{name} {version}"),
            Change::Replace { name, from, version, .. } => format!("{name} {from}>{version}"),
            Change::Remove { name, .. } => format!("-{name}"),
        });
        Ok(texts.collect::<Vec<_>>().join(", "))
    }

    fn conflict(&self, request: &Request) -> Conflict {
        match self.solve(request) {
            Err(SolveError::Conflict(conflict)) => *conflict,
            other => panic!("{other:?}"),
        }
    }
}

fn install(text: &str) -> Request {
    Request { install: crate::dependency::parse_list(text).unwrap(), ..Request::default() }
}

#[test]
fn takes_the_best_and_what_it_needs() {
    let world = World::new(&["app 1", "app 2 [depends: lib (>= 2), tool | other]", "lib 1", "lib 2", "lib 3", "other 1", "tool 1"], &[]);
    assert_eq!(world.solve(&install("app")).unwrap(), "+app 2, +lib 3, +tool 1");
    assert_eq!(world.solve(&install("app (<< 2)")).unwrap(), "+app 1");
    // The alternative that is there already.
    let world = World::new(&["app 2 [depends: tool | other]", "other 1", "tool 1"], &["other 1*"]);
    assert_eq!(world.solve(&install("app")).unwrap(), "+app 2");
}

#[test]
fn installed_versions_stay_unless_asked() {
    let packages = ["app 1 [depends: lib]", "app 2 [depends: lib (>= 2)]", "lib 1", "lib 2", "lib 3", "new 1 [depends: lib]"];
    let world = World::new(&packages, &["app 1*", "lib 1"]);
    assert_eq!(world.solve(&install("new")).unwrap(), "+new 1");
    assert_eq!(world.solve(&install("app")).unwrap(), "app 1>2, lib 1>3");
    assert_eq!(world.solve(&Request { upgrade: Upgrade::All, ..Request::default() }).unwrap(), "app 1>2, lib 1>3");
    let some = Upgrade::Some(BTreeSet::from(["lib".into()]));
    assert_eq!(world.solve(&Request { upgrade: some, ..Request::default() }).unwrap(), "lib 1>3");
    assert_eq!(world.solve(&install("app (= 1)")).unwrap(), "");
}

#[test]
fn provides_conflicts_and_replaces() {
    let packages = [
        "exim 4 [provides: mta] [conflicts: mta]",
        "postfix 3 [provides: mta] [conflicts: mta]",
        "mutt 2 [depends: mta]",
        "mawk 1 [provides: awk (= 1)]",
        "script 1 [depends: awk (>= 2)]",
        "newname 2 [replaces: oldname] [conflicts: oldname] [provides: oldname (= 2)]",
        "oldname 1",
        "user 1 [depends: oldname]",
        "user 2 [depends: newname]",
    ];
    let world = World::new(&packages, &[]);
    assert_eq!(world.solve(&install("mutt, postfix")).unwrap(), "+mutt 2, +postfix 3");
    assert!(matches!(world.solve(&install("exim, postfix")), Err(SolveError::Conflict(_))));
    assert!(matches!(world.solve(&install("script")), Err(SolveError::Conflict(_))));
    let world = World::new(&packages, &["oldname 1*", "user 1*"]);
    assert_eq!(world.solve(&Request { upgrade: Upgrade::All, ..Request::default() }).unwrap(), "+newname 2, -oldname, user 1>2");
}

#[test]
fn optional_dependencies_come_where_they_can() {
    let packages = ["app 1 [optional: nice, clash, gone]", "nice 1 [depends: deep] [optional: nicer]", "nicer 1", "deep 1", "clash 1 [conflicts: app]"];
    let world = World::new(&packages, &[]);
    assert_eq!(world.solve(&install("app")).unwrap(), "+app 1, +deep 1, +nice 1, +nicer 1");
    assert_eq!(world.solve(&Request { without_optional: true, ..install("app") }).unwrap(), "+app 1");
}

#[test]
fn removal_asks_or_cascades() {
    let world = World::new(&["app 1 [depends: lib]", "lib 1", "plugin 1 [depends: app]"], &["app 1*", "lib 1", "plugin 1*"]);
    let remove = Request { remove: BTreeSet::from(["lib".into()]), ..Request::default() };
    let conflict = world.conflict(&remove);
    assert_eq!(conflict.culprits, ["app 1 (installed)"]);
    assert!(conflict.repairs.iter().any(|it| it.action == RepairAction::Remove { names: vec!["app".into(), "plugin".into()] }), "{conflict}");
    assert_eq!(world.solve(&Request { cascade: true, ..remove }).unwrap(), "-app, -lib, -plugin");
    let missing = Request { remove: BTreeSet::from(["nix".into()]), ..Request::default() };
    assert!(matches!(world.solve(&missing), Err(SolveError::NotInstalled(_))));
}

#[test]
fn autoremove_and_why() {
    let world = World::new(&["app 1 [depends: lib]", "lib 1 [depends: base]", "base 1", "left 1 [depends: over]", "over 1"], &["app 1*", "lib 1", "base 1", "left 1", "over 1"]);
    let resolver = Resolver::new(&world.packages, &world.policy, &|| false);
    assert_eq!(resolver.orphans(), BTreeSet::from(["left".to_owned(), "over".to_owned()]));
    assert_eq!(resolver.why("base"), [["app", "lib", "base"]]);
    assert!(resolver.why("over").is_empty());
}

#[test]
fn holds_pins_and_priorities() {
    let mut world = World::new(&["app 1", "app 2", "app 3", "need 1 [depends: app (>= 3)]"], &["app 1*"]);
    world.policy.holds.insert("app".into());
    assert_eq!(world.solve(&Request { upgrade: Upgrade::All, ..Request::default() }).unwrap(), "");
    let conflict = world.conflict(&install("need"));
    assert_eq!(conflict.repairs[0].action, RepairAction::Release { name: "app".into() });
    assert!(conflict.reasons.iter().any(|it| it.contains("held")), "{conflict}");
    world.policy = Policy { pins: vec!["app (<< 3)".parse().unwrap()], ..world.policy };
    world.policy.holds.clear();
    assert_eq!(world.solve(&Request { upgrade: Upgrade::All, ..Request::default() }).unwrap(), "app 1>2");
    // A repository of higher priority goes before a higher version.
    let world = World::new(&["app 5", "app 4 [priority: 10]"], &[]);
    assert_eq!(world.solve(&install("app")).unwrap(), "+app 4");
}

#[test]
fn downgrades_only_when_asked() {
    let world = World::new(&["app 1", "app 2"], &["app 2*"]);
    let conflict = world.conflict(&install("app (= 1)"));
    assert_eq!(conflict.repairs[0].action, RepairAction::Downgrade { name: "app".into() }, "{conflict}");
    assert_eq!(world.solve(&Request { downgrade: BTreeSet::from(["app".into()]), ..install("app (= 1)") }).unwrap(), "app 2>1");
}

#[test]
fn culprits_are_minimal_and_repairs_ranked() {
    let packages = ["xx 1 [depends: libz (>= 2)]", "yy 1 [depends: libz (<< 2)]", "libz 1", "libz 2", "bystander 1", "other 1"];
    let world = World::new(&packages, &["yy 1*", "libz 1", "bystander 1*"]);
    let conflict = world.conflict(&install("other, xx"));
    assert_eq!(conflict.culprits, ["xx (wanted)", "yy 1 (installed)"]);
    assert_eq!(conflict.repairs[0].action, RepairAction::Remove { names: vec!["yy".into()] });
    assert_eq!(conflict.repairs[1].action, RepairAction::Drop { wanted: "xx".into() });
    // What it proposes is true.
    let repaired = Request { remove: BTreeSet::from(["yy".into()]), ..install("other, xx") };
    assert_eq!(world.solve(&repaired).unwrap(), "libz 1>2, +other 1, +xx 1, -yy");
}

#[test]
fn unknown_names_and_cancellation() {
    let world = World::new(&["firefox 1"], &[]);
    match world.solve(&install("firfox")) {
        Err(SolveError::Unknown { similar, .. }) => assert_eq!(similar, ["firefox"]),
        other => panic!("{other:?}"),
    }
    assert!(matches!(Resolver::new(&world.packages, &world.policy, &|| true).solve(&install("firefox")), Err(SolveError::Cancelled)));
}

/// Whether some subset that holds `target` keeps all promises: by trying them all.
fn brute_force(packages: &[Available], target: usize) -> bool {
    (0..1u32 << packages.len()).any(|subset| {
        let chosen: Vec<&Manifest> = packages.iter().enumerate().filter(|(it, _)| subset >> it & 1 == 1).map(|(_, it)| &*it.manifest).collect();
        let satisfies = |relation: &Relation, it: &Manifest| {
            (it.name == relation.name && relation.matches_version(&it.version)) || it.provides.iter().any(|provided| relation.matches_provided(provided))
        };
        subset >> target & 1 == 1
            && chosen.iter().all(|it| {
                it.depends.iter().all(|dependency| dependency.alternatives.iter().any(|relation| chosen.iter().any(|other| satisfies(relation, other))))
                    && it.conflicts.iter().all(|relation| !chosen.iter().any(|other| other.name != it.name && satisfies(relation, other)))
                    && chosen.iter().filter(|other| other.name == it.name).count() == 1
            })
    })
}

fn any_relation() -> impl Strategy<Value = String> {
    ("[a-e]", prop::option::of((prop::sample::select(vec!["<<", "<=", "=", ">=", ">>"]), 1..4u8)))
        .prop_map(|(name, version)| version.map_or_else(|| format!("p{name}"), |(operator, version)| format!("p{name} ({operator} {version})")))
}

fn any_package() -> impl Strategy<Value = (String, u8, String)> {
    let alternatives = prop::collection::vec(any_relation(), 1..3).prop_map(|it| it.join(" | "));
    let depends = prop::collection::vec(alternatives, 0..3).prop_map(|it| it.join(", "));
    let conflicts = prop::collection::vec(any_relation(), 0..2).prop_map(|it| it.join(", "));
    let provides = prop::option::of(("[a-e]", prop::option::of(1..4u8)));
    ("[a-d]", 1..4u8, depends, conflicts, provides).prop_map(|(name, version, depends, conflicts, provides)| {
        let provides = provides.map(|(name, version)| version.map_or_else(|| format!("p{name}"), |version| format!("p{name} (= {version})")));
        (format!("p{name}"), version, format!("[depends: {depends}] [conflicts: {conflicts}] [provides: {}]", provides.unwrap_or_default()))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn verdicts_equal_a_search_through_all_subsets(list in prop::collection::vec(any_package(), 1..9)) {
        let mut packages: Vec<Available> = Vec::new();
        for (name, version, rest) in list {
            let it = package(&format!("{name} {version} {rest}"));
            if !packages.iter().any(|other| other.manifest.id() == it.manifest.id()) {
                packages.push(it);
            }
        }
        let policy = Policy::default();
        let resolver = Resolver::new(&packages, &policy, &|| false);
        for target in 0..packages.len() {
            prop_assert_eq!(resolver.installable(target).unwrap(), brute_force(&packages, target), "{}", packages[target].manifest.id());
        }
    }
}
