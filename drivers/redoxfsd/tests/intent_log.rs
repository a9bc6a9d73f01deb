//! The intent log: what an fsync writes, what is made again from it, and what must not be.

mod common;

use common::{Daemon, Event, Raw, TestDisk, fsync, make, noise, read_mounted};
use redoxfs::{FileSystem, Header, TreePtr};
use redoxfsd::device::Device;
use redoxfsd::intent_log::{Area, EXTENT_BLOCKS};
use scheme::Errno;
use scheme::abi::fs::{Change, ROOT_NODE, SetAttr, Step, Time};
use scheme::testing::Harness;
use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;

const FILE: u32 = 0o100644;
const RING: u64 = 256 * 4096;

/// The newest header.
fn header(disk: &TestDisk) -> Header {
    let bytes = disk.snapshot();
    let headers = (0..256).map(|slot| {
        let mut header = Header::default();
        header.copy_from_slice(&bytes[slot * 4096..(slot + 1) * 4096]);
        header
    });
    headers.filter(Header::valid).max_by_key(Header::generation).unwrap()
}

/// The bytes of the area's extents on the disk.
fn area(disk: &TestDisk) -> Vec<Range<usize>> {
    let named = Area::named(&header(disk));
    named.iter().map(|first| *first as usize * 4096..(first + EXTENT_BLOCKS) as usize * 4096).collect()
}

fn commits(events: &[Event]) -> usize {
    events.iter().filter(|event| matches!(event, Event::Write(offset, _) if *offset < RING)).count()
}

/// What a crash leaves of the disk.
fn crashed(disk: &TestDisk) -> TestDisk {
    TestDisk::from_bytes(disk.snapshot())
}

fn new_file(kernel: &mut Harness, name: &str) -> u64 {
    kernel.create(ROOT_NODE, &make(name, FILE)).unwrap().node
}

/// A disk of 64 MiB with a file of 40 KiB and a log area, and its daemon.
fn with_area() -> (TestDisk, Daemon, u64) {
    let disk = TestDisk::formatted(64 << 20);
    let mut daemon = Daemon::start(&disk);
    let node = new_file(&mut daemon.kernel, "file");
    daemon.kernel.write(node, &noise(40_960, 1), 0).unwrap();
    assert!(area(&disk).is_empty());
    fsync(&mut daemon.kernel, node).unwrap();
    let extents = area(&disk);
    assert!(extents.len() >= 4, "{extents:?}");
    (disk, daemon, node)
}

#[test]
fn an_fsync_is_one_write_and_one_flush() {
    let (disk, mut daemon, node) = with_area();
    disk.record();
    let mut wanted = noise(40_960, 1);
    for n in 0..5usize {
        let new = noise(4096, 100 + n as u64);
        daemon.kernel.write(node, &new, n as u64 * 8192).unwrap();
        wanted[n * 8192..n * 8192 + 4096].copy_from_slice(&new);
        fsync(&mut daemon.kernel, node).unwrap();
        // All is durable: nothing is left to be done.
        fsync(&mut daemon.kernel, node).unwrap();
    }
    let events = disk.recorded();
    assert_eq!(events.len(), 10, "{} events", events.len());
    let extents = area(&disk);
    for pair in events.chunks(2) {
        let [Event::Write(offset, data), Event::Flush] = pair else { panic!("{:?}", pair.len()) };
        assert_eq!(data.len(), 8192);
        assert!(extents.iter().any(|extent| extent.contains(&(*offset as usize))));
    }
    let before = daemon.kernel.get_attr(node).unwrap();
    let disk = crashed(&disk);
    assert_eq!(disk.check().logged, 5);
    let mut next = Daemon::start(&disk);
    assert_eq!(next.kernel.get_attr(node).unwrap(), before);
    assert!(next.kernel.read(node, 65_536, 0).unwrap() == wanted);
    next.stop();
    daemon.stop();
    assert_eq!(read_mounted(&disk)["/file"].as_deref(), Some(wanted.as_slice()));
}

#[test]
fn what_no_fsync_held_is_not_there_and_a_sync_is_a_commit() {
    let (disk, mut daemon, node) = with_area();
    daemon.kernel.write(node, b"first", 0).unwrap();
    fsync(&mut daemon.kernel, node).unwrap();
    daemon.kernel.write(node, b"again", 0).unwrap();
    new_file(&mut daemon.kernel, "unheld");
    let without = read_mounted(&crashed(&disk));
    assert!(!without.contains_key("/unheld"));
    assert_eq!(without["/file"].as_ref().unwrap()[..5], *b"first");
    let before = header(&disk).generation();
    daemon.kernel.sync().unwrap();
    assert_eq!(header(&disk).generation(), before + 1);
    let disk = crashed(&disk);
    assert_eq!(disk.check().logged, 0);
    assert_eq!(read_mounted(&disk)["/file"].as_ref().unwrap()[..5], *b"again");
    daemon.stop();
}

