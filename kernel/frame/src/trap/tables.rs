//! Descriptor tables of each CPU, and the entry stubs.
//!
//! Selectors are Linux's, since signal frames show them: user data 0x2b, user code 0x33.

use core::arch::{asm, global_asm};
use core::cell::UnsafeCell;
use core::mem::offset_of;
use core::sync::atomic::Ordering;

use crate::arch;
use crate::cpu::features::FEATURES;
use crate::cpu::{MAX_CPUS, local};
use crate::user::UserRegs;

/// Kernel code and data.
const KERNEL_CODE: u16 = 0x10;
const KERNEL_DATA: u16 = 0x18;
/// `sysret` takes user data from this + 8 and user code from this + 16.
const USER_BASE: u16 = 0x23;
pub const USER_DATA: u64 = 0x2b;
pub const USER_CODE: u64 = 0x33;
const TSS: u16 = 0x40;

/// Vectors that get a stack of their own: NMI, double fault, machine check.
const IST: [(u8, u8); 3] = [(2, 1), (8, 2), (18, 3)];
const IST_STACK: usize = 8192;

#[repr(C, align(16))]
struct Stack(UnsafeCell<[u8; IST_STACK]>);
// SAFETY: only used as stacks, each by one CPU.
unsafe impl Sync for Stack {}

/// Stacks of [`IST`], and one for the moment between two threads, of each CPU.
static STACKS: [[Stack; 4]; MAX_CPUS] = [const { [const { Stack(UnsafeCell::new([0; IST_STACK])) }; 4] }; MAX_CPUS];

#[repr(C, align(16))]
struct Idt(UnsafeCell<[[u64; 2]; 256]>);
// SAFETY: written by the boot CPU before it is loaded anywhere.
unsafe impl Sync for Idt {}
static IDT: Idt = Idt(UnsafeCell::new([[0; 2]; 256]));

#[repr(C, packed)]
struct TablePointer {
    limit: u16,
    base: u64,
}

unsafe extern "C" {
    /// 256 stubs of 16 bytes.
    static frame_trap_stubs: u8;
    fn frame_syscall_entry();
    static frame_nmi: u8;
    static frame_fatal_8: u8;
    static frame_fatal_18: u8;
}

fn stack_top(cpu: usize, which: usize) -> u64 {
    STACKS[cpu][which].0.get() as u64 + IST_STACK as u64
}

/// Loads this CPU's descriptor tables and system call entry.
pub fn init_cpu() {
    let local = local::get();
    let cpu = local::id();
    for (i, (_, ist)) in IST.iter().enumerate() {
        // SAFETY: this CPU's own segment; the field is not aligned.
        unsafe { (&raw mut (*local.tss.get()).ist[*ist as usize - 1]).write_unaligned(stack_top(cpu, i)) };
    }
    local.switch_stack.set(stack_top(cpu, 3));
    if cpu == 0 {
        fill_idt();
    }
    let tss = local.tss.get() as u64;
    let limit = size_of::<local::Tss>() as u64 - 1;
    // SAFETY: this CPU's own table, not in use yet; its descriptors are flat segments and this CPU's TSS, the IDT's stubs are in place.
    unsafe {
        *local.gdt.get() = [
            0,
            0x00cf_9b00_0000_ffff, // 0x08 kernel, 32-bit code
            0x00af_9b00_0000_ffff, // 0x10 kernel, 64-bit code
            0x00cf_9300_0000_ffff, // 0x18 kernel, data
            0x00cf_fb00_0000_ffff, // 0x20 user, 32-bit code
            0x00cf_f300_0000_ffff, // 0x28 user, data
            0x00af_fb00_0000_ffff, // 0x30 user, 64-bit code
            0,
            limit | (tss & 0xff_ffff) << 16 | 0x89 << 40 | (tss >> 24 & 0xff) << 56, // 0x40 TSS
            tss >> 32,
        ];
        let gdtr = TablePointer { limit: 10 * 8 - 1, base: local.gdt.get() as u64 };
        let idtr = TablePointer { limit: 256 * 16 - 1, base: IDT.0.get() as u64 };
        asm!(
            "lgdt [{gdtr}]",
            "lidt [{idtr}]",
            "push {code}",
            "lea {tmp}, [rip + 2f]",
            "push {tmp}",
            "retfq",
            "2:",
            "mov ds, {data:e}",
            "mov es, {data:e}",
            "mov ss, {data:e}",
            "ltr {tss:x}",
            gdtr = in(reg) &raw const gdtr,
            idtr = in(reg) &raw const idtr,
            code = in(reg) KERNEL_CODE as u64,
            data = in(reg) KERNEL_DATA as u32,
            tss = in(reg) TSS,
            tmp = out(reg) _,
        );
        // Trap, interrupt, direction, I/O privilege, nested task, alignment check.
        const FLAGS_CLEARED: u64 = 1 << 8 | 1 << 9 | 1 << 10 | 3 << 12 | 1 << 14 | 1 << 18;
        arch::wrmsr(arch::MSR_EFER, arch::rdmsr(arch::MSR_EFER) | arch::EFER_SCE);
        arch::wrmsr(arch::MSR_STAR, (USER_BASE as u64) << 48 | (KERNEL_CODE as u64) << 32);
        arch::wrmsr(arch::MSR_LSTAR, frame_syscall_entry as *const () as u64);
        arch::wrmsr(arch::MSR_CSTAR, 0);
        arch::wrmsr(arch::MSR_SFMASK, FLAGS_CLEARED);
    }
}

