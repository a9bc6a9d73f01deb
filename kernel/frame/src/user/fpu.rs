//! FPU, SSE and AVX state of user threads. The kernel itself does not use these registers.
//!
//! While a thread runs in user mode its state is in the CPU ("live"). A context switch saves it at once, if it is live; it is loaded again on the way to user mode, unless the CPU
//! still has it from before.

use alloc::alloc::{Layout, alloc_zeroed, dealloc};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::arch::asm;
use core::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

use crate::arch::{self, cpuid};
use crate::cpu::features::FEATURES;
use crate::cpu::local::{self, CpuLocal};
use crate::sync::IrqGuard;

/// Size of the FXSAVE area, and of the header that XSAVE adds.
const LEGACY: usize = 512;
const HEADER: usize = 64;
/// Offsets in the FXSAVE area.
const MXCSR: usize = 24;
const MXCSR_MASK: usize = 28;
const SW_RESERVED: usize = 464;
/// Linux's signal frames: arch/x86/include/uapi/asm/sigcontext.h.
const MAGIC1: u32 = 0x4650_5853;
const MAGIC2: u32 = 0x4650_5845;
const DEFAULT_MXCSR: u32 = 0x1f80;
const DEFAULT_FCW: u16 = 0x37f;
/// x87, SSE, AVX, AVX-512. Protection keys and others are not offered to user programs.
const COMPONENTS: u64 = 0b1110_0111;
const X87_SSE: u64 = 3;

static SIZE: AtomicUsize = AtomicUsize::new(LEGACY);
/// XCR0, or 0 without XSAVE.
static XCR0: AtomicU64 = AtomicU64::new(0);
/// Bits of MXCSR that may be set.
static MXCSR_ALLOWED: AtomicU32 = AtomicU32::new(0xffbf);

/// Finds out the size of the state.
pub fn init_boot_cpu() {
    super::init_access();
    init_cpu();
    let xcr0 = XCR0.load(Ordering::Relaxed);
    if xcr0 != 0 {
        // For the components in XCR0 now.
        SIZE.store((cpuid(0xd, 0)[1] as usize).max(LEGACY + HEADER), Ordering::Relaxed);
    }
    if let Some(area) = FpuArea::new() {
        // SAFETY: the area is large enough and aligned.
        unsafe { asm!("fninit", "fxsave64 [{}]", in(reg) area.data, options(nostack)) };
        match area.word(MXCSR_MASK) {
            0 => {}
            mask => MXCSR_ALLOWED.store(mask, Ordering::Relaxed),
        }
    }
}

/// Enables the FPU's extended state on this CPU.
pub fn init_cpu() {
    if FEATURES.xsave.load(Ordering::Relaxed) {
        let [low, _, _, high] = cpuid(0xd, 0);
        let xcr0 = ((high as u64) << 32 | low as u64) & COMPONENTS;
        // SAFETY: XSAVE is there, and the components are supported.
        unsafe {
            arch::write_cr4(arch::read_cr4() | arch::CR4_OSXSAVE);
            arch::xsetbv(0, xcr0);
        }
        XCR0.store(xcr0, Ordering::Relaxed);
    }
}

/// In memory: no CPU has anything newer.
const IN_MEMORY: u32 = 0;

/// The saved state of one thread.
pub struct FpuArea {
    data: *mut u8,
    /// IN_MEMORY, or the number + 1 of the CPU in which the state is live (newer than `data`).
    live: AtomicU32,
    /// Number + 1 of the CPU that had this very state last; 0 when `data` was changed since.
    last: AtomicU32,
}

// SAFETY: `data` is only touched by the thread that owns the UserContext, or, while the state is live, by the CPU that runs that thread.
unsafe impl Send for FpuArea {}
// SAFETY: likewise.
unsafe impl Sync for FpuArea {}

fn layout() -> Option<Layout> {
    Layout::from_size_align(SIZE.load(Ordering::Relaxed), 64).ok()
}

/// The state given to [`super::UserContext::fpu_from_bytes`] is malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadFpuState;

impl FpuArea {
    /// The initial state. None: out of memory.
    pub fn new() -> Option<FpuArea> {
        // SAFETY: the layout's size is not 0.
        let data = unsafe { alloc_zeroed(layout()?) };
        if data.is_null() {
            return None;
        }
        let area = FpuArea { data, live: AtomicU32::new(IN_MEMORY), last: AtomicU32::new(0) };
        area.write_initial();
        Some(area)
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: `data` has so many bytes, initialised; the state is in memory and the owner has no exclusive reference now.
        unsafe { core::slice::from_raw_parts(self.data, SIZE.load(Ordering::Relaxed)) }
    }

