//! What the device says about itself (virtio 1.1, section 5.8.2): a window of 128 bytes, chosen by two selectors.

use input_event::bits::Bits;
use input_event::code::{EV_ABS, EV_COUNT, EV_REP, PROP_COUNT, code_count};
use input_event::{AbsInfo, Description, DeviceId, EV_KEY, EV_SYN};
use virtio::{Transport, read_config_consistent};

/// Values of the selector.
const ID_NAME: u8 = 0x01;
const ID_SERIAL: u8 = 0x02;
const ID_DEVIDS: u8 = 0x03;
const PROP_BITS: u8 = 0x10;
const EV_BITS: u8 = 0x11;
const ABS_INFO: u8 = 0x12;

/// Offsets.
const SELECT: usize = 0;
const SIZE: usize = 2;
const DATA: usize = 8;
const DATA_MAX: usize = 128;

/// What the selectors choose; empty where the device has nothing to say.
fn query(device: &mut dyn Transport, select: u8, subselect: u8) -> Vec<u8> {
    device.write_config(SELECT, &[select, subselect]);
    let mut size = [0];
    read_config_consistent(device, SIZE, &mut size);
    let mut data = vec![0; usize::from(size[0]).min(DATA_MAX)];
    read_config_consistent(device, DATA, &mut data);
    data
}

fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

/// Reads all of it. `phys`: where the device is plugged in; `parent`: the sysfs path of that.
pub fn describe(device: &mut dyn Transport, phys: &str, parent: &str) -> Description {
    let ids = query(device, ID_DEVIDS, 0);
    let word = |at: usize| ids.get(at..at + 2).map_or(0, |bytes| u16::from_le_bytes([bytes[0], bytes[1]]));
    let id = DeviceId { bus: word(0), vendor: word(2), product: word(4), version: word(6) };
    let name = text(&query(device, ID_NAME, 0));
    let mut found = Description::new(&name, phys, id);
    found.uniq = text(&query(device, ID_SERIAL, 0));
    found.parent = parent.to_owned();
    found.properties = Bits::from_bytes(PROP_COUNT, &query(device, PROP_BITS, 0));
    for kind in (0..EV_COUNT as u16).filter(|kind| *kind != EV_SYN) {
        let bits = query(device, EV_BITS, kind as u8);
        if bits.is_empty() {
            continue;
        }
        if kind == EV_REP {
            found.add_repeat();
            continue;
        }
        let codes: Vec<u16> = Bits::from_bytes(code_count(kind), &bits).iter().collect();
        for code in codes {
            if kind == EV_ABS {
                let info = query(device, ABS_INFO, code as u8);
                let value = |at: usize| info.get(at..at + 4).map_or(0, |b| i32::from_le_bytes([b[0], b[1], b[2], b[3]]));
                let info = AbsInfo { minimum: value(0), maximum: value(4), fuzz: value(8), flat: value(12), resolution: value(16) };
                found.add_axis(code, info);
            } else {
                found.add(kind, code);
            }
        }
    }
    // Keyboards repeat, whether or not the device says so; inputd does it.
    if found.has_type(EV_KEY) && found.has(EV_KEY, input_event::key::ENTER) {
        found.add_repeat();
    }
    found
}
