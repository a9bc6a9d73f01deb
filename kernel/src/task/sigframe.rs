//! The frame a signal handler runs on (x86-64: `struct rt_sigframe` of Linux's arch/x86/include/asm/sigframe.h), and the return from it.

use alloc::sync::Arc;

use frame::user::UserContext;
use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::signal::{self, AltStack, SA_NODEFER, SA_ONSTACK, SIGSEGV, SigAction, SigInfo};
use super::thread::Thread;
use crate::error::*;
use crate::user;

#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct SigContext {
    r8: u64,
    r9: u64,
    r10: u64,
    r11: u64,
    r12: u64,
    r13: u64,
    r14: u64,
    r15: u64,
    rdi: u64,
    rsi: u64,
    rbp: u64,
    rbx: u64,
    rdx: u64,
    rax: u64,
    rcx: u64,
    rsp: u64,
    rip: u64,
    rflags: u64,
    cs: u16,
    gs: u16,
    fs: u16,
    ss: u16,
    err: u64,
    trapno: u64,
    oldmask: u64,
    cr2: u64,
    fpstate: u64,
    reserved: [u64; 8],
}

#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct StackT {
    sp: u64,
    flags: u32,
    pad: u32,
    size: u64,
}

#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct UContext {
    flags: u64,
    link: u64,
    stack: StackT,
    mcontext: SigContext,
    sigmask: u64,
}

#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct RtSigFrame {
    pretcode: u64,
    uc: UContext,
    info: [u8; 128],
}

/// `UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS`.
const UC_FLAGS: u64 = 2 | 4;
/// `UC_FP_XSTATE`.
const UC_FP_XSTATE: u64 = 1;
const USER_CS: u16 = 0x33;
const USER_SS: u16 = 0x2b;
/// The x86-64 ABI's red zone below the stack pointer.
const RED_ZONE: u64 = 128;
/// Flags a handler starts without: direction, resume, trap, alignment check.
const CLEARED_FLAGS: u64 = 0x400 | 0x1_0000 | 0x100 | 0x4_0000;

/// The least stack a handler needs (`AT_MINSIGSTKSZ`).
pub fn minimum_size() -> usize {
    size_of::<RtSigFrame>() + UserContext::fpu_size() + 64 + 16 + RED_ZONE as usize
}

fn on_altstack(stack: &AltStack, sp: u64) -> bool {
    stack.flags & 2 == 0 && sp > stack.sp && sp - stack.sp <= stack.size
}

/// The flags `sigaltstack(2)` reports: SS_ONSTACK 1, SS_DISABLE 2.
pub fn altstack_flags(stack: &AltStack, sp: u64) -> u32 {
    if stack.size == 0 || stack.flags & 2 != 0 {
        2
    } else if on_altstack(stack, sp) {
        1
    } else {
        stack.flags & 1 << 31
    }
}

/// Makes the context enter the handler. The signal has been taken off the queue.
pub fn push(thread: &Arc<Thread>, context: &mut UserContext, info: SigInfo, action: SigAction) {
    if write_frame(thread, context, &info, &action).is_err() {
        // No stack to run the handler on: that of SIGSEGV may have another, but not for its own.
        if info.signal == SIGSEGV {
            thread.process.signals.lock().actions[SIGSEGV as usize - 1].handler = signal::SIG_DFL;
        }
        signal::force(thread, SigInfo::kernel(SIGSEGV));
    }
}

