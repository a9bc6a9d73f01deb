//! Programs that run other programs: what counts is what they run.

use super::{Arg, Risk, RiskContext, classify_nested, command, write_target};

/// The risk of a command that starts another one; `None` when `name` is no such program.
pub(super) fn inner(name: &str, args: &[Arg], piped_in: bool, ctx: &RiskContext, depth: usize) -> Option<Risk> {
    let run = |from: usize| command(&args[from..], piped_in, ctx, depth + 1);
    // Options with a separate value, by wrapper.
    let with_value: &[&str] = match name {
        "sudo" => &["-u", "-g", "-C", "-h", "-p", "-r", "-t", "-U", "-D", "-R", "-T", "--user", "--group", "--chdir"],
        "doas" => &["-u", "-C"],
        "nice" => &["-n", "--adjustment"],
        "ionice" => &["-c", "-n", "-p"],
        "timeout" => &["-s", "-k", "--signal", "--kill-after"],
        "stdbuf" => &["-i", "-o", "-e"],
        "env" => &["-u", "-C", "--unset", "--chdir"],
        "time" => &["-o", "-f"],
        "watch" => &["-n", "--interval"],
        "exec" => &["-a"],
        "chrt" | "taskset" | "setarch" | "flock" | "chroot" | "unshare" | "nsenter" | "setpriv" | "runuser" => &[],
        _ => &[],
    };
    Some(match name {
        "command" | "builtin" | "exec" | "nohup" | "setsid" | "time" | "nice" | "ionice" | "stdbuf" | "coproc" => {
            if name == "command" && args.iter().any(|a| matches!(a.literal(), Some("-v" | "-V"))) {
                return Some(Risk::Safe);
            }
            let at = operand(args, with_value)?;
            match at {
                At::Unsure => Risk::Dangerous,
                At::End => Risk::Safe,
                At::Index(i) => run(i),
            }
        }
        "sudo" | "doas" => {
            let r = match operand(args, with_value)? {
                At::Unsure => Risk::Dangerous,
                // `sudo -i`, `sudo -s`: a root shell.
                At::End => Risk::Confirm,
                At::Index(i) => run(skip_assignments(args, i)),
            };
            r.max(Risk::Confirm)
        }
        "env" => match operand(args, with_value)? {
            At::Unsure => Risk::Dangerous,
            At::End => Risk::Safe,
            At::Index(_) if args.iter().any(|a| a.text.starts_with("-S") || a.text.starts_with("--split-string")) => Risk::Dangerous,
            At::Index(i) => {
                let j = skip_assignments(args, i);
                let special = args[i..j]
                    .iter()
                    .filter_map(|a| a.text.split('=').next())
                    .map(super::assignment)
                    .max()
                    .unwrap_or(Risk::Safe);
                if j < args.len() { special.max(run(j)) } else { special }
            }
        },
        "timeout" => match operand(args, with_value)? {
            At::Unsure => Risk::Dangerous,
            At::End => Risk::Safe,
            // The first operand is the duration.
            At::Index(i) if i + 1 < args.len() => run(i + 1),
            At::Index(_) => Risk::Safe,
        },
        "chrt" | "taskset" | "setarch" | "flock" | "chroot" | "unshare" | "nsenter" | "setpriv" | "runuser" | "parallel" => {
            Risk::Dangerous
        }
        "watch" => match operand(args, with_value)? {
            At::Unsure => Risk::Dangerous,
            At::End => Risk::Safe,
            // It gives its operands, joined, to `sh -c`.
            At::Index(i) => joined(&args[i..], ctx, depth),
        },
        "eval" => joined(args, ctx, depth),
        "trap" => match args.iter().find(|a| !a.text.starts_with('-')).map(Arg::literal) {
            Some(Some(code)) if args.len() > 1 => classify_nested(code, ctx, depth + 1),
            Some(None) => Risk::Dangerous,
            _ => Risk::Safe,
        },
        "alias" => args
            .iter()
            .map(|a| match (a.literal(), a.text.split_once('=')) {
                (Some(_), Some((_, code))) => classify_nested(code, ctx, depth + 1).max(Risk::Confirm),
                (Some(_), None) => Risk::Safe,
                (None, _) => Risk::Dangerous,
            })
            .max()
            .unwrap_or(Risk::Safe),
        "bash" | "sh" | "dash" | "zsh" | "ksh" | "gcs" | "su" | "script" => shell(name, args, piped_in, ctx, depth),
        "xargs" => xargs(args, ctx, depth),
        "find" => find(args, ctx, depth),
        "python" | "python3" | "perl" | "ruby" | "node" | "lua" | "php" | "tclsh" => {
            if args.iter().any(|a| matches!(a.literal(), Some("-V" | "--version" | "-v" | "-h" | "--help"))) {
                Risk::Safe
            } else if args.is_empty() && !piped_in {
                Risk::Confirm
            } else {
                // A program in another language: nobody here has read it.
                Risk::Dangerous
            }
        }
        _ => return None,
    })
}

