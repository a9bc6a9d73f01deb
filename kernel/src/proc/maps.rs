//! A process's memory as text: `/proc/<pid>/maps`, `smaps`, `smaps_rollup`, `statm` and the lines of `status` (`proc(5)`).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

use super::process::shown_path;
use crate::fs;
use crate::mm::{AddressSpace, Area, AreaUsage, Backing, PAGE, Prot};
use crate::task::Process;

const KIB: usize = 1024;
const PAGE_KIB: usize = PAGE / KIB;

/// The line of an area in `maps`.
fn line(area: &Area) -> String {
    let p = |flag, letter| if area.prot.contains(flag) { letter } else { '-' };
    let (offset, dev, ino, name) = match &area.backing {
        Backing::Anonymous => (0, 0, 0, area.label.map(String::from).unwrap_or_default()),
        Backing::Object { first, file, .. } => {
            let attr = file.as_ref().and_then(|f| f.ops.attr().ok()).unwrap_or_default();
            let name = match file.as_ref().and_then(|f| f.path.as_ref()) {
                Some(path) => String::from_utf8_lossy(&shown_path(path)).into_owned(),
                None => file.as_ref().map(|f| f.ops.describe()).unwrap_or_default(),
            };
            (first * PAGE as u64, attr.dev, attr.ino, name)
        }
    };
    let line = format!(
        "{:08x}-{:08x} {}{}{}{} {offset:08x} {:02x}:{:02x} {ino} ",
        area.start,
        area.end,
        p(Prot::READ, 'r'),
        p(Prot::WRITE, 'w'),
        p(Prot::EXEC, 'x'),
        if area.shared { 's' } else { 'p' },
        fs::major(dev),
        fs::minor(dev)
    );
    if name.is_empty() { format!("{line}\n") } else { format!("{line:<72} {name}\n") }
}

/// `maps`, with `details` `smaps`.
pub fn maps(process: &Process, details: bool) -> Vec<u8> {
    let Ok(mm) = process.mm() else { return Vec::new() };
    let mut out = String::new();
    for area in mm.list() {
        out += &line(&area);
        if details {
            let usage = mm.area_usage(&area);
            let _ = write!(out, "Size:           {:>8} kB\nKernelPageSize:        4 kB\nMMUPageSize:           4 kB\n", area.len() / KIB);
            add_usage(&mut out, &usage, area.locked);
            let _ = writeln!(out, "THPeligible:    0\nVmFlags:{}", flags(&area));
        }
    }
    out.into_bytes()
}

/// The lines that `smaps` and `smaps_rollup` have in common.
fn add_usage(out: &mut String, usage: &AreaUsage, locked: bool) {
    let pages = |count: usize| count * PAGE_KIB;
    let proportional = usage.proportional_bytes / KIB;
    let lines = [
        ("Rss", pages(usage.resident)),
        ("Pss", proportional),
        ("Pss_Dirty", usage.proportional_dirty_bytes / KIB),
        ("Shared_Clean", pages(usage.shared_clean)),
        ("Shared_Dirty", pages(usage.shared_dirty)),
        ("Private_Clean", pages(usage.private_clean)),
        ("Private_Dirty", pages(usage.private_dirty)),
        ("Referenced", pages(usage.referenced)),
        ("Anonymous", pages(usage.anonymous)),
        ("LazyFree", 0),
        ("AnonHugePages", 0),
        ("ShmemPmdMapped", 0),
        ("FilePmdMapped", 0),
        ("Shared_Hugetlb", 0),
        ("Private_Hugetlb", 0),
        ("Swap", 0),
        ("SwapPss", 0),
        ("Locked", if locked { proportional } else { 0 }),
    ];
    for (name, value) in lines {
        let _ = writeln!(out, "{:<15} {value:>8} kB", format!("{name}:"));
    }
}

