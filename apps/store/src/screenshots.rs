//! Pictures of programs at work: brought when a program is looked at and the user has allowed it, and kept for the next time. Never more of them than is
//! allowed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use gpm::digest::to_hex;
use gpm::repository::{RepositoryError, Transport};

/// Bytes of a picture at most.
const LARGEST: u64 = 3 << 20;
/// Bytes of all that are kept; of more those go that were looked at longest ago.
const MOST: u64 = 48 << 20;

/// Why there is no picture.
#[derive(Debug)]
pub enum Problem {
    /// Others on the way would see what is looked at.
    Plain,
    /// It cannot be fetched, or is too large.
    Fetch(RepositoryError),
    /// The server has none.
    Missing,
    /// It is neither PNG nor JPEG.
    Form,
    /// It cannot be kept.
    Keep(io::Error),
}

/// Where pictures are kept: in `$XDG_CACHE_HOME`, else in `~/.cache`. None without a home.
pub fn cache() -> Option<PathBuf> {
    let of = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|it| it.is_absolute());
    let folder = of("XDG_CACHE_HOME").or_else(|| of("HOME").map(|home| home.join(".cache")))?;
    Some(folder.join("genai/store"))
}

/// The ending of a picture's file, by its first bytes.
fn ending(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("png"),
        [0xff, 0xd8, 0xff, ..] => Some("jpg"),
        _ => None,
    }
}

/// The server that a picture is brought from; none where it is on this machine.
pub fn server(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    (scheme != "file" && !host.is_empty()).then_some(host)
}

/// A picture's name in the cache, without its ending.
fn name(url: &str) -> String {
    to_hex(&gpm::digest::Digest::of(url.as_bytes()).0[..16])
}

/// The file of a picture that was brought before. Nobody else hears of it.
pub fn kept(cache: &Path, url: &str) -> Option<PathBuf> {
    let name = name(url);
    ["png", "jpg"].into_iter().map(|ending| cache.join(format!("{name}.{ending}"))).find(|path| {
        let Ok(file) = fs::File::options().append(true).open(path) else { return false };
        // It was looked at now. Where that cannot be noted it only goes sooner.
        let _ = file.set_modified(SystemTime::now());
        true
    })
}

/// The file of a picture: the one that is kept, else it is fetched.
///
/// # Errors
/// Where there is none, and it cannot be brought.
pub fn bring(cache: &Path, url: &str) -> Result<PathBuf, Problem> {
    if let Some(path) = kept(cache, url) {
        return Ok(path);
    }
    let name = name(url);
    if url.starts_with("http://") {
        return Err(Problem::Plain);
    }
    let bytes = Transport::new().get(url, LARGEST).map_err(Problem::Fetch)?.ok_or(Problem::Missing)?;
    let path = cache.join(format!("{name}.{}", ending(&bytes).ok_or(Problem::Form)?));
    fs::create_dir_all(cache).map_err(Problem::Keep)?;
    let new = cache.join(format!("{name}.{}", std::process::id()));
    fs::write(&new, bytes).and_then(|()| fs::rename(&new, &path)).map_err(|error| {
        // What is left of it is of no use.
        let _ = fs::remove_file(&new);
        Problem::Keep(error)
    })?;
    make_room(cache, &path);
    Ok(path)
}

/// Removes what was looked at longest ago where there is too much; what cannot be removed stays.
fn make_room(cache: &Path, newest: &Path) {
    let Ok(entries) = fs::read_dir(cache) else { return };
    let facts = entries.flatten().filter_map(|it| Some((it.metadata().ok()?, it.path())));
    let mut all: Vec<(SystemTime, u64, PathBuf)> = facts.filter(|(it, _)| it.is_file()).filter_map(|(it, path)| Some((it.modified().ok()?, it.len(), path))).collect();
    all.sort();
    let mut sum: u64 = all.iter().map(|it| it.1).sum();
    for (_, size, path) in all.into_iter().filter(|it| it.2 != newest) {
        if sum <= MOST {
            return;
        }
        if fs::remove_file(&path).is_ok() {
            sum -= size;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\nrest";

    #[test]
    fn pictures_are_brought_once_and_bounded() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = folder.path().join("cache");
        let source = folder.path().join("a.png");
        let url = format!("file://{}", source.display());
        assert!(matches!(bring(&cache, &url), Err(Problem::Missing)));
        assert!(matches!(bring(&cache, "http://localhost/a.png"), Err(Problem::Plain)));
        fs::write(&source, b"<html>").expect("written");
        assert!(matches!(bring(&cache, &url), Err(Problem::Form)));
        fs::write(&source, vec![0x89; LARGEST as usize + 1]).expect("written");
        assert!(matches!(bring(&cache, &url), Err(Problem::Fetch(_))));
        fs::write(&source, PNG).expect("written");
        let kept = bring(&cache, &url).expect("a picture");
        fs::remove_file(&source).expect("removed");
        assert_eq!(super::kept(&cache, &url).as_ref(), Some(&kept));
        assert_eq!(super::kept(&cache, "https://localhost/b.png"), None);
        assert_eq!(bring(&cache, &url).expect("the one that was kept"), kept);
        assert_eq!(fs::read(&kept).expect("read"), PNG);
    }

    #[test]
    fn servers_are_named() {
        assert_eq!(server("https://example.org/pictures/a.png"), Some("example.org"));
        assert_eq!(server("https://example.org?a"), Some("example.org"));
        assert_eq!(server("file:///a.png"), None);
        assert_eq!(server("a.png"), None);
    }

    #[test]
    fn what_was_looked_at_longest_ago_goes() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str, age: u64| {
            let path = folder.path().join(name);
            let file = fs::File::create(&path).expect("a file");
            file.set_len(MOST / 2).expect("its length");
            file.set_modified(SystemTime::now() - std::time::Duration::from_secs(age)).expect("its time");
            path
        };
        let (old, newer, newest) = (file("old.png", 300), file("newer.png", 200), file("newest.png", 100));
        make_room(folder.path(), &newest);
        assert_eq!([old, newer, newest].map(|it| it.exists()), [false, true, true]);
    }
}