enum At {
    Index(usize),
    End,
    /// An argument that is only known at run time stands before it.
    Unsure,
}

/// Where the first operand stands. Always `Some`; an `Option` so that `?` reads well above.
fn operand(args: &[Arg], with_value: &[&str]) -> Option<At> {
    let mut i = 0;
    while i < args.len() {
        let Some(t) = args[i].literal() else { return Some(if args[i].open_start { At::Unsure } else { At::Index(i) }) };
        if t == "--" {
            return Some(if i + 1 < args.len() { At::Index(i + 1) } else { At::End });
        }
        if t.len() < 2 || !t.starts_with('-') {
            return Some(At::Index(i));
        }
        i += if with_value.contains(&t) { 2 } else { 1 };
    }
    Some(At::End)
}

fn skip_assignments(args: &[Arg], mut i: usize) -> usize {
    while i < args.len() && args[i].text.split_once('=').is_some_and(|(n, _)| !n.is_empty() && !n.contains('/')) {
        i += 1;
    }
    i
}

fn joined(args: &[Arg], ctx: &RiskContext, depth: usize) -> Risk {
    let mut code = String::new();
    for a in args {
        let Some(t) = a.literal() else { return Risk::Dangerous };
        code.push_str(t);
        code.push(' ');
    }
    classify_nested(&code, ctx, depth + 1)
}

fn shell(name: &str, args: &[Arg], piped_in: bool, ctx: &RiskContext, depth: usize) -> Risk {
    if name == "gcs" {
        // Its own subcommands that only print.
        match args.first().and_then(Arg::literal) {
            Some("ask") if !args.iter().any(|a| a.literal().is_none() || a.text == "--run") => return Risk::Safe,
            Some("explain" | "intents" | "diagnose" | "repair" | "learn" | "--help" | "-h" | "--version" | "-V") => return Risk::Safe,
            Some("ask") => return Risk::Dangerous,
            _ => {}
        }
    }
    let mut i = 0;
    while i < args.len() {
        let Some(t) = args[i].literal() else { return Risk::Dangerous };
        let code_option = t == "-c" || (t.starts_with('-') && !t.starts_with("--") && t.ends_with('c')) || t == "--command";
        if code_option {
            return match args.get(i + 1).map(Arg::literal) {
                Some(Some(code)) => {
                    let r = classify_nested(code, ctx, depth + 1);
                    if name == "su" { r.max(Risk::Confirm) } else { r }
                }
                _ => Risk::Dangerous,
            };
        }
        if matches!(t, "--version" | "--help") {
            return Risk::Safe;
        }
        if written_by_a_command(&args[i]) {
            return Risk::Dangerous;
        }
        if name != "su" && !t.starts_with('-') && !t.starts_with('+') {
            // A script file: its author decided what it does.
            return Risk::Confirm;
        }
        i += 1;
    }
    if name == "script" {
        return Risk::Confirm;
    }
    // No code given: interactive, or whatever comes down the pipe.
    if piped_in { Risk::Dangerous } else { Risk::Confirm }
}