#[test]
fn a_full_log_is_emptied_by_a_commit() {
    let (disk, mut daemon, node) = with_area();
    disk.record();
    let mut wanted = noise(40_960, 1);
    for n in 0..300u64 {
        let new = noise(5000, n);
        let at = (n * 3001 % 35_000) as usize;
        daemon.kernel.write(node, &new, at as u64).unwrap();
        wanted[at..at + 5000].copy_from_slice(&new);
        fsync(&mut daemon.kernel, node).unwrap();
        if n % 37 == 0 {
            assert!(read_mounted(&crashed(&disk))["/file"].as_ref() == Some(&wanted), "after {n}");
        }
    }
    let commits = commits(&disk.recorded());
    assert!((3..20).contains(&commits), "{commits}");
    assert!(read_mounted(&crashed(&disk))["/file"].as_ref() == Some(&wanted));
    daemon.stop();
    assert!(read_mounted(&disk)["/file"].as_ref() == Some(&wanted));
}

#[test]
fn what_does_not_fit_into_a_record_is_committed() {
    let (disk, mut daemon, node) = with_area();
    disk.record();
    daemon.kernel.write(node, &noise(120_000, 3), 0).unwrap();
    fsync(&mut daemon.kernel, node).unwrap();
    assert_eq!(commits(&disk.recorded()), 0);
    disk.record();
    daemon.kernel.write(node, &noise(131_072, 4), 0).unwrap();
    daemon.kernel.write(node, b"small", 7).unwrap();
    fsync(&mut daemon.kernel, node).unwrap();
    assert_eq!(commits(&disk.recorded()), 1);
    let mut wanted = noise(131_072, 4);
    wanted[7..12].copy_from_slice(b"small");
    assert!(read_mounted(&crashed(&disk))["/file"].as_ref() == Some(&wanted));
    daemon.stop();
}

#[test]
fn a_log_of_another_generation_is_void() {
    let (disk, mut daemon, node) = with_area();
    daemon.kernel.write(node, b"old", 0).unwrap();
    fsync(&mut daemon.kernel, node).unwrap();
    let logged = disk.snapshot();
    daemon.kernel.write(node, b"new", 0).unwrap();
    daemon.kernel.sync().unwrap();
    daemon.kernel.write(node, b"NEW", 0).unwrap();
    daemon.kernel.sync().unwrap();
    // A header of the same half, with the records of the one before it.
    let mut image = disk.snapshot();
    for extent in area(&disk) {
        image[extent.clone()].copy_from_slice(&logged[extent]);
    }
    let disk = TestDisk::from_bytes(image);
    assert_eq!(disk.check().logged, 0);
    assert_eq!(read_mounted(&disk)["/file"].as_ref().unwrap()[..3], *b"NEW");
    daemon.stop();
}

#[test]
fn a_log_of_a_header_that_was_replaced_is_void() {
    let (disk, mut daemon, node) = with_area();
    daemon.kernel.write(node, b"one", 0).unwrap();
    daemon.kernel.sync().unwrap();
    daemon.kernel.write(node, b"two", 0).unwrap();
    fsync(&mut daemon.kernel, node).unwrap();
    let generation = header(&disk).generation();
    // The newest header is lost, with its log left behind.
    let mut image = disk.snapshot();
    daemon.stop();
    let slot = (generation % 256) as usize * 4096;
    image[slot..slot + 4096].fill(0);
    let disk = TestDisk::from_bytes(image);
    assert_eq!(disk.check().generation, generation - 1);
    let mut daemon = Daemon::start(&disk);
    new_file(&mut daemon.kernel, "other");
    daemon.kernel.sync().unwrap();
    let disk = crashed(&disk);
    assert_eq!(header(&disk).generation(), generation);
    assert_eq!(disk.check().logged, 0);
    let files = read_mounted(&disk);
    assert!(files.contains_key("/other"));
    assert_eq!(files["/file"].as_ref().unwrap()[..3], noise(3, 1)[..]);
    daemon.stop();
}

