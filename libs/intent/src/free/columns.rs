//! Columns of a table: which are printed, by which it is ordered, sums of them, rows by their values.

use super::lines::Pipe;
use super::said::{Said, character};
use crate::world::World;

const COLUMN: &str = "column|columns|field|fields|col|cols";

/// What parts the columns: one character, or nothing for blanks.
pub(super) fn separator(s: &Said<'_>, file: Option<&str>) -> String {
    if let Some(f) = s.take("separated|delimited|divided|split by|with|on|at single|a? $ characters|character|signs?").or_else(|| s.take("using|with $ as field|column? separator|delimiter")).or_else(|| s.take("separator|delimiter is? $")) {
        let c = s.text(f.at[0]);
        if c.chars().count() == 1 {
            return if c == " " { String::new() } else { c };
        }
    }
    for (words, c) in [("comma-separated|comma-delimited|csv", ","), ("tab-separated|tab-delimited|tsv", "\t"), ("colon-separated|colon-delimited", ":"), ("semicolon-separated|semicolon-delimited", ";"), ("space-separated|whitespace-separated|space-delimited", ""), ("pipe-separated|pipe-delimited", "|")] {
        if s.take(words).is_some() {
            s.each(&["file"]);
            return c.into();
        }
    }
    if let Some(f) = s.take("comma|tab|colon|semicolon|space|whitespace separated|delimited") {
        let w = s.w[f.start];
        return if matches!(w, "space" | "whitespace") { String::new() } else { character(w).unwrap_or("").into() };
    }
    let Some(file) = file else { return String::new() };
    if file.ends_with(".csv") {
        // Some are parted by semicolons.
        let first = s.world().beginning_of(file).and_then(|t| t.lines().next().map(str::to_owned)).unwrap_or_default();
        return if !first.contains(',') && first.contains(';') { ";".into() } else { ",".into() };
    }
    if file.ends_with(".tsv") {
        return "\t".into();
    }
    if matches!(file.rsplit('/').next(), Some("passwd" | "group" | "shadow" | "gshadow")) {
        return ":".into();
    }
    let first = s.world().beginning_of(file).unwrap_or_default();
    let mut lines = first.lines().filter(|l| !l.is_empty()).take(3).peekable();
    for c in ["\t", ",", ";", ":", "|"] {
        let all: Vec<usize> = first.lines().filter(|l| !l.is_empty()).take(3).map(|l| l.matches(c).count()).collect();
        if lines.peek().is_some() && all.iter().all(|n| *n > 0 && *n == all[0]) && (c == "\t" || first.lines().take(3).all(|l| !l.contains(' '))) {
            return c.into();
        }
    }
    String::new()
}

pub(super) fn awk_option(sep: &str) -> String {
    match sep {
        "" => String::new(),
        "\t" => " -F'\\t'".into(),
        "|" => " -F'[|]'".into(),
        s => format!(" -F'{s}'"),
    }
}

fn sort_option(sep: &str) -> String {
    match sep {
        "" => String::new(),
        "\t" => " -t $'\\t'".into(),
        s => format!(" -t '{s}'"),
    }
}

fn split(line: &str, sep: &str) -> Vec<String> {
    if sep.is_empty() { line.split_whitespace().map(str::to_owned).collect() } else { line.split(sep).map(|c| c.trim().to_owned()).collect() }
}

/// The column of that name, where the first line is a header.
fn headed(world: &dyn World, file: &str, sep: &str, name: &str) -> Option<u64> {
    if sep.is_empty() || name.len() < 2 {
        return None;
    }
    let first = world.beginning_of(file)?;
    let name = name.to_lowercase();
    // Accounts have no header, but everybody knows their fields.
    if let Some(n) = account_field(&first, sep, &name) {
        return Some(n);
    }
    let header = split(first.lines().next()?, sep);
    let at = header.iter().position(|h| h.to_lowercase().trim_matches('"') == name).or_else(|| header.iter().position(|h| h.to_lowercase().trim_end_matches('s') == name.trim_end_matches('s')))?;
    Some(at as u64 + 1)
}

/// Whether the word at `i` names a column of the table `file`.
pub(super) fn names_column(s: &Said<'_>, file: &str, i: usize) -> bool {
    let first = s.world().beginning_of(file).and_then(|t| t.lines().next().map(str::to_owned)).unwrap_or_default();
    [",", ";", "\t"].iter().any(|sep| first.contains(sep) && headed(s.world(), file, sep, s.raw(i)).is_some())
}

/// `field 3`, `third column`, `column age` starting anywhere: what `p` finds with its `$`, as a number.
fn column_in(s: &Said<'_>, file: &str, sep: &str, i: usize) -> Option<(u64, bool)> {
    if let Some(n) = s.number(i) {
        return (1..1000).contains(&n).then_some((n, false));
    }
    let accounts = s.world().beginning_of(file).is_some_and(|t| account_field(&t, sep, &s.raw(i).to_lowercase()).is_some());
    headed(s.world(), file, sep, s.raw(i)).map(|n| (n, !accounts))
}

