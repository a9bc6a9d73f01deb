//! Random trees are copied, moved, thrown away and brought back: what comes is what was, and nothing that was there is lost.

use file_operations::archive;
use file_operations::transfer::{Collision, Nobody, Observer, Progress, Way, make_folder, rename, transfer};
use file_operations::trash::Trash;
use file_operations::undo::{Done, undo};
use file_operations::{Error, search};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// Something of a tree.
#[derive(Debug, Clone)]
enum Node {
    File(Vec<u8>, u32),
    Link(String),
    Folder(BTreeMap<String, Node>),
}

fn node() -> impl Strategy<Value = Node> {
    let name = "[a-c .é]{1,3}".prop_filter("a name", |it| it != "." && it != "..");
    let leaf = prop_oneof![
        (proptest::collection::vec(any::<u8>(), 0..600), prop_oneof![Just(0o644), Just(0o755), Just(0o400)]).prop_map(|(bytes, mode)| Node::File(bytes, mode)),
        "[a-c]{1,4}".prop_map(Node::Link),
    ];
    leaf.prop_recursive(3, 20, 4, move |inner| proptest::collection::btree_map(name.clone(), inner, 0..4).prop_map(Node::Folder))
}

fn make(path: &Path, node: &Node) {
    match node {
        Node::File(bytes, mode) => {
            fs::write(path, bytes).expect("a file");
            fs::set_permissions(path, fs::Permissions::from_mode(*mode)).expect("a mode");
        }
        Node::Link(target) => symlink(target, path).expect("a link"),
        Node::Folder(inside) => {
            fs::create_dir(path).expect("a folder");
            inside.iter().for_each(|(name, node)| make(&path.join(name), node));
        }
    }
}

/// All that is below a path, with contents, modes and times.
fn look(path: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>, i64)> {
    fn add(path: &Path, below: &Path, all: &mut BTreeMap<PathBuf, (u32, Vec<u8>, i64)>) {
        let meta = path.symlink_metadata().expect("it is there");
        let (contents, time) = if meta.is_symlink() {
            (fs::read_link(path).expect("a link").into_os_string().into_encoded_bytes(), 0)
        } else if meta.is_dir() {
            fs::read_dir(path).expect("a folder").flatten().for_each(|it| add(&it.path(), &below.join(it.file_name()), all));
            (Vec::new(), meta.mtime())
        } else {
            (fs::read(path).expect("a file"), meta.mtime())
        };
        all.insert(below.to_owned(), (meta.mode(), contents, time));
    }
    let mut all = BTreeMap::new();
    add(path, Path::new(""), &mut all);
    all
}

struct World {
    folder: tempfile::TempDir,
}

impl World {
    /// Folders `from` and `to`.
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        ["from", "to"].iter().for_each(|it| fs::create_dir(folder.path().join(it)).expect("a folder"));
        World { folder }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }
}

