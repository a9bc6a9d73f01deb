//! Two files at a time, and several that are put together.

use actions::quote::quote_path;

use super::said::Said;
use super::{Reading, reading};

/// What is asked of several named files together.
pub(super) fn pairs(s: &Said<'_>, into: Option<&str>) -> Option<Reading> {
    let mut files = s.files();
    // "merge a and b into c", where c is new.
    let new = files.last().filter(|f| into.is_none() && files.len() > 2 && s.world().exists(f).is_none()).cloned();
    if let Some(new) = new {
        let at = s.r.tokens.iter().position(|t| t.raw == new).filter(|i| *i > 0)?;
        if !(1..=4).any(|back| at >= back && matches!(s.w[at - back], "to" | "into" | "as" | "in")) {
            return None;
        }
        files.pop();
        s.each(&["to|into|as|in one|single|new? file? called|named?", "one|single"]);
        let found = joined(s, &files, Some(&new))?;
        return reading(format!("{} > {}", found.command, quote_path(&new)), format!("{} Into {new}.", found.why));
    }
    joined(s, &files, into)
}

fn joined(s: &Said<'_>, files: &[String], into: Option<&str>) -> Option<Reading> {
    if files.len() < 2 {
        return None;
    }
    let q: Vec<String> = files.iter().map(|f| quote_path(f)).collect();
    let all = q.join(" ");
    if let [a, b] = &q[..] {
        let (na, nb) = (&files[0], &files[1]);
        if into.is_none() && matches!(s.first(), "append" | "add") && s.world().exists(na).is_some() && s.take("append|add contents|content|text|lines|all? of? file?").is_some() {
            s.each(&["contents|content of", "to end|bottom of?", "at|to|on end|bottom of", "to|into"]);
            return reading(format!("cat {a} >> {b}"), format!("Adds what {na} holds at the end of {nb}."));
        }
        if s.any(&["lines|words|entries|names|values? that|which? both|two? files? have|share in|as? common", "lines|words|entries|names|values? that|which? are|is? common to|in|between? both?", "lines|words|entries? shared by|between both?", "lines? that|which? appear|occur|are|exist|is|present|found in both", "in both", "intersection of?", "lines? in common", "common lines|line|entries|words", "have|has in common", "present|contained|occurring in both"]) {
            s.each(&["files", "lines|line", "have|share", "both", "and", "common"]);
            return reading(format!("comm -12 <(sort -u {a}) <(sort -u {b})"), format!("Prints the lines that {na} and {nb} have in common."));
        }
        // Lines of the one that the other lacks: which one is which, the grammar says.
        if let Some(f) = s.take("but|and|which|that|are|do|does? not present|found|contained|appear|occur|exist|be|included|also? in").or_else(|| s.take("missing|absent from|in")).or_else(|| s.take("but? not in")).or_else(|| s.take("only|unique|exclusive appear|occur|to|in")) {
            let only = matches!(s.w[f.start], "only" | "unique" | "exclusive");
            s.each(&["lines|line|words|entries|names that|which?", "are|is|appear|occur|exist|present|found|contained", "but|only"]);
            let at = |name: &str| s.r.tokens.iter().position(|t| t.raw == name).unwrap_or(0);
            // "only in b, not in a": what follows the cue.
            let first_is_kept = if only { at(na) > f.start && at(nb) > f.start || at(na) > f.start } else { at(nb) > f.start && at(na) < f.start || at(na) > at(nb) };
            let (x, y, nx, ny) = if first_is_kept { (a, b, na, nb) } else { (b, a, nb, na) };
            return reading(format!("comm -23 <(sort -u {x}) <(sort -u {y})"), format!("Prints the lines of {nx} that are not in {ny}."));
        }
        if s.any(&["are|whether|if|check? identical|equal", "same content|contents?", "do|does|whether differ|match", "is|are same|equal", "byte by byte", "identical"]) && !s.has(&["lines", "how"]) {
            s.each(&["files", "have|has", "whether|if", "check|compare|test|determine", "byte by byte"]);
            return reading(format!("cmp -s {a} {b} && echo identical || echo different"), format!("Says whether {na} and {nb} are the same."));
        }
        if s.any(&["difference|differences between?", "diff", "how|where|what differ|differs|different from?", "differs|differ from?", "compare|comparing", "changes between|from", "different between"]) {
            let style = if s.any(&["unified format|diff|style|form?", "as? unified diff"]) { " -u" } else if s.any(&["side by side", "in two columns", "next to each other"]) { " -y" } else if s.any(&["as? context diff|format"]) { " -c" } else { "" };
            let fold = if super::lines::folded(s) { " -i" } else { "" };
            let blanks = if s.any(&["ignoring|ignore all? whitespace|blanks|spaces", "regardless of whitespace"]) { " -w" } else { "" };
            let brief = if s.any(&["only? whether", "briefly"]) { " -q" } else { "" };
            s.each(&["files", "line by line", "and|to|from|with", "differ|differs|different"]);
            return reading(format!("diff{style}{fold}{blanks}{brief} {a} {b}"), format!("Shows the differences between {na} and {nb}."));
        }
        if s.any(&["join on|by first|1 field|column"]) || s.has(&["join", "joined", "match", "merge", "combine"]) && s.any(&["on|by|using common? first|1 field|column|key", "on|by common|shared field|column|key"]) {
            s.each(&["join|joined|match|merge|combine lines|rows|files?", "and|with|common|of|each"]);
            return reading(format!("join <(sort {a}) <(sort {b})"), format!("Joins {na} and {nb} by their first column."));
        }
    }
    if s.any(&["side by side", "line by line", "as|in columns|parallel", "next to each other", "column by column", "corresponding lines of?", "paste"]) {
        let sep = s.take("separated|delimited|joined by|with single|a? $").or_else(|| s.take("with|using $ between|as them|separator|delimiter?")).map(|f| s.text(f.at[0])).filter(|c| c.chars().count() == 1);
        s.each(&["merge|join|combine|put|paste|of", "lines|line|together|files"]);
        let d = sep.filter(|c| c != "\t").map_or(String::new(), |c| format!(" -d {}", actions::quote::quote(&c)));
        return reading(format!("paste{d} {all}"), format!("Prints the lines of {} side by side.", files.join(" and ")));
    }
    // Counts of each of them.
    if s.look("lines|words|characters|bytes in|of|for each").is_some() || s.look("count|number|many lines|words|characters|bytes").is_some() || s.look("number|count of lines|words|characters|bytes").is_some() || s.look("how many lines|words|characters|bytes").is_some() || s.look("line|word|character|byte counts|count").is_some() {
        let total = s.any(&["total", "altogether|combined|together", "in total", "sum of"]);
        let op = if s.has(&["words", "word"]) { "-w" } else if s.has(&["characters", "chars", "character"]) { "-m" } else if s.has(&["bytes", "byte"]) { "-c" } else { "-l" };
        s.each(&["lines|words|characters|bytes|line|word in|of|for? each|both?", "count|number|many|how|counts", "contain|contains|have|does|do", "both|each"]);
        return if total { reading(format!("cat {all} | wc {op}"), format!("Counts in {} together.", files.join(" and "))) } else { reading(format!("wc {op} {all}"), format!("Counts in {}.", files.join(" and "))) };
    }
    let joins = s.any(&["concatenate|combine|merge|join|cat|concatenated|combined|merged|concatenation", "append|put together", "one after other"]) || into.is_some() && s.any(&["put|write|store|save|copy"]);
    if joins {
        s.each(&["files|together|content|contents|of", "single|one|new file", "lines", "in|into|to", "file|both"]);
        let mut p = super::lines::Pipe::default();
        if let Some(more) = super::lines::pipeline(s, files) {
            p = more;
        }
        return reading(p.over(files), format!("Puts {} together.", files.join(" and ")));
    }
    None
}
