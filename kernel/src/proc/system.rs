//! `/proc` itself: the files about the whole system.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt::Write;
use core::sync::atomic::Ordering;

use super::node::{Link, Text, fixed};
use super::{disks, process, sysctl};
use crate::error::*;
use crate::fs::pagecache;
use crate::fs::{FileType, InodeRef, mount};
use crate::ipc::sysv;
use crate::scheme::disk_stats;
use crate::scheme::pseudo::{Dir, Entries};
use crate::syscall::misc;
use crate::task::pid_ns::PidNamespace;
use crate::task::process as processes;
use crate::task::{self, sched};
use crate::time;

/// The root of `/proc`, as a PID namespace sees it.
pub struct Root(pub Arc<PidNamespace>);

type Make = fn() -> Vec<u8>;

const FILES: &[(&str, Make)] = &[
    ("cgroups", || b"#subsys_name\thierarchy\tnum_cgroups\tenabled\n".to_vec()),
    ("cmdline", cmdline),
    ("cpuinfo", cpuinfo),
    ("devices", devices),
    ("diskstats", disks::stats),
    ("execdomains", || b"0-0\tLinux           \t[kernel]\n".to_vec()),
    ("filesystems", filesystems),
    ("interrupts", interrupts),
    ("key-users", key_users),
    ("keys", keys),
    ("loadavg", loadavg),
    ("locks", || crate::fs::locks::listing()),
    ("meminfo", meminfo),
    ("modules", Vec::new),
    ("partitions", disks::partitions),
    ("stat", stat),
    ("swaps", || b"Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n".to_vec()),
    ("uptime", uptime),
    ("version", version),
    ("vmstat", vmstat),
];

/// The number of the calling process, or thread, in a namespace.
///
/// # Errors
/// `ENOENT` where it has none.
fn own_number(namespace: &PidNamespace, of_thread: bool) -> Result<u32> {
    let id = task::with_current(|t| if of_thread { t.tid() } else { t.process.pid });
    Some(namespace.number(id)).filter(|number| *number != 0).ok_or(ENOENT)
}

impl Entries for Root {
    fn find(&self, name: &[u8]) -> Result<InodeRef> {
        if let Some(pid) = core::str::from_utf8(name).ok().and_then(|n| n.parse::<u32>().ok()) {
            let process = self.0.find(pid).or_else(|| self.0.find_thread(pid).map(|t| t.process.clone())).ok_or(ENOENT)?;
            return Ok(process::directory(&process, &self.0));
        }
        if let Some((_, make)) = FILES.iter().find(|(n, _)| n.as_bytes() == name) {
            return Ok(Text::new(*make));
        }
        match name {
            b"self" => {
                let namespace = self.0.clone();
                Ok(Link::new(move || Ok(format!("{}", own_number(&namespace, false)?).into_bytes())))
            }
            b"thread-self" => {
                let namespace = self.0.clone();
                Ok(Link::new(move || Ok(format!("{}/task/{}", own_number(&namespace, false)?, own_number(&namespace, true)?).into_bytes())))
            }
            b"mounts" => Ok(Link::new(|| Ok(b"self/mounts".to_vec()))),
            b"net" => Ok(Link::new(|| Ok(b"self/net".to_vec()))),
            b"sys" => Ok(sysctl::root()),
            b"sysvipc" => Ok(fixed(&[
                ("msg", FileType::Regular, || Text::new(sysv::msg::listing)),
                ("sem", FileType::Regular, || Text::new(sysv::sem::listing)),
                ("shm", FileType::Regular, || Text::new(sysv::shm::listing)),
            ])),
            b"tty" => Ok(fixed(&[("drivers", FileType::Regular, || Text::new(tty_drivers))])),
            _ => Err(ENOENT),
        }
    }

    fn list(&self) -> Vec<(Vec<u8>, FileType)> {
        let mut names: Vec<(Vec<u8>, FileType)> = Vec::new();
        for process in processes::all() {
            let number = self.0.number(process.pid);
            if number != 0 {
                names.push((format!("{number}").into_bytes(), FileType::Directory));
            }
        }
        names.extend(FILES.iter().map(|(n, _)| (n.as_bytes().to_vec(), FileType::Regular)));
        for link in ["self", "thread-self", "mounts", "net"] {
            names.push((link.as_bytes().to_vec(), FileType::Symlink));
        }
        names.push((b"sys".to_vec(), FileType::Directory));
        names.push((b"sysvipc".to_vec(), FileType::Directory));
        names.push((b"tty".to_vec(), FileType::Directory));
        names
    }
}

