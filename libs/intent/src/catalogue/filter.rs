//! The tests of `find` that a request describes: kind, name, size, age, owner, place.

use actions::quote::{quote, quote_path};

use crate::entity::{Kind, SizeTest, TimeTest};
use crate::request::Request;

/// A set of files, as `find` would be told.
pub struct Filter {
    /// Start directory.
    pub dir: String,
    /// Tests, quoted for the shell.
    pub tests: Vec<String>,
    /// The same in words, for the reason.
    pub words: Vec<String>,
    /// How things found are called: "files", "directories".
    pub noun: &'static str,
    /// There is more than a kind: something was asked of name, size, age, owner.
    pub specific: bool,
}

impl Filter {
    /// `find DIR TESTS`, with the noise of a whole-system search kept away.
    pub fn find(&self) -> String {
        let xdev = if self.dir == "/" { " -xdev" } else { "" };
        let tests: String = self.tests.iter().map(|t| format!(" {t}")).collect();
        format!("find {}{xdev}{tests}", quote_path(&self.dir))
    }

    /// What follows the last action of a `find`: errors of unreadable directories hidden where they must come.
    pub fn hush(&self) -> &'static str {
        if self.dir == "/" { " 2>/dev/null" } else { "" }
    }

    /// "files larger than 10 MB in /tmp".
    pub fn describe(&self) -> String {
        let mut s = self.noun.to_owned();
        for w in &self.words {
            s.push(' ');
            s.push_str(w);
        }
        s.push_str(&place(&self.dir));
        s
    }
}

/// " in this directory", " in /tmp".
pub fn place(dir: &str) -> String {
    match dir {
        "." => " below this directory".into(),
        "/" => " on the whole system".into(),
        "~" => " below your home directory".into(),
        d => format!(" below {d}"),
    }
}

/// `10 MB`, `1.5 KB`: for people.
pub fn human(bytes: u64) -> String {
    for (unit, size) in [("GB", 1u64 << 30), ("MB", 1 << 20), ("KB", 1 << 10)] {
        if bytes >= size {
            return if bytes.is_multiple_of(size) { format!("{} {unit}", bytes / size) } else { format!("{:.1} {unit}", bytes as f64 / size as f64) };
        }
    }
    format!("{bytes} bytes")
}

/// `-size` arguments. `find` rounds up to whole units, so only `+N` with a unit and plain bytes mean what they say.
pub(crate) fn size_test(s: SizeTest) -> (String, String) {
    let over = |b: u64| {
        for (unit, size) in [("G", 1u64 << 30), ("M", 1 << 20), ("k", 1 << 10)] {
            if b >= size && b.is_multiple_of(size) {
                return format!("-size +{}{unit}", b / size);
            }
        }
        format!("-size +{b}c")
    };
    match s {
        SizeTest::Over(b) => (over(b), format!("larger than {}", human(b))),
        SizeTest::Under(b) => (format!("-size -{b}c"), format!("smaller than {}", human(b))),
        SizeTest::Between(a, b) => (format!("-size +{}c -size -{}c", a.saturating_sub(1), b + 1), format!("between {} and {}", human(a), human(b))),
        SizeTest::Plain(b) => (format!("-size {b}c"), format!("of exactly {}", human(b))),
    }
}

pub(crate) fn time_test(t: &TimeTest, letter: char, verb: &str) -> (String, String) {
    let unit = |n: u64, one: &str| if n == 1 { format!("{one}") } else { format!("{n} {one}s") };
    match t {
        TimeTest::WithinMinutes(m) => (format!("-{letter}min -{m}"), format!("{verb} in the last {}", unit(*m, "minute"))),
        TimeTest::WithinDays(d) => (format!("-{letter}time -{d}"), format!("{verb} in the last {}", unit(*d, "day"))),
        TimeTest::BeforeMinutes(m) => (format!("-{letter}min +{m}"), format!("{verb} more than {m} minutes ago")),
        // `+N` counts whole days past: more than N days ago is `+N-1`.
        TimeTest::BeforeDays(d) => (format!("-{letter}time +{}", d.saturating_sub(1)), format!("{verb} more than {} ago", if *d == 1 { "a day".into() } else { unit(*d, "day") })),
        TimeTest::Day(0) => (format!("-daystart -{letter}time 0"), format!("{verb} today")),
        TimeTest::Day(1) => (format!("-daystart -{letter}time 1"), format!("{verb} yesterday")),
        TimeTest::Day(d) => (format!("-daystart -{letter}time {d}"), format!("{verb} {d} days ago")),
        TimeTest::Since(s) => (format!("-newer{letter}t {}", quote(s)), format!("{verb} since {s}")),
        TimeTest::Until(s) => (format!("! -newer{letter}t {}", quote(s)), format!("{verb} before {s}")),
    }
}

