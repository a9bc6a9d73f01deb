//! Quoting for the shell.

/// `word` so that bash reads it as exactly that one word: bare where no character is special, else in single quotes.
///
/// A leading `-` is not the shell's business: put `--` before operands.
pub fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./,:@%+=".contains(c);
    // `=` first makes an assignment or (zsh) an expansion; in front of it there must be a path or the like.
    let assignment = word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    });
    if !word.is_empty() && word.chars().all(plain) && !assignment {
        return word.to_owned();
    }
    if !word.contains('\'') {
        return format!("'{word}'");
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// A path: like [`quote`], but a leading `~` or `~/` stays outside the quotes so that the shell expands it, and a
/// path that begins with `-` gets `./` in front, so that no program takes it for an option.
pub fn quote_path(path: &str) -> String {
    match path.strip_prefix('~') {
        Some("") => "~".into(),
        Some(rest) if rest.starts_with('/') => {
            if rest == "/" { "~/".into() } else { format!("~/{}", quote(&rest[1..])) }
        }
        _ if path.starts_with('-') => quote(&format!("./{path}")),
        _ => quote(path),
    }
}

/// `text` in bash's `$'...'` form on one line, whatever it contains (NUL excepted: it is dropped).
pub fn quote_ansi(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    out.push_str("$'");
    for c in text.chars() {
        match c {
            '\'' => out.push_str("\\'"),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\0' => {}
            c if c.is_ascii_control() => out.push_str(&format!("\\x{:02x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('\'');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_mean_themselves() {
        assert_eq!(quote("a.txt"), "a.txt");
        assert_eq!(quote("my file"), "'my file'");
        assert_eq!(quote("it's"), r"'it'\''s'");
        assert_eq!(quote(""), "''");
        assert_eq!(quote("$(rm -rf ~)"), "'$(rm -rf ~)'");
        assert_eq!(quote("a=b"), "'a=b'");
        assert_eq!(quote_path("~/my file"), "~/'my file'");
        assert_eq!(quote_path("-rf"), "./-rf");
        assert_eq!(quote_path("~x"), "'~x'");
    }

    /// Every quoted word comes back from bash unchanged.
    #[test]
    fn bash_agrees() {
        for w in ["a b", "it's", "$HOME `id` \\n", "", "tab\there", "new\nline", "!x", "\u{1}", "ä€", "a\\"] {
            for q in [quote(w), quote_ansi(w)] {
                let out = std::process::Command::new("bash").args(["-c", &format!("printf %s {q}")]).output().unwrap();
                assert_eq!(String::from_utf8(out.stdout).unwrap(), w, "{q}");
            }
        }
    }
}
