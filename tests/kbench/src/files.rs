//! Files.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use crate::clock::{megabytes, microseconds, nanoseconds};

/// A file that every root has.
const FILE: &str = "/etc/passwd";

/// A folder on the root's disk, not in memory.
const FOLDER: &str = "/root";

pub fn read_byte() -> io::Result<f64> {
    let mut file = File::open("/dev/zero")?;
    let mut byte = [0];
    nanoseconds(|| file.read_exact(&mut byte))
}

pub fn write_byte() -> io::Result<f64> {
    let mut file = OpenOptions::new().write(true).open("/dev/null")?;
    nanoseconds(|| file.write_all(&[0]))
}

pub fn open_close() -> io::Result<f64> {
    nanoseconds(|| File::open(FILE).map(drop))
}

pub fn stat() -> io::Result<f64> {
    nanoseconds(|| fs::metadata(FILE).map(drop))
}

/// A file of 16 MiB that was read before, in pieces of 64 KiB.
pub fn reread() -> io::Result<f64> {
    const SIZE: usize = 16 << 20;
    let scratch = Scratch::new("kbench-reread");
    fs::write(&scratch.0, vec![7; SIZE])?;
    let mut buffer = vec![0; 64 << 10];
    megabytes(SIZE, || {
        let mut file = File::open(&scratch.0)?;
        while file.read(&mut buffer)? > 0 {}
        Ok(())
    })
}

pub fn create_delete() -> io::Result<f64> {
    let scratch = Scratch::new("kbench-create");
    microseconds(|| {
        File::create_new(&scratch.0)?;
        fs::remove_file(&scratch.0)
    })
}

/// As [`create_delete`], for each of 200 files that exist together: long enough that the filesystem has to do something about them.
pub fn create_delete_many() -> io::Result<f64> {
    const FILES: usize = 200;
    let folder = PathBuf::from(FOLDER).join(format!("kbench-many.{}", std::process::id()));
    fs::create_dir(&folder)?;
    let names: Vec<PathBuf> = (0..FILES).map(|number| folder.join(format!("file{number}"))).collect();
    let outcome = microseconds(|| {
        for name in &names {
            File::create_new(name)?;
        }
        names.iter().try_for_each(fs::remove_file)
    });
    fs::remove_dir_all(&folder)?;
    outcome.map(|all| all / FILES as f64)
}

/// Four bytes of a PCI function's configuration, from the daemon `pcid`: nothing on the way may be cached. Only where there are schemes.
pub fn scheme_round_trip() -> io::Result<f64> {
    let functions = fs::read_dir("/scheme/pci").map_err(|_| io::Error::other("there is no /scheme/pci here"))?;
    let Some(function) = functions.flatten().next() else { return Err(io::Error::other("/scheme/pci is empty")) };
    let config = File::open(function.path().join("config"))?;
    let mut bytes = [0; 4];
    microseconds(|| config.read_exact_at(&mut bytes, 0))
}

/// A file that is gone afterwards.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        Scratch(PathBuf::from(FOLDER).join(format!("{name}.{}", std::process::id())))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