fn key_users() -> Vec<u8> {
    task::keys::quota::show(&task::with_current(|thread| thread.creds())).into_bytes()
}

/// Those keys that the reader may see.
fn keys() -> Vec<u8> {
    let thread = task::current();
    let asker = task::keys::Asker::new(&thread);
    let mut out = String::new();
    for key in task::keys::all() {
        if asker.creds.user.uid_known(key.attributes().0).is_none() {
            continue;
        }
        let found = asker.as_possessed(key);
        if found.check(&asker.creds, task::keys::Permissions::VIEW).is_ok() {
            // Without the one that is looked at here.
            found.key.show(Arc::strong_count(&found.key) - 1, &asker.creds, &mut out);
        }
    }
    out.into_bytes()
}

fn cmdline() -> Vec<u8> {
    format!("{}\n", crate::boot::command_line()).into_bytes()
}

fn version() -> Vec<u8> {
    format!("Linux version {} (genai@genai) (rustc, ld.lld) {}\n", misc::RELEASE, misc::version()).into_bytes()
}

fn tty_drivers() -> Vec<u8> {
    b"/dev/tty             /dev/tty        5       0 system:/dev/tty\n\
/dev/console         /dev/console    5       1 system:console\n\
/dev/ptmx            /dev/ptmx       5       2 system\n\
serial               /dev/ttyS       4 64-64 serial\n\
pty_slave            /dev/pts      136 0-1048575 pty:slave\n\
unknown              /dev/tty        4 1-63 console\n"
        .to_vec()
}

fn devices() -> Vec<u8> {
    b"Character devices:\n  1 mem\n  4 tty\n  4 ttyS\n  5 /dev/tty\n  5 /dev/console\n  5 /dev/ptmx\n136 pts\n\nBlock devices:\n".to_vec()
}

fn filesystems() -> Vec<u8> {
    let mut out = String::new();
    for (name, nodev) in mount::types() {
        let _ = writeln!(out, "{}\t{name}", if nodev { "nodev" } else { "" });
    }
    out.into_bytes()
}

fn cpuinfo() -> Vec<u8> {
    let info = frame::cpu::info();
    let mhz = frame::time::tsc_khz() as f64 / 1000.0;
    let mut out = String::new();
    for cpu in 0..frame::cpu::count() {
        let _ = writeln!(
            out,
            "processor\t: {cpu}\nvendor_id\t: {}\ncpu family\t: {}\nmodel\t\t: {}\nmodel name\t: {}\nstepping\t: {}\ncpu MHz\t\t: {mhz:.3}\n\
physical id\t: {cpu}\nsiblings\t: 1\ncore id\t\t: 0\ncpu cores\t: 1\napicid\t\t: {cpu}\nfpu\t\t: yes\nfpu_exception\t: yes\nwp\t\t: yes\n\
flags\t\t: {}\nbogomips\t: {:.2}\nclflush size\t: 64\ncache_alignment\t: 64\naddress sizes\t: {} bits physical, {} bits virtual\n",
            info.vendor,
            info.family,
            info.model,
            info.model_name,
            info.stepping,
            info.flags.join(" "),
            mhz * 2.0,
            info.phys_bits,
            info.virt_bits
        );
    }
    out.into_bytes()
}

fn uptime() -> Vec<u8> {
    let seconds = |ns: u64| ns as f64 / 1e9;
    let idle: u64 = (0..frame::cpu::count()).map(sched::idle_ns).sum();
    format!("{:.2} {:.2}\n", seconds(frame::time::now_ns()), seconds(idle)).into_bytes()
}

fn loadavg() -> Vec<u8> {
    let loads = sched::load_averages();
    let mut out = String::new();
    for load in loads {
        let _ = write!(out, "{}.{:02} ", load >> 16, (load & 0xffff) * 100 >> 16);
    }
    let last = processes::all().iter().map(|p| p.pid).max().unwrap_or(0);
    let _ = writeln!(out, "{}/{} {last}", sched::runnable_count(), processes::thread_count());
    out.into_bytes()
}

/// User and system time of everything that has run, ticks of 10 ms: (user, system).
fn cpu_ticks() -> (u64, u64) {
    let (mut user, mut system) = (0, 0);
    for process in processes::all() {
        let usage = process.usage();
        let children = *process.children_usage.lock();
        user += usage.utime_ns;
        system += usage.stime_ns;
        // Reaped children are counted where no living process will report them: in the first process's share.
        if process.pid == 1 {
            user += children.utime_ns;
            system += children.stime_ns;
        }
    }
    (user / 10_000_000, system / 10_000_000)
}

