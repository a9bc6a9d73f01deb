//! "Notes.txt in docs" is docs/notes.txt: a name that is not here, and is in the directory that is said with it.

use crate::world::{Exists, World};

const IN: &[&str] = &["in", "from", "inside", "within", "under"];
const FOLDER: &[&str] = &["folder", "directory", "dir", "subdirectory", "subfolder"];

/// What seeks a name in a tree, or asks where it is.
const SEEKS: &[&str] = &["find", "search", "locate", "where", "look", "which", "is", "grep"];
/// Whose "in" may say where to.
const BRINGS: &[&str] = &["copy", "move", "put", "cp", "mv", "link", "save", "store", "place", "create", "make", "unpack", "extract"];

/// A word without the punctuation around it.
fn bare(word: &str) -> &str {
    word.trim_end_matches([',', '.', '?', '!', ';', ':', '"', '\'']).trim_start_matches(['"', '\''])
}

fn name(word: &str) -> bool {
    word.len() > 1 && !word.contains('/') && word.chars().all(|c| c.is_alphanumeric() || "._-+@".contains(c)) && word.bytes().any(|b| b.is_ascii_alphanumeric())
}

/// The directory at `i`, past articles and the word for it, and the word behind it.
fn dir(words: &[&str], mut i: usize, world: &dyn World) -> Option<(String, usize)> {
    while words.get(i).is_some_and(|w| matches!(*w, "the" | "my" | "called" | "named") || FOLDER.contains(w)) {
        i += 1;
    }
    let d = bare(words.get(i)?).trim_end_matches('/');
    if d.is_empty() || matches!(d, "." | "..") || world.exists(d) != Some(Exists::Dir) {
        return None;
    }
    let followed = words.get(i + 1).is_some_and(|w| FOLDER.contains(&bare(w)));
    Some((d.to_owned(), i + 1 + usize::from(followed)))
}

/// The request with paths for such names; `None` where there are none.
pub(crate) fn located(text: &str, world: &dyn World) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let first = words.first()?.to_lowercase();
    if SEEKS.contains(&first.as_str()) || words.len() > 40 {
        return None;
    }
    let elsewhere = |d: &str, w: &str| name(w) && world.exists(w).is_none() && world.exists(&format!("{d}/{w}")).is_some() && (w.contains('.') || !crate::vocabulary::is_common(&w.to_lowercase()));
    // "In docs, rename a.txt to b.txt".
    if IN.contains(&first.as_str())
        && let Some((d, next)) = dir(&words, 1, world)
        && words[next - 1].ends_with(',')
    {
        let mut any = false;
        let rest: Vec<String> = words[next..].iter().map(|w| {
            let b = bare(w);
            let hit = elsewhere(&d, b);
            any |= hit;
            if hit { w.replacen(b, &format!("{d}/{b}"), 1) } else { (*w).to_owned() }
        }).collect();
        if any {
            return Some(rest.join(" "));
        }
        // "In tools, which files ...": the place comes last, where no other is said.
        let placed = rest.iter().any(|w| IN.contains(&w.as_str()) || matches!(w.as_str(), "below" | "to" | "into" | "of"));
        return (!placed && rest.len() > 1).then(|| format!("{} in {d}", rest.join(" ").trim_end_matches(['.', '?', '!'])));
    }
    let mut out: Vec<String> = Vec::new();
    let (mut i, mut any) = (0, false);
    while i < words.len() {
        let b = bare(words[i]);
        let place = words.get(i + 1).filter(|w| IN.contains(w) && words[i].ends_with(b)).and_then(|_| dir(&words, i + 2, world));
        if let Some((d, next)) = place.filter(|(d, _)| elsewhere(d, b)) {
            let more = words[next..].iter().any(|w| matches!(*w, "to" | "into" | "as"));
            if !BRINGS.contains(&first.as_str()) || words[i + 1] == "from" || more {
                // "A.txt, b.txt and c.txt from docs": those before it lie there as well.
                for earlier in out.iter_mut().rev() {
                    let name = bare(earlier).to_owned();
                    if elsewhere(&d, &name) {
                        *earlier = earlier.replacen(&name, &format!("{d}/{name}"), 1);
                    } else if earlier != "and" {
                        break;
                    }
                }
                let path = words[i].replacen(b, &format!("{d}/{b}"), 1);
                let end = &words[next - 1][bare(words[next - 1]).len().min(words[next - 1].len())..];
                out.push(format!("{path}{}", if words[next - 1].starts_with(bare(words[next - 1])) { end } else { "" }));
                i = next;
                any = true;
                continue;
            }
        }
        out.push(words[i].to_owned());
        i += 1;
    }
    any.then(|| out.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::FixedWorld;

    #[test]
    fn names_are_found_where_they_are_said_to_be() {
        let world = FixedWorld { files: vec!["docs/a.txt".into(), "docs/c.txt".into(), "b.txt".into(), "docs/b.txt".into()], dirs: vec!["docs".into(), "backup".into()], ..FixedWorld::default() };
        for (text, expected) in [
            ("rename a.txt in the docs folder to c.txt", Some("rename docs/a.txt to c.txt")), ("In docs, rename a.txt to d.txt", Some("rename docs/a.txt to d.txt")), ("count the words of a.txt in docs.", Some("count the words of docs/a.txt.")),
            ("move a.txt from docs to backup", Some("move docs/a.txt to backup")), ("copy c.txt, and a.txt from docs to backup", Some("copy docs/c.txt, and docs/a.txt to backup")), ("copy a.txt in docs", None), ("show b.txt in docs", None), ("find a.txt in docs", None), ("delete z.txt in docs", None),
        ] {
            assert_eq!(located(text, &world).as_deref(), expected, "{text}");
        }
    }
}
