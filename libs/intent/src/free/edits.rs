//! One file: what is asked of its lines, changed in it, or asked about it.

use actions::quote::{quote, quote_path};

use super::lines::{self, literal, replacement};
use super::said::Said;
use super::{Reading, reading};

/// A request about the text of a file, printed or changed in place.
pub(super) fn text(s: &Said<'_>, into: bool) -> Option<Reading> {
    let files = s.files();
    let file = files.first()?;
    if files.len() > 1 {
        return None;
    }
    let q = quote_path(file);
    let said_in_place = s.take_if("in place", |f| s.w.get(f.end).is_none_or(|w| *w != "of")).is_some() || s.any(&["in-place", "edit|editing|modify|modifying|changing file itself|directly|in|place", "directly in", "and save|write changes|it back? in? place?", "editing|modifying|overwriting file", "overwrite file|it"]);
    let only_print = s.any(&["without changing|modifying|editing file|it|original?", "do not change|modify file|it|original?", "leave|leaving file|original alone|unchanged|untouched|as", "not changing|modifying file|it"]);
    // "In x, change ...": the verb comes behind the file.
    let verb = if matches!(s.first(), "in" | "inside" | "within") { (1..s.len()).find(|&i| matches!(s.w[i], "change" | "replace" | "substitute" | "delete" | "remove" | "insert" | "add" | "append" | "set" | "convert" | "swap" | "turn" | "show" | "print" | "find" | "count")) } else { None };
    let first = verb.map_or(s.first(), |v| s.w[v]).to_owned();
    let prints = into || only_print || s.has(&["print", "show", "display", "output"]);
    if !prints && matches!(first.as_str(), "delete" | "remove" | "erase" | "strip" | "drop" | "insert" | "add" | "append" | "prepend" | "put" | "write" | "replace" | "substitute" | "change" | "comment" | "uncomment" | "trim" | "convert" | "set" | "swap" | "turn") || said_in_place {
        if let Some(r) = edited(s, file, &first, said_in_place) {
            return Some(r);
        }
    }
    let marks = s.marks();
    let p = lines::pipeline(s, &files)?;
    // What only shows the file is none of this stage's business.
    if p.is_empty() {
        s.restore(marks);
        return None;
    }
    s.each(&["lines|line of|from|in?", "print|show|count", "file", "only", "extract|fetch|retrieve|pull"]);
    let words = format!("Prints {file}: {}.", p.words.join(", "));
    if said_in_place || !prints && matches!(first.as_str(), "replace" | "substitute" | "change" | "convert" | "trim" | "strip" | "sort" | "remove" | "reverse" | "delete" | "turn" | "swap") && said_in_place {
        let command = p.over(&files);
        return reading(format!("{command} > {q}.new && cat {q}.new > {q} && rm {q}.new"), format!("Changes {file}: {}.", p.words.join(", ")));
    }
    reading(p.over(&files), words)
}

