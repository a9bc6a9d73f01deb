//! Why it failed, looked up on this machine, and what would help.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use actions::quote::{quote, quote_path};
use actions::shell::{RedirectKind, Script};
use intent::world::World;

use super::failure::Failure;
use super::{Place, Proposal, near, options, owner, raw_of, replace_word, search_path, syntax};

/// What was found.
pub struct Found {
    /// The problem in a sentence.
    pub problem: String,
    /// Facts about it.
    pub evidence: Vec<String>,
    /// Command lines and why.
    pub proposals: Vec<Proposal>,
}

impl Found {
    fn new(problem: impl Into<String>) -> Found {
        Found { problem: problem.into(), evidence: Vec::new(), proposals: Vec::new() }
    }

    fn fact(mut self, fact: impl Into<String>) -> Found {
        self.evidence.push(fact.into());
        self
    }

    fn propose(&mut self, command: impl Into<String>, why: impl Into<String>) {
        self.proposals.push((command.into(), why.into()));
    }
}

/// The reason for `failure` of `line`, if there is something to say.
pub fn find(failure: &Failure, line: &str, script: &Script, place: &Place<'_>) -> Option<Found> {
    match failure {
        Failure::NoCommand(name) => Some(no_command(name, line, script, place)),
        Failure::NoFile { paths, creating } => no_file(paths, *creating, line, script, place),
        Failure::Denied(paths) => Some(denied(paths, line, script, place)),
        Failure::IsDirectory { program, path } => Some(is_directory(program, path, line, script)),
        Failure::NoRepository => Some(no_repository(place)),
        Failure::NoGitCommand { typed, similar } => {
            let mut found = Found::new(format!("git has no command {typed}."));
            for s in similar {
                if let Some(text) = replace_word(line, typed, s) {
                    found.propose(text, format!("{s} is what git finds similar."));
                }
            }
            Some(found)
        }
        Failure::PortInUse(port) => Some(port_in_use(port.or_else(|| port_in(line)))),
        Failure::NoSpace(paths) => Some(no_space(paths, place)),
        Failure::UnknownOption { program, option } => Some(unknown_option(program, option, line, script)),
        Failure::Syntax(token) => {
            let mut found = Found::new(match token {
                Some(t) => format!("The shell does not expect {t:?} there."),
                None => "The line is not complete: something that was opened is not closed.".to_owned(),
            });
            found.proposals = syntax::mend(line, token.as_deref());
            Some(found)
        }
        Failure::Bracket => {
            let mut found = Found::new("[ and ] must stand as words of their own.");
            found.proposals.extend(syntax::brackets(line));
            Some(found)
        }
        Failure::EmptyOperand => {
            let mut found = Found::new("A variable in the test is empty, or holds blanks.");
            found.proposals.extend(syntax::quote_variables(line));
            Some(found)
        }
    }
}

fn no_command(name: &str, line: &str, script: &Script, place: &Place<'_>) -> Found {
    let mut found = Found::new(format!("There is no command {name}."));
    let raw = raw_of(script, name).unwrap_or(name).to_owned();
    let swap = |to: &str| replace_word(line, &raw, to);
    // `cd..` and `ls-l`.
    for split in ["..", "-", "/"] {
        if let Some((head, _)) = name.split_once(split)
            && !head.is_empty()
            && place.world.has_command(head)
            && let Some(text) = swap(&format!("{head} {}", &name[head.len()..]))
        {
            found.propose(text, format!("With a blank after {head}."));
        }
    }
    let here = place.world.cwd.join(name);
    if !name.contains('/') && here.is_file() && place.world.has_command(&format!("./{name}")) {
        found.evidence.push(format!("There is a program {name} in this directory, which is not searched for commands."));
        found.proposals.extend(swap(&format!("./{}", quote(name))).map(|t| (t, "Runs the one in this directory.".to_owned())));
    }
    let all = near::commands(search_path(place), place.names);
    let nearest = near::nearest(name, all.iter().map(String::as_str));
    if !nearest.is_empty() {
        found.problem = format!("There is no command {name}. Nearest: {}.", nearest.join(", "));
    }
    for n in &nearest {
        if let Some(text) = swap(n) {
            let about = actions::explain::summary(n).map_or_else(String::new, |s| format!(", which {s}"));
            found.propose(text, format!("{n} is a command{about}."));
        }
    }
    if let Some(package) = package_of(name, place) {
        found.evidence.push(format!("The package {package} can be installed."));
        let install = format!("gpm install {}", quote(&package));
        let why = format!("Installs the package {package}, which should have it.");
        // A name that is a package is no slip of the fingers.
        if package == name { found.proposals.insert(0, (install, why)) } else { found.proposals.push((install, why)) }
    }
    found
}

