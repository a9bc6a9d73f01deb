//! The text editor, pictures of the screen, notices, the session's D-Bus and the lock, in a machine that shows the desktop.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use vm::input;
use vm::machine::{Network, Reach};
use vm::screen::Picture;

use crate::gde::{self, LONG, SHORT};
use crate::lab::{Lab, Machine};
use crate::{check, gde_bus, gde_editor, wait};

const FOLDER: &str = "/root/Pictures/Screenshots";
const PASSWORD: &str = "a pass";
/// As shadow(5) has it (crypt(5), SHA-512).
const HASH: &str = "$6$desktoptest$wXgMGxT973dau0oxETKnmfCLBMos8vHnz3MKWJYswgCMiFdduILeGLtz4hxk.epKlL5Yw9xVGTmoT9aHvHjcb.";
pub fn session(lab: &Lab) -> Result<()> {
    let machine = &gde::start(lab, "gde-session", Some(Network { reach: Reach::Nowhere, forwards: Vec::new() }))?;
    gde_editor::editor(machine).context("the text editor")?;
    takes_pictures(machine).context("pictures of the screen")?;
    gde_editor::viewer(machine, FOLDER).context("the picture viewer")?;
    shows_notices(machine).context("notices")?;
    has_quick_settings(machine).context("quick settings")?;
    gde_bus::bus(lab, machine).context("the session's D-Bus")?;
    locks(machine).context("the lock")
}

fn takes_pictures(machine: &Machine) -> Result<()> {
    input::key(machine.dir(), "print")?;
    wait::for_text(machine, &format!("ls {FOLDER} | wc -l; head -c 4 {FOLDER}/*.png | tail -c 3"), "1\nPNG", LONG)?;
    Ok(Picture::of(machine.dir())?.save(&machine.dir().file("notice.png"))?)
}

/// What is seen of notices.
fn notices(machine: &Machine) -> Result<String> {
    Ok(String::from_utf8_lossy(&machine.sh("gdectl notices", SHORT)?.stdout).into_owned())
}

fn until_notices(machine: &Machine, what: &str, are_so: impl Fn(&str) -> bool) -> Result<()> {
    let limit = Instant::now() + LONG;
    loop {
        let now = notices(machine)?;
        if are_so(&now) {
            return Ok(());
        }
        ensure!(Instant::now() < limit, "{what}: {now}");
        thread::sleep(Duration::from_millis(300));
    }
}

/// That of the picture is there; and goes by a key.
fn shows_notices(machine: &Machine) -> Result<()> {
    input::key(machine.dir(), "print")?;
    until_notices(machine, "no notice", |it| it.contains("Picture of the screen taken"))?;
    Picture::of(machine.dir())?.save(&machine.dir().file("notices.png"))?;
    input::key(machine.dir(), "super-n")?;
    until_notices(machine, "notices stay", |it| it.trim().is_empty())
}

/// A key opens them, the network is told, and a switch changes the user's settings and the screen.
fn has_quick_settings(machine: &Machine) -> Result<()> {
    const SETTINGS: &str = "/root/.config/genai/desktop.toml";
    input::key(machine.dir(), "super-a")?;
    wait::for_text(machine, "gdectl quick-settings", "Connected, ", LONG)?;
    Picture::of(machine.dir())?.save(&machine.dir().file("quick-settings.png"))?;
    // The first one that the keyboard comes to is the style: light, and dark again.
    input::key(machine.dir(), "tab")?;
    for scheme in ["light", "dark"] {
        input::key(machine.dir(), "enter")?;
        wait::for_text(machine, &format!("grep scheme {SETTINGS}"), &format!("scheme = \"{scheme}\""), LONG)?;
    }
    input::key(machine.dir(), "esc")?;
    wait::for_text(machine, "gdectl quick-settings --json", "[]", LONG)?;
    Ok(())
}

/// Whether the desktop does what is asked; locked it does not.
fn is_locked(machine: &Machine) -> Result<bool> {
    Ok(String::from_utf8_lossy(&machine.sh("gdectl action undo 2>&1", SHORT)?.stdout).contains("locked"))
}

fn until_locked(machine: &Machine, wanted: bool, press: impl Fn() -> Result<()>) -> Result<()> {
    let limit = Instant::now() + LONG;
    while is_locked(machine)? != wanted {
        ensure!(Instant::now() < limit, "it is never {}", if wanted { "locked" } else { "open" });
        press()?;
        let pressed = Instant::now();
        while pressed.elapsed() < Duration::from_secs(15) && is_locked(machine)? != wanted {
            thread::sleep(Duration::from_millis(300));
        }
    }
    Ok(())
}

/// Without a password it is not locked; with one it opens by that alone, also when the desktop has died meanwhile.
fn locks(machine: &Machine) -> Result<()> {
    input::key(machine.dir(), "super-l")?;
    until_notices(machine, "it does not say why", |it| it.contains("The screen is not locked"))?;
    ensure!(!is_locked(machine)?, "it is locked, and nobody could open it");
    check::succeeds(&machine.sh(&format!("usermod -p '{HASH}' root"), SHORT)?)?;
    until_locked(machine, true, || Ok(input::key(machine.dir(), "super-l")?))?;
    Picture::of(machine.dir())?.save(&machine.dir().file("locked.png"))?;
    input::type_text(machine.dir(), "wrong\n")?;
    let died = machine.sh("pidof gde && kill -9 $(pidof gde)", SHORT)?.stdout;
    let limit = Instant::now() + LONG;
    while machine.sh("gdectl outputs > /dev/null && pidof gde", SHORT).is_ok_and(|it| it.stdout.is_empty() || it.stdout == died) {
        ensure!(Instant::now() < limit, "it is not started again");
        thread::sleep(Duration::from_millis(300));
    }
    ensure!(is_locked(machine)?, "its death has opened it");
    until_locked(machine, false, || {
        // On its terminal, whichever was shown when it died.
        input::key(machine.dir(), "ctrl-alt-f2")?;
        input::key(machine.dir(), "esc")?;
        Ok(input::type_text(machine.dir(), &format!("{PASSWORD}\n"))?)
    })?;
    check::succeeds(&machine.sh("usermod -p '*' root && rm -r /root/Pictures/Screenshots", SHORT)?)
}
