//! Makes packages of Debian's.

pub mod control;
mod expand;
pub mod scripts;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use control::Stanza;

use crate::digest::{Digest, Hashed, Hasher};
use crate::manifest::{AppStream, Manifest, Trigger};
use crate::package::{Builder, Entry, Kind};
use crate::sandbox;
use crate::xattr::{self, Xattrs};

/// The largest member of an archive that is read into memory.
const MAX_MEMBER: u64 = 4 << 30;
const MAX_CONTROL: u64 = 16 << 20;

/// Why a Debian package is not taken.
#[derive(Debug, thiserror::Error)]
pub enum DebError {
    /// The file.
    #[error("cannot read it: {0}")]
    Read(#[from] io::Error),
    /// Its form.
    #[error("it is no Debian package: {0}")]
    Format(String),
    /// A field of its control file.
    #[error("its field {name}: {reason}")]
    Field {
        /// Which.
        name: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// A file that our packages do not hold.
    #[error("it has {path:?}, which is neither file, folder nor link")]
    Special {
        /// Which.
        path: String,
    },
    /// Scripts that are not understood.
    #[error("its maintainer scripts do what is not understood, and are never run unseen:\n{}\n(--drop-scripts takes the package without them)", .0.join("\n"))]
    Scripts(Vec<String>),
}

/// What becomes of maintainer scripts that are not understood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unknown {
    /// The package is refused.
    #[default]
    Refuse,
    /// They are left out, and that is said.
    Drop,
}

/// A package that can be written as one of ours.
pub struct Imported {
    /// The builder, filled.
    pub builder: Builder,
    /// Its manifest.
    pub manifest: Manifest,
    /// What its owner should know: what the scripts would have done, and the like.
    pub notes: Vec<String>,
}


/// What stands before a line of a script that would have done something, among the notes.
pub const NEVER_RUN: &str = "never run: ";

/// Larger files of a package do not go through memory.
const SPOOLED: u64 = 1 << 20;

/// The tar archive that is compressed in a member; of at most `limit` bytes.
fn unpack<'a>(name: &str, data: impl Read + 'a, limit: u64) -> Result<Box<dyn Read + 'a>, DebError> {
    let end = name.rsplit('.').next().unwrap_or_default();
    Ok(match end {
        "xz" => Box::new(lzma_rust2::XzReader::new(data, true).take(limit)),
        "gz" => Box::new(flate2::read::GzDecoder::new(data).take(limit)),
        "zst" => Box::new(zstd::Decoder::new(data)?.take(limit)),
        "tar" => Box::new(data.take(limit)),
        other => return Err(DebError::Format(format!("its member {name} is compressed by {other:?}"))),
    })
}

/// Reads a Debian package.
///
/// # Errors
/// When it is damaged, for another machine, has files that packages do not hold, or scripts that are not understood.
pub fn import(path: &Path, unknown: Unknown) -> Result<Imported, DebError> {
    read(path, unknown, None)
}

/// The same, with large files laid out in `folder`, which must stay until the package is written.
///
/// # Errors
/// As [`import`]; and when they cannot be written.
pub fn import_within(path: &Path, unknown: Unknown, folder: &Path) -> Result<Imported, DebError> {
    read(path, unknown, Some(folder))
}

fn read(path: &Path, unknown: Unknown, folder: Option<&Path>) -> Result<Imported, DebError> {
    let mut archive = ar::Archive::new(File::open(path)?);
    let (mut control, mut data) = (None, None);
    let mut version = Vec::new();
    while let Some(entry) = archive.next_entry() {
        let mut entry = entry.map_err(|error| DebError::Format(error.to_string()))?;
        let name = String::from_utf8_lossy(entry.header().identifier()).trim_end_matches('/').to_owned();
        if name == "debian-binary" {
            entry.read_to_end(&mut version)?;
        } else if name.starts_with("control.tar") {
            let mut text = Vec::new();
            unpack(&name, &mut entry, MAX_CONTROL)?.read_to_end(&mut text)?;
            control = Some(text);
        } else if name.starts_with("data.tar") {
            data = Some(entries(unpack(&name, &mut entry, MAX_MEMBER)?, folder)?);
        }
    }
    if !version.starts_with(b"2.") {
        return Err(DebError::Format("it does not say that its format is 2".into()));
    }
    let control = control.ok_or_else(|| DebError::Format("it has no control files".into()))?;
    let (mut files, spooled) = data.ok_or_else(|| DebError::Format("it has no data".into()))?;
    let members = control_members(&control)?;
    let stanza = members.get("control").map(|it| Stanza::parse(&String::from_utf8_lossy(it)));
    let mut manifest = control::manifest(&stanza.ok_or_else(|| DebError::Format("it has no control file".into()))?)?;
    let mut notes = Vec::new();
    translate(&members, &files, &mut manifest, unknown, &mut notes)?;
    for (path, value) in capabilities_of(&members) {
        // Another name of a file has what the file has.
        let first = match files.get(path.trim_start_matches('/')) {
            Some((Entry { kind: Kind::Hardlink { to }, .. }, _)) => to.clone(),
            _ => path.trim_start_matches('/').to_owned(),
        };
        match files.get_mut(&first) {
            Some((entry, _)) if matches!(entry.kind, Kind::Regular { .. }) => drop(entry.xattrs.insert(xattr::CAPABILITY.to_owned(), value)),
            _ => notes.push(format!("its scripts give {path} capabilities, which is none of its programs")),
        }
    }
    dress(&files, &mut manifest);
    let mut builder = Builder::new(manifest.clone());
    for (path, (entry, contents)) in files {
        match spooled.get(&path) {
            Some(place) => builder.add_from(entry, place.clone()),
            None => builder.add(entry, contents),
        }
    }
    Ok(Imported { builder, manifest, notes })
}

