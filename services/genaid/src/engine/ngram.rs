//! A small model of characters: how often each followed the last few in a text, mixed over lengths of context by
//! Witten and Bell's estimate. It knows the text it was made from and nothing else; it needs no more than some
//! megabytes, learns in a moment, and obeys grammars. For machines too slow for a language model, and for tests.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use gbnf::{Grammar, Matcher};
use genai_protocol::{Completed, Completion, ErrorCode, Finish, Source};

use super::{Engine, EngineStatus, Failure, Until, stop_at};
use crate::embedding;

/// Characters of context.
const ORDER: usize = 10;
/// Longest text that is read, in bytes.
const MAX_TEXT: u64 = 2 << 20;
/// Stands for the end of a paragraph, which is where answers end.
const END: char = '\u{3}';

struct Model {
    /// Every character of the text.
    alphabet: Vec<char>,
    /// What followed a context, by its hash.
    follows: HashMap<u64, Vec<(char, u32)>>,
}

fn hash(context: &[char]) -> u64 {
    context.iter().fold(0xcbf2_9ce4_8422_2325 ^ context.len() as u64, |h, c| (h ^ u64::from(u32::from(*c))).wrapping_mul(0x0100_0000_01b3).rotate_left(23))
}

impl Model {
    fn learn(text: &str) -> Model {
        let mut chars: Vec<char> = Vec::new();
        for paragraph in text.split("\n\n").map(str::trim).filter(|p| !p.is_empty()) {
            chars.push(END);
            chars.extend(paragraph.chars());
        }
        chars.push(END);
        let mut alphabet = chars.clone();
        alphabet.sort_unstable();
        alphabet.dedup();
        let mut follows: HashMap<u64, Vec<(char, u32)>> = HashMap::new();
        for at in 1..chars.len() {
            for length in 0..=ORDER.min(at) {
                let counts = follows.entry(hash(&chars[at - length..at])).or_default();
                match counts.iter_mut().find(|(c, _)| *c == chars[at]) {
                    Some((_, n)) => *n += 1,
                    None => counts.push((chars[at], 1)),
                }
            }
        }
        Model { alphabet, follows }
    }

    /// The probability of each character of the alphabet after `context`.
    fn distribution(&self, context: &[char]) -> Vec<(char, f64)> {
        let mut p: Vec<(char, f64)> = self.alphabet.iter().map(|c| (*c, 1.0 / self.alphabet.len() as f64)).collect();
        for length in 0..=ORDER.min(context.len()) {
            let Some(counts) = self.follows.get(&hash(&context[context.len() - length..])) else { break };
            let total: u32 = counts.iter().map(|(_, n)| n).sum();
            let kinds = counts.len() as f64;
            let whole = f64::from(total) + kinds;
            for (_, q) in &mut p {
                *q *= kinds / whole;
            }
            for (c, n) in counts {
                if let Ok(i) = p.binary_search_by(|(have, _)| have.cmp(c)) {
                    p[i].1 += f64::from(*n) / whole;
                }
            }
        }
        p
    }
}

/// The engine.
pub struct Ngram {
    path: PathBuf,
    model: Option<Model>,
}

impl Ngram {
    pub fn new(path: &Path) -> Ngram {
        Ngram { path: path.to_owned(), model: None }
    }

    fn model(&mut self) -> Result<&Model, Failure> {
        if self.model.is_none() {
            let fail = |e: std::io::Error| Failure::new(ErrorCode::NoModel, format!("reading the model's text {}: {e}", self.path.display()));
            let size = std::fs::metadata(&self.path).map_err(fail)?.len();
            if size > MAX_TEXT {
                return Err(Failure::new(ErrorCode::NoModel, format!("the model's text {} has {size} bytes; at most {MAX_TEXT} are read", self.path.display())));
            }
            self.model = Some(Model::learn(&std::fs::read_to_string(&self.path).map_err(fail)?));
        }
        self.model.as_ref().ok_or_else(|| Failure::new(ErrorCode::NoModel, "no model"))
    }
}

/// A pseudo-random number from 0 to 1 (xorshift).
fn random(state: &mut u64) -> f64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    (*state >> 11) as f64 / (1u64 << 53) as f64
}

fn choose(mut candidates: Vec<(char, f64)>, temperature: f32, state: &mut u64) -> Option<(char, f64)> {
    let total: f64 = candidates.iter().map(|(_, p)| p).sum();
    candidates.iter_mut().for_each(|(_, p)| *p /= total);
    if temperature <= 0.0 {
        return candidates.into_iter().max_by(|a, b| a.1.total_cmp(&b.1));
    }
    let weight = |p: f64| p.powf(1.0 / f64::from(temperature));
    let sum: f64 = candidates.iter().map(|(_, p)| weight(*p)).sum();
    let mut left = random(state) * sum;
    for (c, p) in &candidates {
        left -= weight(*p);
        if left <= 0.0 {
            return Some((*c, *p));
        }
    }
    candidates.pop()
}

impl Engine for Ngram {
    fn name(&self) -> String {
        format!("ngram:{}", self.path.file_name().unwrap_or_default().to_string_lossy())
    }

    fn problem(&self) -> String {
        if self.path.exists() { String::new() } else { format!("the model's text {} is not there", self.path.display()) }
    }

