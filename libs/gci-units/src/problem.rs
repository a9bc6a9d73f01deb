//! What is wrong with a unit file, in words for people.

use std::fmt;
use std::sync::Arc;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The line is left out of account, the unit works.
    Warning,
    /// The unit cannot be used.
    Error,
}

/// Something wrong at a line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, as it was named by the caller.
    pub file: Arc<str>,
    /// The line, from 1; 0: the file as a whole.
    pub line: usize,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub advice: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Warning => "warning: ",
            Severity::Error => "",
        };
        match self.line {
            0 => write!(f, "{}: {severity}{}", self.file, self.what)?,
            line => write!(f, "{}:{line}: {severity}{}", self.file, self.what)?,
        }
        if self.advice.is_empty() { Ok(()) } else { write!(f, "; {}", self.advice) }
    }
}

/// How many problems are kept of one file: a file of garbage is not worth more.
pub const MAX_PROBLEMS: usize = 64;

/// The problems of one file, at most [`MAX_PROBLEMS`].
#[derive(Clone, Debug)]
pub struct Problems {
    file: Arc<str>,
    list: Vec<Problem>,
    has_errors: bool,
}

impl Problems {
    /// None yet.
    pub fn new(file: &str) -> Self {
        Problems { file: file.into(), list: Vec::new(), has_errors: false }
    }

    /// One more.
    pub fn push(&mut self, line: usize, severity: Severity, what: impl Into<String>, advice: impl Into<String>) {
        self.has_errors |= severity == Severity::Error;
        if self.list.len() < MAX_PROBLEMS {
            self.list.push(Problem { file: self.file.clone(), line, severity, what: what.into(), advice: advice.into() });
        }
    }

    /// An error.
    pub fn error(&mut self, line: usize, what: impl Into<String>, advice: impl Into<String>) {
        self.push(line, Severity::Error, what, advice);
    }

    /// A warning.
    pub fn warn(&mut self, line: usize, what: impl Into<String>, advice: impl Into<String>) {
        self.push(line, Severity::Warning, what, advice);
    }

    /// Whether there are errors among them.
    pub fn has_errors(&self) -> bool {
        self.has_errors
    }

    /// All of them.
    pub fn into_list(self) -> Vec<Problem> {
        self.list
    }
}

/// A text of a file for a message: short, without control characters.
pub fn quoted(text: &str) -> String {
    let short: String = text.chars().take(60).collect();
    let dots = if short.len() < text.len() { "..." } else { "" };
    format!("{:?}{dots}", short)
}
