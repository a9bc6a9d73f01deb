//! The engine against a simulated disk.

use super::*;
use virtio::sim::{Request, SimDevice};

const BLOCK: usize = 512;

/// A disk of 64 KiB whose byte n is n % 251.
struct SimDisk {
    device: SimDevice,
    content: Vec<u8>,
    flushes: u32,
    fail_next: bool,
}

impl SimDisk {
    fn new(features: u64, seg_max: u32, queue: u16) -> Self {
        let content: Vec<u8> = (0..65536u32).map(|n| (n % 251) as u8).collect();
        let mut config = vec![0; 24];
        config[..8].copy_from_slice(&128u64.to_le_bytes());
        config[12..16].copy_from_slice(&seg_max.to_le_bytes());
        config[20..24].copy_from_slice(&(BLOCK as u32).to_le_bytes());
        let features = features | block::SEG_MAX | block::BLK_SIZE;
        SimDisk {
            device: SimDevice::new(features, config, &[queue]),
            content,
            flushes: 0,
            fail_next: false,
        }
    }

    fn engine(&self) -> Engine {
        Engine::start(
            Box::new(self.device.clone()),
            &|len| Ok(DmaMemory::heap(len)),
            Some(0),
        )
        .unwrap()
    }

    /// Serves one request; false where there is none.
    fn serve(&mut self) -> bool {
        let Some(request) = self.device.take(0) else {
            return false;
        };
        let room = request.room();
        let (written, status) = match std::mem::take(&mut self.fail_next) {
            true => (0, 1),
            false => self.work(&request, room - 1),
        };
        request.write(room - 1, &[status]);
        self.device.complete(0, request.head, written + 1);
        true
    }

    fn work(&mut self, request: &Request, room: usize) -> (u32, u8) {
        let kind = u32::from_le_bytes(request.input[..4].try_into().unwrap());
        let at = 512 * u64::from_le_bytes(request.input[8..16].try_into().unwrap()) as usize;
        match kind {
            IN => {
                assert_eq!(room % BLOCK, 0, "whole blocks");
                request.write(0, &self.content[at..at + room]);
                (room as u32, 0)
            }
            OUT => {
                let data = &request.input[16..];
                assert_eq!(data.len() % BLOCK, 0, "whole blocks");
                self.content[at..at + data.len()].copy_from_slice(data);
                (0, 0)
            }
            FLUSH => {
                self.flushes += 1;
                (0, 0)
            }
            _ => (0, STATUS_UNSUPPORTED),
        }
    }

    /// Serves until the engine is idle; the completions.
    fn run(&mut self, engine: &mut Engine) -> Vec<Completion> {
        let mut done = Vec::new();
        engine.kick(&mut done);
        while !engine.is_idle() {
            assert!(self.serve(), "the engine waits for nothing");
            engine.collect(&mut done).unwrap();
        }
        done
    }
}

fn pieces(memory: &DmaMemory, lens: &[u32]) -> Vec<Piece> {
    let mut at = 0;
    let piece = |len: &u32| {
        at += *len as usize;
        Piece {
            physical: memory.physical(at - *len as usize),
            len: *len,
        }
    };
    lens.iter().map(piece).collect()
}

const ALL: u64 = block::FLUSH | feature::INDIRECT_DESC | feature::EVENT_IDX;

#[test]
fn whole_blocks_go_straight_to_memory_and_disk() {
    for features in [ALL, block::FLUSH] {
        let mut disk = SimDisk::new(features, 8, 64);
        let mut engine = disk.engine();
        assert_eq!((engine.bytes, engine.block_bytes), (65536, 512));
        let memory = DmaMemory::heap(8192);
        engine.submit(
            7,
            Work::Read {
                offset: 1024,
                pieces: pieces(&memory, &[1000, 3096, 4096]),
            },
        );
        assert_eq!(
            disk.run(&mut engine),
            [Completion {
                tag: 7,
                result: Ok(8192),
                data: None
            }]
        );
        let mut bytes = vec![0; 8192];
        memory.read(0, &mut bytes);
        assert_eq!(bytes, disk.content[1024..9216]);

        memory.write(0, &[0xee; 512]);
        engine.submit(
            8,
            Work::Write {
                offset: 512,
                pieces: pieces(&memory, &[512]),
            },
        );
        engine.submit(9, Work::Flush);
        assert_eq!(disk.run(&mut engine).len(), 2);
        assert_eq!(
            disk.content[511..1025],
            [&[9][..], &[0xee; 512], &[20]].concat()
        );
        assert_eq!(disk.flushes, 1);
    }
}

