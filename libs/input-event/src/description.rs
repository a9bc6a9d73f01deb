//! What a device is and can do, and the message by which its driver says so.
//!
//! A driver opens `/scheme/input/producer`, writes one description, then events ([`crate::InputEvent`], whose times are
//! ignored), and reads the events that go to the device (lamps). The device lives as long as the file is open, and a
//! little longer for a successor that describes a device with the same `phys`.

use crate::bits::Bits;
use crate::code::{ABS_COUNT, EV_ABS, EV_COUNT, EV_REP, PROP_COUNT, code_count};

/// `struct input_id`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeviceId {
    /// `BUS_*`.
    pub bus: u16,
    #[allow(missing_docs)]
    pub vendor: u16,
    #[allow(missing_docs)]
    pub product: u16,
    #[allow(missing_docs)]
    pub version: u16,
}

/// `struct input_absinfo` without the value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AbsInfo {
    #[allow(missing_docs)]
    pub minimum: i32,
    #[allow(missing_docs)]
    pub maximum: i32,
    /// What noise to take no notice of.
    pub fuzz: i32,
    /// How large the centre is.
    pub flat: i32,
    /// Units a millimetre.
    pub resolution: i32,
}

/// A device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// For people.
    pub name: String,
    /// Where it is plugged in.
    pub phys: String,
    /// Its serial number, or nothing.
    pub uniq: String,
    /// The sysfs path of what it is plugged into, such as `/devices/platform/i8042/serio0`.
    pub parent: String,
    #[allow(missing_docs)]
    pub id: DeviceId,
    /// `INPUT_PROP_*`.
    pub properties: Bits,
    /// For each type, its codes. A type without codes that is there has an empty set.
    codes: Vec<Option<Bits>>,
    /// Absolute axes.
    abs: Vec<AbsInfo>,
}

/// A message that is no description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

const MAGIC: [u8; 4] = *b"INP1";
const MAX_TEXT: usize = 256;

impl Description {
    /// A device that can do nothing.
    pub fn new(name: &str, phys: &str, id: DeviceId) -> Self {
        Description {
            name: name.to_owned(),
            phys: phys.to_owned(),
            uniq: String::new(),
            parent: String::new(),
            id,
            properties: Bits::new(PROP_COUNT),
            codes: vec![None; EV_COUNT],
            abs: vec![AbsInfo::default(); ABS_COUNT],
        }
    }

    /// It sends (or, for lamps, takes) this code.
    pub fn add(&mut self, kind: u16, code: u16) {
        if let Some(codes) = self.codes.get_mut(usize::from(kind)) {
            codes.get_or_insert_with(|| Bits::new(code_count(kind))).set(code, true);
        }
    }

    /// It sends codes of this type.
    pub fn add_all(&mut self, kind: u16, codes: impl IntoIterator<Item = u16>) {
        for code in codes {
            self.add(kind, code);
        }
    }

    /// It has an absolute axis.
    pub fn add_axis(&mut self, axis: u16, info: AbsInfo) {
        if let Some(place) = self.abs.get_mut(usize::from(axis)) {
            *place = info;
            self.add(EV_ABS, axis);
        }
    }

    /// Its keys repeat.
    pub fn add_repeat(&mut self) {
        self.codes[usize::from(EV_REP)].get_or_insert_with(|| Bits::new(2));
    }

    /// Whether it has this type.
    pub fn has_type(&self, kind: u16) -> bool {
        kind == crate::EV_SYN || self.codes.get(usize::from(kind)).is_some_and(Option::is_some)
    }

    /// Whether it has this code.
    pub fn has(&self, kind: u16, code: u16) -> bool {
        self.codes.get(usize::from(kind)).and_then(Option::as_ref).is_some_and(|codes| codes.has(code))
    }

    /// The codes of a type; an empty set where it has none.
    pub fn codes(&self, kind: u16) -> Bits {
        self.codes.get(usize::from(kind)).cloned().flatten().unwrap_or_else(|| Bits::new(code_count(kind)))
    }

    /// Its types.
    pub fn types(&self) -> Bits {
        let mut types = Bits::new(EV_COUNT);
        for kind in (0..EV_COUNT as u16).filter(|kind| self.has_type(*kind)) {
            types.set(kind, true);
        }
        types
    }

    /// An absolute axis; zeroes where it has none.
    pub fn axis(&self, axis: u16) -> AbsInfo {
        self.abs.get(usize::from(axis)).copied().unwrap_or_default()
    }

