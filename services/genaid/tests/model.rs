//! genaid with SmolLM2-135M, in the programs that images have.

mod common;

use std::time::Instant;

use common::llama::{self, SYSTEM, question};
use common::{Genaid, wait_for};
use genai_protocol::{ClientError, Completed, Completion, ErrorCode, Event, Finish, Op};

#[test]
fn it_answers_streams_and_stops_when_told() {
    let genaid = llama::start("");
    let mut client = genaid.client();
    let mut pieces = Vec::new();
    let done = client.complete(question("", "What is the capital of France?"), |p| pieces.push(p.to_owned())).unwrap();
    assert!(done.text.contains("Paris"), "{done:?}");
    assert!(pieces.len() > 3 && pieces.concat() == done.text, "{pieces:?}");
    assert!(done.confidence > 0.2 && done.confidence <= 1.0, "{done:?}");
    let status = client.status().unwrap();
    assert!(status.engine == "llama.cpp" && status.instead.is_empty() && status.loaded && status.threads > 0, "{status:?}");
    assert!(status.memory_bytes > 64 << 20 && status.memory_bytes < 200 << 20, "{status:?}");
    // A stop text ends it and is not part of it.
    let stopped = client.complete(Completion { stop: vec!["Paris".into()], ..question("", "What is the capital of France?") }, |_| {}).unwrap();
    assert!(done.text.starts_with(&stopped.text) && !stopped.text.contains("Paris") && stopped.finish == Finish::Stop, "{stopped:?}");
    // Ended in the middle of a long answer: what was on its way comes, but not another line of it.
    let id = client.send(Op::Complete(Box::new(Completion { max_tokens: 1500, ..question("", "Write a long story about a ship.") }))).unwrap();
    assert!(matches!(client.receive().unwrap().event, Event::Token { .. }));
    client.send(Op::Cancel { target: id }).unwrap();
    let asked = Instant::now();
    let done = end_of(&mut client, id);
    assert!(done.finish == Finish::Cancelled && done.tokens < 200, "{done:?} after {:?}", asked.elapsed());
    // While it reads, too.
    let long = "word ".repeat(1800);
    let id = client.send(Op::Complete(Box::new(question("", &long)))).unwrap();
    wait_for("it to begin", || genaid.client().status().unwrap().busy);
    client.send(Op::Cancel { target: id }).unwrap();
    let done = end_of(&mut client, id);
    assert_eq!((done.finish, done.tokens), (Finish::Cancelled, 0));
    let too_long = client.complete(question("", &"word ".repeat(3000)), |_| {});
    assert!(matches!(&too_long, Err(ClientError::Refused { code: ErrorCode::Limit, message }) if message.contains("local.context")), "{too_long:?}");
}

fn end_of(client: &mut genai_protocol::Client, id: u64) -> Completed {
    loop {
        let reply = client.receive().unwrap();
        if let Event::Done(done) = reply.event
            && reply.id == id
        {
            return done;
        }
    }
}

#[test]
fn grammars_are_obeyed() {
    let genaid = llama::start("");
    let mut client = genaid.client();
    let grammar = r#"root ::= "{\"command\": \"" ("ls" | "cp" | "rm" | "du") "\", \"files\": [" name ("," name)? "]}"
name ::= "\"" [a-z] [a-z] [a-z] "\""
"#;
    let parsed: gbnf::Grammar = grammar.parse().unwrap();
    for temperature in [0.0, 1.5] {
        let ask = Completion { grammar: Some(grammar.into()), max_tokens: 60, temperature, seed: 7, ..question("", "Copy the files abc and xyz.") };
        let done = client.complete(ask, |_| {}).unwrap();
        assert!(parsed.matches(&done.text) && done.finish == Finish::Stop, "{done:?}");
        let value: serde_json::Value = serde_json::from_str(&done.text).unwrap();
        assert!(value["files"].as_array().is_some_and(|files| !files.is_empty()), "{value}");
    }
}

