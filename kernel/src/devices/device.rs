//! Devices in the tree.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};

use super::tree::{self, Directory};
use crate::error::*;
use crate::fs::devfs;
use crate::ipc::netlink;
use crate::scheme::disk_stats;
use crate::sync::{Mutex, Once, SpinLock};

/// What a device belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subsystem {
    /// `/sys/class/<name>`.
    Class(Vec<u8>),
    /// `/sys/bus/<name>/devices`.
    Bus(Vec<u8>),
}

impl Subsystem {
    fn name(&self) -> &[u8] {
        match self {
            Self::Class(name) | Self::Bus(name) => name,
        }
    }

    /// Its directory, from the tree's root.
    fn path(&self) -> Vec<u8> {
        match self {
            Self::Class(name) => [b"class/", &name[..]].concat(),
            Self::Bus(name) => [b"bus/", &name[..]].concat(),
        }
    }

    /// The directory of links to its devices.
    fn devices(&self) -> Vec<u8> {
        match self {
            Self::Class(_) => self.path(),
            Self::Bus(_) => [&self.path()[..], b"/devices"].concat(),
        }
    }
}

/// A name in `/dev`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// A block device, else a character device.
    pub is_block: bool,
    #[allow(missing_docs)]
    pub number: (u32, u32),
    /// Below `/dev`.
    pub name: Vec<u8>,
    /// What the name stands for; empty for a device that the kernel itself serves.
    pub target: Vec<u8>,
}

impl Node {
    fn number_text(&self) -> Vec<u8> {
        format!("{}:{}", self.number.0, self.number.1).into_bytes()
    }

    /// The directory of links by number.
    fn numbers(&self) -> &'static [u8] {
        if self.is_block { b"dev/block" } else { b"dev/char" }
    }
}

/// A device, as it was registered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Device {
    /// From the tree's root, without a leading slash: `devices/...`.
    pub path: Vec<u8>,
    #[allow(missing_docs)]
    pub subsystem: Option<Subsystem>,
    /// The bus's driver.
    pub driver: Option<Vec<u8>>,
    #[allow(missing_docs)]
    pub node: Option<Node>,
    /// Variables of its events: `KEY=VALUE`.
    pub variables: Vec<Vec<u8>>,
    /// Files and their contents.
    pub attributes: Vec<(Vec<u8>, Vec<u8>)>,
}

/// A block device, as tables of them show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockDevice {
    #[allow(missing_docs)]
    pub number: (u32, u32),
    /// In `/dev`.
    pub name: Vec<u8>,
    /// The file of a scheme behind it.
    pub target: Vec<u8>,
    /// Of 512 bytes.
    pub sectors: u64,
}

/// All devices, by path.
static DEVICES: SpinLock<BTreeMap<Vec<u8>, Arc<Device>>> = SpinLock::new(BTreeMap::new());
/// One registration at a time: the links of a device and its events belong together. See [`changes`].
static CHANGES: Once<Mutex<()>> = Once::new();
static SEQUENCE: AtomicU64 = AtomicU64::new(0);

fn changes() -> &'static Mutex<()> {
    loop {
        match CHANGES.get() {
            Some(mutex) => return mutex,
            // Of two at the same time the first counts.
            None => drop(CHANGES.set(Mutex::new(()))),
        }
    }
}

/// The number of the last event (`/sys/kernel/uevent_seqnum`).
pub fn sequence() -> u64 {
    SEQUENCE.load(Ordering::Relaxed)
}

/// A link's target: from a directory at `from` to `to`, both from the root.
fn relative(from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut from_names = from.split(|byte| *byte == b'/').peekable();
    let mut to_names = to.split(|byte| *byte == b'/').peekable();
    while from_names.peek().is_some() && from_names.peek() == to_names.peek() {
        from_names.next();
        to_names.next();
    }
    let mut names: Vec<&[u8]> = from_names.map(|_| &b".."[..]).collect();
    names.extend(to_names);
    names.join(&b'/')
}

fn parent_of(path: &[u8]) -> &[u8] {
    path.iter().rposition(|byte| *byte == b'/').map_or(b"", |at| &path[..at])
}

fn name_of(path: &[u8]) -> &[u8] {
    &path[parent_of(path).len()..].strip_prefix(b"/").unwrap_or(path)[..]
}

impl Device {
    fn name(&self) -> &[u8] {
        name_of(&self.path)
    }

