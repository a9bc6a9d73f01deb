//! Ranks the readings of a request and turns them into checked plans.

use actions::risk::{RiskContext, classify};
use actions::{Action, Plan, Step, shell};
use serde::Serialize;

use crate::catalogue::{self, Unfilled};
use crate::entity::Kind;
use crate::features::features;
use crate::guard;
use crate::model::Model;
use crate::request::Request;
use crate::world::World;

/// The class of requests that nothing here can do.
pub const OUT_OF_SCOPE: &str = "none";

/// The stages of the pipeline that are on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stages {
    /// Going on from the last plan.
    pub follow: bool,
    /// Windows and workspaces.
    pub windows: bool,
    /// Sentences read word for word, by rules.
    pub free: bool,
    /// Requests put together of parts, by rules.
    pub compose: bool,
    /// The classifier and its catalogue.
    pub intents: bool,
    /// Words without which nothing is destroyed or stopped.
    pub guard: bool,
    /// Similar known requests.
    pub recall: bool,
    /// Choosing among the readings of all stages.
    pub choose: bool,
}

impl Default for Stages {
    fn default() -> Self {
        Stages { follow: true, windows: true, free: true, compose: true, intents: true, guard: true, recall: true, choose: true }
    }
}

impl Stages {
    /// Switches one off by its name. False where there is none of that name.
    pub fn switch_off(&mut self, name: &str) -> bool {
        let stage = match name {
            "follow" => &mut self.follow,
            "windows" => &mut self.windows,
            "free" => &mut self.free,
            "compose" => &mut self.compose,
            "intents" => &mut self.intents,
            "guard" => &mut self.guard,
            "recall" => &mut self.recall,
            "choose" => &mut self.choose,
            _ => return false,
        };
        *stage = false;
        true
    }
}

/// What has gone on in a session: what later requests may refer to.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// Where commands would run, for the risk class.
    pub risk: RiskContext,
    /// The last request and the plan that ran for it.
    pub last: Option<(String, Plan)>,
    /// What that plan printed, as far as it is known and was kept.
    pub output: Option<crate::follow::Output>,
    /// Exit status of the last command line.
    pub last_status: i32,
    /// The windows, where a desktop runs.
    pub windows: Option<Vec<crate::windows::Window>>,
    /// What is on.
    pub stages: Stages,
    /// The known requests, where they are not the shipped ones.
    pub known: Option<&'static crate::recall::index::Index>,
    /// What wordings make likely, where it is not the shipped table.
    pub likely: Option<&'static Model>,
}

/// One way to understand a request.
#[derive(Debug, Clone, Serialize)]
pub struct Reading {
    /// The intent, `domain.action`.
    pub intent: &'static str,
    /// What would be done.
    pub plan: Plan,
}

/// What came of a request.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Understood. `others` are further readings, best first.
    Plan {
        /// The best reading.
        best: Reading,
        /// Others, at most four.
        others: Vec<Reading>,
    },
    /// Several readings are possible: pick one of up to three.
    Unsure {
        /// Best first.
        readings: Vec<Reading>,
    },
    /// Understood, but something was not said.
    Missing {
        /// The intent.
        intent: &'static str,
        /// What to ask back.
        question: &'static str,
        /// How sure the intent is, 0 to 1.
        confidence: f32,
        /// Other readings.
        others: Vec<Reading>,
    },
    /// Nothing this system can do.
    OutOfScope {
        /// How sure that is, 0 to 1.
        confidence: f32,
    },
}

impl Answer {
    /// All readings, best first.
    pub fn readings(&self) -> Vec<&Reading> {
        match self {
            Answer::Plan { best, others } => std::iter::once(best).chain(others).collect(),
            Answer::Unsure { readings } => readings.iter().collect(),
            Answer::Missing { others, .. } => others.iter().collect(),
            Answer::OutOfScope { .. } => Vec::new(),
        }
    }

    /// The confidence in the first reading, or in the outcome.
    pub fn confidence(&self) -> f32 {
        match self {
            Answer::Plan { best, .. } => best.plan.confidence,
            Answer::Unsure { readings } => readings.first().map_or(0.0, |r| r.plan.confidence),
            Answer::Missing { confidence, .. } | Answer::OutOfScope { confidence } => *confidence,
        }
    }
}

