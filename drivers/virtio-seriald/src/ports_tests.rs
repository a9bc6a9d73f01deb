//! The ports against a simulated device with four ports.

use super::*;
use virtio::sim::SimDevice;

const PORT: u32 = 1;

struct Host(SimDevice);

impl Host {
    fn new() -> (Self, Ports) {
        let mut config = vec![0; 12];
        config[4..8].copy_from_slice(&4u32.to_le_bytes());
        let device = SimDevice::new(MULTIPORT | virtio::feature::EVENT_IDX, config, &[128; 10]);
        let allocate: Allocate = Box::new(|len| Ok(DmaMemory::heap(len)));
        let ports = Ports::start(Box::new(device.clone()), allocate).unwrap();
        (Host(device), ports)
    }

    /// Sends a control message to the driver.
    fn control(&self, id: u32, kind: u16, value: u16, name: &str) {
        let request = self.0.take(CONTROL_RECEIVE).unwrap();
        let mut message = id.to_le_bytes().to_vec();
        message.extend(kind.to_le_bytes());
        message.extend(value.to_le_bytes());
        message.extend(name.as_bytes());
        request.write(0, &message);
        self.0
            .complete(CONTROL_RECEIVE, request.head, message.len() as u32);
    }

    /// Control messages from the driver: port, event, value.
    fn controls(&self) -> Vec<(u32, u16, u16)> {
        std::iter::from_fn(|| self.0.take(CONTROL_SEND))
            .map(|request| {
                self.0.complete(CONTROL_SEND, request.head, 0);
                let m = &request.input;
                let half = |at: usize| u16::from_le_bytes([m[at], m[at + 1]]);
                (
                    u32::from_le_bytes(m[..4].try_into().unwrap()),
                    half(4),
                    half(6),
                )
            })
            .collect()
    }

    fn send(&self, data: &[u8]) {
        let (queue, _) = queues_of(PORT);
        let request = self.0.take(queue).unwrap();
        request.write(0, data);
        self.0.complete(queue, request.head, data.len() as u32);
    }

    /// What the driver has sent on the port; `limit` requests at most.
    fn receive(&self, limit: usize) -> Vec<u8> {
        let (_, queue) = queues_of(PORT);
        let mut data = Vec::new();
        for request in std::iter::from_fn(|| self.0.take(queue)).take(limit) {
            data.extend(&request.input);
            self.0.complete(queue, request.head, 0);
        }
        data
    }
}

/// A device whose port 1 is `gos.exec`, opened on both sides.
fn connected() -> (Host, Ports) {
    let (host, mut ports) = Host::new();
    host.control(PORT, event::DEVICE_ADD, 1, "");
    host.control(PORT, event::PORT_NAME, 1, "gos.exec\0");
    host.control(PORT, event::PORT_OPEN, 1, "");
    ports.interrupt().unwrap();
    ports.set_open(PORT, true).unwrap();
    (host, ports)
}

#[test]
fn ports_are_announced_named_and_opened() {
    let (host, ports) = connected();
    assert_eq!(ports.named().collect::<Vec<_>>(), [(PORT, "gos.exec")]);
    assert_eq!(
        host.controls(),
        [
            (0, event::DEVICE_READY, 1),
            (PORT, event::PORT_READY, 1),
            (PORT, event::PORT_OPEN, 1)
        ]
    );
}

#[test]
fn bytes_arrive_in_order_whatever_the_sizes() {
    let (host, mut ports) = connected();
    let mut buffer = [0; 10];
    assert_eq!(ports.read(PORT, &mut buffer), Ok(None));
    let mut expected: Vec<u8> = Vec::new();
    let mut got: Vec<u8> = Vec::new();
    for round in 0..500u32 {
        let data: Vec<u8> = (0..1 + round * 37 % 4096)
            .map(|n| (n + round) as u8)
            .collect();
        host.send(&data);
        expected.extend(&data);
        ports.interrupt().unwrap();
        let mut buffer = vec![0; 1 + (round * 53 % 5000) as usize];
        if let Some(count) = ports.read(PORT, &mut buffer).unwrap() {
            got.extend(&buffer[..count]);
        }
        if round % 50 == 49 {
            let mut rest = vec![0; 1 << 20];
            let count = ports.read(PORT, &mut rest).unwrap().unwrap_or(0);
            got.extend(&rest[..count]);
        }
    }
    assert!(got == expected, "{} bytes of {}", got.len(), expected.len());
}

#[test]
fn a_slow_host_makes_writers_wait() {
    let (host, mut ports) = connected();
    let data: Vec<u8> = (0..600_000u32).map(|n| (n % 253) as u8).collect();
    let first = ports.write(PORT, &data).unwrap().unwrap();
    assert_eq!(first, 16 * 16384);
    assert_eq!(ports.write(PORT, &data[first..]), Ok(None));
    let mut received = host.receive(3);
    assert_eq!(ports.interrupt().unwrap(), [Changed(PORT)]);
    let second = ports.write(PORT, &data[first..]).unwrap().unwrap();
    assert_eq!(second, 3 * 16384);
    received.extend(host.receive(usize::MAX));
    assert!(received == data[..first + second]);
}

#[test]
fn the_end_is_read_once_and_the_next_host_is_waited_for() {
    let (host, mut ports) = connected();
    let mut buffer = [0; 10];
    host.send(b"last");
    host.control(PORT, event::PORT_OPEN, 0, "");
    assert_eq!(ports.interrupt().unwrap(), [Changed(PORT), Changed(PORT)]);
    assert!(ports.port(PORT).unwrap().is_readable());
    assert_eq!(ports.read(PORT, &mut buffer), Ok(Some(4)));
    assert_eq!(ports.read(PORT, &mut buffer), Ok(Some(0)));
    assert_eq!(ports.read(PORT, &mut buffer), Ok(None));
    host.control(PORT, event::PORT_OPEN, 1, "");
    host.send(b"new");
    ports.interrupt().unwrap();
    assert_eq!(ports.read(PORT, &mut buffer), Ok(Some(3)));
}

#[test]
fn what_came_before_the_open_is_not_read() {
    let (host, mut ports) = connected();
    host.send(b"old");
    ports.set_open(PORT, false).unwrap();
    host.send(b"older");
    ports.interrupt().unwrap();
    ports.set_open(PORT, true).unwrap();
    let mut buffer = [0; 10];
    assert_eq!(ports.read(PORT, &mut buffer), Ok(None));
    host.send(b"now");
    assert_eq!(ports.read(PORT, &mut buffer), Ok(Some(3)));
    assert_eq!(&buffer[..3], b"now");
}

#[test]
fn nonsense_from_the_device_is_ignored() {
    let (host, mut ports) = Host::new();
    host.control(99, event::DEVICE_ADD, 1, "");
    host.control(2, event::PORT_OPEN, 1, "");
    host.control(2, event::PORT_NAME, 1, "early");
    host.control(3, event::DEVICE_ADD, 1, "");
    host.control(3, event::DEVICE_ADD, 1, "");
    host.control(3, event::PORT_NAME, 1, "a/b");
    host.control(0, 77, 1, "");
    ports.interrupt().unwrap();
    assert_eq!(ports.named().count(), 0);
    host.control(3, event::DEVICE_REMOVE, 1, "");
    ports.interrupt().unwrap();
    assert_eq!(ports.read(3, &mut [0; 4]), Ok(Some(0)));
}
