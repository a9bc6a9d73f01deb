//! The exam by effect: requests of nl2bash's training part run beside the command that is right for them, each in a fresh copy of the same files, and what they print and leave is compared.
//!
//! A request finds what it names (`wants`, `tree`), runs without the machine (`room`), and retrieval does not know it (an index without its part of the pairs). Of the pairs that may be asked
//! (`pairs`) those are kept whose command succeeds, does the same twice and shows something that listing everything does not: their hashes are in `kept.txt`. Half of them, by the hash of the
//! command, are open: rules are mended by these. The other half is only counted.
//!
//! `EFFECT=full` asks all of both halves, `EFFECT=open` and `EFFECT=kept-apart` one half; `EFFECT_WRONG=1` prints what was wrong in the open half (never in the other), `EFFECT_WITHOUT=STAGE,STAGE` switches stages
//! off, `EFFECT=make` writes `kept.txt` anew. Otherwise every 21st is asked, and there are floors.

mod pairs;
mod room;
mod sample;
mod tree;
mod wants;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use actions::Risk;
use actions::risk::RiskContext;
use intent::model::Model;
use intent::recall::index::{self, Index};
use intent::{Context, Stages};

use pairs::{FOLDS, Pair};
use room::{Effect, Room};
use tree::Tree;
use wants::Wants;

const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/effect/kept.txt");

/// Below what is reached in the sample of the open half and of the other.
const FLOORS: [f64; 2] = [0.3, 0.15];

fn key(pair: &Pair) -> String {
    format!("{:08x}", pairs::hash(&format!("{}{}", pair.request, pair.command)) as u32)
}

/// Whether a request speaks of an order.
fn ordered(pair: &Pair) -> bool {
    let lower = pair.request.to_lowercase();
    pair.command.contains("sort") || pair.command.contains("tac") || ["sort", "order", "reverse", "newest", "oldest", "largest", "biggest", "smallest", "first", "last ", "alphabetic", "ascending", "descending", "shuffle", "random"].iter().any(|w| lower.contains(w))
}

fn lines(out: &[u8], order: bool) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = out.split(|b| *b == b'\n' || *b == 0).map(|l| l.trim_ascii_end().to_vec()).filter(|l| !l.is_empty()).collect();
    if !order {
        all.sort();
    }
    all
}

fn same(a: &Effect, b: &Effect, order: bool) -> bool {
    a.files == b.files && (a.out == b.out || lines(&a.out, order) == lines(&b.out, order))
}

/// What the right command does, where it can be told from others.
fn reference(pair: &Pair, room: &Room, tree: &Tree, now: SystemTime, choose: bool) -> Option<Effect> {
    let touched = pair.command.contains("touch");
    let run = |command: &str, strict: bool| room.fresh(tree, now).then(|| room.effect(command, strict, touched));
    if !room.fresh(tree, now) {
        return None;
    }
    let before = if choose { room.now() } else { BTreeMap::new() };
    let it = room.effect(pair.command, choose, touched);
    if it.status != 0 || it.out.len() > 500_000 || choose && it.out.trim_ascii().is_empty() && it.files == before {
        return None;
    }
    if choose {
        let again = run(pair.command, true)?;
        if again.out != it.out || again.files != it.files || !it.err.is_empty() {
            return None;
        }
        // What is sought must not be all that is there.
        if it.files == before && pair.command.starts_with("find ") && pair.command.matches(" -").count() > 0 {
            let place = pair.command.split_whitespace().nth(1).filter(|p| !p.starts_with('-')).unwrap_or(".");
            if lines(&run(&format!("find {place}"), false)?.out, false) == lines(&it.out, false) {
                return None;
            }
        }
    }
    Some(it)
}

#[derive(Default)]
struct Score {
    asked: usize,
    planned: usize,
    first: usize,
    three: usize,
    confidences: Vec<(f32, bool)>,
    families: BTreeMap<String, [usize; 3]>,
    sources: BTreeMap<String, [usize; 2]>,
}

impl Score {
    fn line(&self, name: &str) {
        let share = |n: usize| n as f64 / self.asked.max(1) as f64;
        println!("{name:<12} {:>5} requests, a plan {:.3}, first plan right {:.3}, among three {:.3}", self.asked, share(self.planned), share(self.first), share(self.three));
    }