/// From here on a plan is proposed without alternatives.
pub const SURE: f32 = 0.5;
/// Below this nothing is proposed.
pub const HOPELESS: f32 = 0.08;
/// How much evidence more than another class the class of all else needs.
const NONE_BIAS: f32 = 0.5;
/// Training leaves some doubt about every label; this takes it back, so that confidence is how often it is right
/// (measured on the exam in `tests/`).
const SHARPEN: f32 = 1.35;
/// How many classes the builders are asked for.
const CANDIDATES: usize = 8;

/// The cost, in logits, of leaving something that was said out of a reading.
fn cost_of_leaving(kind: &Kind) -> f32 {
    match kind {
        Kind::Quoted(_) | Kind::Size(_) | Kind::Url(_) | Kind::Host(_) => 2.5,
        Kind::Path(_) | Kind::Ext(..) | Kind::Glob(_) => 2.2,
        Kind::Time(_) => 1.6,
        Kind::User(_) => 1.2,
        Kind::Num(_) => 1.0,
        Kind::Dir(d) => if d == "." || d == "/" { 0.2 } else { 1.4 },
    }
}

struct Candidate {
    class: usize,
    logit: f32,
    outcome: Result<catalogue::Built, Unfilled>,
}

/// Understands `text`: as going on from the last plan, as about windows, as put together of parts, by the classifier, by what is known of similar ones.
pub fn ask(text: &str, world: &dyn World, context: &Context) -> Answer {
    let on = context.stages;
    if text.len() > 2000 {
        return Answer::OutOfScope { confidence: 1.0 };
    }
    if on.follow
        && let Some(answer) = crate::follow::ask(text, world, context)
    {
        return answer;
    }
    if on.windows
        && let Some(windows) = &context.windows
        && let Some(answer) = crate::windows::ask(text, windows, &context.risk)
    {
        return answer;
    }
    if let Some(rest) = crate::prompted::without(text) {
        return asking_first(ask(&rest, world, context), world, context);
    }
    if let Some(text) = crate::text::imperative(text).or_else(|| crate::text::plainer(text)) {
        return ask(&text, world, context);
    }
    if on.free
        && let Some(text) = crate::located::located(text, world)
    {
        return ask(&text, world, context);
    }
    let read = if on.free { crate::free::read(text, world) } else { None };
    let answer = on.compose.then(|| composed(text, world, context)).flatten().unwrap_or_else(|| {
        let typed = if on.intents { ask_with(Model::shipped(), text, world, context) } else { Answer::OutOfScope { confidence: 0.5 } };
        if on.recall { with_recalled(typed, text, world, context) } else { typed }
    });
    let answer = doubted(answer, text, world);
    let answer = match read {
        Some((built, confidence, left)) => with_read(answer, &built, confidence, left, text, world, context),
        None => answer,
    };
    let answer = if on.choose { chosen(answer, text, world, context) } else { answer };
    if on.guard { heeded(answer, text, world) } else { answer }
}

/// With the reading first that goes best with the wording, where it does so clearly.
fn chosen(answer: Answer, text: &str, world: &dyn World, context: &Context) -> Answer {
    let at_hand = answer.readings();
    let settled = match &answer {
        Answer::OutOfScope { confidence } => *confidence > 0.9,
        Answer::Missing { .. } => true,
        // What people ask for every day is short and well known; what changes something was read or asked back for.
        _ => at_hand.first().is_none_or(|r| {
            let typed = r.intent != "free" && r.intent != "recall" && !r.intent.starts_with("compose");
            r.plan.plan.len() != 1 || r.plan.plan[0].risk > actions::Risk::Safe || typed && r.plan.confidence >= 0.9 && text.split_whitespace().count() <= 7
        }),
    };
    if settled {
        return answer;
    }
    let Some((better, confidence)) = crate::chosen::better(&at_hand, text, world, context) else { return answer };
    let Some(first) = reading(better.intent, &better.command, &better.why, confidence, world, context) else { return answer };
    let mut readings = vec![first];
    readings.extend(at_hand.into_iter().filter(|r| r.plan.plan[0].action.text() != better.command).take(4).cloned().map(|mut r| {
        r.plan.confidence = r.plan.confidence.min(confidence * 0.9);
        r
    }));
    answered(readings).unwrap_or(answer)
}

