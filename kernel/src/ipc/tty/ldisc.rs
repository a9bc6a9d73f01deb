//! The line discipline N_TTY: editing, echo, signals on the way in; newline translation on the way out (`termios(3)`).
//!
//! Pure logic over byte queues: effects (echo, signals) are returned to the caller.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::termios::*;

/// Bytes that input can hold before it is refused.
const INPUT_MAX: usize = 4096;

/// A signal that a typed character asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypedSignal {
    /// VINTR
    Interrupt,
    /// VQUIT
    Quit,
    /// VSUSP
    Suspend,
}

/// What receiving a byte led to.
#[derive(Default)]
pub struct Effects {
    /// To be written to the terminal.
    pub echo: Vec<u8>,
    /// To be sent to the foreground group.
    pub signals: Vec<TypedSignal>,
    /// Output was stopped (`true`) or started again by a typed character.
    pub flow: Option<bool>,
    /// Input may be readable now.
    pub readable: bool,
}

/// The state of a terminal's input and output columns.
#[derive(Default)]
pub struct Ldisc {
    /// Finished lines (canonical) or raw bytes.
    ready: VecDeque<u8>,
    /// Ends of lines in `ready`: counts of bytes, in order. A line ended by VEOF does not hold the character.
    lines: VecDeque<usize>,
    /// The line being edited, with the width each character was echoed at.
    edit: Vec<(u8, u8)>,
    literal_next: bool,
    /// Output column, for tabs and erasing.
    column: usize,
    was_canonical: Option<bool>,
}

impl Ldisc {
    /// Whether a read would not wait.
    pub fn readable(&self, termios: &Termios) -> bool {
        if termios.local(ICANON) {
            !self.lines.is_empty()
        } else {
            let min = usize::from(termios.cc[VMIN]);
            self.ready.len() + self.edit.len() >= if termios.cc[VTIME] == 0 { min.max(1) } else { 1 }
        }
    }

    /// Bytes a read could get (`FIONREAD`).
    pub fn available(&self, termios: &Termios) -> usize {
        if termios.local(ICANON) { self.lines.iter().sum() } else { self.ready.len() }
    }

    /// Room for more input.
    pub fn room(&self) -> usize {
        INPUT_MAX.saturating_sub(self.ready.len() + self.edit.len())
    }

    /// Forgets all input (`tcflush(3)`).
    pub fn flush_input(&mut self) {
        self.ready.clear();
        self.lines.clear();
        self.edit.clear();
        self.literal_next = false;
    }

    /// To be called after the attributes changed: canonical and raw input keep their bytes.
    pub fn mode_changed(&mut self, termios: &Termios) {
        let canonical = termios.local(ICANON);
        if self.was_canonical == Some(canonical) {
            return;
        }
        self.was_canonical = Some(canonical);
        if canonical {
            if !self.ready.is_empty() {
                self.lines.clear();
                self.lines.push_back(self.ready.len());
            }
        } else {
            self.ready.extend(self.edit.drain(..).map(|(b, _)| b));
            self.lines.clear();
        }
    }

    /// Takes what a read of `max` bytes gets; empty for end of file where a line that is only VEOF comes first.
    pub fn take(&mut self, termios: &Termios, max: usize) -> Vec<u8> {
        if !termios.local(ICANON) {
            let len = max.min(self.ready.len());
            return self.ready.drain(..len).collect();
        }
        let Some(line) = self.lines.front_mut() else { return Vec::new() };
        let len = max.min(*line);
        *line -= len;
        if *line == 0 {
            self.lines.pop_front();
        }
        self.ready.drain(..len).collect()
    }

    /// Handles a byte from the terminal.
    pub fn receive(&mut self, termios: &Termios, byte: u8, out: &mut Effects) {
        let mut byte = byte;
        if termios.iflag & ISTRIP != 0 {
            byte &= 0x7f;
        }
        if self.literal_next {
            self.literal_next = false;
            self.insert(termios, byte, out);
            return;
        }
        if termios.iflag & IXON != 0 {
            if termios.is(VSTOP, byte) {
                out.flow = Some(true);
                return;
            }
            if termios.is(VSTART, byte) {
                out.flow = Some(false);
                return;
            }
            if termios.iflag & IXANY != 0 {
                out.flow = Some(false);
            }
        }
        if termios.local(ISIG) {
            let signal = [(VINTR, TypedSignal::Interrupt), (VQUIT, TypedSignal::Quit), (VSUSP, TypedSignal::Suspend)]
                .into_iter()
                .find(|(which, _)| termios.is(*which, byte));
            if let Some((_, signal)) = signal {
                if !termios.local(NOFLSH) {
                    self.flush_input();
                }
                self.echo_char(termios, byte, out);
                out.signals.push(signal);
                return;
            }
        }
        match byte {
            b'\r' if termios.iflag & IGNCR != 0 => return,
            b'\r' if termios.iflag & ICRNL != 0 => byte = b'\n',
            b'\n' if termios.iflag & INLCR != 0 => byte = b'\r',
            _ => {}
        }
        if termios.iflag & IUCLC != 0 && termios.local(IEXTEN) {
            byte = byte.to_ascii_lowercase();
        }
        if !termios.local(ICANON) {
            self.echo_char(termios, byte, out);
            self.push_raw(byte, out);
            return;
        }
        self.receive_canonical(termios, byte, out);
    }