/// The manifest of a Debian package whose files somebody else has unpacked: `control` is its control archive (tar), `files` what is taken of
/// its data. Of their contents only those of the copyright file and of desktop entries are looked at. Maintainer scripts become triggers or
/// are left out, with notes; so are alternatives. Configuration files that are not among `files` are not named.
///
/// # Errors
/// When the control file cannot be understood.
pub fn describe(control: &[u8], files: &Files) -> Result<(Manifest, Vec<String>), DebError> {
    let members = control_members(control)?;
    let stanza = members.get("control").map(|it| Stanza::parse(&String::from_utf8_lossy(it)));
    let mut manifest = control::manifest(&stanza.ok_or_else(|| DebError::Format("it has no control file".into()))?)?;
    let mut notes = Vec::new();
    translate(&members, files, &mut manifest, Unknown::Drop, &mut notes)?;
    // Who unpacks it makes such links too.
    manifest.scriptlets.clear();
    dress(files, &mut manifest);
    Ok((manifest, notes))
}

fn control_members(tar: &[u8]) -> Result<BTreeMap<String, Vec<u8>>, DebError> {
    let mut members = BTreeMap::new();
    for entry in tar::Archive::new(tar).entries()? {
        let mut entry = entry?;
        let name = entry.path()?.to_string_lossy().trim_start_matches("./").to_owned();
        let mut text = Vec::new();
        entry.read_to_end(&mut text)?;
        members.insert(name, text);
    }
    Ok(members)
}

/// Files with their contents, by path.
pub type Files = BTreeMap<String, (Entry, Vec<u8>)>;

/// Where the contents of large files lie, by path.
type Spooled = HashMap<String, PathBuf>;

/// The files of a tar archive; the contents of large ones go into `folder`, where there is one.
fn entries(tar: impl Read, folder: Option<&Path>) -> Result<(Files, Spooled), DebError> {
    let mut files = Files::new();
    let mut spooled = Spooled::new();
    // Which names are the same file, by the one that the archive has first.
    let mut groups: HashMap<String, Vec<String>> = HashMap::new();
    let clean = |path: &Path| {
        let text = path.to_str().ok_or_else(|| DebError::Format(format!("{} is not UTF-8", path.display())))?;
        Ok::<_, DebError>(text.trim_start_matches("./").trim_end_matches('/').to_owned())
    };
    let mut archive = tar::Archive::new(tar);
    for (number, entry) in archive.entries()?.enumerate() {
        let mut entry = entry?;
        let path = clean(&entry.path()?)?;
        if path.is_empty() || path == "." {
            continue;
        }
        let header = entry.header().clone();
        let xattrs = carried(&mut entry)?;
        let target = || -> Result<Option<String>, DebError> { entry.link_name()?.map(|it| it.to_str().map(str::to_owned).ok_or_else(|| DebError::Format("a link is not UTF-8".into()))).transpose() };
        let kind = match header.entry_type() {
            tar::EntryType::Directory => Kind::Directory,
            tar::EntryType::Symlink => Kind::Symlink { target: target()?.unwrap_or_default() },
            tar::EntryType::Link => {
                let first = clean(Path::new(&target()?.unwrap_or_default()))?;
                groups.entry(first.clone()).or_default().push(path.clone());
                Kind::Hardlink { to: first }
            }
            tar::EntryType::Regular | tar::EntryType::Continuous => Kind::Regular { size: 0, sha512: Digest::of(b"") },
            _ => return Err(DebError::Special { path }),
        };
        let mut kind = kind;
        let mut contents = Vec::new();
        if matches!(kind, Kind::Regular { .. }) {
            match folder.filter(|_| entry.size() > SPOOLED) {
                Some(folder) => {
                    let place = folder.join(format!("file-{number}"));
                    let mut output = Hashed { output: File::create(&place)?, hasher: Hasher::new() };
                    let size = io::copy(&mut entry, &mut output)?;
                    kind = Kind::Regular { size, sha512: output.hasher.finish() };
                    spooled.insert(path.clone(), place);
                }
                None => drop(entry.read_to_end(&mut contents)?),
            }
        }
        let number = |value: io::Result<u64>| u32::try_from(value.unwrap_or(0)).unwrap_or(0);
        let mode = header.mode()? & 0o7777;
        let mtime = i64::try_from(header.mtime()?).unwrap_or(0);
        let entry = Entry { path: path.clone(), mode, uid: number(header.uid()), gid: number(header.gid()), mtime, xattrs, kind };
        files.insert(path, (entry, contents));
    }
    // What follows the archive's end is nothing, but its compression's checksum is only looked at when it has been read.
    io::copy(&mut archive.into_inner(), &mut io::sink())?;
    // The contents stand with the name that comes first in the order of paths.
    for (first, others) in groups {
        let mut names = others;
        names.push(first.clone());
        names.sort();
        let Some(to) = names.first().cloned().filter(|it| *it != first) else { continue };
        let Some((entry, contents)) = files.get(&first).cloned() else { continue };
        for name in &names {
            let kind = if *name == to { entry.kind.clone() } else { Kind::Hardlink { to: to.clone() } };
            let text = if *name == to { contents.clone() } else { Vec::new() };
            if *name == to
                && let Some(place) = spooled.remove(&first)
            {
                spooled.insert(name.clone(), place);
            }
            let xattrs = if *name == to { entry.xattrs.clone() } else { Xattrs::new() };
            files.insert(name.clone(), (Entry { path: name.clone(), kind, xattrs, ..entry.clone() }, text));
        }
    }
    Ok((files, spooled))
}

