//! `/proc/<pid>`.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt::Write;
use core::sync::atomic::{AtomicU32, Ordering};

use super::node::{Link, Text};
use super::{id_maps, maps, namespaces, net};
use super::system::directory as dir;
use crate::error::*;
use crate::fs::mount_list::{self, MountInfo};
use crate::fs::{
    self, Attr, Dentry, FileOps, FileType, Inode, InodeRef, OpenFile, OpenFlags, Path, mount,
};
use crate::ipc::pipe::PipeEnd;
use crate::mm::PAGE;
use crate::scheme::pseudo::{Dir, Entries};
use crate::task::pid_ns::PidNamespace;
use crate::task::process::{Process, RLIM_INFINITY, thread_usage};
use crate::task::signal::{SIG_DFL, SIG_IGN};
use crate::task::{self, Thread};

/// The directory of a process, as a PID namespace sees it.
pub fn directory(process: &Arc<Process>, namespace: &Arc<PidNamespace>) -> InodeRef {
    let seen = Seen { process: process.clone(), namespace: namespace.clone() };
    let number = seen.number(process.pid);
    dir(Process0 { process: seen }, 0x1_0000 + u64::from(number))
}

/// A process, and the namespace whose numbers its files tell.
#[derive(Clone)]
struct Seen {
    process: Arc<Process>,
    namespace: Arc<PidNamespace>,
}

impl Seen {
    fn number(&self, id: u32) -> u32 {
        self.namespace.number(id)
    }

    /// Of an id of its own, the numbers in the namespace and in those below it, down to its own.
    fn numbers(&self, id: u32) -> String {
        let mut out = String::new();
        for namespace in self.process.pid_ns.down_from(&self.namespace) {
            let _ = write!(out, "\t{}", namespace.number(id));
        }
        out
    }
}

impl core::ops::Deref for Seen {
    type Target = Arc<Process>;

    fn deref(&self) -> &Arc<Process> {
        &self.process
    }
}

/// The process whose directory is open here.
pub fn process_of(file: &OpenFile) -> Option<Arc<Process>> {
    let inode = file.ops.inode()?;
    Some(inode.as_any().downcast_ref::<Dir<Process0>>()?.0.process.process.clone())
}

struct Process0 {
    process: Seen,
}

type MakeText = fn(&Seen) -> Result<Vec<u8>>;

/// Readable by everybody, and told of where they change (`poll(2)`).
const WATCHED: &[(&str, MakeText)] = &[("mountinfo", |p| Ok(mounts(p, true))), ("mounts", |p| Ok(mounts(p, false)))];

/// Readable by everybody.
const PUBLIC: &[(&str, MakeText)] = &[
    ("cgroup", |_| Ok(b"0::/\n".to_vec())),
    ("cmdline", |p| Ok(region(p, |l| (l.arg_start, l.arg_end)))),
    ("cpuset", |_| Ok(b"/\n".to_vec())),
    ("limits", |p| limits(p)),
    ("mountstats", |p| Ok(mount_stats(p))),
    ("oom_score", |p| Ok(format!("{}\n", oom_score(p)).into_bytes())),
    ("sessionid", |p| Ok(format!("{}", p.login.lock().1).into_bytes())),
    ("stat", |p| stat(p, None)),
    ("statm", |p| Ok(maps::statm(p))),
    ("status", |p| status(p, None)),
    ("wchan", |_| Ok(b"0".to_vec())),
];

/// Readable by the process's user only.
const PRIVATE: &[(&str, MakeText)] = &[
    ("auxv", |p| Ok(region(p, |l| (l.auxv_start, l.auxv_end)))),
    ("environ", |p| Ok(region(p, |l| (l.env_start, l.env_end)))),
    ("io", |p| {
        let (r, w) = (p.io_read.load(Ordering::Relaxed), p.io_written.load(Ordering::Relaxed));
        let [reads, writes] = [0, 1].map(|i| p.io_calls[i].load(Ordering::Relaxed));
        Ok(format!("rchar: {r}\nwchar: {w}\nsyscr: {reads}\nsyscw: {writes}\nread_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n").into_bytes())
    }),
    ("maps", |p| Ok(maps::maps(p, false))),
    ("personality", |p| Ok(format!("{:08x}\n", p.personality.load(Ordering::Relaxed)).into_bytes())),
    ("smaps_rollup", |p| Ok(maps::rollup(p))),
    ("smaps", |p| Ok(maps::maps(p, true))),
];

