//! What is asked of the lines of a file: a pipeline of what is kept, cut out, changed, ordered and counted.

use actions::quote::{quote, quote_path};

use super::columns;
use super::said::{Said, character};

/// A pipeline that reads files.
#[derive(Default)]
pub(super) struct Pipe {
    stages: Vec<(String, bool)>,
    /// Where one column is all that is printed: how columns are parted, and its number.
    pub column: Option<(String, u64)>,
    /// What it does, in words.
    pub words: Vec<String>,
}

impl Pipe {
    /// A stage that takes the files as operands.
    pub fn on_files(&mut self, command: impl Into<String>, words: impl Into<String>) {
        self.stages.push((command.into(), true));
        self.words.push(words.into());
    }

    /// A stage that reads standard input only.
    pub fn on_input(&mut self, command: impl Into<String>, words: impl Into<String>) {
        self.stages.push((command.into(), false));
        self.words.push(words.into());
    }

    pub fn is_empty(&self) -> bool {
        self.stages.is_empty()
    }

    /// As a command line over these files.
    pub fn over(&self, files: &[String]) -> String {
        let all: Vec<String> = files.iter().map(|f| quote_path(f)).collect();
        let all = all.join(" ");
        let Some(((first, takes), rest)) = self.stages.split_first() else { return format!("cat {all}") };
        let counts = first.starts_with("grep") && files.len() > 1;
        // What is compressed is read as what it holds.
        if files.iter().any(|f| f.ends_with(".gz")) {
            return self.stages.iter().fold(format!("zcat -f {all}"), |line, (stage, _)| format!("{line} | {stage}"));
        }
        let head = if *takes && !counts && (files.len() == 1 || !first.starts_with("head") && !first.starts_with("tail") && !first.starts_with("wc")) {
            format!("{first} {all}")
        } else if files.len() == 1 {
            format!("{first} < {all}")
        } else {
            format!("cat {all} | {first}")
        };
        rest.iter().fold(head, |line, (stage, _)| format!("{line} | {stage}"))
    }
}

/// A text that stands for itself in a pattern of `sed`.
pub(super) fn literal(s: &str) -> String {
    s.chars().map(|c| match c {
        '\n' => "\\n".into(),
        '\t' => "\\t".into(),
        c if "/.*[]^$\\".contains(c) => format!("\\{c}"),
        c => c.to_string(),
    }).collect()
}

/// The other side of `s///`.
pub(super) fn replacement(s: &str) -> String {
    s.chars().map(|c| match c {
        '\n' => "\\n".into(),
        '\t' => "\\t".into(),
        c if "/&\\".contains(c) => format!("\\{c}"),
        c => c.to_string(),
    }).collect()
}

const LINES: &str = "lines|line|rows|row|entries|entry|records|ones|those";

/// Classes of characters by their names.
fn class(word: &str) -> Option<&'static str> {
    Some(match word {
        "digit" | "digits" | "number" | "numbers" | "numerals" => "0-9",
        "vowel" | "vowels" => "aeiouAEIOU",
        "uppercase" | "capitals" | "capital" => "A-Z",
        "lowercase" => "a-z",
        "letters" | "letter" | "alphabetic" => "A-Za-z",
        "punctuation" => "[:punct:]",
        "whitespace" | "spaces" | "blanks" | "space" => "[:space:]",
        "alphanumeric" => "[:alnum:]",
        _ => return None,
    })
}

pub(super) fn folded(s: &Said<'_>) -> bool {
    s.any(&["ignoring|ignore upper|lower? case", "case-insensitively|case-insensitive", "case insensitively|insensitive", "regardless of upper|letter? case", "in any case", "no matter case", "upper or lower case", "in upper|lower or lower|upper case", "without regard to case", "irrespective of case", "whatever their|its? case", "whatever their|its? capitalization", "in any? upper or lower case", "no matter|regardless|irrespective if|whether|of extension|extensions|name|names|it|they|letters|text? is|are|being? in|written|spelled? in? upper|uppercase|capital|lower or lower|lowercase|small|upper case|letters?", "no matter how capitalized|written"])
}