/// The two-letter codes of `VmFlags`.
fn flags(area: &Area) -> String {
    let mut out = String::new();
    let (prot, most) = (area.prot, area.max_prot);
    let all = [
        (prot.contains(Prot::READ), "rd"),
        (prot.contains(Prot::WRITE), "wr"),
        (prot.contains(Prot::EXEC), "ex"),
        (area.shared, "sh"),
        (most.contains(Prot::READ), "mr"),
        (most.contains(Prot::WRITE), "mw"),
        (most.contains(Prot::EXEC), "me"),
        (area.shared, "ms"),
        (area.grows_down, "gd"),
        (area.locked, "lo"),
        (area.dont_fork, "dc"),
        (area.wipe_on_fork, "wf"),
        (area.dont_dump, "dd"),
    ];
    for (_, code) in all.iter().filter(|(is_set, _)| *is_set) {
        out.push(' ');
        out.push_str(code);
    }
    out
}

fn total(mm: &AddressSpace) -> AreaUsage {
    mm.list().iter().fold(AreaUsage::default(), |sum, area| sum.and(mm.area_usage(area)))
}

/// `smaps_rollup`: the sum over all areas.
pub fn rollup(process: &Process) -> Vec<u8> {
    let Ok(mm) = process.mm() else { return Vec::new() };
    let areas = mm.list();
    let (start, end) = (areas.first().map_or(0, |area| area.start), areas.last().map_or(0, |area| area.end));
    let mut out = format!("{:<72} [rollup]\n", format!("{start:08x}-{end:08x} ---p 00000000 00:00 0 "));
    add_usage(&mut out, &total(&mm), false);
    out.into_bytes()
}

/// How much of a process's memory is what, in pages.
struct Sizes {
    resident: usize,
    /// Resident pages of files, and of shared memory without one.
    of_files: usize,
    of_shared_memory: usize,
    data: usize,
    stack: usize,
    locked: usize,
    code: usize,
    libraries: usize,
}

fn sizes(mm: &AddressSpace) -> Sizes {
    let areas = mm.list();
    let layout = *mm.layout.lock();
    let pages = |wanted: &dyn Fn(&Area) -> bool| areas.iter().filter(|area| wanted(area)).map(|area| area.len() / PAGE).sum::<usize>();
    let (mut resident, mut of_files, mut of_shared_memory) = (0, 0, 0);
    for area in &areas {
        let usage = mm.area_usage(area);
        resident += usage.resident;
        let has_path = matches!(&area.backing, Backing::Object { file: Some(file), .. } if file.path.is_some());
        *(if has_path { &mut of_files } else { &mut of_shared_memory }) += usage.resident - usage.anonymous;
    }
    let code = (layout.code_end - layout.code_start).div_ceil(PAGE);
    let executable = pages(&|area| area.prot.contains(Prot::EXEC));
    Sizes {
        resident,
        of_files,
        of_shared_memory,
        data: pages(&|area| area.prot.contains(Prot::WRITE) && !area.shared && !area.grows_down),
        stack: pages(&|area| area.grows_down),
        locked: pages(&|area| area.locked),
        code,
        libraries: executable.saturating_sub(code),
    }
}

/// `statm`, in pages: size, resident, shared, text, 0, data and stack, 0.
pub fn statm(process: &Process) -> Vec<u8> {
    let Ok(mm) = process.mm() else { return b"0 0 0 0 0 0 0\n".to_vec() };
    let it = sizes(&mm);
    format!("{} {} {} {} 0 {} 0\n", mm.mapped_pages(), it.resident, it.of_files + it.of_shared_memory, it.code, it.data + it.stack).into_bytes()
}

/// The lines of `status` about memory.
pub fn status(mm: &AddressSpace) -> String {
    let it = sizes(mm);
    let lines = [
        ("VmPeak", mm.peak_mapped_pages()),
        ("VmSize", mm.mapped_pages()),
        ("VmLck", it.locked),
        ("VmPin", 0),
        ("VmHWM", (mm.peak_rss_pages() as usize).max(it.resident)),
        ("VmRSS", it.resident),
        ("RssAnon", it.resident - it.of_files - it.of_shared_memory),
        ("RssFile", it.of_files),
        ("RssShmem", it.of_shared_memory),
        ("VmData", it.data),
        ("VmStk", it.stack),
        ("VmExe", it.code),
        ("VmLib", it.libraries),
        ("VmPTE", mm.table_pages()),
        ("VmSwap", 0),
    ];
    lines.iter().fold(String::new(), |mut out, (name, pages)| {
        let _ = writeln!(out, "{name}:\t{:>8} kB", pages * PAGE_KIB);
        out
    })
}
