//! The loop: programs' output, keys, the display, and which virtual terminal is shown.

use crate::card::{self, Card};
use crate::console::Console;
use crate::kernel_messages::KernelMessages;
use crate::keyboard::Keyboard;
use crate::keymap::{Action, Keymap};
use crate::pacing::Pacing;
use crate::pty::Pty;
use crate::surface::{Screen, Surface};
use anyhow::Context;
use scheme_abi::VtState;
use std::os::fd::{AsRawFd, RawFd};
use std::time::{Duration, Instant};

/// How often the kernel log is looked at, should it not tell that it has something.
const LOG_INTERVAL: Duration = Duration::from_millis(100);
/// How often a display device is looked for while there is none.
const CARD_INTERVAL: Duration = Duration::from_millis(200);

/// Values of [`VtState::mode`] and [`VtState::keyboard`].
const KD_TEXT: u32 = 0;
const K_MEDIUMRAW: u32 = 2;
const K_OFF: u32 = 4;

/// A terminal and its programs' side.
pub struct VirtualTerminal {
    /// The terminal. Its surface is the screen while it is shown.
    pub console: Console<Screen>,
    /// The programs' side.
    pub pty: Pty,
}

/// Everything the loop works on.
pub struct Session {
    /// In the order of their numbers, from 1 on.
    terminals: Vec<VirtualTerminal>,
    /// What the kernel says of the terminal that is shown.
    state: VtState,
    /// The screen, while no terminal of ours is on it.
    spare: Option<Screen>,
    messages: Option<KernelMessages>,
    keyboard: Keyboard,
    keymap: Keymap,
    pacing: Pacing,
    /// When to look for a display device next.
    next_card: Instant,
}

impl Session {
    /// A session of these terminals on a screen.
    pub fn new(terminals: Vec<VirtualTerminal>, screen: Screen, messages: Option<KernelMessages>) -> anyhow::Result<Self> {
        let first = terminals.first().context("no terminals")?;
        let state = first.pty.state().context("asking which terminal is shown")?;
        let now = Instant::now();
        let mut session = Session {
            terminals,
            state,
            spare: None,
            messages,
            keyboard: Keyboard::new(),
            keymap: Keymap::default(),
            pacing: Pacing::new(now),
            next_card: now,
        };
        session.put_screen(screen);
        Ok(session)
    }

    /// The index of the terminal that is on the screen; `None` while a program draws there itself.
    fn shown(&self) -> Option<usize> {
        let index = (self.state.active as usize).checked_sub(1)?;
        (self.state.mode == KD_TEXT && index < self.terminals.len()).then_some(index)
    }

    /// The terminal that keys go to.
    fn active(&mut self) -> Option<&mut VirtualTerminal> {
        let index = (self.state.active as usize).checked_sub(1)?;
        self.terminals.get_mut(index)
    }

    /// The screen, wherever it is.
    fn screen(&mut self) -> Option<&mut Screen> {
        match self.shown() {
            Some(index) if self.spare.is_none() => Some(self.terminals[index].console.surface()),
            _ => self.spare.as_mut(),
        }
    }

    fn take_screen(&mut self) -> Screen {
        if let Some(screen) = self.spare.take() {
            return screen;
        }
        match self.shown() {
            Some(index) => {
                let surface = self.terminals[index].console.surface();
                let (width, height) = surface.size();
                std::mem::replace(surface, Screen::Hidden(width, height))
            }
            None => Screen::nowhere(),
        }
    }

    /// Gives the screen to the terminal that is shown; all terminals become as large as it is.
    fn put_screen(&mut self, screen: Screen) {
        let (width, height) = screen.size();
        let shown = self.shown();
        let mut screen = Some(screen);
        for (index, terminal) in self.terminals.iter_mut().enumerate() {
            let before = terminal.console.size();
            if Some(index) == shown
                && let Some(screen) = screen.take()
            {
                terminal.console.replace_surface(screen);
            } else if terminal.console.surface().size() != (width, height) {
                terminal.console.replace_surface(Screen::Hidden(width, height));
            }
            let (columns, lines) = terminal.console.size();
            if before != (columns, lines) {
                terminal.pty.resize(columns as u16, lines as u16);
            }
        }
        self.spare = screen;
        self.pacing.mark();
    }

    /// Follows the kernel's virtual terminals.
    fn follow(&mut self) -> anyhow::Result<()> {
        let state = self.terminals[0].pty.state().context("asking which terminal is shown")?;
        if state == self.state {
            return Ok(());
        }
        if state.keyboard != self.state.keyboard || state.active != self.state.active {
            // Keys that are held now are released elsewhere.
            self.keymap = Keymap::default();
        }
        let screen = self.take_screen();
        self.state = state;
        self.put_screen(screen);
        Ok(())
    }

