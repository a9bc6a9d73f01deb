//! `execve(2)`: replacing a process's program.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use capabilities::{FileCapabilities, Program};
use frame::user::UserContext;
use zerocopy::IntoBytes;

use super::elf::{self, Elf, ProgramHeader};
use super::process::{self, Process, RLIMIT_STACK};
use super::signal::{SIG_DFL, SIG_IGN, SigAction};
use super::thread::{Thread, comm_from};
use super::{Capability, Credentials, lifecycle, sched};
use crate::error::*;
use crate::ipc::fanotify;
use crate::fs::text::Running;
use crate::fs::{self, FileType, IoSink, OpenFile, OpenFlags, Path};
use crate::mm::{AddressSpace, Backing, MAX_ADDRESS, MapRequest, PAGE, Placement, Prot};
use crate::random;

/// Longest interpreter line of a script (`execve(2)`, Interpreter scripts).
const SCRIPT_LINE: usize = 256;
/// Most nested interpreters.
const MAX_INTERPRETERS: usize = 4;
/// Where a static-pie or dynamic program goes: two thirds up the address space, as Linux does.
const PIE_BASE: u64 = 0x5555_5555_4000;
/// Where the stack ends, before randomisation.
const STACK_TOP: usize = MAX_ADDRESS - PAGE;

/// A program and its arguments, being prepared.
struct Image {
    file: Arc<OpenFile>,
    running: Running,
    path: Path,
    argv: Vec<Vec<u8>>,
    envp: Vec<Vec<u8>>,
    /// The path as given, for `AT_EXECFN`.
    name: Vec<u8>,
}

/// Replaces the current thread's program. On success the context is set up to start it.
///
/// # Errors
/// `EACCES`, `ENOENT`, `ENOEXEC`, `E2BIG`, ... as in `execve(2)`. After the point of no return the process is killed instead.
pub fn exec(
    thread: &Arc<Thread>,
    context: &mut UserContext,
    path: Path,
    name: Vec<u8>,
    argv: Vec<Vec<u8>>,
    envp: Vec<Vec<u8>>,
) -> Result {
    let process = thread.process.clone();
    let stack_limit = process.rlimit(RLIMIT_STACK).0;
    let argument_bytes: usize = argv.iter().chain(&envp).map(|s| s.len() + 9).sum();
    if argument_bytes as u64 > (stack_limit / 4).clamp(128 << 10, 6 << 20) || argv.iter().chain(&envp).any(|s| s.len() >= 128 << 10) {
        return Err(E2BIG);
    }
    let (file, running) = open_program(&path)?;
    let mut image = Image { file, running, path, argv, envp, name };
    let mut depth = 0;
    while let Some((interpreter, argument)) = script_interpreter(&image.file)? {
        depth += 1;
        if depth > MAX_INTERPRETERS {
            return Err(ELOOP);
        }
        let mut argv = alloc::vec![interpreter.clone()];
        argv.extend(argument);
        argv.push(image.name.clone());
        argv.extend(image.argv.drain(..).skip(1));
        image.argv = argv;
        image.path = fs::resolve(&process, &interpreter)?;
        (image.file, image.running) = open_program(&image.path)?;
        image.name = interpreter;
    }
    if image.argv.is_empty() {
        image.argv.push(Vec::new());
    }
    let program = Elf::parse(|at, buf| read_exact(&image.file, at, buf))?;
    let interpreter = load_interpreter(&process, &program, &image.file)?;
    let attr = image.file.ops.attr()?;
    let (creds, secure, raised) = new_credentials(thread, &attr, &image.path)?;
    if raised {
        process.personality.fetch_and(!crate::syscall::misc::ADDR_NO_RANDOMIZE, Ordering::Relaxed);
    }
    let fixed = process.personality.load(Ordering::Relaxed) & crate::syscall::misc::ADDR_NO_RANDOMIZE != 0;
    let space = AddressSpace::new(if fixed { 0 } else { random::u64() })?;
    space.set_stack_limit(stack_limit);
    let start = build(&space, &program, interpreter.as_ref(), &image, &creds, secure, stack_limit, fixed)?;

    let former = thread.tid();
    // Nothing below can fail: the old program is gone.
    end_other_threads(thread)?;
    *space.program.lock() = Some(Arc::new(image.running));
    space.activate();
    let old = process.set_mm(Some(space));
    lifecycle::finish_vfork(&process);
    drop(old);
    process.set_files(unshared_files(&process));
    process.files().close_on_exec();
    let before = thread.creds();
    let exposed = !secure && creds.fsuid == before.fsuid && creds.fsgid == before.fsgid && creds.caps.permitted.is_subset(before.caps.permitted);
    process.dumpable.store(exposed, Ordering::Relaxed);
    if !exposed {
        process.parent_death_signal.store(0, Ordering::Relaxed);
    }
    thread.set_creds(creds);
    thread.leave_rings();
    thread.ring_work.unregister_all();
    process.execed.store(true, Ordering::Relaxed);
    process.exit_signal.store(super::signal::SIGCHLD, Ordering::Relaxed);
    *process.exe.lock() = Some(image.path.clone());
    process.timers.clear_posix();
    reset_signals(thread);
    thread.clear_child_tid.store(0, Ordering::Relaxed);
    thread.robust_list.store(0, Ordering::Relaxed);
    thread.rseq.clear();
    let base = image.name.rsplit(|b| *b == b'/').next().unwrap_or(&image.name);
    *thread.name.lock() = comm_from(base);

    super::trace::exec_done(thread, former);
    context.fpu_reset();
    context.set_debug_registers(&frame::user::DebugRegisters::default());
    context.regs = frame::user::UserRegs { rip: start.entry, rsp: start.stack, rflags: 0x202, ..Default::default() };
    Ok(())
}