/// Changes of a file that `sed` makes in place.
fn edited(s: &Said<'_>, file: &str, first: &str, in_place: bool) -> Option<Reading> {
    let q = quote_path(file);
    let marks = s.marks();
    let done = |script: &str, why: String| reading(format!("sed -i {} {q}", quote(script)), why);
    let n = |i: usize| s.number(i).unwrap_or(1);
    let removes = matches!(first, "delete" | "remove" | "erase" | "strip" | "drop") || in_place && s.has(&["delete", "remove"]);
    if removes {
        s.take("delete|remove|erase|strip|drop");
        if let Some(f) = s.take("lines|rows from|number|numbers? # to|through|until # from|of|in?").or_else(|| s.take("lines|rows between # and # from|of|in?")).or_else(|| s.take("line|row # to|through line? #")) {
            return done(&format!("{},{}d", n(f.at[0]), n(f.at[1])), format!("Deletes lines {} to {} of {file}.", n(f.at[0]), n(f.at[1])));
        }
        if let Some(f) = s.take("first # lines|rows of|from|in?") {
            return done(&format!("1,{}d", n(f.at[0])), format!("Deletes the first {} lines of {file}.", n(f.at[0])));
        }
        if let Some(f) = s.take("last # lines|rows of|from|in?") {
            return reading(format!("head -n -{} {q} > {q}.new && cat {q}.new > {q} && rm {q}.new", n(f.at[0])), format!("Deletes the last {} lines of {file}.", n(f.at[0])));
        }
        if s.any(&["last line|row of|from|in?"]) {
            return done("$d", format!("Deletes the last line of {file}."));
        }
        if s.any(&["first line|row of|from|in?", "header line|row? of|from|in?"]) {
            return done("1d", format!("Deletes the first line of {file}."));
        }
        if let Some(f) = s.take("line|row number? # of|from|in?").or_else(|| s.take("# line|row of|from|in?")) {
            return done(&format!("{}d", n(f.at[0])), format!("Deletes line {} of {file}.", n(f.at[0])));
        }
        if s.any(&["all? every? blank|empty lines|line"]) {
            s.each(&["from|in|of"]);
            return done("/^[[:space:]]*$/d", format!("Deletes the empty lines of {file}."));
        }
        let i = if lines::folded(s) { "I" } else { "" };
        if let Some(f) = s.take("lines|line|rows that|which? do|does not contain|include|mention|match|start word|string|text|with? $").or_else(|| s.take("lines|line without word|string|text? $")).or_else(|| s.take("lines|line not containing|matching word|string|text? $")) {
            return done(&format!("/{}/{i}!d", literal(&s.text(f.at[0]))), format!("Keeps only the lines of {file} with {}.", s.raw(f.at[0])));
        }
        if let Some(f) = s.take("lines|line|rows that|which? start|starts|starting|begin|begins|beginning with word|string|text|character? $") {
            return done(&format!("/^{}/{i}d", literal(&s.text(f.at[0]))), format!("Deletes the lines of {file} that begin with {}.", s.raw(f.at[0])));
        }
        if let Some(f) = s.take("lines|line|rows that|which? end|ends|ending with|in word|string|text|character? $") {
            return done(&format!("/{}$/{i}d", literal(&s.text(f.at[0]))), format!("Deletes the lines of {file} that end with {}.", s.raw(f.at[0])));
        }
        if let Some(f) = s.take_if("lines|line|rows|entries that|which? contain|contains|containing|mention|mentions|mentioning|with|match|matching|include|including|having|for word|string|text|pattern? $", |f| s.is_text(f.at[0])) {
            s.each(&["in|from|of"]);
            return done(&format!("/{}/{i}d", literal(&s.text(f.at[0]))), format!("Deletes the lines of {file} with {}.", s.raw(f.at[0])));
        }
        if s.any(&["trailing whitespace|spaces|blanks from|at|in|of? all|each|every? line|lines|end|ends?"]) {
            s.each(&["each|every|lines|line|from|of"]);
            return done("s/[[:space:]]*$//", format!("Takes blanks off the ends of the lines of {file}."));
        }
        if s.any(&["all? windows? carriage returns|return", "windows|dos line endings|ends"]) {
            return done("s/\\r$//", format!("Turns the line ends of {file} into Unix ones."));
        }
        if let Some(f) = s.take("all? every? occurrences|occurrence|instances of word|string|text|character? $").or_else(|| s.take_if("word|string|character $", |_| !s.has(&["lines", "line"]))) {
            s.each(&["from|in"]);
            return done(&format!("s/{}//g", literal(&s.text(f.at[0]))), format!("Takes {} out of {file}.", s.raw(f.at[0])));
        }
        s.restore(marks);
        return None;
    }
    if matches!(first, "replace" | "substitute" | "change" | "convert" | "set" | "swap" | "turn") || in_place {
        const CLASS: &str = "word|string|text|occurrences|occurrence|instances|instance|character|characters|letter";
        if let Some(f) = s.take_if("replace|change|substitute line number? # of? with|by|to text|line? $", |f| s.r.tokens[f.at[1]].quoted) {
            return done(&format!("{}c\\{}", n(f.at[0]), s.text(f.at[1])), format!("Sets line {} of {file}.", n(f.at[0])));
        }
        if let Some(f) = s.take("replace|convert|change|expand|turn all|each|every? tabs|tab by|with|to|into # spaces|blanks") {
            return done(&format!("s/\\t/{}/g", " ".repeat(n(f.at[0]).min(40) as usize)), format!("Puts blanks for tabs in {file}."));
        }
        if let Some(f) = s.take_if("set|change|replace value? of? key|option|setting|parameter|variable? $ in|of? to|with|by $", |f| s.world().beginning_of(file).is_some_and(|t| t.lines().any(|l| l.trim_start().strip_prefix(s.raw(f.at[0])).is_some_and(|r| r.trim_start().starts_with(['=', ':']))))) {
            let key = literal(s.raw(f.at[0]));
            return done(&format!("s/^([[:space:]]*{key}[[:space:]]*[=:][[:space:]]*).*/\\1{}/", replacement(&s.text(f.at[1]))), format!("Sets {} in {file}.", s.raw(f.at[0]))).map(|mut r| {
                r.command = r.command.replacen("sed -i", "sed -E -i", 1);
                r
            });
        }
        if let Some(f) = s.take(&format!("replace|substitute|change|swap|turn all|each|every|only|first? first? {CLASS}? of? {CLASS}? $ with|by|to|into|for {CLASS}? $")) {
            let (a, b) = (f.at[0], f.at[1]);
            if (s.is_text(a) || s.r.tokens[a].quoted) && !s.is_property(a) && !matches!(s.w[b], "uppercase" | "lowercase" | "upper" | "lower" | "capital") {
                let i = if lines::folded(s) { "I" } else { "" };
                let line = s.take("on|in only? line number? #").or_else(|| s.take("only on line #")).and_then(|l| s.number(l.at[0])).map_or(String::new(), |n| n.to_string());
                // "Only in lines that start with x".
                let line = if let Some(l) = s.take("on|in only? lines|line that|which? start|starts|starting|begin|begins|beginning with $").or_else(|| s.take("only? on|in lines|line that|which? start|starts|starting|begin|begins|beginning with $")) {
                    format!("/^{}/", literal(&s.text(l.at[0])))
                } else if let Some(l) = s.take("on|in only? lines|line that|which? contain|contains|containing|with|matching|mention|have word|string|text? $").filter(|l| s.is_text(l.at[0])) {
                    format!("/{}/", literal(&s.text(l.at[0])))
                } else {
                    line
                };
                s.each(&["only"]);
                let once = (f.start..f.end).any(|k| s.w[k] == "first") || s.any(&["only first|1 occurrence|one?"]);
                s.each(&["all|each|every? occurrences|instances", "everywhere|throughout|globally", "each|every line", "on|in each|every line|lines", "in|of|from"]);
                let (x, y) = (s.text(a), s.text(b));
                if x != "\n" {
                    return done(&format!("{line}s/{}/{}/{}{i}", literal(&x), replacement(&y), if once { "" } else { "g" }), format!("Puts {y} in place of {x} in {file}."));
                }
            }
        }
        s.restore(marks);
        return None;
    }
    if matches!(first, "insert" | "add" | "append" | "prepend" | "put" | "write") {
        s.take("insert|add|append|prepend|put|write");
        let t = (0..s.len()).find(|&i| s.free(i) && s.r.tokens[i].quoted);
        if let Some(t) = t {
            if s.look("front|beginning|start|before of|to? each|every|all line|lines").is_some() {
                return done(&format!("s/^/{}/", replacement(s.raw(t))), format!("Puts that in front of each line of {file}.")).inspect(|_| {
                    s.mark(t, t + 1);
                    s.each(&["in|at|to? front|beginning|start|before of|to? each|every|all line|lines of|in?", "string|text|character|characters"]);
                });
            }
            let text = s.raw(t).to_owned();
            s.mark(t, t + 1);
            if t > 0 {
                // "the line "x"": what stands before it.
                let mut k = t;
                while k > 0 && matches!(s.w[k - 1], "line" | "text" | "string" | "word" | "row" | "new" | "containing" | "saying" | "reading" | "the" | "a" | "single" | "with" | "content") {
                    k -= 1;
                    s.mark(k, k + 1);
                }
            }
            let escaped = text.replace('\\', "\\\\");
            if let Some(f) = s.take("after line number? # of|in?") {
                return done(&format!("{}a\\{escaped}", n(f.at[0])), format!("Puts a line after line {} of {file}.", n(f.at[0])));
            }
            if let Some(f) = s.take("before line number? # of|in?").or_else(|| s.take("at|as|on|in line number? # of|in?")) {
                return done(&format!("{}i\\{escaped}", n(f.at[0])), format!("Puts a line before line {} of {file}.", n(f.at[0])));
            }
            if let Some(f) = s.take("after each|every|all|first? lines|line that? contains|containing|with|matching|starting? with? $") {
                return done(&format!("/{}/a\\{escaped}", literal(&s.text(f.at[0]))), format!("Puts a line after those with {}.", s.raw(f.at[0])));
            }
            if let Some(f) = s.take("before each|every|all|first? lines|line that? contains|containing|with|matching|starting? with? $") {
                return done(&format!("/{}/i\\{escaped}", literal(&s.text(f.at[0]))), format!("Puts a line before those with {}.", s.raw(f.at[0])));
            }
            if s.r.has(&["header", "heading"]) && s.any(&["header|heading line|row?"]) || s.any(&["to|at|on|in|as? top|beginning|start|head|front|first of|line? of|in?", "in front of", "before first line of?"]) || first == "prepend" {
                s.each(&["to|of|in"]);
                return reading(format!("printf '%s\\n' {} | cat - {q} > {q}.new && cat {q}.new > {q} && rm {q}.new", quote(&text)), format!("Puts that line in front of {file}."));
            }
            if s.any(&["to|at|on end|bottom of|each|every? line|lines of?"]) && s.has(&["each", "every", "lines"]) {
                return done(&format!("s/$/{}/", replacement(&text)), format!("Puts that at the end of each line of {file}."));
            }
            s.each(&["to|at|on|as end|bottom|last of|line? of|in?", "to|in|into|of"]);
            if first != "write" {
                return reading(format!("printf '%s\\n' {} >> {q}", quote(&text)), format!("Adds that line at the end of {file}."));
            }
        }
        s.restore(marks.clone());
    }
    if first == "comment" && (s.take("comment out all|every? lines|line that? contain|contains|containing|with|matching|of? $").is_some() || s.look("comment out all|every? lines|line that? start|starts|starting|begin|begins|beginning").is_some()) {
        s.restore(marks);
        if let Some(f) = s.take("comment out all|every? lines|line that? start|starts|starting|begin|begins|beginning with word|text? $") {
            return done(&format!("/^{}/s/^/#/", literal(&s.text(f.at[0]))), format!("Comments out the lines of {file} that begin with {}.", s.raw(f.at[0])));
        }
        if let Some(f) = s.take("comment out all|every? lines|line that? contain|contains|containing|with|matching word|text? $") {
            return done(&format!("/{}/s/^/#/", literal(&s.text(f.at[0]))), format!("Comments out the lines of {file} with {}.", s.raw(f.at[0])));
        }
    }
    None
}

