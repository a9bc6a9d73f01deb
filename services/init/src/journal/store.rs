//! The files: `journal.jsonl` is written, `journal.1.jsonl` is the one before it, and so on.

use super::Record;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// How large a file may become, in bytes.
pub const MAX_FILE: u64 = 1 << 20;
/// How many files there are.
pub const FILES: usize = 8;

/// The name of the file that was written `age` files ago.
pub fn path_of(folder: &Path, age: usize) -> PathBuf {
    match age {
        0 => folder.join("journal.jsonl"),
        age => folder.join(format!("journal.{age}.jsonl")),
    }
}

/// The file that is written.
pub struct Store {
    folder: PathBuf,
    file: File,
    size: u64,
    max_file: u64,
}

impl Store {
    /// Goes on with a folder's journal, after a record that was torn, too.
    pub fn open(folder: &Path, max_file: u64) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let mut file = File::options().read(true).append(true).create(true).open(path_of(folder, 0))?;
        let mut size = file.seek(SeekFrom::End(0))?;
        if size > 0 {
            let mut last = [0];
            file.seek(SeekFrom::Start(size - 1))?;
            file.read_exact(&mut last)?;
            if last != *b"\n" {
                file.write_all(b"\n")?;
                size += 1;
            }
        }
        Ok(Store { folder: folder.to_owned(), file, size, max_file })
    }

    /// Writes records, and begins a new file where this one is full.
    pub fn write(&mut self, records: &[Record]) -> io::Result<()> {
        let mut text = Vec::new();
        for record in records {
            serde_json::to_writer(&mut text, record)?;
            text.push(b'\n');
            if self.size + text.len() as u64 >= self.max_file {
                self.append(&text)?;
                text.clear();
                self.rotate()?;
            }
        }
        self.append(&text)
    }

    fn append(&mut self, text: &[u8]) -> io::Result<()> {
        self.size += text.len() as u64;
        self.file.write_all(text)
    }

    fn rotate(&mut self) -> io::Result<()> {
        for age in (0..FILES - 1).rev() {
            match fs::rename(path_of(&self.folder, age), path_of(&self.folder, age + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        self.file = File::options().append(true).create(true).open(path_of(&self.folder, 0))?;
        self.size = 0;
        Ok(())
    }

    /// Makes what was written durable.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

#[cfg(test)]
mod tests {
    use super::super::reader;
    use super::*;

    fn record(number: u64) -> Record {
        Record { time_us: number, boot: "b".into(), unit: "u".into(), priority: 6, message: format!("message \"{number}\"\n") }
    }

    #[test]
    fn files_are_bounded_and_torn_records_cost_only_themselves() {
        let folder = std::env::temp_dir().join(format!("gci-journal-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        let mut store = Store::open(&folder, 2000).unwrap();
        for number in 0..1000 {
            store.write(&[record(number)]).unwrap();
        }
        drop(store);
        let size: u64 = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
        assert!((2000..=2100 * FILES as u64).contains(&size), "{size}");
        let times: Vec<u64> = reader::all(&folder).map(|record| record.time_us).collect();
        assert!(times.windows(2).all(|two| two[0] + 1 == two[1]) && times.last() == Some(&999), "{times:?}");

        let file = File::options().append(true).open(path_of(&folder, 0)).unwrap();
        (&file).write_all(b"{\"t\":1000,\"b\":\"torn").unwrap();
        let mut store = Store::open(&folder, 2000).unwrap();
        store.write(&[record(1001)]).unwrap();
        let last: Vec<u64> = reader::all(&folder).map(|record| record.time_us).collect();
        assert_eq!(last[last.len() - 2..], [999, 1001]);
        fs::remove_dir_all(folder).unwrap();
    }
}
