//! Directories as this crate writes them, and as the format's own crate does: each reads what the other has written.

mod common;

use common::{Daemon, Raw, TestDisk, make, noise};
use redoxfs::{FileSystem, TreePtr};
use scheme::abi::dirent::DirentReader;
use scheme::abi::fs::ROOT_NODE;
use scheme::testing::Harness;
use std::collections::{BTreeMap, BTreeSet};

const REG: u32 = 0o100644;

/// Names of all lengths that the format allows, and some that have their hash with another in common.
fn names(count: usize) -> Vec<String> {
    let bytes = noise(2 * count, 7);
    let mut names: BTreeSet<String> = BTreeSet::new();
    for (n, pair) in bytes.chunks_exact(2).enumerate() {
        let len = if n % 3 == 0 { 1 + usize::from(pair[0]) % 252 } else { 4 + usize::from(pair[0]) % 20 };
        let mut name = format!("{n}-");
        name.extend(std::iter::repeat_n(char::from(b'a' + pair[1] % 26), len.saturating_sub(name.len())));
        names.insert(name);
    }
    let mut seen = BTreeMap::new();
    for n in 0..400_000u32 {
        let name = format!("same{n}");
        if let Some(other) = seen.insert(seahash::hash(name.as_bytes()) as u32, name.clone()) {
            names.extend([name, other]);
        }
    }
    names.into_iter().collect()
}

fn listed(kernel: &mut Harness, dir: u64) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let mut from = 0;
    loop {
        let bytes = kernel.getdents(dir, 65_536, from).unwrap();
        let Some(last) = DirentReader::new(&bytes).last() else { return all };
        for entry in DirentReader::new(&bytes) {
            assert!(all.insert(String::from_utf8(entry.unwrap().name.to_vec()).unwrap()), "a name is listed twice");
        }
        from = last.unwrap().next;
    }
}

#[test]
fn each_reads_what_the_other_wrote() {
    let all = names(6000);
    assert!(all.iter().filter(|name| name.starts_with("same")).count() >= 4, "no hashes collide");
    let disk = TestDisk::formatted(128 << 20);
    let mut daemon = Daemon::start(&disk);
    let dir = daemon.kernel.create(ROOT_NODE, &make("dir", 0o040755)).unwrap().node;
    let nodes: BTreeMap<&String, u64> = all.iter().map(|name| (name, daemon.kernel.create(dir, &make(name, REG)).unwrap().node)).collect();
    // Of three names two go; those that stay are found by the crate, which `check` asks for each.
    let (gone, left): (Vec<_>, Vec<_>) = all.iter().enumerate().partition(|(n, _)| n % 3 != 0);
    for (n, name) in &gone {
        daemon.kernel.unlink(dir, name.as_bytes(), 0).unwrap();
        daemon.kernel.close(nodes[name]);
        if n % 500 == 1 {
            daemon.kernel.sync().unwrap();
        }
    }
    let mut expected: BTreeSet<String> = left.iter().map(|(_, name)| (*name).clone()).collect();
    assert_eq!(listed(&mut daemon.kernel, dir), expected);
    daemon.stop();
    let report = disk.check();
    assert!(report.problems.is_empty(), "{:#?}", report.problems);

    // The crate adds what was gone, and removes half of what was left.
    let mut fs = FileSystem::open(Raw(disk.clone()), None, None, false).unwrap();
    let ptr = TreePtr::new(dir as u32);
    for chunk in gone.chunks(100) {
        fs.tx(|tx| chunk.iter().try_for_each(|(_, name)| tx.create_node(ptr, name, REG as u16, 1, 0).map(drop))).unwrap();
    }
    expected.extend(gone.iter().map(|(_, name)| (*name).clone()));
    for (_, name) in left.iter().step_by(2) {
        fs.tx(|tx| tx.remove_node(ptr, name, REG as u16)).unwrap();
        expected.remove(*name);
    }
    drop(fs);

    let mut daemon = Daemon::start(&disk);
    assert_eq!(listed(&mut daemon.kernel, dir), expected);
    for name in &expected {
        let node = daemon.kernel.lookup(dir, name.as_bytes(), 1).unwrap().0[0].node;
        daemon.kernel.unlink(dir, name.as_bytes(), 0).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        daemon.kernel.close(node);
    }
    assert_eq!(listed(&mut daemon.kernel, dir), BTreeSet::new());
    daemon.kernel.unlink(ROOT_NODE, b"dir", 0x200).unwrap();
    daemon.stop();
    let report = disk.check();
    assert!(report.problems.is_empty(), "{:#?}", report.problems);
}