#[test]
fn what_was_read_is_kept_on_disk() {
    let mut genaid = llama::start("");
    // With the model in memory, and something else in its mind.
    let ask = |genaid: &Genaid| {
        let mut client = genaid.client();
        client.complete(question("", "What is the capital of France?"), |_| {}).unwrap();
        client.complete(question(SYSTEM, "How do I list files?"), |_| {}).unwrap()
    };
    let fresh = ask(&genaid);
    assert!(fresh.reused_tokens < 32 && fresh.prompt_tokens > 250, "{fresh:?}");
    genaid.restart();
    let restored = ask(&genaid);
    assert_eq!(restored.text, fresh.text);
    assert!(restored.reused_tokens > 200 && restored.first_token_ms < fresh.first_token_ms / 2.0, "{restored:?} {fresh:?}");
    // A file that is damaged is made anew.
    let folder = genaid.dir.path().join("state/prompts");
    let files = || std::fs::read_dir(&folder).unwrap().flatten().map(|e| e.path()).collect::<Vec<_>>();
    assert_eq!(files().len(), 1);
    let whole = std::fs::read(&files()[0]).unwrap();
    for damaged in [&whole[..whole.len() / 2], b"", b"no state at all"] {
        genaid.kill();
        std::fs::write(&files()[0], damaged).unwrap();
        genaid.restart();
        let anew = ask(&genaid);
        assert_eq!(anew.text, fresh.text);
        assert_eq!(std::fs::read(&files()[0]).unwrap().len(), whole.len());
    }
    // In the same process the beginning is in memory.
    let mut client = genaid.client();
    let next = client.complete(question(SYSTEM, "How do I copy a file?"), |_| {}).unwrap();
    assert!(next.reused_tokens > 200, "{next:?}");
}

#[test]
fn memory_has_a_limit_and_is_given_back() {
    let genaid = llama::start("idle_seconds = 1\nmemory_mib = 512\n");
    let mut client = genaid.client();
    let first = client.complete(question("", "What is the capital of France?"), |_| {}).unwrap();
    wait_for("the model to go", || {
        let status = client.status().unwrap();
        !status.loaded && status.memory_bytes == 0
    });
    assert_eq!(client.complete(question("", "What is the capital of France?"), |_| {}).unwrap().text, first.text);

    let genaid = llama::start("memory_mib = 60\n");
    let mut client = genaid.client();
    let refused = client.complete(Completion { max_tokens: 500, ..question(SYSTEM, "Tell me all about files.") }, |_| {});
    assert!(matches!(&refused, Err(ClientError::Refused { code: ErrorCode::Limit, message }) if message.contains("local.memory_mib")), "{refused:?}");
    assert!(!client.status().unwrap().loaded);
}

#[test]
fn vectors_are_near_where_meanings_are() {
    let genaid = llama::start("");
    let texts = ["how do I delete a file", "how can I remove a file", "the weather is nice in Italy"].map(str::to_owned).to_vec();
    let vectors = genaid.client().embed(texts).unwrap();
    let near = |a: usize, b: usize| vectors[a].iter().zip(&vectors[b]).map(|(x, y)| x * y).sum::<f32>();
    assert!(vectors.iter().all(|v| v.len() == 576 && (v.iter().map(|x| x * x).sum::<f32>() - 1.0).abs() < 1e-3));
    assert!(near(0, 1) > near(0, 2) && near(0, 1) > near(1, 2), "{} {} {}", near(0, 1), near(0, 2), near(1, 2));
}

