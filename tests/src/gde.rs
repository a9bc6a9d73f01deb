//! The desktop: it starts, the launcher and a key open terminals, which take what is typed; windows follow keys and commands; the text console
//! comes and goes; the desktop comes back when it dies.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use exec_protocol::Outcome;
use vm::input;
use vm::machine::{Boot, Network};
use vm::screen::Picture;

use crate::lab::{Lab, Machine, System};
use crate::{Test, check, gde_files, gde_monitor, gde_session, gde_settings, gde_store, server, wait};

pub(crate) const SHORT: Duration = Duration::from_secs(60);
pub(crate) const LONG: Duration = Duration::from_secs(180);

pub fn tests() -> Vec<Test> {
    vec![Test::new("gde/desktop", desktop), Test::new("gde/idle", idle), Test::new("gde/store", gde_store::store), Test::new("gde/session", gde_session::session)]
}

/// What gdectl says of all windows, once it is as it should be.
pub(crate) fn poll_windows(machine: &Machine, what: &str, is_it: impl Fn(&[serde_json::Value]) -> bool) -> Result<Vec<serde_json::Value>> {
    let start = Instant::now();
    loop {
        let output = machine.sh("gdectl windows --json", SHORT)?;
        let windows: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap_or_default();
        if output.outcome == exec_protocol::Outcome::Code(0) && is_it(&windows) {
            return Ok(windows);
        }
        if start.elapsed() > LONG {
            bail!("no {what}: {} {}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        }
        thread::sleep(Duration::from_millis(300));
    }
}

/// Takes pictures until one is as it should be, and keeps that.
pub(crate) fn wait_for_picture(machine: &Machine, what: &str, is_it: impl Fn(&Picture) -> bool) -> Result<()> {
    let picture = wait::for_picture(machine, what, LONG, is_it)?;
    Ok(picture.save(&machine.dir().file(&format!("{}.png", what.replace(' ', "-"))))?)
}

/// The wallpaper's lower corners: violet on the left, rose on the right.
fn has_wallpaper(picture: &Picture) -> bool {
    let (left, right) = (picture.pixel(4, picture.height - 4), picture.pixel(picture.width - 4, picture.height - 4));
    left[2] > left[1] && right[0] > right[1] && right[0] > left[0] && picture.colours() > 2000
}

/// The background of foot.
const FOOT: [u8; 3] = [0x14, 0x16, 0x1b];
/// The background of our own terminal.
const TERMINAL: [u8; 3] = [0x16, 0x18, 0x1d];
/// What the desktop may use when nothing runs but itself, in MiB, and how long after its start that is looked at.
const IDLE_MIB: u64 = 256;
const SETTLED: Duration = Duration::from_secs(15);
/// The ground of the launcher.
const BOX: [u8; 3] = [0x1f, 0x22, 0x29];

/// A machine that shows the desktop.
pub(crate) fn start(lab: &Lab, name: &str, network: Option<Network>) -> Result<Machine> {
    let mut description = lab.describe(System::Genai)?;
    description.network = network;
    if let Boot::Kernel { command_line, .. } = &mut description.boot {
        *command_line = "target=desktop debug-exit".into();
    }
    let machine = lab.boot(name, &description)?;
    wait_for_picture(&machine, "the desktop", has_wallpaper)?;
    Ok(machine)
}

/// Starts a program by the launcher.
pub(crate) fn launch(machine: &Machine, name: &str) -> Result<()> {
    input::key(machine.dir(), "super")?;
    wait_for_picture(machine, "the launcher", |picture| picture.pixel(picture.width / 2 + 200, picture.height / 5 + 8) == BOX)?;
    Ok(input::type_text(machine.dir(), &format!("{name}\n"))?)
}

/// What the desktop takes when nobody does anything.
fn idle(lab: &Lab) -> Result<()> {
    let machine = start(lab, "gde-idle", None)?;
    wait::for_text(&machine, "gci status", "desktop.target: reached", LONG).context("the end of the start")?;
    thread::sleep(SETTLED);
    let output = machine.sh("cat /proc/meminfo; gci blame >&2; gci critical-chain >&2", SHORT)?;
    check::succeeds(&output)?;
    let used = server::used_mib(&String::from_utf8_lossy(&output.stdout))?;
    eprintln!("{used} MiB in use\n{}", String::from_utf8_lossy(&output.stderr));
    ensure!(used < IDLE_MIB, "{used} MiB are in use");
    Ok(())
}

fn desktop(lab: &Lab) -> Result<()> {
    let machine = start(lab, "gde-desktop", None)?;
    wait::for_text(&machine, "gdectl outputs", "1280x800", LONG)?;
    launches(&machine).context("the launcher")?;
    takes_text(&machine).context("the terminal")?;
    arranges(&machine).context("windows by keys and commands")?;
    switches(&machine).context("switching windows")?;
    gde_files::files(&machine).context("Files")?;
    gde_monitor::monitor(&machine).context("the Monitor")?;
    gde_settings::settings(&machine).context("Settings")?;
    changes_terminals(&machine).context("virtual terminals")?;
    restarts(&machine).context("its death")
}

/// Super opens the launcher; a name and Enter start a program.
fn launches(machine: &Machine) -> Result<()> {
    launch(machine, "foot")?;
    poll_windows(machine, "terminal from the launcher", |windows| windows.len() == 1 && windows[0]["is_focused"] == true).map(drop)
}

/// Types a line until what it does is seen: the shell may not read yet.
fn types(machine: &Machine, line: &str, file: &str, wanted: &str) -> Result<()> {
    let start = Instant::now();
    loop {
        input::type_text(machine.dir(), &format!("\n{line} > {file}\n"))?;
        thread::sleep(Duration::from_secs(1));
        if machine.sh(&format!("cat {file}"), SHORT)?.stdout == wanted.as_bytes() {
            return Ok(());
        }
        ensure!(start.elapsed() < LONG, "what is typed does not reach the shell");
    }
}

/// What is typed reaches the terminal's shell and is drawn.
fn takes_text(machine: &Machine) -> Result<()> {
    types(machine, "echo typed", "/root/typed", "typed\n")?;
    wait_for_picture(machine, "a terminal", |picture| picture.pixel(picture.width / 2, picture.height / 2 + 200) == FOOT && has_wallpaper(picture))
}

fn arranges(machine: &Machine) -> Result<()> {
    input::key(machine.dir(), "super-t")?;
    poll_windows(machine, "second terminal", |windows| windows.iter().any(|it| it["app_id"] == "org.genai.Terminal" && it["is_focused"] == true))?;
    types(machine, "echo hello | tr a-z A-Z", "/root/upper", "HELLO\n").context("our own terminal")?;
    Picture::of(machine.dir())?.save(&machine.dir().file("own-terminal.png"))?;
    input::key(machine.dir(), "super-left")?;
    poll_windows(machine, "window on the left", |windows| windows.iter().any(|it| it["is_focused"] == true && it["part"] == "left"))?;
    wait_for_picture(machine, "a snapped terminal", |picture| {
        let bottom = picture.height - 3;
        picture.pixel(3, bottom) == TERMINAL && picture.pixel(picture.width / 2 - 3, bottom) == TERMINAL && picture.pixel(picture.width / 2 + 3, bottom) != TERMINAL
    })?;
    check::succeeds(&machine.sh("gdectl action put top-right", SHORT)?)?;
    wait_for_picture(machine, "a terminal in a corner", |picture| {
        picture.pixel(picture.width - 3, picture.height / 2 - 3) == TERMINAL && picture.pixel(3, picture.height - 3) != TERMINAL
    })?;
    input::key(machine.dir(), "super-z")?;
    input::key(machine.dir(), "super-z")?;
    poll_windows(machine, "window as it was", |windows| windows.iter().all(|it| it["part"] == "free"))?;
    let bad = machine.sh("gdectl action fly", SHORT)?;
    ensure!(String::from_utf8_lossy(&bad.stderr).contains("Examples"), "no help with a wrong action");
    // The picture that the compositor makes of itself has the size of the screen.
    check::succeeds(&machine.sh("gdectl screenshot /tmp/shot.png && [ $(stat -c %s /tmp/shot.png) -gt 10000 ]", SHORT)?)
}

/// Alt+Tab goes to the other window, the overview shows both, Super+Q closes.
fn switches(machine: &Machine) -> Result<()> {
    let focused_is = |number: u64| move |windows: &[serde_json::Value]| windows.iter().any(|it| it["is_focused"] == true && it["id"] == number);
    poll_windows(machine, "focus on the second", focused_is(2))?;
    input::key(machine.dir(), "alt-tab")?;
    poll_windows(machine, "focus on the first", focused_is(1))?;
    input::key(machine.dir(), "super-tab")?;
    // The field to search in, and the wallpaper darkened.
    wait_for_picture(machine, "the overview", |picture| picture.pixel(picture.width / 2 + 150, 50) == BOX && picture.pixel(picture.width - 4, picture.height - 4)[0] < 0x60)?;
    input::key(machine.dir(), "esc")?;
    input::key(machine.dir(), "super-q")?;
    poll_windows(machine, "closed window", |windows| windows.len() == 1)?;
    input::key(machine.dir(), "super-q")?;
    poll_windows(machine, "empty desktop", <[_]>::is_empty)?;
    wait_for_picture(machine, "the empty desktop", has_wallpaper)
}

/// Ctrl+Alt+F1 shows the text console, which takes the keys; and back.
fn changes_terminals(machine: &Machine) -> Result<()> {
    input::key(machine.dir(), "ctrl-alt-f1")?;
    wait_for_picture(machine, "the text console", |picture| (2..64).contains(&picture.colours()))?;
    input::type_text(machine.dir(), "echo console > /root/typed\n")?;
    wait::for_text(machine, "cat /root/typed", "console", LONG)?;
    input::key(machine.dir(), "ctrl-alt-f2")?;
    wait_for_picture(machine, "the desktop again", has_wallpaper)
}

/// Killed it is started again, on the terminal that it had, and draws and takes keys.
fn restarts(machine: &Machine) -> Result<()> {
    let before = machine.sh("pidof gde", SHORT)?.stdout;
    check::succeeds(&machine.sh("kill -9 $(pidof gde)", SHORT)?)?;
    let start = Instant::now();
    loop {
        let now = machine.sh("gdectl outputs > /dev/null && pidof gde", SHORT)?.stdout;
        if !now.is_empty() && now != before {
            break;
        }
        ensure!(start.elapsed() < LONG, "it is not started again");
        thread::sleep(Duration::from_millis(300));
    }
    input::key(machine.dir(), "ctrl-alt-f1")?;
    wait_for_picture(machine, "the text console of old", |picture| (2..64).contains(&picture.colours()))?;
    input::key(machine.dir(), "ctrl-alt-f2")?;
    wait_for_picture(machine, "the new desktop", has_wallpaper)?;
    input::key(machine.dir(), "super")?;
    wait_for_picture(machine, "the new launcher", |picture| picture.pixel(picture.width / 2 + 200, picture.height / 5 + 8) == BOX)
}

/// Presses keys until the system is so: the window may not take them yet.
pub(crate) fn until(machine: &Machine, is_so: &str, press: impl Fn() -> Result<()>) -> Result<()> {
    let start = Instant::now();
    while machine.sh(is_so, SHORT)?.outcome != Outcome::Code(0) {
        ensure!(start.elapsed() < LONG, "never so: {is_so}");
        press()?;
        let pressed = Instant::now();
        while pressed.elapsed() < Duration::from_secs(6) && machine.sh(is_so, SHORT)?.outcome != Outcome::Code(0) {
            thread::sleep(Duration::from_millis(300));
        }
    }
    Ok(())
}
