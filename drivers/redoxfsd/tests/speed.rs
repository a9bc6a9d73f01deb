//! Figures, not checks: `cargo test --release -p redoxfsd --test speed -- --ignored --nocapture`.

mod common;

use common::{fsync, make, noise};
use redoxfs::FileSystem;
use redoxfsd::device::{Device, Window};
use redoxfsd::{mount, serve};
use scheme::Server;
use scheme::abi::fs::{FS_CREATE, FS_LOOKUP, LookupRequest, NodeAttr, ROOT_NODE};
use scheme::abi::sqe::{self, Buffer};
use scheme::testing::{Harness, Ticket};
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

const REG: u32 = 0o100644;

/// Keeps up to 48 requests in flight.
fn pipeline(
    kernel: &mut Harness,
    count: usize,
    mut next: impl FnMut(&mut Harness, usize) -> Ticket,
) -> Vec<Vec<u8>> {
    let mut answers = Vec::with_capacity(count);
    let mut flying = std::collections::VecDeque::new();
    for n in 0..count {
        if flying.len() == 48 {
            answers.push(kernel.wait(flying.pop_front().unwrap()).unwrap().buffer);
        }
        flying.push_back(next(kernel, n));
    }
    answers.extend(
        flying
            .into_iter()
            .map(|ticket| kernel.wait(ticket).unwrap().buffer),
    );
    answers
}

fn start(path: &Path) -> (Harness, std::thread::JoinHandle<()>) {
    let (kernel, socket) = Harness::new().unwrap();
    let path = path.to_owned();
    let thread = std::thread::spawn(move || {
        let open = || {
            let file = File::options().read(true).write(true).open(&path)?;
            Ok(Window::new(file, 0, None)?)
        };
        let before = Instant::now();
        let fs = mount::open(open).unwrap();
        println!("mount: {:?}", before.elapsed());
        serve::serve(fs, Server::new(socket).unwrap(), serve::COMMIT_AFTER).unwrap();
    });
    (kernel, thread)
}

/// When something started, by the clock and by the CPU time of this process.
struct Start(Instant, f64);

impl Start {
    fn now() -> Self {
        Self(Instant::now(), cpu_seconds())
    }
}

/// User and system time of this process (the harness included), in hundredths of a second: proc(5).
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

/// On a busy machine the CPU time says more than the clock.
fn report(what: &str, count: usize, unit: &str, started: Start) {
    let seconds = started.0.elapsed().as_secs_f64();
    let cpu = cpu_seconds() - started.1;
    let n = count as f64;
    let (each, cpu_each) = (seconds * 1e6 / n, cpu * 1e6 / n);
    println!(
        "{what}: {:.0} {unit}/s ({each:.1} us each, {cpu_each:.1} us CPU)",
        n / seconds
    );
}

#[test]
#[ignore = "prints figures"]
fn figures() {
    let path = std::env::temp_dir().join(format!("redoxfsd-speed-{}", std::process::id()));
    FileSystem::create(
        redoxfs::DiskFile::create(&path, 2 << 30).unwrap(),
        None,
        1,
        0,
    )
    .unwrap();
    let (mut kernel, thread) = start(&path);
    let dir = kernel
        .create(ROOT_NODE, &make("dir", 0o040755))
        .unwrap()
        .node;

    const FILES: usize = 20_000;
    let started = Start::now();
    let made = pipeline(&mut kernel, FILES, |kernel, n| {
        let name = format!("file{n}");
        let mut input = vec![0; 24 + name.len()];
        make(&name, REG).encode(&mut input).unwrap();
        kernel.submit(&input, 128, |buffer: Buffer| {
            sqe::call(dir, buffer, [FS_CREATE, 0, 0])
        })
    });
    report("create", FILES, "files", started);
    let nodes: Vec<u64> = made
        .iter()
        .map(|bytes| NodeAttr::decode(bytes).unwrap().node)
        .collect();

    let lookup = |kernel: &mut Harness, n: usize| {
        let path = format!("dir/file{}", n % FILES);
        let mut input = vec![0; 8 + path.len()];
        LookupRequest {
            path: path.as_bytes(),
        }
        .encode(&mut input)
        .unwrap();
        kernel.submit(&input, 256, |buffer: Buffer| {
            sqe::call(ROOT_NODE, buffer, [FS_LOOKUP, 0, 0])
        })
    };
    let started = Start::now();
    pipeline(&mut kernel, 200_000, lookup);
    report("lookup of two names, cached", 200_000, "lookups", started);

    let started = Start::now();
    let mut from = 0;
    let mut entries = 0;
    loop {
        let bytes = kernel.getdents(dir, 65_536, from).unwrap();
        let Some(last) = scheme::abi::dirent::DirentReader::new(&bytes).last() else {
            break;
        };
        entries += scheme::abi::dirent::DirentReader::new(&bytes).count();
        from = last.unwrap().next;
    }
    report("getdents", entries, "entries", started);

    let started = Start::now();
    pipeline(&mut kernel, FILES, |kernel, n| {
        let name = format!("file{n}");
        kernel.submit(name.as_bytes(), name.len(), |buffer| {
            sqe::unlink_at(dir, buffer, 0, sqe::Ids::default())
        })
    });
    report("unlink", FILES, "files", started);
    let started = Start::now();
    pipeline(&mut kernel, FILES, |kernel, n| {
        kernel.submit(&[], 0, |_| sqe::close(nodes[n]))
    });
    kernel.sync().unwrap();
    report("forget", FILES, "files", started);

    for (what, data) in [("noise", noise(1 << 18, 5)), ("text", text(1 << 18))] {
        let node = kernel.create(ROOT_NODE, &make(what, REG)).unwrap().node;
        let parts = 1200;
        let started = Start::now();
        pipeline(&mut kernel, parts, |kernel, n| {
            kernel.submit(&data, 1 << 18, |buffer| {
                sqe::write(node, buffer, (n as u64) << 18, 0)
            })
        });
        kernel.sync().unwrap();
        report(
            &format!("write {what}, sequential"),
            parts / 4,
            "MiB",
            started,
        );
        drop(std::mem::replace(&mut kernel, Harness::new().unwrap().0));
        // The rest goes on with a new daemon, whose cache is cold.
        break_here(&path, &mut kernel, node, parts, what);
        let started = Start::now();
        pipeline(&mut kernel, 5000, |kernel, n| {
            let offset = (n as u64 * 7919 % 76_000) << 12;
            kernel.submit(&data[..4096], 4096, |buffer| {
                sqe::write(node, buffer, offset, 0)
            })
        });
        kernel.sync().unwrap();
        report(
            &format!("write 4 KiB into {what} at random"),
            5000,
            "writes",
            started,
        );
    }
    let started = Start::now();
    for n in 0..200 {
        let node = kernel
            .create(ROOT_NODE, &make(&format!("s{n}"), REG))
            .unwrap()
            .node;
        kernel.write(node, b"data", 0).unwrap();
        kernel.sync().unwrap();
    }
    report("create, write, sync", 200, "files", started);
    drop(kernel);
    thread.join().unwrap();
    std::fs::remove_file(&path).unwrap();
}

