//! The model and what it has in mind.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use genai_protocol::{Completed, Completion, ErrorCode, Event, Finish, Role, Source};
use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::context::params::{LlamaContextParams, LlamaPoolingType};
use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::model::params::LlamaModelParams;
use llama_cpp_2::model::{LlamaChatMessage, LlamaChatTemplate, LlamaModel};
use llama_cpp_2::token::LlamaToken;

use crate::choice::Choice;
use crate::kept::Kept;
use crate::runner::Cli;
use crate::text::{Answer, plain};

/// Tokens read at a time. Between them a request can be ended: so few that this takes no longer than writing some tokens.
const BATCH: usize = 32;
/// Shorter beginnings are read faster than a file is worth.
const WORTH_KEEPING: usize = 32;
/// Tokens of a text that a vector is made of.
const EMBED_TOKENS: usize = 512;

/// Why there is no answer.
pub struct Failed(pub ErrorCode, pub String);

fn backend(what: &str) -> impl Fn(&dyn std::fmt::Display) -> Failed {
    move |e| Failed(ErrorCode::Backend, format!("{what}: {e}"))
}

/// A loaded model.
pub struct Model<'a> {
    backend: &'a LlamaBackend,
    model: &'a LlamaModel,
    context: LlamaContext<'a>,
    template: Option<LlamaChatTemplate>,
    name: String,
    kept: Option<Kept>,
    /// Tokens whose state the context holds.
    mind: Vec<LlamaToken>,
}

fn parameters(cli: &Cli, tokens: u32, batch: usize) -> LlamaContextParams {
    let threads = i32::try_from(cli.threads.max(1)).unwrap_or(1);
    LlamaContextParams::default().with_n_ctx(NonZeroU32::new(tokens)).with_n_batch(batch as u32).with_n_ubatch(batch as u32).with_n_threads(threads).with_n_threads_batch(threads)
}

