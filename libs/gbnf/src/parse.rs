//! The notation.

use std::collections::HashMap;

use crate::{Grammar, GrammarError, Item};

/// Most times that a counted repetition writes its item out.
const MAX_COUNT: usize = 1000;
/// Deepest nesting of parentheses.
const MAX_DEPTH: usize = 64;

struct Parser<'a> {
    text: &'a str,
    at: usize,
    names: HashMap<String, usize>,
    rules: Vec<Option<Vec<Vec<Item>>>>,
    /// Where each rule was first named.
    lines: Vec<usize>,
    depth: usize,
}

pub(crate) fn grammar(text: &str) -> Result<Grammar, GrammarError> {
    let mut p = Parser { text, at: 0, names: HashMap::new(), rules: Vec::new(), lines: Vec::new(), depth: 0 };
    p.blanks(true);
    while p.peek().is_some() {
        p.rule()?;
        p.blanks(true);
    }
    let Some(root) = p.names.get("root").copied().filter(|r| p.rules[*r].is_some()) else {
        return Err(GrammarError { line: 1, problem: "there is no rule root".to_owned() });
    };
    let mut names: Vec<_> = p.names.iter().collect();
    names.sort();
    for (name, number) in names {
        if p.rules[*number].is_none() {
            return Err(GrammarError { line: p.lines[*number], problem: format!("there is no rule {name}") });
        }
    }
    let grammar = Grammar { rules: p.rules.into_iter().map(Option::unwrap_or_default).collect(), root };
    match left_recursion(&grammar) {
        Some(rule) => Err(GrammarError { line: p.lines[rule], problem: "a rule begins with itself, which has no end; write it with * or +".to_owned() }),
        None => Ok(grammar),
    }
}

