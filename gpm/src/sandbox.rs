//! Runs scriptlets with no more rights than they declare.
//!
//! A seccomp filter keeps them from the network (unless declared), from mounting, loading modules, tracing, rebooting and the like. Where
//! files may be written is enforced by Landlock. A kernel without Landlock cannot confine writing to certain folders: there
//! a scriptlet that declares none gets a filter that lets it open nothing for writing, and one that declares some is refused, unless
//! the machine's owner allows it to run unconfined.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use landlock::{ABI, Access, AccessFs, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetStatus};
use seccompiler::{SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch};

use crate::manifest::{Right, Scriptlet};
use crate::root::Root;

/// Why a scriptlet has not done its work.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// It could not be started.
    #[error("cannot start {interpreter}: {source}")]
    Start {
        /// What was to read the script.
        interpreter: String,
        /// Why not.
        source: io::Error,
    },
    /// The sandbox could not be made.
    #[error("cannot confine it: {0}")]
    Confine(String),
    /// It wants to write, and this kernel cannot confine that.
    #[error("it wants to write to {}, which this kernel cannot confine to that place (--unconfined lets it run all the same)", .0.join(", "))]
    Unconfinable(Vec<String>),
    /// It failed.
    #[error("it ended with {0}")]
    Failed(std::process::ExitStatus),
    /// Its output could not be read.
    #[error("cannot read what it writes: {0}")]
    Output(io::Error),
}

/// Whether scriptlets may run without their sandbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Confinement {
    /// Never.
    #[default]
    Always,
    /// Where the kernel cannot confine writing.
    WherePossible,
}

/// Whether this kernel has Landlock.
pub fn has_landlock() -> bool {
    Ruleset::default().set_compatibility(CompatLevel::HardRequirement).handle_access(AccessFs::from_all(ABI::V1)).and_then(Ruleset::create).is_ok()
}

/// Runs a scriptlet in the tree `root` and gives each line that it writes to `line`.
///
/// # Errors
/// When it cannot be confined or started, or fails.
pub fn run(
    scriptlet: &Scriptlet,
    root: &Root,
    variables: &[(&str, &str)],
    confinement: Confinement,
    line: &mut (dyn FnMut(&str) + Send),
) -> Result<(), ScriptError> {
    let writes: Vec<String> =
        scriptlet.rights.iter().filter_map(|right| if let Right::Write(path) = right { Some(path.clone()) } else { None }).collect();
    let landlock = has_landlock();
    if !landlock && !writes.is_empty() && confinement == Confinement::Always {
        return Err(ScriptError::Unconfinable(writes));
    }
    let read_only = !landlock && writes.is_empty();
    let filter = filter(scriptlet.rights.contains(&Right::Network), read_only)?;
    // Confinement is a thread's and its children's: this thread ends with the scriptlet.
    std::thread::scope(|scope| {
        let work = scope.spawn(move || {
            if landlock {
                confine_writes(root, &writes)?;
            }
            let mut child = command(scriptlet, root, variables);
            let failed = |source| ScriptError::Start { interpreter: scriptlet.interpreter.clone(), source };
            let (mut input, output) = (None, io::pipe().map_err(failed)?);
            let (reader, writer) = output;
            child.stdin(Stdio::piped()).stdout(writer.try_clone().map_err(failed)?).stderr(writer);
            rustix::thread::set_no_new_privs(true).map_err(|error| ScriptError::Confine(error.to_string()))?;
            seccompiler::apply_filter(&filter).map_err(|error| ScriptError::Confine(error.to_string()))?;
            let mut running = child.spawn().map_err(failed)?;
            drop(child);
            std::mem::swap(&mut input, &mut running.stdin);
            if let Some(mut input) = input {
                // A script that ends before it has read itself to the end has done so on purpose.
                let _ = input.write_all(scriptlet.script.as_bytes());
            }
            for text in BufReader::new(reader).split(b'\n') {
                line(&String::from_utf8_lossy(&text.map_err(ScriptError::Output)?));
            }
            let status = running.wait().map_err(failed)?;
            if status.success() { Ok(()) } else { Err(ScriptError::Failed(status)) }
        });
        work.join().unwrap_or_else(|_| Err(ScriptError::Confine("its thread died".into())))
    })
}

