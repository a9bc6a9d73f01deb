//! The serial line `/dev/ttyS0`: a 16550 at 0x3f8. Input comes by interrupt. Output is polled while the line takes it at once, as an emulated one does; while it
//! does not (whoever reads it has stopped), writers sleep until the interrupt says that it is empty.

use alloc::boxed::Box;
use alloc::sync::Arc;

use frame::io::Port;

use super::{Driver, Terminal};
use crate::log;
use crate::fs::Events;
use crate::sync::{Once, SpinLock, WaitQueue};

const BASE: u16 = 0x3f8;
const IRQ: u8 = 4;
/// Interrupt enable.
const IER: u16 = BASE + 1;
const IER_DATA: u8 = 1;
const IER_THR_EMPTY: u8 = 2;
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
/// Looks at the line's state before a writer sleeps: an emulated line is empty at the first, a real one after a few hundred.
const PATIENCE: u32 = 500;
/// Bytes offered at once while the line is empty.
const ROOM: usize = 4096;

struct Uart {
    /// One writer at a time.
    transmit: SpinLock<()>,
    /// Woken when the line is empty, after it was not.
    empty: WaitQueue,
}

impl Driver for Uart {
    fn write(&self, bytes: &[u8]) -> usize {
        let mut done = 0;
        for chunk in bytes.chunks(FIFO) {
            let _one = self.transmit.lock();
            if !(0..PATIENCE).any(|_| is_empty()) {
                break;
            }
            for byte in chunk {
                Port(BASE).write_u8(*byte);
            }
            done += chunk.len();
        }
        done
    }

    fn room(&self) -> usize {
        if is_empty() {
            return ROOM;
        }
        // The interrupt comes at once where the line has become empty meanwhile.
        Port(IER).write_u8(IER_DATA | IER_THR_EMPTY);
        0
    }

    fn room_event(&self) -> Option<WaitQueue> {
        Some(self.empty.clone())
    }
}

fn is_empty() -> bool {
    Port(LSR).read_u8() & LSR_THR_EMPTY != 0
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
    let empty = WaitQueue::new();
    let terminal = Terminal::new(DEVICE, "/dev/ttyS0".into(), Arc::new(Uart { transmit: SpinLock::new(()), empty: empty.clone() }));
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
            if is_empty() {
                Port(IER).write_u8(IER_DATA);
                empty.wake_events(Events::OUT | Events::WRNORM);
            }
            receiver.receive(&bytes[..len]);
        }),
    );
    if let Err(error) = frame::irq::route_isa(IRQ, vector, 0) {
        log::warning!("ttyS0: cannot route its interrupt ({error:?}), no input");
    }
    frame::irq::unmask_isa(IRQ);
    Port(MCR).write_u8(0x0b);
    Port(IER).write_u8(IER_DATA);
    Some(terminal)
}
