//! What becomes of a request: the queue, the cache, the model, the endpoint.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use genai_protocol::{Completed, Completion, ErrorCode, Event, Finish, Message, Op, Priority, Role, Route, Status};

use crate::cache::{Cache, Key};
use crate::cloud::Cloud;
use crate::config::Config;
use crate::engine::{Cancel, Engine, EngineStatus, Failure, Until};

/// Answers over which speed is reported.
const SAMPLES: usize = 256;
/// Conversations remembered.
const SESSIONS: usize = 64;
/// Messages and bytes of a conversation that are remembered.
const SESSION_MESSAGES: usize = 32;
const SESSION_BYTES: usize = 16 << 10;
/// Requests to the endpoint at a time.
const CLOUD_AT_ONCE: usize = 4;
/// Most texts, and bytes of them, in one request for vectors.
const EMBED_TEXTS: usize = 256;

/// Longest wait for a look at the engine.
const LOOK: Duration = Duration::from_millis(200);

/// Where the replies of a request go. It must not block for long.
pub type Sink = Box<dyn FnMut(Event) + Send>;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    pub uid: u32,
    /// Of the connection, so that a request can be found again.
    pub connection: u64,
}

enum Work {
    Complete(Box<Completion>),
    Embed(Vec<String>),
}

struct Job {
    peer: Peer,
    id: u64,
    work: Work,
    priority: Priority,
    cancel: Cancel,
    /// Set when it has to make room for a more urgent one.
    preempt: Cancel,
    sink: Sink,
}

#[derive(Default)]
struct Queue {
    /// By priority.
    waiting: BTreeMap<std::cmp::Reverse<Priority>, VecDeque<Job>>,
    /// What runs: who, which, how urgent, and how to end it or put it back.
    running: Option<(Peer, u64, Priority, Cancel, Cancel)>,
    /// Requests at the endpoint.
    away: Vec<(Peer, u64, Cancel)>,
    unload: bool,
    /// Somebody wants to know how the engine is now.
    look: bool,
    engine: EngineStatus,
    /// The engine's name and problem.
    model: (String, String),
}

impl Queue {
    fn len(&self) -> usize {
        self.waiting.values().map(VecDeque::len).sum()
    }

    /// Keeps what the engine says of itself, for those who ask while it works.
    fn look_at(&mut self, engine: &dyn Engine) {
        self.engine = engine.status();
        self.model = (engine.name(), engine.problem());
    }
}

#[derive(Default)]
struct Counters {
    local: u64,
    cloud: u64,
    failed: u64,
    denied: u64,
    preempted: u64,
    /// First token's milliseconds, tokens, and milliseconds after the first, of the last answers.
    samples: VecDeque<(f64, u32, f64)>,
}

#[derive(Default)]
struct Sessions {
    of: HashMap<(u32, String), (u64, Vec<Message>)>,
    clock: u64,
}

