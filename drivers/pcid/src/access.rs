//! Ways to reach configuration space: the memory-mapped ECAM, and the old configuration ports.

use driver::address::PciAddress;
use driver::config::{self, ConfigSpace};
use driver::mmio::Mmio;
use driver::port::Ports;
use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::rc::Rc;

/// Bytes of configuration space of a PCI Express function.
pub const CONFIG_BYTES: u16 = 4096;

/// One access of 1, 2 or 4 bytes, aligned, to one function's configuration space.
pub trait Access {
    /// Reads; the value is in the low bytes. All ones where there is no function.
    fn read(&self, address: PciAddress, offset: u16, width: u8) -> io::Result<u32>;
    /// Writes the low bytes of `value`.
    fn write(&self, address: PciAddress, offset: u16, width: u8, value: u32) -> io::Result<()>;
    /// Segments and their bus numbers, first and last.
    fn ranges(&self) -> Vec<(u16, u8, u8)>;
    /// What sticks of all ones in each of these registers, given with what they hold, which they hold again afterwards. Decoding, a part of `command`,
    /// which the command register holds, is off meanwhile (PCI 3.0, section 6.2.5.1).
    fn size(&self, address: PciAddress, command: u16, registers: &[(u16, u32)]) -> io::Result<Vec<u32>> {
        let switched_off = command & !(config::COMMAND_IO | config::COMMAND_MEMORY);
        self.write(address, config::COMMAND, 2, switched_off.into())?;
        let mask = |&(register, value): &(u16, u32)| {
            self.write(address, register, 4, u32::MAX)?;
            let mask = self.read(address, register, 4)?;
            self.write(address, register, 4, value)?;
            Ok(mask)
        };
        let masks = registers.iter().map(mask).collect();
        self.write(address, config::COMMAND, 2, command.into())?;
        masks
    }
}

/// One function's configuration space.
#[derive(Clone)]
pub struct Config {
    access: Rc<dyn Access>,
    address: PciAddress,
}

impl Config {
    /// The configuration space of the function at `address`.
    pub fn new(access: Rc<dyn Access>, address: PciAddress) -> Self {
        Config { access, address }
    }

    /// As [`Access::size`].
    ///
    /// # Errors
    /// As there.
    pub fn size(&self, command: u16, registers: &[(u16, u32)]) -> io::Result<Vec<u32>> {
        self.access.size(self.address, command, registers)
    }
}

/// The next access within a range: as wide as alignment and rest allow.
fn step(offset: u16, left: usize) -> u8 {
    match (offset % 4, left) {
        (0, 4..) => 4,
        (0 | 2, 2..) => 2,
        _ => 1,
    }
}

/// Whether the bytes lie within configuration space.
fn check(offset: u16, len: usize) -> io::Result<()> {
    let end = usize::from(offset) + len;
    if end <= usize::from(CONFIG_BYTES) {
        Ok(())
    } else {
        Err(io::ErrorKind::InvalidInput.into())
    }
}

impl ConfigSpace for Config {
    fn read(&self, offset: u16, buffer: &mut [u8]) -> io::Result<()> {
        check(offset, buffer.len())?;
        let mut done = 0;
        while done < buffer.len() {
            let at = offset + done as u16;
            let width = step(at, buffer.len() - done);
            let value = self.access.read(self.address, at, width)?.to_le_bytes();
            buffer[done..done + usize::from(width)].copy_from_slice(&value[..usize::from(width)]);
            done += usize::from(width);
        }
        Ok(())
    }

    fn write(&self, offset: u16, data: &[u8]) -> io::Result<()> {
        check(offset, data.len())?;
        let mut done = 0;
        while done < data.len() {
            let at = offset + done as u16;
            let width = step(at, data.len() - done);
            let mut value = [0; 4];
            value[..usize::from(width)].copy_from_slice(&data[done..done + usize::from(width)]);
            self.access
                .write(self.address, at, width, u32::from_le_bytes(value))?;
            done += usize::from(width);
        }
        Ok(())
    }
}