    /// Runs for ever.
    pub fn run(mut self) -> anyhow::Result<()> {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            self.wait()?;
            self.follow()?;
            self.look_after_screen();
            for (code, value) in self.keyboard.read() {
                self.on_key(code, value);
            }
            self.read_programs(&mut buffer)?;
            let start = Instant::now();
            let Some(index) = self.shown() else { continue };
            let console = &mut self.terminals[index].console;
            if console.update_deadline().is_some_and(|deadline| deadline <= start) {
                self.pacing.mark();
            }
            if self.pacing.due().is_some_and(|due| due <= start) {
                console.redraw();
                self.pacing.drawn(start, Instant::now());
            }
        }
    }

    /// Takes what programs have written, and answers them.
    fn read_programs(&mut self, buffer: &mut [u8]) -> anyhow::Result<()> {
        for (index, terminal) in self.terminals.iter_mut().enumerate() {
            let len = terminal.pty.read(buffer).context("reading the pseudo-terminal")?;
            if len > 0 {
                if index == 0 {
                    // A session has started: the screen is its own.
                    self.messages = None;
                }
                terminal.console.write(&buffer[..len]);
                self.pacing.mark();
            }
            if let Some(messages) = self.messages.as_mut().filter(|_| index == 0) {
                let text = messages.read();
                if !text.is_empty() {
                    terminal.console.write(&text);
                    self.pacing.mark();
                }
            }
            let answers = terminal.console.take_answers();
            if !answers.is_empty() {
                terminal.pty.send(&answers);
            }
            terminal.pty.flush();
        }
        Ok(())
    }

    /// Moves to a display device that has come, or changed; away from one that is gone.
    fn look_after_screen(&mut self) {
        let now = Instant::now();
        if let Some(Screen::Card(card)) = self.screen() {
            match card.check() {
                Ok(false) => return,
                Ok(true) => {}
                Err(error) => {
                    tracing::warn!("the display device is gone: {error}");
                    let (width, height) = self.take_screen().size();
                    self.put_screen(Screen::Hidden(width, height));
                }
            }
            self.next_card = now;
        }
        if now < self.next_card {
            return;
        }
        self.next_card = now + CARD_INTERVAL;
        match Card::open() {
            Ok(card) => {
                let (width, height) = card.size();
                tracing::info!("on {} with {width} by {height} pixels", card::PATH);
                // The old screen goes after the new one has come: its picture stays until then.
                let old = self.take_screen();
                self.put_screen(Screen::Card(card));
                drop(old);
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!("{}: {error}", card::PATH),
        }
    }

    fn on_key(&mut self, code: u16, value: i32) {
        match self.state.keyboard {
            // Who turned it off reads the input devices.
            K_OFF => return,
            K_MEDIUMRAW => {
                if let Some(terminal) = self.active() {
                    terminal.pty.send(&medium_raw(code, value));
                }
                return;
            }
            _ => {}
        }
        let has_application_cursor = self.active().is_some_and(|terminal| terminal.console.has_application_cursor());
        let action = self.keymap.key(code, value, has_application_cursor);
        let Some(terminal) = self.active() else { return };
        match action {
            Some(Action::Send(bytes)) => {
                terminal.console.scroll_to_bottom();
                terminal.pty.send(&bytes);
            }
            Some(Action::Scroll(pages)) => terminal.console.scroll_pages(pages),
            Some(Action::Switch(number)) => {
                if let Err(error) = terminal.pty.request(number) {
                    tracing::debug!("terminal {number}: {error}");
                }
            }
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
        let log_time = self.messages.as_ref().map(|_| Instant::now() + LOG_INTERVAL);
        let card_fd = match self.screen() {
            Some(Screen::Card(card)) => Some(card.as_raw_fd()),
            _ => None,
        };
        let card_time = card_fd.is_none().then_some(self.next_card);
        let shown = self.shown().map(|index| &self.terminals[index].console);
        let drawing = shown.map(|console| [self.pacing.due(), console.update_deadline()]);
        let times = drawing.into_iter().flatten().chain([self.keyboard.look_for(), log_time, card_time]);
        let timeout = match times.flatten().min() {
            // Rounded up: a wait of 0 for the last half millisecond would spin.
            Some(time) => time.saturating_duration_since(Instant::now()).as_micros().div_ceil(1000) as i32,
            None => -1,
        };
        let entry = |fd: RawFd, events| libc::pollfd { fd, events, revents: 0 };
        let pty_entry = |terminal: &VirtualTerminal| {
            let writing = if terminal.pty.is_pending() { libc::POLLOUT } else { 0 };
            entry(terminal.pty.as_raw_fd(), libc::POLLIN | writing)
        };
        let mut fds: Vec<libc::pollfd> = self.terminals.iter().map(pty_entry).collect();
        // One is enough to hear of the virtual terminals.
        fds[0].events |= libc::POLLPRI;
        fds.extend(self.keyboard.raw_fd().map(|fd| entry(fd, libc::POLLIN)));
        fds.extend(self.messages.as_ref().map(|messages| entry(messages.as_raw_fd(), libc::POLLIN)));
        fds.extend(card_fd.map(|fd| entry(fd, libc::POLLIN)));
        // SAFETY: pointer and length of a live vector.
        let result = unsafe { libc::poll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, timeout) };
        if result < 0 {
            let error = std::io::Error::last_os_error();
            if error.kind() != std::io::ErrorKind::Interrupted {
                return Err(error).context("waiting for events");
            }
        }
        if fds[..self.terminals.len()].iter().any(|fd| fd.revents & libc::POLLHUP != 0 && fd.revents & libc::POLLIN == 0) {
            // Only where a slave could not be kept open: poll reports the hang-up at once, for ever.
            std::thread::sleep(LOG_INTERVAL);
        }
        Ok(())
    }
}

/// A key in the mode K_MEDIUMRAW: its code, with bit 7 set for a release; codes above 127 follow a 0 in two bytes of seven bits each.
fn medium_raw(code: u16, value: i32) -> Vec<u8> {
    let released = if value == 0 { 0x80 } else { 0 };
    match code {
        0..=127 => vec![code as u8 | released],
        _ => vec![released, (code >> 7) as u8 | 0x80, code as u8 | 0x80],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_travel_as_codes_in_medium_raw() {
        assert_eq!(medium_raw(30, 1), [30]);
        assert_eq!(medium_raw(30, 0), [158]);
        assert_eq!(medium_raw(0x1d0, 1), [0, 0x83, 0xd0]);
        assert_eq!(medium_raw(0x1d0, 0), [0x80, 0x83, 0xd0]);
    }
}