/// Which lines are kept.
fn filters(s: &Said<'_>, p: &mut Pipe) -> bool {
    let before = p.words.len();
    let unfolded = s.marks();
    let fold = if folded(s) { "i" } else { "" };
    let with_fold = s.marks();
    let word = if s.any(&["as|only? whole word|words", "whole word|words only?"]) { "w" } else { "" };
    let numbered = s.any(&["together? along? with|and|including|showing|show|print|prefixed by|their|its? line number|numbers", "preceded by their line number|numbers", "with line number|numbers", "with numbers of lines|line", "and number|numbering them|it|those"]);
    // Lines around those that are found.
    let mut around = String::new();
    for (patterns, letter) in [
        (&["and|with|plus one? line|lines that? follow|follows|after|following it|them|each?", "and|with|plus # lines that? follow|follows|after|following it|them|each?", "and|with|plus # following|next|subsequent lines", "and|with|plus lines|line that? follow|follows|following|after it|them|each?", "and|with|plus following|next|subsequent line", "# lines of context after", "# lines after it|them|each?"][..], "A"),
        (&["and|with|plus one? line|lines that? precede|precedes|before|preceding it|them|each?", "and|with|plus # lines that? precede|before|preceding it|them|each?", "and|with|plus # preceding|previous lines", "and|with|plus lines|line that? precedes|precede|before|preceding it|them|each?", "and|with|plus preceding|previous line", "# lines of context before", "# lines before it|them|each?"], "B"),
        (&["together? with|and|plus #|one line|lines of? context? before and after it|them|each?", "together? with #|one line|lines of? context around|on both? sides?", "with # lines of? context around|both?", "line before and line? after it|them|each?", "# lines of? context", "# lines before and after it|them?", "# lines around it|them|each?"], "C"),
    ] {
        for pattern in patterns {
            if let Some(f) = s.take(pattern) {
                let n = f.at.first().and_then(|i| s.number(*i)).unwrap_or(1);
                around.push_str(&format!(" -{letter} {n}"));
            }
        }
    }
    let base = |v: &str, e: &str| format!("grep{}{}{}{}{around}", if numbered { " -n" } else { "" }, if fold.is_empty() { String::new() } else { " -i".into() }, if word.is_empty() { String::new() } else { " -w".into() }, if v.is_empty() { format!(" {e}") } else { format!(" -v {e}") });
    // What lines consist of.
    for (negative, lead) in [
        (true, "that|which? do|does|did|is|are|were? not contain|contains|containing|include|including|mention|mentioning|match|matching|have|having"),
        (true, "without|lacking|excluding|omitting|except|dropping|skipping|leaving lines|those|out|any? with|containing|of?"),
        (true, "that lack|lacks|omit"),
        (false, "that|which? contain|contains|containing|include|includes|including|mention|mentions|mentioning|match|matches|matching|have|has|having|with"),
    ] {
        let regex = format!("{lead} at? least? one? regular? word|string|text|pattern|phrase|letter|character|expression|substring|regex|term|value? $");
        let mut from = 0;
        loop {
            let elements: Vec<&str> = regex.split(' ').collect();
            let Some(f) = find_from(s, &elements, from) else { break };
            let i = f.at[0];
            from = f.start + 1;
            let strict = s.r.tokens[i].quoted;
            // "Rows that have a mark above 70": a column of the table.
            if !strict && p_file(s).is_some_and(|f| columns::names_column(s, f, i)) {
                continue;
            }
            // "beginning with x" is another matter.
            if f.start > 0 && matches!(s.w[f.start - 1], "beginning" | "starting" | "ending" | "begin" | "begins" | "start" | "starts" | "end" | "ends") {
                continue;
            }
            let about_lines = (f.start.saturating_sub(3)..f.start).any(|k| LINES.split('|').any(|l| s.w[k] == l)) || (f.start..i).any(|k| LINES.split('|').any(|l| s.w[k] == l));
            let about_lines = about_lines || f.start > 0 && matches!(s.w[f.start - 1], "but" | "and") && s.has(&["lines", "line", "rows", "entries"]) && s.w[f.start] == "without";
            let is_word = (f.start..i).any(|k| matches!(s.w[k], "word" | "string" | "text" | "pattern" | "phrase" | "regex" | "substring"));
            let clear = (f.start..i).any(|k| matches!(s.w[k], "contain" | "contains" | "containing" | "mention" | "mentions" | "mentioning" | "matching" | "matches" | "match" | "include" | "includes"));
            if !s.is_text(i) || !(about_lines || is_word || clear) || matches!(s.w[i], "number" | "numbers" | "line" | "spaces" | "tabs" | "commas" | "vowels" | "more" | "empty" | "blank" | "duplicate" | "duplicates" | "comment" | "comments" | "fewer" | "less" | "least" | "most" | "highest" | "lowest" | "largest" | "smallest" | "biggest" | "longest" | "shortest" | "maximum" | "minimum" | "upper" | "lower" | "digits" | "punctuation" | "length") && !strict && !(about_lines && clear) {
                continue;
            }
            if s.entity_at(i).is_some_and(|e| matches!(e.kind, crate::entity::Kind::Path(_))) && !strict && s.world().exists(s.raw(i)).is_some() {
                continue;
            }
            s.mark(f.start, f.end);
            s.each(&[&format!("{LINES}")]);
            if let Some(c) = class(s.w[i]).filter(|_| !strict && about_lines) {
                let e = format!("-E -e '[{c}]'");
                p.on_files(base(if negative { "x" } else { "" }, &e), format!("the lines {} {}", if negative { "without" } else { "with" }, s.w[i]));
                break;
            }
            let mut texts = vec![s.text(i)];
            let regex = (f.start..i).any(|k| matches!(s.w[k], "regex" | "expression"));
            let mut end = f.end;
            while let Some(o) = s.look("or word|string? $").filter(|o| o.start == end && s.is_text(o.at[0])) {
                s.mark(o.start, o.end);
                end = o.end;
                texts.push(s.text(o.at[0]));
            }
            let kind = if regex { "-E" } else { "-F" };
            let e: String = format!("{kind}{}", texts.iter().map(|t| format!(" -e {}", quote(t))).collect::<String>());
            p.on_files(base(if negative { "x" } else { "" }, &e), format!("the lines {} {}", if negative { "without" } else { "with" }, texts.join(" or ")));
            // "contain foo and bar": both.
            if let Some(o) = s.look("and|both also? $").filter(|o| o.start == end && (s.r.tokens[o.at[0]].quoted || !crate::vocabulary::is_common(s.w[o.at[0]]) && s.entity_at(o.at[0]).is_none())) {
                s.mark(o.start, o.end);
                p.on_input(format!("grep -F -e {}", quote(&s.text(o.at[0]))), format!("and {}", s.raw(o.at[0])));
            }
            break;
        }
        if p.words.len() > before && !negative {
            break;
        }
    }
    // "without INFO and DEBUG lines": words in capitals, or in quotes.
    let told = |f: &super::said::Found| f.at.iter().all(|&i| s.quoted(i) || s.raw(i).len() > 1 && s.raw(i).bytes().all(|b| b.is_ascii_uppercase()));
    if p.words.len() == before && let Some(f) = s.take_if("without|excluding|omitting|except|dropping|hiding|minus|no $ and|or|nor $ lines|messages|entries|ones", told).or_else(|| s.take_if("without|excluding|omitting|except|dropping|hiding|minus|no $ lines|messages|entries|ones", told)) {
        let e: String = f.at.iter().map(|&i| format!(" -e {}", quote(&s.text(i)))).collect();
        p.on_files(base("x", &format!("-F{e}")), "without those lines");
    }
    // "The ERROR lines of x": a word in capitals, or in quotes.
    if p.words.len() == before && let Some(f) = s.take_if("$ lines|messages|entries", |f| told(f) && s.entity_at(f.at[0]).is_none_or(|e| matches!(e.kind, crate::entity::Kind::Quoted(_)))) {
        p.on_files(base("", &format!("-F -e {}", quote(&s.text(f.at[0])))), format!("the lines with {}", s.raw(f.at[0])));
    }
    // "the warnings in x.log": lines of that kind.
    if p.words.len() == before && let Some(f) = s.take_if("show|print|display|list|find|get|see all|any? warnings|errors|failures|exceptions|criticals|infos in|from|of|inside|that|recorded", |f| f.start == 0).or_else(|| s.look("how many warnings|errors|failures|exceptions|criticals").or_else(|| s.look("number|count of? all? warnings|errors|failures|exceptions|criticals")).filter(|_| !s.has(&["per", "each", "every"]))) {
        // How many they are is read later.
        s.mark(f.end - 1, f.end);
        s.each(&["does|do|are|were|was there|logged|recorded|contained?", "contain|contains|record|records|has|have|hold|report"]);
        let kind = s.w[f.start..f.end].iter().find_map(|w| Some(match *w { "warnings" => "warn", "errors" => "error", "failures" => "fail", "exceptions" => "exception", "criticals" => "critical", "infos" => "info", _ => return None })).unwrap_or("error");
        p.on_files(format!("grep{} -i -e {kind}", if numbered { " -n" } else { "" }), format!("the lines that speak of {kind}"));
    }
    // Beginnings and ends.
    for (lead, start) in [("start|starts|starting|begin|begins|beginning", true), ("end|ends|ending", false)] {
        let line_said = s.has(&["lines", "line", "rows", "entries", "those"]);
        if let Some(f) = s.look(&format!("{LINES} that|which? do|does not {lead} with|in letter|word|string|text|character? $")).or_else(|| s.look(&format!("not {lead} with|in letter|word|string|text|character? $"))).or_else(|| s.look(&format!("without|excluding|omitting|except|skipping|dropping|ignoring|no|minus|leaving out? {LINES} that|which? {lead} with|in letter|word|string|text|character? $"))).filter(|_| line_said) {
            s.mark(f.start, f.end);
            let t = alternatives(s, f.at[0], f.end);
            p.on_files(base("x", &if start { format!("-e {}", quote(&format!("^{t}"))) } else { format!("-e {}", quote(&format!("{t}$"))) }), format!("the lines that do not {} with {}", if start { "begin" } else { "end" }, s.raw(f.at[0])));
        } else if let Some(f) = s.look(&format!("{LINES} that|which? {lead} with|in letter|word|string|text|character? $")).or_else(|| s.look(&format!("{lead} with|in letter|word|string|text|character? $"))).filter(|f| line_said && !matches!(s.w[f.at[0]], "line" | "number" | "column")) {
            s.mark(f.start, f.end);
            let t = alternatives(s, f.at[0], f.end);
            p.on_files(base("", &if start { format!("-e {}", quote(&format!("^{t}"))) } else { format!("-e {}", quote(&format!("{t}$"))) }), format!("the lines that {} with {}", if start { "begin" } else { "end" }, s.raw(f.at[0])));
        }
    }
    if p.words.len() == before && let Some(f) = s.take_if("that|which? are|is|equal|equals|being exactly|precisely|just|equal to? word|text|string? $", |f| s.has(&["lines", "line", "rows", "entries"]) && s.is_text(f.at[0]) && s.number(f.at[0]).is_none_or(|_| s.quoted(f.at[0])) && !s.w.get(f.end).is_some_and(|w| matches!(*w, "characters" | "chars" | "words" | "letters"))) {
        p.on_files(base("", &format!("-x -F -e {}", quote(&s.text(f.at[0])))), format!("the lines that are {}", s.raw(f.at[0])));
    }
    // Length.
    if let Some(f) = s.take("longer than # characters|chars|letters|bytes?").or_else(|| s.take("have|has|with|having|of more than # characters|chars|letters")).or_else(|| s.take("more than # characters|chars|letters long?")) {
        p.on_files(format!("awk 'length > {}'", s.number(f.at[0]).unwrap_or(0)), "the longer lines");
    } else if let Some(f) = s.take("shorter than # characters|chars|letters|bytes?").or_else(|| s.take("have|has|with|having|of fewer|less than # characters|chars|letters")).or_else(|| s.take("fewer|less than # characters|chars|letters long?")) {
        p.on_files(format!("awk 'length < {}'", s.number(f.at[0]).unwrap_or(0)), "the shorter lines");
    } else if let Some(f) = s.take("with|have|having|of exactly # characters|chars|letters").or_else(|| s.take("exactly # characters|chars|letters long")) {
        p.on_files(format!("awk 'length == {}'", s.number(f.at[0]).unwrap_or(0)), "the lines of that length");
    }
    if let Some(f) = s.take("with|have|having|of more than # words|fields|columns") {
        p.on_files(format!("awk 'NF > {}'", s.number(f.at[0]).unwrap_or(0)), "the lines of more words");
    } else if let Some(f) = s.take("with|have|having|of fewer|less than # words|fields|columns") {
        p.on_files(format!("awk 'NF < {}'", s.number(f.at[0]).unwrap_or(0)), "the lines of fewer words");
    }
    // Comments and what is empty.
    let leave = "without|omitting|ignoring|excluding|skipping|except|stripping|stripped|no|minus|dropping|leaving|skip|ignore|omit|exclude";
    let empties = "empty|blank|whitespace-only lines|ones?";
    let comment = s.take(&format!("{leave} of|out|for? comment|comments lines|line?")).or_else(|| s.take("comments|comment lines? left|stripped|removed|filtered|dropped out?")).or_else(|| s.take("that are not comments"));
    if comment.is_some() {
        let blank = s.any(&[&format!("and|or|nor {leave}? {empties}"), "and|or blank|empty lines|ones", "and blanks"]);
        p.on_files(base("x", if blank { "-E -e '^[[:space:]]*(#|$)'" } else { "-E -e '^[[:space:]]*#'" }), if blank { "without comments and empty lines" } else { "without comments" });
    } else if s.any(&[&format!("{leave} of|out|for? {empties}"), "with? empty|blank lines left|stripped|removed|filtered|dropped|deleted out?", "non-empty|nonempty|non-blank lines?", "lines? that are not empty|blank", "not empty|blank"]) {
        let and_comments = s.any(&["and|or comments|comment lines?"]);
        p.on_files(base("x", if and_comments { "-E -e '^[[:space:]]*(#|$)'" } else { "-e '^[[:space:]]*$'" }), "without the empty lines");
    } else if s.look("count|number|many empty|blank lines").is_some() || s.look("many lines are empty|blank").is_some() || s.look("many empty|blank lines").is_some() {
        s.each(&["empty|blank lines?", "empty|blank"]);
        p.on_files(base("", "-e '^[[:space:]]*$'"), "the empty lines");
    }
    // What is counted or replaced may be without regard to case as well.
    if p.words.len() == before {
        for i in (0..s.len()).filter(|&i| with_fold[i] && !unfolded[i]) {
            s.unmark(i, i + 1);
        }
    }
    if numbered && p.words.len() == before {
        // Numbers for all lines.
        p.on_files("cat -n", "with line numbers");
    }
    p.words.len() > before
}

