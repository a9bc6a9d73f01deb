//! The last sessions, and what the user thought of offers.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::moment::decayed;
use crate::{Moment, Offer, Place, SESSIONS, Session, is_name};

/// How many programs' opinions are kept.
const OPINIONS: usize = 64;
/// Most that dismissals count.
const LOUDEST: f64 = 8.0;
/// The form of what is kept.
const VERSION: u32 = 1;

/// What is kept is not understood.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// It is no JSON, or says something else.
    #[error("these are no habits: {0}")]
    Form(#[from] serde_json::Error),
    /// Another version has written it.
    #[error("these are habits in form {0}; this version knows form {VERSION}")]
    Version(u32),
}

/// How little the user wants a program's window moved.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Opinion {
    /// Dismissals, less what has been accepted.
    dismissed: f64,
    /// When that was so.
    at: Moment,
}

/// What was learnt.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Habits {
    /// The oldest first.
    sessions: Vec<Session>,
    opinions: BTreeMap<String, Opinion>,
}

/// As it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    version: u32,
    sessions: Vec<Session>,
    opinions: BTreeMap<String, Opinion>,
}

/// An arrangement that has been seen, for who looks at what was learnt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The programs, and where they were last.
    pub apps: Vec<(String, Place)>,
    /// In how many sessions they were in these places.
    pub times: usize,
    /// In how many they were together.
    pub of: usize,
}

impl Habits {
    /// What sessions teach, in whatever order they come; what is no session is left out.
    pub fn of(sessions: impl IntoIterator<Item = Session>) -> Self {
        let mut habits = Habits::default();
        sessions.into_iter().for_each(|it| habits.add(&it));
        habits
    }

    /// Remembers a session. Of one that began at the same moment the longer list is kept.
    pub fn add(&mut self, session: &Session) {
        let session = session.summary();
        if session.together.is_empty() {
            return;
        }
        match self.sessions.iter_mut().find(|it| it.began == session.began) {
            Some(known) if session_rank(&session) > session_rank(known) => *known = session,
            Some(_) => {}
            None => self.sessions.push(session),
        }
        self.sessions.sort();
        let over = self.sessions.len().saturating_sub(SESSIONS);
        self.sessions.drain(..over);
    }

    /// The sessions, the oldest first.
    pub fn sessions(&self) -> &[Session] {
        &self.sessions
    }

    /// The user did not want an offer; `weight` is 1 where that was said, less where it was only not taken.
    pub fn dismissed(&mut self, offer: &Offer, weight: f64, now: Moment) {
        self.judge(offer, weight, now);
    }

    /// The user has accepted an offer.
    pub fn accepted(&mut self, offer: &Offer, now: Moment) {
        self.judge(offer, -1.0, now);
    }

    fn judge(&mut self, offer: &Offer, by: f64, now: Moment) {
        for app in offer.moved_apps() {
            let dismissed = (self.reluctance(app, now) + by).clamp(0.0, LOUDEST);
            self.opinions.insert(app.to_owned(), Opinion { dismissed, at: now });
        }
        self.opinions.retain(|_, it| it.dismissed > 0.0);
        while self.opinions.len() > OPINIONS {
            let left = |it: &Opinion| it.dismissed * decayed(now.days_since(it.at));
            let Some(least) = self.opinions.iter().min_by(|a, b| left(a.1).total_cmp(&left(b.1))).map(|it| it.0.clone()) else { return };
            self.opinions.remove(&least);
        }
    }

    /// How many dismissals of offers to move a program's window still count.
    pub fn reluctance(&self, app: &str, now: Moment) -> f64 {
        self.opinions.get(app).map_or(0.0, |it| it.dismissed * decayed(now.days_since(it.at)))
    }

    /// Forgets everything.
    pub fn forget(&mut self) {
        *self = Habits::default();
    }

    /// Forgets everything about a program; whether there was anything.
    pub fn forget_app(&mut self, app: &str) -> bool {
        let mut is_known = self.opinions.remove(app).is_some();
        for session in &mut self.sessions {
            for it in &mut session.together {
                is_known |= it.apps.remove(app).is_some();
            }
            *session = session.summary();
        }
        self.sessions.retain(|it| !it.together.is_empty());
        is_known
    }

    /// All that is known: sets of programs that were used together, the most frequent first.
    pub fn known(&self) -> Vec<Known> {
        let sets: BTreeSet<BTreeSet<&str>> = self.sessions.iter().flat_map(|it| &it.together).map(|it| it.apps.keys().map(String::as_str).collect()).collect();
        let one = |apps: &BTreeSet<&str>| {
            let all = self.with(apps);
            let last = &all.last()?.1;
            let is_same = |places: &BTreeMap<&str, &Place>| apps.iter().all(|app| places[app].output == last[app].output && places[app].spot.is_like(&last[app].spot));
            let times = all.iter().filter(|(_, places)| is_same(places)).count();
            Some(Known { apps: last.iter().map(|(app, place)| ((*app).to_owned(), (*place).clone())).collect(), times, of: all.len() })
        };
        let mut known: Vec<Known> = sets.iter().filter_map(one).collect();
        known.sort_by(|a, b| b.of.cmp(&a.of).then_with(|| b.apps.len().cmp(&a.apps.len())).then_with(|| a.apps.cmp(&b.apps)));
        known
    }

    /// The sessions that had these programs together, the oldest first, and where they were longest.
    pub(crate) fn with(&self, apps: &BTreeSet<&str>) -> Vec<(Moment, BTreeMap<&str, &Place>)> {
        let one = |session: &'_ Session| -> Option<usize> {
            let having = session.together.iter().enumerate().filter(|(_, it)| it.has(apps));
            having.max_by_key(|(index, it)| (it.seconds, usize::MAX - index)).map(|it| it.0)
        };
        let found = self.sessions.iter().filter_map(|session| Some((session, &session.together[one(session)?])));
        found
            .map(|(session, it)| {
                let places = it.apps.iter().filter(|(app, _)| apps.contains(app.as_str())).map(|(app, place)| (app.as_str(), place));
                (session.began, places.collect())
            })
            .collect()
    }

    /// Reads what was kept. What is absurd in it is left out, as if it had not been there.
    ///
    /// # Errors
    /// Where it is not what [`Habits::to_json`] gives.
    pub fn from_json(text: &[u8]) -> Result<Self, Problem> {
        let kept: Kept = serde_json::from_slice(text)?;
        if kept.version != VERSION {
            return Err(Problem::Version(kept.version));
        }
        let mut habits = Habits::of(kept.sessions);
        let is_good = |it: &(String, Opinion)| is_name(&it.0) && it.1.dismissed.is_finite() && it.1.dismissed > 0.0;
        let opinions = kept.opinions.into_iter().filter(is_good).map(|(app, it)| (app, Opinion { dismissed: it.dismissed.min(LOUDEST), ..it }));
        habits.opinions = opinions.take(OPINIONS).collect();
        Ok(habits)
    }

    /// To be kept.
    ///
    /// # Errors
    /// None that is known: all of it has a form.
    pub fn to_json(&self) -> Result<Vec<u8>, Problem> {
        Ok(serde_json::to_vec(&Kept { version: VERSION, sessions: self.sessions.clone(), opinions: self.opinions.clone() })?)
    }
}

fn session_rank(session: &Session) -> (u64, &Session) {
    (session.together.iter().map(|it| u64::from(it.seconds)).sum(), session)
}
