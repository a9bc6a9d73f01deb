//! The name of a PCI function: `segment:bus:device.function`.

use std::fmt;
use std::str::FromStr;

/// A PCI function's place, written `0000:00:03.0` (hexadecimal, as Linux writes it).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PciAddress {
    /// Segment group (PCI domain).
    pub segment: u16,
    /// Bus number.
    pub bus: u8,
    /// Device number, 0 to 31.
    pub device: u8,
    /// Function number, 0 to 7.
    pub function: u8,
}

/// The text is no PCI address.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "`{0}` is no PCI address; expected segment:bus:device.function in hexadecimal, like 0000:00:03.0"
)]
pub struct AddressError(String);

impl fmt::Display for PciAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:04x}:{:02x}:{:02x}.{:x}",
            self.segment, self.bus, self.device, self.function
        )
    }
}

impl FromStr for PciAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let parse = || {
            let (segment, rest) = text.split_once(':')?;
            let (bus, rest) = rest.split_once(':')?;
            let (device, function) = rest.split_once('.')?;
            let address = PciAddress {
                segment: hex(segment, 4)?,
                bus: hex(bus, 2)?.try_into().ok()?,
                device: hex(device, 2)?.try_into().ok()?,
                function: hex(function, 1)?.try_into().ok()?,
            };
            (address.device < 32 && address.function < 8).then_some(address)
        };
        parse().ok_or_else(|| AddressError(text.to_owned()))
    }
}

/// Exactly `digits` hexadecimal digits, without sign or prefix.
fn hex(text: &str, digits: usize) -> Option<u16> {
    if text.len() != digits || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u16::from_str_radix(text, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_round_trip() {
        let address: PciAddress = "0001:a0:1f.7".parse().unwrap();
        assert_eq!(
            address,
            PciAddress {
                segment: 1,
                bus: 0xa0,
                device: 31,
                function: 7
            }
        );
        assert_eq!(address.to_string(), "0001:a0:1f.7");
    }

    #[test]
    fn malformed_addresses_are_refused() {
        for text in [
            "",
            "00:03.0",
            "0000:00:20.0",
            "0000:00:03.8",
            "0000:00:+3.0",
            "0000:00:03.0 ",
            "0:0:3.0",
        ] {
            assert!(text.parse::<PciAddress>().is_err(), "{text:?}");
        }
    }
}
