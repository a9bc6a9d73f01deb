//! A root directory in which commands run: programs, the files of a request, and nothing of this machine.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use intent::world::{BUILTINS, Exists, World};

use super::tree::{HERE, HOME, Tree, absolute};

/// The programs, as far as this machine has them.
const PROGRAMS: &[&str] = &[
    "bash", "sh", "find", "grep", "egrep", "fgrep", "zgrep", "sed", "awk", "gawk", "mawk", "xargs", "ls", "cat", "cp", "mv", "rm", "mkdir", "rmdir", "touch", "ln", "chmod", "chown", "chgrp", "sort", "uniq", "wc", "head", "tail", "cut", "tr", "tee", "paste", "join", "comm",
    "diff", "cmp", "tar", "gzip", "gunzip", "zcat", "bzip2", "bunzip2", "bzcat", "xz", "unxz", "xzcat", "zip", "unzip", "df", "du", "ps", "date", "echo", "printf", "pwd", "which", "file", "stat", "basename", "dirname", "readlink", "realpath", "split", "seq", "shuf",
    "rev", "tac", "nl", "fold", "column", "md5sum", "sha1sum", "sha256sum", "id", "who", "whoami", "groups", "cal", "hostname", "uname", "uptime", "tree", "less", "more", "od", "xxd", "hexdump", "mktemp", "env", "sleep", "yes", "test", "[", "expr", "true", "false", "nproc",
    "printenv", "numfmt", "factor", "perl", "base64", "expand", "unexpand", "truncate", "dd", "sync", "bc", "rename", "csplit", "tsort", "pr", "fmt", "strings", "getopt", "timeout", "nohup", "nice", "time", "install", "link", "unlink", "mkfifo", "cksum", "sum", "logname", "tty", "arch",
];

/// Directories of a room that hold no files of a request.
const SYSTEM: [&str; 5] = ["bin", "lib", "lib64", "proc", "dev"];

/// What a command did.
#[derive(PartialEq, Eq, Clone)]
pub struct Effect {
    /// What it printed.
    pub out: Vec<u8>,
    /// What it printed about its troubles.
    pub err: String,
    /// Exit status; 124 where it did not end.
    pub status: i32,
    /// The files afterwards: what each is, by its path.
    pub files: BTreeMap<String, String>,
}

/// A root for one request at a time.
pub struct Room {
    root: PathBuf,
    system: PathBuf,
}

