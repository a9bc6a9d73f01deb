//! Another password for an encrypted filesystem. What is on it stays as it is: a password only opens the keys that it is encrypted with, which
//! lie in each header.
//!
//! The newest header is followed by one with the new password alone. Once that is on the disk the new password is the filesystem's, whatever
//! happens; then it is put into all older headers too, for the old one would open the same keys there.

use crate::BLOCK;
use crate::device::Device;
use aes::Block;
use aes::cipher::BlockDecrypt;
use anyhow::{Context, bail};
use redoxfs::{HEADER_RING, Header, Key, KeySlot, Salt};

/// A slot's salt, and the two keys that its password opens.
type Slot = [[u8; 16]; 3];
const _: () = assert!(size_of::<KeySlot>() == size_of::<Slot>() && size_of::<Salt>() == 16 && size_of::<Key>() == 16);

/// Makes `new` the only password of the filesystem on `device`, which nobody may be using.
///
/// # Errors
/// Where there is no encrypted filesystem, `old` does not open it, or the disk fails: then one of the two passwords opens it, and the change can be
/// made again.
pub fn change_password<D: Device>(device: &mut D, old: &[u8], new: &[u8]) -> anyhow::Result<()> {
    let mut headers = headers(device)?;
    headers.sort_by_key(|(_, header)| header.generation());
    let Some((_, newest)) = headers.last() else { bail!("no RedoxFS: none of the first {HEADER_RING} blocks is a valid header") };
    if !newest.encrypted() {
        bail!("the filesystem is not encrypted");
    }
    let (slot, keys) = opened(newest, old)?.context("that is not the filesystem's password")?;
    let salt = Salt::new().map_err(|error| anyhow::anyhow!("drawing random numbers: {error}"))?;
    let added = KeySlot::new(new, salt, keys).map_err(|error| anyhow::anyhow!("the new password: {error}"))?;
    let Ok(cipher) = slot.cipher(old) else { bail!("the old password cannot be used") };
    let mut next = with_slot(newest, added);
    let generation = next.update(Some(&cipher));
    write(device, generation % HEADER_RING, &next)?;
    for (block, header) in headers {
        // The new one has taken the place of the oldest.
        if block == generation % HEADER_RING {
            continue;
        }
        let mut header = with_slot(&header, added);
        header.generation = (header.generation() - 1).into();
        header.update(Some(&cipher));
        device.write_at(block * BLOCK as u64, &header).context("writing an older header")?;
    }
    device.flush().context("flushing the disk")
}

/// The valid headers with their blocks.
fn headers<D: Device>(device: &mut D) -> anyhow::Result<Vec<(u64, Header)>> {
    let mut found = Vec::new();
    for block in 0..HEADER_RING {
        let mut header = Header::default();
        device.read_at(block * BLOCK as u64, &mut header).context("reading the headers")?;
        if header.valid() {
            found.push((block, header));
        }
    }
    Ok(found)
}

/// The slot that a password opens, and what is in it.
fn opened(header: &Header, password: &[u8]) -> anyhow::Result<Option<(KeySlot, (Key, Key))>> {
    let slots = header.key_slots;
    for slot in slots {
        // SAFETY: three arrays of bytes, one after the other, of which each value is one.
        let [salt, first, second] = unsafe { std::mem::transmute::<KeySlot, Slot>(slot) };
        if salt == [0; 16] || with_slot(header, slot).cipher(password).is_none() {
            continue;
        }
        // SAFETY: an array of bytes and nothing else.
        let salt = unsafe { std::mem::transmute::<[u8; 16], Salt>(salt) };
        let aes = KeySlot::password_aes(password, &salt).map_err(|error| anyhow::anyhow!("the password: {error}"))?;
        let key = |encrypted: [u8; 16]| {
            let mut block = Block::from(encrypted);
            aes.decrypt_block(&mut block);
            // SAFETY: an array of bytes and nothing else.
            unsafe { std::mem::transmute::<[u8; 16], Key>(block.into()) }
        };
        return Ok(Some((slot, (key(first), key(second)))));
    }
    Ok(None)
}

/// A header with one password. Its hashes are still those of before.
fn with_slot(header: &Header, slot: KeySlot) -> Header {
    let mut changed = *header;
    let mut slots = [KeySlot::default(); 64];
    slots[0] = slot;
    changed.key_slots = slots;
    changed
}

fn write<D: Device>(device: &mut D, block: u64, header: &Header) -> anyhow::Result<()> {
    device.flush().context("flushing the disk")?;
    device.write_at(block * BLOCK as u64, header).context("writing the new header")?;
    device.flush().context("flushing the disk")
}
