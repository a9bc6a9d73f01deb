//! Services, packages' history, settings of the machine and of the session.

use actions::quote::quote;

use super::{Made, Parts, made};
use crate::entity::Kind;

/// A word that may be a service's name.
fn service_name(p: &Parts<'_>) -> Option<String> {
    const NOT: &[&str] = &["the", "a", "service", "services", "daemon", "of", "is", "my", "this", "that", "all", "which", "what", "every", "failed", "running", "state", "status", "logs", "log", "not", "do", "it", "no", "up", "down", "any", "reload", "restart", "start", "stop", "messages", "configuration", "named", "called", "and", "their", "show"];
    let at = p.r.position(&["service", "daemon"])?;
    let plain = |i: usize| {
        let raw = &p.r.tokens.get(i)?.raw;
        (!NOT.contains(&p.w[i]) && !raw.is_empty() && raw.chars().all(|c| c.is_ascii_alphanumeric() || "-_.@".contains(c)) && !raw.starts_with('-')).then(|| raw.clone())
    };
    // "service nginx", "the nginx service", "service called nginx".
    let verb = |i: usize| matches!(p.w[i], "start" | "stop" | "restart" | "reload" | "enable" | "disable" | "at" | "on" | "automatically" | "doing" | "log" | "reread" | "to" | "in" | "for" | "from" | "when" | "boot" | "has" | "was" | "does");
    let after = if matches!(p.w.get(at + 1), Some(&("called" | "named"))) { at + 2 } else { at + 1 };
    if let Some(n) = plain(after)
        && !verb(after)
    {
        return Some(n);
    }
    let before = at.checked_sub(1)?;
    if verb(before) { None } else { plain(before) }
}

/// Starting, stopping, and what happens at boot.
pub(super) fn services(p: &Parts<'_>) -> Made {
    let name = service_name(p)?;
    let boot = p.has(&["boot", "autostart", "startup", "automatically", "boots"]);
    let not = p.has(&["not", "never", "off", "no", "without", "stop", "prevent", "dont"]);
    let (verb, why) = if p.has(&["disable"]) || (boot && not) {
        ("disable", "does not start with the system any more")
    } else if p.has(&["enable"]) || boot {
        ("enable", "starts with the system")
    } else if p.has(&["logs", "log", "messages", "logged", "output", "journal"]) {
        ("logs", "what it has written")
    } else if p.has(&["restart", "bounce", "restarting", "reboot", "relaunch"]) {
        ("restart", "is stopped and started")
    } else if p.has(&["reload", "reread", "re-read", "refresh"]) {
        ("reload", "reads its configuration again")
    } else if p.has(&["stop", "halt", "end", "kill", "terminate"]) || p.any(&["shut down", "turn off", "switch off", "bring down", "take down"]) {
        ("stop", "is stopped")
    } else if p.has(&["status", "state", "running", "active", "alive", "doing", "health", "ok"]) || matches!(p.w.first(), Some(&("is" | "how" | "check"))) {
        ("status", "how it is")
    } else if p.has(&["start", "launch"]) || p.any(&["bring up", "turn on", "switch on", "fire up"]) || p.phrase("up the") {
        ("start", "is started")
    } else {
        return None;
    };
    let q = quote(&name);
    let world = p.r.world;
    let command = if world.has_command("gci") {
        if verb == "logs" { format!("gci logs -n 50 -u {q}") } else { format!("gci {verb} {q}") }
    } else if verb == "logs" {
        format!("journalctl -n 50 -u {q}")
    } else {
        format!("systemctl {verb} {q}")
    };
    Some((crate::catalogue::Built { command, why: format!("The service {name}: {why}.") }, 0.95))
}

/// The word after one of `cues`, articles skipped.
fn word_after(p: &Parts<'_>, cues: &[&str]) -> Option<String> {
    let mut i = p.r.position(cues)? + 1;
    while matches!(p.w.get(i), Some(&("the" | "a" | "my" | "to" | "as" | "be" | "variable" | "environment"))) {
        i += 1;
    }
    p.r.tokens.get(i).map(|t| t.raw.clone())
}