/// A table that is shared with another process (CLONE_FILES) must not lose that process's descriptors.
fn unshared_files(process: &Process) -> Arc<fs::FileTable> {
    let files = process.files();
    // One reference is the process's, one is ours.
    if Arc::strong_count(&files) > 2 { files.fork() } else { files }
}

fn open_program(path: &Path) -> Result<(Arc<OpenFile>, Running)> {
    let inode = path.inode();
    let attr = inode.attr()?;
    if attr.file_type() != FileType::Regular {
        return Err(EACCES);
    }
    if !super::with_current(|thread| thread.creds()).may_access(attr.mode, attr.uid, attr.gid, 1) || path.is_noexec() {
        return Err(EACCES);
    }
    fs::Caller::current().confined(path, fs::landlock::AccessFs::EXECUTE | fs::landlock::AccessFs::READ_FILE)?;
    let running = Running::begin(inode)?;
    let ops = inode.clone().open(OpenFlags::empty())?;
    let file = OpenFile::with_path(ops, OpenFlags::empty(), Some(path.clone()));
    fanotify::may(&file, fanotify::OPEN_PERM)?;
    fanotify::may(&file, fanotify::OPEN_EXEC_PERM)?;
    fs::notify::file(&file, fs::notify::OPEN);
    fanotify::file(&file, fanotify::OPEN_EXEC);
    Ok((file, running))
}

fn read_some(file: &OpenFile, at: u64, buf: &mut [u8]) -> Result<usize> {
    let mut done = 0;
    while done < buf.len() {
        match file.read_at(at + done as u64, &mut IoSink::kernel(&mut buf[done..]))? {
            0 => break,
            n => done += n,
        }
    }
    Ok(done)
}

fn read_exact(file: &OpenFile, at: u64, buf: &mut [u8]) -> Result {
    if read_some(file, at, buf)? == buf.len() { Ok(()) } else { Err(ENOEXEC) }
}

/// The interpreter and its argument, if the file begins with `#!`.
fn script_interpreter(file: &OpenFile) -> Result<Option<(Vec<u8>, Option<Vec<u8>>)>> {
    let mut line = [0u8; SCRIPT_LINE];
    let len = read_some(file, 0, &mut line)?;
    let line = &line[..len];
    if !line.starts_with(b"#!") {
        return Ok(None);
    }
    let end = match line.iter().position(|b| *b == b'\n') {
        Some(end) => end,
        None if len < SCRIPT_LINE => len,
        None => SCRIPT_LINE - 1,
    };
    let text = line[2..end].trim_ascii();
    let split = text.iter().position(|b| *b == b' ' || *b == b'\t');
    let (interpreter, argument) = match split {
        Some(at) => (&text[..at], Some(text[at..].trim_ascii())),
        None => (text, None),
    };
    if interpreter.is_empty() {
        return Err(ENOEXEC);
    }
    Ok(Some((interpreter.to_vec(), argument.map(<[u8]>::to_vec))))
}

