//! From habits an offer, or none.

use std::collections::{BTreeMap, BTreeSet};

use crate::moment::decayed;
use crate::{Habits, Moment, Place, Seen, Spot, View};

/// Of how many sessions the evidence is.
const LAST: usize = 20;
/// Fewer sessions than this prove nothing.
const LEAST: usize = 3;
/// The quantile of the normal distribution for a bound that holds in 95 of 100 cases.
const Z: f64 = 1.645;
/// Groups of programs that are looked at.
const GROUPS: usize = 32;

/// How much the system may do of its own accord: from its level, 0.1 to 1.0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Initiative {
    level: f64,
}

impl Initiative {
    /// Below this level nothing is offered.
    pub const SILENT: f64 = 0.3;

    /// Of a level in thousandths.
    pub fn of(thousandths: u16) -> Self {
        Initiative { level: f64::from(thousandths.clamp(100, 1000)) / 1000.0 }
    }

    /// The share of sessions that must be sure at least, where the user has dismissed such offers so many times. None where nothing may be offered.
    pub fn needed(self, dismissals: f64) -> Option<f64> {
        let needed = 0.6 - 0.3 * self.level;
        // Each dismissal halves the way to certainty.
        (self.level >= Self::SILENT).then(|| 1.0 - (1.0 - needed) * 0.5f64.powf(dismissals.max(0.0)))
    }
}

/// Of which sessions the evidence is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Of all.
    Always,
    /// Of those at this time of day.
    TimeOfDay,
    /// Of those on this day of the week, from Sunday, 0.
    Weekday(usize),
}

/// Where a window goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum To {
    /// To a part of a screen.
    Spot {
        /// The screen's name.
        output: String,
        /// The part: never a tile.
        spot: Spot,
    },
    /// To a workspace, from 0.
    Workspace(u8),
}

/// A window that goes elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// The window's number.
    pub window: u64,
    /// What its program calls itself.
    pub app: String,
    /// Where to.
    pub to: To,
}

/// An offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// What would be done; at least one.
    pub moves: Vec<Move>,
    /// The arrangement that it is a part of.
    pub arrangement: Vec<(String, Place)>,
    /// In how many sessions it was so.
    pub times: usize,
    /// Of how many in which these programs were together.
    pub of: usize,
    /// Which ones these are.
    pub when: When,
}

/// The lower bound of a share of which `p` was seen in `n` cases (Wilson's interval).
fn lower_bound(p: f64, n: f64) -> f64 {
    let z2 = Z * Z;
    let centre = p + z2 / (2.0 * n);
    let spread = Z * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    ((centre - spread) / (1.0 + z2 / n)).max(0.0)
}

/// How sure a share of sessions is: newer ones count more.
fn sureness(cases: &[(Moment, bool)], now: Moment) -> f64 {
    let weights: Vec<f64> = cases.iter().map(|(began, _)| decayed(now.days_since(*began))).collect();
    let sum: f64 = weights.iter().sum();
    let squares: f64 = weights.iter().map(|it| it * it).sum();
    if sum <= 0.0 || squares <= 0.0 {
        return 0.0;
    }
    let hits: f64 = cases.iter().zip(&weights).filter(|((_, hit), _)| *hit).map(|it| it.1).sum();
    // As many cases of equal weight as would tell as much (Kish).
    lower_bound((hits / sum).clamp(0.0, 1.0), sum * sum / squares)
}

/// A share of sessions that was looked at.
struct Found {
    sureness: f64,
    times: usize,
    of: usize,
    when: When,
}

/// The best evidence that cases give: all, or those of this time of day or day of the week.
fn evidence(cases: &[(Moment, bool)], now: Moment) -> Option<Found> {
    let of_when = |when: When| {
        let is_meant = |began: Moment| match when {
            When::Always => true,
            When::TimeOfDay => began.is_same_time(now),
            When::Weekday(day) => began.weekday() == day,
        };
        let mut meant: Vec<(Moment, bool)> = cases.iter().copied().filter(|(began, _)| is_meant(*began)).collect();
        meant.drain(..meant.len().saturating_sub(LAST));
        let times = meant.iter().filter(|it| it.1).count();
        (meant.len() >= LEAST).then(|| Found { sureness: sureness(&meant, now), times, of: meant.len(), when })
    };
    let all = [When::Always, When::TimeOfDay, When::Weekday(now.weekday())].into_iter().filter_map(of_when);
    // Of equals the first: what needs no condition.
    all.reduce(|best, it| if it.sureness > best.sureness { it } else { best })
}

impl Habits {
    /// What to offer for the windows that are seen now; `spared` are programs whose windows are left alone.
    pub fn offer(&self, view: &View, initiative: Initiative, spared: &BTreeSet<String>, now: Moment) -> Option<Offer> {
        initiative.needed(0.0)?;
        let here = view.by_app();
        let places = self.groups(&here).into_iter().filter_map(|group| self.for_group(&group, view, &here, now));
        let workspaces = here.values().filter_map(|seen| self.for_workspace(seen, view, now));
        let is_wanted = |(found, offer): &(Found, Offer)| {
            let dismissals = offer.moved_apps().map(|app| self.reluctance(app, now)).fold(0.0, f64::max);
            let is_spared = offer.moved_apps().any(|app| spared.contains(app));
            !is_spared && initiative.needed(dismissals).is_some_and(|needed| found.sureness >= needed)
        };
        let rank = |it: &(Found, Offer)| (it.1.arrangement.len(), it.0.sureness);
        let best = places.chain(workspaces).filter(is_wanted).reduce(|best, it| if rank(&it) > rank(&best) { it } else { best });
        best.map(|it| it.1)
    }

