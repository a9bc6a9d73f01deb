//! A daemon on a disk in memory, and the harness that plays the kernel for it.
#![allow(dead_code)]

use redoxfs::FileSystem;
use redoxfsd::check::{Report, check};
use redoxfsd::device::Device;
use redoxfsd::prefetch::Reader;
use redoxfsd::{mount, serve};
use scheme::Server;
use scheme::testing::Harness;
use std::io;
use std::sync::{Arc, Mutex};

/// What happens to a disk, in order.
#[derive(Clone, Debug)]
pub enum Event {
    Write(u64, Vec<u8>),
    Flush,
}

/// A disk in memory that can record what is done to it. Clones share the content.
#[derive(Clone, Default)]
pub struct TestDisk(pub Arc<Mutex<Content>>);

#[derive(Default)]
pub struct Content {
    pub bytes: Vec<u8>,
    pub log: Option<Vec<Event>>,
    /// Reads and writes from now on fail.
    pub broken: bool,
}

impl TestDisk {
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        let content = Content {
            bytes,
            ..Content::default()
        };
        Self(Arc::new(Mutex::new(content)))
    }

    /// A new filesystem of `size` bytes.
    pub fn formatted(size: u64) -> Self {
        Self::formatted_with(size, None)
    }

    /// The same, encrypted where there is a password.
    pub fn formatted_with(size: u64, password: Option<&[u8]>) -> Self {
        let disk = Self::from_bytes(vec![0; size as usize]);
        FileSystem::create(Raw(disk.clone()), password, 1_000_000_000, 0).unwrap();
        disk
    }

    pub fn snapshot(&self) -> Vec<u8> {
        self.0.lock().unwrap().bytes.clone()
    }

    pub fn record(&self) {
        self.0.lock().unwrap().log = Some(Vec::new());
    }

    pub fn recorded(&self) -> Vec<Event> {
        self.0.lock().unwrap().log.take().unwrap()
    }

    /// Reads everything back and checks it.
    pub fn check(&self) -> Report {
        check(|| Ok(self.clone())).unwrap()
    }
}

impl Device for TestDisk {
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let content = self.0.lock().unwrap();
        let range = offset as usize..offset as usize + buffer.len();
        match content.bytes.get(range) {
            Some(bytes) if !content.broken => buffer.copy_from_slice(bytes),
            _ => return Err(io::Error::other("no such block")),
        }
        Ok(())
    }

    fn write_at(&mut self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut content = self.0.lock().unwrap();
        if content.broken {
            return Err(io::Error::other("broken"));
        }
        let range = offset as usize..offset as usize + data.len();
        content.bytes[range].copy_from_slice(data);
        if let Some(log) = &mut content.log {
            log.push(Event::Write(offset, data.to_vec()));
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        if let Some(log) = &mut self.0.lock().unwrap().log {
            log.push(Event::Flush);
        }
        Ok(())
    }

    fn size(&mut self) -> io::Result<u64> {
        Ok(self.0.lock().unwrap().bytes.len() as u64)
    }

    fn reader(&self) -> Option<Reader> {
        let mut disk = self.clone();
        Some(Box::new(move |offset, buffer| disk.read_at(offset, buffer)))
    }
}

/// The disk without a cache, for the crate's own functions.
pub struct Raw(pub TestDisk);

impl redoxfs::Disk for Raw {
    unsafe fn read_at(&mut self, block: u64, buffer: &mut [u8]) -> syscall::error::Result<usize> {
        let read = self.0.read_at(block * 4096, buffer);
        read.map_err(|_| syscall::error::Error::new(syscall::error::EIO))?;
        Ok(buffer.len())
    }
    unsafe fn write_at(&mut self, block: u64, buffer: &[u8]) -> syscall::error::Result<usize> {
        let written = self.0.write_at(block * 4096, buffer);
        written.map_err(|_| syscall::error::Error::new(syscall::error::EIO))?;
        Ok(buffer.len())
    }
    fn size(&mut self) -> syscall::error::Result<u64> {
        Ok(self.0.0.lock().unwrap().bytes.len() as u64)
    }
}

