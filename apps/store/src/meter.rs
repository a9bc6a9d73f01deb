//! One bar for a whole change: what is fetched of all packages, by bytes, and then what is laid out and put in its place.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use genai_ui::parts::bytes;
use gpm::observer::Event;

use crate::worker::Progress;

/// Which part of the bar each stage has where something is fetched: a network is slower than a disk.
const FETCH: f32 = 0.7;
const UNPACK: f32 = 0.9;
/// Before this nobody can tell how long it will take.
const EARLIEST: Duration = Duration::from_secs(2);

/// How far a change is.
#[derive(Debug)]
pub struct Meter {
    /// Bytes that are to be fetched.
    total: u64,
    /// Bytes that have come, by what they are of.
    fetched: HashMap<String, u64>,
    began: Option<Instant>,
    /// The bar never goes back.
    part: f32,
}

impl Meter {
    /// For a change of which so many bytes are fetched.
    pub fn new(download: u64) -> Self {
        Meter { total: download, fetched: HashMap::new(), began: None, part: 0.0 }
    }

    /// What to show after something has happened at this time; nothing where that is of no matter.
    pub fn hear(&mut self, event: &Event<'_>, now: Instant) -> Option<Progress> {
        let (from, to) = if self.total > 0 { (FETCH, UNPACK) } else { (0.0, 0.6) };
        let share = |done: usize, total: usize| if total > 0 { (done as f32 / total as f32).clamp(0.0, 1.0) } else { 0.0 };
        let (text, part) = match event {
            Event::Fetch { name, done, .. } => {
                let began = *self.began.get_or_insert(now);
                let known = self.fetched.entry((*name).to_owned()).or_default();
                *known = (*done).max(*known);
                let all = self.fetched.values().fold(0u64, |sum, it| sum.saturating_add(*it));
                (self.fetching(name, all, now.saturating_duration_since(began)), if self.total > 0 { (all as f32 / self.total as f32).min(1.0) * FETCH } else { 0.0 })
            }
            Event::Verify { name } => (format!("Checking {name}"), self.part),
            Event::Unpack { name, done, total } => (format!("Unpacking {name}, {} of {total}", done + 1), from + (to - from) * share(*done, *total)),
            Event::Step { done, total, .. } => ("Putting everything in its place".to_owned(), to + (1.0 - to) * share(*done, *total)),
            Event::Script { package, .. } => (format!("Setting up {package}"), self.part),
            Event::Output { .. } | Event::Note { .. } => return None,
        };
        self.part = self.part.max(part);
        Some(Progress { text, part: Some(self.part) })
    }

    fn fetching(&self, name: &str, all: u64, time: Duration) -> String {
        if self.total == 0 {
            return format!("Fetching {name}, {}", bytes(all));
        }
        // What was fetched before, and the lists of what there is, are not in the total.
        let all = all.min(self.total);
        let text = format!("Fetching {name}, {} of {}", bytes(all), bytes(self.total));
        match left(self.total, all, time) {
            Some(left) => format!("{text}, {left} left"),
            None => text,
        }
    }
}

/// How long the rest takes, in words.
fn left(total: u64, done: u64, time: Duration) -> Option<String> {
    if time < EARLIEST || done == 0 || done >= total {
        return None;
    }
    let seconds = (time.as_secs_f64() * (total - done) as f64 / done as f64).ceil() as u64;
    Some(match seconds {
        0..=5 => "a few seconds".to_owned(),
        6..=50 => format!("about {} s", seconds.div_ceil(10) * 10),
        51..=5400 => match seconds.div_ceil(60) {
            1 => "about a minute".to_owned(),
            minutes => format!("about {minutes} minutes"),
        },
        _ => format!("about {} hours", seconds.div_ceil(3600)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_bar_for_all_packages() {
        let mut meter = Meter::new(4_000_000);
        let start = Instant::now();
        let mut hear = |event: Event<'_>, seconds: u64| meter.hear(&event, start + Duration::from_secs(seconds)).expect("something to show");
        let first = hear(Event::Fetch { name: "chess", done: 500_000, total: Some(1_000_000) }, 0);
        assert_eq!(first.text, "Fetching chess, 500 kB of 4.0 MB");
        hear(Event::Fetch { name: "chess", done: 1_000_000, total: Some(1_000_000) }, 5);
        let second = hear(Event::Fetch { name: "speech", done: 1_000_000, total: Some(3_000_000) }, 10);
        assert_eq!(second.text, "Fetching speech, 2.0 MB of 4.0 MB, about 10 s left");
        assert!(second.part.is_some_and(|it| (it - 0.35).abs() < 1e-4), "half of what fetching has of the bar: {second:?}");
        let unpacking = hear(Event::Unpack { name: "chess", done: 1, total: 2 }, 20);
        let is_about = |part: Option<f32>, wanted: f32| part.is_some_and(|it| (it - wanted).abs() < 1e-4);
        assert!(unpacking.text == "Unpacking chess, 2 of 2" && is_about(unpacking.part, 0.8), "{unpacking:?}");
        assert!(is_about(hear(Event::Verify { name: "speech" }, 21).part, 0.8), "it stays where it is");
        assert!(is_about(hear(Event::Step { what: "x", done: 10, total: 10 }, 22).part, 1.0));
    }

    #[test]
    fn times_are_in_words() {
        let left = |seconds| left(100, 1, Duration::from_secs(seconds));
        assert_eq!(left(1), None, "too early");
        assert_eq!(left(2).as_deref(), Some("about 4 minutes"));
        assert_eq!(left(3600).as_deref(), Some("about 99 hours"));
        assert_eq!(super::left(100, 99, Duration::from_secs(100)).as_deref(), Some("a few seconds"));
        assert_eq!(super::left(100, 100, Duration::from_secs(100)), None);
    }

    proptest! {
        /// Whatever comes in whatever order: the bar goes from 0 to 1, and never back.
        #[test]
        fn the_bar_never_goes_back(total in prop_oneof![Just(0u64), 1u64..1000, Just(u64::MAX)], events in proptest::collection::vec((0u8..4, 0u64..2000, 0usize..9, 0usize..9), 0..40)) {
            let mut meter = Meter::new(total);
            let start = Instant::now();
            let mut before = 0.0;
            for (at, (kind, bytes, done, of)) in events.into_iter().enumerate() {
                let name = ["a", "b", "c"][at % 3];
                let event = match kind {
                    0 => Event::Fetch { name, done: bytes, total: None },
                    1 => Event::Unpack { name, done, total: of },
                    2 => Event::Step { what: name, done, total: of },
                    _ => Event::Verify { name },
                };
                let part = meter.hear(&event, start + Duration::from_secs(at as u64)).and_then(|it| it.part).expect("a part");
                prop_assert!((0.0..=1.0).contains(&part) && part >= before, "{part} after {before}");
                before = part;
            }
        }
    }
}
