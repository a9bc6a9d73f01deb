//! The scheme `/scheme/input`: `event<N>`, `keyboard`, `producer`.

use crate::client::Client;
use crate::device::Origin;
use crate::evdev::{self, Outcome};
use crate::hub::{Hub, Node, Producer, revoke, take_changes};
use crate::registry::Registry;
use input_event::code::{REP_DELAY, REP_PERIOD};
use input_event::{Description, EVENT_BYTES, InputEvent, code};
use scheme::abi::dirent::{DirentWriter, Entry, kind_of_mode};
use scheme::abi::{O_NONBLOCK, O_STAT};
use scheme::{Context, Errno, EventFlags, Fail, Opened, Outbox, Result, Scheme, Stat};

const S_IFDIR: u16 = 0o040_000;
const S_IFCHR: u16 = 0o020_000;
/// `fcntl(2)`: set the file status flags.
const F_SETFL: u64 = 4;
/// Linux's numbers of event devices: major 13, from minor 64 on.
const MAJOR: u64 = 13;
const FIRST_MINOR: u64 = 64;
/// The merged keys of all keyboards that nobody has grabbed: for text consoles.
const KEYBOARD: &str = "keyboard";
const PRODUCER: &str = "producer";

/// Devices as files.
pub struct Files {
    /// Devices, drivers, readers.
    pub hub: Hub,
    /// Where the kernel is told of devices.
    pub registry: Registry,
}

fn number_of(path: &str) -> Option<usize> {
    let digits = path.strip_prefix("event")?;
    let number = digits.parse().ok()?;
    // Neither `event01` nor `event+1`.
    (digits == format!("{number}")).then_some(number)
}

/// The device number of `event<number>`.
pub const fn device_number(number: usize) -> u64 {
    MAJOR << 8 | (FIRST_MINOR + number as u64)
}

fn events(data: &[u8]) -> Vec<(u16, u16, i32)> {
    let (events, _) = data.as_chunks::<EVENT_BYTES>();
    events.iter().map(InputEvent::decode).map(|event| (event.kind, event.code, event.value)).collect()
}

impl Files {
    /// No devices yet.
    pub fn new(registry: Registry) -> Self {
        Files { hub: Hub::default(), registry }
    }

    fn client(&mut self, handle: u64) -> Result<&mut Client> {
        match self.hub.handles.get(handle)? {
            Node::Client(client) => Ok(client),
            Node::Directory => Err(Errno::ISDIR.into()),
            Node::Looked(_) | Node::Producer(_) => Err(Errno::BADF.into()),
        }
    }

    /// What time brings.
    pub fn tick(&mut self, out: &mut Outbox) {
        self.hub.release_lost(out);
        for number in self.hub.tick(out) {
            self.registry.remove(number);
            tracing::info!("event{number} is gone");
        }
    }

    /// A driver's first message.
    fn attach(&mut self, handle: u64, data: &[u8]) -> Result<usize> {
        let description = Description::decode(data).map_err(|_| Errno::INVAL)?;
        let (number, is_new) = self.hub.attach(handle, description);
        if let Node::Producer(producer) = self.hub.handles.get(handle)? {
            producer.device = Some(number);
        }
        if let Some(slot) = self.hub.slot(number) {
            let name = &slot.device.description.name;
            tracing::info!("event{number}: {name}{}", if is_new { "" } else { ", again" });
            if is_new {
                self.registry.add(number, &slot.device.description);
            }
        }
        Ok(data.len())
    }
}