fn is_name(s: &str) -> bool {
    s.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && s.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// What the machine and the session are set to.
pub(super) fn settings(p: &Parts<'_>) -> Made {
    let sets = matches!(p.w.first(), Some(&("set" | "change" | "use" | "make" | "rename" | "switch" | "call" | "give" | "name" | "put")));
    // Time zones.
    let zone = p.any(&["time zone", "timezone"]) || p.has(&["timezone", "timezones"]);
    let named_zone = p.r.tokens.iter().map(|t| t.raw.as_str()).find(|w| w.split_once('/').is_some_and(|(a, b)| a.starts_with(|c: char| c.is_ascii_uppercase()) && b.starts_with(|c: char| c.is_ascii_uppercase())) && w.chars().all(|c| c.is_ascii_alphanumeric() || "/_-+".contains(c)));
    if zone {
        let named_zone = named_zone.or_else(|| p.r.tokens.iter().map(|t| t.raw.as_str()).find(|w| matches!(*w, "UTC" | "GMT" | "CET" | "EST")));
        if let Some(z) = named_zone.filter(|_| sets) {
            return made(format!("ln -sfn {} /etc/localtime", quote(&format!("/usr/share/zoneinfo/{z}"))), format!("Sets the time zone to {z}."));
        }
        return (!sets).then(|| made("date '+%Z %:z' && readlink /etc/localtime".into(), "Shows the time zone."))?;
    }
    // The machine's name.
    let machine = p.has(&["hostname", "computer", "machine"]) && (p.has(&["hostname", "name", "rename", "call"]));
    if machine && sets && (p.has(&["to"]) || p.w[0] == "call") {
        let new = if p.has(&["to"]) { word_after(p, &["to"])? } else { p.r.tokens.last()?.raw.clone() };
        let fits = !new.is_empty() && new.len() < 64 && new.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') && !new.starts_with('-');
        return fits.then(|| made(format!("printf '%s\\n' {new} > /etc/hostname && hostname {new}"), format!("Calls this machine {new}, now and after the next start.")))?;
    }
    // The session's own.
    if p.has(&["umask"]) || p.any(&["default permissions mask", "permission mask", "permissions mask"]) {
        return match p.r.tokens.iter().find(|t| t.raw.len() <= 4 && t.raw.len() >= 2 && t.raw.bytes().all(|b| (b'0'..=b'7').contains(&b))) {
            Some(t) if sets => made(format!("umask {}", t.raw), "Sets which permissions new files lack."),
            _ => made("umask".into(), "Shows which permissions new files lack."),
        };
    }
    if p.has(&["locale", "locales"]) || p.any(&["system language", "which language is set", "language setting", "language settings", "what language is set", "language of the system", "language is set"]) {
        return (!sets).then(|| made("locale".into(), "Shows the language and the formats that are set."))?;
    }
    if (p.any(&["search path", "PATH variable"]) || p.typed.iter().any(|t| t == "$path")) && !sets && !p.has(&["add", "append"]) {
        return made("printf '%s\\n' \"$PATH\" | tr ':' '\\n'".into(), "Shows where programs are looked for.");
    }
    // Variables.
    let variable = p.has(&["variable", "env"]) || p.w.first() == Some(&"unset");
    if variable && matches!(p.w.first(), Some(&("unset" | "remove" | "delete" | "clear"))) {
        let name = p.r.tokens.iter().skip(1).map(|t| t.raw.trim_start_matches('$')).find(|w| w.len() > 1 && is_name(w) && w.chars().any(|c| c.is_ascii_uppercase()))?;
        return made(format!("unset {name}"), format!("Forgets the variable {name}."));
    }
    if p.w.first() == Some(&"make") && p.any(&["the value of"]) {
        let value = &p.r.tokens.get(1)?.raw;
        let name = p.r.tokens.last()?.raw.trim_start_matches('$');
        return (is_name(name) && name != value).then(|| made(format!("export {name}={}", quote(value)), format!("Sets {name} for this session.")))?;
    }
    // "make an alias ll for ls -l", "define ll as alias of 'ls -l'".
    if p.has(&["alias"]) && matches!(p.w.first(), Some(&("make" | "create" | "add" | "define" | "set" | "new" | "alias"))) {
        let at = p.r.position(&["alias"])?;
        let (name, rest) = if p.w.first() == Some(&"define") && at > 1 && p.w.get(at - 1).is_some_and(|w| matches!(*w, "as" | "an" | "a")) {
            let of = p.r.position(&["of", "for"]).filter(|o| *o > at)?;
            (&p.r.tokens.get(1)?.raw, of + 1)
        } else {
            let n = if matches!(p.w.get(at + 1), Some(&("called" | "named"))) { at + 2 } else { at + 1 };
            (&p.r.tokens.get(n)?.raw, (n + 1..p.w.len()).find(|&i| matches!(p.w[i], "for" | "as" | "to" | "=" | "that" | "which" | "meaning"))? + 1)
        };
        let words: Vec<&str> = p.r.tokens.get(rest..)?.iter().map(|t| t.raw.as_str()).skip_while(|w| matches!(*w, "runs" | "does" | "means" | "is" | "run")).collect();
        let fits = !words.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) && !name.starts_with('-');
        return fits.then(|| made(format!("alias {name}={}", quote(&words.join(" "))), format!("From now on {name} is short for that, in this session.")))?;
    }
    packages(p).or_else(|| look(p))
}