/// Readings as an answer: sure or not by the first of them.
fn answered(mut readings: Vec<Reading>) -> Option<Answer> {
    if readings.first()?.plan.confidence >= SURE {
        let best = readings.remove(0);
        readings.truncate(4);
        return Some(Answer::Plan { best, others: readings });
    }
    readings.truncate(3);
    Some(Answer::Unsure { readings })
}

/// Without the readings that change something here where another place was named, or delete files where something is taken away from them; with doubt about those that look here.
fn heeded(answer: Answer, text: &str, world: &dyn World) -> Answer {
    let r = Request::new(text, world);
    let property = guard::takes_a_property(&r);
    let looks = guard::only_looks(&r);
    let heedless = |x: &Reading| x.plan.plan.iter().any(|s| looks && s.risk > actions::Risk::Safe && guard::changes_files(&s.action.text()) || crate::lost::heedless(&s.action.text(), &r, s.risk > actions::Risk::Safe) || property && guard::deletes_files(&s.action.text()) && s.risk > actions::Risk::Safe);
    let readings = answer.readings();
    if !readings.iter().any(|x| heedless(x)) {
        return answer;
    }
    let intent = readings[0].intent;
    let mut kept: Vec<Reading> = readings.into_iter().cloned().collect();
    kept.retain(|x| x.plan.plan.iter().all(|s| s.risk == actions::Risk::Safe) || !heedless(x));
    let first = kept.first().is_some_and(heedless);
    for x in &mut kept {
        if heedless(x) {
            x.plan.confidence *= IGNORED;
        }
    }
    // Where the first one heeds it, all stay in their order.
    if first {
        kept.sort_by(|a, b| b.plan.confidence.total_cmp(&a.plan.confidence));
    }
    // What remains does something else than what was asked for.
    let changed = answer.readings().first().is_some_and(|x| x.plan.plan.iter().any(|s| s.risk > actions::Risk::Safe) && heedless(x));
    if changed || matches!(answer, Answer::Missing { .. }) {
        kept.retain(|x| !heedless(x));
        // Another reading that changes what is where the request says.
        let heeding: Vec<Reading> = kept.iter().filter(|x| x.plan.confidence >= SURE && x.plan.plan.iter().any(|s| s.risk > actions::Risk::Safe)).cloned().collect();
        if let Some(answer) = answered(heeding) {
            return answer;
        }
        let question = if property { "What is to be taken away, and from which files?" } else { "Where? What you name is no folder here, or was not understood." };
        return Answer::Missing { intent, question, confidence: SURE, others: kept };
    }
    answered(kept).unwrap_or(Answer::OutOfScope { confidence: SURE })
}

/// The readings as commands that ask before each file; what cannot ask is doubtful.
fn asking_first(answer: Answer, world: &dyn World, context: &Context) -> Answer {
    let readings: Vec<Reading> = answer
        .readings()
        .into_iter()
        .map(|x| {
            let asking = match &x.plan.plan[..] {
                [step] => crate::prompted::asking(&step.action.text()).and_then(|c| reading(x.intent, &c, &format!("{} Asks before each.", step.why), x.plan.confidence, world, context)),
                _ => None,
            };
            asking.unwrap_or_else(|| {
                let mut doubtful = x.clone();
                doubtful.plan.confidence *= DISREGARDED;
                doubtful
            })
        })
        .collect();
    answered(readings).unwrap_or(answer)
}

/// What is left of the confidence where asking first was asked for and a command cannot.
const DISREGARDED: f32 = 0.3;