/// Where programs are looked for, `chroot` among them.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

fn command(scriptlet: &Scriptlet, root: &Root, variables: &[(&str, &str)]) -> Command {
    let mut command = if root.is_system() {
        Command::new(&scriptlet.interpreter)
    } else {
        let mut command = Command::new("chroot");
        command.arg(root.path()).arg(&scriptlet.interpreter);
        command
    };
    // All shells and interpreters read a program from here, and nothing must be written for it.
    command.arg("/dev/stdin").env_clear().current_dir("/");
    command.env("PATH", PATH).env("HOME", "/").env("LC_ALL", "C.UTF-8");
    command.envs(variables.iter().copied());
    command
}

fn confine_writes(root: &Root, writes: &[String]) -> Result<(), ScriptError> {
    let failed = |error: &dyn std::fmt::Display| ScriptError::Confine(error.to_string());
    let all = AccessFs::from_write(ABI::V3);
    let ruleset = Ruleset::default().handle_access(all).and_then(Ruleset::create).map_err(|error| failed(&error))?;
    let mut places: Vec<PathBuf> = ["tmp", "dev/null", "dev/tty"].iter().map(|it| root.join(it)).collect();
    for path in writes {
        places.push(root.resolve(path.trim_start_matches('/')).map_err(|error| failed(&error))?);
    }
    let mut ruleset = Some(ruleset);
    for place in places.into_iter().filter(|it| it.exists()) {
        let access = if place.is_dir() { all } else { all & AccessFs::from_file(ABI::V3) };
        let descriptor = PathFd::new(&place).map_err(|error| failed(&error))?;
        let next = ruleset.take().map(|it| it.add_rule(PathBeneath::new(descriptor, access))).transpose().map_err(|error| failed(&error))?;
        ruleset = next;
    }
    let status = ruleset.map(landlock::RulesetCreated::restrict_self).transpose().map_err(|error| failed(&error))?;
    if status.is_none_or(|status| status.ruleset == RulesetStatus::NotEnforced) {
        return Err(ScriptError::Confine("the kernel does not enforce Landlock".into()));
    }
    Ok(())
}

