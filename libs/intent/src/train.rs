//! Training: templates are expanded into requests, and a linear classifier is fitted to them.
//!
//! Deterministic: the same data gives the same bytes. `cargo run --release -p intent --bin train` writes the model.
//!
//! Template files hold sections `[intent.id]` with one template a line. In a template `(a|b)` chooses, `[x]` is optional,
//! `{name}` is a macro of `macros.txt`, `<slot>` a value.

use std::collections::{BTreeMap, HashMap};

use crate::catalogue;
use crate::engine::OUT_OF_SCOPE;
use crate::features::{BUCKETS, features};
use crate::model::Model;
use crate::request::Request;
use crate::text;
use crate::vocabulary::Vocabulary;
use crate::world::FixedWorld;

/// The training data, as shipped in the source tree.
pub const DATA: &[&str] = &[
    include_str!("../data/files.txt"),
    include_str!("../data/text.txt"),
    include_str!("../data/system.txt"),
    include_str!("../data/people.txt"),
    include_str!("../data/none.txt"),
];

/// The macros the templates use.
pub const MACROS: &str = include_str!("../data/macros.txt");

/// More words of the language, that no template holds as such.
pub const WORDS: &str = include_str!("../data/words.txt");

/// A mistake in the data files.
#[derive(Debug, thiserror::Error)]
pub enum BadData {
    /// A template that cannot be read.
    #[error("template `{0}`: {1}")]
    Template(String, &'static str),
    /// A section that names no intent.
    #[error("there is no intent `{0}`")]
    Intent(String),
    /// An intent without templates.
    #[error("intent `{0}` has no templates")]
    Empty(String),
    /// A macro that is not defined.
    #[error("there is no macro `{0}`")]
    Macro(String),
}

/// A parsed template.
#[derive(Debug, Clone)]
enum Node {
    Text(String),
    Slot(String),
    Choice(Vec<Vec<Node>>),
}

/// A small generator, seeded: training must not depend on the day.
pub struct Rng(u64);

impl Rng {
    /// A generator from a seed.
    pub fn new(seed: u64) -> Self {
        Rng(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 32) as u32
    }

