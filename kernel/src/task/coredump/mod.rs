//! Core dumps (`core(5)`): what a program was when a signal ended it, as an ELF file that debuggers read.
//!
//! The thread that the signal reached has the others end first; each leaves its registers on its way ([`leave_registers`]). Then it writes the file itself.

mod notes;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

pub use notes::{ThreadState, Why};

use super::process::RLIMIT_CORE;
use super::signal::SigInfo;
use super::thread::Thread;
use super::trace::Cpu;
use super::{Process, exec};
use crate::error::*;
use crate::fs::{Caller, FileType, IoSource, LookupFlags, OpenFile, OpenFlags};
use crate::mm::{AddressSpace, Area, Backing, PAGE, Prot};
use crate::sync::SpinLock;

/// `/proc/<pid>/coredump_filter` of the first process: anonymous memory, and the first pages of programs.
pub const DEFAULT_FILTER: u32 = 0x33;
const ANON_PRIVATE: u32 = 1;
const ANON_SHARED: u32 = 2;
const MAPPED_PRIVATE: u32 = 4;
const MAPPED_SHARED: u32 = 8;
const ELF_HEADERS: u32 = 16;

/// Longest name that `/proc/sys/kernel/core_pattern` holds.
const PATTERN_MAX: usize = 127;
/// Where dumps go (`core(5)`, "Naming of core dump files").
static PATTERN: SpinLock<Option<Vec<u8>>> = SpinLock::new(None);
/// Whether the number of the process is put behind a name that has none (`/proc/sys/kernel/core_uses_pid`).
pub static USES_PID: core::sync::atomic::AtomicUsize = core::sync::atomic::AtomicUsize::new(0);

/// `/proc/sys/kernel/core_pattern`.
pub fn pattern() -> Vec<u8> {
    PATTERN.lock().clone().unwrap_or_else(|| b"core".to_vec())
}

/// Sets it.
///
/// # Errors
/// `EINVAL` for what is too long, and for programs that are to be given the dump (`|program`).
pub fn set_pattern(text: &[u8]) -> Result {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    if text.len() > PATTERN_MAX || text.first() == Some(&b'|') {
        return Err(EINVAL);
    }
    *PATTERN.lock() = Some(text.to_vec());
    Ok(())
}

/// A thread that is to end because its process dumps leaves its registers for that.
pub fn leave_registers(thread: &Arc<Thread>, cpu: &mut Cpu<'_>) {
    if thread.process.core.lock().is_some() {
        let state = ThreadState::of(thread, cpu);
        if let Some(states) = &mut *thread.process.core.lock() {
            states.push(state);
        }
    }
}

/// Writes the dump of the calling thread's process, which `info` ends, where its limits and settings want one. Whether there is one now.
pub fn dump(thread: &Arc<Thread>, cpu: &mut Cpu<'_>, info: &SigInfo) -> bool {
    let process = &thread.process;
    let limit = process.rlimit(RLIMIT_CORE).0;
    if limit == 0 || !process.dumpable.load(Ordering::Relaxed) {
        return false;
    }
    *process.core.lock() = Some(Vec::new());
    let mine = ThreadState::of(thread, cpu);
    // Another thread of it may be dumping, or ending it, already.
    let is_alone = exec::end_others(thread).is_ok();
    let others = process.core.lock().take().unwrap_or_default();
    if !is_alone {
        return false;
    }
    match write(process, &mine, &others, info, limit) {
        Ok(()) => true,
        Err(error) => {
            crate::log::info!("no core dump of {} ({}): {error:?}", thread.comm(), process.pid);
            false
        }
    }
}

/// The file's name: `%` and a letter stand for what `core(5)` says.
fn name(process: &Process, why: &Why) -> Vec<u8> {
    use alloc::format;
    let pattern = pattern();
    let mut out = Vec::new();
    let mut has_pid = false;
    let mut letters = pattern.iter().copied();
    while let Some(letter) = letters.next() {
        if letter != b'%' {
            out.push(letter);
            continue;
        }
        let creds = process.creds();
        let number = match letters.next() {
            Some(b'p' | b'P') => {
                has_pid = true;
                process.pid.into()
            }
            Some(b'i' | b'I') => why.tid.into(),
            Some(b'u') => creds.uid.into(),
            Some(b'g') => creds.gid.into(),
            Some(b's') => why.info.signal.into(),
            Some(b't') => crate::time::realtime_ns() / 1_000_000_000,
            Some(b'd') => 1,
            Some(b'c') => process.rlimit(RLIMIT_CORE).0,
            Some(b'h') => {
                out.extend(super::uts::host_name());
                continue;
            }
            Some(b'e' | b'f') => {
                out.extend(why.name.bytes().map(no_slash));
                continue;
            }
            Some(b'E') => {
                let path = process.exe.lock().clone();
                out.extend(path.map(|path| path.display_from(&process.fs().root())).unwrap_or_default().into_iter().map(no_slash));
                continue;
            }
            Some(b'%') => {
                out.push(b'%');
                continue;
            }
            // What nobody knows is left out.
            _ => continue,
        };
        out.extend(format!("{number}").bytes());
    }
    if !has_pid && USES_PID.load(Ordering::Relaxed) != 0 {
        out.extend(format!(".{}", process.pid).bytes());
    }
    out
}

