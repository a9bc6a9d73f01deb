//! Words that are understood by what is in the files: "how many failed logins does auth.log record" counts the lines that say so.

use actions::quote::{quote, quote_path};

use super::said::Said;
use super::set;
use super::shapes::SHAPES;
use super::{Reading, reading};
use crate::entity::Kind;
use crate::world::Exists;

pub(super) fn grounded(s: &Said<'_>) -> Option<Reading> {
    let marks = s.marks();
    for read in [packed, packed_kinds, members, phrased, holders, shapes, defined, counted] {
        if let Some(r) = read(s) {
            return Some(r);
        }
        s.restore(marks.clone());
    }
    None
}

/// "How many files are in x.tar": what an archive holds, counted.
fn packed(s: &Said<'_>) -> Option<Reading> {
    let files = s.files();
    let [archive] = &files[..] else { return None };
    let list = if archive.ends_with(".zip") {
        format!("unzip -Z1 {}", quote_path(archive))
    } else if archive.contains(".tar") || archive.ends_with(".tgz") {
        format!("tar -tf {}", quote_path(archive))
    } else {
        return None;
    };
    s.take("how many").or_else(|| s.take("count number? of?")).or_else(|| s.take("number of"))?;
    let f = s.take("files|entries|members|items|things|documents|directories|folders|objects and? folders|directories|files?")?;
    let kind = match &s.w[f.start..f.end] {
        [one] if matches!(*one, "directories" | "folders") => " | grep -c '/$'",
        [one] if *one == "files" => " | grep -vc '/$'",
        _ => " | wc -l",
    };
    s.each(&["are|is|does|has|have|were there?", "contain|contains|hold|holds|include", "packed|stored|contained|in|inside", "archive|tarball|zip|file"]);
    reading(format!("{list}{kind}"), format!("Counts what {archive} holds."))
}

/// "List the csv files in x.tar": of what an archive holds, those of a kind.
fn packed_kinds(s: &Said<'_>) -> Option<Reading> {
    let archive = s.entity(|e| if let Kind::Path(p) = &e.kind { Some(p.clone()) } else { None }).filter(|a| s.world().exists(a) == Some(Exists::File))?;
    let list = if archive.ends_with(".zip") { format!("unzip -Z1 {}", quote_path(&archive)) } else if archive.contains(".tar") || archive.ends_with(".tgz") { format!("tar -tf {}", quote_path(&archive)) } else { return None };
    if !matches!(s.first(), "list" | "show" | "print" | "display" | "which" | "what" | "find" | "how" | "count") {
        return None;
    }
    let kinds: Vec<String> = s.entity(|e| if let Kind::Ext(p, _) = &e.kind { Some(p.clone()) } else { None })?;
    let endings: Option<Vec<String>> = kinds.iter().map(|k| k.strip_prefix("*.").filter(|e| e.bytes().all(|b| b.is_ascii_alphanumeric())).map(str::to_owned)).collect();
    let count = s.any(&["how many", "count number? of?"]);
    s.each(&["only|just", "files|file|names", "in|inside|of|from|within", "archive|tarball|zip|file", "are|is|does|contain|contains|there"]);
    reading(format!("{list} | grep -E{} '\\.({})$'", if count { "c" } else { "" }, endings?.join("|")), format!("Lists what {archive} holds of that kind."))
}

/// "The members of the group x in etc/groups": of a file whose lines are name, password, number and members.
fn members(s: &Said<'_>) -> Option<Reading> {
    let files = s.files();
    let [file] = &files[..] else { return None };
    let text = s.world().beginning_of(file)?;
    let fields = |l: &str| l.split(':').map(str::to_owned).collect::<Vec<_>>();
    if !text.lines().next().map(fields).is_some_and(|f| f.len() == 4 && f[2].parse::<u32>().is_ok()) {
        return None;
    }
    let known = |i: usize| text.lines().any(|l| l.split(':').next() == Some(s.raw(i)));
    let person = |i: usize| text.lines().any(|l| l.rsplit(':').next().is_some_and(|m| m.split(',').any(|m| m == s.raw(i))));
    let q = quote_path(file);
    if let Some(f) = s.take_if("member|members|users|people|who|belongs|belong of|in|to group? $", |f| known(f.at[0])).or_else(|| s.take_if("group $ members?", |f| known(f.at[0]))) {
        let group = s.raw(f.at[0]);
        s.each(&["who|users|people|members|member|is|are|group|belong|belongs|to|of|in", "group"]);
        return reading(format!("awk -F: -v group={} '$1 == group {{ print $4 }}' {q} | tr , '\\n'", quote(group)), format!("Prints the members of {group} in {file}."));
    }
    let i = (0..s.len()).find(|&i| s.free(i) && person(i))?;
    if !s.has(&["groups"]) {
        return None;
    }
    s.mark(i, i + 1);
    s.each(&["which|what groups|group", "groups|group", "have|has|is|are|does|do|belong|belongs|to|in|of|contain|contains|as|with", "member|members"]);
    let person = s.raw(i);
    reading(format!("awk -F: -v name={} '(\",\" $4 \",\") ~ (\",\" name \",\") {{ print $1 }}' {q}", quote(person)), format!("Prints the groups of {person} in {file}."))
}

