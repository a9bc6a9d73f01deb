//! What is written into a RedoxFS reads back the same, every checksum verified.

use std::collections::BTreeMap;

use gpm::xattr::{Value, Xattrs};
use image_builder::redoxfs;
use image_builder::tree::{Content, Entry, Kind, Tree};
use image_builder::{Window, disk};
use proptest::prelude::*;

/// What matters of an entry, for comparing.
type Seen = (String, u16, u32, u32, u64);

fn seen(tree: &Tree) -> BTreeMap<String, Seen> {
    let describe = |kind: &Kind| match kind {
        Kind::Directory => "directory".to_owned(),
        Kind::File(content) => format!("file {:?}", digest(&content.read().expect("readable"))),
        Kind::Symlink(target) => format!("symlink {target}"),
        Kind::HardLink(_) => "link".to_owned(),
    };
    tree.iter()
        .map(|(path, entry)| {
            // Which of a file's names is called the link is free: all show the file.
            let target = match &entry.kind {
                Kind::HardLink(target) => tree.get(target).expect("links lead to entries"),
                _ => entry,
            };
            let what = (
                describe(&target.kind),
                target.mode,
                target.uid,
                target.gid,
                target.mtime,
            );
            (path.to_owned(), what)
        })
        .collect()
}

fn digest(bytes: &[u8]) -> (usize, u64) {
    // FNV-1a.
    (
        bytes.len(),
        bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
        }),
    )
}

fn round_trip(tree: &Tree, mib: u64) -> Tree {
    let file = tempfile::tempfile().expect("temporary file");
    // Not at the start of the file, as in a disk.
    let start = 3 << 20;
    file.set_len(start + (mib << 20)).expect("enlarge");
    let window = || Window::new(file.try_clone().expect("clone"), start, mib << 20);
    redoxfs::create(window(), tree, redoxfs::Options { time: 1_000, ..Default::default() }).expect("writes");
    redoxfs::read(window(), Some(0)).expect("reads")
}

fn entry(kind: Kind, mode: u16, uid: u32, gid: u32, mtime: u64) -> Entry {
    Entry {
        kind,
        mode,
        uid,
        gid,
        mtime,
        xattrs: Xattrs::new(),
    }
}

/// Bytes that compress badly, from a seed.
fn noise(len: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let step = |state: &mut u64| {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        (*state >> 24) as u8
    };
    (0..len).map(|_| step(&mut state)).collect()
}