    /// Lines of its file `uevent`, which are variables of its events too.
    fn all_variables(&self) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        if let Some(node) = &self.node {
            all.push(format!("MAJOR={}", node.number.0).into_bytes());
            all.push(format!("MINOR={}", node.number.1).into_bytes());
            all.push([b"DEVNAME=", &node.name[..]].concat());
        }
        if let Some(driver) = &self.driver {
            all.push([b"DRIVER=", &driver[..]].concat());
        }
        all.extend(self.variables.iter().cloned());
        all
    }

    fn block_node(&self) -> Option<&Node> {
        self.node.as_ref().filter(|node| node.is_block)
    }

    /// The nearest device above it.
    fn parent(&self) -> Option<Arc<Device>> {
        let devices = DEVICES.lock();
        let mut path = parent_of(&self.path);
        while !path.is_empty() {
            if let Some(device) = devices.get(path) {
                return Some(device.clone());
            }
            path = parent_of(path);
        }
        None
    }

    /// The directories with a link to it, and the link's name.
    fn links(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut links = Vec::new();
        let name = self.name().to_vec();
        if let Some(subsystem) = &self.subsystem {
            links.push((subsystem.devices(), name.clone()));
            let has_table = self.variables.iter().any(|line| line == b"DEVTYPE=disk");
            if subsystem.name() == b"block" && has_table {
                links.push((b"block".to_vec(), name.clone()));
            }
            if let (Subsystem::Bus(_), Some(driver)) = (subsystem, &self.driver) {
                links.push(([&subsystem.path()[..], b"/drivers/", driver].concat(), name));
            }
        }
        if let Some(node) = &self.node {
            links.push((node.numbers().to_vec(), node.number_text()));
        }
        links
    }

    /// Tells listeners.
    fn announce(&self, action: &str, extra: &[Vec<u8>]) {
        let sequence = SEQUENCE.fetch_add(1, Ordering::Relaxed) + 1;
        let mut message = [action.as_bytes(), b"@/", &self.path].concat();
        message.push(0);
        let mut put = |line: &[u8]| {
            message.extend_from_slice(line);
            message.push(0);
        };
        put(format!("ACTION={action}").as_bytes());
        put(&[b"DEVPATH=/", &self.path[..]].concat());
        if let Some(subsystem) = &self.subsystem {
            put(&[b"SUBSYSTEM=", subsystem.name()].concat());
        }
        extra.iter().chain(&self.all_variables()).for_each(|line| put(line));
        put(format!("SEQNUM={sequence}").as_bytes());
        netlink::uevent::broadcast(message);
    }

    fn write_files(&self, directory: &Arc<Directory>) -> Result {
        for (name, contents) in &self.attributes {
            let contents = contents.clone();
            directory.put_file(name, 0o444, Box::new(move || Ok(contents.clone())), None)?;
        }
        if let Some(node) = &self.node {
            let text = [&node.number_text()[..], b"\n"].concat();
            directory.put_file(b"dev", 0o444, Box::new(move || Ok(text.clone())), None)?;
        }
        if let Some(stats) = self.block_node().and_then(|node| disk_stats::at(&node.target)) {
            directory.put_file(b"stat", 0o444, Box::new(move || Ok(format!("{}\n", stats.fields()).into_bytes())), None)?;
        }
        let (show_path, store_path) = (self.path.clone(), self.path.clone());
        let show = move || Ok(find(&show_path)?.all_variables().iter().flat_map(|line| [line, &b"\n"[..]].concat()).collect());
        let store = move |text: &[u8]| trigger(&store_path, text);
        directory.put_file(b"uevent", 0o644, Box::new(show), Some(Box::new(store)))
    }
}

fn find(path: &[u8]) -> Result<Arc<Device>> {
    DEVICES.lock().get(path).cloned().ok_or(ENODEV)
}

/// All block devices, by number: it, the name, and the path of what serves them.
pub fn block_devices() -> Vec<BlockDevice> {
    let devices = DEVICES.lock();
    let mut all: Vec<_> = devices
        .values()
        .filter_map(|device| {
            let node = device.block_node()?;
            let size = device.attributes.iter().find(|(name, _)| name == b"size");
            let sectors = size.and_then(|(_, text)| core::str::from_utf8(text).ok()?.trim().parse().ok()).unwrap_or(0);
            Some(BlockDevice { number: node.number, name: node.name.clone(), target: node.target.clone(), sectors })
        })
        .collect();
    all.sort_by_key(|device| device.number);
    all
}

