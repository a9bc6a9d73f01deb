//! The key `Exec` of desktop entries: a command line of words, some of them quoted, with field codes for files.

use std::ffi::OsString;
use std::path::Path;

/// The words of a command line, with field codes as they are: `\` takes the meaning of what follows in quotes.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut is_quoted) = (Vec::new(), None::<String>, false);
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => {
                is_quoted = !is_quoted;
                word.get_or_insert_default();
            }
            '\\' if is_quoted => word.get_or_insert_default().extend(letters.next()),
            ' ' | '\t' if !is_quoted => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

/// The program and its arguments for files: what the field codes stand for is put in their place. Who takes one file gets the first one; who
/// takes none gets none.
pub(crate) fn arguments(line: &str, files: &[&Path]) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = Vec::new();
    for word in words(line) {
        match word.as_str() {
            "%F" => arguments.extend(files.iter().map(|it| it.as_os_str().to_owned())),
            "%U" => arguments.extend(files.iter().map(|it| uri(it).into())),
            "%f" => arguments.extend(files.first().map(|it| it.as_os_str().to_owned())),
            "%u" => arguments.extend(files.first().map(|it| uri(it).into())),
            // Icon, name and file of the entry, and codes of old.
            code if code.len() == 2 && code.starts_with('%') && code != "%%" => {}
            _ => arguments.push(within(&word, files.first().copied())),
        }
    }
    arguments
}

/// Field codes within a word.
fn within(word: &str, file: Option<&Path>) -> OsString {
    let mut out = OsString::new();
    let mut letters = word.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            out.push(letter.encode_utf8(&mut [0; 4]));
            continue;
        }
        match letters.next() {
            Some('%') => out.push("%"),
            Some('f' | 'F') => out.push(file.map(Path::as_os_str).unwrap_or_default()),
            Some('u' | 'U') => out.push(file.map(uri).unwrap_or_default()),
            _ => {}
        }
    }
    out
}

/// `file:` and the path, by RFC 3986.
pub fn uri(path: &Path) -> String {
    use std::fmt::Write;
    let mut uri = "file://".to_owned();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => uri.push(char::from(*byte)),
            _ => {
                let _ = write!(uri, "%{byte:02X}");
            }
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_stand_for_files() {
        let made = |line: &str, files: &[&str]| {
            let files: Vec<&Path> = files.iter().map(Path::new).collect();
            arguments(line, &files).into_iter().map(|it| it.into_string().expect("UTF-8")).collect::<Vec<_>>()
        };
        assert_eq!(made("vim %F", &["/a b", "/c"]), ["vim", "/a b", "/c"]);
        assert_eq!(made("show --file=%f %i", &["/a b", "/c"]), ["show", "--file=/a b"]);
        assert_eq!(made("browse %u", &["/a b%"]), ["browse", "file:///a%20b%25"]);
        assert_eq!(made(r#""my program" "a \"quoted\" word" 10%% "" %u"#, &[]), ["my program", "a \"quoted\" word", "10%", ""]);
        assert_eq!(made("", &["/a"]), [""; 0]);
    }
}
