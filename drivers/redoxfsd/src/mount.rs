//! Opens a filesystem, at the newest generation whose last transaction is whole.

use crate::cache::CachedDisk;
use crate::device::Device;
use crate::visit::{Tx, Visitor, walk_lists, walk_tree};
use anyhow::{Context, bail};
use redoxfs::{BlockAddr, FileSystem, HEADER_RING, Header, Node};
use std::panic::{AssertUnwindSafe, catch_unwind};
use syscall::error::{ECANCELED, Error, Result};

/// Runs `look` in a transaction that is given up afterwards: nothing is written, whatever the crate thinks is due.
pub fn look<D: Device, T>(
    fs: &mut FileSystem<CachedDisk<D>>,
    look: impl FnOnce(&mut Tx<'_, D>) -> Result<T>,
) -> Result<T> {
    let mut found = None;
    let _ = fs.tx(|tx| -> Result<()> {
        found = Some(look(tx));
        Err(Error::new(ECANCELED))
    });
    found.unwrap_or(Err(Error::new(ECANCELED)))
}

/// Ends a walk at the first block that does not read.
pub(crate) struct Strict;

impl Visitor for Strict {
    fn block(&mut self, _: BlockAddr) -> Result<()> {
        Ok(())
    }
    fn node(&mut self, _: u32, _: &Node) -> Result<()> {
        Ok(())
    }
    fn unreadable(&mut self, what: &str, addr: BlockAddr, error: Error) -> Result<()> {
        tracing::warn!("{what} at block {} does not read", addr.index());
        Err(error)
    }
}

/// Reads what the last transaction of `fs` wrote: everything that the generation before does not share.
fn verify_last<D: Device>(
    fs: &mut FileSystem<CachedDisk<D>>,
    previous: Option<&Header>,
) -> Result<()> {
    look(fs, |tx| {
        walk_lists(tx, &mut Strict)?;
        tx.read_tree(redoxfs::TreePtr::<Node>::root())?;
        match previous {
            Some(_) => walk_tree(tx, previous, &mut Strict),
            None => Ok(()),
        }
    })
}

/// The valid headers of the ring that starts at `ring`, newest first.
fn headers<D: Device>(disk: &mut CachedDisk<D>, ring: u64) -> anyhow::Result<Vec<Header>> {
    let mut found = Vec::new();
    for block in ring..ring + HEADER_RING {
        if let Some(header) = disk.header(block).context("reading the headers")? {
            found.push(header);
        }
    }
    found.sort_by_key(|header| std::cmp::Reverse(header.generation()));
    Ok(found)
}

/// Whether the filesystem on `device` is encrypted.
///
/// # Errors
///
/// Where there is no filesystem.
pub fn is_encrypted<D: Device>(device: D) -> anyhow::Result<bool> {
    let (_, headers) = headers_of(device)?;
    Ok(headers[0].encrypted())
}

/// Whether this is the password of the encrypted filesystem on `device`. A wrong one takes 64 times as long as the right one: as often as there is
/// room for another password.
///
/// # Errors
///
/// Where there is no filesystem.
pub fn has_password<D: Device>(device: D, password: &[u8]) -> anyhow::Result<bool> {
    let (_, headers) = headers_of(device)?;
    Ok(headers[0].cipher(password).is_some())
}

/// The disk, and its valid headers, at least one, newest first.
fn headers_of<D: Device>(device: D) -> anyhow::Result<(CachedDisk<D>, Vec<Header>)> {
    let mut disk = CachedDisk::new(device).context("asking the disk for its size")?;
    let ring_blocks = HEADER_RING * redoxfs::BLOCK_SIZE;
    let size = redoxfs::Disk::size(&mut disk).unwrap_or(0);
    if size < ring_blocks {
        bail!("no RedoxFS: the disk has {size} bytes, fewer than a header ring");
    }
    let headers = headers(&mut disk, 0)?;
    if headers.is_empty() {
        bail!("no RedoxFS: none of the first {HEADER_RING} blocks is a valid header");
    }
    Ok((disk, headers))
}

/// Opens the filesystem on `device`. `open_again` gives the device anew after a failed attempt.
///
/// Newer generations whose blocks do not read are passed over, with a warning: a disk that lost writes in spite of
/// flushes leaves the state before the last transaction, not a broken one.
///
/// # Errors
///
/// With a text that says what is wrong: no header, encrypted, smaller than the filesystem, no generation that reads.
pub fn open<D: Device>(
    open_again: impl FnMut() -> anyhow::Result<D>,
) -> anyhow::Result<FileSystem<CachedDisk<D>>> {
    open_with(open_again, None)
}

/// As [`open`], with the password, which one that is not encrypted does not need.
///
/// # Errors
///
/// As [`open`], and where the password is not the filesystem's.
pub fn open_with<D: Device>(
    mut open_again: impl FnMut() -> anyhow::Result<D>,
    password: Option<&[u8]>,
) -> anyhow::Result<FileSystem<CachedDisk<D>>> {
    let (mut disk, headers) = headers_of(open_again()?)?;
    let size = redoxfs::Disk::size(&mut disk).unwrap_or(0);
    let newest = &headers[0];
    let password = password.filter(|_| newest.encrypted());
    match password {
        None if newest.encrypted() => bail!("the filesystem is encrypted: its password is needed"),
        Some(password) if newest.cipher(password).is_none() => bail!("that is not the filesystem's password"),
        _ => {}
    }
    if newest.size() > size {
        let fs_size = newest.size();
        bail!("the filesystem has {fs_size} bytes but the disk only {size}: is the image cut off?");
    }
    let mut disk = Some(disk);
    for (index, header) in headers.iter().enumerate() {
        let mut disk = match disk.take() {
            Some(disk) => disk,
            None => CachedDisk::new(open_again()?)?,
        };
        let generation = header.generation();
        disk.set_ring(0, generation);
        let previous = headers.get(index + 1);
        let previous = previous.filter(|previous| previous.generation() + 1 == generation);
        // The crate asserts where an allocation log contradicts itself: an error here, not the end of the daemon.
        let opened = catch_unwind(AssertUnwindSafe(|| {
            let mut fs = crate::free_map::open(disk, header, password)?;
            verify_last(&mut fs, previous)?;
            Ok::<_, Error>(fs)
        }));
        match opened {
            Ok(Ok(fs)) => return Ok(fs),
            Ok(Err(error)) => tracing::warn!("generation {generation} does not open: {error}"),
            Err(_) => tracing::warn!("generation {generation} contradicts itself"),
        }
    }
    bail!(
        "no RedoxFS that reads: all {} generations are broken",
        headers.len()
    );
}