pub(super) fn owner(process: &Process) -> (u32, u32) {
    let creds = process.creds();
    if process.dumpable.load(Ordering::Relaxed) { (creds.euid, creds.egid) } else { (creds.user.uid_in(0).unwrap_or(0), creds.user.gid_in(0).unwrap_or(0)) }
}

impl Entries for Process0 {
    fn find(&self, name: &[u8]) -> Result<InodeRef> {
        let seen = self.process.clone();
        let process = seen.process.clone();
        let who = owner(&process);
        let text = core::str::from_utf8(name).map_err(|_| ENOENT)?;
        if let Some((_, make)) = WATCHED.iter().find(|(n, _)| *n == text) {
            return Ok(Text::watched(who, move || make(&seen), (mount::changes, mount::change_event)));
        }
        if let Some((_, make)) = PUBLIC.iter().find(|(n, _)| *n == text) {
            return Ok(Text::owned(who, 0o444, move || make(&seen)));
        }
        if let Some((_, make)) = PRIVATE.iter().find(|(n, _)| *n == text) {
            return Ok(Text::owned(who, 0o400, move || make(&seen)));
        }
        let link = |target: fn(&Arc<Process>) -> Result<Path>| {
            let again = process.clone();
            let shown = process.clone();
            let allowed = |process: &Process| if task::with_current(|thread| crate::syscall::remote::may_look(thread, process)) { Ok(()) } else { Err(EACCES) };
            let text = move || {
                allowed(&shown)?;
                Ok(shown_path(&target(&shown)?))
            };
            Link::magic(who, text, move || {
                allowed(&again)?;
                target(&again)
            })
        };
        match text {
            "exe" => Ok(link(|p| p.exe.lock().clone().ok_or(ENOENT))),
            "cwd" => Ok(link(|p| if p.is_zombie() { Err(ENOENT) } else { Ok(p.fs().cwd()) })),
            "root" => Ok(link(|p| if p.is_zombie() { Err(ENOENT) } else { Ok(p.fs().root()) })),
            "comm" => {
                let shown = process.clone();
                Ok(Text::writable(who, move || Ok(format!("{}\n", comm(&shown)).into_bytes()), move |bytes| {
                    *process.main_thread().ok_or(ESRCH)?.name.lock() = task::comm_from(bytes);
                    Ok(())
                }))
            }
            "loginuid" => {
                let shown = process.clone();
                let make = move || Ok(format!("{}", shown.login.lock().0).into_bytes());
                Ok(Text::writable(who, make, move |bytes| set_login(&process, bytes)))
            }
            "coredump_filter" => {
                let shown = process.clone();
                let make = move || Ok(format!("{:08x}\n", shown.core_filter.load(Ordering::Relaxed)).into_bytes());
                Ok(Text::writable(who, make, move |bytes| {
                    let text = core::str::from_utf8(bytes).map_err(|_| EINVAL)?.trim();
                    let value = match text.strip_prefix("0x") {
                        Some(digits) => u32::from_str_radix(digits, 16),
                        None => text.parse(),
                    };
                    process.core_filter.store(value.map_err(|_| EINVAL)? & 0x1ff, Ordering::Relaxed);
                    Ok(())
                }))
            }
            "oom_score_adj" => {
                let shown = process.clone();
                let make = move || Ok(format!("{}\n", shown.oom_score_adj.load(Ordering::Relaxed)).into_bytes());
                Ok(Text::writable(who, make, move |bytes| {
                    let value: i32 = core::str::from_utf8(bytes).ok().and_then(|s| s.trim().parse().ok()).ok_or(EINVAL)?;
                    if !(-1000..=1000).contains(&value) {
                        return Err(EINVAL);
                    }
                    let lower = value < process.oom_score_adj.load(Ordering::Relaxed);
                    if lower && !task::capable(task::Capability::SYS_RESOURCE) {
                        return Err(EACCES);
                    }
                    process.oom_score_adj.store(value, Ordering::Relaxed);
                    Ok(())
                }))
            }
            "pagemap" => Ok(Arc::new(super::pagemap::PageMap(process))),
            "uid_map" | "gid_map" | "projid_map" | "setgroups" => Ok(id_maps::file(&process, text)),
            "mem" => Ok(Arc::new(super::memory::Memory(process))),
            "fd" => Ok(dir(Fds(process, FdView::Links), 0x2_0000 + u64::from(self.process.pid))),
            "fdinfo" => Ok(dir(Fds(process, FdView::Info), 0x3_0000 + u64::from(self.process.pid))),
            "task" => Ok(dir(Tasks(seen), 0x4_0000 + u64::from(self.process.pid))),
            "net" => Ok(net::directory(&process.namespaces().net)),
            "ns" => Ok(dir(namespaces::Links(process), 0x5_0000 + u64::from(self.process.pid))),
            _ => Err(ENOENT),
        }
    }

