//! Logs: what a line tells of (addresses, codes, methods, pages, levels, days) is found by its shape in the first lines.

use actions::quote::{quote, quote_path};

use super::said::Said;
use super::{Reading, reading};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    Address,
    Status,
    Method,
    Page,
    Level,
    Day,
    Program,
}

const KEYS: &[(&str, Key)] = &[
    ("source|client|remote|visitor? ip|ips addresses|address|numbers|number?", Key::Address), ("client|clients|visitor|visitors|host|hosts|addresses|address", Key::Address), ("http? status|response|return codes|code", Key::Status), ("statuses|status", Key::Status), ("http|request? methods|method", Key::Method), ("request verbs|verb", Key::Method),
    ("requested? urls|url|pages|page|paths|path|resources|resource|uri|uris|endpoints|endpoint", Key::Page), ("log|severity? levels|level", Key::Level), ("severity|severities", Key::Level), ("calendar? days|day|dates|date", Key::Day), ("programs|program|processes|process|services|service|daemons|daemon|applications|application", Key::Program),
];

const METHODS: &[&str] = &["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS"];
const LEVELS: &[&str] = &["TRACE", "DEBUG", "INFO", "NOTICE", "WARN", "WARNING", "ERROR", "CRITICAL", "FATAL", "ALERT"];

fn bare(field: &str) -> &str {
    field.trim_matches(|c: char| "\"[](),:;".contains(c))
}

fn fits(key: Key, field: &str) -> bool {
    let b = bare(field);
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    match key {
        Key::Address => {
            let parts: Vec<&str> = b.split('.').collect();
            parts.len() == 4 && parts.iter().all(|p| p.parse::<u8>().is_ok()) || b.matches(':').count() > 2 && b.bytes().all(|c| c.is_ascii_hexdigit() || c == b':')
        }
        Key::Status => field.len() == 3 && digits(field) && matches!(field.as_bytes()[0], b'1'..=b'5'),
        Key::Method => METHODS.contains(&b),
        Key::Page => field.starts_with('/') || b.starts_with("http://") || b.starts_with("https://"),
        Key::Level => LEVELS.contains(&b.to_uppercase().as_str()),
        Key::Program => field.len() > 2 && field.ends_with(':') && field.starts_with(|c: char| c.is_ascii_alphabetic()) && (field.ends_with("]:") || field[..field.len() - 1].bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b))),
        Key::Day => b.len() >= 10 && b.as_bytes()[..4].iter().all(u8::is_ascii_digit) && b.as_bytes()[4] == b'-' || b.len() >= 11 && b.as_bytes()[2] == b'/' && b.as_bytes()[6] == b'/',
    }
}

/// The field of each line that is of this kind, and how awk prints it.
fn field(text: &str, key: Key) -> Option<(usize, String)> {
    let mut lines: Vec<&str> = text.lines().filter(|l| !l.trim().is_empty()).take(20).collect();
    // The last one may be cut off.
    if lines.len() > 2 && text.len() >= 4096 {
        lines.pop();
    }
    let rows: Vec<Vec<&str>> = lines.iter().map(|l| l.split_whitespace().collect()).collect();
    if rows.is_empty() || lines.iter().any(|l| l.contains(',') && !l.contains(' ')) {
        return None;
    }
    let widest = rows.iter().map(Vec::len).max()?.min(14);
    let n = (0..widest).find(|&c| {
        let good = rows.iter().filter(|r| r.get(c).is_some_and(|f| fits(key, f))).count();
        good == rows.len() && good > usize::from(key == Key::Program) || key == Key::Level && good * 4 >= rows.len() * 3 && good > 1
    })?;
    let first = rows.iter().find_map(|r| r.get(n).filter(|f| fits(key, f)))?;
    let column = format!("${}", n + 1);
    let value = match key {
        Key::Day if bare(first).as_bytes()[2] == b'/' => format!("substr({column}, {}, 11)", 1 + usize::from(first.starts_with('['))),
        Key::Day => format!("substr({column}, {}, 10)", 1 + usize::from(first.starts_with('['))),
        Key::Program => return Some((n + 1, format!("split({column}, name, /[^A-Za-z0-9_.-]/); print name[1]"))),
        Key::Status | Key::Page => column,
        _ if bare(first) == *first => column,
        _ => return Some((n + 1, format!("gsub(/[]\\[\"(),:;]/, \"\", {column}); print {column}"))),
    };
    Some((n + 1, format!("print {value}")))
}

