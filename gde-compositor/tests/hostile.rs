//! Clients that mean ill, or are broken: they never take the compositor down, nor hold other clients up.

mod common;

use std::io::Write;

use common::{Client, Fixture, client::memory};
use proptest::prelude::*;
use wayland_client::protocol::wl_shm::{Format, WlShm};

const RED: u32 = 0xffff_0000;
const GREEN: u32 = 0xff00_ff00;

/// A client that does nothing wrong, with a window.
fn good(fixture: &mut Fixture) -> Client {
    let mut client = fixture.client();
    let window = client.toplevel();
    client.decorate(&window);
    window.surface.commit();
    fixture.sync(&mut client);
    client.show(&window.surface, 300, 200, GREEN);
    fixture.sync(&mut client);
    client
}

/// Whether everything still works.
fn still_works(fixture: &mut Fixture, client: &mut Client) {
    fixture.sync(client);
    assert!(!client.is_dead());
    let frame = fixture.frame_of_focus();
    let _ = fixture.picture();
    assert!(frame.w > 0);
    assert_eq!(fixture.gde.layout.verify_invariants(), Ok(()));
}

#[test]
fn garbage_ends_only_its_sender() {
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() });
    let fixture = std::cell::RefCell::new(Fixture::new());
    let witness = std::cell::RefCell::new(good(&mut fixture.borrow_mut()));
    // Some of it looks like messages: an object that is there, a length that could be right.
    let message = (0u32..6, any::<u16>(), 0u16..64, proptest::collection::vec(any::<u8>(), 0..64)).prop_map(|(object, opcode, len, rest)| {
        let mut bytes = object.to_ne_bytes().to_vec();
        bytes.extend((u32::from(len) << 16 | u32::from(opcode % 4)).to_ne_bytes());
        bytes.extend(rest);
        bytes
    });
    runner
        .run(&proptest::collection::vec(message, 1..8), |messages| {
            let mut fixture = fixture.borrow_mut();
            let mut stream = fixture.raw_client();
            for bytes in messages {
                // The compositor may have hung up.
                let _ = stream.write(&bytes);
                fixture.dispatch();
            }
            drop(stream);
            fixture.sync(&mut witness.borrow_mut());
            prop_assert!(!witness.borrow().is_dead());
            Ok(())
        })
        .unwrap();
    still_works(&mut fixture.borrow_mut(), &mut witness.borrow_mut());
}

#[test]
fn absurd_sizes_are_refused_or_borne() {
    let mut fixture = Fixture::new();
    let mut witness = good(&mut fixture);
    // Built with assertions smithay takes negative sizes for a mistake of ours; built as we ship it it bears them.
    let extremes = [i32::MIN, -1, 0, 1, 65535, 65536, i32::MAX].into_iter().filter(|value| *value >= 0 || !cfg!(debug_assertions));
    for value in extremes {
        for other in [1, i32::MAX] {
            let mut client = fixture.client();
            let window = client.toplevel();
            client.decorate(&window);
            window.toplevel.set_min_size(value, other);
            window.toplevel.set_max_size(other, value);
            window.xdg_surface.set_window_geometry(value, other, value.max(1), other);
            window.surface.set_buffer_scale(value.max(1));
            window.surface.commit();
            fixture.sync(&mut client);
            if !client.is_dead() {
                client.show(&window.surface, 64, 64, RED);
                window.surface.damage(value, other, value, other);
                window.surface.commit();
                fixture.sync(&mut client);
            }
            still_works(&mut fixture, &mut witness);
        }
        let client = fixture.client();
        let file = memory();
        file.set_len(4096).unwrap();
        use std::os::fd::AsFd;
        let pool = client.bind::<WlShm>().create_pool(file.as_fd(), value, &client.qh, ());
        pool.create_buffer(value, value, value, value, Format::Argb8888, &client.qh, ());
        let mut client = client;
        fixture.sync(&mut client);
        still_works(&mut fixture, &mut witness);
    }
}

