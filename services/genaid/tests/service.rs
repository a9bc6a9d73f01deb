//! genaid as its clients see it: a real process, a real socket.

mod common;

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;

use common::{Endpoint, Genaid, wait_for};
use genai_protocol::{Client, ClientError, Completed, Completion, ErrorCode, Event, Finish, Op, Priority, Route, Source};

fn question(text: &str) -> Completion {
    Completion { prompt: format!("{text}\n"), ..Completion::default() }
}

/// One that goes on for as long as it may.
fn endless() -> Completion {
    Completion { prompt: "what".into(), grammar: Some("root ::= [a-z ]* \"§\"".into()), temperature: 2.0, max_tokens: 100_000_000, cache: false, ..Completion::default() }
}

fn code(result: Result<Completed, ClientError>) -> ErrorCode {
    match result {
        Err(ClientError::Refused { code, .. }) => code,
        other => panic!("{other:?}"),
    }
}

#[test]
fn it_answers_streams_and_remembers() {
    let mut genaid = Genaid::start("");
    let mut client = genaid.client();
    let mut pieces = Vec::new();
    let done = client.complete(Completion { stream: true, ..question("what is a file?") }, |p| pieces.push(p.to_owned())).unwrap();
    assert_eq!(done.text, "A file is a named piece of data.");
    assert_eq!((done.source, done.finish), (Source::Local, Finish::Stop));
    assert!(pieces.len() > 3 && pieces.concat() == done.text, "{pieces:?}");
    // Again, and nearly so; also after a new start, and a kill.
    assert_eq!(client.complete(question("what is a file?"), |_| {}).unwrap().source, Source::Cache);
    genaid.restart();
    let mut client = genaid.client();
    let near = client.complete(question("What is a file ?"), |_| {}).unwrap();
    assert_eq!((near.source, near.text), (Source::CacheNear, done.text.clone()));
    assert_eq!(client.complete(Completion { cache: false, ..question("what is a file?") }, |_| {}).unwrap().source, Source::Local);
    assert_eq!(client.complete(question("what is a pipe?"), |_| {}).unwrap().text, "A pipe joins the output of one program to the input of the next.");
    let s = client.status().unwrap();
    assert_eq!((s.mode.as_str(), s.model.as_str(), s.answered_local, s.cache.near_hits, s.cache.entries), ("local", "ngram:model.txt", 2, 1, 2));
    assert!(s.loaded && s.memory_bytes > 0 && s.tokens_per_second > 0.0, "{s:?}");
    client.ask(Op::ClearCache, |_| {}).unwrap();
    assert_eq!(client.status().unwrap().cache.entries, 0);
    // Vectors: near for the same words.
    let v = client.embed(vec!["a red house".into(), "the house is red".into(), "delete files".into()]).unwrap();
    let cosine = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
    assert!(cosine(&v[0], &v[1]) > cosine(&v[0], &v[2]));
}

#[test]
fn conversations_are_remembered_by_user_and_name() {
    let genaid = Genaid::start("");
    let mut client = genaid.client();
    let in_session = |text: &str, session: &str| Completion { session: Some(session.into()), ..question(text) };
    let first = client.complete(in_session("what is a file?", "a"), |_| {}).unwrap();
    let second = client.complete(in_session("what is a pipe?", "a"), |_| {}).unwrap();
    assert!(second.prompt_tokens > first.prompt_tokens + first.text.len() as u32, "what was said is part of the prompt");
    let other = client.complete(in_session("what is a pipe?", "b"), |_| {}).unwrap();
    assert!(other.prompt_tokens < second.prompt_tokens);
    client.ask(Op::EndSession { session: "a".into() }, |_| {}).unwrap();
    assert_eq!(client.complete(in_session("what is a pipe?", "a"), |_| {}).unwrap().prompt_tokens, other.prompt_tokens);
}

