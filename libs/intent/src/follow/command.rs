//! The commands of the catalogue as something that can be refined: pipelines, `find` and `ls`.

/// A pipeline: its stages as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pipeline {
    /// The stages, without the bars.
    pub stages: Vec<String>,
}

/// Splits at `separator` where nothing is quoted.
fn split(text: &str, separator: &str) -> Vec<String> {
    let mut out = Vec::new();
    let (mut start, mut i) = (0, 0);
    let mut quote: Option<char> = None;
    while i < text.len() {
        let c = text[i..].chars().next().unwrap_or(' ');
        match quote {
            Some(q) if c == q => quote = None,
            Some(_) => {}
            None if c == '\\' => {
                // What it escapes separates nothing.
                i += 1;
                if let Some(escaped) = text.get(i..).and_then(|r| r.chars().next()) {
                    i += escaped.len_utf8();
                }
                continue;
            }
            None if matches!(c, '\'' | '"') => quote = Some(c),
            None if text[i..].starts_with(separator) => {
                out.push(text[start..i].to_owned());
                i += separator.len();
                start = i;
                continue;
            }
            None => {}
        }
        i += c.len_utf8();
    }
    out.push(text[start..].to_owned());
    out
}

/// The words of a command as written, quotes kept.
pub fn words(text: &str) -> Vec<String> {
    split(text.trim(), " ").into_iter().filter(|w| !w.is_empty()).collect()
}

impl Pipeline {
    /// Reads one; `None` where the command is more than a pipeline.
    pub fn parse(command: &str) -> Option<Pipeline> {
        if [";", "&&", "||", "\n", "$("].iter().any(|s| split(command, s).len() > 1) {
            // `\;` and `2>&1` are no ends of commands; split() skips the first.
            return None;
        }
        Some(Pipeline { stages: split(command, " | ").into_iter().map(|s| s.trim().to_owned()).collect() })
    }

    /// As a command line.
    pub fn text(&self) -> String {
        self.stages.join(" | ")
    }

    /// The program of the first stage.
    pub fn program(&self) -> &str {
        self.stages.first().and_then(|s| s.split(' ').next()).unwrap_or("")
    }

    fn starts(stage: &str, program: &str) -> bool {
        stage.split(' ').next() == Some(program)
    }

    /// Takes the stages of `programs` away.
    pub fn without(&mut self, programs: &[&str]) {
        let mut first = true;
        self.stages.retain(|s| std::mem::take(&mut first) || !programs.iter().any(|p| Self::starts(s, p)));
    }

    /// Limits it to `n` lines, from the beginning or the end.
    pub fn limit(&mut self, n: u64, end: bool) {
        let program = if end { "tail" } else { "head" };
        if let Some(s) = self.stages.iter_mut().skip(1).find(|s| Self::starts(s, program)) {
            *s = format!("{program} -n {n}");
            return;
        }
        // ps and others have a line of headings; `sed` keeps it.
        if self.program() == "ps" && !end {
            self.stages.push(format!("head -n {}", n + 1));
        } else {
            self.stages.push(format!("{program} -n {n}"));
        }
    }

    /// `find`'s stage, if this is one.
    pub fn find(&self) -> Option<Find> {
        Find::parse(self.stages.first()?)
    }

    /// Puts `find`'s stage back.
    pub fn set_find(&mut self, find: &Find) {
        self.stages[0] = find.text();
    }
}

/// A `find` command in its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Find {
    /// Where it begins, as written.
    pub dir: String,
    /// Its tests.
    pub tests: Vec<String>,
    /// What it does with what it finds; empty for printing.
    pub action: Vec<String>,
    /// What follows: redirections.
    pub end: Vec<String>,
}

const ACTIONS: &[&str] = &["-print", "-printf", "-print0", "-delete", "-exec", "-execdir", "-ls"];

impl Find {
    fn parse(stage: &str) -> Option<Find> {
        let mut words = words(stage).into_iter();
        if words.next()? != "find" {
            return None;
        }
        let mut rest: Vec<String> = words.collect();
        let dir = if rest.first().is_some_and(|w| !w.starts_with(['-', '(', '!', '\\'])) { rest.remove(0) } else { ".".into() };
        let at = rest.iter().position(|w| w.starts_with("2>")).unwrap_or(rest.len());
        let end = rest.split_off(at);
        let at = rest.iter().position(|w| ACTIONS.contains(&w.as_str())).unwrap_or(rest.len());
        let action = rest.split_off(at);
        Some(Find { dir, tests: rest, action, end })
    }