/// A file that is what another command prints, or the standard input: code that nobody has seen.
pub(super) fn written_by_a_command(arg: &Arg) -> bool {
    ["/dev/fd/", "/proc/self/fd/"].iter().any(|d| arg.text.starts_with(d)) || arg.text == "/dev/stdin"
}

fn xargs(args: &[Arg], ctx: &RiskContext, depth: usize) -> Risk {
    let with_value = ["-I", "-n", "-P", "-L", "-d", "-a", "-s", "-E", "--max-args", "--max-procs", "--delimiter", "--replace"];
    match operand(args, &with_value) {
        Some(At::Index(i)) => {
            // `-I{}`: the input is put inside the words, e.g. into code for a shell.
            let replaced = args[..i]
                .windows(2)
                .find_map(|w| (w[0].text == "-I").then(|| w[1].text.clone()))
                .or_else(|| args[..i].iter().find_map(|a| a.text.strip_prefix("-I").filter(|r| !r.is_empty()).map(str::to_owned)))
                .unwrap_or_else(|| "{}".into());
            let mut words: Vec<Arg> = args[i..]
                .iter()
                .map(|a| if a.text.contains(&replaced) { Arg { dynamic: true, open_start: a.text.starts_with(&replaced), ..a.clone() } } else { a.clone() })
                .collect();
            // What it appends comes from its input.
            words.push(unknown_words());
            command(&words, true, ctx, depth + 1)
        }
        Some(At::Unsure) => Risk::Dangerous,
        _ => Risk::Safe,
    }
}

/// Stands for file names that are only known at run time. They name existing files, but may begin with `-`.
fn unknown_words() -> Arg {
    Arg { raw: "{}".into(), text: "\u{fffd}".into(), dynamic: true, open_start: true, glob: true }
}

fn find(args: &[Arg], ctx: &RiskContext, depth: usize) -> Risk {
    let mut risk = Risk::Safe;
    let mut i = 0;
    while i < args.len() {
        let a = &args[i];
        match a.literal() {
            None if a.open_start && !follows_value(args, i) => risk = Risk::Dangerous,
            Some("-delete") => risk = Risk::Dangerous,
            Some("-exec" | "-execdir" | "-ok" | "-okdir") => {
                let end = args[i + 1..]
                    .iter()
                    .position(|a| matches!(a.text.as_str(), ";" | "+"))
                    .map_or(args.len(), |n| i + 1 + n);
                let words: Vec<Arg> = args[i + 1..end]
                    .iter()
                    .map(|a| match a.text.as_str() {
                        // find's names begin with the start path, never with `-` unless that does.
                        "{}" => Arg { open_start: false, ..unknown_words() },
                        t if t.contains("{}") => Arg { dynamic: true, ..a.clone() },
                        _ => a.clone(),
                    })
                    .collect();
                risk = risk.max(command(&words, false, ctx, depth + 1));
                i = end;
            }
            Some("-fprint" | "-fprint0" | "-fls" | "-fprintf") => match args.get(i + 1) {
                Some(target) => risk = risk.max(write_target(target, false, ctx)),
                None => risk = Risk::Dangerous,
            },
            _ => {}
        }
        i += 1;
    }
    risk
}

/// Whether the word at `i` is the value of the test before it, so that no expansion makes it an action.
fn follows_value(args: &[Arg], i: usize) -> bool {
    // A glob may become several words, of which only the first is the value.
    !args[i].glob
        && i > 0
        && matches!(
            args[i - 1].text.as_str(),
            "-name" | "-iname" | "-path" | "-ipath" | "-user" | "-group" | "-size" | "-mtime" | "-mmin" | "-newer" | "-newermt" | "-regex" | "-perm"
        )
        && args[i].raw.starts_with('"')
}
