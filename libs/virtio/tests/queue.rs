//! The queue against a simulated device.

use driver::dma::DmaMemory;
use virtio::sim::SimDevice;
use virtio::{QueueError, Segment, SplitQueue, Transport, Used, feature, negotiate, start, status};

fn segment(memory: &DmaMemory, offset: usize, len: u32, device_writes: bool) -> Segment {
    Segment {
        physical: memory.physical(offset),
        len,
        device_writes,
    }
}

fn queue(device: &mut SimDevice, size: u16, features: u64) -> SplitQueue {
    let features = negotiate(device, 0, features).unwrap();
    let memory = DmaMemory::heap(SplitQueue::memory_size(size));
    let tables = DmaMemory::heap(SplitQueue::tables_size(size, 4));
    let queue = SplitQueue::new(
        device,
        0,
        size,
        features,
        memory,
        Some((tables, 4)),
        Some(0),
    )
    .unwrap();
    start(device);
    queue
}

#[test]
fn requests_go_round_in_any_order_and_many_times() {
    for features in [
        0,
        feature::INDIRECT_DESC,
        feature::EVENT_IDX,
        feature::INDIRECT_DESC | feature::EVENT_IDX,
    ] {
        let mut device = SimDevice::new(features, vec![], &[8]);
        let mut queue = queue(&mut device, 8, features);
        let data = DmaMemory::heap(4096);
        for round in 0u32..70_000 {
            data.write(0, &round.to_le_bytes());
            let pieces = [
                segment(&data, 0, 4, false),
                segment(&data, 64, 4, true),
                segment(&data, 128, 4, true),
            ];
            queue.push(&pieces, 2 * round).unwrap();
            queue.push(&pieces[..2], 2 * round + 1).unwrap();
            queue.kick(&device);
            let first = device.take(0).unwrap();
            let second = device.take(0).unwrap();
            assert!(device.take(0).is_none());
            assert_eq!(first.input, round.to_le_bytes());
            assert_eq!(first.room(), 8);
            first.write(2, &[1, 2, 3, 4]);
            device.complete(0, second.head, 0);
            device.complete(0, first.head, 6);
            assert_eq!(
                queue.pop().unwrap(),
                Some(Used {
                    token: 2 * round + 1,
                    written: 0
                })
            );
            assert_eq!(
                queue.pop().unwrap(),
                Some(Used {
                    token: 2 * round,
                    written: 6
                })
            );
            assert_eq!(queue.pop().unwrap(), None);
            assert!(queue.is_idle());
        }
        let mut tail = [0; 2];
        data.read(128, &mut tail);
        assert_eq!(tail, [3, 4]);
        assert_eq!(
            device.state().notified.len(),
            70_000,
            "an idle device is notified of each batch"
        );
    }
}

#[test]
fn a_full_queue_says_so_and_recovers() {
    let mut device = SimDevice::new(0, vec![], &[4]);
    let mut queue = queue(&mut device, 4, 0);
    let data = DmaMemory::heap(4096);
    let one = [segment(&data, 0, 4, false), segment(&data, 8, 4, true)];
    queue.push(&one, 1).unwrap();
    queue.push(&one, 2).unwrap();
    assert_eq!(queue.push(&one, 3), Err(QueueError::Full));
    assert_eq!(queue.push(&[one[0]; 5], 3), Err(QueueError::TooLong(5)));
    queue.kick(&device);
    let request = device.take(0).unwrap();
    device.complete(0, request.head, 4);
    assert_eq!(queue.pop().unwrap().unwrap().token, 1);
    queue.push(&one, 3).unwrap();
}

#[test]
fn descriptors_that_are_not_in_flight_are_errors() {
    let mut device = SimDevice::new(0, vec![], &[4]);
    let mut queue = queue(&mut device, 4, 0);
    device.complete(0, 3, 0);
    assert_eq!(queue.pop(), Err(QueueError::Bogus(3)));
    let mut other = self::queue(&mut device, 4, 0);
    device.complete(0, 900, 0);
    assert_eq!(other.pop(), Err(QueueError::Bogus(900)));
}

#[test]
fn no_interrupt_is_lost() {
    let mut device = SimDevice::new(feature::EVENT_IDX, vec![], &[4]);
    let mut queue = queue(&mut device, 4, feature::EVENT_IDX);
    let data = DmaMemory::heap(64);
    queue.push(&[segment(&data, 0, 4, true)], 9).unwrap();
    queue.kick(&device);
    assert!(!queue.enable_interrupts());
    let request = device.take(0).unwrap();
    device.complete(0, request.head, 0);
    assert!(queue.enable_interrupts(), "finished between pop and enable");
}

#[test]
fn missing_features_are_named_and_the_device_is_told() {
    let mut device = SimDevice::new(0, vec![], &[4]);
    let error = negotiate(&mut device, 1 << 5, 0).unwrap_err();
    assert!(error.to_string().contains("0x20"), "{error}");
    assert_eq!(device.status(), status::FAILED);
}
