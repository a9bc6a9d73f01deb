//! Settings on the desktop, by keys alone: another look, which holds at once everywhere; another layout of the keyboard; somebody who may log in; and another size
//! of the screen.

use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use vm::input;
use vm::screen::Picture;

use crate::gde::{self, LONG, SHORT, until};
use crate::lab::Machine;
use crate::{check, wait};

/// The strip at the left side.
const SIDEBAR: [u8; 3] = [0x1c, 0x1e, 0x23];

/// Where the settings of the desktop are.
const FILE: &str = "/root/.config/genai/desktop.toml";

/// On a machine that shows an empty desktop, which it leaves so.
pub(crate) fn settings(machine: &Machine) -> Result<()> {
    gde::launch(machine, "settings")?;
    let is_there = |all: &[serde_json::Value]| all.iter().any(|it| it["app_id"] == "org.genai.Settings" && it["is_focused"] == true);
    let windows = gde::poll_windows(machine, "window of Settings", is_there)?;
    let at = |name: &str| windows[0][name].as_u64().unwrap_or_default() as u32;
    let (x, y, title) = (at("x") + 4, at("y") + at("height") - 4, at("y") + 6);
    gde::wait_for_picture(machine, "settings", |picture| picture.pixel(x, y) == SIDEBAR)?;
    looks(machine, (x, y), (at("x") + at("width") / 3, title)).context("another look")?;
    changes_the_layout(machine).context("another layout of the keyboard")?;
    adds_somebody(machine).context("somebody new")?;
    input::key(machine.dir(), "super-q")?;
    gde::poll_windows(machine, "closed window", <[_]>::is_empty)?;
    changes_the_size(machine).context("another size of the screen")
}

fn keys(machine: &Machine, keys: &[&str]) -> Result<()> {
    keys.iter().try_for_each(|key| Ok(input::key(machine.dir(), key)?))
}

/// The first row's arrow makes this window and its title bar light, and back.
fn looks(machine: &Machine, sidebar: (u32, u32), title: (u32, u32)) -> Result<()> {
    let is_light = |picture: &Picture| [sidebar, title].iter().all(|at| picture.pixel(at.0, at.1).iter().all(|it| *it > 0xe0));
    until(machine, &format!("grep -q 'scheme = \"light\"' {FILE}"), || keys(machine, &["esc", "down", "right"]))?;
    gde::wait_for_picture(machine, "light settings", is_light)?;
    until(machine, &format!("grep -q 'scheme = \"dark\"' {FILE}"), || keys(machine, &["esc", "down", "left"]))?;
    gde::wait_for_picture(machine, "dark settings", |picture| picture.pixel(sidebar.0, sidebar.1) == SIDEBAR)
}

/// A layout is looked for and taken, and the next key is of that layout.
fn changes_the_layout(machine: &Machine) -> Result<()> {
    // The machine's layout, Caps Lock, the field to try it in, the one that looks.
    until(machine, &format!("grep -q 'layout = \"fr\"' {FILE}"), || {
        keys(machine, &["esc", "ctrl-1", "ctrl-3", "down", "down", "down", "down"])?;
        thread::sleep(Duration::from_secs(2));
        keys(machine, &["ctrl-a"])?;
        input::type_text(machine.dir(), "french")?;
        thread::sleep(Duration::from_secs(2));
        keys(machine, &["down", "enter"])
    })?;
    Picture::of(machine.dir())?.save(&machine.dir().file("settings-keyboard.png"))?;
    // The keys are an American keyboard's: what is Q and Z there is A and W now.
    gde::launch(machine, "touch qzqz")?;
    wait::for_text(machine, "ls / /root", "awaw", LONG)?;
    check::succeeds(&machine.sh(&format!("sed -i '/keyboard/,/layout/d' {FILE} && ! grep layout {FILE}"), SHORT)?)
}

/// Name, full name and password twice, and Enter; they can log in with that.
fn adds_somebody(machine: &Machine) -> Result<()> {
    until(machine, "id ann && grep -q '^ann:[$]' /etc/shadow", || {
        keys(machine, &["esc", "esc", "ctrl-1", "ctrl-5"])?;
        thread::sleep(Duration::from_secs(2));
        keys(machine, &["down", "down"])?;
        for words in ["ann", "Ann Smith", "secret7", "secret7"] {
            thread::sleep(Duration::from_millis(500));
            keys(machine, &["ctrl-a"])?;
            input::type_text(machine.dir(), words)?;
            thread::sleep(Duration::from_secs(1));
            keys(machine, &["down"])?;
        }
        // The last row adds them.
        keys(machine, &["enter"])
    })?;
    Picture::of(machine.dir())?.save(&machine.dir().file("settings-users.png"))?;
    check::succeeds(&machine.sh("grep '^ann:.*:Ann Smith:/home/ann:/bin/bash' /etc/passwd && [ -d /home/ann ] && userdel -r ann", SHORT)?)
}

/// The screen shows other sizes that it has, and says no to one that it has not.
fn changes_the_size(machine: &Machine) -> Result<()> {
    let outputs = machine.sh("gdectl outputs --json", SHORT)?;
    let outputs: Vec<serde_json::Value> = serde_json::from_slice(&outputs.stdout)?;
    let name = outputs[0]["name"].as_str().context("a name")?;
    let modes = outputs[0]["modes"].as_array().context("modes")?;
    let size = |it: &serde_json::Value| (it["width"].as_u64().unwrap_or_default() as u32, it["height"].as_u64().unwrap_or_default() as u32);
    let other = modes.iter().rev().map(size).find(|it| *it != (1280, 800) && it.0 >= 800).context("another size")?;
    check::succeeds(&machine.sh(&format!("gdectl mode {name} {}x{}", other.0, other.1), SHORT)?)?;
    gde::wait_for_picture(machine, "another size", |picture| (picture.width, picture.height) == other)?;
    check::succeeds(&machine.sh(&format!("! gdectl mode {name} 33x33 && gdectl mode {name} 1280x800"), SHORT)?)?;
    gde::wait_for_picture(machine, "the size of before", |picture| (picture.width, picture.height) == (1280, 800))
}