/// What the package manager remembers and could do.
fn packages(p: &Parts<'_>) -> Made {
    if !p.r.world.has_command("gpm") || !p.has(&["package", "packages", "software", "gpm", "installation", "transaction", "updates", "install", "installed"]) {
        return None;
    }
    let about = p.has(&["package", "packages", "gpm", "software"]);
    if about && (matches!(p.w.first(), Some(&("undo" | "revert"))) || p.any(&["roll back", "take back", "go back"])) {
        // A number is that of a transaction: without it the last one would be undone instead.
        return match p.r.num() {
            Some(n) if p.any(&["before transaction", "state before", "back to before"]) => made(format!("gpm rollback {n}"), format!("Takes transaction {n} of gpm and all later ones back.")),
            Some(n) => made(format!("gpm undo {n}"), format!("Takes transaction {n} of gpm back.")),
            None => made("gpm undo".into(), "Takes gpm's last transaction back."),
        };
    }
    if about && (p.has(&["history", "lately", "recently"]) || p.any(&["last installed", "installed last"])) && !p.has(&["update", "upgrade"]) {
        return made("gpm history".into(), "Shows what gpm has done.");
    }
    if about && p.any(&["can be upgraded", "can be updated", "are outdated", "need an update", "need updates", "need updating", "are upgradable", "could be upgraded", "have updates"]) {
        return made("gpm update && gpm upgrade --dry-run".into(), "Shows which packages have newer versions, without installing them.");
    }
    None
}

/// Small questions about the machine that the classifier has no class for.
fn look(p: &Parts<'_>) -> Made {
    if (p.any(&["file system", "filesystem"]) || p.has(&["filesystem", "filesystems"])) && p.has(&["type", "types", "which", "what", "kind"]) && !p.has(&["mounted", "full", "free", "space", "size", "big"]) {
        let place = p.r.entities.iter().find_map(|e| match &e.kind {
            Kind::Path(d) | Kind::Dir(d) if d.starts_with('/') => Some(d.clone()),
            _ => None,
        });
        let root = place.or_else(|| p.has(&["root"]).then(|| "/".into()));
        return match root {
            Some(d) => made(format!("df -hT {}", quote(&d)), format!("Shows the type of the file system of {d}.")),
            None => made("df -hT".into(), "Shows the types of the file systems."),
        };
    }
    if p.has(&["router"]) && p.has(&["which", "what", "my"]) {
        return made("ip route".into(), "Shows the routes; the default one leads to the router.");
    }
    let user = p.r.entities.iter().find_map(|e| if let Kind::User(u) = &e.kind { Some(u.clone()) } else { None });
    if p.has(&["shell"]) && let Some(u) = user.clone().filter(|_| p.has(&["login", "what", "which", "default"]) && !p.has(&["change", "set"])) {
        return made(format!("getent passwd {} | cut -d: -f7", quote(&u)), format!("Shows the login shell of {u}."));
    }
    if p.w.first() == Some(&"what") && p.has(&["running", "run"]) && let Some(u) = user {
        return made(format!("ps -u {} -o pid,stat,etime,args", quote(&u)), format!("Lists the processes of {u}."));
    }
    // "make user maria a member of audio group".
    if p.has(&["member"]) && p.has(&["make", "add"]) && p.has(&["group"]) {
        let at = p.r.position(&["user", "make", "add"])?;
        let at = if p.w[at] == "user" || p.w.get(at + 1) != Some(&"user") { at } else { at + 1 };
        let name = p.r.tokens.get(at + 1)?.raw.clone();
        let g = p.r.position(&["group"])?;
        let group = if let Some(t) = p.r.tokens.get(g + 1) { t.raw.clone() } else { p.r.tokens.get(g.checked_sub(1)?)?.raw.clone() };
        let plain = |s: &str| s.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)) && !s.starts_with('-');
        return (plain(&name) && plain(&group)).then(|| made(format!("usermod -aG {group} -- {name}"), format!("Puts {name} into the group {group}.")))?;
    }
    // Pages are shown where they are to be seen.
    if let Some(url) = p.r.entities.iter().find_map(|e| if let Kind::Url(u) = &e.kind { Some(u.clone()) } else { None })
        && p.has(&["show", "print", "display", "source", "contents", "content", "see"])
        && p.r.world.has_command("curl")
    {
        if p.has(&["header", "headers"]) {
            return made(format!("curl -fsSI {}", quote(&url)), format!("Prints the headers that {url} answers with."));
        }
        return made(format!("curl -fsSL {}", quote(&url)), format!("Prints what {url} answers."));
    }
    // The day in the year.
    if p.any(&["day of the year", "day of year", "day number within the year", "day in the year", "day number in the year"]) {
        let day = p.r.tokens.iter().map(|t| t.raw.as_str()).find(|w| w.len() == 10 && w.bytes().filter(|b| *b == b'-').count() == 2 && w.bytes().all(|b| b.is_ascii_digit() || b == b'-'));
        return made(day.map_or("date +%j".into(), |d| format!("date -d {d} +%j")), "Shows which day of the year it is.");
    }
    if (p.any(&["last part", "without its path", "without the path", "without path", "base name"])) && p.any(&["working directory", "current directory", "current folder", "this directory", "this folder"]) {
        return made("basename \"$PWD\"".into(), "Prints the name of this directory alone.");
    }
    None
}
