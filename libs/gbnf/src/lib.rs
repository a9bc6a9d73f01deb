//! Grammars in llama.cpp's GBNF notation.
//!
//! A [`Grammar`] is rules of alternatives of items; repetitions become rules of their own. A [`Matcher`] holds all the
//! places in the grammar where the text read so far may be, as stacks of what must follow, and goes on a character at a time.

mod parse;

use std::collections::HashSet;

/// Most places that a matcher follows at once; a grammar more ambiguous than that is refused by the matcher.
const MAX_STACKS: usize = 4096;

/// What is wrong with a grammar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("grammar, line {line}: {problem}")]
pub struct GrammarError {
    /// From 1.
    pub line: usize,
    /// What.
    pub problem: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    /// A character in one of these ranges, or in none of them.
    Char { ranges: Vec<(char, char)>, negated: bool },
    /// A rule, by number.
    Rule(usize),
}

/// A parsed grammar.
#[derive(Debug, Clone)]
pub struct Grammar {
    rules: Vec<Vec<Vec<Item>>>,
    root: usize,
}

impl std::str::FromStr for Grammar {
    type Err = GrammarError;

    fn from_str(text: &str) -> Result<Grammar, GrammarError> {
        parse::grammar(text)
    }
}

impl Grammar {
    /// Whether `text` is a whole sentence of the grammar.
    pub fn matches(&self, text: &str) -> bool {
        let mut m = Matcher::new(self);
        text.chars().all(|c| m.accept(c)) && m.may_end()
    }
}

/// An item: rule, alternative, index.
type Place = (usize, usize, usize);

/// Where a text may be in a grammar.
#[derive(Debug, Clone)]
pub struct Matcher<'a> {
    grammar: &'a Grammar,
    /// Each is what must follow, the next item last; its last item is always a character. An empty one: the text may end.
    stacks: HashSet<Vec<Place>>,
}

impl<'a> Matcher<'a> {
    /// At the beginning of rule `root`.
    pub fn new(grammar: &'a Grammar) -> Self {
        let mut m = Matcher { grammar, stacks: HashSet::new() };
        let mut work = Vec::new();
        for alternative in 0..grammar.rules[grammar.root].len() {
            work.push(vec![(grammar.root, alternative, 0)]);
        }
        m.stacks = m.expanded(work);
        m
    }

    /// Follows rules until each stack ends with a character.
    fn expanded(&self, mut work: Vec<Vec<Place>>) -> HashSet<Vec<Place>> {
        let mut seen: HashSet<Vec<Place>> = work.iter().cloned().collect();
        let mut out = HashSet::new();
        while let Some(mut stack) = work.pop() {
            if out.len() > MAX_STACKS || seen.len() > 16 * MAX_STACKS {
                return HashSet::new();
            }
            let Some((rule, alternative, index)) = stack.pop() else {
                out.insert(stack);
                continue;
            };
            match self.grammar.rules[rule][alternative].get(index) {
                // The end of this alternative: go on behind it.
                None => {
                    if seen.insert(stack.clone()) {
                        work.push(stack);
                    }
                }
                Some(Item::Char { .. }) => {
                    stack.push((rule, alternative, index));
                    out.insert(stack);
                }
                Some(Item::Rule(inner)) => {
                    // Nothing behind the last item: it need not be kept, so that right recursion stays flat.
                    if index + 1 < self.grammar.rules[rule][alternative].len() {
                        stack.push((rule, alternative, index + 1));
                    }
                    for choice in 0..self.grammar.rules[*inner].len() {
                        let mut next = stack.clone();
                        next.push((*inner, choice, 0));
                        if seen.insert(next.clone()) {
                            work.push(next);
                        }
                    }
                }
            }
        }
        out
    }

    fn allows(&self, place: Place, c: char) -> bool {
        match &self.grammar.rules[place.0][place.1][place.2] {
            Item::Char { ranges, negated } => ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *negated,
            Item::Rule(_) => false,
        }
    }

    /// Whether `c` may come next.
    pub fn can_accept(&self, c: char) -> bool {
        self.stacks.iter().any(|s| s.last().is_some_and(|p| self.allows(*p, c)))
    }

    /// Goes on with `c`; `false`, and nothing changes, where it may not come next.
    pub fn accept(&mut self, c: char) -> bool {
        let mut work = Vec::new();
        for stack in &self.stacks {
            if let Some((rule, alternative, index)) = stack.last().copied().filter(|p| self.allows(*p, c)) {
                let mut next = stack[..stack.len() - 1].to_vec();
                next.push((rule, alternative, index + 1));
                work.push(next);
            }
        }
        let stacks = self.expanded(work);
        if stacks.is_empty() {
            return false;
        }
        self.stacks = stacks;
        true
    }

