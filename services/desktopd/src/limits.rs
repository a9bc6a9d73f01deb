//! How often a program may ask for something: so many at once, and then so many a second.

use std::collections::HashMap;
use std::time::Instant;

/// Programs that are remembered at most.
const MOST: usize = 256;

/// How much is allowed.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// At once.
    pub burst: f64,
    /// Later, a second.
    pub per_second: f64,
}

/// What is left of a rate.
#[derive(Debug)]
struct Bucket {
    left: f64,
    at: Instant,
}

impl Bucket {
    fn full(rate: Rate, now: Instant) -> Self {
        Bucket { left: rate.burst, at: now }
    }

    fn fill(&mut self, rate: Rate, now: Instant) {
        let gained = now.saturating_duration_since(self.at).as_secs_f64() * rate.per_second;
        self.left = (self.left + gained).min(rate.burst);
        self.at = now;
    }

    fn take(&mut self, rate: Rate, now: Instant) -> bool {
        self.fill(rate, now);
        let is_allowed = self.left >= 1.0;
        if is_allowed {
            self.left -= 1.0;
        }
        is_allowed
    }
}

/// The limits of each program, and of all together.
#[derive(Debug)]
pub struct Limits {
    each: Rate,
    together: Rate,
    all: Bucket,
    programs: HashMap<String, Bucket>,
}

impl Limits {
    /// Nobody has asked for anything yet.
    pub fn new(each: Rate, together: Rate, now: Instant) -> Self {
        Limits { each, together, all: Bucket::full(together, now), programs: HashMap::new() }
    }

    /// Whether a program may ask now.
    pub fn allow(&mut self, program: &str, now: Instant) -> bool {
        if !self.programs.contains_key(program) && self.programs.len() >= MOST {
            // Who has been quiet for long is as somebody new.
            let rate = self.each;
            self.programs.retain(|_, bucket| {
                bucket.fill(rate, now);
                bucket.left < rate.burst
            });
            if self.programs.len() >= MOST {
                return false;
            }
        }
        let bucket = self.programs.entry(program.to_owned()).or_insert_with(|| Bucket::full(self.each, now));
        // One that floods takes nothing from the others.
        bucket.take(self.each, now) && self.all.take(self.together, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn floods_end() {
        let start = Instant::now();
        let mut limits = Limits::new(Rate { burst: 5.0, per_second: 2.0 }, Rate { burst: 8.0, per_second: 4.0 }, start);
        let mut allowed = |program: &str, after: u64, count: usize| {
            let now = start + Duration::from_secs(after);
            (0..count).filter(|_| limits.allow(program, now)).count()
        };
        assert_eq!(allowed("a", 0, 100), 5);
        assert_eq!(allowed("b", 0, 100), 3, "all together");
        assert_eq!(allowed("a", 1, 100), 2);
        assert_eq!(allowed("b", 100, 100), 5);
        // Thousands of connections are not remembered.
        let many: usize = (0..10_000).map(|it| allowed(&format!("x{it}"), 100, 1)).sum();
        assert_eq!(many, 3);
        assert_eq!(allowed("late", 200, 1), 1);
        assert!(limits.programs.len() <= MOST);
    }
}