/// "with # or ;": one of several texts, as a basic pattern. The first is at `i`, the others from `end` on.
fn alternatives(s: &Said<'_>, i: usize, mut end: usize) -> String {
    let mut t = start_class(s, i);
    let mut several = false;
    while let Some(o) = s.look("or letter|word|string|text|character? $").filter(|o| o.start == end) {
        s.mark(o.start, o.end);
        end = o.end;
        several = true;
        t = format!("{t}\\|{}", start_class(s, o.at[0]));
    }
    if several { format!("\\({t}\\)") } else { t }
}

/// "a digit", "an uppercase letter" at the start of a line; else the text.
fn start_class(s: &Said<'_>, i: usize) -> String {
    match class(s.w[i]).filter(|_| !s.r.tokens[i].quoted) {
        Some(c) => {
            s.each(&["letter|letters|character"]);
            // "a capital T".
            if s.free(i + 1) && s.raw(i + 1).chars().count() == 1 && s.raw(i + 1).bytes().all(|b| b.is_ascii_alphabetic()) && matches!(s.w[i], "capital" | "uppercase" | "lowercase") {
                s.mark(i + 1, i + 2);
                return if s.w[i] == "lowercase" { s.raw(i + 1).to_lowercase() } else { s.raw(i + 1).to_uppercase() };
            }
            format!("[{c}]")
        }
        None => literal(&s.text(i)),
    }
}

fn find_from(s: &Said<'_>, elements: &[&str], from: usize) -> Option<super::said::Found> {
    s.look_at(elements, from)
}