/// The capabilities that its scripts give programs when it is installed.
fn capabilities_of(members: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, xattr::Value> {
    members.get("postinst").map(|it| scripts::classify(&String::from_utf8_lossy(it)).capabilities).unwrap_or_default()
}

/// What an archive says of a file's extended attributes, as far as packages carry them.
fn carried(entry: &mut tar::Entry<'_, impl Read>) -> io::Result<Xattrs> {
    let mut found = Xattrs::new();
    if entry.header().entry_type() == tar::EntryType::Regular
        && let Some(extensions) = entry.pax_extensions()?
    {
        for extension in extensions {
            let extension = extension?;
            if let Ok(name) = extension.key()
                && let Some(name) = name.strip_prefix("SCHILY.xattr.").filter(|it| xattr::is_carried(it))
            {
                found.insert(name.to_owned(), xattr::Value(extension.value_bytes().to_vec()));
            }
        }
    }
    Ok(found)
}

/// Scripts, triggers and configuration files.
fn translate(
    members: &BTreeMap<String, Vec<u8>>,
    files: &Files,
    manifest: &mut Manifest,
    unknown: Unknown,
    notes: &mut Vec<String>,
) -> Result<(), DebError> {
    let text = |name: &str| members.get(name).map(|it| String::from_utf8_lossy(it).into_owned());
    let mut triggers: BTreeSet<&str> = BTreeSet::new();
    let mut strange = Vec::new();
    let mut alternatives = BTreeSet::new();
    for name in ["preinst", "postinst", "prerm", "postrm", "config"] {
        let Some(script) = text(name) else { continue };
        let verdict = scripts::classify(&script);
        triggers.extend(verdict.triggers);
        if name == "postinst" {
            alternatives.extend(verdict.alternatives);
        }
        notes.extend(verdict.dropped.into_iter().map(|it| format!("{name}: left out, as it only {it}")));
        strange.extend(verdict.unknown.into_iter().map(|line| format!("    {name}: {line}")));
    }
    if !strange.is_empty() {
        if unknown == Unknown::Refuse {
            return Err(DebError::Scripts(strange));
        }
        notes.extend(strange.into_iter().map(|line| format!("{NEVER_RUN}{}", line.trim())));
    }
    scripts::arrange(&alternatives, &mut manifest.scriptlets);
    for line in text("triggers").unwrap_or_default().lines().map(str::trim).filter(|it| !it.is_empty() && !it.starts_with('#')) {
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            ["activate" | "activate-noawait" | "activate-await", "ldconfig"] => drop(triggers.insert("ldconfig")),
            [verb, name] if verb.starts_with("interest") && !triggers_of(files).any(|(_, paths)| paths.contains(&name)) => {
                notes.push(format!("its trigger on {name} is left out"));
            }
            _ => {}
        }
    }
    for (known, paths) in triggers_of(files) {
        manifest.triggers.extend(trigger(known, paths));
    }
    // The library's own package wakes ldconfig too: whoever is installed first.
    for known in triggers {
        if !manifest.triggers.iter().any(|it| it.scriptlet.script == known) {
            manifest.triggers.extend(trigger(known, paths_of(known)));
        }
    }
    for path in text("conffiles").unwrap_or_default().lines().map(|it| it.trim().trim_start_matches('/')) {
        if files.get(path).is_some_and(|(entry, _)| matches!(entry.kind, Kind::Regular { .. } | Kind::Hardlink { .. })) {
            manifest.config.insert(path.to_owned());
        }
    }
    Ok(())
}

