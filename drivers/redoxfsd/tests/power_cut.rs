//! Cuts the power at any write, with and without loss of what was not flushed.

mod common;

use common::{Daemon, Event, TestDisk, fsync, make, noise, read_all, read_mounted};
use redoxfsd::check::check;
use redoxfsd::mount;
use scheme::abi::fs::{ROOT_NODE, RenameFlags, RenameRequest, SetXattr};
use std::collections::BTreeMap;

type Files = BTreeMap<String, Option<Vec<u8>>>;
/// How much had happened when a sync was answered, and a digest of what the filesystem held.
type States = Vec<(usize, u64)>;
/// In place of that: no sync, but a commit for want of room may have held it.
const UNHELD: usize = usize::MAX;

fn digest(files: &Files) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    std::hash::Hash::hash(files, &mut hasher);
    std::hash::Hasher::finish(&hasher)
}

/// How steps of work end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// By a sync, which is a commit.
    Sync,
    /// By an fsync, which is a record of the log where it fits, with sizes that depend on this number.
    Fsync(u64),
}

/// As many rounds of the tests with random numbers as the environment asks for, or so many.
fn rounds(most: u64) -> std::ops::Range<u64> {
    let (first, rounds) = (std::env::var("FIRST_ROUND"), std::env::var("ROUNDS"));
    let first = first.map_or(0, |first| first.parse().unwrap());
    first..first + rounds.map_or(most, |rounds| rounds.parse().unwrap())
}

/// Does steps of work; returns the disk before, what happened to it, and after each step how
/// much had happened and what the filesystem held.
fn work(steps: u64, end: End) -> (Vec<u8>, Vec<Event>, States) {
    let disk = TestDisk::formatted(24 << 20);
    let before = disk.snapshot();
    disk.record();
    let mut daemon = Daemon::start(&disk);
    let kernel = &mut daemon.kernel;
    let mut files = Files::new();
    let mut ids = BTreeMap::new();
    let mut states = vec![(0, digest(&files))];
    let unheld = |states: &mut States, files: &Files| states.push((UNHELD, digest(files)));
    let dir = kernel
        .create(ROOT_NODE, &make("dir", 0o040755))
        .unwrap()
        .node;
    files.insert("/dir".to_owned(), None);
    unheld(&mut states, &files);
    for step in 0..steps {
        let name = format!("file{step}");
        let node = kernel.create(dir, &make(&name, 0o100644)).unwrap().node;
        files.insert(format!("/dir/{name}"), Some(Vec::new()));
        unheld(&mut states, &files);
        let len = match end {
            End::Sync => 1000 + (step as usize * 7919) % 200_000,
            End::Fsync(seed) => {
                let picks = noise(8, seed << 8 | step);
                let most = [300, 5000, 30_000, 200_000][usize::from(picks[0] % 4)];
                1 + usize::from(picks[1]) * most / 256
            }
        };
        let data = noise(len, step);
        assert_eq!(kernel.write(node, &data, 0), Ok(data.len()));
        files.insert(format!("/dir/{name}"), Some(data));
        unheld(&mut states, &files);
        ids.insert(name.clone(), node);
        // Extended attributes of the directory, which change with each step, and of every second file.
        for (node, path, attribute) in [(dir, "/dir".to_owned(), step % 5), (node, format!("/dir/{name}"), 0)] {
            if path == "/dir" || step % 2 == 0 {
                let (attribute, value) = (format!("user.{attribute}"), noise(10 + step as usize * 311, step));
                let request = SetXattr { create: false, replace: false, name: attribute.as_bytes(), value: &value };
                kernel.set_xattr(node, request).unwrap();
                files.insert(format!("{path} {attribute}"), Some(value));
                unheld(&mut states, &files);
            }
        }
        if step % 4 == 3 {
            let attribute = format!("user.{}", (step - 1) % 5);
            kernel.remove_xattr(dir, attribute.as_bytes()).unwrap();
            files.remove(&format!("/dir {attribute}"));
            unheld(&mut states, &files);
        }
        if step % 3 == 2 {
            // Overwrite the middle of an earlier file, move another, delete a third.
            let (a, b, c) = (step - 1, step - 2, step / 2);
            if let (Some(node), Some(Some(data))) = (
                ids.get(&format!("file{a}")),
                files.get_mut(&format!("/dir/file{a}")),
            ) {
                let new = noise(data.len() / 2, step ^ 0xff);
                let at = data.len() / 3;
                kernel.write(*node, &new, at as u64).unwrap();
                let end = (at + new.len()).max(data.len());
                data.resize(end, 0);
                data[at..at + new.len()].copy_from_slice(&new);
                unheld(&mut states, &files);
            }
            let (old, new) = (format!("file{b}"), format!("moved{b}"));
            if let Some(data) = files.remove(&format!("/dir/{old}")) {
                let request = RenameRequest {
                    new_dir: ROOT_NODE,
                    flags: RenameFlags::Replace,
                    old_name: old.as_bytes(),
                    new_name: new.as_bytes(),
                };
                kernel.rename(dir, &request).unwrap();
                if let Some(value) = files.remove(&format!("/dir/{old} user.0")) {
                    files.insert(format!("/{new} user.0"), value);
                }
                files.insert(format!("/{new}"), data);
                unheld(&mut states, &files);
            }
            let doomed = format!("file{c}");
            if files.remove(&format!("/dir/{doomed}")).is_some() {
                kernel.unlink(dir, doomed.as_bytes(), 0).unwrap();
                files.remove(&format!("/dir/{doomed} user.0"));
                unheld(&mut states, &files);
                let node = ids.remove(&doomed).unwrap();
                // Some stay open over the cut, and are freed by the next mount.
                if step % 2 == 0 {
                    kernel.close(node);
                }
            }
        }
        match end {
            End::Sync => kernel.sync().unwrap(),
            End::Fsync(_) => fsync(kernel, node).unwrap(),
        }
        let happened = disk.0.lock().unwrap().log.as_ref().unwrap().len();
        states.push((happened, digest(&files)));
    }
    let log = disk.recorded();
    daemon.stop();
    (before, log, states)
}

