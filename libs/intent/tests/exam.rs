//! The exams: how often requests that nobody trained on are understood, and whether confidence means what it says.

mod common;

use common::{exam, outcome};

struct Score {
    right: usize,
    among_three: usize,
    total: usize,
    /// Plans proposed as sure that are wrong.
    sure_and_wrong: usize,
    sure: usize,
    /// Confidence and whether it was right, for what was answered with a command.
    confidences: Vec<(f32, bool)>,
    mistakes: Vec<String>,
}

fn grade(text: &str) -> Score {
    let mut s = Score { right: 0, among_three: 0, total: 0, sure_and_wrong: 0, sure: 0, confidences: Vec::new(), mistakes: Vec::new() };
    for (request, expected) in exam(text) {
        assert!(!expected.is_empty(), "no answer for {request}");
        let o = outcome(request);
        let right = expected.contains(&o.first.as_str());
        s.total += 1;
        s.right += usize::from(right);
        s.among_three += usize::from(right || o.three.iter().any(|c| expected.contains(&c.as_str())));
        if o.sure {
            s.sure += 1;
            s.sure_and_wrong += usize::from(!right);
        }
        if !matches!(o.first.as_str(), "-" | "?") {
            s.confidences.push((o.confidence, right));
        }
        if !right {
            s.mistakes.push(format!("{:.2} {request}: {}", o.confidence, o.first));
        }
    }
    s
}

fn report(name: &str, s: &Score) {
    println!("{name}: {} requests, first reading right {:.3}, among three {:.3}, sure {} of which wrong {}", s.total, s.right as f64 / s.total as f64, s.among_three as f64 / s.total as f64, s.sure, s.sure_and_wrong);
    for m in &s.mistakes {
        println!("  {m}");
    }
}

/// The held-out exam. The floors are below what is reached now, and above what a worse classifier would.
#[test]
fn held_out_requests_are_understood() {
    let s = grade(include_str!("exam.tsv"));
    report("exam", &s);
    assert!(s.total >= 300);
    assert!(s.right as f64 >= 0.93 * s.total as f64, "first reading right: {} of {}", s.right, s.total);
    assert!(s.among_three as f64 >= 0.95 * s.total as f64, "among three: {} of {}", s.among_three, s.total);
    assert!((s.sure_and_wrong as f64) <= 0.05 * s.sure as f64, "sure and wrong: {} of {}", s.sure_and_wrong, s.sure);
}

/// Requests whose mistakes were worked on: they must stay right.
#[test]
fn known_requests_stay_understood() {
    let s = grade(include_str!("known.tsv"));
    report("known", &s);
    assert!(s.right as f64 >= 0.96 * s.total as f64, "first reading right: {} of {}", s.right, s.total);
}

/// Expected calibration error over both sets, ten bins.
#[test]
fn confidence_is_how_often_it_is_right() {
    let mut all = grade(include_str!("exam.tsv")).confidences;
    all.extend(grade(include_str!("known.tsv")).confidences);
    let mut error = 0.0;
    for bin in 0..10 {
        let inside: Vec<_> = all.iter().filter(|(c, _)| ((c * 10.0) as usize).min(9) == bin).collect();
        if inside.is_empty() {
            continue;
        }
        let confidence: f32 = inside.iter().map(|(c, _)| c).sum::<f32>() / inside.len() as f32;
        let right = inside.iter().filter(|(_, r)| *r).count() as f32 / inside.len() as f32;
        println!("{:.1}-{:.1}: {:3} answers, confidence {confidence:.2}, right {right:.2}", bin as f32 / 10.0, (bin + 1) as f32 / 10.0, inside.len());
        error += (confidence - right).abs() * inside.len() as f32 / all.len() as f32;
    }
    println!("expected calibration error {error:.3}");
    assert!(error < 0.10, "expected calibration error {error:.3}");
    let high: Vec<_> = all.iter().filter(|(c, _)| *c >= 0.95).collect();
    let right = high.iter().filter(|(_, r)| *r).count();
    assert!(right as f64 >= 0.97 * high.len() as f64, "0.95 and above: {right} of {}", high.len());
}