fn write_frame(thread: &Arc<Thread>, context: &mut UserContext, info: &SigInfo, action: &SigAction) -> Result {
    let (old_mask, altstack) = {
        let mut signals = thread.signals.lock();
        let blocked = signals.blocked;
        (signals.saved_mask.take().unwrap_or(blocked), signals.altstack)
    };
    let regs = context.regs;
    let mut sp = regs.rsp.wrapping_sub(RED_ZONE);
    if action.flags & SA_ONSTACK != 0 && altstack.flags & 2 == 0 && altstack.size > 0 && !on_altstack(&altstack, regs.rsp) {
        sp = altstack.sp + altstack.size;
    }
    let fpu = context.fpu_to_bytes();
    let fpstate = sp.wrapping_sub(fpu.len() as u64) & !63;
    let at = (fpstate.wrapping_sub(size_of::<RtSigFrame>() as u64) & !15).wrapping_sub(8);
    if on_altstack(&altstack, regs.rsp) && at < altstack.sp {
        return Err(EFAULT);
    }
    let extended = if fpu.len() > 512 { UC_FP_XSTATE } else { 0 };
    let frame = RtSigFrame {
        pretcode: action.restorer,
        uc: UContext {
            flags: UC_FLAGS | extended,
            link: 0,
            stack: StackT { sp: altstack.sp, flags: altstack_flags(&altstack, regs.rsp), pad: 0, size: altstack.size },
            mcontext: SigContext {
                r8: regs.r8,
                r9: regs.r9,
                r10: regs.r10,
                r11: regs.r11,
                r12: regs.r12,
                r13: regs.r13,
                r14: regs.r14,
                r15: regs.r15,
                rdi: regs.rdi,
                rsi: regs.rsi,
                rbp: regs.rbp,
                rbx: regs.rbx,
                rdx: regs.rdx,
                rax: regs.rax,
                rcx: regs.rcx,
                rsp: regs.rsp,
                rip: regs.rip,
                rflags: regs.rflags,
                cs: USER_CS,
                ss: USER_SS,
                trapno: if info.code > 0 && info.signal == SIGSEGV { 14 } else { 0 },
                oldmask: old_mask,
                cr2: if info.signal == SIGSEGV { info.value } else { 0 },
                fpstate,
                ..SigContext::default()
            },
            sigmask: old_mask,
        },
        info: info.to_bytes(),
    };
    frame::user::copy_to_user(fpstate, &fpu)?;
    user::write(at as usize, &frame)?;
    context.regs.rdi = info.signal.into();
    context.regs.rsi = at + core::mem::offset_of!(RtSigFrame, info) as u64;
    context.regs.rdx = at + core::mem::offset_of!(RtSigFrame, uc) as u64;
    context.regs.rax = 0;
    context.regs.rsp = at;
    context.regs.rip = action.handler;
    context.regs.rflags = regs.rflags & !CLEARED_FLAGS;
    let own = if action.flags & SA_NODEFER != 0 { 0 } else { signal::bit(info.signal) };
    let blocked = thread.signals.lock().blocked;
    signal::set_blocked(thread, blocked | action.mask | own);
    if altstack.flags & 1 << 31 != 0 {
        // SS_AUTODISARM
        thread.signals.lock().altstack = AltStack { flags: 2, ..AltStack::default() };
    }
    Ok(())
}

/// `rt_sigreturn(2)`: restores the context from the frame. Returns the restored `rax`.
///
/// # Errors
/// `EFAULT` for a bad frame; the caller sends SIGSEGV.
pub fn sigreturn(thread: &Arc<Thread>, context: &mut UserContext) -> Result<u64> {
    // The handler's `ret` popped pretcode.
    let at = context.regs.rsp.wrapping_sub(8) as usize;
    let frame: RtSigFrame = user::read(at)?;
    let saved = frame.uc.mcontext;
    if saved.fpstate == 0 {
        context.fpu_reset();
    } else {
        let bytes = user::read_bytes(saved.fpstate as usize, UserContext::fpu_size())?;
        context.fpu_from_bytes(&bytes).map_err(|_| EFAULT)?;
    }
    let regs = &mut context.regs;
    regs.r8 = saved.r8;
    regs.r9 = saved.r9;
    regs.r10 = saved.r10;
    regs.r11 = saved.r11;
    regs.r12 = saved.r12;
    regs.r13 = saved.r13;
    regs.r14 = saved.r14;
    regs.r15 = saved.r15;
    regs.rdi = saved.rdi;
    regs.rsi = saved.rsi;
    regs.rbp = saved.rbp;
    regs.rbx = saved.rbx;
    regs.rdx = saved.rdx;
    regs.rcx = saved.rcx;
    regs.rsp = saved.rsp;
    regs.rip = saved.rip;
    regs.rflags = saved.rflags;
    signal::set_blocked(thread, frame.uc.sigmask);
    let stack = frame.uc.stack;
    if stack.flags & !(1 << 31 | 1 | 2) == 0 {
        let mut signals = thread.signals.lock();
        signals.altstack = AltStack { sp: stack.sp, size: stack.size, flags: stack.flags & !1 };
        if stack.size == 0 {
            signals.altstack.flags |= 2;
        }
    }
    Ok(saved.rax)
}
