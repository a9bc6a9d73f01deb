//! A tree as packages: each has the files that it has put there last, and the folders above them.

use std::collections::BTreeMap;

use gpm::digest::Digest;
use gpm::manifest::Manifest;
use gpm::package::{Entry as FileEntry, Kind as FileKind};
use gpm::xattr::Xattrs;

use super::Descriptions;
use crate::error::{Error, Result};
use crate::tree::{Content, Entry, Kind, Tree};

/// A package in the making.
#[derive(Debug)]
pub(crate) struct Part {
    /// What it says of itself.
    pub manifest: Manifest,
    /// Its files, with contents where they are regular ones, by path.
    pub files: Vec<(FileEntry, Option<Content>)>,
}

type Files = BTreeMap<String, (FileEntry, Option<Content>)>;

/// Splits the tree. What nobody owns is `edition`'s. Files below `etc` of packages that are `ours`, and those of home directories, are
/// for people to change.
pub(crate) fn split(tree: &Tree, manifests: &Descriptions, edition: &str, ours: impl Fn(&str) -> bool) -> Result<Vec<Part>> {
    let owner = |path: &str| tree.owners.paths.get(path).map_or(edition, |it| it.as_ref());
    let mut files: BTreeMap<&str, Files> = manifests.keys().map(|name| (name.as_str(), Files::new())).collect();
    // Names of the same file, by the one that has the contents.
    let mut names: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (path, entry) in tree.iter() {
        match &entry.kind {
            Kind::File(_) => names.entry(path).or_default().push(path),
            Kind::HardLink(first) => names.entry(first).or_default().push(path),
            Kind::Directory | Kind::Symlink(_) => {
                let kind = match &entry.kind {
                    Kind::Symlink(target) => FileKind::Symlink { target: target.clone() },
                    _ => FileKind::Directory,
                };
                put(&mut files, owner(path), path, entry, kind, None)?;
            }
        }
    }
    for (first, mut names) in names {
        let Some(entry @ Entry { kind: Kind::File(content), .. }) = tree.get(first) else {
            return Err(Error::tree(first, "is a link's target, but no file"));
        };
        names.sort_unstable();
        // Packages can be removed one by one: only names of the same package share a file.
        let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
        for name in names {
            let owner = owner(name);
            match seen.get(owner) {
                Some(to) => put(&mut files, owner, name, entry, FileKind::Hardlink { to: (*to).to_owned() }, None)?,
                None => {
                    seen.insert(owner, name);
                    // Size and checksum are the package builder's to fill in.
                    let kind = FileKind::Regular { size: 0, sha512: Digest::of(b"") };
                    put(&mut files, owner, name, entry, kind, Some(content.clone()))?;
                }
            }
        }
    }
    let parts = files.into_iter().map(|(name, mut files)| {
        for path in files.keys().cloned().collect::<Vec<_>>() {
            for (end, _) in path.match_indices('/') {
                let folder = &path[..end];
                if let (false, Some(entry)) = (files.contains_key(folder), tree.get(folder)) {
                    files.insert(folder.to_owned(), (line(folder, entry, FileKind::Directory), None));
                }
            }
        }
        let mut manifest = manifests[name].clone();
        let is_file = |path: &String| files.get(path).is_some_and(|(it, _)| matches!(it.kind, FileKind::Regular { .. } | FileKind::Hardlink { .. }));
        if ours(name) {
            let changeable = |path: &&String| ["etc/", "root/", "home/"].iter().any(|it| path.starts_with(it));
            let changeable: Vec<String> = files.keys().filter(changeable).cloned().collect();
            manifest.config.extend(changeable);
        }
        manifest.config.retain(is_file);
        manifest.icon = manifest.icon.filter(is_file);
        Part { manifest, files: files.into_values().collect() }
    });
    Ok(parts.collect())
}

fn put(
    files: &mut BTreeMap<&str, Files>,
    owner: &str,
    path: &str,
    entry: &Entry,
    kind: FileKind,
    content: Option<Content>,
) -> Result<()> {
    let files = files.get_mut(owner).ok_or_else(|| Error::tree(path, format!("is {owner}'s, of which there is no package")))?;
    files.insert(path.to_owned(), (line(path, entry, kind), content));
    Ok(())
}

fn line(path: &str, entry: &Entry, kind: FileKind) -> FileEntry {
    let mtime = i64::try_from(entry.mtime).unwrap_or(i64::MAX);
    // Other names of a file have what the file has.
    let xattrs = if matches!(kind, FileKind::Regular { .. }) { entry.xattrs.clone() } else { Xattrs::new() };
    FileEntry { path: path.to_owned(), mode: entry.mode.into(), uid: entry.uid, gid: entry.gid, mtime, xattrs, kind }
}

#[cfg(test)]
mod tests {
    use gpm::version::Version;

    use super::*;

    #[test]
    fn files_go_with_who_has_put_them_last() {
        let mut tree = Tree::default();
        let file = |text: &str| Entry::new(Kind::File(text.as_bytes().to_vec().into()), 0o644, 1);
        tree.own("one");
        for path in ["usr/bin/z", "etc/conf", "usr/share/mine"] {
            tree.insert(path, file(path)).expect("inserts");
        }
        tree.insert("usr/bin/a", Entry::new(Kind::HardLink("usr/bin/z".into()), 0o644, 1)).expect("inserts");
        tree.own("two");
        tree.insert("etc/conf", file("ours")).expect("inserts");
        tree.insert("usr/bin/b", Entry::new(Kind::HardLink("usr/bin/z".into()), 0o644, 1)).expect("inserts");
        let manifest = |name: &str| Manifest::new(name, Version::new("1").expect("valid"), "text", "MIT");
        let manifests: Descriptions = ["one", "two", "all"].map(|name| (name.to_owned(), manifest(name))).into();
        tree.owners.current = None;
        tree.insert("made", file("by all")).expect("inserts");
        let parts = split(&tree, &manifests, "all", |name| name == "two").expect("splits");
        let lists: Vec<(&str, Vec<&str>)> =
            parts.iter().map(|part| (part.manifest.name.as_str(), part.files.iter().map(|(it, _)| it.path.as_str()).collect())).collect();
        assert_eq!(
            lists,
            [
                ("all", vec!["made"]),
                ("one", vec!["etc", "usr", "usr/bin", "usr/bin/a", "usr/bin/z", "usr/share", "usr/share/mine"]),
                ("two", vec!["etc", "etc/conf", "usr", "usr/bin", "usr/bin/b"]),
            ]
        );
        // The first name has the contents, also where it was a link before; another package's name is a file of its own.
        let kind = |part: usize, path: &str| parts[part].files.iter().find(|(it, _)| it.path == path).map(|(it, _)| it.kind.clone());
        assert!(matches!(kind(1, "usr/bin/a"), Some(FileKind::Regular { .. })));
        assert_eq!(kind(1, "usr/bin/z"), Some(FileKind::Hardlink { to: "usr/bin/a".into() }));
        assert!(matches!(kind(2, "usr/bin/b"), Some(FileKind::Regular { .. })));
        assert_eq!(parts[2].manifest.config.iter().collect::<Vec<_>>(), ["etc/conf"]);
        assert!(tree.owners.taken.contains(&("two".into(), "one".into())));
    }
}
