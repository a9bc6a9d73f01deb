//! The rules of capabilities(7), as `/proc/self/status` of Linux 6.1 shows their results.

use capabilities::Capability::*;
use capabilities::{Capability, FileCapabilities, Ids, Program, Refused, Set, State, bits};

const ROOT: Ids = Ids { real: 0, effective: 0, saved: 0 };
const USER: Ids = Ids { real: 1000, effective: 1000, saved: 1000 };

fn user() -> State {
    State::FULL.after_ids(ROOT, USER)
}

fn attribute(revision: u32, permitted: Set, inheritable: Set, effective: bool, root: Option<u32>) -> Vec<u8> {
    let half = |set: Set, high: bool| (set.bits() >> if high { 32 } else { 0 }) as u32;
    let words = [revision << 24 | u32::from(effective), half(permitted, false), half(inheritable, false), half(permitted, true), half(inheritable, true)];
    words.into_iter().chain(root).flat_map(u32::to_le_bytes).collect()
}

fn file(permitted: &[Capability], inheritable: &[Capability], effective: bool) -> Program {
    Program { file: FileCapabilities::parse(&attribute(2, Set::of(permitted), Set::of(inheritable), effective, None)), ..Program::default() }
}

#[test]
fn there_are_forty_one_in_order() {
    assert_eq!(Set::FULL.bits(), 0x1ff_ffff_ffff);
    for (number, capability) in Capability::ALL.iter().enumerate() {
        assert_eq!(*capability as usize, number);
    }
    assert_eq!(Capability::from_number(41), None);
    assert_eq!(Set::from_bits(u64::MAX), Set::FULL);
}

#[test]
fn a_user_has_none_and_root_has_all() {
    assert_eq!((user().permitted, user().effective, user().bounding), (Set::EMPTY, Set::EMPTY, Set::FULL));
    let suspended = State::FULL.after_ids(ROOT, Ids { real: 0, effective: 1000, saved: 0 });
    assert_eq!((suspended.permitted, suspended.effective), (Set::FULL, Set::EMPTY));
    let back = suspended.after_ids(Ids { real: 0, effective: 1000, saved: 0 }, ROOT);
    assert_eq!(back, State::FULL);
}

#[test]
fn keep_caps_keeps_what_is_permitted_but_not_in_effect() {
    let kept = State::FULL.with_keep_caps(true).unwrap().after_ids(ROOT, USER);
    assert_eq!((kept.permitted, kept.effective), (Set::FULL, Set::EMPTY));
    assert!(kept.change(Set::of(&[NET_BIND_SERVICE]), Set::of(&[NET_BIND_SERVICE]), Set::EMPTY).is_some());
    assert!(!kept.exec(USER, (1000, 1000), &Program::default()).unwrap().state.is_set(bits::KEEP_CAPS));
    let fixed = State::FULL.with_secure_bits(bits::NO_SETUID_FIXUP as usize).unwrap().after_ids(ROOT, USER);
    assert_eq!(fixed.effective, Set::FULL);
}

#[test]
fn fsuid_moves_only_what_is_about_files() {
    let changed = State::FULL.after_fsuid(0, 1000);
    assert!(!changed.effective.has(DAC_OVERRIDE) && !changed.effective.has(MKNOD) && changed.effective.has(KILL));
    assert_eq!(changed.after_fsuid(1000, 0), State::FULL);
}

#[test]
fn capset_never_adds_to_what_is_permitted() {
    let some = Set::of(&[CHOWN, KILL]);
    let reduced = State::FULL.change(Set::of(&[KILL]), some, some).unwrap();
    assert_eq!((reduced.effective, reduced.permitted, reduced.inheritable), (Set::of(&[KILL]), some, some));
    assert!(reduced.change(some, Set::FULL, some).is_none());
    assert!(reduced.change(Set::of(&[FOWNER]), some, some).is_none());
    // Without CAP_SETPCAP nothing is inheritable that is not permitted.
    assert!(reduced.change(some, some, some.with(FOWNER)).is_none());
    let bounded = State { bounding: Set::FULL.without(FOWNER), ..State::FULL };
    assert!(bounded.change(Set::FULL, Set::FULL, Set::of(&[FOWNER])).is_none());
}