/// A device that counts writes, their bytes, and flushes.
#[derive(Clone)]
struct Counted(Window, Arc<[AtomicU64; 3]>);

impl Device for Counted {
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.0.read_at(offset, buffer)
    }
    fn write_at(&mut self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.1[0].fetch_add(1, Ordering::Relaxed);
        self.1[1].fetch_add(data.len() as u64, Ordering::Relaxed);
        self.0.write_at(offset, data)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.1[2].fetch_add(1, Ordering::Relaxed);
        self.0.flush()
    }
    fn size(&mut self) -> io::Result<u64> {
        self.0.size()
    }
}

/// 4 KiB written at random into a file of 64 MiB, and made durable, by commits (as each fsync was before there was a log) and by the log.
#[test]
#[ignore = "prints figures"]
fn figures_of_fsync() {
    const WRITES: u64 = 3000;
    let path = std::env::temp_dir().join(format!("redoxfsd-fsync-{}", std::process::id()));
    FileSystem::create(redoxfs::DiskFile::create(&path, 1 << 30).unwrap(), None, 1, 0).unwrap();
    let (mut kernel, socket) = Harness::new().unwrap();
    let counts = Arc::new([const { AtomicU64::new(0) }; 3]);
    let (file, counted) = (File::options().read(true).write(true).open(&path).unwrap(), counts.clone());
    let thread = std::thread::spawn(move || {
        let device = Counted(Window::new(file, 0, None).unwrap(), counted);
        let fs = mount::open(|| Ok(device.clone())).unwrap();
        serve::serve(fs, Server::new(socket).unwrap(), serve::COMMIT_AFTER).unwrap();
    });
    let node = kernel.create(ROOT_NODE, &make("file", REG)).unwrap().node;
    for part in 0..256 {
        kernel.write(node, &noise(1 << 18, part), part << 18).unwrap();
    }
    kernel.sync().unwrap();
    for what in ["commit", "log"] {
        if what == "log" {
            // The first one makes the area.
            kernel.write(node, b"data", 0).unwrap();
            fsync(&mut kernel, node).unwrap();
        }
        let before = [0, 1, 2].map(|of| counts[of].load(Ordering::Relaxed));
        let started = Start::now();
        for n in 0..WRITES {
            kernel.write(node, &noise(4096, n + 10_000 * what.len() as u64), (n * 7919 % 16_384) << 12).unwrap();
            match what {
                "commit" => kernel.sync().unwrap(),
                _ => fsync(&mut kernel, node).unwrap(),
            }
        }
        report(&format!("write 4 KiB at random, {what}"), WRITES as usize, "writes", started);
        let each = [0, 1, 2].map(|of| (counts[of].load(Ordering::Relaxed) - before[of]) as f64 / WRITES as f64);
        println!("  {:.2} writes of the disk each, {:.1} KiB, {:.2} flushes", each[0], each[1] / 1024.0, each[2]);
    }
    drop(kernel);
    thread.join().unwrap();
    std::fs::remove_file(&path).unwrap();
}

/// Starts a new daemon on the disk and reads a file with it.
fn break_here(path: &Path, kernel: &mut Harness, node: u64, parts: usize, what: &str) {
    std::thread::sleep(std::time::Duration::from_millis(1500));
    let (new, thread) = start(path);
    *kernel = new;
    drop(thread);
    let started = Start::now();
    pipeline(kernel, parts, |kernel, n| {
        kernel.submit(&[], 1 << 18, |buffer| {
            sqe::read(node, buffer, (n as u64) << 18, 0)
        })
    });
    report(
        &format!("read {what}, sequential"),
        parts / 4,
        "MiB",
        started,
    );
}

fn text(len: usize) -> Vec<u8> {
    let words = [
        "kernel ", "scheme ", "daemon ", "reads ", "a ", "block\n", "and ", "writes ",
    ];
    let picks = noise(len, 9);
    let mut text: Vec<u8> = picks
        .iter()
        .flat_map(|pick| words[*pick as usize % 8].bytes())
        .collect();
    text.truncate(len);
    text
}
