//! The device's two queues: commands, which are answered, and the cursor's, which are not waited for.

use crate::protocol::{self, HEADER, MOST_ANSWER, answer};
use driver::dma::DmaMemory;
use std::io;
use std::time::{Duration, Instant};
use virtio::{Allocate, DeviceError, QueueError, Segment, SplitQueue, Transport, queue_size};

/// Commands sent together.
pub const BATCH: usize = 16;
/// Bytes of a command.
const MOST_COMMAND: usize = 128;
/// Bytes of a command with its answer.
const SLOT: usize = (MOST_COMMAND + MOST_ANSWER).next_multiple_of(64);
/// Cursor commands in flight.
const CURSOR_SLOTS: usize = 16;
/// A device that has not answered for so long is beyond use.
const LIMIT: Duration = Duration::from_secs(30);

const CONTROL: u16 = 0;
const CURSOR: u16 = 1;

/// Why the driver cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum GpuError {
    /// The device cannot be driven.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The device has broken a queue.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// No memory.
    #[error("allocating DMA memory: {0}")]
    Memory(#[from] io::Error),
    /// The device does not answer.
    #[error("the device has not answered for {0:?}")]
    Silent(Duration),
}

/// Both queues.
pub struct Queues {
    control: SplitQueue,
    control_memory: DmaMemory,
    cursor: SplitQueue,
    cursor_memory: DmaMemory,
    cursor_free: Vec<u16>,
}

impl Queues {
    /// Sets the queues up; the device is not started yet.
    pub fn new(device: &mut dyn Transport, features: u64, allocate: &Allocate) -> Result<Self, GpuError> {
        let mut make = |index: u16, entries: usize| -> Result<SplitQueue, GpuError> {
            let size = queue_size(device, index, entries as u16)?;
            let memory = allocate(SplitQueue::memory_size(size))?;
            Ok(SplitQueue::new(device, index, size, features, memory, None, Some(0))?)
        };
        let mut control = make(CONTROL, 2 * BATCH)?;
        let mut cursor = make(CURSOR, CURSOR_SLOTS)?;
        // Both are looked at, not waited for.
        control.disable_interrupts();
        cursor.disable_interrupts();
        let slots = CURSOR_SLOTS.min(usize::from(cursor.size()));
        Ok(Self {
            control,
            control_memory: allocate(SLOT * BATCH)?,
            cursor,
            cursor_memory: allocate(MOST_COMMAND * CURSOR_SLOTS)?,
            cursor_free: (0..slots as u16).collect(),
        })
    }

    /// Sends commands and waits until all are answered; the answers in their order.
    pub fn run(&mut self, device: &dyn Transport, commands: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, GpuError> {
        let mut answers = Vec::with_capacity(commands.len());
        let together = BATCH.min(usize::from(self.control.size()) / 2);
        for batch in commands.chunks(together) {
            for (slot, command) in batch.iter().enumerate() {
                let at = slot * SLOT;
                self.control_memory.write(at, command);
                self.control_memory.write(at + MOST_COMMAND, &[0; HEADER]);
                let segments = [
                    Segment { physical: self.control_memory.physical(at), len: command.len() as u32, device_writes: false },
                    Segment { physical: self.control_memory.physical(at + MOST_COMMAND), len: MOST_ANSWER as u32, device_writes: true },
                ];
                self.control.push(&segments, slot as u32)?;
            }
            self.control.kick(device);
            let mut lengths = vec![0; batch.len()];
            self.wait(&mut lengths)?;
            for (slot, len) in lengths.into_iter().enumerate() {
                let mut bytes = vec![0; len];
                self.control_memory.read(slot * SLOT + MOST_COMMAND, &mut bytes);
                answers.push(bytes);
            }
        }
        Ok(answers)
    }

    /// Waits for as many answers as there are lengths. The device works while others run: looking again is cheaper than an interrupt.
    fn wait(&mut self, lengths: &mut [usize]) -> Result<(), GpuError> {
        let start = Instant::now();
        let mut left = lengths.len();
        let mut looks = 0u32;
        while left > 0 {
            if let Some(used) = self.control.pop()? {
                let len = lengths.get_mut(used.token as usize).ok_or(QueueError::Bogus(used.token))?;
                *len = (used.written as usize).min(MOST_ANSWER);
                left -= 1;
                continue;
            }
            looks += 1;
            if looks < 200 {
                std::thread::yield_now();
            } else if start.elapsed() < LIMIT {
                std::thread::sleep(Duration::from_micros(200));
            } else {
                return Err(GpuError::Silent(LIMIT));
            }
        }
        Ok(())
    }

    /// Sends commands whose failure would only be a wrong picture. They are logged.
    pub fn run_all(&mut self, device: &dyn Transport, commands: &[Vec<u8>]) -> Result<bool, GpuError> {
        let answers = self.run(device, commands)?;
        let mut is_good = true;
        for (command, bytes) in commands.iter().zip(&answers) {
            let kind = protocol::word(bytes, 0);
            if kind != answer::OK_NODATA {
                tracing::warn!("command {:#x} failed with {kind:#x}", protocol::word(command, 0));
                is_good = false;
            }
        }
        Ok(is_good)
    }

    /// Sends a cursor command; waits only where too many are under way.
    pub fn send_cursor(&mut self, device: &dyn Transport, command: &[u8]) -> Result<(), GpuError> {
        let start = Instant::now();
        let slot = loop {
            while let Some(used) = self.cursor.pop()? {
                self.cursor_free.push(used.token as u16);
            }
            if let Some(slot) = self.cursor_free.pop() {
                break slot;
            }
            if start.elapsed() > LIMIT {
                return Err(GpuError::Silent(LIMIT));
            }
            std::thread::sleep(Duration::from_micros(200));
        };
        let at = usize::from(slot) * MOST_COMMAND;
        self.cursor_memory.write(at, command);
        let segment = Segment { physical: self.cursor_memory.physical(at), len: command.len() as u32, device_writes: false };
        self.cursor.push(&[segment], slot.into())?;
        self.cursor.kick(device);
        Ok(())
    }
}