fn count(path: &Path) -> usize {
    fs::read_dir(path).expect("a folder").count()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn copies_are_what_was(node in node(), collides in any::<bool>()) {
        let world = World::new();
        make(&world.at("from/thing.txt"), &node);
        if collides {
            fs::write(world.at("to/thing.txt"), "there before").expect("a file");
        }
        let before = look(&world.at("from/thing.txt"));
        let (done, outcome) = transfer(&[world.at("from/thing.txt")], &world.at("to"), Way::Copy, Collision::KeepBoth, &mut Nobody);
        outcome.expect("copied");
        let to = world.at(if collides { "to/thing (2).txt" } else { "to/thing.txt" });
        prop_assert_eq!(&done, &vec![Done::Copied { to: to.clone() }]);
        prop_assert_eq!(look(&to), before.clone());
        prop_assert_eq!(look(&world.at("from/thing.txt")), before);
        prop_assert_eq!(count(&world.at("to")), 1 + usize::from(collides), "nothing else is left");
        if collides {
            prop_assert_eq!(fs::read(world.at("to/thing.txt")).expect("it is there"), b"there before");
        }
    }

    #[test]
    fn moves_go_there_and_back(node in node()) {
        let world = World::new();
        make(&world.at("from/thing"), &node);
        let before = look(&world.at("from/thing"));
        let (done, outcome) = transfer(&[world.at("from/thing")], &world.at("to"), Way::Move, Collision::KeepBoth, &mut Nobody);
        outcome.expect("moved");
        prop_assert_eq!(look(&world.at("to/thing")), before.clone());
        prop_assert!(world.at("from/thing").symlink_metadata().is_err());
        let (left, outcome) = undo(done);
        outcome.expect("undone");
        prop_assert!(left.is_empty());
        prop_assert_eq!(look(&world.at("from/thing")), before);
    }

    #[test]
    fn what_is_thrown_away_comes_back(node in node(), name in "[a-cA-C %é\n=]{1,5}", again in any::<bool>()) {
        let world = World::new();
        let trash = Trash::at(world.at("trash"));
        let path = world.at("from").join(&name);
        make(&path, &node);
        let before = look(&path);
        let item = trash.throw(&path).expect("thrown away");
        prop_assert!(path.symlink_metadata().is_err());
        if again {
            fs::write(&path, "another").expect("a file");
            trash.throw(&path).expect("thrown away");
        }
        let items = trash.items().expect("a list");
        prop_assert_eq!(items.len(), 1 + usize::from(again));
        prop_assert!(items.contains(&item));
        prop_assert_eq!(look(&item.path()), before.clone());
        let back = item.restore().expect("brought back");
        prop_assert_eq!(&back, &fs::canonicalize(world.at("from")).expect("a folder").join(&name));
        prop_assert_eq!(look(&path), before);
        trash.empty().expect("emptied");
        prop_assert_eq!((count(&world.at("trash/files")), count(&world.at("trash/info"))), (0, 0));
    }
}

/// Stops after some looks.
struct Impatient {
    looks: std::cell::Cell<u32>,
}

impl Observer for Impatient {
    fn progress(&mut self, progress: &Progress) {
        assert!(progress.bytes <= progress.all_bytes || progress.all_things == 0, "{progress:?}");
    }

    fn is_cancelled(&self) -> bool {
        self.looks.set(self.looks.get().saturating_sub(1));
        self.looks.get() == 0
    }
}

#[test]
fn stopped_anywhere_it_leaves_no_halves() {
    let folder = BTreeMap::from([
        ("a".to_owned(), Node::File(vec![1; 700_000], 0o400)),
        ("b".to_owned(), Node::Folder(BTreeMap::from([("c".to_owned(), Node::File(vec![2; 10], 0o644))]))),
        ("d".to_owned(), Node::Link("a".to_owned())),
    ]);
    for looks in 2.. {
        let world = World::new();
        make(&world.at("from/thing"), &Node::Folder(folder.clone()));
        let before = look(&world.at("from/thing"));
        let mut observer = Impatient { looks: looks.into() };
        let (done, outcome) = transfer(&[world.at("from/thing")], &world.at("to"), Way::Copy, Collision::KeepBoth, &mut observer);
        assert_eq!(look(&world.at("from/thing")), before);
        if done.is_empty() {
            assert!(matches!(outcome, Err(Error::Cancelled)));
            assert_eq!(count(&world.at("to")), 0, "after {looks} looks");
        } else {
            assert_eq!(look(&world.at("to/thing")), before);
            assert!(looks > 8, "there was something to stop");
            break;
        }
    }
}

#[test]
fn what_cannot_be_is_refused() {
    let world = World::new();
    fs::create_dir(world.at("from/a")).expect("a folder");
    let into = |source: &str, target: &str| transfer(&[world.at(source)], &world.at(target), Way::Copy, Collision::KeepBoth, &mut Nobody).1;
    assert!(matches!(into("from", "from/a"), Err(Error::IntoItself(_))));
    assert!(matches!(into("from/a", "from/a"), Err(Error::IntoItself(_))));
    assert!(into("from/none", "to").is_err_and(|it| it.to_string().contains("no such file")));
    assert!(matches!(rename(&world.at("from/a"), "b/c"), Err(Error::Name { .. })));
    fs::write(world.at("from/b"), "kept").expect("a file");
    assert!(matches!(rename(&world.at("from/a"), "b"), Err(Error::Exists(_))));
    assert_eq!(fs::read(world.at("from/b")).expect("it is there"), b"kept");
    assert_eq!(rename(&world.at("from/a"), "c").expect("renamed"), Done::Moved { from: world.at("from/a"), to: world.at("from/c") });
    assert_eq!(make_folder(&world.at("from"), "c").expect("made"), Done::Copied { to: world.at("from/c (2)") });
}

