//! Full disks, broken disks, large directories, files deleted while open, requests that make no sense.

mod common;

use common::{Daemon, TestDisk, make, noise, read_all};
use proptest::collection::vec;
use proptest::prelude::*;
use redoxfsd::mount;
use scheme::{Errno, StatVfs};
use scheme::abi::dirent::DirentReader;
use scheme::abi::fs::{NodeAttr, ROOT_NODE, RenameFlags, RenameRequest, SetAttr, SetTime, Time};
use scheme::abi::sqe::{self, Buffer};
use scheme::testing::Harness;
use std::collections::{BTreeMap, BTreeSet};

const REG: u32 = 0o100644;
const DIR: u32 = 0o040755;

fn assert_clean(disk: &TestDisk) {
    let report = disk.check();
    assert_eq!(report.problems, Vec::<String>::new());
    assert_eq!((report.lost_blocks, report.unlinked), (0, 0), "{report:?}");
}

fn stat_vfs(kernel: &mut Harness) -> StatVfs {
    let answer = kernel.call(&[], 32, |buffer| sqe::fstatvfs(ROOT_NODE, buffer)).unwrap();
    scheme::abi::stat::decode_statvfs(answer.data()).unwrap()
}

#[test]
fn full_disk_says_so_and_loses_nothing() {
    let disk = TestDisk::formatted(12 << 20);
    let mut files: BTreeMap<String, Option<Vec<u8>>> = BTreeMap::new();
    let mut nodes = Vec::new();
    let mut daemon = Daemon::start(&disk);
    let kernel = &mut daemon.kernel;
    // Files of many sizes, until nothing fits any more.
    let mut refused = 0;
    for n in 0..4000u64 {
        let name = format!("file{n}");
        let node = match kernel.create(ROOT_NODE, &make(&name, REG)) {
            Ok(attr) => attr.node,
            Err(errno) => {
                assert_eq!(errno, Errno::NOSPC);
                refused += 1;
                break;
            }
        };
        let data = noise([100, 3000, 5000, 40_000, 200_000][n as usize % 5], n);
        let mut kept = Vec::new();
        match kernel.write(node, &data, 0) {
            Ok(len) => kept = data[..len].to_vec(),
            Err(errno) => {
                assert_eq!(errno, Errno::NOSPC);
                refused += 1;
            }
        }
        nodes.push((name.clone(), node));
        files.insert(format!("/{name}"), Some(kept));
    }
    assert!(refused >= 2, "{refused}");
    let used: usize = files.values().flatten().map(Vec::len).sum();
    assert!(used > 8 << 20, "only {used} bytes fit");
    // Overwriting does not fit either, and leaves what was there.
    let mut overwrites = 0;
    for (name, node) in &nodes {
        let Some(Some(data)) = files.get_mut(&format!("/{name}")) else {
            continue;
        };
        let new = noise(data.len(), 12345);
        match kernel.write(*node, &new, 0) {
            Ok(len) => data[..len].copy_from_slice(&new[..len]),
            Err(errno) => {
                assert_eq!(errno, Errno::NOSPC);
                overwrites += 1;
            }
        }
    }
    assert!(overwrites > 0);
    kernel.sync().unwrap();
    daemon.stop();
    assert_clean(&disk);
    assert!(read_all(&mut mount::open(|| Ok(disk.clone())).unwrap()) == files);

    // Deleting works on a full disk, and makes room.
    let mut daemon = Daemon::start(&disk);
    let kernel = &mut daemon.kernel;
    for (name, node) in &nodes {
        assert_eq!(
            kernel.unlink(ROOT_NODE, name.as_bytes(), 0),
            Ok(()),
            "{name}"
        );
        kernel.close(*node);
    }
    kernel.sync().unwrap();
    let node = kernel.create(ROOT_NODE, &make("large", REG)).unwrap().node;
    let data = noise(200_000, 7);
    for part in 0..40 {
        assert_eq!(
            kernel.write(node, &data, part * 200_000),
            Ok(200_000),
            "part {part}"
        );
    }
    kernel.sync().unwrap();
    daemon.stop();
    assert_clean(&disk);
}

