//! The configured model where it can be used, and the small one where not: before its package is installed, and after that is removed. It is looked
//! at for each request.

use genai_protocol::{Completed, Completion};

use super::ngram::Ngram;
use super::process::Process;
use super::{Engine, EngineStatus, Failure, Until};

/// The engine.
pub struct Best {
    model: Process,
    small: Ngram,
}

impl Best {
    pub fn new(model: Process, small: Ngram) -> Best {
        Best { model, small }
    }

    /// Whether the small one has to do.
    fn is_small(&self) -> bool {
        !self.model.problem().is_empty() && self.small.problem().is_empty()
    }

    fn current(&mut self) -> &mut dyn Engine {
        if self.is_small() {
            // A process whose files are gone has no future.
            self.model.unload();
            &mut self.small
        } else {
            self.small.unload();
            &mut self.model
        }
    }
}

impl Engine for Best {
    fn name(&self) -> String {
        if self.is_small() { self.small.name() } else { self.model.name() }
    }

    fn problem(&self) -> String {
        if self.is_small() { String::new() } else { self.model.problem() }
    }

    fn complete(&mut self, completion: &Completion, until: &Until, on_token: &mut dyn FnMut(&str)) -> Result<Completed, Failure> {
        self.current().complete(completion, until, on_token)
    }

    fn embed(&mut self, texts: &[String]) -> Result<Vec<Vec<f32>>, Failure> {
        self.current().embed(texts)
    }

    fn unload(&mut self) {
        self.model.unload();
        self.small.unload();
    }

    fn status(&self) -> EngineStatus {
        let model = self.model.status();
        if !self.is_small() {
            return model;
        }
        // A process that is left from before has memory until it is idle, or the small one is asked.
        let small = self.small.status();
        EngineStatus { loaded: small.loaded || model.loaded, memory_bytes: small.memory_bytes + model.memory_bytes, instead: self.model.problem(), ..small }
    }
}