#[test]
fn a_lost_header_leaves_the_log_before_it() {
    let (disk, mut daemon, node) = with_area();
    daemon.kernel.write(node, b"one", 0).unwrap();
    fsync(&mut daemon.kernel, node).unwrap();
    let generation = header(&disk).generation();
    daemon.kernel.write(node, b"two", 0).unwrap();
    daemon.kernel.sync().unwrap();
    daemon.kernel.write(node, b"six", 0).unwrap();
    fsync(&mut daemon.kernel, node).unwrap();
    assert_eq!(header(&disk).generation(), generation + 1);
    let mut image = disk.snapshot();
    daemon.stop();
    let slot = ((generation + 1) % 256) as usize * 4096;
    image[slot..slot + 4096].fill(0);
    let disk = TestDisk::from_bytes(image);
    assert_eq!(disk.check().logged, 1);
    assert_eq!(read_mounted(&disk)["/file"].as_ref().unwrap()[..3], *b"one");
}

#[test]
fn broken_records_end_what_is_made_again() {
    let (disk, mut daemon, node) = with_area();
    let mut states = vec![None];
    for n in 0..12u64 {
        let name = format!("made{n}");
        let made = new_file(&mut daemon.kernel, &name);
        let data = noise(1 + (n as usize * 2777) % 9000, n);
        daemon.kernel.write(made, &data, 0).unwrap();
        fsync(&mut daemon.kernel, node).unwrap();
        states.push(Some((format!("/{name}"), data)));
    }
    let good = disk.snapshot();
    daemon.stop();
    let extents = area(&TestDisk::from_bytes(good.clone()));
    let picks = noise(3 * 60, 77);
    let mut seen = std::collections::BTreeSet::new();
    for pick in picks.chunks(3) {
        // Anywhere in the first extents of both halves, where the records are.
        let extent = &extents[usize::from(pick[0] & 1) * extents.len() / 2];
        let at = extent.start + (usize::from(pick[1]) << 8 | usize::from(pick[2])) % (20 * 4096);
        let mut image = good.clone();
        if pick[0] & 2 == 0 {
            image[at] ^= 1 << (pick[0] >> 5);
        } else {
            // A block of garbage.
            let at = at / 4096 * 4096;
            image[at..at + 4096].copy_from_slice(&noise(4096, u64::from(pick[2])));
        }
        let disk = TestDisk::from_bytes(image);
        let logged = disk.check().logged as usize;
        seen.insert(logged);
        let files = read_mounted(&disk);
        for (index, state) in states.iter().enumerate().skip(1) {
            let (path, data) = state.as_ref().unwrap();
            assert_eq!(files.get(path).is_some_and(|found| found.as_ref() == Some(data)), index <= logged, "{path}, {logged} records");
            assert!(index <= logged || !files.contains_key(path));
        }
    }
    assert!(seen.len() > 4, "{seen:?}");
}

#[test]
fn small_and_encrypted_disks_have_no_log() {
    for password in [None, Some(b"secret".as_slice())] {
        let disk = TestDisk::formatted_with(if password.is_some() { 64 << 20 } else { 12 << 20 }, password);
        let mut daemon = match password {
            Some(password) => Daemon::start_encrypted(&disk, password),
            None => Daemon::start(&disk),
        };
        let node = new_file(&mut daemon.kernel, "file");
        disk.record();
        for n in 0..4 {
            daemon.kernel.write(node, b"data", n * 4).unwrap();
            fsync(&mut daemon.kernel, node).unwrap();
        }
        assert_eq!(commits(&disk.recorded()), 4);
        assert!(area(&disk).is_empty());
        let disk = crashed(&disk);
        daemon.stop();
        if password.is_none() {
            assert_eq!(read_mounted(&disk)["/file"].as_deref(), Some(&b"datadatadatadata"[..]));
        }
    }
}