#[test]
fn ambient_ones_need_both_sets_and_go_with_them() {
    assert!(State::FULL.with_ambient(CHOWN).is_none());
    let some = Set::of(&[CHOWN]);
    let raised = State::FULL.change(Set::FULL, Set::FULL, some).unwrap().with_ambient(CHOWN).unwrap();
    assert_eq!(raised.ambient, some);
    assert_eq!(raised.change(Set::FULL, Set::FULL, Set::EMPTY).unwrap().ambient, Set::EMPTY);
    let locked = raised.with_secure_bits(bits::NO_AMBIENT_RAISE as usize).unwrap();
    assert!(locked.with_ambient(CHOWN).is_none());
    let daemon = raised.with_keep_caps(true).unwrap().after_ids(ROOT, USER);
    assert_eq!(daemon.ambient, Set::EMPTY);
    let daemon = daemon.with_ambient(CHOWN).unwrap().exec(USER, (1000, 1000), &Program::default()).unwrap();
    assert_eq!((daemon.state.permitted, daemon.state.effective, daemon.secure), (some, some, false));
}

#[test]
fn secure_bits_lock() {
    let locked = State::FULL.with_secure_bits(3).unwrap();
    assert!(locked.with_secure_bits(2).is_none() && locked.with_secure_bits(0).is_none() && locked.with_secure_bits(1).is_none());
    assert!(locked.with_secure_bits(7).is_some());
    assert!(State::FULL.with_secure_bits(1 << 8).is_none() && user().with_secure_bits(1).is_none());
    assert!(State::FULL.with_secure_bits((bits::KEEP_CAPS_LOCKED) as usize).unwrap().with_keep_caps(true).is_none());
}

#[test]
fn exec_as_root_gives_the_bounding_set() {
    let bounded = State { bounding: Set::FULL.without(SYS_TIME), ..State::FULL };
    let done = bounded.exec(ROOT, (0, 0), &Program::default()).unwrap();
    assert_eq!((done.state.permitted, done.state.effective, done.secure), (bounded.bounding, bounded.bounding, false));
    let real_only = Ids { real: 0, effective: 1000, saved: 1000 };
    let done = State::FULL.exec(real_only, (0, 0), &Program::default()).unwrap();
    assert_eq!((done.state.permitted, done.state.effective, done.uid, done.secure), (Set::FULL, Set::EMPTY, 1000, true));
    let no_root = State::FULL.with_secure_bits(bits::NO_ROOT as usize).unwrap().exec(ROOT, (0, 0), &Program::default()).unwrap();
    assert_eq!(no_root.state.permitted, Set::EMPTY);
}

#[test]
fn exec_of_set_user_id_programs() {
    let sudo = Program { set_uid: Some(0), ..Program::default() };
    let done = user().exec(USER, (1000, 1000), &sudo).unwrap();
    assert_eq!((done.state.effective, done.uid, done.secure), (Set::FULL, 0, true));
    let done = user().exec(USER, (1000, 1000), &Program { no_new_privs: true, ..sudo }).unwrap();
    assert_eq!((done.state.permitted, done.uid), (Set::EMPTY, 1000));
    let done = user().exec(USER, (1000, 1000), &Program { watched: true, ..sudo }).unwrap();
    assert_eq!((done.state.permitted, done.uid, done.secure), (Set::EMPTY, 1000, true));
    let other = Program { set_uid: Some(1001), set_gid: Some(7), ..Program::default() };
    let done = user().exec(USER, (1000, 1000), &other).unwrap();
    assert_eq!((done.state.effective, done.uid, done.gid, done.secure), (Set::EMPTY, 1001, 7, true));
}