#[test]
fn the_small_model_stands_in_until_the_other_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    std::fs::write(at("small.txt"), common::TEXT).unwrap();
    // Only the runner for older processors: it runs everywhere.
    std::fs::create_dir(at("runners")).unwrap();
    std::os::unix::fs::symlink(llama::runners().join("genaid-llama-v2"), at("runners/genaid-llama-v2")).unwrap();
    let settings = format!("[local]\nmodel = {:?}\nfallback = {:?}\nrunners = {:?}\n", at("model.gguf"), at("small.txt"), at("runners"));
    let model = at("model.gguf");
    let genaid = Genaid::start_in(dir, &settings);
    let mut client = genaid.client();
    let file = Completion { prompt: "what is a file?\n".into(), ..Completion::default() };
    assert_eq!(client.complete(file, |_| {}).unwrap().text, "A file is a named piece of data.");
    let status = client.status().unwrap();
    assert!(status.engine == "n-gram" && status.instead.contains("gpm install model-smollm2-135m") && status.model_problem.is_empty(), "{status:?}");
    std::os::unix::fs::symlink(llama::model(), &model).unwrap();
    wait_for("the model", || client.status().unwrap().engine == "llama.cpp");
    let done = client.complete(question("", "What is the capital of France?"), |_| {}).unwrap();
    assert!(done.text.contains("Paris"), "{done:?}");
    std::fs::remove_file(&model).unwrap();
    wait_for("the small one", || client.status().unwrap().engine == "n-gram");
    let again = client.complete(Completion { prompt: "what is a pipe?\n".into(), ..Completion::default() }, |_| {}).unwrap();
    assert!(again.text.starts_with("A pipe joins"), "{again:?}");
    wait_for("the model to go", || client.status().unwrap().memory_bytes < 16 << 20);
}

/// An adapter (LoRA) of rank 1 for one matrix, in GGUF: all of its first part is 1, of its second `value`.
fn adapter(value: f32) -> Vec<u8> {
    let width = 576u64;
    let mut out = b"GGUF".to_vec();
    let text = |out: &mut Vec<u8>, s: &str| {
        out.extend((s.len() as u64).to_le_bytes());
        out.extend(s.as_bytes());
    };
    out.extend(3u32.to_le_bytes());
    out.extend(2u64.to_le_bytes());
    out.extend(4u64.to_le_bytes());
    for (key, word) in [("general.type", "adapter"), ("general.architecture", "llama"), ("adapter.type", "lora")] {
        text(&mut out, key);
        out.extend(8u32.to_le_bytes());
        text(&mut out, word);
    }
    text(&mut out, "adapter.lora.alpha");
    out.extend(6u32.to_le_bytes());
    out.extend(1f32.to_le_bytes());
    for (name, sides, at) in [("blk.0.attn_output.weight.lora_a", [width, 1], 0u64), ("blk.0.attn_output.weight.lora_b", [1, width], width * 4)] {
        text(&mut out, name);
        out.extend(2u32.to_le_bytes());
        sides.iter().for_each(|side| out.extend(side.to_le_bytes()));
        out.extend(0u32.to_le_bytes());
        out.extend(at.to_le_bytes());
    }
    out.resize(out.len().next_multiple_of(32), 0);
    for part in [1.0, value] {
        (0..width).for_each(|_| out.extend(f32::to_le_bytes(part)));
    }
    out
}

#[test]
fn an_adapter_changes_what_the_model_says() {
    let say = |value: Option<f32>| {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("adapter.gguf");
        let line = value.map_or(String::new(), |value| {
            std::fs::write(&path, adapter(value)).unwrap();
            format!("adapter = {path:?}\n")
        });
        let genaid = llama::start(&line);
        genaid.client().complete(Completion { max_tokens: 8, ..question("", "What is the capital of France?") }, |_| {})
    };
    let plain = say(None).unwrap().text;
    assert_eq!(say(Some(0.0)).unwrap().text, plain, "one that adds nothing");
    assert_ne!(say(Some(5.0)).unwrap().text, plain);
    let dir = tempfile::tempdir().unwrap();
    let genaid = llama::start(&format!("adapter = {:?}\n", dir.path().join("none.gguf")));
    let missing = genaid.client().complete(question("", "Hello"), |_| {});
    assert!(matches!(&missing, Err(ClientError::Refused { message, .. }) if message.contains("there is no adapter")), "{missing:?}");
}
