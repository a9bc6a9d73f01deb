//! Help, and the shell itself.

use actions::quote::quote;

use super::{Intent, Outcome, Unfilled, built};
use crate::entity::Kind;
use crate::request::Request;
use crate::world::BUILTINS;

pub(super) const INTENTS: &[Intent] = &[
    Intent { id: "help.command", about: "how to use a command", example: "how do I use tar", build: command_help },
    Intent { id: "help.explain", about: "what a command line does", example: "what does \"tar -xzf a.tgz\" do", build: explain },
    Intent { id: "help.intents", about: "what can be asked for", example: "what can you do?", build: intents },
    Intent { id: "help.which", about: "where a program is", example: "where is the python3 program", build: which },
    Intent { id: "help.commands", about: "which commands there are", example: "list all available commands", build: commands },
    Intent { id: "shell.history", about: "commands run before", example: "show my command history", build: history },
    Intent { id: "shell.history_search", about: "a command run before", example: "which commands with grep did I run", build: history_search },
    Intent { id: "shell.aliases", about: "aliases", example: "show my aliases", build: aliases },
    Intent { id: "shell.make_alias", about: "make an alias", example: "make an alias ll for \"ls -la\"", build: make_alias },
    Intent { id: "shell.clear", about: "clear the screen", example: "clear the screen", build: clear },
    Intent { id: "shell.exit", about: "leave the shell", example: "log me out", build: exit },
    Intent { id: "shell.watch", about: "run a command again and again", example: "run \"df -h\" every 5 seconds", build: watch },
    Intent { id: "shell.time", about: "how long a command takes", example: "how long does \"ls -R /\" take", build: time },
    Intent { id: "shell.run", about: "run a program", example: "run the program top", build: run },
    Intent { id: "shell.echo", about: "print a text", example: "print \"hello world\"", build: echo },
];

fn command_help(r: &Request<'_>) -> Outcome {
    let c = r.command().ok_or(Unfilled::Missing("Which command?"))?;
    let first = c.split_whitespace().next().unwrap_or(&c).to_owned();
    if BUILTINS.contains(&first.as_str()) && !matches!(first.as_str(), "echo" | "kill" | "test" | "printf" | "pwd" | "true" | "false") {
        return built(format!("help {}", quote(&first)), format!("Shows how to use {first}, a command of the shell itself."));
    }
    if r.world.has_command("man") && !matches!(first.as_str(), "gcs" | "gpm" | "gci") {
        return built(format!("man {}", quote(&first)), format!("Opens the manual of {first}; q leaves."));
    }
    built(format!("{} --help | less", quote(&first)), format!("Shows the help of {first}; q leaves."))
}

fn explain(r: &Request<'_>) -> Outcome {
    if let Some(q) = r.quoted() {
        return built(format!("gcs explain {}", always(&q)), "Explains each part of that command.");
    }
    // The words of the command itself: from a program's name to the end, without the question's last verb.
    let start = (0..r.tokens.len()).find(|&i| {
        let t = &r.tokens[i];
        (crate::request::known_program(&t.norm) || t.raw.starts_with("./")) && (i + 1 >= r.tokens.len() || i > 0)
    });
    if let Some(mut s) = start {
        // "explain the command find . -name x": a later program name may be its argument; the first after a cue is meant.
        if let Some(c) = r.position(&["does", "command", "explain", "is"])
            && c + 1 < r.tokens.len()
            && c >= s
            && let Some(k) = (c + 1..r.tokens.len()).find(|&i| crate::request::known_program(&r.tokens[i].norm))
        {
            s = k;
        }
        let mut end = r.tokens.len();
        while end > s + 1 && matches!(r.tokens[end - 1].norm.as_str(), "do" | "mean" | "does" | "means" | "command" | "exactly" | "for" | "work" | "works" | "actually" | "used" | "use") {
            end -= 1;
        }
        r.mark(s, end);
        for e in &r.entities {
            if e.start >= s {
                r.mark(e.start, e.end);
            }
        }
        let line: Vec<String> = r.tokens[s..end].iter().map(|t| if t.quoted { always(&t.raw) } else { t.raw.clone() }).collect();
        let line = line.join(" ");
        // One program without arguments still is a command line.
        return built(format!("gcs explain {}", always(&line)), "Explains each part of that command.");
    }
    let c = r.command().ok_or(Unfilled::Missing("Which command? Put it in quotes."))?;
    built(format!("gcs explain {}", always(&c)), format!("Explains {c}."))
}

fn always(s: &str) -> String {
    let q = quote(s);
    if q.starts_with('\'') { q } else { format!("'{q}'") }
}