fn trigger(known: &str, paths: &[&str]) -> Option<Trigger> {
    let paths = paths.iter().map(|it| (*it).to_owned()).collect();
    sandbox::known(known).map(|scriptlet| Trigger { paths, scriptlet })
}

/// What wakes a known program.
fn paths_of(known: &str) -> &'static [&'static str] {
    match known {
        "ldconfig" => &["/lib", "/usr/lib", "/usr/local/lib", "/etc/ld.so.conf", "/etc/ld.so.conf.d"],
        "update-mime-database" => &["/usr/share/mime/packages"],
        "update-desktop-database" => &["/usr/share/applications"],
        "glib-compile-schemas" => &["/usr/share/glib-2.0/schemas"],
        "gtk-update-icon-cache" => &["/usr/share/icons/hicolor"],
        "gio-querymodules" => &["/usr/lib/x86_64-linux-gnu/gio/modules"],
        "gdk-pixbuf-query-loaders" => &["/usr/lib/x86_64-linux-gnu/gdk-pixbuf-2.0/2.10.0/loaders"],
        "gtk-query-immodules-3.0" => &["/usr/lib/x86_64-linux-gnu/gtk-3.0/3.0.0/immodules"],
        "libgvc6-config-update" => &["/usr/lib/x86_64-linux-gnu/graphviz"],
        "fc-cache" => &["/usr/share/fonts", "/etc/fonts"],
        "mandb" => &["/usr/share/man"],
        _ => &[],
    }
}

/// A package that has one of the known programs wants to know of the files that it indexes.
fn triggers_of(files: &Files) -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    let known = [
        "ldconfig", "update-mime-database", "update-desktop-database", "glib-compile-schemas", "gtk-update-icon-cache", "gio-querymodules",
        "gdk-pixbuf-query-loaders", "gtk-query-immodules-3.0", "libgvc6-config-update", "fc-cache", "mandb",
    ];
    let library = |name: &str| format!("usr/lib/x86_64-linux-gnu/{name}");
    let folders = ["sbin".into(), "bin".into(), "usr/bin".into(), "usr/sbin".into(), library("glib-2.0"), library("gdk-pixbuf-2.0"), library("libgtk-3-0")];
    let has = |name: &str| folders.iter().any(|it| files.contains_key(&format!("{it}/{name}")));
    let found: Vec<&'static str> = known.into_iter().filter(|it| has(it)).collect();
    found.into_iter().map(|it| (it, paths_of(it)))
}

/// Licence, and what a store shows: from the copyright file and the desktop entry.
fn dress(files: &Files, manifest: &mut Manifest) {
    let text = |path: &str| files.get(path).map(|(_, contents)| String::from_utf8_lossy(contents).into_owned());
    if let Some(copyright) = text(&format!("usr/share/doc/{}/copyright", manifest.name))
        && copyright.starts_with("Format:")
    {
        let names = copyright.lines().filter_map(|line| line.strip_prefix("License:")).map(str::trim).filter(|it| !it.is_empty());
        let names: BTreeSet<&str> = names.collect();
        if !names.is_empty() {
            manifest.licence = names.into_iter().collect::<Vec<_>>().join(" AND ");
        }
    }
    let Some((path, _)) = files.iter().find(|(path, _)| path.starts_with("usr/share/applications/") && path.ends_with(".desktop")) else { return };
    let entry = text(path).unwrap_or_default();
    let field = |name: &str| entry.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).map(str::trim);
    let list = |name: &str| field(name).unwrap_or_default().split(';').filter(|it| !it.is_empty()).map(str::to_owned).collect();
    let id = path.rsplit('/').next().unwrap_or_default().trim_end_matches(".desktop").to_owned();
    manifest.appstream = Some(AppStream { id, name: field("Name").unwrap_or_default().into(), categories: list("Categories"), keywords: list("Keywords"), ..AppStream::default() });
    if let Some(icon) = field("Icon") {
        let ends = [format!("/{icon}.svg"), format!("/{icon}.png")];
        let is_icon = |path: &&String| path.starts_with("usr/share/") && ends.iter().any(|it| path.ends_with(it.as_str()));
        let regular = |path: &&String| matches!(files[*path].0.kind, Kind::Regular { .. });
        manifest.icon = files.keys().filter(is_icon).filter(regular).max_by_key(|path| files[*path].1.len()).cloned();
    }
}

#[cfg(test)]
mod tests;
