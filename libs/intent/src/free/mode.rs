//! Permissions in words, as `chmod` is told.

use super::said::Said;

const WHO: &[(&str, &str)] = &[("owner|user|me|myself|owners", "u"), ("group|groups", "g"), ("others|other|world|strangers", "o"), ("everyone|everybody|anyone|anybody|all|users", "a")];
const RIGHTS: &[(&str, &str)] = &[("read|readable|reading", "r"), ("write|writable|writing|writeable", "w"), ("execute|executable|execution|run|runnable|executed|execution", "x")];

/// The mode that is asked for, crossed off.
pub(super) fn mode(s: &Said<'_>) -> Option<String> {
    // 640, rw-r-----.
    for i in 0..s.len() {
        let w = s.raw(i);
        let octal = (3..=4).contains(&w.len()) && w.bytes().all(|b| (b'0'..=b'7').contains(&b));
        let symbolic = (w.len() <= 12 && w.contains(['+', '=', '-']) && w.trim_start_matches(|c| "ugoa".contains(c)).starts_with(['+', '-', '=']) && w.chars().all(|c| "ugoarwxX+-=,st".contains(c)) && w.len() > 1 && !w.starts_with('-'))
            || w.len() == 2 && w.starts_with('+') && w.ends_with(['x', 'w', 'r']);
        if s.free(i) && (octal || symbolic) && s.has(&["chmod", "permission", "permissions", "mode", "rights", "access", "executable", "set", "change", "apply"]) {
            s.mark(i, i + 1);
            s.each(&["set|change|chmod|give|apply|make|modify", "permission|permissions|mode|rights|access", "to", "recursively"]);
            return Some(w.to_owned());
        }
        if s.free(i) && w.len() == 9 && w.bytes().enumerate().all(|(k, b)| b == b'-' || b == b"rwx"[k % 3]) {
            s.mark(i, i + 1);
            s.each(&["set|change|chmod|give|apply|make|modify", "permission|permissions|mode|rights|access", "to"]);
            let digit = |part: &str| part.bytes().zip([4, 2, 1]).map(|(b, v)| if b == b'-' { 0 } else { v }).sum::<u32>();
            return Some(format!("{}{}{}", digit(&w[..3]), digit(&w[3..6]), digit(&w[6..])));
        }
    }
    if let Some(m) = clauses(s) {
        return Some(m);
    }
    if let Some(f) = s.take("sticky|setuid|suid|set-user-id|setgid|sgid|set-group-id bit") {
        let sign = if matches!(s.first(), "remove" | "clear" | "unset" | "take" | "drop") { '-' } else { '+' };
        s.each(&["set|add|remove|clear|unset|take|drop|turn", "on|from|for|of"]);
        return Some(match s.w[f.start] {
            "sticky" => format!("{sign}t"),
            "setuid" | "suid" | "set-user-id" => format!("u{sign}s"),
            _ => format!("g{sign}s"),
        });
    }
    let asks = matches!(s.first(), "make" | "set" | "give" | "grant" | "add" | "remove" | "revoke" | "take" | "change" | "allow" | "deny" | "forbid" | "let" | "recursively" | "modify" | "withdraw" | "protect" | "restrict" | "drop" | "strip" | "mark" | "ensure" | "chmod" | "for" | "only" | "nobody");
    let about = s.has(&["permission", "permissions", "executable", "readable", "writable", "read-only", "readonly", "rights", "execute", "rwx", "read", "write", "writeable", "run", "non-executable", "non-writable", "non-readable", "private", "access", "runnable"]);
    if !asks || !about {
        return None;
    }
    let all_from_others = s.any(&[
        "others|everybody|everyone|anybody else? nothing|none", "nobody|no-one but|except owner|me|user", "nothing for|to anybody|anyone|everybody|everyone|others else?", "take all? rights|permissions from everybody|everyone|others else?", "all? rights|permissions from everybody|everyone|others else?", "no rights|permissions|access for|to everybody|everyone|others|anybody|anyone else?",
        "none|nothing for|to group and others|other", "no one|nobody else", "nobody else has|have? access?", "and no one else", "only? by owner|me only", "by owner only", "to owner only", "for owner only", "only owner|user", "only by me|myself", "only i", "only me", "only for owner|me|user", "not by|for group or others", "accessible only? by owner|me only?", "but? nobody else", "private",
    ]);
    let full = s.any(&["full rights|permissions|access for|to? owner?", "owner full rights|permissions|access", "all rights|permissions for|to owner", "rwx for|to owner", "owner rwx", "full rights|permissions|access", "rwx", "read write and? execute"]);
    if full && all_from_others {
        s.each(&["set", "permission|permissions|rights|mode", "owner", "give|grant|change|make", "recursively", "on|to|for", "take", "remove"]);
        return Some("700".into());
    }
    if s.any(&["read-only for everyone|everybody|all", "read-only", "read only", "readonly", "write protect|protected", "write-protect|write-protected"]) {
        s.each(&["make|set|change", "permission|permissions", "to"]);
        return Some("a-w".into());
    }
    // "Non-executable": the word says both.
    let lost = [("executable", "x"), ("writable|writeable", "w"), ("readable", "r")].into_iter().find(|(w, _)| w.split('|').any(|w| s.look(&format!("non-{w}")).is_some() || s.look(&format!("not|no {w}")).is_some() || s.look(&format!("no longer {w}")).is_some())).map(|l| l.1);
    let verb = if s.first() == "recursively" { s.w.get(1).copied().unwrap_or("") } else { s.first() };
    let negative = matches!(verb, "remove" | "revoke" | "take" | "deny" | "forbid" | "withdraw" | "drop" | "strip") || s.any(&["not executable|writable|readable", "non-executable", "no longer executable|writable|readable", "non-writable|non-readable|non-writeable"]);
    let mut rights = lost.filter(|_| negative).unwrap_or("").to_owned();
    for (words, letter) in RIGHTS {
        if rights.contains(letter) {
            continue;
        }
        if s.take(&format!("{words} permission|permissions|access|rights|bit|privileges?")).is_some() || s.take(words).is_some() {
            rights.push_str(letter);
        }
    }
    if rights.is_empty() && (full || s.any(&["all permissions|rights|access", "every permission", "any permission|access|rights"])) {
        rights = "rwx".into();
    }
    if rights.is_empty() && all_from_others {
        s.each(&["make sure", "can|may|could|access", "be? able to? access", "anything|everything|it|all in|inside|below?", "to|on|for|of"]);
        return Some("go=".into());
    }
    let rights = if rights.is_empty() { return None } else { rights };
    let mut who = String::new();
    for (words, letter) in WHO {
        for pattern in [format!("for|by|to|of|from {words}"), (*words).to_owned()] {
            // "all" and "users" are seldom people here: "for all files" speaks of files.
            let people = |f: &super::said::Found| *letter != "a" || s.w[f.end - 1] != "all" || s.w.get(f.end).is_none_or(|w| matches!(*w, "users" | "people" | "to" | "on" | "of" | "in" | "for" | "and") && s.entity_at(f.end).is_none());
            let plain = !pattern.contains(' ') && *letter == "a";
            let hit = if plain { s.take("everyone|everybody|anyone|anybody") } else { s.take_if(&pattern, people) };
            if hit.is_some() && !who.contains(letter) {
                who.push_str(letter);
            }
        }
    }
    s.each(&["make|set|change|give|grant|add|remove|revoke|take|modify|allow|deny|recursively|ensure|mark|let|chmod|strip|drop", "permission|permissions|rights|access|bit", "be? able|allowed to?", "so", "to be", "on|for|from", "away", "else"]);
    if who.contains('a') {
        who = "a".into();
    }
    if all_from_others && !negative {
        if who.contains('g') && !who.contains(['o', 'a']) {
            return Some(format!("{who}+{rights},o="));
        }
        let other = "rwx".chars().filter(|c| rights.contains(*c)).collect::<String>();
        return Some(format!("u+{rights},go-{other}"));
    }
    let sign = if negative { '-' } else { '+' };
    // `chmod +w` without a letter heeds the umask: bits for all are said to be so.
    Some(if who.is_empty() && sign == '-' { format!("a-{rights}") } else { format!("{who}{sign}{rights}") })
}