#[test]
fn collisions_are_left_out_or_kept() {
    let world = World::new();
    fs::write(world.at("from/a"), "new").expect("a file");
    fs::write(world.at("to/a"), "old").expect("a file");
    let (done, outcome) = transfer(&[world.at("from/a")], &world.at("to"), Way::Move, Collision::Skip, &mut Nobody);
    outcome.expect("left out");
    assert!(done.is_empty());
    assert_eq!((fs::read(world.at("from/a")).expect("a file"), fs::read(world.at("to/a")).expect("a file")), (b"new".to_vec(), b"old".to_vec()));
    // A copy beside its original.
    let (_, outcome) = transfer(&[world.at("from/a")], &world.at("from"), Way::Copy, Collision::Skip, &mut Nobody);
    outcome.expect("copied");
    assert_eq!(fs::read(world.at("from/a (2)")).expect("a file"), b"new");
}

#[test]
fn what_is_replaced_goes_last() {
    let world = World::new();
    fs::create_dir(world.at("from/a")).expect("a folder");
    fs::write(world.at("from/a/1"), "new").expect("a file");
    fs::write(world.at("to/a"), "old").expect("a file");
    let mut observer = Impatient { looks: 5.into() };
    let (done, outcome) = transfer(&[world.at("from/a")], &world.at("to"), Way::Copy, Collision::Replace, &mut observer);
    assert!(matches!(outcome, Err(Error::Cancelled)) && done.is_empty(), "{done:?} {outcome:?}");
    assert_eq!((fs::read(world.at("to/a")).expect("a file"), count(&world.at("to"))), (b"old".to_vec(), 1));
    // A file that says that it can be read, and cannot.
    let (_, outcome) = transfer(&[PathBuf::from("/proc/self/mem")], &world.at("to"), Way::Copy, Collision::Replace, &mut Nobody);
    assert!(outcome.is_err_and(|it| it.to_string().contains("cannot read /proc/self/mem")));
    assert_eq!(count(&world.at("to")), 1, "a file that cannot be read leaves nothing");
    // Something is not replaced by what is in it.
    fs::create_dir_all(world.at("from/b/b")).expect("folders");
    let (done, outcome) = transfer(&[world.at("from/b/b")], &world.at("from"), Way::Move, Collision::Replace, &mut Nobody);
    assert!(matches!(outcome, Err(Error::IntoItself(_))) && done.is_empty());
    assert!(world.at("from/b/b").is_dir());
}

#[test]
fn names_are_found_in_trees() {
    let world = World::new();
    fs::create_dir_all(world.at("from/Holiday/2026")).expect("folders");
    fs::write(world.at("from/Holiday/2026/holiday.jpg"), "").expect("a file");
    fs::write(world.at("from/other"), "").expect("a file");
    symlink(world.at("from"), world.at("from/Holiday/loop")).expect("a link");
    let mut found = Vec::new();
    search::search(&world.at("from"), "HOLI", &mut |it| {
        found.push(it.name);
        std::ops::ControlFlow::Continue(())
    });
    assert_eq!(found, ["Holiday", "holiday.jpg"]);
    let mut count = 0;
    search::search(&world.at("from"), "", &mut |_| {
        count += 1;
        std::ops::ControlFlow::Break(())
    });
    assert_eq!(count, 1);
}

/// Directory modes keep the administrator from nothing: what fails is a filesystem without room.
#[test]
fn a_full_disk_leaves_nothing_half_done() {
    let world = World::new();
    let full = world.at("full");
    fs::create_dir(&full).expect("a folder");
    // Mounting takes rights and is undone with the process.
    let script = format!("mount -t tmpfs -o size=256k tmpfs {0:?} && echo kept > {0:?}/before && exec {1:?} --exact on_the_full_disk --nocapture --ignored", full, std::env::current_exe().expect("this program"));
    let output = std::process::Command::new("unshare").args(["-m", "sh", "-c", &script]).env("FULL_DISK", &full).output();
    let Ok(output) = output else { return eprintln!("no unshare: left out") };
    let told = String::from_utf8_lossy(&output.stderr);
    if told.contains("unshare failed") || told.contains("permission denied") {
        return eprintln!("nothing may be mounted: left out");
    }
    assert!(output.status.success(), "{told}");
}

