//! The files of `/scheme/pci` and who may open them.
//!
//! A function belongs to the process that has its `device` open. Only that process gets the function's registers,
//! interrupts and DMA memory, and may write its configuration. When `device` closes, also because the process died, the
//! function is silenced first (no bus mastering, no MSI-X), and only then its interrupts and memory are freed.

use crate::bus::{Bar, Function};
use crate::resources::Resources;
use driver::config::{self, ConfigSpace};
use driver::mmio::Mmio;
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::os::fd::{AsFd, OwnedFd};

/// An errno.
pub type Errno = i32;

/// The most DMA memory one request may ask for.
const MAX_DMA_BYTES: u64 = 64 << 20;

/// Control register of the MSI-X capability: enable, and mask all.
const MSIX_ENABLE: u16 = 1 << 15;
const MSIX_MASK_ALL: u16 = 1 << 14;
/// Bytes of an entry in the MSI-X table.
const MSIX_ENTRY: usize = 16;

/// What an open gives.
#[derive(Debug)]
pub enum Opened {
    /// A handle of ours.
    Handle(u64),
    /// A descriptor for the caller.
    Fd(OwnedFd),
}

/// What a handle stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Node {
    Root,
    Directory(usize),
    Msix(usize),
    Config {
        function: usize,
        writable_by: u64,
    },
    Device(usize),
    /// Only looked at: its file type and permissions.
    Looked(u32),
}

/// A driver's hold on a function.
struct Hold {
    pid: u64,
    handle: u64,
    vectors: BTreeMap<u16, OwnedFd>,
    table: Option<Mmio>,
    dma: Vec<OwnedFd>,
}

/// The tree.
pub struct Tree<R> {
    functions: Vec<Function>,
    holds: HashMap<usize, Hold>,
    handles: HashMap<u64, Node>,
    next_handle: u64,
    resources: R,
}

/// The errno of an error, EIO where it has none.
fn errno(error: io::Error) -> Errno {
    match error.kind() {
        io::ErrorKind::InvalidInput => libc::EINVAL,
        io::ErrorKind::NotFound => libc::ENOENT,
        _ => error.raw_os_error().unwrap_or(libc::EIO),
    }
}

impl<R: Resources> Tree<R> {
    /// The tree of these functions.
    pub fn new(functions: Vec<Function>, resources: R) -> Self {
        Tree {
            functions,
            holds: HashMap::new(),
            handles: HashMap::new(),
            next_handle: 1,
            resources,
        }
    }

    fn handle(&mut self, node: Node) -> Opened {
        let handle = self.next_handle;
        self.next_handle += 1;
        self.handles.insert(handle, node);
        Opened::Handle(handle)
    }

    fn node(&self, handle: u64) -> Result<Node, Errno> {
        self.handles.get(&handle).copied().ok_or(libc::EBADF)
    }

    /// Opens `path` (relative, without leading slash) for process `pid` of user `uid`.
    pub fn open(&mut self, path: &str, pid: u64, uid: u32) -> Result<Opened, Errno> {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let Some((place, rest)) = parts.split_first() else {
            return Ok(self.handle(Node::Root));
        };
        let address = place.parse().map_err(|_| libc::ENOENT)?;
        let function = self
            .functions
            .iter()
            .position(|function| function.address == address)
            .ok_or(libc::ENOENT)?;
        match rest {
            [] => return Ok(self.handle(Node::Directory(function))),
            ["msix"] if self.functions[function].msix.is_some() => {
                return Ok(self.handle(Node::Msix(function)));
            }
            _ => {}
        }
        if uid != 0 {
            return Err(libc::EACCES);
        }
        match rest {
            ["config"] => Ok(self.handle(Node::Config {
                function,
                writable_by: pid,
            })),
            ["device"] => self.open_device(function, pid),
            ["msix", entry] => self
                .open_vector(function, entry.parse().map_err(|_| libc::ENOENT)?, pid)
                .map(Opened::Fd),
            ["intx"] => self.open_legacy(function, pid).map(Opened::Fd),
            ["dma", bytes] => self
                .open_dma(function, bytes.parse().map_err(|_| libc::EINVAL)?, pid)
                .map(Opened::Fd),
            [name] => self.open_bar(function, name, pid).map(Opened::Fd),
            _ => Err(libc::ENOENT),
        }
    }

