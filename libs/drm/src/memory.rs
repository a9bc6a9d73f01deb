//! The caller's memory, and structures in it.

use rustix::io::Errno;
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// Memory of the process whose ioctl is being worked on.
pub trait CallerMemory {
    /// Copies from the caller's `address`.
    ///
    /// # Errors
    /// `FAULT` where the memory cannot be read.
    fn read(&mut self, address: u64, bytes: &mut [u8]) -> Result<(), Errno>;
    /// Copies to the caller's `address`.
    ///
    /// # Errors
    /// `FAULT` where the memory cannot be written.
    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), Errno>;
}

/// A structure from the front of an ioctl's argument. Structures grow at their end: what the caller's version lacks is zero, what it has
/// beyond ours is left alone.
pub fn decode<T: FromBytes + IntoBytes + Default>(bytes: &[u8]) -> T {
    let mut value = T::default();
    let target = value.as_mut_bytes();
    let len = target.len().min(bytes.len());
    target[..len].copy_from_slice(&bytes[..len]);
    value
}

/// Writes a structure back to where [`decode`] read it.
pub fn encode<T: IntoBytes + Immutable>(value: &T, bytes: &mut [u8]) {
    let source = value.as_bytes();
    let len = source.len().min(bytes.len());
    bytes[..len].copy_from_slice(&source[..len]);
}

/// Most elements of an array in the caller's memory: far above what any call has a use for.
const MOST_ELEMENTS: u64 = 1 << 16;

/// Reads an array.
///
/// # Errors
/// `FAULT`; `INVAL` where it is absurdly long.
pub fn read_array<T>(memory: &mut dyn CallerMemory, address: u64, count: u64) -> Result<Vec<T>, Errno>
where
    T: FromBytes + IntoBytes + Immutable + Default + Clone,
    [T]: IntoBytes,
{
    if count > MOST_ELEMENTS {
        return Err(Errno::INVAL);
    }
    let mut values = vec![T::default(); count as usize];
    if count > 0 {
        memory.read(address, values.as_mut_slice().as_mut_bytes())?;
    }
    Ok(values)
}

/// The convention of DRM's lists: where the caller's array has room for all elements, they are copied; the count is told in any case.
///
/// # Errors
/// `FAULT`.
pub fn give_list<T: IntoBytes + Immutable>(
    memory: &mut dyn CallerMemory,
    address: u64,
    count: &mut u32,
    values: &[T],
) -> Result<(), Errno> {
    let has_room = *count as usize >= values.len();
    *count = values.len() as u32;
    if has_room && !values.is_empty() {
        memory.write(address, values.as_bytes())?;
    }
    Ok(())
}

/// The convention of DRM's texts: as much as there is room for is copied, and the whole length told.
///
/// # Errors
/// `FAULT`.
pub fn give_text(
    memory: &mut dyn CallerMemory,
    address: u64,
    len: &mut u64,
    text: &str,
) -> Result<(), Errno> {
    let room = (*len).min(text.len() as u64) as usize;
    *len = text.len() as u64;
    if room > 0 && address != 0 {
        memory.write(address, &text.as_bytes()[..room])?;
    }
    Ok(())
}