    fn complete(&mut self, completion: &Completion, until: &Until, on_token: &mut dyn FnMut(&str)) -> Result<Completed, Failure> {
        let start = Instant::now();
        let grammar: Option<Grammar> = completion.grammar.as_deref().map(str::parse).transpose().map_err(|e| Failure::new(ErrorCode::BadRequest, format!("{e}")))?;
        let mut matcher = grammar.as_ref().map(Matcher::new);
        let name = self.name();
        let model = self.model()?;
        // A conversation is its lines, each answer the line below a question.
        let mut context: Vec<char> = vec![END];
        for m in &completion.messages {
            context.extend(m.content.trim().chars());
            context.push('\n');
        }
        if !completion.prompt.is_empty() {
            context.extend(completion.prompt.chars());
            if !completion.messages.is_empty() {
                context.push('\n');
            }
        }
        let prompt_tokens = context.len() as u32;
        let (mut text, mut shown, mut log_sum, mut tokens) = (String::new(), 0, 0.0, 0);
        let mut state = u64::from(completion.seed) ^ 0x9e37_79b9_7f4a_7c15;
        let mut first = None;
        let finish = loop {
            if until.is_cancelled() {
                break Finish::Cancelled;
            }
            if until.passed() {
                break Finish::Deadline;
            }
            if tokens >= completion.max_tokens {
                break Finish::Length;
            }
            let mut candidates = model.distribution(&context);
            if let Some(m) = &matcher {
                if m.must_end() {
                    break Finish::Stop;
                }
                candidates.retain(|(c, _)| if *c == END { m.may_end() } else { m.can_accept(*c) });
                // What the text never had, but the grammar wants.
                if candidates.is_empty() {
                    candidates.extend(m.next_ranges().iter().take(64).map(|(low, _)| (*low, 1.0)));
                }
            }
            let Some((c, p)) = choose(candidates, completion.temperature, &mut state) else { break Finish::Stop };
            first.get_or_insert_with(|| start.elapsed());
            log_sum += p.ln();
            tokens += 1;
            if c == END {
                break Finish::Stop;
            }
            if let Some(m) = &mut matcher {
                m.accept(c);
            }
            context.push(c);
            text.push(c);
            let (stopped, showable) = stop_at(&mut text, &completion.stop);
            if showable > shown {
                on_token(&text[shown..showable]);
                shown = showable;
            }
            if stopped {
                break Finish::Stop;
            }
        };
        if shown < text.len() {
            on_token(&text[shown..]);
        }
        Ok(Completed {
            text,
            finish,
            source: Source::Local,
            model: name,
            confidence: if tokens == 0 { 0.0 } else { (log_sum / f64::from(tokens)).exp() as f32 },
            prompt_tokens,
            reused_tokens: 0,
            tokens,
            first_token_ms: first.unwrap_or_default().as_secs_f64() * 1e3,
            total_ms: start.elapsed().as_secs_f64() * 1e3,
        })
    }

    fn embed(&mut self, texts: &[String]) -> Result<Vec<Vec<f32>>, Failure> {
        Ok(texts.iter().map(|t| embedding::of(t)).collect())
    }

    fn unload(&mut self) {
        self.model = None;
    }

    fn status(&self) -> EngineStatus {
        // Of the counts; a pair has 8 bytes, a context about 48 around it.
        let memory = self.model.as_ref().map_or(0, |m| m.follows.values().map(|v| 48 + 8 * v.capacity() as u64).sum());
        EngineStatus { kind: "n-gram", loaded: self.model.is_some(), memory_bytes: memory, threads: 1, instead: String::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "what is a pipe?\nA pipe joins the output of one program to the input of the next.\n\nwhat is a file?\nA file is a named piece of data.\n\nhow many days has a week?\nA week has 7 days.\n\nhow many days has a year?\nA year has 365 days.\n";

    fn ask(completion: Completion) -> Completed {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("m.txt");
        std::fs::write(&path, TEXT).unwrap();
        let mut engine = Ngram::new(&path);
        let until = Until::of(&completion, []);
        let mut pieces = String::new();
        let done = engine.complete(&completion, &until, &mut |t| pieces.push_str(t)).unwrap();
        assert_eq!(pieces, done.text);
        done
    }

    #[test]
    fn it_answers_from_its_text() {
        let done = ask(Completion { prompt: "what is a file?\n".into(), ..Default::default() });
        assert_eq!(done.text, "A file is a named piece of data.");
        assert_eq!(done.finish, Finish::Stop);
        assert!(done.confidence > 0.5, "{}", done.confidence);
        // What it has not seen it is less sure of.
        let other = ask(Completion { prompt: "zxqv".into(), max_tokens: 20, ..Default::default() });
        assert!(other.confidence < done.confidence);
    }

    #[test]
    fn it_obeys_limits_stops_and_grammars() {
        let q = "how many days has a year?\n";
        assert_eq!(ask(Completion { prompt: q.into(), max_tokens: 6, ..Default::default() }).text, "A year");
        assert_eq!(ask(Completion { prompt: q.into(), stop: vec![" 365".into()], ..Default::default() }).text, "A year has");
        let grammar = "root ::= \"days: \" [0-9]+ \"!\"";
        let done = ask(Completion { prompt: q.into(), grammar: Some(grammar.into()), ..Default::default() });
        assert!(grammar.parse::<Grammar>().unwrap().matches(&done.text) || done.finish == Finish::Length, "{}", done.text);
        let (a, b) = (ask(Completion { prompt: "what".into(), temperature: 1.5, seed: 1, ..Default::default() }), ask(Completion { prompt: "what".into(), temperature: 1.5, seed: 1, ..Default::default() }));
        assert_eq!(a.text, b.text);
    }
}
