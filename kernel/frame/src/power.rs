//! Leaving the machine.

use crate::io::Port;
use crate::{acpi, arch, cpu};

const DEBUG_EXIT: Port = Port(0xf4);

/// Ends QEMU by its isa-debug-exit device (port 0xf4): the exit status is `code << 1 | 1`. Where the device is missing, powers off.
pub fn exit_qemu(code: u8) -> ! {
    DEBUG_EXIT.write_u32(code as u32);
    poweroff()
}

/// Restarts the machine (ACPI reset register, chipset reset port, keyboard controller, triple fault).
pub fn reboot() -> ! {
    arch::cli();
    cpu::ipi::stop_others();
    if let Some((port, value)) = acpi::fadt().and_then(|fadt| fadt.reset) {
        Port(port).write_u8(value);
        wait();
    }
    Port(0xcf9).write_u8(0x06);
    wait();
    Port(0x64).write_u8(0xfe);
    wait();
    crate::trap::triple_fault()
}

/// Turns the machine off by ACPI's S5 state; halts where that does not work.
pub fn poweroff() -> ! {
    arch::cli();
    cpu::ipi::stop_others();
    if let (Some(fadt), Some((type_a, type_b))) = (acpi::fadt(), acpi::s5_sleep_types()) {
        const SCI_ENABLE: u16 = 1;
        const SLEEP_ENABLE: u16 = 1 << 13;
        let control = Port(fadt.pm1a_control);
        if fadt.smi_command != 0 && control.read_u16() & SCI_ENABLE == 0 {
            Port(fadt.smi_command).write_u8(fadt.acpi_enable);
            for _ in 0..1_000_000 {
                if control.read_u16() & SCI_ENABLE != 0 {
                    break;
                }
            }
        }
        control.write_u16((type_a as u16) << 10 | SLEEP_ENABLE);
        if fadt.pm1b_control != 0 {
            Port(fadt.pm1b_control).write_u16((type_b as u16) << 10 | SLEEP_ENABLE);
        }
        wait();
    }
    crate::log::print_raw(format_args!("the machine may be turned off now\n"));
    arch::halt_forever()
}

/// Stops all CPUs for good.
pub fn halt() -> ! {
    arch::cli();
    cpu::ipi::stop_others();
    arch::halt_forever()
}

/// Gives the machine time to obey: about a tenth of a second (port 0x80 takes about a microsecond on hardware).
fn wait() {
    for _ in 0..100_000 {
        Port(0x80).write_u8(0);
    }
}