/// The field of that name in a file of accounts, as /etc/passwd is one.
fn account_field(text: &str, sep: &str, name: &str) -> Option<u64> {
    let like = |l: &str| {
        let f: Vec<&str> = l.split(':').collect();
        f.len() == 7 && f[2].parse::<u32>().is_ok() && f[3].parse::<u32>().is_ok() && f[5].starts_with('/')
    };
    if sep != ":" || !text.lines().next().is_some_and(like) {
        return None;
    }
    const NAMES: [&[&str]; 7] = [&["user", "users", "username", "usernames", "name", "names", "login", "logins", "account", "accounts"], &["password", "passwords"], &["uid", "uids"], &["gid", "gids"], &["gecos", "comment", "comments"], &["home", "homes"], &["shell", "shells"]];
    NAMES.iter().position(|n| n.contains(&name)).map(|n| n as u64 + 1)
}

const NTH: &[&str] = &["COL number? #", "# COL", "COL called|named? $", "$ COL"];

/// The first column that `lead` introduces; whether it was named by the header.
fn column(s: &Said<'_>, file: &str, sep: &str, lead: &str) -> Option<(u64, bool)> {
    for p in NTH {
        let pattern = format!("{lead}{}", p.replace("COL", COLUMN));
        let Some(f) = s.look(&pattern) else { continue };
        let Some(c) = column_in(s, file, sep, *f.at.last()?) else { continue };
        s.mark(f.start, f.end);
        return Some(c);
    }
    let pattern = format!("{lead}$");
    let elements: Vec<&str> = pattern.split(' ').collect();
    let mut from = 0;
    while let Some(f) = s.look_at(&elements, from) {
        from = f.start + 1;
        let i = *f.at.last()?;
        if s.is_text(i) && let Some(found) = column_in(s, file, sep, i).filter(|_| s.number(i).is_none()) {
            s.mark(f.start, f.end);
            return Some(found);
        }
    }
    None
}

/// A condition on a column, as awk writes it.
fn condition(s: &Said<'_>, file: &str, sep: &str) -> Option<(String, bool)> {
    let speaks = s.has(&["column", "field", "columns", "col", "fields"]) || !sep.is_empty();
    if !speaks {
        return None;
    }
    if let Some(found) = held(s, file, sep) {
        return Some(found);
    }
    const OPS: &[(&str, &str)] = &[
        ("is|are? greater|more|larger|bigger|higher than or equal to? $", ">="), ("is|are|of? at least $", ">="), ("is|are? less|smaller|lower than or equal to? $", "<="), ("is|are|of? at most $", "<="), ("is|are|of? no more than $", "<="), ("is|are|of? no less than $", ">="),
        ("is|are? greater|more|larger|bigger|higher|older than $", ">"), ("is|are|of? over|above|exceeds|exceeding $", ">"), ("is|are? less|smaller|lower|fewer|younger than $", "<"), ("is|are|of? under|below $", "<"),
        ("is|are not equal to? $", "!="), ("is|are not $", "!="), ("does not equal $", "!="), ("differs from $", "!="), ("that? do|does not contain|contains $", "!~"), ("contains|containing|contain|includes $", "~"), ("starts|begins|start|begin|starting with $", "^"), ("ends|end|ending with|in $", "$"), ("is|are? equal|equals|equaling to? $", "=="), ("matches|match $", "~"), ("is|=|equals|has $", "=="), (">= $", ">="), ("<= $", "<="), ("> $", ">"), ("< $", "<"), ("== $", "=="),
    ];
    for (op_pattern, op) in OPS {
        for lead in ["where|whose|with|which|having|when|if value|text|number? in|of? ", "where|whose|with|having $ ", "lines|rows|entries|records|those|people|ones|value in|with|of|having|have|has|had|got ", "have|has|had|having|got|with ", "that have value in? ", "and|or whose|where? ", "only lines|rows? with|where ", ""] {
            if lead.is_empty() && !s.has(&["where", "whose", "rows", "lines", "only", "entries", "records"]) {
                continue;
            }
            for p in NTH.iter().chain(&["$"]) {
                let strict = *p != "$";
                let pattern = format!("{lead}{} value? {op_pattern}", p.replace("COL", COLUMN));
                let Some(f) = s.look(&pattern) else { continue };
                let (col, value) = (f.at[f.at.len().checked_sub(2)?], *f.at.last()?);
                if f.at.len() > 2 && !strict {
                    continue;
                }
                let Some((n, named)) = column_in(s, file, sep, col) else { continue };
                if !strict && s.number(col).is_some() || matches!(s.w[value], "not" | "greater" | "less" | "more" | "equal" | "at" | "above" | "over" | "the") && !s.r.tokens[value].quoted {
                    continue;
                }
                s.mark(f.start, f.end);
                let v = s.r.tokens[value].raw.clone();
                let quoted = format!("\"{}\"", v.replace('\\', "\\\\").replace('"', "\\\""));
                let number = v.parse::<f64>().is_ok();
                let test = match *op {
                    "~" => format!("index(${n}, {quoted})"),
                    "!~" => format!("!index(${n}, {quoted})"),
                    "^" => format!("index(${n}, {quoted}) == 1"),
                    "$" => format!("substr(${n}, length(${n}) - {}) == {quoted}", v.chars().count().saturating_sub(1)),
                    "==" | "!=" => format!("${n} {op} {}", if number { v.clone() } else { quoted }),
                    op => format!("${n} + 0 {op} {}", if number { v.clone() } else { return None }),
                };
                return Some((test, named));
            }
        }
    }
    None
}

