//! What a command line prints, kept while it still goes to the terminal.
//!
//! A second pseudo-terminal stands between: standard output and standard error of the line are its slave, so programs
//! see a terminal of the right size; a thread copies what comes out of its master to the real terminal, byte by byte as
//! it came, both streams in their order. Standard input, job control and `/dev/tty` stay the real terminal's.
//!
//! A program that draws on the screen, or reads keys from its output (`vim`, `less`, `more`, `ssh`), would notice the
//! difference. So only lines of programs that do not are caught: [`may_catch`] knows them by name. All other lines run
//! on the terminal itself, and nothing is known of what they print.

use std::io::{Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use actions::shell::{self, Invocation};
use anyhow::{Context, Result};
use intent::world::World;
use rustix::fs::{Mode, OFlags};
use rustix::pty::OpenptFlags;
use rustix::termios::OptionalActions;

/// Kept of the beginning of an output, in bytes.
const HEAD: usize = 64 << 10;
/// Kept of its end, where it is longer.
const TAIL: usize = 16 << 10;

/// What was kept of an output.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    head: Vec<u8>,
    tail: Vec<u8>,
    /// Bytes between the two that were not kept.
    lost: usize,
}

impl Kept {
    fn push(&mut self, data: &[u8]) {
        let room = HEAD.saturating_sub(self.head.len()).min(data.len());
        self.head.extend_from_slice(&data[..room]);
        self.tail.extend_from_slice(&data[room..]);
        if self.tail.len() > 2 * TAIL {
            let gone = self.tail.len() - TAIL;
            self.tail.drain(..gone);
            self.lost += gone;
        }
    }

    /// The beginning, and whether that is all.
    pub fn beginning(&self) -> (String, bool) {
        (String::from_utf8_lossy(&self.head).into_owned(), self.tail.is_empty())
    }

    /// All that was kept.
    pub fn text(&self) -> String {
        let mut all = self.head.clone();
        if self.lost > 0 {
            all.extend_from_slice(b"\n");
        }
        all.extend_from_slice(&self.tail);
        String::from_utf8_lossy(&all).into_owned()
    }
}

#[derive(Default)]
struct State {
    kept: Kept,
    /// Marks that came.
    marks: u64,
    /// The copying ended.
    over: bool,
}

/// The terminal between.
pub struct Capture {
    slave: OwnedFd,
    terminal: OwnedFd,
    mark: String,
    shared: Arc<(Mutex<State>, Condvar)>,
    /// Marks that were waited for.
    seen: u64,
}

impl Capture {
    /// Makes the terminal and the thread. The thread inherits the mask of signals: call it when the terminal's are blocked.
    pub fn new(terminal: OwnedFd) -> Result<Capture> {
        let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).context("opening a pseudo-terminal")?;
        rustix::pty::grantpt(&master)?;
        rustix::pty::unlockpt(&master)?;
        let name = rustix::pty::ptsname(&master, Vec::new())?;
        let slave = rustix::fs::open(&name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).context("opening the pseudo-terminal")?;
        // bash needs it under a number that no script uses.
        let slave = rustix::io::fcntl_dupfd_cloexec(&slave, 50)?;
        let mut modes = rustix::termios::tcgetattr(&slave)?;
        // What is printed passes unchanged; the real terminal does what there is to do.
        modes.make_raw();
        rustix::termios::tcsetattr(&slave, OptionalActions::Now, &modes)?;
        let mut random = [0u8; 8];
        std::fs::File::open("/dev/urandom").and_then(|mut f| f.read_exact(&mut random)).context("reading /dev/urandom")?;
        let mark = format!("\u{1f}gcs{:016x}\u{1f}", u64::from_le_bytes(random));
        let shared: Arc<(Mutex<State>, Condvar)> = Arc::default();
        let screen = terminal.try_clone()?;
        let (state, wanted) = (shared.clone(), mark.clone().into_bytes());
        std::thread::Builder::new().name("output".into()).spawn(move || copy(master, screen, &wanted, &state))?;
        Ok(Capture { slave, terminal, mark, shared, seen: 0 })
    }

    /// The slave, which bash inherits.
    pub fn slave(&self) -> &OwnedFd {
        &self.slave
    }

    /// Its number in bash.
    pub fn number(&self) -> i32 {
        self.slave.as_raw_fd()
    }

    /// What bash prints on it when a line has ended: no more of that line follows. It is not shown.
    pub fn mark(&self) -> &str {
        &self.mark
    }

    /// Before a line runs: forgets the last one, and takes the terminal's size over.
    pub fn begin(&mut self) {
        if let Ok(size) = rustix::termios::tcgetwinsize(&self.terminal) {
            let _ = rustix::termios::tcsetwinsize(&self.slave, size);
        }
        if let Ok(mut s) = self.shared.0.lock() {
            s.kept = Kept::default();
            self.seen = s.marks;
        }
    }

    /// Waits until everything that the line printed is on the terminal; what was kept of it. `None` where the mark did not come.
    pub fn end(&mut self) -> Option<Kept> {
        self.seen += 1;
        let state = self.shared.0.lock().ok()?;
        let (state, late) = self.shared.1.wait_timeout_while(state, Duration::from_secs(2), |s| s.marks < self.seen && !s.over).ok()?;
        if late.timed_out() || state.over {
            return None;
        }
        Some(state.kept.clone())
    }
}

