//! The display interface's registers (QEMU, docs/specs/standard-vga.rst; Bochs, VBE DISPI).

use anyhow::ensure;
use driver::mmio::Mmio;
use drm::backend::{Identity, Output};
use drm::uapi::ModeInfo;
use drm_daemon::linear::Screen;

/// Bytes of the window of registers.
pub const MMIO_BYTES: usize = 4096;
/// The EDID lies at its start.
const EDID_BYTES: usize = 0x400;
/// The VGA's I/O ports from 0x3c0 on.
const VGA_PORTS: usize = 0x400;
/// The display interface's registers of 16 bits.
const REGISTERS: usize = 0x500;
/// QEMU's own registers: their size, and the byte order of pixels.
const EXTENSION_SIZE: usize = 0x600;
const BYTE_ORDER: usize = 0x604;
const LITTLE_ENDIAN: u32 = 0x1e1e_1e1e;

/// Attribute controller: index and data, reset by reading the status; bit 5 of the index turns the picture on.
const ATTRIBUTE: usize = VGA_PORTS;
const STATUS: usize = VGA_PORTS + 0x1a;
const PICTURE_ON: u8 = 0x20;

mod register {
    pub const ID: usize = 0;
    pub const WIDTH: usize = 1;
    pub const HEIGHT: usize = 2;
    pub const BITS: usize = 3;
    pub const ENABLE: usize = 4;
    pub const BANK: usize = 5;
    pub const VIRTUAL_WIDTH: usize = 6;
    pub const VIRTUAL_HEIGHT: usize = 7;
    pub const X_OFFSET: usize = 8;
    pub const Y_OFFSET: usize = 9;
    /// In units of 64 KiB.
    pub const MEMORY: usize = 10;
}

/// Values of ENABLE.
const DISABLED: u16 = 0;
const ENABLED_LINEAR: u16 = 0x41;

/// Most that the registers' 16 bits and QEMU allow.
const MAX: (u32, u32) = (4096, 2160);

fn read(registers: &Mmio, index: usize) -> u16 {
    registers.read(REGISTERS + 2 * index)
}

/// Bytes of the device's memory.
pub fn memory_bytes(registers: &Mmio) -> anyhow::Result<usize> {
    let id = read(registers, register::ID);
    ensure!(id & 0xfff0 == 0xb0c0, "the identification register says {id:#x}");
    let bytes = usize::from(read(registers, register::MEMORY)) << 16;
    ensure!(bytes > 0, "the device says that it has no memory");
    Ok(bytes)
}

/// The device.
pub struct Dispi {
    registers: Mmio,
    memory: Mmio,
    unique: String,
    /// Pixels of a row.
    width: u32,
}

impl Dispi {
    /// The device with its registers and its memory.
    pub fn new(registers: Mmio, memory: Mmio, unique: String) -> Self {
        Self { registers, memory, unique, width: 0 }
    }

    fn write(&self, index: usize, value: u16) {
        self.registers.write(REGISTERS + 2 * index, value);
    }

    fn edid(&self) -> Vec<u8> {
        let bytes: Vec<u8> = (0..EDID_BYTES).map(|at| self.registers.read(at)).collect();
        drm::edid::trim(&bytes).to_vec()
    }
}

impl Screen for Dispi {
    fn identity(&self) -> Identity {
        Identity {
            name: "bochs-drm",
            description: "bochs dispi vga interface (qemu stdvga)",
            date: "20130925",
            version: (1, 0, 0),
            unique: self.unique.clone(),
        }
    }

    fn max(&self) -> (u32, u32) {
        // Rows of the widest picture that the memory holds.
        let rows = (self.memory.len() / (4 * MAX.0 as usize)) as u32;
        (MAX.0, MAX.1.min(rows.max(1)))
    }

    fn output(&mut self) -> Output {
        let edid = self.edid();
        let parsed = drm::edid::parse(&edid).unwrap_or_default();
        let preferred = parsed.modes.first().map_or((1024, 768), drm::mode::size);
        let mut modes = drm::mode::list(Some(preferred), &parsed.modes, MAX);
        let bytes = self.memory.len();
        modes.retain(|mode| usize::from(mode.hdisplay) * usize::from(mode.vdisplay) * 4 <= bytes);
        Output { is_connected: true, modes, edid, size_mm: parsed.size_mm }
    }