    /// Whether the text may end here.
    pub fn may_end(&self) -> bool {
        self.stacks.iter().any(Vec::is_empty)
    }

    /// Whether the text must end here.
    pub fn must_end(&self) -> bool {
        self.stacks.iter().all(Vec::is_empty)
    }

    /// Ranges of characters that may come next, not in order, perhaps overlapping; of a negated set its complement.
    pub fn next_ranges(&self) -> Vec<(char, char)> {
        let mut out = Vec::new();
        for place in self.stacks.iter().filter_map(|s| s.last()) {
            let Item::Char { ranges, negated } = &self.grammar.rules[place.0][place.1][place.2] else { continue };
            if !negated {
                out.extend(ranges.iter().copied());
                continue;
            }
            let mut sorted = ranges.clone();
            sorted.sort_unstable();
            let mut from = Some('\0');
            for (low, high) in sorted {
                if let Some(f) = from
                    && f < low
                {
                    out.push((f, (f..low).next_back().unwrap_or(f)));
                }
                from = from.and_then(|f| (high..=char::MAX).nth(1).map(|n| n.max(f)));
            }
            out.extend(from.map(|f| (f, char::MAX)));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn grammar(text: &str) -> Grammar {
        text.parse().unwrap_or_else(|e| panic!("{e}:\n{text}"))
    }

    #[test]
    fn sentences() {
        let sum = grammar("# sums\nroot ::= term (\"+\" term)*\nterm ::= number | \"(\" root \")\"\nnumber ::= [0-9]+\n");
        for good in ["1", "12+3", "(1+2)+34", "((7))"] {
            assert!(sum.matches(good), "{good}");
        }
        for bad in ["", "+", "1+", "(1", "1)", "a", "1 + 2"] {
            assert!(!sum.matches(bad), "{bad}");
        }
        let counted = grammar("root ::= \"a\"{2,3} [^\\n\\x41-\\x43]? . \"\\\"\" ( \"x\" |\n  \"y\" ) \"z\"{2} \"w\"{1,}");
        assert!(counted.matches("aa?\"xzzw"));
        assert!(counted.matches("aaa??\"yzzwww"));
        assert!(!counted.matches("aaAA\"xzzw"));
        assert!(!counted.matches("aa?\"xzzwx"));
        assert!(!counted.matches("a??\"xzzw"));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, problem) in [
            ("", "root"),
            ("root ::= a", "no rule a"),
            ("root ::= \"a", "not closed"),
            ("root ::= [a", "not closed"),
            ("root ::= (\"a\"", "not closed"),
            ("root ::= \"a\"\nroot ::= \"b\"", "twice"),
            ("root ::= root \"a\" | \"b\"", "begins with itself"),
            ("root ::= x \"a\"\nx ::= y?\ny ::= x \"b\"", "begins with itself"),
            ("root ::= \"a\"{3,2}", "repetition"),
            ("root ::= \"a\"{100000}", "repetition"),
            ("root ::= *", "nothing to repeat"),
            ("root = \"a\"", "::="),
            ("root ::= [z-a]", "range"),
            ("root ::= \"\\q\"", "escape"),
        ] {
            let e = text.parse::<Grammar>().expect_err(text);
            assert!(e.to_string().contains(problem), "{text}: {e}");
        }
        assert_eq!("root ::= \"a\"\n\nb ::= [".parse::<Grammar>().unwrap_err().line, 3);
    }

    #[test]
    fn long_repetitions_stay_cheap() {
        let g = grammar("root ::= (\"a\" | \"aa\" | [a-z])*");
        let mut m = Matcher::new(&g);
        for _ in 0..10_000 {
            assert!(m.accept('a'));
        }
        assert!(m.stacks.len() < 10);
    }

    proptest! {
        #[test]
        fn no_text_is_a_panic(text in "(root ::= )?[a-z\"\\[\\]()|*+?{},0-9 \n:=^.#\\\\-]{0,60}") {
            if let Ok(g) = text.parse::<Grammar>() {
                let _ = g.matches("abc");
            }
        }

        /// What the matcher says may come next does, and nothing else.
        #[test]
        fn ranges_are_what_is_accepted(c in any::<char>(), before in "[0-9(]{0,4}") {
            let g = grammar("root ::= term (\"+\" term)*\nterm ::= [0-9]+ | \"(\" root \")\" | [^0-9()+]");
            let mut m = Matcher::new(&g);
            for b in before.chars() {
                m.accept(b);
            }
            let in_ranges = m.next_ranges().iter().any(|(low, high)| (*low..=*high).contains(&c));
            prop_assert_eq!(in_ranges, m.can_accept(c));
            prop_assert_eq!(m.clone().accept(c), m.can_accept(c));
        }
    }
}