fn load_interpreter(process: &Process, program: &Elf, file: &OpenFile) -> Result<Option<(Elf, Arc<OpenFile>)>> {
    let Some(segment) = program.segments.iter().find(|s| s.kind == elf::PT_INTERP) else { return Ok(None) };
    if segment.filesz < 2 || segment.filesz > 4096 {
        return Err(ENOEXEC);
    }
    let mut name = alloc::vec![0; segment.filesz as usize];
    read_exact(file, segment.offset, &mut name)?;
    if name.pop() != Some(0) {
        return Err(ENOEXEC);
    }
    let path = fs::resolve(process, &name)?;
    // It is held only until it is mapped, as on Linux.
    let (file, _running) = open_program(&path)?;
    let interpreter = Elf::parse(|at, buf| read_exact(&file, at, buf)).map_err(|e| if e == ENOEXEC { Errno(80) } else { e })?;
    Ok(Some((interpreter, file)))
}

/// The credentials after exec, whether the program must distrust its environment, and whether it gets more than the thread had.
///
/// # Errors
/// `EPERM` where the program needs capabilities that it cannot have; `EINVAL` where its attribute is damaged.
fn new_credentials(thread: &Arc<Thread>, attr: &fs::Attr, path: &Path) -> Result<(Credentials, bool, bool)> {
    let process = &thread.process;
    let old = thread.creds();
    let mut program = Program { no_new_privs: process.no_new_privs.load(Ordering::Relaxed), ..Program::default() };
    // A filesystem of another user namespace than one above, and owners that the thread's does not know, give nothing.
    let is_trusted = !path.is_nosuid() && path.mount.sb.user().is_above(&old.user);
    if is_trusted {
        let are_known = old.user.uid_known(attr.uid).is_some() && old.user.gid_known(attr.gid).is_some();
        program.set_uid = (are_known && attr.mode & 0o4000 != 0).then_some(old.relabelled(attr.uid));
        program.set_gid = (are_known && attr.mode & 0o2010 == 0o2010).then_some(attr.gid);
        program.file = match path.inode().get_xattr(fs::inode::CAPABILITIES) {
            Ok(bytes) => Some(FileCapabilities::parse(&bytes).ok_or(EINVAL)?).filter(FileCapabilities::is_ours),
            Err(_) => None,
        };
    }
    let set_id = !program.no_new_privs && (program.set_uid.is_some() || program.set_gid.is_some());
    if set_id || program.file.is_some() {
        program.watched = is_watched(thread);
    }
    let done = old.caps.exec(old.ids(), (old.gid, old.egid), &program).map_err(|_| EPERM)?;
    let raised = set_id || !done.state.permitted.is_subset(old.caps.permitted);
    let (uid, gid) = (old.relabelled(done.uid), done.gid);
    let creds = Credentials { euid: uid, suid: uid, fsuid: uid, egid: gid, sgid: gid, fsgid: gid, caps: done.state, ..(*old).clone() };
    Ok((creds, done.secure, raised))
}

/// Whether others reach into the thread: a tracer that may not trace everybody, or a process that shares its root and working directory.
fn is_watched(thread: &Arc<Thread>) -> bool {
    if thread.tracing.tracer().is_some_and(|tracer| !tracer.creds().has_in(Capability::SYS_PTRACE, &thread.creds().user)) {
        return true;
    }
    let fs = thread.process.fs();
    process::all().iter().any(|other| other.pid != thread.process.pid && !other.is_zombie() && Arc::ptr_eq(&other.fs(), &fs))
}

struct Start {
    entry: u64,
    stack: u64,
}