    fn word(&self, offset: usize) -> u32 {
        let bytes = self.bytes();
        u32::from_le_bytes([bytes[offset], bytes[offset + 1], bytes[offset + 2], bytes[offset + 3]])
    }

    /// Calls `f` with the bytes, which become the thread's state.
    fn replace(&self, f: impl FnOnce(&mut [u8])) {
        let _irq = IrqGuard::new();
        // What the CPU has is out of date.
        self.live.store(IN_MEMORY, Ordering::Relaxed);
        self.last.store(0, Ordering::Relaxed);
        // SAFETY: `data` has so many bytes; the state is in memory, interrupts are off, and callers have no other reference.
        f(unsafe { core::slice::from_raw_parts_mut(self.data, SIZE.load(Ordering::Relaxed)) });
    }

    fn write_initial(&self) {
        self.replace(|bytes| {
            bytes.fill(0);
            bytes[..2].copy_from_slice(&DEFAULT_FCW.to_le_bytes());
            bytes[MXCSR..MXCSR + 4].copy_from_slice(&DEFAULT_MXCSR.to_le_bytes());
            if let Some(bv) = bytes.get_mut(LEGACY..LEGACY + 8) {
                bv.copy_from_slice(&X87_SSE.to_le_bytes());
            }
        });
    }

    /// Back to the initial state.
    pub fn reset(&self) {
        self.write_initial();
    }

    /// Brings the state to memory.
    fn sync(&self) {
        let _irq = IrqGuard::new();
        let live = self.live.load(Ordering::Relaxed);
        if live != IN_MEMORY {
            assert!(live == local::id() as u32 + 1, "a thread's FPU state is live on another CPU");
            // SAFETY: this CPU has the state.
            unsafe { self.save() };
        }
    }

    /// # Safety
    /// This CPU has the state; interrupts are off.
    unsafe fn save(&self) {
        let xcr0 = XCR0.load(Ordering::Relaxed);
        // SAFETY: the area is aligned and large enough for the components of XCR0; XSAVE is there if XCR0 is not 0.
        unsafe {
            if xcr0 != 0 {
                asm!("xsave64 [{}]", in(reg) self.data, in("eax") xcr0 as u32, in("edx") (xcr0 >> 32) as u32, options(nostack, preserves_flags));
            } else {
                asm!("fxsave64 [{}]", in(reg) self.data, options(nostack, preserves_flags));
            }
        }
        self.live.store(IN_MEMORY, Ordering::Relaxed);
    }

    /// # Safety
    /// The state is in memory and valid (checked where it comes from user space); interrupts are off.
    unsafe fn restore(&self) {
        let xcr0 = XCR0.load(Ordering::Relaxed);
        // SAFETY: as in `save`; only states without reserved bits get here.
        unsafe {
            if xcr0 != 0 {
                asm!("xrstor64 [{}]", in(reg) self.data, in("eax") xcr0 as u32, in("edx") (xcr0 >> 32) as u32, options(nostack, preserves_flags));
            } else {
                asm!("fxrstor64 [{}]", in(reg) self.data, options(nostack, preserves_flags));
            }
        }
    }

    /// A copy for another thread. None: out of memory.
    pub fn duplicate(&self) -> Option<FpuArea> {
        self.sync();
        let copy = FpuArea::new()?;
        copy.replace(|bytes| bytes.copy_from_slice(self.bytes()));
        Some(copy)
    }

    /// See [`super::UserContext::fpu_to_bytes`].
    pub fn to_signal_frame(&self) -> Vec<u8> {
        self.sync();
        let mut out = Vec::with_capacity(signal_frame_size());
        out.extend_from_slice(self.bytes());
        let xcr0 = XCR0.load(Ordering::Relaxed);
        if xcr0 != 0 {
            let size = out.len() as u32;
            out.extend_from_slice(&MAGIC2.to_le_bytes());
            let sw = &mut out[SW_RESERVED..LEGACY];
            sw.fill(0);
            sw[..4].copy_from_slice(&MAGIC1.to_le_bytes());
            sw[4..8].copy_from_slice(&(size + 4).to_le_bytes());
            sw[8..16].copy_from_slice(&xcr0.to_le_bytes());
            sw[16..20].copy_from_slice(&size.to_le_bytes());
        }
        out
    }