#[test]
fn what_is_too_much_or_wrong_is_refused() {
    let genaid = Genaid::start("[limits]\nrequest_bytes = 1000\ntokens = 100000000\nwaiting_per_user = 3\nconnections = 4");
    let mut client = genaid.client();
    assert_eq!(code(client.complete(question(&"x".repeat(1001)), |_| {})), ErrorCode::Limit);
    assert_eq!(code(client.complete(Completion::default(), |_| {})), ErrorCode::BadRequest);
    assert_eq!(code(client.complete(Completion { max_tokens: 0, ..question("a") }, |_| {})), ErrorCode::Limit);
    assert_eq!(code(client.complete(Completion { temperature: f32::INFINITY, ..question("a") }, |_| {})), ErrorCode::BadRequest);
    let Err(ClientError::Refused { message, .. }) = client.complete(Completion { grammar: Some("root ::= a".into()), ..question("a") }, |_| {}) else { panic!() };
    assert!(message.contains("no rule a"), "{message}");
    assert!(matches!(client.ask(Op::Embed { texts: vec![] }, |_| {}), Err(ClientError::Refused { code: ErrorCode::Limit, .. })));
    assert!(matches!(client.ask(Op::Cancel { target: 99 }, |_| {}), Err(ClientError::Refused { code: ErrorCode::BadRequest, .. })));
    assert!(matches!(client.ask(Op::Progress { subject: "s".into(), fraction: 1.5, score: None }, |_| {}), Err(ClientError::Refused { .. })));
    // One runs, three wait, the fifth is too much.
    let ids: Vec<u64> = (0..5).map(|_| client.send(Op::Complete(Box::new(endless()))).unwrap()).collect();
    wait_for("the refusal", || {
        let reply = client.receive().unwrap();
        matches!(reply.event, Event::Error { code: ErrorCode::Limit, .. })
    });
    for id in ids {
        let _ = client.send(Op::Cancel { target: id }).unwrap();
    }
    // Lines that are no requests.
    let mut raw = UnixStream::connect(genaid.socket()).unwrap();
    raw.write_all(b"hello\n{\"id\":7,\"op\":\"fly\"}\n{\"id\":8,\"op\":\"status\"}\n").unwrap();
    raw.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answers = String::new();
    raw.read_to_string(&mut answers).unwrap();
    let lines: Vec<&str> = answers.lines().collect();
    assert!(lines.len() == 3 && lines[0].contains("\"id\":0") && lines[1].contains("\"id\":7") && lines[2].contains("\"mode\":\"local\""), "{answers}");
    // Connections are counted, and free again when closed.
    let many: Vec<_> = (0..6).map(|_| UnixStream::connect(genaid.socket()).unwrap()).collect();
    drop(many);
    wait_for("a free place", || Client::connect_to(genaid.socket()).is_ok_and(|mut c| c.status().is_ok()));
}

#[test]
fn requests_end_when_asked_or_left_or_late() {
    let genaid = Genaid::start("[limits]\ntokens = 100000000");
    let mut client = genaid.client();
    let id = client.send(Op::Complete(Box::new(Completion { stream: true, ..endless() }))).unwrap();
    let first = client.receive().unwrap();
    assert!(matches!(first.event, Event::Token { .. }), "{first:?}");
    client.send(Op::Cancel { target: id }).unwrap();
    loop {
        let reply = client.receive().unwrap();
        if let Event::Done(done) = reply.event {
            assert_eq!((reply.id, done.finish), (id, Finish::Cancelled));
            break;
        }
    }
    let mut client = genaid.client();
    let late = client.complete(Completion { deadline_ms: 50, ..endless() }, |_| {}).unwrap();
    assert_eq!(late.finish, Finish::Deadline);
    assert!(!late.text.is_empty());
    // Who goes away frees the model.
    let mut left = genaid.client();
    left.send(Op::Complete(Box::new(endless()))).unwrap();
    drop(left);
    assert_eq!(client.complete(question("what is a file?"), |_| {}).unwrap().finish, Finish::Stop);
}

#[test]
fn who_waits_goes_before_work_nobody_waits_for() {
    let genaid = Genaid::start("[limits]\ntokens = 100000000");
    let mut background = genaid.client();
    let id = background.send(Op::Complete(Box::new(Completion { priority: Priority::Background, ..endless() }))).unwrap();
    let mut client = genaid.client();
    wait_for("the work to begin", || client.status().unwrap().busy);
    let done = client.complete(Completion { priority: Priority::Interactive, ..question("what is a file?") }, |_| {}).unwrap();
    assert_eq!(done.finish, Finish::Stop);
    assert_eq!(client.status().unwrap().preempted, 1);
    // It has begun anew and can be ended.
    background.send(Op::Cancel { target: id }).unwrap();
    let mut cancelled = false;
    for _ in 0..2 {
        let reply = background.receive().unwrap();
        cancelled |= matches!(reply.event, Event::Done(Completed { finish: Finish::Cancelled, .. }));
    }
    assert!(cancelled);
}

#[test]
fn an_idle_model_leaves_memory() {
    let genaid = Genaid::start("[local]\nidle_seconds = 1");
    let mut client = genaid.client();
    client.complete(question("what is a file?"), |_| {}).unwrap();
    wait_for("the model to go", || !client.status().unwrap().loaded);
    assert_eq!(client.complete(question("what is a pipe?"), |_| {}).unwrap().source, Source::Local);
    client.ask(Op::Unload, |_| {}).unwrap();
    wait_for("the model to go", || !client.status().unwrap().loaded);
}

