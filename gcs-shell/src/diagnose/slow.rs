//! Processor, memory and waiting for the disk, from `/proc`.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

use super::{Finding, size};

/// How long is measured.
const WINDOW: Duration = Duration::from_millis(700);

/// One process at one time.
#[derive(Debug, Clone, PartialEq)]
struct Process {
    name: String,
    /// R, S, D, Z, ...
    state: char,
    /// Ticks of the processor, its own and the kernel's for it.
    ticks: u64,
    /// Pages in memory.
    pages: u64,
}

/// `/proc/PID/stat`: the name stands in parentheses and may hold anything.
fn parse_stat(text: &str) -> Option<Process> {
    let (open, close) = (text.find('(')?, text.rfind(')')?);
    let name = text.get(open + 1..close)?.to_owned();
    let rest: Vec<&str> = text.get(close + 1..)?.split_whitespace().collect();
    let number = |i: usize| rest.get(i).and_then(|t| t.parse::<u64>().ok());
    Some(Process { name, state: rest.first()?.chars().next()?, ticks: number(11)? + number(12)?, pages: number(21).unwrap_or(0) })
}

fn processes() -> HashMap<u32, Process> {
    let Ok(dir) = fs::read_dir("/proc") else { return HashMap::new() };
    dir.flatten()
        .filter_map(|e| {
            let pid = e.file_name().to_str()?.parse().ok()?;
            Some((pid, parse_stat(&fs::read_to_string(e.path().join("stat")).ok()?)?))
        })
        .collect()
}

/// Ticks of all processors: (in all, idle, waiting for a disk).
fn parse_cpu(text: &str) -> Option<(u64, u64, u64)> {
    let line = text.lines().find(|l| l.starts_with("cpu "))?;
    let n: Vec<u64> = line.split_whitespace().skip(1).filter_map(|t| t.parse().ok()).collect();
    // The last two, guests, are part of the first two.
    Some((n.iter().take(8).sum(), *n.get(3)?, n.get(4).copied().unwrap_or(0)))
}

/// A value of `/proc/meminfo`, in bytes.
fn meminfo(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find(|l| l.split(':').next() == Some(key))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|k| k * 1024)
}

/// Share of the last 10 s in which something waited, of `/proc/pressure/WHAT`; where the kernel says so.
fn pressure(what: &str) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/pressure/{what}")).ok()?;
    text.lines().find(|l| l.starts_with("some"))?.split_whitespace().find_map(|w| w.strip_prefix("avg10="))?.parse().ok()
}

/// What was measured.
#[derive(Debug, Default)]
struct Measured {
    cpus: f64,
    load: f64,
    /// Shares of the processors' time, 0 to 1.
    busy: f64,
    waiting: f64,
    total: u64,
    available: u64,
    swap: u64,
    swap_used: u64,
    pressure_memory: Option<f64>,
    pressure_io: Option<f64>,
    /// Name, number, and how many processors' worth it took.
    top: Vec<(String, u32, f64)>,
    /// Processes that wait for a disk.
    stuck: Vec<(String, u32)>,
}

fn measure() -> Result<Measured> {
    let stat = || fs::read_to_string("/proc/stat").context("reading /proc/stat");
    let before = (processes(), parse_cpu(&stat()?).context("/proc/stat has no line of all processors")?);
    std::thread::sleep(WINDOW);
    let after = (processes(), parse_cpu(&stat()?).context("/proc/stat has no line of all processors")?);
    let passed = after.1.0.saturating_sub(before.1.0).max(1) as f64;
    let cpus = std::thread::available_parallelism().map_or(1.0, |n| n.get() as f64);
    let mut top: Vec<(String, u32, f64)> = after
        .0
        .iter()
        .map(|(pid, p)| {
            let old = before.0.get(pid).filter(|o| o.name == p.name).map_or(p.ticks, |o| o.ticks);
            (p.name.clone(), *pid, p.ticks.saturating_sub(old) as f64 / passed * cpus)
        })
        .filter(|(_, pid, share)| *share > 0.02 && *pid != std::process::id())
        .collect();
    top.sort_by(|a, b| b.2.total_cmp(&a.2));
    top.truncate(5);
    let info = fs::read_to_string("/proc/meminfo").context("reading /proc/meminfo")?;
    let value = |key| meminfo(&info, key).unwrap_or(0);
    let load = fs::read_to_string("/proc/loadavg").ok().and_then(|t| t.split(' ').next().and_then(|n| n.parse().ok())).unwrap_or(0.0);
    let waiting = after.1.2.saturating_sub(before.1.2) as f64 / passed;
    Ok(Measured {
        cpus,
        load,
        busy: 1.0 - after.1.1.saturating_sub(before.1.1) as f64 / passed - waiting,
        waiting,
        total: value("MemTotal"),
        available: meminfo(&info, "MemAvailable").unwrap_or_else(|| value("MemFree") + value("Cached")),
        swap: value("SwapTotal"),
        swap_used: value("SwapTotal").saturating_sub(value("SwapFree")),
        pressure_memory: pressure("memory"),
        pressure_io: pressure("io"),
        top,
        stuck: after.0.iter().filter(|(pid, p)| p.state == 'D' && before.0.get(pid).is_some_and(|o| o.state == 'D')).map(|(pid, p)| (p.name.clone(), *pid)).collect(),
    })
}

