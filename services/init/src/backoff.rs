//! How long to wait before something that ended is started again.

use std::time::{Duration, Instant};

/// Delays: none for the first failures, then doubling. A long life forgives everything.
#[derive(Clone, Debug)]
pub struct Backoff {
    free: u32,
    first: Duration,
    most: Duration,
    forgive_after: Duration,
    failures: u32,
}

impl Backoff {
    /// For drivers: the first restarts are immediate, since others are waiting; one that lived for a second did work, so
    /// whatever ended it is no failure to start.
    pub const fn driver() -> Self {
        Backoff {
            free: 4,
            first: Duration::from_millis(50),
            most: Duration::from_secs(10),
            forgive_after: Duration::from_secs(1),
            failures: 0,
        }
    }

    /// For sessions: a person who logs out wants a new prompt; a shell that cannot start should not spin.
    pub const fn session() -> Self {
        Backoff {
            free: 1,
            first: Duration::from_millis(500),
            most: Duration::from_secs(10),
            forgive_after: Duration::from_secs(3),
            failures: 0,
        }
    }

    /// Something started at `started` has ended `now`: when to start it again.
    pub fn next_start(&mut self, started: Instant, now: Instant) -> Instant {
        if now.duration_since(started) >= self.forgive_after {
            self.failures = 0;
        }
        self.failures += 1;
        if self.failures <= self.free {
            return now;
        }
        let doublings = (self.failures - self.free - 1).min(16);
        now + self.first.saturating_mul(1 << doublings).min(self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_a_limit_and_are_forgiven() {
        let mut backoff = Backoff::driver();
        let start = Instant::now();
        let delays: Vec<u128> = (0..14)
            .map(|_| (backoff.next_start(start, start) - start).as_millis())
            .collect();
        assert_eq!(
            delays,
            [
                0, 0, 0, 0, 50, 100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000
            ]
        );
        let later = start + Duration::from_secs(1);
        assert_eq!(backoff.next_start(start, later), later);
    }
}
