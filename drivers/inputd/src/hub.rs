//! Devices, their drivers and their readers.

use crate::client::{Client, Moment};
use crate::device::{Device, Origin};
use input_event::code::{EV_LED, EV_REP, EV_SND};
use input_event::producer::Change;
use input_event::{Description, EV_KEY, EV_SYN, EVENT_BYTES, InputEvent, SYN_REPORT, key};
use scheme::{Errno, EventFlags, Handles, Outbox};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How long a device waits for its driver to come back before it is gone.
pub const GRACE: Duration = Duration::from_secs(5);
/// Changes that wait for a driver, at most.
const TO_DRIVER: usize = 64;

/// An open file.
pub enum Node {
    /// The scheme's root.
    Directory,
    /// A file that is only looked at: an event device, or something else.
    Looked(Option<usize>),
    /// A driver's connection.
    Producer(Producer),
    /// A reader.
    Client(Client),
}

/// A driver's connection.
#[derive(Default)]
pub struct Producer {
    /// Its device, once it has described it.
    pub device: Option<usize>,
    /// `O_NONBLOCK`.
    pub is_nonblocking: bool,
    /// What it is to take from here.
    pub queue: VecDeque<Change>,
    /// Reads that wait: tag and length.
    pub waiting: VecDeque<(u32, usize)>,
    /// What the kernel wants to be told of.
    pub interest: EventFlags,
}

/// A device with who uses it.
pub struct Slot {
    /// The device.
    pub device: Device,
    /// Its driver's handle, or since when there is none.
    pub driver: Result<u64, Instant>,
    /// The reader that has it alone.
    pub grab: Option<u64>,
}

/// All of it.
#[derive(Default)]
pub struct Hub {
    /// By the number in `event<N>`.
    pub slots: Vec<Option<Slot>>,
    /// Open files.
    pub handles: Handles<Node>,
}

/// Wakes what waits on a driver's connection.
fn serve_producer(handle: u64, producer: &mut Producer, out: &mut Outbox) {
    while !producer.queue.is_empty()
        && let Some((tag, len)) = producer.waiting.pop_front()
    {
        if out.is_waiting(tag) {
            let bytes = take_changes(producer, len);
            out.answer_bytes(tag, &bytes);
        }
    }
    if !producer.queue.is_empty() && producer.interest.contains(EventFlags::EVENT_READ) {
        out.notify(handle, EventFlags::EVENT_READ);
    }
}

/// As many whole events for a driver as fit.
pub fn take_changes(producer: &mut Producer, len: usize) -> Vec<u8> {
    let count = producer.queue.len().min(len / EVENT_BYTES);
    let event = |(kind, code, value)| InputEvent { time_us: 0, kind, code, value }.encode();
    producer.queue.drain(..count).flat_map(event).collect()
}

/// Wakes what waits on a reader's file.
fn serve_client(handle: u64, client: &mut Client, was_readable: bool, out: &mut Outbox) {
    while client.is_readable()
        && let Some((tag, len)) = client.waiting.pop_front()
    {
        if out.is_waiting(tag) {
            let bytes = client.take(len);
            out.answer_bytes(tag, &bytes);
        }
    }
    if !was_readable && client.is_readable() && client.interest.contains(EventFlags::EVENT_READ) {
        out.notify(handle, EventFlags::EVENT_READ);
    }
}

impl Hub {
    /// The device with this number, if it is there.
    pub fn slot(&mut self, number: usize) -> Option<&mut Slot> {
        self.slots.get_mut(number)?.as_mut()
    }

    /// A driver has described its device: it is the one that waits for such a driver, or a new one. Its number, and
    /// whether it is new.
    pub fn attach(&mut self, handle: u64, description: Description) -> (usize, bool) {
        let waits = |slot: &Slot| slot.driver.is_err() && slot.device.description == description;
        let found = self.slots.iter().position(|slot| slot.as_ref().is_some_and(waits));
        if let Some(number) = found
            && let Some(slot) = self.slot(number)
        {
            slot.driver = Ok(handle);
            // The new driver's device is in its first state.
            let lamps: Vec<Change> = slot.device.leds.iter().map(|code| (EV_LED, code, 1)).collect();
            if let Ok(Node::Producer(producer)) = self.handles.get(handle) {
                producer.queue.extend(lamps);
            }
            return (number, false);
        }
        let slot = Some(Slot { device: Device::new(description), driver: Ok(handle), grab: None });
        match self.slots.iter().position(Option::is_none) {
            Some(number) => {
                self.slots[number] = slot;
                (number, true)
            }
            None => {
                self.slots.push(slot);
                (self.slots.len() - 1, true)
            }
        }
    }

