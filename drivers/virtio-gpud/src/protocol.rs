//! Messages of the device (virtio 1.2, section 5.7.6), as bytes.

/// Commands.
pub mod command {
    pub const GET_DISPLAY_INFO: u32 = 0x0100;
    pub const RESOURCE_CREATE_2D: u32 = 0x0101;
    pub const RESOURCE_UNREF: u32 = 0x0102;
    pub const SET_SCANOUT: u32 = 0x0103;
    pub const RESOURCE_FLUSH: u32 = 0x0104;
    pub const TRANSFER_TO_HOST_2D: u32 = 0x0105;
    pub const RESOURCE_ATTACH_BACKING: u32 = 0x0106;
    pub const GET_EDID: u32 = 0x010a;
    pub const UPDATE_CURSOR: u32 = 0x0300;
    pub const MOVE_CURSOR: u32 = 0x0301;
}

/// Answers.
pub mod answer {
    pub const OK_NODATA: u32 = 0x1100;
    pub const OK_DISPLAY_INFO: u32 = 0x1101;
    pub const OK_EDID: u32 = 0x1104;
}

/// Pixel formats, named by their bytes in memory.
pub mod format {
    pub const B8G8R8A8: u32 = 1;
    pub const B8G8R8X8: u32 = 2;
}

/// Bytes before every message: type, flags, fence, context, ring.
pub const HEADER: usize = 24;
/// Most scanouts.
pub const MAX_SCANOUTS: usize = 16;
/// Bytes of the longest answer, that of GET_EDID.
pub const MOST_ANSWER: usize = HEADER + 8 + 1024;

/// A rectangle: x, y, width, height.
pub type Area = [u32; 4];

/// A command with 32-bit words behind its header.
pub fn words(kind: u32, words: &[u32]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER + 4 * words.len());
    bytes.extend(kind.to_le_bytes());
    bytes.resize(HEADER, 0);
    for word in words {
        bytes.extend(word.to_le_bytes());
    }
    bytes
}

/// Makes a picture of the host's.
pub fn create(resource: u32, format: u32, width: u32, height: u32) -> Vec<u8> {
    words(command::RESOURCE_CREATE_2D, &[resource, format, width, height])
}

/// Ends a picture.
pub fn unref(resource: u32) -> Vec<u8> {
    words(command::RESOURCE_UNREF, &[resource, 0])
}

/// Says where a picture's pixels are in our memory.
pub fn attach(resource: u32, physical: u64, len: u32) -> Vec<u8> {
    words(command::RESOURCE_ATTACH_BACKING, &[resource, 1, physical as u32, (physical >> 32) as u32, len, 0])
}

/// Shows a part of a picture on a scanout; resource 0 is darkness.
pub fn set_scanout(scanout: u32, resource: u32, [x, y, width, height]: Area) -> Vec<u8> {
    words(command::SET_SCANOUT, &[x, y, width, height, scanout, resource])
}

/// Copies a part of our memory into the picture; `offset` is that of the part's first pixel in the backing.
pub fn transfer(resource: u32, [x, y, width, height]: Area, offset: u64) -> Vec<u8> {
    words(command::TRANSFER_TO_HOST_2D, &[x, y, width, height, offset as u32, (offset >> 32) as u32, resource, 0])
}

/// Shows a part of a picture that has changed.
pub fn flush(resource: u32, [x, y, width, height]: Area) -> Vec<u8> {
    words(command::RESOURCE_FLUSH, &[x, y, width, height, resource, 0])
}

/// Sets the cursor's picture and place, or its place alone.
pub fn cursor(kind: u32, scanout: u32, (x, y): (i32, i32), resource: u32, hot: (u32, u32)) -> Vec<u8> {
    words(kind, &[scanout, x.cast_unsigned(), y.cast_unsigned(), 0, resource, hot.0, hot.1, 0])
}

/// A word of a message; 0 beyond its end.
pub fn word(bytes: &[u8], offset: usize) -> u32 {
    bytes.get(offset..offset + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes)
}

/// The scanouts in an answer to GET_DISPLAY_INFO: width and height of those that are enabled.
pub fn scanouts(bytes: &[u8]) -> Vec<Option<(u32, u32)>> {
    let one = |at: usize| (word(bytes, at + 16) != 0).then(|| (word(bytes, at + 8), word(bytes, at + 12)));
    (0..MAX_SCANOUTS).map(|index| one(HEADER + 24 * index)).collect()
}

/// The EDID in an answer to GET_EDID.
pub fn edid(bytes: &[u8]) -> &[u8] {
    let len = (word(bytes, HEADER) as usize).min(1024);
    bytes.get(HEADER + 8..HEADER + 8 + len).unwrap_or(&[])
}