/// "The addresses of failed logins in x.log": what has a form, in the lines that say so.
fn phrased(s: &Said<'_>) -> Option<Reading> {
    let files = s.files();
    let [file] = &files[..] else { return None };
    let text = s.world().beginning_of(file)?.to_lowercase();
    let unique = s.any(&["unique|distinct|different"]);
    let count = s.any(&["how many", "count number? of?", "number of"]);
    let begin = s.marks();
    let (regex, words) = SHAPES.iter().find_map(|(patterns, regex, words)| s.any(&patterns[..]).then_some((*regex, *words)))?;
    let end = (0..s.len()).rev().find(|&i| !s.free(i) && !begin[i])? + 1;
    let lead = (end..s.len()).find(|&i| s.free(i)).filter(|&i| matches!(s.w[i], "of" | "with" | "from" | "for" | "that" | "which"))?;
    let run: Vec<usize> = (lead + 1..s.len()).skip_while(|&i| matches!(s.w[i], "the" | "all" | "had" | "have" | "has" | "a")).take_while(|&i| s.free(i) && !SMALL.contains(&s.w[i]) && s.entity_at(i).is_none()).collect();
    let (a, b, phrase) = spoken(&text, &run.iter().map(|&i| s.raw(i).to_lowercase()).collect::<Vec<_>>())?;
    if !(0..run.len()).filter(|k| !(a..b).contains(k)).all(|k| EVENTS.contains(&s.w[run[k]])) {
        return None;
    }
    s.mark(lead, run.last()? + 1);
    s.each(&["extract|collect|pull", "in|from|of"]);
    let tail = format!("{}{}", if unique { " | sort -u" } else { "" }, if count { " | wc -l" } else { "" });
    reading(format!("grep -iF -e {} {} | grep -oE -e '{regex}'{tail}", quote(&phrase), quote_path(file)), format!("Prints {words} in the lines of {file} with {phrase}."))
}

/// Nouns for a line of a log, which are in none of them.
const EVENTS: &[&str] = &["attempt", "attempts", "message", "messages", "entries", "entry", "event", "events", "request", "requests", "record", "records", "occurrences", "logins", "login", "reports", "lines", "line", "times", "cases", "incidents", "mentions"];

/// What is counted by other rules, whatever the file holds.
const PARTS: &[&str] = &[
    "lines", "line", "words", "word", "characters", "character", "letters", "bytes", "columns", "column", "fields", "field", "rows", "files", "paragraphs", "sentences", "users", "user", "people", "names", "values", "numbers", "empty", "blank", "unique", "distinct", "different", "comment", "comments", "duplicates", "duplicate", "times",
    "digits", "vowels", "spaces", "tabs", "commas", "bits", "seconds", "days", "links", "functions", "keys", "sections", "members", "items", "more", "first", "last", "total", "lowercase", "uppercase", "odd", "even", "addresses", "kilobytes", "megabytes",
];

const SMALL: &[&str] = &["are", "is", "does", "do", "did", "were", "was", "has", "have", "in", "of", "from", "there", "can", "occur", "occurs", "the", "a", "an", "with", "that", "which", "on", "by", "for", "per", "each", "every", "to", "at", "and", "or", "not", "contain", "contains", "than", "where", "whose", "between"];

fn singular(w: &str) -> String {
    crate::text::stem(w)
}