/// The filter; `read_only` where Landlock is missing and nothing may be written.
fn filter(network: bool, read_only: bool) -> Result<Vec<seccompiler::sock_filter>, ScriptError> {
    let failed = |error: &dyn std::fmt::Display| ScriptError::Confine(error.to_string());
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    let never = [
        libc::SYS_mount, libc::SYS_umount2, libc::SYS_pivot_root, libc::SYS_swapon, libc::SYS_swapoff, libc::SYS_reboot, libc::SYS_kexec_load,
        libc::SYS_kexec_file_load, libc::SYS_init_module, libc::SYS_finit_module, libc::SYS_delete_module, libc::SYS_ptrace,
        libc::SYS_process_vm_readv, libc::SYS_process_vm_writev, libc::SYS_setns, libc::SYS_unshare, libc::SYS_bpf, libc::SYS_perf_event_open,
        libc::SYS_keyctl, libc::SYS_add_key, libc::SYS_request_key, libc::SYS_open_by_handle_at, libc::SYS_settimeofday,
        libc::SYS_clock_settime, libc::SYS_adjtimex, libc::SYS_sethostname, libc::SYS_setdomainname, libc::SYS_ioperm, libc::SYS_iopl,
        libc::SYS_mknod, libc::SYS_mknodat, libc::SYS_move_mount, libc::SYS_open_tree, libc::SYS_fsopen, libc::SYS_fsmount, libc::SYS_mount_setattr,
        libc::SYS_io_uring_setup,
    ];
    rules.extend(never.into_iter().map(|call| (call, Vec::new())));
    let condition = |argument, operator, value| {
        SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value).map_err(|error| failed(&error))
    };
    let rule = |conditions| SeccompRule::new(conditions).map_err(|error| failed(&error));
    if !network {
        // Only AF_UNIX, which needs a socket's file.
        rules.insert(libc::SYS_socket, vec![rule(vec![condition(0, SeccompCmpOp::Ne, libc::AF_UNIX as u64)?])?]);
    }
    if read_only {
        let writing = [
            libc::SYS_creat, libc::SYS_unlink, libc::SYS_unlinkat, libc::SYS_rename, libc::SYS_renameat, libc::SYS_renameat2, libc::SYS_mkdir,
            libc::SYS_mkdirat, libc::SYS_rmdir, libc::SYS_link, libc::SYS_linkat, libc::SYS_symlink, libc::SYS_symlinkat, libc::SYS_truncate,
            libc::SYS_chmod, libc::SYS_fchmod, libc::SYS_fchmodat, libc::SYS_chown, libc::SYS_fchown, libc::SYS_lchown, libc::SYS_fchownat,
            libc::SYS_utime, libc::SYS_utimes, libc::SYS_utimensat, libc::SYS_futimesat, libc::SYS_setxattr, libc::SYS_lsetxattr,
            libc::SYS_fsetxattr, libc::SYS_removexattr, libc::SYS_lremovexattr, libc::SYS_fremovexattr,
        ];
        rules.extend(writing.into_iter().map(|call| (call, Vec::new())));
        // Its argument is a structure that a filter cannot look into: programs fall back to the others.
        rules.insert(libc::SYS_openat2, Vec::new());
        for (call, flags) in [(libc::SYS_open, 1), (libc::SYS_openat, 2)] {
            let mut alternatives = Vec::new();
            for bit in [libc::O_WRONLY, libc::O_RDWR, libc::O_CREAT, libc::O_TRUNC] {
                alternatives.push(rule(vec![condition(flags, SeccompCmpOp::MaskedEq(bit as u64), bit as u64)?])?);
            }
            rules.insert(call, alternatives);
        }
    }
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(libc::EPERM as u32), TargetArch::x86_64);
    filter.and_then(|filter| filter.try_into()).map_err(|error| failed(&error))
}

/// What a machine's own programs do to keep its indexes up to date. They are known, so that they run unconfined.
const KNOWN: [(&str, &[&str]); 11] = [
    ("ldconfig", &["/sbin/ldconfig"]),
    ("update-mime-database", &["/usr/bin/update-mime-database", "/usr/share/mime"]),
    ("update-desktop-database", &["/usr/bin/update-desktop-database", "-q"]),
    ("glib-compile-schemas", &["/usr/lib/x86_64-linux-gnu/glib-2.0/glib-compile-schemas", "/usr/share/glib-2.0/schemas"]),
    ("gtk-update-icon-cache", &["/usr/bin/gtk-update-icon-cache", "-q", "-f", "/usr/share/icons/hicolor"]),
    ("gio-querymodules", &["/usr/lib/x86_64-linux-gnu/glib-2.0/gio-querymodules", "/usr/lib/x86_64-linux-gnu/gio/modules"]),
    ("gdk-pixbuf-query-loaders", &["/usr/lib/x86_64-linux-gnu/gdk-pixbuf-2.0/gdk-pixbuf-query-loaders", "--update-cache"]),
    ("gtk-query-immodules-3.0", &["/usr/lib/x86_64-linux-gnu/libgtk-3-0/gtk-query-immodules-3.0", "--update-cache"]),
    ("libgvc6-config-update", &["/usr/sbin/libgvc6-config-update", "-c"]),
    ("fc-cache", &["/usr/bin/fc-cache", "-s"]),
    ("mandb", &["/usr/bin/mandb", "-pq"]),
];

/// The interpreter of a scriptlet whose script is the name of one of the known programs.
pub const KNOWN_INTERPRETER: &str = "/known";

