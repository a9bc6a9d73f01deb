//! A device in memory, a client's memory, and short ways to call.

use crate::backend::{Backend, CursorImage, Identity, Limits, Memory, Output, Picture, Rect, Scanout};
use crate::device::{Caller, Device, FileId, Outcome};
use crate::fourcc;
use crate::memory::CallerMemory;
use crate::uapi::{MAGIC, ModeInfo};
use rustix::io::Errno;
use std::cell::RefCell;
use zerocopy::{FromBytes, Immutable, IntoBytes};

pub struct Ram(RefCell<Vec<u8>>);

impl Memory for Ram {
    fn address(&self) -> usize {
        self.0.borrow().as_ptr() as usize
    }
    fn read(&self, offset: usize, bytes: &mut [u8]) {
        bytes.copy_from_slice(&self.0.borrow()[offset..offset + bytes.len()]);
    }
    fn write(&self, offset: usize, bytes: &[u8]) {
        self.0.borrow_mut()[offset..offset + bytes.len()].copy_from_slice(bytes);
    }
}

/// Writes down what it is told to do.
pub struct Fake {
    pub outputs: Vec<Output>,
    pub log: Vec<String>,
    pub cursor: Option<CursorImage>,
}

impl Fake {
    pub fn new() -> Self {
        let modes = crate::mode::list(Some((1024, 768)), &[], (4096, 4096));
        let output = Output { is_connected: true, modes, ..Output::default() };
        Self { outputs: vec![output], log: Vec::new(), cursor: None }
    }
}

impl Backend for Fake {
    type Memory = Ram;
    fn identity(&self) -> Identity {
        Identity { name: "fake", description: "nothing", date: "0", version: (1, 2, 3), unique: "none".into() }
    }
    fn limits(&self) -> Limits {
        Limits { max: (4096, 4096), cursor: Some((64, 64)), formats: &[fourcc::XRGB8888] }
    }
    fn outputs(&mut self) -> Vec<Output> {
        self.outputs.clone()
    }
    fn allocate(&mut self, bytes: usize) -> Result<Ram, Errno> {
        if bytes > 64 << 20 { Err(Errno::NOMEM) } else { Ok(Ram(RefCell::new(vec![0; bytes]))) }
    }
    fn add_framebuffer(&mut self, id: u32, _: &Picture, _: &Ram) -> Result<(), Errno> {
        self.log.push(format!("add {id}"));
        Ok(())
    }
    fn remove_framebuffer(&mut self, id: u32) {
        self.log.push(format!("remove {id}"));
    }
    fn show(&mut self, output: usize, scanout: Option<(&Scanout, &Picture, &Ram)>) {
        self.log.push(match scanout {
            Some((scanout, ..)) => format!("show {output} {} {}x{}", scanout.framebuffer, scanout.part.width, scanout.part.height),
            None => format!("dark {output}"),
        });
    }
    fn update(&mut self, output: usize, scanout: &Scanout, _: &Picture, _: &Ram, parts: &[Rect]) {
        self.log.push(format!("update {output} {} {parts:?}", scanout.framebuffer));
    }
    fn set_cursor(&mut self, output: usize, image: Option<&CursorImage>, position: (i32, i32)) {
        self.log.push(format!("cursor {output} {} {position:?}", image.is_some()));
        self.cursor = image.cloned();
    }
    fn move_cursor(&mut self, output: usize, position: (i32, i32)) {
        self.log.push(format!("move {output} {position:?}"));
    }
}

/// A client's memory: 64 KiB from this address on.
pub const BASE: u64 = 0x10000;

pub struct Space(pub Vec<u8>);

impl Space {
    pub fn new() -> Self {
        Self(vec![0; 1 << 16])
    }
    pub fn put<T: IntoBytes + Immutable + ?Sized>(&mut self, offset: usize, value: &T) -> u64 {
        self.0[offset..offset + size_of_val(value)].copy_from_slice(value.as_bytes());
        BASE + offset as u64
    }
    pub fn words(&self, offset: usize, count: usize) -> Vec<u32> {
        self.0[offset..offset + 4 * count].as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect()
    }
    fn range(&self, address: u64, len: usize) -> Result<std::ops::Range<usize>, Errno> {
        let start = address.checked_sub(BASE).ok_or(Errno::FAULT)? as usize;
        if start + len > self.0.len() { Err(Errno::FAULT) } else { Ok(start..start + len) }
    }
}

impl CallerMemory for Space {
    fn read(&mut self, address: u64, bytes: &mut [u8]) -> Result<(), Errno> {
        let range = self.range(address, bytes.len())?;
        bytes.copy_from_slice(&self.0[range]);
        Ok(())
    }
    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), Errno> {
        let range = self.range(address, bytes.len())?;
        self.0[range].copy_from_slice(bytes);
        Ok(())
    }
}

pub const ROOT: Caller = Caller { pid: 1, is_root: true };
pub const USER: Caller = Caller { pid: 100, is_root: false };

/// A device with the client's memory and the time.
pub struct Bench {
    pub device: Device<Fake>,
    pub space: Space,
    pub now: u64,
    pub caller: Caller,
}

impl Bench {
    pub fn new() -> Self {
        Self { device: Device::new(Fake::new()), space: Space::new(), now: 1_000_000_000, caller: ROOT }
    }

    pub fn try_call<T: FromBytes + IntoBytes + Immutable>(&mut self, file: FileId, call: u8, value: T) -> Result<(T, Outcome), Errno> {
        let number = 3 << 30 | (size_of::<T>() as u32) << 16 | u32::from(MAGIC) << 8 | u32::from(call);
        let mut bytes = value.as_bytes().to_vec();
        let outcome = self.device.ioctl(file, self.caller, number, &mut bytes, &mut self.space, self.now)?;
        Ok((T::read_from_bytes(&bytes).unwrap(), outcome))
    }

    pub fn call<T: FromBytes + IntoBytes + Immutable>(&mut self, file: FileId, call: u8, value: T) -> T {
        self.try_call(file, call, value).unwrap().0
    }

    pub fn error<T: FromBytes + IntoBytes + Immutable + std::fmt::Debug>(&mut self, file: FileId, call: u8, value: T) -> Errno {
        self.try_call(file, call, value).unwrap_err()
    }

    pub fn log(&mut self) -> Vec<String> {
        std::mem::take(&mut self.device.backend().log)
    }

    pub fn mode(&mut self) -> ModeInfo {
        self.device.pipes()[0].output.modes[0]
    }
}
