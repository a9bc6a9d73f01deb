//! The session's D-Bus, as programs of other desktops use it: notices, light or dark, and a desktop that does without.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use vm::input;
use vm::screen::Picture;
use vm::transfer;

use crate::gde::{LONG, SHORT, until, wait_for_picture};
use crate::lab::{Lab, Linkage, Machine};
use crate::{check, wait};

const BUS: &str = "export DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/0/bus;";
const SEND: &str = "dbus-send --session --print-reply";
const NOTIFICATIONS: &str = "--dest=org.freedesktop.Notifications /org/freedesktop/Notifications org.freedesktop.Notifications";
const SETTINGS: &str = "--dest=org.freedesktop.portal.Desktop /org/freedesktop/portal/desktop org.freedesktop.portal.Settings";
/// A program of another desktop.
const PEER: &str = "/tmp/bus-peer";
/// Its notices' picture.
const GREEN: [u8; 3] = [0x20, 0xc0, 0x40];
const FILE: &str = "/root/.config/genai/desktop.toml";

/// On a machine that shows an empty desktop, which it leaves so.
pub(crate) fn bus(lab: &Lab, machine: &Machine) -> Result<()> {
    transfer::put(machine.exec(), lab.images.program("bus-peer", Linkage::Static)?, PEER)?;
    // Nobody has asked for it.
    has_name(machine, "org.freedesktop.Notifications")?;
    check::succeeds(&machine.sh("gdectl action run 'env > /root/environment'", SHORT)?)?;
    wait::for_text(machine, "cat /root/environment", "DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/0/bus\n", LONG)?;
    check::succeeds(&machine.sh(&format!("{BUS} dbus-monitor --session type=signal > /root/signals 2>&1 < /dev/null & echo $! > /root/monitor.pid"), SHORT)?)?;
    wait::for_text(machine, "cat /root/signals", "NameAcquired", LONG)?;
    shows_notices(machine).context("notices of programs")?;
    tells_settings(machine).context("settings for programs")?;
    shows_programs(machine).context("programs in the panel")?;
    check::succeeds(&machine.sh("kill $(cat /root/monitor.pid); rm /root/signals /root/monitor.pid /root/environment", SHORT)?)?;
    outlives_the_compositor(machine).context("a compositor that dies")?;
    does_without(machine).context("a bus that dies")
}

fn has_name(machine: &Machine, name: &str) -> Result<()> {
    let script = format!("{BUS} {SEND} --dest=org.freedesktop.DBus / org.freedesktop.DBus.NameHasOwner string:{name}");
    wait::for_text(machine, &script, "boolean true", LONG).map(drop)
}

/// A program's notice with a picture; its number.
fn notify(machine: &Machine, replaces: u32, title: &str, actions: &str) -> Result<u32> {
    let output = machine.sh(&format!("{BUS} {PEER} notify {replaces} '{title}' {actions}"), SHORT)?;
    check::succeeds(&output)?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    said.trim().parse().with_context(|| format!("no number: {said}"))
}

fn until_notices(machine: &Machine, wanted: &str) -> Result<()> {
    until(machine, &format!("[ \"$(gdectl notices)\" = '{wanted}' ]"), || Ok(()))
}

/// They are seen, replaced, clicked on and taken away, and their program hears of it.
fn shows_notices(machine: &Machine) -> Result<()> {
    let id = notify(machine, 0, "A mail", "default Open later Later")?;
    until_notices(machine, "A mail")?;
    // At its left side, as high as the words.
    wait_for_picture(machine, "a program's notice", |picture| picture.pixel(picture.width - 10 - 360 + 14 + 24, 30 + 10 + 14 + 24) == GREEN)?;
    ensure!(notify(machine, id, "Two mails", "default Open")? == id, "another number");
    until_notices(machine, "Two mails")?;
    let width = Picture::of(machine.dir())?.width as u32;
    until(machine, "grep -q ActionInvoked /root/signals", || Ok(input::click(machine.dir(), width - 200, 70, input::Button::Left)?))?;
    wait::for_text(machine, "grep -A2 ActionInvoked /root/signals", "string \"default\"", LONG)?;
    wait::for_text(machine, "grep -A2 NotificationClosed /root/signals", &format!("uint32 {id}\n   uint32 2"), LONG)?;
    let id = notify(machine, 0, "Taken back", "")?;
    until_notices(machine, "Taken back")?;
    check::succeeds(&machine.sh(&format!("{BUS} {SEND} {NOTIFICATIONS}.CloseNotification uint32:{id}"), SHORT)?)?;
    until_notices(machine, "")?;
    wait::for_text(machine, "grep -A2 NotificationClosed /root/signals", &format!("uint32 {id}\n   uint32 3"), LONG).map(drop)
}

