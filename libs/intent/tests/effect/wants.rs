//! What a command needs to find, so that what it does can be seen.

use actions::shell::{self, RedirectKind};

use super::sample;

/// What a tree must hold for a command.
#[derive(Default, Debug)]
pub struct Wants {
    /// Directories in which files are sought.
    pub places: Vec<String>,
    /// Directories below these.
    pub inner: Vec<String>,
    /// Patterns of names.
    pub names: Vec<String>,
    /// Files that are read.
    pub files: Vec<String>,
    /// Directories that something goes into.
    pub dirs: Vec<String>,
    /// Archives, and the line that makes each (`FILE` is its name).
    pub archives: Vec<(String, &'static str)>,
    /// Texts that lines must hold.
    pub texts: Vec<String>,
    /// Ages, in seconds.
    pub ages: Vec<u64>,
    /// Sizes, in bytes.
    pub sizes: Vec<u64>,
    /// Rights.
    pub modes: Vec<u32>,
    /// What is sought are directories.
    pub of_dirs: bool,
    /// The kind of what is sought is said.
    pub typed: bool,
    /// What is sought are links.
    pub of_links: bool,
    /// Lines of each file.
    pub lines: usize,
    /// Files must be sorted.
    pub sorted: bool,
}

/// Programs that read the files that they are given.
const READERS: &[&str] = &["cat", "head", "tail", "sort", "uniq", "wc", "cut", "sed", "awk", "grep", "egrep", "fgrep", "tac", "rev", "nl", "fold", "paste", "join", "comm", "diff", "cmp", "md5sum", "sha1sum", "sha256sum", "od", "xxd", "hexdump", "base64", "tee", "gzip", "bzip2", "xz", "less", "more", "column", "expand", "unexpand", "perl", "split", "strings", "zip", "truncate", "shuf", "fmt"];

impl Wants {
    /// What `command` wants, for `request`.
    pub fn of(request: &str, command: &str) -> Option<Wants> {
        let mut w = Wants { lines: 45, ..Wants::default() };
        for number in command.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse::<usize>().ok()).filter(|n| (20..=2000).contains(n)) {
            w.lines = w.lines.max(2 * number + 5);
        }
        w.sorted = (command.contains("comm ") || command.contains("join ")) && !command.contains("sort");
        for quote in ['"', '\''] {
            for (i, part) in request.split(quote).enumerate() {
                if i % 2 == 1 && part.len() < 41 && part.len() > 1 && !part.contains(['/', '*', '\n']) {
                    w.texts.push(part.to_owned());
                }
            }
        }
        let script = shell::parse(command).ok()?;
        for invocation in &script.invocations {
            let words: Vec<&str> = invocation.words.iter().map(|a| a.text.as_str()).collect();
            w.read(&words, &request.to_lowercase());
            for r in &invocation.redirects {
                let target = r.target.text.as_str();
                if target.starts_with("/dev/") || target.contains('\u{FFFD}') || target.starts_with(|c: char| c.is_ascii_digit()) {
                    continue;
                }
                match r.kind {
                    RedirectKind::Read => w.files.push(target.to_owned()),
                    _ => {
                        if let Some((dir, _)) = target.rsplit_once('/') {
                            w.dirs.push(dir.to_owned());
                        }
                    }
                }
            }
        }
        w.texts.truncate(6);
        for list in [&mut w.places, &mut w.inner, &mut w.names, &mut w.files, &mut w.dirs, &mut w.texts] {
            let mut seen = std::collections::HashSet::new();
            list.retain(|x| !x.is_empty() && !x.contains('\u{FFFD}') && seen.insert(x.clone()));
        }
        w.names.truncate(8);
        w.ages.truncate(6);
        w.sizes.truncate(6);
        w.modes.truncate(4);
        Some(w)
    }

