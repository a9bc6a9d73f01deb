//! What somebody may have meant: names at a small distance.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use intent::world::BUILTINS;

/// How many names of a directory, or of the search path, are looked at.
const MAX_NAMES: usize = 20_000;

/// Insertions, deletions, changes and swaps of neighbours between two words; `None` above `limit`.
pub fn distance(a: &str, b: &str, limit: usize) -> Option<usize> {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > limit {
        return None;
    }
    // Three rows: a swap looks two back.
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let mut d = (above[j] + 1).min(row[j - 1] + 1).min(above[j - 1] + usize::from(a[i - 1] != b[j - 1]));
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                d = d.min(before[j - 2] + 1);
            }
            row.push(d);
        }
        before = above;
        above = row;
    }
    above.last().copied().filter(|d| *d <= limit)
}

/// How many mistakes a word of this length may have.
pub fn allowed(word: &str) -> usize {
    match word.chars().count() {
        0..=1 => 0,
        2..=4 => 1,
        5..=8 => 2,
        _ => 3,
    }
}

/// Those of `names` that are nearest to `word`, the best first, at most three.
pub fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let limit = allowed(word);
    let mut letters: Vec<char> = word.chars().collect();
    letters.sort_unstable();
    let mut found: Vec<(usize, bool, bool, bool, &str)> = names
        .into_iter()
        .filter(|n| *n != word && !n.is_empty())
        .filter_map(|n| {
            let equal_but_case = n.to_lowercase() == word.to_lowercase();
            let d = if equal_but_case { 0 } else { distance(word, n, limit)? };
            // A word of two letters that shares none is no typing mistake.
            let mut its: Vec<char> = n.chars().collect();
            its.sort_unstable();
            let swapped = its == letters;
            (swapped || d < word.chars().count().min(n.chars().count())).then(|| (d, !swapped, !intent::request::known_program(n), n.chars().next() != word.chars().next(), n))
        })
        .collect();
    found.sort();
    found.dedup();
    // Something that is clearly nearer leaves no choice.
    let best = found.first().map_or(0, |f| f.0);
    found.into_iter().take_while(|f| f.0 <= best + usize::from(best > 0)).take(3).map(|f| f.4.to_owned()).collect()
}

/// All names that can be started: programs, builtins, aliases, functions.
pub fn commands(path: &[PathBuf], names: &[String]) -> HashSet<String> {
    let mut all: HashSet<String> = BUILTINS.iter().map(|b| (*b).to_owned()).chain(names.iter().cloned()).collect();
    for dir in path {
        for e in std::fs::read_dir(dir).into_iter().flatten().flatten().take(MAX_NAMES) {
            if let Ok(n) = e.file_name().into_string() {
                all.insert(n);
            }
        }
    }
    all
}

/// Paths that exist and that are nearest to `path`, as it could have been written; the best first, at most three.
///
/// The parts that exist are kept; the first that does not is replaced by names of its directory, and what follows must
/// exist there, or is looked for in the same way.
pub fn paths(path: &str, cwd: &Path, home: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let (shown, place) = if path.starts_with("~/") {
        ("~/".to_owned(), home.to_owned())
    } else if path.starts_with('/') {
        ("/".to_owned(), PathBuf::from("/"))
    } else {
        (String::new(), cwd.to_owned())
    };
    let rest: Vec<&str> = path.strip_prefix("~/").unwrap_or(path).split('/').filter(|p| !p.is_empty() && *p != ".").collect();
    walk(&shown, &place, &rest, &mut found, 2);
    // A forgotten `/` in front, or one too many.
    if !path.starts_with(['/', '~']) && Path::new(&format!("/{path}")).exists() {
        found.insert(0, format!("/{path}"));
    }
    if let Some(relative) = path.strip_prefix('/')
        && !relative.is_empty()
        && cwd.join(relative).exists()
    {
        found.insert(0, relative.to_owned());
    }
    found.dedup();
    found.truncate(3);
    found
}

