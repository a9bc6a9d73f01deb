//! The text editor and the picture viewer on the desktop, by keys alone.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use exec_protocol::Outcome;
use vm::input;
use vm::screen::Picture;

use crate::check;
use crate::gde::{self, LONG, SHORT};
use crate::lab::Machine;

const PLAN: &str = "/root/plan.toml";

/// On a machine that shows an empty desktop, which it leaves so.
pub(crate) fn editor(machine: &Machine) -> Result<()> {
    check::succeeds(&machine.sh(&format!("printf '[plan]\\r\\nfirst = \"this\"\\r\\n' > {PLAN} && chmod 640 {PLAN}"), SHORT)?)?;
    gde::launch(machine, &format!("editor {PLAN}"))?;
    is_in_front(machine, "org.genai.Editor", "plan.toml")?;
    writes(machine).context("what is typed and saved")?;
    pastes(machine).context("what is copied and pasted")?;
    Picture::of(machine.dir())?.save(&machine.dir().file("editor.png"))?;
    input::key(machine.dir(), "super-q")?;
    gde::poll_windows(machine, "closed window", <[_]>::is_empty).map(drop)
}

/// Until a window is in front whose title begins so.
pub(crate) fn is_in_front(machine: &Machine, app: &str, title: &str) -> Result<()> {
    let is_it = |it: &serde_json::Value| it["app_id"] == app && it["is_focused"] == true && it["title"].as_str().is_some_and(|it| it.starts_with(title));
    gde::poll_windows(machine, &format!("window of {app}"), |all| all.iter().any(is_it)).map(drop)
}

/// Whether the file is these lines, whose ends are those of other systems.
fn is_saved(machine: &Machine, lines: &[&str]) -> Result<bool> {
    let wanted: String = lines.iter().map(|it| format!("{it}\r\n")).collect();
    Ok(machine.sh(&format!("cat {PLAN}"), SHORT)?.stdout == wanted.as_bytes())
}

/// Presses keys until the file is so: the window may not take them yet.
fn until(machine: &Machine, lines: &[&str], press: impl Fn() -> Result<()>) -> Result<()> {
    let limit = Instant::now() + LONG;
    loop {
        press()?;
        let pressed = Instant::now();
        while pressed.elapsed() < Duration::from_secs(20) {
            if is_saved(machine, lines)? {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(300));
        }
        ensure!(Instant::now() < limit, "never so: {lines:?}");
    }
}

/// All is written anew each time, so that what was lost at first does not count.
fn writes(machine: &Machine) -> Result<()> {
    until(machine, &["[plan]", "second = 2"], || {
        input::key(machine.dir(), "ctrl-a")?;
        input::type_text(machine.dir(), "[plan]\nsecond = 2\n")?;
        Ok(input::key(machine.dir(), "ctrl-s")?)
    })?;
    check::succeeds(&machine.sh(&format!("[ $(stat -c %a {PLAN}) = 640 ] && [ $(ls -A /root | grep -c plan) = 1 ]"), SHORT)?)
}

/// Its own text by way of the clipboard, again and again.
fn pastes(machine: &Machine) -> Result<()> {
    let twice = ["[plan]", "second = 2", "[plan]", "second = 2"];
    until(machine, &twice, || {
        // To what was saved, then once behind itself.
        input::key(machine.dir(), "ctrl-a")?;
        input::type_text(machine.dir(), "[plan]\nsecond = 2\n")?;
        ["ctrl-a", "ctrl-c", "ctrl-end", "ctrl-v", "ctrl-s"].iter().try_for_each(|key| Ok(input::key(machine.dir(), key)?))
    })?;
    for _ in 0..10 {
        ["ctrl-a", "ctrl-c", "ctrl-v"].iter().try_for_each(|key| input::key(machine.dir(), key))?;
    }
    // It is still there, and takes more.
    until(machine, &["third = 3"], || {
        input::key(machine.dir(), "ctrl-a")?;
        input::type_text(machine.dir(), "third = 3\n")?;
        Ok(input::key(machine.dir(), "ctrl-s")?)
    })
}

/// A picture that Files opens: `folder` holds nothing else.
pub(crate) fn viewer(machine: &Machine, folder: &str) -> Result<()> {
    gde::launch(machine, &format!("files {folder}"))?;
    is_in_front(machine, "org.genai.Files", folder.rsplit('/').next().unwrap_or(folder))?;
    let name = String::from_utf8(machine.sh(&format!("ls {folder}"), SHORT)?.stdout)?.trim().to_owned();
    let limit = Instant::now() + LONG;
    loop {
        ["home", "enter"].iter().try_for_each(|key| input::key(machine.dir(), key))?;
        let pressed = Instant::now();
        while pressed.elapsed() < Duration::from_secs(40) {
            let output = machine.sh("gdectl windows --json", SHORT)?;
            if output.outcome == Outcome::Code(0) && String::from_utf8_lossy(&output.stdout).contains("org.genai.Viewer") {
                is_in_front(machine, "org.genai.Viewer", &name)?;
                return closes(machine);
            }
            thread::sleep(Duration::from_millis(300));
        }
        ensure!(Instant::now() < limit, "Files does not open it");
    }
}

fn closes(machine: &Machine) -> Result<()> {
    // The picture of the desktop is in sight in the window: its wallpaper has far more colours than a window.
    gde::wait_for_picture(machine, "a picture", |picture| {
        let middle = (picture.height / 2 - 100..picture.height / 2 + 100).map(|y| picture.pixel(picture.width / 2, y));
        middle.collect::<std::collections::BTreeSet<_>>().len() > 30
    })?;
    let limit = Instant::now() + LONG;
    loop {
        let left = gde::poll_windows(machine, "list of windows", |_| true)?.len();
        if left == 0 {
            return Ok(());
        }
        ensure!(Instant::now() < limit, "{left} windows stay open");
        input::key(machine.dir(), "super-q")?;
        let pressed = Instant::now();
        while pressed.elapsed() < Duration::from_secs(10) && gde::poll_windows(machine, "list of windows", |_| true)?.len() == left {
            thread::sleep(Duration::from_millis(300));
        }
    }
}
