//! The whole driver against a simulated device and the kernel's side of a scheme.

use super::*;
use driver::dma::DmaMemory;
use partitions::Partition;
use scheme::Errno;
use scheme::abi::sqe;
use scheme::testing::Harness;
use std::fs::File;
use std::io::Write;
use std::os::fd::FromRawFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use virtio::sim::SimDevice;

const SECTORS: usize = 4096;

/// A disk in memory behind a simulated device: a thread serves its queue, an eventfd is its interrupt.
struct Machine {
    harness: Harness,
    content: Arc<Mutex<Vec<u8>>>,
    stop: Arc<AtomicBool>,
    threads: Vec<thread::JoinHandle<()>>,
}

/// Where memory is its own physical address.
struct Identity;

impl disk::Physical for Identity {
    fn physical(&self, address: u64, len: u64) -> Result<(u64, u64), Errno> {
        // As scattered as memory can be: each page for itself.
        Ok((address, len.min(4096)))
    }
}

impl Machine {
    fn start() -> Self {
        let content: Vec<u8> = (0..SECTORS * 512).map(|n| (n / 512 + n) as u8).collect();
        let content = Arc::new(Mutex::new(content));
        let mut config = vec![0; 24];
        config[..8].copy_from_slice(&(SECTORS as u64).to_le_bytes());
        let features = virtio::feature::INDIRECT_DESC | virtio::feature::EVENT_IDX | 1 << 9;
        let device = SimDevice::new(features, config, &[256]);
        // SAFETY: a new descriptor of ours.
        let event = unsafe { File::from_raw_fd(libc::eventfd(0, 0)) };
        let irq_file = event.try_clone().unwrap();
        let (harness, socket) = Harness::new().unwrap();
        let stop = Arc::new(AtomicBool::new(false));

        let (disk_content, disk_device, disk_stop) =
            (content.clone(), device.clone(), stop.clone());
        let device_thread = thread::spawn(move || {
            while !disk_stop.load(Ordering::Relaxed) {
                if disk_device.status() & virtio::status::DRIVER_OK == 0
                    || !serve_one(&disk_device, &disk_content)
                {
                    thread::sleep(Duration::from_micros(50));
                    continue;
                }
                (&event).write_all(&1u64.to_ne_bytes()).unwrap();
            }
        });
        let driver_thread = thread::spawn(move || {
            let engine =
                Engine::start(Box::new(device), &|len| Ok(DmaMemory::heap(len)), Some(0)).unwrap();
            let part = Partition {
                number: 2,
                start: 1 << 20,
                len: 512 << 10,
                type_guid: [1; 16],
                guid: [2; 16],
                name: "genai-root".to_owned(),
            };
            let disk = Disk::new(engine, &[part]);
            let irq = Irq::from_file(irq_file);
            serve(Server::new(socket).unwrap(), disk, &irq, |disk, _| {
                disk.translate(&Identity)
            })
            .unwrap();
        });
        Machine {
            harness,
            content,
            stop,
            threads: vec![device_thread, driver_thread],
        }
    }

    fn finish(self) {
        drop(self.harness);
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().unwrap();
        }
    }
}

use virtio::Transport;

fn serve_one(device: &SimDevice, content: &Mutex<Vec<u8>>) -> bool {
    let Some(request) = device.take(0) else {
        return false;
    };
    let mut content = content.lock().unwrap();
    let room = request.room() - 1;
    let kind = request.input[0];
    let at = 512 * u64::from_le_bytes(request.input[8..16].try_into().unwrap()) as usize;
    match kind {
        0 => request.write(0, &content[at..at + room]),
        1 => {
            let data = &request.input[16..];
            content[at..at + data.len()].copy_from_slice(data);
        }
        _ => {}
    }
    request.write(room, &[0]);
    device.complete(0, request.head, room as u32 + 1);
    true
}

#[test]
fn disk_and_partitions_are_read_and_written() {
    let mut machine = Machine::start();
    let expected = machine.content.lock().unwrap().clone();
    let harness = &mut machine.harness;
    let whole = harness.open("", 2).unwrap();
    let part = harness.open("2", 2).unwrap();
    assert_eq!((whole, part), (0, 2));
    for path in ["1", "3", "02", "0", "-1", "2/", "x"] {
        assert_eq!(harness.open(path, 0), Err(Errno::NOENT), "{path}");
    }
    assert_eq!(
        harness.read(whole, 262_144, 4096).unwrap(),
        expected[4096..4096 + 262_144]
    );
    assert_eq!(
        harness.read(part, 700, 1001).unwrap(),
        expected[(1 << 20) + 1001..][..700]
    );
    assert_eq!(harness.write(part, &[7; 8192], 4096), Ok(8192));
    assert_eq!(harness.write(part, &[9; 3], 511), Ok(3));
    let now = machine.content.lock().unwrap()[1 << 20..].to_vec();
    assert_eq!(
        now[510..515],
        [
            expected[(1 << 20) + 510],
            9,
            9,
            9,
            expected[(1 << 20) + 514]
        ]
    );
    assert!(now[4096..12288].iter().all(|byte| *byte == 7));

    let harness = &mut machine.harness;
    let ticket = harness.submit(&[], 0, |_| sqe::fsync(part));
    harness.wait(ticket).unwrap();
    machine.finish();
}

#[test]
fn ends_of_disk_and_partition_are_kept() {
    let mut machine = Machine::start();
    let before = machine.content.lock().unwrap().clone();
    let harness = &mut machine.harness;
    let part = harness.open("2", 2).unwrap();
    let size = 512 << 10;
    assert_eq!(harness.read(part, 4096, size).unwrap(), []);
    assert_eq!(harness.read(part, 4096, size - 512).unwrap().len(), 512);
    assert_eq!(harness.read(part, 4096, u64::MAX - 1).unwrap(), []);
    assert_eq!(harness.write(part, &[1; 512], size), Err(Errno::NOSPC));
    assert_eq!(harness.write(part, &[1; 4096], size - 512), Ok(512));
    assert_eq!(harness.read(99, 512, 0), Err(Errno::BADF));
    let after = machine.content.lock().unwrap().clone();
    let end = (1 << 20) + size as usize;
    assert!(after[end..] == before[end..] && after[..end - 512] == before[..end - 512]);
    machine.finish();
}

#[test]
fn many_requests_are_in_flight_at_once() {
    let mut machine = Machine::start();
    let expected = machine.content.lock().unwrap().clone();
    let harness = &mut machine.harness;
    let whole = harness.open("", 2).unwrap();
    for round in 0..20u64 {
        let tickets: Vec<_> = (0..60)
            .map(|index| {
                let offset = (index * 37 + round * 11) % 4000 * 512;
                let ticket =
                    harness.submit(&[], 8192, |buffer| sqe::read(whole, buffer, offset, 0));
                (offset as usize, ticket)
            })
            .collect();
        for (offset, ticket) in tickets {
            let answer = harness.wait(ticket).unwrap();
            assert!(answer.data() == &expected[offset..offset + 8192]);
        }
    }
    machine.finish();
}
