//! Answers kept in SQLite: found again for the same request, and for one that is nearly the same.

use std::path::Path;

use genai_protocol::{CacheStatus, Completed, Completion, Source, SubjectProgress};
use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

use crate::config;
use crate::embedding;

/// A request as the cache sees it.
pub struct Key {
    /// Of everything.
    exact: Vec<u8>,
    /// Of everything but the user's last words.
    shape: Vec<u8>,
    words: String,
}

impl Key {
    /// `None` where the request's answer must not be kept: it is random, or depends on what was said before.
    pub fn of(uid: u32, model: &str, c: &Completion) -> Option<Key> {
        if !c.cache || c.temperature > 0.0 || c.session.is_some() {
            return None;
        }
        let mut shaped = c.clone();
        let words = if c.prompt.is_empty() { shaped.messages.pop()?.content } else { std::mem::take(&mut shaped.prompt) };
        // How it is asked for does not change the answer.
        shaped.stream = false;
        shaped.priority = Default::default();
        shaped.deadline_ms = 0;
        shaped.seed = 0;
        let text = serde_json::to_string(&(uid, model, &shaped)).ok()?;
        let shape = Sha256::digest(text.as_bytes()).to_vec();
        let exact = Sha256::new_with_prefix(&shape).chain_update(words.as_bytes()).finalize().to_vec();
        Some(Key { exact, shape, words })
    }
}

/// The store: cached answers and learning progress.
pub struct Cache {
    db: Connection,
    settings: config::Cache,
    status: CacheStatus,
}

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS answer (
        exact BLOB PRIMARY KEY, shape BLOB NOT NULL, decisive TEXT NOT NULL, vector BLOB NOT NULL,
        reply TEXT NOT NULL, bytes INTEGER NOT NULL, used INTEGER NOT NULL);
    CREATE INDEX IF NOT EXISTS answer_shape ON answer (shape, decisive);
    CREATE INDEX IF NOT EXISTS answer_used ON answer (used);
    CREATE TABLE IF NOT EXISTS progress (
        uid INTEGER NOT NULL, subject TEXT NOT NULL, fraction REAL NOT NULL, score_sum REAL NOT NULL, scores INTEGER NOT NULL,
        updates INTEGER NOT NULL, PRIMARY KEY (uid, subject));";

fn to_bytes(v: &[f32]) -> Vec<u8> {
    v.iter().flat_map(|x| x.to_le_bytes()).collect()
}

fn from_bytes(b: &[u8]) -> Vec<f32> {
    b.chunks_exact(4).map(|c| f32::from_le_bytes([c[0], c[1], c[2], c[3]])).collect()
}

impl Cache {
    /// Opens the store, in memory without a path. A file that is no database is put aside.
    pub fn open(path: Option<&Path>, settings: config::Cache) -> rusqlite::Result<Cache> {
        let db = match path {
            None => Connection::open_in_memory()?,
            Some(path) => match prepared(path) {
                Ok(db) => db,
                Err(e) => {
                    let aside = path.with_extension("broken");
                    tracing::warn!("{} cannot be used ({e}): it is now {}", path.display(), aside.display());
                    let _ = std::fs::rename(path, aside);
                    prepared(path)?
                }
            },
        };
        db.execute_batch(SCHEMA)?;
        let mut cache = Cache { db, settings, status: CacheStatus::default() };
        cache.count()?;
        Ok(cache)
    }

    fn count(&mut self) -> rusqlite::Result<()> {
        let (entries, bytes): (i64, i64) = self.db.query_row("SELECT count(*), coalesce(sum(bytes), 0) FROM answer", [], |r| Ok((r.get(0)?, r.get(1)?)))?;
        (self.status.entries, self.status.bytes) = (entries as u64, bytes as u64);
        Ok(())
    }

    /// An answer given before.
    pub fn find(&mut self, key: &Key) -> rusqlite::Result<Option<Completed>> {
        if self.settings.entries == 0 {
            return Ok(None);
        }
        let exact: Option<String> = self.db.query_row("SELECT reply FROM answer WHERE exact = ?1", params![key.exact], |r| r.get(0)).optional()?;
        let found = match exact {
            Some(reply) => Some((key.exact.clone(), reply, Source::Cache)),
            None => self.near(key)?,
        };
        let Some((used, reply, source)) = found else {
            self.status.misses += 1;
            return Ok(None);
        };
        let Ok(reply) = serde_json::from_str::<Completed>(&reply) else {
            self.status.misses += 1;
            return Ok(None);
        };
        match source {
            Source::Cache => self.status.hits += 1,
            _ => self.status.near_hits += 1,
        }
        self.db.execute("UPDATE answer SET used = (SELECT max(used) + 1 FROM answer) WHERE exact = ?1", params![used])?;
        Ok(Some(Completed { source, first_token_ms: 0.0, total_ms: 0.0, ..reply }))
    }

