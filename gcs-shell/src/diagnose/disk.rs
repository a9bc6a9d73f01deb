//! What fills a disk: its largest directories and files, and files that are deleted but still open.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::{Finding, size};

/// How long the tree is walked; what was not reached by then is said to be missing.
const PATIENCE: Duration = Duration::from_secs(20);
/// Directories are summed up to this depth below the mount point.
const DEPTH: usize = 3;

struct Mount {
    place: PathBuf,
    total: u64,
    free: u64,
}

/// Mounted filesystems with a size.
fn mounts() -> Result<Vec<Mount>> {
    let text = fs::read_to_string("/proc/mounts").context("reading /proc/mounts")?;
    let mut seen = HashSet::new();
    let mut out = Vec::new();
    for line in text.lines() {
        let mut words = line.split(' ');
        let (_, Some(place), Some(kind)) = (words.next(), words.next(), words.next()) else { continue };
        if matches!(kind, "proc" | "sysfs" | "devtmpfs" | "devpts" | "tmpfs" | "cgroup" | "cgroup2" | "overlay-proc" | "squashfs" | "iso9660" | "ramfs" | "mqueue" | "debugfs" | "tracefs" | "securityfs" | "bpf" | "pstore") {
            continue;
        }
        let place = PathBuf::from(place.replace("\\040", " "));
        let Ok(s) = nix::sys::statvfs::statvfs(&place) else { continue };
        let unit = s.fragment_size() as u64;
        let device = fs::metadata(&place).map_or(0, |m| m.dev());
        if s.blocks() > 0 && seen.insert(device) {
            out.push(Mount { place, total: s.blocks() as u64 * unit, free: s.blocks_available() as u64 * unit });
        }
    }
    Ok(out)
}

/// Sums of a tree.
#[derive(Default)]
struct Sums {
    /// By directory, at most [`DEPTH`] below the root.
    directories: BTreeMap<PathBuf, u64>,
    files: Vec<(u64, PathBuf)>,
    total: u64,
    unread: u64,
    in_time: bool,
}

/// Walks `root` on its own device; a file with several names counts once.
fn walk(root: &Path, patience: Duration) -> Sums {
    let start = Instant::now();
    let mut sums = Sums { in_time: true, ..Sums::default() };
    let Ok(device) = fs::symlink_metadata(root).map(|m| m.dev()) else { return sums };
    let mut linked = HashSet::new();
    let mut work = vec![(root.to_owned(), 0usize, Vec::<PathBuf>::new())];
    while let Some((dir, depth, above)) = work.pop() {
        if start.elapsed() > patience {
            sums.in_time = false;
            break;
        }
        let Ok(entries) = fs::read_dir(&dir) else {
            sums.unread += 1;
            continue;
        };
        for entry in entries.flatten() {
            let Ok(meta) = entry.metadata() else { continue };
            if meta.dev() != device {
                continue;
            }
            let path = entry.path();
            if meta.is_dir() {
                let mut above = above.clone();
                if depth < DEPTH {
                    above.push(path.clone());
                }
                work.push((path, depth + 1, above));
                continue;
            }
            if meta.nlink() > 1 && !linked.insert(meta.ino()) {
                continue;
            }
            let bytes = meta.blocks() * 512;
            sums.total += bytes;
            for d in &above {
                *sums.directories.entry(d.clone()).or_default() += bytes;
            }
            if bytes > 0 {
                sums.files.push((bytes, path));
                if sums.files.len() > 4096 {
                    sums.files.sort_unstable_by(|a, b| b.cmp(a));
                    sums.files.truncate(8);
                }
            }
        }
    }
    sums.files.sort_unstable_by(|a, b| b.cmp(a));
    sums.files.truncate(5);
    sums
}

/// The directories worth naming: large ones, without those whose size is nearly all one directory's below them.
fn worth_naming(sums: &Sums) -> Vec<(u64, PathBuf)> {
    let mut all: Vec<(u64, PathBuf)> = sums.directories.iter().map(|(d, n)| (*n, d.clone())).filter(|(n, _)| *n * 20 > sums.total).collect();
    let covered: Vec<PathBuf> = all.iter().filter(|(n, d)| all.iter().any(|(m, below)| below != d && below.parent() == Some(d.as_path()) && *m * 10 > *n * 9)).map(|(_, d)| d.clone()).collect();
    all.retain(|(_, d)| !covered.contains(d));
    all.sort_unstable_by(|a, b| b.cmp(a));
    all.truncate(6);
    all
}