/// "The dev team", "team dev", "from the region north": a value that stands in the column of that name.
fn held(s: &Said<'_>, file: &str, sep: &str) -> Option<(String, bool)> {
    if sep.is_empty() {
        return None;
    }
    let text = s.world().beginning_of(file)?;
    let stands = |n: u64, value: &str| text.lines().skip(1).any(|l| split(l, sep).get(n as usize - 1).is_some_and(|c| c.eq_ignore_ascii_case(value)));
    for (pattern, value, name) in [("in|from|of|for|with|by|to|on $ $", 0, 1), ("in|from|of|for|with|by|whose|where|have|has|had|having|take|takes $ $", 1, 0), ("whose|where|with|having $ is|are|equals|= $", 1, 0)] {
        let elements: Vec<&str> = pattern.split(' ').collect();
        let mut from = 0;
        while let Some(f) = s.look_at(&elements, from) {
            from = f.start + 1;
            let (v, h) = (f.at[value], f.at[name]);
            let raw = s.raw(v);
            let Some(n) = headed(s.world(), file, sep, s.raw(h)).filter(|_| !s.quoted(h)) else { continue };
            if raw.parse::<f64>().is_ok() || !stands(n, raw) || raw.contains(['"', '\\']) {
                continue;
            }
            let cell = text.lines().skip(1).filter_map(|l| split(l, sep).get(n as usize - 1).cloned()).find(|c| c.eq_ignore_ascii_case(raw))?;
            s.mark(f.start, f.end);
            let header = account_field(&text, sep, &s.raw(h).to_lowercase()).is_none();
            return Some((format!("${n} == \"{cell}\""), header));
        }
    }
    None
}

/// Which columns are printed, in the order they are said: their awk fields.
fn chosen(s: &Said<'_>, file: &str, sep: &str) -> Option<(Vec<String>, bool, bool)> {
    let mut out: Vec<String> = Vec::new();
    let mut named = false;
    // "columns 2 to 4", "fields 2 through 4", "columns 2-4".
    if let Some(f) = s.take(&format!("{COLUMN} from? # to|through|until|till #")).or_else(|| s.take(&format!("# to|through # {COLUMN}"))) {
        let (a, b) = (s.number(f.at[0])?, s.number(f.at[1])?);
        return (a < b && b < 100).then(|| ((a..=b).map(|n| format!("${n}")).collect(), false, true));
    }
    if let Some(i) = (0..s.len()).find(|&i| s.free(i) && s.raw(i).split_once('-').is_some_and(|(a, b)| a.parse::<u64>().is_ok() && b.parse::<u64>().is_ok())).filter(|&i| i > 0 && COLUMN.split('|').any(|c| s.w[i - 1] == c)) {
        let (a, b) = s.raw(i).split_once('-')?;
        let (a, b) = (a.parse::<u64>().ok()?, b.parse::<u64>().ok()?);
        s.mark(i - 1, i + 1);
        return (a < b && b < 100).then(|| ((a..=b).map(|n| format!("${n}")).collect(), false, true));
    }
    if let Some(f) = s.take_if(&format!("first|leading # {COLUMN}"), |f| !f.at.is_empty()) {
        let n = s.number(f.at[0])?;
        return (n < 100).then(|| ((1..=n).map(|n| format!("${n}")).collect(), false, true));
    }
    if let Some(f) = s.take(&format!("everything|all|text|part|rest after # {COLUMN}")).or_else(|| s.take("everything|all after # word")) {
        let n = s.number(f.at[0])?;
        s.each(&["of|on each|every line"]);
        return (n < 100).then(|| (vec![format!("${}-", n + 1)], false, true));
    }
    // A list of them: "columns 1 and 3", "first and third fields", "column 3 followed by column 1", "the name and the age".
    let mut i = 0;
    while i < s.len() {
        if !s.free(i) {
            i += 1;
            continue;
        }
        let w = s.w[i];
        let near = |k: usize| s.w.get(k + usize::from(s.w.get(k).is_some_and(|w| w.ends_with("-separated") || w.ends_with("-delimited")))).is_some_and(|w| COLUMN.split('|').chain(["word", "words", "value"]).any(|c| *w == c));
        let listed = |k: usize| {
            // Numbers up to the noun, or after it: nothing but numbers and joints in between.
            let after = (k + 1..s.len()).take(8).take_while(|&j| s.number(j).is_some() || matches!(s.w[j], "and" | "to" | "then" | "followed" | "by" | "last" | "the" | "first") || near(j)).any(near);
            let before = (0..k).rev().take(8).take_while(|&j| s.number(j).is_some() || matches!(s.w[j], "and" | "then" | "number" | "numbers" | "followed" | "by" | "last" | "the") || near(j)).any(near);
            after || before
        };
        if w == "last" && listed(i) {
            out.push("$NF".into());
            s.mark(i, i + 1);
        } else if matches!(w, "second-to-last" | "next-to-last" | "penultimate" | "second-last") && near(i + 1) {
            out.push("$(NF-1)".into());
            s.mark(i, i + 1);
        } else if let Some(n) = s.number(i).filter(|n| (1..1000).contains(n))
            && listed(i)
        {
            if matches!(s.w.get(i + 1), Some(&"to" | &"from")) && s.w.get(i + 2) == Some(&"last") {
                out.push(format!("$(NF-{})", n - 1));
                s.mark(i, i + 3);
            } else if s.w.get(i + 1) == Some(&"last") && near(i + 2) {
                out.push(format!("$(NF-{})", n - 1));
                s.mark(i, i + 2);
            } else {
                out.push(format!("${n}"));
                s.mark(i, i + 1);
            }
        } else if let Some(n) = headed(s.world(), file, sep, s.raw(i))
            && !(i > 0 && matches!(s.w[i - 1], "by" | "each" | "per"))
        {
            out.push(format!("${n}"));
            named = true;
            s.mark(i, i + 1);
        }
        i += 1;
    }
    // "products (third column)": the name and its number are one.
    if s.r.text.contains('(') || sep == ":" && named {
        out.dedup();
    }
    if out.is_empty() {
        return None;
    }
    s.each(&[&format!("{COLUMN}"), "word|words of each|every line", "word|words in each|every line", "only", "followed|then by", "word|words|value|values|part", "number|numbers", "in that|this order", "of|for|in each|every line|row|record|entry"]);
    let rising = out.windows(2).all(|w| w[0][1..].parse::<u64>().ok() < w[1][1..].parse::<u64>().ok()) && out.iter().all(|c| c[1..].parse::<u64>().is_ok());
    Some((out, named, rising))
}

