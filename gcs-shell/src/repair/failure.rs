//! What an error text says: the programs' own words, as classes.

/// Why a command failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// No program, builtin or function of this name.
    NoCommand(String),
    /// One of these does not exist.
    NoFile {
        /// Names in the message, as written there.
        paths: Vec<String>,
        /// The program was about to make it: its directory is what is missing.
        creating: bool,
    },
    /// Not allowed.
    Denied(Vec<String>),
    /// A directory where a file is needed.
    IsDirectory {
        /// Who says so; `bash` where the directory was to be run.
        program: String,
        /// The directory.
        path: String,
    },
    /// git works in a repository only.
    NoRepository,
    /// git has no such command; what it offers itself.
    NoGitCommand {
        /// What was typed.
        typed: String,
        /// What git finds similar.
        similar: Vec<String>,
    },
    /// Somebody else listens there.
    PortInUse(Option<u16>),
    /// The filesystem is full.
    NoSpace(Vec<String>),
    /// The program has no such option.
    UnknownOption {
        /// Whose.
        program: String,
        /// As typed, with its dashes.
        option: String,
    },
    /// The shell could not read the line; the token that it stumbled over, where it names one.
    Syntax(Option<String>),
    /// `[` without its `]`, or without blanks.
    Bracket,
    /// A test whose variable is empty.
    EmptyOperand,
}

/// Words that begin an error message of a shell, or of a program whose name is not the command's.
const SPEAKERS: &[&str] = &["bash", "/bin/bash", "sh", "/bin/sh", "dash", "-bash", "fatal", "error", "sudo", "env", "python3", "python", "git", "line"];

/// Reads the error text of a command line that would start `programs`: the first message that is understood.
pub fn read(error: &str, programs: &[&str]) -> Option<Failure> {
    let text = strip_escapes(error);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
    let lines = &lines[lines.len().saturating_sub(40)..];
    lines.iter().enumerate().find_map(|(i, l)| line(l, &lines[i + 1..], programs))
}

/// Without the terminal's colours.
fn strip_escapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\u{1b}' {
            if c != '\r' {
                out.push(c);
            }
            continue;
        }
        if chars.next_if_eq(&'[').is_some() {
            for c in chars.by_ref() {
                if ('@'..='~').contains(&c) {
                    break;
                }
            }
        }
    }
    out
}

