//! The file that a result goes into.

use actions::quote::quote_path;

use super::said::Said;
use super::set::always_quoted;

/// A file for the output, and whether it is added to what is there.
pub(super) struct Output {
    pub file: String,
    pub append: bool,
}

/// "and save the result in x", "into x", "to a file called x": crossed off. Only for a name that may be one of a file.
pub(super) fn output(s: &Said<'_>) -> Option<Output> {
    const KEEP: &str = "save|saving|write|writing|store|storing|put|putting|redirect|redirecting|output|place|record|dump|saved|written|stored|print|send|sending|append|appending|add|log|export";
    const WHAT: &str = "result|results|output|it|them|that|list|number|count|names|lines|those|everything|sum|total";
    let patterns = [
        format!("and|then|, {KEEP} final|sorted? {WHAT}? to|into|in|as|onto|under end? of? new|text|output? file? called|named? $"),
        format!("and|then|, {KEEP} {WHAT} to|into|in|as|under end? of? new|text? file? called|named? $"),
        format!("{KEEP} {WHAT} to|into|in|as end? of? new|text? file? called|named? $"),
        "with? output|result|results going|goes|written|saved|redirected|stored to|into|in file called|named? $".to_owned(),
        "into new|text|output? file? called|named? $".to_owned(),
        "to new|text|output? file called|named $".to_owned(),
        "to file $".to_owned(),
        "> $".to_owned(),
        ">> $".to_owned(),
    ];
    for (k, pattern) in patterns.iter().enumerate() {
        let elements: Vec<&str> = pattern.split(' ').collect();
        let mut from = 0;
        while let Some(f) = s.look_at(&elements, from) {
            from = f.start + 1;
            let i = *f.at.last()?;
            if named(s, i) && (k != 4 || s.has(&["lines", "rows", "columns", "column", "unique"]) || !s.has(&["split", "extract", "unpack", "move", "rename", "copy", "pack", "compress", "archive", "turn", "convert", "tar", "zip"])) {
                let append = (f.start..f.end).any(|k| matches!(s.w[k], "append" | "appending" | "add" | "end" | ">>"));
                let file = s.raw(i).to_owned();
                s.mark(f.start, f.end);
                return Some(Output { file, append });
            }
        }
    }
    // "write the first two lines of a to b": the first verb writes, the last word is a new file; how it is ordered may follow.
    let end = (1..s.len()).rev().find(|&i| named(s, i) && matches!(s.w[i - 1], "to" | "into" | "in" | "as" | "called" | "named" | "file") && s.w.get(i + 1).is_some_and(|w| matches!(*w, "sorted" | "ordered" | "one" | "alphabetically")));
    let last = end.or_else(|| s.len().checked_sub(1))?;
    let verb = matches!(s.first(), "save" | "write" | "store" | "put" | "output" | "dump" | "redirect" | "append");
    let opens = |i: usize| i > 0 && matches!(s.w[i - 1], "to" | "into" | "in" | "as" | "called" | "named" | "file");
    if verb && named(s, last) && opens(last) && !s.r.tokens.get(1).is_some_and(|t| t.quoted) && (s.first() != "append" || s.paths() > 1) {
        let mut k = last;
        while k > 1 && matches!(s.w[k - 1], "to" | "into" | "in" | "as" | "called" | "named" | "file" | "a" | "the" | "new" | "of" | "end") {
            k -= 1;
        }
        s.mark(k, last + 1);
        s.mark(0, 1);
        return Some(Output { file: s.raw(last).to_owned(), append: s.first() == "append" });
    }
    None
}

/// A word that may name a file that is written.
fn named(s: &Said<'_>, i: usize) -> bool {
    let raw = s.raw(i);
    let plain = !raw.contains(['*', '?']) && !raw.ends_with('/') && s.world().exists(raw) != Some(crate::world::Exists::Dir);
    plain && (raw.contains('.') && !raw.starts_with('.') && raw.len() > 2 || raw.contains('/') || s.r.tokens[i].quoted || i > 0 && matches!(s.w[i - 1], "called" | "named") || i > 1 && s.w[i - 1] == "file" && matches!(s.w[i - 2], "to" | "into" | "in" | "new" | "a"))
}

/// The command, so that a list of files which goes into `file` does not hold that file: it is there before `find` begins.
///
/// In a pipeline the file may come to be at any moment, so that only its path can be told from the others; elsewhere it is told by what it is, however its path is written.
pub(super) fn without_itself(command: &str, file: &str) -> String {
    let Some(rest) = command.strip_prefix("find ") else { return command.to_owned() };
    let dir = rest.split(' ').next().unwrap_or(".");
    let relative = !file.starts_with(['/', '~', '$']) && !file.starts_with("..");
    let below = match dir {
        "." => relative,
        _ if dir.starts_with(['/', '~', '$']) => true,
        _ => file.strip_prefix(dir).is_some_and(|f| f.starts_with('/')),
    };
    // Names that it cannot have.
    let name = file.rsplit('/').next().unwrap_or(file);
    let mut patterns = rest.split(" -name '").skip(1).filter_map(|p| p.split('\'').next()).peekable();
    let fits = patterns.peek().is_none() || patterns.any(|p| p.strip_prefix('*').is_none_or(|end| end.contains(['*', '?', '[']) || name.ends_with(end)));
    let Some(at) = command.find(" -type f").map(|at| at + " -type f".len()).filter(|_| below && fits && !command.contains(" -exec ")) else { return command.to_owned() };
    let test = if !command.contains(" | ") {
        format!("! -samefile {}", quote_path(file))
    } else if dir == "." {
        format!("! -path {}", always_quoted(&format!("./{}", file.trim_start_matches("./"))))
    } else {
        return command.to_owned();
    };
    format!("{} {test}{}", &command[..at], &command[at..])
}