/// Says what the figures mean. Short memory comes first: it makes the others worse.
fn conclude(m: &Measured) -> Finding {
    let percent = |x: f64| format!("{:.0} %", (x * 100.0).clamp(0.0, 100.0));
    let mut f = Finding::default();
    f.evidence.push(format!("processors: {} of {} busy over {} ms, load average {:.2} (more than {} means that programs wait)", percent(m.busy), m.cpus, WINDOW.as_millis(), m.load, m.cpus));
    for (name, pid, share) in &m.top {
        f.evidence.push(format!("  {name} (process {pid}) takes {share:.2} processors"));
    }
    f.evidence.push(format!("memory: {} of {} available", size(m.available), size(m.total)));
    if m.swap > 0 {
        f.evidence.push(format!("swap: {} of {} used", size(m.swap_used), size(m.swap)));
    }
    f.evidence.push(format!("disk: {} of the processors' time was spent waiting for one", percent(m.waiting)));
    for (name, pid) in m.stuck.iter().take(5) {
        f.evidence.push(format!("  {name} (process {pid}) waits for a disk or a driver"));
    }
    for (what, value) in [("memory", m.pressure_memory), ("disk", m.pressure_io)] {
        if let Some(v) = value {
            f.evidence.push(format!("pressure: in the last 10 s something waited for {what} {v:.0} % of the time"));
        }
    }
    let short = m.total > 0 && (m.available as f64) < 0.07 * m.total as f64;
    let thrashes = m.pressure_memory.is_some_and(|p| p > 10.0);
    let disk = m.waiting > 0.25 || m.pressure_io.is_some_and(|p| p > 40.0);
    let hog = m.top.first().filter(|t| t.2 > 0.5 || t.2 > 0.4 * m.busy * m.cpus && m.busy > 0.5);
    if short || thrashes {
        f.answer = format!("Memory is short: {} of {} are left.", size(m.available), size(m.total));
        f.next.push("gcs diagnose memory".to_owned());
    } else if m.busy > 0.8 || m.load > 1.5 * m.cpus && m.busy > 0.5 {
        f.answer = match hog {
            Some((name, pid, share)) => {
                f.next.push(format!("ps -o pid,user,etime,args -p {pid}"));
                format!("The processors are busy, above all with {name} (process {pid}), which takes {share:.1} of {}.", m.cpus)
            }
            None => format!("The processors are busy with many programs at once; the load is {:.1} for {} processors.", m.load, m.cpus),
        };
    } else if disk {
        f.answer = match m.stuck.first() {
            Some((name, pid)) => format!("Programs wait for the disk, for one {name} (process {pid})."),
            None => "Programs wait for the disk.".to_owned(),
        };
    } else if let Some((name, pid, share)) = hog {
        f.answer = format!("The machine as a whole is not busy ({} of its processors), but {name} (process {pid}) takes {share:.1} of them: it may itself be what feels slow.", percent(m.busy));
    } else {
        f.answer = "Nothing is slow at this moment: processors, memory and disk have room.".to_owned();
    }
    f
}

/// Why is it slow?
pub fn slow() -> Result<Finding> {
    Ok(conclude(&measure()?))
}