/// `-name` tests for patterns: one bare, several in brackets.
pub(crate) fn name_tests(patterns: &[String]) -> String {
    if let [one] = patterns {
        return format!("-name {}", quote_always(one));
    }
    let all: Vec<String> = patterns.iter().map(|p| format!("-iname {}", quote_always(p))).collect();
    format!("\\( {} \\)", all.join(" -o "))
}

/// Single quotes even where not needed: a pattern should look like one.
fn quote_always(s: &str) -> String {
    let q = quote(s);
    if q.starts_with('\'') { q } else { format!("'{q}'") }
}

const DIRS: &[&str] = &["directories", "folders", "dirs", "subdirectories", "subfolders", "directory", "folder", "dir"];

/// The word for files is in the request.
fn says_files(r: &Request<'_>) -> bool {
    r.has(&["file", "files", "documents", "document", "everything", "anything", "stuff", "scripts", "images", "things", "items", "ones"])
}

/// Takes all that describes a set of files from the request.
pub fn filter(r: &Request<'_>) -> Filter {
    filter_in(r, ".")
}

/// The same with the directory that is meant where none is said.
pub fn filter_in(r: &Request<'_>, default_dir: &str) -> Filter {
    let mut f = Filter { dir: default_dir.to_owned(), tests: Vec::new(), words: Vec::new(), noun: "files", specific: false };
    let plural_dirs = r.has(&["directories", "folders", "dirs", "subdirectories", "subfolders"]);
    if r.has(&["symlinks", "symlink", "symbolic", "links"]) {
        f.tests.push("-type l".into());
        f.noun = "symbolic links";
    } else if plural_dirs && !says_files(r) || (!says_files(r) && r.entities.iter().all(|e| !matches!(e.kind, Kind::Dir(_))) && r.has(DIRS)) {
        f.tests.push("-type d".into());
        f.noun = "directories";
    } else if plural_dirs && says_files(r) && r.has_phrase(&["files", "and"]) {
        f.noun = "files and directories";
    } else {
        f.tests.push("-type f".into());
    }
    extensions(r, &mut f);
    names(r, &mut f);
    // "docs/*.txt": the shell's pattern does not go deeper.
    if let Some(g) = r.entities.iter().find_map(|e| if let Kind::Glob(g) = &e.kind { g.rsplit_once('/').filter(|(d, _)| !d.contains(['*', '?', '['])) } else { None }) {
        f.dir = if g.0.is_empty() { "/".into() } else { g.0.to_owned() };
        f.tests.insert(0, "-maxdepth 1".into());
        for t in &mut f.tests {
            *t = t.replace(&format!("{}/{}", g.0, g.1), g.1);
        }
        return f;
    }
    // "on this machine": all of it.
    if f.dir == "." && !r.has(&["here"]) && (r.has_phrase(&["on", "this", "machine"]) || r.has_phrase(&["on", "this", "computer"]) || r.has_phrase(&["on", "my", "computer"]) || r.has_phrase(&["on", "the", "system"]) || r.has_phrase(&["on", "this", "system"]) || r.has_phrase(&["on", "the", "disk"]) || r.has_phrase(&["on", "my", "machine"]) || r.has_phrase(&["on", "the", "computer"]) || r.has_phrase(&["on", "my", "disk"])) {
        f.dir = "/".into();
    }
    // After the names, so that "the file called src" does not become a place.
    if let Some(d) = r.dir() {
        f.dir = d;
    }
    while let Some(s) = r.take(|k| if let Kind::Size(s) = k { Some(*s) } else { None }) {
        let (test, words) = size_test(s);
        f.push(test, words);
    }
    if let Some(t) = r.take(|k| if let Kind::Time(t) = k { Some(t.clone()) } else { None }) {
        let negative = r.has(&["not", "never", "unmodified", "untouched", "unused", "without", "unchanged", "no", "nobody"]);
        // "untouched for more than 90 days" is old already: only a recent time is turned round.
        let recent = matches!(t, TimeTest::WithinDays(_) | TimeTest::WithinMinutes(_) | TimeTest::Day(_) | TimeTest::Since(_));
        let t = if negative && recent { t.negate() } else { t };
        let (letter, verb) = if r.has(&["accessed", "opened", "read", "used", "access", "unused", "looked"]) { ('a', "accessed") } else { ('m', "modified") };
        let (test, words) = time_test(&t, letter, verb);
        f.push(test, words);
    }
    let nothing_inside = r.has_phrase(&["zero", "size"]) || r.has_phrase(&["size", "zero"]) || r.has_phrase(&["no", "content"]) || r.has_phrase(&["no", "contents"]) || r.has_phrase(&["zero", "byte"]) || r.has_phrase(&["zero", "bytes"]) || r.has_phrase(&["nothing", "in"]) || r.has_phrase(&["without", "content"]);
    if nothing_inside || r.has(&["empty", "zero-length", "zero-byte", "blank"]) && !r.has(&["lines", "line"]) {
        f.push(if r.has(&["non-empty", "not"]) { "! -empty" } else { "-empty" }.into(), "that are empty".into());
    }
    if r.has(&["hidden", "dotfiles"]) {
        f.push("-name '.?*'".into(), "that are hidden".into());
    }
    if r.has(&["executable", "executables", "runnable"]) {
        f.push("-executable".into(), "that can be executed".into());
    }
    if r.has(&["broken", "dangling"]) && f.noun == "symbolic links" {
        f.push("! -exec test -e {} \\; -print".into(), "whose target is missing".into());
    }
    if r.has(&["writable", "world-writable"]) && r.has(&["world", "everyone", "anyone", "world-writable", "others"]) {
        f.push("-perm -o+w".into(), "writable by everyone".into());
    }
    if r.has(&["setuid", "suid"]) {
        f.push("-perm -4000".into(), "with the set-user-id bit".into());
    }
    if r.has(&["permission", "permissions", "mode"])
        && let Some(m) = r.num()
    {
        f.push(format!("-perm {m:03}"), format!("with permissions {m:03}"));
    }
    if let Some(u) = r.take(|k| if let Kind::User(u) = k { Some(u.clone()) } else { None }) {
        f.push(format!("-user {}", quote(&u)), format!("of user {u}"));
    } else if r.has(&["owned", "belong", "belonging", "belongs"])
        && let Some(u) = r.name(&["user", "by", "to"])
    {
        f.push(format!("-user {}", quote(&u)), format!("of user {u}"));
    }
    let flat = r.has_phrase(&["not", "subdirectories"])
        || r.has_phrase(&["without", "subdirectories"])
        || r.has_phrase(&["no", "subdirectories"])
        || r.has_phrase(&["no", "subfolders"])
        || r.has_phrase(&["not", "in", "subdirectories"])
        || r.has_phrase(&["not", "recursively"])
        || r.has_phrase(&["directly", "in"])
        || r.has_phrase(&["without", "descending"])
        || r.has_phrase(&["top", "level"])
        || r.has_phrase(&["not", "subfolders"])
        || r.has_phrase(&["not", "in", "subfolders"])
        || r.has(&["non-recursively"])
        || r.has_phrase(&["without", "subfolders"])
        || r.has_phrase(&["ignoring", "subdirectories"]);
    if flat {
        f.tests.insert(0, "-maxdepth 1".into());
        f.words.push("not deeper".into());
        // "not subdirectories" says what to leave out.
        for t in &mut f.tests {
            if t == "-type d" {
                *t = "-type f".into();
            }
        }
        if f.noun == "directories" {
            f.noun = "files";
        }
    }
    f
}

