//! Choosing among all readings of a request, whichever stage they come from: by how well each goes with the wording, what of the request it repeats, and what other readings say.
//!
//! The weights are of a log-linear model, near those fitted to what the readings of 281 requests did in the open half of the exam by effect (`tests/effect`).

use std::collections::BTreeSet;

use actions::{Risk, classify};

use crate::engine::{Context, Reading, SURE};
use crate::likely::{self, Likely, labels::labels};
use crate::recall::index::Index;
use crate::recall::lexer::Piece;
use crate::request::Request;
use crate::world::World;
use crate::{free, guard, recall};

/// What is known of a reading.
pub const FEATURES: usize = 16;

/// A reading that could be proposed.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Its stage.
    pub intent: &'static str,
    /// The command line.
    pub command: String,
    /// Why.
    pub why: String,
    /// How sure its stage is of it.
    pub confidence: f32,
    /// What it is weighed by.
    pub features: [f32; FEATURES],
}

/// How many known requests are looked at.
const RECALLED: usize = 8;
/// Neighbours that vote by what their commands are made of.
const VOTERS: usize = 20;

/// The readings of `text`: those at hand, best first, and others.
pub fn pool(at_hand: &[&Reading], text: &str, world: &dyn World, context: &Context) -> Vec<Candidate> {
    let index = context.known.unwrap_or_else(Index::shipped);
    let pieces = recall::pieces(index, text, world);
    let mut all: Vec<(Candidate, usize)> = Vec::new();
    let mut add = |intent: &'static str, command: &str, why: &str, confidence: f32, left: usize, first: bool| {
        if !all.iter().any(|(c, _)| c.command == command) {
            let mut features = [0.0; FEATURES];
            features[0] = f32::from(u8::from(first));
            all.push((Candidate { intent, command: command.to_owned(), why: why.to_owned(), confidence, features }, left));
        }
    };
    let every = if context.stages.free { free::every(text, world) } else { Vec::new() };
    let left_of = |command: &str| every.iter().find(|(b, ..)| b.command == command).map_or(0, |e| e.2);
    for (i, r) in at_hand.iter().enumerate() {
        let [step] = &r.plan.plan[..] else { continue };
        let command = step.action.text().into_owned();
        add(r.intent, &command, &step.why, r.plan.confidence, if r.intent == "free" { left_of(&command) } else { 0 }, i == 0);
    }
    for (built, confidence, left) in &every {
        add("free", &built.command, &built.why, *confidence, *left, false);
    }
    if context.stages.recall {
        let request = Request::new(text, world);
        for r in recall::recall_with(index, text, world, RECALLED) {
            let risk = classify(&r.command, &context.risk);
            if !context.stages.guard || guard::may_recall(risk, &request) {
                add("recall", &r.command, "Adapted from what was right for a similar request: look at it well.", r.score, 0, false);
            }
        }
    }
    // What can be meant in a wider or narrower way is there in both.
    for k in 0..all.len().min(8) {
        let (c, left) = (all[k].0.clone(), all[k].1);
        if classify(&c.command, &context.risk) == Risk::Safe {
            for command in variants(&c.command) {
                if !all.iter().any(|(o, _)| o.command == command) {
                    let mut features = [0.0; FEATURES];
                    features[14] = 1.0;
                    all.push((Candidate { command, features, ..c.clone() }, left));
                }
            }
        }
    }
    let known = context.likely.unwrap_or_else(likely::shipped);
    let likely = Likely::new(known, &pieces);
    let made: Vec<BTreeSet<String>> = all.iter().map(|(c, _)| labels(&c.command)).collect();
    let voters: Vec<(f32, BTreeSet<String>)> = index.nearest(&recall::lexer::features(&pieces), VOTERS).into_iter().filter_map(|(d, near)| Some((near * near, labels(&index.known(d)?.template.replace('\u{1}', ""))))).collect();
    let votes: f32 = voters.iter().map(|v| v.0).sum::<f32>().max(1e-6);
    let likelihoods: Vec<f32> = made.iter().map(|m| likely.of(m)).collect();
    let best = likelihoods.iter().copied().fold(f32::MIN, f32::max);
    let values: Vec<&str> = pieces.iter().filter_map(|p| if let Piece::Value(_, v) = p { Some(v.as_str()) } else { None }).collect();
    let lower = text.to_lowercase();
    for (i, (c, left)) in all.iter_mut().enumerate() {
        let f = &mut c.features;
        f[1] = (likelihoods[i] / 10.0).max(-5.0);
        f[2] = ((likelihoods[i] - best) / 10.0).max(-3.0);
        match c.intent {
            "free" => f[3 + (*left).min(2)] = 1.0,
            "recall" => {
                f[6] = 1.0;
                f[7] = c.confidence;
            }
            i if i.starts_with("compose") => f[8] = 1.0,
            _ => f[9] = c.confidence,
        }
        f[10] = values.iter().filter(|v| v.len() > 1 && !c.command.contains(v.trim_end_matches('/').trim_start_matches("./"))).count().min(4) as f32;
        f[11] = foreign(&c.command, &lower).min(4) as f32;
        f[12] = voters.iter().map(|(w, l)| w * likeness(l, &made[i])).sum::<f32>() / votes;
        f[15] = absent(&c.command, world).min(2) as f32;
        f[13] = made.iter().enumerate().filter(|(k, m)| *k != i && **m == made[i]).count().min(3) as f32;
    }
    all.into_iter().map(|a| a.0).collect()
}