#[test]
fn a_full_disk_is_logged_and_made_again() {
    let disk = TestDisk::formatted(24 << 20);
    let mut daemon = Daemon::start(&disk);
    let kernel = &mut daemon.kernel;
    let big = new_file(kernel, "big");
    fsync(kernel, big).unwrap();
    assert_eq!(area(&disk).len(), 2);
    let (mut at, data) = (0, noise(65_536, 5));
    while kernel.write(big, &data, at).is_ok() {
        at += data.len() as u64;
    }
    // Small things until they are refused as well, with an fsync each.
    let mut made = Vec::new();
    for n in 0..2000u64 {
        let Ok(attr) = kernel.create(ROOT_NODE, &make(&format!("small{n}"), FILE)) else { break };
        made.push((attr.node, format!("small{n}")));
        let _ = kernel.write(attr.node, &noise(3000, n), 0);
        fsync(kernel, attr.node).unwrap();
    }
    assert!(made.len() < 2000);
    disk.record();
    for (n, (node, name)) in made.iter().enumerate().take(60) {
        if n % 2 == 0 {
            kernel.unlink(ROOT_NODE, name.as_bytes(), 0).unwrap();
            kernel.close(*node);
        }
        let changes = SetAttr { mode: Some(0o600 + n as u32 % 8), ..SetAttr::default() };
        kernel.set_attr(made[61].0, &changes).unwrap();
        fsync(kernel, made[61].0).unwrap();
        if n % 9 == 0 {
            let disk = crashed(&disk);
            let mut next = Daemon::start(&disk);
            assert_eq!(next.kernel.get_attr(made[61].0).unwrap().mode & 0o777, 0o600 + n as u32 % 8);
            next.stop();
            let files = read_mounted(&disk);
            let gone = (0..=n).filter(|n| n % 2 == 0).all(|n| !files.contains_key(&format!("/{}", made[n].1)));
            assert!(gone && files.len() == made.len() + 1 - (n / 2 + 1), "after {n}");
        }
    }
    assert!(commits(&disk.recorded()) < 40);
    daemon.stop();
    read_mounted(&disk);
}

/// A disk whose writes into one part fail while a number says so.
#[derive(Clone)]
struct Failing {
    disk: TestDisk,
    part: Vec<Range<usize>>,
    left: Arc<AtomicU32>,
}

impl Device for Failing {
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.disk.read_at(offset, buffer)
    }
    fn write_at(&mut self, offset: u64, data: &[u8]) -> io::Result<()> {
        let is_in = self.part.iter().any(|part| part.contains(&(offset as usize)));
        if is_in && self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            // Some of it arrives.
            self.disk.write_at(offset, &data[..data.len() / 2])?;
            return Err(io::Error::other("a bad block"));
        }
        self.disk.write_at(offset, data)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.disk.flush()
    }
    fn size(&mut self) -> io::Result<u64> {
        self.disk.size()
    }
}

#[test]
fn where_the_log_does_not_write_a_commit_does() {
    let (disk, daemon, node) = with_area();
    daemon.stop();
    let left = Arc::new(AtomicU32::new(0));
    let device = Failing { part: area(&disk), disk: disk.clone(), left: left.clone() };
    let mut daemon = Daemon::start_on(device);
    daemon.kernel.write(node, b"first", 0).unwrap();
    fsync(&mut daemon.kernel, node).unwrap();
    for n in 0..4u64 {
        disk.record();
        left.store(1, Ordering::SeqCst);
        daemon.kernel.write(node, b"later", 5 * (n + 1)).unwrap();
        fsync(&mut daemon.kernel, node).unwrap();
        assert_eq!((commits(&disk.recorded()), left.load(Ordering::SeqCst)), (1, 0));
        daemon.kernel.write(node, b"again", 5 * (n + 2)).unwrap();
        fsync(&mut daemon.kernel, node).unwrap();
        let text = read_mounted(&crashed(&disk))["/file"].clone().unwrap();
        assert_eq!(text[5 * (n as usize + 1)..][..10], *b"lateragain");
    }
    // The whole disk breaks: the fsync fails, what was answered before comes back.
    disk.0.lock().unwrap().broken = true;
    daemon.kernel.write(node, b"lost", 0).unwrap();
    assert_eq!(fsync(&mut daemon.kernel, node), Err(Errno::IO));
    assert_eq!(fsync(&mut daemon.kernel, node), Err(Errno::IO));
    disk.0.lock().unwrap().broken = false;
    let text = read_mounted(&crashed(&disk))["/file"].clone().unwrap();
    assert_eq!(text[..30], *b"firstlaterlaterlaterlateragain");
    drop(daemon.kernel);
}

