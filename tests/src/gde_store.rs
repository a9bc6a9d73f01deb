//! The Store on the desktop: a program is looked for, installed and started by keys alone.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use vm::input;
use vm::screen::Picture;

use crate::gde::{self, LONG, SHORT};
use crate::lab::{Lab, Machine};
use crate::{check, wait};

/// The strip at the Store's left side.
const SIDEBAR: [u8; 3] = [0x1c, 0x1e, 0x23];

pub fn store(lab: &Lab) -> Result<()> {
    let machine = gde::start(lab, "gde-store", None)?;
    check::succeeds(&machine.sh(include_str!("../gde-store.sh"), LONG)?)?;
    let opened = opens(&machine).context("it opens")?;
    let typed = finds(&machine).context("it finds")?;
    installs(&machine).context("it installs")?;
    starts(&machine).context("what it has installed")?;
    let times = format!("opened in {} ms, a key's frame came after {} ms\n", opened.as_millis(), typed.as_millis());
    Ok(std::fs::write(machine.dir().file("times.txt"), times)?)
}

/// Where the sidebar is, once the launcher has opened the Store; and how long that took.
fn opens(machine: &Machine) -> Result<Duration> {
    gde::launch(machine, "store")?;
    let start = Instant::now();
    let windows = gde::poll_windows(machine, "window of the Store", |all| all.iter().any(|it| it["app_id"] == "org.genai.Store" && it["is_focused"] == true))?;
    let at = |name: &str| windows[0][name].as_u64().unwrap_or_default() as u32;
    let (x, y) = (at("x") + 4, at("y") + at("height") - 4);
    gde::wait_for_picture(machine, "the store", |picture| picture.pixel(x, y) == SIDEBAR)?;
    Ok(start.elapsed())
}

/// A word's beginning brings the entry, and Enter shows it. How long a key takes to be seen.
fn finds(machine: &Machine) -> Result<Duration> {
    // The catalogue is there: its line below is gone, and nothing moves any more.
    let mut before = Picture::of(machine.dir())?;
    loop {
        thread::sleep(Duration::from_secs(2));
        let now = Picture::of(machine.dir())?;
        if now == before {
            break;
        }
        before = now;
    }
    let start = Instant::now();
    input::tap(machine.dir(), "p")?;
    while Picture::of(machine.dir())? == before {
        ensure!(start.elapsed() < LONG, "nothing is seen of what is typed");
    }
    let taken = start.elapsed();
    input::type_text(machine.dir(), "olite")?;
    let is_shown = |all: &[serde_json::Value]| all.iter().any(|it| it["title"] == "Greeter - Store");
    let limit = Instant::now() + LONG;
    // While the catalogue is read there is nothing that Enter could show.
    while gde::poll_windows(machine, "entry that was found", |all| !all.is_empty()).map(|all| !is_shown(&all))? {
        ensure!(Instant::now() < limit, "what is typed finds nothing");
        input::key(machine.dir(), "enter")?;
        thread::sleep(Duration::from_secs(1));
    }
    Picture::of(machine.dir())?.save(&machine.dir().file("store-entry.png"))?;
    Ok(taken)
}

/// Enter wants it, Enter agrees, and it is there as gpm sees it.
fn installs(machine: &Machine) -> Result<()> {
    let limit = Instant::now() + LONG;
    loop {
        input::key(machine.dir(), "enter")?;
        thread::sleep(Duration::from_secs(1));
        if machine.sh("gpm list", SHORT)?.stdout.split(|byte| *byte == b'\n').any(|line| line.starts_with(b"greeter ")) {
            break;
        }
        ensure!(Instant::now() < limit, "it is not installed");
    }
    check::succeeds(&machine.sh("gpm verify greeter && [ -x /usr/bin/greeter ] && gpm history | grep 'Store: Install greeter'", SHORT)?)?;
    Ok(Picture::of(machine.dir())?.save(&machine.dir().file("store-installed.png"))?)
}

/// The launcher starts it.
fn starts(machine: &Machine) -> Result<()> {
    gde::launch(machine, "greeter")?;
    wait::for_text(machine, "cat /root/greeted", "good day", LONG)?;
    input::key(machine.dir(), "super-q")?;
    gde::poll_windows(machine, "closed window", <[_]>::is_empty).map(drop)
}