    fn report(&self, name: &str) {
        self.line(name);
        for bin in 0..10 {
            let inside: Vec<_> = self.confidences.iter().filter(|(c, _)| ((c * 10.0) as usize).min(9) == bin).collect();
            if !inside.is_empty() {
                println!("  confidence {:.1}-{:.1}: {:4} plans, right {:.2}", bin as f32 / 10.0, (bin + 1) as f32 / 10.0, inside.len(), inside.iter().filter(|(_, r)| *r).count() as f64 / inside.len() as f64);
            }
        }
        let mut families: Vec<_> = self.families.iter().collect();
        families.sort_by_key(|(_, n)| std::cmp::Reverse(n[0]));
        for (family, [asked, planned, right]) in families.into_iter().take(16) {
            println!("  {family:<10} {asked:>4} requests, a plan {planned:>4}, right {right:>4}");
        }
        for (source, [n, right]) in &self.sources {
            println!("  first plan by {source:<10} {n:>4}, right {right:>4}");
        }
    }
}

/// Where a program can harm nothing: root is mapped, mounts, processes and network are its own.
const CONFINED: [&str; 7] = ["--map-root-user", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"];

/// Whether this machine lets programs be confined so, and everything be made read-only there.
fn can_be_confined() -> bool {
    let script = "mount --make-rprivate / && awk '$2 !~ \"^/(proc|sys|dev)(/|$)\" { print $2 }' /proc/self/mounts | while read -r at; do mount -o remount,bind,ro \"$at\" || exit 1; done";
    Command::new("unshare").args(CONFINED).args(["bash", "-c", script]).stderr(std::process::Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Runs itself again where it can harm nothing.
fn confined(mode: &str) -> Command {
    let mut command = Command::new("unshare");
    command
        .args(CONFINED)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "in_its_own_namespace", "--ignored", "--nocapture", "--test-threads", "1"])
        .env("EFFECT_MODE", mode);
    command
}

#[test]
fn requests_do_what_the_known_commands_do() {
    let mode = std::env::var("EFFECT").unwrap_or_else(|_| "some".into());
    if !can_be_confined() && mode == "some" {
        println!("commands of others cannot be confined here: nothing is asked");
        return;
    }
    if mode != "make" {
        assert!(confined(&mode).status().expect("unshare is a part of util-linux").success(), "see above");
        return;
    }
    let out = confined(&mode).output().expect("unshare is a part of util-linux");
    let mut kept: Vec<String> = String::from_utf8_lossy(&out.stdout).lines().filter_map(|l| l.strip_prefix("KEPT ")).map(|k| format!("{k}\n")).collect();
    assert!(out.status.success() && !kept.is_empty(), "{}", String::from_utf8_lossy(&out.stderr));
    kept.sort();
    kept.dedup();
    std::fs::write(KEPT, kept.concat()).unwrap();
    println!("{} pairs kept", kept.len());
}

/// A place that vanishes with the namespace.
fn floor() -> PathBuf {
    let base = std::env::temp_dir().join(format!("effect-{}", std::process::id()));
    std::fs::create_dir_all(&base).unwrap();
    assert!(Command::new("mount").args(["-t", "tmpfs", "-o", "size=3g", "effect"]).arg(&base).status().unwrap().success(), "the exam cannot be confined here");
    base
}

/// Makes everything but `base` read-only in this namespace: whatever goes wrong, nothing of the machine is changed. Trees are made outside of the
/// chroot; an early version followed an absolute link in one of them and overwrote programs of the host.
fn lock_the_rest(base: &std::path::Path) {
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
    for at in mounts.lines().filter_map(|line| line.split(' ').nth(1)) {
        if std::path::Path::new(at) == base || ["/proc", "/sys", "/dev"].iter().any(|other| std::path::Path::new(at).starts_with(other)) {
            continue;
        }
        let done = Command::new("mount").args(["-o", "remount,bind,ro"]).arg(at).status().unwrap().success();
        assert!(done, "{at} cannot be made read-only");
    }
    assert!(std::fs::write("/usr/bin/.effect", "").is_err() && std::fs::write(base.join("probe"), "").is_ok());
}

#[test]
#[ignore = "started by the exam, in a namespace of its own"]
fn in_its_own_namespace() {
    let Ok(mode) = std::env::var("EFFECT_MODE") else { return };
    assert!(Command::new("mount").args(["--make-rprivate", "/"]).status().unwrap().success());
    let base = floor();
    let system = base.join("system");
    room::system(&system);
    lock_the_rest(&base);
    let now = SystemTime::now();
    let candidates = pairs::candidates();
    if mode == "make" {
        return make(&candidates, &base, now);
    }
    let kept: HashSet<String> = std::fs::read_to_string(KEPT).unwrap().lines().map(str::to_owned).collect();
    let mut chosen: Vec<Pair> = candidates.into_iter().filter(|p| kept.contains(&key(p))).collect();
    match mode.as_str() {
        "full" => {}
        "open" => chosen.retain(Pair::open),
        "kept-apart" => chosen.retain(|p| !p.open()),
        _ => chosen = chosen.into_iter().step_by(21).collect(),
    }
    if let Ok(every) = std::env::var("EFFECT_EVERY") {
        chosen = chosen.into_iter().skip(std::env::var("EFFECT_SKIP").map_or(0, |n| n.parse().unwrap())).step_by(every.parse().unwrap()).collect();
    }
    let mut stages = Stages { follow: false, windows: false, ..Stages::default() };
    for stage in std::env::var("EFFECT_WITHOUT").unwrap_or_default().split(',').filter(|s| !s.is_empty()) {
        assert!(stages.switch_off(stage), "no stage {stage}");
    }
    let show = std::env::var_os("EFFECT_WRONG").is_some();
    let indices = unknowing(&chosen);
    let pool = std::env::var_os("EFFECT_POOL").is_some();
    let scores = Mutex::new([Score::default(), Score::default()]);
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for worker in 0..workers() {
            let room = Room::new(base.join(format!("room{worker}")), system.clone());
            let (chosen, indices, scores, next) = (&chosen, &indices, &scores, &next);
            scope.spawn(move || {
                while let Some(pair) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
                    ask(pair, &room, stages, indices[&pair.fold()], now, scores, show, pool);
                }
            });
        }
    });
    let [open, apart] = scores.into_inner().unwrap();
    open.report("open");
    apart.report("kept apart");
    if mode == "some" && stages == (Stages { follow: false, windows: false, ..Stages::default() }) {
        for (score, floor) in [&open, &apart].into_iter().zip(FLOORS) {
            assert!(score.asked > 20 && score.first as f64 >= floor * score.asked as f64, "{} of {} right", score.first, score.asked);
        }
    }
}

