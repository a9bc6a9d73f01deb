//! From frames to bytes.

use crate::{Error, Frame, HEADER_LEN, MAGIC, MAX_PAYLOAD, VERSION};

/// The bytes of a frame.
///
/// # Errors
/// [`Error::TooLong`] where the payload exceeds [`MAX_PAYLOAD`].
pub fn encode(frame: &Frame) -> Result<Vec<u8>, Error> {
    let mut bytes = vec![0; HEADER_LEN];
    frame.message.write(&mut bytes);
    let payload_len = bytes.len() - HEADER_LEN;
    if payload_len > MAX_PAYLOAD {
        return Err(Error::TooLong(payload_len));
    }
    let payload_crc = crc32fast::hash(&bytes[HEADER_LEN..]);
    bytes[0..4].copy_from_slice(&MAGIC);
    bytes[4] = VERSION;
    bytes[5] = frame.message.kind();
    bytes[8..12].copy_from_slice(&frame.session.to_le_bytes());
    bytes[12..16].copy_from_slice(&frame.command.to_le_bytes());
    bytes[16..20].copy_from_slice(&(payload_len as u32).to_le_bytes());
    bytes[20..24].copy_from_slice(&payload_crc.to_le_bytes());
    let header_crc = crc32fast::hash(&bytes[..24]);
    bytes[24..28].copy_from_slice(&header_crc.to_le_bytes());
    Ok(bytes)
}