/// A region of the ECAM from ACPI's MCFG table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EcamRegion {
    /// Physical address of the configuration space of `first_bus`... of bus 0, even where the region starts later.
    pub base: u64,
    /// Segment group.
    pub segment: u16,
    /// First bus number.
    pub first_bus: u8,
    /// Last bus number.
    pub last_bus: u8,
}

/// The regions in an MCFG table (PCI Firmware Specification 3.0, section 4.1.2).
pub fn parse_mcfg(table: &[u8]) -> Vec<EcamRegion> {
    const HEADER: usize = 44;
    let stated = table.get(4..8).map_or(0, |len| {
        u32::from_le_bytes([len[0], len[1], len[2], len[3]]) as usize
    });
    if table.get(..4) != Some(b"MCFG") || stated > table.len() || stated < HEADER {
        return Vec::new();
    }
    let regions = table[HEADER..stated]
        .chunks_exact(16)
        .map(|entry| EcamRegion {
            base: entry[..8]
                .iter()
                .rev()
                .fold(0, |value, byte| value << 8 | u64::from(*byte)),
            segment: u16::from_le_bytes([entry[8], entry[9]]),
            first_bus: entry[10],
            last_bus: entry[11],
        });
    regions
        .filter(|region| region.base != 0 && region.first_bus <= region.last_bus)
        .collect()
}

/// Maps physical memory for registers.
pub type MapPhysical = Box<dyn Fn(u64, usize) -> io::Result<Mmio>>;

/// The ECAM. A bus's megabyte is mapped when it is first looked at: mapping all 256 would cost page tables for nothing.
pub struct Ecam {
    regions: Vec<EcamRegion>,
    map: MapPhysical,
    buses: RefCell<HashMap<(u16, u8), Mmio>>,
}

impl Ecam {
    /// An ECAM of these regions.
    pub fn new(regions: Vec<EcamRegion>, map: MapPhysical) -> Self {
        Ecam {
            regions,
            map,
            buses: RefCell::default(),
        }
    }

    fn bus(&self, segment: u16, bus: u8) -> io::Result<Mmio> {
        if let Some(window) = self.buses.borrow().get(&(segment, bus)) {
            return Ok(window.clone());
        }
        let inside = |region: &&EcamRegion| {
            region.segment == segment && (region.first_bus..=region.last_bus).contains(&bus)
        };
        let region = self
            .regions
            .iter()
            .find(inside)
            .ok_or(io::ErrorKind::NotFound)?;
        let window = (self.map)(region.base + (u64::from(bus) << 20), 1 << 20)?;
        self.buses
            .borrow_mut()
            .insert((segment, bus), window.clone());
        Ok(window)
    }
}

impl Access for Ecam {
    fn read(&self, address: PciAddress, offset: u16, width: u8) -> io::Result<u32> {
        let window = self.bus(address.segment, address.bus)?;
        let at = usize::from(address.device) << 15
            | usize::from(address.function) << 12
            | usize::from(offset);
        Ok(match width {
            1 => u32::from(window.read::<u8>(at)),
            2 => u32::from(window.read::<u16>(at)),
            _ => window.read::<u32>(at),
        })
    }

    fn write(&self, address: PciAddress, offset: u16, width: u8, value: u32) -> io::Result<()> {
        let window = self.bus(address.segment, address.bus)?;
        let at = usize::from(address.device) << 15
            | usize::from(address.function) << 12
            | usize::from(offset);
        match width {
            1 => window.write(at, value as u8),
            2 => window.write(at, value as u16),
            _ => window.write(at, value),
        }
        Ok(())
    }

    fn ranges(&self) -> Vec<(u16, u8, u8)> {
        self.regions
            .iter()
            .map(|region| (region.segment, region.first_bus, region.last_bus))
            .collect()
    }
}

