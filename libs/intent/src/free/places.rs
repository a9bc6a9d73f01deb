//! New files and directories, copies and links of single ones.

use actions::quote::quote_path;

use super::said::Said;
use super::{Reading, reading};
use crate::entity::Kind;
use crate::world::Exists;

/// A name that is given to something.
fn name(s: &Said<'_>, i: usize) -> Option<String> {
    let raw = s.raw(i).to_owned();
    let plain = !raw.is_empty() && !raw.starts_with('-') && !raw.contains(['*', '?', '[']) && (s.r.tokens[i].quoted || raw.chars().all(|c| c.is_alphanumeric() || "._-+@/~%,:=".contains(c)));
    (plain && !matches!(s.w[i], "and" | "with" | "it" | "file" | "files" | "each" | "every" | "all" | "from" | "of" | "the" | "in")).then_some(raw)
}

pub(super) fn places(s: &Said<'_>) -> Option<Reading> {
    let marks = s.marks();
    let result = match s.first() {
        "create" | "make" | "mkdir" | "touch" | "add" => created(s),
        "extract" | "unpack" | "untar" => unpacked(s),
        "copy" | "cp" | "move" | "mv" | "duplicate" => moved(s),
        _ => None,
    }
    .or_else(|| linked(s));
    if result.is_none() {
        s.restore(marks);
    }
    result
}

/// The names of a list: "bin, etc and log".
fn list(s: &Said<'_>, mut i: usize) -> Vec<String> {
    let mut all = Vec::new();
    while i < s.len() && s.free(i) {
        if matches!(s.w[i], "and" | "the") {
            s.mark(i, i + 1);
            i += 1;
            continue;
        }
        if matches!(s.w[i], "in" | "inside" | "under" | "with" | "to" | "from" | "below" | "within") && !s.r.tokens[i].quoted {
            break;
        }
        let Some(n) = name(s, i) else { break };
        s.mark(i, i + 1);
        all.push(n);
        i += 1;
    }
    all
}

/// The names of a list whose first one was read already, and their paths in the directory that is said after them.
fn several(s: &Said<'_>, first: usize) -> (Vec<String>, Vec<String>) {
    s.unmark(first, first + 1);
    let names = list(s, first);
    let dir = s.take("in|inside|under|within $ directory|folder?").map(|f| s.raw(f.at[0]).trim_end_matches('/').to_owned());
    let all = names.iter().map(|n| quote_path(&dir.as_ref().map_or(n.clone(), |d| format!("{d}/{n}")))).collect();
    (names, all)
}

fn created(s: &Said<'_>) -> Option<Reading> {
    if s.has(&["each", "every", "archive", "link", "symlink", "symbolic", "tarball", "copy", "backup", "user", "group", "alias", "variable", "size", "bytes", "containing", "all"]) {
        return None;
    }
    // A directory with something in it.
    if let Some(f) = s.take("create|make|mkdir new|nested? directory|folder structure|path|tree|hierarchy? called|named? $") {
        let dir = name(s, f.at[0])?;
        if s.has(&["move", "copy"]) {
            return None;
        }
        s.each(&["if it does not already? exist", "with? its|any|all? missing? parents|parent directories?", "including parents|parent directories?"]);
        let inside = s.take("with|containing|and subdirectories|subdirectory|folders|subfolders|directories|directory|folder called|named? $").or_else(|| s.take("and in|inside|within it subdirectories|folders|directories called|named? $"));
        if let Some(g) = inside {
            s.unmark(g.at[0], g.at[0] + 1);
            let names = list(s, g.at[0]);
            s.each(&["in|inside|below|within|under it", "in|inside there"]);
            let all: Vec<String> = names.iter().map(|n| quote_path(&format!("{}/{n}", dir.trim_end_matches('/')))).collect();
            return (!all.is_empty()).then(|| reading(format!("mkdir -p {}", all.join(" ")), format!("Makes {dir} with what is to be in it.")))?;
        }
        if let Some(g) = s.take("and|with|containing new? empty? file called|named? $") {
            let file = name(s, g.at[0])?;
            s.each(&["in|inside|within|into it", "in|inside there"]);
            let d = dir.trim_end_matches('/');
            return reading(format!("mkdir -p {} && touch {}", quote_path(&dir), quote_path(&format!("{d}/{file}"))), format!("Makes {dir} with an empty {file}."));
        }
        if s.left().is_empty() {
            return reading(format!("mkdir -p {}", quote_path(&dir)), format!("Makes the directory {dir}."));
        }
        return None;
    }
    if let Some(f) = s.take("create|make|mkdir #? new? directories|folders called|named? $") {
        let i = *f.at.last()?;
        let (_, all) = several(s, i);
        return (all.len() > 1 && !s.has(&["through"])).then(|| reading(format!("mkdir -p {}", all.join(" ")), "Makes these directories."))?;
    }
    if let Some(f) = s.take("create|make|touch #? new? empty? files|file called|named? $") {
        let i = *f.at.last()?;
        if s.has(&["through", "to"]) {
            return None;
        }
        let (names, all) = several(s, i);
        return (!all.is_empty()).then(|| reading(format!("touch {}", all.join(" ")), format!("Makes {}.", names.join(", "))))?;
    }
    None
}

