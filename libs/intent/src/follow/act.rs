//! Doing something with what was listed: "delete them", "show the second one", "copy it to /tmp", "kill the first".

use actions::quote::{quote, quote_path};

use super::command::Pipeline;
use super::object;
use super::output::{Items, items};
use super::refer::{self, Reference, choose};
use super::{Follow, Last, Said};
use crate::entity::Kind;
use crate::world::Exists;

const INTENT: &str = "follow.act";
/// More than these are not named in one command.
const MOST: usize = 300;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Delete,
    Copy,
    Move,
    Rename,
    Go,
    Pack,
    Unpack,
    Executable,
    CountLines,
    CountWords,
    Total,
    Details,
    Kind,
    Path,
    Edit,
    Sums,
    Search,
    Show,
    Kill,
    KillForce,
}

/// The verb of a follow-up: what is said first decides.
fn verb(said: &Said<'_>) -> Option<Verb> {
    let has = |w: &[&str]| said.has(w);
    let lines = |w: &[&str]| has(w);
    Some(if has(&["delete", "remove", "erase", "trash", "rm", "discard"]) || (has(&["throw"]) && has(&["away"])) || said.phrase(&["get", "rid", "of"]) {
        Verb::Delete
    } else if has(&["kill", "terminate", "stop", "end", "quit"]) {
        if has(&["force", "forcefully", "hard", "kill9"]) || said.phrase(&["by", "force"]) { Verb::KillForce } else { Verb::Kill }
    } else if has(&["copy", "cp", "duplicate"]) {
        Verb::Copy
    } else if has(&["rename"]) || (has(&["call", "name"]) && has(&["it", "that"])) {
        Verb::Rename
    } else if has(&["move", "mv"]) || (said.first() == "put" && has(&["in", "into"])) {
        Verb::Move
    } else if has(&["executable"]) {
        Verb::Executable
    } else if has(&["unpack", "extract", "unzip", "untar"]) {
        Verb::Unpack
    } else if has(&["pack", "compress", "archive", "zip", "tar", "bundle"]) {
        Verb::Pack
    } else if has(&["checksum", "checksums", "hash", "hashes", "sha256"]) {
        Verb::Sums
    } else if has(&["contain", "contains", "containing", "mention", "mentions", "grep"]) || (has(&["search"]) && has(&["for", "in"])) || (has(&["look"]) && has(&["for"])) {
        Verb::Search
    } else if lines(&["lines"]) && has(&["count", "many", "number"]) {
        Verb::CountLines
    } else if has(&["words"]) && has(&["count", "many", "number"]) {
        Verb::CountWords
    } else if has(&["together", "altogether", "total", "sum"]) && has(&["big", "size", "large", "much", "space", "total", "sum"]) {
        Verb::Total
    } else if has(&["type", "kind"]) && has(&["what", "which"]) {
        Verb::Kind
    } else if has(&["path", "paths"]) {
        Verb::Path
    } else if has(&["edit", "change"]) {
        Verb::Edit
    } else if has(&["details", "detail", "big", "size", "large", "owner", "owns", "permissions", "modified", "old", "info", "information", "when", "stat"]) {
        Verb::Details
    } else if has(&["go", "cd", "enter"]) {
        Verb::Go
    } else if has(&["show", "open", "print", "read", "cat", "see", "view", "display", "inside", "look", "contents", "content"]) || said.words.len() <= 3 {
        Verb::Show
    } else {
        return None;
    })
}

/// Understands it where it names a thing of the last output.
pub fn read(said: &Said<'_>, last: &Last<'_>) -> Option<Follow> {
    // "go there" names no thing, but a place.
    let place = matches!(said.first(), "go" | "cd" | "enter") && said.has(&["there"]);
    let (reference, range) = if place { (Reference::It, 0..said.words.len()) } else { refer::find(said)? };
    let verb = verb(said)?;
    // What names a file by itself can stand alone, but for where something goes.
    if !matches!(verb, Verb::Copy | Verb::Move | Verb::Rename | Verb::Pack | Verb::Search | Verb::Unpack) && said.request.entities.iter().any(|e| matches!(e.kind, Kind::Path(_) | Kind::Glob(_) | Kind::Ext(..))) {
        return None;
    }
    // "stop it from...", "show it by date": more is said than we understand.
    if verb == Verb::Show && said.words.len() > range.len() + 4 {
        return None;
    }
    let listed = last.output.and_then(|o| items(last.command, o, last.world));
    if let Some(Items::Processes(all)) = &listed {
        let Some(chosen) = choose(all, &reference) else {
            return Some(Follow::Cannot(INTENT, "There are not so many in the list, or more than one: which?"));
        };
        return processes(verb, &chosen);
    }
    let files: Vec<String> = match (&listed, &reference) {
        (Some(Items::Files(all)), Reference::It) if all.len() != 1 => match object::of(last.command, last.world) {
            Some(one) => vec![one],
            None => return Some(Follow::Cannot(INTENT, "There is more than one: say which, for example \"the second one\".")),
        },
        (Some(Items::Files(all)), r) => match choose(all, r) {
            Some(chosen) => chosen,
            None => return Some(Follow::Cannot(INTENT, "There are not so many in the list.")),
        },
        (None, Reference::It) => vec![object::of(last.command, last.world)?],
        (None, Reference::All) => return unlisted(verb, said, last),
        (None, _) => return None,
        (Some(Items::Processes(_)), _) => return None,
    };
    if files.len() > MOST {
        return unlisted(verb, said, last).or(Some(Follow::Cannot(INTENT, "There are too many to name in one command.")));
    }
    // A list that was cut short is not all of it.
    if last.output.is_some_and(|o| !o.complete) && matches!(reference, Reference::All | Reference::Last(_) | Reference::Except(_)) {
        return unlisted(verb, said, last).or(Some(Follow::Cannot(INTENT, "The list was longer than what I keep of it; make it narrower first.")));
    }
    on_files(verb, &files, said, last)
}

