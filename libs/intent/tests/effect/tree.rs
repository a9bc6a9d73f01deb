//! A tree of files in which a request finds what it names, and more that it does not mean.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, FileTimes, Permissions};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::sample;
use super::wants::Wants;

/// Where requests are asked.
pub const HERE: &str = "/home/user/work";
/// The home directory.
pub const HOME: &str = "/home/user";

#[derive(Clone)]
enum Node {
    Dir,
    File { text: String, size: Option<u64> },
    Link { to: String },
}

struct Entry {
    node: Node,
    mode: u32,
    age_s: u64,
}

/// What is to be made. Paths are absolute.
#[derive(Default)]
pub struct Tree {
    order: Vec<String>,
    entries: BTreeMap<String, Entry>,
    /// Lines for a shell in [`HERE`], which make archives.
    pub archives: Vec<String>,
}

const MINUTE: u64 = 60;
const HOUR: u64 = 3600;
const DAY: u64 = 86400;

/// What lies about everywhere: path, rights, age in seconds, size where it matters.
const USUAL: &[(&str, u32, u64, Option<u64>)] = &[
    ("README.md", 0o644, 3 * DAY + 7000, None),
    ("notes.txt", 0o644, 2 * HOUR + 100, None),
    ("Todo.TXT", 0o664, 2 * DAY + 5000, None),
    ("my file.txt", 0o644, 20 * MINUTE + 20, None),
    ("empty.txt", 0o644, 5 * DAY + 300, Some(0)),
    (".hidden", 0o600, 40 * DAY + 900, None),
    (".config/settings.conf", 0o640, 10 * DAY + 900, None),
    ("src/main.c", 0o644, 30 * MINUTE + 25, None),
    ("src/util.c", 0o644, 8 * DAY + 400, None),
    ("src/util.h", 0o444, 100 * DAY + 400, None),
    ("src/lib/tool.cpp", 0o644, 4 * MINUTE + 10, None),
    ("src/lib/Main.java", 0o644, 370 * DAY + 20, None),
    ("app.py", 0o755, DAY + 4000, None),
    ("run.sh", 0o755, 50 * DAY + 4000, None),
    ("old/backup.sh", 0o777, 400 * DAY + 1, None),
    ("old/data.bak", 0o666, 35 * DAY + 1, Some(5000)),
    ("old/cache.tmp", 0o644, 12 * DAY + 1, Some(300)),
    ("web/index.html", 0o644, 6 * HOUR + 50, None),
    ("web/style.css", 0o644, 7 * HOUR + 50, None),
    ("web/app.js", 0o644, 9 * DAY + 50, None),
    ("web/page.php", 0o646, 15 * DAY + 50, None),
    ("web/img/photo.jpg", 0o644, 65 * DAY + 50, Some(20_000)),
    ("web/img/logo.png", 0o600, 95 * DAY + 50, Some(1_500)),
    ("logs/error.log", 0o640, HOUR + 700, None),
    ("logs/access.log", 0o644, 25 * DAY + 700, Some(70_000)),
    ("data.csv", 0o644, 3 * HOUR + 40, None),
    ("config.xml", 0o644, 13 * DAY + 40, None),
    ("docs/report.pdf", 0o644, 200 * DAY + 40, Some(150_000)),
    ("docs/song.mp3", 0o644, 20 * DAY + 40, Some(3_000_000)),
    ("docs/deep/deeper/letter.doc", 0o644, 14 * DAY + 40, None),
    ("docs/deep/deeper/last/plan.txt", 0o644, 33 * DAY + 40, None),
    ("tool", 0o4755, 18 * DAY + 40, None),
];