    /// A handle by which `path` can be looked at (stat(2)): nothing is allocated and nobody is disturbed.
    pub fn look(&mut self, path: &str) -> Result<u64, Errno> {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let node = match parts.as_slice() {
            [] => Node::Root,
            [place, rest @ ..] => {
                let address = place.parse().map_err(|_| libc::ENOENT)?;
                let mut functions = self.functions.iter();
                let index = functions
                    .position(|function| function.address == address)
                    .ok_or(libc::ENOENT)?;
                let Function { bars, msix, .. } = &self.functions[index];
                let entries = msix.map_or(0, |msix| msix.entries);
                let bar = |name: &str| {
                    bars.get(name.strip_prefix("bar")?.parse::<usize>().ok()?)
                        .copied()
                        .flatten()
                };
                match rest {
                    [] => Node::Directory(index),
                    ["msix"] if entries > 0 => Node::Msix(index),
                    // Its size makes a difference to those who look, its content belongs to who opens it.
                    ["config"] => Node::Config {
                        function: index,
                        writable_by: 0,
                    },
                    ["device" | "intx"] => Node::Looked(libc::S_IFCHR | 0o600),
                    ["msix", entry] if entry.parse::<u16>().is_ok_and(|entry| entry < entries) => {
                        Node::Looked(libc::S_IFCHR | 0o600)
                    }
                    ["dma", bytes] if bytes.parse::<u64>().is_ok() => {
                        Node::Looked(libc::S_IFCHR | 0o600)
                    }
                    [name] if bar(name).is_some_and(|bar| !bar.is_io) => {
                        Node::Looked(libc::S_IFCHR | 0o600)
                    }
                    _ => return Err(libc::ENOENT),
                }
            }
        };
        match self.handle(node) {
            Opened::Handle(handle) => Ok(handle),
            Opened::Fd(_) => Err(libc::EIO),
        }
    }

    /// The hold of process `pid` on a function; EACCES where another process, or none, holds it.
    fn hold(&mut self, function: usize, pid: u64) -> Result<&mut Hold, Errno> {
        self.holds
            .get_mut(&function)
            .filter(|hold| hold.pid == pid)
            .ok_or(libc::EACCES)
    }

    fn open_device(&mut self, function: usize, pid: u64) -> Result<Opened, Errno> {
        if self.holds.contains_key(&function) {
            return Err(libc::EBUSY);
        }
        let config = &self.functions[function].config;
        let command = config.read16(config::COMMAND).map_err(errno)?;
        let on = command | config::COMMAND_IO | config::COMMAND_MEMORY | config::COMMAND_BUS_MASTER;
        config.write16(config::COMMAND, on).map_err(errno)?;
        let opened = self.handle(Node::Device(function));
        let Opened::Handle(handle) = opened else {
            return Err(libc::EIO);
        };
        let hold = Hold {
            pid,
            handle,
            vectors: BTreeMap::new(),
            table: None,
            dma: Vec::new(),
        };
        self.holds.insert(function, hold);
        Ok(opened)
    }

    fn open_bar(&mut self, function: usize, name: &str, pid: u64) -> Result<OwnedFd, Errno> {
        let index: usize = name
            .strip_prefix("bar")
            .and_then(|index| index.parse().ok())
            .ok_or(libc::ENOENT)?;
        let bar = self.functions[function]
            .bars
            .get(index)
            .copied()
            .flatten()
            .ok_or(libc::ENOENT)?;
        self.hold(function, pid)?;
        match bar {
            // Ports are reached through /dev/port.
            Bar { is_io: true, .. } => Err(libc::ENODEV),
            Bar { address: 0, .. } => Err(libc::ENXIO),
            Bar { address, size, .. } => {
                let start = address & !0xfff;
                self.resources
                    .physical(start, (address - start + size).next_multiple_of(4096))
                    .map_err(errno)
            }
        }
    }

