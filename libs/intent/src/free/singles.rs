//! What is done to one file or directory as a whole: it is emptied, or somebody may use it, or not.

use actions::quote::quote_path;

use super::said::Said;
use super::set;
use super::{Reading, reading};
use crate::entity::Kind;
use crate::world::Exists;

pub(super) fn singles(s: &Said<'_>) -> Option<Reading> {
    let marks = s.marks();
    for read in [emptied, bits, allowed, ordered, owned, exists] {
        if let Some(r) = read(s) {
            return Some(r);
        }
        s.restore(marks.clone());
    }
    None
}

/// The one path that is named and exists, crossed off with what announces it.
fn target(s: &Said<'_>) -> Option<(String, Exists)> {
    let named = |i: usize| i > 0 && matches!(s.w[i - 1], "on" | "of" | "for" | "from" | "to" | "the" | "in" | "folder" | "directory" | "file" | "inside" | "script" | "enter" | "open" | "read" | "write" | "run" | "execute" | "change" | "modify" | "touch");
    let found: Vec<usize> = (0..s.len()).filter(|&i| s.free(i) && s.world().exists(s.raw(i)).is_some() && (matches!(s.entity_at(i).map(|e| &e.kind), Some(Kind::Path(_) | Kind::Quoted(_))) || s.raw(i).contains('/') || named(i))).collect();
    let [i] = found[..] else { return None };
    let path = s.raw(i).to_owned();
    let what = s.world().exists(&path)?;
    s.mark(i, i + 1);
    s.each(&["contents|content of", "folder|directory|file|dir|subdirectory|script"]);
    Some((if path.len() > 1 { path.trim_end_matches('/').to_owned() } else { path }, what))
}

/// "Empty the folder x": what is in it goes, the folder stays. A file is left with nothing in it.
fn emptied(s: &Said<'_>) -> Option<Reading> {
    const ALL: &str = "everything|all|anything";
    let inside = s.take(&format!("delete|remove|erase|wipe|purge|clear {ALL} files? and? folders|directories|subdirectories? that? is|are|lies? in|inside|from|within|below"));
    let stays = s.any(&["but|and|while keep|keeping|leave|leaving|retain|retaining directory|folder|dir itself|alone?", "but|and not directory|folder itself?", "without deleting|removing directory|folder itself?", "but|and keep|leave it", "directory|folder itself stays|remains"]);
    let lead = inside.is_some() || s.take("empty|clear|wipe|truncate|blank out|completely?").is_some_and(|f| f.start == 0) || s.take("clean|throw out").is_some_and(|f| f.start == 0);
    if !lead || inside.is_some() && !stays {
        return None;
    }
    s.each(&[&format!("{ALL} in|inside|from|of"), "contents|content of", "to zero|0 length|bytes|size?", "completely|entirely", "of all|its? contents|files", "without deleting|removing it|file?"]);
    let begin = s.marks();
    const TRASH: &str = "~/.local/share/Trash";
    if s.any(&["trash|wastebasket|rubbish can|bin?", "recycle bin"]) && s.left().is_empty() && s.world().exists(&format!("{TRASH}/files")) == Some(Exists::Dir) {
        return reading(format!("find {TRASH}/files {TRASH}/info -mindepth 1 -delete"), "Deletes what is in the trash. It cannot be brought back.");
    }
    if let Some((path, what)) = target(s) {
        return match what {
            // Of a directory all, of a link to one only what it leads to.
            Exists::Dir if !matches!(path.as_str(), "/" | "~" | "." | "..") => reading(format!("find {} -mindepth 1 -delete", quote_path(&format!("{path}/"))), format!("Deletes all that is in {path}; the folder itself stays. It cannot be brought back.")),
            Exists::Dir => None,
            Exists::File => reading(format!("truncate -s 0 -- {}", quote_path(&path)), format!("Makes {path} empty; what it holds is lost.")),
        };
    }
    s.restore(begin);
    // "Empty all log files in x".
    if s.has(&["directories", "folders", "subdirectories", "dirs"]) || !s.has(&["all", "every", "each"]) {
        return None;
    }
    let f = set::set(s);
    (f.kind == "f" && !f.tests.is_empty() && s.left().is_empty()).then(|| reading(format!("{} -exec truncate -s 0 {{}} +", f.find()), format!("Empties the {}; what they hold is lost.", f.describe())))?
}