fn step(node: u64, second: i64, change: Change<'_>) -> Step<'_> {
    Step { node, at: Time { seconds: 1_500_000_000 + second, nanoseconds: 7 }, change }
}

#[test]
fn a_successor_makes_the_log_again_and_gets_the_rest_from_the_kernel() {
    let (disk, mut daemon, node) = with_area();
    let ids = daemon.kernel.grant(3).unwrap();
    let create = |second, id, name| step(ROOT_NODE, second, Change::Create { id, request: make(name, FILE) });
    let unlink = |second, name: &'static str| step(ROOT_NODE, second, Change::Unlink { name: name.as_bytes(), remove_dir: false });
    let logged = [create(0, ids[0], "a"), unlink(1, "a"), create(2, ids[1], "a"), step(ids[0], 3, Change::Forget)];
    assert!(daemon.kernel.batch(&logged).unwrap().iter().all(|answer| answer.errno == 0));
    daemon.kernel.write(ids[1], b"logged", 0).unwrap();
    let open = new_file(&mut daemon.kernel, "open");
    daemon.kernel.write(open, &noise(50_000, 2), 0).unwrap();
    daemon.kernel.unlink(ROOT_NODE, b"open", 0).unwrap();
    fsync(&mut daemon.kernel, node).unwrap();
    // To the kernel, what is logged is committed: it keeps what follows.
    let rest = [unlink(4, "a"), create(5, ids[2], "a")];
    let first = daemon.kernel.batch(&rest).unwrap();

    let disk = crashed(&disk);
    assert_eq!(disk.check().logged, 1);
    let mut heir = Daemon::succeed(&disk);
    assert_eq!(heir.kernel.read(ids[1], 100, 0).unwrap(), b"logged");
    assert_eq!(heir.kernel.get_attr(ids[0]), Err(Errno::STALE), "it was forgotten, and is freed");
    // One that is open stays.
    assert_eq!(heir.kernel.read(open, 50_000, 0).unwrap(), noise(50_000, 2));
    let second = heir.kernel.batch(&rest).unwrap();
    for (first, second) in first.iter().zip(&second) {
        assert_eq!((first.errno, first.attr), (second.errno, second.attr));
    }
    fsync(&mut heir.kernel, ids[2]).unwrap();
    let twice = crashed(&disk);
    heir.stop();
    // A crash of the system, and another successor.
    let files = read_mounted(&crashed(&twice));
    assert_eq!(files["/a"].as_deref(), Some(&b""[..]));
    assert_eq!(files.len(), 2);
    let mut heir = Daemon::succeed(&twice);
    assert_eq!(heir.kernel.get_attr(ids[2]).unwrap().nlink, 1);
    assert_eq!(heir.kernel.get_attr(open).unwrap().nlink, 0);
    heir.kernel.close(open);
    heir.kernel.sync().unwrap();
    assert_eq!(heir.kernel.get_attr(open), Err(Errno::STALE));
    heir.stop();
    daemon.stop();
    read_mounted(&twice);
}

#[test]
fn what_tools_that_do_not_know_it_commit_makes_it_void() {
    let (disk, mut daemon, node) = with_area();
    daemon.kernel.write(node, b"logged", 0).unwrap();
    fsync(&mut daemon.kernel, node).unwrap();
    let before = area(&disk);
    let disk = crashed(&disk);
    daemon.stop();
    let mut fs = FileSystem::open(Raw(disk.clone()), None, None, true).unwrap();
    fs.tx(|tx| tx.create_node(TreePtr::root(), "theirs", 0o100644, 1, 0).map(drop)).unwrap();
    drop(fs);
    assert_eq!(disk.check().logged, 0);
    assert_eq!(area(&disk), before, "the area is kept");
    let files = read_mounted(&disk);
    assert!(files.contains_key("/theirs"));
    assert_eq!(files["/file"], Some(noise(40_960, 1)));
    // It is used again.
    let mut daemon = Daemon::start(&disk);
    daemon.kernel.write(node, b"ours", 0).unwrap();
    fsync(&mut daemon.kernel, node).unwrap();
    assert_eq!(crashed(&disk).check().logged, 1);
    daemon.stop();
}

#[test]
fn refused_changes_are_not_logged() {
    let (disk, mut daemon, node) = with_area();
    let kernel = &mut daemon.kernel;
    assert_eq!(kernel.create(ROOT_NODE, &make("file", FILE)).unwrap_err(), Errno::EXIST);
    assert_eq!(kernel.unlink(ROOT_NODE, b"none", 0), Err(Errno::NOENT));
    assert_eq!(kernel.write(ROOT_NODE, b"data", 0), Err(Errno::INVAL));
    new_file(kernel, "good");
    assert_eq!(kernel.remove_xattr(node, b"user.none").unwrap_err(), Errno::NODATA);
    fsync(kernel, node).unwrap();
    let disk = crashed(&disk);
    assert_eq!(disk.check().logged, 1);
    assert!(read_mounted(&disk).contains_key("/good"));
    daemon.stop();
}
