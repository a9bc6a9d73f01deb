//! Batches of changes, ids given in advance, and a daemon that takes over from one that died.

mod common;

use common::{Daemon, TestDisk, make, noise, read_all};
use redoxfsd::mount;
use scheme::Errno;
use scheme::abi::fs::{Change, LinkRequest, NodeAttr, ROOT_NODE, RenameFlags, RenameRequest, SetXattr, Step, Time};

const FILE: u32 = 0o100644;
const DIR: u32 = 0o040755;

fn step(node: u64, second: i64, change: Change<'_>) -> Step<'_> {
    let at = Time {
        seconds: 1_500_000_000 + second,
        nanoseconds: 7,
    };
    Step { node, at, change }
}

fn create(node: u64, second: i64, id: u64, name: &str, mode: u32) -> Step<'_> {
    let request = make(name, mode);
    step(node, second, Change::Create { id, request })
}

fn unlink(node: u64, second: i64, name: &str) -> Step<'_> {
    let name = name.as_bytes();
    step(
        node,
        second,
        Change::Unlink {
            name,
            remove_dir: false,
        },
    )
}

/// What a crash leaves of the disk: no commit but those that were done.
fn crashed(disk: &TestDisk) -> TestDisk {
    TestDisk::from_bytes(disk.snapshot())
}

#[test]
fn changes_made_again_give_the_same_nodes() {
    let disk = TestDisk::formatted(64 << 20);
    let mut daemon = Daemon::start(&disk);
    let ids = daemon.kernel.grant(4).unwrap();
    assert_eq!(ids.len(), 4);
    let (dir, a, b, c) = (ids[3], ids[0], ids[2], ids[1]);
    let committed = [
        create(ROOT_NODE, 0, dir, "dir", DIR),
        create(dir, 1, a, "a", FILE),
    ];
    let answers = daemon.kernel.batch(&committed).unwrap();
    assert!(answers.iter().all(|answer| answer.errno == 0));
    assert_eq!(answers[1].attr.node, a);
    let at = committed[1].at;
    assert_eq!((answers[1].attr.ctime, answers[1].attr.mtime), (at, at));
    assert_eq!(answers[1].attr.generation, NodeAttr::generation_of(at));
    daemon.kernel.sync().unwrap();

    let lost = [
        create(dir, 2, b, "b", FILE),
        step(
            dir,
            3,
            Change::Rename(RenameRequest {
                new_dir: ROOT_NODE,
                flags: RenameFlags::Replace,
                old_name: b"a",
                new_name: b"moved",
            }),
        ),
        create(dir, 4, c, "c", FILE),
        unlink(dir, 5, "c"),
        step(c, 6, Change::Forget),
        create(dir, 7, 0, "any", FILE),
        create(dir, 7, 0, "", FILE),
        step(b, 8, Change::SetXattr(SetXattr { create: true, replace: false, name: b"user.a", value: b"1" })),
        step(b, 9, Change::SetXattr(SetXattr { create: true, replace: false, name: b"user.b", value: b"2" })),
        step(b, 10, Change::RemoveXattr { name: b"user.a" }),
    ];
    let first = daemon.kernel.batch(&lost).unwrap();
    assert!(first.iter().all(|answer| answer.errno == 0), "{first:?}");
    daemon.kernel.write(b, b"of b", 0).unwrap();

    let disk = crashed(&disk);
    let mut heir = Daemon::succeed(&disk);
    let mut again = lost;
    let any = first[5].attr.node;
    again[5] = create(dir, 7, any, "any", FILE);
    let unnamed = first[6].attr.node;
    again[6] = create(dir, 7, unnamed, "", FILE);
    let second = heir.kernel.batch(&again).unwrap();
    for (first, second) in first.iter().zip(&second) {
        assert_eq!((first.errno, first.attr), (second.errno, second.attr));
    }
    heir.kernel.write(b, b"of b", 0).unwrap();
    heir.kernel.write(unnamed, b"of nobody", 0).unwrap();
    heir.kernel.sync().unwrap();
    // The next heir knows it from the disk, and gives it a name.
    let disk = crashed(&disk);
    let mut heir_of_heir = Daemon::succeed(&disk);
    heir.stop();
    let request = LinkRequest { dir, unnamed: true, name: b"late" };
    assert_eq!(heir_of_heir.kernel.link_with(unnamed, request).unwrap().nlink, 1);
    heir_of_heir.kernel.sync().unwrap();
    heir_of_heir.stop();
    let report = disk.check();
    assert!(report.is_clean() && report.unlinked == 0, "{report:?}");
    let mut fs = mount::open(|| Ok(disk.clone())).unwrap();
    let all = read_all(&mut fs);
    let names: Vec<&str> = all.keys().map(String::as_str).collect();
    assert_eq!(names, ["/dir", "/dir/any", "/dir/b", "/dir/b user.b", "/dir/late", "/moved"]);
    assert_eq!(all["/dir/b"].as_deref(), Some(&b"of b"[..]));
}