/// Lines of files.
const LINES: &[&str] = &[
    "The quick brown fox jumps over the lazy dog", "alpha 10 3.5 north", "beta 7 12.25 south", "gamma 125 0.5 east", "# a comment line", "", "name=value", "user:x:1000:100:Some User:/home/user:/bin/bash",
    "root:x:0:0:root:/root:/bin/bash", "apple,3,red,1.20", "banana,12,yellow,0.45", "cherry,7,red,3.00", "192.168.1.10 - GET /index.html 200 512", "10.0.0.7 - POST /form 404 87", "192.168.1.10 - GET /a.png 200 2048",
    "first\tsecond\tthird", "x\ty\tz", "ERROR cannot open file", "WARNING low on memory", "error: something failed", "2024-01-15 12:30:00 started", "2023-11-02 08:05:09 stopped", "alpha 10 3.5 north", "someone@example.com wrote this",
    "  indented line with  two blanks ", "12", "7", "105", "42", "Hello World", "hello world", "foo bar baz", "END", "a b c d e f g h", "path/to/some/file.txt", "\"quoted text\" and 'more'",
];

/// The text of file number `k`.
fn lines(k: usize, n: usize, texts: &[String], sorted: bool) -> String {
    let mut all: Vec<String> = (0..n).map(|i| if i >= LINES.len() { format!("{} row {}", LINES[(i * 5 + k) % LINES.len()], i * 7 % 100) } else { LINES[(i * (1 + 2 * (k % 3)) + 3 * k) % LINES.len()].to_owned() }).collect();
    // Half of the files have what is sought.
    if k % 2 == 0 {
        for (i, text) in texts.iter().enumerate() {
            let at = (2 + 3 * i + k) % all.len().max(1);
            all.insert(at, text.clone());
            all.insert((at + 4).min(all.len()), format!("with {text} inside {k}"));
            if k % 4 == 0 {
                all.push(format!("{} again", text.to_uppercase()));
                all.push(format!("{text} {text}"));
            }
        }
    }
    if sorted {
        all.retain(|l| !l.is_empty());
        all.sort();
    }
    all.join("\n") + "\n"
}

impl Tree {
    fn put(&mut self, path: &str, node: Node, mode: u32, age_s: u64) {
        let path = normal(path);
        // Programs and devices are not the tree's; `/usr/bin` is a link to programs.
        if path == "/" || ["/bin", "/lib", "/lib64", "/dev", "/proc", "/sys", "/usr/bin"].iter().any(|s| path == *s || path.starts_with(&format!("{s}/"))) {
            return;
        }
        let parent = path.rsplit_once('/').map_or("/", |(p, _)| if p.is_empty() { "/" } else { p }).to_owned();
        if !self.entries.contains_key(&parent) {
            self.put(&parent, Node::Dir, 0o755, 4 * DAY + 33 * path.len() as u64);
        }
        if !matches!(self.entries.get(&parent), None | Some(Entry { node: Node::Dir, .. })) {
            return;
        }
        match self.entries.get(&path) {
            Some(_) if matches!(node, Node::Dir) => {}
            Some(Entry { node: Node::Dir, .. }) => {}
            Some(_) => {
                self.entries.insert(path, Entry { node, mode, age_s });
            }
            None => {
                self.order.push(path.clone());
                self.entries.insert(path, Entry { node, mode, age_s });
            }
        }
    }

    fn usual(&mut self, place: &str, seed: usize, wants: &Wants) {
        for (k, (path, mode, age, size)) in USUAL.iter().enumerate() {
            let text = lines(k + seed, 9 + (k * 7) % 13, &wants.texts, false);
            self.put(&format!("{place}/{path}"), Node::File { text, size: *size }, *mode, *age);
        }
        self.put(&format!("{place}/empty_dir"), Node::Dir, 0o755, 9 * DAY);
        self.put(&format!("{place}/old/void"), Node::Dir, 0o700, 31 * DAY);
        self.put(&format!("{place}/link"), Node::Link { to: "notes.txt".into() }, 0o777, 0);
        self.put(&format!("{place}/old/broken"), Node::Link { to: "nowhere".into() }, 0o777, 0);
        self.put(&format!("{place}/shortcut"), Node::Link { to: "src/lib".into() }, 0o777, 0);
    }