/// Which lines by their places.
fn ranges(s: &Said<'_>, p: &mut Pipe) {
    let n = |i: usize| s.number(i).unwrap_or(1);
    if let Some(f) = s.take("lines|rows number|numbers? # to|through|until|till|- # inclusive?").or_else(|| s.take("lines|rows from|between # to|and|through|until|till # inclusive?")).or_else(|| s.take("from line|row # to|through|until|till line|row? # inclusive?")).or_else(|| s.take("between lines|line # and # inclusive?")).or_else(|| s.take("line|row # to|through|until line|row? #")).or_else(|| s.take("# to|through # lines|line")) {
        p.on_files(format!("sed -n '{},{}p'", n(f.at[0]), n(f.at[1])), format!("lines {} to {}", n(f.at[0]), n(f.at[1])));
        return;
    }
    if let Some((i, a, b)) = (0..s.len()).find_map(|i| s.free(i).then(|| s.raw(i).split_once('-'))?.and_then(|(a, b)| Some((i, a.parse::<u64>().ok()?, b.parse::<u64>().ok()?)))).filter(|_| s.has(&["lines", "rows"])) {
        s.mark(i, i + 1);
        s.each(&["lines|rows number|numbers?"]);
        p.on_files(format!("sed -n '{a},{b}p'"), format!("lines {a} to {b}"));
        return;
    }
    if let Some(f) = s.take("every|each # line|row") {
        let k = n(f.at[0]).max(1);
        // "Lines 2, 4, 6" says where it begins; "beginning with the first" as well.
        let from = s.take("beginning|starting|start|counting with|from|at line|row? number? # one|line|row?").map(|f| n(f.at[0])).or_else(|| s.any(&["beginning|starting|start with|from|at top|beginning|start"]).then_some(1));
        for i in 0..s.len() {
            if s.free(i) && s.number(i).is_some_and(|v| v % k == 0) {
                s.mark(i, i + 1);
            }
        }
        s.each(&["lines|line|is|so on"]);
        let first = from.unwrap_or(k);
        let skip = if first > k { format!("NR >= {first} && ") } else { String::new() };
        p.on_files(format!("awk '{skip}NR % {k} == {}'", first % k), format!("every {k}th line"));
        return;
    }
    if let Some(f) = s.take("starting|beginning|start|begin|on|onwards? from|at|with line|row number? # on|onwards|onward?").or_else(|| s.take("from line|row number? # to end of? file?")).or_else(|| s.take("from line|row number? # on|onwards|onward")).or_else(|| s.take("starting|beginning from|at|with # line|row")).or_else(|| s.take("from # line|row on|onwards|onward|to end?")).or_else(|| s.take_if("lines|rows|everything|all from # on|onwards|onward|to end?", |_| true)) {
        p.on_files(format!("tail -n +{}", n(f.at[0])), format!("from line {} on", n(f.at[0])));
        return;
    }
    if let Some(f) = s.take("all? but|except|without|excluding|skipping|skip|omitting|omit|ignoring|dropping for? of? last|final # lines|rows|entries").or_else(|| s.take("everything|all? but|except|without|excluding|skipping|omitting|dropping|skip for? last|final line|row|entry")) {
        let n = f.at.first().map_or(1, |i| n(*i));
        p.on_files(format!("head -n -{n}"), format!("without the last {n}"));
        return;
    }
    if let Some(f) = s.take("all? but|except|without|excluding|skipping|skip|omitting|omit|ignoring|dropping for? of? first|initial # lines|rows|entries").or_else(|| s.take("all? but|except|without|excluding|skipping|omitting|omit|dropping|skip|ignoring|ignore for? first line|row|entry")).or_else(|| s.take("without|skipping|skip|excluding|ignoring|ignore|omitting|omit|except for? header|heading|headers line|row?")) {
        let n = f.at.first().map_or(1, |i| n(*i));
        p.on_files(format!("tail -n +{}", n + 1), format!("without the first {n}"));
        return;
    }
    for (name, odd) in [("odd|odd-numbered", true), ("even|even-numbered", false)] {
        if s.any(&[&format!("{name} numbered? lines|rows"), &format!("every {name} line")]) {
            p.on_files(if odd { "sed -n 'p;n'" } else { "sed -n 'n;p'" }, "every second line");
            return;
        }
    }
    if s.any(&["every other|second line|row", "alternate lines"]) {
        p.on_files("awk 'NR % 2 == 1'", "every other line");
        return;
    }
    if let Some(f) = s.take("# random lines|rows|entries").or_else(|| s.take("random # lines")) {
        p.on_files(format!("shuf -n {}", n(f.at[0])), "lines at random");
        return;
    }
    if s.any(&["random line|entry|row", "line|entry|row at random", "one line at random"]) {
        p.on_files("shuf -n 1", "a line at random");
        return;
    }
    // Some lines by their numbers.
    if s.has(&["lines", "rows"]) && let Some(f) = s.take("lines|rows number|numbers? # and # only?") {
        p.on_files(format!("sed -n '{}p;{}p'", n(f.at[0]), n(f.at[1])), format!("lines {} and {}", n(f.at[0]), n(f.at[1])));
        return;
    }
    if let Some(f) = s.take("lines|rows # # and # only?") {
        p.on_files(format!("sed -n '{}p;{}p;{}p'", n(f.at[0]), n(f.at[1]), n(f.at[2])), "these lines");
        return;
    }
    // One line by its number.
    let words = s.has(&["last", "first"]);
    if let Some(f) = s.take("line|row number # only?").or_else(|| s.take("only? line|row # only?")).or_else(|| if words { None } else { s.take_if("only? # line|row only?", |f| s.w.get(f.end.saturating_sub(1)).is_some_and(|w| *w != "lines")) }) {
        p.on_files(format!("sed -n '{}p'", n(f.at[0])), format!("line {}", n(f.at[0])));
    }
}

/// First and last so many lines, at the end of the pipeline.
fn ends(s: &Said<'_>, p: &mut Pipe, after_sort: bool) {
    let n = |i: usize| s.number(i).unwrap_or(1);
    let things = "lines|line|rows|row|entries|entry|records|results|values|words|names|items|numbers|ones|of|in|from";
    if let Some(f) = s.take("first # characters|chars|bytes|letters of|from|in each|every line|row") {
        p.on_files(format!("cut -c 1-{}", n(f.at[0])), "the beginning of each line");
        return;
    }
    if let Some(f) = s.take("last # characters|chars|letters of|from|in each|every line|row") {
        p.on_files(format!("sed -E 's/.*(.{{{}}})$/\\1/'", n(f.at[0])), "the end of each line");
        return;
    }
    if let Some(f) = s.take("first # characters|chars|bytes|letters") {
        p.on_files(format!("head -c {}", n(f.at[0])), format!("the first {} characters", n(f.at[0])));
        return;
    }
    if let Some(f) = s.take("last # characters|chars|bytes|letters") {
        p.on_files(format!("tail -c {}", n(f.at[0])), format!("the last {} characters", n(f.at[0])));
        return;
    }
    if !s.has(&["keep", "keeping", "below", "sort", "sorted", "except", "without", "remove", "delete"]) && s.any(&["only|just? header|heading|headers line|row? only?", "names of all? columns|fields", "column|field names only?"]) {
        p.on_files("head -n 1", "the header");
        return;
    }
    // The first and the last.
    if s.any(&["first and|as last line|row|entry", "first line|row and|plus last line|row|one?"]) {
        s.each(&["well|as|last|line"]);
        p.on_files("sed -n '1p;$p'", "the first line and the last");
        return;
    }
    if let Some(f) = s.take_if(&format!("first|top|leading|initial # {things}?"), |f| !f.at.is_empty()).or_else(|| s.take(&format!("# first|top {things}?"))) {
        p.on_files(format!("head -n {}", n(f.at[0])), format!("the first {}", n(f.at[0])));
        return;
    }
    if let Some(f) = s.take("# most? recent|latest|newest lines|entries|records|events|messages|requests of|in|from?") {
        p.on_files(format!("tail -n {}", n(f.at[0])), format!("the last {}", n(f.at[0])));
        return;
    }
    if let Some(f) = s.take(&format!("last|bottom|final|trailing # {things}?")).or_else(|| s.take(&format!("# last {things}?"))) {
        p.on_files(format!("tail -n {}", n(f.at[0])), format!("the last {}", n(f.at[0])));
        return;
    }
    if s.any(&["first|top|topmost line|row|entry|result|one only?"]) {
        p.on_files("head -n 1", "the first line");
    } else if s.any(&["last|bottom|final line|row|entry|result|one only?"]) {
        p.on_files("tail -n 1", "the last line");
    } else if after_sort && s.any(&["largest|highest|biggest|greatest one|value|number?"]) {
        p.on_files("head -n 1", "the first");
    }
}

/// A table with other signs between its columns.
fn form(s: &Said<'_>, p: &mut Pipe) {
    // Tables of another form.
    if s.any(&["as aligned|pretty|nice|neat|formatted table|columns", "as table with? aligned columns?", "in aligned|neat columns", "with aligned columns", "columns aligned"]) {
        let sep = columns::separator(s, p_file(s));
        let option = match sep.as_str() {
            "" => String::new(),
            "\t" => " -s $'\\t'".to_owned(),
            c => format!(" -s {}", quote(c)),
        };
        p.on_files(format!("column -t{option}"), "as a table");
        return;
    }
    // "from tabs to commas".
    let sign = |i: usize| character(s.w[i]).filter(|c| c.chars().count() == 1);
    if let Some(f) = s.take_if("from $ separated|delimited|to $ separated|delimited?", |f| f.at.len() == 2 && f.at.iter().all(|&i| sign(i).is_some())).or_else(|| s.take_if("from $ to $", |f| f.at.iter().all(|&i| sign(i).is_some()))) {
        s.each(&["convert|change|turn|translate", "separators|separator|delimiter|delimiters|separated|delimited"]);
        p.on_input(format!("tr {} {}", tr_set(sign(f.at[0]).unwrap_or(" ")), tr_set(sign(f.at[1]).unwrap_or(" "))), "with other signs between the columns");
        return;
    }
    if s.any(&["convert|change|turn to|into tab-separated|tab separated|delimited|values|file?", "to|into tab-separated|tab separated|delimited values|file?", "to|into tsv format?"]) {
        s.each(&["convert|change|turn", "values|format|form"]);
        p.on_input("tr ',' '\\t'", "with tabs for commas");
    } else if s.any(&["to|into comma-separated|comma separated|delimited values|file?", "to|into csv format?"]) {
        s.each(&["convert|change|turn", "values|format|form"]);
        p.on_input("tr '\\t' ','", "with commas for tabs");
    }
}