fn workers() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).clamp(1, 4) * 2
}

/// What is learnt from known pairs.
#[derive(Clone, Copy)]
struct Known {
    index: &'static Index,
    likely: &'static Model,
}

/// For each part, what is learnt from all pairs but these.
fn unknowing(chosen: &[Pair]) -> HashMap<u64, Known> {
    let all = index::pairs();
    let wanted: HashSet<u64> = chosen.iter().map(Pair::fold).collect();
    let folds: Vec<u64> = (0..FOLDS).filter(|f| wanted.contains(f)).collect();
    let next = AtomicUsize::new(0);
    let made = Mutex::new(HashMap::new());
    std::thread::scope(|scope| {
        for _ in 0..workers() {
            scope.spawn(|| {
                while let Some(&fold) = folds.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let of = |command: &str| (pairs::hash(command) >> 8) % FOLDS == fold;
                    let asked: HashSet<String> = all.iter().filter(|(_, c)| of(c)).map(|(r, _)| r.to_lowercase()).collect();
                    let rest: Vec<(&str, &str)> = all.iter().filter(|(r, c)| !of(c) && !asked.contains(&r.to_lowercase())).copied().collect();
                    let index = Index::read(index::build_of(&rest).leak()).expect("an index just made can be read");
                    let likely = intent::likely::train(&rest);
                    made.lock().unwrap().insert(fold, Known { index: Box::leak(Box::new(index)), likely: Box::leak(Box::new(likely)) });
                }
            });
        }
    });
    made.into_inner().unwrap()
}