impl Filter {
    fn push(&mut self, test: String, words: String) {
        self.tests.push(test);
        self.words.push(words);
        self.specific = true;
    }
}

fn extensions(r: &Request<'_>, f: &mut Filter) {
    let mut all: Vec<String> = Vec::new();
    let mut labels: Vec<String> = Vec::new();
    while let Some((p, l)) = r.take(|k| if let Kind::Ext(p, l) = k { Some((p.clone(), l.clone())) } else { None }) {
        all.extend(p);
        labels.push(l);
    }
    while let Some(g) = r.take(|k| if let Kind::Glob(g) = k { Some(g.clone()) } else { None }) {
        labels.push(g.clone());
        all.push(g);
    }
    if all.is_empty() {
        return;
    }
    let except = r.has_phrase(&["except"]) || r.has_phrase(&["that", "are", "not"]) || r.has(&["excluding", "but"]) || r.has_phrase(&["other", "than"]);
    let test = name_tests(&all);
    f.push(if except { format!("! {test}") } else { test }, format!("({}{})", if except { "not " } else { "" }, labels.join(", ")));
}

/// "named X", "whose name contains X", "starting with X", "find report.txt".
fn names(r: &Request<'_>, f: &mut Filter) {
    let about_name = r.has(&["name", "names", "named", "called", "filename", "filenames", "title", "titled"]);
    let starts = r.has(&["start", "starts", "starting", "begin", "begins", "beginning", "prefix", "prefixed"]);
    let ends = r.has(&["end", "ends", "ending", "suffix"]);
    let contains = r.has(&["contain", "contains", "containing", "includes", "including", "include", "has", "have", "having", "with", "like", "matching", "match", "matches", "word"]);
    // "the folder called x" is a name here, not a place.
    if r.has(&["called", "named"]) && !contains {
        let called = |e: &&crate::entity::Entity| matches!(&e.kind, Kind::Dir(_)) && (e.start..e.end).any(|i| matches!(r.tokens[i].norm.as_str(), "called" | "named"));
        if let Some(e) = r.entities.iter().find(called) {
            r.mark(e.start, e.end);
            let n = r.tokens[e.end - 1].raw.clone();
            for t in &mut f.tests {
                if t == "-type f" {
                    *t = "-type d".into();
                }
            }
            f.noun = "directories";
            f.push(format!("-iname {}", quote_always(&n)), format!("named {n}"));
            return;
        }
    }
    let value = if starts || ends {
        r.name(&["with", "in", "by", "letter", "prefix", "word", "suffix"]).or_else(|| letter_after_with(r))
    } else if about_name && contains && !r.has(&["called"]) {
        r.quoted().or_else(|| r.name(&["containing", "contains", "contain", "includes", "include", "including", "has", "have", "having", "like", "word", "matching", "matches", "match", "with", "named"])).or_else(|| r.word_after(&["containing", "contains", "contain", "has", "have", "having", "with", "like", "includes"]))
    } else {
        None
    };
    if let Some(v) = value {
        let v = v.trim_matches('*').to_owned();
        let (p, how) = if starts { (format!("{v}*"), "starting with") } else if ends { (format!("*{v}"), "ending in") } else { (format!("*{v}*"), "containing") };
        f.push(format!("-iname {}", quote_always(&p)), format!("with a name {how} {v}"));
        return;
    }
    // A plain file name.
    let exact = r.take(|k| match k {
        Kind::Path(p) if !p.contains('/') && r.world.exists(p) != Some(crate::world::Exists::Dir) => Some(p.clone()),
        _ => None,
    });
    let named = exact.or_else(|| if r.has(&["named", "called", "titled", "name"]) { r.name(&["named", "called", "titled", "name"]).or_else(|| r.quoted()) } else { None });
    if let Some(n) = named {
        let base = n.rsplit('/').next().unwrap_or(&n).to_owned();
        f.push(format!("-iname {}", quote_always(&base)), format!("named {base}"));
    }
}

/// "starting with a": single letters are words too.
fn letter_after_with(r: &Request<'_>) -> Option<String> {
    let i = r.position(&["with", "letter"])?;
    let k = (i + 1..r.tokens.len()).find(|&k| !matches!(r.tokens[k].norm.as_str(), "the" | "letter" | "word" | "prefix"))?;
    r.mark(k, k + 1);
    Some(r.tokens[k].raw.clone())
}