/// What is done to each line.
fn changes(s: &Said<'_>, p: &mut Pipe) -> bool {
    let before = p.words.len();
    // Tabs as so many blanks.
    if let Some(f) = s.take("replace|replacing|convert|converting|change|expand|turn all|each|every? tabs|tab by|with|to|into # spaces|blanks") {
        p.on_files(format!("sed 's/\\t/{}/g'", " ".repeat(s.number(f.at[0]).unwrap_or(4).min(40) as usize)), "with blanks for tabs");
    } else if let Some(f) = s.take("replace|replacing|convert|converting|change|turn all|each|every? # spaces|blanks by|with|to|into single|a|1? tab|tabs") {
        p.on_files(format!("sed 's/{}/\\t/g'", " ".repeat(s.number(f.at[0]).unwrap_or(4).min(40) as usize)), "with tabs for blanks");
    }
    // Other texts.
    loop {
        let spelled = |f: &super::said::Found| (s.text(f.at[0]), s.text(f.at[1]));
        const CLASS: &str = "word|words|string|text|character|characters|letter|occurrences|occurrence|instances|instance|line";
        let found = s.take(&format!("replace|replacing|substitute|substituting|change|changing|swap|turn|turning|convert|converting|translate|translating each|every? {CLASS}? of? {CLASS}? $ with|by|to|into|for {CLASS}? $"))
            .or_else(|| s.take(&format!("{CLASS}? $ is|are|being? replaced|changed|substituted|converted|turned|translated by|with|to|into {CLASS}? $")));
        if let Some(f) = found {
            let (from, to) = (f.at[0], f.at[1]);
            // "convert ... to upper case" is no replacement.
            if matches!(s.w[to], "uppercase" | "lowercase" | "upper" | "lower" | "capital" | "capitals" | "small" | "csv" | "tsv" | "a") && !s.r.tokens[to].quoted || !s.is_text(from) && !s.r.tokens[from].quoted || s.is_property(from) {
                s.unmark(f.start, f.end);
                break;
            }
            let (a, b) = spelled(&f);
            let i = if folded(s) { "I" } else { "" };
            let only_first = s.any(&["only? first occurrence|one|instance of|on|in|per each|every? line?", "only? once per line"]);
            let g = if only_first { "" } else { "g" };
            s.each(&["all|each|every? occurrences|occurrence|instances", "everywhere", "globally", "in? each|every line", "throughout", "all"]);
            if a == "\n" || b == "\n" || a == " " && b.is_empty() {
                p.on_input(if b.is_empty() { format!("tr -d {}", tr_set(&a)) } else { format!("tr {} {}", tr_set(&a), tr_set(&b)) }, "with other characters");
            } else {
                p.on_files(format!("sed {}", quote(&format!("s/{}/{}/{g}{i}", literal(&a), replacement(&b)))), format!("with {b} in place of {a}"));
            }
            continue;
        }
        // "with every red written as RED".
        if let Some(f) = s.take_if(&format!("with every|each|all {CLASS}? $ written|shown|printed|replaced|changed|turned|rendered|substituted|swapped as|by|with|into|to|for {CLASS}? $"), |f| f.at.len() == 2) {
            p.on_files(format!("sed {}", quote(&format!("s/{}/{}/g", literal(&s.text(f.at[0])), replacement(&s.text(f.at[1]))))), format!("with {} in place of {}", s.raw(f.at[1]), s.raw(f.at[0])));
            continue;
        }
        // "with semicolons instead of commas".
        if let Some(f) = s.take("with|using? $ instead of $").or_else(|| s.take("$ in place of $")) {
            p.on_files(format!("sed {}", quote(&format!("s/{}/{}/g", literal(&s.text(f.at[1])), replacement(&s.text(f.at[0]))))), format!("with {} in place of {}", s.raw(f.at[0]), s.raw(f.at[1])));
            continue;
        }
        break;
    }
    // "An upper-case version of x".
    if let Some(f) = s.take("upper-case|uppercase|uppercased|lower-case|lowercase|lowercased version|copy|form|variant of?") {
        let upper = s.w[f.start..f.end].iter().any(|w| w.starts_with("upper"));
        p.on_input(if upper { "tr '[:lower:]' '[:upper:]'" } else { "tr '[:upper:]' '[:lower:]'" }, if upper { "in capital letters" } else { "in small letters" });
    }
    // Case.
    if s.any(&["convert|change|turn|translate|transform? to? in|into|to|as all? upper case|letters", "convert|change|turn|translate|transform? in|into|to|as? all? uppercase letters?", "in|to|into all? capital letters", "capitals|upper-case|uppercased", "upper case"]) {
        s.each(&["convert|change|turn|translate|transform|make", "letters", "everything"]);
        p.on_input("tr '[:lower:]' '[:upper:]'", "in capital letters");
    } else if s.any(&["convert|change|turn|translate|transform? to? in|into|to|as all? lower case|letters", "convert|change|turn|translate|transform? in|into|to|as? all? lowercase letters?", "in|to|into all? small letters", "lower-case|lowercased", "lower case"]) {
        s.each(&["convert|change|turn|translate|transform|make", "letters", "everything"]);
        p.on_input("tr '[:upper:]' '[:lower:]'", "in small letters");
    }
    // Characters that go.
    let drop = "without|remove|removing|delete|deleting|strip|stripping|omit|omitting|dropping|minus|no";
    if let Some(f) = s.take_if("with all|every|any|its? $ removed|deleted|stripped|dropped|left|taken out?", |f| character(s.w[f.at[0]]).is_some() || class(s.w[f.at[0]]).is_some()) {
        let w = s.w[f.at[0]];
        let set = character(w).map(tr_set).or_else(|| class(w).map(quote));
        if let Some(set) = set {
            p.on_input(format!("tr -d {set}"), format!("without {w}"));
        }
    }
    if let Some(f) = s.look(&format!("{drop} all|every|any? $ characters|character|letters|symbols|marks|signs?")) {
        let w = s.w[f.at[0]];
        let set = match class(w) {
            Some("[:space:]") if matches!(w, "space" | "spaces" | "blanks") => Some("' '".to_owned()),
            Some(c) if w != "number" && w != "numbers" => Some(quote(c)),
            _ => character(w).filter(|_| matches!(w, "commas" | "tabs" | "newlines" | "colons" | "semicolons" | "dots" | "periods" | "dashes" | "hyphens" | "underscores" | "slashes")).map(tr_set),
        };
        if let Some(set) = set.filter(|_| s.look("leading|trailing").is_none()) {
            s.mark(f.start, f.end);
            s.each(&["removed|deleted|stripped|characters"]);
            p.on_input(format!("tr -d {set}"), format!("without {w}"));
        }
    }
    if s.any(&["leading and|or trailing whitespace|spaces|blanks"]) {
        s.each(&["remove|removing|strip|stripping|trim|trimming|without|delete|removed|trimmed", "from each|every line|lines", "each|every line"]);
        p.on_files("sed -E 's/^[[:space:]]+|[[:space:]]+$//g'", "without blanks around each line");
    } else if s.any(&["trailing whitespace|spaces|blanks", "spaces|whitespace|blanks at end|ends of? each|every|lines? line?"]) {
        s.each(&["remove|removing|strip|stripping|trim|trimming|without|delete|removed|trimmed", "from each|every line|lines", "each|every line|lines"]);
        p.on_files("sed -E 's/[[:space:]]+$//'", "without blanks at the ends of lines");
    } else if s.any(&["leading whitespace|spaces|blanks|indentation", "indentation"]) {
        s.each(&["remove|removing|strip|stripping|trim|trimming|without|delete|removed|trimmed", "from each|every line|lines", "each|every line|lines"]);
        p.on_files("sed -E 's/^[[:space:]]+//'", "without blanks at the beginnings of lines");
    }
    if s.any(&["squeeze|squeezing|collapse|collapsing|compress|reduce|replace|merge multiple|repeated|consecutive|runs? of? spaces|blanks|whitespace to|into|with|by? single|one? space|blank?", "multiple|repeated|consecutive spaces|blanks squeezed|collapsed"]) {
        p.on_input("tr -s ' '", "with single blanks");
    }
    if s.any(&["capitalize|capitalise|uppercase|capitalizing first letter|character of|in|on each|every|all word|words", "capitalize|capitalise each|every|all word|words", "first letter|character of|in each|every word capitalized|capitalised|uppercased|uppercase", "in? title case"]) {
        p.on_files("sed -E 's/(^|[[:space:]])([[:alpha:]])/\\1\\U\\2/g'", "with a capital at the beginning of each word");
    } else if s.any(&["capitalize|capitalise|uppercase|capitalizing first letter|character of|in|on each|every|all line|lines", "capitalize|capitalise each|every|all line|lines", "first letter|character of|in each|every line capitalized|capitalised|uppercased|uppercase"]) {
        p.on_files("sed 's/^./\\U&/'", "with a capital at the beginning of each line");
    }
    if s.any(&["squeeze|squeezing|collapse|collapsing|compress|reduce|merge multiple|repeated|consecutive|adjacent|successive blank|empty lines to|into|in? single|one? one?", "multiple|repeated|consecutive|adjacent|successive blank|empty lines squeezed|collapsed|reduced|merged to|into? single|one? one?"]) {
        s.each(&["blank|empty line", "one|single"]);
        p.on_files("cat -s", "with single empty lines");
    }
    // Each line.
    if let Some(f) = s.take_if("prefix|prefixing|prepend|precede|start|begin each|every|all line|lines with|by its|their|line? line? number|numbers followed|and? by? $", |f| f.at.len() == 1 && character(s.w[f.at[0]]).is_some() || s.quoted(*f.at.last().unwrap_or(&0))).or_else(|| s.take("prefix|prefixing|prepend|precede each|every|all line|lines with|by its|their|line line? number|numbers")) {
        let blank = s.any(&["and|then|followed by? space|blank"]);
        let sep = f.at.first().map_or_else(|| "\\t".to_owned(), |&i| s.text(i).replace('\\', "\\\\").replace('"', "\\\""));
        p.on_files(format!("awk '{{ print NR \"{sep}{}\" $0 }}'", if blank { " " } else { "" }), "with the number before each line");
    } else if let Some(f) = s.take("prefix|prefixing|prepend|prepending each|every|all line|lines with string|text? $").or_else(|| s.take("add|adding|put|putting|prepend|insert string|text? $ in? at|to|before|of|front|as start|beginning|front|prefix? of|to? each|every|all line|lines")).or_else(|| s.take("with? string|text? $ in front of each|every|all line|lines")).or_else(|| s.take("with $ at|to start|beginning|front of each|every|all line|lines")).or_else(|| s.take("each|every|all line|lines prefixed by|with $")) {
        p.on_files(format!("sed {}", quote(&format!("s/^/{}/", replacement(&s.text(f.at[0]))))), format!("with {} before each line", s.raw(f.at[0])));
    } else if let Some(f) = s.take("add|adding|put|putting|append|appending|insert string|text? $ at|to|after end? of? each|every|all line|lines").or_else(|| s.take("with $ at|after end? of? each|every|all line|lines")).or_else(|| s.take("suffix each|every|all line|lines with $")) {
        p.on_files(format!("sed {}", quote(&format!("s/$/{}/", replacement(&s.text(f.at[0]))))), format!("with {} after each line", s.raw(f.at[0])));
    }
    if let Some(f) = s.take("each|every|all line|lines enclosed|wrapped|surrounded|put|quoted in|by|with double|single? quotes|brackets|parentheses").or_else(|| s.take("enclose|wrap|surround|quote each|every|all line|lines in|with double|single? quotes|parentheses")) {
        let words: Vec<&str> = s.w[f.start..f.end].to_vec();
        let (a, b) = if words.contains(&"parentheses") { ("(", ")") } else if words.contains(&"brackets") { ("[", "]") } else if words.contains(&"single") { ("'", "'") } else { ("\"", "\"") };
        p.on_files(format!("sed {}", quote(&format!("s/.*/{a}&{b}/"))), "each line enclosed");
    }
    if let Some(f) = s.take("indent|indented|indenting each|every|all? line|lines? by|with # spaces|blanks") {
        p.on_files(format!("sed 's/^/{}/'", " ".repeat(s.number(f.at[0]).unwrap_or(4).min(80) as usize)), "indented");
    }
    let each_line = s.look("each|every line").is_some();
    if each_line && s.any(&["backwards|reversed", "in reverse"]) || s.any(&["reverse|reversing characters|letters of|in|on each|every line|lines", "each|every line reversed|backwards|mirrored", "with? characters|letters of|in|on each|every line reversed|backwards", "reverse each|every line|word", "each|every line|word spelled? backwards"]) {
        p.on_files("rev", "each line backwards");
    } else if !s.has(&["sort", "sorted", "column", "characters"]) && s.any(&["reverse|reversing order? of? lines|line order?"]) {
        p.on_files("tac", "from the last line to the first");
    } else if !s.has(&["sort", "sorted", "ordered", "numerically", "alphabetically", "alphabetical", "alphabetic", "numerical", "numeric", "unique", "distinct", "column", "field"]) && s.any(&["in? reverse line? order of? lines?", "from last|bottom line|end? to first|top|start|beginning line|one?", "upside down", "lines? in reverse|reversed|backwards order?", "with? order of lines reversed", "last line first", "bottom to top", "backwards|reversed"]) {
        s.each(&["reverse|reversed", "order"]);
        p.on_files("tac", "from the last line to the first");
    }
    if s.any(&["each|every word on|in|to own|its|a? own|new|separate|single? line of? its? own?", "one|1 word per|a|each line", "each|every word on|in own|separate|new line", "words|word one per line", "on? words separate lines"]) {
        s.each(&["split|into|words|put|break"]);
        p.on_input("tr -s '[:space:]' '\\n'", "one word a line");
    } else if s.any(&["each|every character|letter on|in its? own|separate|new line of? its? own?", "one character|letter per line"]) {
        p.on_files("grep -o .", "one character a line");
    }
    if let Some(f) = s.look("wrap|wrapped|fold|folded|wrapping").and_then(|_| s.take("at|to|after|of width|column? of? # columns|characters|chars?")).or_else(|| s.take("no line|lines longer than # characters|columns")) {
        s.each(&["at|on word boundaries|spaces", "wrap|wrapped|fold|folded|wrapping long? lines|text|line?"]);
        p.on_files(format!("fold -s -w {}", s.number(f.at[0]).unwrap_or(80)), "in shorter lines");
    }
    if s.any(&["expand tabs|tab to|into spaces|blanks?", "tabs expanded to? spaces?"]) {
        p.on_files("expand", "with blanks for tabs");
    }
    p.words.len() > before
}