fn fill_idt() {
    const PRESENT_INTERRUPT_GATE: u64 = 0x8e;
    const USER_ALLOWED: u64 = 0x60;
    let gate = |target: u64, ist: u64, extra: u64| {
        let low = target & 0xffff | (KERNEL_CODE as u64) << 16 | ist << 32 | (PRESENT_INTERRUPT_GATE | extra) << 40 | (target >> 16 & 0xffff) << 48;
        [low, target >> 32]
    };
    // SAFETY: the boot CPU, before the table is loaded.
    let idt = unsafe { &mut *IDT.0.get() };
    let stubs = &raw const frame_trap_stubs as u64;
    for (vector, entry) in idt.iter_mut().enumerate() {
        // int3 and into may be executed by user programs.
        let extra = if vector == 3 || vector == 4 { USER_ALLOWED } else { 0 };
        *entry = gate(stubs + vector as u64 * 16, 0, extra);
    }
    let special = [&raw const frame_nmi, &raw const frame_fatal_8, &raw const frame_fatal_18];
    for ((vector, ist), target) in IST.iter().zip(special) {
        idt[*vector as usize] = gate(target as u64, *ist as u64, 0);
    }
}

/// Resets the CPU by an exception without a table.
pub fn triple_fault() -> ! {
    let idtr = TablePointer { limit: 0, base: 0 };
    // SAFETY: this is the end.
    unsafe { asm!("lidt [{}]", "int3", in(reg) &raw const idtr) };
    arch::halt_forever()
}

/// With SMAP, makes user memory inaccessible again after a trap that may have come with the flag for it set.
#[inline]
pub fn close_user_memory() {
    if FEATURES.smap.load(Ordering::Relaxed) {
        // SAFETY: SMAP is there.
        unsafe { asm!("clac", options(nostack)) };
    }
}

macro_rules! reg {
    ($name:ident) => {
        offset_of!(UserRegs, $name)
    };
}

global_asm!(
    include_str!("entry.s"),
    SCRATCH = const local::OFFSET_SCRATCH,
    KERNEL_RSP = const local::OFFSET_KERNEL_RSP,
    USER_REGS = const local::OFFSET_USER_REGS,
    RSP0 = const local::OFFSET_RSP0,
    USER_CODE = const USER_CODE,
    USER_DATA = const USER_DATA,
    RAX = const reg!(rax), RBX = const reg!(rbx), RCX = const reg!(rcx), RDX = const reg!(rdx),
    RSI = const reg!(rsi), RDI = const reg!(rdi), RBP = const reg!(rbp), R8 = const reg!(r8),
    R9 = const reg!(r9), R10 = const reg!(r10), R11 = const reg!(r11), R12 = const reg!(r12),
    R13 = const reg!(r13), R14 = const reg!(r14), R15 = const reg!(r15), RSP = const reg!(rsp),
    RIP = const reg!(rip), RFLAGS = const reg!(rflags),
);
