//! The table against what a daemon and its clients may do, in any order.

use proptest::prelude::*;
use scheme_table::{Answered, Interrupted, Outgoing, Table, Tag};

#[test]
fn a_request_goes_its_way() {
    let mut table: Table<&str, u32> = Table::new();
    let tag = table.submit("read", false).unwrap();
    assert_eq!(table.answer(tag, 1), Err(1), "not sent yet");
    assert_eq!(table.next_outgoing(), Some(Outgoing::Request(tag, &"read")));
    assert!(!table.has_outgoing());
    assert_eq!(table.take(tag), None);
    assert_eq!(table.answer(tag, 2), Ok(Answered::Waiting(&"read")));
    assert_eq!(table.answer(tag, 3), Err(3), "answered twice");
    assert_eq!(table.take(tag), Some(("read", 2)));
    assert_eq!(table.answer(tag, 4), Err(4), "gone");
    let next = table.submit("other", false).unwrap();
    assert_ne!(next, tag, "a place is reused with another tag");
}

#[test]
fn giving_up() {
    let mut table: Table<&str, u32> = Table::new();
    let tag = table.submit("queued", false).unwrap();
    assert_eq!(table.interrupt(tag), Interrupted::Withdrawn("queued"));
    assert_eq!(table.next_outgoing(), None);

    let tag = table.submit("sent", false).unwrap();
    table.next_outgoing();
    assert_eq!(table.interrupt(tag), Interrupted::Asked);
    assert_eq!(table.interrupt(tag), Interrupted::Asked);
    assert_eq!(table.next_outgoing(), Some(Outgoing::Cancel(tag)));
    assert_eq!(table.next_outgoing(), None, "one Cancel only");
    assert_eq!(table.abandon(tag), None, "the daemon may still use its buffer");
    assert_eq!(table.len(), 1);
    assert_eq!(table.answer(tag, 0), Ok(Answered::Abandoned("sent")));
    assert!(table.is_empty());
}

#[test]
fn a_cancel_that_comes_too_late_is_not_sent() {
    let mut table: Table<(), u32> = Table::new();
    let tag = table.submit((), false).unwrap();
    table.next_outgoing();
    table.interrupt(tag);
    assert!(table.answer(tag, 0).is_ok());
    assert_eq!(table.interrupt(tag), Interrupted::Done);
    assert_eq!(table.next_outgoing(), None);
}

#[test]
fn a_successor_gets_everything_in_order() {
    let mut table: Table<u32, u32> = Table::new();
    let tags: Vec<Tag> = (0..5).map(|i| table.submit(i, false).unwrap()).collect();
    for _ in 0..4 {
        table.next_outgoing();
    }
    table.interrupt(tags[1]);
    table.abandon(tags[2]);
    assert!(table.answer(tags[0], 100).is_ok());
    let mut woken = Vec::new();
    assert_eq!(table.requeue_all(|| 4, |r| woken.push(*r), |_| false), vec![2]);
    assert_eq!(woken, [1]);
    assert_eq!(table.next_outgoing(), Some(Outgoing::Request(tags[3], &3)));
    assert_eq!(table.next_outgoing(), Some(Outgoing::Request(tags[4], &4)));
    assert_eq!(table.next_outgoing(), None);
    assert_eq!(table.take(tags[0]), Some((0, 100)));
    assert_eq!(table.take(tags[1]), Some((1, 4)));
    assert_eq!(table.fail_all(|| 5, |_| {}), vec![]);
    assert_eq!(table.take(tags[3]), Some((3, 5)));
}

#[derive(Clone, Debug)]
enum Step {
    Submit(bool),
    Next,
    Unsend(usize),
    Answer(usize),
    AnswerAny(u32),
    Take(usize),
    Interrupt(usize),
    Abandon(usize),
    Requeue,
    Fail,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => any::<bool>().prop_map(Step::Submit),
        4 => Just(Step::Next),
        1 => any::<usize>().prop_map(Step::Unsend),
        4 => any::<usize>().prop_map(Step::Answer),
        1 => any::<u32>().prop_map(Step::AnswerAny),
        4 => any::<usize>().prop_map(Step::Take),
        2 => any::<usize>().prop_map(Step::Interrupt),
        2 => any::<usize>().prop_map(Step::Abandon),
        1 => Just(Step::Requeue),
        1 => Just(Step::Fail),
    ]
}

proptest! {
    /// Whatever happens, no request is lost or duplicated: each that goes in comes out exactly once, and clients get answers to their own requests only.
    #[test]
    fn every_request_comes_out_once(steps in proptest::collection::vec(step(), 1..200)) {
        let mut table: Table<u64, u64> = Table::new();
        let (mut serial, mut out) = (0u64, Vec::new());
        let mut tags: Vec<(Tag, u64)> = Vec::new();
        let pick = |tags: &Vec<(Tag, u64)>, i: usize| tags.get(i % tags.len().max(1)).copied();
        for step in steps {
            match step {
                Step::Submit(detached) => {
                    serial += 1;
                    tags.push((table.submit(serial, detached).unwrap(), serial));
                }
                Step::Next => {
                    if let Some(Outgoing::Request(tag, request)) = table.next_outgoing() {
                        prop_assert!(tags.contains(&(tag, *request)));
                    }
                }
                Step::Unsend(i) => if let Some((tag, _)) = pick(&tags, i) { table.unsend(tag) },
                Step::Answer(i) => if let Some((tag, serial)) = pick(&tags, i) {
                    match table.answer(tag, serial) {
                        Ok(Answered::Abandoned(r)) => { prop_assert_eq!(r, serial); out.push(r) }
                        Ok(Answered::Waiting(r)) => prop_assert_eq!(*r, serial),
                        Err(_) => {}
                    }
                },
                Step::AnswerAny(tag) => if let Ok(Answered::Abandoned(r)) = table.answer(Tag(tag), 0) { out.push(r) },
                Step::Take(i) => if let Some((tag, serial)) = pick(&tags, i) {
                    if let Some((r, answer)) = table.take(tag) {
                        prop_assert_eq!(r, serial);
                        prop_assert!(answer == serial || answer == 0);
                        out.push(r);
                    }
                },
                Step::Interrupt(i) => if let Some((tag, _)) = pick(&tags, i) {
                    if let Interrupted::Withdrawn(r) = table.interrupt(tag) { out.push(r) }
                },
                Step::Abandon(i) => if let Some((tag, _)) = pick(&tags, i) { out.extend(table.abandon(tag)) },
                Step::Requeue => out.extend(table.requeue_all(|| 0, |_| {}, |_| false)),
                Step::Fail => out.extend(table.fail_all(|| 0, |_| {})),
            }
        }
        out.extend(table.fail_all(|| 0, |_| {}));
        for (tag, _) in &tags {
            out.extend(table.take(*tag).map(|(r, _)| r));
            out.extend(table.abandon(*tag));
        }
        prop_assert!(table.is_empty());
        out.sort_unstable();
        prop_assert_eq!(out, (1..=serial).collect::<Vec<_>>());
    }
}
