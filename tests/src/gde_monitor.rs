//! The Monitor on the desktop: a process is found by its name and ended, by keys alone.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use exec_protocol::Outcome;
use vm::input;
use vm::screen::Picture;

use crate::check;
use crate::gde::{self, LONG, SHORT};
use crate::lab::Machine;

/// The strip at the left side.
const SIDEBAR: [u8; 3] = [0x1c, 0x1e, 0x23];

/// On a machine that shows an empty desktop, which it leaves so.
pub(crate) fn monitor(machine: &Machine) -> Result<()> {
    gde::launch(machine, "monitor")?;
    let is_there = |all: &[serde_json::Value]| all.iter().any(|it| it["app_id"] == "org.genai.Monitor" && it["is_focused"] == true);
    let windows = gde::poll_windows(machine, "window of the Monitor", is_there)?;
    let at = |name: &str| windows[0][name].as_u64().unwrap_or_default() as u32;
    let (x, y) = (at("x") + 4, at("y") + at("height") - 4);
    gde::wait_for_picture(machine, "monitor", |picture| picture.pixel(x, y) == SIDEBAR)?;
    ends_a_process(machine).context("ending a process")?;
    input::key(machine.dir(), "ctrl-3")?;
    gde::wait_for_picture(machine, "monitor services", has_green)?;
    input::key(machine.dir(), "super-q")?;
    gde::poll_windows(machine, "closed window", <[_]>::is_empty).map(drop)
}

/// States of services that run are green, and nothing else is.
fn has_green(picture: &Picture) -> bool {
    let is_green = |(x, y)| matches!(picture.pixel(x, y), [r, g, _] if g > 120 && g > r.saturating_add(60));
    let (columns, rows) = (picture.width / 4..picture.width * 3 / 4, picture.height / 5..picture.height * 4 / 5);
    rows.flat_map(|y| columns.clone().map(move |x| (x, y))).filter(|at| is_green(*at)).count() > 30
}

/// Its number finds it; Delete and Enter end it, after a question.
fn ends_a_process(machine: &Machine) -> Result<()> {
    let pid = machine.sh("sleep 98765 > /dev/null 2>&1 & echo $!", SHORT)?;
    let pid = String::from_utf8_lossy(&pid.stdout).trim().to_owned();
    check::succeeds(&machine.sh(&format!("kill -0 {pid}"), SHORT)?)?;
    let start = Instant::now();
    // Keys that come before it is seen do nothing, or end what has this number only.
    while machine.sh(&format!("kill -0 {pid}"), SHORT)?.outcome == Outcome::Code(0) {
        ensure!(start.elapsed() < LONG, "process {pid} is still there");
        ["esc", "esc"].iter().try_for_each(|key| input::key(machine.dir(), key))?;
        input::type_text(machine.dir(), &pid)?;
        thread::sleep(Duration::from_secs(3));
        // The field lets go of arrows and Delete only by being left.
        ["down", "delete", "enter"].iter().try_for_each(|key| input::key(machine.dir(), key))?;
        thread::sleep(Duration::from_secs(2));
    }
    Ok(())
}
