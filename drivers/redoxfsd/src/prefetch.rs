//! Reading the disk's next blocks while those before are looked at: a thread with one request.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// Reads at byte offsets from another thread than the one that owns the device.
pub type Reader = Box<dyn FnMut(u64, &mut [u8]) -> io::Result<()> + Send>;

/// One read in the background.
pub struct Prefetcher {
    wanted: SyncSender<(u64, Vec<u8>)>,
    found: Receiver<io::Result<Vec<u8>>>,
    is_reading: bool,
}

impl Prefetcher {
    /// Starts the thread; it ends with the prefetcher.
    ///
    /// # Errors
    ///
    /// Where there can be no further thread.
    pub fn new(mut reader: Reader) -> io::Result<Self> {
        let (wanted, requests) = sync_channel::<(u64, Vec<u8>)>(1);
        let (answers, found) = sync_channel(1);
        thread::Builder::new()
            .name("prefetch".to_owned())
            .spawn(move || {
                for (offset, mut buffer) in requests {
                    let outcome = reader(offset, &mut buffer).map(|()| buffer);
                    if answers.send(outcome).is_err() {
                        return;
                    }
                }
            })?;
        Ok(Self {
            wanted,
            found,
            is_reading: false,
        })
    }

    /// Begins to fill `buffer` from byte `offset` on. Where a read is under way already, nothing happens.
    pub fn begin(&mut self, offset: u64, buffer: Vec<u8>) {
        if !self.is_reading {
            self.is_reading = self.wanted.send((offset, buffer)).is_ok();
        }
    }

    /// Whether a read is under way that nobody has taken.
    pub const fn is_reading(&self) -> bool {
        self.is_reading
    }

    /// Waits for what was begun last. `None` where nothing was, or it failed.
    pub fn take(&mut self) -> Option<Vec<u8>> {
        if !std::mem::take(&mut self.is_reading) {
            return None;
        }
        self.found.recv().ok()?.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_begun_is_there_to_be_taken_once() {
        let mut prefetcher = Prefetcher::new(Box::new(|offset, buffer| {
            buffer.fill(offset as u8);
            if offset == 13 { Err(io::ErrorKind::Other.into()) } else { Ok(()) }
        }))
        .expect("a thread");
        assert_eq!(prefetcher.take(), None);
        prefetcher.begin(7, vec![0; 3]);
        prefetcher.begin(8, vec![0; 3]);
        assert!(prefetcher.is_reading());
        assert_eq!(prefetcher.take(), Some(vec![7; 3]));
        assert_eq!(prefetcher.take(), None);
        prefetcher.begin(13, vec![0; 3]);
        assert_eq!(prefetcher.take(), None, "it failed");
        prefetcher.begin(9, vec![0; 2]);
        assert_eq!(prefetcher.take(), Some(vec![9; 2]));
    }
}