fn no_slash(letter: u8) -> u8 {
    if letter == b'/' { b'!' } else { letter }
}

/// How many bytes of an area from its start go into the file.
fn dumped(mm: &Arc<AddressSpace>, area: &Area, filter: u32) -> usize {
    if area.dont_dump {
        return 0;
    }
    let wants = |bit: u32| filter & bit != 0;
    match &area.backing {
        Backing::Anonymous => if wants(ANON_PRIVATE) { area.len() } else { 0 },
        Backing::Object { file: None, .. } if area.label.is_some() => area.len(),
        Backing::Object { file: None, .. } => if wants(ANON_SHARED) { area.len() } else { 0 },
        Backing::Object { .. } if area.shared => if wants(MAPPED_SHARED) { area.len() } else { 0 },
        Backing::Object { first, .. } => {
            // What was written to is no longer the file's.
            if wants(MAPPED_PRIVATE) || wants(ANON_PRIVATE) && mm.area_usage(area).anonymous > 0 {
                return area.len();
            }
            let mut magic = [0; 4];
            let is_program = *first == 0 && area.prot.contains(Prot::READ) && mm.peek(area.start, &mut magic) == Ok(4) && magic == *b"\x7fELF";
            if is_program && wants(ELF_HEADERS) { PAGE } else { 0 }
        }
    }
}

struct Output {
    file: Arc<OpenFile>,
    at: u64,
    limit: u64,
}

impl Output {
    /// Writes at the end, up to the limit.
    fn put(&mut self, bytes: &[u8]) -> Result {
        let room = usize::try_from(self.limit.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let bytes = &bytes[..bytes.len().min(room)];
        let mut done = 0;
        while done < bytes.len() {
            let written = self.file.write_at(self.at + done as u64, &mut IoSource::kernel(&bytes[done..]))?;
            if written == 0 {
                return Err(ENOSPC);
            }
            done += written;
        }
        self.at += bytes.len() as u64;
        Ok(())
    }

    /// Leaves so many zeros out.
    fn skip(&mut self, bytes: usize) {
        self.at = (self.at + bytes as u64).min(self.limit);
    }
}

fn create(process: &Process, name: &[u8]) -> Result<Arc<OpenFile>> {
    let flags = OpenFlags::CREAT | OpenFlags::RDWR | OpenFlags::NOFOLLOW | OpenFlags::CLOEXEC;
    let caller = Caller::of(process);
    let file = caller.open(None, name, flags, 0o600, LookupFlags::empty())?;
    // Nobody else's file is overwritten.
    let attr = file.ops.attr()?;
    if attr.file_type() != FileType::Regular || attr.nlink != 1 || attr.uid != process.creds().fsuid {
        return Err(EPERM);
    }
    file.ops.truncate(0)?;
    Ok(file)
}

fn write(process: &Arc<Process>, mine: &ThreadState, others: &[ThreadState], info: &SigInfo, limit: u64) -> Result {
    let mm = process.mm()?;
    let why = Why { info: *info, tid: mine.tid, name: mine.name.clone() };
    let filter = process.core_filter.load(Ordering::Relaxed);
    let areas: Vec<(Area, usize)> = mm.list().into_iter().map(|area| (dumped(&mm, &area, filter), area)).map(|(len, area)| (area, len)).collect();
    let header = notes::header(process, &mm, mine, others, &why, &areas)?;
    let mut out = Output { file: create(process, &name(process, &why))?, at: 0, limit };
    out.put(&header)?;
    let mut page = [0; PAGE];
    for (area, len) in &areas {
        let resident = mm.residency(area.start, area.start + len);
        for (place, is_there) in resident.iter().enumerate() {
            // What is in no table and of no file was never touched.
            let is_zero = *is_there == 0 && matches!(area.backing, Backing::Anonymous);
            match if is_zero { Err(EFAULT) } else { mm.peek(area.start + place * PAGE, &mut page) } {
                Ok(PAGE) => out.put(&page)?,
                _ => out.skip(PAGE),
            }
        }
    }
    let end = out.at;
    out.file.ops.truncate(end)
}