#[test]
fn removed_files_give_their_room_back_before_anything_else_changes() {
    let disk = TestDisk::formatted(64 << 20);
    let mut daemon = Daemon::start(&disk);
    let kernel = &mut daemon.kernel;
    // Promises take room that only new names may use.
    assert_eq!(kernel.grant(16).unwrap().len(), 16);
    let empty = stat_vfs(kernel).f_bavail;
    let data = noise(128 << 10, 5);
    let mut files = Vec::new();
    while let Ok(attr) = kernel.create(ROOT_NODE, &make(&format!("file{}", files.len()), REG)) {
        files.push((format!("file{}", files.len()), attr.node));
        let parts = (0..8).take_while(|part| kernel.write(attr.node, &data, part * data.len() as u64).is_ok());
        if parts.count() < 8 {
            break;
        }
    }
    assert!(files.len() > 30, "{}", files.len());
    kernel.sync().unwrap();
    for (name, node) in &files {
        kernel.unlink(ROOT_NODE, name.as_bytes(), 0).unwrap();
        kernel.close(*node);
    }
    kernel.sync().unwrap();
    let now = stat_vfs(kernel).f_bavail;
    assert!(now + 64 > empty, "{now} of {empty} blocks");
    daemon.stop();
    assert_clean(&disk);
}

#[test]
fn large_directory_lists_once_whatever_happens_meanwhile() {
    const FILES: usize = 50_000;
    let disk = TestDisk::formatted(320 << 20);
    let mut daemon = Daemon::start(&disk);
    let kernel = &mut daemon.kernel;
    let dir = kernel.create(ROOT_NODE, &make("dir", DIR)).unwrap().node;
    let mut pending = Vec::new();
    let mut nodes = BTreeMap::new();
    for n in 0..FILES {
        let name = format!("a file called {n}");
        let request = make(&name, REG);
        let mut input = vec![0; 24 + name.len()];
        request.encode(&mut input).unwrap();
        let call = |buffer: Buffer| sqe::call(dir, buffer, [scheme::abi::fs::FS_CREATE, 0, 0]);
        pending.push((name.clone(), kernel.submit(&input, 96 + name.len(), call)));
        if pending.len() == 60 || n == FILES - 1 {
            for (name, ticket) in pending.drain(..) {
                let answer = kernel.wait(ticket).unwrap();
                nodes.insert(name, NodeAttr::decode(answer.data()).unwrap().node);
            }
        }
    }
    let mut seen = BTreeSet::new();
    let (mut from, mut calls) = (0, 0);
    loop {
        let bytes = kernel.getdents(dir, 65_536, from).unwrap();
        if bytes.is_empty() {
            break;
        }
        for entry in DirentReader::new(&bytes) {
            let entry = entry.unwrap();
            let name = String::from_utf8(entry.name.to_vec()).unwrap();
            from = entry.next;
            assert!(seen.insert(name), "an entry came twice");
        }
        // Meanwhile others come and go, also between the daemon's lives.
        calls += 1;
        for n in 0..20 {
            let name = format!("new {calls} {n}");
            let node = kernel.create(dir, &make(&name, REG)).unwrap().node;
            if n % 2 == 0 {
                kernel.unlink(dir, name.as_bytes(), 0).unwrap();
                kernel.close(node);
            }
        }
        let gone = format!("a file called {}", calls * 37);
        kernel.unlink(dir, gone.as_bytes(), 0).unwrap();
        kernel.close(nodes.remove(&gone).unwrap());
    }
    assert!(calls > 20, "{calls}");
    for name in nodes.keys() {
        assert!(seen.contains(name), "{name} was not listed");
    }
    kernel.sync().unwrap();
    daemon.stop();
    // A new daemon lists the same, and finds each name.
    let mut daemon = Daemon::start(&disk);
    for (name, node) in nodes.iter().step_by(97) {
        let (found, _) = daemon.kernel.lookup(dir, name.as_bytes(), 1).unwrap();
        assert_eq!(found[0].node, *node);
    }
    daemon.stop();
    assert_clean(&disk);
}

