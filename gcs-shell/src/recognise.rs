//! Command line or plain English?
//!
//! A line whose first word is a command is one, unless that word is also an English verb or noun (`find`, `sort`,
//! `which`, `kill`, ...), the rest could not be its arguments, and it reads as language.

use actions::shell::{self, SyntaxError};
use intent::world::World;

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nothing to do.
    Empty,
    /// A complete command line.
    Command,
    /// A command line of which more must follow.
    Incomplete,
    /// Plain English.
    Language,
}

/// Words of bash's grammar that open a command line.
const RESERVED: &[&str] = &["if", "for", "while", "until", "case", "select", "function", "{", "}", "[[", "!", "time", "coproc", "then", "do", "done", "fi", "esac", "else", "elif"];

/// Commands that are English words as well.
const ENGLISH: &[&str] = &[
    "find", "sort", "kill", "who", "which", "what", "cat", "make", "time", "test", "watch", "head", "tail", "more", "less", "cut", "split", "join", "touch", "write", "mount", "install", "file", "help", "type",
    "date", "top", "free", "link", "look", "history", "last", "w", "users", "uptime", "open", "print", "move", "copy", "locate", "compare", "convert", "display", "start", "stop", "clear", "exit", "fold", "size", "strings", "wait",
    "jobs", "shuffle", "run", "view", "see", "for", "if", "while", "until", "select", "do", "done", "read", "set", "groups", "pack", "compress", "import", "play", "say", "change", "show", "list", "add", "remove", "delete", "host", "info", "at", "batch", "rename", "sum", "paste", "expand", "eject", "sleep", "shutdown", "reboot", "halt", "login", "logout", "reset", "mail", "yes", "let", "unlink", "service", "update", "upgrade", "command", "source", "disown", "times", "bring", "go", "clean", "extract", "search", "path", "switch", "tree", "case", "man", "alias", "ping", "hash", "trap", "return", "break", "continue", "diff", "grep", "tar", "zip", "unzip", "gzip", "download", "edit",
];

/// Small words that make a sentence; no program takes them for arguments unless files are called so.
const FUNCTION_WORDS: &[&str] = &[
    "the", "a", "an", "all", "of", "in", "to", "my", "me", "which", "are", "is", "am", "than", "with", "by", "for", "from", "that", "how", "and", "i", "this", "these", "those", "what", "it", "do", "does", "did", "on", "into", "as", "every", "each", "any", "there", "who", "was", "were", "has", "have", "where",
    "about", "containing", "named", "called", "bigger", "larger", "older", "newer", "smaller", "please", "here", "not", "long", "be", "up", "out", "over", "most", "last", "first", "using", "between", "under", "inside", "without", "only",
];

fn bare(word: &str) -> &str {
    word.trim_end_matches([',', '?', '.', '!'])
}

