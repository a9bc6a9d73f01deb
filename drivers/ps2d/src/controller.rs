//! The i8042: two ports, one byte at a time.
//!
//! Source: IBM PS/2 Hardware Interface Technical Reference, "Keyboard and Auxiliary Device Controller".

use driver::port::Ports;
use std::io;
use std::time::{Duration, Instant};

const DATA: u16 = 0x60;
const STATUS: u16 = 0x64;
const COMMAND: u16 = 0x64;

/// Status: a byte for us.
const OUTPUT_FULL: u8 = 1 << 0;
/// Status: the controller has not taken our last byte.
const INPUT_FULL: u8 = 1 << 1;
/// Status: the byte for us comes from the second port.
const FROM_SECOND: u8 = 1 << 5;

/// Controller commands.
mod command {
    pub const READ_CONFIG: u8 = 0x20;
    pub const WRITE_CONFIG: u8 = 0x60;
    pub const DISABLE_SECOND: u8 = 0xa7;
    pub const ENABLE_SECOND: u8 = 0xa8;
    pub const TEST_SECOND: u8 = 0xa9;
    pub const SELF_TEST: u8 = 0xaa;
    pub const TEST_FIRST: u8 = 0xab;
    pub const DISABLE_FIRST: u8 = 0xad;
    pub const ENABLE_FIRST: u8 = 0xae;
    pub const TO_SECOND: u8 = 0xd4;
}

/// Configuration byte.
mod config {
    pub const FIRST_INTERRUPT: u8 = 1 << 0;
    pub const SECOND_INTERRUPT: u8 = 1 << 1;
    pub const FIRST_DISABLED: u8 = 1 << 4;
    pub const SECOND_DISABLED: u8 = 1 << 5;
    /// Scancodes of set 2 arrive as set 1.
    pub const TRANSLATE: u8 = 1 << 6;
}

/// Commands and answers of devices.
const DEVICE_RESET: u8 = 0xff;
const DEVICE_ENABLE: u8 = 0xf4;
const DEVICE_IDENTIFY: u8 = 0xf2;
const KEYBOARD_LAMPS: u8 = 0xed;
const MOUSE_SAMPLE_RATE: u8 = 0xf3;
const ACKNOWLEDGE: u8 = 0xfa;
const RESEND: u8 = 0xfe;
const TEST_PASSED: u8 = 0xaa;

/// The two ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The keyboard's.
    First,
    /// The mouse's.
    Second,
}

/// Why there is no controller to drive.
#[derive(Debug, thiserror::Error)]
pub enum ControllerError {
    /// Nothing answers at the ports.
    #[error("there is no i8042")]
    Absent,
    /// It does not answer in time.
    #[error("the i8042 does not answer to {0}")]
    Silent(&'static str),
    /// The ports cannot be used.
    #[error("i8042: {0}")]
    Io(#[from] io::Error),
}

/// What was found behind the controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// A keyboard answers.
    pub keyboard: bool,
    /// Its scancodes arrive as set 1 (else as set 2).
    pub is_translated: bool,
    /// A mouse answers: the bytes of its packets, 3, or 4 with a wheel.
    pub mouse: Option<u8>,
}

/// An i8042.
pub struct Controller<P> {
    ports: P,
    /// How long to wait for an answer.
    limit: Duration,
}

impl<P: Ports> Controller<P> {
    /// The controller behind these ports. `limit`: how long it may take to answer; a device's reset may take half a second.
    pub fn new(ports: P, limit: Duration) -> Self {
        Controller { ports, limit }
    }

    /// Tests and sets up the controller and the devices; interrupts are on afterwards.
    pub fn start(&mut self) -> Result<Found, ControllerError> {
        if self.ports.read8(STATUS)? == 0xff {
            return Err(ControllerError::Absent);
        }
        self.command(command::DISABLE_FIRST)?;
        self.command(command::DISABLE_SECOND)?;
        self.flush()?;
        self.command(command::SELF_TEST)?;
        match self.answer()? {
            Some(0x55) => {}
            Some(code) => tracing::warn!("the i8042's self-test gives {code:#x}; going on"),
            None => return Err(ControllerError::Silent("its self-test")),
        }
        let base = self.read_config()? & !(config::FIRST_INTERRUPT | config::SECOND_INTERRUPT);
        self.write_config(base | config::TRANSLATE)?;
        let is_translated = self.read_config()? & config::TRANSLATE != 0;

        self.command(command::ENABLE_SECOND)?;
        let has_second = self.read_config()? & config::SECOND_DISABLED == 0;
        let keyboard = self.test(command::TEST_FIRST)? && self.start_keyboard()?;
        let mouse = if has_second && self.test(command::TEST_SECOND)? {
            self.start_mouse()?
        } else {
            None
        };

        let mut value = self.read_config()?;
        if keyboard {
            value = (value | config::FIRST_INTERRUPT) & !config::FIRST_DISABLED;
        }
        if mouse.is_some() {
            value = (value | config::SECOND_INTERRUPT) & !config::SECOND_DISABLED;
        }
        self.write_config(value)?;
        Ok(Found {
            keyboard,
            is_translated,
            mouse,
        })
    }

