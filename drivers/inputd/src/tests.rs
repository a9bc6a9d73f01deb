//! The daemon, driven as the kernel would.

use crate::files::Files;
use crate::registry::Registry;
use crate::serve;
use input_event::code::{ABS_X, EV_ABS, EV_LED, LED_CAPS_LOCK};
use input_event::producer::Change;
use input_event::{AbsInfo, Description, DeviceId, EV_KEY, EV_SYN, EVENT_BYTES, InputEvent, SYN_REPORT, key};
use scheme::testing::Harness;
use scheme::{Errno, Server};
use scheme::abi::sqe;

const O_RDWR: u32 = 2;
const O_NONBLOCK: u32 = 0o4000;

fn kernel() -> Harness {
    let (kernel, socket) = Harness::new().unwrap();
    std::thread::spawn(move || serve(Server::new(socket).unwrap(), Files::new(Registry::none())));
    kernel
}

fn keyboard() -> Description {
    let mut device = Description::new("Keys", "test/input0", DeviceId { bus: 6, vendor: 1, product: 2, version: 3 });
    device.add_all(EV_KEY, [key::A, key::ENTER]);
    device.add(EV_LED, LED_CAPS_LOCK);
    device.add_axis(ABS_X, AbsInfo { maximum: 32767, ..AbsInfo::default() });
    device.add_repeat();
    device
}

fn encode(changes: &[Change]) -> Vec<u8> {
    let event = |(kind, code, value): &Change| InputEvent { time_us: 0, kind: *kind, code: *code, value: *value }.encode();
    changes.iter().flat_map(event).collect()
}

fn decode(bytes: &[u8]) -> Vec<Change> {
    let (events, rest) = bytes.as_chunks::<EVENT_BYTES>();
    assert!(rest.is_empty());
    events.iter().map(InputEvent::decode).map(|event| (event.kind, event.code, event.value)).collect()
}

fn ioctl(kernel: &mut Harness, handle: u64, number: u32, value: u64, input: &[u8]) -> Result<(u64, Vec<u8>), Errno> {
    let len = if input.is_empty() { (number >> 16 & 0x3fff) as usize } else { input.len() };
    let input = if input.is_empty() { vec![0; len] } else { input.to_vec() };
    let answer = kernel.call(&input, len, |buffer| sqe::call(handle, buffer, [number.into(), value, 0]))?;
    Ok((answer.value, answer.buffer))
}

const END: Change = (EV_SYN, SYN_REPORT, 0);

#[test]
fn events_go_from_the_driver_to_readers_and_lamps_back() {
    let mut kernel = kernel();
    let driver = kernel.open("producer", O_RDWR | O_NONBLOCK).unwrap();
    assert_eq!(kernel.write(driver, b"nonsense", u64::MAX), Err(Errno::INVAL));
    assert_eq!(kernel.open("event0", O_RDWR), Err(Errno::NOENT));
    kernel.write(driver, &keyboard().encode(), u64::MAX).unwrap();
    let reader = kernel.open("event0", O_RDWR | O_NONBLOCK).unwrap();
    let console = kernel.open("keyboard", O_NONBLOCK).unwrap();
    assert_eq!(kernel.read(reader, 240, u64::MAX), Err(Errno::AGAIN));
    assert_eq!(kernel.read(reader, 10, u64::MAX), Err(Errno::INVAL));
    let group = [(EV_KEY, key::A, 1), (EV_KEY, key::B, 1), (EV_ABS, ABS_X, 77), END];
    kernel.write(driver, &encode(&group), u64::MAX).unwrap();
    assert_eq!(decode(&kernel.read(reader, 240, u64::MAX).unwrap()), [(EV_KEY, key::A, 1), (EV_ABS, ABS_X, 77), END]);
    assert_eq!(decode(&kernel.read(console, 240, u64::MAX).unwrap()), [(EV_KEY, key::A, 1), END]);
    kernel.write(driver, &encode(&[(EV_KEY, key::A, 0), END]), u64::MAX).unwrap();
    kernel.write(reader, &encode(&[(EV_LED, LED_CAPS_LOCK, 1), END]), u64::MAX).unwrap();
    assert_eq!(decode(&kernel.read(driver, 240, u64::MAX).unwrap()), [(EV_LED, LED_CAPS_LOCK, 1)]);
    assert_eq!(
        decode(&kernel.read(reader, 240, u64::MAX).unwrap()),
        [(EV_KEY, key::A, 0), END, (EV_LED, LED_CAPS_LOCK, 1), END]
    );
}