    /// The tree for what a request and its command want.
    pub fn of(wants: &Wants) -> Tree {
        let mut t = Tree::default();
        t.put("/etc/passwd", Node::File { text: "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\nuser:x:1000:1000:User,,,:/home/user:/bin/bash\nalice:x:1001:1001:Alice:/home/alice:/bin/sh\n".into(), size: None }, 0o644, 90 * DAY);
        t.put("/etc/group", Node::File { text: "root:x:0:\ndaemon:x:1:\nusers:x:100:user,alice\nuser:x:1000:\n".into(), size: None }, 0o644, 90 * DAY);
        t.put("/etc/hosts", Node::File { text: "127.0.0.1 localhost\n10.0.0.7 server.example.com server\n".into(), size: None }, 0o644, 20 * DAY);
        t.put("/var/log/syslog", Node::File { text: lines(4, 60, &wants.texts, false), size: None }, 0o640, 300);
        t.put("/tmp/junk.tmp", Node::File { text: "junk\n".into(), size: None }, 0o600, 3 * DAY);
        t.put("/root", Node::Dir, 0o700, DAY);
        t.usual(HERE, 0, wants);
        let mut places: Vec<String> = Vec::new();
        for p in &wants.places {
            let place = absolute(p);
            if place != "/" {
                t.put(&place, Node::Dir, 0o755, 3 * DAY);
                t.usual(&place, places.len() + 1, wants);
            } else {
                t.usual("/opt", 5, wants);
                t.usual("/usr/share", 7, wants);
            }
            places.push(if place == "/" { "/srv/data".into() } else { place });
        }
        if places.is_empty() {
            places.push(HERE.into());
        }
        for p in &wants.inner {
            for place in places.clone() {
                let dir = format!("{place}/{p}");
                t.put(&dir, Node::Dir, 0o755, 3 * DAY);
                for file in ["inner.txt", "deep/inner.c"] {
                    t.put(&format!("{dir}/{file}"), Node::File { text: lines(2, 12, &wants.texts, false), size: None }, 0o644, 2 * DAY);
                }
            }
        }
        t.matching(&places, wants);
        for (k, file) in wants.files.iter().enumerate() {
            let text = lines(2 * k, wants.lines, &wants.texts, wants.sorted);
            // The second and later ones differ in a few lines.
            let text = if k > 0 { text.lines().enumerate().filter(|(i, _)| i % 5 != k % 5).map(|(_, l)| format!("{l}\n")).collect::<String>() + "only here\n" } else { text };
            t.put(&absolute(file), Node::File { text, size: None }, 0o644, 2 * DAY + 500 * k as u64);
        }
        for dir in &wants.dirs {
            t.put(&absolute(dir), Node::Dir, 0o755, 2 * DAY);
        }
        for (file, how) in &wants.archives {
            let dir = absolute(file).rsplit_once('/').map_or(String::new(), |(d, _)| d.to_owned());
            t.put(&dir, Node::Dir, 0o755, DAY);
            t.archives.push(how.replace("FILE", &format!("'{file}'")));
        }
        t
    }

