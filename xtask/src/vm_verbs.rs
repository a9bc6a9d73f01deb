//! `./gos vm`: the machine in the background.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::unix::ffi::OsStringExt;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use exec_protocol::{Outcome, Spawn};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;
use vm::dir::VmDir;
use vm::exec::{self, ExecError};
use vm::{input, screen, transfer};

use crate::cli::{Button, VmVerb};
use crate::project::Project;
use crate::run;

pub fn run(project: &Project, verb: VmVerb) -> Result<u8> {
    let dir = run::vm_dir(project)?;
    match verb {
        VmVerb::Start(options) => run::start(project, &options)?,
        VmVerb::Wait { timeout } => dir.wait_ready(Duration::from_secs(timeout))?,
        VmVerb::Stop { kill } => stop(&dir, kill)?,
        VmVerb::Log { follow } => log(&dir, follow)?,
        VmVerb::Save { name } => dir.save(&name)?,
        VmVerb::Load { name } => dir.load(&name)?,
        VmVerb::Exec { timeout, cwd, no_input, command } => {
            let spawn = Spawn {
                argv: arguments(command),
                cwd: cwd.map(String::into_bytes),
                timeout_ms: timeout.map_or(0, |timeout| timeout.as_millis() as u64),
                ..Spawn::default()
            };
            return exec(&dir, spawn, no_input);
        }
        VmVerb::Put { source, dest } => transfer::put(&dir.exec(), &source, &dest)?,
        VmVerb::Get { source, dest } => transfer::get(&dir.exec(), &source, &dest)?,
        VmVerb::Screenshot { file } => screen::Picture::of(&dir)?.save(&file)?,
        VmVerb::Key { keys } => keys.iter().try_for_each(|key| input::key(&dir, key))?,
        VmVerb::Type { text } => input::type_text(&dir, &text)?,
        VmVerb::Pointer { x, y } => input::pointer(&dir, x, y)?,
        VmVerb::Click { x, y, button } => {
            let button = match button {
                Button::Left => input::Button::Left,
                Button::Middle => input::Button::Middle,
                Button::Right => input::Button::Right,
            };
            input::click(&dir, x, y, button)?;
        }
    }
    Ok(0)
}

/// A single word that only a shell understands is for the shell.
fn arguments(command: Vec<OsString>) -> Vec<Vec<u8>> {
    let mut argv: Vec<_> = command.into_iter().map(OsString::into_vec).collect();
    let for_shell = |byte: &u8| b" \t\n|&;<>()$`\\\"'*?[]{}~".contains(byte);
    if argv.len() == 1 && argv[0].iter().any(for_shell) {
        argv.splice(0..0, [b"/bin/sh".to_vec(), b"-c".to_vec()]);
    }
    argv
}

fn exec(dir: &VmDir, spawn: Spawn, no_input: bool) -> Result<u8> {
    let program = String::from_utf8_lossy(&spawn.argv[0]).into_owned();
    let command = match dir.exec().start(spawn) {
        Ok(command) => command,
        Err(ExecError::NoVm { .. }) if dir.is_up()? => {
            anyhow::bail!("the machine is up, but the process that holds its exec channel is gone; ./gos vm stop ends it")
        }
        Err(ExecError::NoVm { .. }) => return Err(vm::Error::NoVm.into()),
        Err(error) => return Err(error.into()),
    };
    let signaller = command.signaller();
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP, SIGQUIT]).context("cannot watch for signals")?;
    thread::spawn(move || {
        for (count, signal) in signals.forever().enumerate() {
            // Who insists wants out even if the guest does not answer.
            if count == 2 || signaller.signal(signal as u8).is_err() {
                std::process::exit(128 + signal);
            }
        }
    });
    let (mut stdout, mut stderr) = (io::stdout(), io::stderr());
    let ended = if no_input {
        command.run(io::empty(), &mut stdout, &mut stderr)
    } else {
        command.run(io::stdin(), &mut stdout, &mut stderr)
    };
    match ended {
        Ok(outcome) => {
            if let Outcome::NotStarted(errno) = outcome {
                eprintln!("gos: cannot run {program} in the machine: {}", io::Error::from_raw_os_error(errno));
            }
            Ok(outcome.exit_status())
        }
        // As a program that dies of SIGPIPE.
        Err(ExecError::Local(_, error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(141),
        Err(error) => Err(error.into()),
    }
}

fn stop(dir: &VmDir, kill: bool) -> Result<()> {
    dir.qemu_pid()?;
    if !kill && dir.exec().wait_ready(Duration::from_secs(2)).is_ok() {
        let sync = exec::command(["sync"], Duration::from_secs(30));
        match dir.exec().output(sync, &[]) {
            Ok(output) if output.outcome == Outcome::Code(0) => {}
            Ok(output) => eprintln!("gos: sync in the machine ended with status {}", output.outcome.exit_status()),
            Err(error) => eprintln!("gos: the machine could not write its data: {error}"),
        }
    }
    Ok(dir.kill()?)
}

fn log(dir: &VmDir, follow: bool) -> Result<()> {
    let path = dir.serial_log();
    let mut file = File::open(&path).with_context(|| format!("no machine has run yet: cannot read {}", path.display()))?;
    let mut out = io::stdout();
    loop {
        // Asked first, so that nothing written before the end is missed.
        let up = follow && dir.is_up()?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        match out.write_all(&text).and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            written => written?,
        }
        if !up {
            return Ok(());
        }
        // A machine that is started anew begins its log anew.
        if file.metadata()?.len() < file.stream_position()? {
            file.rewind()?;
        }
        thread::sleep(Duration::from_millis(100));
    }
}