/// "How many failed password attempts does x record": the lines in which the words stand.
fn counted(s: &Said<'_>) -> Option<Reading> {
    let files = s.files();
    let file = match &files[..] {
        [one] => Some(one.clone()),
        [] => None,
        _ => return None,
    };
    let count = s.take("how many times?").or_else(|| s.take("count|number total? number? of? how? many? all?")).or_else(|| s.take("number|count of"))?;
    let fits = |i: usize| i < s.len() && (s.free(i) || s.quoted(i)) && !SMALL.contains(&s.w[i]) && s.entity_at(i).is_none_or(|e| matches!(e.kind, Kind::Quoted(_)));
    let end = (count.end..s.len()).find(|&i| !fits(i)).unwrap_or(s.len());
    let words: Vec<usize> = (count.end..end).collect();
    if words.is_empty() || words.len() > 4 || words.iter().any(|&i| PARTS.contains(&s.w[i])) {
        return None;
    }
    const VERBS: &[&str] = &["are|is|were|was|does|do|did|has|have|been there|recorded|logged|listed|mentioned|contained|reported|found?", "record|records|contain|contains|have|has|log|list|mention|mentions|report|reports|show|shows|hold", "there|recorded|logged|listed|mentioned|contained|reported"];
    let Some(file) = file else {
        // Below a directory nothing is read beforehand: only what can be no other word.
        let [i] = words[..] else { return None };
        let raw = s.raw(i).trim_end_matches('s').to_owned();
        let capitals = raw.len() > 2 && raw.bytes().all(|b| b.is_ascii_uppercase());
        if !capitals && !s.quoted(i) {
            return None;
        }
        s.mark(i, i + 1);
        s.each(VERBS);
        let f = set::set(s);
        let text = if s.quoted(i) { s.raw(i).to_owned() } else { raw };
        return f.specific.then(|| reading(format!("{} -exec grep -oh -F -e {} {{}} + | wc -l", f.find(), quote(&text)), format!("Counts how often {text} is in the {}.", f.describe())))?;
    };
    let text = s.world().beginning_of(&file)?;
    let lower = text.to_lowercase();
    // The names of a table's columns are no text to look for.
    let header = text.lines().next().unwrap_or("").to_lowercase();
    if header.matches([',', ';', '\t']).count() > 0 && words.iter().any(|&i| header.split([',', ';', '\t']).any(|h| singular(h.trim()) == singular(s.w[i]))) {
        return None;
    }
    let (a, b, phrase) = spoken(&lower, &words.iter().map(|&i| s.raw(i).to_lowercase()).collect::<Vec<_>>())?;
    let rest = (0..words.len()).filter(|k| !(a..b).contains(k)).all(|k| EVENTS.contains(&s.w[words[k]]));
    if !rest {
        return None;
    }
    s.mark(count.end, end);
    s.each(VERBS);
    s.each(&["in|of|from", "total|altogether", "log"]);
    // As it is typed, where the file holds it so and in no other way.
    let typed = s.raw(words[a]).to_owned();
    let exact = b - a == 1 && text.contains(&typed) && lower.matches(&phrase).count() == text.matches(&typed).count();
    let pattern = if exact { typed } else { phrase };
    reading(format!("grep -c{} -F -e {} {}", if exact { "" } else { "i" }, quote(&pattern), quote_path(&file)), format!("Counts the lines of {file} with {pattern}."))
}

/// The longest run of the words that stands in the text, in the singular where only that does.
fn spoken(lower: &str, words: &[String]) -> Option<(usize, usize, String)> {
    for len in (1..=words.len()).rev() {
        for a in 0..=words.len() - len {
            let run = &words[a..a + len];
            let typed = run.join(" ");
            let (last, first) = run.split_last()?;
            let one: Vec<&str> = first.iter().map(String::as_str).chain([last.trim_end_matches('s')]).collect();
            let one = one.join(" ");
            let good = |p: &str| p.len() > 2 && lower.contains(p) && !run.iter().all(|w| EVENTS.contains(&w.as_str()));
            if good(&typed) {
                return Some((a, a + len, typed));
            }
            if good(&one) {
                return Some((a, a + len, one));
            }
        }
    }
    None
}