    /// Events from a driver, or written by a program: the groups in them, with what is no news left out.
    pub fn feed(&mut self, number: usize, changes: &[Change], origin: Origin, out: &mut Outbox) {
        let now = Instant::now();
        let mut group = Vec::new();
        for change in changes.iter().copied() {
            if (change.0, change.1) == (EV_SYN, SYN_REPORT) {
                self.pass(number, &std::mem::take(&mut group), out);
                continue;
            }
            let Some(slot) = self.slot(number) else { return };
            if !slot.device.accept(change, origin, now) {
                continue;
            }
            group.push(change);
            if let (EV_LED | EV_SND | EV_REP, Ok(driver)) = (change.0, slot.driver)
                && let Ok(Node::Producer(producer)) = self.handles.get(driver)
            {
                if producer.queue.len() < TO_DRIVER {
                    producer.queue.push_back(change);
                }
                serve_producer(driver, producer, out);
            }
        }
        // Programs often write a lamp without the end of the group.
        self.pass(number, &group, out);
    }

    /// Gives a group to the device's readers.
    fn pass(&mut self, number: usize, group: &[Change], out: &mut Outbox) {
        let Some(slot) = self.slot(number).filter(|_| !group.is_empty()) else { return };
        let (grab, moment) = (slot.grab, Moment::now());
        let keys: Vec<Change> = group.iter().copied().filter(|change| change.0 == EV_KEY && slot.device.description.has(EV_KEY, key::ENTER)).collect();
        for (handle, node) in self.handles.iter_mut() {
            let Node::Client(client) = node else { continue };
            let group = match client.device {
                Some(device) if device == number && grab.is_none_or(|grab| grab == handle) => group,
                None if grab.is_none() && !keys.is_empty() => &keys,
                _ => continue,
            };
            if client.is_revoked {
                continue;
            }
            let was_readable = client.is_readable();
            client.push(group, moment);
            serve_client(handle, client, was_readable, out);
        }
    }

    /// Time has passed: keys repeat, devices whose drivers have not come back go. The devices that went.
    pub fn tick(&mut self, out: &mut Outbox) -> Vec<usize> {
        let now = Instant::now();
        let mut gone = Vec::new();
        for number in 0..self.slots.len() {
            let Some(slot) = self.slot(number) else { continue };
            if let Some(change) = slot.device.take_repeat(now) {
                self.pass(number, &[change], out);
            } else if slot.driver.is_err_and(|since| since + GRACE <= now) {
                self.remove(number, out);
                gone.push(number);
            }
        }
        gone
    }

    /// When [`Hub::tick`] has something to do next.
    pub fn next_tick(&self) -> Option<Instant> {
        let times = self.slots.iter().flatten().flat_map(|slot| [slot.device.repeat_time(), slot.driver.err().map(|since| since + GRACE)]);
        times.flatten().min()
    }

    /// The device is gone: readers hear ENODEV.
    fn remove(&mut self, number: usize, out: &mut Outbox) {
        self.slots[number] = None;
        for (handle, node) in self.handles.iter_mut() {
            if let Node::Client(client) = node
                && client.device == Some(number)
            {
                revoke(handle, client, out);
            }
        }
    }

    /// A file is closed. A lost driver's keys come up at the next [`Hub::release_lost`].
    pub fn close(&mut self, handle: u64) {
        match self.handles.remove(handle) {
            Some(Node::Client(client)) => {
                if let Some(slot) = client.device.and_then(|number| self.slot(number))
                    && slot.grab == Some(handle)
                {
                    slot.grab = None;
                }
            }
            Some(Node::Producer(producer)) => {
                if let Some(slot) = producer.device.and_then(|number| self.slot(number)) {
                    slot.driver = Err(Instant::now());
                }
            }
            _ => {}
        }
    }

    /// Brings up all keys of devices whose driver is gone.
    pub fn release_lost(&mut self, out: &mut Outbox) {
        for number in 0..self.slots.len() {
            if self.slot(number).is_some_and(|slot| slot.driver.is_err()) {
                self.release(number, out);
            }
        }
    }

    fn release(&mut self, number: usize, out: &mut Outbox) {
        let Some(slot) = self.slot(number) else { return };
        let changes = slot.device.release_all();
        self.feed(number, &changes, Origin::Device, out);
    }

    /// Takes a device for one reader alone.
    pub fn grab(&mut self, number: usize, handle: u64, on: bool) -> Result<(), Errno> {
        let slot = self.slot(number).ok_or(Errno::NODEV)?;
        match (on, slot.grab) {
            (true, Some(_)) => Err(Errno::BUSY),
            (true, None) => {
                slot.grab = Some(handle);
                Ok(())
            }
            (false, Some(holder)) if holder == handle => {
                slot.grab = None;
                Ok(())
            }
            (false, _) => Err(Errno::INVAL),
        }
    }
}

/// A reader gets nothing any more: its reads fail, waiting ones, too.
pub fn revoke(handle: u64, client: &mut Client, out: &mut Outbox) {
    client.is_revoked = true;
    client.clear();
    for (tag, _) in client.waiting.drain(..) {
        out.answer(tag, Err(Errno::NODEV));
    }
    if !client.interest.is_empty() {
        out.notify(handle, EventFlags::EVENT_READ);
    }
}