#[test]
fn files_deleted_while_open_live_until_they_are_forgotten() {
    let disk = TestDisk::formatted(64 << 20);
    let mut daemon = Daemon::start(&disk);
    let kernel = &mut daemon.kernel;
    // More than the disk's list of such files may hold.
    let mut nodes = Vec::new();
    for n in 0..1200u64 {
        let name = format!("file{n}");
        let node = kernel.create(ROOT_NODE, &make(&name, REG)).unwrap().node;
        kernel.write(node, &noise(5000, n), 0).unwrap();
        kernel.unlink(ROOT_NODE, name.as_bytes(), 0).unwrap();
        nodes.push((node, n));
    }
    kernel.sync().unwrap();
    for (node, n) in &nodes {
        assert_eq!(kernel.get_attr(*node).unwrap().nlink, 0);
        assert!(kernel.read(*node, 6000, 0).unwrap() == noise(5000, *n));
        kernel.write(*node, b"still here", 9000).unwrap();
        assert_eq!(kernel.link(*node, ROOT_NODE, b"back"), Err(Errno::NOENT));
    }
    for (node, _) in &nodes {
        kernel.close(*node);
    }
    // Freeing many takes more than one commit.
    for _ in 0..5 {
        kernel.sync().unwrap();
    }
    for (node, _) in &nodes {
        assert_eq!(kernel.get_attr(*node), Err(Errno::STALE));
    }
    // A directory too.
    let dir = kernel.create(ROOT_NODE, &make("dir", DIR)).unwrap().node;
    kernel.unlink(ROOT_NODE, b"dir", 0x200).unwrap();
    assert_eq!(kernel.create(dir, &make("inside", REG)), Err(Errno::NOENT));
    assert_eq!(kernel.getdents(dir, 4096, 0).unwrap(), b"");
    kernel.close(dir);
    // And one that is never forgotten: the next mount frees it.
    let left = kernel.create(ROOT_NODE, &make("left", REG)).unwrap().node;
    kernel
        .write(left, &noise(300_000, 5)[..250_000], 0)
        .unwrap();
    kernel.unlink(ROOT_NODE, b"left", 0).unwrap();
    kernel.sync().unwrap();
    daemon.stop();
    assert_eq!(disk.check().unlinked, 1);
    Daemon::start(&disk).stop();
    assert_clean(&disk);
}

#[test]
fn large_sparse_files_are_quick() {
    let disk = TestDisk::formatted(32 << 20);
    let mut daemon = Daemon::start(&disk);
    let kernel = &mut daemon.kernel;
    let node = kernel.create(ROOT_NODE, &make("sparse", REG)).unwrap().node;
    let resize = |size| SetAttr {
        size: Some(size),
        ..SetAttr::default()
    };
    let started = std::time::Instant::now();
    assert_eq!(
        kernel.set_attr(node, &resize(1 << 40)).unwrap().size,
        1 << 40
    );
    for at in [0, 5 << 20, 3 << 30, (1 << 40) - 10, 1 << 42] {
        kernel.write(node, b"island", at).unwrap();
    }
    assert_eq!(
        kernel.read(node, 12, (3 << 30) - 3).unwrap(),
        b"\0\0\0island\0\0\0"
    );
    assert_eq!(kernel.write(node, b"x", 1 << 46), Err(Errno::FBIG));
    assert_eq!(kernel.write(node, b"x", u64::MAX), Err(Errno::FBIG));
    assert_eq!(kernel.set_attr(node, &resize(u64::MAX)), Err(Errno::FBIG));
    kernel.set_attr(node, &resize(4 << 30)).unwrap();
    assert_eq!(kernel.read(node, 6, 3 << 30).unwrap(), b"island");
    kernel.set_attr(node, &resize(1 << 40)).unwrap();
    assert_eq!(kernel.read(node, 10, (1 << 40) - 10).unwrap(), [0; 10]);
    kernel.unlink(ROOT_NODE, b"sparse", 0).unwrap();
    kernel.close(node);
    kernel.sync().unwrap();
    assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
    daemon.stop();
    assert_clean(&disk);
}