    fn below(&mut self, n: usize) -> usize {
        (u64::from(self.next()) * n as u64 >> 32) as usize
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.next() % 100 < percent
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

/// All templates, by class.
pub struct Grammar {
    classes: BTreeMap<String, Vec<Vec<Node>>>,
    literal: Vec<String>,
}

fn macros() -> HashMap<&'static str, &'static str> {
    MACROS.lines().filter(|l| !l.starts_with('#')).filter_map(|l| l.split_once(" = ")).map(|(k, v)| (k.trim(), v.trim())).collect()
}

fn parse(template: &str, macros: &HashMap<&str, &str>, depth: usize) -> Result<Vec<Node>, BadData> {
    let bad = |m| BadData::Template(template.to_owned(), m);
    if depth > 12 {
        return Err(bad("macros nest too deep"));
    }
    let chars: Vec<char> = template.chars().collect();
    let mut i = 0;
    let (nodes, _) = sequence(&chars, &mut i, macros, depth, None).map_err(|e| match e {
        Ok(b) => b,
        Err(m) => bad(m),
    })?;
    Ok(nodes)
}

type ParseResult = Result<(Vec<Node>, Option<char>), Result<BadData, &'static str>>;

/// Parses up to one of `|`, `)`, `]` (returned) or the end.
fn sequence(c: &[char], i: &mut usize, macros: &HashMap<&str, &str>, depth: usize, close: Option<char>) -> ParseResult {
    let mut out = Vec::new();
    let mut text = String::new();
    let flush = |text: &mut String, out: &mut Vec<Node>| {
        if !text.is_empty() {
            out.push(Node::Text(std::mem::take(text)));
        }
    };
    while *i < c.len() {
        let ch = c[*i];
        *i += 1;
        match ch {
            '(' | '[' => {
                flush(&mut text, &mut out);
                let end = if ch == '(' { ')' } else { ']' };
                let mut options = Vec::new();
                loop {
                    let (nodes, stop) = sequence(c, i, macros, depth, Some(end))?;
                    options.push(nodes);
                    match stop {
                        Some('|') => {}
                        Some(s) if s == end => break,
                        _ => return Err(Err("a bracket is not closed")),
                    }
                }
                if ch == '[' {
                    options.push(Vec::new());
                }
                out.push(Node::Choice(options));
            }
            '|' | ')' | ']' => {
                if close.is_none() {
                    return Err(Err("a bracket is not opened"));
                }
                flush(&mut text, &mut out);
                return Ok((out, Some(ch)));
            }
            '{' | '<' => {
                flush(&mut text, &mut out);
                let end = if ch == '{' { '}' } else { '>' };
                let Some(n) = c[*i..].iter().position(|x| *x == end) else { return Err(Err("a name is not closed")) };
                let name: String = c[*i..*i + n].iter().collect();
                *i += n + 1;
                if ch == '<' {
                    out.push(Node::Slot(name));
                } else {
                    let body = macros.get(name.as_str()).ok_or_else(|| Ok(BadData::Macro(name.clone())))?;
                    let nodes = parse(&format!("({body})"), macros, depth + 1).map_err(Ok)?;
                    out.extend(nodes);
                }
            }
            ch => text.push(ch),
        }
    }
    flush(&mut text, &mut out);
    Ok((out, None))
}

fn literals(nodes: &[Node], out: &mut Vec<String>) {
    for n in nodes {
        match n {
            Node::Text(t) => out.push(t.clone()),
            Node::Slot(_) => {}
            Node::Choice(c) => c.iter().for_each(|n| literals(n, out)),
        }
    }
}

impl Grammar {
    /// The shipped data.
    pub fn shipped() -> Result<Grammar, BadData> {
        let macros = macros();
        let mut classes: BTreeMap<String, Vec<Vec<Node>>> = BTreeMap::new();
        for file in DATA {
            let mut section: Option<String> = None;
            for line in file.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
                if let Some(id) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')).filter(|l| !l.contains([' ', '|'])) {
                    if id != OUT_OF_SCOPE && catalogue::get(id).is_none() {
                        return Err(BadData::Intent(id.to_owned()));
                    }
                    section = Some(id.to_owned());
                } else if let Some(s) = &section {
                    classes.entry(s.clone()).or_default().push(parse(line, &macros, 0)?);
                }
            }
        }
        for i in catalogue::all() {
            if !classes.contains_key(i.id) {
                return Err(BadData::Empty(i.id.to_owned()));
            }
        }
        // What only stands in requests that cannot be done stays unknown: such words may be names elsewhere.
        let mut literal = Vec::new();
        for t in classes.iter().filter(|(c, _)| *c != OUT_OF_SCOPE).flat_map(|(_, t)| t) {
            literals(t, &mut literal);
        }
        Ok(Grammar { classes, literal })
    }

    /// The words of the templates.
    pub fn vocabulary(&self) -> Vocabulary {
        let mut counts: HashMap<String, u32> = HashMap::new();
        let more = WORDS.lines().filter(|l| !l.starts_with('#'));
        for l in self.literal.iter().map(String::as_str).chain(more) {
            for t in text::tokenize(l) {
                let w = t.norm;
                if w.len() > 1 && w.bytes().all(|b| b.is_ascii_lowercase() || b == b'-') || w == "a" || w == "i" {
                    *counts.entry(w).or_default() += 1;
                }
            }
        }
        Vocabulary::from_counts(counts)
    }

    /// Names of the classes.
    pub fn classes(&self) -> Vec<String> {
        self.classes.keys().cloned().collect()
    }

