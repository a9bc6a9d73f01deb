//! A command line flattened to the programs it would start, its redirections and its assignments.
//!
//! Built on the syntax tree of `brush-parser`. Everything nested is found: substitutions, subshells, functions,
//! here-documents. What only a wrapper knows (`sudo`, `xargs`, `find -exec`, `bash -c`) is [`crate::risk`]'s business.

use brush_parser::ast::{self, Command, CommandPrefixOrSuffixItem as Item, CompoundCommand};
use brush_parser::word::{self, WordPiece, WordPieceWithSource};
use brush_parser::{ParseError, Parser, ParserOptions};

/// Why a text is not a command line.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SyntaxError {
    /// More input could complete it: an open quote, `do` without `done`, a here-document without its end.
    #[error("the command is not complete")]
    Incomplete,
    /// No input can complete it.
    #[error("syntax error: {0}")]
    Invalid(String),
}

/// One word of a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arg {
    /// As written.
    pub raw: String,
    /// After quote removal; what is only known when it runs is U+FFFD.
    pub text: String,
    /// Holds an expansion whose value is only known when it runs.
    pub dynamic: bool,
    /// The word may expand to something that begins with `-`.
    pub open_start: bool,
    /// Holds an unquoted `*`, `?` or `[`: may become several words.
    pub glob: bool,
}

impl Arg {
    /// The value, when it is certain.
    pub fn literal(&self) -> Option<&str> {
        (!self.dynamic && !self.glob).then_some(self.text.as_str())
    }
}

/// How a redirection opens its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedirectKind {
    /// `<`
    Read,
    /// `>`, `>|`, `&>`
    Write,
    /// `>>`, `&>>`
    Append,
    /// `<>`
    ReadWrite,
}

/// A redirection to or from a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    /// How it is opened.
    pub kind: RedirectKind,
    /// The file.
    pub target: Arg,
}

/// One simple command, wherever it stood.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Invocation {
    /// Command name and arguments; empty for a bare assignment or redirection.
    pub words: Vec<Arg>,
    /// Variables assigned in front of it (or by it, for a bare assignment).
    pub assigns: Vec<String>,
    /// Its redirections.
    pub redirects: Vec<Redirect>,
    /// Its standard input is a pipe.
    pub piped_in: bool,
}

/// All that a command line would do, flat.
#[derive(Debug, Clone, Default)]
pub struct Script {
    /// Every simple command in the order of the text, nested ones after the one that holds them.
    pub invocations: Vec<Invocation>,
    /// Functions it defines: name, and the names of the commands in the body.
    pub functions: Vec<(String, Vec<String>)>,
    /// The deepest nesting was cut off: not everything was seen.
    pub truncated: bool,
}

const MAX_DEPTH: usize = 12;

/// Parses `line` as bash would.
pub fn parse(line: &str) -> Result<Script, SyntaxError> {
    let mut script = Script::default();
    let program = parse_program(line)?;
    let mut walker = Walker { script: &mut script, source: line, depth: 0, fed: false };
    for list in &program.complete_commands {
        walker.list(list);
    }
    Ok(script)
}

/// The syntax tree of `line`.
pub fn parse_program(line: &str) -> Result<ast::Program, SyntaxError> {
    let options = ParserOptions::default();
    let mut parser = Parser::new(std::io::Cursor::new(line), &options);
    parser.parse_program().map_err(|e| match e {
        ParseError::ParsingAtEndOfInput => SyntaxError::Incomplete,
        ParseError::Tokenizing { inner, .. } if inner.is_incomplete() => SyntaxError::Incomplete,
        other => SyntaxError::Invalid(other.to_string()),
    })
}