/// A scriptlet that runs a known program.
pub fn known(name: &str) -> Option<Scriptlet> {
    let known = KNOWN.iter().any(|(it, _)| *it == name);
    known.then(|| Scriptlet { interpreter: KNOWN_INTERPRETER.into(), script: name.into(), rights: BTreeSet::new() })
}

/// Runs a known program, where the tree has it; where it has not, nobody needs its index.
///
/// # Errors
/// When it is not known, cannot be started, or fails.
pub fn run_known(name: &str, root: &Root, line: &mut dyn FnMut(&str)) -> Result<(), ScriptError> {
    let name = name.trim();
    let Some((_, words)) = KNOWN.iter().find(|(it, _)| *it == name) else {
        return Err(ScriptError::Start { interpreter: name.into(), source: io::Error::new(io::ErrorKind::NotFound, "no such known program") });
    };
    let failed = |source| ScriptError::Start { interpreter: words[0].into(), source };
    let program = root.resolve(words[0].trim_start_matches('/')).map_err(failed)?;
    if !Path::new(&program).exists() {
        return Ok(());
    }
    let mut command = if root.is_system() {
        Command::new(words[0])
    } else {
        let mut command = Command::new("chroot");
        command.arg(root.path()).arg(words[0]);
        command
    };
    let output = command.args(&words[1..]).env_clear().env("PATH", PATH).current_dir("/").stdin(Stdio::null()).output().map_err(failed)?;
    for text in output.stdout.split(|it| *it == b'\n').chain(output.stderr.split(|it| *it == b'\n')).filter(|it| !it.is_empty()) {
        line(&String::from_utf8_lossy(text));
    }
    if output.status.success() { Ok(()) } else { Err(ScriptError::Failed(output.status)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(script: &str, rights: &[Right]) -> (Result<(), ScriptError>, Vec<String>) {
        let scriptlet = Scriptlet { interpreter: "/bin/sh".into(), script: script.into(), rights: rights.iter().cloned().collect() };
        let mut lines = Vec::new();
        let root = Root::new(Path::new("/")).unwrap();
        let result = run(&scriptlet, &root, &[("GPM_PACKAGE", "test")], Confinement::Always, &mut |line| lines.push(line.to_owned()));
        (result, lines)
    }

    #[test]
    fn output_status_and_environment() {
        let (result, lines) = attempt("echo $GPM_PACKAGE; echo err >&2; env | grep -c CARGO; exit 0", &[]);
        result.unwrap();
        assert_eq!(lines, ["test", "err", "0"]);
        assert!(matches!(attempt("exit 3", &[]).0, Err(ScriptError::Failed(status)) if status.code() == Some(3)));
    }

    #[test]
    fn writes_only_where_declared() {
        let folder = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        let place = folder.path().display().to_string();
        let script = format!("echo x > {place}/file");
        assert!(attempt(&script, &[]).0.is_err());
        assert!(!folder.path().join("file").exists());
        let declared = attempt(&script, &[Right::Write(place)]).0;
        if has_landlock() {
            declared.unwrap();
            assert!(folder.path().join("file").exists());
        } else {
            assert!(matches!(declared, Err(ScriptError::Unconfinable(_))));
        }
    }

    #[test]
    fn no_network_unless_declared() {
        let script = "exec 3<>/dev/tcp/127.0.0.1/9";
        let scriptlet = |rights: &[Right]| Scriptlet { interpreter: "/bin/bash".into(), script: script.into(), rights: rights.iter().cloned().collect() };
        let root = Root::new(Path::new("/")).unwrap();
        let said = |rights: &[Right]| {
            let mut lines = String::new();
            let _ = run(&scriptlet(rights), &root, &[], Confinement::Always, &mut |line| lines.push_str(line));
            lines
        };
        assert!(said(&[]).contains("not permitted"), "{}", said(&[]));
        assert!(!said(&[Right::Network]).contains("not permitted"));
    }
}