    /// Changes an axis's range.
    pub fn set_axis(&mut self, axis: u16, info: AbsInfo) {
        if self.has(EV_ABS, axis) {
            self.abs[usize::from(axis)] = info;
        }
    }

    /// The message.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        for word in [self.id.bus, self.id.vendor, self.id.product, self.id.version] {
            out.extend(word.to_le_bytes());
        }
        for text in [&self.name, &self.phys, &self.uniq, &self.parent] {
            let text = &text.as_bytes()[..text.len().min(MAX_TEXT)];
            out.extend((text.len() as u16).to_le_bytes());
            out.extend(text);
        }
        let mut put = |kind: u16, bits: &Bits| {
            out.extend(kind.to_le_bytes());
            out.extend((bits.bytes().len() as u16).to_le_bytes());
            out.extend(bits.bytes());
        };
        put(PROPERTIES, &self.properties);
        for (kind, bits) in (0..).zip(&self.codes) {
            if let Some(bits) = bits {
                put(kind, bits);
            }
        }
        out.extend(AXES.to_le_bytes());
        for axis in self.codes(EV_ABS).iter() {
            let info = self.axis(axis);
            out.extend(axis.to_le_bytes());
            for value in [info.minimum, info.maximum, info.fuzz, info.flat, info.resolution] {
                out.extend(value.to_le_bytes());
            }
        }
        out
    }

    /// The device in a message.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader(bytes);
        if reader.take(4)? != MAGIC {
            return Err(Malformed);
        }
        let id = DeviceId { bus: reader.word()?, vendor: reader.word()?, product: reader.word()?, version: reader.word()? };
        let mut device = Description::new(reader.text()?, reader.text()?, id);
        device.uniq = reader.text()?.to_owned();
        device.parent = reader.text()?.to_owned();
        loop {
            let kind = reader.word()?;
            if kind == AXES {
                break;
            }
            let len = usize::from(reader.word()?);
            let bits = reader.take(len)?;
            if kind == PROPERTIES {
                device.properties = Bits::from_bytes(PROP_COUNT, bits);
            } else {
                let count = if kind == EV_REP { 2 } else { code_count(kind) };
                *device.codes.get_mut(usize::from(kind)).ok_or(Malformed)? = Some(Bits::from_bytes(count, bits));
            }
        }
        while !reader.0.is_empty() {
            let axis = reader.word()?;
            let info = AbsInfo {
                minimum: reader.value()?,
                maximum: reader.value()?,
                fuzz: reader.value()?,
                flat: reader.value()?,
                resolution: reader.value()?,
            };
            if !device.has(EV_ABS, axis) {
                return Err(Malformed);
            }
            device.set_axis(axis, info);
        }
        Ok(device)
    }
}

/// Markers among the types in a message.
const PROPERTIES: u16 = 0xff;
const AXES: u16 = 0xfe;

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or(Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    fn word(&mut self) -> Result<u16, Malformed> {
        let bytes = self.take(2)?;
        Ok(u16::from_le_bytes([bytes[0], bytes[1]]))
    }

    fn value(&mut self) -> Result<i32, Malformed> {
        let bytes = self.take(4)?;
        Ok(i32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    fn text(&mut self) -> Result<&'a str, Malformed> {
        let len = usize::from(self.word()?);
        if len > MAX_TEXT {
            return Err(Malformed);
        }
        std::str::from_utf8(self.take(len)?).map_err(|_| Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::{ABS_X, EV_LED, LED_CAPS_LOCK};
    use crate::{EV_KEY, key};

    #[test]
    fn descriptions_round_trip_and_nonsense_is_refused() {
        let mut device = Description::new("Keys", "here/input0", DeviceId { bus: 6, vendor: 1, product: 2, version: 3 });
        device.add(EV_KEY, key::A);
        device.add(EV_LED, LED_CAPS_LOCK);
        device.add_repeat();
        device.add_axis(ABS_X, AbsInfo { maximum: 32767, ..AbsInfo::default() });
        let bytes = device.encode();
        assert_eq!(Description::decode(&bytes).as_ref(), Ok(&device));
        for end in 0..bytes.len() {
            // Cut in the list of axes at a whole axis, it is a shorter list.
            let cut = Description::decode(&bytes[..end]);
            assert!(cut.is_err() || end == bytes.len() - 22, "{end}");
        }
        assert_eq!(device.types().iter().collect::<Vec<_>>(), [0, 1, 3, 0x11, 0x14]);
    }
}
