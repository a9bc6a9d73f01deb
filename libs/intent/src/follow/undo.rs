//! "Undo that": the opposite of the last command, where it has one.

use actions::quote::{quote, quote_path};
use actions::shell;

use super::object::{arrived, base, operands};
use super::{Follow, Last, Said};

const INTENT: &str = "follow.undo";

/// Whether this asks to take the last one back.
pub fn asked(said: &Said<'_>) -> bool {
    let filler = ["undo", "revert", "that", "it", "this", "the", "last", "command", "step", "change", "one", "what", "you", "did", "just", "i", "back", "take", "put", "roll", "bring", "reverse", "please", "them", "thing", "again", "now", "move"];
    let verb = matches!(said.first(), "undo" | "revert") || (matches!(said.first(), "take" | "put" | "roll" | "bring" | "move") && said.words.last().is_some_and(|w| w == "back") && said.has(&["that", "it", "them", "this"])) || (said.first() == "reverse" && said.has(&["change", "step", "what"]));
    verb && said.words.iter().all(|w| filler.contains(&w.as_str()))
}

/// The command that takes the last one back.
pub fn read(said: &Said<'_>, last: &Last<'_>) -> Option<Follow> {
    if !asked(said) {
        return None;
    }
    let no = |why| Some(Follow::Cannot(INTENT, why));
    let Ok(script) = shell::parse(last.command) else { return no("That cannot be taken back.") };
    let [one] = &script.invocations[..] else {
        return no("That was more than one command, and I cannot take it back as a whole.");
    };
    let name = one.words.first().and_then(|w| w.literal()).unwrap_or("");
    let words: Vec<&str> = one.words.iter().map(|w| w.text.as_str()).collect();
    let operands = operands(one);
    let yes = |command: String, why: String| Some(Follow::Command(INTENT, command, why));
    match (name, &operands[..]) {
        ("mv", [from, to]) => {
            let there = arrived(from, to, last.world);
            if last.world.exists(&there).is_none() || last.world.exists(from).is_some() {
                return no("What was moved is not where it went any more.");
            }
            yes(format!("mv -n -- {} {}", quote_path(&there), quote_path(from)), format!("Moves it back to {from}."))
        }
        ("mv", [from @ .., to]) if from.len() > 1 => {
            let dirs: Vec<&str> = from.iter().map(|f| f.rsplit_once('/').map_or(".", |p| p.0)).collect();
            if dirs.windows(2).any(|d| d[0] != d[1]) {
                return no("They came from several directories; I cannot take that back with one command.");
            }
            let there: Vec<String> = from.iter().map(|f| quote_path(&format!("{}/{}", to.trim_end_matches('/'), base(f)))).collect();
            yes(format!("mv -n -t {} -- {}", quote_path(dirs[0]), there.join(" ")), "Moves them back.".into())
        }
        ("cp", [from, to]) => {
            let there = arrived(from, to, last.world);
            let r = if last.world.exists(&there) == Some(crate::world::Exists::Dir) { "-r " } else { "" };
            yes(format!("rm {r}-- {}", quote_path(&there)), format!("Deletes the copy {there}."))
        }
        ("mkdir", [.., dir]) => yes(format!("rmdir -- {}", quote_path(dir)), format!("Removes the directory {dir}, if nothing is in it.")),
        ("touch", [file]) => yes(format!("rm -- {}", quote_path(file)), format!("Deletes {file}: look first whether it was there before.")),
        ("ln", [_, link]) => yes(format!("rm -- {}", quote_path(link)), format!("Removes the link {link}.")),
        ("cd", _) => yes("cd -".into(), "Goes back to the directory before.".into()),
        ("tar", _) if words.get(1).is_some_and(|w| w.contains('c')) => {
            let at = words.iter().position(|w| w.starts_with('-') && w.ends_with('f'));
            match at.and_then(|i| words.get(i + 1)) {
                Some(archive) => yes(format!("rm -- {}", quote_path(archive)), format!("Deletes the archive {archive}.")),
                None => no("That cannot be taken back."),
            }
        }
        ("chmod", [mode, file]) if mode.contains(['+', '-']) && !mode.contains(['=', ',']) => {
            let back: String = mode.chars().map(|c| match c {
                '+' => '-',
                '-' => '+',
                c => c,
            }).collect();
            yes(format!("chmod {back} -- {}", quote_path(file)), format!("Takes the change of {file}'s permissions back."))
        }
        ("gdectl", _) if words.get(2) == Some(&"close") => no("A window that was closed cannot be brought back; start its program anew."),
        // A command that only looked made no transaction: an earlier one would be taken back.
        ("gpm", _) if !words.get(1).is_some_and(|w| matches!(*w, "install" | "remove" | "upgrade" | "downgrade" | "autoremove" | "undo" | "rollback")) => no("The last command only looked: there is nothing to take back."),
        ("gpm", _) => yes("gpm undo".into(), "Takes gpm's last transaction back.".into()),
        ("git", _) if words.get(1) == Some(&"add") => yes(format!("git reset -q -- {}", operands[1..].iter().map(|o| quote(o)).collect::<Vec<_>>().join(" ")), "Takes it out of what the next commit will hold.".into()),
        ("git", _) if words.get(1) == Some(&"commit") => yes("git reset --soft HEAD~1".into(), "Takes the last commit back; the files stay as they are.".into()),
        ("rm" | "rmdir" | "shred", _) => no("What was deleted is gone: it cannot be brought back."),
        ("find", _) if words.contains(&"-delete") => no("What was deleted is gone: it cannot be brought back."),
        ("sed", _) if words.iter().any(|w| w.starts_with("-i")) => no("The file was changed in place, and nothing was kept of what it held."),
        ("kill" | "pkill" | "killall", _) => no("A process that was ended cannot be brought back; start it anew."),
        _ if actions::classify(last.command, &actions::RiskContext::current()) == actions::Risk::Safe => no("The last command only looked: there is nothing to take back."),
        _ => no("I do not know how to take that back."),
    }
}
