//! What makes answers on this machine.

mod best;
mod ngram;
mod process;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use genai_protocol::{Completed, Completion, ErrorCode};

use crate::config::Local;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What kind.
    pub code: ErrorCode,
    /// What was tried, on what, and what to do.
    pub message: String,
}

impl Failure {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Failure {
        Failure { code, message: message.into() }
    }
}

/// Ends a request from another thread.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// When an answer has to stop.
#[derive(Debug, Clone, Default)]
pub struct Until {
    cancels: Vec<Cancel>,
    deadline: Option<Instant>,
}

impl Until {
    /// At the request's deadline, or when one of these ends it.
    pub fn of(completion: &Completion, cancels: impl IntoIterator<Item = Cancel>) -> Until {
        let deadline = (completion.deadline_ms > 0).then(|| Instant::now() + Duration::from_millis(completion.deadline_ms));
        Until { cancels: cancels.into_iter().collect(), deadline }
    }

    pub fn is_cancelled(&self) -> bool {
        self.cancels.iter().any(Cancel::is_cancelled)
    }

    pub fn passed(&self) -> bool {
        self.deadline.is_some_and(|d| Instant::now() >= d)
    }
}

/// How an engine is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EngineStatus {
    /// What it is made by: `llama.cpp` or `n-gram`.
    pub kind: &'static str,
    pub loaded: bool,
    pub memory_bytes: u64,
    pub threads: u32,
    /// Why the configured model is not the one that answers; empty where it is.
    pub instead: String,
}

/// Something that completes texts on this machine. One request at a time.
pub trait Engine: Send {
    /// The model's name.
    fn name(&self) -> String;
    /// Why it cannot work, where that is known beforehand; empty where it can.
    fn problem(&self) -> String;
    /// Completes; `on_token` gets the pieces.
    fn complete(&mut self, completion: &Completion, until: &Until, on_token: &mut dyn FnMut(&str)) -> Result<Completed, Failure>;
    /// A vector of length 1 for each text.
    fn embed(&mut self, texts: &[String]) -> Result<Vec<Vec<f32>>, Failure>;
    /// Frees its memory; the next request takes it again.
    fn unload(&mut self);
    fn status(&self) -> EngineStatus;
}

/// The engine for the configured model.
pub fn open(local: &Local, state: &std::path::Path) -> Box<dyn Engine> {
    if local.model.extension().is_some_and(|e| e == "txt") {
        Box::new(ngram::Ngram::new(&local.model))
    } else {
        Box::new(best::Best::new(process::Process::new(local, state), ngram::Ngram::new(&local.fallback)))
    }
}

/// Cuts at the first stop text; whether there was one. Returns how much of `text` may be shown already: what could be the
/// beginning of a stop text is held back.
pub fn stop_at(text: &mut String, stops: &[String]) -> (bool, usize) {
    if let Some(at) = stops.iter().filter(|s| !s.is_empty()).filter_map(|s| text.find(s.as_str())).min() {
        text.truncate(at);
        return (true, at);
    }
    let held = stops
        .iter()
        .flat_map(|s| s.char_indices().skip(1).map(|(i, _)| &s[..i]))
        .filter(|beginning| text.ends_with(beginning))
        .map(str::len)
        .max()
        .unwrap_or(0);
    (false, text.len() - held)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stop_texts() {
        let stops = vec!["</s>".to_owned(), "\n\n".to_owned()];
        let mut t = "abc</s>def\n\n".to_owned();
        assert_eq!((stop_at(&mut t, &stops), t.as_str()), ((true, 3), "abc"));
        let mut t = "abc</".to_owned();
        assert_eq!(stop_at(&mut t, &stops), (false, 3));
        let mut t = "abc\n".to_owned();
        assert_eq!(stop_at(&mut t, &stops), (false, 3));
        let mut t = "é".to_owned();
        assert_eq!(stop_at(&mut t, &["éa".to_owned()]), (false, 0));
    }
}
