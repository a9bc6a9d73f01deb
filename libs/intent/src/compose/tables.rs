//! Rows and columns.

use actions::quote::quote_path;

use super::{Made, Parts, made};
use crate::world::World;

/// How a table's columns are parted: by its name's ending.
fn separator(file: &str, p: &Parts<'_>) -> &'static str {
    if file.ends_with(".csv") || p.has(&["comma", "commas", "comma-separated"]) {
        ","
    } else if file.ends_with(".tsv") || p.has(&["tab", "tabs", "tab-separated"]) {
        "\\t"
    } else if p.has(&["colon", "colons", "colon-separated"]) || file == "/etc/passwd" || file == "/etc/group" {
        ":"
    } else {
        ""
    }
}

const COLUMN: &[&str] = &["column", "field", "col", "columns", "fields"];

/// Rows by a column's value, sums, means, sorting by a column, counting values.
pub(super) fn tables(p: &Parts<'_>) -> Made {
    if !p.has(COLUMN) {
        return None;
    }
    let f = p.file()?;
    let n = p.number_near(COLUMN).filter(|n| (1..1000).contains(n))?;
    let sep = separator(&f, p);
    let option = if sep.is_empty() { String::new() } else { format!(" -F'{sep}'") };
    let q = quote_path(&f);
    let sort_sep = match sep {
        "" => String::new(),
        "\\t" => " -t $'\\t'".into(),
        s => format!(" -t '{s}'"),
    };
    if p.has(&["average", "mean", "avg"]) {
        return made(format!("awk{option} '{{ s += ${n} }} END {{ if (NR) print s / NR }}' {q}"), format!("Prints the mean of column {n} of {f}."));
    }
    if p.has(&["maximum", "max", "highest", "largest", "biggest"]) && !p.has(&["sort", "order", "sorted"]) {
        return made(format!("awk{option} 'NR == 1 || ${n} + 0 > m {{ m = ${n} + 0 }} END {{ print m }}' {q}"), format!("Prints the largest value of column {n} of {f}."));
    }
    if p.has(&["minimum", "min", "lowest", "smallest"]) && !p.has(&["sort", "order", "sorted"]) {
        return made(format!("awk{option} 'NR == 1 || ${n} + 0 < m {{ m = ${n} + 0 }} END {{ print m }}' {q}"), format!("Prints the smallest value of column {n} of {f}."));
    }
    if p.has(&["sum", "total", "add"]) {
        return made(format!("awk{option} '{{ s += ${n} }} END {{ print s + 0 }}' {q}"), format!("Adds up column {n} of {f}."));
    }
    if p.has(&["sort", "sorted", "order", "ordered"]) {
        let numeric = numbers_in_column(p.r.world, &f, sep, n) || p.has(&["numerically", "numeric", "number", "numbers"]);
        let down = p.has(&["descending", "reverse", "largest", "highest", "biggest", "reversed", "decreasing"]);
        let flags = format!("{}{}", if numeric { "n" } else { "" }, if down { "r" } else { "" });
        return made(format!("sort{sort_sep} -k {n},{n}{flags} -- {q}"), format!("Sorts {f} by column {n}{}.", if numeric { ", as numbers" } else { "" }));
    }
    let compare: [(&[&str], &str); 4] = [
        (&["greater than or equal", "at least", "or more"], ">="), (&["at most", "less than or equal", "or less"], "<="), (&["greater than", "bigger than", "larger than", "more than", "above", "over", "exceeds", "higher than"], ">"), (&["less than", "smaller than", "below", "under", "lower than", "fewer than"], "<"),
    ];
    if let Some((phrase, op)) = compare.iter().find_map(|(phrases, op)| phrases.iter().find(|x| p.phrase(x)).map(|x| (*x, *op))) {
        let last = phrase.rsplit(' ').next()?;
        let at = p.r.position(&[last])?;
        let v = p.w[at + 1..].iter().find_map(|w| w.parse::<u64>().ok())?;
        return made(format!("awk{option} '${n} + 0 {op} {v}' {q}"), format!("Prints the rows of {f} whose column {n} is {op} {v}."));
    }
    if p.has(&["equals", "equal", "is", "contains", "containing"]) && p.has(&["rows", "row", "lines", "records", "where"]) {
        let v = p.text_after(&["equals", "equal", "is", "contains", "containing"])?;
        let v = v.chars().all(|c| c.is_alphanumeric() || " ._-".contains(c)).then_some(v)?;
        let test = if p.has(&["contains", "containing"]) { format!("index(${n}, \"{v}\")") } else { format!("${n} == \"{v}\"") };
        return made(format!("awk{option} '{test}' {q}"), format!("Prints the rows of {f} by their column {n}."));
    }
    let cut = format!("awk{option} '{{ print ${n} }}' {q}");
    if p.any(&["how many times", "how often", "for each", "per", "count requests", "occurrences", "frequency"]) || (p.has(&["count"]) && p.has(&["each", "per", "every"])) {
        return made(format!("{cut} | sort | uniq -c | sort -rn"), format!("Counts each value of column {n} of {f}."));
    }
    if p.has(&["unique", "distinct", "different"]) || p.any(&["each once", "without duplicates"]) {
        return made(format!("{cut} | sort -u"), format!("Prints each value of column {n} of {f} once."));
    }
    None
}

/// Whether a column holds numbers: its first rows say.
fn numbers_in_column(world: &dyn World, file: &str, sep: &str, n: u64) -> bool {
    let Some(text) = world.beginning_of(file) else { return false };
    let mut rows = text.lines().skip(1).take(5).filter_map(|l| match sep {
        "" => l.split_whitespace().nth(n as usize - 1),
        "\\t" => l.split('\t').nth(n as usize - 1),
        s => l.split(s).nth(n as usize - 1),
    });
    let mut any = false;
    rows.all(|v| {
        any = true;
        v.trim().parse::<f64>().is_ok()
    }) && any
}