/// An archive, into a directory that may have to be made.
fn unpacked(s: &Said<'_>) -> Option<Reading> {
    // "Extract only x from the archive": a member.
    let marks = s.marks();
    if let Some(f) = s.take("extract|unpack|untar|get only|just? single? file? $ from|out|of") {
        let member = s.raw(f.at[0]).to_owned();
        let archive = s.entity(|e| if let Kind::Path(p) = &e.kind { Some(p.clone()) } else { None }).filter(|a| a.contains(".tar") || a.ends_with(".tgz") || a.ends_with(".zip"));
        let to = s.take("to|into|in|inside|under existing? directory|folder? $ directory|folder?").map(|f| s.raw(f.at[0]).trim_end_matches('/').to_owned());
        let plain = member.contains('.') && !member.contains(['*', '?']) && archive.as_ref().is_some_and(|a| *a != member);
        let there = to.as_ref().is_none_or(|t| s.world().exists(t) == Some(Exists::Dir) || t == ".");
        if let (Some(a), true, true) = (archive, plain, there) {
            s.each(&["archive|file|tarball", "of|out|the|from", "only|just"]);
            let (q, m) = (quote_path(&a), quote_path(&member));
            let command = match (a.ends_with(".zip"), &to) {
                (true, Some(t)) => format!("unzip {q} {m} -d {}", quote_path(t)),
                (true, None) => format!("unzip {q} {m}"),
                (false, Some(t)) => format!("tar -xf {q} -C {} {m}", quote_path(t)),
                (false, None) => format!("tar -xf {q} {m}"),
            };
            return reading(command, format!("Takes {member} out of {a}."));
        }
    }
    s.restore(marks);
    s.mark(0, 1);
    s.each(&["contents|content of?", "archive|file|tarball"]);
    let f = s.take("to|into|in|inside|under new|existing? directory|folder? called|named? $ directory|folder?")?;
    let to = name(s, f.at[0])?;
    let archive = s.entity(|e| if let Kind::Path(p) = &e.kind { Some(p.clone()) } else { None })?;
    s.each(&["creating|create it|directory if it|needed|necessary?", "which|that does not exist yet?", "all|files|everything from"]);
    if s.world().exists(&to).is_some() {
        return None;
    }
    let (a, t) = (quote_path(&archive), quote_path(&to));
    let command = if archive.ends_with(".zip") { format!("unzip -q {a} -d {t}") } else if archive.contains(".tar") || archive.ends_with(".tgz") { format!("mkdir -p {t} && tar -xf {a} -C {t}") } else { return None };
    reading(command, format!("Unpacks {archive} into {to}, which is made."))
}