/// "Which folders contain python files": where they lie.
fn holders(s: &Said<'_>) -> Option<Reading> {
    let f = s.take("directories|folders|subdirectories|subfolders|dirs that|which? contain|contains|containing|have|having|hold|holding|with|include at? least? one|1|a|any|some?").or_else(|| s.take("directories|folders|subdirectories|subfolders in which there? are|is|lie any|some?"))?;
    let count = s.any(&["how many", "count number? of?", "number of"]);
    if f.start > 4 || !matches!(s.first(), "which" | "what" | "list" | "find" | "show" | "print" | "display" | "directories" | "folders" | "how" | "count" | "get" | "name" | "the" | "all" | "give") || s.has(&["no", "only", "not", "nothing"]) {
        return None;
    }
    s.each(&["unique|distinct", "each? only? once", "names|paths of"]);
    let set = set::set(s);
    if set.kind != "f" || set.tests.is_empty() || set.also.len() > 1 {
        return None;
    }
    reading(format!("{} -printf '%h\\n' | sort -u{}", set.find(), if count { " | wc -l" } else { "" }), format!("Lists where {} lie.", set.describe()))
}

/// Addresses of all kinds out of many files.
fn shapes(s: &Said<'_>) -> Option<Reading> {
    if s.paths() > 0 && (0..s.len()).any(|i| s.free(i) && s.world().exists(s.raw(i)) == Some(Exists::File)) {
        return None;
    }
    // Links are files, too.
    if s.has(&["links", "link"]) && !s.has(&["web", "http", "page", "pages", "html"]) {
        return None;
    }
    let (regex, words) = SHAPES.iter().find_map(|(patterns, regex, words)| s.any(&patterns[..]).then_some((*regex, *words)))?;
    if !matches!(s.first(), "extract" | "find" | "list" | "get" | "pull" | "print" | "show" | "display" | "collect" | "search" | "grep" | "which" | "what" | "output" | "gather" | "how" | "count" | "all" | "give") || s.has(&["my", "machine", "host", "interface", "interfaces", "system"]) {
        return None;
    }
    let unique = s.any(&["unique|distinct|different", "each? only? once", "without duplicates", "sorted and? unique?"]);
    let count = s.any(&["how many", "count number? of?", "number of"]);
    s.each(&["extract|pull|collect|gather|grep out?", "out of", "that? are|is|occur|occurring|appear|appearing|contained|found|mentioned in", "all|every"]);
    let f = set::set(s);
    if !(f.specific || f.said) {
        return None;
    }
    let tail = format!("{}{}", if unique { " | sort -u" } else { "" }, if count { " | wc -l" } else { "" });
    reading(format!("{} -exec grep -ohE -e '{regex}' {{}} +{tail}", f.find()), format!("Prints {words} in the {}.", f.describe()))
}

/// "How many functions are defined in x.py".
fn defined(s: &Said<'_>) -> Option<Reading> {
    let f = s.take("function|functions|method|methods|class|classes definitions|definition|names|name?").filter(|f| !s.quoted(f.start))?;
    let class = s.w[f.start].starts_with("class");
    let count = s.any(&["how many", "count number? of?", "number of", "total"]);
    if !(count || matches!(s.first(), "list" | "show" | "print" | "find" | "which" | "what" | "display" | "get" | "all")) {
        return None;
    }
    s.each(&["that|which? are|is? there? defined|declared|contained in|by?", "does|do|are|is there?", "contain|contains|have|has|define|defines|declare", "defined|declared", "in"]);
    let begin = s.marks();
    let files = s.files();
    let python = |name: &str| name.ends_with(".py");
    let regex = |py: bool| match (py, class) {
        (_, true) => Some(r"^[[:space:]]*class[[:space:]]+[A-Za-z_]"),
        (true, false) => Some(r"^[[:space:]]*(async[[:space:]]+)?def[[:space:]]+[A-Za-z_]"),
        _ => None,
    };
    if let [one] = &files[..] {
        let e = regex(python(one))?;
        return reading(format!("grep {}E -e '{e}' {}", if count { "-c" } else { "-" }, quote_path(one)), format!("Looks for what {one} defines."));
    }
    s.restore(begin);
    let f = set::set(s);
    let e = regex(f.endings.iter().all(|e| e == "py") && !f.endings.is_empty())?;
    let find = f.find();
    reading(if count { format!("{find} -exec grep -hE -e '{e}' {{}} + | wc -l") } else { format!("{find} -exec grep -HE -e '{e}' {{}} +") }, format!("Looks for what the {} define.", f.describe()))
}