/// "Create x.txt containing the lines a, b and c".
pub(super) fn written(s: &Said<'_>) -> Option<Reading> {
    if !matches!(s.first(), "create" | "make" | "write" | "generate") {
        return None;
    }
    let f = s.take("containing|with|contains|holding|of? # lines|words|items|entries?").or_else(|| s.take("containing|with|contains|holding lines|words|items|entries")).or_else(|| s.take("# lines|words"))?;
    let list = f.end;
    let file = (1..s.len()).find(|&i| s.free(i) && !(list..s.len()).contains(&i) && matches!(s.entity_at(i).map(|e| &e.kind), Some(crate::entity::Kind::Path(_))) && s.world().exists(s.raw(i)).is_none()).or_else(|| s.take("to|into|in new? file? called|named? $").map(|f| f.at[0]).filter(|&i| s.raw(i).contains('.') && s.world().exists(s.raw(i)).is_none()))?;
    let path = s.raw(file).to_owned();
    s.mark(0, 1);
    s.mark(file, file + 1);
    s.each(&["new? text? file called|named?", "to|into|in"]);
    let mut items = Vec::new();
    for i in list..s.len() {
        if i == file || !s.free(i) || matches!(s.w[i], "and" | "then" | "the") && !s.quoted(i) {
            continue;
        }
        s.mark(i, i + 1);
        items.push(quote(s.raw(i)));
    }
    let told = f.at.first().and_then(|i| s.number(*i));
    (items.len() > 1 && told.is_none_or(|n| n == items.len() as u64)).then(|| reading(format!("printf '%s\\n' {} > {}", items.join(" "), quote_path(&path)), format!("Writes these lines into {path}.")))?
}

