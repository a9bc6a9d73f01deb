//! `ptrace(2)`: requests of a tracer.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem::offset_of;

use call_flags::processes;
use frame::user::{DebugRegisters, UserRegs};
use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::{Cx, remote};
use crate::error::*;
use crate::task::signal::{self, SIGKILL, SigInfo};
use crate::task::trace::{self, Attach, CallPhase, Options, Registers, Resume, Stopped};
use crate::task::{Thread, process, rseq, seccomp};
use crate::user;

const TRACEME: i64 = 0;
const PEEKTEXT: i64 = 1;
const PEEKDATA: i64 = 2;
const PEEKUSER: i64 = 3;
const POKETEXT: i64 = 4;
const POKEDATA: i64 = 5;
const POKEUSER: i64 = 6;
const CONT: i64 = 7;
const KILL: i64 = 8;
const SINGLESTEP: i64 = 9;
const GETREGS: i64 = 12;
const SETREGS: i64 = 13;
const GETFPREGS: i64 = 14;
const SETFPREGS: i64 = 15;
const ATTACH: i64 = 16;
const DETACH: i64 = 17;
const SYSCALL: i64 = 24;
const ARCH_PRCTL: i64 = 30;
const SYSEMU: i64 = 31;
const SYSEMU_SINGLESTEP: i64 = 32;
const SETOPTIONS: i64 = 0x4200;
const GETEVENTMSG: i64 = 0x4201;
const GETSIGINFO: i64 = 0x4202;
const SETSIGINFO: i64 = 0x4203;
const GETREGSET: i64 = 0x4204;
const SETREGSET: i64 = 0x4205;
const SEIZE: i64 = 0x4206;
const INTERRUPT: i64 = 0x4207;
const LISTEN: i64 = 0x4208;
const GETSIGMASK: i64 = 0x420a;
const SETSIGMASK: i64 = 0x420b;
const GET_SYSCALL_INFO: i64 = 0x420e;
const GET_RSEQ_CONFIGURATION: i64 = 0x420f;

const NT_PRSTATUS: u64 = 1;
const NT_PRFPREG: u64 = 2;
const NT_X86_XSTATE: u64 = 0x202;

const USER_CS: u64 = 0x33;
const USER_SS: u64 = 0x2b;
/// Bytes of the FXSAVE area.
const FXSAVE: usize = 512;
/// Where an area that `XSAVE` wrote has bytes for software: a signal frame's magic, and for tracers the mask of features.
const SOFTWARE: usize = 464;
/// `struct user`: its size, and where the debug registers are in it.
const USER_SIZE: u64 = 912;
const DEBUG_REGISTERS: u64 = 848;

/// `struct user_regs_struct` of `sys/user.h`.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct UserRegsStruct {
    r15: u64,
    r14: u64,
    r13: u64,
    r12: u64,
    rbp: u64,
    rbx: u64,
    r11: u64,
    r10: u64,
    r9: u64,
    r8: u64,
    rax: u64,
    rcx: u64,
    rdx: u64,
    rsi: u64,
    rdi: u64,
    orig_rax: u64,
    rip: u64,
    cs: u64,
    eflags: u64,
    rsp: u64,
    ss: u64,
    fs_base: u64,
    gs_base: u64,
    ds: u64,
    es: u64,
    fs: u64,
    gs: u64,
}

impl From<Registers> for UserRegsStruct {
    fn from(registers: Registers) -> Self {
        let r = registers.user;
        Self {
            r15: r.r15,
            r14: r.r14,
            r13: r.r13,
            r12: r.r12,
            rbp: r.rbp,
            rbx: r.rbx,
            r11: r.r11,
            r10: r.r10,
            r9: r.r9,
            r8: r.r8,
            rax: r.rax,
            rcx: r.rcx,
            rdx: r.rdx,
            rsi: r.rsi,
            rdi: r.rdi,
            orig_rax: registers.call,
            rip: r.rip,
            cs: USER_CS,
            eflags: r.rflags,
            rsp: r.rsp,
            ss: USER_SS,
            fs_base: r.fs_base,
            gs_base: r.gs_base,
            ..Self::default()
        }
    }
}

