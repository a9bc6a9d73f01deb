//! `/dev/port`: I/O ports by their numbers as positions (`mem(4)`), and sequences of accesses.

use alloc::vec::Vec;

use frame::io::Port;
use scheme_abi::{PortAccess, PortSequence};

use super::io::{IoSink, IoSource};
use crate::error::*;
use crate::user;

/// Reads: 1, 2 and 4 bytes in one access.
///
/// # Errors
/// `EINVAL` where there is no such port; `EFAULT`.
pub fn read(pos: u64, dst: &mut IoSink<'_>) -> Result<usize> {
    let port = Port(u16::try_from(pos).map_err(|_| EINVAL)?);
    match dst.remaining() {
        1 => dst.write(&[port.read_u8()]),
        2 => dst.write(&port.read_u16().to_le_bytes()),
        4 => dst.write(&port.read_u32().to_le_bytes()),
        0 => Ok(0),
        n => {
            // As Linux: byte by byte from consecutive ports.
            let mut done = 0;
            for at in (pos..0x1_0000).take(n) {
                done += dst.write(&[Port(at as u16).read_u8()])?;
            }
            Ok(done)
        }
    }
}

/// Writes: 1, 2 and 4 bytes in one access.
///
/// # Errors
/// As [`read`].
pub fn write(pos: u64, src: &mut IoSource<'_>) -> Result<usize> {
    let port = Port(u16::try_from(pos).map_err(|_| EINVAL)?);
    let mut word = [0; 4];
    match src.remaining() {
        n @ (1 | 2 | 4) => {
            let n = src.read(&mut word[..n])?;
            match n {
                1 => port.write_u8(word[0]),
                2 => port.write_u16(u16::from_le_bytes([word[0], word[1]])),
                4 => port.write_u32(u32::from_le_bytes(word)),
                _ => return Err(EFAULT),
            }
            Ok(n)
        }
        0 => Ok(0),
        n => {
            let mut done = 0;
            for at in (pos..0x1_0000).take(n) {
                src.read(&mut word[..1])?;
                Port(at as u16).write_u8(word[0]);
                done += 1;
            }
            Ok(done)
        }
    }
}

/// `PORT_SEQUENCE`. Other CPUs stand still meanwhile, for accesses that change what is where in memory: emulators before QEMU 8.2 that run each CPU in a thread of its
/// own give what another CPU does with a device's registers to a wrong device just then, so that an end of interrupt or the arming of a timer is lost.
///
/// # Errors
/// `EINVAL` for too many accesses or one of an odd kind, before anything is done; `EFAULT`.
pub fn sequence(arg: usize) -> Result<usize> {
    let bytes: [u8; PortSequence::BYTES] = user::read(arg)?;
    let asked = PortSequence::decode(&bytes).map_err(|_| EINVAL)?;
    if asked.count > PortSequence::MOST || asked.reserved != 0 {
        return Err(EINVAL);
    }
    let at = usize::try_from(asked.accesses).map_err(|_| EFAULT)?;
    let mut bytes = user::read_bytes(at, asked.count as usize * PortAccess::BYTES)?;
    let decode = |bytes: &[u8]| PortAccess::decode(bytes).ok().filter(|access| matches!(access.kind & !PortAccess::WRITE, 1 | 2 | 4));
    let accesses: Option<Vec<PortAccess>> = bytes.chunks_exact(PortAccess::BYTES).map(decode).collect();
    let mut accesses = accesses.ok_or(EINVAL)?;
    frame::cpu::with_others_held(|| accesses.iter_mut().for_each(perform));
    for (access, bytes) in accesses.iter().zip(bytes.chunks_exact_mut(PortAccess::BYTES)) {
        access.encode(bytes).map_err(|_| EIO)?;
    }
    frame::user::copy_to_user(at as u64, &bytes)?;
    Ok(0)
}

fn perform(access: &mut PortAccess) {
    const WRITE_BYTE: u16 = PortAccess::WRITE | 1;
    const WRITE_WORD: u16 = PortAccess::WRITE | 2;
    let port = Port(access.port);
    match access.kind {
        1 => access.value = port.read_u8().into(),
        2 => access.value = port.read_u16().into(),
        WRITE_BYTE => port.write_u8(access.value as u8),
        WRITE_WORD => port.write_u16(access.value as u16),
        kind if kind & PortAccess::WRITE != 0 => port.write_u32(access.value),
        _ => access.value = port.read_u32(),
    }
}