/// What is known of one file or directory.
pub(super) fn facts(s: &Said<'_>) -> Option<Reading> {
    let marks = s.marks();
    let path = match s.files().into_iter().next() {
        Some(f) => f,
        None => s.dir().filter(|d| d != ".")?,
    };
    let q = quote_path(&path);
    // What is asked of all that lies in a directory is not asked of the directory.
    if s.world().exists(&path) == Some(crate::world::Exists::Dir) && (s.r.has(&["files", "each", "every", "checksum", "checksums", "md5", "md5sum", "sha256", "sha1", "hash", "base64", "hexdump"]) && !s.r.has(&["itself"])) {
        s.restore(marks);
        return None;
    }
    let human = s.any(&["in? human-readable|human readable form|format|units?", "human-readably"]);
    let command = if s.any(&["size of? in bytes", "how many bytes is|does|are?", "number of bytes in|of", "byte size|count of?", "size in bytes of?", "file size in bytes"]) && !s.has(&["directory", "folder"]) && s.world().exists(&path) != Some(crate::world::Exists::Dir) {
        s.each(&["exact|size|bytes|in bytes|have|has|large|big|take|contain"]);
        if human { format!("stat -c %s {q} | numfmt --to=iec") } else { format!("stat -c %s {q}") }
    } else if s.any(&["octal|numeric permissions|permission|mode|rights of?", "permissions|permission|mode|rights of? file|directory? in|as octal|numeric form|notation|number|numbers?", "permissions|mode|rights as number|numbers"]) {
        format!("stat -c %a {q}")
    } else if s.any(&["symbolic permissions|permission string? of", "permissions|permission string"]) && !s.has(&["set", "change", "give", "remove"]) {
        format!("stat -c %A {q}")
    } else if s.any(&["permissions|permission|mode|rights of? directory|folder?"]) && !s.has(&["set", "change", "give", "remove", "add"]) {
        format!("stat -c '%A %n' {q}")
    } else if s.any(&["who owns|own", "owner of", "user that|who owns", "owner|owners name?", "who is owner of"]) && !s.has(&["change", "set"]) {
        if s.any(&["and group"]) { format!("stat -c %U:%G {q}") } else { format!("stat -c %U {q}") }
    } else if s.any(&["group that|which? owns|of", "owning group of?", "group ownership of?"]) && !s.has(&["change", "set"]) {
        format!("stat -c %G {q}")
    } else if s.any(&["inode number? of?"]) {
        format!("stat -c %i {q}")
    } else if s.any(&["number of hard links|link to|of?", "how many hard links to?"]) {
        format!("stat -c %h {q}")
    } else if s.any(&["last? modification time|date|timestamp of?", "when was|is|did last? modified|changed|edited|updated?", "last? modified|changed time|date|on|at?", "time|date of last? modification|change"]) {
        s.each(&["last|time|date|modified|changed|when"]);
        if s.any(&["in seconds since|epoch", "as unix timestamp", "as? unix time|timestamp|epoch"]) { format!("stat -c %Y {q}") } else { format!("stat -c %y {q}") }
    } else if s.any(&["target of|that? symbolic|soft? link|symlink?", "where symbolic|soft? link|symlink? points|point|leads|goes to?", "what|where does? symbolic? link|symlink? point|points to?", "points|point to", "link target of?"]) {
        s.each(&["symbolic|soft link", "symlink|link", "target", "points|point to?", "that"]);
        format!("readlink {q}")
    } else if s.any(&["non-printing|nonprinting|non-printable|invisible|control|hidden characters", "whitespace characters? made? visible"]) {
        s.each(&["and|with|showing line|tab? ends|endings|tabs|end visible|shown?", "visible|shown|made|including", "line ends", "tabs"]);
        format!("cat -A {q}")
    } else if s.any(&["hex|hexadecimal dump|view of?", "hexdump of?", "bytes of", "in hexadecimal|hex form|format?", "as hexadecimal|hex dump?"]) {
        s.each(&["bytes|contents|content of?"]);
        let program = ["xxd", "hexdump -C"].into_iter().find(|c| s.world().has_command(c.split(' ').next().unwrap_or(c))).unwrap_or("od -A x -t x1z");
        format!("{program} {q}")
    } else if let Some(program) = [("md5|md5sum", "md5sum"), ("sha256|sha-256|sha256sum", "sha256sum"), ("sha1|sha-1|sha1sum", "sha1sum"), ("sha512|sha-512|sha512sum", "sha512sum"), ("sha224|sha-224", "sha224sum"), ("sha384|sha-384", "sha384sum"), ("crc|cksum", "cksum")].into_iter().find(|(w, _)| s.any(&[&format!("{w} checksum|hash|sum|digest? of?")])).map(|p| p.1) {
        s.each(&["checksum|hash|sum|digest|of", "calculate|compute"]);
        format!("{program} {q}")
    } else if s.any(&["decode base64|base-64", "decode from|as base64|base-64", "base64|base-64 decode|decoded", "from base64|base-64"]) {
        s.each(&["decode|decoded", "contents|content of?", "text|data|file"]);
        format!("base64 -d {q}")
    } else if s.any(&["encode|encoded|convert to|in|into|as|with base64|base-64", "base64|base-64 encode|encoded|encoding|form|representation|of?", "to|in|into|as base64|base-64"]) {
        s.each(&["encode|encoded|convert", "contents|content of?", "version|form"]);
        format!("base64 {q}")
    } else if s.any(&["mime type of?"]) {
        format!("file -b --mime-type {q}")
    } else if s.any(&["extension of"]) {
        return reading(format!("f={q}; printf '%s\\n' \"${{f##*.}}\""), format!("Prints the ending of {path}."));
    } else if s.any(&["absolute|full|canonical|complete|real path|pathname of|to?"]) {
        format!("realpath {q}")
    } else if s.any(&["base name|basename of?", "only? file name|filename of? without path|directory|directories"]) {
        format!("basename {q}")
    } else if s.any(&["directory part|name|portion|component of?", "dirname of?", "name of directory that? contains|containing|holding", "parent directory of?"]) {
        format!("dirname {q}")
    } else {
        s.restore(marks);
        return None;
    };
    s.each(&["file|directory|folder", "exact|only|last|and", "using|with stat"]);
    reading(command, format!("Says it of {path}."))
}