fn base(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

fn line(text: &str, following: &[&str], programs: &[&str]) -> Option<Failure> {
    let lower = text.to_lowercase();
    if lower.contains("not a git repository") {
        return Some(Failure::NoRepository);
    }
    if lower.contains("address already in use") || lower.contains("eaddrinuse") {
        return Some(Failure::PortInUse(port(text)));
    }
    if lower.contains("no space left on device") {
        return Some(Failure::NoSpace(names(text, "no space left on device")));
    }
    if let Some((_, token)) = text.split_once("syntax error near unexpected token ") {
        return Some(Failure::Syntax(quoted(token).into_iter().next()));
    }
    if lower.contains("syntax error: unexpected end of file") || lower.contains("unexpected eof while looking for matching") {
        return Some(Failure::Syntax(None));
    }
    let speaker = text.split(": ").next().unwrap_or("");
    let spoken = SPEAKERS.contains(&speaker) || programs.iter().any(|p| *p == speaker || base(p) == base(speaker));
    if !spoken {
        return None;
    }
    if lower.ends_with("[: missing `]'") || lower.contains("[[: ") && lower.contains("syntax error") {
        return Some(Failure::Bracket);
    }
    if lower.ends_with("unary operator expected") || lower.contains("[: ") && lower.ends_with("binary operator expected") || lower.ends_with("[: too many arguments") {
        return Some(Failure::EmptyOperand);
    }
    if let Some(rest) = text.strip_suffix(": command not found").or_else(|| text.strip_suffix(": not found")) {
        let name = rest.rsplit(": ").next().unwrap_or(rest);
        return Some(if name.starts_with('[') && name.len() > 1 { Failure::Bracket } else { Failure::NoCommand(name.to_owned()) });
    }
    if let Some(rest) = text.strip_suffix("No such file or directory") {
        // Python's number of the error stands in front.
        let rest = rest.trim_end().trim_end_matches("[Errno 2]").trim_end().trim_end_matches(':');
        let creating = ["cannot create", "cannot touch", "cannot move", "cannot open output"].iter().any(|w| rest.contains(w));
        return Some(Failure::NoFile { paths: names(rest, ""), creating });
    }
    if lower.ends_with("permission denied") || lower.ends_with("operation not permitted") {
        let end = text.rfind(": ").unwrap_or(text.len());
        return Some(Failure::Denied(names(&text[..end], "")));
    }
    if let Some(rest) = text.strip_suffix(": Is a directory") {
        return Some(Failure::IsDirectory { program: speaker.to_owned(), path: names(rest, "").pop()? });
    }
    if let Some((_, path)) = text.split_once("-r not specified; omitting directory ") {
        return Some(Failure::IsDirectory { program: speaker.to_owned(), path: quoted(path).into_iter().next()? });
    }
    if let Some((typed, _)) = text.strip_prefix("git: '").and_then(|r| r.split_once("' is not a git command")) {
        let similar = following.iter().filter(|l| !l.contains(' ') && !l.contains(':')).map(|l| (*l).to_owned()).collect();
        return Some(Failure::NoGitCommand { typed: typed.to_owned(), similar });
    }
    let program = || programs.iter().find(|p| base(p) == base(speaker)).or(programs.first()).map(|p| (*p).to_owned());
    for words in ["unrecognized option", "unknown option", "unexpected argument", "unrecognized argument", "unrecognized arguments:", "invalid long option"] {
        if let Some((_, rest)) = text.split_once(words) {
            let option = quoted(rest).into_iter().next().or_else(|| rest.split_whitespace().next().map(str::to_owned))?;
            let option = option.split('=').next().unwrap_or(&option).to_owned();
            // git names long options without their dashes.
            let option = if option.starts_with('-') { option } else { format!("--{option}") };
            return Some(Failure::UnknownOption { program: program()?, option });
        }
    }
    for words in ["invalid option -- ", "unknown switch ", "invalid option: ", "illegal option -- "] {
        if let Some((_, rest)) = text.split_once(words) {
            let letter = quoted(rest).into_iter().next().or_else(|| rest.split_whitespace().next().map(str::to_owned))?;
            let option = if letter.starts_with('-') { letter } else { format!("-{letter}") };
            return Some(Failure::UnknownOption { program: program()?, option });
        }
    }
    // bash's builtins: `cd: -z: invalid option`.
    if let Some(rest) = text.strip_suffix(": invalid option") {
        let mut fields = rest.rsplit(": ");
        let option = fields.next()?.to_owned();
        return Some(Failure::UnknownOption { program: fields.next()?.to_owned(), option });
    }
    None
}

/// Texts in quotes of any make: '...', `...', "...", and the typographic ones.
fn quoted(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(start) = opening(rest) {
        let open = rest[start..].chars().next().unwrap_or('\'');
        let close = match open {
            '`' | '\'' => '\'',
            '\u{2018}' => '\u{2019}',
            '\u{201c}' => '\u{201d}',
            c => c,
        };
        let inner = &rest[start + open.len_utf8()..];
        let Some(end) = inner.find(close) else { break };
        out.push(inner[..end].to_owned());
        rest = &inner[end + close.len_utf8()..];
    }
    out
}

/// Where a quote opens: the apostrophe of "can't" is none.
fn opening(text: &str) -> Option<usize> {
    let mut before = ' ';
    text.char_indices().find_map(|(i, c)| {
        let opens = matches!(c, '\'' | '`' | '"' | '\u{2018}' | '\u{201c}') && !before.is_alphanumeric();
        before = c;
        opens.then_some(i)
    })
}

/// The names that a message speaks of: those in quotes, else what stands last before the message itself.
fn names(text: &str, message: &str) -> Vec<String> {
    let found = quoted(text);
    if !found.is_empty() {
        return found;
    }
    let text = if message.is_empty() { text.to_owned() } else { text.to_lowercase().find(message).map_or_else(|| text.to_owned(), |i| text.get(..i).unwrap_or("").trim_end_matches([' ', ':']).to_owned()) };
    let fields: Vec<&str> = text.split(": ").collect();
    match fields.as_slice() {
        [.., last] if fields.len() > 1 && !last.starts_with("line ") => vec![(*last).trim().to_owned()],
        _ => Vec::new(),
    }
}

/// A port number in a message: after a colon, or after the word.
fn port(text: &str) -> Option<u16> {
    let after_colon = text.rmatch_indices(':').filter_map(|(i, _)| {
        let digits: String = text[i + 1..].chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    });
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).collect();
    let after_word = words.windows(2).filter(|w| w[0].eq_ignore_ascii_case("port")).filter_map(|w| w[1].parse().ok());
    // The last one: a time of day or an error's number may stand in front.
    after_word.chain(after_colon).find(|p| *p > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_real_programs() {
        let file = |p: &str| Some(Failure::NoFile { paths: vec![p.into()], creating: false });
        let option = |p: &str, o: &str| Some(Failure::UnknownOption { program: p.into(), option: o.into() });
        let directory = |program: &str, path: &str| Some(Failure::IsDirectory { program: program.into(), path: path.into() });
        let table: &[(&str, &[&str], Option<Failure>)] = &[
            ("bash: gti: command not found", &["gti"], Some(Failure::NoCommand("gti".into()))),
            ("/bin/bash: line 14: gti: command not found", &["gti"], Some(Failure::NoCommand("gti".into()))),
            ("sh: 1: gti: not found", &["sh"], Some(Failure::NoCommand("gti".into()))),
            ("ls: cannot access 'my file': No such file or directory", &["ls"], file("my file")),
            ("cat: nota.txt: No such file or directory", &["cat"], file("nota.txt")),
            ("bash: cd: src/x: No such file or directory", &["cd"], file("src/x")),
            ("find: \u{2018}srv\u{2019}: No such file or directory", &["find"], file("srv")),
            ("python3: can't open file '/tmp/a.py': [Errno 2] No such file or directory", &["python3"], Some(Failure::NoFile { paths: vec!["/tmp/a.py".into()], creating: false })),
            ("touch: cannot touch 'a/b': No such file or directory", &["touch"], Some(Failure::NoFile { paths: vec!["a/b".into()], creating: true })),
            ("mv: cannot move 'a' to 'x/y': No such file or directory", &["mv"], Some(Failure::NoFile { paths: vec!["a".into(), "x/y".into()], creating: true })),
            ("bash: ./run.sh: Permission denied", &["./run.sh"], Some(Failure::Denied(vec!["./run.sh".into()]))),
            ("rm: cannot remove '/etc/x': Permission denied", &["rm"], Some(Failure::Denied(vec!["/etc/x".into()]))),
            ("chown: changing ownership of 'x': Operation not permitted", &["chown"], Some(Failure::Denied(vec!["x".into()]))),
            ("cat: docs: Is a directory", &["cat"], directory("cat", "docs")),
            ("cp: -r not specified; omitting directory 'docs'", &["cp"], directory("cp", "docs")),
            ("rm: cannot remove 'docs': Is a directory", &["rm"], directory("rm", "docs")),
            ("bash: docs/: Is a directory", &["docs/"], directory("bash", "docs/")),
            ("fatal: not a git repository (or any of the parent directories): .git", &["git"], Some(Failure::NoRepository)),
            ("OSError: [Errno 98] Address already in use", &["python3"], Some(Failure::PortInUse(None))),
            ("nginx: [emerg] bind() to 0.0.0.0:8080 failed (98: Address already in use)", &["nginx"], Some(Failure::PortInUse(Some(8080)))),
            ("Error: listen EADDRINUSE: address already in use :::3000", &["node"], Some(Failure::PortInUse(Some(3000)))),
            ("cp: error writing '/mnt/a': No space left on device", &["cp"], Some(Failure::NoSpace(vec!["/mnt/a".into()]))),
            ("ls: unrecognized option '--colour-me'", &["ls"], option("ls", "--colour-me")),
            ("ls: unrecognized option '--sorted=x'", &["ls"], option("ls", "--sorted")),
            ("ls: invalid option -- 'y'", &["ls"], option("ls", "-y")),
            ("error: unknown option `onelien'", &["git"], option("git", "--onelien")),
            ("error: unexpected argument '--jsno' found", &["gpm"], option("gpm", "--jsno")),
            ("bash: cd: -z: invalid option", &["cd"], option("cd", "-z")),
            ("bash: syntax error near unexpected token `)'", &["echo"], Some(Failure::Syntax(Some(")".into())))),
            ("bash: line 3: syntax error: unexpected end of file", &[], Some(Failure::Syntax(None))),
            ("bash: [: missing `]'", &["["], Some(Failure::Bracket)),
            ("bash: [1: command not found", &["[1"], Some(Failure::Bracket)),
            ("bash: [: =: unary operator expected", &["["], Some(Failure::EmptyOperand)),
            ("\u{1b}[31mcat: x: No such file or directory\u{1b}[0m\r", &["cat"], file("x")),
            // What a file says is no error of the command that prints it.
            ("10:02 worker: disk.img: No such file or directory", &["cat"], None),
            ("nothing at all", &["x"], None),
            ("", &[], None),
        ];
        for (text, programs, expected) in table {
            assert_eq!(read(text, programs), *expected, "{text}");
        }
        let git = "git: 'stauts' is not a git command. See 'git --help'.\n\nThe most similar command is\n\tstatus\n";
        assert_eq!(read(git, &["git"]), Some(Failure::NoGitCommand { typed: "stauts".into(), similar: vec!["status".into()] }));
    }

    /// Whatever a program prints, reading it ends, and without a panic.
    #[test]
    fn any_text_is_read() {
        let pieces = ["bash", ": ", "'", "`", "\u{2018}", "No such file or directory", "Is a directory", "\u{1b}[", "\n", "é", ":::", "invalid option -- ", "unknown option", "git: '", "port 99999", "İ no space left on device"];
        let mut state = 12345u64;
        for _ in 0..20_000 {
            let mut text = String::new();
            for _ in 0..(state >> 60) {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                text.push_str(pieces[(state >> 33) as usize % pieces.len()]);
            }
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let _ = read(&text, &["bash", "cat"]);
        }
    }
}
