//! From bytes to frames, past any damage.

use crate::{CHUNK, Error, Frame, HEADER_LEN, MAGIC, MAX_PAYLOAD, Message, VERSION};

/// Collects bytes and gives frames.
#[derive(Debug, Default)]
pub struct Decoder {
    buffer: Vec<u8>,
    /// Bytes of `buffer` already used.
    used: usize,
    skipped: u64,
}

struct Header {
    kind: u8,
    session: u32,
    command: u32,
    len: usize,
    payload_crc: u32,
}

impl Decoder {
    /// An empty decoder.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds bytes as they came.
    pub fn push(&mut self, bytes: &[u8]) {
        // Moving the rest to the front only now and then keeps the cost linear.
        if self.used > CHUNK * 2 || self.used == self.buffer.len() {
            self.buffer.drain(..self.used);
            self.used = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame; `None` until more bytes are pushed.
    pub fn next_frame(&mut self) -> Option<Frame> {
        loop {
            self.skip_to_magic();
            let rest = &self.buffer[self.used..];
            let head = rest.first_chunk::<HEADER_LEN>()?;
            let Some(header) = Header::read(head) else {
                self.skip(1);
                continue;
            };
            let payload = rest.get(HEADER_LEN..HEADER_LEN + header.len)?;
            if crc32fast::hash(payload) != header.payload_crc {
                self.skip(1);
                continue;
            }
            let message = Message::read(header.kind, payload);
            self.used += HEADER_LEN + header.len;
            match message {
                Ok(message) => return Some(Frame { session: header.session, command: header.command, message }),
                // Whole, but from a newer peer or wrong: as good as noise.
                Err(_) => self.skipped += (HEADER_LEN + header.len) as u64,
            }
        }
    }

    /// Bytes that belonged to no valid frame so far: damage, or the tail of a frame whose head was lost.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Forgets everything collected: the stream has been replaced by a new one.
    pub fn reset(&mut self) {
        self.buffer.clear();
        self.used = 0;
    }

    fn skip(&mut self, bytes: usize) {
        self.used += bytes;
        self.skipped += bytes as u64;
    }

    /// Leaves a magic, or a possible beginning of one at the end, as the first bytes.
    fn skip_to_magic(&mut self) {
        let rest = &self.buffer[self.used..];
        let at = rest
            .iter()
            .enumerate()
            .filter(|(_, byte)| **byte == MAGIC[0])
            .map(|(at, _)| at)
            .find(|&at| MAGIC.starts_with(&rest[at..rest.len().min(at + MAGIC.len())]))
            .unwrap_or(rest.len());
        self.skip(at);
    }
}

impl Header {
    fn read(bytes: &[u8; HEADER_LEN]) -> Option<Self> {
        let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let len = word(16) as usize;
        let sound = bytes[..4] == MAGIC
            && crc32fast::hash(&bytes[..24]) == word(24)
            && bytes[4] == VERSION
            && len <= MAX_PAYLOAD;
        sound.then(|| Header { kind: bytes[5], session: word(8), command: word(12), len, payload_crc: word(20) })
    }
}

/// Cuts stream data into pieces of at most [`CHUNK`] bytes.
pub fn split(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    data.chunks(CHUNK)
}

/// Reading one frame that must be whole, for tests and tools.
impl TryFrom<&[u8]> for Frame {
    type Error = Error;

    fn try_from(bytes: &[u8]) -> Result<Self, Error> {
        let mut decoder = Decoder::new();
        decoder.push(bytes);
        let kind = bytes.get(5).copied().unwrap_or(0);
        decoder.next_frame().filter(|_| decoder.skipped == 0).ok_or(Error::Malformed(kind))
    }
}