#[test]
fn exec_of_programs_with_capabilities() {
    let some = Set::of(&[NET_RAW]);
    let ping = user().exec(USER, (1000, 1000), &file(&[NET_RAW], &[], true)).unwrap();
    assert_eq!((ping.state.permitted, ping.state.effective, ping.secure), (some, some, true));
    let quiet = user().exec(USER, (1000, 1000), &file(&[NET_RAW], &[], false)).unwrap();
    assert_eq!((quiet.state.permitted, quiet.state.effective, quiet.secure), (some, Set::EMPTY, true));
    let bounded = State { bounding: Set::EMPTY, ..user() };
    assert_eq!(bounded.exec(USER, (1000, 1000), &file(&[NET_RAW], &[], true)), Err(Refused));
    assert_eq!(bounded.exec(USER, (1000, 1000), &file(&[NET_RAW], &[], false)).unwrap().state.permitted, Set::EMPTY);
    let inheriting = State { inheritable: some, ..user() };
    assert_eq!(inheriting.exec(USER, (1000, 1000), &file(&[], &[NET_RAW, KILL], true)).unwrap().state.effective, some);
    let no_new = user().exec(USER, (1000, 1000), &Program { no_new_privs: true, ..file(&[NET_RAW], &[], true) }).unwrap();
    assert_eq!(no_new.state.permitted, Set::EMPTY);
    // Both set-user-ID root and capabilities: just those, for users.
    let both = Program { set_uid: Some(0), ..file(&[NET_RAW], &[], true) };
    let done = user().exec(USER, (1000, 1000), &both).unwrap();
    assert_eq!((done.state.permitted, done.uid), (some, 0));
    assert_eq!(State::FULL.exec(ROOT, (0, 0), &both).unwrap().state.permitted, Set::FULL);
}

#[test]
fn attributes_have_two_forms() {
    let two = attribute(2, Set::of(&[CHECKPOINT_RESTORE]), Set::of(&[CHOWN]), true, None);
    let read = FileCapabilities::parse(&two).unwrap();
    assert!(read.permitted == Set::of(&[CHECKPOINT_RESTORE]) && read.inheritable == Set::of(&[CHOWN]) && read.effective && read.is_ours());
    for bad in [&two[..19], &two[..0], &attribute(1, Set::EMPTY, Set::EMPTY, false, None), &attribute(3, Set::EMPTY, Set::EMPTY, false, None)] {
        assert_eq!(FileCapabilities::parse(bad), None);
    }
    let mut ours = attribute(3, Set::of(&[CHOWN]), Set::EMPTY, true, Some(0));
    assert_eq!(FileCapabilities::as_read(&mut ours), 20);
    assert_eq!(ours[..20], attribute(2, Set::of(&[CHOWN]), Set::EMPTY, true, None));
    let mut theirs = attribute(3, Set::of(&[CHOWN]), Set::EMPTY, true, Some(1000));
    assert!(FileCapabilities::as_read(&mut theirs) == 24 && !FileCapabilities::parse(&theirs).unwrap().is_ours());
}

/// Whatever is done, what is in effect is permitted, ambient ones are permitted and inheritable, and a user's permitted set never grows but by a file.
#[test]
fn random_changes_keep_the_invariants() {
    let mut seed = 1u64;
    let mut next = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    for _ in 0..2000 {
        let mut state = State::FULL;
        let mut ids = ROOT;
        for _ in 0..40 {
            let id = |n: u64| [0, 1000, 1001][n as usize % 3];
            let capability = Capability::ALL[next() as usize % 41];
            match next() % 7 {
                0 => state = state.change(Set::from_bits(next()).intersection(state.effective), state.permitted, Set::from_bits(next() & next())).unwrap_or(state),
                1 => state = state.with_secure_bits(next() as usize & 0xff).unwrap_or(state),
                2 => state = state.with_keep_caps(next() & 1 == 0).unwrap_or(state),
                3 => state = state.with_ambient(capability).unwrap_or(state),
                4 => {
                    let to = Ids { real: id(next()), effective: id(next()), saved: id(next()) };
                    state = state.after_ids(ids, to);
                    ids = to;
                }
                5 => state.bounding = state.bounding.without(capability),
                _ => {
                    let old = state;
                    let done = state.exec(ids, (0, 0), &Program::default()).unwrap();
                    state = done.state;
                    ids = Ids { real: ids.real, effective: done.uid, saved: done.uid };
                    if ids.real != 0 && ids.effective != 0 {
                        assert!(state.permitted.is_subset(old.ambient));
                    }
                }
            }
            assert!(state.effective.is_subset(state.permitted), "{state:?}");
            assert!(state.ambient.is_subset(state.permitted.intersection(state.inheritable)), "{state:?}");
        }
    }
}