/// Configuration mechanism 1: address at port 0xcf8, data at 0xcfc (PCI 3.0, section 3.2.2.3.2). Only the first 256 bytes.
pub struct ConfigPorts(RefCell<Box<dyn Ports>>);

impl ConfigPorts {
    /// The port that takes the place.
    pub const ADDRESS: u16 = 0xcf8;
    /// The first of the four ports for what is there.
    pub const DATA: u16 = 0xcfc;

    /// Uses these ports.
    pub fn new(ports: Box<dyn Ports>) -> Self {
        ConfigPorts(RefCell::new(ports))
    }

    /// A place in configuration space, as the address port takes it.
    pub fn place(address: PciAddress, offset: u16) -> u32 {
        let function = u32::from(address.bus) << 16
            | u32::from(address.device) << 11
            | u32::from(address.function) << 8;
        1 << 31 | function | u32::from(offset & 0xfc)
    }

    fn select(ports: &mut dyn Ports, address: PciAddress, offset: u16) -> io::Result<()> {
        ports.write32(Self::ADDRESS, Self::place(address, offset))
    }
}

impl Access for ConfigPorts {
    fn read(&self, address: PciAddress, offset: u16, width: u8) -> io::Result<u32> {
        let ones = u32::MAX >> (32 - 8 * u32::from(width));
        if offset > 0xff {
            return Ok(ones);
        }
        let mut ports = self.0.borrow_mut();
        Self::select(&mut **ports, address, offset)?;
        Ok(ports.read32(Self::DATA)? >> (8 * (offset % 4)) & ones)
    }

    fn write(&self, address: PciAddress, offset: u16, width: u8, value: u32) -> io::Result<()> {
        if offset > 0xff {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let mut ports = self.0.borrow_mut();
        Self::select(&mut **ports, address, offset)?;
        if width == 4 {
            return ports.write32(Self::DATA, value);
        }
        // Byte accesses to the data port reach single bytes; a wider read-modify-write would clear status bits.
        for (index, byte) in value.to_le_bytes()[..usize::from(width)].iter().enumerate() {
            ports.write8(Self::DATA + offset % 4 + index as u16, *byte)?;
        }
        Ok(())
    }

    fn ranges(&self) -> Vec<(u16, u8, u8)> {
        vec![(0, 0, 255)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mcfg_regions_are_read_and_garbage_is_not() {
        let mut table = vec![0u8; 44];
        table[..4].copy_from_slice(b"MCFG");
        table.extend(0xb000_0000u64.to_le_bytes());
        table.extend([0, 0, 0, 255, 0, 0, 0, 0]);
        let len = table.len() as u32;
        table[4..8].copy_from_slice(&len.to_le_bytes());
        let expected = EcamRegion {
            base: 0xb000_0000,
            segment: 0,
            first_bus: 0,
            last_bus: 255,
        };
        assert_eq!(parse_mcfg(&table), vec![expected]);
        assert!(parse_mcfg(&table[..50]).is_empty());
        assert!(parse_mcfg(b"").is_empty());
    }

    #[test]
    fn the_ecam_splits_accesses_by_alignment() {
        let memory = Mmio::heap(1 << 20);
        let region = EcamRegion {
            base: 0x1000,
            segment: 0,
            first_bus: 0,
            last_bus: 0,
        };
        let window = memory.clone();
        let ecam = Rc::new(Ecam::new(
            vec![region],
            Box::new(move |_, _| Ok(window.clone())),
        ));
        let config = Config::new(ecam, "0000:00:03.1".parse().unwrap());
        let base = 3 << 15 | 1 << 12;
        config.write(5, &[1, 2, 3, 4, 5, 6, 7]).unwrap();
        assert_eq!(memory.read::<u32>(base + 8), 0x0706_0504);
        let mut bytes = [0; 7];
        config.read(5, &mut bytes).unwrap();
        assert_eq!(bytes, [1, 2, 3, 4, 5, 6, 7]);
        assert!(config.read(4094, &mut bytes).is_err());
    }
}
