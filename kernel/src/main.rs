//! The kernel's entry point.
#![no_std]
#![no_main]
#![deny(unsafe_code)]

extern crate alloc;

frame::entry!(kernel_main);

fn kernel_main(boot: &'static frame::BootInfo) -> ! {
    frame::println!("kernel_main: {:?}, command line {:?}", boot.source, boot.cmdline);
    frame::power::exit_qemu(0)
}
