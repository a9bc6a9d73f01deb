//! Which of the things listed: "them", "it", "the second one", "the last two", "all but the first".

use super::Said;

/// What is referred to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// All.
    All,
    /// One thing, that needs no number.
    It,
    /// Positions from 0.
    At(Vec<usize>),
    /// So many from the beginning.
    First(usize),
    /// So many from the end.
    Last(usize),
    /// All but these.
    Except(Box<Reference>),
}

fn ordinal(w: &str) -> Option<usize> {
    Some(match w {
        "first" | "1st" => 0,
        "second" | "2nd" => 1,
        "third" | "3rd" => 2,
        "fourth" | "4th" => 3,
        "fifth" | "5th" => 4,
        "sixth" | "6th" => 5,
        "seventh" | "7th" => 6,
        "eighth" | "8th" => 7,
        "ninth" | "9th" => 8,
        "tenth" | "10th" => 9,
        _ => return w.strip_prefix('#').and_then(|n| n.parse::<usize>().ok()).and_then(|n| n.checked_sub(1)),
    })
}

/// Nouns for a thing of a list.
const NOUN: &[&str] = &["one", "ones", "file", "files", "result", "results", "entry", "entries", "item", "items", "process", "processes", "folder", "folders", "directory", "directories", "of", "match", "matches"];
/// What may stand between a reference and the end of the clause.
const AFTER: &[&str] = &["to", "into", "in", "and", "as", "with", "from", "please", "executable", "is", "contain", "contains", "together", "using", "for", "by", "too", "now", "then", "up", "out", "away", "open", "have", "has", "take"];

/// The reference in a request, and the words it is made of.
pub fn find(said: &Said<'_>) -> Option<(Reference, std::ops::Range<usize>)> {
    let w: Vec<&str> = said.words.iter().map(String::as_str).collect();
    if let Some(i) = w.iter().position(|x| matches!(*x, "except" | "but" | "excluding")).filter(|i| *i > 0 && w[..*i].iter().any(|x| matches!(*x, "all" | "them" | "everything" | "these" | "those")))
        && let Some((inner, range)) = numbered(&w, i + 1)
    {
        let start = w[..i].iter().position(|x| matches!(*x, "all" | "them" | "everything" | "these" | "those"))?;
        return Some((Reference::Except(Box::new(inner)), start..range.end));
    }
    if let Some(found) = numbered(&w, 0) {
        return Some(found);
    }
    for (i, x) in w.iter().enumerate() {
        let ends = |k: usize| w.get(k).is_none_or(|n| AFTER.contains(n));
        match *x {
            "them" | "these" | "those" | "both" if ends(i + 1) || w.get(i + 1).is_some_and(|n| matches!(*n, "all" | "files" | "ones" | "folders" | "processes" | "contain")) => {
                let end = if w.get(i + 1).is_some_and(|n| matches!(*n, "all" | "files" | "ones" | "folders" | "processes")) { i + 2 } else { i + 1 };
                return Some((Reference::All, i..end));
            }
            "they" => return Some((Reference::All, i..i + 1)),
            "it" | "that" | "this" if ends(i + 1) => return Some((Reference::It, i..i + 1)),
            "that" | "this" if w.get(i + 1).is_some_and(|n| matches!(*n, "one" | "file" | "process" | "folder" | "directory" | "archive")) && ends(i + 2) => return Some((Reference::It, i..i + 2)),
            _ => {}
        }
    }
    None
}

/// An ordinal from `from` on.
fn numbered(w: &[&str], from: usize) -> Option<(Reference, std::ops::Range<usize>)> {
    let closes = |k: usize| w.get(k).is_none_or(|n| NOUN.contains(n) || AFTER.contains(n));
    let end = |k: usize| if w.get(k).is_some_and(|n| NOUN.contains(n)) { k + 1 } else { k };
    for i in from..w.len() {
        if matches!(w[i], "number" | "no" | "nr" | "item" | "entry" | "result")
            && let Some(n) = w.get(i + 1).and_then(|n| n.parse::<usize>().ok())
            && n > 0
            && closes(i + 2)
        {
            return Some((Reference::At(vec![n - 1]), i..i + 2));
        }
        // "the first two", "the last 3 files".
        if matches!(w[i], "first" | "last" | "top" | "bottom")
            && let Some(n) = w.get(i + 1).and_then(|n| n.parse::<usize>().ok())
            && closes(i + 2)
        {
            let r = if matches!(w[i], "first" | "top") { Reference::First(n) } else { Reference::Last(n) };
            return Some((r, i..end(i + 2)));
        }
        if w[i] == "last" && i > 0 && w[i - 1] == "the" && closes(i + 1) {
            return Some((Reference::Last(1), i..end(i + 1)));
        }
        if let Some(n) = ordinal(w[i])
            && (i == 0 || matches!(w[i - 1], "the" | "and" | "show" | "open" | "delete" | "only" | "but" | "except") || w[i].starts_with('#'))
        {
            // "the first and the third".
            let mut all = vec![n];
            let mut k = i + 1;
            while w.get(k) == Some(&"and") {
                let next = if w.get(k + 1) == Some(&"the") { k + 2 } else { k + 1 };
                let Some(m) = w.get(next).and_then(|x| ordinal(x)) else { break };
                all.push(m);
                k = next + 1;
            }
            if closes(k) {
                return Some((Reference::At(all), i..end(k)));
            }
        }
    }
    None
}

/// Those of a list that are meant; `None` where there are not so many.
pub fn choose<T: Clone>(list: &[T], reference: &Reference) -> Option<Vec<T>> {
    let chosen: Vec<T> = match reference {
        Reference::All => list.to_vec(),
        Reference::It => {
            let [one] = list else { return None };
            vec![one.clone()]
        }
        Reference::At(positions) => positions.iter().map(|i| list.get(*i).cloned()).collect::<Option<Vec<T>>>()?,
        Reference::First(n) => list.get(..*n)?.to_vec(),
        Reference::Last(n) => list.get(list.len().checked_sub(*n)?..)?.to_vec(),
        Reference::Except(inner) => {
            let all: Vec<usize> = (0..list.len()).collect();
            let out = choose(&all, inner)?;
            all.iter().filter(|i| !out.contains(i)).map(|i| list[*i].clone()).collect()
        }
    };
    (!chosen.is_empty()).then_some(chosen)
}
