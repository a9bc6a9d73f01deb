//! The controller against a simulated i8042.

use super::*;
use std::collections::VecDeque;

/// An i8042 with a keyboard and, where `mouse`, a wheel mouse.
#[derive(Default)]
struct Fake {
    output: VecDeque<(u8, bool)>,
    config: u8,
    pending: Option<u8>,
    mouse: bool,
    rates: Vec<u8>,
    keyboard_on: bool,
    mouse_on: bool,
    expects_rate: bool,
    ignores_translation: bool,
    self_test: u8,
    absent: bool,
}

impl Fake {
    fn device(&mut self, second: bool, byte: u8) {
        if second && !self.mouse {
            return;
        }
        self.output.push_back((ACKNOWLEDGE, second));
        if std::mem::take(&mut self.expects_rate) {
            self.rates.push(byte);
            return;
        }
        match byte {
            DEVICE_RESET => {
                self.output.push_back((TEST_PASSED, second));
                if second {
                    self.output.push_back((0, true));
                }
            }
            DEVICE_ENABLE if second => self.mouse_on = true,
            DEVICE_ENABLE => self.keyboard_on = true,
            DEVICE_IDENTIFY => self.output.push_back((
                if self.rates.ends_with(&[200, 100, 80]) {
                    3
                } else {
                    0
                },
                second,
            )),
            MOUSE_SAMPLE_RATE => self.expects_rate = true,
            _ => {}
        }
    }
}

impl Ports for Fake {
    fn read8(&mut self, port: u16) -> io::Result<u8> {
        if self.absent {
            return Ok(0xff);
        }
        Ok(match port {
            STATUS => self.output.front().map_or(0, |(_, second)| {
                OUTPUT_FULL | if *second { FROM_SECOND } else { 0 }
            }),
            _ => self.output.pop_front().map_or(0, |(byte, _)| byte),
        })
    }

    fn write8(&mut self, port: u16, value: u8) -> io::Result<()> {
        match (port, self.pending.take()) {
            (COMMAND, _) => match value {
                command::READ_CONFIG => self.output.push_back((self.config, false)),
                command::SELF_TEST => {
                    self.config = config::FIRST_DISABLED | config::SECOND_DISABLED;
                    self.output.push_back((self.self_test, false));
                }
                command::TEST_FIRST | command::TEST_SECOND => self.output.push_back((0, false)),
                command::ENABLE_SECOND if self.mouse => self.config &= !config::SECOND_DISABLED,
                command::ENABLE_FIRST => self.config &= !config::FIRST_DISABLED,
                command::WRITE_CONFIG | command::TO_SECOND => self.pending = Some(value),
                _ => {}
            },
            (DATA, Some(command::WRITE_CONFIG)) => {
                self.config = if self.ignores_translation {
                    value & !config::TRANSLATE
                } else {
                    value
                };
            }
            (DATA, Some(command::TO_SECOND)) => self.device(true, value),
            _ => self.device(false, value),
        }
        Ok(())
    }

    fn read32(&mut self, _port: u16) -> io::Result<u32> {
        Err(io::ErrorKind::Unsupported.into())
    }
    fn write32(&mut self, _port: u16, _value: u32) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

fn start(fake: Fake) -> (Controller<Fake>, Result<Found, ControllerError>) {
    let mut controller = Controller::new(fake, Duration::from_millis(5));
    let found = controller.start();
    (controller, found)
}

#[test]
fn keyboard_and_wheel_mouse_are_found_and_switched_on() {
    let fake = Fake {
        mouse: true,
        self_test: 0x55,
        ..Fake::default()
    };
    let (mut controller, found) = start(fake);
    assert_eq!(
        found.unwrap(),
        Found {
            keyboard: true,
            is_translated: true,
            mouse: Some(4)
        }
    );
    assert!(controller.ports.keyboard_on && controller.ports.mouse_on);
    let interrupts = config::FIRST_INTERRUPT | config::SECOND_INTERRUPT;
    assert_eq!(controller.ports.config, interrupts | config::TRANSLATE);
    controller.ports.output.extend([(0x1e, false), (8, true)]);
    assert_eq!(controller.next().unwrap(), Some((Side::First, 0x1e)));
    assert_eq!(controller.next().unwrap(), Some((Side::Second, 8)));
    assert_eq!(controller.next().unwrap(), None);
}

#[test]
fn a_missing_mouse_translation_or_test_is_no_failure() {
    let fake = Fake {
        ignores_translation: true,
        self_test: 0xfc,
        ..Fake::default()
    };
    let (controller, found) = start(fake);
    assert_eq!(
        found.unwrap(),
        Found {
            keyboard: true,
            is_translated: false,
            mouse: None
        }
    );
    assert_eq!(controller.ports.config & config::SECOND_INTERRUPT, 0);
}

#[test]
fn absent_controllers_are_named() {
    let (_, found) = start(Fake {
        absent: true,
        ..Fake::default()
    });
    assert!(matches!(found, Err(ControllerError::Absent)));
}