    fn start_keyboard(&mut self) -> Result<bool, ControllerError> {
        self.command(command::ENABLE_FIRST)?;
        if !self.reset(Side::First)? {
            return Ok(false);
        }
        self.tell(Side::First, &[DEVICE_ENABLE])
    }

    fn start_mouse(&mut self) -> Result<Option<u8>, ControllerError> {
        self.command(command::ENABLE_SECOND)?;
        if !self.reset(Side::Second)? {
            return Ok(None);
        }
        // This series of sample rates makes a mouse with a wheel say so.
        let series = [
            MOUSE_SAMPLE_RATE,
            200,
            MOUSE_SAMPLE_RATE,
            100,
            MOUSE_SAMPLE_RATE,
            80,
        ];
        let has_wheel = self.tell(Side::Second, &series)?
            && self.tell(Side::Second, &[DEVICE_IDENTIFY])?
            && self.answer()? == Some(3);
        let is_on = self.tell(Side::Second, &[DEVICE_ENABLE])?;
        Ok(is_on.then_some(if has_wheel { 4 } else { 3 }))
    }

    /// The next byte that has arrived, and from which port.
    pub fn next(&mut self) -> io::Result<Option<(Side, u8)>> {
        let status = self.ports.read8(STATUS)?;
        if status & OUTPUT_FULL == 0 || status == 0xff {
            return Ok(None);
        }
        let side = if status & FROM_SECOND != 0 {
            Side::Second
        } else {
            Side::First
        };
        Ok(Some((side, self.ports.read8(DATA)?)))
    }

    /// Sets the keyboard's lamps: bit 0 scroll lock, bit 1 num lock, bit 2 caps lock. Its answers arrive as bytes that are no keys.
    pub fn set_lamps(&mut self, bits: u8) -> Result<(), ControllerError> {
        self.write(DATA, KEYBOARD_LAMPS)?;
        self.write(DATA, bits)
    }

    fn wait_for(&mut self, mut is_done: impl FnMut(u8) -> bool) -> io::Result<bool> {
        let start = Instant::now();
        loop {
            if is_done(self.ports.read8(STATUS)?) {
                return Ok(true);
            }
            if start.elapsed() > self.limit {
                return Ok(false);
            }
            std::thread::yield_now();
        }
    }

    fn write(&mut self, port: u16, value: u8) -> Result<(), ControllerError> {
        if !self.wait_for(|status| status & INPUT_FULL == 0)? {
            return Err(ControllerError::Silent("a byte"));
        }
        Ok(self.ports.write8(port, value)?)
    }

    fn command(&mut self, command: u8) -> Result<(), ControllerError> {
        self.write(COMMAND, command)
    }

    fn answer(&mut self) -> Result<Option<u8>, ControllerError> {
        if self.wait_for(|status| status & OUTPUT_FULL != 0)? {
            Ok(Some(self.ports.read8(DATA)?))
        } else {
            Ok(None)
        }
    }

    /// Drops what arrived before.
    fn flush(&mut self) -> Result<(), ControllerError> {
        for _ in 0..64 {
            if self.next()?.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn read_config(&mut self) -> Result<u8, ControllerError> {
        self.command(command::READ_CONFIG)?;
        self.answer()?
            .ok_or(ControllerError::Silent("reading its configuration"))
    }

    fn write_config(&mut self, value: u8) -> Result<(), ControllerError> {
        self.command(command::WRITE_CONFIG)?;
        self.write(DATA, value)
    }

    fn test(&mut self, command: u8) -> Result<bool, ControllerError> {
        self.command(command)?;
        Ok(self.answer()? == Some(0))
    }

    /// Sends bytes to a device; whether it acknowledged each.
    fn tell(&mut self, side: Side, bytes: &[u8]) -> Result<bool, ControllerError> {
        for byte in bytes {
            let mut tries = 0;
            loop {
                if side == Side::Second {
                    self.command(command::TO_SECOND)?;
                }
                self.write(DATA, *byte)?;
                match self.answer()? {
                    Some(ACKNOWLEDGE) => break,
                    Some(RESEND) if tries < 3 => tries += 1,
                    _ => return Ok(false),
                }
            }
        }
        Ok(true)
    }

    fn reset(&mut self, side: Side) -> Result<bool, ControllerError> {
        if !self.tell(side, &[DEVICE_RESET])? || self.answer()? != Some(TEST_PASSED) {
            return Ok(false);
        }
        if side == Side::Second {
            // A mouse also tells its kind.
            self.answer()?;
        }
        Ok(true)
    }
}

#[cfg(test)]
#[path = "controller_tests.rs"]
mod tests;
