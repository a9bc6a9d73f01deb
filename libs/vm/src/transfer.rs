//! Files into the guest and out of it, with their modes: a single file as it is, a directory as a tar stream.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::thread;
use std::time::Duration;

use exec_protocol::Outcome;

use crate::error::{Error, IoContext, Result};
use crate::exec::{Exec, command};

/// Transfers have no time-out: they may be as big as the disk.
const NO_LIMIT: Duration = Duration::ZERO;

/// In the guest: `$1` = where to, `$2` = the source's name, `$3` = mode. As with cp, an existing directory takes the file.
const PUT_FILE: &str = r#"to=$1
if [ -d "$to" ]; then to=${to%/}/$2; fi
cat > "$to" && chmod "$3" "$to""#;

const PUT_DIRECTORY: &str = r#"to=$1
if [ -d "$to" ]; then to=${to%/}/$2; fi
mkdir -p "$to" && tar -C "$to" --no-same-owner -xpf -"#;

const KIND: &str = r#"if [ -d "$1" ]; then echo directory; else stat -L -c %a "$1"; fi"#;

/// Copies a file or directory of the host to `dest` in the guest; into it where that is a directory.
///
/// # Errors
/// [`Error::Transfer`] with the guest's message, and those of the host's files.
pub fn put(exec: &Exec, source: &Path, dest: &str) -> Result<()> {
    let absolute = source.canonicalize().on("read", source)?;
    let name = absolute.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let metadata = fs::metadata(source).on("read", source)?;
    if metadata.is_dir() {
        let (reader, writer) = io::pipe().on("make", "a pipe")?;
        let pack = thread::spawn(move || {
            let mut builder = tar::Builder::new(writer);
            builder.follow_symlinks(false);
            builder.append_dir_all(".", &absolute)?;
            builder.into_inner()?.flush()
        });
        let copied = run(exec, &["sh", "-c", PUT_DIRECTORY, "sh", dest, &name], reader, &mut io::sink(), dest);
        match pack.join() {
            // The guest's own failure ends the packing, too, and says more.
            Ok(packed) => copied.and(packed.on("read", source)),
            Err(_) => Err(Error::Transfer(format!("packing {} failed", source.display()))),
        }
    } else {
        let file = File::open(source).on("read", source)?;
        let mode = format!("{:o}", metadata.permissions().mode() & 0o7777);
        run(exec, &["sh", "-c", PUT_FILE, "sh", dest, &name, &mode], file, &mut io::sink(), dest)
    }
}

/// Copies a file or directory of the guest to `dest` on the host; into it where that is a directory.
///
/// # Errors
/// As [`put`].
pub fn get(exec: &Exec, source: &str, dest: &Path) -> Result<()> {
    let mut kind = Vec::new();
    run(exec, &["sh", "-c", KIND, "sh", source], io::empty(), &mut kind, source)?;
    let kind = String::from_utf8_lossy(&kind).trim().to_owned();
    let mut dest = dest.to_owned();
    if dest.is_dir() {
        let name = source.trim_end_matches('/').rsplit('/').next().filter(|name| !name.is_empty() && *name != "..");
        dest.extend(name);
    }
    if kind == "directory" {
        fs::create_dir_all(&dest).on("create", &dest)?;
        let (reader, mut writer) = io::pipe().on("make", "a pipe")?;
        let target = dest.clone();
        let unpack = thread::spawn(move || {
            let mut archive = tar::Archive::new(reader);
            archive.set_preserve_permissions(true);
            archive.set_preserve_mtime(true);
            archive.unpack(&target)?;
            // What follows the archive's end is padding.
            io::copy(&mut archive.into_inner(), &mut io::sink()).map(drop)
        });
        let copied = run(exec, &["tar", "-C", source, "-cf", "-", "."], io::empty(), &mut writer, source);
        drop(writer);
        match unpack.join() {
            // Unpacking failing closes the pipe, which then fails the copy.
            Ok(unpacked) => unpacked.on("write", &dest).and(copied),
            Err(_) => Err(Error::Transfer(format!("unpacking to {} failed", dest.display()))),
        }
    } else {
        let mode = u32::from_str_radix(&kind, 8).map_err(|_| Error::Transfer(format!("{source}: odd mode {kind:?}")))?;
        let mut file = File::create(&dest).on("create", &dest)?;
        run(exec, &["cat", "--", source], io::empty(), &mut file, source)?;
        file.set_permissions(fs::Permissions::from_mode(mode & 0o7777)).on("set the mode of", &dest)
    }
}

fn run(exec: &Exec, argv: &[&str], stdin: impl io::Read + Send + 'static, stdout: &mut dyn Write, what: &str) -> Result<()> {
    let mut stderr = Vec::new();
    let outcome = exec.start(command(argv, NO_LIMIT))?.run(stdin, stdout, &mut stderr)?;
    if outcome == Outcome::Code(0) {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&stderr);
    let said = said.trim();
    let status = outcome.exit_status();
    Err(Error::Transfer(if said.is_empty() { format!("{what}: the guest's command failed ({status})") } else { said.into() }))
}