/// The service.
pub struct Service {
    config: Config,
    mode: Route,
    queue: Mutex<Queue>,
    changed: Condvar,
    cache: Mutex<Cache>,
    counters: Mutex<Counters>,
    sessions: Mutex<Sessions>,
    cloud: Cloud,
    away: AtomicUsize,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic in one request must not take the others along.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Service {
    pub fn new(config: Config, mode: Route, cache: Cache, engine: &dyn Engine) -> Arc<Service> {
        let cloud = Cloud::new(&config);
        let queue = Queue { engine: engine.status(), model: (engine.name(), engine.problem()), ..Queue::default() };
        Arc::new(Service { config, mode, queue: Mutex::new(queue), changed: Condvar::new(), cache: Mutex::new(cache), counters: Mutex::default(), sessions: Mutex::default(), cloud, away: AtomicUsize::new(0) })
    }

    pub fn limits(&self) -> &crate::config::Limits {
        &self.config.limits
    }

    /// Takes a request. Its replies go to `sink`, from here or later.
    pub fn submit(self: &Arc<Self>, peer: Peer, id: u64, op: Op, mut sink: Sink) {
        let result = match op {
            Op::Complete(completion) => return self.submit_completion(peer, id, *completion, sink),
            Op::Embed { texts } => {
                let bytes: usize = texts.iter().map(String::len).sum();
                if texts.is_empty() || texts.len() > EMBED_TEXTS || bytes > self.config.limits.request_bytes {
                    Err(Failure::new(ErrorCode::Limit, format!("{} texts of {bytes} bytes: 1 to {EMBED_TEXTS} texts and {} bytes are possible", texts.len(), self.config.limits.request_bytes)))
                } else {
                    return self.enqueue(Job { peer, id, work: Work::Embed(texts), priority: Priority::Normal, cancel: Cancel::default(), preempt: Cancel::default(), sink });
                }
            }
            Op::Cancel { target } => {
                if self.cancel(peer, Some(target)) {
                    Ok(Event::Ok)
                } else {
                    Err(Failure::new(ErrorCode::BadRequest, format!("no request {target} of this connection waits or runs")))
                }
            }
            Op::Status => Ok(Event::Status(Box::new(self.status()))),
            Op::EndSession { session } => {
                lock(&self.sessions).of.remove(&(peer.uid, session));
                Ok(Event::Ok)
            }
            // What is shared between users is root's and the service's own.
            Op::ClearCache | Op::Unload if peer.uid != 0 && peer.uid != rustix::process::getuid().as_raw() => Err(Failure::new(ErrorCode::Denied, "only root may do this")),
            Op::ClearCache => lock(&self.cache).clear().map(|()| Event::Ok).map_err(stored),
            Op::Unload => {
                lock(&self.queue).unload = true;
                self.changed.notify_all();
                Ok(Event::Ok)
            }
            Op::Progress { subject, fraction, score } => {
                let part = |x: f64| (0.0..=1.0).contains(&x);
                if subject.is_empty() || subject.len() > 200 || !part(fraction) || !score.is_none_or(part) {
                    Err(Failure::new(ErrorCode::BadRequest, "progress needs a subject (up to 200 bytes), a fraction and a score from 0 to 1"))
                } else {
                    lock(&self.cache).progress(peer.uid, &subject, fraction, score).map(|()| Event::Ok).map_err(stored)
                }
            }
            Op::ProgressReport => lock(&self.cache).progress_of(peer.uid).map(|subjects| Event::Progress { subjects }).map_err(stored),
        };
        sink(result.unwrap_or_else(error));
    }

    fn submit_completion(self: &Arc<Self>, peer: Peer, id: u64, mut c: Completion, mut sink: Sink) {
        if let Err(failure) = self.check(&c).and_then(|()| self.recall(peer.uid, &mut c)) {
            lock(&self.counters).failed += 1;
            return sink(error(failure));
        }
        let route = c.route.unwrap_or(self.mode);
        let (model, _) = lock(&self.queue).model.clone();
        let model = if route == Route::Cloud { format!("cloud {}", self.cloud.endpoint()) } else { model };
        if let Some(key) = Key::of(peer.uid, &model, &c) {
            // Bound first: the lock is not held while the reply is sent.
            let found = lock(&self.cache).find(&key);
            match found {
                Ok(Some(done)) => {
                    if c.stream {
                        sink(Event::Token { text: done.text.clone() });
                    }
                    return sink(Event::Done(done));
                }
                Ok(None) => {}
                Err(e) => tracing::warn!("the cache: {e}"),
            }
        }
        let cancel = Cancel::default();
        if route == Route::Cloud {
            return self.send_away(peer, id, c, cancel, sink, None);
        }
        let priority = c.priority;
        self.enqueue(Job { peer, id, work: Work::Complete(Box::new(c)), priority, cancel, preempt: Cancel::default(), sink });
    }

    fn check(&self, c: &Completion) -> Result<(), Failure> {
        let limits = &self.config.limits;
        let bytes = c.text_bytes();
        if c.prompt.is_empty() && c.messages.is_empty() {
            return Err(Failure::new(ErrorCode::BadRequest, "there is nothing to complete: prompt and messages are empty"));
        }
        if bytes > limits.request_bytes {
            return Err(Failure::new(ErrorCode::Limit, format!("the request has {bytes} bytes of text; at most {} are possible", limits.request_bytes)));
        }
        if c.max_tokens == 0 || c.max_tokens > limits.tokens {
            return Err(Failure::new(ErrorCode::Limit, format!("max_tokens is {}; 1 to {} are possible", c.max_tokens, limits.tokens)));
        }
        if !(0.0..=4.0).contains(&c.temperature) {
            return Err(Failure::new(ErrorCode::BadRequest, format!("temperature is {}; 0 to 4 is possible", c.temperature)));
        }
        if c.session.as_ref().is_some_and(|s| s.is_empty() || s.len() > 100) {
            return Err(Failure::new(ErrorCode::BadRequest, "a session's name has 1 to 100 bytes"));
        }
        if let Some(g) = &c.grammar {
            g.parse::<gbnf::Grammar>().map_err(|e| Failure::new(ErrorCode::BadRequest, e.to_string()))?;
        }
        Ok(())
    }

    /// Puts before the messages what was said in the session.
    fn recall(&self, uid: u32, c: &mut Completion) -> Result<(), Failure> {
        let Some(name) = &c.session else { return Ok(()) };
        if !c.prompt.is_empty() {
            c.messages.push(Message { role: Role::User, content: std::mem::take(&mut c.prompt) });
        }
        let sessions = lock(&self.sessions);
        if let Some((_, before)) = sessions.of.get(&(uid, name.clone())) {
            let mut messages = before.clone();
            // A system message is said once.
            messages.extend(c.messages.drain(..).filter(|m| m.role != Role::System || !before.contains(m)));
            c.messages = messages;
        }
        Ok(())
    }

    fn remember(&self, uid: u32, c: &Completion, done: &Completed) {
        let Some(name) = &c.session else { return };
        let mut messages = c.messages.clone();
        messages.push(Message { role: Role::Assistant, content: done.text.clone() });
        // The oldest go first, but never what the system said.
        let bytes = |m: &[Message]| m.iter().map(|m| m.content.len()).sum::<usize>();
        while messages.len() > SESSION_MESSAGES || bytes(&messages) > SESSION_BYTES {
            match messages.iter().position(|m| m.role != Role::System) {
                Some(at) => drop(messages.remove(at)),
                None => return,
            }
        }
        let mut sessions = lock(&self.sessions);
        sessions.clock += 1;
        let clock = sessions.clock;
        sessions.of.insert((uid, name.clone()), (clock, messages));
        if sessions.of.len() > SESSIONS
            && let Some(oldest) = sessions.of.iter().min_by_key(|(_, (used, _))| *used).map(|(k, _)| k.clone())
        {
            sessions.of.remove(&oldest);
        }
    }

    fn enqueue(&self, mut job: Job) {
        let mut queue = lock(&self.queue);
        let own = queue.waiting.values().flatten().filter(|j| j.peer.uid == job.peer.uid).count();
        let limits = &self.config.limits;
        if queue.len() >= limits.waiting || own >= limits.waiting_per_user {
            drop(queue);
            lock(&self.counters).failed += 1;
            return (job.sink)(error(Failure::new(ErrorCode::Limit, "too many requests wait already; ask again later")));
        }
        if let Some((_, _, running, _, preempt)) = &queue.running
            && *running == Priority::Background
            && job.priority > Priority::Background
        {
            preempt.cancel();
        }
        queue.waiting.entry(std::cmp::Reverse(job.priority)).or_default().push_back(job);
        self.changed.notify_all();
    }

    /// Ends requests of a connection: one, or all.
    pub fn cancel(&self, peer: Peer, target: Option<u64>) -> bool {
        let wanted = |p: &Peer, id: u64| p.connection == peer.connection && target.is_none_or(|t| t == id);
        let mut queue = lock(&self.queue);
        let mut removed: Vec<Job> = Vec::new();
        for jobs in queue.waiting.values_mut() {
            let (out, stay): (VecDeque<Job>, VecDeque<Job>) = jobs.drain(..).partition(|j| wanted(&j.peer, j.id));
            *jobs = stay;
            removed.extend(out);
        }
        let mut found = !removed.is_empty();
        if let Some((p, id, _, cancel, _)) = &queue.running
            && wanted(p, *id)
        {
            cancel.cancel();
            found = true;
        }
        for (p, id, cancel) in &queue.away {
            if wanted(p, *id) {
                cancel.cancel();
                found = true;
            }
        }
        drop(queue);
        for mut job in removed {
            (job.sink)(Event::Done(nothing(Finish::Cancelled)));
        }
        found
    }

    /// Serves the queue with the model of this machine, for ever.
    pub fn serve(self: &Arc<Self>, mut engine: Box<dyn Engine>) {
        let idle = Duration::from_secs(self.config.local.idle_seconds);
        let mut last = Instant::now();
        loop {
            let job = {
                let mut queue = lock(&self.queue);
                loop {
                    queue.look_at(engine.as_ref());
                    if std::mem::take(&mut queue.look) {
                        self.changed.notify_all();
                    }
                    if let Some(job) = queue.waiting.values_mut().find_map(VecDeque::pop_front) {
                        queue.running = Some((job.peer, job.id, job.priority, job.cancel.clone(), job.preempt.clone()));
                        break job;
                    }
                    let too_long = !idle.is_zero() && queue.engine.loaded && last.elapsed() >= idle;
                    if std::mem::take(&mut queue.unload) || too_long {
                        engine.unload();
                        continue;
                    }
                    let wait = if idle.is_zero() || !queue.engine.loaded { Duration::from_secs(3600) } else { idle.saturating_sub(last.elapsed()) };
                    queue = self.changed.wait_timeout(queue, wait.max(Duration::from_millis(1))).unwrap_or_else(PoisonError::into_inner).0;
                }
            };
            self.work(job, engine.as_mut());
            last = Instant::now();
            lock(&self.queue).running = None;
        }
    }

    fn work(self: &Arc<Self>, mut job: Job, engine: &mut dyn Engine) {
        match &job.work {
            Work::Embed(texts) => {
                let event = engine.embed(texts).map(|vectors| Event::Embeddings { vectors, model: engine.name() });
                lock(&self.queue).look_at(engine);
                if event.is_err() {
                    lock(&self.counters).failed += 1;
                }
                (job.sink)(event.unwrap_or_else(error));
            }
            Work::Complete(c) => {
                let c = (**c).clone();
                let hybrid = c.route.unwrap_or(self.mode) == Route::Hybrid && self.cloud.is_configured();
                // What may still be thrown away (for the endpoint's answer, or to begin anew) is not shown yet.
                let show_now = c.stream && !hybrid && c.priority != Priority::Background;
                let until = Until::of(&c, [job.cancel.clone(), job.preempt.clone()]);
                let sink = &mut job.sink;
                let result = engine.complete(&c, &until, &mut |piece| {
                    if show_now {
                        sink(Event::Token { text: piece.to_owned() });
                    }
                });
                // Who asks for the status as soon as the answer is there must not see what was before it.
                lock(&self.queue).look_at(engine);
                if job.preempt.is_cancelled() && !job.cancel.is_cancelled() && matches!(&result, Ok(d) if d.finish == Finish::Cancelled) {
                    lock(&self.counters).preempted += 1;
                    job.preempt = Cancel::default();
                    let mut queue = lock(&self.queue);
                    queue.waiting.entry(std::cmp::Reverse(job.priority)).or_default().push_front(job);
                    return;
                }
                let unsure = match &result {
                    Ok(done) => done.finish != Finish::Cancelled && done.confidence < self.config.local.unsure_below,
                    Err(_) => true,
                };
                if hybrid && unsure && !job.cancel.is_cancelled() && self.cloud.may(job.peer.uid, &c) {
                    return self.send_away(job.peer, job.id, c, job.cancel, job.sink, result.ok());
                }
                if let Ok(done) = &result {
                    let mut counters = lock(&self.counters);
                    counters.local += 1;
                    counters.samples.push_back((done.first_token_ms, done.tokens, (done.total_ms - done.first_token_ms).max(0.0)));
                    if counters.samples.len() > SAMPLES {
                        counters.samples.pop_front();
                    }
                }
                self.finish(job.peer, &c, result, show_now, &engine.name(), &mut job.sink);
            }
        }
    }

    /// Keeps the answer and sends the last reply.
    fn finish(&self, peer: Peer, c: &Completion, result: Result<Completed, Failure>, shown: bool, model: &str, sink: &mut Sink) {
        match result {
            Ok(done) => {
                if matches!(done.finish, Finish::Stop | Finish::Length) {
                    self.remember(peer.uid, c, &done);
                    if let Some(key) = Key::of(peer.uid, model, c)
                        && let Err(e) = lock(&self.cache).keep(&key, &done)
                    {
                        tracing::warn!("the cache: {e}");
                    }
                }
                if c.stream && !shown && !done.text.is_empty() {
                    sink(Event::Token { text: done.text.clone() });
                }
                sink(Event::Done(done));
            }
            Err(failure) => {
                let mut counters = lock(&self.counters);
                counters.failed += 1;
                counters.denied += u64::from(failure.code == ErrorCode::Denied);
                drop(counters);
                sink(error(failure));
            }
        }
    }

    /// Asks the endpoint, in a thread of its own: the model of this machine goes on. `instead` is what to answer where that fails.
    fn send_away(self: &Arc<Self>, peer: Peer, id: u64, c: Completion, cancel: Cancel, mut sink: Sink, instead: Option<Completed>) {
        if self.away.fetch_add(1, Ordering::Relaxed) >= CLOUD_AT_ONCE {
            self.away.fetch_sub(1, Ordering::Relaxed);
            let result = instead.ok_or_else(|| Failure::new(ErrorCode::Limit, format!("{CLOUD_AT_ONCE} requests are at the endpoint already; ask again later")));
            let model = lock(&self.queue).model.0.clone();
            return self.finish(peer, &c, result, false, &model, &mut sink);
        }
        lock(&self.queue).away.push((peer, id, cancel.clone()));
        let service = Arc::clone(self);
        std::thread::spawn(move || {
            let until = Until::of(&c, [cancel]);
            let fallback = instead.is_some();
            let show_now = c.stream && !fallback;
            let mut result = service.cloud.complete(peer.uid, &c, &until, &mut |piece| {
                if show_now {
                    sink(Event::Token { text: piece.to_owned() });
                }
            });
            let mut model = format!("cloud {}", service.cloud.endpoint());
            match (&result, instead) {
                (Ok(_), _) => lock(&service.counters).cloud += 1,
                (Err(e), Some(local)) => {
                    tracing::warn!("{e}; answering by the local model");
                    lock(&service.counters).local += 1;
                    model = local.model.clone();
                    result = Ok(local);
                }
                (Err(_), None) => {}
            }
            service.away.fetch_sub(1, Ordering::Relaxed);
            lock(&service.queue).away.retain(|(p, i, _)| !(p.connection == peer.connection && *i == id));
            service.finish(peer, &c, result, show_now, &model, &mut sink);
        });
    }

    fn status(&self) -> Status {
        let mut queue = lock(&self.queue);
        // A model may have been installed or removed since the last request. While one is answered nobody can look.
        if queue.running.is_none() {
            queue.look = true;
            self.changed.notify_all();
            queue = self.changed.wait_timeout_while(queue, LOOK, |queue| queue.look && queue.running.is_none()).unwrap_or_else(PoisonError::into_inner).0;
        }
        let counters = lock(&self.counters);
        let mut first: Vec<f64> = counters.samples.iter().map(|s| s.0).collect();
        first.sort_by(f64::total_cmp);
        let (tokens, ms) = counters.samples.iter().fold((0.0, 0.0), |(t, m), s| (t + f64::from(s.1.saturating_sub(1)), m + s.2));
        Status {
            mode: self.mode.name().to_owned(),
            model: queue.model.0.clone(),
            model_problem: queue.model.1.clone(),
            engine: queue.engine.kind.to_owned(),
            instead: queue.engine.instead.clone(),
            loaded: queue.engine.loaded,
            memory_bytes: queue.engine.memory_bytes,
            memory_limit_bytes: self.config.local.memory_mib << 20,
            threads: queue.engine.threads,
            waiting: queue.len() as u32,
            busy: queue.running.is_some(),
            endpoint: self.cloud.endpoint().to_owned(),
            answered_local: counters.local,
            answered_cloud: counters.cloud,
            failed: counters.failed,
            denied: counters.denied,
            preempted: counters.preempted,
            first_token_ms: first.get(first.len() / 2).copied().unwrap_or(0.0),
            tokens_per_second: if ms > 0.0 { tokens / ms * 1e3 } else { 0.0 },
            cache: lock(&self.cache).status(),
        }
    }
}

fn error(failure: Failure) -> Event {
    Event::Error { code: failure.code, message: failure.message }
}

fn stored(e: rusqlite::Error) -> Failure {
    Failure::new(ErrorCode::Backend, format!("genaid's database: {e}"))
}

fn nothing(finish: Finish) -> Completed {
    Completed { text: String::new(), finish, source: genai_protocol::Source::Local, model: String::new(), confidence: 0.0, prompt_tokens: 0, reused_tokens: 0, tokens: 0, first_token_ms: 0.0, total_ms: 0.0 }
}
