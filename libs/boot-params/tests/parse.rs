//! Command lines and what they mean.

use boot_params::{AiMode, BootParams, Console, Level, Param, Root, SecurityMode, Switch, Target};

fn messages(params: &BootParams<'_>) -> Vec<String> {
    params.problems.iter().map(ToString::to_string).collect()
}

#[test]
fn an_empty_line_gives_the_defaults() {
    let params = BootParams::parse("");
    assert_eq!(params.consciousness, Level::DEFAULT);
    assert_eq!(params.ai, AiMode::Local);
    assert_eq!(params.education, Switch::On);
    assert_eq!(params.security, SecurityMode::Standard);
    assert_eq!(params.recovery, Switch::Off);
    assert_eq!(params.target, Target::Desktop);
    assert_eq!(params.init, "/sbin/init");
    assert_eq!(params.root, Root::PartLabel("genai-root"));
    assert_eq!(params.loglevel.get(), 6);
    assert_eq!(params.debug_exit, None);
    assert!(params.problems.is_empty());
    assert_eq!(params.consoles().count(), 0);
}

#[test]
fn all_parameters_are_read() {
    let line = "consciousness=0.8 ai=hybrid education=off security=paranoid recovery target=console nomodeset \
                init=/bin/bash root=/dev/vda3 loglevel=3 console=tty0 console=ttyS0,115200n8 debug-exit=0xf4\n\0";
    let params = BootParams::parse(line);
    assert_eq!(messages(&params), Vec::<String>::new());
    assert_eq!(params.consciousness.thousandths(), 800);
    assert_eq!(params.ai, AiMode::Hybrid);
    assert_eq!(params.education, Switch::Off);
    assert_eq!(params.security, SecurityMode::Paranoid);
    assert!(params.recovery.is_on() && params.nomodeset.is_on());
    assert_eq!(params.target, Target::Console);
    assert_eq!(params.init, "/bin/bash");
    assert_eq!(params.root, Root::Path("/dev/vda3"));
    assert_eq!(params.loglevel.get(), 3);
    assert_eq!(params.debug_exit, Some(0xf4));
    let consoles: Vec<_> = params.consoles().collect();
    assert_eq!(
        consoles,
        [
            Console {
                device: "tty0",
                baud: None
            },
            Console {
                device: "ttyS0",
                baud: Some(115_200)
            }
        ]
    );
}

#[test]
fn bad_values_are_explained_and_defaulted() {
    let params = BootParams::parse(
        "consciousness=7 ai=skynet education security=none recovery=maybe init=bash loglevel=9",
    );
    assert_eq!(
        messages(&params),
        [
            "boot parameter consciousness: bad value \"7\" (allowed: 0.1 to 1.0); using 0.5",
            "boot parameter ai: bad value \"skynet\" (allowed: local, cloud or hybrid); using local",
            "boot parameter education: needs a value (allowed: on or off); using on",
            "boot parameter security: bad value \"none\" (allowed: standard, enhanced or paranoid); using standard",
            "boot parameter recovery: bad value \"maybe\" (allowed: no value, on or off); using off",
            "boot parameter init: bad value \"bash\" (allowed: an absolute path); using /sbin/init",
            "boot parameter loglevel: bad value \"9\" (allowed: 0 to 7); using 6",
        ]
    );
    let defaults = BootParams::parse("");
    assert_eq!(params.consciousness, defaults.consciousness);
    assert_eq!(
        (params.ai, params.security, params.init),
        (defaults.ai, defaults.security, defaults.init)
    );
}

#[test]
fn levels_from_a_tenth_to_one() {
    for (text, thousandths) in [
        ("0.1", 100),
        ("1", 1000),
        ("1.0", 1000),
        ("1.000", 1000),
        (".5", 500),
        ("0.25", 250),
        ("0.125", 125),
    ] {
        assert_eq!(
            Level::parse(text).map(Level::thousandths),
            Some(thousandths),
            "{text}"
        );
    }
    for text in [
        "", ".", "0", "0.0", "0.09", "0.099", "1.001", "1.1", "2", "10", "-0.5", "+0.5", "0.5x",
        "0,5", "1e-1", "0.5000",
    ] {
        assert_eq!(Level::parse(text), None, "{text}");
    }
    assert_eq!(Level::MAX.to_string(), "1.0");
    assert_eq!(
        Level::from_thousandths(250)
            .map(|level| level.to_string())
            .as_deref(),
        Some("0.25")
    );
}

#[test]
fn the_last_one_wins_and_names_fold_dashes() {
    let params = BootParams::parse(
        "ai=cloud ai=local debug_exit loglevel=2 quiet education=off education=on",
    );
    assert_eq!(params.ai, AiMode::Local);
    assert_eq!(
        params.debug_exit,
        Some(boot_params::DEFAULT_DEBUG_EXIT_PORT)
    );
    assert_eq!(params.loglevel.get(), 4);
    assert_eq!(params.education, Switch::On);
}

#[test]
fn a_console_named_again_moves_to_the_end() {
    let params = BootParams::parse(
        "console=ttyS0 console=tty0 console=ttyS0,9600 console=lp0 console=ttyS0,0",
    );
    let devices: Vec<_> = params
        .consoles()
        .map(|console| (console.device, console.baud))
        .collect();
    assert_eq!(devices, [("tty0", None), ("ttyS0", Some(9600))]);
    assert_eq!(params.problems.count(), 2);
}

#[test]
fn foreign_parameters_and_init_arguments_are_kept() {
    let params = BootParams::parse(
        r#"BOOT_IMAGE=/boot/genai-kernel quiet foo.bar="a b" "x=y z" -- -l ai=cloud"#,
    );
    let unknown: Vec<_> = params.unknown().collect();
    assert_eq!(
        unknown,
        [
            Param {
                name: "BOOT_IMAGE",
                value: Some("/boot/genai-kernel")
            },
            Param {
                name: "foo.bar",
                value: Some("a b")
            },
            Param {
                name: "x",
                value: Some("y z")
            },
        ]
    );
    assert_eq!(params.ai, AiMode::Local, "words after -- are init's");
    let args: Vec<_> = params.init_args().map(|param| param.name).collect();
    assert_eq!(args, ["-l", "ai"]);
    assert!(params.problems.is_empty());
}

#[test]
fn many_problems_are_counted() {
    let line = "ai=x ".repeat(40);
    let params = BootParams::parse(&line);
    assert_eq!(params.problems.count(), 40);
    assert_eq!(params.problems.iter().count(), 16);
}
