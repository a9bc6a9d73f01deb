//! Follow-ups: what goes on from the last plan, and what does not.

#[allow(dead_code)]
mod common;

use actions::risk::RiskContext;
use actions::{Action, Plan, Risk, Step};
use common::world;
use intent::follow::Output;
use intent::{Answer, Context};

fn risk() -> RiskContext {
    RiskContext { cwd: None, home: None, redefined: vec![] }
}

/// A session in which `before` was asked (or run, with `$ `) and printed `output`.
fn session(before: &str, output: &str) -> Context {
    let world = world();
    let context = Context { risk: risk(), ..Default::default() };
    let plan = match before.strip_prefix("$ ") {
        Some(c) => Plan { plan: vec![Step { action: Action::Command { text: c.into() }, why: String::new(), risk: Risk::Safe, missing: vec![] }], confidence: 1.0, source: "test".into() },
        None => match intent::ask(before, &world, &context) {
            Answer::Plan { best, .. } => best.plan,
            other => panic!("{before}: {other:?}"),
        },
    };
    let output = (output != "-").then(|| Output { text: output.replace("\\n", "\n").replace("\\t", "\t"), complete: true });
    Context { last: Some((before.into(), plan)), output, ..context }
}

fn answer(text: &str, context: &Context) -> String {
    match intent::ask(text, &world(), context) {
        Answer::Missing { .. } => "!".into(),
        Answer::OutOfScope { .. } => "-".into(),
        other => other.readings()[0].plan.plan[0].action.text().into_owned(),
    }
}

#[test]
fn written_cases() {
    let mut wrong = Vec::new();
    let mut total = 0;
    for line in include_str!("follow.tsv").lines().filter(|l| !l.starts_with('#') && !l.trim().is_empty()) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [before, output, follow, right @ ..] = &fields[..] else { panic!("{line}") };
        total += 1;
        let got = answer(follow, &session(before, output));
        if !right.contains(&got.as_str()) {
            wrong.push(format!("{before} / {follow}\n    got  {got}\n    want {}", right.join("  or  ")));
        }
    }
    println!("{} of {total} right", total - wrong.len());
    assert!(total >= 60);
    assert!(wrong.is_empty(), "{} of {total} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// What destroys keeps its class, however it was referred to: two files that are named change something, a directory or a search may destroy.
#[test]
fn deleting_by_reference_keeps_its_class() {
    for (before, output, follow, risk) in [
        ("$ find . -type f -name '*.txt'", "a.txt\\nb.txt\\n", "delete them", Risk::Confirm),
        ("$ find . -type f", "-", "delete them", Risk::Dangerous),
        ("$ ls", "a.txt  docs\\n", "remove the second one", Risk::Dangerous),
    ] {
        match intent::ask(follow, &world(), &session(before, output)) {
            Answer::Plan { best, .. } => assert_eq!(best.plan.risk(), risk, "{follow}: {:?}", best.plan),
            other => panic!("{other:?}"),
        }
    }
}

/// Names with every odd character are handed over as exactly themselves: what bash makes of the command is the name.
#[test]
fn names_from_outputs_are_quoted() {
    for name in ["my file.txt", "a'b", "$(touch x)", "-rf", "a;b", "`x`", "*", "new$HOME", "\"q\"", "a&b", "~"] {
        let world = intent::world::FixedWorld { files: vec![name.into()], ..Default::default() };
        let mut context = session("$ find . -type f", "-");
        context.output = Some(Output { text: format!("{name}\n"), complete: true });
        let Answer::Plan { best, .. } = intent::ask("delete it", &world, &context) else { panic!("{name}") };
        let command = best.plan.plan[0].action.text().into_owned();
        let arguments = command.strip_prefix("rm -- ").unwrap_or_else(|| panic!("{command}"));
        let out = std::process::Command::new("bash").args(["-c", &format!("HOME='~'; printf %s {arguments}")]).output().unwrap();
        let got = String::from_utf8(out.stdout).unwrap();
        assert!(got == name || got == format!("./{name}"), "{name}: {command}");
    }
}

/// Any follow-up after any output ends in an answer whose commands parse; a random walk over the words of the cases.
#[test]
fn any_words_after_any_output() {
    let cases: Vec<Vec<&str>> = include_str!("follow.tsv").lines().filter(|l| !l.starts_with('#')).map(|l| l.split('\t').collect()).collect();
    let words: Vec<&str> = cases.iter().flat_map(|c| c[2].split(' ')).collect();
    let mut state = 7u64;
    let mut next = |n: usize| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as usize % n
    };
    let world = world();
    for _ in 0..4000 {
        let case = &cases[next(cases.len())];
        let context = session(case[0].strip_prefix("$ ").map_or("$ find . -type f", |_| case[0]), case[1]);
        let text: Vec<&str> = (0..=next(6)).map(|_| words[next(words.len())]).collect();
        let text = text.join(" ");
        if let Some(answer) = intent::follow::ask(&text, &world, &context) {
            for r in answer.readings() {
                let command = r.plan.plan[0].action.text();
                assert!(actions::shell::parse(&command).is_ok(), "{text}: {command}");
                assert_eq!(r.plan.plan[0].risk, actions::classify(&command, &context.risk), "{text}");
            }
        }
    }
}

/// Without a plan before there is nothing to go on from.
#[test]
fn nothing_before() {
    let context = Context { risk: risk(), ..Default::default() };
    for text in ["delete them", "now only the big ones", "undo that", "the second one"] {
        assert!(intent::follow::ask(text, &world(), &context).is_none(), "{text}");
    }
}
