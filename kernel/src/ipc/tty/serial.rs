//! The serial line `/dev/ttyS0`: a 16550 at 0x3f8, interrupt-driven input, polled output.

use alloc::boxed::Box;
use alloc::sync::Arc;

use frame::io::Port;

use super::{Driver, Terminal};
use crate::log;
use crate::sync::{Once, SpinLock};

const BASE: u16 = 0x3f8;
const IRQ: u8 = 4;
/// Interrupt enable: data available.
const IER: u16 = BASE + 1;
/// Modem control: DTR, RTS, OUT2 (lets interrupts through).
const MCR: u16 = BASE + 4;
/// Line status.
const LSR: u16 = BASE + 5;
const LSR_DATA: u8 = 1;
const LSR_THR_EMPTY: u8 = 0x20;
/// Device number 4:64.
const DEVICE: u32 = 4 << 8 | 64;
/// Bytes the transmit FIFO takes once it is empty.
const FIFO: usize = 16;

struct Uart {
    /// One writer at a time.
    transmit: SpinLock<()>,
}

impl Driver for Uart {
    fn write(&self, bytes: &[u8]) -> usize {
        for chunk in bytes.chunks(FIFO) {
            let _one = self.transmit.lock();
            let mut patience = 1_000_000u32;
            while Port(LSR).read_u8() & LSR_THR_EMPTY == 0 && patience > 0 {
                patience -= 1;
            }
            for byte in chunk {
                Port(BASE).write_u8(*byte);
            }
        }
        bytes.len()
    }

    fn room(&self) -> usize {
        4096
    }
}

static TERMINAL: Once<Option<Arc<Terminal>>> = Once::new();

/// The terminal on the serial line; `None` where there is no UART.
pub fn terminal() -> Option<Arc<Terminal>> {
    TERMINAL.get_or_init(start).clone()
}

fn start() -> Option<Arc<Terminal>> {
    // An absent port reads as all ones.
    if Port(LSR).read_u8() == 0xff {
        return None;
    }
    let terminal = Terminal::new(DEVICE, "/dev/ttyS0".into(), Arc::new(Uart { transmit: SpinLock::new(()) }));
    let receiver = terminal.clone();
    let vector = match frame::irq::alloc_vector() {
        Ok(vector) => vector,
        Err(error) => {
            log::warning!("ttyS0: no interrupt vector ({error:?}), no input");
            return Some(terminal);
        }
    };
    frame::irq::register(
        vector,
        Box::new(move || {
            let mut bytes = [0u8; 64];
            let mut len = 0;
            while Port(LSR).read_u8() & LSR_DATA != 0 && len < bytes.len() {
                bytes[len] = Port(BASE).read_u8();
                len += 1;
            }
            receiver.receive(&bytes[..len]);
        }),
    );
    if let Err(error) = frame::irq::route_isa(IRQ, vector, 0) {
        log::warning!("ttyS0: cannot route its interrupt ({error:?}), no input");
    }
    frame::irq::unmask_isa(IRQ);
    Port(MCR).write_u8(0x0b);
    Port(IER).write_u8(1);
    Some(terminal)
}