/// "Change the group of x to users".
fn owned(s: &Said<'_>) -> Option<Reading> {
    let plain = |w: &str| !w.is_empty() && !w.starts_with('-') && w.chars().all(|c| c.is_ascii_alphanumeric() || "._-:".contains(c));
    let lead = s.take("change|set|modify|update owner|ownership|group|user and|or? group|owner? ownership? of|for|on").filter(|f| f.start == 0)?;
    let said: Vec<&str> = s.w[lead.start..lead.end].to_vec();
    let both = said.contains(&"and");
    let group = !both && said.contains(&"group");
    let to = s.take("to user|group? $")?;
    let who = s.raw(to.at[0]).to_owned();
    let deep = s.any(&["recursively", "and everything|all|its? contents in|inside|below? it?", "everything|all in|inside|below"]);
    let (path, what) = target(s)?;
    if !plain(&who) || !s.left().is_empty() {
        return None;
    }
    let who = if both && !who.contains(':') { format!("{who}:{who}") } else { who };
    let option = if deep && what == Exists::Dir { " -R" } else { "" };
    reading(format!("{}{option} {who} -- {}", if group { "chgrp" } else { "chown" }, quote_path(&path)), format!("Changes to whom {path} belongs."))
}

/// "Check if x exists", "is x a directory".
fn exists(s: &Said<'_>) -> Option<Reading> {
    let asks = s.take("check|test|see|tell|determine|find|verify me|out? if|whether").is_some_and(|f| f.start == 0) || s.take("is|does").is_some_and(|f| f.start == 0);
    if !asks {
        return None;
    }
    s.each(&["there"]);
    let test = [("a|an? existing? directory|folder", 'd'), ("a? symbolic link|links", 'h'), ("a? symlink", 'h'), ("a? regular|ordinary|normal|plain file", 'f'), ("empty", 's'), ("readable", 'r'), ("writable|writeable", 'w'), ("executable", 'x'), ("exists|exist|there|present", 'e')];
    let i = (0..s.len()).find(|&i| s.free(i) && (matches!(s.entity_at(i).map(|e| &e.kind), Some(Kind::Path(_) | Kind::Quoted(_))) || s.world().exists(s.raw(i)).is_some() && s.w[i] != "."))?;
    let path = s.raw(i).to_owned();
    s.mark(i, i + 1);
    // "The directory x exists": which kind it is to be.
    let kind = s.any(&["directory|folder called|named? exists|exist", "directory|folder exists|exist"]);
    let (_, letter) = *test.iter().find(|(words, _)| kind && words.starts_with("exists") || s.any(&[&format!("is|are? {words}"), words]))?;
    let letter = if kind { 'd' } else { letter };
    s.each(&["file|directory|folder|path", "called|named", "exists|exist", "is|a|or|not", "say|print yes|no", "yes|no"]);
    let q = quote_path(&path);
    let (yes, no) = if letter == 's' { ("not empty", "empty") } else { ("yes", "no") };
    reading(format!("[ -{letter} {q} ] && echo {yes} || echo {no}"), format!("Says so of {path}."))
}

/// "List x by size, smallest first": one directory, in some order.
fn ordered(s: &Said<'_>) -> Option<Reading> {
    s.take("list|show|display|print|ls|give|get").filter(|f| f.start == 0)?;
    let (key, down) = super::listing::order(s)?;
    let long = s.any(&["with|including|and|showing all? their? details|sizes|dates|size|date|permissions", "in? long form|format|listing"]);
    let hidden = s.any(&["including|with hidden|invisible files|ones|entries?", "and hidden files|ones?"]);
    s.each(&["all? files|entries|contents|content|everything|items and directories|folders|subdirectories?", "all"]);
    let dir = s.dir()?;
    if !s.left().is_empty() || s.world().exists(&dir) != Some(Exists::Dir) || s.has(&["recursively", "under", "below", "tree", "subdirectories", "only"]) {
        return None;
    }
    let by = match key {
        "size" => "S",
        "time" => "t",
        "ext" => "X",
        _ => "",
    };
    // `ls` begins with the largest and the newest by itself.
    let reverse = if matches!(key, "size" | "time") { !down } else { down };
    let flags = format!("{}{}{by}{}", if hidden { "A" } else { "" }, if long || key == "size" { "lh" } else if key == "time" { "l" } else { "1" }, if reverse { "r" } else { "" });
    reading(format!("ls -{flags} {}", quote_path(&dir)), format!("Lists {dir} in that order."))
}