fn copy(master: OwnedFd, screen: OwnedFd, mark: &[u8], shared: &(Mutex<State>, Condvar)) {
    let (mut master, mut screen) = (std::fs::File::from(master), std::fs::File::from(screen));
    let mut pending: Vec<u8> = Vec::new();
    let mut buffer = [0u8; 16 << 10];
    loop {
        match master.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => pending.extend_from_slice(&buffer[..n]),
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(_) => break,
        }
        loop {
            let found = pending.windows(mark.len()).position(|w| w == mark);
            let ready = found.unwrap_or_else(|| pending.len() - begun(&pending, mark));
            // Where the terminal is gone, the shell will be soon.
            let _ = screen.write_all(&pending[..ready]);
            let Ok(mut state) = shared.0.lock() else { return };
            state.kept.push(&pending[..ready]);
            pending.drain(..ready + if found.is_some() { mark.len() } else { 0 });
            if found.is_none() {
                break;
            }
            state.marks += 1;
            shared.1.notify_all();
        }
    }
    if let Ok(mut state) = shared.0.lock() {
        state.over = true;
    }
    shared.1.notify_all();
}

/// How many bytes at the end may be the beginning of the mark.
fn begun(data: &[u8], mark: &[u8]) -> usize {
    (1..mark.len().min(data.len() + 1)).rev().find(|n| data.ends_with(&mark[..*n])).unwrap_or(0)
}

/// Programs that print and are done: they do not draw on the screen, and read no keys from their output. What runs anything else (`make`,
/// `cargo`) or may open an editor or a dialog (`systemctl`, `apt`) is none.
const PLAIN: &[&str] = &[
    "[", "[[", "addgroup", "adduser", "apt-cache", "awk", "base64", "basename", "blkid", "cal", "cat", "cc", "cd", "chgrp", "chmod", "chown", "cksum", "clang", "cmp", "column", "comm", "cp", "csplit", "curl", "cut", "date", "dd", "df", "diff", "dirname", "dirs", "dmesg", "dpkg-query", "du",
    "echo", "egrep", "env", "expand", "export", "expr", "factor", "false", "fgrep", "file", "find", "findmnt", "fmt", "fold", "free", "g++", "gawk", "gcc", "gci", "genai", "getent", "gpm", "grep", "groups", "gunzip", "gzip", "head", "hexdump", "hostname", "id", "ifconfig", "ip", "join", "kill", "killall", "last",
    "ldd", "link", "ln", "ls", "lsblk", "lscpu", "lsof", "mawk", "md5sum", "mkdir", "mkfifo", "mktemp", "mount", "mv", "nginx", "nl", "nproc", "numfmt", "objdump", "od", "paste", "patch", "pgrep", "ping", "pkill", "popd", "printenv", "printf", "ps", "pushd", "pwd", "readelf", "readlink", "realpath", "redis-server", "rev",
    "rm", "rmdir", "rsync", "rustc", "sed", "seq", "sha1sum", "sha256sum", "sha512sum", "shred", "shuf", "sleep", "sort", "split", "ss", "stat", "strings", "sum", "sync", "tac", "tail", "tar", "tee", "test", "time", "timeout", "touch", "tr", "tree", "true", "truncate", "tsort", "type", "umask", "umount", "unalias",
    "uname", "unexpand", "uniq", "unlink", "unset", "unzip", "uptime", "useradd", "userdel", "usermod", "users", "vmstat", "w", "wc", "wget", "whereis", "which", "who", "whoami", "xargs", "xxd", "xz", "yes", "zcat", "zip", "sysctl", "swapon", "losetup", "fc-list", "gdectl",
];

/// git's commands that open neither an editor nor a pager.
const GIT: &[&str] = &["add", "checkout", "clone", "fetch", "init", "mv", "push", "remote", "reset", "restore", "rm", "status", "switch"];

