//! Finding the functions on the bus, their base address registers and their MSI-X tables.

use crate::access::{Access, Config};
use driver::address::PciAddress;
use driver::config::{self, ConfigSpace};
use std::io;
use std::rc::Rc;

/// What a base address register gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bar {
    /// Bus address (equals the physical address on PCs); 0 where firmware assigned none.
    pub address: u64,
    /// Size in bytes, a power of two.
    pub size: u64,
    /// I/O ports instead of memory.
    pub is_io: bool,
    /// 64 bits wide: takes the next register too.
    pub is_wide: bool,
}

/// A function's MSI-X capability.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MsixTable {
    /// Offset of the capability in configuration space.
    pub capability: u16,
    /// Entries in the table.
    pub entries: u16,
    /// Base address register the table lies in.
    pub bar: u8,
    /// Offset of the table within it.
    pub offset: u32,
}

/// A function found on the bus.
#[derive(Clone)]
pub struct Function {
    /// Its place.
    pub address: PciAddress,
    /// Its configuration space.
    pub config: Config,
    /// Vendor ID.
    pub vendor: u16,
    /// Device ID.
    pub device: u16,
    /// Class code: class, subclass, programming interface.
    pub class: [u8; 3],
    /// Base address registers; bridges have two.
    pub bars: [Option<Bar>; 6],
    /// MSI-X, where it has it.
    pub msix: Option<MsixTable>,
}

/// The resources of a function that is known already: lines of start, end and flags, as `/sys` has them.
pub type Known<'a> = &'a dyn Fn(PciAddress) -> Option<String>;

/// Finds all functions, in the order of their addresses. Of what is `known` nothing is written to: its driver may be at work, and what it writes to its device
/// while the device's decoding is off, if only for a moment, is lost.
pub fn enumerate(access: &Rc<dyn Access>, known: Known<'_>) -> io::Result<Vec<Function>> {
    let mut found = Vec::new();
    for (segment, first, last) in access.ranges() {
        let mut seen = [false; 256];
        scan_bus(access, known, segment, (first, last), &mut seen, &mut found)?;
    }
    found.sort_by_key(|function| function.address);
    Ok(found)
}

fn scan_bus(
    access: &Rc<dyn Access>,
    known: Known<'_>,
    segment: u16,
    (bus, last): (u8, u8),
    seen: &mut [bool; 256],
    found: &mut Vec<Function>,
) -> io::Result<()> {
    // Bridges that point at each other must not make us loop.
    if bus > last || std::mem::replace(&mut seen[usize::from(bus)], true) {
        return Ok(());
    }
    for device in 0..32 {
        for function in 0..8 {
            let address = PciAddress {
                segment,
                bus,
                device,
                function,
            };
            let config = Config::new(access.clone(), address);
            if config.read16(config::VENDOR_ID)? == 0xffff {
                if function == 0 {
                    break;
                }
                continue;
            }
            let header = config.read8(config::HEADER_TYPE)?;
            found.push(probe(config.clone(), known, address, header & 0x7f)?);
            if header & 0x7f == 1 {
                // 0: firmware left the bridge alone, so nothing behind it can be reached.
                let secondary = config.read8(config::SECONDARY_BUS)?;
                if secondary != 0 {
                    scan_bus(access, known, segment, (secondary, last), seen, found)?;
                }
            }
            if function == 0 && header & 0x80 == 0 {
                break;
            }
        }
    }
    Ok(())
}

fn probe(config: Config, known: Known<'_>, address: PciAddress, header: u8) -> io::Result<Function> {
    let revision_and_class = config.read32(config::REVISION)?.to_le_bytes();
    let class = [
        revision_and_class[3],
        revision_and_class[2],
        revision_and_class[1],
    ];
    let registers = match header {
        // Switching off the decoding of a host or ISA bridge, if only for a moment, can take memory away from everyone.
        0 if class[0] == 0x06 => 0,
        0 => 6,
        1 => 2,
        _ => 0,
    };
    let recalled = match known(address) {
        Some(text) => recall_bars(&config, registers, &text)?,
        None => None,
    };
    let bars = match recalled {
        Some(bars) => bars,
        None => size_bars(&config, registers)?,
    };
    Ok(Function {
        address,
        vendor: config.read16(config::VENDOR_ID)?,
        device: config.read16(config::DEVICE_ID)?,
        class,
        bars,
        msix: find_msix(&config)?,
        config,
    })
}

/// A base address register as it is, with the next one where it takes both.
struct Base {
    address: u64,
    is_io: bool,
    is_wide: bool,
}