    fn read(&mut self, words: &[&str], request: &str) {
        let Some((program, arguments)) = words.split_first() else { return };
        let program = program.rsplit('/').next().unwrap_or(program);
        match program {
            "find" => self.find(arguments, request),
            "xargs" | "sudo" | "nohup" | "time" | "nice" | "env" | "command" | "exec" => {
                let at = arguments.iter().position(|a| !a.starts_with('-') && a.starts_with(|c: char| c.is_ascii_alphabetic()) && a.len() > 1).unwrap_or(arguments.len());
                self.read(&arguments[at..], request);
            }
            _ => self.plain(program, arguments, request),
        }
    }

    fn find(&mut self, arguments: &[&str], request: &str) {
        let mut k = 0;
        while k < arguments.len() && !arguments[k].starts_with(['-', '(', '!']) {
            self.places.push(arguments[k].to_owned());
            k += 1;
        }
        if k == 0 {
            self.places.push(".".into());
        }
        let pruned = arguments.contains(&"-prune");
        while k < arguments.len() {
            let value = arguments.get(k + 1).copied().unwrap_or("");
            let number: u64 = value.trim_start_matches(['+', '-']).chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap_or(1);
            match arguments[k] {
                "-name" | "-iname" => {
                    if pruned && arguments[k + 1..].iter().take(4).any(|a| *a == "-prune") && !value.contains('*') {
                        self.inner.push(value.to_owned());
                    } else {
                        self.names.push(value.to_owned());
                    }
                }
                "-path" | "-wholename" | "-ipath" | "-iwholename" => {
                    let bare = value.trim_start_matches(['*', '.']).trim_matches('/').trim_end_matches("/*").trim_end_matches('*');
                    if bare.contains('.') && !bare.starts_with('.') {
                        self.names.push(value.trim_start_matches("*/").trim_start_matches("./").to_owned());
                    } else {
                        // The place itself is not said twice.
                        let place = self.places.first().map_or(String::new(), |p| format!("{}/", p.trim_matches('/')));
                        self.inner.push(sample::name(bare.strip_prefix(place.as_str()).unwrap_or(bare), 0));
                    }
                }
                "-regex" | "-iregex" => {
                    for k in 0..3 {
                        self.names.push(sample::text(value, k).trim_start_matches("./").replace(['*', '?', '['], "q"));
                    }
                }
                "-newer" | "-anewer" | "-cnewer" | "-samefile" => self.files.push(value.to_owned()),
                "-newermt" => self.ages.extend([3600, 3600 * 24 * 3, 3600 * 24 * 400, 3600 * 24 * 5000]),
                "-mtime" | "-atime" | "-ctime" => self.around_age(number, 86400),
                "-mmin" | "-amin" | "-cmin" => self.around_age(number, 60),
                "-size" => {
                    let unit = match value.chars().last() {
                        Some('c') => 1,
                        Some('w') => 2,
                        Some('k') => 1024,
                        Some('M') => 1 << 20,
                        Some('G') => 1 << 30,
                        _ => 512,
                    };
                    self.sizes.extend([0, (number * unit).saturating_sub(unit / 2), number * unit, number * unit + unit * 3]);
                }
                "-perm" => {
                    let digits = value.trim_start_matches(['+', '-', '/']);
                    let mode = u32::from_str_radix(digits, 8).unwrap_or_else(|_| symbolic(digits));
                    self.modes.extend([0o644, mode, mode | 0o755]);
                }
                "-executable" => self.modes.extend([0o644, 0o755]),
                "-type" => {
                    self.typed = true;
                    self.of_dirs |= value == "d";
                    self.of_links |= value == "l";
                }
                "-exec" | "-execdir" | "-ok" => {
                    let end = arguments[k + 1..].iter().position(|a| matches!(*a, ";" | "+")).map_or(arguments.len(), |n| k + 1 + n);
                    self.read(&arguments[k + 1..end], request);
                    k = end;
                }
                _ => {}
            }
            k += 1;
        }
    }

    fn around_age(&mut self, number: u64, unit: u64) {
        self.ages.extend([(number * unit).saturating_sub(unit / 2), number * unit + unit / 2, number * unit / 3 + 5, number * unit * 2 + unit + 7]);
    }

