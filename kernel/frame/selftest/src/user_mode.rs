//! User programs, assembled by hand.

use core::sync::atomic::{AtomicU64, Ordering};

use frame::mm::Frame;
use frame::paging::{self, MapTarget, PageTable, PteFlags};
use frame::sync::SpinLock;
use frame::user::{self, AtomicOp, StrError, TrapReason, UserContext, UserFault};

use crate::page_tables::RW;

pub const CODE: u64 = 0x40_0000;
pub const DATA: u64 = 0x50_0000;

/// A table with a page of code and one of data, active.
pub fn program(code: &[u8]) -> (PageTable, UserContext) {
    let table = PageTable::new().expect("a table");
    let mut tlb = table.gather();
    let text = Frame::alloc_zeroed().expect("a frame");
    text.write(0, code);
    let data = Frame::alloc_zeroed().expect("a frame");
    assert!(table.map(CODE, MapTarget::Ram(text), PteFlags::READ | PteFlags::EXEC, &mut tlb).is_ok());
    assert!(table.map(DATA, MapTarget::Ram(data), RW, &mut tlb).is_ok());
    drop(tlb);
    table.activate();
    let mut context = UserContext::new().expect("a context");
    context.regs.rip = CODE;
    context.regs.rsp = DATA + 4096;
    (table, context)
}

/// mov eax, 39; syscall; inc rbx; jmp to the start
pub const GETPPID_LOOP: &[u8] = &[0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0x48, 0xff, 0xc3, 0xeb, 0xf4];

pub fn system_calls() {
    let (_table, mut context) = program(GETPPID_LOOP);
    context.regs.r12 = 0x1234_5678_9abc_def0;
    for i in 0..100 {
        assert_eq!(context.run(), TrapReason::Syscall);
        assert_eq!((context.regs.rax, context.regs.rip, context.regs.rbx), (39, CODE + 7, i));
        assert_eq!((context.regs.r12, context.regs.rsp), (0x1234_5678_9abc_def0, DATA + 4096));
        if i % 3 == 0 {
            // Forces the way back by iret.
            context.regs.rcx = 1;
        }
    }
    assert_eq!(context.run_unless(|| true), TrapReason::Interrupt);

    // The timer interrupts an endless loop: jmp to itself.
    let (_table, mut context) = program(&[0xeb, 0xfe]);
    // Armed with interrupts off, so that it fires in user mode however slow we are.
    let arm = || {
        frame::time::arm_timer(frame::time::now_ns() + 2_000_000);
        false
    };
    assert_eq!(context.run_unless(arm), TrapReason::Interrupt);
    assert_eq!(context.regs.rip, CODE);

    // mov rax, fs:[0]; mov rbx, gs:[8]; syscall
    let code = [0x64, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0, 0x65, 0x48, 0x8b, 0x1c, 0x25, 8, 0, 0, 0, 0x0f, 0x05];
    let (_table, mut context) = program(&code);
    context.regs.fs_base = DATA;
    context.regs.gs_base = DATA + 0x100;
    user::write_u64(DATA, 111).expect("data");
    user::write_u64(DATA + 0x108, 222).expect("data");
    assert_eq!(context.run(), TrapReason::Syscall);
    assert_eq!((context.regs.rax, context.regs.rbx), (111, 222));
    paging::activate_none();
}