fn trees() -> impl Strategy<Value = Tree> {
    let name = prop_oneof!["[a-z]{1,3}", "[a-zä ]{110,126}"];
    let path = prop::collection::vec(name, 1..4).prop_map(|names| names.join("/"));
    let size = prop_oneof![0..10usize, 3_000..5_000usize, 130_000..140_000usize];
    let kind = 0..4usize;
    let item = (
        path,
        kind,
        size,
        any::<u64>(),
        0..0o10000u16,
        any::<u32>(),
        0..70_000u32,
        0..4_000_000_000u64,
    );
    prop::collection::vec(item, 0..30).prop_map(|items| {
        let mut tree = Tree::default();
        for (path, kind, size, seed, mode, uid, gid, mtime) in items {
            let files: Vec<String> = tree
                .iter()
                .filter(|(_, entry)| matches!(entry.kind, Kind::File(_)))
                .map(|(path, _)| path.to_owned())
                .collect();
            let kind = match kind {
                0 => Kind::Directory,
                1 => Kind::File(Content::from(noise(size, seed))),
                2 => Kind::File(Content::from(vec![7; size])),
                _ if !files.is_empty() && seed % 2 == 0 => {
                    Kind::HardLink(files[seed as usize % files.len()].clone())
                }
                // Upwards: what is inserted below the link then lies in the root. A way down would make a directory of each of its
                // thousands of components, which fills the disk.
                _ => Kind::Symlink("../".repeat(1 + size / 40)),
            };
            // Below a file, over a directory and so on: not every item fits.
            let _ = tree.insert(&path, entry(kind, mode, uid, gid, mtime));
        }
        // A replaced file leaves links to what is none any more.
        let broken: Vec<String> = tree
            .iter()
            .filter(|(path, entry)| match &entry.kind {
                Kind::HardLink(target) => {
                    target == path
                        || !matches!(
                            tree.get(target).map(|entry| &entry.kind),
                            Some(Kind::File(_))
                        )
                }
                _ => false,
            })
            .map(|(path, _)| path.to_owned())
            .collect();
        broken.iter().for_each(|path| tree.remove(path));
        tree
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_tree_reads_back(tree in trees()) {
        let back = round_trip(&tree, 16);
        prop_assert_eq!(seen(&back), seen(&tree));
    }
}

#[test]
fn what_lies_below_a_link_with_thousands_of_components_reads_back() {
    let mut tree = Tree::default();
    let link = Kind::Symlink("t/".repeat(1_000));
    tree.insert("a", entry(link, 0o777, 0, 0, 0))
        .expect("inserts");
    let file = Kind::File(b"deep".to_vec().into());
    tree.insert("a/b", entry(file, 0o644, 1, 2, 3))
        .expect("inserts");
    assert_eq!(seen(&round_trip(&tree, 64)), seen(&tree));
}

#[test]
fn large_files_and_folders_read_back() {
    let mut tree = Tree::default();
    // Beyond the 128 records that a node points to directly (16 MiB).
    let big = noise(18 << 20, 5);
    tree.insert("big", entry(Kind::File(big.into()), 0o600, 1, 2, 3))
        .expect("inserts");
    // More names than a directory block holds: the H-tree grows.
    for number in 0..3_000 {
        let file = Kind::File(format!("{number}").into_bytes().into());
        tree.insert(
            &format!("many/a-rather-long-file-name-{number}"),
            entry(file, 0o644, 0, 0, 7),
        )
        .expect("inserts");
    }
    let back = round_trip(&tree, 64);
    assert_eq!(seen(&back), seen(&tree));
}

#[test]
fn a_name_that_is_too_long_and_a_full_disk_are_errors() {
    let file = tempfile::tempfile().expect("temporary file");
    file.set_len(8 << 20).expect("enlarge");
    let window = || Window::new(file.try_clone().expect("clone"), 0, 8 << 20);
    let mut tree = Tree::default();
    tree.insert(&"n".repeat(253), entry(Kind::Directory, 0o755, 0, 0, 0))
        .expect("inserts");
    assert!(
        redoxfs::create(window(), &tree, redoxfs::Options::default())
            .expect_err("too long")
            .to_string()
            .contains("252")
    );
    let mut tree = Tree::default();
    tree.insert(
        "big",
        entry(Kind::File(noise(9 << 20, 1).into()), 0o644, 0, 0, 0),
    )
    .expect("inserts");
    assert!(
        redoxfs::create(window(), &tree, redoxfs::Options::default())
            .expect_err("full")
            .to_string()
            .contains("/big")
    );
    assert!(
        disk::open_root(std::path::Path::new("/dev/null")).is_err(),
        "no partition table"
    );
}

#[test]
fn extended_attributes_read_back() {
    let mut tree = Tree::default();
    let attributes = |values: &[(&str, usize)]| values.iter().map(|(name, len)| ((*name).to_owned(), Value(noise(*len, 3)))).collect::<Xattrs>();
    for (name, xattrs) in [("a", attributes(&[("security.capability", 20)])), ("b", attributes(&[("user.x", 0), ("user.y", 9_000), ("security.capability", 20)])), ("c", Xattrs::new())] {
        let file = entry(Kind::File(name.as_bytes().to_vec().into()), 0o755, 0, 0, 7);
        tree.insert(name, Entry { xattrs, ..file }).expect("inserts");
    }
    tree.insert("d", entry(Kind::HardLink("b".into()), 0o755, 0, 0, 7)).expect("inserts");
    let back = round_trip(&tree, 8);
    let of = |tree: &Tree, name: &str| tree.get(name).expect("is there").xattrs.clone();
    for name in ["a", "b", "c"] {
        assert_eq!(of(&back, name), of(&tree, name), "{name}");
    }
    // An archive has them too.
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("tree.tar");
    tree.write_tar(&path).expect("writes");
    let again = Tree::from_tar(std::fs::File::open(&path).expect("opens"), &path).expect("reads");
    for name in ["a", "b", "c"] {
        assert_eq!(of(&again, name), of(&tree, name), "{name}");
    }
    let huge = Entry { xattrs: attributes(&[("user.a", 60_000), ("user.b", 60_000), ("user.c", 60_000)]), ..entry(Kind::File(b"x".to_vec().into()), 0o644, 0, 0, 0) };
    tree.insert("e", huge).expect("inserts");
    let file = tempfile::tempfile().expect("temporary file");
    file.set_len(8 << 20).expect("enlarge");
    let error = redoxfs::create(Window::new(file, 0, 8 << 20), &tree, redoxfs::Options::default()).expect_err("too large");
    assert!(error.to_string().contains("too large"), "{error}");
}
