//! Which known pairs are asked: those whose command does what its request says, as far as that can be told without running it.

use actions::shell;
use intent::recall::index;

/// A request and the command that is right for it.
#[derive(Clone)]
pub struct Pair {
    pub request: &'static str,
    pub command: &'static str,
    /// Of the command, so that all requests for it are on one side.
    pub hash: u64,
}

/// How many parts there are of which retrieval does not know one at a time.
pub const FOLDS: u64 = 12;

impl Pair {
    /// Looked at while the rules are mended; the others are not.
    pub fn open(&self) -> bool {
        self.hash % 2 == 0
    }

    /// The part of the pairs that retrieval must not know.
    pub fn fold(&self) -> u64 {
        (self.hash >> 8) % FOLDS
    }
}

/// The hash of a command, whatever its blanks and quotes.
pub fn hash(command: &str) -> u64 {
    let mut h = 0xcbf2_9ce4_8422_2325_u64;
    for b in command.bytes().filter(|b| !b.is_ascii_whitespace() && !matches!(b, b'"' | b'\'' | b'\\')) {
        h = (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3);
    }
    h ^= h >> 32;
    h.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 7
}

/// What does not end, needs a person, a network or another machine, or is different each time.
const UNFIT: &[&str] = &[
    "ssh", "scp", "rsync", "curl", "wget", "ping", "ifconfig", "ip", "dig", "host", "nslookup", "screen", "tmux", "top", "watch", "kill", "killall", "pkill", "mount", "umount", "sudo", "su", "read", "crontab", "history", "yes", "shutdown", "reboot", "vi", "vim", "emacs", "nano", "less", "more", "man",
    "mysql", "git", "svn", "python", "python3", "java", "gcc", "make", "df", "uptime", "who", "w", "last", "finger", "ps", "date", "hostname", "uname", "id", "mktemp", "shuf", "sleep", "bind", "set", "shopt", "export", "alias", "source", "exec", "jobs", "bg", "fg", "disown", "nohup", "time", "parallel",
    "file", "open", "chown", "chgrp", "logger", "mail", "ulimit", "umask", "trap", "wait", "type", "help", "eval", "stat", "pushd", "popd", "dirs", "hash", "enable", "history", "fc", "complete",
];

/// The pairs that may be asked: those of half of the commands, at most `EACH` requests for one.
pub fn candidates() -> Vec<Pair> {
    const EACH: usize = 2;
    let mut times: std::collections::HashMap<u64, usize> = std::collections::HashMap::new();
    let mut all = Vec::new();
    for (request, command) in index::pairs() {
        if !fits(request, command) {
            continue;
        }
        let hash = hash(command);
        if (hash >> 40) % 2 == 0 {
            continue;
        }
        let n = times.entry(hash).or_default();
        *n += 1;
        if *n <= EACH {
            all.push(Pair { request, command, hash });
        }
    }
    all
}

fn fits(request: &str, command: &str) -> bool {
    let Ok(script) = shell::parse(command) else { return false };
    if script.invocations.is_empty() || command.len() > 250 || command.contains(['`', '\u{FFFD}']) && command.contains("hostname") {
        return false;
    }
    let lower = request.to_lowercase();
    for invocation in &script.invocations {
        let words: Vec<&str> = invocation.words.iter().map(|a| a.text.as_str()).collect();
        let Some((program, arguments)) = words.split_first() else { continue };
        let program = program.rsplit('/').next().unwrap_or(program);
        if UNFIT.contains(&program) || arguments.iter().any(|a| matches!(*a, "-ls" | "-ok" | "-okdir" | "-fls" | "-inum" | "-ctime" | "-cmin" | "-i" if program == "find" || program == "rm")) || arguments.iter().any(|a| UNFIT.contains(a) && *a != "file" && *a != "host" && program == "xargs") {
            return false;
        }
        if program == "tail" && arguments.iter().any(|a| a.starts_with("-f") || a.starts_with("-F")) {
            return false;
        }
        // Whatever looks like a place or a name must be in the request.
        for (k, argument) in invocation.words.iter().skip(1).enumerate() {
            let text = argument.text.as_str();
            let before = k.checked_sub(1).map_or("", |k| arguments[k]);
            let value_of = matches!(before, "-name" | "-iname" | "-path" | "-wholename" | "-newer" | "-user" | "-group" | "-ipath");
            let pathlike = text.starts_with(['/', '~']) && text.len() > 1 && !text.starts_with("/dev/") || text.contains('/') && text.len() > 2 && !text.contains(['|', '{', ';', '$', '(', '\\', '^']) && !matches!(program, "sed" | "awk" | "perl" | "tr") || text.split_once('.').is_some_and(|(a, b)| !a.is_empty() && b.len() < 6 && b.len() > 1) && !matches!(program, "sed" | "awk" | "perl" | "tr" | "echo" | "printf");
            let start = program == "find" && k == 0 && !text.starts_with(['-', '(', '!']);
            if !(value_of || pathlike || start) || argument.dynamic {
                continue;
            }
            let bare = text.trim_end_matches('/').trim_start_matches("./").to_lowercase();
            if start && bare.is_empty() {
                if !["/", " root", "system", "everywhere", "machine", "computer", "server", "disk", "entire", "whole"].iter().any(|w| lower.contains(w)) {
                    return false;
                }
                continue;
            }
            if start && text.starts_with("./") && !bare.is_empty() && !lower.contains(&bare) {
                return false;
            }
            if start && text.starts_with('/') && !lower.contains(&bare) {
                return false;
            }
            // The longest runs of letters and digits.
            let said = bare.split(|c: char| !c.is_ascii_alphanumeric()).filter(|run| run.len() > 1).all(|run| lower.contains(run) || run.len() > 3 && lower.contains(&run[..run.len() - 1]));
            let kind = ["py", "sh", "txt", "js", "pl", "rb", "md", "jpg", "c", "cpp", "java", "gz", "bz2", "jpeg", "bak", "tar"].iter().any(|e| bare.ends_with(&format!(".{e}")) && bare.starts_with('*'));
            if !said && !(kind && value_of) {
                return false;
            }
        }
    }
    true
}