/// Deleted files that a process still has open, by process.
fn deleted_but_open() -> Vec<(u64, String, u32)> {
    let mut by: HashMap<u32, (u64, String)> = HashMap::new();
    let mut seen = HashSet::new();
    let Ok(dir) = fs::read_dir("/proc") else { return Vec::new() };
    for entry in dir.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse::<u32>().ok()) else { continue };
        let Ok(fds) = fs::read_dir(entry.path().join("fd")) else { continue };
        for fd in fds.flatten() {
            let Ok(target) = fs::read_link(fd.path()) else { continue };
            let text = target.to_string_lossy();
            // Memory files and pipes are on no disk.
            if !text.ends_with(" (deleted)") || text.starts_with("/memfd:") || text.starts_with("/dev/") {
                continue;
            }
            let Ok(meta) = fs::metadata(fd.path()) else { continue };
            if meta.is_file() && seen.insert((meta.dev(), meta.ino())) {
                let name = fs::read_to_string(entry.path().join("comm")).unwrap_or_default().trim().to_owned();
                let sum = by.entry(pid).or_insert((0, name));
                sum.0 += meta.blocks() * 512;
            }
        }
    }
    let mut out: Vec<_> = by.into_iter().map(|(pid, (bytes, name))| (bytes, name, pid)).filter(|o| o.0 > 0).collect();
    out.sort_unstable_by(|a, b| b.cmp(a));
    out
}

/// What is filling the disk?
pub fn disk() -> Result<Finding> {
    let all = mounts()?;
    let used = |m: &Mount| 1.0 - m.free as f64 / m.total.max(1) as f64;
    let fullest = all.iter().max_by(|a, b| used(a).total_cmp(&used(b))).context("no mounted disk can be measured")?;
    let mut f = examine(&fullest.place, used(fullest), PATIENCE);
    let mut evidence: Vec<String> = all.iter().map(|m| format!("{}: {:.0} % full, {} of {} free", m.place.display(), used(m) * 100.0, size(m.free), size(m.total))).collect();
    evidence.append(&mut f.evidence);
    f.evidence = evidence;
    Ok(f)
}

fn examine(root: &Path, used: f64, patience: Duration) -> Finding {
    let sums = walk(root, patience);
    let mut f = Finding::default();
    let directories = worth_naming(&sums);
    for (bytes, d) in &directories {
        f.evidence.push(format!("{}: {}", d.display(), size(*bytes)));
    }
    for (bytes, p) in &sums.files {
        f.evidence.push(format!("file {}: {}", p.display(), size(*bytes)));
    }
    let open = deleted_but_open();
    let open_bytes: u64 = open.iter().map(|o| o.0).sum();
    for (bytes, name, pid) in open.iter().filter(|o| o.0 > 1 << 20).take(3) {
        f.evidence.push(format!("{name} (process {pid}) keeps {} of deleted files open", size(*bytes)));
    }
    if !sums.in_time {
        f.evidence.push(format!("after {} s only a part had been looked at: the sums are too small", patience.as_secs()));
    }
    if sums.unread > 0 {
        f.evidence.push(format!("{} directories could not be read by this user", sums.unread));
    }
    let state = format!("{} is {:.0} % full", root.display(), used * 100.0);
    f.answer = match (directories.first(), sums.files.first()) {
        _ if open_bytes * 2 > sums.total && open_bytes > 64 << 20 => format!("{state}; much of it are deleted files that {} (process {}) keeps open: {}.", open[0].1, open[0].2, size(open_bytes)),
        (Some((bytes, d)), _) => {
            f.next.push(format!("du -ah {} | sort -rh | head -n 20", actions::quote::quote(&d.to_string_lossy())));
            format!("{state}; most is in {}: {} of {}.", d.display(), size(*bytes), size(sums.total))
        }
        (None, Some((bytes, p))) => format!("{state}; the largest file is {} with {}.", p.display(), size(*bytes)),
        (None, None) => format!("{state}; no files can be seen."),
    };
    f
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_large_ones_are_named() {
        let dir = std::env::temp_dir().join(format!("gcs-disk-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        for (name, kib) in [("logs/app/big.log", 900), ("logs/small.log", 20), ("music/a.ogg", 100), ("tiny.txt", 1)] {
            let path = dir.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, vec![7u8; kib * 1024]).unwrap();
        }
        // A second name is not a second file.
        fs::hard_link(dir.join("logs/app/big.log"), dir.join("music/again.log")).unwrap();
        let f = examine(&dir, 0.9, Duration::from_secs(60));
        let walked = walk(&dir, Duration::from_secs(60));
        fs::remove_dir_all(&dir).unwrap();
        assert!((1020 << 10..1100 << 10).contains(&walked.total), "{}", walked.total);
        assert!(f.answer.contains("90 % full"), "{f:?}");
        // Which of its two names is met first is the filesystem's affair.
        assert!(f.evidence.iter().any(|e| e.starts_with("file ") && (e.contains("big.log") || e.contains("again.log")) && e.contains("900.0 KiB")), "{f:?}");
        assert!(!f.evidence.iter().any(|e| e.contains("tiny.txt:") && !e.starts_with("file ")), "{f:?}");
    }

    #[test]
    fn deleted_files_that_are_open_are_found() {
        let path = std::env::temp_dir().join(format!("gcs-open-{}", std::process::id()));
        let mut file = fs::File::create(&path).unwrap();
        std::io::Write::write_all(&mut file, &vec![1u8; 2 << 20]).unwrap();
        file.sync_all().unwrap();
        fs::remove_file(&path).unwrap();
        let found = deleted_but_open();
        assert!(found.iter().any(|(bytes, _, pid)| *pid == std::process::id() && *bytes >= 2 << 20), "{found:?}");
    }
}