/// One word as an [`Arg`], and the command lines inside its substitutions.
pub fn arg(raw: &str) -> (Arg, Vec<String>) {
    let mut a = Arg { raw: raw.to_owned(), text: String::new(), dynamic: false, open_start: false, glob: false };
    let mut inner = Vec::new();
    match word::parse(raw, &ParserOptions::default()) {
        Ok(pieces) => collect(&pieces, false, &mut a, &mut inner),
        Err(_) => {
            // Not understood: assume the worst of it.
            a.dynamic = true;
            a.open_start = true;
            a.text = "\u{fffd}".into();
        }
    }
    if a.raw.contains('{') && has_brace_expansion(&a) {
        a.dynamic = true;
        a.open_start |= a.raw.starts_with('{') || a.raw.starts_with("-{");
    }
    (a, inner)
}

/// `{a,b}` or `{1..9}` outside quotes, seen roughly: quotes make it harmless, so a false alarm is possible, a miss is not.
fn has_brace_expansion(a: &Arg) -> bool {
    let b = &a.raw;
    !b.starts_with('\'') && b.find('{').is_some_and(|i| {
        let rest = &b[i..];
        !b[..i].ends_with('$') && rest.contains('}') && (rest.contains(',') || rest.contains(".."))
    })
}

fn collect(pieces: &[WordPieceWithSource], quoted: bool, a: &mut Arg, inner: &mut Vec<String>) {
    for p in pieces {
        let unknown = |a: &mut Arg| {
            a.open_start |= a.text.is_empty();
            a.dynamic = true;
            a.text.push('\u{fffd}');
        };
        match &p.piece {
            WordPiece::Text(t) => {
                let bracket = t.find('[').is_some_and(|i| t[i..].contains(']'));
                if !quoted && (t.contains(['*', '?']) || bracket) {
                    a.glob = true;
                    a.open_start |= a.text.is_empty() && t.starts_with(['*', '?', '[']);
                }
                a.text.push_str(t);
            }
            WordPiece::SingleQuotedText(t) => a.text.push_str(t),
            WordPiece::AnsiCQuotedText(t) => match plain_ansi(t) {
                Some(t) => a.text.push_str(&t),
                None => unknown(a),
            },
            WordPiece::DoubleQuotedSequence(s) | WordPiece::GettextDoubleQuotedSequence(s) => collect(s, true, a, inner),
            WordPiece::EscapeSequence(e) => a.text.push_str(e.strip_prefix('\\').unwrap_or(e)),
            WordPiece::TildeExpansion(word::TildeExpr::Home) => a.text.push('~'),
            WordPiece::TildeExpansion(_) => unknown(a),
            WordPiece::ParameterExpansion(_) => {
                // `${x:-$(cmd)}` runs cmd: look for substitutions in the text itself.
                nested_substitutions(&a.raw, inner);
                unknown(a);
            }
            WordPiece::ArithmeticExpression(e) => {
                nested_substitutions(&e.value, inner);
                unknown(a);
            }
            WordPiece::CommandSubstitution(c) | WordPiece::BackquotedCommandSubstitution(c) => {
                inner.push(c.clone());
                unknown(a);
            }
        }
    }
}

/// The value of a text in `$'...'`, where its escapes are the plain ones. Codes of characters could spell anything, and are not looked into.
fn plain_ansi(text: &str) -> Option<String> {
    let mut value = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        value.push(match c {
            '\\' => match rest.next()? {
                't' => '\t',
                'n' => '\n',
                'r' => '\r',
                c @ ('\\' | '\'' | '"') => c,
                _ => return None,
            },
            c => c,
        });
    }
    Some(value)
}

/// Command substitutions inside an expansion's own text, found by their brackets.
fn nested_substitutions(text: &str, inner: &mut Vec<String>) {
    let bytes = text.as_bytes();
    for (i, w) in bytes.windows(2).enumerate() {
        if w == b"$(" && bytes.get(i + 2) != Some(&b'(') {
            let mut depth = 0usize;
            for (j, b) in bytes.iter().enumerate().skip(i + 1) {
                match b {
                    b'(' => depth += 1,
                    b')' => {
                        depth -= 1;
                        if depth == 0 {
                            inner.push(text[i + 2..j].to_owned());
                            break;
                        }
                    }
                    _ => {}
                }
            }
        }
    }
    let mut ticks = text.match_indices('`').map(|(i, _)| i);
    while let (Some(a), Some(b)) = (ticks.next(), ticks.next()) {
        inner.push(text[a + 1..b].to_owned());
    }
}

