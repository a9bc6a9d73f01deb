//! Where files are: "under the /etc directory", "in the current directory tree".

use super::cursor::{Cursor, small};
use crate::entity::Kind;
use crate::world::Exists;

/// A place, and whether it was said to be a tree.
pub(super) struct Place {
    pub dirs: Vec<String>,
    /// This directory, by words.
    pub here: bool,
    /// Only what is in it itself.
    pub flat: bool,
}

const IN: &str = "in|under|below|beneath|underneath|inside|within|from|at|on|of|throughout|through|into|across|down";
const FOLDER: &str = "directory|folder|dir|path|location|directories|folders|subdirectory|subfolder|dirs|tree|hierarchy|structure";

/// A directory that is named at the cursor; crossed off.
fn dir(c: &mut Cursor<'_, '_>) -> Option<(String, bool)> {
    c.articles();
    let begin = (c.i, c.s.marks());
    c.eats("entire|whole|complete|full|given|following|specified");
    c.articles();
    let whole = "file system|systems|hierarchy|tree";
    if c.one_of(&["current|present? working directory|folder|dir|tree|location|path|hierarchy|subdirectory|one", "current|present|this directory|folder|dir|tree|location|place|path|hierarchy|level|one", "pwd", "here"]) {
        return Some((".".into(), true));
    }
    if c.one_of(&["users|user|user's|your? home directory|folder|dir", "home directory|folder|dir", "home of? current? user"]) {
        return Some(("~".into(), false));
    }
    if c.one_of(&["root directory|folder|dir|filesystem|partition|tree", &format!("root {whole}"), "root", "filesystem|filesystems root?", whole, "system|disk|computer|machine|drive|server|disc"]) {
        return Some(("/".into(), false));
    }
    if c.one_of(&["parent directory|folder"]) {
        return Some(("..".into(), false));
    }
    // "the directory x", "the x directory".
    // "under dir", without an article: that is its name.
    if c.i == begin.0 && c.i > 0 && c.is("dir") && IN.split('|').any(|w| w == c.s.w[c.i - 1]) && (c.i + 1 == c.s.len() || matches!(c.s.w[c.i + 1], "and" | "then" | "that" | "which" | "with")) {
        c.cross();
        return Some(("dir".into(), false));
    }
    let told = c.eat(FOLDER).is_some();
    if told {
        c.eats(FOLDER);
        c.eats("named|called");
    }
    c.articles();
    if c.done() || !c.s.free(c.i) {
        c.s.restore(begin.1);
        c.i = begin.0;
        return None;
    }
    if let Some(d) = c.entity_if(|k| if let Kind::Dir(d) = k { Some(d.clone()) } else { None }) {
        return Some((d, false));
    }
    let raw = c.s.raw(c.i).trim_end_matches('\'').to_owned();
    let pathlike = raw.starts_with(['/', '~']) || raw.starts_with("./") || raw.starts_with("../") || variable(&raw) || raw.ends_with('/') && raw.len() > 1;
    let followed = c.s.w.get(c.i + 1).is_some_and(|w| FOLDER.split('|').any(|f| f == *w)) && !c.s.quoted(c.i + 1);
    let exists = c.s.world().exists(&raw) == Some(Exists::Dir);
    let named = (told || followed || raw.contains('/')) && (c.quoted() || !small(c.word())) && !raw.contains(['*', '?', '[', ' ', '(']) && c.s.number(c.i).is_none();
    let searched = c.i == 1 && matches!(c.s.w[0], "search" | "searches" | "scan") && c.s.w.get(2) == Some(&"for");
    let known = exists && (searched || c.quoted() || !crate::vocabulary::is_common(c.word()) || told || followed || c.i > 0 && IN.split('|').any(|w| w == c.s.w[c.i - 1]));
    if (pathlike && !raw.contains(['*', '?', '[', ' ', '|', ';']) || named || known) && plausible(&raw) {
        c.cross();
        let path = if raw.len() > 1 { raw.trim_end_matches('/').to_owned() } else { raw };
        return Some((path, false));
    }
    c.s.restore(begin.1);
    c.i = begin.0;
    None
}