impl Scheme for Files {
    fn openat(&mut self, cx: &mut Context<'_>, dir: u64, path: &str, flags: u64) -> Result<Opened> {
        if dir != scheme::abi::ROOT_HANDLE {
            return Err(Errno::NOTDIR.into());
        }
        let is_nonblocking = flags & O_NONBLOCK as u64 != 0;
        let is_looked = flags & O_STAT as u64 != 0;
        let device = number_of(path).filter(|number| self.hub.slot(*number).is_some());
        let node = match path {
            "" => Node::Directory,
            KEYBOARD | PRODUCER if is_looked => Node::Looked(None),
            PRODUCER => Node::Producer(Producer { is_nonblocking, ..Producer::default() }),
            KEYBOARD => Node::Client(Client::new(None, is_nonblocking)),
            _ if device.is_none() => return Err(Errno::NOENT.into()),
            _ if is_looked => Node::Looked(device),
            _ => Node::Client(Client::new(device, is_nonblocking)),
        };
        // Who reads a keyboard reads passwords.
        if matches!(node, Node::Client(_) | Node::Producer(_)) && cx.ids.uid != 0 {
            return Err(Errno::ACCESS.into());
        }
        Ok(Opened::Handle(self.hub.handles.insert(node)))
    }

    fn read(&mut self, cx: &mut Context<'_>, handle: u64, buffer: &mut [u8], _offset: u64) -> Result<usize> {
        if let Node::Producer(producer) = self.hub.handles.get(handle)? {
            let bytes = take_changes(producer, buffer.len());
            if bytes.is_empty() {
                if producer.is_nonblocking {
                    return Err(Errno::AGAIN.into());
                }
                producer.waiting.push_back((cx.tag, buffer.len()));
                return Err(Fail::Later);
            }
            buffer[..bytes.len()].copy_from_slice(&bytes);
            return Ok(bytes.len());
        }
        let client = self.client(handle)?;
        if !buffer.is_empty() && buffer.len() < EVENT_BYTES {
            return Err(Errno::INVAL.into());
        }
        if client.is_revoked {
            return Err(Errno::NODEV.into());
        }
        if client.is_readable() {
            let bytes = client.take(buffer.len());
            buffer[..bytes.len()].copy_from_slice(&bytes);
            return Ok(bytes.len());
        }
        if client.is_nonblocking {
            return Err(Errno::AGAIN.into());
        }
        if buffer.is_empty() {
            return Ok(0);
        }
        client.waiting.push_back((cx.tag, buffer.len()));
        Err(Fail::Later)
    }

    fn write(&mut self, cx: &mut Context<'_>, handle: u64, data: &[u8], _offset: u64) -> Result<usize> {
        let (number, origin) = match self.hub.handles.get(handle)? {
            Node::Producer(Producer { device: None, .. }) => return self.attach(handle, data),
            Node::Producer(Producer { device: Some(number), .. }) => (*number, Origin::Device),
            Node::Client(client) if client.is_revoked => return Err(Errno::NODEV.into()),
            Node::Client(client) => (client.device.ok_or(Errno::INVAL)?, Origin::Program),
            Node::Directory | Node::Looked(_) => return Err(Errno::BADF.into()),
        };
        if !data.is_empty() && data.len() < EVENT_BYTES {
            return Err(Errno::INVAL.into());
        }
        if origin == Origin::Program && self.hub.slot(number).is_some_and(|slot| slot.grab.is_some_and(|grab| grab != handle)) {
            // As Linux: what others write to a grabbed device is lost.
            return Ok(data.len() / EVENT_BYTES * EVENT_BYTES);
        }
        self.hub.feed(number, &events(data), origin, cx.out);
        Ok(data.len() / EVENT_BYTES * EVENT_BYTES)
    }

    fn fcntl(&mut self, handle: u64, command: u64, argument: u64) -> Result<u64> {
        if command != F_SETFL {
            return Err(Errno::INVAL.into());
        }
        let is_nonblocking = argument & O_NONBLOCK as u64 != 0;
        match self.hub.handles.get(handle)? {
            Node::Client(client) => client.is_nonblocking = is_nonblocking,
            Node::Producer(producer) => producer.is_nonblocking = is_nonblocking,
            Node::Directory | Node::Looked(_) => return Err(Errno::INVAL.into()),
        }
        Ok(0)
    }