    fn plain(&mut self, program: &str, arguments: &[&str], request: &str) {
        let mut values: Vec<&str> = Vec::new();
        let mut k = 0;
        while k < arguments.len() {
            let a = arguments[k];
            k += 1;
            let takes = match program {
                "head" | "tail" => matches!(a, "-n" | "-c"),
                "cut" => matches!(a, "-d" | "-f" | "-c" | "-b"),
                "sort" => matches!(a, "-k" | "-t" | "-o"),
                "awk" => matches!(a, "-F" | "-v"),
                "grep" | "egrep" => matches!(a, "-A" | "-B" | "-C" | "-m" | "-f" | "--include" | "--exclude"),
                "join" => matches!(a, "-1" | "-2" | "-t" | "-o" | "-a"),
                "paste" | "du" | "fold" | "column" => matches!(a, "-d" | "-w" | "-s" | "-t") && arguments.get(k).is_some_and(|v| v.len() < 3),
                _ => false,
            };
            if program == "grep" && a == "-e" {
                self.texts.extend((0..2).map(|i| sample::text(arguments.get(k).unwrap_or(&""), i)));
                values.push("");
                k += 1;
            } else if takes {
                k += 1;
            } else if let Some(include) = a.strip_prefix("--include=") {
                self.names.push(include.to_owned());
            } else if !a.starts_with('-') && a != "{}" {
                values.push(a);
            }
        }
        let values = match program {
            "grep" | "egrep" | "fgrep" | "zgrep" => {
                if let Some(pattern) = values.first() {
                    self.texts.extend((0..2).map(|i| if program == "fgrep" { (*pattern).to_owned() } else { sample::text(pattern, i) }));
                }
                let rest = values.get(1..).unwrap_or(&[]).to_vec();
                let deep = arguments.iter().any(|a| a.starts_with('-') && !a.starts_with("--") && a.contains(['r', 'R']) || *a == "--recursive");
                if deep {
                    self.places.extend(rest.iter().filter(|p| !p.contains('*')).map(|p| (*p).to_owned()));
                    return;
                }
                rest
            }
            "sed" | "awk" | "perl" => {
                if let Some(script) = values.first() {
                    self.scripts(script);
                }
                values.get(1..).unwrap_or(&[]).to_vec()
            }
            "tr" | "echo" | "printf" | "seq" | "date" | "expr" | "test" | "[" | "export" | "set" | "kill" | "cal" | "sleep" | "which" | "basename" | "dirname" => {
                return;
            }
            _ => values,
        };
        let reads = READERS.contains(&program);
        let last = values.len().wrapping_sub(1);
        for (i, value) in values.iter().enumerate() {
            let value = value.trim_end_matches('/');
            let named_dir = {
                let lower = value.to_lowercase();
                ["directory", "folder", "dir", "directories"].iter().any(|d| request.contains(&format!("{d} {lower}")) || request.contains(&format!("{d} \"{lower}\"")) || request.contains(&format!("{lower} {d}")) || request.contains(&format!("\"{lower}\" {d}")) || request.contains(&format!("{d} '{lower}'")))
            };
            let dotted = value.rsplit('/').next().is_some_and(|n| n.trim_start_matches('.').contains('.'));
            if value.is_empty() || value.contains(['{', '$', '`', '=', '\u{FFFD}', '|', ';', ' ']) || value.starts_with("/dev/") || value == "." {
                continue;
            }
            if let Some(how) = archive(value).filter(|_| reads && program != "zip" || matches!(program, "tar" | "gunzip" | "zcat" | "bunzip2" | "bzcat" | "unzip" | "xzcat" | "unxz" | "zgrep") && !arguments.iter().any(|a| a.trim_start_matches('-').starts_with('c'))) {
                self.archives.push((value.to_owned(), how));
                continue;
            }
            if value.contains(['*', '?', '[']) {
                for k in 0..4 {
                    let name = sample::name(value, k);
                    if matches!(program, "cd" | "du" | "rmdir") { self.places.push(name) } else { self.files.push(name) }
                }
                continue;
            }
            match program {
                "mkdir" | "touch" => {
                    if let Some((dir, _)) = value.rsplit_once('/') {
                        self.dirs.push(dir.to_owned());
                    }
                }
                "cd" | "pushd" => self.places.push(value.to_owned()),
                "cp" | "mv" | "ln" | "rsync" if i == last && (values.len() > 1 || arguments.contains(&"{}")) => {
                    if arguments.contains(&"{}") || values.len() > 2 || values[i].ends_with('/') || named_dir {
                        self.dirs.push(value.to_owned());
                    } else if let Some((dir, _)) = value.rsplit_once('/') {
                        self.dirs.push(dir.to_owned());
                    }
                }
                "tar" | "zip" if i == 0 && archive(value).is_some() => {
                    if let Some((dir, _)) = value.rsplit_once('/') {
                        self.dirs.push(dir.to_owned());
                    }
                }
                "rmdir" => self.dirs.push(value.to_owned()),
                _ if named_dir || values[i].ends_with('/') || !dotted && matches!(program, "ls" | "du" | "tree" | "tar" | "zip") => self.places.push(value.to_owned()),
                _ if !dotted && arguments.iter().any(|a| matches!(*a, "-r" | "-R" | "-rf" | "-a" | "-p" | "-av")) && matches!(program, "cp" | "rm" | "chmod" | "chown" | "rsync") => self.places.push(value.to_owned()),
                _ if value.chars().all(|c| c.is_ascii_digit() || "+-,".contains(c)) || program == "chmod" && i == 0 || program == "chown" && i == 0 => {}
                _ => self.files.push(value.to_owned()),
            }
        }
    }