    fn list(&self) -> Vec<(Vec<u8>, FileType)> {
        let mut names: Vec<(Vec<u8>, FileType)> = Vec::new();
        names.extend(PUBLIC.iter().chain(PRIVATE).chain(WATCHED).map(|(n, _)| (n.as_bytes().to_vec(), FileType::Regular)));
        names.extend(["comm", "coredump_filter", "gid_map", "loginuid", "mem", "oom_score_adj", "pagemap", "projid_map", "setgroups", "uid_map"].map(|n| (n.as_bytes().to_vec(), FileType::Regular)));
        names.extend(["exe", "cwd", "root"].map(|n| (n.as_bytes().to_vec(), FileType::Symlink)));
        names.extend(["fd", "fdinfo", "ns", "task", "net"].map(|n| (n.as_bytes().to_vec(), FileType::Directory)));
        names
    }
}

/// Takes down who has logged in, and counts the session; `u32::MAX` takes it back. A process only says this of itself, and once it is said it is
/// CAP_AUDIT_CONTROL that may change it (`audit_set_loginuid` of Linux, proc(5)).
fn set_login(process: &Arc<Process>, bytes: &[u8]) -> Result<()> {
    static SESSIONS: AtomicU32 = AtomicU32::new(0);
    if !task::with_current(|thread| Arc::ptr_eq(&thread.process, process)) {
        return Err(EPERM);
    }
    let uid: u32 = core::str::from_utf8(bytes).ok().and_then(|text| text.trim().parse().ok()).ok_or(EINVAL)?;
    if process.login.lock().0 != u32::MAX && !task::capable(task::Capability::AUDIT_CONTROL) {
        return Err(EPERM);
    }
    let session = if uid == u32::MAX { u32::MAX } else { SESSIONS.fetch_add(1, Ordering::Relaxed) + 1 };
    *process.login.lock() = (uid, session);
    Ok(())
}

pub(super) fn shown_path(path: &Path) -> Vec<u8> {
    path.display_from(&task::with_current(|t| t.process.fs()).root())
}

fn comm(process: &Process) -> String {
    process.main_thread().map(|t| t.comm()).unwrap_or_else(|| process.last_name())
}

/// A part of a process's memory.
fn region(process: &Process, range: impl Fn(&crate::mm::Layout) -> (usize, usize)) -> Vec<u8> {
    let Ok(mm) = process.mm() else { return Vec::new() };
    let (start, end) = {
        let layout = mm.layout.lock();
        range(&layout)
    };
    let mut out = alloc::vec![0; end.saturating_sub(start).min(1 << 20)];
    let read = mm.read_remote(start, &mut out).unwrap_or(0);
    out.truncate(read);
    out
}

fn oom_score(process: &Process) -> i64 {
    let total = frame::mm::stats().total.max(1) as i64;
    let rss = process.mm().map_or(0, |mm| mm.rss_pages()) as i64;
    (rss * 1000 / total + i64::from(process.oom_score_adj.load(Ordering::Relaxed))).max(0)
}

fn state_letter(process: &Process, thread: Option<&Thread>) -> char {
    if process.is_zombie() {
        return 'Z';
    }
    let letter = |thread: &Thread| match thread.sched.letter() {
        'T' if thread.tracing.is_stopped() => 't',
        letter => letter,
    };
    match thread.map(letter).or_else(|| process.main_thread().map(|t| letter(&t))) {
        Some(letter) => letter,
        None => 'Z',
    }
}

