//! What has been written over an image that stays as it is.

use live_disk::{LiveDisk, PIECE};
use std::collections::{HashMap, VecDeque};
use std::io::{self, Read, Seek};

/// Bytes that are kept together once one of them is written.
const PAGE: usize = 4096;
/// Pieces of the image that are kept as they were read: 2 MiB.
const CACHED: usize = 32;

/// An image with changes.
pub struct Overlay<F> {
    image: LiveDisk<F>,
    pages: HashMap<u64, Box<[u8; PAGE]>>,
    /// The pieces read last, newest first.
    cache: VecDeque<(u64, Vec<u8>)>,
}

impl<F: Read + Seek> Overlay<F> {
    /// The image without changes.
    pub fn new(image: LiveDisk<F>) -> Self {
        Self { image, pages: HashMap::new(), cache: VecDeque::new() }
    }

    /// The disk's size in bytes.
    pub fn bytes(&self) -> u64 {
        self.image.bytes()
    }

    /// Brings a piece to the front of the cache.
    fn load(&mut self, number: u64) -> io::Result<()> {
        match self.cache.iter().position(|(it, _)| *it == number) {
            Some(0) => {}
            Some(place) => {
                if let Some(piece) = self.cache.remove(place) {
                    self.cache.push_front(piece);
                }
            }
            None => {
                let piece = self.image.piece(number)?;
                self.cache.truncate(CACHED - 1);
                self.cache.push_front((number, piece));
            }
        }
        Ok(())
    }

    /// The parts of a range that lie in one page each: where it begins, where in the range, how long.
    fn parts(offset: u64, len: usize) -> impl Iterator<Item = (u64, usize, usize)> {
        let mut done = 0;
        std::iter::from_fn(move || {
            let at = offset + done as u64;
            let count = (PAGE - (at % PAGE as u64) as usize).min(len - done);
            let part = (count > 0).then_some((at, done, count));
            done += count;
            part
        })
    }

    /// What the image has in the page's part.
    fn read_image(&mut self, at: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.load(at / PIECE as u64)?;
        let from = (at % PIECE as u64) as usize;
        let piece = self.cache.front().map_or(&[][..], |(_, piece)| piece);
        buffer.copy_from_slice(piece.get(from..from + buffer.len()).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    /// Fills `buffer` from `offset` on; all of it must lie on the disk.
    pub fn read(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        for (at, from, count) in Self::parts(offset, buffer.len()) {
            let to = &mut buffer[from..from + count];
            match self.pages.get(&(at / PAGE as u64)) {
                Some(page) => to.copy_from_slice(&page[(at % PAGE as u64) as usize..][..count]),
                None => self.read_image(at, to)?,
            }
        }
        Ok(())
    }

    /// Keeps `data` from `offset` on; all of it must lie on the disk.
    pub fn write(&mut self, offset: u64, data: &[u8]) -> io::Result<()> {
        for (at, from, count) in Self::parts(offset, data.len()) {
            let number = at / PAGE as u64;
            if !self.pages.contains_key(&number) {
                let mut page = Box::new([0; PAGE]);
                if count < PAGE {
                    let start = number * PAGE as u64;
                    let len = (self.bytes() - start).min(PAGE as u64) as usize;
                    self.read_image(start, &mut page[..len])?;
                }
                self.pages.insert(number, page);
            }
            if let Some(page) = self.pages.get_mut(&number) {
                page[(at % PAGE as u64) as usize..][..count].copy_from_slice(&data[from..from + count]);
            }
        }
        Ok(())
    }
}

impl<F: Read + Seek> partitions::ReadAt for Overlay<F> {
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.read(offset, buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    #[test]
    fn what_is_written_is_read_and_the_rest_is_the_image() {
        let len = 40 * PIECE + 1024;
        let mut expected: Vec<u8> = (0..len).map(|n| (n / 1000) as u8).collect();
        let mut image = Cursor::new(Vec::new());
        live_disk::write(&mut expected.as_slice(), len as u64, 1, &mut image).expect("writes");
        let mut disk = Overlay::new(LiveDisk::open(image).expect("opens"));
        let mut random = 1u64;
        for round in 0..300u64 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let at = (random >> 20) as usize % len;
            let count = ((random >> 40) as usize % 20_000).min(len - at);
            if round % 3 == 0 {
                let data = vec![round as u8; count];
                expected[at..at + count].copy_from_slice(&data);
                disk.write(at as u64, &data).expect("writes");
            }
            let mut found = vec![0; count];
            disk.read(at as u64, &mut found).expect("reads");
            assert!(found == expected[at..at + count], "round {round}: {count} bytes at {at}");
        }
        let mut all = vec![0; len];
        disk.read(0, &mut all).expect("reads");
        assert!(all == expected);
    }
}
