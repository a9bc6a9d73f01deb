//! Files on the desktop: a folder is made, a file copied, thrown away and brought back, by keys alone.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use vm::input;
use vm::screen::Picture;

use crate::gde::{self, LONG, SHORT, until};
use crate::lab::Machine;
use crate::{check, wait};

/// The strip at the left side.
const SIDEBAR: [u8; 3] = [0x1c, 0x1e, 0x23];

/// On a machine that shows an empty desktop, which it leaves so.
pub(crate) fn files(machine: &Machine) -> Result<()> {
    opens(machine).context("it opens")?;
    makes_a_folder(machine).context("a new folder")?;
    copies(machine).context("a copy")?;
    throws_away(machine).context("the trash")?;
    input::key(machine.dir(), "super-q")?;
    gde::poll_windows(machine, "closed window", <[_]>::is_empty).map(drop)
}

/// The launcher shows the home.
fn opens(machine: &Machine) -> Result<()> {
    gde::launch(machine, "files")?;
    let is_there = |all: &[serde_json::Value]| all.iter().any(|it| it["app_id"] == "org.genai.Files" && it["is_focused"] == true && it["title"] == "Home");
    let windows = gde::poll_windows(machine, "window of Files", is_there)?;
    let at = |name: &str| windows[0][name].as_u64().unwrap_or_default() as u32;
    let (x, y) = (at("x") + 4, at("y") + at("height") - 4);
    gde::wait_for_picture(machine, "files", |picture| picture.pixel(x, y) == SIDEBAR)
}

/// It gets a name, and Enter opens it.
fn makes_a_folder(machine: &Machine) -> Result<()> {
    until(machine, "[ -d /root/letters ]", || {
        input::key(machine.dir(), "esc")?;
        input::key(machine.dir(), "ctrl-shift-n")?;
        // The field takes letters once it is drawn.
        thread::sleep(Duration::from_secs(2));
        Ok(input::type_text(machine.dir(), "letters\n")?)
    })?;
    let limit = Instant::now() + LONG;
    let is_in = |all: &[serde_json::Value]| all.iter().any(|it| it["title"] == "letters");
    while gde::poll_windows(machine, "folder", |all| !all.is_empty()).map(|all| !is_in(&all))? {
        ensure!(Instant::now() < limit, "Enter does not open it");
        input::key(machine.dir(), "enter")?;
        thread::sleep(Duration::from_secs(2));
    }
    Ok(())
}

/// What another program puts there is seen, chosen and copied.
fn copies(machine: &Machine) -> Result<()> {
    check::succeeds(&machine.sh("echo kept > /root/letters/plan.txt", SHORT)?)?;
    until(machine, "[ \"$(cat '/root/letters/plan (2).txt')\" = kept ]", || {
        ["home", "ctrl-c", "ctrl-v"].iter().try_for_each(|key| Ok(input::key(machine.dir(), key)?))
    })?;
    Ok(Picture::of(machine.dir())?.save(&machine.dir().file("files-copied.png"))?)
}

/// The copy is chosen, and goes to the trash with what the specification wants; and comes back.
fn throws_away(machine: &Machine) -> Result<()> {
    let is_thrown = "cd /root/.local/share/Trash && [ \"$(cat files/plan*)\" = kept ] && grep -q '^Path=/root/letters/plan' info/plan*.trashinfo";
    until(machine, is_thrown, || Ok(input::key(machine.dir(), "delete")?))?;
    check::succeeds(&machine.sh("[ $(cat /root/letters/plan.txt) = kept ]", SHORT)?)?;
    input::key(machine.dir(), "ctrl-z")?;
    wait::for_text(machine, "cat '/root/letters/plan (2).txt'; ls /root/.local/share/Trash/files | wc -l", "kept\n0", LONG).map(drop)
}