/// What takes the memory?
pub fn memory() -> Result<Finding> {
    let info = fs::read_to_string("/proc/meminfo").context("reading /proc/meminfo")?;
    let value = |key| meminfo(&info, key).unwrap_or(0);
    let (total, available) = (value("MemTotal"), meminfo(&info, "MemAvailable").unwrap_or_else(|| value("MemFree") + value("Cached")));
    let page = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok().flatten().unwrap_or(4096) as u64;
    // Programs of the same name together: a browser is many processes.
    let mut by_name: HashMap<String, (u64, u32)> = HashMap::new();
    for p in processes().into_values() {
        let entry = by_name.entry(p.name).or_default();
        entry.0 += p.pages * page;
        entry.1 += 1;
    }
    let mut top: Vec<(String, (u64, u32))> = by_name.into_iter().filter(|(_, (bytes, _))| *bytes > 0).collect();
    top.sort_by_key(|(name, (bytes, _))| (std::cmp::Reverse(*bytes), name.clone()));
    let mut f = Finding::default();
    f.evidence.push(format!("{} of {} are available, {} of that in caches that are given back when needed", size(available), size(total), size(value("Cached").min(available))));
    for (name, (bytes, count)) in top.iter().take(6) {
        f.evidence.push(format!("{name}: {}{}", size(*bytes), if *count > 1 { format!(" in {count} processes (memory that they share is counted in each)") } else { String::new() }));
    }
    f.answer = match top.first() {
        Some((name, (bytes, _))) if available * 5 < total => format!("Memory is getting short; {name} has the most, {}.", size(*bytes)),
        Some((name, (bytes, _))) => format!("There is enough memory; {name} has the most, {}.", size(*bytes)),
        None => "No process can be seen.".to_owned(),
    };
    f.next.push("ps aux --sort=-rss | head".to_owned());
    Ok(f)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_proc_says_is_read() {
        let p = parse_stat("42 (a) b) (c) R 1 2 3 4 5 6 7 8 9 10 70 30 0 0 20 0 1 0 99 1000 123 0").unwrap();
        assert_eq!(p, Process { name: "a) b) (c".into(), state: 'R', ticks: 100, pages: 123 });
        assert_eq!(parse_stat("42 (a"), None);
        assert_eq!(parse_cpu("cpu  10 0 5 80 5 0 0 0 3 0\ncpu0 1 1 1 1\n"), Some((100, 80, 5)));
        assert_eq!(meminfo("MemTotal:  100 kB\nMemTotalX: 5 kB\n", "MemTotal"), Some(102_400));
    }

    fn calm() -> Measured {
        Measured { cpus: 2.0, load: 0.1, busy: 0.05, total: 1 << 30, available: 1 << 29, ..Measured::default() }
    }

    #[test]
    fn each_cause_is_told_from_the_others() {
        assert!(conclude(&calm()).answer.starts_with("Nothing is slow"));
        let cpu = Measured { busy: 0.97, load: 5.0, top: vec![("cc1plus".into(), 7, 1.9)], ..calm() };
        assert!(conclude(&cpu).answer.contains("busy, above all with cc1plus (process 7)"), "{}", conclude(&cpu).answer);
        let many = Measured { busy: 0.97, load: 9.0, top: vec![("a".into(), 7, 0.2)], ..calm() };
        assert!(conclude(&many).answer.contains("many programs"));
        let memory = Measured { busy: 0.97, available: 1 << 20, top: vec![("cc1plus".into(), 7, 1.9)], ..calm() };
        assert!(conclude(&memory).answer.starts_with("Memory is short"));
        let disk = Measured { waiting: 0.6, stuck: vec![("cp".into(), 9)], ..calm() };
        assert!(conclude(&disk).answer.contains("wait for the disk, for one cp"));
        let one = Measured { busy: 0.4, top: vec![("game".into(), 3, 0.8)], ..calm() };
        assert!(conclude(&one).answer.contains("game (process 3)"));
        assert!(conclude(&one).evidence.iter().any(|e| e.contains("0.80 processors")));
    }

    /// A real process that computes is found.
    #[test]
    fn a_busy_process_is_named() {
        let mut child = std::process::Command::new("/bin/sh").args(["-c", "while :; do :; done"]).spawn().unwrap();
        let found = (0..20).any(|_| measure().unwrap().top.iter().any(|(_, pid, _)| *pid == child.id()));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(found);
    }
}