/// Pending, blocked, ignored and caught signals.
fn signal_sets(process: &Process, thread: Option<&Thread>) -> (u64, u64, u64, u64, u64) {
    let main = process.main_thread();
    let thread = thread.or(main.as_deref());
    let (own, blocked) = thread.map_or((0, 0), |t| {
        let s = t.signals.lock();
        (s.pending.set, s.blocked)
    });
    let shared = process.signals.lock();
    let (mut ignored, mut caught) = (0u64, 0u64);
    for (i, action) in shared.actions.iter().enumerate() {
        match action.handler {
            SIG_IGN => ignored |= 1 << i,
            SIG_DFL => {}
            _ => caught |= 1 << i,
        }
    }
    (own, shared.pending.set, blocked, ignored, caught)
}

fn stat(process: &Seen, thread: Option<&Arc<Thread>>) -> Result<Vec<u8>> {
    let usage = thread.map_or_else(|| process.usage(), |t| thread_usage(t));
    let children = *process.children_usage.lock();
    let ticks = |ns: u64| ns / 10_000_000;
    let tty = process.session().tty.lock().clone();
    let (tty_nr, tpgid) = tty.map_or((0, -1), |t| (t.device(), process.number(t.foreground_group()) as i32));
    let mm = process.mm().ok();
    let (vsize, rss) = mm.as_ref().map_or((0, 0), |mm| (mm.mapped_pages() * PAGE, mm.rss_pages()));
    let layout = mm.as_ref().map(|mm| *mm.layout.lock()).unwrap_or_default();
    let main = process.main_thread();
    let shown = thread.or(main.as_ref());
    let (nice, policy, rt, cpu) = shown.map_or((0, 0, 0, 0), |t| {
        let s = &t.sched;
        (s.nice.load(Ordering::Relaxed), s.policy.load(Ordering::Relaxed), s.rt_priority.load(Ordering::Relaxed), s.last_cpu())
    });
    let (pending, _, blocked, ignored, caught) = signal_sets(process, thread.map(|t| &**t));
    let id = process.number(thread.map_or(process.pid, |t| t.tid()));
    let name = thread.map_or_else(|| comm(process), |t| t.comm());
    let start = thread.map_or(process.start_ns, |t| t.start_ns);
    let priority = if rt > 0 { -1 - rt as i32 } else { 20 + nice };
    Ok(format!(
        "{id} ({name}) {} {} {} {} {tty_nr} {tpgid} 4194304 {} {} {} {} {} {} {} {} {priority} {nice} {} 0 {} {vsize} {rss} {} {} {} {} 0 0 {} {} {} {} 0 0 0 {} {cpu} {rt} {policy} 0 0 0 {} {} {} {} {} {} {} {}\n",
        state_letter(process, thread.map(|t| &**t)),
        process.number(process.parent_pid()),
        process.number(process.pgid()),
        process.number(process.sid()),
        usage.min_flt,
        children.min_flt,
        usage.maj_flt,
        children.maj_flt,
        ticks(usage.utime_ns),
        ticks(usage.stime_ns),
        ticks(children.utime_ns),
        ticks(children.stime_ns),
        process.threads().len().max(1),
        ticks(start),
        process.rlimit(5).0,
        layout.code_start,
        layout.code_end,
        layout.stack_start,
        pending & 0x7fff_ffff,
        blocked & 0x7fff_ffff,
        ignored & 0x7fff_ffff,
        caught & 0x7fff_ffff,
        process.exit_signal.load(Ordering::Relaxed),
        layout.data_start,
        layout.data_end,
        0,
        layout.arg_start,
        layout.arg_end,
        layout.env_start,
        layout.env_end,
        process.exit_status.load(Ordering::Relaxed)
    )
    .into_bytes())
}

