//! Unit files: the original format, messages, and that no file makes the parser panic.

use gci_units::{Class, Integration, Readiness, Restart, Unit, UnitName, UnitSet};
use proptest::prelude::*;

fn name(text: &str) -> UnitName {
    UnitName::new(text).unwrap()
}

#[test]
fn the_specifications_example_is_a_unit() {
    let text = "\
# /etc/genai/services/consciousness-core.gcservice
[GenAI Service]
Name=consciousness-core
Description=Core Consciousness System
Type=consciousness
ExecStart=/usr/bin/consciousness-core --kernel-integrated
ExecReload=/bin/kill -HUP $MAINPID

[Consciousness]
RequiredLevel=0.1
OptimalLevel=0.8
AIIntegration=required
EducationalIntegration=optional

[Dependencies]
Requires=genai-kernel.service genai-memory.service
Wants=genai-ai.service genai-education.service
After=genai-hardware-detection.service

[Installation]
WantedBy=genai-consciousness.target
";
    let parsed = Unit::parse(name("consciousness-core"), "f", text);
    assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
    let unit = parsed.unit.unwrap();
    assert_eq!((unit.class, unit.readiness, unit.restart), (Class::Consciousness, Readiness::Simple, Restart::No));
    assert_eq!((unit.required_level, unit.optimal_level), (Some(100), Some(800)));
    assert_eq!((unit.ai, unit.education), (Integration::Required, Integration::Optional));
    assert_eq!(unit.requires, [name("genai-kernel"), name("genai-memory")]);
    assert_eq!(unit.wanted_by, [name("genai-consciousness.target")]);
}

#[test]
fn messages_say_where_what_and_what_to_do() {
    let text = "[GenAI Service]\nExecStrat=/bin/x\nType=quick\nRestart=sometimes\nNice=77\n[Other]\n[Consciousness]\nRequiredLevel=2\n[Dependencies]\nAfter=a/b\n";
    let parsed = Unit::parse(name("x"), "x.gcservice", text);
    assert!(parsed.unit.is_none());
    let said: Vec<_> = parsed.problems.iter().map(ToString::to_string).collect();
    assert_eq!(said[0], "x.gcservice:2: warning: unknown key \"ExecStrat\"; did you mean ExecStart?");
    assert!(said[1].starts_with("x.gcservice:3: \"quick\" is no value for Type; write what it is for"), "{}", said[1]);
    assert_eq!(said[2], "x.gcservice:4: \"sometimes\" is no value for Restart; allowed: no, on-failure, always");
    assert_eq!(said[3], "x.gcservice:5: \"77\" is no value for Nice; write a number from -20 to 19");
    assert_eq!(said[4], "x.gcservice:8: \"2\" is no value for RequiredLevel; write a level from 0.1 to 1.0");
    assert!(said[5].starts_with("x.gcservice:10: \"a/b\" is no value for After; a unit's name has letters"), "{}", said[5]);
    assert_eq!(said[6], "x.gcservice: there is no ExecStart; say in [GenAI Service] what is to run");
    let parsed = Unit::parse_bytes(name("x"), "f", b"[A]\n\xff");
    assert_eq!(parsed.problems[0].to_string(), "f:2: this is no UTF-8 text; write the file anew, or remove it");
}