/// Columns and rows that are kept.
pub(super) fn select(s: &Said<'_>, p: &mut Pipe, file: &str) {
    let accounts = s.world().beginning_of(file).is_some_and(|t| account_field(&t, ":", "user").is_some());
    let speaks = s.has(&["column", "columns", "field", "fields", "col"]) || s.look("part|text|everything|characters").is_some() && s.look("before|after|preceding|following").is_some() || s.look("word|words of|in|from each|every line").is_some() || s.look("#|last word|words").is_some() && s.has(&["line", "lines"]) || file.ends_with(".csv") || file.ends_with(".tsv") || accounts;
    if !speaks {
        return;
    }
    let sep = separator(s, Some(file));
    // "User names" of accounts: one field, which "names" says.
    if accounts && let Some(f) = s.look("user|login|account names|name") {
        s.mark(f.start, f.start + 1);
    }
    // "The part before the semicolon".
    if let Some(f) = s.take_if("part|text|everything|characters|all of? each|every? line? of|in? that? is|comes|stands? before|preceding|after|following first? $", |f| s.look("keys|key|values|equals").is_none() && (character(s.w[*f.at.last().unwrap_or(&0)]).is_some_and(|c| c.chars().count() == 1) || s.quoted(*f.at.last().unwrap_or(&0)) && s.raw(*f.at.last().unwrap_or(&0)).chars().count() == 1)) {
        let c = s.text(f.at[0]);
        let after = s.w[f.start..f.end].iter().any(|w| matches!(*w, "after" | "following"));
        s.each(&["of|on|in each|every line", "sign|character"]);
        p.on_files(format!("cut -d {} -f {}", actions::quote::quote(&c), if after { "2-" } else { "1" }), "a part of each line");
        return;
    }
    if product_ahead(s, file, &sep) {
        return;
    }
    let mut named = false;
    let mut tests = Vec::new();
    while let Some((t, by_name)) = condition(s, file, &sep) {
        named |= by_name;
        tests.push(t);
        if tests.len() > 3 {
            break;
        }
    }
    // "Which pupils have ...": whatever the rows are called.
    if !tests.is_empty() && matches!(s.first(), "which" | "what" | "list" | "show" | "print" | "find" | "display" | "all" | "get") {
        let noun = (1..3.min(s.len())).find(|&i| !matches!(s.w[i], "all" | "the" | "every"));
        if let Some(i) = noun.filter(|&i| s.free(i) && !s.quoted(i) && s.entity_at(i).is_none() && s.raw(i).ends_with('s') && headed(s.world(), file, &sep, s.raw(i)).is_none()) {
            s.mark(i, i + 1);
        }
    }
    if !tests.is_empty() {
        s.each(&["names? of? people|persons|employees|everybody|everyone|those|users", "people|persons|everybody|everyone"]);
    }
    let or = tests.len() > 1 && s.any(&["or"]);
    // By what it is ordered, and what is added up, is not printed.
    let followed = s.look("followed by").is_some();
    if !followed && (s.look(&format!("sort|sorted|order|ordered by|on|according {COLUMN}?")).is_some() || sums(s) || s.look(&format!("by|on # {COLUMN}")).is_some() || s.look(&format!("by|on {COLUMN} #")).is_some()) {
        let rest = separate(s, file, &sep);
        emit(s, p, &sep, (tests, or), (rest.0, named || rest.1, rest.2));
        return;
    }
    let (cols, by_name, rising) = chosen(s, file, &sep).unwrap_or_default();
    emit(s, p, &sep, (tests, or), (cols, named || by_name, rising));
}

/// The columns that are printed where there is also one that is sorted by: those before the word for it.
fn separate(s: &Said<'_>, file: &str, sep: &str) -> (Vec<String>, bool, bool) {
    if sums(s) {
        return (Vec::new(), false, false);
    }
    let Some(at) = s.r.position(&["sort", "sorted", "order", "ordered", "sorting", "ordering", "by"]).filter(|at| *at > 0) else { return (Vec::new(), false, false) };
    let marks = s.marks();
    // What comes after is hidden for a while.
    s.mark(at, s.len());
    let found = chosen(s, file, sep);
    let now = s.marks();
    s.restore(marks.iter().enumerate().map(|(i, m)| if i < at { now[i] } else { *m }).collect());
    found.unwrap_or_default()
}