    fn open_dma(&mut self, function: usize, bytes: u64, pid: u64) -> Result<OwnedFd, Errno> {
        self.hold(function, pid)?;
        if bytes == 0 || bytes > MAX_DMA_BYTES {
            return Err(libc::EINVAL);
        }
        let memory = self.resources.dma(bytes).map_err(errno)?;
        let ours = memory.as_fd().try_clone_to_owned().map_err(errno)?;
        self.hold(function, pid)?.dma.push(ours);
        Ok(memory)
    }

    fn open_legacy(&mut self, function: usize, pid: u64) -> Result<OwnedFd, Errno> {
        self.hold(function, pid)?;
        let config = &self.functions[function].config;
        let pin = config.read8(config::INTERRUPT_PIN).map_err(errno)?;
        let line = config.read8(config::INTERRUPT_LINE).map_err(errno)?;
        if pin == 0 || line > 15 {
            return Err(libc::ENODEV);
        }
        let command = config.read16(config::COMMAND).map_err(errno)?;
        config
            .write16(config::COMMAND, command & !config::COMMAND_INTX_DISABLE)
            .map_err(errno)?;
        self.resources.legacy_interrupt(line).map_err(errno)
    }

    fn open_vector(&mut self, function: usize, entry: u16, pid: u64) -> Result<OwnedFd, Errno> {
        let msix = self.functions[function].msix.ok_or(libc::ENOENT)?;
        if entry >= msix.entries {
            return Err(libc::ENOENT);
        }
        if self.hold(function, pid)?.vectors.contains_key(&entry) {
            return Err(libc::EBUSY);
        }
        let table = self.msix_table(function, pid)?;
        let (irq, message) = self.resources.interrupt().map_err(errno)?;
        let ours = irq.as_fd().try_clone_to_owned().map_err(errno)?;
        let at = MSIX_ENTRY * usize::from(entry);
        table.write(at + 12, 1u32);
        table.write(at, message.address as u32);
        table.write(at + 4, (message.address >> 32) as u32);
        table.write(at + 8, message.data);
        table.write(at + 12, 0u32);
        self.hold(function, pid)?.vectors.insert(entry, ours);
        Ok(irq)
    }

    /// The function's MSI-X table; the first call masks all entries, switches MSI-X on and legacy interrupts off.
    fn msix_table(&mut self, function: usize, pid: u64) -> Result<Mmio, Errno> {
        if let Some(table) = &self.hold(function, pid)?.table {
            return Ok(table.clone());
        }
        let Function {
            config, msix, bars, ..
        } = &self.functions[function];
        let msix = msix.ok_or(libc::ENOENT)?;
        let bar = bars[usize::from(msix.bar)]
            .filter(|bar| !bar.is_io && bar.address != 0)
            .ok_or(libc::ENXIO)?;
        let len = MSIX_ENTRY * usize::from(msix.entries);
        if u64::from(msix.offset) + len as u64 > bar.size {
            return Err(libc::ENXIO);
        }
        let table = self
            .resources
            .map(bar.address + u64::from(msix.offset), len)
            .map_err(errno)?;
        let control = config.read16(msix.capability + 2).map_err(errno)?;
        // Masked as a whole first, so that stale entries of a predecessor cannot fire.
        config
            .write16(msix.capability + 2, control | MSIX_ENABLE | MSIX_MASK_ALL)
            .map_err(errno)?;
        for entry in 0..usize::from(msix.entries) {
            table.write(MSIX_ENTRY * entry + 12, 1u32);
        }
        let command = config.read16(config::COMMAND).map_err(errno)?;
        config
            .write16(config::COMMAND, command | config::COMMAND_INTX_DISABLE)
            .map_err(errno)?;
        config
            .write16(
                msix.capability + 2,
                (control | MSIX_ENABLE) & !MSIX_MASK_ALL,
            )
            .map_err(errno)?;
        self.hold(function, pid)?.table = Some(table.clone());
        Ok(table)
    }