    /// `n` requests of `class`.
    pub fn sample(&self, class: &str, n: usize, rng: &mut Rng) -> Vec<String> {
        let Some(templates) = self.classes.get(class) else { return Vec::new() };
        (0..n)
            .map(|i| {
                let mut out = String::new();
                expand(&templates[i % templates.len()], rng, &mut out);
                noise(&out.split_whitespace().collect::<Vec<_>>().join(" "), class != OUT_OF_SCOPE, rng)
            })
            .collect()
    }
}

fn expand(nodes: &[Node], rng: &mut Rng, out: &mut String) {
    for n in nodes {
        match n {
            Node::Text(t) => out.push_str(t),
            Node::Slot(s) => out.push_str(&value(s, rng)),
            Node::Choice(c) => expand(&c[rng.below(c.len())], rng, out),
        }
    }
}

/// A made-up name: a word no vocabulary holds.
fn pseudo_word(rng: &mut Rng) -> String {
    let mut w = String::new();
    for _ in 0..2 + rng.below(2) {
        w.push_str(rng.pick(&["b", "br", "c", "d", "f", "g", "gr", "h", "j", "k", "l", "m", "n", "p", "qu", "r", "s", "st", "t", "v", "w", "x", "z"]));
        w.push_str(rng.pick(&["a", "e", "i", "o", "u", "ai", "oo", "y"]));
    }
    if rng.chance(30) {
        w.push_str(rng.pick(&["n", "r", "x", "k", "t", "ng"]));
    }
    w
}

/// A value for a slot. Unknown slots give a made-up name.
fn value(slot: &str, rng: &mut Rng) -> String {
    const EXT: &[&str] = &["txt", "log", "py", "pdf", "md", "csv", "json", "sh", "jpg", "png", "conf", "html", "c", "rs", "xml", "mp3", "zip", "tmp", "bak", "yaml"];
    let num = |rng: &mut Rng| {
        let limit = if rng.chance(70) { 20 } else { 500 };
        (1 + rng.below(limit)).to_string()
    };
    match slot {
        "file" => match rng.below(6) {
            0 => format!("{}/{}.{}", rng.pick(&["/etc", "/var/log", "src", "~/docs", "/home/bob", "data"]), pseudo_word(rng), rng.pick(EXT)),
            1 => rng.pick(&["notes.txt", "report.pdf", "main.py", "README.md", "data.csv", "/etc/passwd", "/etc/hosts", "~/.bashrc", "Makefile.am", "app.log", "config.json"]).to_owned(),
            2 => format!("my_{}.{}", pseudo_word(rng), rng.pick(EXT)),
            _ => format!("{}.{}", pseudo_word(rng), rng.pick(EXT)),
        },
        "archive" => format!("{}.{}", pseudo_word(rng), rng.pick(&["tar.gz", "tgz", "tar", "zip", "tar.xz", "tar.bz2", "gz"])),
        "dir" => match rng.below(7) {
            0 => rng.pick(&["/etc", "/var/log", "/home", "/usr/share", "/tmp", "/", "/opt", "~/projects"]).to_owned(),
            1 => format!("/{}/{}", rng.pick(&["srv", "home", "opt", "mnt"]), pseudo_word(rng)),
            2 => format!("the {} {}", pseudo_word(rng), rng.pick(&["folder", "directory"])),
            3 => rng.pick(&["my home directory", "this folder", "the current directory", "here", "this directory", "my documents folder", "the downloads folder"]).to_owned(),
            4 => format!("{}/", pseudo_word(rng)),
            5 => rng.pick(&["src", "docs", "projects", "build"]).to_owned(),
            _ => format!("the {} {}", rng.pick(&["folder", "directory"]), rng.pick(&["src", "docs", "projects", "build"])),
        },
        "path" => format!("/{}/{}", rng.pick(&["tmp", "srv", "opt", "home/bob", "var/lib", "mnt"]), pseudo_word(rng)),
        "num" => num(rng),
        "size" => {
            let n = num(rng);
            let unit = rng.pick(&["MB", " MB", "KB", " megabytes", " GB", "M", "k", " kilobytes", "G", " gigabyte"]);
            match rng.below(4) {
                0 => format!("{} {n}{unit}", rng.pick(&["under", "below", "smaller than", "less than"])),
                1 => format!("over {n}{unit}"),
                _ => format!("{} {n}{unit}", rng.pick(&["bigger than", "larger than", "more than", "above", "at least", "greater than"])),
            }
        }
        "bytes" => format!("{} {}", num(rng), rng.pick(&["MB", "megabytes", "KB", "GB"])),
        "time" => {
            let n = num(rng);
            let unit = rng.pick(&["days", "hours", "weeks", "minutes", "months"]);
            match rng.below(6) {
                0 => "today".into(),
                1 => "yesterday".into(),
                2 => format!("in the last {n} {unit}"),
                3 => rng.pick(&["this week", "last week", "in the last hour", "this month", "in the past day", "since yesterday"]).to_owned(),
                4 => format!("within the past {n} {unit}"),
                _ => format!("in the last {n} {unit}"),
            }
        }
        "age" => format!("{} {} {}", rng.pick(&["older than", "more than", "over", "older than"]), num(rng), rng.pick(&["days", "weeks", "months", "hours", "days old", "days ago"])),
        "ext" => match rng.below(4) {
            0 => format!("{} files", rng.pick(EXT)),
            1 => format!(".{} files", rng.pick(EXT)),
            2 => format!("*.{}", rng.pick(EXT)),
            _ => rng.pick(&["python files", "images", "pdfs", "text files", "log files", "shell scripts", "pictures", "videos", "json files", "markdown files", "config files", "photos", "python scripts", "header files"]).to_owned(),
        },
        "dotext" => format!("{}{}", rng.pick(&["", ".", "*."]), rng.pick(EXT)),
        "quoted" => format!("\"{}{}\"", pseudo_word(rng), if rng.chance(40) { format!(" {}", pseudo_word(rng)) } else { String::new() }),
        "quotedcmd" => format!("\"{}\"", rng.pick(&["ls -la", "df -h", "tar -xzf a.tgz", "rm -rf build", "find . -name '*.c'", "ps aux | grep x", "make test", "free -m"])),
        "pattern" => match rng.below(4) {
            0 | 1 => format!("\"{}\"", pseudo_word(rng)),
            2 => rng.pick(&["TODO", "FIXME", "ERROR", "error", "localhost", "hello", "password", "warning"]).to_owned(),
            _ => pseudo_word(rng),
        },
        "user" => rng.pick(&["root", "alice", "bob", "www-data"]).to_owned(),
        "newname" => pseudo_word(rng),
        "host" => match rng.below(3) {
            0 => format!("{}.{}", pseudo_word(rng), rng.pick(&["com", "org", "net"])),
            1 => format!("192.168.{}.{}", rng.below(255), rng.below(255)),
            _ => rng.pick(&["example.com", "google.com", "8.8.8.8", "localhost", "debian.org"]).to_owned(),
        },
        "url" => format!("https://{}.{}/{}.{}", pseudo_word(rng), rng.pick(&["com", "org"]), pseudo_word(rng), rng.pick(EXT)),
        "proc" => match rng.below(3) {
            0 => rng.pick(&["firefox", "nginx", "sshd", "redis-server", "python3", "bash", "sleep", "vlc", "chrome", "apache2"]).to_owned(),
            _ => pseudo_word(rng),
        },
        "pkg" => match rng.below(3) {
            0 => rng.pick(&["htop", "nginx", "git", "vim", "python3", "curl", "nano", "tmux", "gcc", "redis", "bash"]).to_owned(),
            _ => pseudo_word(rng),
        },
        "cmd" => rng.pick(&["ls", "grep", "tar", "find", "chmod", "awk", "sed", "ps", "df", "ssh", "rsync", "cp", "xargs", "kill", "du", "mount", "cut", "sort", "export", "alias", "cd", "curl", "less"]).to_owned(),
        "cmdline" => rng.pick(&["ls -la", "tar -xzf", "rm -rf", "chmod 755 x", "df -h", "ps aux", "grep -r foo .", "du -sh *", "find . -name '*.c'"]).to_owned(),
        "mode" => rng.pick(&["755", "644", "600", "u+x", "go-w", "a+r", "777", "700"]).to_owned(),
        "var" => rng.pick(&["PATH", "HOME", "EDITOR", "LANG", "SHELL", "TERM", "USER", "FOO"]).to_owned(),
        "sum" => {
            let (a, b) = (num(rng), num(rng));
            let op = rng.pick(&["+", "-", "*", "/"]);
            if rng.chance(60) { format!("{a} {op} {b}") } else { format!("{a}{op}{b}") }
        }
        "date" => format!("20{:02}-{:02}-{:02}", rng.below(40), 1 + rng.below(12), 1 + rng.below(28)),
        _ => pseudo_word(rng),
    }
}

/// People's carelessness: a small word lost, a letter wrong, a phrase of place in front.
fn noise(text: &str, strange: bool, rng: &mut Rng) -> String {
    let mut words: Vec<String> = text.split(' ').map(str::to_owned).collect();
    let quoted = text.contains(['"', '\'']);
    if words.len() > 3 && rng.chance(12) {
        let droppable: Vec<usize> = (0..words.len()).filter(|&i| matches!(words[i].as_str(), "the" | "a" | "all" | "of" | "my" | "me" | "is" | "are" | "in" | "an" | "there")).collect();
        if !droppable.is_empty() {
            words.remove(droppable[rng.below(droppable.len())]);
        }
    }
    if !quoted && words.len() > 4 && rng.chance(8) {
        // "in /tmp list the files": only where a place ends the request.
        if let Some(i) = words.iter().rposition(|w| w == "in").filter(|&i| i > 1 && words.len() - i <= 4) {
            let mut front = words.split_off(i);
            front.append(&mut words);
            words = front;
        }
    }
    // A word nobody has heard of, in place of one or besides: unseen wording must not throw the rest over.
    let plain: Vec<usize> = (0..words.len()).filter(|&i| words[i].len() > 2 && words[i].bytes().all(|b| b.is_ascii_lowercase())).collect();
    if !quoted && strange && words.len() > 2 && !plain.is_empty() {
        let i = plain[rng.below(plain.len())];
        match rng.below(10) {
            0 | 1 => words[i] = pseudo_word(rng),
            2 => words.insert(i, pseudo_word(rng)),
            3 if words.len() > 3 => {
                words.remove(i);
            }
            _ => {}
        }
    }
    if rng.chance(5) {
        let i = rng.below(words.len());
        let w: Vec<char> = words[i].chars().collect();
        if w.len() > 4 && w.iter().all(char::is_ascii_lowercase) {
            let k = 1 + rng.below(w.len() - 2);
            let mut w = w;
            if rng.chance(50) {
                w.swap(k, k + 1);
            } else {
                w.remove(k);
            }
            words[i] = w.into_iter().collect();
        }
    }
    let mut s = words.join(" ");
    if rng.chance(15) {
        s.push('?');
    }
    s
}

/// The world of the training requests.
pub fn training_world() -> FixedWorld {
    let list = |s: &[&str]| s.iter().map(|s| (*s).to_owned()).collect();
    FixedWorld {
        files: list(&["notes.txt", "report.pdf", "main.py", "/etc/passwd", "/etc/hosts"]),
        dirs: list(&["src", "docs", "projects", "build", "/etc", "/var/log", "/home", "/usr/share", "/tmp", "/", "/opt", "/var", "/usr"]),
        users: list(&["root", "alice", "bob", "www-data"]),
        processes: list(&["firefox", "nginx", "sshd"]),
        commands: Vec::new(),
    }
}

/// A hash of all data and of the code's constants, to see whether a model is up to date.
pub fn data_hash() -> u64 {
    let mut h: u64 = 0xcbf2_9ce4_8422_2325;
    for part in DATA.iter().chain(&[MACROS, WORDS]) {
        for b in part.bytes() {
            h = (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    h
}

/// How to train.
pub struct Settings {
    /// Requests a class.
    pub per_class: usize,
    /// Requests of the class of all that cannot be done.
    pub out_of_scope: usize,
    /// Passes over the data.
    pub epochs: usize,
    /// Passes after the small weights were dropped.
    pub settle: usize,
    /// Seed of everything random.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { per_class: 900, out_of_scope: 8000, epochs: 4, settle: 3, seed: 1 }
    }
}

/// Fits a model. [`crate::vocabulary::install`] must have been called with the grammar's vocabulary, or be up to date.
pub fn train(grammar: &Grammar, settings: &Settings, mut progress: impl FnMut(&str)) -> Model {
    let classes = grammar.classes();
    let world = training_world();
    let mut rng = Rng::new(settings.seed);
    let mut examples: Vec<(u16, Vec<u32>)> = Vec::new();
    for (c, name) in classes.iter().enumerate() {
        let n = if name == OUT_OF_SCOPE { settings.out_of_scope } else { settings.per_class };
        for text in grammar.sample(name, n, &mut rng) {
            examples.push((c as u16, features(&Request::new(&text, &world))));
        }
    }
    progress(&format!("{} requests of {} classes", examples.len(), classes.len()));
    let k = classes.len();
    let buckets = BUCKETS as usize;
    let mut weights = vec![0f32; buckets * k];
    let mut history = vec![1e-3f32; buckets * k];
    let mut logits = vec![0f32; k];
    let mut kept: Vec<bool> = Vec::new();
    for epoch in 0..settings.epochs + settings.settle {
        if epoch == settings.epochs {
            // Only so many weights are kept; the rest of the passes lets those take over.
            kept = prune(&mut weights);
        }
        for i in (1..examples.len()).rev() {
            let j = rng.below(i + 1);
            examples.swap(i, j);
        }
        let rate = if epoch < settings.epochs { 0.25 / (1.0 + epoch as f32) } else { 0.1 };
        let mut right = 0usize;
        for (class, features) in &examples {
            logits.fill(0.0);
            for &f in features {
                let row = &weights[f as usize * k..(f as usize + 1) * k];
                logits.iter_mut().zip(row).for_each(|(l, w)| *l += w);
            }
            let top = logits.iter().copied().fold(f32::MIN, f32::max);
            right += usize::from(logits[*class as usize] == top);
            let mut total = 0.0;
            for l in &mut logits {
                *l = (*l - top).exp();
                total += *l;
            }
            // The gradient, with a little doubt left about every label.
            for (c, l) in logits.iter_mut().enumerate() {
                let target = if c == *class as usize { 0.95 } else { 0.05 / k as f32 };
                *l = *l / total - target;
            }
            for &f in features {
                let at = f as usize * k;
                for c in 0..k {
                    let g = logits[c];
                    if g.abs() < 1e-4 || !kept.is_empty() && !kept[at + c] {
                        continue;
                    }
                    let h = &mut history[at + c];
                    *h += g * g;
                    weights[at + c] -= rate * g / h.sqrt();
                }
            }
        }
        progress(&format!("pass {}: {:.2} % right before each step", epoch + 1, 100.0 * right as f64 / examples.len() as f64));
    }
    quantise(classes, k, &weights)
}

/// How many weights a model keeps: the file stays below 1 MB.
const MAX_WEIGHTS: usize = 460_000;

/// Sets all but the largest weights to nought; says which are left.
fn prune(weights: &mut [f32]) -> Vec<bool> {
    let mut sizes: Vec<f32> = weights.iter().map(|w| w.abs()).filter(|w| *w > 1e-3).collect();
    sizes.sort_by(f32::total_cmp);
    let threshold = sizes.get(sizes.len().saturating_sub(MAX_WEIGHTS)).copied().unwrap_or(0.0);
    weights
        .iter_mut()
        .map(|w| {
            let keep = w.abs() > threshold;
            if !keep {
                *w = 0.0;
            }
            keep
        })
        .collect()
}

/// Weights become bytes.
fn quantise(classes: Vec<String>, k: usize, weights: &[f32]) -> Model {
    let mut sizes: Vec<f32> = weights.iter().map(|w| w.abs()).filter(|w| *w > 1e-3).collect();
    sizes.sort_by(f32::total_cmp);
    let clip = sizes.get(sizes.len().saturating_sub(1 + sizes.len() / 2000)).copied().unwrap_or(1.0);
    let scale = clip / 127.0;
    let rows: Vec<Vec<(u8, i8)>> = weights
        .chunks(k)
        .map(|row| {
            row.iter()
                .enumerate()
                .map(|(c, w)| (c as u8, (w / scale).round().clamp(-127.0, 127.0) as i8))
                .filter(|(_, w)| *w != 0)
                .collect()
        })
        .collect();
    Model::from_rows(classes, data_hash(), scale, &rows)
}