fn walk(shown: &str, place: &Path, rest: &[&str], found: &mut Vec<String>, mistakes: usize) {
    let [part, more @ ..] = rest else {
        found.push(shown.trim_end_matches('/').to_owned());
        return;
    };
    if found.len() >= 6 {
        return;
    }
    let go = |name: &str, found: &mut Vec<String>, mistakes| {
        let next = if more.is_empty() { format!("{shown}{name}") } else { format!("{shown}{name}/") };
        walk(&next, &place.join(name), more, found, mistakes);
    };
    if *part == ".." || place.join(part).symlink_metadata().is_ok() {
        return go(part, found, mistakes);
    }
    if mistakes == 0 {
        return;
    }
    let mut names: Vec<String> = std::fs::read_dir(place).into_iter().flatten().flatten().take(MAX_NAMES).filter_map(|e| e.file_name().into_string().ok()).filter(|n| more.is_empty() || place.join(n).is_dir()).collect();
    names.sort();
    let mut near = nearest(part, names.iter().map(String::as_str));
    // "notes" for notes.txt, "report.txt" for report.md.
    let stem = part.rsplit_once('.').map_or(*part, |(s, _)| s);
    for n in &names {
        if stem.len() >= 2 && n.rsplit_once('.').is_some_and(|(s, _)| s == stem) && !near.contains(n) {
            near.push(n.clone());
        }
    }
    for n in near {
        go(&n, found, mistakes - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (a, b, d) in [("gti", "git", 1), ("sl", "ls", 1), ("grpe", "grep", 1), ("", "ab", 2), ("kitten", "sitting", 3), ("same", "same", 0), ("ä", "a", 1)] {
            assert_eq!(distance(a, b, 5), Some(d), "{a} {b}");
            assert_eq!(distance(b, a, 5), Some(d), "{b} {a}");
        }
        assert_eq!(distance("abc", "xyz", 2), None);
        assert_eq!(distance("a", "abcd", 2), None);
    }

    #[test]
    fn the_nearest_name_comes_first() {
        let names = ["git", "gtf", "ls", "su", "sg", "grep", "cat", "chmod", "chown", "python3", "systemctl"];
        for (word, best) in [("gti", "git"), ("sl", "ls"), ("gerp", "grep"), ("chmdo", "chmod"), ("pyhton3", "python3"), ("systmectl", "systemctl"), ("LS", "ls"), ("caat", "cat")] {
            assert_eq!(nearest(word, names).first().map(String::as_str), Some(best), "{word}");
        }
        assert!(nearest("frobnicate", names).is_empty() && nearest("x", names).is_empty());
    }

    #[test]
    fn paths_that_exist() {
        let dir = std::env::temp_dir().join(format!("gcs-near-{}", std::process::id()));
        std::fs::create_dir_all(dir.join("Documents/old")).unwrap();
        for f in ["notes.txt", "Documents/report.md", "Documents/old/plan.txt"] {
            std::fs::write(dir.join(f), "").unwrap();
        }
        let found = |p: &str| paths(p, &dir, &dir);
        for (path, best) in [
            ("notse.txt", "notes.txt"), ("notes", "notes.txt"), ("documents/report.md", "Documents/report.md"), ("Documents/report.txt", "Documents/report.md"), ("Documnets/old/plan.txt", "Documents/old/plan.txt"), ("~/note.txt", "~/notes.txt"), ("Documents/odl/paln.txt", "Documents/old/plan.txt"), ("/notes.txt", "notes.txt"),
        ] {
            assert_eq!(found(path).first().map(String::as_str), Some(best), "{path}");
        }
        assert_eq!(paths("etc/passwd", &dir, &dir), ["/etc/passwd"]);
        assert!(found("something/else").is_empty());
        std::fs::remove_dir_all(dir).unwrap();
    }
}