/// Programs whose package is called otherwise.
const PACKAGES: &[(&str, &str)] = &[
    ("ifconfig", "net-tools"), ("netstat", "net-tools"), ("route", "net-tools"), ("dig", "bind9-dnsutils"), ("nslookup", "bind9-dnsutils"), ("rg", "ripgrep"), ("fdfind", "fd-find"), ("pip", "python3-pip"), ("pip3", "python3-pip"), ("python", "python3"), ("vi", "vim"), ("convert", "imagemagick"),
    ("killall", "psmisc"), ("pstree", "psmisc"), ("fuser", "psmisc"), ("nc", "netcat-openbsd"), ("ssh", "openssh-client"), ("scp", "openssh-client"), ("sshd", "openssh-server"), ("ping", "iputils-ping"), ("ip", "iproute2"), ("ss", "iproute2"), ("man", "man-db"), ("xxd", "xxd"), ("g++", "g++"), ("7z", "p7zip-full"), ("npm", "npm"), ("node", "nodejs"), ("cargo", "cargo"),
];

/// The package that has the command, if gpm knows one that can be had.
fn package_of(command: &str, place: &Place<'_>) -> Option<String> {
    if !place.world.has_command("gpm") || !command.chars().all(|c| c.is_ascii_alphanumeric() || "+-._".contains(c)) || command.starts_with('-') {
        return None;
    }
    let wanted = PACKAGES.iter().find(|p| p.0 == command).map_or(command, |p| p.1);
    let mut child = Command::new("gpm").args(["--json", "search", wanted]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
    let mut out = child.stdout.take()?;
    let reader = std::thread::spawn(move || {
        let mut text = Vec::new();
        let _ = out.by_ref().take(4 << 20).read_to_end(&mut text);
        text
    });
    let start = Instant::now();
    while matches!(child.try_wait(), Ok(None)) {
        if start.elapsed() > Duration::from_secs(4) {
            let _ = child.kill();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let answer: serde_json::Value = serde_json::from_slice(&reader.join().ok()?).ok()?;
    answer.as_array()?.iter().any(|p| p["name"] == wanted).then(|| wanted.to_owned())
}

fn absolute(path: &str, place: &Place<'_>) -> PathBuf {
    match path.strip_prefix("~/") {
        Some(rest) => place.world.home.join(rest),
        None => place.world.cwd.join(path),
    }
}

fn no_file(paths: &[String], creating: bool, line: &str, script: &Script, place: &Place<'_>) -> Option<Found> {
    // Messages may name several: the one that is missing is meant.
    let path = paths.iter().find(|p| absolute(p, place).symlink_metadata().is_err()).or(paths.first())?;
    let full = absolute(path, place);
    // A link that leads nowhere.
    if full.is_symlink() {
        let to = std::fs::read_link(&full).map(|t| t.display().to_string()).unwrap_or_default();
        let mut found = Found::new(format!("{path} is a link to {to}, which does not exist."));
        found.propose(format!("readlink -- {}", quote_path(path)), "Shows where the link leads.");
        return Some(found);
    }
    // A script whose interpreter is missing says that itself does not exist.
    if full.is_file() {
        let first = std::fs::read(&full).ok()?;
        let interpreter = first.strip_prefix(b"#!").and_then(|r| r.split(|b| *b == b'\n').next()).map(|l| String::from_utf8_lossy(l).trim_end_matches('\r').trim().to_owned())?;
        let program = interpreter.split_whitespace().next()?.to_owned();
        if first.windows(2).take(200).any(|w| w == b"\r\n") {
            let mut found = Found::new(format!("{path} has lines that end as on Windows; its interpreter is looked for with that."));
            found.propose(format!("sed -i 's/\\r$//' {}", quote_path(path)), "Takes the carriage returns out.");
            return Some(found);
        }
        return (!Path::new(&program).exists()).then(|| Found::new(format!("{path} wants to be run by {program}, which is not here.")));
    }
    let written_to = script.invocations.iter().flat_map(|i| &i.redirects).any(|r| r.kind != RedirectKind::Read && (r.target.text == *path || r.target.raw == *path));
    let parent = Path::new(path).parent().filter(|p| !p.as_os_str().is_empty()).map(|p| p.to_string_lossy().into_owned());
    if let Some(parent) = parent.as_deref().filter(|p| (creating || written_to) && !absolute(p, place).exists()) {
        let mut found = Found::new(format!("The directory {parent} does not exist."));
        if script.invocations.iter().any(|i| i.words.first().is_some_and(|w| w.text == "mkdir")) {
            found.proposals.extend(replace_word(line, "mkdir", "mkdir -p").map(|t| (t, "-p makes the directories above it too.".to_owned())));
            return Some(found);
        }
        found.propose(format!("mkdir -p {} && {line}", quote_path(parent)), "Makes the directory first.");
        for p in near::paths(parent, &place.world.cwd, &place.world.home) {
            let name = Path::new(path).file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            let raw = raw_of(script, path).unwrap_or(path);
            found.proposals.extend(replace_word(line, raw, &quote_path(&format!("{p}/{name}"))).map(|t| (t, format!("{p} exists."))));
        }
        return Some(found);
    }
    let near = near::paths(path, &place.world.cwd, &place.world.home);
    let mut found = Found::new(if near.is_empty() { format!("{path} does not exist.") } else { format!("{path} does not exist. Nearest: {}.", near.join(", ")) });
    if full.parent().is_some_and(|p| !p.exists()) {
        let missing = full.ancestors().skip(1).take_while(|p| !p.exists()).last().map(|p| p.display().to_string());
        found = match missing {
            Some(m) => found.fact(format!("{m} does not exist either.")),
            None => found,
        };
    }
    let raw = raw_of(script, path).unwrap_or(path);
    for p in &near {
        if let Some(text) = replace_word(line, raw, &quote_path(p)) {
            found.propose(text, format!("{p} exists."));
        }
    }
    if near.is_empty()
        && let Some(name) = Path::new(path).file_name().and_then(|n| n.to_str())
        && !name.is_empty()
    {
        found.propose(format!("find . -name {}", quote(name)), format!("Looks for {name} below this directory."));
    }
    Some(found)
}

/// The line as another user would run it.
fn as_root(line: &str, place: &Place<'_>) -> Option<Proposal> {
    let simple = !line.contains(['|', '>', '<', ';', '&', '\n', '(']);
    let why = "Runs it as root, who may do everything: read it twice.".to_owned();
    if place.world.has_command("sudo") {
        return Some((if simple { format!("sudo {line}") } else { format!("sudo bash -c {}", quote(line)) }, why));
    }
    if place.world.has_command("doas") {
        return Some((if simple { format!("doas {line}") } else { format!("doas bash -c {}", quote(line)) }, why));
    }
    place.world.has_command("su").then(|| (format!("su -c {}", quote(line)), why))
}

fn denied(paths: &[String], line: &str, script: &Script, place: &Place<'_>) -> Found {
    let me = nix::unistd::geteuid().as_raw();
    // What exists of it: a file that was to be made, or deleted, is its directory's business.
    let subject = paths.iter().map(|p| (p.clone(), absolute(p, place))).find(|(_, f)| f.symlink_metadata().is_ok() || f.parent().is_some_and(Path::exists));
    let Some((path, full)) = subject else {
        let mut found = Found::new("That is not allowed to you.");
        found.proposals.extend((me != 0).then(|| as_root(line, place)).flatten());
        return found;
    };
    let removing = script.invocations.iter().any(|i| i.words.first().is_some_and(|w| matches!(w.text.as_str(), "rm" | "mv" | "rmdir" | "unlink")));
    let run = script.invocations.iter().any(|i| i.words.first().is_some_and(|w| w.text == path));
    let (what, target) = if removing || full.symlink_metadata().is_err() { (full.parent().map_or_else(|| path.clone(), |p| p.display().to_string()), full.parent().unwrap_or(&full).to_owned()) } else { (path.clone(), full.clone()) };
    let mut found = Found::new(format!("You may not do that with {path}."));
    let Some(o) = owner::of(&target) else {
        found.proposals.extend((me != 0).then(|| as_root(line, place)).flatten());
        return found;
    };
    let kind = if o.directory { "directory " } else { "" };
    found.evidence.push(format!("The {kind}{what} belongs to {}; its mode is {:o}.", o.owner, o.mode).replace("The /", "/").replace("The .", "."));
    if run && !o.directory && o.mode & 0o111 == 0 {
        found.problem = format!("{path} may not be run: its mode {:o} says so.", o.mode);
        let shell = std::fs::read(&target).ok().filter(|t| !t.starts_with(b"\x7fELF") && std::str::from_utf8(&t[..t.len().min(4096)]).is_ok());
        if o.uid == me || me == 0 {
            found.propose(format!("chmod u+x {} && {line}", quote_path(&path)), "Lets its owner run it, and runs it.");
        }
        if shell.is_some()
            && let Some(text) = replace_word(line, raw_of(script, &path).unwrap_or(&path), &format!("bash {}", quote_path(&path)))
        {
            found.propose(text, "Has bash read it, as it is.");
        }
    } else if o.uid == me && me != 0 {
        let right = if o.directory { "u+rwx" } else if script.invocations.iter().flat_map(|i| &i.redirects).any(|r| r.kind != RedirectKind::Read) { "u+w" } else { "u+rw" };
        found.propose(format!("chmod {right} {} && {line}", quote_path(&what)), "It is yours: gives you the right, and tries again.");
    } else if me == 0 {
        found.evidence.push("You are root: a read-only filesystem, or an attribute, forbids it.".to_owned());
        found.propose(format!("findmnt -T {}", quote_path(&what)), "Shows how the filesystem is mounted.");
        if place.world.has_command("lsattr") {
            found.propose(format!("lsattr -d {}", quote_path(&what)), "Shows attributes such as i, immutable.");
        }
    }
    if me != 0 {
        found.proposals.extend(as_root(line, place));
    }
    found
}

fn is_directory(program: &str, path: &str, line: &str, script: &Script) -> Found {
    let mut found = Found::new(format!("{path} is a directory."));
    let program = program.rsplit('/').next().unwrap_or(program);
    let with = |option: &str| replace_word(line, program, &format!("{program} {option}"));
    let run = script.invocations.first().and_then(|i| i.words.first()).is_some_and(|w| w.text == path);
    match program {
        _ if run => found.propose(format!("cd {}", quote_path(path)), "Goes there."),
        "cp" => found.proposals.extend(with("-r").map(|t| (t, "-r copies directories with all in them.".to_owned()))),
        "rm" => {
            found.proposals.extend(with("-r").map(|t| (t, format!("-r deletes {path} and all in it."))));
            found.propose(format!("rmdir -- {}", quote_path(path)), "Deletes it only if it is empty.");
        }
        "grep" => found.proposals.extend(with("-r").map(|t| (t, "-r searches all files below it.".to_owned()))),
        "cat" | "less" | "head" | "tail" | "more" => {
            found.propose(format!("ls -l -- {}", quote_path(path)), "Lists what is in it.");
            found.propose(format!("find {} -maxdepth 1 -type f -exec {program} -- {{}} +", quote_path(path)), "Shows the files in it.");
        }
        // A redirection to a directory, or an editor.
        _ => found.propose(format!("ls -l -- {}", quote_path(path)), "Lists what is in it."),
    }
    found
}

fn no_repository(place: &Place<'_>) -> Found {
    let mut found = Found::new(format!("Neither {} nor a directory above it is a git repository.", place.world.cwd.display()));
    let mut below: Vec<String> = std::fs::read_dir(&place.world.cwd).into_iter().flatten().flatten().filter(|e| e.path().join(".git").exists()).filter_map(|e| e.file_name().into_string().ok()).collect();
    below.sort();
    for b in below.iter().take(2) {
        found.propose(format!("cd {}", quote_path(b)), format!("{b} is a repository: goes there."));
    }
    found.propose("git init", "Makes this directory a repository.");
    found
}

/// A port among the words of a command line.
fn port_in(line: &str) -> Option<u16> {
    let words: Vec<&str> = line.split(|c: char| c.is_whitespace() || "=:,'\"".contains(c)).collect();
    words.iter().rev().filter_map(|w| w.parse::<u16>().ok()).find(|p| *p >= 10)
}

fn port_in_use(port: Option<u16>) -> Found {
    let Some(port) = port else {
        let mut found = Found::new("Another process listens on that port.");
        found.propose("ss -ltnp", "Shows who listens where.");
        return found;
    };
    let mut found = Found::new(format!("Another process listens on port {port}."));
    if let Some((pid, name)) = owner::listener(port) {
        found.problem = format!("Port {port} is taken by {name} (process {pid}).");
        found.propose(format!("ps -o pid,user,lstart,args -p {pid}"), "Shows that process.");
        found.propose(format!("kill {pid}"), format!("Asks {name} to end, which frees the port."));
    } else {
        found.propose(format!("ss -ltnp 'sport = :{port}'"), "Shows who listens there.");
    }
    found
}

fn no_space(paths: &[String], place: &Place<'_>) -> Found {
    let path = paths.iter().map(|p| absolute(p, place)).find_map(|p| p.ancestors().find(|a| a.exists()).map(Path::to_owned)).unwrap_or_else(|| place.world.cwd.clone());
    let mut found = Found::new("The filesystem is full.");
    if let Ok(s) = nix::sys::statvfs::statvfs(&path) {
        let mib = |blocks: u64| blocks * s.fragment_size() / (1 << 20);
        found.evidence.push(format!("{}: {} of {} MiB are free, {} of {} inodes.", path.display(), mib(s.blocks_available()), mib(s.blocks()), s.files_available(), s.files()));
        if s.files() > 0 && s.files_available() == 0 && s.blocks_available() > 0 {
            found.problem = "The filesystem has no room for more files, though it has room for data.".to_owned();
        }
    }
    found.propose("gcs diagnose disk", "Measures what fills it.");
    found.propose(format!("df -h {}", quote_path(&path.to_string_lossy())), "Shows how full it is.");
    found
}

fn unknown_option(program: &str, option: &str, line: &str, script: &Script) -> Found {
    let git = script.invocations.iter().find(|i| i.words.first().is_some_and(|w| w.text == "git")).and_then(|i| i.words.get(1)).map(|w| w.text.clone()).filter(|s| program == "git" && !s.starts_with('-'));
    let full = git.as_ref().map_or_else(|| program.to_owned(), |s| format!("git {s}"));
    let known = options::known(program, git.as_deref());
    // As it was typed: git leaves the dashes out, and single letters stand in clusters.
    let typed = script.invocations.iter().flat_map(|i| &i.words).find(|w| {
        let name = w.text.split('=').next().unwrap_or("");
        name == option || !option.starts_with("--") && w.text.starts_with('-') && !w.text.starts_with("--") && w.text.contains(option.trim_start_matches('-'))
    });
    let near = options::near(typed.filter(|w| !w.text.starts_with("--") && w.text.len() > 2).map_or(option, |w| w.text.as_str()), &known);
    let near = if near.is_empty() { options::near(option, &known) } else { near };
    let mut found = Found::new(if near.is_empty() { format!("{full} has no option {option}.") } else { format!("{full} has no option {option}. Nearest: {}.", near.join(", ")) });
    if let Some(word) = typed {
        for n in &near {
            // Of a cluster only the one letter changes.
            let cluster = !word.text.starts_with("--") && n.len() == 2 && word.text.len() > 2;
            let new = if cluster { word.raw.replace(option.trim_start_matches('-'), n.trim_start_matches('-')) } else { word.raw.replacen(word.text.split('=').next().unwrap_or(&word.text), n, 1) };
            found.proposals.extend(replace_word(line, &word.raw, &new).map(|t| (t, format!("{n} is an option of {full}."))));
        }
    }
    let help = if git.is_some() { format!("{full} -h") } else { format!("{program} --help") };
    if actions::explain::summary(program).is_some() || git.is_some() {
        found.propose(help, format!("Shows the options of {full}."));
    }
    found
}