fn sums(s: &Said<'_>) -> bool {
    s.has(&["sum", "total", "multiply", "average", "mean", "maximum", "minimum", "max", "min", "median", "largest", "smallest", "highest", "lowest", "add", "avg"]) && s.look("sort|sorted").is_none()
}

/// Adds the stage that prints these columns of the rows that pass the tests.
fn emit(s: &Said<'_>, p: &mut Pipe, sep: &str, (tests, or): (Vec<String>, bool), (cols, named, rising): (Vec<String>, bool, bool)) {
    let f = awk_option(sep);
    let without_header = named && (!tests.is_empty() || s.look("how many rows|lines|records|entries does|do each|every").is_some() || s.any(&["without|excluding|not|skipping including? header|heading line|row?"]));
    if tests.is_empty() {
        if cols.is_empty() {
            return;
        }
        if let [one] = &cols[..] && let Ok(n) = one[1..].parse() {
            p.column = Some((sep.to_owned(), n));
        }
        let words = format!("columns {}", cols.join(" ").replace('$', ""));
        // "Everything after the second": the rest of the line.
        if cols.len() == 1 && cols[0].ends_with('-') {
            let d = match sep {
                "" => " -d ' '".to_owned(),
                "\t" => String::new(),
                c => format!(" -d '{c}'"),
            };
            p.on_files(format!("cut{d} -f {}", &cols[0][1..]), words);
            return;
        }
        if rising && !sep.is_empty() {
            let list: Vec<&str> = cols.iter().map(|c| &c[1..]).collect();
            let d = if sep == "\t" { String::new() } else { format!(" -d '{sep}'") };
            p.on_files(format!("cut{d} -f {}", list.join(",")), words);
        } else {
            let ofs = if sep.is_empty() || cols.len() == 1 { String::new() } else { format!(" -v OFS='{}'", if sep == "\t" { "\\t" } else { sep }) };
            p.on_files(format!("awk{f}{ofs} '{{ print {} }}'", cols.join(", ")), words);
        }
        if without_header {
            p.on_files("tail -n +2", "without the header");
        }
        return;
    }
    let mut test = tests.join(if or { " || " } else { " && " });
    if without_header {
        test = if tests.len() > 1 { format!("NR > 1 && ({test})") } else { format!("NR > 1 && {test}") };
    }
    s.each(&["rows|row|lines|line|entries|records|only"]);
    let print = if cols.is_empty() { String::new() } else { format!(" {{ print {} }}", cols.join(", ")) };
    let ofs = if sep.is_empty() || cols.len() < 2 { String::new() } else { format!(" -v OFS='{}'", if sep == "\t" { "\\t" } else { sep }) };
    p.on_files(format!("awk{f}{ofs} '{test}{print}'"), "the rows that fit");
}

/// `sort` and its keys.
pub(super) fn sort(s: &Said<'_>, p: &mut Pipe, unique: bool, fold: &str) -> bool {
    let file = s.r.entities.iter().find_map(|e| if let crate::entity::Kind::Path(p) = &e.kind { Some(p.clone()) } else { None }).unwrap_or_default();
    let asked = s.any(&["sort|sorted|sorting|order|ordered|ordering|arrange|arranged|rank|ranked lines|it|them|rows|values|entries|result|output?", "alphabetize|alphabetized"]);
    let down = s.any(&["in? descending|decreasing order?", "in reverse alphabetical|alphabetic|numerical|numeric order", "in? reverse|reversed order?", "reverse|reversed", "largest|highest|biggest|greatest|longest|newest one|value|number? first", "from largest|highest|biggest|high|most|large to smallest|lowest|low|least|small?", "largest|highest|biggest to smallest|lowest", "high to low", "from z to a", "z to a", "descending|descendingly"]);
    let up = s.any(&["in? ascending|increasing|rising order?", "smallest|lowest one|value|number? first", "from smallest|lowest|low|small to largest|highest|high|large?", "smallest|lowest to largest|highest", "low to high", "ascending"]);
    let alphabetic = s.any(&["in? alphabetical|alphabetic|lexical|dictionary|lexicographic order?", "alphabetically|lexically|lexicographically"]);
    let numeric = s.any(&["in? numerical|numeric order|value?", "numerically", "as numbers", "by number|value|numbers|values", "numeric|numerical"]);
    if !(asked || down || up || alphabetic || numeric) {
        return false;
    }
    if s.any(&["randomly", "in? random order", "shuffle|shuffled"]) {
        p.on_files("shuf", "in random order");
        return true;
    }
    if s.any(&["by line|their? length|lengths of? lines|line?", "by number of characters"]) {
        p.on_files("awk '{ print length, $0 }'", "with lengths");
        p.on_input(format!("sort -n{} | cut -d ' ' -f 2-", if down { "r" } else { "" }), "by length");
        return true;
    }
    let sep = separator(s, Some(&file));
    let mut keys = Vec::new();
    let mut header = false;
    while let Some((n, named)) = column(s, &file, &sep, "by|on|of|in|according|then|and to|by? values|value|numbers|number? of|in? ") {
        header |= named;
        // A direction or a kind after this key is its own.
        let own_numeric = s.any(&["numerically|numeric", "as numbers", "as number"]);
        let own_down = s.any(&["descending|reverse|descendingly", "in descending order"]);
        keys.push((n, own_numeric, own_down));
        if keys.len() > 3 {
            break;
        }
    }
    // "by city (column 3)": the gloss of the key is no more than that.
    if let Some(f) = s.look("by|then $").filter(|f| s.is_text(f.at[0]) && !keys.is_empty()) {
        s.mark(f.start, f.end);
    }
    s.each(&["by", "then by $"]);
    if keys.is_empty() {
        let numeric = numeric || (down || up || asked) && !alphabetic && match &p.column {
            Some((sep, n)) => numbers(s.world(), &file, sep, *n),
            None => all_numbers(s.world(), &file),
        };
        let mut flags = String::new();
        if numeric {
            flags.push('n');
        }
        if down {
            flags.push('r');
        }
        if unique {
            flags.push('u');
        }
        flags.push_str(fold);
        p.on_files(if flags.is_empty() { "sort".into() } else { format!("sort -{flags}") }, "sorted");
        return true;
    }
    let several = keys.len() > 1;
    let spec: Vec<String> = keys.iter().map(|(n, own, own_down)| {
        let number = *own || !several && numeric || !alphabetic && numbers(s.world(), &file, &sep, *n);
        format!(" -k {n},{n}{}{}", if number { "n" } else { "" }, if *own_down || down && !several || down && keys.iter().all(|k| !k.2) { "r" } else { "" })
    }).collect();
    let command = format!("sort{}{}{}", sort_option(&sep), if unique { " -u" } else { "" }, spec.concat());
    if header && p.is_empty() {
        p.on_input(format!("{{ IFS= read -r head && printf '%s\\n' \"$head\"; {command}; }}"), "sorted below its header");
    } else {
        p.on_files(command, "sorted by columns");
    }
    true
}

