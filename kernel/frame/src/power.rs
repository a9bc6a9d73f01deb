//! Leaving the machine.

/// Ends QEMU by its isa-debug-exit device (port 0xf4): the exit status is `code << 1 | 1`. Where the device is missing, powers off.
pub fn exit_qemu(code: u8) -> ! {
    let _ = code;
    todo!()
}

/// Restarts the machine (ACPI reset register, keyboard controller, triple fault).
pub fn reboot() -> ! {
    todo!()
}

/// Turns the machine off by ACPI's S5 state; halts where that does not work.
pub fn poweroff() -> ! {
    todo!()
}

/// Stops all CPUs for good.
pub fn halt() -> ! {
    todo!()
}
