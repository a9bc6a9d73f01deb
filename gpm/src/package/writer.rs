//! Makes packages.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::digest::{Digest, Hasher};
use crate::keys::SecretKey;
use crate::manifest::Manifest;
use crate::xattr::{self, Xattrs};
use crate::package::{Entry, Header, Kind, MAGIC, MAX_HEADER, PackageError, Payload, SIGNED, state_checksum};

/// How hard Zstandard tries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preset {
    /// For tests, and packages that are built often (level 3).
    Quick,
    /// For most (level 12).
    #[default]
    Balanced,
    /// For what is downloaded by many and seldom built, such as models (level 19).
    Small,
}

impl Preset {
    /// All of them, those that are chosen most often first.
    pub(super) const ALL: [Preset; 3] = [Preset::Balanced, Preset::Quick, Preset::Small];

    /// Zstandard's number for it.
    pub(super) fn level(self) -> i32 {
        match self {
            Preset::Quick => 3,
            Preset::Balanced => 12,
            Preset::Small => 19,
        }
    }
}

enum Source {
    None,
    Memory(Vec<u8>),
    File(PathBuf),
}

/// A package in the making.
pub struct Builder {
    manifest: Manifest,
    preset: Preset,
    entries: BTreeMap<String, (Entry, Source)>,
}

impl Builder {
    /// A package without files so far.
    pub fn new(manifest: Manifest) -> Builder {
        Builder { manifest, preset: Preset::default(), entries: BTreeMap::new() }
    }

    /// How hard to compress.
    pub fn preset(mut self, preset: Preset) -> Builder {
        self.preset = preset;
        self
    }

    /// Adds a file whose contents are at hand; size and checksum of a regular file are taken from them.
    pub fn add(&mut self, mut entry: Entry, contents: Vec<u8>) {
        let source = if matches!(entry.kind, Kind::Regular { .. }) {
            entry.kind = Kind::Regular { size: contents.len() as u64, sha512: Digest::of(&contents) };
            Source::Memory(contents)
        } else {
            Source::None
        };
        self.entries.insert(entry.path.clone(), (entry, source));
    }

    /// What the package says of itself, anew.
    pub fn set_manifest(&mut self, manifest: Manifest) {
        self.manifest = manifest;
    }

    /// Adds a regular file whose contents lie at `place` until the package is written; its size and checksum are those of `entry`.
    pub fn add_from(&mut self, entry: Entry, place: PathBuf) {
        self.entries.insert(entry.path.clone(), (entry, Source::File(place)));
    }

    /// Adds all that lies below `folder`, as root's, with its modes and what packages carry of extended attributes. Times later than `latest` (seconds since 1970) become `latest`, so
    /// that when a package is built does not show in it.
    ///
    /// # Errors
    /// When something cannot be read, or packages cannot hold it.
    pub fn add_tree(&mut self, folder: &Path, latest: i64) -> Result<(), PackageError> {
        let mut inodes: HashMap<(u64, u64), String> = HashMap::new();
        let mut found = Vec::new();
        collect(folder, folder, &mut found)?;
        found.sort();
        for (path, place) in found {
            let failed = |source| PackageError::Source { path: place.clone(), source };
            let metadata = fs::symlink_metadata(&place).map_err(failed)?;
            let kind = metadata.file_type();
            let mut source = Source::None;
            let kind = if kind.is_dir() {
                Kind::Directory
            } else if kind.is_symlink() {
                let target = fs::read_link(&place).map_err(failed)?;
                Kind::Symlink { target: target.into_os_string().into_string().map_err(|it| PackageError::Encoding(it.into()))? }
            } else if kind.is_file() {
                match inodes.get(&(metadata.dev(), metadata.ino())) {
                    Some(to) => Kind::Hardlink { to: to.clone() },
                    None => {
                        if metadata.nlink() > 1 {
                            inodes.insert((metadata.dev(), metadata.ino()), path.clone());
                        }
                        let sha512 = Digest::of_reader(&mut fs::File::open(&place).map_err(failed)?).map_err(failed)?;
                        source = Source::File(place.clone());
                        Kind::Regular { size: metadata.len(), sha512 }
                    }
                }
            } else {
                debug_assert!(kind.is_block_device() || kind.is_char_device() || kind.is_fifo() || kind.is_socket());
                return Err(PackageError::Special(place));
            };
            let xattrs = if matches!(kind, Kind::Regular { .. }) { xattr::of_file(&place).map_err(failed)? } else { Xattrs::new() };
            let mode = if matches!(kind, Kind::Symlink { .. }) { 0o777 } else { metadata.mode() & 0o7777 };
            let entry = Entry { path: path.clone(), mode, uid: 0, gid: 0, mtime: metadata.mtime().min(latest), xattrs, kind };
            self.entries.insert(path, (entry, source));
        }
        Ok(())
    }