fn status(process: &Seen, thread: Option<&Arc<Thread>>) -> Result<Vec<u8>> {
    let creds = thread.map_or_else(|| process.creds(), |t| t.creds());
    let state = state_letter(process, thread.map(|t| &**t));
    let long = match state {
        'R' => "running",
        'S' => "sleeping",
        'D' => "disk sleep",
        'T' => "stopped",
        't' => "tracing stop",
        'Z' => "zombie",
        _ => "dead",
    };
    let reader = task::user_ns::current();
    let id = process.number(thread.map_or(process.pid, |t| t.tid()));
    let mut out = String::new();
    let name = thread.map_or_else(|| comm(process), |t| t.comm());
    let _ = write!(
        out,
        "Name:\t{name}\nUmask:\t{:04o}\nState:\t{state} ({long})\nTgid:\t{}\nNgid:\t0\nPid:\t{id}\nPPid:\t{}\nTracerPid:\t{}\n\
Uid:\t{}\t{}\t{}\t{}\nGid:\t{}\t{}\t{}\t{}\nFDSize:\t{}\nGroups:\t",
        process.fs().umask(),
        process.number(process.pid),
        process.number(process.parent_pid()),
        thread.cloned().or_else(|| process.main_thread()).and_then(|t| t.tracing.tracer()).map_or(0, |tracer| process.number(tracer.pid)),
        reader.uid_out(creds.uid),
        reader.uid_out(creds.euid),
        reader.uid_out(creds.suid),
        reader.uid_out(creds.fsuid),
        reader.gid_out(creds.gid),
        reader.gid_out(creds.egid),
        reader.gid_out(creds.sgid),
        reader.gid_out(creds.fsgid),
        process.files().capacity()
    );
    for group in &creds.groups {
        let _ = write!(out, "{} ", reader.gid_out(*group));
    }
    let own = thread.map_or(process.pid, |t| t.tid());
    let [tgid, pid, pgid, sid] = [process.pid, own, process.pgid(), process.sid()].map(|id| process.numbers(id));
    let _ = writeln!(out, "\nNStgid:{tgid}\nNSpid:{pid}\nNSpgid:{pgid}\nNSsid:{sid}");
    if let Ok(mm) = process.mm() {
        out += &maps::status(&mm);
    }
    let (own, shared, blocked, ignored, caught) = signal_sets(process, thread.map(|t| &**t));
    let caps = &creds.caps;
    let usage = thread.map_or_else(|| process.usage(), |t| thread_usage(t));
    let (seccomp, filters) = task::seccomp::shown(process, thread.map(|t| &**t));
    let online = (1u64 << frame::cpu::count()) - 1;
    let main = process.main_thread();
    let cpus = thread.or(main.as_ref()).map_or(online, |t| t.sched.affinity.load(Ordering::Relaxed) & online);
    let _ = write!(
        out,
        "Threads:\t{}\nSigQ:\t0/31000\nSigPnd:\t{own:016x}\nShdPnd:\t{shared:016x}\nSigBlk:\t{blocked:016x}\nSigIgn:\t{ignored:016x}\nSigCgt:\t{caught:016x}\n\
CapInh:\t{:016x}\nCapPrm:\t{:016x}\nCapEff:\t{:016x}\nCapBnd:\t{:016x}\nCapAmb:\t{:016x}\nNoNewPrivs:\t{}\nSeccomp:\t{seccomp}\nSeccomp_filters:\t{filters}\n\
Cpus_allowed:\t{cpus:x}\nCpus_allowed_list:\t{}\nMems_allowed:\t1\nMems_allowed_list:\t0\nvoluntary_ctxt_switches:\t{}\nnonvoluntary_ctxt_switches:\t{}\n",
        process.threads().len(),
        caps.inheritable.bits(),
        caps.permitted.bits(),
        caps.effective.bits(),
        caps.bounding.bits(),
        caps.ambient.bits(),
        u8::from(process.no_new_privs.load(Ordering::Relaxed)),
        cpu_list(cpus),
        usage.nvcsw,
        usage.nivcsw
    );
    Ok(out.into_bytes())
}

/// Processors as a list of ranges: `0-1,3` (`cpuset(7)`, List format).
fn cpu_list(mask: u64) -> String {
    let mut out = String::new();
    let mut cpu = 0;
    while cpu < 64 {
        let run = (mask >> cpu).trailing_ones();
        if run > 0 {
            let comma = if out.is_empty() { "" } else { "," };
            let _ = if run == 1 { write!(out, "{comma}{cpu}") } else { write!(out, "{comma}{cpu}-{}", cpu + run - 1) };
        }
        cpu += run.max(1);
    }
    out
}

