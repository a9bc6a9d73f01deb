//! Starts children, watches them, and reports.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::Options;
use crate::child::{self, Plan};
use crate::shared::Shared;

/// The user of every other round.
const USER: u32 = 1000;
/// A child without a new call for so long is blocked for good, or stopped.
const PATIENCE: Duration = Duration::from_millis(250);
/// A child may go on for so long.
const ROUND_LIMIT: Duration = Duration::from_secs(20);
/// A killed child must be gone within so long, on a slow and busy machine.
const DEATH_LIMIT: Duration = Duration::from_secs(60);
/// Rounds between two lines of progress.
const PROGRESS: u64 = 50;

/// Runs rounds until enough calls were made.
pub fn run(options: &Options) -> Result<ExitCode> {
    // SAFETY: no memory is involved.
    if unsafe { libc::geteuid() } != 0 {
        bail!("only root can run children as different users");
    }
    let shared = Shared::new().context("cannot map the shared page")?;
    let begun = Instant::now();
    let mut killed = 0u64;
    let mut round = options.first;
    while shared.made() < options.calls && options.rounds.is_none_or(|rounds| round - options.first < rounds) {
        let plan = Plan { seed: options.seed, round, root: round.is_multiple_of(2), trace: options.trace };
        // Each has a directory of its own: what cannot be removed does not disturb the next.
        let scratch = options.scratch.join(format!("round-{round}"));
        prepare(&scratch, &plan).with_context(|| format!("cannot prepare {}", scratch.display()))?;
        let pid = child::start(&plan, &scratch, shared).context("cannot fork")?;
        match watch(pid, shared)? {
            End::Itself => {}
            End::Killed => killed += 1,
            End::Immortal => {
                println!("round {round}: process {pid} does not die. Its last calls:\n{}", shared.last_calls());
                return Ok(ExitCode::FAILURE);
            }
        }
        clean(&scratch);
        round += 1;
        if round.is_multiple_of(PROGRESS) {
            println!("round {round}: {} calls, {} s", shared.made(), begun.elapsed().as_secs());
            io::stdout().flush()?;
        }
    }
    let _ = fs::remove_dir_all(&options.scratch);
    let (made, succeeded, rounds) = (shared.made(), shared.succeeded(), round - options.first);
    println!("{made} calls in {rounds} rounds, {succeeded} succeeded, {killed} blocked children killed, {} s", begun.elapsed().as_secs());
    let missing: Vec<_> = shared.missing().map(|number| crate::calls::name(number as u64).to_string()).collect();
    println!("not implemented: {}", missing.join(" "));
    println!("done");
    Ok(ExitCode::SUCCESS)
}

enum End {
    Itself,
    Killed,
    Immortal,
}

fn watch(pid: i32, shared: &Shared) -> Result<End> {
    let begun = Instant::now();
    let (mut made, mut since) = (shared.made(), begun);
    let mut killed_at = None;
    let end = loop {
        let mut status = 0;
        // SAFETY: the status is ours.
        match unsafe { libc::waitpid(pid, &mut status, libc::WNOHANG) } {
            0 => {}
            -1 if io::Error::last_os_error().kind() == io::ErrorKind::Interrupted => {}
            -1 => return Err(io::Error::last_os_error()).context("cannot wait for a child"),
            _ => break if killed_at.is_some() { End::Killed } else { End::Itself },
        }
        let now = Instant::now();
        if shared.made() != made {
            (made, since) = (shared.made(), now);
        }
        match killed_at {
            None if now - since > PATIENCE || now - begun > ROUND_LIMIT => {
                kill_group(pid);
                killed_at = Some(now);
            }
            Some(at) if now - at > DEATH_LIMIT => return Ok(End::Immortal),
            _ => {}
        }
        thread::sleep(Duration::from_millis(2));
    };
    // Its own children.
    kill_group(pid);
    Ok(end)
}

fn kill_group(leader: i32) {
    // SAFETY: no memory is involved. The group is the child's own: it leads a session.
    unsafe {
        libc::kill(-leader, libc::SIGKILL);
        libc::kill(leader, libc::SIGKILL);
    }
}

fn prepare(scratch: &Path, plan: &Plan) -> io::Result<()> {
    fs::create_dir_all(scratch)?;
    fs::set_permissions(scratch, fs::Permissions::from_mode(0o755))?;
    let owner = if plan.root { 0 } else { USER };
    chown(scratch, Some(owner), Some(owner))?;
    for dir in ["d0", "d0/e", "d1"] {
        fs::create_dir_all(scratch.join(dir))?;
        chown(scratch.join(dir), Some(owner), Some(owner))?;
    }
    for (file, size) in [("f0", 0), ("f1", 5000), ("f2", 100_000), ("d0/f3", 10)] {
        fs::write(scratch.join(file), vec![b'x'; size])?;
        chown(scratch.join(file), Some(owner), Some(owner))?;
    }
    std::os::unix::fs::symlink("f1", scratch.join("l0"))?;
    std::os::unix::fs::symlink("l1", scratch.join("l1"))
}

/// Unmounts what a child mounted, wherever it has moved the mount point to, and empties the scratch directory.
fn clean(scratch: &Path) {
    let inside = format!("{}/", scratch.display());
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    // The last ones lie on top of the others.
    for path in mounts.lines().rev().filter_map(|line| line.split(' ').nth(1)).filter(|path| format!("{path}/").starts_with(&inside)) {
        let path = std::ffi::CString::new(path).unwrap_or_default();
        // SAFETY: the path is a C string.
        unsafe { libc::umount2(path.as_ptr(), libc::MNT_DETACH) };
    }
    let _ = fs::remove_dir_all(scratch);
}
