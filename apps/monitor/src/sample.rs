//! What the system does, by `/proc` (proc(5)).

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use crate::storage::{self, Storage};

/// A process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// The program's name, or the kernel thread's.
    pub name: String,
    /// What it was started by.
    pub command: String,
    /// What it does: a letter of proc(5).
    pub state: char,
    /// Processor time since its start, ticks.
    pub ticks: u64,
    /// When it started, ticks after the system: a number given twice is told apart by that.
    pub started: u64,
    /// Memory that it has in RAM, bytes.
    pub memory: u64,
    /// Threads.
    pub threads: u64,
}

/// What is counted since the system's start, and what is so now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sample {
    /// Ticks that all processors were busy, and all ticks.
    pub busy: u64,
    /// See there.
    pub all: u64,
    /// Processors.
    pub processors: usize,
    /// Bytes of RAM.
    pub memory: u64,
    /// Bytes of it that are in use, and not only kept for being needed again.
    pub used: u64,
    /// Bytes that came by the network, without what the machine sends to itself.
    pub received: u64,
    /// Bytes that went.
    pub sent: u64,
    /// Bytes read from disks, where that is known.
    pub read: Option<u64>,
    /// Bytes written to disks.
    pub written: Option<u64>,
    /// How full the filesystems are.
    pub storage: Vec<Storage>,
    /// All processes, by number.
    pub processes: Vec<Process>,
}

/// Looks at everything. What cannot be read is left out.
pub fn take(proc: &Path) -> Sample {
    let read = |name: &str| fs::read_to_string(proc.join(name)).unwrap_or_default();
    let mut sample = Sample::default();
    (sample.busy, sample.all, sample.processors) = processors(&read("stat"));
    (sample.used, sample.memory) = memory(&read("meminfo"));
    (sample.received, sample.sent) = network(&read("net/dev"));
    (sample.read, sample.written) = disks(&read("diskstats")).unzip();
    sample.storage = storage::take(&read("mounts"));
    let numbers = fs::read_dir(proc).into_iter().flatten().flatten().filter_map(|it| it.file_name().to_str()?.parse::<u32>().ok());
    sample.processes = numbers.filter_map(|pid| one(proc, pid)).collect();
    sample.processes.sort_by_key(|it| it.pid);
    sample
}

/// Looks at one process; nothing where there is none of that number.
pub fn one(proc: &Path, pid: u32) -> Option<Process> {
    // It may end between two files.
    let stat = fs::read_to_string(proc.join(format!("{pid}/stat"))).ok()?;
    process(pid, &stat, &fs::read(proc.join(format!("{pid}/cmdline"))).unwrap_or_default())
}

/// Of `/proc/stat`: busy ticks, all ticks, processors.
fn processors(text: &str) -> (u64, u64, usize) {
    let count = text.lines().filter(|line| line.strip_prefix("cpu").is_some_and(|it| it.starts_with(|c: char| c.is_ascii_digit()))).count();
    let Some(line) = text.lines().find_map(|line| line.strip_prefix("cpu ")) else { return (0, 0, count) };
    // Guests' time is within the users'.
    let ticks: Vec<u64> = line.split_ascii_whitespace().take(8).map_while(|it| it.parse().ok()).collect();
    let all: u64 = ticks.iter().sum();
    let idle: u64 = ticks.iter().skip(3).take(2).sum();
    (all - idle, all, count)
}

/// Of `/proc/meminfo`: bytes in use, and all.
fn memory(text: &str) -> (u64, u64) {
    let get = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        Some(line.split_ascii_whitespace().next()?.parse::<u64>().ok()? * 1024)
    };
    let all = get("MemTotal").unwrap_or_default();
    let free = get("MemAvailable").or_else(|| get("MemFree")).unwrap_or_default();
    (all.saturating_sub(free), all)
}

/// Of `/proc/net/dev`: bytes that came and went.
fn network(text: &str) -> (u64, u64) {
    let counts = text.lines().filter_map(|line| line.split_once(':')).filter(|(name, _)| name.trim() != "lo").map(|(_, counts)| {
        let counts: Vec<u64> = counts.split_ascii_whitespace().map(|it| it.parse().unwrap_or_default()).collect();
        (counts.first().copied().unwrap_or_default(), counts.get(8).copied().unwrap_or_default())
    });
    counts.fold((0, 0), |(received, sent), (r, s)| (received + r, sent + s))
}

