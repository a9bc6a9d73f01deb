//! What the last plan printed, as a list of things that can be spoken of.

use super::command::{Ls, Pipeline};
use crate::world::World;

/// The kept output of a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Output {
    /// What was kept, from the beginning.
    pub text: String,
    /// Nothing was left out.
    pub complete: bool,
}

/// Things in an output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Items {
    /// Files that exist.
    Files(Vec<String>),
    /// Processes: number and name.
    Processes(Vec<(u32, String)>),
}

/// Lines that are looked at.
const MAX_LINES: usize = 5000;

/// What `command` listed, by what it printed. `None` where that is no list.
pub fn items(command: &str, output: &Output, world: &dyn World) -> Option<Items> {
    let text = clean(&output.text);
    let mut lines: Vec<&str> = text.lines().map(str::trim_end).filter(|l| !l.is_empty()).take(MAX_LINES).collect();
    if !output.complete {
        // The last line may be half of one.
        lines.pop();
    }
    let heading: Vec<&str> = lines.first()?.split_whitespace().collect();
    if let Some(pid) = heading.iter().position(|w| *w == "PID") {
        let name = heading.iter().position(|w| matches!(*w, "COMMAND" | "CMD" | "COMM"));
        let all: Vec<(u32, String)> = lines[1..]
            .iter()
            .filter_map(|l| {
                let words: Vec<&str> = l.split_whitespace().collect();
                let name = name.and_then(|n| words.get(n)).copied().unwrap_or("");
                Some((words.get(pid)?.parse().ok()?, name.to_owned()))
            })
            .collect();
        return (!all.is_empty()).then_some(Items::Processes(all));
    }
    let pipeline = Pipeline::parse(command);
    let ls = pipeline.as_ref().and_then(Ls::parse);
    let files = match &ls {
        Some(ls) if !ls.letters.contains(['l', '1', 'R']) => columns(&lines).into_iter().map(|n| under(&ls.dir, &n)).filter(|n| world.exists(n).is_some()).collect(),
        _ => lines.iter().filter_map(|l| file(l, ls.as_ref(), world)).fold(Vec::new(), |mut all: Vec<String>, f| {
            // grep names a file once for each line.
            if all.last() != Some(&f) {
                all.push(f);
            }
            all
        }),
    };
    (!files.is_empty()).then_some(Items::Files(files))
}

/// Without colours and carriage returns.
fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => {
                if chars.next_if_eq(&'[').is_some() {
                    for c in chars.by_ref() {
                        if ('@'..='~').contains(&c) {
                            break;
                        }
                    }
                }
            }
            '\r' => {}
            c => out.push(c),
        }
    }
    out
}

/// Names in columns, as `ls` fills them: down, then right.
fn columns(lines: &[&str]) -> Vec<String> {
    let rows: Vec<Vec<String>> = lines.iter().map(|l| l.split("  ").map(str::trim).filter(|w| !w.is_empty()).map(unquote).collect()).collect();
    let most = rows.iter().map(Vec::len).max().unwrap_or(0);
    (0..most).flat_map(|c| rows.iter().filter_map(move |r| r.get(c).cloned())).collect()
}

/// As `ls` quotes names on a terminal.
fn unquote(name: &str) -> String {
    name.strip_prefix('\'').and_then(|n| n.strip_suffix('\'')).or_else(|| name.strip_prefix('"').and_then(|n| n.strip_suffix('"'))).unwrap_or(name).to_owned()
}

fn under(dir: &str, name: &str) -> String {
    let dir = unquote(dir);
    if dir == "." || name.starts_with('/') { name.to_owned() } else { format!("{}/{name}", dir.trim_end_matches('/')) }
}

/// The file that a line is about.
fn file(line: &str, ls: Option<&Ls>, world: &dyn World) -> Option<String> {
    let exists = |n: &str| world.exists(n).is_some();
    if let Some(ls) = ls {
        // -rw-r--r-- 1 owner group size month day time name
        let mut rest = line;
        if ls.letters.contains('l') {
            for _ in 0..8 {
                rest = rest.trim_start();
                rest = &rest[rest.find(' ')?..];
            }
            rest = rest.strip_prefix(' ').unwrap_or(rest);
            rest = rest.split(" -> ").next().unwrap_or(rest);
        }
        let name = under(&ls.dir, &unquote(rest.trim_end_matches(['/', '*'])));
        return exists(&name).then_some(name);
    }
    if exists(line) {
        return Some(line.to_owned());
    }
    // A size and a name, a date and a name, a name and what was found in it.
    let candidates = [line.rsplit_once('\t').map(|p| p.1), line.split_once("  ").map(|p| p.1.trim_start()), line.split_once(':').map(|p| p.0), line.trim_start().split_once(' ').map(|p| p.1.trim_start())];
    candidates.into_iter().flatten().find(|c| exists(c)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::FixedWorld;

    fn files(command: &str, text: &str) -> Vec<String> {
        let list = |s: &str| s.split(',').map(str::to_owned).collect();
        let world = FixedWorld { files: list("a.txt,b.txt,./a.txt,./c d.txt,docs/x.md,docs/y.md,c d.txt,z"), dirs: list("docs,./docs"), ..Default::default() };
        match items(command, &Output { text: text.into(), complete: true }, &world) {
            Some(Items::Files(f)) => f,
            _ => Vec::new(),
        }
    }

    #[test]
    fn lists_of_files_are_read() {
        assert_eq!(files("find . -type f", "./a.txt\r\n./c d.txt\r\n"), ["./a.txt", "./c d.txt"]);
        assert_eq!(files("find . -printf x", "12K\t./a.txt\n3\t./c d.txt\n"), ["./a.txt", "./c d.txt"]);
        assert_eq!(files("find . -printf x", "2024-01-02 10:11  ./a.txt\n"), ["./a.txt"]);
        assert_eq!(files("ls", "a.txt   docs\nb.txt   z\n'c d.txt'\n"), ["a.txt", "b.txt", "c d.txt", "docs", "z"]);
        assert_eq!(files("ls docs", "\u{1b}[0m\u{1b}[01mx.md\u{1b}[0m  y.md\n"), ["docs/x.md", "docs/y.md"]);
        assert_eq!(files("ls -lh docs", "total 8.0K\n-rw-r--r-- 1 root root 1.2K Jan  2 10:11 x.md\n-rw-r--r-- 1 root root    3 Jan  2  2023 y.md\n"), ["docs/x.md", "docs/y.md"]);
        assert_eq!(files("grep -rn x .", "a.txt:3:x\na.txt:9:x\nb.txt:1:x\n"), ["a.txt", "b.txt"]);
        assert!(files("df -h", "Filesystem Size\n/dev/vda 3G\n").is_empty());
        let ps = items("ps aux", &Output { text: "USER PID %CPU COMMAND\nroot 12 0.1 bash -l\nbob 99 1.0 vim\n".into(), complete: true }, &FixedWorld::default());
        assert_eq!(ps, Some(Items::Processes(vec![(12, "bash".into()), (99, "vim".into())])));
    }
}