/// Several files that are named, to a directory.
fn moved(s: &Said<'_>) -> Option<Reading> {
    let moves = matches!(s.first(), "move" | "mv");
    s.mark(0, 1);
    s.each(&["files|file"]);
    let f = s.take_if("to|into|in|under new|existing? directory|folder? called|named? $ directory|folder?", |f| f.end + 2 > s.len() || s.w.get(f.end).is_some_and(|w| matches!(*w, "directory" | "folder" | "creating" | "which" | "that")))?;
    let i = f.at[0];
    let to = name(s, i)?;
    let is_dir = s.world().exists(&to) == Some(Exists::Dir) || (f.start..f.end).any(|k| matches!(s.w[k], "directory" | "folder")) || to.ends_with('/');
    if !is_dir {
        return None;
    }
    let mut files: Vec<String> = Vec::new();
    for k in 1..f.start {
        let path = match s.entity_at(k).map(|e| &e.kind) {
            Some(Kind::Path(p)) => p.clone(),
            Some(Kind::Quoted(q)) if s.world().exists(q).is_some() => q.clone(),
            _ => continue,
        };
        if s.free(k) {
            s.mark(k, k + 1);
            files.push(path);
        }
    }
    // "... from reports": they lie there.
    if let Some(from) = s.take("from|in directory|folder? $ directory|folder?").filter(|x| x.start < f.start) {
        let dir = s.raw(from.at[0]).trim_end_matches('/').to_owned();
        if s.world().exists(&dir) != Some(Exists::Dir) {
            return None;
        }
        for file in &mut files {
            if !file.contains('/') && s.world().exists(file).is_none() {
                *file = format!("{dir}/{file}");
            }
        }
    }
    if files.len() < 2 && (s.world().exists(&to).is_some() || files.is_empty()) {
        return None;
    }
    let make = if s.world().exists(&to) == Some(Exists::Dir) { String::new() } else { format!("mkdir -p {} && ", quote_path(&to)) };
    s.each(&["both", "creating it if needed|necessary", "which|that does not exist yet?"]);
    let all: Vec<String> = files.iter().map(|f| quote_path(f)).collect();
    reading(format!("{make}{} -t {} {}", if moves { "mv -n" } else { "cp" }, quote_path(&to), all.join(" ")), format!("{} {} to {to}.", if moves { "Moves" } else { "Copies" }, files.join(", ")))
}

/// A link in a directory, or a hard one; and what other names a file has.
fn linked(s: &Said<'_>) -> Option<Reading> {
    let marks = s.marks();
    if matches!(s.first(), "find" | "list" | "show" | "which" | "locate" | "search" | "what" | "are" | "get" | "display" | "print") {
        let f = s.take("hard links|link|hardlinks of|to|for file? $").or_else(|| s.take("hard-linked|hardlinked to|with file? $")).or_else(|| s.take("same inode as|with file? $"))?;
        let i = *f.at.last()?;
        let file = s.raw(i).to_owned();
        if s.world().exists(&file) != Some(Exists::File) || s.has(&["how", "number", "count"]) {
            s.restore(marks);
            return None;
        }
        let dir = s.dir().unwrap_or_else(|| ".".into());
        s.each(&["files|file|names|paths", "have|share|the", "other"]);
        return reading(format!("find {} -samefile {}", quote_path(&dir), quote_path(&file)), format!("Finds all names of {file}."));
    }
    if !matches!(s.first(), "create" | "make" | "add" | "set" | "link" | "put") {
        return None;
    }
    let hard = s.any(&["create|make|add|put new? hard link|hardlink"]);
    if !hard && s.take("create|make|add|put new? symbolic|soft|sym? link|symlink|softlink").is_none() {
        return None;
    }
    let target = s.take("that|which? points|point|pointing|refers|referring|leads|leading to file|directory|folder? $").or_else(|| s.take("to|for|of existing? file|directory|folder? $"));
    let (Some(target), None) = (target, s.look("each|every|all")) else {
        s.restore(marks);
        return None;
    };
    let target = s.raw(*target.at.last()?).to_owned();
    s.each(&["in current|this directory|folder", "here"]);
    let dir = s.take_if("in|inside|under|within directory|folder? $ directory|folder?", |f| s.world().exists(s.raw(f.at[0]).trim_end_matches('/')) == Some(Exists::Dir)).map(|f| s.raw(f.at[0]).trim_end_matches('/').to_owned());
    let at = s.take("named|called $").map(|f| f.at[0]).or_else(|| (0..s.len()).find(|&i| s.free(i) && name(s, i).is_some() && (matches!(s.entity_at(i).map(|e| &e.kind), Some(Kind::Path(_))) || s.world().exists(s.raw(i)).is_none() && i > 0 && matches!(s.w[i - 1], "link" | "symlink" | "hardlink"))));
    let Some(name) = at.and_then(|i| {
        s.mark(i, i + 1);
        name(s, i)
    }) else {
        s.restore(marks);
        return None;
    };
    let path = dir.as_ref().filter(|d| *d != "." && !name.contains('/')).map_or(name.clone(), |d| format!("{d}/{name}"));
    // The target is said as it is seen from here: a link elsewhere needs it as it is seen from there.
    let how = if hard { "ln" } else if path.contains('/') && !target.starts_with(['/', '~']) { "ln -sr" } else { "ln -s" };
    reading(format!("{how} -- {} {}", quote_path(&target), quote_path(&path)), format!("Makes the link {path} to {target}."))
}