pub(super) fn tr_set(s: &str) -> String {
    match s {
        "\n" => "'\\n'".into(),
        "\t" => "'\\t'".into(),
        "-" => "-- -".into(),
        s => quote(s),
    }
}

/// Order, what occurs once, how often.
fn order(s: &Said<'_>, p: &mut Pipe, file: &str) -> bool {
    let before = p.words.len();
    // Words are not lines, unless each has one of its own.
    let words_apart = s.has(&["word", "words"]) && !s.has(&["line", "lines", "column", "field", "contain", "containing"]) && s.world().beginning_of(file).is_some_and(|t| t.lines().any(|l| l.trim().contains(' ')));
    let apart = |s: &Said<'_>, p: &mut Pipe| {
        if words_apart {
            p.on_input("tr -s '[:space:]' '\\n'", "one word a line");
            if s.r.has(&["case"]) || s.r.has(&["case-insensitively", "case-insensitive"]) {
                p.on_input("tr '[:upper:]' '[:lower:]'", "in small letters");
            }
        }
    };
    let fold = if s.has(&["sort", "sorted", "unique"]) && folded(s) { "f" } else { "" };
    let things = "lines|line|words|word|values|value|entries|entry|rows|names|numbers|ones|addresses|items|records";
    let frequency = s.any(&[
        "how many lines|entries|rows|records does|do each|every $ have|has?", "how often was|is|were|did|does each|every $ used|sold|seen|bought|ordered|appear|occur|visited|mentioned|requested|called", "how often|many? times? each|every $ is|was|are|occurs|occur|appears|appear used|seen|given|named|mentioned?", "count how often|many? times? each|every $ is|occurs|appears used?",
        &format!("how often|many times? each|every different|distinct|unique? {things} occurs|occur|appears|appear?"), &format!("how often|times each|every distinct|different|unique? {things}"), "how many times each|every line|value|word|entry occurs|appears?", &format!("count|number of? occurrences|times of? each|every distinct|unique|different? {things}"), "with|and number of occurrences|times", "with|and|together its|their|occurrence? count|counts|frequency|frequencies",
        "number of times each|every line|value|word|entry occurs|appears", &format!("frequency|frequencies of each|every? distinct|different|unique? {things}"), &format!("count each|every distinct|unique|different? {things}"), "occurrences|count|frequency|counts per line|value|word|entry", "how many of each", "how many lines|entries|rows|records it|there|has|have for|per|of each|every", "prefixed|preceded by|with number of occurrences|times|count",
        &format!("many|number|count {things} of|for|in|has|have? per"),
        "count how|many? duplicates|duplicate of? each?", &format!("count number of? {things} for|per|of each|every"), &format!("count how? many? {things} for|per|of each|every"),
    ]);
    let most = s.take(&format!("# most frequent|common|frequently occurring|used? {things}?")).or_else(|| s.take(&format!("most|frequently frequent|common|frequently occurring|used|often? {things}?"))).or_else(|| s.take("occurs|appears|occur|appear|occurring most often|frequently?")).or_else(|| s.take("most often occurs|appears?"));
    if let Some(f) = &most {
        s.each(&["occurs|appears|occurring|occur|appear", "line|word|value|entry|words|lines"]);
        let n = f.at.first().and_then(|i| s.number(*i)).or_else(|| s.take("first|top #").and_then(|f| s.number(f.at[0])));
        apart(s, p);
        let counted = frequency || s.any(&["with|and its|their|how count|counts|often|frequency", "and how often it|they occur|occurs|appears|appear?", "and number of times", "it? with its|their count", "with count"]);
        p.on_files("sort", "sorted");
        // "Which words are most frequent": all of them, in that order.
        if n.is_none() && s.r.has(&["are"]) && s.r.has(&["words", "lines", "values", "entries", "names", "numbers"]) {
            p.on_input("uniq -c | sort -rn", "the most frequent first");
            return true;
        }
        p.on_input(format!("uniq -c | sort -rn | head -n {}", n.unwrap_or(1)), "the most frequent");
        if !counted {
            p.on_input("sed -E 's/^ *[0-9]+ //'", "without the counts");
        }
        return true;
    }
    if frequency {
        s.each(&["occurs|occur|appears|appear|occurrences", things, "times", "count"]);
        s.any(&["sorted|ordered|sort|order|ranked by|in number|count|frequency|descending|occurrences of|order? occurrences|frequency?", "most frequent|common first", "sort|sorted in? descending order?", "highest|largest first", "from most to least frequent|common?"]);
        apart(s, p);
        p.on_files("sort", "sorted");
        p.on_input("uniq -c", "counted");
        p.on_input("sort -rn", "the most frequent first");
        return true;
    }
    let marks = s.marks();
    let duplicates = s.any(&[&format!("{things}? that? are|is? duplicated|repeated"), &format!("{things}? that|which occur|occurs|appear|appears more than once|one|1 times|time?"), &format!("{things}? occurring|appearing more than once"), "duplicate|duplicated|repeated|repeating lines|words|entries|values|rows only once|one? each|copy?", "that? occur|appear at least 2|twice times?"])
        && s.look("remove|without|removing|removed|delete|drop|dropping|eliminate|dedupe").is_none();
    if !duplicates {
        s.restore(marks);
    }
    if duplicates {
        s.each(&["only", "once each?", "each line?", "each"]);
        p.on_files("sort", "sorted");
        p.on_input("uniq -d", "those that occur more than once");
        return true;
    }
    if s.any(&[&format!("{things}? that|which? occur|occurs|appear|appears|occurring|appearing only|exactly|just once|1"), "lines that are not repeated|duplicated", "that? occur|appear exactly once"]) {
        s.each(&["only|exactly"]);
        p.on_files("sort", "sorted");
        p.on_input("uniq -u", "those that occur once");
        return true;
    }
    let unique_before = p.words.len();
    // "the three smallest numbers".
    for (words, r) in [("largest|highest|biggest|greatest", "r"), ("smallest|lowest|least", "")] {
        if r == "r" && columns::all_numbers(s.world(), file) && let Some(f) = s.take("top # numbers|values|scores|results|entries") {
            p.on_files("sort -nr", "sorted");
            p.on_input(format!("head -n {}", s.number(f.at[0]).unwrap_or(1)), "the first of them");
            return true;
        }
        if let Some(f) = s.take(&format!("# {words} numbers|values|entries|lines|rows?")).or_else(|| s.take(&format!("top|first # {words} numbers|values?"))) {
            let falls = s.any(&["in? descending|decreasing order"]);
            let rises = s.any(&["in? ascending|increasing order", "sorted"]);
            p.on_files(format!("sort -n{r}"), "sorted");
            p.on_input(format!("head -n {}", s.number(f.at[0]).unwrap_or(1)), "the first of them");
            if falls && r.is_empty() {
                p.on_input("sort -nr", "downwards");
            } else if rises && r == "r" {
                p.on_input("sort -n", "upwards");
            }
            return true;
        }
    }
    let adjacent = s.any(&["adjacent|consecutive|successive duplicate|duplicated|identical|repeated? duplicates|lines"]);
    let unique = s.any(&[&format!("unique|distinct|different|deduplicated {things}?"), "without|remove|removing|no|delete|deleting|drop|dropping|eliminate|eliminating|omitting|ignoring all|any? duplicates|duplicate|repeated|repetitions lines|entries|words|values|rows?", "with? duplicates|duplicate lines|entries? removed|dropped|deleted|eliminated", "each line|value|word|entry only? once", "deduplicate|dedupe|uniquely|deduplicated|uniq", "only once each?", "each only once"]);
    let keep_order = unique && s.any(&["but|and keep|preserve|retain original|first|input? order", "keeping|preserving|keep|preserve|maintaining|retaining|with|in original|first|input? order|occurrence|occurrences of? lines|each?", "without sorting|changing? order?", "in order of? first? appearance|occurrence?", "original order"]);
    if adjacent && unique || adjacent && s.any(&["remove|removing|collapse|drop|merge"]) {
        p.on_files("uniq", "each of equal neighbours once");
        return true;
    }
    let sorted = columns::sort(s, p, unique, fold);
    if keep_order {
        p.on_files("awk '!seen[$0]++'", "each line once, where it first is");
    } else if unique && !sorted {
        if p.words.len() == unique_before {
            apart(s, p);
        }
        p.on_files("sort -u", "each once");
    }
    p.words.len() > before
}