/// The same search, of all kinds of files or of one, here only or below too, and so on: at most two of these changes at a time.
fn variants(command: &str) -> Vec<String> {
    if !command.starts_with("find ") {
        return Vec::new();
    }
    let mut out: Vec<String> = vec![command.to_owned()];
    for _ in 0..2 {
        for k in 0..out.len() {
            for (from, to) in TURNS {
                // A change at its first place; what is added stands before the first condition.
                let new = if let Some(condition) = from.strip_prefix('+') {
                    let Some(at) = out[k].find(" -").filter(|_| !out[k].contains(condition)) else { continue };
                    format!("{} {to}{}", &out[k][..at], &out[k][at..])
                } else if out[k].contains(from) {
                    out[k].replacen(from, to, if *to == " -name " { 9 } else { 1 })
                } else {
                    continue;
                };
                if !out.contains(&new) {
                    out.push(new);
                }
            }
        }
    }
    out.remove(0);
    out.truncate(24);
    out
}

/// What is turned into what; `+x` where `x` is not there.
const TURNS: &[(&str, &str)] = &[
    (" -type f", ""),
    (" -maxdepth 1", ""),
    (" -xdev", ""),
    (" -mindepth 1", ""),
    (" -iname ", " -name "),
    (" \\( -name '*.html' -o -name '*.htm' \\)", " -name '*.html'"),
    (" \\( -name '*.jpg' -o -name '*.jpeg' \\)", " -name '*.jpg'"),
    ("+-maxdepth", "-maxdepth 1"),
    ("+-type", "-type f"),
    (" -perm -", " -perm "),
    (" -mtime +29", " -mtime +30"),
    (" -mtime -1", " -mtime 0"),
    (" -name ", " -iname "),
];

/// How much of two sets is in both.
fn likeness(a: &BTreeSet<String>, b: &BTreeSet<String>) -> f32 {
    let both = a.intersection(b).count();
    both as f32 / (a.len() + b.len() - both).max(1) as f32
}

/// Files and places that a command begins with and that are not there.
fn absent(command: &str, world: &dyn World) -> usize {
    let Some(script) = crate::engine::parsed(command) else { return 2 };
    let gone = |name: &str| !name.contains(['*', '?', '[', '$', '{']) && world.exists(name).is_none();
    script
        .invocations
        .iter()
        .map(|i| {
            let arguments: Vec<&str> = i.words.iter().skip(1).filter_map(actions::shell::Arg::literal).collect();
            match i.words.first().and_then(actions::shell::Arg::literal) {
                Some("find") => arguments.iter().take_while(|a| !a.starts_with(['-', '(', '!'])).filter(|a| gone(a)).count(),
                Some("cat" | "ls" | "du" | "wc" | "sort" | "head" | "tail" | "comm" | "diff" | "uniq" | "tac" | "nl" | "cd" | "file" | "stat" | "md5sum") => arguments.iter().filter(|a| !a.starts_with('-') && !a.starts_with('+') && !a.bytes().all(|b| b.is_ascii_digit()) && gone(a)).count(),
                Some("grep" | "sed" | "awk") => arguments.iter().filter(|a| !a.starts_with('-')).skip(1).filter(|a| gone(a)).count(),
                _ => 0,
            }
        })
        .sum()
}

/// Words of a command, no options or programs, of which nothing stands in the request.
fn foreign(command: &str, request: &str) -> usize {
    let Some(script) = crate::engine::parsed(command) else { return 4 };
    script
        .invocations
        .iter()
        .flat_map(|i| i.words.iter().skip(1))
        .filter(|w| {
            let text = w.text.to_lowercase();
            !text.starts_with('-') && text.len() > 2 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"*./_-".contains(&b)) && text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|p| p.len() > 2).any(|p| !request.contains(p)) && !crate::world::BUILTINS.contains(&text.as_str())
        })
        .count()
}

/// The weights of the features.
const WEIGHTS: [f32; FEATURES] = [1.7, 0.8, 0.7, 1.8, 0.6, 0.3, -1.0, 2.3, 0.0, -0.5, -0.5, -0.6, 1.3, 0.0, -0.4, -2.0];

/// How much better another reading must be than the first.
const MARGIN: f32 = 0.2;

/// How good a reading is, beside others of the same request.
pub fn score(c: &Candidate) -> f32 {
    c.features.iter().zip(WEIGHTS).map(|(f, w)| f * w).sum()
}

/// The reading that is better than the first, if there is one, and how likely it is the best.
pub fn better(at_hand: &[&Reading], text: &str, world: &dyn World, context: &Context) -> Option<(Candidate, f32)> {
    let all = pool(at_hand, text, world, context);
    let first = all.iter().find(|c| c.features[0] > 0.0);
    // What was read or is sure gives way only to another reading of the same words, never to what was right for other words.
    let sure = first.is_some_and(|f| f.confidence >= SURE);
    let may = |c: &&Candidate| !sure || c.features[0] > 0.0 || c.intent == "free" && first.is_some_and(|f| f.intent == "free");
    let best = all.iter().filter(may).max_by(|a, b| score(a).total_cmp(&score(b)))?;
    let total: f32 = all.iter().map(|c| (score(c) - score(best)).exp()).sum();
    let ahead = first.map_or(f32::MAX, |f| score(best) - score(f));
    // What is proposed instead changes no more than what was read.
    let risk = classify(&best.command, &context.risk);
    (ahead > MARGIN && best.features[0] == 0.0 && risk <= first.map_or(Risk::Safe, |f| classify(&f.command, &context.risk))).then(|| {
        let confidence = match first {
            Some(f) if sure => f.confidence * 0.9,
            _ => (1.0 / total).min(if best.intent == "recall" { 0.49 } else { 0.86 }),
        };
        (best.clone(), confidence)
    })
}