#[allow(clippy::too_many_arguments)]
fn build(
    space: &Arc<AddressSpace>,
    program: &Elf,
    interpreter: Option<&(Elf, Arc<OpenFile>)>,
    image: &Image,
    creds: &Credentials,
    secure: bool,
    stack_limit: u64,
    fixed: bool,
) -> Result<Start> {
    let random_pages = if fixed { 0 } else { (random::u64() & 0xfff_ffff) * PAGE as u64 };
    let bias = if !program.is_relocatable() {
        0
    } else if interpreter.is_some() {
        (PIE_BASE + random_pages) & !(program.alignment() - 1)
    } else {
        let (start, end) = program.span();
        let at = space.map(MapRequest::anonymous(Placement::Hint(0), (end - start + program.alignment()) as usize, Prot::empty()))? as u64;
        space.unmap(at as usize, (end - start + program.alignment()) as usize)?;
        at.next_multiple_of(program.alignment()) - start
    };
    load(space, program, &image.file, bias)?;
    let mut entry = program.header.entry + bias;
    let mut interpreter_base = 0;
    if let Some((loader, file)) = interpreter {
        let (start, end) = loader.span();
        interpreter_base = if loader.is_relocatable() {
            let at = space.map(MapRequest::anonymous(Placement::Hint(0), (end - start) as usize, Prot::empty()))? as u64;
            at - start
        } else {
            0
        };
        load(space, loader, file, interpreter_base)?;
        entry = loader.header.entry + interpreter_base;
    }
    if entry >= MAX_ADDRESS as u64 {
        return Err(ENOEXEC);
    }
    let (_, end) = program.span();
    let brk_gap = if fixed || (program.is_relocatable() && interpreter.is_none()) { 0 } else { (random::u64() & 0x1fff) * PAGE as u64 };
    space.set_brk_start((end + bias + brk_gap) as usize);

    let executable_stack = program.segments.iter().any(|s| s.kind == elf::PT_GNU_STACK && s.flags & elf::PF_X != 0);
    let top = STACK_TOP - if fixed { 0 } else { (random::u64() & 0x3f_ffff) as usize * PAGE / 256 / PAGE * PAGE };
    let stack = write_stack(space, program, image, creds, secure, bias, interpreter_base, top, executable_stack, stack_limit)?;
    Ok(Start { entry, stack })
}

fn load(space: &Arc<AddressSpace>, elf: &Elf, file: &Arc<OpenFile>, bias: u64) -> Result {
    for segment in elf.segments.iter().filter(|s| s.kind == elf::PT_LOAD) {
        load_segment(space, segment, file, bias)?;
    }
    Ok(())
}

fn segment_prot(segment: &ProgramHeader) -> Prot {
    let mut prot = Prot::empty();
    prot.set(Prot::READ, segment.flags & elf::PF_R != 0);
    prot.set(Prot::WRITE, segment.flags & elf::PF_W != 0);
    prot.set(Prot::EXEC, segment.flags & elf::PF_X != 0);
    prot
}

fn load_segment(space: &Arc<AddressSpace>, segment: &ProgramHeader, file: &Arc<OpenFile>, bias: u64) -> Result {
    let prot = segment_prot(segment);
    let vaddr = (segment.vaddr + bias) as usize;
    let start = vaddr & !(PAGE - 1);
    let file_end = vaddr + segment.filesz as usize;
    let mem_end = (vaddr + segment.memsz as usize).next_multiple_of(PAGE);
    let file_pages_end = file_end.next_multiple_of(PAGE);
    if segment.filesz > 0 {
        let offset = segment.offset & !(PAGE as u64 - 1);
        let len = file_pages_end - start;
        let object = file.ops.mmap(file, offset, len as u64, false)?;
        space.map(MapRequest {
            place: Placement::Fixed(start),
            len,
            prot,
            max_prot: Prot::all(),
            shared: false,
            grows_down: false,
            backing: Backing::Object { object, first: offset / PAGE as u64, file: Some(file.clone()) },
            label: None,
        })?;
    }
    let anonymous_start = if segment.filesz > 0 { file_pages_end } else { start };
    if mem_end > anonymous_start {
        space.map(MapRequest::anonymous(Placement::Fixed(anonymous_start), mem_end - anonymous_start, prot))?;
    }
    // The rest of the last file page belongs to .bss.
    if segment.memsz > segment.filesz && file_end % PAGE != 0 && prot.contains(Prot::WRITE) {
        let page = file_end & !(PAGE - 1);
        if let crate::mm::ObjectPage::Ram(frame) = space.frame_at(page, true)? {
            frame.zero_range(file_end % PAGE, PAGE - file_end % PAGE);
        }
    }
    let mut layout = space.layout.lock();
    if prot.contains(Prot::EXEC) && layout.code_end == 0 {
        layout.code_start = vaddr;
        layout.code_end = file_end;
    } else if prot.contains(Prot::WRITE) && layout.data_end == 0 {
        layout.data_start = vaddr;
        layout.data_end = file_end;
    }
    Ok(())
}