pub(super) fn all_numbers(world: &dyn World, file: &str) -> bool {
    world.beginning_of(file).is_some_and(|t| {
        let mut any = false;
        t.lines().filter(|l| !l.is_empty()).take(5).all(|l| {
            any = true;
            l.trim().parse::<f64>().is_ok()
        }) && any
    })
}

/// Whether a column holds numbers: its first rows say.
pub(super) fn numbers(world: &dyn World, file: &str, sep: &str, n: u64) -> bool {
    let Some(text) = world.beginning_of(file) else { return false };
    let mut any = false;
    text.lines().skip(1).take(5).filter_map(|l| split(l, sep).get(n as usize - 1).cloned()).all(|v| {
        any = true;
        v.parse::<f64>().is_ok()
    }) && any
}

/// One number for a column, or for all lines.
pub(super) fn aggregate(s: &Said<'_>, p: &mut Pipe, file: &str) -> bool {
    let marks = s.marks();
    if s.has(&["multiply", "multiplying", "product", "products", "times", "multiplied", "x", "*"]) {
        let sep = separator(s, Some(file));
        if let Some(script) = product(s, file, &sep) {
            p.on_files(script, "the products");
            return true;
        }
        s.restore(marks);
    }
    let sum = s.any(&["sum|total up? of?", "add|adding up|together?", "summed up?"]);
    let mean = !sum && s.any(&["average|mean|avg value|number? of?"]);
    let median = s.any(&["median value? of?"]);
    let most = s.any(&["largest|highest|biggest|greatest|maximum|max value|number|values|numbers? in|of|from?"]);
    let least = !most && s.any(&["smallest|lowest|least|minimum|min value|number|values|numbers? in|of|from?"]);
    if !(sum || mean || most || least || median) {
        return false;
    }
    if sum && s.look("lines|words|characters|bytes|number of").is_some() {
        return false;
    }
    let sep = separator(s, Some(file));
    let marks = s.marks();
    if let Some(done) = grouped(s, file, &sep, sum, mean, most, least) {
        p.on_files(done, "a figure for each group");
        return true;
    }
    s.restore(marks);
    let col = column(s, file, &sep, "of|in|up|together? all? values? of|in? ").or_else(|| column(s, file, &sep, ""));
    s.each(&["all|every? numbers|values|number|value in|of|from?", "together|up", "result|total"]);
    let (n, header) = col.unwrap_or((1, false));
    let field = format!("${n}");
    let option = if col.is_none() { String::new() } else { awk_option(&sep) };
    // What went before may have taken the header away.
    let header = header && p.is_empty();
    let skip = if header { "NR > 1 " } else { "" };
    let script = if sum {
        format!("awk{option} '{skip}{{ s += {field} }} END {{ print s + 0 }}'")
    } else if mean {
        format!("awk{option} '{skip}{{ s += {field}; n++ }} END {{ if (n) print s / n }}'")
    } else if median {
        let cut = format!("awk{option} '{skip}{{ print {field} }}'");
        p.on_files(cut, "the column");
        p.on_input("sort -n | awk '{ a[NR] = $1 } END { print NR % 2 ? a[(NR + 1) / 2] : (a[NR / 2] + a[NR / 2 + 1]) / 2 }'", "the median");
        return true;
    } else {
        let op = if most { ">" } else { "<" };
        let first = if header { "NR == 2" } else { "NR == 1" };
        format!("awk{option} '{}{first} || {field} + 0 {op} m {{ m = {field} + 0 }} END {{ print m }}'", if header { "NR == 1 { next } " } else { "" })
    };
    p.on_files(script, "the figure asked for");
    true
}

