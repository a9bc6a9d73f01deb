//! What `./gos bench genai` runs: genaid on this host with the model that images have, as a client sees it. A JSON object a line.

#[path = "../tests/common/mod.rs"]
mod common;

use std::time::Instant;

use common::llama::{self, SYSTEM, question};
use genai_protocol::{Completed, Completion};

fn print(name: &str, unit: &str, value: f64) {
    println!("{}", serde_json::json!({"name": name, "unit": unit, "value": value}));
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// One word out of a few, as a classifier or a plan's head would have it.
const SHORT: &str = "root ::= \"ls\" | \"cp\" | \"mv\" | \"rm\" | \"mkdir\" | \"du\" | \"df\" | \"ps\" | \"kill\" | \"unknown\"";
const QUESTIONS: [&str; 12] = [
    "How do I list files?",
    "Copy a file for me.",
    "Give the file another name.",
    "I want this file gone.",
    "A new folder please.",
    "How large is this folder?",
    "How much space is left?",
    "What is running?",
    "End this program.",
    "Show me what is here.",
    "Make a copy of notes.txt.",
    "Which processes are there?",
];

fn main() {
    // Cargo's tests may call it too.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let mut genaid = llama::start("");
    let mut client = genaid.client();
    let mut ask = |c: Completion| -> Completed { client.complete(c, |_| {}).expect("an answer") };
    // Loading, with the file in the page cache.
    let begun = Instant::now();
    ask(Completion { max_tokens: 1, ..question("", "Hello") });
    print("load and first token", "ms", begun.elapsed().as_secs_f64() * 1e3);
    let fresh = ask(question(SYSTEM, QUESTIONS[0]));
    print("first token, prompt read", "ms", fresh.first_token_ms);
    print("tokens of the prompt", "", f64::from(fresh.prompt_tokens));
    print("reading a prompt", "tokens/s", f64::from(fresh.prompt_tokens - fresh.reused_tokens) / fresh.first_token_ms * 1e3);
    let restored = (0..5).map(|_| {
        ask(Completion { max_tokens: 1, ..question("", "Hello") });
        ask(Completion { max_tokens: 2, ..question(SYSTEM, QUESTIONS[0]) })
    });
    let restored: Vec<Completed> = restored.collect();
    assert!(restored.iter().all(|done| done.reused_tokens > 200), "{restored:?}");
    print("first token, state from disk", "ms", median(restored.iter().map(|done| done.first_token_ms).collect()));
    let long = ask(Completion { max_tokens: 100, ..question("", "Write a long story about a ship.") });
    print("writing", "tokens/s", f64::from(long.tokens - 1) / (long.total_ms - long.first_token_ms) * 1e3);
    ask(question(SYSTEM, QUESTIONS[0]));
    let short = |c: &str| Completion { grammar: Some(SHORT.into()), max_tokens: 8, ..question(SYSTEM, c) };
    print("short answer, warm, median", "ms", median(QUESTIONS.iter().map(|q| ask(short(q)).total_ms).collect()));
    let vectors = (0..5).map(|_| {
        let begun = Instant::now();
        genaid.client().embed(vec![QUESTIONS[0].to_owned()]).expect("a vector");
        begun.elapsed().as_secs_f64() * 1e3
    });
    print("vector of a question, median", "ms", median(vectors.collect()));
    print("memory, model in use", "MiB", genaid.client().status().expect("the status").memory_bytes as f64 / f64::from(1 << 20));
    genaid.restart();
    let mut client = genaid.client();
    let cold = client.complete(question(SYSTEM, QUESTIONS[0]), |_| {}).expect("an answer");
    assert!(cold.reused_tokens > 200, "{cold:?}");
    print("load, state from disk, first token", "ms", cold.first_token_ms);
}