pub fn faults() {
    let fault = |code: &[u8]| {
        let (table, mut context) = program(code);
        let reason = context.run();
        paging::activate_none();
        drop(table);
        (reason, context)
    };
    let exception = |vector, error| TrapReason::Exception { vector, error };
    let page_fault = |addr, write, exec, present| TrapReason::PageFault { addr, write, exec, present };
    // mov rax, [0x10]
    assert_eq!(fault(&[0x48, 0x8b, 0x04, 0x25, 0x10, 0, 0, 0]).0, page_fault(0x10, false, false, false));
    // mov [rip], rax: the code itself
    assert_eq!(fault(&[0x48, 0x89, 0x05, 0, 0, 0, 0]).0, page_fault(CODE + 7, true, false, true));
    // jmp to DATA (rax): not executable
    assert_eq!(fault(&[0xb8, 0, 0, 0x50, 0, 0xff, 0xe0]).0, page_fault(DATA, false, true, true));
    // mov rax, [0xffff800000000000 + 0]: the kernel's half
    let (reason, _) = fault(&[0x48, 0xb8, 0, 0, 0, 0, 0, 0x80, 0xff, 0xff, 0x48, 0x8b, 0x00]);
    assert!(matches!(reason, TrapReason::PageFault { addr: 0xffff_8000_0000_0000, present: true, .. }), "{reason:?}");
    assert_eq!(fault(&[0x0f, 0x0b]).0, exception(6, 0));
    // xor eax, eax; div eax
    assert_eq!(fault(&[0x31, 0xc0, 0xf7, 0xf0]).0, exception(0, 0));
    assert_eq!(fault(&[0xf4]).0, exception(13, 0));
    // cli; in al, dx
    assert_eq!(fault(&[0xfa]).0, exception(13, 0));
    assert_eq!(fault(&[0xec]).0, exception(13, 0));
    assert_eq!(fault(&[0xcc]).0, exception(3, 0));
    // int 0x80: not offered
    assert!(matches!(fault(&[0xcd, 0x80]).0, TrapReason::Exception { vector: 13, .. }));
    // A non-canonical address.
    assert_eq!(fault(&[0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x48, 0x8b, 0x00]).0, exception(13, 0));

    // Registers a program must not have: nothing happens to the kernel.
    let (_table, mut context) = program(GETPPID_LOOP);
    context.regs.rflags = !(1 << 8);
    context.regs.fs_base = u64::MAX;
    context.regs.gs_base = 1 << 63;
    assert_eq!(context.run(), TrapReason::Syscall);
    for rip in [u64::MAX, 1 << 47, 1 << 63] {
        context.regs.rip = rip;
        context.regs.rcx = rip;
        context.regs.r11 = context.regs.rflags;
        assert_eq!(context.run(), exception(13, 0));
    }
    // Single step: the trap flag, once for each instruction, and not in the kernel. The code is DR6's bit for it.
    let (_table, mut context) = program(&[0x90, 0x90, 0x0f, 0x05]);
    context.regs.rflags = 1 << 8;
    assert_eq!(context.run(), exception(1, 1 << 14));
    assert_eq!(context.regs.rip, CODE + 1);
    assert_eq!(context.run(), exception(1, 1 << 14));
    assert_eq!(context.run(), TrapReason::Syscall);
    paging::activate_none();
}

/// The page the hook maps when the kernel touches it.
const LAZY: u64 = 0x60_0000;
static TABLE: SpinLock<Option<PageTable>> = SpinLock::new(None);
static FAULTS: AtomicU64 = AtomicU64::new(0);

/// The frame's hook.
pub fn resolve_fault(addr: u64, _write: bool, _exec: bool) -> bool {
    FAULTS.fetch_add(1, Ordering::Relaxed);
    if addr & !4095 != LAZY {
        return false;
    }
    let frame = Frame::alloc_zeroed().expect("a frame");
    let table = TABLE.lock();
    table.as_ref().is_some_and(|table| table.map_if_empty(LAZY, MapTarget::Ram(frame), RW) == Ok(true))
}

