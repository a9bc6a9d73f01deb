//! What each part of a command line means, in words: from a table of programs and options, never made up.

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::shell::{self, Arg, RedirectKind, Script, SyntaxError};

/// One part of a command line and what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The part as written.
    pub text: String,
    /// What it means.
    pub meaning: String,
    /// How deep it lies: options lie one below their program.
    pub depth: usize,
}

struct Program {
    summary: &'static str,
    options: HashMap<&'static str, (&'static str, bool)>,
}

const TABLE: &str = include_str!("explain.txt");

/// The table: sections `name: summary`, then lines ` -x meaning`; `-x=` takes a value.
fn table() -> &'static HashMap<&'static str, Program> {
    static T: OnceLock<HashMap<&'static str, Program>> = OnceLock::new();
    T.get_or_init(|| {
        let mut out: HashMap<&'static str, Program> = HashMap::new();
        let mut names: Vec<&'static str> = Vec::new();
        for line in TABLE.lines().filter(|l| !l.starts_with('#') && !l.trim().is_empty()) {
            if let Some(option) = line.strip_prefix(' ') {
                let Some((keys, meaning)) = option.trim_start().split_once(' ') else { continue };
                // A value after one form is a value after all of them.
                let (keys, value) = keys.strip_suffix('=').map_or((keys, false), |k| (k, true));
                for n in &names {
                    for key in keys.split(',') {
                        if let Some(p) = out.get_mut(n) {
                            p.options.insert(key, (meaning.trim(), value));
                        }
                    }
                }
            } else if let Some((keys, summary)) = line.split_once(": ") {
                names = keys.split(',').collect();
                for n in &names {
                    out.insert(n, Program { summary: summary.trim(), options: HashMap::new() });
                }
            }
        }
        out
    })
}

/// What a program does, in one line, if it is known here.
pub fn summary(program: &str) -> Option<&'static str> {
    table().get(program).map(|p| p.summary)
}

/// Explains the parts of `line`.
pub fn explain(line: &str) -> Result<Vec<Part>, SyntaxError> {
    let script = shell::parse(line)?;
    let mut out = Vec::new();
    all(&script, &mut out);
    Ok(out)
}

fn all(script: &Script, out: &mut Vec<Part>) {
    for i in &script.invocations {
        if i.piped_in {
            out.push(Part { text: "|".into(), meaning: "gives the output of what stands before to:".into(), depth: 0 });
        }
        if !i.words.is_empty() {
            command(&i.words, 0, out);
        }
        for name in &i.assigns {
            out.push(Part { text: format!("{name}=..."), meaning: format!("sets the variable {name}"), depth: usize::from(!i.words.is_empty()) });
        }
        for r in &i.redirects {
            let (sign, words) = match r.kind {
                RedirectKind::Read => ("<", "reads its input from"),
                RedirectKind::Write => (">", "writes the output, replacing what is there, to"),
                RedirectKind::Append => (">>", "adds the output to the end of"),
                RedirectKind::ReadWrite => ("<>", "opens for reading and writing"),
            };
            let words = if r.target.text == "/dev/null" { "throws this output away:" } else { words };
            out.push(Part { text: format!("{sign} {}", r.target.raw), meaning: format!("{words} {}", r.target.raw), depth: 1 });
        }
    }
}

/// Programs whose first operand is another command line's start.
const WRAPPERS: &[&str] = &["sudo", "nohup", "time", "nice", "env", "xargs", "exec", "command", "watch", "timeout"];

fn command(words: &[Arg], depth: usize, out: &mut Vec<Part>) {
    let name = words[0].text.as_str();
    let base = name.rsplit('/').next().unwrap_or(name);
    let program = table().get(base);
    out.push(Part { text: words[0].raw.clone(), meaning: program.map_or_else(|| "a program that is not described here; try its --help".into(), |p| p.summary.into()), depth });
    let mut i = 1;
    let mut operands_only = false;
    while i < words.len() {
        let w = &words[i];
        let t = w.text.as_str();
        let push = |out: &mut Vec<Part>, text: &str, meaning: &str| out.push(Part { text: text.to_owned(), meaning: meaning.to_owned(), depth: depth + 1 });
        if !operands_only && t == "--" {
            operands_only = true;
            push(out, "--", "ends the options: what follows are names, even if they begin with -");
        } else if !operands_only && matches!(base, "find") && matches!(t, "-exec" | "-execdir" | "-ok") {
            push(out, t, "runs a command on what is found ({} stands for the name; + gives many names at once, \\; one):");
            let end = words[i + 1..].iter().position(|w| matches!(w.text.as_str(), ";" | "+")).map_or(words.len(), |n| i + 1 + n);
            if end > i + 1 {
                command(&words[i + 1..end], depth + 2, out);
            }
            i = end;
        } else if !operands_only && t.starts_with('-') && t.len() > 1 {
            i += option(program, words, i, depth + 1, out);
        } else if WRAPPERS.contains(&base) && !(base == "timeout" && i == 1) && !t.contains('=') {
            command(&words[i..], depth + 1, out);
            return;
        } else {
            let meaning = if base == "find" {
                match t {
                    "!" => "not:",
                    "(" | ")" => "groups tests",
                    _ => "where to search",
                }
            } else if base == "tar" && i == 1 && t.chars().all(|c| c.is_ascii_alphabetic()) && t.len() < 7 {
                for c in t.chars() {
                    letter(program, c, depth + 1, out);
                }
                i += 1;
                continue;
            } else if w.glob {
                "every name that matches"
            } else if matches!(base, "sed" | "awk" | "gawk" | "grep") && first_operand(words) == Some(i) {
                match base {
                    "grep" => "what to look for",
                    _ => "its script",
                }
            } else if base == "chmod" && first_operand(words) == Some(i) {
                "the permissions to set"
            } else if base == "kill" {
                "the process"
            } else if matches!(base, "echo" | "printf") {
                "the text"
            } else if w.dynamic {
                "a value known when it runs"
            } else {
                "what it works on"
            };
            push(out, &w.raw, meaning);
        }
        i += 1;
    }
}

