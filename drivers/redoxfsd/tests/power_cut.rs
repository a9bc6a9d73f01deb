//! Cuts the power at any write, with and without loss of what was not flushed.

mod common;

use common::{Daemon, Event, TestDisk, make, noise, read_all};
use redoxfsd::check::check;
use redoxfsd::mount;
use scheme::abi::fs::{ROOT_NODE, RenameFlags, RenameRequest, SetXattr};
use std::collections::BTreeMap;

type Files = BTreeMap<String, Option<Vec<u8>>>;

/// Does steps of work, each ended by a sync; returns the disk before, what happened to it, and after each step how
/// much had happened and what the filesystem held.
fn work(steps: u64) -> (Vec<u8>, Vec<Event>, Vec<(usize, Files)>) {
    let disk = TestDisk::formatted(24 << 20);
    let before = disk.snapshot();
    disk.record();
    let mut daemon = Daemon::start(&disk);
    let kernel = &mut daemon.kernel;
    let mut files = Files::new();
    let mut ids = BTreeMap::new();
    let mut states = vec![(0, files.clone())];
    let dir = kernel
        .create(ROOT_NODE, &make("dir", 0o040755))
        .unwrap()
        .node;
    files.insert("/dir".to_owned(), None);
    for step in 0..steps {
        let name = format!("file{step}");
        let node = kernel.create(dir, &make(&name, 0o100644)).unwrap().node;
        let data = noise(1000 + (step as usize * 7919) % 200_000, step);
        assert_eq!(kernel.write(node, &data, 0), Ok(data.len()));
        files.insert(format!("/dir/{name}"), Some(data));
        ids.insert(name.clone(), node);
        // Extended attributes of the directory, which change with each step, and of every second file.
        for (node, path, attribute) in [(dir, "/dir".to_owned(), step % 5), (node, format!("/dir/{name}"), 0)] {
            if path == "/dir" || step % 2 == 0 {
                let (attribute, value) = (format!("user.{attribute}"), noise(10 + step as usize * 311, step));
                let request = SetXattr { create: false, replace: false, name: attribute.as_bytes(), value: &value };
                kernel.set_xattr(node, request).unwrap();
                files.insert(format!("{path} {attribute}"), Some(value));
            }
        }
        if step % 4 == 3 {
            let attribute = format!("user.{}", (step - 1) % 5);
            kernel.remove_xattr(dir, attribute.as_bytes()).unwrap();
            files.remove(&format!("/dir {attribute}"));
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
            }
            let doomed = format!("file{c}");
            if files.remove(&format!("/dir/{doomed}")).is_some() {
                kernel.unlink(dir, doomed.as_bytes(), 0).unwrap();
                files.remove(&format!("/dir/{doomed} user.0"));
                let node = ids.remove(&doomed).unwrap();
                // Some stay open over the cut, and are freed by the next mount.
                if step % 2 == 0 {
                    kernel.close(node);
                }
            }
        }
        kernel.sync().unwrap();
        let happened = disk.0.lock().unwrap().log.as_ref().unwrap().len();
        states.push((happened, files.clone()));
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
fn verify(image: Vec<u8>, cut: usize, states: &[(usize, Files)], what: &str) {
    let disk = TestDisk::from_bytes(image);
    let report = check(|| Ok(disk.clone())).unwrap_or_else(|error| panic!("{what}: {error:#}"));
    assert!(report.is_clean(), "{what}: {:?}", report.problems);
    assert_eq!(report.lost_blocks, 0, "{what}");
    let files = read_all(&mut mount::open(|| Ok(disk.clone())).unwrap());
    let done = states
        .iter()
        .rposition(|(happened, _)| *happened <= cut)
        .unwrap();
    let same = |state: usize| {
        states
            .get(state)
            .is_some_and(|(_, wanted)| *wanted == files)
    };
    assert!(
        same(done) || same(done + 1),
        "{what}: neither the state before nor after"
    );
    // The daemon mounts it, frees what was unlinked, and leaves it clean.
    Daemon::start(&disk).stop();
    let report = disk.check();
    assert!(
        report.is_clean() && report.lost_blocks == 0,
        "{what}: {report:?}"
    );
    assert_eq!(report.unlinked, 0, "{what}");
}

#[test]
fn cut_after_any_write() {
    let (before, log, states) = work(20);
    assert!(log.len() > 80, "only {} events", log.len());
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
    let (before, log, states) = work(20);
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
    let (before, log, states) = work(12);
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
                if files == *old {
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
                    *happened == event_index + 2 && *files_then == files
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