/// Bits of a base address register that are no address.
fn fixed_bits(is_io: bool) -> u32 {
    if is_io { 0b11 } else { 0b1111 }
}

impl Base {
    /// Of the registers' contents, the one at `index`.
    fn of(contents: &[u32], index: usize) -> Self {
        let low = contents[index];
        let is_io = low & 1 == 1;
        let high = contents.get(index + 1).filter(|_| low & 0b111 == 0b100);
        let address = u64::from(low & !fixed_bits(is_io)) | u64::from(high.copied().unwrap_or(0)) << 32;
        Self { address, is_io, is_wide: high.is_some() }
    }
}

/// The offset of a base address register.
fn register(index: usize) -> u16 {
    config::BAR0 + 4 * index as u16
}

fn contents(config: &dyn ConfigSpace, registers: usize) -> io::Result<Vec<u32>> {
    (0..registers).map(|index| config.read32(register(index))).collect()
}

/// What base address registers give, by reading them and what was found out before; `None` where the two do not fit.
fn recall_bars(config: &dyn ConfigSpace, registers: usize, text: &str) -> io::Result<Option<[Option<Bar>; 6]>> {
    let number = |word: &str| u64::from_str_radix(word.trim_start_matches("0x"), 16).ok();
    let range = |line: &str| {
        let mut words = line.split_whitespace().map(number);
        Some((words.next()??, words.next()??))
    };
    let ranges: Vec<_> = text.lines().map(range).collect();
    let contents = contents(config, registers)?;
    let mut bars = [None; 6];
    let mut index = 0;
    while index < registers {
        let Some(Some((start, end))) = ranges.get(index).copied() else { return Ok(None) };
        let Base { address, is_io, is_wide } = Base::of(&contents, index);
        let size = if end > start { end - start + 1 } else { 0 };
        if address != start || (address != 0) != size.is_power_of_two() {
            return Ok(None);
        }
        if address != 0 {
            bars[index] = Some(Bar { address, size, is_io, is_wide });
        }
        index += if is_wide { 2 } else { 1 };
    }
    Ok(Some(bars))
}

/// Finds out the sizes by writing all ones.
fn size_bars(config: &Config, registers: usize) -> io::Result<[Option<Bar>; 6]> {
    let mut bars = [None; 6];
    if registers == 0 {
        return Ok(bars);
    }
    let command = config.read16(config::COMMAND)?;
    let contents = contents(config, registers)?;
    let values: Vec<(u16, u32)> = contents.iter().enumerate().map(|(index, value)| (register(index), *value)).collect();
    let masks = config.size(command, &values)?;
    let mut index = 0;
    while index < registers {
        let Base { address, is_io, is_wide } = Base::of(&contents, index);
        let mut mask = u64::from(masks[index] & !fixed_bits(is_io));
        if is_wide {
            mask |= u64::from(masks[index + 1]) << 32;
        }
        if mask != 0 {
            bars[index] = Some(Bar {
                address,
                size: 1 << mask.trailing_zeros(),
                is_io,
                is_wide,
            });
        }
        index += if is_wide { 2 } else { 1 };
    }
    Ok(bars)
}

