//! The ioctls of event devices (`linux/input.h`). Unknown ones give EINVAL, as on Linux.

use crate::client::{Client, Clock};
use crate::device::Device;
use input_event::bits::Bits;
use input_event::code::{EV_ABS, EV_FF, EV_LED, EV_MSC, EV_REP, EV_SND, EV_SW, REP_DELAY, REP_PERIOD};
use input_event::{AbsInfo, EV_KEY, EV_REL};
use scheme::{Errno, Result};

/// The version of the interface (`EV_VERSION`).
const VERSION: i32 = 0x01_0001;
/// `struct input_absinfo`: value, minimum, maximum, fuzz, flat, resolution.
const ABSINFO: usize = 24;

/// What an ioctl asks for beyond the device's and the reader's own state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done; the result.
    Value(u64),
    /// Take the device for this reader alone, or give it back.
    Grab(bool),
    /// Never give this reader events again.
    Revoke,
    /// Change delay and period of repetition, ms.
    Repeat([i32; 2]),
}

fn put(buffer: &mut [u8], bytes: &[u8]) -> Result<Outcome> {
    let len = buffer.len().min(bytes.len());
    buffer[..len].copy_from_slice(&bytes[..len]);
    Ok(Outcome::Value(len as u64))
}

/// Something with one size; 0 is the result.
fn put_fixed(buffer: &mut [u8], bytes: &[u8]) -> Result<Outcome> {
    if buffer.len() != bytes.len() {
        return Err(Errno::INVAL.into());
    }
    put(buffer, bytes)?;
    Ok(Outcome::Value(0))
}

fn text(buffer: &mut [u8], text: &str) -> Result<Outcome> {
    if text.is_empty() {
        return Err(Errno::NOENT.into());
    }
    put(buffer, &[text.as_bytes(), &[0]].concat())
}

fn words<const N: usize>(buffer: &[u8]) -> Result<[i32; N]> {
    if buffer.len() < N * 4 {
        return Err(Errno::INVAL.into());
    }
    let word = |at: usize| i32::from_le_bytes([buffer[at], buffer[at + 1], buffer[at + 2], buffer[at + 3]]);
    Ok(std::array::from_fn(|index| word(4 * index)))
}

fn flat(values: &[i32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// A state of keys, lamps, ...: what waits of it is dropped.
fn state(client: &mut Client, kind: u16, bits: &Bits, buffer: &mut [u8]) -> Result<Outcome> {
    client.forget(kind);
    put(buffer, bits.bytes())
}

/// Handles ioctl `number` with the caller's `buffer`, or with `value` where it carries none.
pub fn ioctl(device: &mut Device, client: &mut Client, number: u32, value: u64, buffer: &mut [u8]) -> Result<Outcome> {
    if number >> 8 & 0xff != u32::from(b'E') {
        return Err(Errno::INVAL.into());
    }
    // Bits 30 and 31: from and to the caller.
    let (writes, reads) = (number >> 30 & 1 == 1, number >> 31 & 1 == 1);
    match (number & 0xff, reads, writes) {
        (0x01, true, false) => put_fixed(buffer, &VERSION.to_le_bytes()),
        (0x02, true, false) => {
            let id = device.description.id;
            let words = [id.bus, id.vendor, id.product, id.version];
            put_fixed(buffer, &words.map(u16::to_le_bytes).concat())
        }
        (0x03, true, false) if device.description.has_type(EV_REP) => put_fixed(buffer, &device.repeat.map(u32::to_le_bytes).concat()),
        (0x03, false, true) if device.description.has_type(EV_REP) => {
            let [delay, period] = words(buffer)?;
            let mut both = [0; 2];
            both[usize::from(REP_DELAY)] = delay;
            both[usize::from(REP_PERIOD)] = period;
            Ok(Outcome::Repeat(both))
        }
        (0x03, ..) => Err(Errno::NOSYS.into()),
        (0x06, true, false) => text(buffer, &device.description.name),
        (0x07, true, false) => text(buffer, &device.description.phys),
        (0x08, true, false) => text(buffer, &device.description.uniq),
        (0x09, true, false) => put(buffer, device.description.properties.bytes()),
        (0x18, true, false) => state(client, EV_KEY, &device.keys, buffer),
        (0x19, true, false) => state(client, EV_LED, &device.leds, buffer),
        (0x1a, true, false) => state(client, EV_SND, &device.sounds, buffer),
        (0x1b, true, false) => state(client, EV_SW, &device.switches, buffer),
        (0x20, true, false) => put(buffer, device.description.types().bytes()),
        (code @ 0x21..=0x3f, true, false) => match code as u16 - 0x20 {
            kind @ (EV_KEY | EV_REL | EV_ABS | EV_MSC | EV_SW | EV_LED | EV_SND | EV_FF) => put(buffer, device.description.codes(kind).bytes()),
            _ => Err(Errno::INVAL.into()),
        },
        (code @ 0x40..=0x7f, true, false) if device.description.has_type(EV_ABS) => {
            let axis = code as u16 - 0x40;
            let info = device.description.axis(axis);
            let place = device.places[usize::from(axis)];
            put(buffer, &flat(&[place, info.minimum, info.maximum, info.fuzz, info.flat, info.resolution]))?;
            Ok(Outcome::Value(0))
        }
        // No device of ours has force feedback.
        (0x84, true, false) => put_fixed(buffer, &0i32.to_le_bytes()),
        (0x90, false, true) => Ok(Outcome::Grab(value != 0)),
        (0x91, false, true) if value == 0 => Ok(Outcome::Revoke),
        (0xa0, false, true) => {
            let [number] = words(buffer)?;
            client.set_clock(Clock::from_number(number).ok_or(Errno::INVAL)?);
            Ok(Outcome::Value(0))
        }
        (code @ 0xc0..=0xff, false, true) if device.description.has_type(EV_ABS) && buffer.len() >= ABSINFO => {
            let axis = code as u16 - 0xc0;
            let [place, minimum, maximum, fuzz, flat, resolution] = words(buffer)?;
            device.description.set_axis(axis, AbsInfo { minimum, maximum, fuzz, flat, resolution });
            device.places[usize::from(axis)] = place;
            Ok(Outcome::Value(0))
        }
        _ => Err(Errno::INVAL.into()),
    }
}
