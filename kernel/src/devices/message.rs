//! Messages of daemons about devices: lines of a word and its arguments. The format is in the contracts page of the book.

use alloc::vec::Vec;

use super::device::{Device, Node, Subsystem};
use crate::error::*;

/// What a message asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Message {
    /// A device is there; whether it stays when its daemon goes.
    Add(Device, bool),
    /// A device is gone.
    Remove(Vec<u8>),
    /// Something about a device changed; variables for the event.
    Change(Vec<u8>, Vec<Vec<u8>>),
}

/// Names of this length are long enough for anything.
const MAX_NAME: usize = 255;

/// A path in the tree or below `/dev`: names that are neither empty nor dots. `EINVAL` for others.
fn path(bytes: &[u8]) -> Result<Vec<u8>> {
    let is_name = |name: &[u8]| !name.is_empty() && name.len() <= MAX_NAME && name != b"." && name != b".." && !name.contains(&0);
    if bytes.split(|byte| *byte == b'/').all(is_name) { Ok(bytes.to_vec()) } else { Err(EINVAL) }
}

fn name(bytes: &[u8]) -> Result<Vec<u8>> {
    if bytes.contains(&b'/') { Err(EINVAL) } else { path(bytes) }
}

fn device_path(bytes: &[u8]) -> Result<Vec<u8>> {
    let inner = bytes.strip_prefix(b"/").ok_or(EINVAL)?;
    if inner.starts_with(b"devices/") { path(inner) } else { Err(EINVAL) }
}

fn number(bytes: &[u8]) -> Result<u32> {
    core::str::from_utf8(bytes).ok().and_then(|text| text.parse().ok()).ok_or(EINVAL)
}

fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.iter().position(|byte| *byte == b' ') {
        Some(at) => (&bytes[..at], &bytes[at + 1..]),
        None => (bytes, b""),
    }
}

fn node(is_block: bool, arguments: &[u8]) -> Result<Node> {
    let (numbers, rest) = split(arguments);
    let (at, target) = split(rest);
    let colon = numbers.iter().position(|byte| *byte == b':').ok_or(EINVAL)?;
    if !target.starts_with(b"/scheme/") {
        return Err(EINVAL);
    }
    let (major, minor) = (&numbers[..colon], number(&numbers[colon + 1..])?);
    let number = if is_block && major == b"scheme" {
        // The kernel gives block devices of schemes their numbers; the daemon knows its handle.
        let device = crate::scheme::block_number(target, minor.into())?;
        (crate::fs::device::major(device), crate::fs::device::minor(device))
    } else {
        (number(major)?, minor)
    };
    Ok(Node { is_block, number, name: path(at)?, target: target.to_vec() })
}

fn variable(bytes: &[u8]) -> Result<Vec<u8>> {
    let at = bytes.iter().position(|byte| *byte == b'=').ok_or(EINVAL)?;
    let is_key = at > 0 && bytes[..at].iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_');
    if is_key && !bytes.contains(&0) { Ok(bytes.to_vec()) } else { Err(EINVAL) }
}

fn hexadecimal(bytes: &[u8]) -> Result<Vec<u8>> {
    let digit = |byte: u8| (byte as char).to_digit(16).ok_or(EINVAL);
    let (pairs, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(EINVAL);
    }
    pairs.iter().map(|[high, low]| Ok((digit(*high)? << 4 | digit(*low)?) as u8)).collect()
}

/// Reads a message.
///
/// # Errors
/// `EINVAL` for anything that is not in the format.
pub fn parse(bytes: &[u8]) -> Result<Message> {
    let mut lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let (verb, rest) = split(lines.next().ok_or(EINVAL)?);
    let at = device_path(rest)?;
    match verb {
        b"remove" => return if lines.next().is_none() { Ok(Message::Remove(at)) } else { Err(EINVAL) },
        b"change" => {
            let variables = lines.map(|line| line.strip_prefix(b"env ").ok_or(EINVAL).and_then(variable)).collect::<Result<_>>()?;
            return Ok(Message::Change(at, variables));
        }
        b"add" => {}
        _ => return Err(EINVAL),
    }
    let mut device = Device { path: at, ..Device::default() };
    let mut stays = false;
    for line in lines {
        let (word, arguments) = split(line);
        match word {
            b"class" => device.subsystem = Some(Subsystem::Class(name(arguments)?)),
            b"bus" => device.subsystem = Some(Subsystem::Bus(name(arguments)?)),
            b"driver" => device.driver = Some(name(arguments)?),
            b"char" => device.node = Some(node(false, arguments)?),
            b"block" => device.node = Some(node(true, arguments)?),
            b"env" => device.variables.push(variable(arguments)?),
            b"attr" => {
                let (file, value) = split(arguments);
                device.attributes.push((path(file)?, [value, b"\n"].concat()));
            }
            b"hex" => {
                let (file, value) = split(arguments);
                device.attributes.push((path(file)?, hexadecimal(value)?));
            }
            b"stay" if arguments.is_empty() => stays = true,
            _ => return Err(EINVAL),
        }
    }
    Ok(Message::Add(device, stays))
}
