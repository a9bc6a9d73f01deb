//! The head of a core dump: ELF header, segments, and the notes about threads and files (`core(5)`, `elf(5)`; layouts of x86-64's `sys/procfs.h`).

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::super::process::{Process, Usage, thread_usage};
use super::super::signal::SigInfo;
use super::super::thread::Thread;
use super::super::trace::{Cpu, Registers};
use crate::error::*;
use crate::mm::{AddressSpace, Area, Backing, PAGE, Prot};
use crate::syscall::ptrace;

const EHDR: usize = 64;
const PHDR: usize = 56;
const ET_CORE: u16 = 4;
const EM_X86_64: u16 = 62;
const PT_LOAD: u32 = 1;
const PT_NOTE: u32 = 4;
/// The number of segments is in the section header there.
const PN_XNUM: usize = 0xffff;

const NT_PRSTATUS: u32 = 1;
const NT_PRFPREG: u32 = 2;
const NT_PRPSINFO: u32 = 3;
const NT_AUXV: u32 = 6;
const NT_X86_XSTATE: u32 = 0x202;
const NT_SIGINFO: u32 = 0x5349_4749;
const NT_FILE: u32 = 0x4649_4c45;

/// What is written of a thread.
pub struct ThreadState {
    #[allow(missing_docs)]
    pub tid: u32,
    #[allow(missing_docs)]
    pub name: String,
    registers: Registers,
    /// As `XSAVE` or `FXSAVE` writes it.
    fpu: Vec<u8>,
    pending: u64,
    blocked: u64,
    usage: Usage,
}

impl ThreadState {
    /// That of the calling thread.
    pub fn of(thread: &Arc<Thread>, cpu: &mut Cpu<'_>) -> Self {
        let (pending, blocked) = {
            let signals = thread.signals.lock();
            (signals.pending.set, signals.blocked)
        };
        Self {
            tid: thread.tid(),
            name: thread.comm(),
            registers: Registers { user: cpu.context.regs, call: *cpu.call, debug: cpu.context.debug_registers() },
            fpu: cpu.context.fpu_to_bytes(),
            pending,
            blocked,
            usage: thread_usage(thread),
        }
    }
}

/// What ended the process.
pub struct Why {
    #[allow(missing_docs)]
    pub info: SigInfo,
    /// The thread that it reached, and its name.
    pub tid: u32,
    #[allow(missing_docs)]
    pub name: String,
}

/// Little-endian values one after the other.
struct Bytes(Vec<u8>);

impl Bytes {
    fn u16(&mut self, value: u16) -> &mut Self {
        self.raw(&value.to_le_bytes())
    }

    fn u32(&mut self, value: u32) -> &mut Self {
        self.raw(&value.to_le_bytes())
    }

    fn u64(&mut self, value: u64) -> &mut Self {
        self.raw(&value.to_le_bytes())
    }

    fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// A text in a field of `len` bytes, its last a zero.
    fn text(&mut self, text: &[u8], len: usize) -> &mut Self {
        let text = &text[..text.len().min(len - 1)];
        self.raw(text);
        self.0.resize(self.0.len() + len - text.len(), 0);
        self
    }

    /// `struct timeval`
    fn time(&mut self, ns: u64) -> &mut Self {
        self.u64(ns / 1_000_000_000).u64(ns % 1_000_000_000 / 1000)
    }

    fn note(&mut self, name: &[u8], kind: u32, data: &[u8]) {
        let padded = |out: &mut Self, bytes: &[u8]| {
            out.raw(bytes);
            out.0.resize(out.0.len().next_multiple_of(4), 0);
        };
        self.u32(name.len() as u32 + 1).u32(data.len() as u32).u32(kind);
        padded(self, &[name, &[0]].concat());
        padded(self, data);
    }
}

/// `struct elf_prstatus`
fn status(process: &Process, thread: &ThreadState, info: &SigInfo) -> Vec<u8> {
    let parent = process.parent().map_or(0, |parent| parent.pid);
    let children = process.children_usage.lock().clone();
    let mut out = Bytes(Vec::new());
    out.u32(info.signal).u32(info.code as u32).u32(0);
    out.u16(info.signal as u16).u16(0).u64(thread.pending).u64(thread.blocked);
    out.u32(thread.tid).u32(parent).u32(process.pgid()).u32(process.sid());
    out.time(thread.usage.utime_ns).time(thread.usage.stime_ns).time(children.utime_ns).time(children.stime_ns);
    out.raw(&ptrace::general_registers(thread.registers));
    // The floating point registers are there.
    out.u32(1).u32(0);
    out.0
}