    /// Writes the package, signed by `keys`, and tells the SHA-512 of the whole.
    ///
    /// # Errors
    /// When the manifest or the list of files is wrong, a file cannot be read or has changed meanwhile, or `output` cannot be written.
    pub fn write(mut self, output: &mut impl Write, keys: &[&SecretKey]) -> Result<Digest, PackageError> {
        self.add_folders();
        let files: Vec<Entry> = self.entries.values().map(|(entry, _)| entry.clone()).collect();
        self.manifest.state_checksum = state_checksum(&self.manifest, &files).map(|it| it.to_string());
        let header = Header { manifest: self.manifest.clone(), files, payload: Payload { compressed: 0, size: self.size(), sha512: Digest::of(b"") } };
        header.check()?;
        let payload = self.payload()?;
        let header = Header {
            payload: Payload { compressed: payload.len() as u64, size: header.payload.size, sha512: Digest::of(&payload) },
            ..header
        };
        let json = serde_json::to_vec(&header).map_err(|error| PackageError::Header(error.to_string()))?;
        let packed = zstd::bulk::compress(&json, self.preset.level()).map_err(PackageError::Read)?;
        let length = u32::try_from(packed.len()).ok().filter(|it| *it <= MAX_HEADER).ok_or(PackageError::Limit("its header is too large"))?;

        let mut head = Vec::new();
        head.extend_from_slice(MAGIC);
        head.extend_from_slice(&length.to_le_bytes());
        head.extend_from_slice(&u32::try_from(keys.len()).unwrap_or(u32::MAX).to_le_bytes());
        let message = signed_message(&packed);
        for key in keys {
            head.extend_from_slice(&key.public().id().0);
            head.extend_from_slice(&key.sign(&message));
        }
        let mut whole = Hasher::new();
        let mut result = Hasher::new();
        for part in [&head, &packed, &payload] {
            whole.update(part);
            result.update(part);
            output.write_all(part).map_err(|source| PackageError::Write { path: self.manifest.file_name(), source })?;
        }
        let trailer = whole.finish();
        result.update(&trailer.0);
        output.write_all(&trailer.0).map_err(|source| PackageError::Write { path: self.manifest.file_name(), source })?;
        Ok(result.finish())
    }

    /// Folders that nobody added, so that each has an owner who takes it away in the end.
    fn add_folders(&mut self) {
        let paths: Vec<String> = self.entries.keys().cloned().collect();
        for path in paths {
            for (end, _) in path.match_indices('/') {
                let folder = &path[..end];
                if !self.entries.contains_key(folder) {
                    let mtime = self.entries[&path].0.mtime;
                    let entry = Entry { path: folder.to_owned(), mode: 0o755, uid: 0, gid: 0, mtime, xattrs: Xattrs::new(), kind: Kind::Directory };
                    self.entries.insert(folder.to_owned(), (entry, Source::None));
                }
            }
        }
    }

    fn size(&self) -> u64 {
        self.entries.values().map(|(entry, _)| if let Kind::Regular { size, .. } = entry.kind { size } else { 0 }).sum()
    }

    fn payload(&self) -> Result<Vec<u8>, PackageError> {
        let mut encoder = zstd::Encoder::new(Vec::new(), self.preset.level()).map_err(PackageError::Read)?;
        for (entry, source) in self.entries.values() {
            let Kind::Regular { size, sha512 } = &entry.kind else { continue };
            match source {
                Source::Memory(contents) => encoder.write_all(contents).map_err(PackageError::Read)?,
                Source::File(path) => {
                    let failed = |source| PackageError::Source { path: path.clone(), source };
                    let mut hasher = Hasher::new();
                    let mut file = fs::File::open(path).map_err(failed)?.take(size.saturating_add(1));
                    io::copy(&mut file, &mut Tee(&mut encoder, &mut hasher)).map_err(failed)?;
                    if hasher.finish() != *sha512 {
                        return Err(failed(io::Error::other("it changed while the package was built")));
                    }
                }
                Source::None => return Err(PackageError::Entry { path: entry.path.clone(), what: "has no contents" }),
            }
        }
        encoder.finish().map_err(PackageError::Read)
    }
}

/// What the keys sign.
pub(super) fn signed_message(header: &[u8]) -> Vec<u8> {
    let mut message = SIGNED.to_vec();
    message.extend_from_slice(&Digest::of(header).0);
    message
}

struct Tee<'a, A, B>(&'a mut A, &'a mut B);

impl<A: Write, B: Write> Write for Tee<'_, A, B> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let written = self.0.write(data)?;
        self.1.write_all(&data[..written])?;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<(String, PathBuf)>) -> Result<(), PackageError> {
    let failed = |source| PackageError::Source { path: folder.into(), source };
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let place = entry.path();
        let relative = place.strip_prefix(root).unwrap_or(&place).to_path_buf();
        let path = relative.into_os_string().into_string().map_err(|it| PackageError::Encoding(it.into()))?;
        let is_folder = entry.file_type().map_err(failed)?.is_dir();
        found.push((path, place.clone()));
        if is_folder {
            collect(root, &place, found)?;
        }
    }
    Ok(())
}
