//! What must hold for every command line.

use boot_params::{AiMode, BootParams, Level, Params, SecurityMode, Switch};
use proptest::prelude::*;

/// Lines made of pieces that our grammar cares about, and of anything at all.
fn lines() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just(" "),
        Just("\""),
        Just("="),
        Just("--"),
        Just("consciousness="),
        Just("0.1"),
        Just("ai="),
        Just("cloud"),
        Just("console="),
        Just("ttyS0,"),
        Just("115200"),
        Just("debug-exit="),
        Just("0x"),
        Just("root="),
        Just("\u{e9}"),
        Just("\0"),
        Just("init="),
        Just("/"),
        Just("recovery"),
        Just("loglevel="),
        Just("7"),
    ];
    prop_oneof![
        any::<String>(),
        prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_line_parses_within_bounds(line in lines()) {
        let params = BootParams::parse(&line);
        prop_assert!((Level::MIN..=Level::MAX).contains(&params.consciousness));
        prop_assert!(params.loglevel.get() <= 7);
        prop_assert!(params.init.starts_with('/'));
        prop_assert_ne!(params.debug_exit, Some(0));
        let words = Params::new(&line).count();
        prop_assert!(params.unknown().count() + params.problems.count() <= words);
        prop_assert_eq!(params.problems.is_empty(), params.problems.iter().next().is_none());
    }

    #[test]
    fn what_is_printed_parses_to_the_same(
        thousandths in 100u16..=1000,
        ai in prop::sample::select(AiMode::ALL),
        education in prop::sample::select(Switch::ALL),
        security in prop::sample::select(SecurityMode::ALL),
        noise in prop::collection::vec("[a-z]{3}\\.[a-z]{1,5}(=[a-z0-9,]{1,8})?", 0..5),
    ) {
        let level = Level::from_thousandths(thousandths).expect("in range");
        let line = format!("{} consciousness={level} ai={ai} education={education} security={security}", noise.join(" "));
        let params = BootParams::parse(&line);
        prop_assert!(params.problems.is_empty());
        prop_assert_eq!(
            (params.consciousness, params.ai, params.education, params.security),
            (level, ai, education, security)
        );
        prop_assert_eq!(params.unknown().count(), noise.len());
    }

    #[test]
    fn a_level_is_accepted_exactly_within_its_bounds(thousandths in 0u32..3000) {
        let text = format!("{}.{:03}", thousandths / 1000, thousandths % 1000);
        prop_assert_eq!(Level::parse(&text).is_some(), (100..=1000).contains(&thousandths), "{}", text);
    }
}