/// Whether the first row names the columns: its value there is no number, though the next one is.
fn header_by_value(world: &dyn World, file: &str, sep: &str, n: u64) -> bool {
    let first = world.beginning_of(file).and_then(|t| t.lines().next().and_then(|l| split(l, sep).get(n as usize - 1).cloned()));
    first.is_some_and(|v| !v.is_empty() && v.parse::<f64>().is_err()) && numbers(world, file, sep, n)
}

/// A figure for each value of another column: "the sum of column 4 for each region".
fn grouped(s: &Said<'_>, file: &str, sep: &str, sum: bool, mean: bool, most: bool, least: bool) -> Option<String> {
    let each = s.look("per|each|every").is_some() || s.look("by|grouped").is_some() && s.look("sort|sorted|ordered by").is_none();
    if !each || s.look("each|every line|row").is_some() {
        return None;
    }
    // "per region (column 2)": the name, or the number behind it.
    let lead = "per|each|every|by|grouped|for value|values|distinct|different|by? of|in? ";
    let (key, _) = column(s, file, sep, &format!("{lead}$ ")).or_else(|| column(s, file, sep, lead))?;
    let (value, _) = column(s, file, sep, "of|in|up|together? all? values? of|in? ").or_else(|| column(s, file, sep, ""))?;
    if key == value {
        return None;
    }
    s.each(&["per|for|each|every|by|grouped|group", "and", "values|value|total"]);
    let skip = if header_by_value(s.world(), file, sep, value) { "NR > 1 " } else { "" };
    let option = awk_option(sep);
    let (k, v) = (format!("${key}"), format!("${value}"));
    Some(if sum {
        format!("awk{option} '{skip}{{ s[{k}] += {v} }} END {{ for (k in s) print k, s[k] }}'")
    } else if mean {
        format!("awk{option} '{skip}{{ s[{k}] += {v}; n[{k}]++ }} END {{ for (k in s) print k, s[k] / n[k] }}'")
    } else if most || least {
        let op = if most { ">" } else { "<" };
        format!("awk{option} '{skip}{{ if (!({k} in m) || {v} + 0 {op} m[{k}]) m[{k}] = {v} + 0 }} END {{ for (k in m) print k, m[k] }}'")
    } else {
        return None;
    })
}

/// "Multiply column 4 by column 5 and add up the products".
fn product(s: &Said<'_>, file: &str, sep: &str) -> Option<String> {
    let adds = s.look("sum|total|add").is_some();
    if let Some(named) = named_product(s, file, sep, adds) {
        return Some(named);
    }
    let f = s.take(&format!("multiply|multiplying {COLUMN} # by|with|and|times {COLUMN}? #")).or_else(|| s.take(&format!("product|products of {COLUMN} # and|by|with {COLUMN}? #"))).or_else(|| s.take(&format!("{COLUMN} # times|x|multiplied by? {COLUMN} #")))?;
    let (a, b) = (s.number(f.at[0])?, s.number(f.at[1])?);
    s.each(&["and|then sum|add|total up? products|results|product|result|them|it?", "sum|total|products|product|results|of|all|each|every|row|line|add|up"]);
    let option = awk_option(sep);
    let skip = if header_by_value(s.world(), file, sep, a) { "NR > 1 " } else { "" };
    Some(if adds { format!("awk{option} '{skip}{{ s += ${a} * ${b} }} END {{ print s + 0 }}'") } else { format!("awk{option} '{skip}{{ print ${a} * ${b} }}'") })
}

/// "Units times price": where two columns are multiplied by their names.
fn factors(s: &Said<'_>, file: &str, sep: &str) -> Option<super::said::Found> {
    ["multiply|multiplying $ by|with|and|times $", "product|products of $ and|by|with|times $", "$ times|multiplied by? $", "$ x|* $"].iter().find_map(|p| {
        let elements: Vec<&str> = p.split(' ').collect();
        let mut from = 0;
        while let Some(f) = s.look_at(&elements, from) {
            from = f.start + 1;
            if f.at.iter().all(|&i| headed(s.world(), file, sep, s.raw(i)).is_some()) {
                return Some(f);
            }
        }
        None
    })
}

fn product_ahead(s: &Said<'_>, file: &str, sep: &str) -> bool {
    s.has(&["multiply", "multiplying", "product", "products", "times", "multiplied", "x", "*"]) && factors(s, file, sep).is_some()
}

/// The command for such a product.
fn named_product(s: &Said<'_>, file: &str, sep: &str, adds: bool) -> Option<String> {
    let f = factors(s, file, sep)?;
    let at = |k: usize| headed(s.world(), file, sep, s.raw(f.at[k]));
    let (a, b) = (at(0)?, at(1)?);
    s.mark(f.start, f.end);
    let each = s.any(&["for|in|of|on each|every row|line|record|entry|sale|order", "per row|line|record|entry", "row by row", "line by line", "of|for all rows|lines"]);
    s.each(&["and|then sum|add|total up? products|results|product|result|them|it?", "sum|total|add|products|product|results|multiply|up|all|values|columns|column|and", "calculate|compute|of"]);
    let option = awk_option(sep);
    let name = chosen(s, file, sep).map(|(c, ..)| c).unwrap_or_default();
    Some(if adds && !each || adds && s.r.has(&["grand", "overall"]) {
        format!("awk{option} 'NR > 1 {{ s += ${a} * ${b} }} END {{ print s + 0 }}'")
    } else {
        let lead: String = name.iter().map(|c| format!("{c}, ")).collect();
        format!("awk{option} 'NR > 1 {{ print {lead}${a} * ${b} }}'")
    })
}