    /// Texts that a program of sed or awk seeks: what stands between strokes.
    fn scripts(&mut self, script: &str) {
        let parts: Vec<&str> = if let Some(rest) = script.strip_prefix('s').filter(|r| r.starts_with(|c: char| c.is_ascii_punctuation())) {
            let delimiter = rest.chars().next().unwrap_or('/');
            rest[delimiter.len_utf8()..].split(delimiter).take(1).collect()
        } else {
            script.split('/').skip(1).step_by(2).collect()
        };
        for part in parts.into_iter().filter(|p| !p.is_empty() && p.len() < 60).take(3) {
            self.texts.extend((0..2).map(|k| sample::text(part, k)));
        }
    }
}

/// How an archive of that name is made.
fn archive(name: &str) -> Option<&'static str> {
    let ends = |e: &str| name.ends_with(e);
    if ends(".tar.gz") || ends(".tgz") {
        Some("tar --sort=name -cf - src web notes.txt | gzip -n > FILE")
    } else if ends(".tar.bz2") || ends(".tbz2") {
        Some("tar --sort=name -cjf FILE src web notes.txt")
    } else if ends(".tar.xz") {
        Some("tar --sort=name -cJf FILE src web notes.txt")
    } else if ends(".tar") {
        Some("tar --sort=name -cf FILE src web notes.txt")
    } else if ends(".gz") {
        Some("cat notes.txt src/* | gzip -n > FILE")
    } else if ends(".bz2") {
        Some("cat notes.txt src/* | bzip2 > FILE")
    } else if ends(".xz") {
        Some("cat notes.txt src/* | xz > FILE")
    } else if ends(".zip") {
        Some("zip -qrX FILE src web notes.txt")
    } else {
        None
    }
}

/// `u+x`, `g=w,o=w` as bits.
fn symbolic(text: &str) -> u32 {
    let mut mode = 0;
    for clause in text.split(',') {
        let at = clause.find(['+', '=', '-']).unwrap_or(0);
        let (who, what) = clause.split_at(at);
        let bits = what.chars().fold(0, |m, c| m | match c { 'r' => 4, 'w' => 2, 'x' => 1, _ => 0 });
        let everybody = who.is_empty() || who.contains('a');
        for (letter, shift) in [('u', 6), ('g', 3), ('o', 0)] {
            if everybody || who.contains(letter) {
                mode |= bits << shift;
                if what.contains('s') {
                    mode |= if letter == 'u' { 0o4000 } else { 0o2000 };
                }
            }
        }
        if what.contains('t') {
            mode |= 0o1000;
        }
    }
    mode
}
