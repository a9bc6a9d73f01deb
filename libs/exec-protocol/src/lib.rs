//! Frames of the exec channel, between a host and `execd` in a guest.
//!
//! Concepts:
//!
//! * A **frame** is a 28-byte header, its own checksum included, and a payload with a checksum. A reader that starts in the
//!   middle of a stream, or meets damage, skips to the next frame whose header checks out ([`Decoder`]).
//! * A **session** is one life of `execd`. It draws a random non-zero number at start and says it in [`Message::Welcome`]. Every
//!   other frame carries the number; frames of another session are dropped, so nothing meant for a dead guest reaches
//!   its successor.
//! * A **command** has a number, chosen by the host, unique within the session.
//! * **Credit**: each stream of a command may have at most [`WINDOW`] bytes on the way that its reader has not taken. The
//!   writer starts with that much credit and gets more as the reader takes data. So a slow reader costs a bounded amount of memory
//!   everywhere and holds up nobody else.
//!
//! The same frames are spoken between a client program and the broker on the host; there the session is 0.
//!
//! The crate does no I/O.

mod decode;
mod encode;
mod message;

pub use decode::{Decoder, split};
pub use encode::encode;
pub use message::{Message, Outcome, Spawn, Stream};

/// Version of the format. A reader drops frames of other versions.
pub const VERSION: u8 = 1;

/// First bytes of every frame.
pub const MAGIC: [u8; 4] = *b"\xA7GX\x1B";

/// Length of a header in bytes.
pub const HEADER_LEN: usize = 28;

/// Longest payload in bytes. Data frames are far shorter ([`CHUNK`]); a command line may be long.
pub const MAX_PAYLOAD: usize = 8 << 20;

/// Longest piece of a stream in one frame, in bytes: the whole frame fits the 32 KiB that Linux takes in one write to a virtio port.
pub const CHUNK: usize = (32 << 10) - HEADER_LEN;

/// Bytes of one stream that may be on the way unread.
pub const WINDOW: usize = 256 << 10;

/// One message with its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The life of `execd` that this frame belongs to; 0 where none is meant.
    pub session: u32,
    /// The command; 0 where none is meant.
    pub command: u32,
    /// What is said.
    pub message: Message,
}

/// Why a frame could not be made or read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// The payload exceeds [`MAX_PAYLOAD`].
    #[error("a message of {0} bytes is longer than the {MAX_PAYLOAD} that a frame may hold")]
    TooLong(usize),
    /// The kind of message is not known.
    #[error("unknown message kind {0}")]
    UnknownKind(u8),
    /// The payload is cut short, too long, or holds an invalid value.
    #[error("malformed payload of message kind {0}")]
    Malformed(u8),
}

#[cfg(test)]
mod tests;