/// A status code or a method that lines are to have, as a condition of awk; crossed off.
fn condition(s: &Said<'_>, text: &str) -> Option<(String, String)> {
    const THINGS: &str = "requests|request|lines|line|entries|hits|responses|response|accesses|calls|records|errors|error";
    let code = |i: usize| s.raw(i).len() == 3 && s.raw(i).bytes().all(|b| b.is_ascii_digit()) && matches!(s.raw(i).as_bytes()[0], b'1'..=b'5');
    let status = field(text, Key::Status);
    if let Some((n, _)) = &status {
        // "status 400 or higher", "server errors".
        for (p, op) in [("with? http? status|response? status|code|codes # or|and higher|above|more|greater|up", ">="), ("with? http? status|response? status|code|codes of? at least #", ">="), ("with? http? status|response? status|code|codes is|are? above|over|greater|higher|exceeding than? #", ">"), ("with? http? status|response? status|code|codes is|are? below|under|less|lower than? #", "<")] {
            if let Some(f) = s.take_if(p, |f| code(*f.at.last().unwrap_or(&0))) {
                let c = s.raw(*f.at.last()?).to_owned();
                s.each(&["failed|failing|unsuccessful|erroneous requests|request|responses|lines|entries|hits?", "column|field #", "column|field", THINGS]);
                return Some((format!("${n} + 0 {op} {c}"), format!("with status {op} {c}")));
            }
        }
        for (p, test, words) in [("server errors", format!("${n} ~ /^5/"), "with a server's error"), ("client errors", format!("${n} ~ /^4/"), "with a client's error"), ("5xx errors|responses|status|requests|codes?", format!("${n} ~ /^5/"), "with a server's error"), ("4xx errors|responses|status|requests|codes?", format!("${n} ~ /^4/"), "with a client's error"), ("failed|failing|unsuccessful requests|request", format!("${n} + 0 >= 400"), "that failed"), ("successful requests|request", format!("${n} ~ /^2/"), "that succeeded")] {
            if s.any(&[p]) {
                s.each(&[THINGS]);
                return Some((test, words.into()));
            }
        }
        for p in [
            &format!("{THINGS}? that|which? have|has|had|with|of|got|gets|getting|returned|returning|return|returns|received|resulted|resulting|ended|ending|answered|led|produced|gave|whose in|with|to|by? http? status|response|return? code|codes|error? is|was|of|equal|equals? #"),
            &format!("{THINGS} with|that? status|code|response is|of? #"), &format!("http|status? # status|response? {THINGS}|code|codes|status|statuses"), &"http? status|response|return code|codes|of|is? #".to_owned(),
        ] {
            if let Some(f) = s.take_if(p, |f| code(*f.at.last().unwrap_or(&0))) {
                let c = s.raw(*f.at.last()?).to_owned();
                s.each(&["status|response|http? code|codes|status|responses|error|errors", THINGS]);
                return Some((format!("${n} == {c}"), format!("with status {c}")));
            }
        }
    }
    if let Some((n, _)) = field(text, Key::Address)
        && let Some(f) = s.take_if("came|come|coming|made|sent|issued|originating? from|by|of ip|address|client|host? $", |f| fits(Key::Address, s.raw(f.at[0])))
    {
        let a = s.raw(f.at[0]);
        return Some((format!("${n} == \"{a}\""), format!("of {a}")));
    }
    if let Some((n, _)) = field(text, Key::Method)
        && let Some(f) = s.take_if(&format!("$ {THINGS}"), |f| METHODS.contains(&s.raw(f.at[0])))
    {
        let m = s.raw(f.at[0]);
        return Some((format!("${n} ~ /{m}$/"), format!("with {m}")));
    }
    None
}

/// A key that is spoken of behind `lead`.
fn key(s: &Said<'_>, text: &str, lead: &str) -> Option<(Key, String)> {
    for (words, key) in KEYS {
        let pattern = format!("{lead}{words}");
        let Some(f) = s.look(&pattern) else { continue };
        let Some((_, value)) = field(text, *key) else { continue };
        s.mark(f.start, f.end);
        return Some((*key, value));
    }
    None
}

