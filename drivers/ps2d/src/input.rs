//! The scheme `/scheme/input`: devices as streams of events, each reader with its own queue.

use crate::devices::Change;
use input_event::{EV_SYN, EVENT_BYTES, InputEvent, SYN_DROPPED, SYN_REPORT};
use scheme::abi::dirent::{DirentWriter, Entry, kind_of_mode};
use scheme::abi::{O_NONBLOCK, O_STAT};
use scheme::{Context, Errno, EventFlags, Fail, Handles, Opened, Outbox, Result, Scheme, Stat};
use std::collections::VecDeque;
use std::time::SystemTime;

/// Events that a reader may be behind.
const QUEUE: usize = 1024;
const S_IFDIR: u16 = 0o040_000;
const S_IFCHR: u16 = 0o020_000;
/// `fcntl(2)`: set the file status flags.
const F_SETFL: u64 = 4;

enum Node {
    Directory,
    /// A device that is only looked at.
    Looked,
    Reader(Reader),
}

struct Reader {
    device: usize,
    queue: VecDeque<InputEvent>,
    is_nonblocking: bool,
    waiting: VecDeque<(u32, usize)>,
    interest: EventFlags,
}

impl Reader {
    /// As many whole events as fit `len` bytes.
    fn take(&mut self, len: usize) -> Vec<u8> {
        let count = self.queue.len().min(len / EVENT_BYTES);
        self.queue
            .drain(..count)
            .flat_map(|event| event.encode())
            .collect()
    }
}

/// Devices and their readers.
pub struct Input {
    devices: Vec<&'static str>,
    handles: Handles<Node>,
}

impl Input {
    /// Serves devices of these names.
    pub fn new(devices: Vec<&'static str>) -> Self {
        Input {
            devices,
            handles: Handles::new(),
        }
    }

    /// A group of events on a device, now.
    pub fn report(&mut self, device: &str, changes: &[Change], out: &mut Outbox) {
        if changes.is_empty() {
            return;
        }
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let time_us = now.as_micros() as u64;
        let event = |(kind, code, value)| InputEvent {
            time_us,
            kind,
            code,
            value,
        };
        let group: Vec<InputEvent> = changes
            .iter()
            .copied()
            .chain([(EV_SYN, SYN_REPORT, 0)])
            .map(event)
            .collect();
        for (handle, node) in self.handles.iter_mut() {
            let Node::Reader(reader) = node else { continue };
            if self.devices.get(reader.device) != Some(&device) {
                continue;
            }
            if reader.queue.len() + group.len() > QUEUE {
                // As Linux: the reader has to ask for the state again.
                reader.queue.clear();
                reader.queue.push_back(event((EV_SYN, SYN_DROPPED, 0)));
            }
            let was_empty = reader.queue.is_empty();
            reader.queue.extend(&group);
            while !reader.queue.is_empty()
                && let Some((tag, len)) = reader.waiting.pop_front()
            {
                if out.is_waiting(tag) {
                    let bytes = reader.take(len);
                    out.answer_bytes(tag, &bytes);
                }
            }
            if was_empty
                && !reader.queue.is_empty()
                && reader.interest.contains(EventFlags::EVENT_READ)
            {
                out.notify(handle, EventFlags::EVENT_READ);
            }
        }
    }

    fn reader(&mut self, handle: u64) -> Result<&mut Reader> {
        match self.handles.get(handle)? {
            Node::Reader(reader) => Ok(reader),
            Node::Directory => Err(Errno::ISDIR.into()),
            Node::Looked => Err(Errno::BADF.into()),
        }
    }
}

impl Scheme for Input {
    fn openat(&mut self, cx: &mut Context<'_>, dir: u64, path: &str, flags: u64) -> Result<Opened> {
        if dir != scheme::abi::ROOT_HANDLE {
            return Err(Errno::NOTDIR.into());
        }
        if path.is_empty() {
            return Ok(Opened::Handle(self.handles.insert(Node::Directory)));
        }
        let device = self
            .devices
            .iter()
            .position(|name| *name == path)
            .ok_or(Errno::NOENT)?;
        if flags & O_STAT as u64 != 0 {
            return Ok(Opened::Handle(self.handles.insert(Node::Looked)));
        }
        // Who reads a keyboard reads passwords.
        if cx.ids.uid != 0 {
            return Err(Errno::ACCESS.into());
        }
        Ok(Opened::Handle(self.handles.insert(Node::Reader(Reader {
            device,
            queue: VecDeque::new(),
            is_nonblocking: flags & O_NONBLOCK as u64 != 0,
            waiting: VecDeque::new(),
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
        let reader = self.reader(handle)?;
        if buffer.len() < EVENT_BYTES {
            return Err(Errno::INVAL.into());
        }
        if !reader.queue.is_empty() {
            let bytes = reader.take(buffer.len());
            buffer[..bytes.len()].copy_from_slice(&bytes);
            return Ok(bytes.len());
        }
        if reader.is_nonblocking {
            return Err(Errno::AGAIN.into());
        }
        reader.waiting.push_back((cx.tag, buffer.len()));
        Err(Fail::Later)
    }

    fn fcntl(&mut self, handle: u64, command: u64, argument: u64) -> Result<u64> {
        if command != F_SETFL {
            return Err(Errno::INVAL.into());
        }
        self.reader(handle)?.is_nonblocking = argument & O_NONBLOCK as u64 != 0;
        Ok(0)
    }

    fn fevent(&mut self, handle: u64, events: EventFlags) -> Result<EventFlags> {
        let reader = self.reader(handle)?;
        reader.interest = events;
        let ready = if reader.queue.is_empty() {
            EventFlags::empty()
        } else {
            EventFlags::EVENT_READ
        };
        Ok(ready & events)
    }

    fn fstat(&mut self, handle: u64) -> Result<Stat> {
        let mode = match self.handles.get(handle)? {
            Node::Directory => S_IFDIR | 0o555,
            Node::Reader(_) | Node::Looked => S_IFCHR | 0o600,
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
        for (next, name) in (1..)
            .zip(&self.devices)
            .skip(usize::try_from(from).unwrap_or(usize::MAX))
        {
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
        self.handles.remove(handle);
    }

    fn cancel(&mut self, tag: u32) -> bool {
        for (_, node) in self.handles.iter_mut() {
            if let Node::Reader(reader) = node {
                reader.waiting.retain(|(waiting, _)| *waiting != tag);
            }
        }
        true
    }
}