/// Of `/proc/diskstats`: bytes read and written by whole disks; nothing where no disk is told of.
fn disks(text: &str) -> Option<(u64, u64)> {
    let disks: Vec<Vec<&str>> = text.lines().map(|line| line.split_ascii_whitespace().collect::<Vec<_>>()).filter(|it| it.len() >= 10).collect();
    // A partition is called as its disk and more; what is made of other disks would be counted twice.
    let is_whole = |name: &str| {
        !["loop", "ram", "zram", "dm-", "md", "sr"].iter().any(|it| name.starts_with(it)) && !disks.iter().any(|it| it[2] != name && name.starts_with(it[2]))
    };
    let sectors = |it: &Vec<&str>, index: usize| it[index].parse::<u64>().unwrap_or_default() * 512;
    let whole: Vec<&Vec<&str>> = disks.iter().filter(|it| is_whole(it[2])).collect();
    (!whole.is_empty()).then(|| whole.iter().fold((0, 0), |(r, w), it| (r + sectors(it, 5), w + sectors(it, 9))))
}

/// Of `/proc/PID/stat` and `cmdline`.
fn process(pid: u32, stat: &str, command: &[u8]) -> Option<Process> {
    // The name may hold anything, also brackets.
    let (start, rest) = stat.rsplit_once(')')?;
    let name = start.split_once('(')?.1.to_owned();
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    // Counted from the state, which is the third field of proc(5).
    let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
    let command = command.split(|it| *it == 0).map(|it| String::from_utf8_lossy(it).into_owned()).collect::<Vec<_>>().join(" ").trim().to_owned();
    Some(Process {
        pid,
        name,
        command,
        state: fields.first()?.chars().next()?,
        ticks: number(14)? + number(15)?,
        started: number(22)?,
        memory: number(24)? * rustix::param::page_size() as u64,
        threads: number(20)?,
    })
}

/// How much of one processor each process had between two samples, per cent, by number.
pub fn shares(before: &Sample, now: &Sample) -> HashMap<u32, f32> {
    let ticks = now.all.saturating_sub(before.all) as f32 / now.processors.max(1) as f32;
    let old: HashMap<(u32, u64), u64> = before.processes.iter().map(|it| ((it.pid, it.started), it.ticks)).collect();
    let share = |it: &Process| {
        let since = it.ticks.saturating_sub(old.get(&(it.pid, it.started)).copied().unwrap_or(it.ticks));
        (it.pid, if ticks > 0.0 { since as f32 * 100.0 / ticks } else { 0.0 })
    };
    now.processes.iter().map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read() {
        assert_eq!(processors("cpu  10 1 5 100 4 0 0 0 3 0\ncpu0 5 0 2 50 2\ncpu1 5 1 3 50 2\nintr 1"), (16, 120, 2));
        assert_eq!(memory("MemTotal:  1000 kB\nMemFree: 1 kB\nMemAvailable:   400 kB\n"), (600 * 1024, 1000 * 1024));
        let dev = "Inter-| Receive | Transmit\n face |bytes packets\n    lo: 7 1 0 0 0 0 0 0 7 1\n  eth0: 100 1 0 0 0 0 0 0 20 1 0 0 0 0 0 0\n wlan0:5 1 0 0 0 0 0 0 6 1\n";
        assert_eq!(network(dev), (105, 26));
        let disk = " 254 0 vda 1 0 10 0 1 0 4 0 0\n 254 1 vda1 1 0 10 0 1 0 4 0 0\n 7 0 loop0 1 0 8 0 0 0 0 0 0\n";
        assert_eq!(disks(disk), Some((5120, 2048)));
        assert_eq!(disks(""), None);
        let one = process(7, "7 (a) (b)) S 1 7 7 0 -1 0 0 0 0 0 30 12 0 0 20 0 3 0 500 4096 25", b"/bin/a\0-x\0").expect("a process");
        assert_eq!((one.name.as_str(), one.command.as_str(), one.state, one.ticks, one.started, one.threads), ("a) (b)", "/bin/a -x", 'S', 42, 500, 3));
        assert_eq!(one.memory, 25 * rustix::param::page_size() as u64);
        assert!(process(7, "", b"").is_none());
    }

    #[test]
    fn shares_are_of_the_time_between() {
        let process = |pid, started, ticks| Process { pid, name: String::new(), command: String::new(), state: 'R', ticks, started, memory: 0, threads: 1 };
        let sample = |all, processes| Sample { all, processors: 2, processes, ..Sample::default() };
        let now = sample(1200, vec![process(1, 5, 50), process(2, 90, 70)]);
        let shares = shares(&sample(1000, vec![process(1, 5, 0), process(2, 8, 10)]), &now);
        assert_eq!((shares[&1], shares[&2]), (50.0, 0.0), "another process has the number");
    }

    #[test]
    fn this_system_is_seen() {
        let sample = take(Path::new("/proc"));
        let own = sample.processes.iter().find(|it| it.pid == std::process::id()).expect("this process");
        assert!(own.memory > 0 && sample.memory > sample.used && sample.used > 0 && sample.processors > 0 && sample.all > sample.busy);
    }
}
