//! The risk class of a command line.
//!
//! The class is the maximum over everything the line would start, so adding to a line never lowers it. What cannot be
//! known before it runs (a name in a variable, code from a pipe) counts as the worst it could be; a program that is not
//! in the tables counts as one that changes something.

mod programs;
mod wrappers;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::shell::{self, Arg, Invocation, Redirect, RedirectKind, Script};

/// How careful to be before running something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// Only looks.
    Safe,
    /// Changes something, in a way that can be put right.
    Confirm,
    /// May destroy data, or the running system, or runs code nobody has seen.
    Dangerous,
}

impl std::fmt::Display for Risk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Risk::Safe => "safe",
            Risk::Confirm => "confirm",
            Risk::Dangerous => "dangerous",
        })
    }
}

/// What is known about the place where the line would run.
#[derive(Debug, Clone, Default)]
pub struct RiskContext {
    /// The working directory, to see whether a file would be overwritten. `None`: assume it would.
    pub cwd: Option<PathBuf>,
    /// The home directory, for `~`.
    pub home: Option<PathBuf>,
    /// Names which the user's shell has as alias or function: they may do anything.
    pub redefined: Vec<String>,
}

impl RiskContext {
    /// The context of this process: its directory and `$HOME`, no aliases.
    pub fn current() -> Self {
        RiskContext {
            cwd: std::env::current_dir().ok(),
            home: std::env::var_os("HOME").map(PathBuf::from),
            redefined: Vec::new(),
        }
    }

    fn resolve(&self, path: &str) -> Option<PathBuf> {
        let path = match path.strip_prefix('~') {
            Some("") => self.home.clone()?,
            Some(rest) => self.home.as_ref()?.join(rest.strip_prefix('/')?),
            None => PathBuf::from(path),
        };
        if path.is_absolute() { Some(path) } else { Some(self.cwd.as_ref()?.join(path)) }
    }

    /// Whether writing to `path` could replace what is there. Unknown places count as yes.
    fn may_exist(&self, path: &str) -> bool {
        self.resolve(path).is_none_or(|p| p.symlink_metadata().is_ok())
    }

    fn is_dir(&self, path: &str) -> bool {
        self.resolve(path).is_some_and(|p| p.is_dir())
    }
}

/// The risk class of `line`. A line that does not parse is [`Risk::Dangerous`]: nobody can say what it does.
pub fn classify(line: &str, ctx: &RiskContext) -> Risk {
    match shell::parse(line) {
        Ok(script) => classify_script(&script, ctx, 0),
        Err(_) => Risk::Dangerous,
    }
}

/// Deepest chain of `bash -c "bash -c ..."`, `sudo env nice ...` that is followed.
const MAX_NESTING: usize = 8;

fn classify_nested(code: &str, ctx: &RiskContext, depth: usize) -> Risk {
    if depth > MAX_NESTING {
        return Risk::Dangerous;
    }
    match shell::parse(code) {
        Ok(script) => classify_script(&script, ctx, depth),
        Err(_) => Risk::Dangerous,
    }
}

fn classify_script(script: &Script, ctx: &RiskContext, depth: usize) -> Risk {
    if script.truncated || depth > MAX_NESTING {
        return Risk::Dangerous;
    }
    let mut ctx = ctx.clone();
    // After `cd` nobody knows what a relative path means here.
    if script.invocations.iter().any(|i| {
        i.words.first().is_some_and(|w| matches!(base_name(&w.text), "cd" | "pushd" | "popd" | "chroot"))
    }) {
        ctx.cwd = None;
    }
    let mut risk = Risk::Safe;
    for (name, body) in &script.functions {
        // A function may hide what a later name means; one that calls itself may never end (the fork bomb).
        risk = risk.max(if body.contains(name) { Risk::Dangerous } else { Risk::Safe });
        ctx.redefined.push(name.clone());
    }
    for i in &script.invocations {
        risk = risk.max(invocation(i, &ctx, depth));
        if risk == Risk::Dangerous {
            break;
        }
    }
    risk
}