/// A number, a quoted text, a file or a word in capitals that was said and is in no part of the command: something was ignored.
fn doubted(answer: Answer, text: &str, world: &dyn World) -> Answer {
    let Answer::Plan { mut best, others } = answer else { return answer };
    if best.intent.starts_with("follow") || best.intent == "free" {
        return Answer::Plan { best, others };
    }
    let [step] = &best.plan.plan[..] else { return Answer::Plan { best, others } };
    let command = step.action.text().into_owned();
    let r = Request::new(text, world);
    let numbers: Vec<&str> = command.split(|c: char| !c.is_ascii_digit()).filter(|n| !n.is_empty()).collect();
    let missing = |i: usize| {
        let t = &r.tokens[i];
        match r.entity_at(i).map(|e| &e.kind) {
            Some(Kind::Num(_)) => t.norm.bytes().all(|b| b.is_ascii_digit()) && t.norm != "1" && !numbers.contains(&t.norm.as_str()) && !command.contains(&t.raw),
            Some(Kind::Path(p)) => !command.contains(p.rsplit('/').next().unwrap_or(p)),
            Some(Kind::Quoted(q)) => !q.contains(['\'', '\\', '/', '&']) && !command.contains(q.as_str()),
            None => t.raw.len() > 2 && t.raw.bytes().all(|b| b.is_ascii_uppercase()) && t.raw != "TODO" && !command.to_uppercase().contains(&t.raw),
            _ => false,
        }
    };
    let ignored = (0..r.tokens.len()).filter(|&i| missing(i)).count();
    best.plan.confidence *= IGNORED.powi(ignored.min(4) as i32);
    if best.plan.confidence >= SURE { Answer::Plan { best, others } } else { Answer::Unsure { readings: std::iter::once(best).chain(others).take(3).collect() } }
}

/// What is left of the confidence where something that was said is ignored.
const IGNORED: f32 = 0.55;

/// Puts what was read word for word before the rest where it left nothing out, or where the rest is less sure.
fn with_read(answer: Answer, built: &catalogue::Built, confidence: f32, left: usize, text: &str, world: &dyn World, context: &Context) -> Answer {
    let Some(read) = reading("free", &built.command, &built.why, confidence, world, context) else { return answer };
    let others = |answer: Answer| -> Vec<Reading> {
        let same = |r: &Reading| r.plan.plan[0].action.text() == read.plan.plan[0].action.text();
        answer.readings().into_iter().filter(|r| !same(r)).take(4).cloned().collect()
    };
    if left == 0 {
        // What people ask for every day has plans that are made to be looked at, and that follow-ups know.
        let turned = text.split_whitespace().any(|w| matches!(w.to_lowercase().as_str(), "not" | "except" | "without" | "excluding" | "no"));
        let everyday = |r: &Reading| !turned && ["files.list", "files.largest", "proc.", "dir.", "file.count_", "disk.", "sys.kernel", "files.delete_matching"].iter().any(|p| r.intent.starts_with(p)) && r.plan.confidence >= 0.95;
        return match answer {
            Answer::Plan { best, mut others } if everyday(&best) && text.split_whitespace().count() <= 7 && !(best.intent == "dir.sizes" && built.command.ends_with("| head -n 1")) => {
                others.insert(0, read);
                others.truncate(4);
                Answer::Plan { best, others }
            }
            answer => Answer::Plan { others: others(answer), best: read },
        };
    }
    if answer.confidence() >= confidence && !matches!(answer, Answer::OutOfScope { .. }) {
        return answer;
    }
    let mut readings = others(answer);
    readings.insert(0, read);
    readings.truncate(3);
    Answer::Unsure { readings }
}

fn reading(intent: &'static str, command: &str, why: &str, confidence: f32, world: &dyn World, context: &Context) -> Option<Reading> {
    let step = step(command, why, world, &context.risk)?;
    Some(Reading { intent, plan: Plan { plan: vec![step], confidence, source: format!("intent:{intent}") } })
}