/// Decides what `line` is. `names` are the user's aliases and functions.
pub fn recognise(line: &str, world: &dyn World, names: &[String]) -> Kind {
    let trimmed = line.trim();
    if trimmed.is_empty() || trimmed.starts_with('#') {
        return Kind::Empty;
    }
    if trimmed.starts_with('?') && !trimmed.starts_with("?(") {
        return Kind::Language;
    }
    let syntax = match shell::parse(line) {
        Ok(_) => Kind::Command,
        Err(SyntaxError::Incomplete) => Kind::Incomplete,
        // Let bash tell what is wrong with it, unless it is a sentence.
        Err(SyntaxError::Invalid(_)) => Kind::Command,
    };
    if trimmed.contains('\n') {
        return syntax;
    }
    // "don't", "what's": a quote to the shell, an apostrophe to everybody else.
    let opening = trimmed.split_whitespace().next().unwrap_or("").to_lowercase().replace('\u{2019}', "'");
    if opening.split_once('\'').is_some_and(|(a, b)| matches!(b, "t" | "s" | "m" | "d" | "ve" | "ll" | "re") && !a.is_empty() && a.bytes().all(|c| c.is_ascii_lowercase())) {
        return Kind::Language;
    }
    let words: Vec<&str> = trimmed.split_whitespace().collect();
    let first = words[0];
    let plain_first = first.chars().all(|c| c.is_ascii_alphanumeric() || "'-?.,!\u{2019}".contains(c)) && first.chars().next().is_some_and(char::is_alphabetic);
    if !plain_first {
        // Paths, assignments, quotes, `(`, `$`, `!`: no sentence begins like that; a sum may.
        let sum = words.len() >= 3 && trimmed.chars().all(|c| c.is_ascii_digit() || " +-*/.()x^%".contains(c)) && first.starts_with(|c: char| c.is_ascii_digit());
        return if sum { Kind::Language } else { syntax };
    }
    let name = bare(first);
    let lower = name.to_lowercase();
    let exists = names.iter().any(|n| n == first) || world.has_command(first) || RESERVED.contains(&first);
    let rest = &words[1..];
    if !exists {
        if names.iter().any(|n| n == name) {
            return syntax;
        }
        // A capital letter or a question mark on a command that exists: "Find all files", "uptime?".
        if world.has_command(&lower) && rest.is_empty() {
            return Kind::Language;
        }
        if rest.is_empty() {
            // One word that is no command: bash says so, unless it is a question or a word of the language.
            let question = first.ends_with('?') || first.contains('\'');
            return if question || KNOWN_ALONE.contains(&lower.as_str()) { Kind::Language } else { Kind::Command };
        }
        // A well-known program that is not installed: bash says so.
        if first == lower && intent::request::known_program(first) && !ENGLISH.contains(&first) {
            return syntax;
        }
        // Options and shell syntax: a mistyped command, not a sentence.
        let shellish = has_shell_syntax(trimmed) || rest.iter().any(|w| w.starts_with('-') && w.len() > 1 && !w.starts_with("->"));
        let sentence = rest.iter().filter(|w| FUNCTION_WORDS.contains(&bare(&w.to_lowercase()))).count() > 0;
        if shellish && !(sentence && words.len() >= 4) {
            return syntax;
        }
        let vocabulary = intent::vocabulary::get();
        if !sentence && !intent::vocabulary::is_common(&lower) && vocabulary.correct(&lower).is_none() {
            // No word of the language, no sentence: `gti status`.
            return syntax;
        }
        return Kind::Language;
    }
    if rest.is_empty() {
        return syntax;
    }
    if !ENGLISH.contains(&lower.as_str()) || (has_shell_syntax(trimmed) && !RESERVED.contains(&first)) {
        return syntax;
    }
    if rest.iter().any(|w| w.starts_with('-') && w.len() > 1) {
        return syntax;
    }
    if reads_as_arguments(&lower, rest, world) { syntax } else { Kind::Language }
}

/// Single words that are requests, not mistyped commands.
const KNOWN_ALONE: &[&str] = &["hello", "hi", "thanks", "bye", "goodbye", "cls", "memory", "processes", "quit", "undo", "again", "maximize", "fullscreen", "overview"];

/// Characters that only a command line has. Quotes, `?`, `'` and `*` are in sentences too.
fn has_shell_syntax(line: &str) -> bool {
    line.contains(['|', '>', '<', ';', '$', '`', '{', '}', '\\']) || line.contains("&&") || line.ends_with('&') || line.contains("$(")
}