#[test]
fn memory_that_goes_away_ends_only_its_owner() {
    let mut fixture = Fixture::new();
    let mut witness = good(&mut fixture);
    let mut client = fixture.client();
    let window = client.toplevel();
    window.surface.commit();
    fixture.sync(&mut client);
    let (buffer, file) = client.file_buffer(256, 256, RED, Format::Argb8888);
    window.surface.attach(Some(&buffer), 0, 0);
    window.surface.damage_buffer(0, 0, 256, 256);
    window.surface.commit();
    client.flush();
    // Before it is drawn for the first time.
    file.set_len(0).unwrap();
    fixture.sync(&mut client);
    let _ = fixture.picture();
    fixture.sync(&mut client);
    assert!(client.is_dead(), "it is told that its pool is bad");
    drop(client);
    still_works(&mut fixture, &mut witness);
}

#[test]
fn death_at_any_point_is_borne() {
    let mut fixture = Fixture::new();
    let mut witness = good(&mut fixture);
    for step in 0..6 {
        let mut client = fixture.client();
        let window = client.toplevel();
        client.decorate(&window);
        if step > 0 {
            window.surface.commit();
            fixture.sync(&mut client);
        }
        if step > 1 {
            client.show(&window.surface, 400, 300, RED);
            fixture.sync(&mut client);
        }
        let frame = fixture.frame_of_focus();
        if step > 2 {
            // While it is dragged.
            fixture.point(frame.x + 60, frame.y + 10);
            fixture.button(true);
            fixture.point(frame.x + 90, frame.y + 20);
        }
        if step > 3 {
            fixture.press(common::key::ALT);
            fixture.press(common::key::TAB);
        }
        if step > 4 {
            window.surface.destroy();
            client.flush();
        }
        drop(window);
        drop(client);
        fixture.dispatch();
        fixture.dispatch();
        fixture.button(false);
        fixture.release(common::key::TAB);
        fixture.release(common::key::ALT);
        still_works(&mut fixture, &mut witness);
        assert_eq!(fixture.gde.layout.windows().count(), 1, "step {step}");
    }
}

#[test]
fn a_flood_is_borne_and_others_are_served() {
    let mut fixture = Fixture::new();
    let mut witness = good(&mut fixture);
    let mut client = fixture.client();
    for round in 0..20 {
        for _ in 0..200 {
            let window = client.toplevel();
            window.toplevel.set_title("x".repeat(3000));
            window.surface.commit();
            client.flush();
        }
        fixture.dispatch();
        client.receive();
        fixture.sync(&mut witness);
        assert!(!witness.is_dead(), "round {round}");
    }
    drop(client);
    fixture.dispatch();
    fixture.dispatch();
    still_works(&mut fixture, &mut witness);
    assert!(fixture.gde.pending.is_empty());
}

#[test]
fn requests_of_other_programs_may_be_nonsense() {
    use std::io::{BufRead, BufReader};
    let mut fixture = Fixture::new();
    let mut witness = good(&mut fixture);
    for text in ["nonsense\n", "{\"request\":\"fly\"}\n", "{\"request\":\"windows\"}\n{\"request\":\"action\",\"action\":{\"do\":\"close\",\"window\":777}}\n", "\0\u{1}\n"] {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        fixture.gde.add_asker(ours);
        (&theirs).write_all(text.as_bytes()).unwrap();
        fixture.dispatch();
        let mut answers = BufReader::new(&theirs).lines();
        for line in text.lines() {
            let answer: serde_json::Value = serde_json::from_str(&answers.next().unwrap().unwrap()).unwrap();
            let is_good = line.contains("windows");
            assert_eq!(answer["answer"] == "failed", !is_good, "{line}: {answer}");
        }
    }
    // A line without an end, and answers that nobody reads.
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    theirs.set_nonblocking(true).unwrap();
    fixture.gde.add_asker(ours);
    for _ in 0..2000 {
        let _ = (&theirs).write("{\"request\":\"windows\"}\n".repeat(50).as_bytes());
        fixture.dispatch();
    }
    still_works(&mut fixture, &mut witness);
}
