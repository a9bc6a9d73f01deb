//! Typed access to user memory.

use alloc::vec::Vec;

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::error::{EFAULT, EINVAL, ENAMETOOLONG, Result};

/// Reads a plain structure.
///
/// # Errors
/// `EFAULT`.
pub fn read<T: FromBytes + IntoBytes>(addr: usize) -> Result<T> {
    let mut value = T::new_zeroed();
    frame::user::copy_from_user(value.as_mut_bytes(), addr as u64)?;
    Ok(value)
}

/// Writes a plain structure.
///
/// # Errors
/// `EFAULT`.
pub fn write<T: IntoBytes + Immutable>(addr: usize, value: &T) -> Result {
    Ok(frame::user::copy_to_user(addr as u64, value.as_bytes())?)
}

/// Writes a plain structure unless `addr` is null.
///
/// # Errors
/// `EFAULT`.
pub fn write_opt<T: IntoBytes + Immutable>(addr: usize, value: &T) -> Result {
    if addr == 0 { Ok(()) } else { write(addr, value) }
}

/// Reads `n` plain values.
///
/// # Errors
/// `EFAULT`; `EINVAL` for more than 16 MiB.
pub fn read_vec<T: FromBytes + IntoBytes + Clone>(addr: usize, n: usize) -> Result<Vec<T>> {
    if n.checked_mul(size_of::<T>()).is_none_or(|bytes| bytes > 16 << 20) {
        return Err(EINVAL);
    }
    let mut values = alloc::vec![T::new_zeroed(); n];
    for (i, value) in values.iter_mut().enumerate() {
        let at = addr.checked_add(i * size_of::<T>()).ok_or(EFAULT)?;
        frame::user::copy_from_user(value.as_mut_bytes(), at as u64)?;
    }
    Ok(values)
}

/// Reads bytes.
///
/// # Errors
/// `EFAULT`; `EINVAL` for more than 16 MiB.
pub fn read_bytes(addr: usize, len: usize) -> Result<Vec<u8>> {
    if len > 16 << 20 {
        return Err(EINVAL);
    }
    let mut bytes = alloc::vec![0; len];
    frame::user::copy_from_user(&mut bytes, addr as u64)?;
    Ok(bytes)
}

/// Reads a NUL-terminated string of at most `max` bytes without the NUL.
///
/// # Errors
/// `EFAULT`; `ENAMETOOLONG` where no NUL comes within `max` bytes.
pub fn read_cstr(addr: usize, max: usize) -> Result<Vec<u8>> {
    frame::user::strncpy_from_user(addr as u64, max).map_err(|e| match e {
        frame::user::StrError::Fault => EFAULT,
        frame::user::StrError::TooLong => ENAMETOOLONG,
    })
}

/// Reads a path (`PATH_MAX` 4096 with the NUL).
///
/// # Errors
/// `EFAULT`, `ENAMETOOLONG`.
pub fn read_path(addr: usize) -> Result<Vec<u8>> {
    read_cstr(addr, 4096)
}