/// What is put together of parts; with a file for its output, what is asked for by itself.
fn composed(text: &str, world: &dyn World, context: &Context) -> Option<Answer> {
    if let Some((inner, file)) = crate::compose::redirected(&Request::new(text, world)) {
        let answer = ask(&inner, world, context);
        let best = answer.readings().first().copied().cloned()?;
        let [step] = &best.plan.plan[..] else { return None };
        let command = step.action.text();
        // Only what prints without changing anything; one pipeline takes one redirection.
        if step.risk > actions::Risk::Safe || command.contains(['>', ';', '&', '\n']) || command.starts_with("gcs ") || best.plan.confidence < 0.3 {
            return None;
        }
        let confidence = best.plan.confidence * 0.95;
        let best = reading("compose.save", &format!("{command} > {}", actions::quote::quote_path(&file)), &format!("{} Into {file}.", step.why), confidence, world, context)?;
        return Some(if confidence >= SURE { Answer::Plan { best, others: Vec::new() } } else { Answer::Unsure { readings: vec![best] } });
    }
    if let Some((dir, inner)) = crate::compose::made_first(&Request::new(text, world)) {
        let answer = ask(&inner, world, context);
        let best = answer.readings().first().copied().cloned()?;
        let [step] = &best.plan.plan[..] else { return None };
        let command = step.action.text();
        if best.plan.confidence < SURE || command.starts_with("cd ") {
            return None;
        }
        let make = actions::quote::quote_path(&dir);
        let command = command.strip_prefix(&format!("mkdir -p {make} && ")).or_else(|| command.strip_prefix(&format!("mkdir -p -- {make} && "))).unwrap_or(&command);
        let all = format!("mkdir -p -- {make} && {command}");
        let best = reading("compose", &all, &format!("Makes {dir}. {}", step.why), best.plan.confidence * 0.95, world, context)?;
        return Some(Answer::Plan { best, others: Vec::new() });
    }
    let (built, confidence) = crate::compose::compose(text, world)?;
    let best = reading("compose", &built.command, &built.why, confidence, world, context)?;
    Some(Answer::Plan { best, others: Vec::new() })
}

/// How often what was recalled is right, by how near it was (measured on pairs that were kept apart).
fn trust(score: f32) -> f32 {
    (0.02 + 0.33 * score * score).clamp(0.02, 0.49)
}

/// Below this nearness nothing is proposed by itself.
const NEAR: f32 = 0.55;

/// Puts what is known of similar requests beside what the classifier found: before it where that is less sure.
fn with_recalled(typed: Answer, text: &str, world: &dyn World, context: &Context) -> Answer {
    let sure = matches!(typed, Answer::Plan { .. });
    let recalled: Vec<Reading> = crate::recall::recall_with(context.known.unwrap_or_else(crate::recall::index::Index::shipped), text, world, 3)
        .into_iter()
        .filter(|r| sure || r.score >= NEAR)
        .filter(|r| !context.stages.guard || guard::may_recall(classify(&r.command, &context.risk), &Request::new(text, world)))
        .filter_map(|r| reading("recall", &r.command, "Adapted from what was right for a similar request: look at it well.", trust(r.score), world, context))
        .collect();
    if recalled.is_empty() {
        return typed;
    }
    let same = |a: &Reading, b: &Reading| a.plan.plan[0].action.text() == b.plan.plan[0].action.text();
    match typed {
        Answer::Plan { best, mut others } => {
            others.extend(recalled.into_iter().filter(|r| !same(r, &best)));
            others.sort_by(|a, b| b.plan.confidence.total_cmp(&a.plan.confidence));
            others.truncate(4);
            Answer::Plan { best, others }
        }
        Answer::Unsure { mut readings } => {
            for r in recalled {
                if !readings.iter().any(|t| same(t, &r)) {
                    readings.push(r);
                }
            }
            readings.sort_by(|a, b| b.plan.confidence.total_cmp(&a.plan.confidence));
            readings.truncate(3);
            Answer::Unsure { readings }
        }
        Answer::Missing { intent, question, confidence, mut others } => {
            others.extend(recalled);
            others.sort_by(|a, b| b.plan.confidence.total_cmp(&a.plan.confidence));
            others.truncate(3);
            Answer::Missing { intent, question, confidence, others }
        }
        Answer::OutOfScope { confidence } if confidence > 0.9 => Answer::OutOfScope { confidence },
        Answer::OutOfScope { .. } => Answer::Unsure { readings: recalled },
    }
}

