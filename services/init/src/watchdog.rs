//! Drivers that hang: they live, but take no requests any more.
//!
//! The kernel tells in `/scheme/health` how long requests have been waiting that a daemon has not taken, and whether the daemon itself waits for
//! another: then that one is to blame. A daemon that takes nothing is ended, and the supervisor starts its successor.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::time::Duration;

/// Where the kernel tells.
pub const HEALTH: &str = "/scheme/health";
/// How often to look.
pub const PERIOD: Duration = Duration::from_millis(500);
/// A daemon that has not taken a request for so long, nor used the processor between two looks, hangs.
const IDLE_LIMIT: Duration = Duration::from_millis(2000);
/// A successor that has not come to serve after so long, nor used the processor between two looks, hangs. (One that waits for another is ended
/// in vain, which does no harm.)
const START_LIMIT: Duration = Duration::from_secs(3);
/// One that works all the time has longer.
const BUSY_LIMIT: Duration = Duration::from_secs(30);

/// What is known of the daemons.
pub struct Watchdog {
    /// Open all the time: looking must not need the disk.
    health: File,
    /// What processes had got whose requests wait, at the last look.
    used: HashMap<u32, Option<Work>>,
    /// The services that schemes were last served by.
    owners: HashMap<String, String>,
}

/// A service as the watchdog sees it.
pub struct Running<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its process.
    pub pid: u32,
    /// For how long that has been running.
    pub age: Duration,
}

/// A line of the report.
#[derive(Debug, PartialEq, Eq)]
struct Line<'a> {
    scheme: &'a str,
    pid: u32,
    unread: Duration,
    waits: bool,
}

fn parse(line: &str) -> Option<Line<'_>> {
    let mut words = line.split(' ');
    Some(Line {
        scheme: words.next()?,
        pid: words.next()?.parse().ok()?,
        unread: Duration::from_millis(words.next()?.parse().ok()?),
        waits: words.next()? != "0",
    })
}

/// Whether a daemon hangs that had got `before` at the last look and has got `now`.
fn hangs(line: &Line<'_>, before: Option<Option<Work>>, now: Option<Work>) -> bool {
    let idle = before.is_some_and(|before| before == now) && !now.is_some_and(|now| now.is_ready);
    !line.waits && (line.unread >= BUSY_LIMIT || line.unread >= IDLE_LIMIT && idle)
}

/// What a process has got of the processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Work {
    /// Clock ticks used.
    used: u64,
    /// It would go on, but others have the processors: that is no reason to end it.
    is_ready: bool,
}

/// What a process has got of the processor up to now.
fn work(pid: u32) -> Option<Work> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name is in parentheses and may hold anything.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let is_ready = fields.next()? == "R";
    let mut fields = fields.skip(10);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Work { used: user + system, is_ready })
}

/// Whether this process serves this scheme. Looking at the scheme itself would wait for its daemon, which process 1 must never do.
pub fn serves(health: &File, pid: u32, scheme: &str) -> bool {
    let mut report = vec![0; 16 << 10];
    let len = health.read_at(&mut report, 0).unwrap_or(0);
    let report = String::from_utf8_lossy(&report[..len]);
    report.lines().filter_map(parse).any(|line| line.pid == pid && line.scheme == scheme)
}

impl Watchdog {
    /// A watchdog; an error where the kernel has no schemes.
    pub fn new() -> io::Result<Self> {
        Ok(Watchdog {
            health: File::open(HEALTH)?,
            used: HashMap::new(),
            owners: HashMap::new(),
        })
    }

    /// The processes that hang, with the schemes that they serve, or have not come to serve.
    pub fn look(&mut self, services: &[Running<'_>]) -> Vec<(u32, String)> {
        let mut report = vec![0; 16 << 10];
        let len = match self.health.read_at(&mut report, 0) {
            Ok(len) => len,
            Err(error) => {
                tracing::warn!("reading {HEALTH}: {error}");
                0
            }
        };
        let report = String::from_utf8_lossy(&report[..len]).into_owned();
        let mut used = HashMap::new();
        let mut hung = Vec::new();
        for line in report.lines().filter_map(parse) {
            if line.pid == 0 {
                // Nobody serves it: its service should be about to.
                let owner = self.owners.get(line.scheme);
                let starting = services.iter().find(|it| Some(it.name) == owner.map(String::as_str));
                if let Some(starting) = starting.filter(|it| it.age >= START_LIMIT) {
                    let now = work(starting.pid);
                    if self.used.get(&starting.pid) == Some(&now) && !now.is_some_and(|now| now.is_ready) {
                        hung.push((starting.pid, line.scheme.to_owned()));
                    }
                    used.insert(starting.pid, now);
                }
                continue;
            }
            if let Some(owner) = services.iter().find(|it| it.pid == line.pid) {
                self.owners.insert(line.scheme.to_owned(), owner.name.to_owned());
            }
            if line.unread.is_zero() {
                continue;
            }
            let now = work(line.pid);
            if hangs(&line, self.used.get(&line.pid).copied(), now) {
                hung.push((line.pid, line.scheme.to_owned()));
            }
            used.insert(line.pid, now);
        }
        self.used = used;
        hung
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_hangs() {
        let line = parse("disk.vda 17 2500 0").unwrap();
        assert_eq!((line.scheme, line.pid), ("disk.vda", 17));
        let asleep = |used| Some(Work { used, is_ready: false });
        let ready = |used| Some(Work { used, is_ready: true });
        assert!(hangs(&line, Some(asleep(4)), asleep(4)));
        assert!(!hangs(&line, None, asleep(4)), "seen for the first time");
        assert!(!hangs(&line, Some(asleep(4)), asleep(5)), "it works");
        assert!(!hangs(&line, Some(ready(4)), ready(4)), "others have the processors");
        let waits = parse("root 18 2500 1").unwrap();
        assert!(!hangs(&waits, Some(asleep(4)), asleep(4)), "for the disk");
        let long = parse("root 18 31000 0").unwrap();
        assert!(hangs(&long, Some(asleep(4)), asleep(900)));
        assert_eq!(parse("root 18"), None);
    }

    #[test]
    fn a_process_has_a_processor_time() {
        assert!(work(std::process::id()).is_some());
        assert_eq!(work(u32::MAX), None);
    }
}