fn apply(image: &mut [u8], event: &Event) {
    if let Event::Write(offset, data) = event {
        image[*offset as usize..*offset as usize + data.len()].copy_from_slice(data);
    }
}

/// Checks that an image holds the state of one of the syncs that may have been the last.
fn verify(image: Vec<u8>, cut: usize, states: &[(usize, u64)], what: &str) {
    let disk = TestDisk::from_bytes(image);
    let report = check(|| Ok(disk.clone())).unwrap_or_else(|error| panic!("{what}: {error:#}"));
    assert!(report.is_clean(), "{what}: {:?}", report.problems);
    assert_eq!(report.lost_blocks, 0, "{what}");
    // The daemon mounts it, makes again what is logged, frees what was unlinked, and leaves it clean.
    let files = read_mounted(&disk);
    let done = states
        .iter()
        .rposition(|(happened, _)| *happened <= cut)
        .unwrap();
    let next = (done + 1..states.len()).find(|state| states[*state].0 != UNHELD).unwrap_or(done);
    let files = digest(&files);
    let same = |state: usize| states[state].1 == files;
    assert!(
        (done..=next).any(same),
        "{what}: neither the state before nor one until the next"
    );
}

#[test]
fn cut_after_any_write() {
    let worked = work(20, End::Sync);
    assert!(worked.1.len() > 80, "only {} events", worked.1.len());
    cut_anywhere(worked);
}

#[test]
fn cut_after_any_write_with_a_log() {
    for round in rounds(2) {
        let worked = work(40, End::Fsync(round));
        let headers = worked.1.iter().filter(|event| matches!(event, Event::Write(offset, _) if *offset < 256 * 4096)).count();
        assert!((3..35).contains(&headers), "{headers} commits");
        cut_anywhere(worked);
    }
}

fn cut_anywhere((before, log, states): (Vec<u8>, Vec<Event>, States)) {
    let mut image = before;
    for (cut, event) in log.iter().enumerate() {
        // Every cut around flushes, and some of the others: enough to be quick.
        if cut % 3 == 0 || matches!(event, Event::Flush) {
            verify(
                image.clone(),
                cut,
                &states,
                &format!("cut before event {cut}"),
            );
        }
        if let Event::Write(offset, data) = event {
            // The write itself torn in the middle, at a sector's end.
            let mut torn = image.clone();
            let half = data.len() / 2 / 512 * 512;
            apply(&mut torn, &Event::Write(*offset, data[..half].to_vec()));
            verify(torn, cut, &states, &format!("write {cut} torn"));
        }
        apply(&mut image, event);
    }
    verify(image, log.len(), &states, "all events");
}

#[test]
fn cut_with_loss_of_what_was_not_flushed() {
    cut_with_loss(work(20, End::Sync));
}