#[test]
fn open_deleted_files_survive_the_daemon_and_are_freed_by_its_heir() {
    let disk = TestDisk::formatted(64 << 20);
    let mut daemon = Daemon::start(&disk);
    let data = noise(300_000, 3);
    let mut nodes = Vec::new();
    for name in ["one", "two"] {
        let node = daemon.kernel.create(ROOT_NODE, &make(name, FILE)).unwrap().node;
        daemon.kernel.write(node, &data[..200_000], 0).unwrap();
        daemon.kernel.unlink(ROOT_NODE, name.as_bytes(), 0).unwrap();
        nodes.push(node);
    }
    daemon.kernel.sync().unwrap();
    let disk = crashed(&disk);
    let mut heir = Daemon::succeed(&disk);
    heir.kernel.close(nodes[0]);
    heir.kernel.sync().unwrap();
    assert_eq!(heir.kernel.get_attr(nodes[0]), Err(Errno::STALE));
    assert_eq!(heir.kernel.get_attr(nodes[1]).unwrap().nlink, 0);
    assert_eq!(heir.kernel.read(nodes[1], 200_000, 0).unwrap(), data[..200_000]);
    heir.stop();
    assert_eq!(disk.check().unlinked, 1);
    // Another start of the system has no users left.
    Daemon::start(&disk).stop();
    let report = disk.check();
    assert!(report.is_clean() && report.unlinked == 0, "{report:?}");
}

#[test]
fn granted_ids_have_room_when_the_disk_is_full() {
    let disk = TestDisk::formatted(24 << 20);
    let mut daemon = Daemon::start(&disk);
    let ids = daemon.kernel.grant(32).unwrap();
    assert_eq!(ids.len(), 32);
    let big = daemon.kernel.create(ROOT_NODE, &make("big", FILE)).unwrap().node;
    let data = noise(128 << 10, 9);
    let mut at = 0;
    while daemon.kernel.write(big, &data, at).is_ok() {
        at += data.len() as u64;
    }
    assert!(at > 4 << 20, "only {at} bytes fit");
    let names: Vec<String> = ids.iter().map(|id| format!("file{id}")).collect();
    let steps: Vec<Step<'_>> = ids
        .iter()
        .zip(&names)
        .map(|(id, name)| create(ROOT_NODE, 0, *id, name, FILE))
        .collect();
    let answers = daemon.kernel.batch(&steps).unwrap();
    assert!(answers.iter().all(|answer| answer.errno == 0), "{answers:?}");
    let steps: Vec<Step<'_>> = names.iter().map(|name| unlink(ROOT_NODE, 1, name)).collect();
    let answers = daemon.kernel.batch(&steps).unwrap();
    assert!(answers.iter().all(|answer| answer.errno == 0), "{answers:?}");
    daemon.kernel.sync().unwrap();
    daemon.stop();
    let report = disk.check();
    assert!(report.is_clean(), "{report:?}");
}