/// "Readable and writable by the owner, readable by the group, and nothing for others": for whom what, each said once.
fn clauses(s: &Said<'_>) -> Option<String> {
    let who = |w: &str| Some(match w {
        "owner" | "user" | "me" => 'u',
        "group" => 'g',
        "others" | "other" | "world" | "else" => 'o',
        _ => return None,
    });
    let right = |w: &str| Some(match w {
        "read" | "readable" => "r",
        "write" | "writable" | "writeable" => "w",
        "execute" | "executable" | "run" => "x",
        "full" | "everything" | "rwx" => "rwx",
        "nothing" | "none" | "no" => "",
        _ => return None,
    });
    let first = (0..s.len()).find(|&i| s.free(i) && (who(s.w[i]).is_some() || right(s.w[i]).is_some()))?;
    let rights_first = right(s.w[first]).is_some();
    let mut parts: Vec<(char, String)> = Vec::new();
    let mut rights: Option<String> = None;
    let mut used = Vec::new();
    for i in first..s.len() {
        if s.quoted(i) {
            continue;
        }
        if let Some(r) = right(s.w[i]) {
            used.push(i);
            match parts.last_mut().filter(|_| !rights_first) {
                Some((_, all)) => all.push_str(r),
                None => rights.get_or_insert_default().push_str(r),
            }
        } else if let Some(w) = who(s.w[i]) {
            if parts.iter().any(|p| p.0 == w) {
                return None;
            }
            used.push(i);
            parts.push((w, if rights_first { rights.take()? } else { String::new() }));
        }
    }
    // One of them is a change; all three, or two and nothing for the rest, are the whole.
    if parts.len() < 3 {
        return None;
    }
    for i in used {
        s.mark(i, i + 1);
    }
    s.each(&["permission|permissions|access|rights", "for|by|to|and|only|everybody|everyone"]);
    Some(parts.iter().map(|(w, r)| format!("{w}={r}")).collect::<Vec<_>>().join(","))
}