#[test]
#[ignore = "run by the test above, which mounts the disk"]
fn on_the_full_disk() {
    let full = PathBuf::from(std::env::var_os("FULL_DISK").expect("run by the test above"));
    let world = World::new();
    make(&world.at("from/thing"), &Node::Folder(BTreeMap::from([("a".to_owned(), Node::File(vec![1; 9], 0o400)), ("b".to_owned(), Node::File(vec![2; 900_000], 0o644))])));
    let before = look(&world.at("from/thing"));
    for way in [Way::Copy, Way::Move] {
        let (done, outcome) = transfer(&[world.at("from/thing")], &full, way, Collision::KeepBoth, &mut Nobody);
        assert!(done.is_empty());
        assert!(outcome.is_err_and(|it| it.to_string().contains("no space left")), "a reason");
        assert_eq!(look(&world.at("from/thing")), before);
        assert_eq!((count(&full), fs::read(full.join("before")).expect("a file")), (1, b"kept\n".to_vec()));
    }
    // What is small enough goes there, from another filesystem, and into that filesystem's own trash.
    let (_, outcome) = transfer(&[world.at("from/thing/a")], &full, Way::Move, Collision::KeepBoth, &mut Nobody);
    outcome.expect("moved");
    assert!(!world.at("from/thing/a").exists() && full.join("a").exists());
    let item = Trash::of(&full.join("a")).expect("a trash").throw(&full.join("a")).expect("thrown away");
    assert!(item.path().starts_with(&full) && Trash::all().iter().any(|it| it.items().is_ok_and(|items| items.contains(&item))));
    assert_eq!(item.restore().expect("brought back"), full.join("a"));
}

fn tar(folder: &Path, arguments: &[&str]) {
    assert!(std::process::Command::new("tar").args(arguments).current_dir(folder).status().expect("tar").success());
}

#[test]
fn archives_are_unpacked_whole_or_not_at_all() {
    let world = World::new();
    let folder = BTreeMap::from([
        ("a".to_owned(), Node::File(vec![1; 300_000], 0o400)),
        ("b".to_owned(), Node::Folder(BTreeMap::from([("c".to_owned(), Node::File(vec![2; 10], 0o644))]))),
        ("d".to_owned(), Node::Link("a".to_owned())),
    ]);
    make(&world.at("from/thing"), &Node::Folder(folder));
    fs::set_permissions(world.at("from/thing/b"), fs::Permissions::from_mode(0o555)).expect("a mode");
    for (path, day) in [("from/thing/b", 12_000), ("from/thing", 13_000)] {
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(day * 86_400);
        fs::File::open(world.at(path)).and_then(|it| it.set_times(fs::FileTimes::new().set_modified(time))).expect("an old folder");
    }
    let before = look(&world.at("from/thing"));
    for (name, how) in [("one.tar", "-cf"), ("one.tgz", "-czf")] {
        tar(&world.at("from"), &[how, name, "thing"]);
        let done = archive::extract(&world.at("from").join(name), &world.at("to"), &mut Nobody).expect("unpacked");
        let Done::Copied { to } = done else { panic!("{done:?}") };
        assert_eq!(look(&to), before);
    }
    assert_eq!(count(&world.at("to")), 2, "beside each other");
    // Several things get a folder.
    tar(&world.at("from/thing"), &["-czf", "../several.tar.gz", "a", "b"]);
    let done = archive::extract(&world.at("from/several.tar.gz"), &world.at("to"), &mut Nobody).expect("unpacked");
    assert_eq!(done, Done::Copied { to: world.at("to/several") });
    // A damaged one and one that was stopped leave nothing.
    let bytes = fs::read(world.at("from/one.tgz")).expect("a file");
    fs::write(world.at("from/half.tgz"), &bytes[..bytes.len() - 30]).expect("a file");
    let there = count(&world.at("to"));
    assert!(matches!(archive::extract(&world.at("from/half.tgz"), &world.at("to"), &mut Nobody), Err(Error::Archive { .. })));
    let mut observer = Impatient { looks: 3.into() };
    assert!(matches!(archive::extract(&world.at("from/one.tar"), &world.at("to"), &mut observer), Err(Error::Cancelled)));
    assert!(matches!(archive::extract(&world.at("from/thing/a"), &world.at("to"), &mut Nobody), Err(Error::Archive { .. })));
    assert_eq!(count(&world.at("to")), there);
}

