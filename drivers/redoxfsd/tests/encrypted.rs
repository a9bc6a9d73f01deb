//! An encrypted filesystem: nothing of its content is on the disk, and nothing is served without its password.

mod common;

use common::{Daemon, Event, TestDisk, make, read_all};
use redoxfsd::check::check_with;
use redoxfsd::device::Device;
use redoxfsd::mount;
use redoxfsd::rekey::change_password;
use scheme::abi::fs::ROOT_NODE;

const PASSWORD: &[u8] = b"correct horse";
const SECRET: &[u8] = b"nobody may read this, nor its name";

fn opened(disk: &TestDisk, password: Option<&[u8]>) -> Result<Vec<(String, Option<Vec<u8>>)>, String> {
    match mount::open_with(|| Ok(disk.clone()), password) {
        Ok(mut fs) => Ok(read_all(&mut fs).into_iter().collect()),
        Err(error) => Err(format!("{error:#}")),
    }
}

fn has(disk: &TestDisk, text: &[u8]) -> bool {
    disk.snapshot().windows(text.len()).any(|it| it == text)
}

/// A disk with one file, written by the daemon.
fn written(password: Option<&'static [u8]>) -> TestDisk {
    let disk = TestDisk::formatted_with(16 << 20, password);
    let mut daemon = match password {
        Some(password) => Daemon::start_encrypted(&disk, password),
        None => Daemon::start(&disk),
    };
    let node = daemon.kernel.create(ROOT_NODE, &make("conspicuous-name", 0o100600)).unwrap().node;
    daemon.kernel.write(node, &SECRET.repeat(3000), 0).unwrap();
    daemon.kernel.close(node);
    let node = daemon.kernel.create(ROOT_NODE, &make("short", 0o100600)).unwrap().node;
    daemon.kernel.write(node, SECRET, 0).unwrap();
    daemon.kernel.close(node);
    daemon.kernel.sync().unwrap();
    daemon.stop();
    disk
}

#[test]
fn the_password_opens_what_the_disk_does_not_show() {
    let disk = written(Some(PASSWORD));
    assert!(mount::is_encrypted(disk.clone()).unwrap());
    let files = opened(&disk, Some(PASSWORD)).unwrap();
    assert_eq!(files, [("/conspicuous-name".into(), Some(SECRET.repeat(3000))), ("/short".into(), Some(SECRET.to_vec()))]);
    for text in [SECRET, b"conspicuous", b"correct"] {
        assert!(!has(&disk, text), "{:?} is on the disk", String::from_utf8_lossy(text));
    }
    let report = check_with(|| Ok(disk.clone()), Some(PASSWORD)).unwrap();
    assert!(report.is_clean(), "{:?}", report.problems);
    // The search itself: it finds what is there where nothing is encrypted.
    let plain = written(None);
    assert!(!mount::is_encrypted(plain.clone()).unwrap());
    assert!(has(&plain, b"conspicuous") && has(&plain, SECRET));
}

#[test]
fn without_its_password_it_stays_closed() {
    let disk = written(Some(PASSWORD));
    let before = disk.snapshot();
    assert!(opened(&disk, None).unwrap_err().contains("its password is needed"));
    assert!(opened(&disk, Some(b"correct horsf")).unwrap_err().contains("not the filesystem's password"));
    assert!(mount::has_password(disk.clone(), PASSWORD).unwrap());
    assert!(!mount::has_password(disk.clone(), b"").unwrap());
    assert_eq!(disk.snapshot(), before, "nothing was written");
    // One that is not encrypted takes any.
    assert!(opened(&TestDisk::formatted(16 << 20), Some(PASSWORD)).unwrap().is_empty());
}

const OTHER: &[u8] = b"battery staple";

/// Whether any header of a disk is opened by a password, the older ones too.
fn opens_any(disk: &TestDisk, password: &[u8]) -> bool {
    let bytes = disk.snapshot();
    (0..redoxfs::HEADER_RING as usize).any(|block| {
        let mut header = redoxfs::Header::default();
        header.copy_from_slice(&bytes[block * 4096..][..4096]);
        // The first slot alone: the others are empty, and take as long.
        header.valid() && header.key_slots[0].cipher(password).is_ok() && {
            let mut alone = header;
            let slots = [header.key_slots[0]; 64];
            alone.key_slots = slots;
            alone.cipher(password).is_some()
        }
    })
}

#[test]
fn another_password_takes_the_place_of_the_old_one() {
    let disk = written(Some(PASSWORD));
    let before = opened(&disk, Some(PASSWORD)).unwrap();
    let untouched = disk.snapshot();
    assert!(change_password(&mut disk.clone(), b"wrong", OTHER).unwrap_err().to_string().contains("not the filesystem's password"));
    assert_eq!(disk.snapshot(), untouched);
    disk.record();
    change_password(&mut disk.clone(), PASSWORD, OTHER).unwrap();
    let log = disk.0.lock().unwrap().log.take().unwrap();
    assert_eq!(opened(&disk, Some(OTHER)).unwrap(), before);
    assert!(opened(&disk, Some(PASSWORD)).is_err());
    assert!(opens_any(&disk, OTHER) && !opens_any(&disk, PASSWORD), "an older header still has the old password");
    assert!(check_with(|| Ok(disk.clone()), Some(OTHER)).unwrap().is_clean());
    // A power cut after any number of writes leaves it with one of the two.
    let mut cut = TestDisk::from_bytes(untouched);
    let mut has_new = false;
    for event in log {
        let Event::Write(offset, data) = event else { continue };
        cut.write_at(offset, &data).unwrap();
        if !has_new {
            has_new = mount::has_password(cut.clone(), OTHER).unwrap();
            assert_eq!(opened(&cut, Some(if has_new { OTHER } else { PASSWORD })).unwrap(), before);
        }
    }
    assert!(has_new);
    // It is written to as before, and changed again.
    let mut daemon = Daemon::start_encrypted(&disk, OTHER);
    let node = daemon.kernel.create(ROOT_NODE, &make("later", 0o100600)).unwrap().node;
    daemon.kernel.close(node);
    daemon.kernel.sync().unwrap();
    daemon.stop();
    change_password(&mut disk.clone(), OTHER, PASSWORD).unwrap();
    assert_eq!(opened(&disk, Some(PASSWORD)).unwrap().len(), before.len() + 1);
    assert!(change_password(&mut TestDisk::formatted(16 << 20), PASSWORD, OTHER).unwrap_err().to_string().contains("not encrypted"));
}
