//! Driver of PS/2 keyboards and mice. Its events go to `inputd`.

mod controller;
mod devices;
mod lamps;
mod scancode;

use anyhow::Context;
use clap::Parser;
use controller::{Controller, ControllerError, Found, Side};
use devices::{Keyboard, Mouse};
use driver::irq::Irq;
use driver::port::DevPort;
use input_event::code::EV_LED;
use input_event::producer::{Change, Producer};
use lamps::Lamps;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::os::fd::AsFd;
use std::time::Duration;

/// The interrupts of the two ports.
const KEYBOARD_LINE: u8 = 1;
const MOUSE_LINE: u8 = 12;
/// How often inputd is looked for while it is not there.
const RETRY: Timespec = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };

/// Drives the i8042 and gives the events of its keyboard and mouse to inputd.
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
    let mut lamps = Lamps::default();
    let mut names = Vec::new();
    let mut irqs = Vec::new();
    let mut keyboard_out = found.keyboard.then(|| Producer::new(&devices::describe_keyboard(found.is_translated)));
    let mut mouse_out = found.mouse.map(|bytes| Producer::new(&devices::describe_mouse(bytes)));
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
    loop {
        let mut is_connected = true;
        for out in [&mut keyboard_out, &mut mouse_out].into_iter().flatten() {
            out.connect();
            is_connected &= out.is_connected();
        }
        let mut fds: Vec<PollFd<'_>> = irqs.iter().map(|irq| PollFd::from_borrowed_fd(irq.as_fd(), PollFlags::IN)).collect();
        let outs = [&keyboard_out, &mouse_out].into_iter().flatten();
        fds.extend(outs.filter_map(|out| out.fd()).map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
        match poll(&mut fds, if is_connected { None } else { Some(&RETRY) }) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(errno).context("waiting for interrupts"),
        }
        let fired: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        for (irq, _) in irqs.iter().zip(fired).filter(|(_, fired)| *fired) {
            irq.acknowledge()?;
        }
        // Both ports share one output buffer, so whichever interrupt came, take all there is.
        while let Some((side, byte)) = controller.next()? {
            match side {
                Side::First => keyboard_out.iter_mut().for_each(|out| out.send(&keyboard.feed(byte))),
                Side::Second => mouse_out.iter_mut().for_each(|out| out.send(&mouse.feed(byte))),
            }
        }
        let changes: Vec<Change> = keyboard_out.iter_mut().flat_map(Producer::receive).collect();
        for (kind, code, value) in changes {
            if kind == EV_LED {
                lamps.set(code, value != 0);
                controller.set_lamps(lamps.bits())?;
            }
        }
        mouse_out.iter_mut().for_each(|out| drop(out.receive()));
    }
}