fn stat() -> Vec<u8> {
    let cpus = frame::cpu::count();
    let total = frame::time::now_ns() / 10_000_000;
    let mut out = String::new();
    let idle: Vec<u64> = (0..cpus).map(|c| (sched::idle_ns(c) / 10_000_000).min(total)).collect();
    let (user, system) = cpu_ticks();
    let busy: u64 = idle.iter().map(|i| total - i).sum();
    // Split what each CPU was busy by the system-wide proportion: the tick does not keep it per CPU.
    let split = |busy: u64| if user + system == 0 { (0, busy) } else { (busy * user / (user + system), busy - busy * user / (user + system)) };
    let (u, s) = split(busy);
    let _ = writeln!(out, "cpu  {u} 0 {s} {} 0 0 0 0 0 0", idle.iter().sum::<u64>());
    for (cpu, idle) in idle.iter().enumerate() {
        let (u, s) = split(total - idle);
        let _ = writeln!(out, "cpu{cpu} {u} 0 {s} {idle} 0 0 0 0 0 0");
    }
    let interrupts: u64 = frame::irq::counts().iter().map(|(_, n)| n).sum();
    let boot = time::realtime_ns().saturating_sub(frame::time::now_ns()) / 1_000_000_000;
    let _ = writeln!(
        out,
        "intr {interrupts}\nctxt {}\nbtime {boot}\nprocesses {}\nprocs_running {}\nprocs_blocked 0\nsoftirq 0 0 0 0 0 0 0 0 0 0 0",
        sched::SWITCHES.load(Ordering::Relaxed),
        processes::FORKS.load(Ordering::Relaxed),
        sched::runnable_count().max(1)
    );
    out.into_bytes()
}

fn interrupts() -> Vec<u8> {
    let mut out = String::from("            CPU0\n");
    for (vector, count) in frame::irq::counts() {
        let _ = writeln!(out, "{vector:>4}: {count:>10}");
    }
    out.into_bytes()
}

fn meminfo() -> Vec<u8> {
    let stats = frame::mm::stats();
    let (file_pages, shared_pages) = pagecache::cached_pages();
    let cached = file_pages + shared_pages;
    let clean = file_pages.saturating_sub(pagecache::dirty_pages() + pagecache::writeback_pages());
    let mut out = String::new();
    let anonymous: usize = processes::all().iter().filter_map(|p| p.mm().ok()).map(|mm| mm.rss_pages()).sum();
    let mut line = |name: &str, pages: usize| {
        let _ = writeln!(out, "{:<16}{:>8} kB", format!("{name}:"), pages * 4);
    };
    line("MemTotal", stats.total);
    line("MemFree", stats.free);
    line("MemAvailable", stats.free + clean);
    line("Buffers", 0);
    line("Cached", cached);
    line("SwapCached", 0);
    line("Active", anonymous + cached / 2);
    line("Inactive", cached - cached / 2);
    line("SwapTotal", 0);
    line("SwapFree", 0);
    line("Dirty", pagecache::dirty_pages());
    line("Writeback", pagecache::writeback_pages());
    line("AnonPages", anonymous);
    line("Mapped", 0);
    line("Shmem", shared_pages);
    line("KReclaimable", 0);
    line("Slab", stats.slab);
    line("SReclaimable", 0);
    line("SUnreclaim", stats.slab);
    line("KernelStack", stats.kernel_stacks);
    line("PageTables", stats.page_tables);
    line("CommitLimit", crate::mm::commit::limit());
    line("Committed_AS", crate::mm::commit::promised());
    line("VmallocTotal", (32usize << 40) / 4096);
    line("VmallocUsed", stats.heap_large);
    out.into_bytes()
}

fn vmstat() -> Vec<u8> {
    let stats = frame::mm::stats();
    let (cached, _) = pagecache::cached_pages();
    let (read, written) = disk_stats::totals();
    format!(
        "nr_free_pages {}\nnr_file_pages {cached}\nnr_dirty {}\nnr_writeback {}\nnr_page_table_pages {}\npgpgin {}\npgpgout {}\npswpin 0\npswpout 0\n",
        stats.free,
        pagecache::dirty_pages(),
        pagecache::writeback_pages(),
        stats.page_tables,
        read / 1024,
        written / 1024
    )
    .into_bytes()
}

/// A directory of any entries.
pub fn directory(entries: impl Entries, ino: u64) -> InodeRef {
    Dir::of(entries, ino)
}
