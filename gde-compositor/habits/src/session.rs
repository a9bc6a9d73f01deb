//! One sitting at the machine: which programs were seen together, where, and for how long.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{APPS, Moment, Place, SETS, View, is_name};

/// Programs that are seen together for less than this were passed by.
pub const SHORTEST_S: u32 = 60;
/// Arrangements of the present session at most.
const MOST: usize = 64;

/// Programs that were seen together, and where their windows were for the most of that time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Together {
    /// By what the programs call themselves.
    pub apps: BTreeMap<String, Place>,
    /// For how long.
    pub seconds: u32,
}

impl Together {
    fn is_good(&self) -> bool {
        (1..=APPS).contains(&self.apps.len()) && self.seconds >= SHORTEST_S && self.apps.iter().all(|(app, place)| is_name(app) && place.is_good())
    }

    /// Whether all these programs were in it.
    pub fn has(&self, apps: &BTreeSet<&str>) -> bool {
        apps.iter().all(|app| self.apps.contains_key(*app))
    }
}

/// A session.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Session {
    /// When it began.
    pub began: Moment,
    /// Each set of programs once.
    pub together: Vec<Together>,
}

impl Session {
    /// A session that begins.
    pub fn new(began: Moment) -> Self {
        Session { began, together: Vec::new() }
    }

    /// What was seen for some time.
    pub fn saw(&mut self, view: &View, seconds: u32) {
        let apps: BTreeMap<String, Place> = view.by_app().into_iter().map(|(app, seen)| (app.to_owned(), seen.place.clone())).collect();
        if apps.is_empty() || seconds == 0 {
            return;
        }
        if let Some(known) = self.together.iter_mut().find(|it| it.apps == apps) {
            known.seconds = known.seconds.saturating_add(seconds);
            return;
        }
        if self.together.len() >= MOST
            && let Some(least) = (0..self.together.len()).min_by_key(|index| self.together[*index].seconds)
        {
            self.together.remove(least);
        }
        self.together.push(Together { apps, seconds });
    }

    /// What is remembered of it: of each set of programs the places that they had longest, and of the sets those that were there longest.
    pub fn summary(&self) -> Session {
        let mut sets: BTreeMap<Vec<&String>, (u32, &Together)> = BTreeMap::new();
        for it in &self.together {
            let entry = sets.entry(it.apps.keys().collect()).or_insert((0, it));
            entry.0 = entry.0.saturating_add(it.seconds);
            // Of those that were there as long the choice must not depend on the order.
            if (it.seconds, &it.apps) > (entry.1.seconds, &entry.1.apps) {
                entry.1 = it;
            }
        }
        let together = sets.into_values().map(|(seconds, it)| Together { apps: it.apps.clone(), seconds });
        let mut together: Vec<Together> = together.filter(Together::is_good).collect();
        together.sort_by(|a, b| b.seconds.cmp(&a.seconds).then_with(|| a.apps.cmp(&b.apps)));
        together.truncate(SETS);
        Session { began: self.began, together }
    }
}
