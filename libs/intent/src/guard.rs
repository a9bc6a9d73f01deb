//! What destroys or stops something needs a word of the request that says so, however sure the classifier is.

use crate::request::Request;
use crate::text::stem;

const DELETE: &[&str] = &["delete", "remove", "erase", "rid", "wipe", "trash", "throw", "destroy", "rm", "rmdir", "del", "clean", "clear", "purge", "empty", "need", "go", "bin", "drop", "discard", "strip", "eliminate", "unlink", "scrap", "kill", "take", "prune", "nuke", "uninstall", "deinstall", "longer", "cut", "out"];
const END: &[&str] = &["kill", "stop", "terminate", "end", "quit", "close", "shut", "rid", "halt", "abort", "force", "sigkill", "pkill", "killall", "frozen", "hangs", "stuck", "interrupt", "exit", "go", "cancel", "murder", "respond"];
const MOVE: &[&str] = &["move", "mv", "put", "transfer", "relocate", "shift", "sort", "drag", "save", "store", "send", "push", "bring", "take", "archive", "place", "drop", "rename"];

/// Words that ask for something to be changed.
const CHANGE: &[&str] = &["create", "make", "set", "change", "copy", "rename", "replace", "write", "save", "append", "add", "insert", "compress", "archive", "extract", "unpack", "split", "convert", "install", "start", "link", "touch", "truncate", "download", "sync", "synchronize", "mount", "unmount", "update", "upload", "run", "execute", "assign", "export", "enable", "disable", "sort", "schedule", "connect", "send", "fill", "generate", "overwrite", "swap", "edit", "modify", "build", "define", "declare"];

/// Whether a command of this risk, which nobody typed for this request, may be an answer to it.
pub(crate) fn may_recall(risk: actions::Risk, r: &Request<'_>) -> bool {
    let has = |words: &[&str]| r.tokens.iter().any(|t| !t.quoted && words.iter().any(|w| stem(w) == stem(&t.norm)));
    // "go", "out" and "need" are not enough here.
    let destroys = ["delete", "remove", "erase", "wipe", "rm", "purge", "destroy", "unlink", "kill", "overwrite", "shred", "rid", "empty"];
    match risk {
        actions::Risk::Safe => true,
        actions::Risk::Confirm => has(CHANGE) || has(MOVE) || has(&destroys),
        actions::Risk::Dangerous => has(&destroys) || has(&["move", "rename", "replace", "change", "set"]),
    }
}

/// Whether the request only wants to see something: it begins so, and no word of it asks for a change.
pub(crate) fn only_looks(r: &Request<'_>) -> bool {
    const LOOKS: &[&str] = &["list", "show", "print", "display", "count", "which", "what", "how", "who", "where", "when", "is", "are", "does", "tell", "names", "number"];
    let says = |list: &[&str]| r.tokens.iter().any(|t| !t.quoted && list.iter().any(|w| *w == t.norm || stem(w) == stem(&t.norm)));
    r.tokens.first().is_some_and(|t| LOOKS.contains(&t.norm.as_str())) && !says(CHANGE) && !says(MOVE) && !says(DELETE) && !says(END)
}

/// Whether a command line changes files, as far as its programs say so.
pub(crate) fn changes_files(command: &str) -> bool {
    ["sed -i", "tar -c", "rm ", "mv ", "cp ", "chmod ", "chown ", "-delete", "truncate ", "touch ", "mkdir ", "ln -s", "split -l", "split -b"].iter().any(|p| command.starts_with(p) || command.contains(&format!(" {p}")))
}

/// What is taken away from files, and is none.
const PROPERTIES: &[&str] = &[
    "permission", "permissions", "access", "right", "rights", "bit", "bits", "privilege", "privileges", "mode", "ownership", "extension", "extensions", "suffix", "suffixes", "prefix", "prefixes", "line", "lines", "word", "words", "character", "characters", "letter", "letters", "space", "spaces", "blank", "blanks",
    "whitespace", "tab", "tabs", "column", "columns", "field", "fields", "row", "rows", "comment", "comments", "header", "headers", "heading", "punctuation", "digit", "digits", "vowel", "vowels", "string", "occurrence", "occurrences", "comma", "commas", "quotes", "colon", "colons", "underscore", "underscores", "dash", "dashes", "hyphens",
    "indentation", "newlines", "newline", "bracket", "brackets", "timestamp", "timestamps", "paragraph", "paragraphs", "returns",
];

/// "Remove the write permission from all scripts": what the verb takes away is no file.
pub(crate) fn takes_a_property(r: &Request<'_>) -> bool {
    const VERBS: &[&str] = &["remove", "delete", "strip", "drop", "take", "revoke", "erase", "withdraw", "cut", "clear", "clean", "rid", "eliminate", "trim", "purge"];
    const JOINTS: &[&str] = &["from", "of", "in", "for", "on", "at", "under", "below", "inside", "within", "with", "that", "which", "whose", "and", "containing", "to", "having", "older", "newer", "larger", "smaller", "bigger", "by"];
    let Some(verb) = r.tokens.iter().position(|t| !t.quoted && VERBS.contains(&t.norm.as_str())) else { return false };
    let mut property = false;
    for (k, t) in r.tokens.iter().enumerate().skip(verb + 1) {
        if t.quoted {
            continue;
        }
        let w = t.norm.as_str();
        // "away from", "rid of", "read permission for others from".
        if JOINTS.contains(&w) && k > verb + 1 {
            break;
        }
        if matches!(w, "file" | "files" | "directory" | "directories" | "folder" | "folders" | "scripts" | "documents") || r.entity_at(k).is_some_and(|e| matches!(e.kind, crate::entity::Kind::Ext(..) | crate::entity::Kind::Path(_) | crate::entity::Kind::Glob(_))) {
            return false;
        }
        property |= PROPERTIES.contains(&w);
    }
    property
}

