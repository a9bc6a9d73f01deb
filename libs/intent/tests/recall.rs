//! The index of known requests.

use intent::recall::index::Index;

#[test]
fn the_index_is_of_the_data_in_the_tree() {
    assert!(Index::shipped().is_of_this_data(), "run `cargo run --release -p intent --bin train -- --recall`");
}

#[test]
fn what_wordings_make_likely_is_of_the_data_in_the_tree() {
    assert!(intent::likely::is_of_this_data(), "run `cargo run --release -p intent --bin train -- --recall`");
}

#[test]
fn a_damaged_index_is_refused() {
    let good = include_bytes!("../model/recall.gir");
    for n in (0..good.len()).step_by(good.len() / 40) {
        // What is cut may miss words only.
        if let Some(index) = Index::read(&good[..n]) {
            index.nearest(&["find".into()], 3);
        }
    }
    let mut bad = good.to_vec();
    bad[0] = b'X';
    assert!(Index::read(bad.leak()).is_none());
}