impl UserRegsStruct {
    /// The registers, where user mode may have these.
    ///
    /// # Errors
    /// `EIO` for other segments than user mode's, and bases beyond the user's half.
    fn checked(self, debug: DebugRegisters) -> Result<Registers> {
        let selectors = [self.ds, self.es, self.fs, self.gs].iter().all(|s| *s <= 0xffff);
        if self.cs & 0xffff != USER_CS || self.ss & 0xffff != USER_SS || !selectors {
            return Err(EIO);
        }
        if [self.fs_base, self.gs_base].iter().any(|base| *base >= frame::mm::USER_END) {
            return Err(EIO);
        }
        Ok(Registers {
            user: UserRegs {
                rax: self.rax,
                rbx: self.rbx,
                rcx: self.rcx,
                rdx: self.rdx,
                rsi: self.rsi,
                rdi: self.rdi,
                rbp: self.rbp,
                r8: self.r8,
                r9: self.r9,
                r10: self.r10,
                r11: self.r11,
                r12: self.r12,
                r13: self.r13,
                r14: self.r14,
                r15: self.r15,
                rsp: self.rsp,
                rip: self.rip,
                rflags: self.eflags,
                fs_base: self.fs_base,
                gs_base: self.gs_base,
            },
            call: self.orig_rax,
            debug,
        })
    }
}

fn write_bytes(at: usize, bytes: &[u8]) -> Result {
    Ok(frame::user::copy_to_user(at as u64, bytes)?)
}

/// Works on a thread in a stop of the caller.
///
/// # Errors
/// `ESRCH` where it is in none.
fn stopped<R>(cx: &Cx<'_>, thread: &Thread, work: impl FnOnce(&mut Stopped<'_>) -> R) -> Result<R> {
    thread.tracing.with_stopped(cx.process, work).ok_or(ESRCH)
}

/// ptrace(2)
pub fn sys_ptrace(cx: &Cx<'_>, request: i64, id: i32, addr: u64, data: u64) -> Result<usize> {
    if request == TRACEME {
        return trace::trace_me(cx.thread).map(|()| 0);
    }
    let thread = u32::try_from(id).ok().and_then(process::find_thread).ok_or(ESRCH)?;
    match request {
        ATTACH | SEIZE => attach(cx, &thread, request, addr, data),
        KILL if thread.tracing.is_traced_by(cx.process) => {
            signal::send_process(&thread.process, SigInfo::user(SIGKILL, cx.process)).map(|()| 0)
        }
        INTERRUPT if trace::interrupt(cx.process, &thread) => Ok(0),
        // Attached, not seized.
        INTERRUPT if thread.tracing.is_traced_by(cx.process) => Err(EIO),
        INTERRUPT => Err(ESRCH),
        CONT | SYSCALL | SINGLESTEP | SYSEMU | SYSEMU_SINGLESTEP | DETACH => go_on(cx, &thread, request, data),
        _ => look(cx, &thread, request, addr, data),
    }
}

fn options(bits: u64) -> Result<Options> {
    processes::PTRACE_OPTIONS.check(bits)?;
    Ok(Options::from_bits_truncate(bits))
}

fn attach(cx: &Cx<'_>, thread: &Arc<Thread>, request: i64, addr: u64, data: u64) -> Result<usize> {
    let how = if request == SEIZE {
        if addr != 0 {
            return Err(EIO);
        }
        Attach::Seizing(options(data).map_err(|_| EIO)?)
    } else {
        Attach::Stopping
    };
    if !remote::may_access(cx, &thread.process) {
        return Err(EPERM);
    }
    trace::attach(cx.process, thread, how).map(|()| 0)
}

fn go_on(cx: &Cx<'_>, thread: &Arc<Thread>, request: i64, data: u64) -> Result<usize> {
    stopped(cx, thread, |_| ())?;
    let number = u32::try_from(data).ok().filter(|n| *n <= signal::NSIG).ok_or(EIO)?;
    let how = match request {
        CONT => Resume::Continue,
        SYSCALL => Resume::Calls,
        SINGLESTEP => Resume::Step,
        SYSEMU => Resume::Emulate,
        SYSEMU_SINGLESTEP => Resume::EmulateStep,
        _ => return if trace::detach(cx.process, thread, number) { Ok(0) } else { Err(ESRCH) },
    };
    if trace::resume(cx.process, thread, how, number) { Ok(0) } else { Err(ESRCH) }
}