/// Loads the model and works with it.
pub fn with_model(cli: &Cli, work: impl FnOnce(Model<'_>) -> Result<()>) -> Result<()> {
    let mut backend = LlamaBackend::init().context("starting llama.cpp")?;
    backend.void_logs();
    anyhow::ensure!(cli.model.is_file(), "there is no model {}", cli.model.display());
    // Mapped, not read: its memory is the page cache's.
    let options = LlamaModelParams::default().with_use_mmap(true);
    let mut model = LlamaModel::load_from_file(&backend, &cli.model, &options).with_context(|| format!("loading the model {}", cli.model.display()))?;
    let adapter = match &cli.adapter {
        None => None,
        Some(path) => {
            anyhow::ensure!(path.is_file(), "there is no adapter {}", path.display());
            Some(model.lora_adapter_init(path).with_context(|| format!("loading the adapter {}", path.display()))?)
        }
    };
    let size = cli.context.min(model.n_ctx_train().max(256));
    let mut context = model.new_context(&backend, parameters(cli, size, BATCH)).context("making room for the model's state")?;
    if let Some(mut adapter) = adapter {
        context.lora_adapter_set(&mut adapter, 1.0).context("putting the adapter on the model")?;
    }
    let files: Vec<_> = [Some(cli.model.as_path()), cli.adapter.as_deref()].into_iter().flatten().collect();
    let kept = cli.state.as_deref().map(|folder| Kept::new(folder, &files)).transpose()?;
    let name = model.meta_val_str("general.name").ok().filter(|n| !n.is_empty()).unwrap_or_else(|| cli.model.file_stem().unwrap_or_default().to_string_lossy().into_owned());
    let template = model.chat_template(None).ok();
    work(Model { backend: &backend, model: &model, context, template, name, kept, mind: Vec::new() })
}

impl Model<'_> {
    /// As its file calls it.
    pub fn name(&self) -> String {
        self.name.clone()
    }

    /// The prompt as text, and its beginning that only the system message makes.
    fn prompt(&self, c: &Completion) -> Result<(String, String), Failed> {
        if c.messages.is_empty() {
            return Ok((c.prompt.clone(), String::new()));
        }
        let Some(template) = &self.template else { return Err(Failed(ErrorCode::BadRequest, format!("the model {} has no chat format: send a prompt", self.name))) };
        let message = |role: &str, content: &str| LlamaChatMessage::new(role.to_owned(), plain(content)).map_err(|e| Failed(ErrorCode::BadRequest, format!("a message has a zero byte: {e}")));
        let mut chat = Vec::new();
        for m in &c.messages {
            let role = match m.role {
                Role::System => "system",
                Role::User => "user",
                Role::Assistant => "assistant",
            };
            chat.push(message(role, &m.content)?);
        }
        if !c.prompt.is_empty() {
            chat.push(message("user", &c.prompt)?);
        }
        let failed = backend("the model's chat format");
        let all = self.model.apply_chat_template(template, &chat, true).map_err(|e| failed(&e))?;
        let begin = match c.messages.first() {
            Some(m) if m.role == Role::System => self.model.apply_chat_template(template, &chat[..1], false).map_err(|e| failed(&e))?,
            _ => String::new(),
        };
        let begin = if all.starts_with(&begin) { begin } else { String::new() };
        Ok((all, begin))
    }

    /// Reads tokens up to `upto`, of which the context may know the first ones. `false`: somebody ended it.
    fn read(&mut self, tokens: &[LlamaToken], upto: usize, stop: &dyn Fn() -> bool) -> Result<bool, Failed> {
        let failed = backend("reading the prompt");
        let mut batch = LlamaBatch::new(BATCH, 1);
        while self.mind.len() < upto {
            if stop() {
                return Ok(false);
            }
            let from = self.mind.len();
            let to = upto.min(from + BATCH);
            batch.clear();
            for (at, token) in tokens.iter().enumerate().take(to).skip(from) {
                batch.add(*token, at as i32, &[0], at + 1 == tokens.len()).map_err(|e| failed(&e))?;
            }
            self.context.decode(&mut batch).map_err(|e| failed(&e))?;
            self.mind.extend_from_slice(&tokens[from..to]);
        }
        Ok(true)
    }

    fn forget(&mut self, from: usize) {
        if from > 0 && self.context.kv_cache_seq_rm(0, Some(from as u32), None).is_ok() {
            self.mind.truncate(from);
        } else {
            self.context.clear_kv_cache();
            self.mind.clear();
        }
    }

    /// Takes a kept beginning, or reads it and keeps it. Tokens that need not be read therefore. Best effort: what cannot be kept is read again.
    fn begin(&mut self, tokens: &[LlamaToken], length: usize, stop: &dyn Fn() -> bool) -> Result<u32, Failed> {
        let Some(file) = self.kept.as_ref().map(|kept| kept.file(tokens[..length].iter().map(|token| token.0))) else { return Ok(0) };
        let is_whole = self.kept.as_ref().is_some_and(|kept| kept.is_whole(&file));
        if file.exists() && !is_whole {
            eprintln!("genaid-llama: {} is damaged: it is made anew", file.display());
            let _ = std::fs::remove_file(&file);
        }
        if is_whole {
            self.forget(0);
            match self.context.state_seq_load_file(&file, 0, length) {
                Ok((have, _)) if have == tokens[..length] => {
                    self.mind = have;
                    return Ok(length as u32);
                }
                other => {
                    // Of another version of llama.cpp: it is made anew.
                    eprintln!("genaid-llama: {} is of no use: {}", file.display(), other.map_or_else(|e| e.to_string(), |_| "other tokens".to_owned()));
                    self.forget(0);
                    let _ = std::fs::remove_file(&file);
                }
            }
        }
        let known = self.mind.len() as u32;
        if !self.read(tokens, length, stop)? {
            return Ok(known);
        }
        let context = &self.context;
        let write = |path: &std::path::Path| context.state_seq_save_file(path, 0, &tokens[..length]).map(drop).context("writing the state of a prompt");
        if let Some(kept) = &self.kept
            && let Err(e) = kept.keep(&file, write)
        {
            eprintln!("genaid-llama: {e:#}");
        }
        Ok(known)
    }

    /// Answers; `show` gets the pieces.
    pub fn complete(&mut self, c: &Completion, stop: &dyn Fn() -> bool, show: &mut dyn FnMut(String) -> Result<()>) -> Result<Event, Failed> {
        let start = Instant::now();
        let vocab = self.model.vocab();
        let (text, begin) = self.prompt(c)?;
        let special = !c.messages.is_empty();
        let tokens = vocab.tokenize(text.as_bytes(), vocab.should_add_bos() && !special, special);
        let size = self.context.n_ctx() as usize;
        if tokens.is_empty() || tokens.len() + 1 >= size {
            return Err(Failed(ErrorCode::Limit, format!("the prompt has {} tokens; 1 to {} are possible (local.context)", tokens.len(), size - 2)));
        }
        let mut choice = Choice::new(self.model, c)?;
        // The last token is always read, for what comes after it.
        let most = tokens.len() - 1;
        let same = |other: &[LlamaToken]| other.iter().zip(&tokens).take_while(|(a, b)| a == b).count().min(most);
        let common = same(&self.mind);
        let beginning = if begin.is_empty() { 0 } else { same(&vocab.tokenize(begin.as_bytes(), false, true)) };
        let deadline = (c.deadline_ms > 0).then(|| start + Duration::from_millis(c.deadline_ms));
        let ended = || stop() || deadline.is_some_and(|d| Instant::now() >= d);
        self.forget(common);
        let mut reused = self.mind.len() as u32;
        if beginning >= WORTH_KEEPING && self.mind.len() < beginning {
            reused = reused.max(self.begin(&tokens, beginning, &ended)?);
        }
        let mut done = Completed { text: String::new(), finish: Finish::Stop, source: Source::Local, model: self.name.clone(), confidence: 0.0, prompt_tokens: tokens.len() as u32, reused_tokens: reused, tokens: 0, first_token_ms: 0.0, total_ms: 0.0 };
        let all_read = self.read(&tokens, tokens.len(), &ended)?;
        let failed = backend("computing a token");
        let unshown = |e: anyhow::Error| Failed(ErrorCode::Backend, e.to_string());
        let (mut answer, mut log_sum) = (Answer::default(), 0.0f64);
        let mut batch = LlamaBatch::new(1, 1);
        done.finish = loop {
            if !all_read || ended() {
                break if stop() { Finish::Cancelled } else { Finish::Deadline };
            }
            if done.tokens >= c.max_tokens || self.mind.len() + 1 >= size {
                break Finish::Length;
            }
            let (token, log_probability) = choice.next(self.context.get_logits())?;
            if done.tokens == 0 {
                done.first_token_ms = start.elapsed().as_secs_f64() * 1e3;
            }
            log_sum += log_probability;
            done.tokens += 1;
            if vocab.is_eog(token) {
                break Finish::Stop;
            }
            let (piece, stopped) = answer.push(&vocab.token_to_piece(token, false, None), &c.stop);
            if !piece.is_empty() {
                show(piece).map_err(unshown)?;
            }
            if stopped {
                break Finish::Stop;
            }
            batch.clear();
            batch.add(token, self.mind.len() as i32, &[0], true).map_err(|e| failed(&e))?;
            self.context.decode(&mut batch).map_err(|e| failed(&e))?;
            self.mind.push(token);
        };
        let rest = answer.rest();
        if !rest.is_empty() {
            show(rest).map_err(unshown)?;
        }
        done.text = answer.text;
        if done.tokens > 0 {
            done.confidence = (log_sum / f64::from(done.tokens)).exp() as f32;
        }
        done.total_ms = start.elapsed().as_secs_f64() * 1e3;
        Ok(Event::Done(done))
    }

    /// The mean of what the model makes of a text's tokens, of length 1.
    pub fn embed(&mut self, texts: &[String], cli: &Cli) -> Result<Event, Failed> {
        let failed = backend("making a vector");
        let vocab = self.model.vocab();
        // Of its own, and gone afterwards: it is seldom asked for, and takes memory.
        let parameters = parameters(cli, EMBED_TOKENS as u32, EMBED_TOKENS).with_embeddings(true).with_pooling_type(LlamaPoolingType::Mean);
        let mut context = self.model.new_context(self.backend, parameters).map_err(|e| failed(&e))?;
        let mut vectors = Vec::new();
        for text in texts {
            let mut tokens = vocab.tokenize(text.as_bytes(), vocab.should_add_bos(), false);
            tokens.truncate(EMBED_TOKENS);
            if tokens.is_empty() {
                return Err(Failed(ErrorCode::BadRequest, "an empty text has no vector".to_owned()));
            }
            context.clear_kv_cache();
            let mut batch = LlamaBatch::new(EMBED_TOKENS, 1);
            for (at, token) in tokens.iter().enumerate() {
                batch.add(*token, at as i32, &[0], true).map_err(|e| failed(&e))?;
            }
            context.decode(&mut batch).map_err(|e| failed(&e))?;
            let mut v = context.embeddings_seq_ith(0).map_err(|e| failed(&e))?.to_vec();
            let length = v.iter().map(|x| x * x).sum::<f32>().sqrt();
            if length > 0.0 {
                v.iter_mut().for_each(|x| *x /= length);
            }
            vectors.push(v);
        }
        Ok(Event::Embeddings { vectors, model: self.name.clone() })
    }
}
