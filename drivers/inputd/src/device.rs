//! A device's state: what of its events is news, and when its keys repeat. As Linux's input core does it.

use input_event::bits::Bits;
use input_event::code::{
    ABS_COUNT, EV_ABS, EV_LED, EV_MSC, EV_REP, EV_SND, EV_SW, KEY_COUNT, LED_COUNT, REP_DELAY, REP_PERIOD, SND_COUNT, SW_COUNT,
};
use input_event::producer::Change;
use input_event::{Description, EV_KEY, EV_REL};
use std::time::{Duration, Instant};

/// Until the first repetition, and between repetitions, as on Linux.
const DELAY_MS: u32 = 250;
const PERIOD_MS: u32 = 33;
/// A repetition.
pub const REPEATED: i32 = 2;

/// A device with its state.
pub struct Device {
    /// What it is.
    pub description: Description,
    /// Keys that are down.
    pub keys: Bits,
    /// Lamps that are on.
    pub leds: Bits,
    /// Sounds that are on.
    pub sounds: Bits,
    /// Switches that are on.
    pub switches: Bits,
    /// Where the absolute axes are.
    pub places: Vec<i32>,
    /// Delay and period of repetition, ms.
    pub repeat: [u32; 2],
    repeating: Option<(u16, Instant)>,
}

/// Who made an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The device.
    Device,
    /// A program, by writing to the event device.
    Program,
}

impl Device {
    /// A device at rest.
    pub fn new(description: Description) -> Self {
        Device {
            description,
            keys: Bits::new(KEY_COUNT),
            leds: Bits::new(LED_COUNT),
            sounds: Bits::new(SND_COUNT),
            switches: Bits::new(SW_COUNT),
            places: vec![0; ABS_COUNT],
            repeat: [DELAY_MS, PERIOD_MS],
            repeating: None,
        }
    }

    fn toggle(bits: &mut Bits, code: u16, value: i32) -> bool {
        let is_news = bits.has(code) != (value != 0);
        bits.set(code, value != 0);
        is_news
    }

    /// Takes a change into the state; whether readers are to hear of it.
    pub fn accept(&mut self, (kind, code, value): Change, origin: Origin, now: Instant) -> bool {
        if kind == EV_REP {
            return self.set_repeat(code, value);
        }
        if !self.description.has(kind, code) {
            return false;
        }
        match kind {
            EV_KEY if value == REPEATED => origin == Origin::Program,
            EV_KEY => {
                let is_news = Self::toggle(&mut self.keys, code, value);
                if is_news {
                    self.repeat_after(code, value, now);
                }
                is_news
            }
            EV_SW => Self::toggle(&mut self.switches, code, value),
            EV_LED => Self::toggle(&mut self.leds, code, value),
            EV_SND => Self::toggle(&mut self.sounds, code, value),
            EV_REL => value != 0,
            EV_MSC => true,
            EV_ABS => {
                let value = self.defuzz(code, value);
                let place = &mut self.places[usize::from(code)];
                std::mem::replace(place, value) != value
            }
            _ => false,
        }
    }

    /// The value without noise: small motions are none, as Linux smooths them.
    fn defuzz(&self, axis: u16, value: i32) -> i32 {
        let (fuzz, old) = (i64::from(self.description.axis(axis).fuzz), i64::from(self.places[usize::from(axis)]));
        let new = i64::from(value);
        if fuzz == 0 {
            return value;
        }
        let distance = (new - old).abs();
        let smoothed = if distance < fuzz / 2 {
            old
        } else if distance < fuzz {
            (old * 3 + new) / 4
        } else if distance < fuzz * 2 {
            (old + new) / 2
        } else {
            new
        };
        smoothed as i32
    }

    /// Sets delay or period; whether that is a change.
    fn set_repeat(&mut self, code: u16, value: i32) -> bool {
        let index = usize::from(code);
        let (Ok(value), true) = (u32::try_from(value), self.description.has_type(EV_REP) && code <= REP_PERIOD) else {
            return false;
        };
        std::mem::replace(&mut self.repeat[index], value) != value
    }