    fn near(&self, key: &Key) -> rusqlite::Result<Option<(Vec<u8>, String, Source)>> {
        if self.settings.near > 1.0 {
            return Ok(None);
        }
        let wanted = embedding::of(&key.words);
        let mut statement = self.db.prepare_cached("SELECT exact, vector FROM answer WHERE shape = ?1 AND decisive = ?2")?;
        let mut rows = statement.query(params![key.shape, embedding::decisive(&key.words)])?;
        let mut best: Option<(f32, Vec<u8>)> = None;
        while let Some(row) = rows.next()? {
            let vector: Vec<u8> = row.get(1)?;
            let cosine = embedding::cosine(&wanted, &from_bytes(&vector));
            if cosine >= self.settings.near && best.as_ref().is_none_or(|(c, _)| cosine > *c) {
                best = Some((cosine, row.get(0)?));
            }
        }
        let Some((_, exact)) = best else { return Ok(None) };
        let reply = self.db.query_row("SELECT reply FROM answer WHERE exact = ?1", params![exact], |r| r.get(0))?;
        Ok(Some((exact, reply, Source::CacheNear)))
    }

    /// Keeps an answer; the ones not used for longest make room.
    pub fn keep(&mut self, key: &Key, reply: &Completed) -> rusqlite::Result<()> {
        let Ok(text) = serde_json::to_string(reply) else { return Ok(()) };
        let bytes = (text.len() + 4 * embedding::SIZE + 128) as u64;
        let most = self.settings.kib << 10;
        if self.settings.entries == 0 || bytes > most {
            return Ok(());
        }
        self.db.execute(
            "INSERT OR REPLACE INTO answer (exact, shape, decisive, vector, reply, bytes, used) VALUES (?1, ?2, ?3, ?4, ?5, ?6, (SELECT coalesce(max(used), 0) + 1 FROM answer))",
            params![key.exact, key.shape, embedding::decisive(&key.words), to_bytes(&embedding::of(&key.words)), text, bytes as i64],
        )?;
        self.count()?;
        while self.status.entries > self.settings.entries || self.status.bytes > most {
            self.db.execute("DELETE FROM answer WHERE exact = (SELECT exact FROM answer ORDER BY used LIMIT 1)", [])?;
            self.status.evicted += 1;
            self.count()?;
        }
        Ok(())
    }

    /// Forgets all answers.
    pub fn clear(&mut self) -> rusqlite::Result<()> {
        self.db.execute("DELETE FROM answer", [])?;
        self.count()
    }

    pub fn status(&self) -> CacheStatus {
        self.status.clone()
    }

    /// Records how far a user is in a subject.
    pub fn progress(&mut self, uid: u32, subject: &str, fraction: f64, score: Option<f64>) -> rusqlite::Result<()> {
        self.db.execute(
            "INSERT INTO progress (uid, subject, fraction, score_sum, scores, updates) VALUES (?1, ?2, ?3, ?4, ?5, 1)
             ON CONFLICT (uid, subject) DO UPDATE SET fraction = ?3, score_sum = score_sum + ?4, scores = scores + ?5, updates = updates + 1",
            params![uid, subject, fraction, score.unwrap_or(0.0), i64::from(score.is_some())],
        )?;
        Ok(())
    }

    /// What is recorded of a user.
    pub fn progress_of(&self, uid: u32) -> rusqlite::Result<Vec<SubjectProgress>> {
        let mut statement = self.db.prepare_cached("SELECT subject, fraction, score_sum, scores, updates FROM progress WHERE uid = ?1 ORDER BY subject")?;
        let rows = statement.query_map(params![uid], |r| {
            let (sum, n): (f64, i64) = (r.get(2)?, r.get(3)?);
            Ok(SubjectProgress { subject: r.get(0)?, fraction: r.get(1)?, mean_score: (n > 0).then(|| sum / n as f64), updates: r.get::<_, i64>(4)? as u64 })
        })?;
        rows.collect()
    }
}

fn prepared(path: &Path) -> rusqlite::Result<Connection> {
    let db = Connection::open(path)?;
    db.busy_timeout(std::time::Duration::from_secs(5))?;
    // An answer lost in a power cut is no loss; a broken file would be.
    db.pragma_update(None, "synchronous", "NORMAL")?;
    db.execute_batch(SCHEMA)?;
    Ok(db)
}

#[cfg(test)]
mod tests {
    use super::*;
    use genai_protocol::Finish;