fn ask(pair: &Pair, room: &Room, stages: Stages, known: Known, now: SystemTime, scores: &Mutex<[Score; 2]>, show: bool, pool: bool) {
    let Some(wants) = Wants::of(pair.request, pair.command) else { return };
    let tree = Tree::of(&wants);
    // On another machine a program may be missing.
    let Some(right) = reference(pair, room, &tree, now, false) else { return };
    assert!(room.fresh(&tree, now));
    let context = Context { risk: RiskContext { cwd: Some(tree::HERE.into()), home: Some(tree::HOME.into()), redefined: vec![] }, stages, known: Some(known.index), likely: Some(known.likely), ..Default::default() };
    let answer = intent::ask(pair.request, room, &context);
    if pool && pair.open() {
        let mut all = intent::chosen::pool(&answer.readings(), pair.request, room, &context);
        all.sort_by(|a, b| intent::chosen::score(b).total_cmp(&intent::chosen::score(a)));
        let first = all.iter().position(|c| c.features[0] > 0.0);
        for (_, c) in all.into_iter().enumerate().filter(|(i, _)| *i < 8 || Some(*i) == first) {
            let ok = !c.command.starts_with("gcs ") && room.fresh(&tree, now) && same(&room.effect(&c.command, false, pair.command.contains("touch")), &right, ordered(pair));
            println!("POOL\t{}\t{}\t{}\t{:?}\t{}\t{}", key(pair), u8::from(ok), c.intent, c.features, pair.request, c.command.replace('\n', " ; "));
        }
        assert!(room.fresh(&tree, now));
    }
    let plans: Vec<(String, &'static str, Risk)> = answer.readings().iter().take(3).map(|r| (r.plan.plan.iter().map(|s| s.action.text().into_owned()).collect::<Vec<_>>().join("\n"), r.intent, r.plan.risk())).collect();
    let order = ordered(pair);
    let touched = pair.command.contains("touch");
    let mut first_effect = None;
    let mut found = false;
    let verdicts: Vec<bool> = plans
        .iter()
        .enumerate()
        .map(|(i, (plan, _, _))| {
            if found || plan.starts_with("gcs ") || !room.fresh(&tree, now) {
                return false;
            }
            let effect = room.effect(plan, false, touched);
            let ok = same(&effect, &right, order);
            found |= ok;
            if i == 0 {
                first_effect = Some(effect);
            }
            ok
        })
        .collect();
    let first = verdicts.first() == Some(&true);
    let source = plans.first().map_or("none", |(_, intent, _)| match *intent { "free" | "recall" => intent, i if i.starts_with("compose") => "compose", _ => "intents" });
    if show && !first && pair.open() {
        let (files, out) = first_effect.as_ref().map_or((true, true), |e| (e.files == right.files, lines(&e.out, order) == lines(&right.out, order)));
        let kind = if plans.is_empty() { "none" } else if verdicts.contains(&true) { "three" } else if !files { "files" } else if !out { "out" } else { "?" };
        let text: Vec<String> = plans.iter().map(|(p, _, _)| p.replace('\n', " ; ")).collect();
        println!("WRONG\t{kind}\t{:.2}\t{source}\t{}\t{}\t{}", answer.confidence(), pair.request, pair.command.replace('\n', " ; "), text.join(" ## "));
        if std::env::var_os("EFFECT_DIFF").is_some() {
            let few = |b: &[u8]| String::from_utf8_lossy(b).lines().take(4).map(|l| l.chars().take(100).collect::<String>()).collect::<Vec<_>>().join(" | ");
            println!("  right: {}\n  plan:  {}", few(&right.out), first_effect.as_ref().map_or(String::new(), |e| format!("{} {}", few(&e.out), few(e.err.as_bytes()))));
        }
    }
    let mut scores = scores.lock().unwrap();
    let s = &mut scores[usize::from(!pair.open())];
    s.asked += 1;
    s.planned += usize::from(!plans.is_empty());
    s.first += usize::from(first);
    s.three += usize::from(verdicts.contains(&true));
    if !plans.is_empty() {
        s.confidences.push((answer.confidence(), first));
    }
    let family = s.families.entry(pair.command.split_whitespace().next().unwrap_or("").to_owned()).or_default();
    for (k, hit) in [true, !plans.is_empty(), first].into_iter().enumerate() {
        family[k] += usize::from(hit);
    }
    let by = s.sources.entry(source.to_owned()).or_default();
    by[0] += 1;
    by[1] += usize::from(first);
}

/// Says which pairs are to be kept.
fn make(candidates: &[Pair], base: &std::path::Path, now: SystemTime) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for worker in 0..workers() {
            let room = Room::new(base.join(format!("room{worker}")), base.join("system"));
            let next = &next;
            scope.spawn(move || {
                while let Some(pair) = candidates.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let Some(wants) = Wants::of(pair.request, pair.command) else { continue };
                    if reference(pair, &room, &Tree::of(&wants), now, true).is_some() {
                        println!("\nKEPT {}", key(pair));
                    }
                }
            });
        }
    });
}
