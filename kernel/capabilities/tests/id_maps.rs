//! Maps of ids, as `user_namespaces(7)` has them.

use capabilities::IdMap;

fn map(text: &str) -> IdMap {
    IdMap::parse(text.as_bytes()).unwrap_or_else(|| panic!("{text:?} is a map"))
}

#[test]
fn ids_are_found_both_ways() {
    let map = map("0 1000 1\n1 100000 65535\n");
    assert_eq!((map.down(0), map.down(1), map.down(65535), map.down(65536)), (Some(1000), Some(100_000), Some(165_534), None));
    assert_eq!((map.up(1000), map.up(100_001), map.up(0), map.up(165_535)), (Some(0), Some(2), None, None));
}

#[test]
fn what_is_no_map_is_refused() {
    for text in ["", "\n", "0 0", "0 0 0", "0 0 1 1", "a 0 1", "-1 0 1", "0 0 1\n\n", "4294967295 0 1", "0 4294967295 1", "1 0 4294967295", "0 0 2\n1 5 1", "0 5 1\n1 5 1", "99999999999 0 1"] {
        assert_eq!(IdMap::parse(text.as_bytes()), None, "{text:?}");
    }
    let lines = |n: u32| (0..n).map(|i| format!("{i} {i} 1\n")).collect::<String>();
    assert!(IdMap::parse(lines(340).as_bytes()).is_some());
    assert!(IdMap::parse(lines(341).as_bytes()).is_none());
}

#[test]
fn the_largest_run_holds_all_but_the_last_id() {
    let map = map("0 0 4294967295");
    assert_eq!(map, IdMap::identity());
    assert_eq!((map.down(u32::MAX - 1), map.down(u32::MAX), map.up(u32::MAX)), (Some(u32::MAX - 1), None, None));
}

#[test]
fn a_map_goes_through_its_parents() {
    let parent = map("0 1000 10\n10 5000 10");
    assert_eq!(map("0 3 2").through(&parent), Some(map("0 1003 2")));
    // A run may not cross from one of the parent's into another, nor leave them.
    assert_eq!(map("0 9 2").through(&parent), None);
    assert_eq!(map("0 19 2").through(&parent), None);
    assert_eq!(map("0 0 1").through(&IdMap::EMPTY), None);
}

#[test]
fn single_ids_and_the_outer_root_are_seen() {
    assert_eq!((map("0 7 1").single(), map("0 7 2").single(), map("0 7 1\n1 9 1").single()), (Some(7), None, None));
    assert!(map("5 0 1").has_outer_root() && !map("0 5 1").has_outer_root());
}