#[test]
fn attributes_names_and_times() {
    let disk = TestDisk::formatted(16 << 20);
    let mut daemon = Daemon::start(&disk);
    let kernel = &mut daemon.kernel;
    let mut request = make("null", 0o020666);
    request.rdev = 0x103;
    let null = kernel.create(ROOT_NODE, &request).unwrap();
    assert_eq!((null.rdev, null.size), (0x103, 0));
    let file = kernel.create(ROOT_NODE, &make("file", REG)).unwrap();
    let time = |seconds, nanoseconds| Time {
        seconds,
        nanoseconds,
    };
    let changes = SetAttr {
        mode: Some(0o4755),
        uid: Some(1000),
        gid: Some(100),
        atime: Some(SetTime::To(time(-5, 7))),
        mtime: Some(SetTime::To(time(1 << 33, 999_999_999))),
        ..SetAttr::default()
    };
    let changed = kernel.set_attr(file.node, &changes).unwrap();
    assert_eq!(
        (changed.mode, changed.uid, changed.gid),
        (0o104755, 1000, 100)
    );
    assert_eq!(
        (changed.atime, changed.mtime),
        (time(-5, 7), time(1 << 33, 999_999_999))
    );
    assert!(changed.ctime > file.ctime);
    // Data that comes late, with the time at which it was written, leaves times that were set since.
    let old = 1_000_000_007 * 1_000_000_000 + 8;
    let late = |buffer| sqe::write_back(file.node, buffer, 0, old);
    kernel.call(b"late", 4, late).unwrap();
    let changed_again = kernel.get_attr(file.node).unwrap();
    assert_eq!(
        (changed_again.mtime, changed_again.ctime),
        (time(1_000_000_007, 8), changed.ctime)
    );
    let changed = kernel.set_attr(file.node, &changes).unwrap();
    let root = kernel.get_attr(ROOT_NODE).unwrap();
    assert!(root.mtime >= null.ctime, "a new name changes its directory");

    let long = "n".repeat(253);
    assert_eq!(
        kernel.create(ROOT_NODE, &make(&long, REG)),
        Err(Errno::NAMETOOLONG)
    );
    // (A regular file without a name is another matter: see tmpfiles.rs.)
    for (bad, mode) in [("", 0o040755), (".", REG), ("..", REG), ("a/b", REG), ("a\0b", REG)] {
        let made = kernel.create(ROOT_NODE, &make(bad, mode));
        assert_eq!(made, Err(Errno::INVAL), "{bad:?}");
    }
    let mut request = make("", REG);
    request.name = b"\xff\xfe";
    assert_eq!(kernel.create(ROOT_NODE, &request), Err(Errno::ILSEQ));
    assert_eq!(
        kernel.create(file.node, &make("x", REG)),
        Err(Errno::NOTDIR)
    );
    assert_eq!(
        kernel.create(ROOT_NODE, &make("x", 0o170644)),
        Err(Errno::INVAL)
    );
    assert_eq!(kernel.get_attr(0xff), Err(Errno::STALE));
    assert_eq!(kernel.get_attr(1 << 40), Err(Errno::STALE));

    // A whole path in one lookup, and the ways in which it ends early.
    let a = kernel.create(ROOT_NODE, &make("a", DIR)).unwrap().node;
    let b = kernel.create(a, &make("b", DIR)).unwrap().node;
    let c = kernel.create(b, &make("c", REG)).unwrap().node;
    let ids = |found: Vec<NodeAttr>| found.iter().map(|attr| attr.node).collect::<Vec<_>>();
    use scheme::abi::fs::LookupStop::*;
    let mut lookup = |path: &[u8], room| {
        let (found, stop) = kernel.lookup(ROOT_NODE, path, room).unwrap();
        (ids(found), stop)
    };
    assert_eq!(lookup(b"a/b/c", 8), (vec![a, b, c], Complete));
    assert_eq!(lookup(b"a/b/c/d", 8), (vec![a, b, c], NotDirectory));
    assert_eq!(lookup(b"a/x/c", 8), (vec![a], Missing));
    assert_eq!(lookup(b"a/b/c", 2), (vec![a, b], Full));
    assert_eq!(
        kernel.lookup(ROOT_NODE, b"a//b", 8).unwrap_err(),
        Errno::INVAL
    );

    // After a restart the daemon does not know the way up from `b`, and still sees that it lies below `a`.
    let free = stat_vfs(kernel);
    assert!(free.f_blocks == 4096 && free.f_bfree > 3700 && free.f_bavail < free.f_bfree);
    daemon.stop();
    let mut daemon = Daemon::start(&disk);
    let kernel = &mut daemon.kernel;
    let into_itself = RenameRequest {
        new_dir: b,
        flags: RenameFlags::Replace,
        old_name: b"a",
        new_name: b"loop",
    };
    assert_eq!(kernel.rename(ROOT_NODE, &into_itself), Err(Errno::INVAL));
    let kept = kernel.get_attr(file.node).unwrap();
    assert_eq!(
        (kept, kernel.get_attr(null.node).unwrap().rdev),
        (changed, 0x103)
    );
    daemon.stop();
    assert_clean(&disk);
}

