//! The early console: the serial port at 0x3f8, polled; and where the kernel's messages go later.

use core::fmt::{self, Write};
use core::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

use crate::io::Port;
use crate::sync::SpinLock;

const COM1: u16 = 0x3f8;

/// No serial port: reads gave 0xff.
static MISSING: AtomicBool = AtomicBool::new(false);

/// Sets the port to 115200 baud, 8N1, FIFO on.
pub(crate) fn init() {
    let write = |register: u16, value: u8| Port(COM1 + register).write_u8(value);
    write(1, 0x00);
    write(3, 0x80);
    write(0, 1);
    write(1, 0);
    write(3, 0x03);
    write(2, 0xc7);
    write(4, 0x0b);
    MISSING.store(Port(COM1 + 5).read_u8() == 0xff, Ordering::Relaxed);
}

/// Whoever reads the line has stopped: what is written is lost until it goes on, rather than the machine stopped.
static STALLED: AtomicBool = AtomicBool::new(false);

fn put(byte: u8) {
    const TRANSMITTER_EMPTY: u8 = 1 << 5;
    /// Some tens of milliseconds; a slow line takes its 16 bytes in two.
    const PATIENCE: u32 = 50_000;
    let looks = if STALLED.load(Ordering::Relaxed) { 1 } else { PATIENCE };
    let is_empty = (0..looks).any(|_| {
        core::hint::spin_loop();
        Port(COM1 + 5).read_u8() & TRANSMITTER_EMPTY != 0
    });
    STALLED.store(!is_empty, Ordering::Relaxed);
    if is_empty {
        Port(COM1).write_u8(byte);
    }
}

/// Writes to the serial port at once, busy-waiting. Works in any context, also in a panic. Newlines become CR LF.
pub fn write_str(text: &str) {
    if MISSING.load(Ordering::Relaxed) {
        return;
    }
    for byte in text.bytes() {
        if byte == b'\n' {
            put(b'\r');
        }
        put(byte);
    }
}

/// The sink, null for the serial port.
static SINK: AtomicPtr<()> = AtomicPtr::new(core::ptr::null_mut());
/// Keeps lines of several CPUs apart.
static LINE: SpinLock<()> = SpinLock::new(());

/// Sends what [`print!`](crate::print) writes to `sink` from now on (None: back to the serial port). The sink is called in any context, also with
/// locks held and in interrupt handlers: it must not block. Panics always go to the serial port.
pub fn set_sink(sink: Option<fn(&str)>) {
    SINK.store(sink.map_or(core::ptr::null_mut(), |f| f as *mut ()), Ordering::Release);
}

struct Writer {
    sink: Option<fn(&str)>,
}

impl Write for Writer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        match self.sink {
            Some(sink) => sink(text),
            None => write_str(text),
        }
        Ok(())
    }
}

/// What [`print!`](crate::print) calls.
pub fn print(args: fmt::Arguments) {
    let raw = SINK.load(Ordering::Acquire);
    // SAFETY: SINK is null or was made from such a function pointer.
    let sink = (!raw.is_null()).then(|| unsafe { core::mem::transmute::<*mut (), fn(&str)>(raw) });
    // Formatting may print in turn (a panic in Debug): do not wait for ourselves, mix instead.
    let _line = if sink.is_none() { LINE.try_lock() } else { None };
    let _ = Writer { sink }.write_fmt(args);
}

/// Prints to the serial port, whatever the sink: for panics.
pub(crate) fn print_raw(args: fmt::Arguments) {
    let _ = Writer { sink: None }.write_fmt(args);
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
