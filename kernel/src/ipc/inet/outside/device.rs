//! `/scheme/netstack/socket`: where the stack reads and writes.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::sync::atomic::{AtomicBool, Ordering};

use net_abi::{ACCEPTED, HEADER_BYTES, Header, MOST_MESSAGE, ToKernel};

use super::{STACK, news};
use crate::error::*;
use crate::ipc::netdev;
use crate::ipc::packet::{self, Direction};
use crate::fs::{Attr, Events, FileOps, FileType, InodeRef, IoSink, IoSource, OpenFile};
use crate::scheme::pseudo::{Device, Dir, Entries, attr, ino};
use crate::sync::PollTable;

const NAME: &[u8] = b"socket";
/// Least room for a read: any message that is no data fits.
const LEAST_READ: usize = MOST_MESSAGE;

struct Files;

impl Entries for Files {
    fn find(&self, name: &[u8]) -> Result<InodeRef> {
        if name != NAME {
            return Err(ENOENT);
        }
        Ok(Device::for_root(ino(b"netstack"), |_| Ok(Arc::new(StackSocket::open()?))))
    }

    fn list(&self) -> Vec<(Vec<u8>, FileType)> {
        alloc::vec![(NAME.to_vec(), FileType::CharDevice)]
    }
}

/// The scheme's root.
pub fn root() -> InodeRef {
    Dir::of(Files, 1)
}

/// Somebody is the stack.
static IS_TAKEN: AtomicBool = AtomicBool::new(false);

/// The stack's end.
struct StackSocket;

impl StackSocket {
    fn open() -> Result<Self> {
        if IS_TAKEN.swap(true, Ordering::AcqRel) {
            return Err(EBUSY);
        }
        super::attach();
        Ok(Self)
    }

    /// Gives as many messages as fit.
    fn take(&self, dst: &mut IoSink<'_>) -> Result<usize> {
        loop {
            let message = {
                let mut stack = STACK.lock();
                match stack.messages.front() {
                    Some(first) if first.len() > dst.remaining() => return Ok(dst.done()),
                    Some(first) => {
                        stack.bytes = stack.bytes.saturating_sub(first.len());
                        stack.messages.pop_front()
                    }
                    None => None,
                }
            };
            if let Some(message) = message {
                dst.write(&message)?;
                continue;
            }
            let Some(connection) = STACK.lock().busy.pop_front() else { return Ok(dst.done()) };
            if !connection.tell(dst)? {
                connection.touch();
                return Ok(dst.done());
            }
        }
    }

    fn has_news(&self) -> bool {
        let stack = STACK.lock();
        !stack.messages.is_empty() || !stack.busy.is_empty()
    }
}

impl Drop for StackSocket {
    fn drop(&mut self) {
        super::detach();
        IS_TAKEN.store(false, Ordering::Release);
    }
}

fn obey(header: &Header, body: &[u8]) -> Result {
    let id = header.id;
    match ToKernel::decode(header, body).map_err(|_| EINVAL)? {
        ToKernel::Connected => {
            if let Some(connection) = super::find(id) {
                connection.connected();
            }
        }
        ToKernel::Accepted { local, remote } if id & ACCEPTED != 0 => super::accept(id, local, remote),
        ToKernel::Accepted { .. } => return Err(EINVAL),
        // Read apart, with its bytes.
        ToKernel::Data(_) => {}
        ToKernel::Finished => {
            if let Some(connection) = super::find(id) {
                connection.incoming.finish();
            }
        }
        ToKernel::Failed(errno) => {
            if let Some(connection) = super::remove(id) {
                connection.fail(Errno(errno as i32));
            }
        }
        ToKernel::Room(bytes) => {
            if let Some(connection) = super::find(id) {
                connection.add_room(bytes as usize);
            }
        }
        ToKernel::Datagram { protocol, hop_limit, from, to, bytes } => super::datagrams::deliver(crate::ipc::network::FIRST, protocol, hop_limit, from, to, bytes),
        ToKernel::Report(report) => super::datagrams::report(&report),
        ToKernel::Configuration(configuration) => super::configuration::set(configuration),
        ToKernel::Done(errno) => super::configuration::done(id, errno),
        ToKernel::Frame { is_sent, bytes } => {
            let direction = if is_sent { Direction::Sent } else { Direction::Received };
            packet::deliver(&crate::ipc::network::NetNamespace::first(), netdev::OUTSIDE_INDEX, id, direction, bytes);
        }
    }
    Ok(())
}

impl FileOps for StackSocket {
    fn read(&self, file: &OpenFile, _pos: u64, dst: &mut IoSink<'_>) -> Result<usize> {
        if dst.remaining() < LEAST_READ {
            return Err(EINVAL);
        }
        // It reads: whatever is left is not waited for longer than this.
        STACK.lock().unread_since = frame::time::now_ns();
        loop {
            let taken = self.take(dst)?;
            if taken > 0 {
                return Ok(taken);
            }
            if file.nonblocking() {
                return Err(EAGAIN);
            }
            news().wait_until(|| self.has_news().then_some(()))?;
        }
    }

    fn write(&self, _file: &OpenFile, _pos: u64, src: &mut IoSource<'_>) -> Result<usize> {
        while src.remaining() > 0 {
            let mut head = [0; HEADER_BYTES];
            if src.read(&mut head)? < HEADER_BYTES {
                return Err(EINVAL);
            }
            let header = Header::decode(&head).map_err(|_| EINVAL)?;
            let len = header.body_len();
            if len > src.remaining() || len > 2 * net_abi::ROOM as usize {
                return Err(EINVAL);
            }
            let mut body = alloc::vec![0; len];
            src.read(&mut body)?;
            if header.kind == ToKernel::DATA {
                if let Some(connection) = super::find(header.id) {
                    connection.deliver(body)?;
                }
            } else {
                obey(&header, &body)?;
            }
        }
        Ok(src.done())
    }

    fn poll(&self, _file: &OpenFile, table: &mut PollTable<'_>) -> Events {
        table.register(news());
        let readable = if self.has_news() { Events::IN | Events::RDNORM } else { Events::empty() };
        readable | Events::OUT | Events::WRNORM
    }

    fn attr(&self) -> Result<Attr> {
        Ok(attr(FileType::CharDevice, 0o600, ino(b"netstack")))
    }

    fn describe(&self) -> String {
        String::from("/scheme/netstack/socket")
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
