//! The command line as words: Linux's grammar (`lib/cmdline.c`, `next_arg` describes the behaviour).

/// One word of the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Param<'a> {
    /// What stands before the first `=`, as written.
    pub name: &'a str,
    /// What stands after it, without enclosing quotes; `None` where there is no `=`.
    pub value: Option<&'a str>,
}

impl<'a> Param<'a> {
    /// Whether this is the parameter `name`; `-` and `_` are the same.
    pub fn is(&self, name: &str) -> bool {
        let fold = |byte: u8| if byte == b'_' { b'-' } else { byte };
        self.name.bytes().map(fold).eq(name.bytes().map(fold))
    }

    fn from_word(word: &'a str) -> Self {
        // Quotes may enclose the whole word (`"name=a b"`) or the value (`name="a b"`).
        let (word, whole) = match word.strip_prefix('"') {
            Some(rest) => (rest.strip_suffix('"').unwrap_or(rest), true),
            None => (word, false),
        };
        match word.split_once('=') {
            None => Self {
                name: word,
                value: None,
            },
            Some((name, value)) => {
                let value = match value.strip_prefix('"') {
                    Some(rest) if !whole => rest.strip_suffix('"').unwrap_or(rest),
                    _ => value,
                };
                Self {
                    name,
                    value: Some(value),
                }
            }
        }
    }
}

/// Iterates over the words of a command line, up to `--`.
#[derive(Clone, Debug)]
pub struct Params<'a> {
    rest: &'a str,
    stop_at_dashes: bool,
}

impl<'a> Params<'a> {
    /// The words before `--`.
    pub fn new(cmdline: &'a str) -> Self {
        Self {
            rest: cmdline,
            stop_at_dashes: true,
        }
    }

    /// The words after `--`; none where there is no `--`.
    pub(crate) fn after_dashes(cmdline: &'a str) -> Self {
        let mut words = Self::new(cmdline);
        while let Some(word) = words.word() {
            if word == "--" {
                break;
            }
        }
        Self {
            rest: words.rest,
            stop_at_dashes: false,
        }
    }

    /// The next word, quotes included.
    fn word(&mut self) -> Option<&'a str> {
        // A loader may leave a NUL or a newline at the end.
        let blank = |c: char| c.is_ascii_whitespace() || c == '\0';
        let start = self.rest.trim_start_matches(blank);
        if start.is_empty() {
            self.rest = "";
            return None;
        }
        let mut quoted = false;
        let end = start.find(|c: char| {
            if c == '"' {
                quoted = !quoted;
            }
            blank(c) && !quoted
        });
        let (word, rest) = start.split_at(end.unwrap_or(start.len()));
        self.rest = rest;
        Some(word)
    }
}

impl<'a> Iterator for Params<'a> {
    type Item = Param<'a>;

    fn next(&mut self) -> Option<Param<'a>> {
        let word = self.word()?;
        if word == "--" && self.stop_at_dashes {
            self.rest = "";
            return None;
        }
        Some(Param::from_word(word))
    }
}