/// `uevent` was written: an action, and perhaps an identifier and variables for the event.
fn trigger(path: &[u8], text: &[u8]) -> Result {
    const ACTIONS: [&str; 8] = ["add", "remove", "change", "move", "online", "offline", "bind", "unbind"];
    let device = find(path)?;
    let mut words = text.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    let action = words.next().ok_or(EINVAL)?;
    let action = ACTIONS.iter().find(|known| known.as_bytes() == action).ok_or(EINVAL)?;
    let mut extra = Vec::new();
    match words.next() {
        None => extra.push(b"SYNTH_UUID=0".to_vec()),
        Some(uuid) => {
            let is_uuid = uuid.len() == 36 && uuid.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-');
            if !is_uuid {
                return Err(EINVAL);
            }
            extra.push([b"SYNTH_UUID=", uuid].concat());
            for word in words {
                if !word.contains(&b'=') || !word.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'=') {
                    return Err(EINVAL);
                }
                extra.push([b"SYNTH_ARG_", word].concat());
            }
        }
    }
    device.announce(action, &extra);
    Ok(())
}

/// Adds a device, or replaces what one is.
///
/// # Errors
/// `EINVAL` for a path outside of `devices/`; `ENOTDIR` where a file is on the way.
pub fn add(device: Device) -> Result {
    let _changes = changes().lock();
    let known = DEVICES.lock().get(&device.path).cloned();
    if known.as_deref() == Some(&device) {
        return Ok(());
    }
    let root = tree::root();
    let directory = root.make_path(&device.path)?;
    device.write_files(&directory)?;
    let device = Arc::new(device);
    DEVICES.lock().insert(device.path.clone(), device.clone());
    if let Some(subsystem) = &device.subsystem {
        if let Subsystem::Bus(_) = subsystem {
            root.make_path(&[&subsystem.path()[..], b"/drivers"].concat())?;
        }
        directory.put_link(b"subsystem", relative(&device.path, &subsystem.path()));
        if let (Subsystem::Bus(_), Some(driver)) = (subsystem, &device.driver) {
            directory.put_link(b"driver", relative(&device.path, &[&subsystem.path()[..], b"/drivers/", driver].concat()));
        }
        if let (Subsystem::Class(_), Some(parent)) = (subsystem, device.parent()) {
            directory.put_link(b"device", relative(&device.path, &parent.path));
        }
    }
    for (at, name) in device.links() {
        root.make_path(&at)?.put_link(&name, relative(&at, &device.path));
    }
    if let Some(node) = device.node.as_ref().filter(|node| !node.target.is_empty()) {
        devfs::add_alias(&node.name, &node.target);
    }
    device.announce(if known.is_some() { "change" } else { "add" }, &[]);
    Ok(())
}

/// Tells that something about a device changed.
///
/// # Errors
/// `ENODEV` where there is none.
pub fn change(path: &[u8], variables: &[Vec<u8>]) -> Result {
    let _changes = changes().lock();
    find(path)?.announce("change", variables);
    Ok(())
}

/// Takes a device out, and those below it.
///
/// # Errors
/// `ENODEV` where there is none.
pub fn remove(path: &[u8]) -> Result {
    let _changes = changes().lock();
    let below = [path, b"/"].concat();
    let gone: Vec<Arc<Device>> = {
        let mut devices = DEVICES.lock();
        let is_gone = |it: &[u8]| it == path || it.starts_with(&below);
        let gone = devices.values().filter(|device| is_gone(&device.path)).cloned().collect();
        devices.retain(|it, _| !is_gone(it));
        gone
    };
    if gone.is_empty() {
        return Err(ENODEV);
    }
    let root = tree::root();
    // The lowest first.
    for device in gone.iter().rev() {
        for (at, name) in device.links() {
            if let Some(directory) = root.find_path(&at) {
                directory.remove(&name);
            }
        }
        if let Some(node) = device.node.as_ref().filter(|node| !node.target.is_empty()) {
            devfs::remove(&node.name);
        }
        if let Some(directory) = root.find_path(parent_of(&device.path)) {
            directory.remove(device.name());
            // The directory between a device and those of a class below it (`.../input/input3`) goes with the last of them.
            let group = parent_of(&device.path);
            if directory.is_empty() && !DEVICES.lock().contains_key(group) {
                if let Some(above) = root.find_path(parent_of(group)) {
                    above.remove(name_of(group));
                }
            }
        }
        device.announce("remove", &[]);
    }
    Ok(())
}
