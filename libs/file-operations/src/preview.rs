//! A look into a file.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Bytes of a text that are read.
const MOST: u64 = 16 << 10;

/// What a file holds, as far as can be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Preview {
    /// The beginning of a text.
    Text(String),
    /// A picture of pixels.
    Picture,
    /// A picture of lines: SVG.
    Drawing,
    /// Something else.
    Other,
}

/// Looks into a file. What cannot be read is something else.
pub fn of(path: &Path) -> Preview {
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MOST).read_to_end(&mut start));
    if read.is_err() || !path.is_file() {
        return Preview::Other;
    }
    if start.starts_with(b"\x89PNG\r\n\x1a\n") || start.starts_with(b"\xff\xd8\xff") {
        return Preview::Picture;
    }
    // The last letter may have been cut in two.
    let text = match std::str::from_utf8(&start) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => std::str::from_utf8(&start[..error.valid_up_to()]).unwrap_or_default(),
        Err(_) => return Preview::Other,
    };
    if text.contains('\0') {
        return Preview::Other;
    }
    if path.extension().is_some_and(|it| it.eq_ignore_ascii_case("svg")) && text.contains("<svg") {
        return Preview::Drawing;
    }
    Preview::Text(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_apart() {
        let folder = tempfile::tempdir().expect("a folder");
        let of = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).expect("a file");
            super::of(&path)
        };
        assert_eq!(of("a", "grüße".as_bytes()), Preview::Text("grüße".to_owned()));
        assert_eq!(of("b", b"\x89PNG\r\n\x1a\nrest"), Preview::Picture);
        assert_eq!(of("c.svg", b"<?xml?><svg/>"), Preview::Drawing);
        assert_eq!(of("d", b"\x7fELF\0\0"), Preview::Other);
        assert_eq!(of("e", &[0xff; 9]), Preview::Other);
        let long = "ä".repeat(20_000);
        assert_eq!(of("f", &[b"x", long.as_bytes()].concat()), Preview::Text(format!("x{}", "ä".repeat(8191))));
        assert_eq!(super::of(folder.path()), Preview::Other);
    }
}