    fn answer(text: &str) -> Completed {
        Completed { text: text.into(), finish: Finish::Stop, source: Source::Local, model: "m".into(), confidence: 0.9, prompt_tokens: 1, reused_tokens: 0, tokens: 1, first_token_ms: 5.0, total_ms: 9.0 }
    }

    fn key(prompt: &str) -> Key {
        Key::of(1, "m", &Completion { prompt: prompt.into(), ..Default::default() }).unwrap()
    }

    fn cache(entries: u64) -> Cache {
        Cache::open(None, config::Cache { entries, ..Default::default() }).unwrap()
    }

    #[test]
    fn the_same_and_the_nearly_same_are_found() {
        let mut c = cache(10);
        assert!(c.find(&key("What is a pipe in the shell?")).unwrap().is_none());
        c.keep(&key("What is a pipe in the shell?"), &answer("a")).unwrap();
        assert_eq!(c.find(&key("What is a pipe in the shell?")).unwrap().unwrap().source, Source::Cache);
        let near = c.find(&key("what is a pipe in the shell")).unwrap().unwrap();
        assert_eq!((near.source, near.text.as_str(), near.total_ms), (Source::CacheNear, "a", 0.0));
        assert!(c.find(&key("what is no pipe in the shell")).unwrap().is_none());
        assert!(c.find(&key("what is a file")).unwrap().is_none());
        // Another user, another model, another length.
        let other = |uid, model: &str, max_tokens| Key::of(uid, model, &Completion { prompt: "What is a pipe in the shell?".into(), max_tokens, ..Default::default() }).unwrap();
        for k in [other(2, "m", 256), other(1, "n", 256), other(1, "m", 10)] {
            assert!(c.find(&k).unwrap().is_none());
        }
        let s = c.status();
        assert_eq!((s.hits, s.near_hits, s.misses, s.entries), (1, 1, 6, 1));
    }

    #[test]
    fn what_is_random_or_in_a_conversation_is_not_kept() {
        assert!(Key::of(1, "m", &Completion { prompt: "a".into(), temperature: 0.5, ..Default::default() }).is_none());
        assert!(Key::of(1, "m", &Completion { prompt: "a".into(), session: Some("s".into()), ..Default::default() }).is_none());
        assert!(Key::of(1, "m", &Completion { prompt: "a".into(), cache: false, ..Default::default() }).is_none());
        assert!(Key::of(1, "m", &Completion::default()).is_none());
    }

    #[test]
    fn it_is_bounded_and_the_unused_go_first() {
        let mut c = cache(3);
        for n in 0..3 {
            c.keep(&key(&format!("q{n}")), &answer("a")).unwrap();
        }
        assert!(c.find(&key("q0")).unwrap().is_some());
        c.keep(&key("q3"), &answer("a")).unwrap();
        assert!(c.find(&key("q1")).unwrap().is_none());
        assert!(c.find(&key("q0")).unwrap().is_some());
        assert_eq!((c.status().entries, c.status().evicted), (3, 1));
        let mut small = Cache::open(None, config::Cache { kib: 4, ..Default::default() }).unwrap();
        for n in 0..10 {
            small.keep(&key(&format!("q{n}")), &answer("a")).unwrap();
            assert!(small.status().bytes <= 4096);
        }
        small.keep(&key("long"), &answer(&"x".repeat(5000))).unwrap();
        assert!(small.find(&key("long")).unwrap().is_none());
        let mut none = cache(0);
        none.keep(&key("q"), &answer("a")).unwrap();
        assert!(none.find(&key("q")).unwrap().is_none());
    }

    #[test]
    fn it_lasts_and_a_broken_file_is_put_aside() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("c.sqlite");
        Cache::open(Some(&path), Default::default()).unwrap().keep(&key("q"), &answer("a")).unwrap();
        assert!(Cache::open(Some(&path), Default::default()).unwrap().find(&key("q")).unwrap().is_some());
        std::fs::write(&path, vec![7u8; 5000]).unwrap();
        let mut c = Cache::open(Some(&path), Default::default()).unwrap();
        assert!(c.find(&key("q")).unwrap().is_none());
        assert!(dir.path().join("c.broken").exists());
        c.progress(5, "shell.pipes", 0.5, Some(1.0)).unwrap();
        c.progress(5, "shell.pipes", 0.75, Some(0.5)).unwrap();
        c.progress(6, "shell.pipes", 1.0, None).unwrap();
        assert_eq!(c.progress_of(5).unwrap(), vec![SubjectProgress { subject: "shell.pipes".into(), fraction: 0.75, mean_score: Some(0.75), updates: 2 }]);
        assert_eq!(c.progress_of(6).unwrap()[0].mean_score, None);
    }
}