/// Whether what follows the command `name` can be its arguments.
fn reads_as_arguments(name: &str, rest: &[&str], world: &dyn World) -> bool {
    let exists = |w: &str| world.exists(w.trim_matches(['"', '\''])).is_some();
    let small = rest.iter().filter(|w| FUNCTION_WORDS.contains(&bare(&w.to_lowercase())) && !exists(w)).count();
    let first = rest[0];
    match name {
        "for" if rest.get(1) == Some(&"in") && first.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') => true,
        "for" => !rest.iter().any(|w| *w == "in") || rest.iter().any(|w| matches!(*w, "do" | "do;")) || rest.last().is_some_and(|w| w.ends_with(';')) || small <= 1,
        "if" | "while" | "until" | "case" | "select" | "do" | "done" | "function" => true,
        "find" => exists(first) || first.starts_with(['.', '/', '~']) && small == 0 || first.starts_with('(') || first == "!",
        "kill" | "disown" => rest.iter().all(|w| w.starts_with('%') || w.parse::<i64>().is_ok()),
        "wait" | "sleep" => rest.iter().all(|w| w.starts_with('%') || w.trim_end_matches(['s', 'm', 'h', 'd']).parse::<f64>().is_ok()),
        "which" | "type" | "command" | "man" | "help" | "hash" => small == 0 && rest.iter().all(|w| world.has_command(w) || !w.ends_with('?')) && (rest.len() == 1 || rest.iter().all(|w| world.has_command(w))),
        "who" | "w" | "users" | "free" | "uptime" | "top" | "date" | "jobs" | "history" | "exit" | "clear" | "last" | "groups" => {
            (name == "who" && rest == ["am", "i"]) || (name == "date" && first.starts_with('+')) || (small == 0 && rest.len() == 1 && (matches!(name, "exit" | "history" | "last" | "groups" | "users" | "jobs")))
        }
        "install" => rest.len() >= 2 && exists(first),
        "make" => small == 0 || rest.len() == 1,
        "time" | "watch" => world.has_command(first) && small < 2 && !FUNCTION_WORDS.contains(&first),
        "mount" | "umount" | "eject" | "link" | "unlink" => small == 0,
        "service" | "systemctl" => small == 0,
        "reboot" | "shutdown" | "halt" | "logout" | "login" | "reset" => small == 0 && !matches!(first, "computer" | "machine" | "system" | "now?"),
        "set" | "read" | "let" | "trap" | "alias" | "source" | "return" | "break" | "continue" | "times" => small == 0,
        "yes" => small < 2,
        "grep" => small == 0 || rest.last().is_some_and(|w| exists(w)) && small < 2,
        // Programs that work on files: sense only if what they are given exists.
        _ => small == 0 || rest.iter().all(|w| exists(w)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use intent::world::FixedWorld;

    fn world() -> FixedWorld {
        let list = |s: &str| s.split(' ').map(str::to_owned).collect();
        FixedWorld {
            files: list("notes.txt a.txt b.txt Makefile"),
            dirs: list("src . / /etc"),
            commands: list("ls find sort kill who which cat make time watch head tail more less cut split join touch mount install file date top free history last git grep df ps uptime nano sleep tar man bash rm echo printf w users wc xargs yes test tree ping ssh seq"),
            ..Default::default()
        }
    }

    #[test]
    fn command_lines_go_to_bash() {
        let w = world();
        for l in [
            "ls", "ls -la", "cd src", "find . -name '*.txt'", "find src", "sort a.txt", "kill 1234", "kill %1", "kill -9 12", "which ls", "who", "who am i", "cat a.txt b.txt", "make all", "make install", "time ls",
            "watch df", "head -n 3 a.txt", "echo hello to all the people in the room", "git commit -m 'fix all of the things'", "x=1", "FOO=bar ls", "./run.sh", "/bin/ls in the dark", "(cd src; ls)", "for i in 1 2 3; do echo $i; done",
            "if true; then ls; fi", "ls | grep the", "cat <<E", "gti status", "sl -la", "grep the a.txt", "! ls", "$cmd", "exit 3", "touch new", "foo", "date +%s", "top", "history 5", "while true; do ls; done", "printf '%s' a", "[ -f x ] && echo is a file", "free -h", "test -f notes.txt",
            "\"ls\" -l", "time", "file a.txt", "install a.txt b.txt", "sleep 5", "{ ls; }", "ll() { ls -l; }", "export A=b", "nano notes.txt", "type ls", "alias ll='ls -l'", "seq 1 10", "split a.txt", "fg", "ssh host ls the dir",
        ] {
            let k = recognise(l, &w, &[]);
            assert!(matches!(k, Kind::Command | Kind::Incomplete), "{l}: {k:?}");
        }
        assert_eq!(recognise("gs the files", &w, &["gs".into()]), Kind::Command);
    }

    #[test]
    fn sentences_are_language() {
        let w = world();
        for l in [
            "which files here are the biggest?", "find all pdf files bigger than 10 MB", "kill the process called firefox", "kill firefox", "sort the lines of a.txt", "who is logged in", "show me the files", "how much memory is free", "what time is it?", "make a folder called photos",
            "install htop", "free space on disk", "top 5 processes by memory", "last 10 lines of a.txt", "head of a.txt", "list files", "delete a.txt", "? ls", "?free memory", "Find big files", "what's my ip", "copy a.txt to b.txt", "history of my commands", "date in utc", "where am i", "time is it", "watch the log file", "file type of a.txt",
            "cat the file a.txt", "tail of the log", "which process uses the most memory", "find report.pdf", "12 * 7", "don't show hidden files", "split a.txt into 3 pieces", "users on this machine", "uptime of the system", "mount /dev/vdb1 on /mnt", "reboot the computer", "test if the file exists", "more about the file notes.txt", "help me", "touch a file called x", "undo", "again", "undo that", "delete them", "the second one", "now only the big ones", "and sorted by date", "how many are there?", "only the first 3", "which of them contain TODO?", "kill the first one", "with details", "go there",
        ] {
            assert_eq!(recognise(l, &w, &[]), Kind::Language, "{l}");
        }
    }

    #[test]
    fn open_constructs_are_incomplete() {
        let w = world();
        for l in ["for i in 1 2; do", "for i in 1 2", "for file in the list of all", "while read a", "echo 'a", "ls |", "cat <<E", "if true", "ls \\"] {
            assert_eq!(recognise(l, &w, &[]), Kind::Incomplete, "{l}");
        }
        assert_eq!(recognise("  ", &w, &[]), Kind::Empty);
        assert_eq!(recognise("# note", &w, &[]), Kind::Empty);
    }
}