#[test]
fn paths_that_lead_out_of_archives_are_refused() {
    let world = World::new();
    fs::write(world.at("out"), "secret").expect("a file");
    tar(&world.at("from"), &["-cPf", "out.tar", "../out"]);
    fs::write(world.at("out"), "as it was").expect("a file");
    assert!(archive::extract(&world.at("from/out.tar"), &world.at("to"), &mut Nobody).is_err_and(|it| it.to_string().contains("leads out")));
    // Through a link that the archive itself brings.
    symlink("..", world.at("from/up")).expect("a link");
    tar(&world.at("from"), &["-cf", "link.tar", "up"]);
    fs::remove_file(world.at("from/up")).expect("a link");
    fs::create_dir(world.at("from/up")).expect("a folder");
    fs::write(world.at("from/up/out"), "worse").expect("a file");
    tar(&world.at("from"), &["-rf", "link.tar", "up/out"]);
    assert!(archive::extract(&world.at("from/link.tar"), &world.at("to"), &mut Nobody).is_err());
    assert_eq!(fs::read(world.at("out")).expect("a file"), b"as it was");
    assert_eq!(count(&world.at("to")), 0);
}

/// A zip archive by its specification: names, whether they are links, contents without compression.
fn zip(entries: &[(&str, bool, &[u8])]) -> Vec<u8> {
    let (mut all, mut directory) = (Vec::new(), Vec::new());
    for (name, is_link, bytes) in entries {
        let mut crc = u32::MAX;
        for byte in *bytes {
            crc ^= u32::from(*byte);
            (0..8).for_each(|_| crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 });
        }
        let [length, size] = [name.len() as u32, bytes.len() as u32];
        let middle = [[0; 10].as_slice(), &(!crc).to_le_bytes(), &size.to_le_bytes(), &size.to_le_bytes(), &length.to_le_bytes()].concat();
        let at = (all.len() as u32).to_le_bytes();
        // Flags, method and time are zero; the first two of the ten bytes are the version needed.
        all.extend([b"PK\x03\x04".as_slice(), &middle, name.as_bytes(), bytes].concat());
        let mode: u32 = if *is_link { 0o120_777 } else { 0o100_640 } << 16;
        directory.extend([b"PK\x01\x02\x14\x03".as_slice(), &middle, &[0; 6], &mode.to_le_bytes(), &at, name.as_bytes()].concat());
    }
    let count = (entries.len() as u16).to_le_bytes();
    let (size, at) = ((directory.len() as u32).to_le_bytes(), (all.len() as u32).to_le_bytes());
    [all, directory, [b"PK\x05\x06".as_slice(), &[0; 4], &count, &count, &size, &at, &[0; 2]].concat()].concat()
}

#[test]
fn zips_are_unpacked() {
    let world = World::new();
    let unzip = |entries: &[(&str, bool, &[u8])]| {
        fs::write(world.at("from/a.zip"), zip(entries)).expect("a file");
        archive::extract(&world.at("from/a.zip"), &world.at("to"), &mut Nobody)
    };
    assert_eq!(unzip(&[("one/two.txt", false, b"contents"), ("one/link", true, b"two.txt")]).expect("unpacked"), Done::Copied { to: world.at("to/one") });
    assert_eq!(fs::read(world.at("to/one/link")).expect("a link"), b"contents");
    assert_eq!(fs::metadata(world.at("to/one/two.txt")).expect("a file").mode() & 0o777, 0o640);
    assert!(unzip(&[("../out", false, b"")]).is_err_and(|it| it.to_string().contains("leads out")));
    assert!(unzip(&[("up", true, b".."), ("up/out", false, b"worse")]).is_err());
    let mut damaged = zip(&[("a", false, b"contents")]);
    damaged[32] ^= 1;
    fs::write(world.at("from/a.zip"), damaged).expect("a file");
    assert!(archive::extract(&world.at("from/a.zip"), &world.at("to"), &mut Nobody).is_err());
    assert_eq!(count(&world.at("to")), 1);
    assert!(!world.at("out").exists() && !world.at("to/out").exists());
}