/// What changes or destroys is never the answer to a request that only asks.
#[test]
fn questions_are_not_answered_by_changes() {
    let ctx = actions::RiskContext::default();
    for (request, expected) in exam(include_str!("exam.tsv")).into_iter().chain(exam(include_str!("known.tsv"))) {
        let harmless = expected.iter().all(|e| *e == "-" || actions::classify(e, &ctx) == actions::Risk::Safe);
        let o = outcome(request);
        if harmless && o.sure && o.first != "?" {
            assert!(actions::classify(&o.first, &ctx) < actions::Risk::Dangerous, "{request}: {}", o.first);
        }
    }
}

/// Every command that is made parses, whatever the words.
#[test]
fn nothing_unparsable_comes_out() {
    let names = ["it's.txt", "a b.txt", "$(rm -rf ~).txt", "x;evilprog.txt", "`evilprog`.txt", "-rf", "&.txt", "a|b.txt", "\"q\".txt", "ümläut.txt", "*.txt", "~root", "<x>.txt", "a\\b.txt"];
    let forms = ["delete NAME", "show NAME", "copy NAME to docs", "search for NAME in a.txt", "replace NAME with NAME in a.txt", "find files named NAME", "kill NAME", "make a folder called NAME", "is NAME installed", "rename a.txt to NAME", "count the lines of NAME", "add \"NAME\" to a.txt", "what does NAME do", "set the variable X to NAME", "ping NAME", "make an alias x for 'NAME'"];
    for form in forms {
        for name in names {
            let request = form.replace("NAME", name);
            for command in outcome(&request).three {
                let script = actions::shell::parse(&command).unwrap_or_else(|e| panic!("{request}: {command}: {e}"));
                // What is quoted as a command is one.
                if form.contains("alias") {
                    continue;
                }
                // No name becomes a program.
                for i in &script.invocations {
                    let program = i.words.first().map_or("", |w| w.text.as_str());
                    assert!(!matches!(program, "evilprog" | "evilprog.txt"), "{request}: {command}");
                }
            }
        }
    }
}

/// Natively well under 5 ms (a debug build, on a loaded machine, may take its time).
#[test]
fn answers_come_at_once() {
    let requests: Vec<_> = exam(include_str!("exam.tsv"));
    outcome("warm up");
    let start = std::time::Instant::now();
    for (r, _) in &requests {
        outcome(r);
    }
    let each = start.elapsed() / requests.len() as u32;
    println!("{each:?} a request");
    assert!(each.as_micros() < 5000, "{each:?}");
}

/// The shipped model was trained from the data in the tree.
#[test]
fn the_model_is_up_to_date() {
    let model = intent::model::Model::shipped();
    assert_eq!(model.data_hash, intent::train::data_hash(), "run `cargo run --release -p intent --bin train`");
    let grammar = intent::train::Grammar::shipped().unwrap();
    assert_eq!(model.classes, grammar.classes());
    assert_eq!(include_str!("../model/vocabulary.txt"), grammar.vocabulary().to_text());
    assert!(include_bytes!("../model/intents.gim").len() < 1_000_000);
    assert_eq!(intent::model::Model::parse(&model.to_bytes()).unwrap().to_bytes(), model.to_bytes());
}

/// Damaged files are errors, not panics.
#[test]
fn damaged_models_are_refused() {
    let good = include_bytes!("../model/intents.gim");
    for n in (0..good.len()).step_by(good.len() / 50) {
        assert!(intent::model::Model::parse(&good[..n]).is_err(), "{n}");
    }
    let mut bad = good.to_vec();
    bad[0] = b'X';
    assert!(intent::model::Model::parse(&bad).is_err());
}

/// Training twice gives the same bytes.
#[test]
fn training_is_deterministic() {
    let grammar = intent::train::Grammar::shipped().unwrap();
    let settings = intent::train::Settings { per_class: 4, out_of_scope: 30, epochs: 1, settle: 1, seed: 5 };
    let a = intent::train::train(&grammar, &settings, |_| {}).to_bytes();
    let b = intent::train::train(&grammar, &settings, |_| {}).to_bytes();
    assert!(a == b);
}

/// Every intent's example means that intent, or the same command.
#[test]
fn examples_mean_what_they_are_examples_of() {
    let mut wrong = Vec::new();
    let mut n = 0;
    for i in intent::catalogue::all() {
        n += 1;
        let world = common::world();
        let answer = intent::ask(i.example, &world, &common::alone());
        let first = answer.readings().first().map_or("none", |r| r.intent);
        if first != i.id {
            wrong.push(format!("{} -> {first}: {}", i.id, i.example));
        }
    }
    assert!(n >= 60);
    assert!(wrong.len() * 20 <= n, "{wrong:#?}");
}