fn limits(process: &Arc<Process>) -> Result<Vec<u8>> {
    const NAMES: [(&str, &str); 16] = [
        ("Max cpu time", "seconds"),
        ("Max file size", "bytes"),
        ("Max data size", "bytes"),
        ("Max stack size", "bytes"),
        ("Max core file size", "bytes"),
        ("Max resident set", "bytes"),
        ("Max processes", "processes"),
        ("Max open files", "files"),
        ("Max locked memory", "bytes"),
        ("Max address space", "bytes"),
        ("Max file locks", "locks"),
        ("Max pending signals", "signals"),
        ("Max msgqueue size", "bytes"),
        ("Max nice priority", ""),
        ("Max realtime priority", ""),
        ("Max realtime timeout", "us"),
    ];
    let show = |v: u64| if v == RLIM_INFINITY { String::from("unlimited") } else { format!("{v}") };
    let mut out = format!("{:<25} {:<20} {:<20} {:<10}\n", "Limit", "Soft Limit", "Hard Limit", "Units");
    for (i, (name, unit)) in NAMES.iter().enumerate() {
        let (soft, hard) = process.rlimit(i);
        let _ = writeln!(out, "{name:<25} {:<20} {:<20} {unit:<10}", show(soft), show(hard));
    }
    Ok(out.into_bytes())
}

fn mounts(process: &Process, info: bool) -> Vec<u8> {
    let mut out = Vec::new();
    for m in mount_list::list(&process.fs().root()) {
        let options = String::from_utf8_lossy(&m.fs_options).into_owned();
        let flags = m.flags.options();
        let access = if m.fs_readonly { "ro" } else { "rw" };
        let mut part = String::new();
        for (name, group) in [("shared", m.propagation.group), ("master", m.propagation.master)] {
            if group != 0 {
                let _ = write!(part, "{name}:{group} ");
            }
        }
        if m.propagation.is_unbindable {
            part.push_str("unbindable ");
        }
        let line = if info {
            format!(
                "{} {} {}:{} {} {} {flags} {part}- {} {} {access}{}{options}\n",
                m.id,
                m.parent,
                fs::major(m.dev),
                fs::minor(m.dev),
                escape(&m.root),
                escape(&m.target),
                m.fs_type,
                escape(&m.source),
                if options.is_empty() { "" } else { "," }
            )
        } else {
            let sep = if options.is_empty() { "" } else { "," };
            format!("{} {} {} {flags}{sep}{options} 0 0\n", escape(&m.source), escape(&m.target), m.fs_type)
        };
        out.extend_from_slice(line.as_bytes());
    }
    out
}

/// `mountstats`: what is mounted where.
fn mount_stats(process: &Process) -> Vec<u8> {
    let line = |m: &MountInfo| format!("device {} mounted on {} with fstype {}\n", escape(&m.source), escape(&m.target), m.fs_type);
    mount_list::list(&process.fs().root()).iter().map(line).collect::<String>().into_bytes()
}

/// Blanks and backslashes as octal escapes (`getmntent(3)`).
fn escape(bytes: &[u8]) -> String {
    let mut out = String::new();
    for b in bytes {
        match b {
            b' ' | b'\t' | b'\n' | b'\\' => {
                let _ = write!(out, "\\{b:03o}");
            }
            _ => out.push(char::from(*b)),
        }
    }
    out
}

#[derive(Clone, Copy)]
enum FdView {
    Links,
    Info,
}

/// `/proc/<pid>/fd` and `fdinfo`.
struct Fds(Arc<Process>, FdView);

impl Entries for Fds {
    fn find(&self, name: &[u8]) -> Result<InodeRef> {
        if !task::with_current(|thread| crate::syscall::remote::may_look(thread, &self.0)) {
            return Err(EACCES);
        }
        let fd: i32 = core::str::from_utf8(name).ok().and_then(|n| n.parse().ok()).ok_or(ENOENT)?;
        let file = self.0.files().get(fd).map_err(|_| ENOENT)?;
        let who = owner(&self.0);
        match self.1 {
            FdView::Links => {
                let shown = file.clone();
                Ok(Link::magic(
                    who,
                    move || match &shown.path {
                        Some(path) => Ok(shown_path(path)),
                        None => Ok(shown.ops.describe().into_bytes()),
                    },
                    move || Ok(path_of(&file)),
                ))
            }
            FdView::Info => Ok(Text::owned(who, 0o400, move || {
                let pos = if file.ops.seekable() { *file.pos() } else { 0 };
                let mount = file.path.as_ref().map_or(0, |path| path.mount.id);
                let ino = file.ops.attr().map_or(0, |attr| attr.ino);
                let more = file.ops.details();
                Ok(format!("pos:\t{pos}\nflags:\t{:07o}\nmnt_id:\t{mount}\nino:\t{ino}\n{more}", file.flags().bits()).into_bytes())
            })),
        }
    }