#[test]
fn broken_disks_give_clear_errors() {
    let error = |bytes: Vec<u8>| {
        let disk = TestDisk::from_bytes(bytes);
        match mount::open(|| Ok(disk.clone())) {
            Ok(_) => panic!("it opened"),
            Err(error) => format!("{error:#}"),
        }
    };
    let good = TestDisk::formatted(8 << 20).snapshot();
    assert!(error(Vec::new()).contains("0 bytes"));
    assert!(error(vec![0; 8 << 20]).contains("valid header"));
    assert!(error(noise(8 << 20, 3)).contains("valid header"));
    assert!(error(good[..6 << 20].to_vec()).contains("cut off"));
    let mut headless = good.clone();
    headless[256 * 4096..].fill(0x55);
    assert!(error(headless).contains("are broken"));
}

#[test]
fn a_disk_that_breaks_makes_the_filesystem_read_only() {
    let disk = TestDisk::formatted(16 << 20);
    let mut daemon = Daemon::start(&disk);
    let kernel = &mut daemon.kernel;
    let node = kernel.create(ROOT_NODE, &make("file", REG)).unwrap().node;
    kernel.write(node, b"first", 0).unwrap();
    kernel.sync().unwrap();
    disk.0.lock().unwrap().broken = true;
    kernel.write(node, b"second", 0).unwrap();
    assert_eq!(kernel.sync(), Err(Errno::IO));
    assert_eq!(kernel.write(node, b"third", 0), Err(Errno::ROFS));
    disk.0.lock().unwrap().broken = false;
    assert_eq!(
        kernel.read(node, 100, 0).unwrap(),
        b"first",
        "the last commit is what is left"
    );
    assert_eq!(kernel.sync(), Err(Errno::IO));
    daemon.stop();
    assert_clean(&disk);
}

