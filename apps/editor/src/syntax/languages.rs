//! Languages: what their comments, texts and words look like.

use super::Kind;
use std::path::Path;

/// How a text begins and ends.
#[derive(Debug)]
pub struct Text {
    pub(super) start: &'static str,
    pub(super) end: &'static str,
    /// Whether it may go on in the next line.
    pub(super) is_long: bool,
    /// Whether `\` takes the meaning of what follows.
    pub(super) has_escapes: bool,
    /// Whether it is one letter.
    pub(super) is_letter: bool,
}

/// What a language looks like.
#[derive(Debug)]
pub struct Language {
    /// Its name, for people.
    pub name: &'static str,
    /// How files' names end, or whole names.
    endings: &'static [&'static str],
    /// Programs that the first line may name.
    programs: &'static [&'static str],
    /// What begins a comment that the line ends.
    pub line_comments: &'static [&'static str],
    pub(super) block: Option<(&'static str, &'static str)>,
    pub(super) texts: &'static [Text],
    /// In order.
    pub(super) keywords: &'static [&'static str],
    /// What follows a key.
    pub(super) keys: Option<&'static str>,
    pub(super) signs_in_words: &'static [char],
    /// Whether a sign alone begins a comment also within a word.
    pub(super) ending_of_words: bool,
    pub(super) has_types: bool,
    pub(super) has_calls: bool,
    pub(super) is_markup: bool,
    pub(super) whole_line: Option<fn(&str) -> Option<Kind>>,
}

const PLAIN: Language = Language {
    name: "",
    endings: &[],
    programs: &[],
    line_comments: &[],
    block: None,
    texts: &[],
    keywords: &[],
    keys: None,
    signs_in_words: &[],
    ending_of_words: false,
    has_types: false,
    has_calls: false,
    is_markup: false,
    whole_line: None,
};

const fn text(start: &'static str, end: &'static str) -> Text {
    Text { start, end, is_long: false, has_escapes: true, is_letter: false }
}

const fn long(start: &'static str, end: &'static str) -> Text {
    Text { is_long: true, ..text(start, end) }
}

const fn raw(start: &'static str, end: &'static str) -> Text {
    Text { is_long: true, has_escapes: false, ..text(start, end) }
}

const LETTER: Text = Text { is_letter: true, ..text("'", "'") };
const QUOTES: &[Text] = &[text("\"", "\""), text("'", "'")];

fn section(line: &str) -> Option<Kind> {
    let line = line.trim();
    (line.starts_with('[') && line.ends_with(']')).then_some(Kind::Heading)
}

fn markdown(line: &str) -> Option<Kind> {
    let start = line.trim_start();
    match () {
        () if start.starts_with('#') => Some(Kind::Heading),
        () if start.starts_with('>') => Some(Kind::Comment),
        () if line.starts_with("    ") || start.starts_with("```") => Some(Kind::Name),
        () => None,
    }
}

fn difference(line: &str) -> Option<Kind> {
    match () {
        () if line.starts_with("@@") || line.starts_with("diff ") || line.starts_with("+++") || line.starts_with("---") => Some(Kind::Heading),
        () if line.starts_with('+') => Some(Kind::Added),
        () if line.starts_with('-') => Some(Kind::Removed),
        () => None,
    }
}

