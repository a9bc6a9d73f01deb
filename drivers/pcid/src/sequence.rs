//! Finding out sizes while no other CPU reaches a device.
//!
//! While decoding is switched off and on, what is where in memory changes. On a machine that is emulated by one thread per CPU (QEMU before 8.2), what another CPU
//! writes to its interrupt controller at that moment may go to a wrong device: an end of interrupt is lost, and with it that CPU. So the accesses are given to the
//! kernel in one go, which lets the other CPUs stand still.

use crate::access::{Access, ConfigPorts};
use driver::address::PciAddress;
use driver::config;
use driver::port::Ports;
use scheme_abi::PortAccess;
use std::cell::RefCell;
use std::io;
use std::rc::Rc;

/// Another way to reach configuration space, but for sizes, which the configuration ports give where they can.
pub struct Sequenced {
    access: Rc<dyn Access>,
    ports: RefCell<Box<dyn Ports>>,
}

impl Sequenced {
    /// `access`, and the ports for sizes.
    pub fn new(access: Rc<dyn Access>, ports: Box<dyn Ports>) -> Self {
        Sequenced { access, ports: RefCell::new(ports) }
    }

    /// As [`Access::size`]; `None` where the ports do not lead to this function.
    fn size_by_ports(&self, address: PciAddress, command: u16, registers: &[(u16, u32)]) -> io::Result<Option<Vec<u32>>> {
        /// Accesses before those to registers, and for each register.
        const BEFORE: usize = 4;
        const EACH: usize = 6;
        if address.segment != 0 {
            return Ok(None);
        }
        let at = |offset| PortAccess::write(ConfigPorts::ADDRESS, 4, ConfigPorts::place(address, offset));
        let put = |width, value| PortAccess::write(ConfigPorts::DATA, width, value);
        let get = PortAccess::read(ConfigPorts::DATA, 4);
        let switched_off = command & !(config::COMMAND_IO | config::COMMAND_MEMORY);
        let mut accesses = vec![at(config::VENDOR_ID), get, at(config::COMMAND), put(2, switched_off.into())];
        for &(register, value) in registers {
            accesses.extend([at(register), put(4, u32::MAX), at(register), get, at(register), put(4, value)]);
        }
        accesses.extend([at(config::COMMAND), put(2, command.into())]);
        match self.ports.borrow_mut().sequence(&mut accesses) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::Unsupported => return Ok(None),
            Err(error) => return Err(error),
        }
        // Machines without a past have no such ports: then nothing was done.
        if accesses[1].value != self.access.read(address, config::VENDOR_ID, 4)? {
            return Ok(None);
        }
        Ok(Some(accesses[BEFORE..].chunks_exact(EACH).map(|of_one| of_one[3].value).collect()))
    }
}

impl Access for Sequenced {
    fn read(&self, address: PciAddress, offset: u16, width: u8) -> io::Result<u32> {
        self.access.read(address, offset, width)
    }

    fn write(&self, address: PciAddress, offset: u16, width: u8, value: u32) -> io::Result<()> {
        self.access.write(address, offset, width, value)
    }

    fn ranges(&self) -> Vec<(u16, u8, u8)> {
        self.access.ranges()
    }

    fn size(&self, address: PciAddress, command: u16, registers: &[(u16, u32)]) -> io::Result<Vec<u32>> {
        match self.size_by_ports(address, command, registers)? {
            Some(masks) => Ok(masks),
            None => self.access.size(address, command, registers),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::{enumerate, tests::machine};

    /// The ports of a machine: mechanism 1 in front of an [`Access`], or nothing.
    struct FakePorts {
        machine: Option<Rc<dyn Access>>,
        selected: u32,
        sequences: Rc<RefCell<usize>>,
    }

    impl FakePorts {
        fn perform(&mut self, access: &mut PortAccess) -> io::Result<()> {
            let width = (access.kind & !PortAccess::WRITE) as u8;
            let is_write = access.kind & PortAccess::WRITE != 0;
            let Some(machine) = self.machine.clone() else {
                access.value = u32::MAX;
                return Ok(());
            };
            if access.port == ConfigPorts::ADDRESS {
                self.selected = access.value;
                return Ok(());
            }
            let part = |shift, bits: u32| (self.selected >> shift & bits) as u8;
            let address = PciAddress { segment: 0, bus: part(16, 0xff), device: part(11, 0x1f), function: part(8, 7) };
            let offset = u16::from(part(0, 0xfc)) + access.port - ConfigPorts::DATA;
            match is_write {
                true => machine.write(address, offset, width, access.value)?,
                false => access.value = machine.read(address, offset, width)?,
            }
            Ok(())
        }
    }

    impl Ports for FakePorts {
        fn read8(&mut self, _: u16) -> io::Result<u8> {
            Err(io::ErrorKind::Unsupported.into())
        }
        fn write8(&mut self, _: u16, _: u8) -> io::Result<()> {
            Err(io::ErrorKind::Unsupported.into())
        }
        fn read32(&mut self, _: u16) -> io::Result<u32> {
            Err(io::ErrorKind::Unsupported.into())
        }
        fn write32(&mut self, _: u16, _: u32) -> io::Result<()> {
            Err(io::ErrorKind::Unsupported.into())
        }
        fn sequence(&mut self, accesses: &mut [PortAccess]) -> io::Result<()> {
            *self.sequences.borrow_mut() += 1;
            accesses.iter_mut().try_for_each(|access| self.perform(access))
        }
    }

    fn bars(access: &Rc<dyn Access>) -> Vec<[Option<crate::bus::Bar>; 6]> {
        enumerate(access, &|_| None).unwrap().iter().map(|function| function.bars).collect()
    }

    #[test]
    fn sizes_by_ports_are_the_same_whether_the_ports_are_there_or_not() {
        let expected = bars(&machine());
        for has_ports in [true, false] {
            let real = machine();
            let sequences = Rc::new(RefCell::new(0));
            let ports = FakePorts { machine: has_ports.then(|| real.clone()), selected: 0, sequences: sequences.clone() };
            let access: Rc<dyn Access> = Rc::new(Sequenced::new(real.clone(), Box::new(ports)));
            assert_eq!(bars(&access), expected, "ports: {has_ports}");
            assert_eq!(*sequences.borrow(), expected.len());
            // All is as it was.
            assert_eq!(bars(&real), expected);
        }
    }
}