/// Requests that need a stopped thread and leave it so.
fn look(cx: &Cx<'_>, thread: &Arc<Thread>, request: i64, addr: u64, data: u64) -> Result<usize> {
    // Memory is copied to and from the tracer outside: that may sleep.
    let registers = stopped(cx, thread, |s| s.registers())?;
    processes::PTRACE_REQUEST.check(request as u64)?;
    let at = data as usize;
    match request {
        PEEKTEXT | PEEKDATA => {
            let mut word = [0; 8];
            if thread.process.mm()?.peek(addr as usize, &mut word) != Ok(8) {
                return Err(EIO);
            }
            user::write(at, &u64::from_le_bytes(word))?;
        }
        POKETEXT | POKEDATA => {
            if thread.process.mm()?.poke(addr as usize, &data.to_le_bytes()) != Ok(8) {
                return Err(EIO);
            }
        }
        PEEKUSER => user::write(at, &peek_user(registers, addr)?)?,
        POKEUSER => {
            let changed = poke_user(registers, addr, data)?;
            stopped(cx, thread, |s| s.set_registers(changed))?;
        }
        GETREGS => user::write(at, &UserRegsStruct::from(registers))?,
        SETREGS => {
            let changed = user::read::<UserRegsStruct>(at)?.checked(registers.debug)?;
            stopped(cx, thread, |s| s.set_registers(changed))?;
        }
        GETFPREGS => write_bytes(at, &read_set(thread, cx, NT_PRFPREG)?)?,
        SETFPREGS => write_set(thread, cx, NT_PRFPREG, &user::read_bytes(at, FXSAVE)?)?,
        GETREGSET | SETREGSET => return register_set(cx, thread, request, addr, at),
        SETOPTIONS => {
            let options = options(data)?;
            stopped(cx, thread, |s| s.set_options(options))?;
        }
        GETEVENTMSG => user::write(at, &stopped(cx, thread, |s| s.message())?)?,
        GETSIGINFO => user::write(at, &stopped(cx, thread, |s| s.info())?.ok_or(EINVAL)?.to_bytes())?,
        SETSIGINFO => {
            let bytes: [u8; 128] = user::read(at)?;
            let info = SigInfo::from_bytes(&bytes);
            if !stopped(cx, thread, |s| s.set_info(info))? {
                return Err(EINVAL);
            }
        }
        GETSIGMASK | SETSIGMASK if addr != 8 => return Err(EINVAL),
        GETSIGMASK => {
            let mask = thread.signals.lock().blocked;
            user::write(at, &mask)?;
        }
        SETSIGMASK => signal::set_blocked(thread, user::read(at)?),
        LISTEN => trace::listen(cx.process, thread)?,
        GET_SYSCALL_INFO => return syscall_info(cx, thread, registers, addr as usize, at),
        GET_RSEQ_CONFIGURATION => return rseq_configuration(thread, addr as usize, at),
        ARCH_PRCTL => return arch_prctl(cx, thread, registers, data, addr as usize),
        _ => return Err(EIO),
    }
    Ok(0)
}

fn peek_user(registers: Registers, offset: u64) -> Result<u64> {
    if offset % 8 != 0 || offset >= USER_SIZE {
        return Err(EIO);
    }
    let regs = UserRegsStruct::from(registers);
    let bytes = regs.as_bytes();
    let at = offset as usize;
    if offset >= DEBUG_REGISTERS {
        let debug = registers.debug;
        return Ok(match (offset - DEBUG_REGISTERS) / 8 {
            i @ 0..=3 => debug.addresses[i as usize],
            6 => debug.status,
            7 => debug.control,
            _ => 0,
        });
    }
    // What lies behind the registers (sizes of a core file) is 0.
    Ok(bytes.get(at..at + 8).map_or(0, |word| word.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte))))
}