pub fn memory() {
    let (table, _context) = program(&[]);
    *TABLE.lock() = Some(table);
    user::copy_to_user(DATA, b"a string\0and more").expect("data");
    assert_eq!(user::strncpy_from_user(DATA, 100).as_deref(), Ok(b"a string".as_slice()));
    assert_eq!(user::strncpy_from_user(DATA, 8), Err(StrError::TooLong));
    assert_eq!(user::strncpy_from_user(DATA, 9).as_deref(), Ok(b"a string".as_slice()));
    user::copy_to_user(DATA + 4090, b"end!").expect("data");
    user::write_u8(DATA + 4094, b'x').expect("data");
    user::write_u8(DATA + 4095, b'x').expect("data");
    assert_eq!(user::strncpy_from_user(DATA + 4090, 100), Err(StrError::Fault));
    user::write_u8(DATA + 4095, 0).expect("data");
    assert_eq!(user::strncpy_from_user(DATA + 4090, 100).as_deref(), Ok(b"end!x".as_slice()));

    let mut buffer = [7; 300];
    for bad in [0, DATA + 4096, frame::mm::USER_END - 10, frame::mm::USER_END, u64::MAX - 5, 1 << 47, 0xffff_8000_0000_0000, 1 << 63] {
        assert_eq!(user::copy_from_user(&mut buffer, bad), Err(UserFault), "{bad:#x}");
        assert_eq!(user::copy_to_user(bad, &buffer), Err(UserFault), "{bad:#x}");
        assert_eq!(user::read_u64(bad), Err(UserFault));
        assert_eq!(user::zero_user(bad, 300), Err(UserFault));
        assert_eq!(user::atomic_cmpxchg_u32(bad & !3, 0, 1), Err(UserFault));
    }
    assert_eq!(user::copy_to_user(CODE, &buffer), Err(UserFault), "read-only");
    assert_eq!(user::copy_to_user(u64::MAX, &[]), Err(UserFault));
    assert!(user::copy_to_user(DATA, &[]).is_ok());
    for len in [1usize, 7, 8, 63, 64, 65, 127, 300] {
        let data: alloc::vec::Vec<u8> = (0..len).map(|i| i as u8 ^ 0x5a).collect();
        user::copy_to_user(DATA + 3, &data).expect("data");
        let mut back = alloc::vec![0; len];
        user::copy_from_user(&mut back, DATA + 3).expect("data");
        assert_eq!(data, back);
        user::zero_user(DATA + 3, len).expect("data");
        user::copy_from_user(&mut back, DATA + 3).expect("data");
        assert!(back.iter().all(|&b| b == 0));
    }

    user::write_u32(DATA + 16, 5).expect("data");
    assert_eq!(user::atomic_cmpxchg_u32(DATA + 16, 5, 9), Ok(5));
    assert_eq!(user::atomic_cmpxchg_u32(DATA + 16, 5, 1), Ok(9));
    assert_eq!(user::atomic_op_u32(DATA + 16, AtomicOp::Add, u32::MAX), Ok(9));
    assert_eq!(user::atomic_op_u32(DATA + 16, AtomicOp::AndNot, 8), Ok(8));
    assert_eq!(user::read_u32(DATA + 16), Ok(0));
    assert_eq!(user::atomic_op_u32(DATA + 17, AtomicOp::Set, 1), Err(UserFault));

    let before = FAULTS.load(Ordering::Relaxed);
    {
        let lock = SpinLock::new(());
        let _held = lock.lock();
        assert_eq!(user::read_u8(LAZY), Err(UserFault), "with a lock held the hook is not called");
        assert_eq!(FAULTS.load(Ordering::Relaxed), before);
    }
    user::copy_to_user(LAZY, b"lazily").expect("the hook maps it");
    assert_eq!(FAULTS.load(Ordering::Relaxed), before + 1);
    let frame = Frame::alloc_zeroed().expect("a frame");
    frame.copy_from_user(10, LAZY, 6).expect("mapped");
    frame.copy_to_user(10, LAZY + 100, 6).expect("mapped");
    assert_eq!(user::strncpy_from_user(LAZY + 100, 10).as_deref(), Ok(b"lazily".as_slice()));
    assert_eq!(frame.copy_to_user(4090, DATA + 4094, 6), Err(UserFault));
    paging::activate_none();
    *TABLE.lock() = None;
}

pub fn fpu() {
    // movq xmm0, rax; movq xmm7, rax; syscall; movq rbx, xmm0; movq rdx, xmm7; syscall
    let code = [
        0x66, 0x48, 0x0f, 0x6e, 0xc0, 0x66, 0x48, 0x0f, 0x6e, 0xf8, 0x0f, 0x05, 0x66, 0x48, 0x0f, 0x7e, 0xc3, 0x66, 0x48, 0x0f, 0x7e, 0xfa, 0x0f, 0x05,
    ];
    let (_table, mut first) = program(&code);
    let mut second = first.try_clone().expect("memory");
    first.regs.rax = 0x1111;
    second.regs.rax = 0x2222;
    assert_eq!((first.run(), second.run()), (TrapReason::Syscall, TrapReason::Syscall));
    let mut third = first.try_clone().expect("memory");
    let mut fourth = second.try_clone().expect("memory");
    let saved = first.fpu_to_bytes();
    assert_eq!(saved.len(), UserContext::fpu_size());
    // Register 0 is at 160 in the FXSAVE area.
    assert_eq!(saved[160..162], [0x11, 0x11]);
    fourth.fpu_reset();
    let mut fifth = fourth.try_clone().expect("memory");
    fifth.fpu_from_bytes(&saved).expect("our own state");
    for (context, want) in [(&mut first, 0x1111), (&mut second, 0x2222), (&mut third, 0x1111), (&mut fourth, 0), (&mut fifth, 0x1111)] {
        assert_eq!(context.run(), TrapReason::Syscall);
        assert_eq!((context.regs.rbx, context.regs.rdx), (want, want));
    }
    // Malformed states are refused; plain FXSAVE areas are taken.
    let mut bad = saved.clone();
    bad[27] = 0xff;
    assert!(fifth.fpu_from_bytes(&bad).is_err() && fifth.fpu_from_bytes(&saved[..511]).is_err());
    assert!(fifth.fpu_from_bytes(&saved[..512]).is_ok());
    if saved.len() > 512 {
        for (offset, value) in [(512 + 7, 0x80), (512 + 15, 0x80), (512 + 30, 1)] {
            let mut bad = saved.clone();
            bad[offset] = value;
            assert!(fifth.fpu_from_bytes(&bad).is_err(), "offset {offset}");
        }
    }
    paging::activate_none();
}
