//! The early console: the serial port at 0x3f8, polled; and where the kernel's messages go later.

use core::fmt;

/// Writes to the serial port at once, busy-waiting. Works in any context, also in a panic.
pub fn write_str(text: &str) {
    let _ = text;
    todo!()
}

/// Sends what [`print!`](crate::print) writes to `sink` from now on (None: back to the serial port). The sink is called in any context, also with
/// locks held and in interrupt handlers: it must not block. Panics always go to the serial port.
pub fn set_sink(sink: Option<fn(&str)>) {
    let _ = sink;
    todo!()
}

/// What [`print!`](crate::print) calls.
pub fn print(args: fmt::Arguments) {
    let _ = args;
    todo!()
}

/// Prints to the kernel's log.
#[macro_export]
macro_rules! print { ($($arg:tt)*) => { $crate::log::print(::core::format_args!($($arg)*)) }; }

/// Prints a line to the kernel's log.
#[macro_export]
macro_rules! println {
    () => { $crate::print!("\n") };
    ($($arg:tt)*) => { $crate::log::print(::core::format_args!("{}\n", ::core::format_args!($($arg)*))) };
}
