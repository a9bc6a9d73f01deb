//! What kind a file is, in words of MIME: by the end of its name, and by what it begins with where that says nothing.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Bytes at the beginning that are looked at.
const LOOKED: u64 = 512;

/// Ends of names, and what they say. The names are those of freedesktop.org's shared database.
const ENDINGS: &[(&str, &str)] = &[
    ("7z", "application/x-7z-compressed"),
    ("avi", "video/x-msvideo"),
    ("avif", "image/avif"),
    ("bmp", "image/bmp"),
    ("bz2", "application/x-bzip"),
    ("c", "text/x-csrc"),
    ("cpp", "text/x-c++src"),
    ("css", "text/css"),
    ("csv", "text/csv"),
    ("deb", "application/vnd.debian.binary-package"),
    ("desktop", "application/x-desktop"),
    ("doc", "application/msword"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("epub", "application/epub+zip"),
    ("flac", "audio/flac"),
    ("gif", "image/gif"),
    ("gz", "application/gzip"),
    ("h", "text/x-chdr"),
    ("htm", "text/html"),
    ("html", "text/html"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("js", "application/javascript"),
    ("json", "application/json"),
    ("log", "text/x-log"),
    ("m4a", "audio/mp4"),
    ("md", "text/markdown"),
    ("mkv", "video/x-matroska"),
    ("mov", "video/quicktime"),
    ("mp3", "audio/mpeg"),
    ("mp4", "video/mp4"),
    ("odp", "application/vnd.oasis.opendocument.presentation"),
    ("ods", "application/vnd.oasis.opendocument.spreadsheet"),
    ("odt", "application/vnd.oasis.opendocument.text"),
    ("ogg", "audio/ogg"),
    ("opus", "audio/x-opus+ogg"),
    ("otf", "font/otf"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ("py", "text/x-python"),
    ("rs", "text/rust"),
    ("rtf", "application/rtf"),
    ("sh", "application/x-shellscript"),
    ("svg", "image/svg+xml"),
    ("tar", "application/x-tar"),
    ("tgz", "application/x-compressed-tar"),
    ("tif", "image/tiff"),
    ("tiff", "image/tiff"),
    ("toml", "application/toml"),
    ("ttf", "font/ttf"),
    ("txt", "text/plain"),
    ("wav", "audio/x-wav"),
    ("webm", "video/webm"),
    ("webp", "image/webp"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("xml", "application/xml"),
    ("xz", "application/x-xz"),
    ("yaml", "application/yaml"),
    ("yml", "application/yaml"),
    ("zip", "application/zip"),
    ("zst", "application/zstd"),
];

/// What files begin with.
const BEGINNINGS: &[(&[u8], &str)] = &[
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
    (b"\x28\xb5\x2f\xfd", "application/zstd"),
    (b"\xfd7zXZ\0", "application/x-xz"),
    (b"\x7fELF", "application/x-executable"),
    (b"#!", "application/x-shellscript"),
];

/// What nothing else is.
pub const UNKNOWN: &str = "application/octet-stream";
/// Folders.
pub const FOLDER: &str = "inode/directory";

/// By its name alone.
pub fn by_name(path: &Path) -> Option<&'static str> {
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    if [".tar.gz", ".tar.zst"].iter().any(|it| name.ends_with(it)) {
        return Some(if name.ends_with("gz") { "application/x-compressed-tar" } else { "application/x-zstd-compressed-tar" });
    }
    let (start, ending) = name.rsplit_once('.')?;
    let found = ENDINGS.binary_search_by(|(it, _)| (*it).cmp(ending)).ok().filter(|_| !start.is_empty())?;
    Some(ENDINGS[found].1)
}

/// What kind a file is. What cannot be read is [`UNKNOWN`].
pub fn of(path: &Path) -> &'static str {
    if path.is_dir() {
        return FOLDER;
    }
    if let Some(named) = by_name(path) {
        return named;
    }
    let mut start = Vec::new();
    // Opening a pipe would wait for its other end.
    let read = path.is_file().then(|| File::open(path).and_then(|file| file.take(LOOKED).read_to_end(&mut start)));
    if !matches!(read, Some(Ok(_))) {
        return UNKNOWN;
    }
    if let Some((_, kind)) = BEGINNINGS.iter().find(|(beginning, _)| start.starts_with(beginning)) {
        return kind;
    }
    // The last letter may have been cut in two.
    let is_text = std::str::from_utf8(&start).map_or_else(|error| error.error_len().is_none(), |_| true) && !start.contains(&0);
    if is_text { "text/plain" } else { UNKNOWN }
}

/// What it is also, from the nearest: who opens texts opens also programs' sources.
pub fn wider(kind: &str) -> Vec<&str> {
    const TEXTS: [&str; 7] =
        ["application/javascript", "application/json", "application/toml", "application/x-desktop", "application/x-shellscript", "application/xml", "application/yaml"];
    let mut all = vec![kind];
    if kind != "text/plain" && (kind.starts_with("text/") || TEXTS.contains(&kind)) {
        all.push("text/plain");
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order() {
        assert!(ENDINGS.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn kinds_are_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let of = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).expect("a file");
            super::of(&path)
        };
        assert_eq!(of("a.JPG", b""), "image/jpeg");
        assert_eq!(of("a.tar.gz", b""), "application/x-compressed-tar");
        assert_eq!(of("program", b"\x7fELF\x02"), "application/x-executable");
        assert_eq!(of("README", "grüße".as_bytes()), "text/plain");
        assert_eq!(of(".png", b"\0"), UNKNOWN);
        assert_eq!(of("long", &[b"x", "ä".repeat(600).as_bytes()].concat()), "text/plain");
        assert_eq!(super::of(folder.path()), FOLDER);
        assert_eq!(super::of(&folder.path().join("none")), UNKNOWN);
        assert_eq!(wider("text/rust"), ["text/rust", "text/plain"]);
        assert_eq!(wider("image/png"), ["image/png"]);
    }
}
