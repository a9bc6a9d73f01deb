//! What comes next, learnt from what came before: contexts of the last two, the last one and none, with and without the
//! place, each with a few candidates. Longer contexts are asked first; what they leave open is shared out by shorter ones.
//!
//! Everything is bounded: contexts by number, candidates of a context by number, counts by halving, so that new habits
//! replace old ones.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Contexts that are kept.
const MAX_CONTEXTS: usize = 30_000;
/// Candidates of a context.
const MAX_CANDIDATES: usize = 24;
/// From this sum on, a context's counts are halved.
const FULL: f32 = 60.0;
/// The candidate that came last in a context counts this much more.
const RECENT: f32 = 0.6;
/// How much of its mass a context leaves to the next, by candidate seen.
const ESCAPE: f32 = 0.7;

/// One context: what followed it.
#[derive(Debug, Default, Clone)]
struct Followers {
    /// The latest one last.
    list: Vec<(Arc<str>, f32)>,
    /// When it was last used, in steps.
    used: u64,
}

impl Followers {
    fn add(&mut self, symbol: &Arc<str>, now: u64) {
        self.used = now;
        let count = match self.list.iter().position(|c| c.0 == *symbol) {
            Some(i) => self.list.remove(i).1 + 1.0,
            None => {
                if self.list.len() >= MAX_CANDIDATES
                    && let Some(least) = (0..self.list.len()).min_by(|a, b| self.list[*a].1.total_cmp(&self.list[*b].1))
                {
                    self.list.remove(least);
                }
                1.0
            }
        };
        self.list.push((symbol.clone(), count));
        if self.list.iter().map(|c| c.1).sum::<f32>() > FULL {
            for c in &mut self.list {
                c.1 /= 2.0;
            }
        }
    }
}

/// Predicts the next of a sequence of texts.
#[derive(Debug, Default)]
pub struct Predictor {
    contexts: HashMap<u64, Followers>,
    last: [Option<Arc<str>>; 2],
    steps: u64,
}

fn key(parts: &[&str], kind: u8) -> u64 {
    let mut h = DefaultHasher::new();
    kind.hash(&mut h);
    parts.hash(&mut h);
    h.finish()
}

impl Predictor {
    /// The contexts of this moment, the most telling first.
    fn keys(&self, place: Option<&str>) -> Vec<u64> {
        let [before, last] = &self.last;
        let mut keys = Vec::with_capacity(6);
        if let (Some(b), Some(l)) = (before, last) {
            if let Some(p) = place {
                keys.push(key(&[p, b, l], 5));
            }
            keys.push(key(&[b, l], 4));
        }
        if let Some(l) = last {
            if let Some(p) = place {
                keys.push(key(&[p, l], 3));
            }
            keys.push(key(&[l], 2));
        }
        if let Some(p) = place {
            keys.push(key(&[p], 1));
        }
        keys.push(key(&[], 0));
        keys
    }

    /// Learns that `symbol` came now, at `place`.
    pub fn learn(&mut self, symbol: &str, place: Option<&str>) {
        self.steps += 1;
        let symbol: Arc<str> = symbol.into();
        for k in self.keys(place) {
            self.contexts.entry(k).or_default().add(&symbol, self.steps);
        }
        if self.contexts.len() > MAX_CONTEXTS {
            self.forget();
        }
        let [_, last] = std::mem::take(&mut self.last);
        self.last = [last, Some(symbol)];
    }

    /// A sequence ends: what comes next does not follow from it.
    #[cfg_attr(not(test), allow(dead_code))]
    pub fn pause(&mut self) {
        self.last = [None, None];
    }

    /// Drops the third of the contexts that was not used for longest.
    fn forget(&mut self) {
        let mut ages: Vec<u64> = self.contexts.values().map(|c| c.used).collect();
        ages.sort_unstable();
        let bound = ages[ages.len() / 3];
        // The one of no context is always among the newest.
        self.contexts.retain(|_, c| c.used > bound);
    }

    /// What may come next at `place` and fits `wanted`, with its probability among all, the likeliest first, at most `most`.
    pub fn predict(&self, place: Option<&str>, most: usize, wanted: impl Fn(&str) -> bool) -> Vec<(Arc<str>, f32)> {
        let mut found: HashMap<Arc<str>, f32> = HashMap::new();
        let mut mass = 1.0f32;
        for k in self.keys(place) {
            let Some(followers) = self.contexts.get(&k) else { continue };
            let total: f32 = followers.list.iter().map(|c| c.1).sum::<f32>() + RECENT;
            let escape = ESCAPE * followers.list.len() as f32;
            let share = mass / (total + escape);
            for (i, (symbol, count)) in followers.list.iter().enumerate() {
                let recent = if i + 1 == followers.list.len() { RECENT } else { 0.0 };
                *found.entry(symbol.clone()).or_default() += (count + recent) * share;
            }
            mass = escape * share;
        }
        let mut all: Vec<(Arc<str>, f32)> = found.into_iter().filter(|(s, _)| wanted(s)).collect();
        all.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        all.truncate(most);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(p: &Predictor, place: Option<&str>) -> Option<String> {
        p.predict(place, 1, |_| true).first().map(|f| f.0.to_string())
    }

    #[test]
    fn habits_are_learnt_and_replaced() {
        let mut p = Predictor::default();
        assert_eq!(first(&p, None), None);
        for _ in 0..5 {
            for s in ["vi x.c", "make", "./x", "ls"] {
                p.learn(s, Some("/src"));
            }
        }
        p.learn("vi x.c", Some("/src"));
        assert_eq!(first(&p, Some("/src")).as_deref(), Some("make"));
        p.learn("make", Some("/src"));
        assert_eq!(first(&p, Some("/src")).as_deref(), Some("./x"));
        // Another place, another habit.
        for _ in 0..3 {
            p.pause();
            p.learn("git pull", Some("/other"));
        }
        p.pause();
        assert_eq!(first(&p, Some("/other")).as_deref(), Some("git pull"));
        for _ in 0..6 {
            for s in ["vi x.c", "cargo run"] {
                p.learn(s, Some("/src"));
            }
        }
        p.learn("vi x.c", Some("/src"));
        assert_eq!(first(&p, Some("/src")).as_deref(), Some("cargo run"));
        let total: f32 = p.predict(Some("/src"), 100, |_| true).iter().map(|f| f.1).sum();
        assert!(total <= 1.001, "{total}");
    }

    /// Whatever comes, sizes stay in their bounds and probabilities are ones.
    #[test]
    fn it_stays_bounded() {
        let mut p = Predictor::default();
        let mut state = 1u64;
        for i in 0..60_000u64 {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let word = format!("c{}", (state >> 40) % if i % 2 == 0 { 50 } else { 100_000 });
            p.learn(&word, Some(if state >> 63 == 0 { "/a" } else { "/b" }));
            if i % 5000 == 0 {
                let all = p.predict(Some("/a"), 10, |_| true);
                assert!(all.iter().all(|f| f.1 > 0.0 && f.1 <= 1.0));
            }
        }
        assert!(p.contexts.len() <= MAX_CONTEXTS && p.contexts.values().all(|c| c.list.len() <= MAX_CANDIDATES));
    }
}