fn first_operand(words: &[Arg]) -> Option<usize> {
    // Where the pattern came by an option, there is none.
    if words.iter().any(|w| matches!(w.text.as_str(), "-e" | "-f") || (w.text.starts_with('-') && !w.text.starts_with("--") && w.text.ends_with('e'))) {
        return None;
    }
    (1..words.len()).find(|&i| !words[i].text.starts_with('-'))
}

fn letter(program: Option<&Program>, c: char, depth: usize, out: &mut Vec<Part>) {
    let key = format!("-{c}");
    let meaning = program.and_then(|p| p.options.get(key.as_str())).map_or("an option that is not described here", |o| o.0);
    out.push(Part { text: key, meaning: meaning.into(), depth });
}

/// Explains the option at `i`; gives how many further words it took.
fn option(program: Option<&Program>, words: &[Arg], i: usize, depth: usize, out: &mut Vec<Part>) -> usize {
    let t = words[i].text.as_str();
    let (key, inline) = match t.split_once('=') {
        Some((k, v)) if t.starts_with("--") => (k, Some(v)),
        _ => (t, None),
    };
    let known = |k: &str| program.and_then(|p| p.options.get(k)).copied();
    if let Some((meaning, value)) = known(key) {
        let next = words.get(i + 1).filter(|_| value && inline.is_none());
        let text = match (inline, next) {
            (_, Some(n)) => format!("{key} {}", n.raw),
            _ => words[i].raw.clone(),
        };
        out.push(Part { text, meaning: meaning.into(), depth });
        return usize::from(next.is_some());
    }
    if !t.starts_with("--") && t.len() > 2 {
        // A cluster of letters, of which one may take the rest, or the next word, as its value.
        let letters: Vec<char> = t[1..].chars().collect();
        for (n, c) in letters.iter().enumerate() {
            let k = format!("-{c}");
            match known(&k) {
                Some((meaning, true)) => {
                    let rest: String = letters[n + 1..].iter().collect();
                    let next = words.get(i + 1).filter(|_| rest.is_empty());
                    let text = next.map_or_else(|| format!("{k}{rest}"), |w| format!("{k} {}", w.raw));
                    out.push(Part { text, meaning: meaning.into(), depth });
                    return usize::from(next.is_some());
                }
                Some((meaning, false)) => out.push(Part { text: k, meaning: meaning.into(), depth }),
                None => {
                    out.push(Part { text: k, meaning: "an option that is not described here".into(), depth });
                }
            }
        }
        return 0;
    }
    out.push(Part { text: words[i].raw.clone(), meaning: "an option that is not described here".into(), depth });
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meanings(line: &str) -> Vec<String> {
        explain(line).unwrap().into_iter().map(|p| format!("{}: {}", p.text, p.meaning)).collect()
    }

    #[test]
    fn clusters_values_and_pipes() {
        let m = meanings("tar -xzf a.tgz -C /tmp | sort -rn");
        assert!(m[0].starts_with("tar: "));
        assert!(m.iter().any(|l| l.starts_with("-x: unpacks")), "{m:?}");
        assert!(m.iter().any(|l| l.starts_with("-f a.tgz: ")), "{m:?}");
        assert!(m.iter().any(|l| l.starts_with("-C /tmp: ")), "{m:?}");
        assert!(m.iter().any(|l| l.starts_with("|: ")), "{m:?}");
        assert!(!m.iter().any(|l| l.contains("not described")), "{m:?}");
    }

    #[test]
    fn inner_commands_are_explained() {
        let m = meanings("sudo find . -name '*.c' -exec rm -f {} \\; > out.txt");
        for part in ["sudo: ", "find: ", "-name '*.c': ", "rm: ", "-f: ", "> out.txt: "] {
            assert!(m.iter().any(|l| l.starts_with(part)), "{part}: {m:?}");
        }
    }

    #[test]
    fn no_syntax_no_explanation() {
        assert_eq!(explain("echo 'x").unwrap_err(), SyntaxError::Incomplete);
    }
}