/// Whether a command line deletes files.
pub(crate) fn deletes_files(command: &str) -> bool {
    command.contains(" -delete") || command.split(|c: char| c.is_whitespace() || ";|&()".contains(c)).any(|w| matches!(w, "rm" | "rmdir" | "unlink" | "shred"))
}

/// Whether the request holds a word without which `intent` cannot be meant.
pub(crate) fn allows(intent: &str, r: &Request<'_>) -> bool {
    let needed: &[&str] = match intent {
        // "Empty the trash" is no search for empty files.
        "files.delete_matching" | "dir.delete" | "file.delete" if r.tokens.first().is_some_and(|t| t.norm == "empty") && !r.tokens.iter().skip(1).find(|t| !matches!(t.norm.as_str(), "the" | "all" | "any")).is_some_and(|t| matches!(t.norm.as_str(), "files" | "directories" | "folders" | "subdirectories")) => return false,
        "files.delete_matching" | "file.delete" | "dir.delete" | "text.delete_lines" | "user.delete" | "pkg.remove" => DELETE,
        "proc.kill" | "proc.kill_force" => END,
        "files.move_matching" | "file.move" => MOVE,
        "sys.reboot" => &["reboot", "restart", "start", "boot", "turn"],
        "sys.shutdown" => &["shut", "shutdown", "power", "poweroff", "turn", "switch", "halt", "off"],
        "disk.mount" => &["mount", "attach", "hook", "plug"],
        "disk.unmount" => &["unmount", "umount", "eject", "detach", "dismount", "remove"],
        "pkg.install" => &["install", "add", "get", "download", "set", "put", "apt", "fetch", "need", "want", "grab", "give", "instal"],
        "archive.extract" => &["extract", "unpack", "untar", "unzip", "decompress", "open", "unarchive", "expand", "uncompress", "inflate"],
        "file.chmod" => &["permission", "permissions", "mode", "chmod", "make", "set", "let", "allow", "give", "grant", "remove", "revoke", "protect", "lock", "only", "nobody", "add", "take", "change", "no", "deny", "forbid", "should", "writable", "readable", "private"],
        "file.head" | "file.tail" | "file.lines" if r.tokens.first().is_some_and(|t| matches!(t.norm.as_str(), "delete" | "remove" | "erase" | "drop" | "strip")) => return false,
        "user.password" if !r.tokens.first().is_some_and(|t| t.norm == "passwd") => &["password", "passwords", "passphrase", "login"],
        "files.copy_matching" => &["copy", "cp", "duplicate", "backup", "back", "clone", "save", "put", "transfer", "store", "replicate", "collect", "gather", "copies"],
        "file.split" => &["split", "divide", "cut", "break", "chunk", "chunks", "pieces", "parts", "chop", "separate"],
        "file.decompress" => &["decompress", "unpack", "unzip", "gunzip", "extract", "uncompress", "expand", "inflate", "open", "unxz", "bunzip2"],
        "text.replace" => &["replace", "change", "substitute", "swap", "turn", "convert", "rename", "switch", "exchange", "edit", "set", "update", "correct", "fix", "sed", "translate", "make", "write", "rewrite", "put", "modify", "transform", "instead", "become"],
        "shell.clear" if r.tokens.len() > 1 => &["screen", "terminal", "window", "display", "console", "scrollback", "cls", "shell"],
        "shell.time" => &["time", "long", "measure", "benchmark", "fast", "speed", "duration", "takes", "slow"],
        "shell.run" => &["run", "execute", "start", "launch", "open", "exec", "play"],
        "shell.watch" => &["every", "repeat", "watch", "repeatedly", "again", "loop", "keep", "over"],
        "text.sequence" => &["numbers", "number", "count", "seq", "sequence", "counting"],
        "sys.date_of" if r.has(&["today", "now"]) && !r.has(&["from", "in", "days", "weeks"]) => return false,
        "proc.oldest" => &["longest", "oldest", "long", "age", "started", "start", "time", "times", "earliest"],
        "help.which" if r.has(&["process", "processes", "running"]) => return false,
        "file.count_words" | "file.count_lines" | "file.count_chars" | "files.count" | "text.count_matches" | "proc.count" | "pkg.count" => &["many", "count", "number", "total", "amount", "long", "often", "times", "much", "length", "counting", "words", "lines", "loc", "wc", "rows", "characters", "frequency", "letters", "sum", "bytes"],
        "text.search_not" => &["not", "without", "except", "exclude", "excluding", "lacking", "lack", "no", "hide", "filter", "but", "skip", "omit", "unless"],
        "text.search" | "text.search_files" if r.has(&["not", "without", "lacking", "except"]) => return false,
        "pkg.search" => &["package", "packages", "software", "program", "programs", "app", "apps", "application", "tool", "apt", "available", "repository", "store", "something"],
        _ => return true,
    };
    // "the word love" counts nothing.
    if intent == "file.count_words" && r.has(&["word"]) && !r.has(&["count", "many", "number", "words"]) {
        return false;
    }
    r.tokens.iter().any(|t| !t.quoted && (needed.contains(&t.norm.as_str()) || needed.iter().any(|n| stem(n) == stem(&t.norm))))
}