/// Counts and the like: one answer for all.
fn totals(s: &Said<'_>, p: &mut Pipe) -> bool {
    let before = p.words.len();
    if s.look("each|every").is_some() && s.look("how often|many times?").is_some() {
        return false;
    }
    if let Some(f) = s.take("how often|many does|do? times? does|do|is? word|string|text|letter|character|term|pattern? $ occur|appear|occurs|appears|used|mentioned|found").or_else(|| s.take("how many times does|do|is? word|string|text|letter|character|term|pattern? $ occur|appear|occurs|appears|used|mentioned|found"))
        .or_else(|| s.take("how many|number|count of? times|occurrences|instances of|that? word|string|text|letter|character|term|pattern? $ occurs|appears|occur|appear?")).or_else(|| s.take("number|count of? occurrences|times of|that? word|string|text|letter|character? $ occurs|appears?"))
        .or_else(|| s.take("count all? occurrences|instances|appearances of word|string|text|letter|character|term? $"))
    {
        let i = if folded(s) { " -i" } else { "" };
        s.each(&["count|how|many|number", "total"]);
        p.on_files(format!("grep -o{i} -F -e {}", quote(&s.text(f.at[0]))), format!("each {}", s.raw(f.at[0])));
        p.on_input("wc -l", "counted");
        return true;
    }
    const COUNT: &str = "how|count|number|total|many";
    if s.any(&["lines words and characters|bytes", "number of lines words and characters|bytes", "line word and byte|character counts|count"]) {
        s.each(&["how many|number of?", "count|counts"]);
        p.on_files("wc", "lines, words and bytes counted");
        return true;
    }
    for (what, stage, words) in [("words|word", "wc -w", "the words counted"), ("characters|chars|letters|character", "wc -m", "the characters counted"), ("bytes|byte", "wc -c", "the bytes counted")] {
        if s.any(&[&format!("how many {what}"), &format!("{COUNT} number? of? {what}"), &format!("{what} count")]) {
            s.each(&["count|total|number|only|altogether", "does|contain|contains|has|have", "there|are"]);
            p.on_input(stage, words);
            return true;
        }
    }
    if s.any(&["how many fields|columns", "number of fields|columns", "count fields|columns"]) {
        let sep = columns::separator(s, p_file(s));
        s.each(&["first line", "in each line"]);
        p.on_files(format!("awk{} '{{ print NF; exit }}'", columns::awk_option(&sep)), "the columns of the first line counted");
        return true;
    }
    if s.any(&["how many of|total|such? lines|rows|entries|records|matches|unique|distinct|different|of|non-empty|blank|empty|requests|errors|times|values|names|people|items|users|words", "total? number|count|amount of all? lines|rows|entries|records|matches|unique|distinct|different|matching|such|values|items|those|non-empty|empty|requests", "count|counting number? of? total? lines|rows|entries|records|matches|matching|unique|distinct|different|non-empty|them|those", "line|lines count|total", "and? count|counting them|it|those|these", "number|count of lines|rows"]) || s.any(&["total? number|count of"]) || (s.first() == "count" && s.free(0)) || s.look("how many").is_some() {
        s.each(&["count|counting|number|how many?", "total|altogether|in total", "lines|line|rows|entries|records|values|matches", "contain|contains|have|does", "only"]);
        p.on_input("wc -l", "counted");
    }
    p.words.len() > before
}