/// A daemon that serves a disk, until it is stopped.
pub struct Daemon {
    pub kernel: Harness,
    thread: std::thread::JoinHandle<()>,
}

impl Daemon {
    pub fn start(disk: &TestDisk) -> Self {
        Self::start_on(disk.clone())
    }

    pub fn start_on<D: Device + Clone + Send + 'static>(disk: D) -> Self {
        Self::start_with(disk, Harness::new().unwrap(), None)
    }

    /// A daemon that serves an encrypted disk.
    pub fn start_encrypted(disk: &TestDisk, password: &'static [u8]) -> Self {
        Self::start_with(disk.clone(), Harness::new().unwrap(), Some(password))
    }

    /// A daemon that is told that the one before died.
    pub fn succeed(disk: &TestDisk) -> Self {
        Self::start_with(disk.clone(), Harness::for_successor().unwrap(), None)
    }

    fn start_with<D: Device + Clone + Send + 'static>(
        disk: D,
        (kernel, socket): (Harness, scheme::SchemeSocket),
        password: Option<&'static [u8]>,
    ) -> Self {
        let thread = std::thread::spawn(move || {
            let fs = mount::open_with(|| Ok(disk.clone()), password).unwrap();
            // Commits at syncs alone, however slow the machine is.
            let never = std::time::Duration::from_secs(3600);
            serve::serve(fs, Server::new(socket).unwrap(), never).unwrap();
        });
        Self { kernel, thread }
    }

    /// Unmounts.
    pub fn stop(self) {
        drop(self.kernel);
        self.thread.join().unwrap();
    }
}

/// `fsync(2)` of a node.
pub fn fsync(kernel: &mut Harness, node: u64) -> Result<(), scheme::Errno> {
    kernel.call(&[], 0, |_| scheme::abi::sqe::fsync(node)).map(drop)
}

/// A disk's content after a daemon was there: what the log held is committed, what had no names is freed.
pub fn read_mounted(disk: &TestDisk) -> std::collections::BTreeMap<String, Option<Vec<u8>>> {
    Daemon::start(disk).stop();
    let report = disk.check();
    assert!(report.is_clean(), "{:?}", report.problems);
    assert_eq!((report.lost_blocks, report.unlinked, report.logged), (0, 0, 0), "{report:?}");
    read_all(&mut mount::open(|| Ok(disk.clone())).unwrap())
}

/// All files of a filesystem by path, with their content; `None` for directories. Extended attributes stand as `PATH NAME`.
pub fn read_all<D: Device>(
    fs: &mut FileSystem<redoxfsd::cache::CachedDisk<D>>,
) -> std::collections::BTreeMap<String, Option<Vec<u8>>> {
    let mut all = std::collections::BTreeMap::new();
    let mut left = vec![(String::new(), redoxfs::TreePtr::root())];
    mount::look(fs, |tx| {
        while let Some((path, dir)) = left.pop() {
            let mut entries = Vec::new();
            tx.child_nodes(dir, &mut entries)?;
            for entry in entries {
                let path = format!("{path}/{}", entry.name().unwrap());
                let node = tx.read_tree(entry.node_ptr())?;
                let xattrs = redoxfsd::xattrs::Xattrs::load(tx, &node)?;
                for name in xattrs.names().split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
                    let value = xattrs.get(name).unwrap().to_vec();
                    all.insert(format!("{path} {}", String::from_utf8_lossy(name)), Some(value));
                }
                if node.data().is_dir() {
                    left.push((path.clone(), node.ptr()));
                    all.insert(path, None);
                } else {
                    let mut data = vec![0; node.data().size() as usize];
                    assert_eq!(tx.read_node_inner(&node, 0, &mut data)?, data.len());
                    all.insert(path, Some(data));
                }
            }
        }
        Ok(())
    })
    .unwrap();
    all
}

/// Bytes that are easy to tell apart and do not compress.
pub fn noise(len: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(len);
    bytes
}

/// The request to create a regular file or directory.
pub fn make(name: &str, mode: u32) -> scheme::abi::fs::CreateRequest<'_> {
    scheme::abi::fs::CreateRequest {
        mode,
        uid: 0,
        gid: 0,
        rdev: 0,
        name: name.as_bytes(),
        target: b"",
    }
}
