//! Starting the other CPUs: INIT, STARTUP, and a trampoline in low memory (see `boot/entry.s`).

use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering};

use frame_logic::acpi::{MadtEntry, madt_entries};

use super::{MAX_CPUS, local};
use crate::acpi::acpi_table;
use crate::irq::lapic::{self, Ipi};
use crate::mm::{DIRECT_MAP, kernel_map};
use crate::task::KERNEL_STACK_SIZE;
use crate::{arch, time, trap, user};

/// Where the trampoline is copied; below 1 MiB, so never handed out.
const TRAMPOLINE: u64 = 0x8000;

unsafe extern "C" {
    static ap_trampoline: u8;
    static ap_trampoline_end: u8;
    /// Read by the trampoline: stack and number of the CPU being started, features and root table.
    static ap_start_stack: AtomicU64;
    static ap_start_id: AtomicUsize;
    static ap_start_efer: AtomicU64;
    static ap_start_root: AtomicU64;
}

/// The kernel's function for other CPUs.
static MAIN: AtomicPtr<()> = AtomicPtr::new(core::ptr::null_mut());
/// The CPU being started has come up.
static UP: AtomicBool = AtomicBool::new(false);

/// APIC ids of all CPUs the firmware reports.
fn apic_ids() -> Vec<u32> {
    let ids = madt_entries(acpi_table("APIC").unwrap_or(&[])).filter_map(|entry| match entry {
        MadtEntry::LocalApic { id } => Some(id),
        _ => None,
    });
    ids.collect()
}

/// Number of CPUs the firmware reports (at most [`MAX_CPUS`]).
pub fn possible() -> usize {
    apic_ids().len().clamp(1, MAX_CPUS)
}

/// Starts the other CPUs; each calls `main(cpu)` with interrupts enabled and must stay there. Returns when all that respond are up; gives their number with this one.
/// Once, from the boot CPU.
pub fn start_others(main: fn(cpu: usize) -> !) -> usize {
    if MAIN.swap(main as *mut (), Ordering::AcqRel).is_null() {
        start_all();
    }
    super::count()
}

fn start_all() {
    let start = &raw const ap_trampoline;
    let len = &raw const ap_trampoline_end as usize - start as usize;
    // SAFETY: the trampoline's page is RAM below 1 MiB, which is never handed out; the code is linked at its physical address.
    unsafe { core::ptr::copy_nonoverlapping((DIRECT_MAP + start as u64) as *const u8, (DIRECT_MAP + TRAMPOLINE) as *mut u8, len) };
    let me = local::get().apic_id.load(Ordering::Relaxed);
    for id in apic_ids().into_iter().filter(|&id| id != me) {
        let cpu = super::count();
        if cpu == MAX_CPUS {
            crate::println!("frame: only {MAX_CPUS} CPUs are used");
            break;
        }
        // A late CPU would use the next one's stack: after the first that does not answer no more are started.
        if !start_one(cpu, id) {
            crate::println!("frame: the CPU with APIC id {id} does not start; going on with {cpu}");
            break;
        }
    }
}

fn start_one(cpu: usize, apic_id: u32) -> bool {
    const MS: u64 = 1_000_000;
    let Some(stack) = kernel_map::map_stack(KERNEL_STACK_SIZE) else { return false };
    UP.store(false, Ordering::Release);
    // SAFETY: these are read by the trampoline only.
    unsafe {
        ap_start_stack.store(stack + KERNEL_STACK_SIZE as u64, Ordering::Release);
        ap_start_id.store(cpu, Ordering::Release);
        ap_start_efer.store(arch::rdmsr(arch::MSR_EFER), Ordering::Release);
        ap_start_root.store(kernel_map::root_paddr(), Ordering::Release);
    }
    lapic::send(apic_id, Ipi::Init);
    time::spin_until(time::now_ns() + 10 * MS, || false);
    // A second STARTUP only if the first was missed.
    [10, 5000].into_iter().any(|timeout_ms| {
        lapic::send(apic_id, Ipi::Startup((TRAMPOLINE >> 12) as u8));
        time::spin_until(time::now_ns() + timeout_ms * MS, || UP.load(Ordering::Acquire))
    })
}

/// Called by the trampoline on the new CPU, interrupts off.
#[unsafe(no_mangle)]
extern "C" fn frame_boot_ap(cpu: u32) -> ! {
    // SAFETY: this CPU's first act; its number is its own.
    unsafe { local::init(cpu as usize) };
    trap::init_cpu();
    kernel_map::init_cpu();
    lapic::init_cpu();
    user::fpu::init_cpu();
    time::init_cpu_timer();
    local::COUNT.store(cpu as usize + 1, Ordering::Release);
    UP.store(true, Ordering::Release);
    // SAFETY: stored by `start_others` before any CPU was started.
    let main = unsafe { core::mem::transmute::<*mut (), fn(usize) -> !>(MAIN.load(Ordering::Acquire)) };
    // SAFETY: no guard is alive, everything interrupts need is in place.
    unsafe { arch::sti() };
    main(cpu as usize)
}