#[test]
fn without_a_model_it_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let genaid = Genaid::start_in(dir, "");
    let mut client = genaid.client();
    assert!(client.status().unwrap().model_problem.contains("model.txt"));
    assert_eq!(code(client.complete(question("a"), |_| {})), ErrorCode::NoModel);
}

fn allow(genaid: &Genaid, rule: &str) {
    let path = genaid.dir.path().join("policy.toml");
    std::fs::write(&path, rule).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn nothing_leaves_without_a_rule_and_what_does_is_written_down() {
    let endpoint = Endpoint::start(&["forty", "-two"]);
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("model.txt"), common::TEXT).unwrap();
    let key = dir.path().join("key");
    std::fs::write(&key, "secret-key\n").unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let genaid = Genaid::start_in(dir, &format!("[cloud]\nendpoint = {:?}\nmodel = \"big\"\nkey_file = {key:?}\n", endpoint.address));
    let mut client = genaid.client();
    let away = |text: &str| Completion { route: Some(Route::Cloud), purpose: "chat".into(), cache: false, ..question(text) };
    let audit = genaid.dir.path().join("audit.jsonl");
    assert_eq!(code(client.complete(away("hello"), |_| {})), ErrorCode::Denied);
    allow(&genaid, "[[allow]]\nuser = \"*\"\npurpose = \"mail\"\n[[allow]]\nuser = \"*\"\npurpose = \"chat\"\nmax_bytes = 25\n");
    assert_eq!(code(client.complete(away(&"x".repeat(30)), |_| {})), ErrorCode::Denied);
    // A key that others may read is not used.
    assert_eq!(code(client.complete(away("hello"), |_| {})), ErrorCode::Backend);
    assert!(!audit.exists() && endpoint.count() == 0);
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    let mut pieces = String::new();
    let done = client.complete(Completion { stream: true, ..away("hello") }, |p| pieces.push_str(p)).unwrap();
    assert_eq!((done.text.as_str(), done.source, done.model.as_str(), done.tokens, pieces.as_str()), ("forty-two", Source::Cloud, "big", 2, "forty-two"));
    let (head, body) = endpoint.asked.lock().unwrap()[0].clone();
    assert!(head.to_lowercase().contains("authorization: bearer secret-key"), "{head}");
    let sent: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(sent["messages"][0]["content"], "hello\n");
    let line: serde_json::Value = serde_json::from_str(std::fs::read_to_string(&audit).unwrap().lines().next().unwrap()).unwrap();
    assert_eq!((line["rule"].as_u64(), line["bytes"].as_u64(), line["purpose"].as_str()), (Some(2), Some(body.len() as u64), Some("chat")));
    assert_eq!(std::fs::metadata(&audit).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!std::fs::read_to_string(&audit).unwrap().contains("secret-key"));
    // An answer that breaks the grammar is no answer.
    assert_eq!(code(client.complete(Completion { grammar: Some("root ::= [0-9]+".into()), ..away("hello") }, |_| {})), ErrorCode::Backend);
    assert_eq!(std::fs::read_to_string(&audit).unwrap().lines().count(), endpoint.count());
    // The rule is gone: so is the way out.
    allow(&genaid, "");
    assert_eq!(code(client.complete(away("hello"), |_| {})), ErrorCode::Denied);
    assert_eq!((endpoint.count(), client.status().unwrap().denied), (2, 3));
}

#[test]
fn hybrid_asks_the_endpoint_only_where_the_model_is_unsure() {
    let endpoint = Endpoint::start(&["from afar"]);
    let genaid = Genaid::start(&format!("mode = \"hybrid\"\n[local]\nunsure_below = 0.7\n[cloud]\nendpoint = {:?}\nmodel = \"big\"\n", endpoint.address));
    let mut client = genaid.client();
    allow(&genaid, "[[allow]]\nuser = \"*\"\npurpose = \"general\"\n");
    assert_eq!(client.complete(question("what is a file?"), |_| {}).unwrap().source, Source::Local);
    let unsure = Completion { max_tokens: 5, ..question("zebra crossing qqq") };
    assert_eq!(client.complete(unsure.clone(), |_| {}).unwrap().text, "from afar");
    // Not allowed: the local answer is the answer.
    assert_eq!(client.complete(Completion { purpose: "secret".into(), ..unsure }, |_| {}).unwrap().source, Source::Local);
    assert_eq!(endpoint.count(), 1);
}