/// A test of `find` for permissions that are spoken of.
pub(super) fn test(s: &Said<'_>) -> Option<(String, String)> {
    if let Some(f) = s.take("permission|permissions|mode|rights of|set? to? #").or_else(|| s.take("with|having|have|has # permission|permissions")).or_else(|| s.take("permission|permissions|mode is|are|equal|exactly? #")) {
        let n = s.raw(f.at[0]);
        if (3..=4).contains(&n.len()) && n.bytes().all(|b| (b'0'..=b'7').contains(&b)) {
            return Some((format!("-perm {n}"), format!("with permissions {n}")));
        }
    }
    if s.any(&[
        "world writable|writeable", "world-writable|world-writeable", "writable|writeable by|for anyone|anybody|everyone|everybody|others|all|world", "anyone|anybody|everyone|everybody|others may|can write to?", "that? others|anyone|everyone|everybody can|may|could write|modify|change to?",
        "written to? by anyone|anybody|everyone|everybody|others", "others have|with? write permission|access", "write permission for others|everyone|everybody|anyone",
    ]) {
        s.each(&["can|may be", "be"]);
        return Some(("-perm -o+w".into(), "that everybody may write".into()));
    }
    for (right, letter) in [("readable|read", 'r'), ("writable|writeable|written", 'w'), ("executable|executed", 'x')] {
        for (who, w) in [("owner|user", 'u'), ("group", 'g')] {
            if s.any(&[&format!("that|which? are|is|can|be? {right} by|for {who}"), &format!("{who} can|may {right}")]) {
                return Some((format!("-perm -{w}+{letter}"), format!("that the {} may so use", who.split('|').next().unwrap_or(who))));
            }
        }
    }
    if s.any(&["setuid|suid bit? set?", "with set-user-id|setuid bit?"]) {
        return Some(("-perm -4000".into(), "with the set-user-id bit".into()));
    }
    if s.any(&["not executable", "non-executable", "cannot be executed|run", "not be executed", "without execute permission"]) {
        return Some(("! -perm /111".into(), "that cannot be executed".into()));
    }
    if s.any(&["executable by everyone|everybody|anyone|anybody|others|all|world", "that? everyone|everybody|anyone|others can|may execute|run"]) {
        return Some(("-perm -o+x".into(), "that everybody can execute".into()));
    }
    if s.any(&["executable by owner|user|its|their?"]) {
        return Some(("-perm -u+x".into(), "that their owner can execute".into()));
    }
    if s.any(&["executable files|file", "executable|executables|runnable", "that? can be executed|run", "with execute permission", "have|having|with execute|execution? permission|bit set?"]) {
        return Some(("-perm /111".into(), "that can be executed".into()));
    }
    None
}