/// A rule that can begin with itself.
fn left_recursion(g: &Grammar) -> Option<usize> {
    // Which rules may be empty.
    let mut empty = vec![false; g.rules.len()];
    loop {
        let before = empty.clone();
        for (r, alternatives) in g.rules.iter().enumerate() {
            empty[r] = empty[r] || alternatives.iter().any(|a| a.iter().all(|i| matches!(i, Item::Rule(n) if empty[*n])));
        }
        if empty == before {
            break;
        }
    }
    let begins: Vec<Vec<usize>> = g
        .rules
        .iter()
        .map(|alternatives| {
            let mut out = Vec::new();
            for a in alternatives {
                for item in a {
                    let Item::Rule(n) = item else { break };
                    out.push(*n);
                    if !empty[*n] {
                        break;
                    }
                }
            }
            out
        })
        .collect();
    (0..g.rules.len()).find(|start| {
        let mut seen = vec![false; g.rules.len()];
        let mut work = begins[*start].clone();
        while let Some(r) = work.pop() {
            if r == *start {
                return true;
            }
            if !std::mem::replace(&mut seen[r], true) {
                work.extend(&begins[r]);
            }
        }
        false
    })
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn eat(&mut self, what: &str) -> bool {
        let found = self.text[self.at..].starts_with(what);
        if found {
            self.at += what.len();
        }
        found
    }

    fn line(&self) -> usize {
        self.text[..self.at].matches('\n').count() + 1
    }

    fn fail<T>(&self, problem: impl Into<String>) -> Result<T, GrammarError> {
        Err(GrammarError { line: self.line(), problem: problem.into() })
    }

    /// Skips blanks and comments, and ends of lines where `lines`.
    fn blanks(&mut self, lines: bool) {
        while let Some(c) = self.peek() {
            match c {
                ' ' | '\t' | '\r' => self.at += 1,
                '\n' if lines => self.at += 1,
                '#' => self.at += self.text[self.at..].find('\n').unwrap_or(self.text.len() - self.at),
                _ => break,
            }
        }
    }

    fn name(&mut self) -> Option<String> {
        let rest = &self.text[self.at..];
        let len = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_')).unwrap_or(rest.len());
        self.at += len;
        (len > 0).then(|| rest[..len].to_owned())
    }

    fn number_of(&mut self, name: &str) -> usize {
        if let Some(n) = self.names.get(name) {
            return *n;
        }
        let n = self.fresh();
        self.names.insert(name.to_owned(), n);
        n
    }

    fn fresh(&mut self) -> usize {
        self.rules.push(None);
        self.lines.push(self.line());
        self.rules.len() - 1
    }

    fn rule(&mut self) -> Result<(), GrammarError> {
        let Some(name) = self.name() else { return self.fail("a rule's name is missing") };
        self.blanks(false);
        if !self.eat("::=") {
            return self.fail(format!("::= is missing behind {name}"));
        }
        self.blanks(true);
        let number = self.number_of(&name);
        if self.rules[number].is_some() {
            return self.fail(format!("the rule {name} is there twice"));
        }
        let body = self.alternatives(false)?;
        self.rules[number] = Some(body);
        self.blanks(false);
        match self.peek() {
            None | Some('\n') => Ok(()),
            Some(c) => self.fail(format!("{c:?} makes no sense here")),
        }
    }

    fn alternatives(&mut self, nested: bool) -> Result<Vec<Vec<Item>>, GrammarError> {
        let mut out = vec![self.sequence(nested)?];
        loop {
            // A line may begin with `|`.
            let here = self.at;
            self.blanks(true);
            if !self.eat("|") {
                self.at = here;
                return Ok(out);
            }
            self.blanks(true);
            out.push(self.sequence(nested)?);
        }
    }

    fn sequence(&mut self, nested: bool) -> Result<Vec<Item>, GrammarError> {
        let mut out: Vec<Item> = Vec::new();
        // Where the last item (a literal may be several) begins.
        let mut last: Option<usize> = None;
        loop {
            self.blanks(nested);
            let Some(c) = self.peek() else { break };
            let start = out.len();
            match c {
                '"' => out.extend(self.literal()?),
                '[' => out.push(self.set()?),
                '.' => {
                    self.at += 1;
                    out.push(Item::Char { ranges: Vec::new(), negated: true });
                }
                '(' => {
                    self.at += 1;
                    self.depth += 1;
                    if self.depth > MAX_DEPTH {
                        return self.fail("parentheses are nested too deeply");
                    }
                    let inner = self.alternatives(true)?;
                    self.depth -= 1;
                    self.blanks(true);
                    if !self.eat(")") {
                        return self.fail("a parenthesis is not closed");
                    }
                    let rule = self.fresh();
                    self.rules[rule] = Some(inner);
                    out.push(Item::Rule(rule));
                }
                '*' | '+' | '?' | '{' => {
                    let Some(from) = last.take() else { return self.fail("there is nothing to repeat") };
                    let (low, high) = self.counts()?;
                    let item: Vec<Item> = out.drain(from..).collect();
                    if item.is_empty() || (low == 1 && high == Some(1)) {
                        out.extend(item);
                    } else {
                        out.extend(self.repeated(item, low, high));
                    }
                    continue;
                }
                c if c.is_ascii_alphanumeric() || c == '-' || c == '_' => {
                    let name = self.name().unwrap_or_default();
                    let number = self.number_of(&name);
                    out.push(Item::Rule(number));
                }
                _ => break,
            }
            last = Some(start);
        }
        Ok(out)
    }

    fn counts(&mut self) -> Result<(usize, Option<usize>), GrammarError> {
        match self.next() {
            Some('*') => return Ok((0, None)),
            Some('+') => return Ok((1, None)),
            Some('?') => return Ok((0, Some(1))),
            _ => {}
        }
        let rest = &self.text[self.at..];
        let Some(end) = rest.find('}') else { return self.fail("a repetition is not closed") };
        let inside = rest[..end].to_owned();
        let parsed = match inside.split_once(',') {
            None => inside.trim().parse().ok().map(|n: usize| (n, Some(n))),
            Some((low, high)) if high.trim().is_empty() => low.trim().parse().ok().map(|n| (n, None)),
            Some((low, high)) => low.trim().parse().ok().zip(high.trim().parse().ok()).map(|(l, h)| (l, Some(h))),
        };
        match parsed {
            Some((low, high)) if low <= MAX_COUNT && high.is_none_or(|h| h <= MAX_COUNT && h >= low) => {
                self.at += end + 1;
                Ok((low, high))
            }
            _ => self.fail(format!("{{{inside}}} is no repetition (at most {MAX_COUNT})")),
        }
    }

    /// `item` written `low` times, then as rules for what is optional.
    fn repeated(&mut self, item: Vec<Item>, low: usize, high: Option<usize>) -> Vec<Item> {
        // A rule of its own, so that long items are not written out again and again.
        let item = if item.len() > 1 {
            let rule = self.fresh();
            self.rules[rule] = Some(vec![item]);
            Item::Rule(rule)
        } else {
            item[0].clone()
        };
        let mut out = vec![item.clone(); low];
        match high {
            None => {
                let rule = self.fresh();
                self.rules[rule] = Some(vec![vec![item, Item::Rule(rule)], vec![]]);
                out.push(Item::Rule(rule));
            }
            Some(high) => {
                let mut tail: Option<usize> = None;
                for _ in low..high {
                    let rule = self.fresh();
                    let mut first = vec![item.clone()];
                    first.extend(tail.map(Item::Rule));
                    self.rules[rule] = Some(vec![first, vec![]]);
                    tail = Some(rule);
                }
                out.extend(tail.map(Item::Rule));
            }
        }
        out
    }

    fn escape(&mut self) -> Result<char, GrammarError> {
        let digits = match self.next() {
            Some('n') => return Ok('\n'),
            Some('r') => return Ok('\r'),
            Some('t') => return Ok('\t'),
            Some(c @ ('\\' | '"' | '[' | ']' | '-' | '^')) => return Ok(c),
            Some('x') => 2,
            Some('u') => 4,
            Some('U') => 8,
            _ => return self.fail("there is no such escape"),
        };
        let c = self.text.get(self.at..self.at + digits).and_then(|h| u32::from_str_radix(h, 16).ok()).and_then(char::from_u32);
        match c {
            Some(c) => {
                self.at += digits;
                Ok(c)
            }
            None => self.fail("an escape needs hexadecimal digits of a character"),
        }
    }

    fn literal(&mut self) -> Result<Vec<Item>, GrammarError> {
        self.at += 1;
        let mut out = Vec::new();
        loop {
            let c = match self.next() {
                None | Some('\n') => return self.fail("a text is not closed"),
                Some('"') => return Ok(out),
                Some('\\') => self.escape()?,
                Some(c) => c,
            };
            out.push(Item::Char { ranges: vec![(c, c)], negated: false });
        }
    }

    fn set(&mut self) -> Result<Item, GrammarError> {
        self.at += 1;
        let negated = self.eat("^");
        let mut ranges = Vec::new();
        loop {
            let low = match self.next() {
                None | Some('\n') => return self.fail("a set is not closed"),
                Some(']') => return Ok(Item::Char { ranges, negated }),
                Some('\\') => self.escape()?,
                Some(c) => c,
            };
            let mut high = low;
            if self.text[self.at..].starts_with('-') && !self.text[self.at..].starts_with("-]") {
                self.at += 1;
                high = match self.next() {
                    None | Some('\n') => return self.fail("a set is not closed"),
                    Some('\\') => self.escape()?,
                    Some(c) => c,
                };
            }
            if high < low {
                return self.fail(format!("the range {low}-{high} is empty"));
            }
            ranges.push((low, high));
        }
    }
}