/// "How many rows per subject": each value of a column, counted.
fn tally(s: &Said<'_>, p: &mut Pipe, file: &str, sep: &str) -> bool {
    let counts = s.look("how many|count|number").is_some();
    if !counts || sep.is_empty() || s.has(&["sum", "total", "average", "mean", "unique", "distinct", "different"]) {
        return false;
    }
    let elements: Vec<&str> = ["per|each|every|by", "$"].to_vec();
    let mut from = 0;
    while let Some(f) = s.look_at(&elements, from) {
        from = f.start + 1;
        let Some(n) = headed(s.world(), file, sep, s.raw(f.at[0])).filter(|_| !s.quoted(f.at[0])) else { continue };
        if account_field(&s.world().beginning_of(file).unwrap_or_default(), sep, &s.raw(f.at[0]).to_lowercase()).is_some() {
            return false;
        }
        s.mark(f.start, f.end);
        s.each(&["how many rows|lines|entries|records|times?", "count|number of? rows|lines|entries|records?", "rows|lines|entries|records", "are|is|there|for|in|of|do|does|have|has|appear|occur"]);
        let d = if sep == "\t" { String::new() } else { format!(" -d '{sep}'") };
        p.on_files("tail -n +2", "without the header");
        p.on_input(format!("cut{d} -f {n} | sort | uniq -c"), "each value counted");
        return s.left().is_empty();
    }
    false
}

/// The row with the largest or smallest value of a column, or that column's neighbour.
pub(super) fn rows(s: &Said<'_>, p: &mut Pipe, file: &str) -> bool {
    let marks = s.marks();
    let most = "highest|largest|biggest|maximum|greatest|max|most|best|top";
    let least = "lowest|smallest|minimum|least|min|worst";
    let speaks = s.has(&["column", "field"]) || file.ends_with(".csv") || file.ends_with(".tsv");
    if !speaks {
        return false;
    }
    let sep = separator(s, Some(file));
    let mut counted = Pipe::default();
    if tally(s, &mut counted, file, &sep) {
        *p = counted;
        return true;
    }
    s.restore(marks.clone());
    // "The two lines with ...", "the 2 pupils with ...".
    let several = s.take(&format!("# $ of|in|from? with|has|have|having {most}|{least}")).map(|f| {
        s.unmark(f.at[1] + 1, f.end);
        s.number(f.at[0]).unwrap_or(1)
    });
    if several.is_some() && s.look(&format!("with|has|have|having {most}|{least} value|number? in|of|for?")).is_none() {
        s.restore(marks);
        return false;
    }
    let (down, found) = if several.is_some() { if let Some(f) = s.take(&format!("with|has|have|having {most} value|number? in|of|for?")) { (true, Some(f)) } else { (false, s.take(&format!("with|has|have|having {least} value|number? in|of|for?"))) } } else if s.look(&format!("row|line|entry|record|rows|lines|entries|name|person|who of|in|from? with|has|have|having {most} value|number? in|of|for?")).is_some() {
        (true, s.take(&format!("with|has|have|having {most} value|number? in|of|for?")))
    } else if s.look(&format!("row|line|entry|record|rows|lines|entries|name|person|who of|in|from? with|has|have|having {least} value|number? in|of|for?")).is_some() {
        (false, s.take(&format!("with|has|have|having {least} value|number? in|of|for?")))
    } else if let Some(f) = s.take("oldest|tallest|richest|heaviest|longest person|one|entry|row|employee|student?") {
        (true, Some(f))
    } else if let Some(f) = s.take("youngest|shortest|poorest|lightest|cheapest person|one|entry|row|employee|student?") {
        (false, Some(f))
    } else {
        return false;
    };
    let back = |s: &Said<'_>| {
        s.restore(marks.clone());
        false
    };
    if found.is_none() {
        return back(s);
    }
    let Some((n, header)) = column(s, file, &sep, "in|of|by? ").or_else(|| column(s, file, &sep, "")) else { return back(s) };
    s.each(&["row|line|entry|record|whole|entire", "is age|value|score"]);
    let cols = match chosen(s, file, &sep) {
        Some((c, ..)) => Some(c),
        None if s.any(&["name|names of?"]) => Some(vec!["$1".to_owned()]),
        None => None,
    };
    if header {
        p.on_files("tail -n +2", "without the header");
    }
    p.on_files(format!("sort{} -k {n},{n}n{}", sort_option(&sep), if down { "r" } else { "" }), "ordered by that column");
    p.on_input(format!("head -n {}", several.unwrap_or(1)), "the first");
    if let Some(cols) = cols {
        p.on_input(format!("awk{} '{{ print {} }}'", awk_option(&sep), cols.join(", ")), "the columns asked for");
    }
    s.each(&["age|value|score|amount", "column|field"]);
    true
}
