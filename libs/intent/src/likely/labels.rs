//! What a command is made of, as far as the wording of a request can tell: programs, options, and what they work on by its form.

use std::collections::BTreeSet;

use actions::shell;

/// Programs that start the one which their arguments name.
const STARTERS: [&str; 7] = ["xargs", "nohup", "time", "nice", "env", "command", "exec"];

/// The labels of `command`, each once. Empty where it does not parse.
pub fn labels(command: &str) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    let Ok(script) = shell::parse(command) else { return out };
    let mut before: Option<String> = None;
    for invocation in &script.invocations {
        let words: Vec<&str> = invocation.words.iter().map(|a| a.text.as_str()).collect();
        for r in &invocation.redirects {
            out.insert(format!("> {:?}", r.kind));
        }
        let Some(program) = words.first().map(|w| w.rsplit('/').next().unwrap_or(w)) else { continue };
        if let Some(b) = &before
            && invocation.piped_in
        {
            out.insert(format!("{b} | {program}"));
        }
        of(&words, &mut out, "");
        before = Some(program.to_owned());
    }
    let programs = script.invocations.len();
    out.insert(match programs {
        1 => "one".to_owned(),
        2 => "two".to_owned(),
        _ => "many".to_owned(),
    });
    out
}

fn of(words: &[&str], out: &mut BTreeSet<String>, within: &str) {
    let Some((program, arguments)) = words.split_first() else { return };
    let program = program.rsplit('/').next().unwrap_or(program);
    out.insert(program.to_owned());
    if !within.is_empty() {
        out.insert(format!("{within} {program}"));
    }
    match program {
        "find" => find(arguments, out),
        p if STARTERS.contains(&p) => {
            let at = arguments.iter().position(|a| !a.starts_with('-') && a.len() > 1 && a.starts_with(|c: char| c.is_ascii_alphabetic()));
            for option in arguments.iter().take(at.unwrap_or(arguments.len())).filter(|a| a.starts_with('-')) {
                out.insert(format!("{program} {}", option.trim_end_matches(|c: char| c.is_ascii_digit())));
            }
            if let Some(at) = at {
                of(&arguments[at..], out, program);
            }
        }
        _ => {
            for a in arguments {
                if let Some(long) = a.strip_prefix("--").filter(|l| !l.is_empty()) {
                    out.insert(format!("{program} --{}", long.split('=').next().unwrap_or(long)));
                } else if let Some(letters) = a.strip_prefix('-').filter(|l| l.starts_with(|c: char| c.is_ascii_alphabetic())) {
                    // Behind the letters may be a value: `-k2`, `-d,`.
                    for c in letters.chars().take_while(char::is_ascii_alphabetic) {
                        out.insert(format!("{program} -{c}"));
                    }
                } else if a.strip_prefix('-').is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit())) {
                    out.insert(format!("{program} -n"));
                }
            }
            let text = arguments.iter().find(|a| !a.starts_with('-')).copied().unwrap_or("");
            program_text(program, text, out);
        }
    }
}