fn plausible(raw: &str) -> bool {
    !raw.is_empty() && !raw.starts_with('-') && raw.chars().all(|c| c.is_alphanumeric() || "._-+@/~$%,:={}".contains(c)) && (!raw.contains('$') || variable(raw))
}

/// `$DIR`, `${DIR}/x`: a variable of the shell, and no more than that.
pub(super) fn variable(raw: &str) -> bool {
    let Some(rest) = raw.strip_prefix('$') else { return false };
    let (name, rest) = match rest.strip_prefix('{') {
        Some(inner) => match inner.split_once('}') {
            Some(both) => both,
            None => return false,
        },
        None => rest.split_at(rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len())),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && (rest.is_empty() || rest.starts_with('/')) && rest.chars().all(plain)
}

/// What follows a place and says that all below it is meant.
pub(super) fn tree(c: &mut Cursor<'_, '_>) -> bool {
    let mut hit = false;
    loop {
        let sub = "subdirectories|subfolders|sub-directories|sub-folders|subdirs|subdirectory|subfolder|children|descendants";
        let found = c.one_of(&[
            &format!("and|or|including|with|plus in|under? also? all? of? it's|its|their|any|other? nested? {sub} recursively?"), "and|or in? its? sub directories|folders|directory|folder recursively?", "and|or below|beneath|underneath|under|down|beyond|deeper it?", "and all? directories|folders below|beneath|underneath|under it?", "and everything|all below|under|beneath it?", "directory|folder|dir|file? tree|trees|hierarchy|hierarchies|structure|subtree",
            "recursively", "directory|folder|directories|folders|dir|path|location", "rooted at?",
        ]);
        if !found {
            return hit;
        }
        hit |= c.i > 0 && !matches!(c.s.w[c.i - 1], "directory" | "folder" | "directories" | "folders" | "dir" | "path" | "location");
    }
}

/// "under x", "in x and y".
pub(super) fn place(c: &mut Cursor<'_, '_>, bare: bool) -> Option<Place> {
    let begin = (c.i, c.s.marks());
    let back = |c: &mut Cursor<'_, '_>| {
        c.s.restore(begin.1.clone());
        c.i = begin.0;
    };
    if c.one_of(&["located|right|in? here"]) {
        return Some(Place { dirs: vec![".".into()], here: true, flat: false });
    }
    let led = c.eat(&format!("located|residing|existing|present|found|stored|contained|rooted|starting|directly|anywhere|somewhere|everywhere|only? {IN} or|and? in|under|below|inside|beneath|from?")).is_some();
    if led {
        c.eat("directory tree|hierarchy rooted? at|under|of|in?");
        c.eats("in|under|below|at");
    }
    let flat = c.s.w[begin.0..c.i].contains(&"directly");
    if !led && !bare {
        return None;
    }
    let Some((first, here)) = dir(c) else {
        back(c);
        return None;
    };
    let mut dirs = vec![first];
    let here = !tree(c) && here;
    // "x, y and z".
    loop {
        let at = (c.i, c.s.marks());
        let joined = c.eats("and|or in|under|below|from?");
        let raw = c.s.w.get(c.i).map(|_| c.s.raw(c.i)).unwrap_or("");
        let next = raw.starts_with(['/', '~']) || raw.starts_with("./") || variable(raw) || (raw.ends_with('/') || joined && c.s.world().exists(raw) == Some(Exists::Dir)) && raw.len() > 1;
        let found = if next && !raw.contains(['*', '?']) { dir(c) } else { None };
        let Some((d, _)) = found else {
            c.s.restore(at.1);
            c.i = at.0;
            break;
        };
        dirs.push(d);
        tree(c);
    }
    dirs.dedup();
    Some(Place { dirs, here, flat })
}