#[test]
fn cut_with_loss_and_a_log() {
    for round in rounds(2) {
        cut_with_loss(work(40, End::Fsync(round)));
    }
}

/// Cuts the power while what the log held is made again, and cuts it once more while that is.
#[test]
fn cut_while_the_log_is_made_again() {
    for round in rounds(2) {
        let (before, log, states) = work(40, End::Fsync(round));
        let mut image = before;
        let mut looked = 0;
        for (cut, event) in log.iter().enumerate() {
            apply(&mut image, event);
            if !matches!(event, Event::Flush) {
                continue;
            }
            let disk = TestDisk::from_bytes(image.clone());
            if disk.check().logged == 0 || cut as u64 % 5 != round % 5 {
                continue;
            }
            looked += 1;
            disk.record();
            Daemon::start(&disk).stop();
            let mut half = image.clone();
            for (at, event) in disk.recorded().iter().enumerate() {
                verify(half.clone(), cut + 1, &states, &format!("made again after event {cut}, cut before {at}"));
                let torn = match event {
                    Event::Write(offset, data) => Event::Write(*offset, data[..data.len() / 3].to_vec()),
                    Event::Flush => Event::Flush,
                };
                let mut torn_image = half.clone();
                apply(&mut torn_image, &torn);
                verify(torn_image, cut + 1, &states, &format!("made again after event {cut}, torn at {at}"));
                apply(&mut half, event);
            }
        }
        assert!(looked > 0, "round {round}: nothing was logged");
    }
}

fn cut_with_loss((before, log, states): (Vec<u8>, Vec<Event>, States)) {
    let mut flushed = before;
    let mut pending: Vec<&Event> = Vec::new();
    for (cut, event) in log.iter().enumerate() {
        for round in 0..3u64 {
            let mut image = flushed.clone();
            let keep = noise(pending.len(), cut as u64 * 3 + round);
            for (event, keep) in pending.iter().zip(keep) {
                if keep % 2 == 0 {
                    apply(&mut image, event);
                }
            }
            if !pending.is_empty() {
                verify(
                    image,
                    cut,
                    &states,
                    &format!("loss before event {cut}, round {round}"),
                );
            }
        }
        match event {
            Event::Flush => {
                for event in pending.drain(..) {
                    apply(&mut flushed, event);
                }
            }
            Event::Write(..) => pending.push(event),
        }
    }
}

#[test]
fn falls_back_where_the_disk_lied_about_flushes() {
    let (before, log, states) = work(12, End::Sync);
    let mut image = before;
    let (mut passed_over, mut unneeded) = (0, 0);
    let headers: Vec<usize> = (0..log.len())
        .filter(|index| matches!(&log[*index], Event::Write(offset, _) if *offset < 256 * 4096))
        .collect();
    for (event_index, event) in log.iter().enumerate() {
        if let Some(position) = headers.iter().position(|header| *header == event_index) {
            // The header is there, but one of the writes of its transaction is lost.
            let start = if position == 0 {
                0
            } else {
                headers[position - 1] + 1
            };
            for (lost, event_lost) in log.iter().enumerate().take(event_index).skip(start) {
                let Event::Write(offset, data) = event_lost else {
                    continue;
                };
                let mut broken = image.clone();
                apply(&mut broken, event);
                let range = *offset as usize..*offset as usize + data.len();
                broken[range].copy_from_slice(&noise(data.len(), 99));
                let disk = TestDisk::from_bytes(broken);
                let mut fs = mount::open(|| Ok(disk.clone())).unwrap();
                let files = read_all(&mut fs);
                let state = |at: usize| {
                    states
                        .iter()
                        .rposition(|(happened, _)| *happened <= at)
                        .unwrap()
                };
                // Steps end with one commit each, so the previous header's state is the previous step's.
                let old = &states[state(if position == 0 { 0 } else { start + 1 })].1;
                if digest(&files) == *old {
                    passed_over += 1;
                    continue;
                }
                // A few blocks are written though a later change within the transaction freed them.
                let report = disk.check();
                assert!(
                    report.is_clean(),
                    "event {lost} lost before header {event_index}: {report:?}"
                );
                assert!(states.iter().any(|(happened, files_then)| {
                    *happened == event_index + 2 && *files_then == digest(&files)
                }));
                unneeded += 1;
            }
        }
        apply(&mut image, event);
    }
    assert!(
        passed_over >= 12 && unneeded < passed_over / 4,
        "{passed_over} {unneeded}"
    );
}
