//! The text console: a terminal on the display, whose programs run on `/dev/tty1`.
//!
//! [`console`] emulates the terminal and draws it by [`renderer`] on a [`surface`]: the boot framebuffer, until a display daemon serves a
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
mod surface;

use anyhow::{Context, anyhow};
use boot_params::BootParams;
use clap::Parser;
use card::Card;
use console::Console;
use font::Font;
use kernel_messages::KernelMessages;
use keyboard::Keyboard;
use keymap::{Action, Keymap};
use pacing::Pacing;
use pty::Pty;
use renderer::Renderer;
use std::os::fd::{AsRawFd, RawFd};
use std::time::{Duration, Instant};
use surface::{Framebuffer, Screen, Surface};

/// The terminal's number: its slave is /dev/tty1.
const TTY: u8 = 1;
/// How often the kernel log is looked at, should it not tell that it has something.
const LOG_INTERVAL: Duration = Duration::from_millis(100);

/// How often a display device is looked for while there is none.
const CARD_INTERVAL: Duration = Duration::from_millis(200);

/// Draws a terminal on the display; its programs run on /dev/tty1.
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
            Screen::Nowhere
        }
    };
    let font = Font::new().map_err(|_| anyhow!("the built-in font is damaged"))?;
    let console = Console::new(Renderer::new(screen, font));
    let (columns, lines) = console.size();
    if columns < 2 || lines < 1 {
        return Err(anyhow!("the framebuffer is too small for text"));
    }
    let pty = Pty::open(columns as u16, lines as u16, TTY).context("opening a pseudo-terminal")?;
    let cmdline = std::fs::read_to_string("/proc/cmdline").unwrap_or_default();
    let level = BootParams::parse(cmdline.trim()).loglevel.get();
    let messages = KernelMessages::open(level)
        .inspect_err(|error| tracing::warn!("no kernel log: {error}"))
        .ok();
    Session {
        console,
        pty,
        messages,
        keyboard: Keyboard::new(),
        keymap: Keymap::default(),
        pacing: Pacing::new(Instant::now()),
        next_card: Instant::now(),
    }
    .run()
}

/// Everything the loop works on.
struct Session {
    console: Console<Screen>,
    pty: Pty,
    messages: Option<KernelMessages>,
    keyboard: Keyboard,
    keymap: Keymap,
    pacing: Pacing,
    /// When to look for a display device next.
    next_card: Instant,
}

impl Session {
    fn run(mut self) -> anyhow::Result<()> {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            self.wait()?;
            self.look_after_screen();
            for (code, value) in self.keyboard.read() {
                self.on_key(code, value);
            }
            let len = self
                .pty
                .read(&mut buffer)
                .context("reading the pseudo-terminal")?;
            if len > 0 {
                // A session has started: the screen is its own.
                self.messages = None;
                self.console.write(&buffer[..len]);
                self.pacing.mark();
            }
            if let Some(messages) = &mut self.messages {
                let text = messages.read();
                if !text.is_empty() {
                    self.console.write(&text);
                    self.pacing.mark();
                }
            }
            let answers = self.console.take_answers();
            if !answers.is_empty() {
                self.pty.send(&answers);
            }
            self.pty.flush();
            let start = Instant::now();
            if self
                .console
                .update_deadline()
                .is_some_and(|deadline| deadline <= start)
            {
                self.pacing.mark();
            }
            if self.pacing.due().is_some_and(|due| due <= start) {
                self.console.redraw();
                self.pacing.drawn(start, Instant::now());
            }
        }
    }

    /// Moves to a display device that has come, or changed; away from one that is gone.
    fn look_after_screen(&mut self) {
        let now = Instant::now();
        if let Screen::Card(card) = self.console.surface() {
            match card.check() {
                Ok(false) => return,
                Ok(true) => {}
                Err(error) => {
                    tracing::warn!("the display device is gone: {error}");
                    self.console.replace_surface(Screen::Nowhere);
                    self.next_card = now;
                }
            }
        }
        if now < self.next_card {
            return;
        }
        self.next_card = now + CARD_INTERVAL;
        match Card::open() {
            Ok(card) => {
                let (width, height) = card.size();
                tracing::info!("on {} with {width} by {height} pixels", card::PATH);
                self.console.replace_surface(Screen::Card(card));
                let (columns, lines) = self.console.size();
                self.pty.resize(columns as u16, lines as u16);
                self.pacing.mark();
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!("{}: {error}", card::PATH),
        }
    }

    fn on_key(&mut self, code: u16, value: i32) {
        match self
            .keymap
            .key(code, value, self.console.has_application_cursor())
        {
            Some(Action::Send(bytes)) => {
                self.console.scroll_to_bottom();
                self.pty.send(&bytes);
            }
            Some(Action::Scroll(pages)) => self.console.scroll_pages(pages),
            Some(Action::Reboot) => {
                tracing::info!("Ctrl-Alt-Del");
                // SAFETY: a signal to process 1 touches no memory of ours.
                unsafe { libc::kill(1, libc::SIGINT) };
            }
            None => return,
        }
        self.pacing.mark();
    }

    /// Waits until there is something to read, room to write, or something to draw.
    fn wait(&mut self) -> anyhow::Result<()> {
        let log_time = self
            .messages
            .as_ref()
            .map(|_| Instant::now() + LOG_INTERVAL);
        let card_fd = match self.console.surface() {
            Screen::Card(card) => Some(card.as_raw_fd()),
            _ => None,
        };
        let card_time = card_fd.is_none().then_some(self.next_card);
        let times = [
            self.pacing.due(),
            self.console.update_deadline(),
            self.keyboard.look_for(),
            log_time,
            card_time,
        ];
        let timeout = match times.into_iter().flatten().min() {
            // Rounded up: a wait of 0 for the last half millisecond would spin.
            Some(time) => time
                .saturating_duration_since(Instant::now())
                .as_micros()
                .div_ceil(1000) as i32,
            None => -1,
        };
        let pty_events = libc::POLLIN
            | if self.pty.is_pending() {
                libc::POLLOUT
            } else {
                0
            };
        let entry = |fd: RawFd, events| libc::pollfd {
            fd,
            events,
            revents: 0,
        };
        let mut fds = vec![entry(self.pty.as_raw_fd(), pty_events)];
        fds.extend(self.keyboard.raw_fd().map(|fd| entry(fd, libc::POLLIN)));
        fds.extend(
            self.messages
                .as_ref()
                .map(|messages| entry(messages.as_raw_fd(), libc::POLLIN)),
        );
        fds.extend(card_fd.map(|fd| entry(fd, libc::POLLIN)));
        // SAFETY: pointer and length of a live vector.
        let result = unsafe { libc::poll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, timeout) };
        if result < 0 {
            let error = std::io::Error::last_os_error();
            if error.kind() != std::io::ErrorKind::Interrupted {
                return Err(error).context("waiting for events");
            }
        }
        if fds[0].revents & libc::POLLHUP != 0 && fds[0].revents & libc::POLLIN == 0 {
            // Only where the slave could not be kept open: poll reports the hang-up at once, for ever.
            std::thread::sleep(LOG_INTERVAL);
        }
        Ok(())
    }
}