    /// See [`super::UserContext::fpu_from_bytes`].
    pub fn set_from_signal_frame(&self, frame: &[u8]) -> Result<(), BadFpuState> {
        let word = |offset: usize| frame.get(offset..offset + 4).and_then(|b| b.try_into().ok()).map(u32::from_le_bytes);
        let legacy = frame.get(..LEGACY).ok_or(BadFpuState)?;
        if word(MXCSR).ok_or(BadFpuState)? & !MXCSR_ALLOWED.load(Ordering::Relaxed) != 0 {
            return Err(BadFpuState);
        }
        let xcr0 = XCR0.load(Ordering::Relaxed);
        let size = SIZE.load(Ordering::Relaxed);
        // As Linux: without both magic words, only the legacy part counts.
        let extended = xcr0 != 0 && frame.len() >= size + 4 && word(SW_RESERVED) == Some(MAGIC1) && word(size) == Some(MAGIC2);
        if extended {
            let header = &frame[LEGACY..LEGACY + HEADER];
            let (bv, rest) = header.split_at(8);
            let bv = bv.iter().rev().fold(0u64, |value, &byte| value << 8 | byte as u64);
            if bv & !xcr0 != 0 || rest.iter().any(|&byte| byte != 0) {
                return Err(BadFpuState);
            }
        }
        self.replace(|bytes| {
            if extended {
                bytes.copy_from_slice(&frame[..size]);
            } else {
                bytes[LEGACY..].fill(0);
                bytes[..LEGACY].copy_from_slice(legacy);
                if let Some(bv) = bytes.get_mut(LEGACY..LEGACY + 8) {
                    bv.copy_from_slice(&X87_SSE.to_le_bytes());
                }
            }
            // Fields the CPU ignores are not kept for the program, which could not tell them from the kernel's.
            bytes[MXCSR_MASK..MXCSR_MASK + 4].copy_from_slice(&MXCSR_ALLOWED.load(Ordering::Relaxed).to_le_bytes());
        });
        Ok(())
    }
}

impl Drop for FpuArea {
    fn drop(&mut self) {
        // No CPU has it: each that does holds a reference.
        if let Some(layout) = layout() {
            // SAFETY: allocated with this layout (the size changes only before the first thread).
            unsafe { dealloc(self.data, layout) };
        }
    }
}

/// Size of what [`FpuArea::to_signal_frame`] gives.
pub fn signal_frame_size() -> usize {
    let size = SIZE.load(Ordering::Relaxed);
    if XCR0.load(Ordering::Relaxed) != 0 { size + 4 } else { size }
}

/// Makes the thread's state live in this CPU, interrupts off; true if the CPU had another thread's before.
#[inline]
pub fn load(area: &Arc<FpuArea>, local: &CpuLocal) -> bool {
    let me = local::id() as u32 + 1;
    // SAFETY: interrupts are off, and no other reference to this CPU's slot is alive.
    let owner = unsafe { &mut *local.fpu_owner.get() };
    let same = owner.as_ref().is_some_and(|owner| Arc::ptr_eq(owner, area));
    if same && area.live.load(Ordering::Relaxed) == me {
        return false;
    }
    load_slow(area, owner, same, me)
}

#[cold]
fn load_slow(area: &Arc<FpuArea>, owner: &mut Option<Arc<FpuArea>>, same: bool, me: u32) -> bool {
    let live = area.live.load(Ordering::Relaxed);
    assert!(live == IN_MEMORY, "a thread's FPU state is live on another CPU");
    if let Some(before) = owner.as_ref().filter(|before| before.live.load(Ordering::Relaxed) == me) {
        // One kernel thread ran two user contexts.
        // SAFETY: this CPU has that state; interrupts are off.
        unsafe { before.save() };
    }
    if !(same && area.last.load(Ordering::Relaxed) == me) {
        // SAFETY: the state is in memory, and valid; interrupts are off.
        unsafe { area.restore() };
        area.last.store(me, Ordering::Relaxed);
        *owner = Some(area.clone());
    }
    area.live.store(me, Ordering::Relaxed);
    !same
}

/// Saves what is live in this CPU; before a context switch, interrupts off.
#[inline]
pub fn save_live() {
    let local = local::get();
    // SAFETY: interrupts are off, and no other reference to this CPU's slot is alive.
    if let Some(owner) = unsafe { &*local.fpu_owner.get() }
        && owner.live.load(Ordering::Relaxed) == local::id() as u32 + 1
    {
        // SAFETY: this CPU has the state.
        unsafe { owner.save() };
    }
}
