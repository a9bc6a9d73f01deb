//! The host: running its programs, hashing, replacing files whole.

use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::UNIX_EPOCH;

use sha2::{Digest, Sha256};

use crate::error::{Error, IoContext, Result};

/// The Debian packages whose programs this library runs, for the tool that installs them.
pub const HOST_PACKAGES: &[&str] = &[
    "apt",
    "binutils",
    "dpkg",
    "e2fsprogs",
    "grub-common",
    "grub-efi-amd64-bin",
    "grub-pc-bin",
    "libc-bin",
    "mtools",
    "python3-pip",
    "qemu-utils",
    "util-linux",
    "xorriso",
];

/// Runs a program to its end and returns its standard output; its standard error goes into the error.
pub(crate) fn run(command: &mut Command) -> Result<Vec<u8>> {
    let line = describe(command);
    let fail = |reason: String| Error::Command {
        command: line.clone(),
        reason,
    };
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| fail(error.to_string()))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(fail(format!("{}\n{}", output.status, said.trim_end())))
}

fn describe(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}

/// Whether a program of that name is found by `PATH` or in the system directories that users lack in theirs.
pub(crate) fn program(name: &str) -> PathBuf {
    ["/usr/sbin", "/sbin"]
        .iter()
        .map(|dir| Path::new(dir).join(name))
        .find(|path| path.exists())
        .unwrap_or_else(|| PathBuf::from(name))
}

/// A SHA-256 as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The SHA-256 of a file's content.
pub(crate) fn sha256_file(path: &Path) -> Result<String> {
    let mut file = fs::File::open(path).on("open", path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = file.read(&mut buffer).on("read", path)?;
        if count == 0 {
            return Ok(hex(&hasher.finalize()));
        }
        hasher.update(&buffer[..count]);
    }
}

/// Names the state of a set of inputs: equal keys mean that the output needs no rebuild.
pub(crate) struct Key(Sha256);

impl Key {
    /// `what` names the kind of output and the version of the code that makes it.
    pub fn new(what: &str) -> Self {
        let mut key = Self(Sha256::new());
        key.add(what);
        key
    }

    /// Adds a value; its length is hashed too, so that neighbours do not run together.
    pub fn add(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        let bytes = bytes.as_ref();
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
        self
    }

    /// Adds a host file by path, size and modification time: a build tool that changes it changes these.
    pub fn add_file(&mut self, path: &Path) -> Result<&mut Self> {
        let metadata = fs::metadata(path).on("examine", path)?;
        let modified = metadata.modified().on("examine", path)?;
        let nanos = modified
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_nanos());
        Ok(self
            .add(path.as_os_str().as_encoded_bytes())
            .add(metadata.len().to_le_bytes())
            .add(nanos.to_le_bytes()))
    }

    /// The key as 64 hexadecimal digits.
    pub fn finish(self) -> String {
        hex(&self.0.finalize())
    }
}

/// Makes `output` unless it was made with the same key before (the key is kept in `output` + `.key`).
/// `make` writes to a temporary path beside it, which then replaces `output` whole.
pub(crate) fn make_once(
    output: &Path,
    key: &str,
    make: impl FnOnce(&Path) -> Result<()>,
) -> Result<bool> {
    let stamp = with_suffix(output, ".key");
    if output.exists() && fs::read_to_string(&stamp).is_ok_and(|old| old == key) {
        return Ok(false);
    }
    if let Some(parent) = output.parent() {
        fs::create_dir_all(parent).on("create", parent)?;
    }
    // Two builds at once must not write the same file.
    let temporary = with_suffix(output, &format!(".{}.tmp", std::process::id()));
    let made = make(&temporary).and_then(|()| {
        // Without its key an output counts as stale: a kill between the two leaves no wrong key.
        let _ = fs::remove_file(&stamp);
        fs::rename(&temporary, output).on("replace", output)?;
        fs::write(&stamp, key).on("write", &stamp)
    });
    if made.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    made.map(|()| true)
}

/// Replaces a text file whole, with the permissions that it has: whoever reads it sees the old text or the new one.
pub(crate) fn write_whole(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut new = tempfile::NamedTempFile::new_in(folder).on("create a file in", folder)?;
    new.write_all(text.as_bytes()).on("write", new.path())?;
    // A temporary file is its owner's alone.
    let permissions = fs::metadata(path).map_or_else(|_| fs::Permissions::from_mode(0o644), |it| it.permissions());
    fs::set_permissions(new.path(), permissions).on("set permissions of", new.path())?;
    new.as_file().sync_all().on("write", new.path())?;
    new.persist(path).map_err(|error| error.error).on("replace", path).map(drop)
}

/// `path` with `suffix` added to its last component.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_os_string();
    name.push(suffix);
    PathBuf::from(name)
}