#[test]
fn later_folders_win_and_broken_files_only_cost_their_unit() {
    let folder = std::env::temp_dir().join(format!("gci-units-{}", std::process::id()));
    let (vendor, admin) = (folder.join("vendor"), folder.join("admin"));
    for (path, text) in [
        (vendor.join("a.gcservice"), "[GenAI Service]\nExecStart=/bin/a\n[Installation]\nWantedBy=console.target\n"),
        (vendor.join("b.gcservice"), "[GenAI Service]\nExecStart=/bin/b\n[Installation]\nWantedBy=console.target\n"),
        (vendor.join("disk@.gcservice"), "[GenAI Service]\nExecStart=/bin/disk %i\n"),
        (vendor.join("-x.gcservice"), ""),
        (vendor.join("README"), "not a unit"),
        (admin.join("b.gcservice"), "[GenAI Service\n"),
        (admin.join("console.gctarget"), "nonsense"),
        (admin.join("disabled/a"), ""),
    ] {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let mut set = UnitSet::new();
    set.load(&vendor);
    let a = set.get(&name("a")).unwrap();
    assert!(set.is_enabled(&a));
    set.load(&admin);
    set.load(&folder.join("missing"));
    assert!(!set.is_enabled(&a) && set.get(&name("b")).is_none());
    assert!(set.get(&name("console.target")).is_some(), "the one that is built in");
    assert_eq!(set.get(&name("disk@sda")).unwrap().name, name("disk@sda"));
    assert_eq!(set.problems.iter().filter(|it| it.to_string().contains("its name is no unit's")).count(), 1);
    std::fs::remove_dir_all(folder).unwrap();
}

/// Files that look like units, made of what the parser knows and what it does not.
fn any_file() -> impl Strategy<Value = String> {
    let sections = ["GenAI Service", "Consciousness", "Dependencies", "Installation", "Sockets", "Device", "X-Other", "", "Dependencies ]["];
    let keys = [
        "Name", "Type", "ExecStart", "ExecReload", "Restart", "RestartSec", "Environment", "User", "WatchdogSec", "Nice", "LimitNOFILE", "Scheme", "Terminal",
        "RequiredLevel", "OptimalLevel", "AIIntegration", "Requires", "After", "Conflicts", "WantedBy", "Enabled", "ListenStream", "SocketMode", "Activation",
        "Match", "CountedAs", "ConditionPathExists", "PIDFile", "Execstart", "",
    ];
    let values = [
        "", "yes", "simple notify", "/bin/sh -c \"x y\" 'z' \\", "-@/bin/x", "99999999999999999999", "5s 3ms", "0.5", "infinity", "a b c.target @", "A=1 \"B=2 3\"",
        "virtio:2 pci:1af4:1000", "framebuffer", "127.0.0.1:80", "@x", "/run/x.sock", "%i $MAINPID ${X}", "é\u{2028}", "\\",
    ];
    let line = prop_oneof![
        prop::sample::select(sections.to_vec()).prop_map(|it| format!("[{it}]")),
        (prop::sample::select(keys.to_vec()), prop::sample::select(values.to_vec())).prop_map(|(key, value)| format!("{key}={value}")),
        (prop::sample::select(keys.to_vec()), ".{0,20}").prop_map(|(key, value)| format!("{key}={value}")),
        ".{0,40}",
    ];
    prop::collection::vec(line, 0..40).prop_map(|lines| lines.join("\n"))
}

/// How many files: `GCI_FUZZ_FILES=1000000` for a long run.
fn cases() -> u32 {
    std::env::var("GCI_FUZZ_FILES").ok().and_then(|text| text.parse().ok()).unwrap_or(4000)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_file_makes_the_parser_panic(text in any_file(), cut in any::<prop::sample::Index>(), bytes in prop::collection::vec(any::<u8>(), 0..30)) {
        let parsed = Unit::parse(name("x"), "f", &text);
        prop_assert!(parsed.unit.is_some() || !parsed.problems.is_empty());
        let values = gci_units::command::Values { environment: &Default::default(), specifiers: &Default::default() };
        if let Some(unit) = &parsed.unit {
            unit.exec_start.iter().for_each(|command| { command.expand(&values); });
        }
        let mut raw = text.into_bytes();
        let at = cut.index(raw.len() + 1);
        raw.splice(at..at, bytes);
        let parsed = Unit::parse_bytes(name("x"), "f", &raw);
        prop_assert!(parsed.problems.iter().all(|problem| !problem.to_string().contains('\n')));
    }
}
