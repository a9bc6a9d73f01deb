//! A scheme with everything that the library offers, driven by the harness.

use proptest::prelude::*;
use scheme::abi::sqe::{self, Ids};
use scheme::abi::{Sqe, SqeFlags};
use scheme::testing::Harness;
use scheme::{Context, Errno, EventFlags, Fail, Opened, Outbox, Result, Scheme, Server};
use std::collections::VecDeque;
use std::io::{Read, Write};
use std::os::fd::AsFd;

/// A queue of bytes: reads wait for writes, and for bytes that come in through a real pipe.
#[derive(Default)]
struct Queue {
    bytes: VecDeque<u8>,
    readers: VecDeque<u32>,
    watchers: Vec<u64>,
}

impl Queue {
    fn arrived(&mut self, out: &mut Outbox, data: &[u8]) {
        self.bytes.extend(data);
        while let (Some(&tag), false) = (self.readers.front(), self.bytes.is_empty()) {
            self.readers.pop_front();
            if let Some(len) = out.answer_bytes(tag, self.bytes.make_contiguous()) {
                self.bytes.drain(..len);
            }
        }
        if !self.bytes.is_empty() {
            for handle in self.watchers.drain(..) {
                out.notify(handle, EventFlags::EVENT_READ);
            }
        }
    }
}

impl Scheme for Queue {
    fn openat(&mut self, _: &mut Context<'_>, _: u64, path: &str, _: u64) -> Result<Opened> {
        match path {
            "queue" => Ok(Opened::Handle(7)),
            "null" => Ok(Opened::Fd(std::fs::File::open("/dev/null")?.into())),
            _ => Err(Errno::NOENT.into()),
        }
    }

    fn read(&mut self, cx: &mut Context<'_>, _: u64, buffer: &mut [u8], _: u64) -> Result<usize> {
        if self.bytes.is_empty() {
            self.readers.push_back(cx.tag);
            return Err(Fail::Later);
        }
        let len = buffer.len().min(self.bytes.len());
        for (slot, byte) in buffer.iter_mut().zip(self.bytes.drain(..len)) {
            *slot = byte;
        }
        Ok(len)
    }

    fn write(&mut self, cx: &mut Context<'_>, _: u64, data: &[u8], _: u64) -> Result<usize> {
        self.arrived(cx.out, data);
        Ok(data.len())
    }

    fn fevent(&mut self, handle: u64, events: EventFlags) -> Result<EventFlags> {
        if self.bytes.is_empty() {
            self.watchers.push(handle);
            return Ok(events & EventFlags::EVENT_WRITE);
        }
        Ok(events)
    }

    fn cancel(&mut self, tag: u32) -> bool {
        self.readers.retain(|waiting| *waiting != tag);
        true
    }
}

fn start() -> (Harness, std::io::PipeWriter, std::thread::JoinHandle<()>) {
    let (kernel, socket) = Harness::new().unwrap();
    let (mut input, feed) = std::io::pipe().unwrap();
    let thread = std::thread::spawn(move || {
        let server = Server::new(socket).unwrap();
        let fd = input.as_fd().try_clone_to_owned().unwrap();
        let on_ready = |queue: &mut Queue, out: &mut Outbox, index: usize| {
            assert_eq!(index, 0);
            let mut data = [0; 64];
            let len = input.read(&mut data)?;
            queue.arrived(out, &data[..len]);
            Ok(())
        };
        server
            .run_with(&mut Queue::default(), &[fd.as_fd()], on_ready)
            .unwrap();
    });
    (kernel, feed, thread)
}