    /// Sets of programs that are here and have been together before, from the last sessions on.
    fn groups<'a>(&self, here: &BTreeMap<&'a str, &Seen>) -> Vec<BTreeSet<&'a str>> {
        let mut groups: Vec<BTreeSet<&str>> = Vec::new();
        for it in self.sessions().iter().rev().flat_map(|session| &session.together) {
            let group: BTreeSet<&str> = here.keys().copied().filter(|app| it.apps.contains_key(*app)).collect();
            if group.len() >= 2 && !groups.contains(&group) {
                groups.push(group);
            }
            if groups.len() == GROUPS {
                break;
            }
        }
        groups
    }

    fn for_group(&self, group: &BTreeSet<&str>, view: &View, here: &BTreeMap<&str, &Seen>, now: Moment) -> Option<(Found, Offer)> {
        let all = self.with(group);
        // Each arrangement that has been seen might be the usual one; of equals the newest.
        let mut best: Option<(Found, &BTreeMap<&str, &Place>)> = None;
        for (_, wanted) in all.iter().rev().take(LAST) {
            let is_so = |places: &BTreeMap<&str, &Place>| group.iter().all(|app| is_like(places[app], wanted[app]));
            let cases: Vec<(Moment, bool)> = all.iter().map(|(began, places)| (*began, is_so(places))).collect();
            if let Some(found) = evidence(&cases, now)
                && best.as_ref().is_none_or(|best| found.sureness > best.0.sureness)
            {
                best = Some((found, wanted));
            }
        }
        let (found, wanted) = best?;
        if !wanted.values().all(|place| view.outputs.contains(&place.output)) {
            return None;
        }
        let to_move = group.iter().filter_map(|app| {
            let (seen, place) = (here[app], wanted[app]);
            // Tiles follow from each other: nothing is put into them or taken out.
            let is_tile = place.spot == Spot::Tile || seen.place.spot == Spot::Tile;
            let to = To::Spot { output: place.output.clone(), spot: place.spot };
            (!seen.is_focused && !is_tile && !is_like(&seen.place, place)).then(|| Move { window: seen.window, app: seen.app.clone(), to })
        });
        let moves: Vec<Move> = to_move.collect();
        let arrangement = wanted.iter().map(|(app, place)| ((*app).to_owned(), (*place).clone())).collect();
        let offer = Offer { moves, arrangement, times: found.times, of: found.of, when: found.when };
        (!offer.moves.is_empty()).then_some((found, offer))
    }

    /// A window whose program is always on another workspace.
    fn for_workspace(&self, seen: &Seen, view: &View, now: Moment) -> Option<(Found, Offer)> {
        if seen.is_focused {
            return None;
        }
        let all = self.with(&BTreeSet::from([seen.app.as_str()]));
        let place = |it: &(Moment, BTreeMap<&str, &Place>)| it.1[seen.app.as_str()].clone();
        let elsewhere: BTreeSet<u8> = all.iter().map(|it| place(it).workspace).filter(|it| *it != view.workspace).collect();
        let of = |workspace: u8| {
            let cases: Vec<(Moment, bool)> = all.iter().map(|it| (it.0, place(it).workspace == workspace)).collect();
            let last = all.iter().rev().map(place).find(|it| it.workspace == workspace)?;
            Some((evidence(&cases, now)?, last))
        };
        let (found, last) = elsewhere.into_iter().filter_map(of).reduce(|best, it| if it.0.sureness > best.0.sureness { it } else { best })?;
        let moves = vec![Move { window: seen.window, app: seen.app.clone(), to: To::Workspace(last.workspace) }];
        let offer = Offer { moves, arrangement: vec![(seen.app.clone(), last)], times: found.times, of: found.of, when: found.when };
        Some((found, offer))
    }
}

/// Whether two places are the same on whatever workspace.
fn is_like(one: &Place, other: &Place) -> bool {
    one.output == other.output && one.spot.is_like(&other.spot)
}

/// `a`, `a and b`, `a, b and c`.
fn list(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

impl Offer {
    /// The programs whose windows would be moved.
    pub fn moved_apps(&self) -> impl Iterator<Item = &str> {
        self.moves.iter().map(|it| it.app.as_str())
    }

    /// The offer as a question; `name` gives people's name of a program.
    pub fn question(&self, name: impl Fn(&str) -> String) -> String {
        let one = |it: &Move| match &it.to {
            To::Spot { spot, .. } => format!("{} {spot}", name(&it.app)),
            To::Workspace(workspace) => format!("{} on workspace {}", name(&it.app), workspace + 1),
        };
        format!("Put {}?", list(&self.moves.iter().map(one).collect::<Vec<_>>()))
    }

    /// Why, in one sentence.
    pub fn why(&self, name: impl Fn(&str) -> String) -> String {
        const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
        let is_workspace = self.moves.iter().any(|it| matches!(it.to, To::Workspace(_)));
        let one = |(app, place): &(String, Place)| match is_workspace {
            true => format!("{} on workspace {}", name(app), place.workspace + 1),
            false => format!("{} {}", name(app), place.spot),
        };
        let what = list(&self.arrangement.iter().map(one).collect::<Vec<_>>());
        let when = match self.when {
            When::Always => String::new(),
            When::TimeOfDay => " at this time of day".to_owned(),
            When::Weekday(day) => format!(" on a {}", DAYS.get(day).unwrap_or(&"day like this")),
        };
        format!("You had {what} in {} of the last {} sessions{when}.", self.times, self.of)
    }
}