/// `struct elf_prpsinfo`
fn process_info(process: &Process, mm: &Arc<AddressSpace>, why: &Why) -> Vec<u8> {
    let creds = process.creds();
    let parent = process.parent().map_or(0, |parent| parent.pid);
    let mut line = {
        let layout = mm.layout.lock();
        let (start, end) = (layout.arg_start, layout.arg_end);
        drop(layout);
        let mut line = alloc::vec![0; end.saturating_sub(start).min(80)];
        let read = mm.peek(start, &mut line).unwrap_or(0);
        line.truncate(read);
        line
    };
    line.iter_mut().filter(|byte| **byte == 0).for_each(|byte| *byte = b' ');
    let mut out = Bytes(Vec::new());
    // It runs: state 0, and its letter.
    out.raw(&[0, b'R', 0, 0]).u32(0).u64(0).u32(creds.uid).u32(creds.gid);
    out.u32(process.pid).u32(parent).u32(process.pgid()).u32(process.sid());
    out.text(why.name.as_bytes(), 16).text(&line, 80);
    out.0
}

/// The files that are mapped: how many, the size of a page, where each is and from which page on, and their names.
fn files(process: &Process, areas: &[(Area, usize)]) -> Vec<u8> {
    let root = process.fs().root();
    let mapped: Vec<(&Area, u64, Vec<u8>)> = areas
        .iter()
        .filter_map(|(area, _)| match &area.backing {
            Backing::Object { first, file: Some(file), .. } => file.path.as_ref().map(|path| (area, *first, path.display_from(&root))),
            _ => None,
        })
        .collect();
    let mut out = Bytes(Vec::new());
    out.u64(mapped.len() as u64).u64(PAGE as u64);
    for (area, first, _) in &mapped {
        out.u64(area.start as u64).u64(area.end as u64).u64(*first);
    }
    for (_, _, name) in &mapped {
        out.raw(name).raw(&[0]);
    }
    out.0
}

fn auxiliary_vector(mm: &Arc<AddressSpace>) -> Vec<u8> {
    let layout = mm.layout.lock();
    let (start, end) = (layout.auxv_start, layout.auxv_end);
    drop(layout);
    let mut out = alloc::vec![0; end.saturating_sub(start).min(PAGE)];
    let read = mm.peek(start, &mut out).unwrap_or(0);
    out.truncate(read);
    out
}

fn thread_notes(out: &mut Bytes, process: &Process, thread: &ThreadState, info: &SigInfo, between: impl FnOnce(&mut Bytes)) {
    out.note(b"CORE", NT_PRSTATUS, &status(process, thread, info));
    between(out);
    if let Ok(registers) = ptrace::fpu_registers(thread.fpu.clone()) {
        out.note(b"CORE", NT_PRFPREG, &registers);
    }
    if let Ok(state) = ptrace::extended_state(thread.fpu.clone()) {
        out.note(b"LINUX", NT_X86_XSTATE, &state);
    }
}

/// Everything before the memory, up to the page where that begins. `areas`: with how many bytes of each are in the file.
///
/// # Errors
/// `E2BIG` where there are more areas than the format counts.
pub fn header(
    process: &Process,
    mm: &Arc<AddressSpace>,
    mine: &ThreadState,
    others: &[ThreadState],
    why: &Why,
    areas: &[(Area, usize)],
) -> Result<Vec<u8>> {
    let segments = areas.len() + 1;
    if segments >= PN_XNUM {
        return Err(E2BIG);
    }
    let mut notes = Bytes(Vec::new());
    thread_notes(&mut notes, process, mine, &why.info, |out| {
        out.note(b"CORE", NT_PRPSINFO, &process_info(process, mm, why));
        out.note(b"CORE", NT_SIGINFO, &why.info.to_bytes());
        out.note(b"CORE", NT_AUXV, &auxiliary_vector(mm));
        out.note(b"CORE", NT_FILE, &files(process, areas));
    });
    // As Linux: the signal was for all of them.
    others.iter().for_each(|thread| thread_notes(&mut notes, process, thread, &why.info, |_| {}));

    let notes_at = EHDR + segments * PHDR;
    let memory_at = (notes_at + notes.0.len()).next_multiple_of(PAGE);
    let mut out = Bytes(Vec::new());
    // 64 bits, little endian, version 1.
    out.raw(b"\x7fELF\x02\x01\x01").raw(&[0; 9]);
    out.u16(ET_CORE).u16(EM_X86_64).u32(1).u64(0).u64(EHDR as u64).u64(0).u32(0);
    out.u16(EHDR as u16).u16(PHDR as u16).u16(segments as u16).u16(0).u16(0).u16(0);
    out.u32(PT_NOTE).u32(0).u64(notes_at as u64).u64(0).u64(0).u64(notes.0.len() as u64).u64(0).u64(4);
    let mut at = memory_at;
    for (area, len) in areas {
        let right = |prot: Prot, bit: u32| if area.prot.contains(prot) { bit } else { 0 };
        let flags = right(Prot::READ, 4) | right(Prot::WRITE, 2) | right(Prot::EXEC, 1);
        out.u32(PT_LOAD).u32(flags).u64(at as u64).u64(area.start as u64).u64(0).u64(*len as u64).u64(area.len() as u64).u64(PAGE as u64);
        at += len;
    }
    out.raw(&notes.0);
    out.0.resize(memory_at, 0);
    Ok(out.0)
}