    /// As text.
    pub fn text(&self) -> String {
        let mut all = vec!["find".to_owned(), self.dir.clone()];
        all.extend(self.tests.iter().chain(&self.action).chain(&self.end).cloned());
        all.join(" ")
    }

    /// Adds a test; one of the same kind (`-size`, `-type`) is replaced.
    pub fn test(&mut self, words: &[&str]) {
        // A second bound of size or time is one more test, a second kind of file is another one.
        if words.first().is_some_and(|w| matches!(*w, "-type" | "-maxdepth" | "-user")) {
            self.drop_test(words[0]);
        }
        // Depths stand in front, or find complains.
        let at = if words[0] == "-maxdepth" || words[0] == "-mindepth" { 0 } else { self.tests.len() };
        self.tests.splice(at..at, words.iter().map(|w| (*w).to_owned()));
    }

    /// Takes a test with one value away.
    pub fn drop_test(&mut self, name: &str) {
        while let Some(i) = self.tests.iter().position(|t| t == name) {
            let end = (i + 2).min(self.tests.len());
            self.tests.drain(i..end);
        }
    }
}

/// An `ls` command in its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ls {
    /// Its option letters.
    pub letters: String,
    /// The directory, as written; `.` where none is.
    pub dir: String,
}

impl Ls {
    /// Reads one with letters for options and at most one directory.
    pub fn parse(pipeline: &Pipeline) -> Option<Ls> {
        let words = words(pipeline.stages.first()?);
        if words.first()? != "ls" {
            return None;
        }
        let mut ls = Ls { letters: String::new(), dir: ".".into() };
        let mut seen = false;
        for w in &words[1..] {
            match w.strip_prefix('-') {
                Some("-") => {}
                Some(letters) if !letters.starts_with('-') => ls.letters.push_str(letters),
                Some(_) => return None,
                None if !seen => {
                    ls.dir = w.clone();
                    seen = true;
                }
                None => return None,
            }
        }
        Some(ls)
    }

    /// As text.
    pub fn text(&self) -> String {
        let letters = if self.letters.is_empty() { String::new() } else { format!(" -{}", self.letters) };
        let dir = if self.dir == "." { String::new() } else { format!(" {}", self.dir) };
        format!("ls{letters}{dir}")
    }

    /// The same as a search, so that it can be narrowed.
    pub fn as_find(&self) -> Find {
        let mut tests: Vec<String> = ["-mindepth", "1", "-maxdepth", "1"].map(str::to_owned).to_vec();
        if !self.letters.contains(['a', 'A']) {
            tests.extend(["!", "-name", "'.*'"].map(str::to_owned));
        }
        if self.letters.contains('R') {
            tests.drain(0..4);
        }
        Find { dir: self.dir.clone(), tests, action: Vec::new(), end: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_back_as_they_were() {
        for c in [
            "find . -type f -name '*.pdf' -size +10M", "find / -xdev -type f -size +2G 2>/dev/null", "find . -type f -printf '%s\\t%p\\n' | sort -rn | head -n 5 | numfmt --to=iec", "find . -type f \\( -iname '*.a' -o -iname '*.b' \\)", "ls -lh docs", "ls",
            "find 'my | dir' -type f", "ps aux --sort=-%cpu | head -n 11",
        ] {
            let p = Pipeline::parse(c).unwrap();
            assert_eq!(p.text(), c);
            if let Some(f) = p.find() {
                let mut q = p.clone();
                q.set_find(&f);
                assert_eq!(q.text(), c);
            }
            if let Some(l) = Ls::parse(&p) {
                assert_eq!(l.text(), c);
            }
        }
        assert!(Pipeline::parse("a; b").is_none() && Pipeline::parse("a && b").is_none());
        let mut f = Pipeline::parse("find . -maxdepth 1 -type f -print -delete").unwrap().find().unwrap();
        f.test(&["-type", "d"]);
        f.test(&["-maxdepth", "2"]);
        f.test(&["-size", "+1M"]);
        assert_eq!(f.text(), "find . -maxdepth 2 -type d -size +1M -print -delete");
    }
}