/// All of them.
pub(super) const ALL: &[Language] = &[
    Language {
        name: "Rust",
        endings: &[".rs"],
        line_comments: &["//"],
        block: Some(("/*", "*/")),
        texts: &[raw("r#\"", "\"#"), long("\"", "\""), LETTER],
        keywords: &[
            "Self", "as", "async", "await", "break", "const", "continue", "crate", "dyn", "else", "enum", "extern", "false", "fn", "for", "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub", "ref", "return", "self",
            "static", "struct", "super", "trait", "true", "type", "union", "unsafe", "use", "where", "while",
        ],
        has_types: true,
        has_calls: true,
        ..PLAIN
    },
    Language {
        name: "C",
        endings: &[".c", ".h", ".cpp", ".cc", ".cxx", ".hpp", ".java"],
        line_comments: &["//"],
        block: Some(("/*", "*/")),
        texts: QUOTES,
        keywords: &[
            "auto", "bool", "break", "case", "catch", "char", "class", "const", "constexpr", "continue", "default", "delete", "do", "double", "else", "enum", "extern", "false", "float", "for", "goto", "if", "inline", "int", "long",
            "namespace", "new", "nullptr", "operator", "private", "protected", "public", "register", "return", "short", "signed", "sizeof", "static", "struct", "switch", "template", "this", "throw", "true", "try", "typedef", "typename",
            "union", "unsigned", "using", "virtual", "void", "volatile", "while",
        ],
        has_calls: true,
        ..PLAIN
    },
    Language {
        name: "Python",
        endings: &[".py"],
        programs: &["python"],
        line_comments: &["#"],
        ending_of_words: true,
        texts: &[long("\"\"\"", "\"\"\""), long("'''", "'''"), text("\"", "\""), text("'", "'")],
        keywords: &[
            "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not",
            "or", "pass", "raise", "return", "try", "while", "with", "yield",
        ],
        has_types: true,
        has_calls: true,
        ..PLAIN
    },
    Language {
        name: "Shell",
        endings: &[".sh", ".bash", ".bashrc", ".profile", ".gcs", "gos"],
        programs: &["sh", "bash", "dash", "zsh", "gcs"],
        line_comments: &["#"],
        texts: &[long("\"", "\""), raw("'", "'")],
        keywords: &[
            "break", "case", "cd", "continue", "do", "done", "echo", "elif", "else", "esac", "eval", "exec", "exit", "export", "fi", "for", "function", "if", "in", "local", "read", "readonly", "return", "select", "set", "shift", "source",
            "test", "then", "trap", "umask", "unset", "until", "while",
        ],
        ..PLAIN
    },
    Language {
        name: "JavaScript",
        endings: &[".js", ".mjs", ".ts", ".tsx", ".jsx"],
        programs: &["node"],
        line_comments: &["//"],
        block: Some(("/*", "*/")),
        texts: &[text("\"", "\""), text("'", "'"), long("`", "`")],
        keywords: &[
            "async", "await", "break", "case", "catch", "class", "const", "continue", "default", "delete", "do", "else", "export", "extends", "false", "finally", "for", "function", "if", "import", "in", "instanceof", "interface", "let",
            "new", "null", "of", "return", "static", "super", "switch", "this", "throw", "true", "try", "type", "typeof", "undefined", "var", "void", "while", "yield",
        ],
        has_types: true,
        has_calls: true,
        ..PLAIN
    },
    Language { name: "JSON", endings: &[".json"], texts: &[text("\"", "\"")], keywords: &["false", "null", "true"], ..PLAIN },
    Language {
        name: "TOML",
        endings: &[".toml", "Cargo.lock"],
        line_comments: &["#"],
        texts: &[long("\"\"\"", "\"\"\""), raw("'''", "'''"), text("\"", "\""), text("'", "'")],
        keywords: &["false", "true"],
        keys: Some("="),
        signs_in_words: &['-', '.'],
        whole_line: Some(section),
        ..PLAIN
    },
    Language {
        name: "Settings",
        endings: &[".ini", ".conf", ".desktop", ".gcservice", ".service", ".cfg", ".gitconfig"],
        line_comments: &["#", ";"],
        texts: &[text("\"", "\"")],
        keywords: &["false", "no", "true", "yes"],
        keys: Some("="),
        signs_in_words: &['-'],
        whole_line: Some(section),
        ..PLAIN
    },
    Language {
        name: "YAML",
        endings: &[".yaml", ".yml"],
        line_comments: &["#"],
        texts: QUOTES,
        keywords: &["false", "no", "null", "true", "yes"],
        keys: Some(":"),
        signs_in_words: &['-', '.'],
        ..PLAIN
    },
    Language { name: "Markdown", endings: &[".md"], texts: &[text("`", "`")], whole_line: Some(markdown), ..PLAIN },
    Language {
        name: "HTML",
        endings: &[".html", ".htm", ".xml", ".svg", ".xhtml"],
        block: Some(("<!--", "-->")),
        texts: &[raw("\"", "\"")],
        signs_in_words: &['-', ':'],
        is_markup: true,
        ..PLAIN
    },
    Language { name: "CSS", endings: &[".css", ".scss"], block: Some(("/*", "*/")), texts: QUOTES, keys: Some(":"), signs_in_words: &['-'], has_calls: true, ..PLAIN },
    Language { name: "Make", endings: &["Makefile", "makefile", ".mk"], line_comments: &["#"], texts: QUOTES, keywords: &["define", "else", "endef", "endif", "ifdef", "ifeq", "ifndef", "ifneq", "include"], keys: Some(":"), signs_in_words: &['-', '.'], ..PLAIN },
    Language { name: "Difference", endings: &[".diff", ".patch"], whole_line: Some(difference), ..PLAIN },
    Language {
        name: "SQL",
        endings: &[".sql"],
        line_comments: &["--"],
        block: Some(("/*", "*/")),
        texts: &[text("'", "'")],
        keywords: &[
            "AND", "AS", "BY", "CREATE", "DELETE", "FROM", "GROUP", "INDEX", "INSERT", "INTO", "JOIN", "NOT", "NULL", "ON", "OR", "ORDER", "SELECT", "SET", "TABLE", "UPDATE", "VALUES", "WHERE", "and", "as", "by", "create", "delete", "from",
            "group", "index", "insert", "into", "join", "not", "null", "on", "or", "order", "select", "set", "table", "update", "values", "where",
        ],
        has_calls: true,
        ..PLAIN
    },
];

/// The language of a file, by its name or its first line.
pub fn of(path: &Path, text: &str) -> Option<&'static Language> {
    let name = path.file_name()?.to_string_lossy();
    let by_name = ALL.iter().find(|it| it.endings.iter().any(|end| if end.starts_with('.') { name.ends_with(end) } else { name == *end }));
    by_name.or_else(|| {
        let first = text.lines().next()?.strip_prefix("#!")?;
        let program = first.split_whitespace().map(|it| it.rsplit('/').next().unwrap_or(it)).find(|it| *it != "env")?;
        ALL.iter().find(|it| it.programs.iter().any(|name| program.trim_end_matches(|it: char| it.is_ascii_digit() || it == '.') == *name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_in_order() {
        for language in ALL {
            assert!(language.keywords.is_sorted(), "{}", language.name);
        }
    }
}