/// Aliases that distributions give these, which change nothing about how they print.
const COLOURED: &[&str] = &["ls", "grep", "egrep", "fgrep", "diff", "ip"];

/// Whether `line` can run with its output caught, and no program notices.
pub fn may_catch(line: &str, world: &dyn World, names: &[String]) -> bool {
    let Ok(script) = shell::parse(line) else {
        // bash will say what is wrong with it, and run nothing.
        return true;
    };
    let background = ["&&", ">&", "&>", "<&"].iter().fold(line.to_owned(), |l, s| l.replace(s, ""));
    if script.truncated || !script.functions.is_empty() || background.contains('&') {
        return false;
    }
    script.invocations.iter().all(|i| plain(i, world, names))
}

fn plain(i: &Invocation, world: &dyn World, names: &[String]) -> bool {
    // A bare assignment or redirection.
    let Some(word) = i.words.first() else { return true };
    let Some(name) = word.literal() else { return false };
    if names.iter().any(|n| n == name) && !COLOURED.contains(&name) {
        return false;
    }
    // bash itself will say that this cannot be run.
    if !world.has_command(name) {
        return name != "gcs" && !names.iter().any(|n| n == name || n == "command_not_found_handle");
    }
    let args = || i.words.iter().skip(1);
    match name {
        "sudo" | "env" | "nice" | "nohup" | "timeout" | "xargs" | "time" => {
            // What they start is named by the first word that is no option, value or number.
            args().filter_map(|a| a.literal()).find(|a| !a.starts_with('-') && !a.contains('=') && !a.starts_with(|c: char| c.is_ascii_digit())).is_none_or(|p| p != name && PLAIN.contains(&p))
        }
        "find" => args().all(|a| !matches!(a.text.as_str(), "-exec" | "-ok" | "-execdir" | "-okdir")) || args().any(|a| PLAIN.contains(&a.text.as_str())),
        "git" => match args().find(|a| !a.text.starts_with('-')).and_then(|a| a.literal()) {
            Some(sub) if GIT.contains(&sub) => true,
            // Anything else ends at once where there is no repository.
            Some(_) => std::env::var_os("GIT_DIR").is_none() && std::env::current_dir().is_ok_and(|d| !d.ancestors().any(|a| a.join(".git").exists())),
            None => false,
        },
        "python3" => args().map(|a| a.text.as_str()).take(2).eq(["-m", "http.server"]),
        _ => PLAIN.contains(&name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use intent::world::FixedWorld;

    #[test]
    fn what_is_kept_is_bounded() {
        let mut k = Kept::default();
        for i in 0..100_000 {
            k.push(format!("line {i}\n").as_bytes());
        }
        assert!(k.head.len() == HEAD && k.tail.len() <= 2 * TAIL);
        let text = k.text();
        assert!(text.starts_with("line 0\n") && text.ends_with("line 99999\n") && !k.beginning().1);
        let mut small = Kept::default();
        small.push(b"a\n");
        assert_eq!((small.beginning(), small.text()), (("a\n".to_owned(), true), "a\n".to_owned()));
    }

    #[test]
    fn the_mark_is_found_wherever_it_is_cut() {
        assert_eq!(begun(b"abc\x1fg", b"\x1fgcs\x1f"), 2);
        assert_eq!(begun(b"abc", b"\x1fgcs\x1f"), 0);
        assert_eq!(begun(b"\x1f", b"\x1fgcs\x1f"), 1);
    }

    #[test]
    fn programs_that_draw_run_on_the_terminal_itself() {
        let world = FixedWorld { commands: "ls cat grep find vim less more man ssh sudo git python3 bash top make xargs".split(' ').map(str::to_owned).collect(), ..Default::default() };
        for l in ["ls -l", "cat a | grep b > c", "gti status", "find . -name x", "find . -exec grep x {} +", "sudo ls", "echo $(ls)", "git status", "ls 2>&1 && cat x", "for f in *; do cat $f; done", "echo (a)", "ls | xargs grep x", "x=1", "./nothing-here"] {
            assert!(may_catch(l, &world, &["ls".into()]), "{l}");
        }
        for l in ["vim a", "ls | less", "ls | more", "man ls", "ssh host ls", "sudo vim x", "sudo bash", "bash", "top", "ls &", "cat a & cat b", "python3", "$EDITOR x", "exec ls", "find . -exec vim {} \\;", "f() { vim; }; f", "echo $(vim)", "eval ls", "ls | xargs vim", "read x", "source x", "make menuconfig"] {
            assert!(!may_catch(l, &world, &[]), "{l}");
        }
        assert!(!may_catch("cat x", &world, &["cat".into()]), "an alias may be anything");
    }
}