#[test]
fn flipped_bits_are_errors_and_never_silent() {
    let disk = TestDisk::formatted(16 << 20);
    let mut daemon = Daemon::start(&disk);
    let data = noise(100_000, 1);
    for n in 0..20 {
        let node = daemon
            .kernel
            .create(ROOT_NODE, &make(&format!("f{n}"), REG))
            .unwrap()
            .node;
        daemon.kernel.write(node, &data, 0).unwrap();
    }
    daemon.stop();
    let good = disk.snapshot();
    let flips = noise(240, 77);
    for (round, place) in flips.chunks(8).enumerate() {
        let mut bytes = good.clone();
        let place = u64::from_le_bytes(place.try_into().unwrap()) as usize;
        // Among the blocks in use, behind the ring.
        let at = (257 + place % 600) * 4096 + (place >> 32) % 4096;
        bytes[at] ^= 1 << (round % 8);
        let broken = TestDisk::from_bytes(bytes);
        if mount::open(|| Ok(broken.clone())).is_err() {
            continue;
        }
        let mut daemon = Daemon::start(&broken);
        for n in 0..20 {
            let Ok((found, _)) = daemon
                .kernel
                .lookup(ROOT_NODE, format!("f{n}").as_bytes(), 1)
            else {
                continue;
            };
            // An older generation may have been chosen, without the file.
            let Some(attr) = found.first() else { continue };
            match daemon.kernel.read(attr.node, 100_000, 0) {
                Ok(read) => assert!(read == data || read.is_empty()),
                Err(errno) => assert_eq!(errno, Errno::IO),
            }
            let _ = daemon.kernel.write(attr.node, b"new", 50_000);
            let _ = daemon
                .kernel
                .unlink(ROOT_NODE, format!("f{n}").as_bytes(), 0);
        }
        daemon.stop();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn requests_that_make_no_sense_harm_nothing(
        requests in vec((0u64..12, any::<[u64; 4]>(), vec(any::<u8>(), 0..300), 0usize..4000), 1..80)
    ) {
        let disk = TestDisk::formatted(16 << 20);
        let mut daemon = Daemon::start(&disk);
        let kernel = &mut daemon.kernel;
        let dir = kernel.create(ROOT_NODE, &make("dir", DIR)).unwrap().node;
        let file = kernel.create(dir, &make("file", REG)).unwrap().node;
        for (kind, numbers, payload, room) in requests {
            let [handle, a, b, c] = numbers;
            let handle = [ROOT_NODE, dir, file, u64::MAX, handle % 300, handle][handle as usize % 6];
            let mut payload = payload;
            // Lengths that often fit, so that some requests get far.
            for at in [0, 8, 10, 12, 14] {
                if c >> at & 1 != 0 && payload.len() > at + 1 {
                    payload[at + 1] = 0;
                }
            }
            let room = room.max(payload.len());
            let base = scheme::abi::fs::FS_LOOKUP - 1;
            let _ = kernel.call(&payload, room, |buffer| match kind {
                0..=7 => sqe::call(handle, buffer, [base + kind, a, b]),
                8 => sqe::read(handle, buffer, a >> (b % 64), 0),
                9 => sqe::write(handle, buffer, a >> (b % 64), 0),
                10 => sqe::getdents(handle, buffer, a),
                _ => sqe::unlink_at(handle, buffer, a % 2 * 0x200, sqe::Ids::default()),
            });
        }
        kernel.sync().unwrap();
        daemon.stop();
        let report = disk.check();
        prop_assert!(report.is_clean() && report.lost_blocks == 0, "{:?}", report);
    }
}

/// The map of free blocks is the one that the crate would build.
#[test]
fn the_map_of_free_blocks_is_the_crates() {
    let disk = TestDisk::formatted(64 << 20);
    let mut daemon = Daemon::start(&disk);
    for round in 0..40_usize {
        for number in 0..10_usize {
            let name = format!("file{number}");
            let _ = daemon.kernel.unlink(ROOT_NODE, name.as_bytes(), 0);
            let node = daemon.kernel.create(ROOT_NODE, &make(&name, 0o100644));
            let node = node.unwrap().node;
            let data = noise((round * 7919 + number * 104_729) % 200_000, 5);
            daemon.kernel.write(node, &data, 0).unwrap();
            daemon.kernel.close(node);
        }
        daemon.kernel.sync().unwrap();
    }
    // Without the tidy end, which writes the log anew.
    let disk = TestDisk::from_bytes(disk.snapshot());
    let ours = redoxfsd::mount::open(|| Ok(disk.clone())).unwrap();
    let cached = redoxfsd::cache::CachedDisk::new(disk.clone()).unwrap();
    let theirs = redoxfs::FileSystem::open(cached, None, None, false).unwrap();
    assert_eq!(ours.header.generation(), theirs.header.generation());
    assert_eq!(ours.allocator().free(), theirs.allocator().free());
    let filled = |levels: &[std::collections::BTreeSet<u64>]| -> Vec<_> {
        let last = levels.iter().rposition(|level| !level.is_empty());
        levels[..last.map_or(0, |last| last + 1)].to_vec()
    };
    assert_eq!(
        filled(ours.allocator().levels()),
        filled(theirs.allocator().levels())
    );
}