#[test]
fn answers_later_events_and_cancellation() {
    let (mut kernel, mut feed, thread) = start();
    let queue = kernel.open("queue", 2).unwrap();
    assert_eq!(queue, 7);
    assert_eq!(kernel.open("nothing", 0), Err(Errno::NOENT));

    // A read waits for a write.
    let first = kernel.submit(&[], 100, |buffer| sqe::read(queue, buffer, u64::MAX, 0));
    let second = kernel.submit(&[], 100, |buffer| sqe::read(queue, buffer, u64::MAX, 0));
    assert_eq!(kernel.write(queue, b"one", u64::MAX), Ok(3));
    assert_eq!(kernel.wait(first).unwrap().data(), b"one");
    // The second one is cancelled and sees nothing of what comes then.
    kernel.send_raw(&sqe::cancel(second.tag()));
    assert_eq!(kernel.wait(second).unwrap_err(), Errno::INTR);
    // A cancel that comes too late, or names nothing, is ignored.
    kernel.send_raw(&sqe::cancel(12345));

    // Readiness now, and news of it later.
    let all = EventFlags::EVENT_READ | EventFlags::EVENT_WRITE;
    let ready = kernel
        .call(&[], 0, |_| sqe::fevent(queue, all.bits() as u64))
        .unwrap()
        .value;
    assert_eq!(ready, EventFlags::EVENT_WRITE.bits() as u64);
    feed.write_all(b"from outside").unwrap();
    while kernel.events.is_empty() {
        kernel.receive();
    }
    assert_eq!(
        kernel.events.pop_front(),
        Some((7, EventFlags::EVENT_READ.bits() as u64))
    );
    assert_eq!(kernel.read(queue, 100, u64::MAX).unwrap(), b"from outside");

    // A waiting read is answered from the other descriptor.
    let third = kernel.submit(&[], 4, |buffer| sqe::read(queue, buffer, u64::MAX, 0));
    feed.write_all(b"abcdef").unwrap();
    assert_eq!(kernel.wait(third).unwrap().data(), b"abcd");
    assert_eq!(kernel.read(queue, 100, u64::MAX).unwrap(), b"ef");

    // A descriptor of the daemon travels to the caller.
    let make = |path| sqe::open_at(u64::MAX, path, 0, 0, Ids::default());
    let null = kernel.call(b"null", 4, make).unwrap().fd.unwrap();
    assert_eq!(std::fs::File::from(null).read(&mut [0; 8]).unwrap(), 0);
    drop(kernel);
    thread.join().unwrap();
}

#[test]
fn many_requests_in_flight_are_all_answered() {
    let (mut kernel, _feed, thread) = start();
    for round in 0..50u8 {
        let tickets: Vec<_> = (0..60u8)
            .map(|n| kernel.submit(&[n, round], 2, |buffer| sqe::write(7, buffer, u64::MAX, 0)))
            .collect();
        for ticket in tickets {
            assert_eq!(kernel.wait(ticket).unwrap().value, 2);
        }
        let read = kernel.read(7, 4096, u64::MAX).unwrap();
        let sent: Vec<u8> = (0..60u8).flat_map(|n| [n, round]).collect();
        assert_eq!(read, sent);
    }
    drop(kernel);
    thread.join().unwrap();
}

/// Raw requests: any opcode, any flags, addresses inside, at the edge and outside of the area.
fn raw_request() -> impl Strategy<Value = (Sqe, Option<(u64, u64)>)> {
    let place = prop_oneof![
        Just(None),
        (0u64..1 << 25, 0u64..1 << 19).prop_map(Some),
        (0u64..64, 0u64..8).prop_map(|(slot, len)| Some((slot << 18, len))),
    ];
    let opcode = prop_oneof![3u8..35, any::<u8>()];
    (opcode, 0u8..4, any::<[u64; 6]>(), place).prop_map(|(opcode, flags, args, place)| {
        let sqe = Sqe {
            opcode,
            sqe_flags: SqeFlags::from_bits_retain(flags),
            args,
            ..Sqe::default()
        };
        (sqe, place)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn garbage_requests_are_answered_and_harm_nothing(
        requests in prop::collection::vec(raw_request(), 1..40)
    ) {
        let (mut kernel, _feed, thread) = start();
        let area = kernel.area_address();
        for (tag, (mut request, place)) in requests.into_iter().enumerate() {
            request.tag = 0x8000_0000 | tag as u32;
            if let Some((offset, len)) = place {
                (request.args[1], request.args[2]) = (area + offset, len);
            }
            kernel.send_raw(&request);
        }
        // Whatever was answered, refused or left waiting, the scheme still works.
        prop_assert_eq!(kernel.open("queue", 2), Ok(7));
        drop(kernel);
        thread.join().unwrap();
    }
}