/// What is asked of a log.
pub(super) fn logs(s: &Said<'_>) -> Option<Reading> {
    if s.has(&["column", "field", "columns", "fields"]) && !s.r.text.contains('(') || s.has(&["replace", "delete", "remove", "change", "add"]) {
        return None;
    }
    let files = s.files();
    let [file] = &files[..] else { return None };
    let text = s.world().beginning_of(file)?;
    let test = condition(s, &text);
    let counts = "requests|request|hits|hit|lines|entries|accesses|visits|messages|events|occurrences|calls|times|errors|log";
    let made = "did|does|do|has|have|is|was|are|were";
    let told = s.has(&["count", "many", "number", "often", "requests", "hits", "frequency", "tally", "total", "group", "breakdown", "accesses", "visits", "entries", "messages", "events", "occurrences"]);
    let grouped = if told { key(s, &text, &format!("{counts}? per|by|each|every|from|grouped by|for|of|from|to|a? each|every|different|distinct|unique? ")) } else { None };
    let each = (0..s.len()).any(|i| matches!(s.w[i], "per" | "each" | "every" | "by" | "grouped" | "group"));
    let cond = test.as_ref().map_or(String::new(), |t| format!("{} ", t.0));
    let q = quote_path(file);
    let words = test.as_ref().map_or(String::new(), |t| format!(" {}", t.1));
    let noise = || {
        s.each(&[
            "how many|often", "number|count of?", &format!("count|counting|tally|total|group all? {counts}?"), "count|counts|frequency", counts, &format!("{made} made|sent|issued|sends|make|makes|appear|appears|occur|occurs|occurring|there|come|came|seen"), "did|does|do|according|to", "made|sent|issued|make|send|appear|appears|occur|occurs|occurring|seen|logged|recorded|came|come|contains|contain", "according to", "from|in log", "recorded|listed in|by", "log|logs|web|access|server", "each|every|grouped|by|per|with|different",
            "sorted|ordered|sort|order by count|number|frequency|hits|requests?", "sorted|ordered in? descending|decreasing order?", "most|highest|largest|busiest|frequent|common|active first?", "descending",
        ]);
    };
    if let Some((_, value)) = grouped.filter(|_| each) {
        let top = s.take("top|first|only # only?").or_else(|| s.take("# most frequent|common|active?")).and_then(|f| s.number(f.at[0])).map_or(String::new(), |n| format!(" | head -n {n}"));
        noise();
        return reading(format!("awk {} {q} | sort | uniq -c | sort -rn{top}", quote(&format!("{cond}{{ {value} }}"))), format!("Counts the lines of {file}{words} for each of them."));
    }
    // "The top 3 pages", "which page was requested most often".
    let most = s.take("top|first # most? frequent|common|active|requested|visited|often?").or_else(|| s.take("# most frequent|common|active|requested|visited|popular|frequently")).or_else(|| s.take("most frequent|common|active|requested|visited|popular|frequently|often|commonly requested|visited|seen|occurring|returned?")).or_else(|| s.take("most requests|hits|often"));
    if let Some(f) = most
        && let Some((_, value)) = key(s, &text, "")
    {
        let n = f.at.first().and_then(|i| s.number(*i));
        noise();
        s.each(&["was|is|are|were requested|returned|visited|seen?", "requested|visited|returned|often|time|times|by|makes"]);
        let end = match n {
            Some(n) => format!(" | head -n {n}"),
            None => " | head -n 1".into(),
        };
        return reading(format!("awk {} {q} | sort | uniq -c | sort -rn{end}", quote(&format!("{cond}{{ {value} }}"))), format!("Counts the lines of {file}{words} for each of them; the most frequent first."));
    }
    // "The distinct addresses".
    if test.is_none()
        && s.look("unique|distinct|different").is_some()
        && let Some((_, value)) = key(s, &text, "unique|distinct|different ")
    {
        let counted = s.any(&["how many|number|count of?", "count|counting"]);
        noise();
        s.each(&["that|which appear|occur|are|were", "made|requested|used", "sorted", "appear|occur|found|seen|accessed|visited|there"]);
        return reading(format!("awk {} {q} | sort -u{}", quote(&format!("{{ {value} }}")), if counted { " | wc -l" } else { "" }), format!("Prints which there are in {file}."));
    }
    // "The ip and the status of each request": these fields of each line.
    if test.is_none() && matches!(s.first(), "print" | "show" | "list" | "extract" | "display" | "get" | "output") && s.look("unique|distinct|different|how|count|number|most|often|top").is_none() {
        let mut fields: Vec<(usize, String)> = Vec::new();
        for (words, key) in KEYS {
            if let Some(f) = s.look(words)
                && let Some((_, value)) = field(&text, *key)
                && let Some(value) = value.strip_prefix("print ")
                && !fields.iter().any(|x| x.1 == value)
            {
                s.mark(f.start, f.end);
                fields.push((f.start, value.to_owned()));
            }
        }
        if fields.len() > 1 {
            fields.sort();
            s.each(&["extract", "of|for|in|from each|every|all request|requests|line|lines|entry|entries|hit", "and", "each|every request|line|entry", counts]);
            let all: Vec<String> = fields.into_iter().map(|f| f.1).collect();
            return reading(format!("awk {} {q}", quote(&format!("{{ print {} }}", all.join(", ")))), format!("Prints these of each line of {file}."));
        }
        return None;
    }
    let (test, words) = test?;
    let counted = s.any(&["how many|number|count of? requests|lines|entries|hits|times|responses|are|were|there?", "count|counting"]);
    // "Which addresses got a 404": each once.
    let of = key(s, &text, "unique|distinct|different|which|what|all|the ").or_else(|| key(s, &text, ""));
    noise();
    s.each(&["got|with|that|which|returned|resulted|a|an|errors|error", "status|code|response"]);
    match of {
        Some((_, value)) => {
            let count = if counted { " | wc -l" } else { "" };
            reading(format!("awk {} {q} | sort -u{count}", quote(&format!("{test} {{ {value} }}"))), format!("Prints which the lines of {file} {words} have."))
        }
        None if counted => reading(format!("awk {} {q} | wc -l", quote(&test)), format!("Counts the lines of {file} {words}.")),
        None => reading(format!("awk {} {q}", quote(&test)), format!("Prints the lines of {file} {words}.")),
    }
}
