//! Network interfaces, as `ioctl(2)` on a socket asks for them (`netdevice(7)`). There is one: the loop-back device.

use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};

use crate::error::*;
use crate::user;

/// Name, index and maximum packet of the loop-back device.
pub const NAME: &[u8] = b"lo";
#[allow(missing_docs)]
pub const INDEX: u32 = 1;
#[allow(missing_docs)]
pub const MTU: u32 = 65_536;
/// IFF_UP | IFF_LOOPBACK | IFF_RUNNING
const FLAGS: u16 = 0x1 | 0x8 | 0x40;
/// ARPHRD_LOOPBACK
pub const HARDWARE: u16 = 772;

/// `IFNAMSIZ`
const NAME_SIZE: usize = 16;
/// `struct ifreq`
const REQUEST_SIZE: usize = 40;

const SIOCGIFNAME: u32 = 0x8910;
const SIOCGIFCONF: u32 = 0x8912;
const SIOCGIFFLAGS: u32 = 0x8913;
const SIOCSIFFLAGS: u32 = 0x8914;
const SIOCGIFADDR: u32 = 0x8915;
const SIOCGIFDSTADDR: u32 = 0x8917;
const SIOCGIFBRDADDR: u32 = 0x8919;
const SIOCGIFNETMASK: u32 = 0x891b;
const SIOCGIFMETRIC: u32 = 0x891d;
const SIOCGIFMTU: u32 = 0x8921;
const SIOCGIFHWADDR: u32 = 0x8927;
const SIOCGIFINDEX: u32 = 0x8933;
const SIOCGIFTXQLEN: u32 = 0x8942;

static BYTES: AtomicU64 = AtomicU64::new(0);
static PACKETS: AtomicU64 = AtomicU64::new(0);

/// Counts a packet over the loop-back device.
pub fn count(bytes: usize) {
    BYTES.fetch_add(bytes as u64, Ordering::Relaxed);
    PACKETS.fetch_add(1, Ordering::Relaxed);
}

/// Bytes and packets that have gone over the loop-back device, without headers.
pub fn traffic() -> (u64, u64) {
    (BYTES.load(Ordering::Relaxed), PACKETS.load(Ordering::Relaxed))
}

/// A `struct sockaddr_in`.
fn internet(address: [u8; 4]) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[0] = 2;
    bytes[4..8].copy_from_slice(&address);
    bytes
}

/// Answers a request about interfaces.
///
/// # Errors
/// `ENODEV`, `EPERM` for changes, `ENOTTY` for what is no such request, `EFAULT`.
pub fn ioctl(cmd: u32, arg: usize) -> Result<usize> {
    if cmd == SIOCGIFCONF {
        return list(arg);
    }
    if !(0x8910..0x8950).contains(&cmd) {
        return Err(ENOTTY);
    }
    let mut request = user::read_bytes(arg, REQUEST_SIZE)?;
    if cmd == SIOCGIFNAME {
        let index = u32::from_le_bytes([request[16], request[17], request[18], request[19]]);
        if index != INDEX {
            return Err(ENODEV);
        }
        request[..NAME_SIZE].fill(0);
        request[..NAME.len()].copy_from_slice(NAME);
        frame::user::copy_to_user(arg as u64, &request)?;
        return Ok(0);
    }
    let name = request[..NAME_SIZE].split(|byte| *byte == 0).next().unwrap_or_default();
    if name != NAME {
        return Err(ENODEV);
    }
    let answer: Vec<u8> = match cmd {
        SIOCGIFFLAGS => FLAGS.to_le_bytes().to_vec(),
        SIOCGIFADDR | SIOCGIFDSTADDR => internet([127, 0, 0, 1]).to_vec(),
        SIOCGIFNETMASK => internet([255, 0, 0, 0]).to_vec(),
        SIOCGIFBRDADDR => internet([0; 4]).to_vec(),
        SIOCGIFMETRIC => 0u32.to_le_bytes().to_vec(),
        SIOCGIFMTU => MTU.to_le_bytes().to_vec(),
        SIOCGIFINDEX => INDEX.to_le_bytes().to_vec(),
        SIOCGIFTXQLEN => 1000u32.to_le_bytes().to_vec(),
        SIOCGIFHWADDR => {
            let mut bytes = HARDWARE.to_le_bytes().to_vec();
            bytes.resize(16, 0);
            bytes
        }
        // It is always up: setting the flags it has is no change.
        SIOCSIFFLAGS if request[16] & 1 == 1 => return Ok(0),
        SIOCSIFFLAGS => return Err(EPERM),
        _ => return Err(ENOTTY),
    };
    request[NAME_SIZE..NAME_SIZE + answer.len()].copy_from_slice(&answer);
    frame::user::copy_to_user(arg as u64, &request)?;
    Ok(0)
}

/// SIOCGIFCONF: `struct ifconf` {length, pointer}; without a pointer only the length is told.
fn list(arg: usize) -> Result<usize> {
    let [len, at]: [u64; 2] = user::read(arg)?;
    let room = len as u32 as i32;
    let mut written = REQUEST_SIZE as u32;
    if at != 0 {
        written = 0;
        if room >= REQUEST_SIZE as i32 {
            let mut entry = [0; REQUEST_SIZE];
            entry[..NAME.len()].copy_from_slice(NAME);
            entry[NAME_SIZE..2 * NAME_SIZE].copy_from_slice(&internet([127, 0, 0, 1]));
            frame::user::copy_to_user(at, &entry)?;
            written = REQUEST_SIZE as u32;
        }
    }
    user::write(arg, &written)?;
    Ok(0)
}
