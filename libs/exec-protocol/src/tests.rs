use proptest::prelude::*;

use super::*;

fn bytes(max: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..max)
}

fn string() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(1..=255u8, 0..40)
}

fn stream() -> impl Strategy<Value = Stream> {
    prop_oneof![Just(Stream::Stdout), Just(Stream::Stderr)]
}

fn message() -> impl Strategy<Value = Message> {
    let spawn = (
        prop::collection::vec(string(), 1..6),
        prop::collection::vec((string(), string()), 0..4),
        prop::option::of(string()),
        any::<u64>(),
    )
        .prop_map(|(argv, env, cwd, timeout_ms)| Message::Spawn(Spawn { argv, env, cwd, timeout_ms }));
    let outcome = prop_oneof![
        any::<u8>().prop_map(Outcome::Code),
        any::<u8>().prop_map(Outcome::Signal),
        Just(Outcome::TimedOut),
        any::<i32>().prop_map(Outcome::NotStarted),
    ];
    prop_oneof![
        any::<u64>().prop_map(|nonce| Message::Hello { nonce }),
        spawn,
        bytes(200).prop_map(Message::Stdin),
        Just(Message::StdinEof),
        any::<u8>().prop_map(Message::Signal),
        (stream(), any::<u32>()).prop_map(|(stream, bytes)| Message::Credit { stream, bytes }),
        Just(Message::Abandon),
        any::<u64>().prop_map(|nonce| Message::Welcome { nonce }),
        Just(Message::Accepted),
        (stream(), bytes(200)).prop_map(|(stream, data)| Message::Output(stream, data)),
        any::<u32>().prop_map(Message::StdinCredit),
        outcome.prop_map(Message::Exit),
        "[a-zäöü ]{0,20}".prop_map(Message::Lost),
    ]
}

fn frame() -> impl Strategy<Value = Frame> {
    (any::<u32>(), any::<u32>(), message())
        .prop_map(|(session, command, message)| Frame { session, command, message })
}

/// Feeds `wire` in pieces whose lengths cycle through `pieces`.
fn decode(wire: &[u8], pieces: &[usize]) -> (Vec<Frame>, u64) {
    let mut decoder = Decoder::new();
    let mut frames = Vec::new();
    let (mut rest, mut sizes) = (wire, pieces.iter().cycle());
    while !rest.is_empty() {
        let (piece, tail) = rest.split_at(rest.len().min(*sizes.next().unwrap()));
        decoder.push(piece);
        frames.extend(std::iter::from_fn(|| decoder.next_frame()));
        rest = tail;
    }
    (frames, decoder.skipped())
}

fn wire(frames: &[Frame]) -> Vec<u8> {
    frames.iter().flat_map(|frame| encode(frame).unwrap()).collect()
}

proptest! {
    #[test]
    fn frames_survive_any_fragmentation(
        frames in prop::collection::vec(frame(), 0..8),
        pieces in prop::collection::vec(1..50usize, 1..5),
    ) {
        let (decoded, skipped) = decode(&wire(&frames), &pieces);
        prop_assert_eq!(decoded, frames);
        prop_assert_eq!(skipped, 0);
    }

    #[test]
    fn a_reader_finds_its_way_after_noise_and_cut_frames(
        noise in bytes(300), cut in frame(), keep in 0..1000usize, frames in prop::collection::vec(frame(), 1..5),
    ) {
        let mut damaged = noise;
        let head = encode(&cut).unwrap();
        let keep = keep % head.len();
        // Where the next frame's first byte happens to complete the cut one, it was not cut.
        prop_assume!(head[keep] != MAGIC[0]);
        damaged.extend(&head[..keep]);
        let garbage = damaged.len() as u64;
        damaged.extend(wire(&frames));
        // A cut frame makes the reader wait for the rest of its payload; enough bytes must follow to fill it.
        damaged.extend(std::iter::repeat_n(0, 2000));
        let (decoded, skipped) = decode(&damaged, &[7]);
        prop_assert_eq!(decoded, frames);
        prop_assert!(skipped >= garbage);
    }

    #[test]
    fn a_flipped_bit_never_gives_a_wrong_frame(frame in frame(), bit in any::<prop::sample::Index>()) {
        let mut bytes = encode(&frame).unwrap();
        let bit = bit.index(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        bytes.extend([0; 2000]);
        let (decoded, _) = decode(&bytes, &[11]);
        // Two header bytes are reserved but still under the checksum.
        prop_assert!(decoded.is_empty());
    }

    #[test]
    fn arbitrary_bytes_never_panic(noise in bytes(2000)) {
        decode(&noise, &[13]);
    }

    #[test]
    fn arbitrary_payloads_never_panic(kind in any::<u8>(), payload in bytes(100)) {
        let _ = Message::read(kind, &payload);
    }
}

#[test]
fn huge_counts_in_a_spawn_are_refused_without_allocating() {
    let mut payload = vec![0; 8];
    payload.extend(u32::MAX.to_le_bytes());
    payload.extend(u32::MAX.to_le_bytes());
    payload.push(0);
    assert_eq!(Message::read(2, &payload), Err(Error::Malformed(2)));
}

#[test]
fn a_message_beyond_the_limit_is_refused() {
    let message = Message::Stdin(vec![0; MAX_PAYLOAD + 1]);
    assert_eq!(encode(&Frame { session: 0, command: 0, message }), Err(Error::TooLong(MAX_PAYLOAD + 1)));
}

#[test]
fn statuses_are_those_of_a_shell() {
    let statuses = [
        (Outcome::Code(3), 3),
        (Outcome::Signal(9), 137),
        (Outcome::TimedOut, 124),
        (Outcome::NotStarted(2), 127),
        (Outcome::NotStarted(13), 126),
    ];
    for (outcome, status) in statuses {
        assert_eq!(outcome.exit_status(), status);
    }
}