fn processes(verb: Verb, chosen: &[(u32, String)]) -> Option<Follow> {
    let pids: Vec<String> = chosen.iter().map(|p| p.0.to_string()).collect();
    let names: Vec<String> = chosen.iter().map(|p| format!("{} ({})", p.1, p.0)).collect();
    let (command, why) = match verb {
        Verb::Kill | Verb::Delete => (format!("kill {}", pids.join(" ")), format!("Asks {} to end.", names.join(", "))),
        Verb::KillForce => (format!("kill -9 {}", pids.join(" ")), format!("Ends {} by force; unsaved work is lost.", names.join(", "))),
        Verb::Show | Verb::Details => (format!("ps -o pid,ppid,user,stat,lstart,time,args -p {}", pids.join(",")), format!("Shows {}.", names.join(", "))),
        _ => return None,
    };
    Some(Follow::Command(INTENT, command, why))
}

/// What cannot be listed by name, but was found by `find`: the same search does it.
fn unlisted(verb: Verb, said: &Said<'_>, last: &Last<'_>) -> Option<Follow> {
    let mut pipeline = Pipeline::parse(last.command)?;
    // A search that was cut or counted is another set.
    if pipeline.stages.iter().any(|s| s.starts_with("head ") || s.starts_with("tail ") || s.starts_with("grep ")) {
        return None;
    }
    let mut find = pipeline.find()?;
    if find.action.iter().any(|a| a == "-delete" || a == "-exec") {
        return None;
    }
    let action = |words: &str| words.split(' ').map(str::to_owned).collect::<Vec<String>>();
    let why;
    (find.action, why) = match verb {
        Verb::Delete => (action("-print -delete"), "Deletes what the last search finds, and prints each."),
        Verb::Copy => (action(&format!("-exec cp -n -t {} -- {{}} +", quote_path(&said.request.destination()?))), "Copies what the last search finds; nothing there is overwritten."),
        Verb::Move => (action(&format!("-exec mv -n -t {} -- {{}} +", quote_path(&said.request.destination()?))), "Moves what the last search finds; nothing there is overwritten."),
        Verb::Details => (action("-exec ls -ldh -- {} +"), "Shows what the last search finds with size, date and owner."),
        Verb::CountLines => (action("-exec wc -l -- {} +"), "Counts the lines of what the last search finds."),
        Verb::Search => (action(&format!("-exec grep -l -e {} -- {{}} +", quote(&sought(said)?))), "Names those of the last search that contain it."),
        Verb::Total => (action("-exec du -ch -- {} +"), "Adds up what the last search finds."),
        _ => return None,
    };
    pipeline.stages.truncate(1);
    pipeline.set_find(&find);
    Some(Follow::Command(INTENT, pipeline.text(), why.into()))
}

/// The text that is searched for.
fn sought(said: &Said<'_>) -> Option<String> {
    said.request.quoted().or_else(|| {
        let i = said.words.iter().position(|w| matches!(w.as_str(), "contain" | "contains" | "containing" | "mention" | "mentions" | "grep" | "for"))?;
        let mut rest: Vec<&str> = said.words[i + 1..].iter().map(String::as_str).skip_while(|w| matches!(*w, "the" | "word" | "text" | "for" | "string")).collect();
        if let Some(end) = rest.iter().position(|w| matches!(*w, "in")) {
            rest.truncate(end);
        }
        let wanted = rest.join(" ");
        // As it was typed: words are in lower case here.
        let at = said.request.text.to_lowercase().find(&wanted)?;
        let typed = said.request.text.get(at..at + wanted.len())?;
        (!typed.is_empty()).then(|| typed.to_owned())
    })
}