/// "Set the sticky bit on x".
fn bits(s: &Said<'_>) -> Option<Reading> {
    let off = matches!(s.first(), "remove" | "clear" | "unset" | "drop" | "take" | "delete" | "disable") || s.look("turn|switch off").is_some() || s.look("no longer").is_some();
    let f = s.take("sticky|setuid|suid|set-user-id|setgid|sgid|set-group-id bit|flag").or_else(|| s.take("set user|group id bit|flag"))?;
    let said = &s.w[f.start..f.end];
    let sign = if off { '-' } else { '+' };
    let mode = if said.contains(&"sticky") { format!("{sign}t") } else if said.iter().any(|w| matches!(*w, "setuid" | "suid" | "set-user-id" | "user")) { format!("u{sign}s") } else { format!("g{sign}s") };
    s.each(&["set|add|put|turn|switch|enable|give|remove|clear|unset|drop|take|delete|disable|make|away", "on|off|from|for|of|away", "have|has|with"]);
    let (path, _) = target(s)?;
    reading(format!("chmod {mode} -- {}", quote_path(&path)), format!("{} that bit {} {path}.", if off { "Takes" } else { "Sets" }, if off { "from" } else { "on" }))
}

/// "Others must not be able to write x", "nobody may read x", "the group may run x".
fn allowed(s: &Said<'_>) -> Option<Reading> {
    const MODAL: &str = "must|may|should|shall|can|could|cannot|is|are|ought|has|have";
    let alone = s.take("only owner|user|me|i|myself must|may|should|shall|can|could|is|has").filter(|f| f.start == 0);
    if alone.is_some() {
        s.each(&["be able|allowed|permitted to?", "able|allowed|permitted to?", "right|rights|permission|permissions|access to?", "be"]);
        return change(s, "u", false, true);
    }
    let f = s.take("owner|group|others|other|everyone|everybody|anyone|anybody|all|nobody|noone users|members|people|else? $").or_else(|| s.take("no one else? $"))?;
    let modal = *f.at.last()?;
    if f.start > 1 || !MODAL.split('|').any(|m| s.w[modal] == m) {
        return None;
    }
    let who = match s.w[f.start] {
        "owner" => "u",
        "group" => "g",
        "others" | "other" => "o",
        _ if s.w[f.start..modal].contains(&"else") => "go",
        _ => "a",
    };
    rights_of(s, who, f.start, modal)
}

/// What follows "the group may".
fn rights_of(s: &Said<'_>, who: &str, start: usize, modal: usize) -> Option<Reading> {
    let mut no = matches!(s.w[start], "nobody" | "noone" | "no") || s.w[modal] == "cannot";
    no |= s.any(&["not|never", "no longer", "not|no anymore|more"]);
    s.each(&["to? be able|allowed|permitted to?", "right|rights|permission|permissions|access to?", "be"]);
    change(s, who, no, false)
}

/// The rights that are said, of the one path that is: for `who`, and taken from all others where only they are to have them.
fn change(s: &Said<'_>, who: &str, no: bool, alone: bool) -> Option<Reading> {
    let mut rights = String::new();
    for (words, letter) in [("read|open|see|look|view", 'r'), ("write|modify|change|edit|overwrite|alter", 'w'), ("execute|run|enter|start|launch", 'x')] {
        if s.each(&[&format!("and|or|nor|even? {words} at|to|into|in?"), words]) {
            rights.push(letter);
        }
    }
    if rights.is_empty() && s.any(&["access|touch|use|do anything? with?"]) {
        rights = "rwx".into();
    }
    if rights.is_empty() {
        return None;
    }
    let deep = s.any(&["recursively", "and everything|all in|inside|below it", "everything|anything|all in|inside|below", "files in|inside|below"]);
    let (path, what) = target(s)?;
    s.each(&["anymore|any|more"]);
    let option = if deep && what == Exists::Dir { " -R" } else { "" };
    let sign = if no { '-' } else { '+' };
    let others = if alone { format!(",go-{rights}") } else { String::new() };
    reading(format!("chmod{option} {who}{sign}{rights}{others} -- {}", quote_path(&path)), format!("Changes who may use {path}."))
}