    /// Reads from a handle at an offset.
    pub fn read(&mut self, handle: u64, offset: u64, buffer: &mut [u8]) -> Result<usize, Errno> {
        let Node::Config {
            function,
            writable_by,
        } = self.node(handle)?
        else {
            return Err(libc::EISDIR);
        };
        if writable_by == 0 {
            return Err(libc::EBADF);
        }
        let size = u64::from(crate::access::CONFIG_BYTES);
        let len = buffer.len().min(size.saturating_sub(offset) as usize);
        self.functions[function]
            .config
            .read(offset.min(size) as u16, &mut buffer[..len])
            .map_err(errno)?;
        Ok(len)
    }

    /// Writes to a handle at an offset.
    pub fn write(&mut self, handle: u64, offset: u64, data: &[u8]) -> Result<usize, Errno> {
        let Node::Config {
            function,
            writable_by,
        } = self.node(handle)?
        else {
            return Err(libc::EBADF);
        };
        self.hold(function, writable_by)?;
        let end = offset.checked_add(data.len() as u64).ok_or(libc::EINVAL)?;
        if end > u64::from(crate::access::CONFIG_BYTES) {
            return Err(libc::EINVAL);
        }
        // Where the function answers on the bus is for pcid alone to say.
        let (first, last) = (u64::from(config::BAR0), u64::from(config::BAR0) + 24);
        if offset < last && end > first {
            return Err(libc::EPERM);
        }
        self.functions[function]
            .config
            .write(offset as u16, data)
            .map_err(errno)?;
        Ok(data.len())
    }

    /// Closes a handle. The function behind a `device` handle is silenced, then freed.
    pub fn close(&mut self, handle: u64) -> io::Result<()> {
        let Some(Node::Device(function)) = self.handles.remove(&handle) else {
            return Ok(());
        };
        let Some(hold) = self
            .holds
            .remove(&function)
            .filter(|hold| hold.handle == handle)
        else {
            return Ok(());
        };
        let Function { config, msix, .. } = &self.functions[function];
        let command = config.read16(config::COMMAND)?;
        config.write16(config::COMMAND, command & !config::COMMAND_BUS_MASTER)?;
        if let Some(msix) = msix {
            let control = config.read16(msix.capability + 2)?;
            config.write16(msix.capability + 2, control & !MSIX_ENABLE)?;
        }
        // Posted writes of the device arrive before the answer to this read; then its memory may go.
        config.read16(config::STATUS)?;
        drop(hold);
        Ok(())
    }

    /// The entries of a directory: names, and whether they are directories.
    pub fn list(&self, handle: u64) -> Result<Vec<(String, bool)>, Errno> {
        match self.node(handle)? {
            Node::Root => Ok(self
                .functions
                .iter()
                .map(|function| (function.address.to_string(), true))
                .collect()),
            Node::Directory(function) => {
                let Function { bars, msix, .. } = &self.functions[function];
                let mut entries = vec![("config".to_owned(), false), ("device".to_owned(), false)];
                let memory = |bar: &Option<Bar>| bar.is_some_and(|bar| !bar.is_io);
                let numbered = bars.iter().enumerate().filter(|(_, bar)| memory(bar));
                entries.extend(numbered.map(|(index, _)| (format!("bar{index}"), false)));
                if msix.is_some() {
                    entries.push(("msix".to_owned(), true));
                }
                Ok(entries)
            }
            Node::Msix(function) => {
                let entries = self.functions[function].msix.map_or(0, |msix| msix.entries);
                Ok((0..entries)
                    .map(|entry| (entry.to_string(), false))
                    .collect())
            }
            Node::Config { .. } | Node::Device(_) | Node::Looked(_) => Err(libc::ENOTDIR),
        }
    }

    /// File type and permissions, and size in bytes.
    pub fn stat(&self, handle: u64) -> Result<(u32, u64), Errno> {
        Ok(match self.node(handle)? {
            Node::Root | Node::Directory(_) | Node::Msix(_) => (libc::S_IFDIR | 0o555, 0),
            Node::Config { .. } => (
                libc::S_IFREG | 0o600,
                u64::from(crate::access::CONFIG_BYTES),
            ),
            Node::Device(_) => (libc::S_IFCHR | 0o600, 0),
            Node::Looked(mode) => (mode, 0),
        })
    }

    /// The functions.
    #[cfg(test)]
    pub fn functions(&self) -> &[Function] {
        &self.functions
    }
}

#[cfg(test)]
mod tests;