/// Understands `text` with another model.
pub fn ask_with(model: &Model, text: &str, world: &dyn World, context: &Context) -> Answer {
    let request = Request::new(text, world);
    if request.tokens.is_empty() || text.len() > 2000 {
        return Answer::OutOfScope { confidence: 1.0 };
    }
    let mut logits = model.logits(&features(&request));
    for l in &mut logits {
        *l *= SHARPEN;
    }
    let mut order: Vec<usize> = (0..logits.len()).collect();
    order.sort_by(|a, b| logits[*b].total_cmp(&logits[*a]));
    let mut candidates = Vec::new();
    for &class in order.iter().take(CANDIDATES) {
        let Some(intent) = catalogue::get(&model.classes[class]) else { continue };
        request.reset();
        let outcome = if !context.stages.guard || guard::allows(intent.id, &request) { (intent.build)(&request) } else { Err(Unfilled::Impossible) };
        let mut logit = logits[class];
        match &outcome {
            Ok(_) => {
                for e in request.unused_entities() {
                    logit -= cost_of_leaving(&e.kind);
                }
                logit -= 0.6 * request.unknown_words().len().min(6) as f32;
            }
            Err(Unfilled::Missing(_)) => logit -= 1.8,
            Err(Unfilled::Impossible) => logit -= 20.0,
        }
        logits[class] = logit;
        candidates.push(Candidate { class, logit, outcome });
    }
    // Files, sizes, times speak for something that can be done.
    let none = model.classes.iter().position(|c| c == OUT_OF_SCOPE);
    if let Some(n) = none {
        request.reset();
        logits[n] -= NONE_BIAS + 0.6 * request.unused_entities().iter().map(|e| cost_of_leaving(&e.kind)).sum::<f32>().min(4.0);
    }
    let top = logits.iter().copied().fold(f32::MIN, f32::max);
    let total: f32 = logits.iter().map(|l| (l - top).exp()).sum();
    let probability = |l: f32| (l - top).exp() / total;
    let none_p = none.map_or(0.0, |n| probability(logits[n]));
    candidates.sort_by(|a, b| b.logit.total_cmp(&a.logit));

    let mut readings: Vec<Reading> = Vec::new();
    let mut question: Option<(&'static str, &'static str, f32)> = None;
    for c in &candidates {
        let p = probability(c.logit);
        let Some(intent) = catalogue::get(&model.classes[c.class]) else { continue };
        match &c.outcome {
            Ok(b) => {
                // Two intents that mean the same command are one reading.
                if let Some(same) = readings.iter_mut().find(|r| r.plan.plan[0].action.text() == b.command) {
                    same.plan.confidence += p;
                    continue;
                }
                if let Some(step) = step(&b.command, &b.why, world, &context.risk) {
                    let plan = Plan { plan: vec![step], confidence: p, source: format!("intent:{}", intent.id) };
                    readings.push(Reading { intent: intent.id, plan });
                }
            }
            Err(Unfilled::Missing(q)) => {
                if question.is_none() {
                    question = Some((intent.id, q, p));
                }
            }
            Err(Unfilled::Impossible) => {}
        }
    }
    let best_p = readings.first().map_or(0.0, |r| r.plan.confidence);
    if none_p >= best_p && none_p >= question.map_or(0.0, |q| q.2) {
        return Answer::OutOfScope { confidence: none_p };
    }
    if let Some((intent, question, p)) = question
        && p > best_p
        && p > 0.3
    {
        readings.retain(|r| r.plan.confidence > HOPELESS);
        readings.truncate(3);
        return Answer::Missing { intent, question, confidence: p, others: readings };
    }
    if readings.is_empty() || best_p < HOPELESS {
        return Answer::OutOfScope { confidence: (1.0 - best_p).max(none_p) };
    }
    if best_p >= SURE {
        let best = readings.remove(0);
        readings.truncate(4);
        Answer::Plan { best, others: readings }
    } else {
        readings.retain(|r| r.plan.confidence >= best_p * 0.05);
        readings.truncate(3);
        Answer::Unsure { readings }
    }
}

/// A command line as a script of at least one command; `None` where it is none.
pub(crate) fn parsed(command: &str) -> Option<shell::Script> {
    shell::parse(command).ok().filter(|s| !s.invocations.is_empty())
}

/// A checked step: parsed, risk class set, missing programs named. `None` when it does not parse.
pub fn step(command: &str, why: &str, world: &dyn World, risk: &RiskContext) -> Option<Step> {
    let script = shell::parse(command).ok()?;
    let mut missing: Vec<String> = Vec::new();
    for i in &script.invocations {
        if let Some(name) = i.words.first().and_then(shell::Arg::literal)
            && !KEYWORDS.contains(&name)
            && !world.has_command(name)
            && !missing.iter().any(|m| m == name)
        {
            missing.push(name.to_owned());
        }
    }
    Some(Step { action: Action::Command { text: command.to_owned() }, why: why.to_owned(), risk: classify(command, risk), missing })
}

/// Words that the parser gives as commands but the shell knows by itself.
const KEYWORDS: &[&str] = &["time", "gcs"];
