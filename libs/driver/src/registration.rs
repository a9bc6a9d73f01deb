//! Telling the kernel of devices: what `/sys`, `/dev` and the kernel's events say of them.
//!
//! `/scheme/device/register` takes one message a write; the format is in the contracts page of the book. What was added
//! through a descriptor goes when it is closed, unless it was added to stay.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Write as _};

/// Where devices are registered.
const PATH: &str = "/scheme/device/register";

/// A connection to the kernel's tree of devices.
#[derive(Debug)]
pub struct Devices(File);

impl Devices {
    /// Connects.
    ///
    /// # Errors
    /// Those of `open(2)`: `NotFound` on a kernel that has no such thing.
    pub fn open() -> io::Result<Self> {
        Ok(Devices(File::options().write(true).open(PATH)?))
    }

    fn send(&self, message: &str) -> io::Result<()> {
        (&self.0).write_all(message.as_bytes())
    }

    /// Adds a device, or replaces the attributes of one that is there.
    ///
    /// # Errors
    /// `InvalidInput` for what the kernel does not understand.
    pub fn add(&self, device: &Registration) -> io::Result<()> {
        self.send(&device.0)
    }

    /// Takes a device out, and those below it.
    ///
    /// # Errors
    /// `NotFound` where there is none.
    pub fn remove(&self, path: &str) -> io::Result<()> {
        self.send(&format!("remove {path}\n"))
    }

    /// Tells listeners that something about a device changed; `variables` are `KEY=VALUE`.
    ///
    /// # Errors
    /// `NotFound` where there is none.
    pub fn change(&self, path: &str, variables: &[&str]) -> io::Result<()> {
        let lines: String = variables.iter().map(|variable| format!("env {variable}\n")).collect();
        self.send(&format!("change {path}\n{lines}"))
    }
}

/// A device to be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration(String);

impl Registration {
    /// A device at a path below `/sys`, such as `/devices/pci0000:00/0000:00:03.0`.
    pub fn new(path: &str) -> Self {
        Registration(format!("add {path}\n"))
    }

    fn line(mut self, words: std::fmt::Arguments<'_>) -> Self {
        // Writing to a string does not fail. A line break would begin a line of its own.
        let start = self.0.len();
        let _ = self.0.write_fmt(words);
        let line = self.0.split_off(start).replace(['\n', '\0'], " ");
        self.0.push_str(&line);
        self.0.push('\n');
        self
    }

    /// It belongs to a class, and appears in `/sys/class/<name>`.
    #[must_use]
    pub fn class(self, name: &str) -> Self {
        self.line(format_args!("class {name}"))
    }

    /// It is on a bus, and appears in `/sys/bus/<name>/devices`.
    #[must_use]
    pub fn bus(self, name: &str) -> Self {
        self.line(format_args!("bus {name}"))
    }

    /// The driver of its bus that drives it.
    #[must_use]
    pub fn driver(self, name: &str) -> Self {
        self.line(format_args!("driver {name}"))
    }

    /// A character device: its numbers, its name in `/dev`, and the path that the name stands for.
    #[must_use]
    pub fn character(self, (major, minor): (u32, u32), name: &str, target: &str) -> Self {
        self.line(format_args!("char {major}:{minor} {name} {target}"))
    }

    /// A block device: its handle in the scheme, of which the kernel makes its numbers; its name in `/dev`, and its scheme path.
    #[must_use]
    pub fn block(self, handle: u32, name: &str, target: &str) -> Self {
        self.line(format_args!("block scheme:{handle} {name} {target}"))
    }

    /// `KEY=VALUE` in its events and in its file `uevent`.
    #[must_use]
    pub fn variable(self, key: &str, value: impl std::fmt::Display) -> Self {
        self.line(format_args!("env {key}={value}"))
    }

    /// A file with a line of text; `name` may have a directory.
    #[must_use]
    pub fn attribute(self, name: &str, value: impl std::fmt::Display) -> Self {
        self.line(format_args!("attr {name} {value}"))
    }

    /// A file of bytes.
    #[must_use]
    pub fn bytes(self, name: &str, bytes: &[u8]) -> Self {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        self.line(format_args!("hex {name} {hex}"))
    }

    /// It stays when the descriptor is closed.
    #[must_use]
    pub fn stay(self) -> Self {
        self.line(format_args!("stay"))
    }

    /// The message.
    pub fn message(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_within_their_lines() {
        let device = Registration::new("/devices/x").class("input").attribute("name", "a\nremove /").character((13, 64), "input/event0", "/scheme/input/event0");
        assert_eq!(device.message(), "add /devices/x\nclass input\nattr name a remove /\nchar 13:64 input/event0 /scheme/input/event0\n");
    }
}