/// A program is a picture in the panel until it ends, and hears of clicks on it.
fn shows_programs(machine: &Machine) -> Result<()> {
    check::succeeds(&machine.sh(&format!("{BUS} {PEER} tray Chat > /root/clicks 2>&1 < /dev/null & echo $! > /root/peer.pid"), SHORT)?)?;
    wait::for_text(machine, "gdectl tray", "Chat", LONG)?;
    let column = |picture: &Picture| (0..picture.width).filter(|x| picture.pixel(*x, 15) == GREEN).nth(10);
    wait_for_picture(machine, "a program in the panel", |picture| column(picture).is_some())?;
    let x = column(&Picture::of(machine.dir())?).context("it has gone")?;
    until(machine, "grep -q clicked /root/clicks", || Ok(input::click(machine.dir(), x, 15, input::Button::Left)?))?;
    check::succeeds(&machine.sh("kill $(cat /root/peer.pid); rm /root/peer.pid /root/clicks", SHORT)?)?;
    until(machine, "[ -z \"$(gdectl tray)\" ]", || Ok(()))?;
    wait_for_picture(machine, "an empty panel", |picture| column(picture).is_none())
}

/// A change of the desktop's settings reaches programs.
fn tells_settings(machine: &Machine) -> Result<()> {
    let read = format!("{BUS} {SEND} {SETTINGS}.ReadOne string:org.freedesktop.appearance string:color-scheme");
    wait::for_text(machine, &read, "uint32 1", LONG)?;
    check::succeeds(&machine.sh(&format!("mkdir -p $(dirname {FILE}) && printf '[appearance]\\nscheme = \"light\"\\n' > {FILE}"), SHORT)?)?;
    wait::for_text(machine, "grep -A3 SettingChanged /root/signals", "string \"color-scheme\"\n   variant       uint32 2", LONG)?;
    wait::for_text(machine, &read, "uint32 2", LONG)?;
    check::succeeds(&machine.sh(&format!("rm {FILE}"), SHORT)?)?;
    wait::for_text(machine, &read, "uint32 1", LONG).map(drop)
}

/// The next compositor shows notices, too.
fn outlives_the_compositor(machine: &Machine) -> Result<()> {
    notify(machine, 0, "Before", "")?;
    let before = machine.sh("pidof gde && kill -9 $(pidof gde)", SHORT)?.stdout;
    let start = Instant::now();
    // An emulated machine may take longer for a start than a program waits for its notice.
    while notify(machine, 0, "After", "").is_err() {
        ensure!(start.elapsed() < LONG, "the next compositor gets no notices");
        thread::sleep(Duration::from_millis(300));
    }
    until(machine, "gdectl notices | grep -q After", || Ok(()))?;
    ensure!(machine.sh("pidof gde", SHORT)?.stdout != before, "it has not died");
    until(machine, "[ -z \"$(gdectl notices)\" ]", || {
        // On its terminal, whichever was shown when it died.
        input::key(machine.dir(), "ctrl-alt-f2")?;
        Ok(input::key(machine.dir(), "super-n")?)
    })
}

/// Killed it comes back; without it programs start as ever.
fn does_without(machine: &Machine) -> Result<()> {
    check::succeeds(&machine.sh("kill -9 $(pidof dbus-daemon)", SHORT)?)?;
    has_name(machine, "org.freedesktop.portal.Desktop")?;
    notify(machine, 0, "On another bus", "")?;
    until_notices(machine, "On another bus")?;
    check::succeeds(&machine.sh("gci stop session-bus", SHORT)?)?;
    until(machine, "! pidof dbus-daemon desktopd", || Ok(()))?;
    check::succeeds(&machine.sh("gdectl action run 'echo there > /root/there'", SHORT)?)?;
    wait::for_text(machine, "cat /root/there", "there", LONG)?;
    let start = Instant::now();
    let said = machine.sh(&format!("{BUS} {SEND} {NOTIFICATIONS}.GetCapabilities; rm /root/there"), SHORT)?;
    ensure!(said.stdout.is_empty() && start.elapsed() < Duration::from_secs(20), "a program waits for a bus that is not there");
    input::key(machine.dir(), "super-n")?;
    until_notices(machine, "")?;
    check::succeeds(&machine.sh("gci start desktopd", SHORT)?)?;
    has_name(machine, "org.freedesktop.Notifications")
}