/// The registers with one changed.
///
/// # Errors
/// `EIO` for what is no register or for a value it cannot have; `EINVAL` for breakpoints that user mode may not have.
fn poke_user(registers: Registers, offset: u64, value: u64) -> Result<Registers> {
    if offset % 8 != 0 || offset >= USER_SIZE {
        return Err(EIO);
    }
    if offset >= DEBUG_REGISTERS {
        let mut debug = registers.debug;
        match (offset - DEBUG_REGISTERS) / 8 {
            i @ 0..=3 => debug.addresses[i as usize] = value,
            6 => debug.status = value,
            7 => debug.control = value,
            _ => return Err(EIO),
        }
        return if debug.is_allowed() { Ok(Registers { debug, ..registers }) } else { Err(EINVAL) };
    }
    let mut regs = UserRegsStruct::from(registers);
    let at = offset as usize;
    regs.as_mut_bytes().get_mut(at..at + 8).ok_or(EIO)?.copy_from_slice(&value.to_le_bytes());
    regs.checked(registers.debug)
}

/// The general registers as `NT_PRSTATUS` has them (`struct user_regs_struct`).
pub fn general_registers(registers: Registers) -> Vec<u8> {
    UserRegsStruct::from(registers).as_bytes().to_vec()
}

/// The registers of `FXSAVE` as `NT_PRFPREG` has them.
///
/// # Errors
/// `EIO` for an area that is too short.
pub fn fpu_registers(mut area: Vec<u8>) -> Result<Vec<u8>> {
    area.truncate(FXSAVE);
    area.get_mut(SOFTWARE..).ok_or(EIO)?.fill(0);
    Ok(area)
}

/// All that `XSAVE` wrote as `NT_X86_XSTATE` has it.
///
/// # Errors
/// `ENODEV` without XSAVE, where there is nothing beyond [`fpu_registers`].
pub fn extended_state(mut area: Vec<u8>) -> Result<Vec<u8>> {
    if area.len() <= FXSAVE {
        return Err(ENODEV);
    }
    // The second magic number of a signal frame.
    area.truncate(area.len() - 4);
    let features: [u8; 8] = area[SOFTWARE + 8..SOFTWARE + 16].try_into().map_err(|_| EIO)?;
    area[SOFTWARE..FXSAVE].fill(0);
    area[SOFTWARE..SOFTWARE + 8].copy_from_slice(&features);
    Ok(area)
}

/// A register set as its note has it.
fn read_set(thread: &Thread, cx: &Cx<'_>, kind: u64) -> Result<Vec<u8>> {
    let (registers, fpu) = stopped(cx, thread, |s| (s.registers(), s.fpu().to_vec()))?;
    match kind {
        NT_PRSTATUS => Ok(general_registers(registers)),
        NT_PRFPREG => fpu_registers(fpu),
        NT_X86_XSTATE => extended_state(fpu),
        _ => Err(EINVAL),
    }
}

fn write_set(thread: &Thread, cx: &Cx<'_>, kind: u64, bytes: &[u8]) -> Result {
    stopped(cx, thread, |s| match kind {
        NT_PRSTATUS => {
            let mut regs = UserRegsStruct::from(s.registers());
            let len = bytes.len().min(size_of::<UserRegsStruct>());
            regs.as_mut_bytes()[..len].copy_from_slice(&bytes[..len]);
            s.set_registers(regs.checked(s.registers().debug)?);
            Ok(())
        }
        NT_PRFPREG if bytes.len() >= FXSAVE => set_fpu(s, &bytes[..FXSAVE]),
        NT_X86_XSTATE if s.fpu().len() <= FXSAVE => Err(ENODEV),
        NT_X86_XSTATE if bytes.len() == s.fpu().len() - 4 => set_fpu(s, bytes),
        NT_PRFPREG | NT_X86_XSTATE => Err(EFAULT),
        _ => Err(EINVAL),
    })?
}