    /// Files of the wanted names, with every mix of the ages, sizes and rights on both sides of what is asked for.
    fn matching(&mut self, places: &[String], wants: &Wants) {
        let ages: &[u64] = if wants.ages.is_empty() { &[2 * HOUR, 45 * DAY] } else { &wants.ages };
        let sizes: Vec<Option<u64>> = if wants.sizes.is_empty() { vec![None, Some(0)] } else { wants.sizes.iter().map(|s| Some(*s)).collect() };
        let modes: &[u32] = if wants.modes.is_empty() { &[0o644, 0o755] } else { &wants.modes };
        let any = ["*.dat".to_owned()];
        let patterns: &[String] = if wants.names.is_empty() && !(wants.ages.is_empty() && wants.sizes.is_empty() && wants.modes.is_empty()) { &any } else { &wants.names };
        let inner: Vec<String> = ["", "one", "one/two", "other dir", "one/two/three/four"].iter().map(|d| (*d).to_owned()).chain(wants.inner.iter().cloned()).collect();
        for (p, place) in places.iter().enumerate() {
            for (n, pattern) in patterns.iter().enumerate() {
                let mut k = n + p;
                for age in ages {
                    for size in &sizes {
                        for mode in modes {
                            let dir = &inner[k % inner.len()];
                            let name = sample::name(pattern.trim_start_matches("./"), k);
                            let at = if name.starts_with('/') { name.clone() } else { format!("{place}/{dir}/{name}") };
                            if wants.of_dirs {
                                self.put(&at, Node::Dir, *mode, *age);
                                if k % 2 == 0 {
                                    self.put(&format!("{at}/item.txt"), Node::File { text: lines(k, 6, &wants.texts, false), size: None }, 0o644, *age);
                                }
                            } else if wants.of_links && k % 2 == 0 {
                                self.put(&at, Node::Link { to: if k % 4 == 0 { "gone".into() } else { "/etc/hosts".into() } }, 0o777, 0);
                            } else {
                                let text = lines(k, 8 + k % 9, &wants.texts, false);
                                self.put(&at, Node::File { text, size: *size }, *mode, *age);
                            }
                            k += 1;
                        }
                    }
                }
                // The other case, and the other kind.
                let name = sample::name(pattern.rsplit('/').next().unwrap_or(pattern), 3);
                let other = if name == name.to_uppercase() { name.to_lowercase() } else { name.to_uppercase() };
                self.put(&format!("{place}/one/{other}"), Node::File { text: lines(n, 7, &wants.texts, false), size: None }, 0o644, 5 * HOUR);
                // A directory of a file's name is only there where the command tells them apart.
                if !wants.typed {
                    continue;
                }
                if !wants.of_dirs {
                    self.put(&format!("{place}/other dir/sub/{name}"), Node::Dir, 0o755, 5 * HOUR);
                } else {
                    self.put(&format!("{place}/one/two/plain/{name}"), Node::File { text: "not a directory\n".into(), size: None }, 0o644, 5 * HOUR);
                }
            }
        }
    }

    /// Makes it below `root`; times count back from `now`.
    pub fn make(&self, root: &Path, now: SystemTime) -> std::io::Result<()> {
        let mut dirs: BTreeSet<(usize, &str)> = BTreeSet::new();
        let inside = root.canonicalize()?;
        for path in &self.order {
            let entry = &self.entries[path];
            let at = root.join(&path[1..]);
            // This runs outside of the root: nothing may be written through a link, or above it.
            let parent = at.parent().unwrap_or(root).canonicalize()?;
            if !parent.starts_with(&inside) || path.split('/').any(|p| p == "..") || at.symlink_metadata().is_ok_and(|m| m.is_symlink()) {
                return Err(std::io::Error::other(format!("{path} leaves the room")));
            }
            match &entry.node {
                Node::Dir => {
                    if !at.is_dir() {
                        std::fs::create_dir(&at)?;
                    }
                    dirs.insert((usize::MAX - path.len(), path));
                }
                Node::Link { to } => symlink(to, &at)?,
                Node::File { text, size } => {
                    let text: Vec<u8> = match size {
                        Some(n) if *n < 100_000 => text.bytes().cycle().take(*n as usize).collect(),
                        _ => text.clone().into_bytes(),
                    };
                    let mut file = File::options().write(true).create_new(true).open(&at)?;
                    file.write_all(&text)?;
                    if let Some(n) = size.filter(|n| *n >= 100_000) {
                        file.set_len(n)?;
                    }
                    std::fs::set_permissions(&at, Permissions::from_mode(entry.mode))?;
                    file.set_times(times(now, entry.age_s))?;
                }
            }
        }
        for (_, path) in dirs {
            let entry = &self.entries[path];
            let at = root.join(&path[1..]);
            std::fs::set_permissions(&at, Permissions::from_mode(entry.mode))?;
            File::open(&at)?.set_times(times(now, entry.age_s))?;
        }
        Ok(())
    }
}

fn times(now: SystemTime, age_s: u64) -> FileTimes {
    let then = now - Duration::from_secs(age_s);
    FileTimes::new().set_accessed(then).set_modified(then)
}

/// A path of a request as an absolute one.
pub fn absolute(path: &str) -> String {
    let path = if let Some(rest) = path.strip_prefix("~/") { format!("{HOME}/{rest}") } else if path == "~" { HOME.into() } else { path.to_owned() };
    normal(&if path.starts_with('/') { path } else { format!("{HERE}/{path}") })
}

/// Without `.`, `..` and doubled slashes.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            p => parts.push(p),
        }
    }
    format!("/{}", parts.join("/"))
}