fn on_files(verb: Verb, files: &[String], said: &Said<'_>, last: &Last<'_>) -> Option<Follow> {
    let quoted: Vec<String> = files.iter().map(|f| quote_path(f)).collect();
    let all = quoted.join(" ");
    let spoken = match files {
        [one] => one.clone(),
        [a, b] => format!("{a} and {b}"),
        many => format!("these {}", many.len()),
    };
    let directory = |f: &String| last.world.exists(f) == Some(Exists::Dir);
    let any_directory = files.iter().any(directory);
    let r = if any_directory { "-r " } else { "" };
    let one = || if let [one] = files { Some(one) } else { None };
    let yes = |command: String, why: String| Some(Follow::Command(INTENT, command, why));
    match verb {
        Verb::Delete => yes(format!("rm {r}-- {all}"), format!("Deletes {spoken}.")),
        Verb::Copy | Verb::Move => {
            let Some(to) = said.request.destination() else { return Some(Follow::Cannot(INTENT, "Where to?")) };
            let (program, word) = if verb == Verb::Copy { (format!("cp -n {r}"), "Copies") } else { ("mv -n ".to_owned(), "Moves") };
            let target = if files.len() == 1 { format!("-- {all} {}", quote_path(&to)) } else { format!("-t {} -- {all}", quote_path(&to)) };
            yes(format!("{program}{target}"), format!("{word} {spoken} to {to}; nothing there is overwritten."))
        }
        Verb::Rename => {
            let from = one()?;
            let Some(to) = said.request.destination().or_else(|| said.words.last().cloned()) else { return Some(Follow::Cannot(INTENT, "What shall it be called?")) };
            let to = match from.rsplit_once('/') {
                Some((dir, _)) if !to.contains('/') => format!("{dir}/{to}"),
                _ => to,
            };
            yes(format!("mv -n -- {all} {}", quote_path(&to)), format!("Renames {spoken} to {to}."))
        }
        Verb::Go => {
            let place = one()?;
            if directory(place) { yes(format!("cd {all}"), format!("Goes to {place}.")) } else { Some(Follow::Cannot(INTENT, "That is a file, not a directory.")) }
        }
        Verb::Pack => {
            let to = said.request.destination().filter(|d| d.contains(".t")).unwrap_or_else(|| one().map_or_else(|| "files.tar.gz".to_owned(), |f| format!("{}.tar.gz", object::base(f))));
            yes(format!("tar -czf {} -- {all}", quote_path(&to)), format!("Packs {spoken} into {to}."))
        }
        Verb::Unpack => {
            let archive = one()?;
            if archive.ends_with(".zip") { yes(format!("unzip -n {all}"), format!("Unpacks {archive} here; nothing is overwritten.")) } else { yes(format!("tar -xkf {all}"), format!("Unpacks {archive} here; nothing is overwritten.")) }
        }
        Verb::Executable => yes(format!("chmod +x -- {all}"), format!("Lets {spoken} be run as programs.")),
        Verb::CountLines => yes(format!("wc -l -- {all}"), format!("Counts the lines of {spoken}.")),
        Verb::CountWords => yes(format!("wc -w -- {all}"), format!("Counts the words of {spoken}.")),
        Verb::Total => yes(format!("du -ch -- {all} | tail -n 1"), format!("Adds up what {spoken} take.")),
        Verb::Details => yes(format!("ls -ldh -- {all}"), format!("Shows {spoken} with size, date and owner.")),
        Verb::Kind => yes(format!("file -- {all}"), format!("Tells what kind of file {spoken} are.").replace(" are.", if files.len() == 1 { " is." } else { " are." })),
        Verb::Path => yes(format!("realpath -- {all}"), format!("Prints the full path of {spoken}.")),
        Verb::Edit => one().and_then(|f| (!directory(f)).then(|| Follow::Command(INTENT, format!("nano {all}"), format!("Opens {f} in the editor.")))),
        Verb::Sums => yes(format!("sha256sum -- {all}"), format!("Computes the checksums of {spoken}.")),
        Verb::Search => {
            let text = sought(said)?;
            let r = if any_directory { "r" } else { "" };
            yes(format!("grep -{r}l -e {} -- {all}", quote(&text)), format!("Names those that contain {text:?}."))
        }
        Verb::Show => match files {
            [one] if directory(one) => yes(format!("ls {all}"), format!("Lists {one}.")),
            _ if any_directory => yes(format!("ls -d -- {all}"), format!("Lists {spoken}.")),
            _ => yes(format!("cat -- {all}"), format!("Prints {spoken}.")),
        },
        Verb::Kill | Verb::KillForce => None,
    }
}
