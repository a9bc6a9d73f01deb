//! The scheme `/scheme/vport`: ports by name, each a stream for one program at a time.

use crate::ports::{Changed, Ports};
use virtio::DriverError;
use scheme::abi::dirent::{DirentWriter, Entry, kind_of_mode};
use scheme::abi::{O_NONBLOCK, O_STAT};
use scheme::{Context, Errno, EventFlags, Fail, Handles, Opened, Outbox, Result, Scheme, Stat};
use std::collections::VecDeque;

/// `fcntl(2)`: set the file status flags.
const F_SETFL: u64 = 4;
const S_IFDIR: u16 = 0o040_000;
const S_IFCHR: u16 = 0o020_000;

/// An open file.
enum Node {
    Directory,
    /// A port that is only looked at.
    Looked,
    Port(Open),
}

/// A port opened by a program.
struct Open {
    id: u32,
    is_nonblocking: bool,
    /// Reads that wait: tag and length.
    readers: VecDeque<(u32, usize)>,
    /// Writes that wait: tag and data.
    writers: VecDeque<(u32, Vec<u8>)>,
    /// What the kernel wants to be told of.
    interest: EventFlags,
}

/// The ports as a scheme.
pub struct Serial {
    ports: Ports,
    handles: Handles<Node>,
    /// The device is broken: the driver ends, and its successor resets it.
    pub failure: Option<DriverError>,
}

impl Serial {
    /// Serves these ports.
    pub fn new(ports: Ports) -> Self {
        Serial {
            ports,
            handles: Handles::new(),
            failure: None,
        }
    }

    fn fail(&mut self, error: impl Into<DriverError>) -> Fail {
        self.failure.get_or_insert(error.into());
        Fail::Errno(Errno::IO)
    }

    fn open(&mut self, handle: u64) -> Result<&mut Open> {
        match self.handles.get(handle)? {
            Node::Port(open) => Ok(open),
            Node::Directory => Err(Errno::ISDIR.into()),
            Node::Looked => Err(Errno::BADF.into()),
        }
    }

    /// After an interrupt: serves who waits, tells who wants to know.
    pub fn interrupt(&mut self, out: &mut Outbox) {
        match self.ports.interrupt() {
            Ok(changed) => {
                if let Err(error) = self.serve_waiting(&changed, out) {
                    self.failure.get_or_insert(error);
                }
            }
            Err(error) => {
                self.failure.get_or_insert(error);
            }
        }
    }

    fn serve_waiting(
        &mut self,
        changed: &[Changed],
        out: &mut Outbox,
    ) -> std::result::Result<(), DriverError> {
        for (handle, node) in self.handles.iter_mut() {
            let Node::Port(open) = node else { continue };
            if !changed.contains(&Changed(open.id)) {
                continue;
            }
            while let Some((tag, len)) = open.readers.front() {
                let mut buffer = vec![0; *len];
                let Some(count) = self.ports.read(open.id, &mut buffer)? else {
                    break;
                };
                out.answer_bytes(*tag, &buffer[..count]);
                open.readers.pop_front();
            }
            while let Some((tag, data)) = open.writers.front() {
                let Some(count) = self.ports.write(open.id, data)? else {
                    break;
                };
                out.answer(*tag, Ok(count as u64));
                open.writers.pop_front();
            }
            let ready = ready(&mut self.ports, open.id) & open.interest;
            if !ready.is_empty() {
                out.notify(handle, ready);
            }
        }
        Ok(())
    }
}

/// What a port is ready for.
fn ready(ports: &mut Ports, id: u32) -> EventFlags {
    let Some(port) = ports.port(id) else {
        return EventFlags::EVENT_READ;
    };
    let mut flags = EventFlags::empty();
    flags.set(EventFlags::EVENT_READ, port.is_readable());
    flags.set(EventFlags::EVENT_WRITE, port.is_writable());
    flags
}