/// What a program of sed, awk and the like does, by its form.
fn program_text(program: &str, text: &str, out: &mut BTreeSet<String>) {
    let mut add = |what: &str| {
        out.insert(format!("{program}: {what}"));
    };
    match program {
        "sed" => {
            if text.starts_with("s") && text.len() > 2 {
                add("s");
                if text.ends_with('g') {
                    add("g");
                }
            }
            if text.ends_with('d') {
                add("d");
            }
            if text.ends_with('p') {
                add("p");
            }
            if text.contains("\\n") {
                add("newline");
            }
            if text.starts_with(|c: char| c.is_ascii_digit()) {
                add("line");
            }
        }
        "awk" | "gawk" => {
            for (part, what) in [("print", "print"), ("END", "end"), ("BEGIN", "begin"), ("NR", "nr"), ("NF", "nf"), ("+=", "sum"), ("++", "count"), ("length", "length"), ("!", "not"), ("$1", "$1"), ("$2", "$2"), ("$0", "$0"), ("for", "for"), ("printf", "printf"), ("sub(", "sub")] {
                if text.contains(part) {
                    add(what);
                }
            }
        }
        "tr" => {
            if text.contains("\\n") {
                add("newline");
            }
            if text.contains("upper") || text.contains("A-Z") || text.contains("lower") || text.contains("a-z") {
                add("case");
            }
        }
        "chmod" => add(if text.starts_with(|c: char| c.is_ascii_digit()) { "digits" } else if text.contains('+') { "+" } else if text.contains('-') { "-" } else { "=" }),
        "grep" | "egrep" => {
            if text.starts_with('^') {
                add("^");
            }
            if text.ends_with('$') {
                add("$");
            }
            if text.contains(['[', '*', '|']) {
                add("pattern");
            }
        }
        _ => {}
    }
}

fn find(arguments: &[&str], out: &mut BTreeSet<String>) {
    let starts = arguments.iter().take_while(|a| !a.starts_with(['-', '(', '!'])).count();
    out.insert(match arguments.first() {
        _ if starts == 0 || matches!(arguments[0], "." | "./") => "find .".to_owned(),
        Some(&"/") => "find /".to_owned(),
        _ => "find place".to_owned(),
    });
    if starts > 1 {
        out.insert("find places".to_owned());
    }
    let sign = |v: &str| match v.chars().next() {
        Some('+') => "+",
        Some('-') => "-",
        Some('/') => "/",
        _ => "=",
    };
    let mut k = starts;
    while k < arguments.len() {
        let (word, value) = (arguments[k], arguments.get(k + 1).copied().unwrap_or(""));
        k += 1;
        match word {
            "-type" | "-maxdepth" | "-mindepth" | "-user" if value.len() < 3 => {
                out.insert(format!("find {word} {value}"));
            }
            "-mtime" | "-atime" | "-ctime" | "-mmin" | "-amin" | "-cmin" | "-perm" | "-links" => {
                out.insert(format!("find {word} {}", sign(value)));
            }
            "-size" => {
                out.insert(format!("find -size {}{}", sign(value), value.chars().last().filter(char::is_ascii_alphabetic).unwrap_or('b')));
            }
            "-name" | "-iname" | "-path" | "-regex" => {
                out.insert(format!("find {word}"));
                out.insert(format!("find {word} {}{}", if value.starts_with('*') { "*" } else { "" }, if value.ends_with('*') { "x*" } else if value.starts_with("*.") { "." } else { "" }));
            }
            "-exec" | "-execdir" | "-ok" => {
                out.insert(format!("find {word}"));
                let end = arguments[k..].iter().position(|a| matches!(*a, ";" | "+")).map_or(arguments.len(), |n| k + n);
                of(&arguments[k..end], out, "find -exec");
                k = end + 1;
            }
            "!" | "-not" => {
                out.insert("find not".to_owned());
                if let Some(next) = arguments.get(k) {
                    out.insert(format!("find not {next}"));
                }
            }
            "-o" | "-or" => {
                out.insert("find or".to_owned());
            }
            "-print" | "-a" => {}
            w if w.starts_with('-') && w.len() > 2 => {
                out.insert(format!("find {w}"));
            }
            _ => {}
        }
    }
}

#[test]
fn a_command_is_taken_apart() {
    let got = labels("find /var -type f -mtime +7 ! -name '*.c' -exec grep -li x {} + | sort -rn | head -5");
    for label in ["find", "find place", "find -type f", "find -mtime +", "find not", "find not -name", "find -exec grep", "grep -l", "grep -i", "find | sort", "sort -r", "sort -n", "head -n", "many"] {
        assert!(got.contains(label), "{label} is not in {got:?}");
    }
    assert_eq!(labels("sort a.txt"), labels("sort 'b c'"));
    assert!(labels("if then").is_empty());
}
