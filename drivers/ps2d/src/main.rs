//! Driver of PS/2 keyboards and mice: serves `/scheme/input`.

mod controller;
mod devices;
mod input;
mod scancode;

use anyhow::Context;
use clap::Parser;
use controller::{Controller, ControllerError, Found, Side};
use devices::{Keyboard, Mouse};
use driver::irq::Irq;
use driver::port::DevPort;
use driver::retry::while_busy;
use input::Input;
use scheme::{SchemeFlags, SchemeSocket, Server};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

/// The interrupts of the two ports.
const KEYBOARD_LINE: u8 = 1;
const MOUSE_LINE: u8 = 12;

/// Drives the i8042 and serves /scheme/input/keyboard and /scheme/input/mouse as streams of Linux input events.
#[derive(Parser)]
#[command(version)]
struct Arguments {}

fn main() -> anyhow::Result<()> {
    Arguments::parse();
    kernel_log::init("ps2d");
    let result = run();
    if let Err(error) = &result {
        tracing::error!("{error:#}");
    }
    result
}

fn run() -> anyhow::Result<()> {
    let ports = DevPort::open().context("opening /dev/port")?;
    let mut controller = Controller::new(ports, Duration::from_millis(800));
    let found = match controller.start() {
        Ok(found) => found,
        // Nothing to drive is no reason to fail: readers learn that there are no devices.
        Err(error @ (ControllerError::Absent | ControllerError::Silent(_))) => {
            tracing::warn!("{error}: no PS/2 devices");
            Found {
                keyboard: false,
                is_translated: true,
                mouse: None,
            }
        }
        Err(error) => return Err(error.into()),
    };
    let mut keyboard = Keyboard::new(!found.is_translated);
    let mut mouse = Mouse::new(found.mouse.unwrap_or(3));
    let mut names = Vec::new();
    let mut irqs = Vec::new();
    if found.keyboard {
        names.push("keyboard");
        irqs.push(Irq::isa(KEYBOARD_LINE).context("getting the keyboard's interrupt")?);
    }
    if found.mouse.is_some() {
        names.push("mouse");
        irqs.push(Irq::isa(MOUSE_LINE).context("getting the mouse's interrupt")?);
    }
    // A byte that came before the interrupts were ours would block the next one: there is no new edge while it waits.
    while controller.next()?.is_some() {}
    tracing::info!(
        "found: {}",
        if names.is_empty() {
            "nothing".to_owned()
        } else {
            names.join(", ")
        }
    );

    let socket = while_busy(Duration::from_secs(5), || {
        SchemeSocket::create("input", SchemeFlags::NONE)
    })
    .context("creating /scheme/input")?;
    let fds: Vec<BorrowedFd<'_>> = irqs.iter().map(|irq| irq.as_fd()).collect();
    let mut input = Input::new(names);
    Server::new(socket)?.run_with(&mut input, &fds, |input, out, index| {
        irqs[index].acknowledge()?;
        // Both ports share one output buffer, so whichever interrupt came, take all there is.
        while let Some((side, byte)) = controller.next()? {
            match side {
                Side::First => input.report("keyboard", &keyboard.feed(byte), out),
                Side::Second => input.report("mouse", &mouse.feed(byte), out),
            }
        }
        Ok(())
    })?;
    Ok(())
}
