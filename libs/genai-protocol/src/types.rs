//! Requests and replies.

use serde::{Deserialize, Serialize};

/// One request. `id` is the client's: replies repeat it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Chosen by the client, unique among its unanswered requests.
    pub id: u64,
    /// What is asked.
    #[serde(flatten)]
    pub op: Op,
}

/// What can be asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Op {
    /// Continue or answer a text.
    Complete(Box<Completion>),
    /// End a request of the same connection; it answers with what it has, [`Finish::Cancelled`].
    Cancel {
        /// Its number.
        target: u64,
    },
    /// Vectors that are near for texts of similar meaning.
    Embed {
        /// The texts.
        texts: Vec<String>,
    },
    /// How the service is.
    Status,
    /// Forget what was said in a session.
    EndSession {
        /// Its name.
        session: String,
    },
    /// Forget all cached answers.
    ClearCache,
    /// Free the model's memory; the next request loads it again.
    Unload,
    /// Record how far the user is in a subject of learning.
    Progress {
        /// What is learnt, e.g. `shell.pipes`.
        subject: String,
        /// 0 to 1.
        fraction: f64,
        /// Result of the last exercise, 0 to 1, where there was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        score: Option<f64>,
    },
    /// What has been recorded by [`Op::Progress`].
    ProgressReport,
}

/// Who is served first, where several wait.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Work nobody waits for: it is put back when something more urgent comes.
    Background,
    /// The default.
    #[default]
    Normal,
    /// A person waits.
    Interactive,
}

/// Where an answer may come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Route {
    /// The model on this machine.
    Local,
    /// The configured endpoint, where a rule allows it.
    Cloud,
    /// The model on this machine; the endpoint where that is unsure and a rule allows it.
    Hybrid,
}

impl Route {
    /// All of them.
    pub const ALL: [Route; 3] = [Route::Local, Route::Cloud, Route::Hybrid];

    /// Its name in settings and boot parameters.
    pub fn name(self) -> &'static str {
        match self {
            Route::Local => "local",
            Route::Cloud => "cloud",
            Route::Hybrid => "hybrid",
        }
    }
}

/// Who says a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Role {
    System,
    User,
    Assistant,
}

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Who says it.
    pub role: Role,
    /// What.
    pub content: String,
}

/// A text to continue or to answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Completion {
    /// Messages, in the model's chat format. Without any, `prompt` is continued as it stands.
    pub messages: Vec<Message>,
    /// Text to continue. With `messages`, it is a further message of the user.
    pub prompt: String,
    /// Most tokens to write.
    pub max_tokens: u32,
    /// 0: always the likeliest token.
    pub temperature: f32,
    /// For the random choice at a temperature above 0.
    pub seed: u32,
    /// Texts that end the answer (and are not part of it).
    pub stop: Vec<String>,
    /// The answer must match this grammar (GBNF, its rule `root`).
    pub grammar: Option<String>,
    /// Who is served first.
    pub priority: Priority,
    /// Name of a conversation that genaid remembers for this user.
    pub session: Option<String>,
    /// Whether pieces of the answer are sent as they are made.
    pub stream: bool,
    /// Whether a cached answer will do, and this one may be cached. Only answers at temperature 0 without a session are.
    pub cache: bool,
    /// Where it may come from; genaid's mode where not given.
    pub route: Option<Route>,
    /// What it is for, in a word, e.g. `chat`: rules on what may leave the machine name it.
    pub purpose: String,
    /// Milliseconds after which what is there is the answer; 0: no limit.
    pub deadline_ms: u64,
}

impl Default for Completion {
    fn default() -> Self {
        Completion {
            messages: Vec::new(),
            prompt: String::new(),
            max_tokens: 256,
            temperature: 0.0,
            seed: 0,
            stop: Vec::new(),
            grammar: None,
            priority: Priority::Normal,
            session: None,
            stream: false,
            cache: true,
            route: None,
            purpose: "general".to_owned(),
            deadline_ms: 0,
        }
    }
}

impl Completion {
    /// Bytes of all texts in it.
    pub fn text_bytes(&self) -> usize {
        let said: usize = self.messages.iter().map(|m| m.content.len()).sum();
        let ends: usize = self.stop.iter().map(String::len).sum();
        self.prompt.len() + said + self.grammar.as_ref().map_or(0, String::len) + ends
    }
}

/// Why an answer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Finish {
    /// The model was done, a stop text came, or the grammar ended.
    Stop,
    /// `max_tokens`, or the model's context is full.
    Length,
    /// Somebody ended it.
    Cancelled,
    /// The deadline has passed.
    Deadline,
}

/// Where an answer came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The model on this machine.
    Local,
    /// The endpoint.
    Cloud,
    /// The cache, for the same request.
    Cache,
    /// The cache, for a request that is nearly the same.
    CacheNear,
}

/// A finished answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Completed {
    /// All of the answer.
    pub text: String,
    /// Why it ends.
    pub finish: Finish,
    /// Where it came from.
    pub source: Source,
    /// The model's name.
    pub model: String,
    /// Geometric mean of the probabilities that the model gave the tokens it wrote, 0 to 1. Of an endpoint that does not say: 0.
    pub confidence: f32,
    /// Tokens read, of which `reused_tokens` had been read before (memory or disk).
    pub prompt_tokens: u32,
    /// See `prompt_tokens`.
    pub reused_tokens: u32,
    /// Tokens written.
    pub tokens: u32,
    /// Milliseconds until the first token.
    pub first_token_ms: f64,
    /// Milliseconds until the last.
    pub total_ms: f64,
}

