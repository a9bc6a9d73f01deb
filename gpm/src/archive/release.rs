//! `InRelease`: what a suite of an archive holds, signed (<https://wiki.debian.org/DebianRepository/Format>).

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use super::ArchiveError;
use crate::deb::control::Stanza;
use crate::digest::from_hex;
use crate::repository::Time;

/// One file that a suite names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// In bytes.
    pub length: u64,
    /// Of its contents.
    pub sha256: [u8; 32],
}

/// What a suite says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// When it was made.
    pub date: Time,
    /// When it must have been replaced.
    pub valid_until: Option<Time>,
    /// Whether its files are there by their checksums too, so that none is missed while a mirror is being renewed.
    pub by_hash: bool,
    /// Its files, by their paths below the suite's folder.
    pub files: BTreeMap<String, Listed>,
}

/// The text that a key of `keyring` has signed. gpgv alone says which part of the file that is.
///
/// # Errors
/// When there is no valid signature by such a key, or an invalid one, or gpgv or the keyring are not there.
pub fn verify(suite: &str, signed: &[u8], keyring: &Path) -> Result<String, ArchiveError> {
    std::fs::File::open(keyring).map_err(|source| ArchiveError::Keyring { path: keyring.into(), source })?;
    let folder = tempfile::tempdir().map_err(ArchiveError::Gpgv)?;
    let (message, text) = (folder.path().join("message"), folder.path().join("text"));
    std::fs::File::create(&message).and_then(|mut it| it.write_all(signed)).map_err(ArchiveError::Gpgv)?;
    let mut gpgv = Command::new("gpgv");
    gpgv.args(["--quiet", "--status-fd", "1", "--homedir"]).arg(folder.path()).arg("--keyring").arg(keyring).arg("--output").arg(&text).arg(&message);
    let done = gpgv.env("LC_ALL", "C").stdin(Stdio::null()).output().map_err(ArchiveError::Gpgv)?;
    let refused = |reason: String| ArchiveError::Signature { suite: suite.into(), reason };
    judge(&String::from_utf8_lossy(&done.stdout)).map_err(refused)?;
    let text = std::fs::read(&text).map_err(|error| refused(format!("gpgv wrote no text: {error}")))?;
    String::from_utf8(text).map_err(|_| refused("what is signed is no text".into()))
}

/// Judges gpgv's status lines. An archive is signed by several keys, of which older keyrings lack some: one valid signature is enough, one
/// that is wrong is too many. A key that has expired says nothing.
fn judge(status: &str) -> Result<(), String> {
    let lines = || status.lines().filter_map(|it| it.strip_prefix("[GNUPG:] "));
    let of = |word: &str| lines().find(|it| it.split(' ').next() == Some(word));
    if let Some(bad) = of("BADSIG") {
        return Err(format!("a signature is wrong ({bad})"));
    }
    if of("GOODSIG").is_some() && of("VALIDSIG").is_some() {
        return Ok(());
    }
    let reason = ["EXPKEYSIG", "REVKEYSIG", "EXPSIG", "NO_PUBKEY", "ERRSIG", "NODATA"].into_iter().find_map(of);
    Err(reason.unwrap_or("there is no signature").to_owned())
}

fn time(text: &str) -> Option<Time> {
    let text = text.trim().strip_suffix("UTC").map_or_else(|| text.trim().to_owned(), |it| format!("{it}GMT"));
    let since = httpdate::parse_http_date(&text).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok().map(Time)
}

/// Reads the text of a release.
///
/// # Errors
/// When it lacks its date or its list of files, or one of them cannot be understood.
pub fn parse(suite: &str, text: &str) -> Result<Release, ArchiveError> {
    let wrong = |reason: &str| ArchiveError::Release { suite: suite.into(), reason: reason.into() };
    let stanza = Stanza::parse(text);
    let named = [stanza.get("Suite"), stanza.get("Codename")];
    // The security suite calls itself `bookworm-security` as its folder does; an older one was `bullseye/updates`.
    if !named.iter().flatten().any(|it| *it == suite) {
        return Err(wrong(&format!("it calls itself {}", named.iter().flatten().copied().collect::<Vec<_>>().join(" or "))));
    }
    let date = stanza.get("Date").and_then(time).ok_or_else(|| wrong("it has no date"))?;
    let valid_until = match stanza.get("Valid-Until") {
        None => None,
        Some(text) => Some(time(text).ok_or_else(|| wrong("its Valid-Until is no time"))?),
    };
    let list = stanza.get("SHA256").ok_or_else(|| wrong("it has no list of files"))?;
    let mut files = BTreeMap::new();
    for line in list.lines().filter(|it| !it.trim().is_empty()) {
        let parts: Vec<&str> = line.split_whitespace().collect();
        let &[hash, length, path] = parts.as_slice() else { return Err(wrong(&format!("{line:?} in its list of files"))) };
        let listed = from_hex(hash).zip(length.parse().ok()).map(|(sha256, length)| Listed { length, sha256 });
        files.insert(path.to_owned(), listed.ok_or_else(|| wrong(&format!("{line:?} in its list of files")))?);
    }
    Ok(Release { date, valid_until, by_hash: stanza.get("Acquire-By-Hash") == Some("yes"), files })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Origin: Debian\nSuite: oldstable\nCodename: bookworm\nDate: Sat, 11 Jul 2026 10:16:37 UTC\nAcquire-By-Hash: yes\nSHA256:\n \
                        ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad 3 main/binary-amd64/Packages.xz\n";

    #[test]
    fn releases_are_read() {
        let it = parse("bookworm", TEXT).unwrap();
        assert_eq!(it.date.to_string(), "2026-07-11T10:16:37Z");
        assert_eq!((it.valid_until, it.by_hash, it.files["main/binary-amd64/Packages.xz"].length), (None, true, 3));
        assert!(parse("oldstable", TEXT).is_ok());
    }

    #[test]
    fn wrong_releases_are_refused() {
        assert!(parse("trixie", TEXT).unwrap_err().to_string().contains("calls itself"));
        for (from, to) in [("Date:", "Day:"), ("SHA256", "SHA1"), (" 3 ", " three "), ("ba78", "xa78"), ("Origin: Debian", "Valid-Until: soon")] {
            assert!(parse("bookworm", &TEXT.replace(from, to)).is_err(), "{from}");
        }
    }

    #[test]
    fn one_valid_signature_is_enough_and_a_wrong_one_too_many() {
        let good = "[GNUPG:] GOODSIG A Debian\n[GNUPG:] VALIDSIG B 2026\n";
        assert_eq!(judge(&format!("[GNUPG:] NEWSIG\n{good}[GNUPG:] ERRSIG C\n[GNUPG:] NO_PUBKEY C\n")), Ok(()));
        for status in ["", "[GNUPG:] NODATA 1", "[GNUPG:] EXPKEYSIG A\n[GNUPG:] VALIDSIG B", "GOODSIG A\nVALIDSIG B", &format!("{good}[GNUPG:] BADSIG C Debian")] {
            assert!(judge(status).is_err(), "{status}");
        }
    }
}