impl Scheme for Serial {
    fn openat(&mut self, cx: &mut Context<'_>, dir: u64, path: &str, flags: u64) -> Result<Opened> {
        if dir != scheme::abi::ROOT_HANDLE {
            return Err(Errno::NOTDIR.into());
        }
        if path.is_empty() {
            return Ok(Opened::Handle(self.handles.insert(Node::Directory)));
        }
        let id = self
            .ports
            .named()
            .find(|(_, name)| *name == path)
            .map(|(id, _)| id)
            .ok_or(Errno::NOENT)?;
        if flags & O_STAT as u64 != 0 {
            return Ok(Opened::Handle(self.handles.insert(Node::Looked)));
        }
        if cx.ids.uid != 0 {
            return Err(Errno::ACCESS.into());
        }
        if self.ports.port(id).is_some_and(|port| port.is_open()) {
            return Err(Errno::BUSY.into());
        }
        if let Err(error) = self.ports.set_open(id, true) {
            return Err(self.fail(error));
        }
        Ok(Opened::Handle(self.handles.insert(Node::Port(Open {
            id,
            is_nonblocking: flags & O_NONBLOCK as u64 != 0,
            readers: VecDeque::new(),
            writers: VecDeque::new(),
            interest: EventFlags::empty(),
        }))))
    }

    fn read(
        &mut self,
        cx: &mut Context<'_>,
        handle: u64,
        buffer: &mut [u8],
        _offset: u64,
    ) -> Result<usize> {
        let open = self.open(handle)?;
        let (id, is_nonblocking) = (open.id, open.is_nonblocking);
        if open.readers.is_empty() {
            match self.ports.read(id, buffer) {
                Ok(Some(count)) => return Ok(count),
                Ok(None) => {}
                Err(error) => return Err(self.fail(error)),
            }
        }
        if is_nonblocking {
            return Err(Errno::AGAIN.into());
        }
        self.open(handle)?.readers.push_back((cx.tag, buffer.len()));
        Err(Fail::Later)
    }

    fn write(
        &mut self,
        cx: &mut Context<'_>,
        handle: u64,
        data: &[u8],
        _offset: u64,
    ) -> Result<usize> {
        let open = self.open(handle)?;
        let (id, is_nonblocking) = (open.id, open.is_nonblocking);
        if open.writers.is_empty() {
            match self.ports.write(id, data) {
                Ok(Some(count)) => return Ok(count),
                Ok(None) => {}
                Err(error) => return Err(self.fail(error)),
            }
        }
        if is_nonblocking {
            return Err(Errno::AGAIN.into());
        }
        self.open(handle)?
            .writers
            .push_back((cx.tag, data.to_vec()));
        Err(Fail::Later)
    }

    fn fcntl(&mut self, handle: u64, command: u64, argument: u64) -> Result<u64> {
        if command != F_SETFL {
            return Err(Errno::INVAL.into());
        }
        self.open(handle)?.is_nonblocking = argument & O_NONBLOCK as u64 != 0;
        Ok(0)
    }

    fn fevent(&mut self, handle: u64, events: EventFlags) -> Result<EventFlags> {
        let open = self.open(handle)?;
        open.interest = events;
        let id = open.id;
        Ok(ready(&mut self.ports, id) & events)
    }

    fn fstat(&mut self, handle: u64) -> Result<Stat> {
        let mode = match self.handles.get(handle)? {
            Node::Directory => S_IFDIR | 0o555,
            Node::Port(_) | Node::Looked => S_IFCHR | 0o600,
        };
        Ok(Stat {
            st_ino: handle + 1,
            st_mode: mode,
            st_nlink: 1,
            ..Stat::default()
        })
    }

    fn getdents(&mut self, handle: u64, entries: &mut DirentWriter<'_>, from: u64) -> Result<()> {
        if !matches!(self.handles.get(handle)?, Node::Directory) {
            return Err(Errno::NOTDIR.into());
        }
        for (id, name) in self.ports.named().filter(|(id, _)| u64::from(*id) >= from) {
            let next = u64::from(id) + 1;
            let entry = Entry {
                inode: next,
                next,
                kind: kind_of_mode(S_IFCHR.into()),
                name: name.as_bytes(),
            };
            if let Err(full) = entries.push(&entry) {
                return if entries.written() == 0 {
                    Err(full.into())
                } else {
                    Ok(())
                };
            }
        }
        Ok(())
    }

    fn on_close(&mut self, handle: u64) {
        if let Some(Node::Port(open)) = self.handles.remove(handle)
            && let Err(error) = self.ports.set_open(open.id, false)
        {
            self.fail(error);
        }
    }

    fn cancel(&mut self, tag: u32) -> bool {
        for (_, node) in self.handles.iter_mut() {
            if let Node::Port(open) = node {
                open.readers.retain(|(waiting, _)| *waiting != tag);
                open.writers.retain(|(waiting, _)| *waiting != tag);
            }
        }
        true
    }
}