#[test]
fn more_pieces_than_the_device_takes_are_split() {
    let mut disk = SimDisk::new(ALL, 2, 64);
    let mut engine = disk.engine();
    let memory = DmaMemory::heap(8192);
    engine.submit(
        1,
        Work::Read {
            offset: 0,
            pieces: pieces(&memory, &[512; 16]),
        },
    );
    assert_eq!(
        disk.run(&mut engine),
        [Completion {
            tag: 1,
            result: Ok(8192),
            data: None
        }]
    );
    let mut bytes = vec![0; 8192];
    memory.read(0, &mut bytes);
    assert_eq!(bytes, disk.content[..8192]);
}

#[test]
fn odd_ranges_are_read_and_changed_within_their_blocks() {
    let mut disk = SimDisk::new(ALL, 8, 64);
    let mut engine = disk.engine();
    engine.submit(
        1,
        Work::ReadBytes {
            offset: 700,
            len: 1000,
        },
    );
    engine.submit(
        2,
        Work::WriteBytes {
            offset: 1020,
            data: vec![0xdd; 8],
        },
    );
    engine.submit(
        3,
        Work::ReadBytes {
            offset: 1019,
            len: 10,
        },
    );
    let before = disk.content.clone();
    let done = disk.run(&mut engine);
    assert_eq!(done[0].data.as_deref(), Some(&before[700..1700]));
    assert_eq!(
        done[1],
        Completion {
            tag: 2,
            result: Ok(8),
            data: None
        }
    );
    let mut expected = before.clone();
    expected[1020..1028].fill(0xdd);
    assert_eq!(disk.content, expected);
    assert_eq!(done[2].data.as_deref(), Some(&expected[1019..1029]));
}

#[test]
fn a_burst_larger_than_the_queue_is_served_in_full() {
    for features in [ALL, 0] {
        let mut disk = SimDisk::new(features, 8, 8);
        let mut engine = disk.engine();
        let memory = DmaMemory::heap(200 * 512);
        for tag in 0..120 {
            let piece = Piece {
                physical: memory.physical(512 * tag as usize),
                len: 512,
            };
            engine.submit(
                tag,
                Work::Read {
                    offset: 512 * u64::from(tag),
                    pieces: vec![piece],
                },
            );
        }
        let mut done = disk.run(&mut engine);
        done.sort_by_key(|completion| completion.tag);
        assert!(
            done.iter()
                .zip(0..120)
                .all(|(completion, tag)| completion.tag == tag && completion.result == Ok(512))
        );
        assert_eq!(done.len(), 120);
        let mut bytes = vec![0; 120 * 512];
        memory.read(0, &mut bytes);
        assert_eq!(bytes, disk.content[..120 * 512]);
    }
}

#[test]
fn errors_of_the_device_reach_the_caller_and_the_next_request_works() {
    let mut disk = SimDisk::new(ALL, 8, 8);
    let mut engine = disk.engine();
    let memory = DmaMemory::heap(4096);
    for work in [
        Work::Read {
            offset: 0,
            pieces: pieces(&memory, &[4096]),
        },
        Work::ReadBytes { offset: 3, len: 9 },
        Work::WriteBytes {
            offset: 3,
            data: vec![1],
        },
    ] {
        disk.fail_next = true;
        engine.submit(5, work.clone());
        assert_eq!(disk.run(&mut engine)[0].result, Err(libc::EIO), "{work:?}");
    }
    engine.submit(
        6,
        Work::Read {
            offset: 0,
            pieces: pieces(&memory, &[4096]),
        },
    );
    assert_eq!(disk.run(&mut engine)[0].result, Ok(4096));
}

#[test]
fn a_device_without_flush_writes_through() {
    let mut disk = SimDisk::new(0, 8, 8);
    let mut engine = disk.engine();
    engine.submit(1, Work::Flush);
    assert_eq!(
        disk.run(&mut engine),
        [Completion {
            tag: 1,
            result: Ok(0),
            data: None
        }]
    );
    assert_eq!(disk.flushes, 0);
}

#[test]
fn a_successor_resets_a_device_left_running() {
    let mut disk = SimDisk::new(ALL, 8, 8);
    let memory = DmaMemory::heap(4096);
    let mut first = disk.engine();
    first.submit(
        1,
        Work::Read {
            offset: 0,
            pieces: pieces(&memory, &[4096]),
        },
    );
    first.kick(&mut Vec::new());
    drop(first);
    let mut second = disk.engine();
    assert_eq!(disk.device.state().resets, 2);
    second.submit(
        1,
        Work::Read {
            offset: 512,
            pieces: pieces(&memory, &[4096]),
        },
    );
    assert_eq!(disk.run(&mut second)[0].result, Ok(4096));
}