/// What kind of error it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The request makes no sense.
    BadRequest,
    /// There is no model to answer it.
    NoModel,
    /// A limit: too many requests wait, a text is too long, too little memory.
    Limit,
    /// No rule allows it.
    Denied,
    /// The model or the endpoint failed.
    Backend,
}

/// One line of genaid's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// The request's number; 0 for a line that could not be read.
    pub id: u64,
    /// What is answered.
    #[serde(flatten)]
    pub event: Event,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A piece of the answer; more follows.
    Token {
        /// The piece.
        text: String,
    },
    /// The end of [`Op::Complete`].
    Done(Completed),
    /// The end of [`Op::Embed`].
    Embeddings {
        /// One vector a text, each of length 1.
        vectors: Vec<Vec<f32>>,
        /// What made them.
        model: String,
    },
    /// The end of [`Op::Status`].
    Status(Box<Status>),
    /// The end of [`Op::ProgressReport`].
    Progress {
        /// Last recorded values by subject.
        subjects: Vec<SubjectProgress>,
    },
    /// The end of what has no other answer.
    Ok,
    /// The end of a request that failed.
    Error {
        /// What kind.
        code: ErrorCode,
        /// What was tried, on what, and what to do.
        message: String,
    },
}

impl Event {
    /// Whether no more replies follow for the request.
    pub fn is_last(&self) -> bool {
        !matches!(self, Event::Token { .. })
    }
}

/// How far a user is in a subject.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubjectProgress {
    /// What is learnt.
    pub subject: String,
    /// 0 to 1.
    pub fraction: f64,
    /// Mean of the scores given, 0 to 1; `None` where there was none.
    pub mean_score: Option<f64>,
    /// How often it was recorded.
    pub updates: u64,
}

/// How the service is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Status {
    /// `local`, `cloud` or `hybrid`.
    pub mode: String,
    /// The model that answers, and what is wrong where none can be used.
    pub model: String,
    /// Empty where the model can be used.
    pub model_problem: String,
    /// What answers: `llama.cpp` or `n-gram`.
    pub engine: String,
    /// Why that is not the configured model; empty where it is.
    pub instead: String,
    /// Whether it is in memory.
    pub loaded: bool,
    /// Memory of the process that holds it, in bytes.
    pub memory_bytes: u64,
    /// Most it may have.
    pub memory_limit_bytes: u64,
    /// Threads that it computes with.
    pub threads: u32,
    /// Requests that wait for the model.
    pub waiting: u32,
    /// Whether it works on one.
    pub busy: bool,
    /// The endpoint; empty where none is configured.
    pub endpoint: String,
    /// Requests since the start that succeeded, by source.
    pub answered_local: u64,
    /// See `answered_local`.
    pub answered_cloud: u64,
    /// Requests that failed.
    pub failed: u64,
    /// Requests that no rule let leave.
    pub denied: u64,
    /// Background requests put back for urgent ones.
    pub preempted: u64,
    /// Median milliseconds until the first token, over the last 256 local answers.
    pub first_token_ms: f64,
    /// Tokens a second, over the same.
    pub tokens_per_second: f64,
    /// Of the cache.
    pub cache: CacheStatus,
}

/// How the cache is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CacheStatus {
    /// Answers in it.
    pub entries: u64,
    /// Their size.
    pub bytes: u64,
    /// Answers given for the same request.
    pub hits: u64,
    /// Answers given for a request nearly the same.
    pub near_hits: u64,
    /// Requests that it had nothing for.
    pub misses: u64,
    /// Answers thrown out for room.
    pub evicted: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_short_to_write() {
        let r: Request = serde_json::from_str(r#"{"id":3,"op":"complete","prompt":"hello"}"#).unwrap();
        let Op::Complete(c) = &r.op else { panic!("{r:?}") };
        assert_eq!((c.prompt.as_str(), c.max_tokens, c.priority), ("hello", 256, Priority::Normal));
        let back: Request = serde_json::from_str(&serde_json::to_string(&r).unwrap()).unwrap();
        assert_eq!(back, r);
        assert_eq!(serde_json::to_string(&Request { id: 1, op: Op::Status }).unwrap(), r#"{"id":1,"op":"status"}"#);
    }

    #[test]
    fn replies_come_back_as_they_went() {
        let done = Completed { text: "a".into(), finish: Finish::Stop, source: Source::CacheNear, model: "m".into(), confidence: 0.5, prompt_tokens: 1, reused_tokens: 0, tokens: 1, first_token_ms: 1.0, total_ms: 2.0 };
        for event in [Event::Token { text: "x\n".into() }, Event::Done(done), Event::Ok, Event::Status(Box::default()), Event::Error { code: ErrorCode::NoModel, message: "m".into() }] {
            let reply = Reply { id: 7, event };
            let line = serde_json::to_string(&reply).unwrap();
            assert!(!line.contains('\n'));
            assert_eq!(serde_json::from_str::<Reply>(&line).unwrap(), reply);
        }
    }

    #[test]
    fn lines_have_a_limit() {
        let mut text = vec![b'a'; crate::MAX_LINE + 5];
        assert!(crate::read_line(&mut &text[..]).is_err());
        text.truncate(10);
        assert_eq!(crate::read_line(&mut &text[..]).unwrap(), None);
        text.push(b'\n');
        assert_eq!(crate::read_line(&mut &text[..]).unwrap().unwrap().len(), 10);
    }
}