mod aux {
    //! Auxiliary vector entries (`getauxval(3)`).
    pub const NULL: u64 = 0;
    pub const PHDR: u64 = 3;
    pub const PHENT: u64 = 4;
    pub const PHNUM: u64 = 5;
    pub const PAGESZ: u64 = 6;
    pub const BASE: u64 = 7;
    pub const FLAGS: u64 = 8;
    pub const ENTRY: u64 = 9;
    pub const UID: u64 = 11;
    pub const EUID: u64 = 12;
    pub const GID: u64 = 13;
    pub const EGID: u64 = 14;
    pub const PLATFORM: u64 = 15;
    pub const HWCAP: u64 = 16;
    pub const CLKTCK: u64 = 17;
    pub const SECURE: u64 = 23;
    pub const RANDOM: u64 = 25;
    pub const HWCAP2: u64 = 26;
    pub const EXECFN: u64 = 31;
    pub const SYSINFO_EHDR: u64 = 33;
    pub const MINSIGSTKSZ: u64 = 51;
}

/// Writes into the new address space page by page, before it is ever active.
struct StackWriter<'a> {
    space: &'a Arc<AddressSpace>,
}

impl StackWriter<'_> {
    fn write(&self, addr: usize, mut bytes: &[u8]) -> Result {
        let mut at = addr;
        while !bytes.is_empty() {
            let offset = at % PAGE;
            let len = bytes.len().min(PAGE - offset);
            match self.space.frame_at(at, true)? {
                crate::mm::ObjectPage::Ram(frame) => frame.write(offset, &bytes[..len]),
                crate::mm::ObjectPage::Device(..) => return Err(EFAULT),
            }
            at += len;
            bytes = &bytes[len..];
        }
        Ok(())
    }
}