    fn set_mode(&mut self, mode: Option<&ModeInfo>) {
        let Some(mode) = mode else {
            // Reading the status makes the next access to the attribute controller one to its index.
            let _: u8 = self.registers.read(STATUS);
            self.registers.write(ATTRIBUTE, 0u8);
            return;
        };
        self.width = mode.hdisplay.into();
        self.write(register::ENABLE, DISABLED);
        self.write(register::BITS, 32);
        self.write(register::WIDTH, mode.hdisplay);
        self.write(register::HEIGHT, mode.vdisplay);
        self.write(register::BANK, 0);
        self.write(register::VIRTUAL_WIDTH, mode.hdisplay);
        self.write(register::VIRTUAL_HEIGHT, mode.vdisplay);
        self.write(register::X_OFFSET, 0);
        self.write(register::Y_OFFSET, 0);
        self.write(register::ENABLE, ENABLED_LINEAR);
        if self.registers.read::<u32>(EXTENSION_SIZE) >= 8 {
            self.registers.write(BYTE_ORDER, LITTLE_ENDIAN);
        }
        let _: u8 = self.registers.read(STATUS);
        self.registers.write(ATTRIBUTE, PICTURE_ON);
    }

    fn put(&mut self, x: u32, y: u32, pixels: &[u32]) {
        let mut at = 4 * (y as usize * self.width as usize + x as usize);
        let mut pixels = pixels;
        if at + 4 * pixels.len() > self.memory.len() {
            return;
        }
        if let Some((first, rest)) = pixels.split_first().filter(|_| at % 8 != 0) {
            self.memory.write(at, *first);
            (at, pixels) = (at + 4, rest);
        }
        let (pairs, last) = pixels.as_chunks::<2>();
        for [low, high] in pairs {
            self.memory.write(at, u64::from(*high) << 32 | u64::from(*low));
            at += 8;
        }
        for pixel in last {
            self.memory.write(at, *pixel);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device() -> Dispi {
        let registers = Mmio::heap(MMIO_BYTES);
        registers.write(REGISTERS, 0xb0c5u16);
        registers.write(REGISTERS + 2 * register::MEMORY, 256u16);
        let bytes = memory_bytes(&registers).unwrap();
        assert_eq!(bytes, 16 << 20);
        Dispi::new(registers, Mmio::heap(bytes), String::new())
    }

    #[test]
    fn a_mode_is_programmed_and_pixels_land_in_their_place() {
        let mut dispi = device();
        let mode = drm::mode::cvt(801, 600).unwrap();
        dispi.set_mode(Some(&mode));
        assert_eq!(read(&dispi.registers, register::WIDTH), 801);
        assert_eq!(read(&dispi.registers, register::ENABLE), ENABLED_LINEAR);
        assert_eq!(dispi.registers.read::<u8>(ATTRIBUTE), PICTURE_ON);
        dispi.put(2, 1, &[1, 2, 3, 4]);
        for pixel in 0..4 {
            assert_eq!(dispi.memory.read::<u32>(4 * (801 + 2 + pixel)), pixel as u32 + 1);
        }
        // Beyond the memory: nothing.
        dispi.put(0, 60_000, &[1]);
        dispi.set_mode(None);
        assert_eq!(dispi.registers.read::<u8>(ATTRIBUTE), 0);
    }

    #[test]
    fn modes_fit_into_the_memory() {
        let output = device().output();
        assert!(output.is_connected && output.edid.is_empty());
        assert_eq!(drm::mode::size(&output.modes[0]), (1024, 768));
        assert!(output.modes.iter().all(|mode| usize::from(mode.hdisplay) * usize::from(mode.vdisplay) <= 4 << 20));
    }

    #[test]
    fn other_devices_are_refused() {
        assert!(memory_bytes(&Mmio::heap(MMIO_BYTES)).is_err());
    }
}
