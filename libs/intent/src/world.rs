//! What exists: files, users, processes, programs. Slots may name these, and nothing else that the request does not say.

use std::path::{Path, PathBuf};

/// What a path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exists {
    /// A regular file or anything else that is not a directory.
    File,
    /// A directory.
    Dir,
}

/// The machine as far as a request may name things on it.
pub trait World {
    /// What `path` is, relative to the user's working directory; `~` is the home.
    fn exists(&self, path: &str) -> Option<Exists>;
    /// Whether `name` is a user of this machine.
    fn is_user(&self, name: &str) -> bool;
    /// Whether `name` is a program in the search path or a builtin of the shell.
    fn has_command(&self, name: &str) -> bool;
    /// Whether a process of that name runs.
    fn is_process(&self, name: &str) -> bool;
    /// Names in the working directory that are equal to `name` but for case.
    fn entry_ignoring_case(&self, name: &str) -> Option<String>;
    /// The first 4 KiB of a text file, where it can be read.
    fn beginning_of(&self, _path: &str) -> Option<String> {
        None
    }
}

/// Builtins of bash that count as commands which exist.
pub const BUILTINS: &[&str] = &[
    ".", ":", "[", "alias", "bg", "bind", "break", "builtin", "caller", "cd", "command", "compgen", "complete", "compopt", "continue", "declare", "dirs", "disown", "echo", "enable", "eval", "exec", "exit", "export",
    "false", "fc", "fg", "getopts", "hash", "help", "history", "jobs", "kill", "let", "local", "logout", "mapfile", "popd", "printf", "pushd", "pwd", "read", "readarray", "readonly", "return", "set", "shift", "shopt",
    "source", "suspend", "test", "times", "trap", "true", "type", "typeset", "ulimit", "umask", "unalias", "unset", "wait",
];

/// This machine, now.
#[derive(Debug, Clone)]
pub struct LiveWorld {
    /// The user's working directory.
    pub cwd: PathBuf,
    /// The home directory.
    pub home: PathBuf,
    /// Directories of programs.
    pub path: Vec<PathBuf>,
}

impl LiveWorld {
    /// From this process's directory and environment.
    pub fn current() -> Self {
        LiveWorld {
            cwd: std::env::current_dir().unwrap_or_else(|_| "/".into()),
            home: std::env::var_os("HOME").map_or_else(|| "/root".into(), PathBuf::from),
            path: std::env::split_paths(&std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into())).collect(),
        }
    }

    fn resolve(&self, path: &str) -> PathBuf {
        match path.strip_prefix('~') {
            Some("") => self.home.clone(),
            Some(rest) if rest.starts_with('/') => self.home.join(&rest[1..]),
            _ => self.cwd.join(path),
        }
    }
}

impl World for LiveWorld {
    fn exists(&self, path: &str) -> Option<Exists> {
        if path.is_empty() || path.contains('\0') {
            return None;
        }
        let p = self.resolve(path);
        let meta = p.symlink_metadata().ok()?;
        let dir = if meta.is_symlink() { p.is_dir() } else { meta.is_dir() };
        Some(if dir { Exists::Dir } else { Exists::File })
    }

    fn beginning_of(&self, path: &str) -> Option<String> {
        use std::io::Read;
        let path = self.resolve(path);
        // A pipe or a device would be waited for.
        if !path.metadata().ok()?.is_file() {
            return None;
        }
        let mut bytes = Vec::new();
        std::fs::File::open(path).ok()?.take(4096).read_to_end(&mut bytes).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn is_user(&self, name: &str) -> bool {
        !name.is_empty()
            && std::fs::read_to_string("/etc/passwd").is_ok_and(|t| t.lines().any(|l| l.split(':').next() == Some(name)))
    }

    fn has_command(&self, name: &str) -> bool {
        use std::os::unix::fs::PermissionsExt;
        let runnable = |p: &Path| p.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0);
        if name.contains('/') {
            return runnable(&self.resolve(name));
        }
        BUILTINS.contains(&name) || (!name.is_empty() && self.path.iter().any(|d| runnable(&d.join(name))))
    }

    fn is_process(&self, name: &str) -> bool {
        let Ok(dir) = std::fs::read_dir("/proc") else { return false };
        dir.flatten().filter(|e| e.file_name().as_encoded_bytes().iter().all(u8::is_ascii_digit)).any(|e| {
            std::fs::read_to_string(e.path().join("comm")).is_ok_and(|c| c.trim_end() == name)
        })
    }

    fn entry_ignoring_case(&self, name: &str) -> Option<String> {
        let mut found: Vec<String> = std::fs::read_dir(&self.cwd)
            .ok()?
            .flatten()
            .filter_map(|e| e.file_name().into_string().ok())
            .filter(|n| n.to_lowercase() == name.to_lowercase())
            .collect();
        found.sort();
        found.into_iter().next()
    }
}

/// A world made of lists, for tests and for training.
#[derive(Debug, Clone, Default)]
pub struct FixedWorld {
    /// Files that exist.
    pub files: Vec<String>,
    /// Directories that exist.
    pub dirs: Vec<String>,
    /// Users.
    pub users: Vec<String>,
    /// Processes.
    pub processes: Vec<String>,
    /// Programs; empty means all of them.
    pub commands: Vec<String>,
}

impl World for FixedWorld {
    fn exists(&self, path: &str) -> Option<Exists> {
        let p = if path.len() > 1 { path.trim_end_matches('/') } else { path };
        if self.dirs.iter().any(|d| d == p) {
            Some(Exists::Dir)
        } else {
            self.files.iter().any(|f| f == p).then_some(Exists::File)
        }
    }

    fn is_user(&self, name: &str) -> bool {
        self.users.iter().any(|u| u == name)
    }

    fn has_command(&self, name: &str) -> bool {
        self.commands.is_empty() || BUILTINS.contains(&name) || self.commands.iter().any(|c| c == name)
    }

    fn is_process(&self, name: &str) -> bool {
        self.processes.iter().any(|p| p == name)
    }

    fn entry_ignoring_case(&self, name: &str) -> Option<String> {
        self.files.iter().chain(&self.dirs).find(|f| f.to_lowercase() == name.to_lowercase()).cloned()
    }
}