    fn repeat_after(&mut self, code: u16, value: i32, now: Instant) {
        if value == 0 {
            // As on Linux any release ends it.
            self.repeating = None;
        } else if self.description.has_type(EV_REP) && self.repeat[usize::from(REP_DELAY)] > 0 && self.repeat[usize::from(REP_PERIOD)] > 0 {
            let delay = Duration::from_millis(self.repeat[usize::from(REP_DELAY)].into());
            self.repeating = Some((code, now + delay));
        }
    }

    /// When a key repeats next.
    pub fn repeat_time(&self) -> Option<Instant> {
        self.repeating.map(|(_, time)| time)
    }

    /// The key that repeats now.
    pub fn take_repeat(&mut self, now: Instant) -> Option<Change> {
        let (code, time) = self.repeating?;
        if time > now {
            return None;
        }
        // From now on, not from when it should have been: a late repetition is not made up for.
        self.repeating = Some((code, now + Duration::from_millis(self.repeat[usize::from(REP_PERIOD)].max(1).into())));
        Some((EV_KEY, code, REPEATED))
    }

    /// Changes that bring all keys up: the driver is gone, and would not say when they are released.
    pub fn release_all(&mut self) -> Vec<Change> {
        self.repeating = None;
        self.keys.iter().map(|code| (EV_KEY, code, 0)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use input_event::code::ABS_X;
    use input_event::{AbsInfo, DeviceId, REL_X, key};

    fn device() -> Device {
        let mut description = Description::new("d", "p", DeviceId::default());
        description.add_all(EV_KEY, [key::A, key::B]);
        description.add(EV_REL, REL_X);
        description.add_axis(ABS_X, AbsInfo { maximum: 100, fuzz: 8, ..AbsInfo::default() });
        description.add_repeat();
        Device::new(description)
    }

    #[test]
    fn only_news_of_what_the_device_has_passes() {
        let (mut device, now) = (device(), Instant::now());
        let mut accept = |change| device.accept(change, Origin::Device, now);
        assert!(accept((EV_KEY, key::A, 1)));
        assert!(!accept((EV_KEY, key::A, 1)));
        assert!(!accept((EV_KEY, key::A, 2)));
        assert!(accept((EV_KEY, key::A, 0)));
        assert!(!accept((EV_KEY, key::A, 0)));
        assert!(!accept((EV_KEY, key::C, 1)));
        assert!(!accept((EV_REL, REL_X, 0)));
        assert!(accept((EV_REL, REL_X, -1)));
        assert!(accept((EV_ABS, ABS_X, 50)));
        assert!(!accept((EV_ABS, ABS_X, 50)));
        assert!(!accept((EV_ABS, ABS_X, 53)));
        assert!(!accept((0x1f, 0, 1)));
        assert!(accept((EV_REP, REP_DELAY, 400)));
        assert!(!accept((EV_REP, 7, 400)));
    }

    #[test]
    fn a_held_key_repeats_until_any_key_is_released() {
        let (mut device, start) = (device(), Instant::now());
        let after = |ms| start + Duration::from_millis(ms);
        device.accept((EV_KEY, key::A, 1), Origin::Device, start);
        assert_eq!(device.take_repeat(after(249)), None);
        assert_eq!(device.take_repeat(after(250)), Some((EV_KEY, key::A, 2)));
        assert_eq!(device.take_repeat(after(260)), None);
        assert_eq!(device.take_repeat(after(2000)), Some((EV_KEY, key::A, 2)));
        assert_eq!(device.take_repeat(after(2001)), None);
        device.accept((EV_KEY, key::A, 0), Origin::Device, after(2002));
        assert_eq!(device.repeat_time(), None);
        device.accept((EV_KEY, key::B, 1), Origin::Device, after(3000));
        assert_eq!(device.release_all(), [(EV_KEY, key::B, 0)]);
        assert_eq!(device.repeat_time(), None);
    }
}
