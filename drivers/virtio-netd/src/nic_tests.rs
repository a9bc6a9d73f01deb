//! The driver between a simulated device and a simulated stack.

use super::nic::Nic;
use driver::dma::DmaMemory;
use network_device::{BUFFERS, Entry, Region, Side};
use virtio::sim::SimDevice;

const HEADER: usize = 12;

struct Setup {
    device: SimDevice,
    nic: Nic,
    region: Region,
}

fn setup() -> Setup {
    let mut config = vec![0x52, 0x54, 0, 0x12, 0x34, 0x56, 1, 0, 1, 0, 0, 0];
    config.resize(16, 0);
    let features = 1 << 5 | 1 << 16 | virtio::feature::EVENT_IDX;
    let device = SimDevice::new(features, config, &[64, 64]);
    let nic = Nic::start(Box::new(device.clone()), &|len| Ok(DmaMemory::heap(len)), Some((0, 1))).unwrap();
    let region = Region::new(nic.memory().clone());
    Setup { device, nic, region }
}

fn receive(device: &SimDevice, frame: &[u8]) -> bool {
    let Some(request) = device.take(0) else { return false };
    request.write(0, &[0; HEADER]);
    request.write(HEADER, frame);
    device.complete(0, request.head, (HEADER + frame.len()) as u32);
    true
}

#[test]
fn frames_travel_both_ways() {
    let Setup { device, mut nic, region } = setup();
    let interface = region.interface();
    assert_eq!((interface.mac, interface.mtu, interface.is_up), ([0x52, 0x54, 0, 0x12, 0x34, 0x56], 1500, true));
    nic.set_client(true);
    let mut rings = region.rings();
    for round in 0..1000u32 {
        let frame: Vec<u8> = (0..60 + round % 1400).map(|at| (at * 7 + round) as u8).collect();
        assert!(receive(&device, &frame), "a buffer is always there");
        assert!(nic.work().unwrap());
        let entry = rings.received.pop().unwrap();
        let mut bytes = vec![0; entry.len as usize];
        region.memory().read(region.frame_at(entry.buffer).unwrap(), &mut bytes);
        assert_eq!(bytes, frame);
        rings.free.push(Entry { buffer: entry.buffer, len: 0 });
        // And back.
        let Entry { buffer, .. } = rings.sent.pop().unwrap();
        region.memory().write(region.frame_at(buffer).unwrap(), &frame);
        rings.to_send.push(Entry { buffer, len: frame.len() as u32 });
        nic.work().unwrap();
        let request = device.take(1).unwrap();
        assert_eq!(request.input[..HEADER], [0; HEADER]);
        assert_eq!(request.input[HEADER..], frame);
        device.complete(1, request.head, 0);
        nic.work().unwrap();
    }
    assert_eq!((nic.statistics().received_packets, nic.statistics().sent_packets), (1000, 1000));
}

#[test]
fn without_a_stack_frames_are_dropped() {
    let Setup { device, mut nic, region } = setup();
    for _ in 0..200 {
        assert!(receive(&device, &[1; 64]));
        nic.work().unwrap();
    }
    assert_eq!(nic.statistics().received_dropped, 200);
    // The next one starts with empty rings, whatever the last one left there.
    nic.set_client(true);
    assert!(receive(&device, &[2; 64]));
    nic.work().unwrap();
    nic.set_client(false);
    nic.set_client(true);
    let mut rings = region.rings();
    assert_eq!(rings.received.pop(), None);
    assert!((0..BUFFERS).all(|_| rings.sent.pop().is_some()), "all buffers to send from are the new one's");
}

#[test]
fn a_stack_that_cheats_does_no_harm() {
    let Setup { device, mut nic, region } = setup();
    nic.set_client(true);
    let mut rings = region.rings();
    let Entry { buffer, .. } = rings.sent.pop().unwrap();
    // Numbers out of range, of the other direction, too long, too short, and one twice.
    let bad = [(u32::MAX, 60), (2 * BUFFERS, 60), (0, 60), (buffer, u32::MAX), (buffer, 2), (buffer, 60), (buffer, 60)];
    for (buffer, len) in bad {
        rings.to_send.push(Entry { buffer, len });
    }
    for buffer in [u32::MAX, 5, 2 * BUFFERS - 1] {
        rings.free.push(Entry { buffer, len: 0 });
    }
    nic.work().unwrap();
    assert!(device.take(1).is_some());
    assert!(device.take(1).is_none());
    assert_eq!(nic.statistics().sent_errors, 6);
    // A head that has run away is no endless loop.
    region.memory().write_volatile(4096 + 2 * (128 + 8 * 512), u32::MAX / 2);
    assert!(nic.work().is_ok());
}

#[test]
fn who_sleeps_is_woken() {
    let Setup { device, mut nic, region } = setup();
    nic.set_client(true);
    let mut rings = region.rings();
    assert!(nic.prepare_to_sleep());
    assert!(region.sleeps(Side::Driver));
    nic.wake_up();
    let Entry { buffer, .. } = rings.sent.pop().unwrap();
    rings.to_send.push(Entry { buffer, len: 60 });
    assert!(!nic.prepare_to_sleep(), "there is something to send");
    nic.wake_up();
    nic.work().unwrap();
    region.set_sleeping(Side::Stack, true);
    assert!(!nic.take_news());
    assert!(receive(&device, &[1; 64]));
    assert!(!nic.prepare_to_sleep(), "a frame is there");
    nic.work().unwrap();
    assert!(nic.take_news());
    assert!(!nic.take_news(), "once");
}