#[test]
fn ioctls_describe_the_device() {
    let mut kernel = kernel();
    let driver = kernel.open("producer", O_RDWR).unwrap();
    kernel.write(driver, &keyboard().encode(), u64::MAX).unwrap();
    let reader = kernel.open("event0", O_NONBLOCK).unwrap();
    let mut ask = |number: u32, input: &[u8]| ioctl(&mut kernel, reader, number, 0, input);
    assert_eq!(ask(0x8004_4501, &[]).unwrap().1, 0x1_0001u32.to_le_bytes());
    assert_eq!(ask(0x8008_4502, &[]).unwrap().1, [6, 0, 1, 0, 2, 0, 3, 0]);
    let (len, name) = ask(0x8100_4506, &[]).unwrap();
    assert_eq!((len, &name[..5]), (5, &b"Keys\0"[..]));
    assert_eq!(ask(0x8100_4508, &[]), Err(Errno::NOENT));
    assert_eq!(ask(0x8060_4521, &[]).unwrap().1[3], 0x50);
    let axis = ask(0x8018_4540, &[]).unwrap().1;
    assert_eq!(axis[8..12], 32767i32.to_le_bytes());
    assert_eq!(ask(0x8008_4503, &[]).unwrap().1, [250, 0, 0, 0, 33, 0, 0, 0]);
    ask(0x4008_4503, &[400u32.to_le_bytes(), 0u32.to_le_bytes()].concat()).unwrap();
    assert_eq!(ask(0x8008_4503, &[]).unwrap().1, [0x90, 1, 0, 0, 0, 0, 0, 0]);
    assert!(ask(0x4004_45a0, &1i32.to_le_bytes()).is_ok());
    assert_eq!(ask(0x4004_45a0, &5i32.to_le_bytes()), Err(Errno::INVAL));
    assert_eq!(ask(0x8004_4599, &[]), Err(Errno::INVAL));
}

#[test]
fn a_grab_keeps_events_from_others_and_a_driver_may_come_back() {
    const GRAB: u32 = 0x4004_4590;
    let mut kernel = kernel();
    let driver = kernel.open("producer", O_RDWR).unwrap();
    kernel.write(driver, &keyboard().encode(), u64::MAX).unwrap();
    let first = kernel.open("event0", O_NONBLOCK).unwrap();
    let second = kernel.open("event0", O_NONBLOCK).unwrap();
    let console = kernel.open("keyboard", O_NONBLOCK).unwrap();
    let call = |kernel: &mut Harness, handle, value| kernel.call(&[], 0, |buffer| sqe::call(handle, buffer, [GRAB.into(), value, 0])).map(|answer| answer.value);
    assert_eq!(call(&mut kernel, second, 0), Err(Errno::INVAL));
    assert_eq!(call(&mut kernel, first, 1), Ok(0));
    assert_eq!(call(&mut kernel, second, 1), Err(Errno::BUSY));
    kernel.write(driver, &encode(&[(EV_KEY, key::A, 1), END]), u64::MAX).unwrap();
    assert_eq!(kernel.read(second, 240, u64::MAX), Err(Errno::AGAIN));
    assert_eq!(kernel.read(console, 240, u64::MAX), Err(Errno::AGAIN));
    assert_eq!(decode(&kernel.read(first, 240, u64::MAX).unwrap()), [(EV_KEY, key::A, 1), END]);
    kernel.close(driver);
    let driver = kernel.open("producer", O_RDWR).unwrap();
    kernel.write(driver, &keyboard().encode(), u64::MAX).unwrap();
    assert_eq!(kernel.open("event1", 0), Err(Errno::NOENT), "it is the same device");
    assert_eq!(decode(&kernel.read(first, 240, u64::MAX).unwrap()), [(EV_KEY, key::A, 0), END], "its keys came up");
    kernel.close(first);
    kernel.write(driver, &encode(&[(EV_KEY, key::A, 1), END]), u64::MAX).unwrap();
    assert_eq!(decode(&kernel.read(second, 240, u64::MAX).unwrap()), [(EV_KEY, key::A, 1), END]);
    // Revoked: nothing more, whatever comes.
    kernel.call(&[], 0, |buffer| sqe::call(second, buffer, [0x4004_4591, 0, 0])).unwrap();
    assert_eq!(kernel.read(second, 240, u64::MAX), Err(Errno::NODEV));
}