    fn list(&self) -> Vec<(Vec<u8>, FileType)> {
        let kind = if matches!(self.1, FdView::Links) { FileType::Symlink } else { FileType::Regular };
        self.0.files().list().into_iter().map(|(fd, ..)| (format!("{fd}").into_bytes(), kind)).collect()
    }
}

/// Where an open file is; pipes and the like get a place of their own, so that they can be opened again.
fn path_of(file: &Arc<OpenFile>) -> Path {
    match &file.path {
        Some(path) => path.clone(),
        None => Path::detached(Dentry::root(Arc::new(Anonymous(file.clone())))),
    }
}

/// The inode of a file without a name.
struct Anonymous(Arc<OpenFile>);

impl Inode for Anonymous {
    fn attr(&self) -> Result<Attr> {
        self.0.ops.attr()
    }

    fn open_whole(
        self: Arc<Self>,
        flags: OpenFlags,
        _mode: u32,
        _who: &task::Credentials,
        _place: &Path,
    ) -> Option<Result<Arc<OpenFile>>> {
        // Not by what its mode says: a pipe's number names no FIFO in a filesystem.
        let truncates = flags.contains(OpenFlags::TRUNC) && FileType::from_mode(self.attr().ok()?.mode) == Some(FileType::Regular);
        Some(self.open(flags).and_then(|ops| {
            if truncates {
                ops.truncate(0)?;
            }
            Ok(OpenFile::new(ops, flags))
        }))
    }

    fn open(self: Arc<Self>, flags: OpenFlags) -> Result<Arc<dyn FileOps>> {
        if let Some(end) = self.0.downcast::<PipeEnd>() {
            return Ok(end.pipe().end(flags.readable(), flags.writable()));
        }
        if self.attr()?.file_type() == FileType::Socket {
            return Err(ENXIO);
        }
        Ok(self.0.ops.clone())
    }

    fn as_any(&self) -> &dyn core::any::Any {
        self
    }
}

/// `/proc/<pid>/task`.
struct Tasks(Seen);

impl Entries for Tasks {
    fn find(&self, name: &[u8]) -> Result<InodeRef> {
        let tid: u32 = core::str::from_utf8(name).ok().and_then(|n| n.parse().ok()).ok_or(ENOENT)?;
        let thread = self.0.threads().into_iter().find(|t| self.0.number(t.tid()) == tid).ok_or(ENOENT)?;
        Ok(dir(Task(thread, self.0.clone()), 0x100_0000 + u64::from(tid)))
    }

    fn list(&self) -> Vec<(Vec<u8>, FileType)> {
        self.0.threads().iter().map(|t| (format!("{}", self.0.number(t.tid())).into_bytes(), FileType::Directory)).collect()
    }
}

struct Task(Arc<Thread>, Seen);

impl Entries for Task {
    fn find(&self, name: &[u8]) -> Result<InodeRef> {
        let thread = self.0.clone();
        let seen = self.1.clone();
        let who = owner(&thread.process);
        match name {
            b"stat" => Ok(Text::owned(who, 0o444, move || stat(&seen, Some(&thread)))),
            b"status" => Ok(Text::owned(who, 0o444, move || status(&seen, Some(&thread)))),
            b"comm" => {
                let shown = thread.clone();
                Ok(Text::writable(who, move || Ok(format!("{}\n", shown.comm()).into_bytes()), move |bytes| {
                    *thread.name.lock() = task::comm_from(bytes);
                    Ok(())
                }))
            }
            b"children" => Ok(Text::owned(who, 0o444, move || {
                let children = thread.process.children.lock().clone();
                Ok(children.iter().map(|c| format!("{} ", seen.number(c.pid))).collect::<String>().into_bytes())
            })),
            // Programs descend into what is there: a thread has no threads.
            b"task" => Err(ENOENT),
            _ => Process0 { process: seen }.find(name),
        }
    }

    fn list(&self) -> Vec<(Vec<u8>, FileType)> {
        let process = Process0 { process: self.1.clone() };
        process.list().into_iter().filter(|(n, _)| n != b"task").collect()
    }
}