struct Walker<'a> {
    script: &'a mut Script,
    /// The text being walked, to which the tree's positions refer.
    source: &'a str,
    depth: usize,
    /// The redirections just walked give the command text that stands in the line, or what another command prints.
    fed: bool,
}

impl Walker<'_> {
    fn list(&mut self, list: &ast::CompoundList) {
        if self.depth > MAX_DEPTH {
            self.script.truncated = true;
            return;
        }
        for item in &list.0 {
            self.pipeline(&item.0.first);
            for more in &item.0.additional {
                match more {
                    ast::AndOr::And(p) | ast::AndOr::Or(p) => self.pipeline(p),
                }
            }
        }
    }

    fn pipeline(&mut self, p: &ast::Pipeline) {
        for (i, c) in p.seq.iter().enumerate() {
            self.command(c, i > 0);
        }
    }

    fn command(&mut self, c: &Command, piped_in: bool) {
        match c {
            Command::Simple(s) => self.simple(s, piped_in),
            Command::Compound(c, redirects) => {
                let first = self.script.invocations.len();
                self.compound(c);
                let last = self.script.invocations.len();
                let fed = self.redirect_list(redirects.as_ref());
                // What stands first in `... | { cmd; }` reads the pipe.
                if piped_in || fed {
                    for i in &mut self.script.invocations[first..last] {
                        i.piped_in = true;
                    }
                }
            }
            Command::Function(f) => {
                let first = self.script.invocations.len();
                self.depth += 1;
                self.compound(&f.body.0);
                self.depth -= 1;
                let names = self.script.invocations[first..]
                    .iter()
                    .filter_map(|i| i.words.first())
                    .map(|w| w.text.clone())
                    .collect();
                self.script.functions.push((f.fname.value.clone(), names));
                let last = self.script.invocations.len();
                if self.redirect_list(f.body.1.as_ref()) {
                    self.script.invocations[first..last].iter_mut().for_each(|i| i.piped_in = true);
                }
            }
            Command::ExtendedTest(t, redirects) => {
                self.test(&t.expr);
                let _ = self.redirect_list(redirects.as_ref());
            }
        }
    }

    fn compound(&mut self, c: &CompoundCommand) {
        self.depth += 1;
        match c {
            CompoundCommand::Arithmetic(a) => {
                // The parser takes `( (cmd) )` for arithmetic; bash runs it in two subshells.
                let real = self.source.chars().skip(a.loc.start.index).take(2).eq("((".chars());
                let wrapped = self.source.chars().take(a.loc.end.index).collect::<Vec<_>>();
                if real && wrapped.ends_with(&[')', ')']) {
                    self.text(&a.expr.value);
                } else {
                    self.nested(&a.expr.value);
                }
            }
            CompoundCommand::ArithmeticForClause(f) => {
                for e in [&f.initializer, &f.condition, &f.updater].into_iter().flatten() {
                    self.text(&e.value);
                }
                self.list(&f.body.list);
            }
            CompoundCommand::BraceGroup(b) => self.list(&b.list),
            CompoundCommand::Subshell(s) => self.list(&s.list),
            CompoundCommand::ForClause(f) => {
                for w in f.values.iter().flatten() {
                    self.word(w);
                }
                self.list(&f.body.list);
            }
            CompoundCommand::CaseClause(c) => {
                self.word(&c.value);
                for case in &c.cases {
                    case.patterns.iter().for_each(|p| {
                        self.word(p);
                    });
                    if let Some(l) = &case.cmd {
                        self.list(l);
                    }
                }
            }
            CompoundCommand::IfClause(i) => {
                self.list(&i.condition);
                self.list(&i.then);
                for e in i.elses.iter().flatten() {
                    if let Some(c) = &e.condition {
                        self.list(c);
                    }
                    self.list(&e.body);
                }
            }
            CompoundCommand::WhileClause(w) | CompoundCommand::UntilClause(w) => {
                self.list(&w.0);
                self.list(&w.1.list);
            }
            CompoundCommand::Coprocess(c) => self.command(&c.body, false),
        }
        self.depth -= 1;
    }

    fn test(&mut self, t: &ast::ExtendedTestExpr) {
        use ast::ExtendedTestExpr as T;
        match t {
            T::And(a, b) | T::Or(a, b) => {
                self.test(a);
                self.test(b);
            }
            T::Not(a) | T::Parenthesized(a) => self.test(a),
            T::UnaryTest(_, w) => {
                self.word(w);
            }
            T::BinaryTest(_, a, b) => {
                self.word(a);
                self.word(b);
            }
        }
    }

    fn simple(&mut self, s: &ast::SimpleCommand, piped_in: bool) {
        let at = self.script.invocations.len();
        self.script.invocations.push(Invocation { piped_in, ..Default::default() });
        let mut inv = Invocation { piped_in, ..Default::default() };
        for item in s.prefix.iter().flat_map(|p| &p.0) {
            self.item(item, &mut inv, true);
        }
        if let Some(w) = &s.word_or_name {
            let a = self.word(w);
            inv.words.push(a);
        }
        for item in s.suffix.iter().flat_map(|p| &p.0) {
            self.item(item, &mut inv, false);
        }
        self.script.invocations[at] = inv;
    }

    fn item(&mut self, item: &Item, inv: &mut Invocation, prefix: bool) {
        match item {
            Item::IoRedirect(r) => {
                if let Some(r) = self.redirect(r) {
                    inv.redirects.push(r);
                }
                inv.piped_in |= std::mem::take(&mut self.fed);
            }
            Item::Word(w) => {
                let a = self.word(w);
                inv.words.push(a);
            }
            Item::AssignmentWord(assign, w) => {
                let a = self.word(w);
                let name = match &assign.name {
                    ast::AssignmentName::VariableName(n) | ast::AssignmentName::ArrayElementName(n, _) => n.clone(),
                };
                inv.assigns.push(name);
                if !prefix {
                    inv.words.push(a);
                }
            }
            Item::ProcessSubstitution(_, sub) => {
                self.depth += 1;
                self.list(&sub.list);
                self.depth -= 1;
                inv.words.push(Arg {
                    raw: "<(...)".into(),
                    text: "/dev/fd/63".into(),
                    dynamic: false,
                    open_start: false,
                    glob: false,
                });
            }
        }
    }

    /// Whether they give text to what is redirected.
    fn redirect_list(&mut self, list: Option<&ast::RedirectList>) -> bool {
        let mut inv = Invocation::default();
        let mut fed = false;
        for r in list.iter().flat_map(|l| &l.0) {
            if let Some(r) = self.redirect(r) {
                inv.redirects.push(r);
            }
            fed |= std::mem::take(&mut self.fed);
        }
        if !inv.redirects.is_empty() {
            self.script.invocations.push(inv);
        }
        fed
    }

    fn redirect(&mut self, r: &ast::IoRedirect) -> Option<Redirect> {
        use ast::{IoFileRedirectKind as K, IoFileRedirectTarget as T, IoRedirect as R};
        match r {
            R::File(_, kind, target) => {
                let word = match target {
                    T::Filename(w) => w,
                    T::Fd(_) => return None,
                    T::Duplicate(w) => {
                        // `>&2` and `>&-` duplicate or close; `>&file` writes a file.
                        if w.value.trim_end_matches('-').chars().all(|c| c.is_ascii_digit()) {
                            return None;
                        }
                        w
                    }
                    T::ProcessSubstitution(_, sub) => {
                        self.depth += 1;
                        self.list(&sub.list);
                        self.depth -= 1;
                        self.fed |= matches!(kind, K::Read);
                        return None;
                    }
                };
                let kind = match kind {
                    K::Read | K::DuplicateInput => RedirectKind::Read,
                    K::Write | K::Clobber | K::DuplicateOutput => RedirectKind::Write,
                    K::Append => RedirectKind::Append,
                    K::ReadAndWrite => RedirectKind::ReadWrite,
                };
                Some(Redirect { kind, target: self.word(word) })
            }
            R::HereDocument(_, h) => {
                if h.requires_expansion {
                    self.text(&h.doc.value);
                }
                self.fed = true;
                None
            }
            R::HereString(_, w) => {
                self.word(w);
                self.fed = true;
                None
            }
            R::OutputAndError(w, append) => Some(Redirect {
                kind: if *append { RedirectKind::Append } else { RedirectKind::Write },
                target: self.word(w),
            }),
        }
    }

    fn word(&mut self, w: &ast::Word) -> Arg {
        let (a, inner) = arg(&w.value);
        for code in inner {
            self.nested(&code);
        }
        a
    }

    /// Substitutions in text that is no word: arithmetic, here-documents.
    fn text(&mut self, t: &str) {
        let mut inner = Vec::new();
        nested_substitutions(t, &mut inner);
        for code in inner {
            self.nested(&code);
        }
    }

    fn nested(&mut self, code: &str) {
        if self.depth > MAX_DEPTH {
            self.script.truncated = true;
            return;
        }
        match parse_program(code) {
            Ok(program) => {
                let mut walker = Walker { script: self.script, source: code, depth: self.depth + 1, fed: false };
                for list in &program.complete_commands {
                    walker.list(list);
                }
            }
            Err(_) => self.script.truncated = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(line: &str) -> Vec<String> {
        parse(line).unwrap().invocations.iter().filter_map(|i| i.words.first()).map(|w| w.text.clone()).collect()
    }

    #[test]
    fn nested_commands_are_found() {
        assert_eq!(names("a | b && c; (d) & { e; }"), ["a", "b", "c", "d", "e"]);
        assert_eq!(names("echo $(x \"$(y)\") `z`"), ["echo", "x", "y", "z"]);
        assert_eq!(names("for i in $(f); do g; done; if h; then i; else j; fi"), ["f", "g", "h", "i", "j"]);
        assert_eq!(names("diff <(a) <(b) > >(c)"), ["diff", "a", "b", "c"]);
        assert_eq!(names("cat <<E\n$(evil)\nE\n"), ["cat", "evil"]);
        assert_eq!(names("echo ${x:-$(evil)} $(( $(n) + 1 ))"), ["echo", "evil", "n"]);
        assert_eq!(names("( (evil) )"), ["evil"]);
        assert_eq!(names("((1 + 2))"), [] as [&str; 0]);
        assert_eq!(names("r\\m x; 'rm' y; \"r\"m z"), ["rm", "rm", "rm"]);
    }

    #[test]
    fn incomplete_is_told_from_wrong() {
        for l in ["echo 'a", "for i in 1; do", "cat <<E\nx\n", "a |", "a &&", "if true", "echo $(", "{ a"] {
            assert_eq!(parse(l).unwrap_err(), SyntaxError::Incomplete, "{l}");
        }
        assert!(matches!(parse("a ) b"), Err(SyntaxError::Invalid(_))));
    }

    #[test]
    fn uncertain_words_are_marked() {
        assert!(arg("$x").0.open_start);
        assert!(!arg("a$x").0.open_start && arg("a$x").0.dynamic);
        assert!(arg("*.txt").0.glob);
        assert!(!arg("'*.txt'").0.glob && !arg("\\*").0.glob);
        assert_eq!(arg("'a b'").0.literal(), Some("a b"));
        assert!(arg("$'\\x2drf'").0.dynamic);
        assert_eq!(arg("$'a\\t\\'b'").0.literal(), Some("a\t'b"));
        assert!(arg("$'\\t\\055rf'").0.dynamic);
    }
}
