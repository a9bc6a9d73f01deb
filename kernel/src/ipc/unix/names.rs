//! Names of AF_UNIX sockets: files, and the abstract namespace.

use alloc::collections::BTreeMap;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;

use super::Socket;
use crate::error::*;
use crate::ipc::network::NetNamespace;
use crate::fs::{Caller, FileType, LookupFlags};
use crate::sync::SpinLock;
use crate::random;

/// A socket's name (`unix(7)`, Address format).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A file.
    Path(Vec<u8>),
    /// In the abstract namespace, without the leading NUL.
    Abstract(Vec<u8>),
    /// None given: bind chooses one.
    Unnamed,
}

const AF_UNIX: u16 = 1;
/// `sun_path`
const PATH_SIZE: usize = 108;

impl Address {
    /// From a `struct sockaddr_un`.
    ///
    /// # Errors
    /// `EINVAL` for another family or a bad length.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        if bytes.len() < 2 || bytes.len() > 2 + PATH_SIZE {
            return Err(EINVAL);
        }
        if u16::from_le_bytes([bytes[0], bytes[1]]) != AF_UNIX {
            return Err(EINVAL);
        }
        let name = &bytes[2..];
        Ok(match name.first() {
            None => Address::Unnamed,
            Some(0) => Address::Abstract(name[1..].to_vec()),
            Some(_) => Address::Path(name.split(|b| *b == 0).next().unwrap_or_default().to_vec()),
        })
    }

    /// As a `struct sockaddr_un`; an unnamed socket has only the family.
    pub fn to_bytes(address: Option<&Address>) -> Vec<u8> {
        let mut bytes = AF_UNIX.to_le_bytes().to_vec();
        match address {
            Some(Address::Path(path)) => {
                bytes.extend_from_slice(path);
                bytes.push(0);
            }
            Some(Address::Abstract(name)) => {
                bytes.push(0);
                bytes.extend_from_slice(name);
            }
            Some(Address::Unnamed) | None => {}
        }
        bytes
    }
}

/// Key of a bound socket.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    /// Device and inode number of its file.
    File(u64, u64),
    /// In a network namespace.
    Abstract(u64, Vec<u8>),
}

static BOUND: SpinLock<BTreeMap<Key, Weak<Socket>>> = SpinLock::new(BTreeMap::new());

/// A name that is held; given back when dropped (the file stays, as `unix(7)` says).
pub struct Binding(Key);

impl Drop for Binding {
    fn drop(&mut self) {
        let gone = BOUND.lock().remove(&self.0);
        drop(gone);
    }
}

/// Binds a socket. Returns the name it got.
///
/// # Errors
/// `EADDRINUSE`; errors of making the file.
pub fn bind(address: Address, net: &NetNamespace, socket: &Weak<Socket>) -> Result<(Binding, Address)> {
    let (key, address) = match address {
        Address::Path(path) => {
            let file = make_file(&path).map_err(|e| if e == EEXIST { EADDRINUSE } else { e })?;
            (file, Address::Path(path))
        }
        Address::Abstract(name) => (Key::Abstract(net.ino, name.clone()), Address::Abstract(name)),
        Address::Unnamed => {
            let name = alloc::format!("{:05x}", random::u64() & 0xf_ffff).into_bytes();
            (Key::Abstract(net.ino, name.clone()), Address::Abstract(name))
        }
    };
    let mut bound = BOUND.lock();
    if bound.get(&key).is_some_and(|w| w.strong_count() > 0) {
        return Err(EADDRINUSE);
    }
    bound.insert(key.clone(), socket.clone());
    Ok((Binding(key), address))
}

fn make_file(path: &[u8]) -> Result<Key> {
    let caller = Caller::current();
    let mode = FileType::Socket as u32 | 0o777;
    let attr = caller.mknod(None, path, mode, 0)?.inode().attr()?;
    Ok(Key::File(attr.dev, attr.ino))
}

/// The socket with a name.
///
/// # Errors
/// `ECONNREFUSED` where nobody listens there; errors of path lookup.
pub fn find(address: &Address, net: &NetNamespace) -> Result<Arc<Socket>> {
    let key = match address {
        Address::Path(path) => {
            let caller = Caller::current();
            let place = caller.resolve(None, path, LookupFlags::FOLLOW)?;
            caller.check(place.inode(), crate::fs::lookup::MAY_WRITE)?;
            let attr = place.inode().attr()?;
            if attr.file_type() != FileType::Socket {
                return Err(ECONNREFUSED);
            }
            Key::File(attr.dev, attr.ino)
        }
        Address::Abstract(name) => Key::Abstract(net.ino, name.clone()),
        Address::Unnamed => return Err(EINVAL),
    };
    BOUND.lock().get(&key).and_then(Weak::upgrade).ok_or(ECONNREFUSED)
}