    fn receive_canonical(&mut self, termios: &Termios, byte: u8, out: &mut Effects) {
        let extended = termios.local(IEXTEN);
        if termios.is(VERASE, byte) {
            self.erase(termios, out);
        } else if extended && termios.is(VWERASE, byte) {
            while self.edit.last().is_some_and(|(b, _)| b.is_ascii_whitespace()) {
                self.erase(termios, out);
            }
            while self.edit.last().is_some_and(|(b, _)| !b.is_ascii_whitespace()) {
                self.erase(termios, out);
            }
        } else if termios.is(VKILL, byte) {
            if termios.local(ECHOKE) && termios.local(ECHO) {
                while !self.edit.is_empty() {
                    self.erase(termios, out);
                }
            } else {
                self.edit.clear();
                self.echo_char(termios, byte, out);
                if termios.local(ECHOK) {
                    self.echo_raw(termios, b"\n", out);
                }
            }
        } else if extended && termios.is(VLNEXT, byte) {
            self.literal_next = true;
            if termios.local(ECHO) && termios.local(ECHOCTL) {
                out.echo.extend_from_slice(b"^\x08");
            }
        } else if extended && termios.is(VREPRINT, byte) {
            self.echo_char(termios, byte, out);
            self.echo_raw(termios, b"\n", out);
            for (b, _) in self.edit.clone() {
                self.echo_char(termios, b, out);
            }
        } else if byte == b'\n' {
            if termios.local(ECHO) || termios.local(ECHONL) {
                self.echo_raw(termios, b"\n", out);
            }
            self.finish_line(Some(byte), out);
        } else if termios.is(VEOF, byte) {
            self.finish_line(None, out);
        } else if termios.is(VEOL, byte) || (extended && termios.is(VEOL2, byte)) {
            self.echo_char(termios, byte, out);
            self.finish_line(Some(byte), out);
        } else {
            self.insert(termios, byte, out);
        }
    }

    fn insert(&mut self, termios: &Termios, byte: u8, out: &mut Effects) {
        // Room is kept for the character that ends the line.
        if self.room() <= 1 {
            if termios.iflag & IMAXBEL != 0 {
                out.echo.push(7);
            }
            return;
        }
        let before = self.column;
        self.echo_char(termios, byte, out);
        let width = self.column.saturating_sub(before).min(255) as u8;
        self.edit.push((byte, width));
    }

    fn finish_line(&mut self, end: Option<u8>, out: &mut Effects) {
        let len = self.edit.len() + usize::from(end.is_some());
        self.ready.extend(self.edit.drain(..).map(|(b, _)| b));
        self.ready.extend(end);
        self.lines.push_back(len);
        out.readable = true;
    }

    fn push_raw(&mut self, byte: u8, out: &mut Effects) {
        if self.room() > 0 {
            self.ready.push_back(byte);
        }
        out.readable = true;
    }

    fn erase(&mut self, termios: &Termios, out: &mut Effects) {
        let Some((mut byte, mut width)) = self.edit.pop() else { return };
        if termios.iflag & IUTF8 != 0 {
            // Continuation bytes go together with their first byte.
            while byte & 0xc0 == 0x80 {
                let Some((b, w)) = self.edit.pop() else { break };
                byte = b;
                width = width.max(w);
            }
        }
        if !termios.local(ECHO) {
            return;
        }
        if termios.local(ECHOE) {
            for _ in 0..width {
                out.echo.extend_from_slice(b"\x08 \x08");
            }
            self.column = self.column.saturating_sub(width.into());
        } else {
            self.echo_char(termios, termios.cc[VERASE], out);
        }
    }

    fn echo_char(&mut self, termios: &Termios, byte: u8, out: &mut Effects) {
        if !termios.local(ECHO) {
            return;
        }
        let control = byte < 32 || byte == 127;
        if control && termios.local(ECHOCTL) && byte != b'\t' && byte != b'\n' {
            self.echo_raw(termios, &[b'^', byte ^ 0x40], out);
        } else {
            self.echo_raw(termios, &[byte], out);
        }
    }

    fn echo_raw(&mut self, termios: &Termios, bytes: &[u8], out: &mut Effects) {
        self.output(termios, bytes, &mut out.echo);
    }

    /// Output processing: appends to `out` what the terminal gets for `bytes`.
    pub fn output(&mut self, termios: &Termios, bytes: &[u8], out: &mut Vec<u8>) {
        if termios.oflag & OPOST == 0 {
            out.extend_from_slice(bytes);
            return;
        }
        for &byte in bytes {
            match byte {
                b'\n' => {
                    if termios.oflag & ONLCR != 0 {
                        out.push(b'\r');
                        self.column = 0;
                    } else if termios.oflag & ONLRET != 0 {
                        self.column = 0;
                    }
                    out.push(b'\n');
                }
                b'\r' => {
                    if termios.oflag & ONOCR != 0 && self.column == 0 {
                        continue;
                    }
                    if termios.oflag & OCRNL != 0 {
                        out.push(b'\n');
                    } else {
                        out.push(b'\r');
                        self.column = 0;
                    }
                }
                b'\t' => {
                    let width = 8 - self.column % 8;
                    if termios.oflag & TABDLY == XTABS {
                        out.extend(core::iter::repeat_n(b' ', width));
                    } else {
                        out.push(b'\t');
                    }
                    self.column += width;
                }
                8 => {
                    out.push(8);
                    self.column = self.column.saturating_sub(1);
                }
                _ => {
                    let shown = if termios.oflag & OLCUC != 0 { byte.to_ascii_uppercase() } else { byte };
                    out.push(shown);
                    let continuation = termios.iflag & IUTF8 != 0 && byte & 0xc0 == 0x80;
                    if byte >= 32 && byte != 127 && !continuation {
                        self.column += 1;
                    }
                }
            }
        }
    }
}
