//! Reading the journal: by `gci logs`, without process 1.

use super::Record;
use super::store::{FILES, path_of};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The longest line that is read.
const MAX_LINE: u64 = 64 << 10;

/// All records of a folder, the oldest first. What is no record is left out.
pub fn all(folder: &Path) -> impl Iterator<Item = Record> {
    let paths: Vec<PathBuf> = (0..FILES).rev().map(|age| path_of(folder, age)).collect();
    paths.into_iter().filter_map(|path| File::open(path).ok()).flat_map(|file| {
        let mut lines = Lines::new(file);
        std::iter::from_fn(move || lines.next_record())
    })
}

struct Lines {
    reader: BufReader<File>,
    line: Vec<u8>,
}

impl Lines {
    fn new(file: File) -> Self {
        Lines { reader: BufReader::new(file), line: Vec::new() }
    }

    /// The next record that is whole; `None` at the end, where one may come yet.
    fn next_record(&mut self) -> Option<Record> {
        loop {
            let len = (&mut self.reader).take(MAX_LINE).read_until(b'\n', &mut self.line).ok()?;
            if len == 0 {
                return None;
            }
            if self.line.last() != Some(&b'\n') {
                // Either there is more to come, or no record is so long.
                if self.line.len() as u64 >= MAX_LINE {
                    self.line.clear();
                }
                continue;
            }
            let record = serde_json::from_slice(&self.line).ok();
            self.line.clear();
            if record.is_some() {
                return record;
            }
        }
    }
}

/// Records as they come, from the end of what is there.
pub struct Follower {
    folder: PathBuf,
    lines: Option<Lines>,
    inode: u64,
}

impl Follower {
    /// From now on.
    pub fn new(folder: &Path) -> Self {
        let mut follower = Follower { folder: folder.to_owned(), lines: None, inode: 0 };
        follower.open();
        if let Some(lines) = &mut follower.lines {
            let _ = lines.reader.seek(SeekFrom::End(0));
        }
        follower
    }

    fn open(&mut self) {
        if let Ok(file) = File::open(path_of(&self.folder, 0)) {
            self.inode = file.metadata().map_or(0, |it| it.ino());
            self.lines = Some(Lines::new(file));
        }
    }

    /// What has come since the last call.
    pub fn take(&mut self) -> Vec<Record> {
        let mut records = Vec::new();
        loop {
            while let Some(record) = self.lines.as_mut().and_then(Lines::next_record) {
                records.push(record);
            }
            // A new file takes the name once this one is full.
            let now = std::fs::metadata(path_of(&self.folder, 0)).map_or(self.inode, |it| it.ino());
            if now == self.inode {
                return records;
            }
            self.open();
        }
    }
}