/// The last component of a command's name: `/bin/rm` is `rm`.
fn base_name(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

fn invocation(i: &Invocation, ctx: &RiskContext, depth: usize) -> Risk {
    let mut risk = Risk::Safe;
    for r in &i.redirects {
        risk = risk.max(redirect(r, ctx));
    }
    for name in &i.assigns {
        risk = risk.max(assignment(name));
    }
    if !i.words.is_empty() {
        risk = risk.max(command(&i.words, i.piped_in, ctx, depth));
    }
    risk
}

/// The risk of a command and its arguments, given as words.
fn command(words: &[Arg], piped_in: bool, ctx: &RiskContext, depth: usize) -> Risk {
    let Some(name) = words.first() else { return Risk::Safe };
    if depth > MAX_NESTING {
        return Risk::Dangerous;
    }
    let Some(text) = name.literal() else { return Risk::Dangerous };
    let args = &words[1..];
    let known = base_name(text);
    let mut risk = Risk::Safe;
    if ctx.redefined.iter().any(|r| r == text) && name.raw == text {
        risk = Risk::Confirm;
    }
    if text.contains('/') && !["/bin/", "/usr/bin/", "/sbin/", "/usr/sbin/"].iter().any(|d| text.starts_with(d) && &text[d.len()..] == known) {
        // Some other program of that name.
        risk = Risk::Confirm;
    }
    risk.max(match wrappers::inner(known, args, piped_in, ctx, depth) {
        Some(r) => r,
        None => programs::risk(known, args, ctx),
    })
}

/// Variables that change what later commands are or do.
fn assignment(name: &str) -> Risk {
    match name {
        "PROMPT_COMMAND" | "BASH_ENV" | "ENV" | "SHELLOPTS" | "BASHOPTS" | "LD_PRELOAD" | "LD_LIBRARY_PATH" | "LD_AUDIT"
        | "PATH" | "PS4" | "PAGER" | "EDITOR" | "VISUAL" | "LESSOPEN" | "GIT_SSH_COMMAND" | "TAR_OPTIONS" | "IFS"
        | "PYTHONSTARTUP" | "PERL5OPT" | "RUBYOPT" | "NODE_OPTIONS" | "BASH_ALIASES" | "BASH_CMDS" => Risk::Confirm,
        n if n.starts_with("BASH_FUNC_") => Risk::Dangerous,
        _ => Risk::Safe,
    }
}

fn redirect(r: &Redirect, ctx: &RiskContext) -> Risk {
    match r.kind {
        RedirectKind::Read => Risk::Safe,
        RedirectKind::Append => write_target(&r.target, true, ctx),
        RedirectKind::Write | RedirectKind::ReadWrite => write_target(&r.target, false, ctx),
    }
}

/// The risk of opening `target` for writing.
fn write_target(target: &Arg, append: bool, ctx: &RiskContext) -> Risk {
    let Some(path) = target.literal() else { return Risk::Dangerous };
    let normal = normalise(path);
    if ["/dev/null", "/dev/stdout", "/dev/stderr", "/dev/tty", "/dev/zero", "/dev/full"].contains(&normal.as_str())
        || normal.starts_with("/dev/fd/")
        || normal.starts_with("/dev/pts/")
    {
        return Risk::Safe;
    }
    if path.starts_with("/dev/tcp/") || path.starts_with("/dev/udp/") {
        // bash's own: opens a connection.
        return Risk::Confirm;
    }
    if ["/dev/", "/proc/", "/sys/", "/boot/", "/scheme/"].iter().any(|d| normal.starts_with(d)) {
        return Risk::Dangerous;
    }
    if append {
        let system = ["/etc/", "/usr/", "/bin/", "/sbin/", "/lib"].iter().any(|d| normal.starts_with(d));
        return if system { Risk::Dangerous } else { Risk::Confirm };
    }
    if ctx.may_exist(path) { Risk::Dangerous } else { Risk::Confirm }
}

/// `path` without `//`, `/./` and `x/../`.
fn normalise(path: &str) -> String {
    let mut out: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                out.pop();
            }
            p => out.push(p),
        }
    }
    let joined = out.join("/");
    if path.starts_with('/') { format!("/{joined}") } else { joined }
}

/// Whether `path` is the root, a top-level directory, a home directory, or holds the working directory.
fn is_vital(path: &str, ctx: &RiskContext) -> bool {
    if matches!(path, "~" | "~/" | "." | ".." | "./" | "../" | "*") {
        return true;
    }
    let Some(p) = ctx.resolve(path) else { return true };
    let p = PathBuf::from(normalise(&p.to_string_lossy()));
    let system = ["/etc", "/usr", "/bin", "/sbin", "/lib", "/lib64", "/boot", "/dev", "/proc", "/sys", "/scheme"];
    p.components().count() <= 2
        || Some(&p) == ctx.home.as_ref()
        || system.iter().any(|s| p.starts_with(s))
        || ctx.cwd.as_deref().is_some_and(|c: &Path| c.starts_with(&p))
}