    fn fevent(&mut self, handle: u64, events: EventFlags) -> Result<EventFlags> {
        let is_readable = match self.hub.handles.get(handle)? {
            Node::Client(client) => {
                client.interest = events;
                client.is_readable() || client.is_revoked
            }
            Node::Producer(producer) => {
                producer.interest = events;
                !producer.queue.is_empty()
            }
            Node::Directory | Node::Looked(_) => return Err(Errno::BADF.into()),
        };
        let read = if is_readable { EventFlags::EVENT_READ } else { EventFlags::empty() };
        Ok((read | EventFlags::EVENT_WRITE) & events)
    }

    fn fstat(&mut self, handle: u64) -> Result<Stat> {
        let (mode, device) = match self.hub.handles.get(handle)? {
            Node::Directory => (S_IFDIR | 0o755, None),
            Node::Producer(_) | Node::Looked(None) => (S_IFCHR | 0o600, None),
            Node::Looked(device) => (S_IFCHR | 0o600, *device),
            Node::Client(client) => (S_IFCHR | 0o600, client.device),
        };
        Ok(Stat {
            st_dev: device.map_or(0, device_number),
            st_ino: device.map_or(1, |number| 16 + number as u64),
            st_mode: mode,
            st_nlink: 1,
            ..Stat::default()
        })
    }

    fn getdents(&mut self, handle: u64, entries: &mut DirentWriter<'_>, from: u64) -> Result<()> {
        if !matches!(self.hub.handles.get(handle)?, Node::Directory) {
            return Err(Errno::NOTDIR.into());
        }
        let devices = self.hub.slots.iter().enumerate().filter(|(_, slot)| slot.is_some());
        let names = devices.map(|(number, _)| format!("event{number}")).chain([KEYBOARD.to_owned(), PRODUCER.to_owned()]);
        for (next, name) in (1..).zip(names).skip(usize::try_from(from).unwrap_or(usize::MAX)) {
            let entry = Entry { inode: next, next, kind: kind_of_mode(S_IFCHR.into()), name: name.as_bytes() };
            if let Err(full) = entries.push(&entry) {
                return if entries.written() == 0 { Err(full.into()) } else { Ok(()) };
            }
        }
        Ok(())
    }

    fn call(&mut self, cx: &mut Context<'_>, handle: u64, buffer: &mut [u8], metadata: [u64; 3]) -> Result<u64> {
        let Hub { slots, handles } = &mut self.hub;
        let Node::Client(client) = handles.get(handle)? else { return Err(Errno::NOTTY.into()) };
        if client.is_revoked {
            return Err(Errno::NODEV.into());
        }
        let number = client.device.ok_or(Errno::NOTTY)?;
        let slot = slots.get_mut(number).and_then(Option::as_mut).ok_or(Errno::NODEV)?;
        let request = u32::try_from(metadata[0]).map_err(|_| Errno::INVAL)?;
        match evdev::ioctl(&mut slot.device, client, request, metadata[1], buffer)? {
            Outcome::Value(value) => return Ok(value),
            Outcome::Grab(on) => self.hub.grab(number, handle, on)?,
            Outcome::Revoke => {
                if slot.grab == Some(handle) {
                    slot.grab = None;
                }
                revoke(handle, client, cx.out);
            }
            Outcome::Repeat(values) => {
                let changes = [REP_DELAY, REP_PERIOD].map(|code| (code::EV_REP, code, values[usize::from(code)]));
                self.hub.feed(number, &changes, Origin::Program, cx.out);
            }
        }
        Ok(0)
    }

    fn on_close(&mut self, handle: u64) {
        self.hub.close(handle);
    }

    fn cancel(&mut self, tag: u32) -> bool {
        for (_, node) in self.hub.handles.iter_mut() {
            match node {
                Node::Client(client) => client.waiting.retain(|(waiting, _)| *waiting != tag),
                Node::Producer(producer) => producer.waiting.retain(|(waiting, _)| *waiting != tag),
                Node::Directory | Node::Looked(_) => {}
            }
        }
        true
    }
}
