//! The text console: terminals on the display, whose programs run on `/dev/tty1` and so on.
//!
//! [`session`] is the loop, and follows the kernel's virtual terminals. [`console`] emulates a terminal and draws it by [`renderer`] on a [`surface`]: the boot framebuffer, until a display daemon serves a
//! [`card`]. [`pty`] is the programs' side, [`keyboard`] and [`keymap`] the user's. Until a session starts the kernel's messages are shown.

mod card;
mod console;
mod font;
mod kernel_messages;
mod keyboard;
mod keymap;
mod pacing;
mod palette;
mod pty;
mod renderer;
mod session;
mod surface;

use anyhow::{Context, anyhow};
use boot_params::BootParams;
use clap::Parser;
use console::Console;
use font::Font;
use kernel_messages::KernelMessages;
use pty::Pty;
use renderer::Renderer;
use session::{Session, VirtualTerminal};
use surface::{Framebuffer, Screen, Surface};

/// Virtual terminals: /dev/tty1 and so on.
const TERMINALS: u8 = 6;


/// Draws terminals on the display; their programs run on /dev/tty1 and so on.
#[derive(Parser)]
#[command(version)]
struct Arguments {}

fn main() -> anyhow::Result<()> {
    Arguments::parse();
    kernel_log::init("fbcond");
    let result = run();
    if let Err(error) = &result {
        tracing::error!("{error:#}");
    }
    result
}

fn run() -> anyhow::Result<()> {
    let screen = match Framebuffer::open() {
        Ok(framebuffer) => Screen::Boot(framebuffer),
        Err(error) => {
            tracing::info!("no boot framebuffer ({error}): waiting for a display device");
            Screen::nowhere()
        }
    };
    let (width, height) = screen.size();
    let mut terminals = Vec::new();
    for number in 1..=TERMINALS {
        let font = Font::new().map_err(|_| anyhow!("the built-in font is damaged"))?;
        let console = Console::new(Renderer::new(Screen::Hidden(width, height), font));
        let (columns, lines) = console.size();
        if columns < 2 || lines < 1 {
            return Err(anyhow!("the framebuffer is too small for text"));
        }
        let pty = Pty::open(columns as u16, lines as u16, number).context("opening a pseudo-terminal")?;
        terminals.push(VirtualTerminal { console, pty });
    }
    let cmdline = std::fs::read_to_string("/proc/cmdline").unwrap_or_default();
    let level = BootParams::parse(cmdline.trim()).loglevel.get();
    let messages = KernelMessages::open(level)
        .inspect_err(|error| tracing::warn!("no kernel log: {error}"))
        .ok();
    Session::new(terminals, screen, messages)?.run()
}