/// Takes over a floating-point area; what the software bytes say stays as it was.
fn set_fpu(stopped: &mut Stopped<'_>, bytes: &[u8]) -> Result {
    const MXCSR: usize = 24;
    let reserved = u32::from_le_bytes(bytes[MXCSR..MXCSR + 4].try_into().map_err(|_| EINVAL)?) & !0xffff;
    if reserved != 0 {
        return Err(EINVAL);
    }
    let mut area = bytes.to_vec();
    area[SOFTWARE..FXSAVE].copy_from_slice(&stopped.fpu()[SOFTWARE..FXSAVE]);
    stopped.set_fpu(&area);
    Ok(())
}

/// `PTRACE_GETREGSET`, `PTRACE_SETREGSET`: `at` is the address of a `struct iovec`.
fn register_set(cx: &Cx<'_>, thread: &Thread, request: i64, kind: u64, at: usize) -> Result<usize> {
    let [base, len]: [usize; 2] = user::read(at)?;
    let known = read_set(thread, cx, kind)?;
    let unit = if kind == NT_PRSTATUS { 8 } else { 4 };
    if len % unit != 0 {
        return Err(EINVAL);
    }
    let len = len.min(known.len());
    if request == GETREGSET {
        write_bytes(base, &known[..len])?;
    } else {
        write_set(thread, cx, kind, &user::read_bytes(base, len)?)?;
    }
    user::write(at, &[base, len])?;
    Ok(0)
}

/// `struct ptrace_syscall_info`, its union as bytes.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct SyscallInfo {
    op: u8,
    pad: [u8; 3],
    arch: u32,
    instruction_pointer: u64,
    stack_pointer: u64,
    words: [u64; 8],
}

fn syscall_info(cx: &Cx<'_>, thread: &Thread, registers: Registers, size: usize, at: usize) -> Result<usize> {
    let phase = stopped(cx, thread, |s| s.phase())?;
    let regs = registers.user;
    let mut info = SyscallInfo { arch: seccomp::ARCH, instruction_pointer: regs.rip, stack_pointer: regs.rsp, ..SyscallInfo::default() };
    let call = [registers.call, regs.rdi, regs.rsi, regs.rdx, regs.r10, regs.r8, regs.r9, 0];
    let head = offset_of!(SyscallInfo, words);
    let full = match phase {
        CallPhase::None => head,
        CallPhase::Entry => {
            (info.op, info.words) = (1, call);
            head + 7 * 8
        }
        CallPhase::Exit => {
            let failed = (-4095..0).contains(&(regs.rax as i64));
            info.op = 2;
            (info.words[0], info.words[1]) = (regs.rax, failed.into());
            head + 9
        }
        CallPhase::Seccomp(value) => {
            (info.op, info.words) = (3, call);
            info.words[7] = value.into();
            head + 7 * 8 + 4
        }
    };
    write_bytes(at, &info.as_bytes()[..size.min(full)])?;
    Ok(full)
}

/// `struct ptrace_rseq_configuration`.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct RseqConfiguration {
    area: u64,
    area_bytes: u32,
    signature: u32,
    flags: u32,
    pad: u32,
}

fn rseq_configuration(thread: &Thread, size: usize, at: usize) -> Result<usize> {
    let (area, signature) = thread.rseq.registration();
    let it = RseqConfiguration { area: area as u64, area_bytes: rseq::AREA_BYTES, signature, flags: 0, pad: 0 };
    write_bytes(at, &it.as_bytes()[..size.min(size_of::<RseqConfiguration>())])?;
    Ok(size_of::<RseqConfiguration>())
}

/// `PTRACE_ARCH_PRCTL`: segment bases, as by `arch_prctl(2)`.
fn arch_prctl(cx: &Cx<'_>, thread: &Thread, registers: Registers, code: u64, addr: usize) -> Result<usize> {
    let mut changed = registers;
    match code {
        0x1001 => changed.user.gs_base = addr as u64,
        0x1002 => changed.user.fs_base = addr as u64,
        0x1003 => return user::write(addr, &registers.user.fs_base).map(|()| 0),
        0x1004 => return user::write(addr, &registers.user.gs_base).map(|()| 0),
        _ => return Err(EINVAL),
    }
    if addr as u64 >= frame::mm::USER_END {
        return Err(EPERM);
    }
    stopped(cx, thread, |s| s.set_registers(changed))?;
    Ok(0)
}