fn p_file<'a>(s: &'a Said<'_>) -> Option<&'a str> {
    s.r.entities.iter().find_map(|e| if let crate::entity::Kind::Path(p) = &e.kind { Some(p.as_str()) } else { None })
}

/// A pipeline for what is asked of `files`, and the words for it. Nothing where nothing is asked that is known.
pub(super) fn pipeline(s: &Said<'_>, files: &[String]) -> Option<Pipe> {
    let mut p = Pipe::default();
    let file = files.first()?;
    if columns::rows(s, &mut p, file) {
        totals(s, &mut p);
        return Some(p);
    }
    if file.ends_with(".gz") && s.any(&["without decompressing|uncompressing|extracting|unpacking it|file|archive?", "without first? decompressing"]) {
        s.each(&["contents|content of?", "on|to disk"]);
        p.on_files("cat", "what it holds");
    }
    // "search app.log for ERROR".
    if matches!(s.first(), "search" | "grep" | "scan" | "find" | "look") && let Some(f) = s.take_if("search|scan|look|grep in|through? lines? for all? occurrences|lines? of|with|containing? word|string|text|pattern? $", |f| s.is_text(f.at[0])).or_else(|| s.take_if("find|grep word|string|text? $", |f| s.is_text(f.at[0]) && f.start == 0 && s.w.get(f.end).is_some_and(|w| *w == "in"))) {
        let i = if folded(s) { " -i" } else { "" };
        let n = if s.any(&["and|with show|print? their|its? line numbers|number", "line numbers|number"]) { " -n" } else { "" };
        p.on_files(format!("grep{n}{i} -F -e {}", quote(&s.text(f.at[0]))), format!("the lines with {}", s.raw(f.at[0])));
    }
    let lengths = super::lengths::lengths(s, &mut p);
    if !lengths {
        super::spans::spans(s, &mut p);
        filters(s, &mut p);
        ranges(s, &mut p);
        form(s, &mut p);
        columns::select(s, &mut p, file);
        super::shapes::extract(s, &mut p, file);
        changes(s, &mut p);
    }
    // "Take the first three lines and sort them": in that order.
    let early = s.look("first|last|top # lines|rows").zip(s.r.position(&["sort", "order"])).is_some_and(|(f, sort)| f.start < sort && s.look("and|then sort|order").is_some()) || s.look("sort|order first|last|top # lines|rows|entries").is_some_and(|f| f.start == 0);
    if early {
        s.each(&["take"]);
        ends(s, &mut p, false);
    }
    let ordered = order(s, &mut p, file);
    ends(s, &mut p, ordered);
    if !columns::aggregate(s, &mut p, file) {
        totals(s, &mut p);
    }
    super::shapes::join(s, &mut p);
    if s.any(&["number|numbering all? lines|line", "with? line numbers", "with? every|each|all|its line|lines numbered", "numbered lines|line", "lines? numbered", "add|with line numbers|number"]) {
        s.each(&["including|also|even blank|empty ones|lines?", "blank ones", "each|every line"]);
        p.on_files("cat -n", "with numbers");
    }
    Some(p)
}