fn find_msix(config: &dyn ConfigSpace) -> io::Result<Option<MsixTable>> {
    let Some(capability) = config::find_capability(config, config::CAP_MSIX)? else {
        return Ok(None);
    };
    let place = config.read32(capability + 4)?;
    if place & 7 > 5 {
        return Ok(None);
    }
    Ok(Some(MsixTable {
        capability,
        entries: (config.read16(capability + 2)? & 0x7ff) + 1,
        bar: (place & 7) as u8,
        offset: place & !7,
    }))
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use driver::config::ConfigImage;
    use std::collections::HashMap;

    /// A machine's functions as images.
    pub struct FakeBus(pub HashMap<PciAddress, ConfigImage>);

    impl Access for FakeBus {
        fn read(&self, address: PciAddress, offset: u16, width: u8) -> io::Result<u32> {
            let mut bytes = [0xff; 4];
            if let Some(image) = self.0.get(&address) {
                bytes = [0; 4];
                image.read(offset, &mut bytes[..usize::from(width)])?;
            }
            Ok(u32::from_le_bytes(bytes))
        }
        fn write(&self, address: PciAddress, offset: u16, width: u8, value: u32) -> io::Result<()> {
            self.0.get(&address).map_or(Ok(()), |image| {
                image.write(offset, &value.to_le_bytes()[..usize::from(width)])
            })
        }
        fn ranges(&self) -> Vec<(u16, u8, u8)> {
            vec![(0, 0, 255)]
        }
    }

    fn at(text: &str) -> PciAddress {
        text.parse().unwrap()
    }

    /// A host bridge, a virtio disk behind a bridge, and a bridge that points back.
    pub fn machine() -> Rc<dyn Access> {
        let mut disk = ConfigImage::new(0x1af4, 0x1042);
        disk.put(config::REVISION, &[1, 0, 0, 1]);
        disk.set_bar(0, 0x80, 0xc081);
        disk.set_bar(1, 0x1000, 0xfebd_0000);
        disk.set_bar(4, 0x4000, 0x3_8000_000c & !0xf | 0b100);
        disk.add_capability(0x98, &[config::CAP_MSIX, 0, 1, 0, 1, 0, 0, 0]);
        let bridge = ConfigImage::new(0x1b36, 0x000c);
        bridge.put(config::HEADER_TYPE, &[0x81]);
        bridge.put(config::SECONDARY_BUS, &[2]);
        let back = ConfigImage::new(0x1b36, 0x000c);
        back.put(config::HEADER_TYPE, &[1]);
        back.put(config::SECONDARY_BUS, &[2]);
        let images = [
            ("0000:00:00.0", ConfigImage::new(0x8086, 0x29c0)),
            ("0000:00:04.0", bridge),
            ("0000:00:04.2", back),
            ("0000:02:00.0", disk),
        ];
        Rc::new(FakeBus(
            images
                .into_iter()
                .map(|(place, image)| (at(place), image))
                .collect(),
        ))
    }

    #[test]
    fn functions_behind_bridges_are_found_once() {
        let found = enumerate(&machine(), &|_| None).unwrap();
        let places: Vec<String> = found
            .iter()
            .map(|function| function.address.to_string())
            .collect();
        assert_eq!(
            places,
            [
                "0000:00:00.0",
                "0000:00:04.0",
                "0000:00:04.2",
                "0000:02:00.0"
            ]
        );
    }

    #[test]
    fn bars_are_sized_and_left_as_they_were() {
        let access = machine();
        let found = enumerate(&access, &|_| None).unwrap();
        let disk = &found[3];
        assert_eq!(disk.class, [1, 0, 0]);
        assert_eq!(
            disk.bars[0],
            Some(Bar {
                address: 0xc080,
                size: 0x80,
                is_io: true,
                is_wide: false
            })
        );
        assert_eq!(
            disk.bars[1],
            Some(Bar {
                address: 0xfebd_0000,
                size: 0x1000,
                is_io: false,
                is_wide: false
            })
        );
        assert_eq!(
            disk.bars[4],
            Some(Bar {
                address: 0x3_8000_0000,
                size: 0x4000,
                is_io: false,
                is_wide: true
            })
        );
        assert_eq!(disk.bars[5], None);
        assert_eq!(disk.config.read32(config::BAR0 + 20).unwrap(), 3);
        assert_eq!(
            disk.msix,
            Some(MsixTable {
                capability: 0x98,
                entries: 2,
                bar: 1,
                offset: 0
            })
        );
        assert_eq!(found[0].msix, None);
    }

    /// A machine that must not be written to.
    struct Untouched(Rc<dyn Access>);

    impl Access for Untouched {
        fn read(&self, address: PciAddress, offset: u16, width: u8) -> io::Result<u32> {
            self.0.read(address, offset, width)
        }
        fn write(&self, address: PciAddress, offset: u16, _: u8, _: u32) -> io::Result<()> {
            panic!("{address} was written to at {offset:#x}");
        }
        fn ranges(&self) -> Vec<(u16, u8, u8)> {
            self.0.ranges()
        }
    }

    #[test]
    fn what_is_known_is_not_written_to() {
        let first = enumerate(&machine(), &|_| None).unwrap();
        let known = |address| first.iter().find(|it| it.address == address).map(crate::sysfs::resources);
        let access: Rc<dyn Access> = Rc::new(Untouched(machine()));
        let again = enumerate(&access, &known).unwrap();
        assert_eq!(again.iter().map(|it| it.bars).collect::<Vec<_>>(), first.iter().map(|it| it.bars).collect::<Vec<_>>());
    }

    #[test]
    fn what_does_not_fit_is_found_out_again() {
        let sized = enumerate(&machine(), &|_| None).unwrap();
        for text in ["", "garbage", "0x0000000000000001 0x0000000000000fff 0x200\n".repeat(13).as_str()] {
            let found = enumerate(&machine(), &|_| Some(text.to_owned())).unwrap();
            assert_eq!(found[3].bars, sized[3].bars, "after {text:?}");
        }
    }
}