fn run(script: &str, vars: &[(&str, &Path)]) -> bool {
    let mut command = Command::new("bash");
    command.args(["-c", script]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    for (k, v) in vars {
        command.env(k, v);
    }
    command.status().is_ok_and(|s| s.success())
}

/// Copies the programs with their libraries, once for all rooms.
pub fn system(at: &Path) {
    let script = r#"mkdir -p "$AT/bin" "$AT/lib" "$AT/lib64" && cd / && PATH=/usr/bin:/bin:/usr/sbin:/sbin
        for p in $PROGRAMS; do f=$(type -P "$p") || continue; cp -L "$f" "$AT/bin/$p"; ldd "$f" 2>/dev/null | grep -o '/[^ ]*' ; done | sort -u | while read -r l; do
            case $l in /lib64/*) d=$AT/lib64 ;; *) d=$AT/lib/$(basename "$(dirname "$l")") ;; esac; mkdir -p "$d"; cp -L "$l" "$d/"; done"#;
    let programs = PROGRAMS.join(" ");
    assert!(run(script, &[("AT", at), ("PROGRAMS", Path::new(&programs))]), "the programs cannot be copied to {}", at.display());
}

impl Room {
    /// A room at `root` with the programs of `system`.
    pub fn new(root: PathBuf, system: PathBuf) -> Room {
        // Nothing that runs here changes the programs or the devices.
        let script = r#"mkdir -p "$ROOT"/{bin,lib,lib64,proc,dev} && mount -t tmpfs dev "$ROOT/dev" && for d in null zero urandom; do : >"$ROOT/dev/$d"; mount --bind /dev/$d "$ROOT/dev/$d"; done && ln -s /proc/self/fd "$ROOT/dev/fd" && ln -s /proc/self/fd/1 "$ROOT/dev/stdout" && ln -s /proc/self/fd/2 "$ROOT/dev/stderr" \
            && mount -o remount,ro "$ROOT/dev" && for d in bin lib lib64; do mount --bind "$SYSTEM/$d" "$ROOT/$d" && mount -o remount,bind,ro "$ROOT/$d" || exit 1; done"#;
        assert!(run(script, &[("ROOT", &root), ("SYSTEM", &system)]), "{} cannot be made", root.display());
        Room { root, system }
    }

    /// Makes the files anew.
    pub fn fresh(&self, tree: &Tree, now: SystemTime) -> bool {
        let Ok(entries) = std::fs::read_dir(&self.root) else { return false };
        for entry in entries.flatten() {
            let path = entry.path();
            if SYSTEM.contains(&entry.file_name().to_string_lossy().as_ref()) {
                continue;
            }
            if path.symlink_metadata().is_ok_and(|m| m.is_dir()) {
                if std::fs::remove_dir_all(&path).is_err() {
                    return false;
                }
            } else if std::fs::remove_file(&path).is_err() {
                return false;
            }
        }
        let made = std::fs::create_dir_all(self.root.join("tmp")).and_then(|()| std::fs::create_dir_all(self.root.join("usr"))).and_then(|()| std::os::unix::fs::symlink("../bin", self.root.join("usr/bin")));
        if made.is_err() || tree.make(&self.root, now).is_err() {
            return false;
        }
        // Made inside, so that no name of theirs leads out.
        tree.archives.iter().all(|line| self.effect(line, false, false).status == 0)
    }

    /// The files as they are.
    pub fn now(&self) -> BTreeMap<String, String> {
        self.files(SystemTime::now(), false)
    }

    /// What `command` does here. The files are changed by it.
    pub fn effect(&self, command: &str, strict: bool, touched: bool) -> Effect {
        let begin = SystemTime::now();
        let script = r#"cd "$HERE"; unset HERE; enable -n kill; shopt -s expand_aliases; COMMAND_=$COMMAND; unset COMMAND; ulimit -f 200000; if [ "$STRICT" = 1 ]; then set -u; set -o pipefail; fi; unset STRICT; eval "$COMMAND_""#;
        let mut unshare = Command::new("unshare");
        unshare.args(["--pid", "--fork", "--kill-child"]);
        if ["<(", ">(", "/dev/", "ps ", "/proc"].iter().any(|p| command.contains(p)) {
            unshare.arg("--mount").arg(format!("--mount-proc={}", self.root.join("proc").display()));
        }
        unshare.args(["timeout", "-k", "1", "3", "chroot"]).arg(&self.root).args(["/bin/bash", "-c", script]);
        unshare.env_clear().env("PATH", "/bin:/usr/bin:/sbin:/usr/sbin").env("HOME", HOME).env("USER", "root").env("LC_ALL", "C").env("TERM", "dumb").env("TZ", "UTC");
        unshare.env("COMMAND", command).env("STRICT", if strict { "1" } else { "0" }).env("HERE", HERE).stdin(Stdio::null());
        let (status, out, err) = match unshare.output() {
            Ok(o) => (o.status.code().unwrap_or(128), o.stdout, o.stderr),
            Err(e) => (127, Vec::new(), e.to_string().into_bytes()),
        };
        let mut out = out;
        out.truncate(2_000_000);
        Effect { out, err: String::from_utf8_lossy(&err[..err.len().min(2000)]).into_owned(), status, files: self.files(begin, touched) }
    }

    fn files(&self, begin: SystemTime, touched: bool) -> BTreeMap<String, String> {
        let mut all = BTreeMap::new();
        let mut stack = vec![self.root.clone()];
        while let Some(dir) = stack.pop() {
            let Ok(entries) = std::fs::read_dir(&dir) else { continue };
            for entry in entries.flatten() {
                let path = entry.path();
                let Ok(meta) = path.symlink_metadata() else { continue };
                let name = format!("/{}", path.strip_prefix(&self.root).unwrap_or(&path).display());
                if SYSTEM.contains(&&name[1..]) {
                    continue;
                }
                let what = if meta.is_dir() {
                    stack.push(path.clone());
                    format!("d {:o}", meta.mode() & 0o7777)
                } else if meta.is_symlink() {
                    format!("l {}", std::fs::read_link(&path).unwrap_or_default().display())
                } else {
                    format!("f {:o} {} links {}", meta.mode() & 0o7777, self.content(&path, &name, meta.len()), meta.nlink())
                };
                // Written meanwhile, or set to a time.
                let time = meta.modified().ok().filter(|_| touched && !meta.is_dir() && !meta.is_symlink()).map_or(String::new(), |t| if t >= begin { " now".into() } else { format!(" {t:?}") });
                all.insert(name, what + &time);
            }
        }
        all
    }

    /// The bytes, or what is packed.
    fn content(&self, path: &Path, name: &str, length: u64) -> String {
        let listing = if [".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz"].iter().any(|e| name.ends_with(e)) {
            Some("tar -tf \"$F\"")
        } else if name.ends_with(".zip") {
            Some("unzip -Z1 \"$F\"")
        } else if name.ends_with(".gz") {
            Some("zcat \"$F\" | cksum")
        } else {
            None
        };
        if let Some(line) = listing
            && length > 0
        {
            let out = Command::new("bash").args(["-c", &format!("{line} | sed 's|^[./]*||; s|/$||' | sort")]).env("F", path).stderr(Stdio::null()).stdin(Stdio::null()).output();
            if let Ok(o) = out
                && !o.stdout.is_empty()
            {
                return format!("holds {}", String::from_utf8_lossy(&o.stdout));
            }
        }
        if length > 4_000_000 {
            return format!("{length} bytes");
        }
        let bytes = std::fs::read(path).unwrap_or_default();
        let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3));
        format!("{length} {hash:x}")
    }

    fn inside(&self, path: &str) -> PathBuf {
        self.root.join(&absolute(path)[1..])
    }
}

impl World for Room {
    fn exists(&self, path: &str) -> Option<Exists> {
        if path.is_empty() || path.contains('\0') {
            return None;
        }
        let p = self.inside(path);
        let meta = p.symlink_metadata().ok()?;
        let dir = if meta.is_symlink() { p.is_dir() } else { meta.is_dir() };
        Some(if dir { Exists::Dir } else { Exists::File })
    }

    fn is_user(&self, name: &str) -> bool {
        !name.is_empty() && std::fs::read_to_string(self.root.join("etc/passwd")).is_ok_and(|t| t.lines().any(|l| l.split(':').next() == Some(name)))
    }

    fn has_command(&self, name: &str) -> bool {
        BUILTINS.contains(&name) || (!name.is_empty() && self.system.join("bin").join(name.rsplit('/').next().unwrap_or(name)).exists())
    }

    fn is_process(&self, _name: &str) -> bool {
        false
    }

    fn entry_ignoring_case(&self, name: &str) -> Option<String> {
        let mut found: Vec<String> = std::fs::read_dir(self.inside(HERE)).ok()?.flatten().filter_map(|e| e.file_name().into_string().ok()).filter(|n| n.to_lowercase() == name.to_lowercase()).collect();
        found.sort();
        found.into_iter().next()
    }

    fn beginning_of(&self, path: &str) -> Option<String> {
        use std::io::Read;
        let path = self.inside(path);
        if !path.metadata().ok()?.is_file() {
            return None;
        }
        let mut bytes = Vec::new();
        std::fs::File::open(path).ok()?.take(4096).read_to_end(&mut bytes).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }
}