#[allow(clippy::too_many_arguments)]
fn write_stack(
    space: &Arc<AddressSpace>,
    program: &Elf,
    image: &Image,
    creds: &Credentials,
    secure: bool,
    bias: u64,
    interpreter_base: u64,
    top: usize,
    executable: bool,
    stack_limit: u64,
) -> Result<u64> {
    let strings: usize = image.argv.iter().chain(&image.envp).map(|s| s.len() + 1).sum::<usize>() + image.name.len() + 64;
    let vectors = (image.argv.len() + image.envp.len() + 3 + 48) * 8;
    let initial = (strings + vectors + 128 * 1024).next_multiple_of(PAGE).min(stack_limit.max(64 << 10) as usize + strings + vectors).next_multiple_of(PAGE);
    let mut prot = Prot::READ | Prot::WRITE;
    prot.set(Prot::EXEC, executable);
    let mut request = MapRequest::anonymous(Placement::Fixed(top - initial), initial, prot);
    request.grows_down = true;
    request.label = Some("[stack]");
    space.map(request)?;
    let writer = StackWriter { space };

    let mut at = top - 8;
    let mut put = |bytes: &[u8]| -> Result<u64> {
        at -= bytes.len() + 1;
        writer.write(at, bytes)?;
        Ok(at as u64)
    };
    let execfn = put(&image.name)?;
    // Environment above arguments, each in rising order, as `ps` expects of /proc/<pid>/cmdline.
    let mut envp = Vec::with_capacity(image.envp.len());
    for s in image.envp.iter().rev() {
        envp.push(put(s)?);
    }
    envp.reverse();
    let mut argv = Vec::with_capacity(image.argv.len());
    for s in image.argv.iter().rev() {
        argv.push(put(s)?);
    }
    argv.reverse();
    let arg_start = argv.first().copied().unwrap_or(execfn);
    let arg_end = envp.first().copied().unwrap_or(execfn);
    let platform = put(b"x86_64")?;
    let random_bytes = {
        let mut bytes = [0u8; 16];
        random::fill(&mut bytes);
        at = (at - 16) & !15;
        writer.write(at, &bytes)?;
        at as u64
    };

    let phdr = program
        .segments
        .iter()
        .find(|s| s.kind == elf::PT_PHDR)
        .map(|s| s.vaddr)
        .or_else(|| {
            let phoff = program.header.phoff;
            let holder = program.segments.iter().find(|s| s.kind == elf::PT_LOAD && s.offset <= phoff && phoff < s.offset + s.filesz)?;
            Some(phoff - holder.offset + holder.vaddr)
        })
        .map_or(0, |v| v + bias);
    let auxv: [(u64, u64); 21] = [
        (aux::SYSINFO_EHDR, crate::mm::vdso::map(space)?),
        (aux::MINSIGSTKSZ, super::sigframe::minimum_size() as u64),
        (aux::HWCAP, frame::cpu::info().hwcap.into()),
        (aux::PAGESZ, PAGE as u64),
        (aux::CLKTCK, 100),
        (aux::PHDR, phdr),
        (aux::PHENT, size_of::<ProgramHeader>() as u64),
        (aux::PHNUM, program.header.phnum.into()),
        (aux::BASE, interpreter_base),
        (aux::FLAGS, 0),
        (aux::ENTRY, program.header.entry + bias),
        (aux::UID, creds.user.uid_out(creds.uid).into()),
        (aux::EUID, creds.user.uid_out(creds.euid).into()),
        (aux::GID, creds.user.gid_out(creds.gid).into()),
        (aux::EGID, creds.user.gid_out(creds.egid).into()),
        (aux::SECURE, secure.into()),
        (aux::RANDOM, random_bytes),
        (aux::HWCAP2, 0),
        (aux::EXECFN, execfn),
        (aux::PLATFORM, platform),
        (aux::NULL, 0),
    ];
    let mut words: Vec<u64> = Vec::with_capacity(argv.len() + envp.len() + 3 + 40);
    words.push(argv.len() as u64);
    words.extend(&argv);
    words.push(0);
    words.extend(&envp);
    words.push(0);
    let auxv_at = words.len() * 8;
    for (key, value) in auxv {
        words.extend([key, value]);
    }
    let sp = (at - words.len() * 8) & !15;
    writer.write(sp, words.as_slice().as_bytes())?;

    let mut layout = space.layout.lock();
    layout.stack_start = sp;
    layout.arg_start = arg_start as usize;
    layout.arg_end = arg_end as usize;
    layout.env_start = arg_end as usize;
    layout.env_end = execfn as usize;
    layout.auxv_start = sp + auxv_at;
    layout.auxv_end = sp + words.len() * 8;
    Ok(sp as u64)
}

/// Ends all other threads of the process and waits until they are gone.
fn end_other_threads(thread: &Arc<Thread>) -> Result {
    end_others(thread)?;
    if thread.tid() != thread.process.pid {
        process::take_leader_id(thread);
    }
    Ok(())
}

/// Has all other threads of the caller's process end, and waits until they have.
///
/// # Errors
/// `EINTR` where the whole process is ending.
pub(super) fn end_others(thread: &Arc<Thread>) -> Result {
    let process = &thread.process;
    let others = || process.threads().into_iter().filter(|t| !Arc::ptr_eq(t, thread));
    for other in others() {
        other.must_exit.store(true, Ordering::SeqCst);
        other.signal_check.store(true, Ordering::SeqCst);
        sched::wake_stopped(&other);
        super::signal::notify(&other);
    }
    process.exit_event.wait_uninterruptible(|| (others().next().is_none() || process.exiting.load(Ordering::SeqCst)).then_some(()));
    if process.exiting.load(Ordering::SeqCst) {
        return Err(EINTR);
    }
    Ok(())
}

/// Handlers are gone with the old program; ignored signals stay ignored.
fn reset_signals(thread: &Arc<Thread>) {
    let mut shared = thread.process.signals.lock();
    for action in &mut shared.actions {
        let handler = if action.handler == SIG_IGN { SIG_IGN } else { SIG_DFL };
        *action = SigAction { handler, ..SigAction::default() };
    }
    drop(shared);
    let mut own = thread.signals.lock();
    own.altstack = super::signal::AltStack { flags: 2, ..Default::default() };
    own.saved_mask = None;
}