fn intents(_: &Request<'_>) -> Outcome {
    built("gcs intents", "Lists what you can ask for, with an example of each.")
}

fn which(r: &Request<'_>) -> Outcome {
    let c = r.command().ok_or(Unfilled::Missing("Which program?"))?;
    built(format!("type -a {}", quote(&c)), format!("Says what {c} is and where it lies."))
}

fn commands(_: &Request<'_>) -> Outcome {
    built("compgen -c | sort -u | less", "Lists every command that can be run; q leaves.")
}

fn history(r: &Request<'_>) -> Outcome {
    match r.num() {
        Some(n) => built(format!("history {n}"), format!("Lists the last {n} commands.")),
        None => built("history", "Lists the commands run before."),
    }
}

fn history_search(r: &Request<'_>) -> Outcome {
    // "history" itself is a command too.
    if let Some(i) = r.position(&["history"]) {
        r.mark(i, i + 1);
    }
    let p = r.quoted().or_else(|| r.command()).or_else(|| r.pattern()).ok_or(Unfilled::Missing("Which command?"))?;
    built(format!("history | grep -e {}", quote(&p)), format!("Lists the commands run before that have {p}."))
}

fn aliases(_: &Request<'_>) -> Outcome {
    built("alias", "Lists the aliases.")
}

fn make_alias(r: &Request<'_>) -> Outcome {
    let body = r.quoted().or_else(|| r.rest_after(&["for", "to", "as", "="])).ok_or(Unfilled::Missing("An alias for what? Put the command in quotes."))?;
    let name = r.name(&["alias", "called", "named"]).or_else(|| {
        let i = r.position(&["alias"])?;
        let k = (i + 1..r.tokens.len()).find(|&k| !matches!(r.tokens[k].norm.as_str(), "called" | "named" | "a" | "the"))?;
        r.mark(k, k + 1);
        Some(r.tokens[k].raw.clone())
    }).ok_or(Unfilled::Missing("What should the alias be called?"))?;
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c)) {
        return Err(Unfilled::Missing("What should the alias be called?"));
    }
    built(format!("alias {name}={}", always(&body)), format!("From now on {name} means {body}, in this session."))
}

fn clear(r: &Request<'_>) -> Outcome {
    if r.world.has_command("clear") {
        return built("clear", "Clears the screen.");
    }
    built("printf '\\033[H\\033[2J'", "Clears the screen.")
}

fn exit(_: &Request<'_>) -> Outcome {
    built("exit", "Leaves the shell.")
}

fn watch(r: &Request<'_>) -> Outcome {
    let unit = if r.has(&["minute", "minutes"]) { 60 } else if r.has(&["hour", "hours"]) { 3600 } else { 1 };
    let n = r.num().unwrap_or(if unit > 1 || r.has(&["second"]) { 1 } else { 2 }).clamp(1, 86_400) * unit;
    let c = r.quoted().or_else(|| r.command()).ok_or(Unfilled::Missing("Which command? Put it in quotes."))?;
    built(format!("watch -n {n} {}", always(&c)), format!("Runs {c} every {n} seconds; Ctrl-C ends it."))
}

fn time(r: &Request<'_>) -> Outcome {
    let c = r.quoted().or_else(|| r.command()).ok_or(Unfilled::Missing("Which command? Put it in quotes."))?;
    if actions::shell::parse(&c).is_err() {
        return Err(Unfilled::Missing("That is no complete command."));
    }
    built(format!("time {c}"), format!("Runs {c} and shows how long it took."))
}

fn run(r: &Request<'_>) -> Outcome {
    if let Some(q) = r.quoted() {
        if actions::shell::parse(&q).is_err() {
            return Err(Unfilled::Missing("That is no complete command."));
        }
        return built(q.clone(), format!("Runs {q}."));
    }
    if let Some(p) = r.take(|k| if let Kind::Path(p) = k { Some(p.clone()) } else { None }) {
        let p = if p.contains('/') { p } else { format!("./{p}") };
        if p.ends_with(".py") {
            return built(format!("python3 {}", actions::quote::quote_path(&p)), format!("Runs the program {p}."));
        }
        return built(actions::quote::quote_path(&p), format!("Runs the program {p}."));
    }
    let c = r.command().ok_or(Unfilled::Missing("Which program?"))?;
    built(quote(&c), format!("Runs {c}."))
}

fn echo(r: &Request<'_>) -> Outcome {
    let t = r.quoted().ok_or(Unfilled::Missing("Which text? Put it in quotes."))?;
    built(format!("echo {}", always(&t)), "Prints that text.")
}
