//! Command lines: words, quotes, and what is put in for `%i` and `$MAINPID`.

use std::collections::BTreeMap;

/// The most words of a command.
pub const MAX_WORDS: usize = 256;

/// A command as it is written, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Program and arguments, before expansion; at least one.
    pub words: Vec<String>,
    /// Written with `-` before it: its failure does not count.
    pub may_fail: bool,
    /// Written with `@` before it: the second word is `argv[0]`.
    pub has_name: bool,
}

impl Command {
    /// Splits a line at blanks; quotes of both kinds keep blanks, a backslash keeps the next character.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(line: &str) -> Result<Self, &'static str> {
        let mut rest = line.trim();
        let (mut may_fail, mut has_name) = (false, false);
        while let Some(prefix) = rest.chars().next().filter(|it| "-@".contains(*it)) {
            may_fail |= prefix == '-';
            has_name |= prefix == '@';
            rest = &rest[1..];
        }
        let words = split(rest)?;
        if words.is_empty() || words[0].is_empty() {
            return Err("there is no program");
        }
        if has_name && words.len() < 2 {
            return Err("after @ come the program and its argv[0]");
        }
        Ok(Command { words, may_fail, has_name })
    }

    /// The words with everything put in. A word that is `$NAME` alone becomes no word, one or several, `${NAME}` stays within its word;
    /// what is not known becomes nothing. `$$` is `$`, `%%` is `%`.
    pub fn expand(&self, values: &Values<'_>) -> Vec<String> {
        let mut words = Vec::new();
        for word in &self.words {
            let whole = word.strip_prefix('$').filter(|name| is_variable(name));
            match whole {
                Some(name) => words.extend(values.variable(name).split_ascii_whitespace().map(str::to_owned)),
                None => words.push(values.put_in(word)),
            }
            words.truncate(MAX_WORDS);
        }
        words
    }
}

/// What can be put into commands.
#[derive(Clone, Copy, Debug)]
pub struct Values<'a> {
    /// Variables.
    pub environment: &'a BTreeMap<String, String>,
    /// By the letter after `%`.
    pub specifiers: &'a BTreeMap<char, String>,
}

impl Values<'_> {
    fn variable(&self, name: &str) -> &str {
        self.environment.get(name).map_or("", String::as_str)
    }

    /// A text with everything put in.
    pub fn put_in(&self, text: &str) -> String {
        let mut result = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['$', '%']) {
            result.push_str(&rest[..at]);
            let sign = rest.as_bytes()[at];
            let after = &rest[at + 1..];
            let next = after.chars().next();
            let braced = after.strip_prefix('{').and_then(|inner| inner.split_once('}')).filter(|(name, _)| is_variable(name));
            let specifier = next.and_then(|letter| Some((self.specifiers.get(&letter)?, letter.len_utf8())));
            rest = if next == Some(sign as char) {
                result.push(sign as char);
                &after[1..]
            } else if let (b'$', Some((name, behind))) = (sign, braced) {
                result.push_str(self.variable(name));
                behind
            } else if let (b'%', Some((value, len))) = (sign, specifier) {
                result.push_str(value);
                &after[len..]
            } else {
                result.push(sign as char);
                after
            };
        }
        result.push_str(rest);
        result
    }
}

/// Whether a text is the name of a variable.
pub fn is_variable(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|it| it.is_ascii_alphabetic() || it == '_') && letters.all(|it| it.is_ascii_alphanumeric() || it == '_')
}

/// Words of a line.
///
/// # Errors
/// What is wrong with it.
pub fn split(line: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (_, '\\') if quote != Some('\'') => {
                let next = letters.next().ok_or("it ends in a backslash")?;
                word.get_or_insert_default().push(next);
            }
            (Some(end), _) if letter == end => quote = None,
            (Some(_), _) => word.get_or_insert_default().push(letter),
            (None, '"' | '\'') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, ' ' | '\t') => words.extend(word.take()),
            (None, _) => word.get_or_insert_default().push(letter),
        }
        if words.len() > MAX_WORDS {
            return Err("it has more than 256 words");
        }
    }
    if quote.is_some() {
        return Err("a quote is not closed");
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_split_and_expanded() {
        let command = Command::parse(r#"-/bin/x "a b" 'c\' d\ e ${N}.%i $LIST $NONE $$N %% "" %z"#).unwrap();
        assert!(command.may_fail);
        let environment = BTreeMap::from([("N".into(), "7".into()), ("LIST".into(), "p q".into())]);
        let specifiers = BTreeMap::from([('i', "inst".to_owned())]);
        let values = Values { environment: &environment, specifiers: &specifiers };
        assert_eq!(command.expand(&values), ["/bin/x", "a b", "c\\", "d e", "7.inst", "p", "q", "$N", "%", "", "%z"]);
        assert!(Command::parse("").is_err());
        assert!(Command::parse("-").is_err());
        assert!(Command::parse("@/bin/sh").is_err());
        assert!(Command::parse("/bin/sh \"x").is_err());
        assert!(Command::parse("/bin/sh \\").is_err());
    }
}
